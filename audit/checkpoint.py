"""Checkpoints: what the log's key signs, as a C2SP signed note.

For: the writer (sign), readers of receipts and later the witnesses (parse, open). Must never accept a note whose
known signature fails, or a number written in two ways. Ruled by c2sp.org/signed-note and c2sp.org/tlog-checkpoint.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.entry import SigningKey, raw_public
from audit.errors import ProofError
from audit.tree import HASH_BYTES

# The signature types of c2sp.org/signed-note that are used here.
ED25519 = 0x01
COSIGNATURE = 0x04
LONGEST_NOTE_BYTES = 64 * 1024
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: whose log, how many entries, which root. `note` is the signed text it came from."""

    origin: str
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a note key, as it is handed to others: `name+hash+key`.

    `algorithm` is ED25519 for a log and COSIGNATURE for a witness.
    """

    name: str
    key_id: bytes
    public: bytes
    algorithm: int = ED25519

    @classmethod
    def of(cls, name: str, key: Ed25519PublicKey, algorithm: int = ED25519) -> "VerifierKey":
        """The verifier key of an Ed25519 key under this name."""
        require_key_name(name)
        public = raw_public(key)
        return cls(name, _key_id(name, public, algorithm), public, algorithm)

    @classmethod
    def parse(cls, text: str, algorithm: int = ED25519) -> "VerifierKey":
        """Read `name+hash+key`. The base64 part may hold a plus, so only the first two plus signs separate.

        Raises: ProofError, also for a key of another algorithm: a witness's key never counts as a log's.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != 3:
            raise ProofError("A verifier key has a name, a hash and a key.")
        name, key_id, encoded = parts
        require_key_name(name)
        material = unbase64(encoded)
        if len(material) != 1 + 32 or material[0] != algorithm:
            whose = "a witness" if algorithm == COSIGNATURE else "a log"
            raise ProofError(f"The verifier key is not an Ed25519 key of {whose}.")
        key = cls(name, _key_id(name, material[1:], algorithm), material[1:], algorithm)
        if key_id != key.key_id.hex():
            raise ProofError("The hash of the verifier key does not fit the key.")
        return key

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


def require_key_name(name: str) -> None:
    """Raises: ProofError, for a name that a signed note cannot carry."""
    if not name or "+" in name or any(char.isspace() or ord(char) < 0x20 for char in name):
        raise ProofError("A key name is not empty and has neither spaces nor plus signs.")


def sign(origin: str, size: int, root: bytes, key: SigningKey, key_id: bytes) -> str:
    """Sign a tree head; the key's name is the origin. Returns: the note."""
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode('ascii')}\n"
    signature = base64.b64encode(key_id + key.sign(text.encode())).decode("ascii")
    return f"{text}\n— {origin} {signature}\n"


def parse(note: str) -> Checkpoint:
    """Read a checkpoint without believing it. Raises: ProofError."""
    text, _ = split_note(note)
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise ProofError("A checkpoint has an origin, a size and a root.")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise ProofError("The size of the checkpoint is not a plain number.")
    root_hash = unbase64(root)
    if len(root_hash) != HASH_BYTES:
        raise ProofError("The root of the checkpoint has not 32 bytes.")
    return Checkpoint(origin, int(size), root_hash, note)


def open_note(note: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Read a checkpoint that one of these keys signed.

    Signatures by unknown keys are passed over; one by a known key that fails condemns the note.
    Raises: ProofError.
    """
    text, signatures = split_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    verified: set[tuple[str, bytes]] = set()
    for name, blob in signatures:
        identity = (name, blob[:4])
        if identity not in known:
            continue
        if identity in verified:
            raise ProofError("The note is signed twice by one key.")
        try:
            Ed25519PublicKey.from_public_bytes(known[identity].public).verify(blob[4:], text.encode())
        except InvalidSignature:
            raise ProofError("The signature of the checkpoint does not hold.") from None
        verified.add(identity)
    if not verified:
        raise ProofError("The checkpoint is not signed by a known key.")
    return parse(note)


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """A note's text, and (key name, key id and signature) of each line below it. Raises: ProofError."""
    if len(note.encode()) > LONGEST_NOTE_BYTES:
        raise ProofError("The note is too long.")
    if any(ord(char) < 0x20 and char != "\n" for char in note):
        raise ProofError("The note holds control characters.")
    end = note.rfind("\n\n")
    if end < 0 or not note.endswith("\n"):
        raise ProofError("The note has no signatures.")
    text, tail = note[: end + 1], note[end + 2 :]
    signatures = []
    for line in tail[:-1].split("\n"):
        match = _SIGNATURE_LINE.fullmatch(line)
        if match is None:
            raise ProofError("A signature line of the note is malformed.")
        blob = unbase64(match[2])
        if len(blob) < 5:
            raise ProofError("A signature of the note is too short.")
        signatures.append((match[1], blob))
    return text, signatures


def _key_id(name: str, public: bytes, algorithm: int) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


def unbase64(text: str) -> bytes:
    """Raises: ProofError, also when the same bytes could be written in another way."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProofError("The base64 is malformed.") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise ProofError("The base64 is not written in the one proper way.")
    return data
