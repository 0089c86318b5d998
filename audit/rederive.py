"""Build the tree again from what is stored, and hold it against what was signed.

For: `Trail.start`, so that a changed, shortened or restored trail is never signed. It must never repair anything.
Ruled by `docs/audit-format.md`.
"""

import hashlib
from collections import defaultdict

from sqlalchemy import Connection, func, select

from audit.checkpoint import Checkpoint, VerifierKey
from audit.entry import commits, has_header
from audit.errors import TrailCorrupt
from audit.store import entry_rows_from, open_signed, read_signed_head
from audit.tables import checkpoints, nodes
from audit.tree import Peaks, leaf_hash

#: So many of the newest checkpoints are held against the tree at start; each costs a signature check.
_CHECKPOINTS_CHECKED = 256


def rederive(connection: Connection, key: VerifierKey, remembered: str) -> Peaks:
    """Recompute every hash from the stored entries and compare all that is stored besides.

    Takes: `remembered`, a checkpoint kept outside the database, or an empty text.
    Returns: the peaks of the tree, which is the one that was last signed.
    Raises: TrailCorrupt, for anything that differs.
    """
    head = read_signed_head(connection, key)
    anchor = _anchor(remembered, key)
    if anchor is not None and anchor.size > head.size:
        raise TrailCorrupt(
            f"The trail has {head.size} entries, but {anchor.size} were signed: an older copy was put back."
        )
    expected = {
        row.size: (bytes(row.root), row.note)
        for row in connection.execute(
            select(checkpoints.c.size, checkpoints.c.root, checkpoints.c.note)
            .order_by(checkpoints.c.size.desc())
            .limit(_CHECKPOINTS_CHECKED)
        )
    }
    peaks = Peaks()
    digests: dict[int, hashlib._Hash] = defaultdict(hashlib.sha256)
    counts: dict[int, int] = defaultdict(int)
    for index, eid, t, kind, stored_hash, leaf, envelope in entry_rows_from(connection, 0):
        if index != peaks.size:
            raise TrailCorrupt(f"Entry {peaks.size} is missing.")
        if not commits(leaf, envelope):
            raise TrailCorrupt(f"Entry {index} is not what was signed.")
        if not has_header(envelope, eid, t, kind):
            raise TrailCorrupt(f"The columns of entry {index} do not say what its envelope says.")
        running = leaf_hash(leaf)
        if running != stored_hash:
            raise TrailCorrupt(f"The stored hash of entry {index} is wrong.")
        for level, _, node in peaks.push(running):
            digests[level].update(node)
            counts[level] += 1
        if peaks.size in expected:
            root, note = expected[peaks.size]
            signed = open_signed(note, key)
            if peaks.root() != root or (signed.size, signed.root) != (peaks.size, root):
                raise TrailCorrupt(f"The tree of {peaks.size} entries is not the one that was signed.")
        if anchor is not None and peaks.size == anchor.size and peaks.root() != anchor.root:
            raise TrailCorrupt(f"The tree of {anchor.size} entries is not the one that was signed.")
    if peaks.size != head.size or peaks.root() != head.root:
        raise TrailCorrupt(f"The trail has {peaks.size} entries, but {head.size} were signed.")
    _compare_nodes(connection, digests, counts)
    return peaks


def _anchor(remembered: str, key: VerifierKey) -> Checkpoint | None:
    """The checkpoint kept outside, or None when it is unreadable: a power cut may tear it, as anyone may remove it."""
    try:
        return open_signed(remembered, key)
    except TrailCorrupt:
        return None


def _compare_nodes(connection: Connection, digests: "dict[int, hashlib._Hash]", counts: dict[int, int]) -> None:
    grouped = connection.execute(select(nodes.c.level, func.count().label("stored")).group_by(nodes.c.level))
    stored = {row.level: row.stored for row in grouped}
    if stored != dict(counts):
        raise TrailCorrupt("Hashes of the tree are missing or too many.")
    for level, digest in digests.items():
        kept = hashlib.sha256()
        query = select(nodes.c.hash).where(nodes.c.level == level).order_by(nodes.c.number)
        for part in connection.execution_options(yield_per=1000).scalars(query).partitions():
            kept.update(b"".join(bytes(node) for node in part))
        if kept.digest() != digest.digest():
            raise TrailCorrupt(f"A stored hash of the tree at level {level} is wrong.")
