"""The partnership's worked cases of the decision rules: outcome, answer, fields, obligations and rules must agree."""

import json
from pathlib import Path
from typing import Any

import pytest

from policies import DecisionRequest, decide

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "policy_cases.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']} {case['title']}" for case in CASES])
def test_the_decision_is_the_one_that_the_partnership_expects(case: dict[str, Any]) -> None:
    decision = decide(DecisionRequest.from_json(case["request"])).to_json()
    expected = case["expected"]
    assert (decision["outcome"], decision["answer"]) == (expected["outcome"], expected["answer"])
    assert set(decision["fields"]) == set(expected["fields"])
    assert set(expected["obligations"]) <= set(decision["obligations"])
    assert not set(expected["not_obligations"]) & set(decision["obligations"])
    assert set(expected["rules"]) & set(decision["rules"])
    assert 1 <= len(decision["rules"]) <= 12


@pytest.mark.parametrize("case", CASES[::20], ids=[case["id"] for case in CASES[::20]])
def test_a_request_written_out_and_read_back_is_the_same(case: dict[str, Any]) -> None:
    request = DecisionRequest.from_json(case["request"])
    assert DecisionRequest.from_json(json.loads(json.dumps(request.to_json()))) == request


def test_all_given_cases_are_there() -> None:
    assert len(CASES) == 219
