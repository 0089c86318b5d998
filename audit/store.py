"""How the trail's rows are read and written, on SQLite and on PostgreSQL.

For: `audit.log` alone. It must never acknowledge anything that is not on the disk, and never write while another
process does. Ruled by `docs/audit-format.md`. A connection that writes is taken out of the engine's pool, so that
what it needs (synchronous=FULL, time limits) reaches no other part of the program, and the other way round.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Table, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from audit.checkpoint import Checkpoint, VerifierKey, open_note
from audit.errors import ProofError, TrailCorrupt, TrailUnavailable
from audit.tables import ABOUT_AGREEMENTS, checkpoints, entries, keys, nodes
from audit.tree import EMPTY_ROOT, NodeReader, Peaks, fold, peak_positions

#: One lock for the trail of a PostgreSQL schema, held by a transaction that places entries.
_PLACING_LOCK = 0x2B7D9F5A

#: The two roles of a key in `audit_key`.
SUBMITTER, LOG = "submitter", "log"

_BATCH = 1000
_SECTOR_BYTES = 512
LARGEST_INDEX = 2**63 - 1


# What is on the way of every append goes straight to the driver, whose part of the work is small: by way of
# SQLAlchemy's results, reading this one row took 300 microseconds instead of 10. The names are those of our own
# tables; values are always parameters.
_ENTRY_COLUMNS = "idx, eid, t, kind, leaf_hash, leaf, envelope"
_ENTRIES_IN_ORDER = (
    f"SELECT {_ENTRY_COLUMNS} FROM audit_entry"  # noqa: S608 (our own constants)
    f" WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT {_BATCH}"
)
_AGREEMENT_ENTRIES = f"SELECT {_ENTRY_COLUMNS} FROM audit_entry WHERE {ABOUT_AGREEMENTS} ORDER BY idx"  # noqa: S608
_NODES_IN_ORDER = f"SELECT number, hash FROM audit_node WHERE level = ? AND number > ? ORDER BY number LIMIT {_BATCH}"  # noqa: S608
_NEWEST_CHECKPOINT = "SELECT size, root, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1"


def fetch(connection: Connection, query: str, parameters: Sequence[object] = ()) -> list[Any]:
    """The rows of a query of our own, straight from the driver; its placeholders are question marks."""
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.execute(query if connection.dialect.name == "sqlite" else query.replace("?", "%s"), parameters)
        return list(cursor.fetchall())


# One statement for all rows of a group. Each statement lets go of Python's lock, and gets it back only after whoever
# serves pages meanwhile; row by row that was most of what a group took while sixteen threads asked.
_ROWS_AT_ONCE = 1000
_INTO = {
    table.name: f"INSERT INTO {table.name} ({', '.join(column.name for column in table.columns)}) "
    for table in (entries, nodes, checkpoints)
}
_ARRAYS = {
    entries.name: "bigint[] text[] bigint[] text[] bytea[] bytea[] bytea[]",
    nodes.name: "int[] bigint[] bytea[]",
    checkpoints.name: "bigint[] bigint[] bytea[] text[]",
}


def _insert_rows(cursor: Any, table: Table, values: Sequence[tuple[Any, ...]], *, sqlite: bool) -> None:
    """Takes: `values`, in the order of the table's columns."""
    for start in range(0, len(values), _ROWS_AT_ONCE):
        part = values[start : start + _ROWS_AT_ONCE]
        if sqlite:
            row = f"({', '.join('?' * len(part[0]))})"
            cursor.execute(
                f"{_INTO[table.name]}VALUES {', '.join([row] * len(part))}", [value for one in part for value in one]
            )
        else:
            arrays = ", ".join(f"%s::{kind}" for kind in _ARRAYS[table.name].split())
            columns = list(map(list, zip(*part, strict=True)))
            cursor.execute(f"{_INTO[table.name]}SELECT * FROM unnest({arrays})", columns)  # noqa: S608 (placeholders)


@dataclass(frozen=True, slots=True)
class Head:
    """The last signed tree head. `note` is empty for a trail that has not begun."""

    size: int
    root: bytes
    note: str


EMPTY_HEAD = Head(0, EMPTY_ROOT, "")


class StoredEntry(NamedTuple):
    """A row of `audit_entry`."""

    idx: int
    eid: str
    t: int
    kind: str
    leaf_hash: bytes
    leaf: bytes
    envelope: bytes


