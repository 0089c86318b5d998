"""Dropped files: whatever state they are in, nobody loses what was held before, and the partner is told."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateTable

from connectors import NHS_NUMBER, ConnectorError, ExtractConnector, forget_drop, load_drop, stored_people
from connectors.quality import MOST_REJECTS_LISTED
from connectors.tables import extract_items, extract_people, metadata
from policies.vocabulary import AnswerState, DataCategory

from .conftest import NOW

PEOPLE = (
    "person_id,forenames,surname,dob,sex,nhs_number,address_line_1,town,postcode\n"
    "P1,Ada Mary,Quill,01/02/2015,F,9990000018,1 Sea Road,Millbrook,TH1 1AA\n"
    "P2,Ben,Quill,03/04/1985,M,,1 Sea Road,Millbrook,TH1 1AA\n"
)
INVOLVEMENT = (
    "involvement_id,person_id,team,start_date,end_date,duty_line,allocated_worker\n"
    "I1,P1,Assessment team,05/06/2025,,01632 960110,Kim Lowe\n"
    "I2,P2,Adult link,01/01/2020,01/02/2021,01632 960111,\n"
)
PLANS = "plan_id,person_id,plan_type,start_date,end_date,status,abuse_category\nCP1,P1,CP,01/07/2025,,Current,Neglect\n"


WHOLE = {"people": PEOPLE, "involvement": INVOLVEMENT, "plans": PLANS}


@pytest.fixture
def drop(tmp_path):
    """Writes the partner's drop; each file by name, as text or bytes."""

    def write(**files):
        folder = tmp_path / "drops" / "csc"
        folder.mkdir(parents=True, exist_ok=True)
        whole = {**WHOLE, **files}
        for name, content in whole.items():
            path = folder / f"{name}.csv"
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "drops"

    return write


@pytest.fixture
def load(session, keys, example, drop):
    def run(now=NOW, **files):
        return load_drop(session, keys, example("csc"), drop(**files), now=now)

    return run


@pytest.fixture
def held(open_session, keys, example, ask_about):
    """What the hub would be answered about a person: item id -> field -> text."""

    def ask(*records):
        partner = example("csc")
        answer = ExtractConnector(partner, open_session, keys).fetch(ask_about(partner, *records), deadline_s=1)
        return answer, {item.id: {n: v.text for n, v in item.values.items()} for item in answer.items}

    return ask


def said(report):
    return {(r.source, r.line, r.column): r.reason for r in report.rejects}


def test_a_drop_is_loaded_and_answered_from(load, held):
    report = load()
    assert (report.people, report.items, report.unchanged, report.rejects) == (2, 3, False, ())
    assert [(f.file, f.use, f.rows_in, f.rows_out) for f in report.files] == [
        ("people.csv", "people", 2, 2),
        ("involvement.csv", "SERVICE_INVOLVEMENT", 2, 2),
        ("plans.csv", "SOCIAL_CARE_STATUS", 1, 1),
    ]
    answer, items = held("P1")
    assert answer.state is AnswerState.FOUND
    assert items["CP1"] == {
        "type": "Child protection plan",
        "started": "2025-07-01",
        "status": "Current",
        "plan_reason": "Neglect",
    }
    assert items["I1"]["involved"] == "Yes"
    assert items["I1"]["since"] == "2025-06-05"


def test_nothing_of_a_person_can_be_read_in_the_database_file(load, engine, tmp_path):
    load()
    engine.dispose()
    data = b"".join(p.read_bytes() for p in tmp_path.glob("kith.db*"))
    for word in (b"Quill", b"9990000018", b"Sea Road", b"TH1 1AA", b"Neglect", b"2015-02-01"):
        assert word not in data, word
    # Two or three letters stand among sealed bytes by chance, so these are looked for in what is not sealed.
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                assert not {"Kim", "P1", "CP1", "TH1"} & {value for value in row if isinstance(value, str)}, table
    engine.dispose()


