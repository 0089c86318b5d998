"""No receipt without a durable entry, no page without a receipt."""

import base64
import itertools
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError

import audit
from audit.checkpoint import open_note
from audit.events import canonical
from audit.tree import verify_consistency, verify_inclusion
from audit.verify import verify_receipt
from tests.audit.conftest import LOG_KEY, NOW, ORIGIN, USER, TrailMaker, disclosure, open_for, seal_for, search

ROOT = Path(__file__).parent.parent.parent
EID = "0123456789abcdef" * 2

#: For what needs a process of its own.
PRELUDE = """
import os, sys, threading
from datetime import UTC, datetime
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine
import audit

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)

def open_trail(url):
    trail = audit.Trail(create_engine(url), submitter_key=Ed25519PrivateKey.from_private_bytes(b"S" * 32),
                        log_key=Ed25519PrivateKey.from_private_bytes(b"L" * 32), origin="kith.example/county",
                        seal_subject=lambda event, person, plaintext: b"sealed",
                        seal_staff=lambda event, who, plaintext: b"sealed", clock=lambda: NOW)
    trail.start()
    return trail

def append(trail):
    return trail.append("sign-in", now=NOW, outcome="DONE", client={"id": "web"})
"""


def count(engine: Engine) -> int:
    """What somebody caused and is recorded: all but key leaves, with a place or still without."""
    recorded = "SELECT eid FROM {} WHERE kind <> 'admin'"
    both = f"{recorded.format('audit_entry')} UNION {recorded.format('audit_outbox')}"
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM ({both}) AS both_tables")).scalar_one()


