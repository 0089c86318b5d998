"""Key leaves: the entries by which the log's key certifies who may write into the trail.

For: `Trail.start`, which places one for its submitter, and the leader, who places nothing of a key without one. A key
leaf is an ordinary entry, except that the log's key signed its leaf. Ruled by `docs/audit-format.md`.
"""

import hashlib
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.entry import LEAF_NAMESPACE, Sealed, Submitter, checksum, read_entry, seal
from audit.errors import AuditError, EventInvalid
from audit.events import Event, Kind, build

ACTION = "SUBMITTER_KEY"
_ALGORITHM = "ed25519:"


def key_leaf_eid(origin: str, key_hash: bytes) -> str:
    """The event id of the one key leaf of a key in a trail, so that it is written once for ever."""
    return hashlib.sha256(b"kith key leaf\n" + origin.encode() + b"\n" + key_hash).hexdigest()[:32]


def certify(public: bytes, *, origin: str, log: Submitter, now: datetime) -> Sealed:
    """The key leaf of a submitter's public key (32 bytes), signed by the log's key."""
    key_hash = hashlib.sha256(public).digest()
    fields = {
        "client": {"id": "log"},
        "action": ACTION,
        "outcome": "CERTIFIED",
        "object": {"type": "submitter-key", "id": _ALGORITHM + public.hex(), "hash": key_hash.hex()},
    }
    event = build(Kind.ADMIN, now=now, subjects=0, fields=fields, eid=key_leaf_eid(origin, key_hash))
    return seal(event, [], _nobody, _nobody, log)


def certified_key(envelope: bytes, leaf: bytes, log_public: bytes) -> bytes | None:
    """The public key that an entry certifies; None for an entry that is no key leaf of this log."""
    if leaf[96:] != hashlib.sha256(log_public).digest():
        return None
    try:
        require_signature(envelope, leaf, log_public)
        entry = read_entry(0, envelope, leaf)
        about = entry.fields["object"]
        public = bytes.fromhex(about["id"].removeprefix(_ALGORITHM))
    except (AuditError, KeyError, ValueError):
        return None
    if entry.fields.get("action") != ACTION or hashlib.sha256(public).hexdigest() != about.get("hash"):
        return None
    return public


def require_signature(envelope: bytes, leaf: bytes, public: bytes) -> None:
    """Raises: EventInvalid, for a leaf that is not of this envelope and key."""
    if len(leaf) != 128 or checksum(envelope) != leaf[:32] or hashlib.sha256(public).digest() != leaf[96:]:
        raise EventInvalid("The leaf is not of this envelope and this key.")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(leaf[32:96], LEAF_NAMESPACE + leaf[:32])
    except InvalidSignature:
        raise EventInvalid("The submitter's signature does not hold.") from None


def _nobody(_event: Event, _person: object, _plaintext: bytes) -> bytes:
    raise EventInvalid("A key leaf is about nobody.")