def test_people_come_back_for_the_index_as_they_were_described(load, session, keys, example):
    load()
    people = {p.record: p for p in stored_people(session, keys, example("csc"))}
    ada = people["P1"].person
    assert ada.names[0].given == ("Ada Mary",)
    assert ada.identifier(NHS_NUMBER) == "9990000018"
    assert ada.date_of_birth.date.isoformat() == "2015-02-01"
    assert ada.sex_code == "2"
    assert ada.addresses[0].postcode == "TH1 1AA"
    assert people["P1"].as_of is not None


def test_the_same_files_are_not_loaded_twice(load, session):
    first = load()
    again = load(now=NOW + timedelta(days=1))
    assert again.unchanged
    assert (again.load, again.loaded_at) == (first.load, NOW)
    assert len(session.execute(select(extract_people.c.load)).all()) == 2


def test_the_same_files_with_another_mapping_are_another_load(session, keys, example, drop):
    folder = drop()
    load_drop(session, keys, example("csc"), folder, now=NOW)
    changed = example("csc", ("Child protection plan", "On a child protection plan"))
    assert not load_drop(session, keys, changed, folder, now=NOW).unchanged


def test_a_second_drop_replaces_the_first_whole(load, held, session):
    load()
    load(plans=PLANS.replace("CP1,P1", "CP9,P1"), now=NOW + timedelta(days=1))
    _, items = held("P1")
    assert set(items) == {"I1", "CP9"}
    assert len(set(session.execute(select(extract_items.c.load)).scalars())) == 1


REFUSED_DROPS = [
    ({"plans": None}, "MISSING_FILE", "plans.csv: is not in the drop"),
    ({"people": None, "plans": None}, "MISSING_FILE", "people.csv"),
    ({"plans": PLANS.replace("plan_id", "id", 1)}, "MISSING_COLUMN", "no column plan_id"),
    ({"people": PEOPLE.replace("person_id", "ref", 1)}, "MISSING_COLUMN", "people.csv: the heading has no column"),
    ({"plans": ""}, "NO_HEADING", "plans.csv: has no heading row"),
    ({"plans": PLANS.encode("utf-16")}, "MISSING_COLUMN", "plans.csv"),
    ({"plans": PLANS.replace("\n", "\r")}, "HEADING", "CR alone"),
    ({"plans": PLANS.replace(",", ";")}, "MISSING_COLUMN", "plans.csv"),
    ({"plans": PLANS.replace("plan_type", "plan_id", 1)}, "HEADING", "names a column twice"),
    ({"plans": PLANS + "x\n" * 20}, "TOO_MANY_REJECTS", "20 of 21 rows"),
    ({"people": PEOPLE + ",,,,,,,,\n" * 20}, "TOO_MANY_REJECTS", "20 of 22 rows"),
]


@pytest.mark.parametrize(("files", "code", "words"), REFUSED_DROPS)
def test_a_drop_that_cannot_be_right_is_refused_and_the_last_good_one_stays(load, held, session, files, code, words):
    load()
    with pytest.raises(ConnectorError) as refused:
        load(**files)
    assert refused.value.code == code
    assert words in refused.value.sentence
    assert "Quill" not in refused.value.sentence
    _, items = held("P1")
    assert set(items) == {"I1", "CP1"}
    assert len(set(session.execute(select(extract_items.c.load)).scalars())) == 1


def test_a_load_that_breaks_off_leaves_the_last_good_one(load, held, session, keys, example, drop):
    load()

    class Breaking:
        def __init__(self):
            self.left = 700

        def seal(self, *args):
            self.left -= 1
            if not self.left:
                raise RuntimeError("the key store went away")
            return keys.seal(*args)

        blind, open = keys.blind, keys.open

    many = INVOLVEMENT + "".join(f"X{n},P1,Team,05/06/2025,,,\n" for n in range(1000))
    with pytest.raises(RuntimeError):
        load_drop(session, Breaking(), example("csc"), drop(involvement=many), now=NOW)
    _, items = held("P1")
    assert set(items) == {"I1", "CP1"}
    load()  # Others than those that broke off: what was begun goes away with the next load.
    load_drop(session, keys, example("csc"), drop(plans=PLANS.replace("CP1,P1", "CP9,P1")), now=NOW)
    assert len(session.execute(select(extract_items.c.load)).all()) == 3


