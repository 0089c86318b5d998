"""P32 to P48: ties, locked cases, approvals, police, emergencies, audit, analytics, access rights and death."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from policies import Analytics, BreakGlass, Relationship, Sar
from policies.vocabulary import (
    AccessMode,
    AgencyType,
    ApprovalKind,
    Circumstance,
    Conflict,
    ConsentState,
    DataCategory,
    FieldKind,
    GillickStatus,
    ItemForm,
    Obligation,
    Purpose,
    RelationshipKind,
    RelationToIndex,
    Role,
    SarRequester,
    SealState,
    SubjectFlag,
)
from tests.policies.build import (
    DAY,
    HOUR,
    NOW,
    OWN,
    SCREENING,
    THIRD,
    agreement,
    approval,
    ask,
    born,
    clause,
    consent,
    fields,
    kinds_shown,
    pairs,
)

SECOND = timedelta(seconds=1)
NO_DUTY = {"relationship__kind": RelationshipKind.REGISTERED_LIST}
TIES = [
    ("alleged perpetrator", {"ALLEGED_PERPETRATOR"}, {}, "DENY_SILENT", "P32"),
    ("alleged perpetrator and relative", {"ALLEGED_PERPETRATOR", "RELATIVE"}, {}, "DENY_SILENT", "P32"),
    ("associate without duty", {"ASSOCIATE_OF_ALLEGED_PERPETRATOR"}, NO_DUTY, "DENY_SILENT", "P32"),
    ("associate with duty", {"ASSOCIATE_OF_ALLEGED_PERPETRATOR"}, {}, "REFER", "P34"),
    ("own record", {"SELF"}, {}, "DENY", "P33"),
    ("relative without duty", {"RELATIVE"}, NO_DUTY, "DENY", "P34"),
    ("same household with duty", {"SAME_HOUSEHOLD"}, {}, "REFER", "P34"),
    (
        "declared associate with an ended duty",
        {"DECLARED_ASSOCIATE"},
        {"relationship__valid_until": NOW},
        "DENY",
        "P34",
    ),
    ("under an allegation", {"UNDER_ALLEGATION"}, {}, "DENY_SILENT", "P36"),
]


@pytest.mark.parametrize(("conflicts", "changes", "outcome", "rule"), pairs(TIES))
@pytest.mark.parametrize("own", [{}, OWN], ids=["partner", "own agency"])
def test_ties_close_and_alert(
    conflicts: set[str], changes: dict[str, Any], outcome: str, rule: str, own: dict[str, Any]
) -> None:
    decision = ask(actor__conflicts=frozenset(Conflict(one) for one in conflicts), **changes, **own)
    assert (decision.outcome, rule in decision.rules) == (outcome, True)
    assert Obligation.IG_ALERT in decision.obligations


@pytest.mark.parametrize("flag", ["CASE_LOCKED", "VIP", "STAFF_SUBJECT"])
def test_a_locked_case_is_for_its_team(flag: str) -> None:
    locked = {"subject__flags": frozenset({SubjectFlag(flag)})}
    outside = ask(**locked, actor__on_assigned_team=False)
    assert (outside.outcome, outside.rules) == ("DENY_SILENT", ("P35",))
    assert Obligation.IG_ALERT in outside.obligations
    assert ask(**locked).outcome == "PERMIT"


SEALED = {"item__seal__state": SealState.SEALED}
MISUSED = [
    ("one's own", {"by": "US-worker"}),
    ("for another request", {"for_request": "RQ-2"}),
    ("for a sibling", {"for_subject": "PE-sibling"}),
    ("one's own, long expired", {"by": "US-worker", "expires_at": NOW - DAY}),
]


@pytest.mark.parametrize("changes", pairs(MISUSED))
def test_a_misused_approval_is_refused_and_alerted_even_where_none_is_needed(changes: dict[str, Any]) -> None:
    decision = ask(approvals=(approval(ApprovalKind.SAR_RELEASE, **changes),))
    assert (decision.outcome, decision.rules) == ("DENY", ("P37",))
    assert Obligation.IG_ALERT in decision.obligations


RELEASES = [
    ("given a second later", {"given_at": NOW + SECOND}, "REFER"),
    ("expired at this very moment", {"expires_at": NOW}, "REFER"),
    ("four hours old", {"given_at": NOW - 4 * HOUR, "expires_at": NOW + DAY}, "REFER"),
    ("by somebody related", {"by_conflicts": frozenset({Conflict.RELATIVE})}, "REFER"),
    ("by another agency", {"by_agency": THIRD}, "REFER"),
    ("a second short of four hours", {"given_at": NOW - 4 * HOUR + SECOND, "expires_at": NOW + DAY}, "PERMIT"),
    ("given at this very moment", {"given_at": NOW}, "PERMIT"),
]


@pytest.mark.parametrize(("changes", "outcome"), pairs(RELEASES))
def test_an_approval_that_is_not_valid_is_absent(changes: dict[str, Any], outcome: str) -> None:
    decision = ask(**SEALED, approvals=(approval(ApprovalKind.OWNER_RELEASE, **changes),))
    assert (decision.outcome, Obligation.IG_ALERT in decision.obligations) == (outcome, False)
    assert "P37" in decision.rules
    assert (Obligation.OWNER_RELEASE in decision.obligations) is (outcome == "REFER")


CRIME = {"purpose": Purpose.CRIME, "circumstances": frozenset({Circumstance.SERIOUS_HARM})}
RELEASE = (approval(ApprovalKind.OWNER_RELEASE),)
POLICE = [
    ("a minor crime", CRIME | {"circumstances": frozenset(), "approvals": RELEASE}, "DENY"),
    ("no release", CRIME, "REFER"),
    ("a health owner's release by a clinician", CRIME | {"approvals": (
        approval(ApprovalKind.OWNER_RELEASE, by_role=Role.GP_CLINICIAN),)}, "REFER"),
    ("research for another purpose", CRIME | {"item__form": ItemForm.AGENCY_RESEARCH}, "DENY"),
    ("a housing owner's release by an officer", CRIME | {"owner__agency_type": AgencyType.HOUSING_AUTHORITY,
        "approvals": (approval(ApprovalKind.OWNER_RELEASE, by_role=Role.HOUSING_OFFICER),)}, "PERMIT"),
    ("the Caldicott Guardian's release", CRIME | {"approvals": RELEASE}, "PERMIT"),
    ("the own force's record", CRIME | {"circumstances": frozenset(), **OWN}, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome"), pairs(POLICE))
def test_the_owner_chooses_what_the_police_see(changes: dict[str, Any], outcome: str) -> None:
    decision = ask(**changes)
    assert (decision.outcome, "owner__basis" in changes or "P38" in decision.rules) == (outcome, True)


def test_passing_on_needs_a_clause_or_the_owner() -> None:
    onward = {"actor__agency": THIRD}
    assert ask(**onward).rules == ("P39",)
    listed = agreement(clause(onward_to=frozenset({"AG-csc"})))
    assert ask(**onward, agreements=(listed,)).outcome == "PERMIT"
    assert ask(**onward, approvals=RELEASE).outcome == "PERMIT"
    some = (approval(ApprovalKind.OWNER_RELEASE, fields=frozenset({"risk"})),)
    assert kinds_shown(ask(**onward, approvals=some)) == {"RISK"}
    assert len(ask(**onward, agreements=(listed,), approvals=some).fields) == 3


def emergency(**changes: Any) -> BreakGlass:
    given: dict[str, Any] = {
        "declared_at": NOW - HOUR,
        "reason": "Child seen on the railway bridge now",
        "imminent_risk": True,
    }
    return BreakGlass(**given | changes)


BREAK_GLASS = [
    ("four hours ago", emergency(declared_at=NOW - 4 * HOUR), "DENY", False),
    ("a second later", emergency(declared_at=NOW + SECOND), "DENY", False),
    ("with one word", emergency(reason="urgent"), "DENY", False),
    ("without imminent risk", emergency(imminent_risk=False), "DENY", True),
    ("a second short of four hours", emergency(declared_at=NOW - 4 * HOUR + SECOND), "PERMIT_REDACTED", False),
    ("now", emergency(declared_at=NOW), "PERMIT_REDACTED", False),
]


@pytest.mark.parametrize(("declared", "outcome", "alert"), pairs(BREAK_GLASS))
def test_break_glass_is_for_imminent_risk_and_four_hours(declared: BreakGlass, outcome: str, alert: bool) -> None:
    decision = ask(
        relationship=Relationship(),
        break_glass=declared,
        item__fields=fields(FieldKind.RISK, FieldKind.WHEREABOUTS, FieldKind.NEED),
    )
    assert (decision.outcome, Obligation.IG_ALERT in decision.obligations) == (outcome, alert)
    if outcome != "DENY":
        assert kinds_shown(decision) == {"RISK", "WHEREABOUTS"}
        assert decision.obligations == ("EXPIRE_AT", "LOG_PARA18", "LOG_RATIONALE", "NOTIFY_OWNER", "RETRO_REVIEW")


LIFTED = [
    ("the agreement", {"agreements": ()}),
    ("the refusal of early help", {"purpose": Purpose.EARLY_HELP}),
    ("the decision about consent", SCREENING),
    ("the override", {"consents": (consent(ConsentState.REFUSED),)}),
    ("the owner's release of a sensitive service", {"item__category": DataCategory.MENTAL_HEALTH}),
    ("an objection in direct care", {
        "purpose": Purpose.DIRECT_CARE, "subject__flags": frozenset({SubjectFlag.OBJECTION})}),
]  # fmt: skip
NOT_LIFTED = [
    ("a seal", SEALED),
    ("a conflict", {"actor__conflicts": frozenset({Conflict.RELATIVE})}),
    ("a closed episode", {"episode__closed_at": NOW}),
    ("a prohibited item for the police", CRIME),
    ("a court", {"item__category": DataCategory.COURT_RESTRICTED}),
    ("the list of a GP check", {
        "purpose": Purpose.GP_PACKAGE_CHECK, "item__category": DataCategory.ASC_PACKAGE,
        "item__involvement": "CURRENT"}),
    ("the basis", {"owner__basis": None}),
    ("the account", {"actor__authentication": "WEAK"}),
    ("necessity", {"subject__relation_to_index": RelationToIndex.OTHER}),
]  # fmt: skip


@pytest.mark.parametrize("changes", pairs(LIFTED))
def test_break_glass_lifts_agreement_relationship_and_consent(changes: dict[str, Any]) -> None:
    assert ask(**changes).outcome in ("DENY", "REFER")
    decision = ask(**changes, break_glass=emergency())
    assert (kinds_shown(decision), Obligation.RETRO_REVIEW in decision.obligations) == (
        {"STATUS", "RISK", "CONTACT"},
        True,
    )


@pytest.mark.parametrize("changes", pairs(NOT_LIFTED))
def test_break_glass_lifts_nothing_else(changes: dict[str, Any]) -> None:
    decision = ask(**changes, break_glass=emergency())
    assert decision.outcome == ask(**changes).outcome
    assert not decision.fields
    assert Obligation.RETRO_REVIEW not in decision.obligations


def test_break_glass_that_lifts_nothing_is_not_used() -> None:
    assert ask(break_glass=emergency()) == ask()


CLOSED = [
    ("closed at this very moment", {"episode__closed_at": NOW}, "DENY"),
    ("social care, but a record", {"episode__closed_at": NOW - DAY}, "DENY"),
    ("a product for another agency", {
        "episode__closed_at": NOW, "recipient__agency_type": AgencyType.POLICE, "item__form": ItemForm.MASH_PRODUCT,
        "item__signed_off_by": Role.MASH_DECISION_MAKER}, "DENY"),
    ("closes a second later", {"episode__closed_at": NOW + SECOND}, "PERMIT"),
    ("the own record", {"episode__closed_at": NOW, **OWN}, "PERMIT"),
    ("for a court", {"episode__closed_at": NOW, "purpose": Purpose.COURT_PROCEEDINGS}, "PERMIT"),
    ("the product for social care", {
        "episode__closed_at": NOW, "item__form": ItemForm.MASH_PRODUCT,
        "item__signed_off_by": Role.MASH_DECISION_MAKER}, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome"), pairs(CLOSED))
def test_a_closed_episode_ends_partners_views(changes: dict[str, Any], outcome: str) -> None:
    assert ask(**changes).outcome == outcome


OPEN_CASE = SCREENING | {"episode__open_case_elsewhere": True}


def test_an_open_case_elsewhere_shows_whom_to_ring_and_asks_for_no_decision_about_consent() -> None:
    offered = fields(FieldKind.INDICATOR, FieldKind.CONTACT, FieldKind.STATUS)
    decision = ask(**OPEN_CASE, item__fields=offered)
    assert (decision.outcome, kinds_shown(decision)) == ("INDICATOR_ONLY", {"INDICATOR", "CONTACT"})
    assert decision.obligations == ("ROUTE_HUMAN",)
    sensitive = ask(**OPEN_CASE, item__fields=offered, item__category=DataCategory.MENTAL_HEALTH)
    assert (sensitive.outcome, sensitive.rules) == ("DENY", ("P22",))


def acting(role: Role, **changes: Any) -> dict[str, Any]:
    return {"actor__role": role, "recipient__role": role, **changes}


AUDIT = {"purpose": Purpose.IG_AUDIT, "item__category": DataCategory.AUDIT_METADATA, **OWN}
SAMPLED = {"purpose": Purpose.PRACTICE_QA, "access__sampled": True, **OWN}
AUDITS = [
    ("content for an IG officer", acting(Role.IG_OFFICER, **OWN), "DENY", "P43"),
    ("content for a privacy officer", acting(Role.PRIVACY_OFFICER), "DENY", "P43"),
    ("a name search without case", acting(
        Role.IG_OFFICER, **AUDIT, access__mode=AccessMode.SEARCH_NAME), "DENY", "P43"),
    ("metadata for a social worker", acting(Role.SOCIAL_WORKER, **AUDIT), "DENY", "P43"),
    ("content for an administrator", acting(Role.SYSTEM_ADMIN, **OWN), "DENY", "P44"),
    ("quality audit by a case worker", acting(Role.SOCIAL_WORKER, **SAMPLED), "DENY", "P43"),
    ("quality audit outside the sample", acting(
        Role.QA_AUDITOR, **SAMPLED | {"access__sampled": False}), "DENY", "P43"),
    ("quality audit of a partner", acting(
        Role.QA_AUDITOR, purpose=Purpose.PRACTICE_QA, access__sampled=True), "DENY", "P43"),
    ("a name search with case", acting(
        Role.IG_OFFICER, **AUDIT, access__mode=AccessMode.SEARCH_NAME, access__case_reference="IG-7"), "PERMIT", "P43"),
    ("metadata for the data protection officer", acting(Role.DPO, **AUDIT), "PERMIT", "P43"),
    ("quality audit of the sample", acting(Role.QA_AUDITOR, **SAMPLED), "PERMIT", "P43"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome", "rule"), pairs(AUDITS))
def test_audit_sees_metadata_and_quality_audit_its_sample(changes: dict[str, Any], outcome: str, rule: str) -> None:
    decision = ask(**changes)
    assert (decision.outcome, rule in decision.rules) == (outcome, True)
    if outcome == "PERMIT":
        assert Obligation.LOG_RATIONALE in decision.obligations
        assert (Obligation.EXPIRE_AT in decision.obligations) is (changes["purpose"] == Purpose.PRACTICE_QA)


SOUND = Analytics(pseudonymised=True, dpia_reference="DPIA-1", smallest_group=5, solely_automated=False)
ANALYSES = [
    ("nothing stated", None, "DENY"),
    ("identifiable", replace(SOUND, pseudonymised=False), "DENY"),
    ("unassessed", replace(SOUND, dpia_reference=None), "DENY"),
    ("a group of four", replace(SOUND, smallest_group=4), "DENY"),
    ("automated", replace(SOUND, solely_automated=True), "DENY"),
    ("sound", SOUND, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("about", "outcome"), pairs(ANALYSES))
@pytest.mark.parametrize("purpose", [Purpose.PERFORMANCE, Purpose.EARLY_IDENTIFICATION])
def test_analyses_are_pseudonymised_assessed_and_decided_by_people(
    about: Analytics | None, outcome: str, purpose: Purpose
) -> None:
    decision = ask(purpose=purpose, analytics=about, item__fields=fields(FieldKind.AGGREGATE))
    assert (decision.outcome, "P45" in decision.rules) == (outcome, True)


def sar(requester: str, *, objects: bool = False, tested: bool = True) -> Sar:
    return Sar(requester=SarRequester(requester), child_objects=objects, serious_harm_test_done=tested)


SIGNED = (approval(ApprovalKind.SAR_RELEASE),)
COMPETENT = {"subject__gillick__status": GillickStatus.COMPETENT}
ADULT = {"subject__date_of_birth": born(2008, 6, 16)}
SIXTEEN = {"subject__date_of_birth": born(2010, 6, 16)}
DEAD = {"subject__flags": frozenset({SubjectFlag.DECEASED})}
RIGHTS = [
    ("another worker", {"recipient__role": Role.SOCIAL_WORKER}, sar("SELF"), (), "DENY"),
    ("without the request", {}, None, SIGNED, "DENY"),
    ("a relative", {}, sar("RELATIVE"), SIGNED, "DENY"),
    ("a neighbour", {}, sar("OTHER"), SIGNED, "DENY"),
    ("a representative of the living", {}, sar("PERSONAL_REPRESENTATIVE"), SIGNED, "DENY"),
    ("a parent of an adult", ADULT, sar("PARENT_WITH_PR"), SIGNED, "DENY"),
    ("a parent, a competent child objects", COMPETENT, sar("PARENT_WITH_PR", objects=True), SIGNED, "DENY"),
    ("a parent, somebody of sixteen objects", SIXTEEN, sar("PARENT_WITH_PR", objects=True), SIGNED, "DENY"),
    ("a relative of somebody who died", DEAD, sar("RELATIVE"), SIGNED, "DENY"),
    ("the person, of somebody who died", DEAD, sar("SELF"), (), "DENY"),
    ("the harm test is missing", {}, sar("SELF", tested=False), (), "REFER"),
    ("the second person is missing", {}, sar("PARENT_WITH_PR"), (), "REFER"),
    ("a representative without second person", DEAD, sar("PERSONAL_REPRESENTATIVE"), (), "REFER"),
    ("a representative", DEAD, sar("PERSONAL_REPRESENTATIVE"), SIGNED, "PERMIT"),
    ("a parent, a small child objects", {}, sar("PARENT_WITH_PR", objects=True), SIGNED, "PERMIT"),
    ("a tenancy needs no harm test", {"item__category": DataCategory.HOUSING}, sar("SELF", tested=False), (), "PERMIT"),
    ("the person", {}, sar("SELF"), (), "PERMIT"),
]


@pytest.mark.parametrize(("changes", "request_block", "approvals", "outcome"), pairs(RIGHTS))
def test_who_may_see_a_record_as_of_right(
    changes: dict[str, Any], request_block: Sar | None, approvals: Any, outcome: str
) -> None:
    officer = acting(Role.SAR_OFFICER, purpose=Purpose.SUBJECT_RIGHTS, **OWN)
    decision = ask(**officer | changes, sar=request_block, approvals=approvals)
    assert (decision.outcome, bool({"P46", "P47"} & set(decision.rules))) == (outcome, True)
    assert (Obligation.SECOND_APPROVER in decision.obligations) is (outcome == "REFER")


def test_some_passages_are_kept_back_from_a_persons_own_record() -> None:
    officer = acting(Role.SAR_OFFICER, purpose=Purpose.SUBJECT_RIGHTS, item__category=DataCategory.HOUSING, **OWN)
    offered = fields(
        FieldKind.STATUS,
        FieldKind.WHEREABOUTS,
        FieldKind.THIRD_PARTY,
        FieldKind.SERIOUS_HARM,
        FieldKind.TIPPING_OFF,
        FieldKind.STAFF_NAME,
        FieldKind.REFERRER_IDENTITY,
    )
    assert kinds_shown(ask(**officer, sar=sar("SELF"), item__fields=offered)) == {"STATUS", "WHEREABOUTS"}
    by_parent = ask(**officer, sar=sar("PARENT_WITH_PR"), approvals=SIGNED, item__fields=offered)
    assert kinds_shown(by_parent) == {"STATUS"}


DEATH = [
    ("early help", {"purpose": Purpose.EARLY_HELP}, "DENY"),
    ("below the threshold", SCREENING, "DENY"),
    ("with the threshold", {}, "PERMIT"),
    ("for a court", {"purpose": Purpose.COURT_PROCEEDINGS}, "PERMIT"),
    ("the own agency", {"purpose": Purpose.EARLY_HELP, **OWN}, "PERMIT"),
]


@pytest.mark.parametrize(("changes", "outcome"), pairs(DEATH))
def test_the_dead_keep_their_confidence(changes: dict[str, Any], outcome: str) -> None:
    decision = ask(**DEAD, **changes)
    assert (decision.outcome, "P47" in decision.rules) == (outcome, True)
    assert (Obligation.LOG_RATIONALE in decision.obligations) is (outcome == "PERMIT")
    assert not {"INFORM_SUBJECT", "NOTIFY_OWNER"} & set(decision.obligations)


def test_a_statutory_review_is_for_its_reviewer() -> None:
    review = {"purpose": Purpose.STATUTORY_REVIEW}
    assert ask(**review).rules == ("P47",)
    decision = ask(**review, recipient__role=Role.STATUTORY_REVIEWER)
    assert (decision.outcome, {"LOG_RATIONALE", "NO_EXPORT"} <= set(decision.obligations)) == ("PERMIT", True)


SHOWN = [
    ("third parties", {}, FieldKind.THIRD_PARTY, False),
    ("third parties, released as a whole", {"approvals": RELEASE}, FieldKind.THIRD_PARTY, False),
    ("third parties, released by name", {"approvals": (
        approval(ApprovalKind.OWNER_RELEASE, fields=frozenset({"third_party"})),)}, FieldKind.THIRD_PARTY, True),
    ("third parties in the own record", OWN, FieldKind.THIRD_PARTY, True),
    ("the referrer", {}, FieldKind.REFERRER_IDENTITY, False),
    ("the referrer, own record", OWN, FieldKind.REFERRER_IDENTITY, False),
    ("the referrer, decision maker", {"recipient__role": Role.MASH_DECISION_MAKER}, FieldKind.REFERRER_IDENTITY, True),
    ("intelligence inside an incident", {}, FieldKind.INTELLIGENCE, False),
    ("need from an earlier product", {"item__form": ItemForm.MASH_PRODUCT, "item__episode": "EP-0",
        "item__signed_off_by": Role.MASH_DECISION_MAKER}, FieldKind.NEED, False),
    ("outcome of an earlier product", {"item__form": ItemForm.MASH_PRODUCT, "item__episode": "EP-0",
        "item__signed_off_by": Role.MASH_DECISION_MAKER}, FieldKind.OUTCOME, True),
    ("need from this product", {"item__form": ItemForm.MASH_PRODUCT, "item__episode": "EP-1",
        "item__signed_off_by": Role.MASH_DECISION_MAKER}, FieldKind.NEED, True),
    ("need for a referrer", {"relationship__kind": RelationshipKind.REFERRER}, FieldKind.NEED, False),
    ("next step for a referrer", {"relationship__kind": RelationshipKind.REFERRER}, FieldKind.NEXT_STEP, True),
    ("a peer's name", {"purpose": Purpose.MACSE, "subject__relation_to_index": RelationToIndex.PEER},
     FieldKind.IDENTITY, False),
    ("a peer's pseudonym", {"purpose": Purpose.MACSE, "subject__relation_to_index": RelationToIndex.PEER},
     FieldKind.PSEUDONYM, True),
    ("a safety plan, facing the perpetrator", {"actor__perpetrator_facing": True}, FieldKind.SAFETY_PLAN, False),
    ("a safety plan, facing the perpetrator, released by name", {"actor__perpetrator_facing": True, "approvals": (
        approval(ApprovalKind.OWNER_RELEASE, fields=frozenset({"safety_plan"})),)}, FieldKind.SAFETY_PLAN, True),
    ("a professional's name", {}, FieldKind.PROFESSIONAL_NAME, True),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "kind", "shown"), pairs(SHOWN))
def test_the_field_filter_leaves_the_least_that_is_needed(
    changes: dict[str, Any], kind: FieldKind, shown: bool
) -> None:
    decision = ask(**changes, item__fields=fields(kind))
    assert (kinds_shown(decision) == {kind}, decision.outcome) == (shown, "PERMIT" if shown else "DENY")


def test_two_fields_of_one_name_are_cut_together() -> None:
    from policies import Field

    offered = (Field("note", FieldKind.STATUS), Field("note", FieldKind.THIRD_PARTY), Field("risk", FieldKind.RISK))
    assert ask(item__fields=offered).fields == ("risk",)


def test_an_item_without_fields_shows_nothing() -> None:
    decision = ask(item__fields=())
    assert (decision.outcome, decision.rules) == ("DENY", ("P50",))


def test_an_error_inside_a_rule_is_a_refusal_with_a_human_route() -> None:
    broken = ask(now=NOW.replace(tzinfo=None))
    assert (broken.outcome, broken.obligations, broken.rules) == ("DENY", ("ROUTE_HUMAN",), ("P50",))
    gp = ask(now=NOW.replace(tzinfo=None), purpose=Purpose.GP_PACKAGE_CHECK)
    assert gp.answer == "NOT_AVAILABLE"


def test_an_alert_is_raised_even_if_another_finding_decides() -> None:
    decision = ask(
        item__category=DataCategory.FERTILITY, actor__conflicts=frozenset({Conflict.SELF}), relationship=Relationship()
    )
    assert (decision.outcome, decision.rules) == ("DENY_SILENT", ("P27",))
    assert Obligation.IG_ALERT in decision.obligations


def test_a_panel_shows_without_export() -> None:
    assert Obligation.NO_EXPORT in ask(purpose=Purpose.MACSE).obligations
