"""One secret from which a key for every place follows, and from which single places can be cut out for good.

For: the key store, which must be able to forget one subject without touching what belongs to the others. Must
never keep a secret above a place that was cut out: from it the place's key would follow again.
Source: the tree of Goldreich, Goldwasser and Micali, "How to construct random functions" (JACM 33, 1986), cut as in
Boneh and Waters (2013) and Green and Miers (2015); here with sixteen branches and keyed BLAKE2b (RFC 7693).
"""

import hashlib
import os
import struct
from collections.abc import Mapping

from hub.errors import KeyRefused

PLACE_BYTES = 8
SECRET_BYTES = 32
#: Steps from the root to a place: one for each half byte.
STEPS = 2 * PLACE_BYTES
_BRANCHES = tuple(bytes([number]) for number in range(16))
_ROW = struct.Struct(">BQ32s")


class KeyTree:
    """The secrets that are left, each with its depth and the first half bytes of the places below it."""

    def __init__(self, secrets: Mapping[tuple[int, int], bytes]) -> None:
        self._secrets = dict(secrets)

    @classmethod
    def fresh(cls) -> "KeyTree":
        """A tree with every place in it."""
        return cls({(0, 0): os.urandom(SECRET_BYTES)})

    def key(self, place: bytes) -> bytes | None:
        """The 32 bytes that belong to this place of 8 bytes; None when it was cut out."""
        number = int.from_bytes(place[:PLACE_BYTES], "big")
        above = self._above(number)
        if above is None:
            return None
        secret = self._secrets[above, number >> 4 * (STEPS - above)]
        for step in range(above, STEPS):
            secret = _below(secret, number >> 4 * (STEPS - 1 - step) & 15)
        return secret

    def has(self, place: bytes) -> bool:
        """Whether this place is still in."""
        return self._above(int.from_bytes(place[:PLACE_BYTES], "big")) is not None

    def cut(self, place: bytes) -> bool:
        """Takes one place out and keeps all others; returns False when it was out already."""
        number = int.from_bytes(place[:PLACE_BYTES], "big")
        above = self._above(number)
        if above is None:
            return False
        secret = self._secrets.pop((above, number >> 4 * (STEPS - above)))
        for step in range(above, STEPS):
            path = number >> 4 * (STEPS - 1 - step)
            for branch in range(16):
                if branch != path & 15:
                    self._secrets[step + 1, path - (path & 15) + branch] = _below(secret, branch)
            secret = _below(secret, path & 15)
        return True

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads: 41 bytes for each secret."""
        return b"".join(_ROW.pack(depth, path, secret) for (depth, path), secret in sorted(self._secrets.items()))

    @classmethod
    def from_bytes(cls, data: bytes) -> "KeyTree":
        """Raises KeyRefused for anything that `to_bytes` did not write."""
        if len(data) % _ROW.size:
            raise KeyRefused("A file of the key store is damaged.")
        return cls({(depth, path): secret for depth, path, secret in _ROW.iter_unpack(data)})

    def _above(self, number: int) -> int | None:
        """The depth of the secret from which this place follows."""
        for depth in range(STEPS + 1):
            if (depth, number >> 4 * (STEPS - depth)) in self._secrets:
                return depth
        return None


def _below(secret: bytes, branch: int) -> bytes:
    return hashlib.blake2b(_BRANCHES[branch], digest_size=SECRET_BYTES, key=secret).digest()
