"""P22 to P31 and P49: what an item's nature and its owner demand, whoever asks."""

from typing import Any

import pytest

from policies import BreakGlass, Intelligence, Relationship, Scope, Seal
from policies.vocabulary import (
    AccessMode,
    ApprovalKind,
    ConsentState,
    DataCategory,
    FieldKind,
    HandlingCode,
    ItemForm,
    Obligation,
    Purpose,
    RelationshipKind,
    Role,
    SealState,
    StatutoryGateway,
    SubjectFlag,
)
from tests.policies.build import (
    CHILD,
    DAY,
    HOUR,
    NOW,
    OWN,
    SCREENING,
    agreement,
    approval,
    ask,
    basis,
    clause,
    consent,
    decided,
    fields,
    kinds_shown,
    pairs,
)

RELEASE = (approval(ApprovalKind.OWNER_RELEASE),)
SOME = (approval(ApprovalKind.OWNER_RELEASE, fields=frozenset({"status"})),)
SUBSTANCE = frozenset({DataCategory.SUBSTANCE_MISUSE})
NAMED = Scope(categories=SUBSTANCE)
ALLOWED_SCREENING = SCREENING | {"episode__consent_decision": decided(ConsentState.BEST_INTERESTS)}
DECISION_MAKER = {"actor__role": Role.MASH_DECISION_MAKER, "recipient__role": Role.MASH_DECISION_MAKER}
MARKER = {"item__fields": fields(FieldKind.HELD_MARKER)}
SHIELDED = {"subject__flags": frozenset({SubjectFlag.SHIELDED})}
HIDDEN = SHIELDED | {"item__category": DataCategory.ADDRESS_SHIELDED, "item__fields": fields(FieldKind.WHEREABOUTS)}
NAMED_ROLE = {"agreements": (agreement(clause(shield_reveal_roles=frozenset({Role.MASH_SOCIAL_WORKER}))),)}
EMERGENCY = BreakGlass(declared_at=NOW - HOUR, reason="Child seen on the railway bridge now", imminent_risk=True)

