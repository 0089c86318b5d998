"""docs/matching.md says every key of MAPPING.toml and every finding about a record, and none that is gone."""

import ast
import re
from pathlib import Path

from connectors.formats import people
from hub.people.matching.assign import BREAKS
from hub.people.quality import KINDS
from hub.words import BREAK_WORDS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "matching.md").read_text(encoding="utf-8")
#: How the reader of a mapping asks its table for a key.
READS = {"text", "maybe", "texts", "table", "tables", "pairs", "coded"}


def read_keys() -> set[str]:
    """Every key that the reader of mappings asks for, from its source."""
    tree = ast.parse(Path(people.__file__).read_text(encoding="utf-8"))
    asked = {
        call.args[-1].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in READS
        and call.args
        and isinstance(call.args[-1], ast.Constant)
        and isinstance(call.args[-1].value, str)
    }
    parts = {"line1", "line2", "city", "postcode", "uprn", "usrn", "values", "date_of_birth"}
    return asked | parts


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", DOCUMENT, re.S | re.M)
    assert found, title
    return found[1]


def test_every_key_that_a_mapping_may_have_is_in_the_reference() -> None:
    keys = read_keys()
    assert {"record", "inside", "related", "separator", "inverse"} <= keys
    words = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`[^`]*`", section("MAPPING.toml")))))
    assert sorted(keys - words) == []


def test_every_finding_about_a_record_is_in_the_document_and_no_other() -> None:
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", section("What goes back to an agency"), re.M))
    assert listed == set(KINDS)


def test_every_rule_that_a_join_may_break_has_words() -> None:
    assert set(BREAK_WORDS) == set(BREAKS)
