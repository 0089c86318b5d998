"""Every list that the rules name, member by member: exactly these and no other, whatever else the vocabulary holds."""

from collections.abc import Iterable
from typing import Any

import pytest

from policies import Analytics, Basis, BreakGlass, Sar, Scope
from policies.vocabulary import (
    AccessMode,
    AgencyType,
    ApprovalKind,
    Article6Basis,
    CapacityStatus,
    Circumstance,
    ConsentState,
    DataCategory,
    FieldKind,
    GillickStatus,
    GiverCapacity,
    ItemForm,
    LegalStatus,
    Obligation,
    Outcome,
    Purpose,
    ReasonCode,
    Regime,
    RelationshipKind,
    RelationToIndex,
    Role,
    SarRequester,
    StatutoryGateway,
    SubjectFlag,
)
from tests.policies.build import (
    CHILD,
    HOUR,
    NOW,
    OWN,
    PARENT,
    SCREENING,
    TODAY,
    approval,
    ask,
    basis,
    born,
    both_consents,
    by_self,
    decided,
    fields,
    kinds_shown,
)

GRANTS = (Outcome.PERMIT, Outcome.PERMIT_REDACTED, Outcome.INDICATOR_ONLY)
ADULT = {"subject__date_of_birth": born(1990, 1, 1)}
LACKS = {"subject__capacity": CapacityStatus.LACKS}
RELEASE = (approval(ApprovalKind.OWNER_RELEASE),)
EVERY_KIND = {"item__fields": fields(*FieldKind)}
EMERGENCY = BreakGlass(declared_at=NOW - HOUR, reason="Child seen on the railway bridge now", imminent_risk=True)
HOUSING_OWNER = {"owner__agency_type": AgencyType.HOUSING_AUTHORITY, "item__category": DataCategory.HOUSING}
CRIME: dict[str, Any] = {"purpose": Purpose.CRIME, "circumstances": frozenset({Circumstance.SERIOUS_CRIME})}
HEALTH = (
    "ACUTE_TRUST AMBULANCE CAMHS GP_PRACTICE HEALTH_VISITING_0_19 ICB SUBSTANCE_MISUSE"  # C.f. terms used by the rules
)
SERVICES = "SUBSTANCE_MISUSE MENTAL_HEALTH SEXUAL_REPRODUCTIVE_HEALTH"
SPECIAL = f"ASC_PACKAGE HEALTH_SUMMARY SOCIAL_CARE_NARRATIVE {SERVICES}"
OFFENCES = "CRIMINAL_OFFENCE MAPPA MARAC_DA POLICE_INCIDENT POLICE_INTELLIGENCE"
BARRED = "ADOPTION_SEALED GENDER_RECOGNITION_PROTECTED FERTILITY PROTECTED_PERSON LEGAL_PRIVILEGE"
PROTECTIVE = "IMMEDIATE_PROTECTION S47_ENQUIRY STRATEGY_DISCUSSION MASH_SCREENING S17_ASSESSMENT MISSING_CHILD MARAC"
#: Rules, table "Gateways and the purposes they serve"; the two with conditions of their own are tested elsewhere.
GATEWAYS = {
    "CA1989_S17": "S17_ASSESSMENT MASH_SCREENING",
    "CA1989_S20_S31": "S17_ASSESSMENT COURT_PROCEEDINGS",
    "CA1989_S27": "IMMEDIATE_PROTECTION S47_ENQUIRY STRATEGY_DISCUSSION MASH_SCREENING S17_ASSESSMENT",
    "CA1989_S47": "IMMEDIATE_PROTECTION S47_ENQUIRY STRATEGY_DISCUSSION",
    "CA2004_S10": "MASH_SCREENING S17_ASSESSMENT EARLY_HELP MACSE RETURN_HOME_INTERVIEW YOUTH_JUSTICE HOUSING_NEED "
    "DATA_MATCHING EARLY_IDENTIFICATION PERFORMANCE",
    "CA2004_S11": "IMMEDIATE_PROTECTION S47_ENQUIRY STRATEGY_DISCUSSION MASH_SCREENING S17_ASSESSMENT MISSING_CHILD "
    "RETURN_HOME_INTERVIEW MACSE LADO",
    "CA2004_S16H": "STATUTORY_REVIEW",
    "CA2004_S16LA": "IMMEDIATE_PROTECTION S47_ENQUIRY STRATEGY_DISCUSSION MASH_SCREENING S17_ASSESSMENT MISSING_CHILD",
    "CA2004_S16LC": "DATA_MATCHING",
    "CARE2014_S42": "ADULT_S42",
    "CARE2014_S6_7": "ADULT_S42 ADULT_CARE_ASSESSMENT",
    "CARE2014_S45": "ADULT_S42 STATUTORY_REVIEW",
    "HSCA2012_S251A": "DIRECT_CARE GP_PACKAGE_CHECK",
    "HSCA2012_S251B": "DIRECT_CARE GP_PACKAGE_CHECK",
    "CDA1998_S115": "MARAC MAPPA CRIME YOUTH_JUSTICE",
    "CJA2003_S325": "MAPPA",
    "VPA2024_OP_ENCOMPASS": "OP_ENCOMPASS",
    "DEA2017_S35": "EARLY_IDENTIFICATION HOUSING_NEED",
    "CTSA2015_S36": "",
    "COMMON_LAW_POLICING": "CRIME MISSING_CHILD IMMEDIATE_PROTECTION",
    "COURT_ORDER": "COURT_PROCEEDINGS",
    "CORONER": "STATUTORY_REVIEW",
    "PCSC2022_S16": "CRIME",
    "HA1996_S213B": "HOMELESSNESS_REFERRAL",
}


