"""A partner's own database: read, never written, never waited for too long, nobody else's rows."""

import sqlite3
import time
from datetime import date

import pytest

from connectors import ConnectorError, PersonQuery, SqlConnector, moved
from policies.vocabulary import AnswerState, DataCategory, MatchState

from .conftest import promise_to

FIND = (
    "SELECT nominal_ref, forename, surname, dob, sex, nhs_no FROM nominal "
    "WHERE nhs_no = :nhs_number OR (surname = :family AND dob = :date_of_birth)"
)


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "police.db"
    with sqlite3.connect(path) as made:
        made.executescript(
            """
            CREATE TABLE nominal (nominal_ref TEXT, forename TEXT, surname TEXT, dob TEXT, sex TEXT, nhs_no TEXT);
            INSERT INTO nominal VALUES ('N1', 'Ada', 'Quill', '1990-02-01', 'F', NULL),
                                       ('N2', 'Ben', 'O''Hara', '1985-04-03', 'M', '9990000018');
            CREATE TABLE involvement (ref, nominal_ref, unit, first_seen, last_seen, phone);
            INSERT INTO involvement VALUES ('V1', 'N1', 'Response', '2024-01-02', NULL, '01632 960410');
            CREATE TABLE incident (incident_ref, nominal_ref, kind, part, happened_on, summary);
            INSERT INTO incident VALUES ('C7', 'N1', 'Disturbance', 'victim', '2024-01-02T22:10:00', 'Noise'),
                                        ('C7', 'N2', 'Disturbance', 'suspect', '2024-01-02T22:10:00', 'Noise');
            """
        )
    made.close()
    return path


@pytest.fixture
def police(example, database):
    made = []

    def build(*swaps):
        swaps = (('date_formats = ["%Y-%m-%d"]', f'date_formats = ["%Y-%m-%d"]\nfind = "{FIND}"'), *swaps)
        made.append(SqlConnector(moved(example("police", *swaps), url=f"sqlite:///{database}")))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def test_only_the_person_who_was_asked_for_is_answered_about(police, ask_about):
    connector = police()
    answer = connector.fetch(ask_about(connector.partner, "N1"), deadline_s=2)
    assert answer.state is AnswerState.FOUND
    assert {(i.id, i.record, i.category) for i in answer.items} == {
        ("V1", "N1", DataCategory.SERVICE_INVOLVEMENT),
        ("C7/N1", "N1", DataCategory.POLICE_INCIDENT),
    }
    (incident,) = [i for i in answer.items if i.category is DataCategory.POLICE_INCIDENT]
    assert incident.values["part"].text == "victim"
    assert incident.occurred_on == date(2024, 1, 2)


def test_a_query_that_returns_somebody_else_is_caught(police, ask_about):
    connector = police(
        ("FROM incident WHERE nominal_ref IN :records", "FROM incident WHERE 1 OR nominal_ref IN :records")
    )
    answer = connector.fetch(ask_about(connector.partner, "N1"), deadline_s=2)
    assert (answer.state, answer.dropped) == (AnswerState.FOUND, 1)
    assert {i.record for i in answer.items} == {"N1"}


def test_a_person_of_whom_nothing_is_held_is_answered_so(police, ask_about):
    connector = police()
    assert connector.fetch(ask_about(connector.partner, "N9"), deadline_s=2).state is AnswerState.NOTHING_HELD


@pytest.mark.parametrize("record", ["N1' OR '1'='1", "N1'; DROP TABLE incident; --", "N1\x00", ":records"])
def test_a_record_id_is_never_part_of_a_statement(police, ask_about, record):
    connector = police()
    answer = connector.fetch(ask_about(connector.partner, record), deadline_s=2)
    assert (answer.state, answer.items) == (AnswerState.NOTHING_HELD, ())
    assert connector.fetch(ask_about(connector.partner, "N1"), deadline_s=2).state is AnswerState.FOUND


