"""python -m policies.evaluate CASES.jsonl > DECISIONS.jsonl: one decision per request line, in the same order.

For: replaying and measuring decisions; `-` reads standard input. A line that is no valid request is refused with
a human route (P50) and its `error` says where it is wrong, never what was written there; it must never stop the
run or be left out, and never let the lines after it go undecided.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from policies.case import DecisionRequest, RequestInvalid
from policies.decide import cannot_decide, decide
from policies.vocabulary import Purpose

#: A request takes about five thousand bytes; a line beyond this is an attack or a mistake, and is not read whole.
LONGEST_LINE = 1_000_000
MARK = b"\xef\xbb\xbf"


class LineInvalid(ValueError):
    """A line that holds no request; the sentence may be logged."""


def lines_of(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file, each cut just beyond the longest line that is decided."""
    while line := stream.readline(LONGEST_LINE + 1):
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST_LINE + 1)
        yield line


def evaluate(lines: Iterable[bytes | str]) -> Iterator[dict[str, Any]]:
    """Yield `{"id", "decision"}`, and `"error"` where a line is no request, for each line that is not blank."""
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        plain = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
        plain = plain.removeprefix(MARK) if number == 1 else plain
        if plain.strip():
            yield _evaluate_line(plain, number, seen)


def _evaluate_line(line: bytes, number: int, seen: set[str]) -> dict[str, Any]:
    row: object = None
    name = f"line-{number}"
    try:
        row = _read(line)
        name = _name(row, name)
        if name in seen:
            raise LineInvalid("this id was given to an earlier line")
        seen.add(name)
        if "request" not in row:
            raise LineInvalid("the key request is missing")
        return {"id": name, "decision": decide(DecisionRequest.from_json(row["request"])).to_json()}
    except RequestInvalid as error:
        reason = f"request.{error.path}: {error.reason}" if error.path != "." else f"request: {error.reason}"
    except LineInvalid as error:
        reason = str(error)
    except Exception as error:  # Whatever a hostile line brings about, the others are decided.
        reason = f"cannot be read ({type(error).__name__})"
    refusal = cannot_decide(gp_check=_is_gp_check(row))
    return {"id": name, "decision": refusal.to_json(), "error": f"line {number}: {reason}"}


def _read(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise LineInvalid(f"longer than {LONGEST_LINE:,} bytes")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineInvalid("not UTF-8") from error
    try:
        row = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise LineInvalid(f"not JSON at column {error.colno}") from error
    except RecursionError as error:
        raise LineInvalid("nested too deeply") from error
    if not isinstance(row, dict):
        raise LineInvalid("a table of keys is needed")
    return row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key that is written twice could be read in two ways, so it is not read at all."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise LineInvalid("the same key twice in one table")
    return table


def _no_constant(word: str) -> None:
    raise LineInvalid("a number that is none")


def _name(row: dict[str, Any], otherwise: str) -> str:
    if "id" not in row:
        raise LineInvalid("the key id is missing")
    if not isinstance(row["id"], str):
        raise LineInvalid("id: a text is needed")
    return row["id"] or otherwise


def _is_gp_check(row: object) -> bool:
    request = row.get("request") if isinstance(row, dict) else None
    return isinstance(request, dict) and request.get("purpose") == Purpose.GP_PACKAGE_CHECK


def _write_decisions(stream: IO[bytes]) -> None:
    read = wrong = 0
    for row in evaluate(lines_of(stream)):
        read, wrong = read + 1, wrong + ("error" in row)
        sys.stdout.write(json.dumps(row) + "\n")
    if wrong:
        sys.stderr.write(f"{wrong} of {read} lines are no request; each is refused, and its error says why.\n")


def main(arguments: list[str]) -> int:
    """Read the named file, write decisions to standard output and the count of lines in error to standard error."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m policies.evaluate CASES.jsonl > DECISIONS.jsonl\n")
        return 2
    try:
        if arguments[0] == "-":
            _write_decisions(sys.stdin.buffer)
        else:
            with Path(arguments[0]).open("rb") as stream:
                _write_decisions(stream)
    except OSError as error:
        sys.stderr.write(f"{arguments[0]}: cannot be read ({error.strerror}).\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