def listed(words: str) -> set[str]:
    return set(words.split())


def granted(members: Iterable[Any], **changes: Any) -> set[str]:
    """The members that are granted where `changes` says `name=...`; all else stays as it says."""
    name = next(key for key, value in changes.items() if value is ...)
    return {str(one) for one in members if ask(**changes | {name: one}).outcome in GRANTS}


@pytest.mark.parametrize("code", list(StatutoryGateway))
def test_a_gateway_serves_its_purposes(code: StatutoryGateway) -> None:
    claim = basis(gateways=frozenset({code}))
    # A tenancy, and a family that agreed: what two of the gateways ask for besides.
    plain = {"owner__basis": claim, "recipient__basis": claim, "consents": both_consents(), **HOUSING_OWNER}
    served = set()
    for purpose in Purpose:
        decision = ask(purpose=purpose, relationship__kind=RelationshipKind.REGISTERED_LIST, **plain)
        if not (decision.outcome == Outcome.DENY and "P05" in decision.rules):
            served.add(str(purpose))
    assert served == listed(GATEWAYS[code])


def test_the_serious_violence_duty_excludes_every_health_and_care_agency_and_health_category() -> None:
    claim = basis(gateways=frozenset({StatutoryGateway.PCSC2022_S16}))
    plain = {"owner__basis": claim, "recipient__basis": claim, "approvals": RELEASE, **CRIME}
    agencies = granted(AgencyType, **plain | HOUSING_OWNER | {"owner__agency_type": ...})
    assert set(AgencyType) - agencies == listed(HEALTH) | {"ADULT_SOCIAL_CARE", "CHILDRENS_SOCIAL_CARE"}
    categories = {
        str(one) for one in DataCategory if "P05" in ask(**plain | HOUSING_OWNER | {"item__category": one}).rules
    }
    assert listed(SERVICES) | {"HEALTH_SUMMARY"} <= categories
    open_ones = granted(DataCategory, **plain | HOUSING_OWNER | {"item__category": ...})
    assert not open_ones & (listed(SERVICES) | {"HEALTH_SUMMARY"})
    assert {"FINANCE", "EDUCATION", "POLICE_INCIDENT", "CRIMINAL_OFFENCE", "SOCIAL_CARE_STATUS"} <= open_ones


