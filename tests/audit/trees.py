"""A log that is only a list of entries, for tests of those who watch logs: it can be forked at will."""

import base64
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import VerifierKey, sign
from audit.tree import EMPTY_ROOT, fold, leaf_hash, node_hash, peak_positions, prove_consistency, prove_inclusion


class Log:
    """Entry n is the text `entry n`, unless this is a fork."""

    def __init__(self, origin: str, key: Ed25519PrivateKey | None = None) -> None:
        self.key = key or Ed25519PrivateKey.generate()
        self.vkey = VerifierKey.of(origin, self.key.public_key())
        self._other: dict[int, bytes] = {}
        self._known: dict[tuple[int, int], bytes] = {}

    def forked(self, size: int, *, at: int, with_entry: bytes = b"another entry") -> "Log":
        """The same log under the same key, with another entry number `at`."""
        assert at < size
        fork = Log(self.vkey.name, self.key)
        fork._other = {**self._other, at: with_entry}
        return fork

    def give(self, entries: dict[int, bytes]) -> None:
        """Other entries, by their numbers; before anything was asked of the log."""
        self._other.update(entries)

    def entries(self, size: int) -> list[bytes]:
        return [self._other.get(number, b"entry %d" % number) for number in range(size)]

    def node(self, level: int, number: int) -> bytes:
        if (level, number) not in self._known:
            if level == 0:
                found = leaf_hash(self._other.get(number, b"entry %d" % number))
            else:
                found = node_hash(self.node(level - 1, 2 * number), self.node(level - 1, 2 * number + 1))
            self._known[level, number] = found
        return self._known[level, number]

    def root(self, size: int) -> bytes:
        return fold(peak_positions(size), self.node) if size else EMPTY_ROOT

    def note(self, size: int) -> str:
        return sign(self.vkey.name, size, self.root(size), self.key, self.vkey.key_id)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return prove_inclusion(index, size, self.node)

    def consistency(self, old: int, new: int) -> list[bytes]:
        return prove_consistency(old, new, self.node)


def base64_lines(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(one).decode("ascii") for one in hashes]
