"""Keys: what somebody with the database, another agency's key or a backup cannot open; and what equal values show."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, insert, select, update

from hub.db import Database, make_engine
from hub.errors import KeyRefused
from hub.keys import KeyRing, data_keys
from tests.conftest import ENGINES

MASTER = bytes(range(32))
SECRET = b"Why: a neighbour rang about shouting"
NewDatabase = Callable[[str], str]


@pytest.fixture(params=ENGINES)
def database(request: pytest.FixtureRequest, new_database: NewDatabase) -> Iterator[Database]:
    engine = make_engine(new_database(request.param))
    data_keys.metadata.create_all(engine)
    yield Database(engine)
    engine.dispose()


@pytest.fixture
def keys(database: Database) -> KeyRing:
    return KeyRing(MASTER, database.session)


def flipped(sealed: bytes, place: int) -> bytes:
    return sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]


def test_what_is_sealed_opens_nowhere_else(keys: KeyRing) -> None:
    sealed = keys.seal("csc", SECRET, "rationale:EN-1")
    keys.seal("police", b"", "x")
    for agency, context, words in (
        ("csc", "rationale:EN-2", "belongs elsewhere"),
        ("csc", "rationale", "belongs elsewhere"),
        ("police", "rationale:EN-1", "belongs elsewhere"),
        ("housing", "rationale:EN-1", "destroyed or never made"),
    ):
        with pytest.raises(KeyRefused, match=words):
            keys.open(agency, sealed, context)


def test_what_was_altered_anywhere_does_not_open(keys: KeyRing) -> None:
    sealed = keys.seal("csc", SECRET, "x")
    for place in range(len(sealed)):
        with pytest.raises(KeyRefused) as refused:
            keys.open("csc", flipped(sealed, place), "x")
        assert "shouting" not in str(refused.value)
    for short in (b"", sealed[:1], sealed[:28], sealed[:-1]):
        with pytest.raises(KeyRefused):
            keys.open("csc", short, "x")


def test_a_value_with_a_separator_in_it_cannot_pass_for_another_agencys(keys: KeyRing) -> None:
    sealed = keys.seal("csc", SECRET, "a")
    keys.seal("csc\x1fa", b"", "")
    with pytest.raises(KeyRefused):
        keys.open("csc\x1fa", sealed, "")


def test_another_master_key_opens_nothing(keys: KeyRing, database: Database) -> None:
    sealed = keys.seal("csc", SECRET, "x")
    with pytest.raises(KeyRefused, match="master key does not open"):
        KeyRing(bytes(reversed(MASTER)), database.session).open("csc", sealed, "x")
    with pytest.raises(KeyRefused, match="32 bytes"):
        KeyRing(MASTER[:16], database.session)


def test_one_agencys_wrapped_key_in_anothers_place_opens_nothing(keys: KeyRing, database: Database) -> None:
    keys.make_sure_of(["csc", "police"])
    sealed = keys.seal("csc", SECRET, "x")
    with database.writing() as session:
        taken = session.execute(select(data_keys.c.wrapped).where(data_keys.c.agency == "csc")).scalar_one()
        session.execute(update(data_keys).where(data_keys.c.agency == "police").values(wrapped=taken))
    with pytest.raises(KeyRefused, match="master key does not open"):
        KeyRing(MASTER, database.session).open("police", sealed, "x")


def test_after_a_key_is_destroyed_what_it_sealed_is_gone_in_every_process(keys: KeyRing, database: Database) -> None:
    sealed, kept = keys.seal("csc", SECRET, "x"), keys.seal("police", SECRET, "x")
    with database.writing() as session:
        keys.destroy(session, "csc")
    for ring in (keys, KeyRing(MASTER, database.session)):
        with pytest.raises(KeyRefused, match="destroyed"):
            ring.open("csc", sealed, "x")
        assert ring.open("police", kept, "x") == SECRET
    assert keys.open("csc", keys.seal("csc", b"new", "x"), "x") == b"new"
    with pytest.raises(KeyRefused):
        keys.open("csc", sealed, "x")


def test_nothing_in_the_database_is_a_key_or_a_plaintext(keys: KeyRing, database: Database) -> None:
    sealed = keys.seal("csc", SECRET, "x")
    assert SECRET not in sealed
    assert sealed != keys.seal("csc", SECRET, "x")
    with database.session() as session:
        wrapped = session.execute(select(data_keys.c.wrapped)).scalar_one()
    assert len(wrapped) == 12 + 32 + 16
    assert MASTER not in wrapped


def test_what_is_sealed_opens_where_it_belongs_also_after_a_restart(keys: KeyRing, database: Database) -> None:
    for plain in (b"", SECRET, bytes(70_000)):
        assert KeyRing(MASTER, database.session).open("csc", keys.seal("csc", plain, "x"), "x") == plain


def test_blind_values_are_equal_for_equal_values_only_and_only_within_one_index(database: Database) -> None:
    keys, again = KeyRing(MASTER, database.session), KeyRing(MASTER, database.session)
    other = KeyRing(bytes(reversed(MASTER)), database.session)
    assert keys.blind("nhs", "9990000018") == again.blind("nhs", "9990000018")
    distinct = [
        keys.blind("nhs", "9990000018"),
        keys.blind("nhs", "9990000026"),
        keys.blind("nhs", ""),
        keys.blind("name", "9990000018"),
        other.blind("nhs", "9990000018"),
    ]
    assert len(set(distinct)) == len(distinct)
    assert {len(value) for value in distinct} == {16}


def test_threads_and_processes_that_start_together_make_one_key(database: Database) -> None:
    rings = [KeyRing(MASTER, database.session) for _ in range(3)]
    gate = threading.Barrier(6)
    sealed: list[bytes] = []

    def seal(ring: KeyRing) -> None:
        gate.wait()
        sealed.append(ring.seal("csc", SECRET, "x"))

    threads = [threading.Thread(target=seal, args=(rings[n % 3],)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(data_keys)).scalar_one() == 1
    for ring in rings:
        assert [ring.open("csc", one, "x") for one in sealed] == [SECRET] * 6


def test_a_key_that_another_worker_made_first_is_the_one_that_counts(database: Database) -> None:
    first = KeyRing(MASTER, database.session)
    first.make_sure_of(["csc"])

    class Late(KeyRing):
        """A worker that looked before the other wrote, and writes after it."""

        looked = False

        def _stored(self, agency: str) -> bytes | None:
            if not self.looked:
                self.looked = True
                return None
            return super()._stored(agency)

    late = Late(MASTER, database.session)
    assert first.open("csc", late.seal("csc", SECRET, "x"), "x") == SECRET


def test_a_statement_that_fails_does_not_repeat_what_it_was_given(database: Database) -> None:
    engine: Engine = database.engine
    row = {"agency": "csc", "wrapped": b"Maisie Tarrant", "made_at": datetime(2026, 11, 23, tzinfo=UTC)}
    with engine.begin() as connection:
        connection.execute(insert(data_keys), [row])
    with pytest.raises(Exception, match=r"(?i)unique") as refused, engine.begin() as connection:
        connection.execute(insert(data_keys), [{**row, "agency": "csc"}])
    assert "Maisie" not in str(refused.value)