def test_a_health_owner_releases_to_the_police_through_its_caldicott_guardian() -> None:
    by_clinician = (approval(ApprovalKind.OWNER_RELEASE, by_role=Role.GP_CLINICIAN),)
    free = granted(AgencyType, approvals=by_clinician, **CRIME | HOUSING_OWNER | {"owner__agency_type": ...})
    assert set(AgencyType) - free == listed(HEALTH)


def test_each_legal_basis_of_a_public_authority_and_of_others() -> None:
    claims = {str(one): basis(art6=one) for one in Article6Basis}
    public = {name for name, one in claims.items() if ask(owner__basis=one).outcome in GRANTS}
    others = {
        name for name, one in claims.items() if ask(owner__basis=one, owner__public_authority=False).outcome in GRANTS
    }
    assert public == {"LEGAL_OBLIGATION", "PUBLIC_TASK"}
    assert others == {"LEGAL_OBLIGATION", "LEGITIMATE_INTERESTS"}


def denied_under_p05(claim: Basis, **changes: Any) -> set[str]:
    found = set()
    for one in set(DataCategory) - listed(BARRED):
        decision = ask(item__category=one, owner__basis=claim, approvals=RELEASE, **changes)
        if decision.outcome == Outcome.DENY and "P05" in decision.rules:
            found.add(str(one))
    return found


def test_which_categories_need_an_article_9_or_an_article_10_condition() -> None:
    # Intelligence without a handling code is silent before its basis is looked at.
    coded = {"actor__role": Role.MASH_DECISION_MAKER, "recipient__role": Role.MASH_DECISION_MAKER}
    assert denied_under_p05(basis(art9=None, sch1=None), **coded) == listed(SPECIAL)
    assert denied_under_p05(basis(art10=None), **coded) == listed(OFFENCES)


def test_which_categories_need_a_schedule_8_condition_in_law_enforcement() -> None:
    claim = Basis(regime=Regime.PART_3, gateways=frozenset({StatutoryGateway.CDA1998_S115}))
    police = {"owner__competent_authority": True, "recipient__role": Role.MASH_DECISION_MAKER, **CRIME}
    assert denied_under_p05(claim, **police) == listed(SPECIAL) | listed(OFFENCES)


def test_bulk_access_is_for_three_purposes() -> None:
    bulk = {
        str(one)
        for one in Purpose
        if Obligation.IG_ALERT not in ask(purpose=one, access__mode=AccessMode.BULK).obligations
        and one != Purpose.GP_PACKAGE_CHECK
    }
    assert bulk == {"PERFORMANCE", "EARLY_IDENTIFICATION", "DATA_MATCHING"}


def test_a_gp_check_is_about_two_categories() -> None:
    check = {
        "purpose": Purpose.GP_PACKAGE_CHECK,
        "relationship__kind": RelationshipKind.REGISTERED_LIST,
        "item__involvement": "CURRENT",
        "item__fields": fields(FieldKind.INDICATOR),
    }
    assert granted(DataCategory, **check, item__category=...) == {"ASC_PACKAGE", "SOCIAL_CARE_STATUS"}


SOUND = Analytics(pseudonymised=True, dpia_reference="DPIA-1", smallest_group=5, solely_automated=False)
AUDITOR = {"actor__role": Role.IG_OFFICER, "recipient__role": Role.IG_OFFICER}
DESK: dict[Purpose, dict[str, Any]] = {
    Purpose.IG_AUDIT: {"item__category": DataCategory.AUDIT_METADATA, **AUDITOR},
    Purpose.SUBJECT_RIGHTS: {
        "recipient__role": Role.SAR_OFFICER,
        "sar": Sar(requester=SarRequester.SELF, child_objects=False, serious_harm_test_done=True),
    },
    Purpose.PRACTICE_QA: {"recipient__role": Role.QA_AUDITOR, "access__sampled": True},
    Purpose.PERFORMANCE: {"analytics": SOUND},
    Purpose.EARLY_IDENTIFICATION: {"analytics": SOUND},
    Purpose.DATA_MATCHING: {},
}


