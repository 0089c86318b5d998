"""Our agreements as ODRL: never permitted where `decide` refuses, permitted where it shows, and back without loss."""

import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import RDF, Graph, Literal, URIRef

from policies import DecisionRequest, SharingAgreement, decide, gateway_register, load_agreements
from policies.agreement import Head, SignedParty
from policies.form import FormError
from policies.odrl import ODRL, evaluate_odrl, read_turtle
from policies.odrl_agreement import KITH, asked_as_odrl, carried_by, policy_graph
from policies.vocabulary import (
    AgreementStatus,
    ConsentState,
    DataCategory,
    FieldKind,
    Involvement,
    Outcome,
    PartyRole,
    PartyStatus,
    Purpose,
    RelationshipKind,
    Role,
    Threshold,
)
from policies.worked import WorkedCase, load_agencies, load_cases, request_for
from tests.policies.build import BASE, CSC, DAY, HEALTH, THIRD, agreement, approval, changed, clause
from tests.policies.test_properties import BUILT, QUICK

POLICIES = Path(__file__).parents[2] / "policies"
SEEDED = load_agreements(POLICIES / "agreements")
AGENCIES = load_agencies(POLICIES / "cases" / "agencies" / "demo.toml")
GATEWAYS = gateway_register(POLICIES / "gateways.toml")
URI = "https://example.org/agreement"
BY_FILE = {one.file: one for one in SEEDED}
#: Kinds that the field filter treats apart from agreements.
KINDS = sorted(set(FieldKind) - {FieldKind.HELD_MARKER})


def permitted(policy: Graph, request: DecisionRequest, kind: FieldKind) -> bool:
    return evaluate_odrl(policy, *asked_as_odrl(request, kind)) == "PERMIT"


def shown(request: DecisionRequest, kind: FieldKind) -> bool:
    fields = decide(request).fields
    return any(one.name in fields for one in request.item.fields if one.kind == kind)


def drawn(one: SharingAgreement, chance: random.Random) -> WorkedCase:
    """A flow that a clause lists, or one that differs in one respect; threshold, consent and release are there."""
    said = chance.choice(one.clauses)
    purpose = chance.choice(sorted(said.purposes))
    gp_check = purpose == Purpose.GP_PACKAGE_CHECK
    signed = one.for_decision()
    owner = chance.choice(sorted(signed.disclosers))
    months = said.lookback_months or 60
    listed = WorkedCase(
        title="drawn",
        owner=owner,
        recipient=chance.choice(sorted(signed.recipients - {owner}) or ["csc"]),
        role=chance.choice(sorted(said.recipient_roles)),
        purpose=purpose,
        category=chance.choice(sorted(said.categories)),
        offers=frozenset(
            {chance.choice(KINDS), *chance.sample(sorted(said.field_kinds), min(2, len(said.field_kinds)))}
        ),
        outcome=Outcome.PERMIT,
        rule="P04",
        on=chance.choice([one.effective_from, date(2026, 6, 16), one.expires_on or date(2026, 6, 17)]),
        age=40,
        months_ago=chance.choice([0, 1, months - 1, months]),
        threshold=Threshold.S47_DECISION,
        consent_decision=ConsentState.GIVEN_EXPLICIT,
        family_agreed=True,
        names_category=True,
        owner_released=True,
        relationship=RelationshipKind.REGISTERED_LIST if gp_check else RelationshipKind.ASSIGNED_EPISODE,
        involvement=Involvement.CURRENT if gp_check else None,
    )
    others: list[dict[str, Any]] = [
        {"owner": chance.choice(sorted(AGENCIES.keys() - {listed.recipient}))},
        {"recipient": chance.choice(sorted(AGENCIES.keys() - {owner}))},
        {"role": chance.choice(list(Role))},
        {"purpose": chance.choice(list(Purpose))},
        {"category": chance.choice(list(DataCategory))},
        {"age": chance.choice([5, 17, 18])},
        {"months_ago": months + 1},
        {"on": chance.choice([one.effective_from - DAY, date(2028, 4, 1)])},
    ]
    return replace(listed, **chance.choice(others)) if chance.random() < 0.6 else listed


@pytest.mark.parametrize("one", [one for one in SEEDED if one.clauses], ids=lambda one: one.reference)
def test_odrl_permits_what_decide_shows_and_nothing_else(one: SharingAgreement) -> None:
    policy, chance = policy_graph(one, URI), random.Random(7)
    answers = []
    for _ in range(30):
        case = drawn(one, chance)
        request = request_for(case, AGENCIES, [one], GATEWAYS)
        for kind in sorted(case.offers):
            says, does = permitted(policy, request, kind), shown(request, kind)
            assert says == does, (case, kind)
            answers.append(says)
    assert 10 < answers.count(True) < len(answers) - 20


@pytest.mark.parametrize("one", SEEDED, ids=lambda one: one.reference)
def test_the_worked_cases_are_never_permitted_where_they_are_refused(one: SharingAgreement) -> None:
    policy = policy_graph(one, URI)
    for case in load_cases(POLICIES / "cases" / one.file):
        request = request_for(case, AGENCIES, [one], GATEWAYS)
        for kind in case.offers if case.owner != case.recipient else ():
            assert shown(request, kind) or not permitted(policy, request, kind), case


