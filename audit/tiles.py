"""The trail as files: C2SP tlog-tiles, with the envelopes beside them for those who may read them.

For: `python -m audit export`, mirrors, witnesses and independent verifiers. It copies what is stored and judges
nothing: judging is for a verifier that shares no code with it. It must never replace a complete tile by another
one, and never put a smaller checkpoint in the place of a larger one. Ruled by c2sp.org/tlog-tiles.
"""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine, select

from audit.checkpoint import VerifierKey, parse
from audit.cosigned import newest_cosigned
from audit.durable import replace_file
from audit.errors import ProofError, TrailCorrupt, TrailUnavailable
from audit.store import LOG, SUBMITTER, Store, entry_rows_from, read_head
from audit.tables import keys, nodes

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

CHECKPOINT = "checkpoint"
COSIGNED = "cosigned"
ENVELOPES = "envelopes"
SUBMITTERS = "submitters.json"
VERIFIER_KEY = "log.vkey"


def export(engine: Engine, directory: Path, *, with_envelopes: bool = True) -> int:
    """Write the trail up to its newest checkpoint into a directory; may be repeated as the trail grows.

    Takes: `with_envelopes`, False for receivers who may see hashes and counts only.
    Returns: the number of entries.
    Raises: TrailUnavailable; TrailCorrupt, when the directory holds what the trail no longer says.
    """
    with Store(engine, wait_s=2.0).reading() as connection:
        head = read_head(connection)
        if not head.size:
            raise TrailUnavailable("The trail has no entries yet.")
        _require_growth(directory, head.size)
        _write_entries(connection, directory, head.size, with_envelopes=with_envelopes)
        _write_upper_tiles(connection, directory, head.size)
        witnessed = newest_cosigned(connection)
        enrolled = connection.execute(select(keys).order_by(keys.c.t, keys.c.key_hash)).all()
    known = {bytes(key.key_hash).hex(): bytes(key.public_key).hex() for key in enrolled if key.role == SUBMITTER}
    replace_file(directory / SUBMITTERS, (json.dumps(known, indent=1) + "\n").encode())
    # For convenience: whoever verifies in earnest has the log's key from elsewhere.
    for key in enrolled:
        if key.role == LOG:
            public = Ed25519PublicKey.from_public_bytes(bytes(key.public_key))
            replace_file(directory / VERIFIER_KEY, f"{VerifierKey.of(key.name, public)}\n".encode())
    if witnessed:
        replace_file(directory / COSIGNED, witnessed.encode())
    # Last of all, so that a reader never finds a checkpoint whose tiles are still missing.
    replace_file(directory / CHECKPOINT, head.note.encode())
    return head.size


def tile_path(level: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile: index 1234067 of level 0 is tile/0/x001/x234/067."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{path}{partial}"


def _require_growth(directory: Path, size: int) -> None:
    path = directory / CHECKPOINT
    if not path.exists():
        return
    try:
        exported = parse(path.read_text(encoding="utf-8")).size
    except (ProofError, UnicodeDecodeError):
        raise TrailCorrupt("The directory holds a checkpoint that cannot be read.") from None
    if exported > size:
        raise TrailCorrupt(f"The directory holds {exported} entries, the trail only {size}.")


def _write_entries(connection: Connection, directory: Path, size: int, *, with_envelopes: bool) -> None:
    """Level 0 tiles, entry bundles and, in bundles of their own, the envelopes."""
    hashes, leaves, envelopes = bytearray(), bytearray(), bytearray()
    width = number = 0
    for row in entry_rows_from(connection, 0, size):
        leaf, envelope = bytes(row.leaf), bytes(row.envelope)
        hashes += bytes(row.leaf_hash)
        leaves += struct.pack(">H", len(leaf)) + leaf
        envelopes += struct.pack(">I", len(envelope)) + envelope
        width += 1
        if width == TILE_WIDTH or number * TILE_WIDTH + width == size:
            _write_tile(directory / tile_path(0, number, width), bytes(hashes))
            _write_tile(directory / tile_path("entries", number, width), bytes(leaves))
            if with_envelopes:
                path = tile_path("entries", number, width).replace("tile/entries", ENVELOPES, 1)
                _write_tile(directory / path, bytes(envelopes))
            hashes, leaves, envelopes = bytearray(), bytearray(), bytearray()
            width, number = 0, number + 1


def _write_upper_tiles(connection: Connection, directory: Path, size: int) -> None:
    level = 1
    while size >> (TILE_HEIGHT * level):
        tile, number = bytearray(), 0
        for node in _nodes(connection, level * TILE_HEIGHT, size >> (TILE_HEIGHT * level)):
            tile += node
            if len(tile) == TILE_WIDTH * 32:
                _write_tile(directory / tile_path(level, number), bytes(tile))
                tile, number = bytearray(), number + 1
        if tile:
            _write_tile(directory / tile_path(level, number, len(tile) // 32), bytes(tile))
        level += 1


def _nodes(connection: Connection, level: int, end: int) -> Iterator[bytes]:
    query = select(nodes.c.hash).where(nodes.c.level == level, nodes.c.number < end).order_by(nodes.c.number)
    for node in connection.scalars(query):
        yield bytes(node)


def _write_tile(path: Path, content: bytes) -> None:
    """A tile never changes: one that is there already must be the same."""
    if path.exists():
        if path.read_bytes() != content:
            raise TrailCorrupt(f"The directory holds another {path.name} than the trail: one of them was changed.")
        return
    replace_file(path, content)
