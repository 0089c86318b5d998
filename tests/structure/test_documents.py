"""Documents say what is there: settings, commands and links are held by tests."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.commands import Verbs, hub
from hub.settings import DESCRIBED

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("setting", DESCRIBED)
def test_every_setting_has_its_line_with_its_default(setting: str) -> None:
    default, meaning = DESCRIBED[setting]
    assert f"| `{setting}` | `{default}` | {meaning} |" in (ROOT / "docs" / "operating.md").read_text()


@pytest.mark.parametrize("verb", Verbs.modules)
def test_every_command_has_its_line_and_its_help(verb: str) -> None:
    assert f"`python -m hub {verb}" in (ROOT / "docs" / "operating.md").read_text()
    answer = CliRunner().invoke(hub, [verb, "--help"])
    assert answer.exit_code == 0
    assert "Usage" in answer.output


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", document.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("target", ["demo", "test", "check"])
def test_the_readme_names_make_targets_that_exist(target: str) -> None:
    assert f"make {target}" in (ROOT / "README.md").read_text()
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


def test_attacks_of_the_threat_model_name_tests_that_exist() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) >= 15
    for path, name in named:
        source = (ROOT / path).read_text()
        assert not name or f"def {name}(" in source, f"{path}::{name}"


def test_every_proof_of_the_trail_has_its_line_and_every_line_its_proof() -> None:
    told = set(re.findall(r"`make trail-proofs NAME=(\w+)`", (ROOT / "docs" / "operating.md").read_text()))
    assert told == set(re.findall(r'^        "(\w+)": \(', (ROOT / "tests/simulation/__main__.py").read_text(), re.M))


def test_data_of_others_has_its_licence_beside_it() -> None:
    for folder in (ROOT / "tests" / "data").iterdir():
        if folder.is_dir():
            assert (folder / "SOURCE.md").exists(), folder.name
            assert (folder / "LICENSE").exists(), folder.name
            assert f"tests/data/{folder.name}/" in (ROOT / "NOTICE").read_text()
