"""How a group of entries is written on SQLite: placed in the tree, signed and committed in one transaction.

For: the writer thread of the one process that may write. Must never acknowledge what is not covered by a signed
checkpoint. Ruled by `docs/audit-format.md`.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from audit import store as rows
from audit.entry import Sealed, same_event
from audit.errors import AuditError, EventConflict
from audit.growth import Tree
from audit.receipts import Receipt
from audit.writer import Slot


class Placing:
    """Puts each group into the tree at once."""

    def __init__(self, store: rows.Store, tree: Tree) -> None:
        self._store = store
        self._tree = tree

    def begin(self, connection: Connection) -> None:
        """Begin a transaction that keeps every other writer out until its end."""
        self._store.begin_alone(connection)

    def write(self, connection: Connection, slots: Sequence[Slot]) -> list[Receipt | AuditError]:
        """Place what is new; a retry gets the receipt that was given the first time, or the conflict."""
        self._tree.follow(connection)
        earlier = rows.entries_with(connection, [slot.sealed.event.eid for slot in slots if slot.may_be_replay])
        placed: dict[str, Sealed] = {}
        outcomes: list[Receipt | AuditError] = []
        for slot in slots:
            sealed, eid = slot.sealed, slot.sealed.event.eid
            if slot.may_be_replay and eid in earlier:
                outcomes.append(replayed(sealed, rows.pending_of(earlier[eid])))
            elif slot.may_be_replay and eid in placed:
                outcomes.append(replayed(sealed, pending(placed[eid])))
            else:
                placed[eid] = sealed
                outcomes.append(Receipt.of(sealed))
        self._tree.grow(connection, [pending(sealed) for sealed in placed.values()])
        return outcomes

    def commit(self, connection: Connection) -> None:
        """Make it durable."""
        self._tree.commit(connection)


def pending(sealed: Sealed) -> rows.Pending:
    """An entry as it is kept, without its place."""
    event = sealed.event
    return rows.Pending(event.eid, event.t, str(event.kind), sealed.leaf, sealed.envelope)


def replayed(sealed: Sealed, earlier: rows.Pending) -> Receipt | EventConflict:
    """What a caller gets who comes with an event id that is taken."""
    if not same_event(earlier.envelope, sealed.event, sealed.subjects):
        return EventConflict("This event id already stands for another event.")
    return Receipt(earlier.eid, earlier.t, earlier.leaf)