def test_desk_purposes_may_concern_anybody_and_no_other_purpose_may() -> None:
    anybody = {"subject__relation_to_index": RelationToIndex.OTHER, **OWN}
    assert {one for one in Purpose if ask(purpose=one, **DESK.get(one, {}), **anybody).outcome in GRANTS} == set(DESK)


def test_protective_purposes_wait_for_a_decision_about_consent_and_no_other_does() -> None:
    waiting = {str(one) for one in Purpose if "P11" in ask(purpose=one, episode__threshold=None).rules}
    # Adults' purposes ask for the same decision, under P19.
    assert waiting == listed(PROTECTIVE) | {"ADULT_S42", "ADULT_CARE_ASSESSMENT"}
    by_threshold = {str(one) for one in Purpose if Obligation.LOG_PARA18 in ask(purpose=one).obligations}
    assert by_threshold == listed(PROTECTIVE)


def test_a_blue_contact_closes_protective_purposes_and_early_help() -> None:
    blue = {str(one) for one in Purpose if ask(purpose=one, episode__brag="BLUE").rules == ("P09",)}
    assert blue >= listed(PROTECTIVE)
    assert "P09" in ask(purpose=Purpose.EARLY_HELP, episode__brag="BLUE").rules
    assert ask(purpose=Purpose.LADO, episode__brag="BLUE").outcome == ask(purpose=Purpose.LADO).outcome


def test_which_purposes_rest_on_the_familys_agreement() -> None:
    asked_first = {str(one) for one in Purpose if "P10" in ask(purpose=one).rules}
    assert asked_first == {"EARLY_HELP", "HOUSING_NEED", "RETURN_HOME_INTERVIEW"}
    adults = {str(one) for one in Purpose if "P19" in ask(purpose=one, consents=(by_self(),), **ADULT).rules}
    assert adults == {"ADULT_S42", "ADULT_CARE_ASSESSMENT"}
    care = {
        str(one)
        for one in Purpose
        if "P20"
        in ask(
            purpose=one,
            item__anonymous_access_service=True,
            item__category=DataCategory.ASC_PACKAGE,
            relationship__kind=RelationshipKind.REGISTERED_LIST,
        ).rules
    }
    assert care == {"DIRECT_CARE", "GP_PACKAGE_CHECK"}


def test_sensitive_services_are_three() -> None:
    closed = {str(one) for one in DataCategory if "P22" in ask(item__category=one).rules}
    assert closed == listed(SERVICES)
    unassessed = {
        str(one)
        for one in DataCategory
        if ask(
            purpose=Purpose.HOUSING_NEED,
            consents=both_consents(scope=Scope(categories=frozenset({one}))),
            subject__date_of_birth=born(2012, 1, 1),
            subject__gillick__status=GillickStatus.NOT_ASSESSED,
            item__category=one,
        ).rules
        == ("P16",)
    }
    assert unassessed == listed(SERVICES)


def test_which_relationships_are_legitimate_and_which_carry_a_duty() -> None:
    kinds = granted(RelationshipKind, relationship__kind=..., item__fields=fields(FieldKind.OUTCOME))
    assert kinds == set(RelationshipKind) - {"SELF_CLAIMED", "NONE"}
    related = {"actor__conflicts": frozenset({"RELATIVE"})}
    duty = {str(one) for one in RelationshipKind if ask(relationship__kind=one, **related).outcome == Outcome.REFER}
    assert duty == {"ASSIGNED_EPISODE", "CASELOAD", "PANEL_AGENDA", "NAMED_STATUTORY_ROLE"}


