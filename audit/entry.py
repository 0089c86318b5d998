"""From an event to the bytes that are kept (the envelope) and the 128 bytes that are published (the leaf).

For: `Trail.append` and readers of the trail. The leaf must never say anything about the event: it commits to the
envelope, whose 32 random bytes of salt keep anyone who sees only leaves from guessing. Persons appear in the
envelope as ciphertext only. Ruled by `docs/audit-format.md`; the leaf is the Sigsum v1 tree leaf (Sigsum log
protocol v1, `sigsum.org/v1/tree-leaf`).
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.errors import EventInvalid, TrailCorrupt
from audit.events import Event, canonical

LEAF_BYTES = 128
SALT_BYTES = 32
LARGEST_ENVELOPE_BYTES = 1 << 20

LEAF_NAMESPACE = b"sigsum.org/v1/tree-leaf\x00"

#: Seals what an event says about one person under that person's key: (event, person id, plaintext) -> ciphertext.
#: The event tells whose key and of which month it must be.
SealSubject = Callable[[Event, str, bytes], bytes]

#: The same for whoever acted: (event, the `user` or `authoriser` as it was given, plaintext) -> ciphertext.
SealStaff = Callable[[Event, Mapping[str, str], bytes], bytes]

#: Keys of an event that name a member of staff, in the order of their capsules, and what of them is sealed.
_STAFF_KEYS = ("user", "authoriser")
_SEALED_OF_STAFF = ("issuer", "subject")


class SigningKey(Protocol):
    """An Ed25519 key that signs, whether it lies in a file or in a device that never gives it away."""

    def sign(self, data: bytes, /) -> bytes:
        """The 64 bytes of RFC 8032."""

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""


@dataclass(frozen=True, slots=True)
class Submitter:
    """Whoever signs leaves: one key per worker, so that no worker can write in another's name."""

    key: SigningKey
    public: bytes
    key_hash: bytes

    @classmethod
    def of(cls, key: SigningKey) -> "Submitter":
        """Wrap a private key."""
        public = raw_public(key.public_key())
        return cls(key, public, hashlib.sha256(public).digest())


@dataclass(frozen=True, slots=True)
class Sealed:
    """An event made ready to be appended."""

    event: Event
    subjects: int
    envelope: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as read back.

    `subjects` are ciphertexts in the order that `data[].subject` counts them, `staff` in the order that `user.staff`
    and `authoriser.staff` count them; an entry of version 1 has none and names them in its fields.
    """

    index: int
    eid: str
    t: int
    kind: str
    fields: Mapping[str, Any]
    subjects: tuple[bytes, ...]
    staff: tuple[bytes, ...]
    envelope: bytes
    leaf: bytes


def raw_public(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of RFC 8032."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def seal(
    event: Event, persons: Sequence[str], seal_subject: SealSubject, seal_staff: SealStaff, submitter: Submitter
) -> Sealed:
    """Seal each person and whoever acted into capsules of their own, wrap the event into its envelope, sign its leaf.

    What a capsule holds, as canonical JSON: {"eid", "n" (its number), "person"}, or for staff {"eid", "n", "issuer",
    "subject"}.
    """
    capsules = []
    for number, person in enumerate(persons):
        plaintext = canonical({"eid": event.eid, "n": number, "person": str(person)})
        capsules.append(_base64(seal_subject(event, person, plaintext)))
    fields = _unnamed(event.fields)
    staff: list[str] = []
    for name in _STAFF_KEYS:
        if name in fields:
            who = event.fields[name]
            fields[name]["staff"] = len(staff)
            identity = {key: who[key] for key in _SEALED_OF_STAFF if key in who}
            plaintext = canonical({"eid": event.eid, "n": len(staff), **identity})
            staff.append(_base64(seal_staff(event, who, plaintext)))
    envelope = canonical(
        {
            "header": event.header(),
            "event": fields,
            "subjects": capsules,
            "staff": staff,
            "salt": _base64(secrets.token_bytes(SALT_BYTES)),
        }
    )
    if len(envelope) > LARGEST_ENVELOPE_BYTES:
        raise EventInvalid("The event is too large for one entry.")
    return Sealed(event, len(capsules), envelope, sign_leaf(envelope, submitter))


def checksum(envelope: bytes) -> bytes:
    """The Sigsum checksum: SHA-256 of the submitted message, which is the SHA-256 of the envelope."""
    return hashlib.sha256(hashlib.sha256(envelope).digest()).digest()


def commits(leaf: object, envelope: object) -> bool:
    """Whether a kept leaf is that of a kept envelope. SQLite gives text back where somebody wrote text over bytes."""
    if not isinstance(leaf, bytes) or not isinstance(envelope, bytes):
        return False
    return len(leaf) == LEAF_BYTES and checksum(envelope) == leaf[:32]


def sign_leaf(envelope: bytes, submitter: Submitter) -> bytes:
    """The 128 bytes: checksum, the submitter's Ed25519 signature over it, SHA-256 of the submitter's key."""
    digest = checksum(envelope)
    return digest + submitter.key.sign(LEAF_NAMESPACE + digest) + submitter.key_hash


def has_header(envelope: bytes, eid: str, t: int, kind: str) -> bool:
    """Whether an envelope begins its header so; nothing else in an envelope can look like it."""
    said = f'"header":{{"eid":"{eid}","kind":"{kind}","t":{t},"v":'.encode()
    return said + b'2},"salt":"' in envelope or said + b'1},"salt":"' in envelope


def same_event(envelope: bytes, event: Event, subjects: int) -> bool:
    """Whether a kept envelope says what this event says, whenever it was said.

    The time may differ, because a retry comes later. Sealed persons cannot be compared, only counted.
    """
    document = json.loads(envelope)
    return bool(
        document["header"]["kind"] == event.kind
        and _unnamed(document["event"]) == _unnamed(event.fields)
        and len(document["subjects"]) == subjects
    )


def read_entry(index: int, envelope: bytes, leaf: bytes) -> Entry:
    """Decode a kept entry. Raises: TrailCorrupt, when the envelope is not the one that the leaf commits to."""
    if not commits(leaf, envelope):
        raise TrailCorrupt(f"Entry {index} is not what was signed.")
    document = json.loads(envelope)
    header = document["header"]
    return Entry(
        index=index,
        eid=header["eid"],
        t=header["t"],
        kind=header["kind"],
        fields=document["event"],
        subjects=_capsules(document["subjects"]),
        staff=_capsules(document.get("staff", ())),
        envelope=envelope,
        leaf=leaf,
    )


def _unnamed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """An event's fields without what is sealed of whoever acted."""
    hidden = {*_SEALED_OF_STAFF, "staff"}
    roles = {
        name: {key: value for key, value in fields[name].items() if key not in hidden}
        for name in _STAFF_KEYS
        if name in fields
    }
    return {**fields, **roles}


def _capsules(texts: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(base64.b64decode(text, validate=True) for text in texts)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
