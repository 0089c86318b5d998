"""The one thread that writes: whatever waits is committed together, and only then acknowledged.

For: `audit.log` alone. It must never acknowledge before COMMIT has returned, and never sign a tree that is smaller
than, or different from, the one that it signed before. Ruled by `docs/audit-format.md`.

Waits and queues are bounded. After an outage the next entry finds a fresh connection, so writing resumes by itself.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from audit import store as rows
from audit.checkpoint import VerifierKey, sign
from audit.entry import Sealed, same_event
from audit.errors import AuditError, EventConflict, ProofError, TrailCorrupt, TrailUnavailable
from audit.events import milliseconds
from audit.receipts import Receipt
from audit.tree import Peaks, consistency_positions, leaf_hash, prove_consistency, verify_consistency

#: The most entries in one commit, so that nobody waits behind a crowd.
_LARGEST_GROUP = 512

_TOO_LATE = "The trail did not answer in time."


class Slot:
    """One caller's entry on its way. `done` is a lock that the writer opens once there is an outcome."""

    __slots__ = ("done", "may_be_replay", "outcome", "sealed")

    def __init__(self, sealed: Sealed, *, may_be_replay: bool) -> None:
        self.sealed = sealed
        self.may_be_replay = may_be_replay
        self.outcome: Receipt | AuditError | None = None
        self.done = threading.Lock()
        self.done.acquire()

    def settle(self, outcome: Receipt | AuditError) -> None:
        """Give the caller the outcome, whether or not they still wait."""
        self.outcome = outcome
        self.done.release()


@dataclass(frozen=True, slots=True)
class _Group:
    """What one transaction does: an outcome per slot, the tree afterwards, and the note if one was signed."""

    outcomes: list[Receipt | AuditError]
    peaks: Peaks
    note: str