def test_each_tie_closes() -> None:
    for tie in ("RELATIVE", "SAME_HOUSEHOLD", "DECLARED_ASSOCIATE"):
        decision = ask(actor__conflicts=frozenset({tie}))
        assert (decision.outcome, decision.rules) == (Outcome.REFER, ("P34",))


SHOWS = [
    ("emergency", {"break_glass": EMERGENCY, "agreements": ()}, "IDENTITY INDICATOR CONTACT STATUS RISK WHEREABOUTS"),
    (
        "an earlier product",
        {
            "item__form": ItemForm.MASH_PRODUCT,
            "item__episode": "EP-0",
            "item__signed_off_by": Role.MASH_DECISION_MAKER,
        },
        "DATES OUTCOME",
    ),
    ("a referrer", {"relationship__kind": RelationshipKind.REFERRER}, "OUTCOME NEXT_STEP"),
    (
        "a peer",
        {"purpose": Purpose.MACSE, "subject__relation_to_index": RelationToIndex.PEER},
        "PSEUDONYM RISK",
    ),
    (
        "whom to call",
        SCREENING | {"episode__open_case_elsewhere": True},
        "INDICATOR CONTACT",
    ),
]


@pytest.mark.parametrize(("changes", "kinds"), [row[1:] for row in SHOWS], ids=[row[0] for row in SHOWS])
def test_of_every_kind_of_field_exactly_these_are_shown(changes: dict[str, Any], kinds: str) -> None:
    assert kinds_shown(ask(**EVERY_KIND, **changes)) == listed(kinds)


CUT_FOR_PARTNERS = listed("THIRD_PARTY REFERRER_IDENTITY INTELLIGENCE HELD_MARKER")
CUT_FOR_ALL = listed("PRE_ADOPTION_IDENTITY FORMER_GENDER_IDENTITY")


def test_which_kinds_are_cut_from_an_ordinary_item() -> None:
    cut = CUT_FOR_PARTNERS | CUT_FOR_ALL
    assert set(FieldKind) - kinds_shown(ask(**EVERY_KIND)) == cut
    assert set(FieldKind) - kinds_shown(ask(**EVERY_KIND, **OWN)) == CUT_FOR_ALL | {"REFERRER_IDENTITY"}
    facing = ask(**EVERY_KIND, actor__perpetrator_facing=True)
    assert set(FieldKind) - kinds_shown(facing) == cut | {"WHEREABOUTS", "SAFETY_PLAN"}
    assert Obligation.OWNER_RELEASE in facing.obligations
    service = ask(**EVERY_KIND, item__category=DataCategory.MENTAL_HEALTH, approvals=RELEASE)
    assert set(FieldKind) - kinds_shown(service) == cut | {"TREATMENT", "NARRATIVE"}


def test_who_decides_about_consent() -> None:
    roles = {
        str(one)
        for one in Role
        if ask(**SCREENING, episode__consent_decision=decided(ConsentState.BEST_INTERESTS, decided_by_role=one)).outcome
        in GRANTS
    }
    assert roles == listed("MASH_DECISION_MAKER MASH_SOCIAL_WORKER SOCIAL_WORKER ADULT_SOCIAL_WORKER EDT_WORKER")


def test_which_decisions_about_consent_let_information_be_gathered_and_who_is_told() -> None:
    allowed, told = set(), set()
    for state in ConsentState:
        decision = ask(
            **SCREENING,
            consents=both_consents(),
            episode__consent_decision=decided(state, reason_code=ReasonCode.RISK_TO_ANYONE, review_due=TODAY),
            approvals=(approval(ApprovalKind.OVERRIDE),),
        )
        if decision.outcome in GRANTS:
            allowed.add(str(state))
        if Obligation.INFORM_SUBJECT in decision.obligations:
            told.add(str(state))
    without = listed("REFUSED NOT_SOUGHT_UNSAFE NOT_SOUGHT_NOT_REQUIRED NOT_OBTAINABLE BEST_INTERESTS")
    assert told == without
    assert allowed == without | {"GIVEN_EXPLICIT", "GIVEN_PARTIAL"}


