"""The key store: what opens the subject keys, in files outside the database and its backups; and legal holds.

For: one key-encryption key per agency and month, each in a file of its own that only the hub's user can read, sealed
under the master key. Must never be backed up with the database, and never replace a file by halves: a file is written
beside, synced and renamed, and what it replaced is overwritten first (NIST SP 800-88: cryptographic erase; how far
overwriting reaches on solid-state disks is the disk's affair).
"""

import contextlib
import fcntl
import json
import os
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.erasure.tree import KeyTree
from hub.errors import KeyRefused, SettingsRefused
from hub.keys import derive

#: Seconds to wait for another process that changes the store; as long as the trail may take by default.
LOCK_WAIT_S = 2.0
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_DESTROYED = ".gone"
_FILE = re.compile(r"(?P<agency>.+)-(?P<month>[0-9]{4}-[0-9]{2})\.kek", re.ASCII)


@dataclass(slots=True)
class MonthKey:
    """The key-encryption key of one agency and month.

    `names` gives each person a handle, `wraps` wraps the subject key of each handle; `old_wraps` is there only while
    keys are wrapped anew.
    """

    agency: str
    month: str
    names: KeyTree
    wraps: KeyTree
    old_wraps: KeyTree | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: nothing that it covers is destroyed. None is everything; `subject` is a keyed hash."""

    reference: str
    agency: str | None
    month: str | None
    subject: str | None
    since: str

    def covers(self, agency: str, month: str) -> bool:
        """Whether it is about this agency and month."""
        return self.agency in (None, agency) and self.month in (None, month)


class KeyStore:
    """A folder of key-encryption keys. Safe to use from several threads and processes of one machine."""

    def __init__(self, folder: Path, master_key: bytes) -> None:
        self._folder = folder
        self._cipher = AESGCM(derive(master_key, "key store"))
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            mode = folder.stat().st_mode
            os.listdir(folder)
        except OSError as error:
            raise SettingsRefused(
                f"HUB_SUBJECT_KEYS_DIR cannot be used: {error.strerror}.",
                next_steps=(f"Check who owns {folder}, and that it is mounted.",),
            ) from None
        if mode & 0o077:
            raise SettingsRefused(
                "HUB_SUBJECT_KEYS_DIR can be entered by others.", next_steps=(f"Run: chmod 700 {folder}",)
            )

    def months(self) -> list[tuple[str, str]]:
        """(agency, month) of every key there is, oldest month first."""
        with _converted():
            found = [_FILE.fullmatch(name) for name in os.listdir(self._folder)]
        return sorted(((unquote(m["agency"]), m["month"]) for m in found if m), key=lambda pair: pair[::-1])

    def version(self, agency: str, month: str) -> tuple[int, int] | None:
        """Changes whenever the key's file does; None when there is no key."""
        try:
            with _converted():
                stat = self._path(agency, month).stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_mtime_ns

    def read(self, agency: str, month: str) -> MonthKey | None:
        """The key as it is now; None when it was never made or is destroyed. Raises KeyRefused for a damaged file."""
        try:
            with _converted():
                data = self._path(agency, month).read_bytes()
        except FileNotFoundError:
            return None
        try:
            plain = self._cipher.decrypt(data[:12], data[12:], f"{agency}\x1f{month}".encode())
        except (InvalidTag, ValueError):
            raise KeyRefused("A file of the key store was altered, or belongs to another master key.") from None
        trees = []
        while plain:
            (length,) = struct.unpack_from(">I", plain)
            trees.append(KeyTree.from_bytes(plain[4 : 4 + length]))
            plain = plain[4 + length :]
        return MonthKey(agency, month, *trees)

    def write(self, key: MonthKey) -> None:
        """Makes or replaces a key's file. The caller holds the lock."""
        trees = [key.names, key.wraps, *([key.old_wraps] if key.old_wraps else [])]
        plain = b"".join(struct.pack(">I", len(data)) + data for data in (tree.to_bytes() for tree in trees))
        nonce = os.urandom(12)
        sealed = nonce + self._cipher.encrypt(nonce, plain, f"{key.agency}\x1f{key.month}".encode())
        self._put(self._path(key.agency, key.month), sealed)

    def destroy(self, agency: str, month: str) -> bool:
        """Deletes a key: all that it wrapped is gone. The caller holds the lock. Returns False if there was none."""
        path = self._path(agency, month)
        if not path.exists():
            return False
        # First of all, so that a month which was destroyed is never taken for one that was lost.
        self._put(path.with_suffix(_DESTROYED), b"")
        _overwrite(path)
        path.unlink()
        self._sync()
        return True

    def was_destroyed(self, agency: str, month: str) -> bool:
        """Whether the key of this agency and month was destroyed on purpose: else a key that is not there is lost."""
        return self._path(agency, month).with_suffix(_DESTROYED).exists()

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One at a time changes the store, over all processes. Raises KeyRefused after a bounded wait."""
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            until = time.monotonic() + LOCK_WAIT_S
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise KeyRefused("The key store is being changed by another process.") from None
                    time.sleep(0.005)
            yield
        finally:
            os.close(descriptor)

    def holds(self) -> list[Hold]:
        """Every legal hold that stands. A hold that cannot be read stops everything: raises KeyRefused."""
        found = []
        for path in sorted(self._folder.glob("*.hold")):
            try:
                found.append(Hold(**json.loads(path.read_bytes())))
            except (ValueError, TypeError):
                raise KeyRefused(f"The legal hold in {path.name} cannot be read, so nothing is destroyed.") from None
        return found

    def hold(self, hold: Hold) -> None:
        """Keeps a legal hold. The caller holds the lock. Raises KeyRefused when the reference is taken."""
        path = self._hold_path(hold.reference)
        if path.exists():
            raise KeyRefused("There is a legal hold with this reference already.")
        self._put(path, json.dumps(asdict(hold)).encode())

    def release(self, reference: str) -> None:
        """Ends a legal hold. The caller holds the lock. Raises KeyRefused when there is none."""
        try:
            self._hold_path(reference).unlink()
        except FileNotFoundError:
            raise KeyRefused("There is no legal hold with this reference.") from None
        self._sync()

    def _path(self, agency: str, month: str) -> Path:
        return self._folder / f"{quote(agency, safe='')}-{month}.kek"

    def _hold_path(self, reference: str) -> Path:
        return self._folder / f"{quote(reference, safe='')}.hold"

    def _put(self, path: Path, data: bytes) -> None:
        beside = path.with_name(path.name + ".new")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        replaced = os.open(path, os.O_WRONLY) if path.exists() else None
        beside.replace(path)
        self._sync()
        if replaced is not None:
            _overwrite(replaced)
            os.close(replaced)

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _converted() -> Iterator[None]:
    """What the file system refuses, in our own words; that a file is not there, the caller asks himself."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyRefused(
            f"The key store cannot be read: {error.strerror}.", next_steps=("Check HUB_SUBJECT_KEYS_DIR.",)
        ) from None


def month_of(milliseconds: int) -> str:
    """The month in UTC, like 2026-11."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m}"


def _overwrite(file: Path | int) -> None:
    """Writes noise over what a file holds, so that its blocks do not keep it after the name is gone."""
    descriptor = os.open(file, os.O_WRONLY) if isinstance(file, Path) else file
    try:
        os.pwrite(descriptor, os.urandom(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        if isinstance(file, Path):
            os.close(descriptor)
