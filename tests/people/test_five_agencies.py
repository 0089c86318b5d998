"""End to end on files nobody here wrote: seven agencies, the same fictional households, and truth only afterwards."""

import ast
import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors import Reject, read_mapping
from hub.commands.match import match
from hub.people.measuring import Truth, measure_pictures

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "tests" / "data" / "five_agency"
MAPPING = FILES / "MAPPING.toml"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(match, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("linked")
    files = ("--records", str(FILES), "--mapping", str(MAPPING))
    run("link", *files, "--out", str(folder / "LINKS.csv"), "--cores", "1")
    run("families", *files, "--links", str(folder / "LINKS.csv"), "--out", str(folder / "FAMILIES.csv"))
    return folder


def test_nothing_that_links_can_read_truth() -> None:
    for path in sorted((ROOT / "hub").rglob("*.py")):
        imports = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom | ast.Import)]
        names = {alias.name for node in imports for alias in node.names}
        module = path.relative_to(ROOT).as_posix()
        if module not in ("hub/commands/match.py", "hub/commands/bench_households.py", "hub/people/measuring.py"):
            assert not names & {"Truth", "measure_links", "measure_families", "measure_pictures"}, module
            assert "truth_" not in path.read_text(), module


def test_hardly_anybody_is_taken_for_another(linked: Path) -> None:
    lines = run(
        "measure",
        "--links",
        str(linked / "LINKS.csv"),
        "--families",
        str(linked / "FAMILIES.csv"),
        "--truth",
        str(FILES),
    ).splitlines()
    cells = next(line for line in lines if line.startswith("all |")).split(" | ")
    precision, recall, with_review = float(cells[6]), float(cells[7]), float(cells[9])
    assert precision >= 0.995
    assert recall >= 0.94
    assert with_review >= 0.97
    households = next(line for line in lines if line.startswith("child households"))
    assert float(households.split("(")[1].split(")")[0]) >= 0.75


def test_misses_are_told_by_age_sex_and_ethnic_group_and_add_up(linked: Path) -> None:
    files = ("--records", str(FILES), "--mapping", str(MAPPING), "--truth", str(FILES))
    lines = run("measure", "--links", str(linked / "LINKS.csv"), *files).splitlines()
    rows = [line.split(" | ") for line in lines[lines.index(next(x for x in lines if x.startswith("group |"))) + 1 :]]
    sums = {
        kind: [sum(int(row[at]) for row in rows if row[0].startswith(kind)) for at in (1, 2)]
        for kind in ("age ", "sex ", "ethnic group ")
    }
    assert len({tuple(s) for s in sums.values()}) == 1
    assert sums["sex "][0] > sums["sex "][1] > 0


def test_truth_may_lie_in_a_column_of_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id, who\nr1, rec-7-org\n")
    (tmp_path / "T.toml").write_text(
        '[[records]]\nfile = "a.csv"\nagency = "a"\nrecord = "id"\nperson = "who"\npattern = "rec-([0-9]+)-"\n'
    )
    assert Truth.described(tmp_path, tmp_path / "T.toml").person == {("a", "r1"): "7"}


def test_every_record_has_one_person_and_one_household(linked: Path) -> None:
    with (linked / "FAMILIES.csv").open() as file:
        rows = list(csv.DictReader(file))
    held = [r for one in read_mapping(MAPPING).values() for r in one.people_in(FILES) if not isinstance(r, Reject)]
    assert {(r["agency"], r["record"]) for r in rows} == {(r.agency, r.record) for r in held}
    assert len(rows) == len(held)
    assert len({r["person"] for r in rows}) == len({(r["person"], r["household"]) for r in rows})


def test_linking_twice_gives_the_same_file(linked: Path, tmp_path: Path) -> None:
    again = tmp_path / "AGAIN.csv"
    run("link", "--records", str(FILES), "--mapping", str(MAPPING), "--out", str(again), "--cores", "1")
    assert again.read_bytes() == (linked / "LINKS.csv").read_bytes()


def test_fifty_children_get_their_families_through_the_index() -> None:
    held = [r for one in read_mapping(MAPPING).values() for r in one.people_in(FILES) if not isinstance(r, Reject)]
    counted = measure_pictures(held, Truth.read(FILES), 50)
    assert counted.children == 50
    assert counted.found / (counted.found + counted.missed) >= 0.85
    assert counted.wrong <= 0.06 * counted.found
    assert counted.records_of_another <= 0.005 * counted.records