def test_the_database_cannot_be_written_even_by_a_hostile_query(police, database):
    connector = police()
    before = database.read_bytes()
    with connector._asking(1) as connection, pytest.raises(Exception, match="readonly"):
        connection.exec_driver_sql("DELETE FROM incident")
    assert database.read_bytes() == before


def test_a_query_that_never_ends_is_stopped(police, ask_about):
    forever = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"
    connector = police(
        ("SELECT ref, nominal_ref, unit,", f"SELECT ref, (SELECT max(x) FROM ({forever})) AS nominal_ref, unit,")
    )
    begun = time.monotonic()
    answer = connector.fetch(ask_about(connector.partner, "N1"), deadline_s=0.2)
    assert time.monotonic() - begun < 3.2
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "TIMEOUT")


FLOOD = "(WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 3000) SELECT x FROM n)"
BROKEN = [
    ("a table that is not there", ("FROM incident ", "FROM incidents "), "ERROR"),
    ("a flood of rows", ("FROM incident WHERE", f"FROM incident, {FLOOD} WHERE"), "MALFORMED"),
]


@pytest.mark.parametrize(("about", "swap", "reason"), BROKEN, ids=[b[0] for b in BROKEN])
def test_a_database_in_trouble_has_not_answered(police, ask_about, about, swap, reason):
    connector = police(swap)
    answer = connector.fetch(ask_about(connector.partner, "N1"), deadline_s=2)
    assert (answer.state, answer.reason, answer.items) == (AnswerState.NO_ANSWER, reason, ())


def test_a_database_that_is_not_there_is_not_made(example, tmp_path, ask_about):
    connector = SqlConnector(moved(example("police"), url=f"sqlite:///{tmp_path}/nowhere.db"))
    answer = connector.fetch(ask_about(connector.partner, "N1"), deadline_s=2)
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "ERROR")
    assert not (tmp_path / "nowhere.db").exists()
    connector.close()


def test_a_database_that_was_taken_away_is_not_answered_from(police, database, ask_about):
    connector = police()
    assert connector.fetch(ask_about(connector.partner, "N1"), deadline_s=2).state is AnswerState.FOUND
    database.rename(database.with_suffix(".away"))
    assert connector.fetch(ask_about(connector.partner, "N1"), deadline_s=2).state is AnswerState.NO_ANSWER


def test_everybody_is_listed_for_the_index(police):
    people = {p.record: p.person for p in police().people()}
    assert set(people) == {"N1", "N2"}
    assert people["N2"].names[0].family == ("O'Hara",)
    assert people["N1"].date_of_birth.date == date(1990, 2, 1)


def test_a_person_is_found_by_the_partners_own_search(police, ask_about):
    connector = police()
    query = PersonQuery(("Ada",), ("Quill",), date(1990, 2, 1))
    answer = connector.fetch(ask_about(connector.partner, query=query), deadline_s=2)
    assert (answer.state, answer.match, answer.records) == (AnswerState.FOUND, MatchState.UNCONFIRMED, ("N1",))


def test_a_partner_without_a_search_is_not_searched(example, database):
    connector = SqlConnector(moved(example("police"), url=f"sqlite:///{database}"))
    with pytest.raises(ConnectorError) as refused:
        connector.find(PersonQuery(("Ada",), ("Quill",), date(1990, 2, 1)), promise=promise_to("police"), deadline_s=1)
    assert refused.value.code == "NOT_CONFIGURED"
    connector.close()


def test_what_a_failed_query_was_bound_to_is_in_no_error(police):
    connector = police((FIND, FIND.replace("FROM nominal", "FROM nominals")))
    with pytest.raises(ConnectorError) as failed:
        connector.find(PersonQuery(("Ada",), ("Quill",), date(1990, 2, 1)), promise=promise_to("police"), deadline_s=1)
    assert failed.value.__cause__ is None
    assert "Quill" not in repr(failed.value) + str(failed.value.__context__)
