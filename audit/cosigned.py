"""The rows of what witnesses said, and what they add up to under a policy.

For: the collector of cosignatures, receipts and exports. It must never count a stored line that does not verify: the
database is what witnesses are there to check. Ruled by `docs/audit-format.md`.
"""

import contextlib
import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from audit.checkpoint import VerifierKey
from audit.cosignature import Cosignature, read_cosignatures
from audit.errors import ProofError
from audit.policy import WitnessPolicy
from audit.store import Head, Store
from audit.tables import checkpoints, cosignatures

#: So many of the newest cosigned checkpoints are looked at for one that a quorum cosigned.
_LOOKED_AT = 64


class Heard(NamedTuple):
    """The newest that one witness said: the size that it cosigned, and when (UTC milliseconds, the hub's time)."""

    size: int
    t: int


@dataclass(frozen=True, slots=True)
class CosignedHead:
    """A checkpoint with the lines of a quorum below the log's own. `t` is when the quorum was complete."""

    head: Head
    note: str
    t: int


def key_hash(key: VerifierKey) -> bytes:
    """How the table names a witness."""
    return hashlib.sha256(key.public).digest()


def keep(store: Store, size: int, key: VerifierKey, line: str, t: int) -> None:
    """Effects: one row. The caller has checked the line. Raises what the database raises."""
    row = {"size": size, "key_hash": key_hash(key), "t": t, "line": line}
    with contextlib.closing(store.connect()) as connection:
        if store.is_sqlite:
            store.begin_alone(connection)
        connection.execute(insert(cosignatures), [row])
        connection.commit()


def newest_of(connection: Connection, key: VerifierKey) -> Heard | None:
    """The newest that this witness said."""
    c = cosignatures.c
    query = select(c.size, c.t).where(c.key_hash == key_hash(key)).order_by(c.t.desc(), c.size.desc()).limit(1)
    # Taken apart by place: a row of SQLAlchemy has a `t` of its own.
    row = connection.execute(query).first()
    return Heard(*row) if row else None


def checkpoint_at(connection: Connection, size: int) -> Head | None:
    """The checkpoint of this size."""
    query = select(checkpoints.c.size, checkpoints.c.root, checkpoints.c.note).where(checkpoints.c.size == size)
    row = connection.execute(query).first()
    return Head(row.size, bytes(row.root), row.note) if row else None


def quorum_head(connection: Connection, policy: WitnessPolicy, *, covering: int = 0) -> CosignedHead | None:
    """The newest checkpoint of more than `covering` entries that a quorum cosigned; None when there is none."""
    c = cosignatures.c
    sizes = select(c.size).where(c.size > covering).distinct().order_by(c.size.desc()).limit(_LOOKED_AT)
    lines: dict[int, dict[bytes, tuple[int, str]]] = defaultdict(dict)
    query = select(c.size, c.key_hash, c.t, c.line).where(c.size.in_(sizes.scalar_subquery())).order_by(c.t)
    for at, witness, t, line in connection.execute(query):
        # The first word of each witness counts: it shows how early the entry was there.
        lines[at].setdefault(bytes(witness), (t, line))
    wanted = {key_hash(key): key for key in policy.vkeys()}
    for size in sorted(lines, reverse=True):
        head = checkpoint_at(connection, size)
        if head is None:
            continue
        signed, note, t = [], head.note, 0
        for witness, (heard, line) in sorted(lines[size].items()):
            if cosignature := _holding(head.note, line, wanted.get(witness)):
                signed.append(cosignature)
                note, t = note + cosignature.line, max(t, heard)
        if policy.met(signed):
            return CosignedHead(head, note, t)
    return None


def newest_cosigned(connection: Connection, sizes: int = _LOOKED_AT) -> str | None:
    """Of the newest cosigned checkpoints the one that most witnesses cosigned, as it stands; None without any.

    For exports, which do not know the policy of whoever will check them.
    """
    c = cosignatures.c
    query = select(c.size, func.count(c.key_hash.distinct())).group_by(c.size).order_by(c.size.desc()).limit(sizes)
    rows = connection.execute(query).all()
    if not rows:
        return None
    size = max(rows, key=lambda row: (row[1], row[0]))[0]
    head = checkpoint_at(connection, size)
    first: dict[bytes, str] = {}
    for witness, line in connection.execute(select(c.key_hash, c.line).where(c.size == size).order_by(c.t)):
        first.setdefault(bytes(witness), line)
    return head.note + "".join(first[witness] for witness in sorted(first)) if head else None


def _holding(note: str, line: str, key: VerifierKey | None) -> Cosignature | None:
    """The stored line as a cosignature; None for a witness that does not count, or for one that does not hold."""
    try:
        found = read_cosignatures(note + line, [key] if key else [])
    except ProofError:
        return None
    return found[0] if found else None
