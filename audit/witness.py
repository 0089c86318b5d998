"""A witness: it cosigns only what continues all that it cosigned before, so that no log can show two histories.

For: a partner agency that runs one for the hub (`python -m audit witness`). It must never cosign before the new
state is durable, never treat a state that it cannot read as a new log, and it learns hashes and counts only. Ruled
by c2sp.org/tlog-witness.
"""

import fcntl
import hashlib
import os
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from audit.checkpoint import COSIGNATURE, LONGEST_NOTE_BYTES, Checkpoint, VerifierKey, open_note, parse, unbase64
from audit.cosignature import cosign
from audit.durable import replace_file
from audit.errors import ProofError, TrailUnavailable
from audit.tree import EMPTY_ROOT, HASH_BYTES, verify_consistency

#: A consistency proof is never longer (c2sp.org/tlog-witness).
MOST_PROOF_LINES = 63
LARGEST_REQUEST_BYTES = LONGEST_NOTE_BYTES + 64 * MOST_PROOF_LINES + 64
SIZE_TYPE = "text/x.tlog.size"
#: So many pairs of contradicting checkpoints are kept; one is enough to convict a log.
_MOST_EVIDENCE = 100
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_KEY_FILE = "witness.key"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Request:
    old: int
    proof: tuple[bytes, ...]
    note: str
    checkpoint: Checkpoint


class Witness:
    """One witness with its key and what it last cosigned for each log, in a folder that nobody else writes.

    Takes: `logs`, whom it cosigns for; `clock`, UTC seconds.
    Raises: TrailUnavailable, when another process has the folder.
    """

    def __init__(self, folder: Path, *, name: str, logs: Sequence[VerifierKey], clock: Callable[[], int]) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = (folder / "lock").open("a")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock_file.close()
            raise TrailUnavailable("Another witness runs in this folder.") from None
        self._folder = folder
        self._clock = clock
        self._key = _key_in(folder)
        self.verifier_key = VerifierKey.of(name, self._key.public_key(), COSIGNATURE)
        self._logs: dict[str, list[VerifierKey]] = {}
        for log in logs:
            self._logs.setdefault(log.name, []).append(log)
        # Looking at the state and replacing it is one step for each log.
        self._locks = {origin: threading.Lock() for origin in self._logs}

    def close(self) -> None:
        """Let another process have the folder."""
        self._lock_file.close()

    def origins(self) -> list[str]:
        """The logs that it cosigns for."""
        return list(self._logs)

    def latest(self, origin: str) -> Checkpoint | None:
        """What it last cosigned for a log; None before the first. Raises: TrailUnavailable, ProofError."""
        path = self._state_path(origin)
        try:
            note = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            raise TrailUnavailable("The witness cannot read its own state.") from None
        # Held against the log's key again: a state that was damaged must stop the witness, not start it afresh.
        return open_note(note, self._logs[origin])

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request as c2sp.org/tlog-witness says. Effects: the log's state, before the signature leaves."""
        try:
            asked = _parse_request(body)
        except ProofError as fault:
            return Answer(400, f"{fault}\n")
        origin = asked.checkpoint.origin
        if origin not in self._logs:
            return Answer(404, "This witness does not know the log.\n")
        try:
            open_note(asked.note, self._logs[origin])
        except ProofError as fault:
            return Answer(403, f"{fault}\n")
        if asked.old > asked.checkpoint.size:
            return Answer(400, "The old size is larger than the new one.\n")
        with self._locks[origin]:
            try:
                return self._cosign(origin, asked)
            except (ProofError, TrailUnavailable, OSError):
                return Answer(500, "The witness cannot use its own state, and signs nothing.\n")

    def _cosign(self, origin: str, asked: _Request) -> Answer:
        latest = self.latest(origin)
        size, root = (latest.size, latest.root) if latest else (0, EMPTY_ROOT)
        new = asked.checkpoint
        if latest is not None and new.size == size and new.root != root:
            self._keep_evidence(latest.note, asked.note)
        if asked.old != size:
            return Answer(409, f"{size}\n", SIZE_TYPE)
        if new.size == size:
            if new.root != root:
                return Answer(409, f"{size}\n", SIZE_TYPE)
            if asked.proof:
                return Answer(422, "A proof between equal sizes is empty.\n")
        else:
            try:
                _require_growth(size, root, asked)
            except ProofError as fault:
                if latest is not None:
                    self._keep_evidence(latest.note, asked.note)
                return Answer(422, f"{fault}\n")
        if latest is None or new.size > size:
            replace_file(self._state_path(origin), asked.note.encode())
        return Answer(200, cosign(asked.note, self._key, self.verifier_key, t_s=self._clock()))

    def _keep_evidence(self, earlier: str, later: str) -> None:
        """Both checkpoints that no honest log signs; a failure to keep them must not turn into a signature."""
        pair = f"{earlier}\n{later}".encode()
        folder = self._folder / "evidence"
        path = folder / f"{hashlib.sha256(pair).hexdigest()[:32]}.txt"
        folder.mkdir(exist_ok=True)
        if not path.exists() and sum(1 for _ in folder.iterdir()) < _MOST_EVIDENCE:
            replace_file(path, pair)

    def _state_path(self, origin: str) -> Path:
        return self._folder / "logs" / hashlib.sha256(origin.encode()).hexdigest()


def request_body(old: int, proof: Sequence[str], note: str) -> bytes:
    """The body of an add-checkpoint request. Takes: `proof`, each hash in base64."""
    return "".join([f"old {old}\n", *(f"{line}\n" for line in proof), "\n", note]).encode()


def _parse_request(body: bytes) -> _Request:
    if len(body) > LARGEST_REQUEST_BYTES:
        raise ProofError("The request is too long.")
    try:
        head, blank, note = body.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError:
        raise ProofError("The request is not UTF-8.") from None
    lines = head.split("\n")
    old = _OLD.fullmatch(lines[0])
    if not blank or old is None:
        raise ProofError("A request begins with the old size, the proof and an empty line.")
    if len(lines) - 1 > MOST_PROOF_LINES:
        raise ProofError("The proof is too long.")
    proof = tuple(unbase64(line) for line in lines[1:])
    if any(len(node) != HASH_BYTES for node in proof):
        raise ProofError("A hash of the proof has not 32 bytes.")
    return _Request(int(old[1]), proof, note, parse(note))


def _require_growth(size: int, root: bytes, asked: _Request) -> None:
    if size:
        verify_consistency(size, asked.checkpoint.size, asked.proof, root, asked.checkpoint.root)
    elif asked.proof:
        raise ProofError("A proof from nothing is empty.")


def _key_in(folder: Path) -> Ed25519PrivateKey:
    """The witness's key; made at the first start, readable by its owner only."""
    path = folder / _KEY_FILE
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TrailUnavailable("The witness's key is not an Ed25519 key.")
    return key
