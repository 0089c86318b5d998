"""Is the trail what was signed? Asked now, by somebody who wants to see the proof.

For: `Trail.check`. It must never repair anything, and never say of an entry more than its number. Ruled by
`docs/audit-format.md`.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from audit.checkpoint import Checkpoint, VerifierKey
from audit.cosigned import quorum_head
from audit.errors import EntryUnknown, ProofError, TrailCorrupt
from audit.policy import WitnessPolicy
from audit.rederive import rederive
from audit.store import Head, node_reader, open_signed, read_signed_head
from audit.tables import checkpoints
from audit.tree import consistency_positions, prove_consistency, verify_consistency

#: A trail of up to so many entries is recomputed from its first byte while somebody waits: about two seconds.
RECOMPUTED_UP_TO = 100_000
CONSISTENCY_FORMAT = "kith-consistency/1"


@dataclass(frozen=True, slots=True)
class Consistency:
    """Two checkpoints of one trail, and the proof that the second continues the first. Both notes are signed."""

    earlier: Checkpoint
    later: Checkpoint
    path: tuple[bytes, ...]

    def json(self) -> str:
        """The bundle as a file for `python -m audit verify`."""
        document = {
            "format": CONSISTENCY_FORMAT,
            "earlier": self.earlier.note,
            "later": self.later.note,
            "path": [base64.b64encode(node).decode("ascii") for node in self.path],
        }
        return json.dumps(document, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `recomputed` is the number of entries whose every byte was hashed again.

    `earlier_t` is when the earlier checkpoint was signed (UTC milliseconds); `witnessed` is what a quorum cosigned.
    """

    consistency: Consistency
    earlier_t: int
    recomputed: int
    witnessed: int


def check(connection: Connection, key: VerifierKey, policy: WitnessPolicy | None, *, before: int) -> Checked:
    """Hold the newest checkpoint against the last one signed before a moment (or the first of all).

    Takes: `before`, in UTC milliseconds. Raises: TrailCorrupt, when the trail is not what was signed; EntryUnknown, for
    a trail without entries.
    """
    _one_moment(connection)
    head = read_signed_head(connection, key)
    if not head.size:
        raise EntryUnknown("The trail has no entries yet.")
    earlier, earlier_t = _signed_before(connection, before)
    if head.size <= RECOMPUTED_UP_TO:
        rederive(connection, key, "")
    witnessed = quorum_head(connection, policy) if policy else None
    return Checked(
        consistency=between(connection, key, earlier, head),
        earlier_t=earlier_t,
        recomputed=head.size if head.size <= RECOMPUTED_UP_TO else 0,
        witnessed=witnessed.head.size if witnessed else 0,
    )


def between(connection: Connection, key: VerifierKey, earlier: Head, later: Head) -> Consistency:
    """The proof from one stored checkpoint to another, verified before it is handed out. Raises: TrailCorrupt."""
    first, second = open_signed(earlier.note, key), open_signed(later.note, key)
    positions = consistency_positions(first.size, second.size)
    path = prove_consistency(first.size, second.size, node_reader(connection, positions))
    try:
        verify_consistency(first.size, second.size, path, first.root, second.root)
    except ProofError:
        raise TrailCorrupt("The stored tree does not continue what was signed before.") from None
    return Consistency(first, second, tuple(path))


def _one_moment(connection: Connection) -> None:
    """Without a transaction SQLite shows each query a later trail, which would look like a changed one."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        if not driver.in_transaction:
            driver.execute("BEGIN")


def _signed_before(connection: Connection, moment: int) -> tuple[Head, int]:
    c = checkpoints.c
    columns = select(c.size, c.root, c.note, c.t)
    # Sizes and times grow together; the first that is not older ends the search.
    after = select(c.size).where(c.t >= moment).order_by(c.size).limit(1).scalar_subquery()
    row = connection.execute(columns.where(c.size < after).order_by(c.size.desc()).limit(1)).first()
    row = row or connection.execute(columns.order_by(c.size).limit(1)).first()
    if row is None:
        raise EntryUnknown("The trail has no entries yet.")
    size, root, note, t = row
    return Head(size, bytes(root), note), t
