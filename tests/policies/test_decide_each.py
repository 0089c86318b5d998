"""Many requests decided in one go are decided exactly as one by one; and what is left out could not have spoken."""

from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import DecisionRequest, Gillick, Item, Scope, Seal, decide, decide_each
from policies.case import BreakGlass, Field, Intelligence
from policies.decide import _parts
from policies.rules import EVERY_RULE, rules_for
from policies.rules.facts import Facts, Occasion
from policies.rules.fields import LINES, _lines_for
from policies.rules.preconditions import NARROW_GATEWAYS, gateways_serving
from policies.vocabulary import (
    AgencyType,
    Article9Condition,
    Circumstance,
    ConnectorState,
    ConsentKind,
    DataCategory,
    FieldKind,
    GillickStatus,
    HandlingCode,
    Involvement,
    ItemForm,
    Outcome,
    Purpose,
    SealState,
    StatutoryGateway,
)
from tests.policies.build import BASE, HOUR, NOW, basis, born, changed, consent, fields, pairs
from tests.policies.test_properties import QUICK, REQUESTS

HEALTH_SUMMARY = DataCategory.HEALTH_SUMMARY
SERIOUS = frozenset({Circumstance.SERIOUS_CRIME})
#: What a request has beside the parts that a person and an agency share.
OF_ITEM = {"item", "request_hash", "connector"}
#: The terms that an item brings.
ITEM_TERMS = ("category", "content", "kinds", "marker_request", "competence", "clauses", "reaching", "shielded")
ITEMS = st.builds(
    lambda **given: Item(occurred_on=NOW.date(), **given),
    category=st.sampled_from(list(DataCategory)),
    form=st.sampled_from(list(ItemForm)),
    fields=st.lists(st.sampled_from(list(FieldKind)), min_size=1, max_size=5, unique=True).map(lambda k: fields(*k)),
    seal=st.sampled_from([Seal(state=state) for state in SealState]),
    involvement=st.sampled_from([None, *Involvement]),
)
EMERGENCIES = st.sampled_from(
    [
        None,
        BreakGlass(declared_at=NOW - HOUR, reason="A child is in danger at this very moment", imminent_risk=True),
        BreakGlass(declared_at=NOW - HOUR, reason="A child is in danger at this very moment", imminent_risk=False),
    ]
)


@st.composite
def pages(draw: Any) -> list[DecisionRequest]:
    """Some requests, each about several items of the very same parts, in any order."""
    asked: list[DecisionRequest] = []
    for request in draw(st.lists(REQUESTS, min_size=1, max_size=3)):
        emergency = draw(EMERGENCIES)
        request = replace(request, break_glass=emergency or request.break_glass)
        for item in draw(st.lists(ITEMS, max_size=4)):
            reached = draw(st.sampled_from(list(ConnectorState)))
            asked.append(replace(request, item=item, connector=replace(request.connector, state=reached)))
        asked.append(request)
    return draw(st.permutations(asked)) if draw(st.booleans()) else asked


@settings(QUICK, max_examples=200)
@given(pages())
def test_what_is_decided_in_one_go_is_decided_the_same(page: list[DecisionRequest]) -> None:
    assert list(decide_each(page)) == [decide(request) for request in page]


def test_a_family_of_every_category_is_decided_the_same() -> None:
    page = [
        changed(person, item__category=category, item__fields=fields(*list(FieldKind)[n % 7 : n % 7 + 4]))
        for n, (person, category) in enumerate(
            (person, category)
            for person in (BASE, changed(BASE, consents=(consent(),)), changed(BASE, purpose=Purpose.EARLY_HELP))
            for category in DataCategory
        )
    ]
    one_by_one = [decide(request) for request in page]
    assert list(decide_each(page)) == one_by_one
    assert len({decision.outcome for decision in one_by_one}) >= 4


SPECIAL_PLACES = [
    ("explicit consent for one category only", {
        "consents": (consent(kind=ConsentKind.UK_GDPR, scope=Scope(categories=frozenset({HEALTH_SUMMARY}))),)},
     {"art9": Article9Condition.EXPLICIT_CONSENT}, (HEALTH_SUMMARY, DataCategory.ASC_PACKAGE)),
    ("a child who is competent for one category only", {
        "subject__date_of_birth": born(2012, 1, 1),
        "subject__gillick": Gillick(status=GillickStatus.COMPETENT, categories=frozenset({HEALTH_SUMMARY}))},
     {"art9": Article9Condition.VITAL_INTERESTS}, (DataCategory.ASC_PACKAGE, HEALTH_SUMMARY)),
    ("the serious violence duty, which carries no health data", {
        "purpose": Purpose.CRIME, "owner__agency_type": AgencyType.HOUSING_AUTHORITY, "circumstances": SERIOUS},
     {"gateways": frozenset({StatutoryGateway.PCSC2022_S16})}, (DataCategory.SOCIAL_CARE_NARRATIVE, HEALTH_SUMMARY)),
    ("a duty to refer with consent for one category", {
        "purpose": Purpose.HOMELESSNESS_REFERRAL,
        "consents": (consent(scope=Scope(categories=frozenset({DataCategory.HOUSING}))),)},
     {"gateways": frozenset({StatutoryGateway.HA1996_S213B})}, (DataCategory.HOUSING, DataCategory.EDUCATION)),
]  # fmt: skip