def rows_of(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def numbers(trail: audit.Trail, *receipts: audit.Receipt) -> list[int]:
    """The places that these events have in the trail; the key leaf is number 0."""
    placed = {entry.eid: entry.index for entry in trail.events()}
    return [placed[receipt.eid] for receipt in receipts]


# Refusals


def test_nothing_is_appended_before_the_trail_is_open_or_after_it_is_closed(
    engine: Engine, open_trail: TrailMaker
) -> None:
    trail = open_trail(engine, start=False)
    with pytest.raises(audit.TrailUnavailable):
        trail.append("search", now=NOW, **search())
    trail.start()
    trail.close()
    with pytest.raises(audit.TrailUnavailable):
        trail.append("search", now=NOW, **search())
    with pytest.raises(audit.TrailUnavailable):
        trail.start()
    assert count(engine) == 0


def test_an_event_that_breaks_the_list_leaves_no_trace(trail: audit.Trail, engine: Engine) -> None:
    with pytest.raises(audit.EventInvalid):
        trail.append("search", now=NOW, **search(name="Alex"))
    assert count(engine) == 0


def test_a_person_whose_key_is_missing_stops_the_event(engine: Engine, open_trail: TrailMaker) -> None:
    def no_key(event: audit.Event, person: str, plaintext: bytes) -> bytes:
        raise LookupError(f"no key for {person}")

    trail = open_trail(engine, seal_subject=no_key)
    with pytest.raises(audit.TrailUnavailable) as refusal:
        trail.append("disclosure:made", now=NOW, subjects=["person-1"], **disclosure())
    assert "person-1" not in str(refusal.value)
    assert count(engine) == 0


def test_whoever_acted_and_whoever_approved_are_sealed_and_their_roles_are_not(trail: audit.Trail) -> None:
    approver = {"issuer": "https://idp.example/", "subject": "u-99aa", "role": "DPO", "agency": "HOU"}
    said = {**disclosure(), "authoriser": approver}
    entry = trail.entry(trail.append("disclosure:made", now=NOW, subjects=["person-1"], eid=EID, **said).eid)
    for hidden in (b"u-7f3a", b"u-99aa", b"idp.example"):
        assert hidden not in entry.envelope
    assert entry.fields["user"] == {"role": "MASH_SOCIAL_WORKER", "agency": "CSC", "staff": 0}
    assert entry.fields["authoriser"] == {"role": "DPO", "agency": "HOU", "staff": 1}
    opened = [open_for(who, capsule) for who, capsule in zip(("u-7f3a", "u-99aa"), entry.staff, strict=True)]
    assert opened[1] == {"eid": EID, "n": 1, "issuer": "https://idp.example/", "subject": "u-99aa"}
    assert opened[0]["subject"] == "u-7f3a"
    # A retry is known by what can be compared; another role is another event.
    assert trail.append("disclosure:made", now=NOW, subjects=["person-1"], eid=EID, **said).eid == EID
    with pytest.raises(audit.EventConflict):
        trail.append("disclosure:made", now=NOW, subjects=["person-1"], eid=EID, **disclosure())


def test_entries_of_version_1_which_name_a_pseudonym_stay_valid(
    engine: Engine, open_trail: TrailMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written before whoever acts was sealed."""

    def as_before(document: dict[str, Any]) -> bytes:
        if "staff" in document:
            event = {**document["event"], **({"user": USER} if "user" in document["event"] else {})}
            document = {key: value for key, value in document.items() if key != "staff"} | {"event": event}
            document["header"] = {**document["header"], "v": 1}
        return canonical(document)

    with monkeypatch.context() as patch:
        patch.setattr("audit.entry.canonical", as_before)
        with open_trail(engine, start=False) as trail:
            old = trail.append("search", now=NOW, eid=EID, **search())
    with open_trail(engine, start=False) as trail:
        new = trail.append("search", now=NOW, **search())
        entries = [trail.entry(receipt.eid) for receipt in (old, new)]
        assert [len(entry.staff) for entry in entries] == [0, 1]
        assert entries[0].fields["user"] == USER
        assert trail.append("search", now=NOW, eid=EID, **search()) == old
        (tmp_path / "old.json").write_text(trail.receipt(old.eid).json())
        assert verify_receipt(tmp_path / "old.json", str(trail.verifier_key), [])


def test_a_clock_that_fails_stops_the_writing(sqlite_engine: Engine, open_trail: TrailMaker) -> None:
    clocks = iter([NOW, NOW])
    trail = open_trail(sqlite_engine, clock=lambda: next(clocks))
    with pytest.raises(audit.TrailUnavailable):
        trail.append("search", now=NOW, **search())
    assert count(sqlite_engine) == 0


def test_a_database_without_tables_is_refused(tmp_path: Path, open_trail: TrailMaker) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with pytest.raises(audit.TrailUnavailable, match="run the migrations"):
        open_trail(engine)
    engine.dispose()


def test_a_database_in_memory_is_refused(open_trail: TrailMaker) -> None:
    engine = create_engine("sqlite://")
    with pytest.raises(audit.TrailUnavailable, match="memory"):
        open_trail(engine)
    engine.dispose()


def test_a_read_only_database_is_refused(tmp_path: Path, open_trail: TrailMaker) -> None:
    path = tmp_path / "trail.sqlite"
    writable = create_engine(f"sqlite:///{path}")
    audit.metadata.create_all(writable)
    writable.dispose()
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(audit.TrailUnavailable):
        open_trail(engine)
    engine.dispose()


def test_a_second_writer_on_sqlite_is_refused_in_words(sqlite_engine: Engine, open_trail: TrailMaker) -> None:
    first = open_trail(sqlite_engine)
    with pytest.raises(audit.TrailUnavailable, match="use PostgreSQL"):
        open_trail(sqlite_engine)
    first.close()
    open_trail(sqlite_engine).append("search", now=NOW, **search())
    assert count(sqlite_engine) == 1


def test_a_forked_child_cannot_use_its_parents_trail(sqlite_engine: Engine) -> None:
    script = (
        PRELUDE
        + """
trail = open_trail(sys.argv[1])
child = os.fork()
if child == 0:
    try:
        append(trail)
    except audit.TrailUnavailable as refusal:
        os._exit(7 if "after forking" in str(refusal) else 1)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), trail.entry(append(trail).eid).index)
