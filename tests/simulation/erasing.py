"""After people and a member of staff were erased: is any byte of them left, does an older copy bring them back, and
does every receipt still verify?

For: `python -m tests.simulation erasing` and, with few people, the tests. Looked through byte by byte: the
database's files (with PostgreSQL's write-ahead log), a backup from afterwards, the tiles, envelopes and the key store.
Wrong builds that must be caught: one that keeps persons in the clear, and one that deletes the rows but lets the key
store remember.
"""

import base64
import contextlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, delete, insert, select, text

import audit
from audit.events import milliseconds
from audit.tiles import export
from audit.verify import verify_directory, verify_receipt
from hub.db import Database, make_engine
from hub.erasure import KeyStore, SubjectErased, SubjectKeys, month_of, staff_subject
from hub.erasure import subject_keys as module
from hub.keys import KeyRing, data_keys
from tests.simulation.kill import postgresql
from tests.simulation.site import SAID

MASTER = bytes(range(32))
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MONTH = month_of(milliseconds(NOW))
AGENCY = "CSC"
LEAVER = "US-7f3ac0ffee"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was found. `hits`: places where a plaintext or an open key stands; `wrapped`: rows of wrapped keys that are
    still on the disk, and open nothing; `brought_back`: capsules that open with yesterday's database.
    """

    people: int
    files: int
    size: int
    hits: tuple[str, ...]
    wrapped: int
    brought_back: int
    receipts: int
    refused: int
    others: int


def erase_all(url: str, people: int, *, wrong: str = "") -> Erased:
    """A disclosure about each of so many people, half of whom are erased, with the one who asked."""
    engine = make_engine(url)
    for metadata in (audit.metadata, data_keys.metadata, module.metadata):
        metadata.create_all(engine)
    with tempfile.TemporaryDirectory(prefix="kith-erase-") as name:
        folder = Path(name)
        database = Database(engine)
        keys = SubjectKeys(KeyStore(folder / "store", MASTER), KeyRing(MASTER, database.session), database.session)
        persons = [f"PE-{number:04d}-canary-{number * 7919 % 10007:05d}" for number in range(people)]
        try:
            return _erase(engine, database, keys, persons, folder, wrong)
        finally:
            engine.dispose()


def _erase(
    engine: Engine, database: Database, keys: SubjectKeys, persons: list[str], folder: Path, wrong: str
) -> Erased:
    def seal(_event: audit.Event, person: str, plaintext: bytes) -> bytes:
        return plaintext if wrong == "plain" else keys.seal(AGENCY, MONTH, person, plaintext)

    def seal_staff(event: audit.Event, who: Any, plaintext: bytes) -> bytes:
        return seal(event, staff_subject(who["subject"]), plaintext)

    with audit.Trail(
        engine,
        submitter_key=Ed25519PrivateKey.from_private_bytes(b"S" * 32),
        log_key=Ed25519PrivateKey.from_private_bytes(b"L" * 32),
        origin="kith.example/county",
        seal_subject=seal,
        seal_staff=seal_staff,
        clock=lambda: NOW,
        max_wait_s=60.0,
    ) as trail:
        user = {**SAID["user"], "subject": LEAVER}
        eids = [
            trail.append("disclosure:made", now=NOW, subjects=[person], **{**SAID, "user": user}).eid
            for person in persons
        ]
        trail.head()
        gone = [*persons[::2], staff_subject(LEAVER)]
        needles = {
            shape
            for who in gone
            for needle in (who.removeprefix("staff:").encode(), *_keys_of(keys, who))
            for shape in (needle, needle.hex().encode(), *_inside_base64(needle))
        }
        yesterday = _rows(database)
        wrapped = {row["wrapped"] for row in yesterday if row["handle"] in {_handle(keys, who) for who in gone}}
        for who in gone:
            _forget(keys, who, wrong)
        export(engine, folder / "export")
        searched = [*_files_of(engine, folder), *_below(folder)]
        size, hits, still = 0, [], set()
        for path in searched:
            with contextlib.suppress(FileNotFoundError):
                data = path.read_bytes()
                size += len(data)
                hits += [path.name for needle in needles if needle in data]
                still |= {one for one in wrapped if one in data}
        refused = _count_refused(trail, eids, folder)
        _put_back(database, yesterday)
        again = SubjectKeys(KeyStore(folder / "store", MASTER), KeyRing(MASTER, database.session), database.session)
        opened = [_opens(again, trail.entry(eid)) for eid in eids]
    return Erased(
        people=len(gone),
        files=len(searched),
        size=size,
        hits=tuple(hits),
        wrapped=len(still),
        brought_back=sum(person + staff for person, staff in opened[::2]) + sum(staff for _, staff in opened[1::2]),
        receipts=len(eids),
        refused=refused,
        others=sum(person for person, _ in opened[1::2]),
    )


def _handle(keys: SubjectKeys, who: str) -> bytes | None:
    return keys.handles(who).get((AGENCY, MONTH))


def _keys_of(keys: SubjectKeys, who: str) -> Iterator[bytes]:
    """The open subject key."""
    handle = _handle(keys, who)
    month_key = keys.store.read(AGENCY, MONTH)
    wrapped = keys._wrapped(handle) if handle else None
    if month_key and handle and wrapped:
        yield module._unwrap(month_key, handle, wrapped)


def _inside_base64(data: bytes) -> Iterator[bytes]:
    """What of it is the same wherever it stands in something that was written as base64."""
    for offset in range(3):
        text_ = base64.b64encode(bytes(offset) + data)
        yield text_[(offset * 8 + 5) // 6 : (offset + len(data)) * 8 // 6]


def _forget(keys: SubjectKeys, who: str, wrong: str) -> None:
    if wrong == "row-only":
        handle = _handle(keys, who)
        with keys._open_session() as session, session.begin():
            session.execute(delete(module.subject_keys).where(module.subject_keys.c.handle == handle))
        return
    with keys.store.lock():
        keys.erase(who, [(AGENCY, MONTH)])


def _rows(database: Database) -> list[dict[str, Any]]:
    with database.session() as session:
        return [dict(row) for row in session.execute(select(module.subject_keys)).mappings()]


def _put_back(database: Database, rows: Sequence[dict[str, Any]]) -> None:
    """The table as yesterday's backup has it."""
    with database.writing() as session:
        session.execute(delete(module.subject_keys))
        if rows:
            session.execute(insert(module.subject_keys), list(rows))