class Writer:
    """The writer thread and the queue in front of it."""

    def __init__(
        self,
        store: rows.Store,
        *,
        log_key: Ed25519PrivateKey,
        verifier_key: VerifierKey,
        clock: Callable[[], datetime],
        max_wait_s: float,
        max_queue: int,
        remember: Callable[[str], None],
    ) -> None:
        self._store = store
        self._log_key = log_key
        self._verifier_key = verifier_key
        self._clock = clock
        self._max_wait_s = max_wait_s
        self._max_queue = max_queue
        self._remember = remember
        self._bell = threading.Condition(threading.Lock())
        self._queue: deque[Slot] = deque()
        self._stopping = False
        self._corrupt: str | None = None
        self._thread: threading.Thread | None = None
        # What follows belongs to the thread alone, once it runs.
        self._connection: Connection | None = None
        self._peaks = Peaks()
        self._unsettled = False

    def start(self, peaks: Peaks) -> None:
        """Begin to write after the tree that these peaks stand for."""
        self._peaks = peaks
        self._thread = threading.Thread(target=self._run, name="audit-writer", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Write what waits, then end, in a few times the bounded wait. Returns: whether it has ended."""
        with self._bell:
            self._stopping = True
            self._bell.notify_all()
        if self._thread is not None:
            self._thread.join(self._max_wait_s * 2 + 1)
            return not self._thread.is_alive()
        return True

    def submit(self, slot: Slot) -> Receipt:
        """Queue an entry and wait for its outcome, for a bounded time.

        Raises: TrailUnavailable, EventConflict. An entry whose caller gave up is taken back unless it is being
        written at that moment; either way the caller is told of a failure.
        """
        with self._bell:
            if self._corrupt is not None:
                raise TrailCorrupt(self._corrupt)
            if self._stopping:
                raise TrailUnavailable("The trail is closed.")
            if len(self._queue) >= self._max_queue:
                raise TrailUnavailable("Too many are waiting to be written.")
            self._queue.append(slot)
            self._bell.notify()
        if not slot.done.acquire(timeout=self._max_wait_s):
            with self._bell:
                if slot in self._queue:
                    self._queue.remove(slot)
            raise TrailUnavailable(_TOO_LATE)
        if isinstance(slot.outcome, Receipt):
            return slot.outcome
        raise slot.outcome or TrailUnavailable(_TOO_LATE)

    def _run(self) -> None:
        while True:
            with self._bell:
                while not self._queue and not self._stopping:
                    self._bell.wait()
                if not self._queue:
                    break
            self._write_group()
        self._drop_connection()

    def _write_group(self) -> None:
        """One transaction: lock, look, add, sign, commit - and only then acknowledge."""
        claimed: list[Slot] = []
        try:
            if self._connection is None:
                self._connection = self._store.connect()
            self._store.begin(self._connection)
            claimed = self._claim()
            self._follow(self._connection)
            group = self._build(self._connection, claimed)
            self._unsettled = bool(group.note)
            self._connection.commit()
        except TrailCorrupt as error:
            self._corrupt = str(error)
            self._fail(claimed, error)
        except TrailUnavailable as error:
            self._fail(claimed, error)
        except Exception as error:  # The thread must outlive whatever a database driver throws.
            self._fail(claimed, rows.unavailable("The trail cannot be written", error))
        else:
            self._unsettled = False
            self._peaks = group.peaks
            if group.note:
                self._remember(group.note)
            for slot, outcome in zip(claimed, group.outcomes, strict=True):
                slot.settle(outcome)

    def _claim(self) -> list[Slot]:
        """Take what waits, as late as possible: the lock is ours, so it is about to be written."""
        with self._bell:
            return [self._queue.popleft() for _ in range(min(len(self._queue), _LARGEST_GROUP))]

    def _fail(self, claimed: list[Slot], error: TrailUnavailable) -> None:
        """Tell everybody who waits, and drop the connection, so that the next entry tries afresh."""
        self._drop_connection()
        waiting = claimed + self._claim()
        for slot in waiting:
            slot.settle(type(error)(str(error)))

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:  # It is broken already; what matters is that nobody uses it again.
                connection.invalidate()

    def _follow(self, connection: Connection) -> None:
        """Make sure that the stored tree is ours, or one that grew from ours.

        It may have grown through another worker (PostgreSQL), or through a commit of ours whose success we were
        not told of. Raises: TrailCorrupt, for a smaller or different tree: it is never signed.
        """
        head = rows.read_head(connection)
        if head.size == self._peaks.size and head.root == self._peaks.root():
            return
        if head.size <= self._peaks.size or (self._store.is_sqlite and not self._unsettled):
            raise TrailCorrupt("The stored trail is not the one that was signed last.")
        head = rows.read_signed_head(connection, self._verifier_key)
        peaks = rows.read_peaks(connection, head.size)
        try:
            if peaks.root() != head.root:
                raise ProofError("The stored tree has another root.")
            if self._peaks.size:
                sizes = (self._peaks.size, head.size)
                proof = prove_consistency(*sizes, rows.node_reader(connection, consistency_positions(*sizes)))
                verify_consistency(*sizes, proof, self._peaks.root(), head.root)
        except ProofError:
            raise TrailCorrupt("The stored trail does not continue the one that was signed.") from None
        self._peaks = peaks

    def _build(self, connection: Connection, claimed: list[Slot]) -> _Group:
        """Place each entry in the tree, write the rows and sign the tree head, all inside the transaction."""
        peaks = self._peaks.copy()
        earlier = rows.entries_with(connection, [slot.sealed.event.eid for slot in claimed if slot.may_be_replay])
        placed: dict[str, tuple[int, Sealed]] = {}
        settled: dict[int, Receipt | AuditError] = {}
        entry_rows: list[dict[str, Any]] = []
        node_rows: list[dict[str, Any]] = []
        for number, slot in enumerate(claimed):
            sealed = slot.sealed
            if slot.may_be_replay:
                if sealed.event.eid in earlier:
                    settled[number] = _replayed(connection, sealed, earlier[sealed.event.eid])
                    continue
                if sealed.event.eid in placed:
                    if not _says_the_same(sealed, placed[sealed.event.eid][1].envelope):
                        settled[number] = _conflict()
                    continue
            index, hashed = peaks.size, leaf_hash(sealed.leaf)
            node_rows += [{"level": level, "number": at, "hash": node} for level, at, node in peaks.push(hashed)]
            entry_rows.append(
                {
                    "idx": index,
                    "eid": sealed.event.eid,
                    "t": sealed.event.t,
                    "kind": str(sealed.event.kind),
                    "leaf_hash": hashed,
                    "leaf": sealed.leaf,
                    "envelope": sealed.envelope,
                }
            )
            placed[sealed.event.eid] = (index, sealed)
        root, note = peaks.root(), ""
        if entry_rows:
            key = self._verifier_key
            note = sign(key.name, peaks.size, root, self._log_key, key.key_id)
            checkpoint = {"size": peaks.size, "t": milliseconds(self._clock()), "root": root, "note": note}
            rows.insert_group(connection, entry_rows, node_rows, checkpoint)
        for number, slot in enumerate(claimed):
            if number not in settled:
                index, sealed = placed[slot.sealed.event.eid]
                settled[number] = Receipt(
                    sealed.event.eid, index, peaks.size, root, leaf_hash(sealed.leaf), sealed.event.t, sealed.leaf
                )
        return _Group([settled[number] for number in range(len(claimed))], peaks, note)


def _says_the_same(sealed: Sealed, envelope: bytes) -> bool:
    return same_event(envelope, sealed.event, sealed.subjects)


def _conflict() -> EventConflict:
    return EventConflict("This event id already stands for another event.")


def _replayed(connection: Connection, sealed: Sealed, earlier: rows.StoredEntry) -> Receipt | EventConflict:
    """The receipt that was given the first time, or the conflict."""
    if not _says_the_same(sealed, earlier.envelope):
        return _conflict()
    head = rows.covering_checkpoint(connection, earlier.idx)
    return Receipt(sealed.event.eid, earlier.idx, head.size, head.root, earlier.leaf_hash, earlier.t, earlier.leaf)