trail.close()
"""
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(sqlite_engine.url)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split() == ["7", "1"]


def test_a_locked_database_refuses_in_time_and_heals_by_itself(sqlite_engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(sqlite_engine, max_wait_s=0.2)
    trail.append("search", now=NOW, **search())
    other = sqlite3.connect(sqlite_engine.url.database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(audit.TrailUnavailable):
        trail.append("search", now=NOW, **search())
    other.execute("ROLLBACK")
    other.close()
    assert numbers(trail, trail.append("search", now=NOW, **search())) == [2]
    assert count(sqlite_engine) == 2


def test_a_full_disk_refuses_and_heals_by_itself(sqlite_engine: Engine, open_trail: TrailMaker) -> None:
    pages = {"most": 1_000_000}

    @event.listens_for(sqlite_engine, "connect")
    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages['most']}")

    trail = open_trail(sqlite_engine)
    trail.append("search", now=NOW, **search())
    trail.close()
    pages["most"] = 1
    trail = open_trail(sqlite_engine)
    written = 1

    def write_until_full() -> None:
        nonlocal written
        while written < 100:
            trail.append("disclosure:made", now=NOW, subjects=["person-1"] * 100, **disclosure())
            written += 1

    with pytest.raises(audit.TrailUnavailable, match="SQLITE_FULL"):
        write_until_full()
    pages["most"] = 1_000_000
    assert numbers(trail, trail.append("search", now=NOW, **search())) == [written + 1]
    assert count(sqlite_engine) == written + 1


def test_a_full_queue_refuses_at_once_and_nothing_of_it_is_written(
    sqlite_engine: Engine, open_trail: TrailMaker
) -> None:
    trail = open_trail(sqlite_engine, max_queue=4, max_wait_s=0.3)
    other = sqlite3.connect(sqlite_engine.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    def attempt(_number: int) -> str:
        try:
            trail.append("search", now=NOW, **search())
        except audit.TrailUnavailable as refusal:
            return str(refusal)
        return "written"

    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(attempt, range(12)))
    other.execute("ROLLBACK")
    other.close()
    assert "written" not in answers
    assert "Too many are waiting to be written." in answers
    assert count(sqlite_engine) == 0


def test_a_lost_connection_is_replaced(postgresql_engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(postgresql_engine)
    trail.append("search", now=NOW, **search())
    with postgresql_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = :d"
            ),
            {"d": postgresql_engine.url.database},
        )
    with pytest.raises(audit.TrailUnavailable):
        trail.append("search", now=NOW, **search())
    assert numbers(trail, trail.append("search", now=NOW, **search())) == [2]


#: Table, its key, and a column that somebody might like to change.
GUARDED = [
    ("audit_entry", "idx", "t"),
    ("audit_node", "level, number", "level"),
    ("audit_checkpoint", "size", "t"),
    ("audit_key", "role, key_hash", "t"),
]


def test_no_row_can_be_changed_or_removed(trail: audit.Trail, engine: Engine) -> None:
    fill(trail, 2)
    sqlite = engine.dialect.name == "sqlite"
    for table, key, column in GUARDED:
        before = rows_of(engine, table)
        for statement in (
            f"UPDATE {table} SET {column} = 0",
            f"DELETE FROM {table}",
            f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT ({key}) DO UPDATE SET {column} = 0",
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" if sqlite else f"TRUNCATE {table} CASCADE",
        ):
            with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
                connection.execute(text(statement))
        assert rows_of(engine, table) == before > 0


def test_a_trail_whose_guards_were_removed_does_not_start(sqlite_engine: Engine, open_trail: TrailMaker) -> None:
    with sqlite_engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_entry_no_delete"))
    with pytest.raises(audit.TrailCorrupt, match="audit_entry_no_delete"):
        open_trail(sqlite_engine)


# Tampering by somebody who may do anything in the database


def flip(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def tamper(engine: Engine, statement: str, **values: object) -> None:
    """What an administrator can do: take the guards away, change rows, put the guards back."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            names = connection.scalars(text("SELECT name FROM sqlite_master WHERE type='trigger'")).all()
            for name in names:
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement), values)
        if engine.dialect.name != "sqlite":
            connection.execute(text("SET session_replication_role = DEFAULT"))
        audit.create_guards(connection)


