"""The strict form of a request, and the command that decides a file of them."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies import DecisionRequest, RequestInvalid
from policies.evaluate import evaluate, main
from tests.policies.build import BASE

PLAIN: dict[str, Any] = BASE.to_json()


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    plain = copy.deepcopy(PLAIN)
    change(plain)
    return plain


FAULTS = [
    ("a missing key", lambda p: p.pop("sar"), "."),
    ("a missing key in a block", lambda p: p["actor"].pop("conflicts"), "actor"),
    ("an unknown key", lambda p: p.update(note="x"), "."),
    ("an unknown key deep inside", lambda p: p["agreements"][0]["clauses"][0].update(note="x"),
     "agreements[0].clauses[0]"),
    ("an unknown purpose", lambda p: p.update(purpose="CURIOUS"), "purpose"),
    ("an unknown flag", lambda p: p["subject"].update(flags=["TALL"]), "subject.flags[0]"),
    ("a flag twice", lambda p: p["subject"].update(flags=["VIP", "VIP"]), "subject.flags"),
    ("text for a truth", lambda p: p["actor"].update(on_assigned_team="yes"), "actor.on_assigned_team"),
    ("a truth for a number", lambda p: p.update(off_list_checks_today=True), "off_list_checks_today"),
    ("a negative number", lambda p: p.update(off_list_checks_today=-1), "off_list_checks_today"),
    ("an instant without offset", lambda p: p.update(now="2026-06-16T10:15:00"), "now"),
    ("an instant in Zulu time", lambda p: p.update(now="2026-06-16T10:15:00Z"), "now"),
    ("the thirtieth of February", lambda p: p["subject"].update(date_of_birth="2018-02-30"), "subject.date_of_birth"),
    ("a field name with a space", lambda p: p["item"]["fields"][0].update(name="full name"), "item.fields[0].name"),
    ("an empty identifier", lambda p: p["subject"].update(id=""), "subject.id"),
    ("a look-back of no months", lambda p: p["agreements"][0]["clauses"][0].update(lookback_months=0),
     "agreements[0].clauses[0].lookback_months"),
    ("null for a block", lambda p: p.update(actor=None), "actor"),
    ("a list for a block", lambda p: p.update(item=[]), "item"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "path"), [pytest.param(*row[1:], id=row[0]) for row in FAULTS])
def test_a_request_out_of_form_is_refused_with_its_path(change: Callable[[dict[str, Any]], object], path: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        DecisionRequest.from_json(broken(change))
    assert caught.value.path == path


def test_an_error_never_repeats_what_was_written() -> None:
    with pytest.raises(RequestInvalid) as caught:
        DecisionRequest.from_json(broken(lambda p: p.update(purpose="ASTRID LINDHOLM")))
    assert "LINDHOLM" not in str(caught.value)


def test_identifiers_of_the_hub_are_accepted() -> None:
    plain = broken(lambda p: p["owner"].update(agency="gp-millbrook"))
    assert DecisionRequest.from_json(plain).owner.agency == "gp-millbrook"


def test_every_line_gets_a_decision_in_the_same_order() -> None:
    gp = broken(lambda p: p.update(purpose="GP_PACKAGE_CHECK", sar="?"))
    lines = [
        json.dumps({"id": "A", "request": PLAIN, "more": 1}),
        json.dumps({"id": "B", "request": {**PLAIN, "extra": 1}}),
        "",
        "{not json",
        json.dumps({"id": "C", "request": gp}),
        json.dumps([1]),
        json.dumps({"id": "D"}),
    ]
    rows = list(evaluate(lines))
    assert [row["id"] for row in rows] == ["A", "B", "line-4", "C", "line-6", "D"]
    assert rows[0]["decision"]["outcome"] == "PERMIT"
    for row in rows[1:]:
        decision = row["decision"]
        assert (decision["outcome"], decision["obligations"], decision["rules"]) == ("DENY", ["ROUTE_HUMAN"], ["P50"])
    assert [row["decision"]["answer"] for row in rows] == [None, None, None, "NOT_AVAILABLE", None, None]


def test_the_command_prints_one_line_per_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text(json.dumps({"id": "A", "request": PLAIN}) + "\n", encoding="utf-8")
    assert main([str(cases)]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "A"
    assert main([]) == 2
