"""ODRL policies: every case of the test suite, and what is not understood never permits."""

import json
from pathlib import Path

import pytest

from policies.odrl import OdrlInvalid, evaluate_odrl, main, read_turtle

DATA = Path(__file__).parents[1] / "data" / "odrl"
CASES = [json.loads(line) for line in (DATA / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
HEAD = """@prefix odrl: <http://www.w3.org/ns/odrl/2/>. @prefix ex: <http://example.org/>.
@prefix dct: <http://purl.org/dc/terms/>. @prefix temp: <http://example.com/request/>.
@prefix xsd: <http://www.w3.org/2001/XMLSchema#>.
"""
MAY_READ = "odrl:assignee ex:alice; odrl:action odrl:read; odrl:target ex:x"
TIME = 'odrl:constraint [ odrl:leftOperand odrl:dateTime; odrl:operator odrl:gt; odrl:rightOperand "%s"^^xsd:dateTime ]'
PAST, FUTURE = TIME % "2020-01-01T00:00:00Z", TIME % "2030-01-01T00:00:00Z"
WORLD = 'temp:currentTime dct:issued "2026-06-16T10:15:00Z"^^xsd:dateTime.'
READ = f"ex:r a odrl:Request; odrl:permission [ {MAY_READ} ]."


def answer(policy: str, request: str = READ, world: str = WORLD) -> str:
    return str(evaluate_odrl(*(read_turtle(HEAD + text) for text in (policy, request, world))))


@pytest.mark.parametrize("case", CASES, ids=[one["case"] for one in CASES])
def test_every_case_of_the_suite_is_answered_as_expected(case: dict[str, str]) -> None:
    files = [DATA / case[key].removeprefix("data/") for key in ("policy_file", "request_file", "sotw_file")]
    assert evaluate_odrl(*(read_turtle(path.read_text(encoding="utf-8")) for path in files)) == case["expected"]


ANSWERS = [
    ("an empty policy", "", "DENY"),
    ("a permission", f"ex:p odrl:permission [ {MAY_READ} ].", "PERMIT"),
    ("a permission of a wider action", "ex:p odrl:permission [ odrl:action odrl:use ].", "PERMIT"),
    ("a permission without an action", "ex:p odrl:permission [ odrl:target ex:x ].", "DENY"),
    ("what the whole policy says of all its rules", "ex:p odrl:assignee ex:alice; odrl:permission "
     "[ odrl:action odrl:read ].", "PERMIT"),
    ("a policy for somebody else", "ex:p odrl:assignee ex:bob; odrl:permission [ odrl:action odrl:read ].", "DENY"),
    ("a prohibition beside it", f"ex:p odrl:permission [ {MAY_READ} ]; odrl:prohibition [ {MAY_READ} ].", "DENY"),
    ("a prohibition of the wider action", f"ex:p odrl:permission [ {MAY_READ} ]; "
     "odrl:prohibition [ odrl:action odrl:use ].", "DENY"),
    ("a prohibition of another action", f"ex:p odrl:permission [ {MAY_READ} ]; "
     "odrl:prohibition [ odrl:action odrl:sell ].", "PERMIT"),
    ("a prohibition of an action that we do not know", f"ex:p odrl:permission [ {MAY_READ} ]; "
     "odrl:prohibition [ odrl:action ex:peruse ].", "DENY"),
    ("a prohibition that is over", f"ex:p odrl:permission [ {MAY_READ} ]; "
     f"odrl:prohibition [ {MAY_READ}; {FUTURE} ].", "PERMIT"),
    ("a prohibition under a condition that cannot be told", f"ex:p odrl:permission [ {MAY_READ} ]; odrl:prohibition "
     f"[ {MAY_READ}; odrl:constraint [ odrl:leftOperand odrl:spatial; odrl:operator odrl:eq; "
     "odrl:rightOperand ex:z ] ].", "DENY"),
    ("a permission under a condition that holds", f"ex:p odrl:permission [ {MAY_READ}; {PAST} ].", "PERMIT"),
    ("a permission under a condition that cannot be told", f"ex:p odrl:permission [ {MAY_READ}; odrl:constraint "
     "[ odrl:leftOperand odrl:purpose; odrl:operator odrl:eq; odrl:rightOperand ex:z ] ].", "DENY"),
    ("a time without a zone", f"ex:p odrl:permission [ {MAY_READ}; {TIME % '2020-01-01T00:00:00'} ].", "DENY"),
    ("a time that is none", f"ex:p odrl:permission [ {MAY_READ}; {TIME % 'soon'} ].", "DENY"),
    ("a refined action", "ex:p odrl:permission [ odrl:assignee ex:alice; odrl:action [ ] ].", "DENY"),
    ("an unknown clause in a permission", f"ex:p odrl:permission [ {MAY_READ}; ex:unless ex:y ].", "DENY"),
    ("an inherited policy", f"ex:p odrl:inheritFrom ex:q; odrl:permission [ {MAY_READ} ].", "DENY"),
    ("two policies", f"ex:p odrl:permission [ {MAY_READ} ]. ex:q odrl:permission [ {MAY_READ} ].", "DENY"),
    ("or, one of two", f"ex:p odrl:permission [ {MAY_READ}; odrl:constraint [ odrl:or [ odrl:leftOperand odrl:count ], "
     f"{PAST.removeprefix('odrl:constraint ')} ] ].", "PERMIT"),
    ("and, one of two cannot be told", f"ex:p odrl:permission [ {MAY_READ}; odrl:constraint [ odrl:and "
     f"[ odrl:leftOperand odrl:count ], {PAST.removeprefix('odrl:constraint ')} ] ].", "DENY"),
    ("xone, both of two", f"ex:p odrl:permission [ {MAY_READ}; odrl:constraint [ odrl:xone "
     f"{PAST.removeprefix('odrl:constraint ')}, [ odrl:leftOperand odrl:dateTime; odrl:operator odrl:lt; "
     'odrl:rightOperand "2030-01-01T00:00:00Z"^^xsd:dateTime ] ] ].', "DENY"),
    ("a condition of itself", f"ex:p odrl:permission [ {MAY_READ}; odrl:constraint ex:c ]. ex:c odrl:and ex:c.",
     "DENY"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ANSWERS])
def test_what_is_not_understood_never_permits(policy: str, expected: str) -> None:
    assert answer(policy) == expected


ASKS = "ex:r a odrl:Request; odrl:permission [ " + MAY_READ + "; odrl:constraint %s ]."
SAYS = "[ odrl:leftOperand %s; odrl:operator %s; odrl:rightOperand %s ]"
CARE, CRIME = (SAYS % ("odrl:purpose", "odrl:eq", one) for one in ("ex:care", "ex:crime"))
STATED = [
    ("the purpose that the request states", SAYS % ("odrl:purpose", "odrl:eq", "ex:care"), CARE, "PERMIT"),
    ("another purpose", SAYS % ("odrl:purpose", "odrl:eq", "ex:crime"), CARE, "DENY"),
    ("not another purpose", SAYS % ("odrl:purpose", "odrl:neq", "ex:crime"), CARE, "PERMIT"),
    ("one of two purposes", SAYS % ("odrl:purpose", "odrl:isAnyOf", "ex:crime, ex:care"), CARE, "PERMIT"),
    ("none of two purposes", SAYS % ("odrl:purpose", "odrl:isNoneOf", "ex:crime, ex:care"), CARE, "DENY"),
    ("two purposes at once", SAYS % ("odrl:purpose", "odrl:eq", "ex:crime, ex:care"), CARE, "DENY"),
    ("an order of purposes", SAYS % ("odrl:purpose", "odrl:lteq", "ex:care"), CARE, "DENY"),
    ("two claims of the request", SAYS % ("odrl:purpose", "odrl:eq", "ex:care"), f"{CARE}, {CRIME}", "DENY"),
    ("a claim that is no equality", SAYS % ("odrl:purpose", "odrl:eq", "ex:care"),
     SAYS % ("odrl:purpose", "odrl:neq", "ex:care"), "DENY"),
    ("a number within the limit", SAYS % ("ex:age", "odrl:lteq", "12"), SAYS % ("ex:age", "odrl:eq", "12"), "PERMIT"),
    ("a number beyond it", SAYS % ("ex:age", "odrl:lteq", "12"), SAYS % ("ex:age", "odrl:eq", "13"), "DENY"),
    ("a text for a number", SAYS % ("ex:age", "odrl:lteq", "12"), SAYS % ("ex:age", "odrl:eq", '"9"'), "DENY"),
    ("a truth for a number", SAYS % ("ex:age", "odrl:gteq", "0"), SAYS % ("ex:age", "odrl:eq", "true"), "DENY"),
    ("a time that the request states itself", SAYS % ("odrl:dateTime", "odrl:gt",
     '"2030-01-01T00:00:00Z"^^xsd:dateTime'), SAYS % ("odrl:dateTime", "odrl:eq",
     '"2031-01-01T00:00:00Z"^^xsd:dateTime'), "DENY"),
]  # fmt: skip


@pytest.mark.parametrize(("wants", "states", "expected"), [pytest.param(*row[1:], id=row[0]) for row in STATED])
def test_what_a_request_states_of_itself_is_compared_and_the_time_is_the_worlds(
    wants: str, states: str, expected: str
) -> None:
    policy = f"ex:p odrl:permission [ {MAY_READ}; odrl:constraint {wants} ]."
    assert answer(policy, ASKS % states) == expected
    assert answer(policy) == "DENY"


def test_a_prohibition_for_a_purpose_that_nobody_stated_is_not_lifted() -> None:
    policy = f"ex:p odrl:permission [ {MAY_READ} ]; odrl:prohibition [ {MAY_READ}; odrl:constraint {CRIME} ]."
    assert answer(policy) == "DENY"
    assert answer(policy, ASKS % CRIME) == "DENY"
    assert answer(policy, ASKS % CARE) == "PERMIT"


def test_membership_counts_only_as_the_world_states_it() -> None:
    team = "ex:p odrl:permission [ odrl:assignee ex:team; odrl:action odrl:read; odrl:target ex:x ]."
    claims = READ + " ex:alice odrl:partOf ex:team."
    assert answer(team, claims) == "DENY"
    assert answer(team + " ex:alice odrl:partOf ex:team.") == "DENY"
    assert answer(team, READ, WORLD + " ex:alice odrl:partOf ex:team.") == "PERMIT"


def test_a_request_that_leaves_something_open_is_denied() -> None:
    open_policy = "ex:p odrl:permission [ odrl:action odrl:use ]."
    assert answer(open_policy, "ex:r a odrl:Request; odrl:permission [ odrl:action odrl:read ].") == "DENY"
    assert answer(open_policy, "") == "DENY"
    both = READ + " ex:r odrl:permission [ odrl:assignee ex:alice; odrl:action odrl:sell; odrl:target ex:x ]."
    assert answer(open_policy, both) == "DENY"


def test_a_text_that_is_no_turtle_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OdrlInvalid):
        read_turtle("ex:p nonsense")
    (tmp_path / "p.ttl").write_text("nonsense")
    assert main([str(tmp_path / "p.ttl")] * 3) == 2
    assert main([]) == 2
    first = CASES[0]
    files = [str(DATA / first[key].removeprefix("data/")) for key in ("policy_file", "request_file", "sotw_file")]
    assert main(files) == 0
    assert capsys.readouterr().out == f"{first['expected']}\n"