def field(engine: Engine, table: str, column: str, where: str) -> bytes:
    with engine.connect() as connection:
        return bytes(connection.execute(text(f"SELECT {column} FROM {table} WHERE {where}")).scalar_one())


CHANGES = [
    ("audit_entry", "envelope", "idx = 3"),
    ("audit_entry", "leaf", "idx = 3"),
    ("audit_entry", "leaf_hash", "idx = 3"),
    ("audit_node", "hash", "level = 1 AND number = 0"),
    ("audit_node", "hash", "level = 2 AND number = 1"),
    ("audit_checkpoint", "root", "size = 11"),
    ("audit_checkpoint", "root", "size = 5"),
]


def fill(trail: audit.Trail, entries: int = 10) -> list[audit.Receipt]:
    """Events, each with a place and a checkpoint of its own; with the key leaf there are eleven entries."""
    receipts = []
    for _ in range(entries):
        receipts.append(trail.append("disclosure:made", now=NOW, subjects=["person-1", "person-2"], **disclosure()))
        trail.entry(receipts[-1].eid)
    return receipts


@pytest.mark.parametrize(("table", "column", "where"), CHANGES)
def test_a_changed_byte_is_found_at_start(
    engine: Engine, open_trail: TrailMaker, table: str, column: str, where: str
) -> None:
    trail = open_trail(engine)
    fill(trail)
    trail.close()
    value = flip(field(engine, table, column, where))
    tamper(engine, f"UPDATE {table} SET {column} = :value WHERE {where}", value=value)
    with pytest.raises(audit.TrailCorrupt):
        open_trail(engine)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET t = t + 1 WHERE idx = 4",
        "UPDATE audit_entry SET kind = 'search' WHERE idx = 4",
        "UPDATE audit_entry SET eid = '00000000000000000000000000000000' WHERE idx = 4",
        "DELETE FROM audit_entry WHERE idx = 4",
        "DELETE FROM audit_entry WHERE idx = 10",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_node WHERE level = 3",
        "DELETE FROM audit_checkpoint WHERE size = 11",
        "DELETE FROM audit_checkpoint",
        "UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint WHERE size = 10) WHERE size = 11",
        "UPDATE audit_checkpoint SET size = 12 WHERE size = 11",
        "UPDATE audit_entry SET idx = idx + 100 WHERE idx = 10",
    ],
)
def test_a_changed_or_missing_row_is_found_at_start(engine: Engine, open_trail: TrailMaker, statement: str) -> None:
    trail = open_trail(engine)
    fill(trail)
    trail.close()
    tamper(engine, statement)
    with pytest.raises(audit.TrailCorrupt):
        open_trail(engine)


