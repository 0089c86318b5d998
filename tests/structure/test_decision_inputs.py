"""Every field that a decision reads has somebody who supplies it, named in docs/decision-inputs.md, or is closed."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from policies import DecisionRequest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "decision-inputs.md"
NOBODY = "nobody yet"


def leaves(kind: Any, before: str = "") -> Iterator[str]:
    """The dotted name of every field of a request, down to the codes; what is worked out from others is none."""
    hints = get_type_hints(kind)
    for one in fields(kind):
        if one.init:
            inner = [part for part in (hints[one.name], *get_args(hints[one.name])) if is_dataclass(part)]
            yield from leaves(inner[0], f"{before}{one.name}.") if inner else (before + one.name,)


def rows() -> list[list[str]]:
    table = [line for line in TABLE.read_text().splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_every_field_of_a_request_stands_in_the_table_once() -> None:
    named = [name for row in rows() for name in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(named) == sorted(leaves(DecisionRequest))


def test_every_row_names_a_module_that_is_there_and_a_test_that_is_there() -> None:
    for names, who, where, test in rows():
        path, _, name = test.strip("`").partition("::")
        assert (ROOT / path).exists(), test
        assert not name or f"def {name}(" in (ROOT / path).read_text(), test
        if who != NOBODY:
            assert (ROOT / where.strip("`")).exists(), names


def supplied() -> set[str]:
    """The blocks and fields that the hub writes into requests: keywords where one is made, or made again with more."""
    made = {"DecisionRequest": "", "Item": "item.", "Access": "access.", "Episode": "episode."}
    again = {"request": "", "item": "item.", "_access": "access.", "episode": "episode."}
    found = set()
    for path in (ROOT / "hub").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call):
                before = made.get(_last(call.func))
                if _last(call.func) == "replace" and call.args:
                    before = again.get(_last(call.args[0]))
                if before is not None:
                    found |= {before + str(keyword.arg) for keyword in call.keywords}
    return found


def _last(node: ast.expr) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def test_what_nobody_supplies_is_put_into_no_request() -> None:
    written = supplied()
    assert {"circumstances", "item.seal", "access.rationale", "episode.brag"} <= written
    for names, who, _, _ in rows():
        if who == NOBODY:
            for name in re.findall(r"`([^`]+)`", names):
                block = name.rpartition(".")[0]
                assert name not in written, name
                assert block not in written - {"access", "item", "episode"}, name