def sharing(request: DecisionRequest) -> SharingAgreement:
    """The request's first agreement with the rest that a file says."""
    (one,) = request.agreements
    parties = tuple(
        SignedParty(agency=p.agency, role=p.role, status=p.status, signed_on=date(2026, 1, 1), signatory="x")
        for p in one.parties
    )
    head = Head(
        reference=one.reference,
        version=one.version,
        title="A test",
        status=one.status,
        effective_from=one.effective_from,
        expires_on=one.expires_on,
        review=one.effective_from,
        dpia_reference="DPIA",
        parties=parties,
        clauses=one.clauses,
    )
    return SharingAgreement(head, (), "a.toml")


AGREEMENTS = st.builds(
    lambda months, kinds, onward, roles, party, **changes: agreement(
        clause(lookback_months=months, field_kinds=kinds, onward_to=onward, shield_reveal_roles=roles),
        parties=tuple(replace(one, **party) if one.agency != THIRD else one for one in agreement().parties),
        **changes,
    ),
    months=st.sampled_from([None, 1, 12]),
    kinds=st.frozensets(st.sampled_from(KINDS), min_size=1),
    onward=st.sampled_from([frozenset(), frozenset({CSC})]),
    roles=st.sampled_from([frozenset(), frozenset(Role)]),
    party=st.sampled_from([{}, {}, {"status": PartyStatus.WITHDRAWN}, {"role": PartyRole.DISCLOSER}]),
    status=st.sampled_from([AgreementStatus.ACTIVE, AgreementStatus.ACTIVE, *AgreementStatus]),
)


@settings(QUICK, max_examples=80)
@given(BUILT, AGREEMENTS, st.sampled_from([CSC, HEALTH, THIRD]))
def test_odrl_never_permits_what_decide_refuses(request: DecisionRequest, one: Any, actor: str) -> None:
    request = changed(request, agreements=(one,), actor__agency=actor)
    if request.owner.agency == request.recipient.agency:
        return  # Its own information: no agreement, so nothing for ODRL to say.
    policy = policy_graph(sharing(request), URI)
    for kind in {offered.kind for offered in request.item.fields}:
        assert shown(request, kind) or not permitted(policy, request, kind)


def test_passing_on_is_permitted_to_whom_the_clause_names_and_otherwise_prohibited() -> None:
    onward = changed(BASE, actor__agency=THIRD)
    kind = onward.item.fields[0].kind
    for to, allowed in ((frozenset({CSC}), True), (frozenset({HEALTH}), False), (frozenset(), False)):
        asked = changed(onward, agreements=(agreement(clause(onward_to=to)),))
        assert permitted(policy_graph(sharing(asked), URI), asked, kind) == shown(asked, kind) == allowed


def test_an_approval_of_the_owner_stays_with_the_hub() -> None:
    alone = changed(BASE, agreements=(agreement(clause(categories=frozenset({DataCategory.FINANCE}))),))
    once = changed(alone, approvals=(approval("ONE_OFF", call_back_verified=True),))
    kind = once.item.fields[0].kind
    assert shown(once, kind)
    assert not permitted(policy_graph(sharing(once), URI), once, kind)


@pytest.mark.parametrize("one", SEEDED, ids=lambda one: one.reference)
def test_an_agreement_goes_out_and_comes_back_the_same(one: SharingAgreement) -> None:
    text = policy_graph(one, URI).serialize(format="turtle")
    assert carried_by(read_turtle(text)) == one


@pytest.mark.parametrize("status", [one for one in AgreementStatus if one != AgreementStatus.ACTIVE])
def test_only_an_active_version_permits_anything(status: AgreementStatus) -> None:
    one = replace(BY_FILE["mash.toml"], head=replace(BY_FILE["mash.toml"].head, status=status))
    graph = policy_graph(one, URI)
    assert not list(graph.subject_objects(ODRL.permission))
    assert carried_by(graph) == one


def test_a_policy_that_says_other_than_it_carries_is_refused() -> None:
    graph = policy_graph(BY_FILE["early-help.toml"], URI)
    wider = URIRef(f"{URI}#clause-1-kind"), ODRL.rightOperand, KITH["kind:TREATMENT"]
    for change in (graph.add, graph.remove):
        change(wider)
        if wider in graph:
            with pytest.raises(FormError, match="says other than the agreement"):
                carried_by(graph)
    assert carried_by(graph) == BY_FILE["early-help.toml"]


CARRIER = URIRef(f"{URI}#agreement")


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[]", json.dumps({"reference": "x"}), '{"reference": NaN}'])
def test_what_is_carried_is_read_as_strictly_as_a_file(text: str) -> None:
    graph = policy_graph(BY_FILE["early-help.toml"], URI)
    graph.set((CARRIER, RDF.value, Literal(text)))
    with pytest.raises(FormError):
        carried_by(graph)


def test_a_policy_that_carries_nothing_becomes_no_agreement() -> None:
    graph = policy_graph(BY_FILE["early-help.toml"], URI)
    graph.remove((CARRIER, None, None))
    with pytest.raises(FormError, match="carries no agreement"):
        carried_by(graph)
    with pytest.raises(FormError, match="an absolute URI"):
        policy_graph(BY_FILE["early-help.toml"], "no uri")