SENSITIVE = [
    ("below the threshold", ALLOWED_SCREENING, "DENY", set()),
    ("below the threshold, released", ALLOWED_SCREENING | {"approvals": RELEASE}, "DENY", set()),
    ("blanket consent below the threshold", ALLOWED_SCREENING | {"consents": (consent(),)}, "DENY", set()),
    ("specific consent that was withdrawn", ALLOWED_SCREENING | {
        "consents": (consent(ConsentState.WITHDRAWN, scope=NAMED),)}, "DENY", set()),
    ("direct care without consent that names it", {"purpose": Purpose.DIRECT_CARE}, "DENY", set()),
    ("the threshold alone", {}, "REFER", set()),
    ("released by another agency", {"approvals": (
        approval(ApprovalKind.OWNER_RELEASE, by_agency="AG-third"),)}, "REFER", set()),
    ("threshold and released seal", {"item__seal__state": SealState.RELEASED}, "PERMIT", {"STATUS", "RISK", "CONTACT"}),
    ("threshold and release", {"approvals": RELEASE}, "PERMIT", {"STATUS", "RISK", "CONTACT"}),
    ("threshold and release of one field", {"approvals": SOME}, "PERMIT_REDACTED", {"STATUS"}),
    ("specific consent", ALLOWED_SCREENING | {"consents": (consent(scope=NAMED),)}, "PERMIT",
     {"STATUS", "RISK", "CONTACT"}),
    ("specific consent, a release lists less", {"consents": (consent(scope=NAMED),), "approvals": SOME}, "PERMIT",
     {"STATUS", "RISK", "CONTACT"}),
    ("a statutory review", {
        "purpose": Purpose.STATUTORY_REVIEW, "recipient__role": Role.STATUTORY_REVIEWER}, "PERMIT",
     {"STATUS", "RISK", "CONTACT"}),
    ("the own agency", OWN, "PERMIT", {"STATUS", "RISK", "CONTACT"}),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome", "shown"), pairs(SENSITIVE))
def test_sensitive_services_open_by_name_or_by_the_owner(
    changes: dict[str, Any], outcome: str, shown: set[str]
) -> None:
    decision = ask(item__category=DataCategory.SUBSTANCE_MISUSE, **changes)
    assert (decision.outcome, kinds_shown(decision)) == (outcome, shown)
    if outcome in ("DENY", "REFER"):
        assert "P22" in decision.rules
    review = changes.get("purpose") == Purpose.STATUTORY_REVIEW
    by_threshold = outcome != "DENY" and not changes.keys() & {"consents", "episode__threshold", "owner__basis"}
    assert (Obligation.NO_EXPORT in decision.obligations) is (review or by_threshold)


def test_treatment_and_narrative_of_a_sensitive_service_pass_in_no_case() -> None:
    told = fields(FieldKind.TREATMENT, FieldKind.NARRATIVE)
    for changes in ({"approvals": RELEASE}, {"consents": (consent(scope=NAMED),)}):
        decision = ask(item__category=DataCategory.SUBSTANCE_MISUSE, item__fields=told, **changes)
        assert (decision.outcome, decision.rules) == ("DENY", ("P22",))


OVERDUE = Seal(state=SealState.SEALED, due_at=NOW)
SEALS = [
    ("sealed", {"item__seal__state": SealState.SEALED}, "REFER", None),
    ("research not yet released", {"item__form": ItemForm.AGENCY_RESEARCH}, "REFER", None),
    ("overdue", {"item__seal": OVERDUE}, "REFER", "NOT_REACHED"),
    ("sealed and released", {"item__seal__state": SealState.SEALED, "approvals": RELEASE}, "PERMIT", None),
    ("overdue, yet released", {"item__seal": OVERDUE, "approvals": RELEASE}, "PERMIT", None),
    ("research, released seal", {
        "item__form": ItemForm.AGENCY_RESEARCH, "item__seal__state": SealState.RELEASED}, "PERMIT", None),
    ("an open record", {}, "PERMIT", None),
    ("the own agency's", {"item__seal__state": SealState.SEALED, **OWN}, "PERMIT", None),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome", "answer"), pairs(SEALS))
def test_sealed_items_wait_for_their_owner(changes: dict[str, Any], outcome: str, answer: str | None) -> None:
    decision = ask(**changes)
    assert (decision.outcome, decision.answer) == (outcome, answer)
    if outcome == "REFER":
        overdue = answer is not None
        assert ("P49" in decision.rules, "P23" in decision.rules) == (overdue, True)
        assert (Obligation.ROUTE_HUMAN in decision.obligations) is overdue
        assert (Obligation.OWNER_RELEASE in decision.obligations) is not overdue


GROUNDS = Seal(
    state=SealState.WITHHELD, withheld_reason="Disclosure would endanger the informant", senior_sign_off=True
)
WITHHELD = [
    ("one word", Seal(state=SealState.WITHHELD, withheld_reason="no", senior_sign_off=True), {}, "REFER"),
    ("no senior", Seal(state=SealState.WITHHELD, withheld_reason=GROUNDS.withheld_reason), {}, "REFER"),
    ("with grounds, a navigator asks", GROUNDS, {}, "DENY_SILENT"),
    ("with grounds, the decision maker asks", GROUNDS, DECISION_MAKER, "DENY"),
    ("below the threshold no grounds are needed", Seal(state=SealState.WITHHELD), ALLOWED_SCREENING | {
        "recipient__basis": basis(gateways=frozenset({StatutoryGateway.CA2004_S10}))}, "DENY_SILENT"),
    ("below the threshold under the duty to share", Seal(state=SealState.WITHHELD), ALLOWED_SCREENING, "REFER"),
    ("the own agency's", Seal(state=SealState.WITHHELD), OWN, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("seal", "changes", "outcome"), pairs(WITHHELD))
def test_withholding_needs_grounds_where_there_is_a_duty_to_share(
    seal: Seal, changes: dict[str, Any], outcome: str
) -> None:
    decision = ask(item__seal=seal, **changes)
    assert (decision.outcome, outcome == "PERMIT" or "P49" in decision.rules) == (outcome, True)
    assert ("P24" in decision.rules) is (outcome == "DENY_SILENT")


@pytest.mark.parametrize(
    ("changes", "outcome", "shown"),
    pairs([
        ("a social worker", {}, "DENY_SILENT", set()),
        ("the decision maker", DECISION_MAKER, "INDICATOR_ONLY", {"HELD_MARKER"}),
        ("inside the owner agency", OWN, "INDICATOR_ONLY", {"HELD_MARKER"}),
        ("the decision maker, of a withheld item", DECISION_MAKER | {"item__seal": GROUNDS}, "INDICATOR_ONLY",
         {"HELD_MARKER"}),
        ("the decision maker, no clause names markers", DECISION_MAKER | {
            "agreements": (agreement(clause(field_kinds=frozenset({FieldKind.STATUS}))),)}, "INDICATOR_ONLY",
         {"HELD_MARKER"}),
    ]),
)  # fmt: skip
def test_the_held_marker_is_for_few(changes: dict[str, Any], outcome: str, shown: set[str]) -> None:
    decision = ask(**MARKER | changes)
    assert (decision.outcome, kinds_shown(decision), "P24" in decision.rules) == (outcome, shown, True)


def test_a_marker_among_other_fields_is_cut_for_those_it_is_not_for() -> None:
    mixed = fields(FieldKind.STATUS, FieldKind.HELD_MARKER)
    assert kinds_shown(ask(item__fields=mixed)) == {"STATUS"}
    assert kinds_shown(ask(item__fields=mixed, **DECISION_MAKER)) == {"STATUS", "HELD_MARKER"}


def test_a_product_is_signed_by_the_decision_maker_and_carries_no_intelligence() -> None:
    product = {"item__form": ItemForm.MASH_PRODUCT, "item__fields": fields(FieldKind.STATUS, FieldKind.INTELLIGENCE)}
    decision = ask(**product)
    assert (decision.outcome, decision.obligations) == ("REFER", ("SECOND_APPROVER",))
    assert kinds_shown(ask(**product, item__signed_off_by=Role.MASH_DECISION_MAKER)) == {"STATUS"}


P_CODE = Intelligence(code=HandlingCode.P, sanitised=True)
C_CODE = Intelligence(code=HandlingCode.C, sanitised=True, conditions_met=True)
CODE_C = (approval(ApprovalKind.CODE_C_RELEASE),)
INTELLIGENCE = [
    ("no code", {"item__intelligence": None}, "DENY_SILENT"),
    ("P, not sanitised", {"item__intelligence": Intelligence(code=HandlingCode.P, conditions_met=True)}, "DENY_SILENT"),
    ("C, nobody released", {"item__intelligence": C_CODE}, "DENY_SILENT"),
    ("C, an owner's release is another thing", {"item__intelligence": C_CODE, "approvals": RELEASE}, "DENY_SILENT"),
    ("C, conditions not met", {
        "item__intelligence": Intelligence(code=HandlingCode.C), "approvals": CODE_C}, "DENY_SILENT"),
    ("C, the decision maker", {"item__intelligence": C_CODE, **DECISION_MAKER}, "REFER"),
    ("P, for export", {"item__intelligence": P_CODE, "access__mode": AccessMode.EXPORT}, "DENY"),
    ("C, released", {"item__intelligence": C_CODE, "approvals": CODE_C}, "PERMIT"),
    ("P, sanitised", {"item__intelligence": P_CODE}, "PERMIT"),
    ("the own force's", {"item__intelligence": None, **OWN}, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome"), pairs(INTELLIGENCE))
def test_intelligence_is_cleared_or_not_there(changes: dict[str, Any], outcome: str) -> None:
    decision = ask(
        item__category=DataCategory.POLICE_INTELLIGENCE, item__fields=fields(FieldKind.INTELLIGENCE), **changes
    )
    assert decision.outcome == outcome
    if "owner__basis" not in changes:
        assert "P26" in decision.rules
        assert (Obligation.NO_EXPORT in decision.obligations) is (outcome in ("REFER", "PERMIT"))


BARRED = ["ADOPTION_SEALED", "GENDER_RECOGNITION_PROTECTED", "FERTILITY", "PROTECTED_PERSON", "LEGAL_PRIVILEGE"]


@pytest.mark.parametrize("category", BARRED)
@pytest.mark.parametrize("changes", [{}, OWN, DECISION_MAKER, {"break_glass": EMERGENCY}, {"approvals": RELEASE}])
def test_a_statutory_bar_is_silent_for_everybody(category: str, changes: dict[str, Any]) -> None:
    decision = ask(item__category=DataCategory(category), **changes)
    assert (decision.outcome, decision.rules) == ("DENY_SILENT", ("P27",))


def test_a_protected_person_is_nobody() -> None:
    protected = {"subject__flags": frozenset({SubjectFlag.PROTECTED_PERSON})}
    assert ask(**protected).outcome == ask(**protected, **OWN).outcome == "DENY_SILENT"


def test_barred_fields_are_cut_and_the_legal_team_is_told() -> None:
    old_name = fields(FieldKind.FORMER_GENDER_IDENTITY)
    decision = ask(item__fields=fields(FieldKind.STATUS) + old_name)
    assert (kinds_shown(decision), Obligation.ROUTE_HUMAN in decision.obligations) == ({"STATUS"}, True)
    assert ask(item__fields=old_name).outcome == "DENY_SILENT"


NOT_RELATED = {"relationship": Relationship()}
SHIELD = [
    ("an address search", SHIELDED | {"access__mode": AccessMode.SEARCH_ADDRESS}, "DENY_SILENT"),
    ("no relationship", SHIELDED | NOT_RELATED, "DENY_SILENT"),
    ("no relationship, break-glass", SHIELDED | NOT_RELATED | {"break_glass": EMERGENCY}, "DENY_SILENT"),
    ("fleeing, no relationship", NOT_RELATED | {"subject__flags": frozenset({SubjectFlag.FLEEING_DA})}, "DENY_SILENT"),
    ("the hidden address", HIDDEN, "REFER"),
    ("an item of whereabouts only", SHIELDED | {"item__fields": fields(FieldKind.WHEREABOUTS)}, "REFER"),
    ("the hidden address, break-glass", HIDDEN | {"break_glass": EMERGENCY, "agreements": ()}, "REFER"),
    ("the hidden address, own agency, not on the caseload", HIDDEN | OWN, "REFER"),
    ("the hidden address, a named role", HIDDEN | NAMED_ROLE, "PERMIT"),
    ("the hidden address, the allocated social worker", HIDDEN | OWN | {
        "recipient__role": Role.SOCIAL_WORKER, "relationship__kind": RelationshipKind.CASELOAD}, "PERMIT"),
    ("ordinary facts", SHIELDED, "PERMIT"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "outcome"), pairs(SHIELD))
def test_shielded_people_stay_hidden(changes: dict[str, Any], outcome: str) -> None:
    decision = ask(**changes)
    assert (decision.outcome, "P28" in decision.rules) == (outcome, True)
    shown_hidden = outcome == "PERMIT" and "item__fields" in changes
    duties = {"VIEW_ONCE", "NO_EXPORT", "IG_ALERT"}
    assert (duties <= set(decision.obligations)) is shown_hidden
    assert (Obligation.BROKER_CONTACT in decision.obligations) is (outcome == "REFER")


def test_whereabouts_of_a_shielded_person_are_cut_from_other_items_even_for_a_named_role() -> None:
    mixed = {"item__fields": fields(FieldKind.STATUS, FieldKind.WHEREABOUTS)}
    assert kinds_shown(ask(**SHIELDED, **mixed, **NAMED_ROLE)) == {"STATUS"}
    assert kinds_shown(ask(**SHIELDED, **mixed, **OWN)) == {"STATUS"}
    assert kinds_shown(ask(**mixed)) == {"STATUS", "WHEREABOUTS"}


AGENDA = Relationship(kind=RelationshipKind.PANEL_AGENDA, persons=frozenset({CHILD}), valid_from=NOW - DAY)


@pytest.mark.parametrize(("category", "purpose"), [("MAPPA", "MAPPA"), ("MARAC_DA", "MARAC")])
def test_panel_material_stays_in_its_process(category: str, purpose: str) -> None:
    item = {"item__category": DataCategory(category)}
    for changes in ({}, {"relationship": AGENDA}, {"purpose": Purpose(purpose)}):
        decision = ask(**item, **changes)
        assert (decision.outcome, decision.rules) == ("DENY", ("P30",))
        assert Obligation.BROKER_CONTACT in decision.obligations
    assert ask(**item, purpose=Purpose(purpose), relationship=AGENDA).outcome == "PERMIT"


def test_a_court_says_for_which_proceedings() -> None:
    item = {"item__category": DataCategory.COURT_RESTRICTED}
    assert ask(**item).outcome == ask(**item, item__court_permission_for=Purpose.CRIME).outcome == "REFER"
    permitted = ask(**item, item__court_permission_for=Purpose.S47_ENQUIRY)
    assert (permitted.outcome, Obligation.NO_EXPORT in permitted.obligations) == ("PERMIT", True)


def test_a_released_part_of_a_sealed_item_is_all_that_is_shown() -> None:
    assert kinds_shown(ask(item__seal__state=SealState.SEALED, approvals=SOME)) == {"STATUS"}
