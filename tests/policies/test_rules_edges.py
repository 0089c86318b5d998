"""Edges on which a decision turns: the very moment, the thirteenth rule, the approval that is not valid."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from policies import Scope
from policies.decide import _at_most_twelve
from policies.rules import RULES
from policies.rules.facts import Facts, Occasion
from policies.rules.positions import position
from policies.vocabulary import (
    AgencyType,
    ApprovalKind,
    Circumstance,
    ConsentKind,
    ConsentState,
    DataCategory,
    FieldKind,
    GiverCapacity,
    InformChoice,
    LegalStatus,
    Obligation,
    Outcome,
    Purpose,
    ReasonCode,
    RelationshipKind,
    Role,
    SubjectFlag,
)
from tests.policies.build import (
    BASE,
    CSC,
    EARLY_HELP,
    NOW,
    OWN,
    SCREENING,
    agreement,
    approval,
    ask,
    both_consents,
    changed,
    consent,
    decided,
    fields,
    pairs,
)

GENERAL = ["P02", "P03", "P04", "P05", "P09"]


def test_of_more_than_twelve_rules_the_particular_ones_stay_then_the_general_ones_in_their_order() -> None:
    assert _at_most_twelve(["P12", "P03", "P12"]) == ("P03", "P12")
    twelve = sorted(set(RULES) - set(GENERAL))[:12]
    assert _at_most_twelve(twelve) == tuple(twelve)
    assert _at_most_twelve([*GENERAL, *twelve[:7]]) == tuple(sorted([*GENERAL, *twelve[:7]]))
    assert _at_most_twelve([*GENERAL, *twelve[:8]]) == tuple(sorted(["P03", "P04", "P09", "P05", *twelve[:8]]))
    assert _at_most_twelve([*twelve, "P49", *GENERAL]) == tuple(twelve)


CUTS: list[tuple[str, dict[str, Any], str]] = [
    ("somebody else", {"item__fields": fields(FieldKind.STATUS, FieldKind.THIRD_PARTY)}, "P29"),
    ("who referred", {"item__fields": fields(FieldKind.STATUS, FieldKind.REFERRER_IDENTITY)}, "P29"),
    ("intelligence", {"item__fields": fields(FieldKind.STATUS, FieldKind.INTELLIGENCE)}, "P25"),
    ("who they were", {"item__fields": fields(FieldKind.STATUS, FieldKind.FORMER_GENDER_IDENTITY)}, "P27"),
    ("a held marker", {"item__fields": fields(FieldKind.STATUS, FieldKind.HELD_MARKER)}, "P24"),
    ("safety, of whoever faces the perpetrator", {
        "item__fields": fields(FieldKind.STATUS, FieldKind.SAFETY_PLAN), "actor__perpetrator_facing": True}, "P32"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "rule"), pairs(CUTS))
def test_a_rule_that_cut_is_named_and_one_that_did_not_is_not(changes: dict[str, Any], rule: str) -> None:
    decision = ask(**changes)
    assert (decision.outcome, decision.fields, rule in decision.rules) == (Outcome.PERMIT_REDACTED, ("status",), True)
    assert rule not in ask(item__fields=fields(FieldKind.STATUS)).rules


def test_an_answer_counts_from_the_very_moment_that_it_was_given() -> None:
    for given_at, stands in ((NOW, "GIVEN"), (NOW.replace(microsecond=1), "MISSING")):
        facts = Facts(changed(BASE, consents=(consent(given_at=given_at),)))
        assert position(facts, ConsentKind.CONFIDENTIALITY).name == stands


@pytest.mark.parametrize("state", [ConsentState.NOT_SOUGHT_UNSAFE, ConsentState.NOT_OBTAINABLE])
def test_an_answer_on_file_that_is_none_is_explained_like_no_answer(state: ConsentState) -> None:
    facts = Facts(changed(BASE, consents=(consent(state),)))
    assert position(facts, ConsentKind.CONFIDENTIALITY)[:2] == ("MISSING", "P10")


@pytest.mark.parametrize("purpose", [Purpose.S47_ENQUIRY, Purpose.LADO])
def test_a_one_off_that_is_not_valid_is_named_where_it_was_presented(purpose: Purpose) -> None:
    unverified = approval(ApprovalKind.ONE_OFF, call_back_verified=False)
    assert "P37" in ask(agreements=(), purpose=purpose, approvals=(unverified,)).rules
    assert "P37" not in ask(agreements=(), purpose=purpose).rules


def test_whoever_looks_for_audit_writes_down_why_whatever_the_role_and_the_category() -> None:
    own = OWN | {"purpose": Purpose.IG_AUDIT, "actor__role": Role.DPO, "recipient__role": Role.DPO}
    for category in (DataCategory.HOUSING, DataCategory.AUDIT_METADATA):
        decision = ask(**own, actor__agency=CSC, item__category=category)
        assert Obligation.LOG_RATIONALE in decision.obligations
        assert "P43" in decision.rules


def test_a_release_for_a_crime_opens_the_fields_that_it_lists_and_no_other() -> None:
    asked: dict[str, Any] = {
        "purpose": Purpose.CRIME,
        "owner__agency_type": AgencyType.HOUSING_AUTHORITY,
        "circumstances": frozenset({Circumstance.SERIOUS_CRIME}),
    }
    listed = approval(ApprovalKind.OWNER_RELEASE, fields=frozenset({"status"}))
    decision = ask(**asked, approvals=(listed,))
    assert (decision.outcome, decision.fields, "P38" in decision.rules) == (Outcome.PERMIT_REDACTED, ("status",), True)
    assert len(ask(**asked, approvals=(approval(ApprovalKind.OWNER_RELEASE),)).fields) == 3


def test_every_occasion_is_a_bit_of_its_own() -> None:
    bits = [value for name, value in vars(Occasion).items() if not name.startswith("_")]
    assert sorted(bits) == [1 << n for n in range(len(bits))]


@pytest.mark.parametrize(("purpose", "told"), [(Purpose.ADULT_CARE_ASSESSMENT, True), (Purpose.LADO, False)])
def test_the_person_is_told_where_the_authority_said_yes_for_them_and_only_where_that_counted(
    purpose: Purpose, told: bool
) -> None:
    decision = ask(
        purpose=purpose,
        subject__legal_status=LegalStatus.C1,
        episode__threshold=None,
        episode__consent_decision=decided(ConsentState.GIVEN_EXPLICIT),
        consents=(consent(giver="US-authority", giver_capacity=GiverCapacity.LA_WITH_PR),),
    )
    assert decision.outcome == Outcome.PERMIT
    assert (Obligation.INFORM_SUBJECT in decision.obligations) == told


def test_a_refusal_of_early_help_is_recorded_and_the_reason_for_asking_is_kept() -> None:
    decision = ask(purpose=Purpose.EARLY_HELP, consents=both_consents(ConsentState.REFUSED))
    assert decision.outcome == Outcome.DENY
    assert {Obligation.RECORD_REFUSAL, Obligation.LOG_RATIONALE} <= set(decision.obligations)


def test_who_is_kept_in_the_dark_for_a_reason_is_not_told_because_the_authority_said_yes() -> None:
    quiet = decided(
        ConsentState.NOT_SOUGHT_UNSAFE,
        inform=InformChoice.DO_NOT_INFORM,
        inform_reason=ReasonCode.RISK_TO_ANYONE,
        inform_owner="US-1",
    )
    named = Scope(categories=frozenset({DataCategory.SUBSTANCE_MISUSE}))
    decision = ask(
        subject__legal_status=LegalStatus.C1,
        item__category=DataCategory.SUBSTANCE_MISUSE,
        episode__consent_decision=quiet,
        consents=(consent(giver="US-authority", giver_capacity=GiverCapacity.LA_WITH_PR, scope=named),),
    )
    assert decision.fields
    assert Obligation.DO_NOT_INFORM in decision.obligations
    assert Obligation.INFORM_SUBJECT not in decision.obligations


@pytest.mark.parametrize(
    ("role", "kind", "outcome"),
    [
        (Role.SOCIAL_WORKER, RelationshipKind.ASSIGNED_EPISODE, Outcome.REFER),
        (Role.EDT_WORKER, RelationshipKind.CASELOAD, Outcome.REFER),
        (Role.SOCIAL_WORKER, RelationshipKind.CASELOAD, Outcome.PERMIT),
    ],
)
def test_inside_the_agency_only_the_allocated_social_worker_sees_where_a_shielded_child_is(
    role: Role, kind: RelationshipKind, outcome: Outcome
) -> None:
    decision = ask(
        **OWN,
        recipient__role=role,
        relationship__kind=kind,
        subject__flags=frozenset({SubjectFlag.SHIELDED}),
        item__fields=fields(FieldKind.WHEREABOUTS),
    )
    assert decision.outcome == outcome


@pytest.mark.parametrize(("late_s", "outcome"), [(0, Outcome.PERMIT), (1, Outcome.REFER)])
def test_a_decision_about_consent_counts_from_the_very_moment_that_it_was_made(late_s: int, outcome: Outcome) -> None:
    made = decided(
        ConsentState.NOT_SOUGHT_NOT_REQUIRED,
        decided_at=NOW + timedelta(seconds=late_s),
        reason_code=ReasonCode.INFORM_NOT_ASK,
    )
    assert ask(**SCREENING, episode__consent_decision=made).outcome == outcome


@pytest.mark.parametrize(("given_on", "rule", "other"), [((9, 1), "P18", "P17"), ((10, 1), "P17", "P18")])
def test_a_parents_yes_from_before_the_eighteenth_birthday_is_told_from_one_of_that_day(
    given_on: tuple[int, int], rule: str, other: str
) -> None:
    day, month = given_on
    yes = both_consents(given_at=datetime(2026, month, day, 12, tzinfo=UTC))
    decision = ask(**EARLY_HELP | {"consents": yes}, subject__date_of_birth=date(2008, 1, 10))
    assert decision.outcome == Outcome.DENY
    assert rule in decision.rules
    assert other not in decision.rules


@pytest.mark.parametrize(("begins_in", "outcome"), [(0, Outcome.REFER), (1, Outcome.PERMIT)])
def test_the_next_version_takes_the_place_of_the_one_before_on_the_very_day_it_begins(
    begins_in: int, outcome: Outcome
) -> None:
    narrower = agreement(version=9, effective_from=NOW.date() + timedelta(days=begins_in), clauses=())
    assert ask(agreements=(*BASE.agreements, narrower)).outcome == outcome


def test_a_one_off_asks_for_the_reason_also_where_nothing_else_does() -> None:
    one_off = {"agreements": (), "approvals": (approval(ApprovalKind.ONE_OFF),)}
    decision = ask(**EARLY_HELP | one_off)
    assert decision.outcome == Outcome.PERMIT, decision
    assert Obligation.LOG_RATIONALE in decision.obligations