def test_which_reasons_make_it_unsafe_to_ask() -> None:
    reasons = {
        str(one)
        for one in ReasonCode
        if ask(
            **SCREENING,
            episode__consent_decision=decided(ConsentState.NOT_SOUGHT_UNSAFE, reason_code=one, review_due=TODAY),
        ).outcome
        in GRANTS
    }
    assert reasons == listed("RISK_TO_ANYONE PREJUDICE_TO_ENQUIRY UNDUE_DELAY")


def test_which_circumstances_override_an_adults_refusal() -> None:
    refused = {"purpose": Purpose.ADULT_S42, "consents": (by_self(ConsentState.REFUSED),), **ADULT}
    outcomes = {str(one): ask(**refused, circumstances=frozenset({one})).outcome for one in Circumstance}
    assert {name for name, outcome in outcomes.items() if outcome == Outcome.REFER} == set(Circumstance) - {
        "SERIOUS_HARM"
    }


def test_which_crimes_are_grave_and_which_forms_are_not_used_again() -> None:
    grave = {
        str(one)
        for one in Circumstance
        if ask(purpose=Purpose.CRIME, circumstances=frozenset({one}), approvals=RELEASE).outcome in GRANTS
    }
    assert grave == {"SERIOUS_CRIME", "SERIOUS_HARM"}
    unsigned = {"item__signed_off_by": Role.MASH_DECISION_MAKER}
    again = {str(one) for one in ItemForm if "P39" in ask(**CRIME, **unsigned, item__form=one).rules}
    assert again == {"MASH_PRODUCT", "AGENCY_RESEARCH"}


def test_which_legal_status_gives_the_authority_parental_responsibility() -> None:
    answer = both_consents(giver="US-authority", giver_capacity=GiverCapacity.LA_WITH_PR)
    held = granted(LegalStatus, purpose=Purpose.EARLY_HELP, consents=answer, subject__legal_status=...)
    assert held == {"C1", "C2", "E1"}


CAPACITIES: list[tuple[str, dict[str, Any], str]] = [
    ("a small child", {}, "PARENT_WITH_PR"),
    ("a competent child", {"subject__gillick__status": GillickStatus.COMPETENT}, "SELF"),
    ("sixteen", {"subject__date_of_birth": born(2010, 6, 16)}, "SELF"),
    ("sixteen, lacks capacity", {"subject__date_of_birth": born(2010, 6, 16), **LACKS}, "PARENT_WITH_PR"),
    ("an adult", ADULT, "SELF"),
    ("an adult who lacks capacity", ADULT | LACKS, "LPA_HW DEPUTY"),
]


@pytest.mark.parametrize(("changes", "who"), [row[1:] for row in CAPACITIES], ids=[row[0] for row in CAPACITIES])
def test_who_may_answer_for_whom(changes: dict[str, Any], who: str) -> None:
    answering = {
        str(one)
        for one in GiverCapacity
        if ask(
            purpose=Purpose.EARLY_HELP,
            consents=both_consents(giver=CHILD if one == GiverCapacity.SELF else PARENT, giver_capacity=one),
            **changes,
        ).outcome
        in GRANTS
    }
    assert answering == listed(who)
    by_stranger = both_consents(giver="PE-stranger", giver_capacity=GiverCapacity.SELF)
    assert ask(purpose=Purpose.EARLY_HELP, consents=by_stranger, **changes).outcome == Outcome.DENY


