"""A version keeps what its parties signed; whatever alters that is a new version, signed again (rule P04)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from policies import SharingAgreement, decide, gateway_register, load_agreements
from policies.life_cycle import MOVES, PARTY_MOVES, WHY, agreed, move_refused, new_version, refusals, substantive
from policies.tried import GRANTS
from policies.vocabulary import (
    AgreementStatus,
    Article6Basis,
    BragRating,
    DataCategory,
    DataRole,
    PartyRole,
    PartyStatus,
    Role,
)
from policies.worked import load_agencies, load_cases, request_for

POLICIES = Path(__file__).parents[2] / "policies"
SEEDED = {one.reference: one for one in load_agreements(POLICIES / "agreements")}
OTHER = frozenset({DataCategory.FINANCE})
HELP = SEEDED["THORN-EARLY-HELP"]
LATER = date(2027, 3, 31)


def headed(one: SharingAgreement = HELP, **changes: Any) -> SharingAgreement:
    return replace(one, head=replace(one.head, **changes))


def party(one: SharingAgreement, **changes: Any) -> SharingAgreement:
    return headed(one, parties=(replace(one.parties[0], **changes), *one.parties[1:]))


def wider(one: SharingAgreement = HELP, **changes: Any) -> SharingAgreement:
    return headed(one, clauses=(replace(one.clauses[0], **changes), *one.clauses[1:]))


def rebased(one: SharingAgreement = HELP, **changes: Any) -> SharingAgreement:
    first = one.bases[0]
    return replace(one, bases=(replace(first, basis=replace(first.basis, **changes)), *one.bases[1:]))


@pytest.mark.parametrize(("before", "after"), sorted(set(product(AgreementStatus, AgreementStatus)) - set(MOVES)))
def test_a_move_that_is_not_in_the_table_is_refused_whoever_asks(
    before: AgreementStatus, after: AgreementStatus
) -> None:
    for role in Role:
        refused = move_refused(headed(status=before), after, role)
        assert refused is not None
        assert refused.startswith(f"THORN-EARLY-HELP version 1 is {before}")
        assert refused.endswith(".")


@pytest.mark.parametrize("move", MOVES)
def test_a_move_of_the_table_is_for_its_roles_only(move: tuple[AgreementStatus, AgreementStatus]) -> None:
    for role in Role:
        refused = move_refused(headed(status=move[0]), move[1], role)
        assert (refused is None) == (role in MOVES[move]), (role, refused)


@pytest.mark.parametrize("ended", [AgreementStatus.EXPIRED, AgreementStatus.TERMINATED])
def test_nothing_brings_an_ended_version_back(ended: AgreementStatus) -> None:
    assert not [move for move in MOVES if move[0] == ended]
    assert "needs a new version" in str(move_refused(headed(status=ended), AgreementStatus.ACTIVE, Role.DPO))


def test_whoever_knows_the_work_best_can_stop_sharing_but_not_begin_it() -> None:
    assert move_refused(HELP, AgreementStatus.SUSPENDED, Role.IG_OFFICER) is None
    stopped = headed(status=AgreementStatus.SUSPENDED)
    assert "IG_OFFICER may not" in str(move_refused(stopped, AgreementStatus.ACTIVE, Role.IG_OFFICER))


@pytest.mark.parametrize("signed", [(), (PartyRole.DISCLOSER,), (PartyRole.RECIPIENT,)])
def test_nothing_becomes_active_before_a_discloser_and_a_recipient_have_signed(signed: tuple[PartyRole, ...]) -> None:
    roles = (PartyRole.DISCLOSER, PartyRole.RECIPIENT)
    parties = tuple(
        replace(one, role=role, status=PartyStatus.SIGNED if role in signed else PartyStatus.NOT_SIGNED)
        for one, role in zip(HELP.parties, roles, strict=False)
    )
    waiting = headed(status=AgreementStatus.IN_SIGNING, parties=parties)
    assert "not signed by" in str(move_refused(waiting, AgreementStatus.ACTIVE, Role.DPO))


SUBSTANCE: list[tuple[str, SharingAgreement]] = [
    ("effective_from", headed(effective_from=LATER)),
    ("expires_on", headed(expires_on=LATER)),
    ("expires_on", headed(expires_on=None)),
    ("review", headed(review=date(2028, 3, 31))),
    ("dpia_reference", headed(dpia_reference="DPIA-OTHER")),
    ("parties", headed(parties=HELP.parties[:-1])),
    ("parties", party(HELP, role=PartyRole.DISCLOSER)),
    ("clauses.categories", wider(categories=HELP.clauses[0].categories | {DataCategory.FINANCE})),
    ("clauses.lookback_months", wider(lookback_months=3)),
    ("clauses.onward_to", wider(onward_to=frozenset({"police"}))),
    ("clauses", headed(clauses=HELP.clauses[1:])),
    ("clauses", headed(clauses=(*HELP.clauses, replace(HELP.clauses[0], lookback_months=1)))),
    ("bases.art6", rebased(art6=Article6Basis.LEGAL_OBLIGATION)),
    ("bases.apd", rebased(apd=False)),
    ("bases", replace(HELP, bases=HELP.bases[1:])),
    (
        "response_targets.hours",
        headed(SEEDED["THORN-MASH"], response_targets=tuple(
            replace(one, hours=one.hours + 1) if one.brag == BragRating.RED else one
            for one in SEEDED["THORN-MASH"].head.response_targets
        )),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("where", "after"), SUBSTANCE, ids=[f"{n}-{one[0]}" for n, one in enumerate(SUBSTANCE)])
def test_a_change_of_what_was_agreed_is_a_new_version_in_signing(where: str, after: SharingAgreement) -> None:
    before = SEEDED[after.reference]
    (change,) = substantive(before, after)
    assert (change.where, change.new_version) == (where, True)
    assert change.why in WHY.values()
    assert f"needs a new version and new signatures, because {change.why}." in str(change)
    assert any(
        f"write it as version {before.version + 1}, IN_SIGNING" in one for one in refusals(before, after, Role.DPO)
    )
    renewed = new_version(before, after)
    assert (renewed.version, renewed.status) == (before.version + 1, AgreementStatus.IN_SIGNING)
    assert {one.status for one in renewed.parties} == {PartyStatus.NOT_SIGNED}
    assert list(refusals(before, renewed, Role.DPO)) == []


STANDING: list[tuple[str, SharingAgreement]] = [
    ("title", headed(title="Help, early")),
    ("status", headed(status=AgreementStatus.SUSPENDED)),
    ("parties.csc", party(HELP, status=PartyStatus.WITHDRAWN)),
    ("parties.csc", party(HELP, signatory="Director of Children and Families")),
]


@pytest.mark.parametrize(("where", "after"), STANDING)
def test_a_move_a_title_and_a_withdrawal_need_no_new_version(where: str, after: SharingAgreement) -> None:
    (change,) = substantive(HELP, after)
    assert (change.where, change.new_version) == (where, False)
    assert "needs no new version" in str(change)
    assert new_version(HELP, after) is after
    assert list(refusals(HELP, after, Role.DPO)) == []


def test_a_change_is_one_of_substance_exactly_when_what_was_agreed_differs() -> None:
    for _, after in SUBSTANCE + STANDING:
        before = SEEDED[after.reference]
        assert any(one.new_version for one in substantive(before, after)) == (agreed(before) != agreed(after))


def test_a_draft_changes_freely_until_somebody_signed_it() -> None:
    unsigned = tuple(replace(one, status=PartyStatus.NOT_SIGNED) for one in HELP.parties)
    draft = headed(status=AgreementStatus.DRAFT, parties=unsigned)
    assert list(refusals(draft, wider(draft, lookback_months=3), Role.IG_OFFICER)) == []
    for signed in (wider(party(draft, status=PartyStatus.SIGNED), lookback_months=3), wider(HELP, lookback_months=3)):
        assert any("may not change under its signatures" in one for one in refusals(draft, signed, Role.DPO))


def test_the_order_in_a_file_is_no_change() -> None:
    turned = headed(clauses=HELP.clauses[::-1], parties=HELP.parties[::-1])
    assert substantive(HELP, replace(turned, bases=HELP.bases[::-1])) == ()


@pytest.mark.parametrize(("was", "then"), sorted(set(product(PartyStatus, PartyStatus)) - PARTY_MOVES))
def test_a_party_does_not_come_back_within_a_version(was: PartyStatus, then: PartyStatus) -> None:
    found = list(refusals(party(HELP, status=was), party(HELP, status=then), Role.DPO))
    assert found == (
        [] if was == then else [f"csc is {was} and cannot become {then} in this version; that needs a new one."]
    )


REPLACED: list[tuple[Callable[[SharingAgreement], SharingAgreement], str]] = [
    (lambda one: headed(one, version=3), "comes version 2, not 3"),
    (lambda one: headed(one, status=AgreementStatus.ACTIVE), "begins as DRAFT or IN_SIGNING, not ACTIVE"),
    (lambda one: headed(one, parties=HELP.parties), "csc signed version 1 on that day, not this one"),
]


@pytest.mark.parametrize(("spoil", "why"), REPLACED)
def test_a_new_version_that_skips_its_signing_is_refused(
    spoil: Callable[[SharingAgreement], SharingAgreement], why: str
) -> None:
    good = new_version(HELP, wider(lookback_months=3))
    assert any(why in one for one in refusals(HELP, spoil(good), Role.DPO))


def test_two_agreements_are_not_two_versions() -> None:
    with pytest.raises(ValueError, match="two agreements"):
        substantive(HELP, SEEDED["THORN-MASH"])


#: Something that the early help agreement lets pass, and what its standing must be for that.
PASSES = next(case for case in load_cases(POLICIES / "cases" / "early-help.toml") if case.outcome in GRANTS)
AGENCIES = load_agencies(POLICIES / "cases" / "agencies" / "demo.toml")
GATEWAYS = gateway_register(POLICIES / "gateways.toml")


def shown_under(*versions: SharingAgreement, on: date = PASSES.on) -> bool:
    """Is it shown on this day, with these versions in the folder?"""
    return decide(request_for(replace(PASSES, on=on), AGENCIES, versions, GATEWAYS)).outcome in GRANTS


@pytest.mark.parametrize("status", AgreementStatus)
def test_only_an_active_version_lets_anything_pass(status: AgreementStatus) -> None:
    assert shown_under(headed(status=status)) == (status == AgreementStatus.ACTIVE)


@pytest.mark.parametrize("status", PartyStatus)
@pytest.mark.parametrize("side", [PASSES.owner, PASSES.recipient])
def test_a_party_that_is_suspended_or_withdraws_ends_the_flow_at_the_next_decision(
    side: str, status: PartyStatus
) -> None:
    parties = tuple(replace(one, status=status) if one.agency == side else one for one in HELP.parties)
    assert shown_under(headed(parties=parties)) == (status == PartyStatus.SIGNED)


@pytest.mark.parametrize("side", [PASSES.owner, PASSES.recipient])
@pytest.mark.parametrize("role", PartyRole)
def test_a_discloser_receives_nothing_and_a_recipient_discloses_nothing(side: str, role: PartyRole) -> None:
    parties = tuple(replace(one, role=role) if one.agency == side else one for one in HELP.parties)
    needed = PartyRole.DISCLOSER if side == PASSES.owner else PartyRole.RECIPIENT
    assert shown_under(headed(parties=parties)) == (role in (needed, PartyRole.BOTH))


@pytest.mark.parametrize(
    ("on", "shown"),
    [("2025-03-31", False), ("2025-04-01", True), ("2028-03-31", True), ("2028-04-01", False)],
)
def test_it_holds_from_its_first_to_its_last_day_whatever_the_file_still_says(on: str, shown: bool) -> None:
    assert shown_under(HELP, on=date.fromisoformat(on)) == shown


def test_a_newer_version_takes_over_on_its_day_and_not_while_it_is_being_signed() -> None:
    narrower = headed(version=2, clauses=HELP.clauses[1:2], effective_from=PASSES.on)
    assert shown_under(HELP, headed(narrower, effective_from=date(2026, 6, 17)))
    dropped = headed(narrower, clauses=tuple(replace(c, categories=OTHER) for c in narrower.clauses))
    assert not shown_under(HELP, dropped)
    for status in (AgreementStatus.DRAFT, AgreementStatus.IN_SIGNING):
        assert shown_under(HELP, headed(dropped, status=status))


def test_a_processor_or_a_joint_controller_is_a_new_version() -> None:
    changed = substantive(HELP, party(HELP, data_role=DataRole.JOINT_CONTROLLER))
    assert [(one.where, one.new_version) for one in changed] == [("parties", True)]
    assert (
        new_version(HELP, party(HELP, data_role=DataRole.JOINT_CONTROLLER)).parties[0].data_role == "JOINT_CONTROLLER"
    )


def test_terms_are_signed_for_and_an_agreement_without_them_keeps_its_signatures() -> None:
    bare = headed(terms=(), parties=tuple(replace(one, data_role=None) for one in HELP.parties))
    assert "terms" not in agreed(bare)
    assert agreed(bare)["parties"][0] == ["csc", "BOTH"]
    assert {one.where for one in substantive(bare, headed(bare, terms=HELP.head.terms))} == {"terms"}
