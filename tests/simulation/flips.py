"""Bits flipped by lot in an export: is one missed?

For: `python -m tests.simulation flips` and, with few flips, the tests. Entries and envelopes, tiles, the checkpoint and
receipts, each judged by the verifier that shares nothing with the writer.
"""

import base64
import contextlib
import io
import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audit import verify
from audit.checkpoint import VerifierKey
from audit.tiles import export
from tests.simulation import scale

#: Entries of the trail that is spoilt: more than one tile of the lowest level, one of the next.
ENTRIES = 259
#: One receipt in so many flips; the rest fall into files of the export, in turn.
_RECEIPTS_OF = 4


@dataclass(frozen=True, slots=True)
class Flipped:
    """How many bits were flipped, and where one was missed."""

    flips: int
    missed: tuple[str, ...]


def flip(flips: int, seed: int) -> Flipped:
    """Flips one bit at a time, and puts it right again."""
    lot, key = random.Random(seed), str(VerifierKey.of(scale.ORIGIN, scale.LOG_KEY.public_key()))
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kith-flips-") as folder:
        url, target = f"sqlite:///{folder}/trail.sqlite", Path(folder) / "export"
        scale.fill(url, ENTRIES)
        trail = scale.open_trail(url)
        export(trail._store._engine, target)
        receipts = [trail.receipt(entry.eid).document() for entry in list(trail.events())[1::40]]
        files = [path for path in sorted(target.rglob("*")) if path.is_file() and path.suffix not in (".vkey", ".json")]
        assert _accepts(target, key)
        for number in range(flips):
            if number % _RECEIPTS_OF == 0:
                spoilt, where = _spoilt(lot.choice(receipts), lot)
                path = Path(folder) / "receipt.json"
                path.write_text(json.dumps(spoilt))
                if _accepts(path, key):
                    missed.append(where)
                continue
            path = files[number % len(files)]
            content = path.read_bytes()
            at, bit = lot.randrange(len(content)), lot.randrange(8)
            path.write_bytes(content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :])
            if _accepts(target, key):
                missed.append(f"{path.relative_to(target)} at {at}.{bit}")
            path.write_bytes(content)
        assert _accepts(target, key)
        trail.close()
    return Flipped(flips, tuple(missed))


def _spoilt(receipt: dict[str, object], lot: random.Random) -> tuple[dict[str, object], str]:
    """A receipt with one bit flipped in what it proves with."""
    changed = json.loads(json.dumps(receipt))
    name = lot.choice(("leaf", "path", "submitter", "envelope", "checkpoint"))
    if name == "checkpoint":
        data = bytearray(changed[name].encode())
        data[lot.randrange(len(data))] ^= 1 << lot.randrange(8)
        changed[name] = data.decode("utf-8", "replace")
        return changed, f"receipt, {name}"
    holder, place = (changed[name], lot.randrange(len(changed[name]))) if name == "path" else (changed, name)
    data = bytearray(base64.b64decode(holder[place]))
    data[lot.randrange(len(data))] ^= 1 << lot.randrange(8)
    holder[place] = base64.b64encode(bytes(data)).decode()
    return changed, f"receipt, {name}"


def _accepts(path: Path, key: str) -> bool:
    with contextlib.redirect_stdout(io.StringIO()):
        return verify.main([str(path), "--key", key]) == 0


def run(flips: int, seed: int) -> Iterator[str]:
    """The figure in words."""
    found = flip(flips, seed)
    where = "entries, envelopes, tiles, checkpoint and receipts"
    yield f"bit flips: {found.flips:,} in {where}, {len(found.missed)} missed  [0]"
    yield from found.missed
