"""The leader: the one worker that gives entries their place on PostgreSQL, signs the tree and is replaced when it dies.

For: `audit.log`; every worker stands for election, and one holds the lock. It must never place an entry whose submitter
the log's key did not certify, and never sign a smaller or different tree. Who is leader hangs on a lock that the
database gives back when the leader's connection ends or falls silent; what is placed hangs on a second lock, held by
each transaction, so that two who both believe to lead do no harm. Ruled by
`docs/adr/0008-the-outbox-and-its-leader.md`.
"""

import hashlib
import threading
from collections.abc import Callable

from sqlalchemy import Connection, text

from audit import outbox
from audit import store as rows
from audit.entry import LARGEST_ENVELOPE_BYTES, LEAF_BYTES, checksum, has_header
from audit.errors import AuditError, TrailCorrupt
from audit.events import EID, Kind
from audit.growth import Tree
from audit.keyleaf import certified_key, key_leaf_eid, require_signature
from audit.writer import LARGEST_GROUP

_KINDS = frozenset(map(str, Kind))
#: The lock of the elected leader of the trail in a schema, held by its connection.
_LEADER_LOCK = 0x1F0E6A3B
_STAND = text(f"SELECT pg_try_advisory_lock({_LEADER_LOCK}, hashtext(current_schema()))")
#: How often, in seconds, the leader looks and the others stand for election. Half of it is what an entry waits.
LOOK_S = 0.2
#: A leader whose connection says nothing for so long is deposed by the database, in seconds: it is stopped or cut off.
SILENT_S = 3


class Leader:
    """The thread that leads, or waits to."""

    def __init__(
        self,
        store: rows.Store,
        tree: Tree,
        *,
        origin: str,
        log_public: bytes,
        take_own: Callable[[bytes], bool],
        condemn: Callable[[str], None],
        on_refused: Callable[[str], None],
    ) -> None:
        self._store = store
        self._tree = tree
        self._origin = origin
        self._log_public = log_public
        self._take_own = take_own
        self._condemn = condemn
        self._on_refused = on_refused
        self._certified: dict[bytes, bytes] = {}
        self._bell = threading.Condition(threading.Lock())
        self._called = self._stopping = False
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        #: Whether this process leads at the moment.
        self.leads = False

    def start(self) -> None:
        """Stand for election from now on."""
        self._thread = threading.Thread(target=self._run, name="audit-leader", daemon=True)
        self._thread.start()

    def stop(self, wait_s: float) -> bool:
        """Place what waits if we lead, then give the lead away. Returns: whether it has ended."""
        with self._bell:
            self._stopping = True
            self._bell.notify_all()
        if self._thread is not None:
            self._thread.join(wait_s)
            return not self._thread.is_alive()
        return True

    def call(self) -> None:
        """Look now: somebody waits for a place."""
        with self._bell:
            self._called = True
            self._bell.notify_all()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            with self._bell:
                if not self._called and not self._stopping:
                    self._bell.wait(LOOK_S)
                self._called, stopping = False, self._stopping
            try:
                if self._elected():
                    while self._place() == LARGEST_GROUP:
                        pass
            except TrailCorrupt as error:
                self._condemn(str(error))
                break
            except Exception:  # The thread must outlive whatever a database driver throws; the next look tries afresh.
                self._resign()
        self._resign()

    def _elected(self) -> bool:
        """Whether we lead, after standing for election if need be."""
        if self._connection is None:
            self._connection = self._store.connect()
        if not self.leads:
            self.leads = bool(self._connection.scalar(_STAND))
            if self.leads:
                silent = f"'{SILENT_S}s'"
                for setting in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
                    self._connection.execute(text(f"SET {setting} = {silent}"))
            self._connection.commit()
        return self.leads

    def _resign(self) -> None:
        self.leads = False
        connection, self._connection = self._connection, None
        if connection is not None:
            self._store.drop(connection)

    def _place(self) -> int:
        """One round: what waits gets its place and one signed head. Returns: how many rows were looked at."""
        connection = self._connection
        assert connection is not None
        self._store.begin_alone(connection)
        found = outbox.waiting(connection, LARGEST_GROUP)
        if not found:
            connection.rollback()
            return 0
        self._tree.follow(connection)
        taken = rows.entries_with(connection, [row.entry.eid for row in found])
        accepted: list[rows.Pending] = []
        refused: list[str] = []
        for row in found:
            reason = "EID_TAKEN" if row.entry.eid in taken else self._refusal_of(connection, row.entry)
            if reason is None:
                accepted.append(row.entry)
            else:
                outbox.refuse(connection, row.seq, reason)
                refused.append(reason)
        self._tree.grow(connection, accepted)
        outbox.clear(connection)
        self._tree.commit(connection)
        for reason in refused:
            self._on_refused(reason)
        return len(found)

    def _refusal_of(self, connection: Connection, entry: rows.Pending) -> str | None:
        """Why a row gets no place: it was not handed in by a worker of ours."""
        if not EID.fullmatch(entry.eid) or entry.kind not in _KINDS:
            return "NOT_AN_EVENT"
        if len(entry.leaf) != LEAF_BYTES or len(entry.envelope) > LARGEST_ENVELOPE_BYTES:
            return "NOT_A_LEAF"
        if not has_header(entry.envelope, entry.eid, entry.t, entry.kind):
            return "OTHER_HEADER"
        if certified := certified_key(entry.envelope, entry.leaf, self._log_public):
            self._certified[hashlib.sha256(certified).digest()] = certified
            return None
        if self._take_own(entry.leaf) and checksum(entry.envelope) == entry.leaf[:32]:
            return None  # We signed it ourselves, a moment ago.
        public = self._submitter(connection, entry.leaf[96:])
        if public is None:
            return "UNKNOWN_SUBMITTER"
        try:
            require_signature(entry.envelope, entry.leaf, public)
        except AuditError:
            return "FORGED_LEAF"
        return None

    def _submitter(self, connection: Connection, key_hash: bytes) -> bytes | None:
        """The key of this hash, if a key leaf in the trail certifies it."""
        if key_hash not in self._certified:
            leaf = rows.entry_row(connection, key_leaf_eid(self._origin, key_hash))
            public = certified_key(leaf.envelope, leaf.leaf, self._log_public) if leaf else None
            if public is None or hashlib.sha256(public).digest() != key_hash:
                return None
            self._certified[key_hash] = public
        return self._certified[key_hash]