def test_two_entries_that_changed_places_are_found(sqlite_engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(sqlite_engine)
    fill(trail)
    trail.close()
    tamper(sqlite_engine, "UPDATE audit_entry SET idx = CASE idx WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE idx IN (3, 4)")
    tamper(sqlite_engine, "UPDATE audit_entry SET idx = -idx WHERE idx < 0")
    with pytest.raises(audit.TrailCorrupt):
        open_trail(sqlite_engine)


def test_an_older_copy_that_is_put_back_is_refused(sqlite_engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(sqlite_engine)
    fill(trail, 5)
    path = sqlite_engine.url.database
    backup = sqlite3.connect(":memory:")
    with sqlite3.connect(path) as source:
        source.backup(backup)
    source.close()
    fill(trail, 5)
    trail.close()
    sqlite_engine.dispose()
    with sqlite3.connect(path) as target:
        backup.backup(target)
    target.close()
    backup.close()
    assert count(sqlite_engine) == 5
    with pytest.raises(audit.TrailCorrupt, match="older copy"):
        open_trail(sqlite_engine)


def test_an_older_copy_that_is_put_back_into_postgresql_is_refused(
    postgresql_engine: Engine, open_trail: TrailMaker, tmp_path: Path
) -> None:
    trail = open_trail(postgresql_engine, state_folder=tmp_path)
    fill(trail, 7)
    trail.close()
    # The database as a copy from after the fifth entry would have it: whole and signed, only shorter.
    nodes = "NOT ((level = 1 AND number < 2) OR (level = 2 AND number < 1))"
    for statement in (
        "DELETE FROM audit_entry WHERE idx >= 5",
        f"DELETE FROM audit_node WHERE {nodes}",
        "DELETE FROM audit_checkpoint WHERE size > 5",
    ):
        tamper(postgresql_engine, statement)
    with pytest.raises(audit.TrailCorrupt, match="older copy"):
        open_trail(postgresql_engine, state_folder=tmp_path)
    # Nothing but the remembered head tells: whoever puts a copy back on purpose removes that file.
    (tmp_path / "audit-head").unlink()
    assert open_trail(postgresql_engine, state_folder=tmp_path).head().size == 5


def test_another_log_key_cannot_go_on(engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(engine)
    fill(trail, 1)
    trail.close()
    with pytest.raises(audit.TrailCorrupt):
        open_trail(engine, log_key=Ed25519PrivateKey.generate())
    with pytest.raises(audit.TrailCorrupt):
        open_trail(engine, origin="kith.example/elsewhere")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_checkpoint WHERE size = 11",
        "UPDATE audit_checkpoint SET root = leaf_hash FROM audit_entry WHERE idx = 0 AND size = 11",
    ],
)
def test_a_trail_that_changed_under_us_is_never_signed_again(
    engine: Engine, open_trail: TrailMaker, statement: str
) -> None:
    trail = open_trail(engine)
    receipts = fill(trail)
    tamper(engine, statement)
    # On PostgreSQL it is found when the next entry gets its place, and by everybody who appends after that.
    with pytest.raises(audit.TrailCorrupt):
        trail.entry(trail.append("search", now=NOW, **search()).eid)
    for _ in range(2):
        with pytest.raises(audit.TrailCorrupt):
            trail.append("search", now=NOW, **search())
    assert rows_of(engine, "audit_entry") == 11
    if "root" in statement:
        with pytest.raises(audit.TrailCorrupt):
            trail.receipt(receipts[0].eid)


def test_a_changed_entry_gives_no_receipt(engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(engine)
    receipts = fill(trail)
    value = flip(field(engine, "audit_node", "hash", "level = 2 AND number = 1"))
    tamper(engine, "UPDATE audit_node SET hash = :value WHERE level = 2 AND number = 1", value=value)
    with pytest.raises(audit.TrailCorrupt):
        trail.receipt(receipts[0].eid)
    value = flip(field(engine, "audit_entry", "envelope", "idx = 3"))
    tamper(engine, "UPDATE audit_entry SET envelope = :value WHERE idx = 3", value=value)
    with pytest.raises(audit.TrailCorrupt):
        trail.entry(receipts[2].eid)
    with pytest.raises(audit.TrailCorrupt):
        list(trail.events())


# Grants


def test_a_receipt_proves_its_entry(trail: audit.Trail) -> None:
    earlier = trail.head()
    receipts = fill(trail, 22)
    assert numbers(trail, *receipts) == list(range(1, 23))
    for number, receipt in enumerate(receipts, 1):
        proof = trail.receipt(receipt.eid)
        assert (proof.index, proof.eid, proof.t) == (number, receipt.eid, receipt.t)
        checkpoint = open_note(proof.checkpoint, [trail.verifier_key])
        assert (checkpoint.size, checkpoint.origin) == (23, ORIGIN)
        verify_inclusion(number, checkpoint.size, receipt.leaf_hash, proof.path, checkpoint.root)
    verify_consistency(1, 23, trail.consistency(1, 23), earlier.root, trail.head().root)
    assert trail.head().size == 23
    with pytest.raises(audit.ProofError):
        trail.consistency(1, 24)


def test_an_unknown_receipt_is_unknown(engine: Engine, open_trail: TrailMaker) -> None:
    trail = open_trail(engine, start=False)
    with pytest.raises(audit.EntryUnknown):
        trail.head()
    with pytest.raises(audit.EntryUnknown):
        trail.receipt(EID)
    with pytest.raises(audit.EntryUnknown):
        trail.entry(EID)
    with pytest.raises(audit.EventInvalid):
        trail.receipt("' OR 1=1")


def test_the_trail_holds_ciphertext_of_persons_only(trail: audit.Trail, engine: Engine) -> None:
    receipt = trail.append("disclosure:made", now=NOW, subjects=["person-7c1e", "person-99ff"], **disclosure())
    entry = trail.entry(receipt.eid)
    assert b"person-7c1e" not in entry.envelope
    assert len(entry.leaf) == 128
    for number, (person, capsule) in enumerate(zip(["person-7c1e", "person-99ff"], entry.subjects, strict=True)):
        opened = AESGCM(person.encode().ljust(32, b"\0")).decrypt(capsule[:12], capsule[12:], None)
        assert json.loads(opened) == {"eid": receipt.eid, "n": number, "person": person}
    if engine.dialect.name == "sqlite":
        for suffix in ("", "-wal", "-audit-head"):
            assert b"person-7c1e" not in Path(f"{engine.url.database}{suffix}").read_bytes()


def test_a_known_event_cannot_be_guessed_from_its_leaf(trail: audit.Trail) -> None:
    first, second = (trail.append("sign-in", now=NOW, outcome="DONE", client={"id": "web"}) for _ in range(2))
    entries = [trail.entry(receipt.eid) for receipt in (first, second)]
    salts = [base64.b64decode(json.loads(entry.envelope)["salt"]) for entry in entries]
    assert len(salts[0]) == 32
    assert salts[0] != salts[1]
    assert entries[0].leaf[:32] != entries[1].leaf[:32]


def test_readers_get_every_event_in_order(trail: audit.Trail) -> None:
    for number in range(5):
        trail.append("search", now=NOW, **search(enquiry=f"ENQ-{number}"))
    assert [entry.fields["enquiry"] for entry in trail.events(1)] == [f"ENQ-{number}" for number in range(5)]
    assert [entry.index for entry in trail.events(4)] == [4, 5]
    assert list(trail.events(6)) == []
    assert [entry.kind for entry in trail.events()] == ["admin"] + ["search"] * 5


def test_a_retry_gives_the_same_receipt_and_no_second_entry(trail: audit.Trail, engine: Engine) -> None:
    first = trail.append("disclosure:made", now=NOW, subjects=["person-1"], eid=EID, **disclosure())
    trail.append("search", now=NOW, **search())
    for _ in range(2):
        again = trail.append(
            "disclosure:made", now=NOW.replace(hour=10), subjects=["person-1"], eid=EID, **disclosure()
        )
        assert again == first
        trail.entry(EID)  # On PostgreSQL a retry may come before and after its event has a place.
    assert count(engine) == 2


@pytest.mark.parametrize(
    ("kind", "subjects", "fields"),
    [
        ("search", [], search()),
        ("disclosure:made", ["person-1"], disclosure(purpose="MARAC")),
        ("disclosure:made", ["person-1", "person-2"], disclosure()),
    ],
)
def test_an_id_cannot_be_used_for_something_else(
    trail: audit.Trail, engine: Engine, kind: str, subjects: list[str], fields: dict
) -> None:
    trail.append("disclosure:made", now=NOW, subjects=["person-1"], eid=EID, **disclosure())
    with pytest.raises(audit.EventConflict):
        trail.append(kind, now=NOW, subjects=subjects, eid=EID, **fields)
    assert count(engine) == 1


def test_sixty_four_retries_at_once_make_one_entry(trail: audit.Trail, engine: Engine) -> None:
    def attempt(_number: int) -> audit.Receipt:
        return trail.append("disclosure:made", now=NOW, subjects=["person-1"], eid=EID, **disclosure())

    with ThreadPoolExecutor(64) as crowd:
        receipts = list(crowd.map(attempt, range(64)))
    assert len(set(receipts)) == 1
    assert count(engine) == 1


def test_sixteen_threads_get_numbers_without_gaps(trail: audit.Trail, engine: Engine, open_trail: TrailMaker) -> None:
    def work(_number: int) -> list[audit.Receipt]:
        return [trail.append("search", now=NOW, **search()) for _ in range(20)]

    with ThreadPoolExecutor(16) as crowd:
        receipts = [receipt for batch in crowd.map(work, range(16)) for receipt in batch]
    assert sorted(numbers(trail, *receipts)) == list(range(1, 321))
    assert rows_of(engine, "audit_checkpoint") <= 321
    trail.close()
    open_trail(engine)


def test_an_application_hook_that_begins_transactions_does_no_harm(
    sqlite_engine: Engine, open_trail: TrailMaker
) -> None:
    @event.listens_for(sqlite_engine, "connect")
    def manual(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(sqlite_engine, "begin")
    def begin(connection: object) -> None:
        connection.exec_driver_sql("BEGIN")

    sqlite_engine.dispose()
    trail = open_trail(sqlite_engine)
    assert numbers(trail, *fill(trail, 3)) == [1, 2, 3]
    trail.close()
    open_trail(sqlite_engine)


def test_a_commit_whose_success_we_were_not_told_of_is_found_again(
    sqlite_engine: Engine, open_trail: TrailMaker
) -> None:
    trail = open_trail(sqlite_engine)
    fill(trail, 2)
    failing = {"now": True}

    @event.listens_for(sqlite_engine, "commit")
    def lose_the_answer(connection: object) -> None:
        if failing.pop("now", False):
            connection.connection.dbapi_connection.commit()
            raise ConnectionError("the answer was lost")

    with pytest.raises(audit.TrailUnavailable):
        trail.append("search", now=NOW, eid=EID, **search())
    again = trail.append("search", now=NOW, eid=EID, **search())
    assert (numbers(trail, again), count(sqlite_engine)) == ([3], 3)
    assert numbers(trail, trail.append("search", now=NOW, **search())) == [4]


# Several workers on PostgreSQL


def test_two_workers_share_one_trail(postgresql_engine: Engine, open_trail: TrailMaker, postgresql_url: str) -> None:
    second_engine = create_engine(postgresql_engine.url)
    workers = [
        open_trail(postgresql_engine),
        open_trail(second_engine, submitter_key=Ed25519PrivateKey.generate()),
    ]

    def work(number: int) -> list[audit.Receipt]:
        return [workers[number % 2].append("search", now=NOW, **search()) for _ in range(15)]

    with ThreadPoolExecutor(8) as crowd:
        receipts = [receipt for batch in crowd.map(work, range(8)) for receipt in batch]
    # Each of the two has a key leaf.
    assert len(set(numbers(workers[0], *receipts))) == 120
    assert workers[0].head().size == 122
    for worker in workers:
        worker.close()
    open_trail(postgresql_engine)
    second_engine.dispose()


def test_a_role_that_may_only_insert_and_read_is_enough(postgresql_engine: Engine, open_trail: TrailMaker) -> None:
    role = f"kith_{secrets.token_hex(6)}"
    with postgresql_engine.begin() as connection:
        schema = connection.scalar(text("SELECT current_schema()"))
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        connection.execute(text(f"GRANT INSERT, SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"))
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION {audit.CLEARING}() TO {role}"))
    engine = create_engine(postgresql_engine.url.set(username=role))
    trail = open_trail(engine)
    receipts = fill(trail, 3)
    assert trail.receipt(receipts[1].eid).size == 4
    for statement in ("DROP TRIGGER audit_entry_no_update ON audit_entry", "DELETE FROM audit_entry"):
        with pytest.raises(DatabaseError), engine.begin() as connection:
            connection.execute(text(statement))
    trail.close()
    engine.dispose()


# Death


NURSERY = (
    PRELUDE
    + """
def live():
    trail = open_trail(sys.argv[1])
    lock = threading.Lock()

    def work():
        while True:
            receipt = append(trail)
            with lock:
                os.write(1, f"{receipt.eid} {receipt.leaf_hash.hex()}\\n".encode())

    for _ in range(4):
        threading.Thread(target=work).start()

for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        os.write(1, f"born {os.getpid()}\\n".encode())
        live()
        threading.Event().wait()
    os.waitpid(child, 0)
    os.write(1, b"dead\\n")
"""
)


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(sqlite_engine: Engine, open_trail: TrailMaker) -> None:
    command = [sys.executable, "-c", NURSERY, str(sqlite_engine.url)]
    acknowledged: dict[str, str] = {}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as nursery:
        for _cycle in range(10):
            nursery.stdin.write("next\n")
            _, writer = nursery.stdout.readline().split()
            # It dies after a number of receipts that nobody can foresee, in the midst of further ones.
            remaining = 5 + secrets.randbelow(60)
            while (line := nursery.stdout.readline()) != "dead\n":
                eid, leaf_hash = line.split()
                assert eid not in acknowledged
                acknowledged[eid] = leaf_hash
                remaining -= 1
                if remaining == 0:
                    os.kill(int(writer), signal.SIGKILL)
        nursery.stdin.close()
    trail = open_trail(sqlite_engine)
    kept = {entry.eid for entry in trail.events()}
    assert len(acknowledged) >= 50
    assert acknowledged.keys() <= kept
    for eid, leaf_hash in list(acknowledged.items())[:: max(1, len(acknowledged) // 50)]:
        assert trail.receipt(eid).leaf_hash.hex() == leaf_hash


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 7), min_size=1, max_size=6))
def test_however_entries_arrive_every_tree_continues_the_one_before(
    sqlite_engine: Engine, open_trail: TrailMaker, bursts: list[int]
) -> None:
    trail = open_trail(sqlite_engine)
    before = list(trail.events())
    heads: list[audit.Checkpoint] = [trail.head()] if before else []
    for burst in bursts:
        barrier = threading.Barrier(burst)

        def append(_number: int, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            trail.append("search", now=NOW, **search())

        with ThreadPoolExecutor(burst) as crowd:
            list(crowd.map(append, range(burst)))
        heads.append(trail.head())
    for earlier, later in itertools.pairwise(heads):
        proof = trail.consistency(earlier.size, later.size)
        verify_consistency(earlier.size, later.size, proof, earlier.root, later.root)
    trail.close()


def test_the_keys_of_the_tests_are_the_keys_of_the_trail(trail: audit.Trail) -> None:
    assert str(trail.verifier_key) == str(audit.VerifierKey.of(ORIGIN, LOG_KEY.public_key()))
    event = audit.events.build("search", now=NOW, subjects=0, fields=search())
    assert seal_for(event, "p", b"x") != seal_for(event, "p", b"x")
