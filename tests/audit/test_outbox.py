"""PostgreSQL: what a worker handed in is kept, gets one place, and nothing else gets any."""

import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DatabaseError

import audit
from audit import leader, outbox
from audit.entry import Submitter, seal
from audit.events import build
from audit.store import Store
from tests.audit.conftest import NOW, SUBMITTER_KEY, TrailMaker, disclosure, seal_for, seal_staff_for, search
from tests.audit.test_trail import EID, PRELUDE, ROOT, count, fill, numbers, rows_of

pytestmark = pytest.mark.postgresql

LOCK = f"{leader._LEADER_LOCK}, hashtext(current_schema())"
HAND_IN = text("INSERT INTO audit_outbox (eid, t, kind, leaf, envelope) VALUES (:eid, :t, :kind, :leaf, :envelope)")


@pytest.fixture
def no_leader(postgresql_engine: Engine) -> Iterator[None]:
    """Somebody holds the leader's lock and places nothing."""
    with postgresql_engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
        connection.commit()
        yield
        connection.execute(text("SELECT pg_advisory_unlock_all()"))


def handed_in(key: Ed25519PrivateKey, **changes: object) -> dict[str, object]:
    """A row as somebody with rights on the database may insert it."""
    event = build("sign-in", now=NOW, subjects=0, fields={"client": {"id": "web"}, "outcome": "DONE"})
    sealed = seal(event, [], seal_for, seal_staff_for, Submitter.of(key))
    row = {"eid": event.eid, "t": event.t, "kind": "sign-in", "leaf": sealed.leaf, "envelope": sealed.envelope}
    return {**row, **changes}


def flipped(data: object, at: int) -> bytes:
    assert isinstance(data, bytes)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


ROWS = {
    "UNKNOWN_SUBMITTER": lambda: handed_in(Ed25519PrivateKey.generate()),
    "FORGED_LEAF": lambda: (row := handed_in(SUBMITTER_KEY)) | {"leaf": flipped(row["leaf"], 40)},
    "OTHER_HEADER": lambda: handed_in(SUBMITTER_KEY, t=5),
    "NOT_AN_EVENT": lambda: handed_in(SUBMITTER_KEY, kind="nonsense"),
    "NOT_A_LEAF": lambda: handed_in(SUBMITTER_KEY, leaf=bytes(127)),
    "EID_TAKEN": lambda: handed_in(SUBMITTER_KEY, eid=EID),
}


@pytest.mark.parametrize("reason", ROWS)
def test_what_no_worker_signed_gets_no_place_is_kept_and_raises_an_alarm(
    postgresql_engine: Engine, open_trail: TrailMaker, reason: str
) -> None:
    trail = open_trail(postgresql_engine)
    trail.append("search", now=NOW, eid=EID, **search())
    trail.entry(EID)
    row = ROWS[reason]()
    with postgresql_engine.begin() as connection:
        connection.execute(HAND_IN, row)
    alarm = _until_alarm(trail)
    assert (alarm.fields["reason"], alarm.fields["action"]) == (reason, "OUTBOX_ROW_REFUSED")
    fill(trail, 1)
    with postgresql_engine.connect() as connection:
        kept = connection.execute(text("SELECT reason, leaf, envelope FROM audit_refused")).one()
        assert tuple(kept) == (reason, row["leaf"], row["envelope"])
    assert rows_of(postgresql_engine, "audit_outbox") == 0


def _until_alarm(trail: audit.Trail) -> audit.Entry:
    while True:
        for entry in trail.events():
            if entry.kind == "alarm":
                return entry


def test_the_outbox_gives_up_only_what_has_its_place(
    postgresql_engine: Engine, open_trail: TrailMaker, no_leader: None
) -> None:
    with postgresql_engine.begin() as connection:
        connection.execute(HAND_IN, handed_in(SUBMITTER_KEY))
        connection.execute(text(f"SELECT {audit.CLEARING}()"))
        # A false row beside it does not help: the refused one must be the same, byte for byte.
        connection.execute(text("INSERT INTO audit_refused SELECT seq, eid, 'x', leaf, '' FROM audit_outbox"))
        connection.execute(text(f"SELECT {audit.CLEARING}()"))
    for statement in ("DELETE FROM audit_outbox", "UPDATE audit_outbox SET t = 0", "TRUNCATE audit_outbox"):
        with pytest.raises(DatabaseError, match="append-only"), postgresql_engine.begin() as connection:
            connection.execute(text(statement))
    assert rows_of(postgresql_engine, "audit_outbox") == 1


