"""A bad line is refused with a clear error of its own, and every other line is decided."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from policies.evaluate import LONGEST_LINE, evaluate, lines_of, main
from tests.policies.build import BASE

PLAIN: dict[str, Any] = BASE.to_json()
GOOD = json.dumps({"id": "good", "request": PLAIN}).encode()


def with_request(**changes: Any) -> bytes:
    return json.dumps({"id": "bad", "request": PLAIN | changes}).encode()


BAD_LINES = [
    ("not JSON", b"{nope", "line 1: not JSON at column 2"),
    ("cut off", GOOD[:-7], "line 1: not JSON at column"),
    ("not UTF-8", b'{"id": "bad\xff"}', "line 1: not UTF-8"),
    ("a byte order mark in the middle", b" \xef\xbb\xbf{}", "line 1: not JSON at column"),
    ("a list", b"[1]", "line 1: a table of keys is needed"),
    ("null", b"null", "line 1: a table of keys is needed"),
    ("no id", json.dumps({"request": PLAIN}).encode(), "line 1: the key id is missing"),
    ("a number for an id", b'{"id": 7, "request": {}}', "line 1: id: a text is needed"),
    ("no request", b'{"id": "bad"}', "line 1: the key request is missing"),
    ("null for the request", b'{"id": "bad", "request": null}', "line 1: request: a table of keys is needed"),
    ("a key twice", b'{"id": "bad", "id": "bad", "request": {}}', "line 1: the same key twice in one table"),
    ("not a number", b'{"id": "bad", "request": NaN}', "line 1: a number that is none"),
    ("no end of nesting", b"[" * 100_000, "line 1: nested too deeply"),
    ("a number of five thousand digits", b'{"id": ' + b"9" * 5000 + b"}", "line 1: cannot be read (ValueError)"),
    ("an endless line", b'{"id": "' + b"a" * LONGEST_LINE + b'"}', "line 1: longer than 1,000,000 bytes"),
    ("an unknown purpose", with_request(purpose="CURIOUS"), "line 1: request.purpose: not a word of"),
    ("a missing block", with_request(actor=None), "line 1: request.actor: a table of keys is needed"),
    ("an unknown key", with_request(nice="x"), "line 1: request: unknown keys (1)"),
    ("a huge number", with_request(off_list_checks_today=1e300), "line 1: request.off_list_checks_today: a whole"),
    ("an id with a space", with_request(request_hash="RQ 1"), "line 1: request.request_hash: not in the agreed form"),
    ("a person without a name", with_request(relationship=PLAIN["relationship"] | {"persons": [""]}),
     "line 1: request.relationship.persons: not in the agreed form"),
    ("an episode without a name", with_request(item=PLAIN["item"] | {"episode": " "}),
     "line 1: request.item.episode: not in the agreed form"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "error"), [pytest.param(*row[1:], id=row[0]) for row in BAD_LINES])
def test_a_bad_line_is_refused_and_says_why(line: bytes, error: str) -> None:
    refused, decided = list(evaluate(lines_of(io.BytesIO(line + b"\r\n\r\n" + GOOD + b"\r\n"))))
    assert refused["error"].startswith(error)
    assert refused["decision"] == {
        "outcome": "DENY",
        "answer": None,
        "fields": [],
        "obligations": ["ROUTE_HUMAN"],
        "rules": ["P50"],
    }
    assert (decided["id"], decided["decision"]["outcome"], "error" in decided) == ("good", "PERMIT", False)


def test_a_byte_order_mark_does_not_cost_the_first_line_its_decision() -> None:
    (row,) = evaluate([b"\xef\xbb\xbf" + GOOD])
    assert row["decision"]["outcome"] == "PERMIT"


def test_an_id_given_twice_is_refused_the_second_time() -> None:
    first, second = evaluate([GOOD, GOOD])
    assert first["decision"]["outcome"] == "PERMIT"
    assert second["error"] == "line 2: this id was given to an earlier line"
    assert (second["id"], second["decision"]["outcome"]) == ("good", "DENY")


def test_a_gp_check_out_of_form_answers_not_available() -> None:
    (row,) = evaluate([with_request(purpose="GP_PACKAGE_CHECK", sar="?")])
    assert row["decision"]["answer"] == "NOT_AVAILABLE"


def test_an_error_never_repeats_what_was_written() -> None:
    (row,) = evaluate([with_request(purpose="ASTRID LINDHOLM", **{"ASTRID LINDHOLM": 1})])
    assert "LINDHOLM" not in json.dumps(row)


def test_the_command_decides_every_line_and_counts_those_in_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = tmp_path / "cases.jsonl"
    half = json.dumps({"id": "\ud800", "request": PLAIN}).encode()
    cases.write_bytes(b"\n".join([b"\xff", half, b"", GOOD]))
    assert main([str(cases)]) == 0
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [row["id"] for row in rows] == ["line-1", "\ud800", "good"]
    assert said.err == "1 of 3 lines are no request; each is refused, and its error says why.\n"
    assert main([str(tmp_path / "none.jsonl")]) == 2
    assert "cannot be read" in capsys.readouterr().err