@pytest.mark.parametrize("side", ["owner", "recipient"])
@pytest.mark.parametrize(("changes", "claims", "categories"), pairs(SPECIAL_PLACES))
def test_a_basis_that_looks_at_the_item_is_weighed_for_each_item(
    side: str, changes: dict[str, Any], claims: dict[str, Any], categories: tuple[DataCategory, DataCategory]
) -> None:
    # The other side claims what does not look at the item, where there is such a gateway for the purpose.
    serving = gateways_serving(changes.get("purpose", BASE.purpose))
    plain = (serving - NARROW_GATEWAYS) or serving
    claiming = basis(**{"gateways": plain} | claims)
    sides = {"owner__basis": basis(gateways=plain), "recipient__basis": basis(gateways=plain)}
    asked = changed(BASE, **changes, **sides | {f"{side}__basis": claiming})
    page = [changed(asked, item__category=category) for category in categories]
    lawful = ["P05" not in decide(request).rules or decide(request).outcome != Outcome.DENY for request in page]
    assert lawful == [True, False]
    assert list(decide_each(page)) == [decide(request) for request in page]
    assert list(decide_each(page[::-1])) == [decide(request) for request in page[::-1]]


def test_an_error_refuses_its_own_request_only() -> None:
    broken = replace(BASE, now=datetime(2026, 6, 16, 10, 15))
    other = replace(BASE, item=replace(BASE.item, category=DataCategory.HOUSING))
    page = [BASE, broken, BASE, replace(BASE, item=None), other]  # type: ignore[arg-type]
    assert list(decide_each(page)) == [decide(request) for request in page]
    assert [decision.rules == ("P50",) for decision in decide_each(page)] == [False, True, False, True, False]


def test_one_instant_written_in_two_zones_lies_on_two_days() -> None:
    """Eighteen on the 17th: at half past midnight in London it is still the 16th in UTC."""
    night = datetime(2026, 6, 16, 23, 30, tzinfo=UTC)
    london = night.astimezone(timezone(timedelta(hours=1)))
    born_on = changed(BASE, subject__date_of_birth=born(2008, 6, 17), now=night)
    page = [born_on, replace(born_on, now=london)]
    assert page[0] == page[1]
    assert [Facts(request).adult for request in page] == [False, True]
    assert list(decide_each(page)) == [decide(request) for request in page]


def test_every_part_of_a_request_is_compared_or_belongs_to_the_item() -> None:
    marked = {one.name: object() for one in fields_of(DecisionRequest)}
    compared = set(_parts(type("Any", (), marked)()))
    assert {name for name, value in marked.items() if value not in compared} == OF_ITEM


@QUICK
@given(REQUESTS, EMERGENCIES)
def test_a_steady_rule_never_looks_at_the_item(request: DecisionRequest, emergency: BreakGlass | None) -> None:
    request = replace(request, break_glass=emergency)
    facts = Facts(request)
    steady = rules_for(facts).steady
    found = [rule(facts) for rule in steady]
    for term in ITEM_TERMS:
        delattr(facts, term)
    facts.request = replace(request, item=None, connector=None, request_hash="")  # type: ignore[arg-type]
    if not request.approvals:  # An approval is bound to the request's hash; such requests are decided by themselves.
        assert [rule(facts) for rule in steady] == found


@QUICK
@given(REQUESTS)
def test_no_rule_looks_at_the_connector(request: DecisionRequest) -> None:
    facts, blind = Facts(request), Facts(replace(request, connector=None))  # type: ignore[arg-type]
    for asked in EVERY_RULE:
        if asked.rule in (*rules_for(facts).steady, *rules_for(facts).of_item):
            assert asked.rule(facts) == asked.rule(blind)


@settings(QUICK, max_examples=300)
@given(REQUESTS, ITEMS, st.booleans())
def test_a_rule_that_is_not_asked_would_have_found_nothing(
    request: DecisionRequest, item: Item, other_item: bool
) -> None:
    facts = Facts(replace(request, item=item) if other_item else request)
    asked = {*rules_for(facts).steady, *rules_for(facts).of_item}
    for one in EVERY_RULE:
        wanted = (one.purposes is None or facts.purpose in one.purposes) and (
            one.categories is None or facts.category in one.categories
        )
        if one.rule not in asked and wanted and (facts.partner or not one.on & Occasion.PARTNER):
            assert one.rule(facts) == (), one


@settings(QUICK, max_examples=300)
@given(REQUESTS, ITEMS, st.booleans())
def test_a_line_that_is_not_drawn_would_have_cut_nothing(request: DecisionRequest, item: Item, emergency: bool) -> None:
    facts = Facts(replace(request, item=item))
    occasions = facts.occasions | (Occasion.EMERGENCY if emergency else 0)
    drawn = _lines_for(occasions, facts.purpose, facts.category, facts.kinds)
    for one in LINES:
        if one.line not in drawn and (facts.partner or not one.on & Occasion.PARTNER):
            cut = one.line(facts, emergency)
            assert cut is None or not any(cut.removes(offered) for offered in item.fields), one


@pytest.mark.parametrize(
    ("changes", "plain"),
    [
        ({}, True),
        ({"form": ItemForm.MASH_PRODUCT}, False),
        ({"form": ItemForm.AGENCY_RESEARCH}, False),
        ({"seal": Seal(state=SealState.SEALED)}, False),
        ({"seal": Seal(state=SealState.WITHHELD)}, False),
        ({"intelligence": Intelligence(code=HandlingCode.P)}, False),
        ({"fields": (Field("held", FieldKind.HELD_MARKER), Field("status", FieldKind.STATUS))}, False),
    ],
)
def test_a_plain_item_is_an_open_record_without_marker_or_handling_code(changes: dict[str, Any], plain: bool) -> None:
    assert replace(BASE.item, **changes).plain == plain