def _opens(keys: SubjectKeys, entry: audit.Entry) -> tuple[bool, bool]:
    """Whether the person and whoever acted can still be told."""

    def opens(capsule: bytes) -> bool:
        if capsule.startswith(b"{"):
            return True
        try:
            return "eid" in json.loads(keys.open(capsule))
        except SubjectErased:
            return False

    return opens(entry.subjects[0]), opens(entry.staff[0])


def _files_of(engine: Engine, folder: Path) -> list[Path]:
    """Every file of the database, and a backup made now."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        with sqlite3.connect(path) as source, sqlite3.connect(folder / "backup.sqlite") as copy:
            source.backup(copy)
        source.close()
        copy.close()
        return [path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-audit-head")]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        data = Path(str(connection.scalar(text("SHOW data_directory"))))
        base = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    shutil.copytree(data / "base" / str(base), folder / "backup")
    return [*_below(data / "base" / str(base)), *_below(data / "pg_wal")]


def _below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _count_refused(trail: audit.Trail, eids: Sequence[str], folder: Path) -> int:
    key, path, refused = str(trail.verifier_key), folder / "receipt.json", 0
    verify_directory(folder / "export", key, [])
    for eid in eids:
        path.write_text(trail.receipt(eid).json())
        try:
            verify_receipt(path, key, [])
        except Exception:  # Whatever it says: it does not verify any more.
            refused += 1
    return refused


def run(people: int) -> Iterator[str]:
    """The figures in words."""
    with tempfile.TemporaryDirectory(prefix="kith-scan-") as folder:
        yield from _said("SQLite", erase_all(f"sqlite:///{folder}/kith.sqlite", people))
        for wrong, found in (("plain", "hits"), ("row-only", "brought_back")):
            caught = erase_all(f"sqlite:///{folder}/{wrong}.sqlite", min(people, 40), wrong=wrong)
            what = len(caught.hits) if found == "hits" else caught.brought_back
            verdict = "caught" if what else "NOT CAUGHT"
            yield f"  wrong build {wrong!r}: {verdict}, {what} {found.replace('_', ' ')}"
    with postgresql() as url:
        yield from _said("PostgreSQL", erase_all(url, min(people, 100)))


def _said(what: str, found: Erased) -> Iterator[str]:
    yield (
        f"erasure on {what}: {found.people} erased; {found.size / 1e6:.1f} MB in {found.files} files (database, log,"
        f" backup, tiles, envelopes, key store) looked through: {len(found.hits)} hits of a person or an open key  [0]"
    )
    yield (
        f"  {found.brought_back} capsules open again with yesterday's rows  [0]; {found.receipts - found.refused} of"
        f" {found.receipts} receipts verify  [all]; {found.others} others can still be read;"
        f" {found.wrapped} wrapped keys are still in files, and nothing unwraps them"
    )
