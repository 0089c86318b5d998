"""The run-time scorer gives the weight that Splink gives, and Splink trains the model that it reads."""

import csv
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors import Reject, read_mapping
from hub.commands.match import AS_SPLINK, match
from hub.people.matching.by_splink import SplinkMissing, train, weights
from hub.people.matching.candidates import pairs
from hub.people.matching.compare import COMPONENTS, START_MODEL, Model, Scorer
from hub.people.matching.normalise import Prepared, prepare

DATA = Path(__file__).parents[1] / "data"
SETS = ("five_agency", "varied_people")
HAS_SPLINK = all(importlib.util.find_spec(name) for name in ("splink", "duckdb", "pyarrow", "numpy"))
needs_splink = pytest.mark.skipif(not HAS_SPLINK, reason="Splink is optional: requirements-train.txt")


def records(name: str) -> list[Prepared]:
    """A set's records as matching sees them."""
    found = [
        prepare(r)
        for one in read_mapping(DATA / name / "MAPPING.toml").values()
        for r in one.people_in(DATA / name)
        if not isinstance(r, Reject)
    ]
    return sorted(found, key=lambda r: (r.agency, r.record))


def golden(name: str) -> Iterator[tuple[Prepared, Prepared, float]]:
    """The pairs of a set with the bits that Splink gave them."""
    at = {(r.agency, r.record): r for r in records(name)}
    with (DATA / name / "splink_weights.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            pair = (at[row[f"agency_{side}"], row[f"record_{side}"]] for side in "ab")
            yield *pair, float(row["splink_bits"])


@pytest.mark.parametrize("name", SETS)
def test_the_scorer_gives_the_weights_that_splink_gave(name: str) -> None:
    scorer = Scorer(Model.load())
    told = list(golden(name))
    assert len(told) > 400
    assert [(a.record, b.record) for a, b, bits in told if abs(scorer.weigh(a, b).bits - bits) > AS_SPLINK] == []


def test_the_golden_pairs_show_every_component_and_people_with_several_names() -> None:
    scorer = Scorer(Model.load())
    told = [pair for name in SETS for pair in golden(name)]
    seen = {component for a, b, _ in told for component, _, _ in scorer.parts(a, b)}
    assert seen == set(COMPONENTS)
    assert sum(len(a.names) > 1 and len(b.names) > 1 for a, b, _ in told) > 20


def test_the_parts_of_a_weight_add_up_to_it_whichever_record_comes_first() -> None:
    scorer = Scorer(Model.load())
    for a, b, _ in golden("varied_people"):
        assert sum(bits for _, _, bits in scorer.parts(a, b)) == pytest.approx(scorer.weigh(b, a).bits, abs=1e-9)


@needs_splink
@pytest.mark.parametrize("name", SETS)
def test_splink_itself_gives_these_weights_today(name: str) -> None:
    told = list(golden(name))[:200]
    found = weights(Model.load(), [(a, b) for a, b, _ in told])
    assert max(abs(bits - splink) for (_, _, bits), splink in zip(told, found, strict=True)) <= AS_SPLINK


@needs_splink
def test_splink_and_the_scorer_agree_whatever_the_model_says() -> None:
    of_set = records("varied_people")
    found = sorted(pairs(of_set))[:150]
    sample = [(of_set[key // len(of_set)], of_set[key % len(of_set)]) for key in found]
    odd = replace(Model.load(START_MODEL), frequencies={"given": {"RUBY": 0.2}, "postcode": {"TH28GX": 0.3}}, rarest={})
    scorer = Scorer(odd)
    assert [scorer.weigh(a, b).bits for a, b in sample] == pytest.approx(weights(odd, sample), abs=AS_SPLINK)


@needs_splink
def test_training_twice_gives_the_same_model_and_levels_that_add_up() -> None:
    few = records("five_agency")
    start = Model.load(START_MODEL)
    once, again = train(few, start), train(list(few), start)
    assert once == again
    assert once.model.m != start.m
    for shares in (*once.model.m.values(), *once.model.u.values()):
        assert sum(shares) == pytest.approx(1)
        assert min(shares) > 0


@needs_splink
def test_what_no_pair_could_teach_keeps_its_share() -> None:
    start = Model.load(START_MODEL)
    trained = train(records("five_agency"), start).model
    assert trained.m["contact"] == pytest.approx(start.m["contact"]), "no file of this set holds a telephone number"


def test_training_without_splink_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(SplinkMissing, match=r"requirements-train\.txt"):
        train(records("varied_people"), Model.load(START_MODEL))
    folder = DATA / "varied_people"
    out = tmp_path / "model.json"
    files = ["--records", str(folder), "--mapping", str(folder / "MAPPING.toml"), "--out", str(out)]
    said = CliRunner().invoke(match, ["train", "--name", "x", *files])
    assert said.exit_code == 1
    assert "requirements-train.txt" in said.output
    assert not out.exists()