def test_which_answers_are_a_yes() -> None:
    said = {
        str(one)
        for one in ConsentState
        if ask(purpose=Purpose.EARLY_HELP, consents=both_consents(one)).outcome in GRANTS
    }
    assert said == {"GIVEN_EXPLICIT", "GIVEN_PARTIAL", "BEST_INTERESTS"}


def test_who_reads_audit_metadata_and_who_never_reads_content() -> None:
    metadata = {"purpose": Purpose.IG_AUDIT, "item__category": DataCategory.AUDIT_METADATA, **OWN}
    readers = {str(r) for r in Role if ask(actor__role=r, recipient__role=r, **metadata).outcome in GRANTS}
    assert readers == {"IG_OFFICER", "PRIVACY_OFFICER", "DPO", "SAR_OFFICER"}
    for side in ("actor__role", "recipient__role"):
        content = granted(Role, **OWN | {side: ...})
        assert set(Role) - content == {"IG_OFFICER", "PRIVACY_OFFICER", "SYSTEM_ADMIN"}
        one_side = {side: Role.SOCIAL_WORKER}
        assert ask(**AUDITOR | one_side, **metadata).outcome == Outcome.DENY


def test_what_outlives_a_closed_episode_and_a_death() -> None:
    reviewer, closed = {"recipient__role": Role.STATUTORY_REVIEWER}, {"episode__closed_at": NOW}
    open_purposes = {str(one) for one in Purpose if "P41" not in ask(purpose=one, **closed).rules}
    assert not open_purposes & listed(PROTECTIVE)
    three = (Purpose.STATUTORY_REVIEW, Purpose.COURT_PROCEEDINGS, Purpose.LADO)
    assert granted(three, purpose=..., **reviewer, **closed) == {"STATUTORY_REVIEW", "COURT_PROCEEDINGS"}
    dead = {"subject__flags": frozenset({SubjectFlag.DECEASED})}
    living = granted(Purpose, purpose=..., **dead)
    assert living >= listed(PROTECTIVE) | {"COURT_PROCEEDINGS", "DATA_MATCHING"}
    assert not living & {Purpose.EARLY_HELP, Purpose.LADO, Purpose.CRIME, Purpose.MACSE, Purpose.MAPPA}


def test_subject_access_needs_a_harm_test_for_some_categories() -> None:
    officer = {"recipient__role": Role.SAR_OFFICER, "purpose": Purpose.SUBJECT_RIGHTS, **OWN}
    own = Sar(requester=SarRequester.SELF, child_objects=False, serious_harm_test_done=False)
    untested = {str(one) for one in DataCategory if ask(**officer, item__category=one, sar=own).rules == ("P46",)}
    assert untested == listed(SPECIAL) | {"SOCIAL_CARE_STATUS", "EDUCATION"}


def test_a_bar_is_on_five_categories() -> None:
    silent = {str(one) for one in DataCategory if "P27" in ask(item__category=one, **OWN).rules}
    assert silent == listed(BARRED)


def test_a_shielded_persons_address_in_a_gp_check_is_silent() -> None:
    decision = ask(
        purpose=Purpose.GP_PACKAGE_CHECK,
        relationship__kind=RelationshipKind.REGISTERED_LIST,
        subject__flags=frozenset({SubjectFlag.SHIELDED}),
        item__category=DataCategory.ADDRESS_SHIELDED,
    )
    assert (decision.outcome, "P28" in decision.rules) == (Outcome.DENY_SILENT, True)


def test_the_audit_trail_of_a_shielded_or_locked_person_is_read_as_any() -> None:
    metadata = {"purpose": Purpose.IG_AUDIT, "item__category": DataCategory.AUDIT_METADATA, **OWN, **AUDITOR}
    for flag in (SubjectFlag.SHIELDED, SubjectFlag.VIP):
        seen = ask(**metadata, subject__flags=frozenset({flag}), actor__on_assigned_team=False)
        assert (seen.outcome, seen.rules) == (Outcome.PERMIT, ask(**metadata).rules)
