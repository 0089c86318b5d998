"""The one thread of a process that writes: whatever waits is committed together, and only then acknowledged.

For: `audit.log` alone. It must never acknowledge before COMMIT has returned. How a group is written is its target's
affair: placed in the tree (SQLite), or handed in for the leader (PostgreSQL). Ruled by `docs/audit-format.md`.

Waits and queues are bounded. After an outage the next entry finds a fresh connection, so writing resumes by itself.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import Connection

from audit import store as rows
from audit.entry import Sealed
from audit.errors import AuditError, TrailCorrupt, TrailUnavailable
from audit.receipts import Receipt

#: The most entries in one commit, so that nobody waits behind a crowd.
LARGEST_GROUP = 512

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


class Target(Protocol):
    """Where a group goes: one transaction, an outcome per slot."""

    def begin(self, connection: Connection) -> None:
        """Begin the transaction. What waits is taken out of the queue after this."""

    def write(self, connection: Connection, slots: Sequence[Slot]) -> list[Receipt | AuditError]:
        """Write the rows. The outcomes count once `commit` has returned."""

    def commit(self, connection: Connection) -> None:
        """Make them durable."""


class Writer:
    """The writer thread and the queue in front of it."""

    def __init__(self, store: rows.Store, target: Target, *, max_wait_s: float, max_queue: int) -> None:
        self._store = store
        self._target = target
        self._max_wait_s = max_wait_s
        self._max_queue = max_queue
        self._bell = threading.Condition(threading.Lock())
        self._queue: deque[Slot] = deque()
        self._stopping = False
        self._corrupt: str | None = None
        self._thread: threading.Thread | None = None
        #: Belongs to the thread alone, once it runs.
        self._connection: Connection | None = None

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="audit-writer", daemon=True)
        self._thread.start()

    def condemn(self, sentence: str) -> None:
        """Nothing is written any more: the stored trail is not the one that was signed."""
        with self._bell:
            self._corrupt = sentence

    def require_sound(self) -> None:
        """Raises: TrailCorrupt, once the trail is condemned."""
        if self._corrupt is not None:
            raise TrailCorrupt(self._corrupt)

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
            self.require_sound()
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
        """One transaction: begin, take what waits, write, commit - and only then acknowledge."""
        claimed: list[Slot] = []
        try:
            if self._connection is None:
                self._connection = self._store.connect()
            self._target.begin(self._connection)
            claimed = self._claim()
            outcomes = self._target.write(self._connection, claimed)
            self._target.commit(self._connection)
        except TrailCorrupt as error:
            self.condemn(str(error))
            self._fail(claimed, error)
        except TrailUnavailable as error:
            self._fail(claimed, error)
        except Exception as error:  # The thread must outlive whatever a database driver throws.
            self._fail(claimed, rows.unavailable("The trail cannot be written", error))
        else:
            for slot, outcome in zip(claimed, outcomes, strict=True):
                slot.settle(outcome)

    def _claim(self) -> list[Slot]:
        """Take what waits, as late as possible: the lock is ours, so it is about to be written."""
        with self._bell:
            return [self._queue.popleft() for _ in range(min(len(self._queue), LARGEST_GROUP))]

    def _fail(self, claimed: list[Slot], error: TrailUnavailable) -> None:
        """Tell everybody who waits, and drop the connection, so that the next entry tries afresh."""
        self._drop_connection()
        waiting = claimed + self._claim()
        for slot in waiting:
            slot.settle(type(error)(str(error)))

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._store.drop(connection)