def test_two_loads_at_once_never_mix(load, session, engine, keys, example, drop):
    partner = example("csc")
    done = []

    class Overtaken:
        def seal(self, agency, plaintext, context):
            if context.startswith("extract item") and not done:
                done.append(True)
                with Session(engine) as other:
                    load_drop(other, keys, partner, folder, now=NOW)
            return keys.seal(agency, plaintext, context)

        blind, open = keys.blind, keys.open

    folder = drop()
    with pytest.raises(ConnectorError) as refused:
        load_drop(session, Overtaken(), partner, folder, now=NOW)
    assert refused.value.code == "INTERRUPTED"
    assert len(session.execute(select(extract_items.c.load)).all()) == 3


BROKEN_ROWS = [
    ("a row that is too short", "CP2,P1\n", (3, ""), "7 cells expected, 2 found"),
    ("a row that is too long", "CP2,P1,CP,01/07/2025,,Current,Neglect,more\n", (3, ""), "8 found"),
    ("a quote left open", 'CP2,P1,CP,01/07/2025,,"Current,Neglect\n', (3, ""), "left open"),
    ("a stray quote", 'CP2,P1,CP,01/07/2025,,5" pipe,Neglect\n', (3, ""), "left open"),
    ("quotes not doubled", 'CP2,P1,CP,01/07/2025,,"a"b"c",Neglect\n', (3, ""), "not doubled"),
    ("no id", ",P1,CP,01/07/2025,,Current,Neglect\n", (3, "plan_id"), "no usable id"),
    ("nobody", "CP2,,CP,01/07/2025,,Current,Neglect\n", (3, "person_id"), "names no person"),
    ("an id twice", "CP1,P1,CP,01/08/2025,,Current,Neglect\n", (3, "plan_id"), "repeats an id"),
    ("a line without end", "CP2,P1,CP,01/07/2025,,Current," + "x" * 70_000 + "\n", (3, ""), "65536 bytes"),
]


@pytest.mark.parametrize(("about", "row", "where", "reason"), BROKEN_ROWS, ids=[b[0] for b in BROKEN_ROWS])
def test_a_broken_row_costs_only_itself(load, held, about, row, where, reason):
    report = load(plans=PLANS + row + "CP3,P1,CIN,01/09/2025,,Current,Neglect\nCP4,P1,CIN,01/10/2025,,Current,\n")
    found = said(report)
    assert list(found) == [("plans.csv", *where)]
    assert reason in found["plans.csv", *where]
    (count,) = [f for f in report.files if f.file == "plans.csv"]
    assert (count.rows_in, count.rows_out, count.rows_rejected) == (4, 3, 1)
    _, items = held("P1")
    assert set(items) == {"I1", "CP1", "CP3", "CP4"}
    assert items["CP1"]["started"] == "2025-07-01"


BROKEN_ELEMENTS = [
    ("an impossible day", "CP2,P1,CP,31/02/2025,,Current,Neglect", "start_date", "no date format", "started"),
    ("an unknown code", "CP2,P1,XX,01/07/2025,,Current,Neglect", "plan_type", "does not know this code", "type"),
    ("latin-1 bytes", "CP2,P1,CP,01/07/2025,,Caf\xe9,Neglect", "status", "bytes that are not utf-8", "status"),
    ("a novel", "CP2,P1,CP,01/07/2025,,Current," + "y" * 5000, "abuse_category", "longer than", "plan_reason"),
]


@pytest.mark.parametrize(
    ("about", "row", "column", "reason", "field"), BROKEN_ELEMENTS, ids=[b[0] for b in BROKEN_ELEMENTS]
)
def test_a_broken_element_costs_only_itself(load, held, about, row, column, reason, field):
    report = load(plans=(PLANS + row + "\n").encode("latin-1"))
    assert reason in said(report)["plans.csv", 3, column]
    _, items = held("P1")
    assert field not in items["CP2"]
    assert {"type", "started", "status", "plan_reason"} - {field} <= set(items["CP2"])


