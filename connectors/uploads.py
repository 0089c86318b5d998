"""Files that a partner sends over the wire, until they stand in its drop: encrypted, in parts, whole or not at all.

For: partners that would otherwise need SFTP. Must never put a part of what was sent into the drop, never take a file
whose bytes are not the ones that were signed for, and never keep anything readable outside the drop. The files are
encrypted to the hub (age, C2SP); who sent them is known by the signature over the list of their hashes.
"""

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyrage

from connectors.contract import ConnectorError, Partner
from connectors.deltas import REMOVED, merged, names_of

#: Bytes of one encrypted file, of all together, and of one part.
LARGEST_SENT, LARGEST_UPLOAD, LARGEST_PART = 2_000_000_000, 4_000_000_000, 8_000_000
#: What was begun and not completed is thrown away after this time.
ABANDONED_AFTER_S = 7 * 24 * 3600
FULL, DELTA = "full", "delta"
_ID = re.compile(r"[0-9a-f]{32}")
_BLOCK = 1024 * 1024


class OutOfStep(Exception):
    """A part does not continue what is here: `received` bytes are."""

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is sent: whole files or changes, and of each encrypted file how many bytes and which SHA-256."""

    mode: str
    files: Mapping[str, tuple[int, str]]


def read_manifest(plain: object, partner: Partner) -> Manifest:
    """A manifest from JSON data. Raises ConnectorError (MANIFEST), with what is wrong."""
    if partner.way != "extract":
        raise _wrong(partner, "this partner drops no files")
    if not isinstance(plain, dict) or set(plain) != {"mode", "files"} or plain["mode"] not in (FULL, DELTA):
        raise _wrong(partner, 'mode ("full" or "delta") and files are needed, and nothing else')
    rows = plain["files"]
    if not isinstance(rows, list) or not rows:
        raise _wrong(partner, "files is a list of name, size and sha256")
    known, found = names_of(partner), dict[str, tuple[int, str]]()
    allowed = known if plain["mode"] == FULL else known | {name + REMOVED for name in known}
    for row in rows:
        if not isinstance(row, dict) or set(row) != {"name", "size", "sha256"} or row["name"] not in allowed:
            raise _wrong(partner, f"each file has name, size and sha256; the names are {', '.join(sorted(allowed))}")
        size, digest = row["size"], row["sha256"]
        if type(size) is not int or not 0 < size <= LARGEST_SENT or not re.fullmatch(r"[0-9a-f]{64}", str(digest)):
            raise _wrong(partner, f"a file has 1 to {LARGEST_SENT} bytes and a SHA-256 in small hexadecimal digits")
        found[row["name"]] = (size, digest)
    if len(found) != len(rows) or sum(size for size, _ in found.values()) > LARGEST_UPLOAD:
        raise _wrong(partner, f"a file is named twice, or all together have more than {LARGEST_UPLOAD} bytes")
    if plain["mode"] == FULL and (missing := known - found.keys()):
        raise _wrong(partner, f"a full upload also has {', '.join(sorted(missing))}")
    if plain["mode"] == DELTA and any(name.endswith(".xml") for name in found):
        raise _wrong(partner, "a census return is sent whole")
    return Manifest(plain["mode"], found)


def _wrong(partner: Partner, why: str) -> ConnectorError:
    return ConnectorError("MANIFEST", f"{partner.code}: {why}.")


class Spool:
    """Where the parts of one upload wait, below the drops folder; still encrypted."""

    def __init__(self, drops: Path, agency: str, upload: str) -> None:
        if not _ID.fullmatch(upload):
            raise ConnectorError("NO_UPLOAD", "There is no such upload.")
        self.folder = drops / ".uploads" / agency / upload

    def begin(self) -> None:
        """Makes the folder, and throws away what others left long ago."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in self.folder.parent.iterdir():
            if old.is_dir() and old.name != "ready" and old.stat().st_mtime < time.time() - ABANDONED_AFTER_S:
                shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Nobody else completes or discards this upload meanwhile. A process that dies gives it free.

        Raises ConnectorError (BUSY) at once when somebody else has it.
        """
        self.folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = self.folder.with_suffix(".claim")
        with place.open("w") as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Whoever had it may just have put it away: then this is the lock of nothing.
                is_ours = place.stat().st_ino == os.fstat(claim.fileno()).st_ino
            except (BlockingIOError, FileNotFoundError):
                is_ours = False
            if not is_ours:
                raise ConnectorError("BUSY", "This upload is being completed. Look how it stands in a minute.")
            try:
                yield
            finally:
                place.unlink(missing_ok=True)

    def received(self, name: str) -> int:
        """How many bytes of a file are here."""
        with suppress(OSError):
            return self._part(name).stat().st_size
        return 0

    def append(self, name: str, at: int, data: bytes, most: int) -> int:
        """Adds a part and returns how many bytes are here. Raises OutOfStep unless it begins where these end."""
        if not self.folder.is_dir():
            raise ConnectorError("NO_UPLOAD", "There is no such upload.")
        with self._part(name).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            here = os.fstat(file.fileno()).st_size
            if at != here or here + len(data) > most:
                raise OutOfStep(here)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            return here + len(data)

    def _part(self, name: str) -> Path:
        return self.folder / (hashlib.sha256(name.encode()).hexdigest()[:32] + ".part")

    def complete(self, manifest: Manifest, partner: Partner, drops: Path, identity: pyrage.x25519.Identity) -> None:
        """Checks, decrypts and merges everything, then makes it ready in one step. The drop changes with `put_ready`.

        The caller has `claimed` the upload. Changes are merged while nobody else changes the drop, or one of two that
        come at once would be lost. Raises ConnectorError (INCOMPLETE, ALTERED, NOT_DECRYPTED, and what `merged`
        raises); then nothing is ready and what does not fit has to be sent again.
        """
        for name, (size, _) in manifest.files.items():
            if self.received(name) != size:
                raise ConnectorError("INCOMPLETE", f"{name}: {self.received(name)} of {size} bytes are here.")
        altered = [name for name, (_, digest) in manifest.files.items() if not self._is(name, digest)]
        for name in altered:
            self._part(name).unlink()
        if altered:
            names = ", ".join(altered)
            raise ConnectorError("ALTERED", f"{names}: not what was signed for; send it again from its beginning.")
        for left in self.folder.glob("staged-*"):
            shutil.rmtree(left, ignore_errors=True)
        staged = Path(tempfile.mkdtemp(prefix="staged-", dir=self.folder))
        try:
            for name in manifest.files:
                self._decrypt(name, staged / name, identity)
            ready, drop = self.folder.parent / "ready", drops / str(partner.reach["folder"])
            with exclusive(drops, partner.code):
                _move_ready(ready, drop)
                if manifest.mode == DELTA:
                    merged(partner, staged, drop)
                staged.rename(ready)
                _move_ready(ready, drop)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _is(self, name: str, digest: str) -> bool:
        with self._part(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest

    def _decrypt(self, name: str, to: Path, identity: pyrage.x25519.Identity) -> None:
        try:
            with self._part(name).open("rb") as sealed, to.open("xb") as plain:
                pyrage.decrypt_io(sealed, plain, [identity])
                plain.flush()
                os.fsync(plain.fileno())
        except pyrage.DecryptError:
            raise ConnectorError(
                "NOT_DECRYPTED", f"{name}: cannot be opened; encrypt it with age to this hub's recipient."
            ) from None


@contextmanager
def exclusive(drops: Path, agency: str) -> Iterator[None]:
    """Nobody changes an agency's drop while somebody reads it; without uploads there is nobody to wait for."""
    place = drops / ".uploads" / agency
    if not place.is_dir():
        yield
        return
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def put_ready(drops: Path, partner: Partner) -> None:
    """Finishes what a process that died had made ready. The caller holds `exclusive`."""
    if isinstance(folder := partner.reach.get("folder"), str):
        _move_ready(drops / ".uploads" / partner.code / "ready", drops / folder)


def _move_ready(ready: Path, folder: Path) -> None:
    if not ready.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(ready.iterdir()):
        os.replace(path, folder / path.name)
    ready.rmdir()