def test_a_connection_that_broke_is_given_up_and_the_leader_lives_on(postgresql_engine: Engine) -> None:
    """Giving it up raised "already closed" and ended the thread: this worker would never have led again."""
    store = Store(postgresql_engine, wait_s=2.0)
    for broken in (False, True):
        connection = store.connect()
        with postgresql_engine.begin() as other:
            store.begin_alone(connection)
            if broken:
                pid = connection.scalar(text("SELECT pg_backend_pid()"))
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        store.drop(connection)
        assert connection.closed


def test_without_a_leader_a_worker_stops_and_heals_by_itself(
    postgresql_engine: Engine, open_trail: TrailMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = open_trail(postgresql_engine, max_wait_s=1.0)
    with postgresql_engine.connect() as usurper:
        # The leader's connection is ended, and somebody who places nothing takes the lock before it stands again.
        usurper.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid ="
                f" {leader._LEADER_LOCK} AND objid::bigint = (hashtext(current_schema())::bigint & 4294967295)"
            )
        )
        usurper.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
        usurper.commit()
        monkeypatch.setattr(outbox, "LONGEST_UNPLACED_S", 0.0)
        first = trail.append("search", now=NOW, **search())
        with pytest.raises(audit.TrailUnavailable, match="no leader"):
            trail.append("search", now=NOW, **search())
        with pytest.raises(audit.TrailUnavailable, match="no place"):
            trail.receipt(first.eid)
        assert count(postgresql_engine) == 1
        usurper.execute(text("SELECT pg_advisory_unlock_all()"))
    assert numbers(trail, first) == [1]
    second = trail.append("search", now=NOW, **search())
    assert numbers(trail, first, second) == [1, 2]


def test_when_the_leader_ends_another_takes_over(postgresql_engine: Engine, open_trail: TrailMaker) -> None:
    engines = [create_engine(postgresql_engine.url) for _ in range(3)]
    workers = [open_trail(engine, submitter_key=Ed25519PrivateKey.generate()) for engine in engines]
    receipts = []
    for worker in workers:
        assert sum(other._leader.leads for other in workers if other._leader is not None) <= 1
        receipts += [other.append("search", now=NOW, **search()) for other in workers if not other._closed]
        assert worker.receipt(receipts[-1].eid).size >= 3
        worker.close()
    trail = open_trail(postgresql_engine)
    assert len(set(numbers(trail, *receipts))) == 6
    for engine in engines:
        engine.dispose()


def test_what_a_dead_worker_handed_in_gets_its_place_from_another(
    postgresql_engine: Engine, open_trail: TrailMaker
) -> None:
    script = PRELUDE + "trail = open_trail(sys.argv[1])\nprint(append(trail).eid, flush=True)\nos._exit(9)\n"
    url = postgresql_engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-W", "ignore", "-c", script, url]
    died = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert died.returncode == 9, died.stderr
    trail = open_trail(postgresql_engine, submitter_key=Ed25519PrivateKey.generate())
    assert trail.receipt(died.stdout.strip()).index == 1


def test_retries_over_two_workers_make_one_entry(postgresql_engine: Engine, open_trail: TrailMaker) -> None:
    second = create_engine(postgresql_engine.url)
    workers = [open_trail(postgresql_engine), open_trail(second, submitter_key=Ed25519PrivateKey.generate())]
    for _ in range(5):
        eid = secrets.token_hex(16)
        together = threading.Barrier(16)

        def attempt(
            number: int, eid: str = eid, together: threading.Barrier = together, now: datetime = NOW
        ) -> audit.Receipt:
            together.wait()
            later = now + timedelta(seconds=number)
            return workers[number % 2].append(
                "disclosure:made", now=later, subjects=["person-1"], eid=eid, **disclosure()
            )

        with ThreadPoolExecutor(16) as crowd:
            receipts = set(crowd.map(attempt, range(16)))
        assert len(receipts) == 1
        assert receipts.pop().leaf == workers[0].entry(eid).leaf
    assert count(postgresql_engine) == 5
    assert rows_of(postgresql_engine, "audit_refused") == 0
    for worker in workers:
        worker.close()
    second.dispose()


def test_an_intent_stands_before_its_outcome(postgresql_engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(postgresql_engine)

    def disclose(_number: int) -> tuple[str, str]:
        intent = trail.append("search", now=NOW, **search())
        outcome = trail.append("disclosure:made", now=NOW, subjects=["p"], **disclosure(refers=[intent.eid]))
        return intent.eid, outcome.eid

    with ThreadPoolExecutor(8) as crowd:
        pairs = list(crowd.map(disclose, range(40)))
    placed = {entry.eid: entry.index for entry in trail.events()}
    assert all(placed[intent] < placed[outcome] for intent, outcome in pairs)
