"""Merkle tree hashing and proofs, exactly as in RFC 6962.

For: the trail's writer and anyone who checks its proofs in Python. It must never accept a hash of another
length than 32 bytes or a size of zero, and a check refuses by raising. Ruled by RFC 6962 section 2.1
(June 2013); the checking algorithms are those of RFC 9162 section 2.1 (December 2021), which hash alike.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from audit.errors import ProofError

HASH_BYTES = 32

#: The root of a tree without entries: SHA-256 of nothing (RFC 6962 section 2.1).
EMPTY_ROOT = hashlib.sha256(b"").digest()

#: Reads the hash of the complete subtree at (level, number): entries [number * 2**level, (number + 1) * 2**level).
NodeReader = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Hash one entry: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the entry with `leaf_hash` is number `index` of the tree with `size` entries and `root`.

    Raises: ProofError, whenever it is not shown to be so.
    Source: RFC 9162 section 2.1.3.2.
    """
    _require_size("size", size)
    _require_count("index", index)
    if index >= size:
        raise ProofError("The index lies outside the tree.")
    _require_hashes(leaf_hash, root)
    _require_proof(proof)
    position, last = index, size - 1
    running = leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("The inclusion proof is too long.")
        if position & 1 or position == last:
            running = node_hash(sibling, running)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            running = node_hash(running, sibling)
        position >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("The inclusion proof is too short.")
    if running != root:
        raise ProofError("The inclusion proof leads to another root.")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Check that the tree (`size2`, `root2`) begins with the tree (`size1`, `root1`), unchanged.

    Raises: ProofError, whenever it is not shown to be so. A size of zero is an error: RFC 6962 section 2.1.2
    defines the proof for 0 < size1 <= size2 only, and a proof from nothing would say nothing.
    Source: RFC 9162 section 2.1.4.2.
    """
    _require_size("size1", size1)
    _require_size("size2", size2)
    if size1 > size2:
        raise ProofError("The first tree is larger than the second.")
    _require_hashes(root1, root2)
    _require_proof(proof)
    if size1 == size2:
        if proof:
            raise ProofError("A proof between equal sizes is empty.")
        if root1 != root2:
            raise ProofError("Two roots of the same size differ.")
        return
    if not proof:
        raise ProofError("The consistency proof is empty.")
    # When the first tree is one complete subtree its root is the first hash, and is left out of the proof.
    path = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    position, last = size1 - 1, size2 - 1
    while position & 1:
        position >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("The consistency proof is too long.")
        if position & 1 or position == last:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        position >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("The consistency proof is too short.")
    if first != root1:
        raise ProofError("The consistency proof leads to another first root.")
    if second != root2:
        raise ProofError("The consistency proof leads to another second root.")


class Peaks:
    """The complete subtrees of a growing tree, largest first: all that is needed to add entries and know the root.

    `push` returns the nodes above level 0 that became complete, so that a writer can store them: less than one
    per entry in the long run.
    """

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ProofError("The number of peaks does not fit the size of the tree.")

    def copy(self) -> "Peaks":
        """A second tree that can grow without changing this one."""
        return Peaks(self.size, self.hashes)

    def push(self, entry_hash: bytes) -> list[tuple[int, int, bytes]]:
        """Add one entry. Returns: (level, number, hash) of each subtree that it completed, lowest first."""
        completed: list[tuple[int, int, bytes]] = []
        number, level, running = self.size, 0, entry_hash
        while number & 1:
            running = node_hash(self.hashes.pop(), running)
            number >>= 1
            level += 1
            completed.append((level, number, running))
        self.hashes.append(running)
        self.size += 1
        return completed

    def extend(self, entry_hashes: Sequence[bytes]) -> list[list[bytes]]:
        """Add many entries. Returns: the hashes that they completed at level 1, at level 2 and so on, each in order.

        The same as `push` of each, in half the time: a level is hashed as a whole.
        """
        levels = [level for level in reversed(range(self.size.bit_length())) if self.size >> level & 1]
        alone = dict(zip(levels, self.hashes, strict=True))
        current, level = list(entry_hashes), 0
        completed: list[list[bytes]] = []
        self.size += len(current)
        while current:
            if level in alone:
                current = [alone.pop(level), *current]
            if len(current) % 2:
                alone[level] = current[-1]
            current = [node_hash(left, right) for left, right in zip(current[::2], current[1::2], strict=False)]
            completed.append(current)
            level += 1
        self.hashes = [alone[level] for level in sorted(alone, reverse=True)]
        return completed

    def root(self) -> bytes:
        """The root hash of the tree so far."""
        if not self.hashes:
            return EMPTY_ROOT
        running = self.hashes[-1]
        for peak in reversed(self.hashes[:-1]):
            running = node_hash(peak, running)
        return running


def peak_positions(size: int) -> list[tuple[int, int]]:
    """(level, number) of the complete subtrees of a tree, largest first."""
    return _cover(0, size)


def inclusion_positions(index: int, size: int) -> list[list[tuple[int, int]]]:
    """Which subtrees the inclusion proof is made of, in proof order (RFC 6962 section 2.1.1).

    Returns: one list per proof hash; a list of several subtrees is folded from the right into one hash.
    """
    _require_size("size", size)
    _require_count("index", index)
    if index >= size:
        raise ProofError("The index lies outside the tree.")
    start, end = 0, size
    path: list[list[tuple[int, int]]] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_cover(middle, end))
            end = middle
        else:
            path.append(_cover(start, middle))
            start = middle
    path.reverse()
    return path


def consistency_positions(size1: int, size2: int) -> list[list[tuple[int, int]]]:
    """Which subtrees the consistency proof is made of, in proof order (RFC 6962 section 2.1.2)."""
    _require_size("size1", size1)
    _require_size("size2", size2)
    if size1 > size2:
        raise ProofError("The first tree is larger than the second.")
    start, end, known = 0, size2, True
    path: list[list[tuple[int, int]]] = []
    while size1 != end:
        middle = start + _split(end - start)
        if size1 <= middle:
            path.append(_cover(middle, end))
            end = middle
        else:
            path.append(_cover(start, middle))
            start = middle
            known = False
    if not known:
        path.append(_cover(start, end))
    path.reverse()
    return path


def fold(positions: Sequence[tuple[int, int]], read: NodeReader) -> bytes:
    """Hash adjoining complete subtrees, largest first, into the one hash that stands for all of them."""
    running = read(*positions[-1])
    for position in reversed(positions[:-1]):
        running = node_hash(read(*position), running)
    return running


def prove_inclusion(index: int, size: int, read: NodeReader) -> list[bytes]:
    """Make the inclusion proof of entry `index` in the tree of `size` entries."""
    return [fold(positions, read) for positions in inclusion_positions(index, size)]


def prove_consistency(size1: int, size2: int, read: NodeReader) -> list[bytes]:
    """Make the consistency proof between two sizes of one tree."""
    return [fold(positions, read) for positions in consistency_positions(size1, size2)]


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (RFC 6962 section 2.1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _cover(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees that make up the entries [start, end), largest first."""
    cover: list[tuple[int, int]] = []
    while start < end:
        level = (end - start).bit_length() - 1
        cover.append((level, start >> level))
        start += 1 << level
    return cover


def _require_count(what: str, value: int) -> None:
    if type(value) is not int or value < 0:
        raise ProofError(f"The {what} is not a whole number of entries.")


def _require_size(what: str, value: int) -> None:
    _require_count(what, value)
    if value == 0:
        raise ProofError(f"The {what} is zero.")


def _require_hashes(*hashes: bytes) -> None:
    for value in hashes:
        if not isinstance(value, bytes) or len(value) != HASH_BYTES:
            raise ProofError("A hash has 32 bytes.")


def _require_proof(proof: Sequence[bytes]) -> None:
    if not isinstance(proof, list | tuple):
        raise ProofError("A proof is a list of hashes.")
    _require_hashes(*proof)
