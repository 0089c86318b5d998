"""Records of the MAIS standards as JSON: wrong ones are refused with their place, right ones come back as they came."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.mais_form import TYPES, MaisInvalid, read_mais
from connectors.mais_records import main

DATA = Path(__file__).parents[1] / "data" / "mais"
VALID = sorted(DATA.glob("*-valid.json"))
EXAMPLES = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in VALID}
EVENT = EXAMPLES["12-PUB02-LifeEvent-valid.json"]

WRONG: list[tuple[str, str, Any, str]] = [
    ("no type", "@type", None, ".: not a type of the standards"),
    ("a type that there is not", "@type", "Dragon", ".: not a type of the standards"),
    ("a type that is no text", "@type", ["LifeEvent"], ".: not a type of the standards"),
    ("a missing list", "identifier", None, "LifeEvent.identifier: missing"),
    ("an empty list", "type", [], "LifeEvent.type: missing"),
    ("one where the standard wants many", "type", "birth", "LifeEvent.type: a list is needed"),
    ("a number for a text", "location", [1], "LifeEvent.location[0]: a text is needed"),
    ("a text for an object", "subjectPerson", ["x"], "LifeEvent.subjectPerson[0]: an object is needed"),
    ("another type inside", "relatedService", [{"@type": "Name", "value": "x", "system": "y"}],
     "LifeEvent.relatedService[0].@type: Identifier is needed"),
    ("a part of an identifier", "identifier", [{"value": "x"}], "LifeEvent.identifier[0].system: missing"),
    ("no moment", "timeInformation", [{"startDateTime": "2026-05-01"}],
     "LifeEvent.timeInformation[0].startDateTime: an ISO 8601 date-time is needed"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "why"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_the_standard_does_not_allow_is_refused_with_its_place(key: str, value: Any, why: str) -> None:
    plain = copy.deepcopy(EVENT) | {key: value}
    with pytest.raises(MaisInvalid) as refused:
        read_mais({name: one for name, one in plain.items() if one is not None})
    assert str(refused.value).startswith(why)


PLAIN: list[tuple[dict[str, Any], str]] = [
    ({"@type": "PartialDate", "date": "20170901"}, "a date"),
    ({"@type": "PartialDate", "date": "2017-02-30"}, "a date"),
    ({"@type": "Measurement", "value": "12", "unit": "count", "type": "x"}, "a number"),
    ({"@type": "Measurement", "value": True, "unit": "count", "type": "x"}, "a number"),
    ({"@type": "Service", **EXAMPLES["09-PUB02-Service-valid.json"], "active": "yes"}, "true or false"),
    ({"resourceType": "Parameters", "parameter": [1]}, "an object"),
]


@pytest.mark.parametrize(("plain", "needed"), PLAIN)
def test_a_value_of_the_wrong_kind_is_never_guessed_at(plain: dict[str, Any], needed: str) -> None:
    with pytest.raises(MaisInvalid, match=f"{needed}.* is needed"):
        read_mais(plain)


def test_nothing_is_read_deeper_than_the_standards_go() -> None:
    assert {one.kind for known in TYPES.values() for one in known.values()} - set(TYPES) <= {
        "text", "truth", "number", "object", "day", "moment"
    }  # fmt: skip
    with pytest.raises(MaisInvalid, match="nested too deeply"):
        read_mais(EVENT, depth=21)


def test_every_valid_example_is_there_and_comes_back_as_it_came() -> None:
    assert len(VALID) == 22
    for name, plain in EXAMPLES.items():
        record = read_mais(plain)
        assert json.dumps(record.to_json()) == json.dumps(plain), name
        assert list(record.unknown()) == [], name
        assert record.type == {"x": "Timing"}.get(name.split("-")[2], name.split("-")[2])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(sorted(EXAMPLES)),
    st.dictionaries(st.text(min_size=1).filter(lambda key: key[0] not in "@r"), st.integers() | st.text(), max_size=3),
)
def test_what_the_standard_does_not_know_is_kept_and_named(name: str, more: dict[str, Any]) -> None:
    known = TYPES[read_mais(EXAMPLES[name]).type]
    plain = EXAMPLES[name] | {key: value for key, value in more.items() if key not in known}
    record = read_mais(plain)
    assert record.to_json() == plain
    assert [place.split(".", 1)[1] for place in record.unknown()] == [key for key in more if key not in known]


def test_an_unknown_key_inside_is_named_with_its_place() -> None:
    plain = copy.deepcopy(EVENT)
    plain["subjectPerson"][0]["person"]["period"] = {}
    assert list(read_mais(plain).unknown()) == ["LifeEvent.subjectPerson[0].person.period"]


def test_the_command_names_what_each_file_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "wrong.json").write_text('{"@type": "Identifier", "value": "x"}')
    (tmp_path / "more.json").write_text('{"@type": "Identifier", "value": "x", "system": "y", "colour": 1}')
    assert main([str(path) for path in VALID]) == 0
    assert "LifeEvent.\n" in capsys.readouterr().out
    for name, said in (
        ("deep.json", "cannot be read as JSON"),
        ("wrong.json", "Identifier.system: missing"),
        ("nowhere.json", "cannot be read as JSON"),
    ):
        assert main([str(tmp_path / name)]) == 1
        assert said in capsys.readouterr().out
    assert main([str(tmp_path / "more.json")]) == 0
    assert "does not know Identifier.colour" in capsys.readouterr().out
