"""What was decided can be decided again: a record brings back the very request, and the same answer."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from policies import (
    BundleInvalid,
    DecisionRequest,
    Made,
    RecordInvalid,
    Writer,
    bundle_hash,
    bundle_text,
    decide,
    gateway_register,
    load_agreements,
    read_bundle,
    read_made,
)
from tests.policies.build import BASE

POLICIES = Path(__file__).parents[2] / "policies"
CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "policy_cases.jsonl").read_text("utf-8").splitlines()
]
REQUESTS = [DecisionRequest.from_json(case["request"]) for case in CASES]
AGREEMENTS = load_agreements(POLICIES / "agreements")
GATEWAYS = gateway_register(POLICIES / "gateways.toml")


def record(*requests: DecisionRequest) -> str:
    return Writer().write([Made(one, decide(one)) for one in requests])


@pytest.mark.parametrize("request_", REQUESTS, ids=[case["id"] for case in CASES])
def test_every_given_case_is_brought_back_whole(request_: DecisionRequest) -> None:
    (made,) = read_made(record(request_), request_.agreements, request_.gateways)
    assert made.request == request_
    assert made.decision == decide(made.request)


def test_decisions_of_one_page_are_kept_apart_and_their_parts_only_once() -> None:
    others = [
        replace(BASE, item=replace(BASE.item, occurred_on=BASE.item.occurred_on - timedelta(n))) for n in range(50)
    ]
    text = record(*others)
    assert [made.request for made in read_made(text, BASE.agreements, BASE.gateways)] == others
    assert len(text) < 12 * len(record(BASE))


def test_what_is_below_a_second_is_kept_because_it_can_decide() -> None:
    late = replace(BASE, now=BASE.now.replace(microsecond=1))
    (made,) = read_made(record(late), BASE.agreements, BASE.gateways)
    assert made.request.now == late.now != BASE.now


def test_a_part_that_a_later_release_added_has_its_default() -> None:
    plain = json.loads(record(BASE))
    where = plain["head"]["parts"].index("sar")
    for row in (plain["head"]["parts"], plain["head"]["same"]):
        del row[where]
    (made,) = read_made(json.dumps(plain), BASE.agreements, BASE.gateways)
    assert made.request == BASE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"v":1', '"v":2'),
        ('"purpose"', '"colour"'),
        ("S47_ENQUIRY", "S48_ENQUIRY"),
        ('"blocks"', '"rocks"'),
        ("{", "["),
    ],
)
def test_what_this_release_cannot_read_is_said_and_never_guessed(old: str, new: str) -> None:
    with pytest.raises(RecordInvalid):
        read_made(record(BASE).replace(old, new, 1), BASE.agreements, BASE.gateways)


def test_the_bundle_of_a_decision_is_brought_back_by_its_name() -> None:
    text, name = bundle_text(AGREEMENTS, GATEWAYS), bundle_hash(AGREEMENTS, GATEWAYS)
    bundle = read_bundle(text, name)
    assert set(bundle.gateways) == set(GATEWAYS)
    assert [one.for_decision() for one in bundle.agreements] == [one.for_decision() for one in AGREEMENTS]
    assert bundle_text(bundle.agreements, bundle.gateways) == text


@pytest.mark.parametrize("change", [lambda text: text.replace("ACTIVE", "DRAFT"), lambda text: text + " "])
def test_an_altered_bundle_is_refused(change: object) -> None:
    text, name = bundle_text(AGREEMENTS, GATEWAYS), bundle_hash(AGREEMENTS, GATEWAYS)
    with pytest.raises(BundleInvalid):
        read_bundle(change(text), name)  # type: ignore[operator]
