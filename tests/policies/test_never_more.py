"""What may never show more: one more ground to refuse, one fact less, another order; and what nothing opens."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import Agreement, DecisionRequest, Seal, decide
from policies.vocabulary import (
    AccountKind,
    AgreementStatus,
    ApprovalKind,
    Authentication,
    BragRating,
    Conflict,
    ConnectorState,
    DataCategory,
    Employment,
    FieldKind,
    MatchState,
    Outcome,
    RelationshipKind,
    RelationToIndex,
    Role,
    SealState,
    SubjectFlag,
)
from tests.policies.build import agreement, approval, changed, clause
from tests.policies.test_properties import (
    APPROVALS,
    BARRED,
    BUILT,
    CLOSING_FLAGS,
    CONSENTS,
    GIVEN_CASES,
    QUICK,
    REFUSALS,
    some,
)

#: Most built requests are refused, and what is refused cannot show less: the cases that show something come often.
SHOWING = st.sampled_from([one for one in GIVEN_CASES if decide(one).fields])
REQUESTS = st.one_of(SHOWING, SHOWING, BUILT)
#: For what is slow to draw.
FEWER = settings(QUICK, max_examples=60)
Change = Callable[[DecisionRequest], DecisionRequest]


def to(**changes: Any) -> Change:
    return lambda request: changed(request, **changes)


def in_episode(**changes: Any) -> Change:
    return lambda request: request if request.episode is None else changed(request, **changes)


def tie(conflict: Conflict) -> Change:
    return lambda request: changed(request, actor__conflicts=request.actor.conflicts | {conflict})


def flag(one: SubjectFlag) -> Change:
    """The flag, before a user who is not of the team that a locked case is assigned to."""
    return lambda request: changed(request, subject__flags=request.subject.flags | {one}, actor__on_assigned_team=False)


def own_approval(request: DecisionRequest) -> DecisionRequest:
    mine = approval(ApprovalKind.SAR_RELEASE, by=request.actor.id, given_at=request.now)
    return replace(request, approvals=(*request.approvals, mine))


FORBIDS: dict[str, Change] = {
    **{f"tie {one}": tie(one) for one in Conflict},
    **{f"flag {one}": flag(one) for one in CLOSING_FLAGS},
    "a weak sign-in": to(actor__authentication=Authentication.WEAK),
    "a shared account": to(actor__account=AccountKind.SHARED),
    "a worker who left": to(actor__employment=Employment.ENDED),
    "a claimed relationship": to(relationship__kind=RelationshipKind.SELF_CLAIMED),
    "no concern of this enquiry": to(subject__relation_to_index=RelationToIndex.OTHER),
    "a withheld item": to(item__seal=Seal(state=SealState.WITHHELD)),
    "one's own approval": own_approval,
    "a blue contact": in_episode(episode__brag=BragRating.BLUE),
    "a perpetrator-facing worker": to(actor__perpetrator_facing=True),
    "an administrator": to(actor__role=Role.SYSTEM_ADMIN),
}


@QUICK
@given(REQUESTS, st.lists(st.sampled_from(sorted(FORBIDS)), min_size=1, max_size=3))
def test_a_ground_to_refuse_never_shows_more_whatever_was_there_before(
    request: DecisionRequest, names: list[str]
) -> None:
    # Break-glass lifts a ground and then shows emergency kinds under review; without it no ground opens anything.
    request = replace(request, break_glass=None)
    before = decide(request)
    for name in names:
        request = FORBIDS[name](request)
    after = decide(request)
    assert set(after.fields) <= set(before.fields)
    assert before.outcome not in REFUSALS or after.outcome in REFUSALS


def only_where(holds: Callable[[DecisionRequest], bool], change: Change) -> Change:
    return lambda request: change(request) if holds(request) else request


UNKNOWN: dict[str, Change] = {
    "since when the user is concerned": to(relationship__valid_from=None),
    "the owner's basis": to(owner__basis=None),
    "the recipient's Article 6 basis": to(recipient__basis__art6=None),
    "the recipient's Article 9 condition": to(recipient__basis__art9=None),
    "the recipient's gateways": to(recipient__basis__gateways=frozenset()),
    "the policy document": to(recipient__basis__apd=False),
    "the gateways in force": to(gateways=()),
    "since when gateways are in force": lambda request: replace(
        request, gateways=tuple(replace(one, effective_from=None) for one in request.gateways)
    ),
    "why the record is looked at": to(access__rationale=""),
    "the handling code": only_where(
        lambda request: request.item.category == DataCategory.POLICE_INTELLIGENCE, to(item__intelligence=None)
    ),
    "the court's permission": to(item__court_permission_for=None),
    "who signed off": to(item__signed_off_by=None),
    "whether there is a package": to(item__involvement=None),
    "who asks as of right": to(sar=None),
    "what the analysis is": to(analytics=None),
    "the emergency": to(break_glass=None),
    "whether the partner answered": to(connector__state=ConnectorState.NOT_REACHED),
    "whether it is the right person": to(connector__match=MatchState.UNCONFIRMED),
    "what was decided about consent": only_where(
        lambda request: request.episode is not None and request.episode.threshold is None,
        in_episode(episode__consent_decision=None),
    ),
}


@QUICK
@given(REQUESTS, st.sampled_from(sorted(UNKNOWN)))
def test_what_is_not_known_never_shows_more_than_what_is(request: DecisionRequest, name: str) -> None:
    assert set(decide(UNKNOWN[name](request)).fields) <= set(decide(request).fields)


@pytest.mark.parametrize("name", sorted(FORBIDS | UNKNOWN))
def test_each_of_these_closes_something_somewhere(name: str) -> None:
    change = (FORBIDS | UNKNOWN)[name]
    plain = [replace(one, break_glass=None) if name in FORBIDS else one for one in GIVEN_CASES]
    assert any(len(decide(change(one)).fields) < len(decide(one).fields) for one in plain)


@QUICK
@given(BUILT, st.integers(0, 4))
def test_an_approval_taken_away_never_shows_more(request: DecisionRequest, at: int) -> None:
    fewer = replace(request, approvals=request.approvals[:at] + request.approvals[at + 1 :])
    assert set(decide(fewer).fields) <= set(decide(request).fields)


AGREEMENTS: st.SearchStrategy[tuple[Agreement, ...]] = st.lists(
    st.builds(
        lambda clauses, **changes: agreement(*clauses, **changes),
        st.lists(
            st.builds(
                clause,
                field_kinds=some(FieldKind, 12),
                recipient_roles=st.sampled_from([frozenset(Role), frozenset({Role.MASH_SOCIAL_WORKER})]),
                lookback_months=st.sampled_from([None, 0, 6]),
                shield_reveal_roles=some(Role, 3),
            ),
            min_size=1,
            max_size=2,
        ),
        reference=st.sampled_from("AB"),
        version=st.integers(1, 2),
        status=st.sampled_from([AgreementStatus.ACTIVE, AgreementStatus.ACTIVE, AgreementStatus.DRAFT]),
    ),
    max_size=3,
).map(tuple)


def shuffled(values: tuple[Any, ...], seed: int) -> tuple[Any, ...]:
    return tuple(random.Random(seed).sample(values, len(values)))


@FEWER
@given(st.one_of(BUILT, st.sampled_from(GIVEN_CASES)), AGREEMENTS, st.booleans(), st.integers(0, 2**32))
def test_the_order_of_agreements_clauses_parties_and_fields_does_not_matter(
    request: DecisionRequest, agreements: tuple[Agreement, ...], replaced: bool, seed: int
) -> None:
    request = replace(request, agreements=agreements) if replaced else request
    other = changed(
        request,
        agreements=shuffled(
            tuple(
                replace(one, clauses=shuffled(one.clauses, seed), parties=shuffled(one.parties, seed))
                for one in request.agreements
            ),
            seed,
        ),
        item__fields=shuffled(request.item.fields, seed),
        consents=shuffled(request.consents, seed),
        approvals=shuffled(request.approvals, seed),
    )
    assert decide(other) == decide(request)


@FEWER
@given(REQUESTS, st.sampled_from(BARRED), CONSENTS, APPROVALS, AGREEMENTS, st.sampled_from(list(Role)), st.booleans())
def test_no_agreement_role_consent_or_approval_shows_a_barred_category(
    request: DecisionRequest,
    category: str,
    consents: Any,
    approvals: Any,
    agreements: Any,
    role: Role,
    by_flag: bool,
) -> None:
    item = request.item.category if by_flag else DataCategory(category)
    flags = request.subject.flags | ({SubjectFlag.PROTECTED_PERSON} if by_flag else set())
    valid = tuple(
        replace(
            one,
            for_request=request.request_hash,
            for_subject=request.subject.id,
            by_agency=request.owner.agency,
            given_at=request.now,
            expires_at=request.now + (one.expires_at - one.given_at),
        )
        for one in approvals
    )
    barred = changed(
        request,
        item__category=item,
        subject__flags=flags,
        consents=(*request.consents, *consents),
        approvals=valid,
        agreements=(*request.agreements, *agreements),
        actor__role=role,
        recipient__role=role,
    )
    for one in (barred, replace(barred, approvals=valid[::-1], consents=barred.consents[::-1])):
        decision = decide(one)
        assert (decision.outcome, decision.fields) == (Outcome.DENY_SILENT, ())


def test_the_requests_tried_here_show_something_often_enough_to_be_able_to_fail() -> None:
    assert sum(bool(decide(one).fields) for one in GIVEN_CASES) >= 50
