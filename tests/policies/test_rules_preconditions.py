"""P01 to P09: refusals before grants, and the edges of time, number and word."""

from datetime import timedelta
from typing import Any

import pytest

from policies import Basis, BreakGlass, GatewayEntry, Party, Relationship
from policies.vocabulary import (
    AccessMode,
    AccountKind,
    AgencyType,
    AgreementStatus,
    ApprovalKind,
    Article6Basis,
    Article9Condition,
    Article10Condition,
    Authentication,
    BragRating,
    CapacityStatus,
    ConsentKind,
    DataCategory,
    DataSubject,
    Employment,
    FieldKind,
    GillickStatus,
    Obligation,
    Para18Reason,
    PartyRole,
    PartyStatus,
    ProhibitedPurpose,
    Purpose,
    Regime,
    RelationshipKind,
    RelationToIndex,
    RliCondition,
    Role,
    Schedule1Condition,
    Schedule8Condition,
    StatutoryGateway,
    SubjectFlag,
)
from tests.policies.build import (
    CHILD,
    CSC,
    DAY,
    HEALTH,
    HOUR,
    NOW,
    OWN,
    THIRD,
    TODAY,
    agreement,
    approval,
    ask,
    basis,
    born,
    by_self,
    clause,
    consent,
    fields,
    kinds_shown,
    pairs,
    threshold,
)

SECOND = timedelta(seconds=1)
S10 = frozenset({StatutoryGateway.CA2004_S10})
S47 = frozenset({StatutoryGateway.CA1989_S47})
BREAK_GLASS = BreakGlass(declared_at=NOW - HOUR, reason="Child seen on the railway bridge now", imminent_risk=True)
POLICE_CRIME: dict[str, Any] = {
    "purpose": Purpose.CRIME,
    "circumstances": frozenset({"SERIOUS_CRIME"}),
    "approvals": (approval(ApprovalKind.OWNER_RELEASE),),
    "recipient__competent_authority": True,
}


def test_the_plain_section_47_request_is_permitted() -> None:
    decision = ask()
    assert decision.outcome == "PERMIT"
    assert {"LOG_PARA18", "LOG_RATIONALE", "NOTIFY_OWNER", "INFORM_SUBJECT"} == set(decision.obligations)
    assert {"P03", "P04", "P12", "P21"} <= set(decision.rules)


P02 = [
    ("a password alone", {"actor__authentication": Authentication.WEAK}, "DENY", False),
    ("a shared account", {"actor__account": AccountKind.SHARED}, "DENY", True),
    ("a suspended worker", {"actor__employment": Employment.SUSPENDED}, "DENY", False),
    ("a worker who left", {"actor__employment": Employment.ENDED}, "DENY", False),
    ("a role that starts a second later", {"actor__role_from": NOW + SECOND}, "DENY", False),
    ("a role that ends at this very moment", {"actor__role_until": NOW}, "DENY", False),
    ("nineteen characters", {"access__rationale": "  abcd abcd abcd abc  "}, "REFER", False),
    ("three long words", {"access__rationale": "safeguarding enquiry today"}, "REFER", False),
    ("twenty characters, four words", {"access__rationale": "abcd abcd abcd abcde"}, "PERMIT", False),
    ("a role that starts at this very moment", {"actor__role_from": NOW}, "PERMIT", False),
    ("a role that ends a second later", {"actor__role_until": NOW + SECOND}, "PERMIT", False),
]


@pytest.mark.parametrize(("changes", "outcome", "alert"), pairs(P02))
def test_a_named_user_in_role_with_a_reason(changes: dict[str, Any], outcome: str, alert: bool) -> None:
    decision = ask(**changes)
    assert decision.outcome == outcome
    assert "P02" in decision.rules
    assert (Obligation.IG_ALERT in decision.obligations) is alert


def related(kind: RelationshipKind, **changes: Any) -> Relationship:
    given: dict[str, Any] = {"persons": frozenset({CHILD}), "valid_from": NOW - DAY}
    return Relationship(kind=kind, **given | changes)


