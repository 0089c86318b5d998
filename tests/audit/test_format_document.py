"""What the document says is what the code does."""

import base64
import json
import re
from pathlib import Path

import pytest

from audit import SHAPES, Kind
from audit.__main__ import main
from audit.events import CODE, FIELDS, canonical

DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "audit-format.md").read_text(encoding="utf-8")


def listed(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_the_example_is_a_receipt_that_holds(tmp_path: Path) -> None:
    envelope, receipt = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL))
    key = re.search(r"--key (kith\S+)", DOCUMENT)[1]
    receipt["envelope"] = base64.b64encode(canonical(envelope)).decode()
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(receipt))
    assert main(["verify", str(path), "--key", key]) == 0
    envelope["event"]["purpose"] = "MARAC"
    receipt["envelope"] = base64.b64encode(canonical(envelope)).decode()
    path.write_text(json.dumps(receipt))
    assert main(["verify", str(path), "--key", key]) == 1


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_its_line(kind: Kind) -> None:
    line = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| `{kind}` |"))
    _, _, required, optional, _ = line.split("|")
    always = set.intersection(*(set(shape.required | shape.optional) for shape in SHAPES.values()))
    assert listed(required) == set(SHAPES[kind].required)
    assert listed(optional) == set(SHAPES[kind].optional - always)


@pytest.mark.parametrize("name", FIELDS)
def test_each_key_has_its_line(name: str) -> None:
    table = DOCUMENT.split("| key | holds |")[1].split("## ")[0]
    assert any(name in listed(line.split("|")[1]) for line in table.splitlines() if line.startswith("|"))


def test_the_shape_of_a_code_is_the_documented_one() -> None:
    assert f"`{CODE.pattern}`" in DOCUMENT