WAYS_OF_WRITING = {
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "both": lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
    "blank lines": lambda text: text.replace("\n", "\n\n").encode(),
    "no last newline": lambda text: text.rstrip("\n").encode(),
    "everything quoted": lambda text: "\n".join(
        ",".join(f'"{c}"' for c in line.split(",")) for line in text.splitlines()
    ).encode(),
}


@pytest.mark.parametrize("written", WAYS_OF_WRITING.values(), ids=WAYS_OF_WRITING.keys())
def test_a_file_may_be_written_in_many_ways(load, held, written):
    report = load(people=written(PEOPLE), involvement=written(INVOLVEMENT), plans=written(PLANS))
    assert (report.people, report.items, report.rejects) == (2, 3, ())
    assert held("P1")[1]["CP1"]["plan_reason"] == "Neglect"


def test_a_quoted_cell_may_hold_commas_quotes_and_lines(load, held):
    load(plans=PLANS + 'CP2,P1,CIN,01/07/2025,,"Current, ""paused""\r\nsince May",Neglect\n')
    assert held("P1")[1]["CP2"]["status"] == 'Current, "paused" since May'


def test_a_latin_1_partner_says_so_in_its_file(session, keys, example, drop, held):
    partner = example("csc", ('folder = "csc"', 'folder = "csc"\nencoding = "latin-1"'))
    folder = drop(plans=PLANS.replace("Current", "Caf\xe9").encode("latin-1"))
    assert load_drop(session, keys, partner, folder, now=NOW).rejects == ()
    assert held("P1")[1]["CP1"]["status"] == "Café"


def test_a_partner_that_writes_semicolons_says_so_in_its_file(session, keys, example, drop, held):
    partner = example("csc", ('folder = "csc"', 'folder = "csc"\ndelimiter = ";"'))
    folder = drop(**{name: text.replace(",", ";") for name, text in WHOLE.items()})
    assert load_drop(session, keys, partner, folder, now=NOW).rejects == ()
    assert held("P1")[1]["CP1"]["plan_reason"] == "Neglect"


def test_a_column_that_is_missing_but_not_mandatory_is_reported_once(load, held):
    report = load(plans=PLANS.replace("abuse_category", "category", 1))
    assert said(report) == {
        ("plans.csv", 1, "abuse_category"): "the mapping names a column that the file does not have"
    }
    assert "plan_reason" not in held("P1")[1]["CP1"]


def test_an_id_that_comes_again_a_thousand_rows_later_is_still_a_repeat(load, held):
    rows = "".join(f"X{n},P1,CIN,01/09/2025,,Current,\n" for n in range(1200))
    report = load(plans=PLANS + rows + "CP1,P2,CP,01/07/2025,,Current,Neglect\n")
    assert said(report) == {("plans.csv", 1203, "plan_id"): "repeats an id of this file"}
    (count,) = [f for f in report.files if f.file == "plans.csv"]
    assert (count.rows_in, count.rows_out) == (1202, 1201)
    assert "CP1" not in held("P2")[1]


def test_a_person_who_is_listed_twice_or_without_an_id_is_one_person(load, session, keys, example):
    report = load(people=PEOPLE + "P1,Ada,Other,,F,,,,\n,No,Id,,F,,,,\nP3,Cy,Quill,99/99/2010,F,,,,\n")
    assert [(r.line, r.column) for r in report.rejects] == [(4, ""), (5, ""), (6, "dob")]
    (count,) = [f for f in report.files if f.use == "people"]
    assert (count.rows_in, count.rows_out, count.rows_rejected) == (5, 3, 2)
    people = {p.record: p.person for p in stored_people(session, keys, example("csc"))}
    assert set(people) == {"P1", "P2", "P3"}
    assert people["P1"].names[0].family == ("Quill",)
    assert people["P3"].date_of_birth is None


def test_the_line_of_a_reject_is_the_line_in_the_file_whatever_came_before(load):
    report = load(people=PEOPLE + "short\n\n" + "P3,Cy,Quill,99/99/2010,F,,,,\n")
    assert [(r.line, r.column) for r in report.rejects] == [(4, ""), (6, "dob")]


