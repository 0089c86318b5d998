"""What must hold for every request, not only for the ones somebody thought of."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import DecisionRequest, Relationship, Scope, Seal, decide
from policies.vocabulary import (
    AccessMode,
    ApprovalKind,
    Circumstance,
    Conflict,
    ConnectorState,
    ConsentKind,
    ConsentState,
    DataCategory,
    FieldKind,
    GiverCapacity,
    ItemForm,
    MatchState,
    Obligation,
    Outcome,
    ProhibitedPurpose,
    Purpose,
    RelationshipKind,
    RelationToIndex,
    Role,
    SealState,
    SubjectFlag,
)
from tests.policies.build import BASE, CHILD, CSC, DAY, HEALTH, NOW, approval, born, changed, consent, decided, fields

BARRED = ["ADOPTION_SEALED", "GENDER_RECOGNITION_PROTECTED", "FERTILITY", "PROTECTED_PERSON", "LEGAL_PRIVILEGE"]
REFUSALS = {Outcome.DENY, Outcome.DENY_SILENT, Outcome.REFER}
GIVEN_CASES = [
    DecisionRequest.from_json(json.loads(line)["request"])
    for line in (Path(__file__).parents[1] / "data" / "policy_cases.jsonl").read_text(encoding="utf-8").splitlines()
]


def some(values: Any, most: int = 2) -> Any:
    return st.frozensets(st.sampled_from(list(values)), max_size=most)


APPROVALS = st.lists(st.sampled_from(list(ApprovalKind)), unique=True).map(lambda kinds: tuple(map(approval, kinds)))
CONSENTS = st.lists(
    st.builds(
        lambda kind, state, capacity, named: consent(
            state,
            kind=kind,
            giver=CHILD if capacity == GiverCapacity.SELF else "PE-parent",
            giver_capacity=capacity,
            scope=Scope(categories=frozenset(DataCategory)) if named else Scope(),
        ),
        st.sampled_from(list(ConsentKind)),
        st.sampled_from(list(ConsentState)),
        st.sampled_from(list(GiverCapacity)),
        st.booleans(),
    ),
    max_size=3,
    unique=True,
).map(tuple)
BUILT = st.builds(
    lambda **changes: changed(BASE, **changes),
    purpose=st.sampled_from([*Purpose, *ProhibitedPurpose]),
    owner__agency=st.sampled_from([HEALTH, HEALTH, CSC]),
    actor__role=st.sampled_from(list(Role)),
    recipient__role=st.sampled_from([Role.MASH_DECISION_MAKER, Role.MASH_SOCIAL_WORKER, Role.SAR_OFFICER]),
    item__category=st.sampled_from(list(DataCategory)),
    item__form=st.sampled_from(list(ItemForm)),
    item__fields=some(FieldKind, 6).map(lambda kinds: fields(*sorted(kinds))),
    item__seal=st.sampled_from([Seal(state=state) for state in SealState]),
    subject__flags=some(SubjectFlag),
    subject__date_of_birth=st.sampled_from([None, born(2020, 1, 1), born(2010, 1, 1), born(1980, 1, 1)]),
    subject__relation_to_index=st.sampled_from(list(RelationToIndex)[:5]),
    relationship=st.sampled_from(
        [Relationship(kind=kind, persons=frozenset({CHILD}), valid_from=NOW - DAY) for kind in RelationshipKind]
    ),
    access__mode=st.sampled_from(list(AccessMode)),
    episode__threshold=st.sampled_from([None, BASE.episode.threshold if BASE.episode else None]),
    episode__consent_decision=st.sampled_from([None, *[decided(state) for state in ConsentState]]),
    circumstances=some(Circumstance),
    approvals=APPROVALS,
    consents=CONSENTS,
    connector__state=st.sampled_from(list(ConnectorState)),
    connector__match=st.sampled_from(list(MatchState)),
)
REQUESTS = st.one_of(BUILT, st.sampled_from(GIVEN_CASES))
QUICK = settings(max_examples=4000, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False)


@QUICK
@given(REQUESTS)
def test_every_decision_is_well_formed(request: DecisionRequest) -> None:
    decision = decide(request)
    assert 1 <= len(decision.rules) <= 12
    assert decision.rules != ("P50",) or not request.item.fields
    for words in (decision.fields, decision.obligations, decision.rules):
        assert list(words) == sorted(set(words))
    assert set(decision.fields) <= {one.name for one in request.item.fields}
    assert not (decision.outcome in REFUSALS and decision.fields)
    assert not {Obligation.INFORM_SUBJECT, Obligation.DO_NOT_INFORM} <= set(decision.obligations)
    if decision.outcome in (Outcome.DENY, Outcome.DENY_SILENT):
        assert Obligation.ROUTE_HUMAN in decision.obligations
    assert (decision.answer is not None) or request.purpose != Purpose.GP_PACKAGE_CHECK
    if decision.outcome == Outcome.PERMIT:
        assert set(decision.fields) == {one.name for one in request.item.fields}


@QUICK
@given(REQUESTS, st.sampled_from(list(Conflict)))
def test_a_conflict_never_shows_more(request: DecisionRequest, conflict: Conflict) -> None:
    tied = changed(request, actor__conflicts=request.actor.conflicts | {conflict})
    assert set(decide(tied).fields) <= set(decide(request).fields)


CLOSING_FLAGS = [
    SubjectFlag.SHIELDED,
    SubjectFlag.FLEEING_DA,
    SubjectFlag.PROTECTED_PERSON,
    SubjectFlag.CASE_LOCKED,
    SubjectFlag.VIP,
    SubjectFlag.STAFF_SUBJECT,
    SubjectFlag.OBJECTION,
    SubjectFlag.MATCH_UNCONFIRMED,
]


@QUICK
@given(REQUESTS, st.sampled_from(CLOSING_FLAGS))
def test_a_flag_that_protects_never_shows_more(request: DecisionRequest, flag: SubjectFlag) -> None:
    flagged = changed(request, subject__flags=request.subject.flags | {flag})
    # An objection may be lifted by break-glass, which then shows emergency kinds under review; without it, never.
    plain = replace(request, break_glass=None)
    assert set(decide(replace(flagged, break_glass=None)).fields) <= set(decide(plain).fields)


@QUICK
@given(REQUESTS, st.sampled_from(BARRED), CONSENTS, APPROVALS)
def test_nothing_lifts_a_statutory_bar(request: DecisionRequest, category: str, consents: Any, approvals: Any) -> None:
    fresh = tuple(
        replace(one, for_request=request.request_hash, for_subject=request.subject.id, by_agency=request.owner.agency)
        for one in approvals
    )
    barred = changed(request, item__category=DataCategory(category), consents=consents, approvals=fresh)
    decision = decide(barred)
    assert (decision.outcome, decision.fields) == (Outcome.DENY_SILENT, ())
    assert "P27" in decision.rules or len(decision.rules) == 12


@QUICK
@given(REQUESTS)
def test_without_agreement_and_approval_a_partner_is_shown_nothing(request: DecisionRequest) -> None:
    bare = replace(request, agreements=(), approvals=(), break_glass=None)
    if request.owner.agency != request.recipient.agency:
        assert decide(bare).fields == ()


@QUICK
@given(REQUESTS)
def test_an_agreement_with_fewer_kinds_never_shows_more(request: DecisionRequest) -> None:
    narrowed = tuple(
        replace(one, clauses=tuple(replace(c, field_kinds=frozenset(sorted(c.field_kinds)[::2])) for c in one.clauses))
        for one in request.agreements
    )
    assert set(decide(replace(request, agreements=narrowed)).fields) <= set(decide(request).fields)


@QUICK
@given(REQUESTS, st.integers(0, 2**32))
def test_the_order_of_lists_does_not_matter(request: DecisionRequest, seed: int) -> None:
    shuffled = {
        name: tuple(random.Random(seed).sample(getattr(request, name), len(getattr(request, name))))
        for name in ("consents", "approvals", "agreements", "gateways")
    }
    assert decide(replace(request, **shuffled)) == decide(request)


@QUICK
@given(REQUESTS)
def test_a_request_survives_being_written_out(request: DecisionRequest) -> None:
    again = DecisionRequest.from_json(json.loads(json.dumps(request.to_json())))
    assert again == request
    assert decide(again) == decide(request)
