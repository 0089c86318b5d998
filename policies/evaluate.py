"""python -m policies.evaluate CASES.jsonl > DECISIONS.jsonl: one decision per request line, in the same order.

For: replaying and measuring decisions. A line that is no valid request is refused with a human route (P50);
it must never stop the run or be left out.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from policies.case import DecisionRequest, RequestInvalid
from policies.decide import cannot_decide, decide
from policies.vocabulary import Purpose


def evaluate(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield `{"id", "decision"}` for each line that is not blank."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _evaluate_line(line, number)


def _evaluate_line(line: str, number: int) -> dict[str, Any]:
    name, gp_check = f"line-{number}", False
    try:
        row = json.loads(line)
        name = row["id"] if isinstance(row["id"], str) else name
        gp_check = row["request"]["purpose"] == Purpose.GP_PACKAGE_CHECK
        decision = decide(DecisionRequest.from_json(row["request"]))
    except (ValueError, KeyError, TypeError, RecursionError, RequestInvalid):
        decision = cannot_decide(gp_check=gp_check)
    return {"id": name, "decision": decision.to_json()}


def main(arguments: list[str]) -> int:
    """Read the named file, write decisions to standard output."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m policies.evaluate CASES.jsonl > DECISIONS.jsonl\n")
        return 2
    with Path(arguments[0]).open(encoding="utf-8") as lines:
        for row in evaluate(lines):
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