def test_a_report_holds_no_word_of_any_row(load):
    report = load(
        people=PEOPLE + "P1,Canary,Canary,Canary,Canary,Canary,Canary,Canary,Canary\n",
        plans=PLANS + "Canary,Canary,Canary,Canary,Canary,Canary,Canary\nCP1,Canary\n",
    )
    assert report.rejects
    assert "Canary" not in repr(report)


def test_a_report_lists_a_bounded_number_of_rejects_and_counts_the_rest(load):
    more = MOST_REJECTS_LISTED + 50
    report = load(plans=PLANS + "".join(f"X{n},P1,??,01/09/2025,,Current,\n" for n in range(more)))
    assert len(report.rejects) == MOST_REJECTS_LISTED
    assert report.rejects_unlisted == 50


def test_a_drop_folder_that_points_elsewhere_is_not_followed(session, keys, example, drop, tmp_path):
    folder = drop()
    elsewhere = tmp_path / "elsewhere"
    (folder / "csc").rename(elsewhere)
    os.symlink(elsewhere, folder / "csc")
    with pytest.raises(ConnectorError, match="leads out of the drops folder"):
        load_drop(session, keys, example("csc"), folder, now=NOW)


def test_a_practice_drops_only_its_list_of_patients(session, keys, example, tmp_path):
    folder = tmp_path / "drops" / "gp-millbrook"
    folder.mkdir(parents=True)
    (folder / "people.csv").write_text(
        "patient_id,given,family,birth_date,sex,nhs_number\np1,Ada,Quill,2015-02-01,female,\n"
    )
    partner = example("gp-millbrook")
    report = load_drop(session, keys, partner, tmp_path / "drops", now=NOW)
    assert (report.people, report.items) == (1, 0)
    assert [p.record for p in stored_people(session, keys, partner)] == ["p1"]


def test_a_partner_that_drops_nothing_cannot_be_loaded(session, keys, example, tmp_path):
    with pytest.raises(ConnectorError) as refused:
        load_drop(session, keys, example("sms"), tmp_path, now=NOW)
    assert refused.value.code == "NOT_CONFIGURED"


def test_every_table_can_be_made_on_postgresql():
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))


def test_every_table_can_be_made_on_sqlite_in_memory():
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    engine.dispose()


def test_only_service_involvement_answers_known_to(load, open_session, keys, example, ask_about):
    load()
    partner = example("csc")
    answer = ExtractConnector(partner, open_session, keys).known_to(ask_about(partner, "P1"), deadline_s=1)
    assert {item.category for item in answer.items} == {DataCategory.SERVICE_INVOLVEMENT}


def test_an_agency_that_leaves_takes_everything_along(load, held, session):
    load()
    forget_drop(session, "csc")
    assert session.execute(select(extract_items.c.load)).all() == []
    assert session.execute(select(extract_people.c.load)).all() == []
    answer, _ = held("P1")
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "NOT_CONFIGURED")
    assert not load().unchanged


TIES = """
[people.relationships]
file = "relationships.csv"
record = "person_id"
other = "other_id"
code = { column = "is", values = { Mother = "MTH" } }

[[items]]
file = "involvement.csv\""""


def test_stated_relationships_come_along_and_broken_ones_are_counted(session, keys, example, drop):
    partner = example("csc", ('\n[[items]]\nfile = "involvement.csv"', TIES))
    ties = "person_id,other_id,is\nP1,P2,Mother\nshort\nP1,P2,Neighbour\nP2,P1,Mother\nP1,,Mother\nP2,P9,Mother\n"
    report = load_drop(session, keys, partner, drop(relationships=ties), now=NOW)
    assert [(r.source, r.line) for r in report.rejects] == [
        ("relationships.csv", 3),
        ("relationships.csv", 4),
        ("relationships.csv", 6),
    ]
    (count,) = [f for f in report.files if f.use == "relationships"]
    assert (count.rows_in, count.rows_out, count.rows_rejected) == (6, 3, 3)
    people = {p.record: p.person for p in stored_people(session, keys, partner)}
    assert [(r.identifier.value, r.relationship) for r in people["P1"].related] == [("P2", ("MTH",))]
