"""The house: which room may use which, and what stands where."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("audit", "policies", "consent", "connectors", "hub")
#: What each leaf may import of ours.
MAY_IMPORT = {
    "audit": set(),
    "policies": set(),
    "consent": {"policies.vocabulary"},
    "connectors": {"policies.vocabulary"},
}
#: The only parts of the hub that know Flask.
KNOW_FLASK = ("hub/app.py", "hub/headers.py", "hub/signin/", "hub/web/", "hub/api/", "hub/demo/")
#: Where the hub reaches past a leaf's front door, and why it must.
PAST_THE_DOOR = {
    ("hub/db.py", "audit.tables"),
    ("hub/db.py", "connectors.tables"),
    ("hub/db.py", "consent.tables"),  # migrations
    ("hub/commands/bench_fan_out.py", "connectors.simulator"),  # partners to be measured with, never to be served
}


def modules(package: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def ours(name: str) -> bool:
    return name.split(".")[0] in PACKAGES


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_leaf_imports_nothing_of_ours_but_the_dictionary(package: str) -> None:
    wrong = [
        (path, name)
        for path, tree in modules(package)
        for name in imported(tree)
        if ours(name) and name.split(".")[0] != package and name not in MAY_IMPORT[package]
    ]
    assert wrong == []


def test_the_hub_enters_a_leaf_only_by_its_front_door() -> None:
    wrong = [
        (path, name)
        for path, tree in modules("hub")
        for name in imported(tree)
        if ours(name)
        and not name.startswith("hub")
        and "." in name
        and name != "policies.vocabulary"
        and (path, name) not in PAST_THE_DOOR
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_flask_is_known_only_where_pages_are_made(package: str) -> None:
    wrong = [
        path
        for path, tree in modules(package)
        for name in imported(tree)
        if name.split(".")[0] in {"flask", "werkzeug"} and not path.startswith(KNOW_FLASK)
    ]
    assert wrong == []


def test_the_demonstration_is_imported_only_by_its_own_command() -> None:
    wrong = [
        path
        for path, tree in modules("hub")
        for name in imported(tree)
        if name.startswith("hub.demo")
        and not path.startswith(("hub/demo/", "hub/commands/demo.py", "hub/commands/bench"))
    ]
    assert wrong == []


def test_only_one_module_of_the_hub_makes_database_engines() -> None:
    makers = [
        path
        for path, tree in modules("hub")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "create_engine"
    ]
    assert makers == ["hub/db.py", "hub/db.py"]


def test_a_view_has_no_query_and_asks_no_partner() -> None:
    wrong = [
        (path, name)
        for path, tree in modules("hub")
        if path.startswith(("hub/web/", "hub/api/")) and not path.endswith("/common.py")
        for name in imported(tree)
        if name.split(".")[0] == "sqlalchemy" or name in {"hub.permits", "hub.redaction.apply"}
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is_for(package: str) -> None:
    silent = [
        path
        for path, tree in modules(package)
        if not ast.get_docstring(tree) and tree.body and "/migrations/versions/" not in path
    ]
    assert silent == []


def test_no_module_has_a_name_without_an_idea() -> None:
    banned = {"utils", "util", "helpers", "helper", "manager", "misc", "service"}
    # What is fetched into var/ is not ours.
    ours_alone = (p for p in ROOT.rglob("*.py") if not {".venv", "var"} & set(p.relative_to(ROOT).parts))
    assert [p for p in ours_alone if p.stem in banned] == []


def test_everything_that_runs_comes_from_the_locked_requirements() -> None:
    declared = {
        line.split("[")[0].split("=")[0].split(">")[0].strip().replace("-", "_").lower()
        for name in ("requirements.in", "requirements-train.in", "requirements-device.in")
        for line in (ROOT / name).read_text().splitlines()
        if line and not line.startswith(("#", "-r"))
    }
    from_package = {
        "urllib3": "requests",
        "werkzeug": "flask",
        "jinja2": "flask",
        "markupsafe": "flask",
        "pkcs11": "python_pkcs11",
    }
    used = {
        name.split(".")[0].lower()
        for package in PACKAGES
        for _path, tree in modules(package)
        for name in imported(tree)
        if not ours(name) and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert {from_package.get(name, name) for name in used} - declared == set()
    needed_by_others = {
        "psycopg",
        "govuk_frontend_jinja",
        "numpy",
        "python_pkcs11",
    }  # named in an address, in a loader, needed by functions of DuckDB
    assert declared - used - needed_by_others == set()
