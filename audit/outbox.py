"""What workers hand in on PostgreSQL, and what the leader takes out of it.

For: the writer thread of every worker (`HandingIn`) and the elected leader. A row is durable once its transaction is,
and is acknowledged then; it gets its place within a second. Must never hand in an event id twice, and never take out a
row whose entry is not in the trail. Ruled by `docs/adr/0008-the-outbox-and-its-leader.md`.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from audit import store as rows
from audit.errors import AuditError, TrailUnavailable
from audit.placing import pending, replayed
from audit.receipts import Receipt
from audit.writer import Slot

#: What this process handed in and nobody placed for so long means that there is no leader: then nothing is handed
#: in any more, so that no pile of disclosures grows which no signed checkpoint covers. In seconds.
LONGEST_UNPLACED_S = 5.0
#: So many leaves that this process handed in are remembered, so that it need not check its own signatures as leader.
_MOST_OWN = 4096

_COLUMNS = "eid, t, kind, leaf, envelope"
_HAND_IN = (
    f"INSERT INTO audit_outbox ({_COLUMNS}) SELECT {_COLUMNS} FROM unnest("  # noqa: S608 (our own constant)
    "?::text[], ?::bigint[], ?::text[], ?::bytea[], ?::bytea[])"
    f" WITH ORDINALITY AS u ({_COLUMNS}, n) ORDER BY n ON CONFLICT DO NOTHING RETURNING eid"
)
_WAITING = f"SELECT seq, {_COLUMNS} FROM audit_outbox ORDER BY seq LIMIT ?"  # noqa: S608
_WAITING_UNDER = f"SELECT {_COLUMNS} FROM audit_outbox WHERE eid = ANY(?)"  # noqa: S608
_REFUSE = text(
    "INSERT INTO audit_refused (seq, eid, reason, leaf, envelope)"
    " SELECT seq, eid, :reason, leaf, envelope FROM audit_outbox WHERE seq = :seq"
)


class Waiting(NamedTuple):
    """A row of the outbox."""

    seq: int
    entry: rows.Pending


class HandingIn:
    """Puts each group into the outbox, in a transaction of this worker's own that waits for nobody."""

    def __init__(self) -> None:
        #: An event id that we handed in, and when by the steady clock: the oldest that we have not seen placed.
        self._oldest: tuple[str, float] | None = None
        self._own: dict[bytes, None] = {}
        self._lock = threading.Lock()

    def take_own(self, leaf: bytes) -> bool:
        """Whether this process itself signed and handed in this leaf. Asked once for each, by the leader."""
        with self._lock:
            return self._own.pop(leaf, True) is None

    def begin(self, connection: Connection) -> None:
        """Begin a transaction."""
        connection.begin()

    def write(self, connection: Connection, slots: Sequence[Slot]) -> list[Receipt | AuditError]:
        """Hand in what is new; a retry gets the receipt that was given the first time, or the conflict.

        Raises: TrailUnavailable, when nobody places what was handed in.
        """
        self._require_leader(connection)
        mine = {slot.sealed.event.eid: pending(slot.sealed) for slot in reversed(slots)}
        # An id that we drew ourselves stands for nothing else.
        given = list({slot.sealed.event.eid for slot in slots if slot.may_be_replay})
        earlier: dict[str, rows.Pending] = {}
        while True:
            fresh = [entry for eid, entry in mine.items() if eid not in earlier]
            handed_in = _hand_in(connection, fresh) if fresh else set()
            # Whoever was first has a row in the outbox, or, once it is placed, an entry: looked at in this order, so
            # that a row which is placed at this moment is not overlooked.
            earlier |= _waiting_under(connection, [eid for eid in mine if eid not in handed_in])
            placed = {eid: rows.pending_of(entry) for eid, entry in rows.entries_with(connection, given).items()}
            earlier |= placed
            if not placed.keys() & handed_in:
                break
            # An id was placed and its row taken out before ours went in. Ours must not stay.
            connection.rollback()
            self.begin(connection)
        with self._lock:
            self._own.update((mine[eid].leaf, None) for eid in handed_in)
            while len(self._own) > _MOST_OWN:
                del self._own[next(iter(self._own))]
        if self._oldest is None and handed_in:
            self._oldest = next(iter(handed_in)), time.monotonic()
        return [self._outcome(slot, mine, earlier, handed_in) for slot in slots]

    def commit(self, connection: Connection) -> None:
        """Make it durable."""
        connection.commit()

    def _outcome(
        self, slot: Slot, mine: dict[str, rows.Pending], earlier: dict[str, rows.Pending], handed_in: set[str]
    ) -> Receipt | AuditError:
        sealed, eid = slot.sealed, slot.sealed.event.eid
        if eid in handed_in and mine[eid].leaf == sealed.leaf:
            return Receipt.of(sealed)
        first = mine[eid] if eid in handed_in else earlier.get(eid)
        if first is None:  # Neither ours nor anybody's: the database did not keep it.
            return TrailUnavailable("The trail did not keep the entry.")
        return replayed(sealed, first)

    def _require_leader(self, connection: Connection) -> None:
        if self._oldest is None or time.monotonic() - self._oldest[1] <= LONGEST_UNPLACED_S / 5:
            return
        eid, since = self._oldest
        if not _waiting_under(connection, [eid]):
            self._oldest = None
        elif time.monotonic() - since > LONGEST_UNPLACED_S:
            raise TrailUnavailable("Nobody places what was handed in: there is no leader.")


def _hand_in(connection: Connection, fresh: list[rows.Pending]) -> set[str]:
    columns = list(map(list, zip(*fresh, strict=True)))
    return {eid for (eid,) in rows.fetch(connection, _HAND_IN, columns)}


def _waiting_under(connection: Connection, eids: list[str]) -> dict[str, rows.Pending]:
    if not eids:
        return {}
    return {row[0]: _pending(row) for row in rows.fetch(connection, _WAITING_UNDER, [eids])}


def is_waiting(connection: Connection, eid: str) -> bool:
    """Whether an event of this id is handed in and not placed yet."""
    return bool(_waiting_under(connection, [eid]))


def newest_waiting(connection: Connection) -> int | None:
    """The number of the newest row that waits."""
    newest: int | None = connection.scalar(text("SELECT max(seq) FROM audit_outbox"))
    return newest


def is_placed_up_to(connection: Connection, seq: int) -> bool:
    """Whether nothing waits up to this number."""
    return connection.scalar(text("SELECT 1 FROM audit_outbox WHERE seq <= :seq LIMIT 1"), {"seq": seq}) is None


def waiting(connection: Connection, most: int) -> list[Waiting]:
    """What waits, in the order in which it was handed in."""
    return [Waiting(row[0], _pending(row[1:])) for row in rows.fetch(connection, _WAITING, [most])]


def _pending(columns: Sequence[Any]) -> rows.Pending:
    eid, t, kind, leaf, envelope = columns
    return rows.Pending(eid, t, kind, bytes(leaf), bytes(envelope))


def refuse(connection: Connection, seq: int, reason: str) -> None:
    """Keep a row that gets no place, for whoever has to look into it."""
    connection.execute(_REFUSE, {"seq": seq, "reason": reason})


def clear(connection: Connection) -> None:
    """Take out what is in the trail, or refused: by a function that its owner's rights run, for ours do not suffice."""
    connection.execute(text("SELECT audit_outbox_clear()"))
