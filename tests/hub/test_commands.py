"""`python -m hub`: every verb says what it did or why not, and ends with the code that scripts rely on."""

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from hub.commands import Verbs, hub
from hub.db import make_engine
from hub.settings import DESCRIBED, ROOT
from policies import read_agreement
from tests.conftest import House

#: A hub of one's own beside the house: the house's partners, but tables, keys and drops of its own.
Run = Callable[..., Result]
on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def run(house: House, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("commands")
    shutil.copytree(house.demonstration.environment["HUB_DROPS_DIR"], folder / "drops")
    own = {
        **house.demonstration.environment,
        "HUB_DATABASE_URL": f"sqlite:///{folder / 'kith.sqlite'}",
        "HUB_KEYS_DIR": str(folder / "keys"),
        "HUB_DROPS_DIR": str(folder / "drops"),
    }

    def run(*arguments: str, **changes: str | None) -> Result:
        return CliRunner().invoke(hub, arguments, env={**own, **changes}, prog_name="python -m hub")

    run.drops = folder / "drops"  # type: ignore[attr-defined]
    return run


def refused(result: Result, *words: str) -> None:
    """Exit code 2, a sentence, and no trace of a program."""
    assert result.exit_code == 2, result.output
    for word in words:
        assert word in result.output
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


# -- without tables ---------------------------------------------------------------------------------------


def test_help_names_every_verb_and_what_it_is_for() -> None:
    result = CliRunner().invoke(hub, ["--help"])
    assert result.exit_code == 0
    for verb in Verbs.modules:
        line = re.search(rf"^  {verb} +(\w.*)$", result.output, re.MULTILINE)
        assert line, verb
        assert CliRunner().invoke(hub, [verb, "--help"]).exit_code == 0


def test_a_verb_that_does_not_exist_is_a_sentence() -> None:
    refused(CliRunner().invoke(hub, ["exfiltrate"]), "No such command")


def test_a_new_key_is_one_that_the_settings_take() -> None:
    first, second = (CliRunner().invoke(hub, ["keys", "new"]).output.strip() for _ in range(2))
    assert first != second
    assert len(base64.b64decode(first, validate=True)) == 32


@on_one_engine
@pytest.mark.parametrize("verb", ["migrate", "load", "serve"])
def test_no_verb_starts_with_a_setting_that_is_refused(run: Run, verb: str) -> None:
    refused(run(verb, HUB_MASTER_KEY=None), "Refused: Exactly one of", "-> Make a key with")
    refused(run(verb, HUB_IDLE_MIN="900"), "Refused: HUB_IDLE_MIN")


@on_one_engine
def test_loading_before_the_tables_are_made_says_what_to_run(run: Run) -> None:
    refused(run("load", "csc"), "run the migrations")


@on_one_engine
def test_the_hub_does_not_start_on_the_tables_of_another_version(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    assert run("migrate", HUB_DATABASE_URL=url).exit_code == 0
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    refused(run("load", "csc", HUB_DATABASE_URL=url), "not the ones of this version", "python -m hub migrate")


@on_one_engine
def test_a_database_that_is_not_there_is_a_sentence_without_its_password(run: Run) -> None:
    lost = "postgresql+psycopg://kith:a-password-nobody-may-see@127.0.0.1:1/kith"
    for verb in ("migrate", "load"):
        result = run(verb, HUB_DATABASE_URL=lost)
        refused(result, "cannot be", "OperationalError")
        assert "a-password-nobody-may-see" not in result.output


@on_one_engine
def test_the_doctor_finds_what_is_wrong_one_thing_at_a_time(run: Run) -> None:
    for changes, found in (
        ({"HUB_MASTER_KEY": "short"}, "WRONG  settings: The master key"),
        ({"HUB_DATABASE_URL": "sqlite:////nowhere/at/all"}, "WRONG  database: cannot be used"),
        ({}, "WRONG  database: its tables are not the newest. Run: python -m hub migrate"),
    ):
        result = run("doctor", **changes)
        assert result.exit_code == 1
        assert found in result.output
        assert "Traceback" not in result.output
        for name in DESCRIBED:
            assert re.search(rf"^{name} +(set|default) ", result.output, re.MULTILINE), name


# -- with tables ------------------------------------------------------------------------------------------


@on_one_engine
def test_migrating_twice_changes_nothing(run: Run) -> None:
    first, second = run("migrate"), run("migrate")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.output.startswith("From nothing to ")
    assert second.output.startswith("The database is at revision ")


@on_one_engine
def test_the_doctor_is_content_with_a_good_hub_and_shows_no_secret(house: House, run: Run) -> None:
    run("migrate")
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "WRONG" not in result.output
    for part in ("settings", "database", "sign-in", "partners", "agreements", "trail"):
        assert f"ok     {part}" in result.output
    assert house.demonstration.environment["HUB_MASTER_KEY"] not in result.output


@on_one_engine
def test_the_doctor_finds_a_hub_that_nobody_can_sign_in_to_and_one_without_partners(run: Run, tmp_path: Path) -> None:
    own = f"sqlite:///{tmp_path / 'kith.sqlite'}"
    run("migrate", HUB_DATABASE_URL=own)
    broken = tmp_path / "issuers.toml"
    broken.write_text('[[issuer]]\ncode = "one"\n')
    for changes, found in (
        ({"HUB_ISSUERS_FILE": "/nowhere.toml"}, "WRONG  sign-in: no identity provider"),
        ({"HUB_ISSUERS_FILE": str(broken)}, "WRONG  sign-in: HUB_ISSUERS_FILE cannot be used"),
        ({"HUB_PARTNERS_DIR": str(tmp_path)}, "WRONG  p"),
    ):
        result = run("doctor", HUB_DATABASE_URL=own, **changes)
        assert result.exit_code == 1, found
        assert found in result.output


@on_one_engine
def test_loading_names_each_broken_row_and_a_second_time_changes_nothing(run: Run) -> None:
    run("migrate")
    first, second, quiet = run("load", "csc"), run("load", "csc"), run("load", "csc", "--quiet")
    assert (first.exit_code, second.exit_code, quiet.exit_code) == (0, 0, 0)
    assert re.search(r"^csc: loaded, 2\d\d people, \d+ items, [1-9] rejects$", first.output, re.MULTILINE)
    assert re.search(r"^  ! people\.csv line \d+, row: 21 cells expected, 3 found$", first.output, re.MULTILINE)
    assert re.search(r"^csc: index (\d+) seen, \1 new, 0 changed, 0 removed$", first.output, re.MULTILINE)
    assert re.search(r"^csc: unchanged, ", second.output, re.MULTILINE)
    assert re.search(r"^csc: index \d+ seen, 0 new, 0 changed, 0 removed$", second.output, re.MULTILINE)
    assert quiet.output == ""


@on_one_engine
def test_the_status_says_who_is_connected_how_and_what_was_loaded(run: Run, house: House) -> None:
    run("migrate")
    run("load", "csc")
    result = run("connectors", "status")
    assert result.exit_code == 0, result.output
    said = dict(re.findall(r"^([a-z0-9-]+): (.*(?:\n  .*)*)", result.output, re.MULTILINE))
    assert set(said) == set(house.hub.partners)
    assert re.search(r"loaded   as of .* people, [\d,]+ items", said["csc"])
    for code, partner in house.hub.partners.items():
        assert partner.coverage.sentence in said[code]
        assert f"by {partner.way} " in said[code]
        if "folder" not in partner.reach:
            assert "loaded" not in said[code]
    assert f"{len(house.hub.partners)} partners" in result.output
    refused(run("connectors", "status", HUB_DATABASE_URL="sqlite:////nowhere/kith.sqlite"), "database", "doctor")


@on_one_engine
def test_nobody_loads_an_agency_that_is_no_partner(run: Run) -> None:
    run("migrate")
    refused(run("load", "nobody"), "No partner has the code nobody", "csc, ")


@on_one_engine
def test_a_broken_drop_costs_its_own_agency_alone_and_the_last_good_load_stays(run: Run, house: House) -> None:
    run("migrate")
    assert run("load", "asc").exit_code == 0
    drop: Path = run.drops / "asc" / "clients.csv"  # type: ignore[attr-defined]
    good = drop.read_text()
    drop.write_text("Surname,Forename\nTarrant,Maisie\n")
    police = Path(house.demonstration.folder / "police.sqlite")
    try:
        result = run("load")
    finally:
        drop.write_text(good)
    assert police.exists()
    assert result.exit_code == 1
    line = next(line for line in result.output.splitlines() if line.startswith("asc: !"))
    assert "not loaded" in line
    assert "The last good load stays visible." in line
    assert "Maisie" not in result.output
    assert "Tarrant" not in result.output
    for other in ("csc", "police", "hv", "housing", "gp-millbrook", "gp-harbourside"):
        assert re.search(rf"^{other}: index [1-9]\d+ seen", result.output, re.MULTILINE), other
    mended = run("load", "asc")
    assert mended.exit_code == 0
    assert re.search(r"^asc: index \d+ seen, 0 new, \d+ changed, 0 removed$", mended.output, re.MULTILINE)


@on_one_engine
def test_on_sqlite_nothing_writes_beside_the_running_site(house: House) -> None:
    result = CliRunner().invoke(hub, ["load", "csc"], env=house.demonstration.environment)
    refused(result, "Refused: ")


# -- the demonstration ------------------------------------------------------------------------------------


def test_the_demonstration_prints_a_picture_with_its_receipt_and_ends(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    done = subprocess.run(
        [sys.executable, "-m", "hub", "demo", "--once", "--folder", str(tmp_path / "demo")],
        cwd=ROOT,
        env={**environment, "HUB_MODE": "production", "COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for words in ("Maisie", "Craig", "Social care", "Police", "Receipt"):
        assert words.casefold() in done.stdout.casefold(), words
    assert "Traceback" not in done.stderr
    assert "broken rows were reported" in done.stderr


def test_the_demonstration_empties_no_folder_that_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("the only copy")
    refused(CliRunner().invoke(hub, ["demo", "--once", "--folder", str(tmp_path)]), "holds something else")
    assert (tmp_path / "thesis.txt").read_text() == "the only copy"


# -- agreements -------------------------------------------------------------------------------------------

AGREEMENT = """
reference = "TEST-1"
version = 1
title = "A test"
status = "IN_SIGNING"
effective_from = 2026-01-01
review = 2099-10-01
dpia_reference = "DPIA-1"
[[parties]]
agency = "csc"
role = "BOTH"
status = "NOT_SIGNED"
[[parties]]
agency = "hv"
role = "DISCLOSER"
status = "WITHDRAWN"
"""


def alone(*arguments: str) -> Result:
    """A verb without any setting: an officer's own machine."""
    nothing = dict.fromkeys(DESCRIBED)
    return CliRunner().invoke(hub, ["agreements", *arguments], env=nothing, prog_name="python -m hub")


@pytest.fixture
def agreement(tmp_path: Path) -> Path:
    folder = tmp_path / "agreements"
    folder.mkdir()
    file = folder / "test.toml"
    file.write_text(AGREEMENT)
    CliRunner().invoke(hub, ["keys", "signatory", str(tmp_path / "csc.key")])
    return file


@pytest.mark.parametrize(
    ("old", "new", "arguments", "why"),
    [
        ("", "", ("--agency", "police", "--office", "Director"), "police is no party"),
        ("", "", ("--agency", "csc"), "give --office"),
        ("", "", ("--agency", "hv", "--office", "Director"), "hv is WITHDRAWN"),
        ("IN_SIGNING", "DRAFT", ("--agency", "csc", "--office", "Director"), "is DRAFT; nobody signs it"),
        ("IN_SIGNING", "TERMINATED", ("--agency", "csc", "--office", "Director"), "is TERMINATED; nobody signs it"),
        ("reference", "referenz", ("--agency", "csc", "--office", "Director"), "unknown keys"),
    ],
)
def test_a_signature_that_could_not_count_is_refused(
    agreement: Path, old: str, new: str, arguments: tuple[str, ...], why: str
) -> None:
    agreement.write_text(AGREEMENT.replace(old, new) if old else AGREEMENT)
    refused(alone("sign", str(agreement), "--key", str(agreement.parent.parent / "csc.key"), *arguments), why)
    assert [one.name for one in agreement.parent.iterdir()] == ["test.toml"]


def test_a_key_that_others_can_read_or_that_is_none_signs_nothing(agreement: Path, tmp_path: Path) -> None:
    loose, broken = tmp_path / "csc.key", tmp_path / "broken.key"
    broken.write_text("c2hvcnQ=")
    broken.chmod(0o600)
    loose.chmod(0o644)
    for key, why in ((loose, "can be read by others"), (broken, "holds no signing key")):
        refused(alone("sign", str(agreement), "--agency", "csc", "--office", "D", "--key", str(key)), why)
    refused(CliRunner().invoke(hub, ["keys", "signatory", str(loose)]), "cannot be made")


def test_an_officer_signs_lists_and_checks_without_a_hub(agreement: Path, tmp_path: Path) -> None:
    public = CliRunner().invoke(hub, ["keys", "signatory", str(tmp_path / "mine.key")]).output.strip()
    signatories = tmp_path / "signatories.toml"
    signatories.write_text(f'[[signatory]]\nagency = "csc"\noffice = "Director"\npublic_key = "{public}"\n')
    arguments = ("--agency", "csc", "--office", "Director", "--on", "2026-01-02", "--key", str(tmp_path / "mine.key"))
    signed = alone("sign", str(agreement), *arguments)
    assert signed.exit_code == 0, signed.output
    assert 'status = "SIGNED"\n  signed_on = 2026-01-02\n  signatory = "Director"' in signed.output
    said = 'status = "SIGNED"\nsigned_on = 2026-01-02\nsignatory = "Director"'
    active = AGREEMENT.replace("IN_SIGNING", "ACTIVE").replace('status = "NOT_SIGNED"', said)
    agreement.write_text(active)
    options = ("--folder", str(agreement.parent), "--signatories", str(signatories))
    assert "signed by csc; hv WITHDRAWN" in alone("list", *options).output
    agreement.write_text(active.replace("DPIA-1", "DPIA-2"))
    assert "signed by nobody; csc NOT_SIGNED; hv WITHDRAWN" in alone("list", *options).output
    checked = alone("check", *options)
    assert checked.exit_code == 1
    assert "Fault: test.toml: TEST-1 version 1: csc counts as not signed: its signature does not fit" in checked.output
    unchecked = alone("list", "--folder", str(agreement.parent))
    assert "signed by csc" in unchecked.output
    assert "NOT CHECKED" in unchecked.output


@pytest.mark.parametrize("form", ["mais", "odrl"])
@pytest.mark.parametrize("path", sorted((ROOT / "policies" / "agreements").glob("*.toml")), ids=lambda path: path.stem)
def test_an_agreement_goes_out_and_comes_back_as_a_draft(path: Path, form: str, tmp_path: Path) -> None:
    about = ("--uri", "https://example.org/a", "--system", "https://example.org/s", "--contact", "ig@example.org")
    out = alone("export", str(path), "--as", form, *about)
    assert out.exit_code == 0, out.output
    assert "Note: " in out.stderr
    (tmp_path / "policy").write_text(out.stdout, encoding="utf-8")
    back = alone("import", str(tmp_path / "policy"), "--as", form)
    assert back.exit_code == 0, back.output
    (tmp_path / "back.toml").write_text(back.stdout, encoding="utf-8")
    same = alone("diff", str(tmp_path / "back.toml"), str(path))
    assert "needs a new version" not in same.output
    before, after = read_agreement(path), read_agreement(tmp_path / "back.toml")
    assert (after.status, after.clauses, after.terms) == ("DRAFT", before.clauses, before.terms)


@pytest.mark.parametrize("text", ["{", "nonsense", "{}", "@prefix a: <b> ."])
@pytest.mark.parametrize("form", ["mais", "odrl"])
def test_what_carries_no_agreement_is_refused_with_a_sentence(text: str, form: str, tmp_path: Path) -> None:
    (tmp_path / "policy").write_text(text, encoding="utf-8")
    said = alone("import", str(tmp_path / "policy"), "--as", form)
    assert said.exit_code == 2
    assert said.stdout == ""
    assert said.stderr.startswith("Refused: ")


def test_the_seed_agreements_are_sound_but_unchecked_without_signatories() -> None:
    checked = alone("check")
    assert "Signatures are NOT CHECKED" in checked.output
    assert re.search(r"^\d+ agreements read, \d+ faults\.$", checked.output, re.MULTILINE)
    assert alone("list").exit_code == 0


def test_a_difference_says_what_it_needs_and_scripts_can_tell(agreement: Path) -> None:
    other = agreement.with_name("other.toml")
    for old, new, code, said in (
        ("", "", 0, "They say the same."),
        ("DPIA-1", "DPIA-2", 1, "write it as version 2, IN_SIGNING"),
        ("IN_SIGNING", "ACTIVE", 1, "not signed by a discloser and a recipient"),
        ("A test", "Better", 0, "This may be published."),
        ("TEST-1", "TEST-2", 2, "two agreements"),
    ):
        other.write_text(AGREEMENT.replace(old, new) if old else AGREEMENT)
        result = alone("diff", str(agreement), str(other))
        assert (result.exit_code, said in result.output) == (code, True), result.output
    other.write_text(AGREEMENT.replace("IN_SIGNING", "TERMINATED"))
    assert alone("diff", str(agreement), str(other), "--by", "IG_OFFICER").exit_code == 0
    assert alone("diff", str(agreement), str(other), "--by", "RECEPTIONIST").exit_code == 1


@on_one_engine
def test_the_doctor_says_who_counts_as_not_signed_and_when_nobody_looks(run: Run, house: House, tmp_path: Path) -> None:
    run("migrate")
    unchecked = run("doctor", HUB_SIGNATORIES_FILE=None)
    assert unchecked.exit_code == 0
    assert "WEAK   agreements: Signatures are NOT CHECKED" in unchecked.output
    agreements = tmp_path / "agreements"
    shutil.copytree(house.demonstration.environment["HUB_AGREEMENTS_DIR"], agreements)
    (agreements / "mash.signatures.json").unlink()
    broken = run("doctor", HUB_AGREEMENTS_DIR=str(agreements))
    assert broken.exit_code == 1
    assert "WRONG  signatures: mash.toml: THORN-MASH version 2: police counts as not signed" in broken.output
    assert "WEAK" not in broken.output