P03 = [
    ("no relationship", related(RelationshipKind.NONE), "DENY"),
    ("a sibling only", related(RelationshipKind.CASELOAD, persons=frozenset({"PE-sibling"})), "DENY"),
    ("nobody in particular", related(RelationshipKind.CASELOAD, persons=None), "DENY"),
    ("no start", related(RelationshipKind.CASELOAD, valid_from=None), "DENY"),
    ("not yet", related(RelationshipKind.CASELOAD, valid_from=NOW + SECOND), "DENY"),
    ("ended at this very moment", related(RelationshipKind.CASELOAD, valid_until=NOW), "DENY"),
    ("from this very moment", related(RelationshipKind.CASELOAD, valid_from=NOW), "PERMIT"),
    ("a statutory role for everybody", related(RelationshipKind.NAMED_STATUTORY_ROLE, persons=None), "PERMIT"),
    ("a registered list", related(RelationshipKind.REGISTERED_LIST), "PERMIT"),
]


@pytest.mark.parametrize(("relationship", "outcome"), pairs(P03))
def test_a_legitimate_relationship_covers_this_person_now(relationship: Relationship, outcome: str) -> None:
    decision = ask(relationship=relationship)
    assert (decision.outcome, "P03" in decision.rules) == (outcome, True)
    assert Obligation.IG_ALERT not in decision.obligations


@pytest.mark.parametrize("own", [{}, OWN])
def test_who_only_claims_a_relationship_is_refused_and_alerted(own: dict[str, Any]) -> None:
    decision = ask(relationship=related(RelationshipKind.SELF_CLAIMED), **own)
    assert (decision.outcome, decision.rules) == ("DENY", ("P03",))
    assert Obligation.IG_ALERT in decision.obligations


@pytest.mark.parametrize(
    ("kind", "checks", "alert"),
    [("NONE", 3, False), ("NONE", 4, True), ("CASELOAD", 0, False), ("SELF_CLAIMED", 0, True)],
)
def test_a_gp_check_off_the_list_is_silent_and_alerted_from_the_fourth_on(kind: str, checks: int, alert: bool) -> None:
    decision = ask(
        purpose=Purpose.GP_PACKAGE_CHECK,
        relationship=related(RelationshipKind(kind)),
        off_list_checks_today=checks,
        item__category=DataCategory.ASC_PACKAGE,
    )
    assert (decision.outcome, decision.answer) == ("DENY_SILENT", "NOT_AVAILABLE")
    assert {"P03", "P48"} <= set(decision.rules)
    assert (Obligation.IG_ALERT in decision.obligations) is alert


def parties(owner: tuple[str, str], recipient: tuple[str, str]) -> tuple[Party, ...]:
    return tuple(
        Party(agency=agency, role=PartyRole(role), status=PartyStatus(status))
        for agency, (role, status) in ((HEALTH, owner), (CSC, recipient))
    )


SIGNED = ("BOTH", "SIGNED")
NEEDED = clause(
    purposes=frozenset({Purpose.MACSE}),
    recipient_roles=frozenset({Role.MASH_SOCIAL_WORKER}),
    categories=frozenset({DataCategory.EDUCATION}),
    data_subjects=frozenset({DataSubject.CHILD}),
)
P04 = [
    ("no agreement", (), "DENY"),
    ("under review", (agreement(NEEDED, status=AgreementStatus.UNDER_REVIEW),), "DENY"),
    ("starts tomorrow", (agreement(NEEDED, effective_from=TODAY + DAY),), "DENY"),
    ("ended yesterday", (agreement(NEEDED, expires_on=TODAY - DAY),), "DENY"),
    ("a newer version dropped it", (agreement(NEEDED), agreement(clause(categories=frozenset()), version=2)), "DENY"),
    ("a newer version expired", (agreement(NEEDED), agreement(NEEDED, version=2, expires_on=TODAY - DAY)), "DENY"),
    ("the owner only receives", (agreement(NEEDED, parties=parties(("RECIPIENT", "SIGNED"), SIGNED)),), "DENY"),
    ("the recipient only discloses", (agreement(NEEDED, parties=parties(SIGNED, ("DISCLOSER", "SIGNED"))),), "DENY"),
    ("the owner withdrew", (agreement(NEEDED, parties=parties(("BOTH", "WITHDRAWN"), SIGNED)),), "DENY"),
    ("the recipient has not signed", (agreement(NEEDED, parties=parties(SIGNED, ("BOTH", "NOT_SIGNED"))),), "DENY"),
    ("another purpose", (agreement(clause(purposes=frozenset({Purpose.LADO}))),), "DENY"),
    ("another role", (agreement(clause(recipient_roles=frozenset({Role.DSL}))),), "DENY"),
    ("another category", (agreement(clause(categories=frozenset({DataCategory.HOUSING}))),), "DENY"),
    ("adults only", (agreement(clause(data_subjects=frozenset({DataSubject.ADULT}))),), "DENY"),
    ("the last day", (agreement(NEEDED, expires_on=TODAY),), "PERMIT"),
    ("the first day", (agreement(NEEDED, effective_from=TODAY),), "PERMIT"),
    ("without an end", (agreement(NEEDED, expires_on=None),), "PERMIT"),
    ("a newer version starts tomorrow", (
        agreement(NEEDED), agreement(version=2, effective_from=TODAY + DAY)), "PERMIT"),
    ("a newer version is a draft", (agreement(NEEDED), agreement(version=2, status=AgreementStatus.DRAFT)), "PERMIT"),
    ("owner discloses, recipient receives", (
        agreement(NEEDED, parties=parties(("DISCLOSER", "SIGNED"), ("RECIPIENT", "SIGNED"))),
    ), "PERMIT"),
]  # fmt: skip
PANEL: dict[str, Any] = {"purpose": Purpose.MACSE, "item__category": DataCategory.EDUCATION}


