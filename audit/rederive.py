"""Build the tree again from what is stored, and hold it against what was signed.

For: `Trail.start`, so that a changed, shortened or restored trail is never signed. It must never repair anything.
Ruled by `docs/audit-format.md`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from audit.checkpoint import Checkpoint, VerifierKey
from audit.entry import LEAF_BYTES, checksum, commits, has_header
from audit.errors import TrailCorrupt
from audit.store import entry_batches_from, node_batches, open_signed, read_signed_head
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
    for batch in entry_batches_from(connection, 0):
        hashes = _checked(batch, peaks.size)
        ends = {
            size for size in (*expected, anchor.size if anchor else 0) if peaks.size < size <= peaks.size + len(batch)
        }
        first = peaks.size
        for end in sorted(ends | {first + len(batch)}):
            for level, nodes_of_level in enumerate(peaks.extend(hashes[peaks.size - first : end - first]), 1):
                if nodes_of_level:
                    digests[level].update(b"".join(nodes_of_level))
                    counts[level] += len(nodes_of_level)
            if end in expected:
                root, note = expected[end]
                signed = open_signed(note, key)
                if peaks.root() != root or (signed.size, signed.root) != (end, root):
                    raise TrailCorrupt(f"The tree of {end} entries is not the one that was signed.")
            if anchor is not None and end == anchor.size and peaks.root() != anchor.root:
                raise TrailCorrupt(f"The tree of {anchor.size} entries is not the one that was signed.")
    if peaks.size != head.size or peaks.root() != head.root:
        raise TrailCorrupt(f"The trail has {peaks.size} entries, but {head.size} were signed.")
    _compare_nodes(connection, digests, counts)
    return peaks


def _checked(batch: Sequence[tuple[int, str, int, str, bytes, bytes, bytes]], first: int) -> list[bytes]:
    """The leaf hashes of consecutive entries, of which `first` is the number of the first. Raises: TrailCorrupt.

    All are compared at once; only where something differs is it looked for.
    """
    indices, eids, times, kinds, stored, leaves, envelopes = zip(*batch, strict=True)
    whole = (
        indices == tuple(range(first, first + len(batch)))
        and {*map(type, leaves), *map(type, envelopes)} == {bytes}
        and [checksum(envelope) for envelope in envelopes] == [leaf[:32] for leaf in leaves]
        and {len(leaf) for leaf in leaves} == {LEAF_BYTES}
        and all(map(has_header, envelopes, eids, times, kinds))
    )
    if whole:
        hashes = [leaf_hash(leaf) for leaf in leaves]
        if tuple(hashes) == stored:
            return hashes
    raise TrailCorrupt(_what_differs(batch, first))


def _what_differs(batch: Sequence[tuple[int, str, int, str, bytes, bytes, bytes]], first: int) -> str:
    for number, (index, eid, t, kind, stored, leaf, envelope) in enumerate(batch, first):
        if index != number:
            return f"Entry {number} is missing."
        if not commits(leaf, envelope):
            return f"Entry {index} is not what was signed."
        if not has_header(envelope, eid, t, kind):
            return f"The columns of entry {index} do not say what its envelope says."
        if leaf_hash(leaf) != stored:
            return f"The stored hash of entry {index} is wrong."
    return "The entries are not what was signed."


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
        for joined in node_batches(connection, level):
            kept.update(joined)
        if kept.digest() != digest.digest():
            raise TrailCorrupt(f"A stored hash of the tree at level {level} is wrong.")