class Pending(NamedTuple):
    """An entry that has no place yet."""

    eid: str
    t: int
    kind: str
    leaf: bytes
    envelope: bytes


def pending_of(entry: StoredEntry) -> Pending:
    """A stored entry without its place."""
    return Pending(entry.eid, entry.t, entry.kind, entry.leaf, entry.envelope)


class HeadFile:
    """The file outside the database that remembers the last tree head and, on SQLite, keeps other writers out.

    It holds the newest checkpoint: a database put back from an older copy is then smaller than what was signed, and
    is refused. It is never ahead of the database. Beside an SQLite database it is locked for as long as the writer
    lives; the workers of a PostgreSQL trail on one machine share it.
    """

    def __init__(self, path: str, *, alone: bool) -> None:
        self._path = path
        self._alone = alone
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises: TrailUnavailable, when another process (or another Trail) writes here."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise TrailUnavailable(f"The trail's lock file cannot be opened ({type(error).__name__}).") from None
        try:
            if self._alone:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise TrailUnavailable(
                "Another process writes this trail. On SQLite one process writes; for several, use PostgreSQL."
            ) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another writer in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def read(self) -> str:
        """The remembered checkpoint, or an empty text."""
        if self._descriptor is None:
            return ""
        length = os.fstat(self._descriptor).st_size
        return os.pread(self._descriptor, length, 0).decode("utf-8", "replace").rstrip("\0")

    def remember(self, note: str) -> None:
        """Effects: the file's content. Not synced: it may lag behind the database, which start-up allows for."""
        if self._descriptor is None:
            return
        # One write of whole sectors, never shortened first: whoever dies in between leaves a readable note.
        data = note.encode()
        padded = data.ljust(-(-len(data) // _SECTOR_BYTES) * _SECTOR_BYTES, b"\0")
        with contextlib.suppress(OSError):  # A full disk must not turn a durable entry into a failure.
            os.pwrite(self._descriptor, padded, 0)


class Store:
    """The rows of one trail."""

    def __init__(self, engine: Engine, *, wait_s: float) -> None:
        self._engine = engine
        self._wait_ms = max(1, int(wait_s * 1000))
        self.is_sqlite = engine.dialect.name == "sqlite"
        # What a database may throw. Foreign exceptions are turned into our own, without their parameters.
        self._errors = (SQLAlchemyError, OSError, engine.dialect.loaded_dbapi.Error)

    # Reading

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the trail. Raises: TrailUnavailable."""
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        try:
            with self._engine.connect() as connection:
                yield connection.execution_options(**level)
        except self._errors as error:
            raise unavailable("The trail cannot be read", error) from None

    def database_path(self) -> str:
        """Where the SQLite file is. Raises: TrailUnavailable, for a database in memory."""
        with self.reading() as connection:
            for _, name, path in connection.execute(text("PRAGMA database_list")):
                if name == "main" and path:
                    return str(path)
        raise TrailUnavailable("A database in memory cannot hold a durable trail.")

    # Writing

    def connect(self) -> Connection:
        """Open a connection of our own, set so that COMMIT means: on the disk."""
        connection = self._engine.connect()
        try:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="READ COMMITTED")
            connection.detach()
            if self.is_sqlite:
                self._prepare_sqlite(connection)
            else:
                self._prepare_postgresql(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def drop(self, connection: Connection) -> None:
        """End a connection of our own, whatever state it is in. Raises nothing: a thread that lives on calls this."""
        try:
            connection.close()
        except Exception:  # It is broken already; what matters is that nobody uses it again.
            if not connection.closed:
                connection.invalidate()

    def begin_alone(self, connection: Connection) -> None:
        """Begin a transaction that keeps everybody else who places entries out until its end."""
        connection.begin()
        if self.is_sqlite:
            driver = _sqlite(connection)
            # The application's own hook may have begun a deferred transaction, which would not hold the lock.
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            driver.execute("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_PLACING_LOCK}, hashtext(current_schema()))"))

    def enrol(self, role: str, name: str, public_key: bytes, t: int) -> None:
        """Keep a public key, once. Raises: TrailUnavailable."""
        key_hash = hashlib.sha256(public_key).digest()
        row = {"role": role, "key_hash": key_hash, "name": name, "public_key": public_key, "t": t}
        try:
            with contextlib.closing(self.connect()) as connection:
                self.begin_alone(connection)
                if public_key_of(connection, role, key_hash) is None:
                    connection.execute(insert(keys), [row])
                connection.commit()
        except self._errors as error:
            raise unavailable("The trail cannot be written", error) from None

    def _prepare_sqlite(self, connection: Connection) -> None:
        driver = _sqlite(connection)
        driver.isolation_level = None
        driver.execute(f"PRAGMA busy_timeout={self._wait_ms}")
        if driver.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
            raise TrailUnavailable("The database does not offer a write-ahead log.")
        for setting in ("synchronous=FULL", "secure_delete=ON", "recursive_triggers=ON", "foreign_keys=ON"):
            driver.execute(f"PRAGMA {setting}").fetchall()

    def _prepare_postgresql(self, connection: Connection) -> None:
        if connection.scalar(text("SHOW fsync")) != "on":
            raise TrailUnavailable("PostgreSQL runs with fsync=off: nothing it acknowledges is durable.")
        if connection.scalar(text("SHOW synchronous_commit")) == "off":
            connection.execute(text("SET synchronous_commit = on"))
        for setting in ("statement_timeout", "lock_timeout"):
            connection.execute(text(f"SET {setting} = {self._wait_ms}"))
        connection.commit()


def unavailable(sentence: str, error: BaseException) -> TrailUnavailable:
    """Turn a foreign exception into ours, with its name but without its text, which may hold parameters."""
    origin = getattr(error, "orig", None) or error
    name = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None) or type(origin).__name__
    return TrailUnavailable(f"{sentence} ({name}).")


def read_head(connection: Connection) -> Head:
    """The newest checkpoint, not yet believed."""
    rows = fetch(connection, _NEWEST_CHECKPOINT)
    return Head(*rows[0]) if rows else EMPTY_HEAD


def newest_time(connection: Connection) -> int | None:
    """The time of the newest entry."""
    t: int | None = connection.scalar(select(entries.c.t).order_by(entries.c.idx.desc()).limit(1))
    return t


def newest_checkpoint_time(connection: Connection) -> int | None:
    """When the newest checkpoint was signed, by the clock of whoever signed it."""
    t: int | None = connection.scalar(select(checkpoints.c.t).order_by(checkpoints.c.size.desc()).limit(1))
    return t


def read_signed_head(connection: Connection, key: VerifierKey) -> Head:
    """The newest checkpoint, its signature checked. Raises: TrailCorrupt."""
    head = read_head(connection)
    if head.size:
        signed = open_signed(head.note, key)
        if (signed.size, signed.root) != (head.size, head.root):
            raise TrailCorrupt("The newest checkpoint is not what was signed.")
    return head


def open_signed(note: str, key: VerifierKey) -> Checkpoint:
    """Read a checkpoint of this very log. Raises: TrailCorrupt."""
    try:
        checkpoint = open_note(note, [key])
    except ProofError as error:
        raise TrailCorrupt(f"A stored checkpoint does not hold: {error}") from None
    if checkpoint.origin != key.name:
        raise TrailCorrupt("A stored checkpoint belongs to another trail.")
    return checkpoint


def node_reader(connection: Connection, groups: Iterable[Iterable[tuple[int, int]]]) -> NodeReader:
    """Fetch the hashes of these subtrees in two queries. The reader raises TrailCorrupt for one that is missing."""
    wanted = {position for group in groups for position in group}
    found: dict[tuple[int, int], bytes] = {}
    above = sorted(position for position in wanted if position[0])
    if above:
        # Not a row-value IN: SQLite scans the whole table for that, and uses the key for this.
        places = " OR ".join(["(level = ? AND number = ?)"] * len(above))
        numbers = [number for position in above for number in position]
        query = f"SELECT level, number, hash FROM audit_node WHERE {places}"  # noqa: S608 (placeholders only)
        found.update({(level, number): node for level, number, node in fetch(connection, query, numbers)})
    leaves = sorted(number for level, number in wanted if level == 0)
    if leaves:
        query_leaves = select(entries.c.idx, entries.c.leaf_hash).where(entries.c.idx.in_(leaves))
        found.update({(0, row.idx): bytes(row.leaf_hash) for row in connection.execute(query_leaves)})

    def read(level: int, number: int) -> bytes:
        try:
            return found[level, number]
        except KeyError:
            raise TrailCorrupt("A hash of the tree is missing.") from None

    return read


def read_peaks(connection: Connection, size: int) -> Peaks:
    """The peaks of the stored tree at a size."""
    positions = peak_positions(size)
    read = node_reader(connection, [positions])
    return Peaks(size, [fold([position], read) for position in positions])


def insert_group(
    connection: Connection,
    entry_rows: "list[StoredEntry]",
    node_rows: list[tuple[int, int, bytes]],
    checkpoint_row: tuple[int, int, bytes, str],
) -> None:
    """Write one group: entries, completed subtrees (level, number, hash), the checkpoint (size, t, root, note)."""
    sqlite = connection.dialect.name == "sqlite"
    with contextlib.closing(connection.connection.cursor()) as cursor:
        _insert_rows(cursor, entries, entry_rows, sqlite=sqlite)
        _insert_rows(cursor, nodes, node_rows, sqlite=sqlite)
        _insert_rows(cursor, checkpoints, [checkpoint_row], sqlite=sqlite)


def public_key_of(connection: Connection, role: str, key_hash: bytes) -> bytes | None:
    """The public key that a key hash stands for."""
    query = select(keys.c.public_key).where(keys.c.role == role, keys.c.key_hash == key_hash)
    key = connection.scalar(query)
    return None if key is None else bytes(key)


def public_keys(connection: Connection, role: str) -> dict[str, bytes]:
    """The public keys of a role, by their hash in hexadecimal, oldest first."""
    query = select(keys.c.key_hash, keys.c.public_key).where(keys.c.role == role).order_by(keys.c.t, keys.c.key_hash)
    return {bytes(row.key_hash).hex(): bytes(row.public_key) for row in connection.execute(query)}


def origin_of(connection: Connection) -> str:
    """The name of the log, as its newest checkpoint has it. Raises: TrailUnavailable, for an empty trail."""
    head = read_head(connection)
    if not head.size:
        raise TrailUnavailable("The trail has no entries yet.")
    return head.note.split("\n", 1)[0]


def entry_batches_from(connection: Connection, start: int) -> Iterator[list[Any]]:
    """All entries from a number on, in order, as plain rows of the columns of `StoredEntry`."""
    while found := fetch(connection, _ENTRIES_IN_ORDER, (start, LARGEST_INDEX)):
        yield found
        start = found[-1][0] + 1


def node_batches(connection: Connection, level: int) -> Iterator[bytes]:
    """The hashes of one level above 0, in order, joined."""
    after = -1
    while found := fetch(connection, _NODES_IN_ORDER, (level, after)):
        yield b"".join(node for _, node in found)
        after = found[-1][0]


def entry_rows_from(connection: Connection, start: int, end: int | None = None) -> Iterator[StoredEntry]:
    """Entries in order, read in batches and never all at once."""
    last = LARGEST_INDEX if end is None else end
    while start < last:
        found = fetch(connection, _ENTRIES_IN_ORDER, (start, last))
        yield from map(StoredEntry._make, found)
        if len(found) < _BATCH:
            return
        start = found[-1][0] + 1


def agreement_rows(connection: Connection) -> Iterator[StoredEntry]:
    """Every entry about an agreement, in order."""
    return map(StoredEntry._make, fetch(connection, _AGREEMENT_ENTRIES))


def entries_with(connection: Connection, eids: Sequence[str]) -> dict[str, StoredEntry]:
    """The entries that have these event ids."""
    if not eids:
        return {}
    sqlite = connection.dialect.name == "sqlite"
    places = f"IN ({', '.join('?' * len(eids))})" if sqlite else "= ANY(?)"
    query = f"SELECT {_ENTRY_COLUMNS} FROM audit_entry WHERE eid {places}"  # noqa: S608 (placeholders only)
    found = fetch(connection, query, eids if sqlite else [list(eids)])
    return {row[1]: StoredEntry._make(row) for row in found}


def entry_row(connection: Connection, eid: str) -> StoredEntry | None:
    """The entry with this event id."""
    return entries_with(connection, [eid]).get(eid)


def _sqlite(connection: Connection) -> Any:
    return connection.connection.dbapi_connection
