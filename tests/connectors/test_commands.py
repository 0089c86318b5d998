"""`python -m hub connectors`: a file begun, checked and tried, as a partner's developer does it."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from click.testing import CliRunner

from connectors import (
    WAYS,
    ConnectorError,
    PersonQuery,
    build_connector,
    check_partner_file,
    is_test_number,
    load_partner,
    moved,
    try_partner,
)
from connectors.simulator import Fault, SimulatedPartner
from hub.commands import hub

from .conftest import DOCUMENT, examples
from .test_faults import ADA, FHIR_PEOPLE, FHIR_ROWS, REST_PEOPLE, REST_ROWS
from .test_partner_files import CSC, POLICE, REFUSALS

ROOT = DOCUMENT.parents[1]
#: The sections of the document whose commands are run, one after the other, as they stand.
COMMANDS = re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.M | re.S)


def run(*arguments):
    return CliRunner().invoke(hub, ["connectors", *map(str, arguments)], prog_name="python -m hub")


@pytest.fixture
def folder(tmp_path):
    for name, text in examples().items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


# -- check ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "old", "new", "key", "reason"), REFUSALS)
def test_whatever_stops_the_start_is_found_with_its_line(folder, name, old, new, key, reason):
    path = folder / name
    text = path.read_text("utf-8")
    path.write_text(text.replace(old, new, 1) if name == POLICE else text.replace(old, new), "utf-8")
    found = [f for f in check_partner_file(path) if f.fatal]
    assert any(key in f.reason and reason in f.reason for f in found), found
    assert all(1 <= f.line <= len(path.read_text("utf-8").splitlines()) for f in found)
    assert run("check", path.stem, "--partners", folder).exit_code == 1


def test_every_fault_of_a_file_is_named_once_by_the_line_it_stands_in(folder):
    path = folder / CSC
    faults = {
        'in_hours = "01632 960101"': 'in_hours = ""',
        "ages = [0, 25]": "ages = [25, 0]",
        'id = "plan_id"\nrecord = "person_id"': 'id = "plan_id"',
        "public_authority = true": 'public_authority = "yes"',
        'fixed = { involved = "Yes" }': 'fixed = { involved = "Yes" }\ncolour = "blue"',
    }
    text = path.read_text("utf-8")
    for old, new in faults.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    lines = text.splitlines()
    found = {f.reason.split(":")[0]: lines[f.line - 1] for f in check_partner_file(path)}
    assert found == {
        "public_authority": 'public_authority = "yes"',
        "contact.in_hours": 'in_hours = ""',
        "coverage.ages": "ages = [25, 0]",
        "items[0].colour": 'colour = "blue"',
        "items[1].record": "[[items]]",
    }


@pytest.mark.parametrize(
    ("data", "line"), [(b'code = "csc"\nname = \n', 2), (b"\xff\xfe", 1), (b'a = "x"\nb = """\nopen', 3), (b"", 1)]
)
def test_a_file_that_is_not_toml_is_named_with_the_line_where_it_ends_to_be(tmp_path, data, line):
    (tmp_path / "csc.toml").write_bytes(data)
    (found,) = check_partner_file(tmp_path / "csc.toml")
    assert (found.fatal, found.line) == (True, line)


def test_a_line_within_a_text_of_many_lines_is_not_taken_for_a_key(folder):
    path = folder / POLICE
    text = (
        path.read_text("utf-8")
        .replace('query = "SELECT ref,', 'query = """\nSELECT\n[contact]\nname = 5\nref,', 1)
        .replace('WHERE nominal_ref IN :records"', 'WHERE nominal_ref IN :records"""', 1)
    )
    text = text.replace('name = "Thornshire Police safeguarding hub"', "").replace("[contact]\n", "[contact]\n\n", 1)
    path.write_text(text, "utf-8")
    (found,) = check_partner_file(path)
    assert "contact.name" in found.reason
    assert found.line == text.splitlines().index("[contact]") + 1


