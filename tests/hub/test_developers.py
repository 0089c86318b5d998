"""The reference of the interface: complete, and every example on it works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.api.examples import BEGINNINGS, EXAMPLES
from hub.api.operations import OPERATIONS
from hub.api.problems import KINDS
from tests.conftest import House, Visitor
from tests.hub.test_machines import served

ROOT = Path(__file__).resolve().parents[2]


def test_every_operation_and_every_problem_has_its_page_and_no_other_has(house: House) -> None:
    visitor = Visitor(house)
    start = visitor.get("/developers").text
    assert set(EXAMPLES) == set(OPERATIONS)
    for name, found in OPERATIONS.items():
        page = visitor.get(f"/developers/{name}")
        assert page.status_code == 200, name
        assert found.summary.replace("'", "&#39;") in page.text
        assert f"/developers/{name}" in start
    for kind in KINDS:
        assert KINDS[kind].title.replace("'", "&#39;") in visitor.get(f"/problems/{kind}").text
        assert f"/problems/{kind}" in start
    for path in ("/developers/nothing", "/problems/nothing"):
        assert visitor.get(path).status_code == 404


def test_every_example_of_the_reference_works(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
    monkeypatch.chdir(tmp_path)
    theirs = house.demonstration.folder / "client"
    ours = tmp_path / "var" / "demo" / "client"
    ours.mkdir(parents=True)
    register = house.hub.settings.clients_file
    assert register
    with served(house, None) as url:
        for name in ("client.json", "council.json"):
            told = json.loads((theirs / name).read_text())
            (ours / name).write_text(json.dumps({**told, "base_url": url}))
        (ours / "key.pem").write_text((theirs / "key.pem").read_text())
        for whose, beginning in BEGINNINGS.items():
            names: dict[str, object] = {}
            exec(beginning, names)
            for of, example in EXAMPLES.values():
                if of == whose:
                    exec(example, names)
            names["kith"].session.close()  # type: ignore[attr-defined]
        said = capsys.readouterr().out
        assert said.startswith("YES ")
        assert "CLOSED" in said
        command = [
            sys.executable,
            ROOT / "docs/examples/kith_client.py",
            ours / "client.json",
            "gp-check",
            "999 700 0390",
        ]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "NO_PROXY": "*"}, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["answer"] == "YES"