@pytest.mark.parametrize(("agreements", "outcome"), pairs(P04))
def test_a_partner_needs_a_matching_clause_in_force(agreements: tuple[Any, ...], outcome: str) -> None:
    decision = ask(agreements=agreements, **PANEL)
    assert (decision.outcome, "P04" in decision.rules) == (outcome, True)


def test_from_eighteen_a_clause_about_children_no_longer_matches() -> None:
    children = (agreement(clause(data_subjects=frozenset({DataSubject.CHILD}))),)
    assert ask(agreements=children, subject__date_of_birth=born(2008, 6, 16), **PANEL).outcome == "DENY"
    assert ask(agreements=children, subject__date_of_birth=born(2008, 6, 17), **PANEL).outcome == "PERMIT"
    assert ask(agreements=children, subject__date_of_birth=None, **PANEL).outcome == "PERMIT"


ONE_OFF = [
    ("without call-back", {"call_back_verified": False}, "REFER", set()),
    ("of another agency", {"by_agency": CSC}, "REFER", set()),
    ("with fields", {"fields": frozenset({"status"})}, "PERMIT_REDACTED", {"STATUS"}),
    ("as a whole", {}, "PERMIT", {"STATUS", "RISK", "CONTACT"}),
]


@pytest.mark.parametrize(("changes", "outcome", "shown"), pairs(ONE_OFF))
def test_a_one_off_decision_of_the_owner_replaces_the_agreement(
    changes: dict[str, Any], outcome: str, shown: set[str]
) -> None:
    decision = ask(agreements=(), approvals=(approval(ApprovalKind.ONE_OFF, **changes),))
    assert (decision.outcome, kinds_shown(decision)) == (outcome, shown)
    assert Obligation.LOG_RATIONALE in decision.obligations
    assert (Obligation.OWNER_RELEASE in decision.obligations) is (outcome == "REFER")


def test_the_own_agency_needs_no_agreement_and_no_gateway() -> None:
    decision = ask(agreements=(), gateways=(), **OWN)
    assert (decision.outcome, decision.obligations) == ("PERMIT", ())


