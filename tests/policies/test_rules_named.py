"""Which rules a decision names: exactly those that allowed, limited, cut or refused it, so that it can be explained."""

from typing import Any

import pytest

from policies import BreakGlass, Intelligence, Relationship
from policies.vocabulary import (
    AgencyType,
    ApprovalKind,
    Article6Basis,
    CapacityStatus,
    ConnectorState,
    ConsentState,
    DataCategory,
    FieldKind,
    GillickStatus,
    GiverCapacity,
    HandlingCode,
    ItemForm,
    LegalStatus,
    Obligation,
    Purpose,
    RelationshipKind,
    RliCondition,
    Role,
    SealState,
    SubjectFlag,
)
from tests.policies.build import (
    CHILD,
    DAY,
    HOUR,
    NOW,
    OWN,
    SCREENING,
    THIRD,
    agreement,
    approval,
    ask,
    basis,
    born,
    both_consents,
    by_self,
    clause,
    consent,
    decided,
    fields,
    pairs,
)

ADULT = {"subject__date_of_birth": born(1990, 1, 1)}
FLUCTUATING = {"subject__capacity": CapacityStatus.FLUCTUATING}
COMPETENT = {"subject__gillick__status": GillickStatus.COMPETENT}
EARLY: dict[str, Any] = {"purpose": Purpose.EARLY_HELP, "consents": both_consents()}
RELEASE = (approval(ApprovalKind.OWNER_RELEASE),)
OVERRIDE = (approval(ApprovalKind.OVERRIDE),)
AGENDA = Relationship(kind=RelationshipKind.PANEL_AGENDA, persons=frozenset({CHILD}), valid_from=NOW - DAY)
EMERGENCY = BreakGlass(declared_at=NOW - HOUR, reason="Child seen on the railway bridge now", imminent_risk=True)
PRODUCT = {"item__form": ItemForm.MASH_PRODUCT, "item__signed_off_by": Role.MASH_DECISION_MAKER}
CHARITY = basis(art6=Article6Basis.RECOGNISED_LEGITIMATE_INTEREST, rli_condition=RliCondition.SAFEGUARDING)
BY_AUTHORITY = {"giver": "US-authority", "giver_capacity": GiverCapacity.LA_WITH_PR}
CARE_ORDER = {"subject__legal_status": LegalStatus.C1}
PARTNER = "P02 P03 P04 P05 P09"
THRESHOLD = f"{PARTNER} P12 P21"

NAMED = [
    ("a section 47 enquiry", {}, THRESHOLD),
    ("the own record", OWN, "P02 P03 P05 P09"),
    ("a meeting about an adult worker", {"purpose": Purpose.LADO}, PARTNER),
    ("a one-off", {"agreements": (), "approvals": (approval(ApprovalKind.ONE_OFF),)}, f"{THRESHOLD} P37"),
    ("a charity", {"owner__public_authority": False, "owner__basis": CHARITY}, f"{THRESHOLD} P06"),
    ("the family agreed", EARLY, f"{PARTNER} P10 P16 P17"),
    ("a competent child agreed", EARLY | COMPETENT | {"consents": both_consents(
        giver=CHILD, giver_capacity=GiverCapacity.SELF)}, f"{PARTNER} P10 P16"),
    ("an adult agreed", EARLY | ADULT | {"consents": both_consents(giver=CHILD, giver_capacity=GiverCapacity.SELF)},
     f"{PARTNER} P10 P18"),
    ("the authority agreed", EARLY | CARE_ORDER | {"consents": both_consents(**BY_AUTHORITY)},
     f"{PARTNER} P10 P16 P17 P21"),
    ("the authority agreed to a homelessness referral", {
        "purpose": Purpose.HOMELESSNESS_REFERRAL, "consents": both_consents(**BY_AUTHORITY), **CARE_ORDER},
     f"{PARTNER} P17 P21"),
    ("the authority agreed, nothing rests on it", {
        "purpose": Purpose.LADO, "consents": both_consents(**BY_AUTHORITY), **CARE_ORDER}, PARTNER),
    ("a decision that consent was given", SCREENING | {
        "consents": (consent(),), "episode__consent_decision": decided(ConsentState.GIVEN_EXPLICIT)},
     f"{PARTNER} P11 P16 P17"),
    ("a withdrawal after the threshold", {"consents": (consent(ConsentState.WITHDRAWN),)}, f"{THRESHOLD} P15"),
    ("a refusal overridden", {"consents": (consent(ConsentState.REFUSED),), "approvals": OVERRIDE},
     f"{THRESHOLD} P13 P37"),
    ("an adult's yes", {"purpose": Purpose.ADULT_S42, "consents": (by_self(),), **ADULT}, f"{PARTNER} P19"),
    ("care", {"purpose": Purpose.DIRECT_CARE}, f"{PARTNER} P20"),
    ("a sensitive service, released", {"item__category": DataCategory.MENTAL_HEALTH, "approvals": RELEASE},
     f"{THRESHOLD} P22"),
    ("a seal, released", {"item__seal__state": SealState.SEALED, "approvals": RELEASE}, f"{THRESHOLD} P23 P37"),
    ("a product", PRODUCT, f"{THRESHOLD} P25"),
    ("intelligence", {"item__category": DataCategory.POLICE_INTELLIGENCE,
        "item__intelligence": Intelligence(code=HandlingCode.P, sanitised=True)}, f"{THRESHOLD} P26"),
    ("ordinary facts of a shielded person", {"subject__flags": frozenset({SubjectFlag.SHIELDED})}, f"{THRESHOLD} P28"),
    ("a panel", {"item__category": DataCategory.MAPPA, "purpose": Purpose.MAPPA, "relationship": AGENDA},
     f"{PARTNER} P30"),
    ("a court", {"item__category": DataCategory.COURT_RESTRICTED,
        "item__court_permission_for": Purpose.S47_ENQUIRY}, f"{THRESHOLD} P31"),
    ("a locked case", {"subject__flags": frozenset({SubjectFlag.VIP})}, f"{THRESHOLD} P35"),
    ("passing on", {"actor__agency": THIRD, "agreements": (agreement(clause(onward_to=frozenset({"AG-csc"}))),)},
     f"{THRESHOLD} P39"),
    ("somebody who died", {"subject__flags": frozenset({SubjectFlag.DECEASED})}, "P02 P03 P04 P09 P12 P47"),
    ("an emergency", {"agreements": (), "break_glass": EMERGENCY}, "P02 P03 P05 P09 P12 P40"),
    ("emergency without risk", {"break_glass": BreakGlass(
        declared_at=NOW, reason=EMERGENCY.reason, imminent_risk=False)}, f"{THRESHOLD} P40"),
    ("an open case elsewhere", SCREENING | {"episode__open_case_elsewhere": True,
        "item__fields": fields(FieldKind.INDICATOR)}, f"{PARTNER} P42"),
    ("fields cut", {"item__fields": fields(FieldKind.STATUS, FieldKind.INTELLIGENCE)}, f"{THRESHOLD} P25"),
    ("a partner that did not answer", {"connector__state": ConnectorState.NOT_REACHED}, f"{THRESHOLD} P48"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "rules"), pairs(NAMED))