def test_a_file_that_is_allowed_but_unwise_gets_notes_and_passes(folder):
    text = (folder / "sms.toml").read_text("utf-8")
    text = text.replace('network = "loopback"', 'network = "loopback"\ntoken_file = "/nowhere/token"')
    (folder / "sms.toml").write_text(text.replace("since = 2019-01-01\n", ""), "utf-8")
    result = run("check", "sms", "--partners", folder)
    assert result.exit_code == 0
    for words in ("token_file: names a file", "does not say since when", "free for drama", "sms.toml: ok"):
        assert words in result.output


def test_checking_nothing_is_not_passing(tmp_path):
    assert run("check", "--partners", tmp_path).exit_code == 2
    assert run("check", "nobody", "--partners", tmp_path).exit_code == 1


# -- new --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_new_file_passes_the_check_and_is_of_its_way(tmp_path, way):
    assert run("new", way, "newcomer", "--partners", tmp_path).exit_code == 0
    assert run("check", "newcomer", "--partners", tmp_path).exit_code == 0
    assert load_partner(tmp_path / "newcomer.toml").way == way


@pytest.mark.parametrize("way", [way for way in WAYS if way != "mais"])  # Another hub tells one thing only.
def test_what_a_template_offers_as_a_comment_is_valid_too(tmp_path, way):
    run("new", way, "newcomer", "--partners", tmp_path)
    path = tmp_path / "newcomer.toml"
    head, mark, rest = path.read_text("utf-8").partition("# [[items]]")
    path.write_text(head + re.sub(r"^# ", "", mark + rest, flags=re.M), "utf-8")
    assert [f for f in check_partner_file(path) if f.fatal] == []
    assert len(load_partner(path).items) == 2


def test_a_file_that_is_there_is_left_alone(folder):
    before = (folder / CSC).read_bytes()
    assert run("new", "rest", "csc", "--partners", folder).exit_code == 2
    assert (folder / CSC).read_bytes() == before


@pytest.mark.parametrize("name", ["Csc", "../up", "a b", ".hidden", "a/b", "x" * 40])
def test_a_name_that_is_no_code_writes_nothing(tmp_path, name):
    assert run("new", "rest", name, "--partners", tmp_path / "p").exit_code == 2
    assert not list(tmp_path.rglob("*.toml"))


# -- test -------------------------------------------------------------------------------------------------


def tried(partner, person=ADA, record=None):
    connector = build_connector(partner, open_session=None, keys=None)
    with closing(connector):
        return {t.what: t for t in try_partner(connector, person, record)}


@pytest.fixture(params=["rest", "fhir"])
def served(request, example):
    code, rows, people = {
        "rest": ("sms", REST_ROWS, REST_PEOPLE),
        "fhir": ("gp-millbrook", FHIR_ROWS, FHIR_PEOPLE),
    }[request.param]
    with SimulatedPartner(example(code), rows, people) as simulated:
        simulated.partner = moved(simulated.partner, deadline_s=0.3)
        yield simulated


def test_a_partner_in_good_order_keeps_the_contract_and_no_value_is_told(served):
    trials = tried(served.partner)
    assert {t.passed for t in trials.values()} <= {True, None}
    for what in ("coverage", "find", "find somebody else", "known_to", "fetch", "deadline kept", "no time left"):
        assert trials[what].passed, what
    told = repr([(t.what, t.words) for t in trials.values()])
    for value in ("Quill", "Young adults", "Cough", "Alcohol", "TH1", "9990000018"):
        assert value not in told


FAILS = [
    (Fault.SILENT, "known_to", "TIMEOUT"),
    (Fault.ERROR_500, "known_to", "ERROR"),
    (Fault.FORBIDDEN_403, "known_to", "REFUSED"),
    (Fault.HTML, "fetch", "MALFORMED"),
    (Fault.WRONG_SUBJECT, "fetch", "WRONG_SUBJECT"),
    (Fault.STRANGERS_TOO, "fetch, nothing dropped", "dropped"),
    (Fault.EMPTY, "fetch", "nothing held"),
]


@pytest.mark.parametrize(("fault", "what", "words"), FAILS)
def test_a_partner_with_a_fault_fails_where_the_fault_is(served, fault, what, words):
    served.fault = fault
    trial = tried(replace(served.partner, invented=("c1",)), None, "c1")[what]
    assert trial.passed is False
    assert words in trial.words