P05 = [
    ("consent as basis", {"art6": Article6Basis.CONSENT}, "DENY"),
    ("no basis", {"art6": None}, "DENY"),
    ("contract", {"art6": Article6Basis.CONTRACT}, "DENY"),
    ("vital interests without emergency", {"art6": Article6Basis.VITAL_INTERESTS}, "DENY"),
    ("no Article 9 condition", {"art9": None}, "DENY"),
    ("legal claims", {"art9": Article9Condition.LEGAL_CLAIMS}, "DENY"),
    ("public interest without paragraph", {"sch1": None}, "DENY"),
    ("public interest with a Part 1 paragraph", {"sch1": Schedule1Condition.P1_2}, "DENY"),
    ("public interest with a Part 3 paragraph", {"sch1": Schedule1Condition.P3_33}, "DENY"),
    ("Part 2 without policy document", {"apd": False}, "DENY"),
    ("paragraph 18 without reason", {"sch1": Schedule1Condition.P2_18}, "DENY"),
    ("Article 10 paragraph 18 without reason", {"art10": Article10Condition.P2_18}, "DENY"),
    ("care with Part 1 paragraph 1", {
        "art9": Article9Condition.HEALTH_OR_SOCIAL_CARE, "sch1": Schedule1Condition.P1_1}, "DENY"),
    ("explicit consent that nobody gave", {"art9": Article9Condition.EXPLICIT_CONSENT}, "DENY"),
    ("law enforcement by a council", {"regime": Regime.PART_3, "sch8": Schedule8Condition.S8_1}, "DENY"),
    ("no gateway", {"gateways": frozenset()}, "DENY"),
    ("a gateway for another purpose", {"gateways": S10}, "DENY"),
    ("legal obligation", {"art6": Article6Basis.LEGAL_OBLIGATION}, "PERMIT"),
    ("care with Part 1 paragraph 2", {
        "art9": Article9Condition.HEALTH_OR_SOCIAL_CARE, "sch1": Schedule1Condition.P1_2}, "PERMIT"),
    ("employment with Part 1 paragraph 1", {
        "art9": Article9Condition.EMPLOYMENT_SOCIAL_PROTECTION, "sch1": Schedule1Condition.P1_1}, "PERMIT"),
    ("paragraph 18 with reason", {
        "sch1": Schedule1Condition.P2_18, "para18_reason": Para18Reason.CONSENT_CANNOT_BE_GIVEN}, "PERMIT"),
    ("vital interests of a small child", {"art9": Article9Condition.VITAL_INTERESTS}, "PERMIT"),
    ("one gateway in force is enough", {"gateways": S47 | S10}, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize("side", ["owner", "recipient"])
@pytest.mark.parametrize(("changes", "outcome"), pairs(P05))
def test_each_side_needs_a_valid_basis(side: str, changes: dict[str, Any], outcome: str) -> None:
    decision = ask(**{f"{side}__basis": basis(**changes)})
    assert (decision.outcome, "P05" in decision.rules) == (outcome, True)


VITAL = basis(art9=Article9Condition.VITAL_INTERESTS)
P05_VITAL = [
    ("a competent child", {"subject__gillick__status": GillickStatus.COMPETENT}, "DENY"),
    ("sixteen today", {"subject__date_of_birth": born(2010, 6, 16)}, "DENY"),
    ("sixteen tomorrow", {"subject__date_of_birth": born(2010, 6, 17)}, "PERMIT"),
    ("an unborn child", {"subject__date_of_birth": None}, "PERMIT"),
    ("an adult who lacks capacity", {
        "subject__date_of_birth": born(1980, 1, 1), "subject__capacity": CapacityStatus.LACKS}, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome"), pairs(P05_VITAL))
def test_vital_interests_are_for_those_who_cannot_decide(changes: dict[str, Any], outcome: str) -> None:
    assert ask(owner__basis=VITAL, **changes).outcome == outcome


def test_explicit_consent_needs_a_uk_gdpr_consent_and_no_other() -> None:
    claim = {"owner__basis": basis(art9=Article9Condition.EXPLICIT_CONSENT)}
    assert ask(consents=(consent(),), **claim).outcome == "DENY"
    assert ask(consents=(consent(kind=ConsentKind.UK_GDPR),), **claim).outcome == "PERMIT"


def test_ordinary_data_needs_no_article_9_and_offence_data_needs_article_10() -> None:
    plain = basis(art9=None, sch1=None, art10=None)
    assert ask(item__category=DataCategory.POLICE_INCIDENT, owner__basis=plain).rules == ("P05",)
    assert ask(item__category=DataCategory.HOUSING, owner__basis=plain).outcome == "PERMIT"


PART_3 = [
    ("no Schedule 8 condition", DataCategory.POLICE_INCIDENT, {}, "DENY"),
    ("paragraph 4 without reason", DataCategory.HOUSING, {"sch8": Schedule8Condition.S8_4}, "DENY"),
    ("ordinary data", DataCategory.HOUSING, {}, "PERMIT"),
    ("offence data with condition", DataCategory.POLICE_INCIDENT, {"sch8": Schedule8Condition.S8_1}, "PERMIT"),
]


@pytest.mark.parametrize(("category", "changes", "outcome"), pairs(PART_3))
def test_law_enforcement_processing_has_conditions_of_its_own(
    category: DataCategory, changes: dict[str, Any], outcome: str
) -> None:
    claim = Basis(regime=Regime.PART_3, gateways=frozenset({StatutoryGateway.CDA1998_S115}), **changes)
    assert ask(recipient__basis=claim, item__category=category, **POLICE_CRIME).outcome == outcome
    assert ask(recipient__basis=claim, item__category=category).outcome == "DENY"


def test_a_charity_may_rely_on_recognised_legitimate_interest_and_needs_no_gateway() -> None:
    rli = basis(art6=Article6Basis.RECOGNISED_LEGITIMATE_INTEREST, gateways=frozenset())
    named = basis(
        art6=Article6Basis.RECOGNISED_LEGITIMATE_INTEREST,
        rli_condition=RliCondition.SAFEGUARDING,
        gateways=frozenset(),
    )
    assert ask(owner__public_authority=False, owner__basis=rli).outcome == "DENY"
    assert ask(owner__public_authority=False, owner__basis=basis()).outcome == "DENY"
    assert ask(owner__public_authority=False, owner__basis=named).outcome == "PERMIT"
    assert "P06" in ask(owner__public_authority=True, owner__basis=named).rules


@pytest.mark.parametrize("side", ["owner", "recipient"])
def test_public_authorities_cannot_claim_legitimate_interests(side: str) -> None:
    decision = ask(**{f"{side}__basis": basis(art6=Article6Basis.LEGITIMATE_INTERESTS)})
    assert (decision.outcome, "P06" in decision.rules) == ("DENY", True)


SERIOUS_VIOLENCE = basis(gateways=frozenset({StatutoryGateway.PCSC2022_S16}))
P05_SERIOUS_VIOLENCE = [
    ("health data", DataCategory.HEALTH_SUMMARY, AgencyType.HOUSING_AUTHORITY, "DENY"),
    ("information of a health agency", DataCategory.HOUSING, AgencyType.ACUTE_TRUST, "DENY"),
    ("information of social care", DataCategory.HOUSING, AgencyType.ADULT_SOCIAL_CARE, "DENY"),
    ("a tenancy", DataCategory.HOUSING, AgencyType.HOUSING_AUTHORITY, "PERMIT"),
]


@pytest.mark.parametrize(("category", "owner", "outcome"), pairs(P05_SERIOUS_VIOLENCE))
def test_the_serious_violence_duty_carries_no_health_or_care_information(
    category: DataCategory, owner: AgencyType, outcome: str
) -> None:
    decision = ask(
        owner__agency_type=owner,
        owner__basis=SERIOUS_VIOLENCE,
        recipient__basis=SERIOUS_VIOLENCE,
        item__category=category,
        **POLICE_CRIME,
    )
    assert decision.outcome == outcome


def test_a_homelessness_referral_needs_the_persons_consent() -> None:
    adult = {"purpose": Purpose.HOMELESSNESS_REFERRAL, "subject__date_of_birth": born(1990, 1, 1)}
    assert ask(item__category=DataCategory.HOUSING, **adult).rules == ("P05",)
    assert ask(item__category=DataCategory.HOUSING, consents=(by_self(),), **adult).outcome == "PERMIT"


P07 = [
    ("not in the register", (), "DENY"),
    ("without a date", (GatewayEntry(code=StatutoryGateway.CA1989_S47, effective_from=None),), "DENY"),
    ("from tomorrow", (GatewayEntry(code=StatutoryGateway.CA1989_S47, effective_from=TODAY + DAY),), "DENY"),
    ("until yesterday", (
        GatewayEntry(code=StatutoryGateway.CA1989_S47, effective_from=born(1991, 1, 1), effective_to=TODAY - DAY),
    ), "DENY"),
    ("until today", (
        GatewayEntry(code=StatutoryGateway.CA1989_S47, effective_from=born(1991, 1, 1), effective_to=TODAY),
    ), "PERMIT"),
    ("from today", (GatewayEntry(code=StatutoryGateway.CA1989_S47, effective_from=TODAY),), "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("register", "outcome"), pairs(P07))
def test_a_gateway_exists_only_within_its_dates(register: tuple[GatewayEntry, ...], outcome: str) -> None:
    decision = ask(gateways=register, owner__basis=basis(gateways=S47), recipient__basis=basis(gateways=S47))
    assert decision.outcome == outcome
    assert ("P07" in decision.rules) is (outcome == "DENY")


def test_nothing_of_the_basis_is_checked_for_somebody_who_died() -> None:
    decision = ask(subject__flags=frozenset({SubjectFlag.DECEASED}), owner__basis=Basis(), gateways=())
    assert (decision.outcome, decision.obligations) == ("PERMIT", ("LOG_PARA18", "LOG_RATIONALE"))


@pytest.mark.parametrize("purpose", list(ProhibitedPurpose))
def test_some_purposes_are_never_served(purpose: ProhibitedPurpose) -> None:
    decision = ask(purpose=purpose)
    assert (decision.outcome, "P08" in decision.rules) == ("DENY", True)
    assert Obligation.IG_ALERT in decision.obligations


def test_bulk_access_is_for_cohorts_only() -> None:
    decision = ask(access__mode=AccessMode.BULK)
    assert (decision.outcome, decision.rules) == ("DENY", ("P08",))
    assert Obligation.IG_ALERT in decision.obligations
    assert ask(access__mode=AccessMode.BULK, purpose=Purpose.DATA_MATCHING).outcome == "PERMIT"


P09_PERSONS = [
    ("somebody who moved out", RelationToIndex.FORMER_HOUSEHOLD, Purpose.S47_ENQUIRY, "DENY"),
    ("anybody else", RelationToIndex.OTHER, Purpose.S47_ENQUIRY, "DENY"),
    ("a peer", RelationToIndex.PEER, Purpose.S47_ENQUIRY, "DENY"),
    ("anybody else at the panel", RelationToIndex.OTHER, Purpose.MACSE, "DENY"),
    ("somebody recorded as relevant", RelationToIndex.RECORDED_RELEVANT, Purpose.S47_ENQUIRY, "PERMIT"),
    ("anybody, for matching", RelationToIndex.OTHER, Purpose.DATA_MATCHING, "PERMIT"),
    ("a peer at the panel", RelationToIndex.PEER, Purpose.MACSE, "PERMIT_REDACTED"),
]


@pytest.mark.parametrize(("relation", "purpose", "outcome"), pairs(P09_PERSONS))
@pytest.mark.parametrize("own", [{}, OWN], ids=["partner", "own agency"])
def test_only_persons_who_matter_for_the_purpose(
    relation: RelationToIndex, purpose: Purpose, outcome: str, own: dict[str, Any]
) -> None:
    decision = ask(subject__relation_to_index=relation, purpose=purpose, **own)
    assert (decision.outcome, "P09" in decision.rules) == (outcome, True)


LOOK_BACK = [
    ("a day too old", born(2026, 3, 31), born(2026, 2, 27), "DENY"),
    ("to the last day of a short month", born(2026, 3, 31), born(2026, 2, 28), "PERMIT"),
    ("to the same day", born(2026, 6, 16), born(2026, 5, 16), "PERMIT"),
    ("over the new year, too old", born(2026, 1, 10), born(2025, 12, 9), "DENY"),
]


@pytest.mark.parametrize(("today", "occurred_on", "outcome"), pairs(LOOK_BACK))
def test_a_clause_looks_back_calendar_months(today: Any, occurred_on: Any, outcome: str) -> None:
    moment = NOW.replace(year=today.year, month=today.month, day=today.day)
    decision = ask(
        now=moment,
        agreements=(agreement(clause(lookback_months=1), effective_from=born(2020, 1, 1)),),
        actor__role_from=born_at(moment),
        relationship__valid_from=moment,
        relationship__valid_until=None,
        episode__threshold=threshold(moment),
        item__occurred_on=occurred_on,
    )
    assert (decision.outcome, "P09" in decision.rules) == (outcome, True)


def born_at(moment: Any) -> Any:
    return moment - DAY


def test_kinds_count_only_in_clauses_that_reach_far_enough_back() -> None:
    short = clause(lookback_months=1, field_kinds=frozenset({FieldKind.STATUS, FieldKind.RISK}))
    long = clause(lookback_months=24, field_kinds=frozenset({FieldKind.STATUS}))
    decision = ask(agreements=(agreement(short, long),), item__occurred_on=TODAY - 90 * DAY)
    assert (decision.outcome, kinds_shown(decision)) == ("PERMIT_REDACTED", {"STATUS"})
    assert ask(agreements=(agreement(short),), item__occurred_on=TODAY - 90 * DAY).rules == ("P09",)


def test_a_blue_contact_shows_no_partner_data() -> None:
    assert ask(episode__brag=BragRating.BLUE).rules == ("P09",)
    assert ask(episode__brag=BragRating.BLUE, purpose=Purpose.MACSE).outcome == "PERMIT"
    assert ask(episode__brag=BragRating.BLUE, **OWN).outcome == "PERMIT"


GP: dict[str, Any] = {
    "purpose": Purpose.GP_PACKAGE_CHECK,
    "relationship": related(RelationshipKind.REGISTERED_LIST),
    "item__category": DataCategory.ASC_PACKAGE,
    "item__fields": fields(FieldKind.INDICATOR, FieldKind.CONTACT, FieldKind.DETAIL),
    "item__involvement": "CURRENT",
}
GP_CHECK = [
    ("about housing", {"item__category": DataCategory.HOUSING}, "DENY", "NOT_AVAILABLE", set()),
    ("without a settled answer", {"item__involvement": None}, "DENY", "NOT_AVAILABLE", set()),
    ("by a practice that is no party", {"agreements": ()}, "DENY", "NOT_AVAILABLE", set()),
    ("with a thin reason", {"access__rationale": "checking"}, "REFER", "NOT_AVAILABLE", set()),
    ("when the system is down", {"connector__state": "NOT_REACHED"}, "INDICATOR_ONLY", "NOT_REACHED", set()),
    ("down and never answered", {
        "connector__state": "NOT_REACHED", "item__involvement": None}, "INDICATOR_ONLY", "NOT_REACHED", set()),
    ("about one of two people", {"connector__match": "UNCONFIRMED"}, "INDICATOR_ONLY", "MATCH_UNCONFIRMED", set()),
    ("flagged as unsure", {
        "subject__flags": frozenset({SubjectFlag.MATCH_UNCONFIRMED})}, "INDICATOR_ONLY", "MATCH_UNCONFIRMED", set()),
    ("after the package ended", {"item__involvement": "ENDED"}, "INDICATOR_ONLY", "NO", {"INDICATOR"}),
    ("with a package", {}, "INDICATOR_ONLY", "YES", {"INDICATOR", "CONTACT"}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome", "answer", "shown"), pairs(GP_CHECK))
def test_a_gp_check_has_five_answers(changes: dict[str, Any], outcome: str, answer: str, shown: set[str]) -> None:
    decision = ask(**GP | changes)
    assert (decision.outcome, decision.answer, kinds_shown(decision)) == (outcome, answer, shown)
    assert (Obligation.ROUTE_HUMAN in decision.obligations) is (answer not in ("YES", "NO") and outcome != "REFER")


def test_onward_sharing_looks_for_the_clause_of_the_one_who_passes_on() -> None:
    onward = {"actor__agency": THIRD, "actor__role": Role.HOUSING_OFFICER}
    to_actor = clause(recipient_roles=frozenset({Role.HOUSING_OFFICER}), onward_to=frozenset({CSC}))
    to_recipient = clause(recipient_roles=frozenset({Role.MASH_SOCIAL_WORKER}), onward_to=frozenset({CSC}))
    assert ask(agreements=(agreement(to_recipient),), **onward).outcome == "DENY"
    assert ask(agreements=(agreement(to_actor),), **onward).outcome == "PERMIT"


def test_vital_interests_and_any_gateway_hold_while_break_glass_is_valid() -> None:
    claim = basis(art6=Article6Basis.VITAL_INTERESTS, gateways=frozenset({StatutoryGateway.CTSA2015_S36}))
    emergency = {"owner__basis": claim, "recipient__basis": claim}
    assert ask(**emergency).outcome == "DENY"
    assert ask(break_glass=BREAK_GLASS, **emergency).outcome == "PERMIT"