def test_a_grant_names_every_rule_that_it_rests_on_and_no_other(changes: dict[str, Any], rules: str) -> None:
    decision = ask(**changes)
    assert decision.fields or decision.answer
    assert set(decision.rules) == set(rules.split())


REFUSED = [
    ("no basis of the owner", {"owner__basis": None}, "P05"),
    ("an adult refused early help", EARLY | ADULT | {"consents": both_consents(
        ConsentState.REFUSED, giver=CHILD, giver_capacity=GiverCapacity.SELF)}, "P10"),
    ("a stranger's yes for a competent child", EARLY | COMPETENT | {"consents": both_consents(
        giver_capacity=GiverCapacity.NONE)}, "P10 P17"),
    ("a parent's yes in the child's name", EARLY | {"consents": both_consents(
        giver=CHILD, giver_capacity=GiverCapacity.NONE)}, "P10 P17"),
    ("fluctuating capacity", {"purpose": Purpose.ADULT_S42, **ADULT, **FLUCTUATING}, "P19"),
    ("an approval of another", {"item__seal__state": SealState.SEALED, "approvals": OVERRIDE}, "P23"),
    ("a release that is not valid", {"item__seal__state": SealState.SEALED, "approvals": (
        approval(ApprovalKind.OWNER_RELEASE, by_agency=THIRD),)}, "P23 P37"),
    ("a GP check of another category", {"purpose": Purpose.GP_PACKAGE_CHECK,
        "relationship__kind": RelationshipKind.REGISTERED_LIST}, "P09 P48"),
    ("a product of another agency's closed episode", PRODUCT | {
        "episode__closed_at": NOW, "recipient__agency_type": AgencyType.POLICE}, "P41"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "rules"), pairs(REFUSED))
def test_a_refusal_names_the_rules_that_refuse_and_no_other(changes: dict[str, Any], rules: str) -> None:
    decision = ask(**changes)
    assert not decision.fields
    assert set(decision.rules) == set(rules.split())


LIFTED = [
    ("fluctuating capacity", {"purpose": Purpose.ADULT_S42, **ADULT, **FLUCTUATING, "consents": (by_self(),)}),
    ("an adult's refusal", {"purpose": Purpose.ADULT_S42, **ADULT, "consents": (by_self(ConsentState.REFUSED),)}),
    ("a dispute", {"purpose": Purpose.EARLY_HELP, "consents": both_consents(ConsentState.DISPUTED)}),
    ("a claimed relationship", {"relationship__kind": RelationshipKind.SELF_CLAIMED}),
    ("no agreement below the threshold", {"purpose": Purpose.LADO, "agreements": ()}),
    ("a sensitive service below the threshold", {
        "purpose": Purpose.LADO, "item__category": DataCategory.MENTAL_HEALTH}),
    ("competence not assessed", {
        "purpose": Purpose.LADO, "item__category": DataCategory.MENTAL_HEALTH,
        "subject__date_of_birth": born(2012, 1, 1)}),
]  # fmt: skip


@pytest.mark.parametrize("changes", pairs(LIFTED))
def test_break_glass_lifts_each_finding_that_may_be_lifted(changes: dict[str, Any]) -> None:
    assert not ask(**changes).fields
    decision = ask(**changes, break_glass=EMERGENCY)
    assert (len(decision.fields), Obligation.RETRO_REVIEW in decision.obligations) == (3, True)


def test_nobody_is_told_or_kept_from_knowing_when_a_partner_did_not_answer_a_marac() -> None:
    duties = set(ask(purpose=Purpose.MARAC, connector__state=ConnectorState.NOT_REACHED).obligations)
    assert not duties & {Obligation.INFORM_SUBJECT, Obligation.DO_NOT_INFORM}
    assert Obligation.ROUTE_HUMAN in duties
