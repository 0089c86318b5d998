"""Cosignatures: a witness's dated word that it saw a checkpoint, and that it continues all it saw before.

For: witnesses (cosign), the hub and readers of receipts (read). Must never count a cosignature by a key that is not
asked for, or pass over one of a known key that fails. Ruled by c2sp.org/tlog-cosignature (Ed25519, version 1).
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.checkpoint import VerifierKey, split_note
from audit.errors import ProofError

_TIMESTAMP_BYTES = 8
_SIGNATURE_BYTES = 64
_LATEST_S = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One witness's cosignature. `t_s` is the witness's own time in UTC seconds; `line` is the note's line."""

    witness: VerifierKey
    t_s: int
    line: str


def cosign(note: str, key: Ed25519PrivateKey, witness: VerifierKey, *, t_s: int) -> str:
    """The signature line, ended by a newline. Whoever calls it has checked the note. Raises: ProofError."""
    text, _ = split_note(note)
    signature = key.sign(_message(text, t_s))
    blob = base64.b64encode(witness.key_id + t_s.to_bytes(_TIMESTAMP_BYTES, "big") + signature).decode("ascii")
    return f"— {witness.name} {blob}\n"


def read_cosignatures(note: str, witnesses: Iterable[VerifierKey]) -> list[Cosignature]:
    """The cosignatures of these witnesses on a note, each checked; lines of other keys are passed over.

    Raises: ProofError, when one of a known witness fails or stands there twice.
    """
    text, signatures = split_note(note)
    known = {(witness.name, witness.key_id): witness for witness in witnesses}
    found: dict[VerifierKey, Cosignature] = {}
    for name, blob in signatures:
        witness = known.get((name, blob[:4]))
        if witness is None:
            continue
        if witness in found:
            raise ProofError("The note is cosigned twice by one witness.")
        found[witness] = Cosignature(witness, _verified_time(text, witness, blob[4:]), _line(name, blob))
    return list(found.values())


def _verified_time(text: str, witness: VerifierKey, stamped: bytes) -> int:
    if len(stamped) != _TIMESTAMP_BYTES + _SIGNATURE_BYTES:
        raise ProofError("A cosignature has not the proper length.")
    t_s = int.from_bytes(stamped[:_TIMESTAMP_BYTES], "big")
    if not 0 < t_s <= _LATEST_S:
        raise ProofError("A cosignature has no proper time.")
    try:
        public = Ed25519PublicKey.from_public_bytes(witness.public)
        public.verify(stamped[_TIMESTAMP_BYTES:], _message(text, t_s))
    except InvalidSignature:
        raise ProofError("A cosignature does not hold.") from None
    return t_s


def _message(text: str, t_s: int) -> bytes:
    return f"cosignature/v1\ntime {t_s}\n{text}".encode()


def _line(name: str, blob: bytes) -> str:
    return f"— {name} {base64.b64encode(blob).decode('ascii')}\n"