def test_a_partner_who_takes_one_for_another_fails(example, served):
    key = "born" if served.partner.way == "rest" else "birthDate"
    served.people[0] = {k: v for k, v in served.people[0].items() if k != key}
    assert tried(served.partner)["find somebody else"].passed is False


@pytest.mark.parametrize("number", ["4010232137", "943 476 5919", "", "999"])
def test_a_number_that_may_be_somebodys_is_no_test_number(number):
    assert not is_test_number(number)


def test_nobody_is_asked_about_a_number_that_may_be_somebodys(served):
    real = PersonQuery(("Ada",), ("Quill",), ADA.date_of_birth, "4010232137")
    with pytest.raises(ConnectorError, match="may be somebody's"):
        tried(served.partner, real)
    assert served.asked == []


def test_somebody_who_may_be_real_is_answered_like_nobody(served):
    who = PersonQuery(("Ada",), ("Quill",), ADA.date_of_birth)
    for number in ("4010232137", None):
        _renumber(served, number)
        real = [repr(t) for t in tried(served.partner, who).values()]
        held, served.people[:] = list(served.people), []
        nobody = [repr(t) for t in tried(served.partner, who).values()]
        served.people[:] = held
        assert real == nobody
        assert tried(served.partner, who)["find"].passed is False


def _renumber(served, number):
    first = dict(served.people[0])
    if served.partner.way == "rest":
        first["nhs_number"] = number
    else:
        first["identifier"] = [{**one, "value": number} for one in served.people[0]["identifier"][:1] if number]
    served.people[0] = first


def test_a_record_that_the_partners_file_does_not_name_is_not_asked_about(served):
    for record in ("c1", "no-such-record"):
        with pytest.raises(ConnectorError, match="does not say that this record is an invented person's"):
            tried(served.partner, None, record)
    assert served.asked == []


def test_a_database_is_tried_by_record_and_its_url_is_of_the_file(folder):
    with closing(sqlite3.connect(folder / "police.db")) as made:
        made.executescript(
            "CREATE TABLE involvement (ref, nominal_ref, unit, first_seen, last_seen, phone);"
            "INSERT INTO involvement VALUES ('V1', 'N1', 'Response', '2024-01-02', NULL, '01632 960410');"
            "CREATE TABLE incident (incident_ref, nominal_ref, kind, part, happened_on, summary);"
        )
    text = (folder / POLICE).read_text("utf-8").replace("sqlite:///var/demo/police.db", f"sqlite:///{folder}/police.db")
    (folder / POLICE).write_text(text, "utf-8")
    assert run("test", "police", "--partners", folder, "--record", "N1").exit_code != 0
    (folder / POLICE).write_text(text + '\n[trial]\nrecords = ["N1", "N9"]\n', "utf-8")
    result = run("test", "police", "--partners", folder, "--record", "N1")
    assert result.exit_code == 0, result.output
    assert "The contract is kept." in result.output
    assert "Response" not in result.output
    assert run("test", "police", "--partners", folder, "--record", "N9").exit_code == 1


def test_a_partner_without_a_person_to_ask_about_has_not_kept_the_contract_by_that(served):
    trials = tried(served.partner, None)
    assert (trials["find"].passed, trials["known_to"].passed) == (None, False)


# -- the document -----------------------------------------------------------------------------------------


def test_every_command_of_the_document_does_what_it_says(tmp_path):
    assert len(COMMANDS) >= 5
    script = "\n".join(["set -euo pipefail", f'python() {{ "{sys.executable}" "$@"; }}', *COMMANDS])
    done = subprocess.run(
        ["/bin/bash", "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The contract is kept." in done.stdout
    assert done.stdout.count(": ok, ") == 8
    assert "Kim Lowe" not in done.stdout


def test_the_documents_commands_are_all_there_is_of_the_verb():
    told = set(re.findall(r"python -m hub\s+connectors (\w+)", DOCUMENT.read_text("utf-8")))
    assert told == set(hub.get_command(None, "connectors").commands)
