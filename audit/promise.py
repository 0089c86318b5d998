"""The promise that travels with every question to a partner: the intent to ask is on record.

For: the hub, which signs one per question, and partners, who refuse a question without one and keep it as evidence
(`python -m audit reconcile` holds what they kept against the trail). It must never say anything about a person: it
names the intent by its id, the person by the number of the capsule, and the partner that is asked. Ruled by
`docs/audit-format.md`; the header is a dictionary of RFC 9651 (structured field values, September 2024).
"""

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.entry import LEAF_BYTES, LEAF_NAMESPACE, Submitter
from audit.errors import ProofError

HEADER = "Kith-Promise"
#: How far a partner's clock may be from the hub's, in milliseconds.
FRESH_MS = 120_000

_HEADER = re.compile(
    r'eid="([0-9a-f]{32})", subject=(0|[1-9][0-9]{0,5}), agency="([A-Za-z0-9._-]{1,64})", t=([1-9][0-9]{0,14}),'
    r" leaf=:([A-Za-z0-9+/]{171}=):, sig=:([A-Za-z0-9+/]{86}==):",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Promised:
    """What a promise says: entry `eid` with this leaf is in the trail, and is why `agency` is asked.

    `subject` is the number of the capsule of the person meant; `t` is in UTC milliseconds.
    """

    eid: str
    subject: int
    agency: str
    t: int
    leaf: bytes


def sign_promise(promised: Promised, origin: str, submitter: Submitter) -> str:
    """The value of the header. The submitter is the one that signed the leaf: whoever wrote it stands by it."""
    signature = submitter.key.sign(_message(promised, origin))
    return (
        f'eid="{promised.eid}", subject={promised.subject}, agency="{promised.agency}", t={promised.t},'
        f" leaf=:{_base64(promised.leaf)}:, sig=:{_base64(signature)}:"
    )


def read_promise(header: str) -> tuple[Promised, bytes]:
    """What a header says, not yet believed, and its signature. Raises: ProofError."""
    found = _HEADER.fullmatch(header)
    if found is None:
        raise ProofError("The promise is not of the proper form.")
    leaf, signature = base64.b64decode(found[5]), base64.b64decode(found[6])
    if len(leaf) != LEAF_BYTES or _base64(leaf) != found[5] or _base64(signature) != found[6]:
        raise ProofError("The promise is not written in the one proper way.")
    return Promised(found[1], int(found[2]), found[3], int(found[4]), leaf), signature


def verify_promise(header: str, *, origin: str, submitters: Iterable[bytes], agency: str, now_ms: int) -> Promised:
    """Check what came with a question, as a partner does before answering.

    Takes: `submitters`, the public keys (32 bytes) of the hub's workers; `agency`, the partner's own code.
    Raises: ProofError, when the promise is missing, false, old, or meant for somebody else.
    """
    promised, signature = read_promise(header)
    if promised.agency != agency:
        raise ProofError("The promise was given to another partner.")
    if abs(now_ms - promised.t) > FRESH_MS:
        raise ProofError("The promise is not fresh.")
    known = {hashlib.sha256(public).digest(): public for public in submitters}
    public = known.get(promised.leaf[96:])
    if public is None:
        raise ProofError("The promise is not of a known submitter.")
    key = Ed25519PublicKey.from_public_bytes(public)
    try:
        key.verify(promised.leaf[32:96], LEAF_NAMESPACE + promised.leaf[:32])
        key.verify(signature, _message(promised, origin))
    except InvalidSignature:
        raise ProofError("The signature of the promise does not hold.") from None
    return promised


def _message(promised: Promised, origin: str) -> bytes:
    said = (origin, promised.eid, promised.subject, promised.agency, promised.t, promised.leaf.hex())
    return ("kith-promise/v1\n" + "".join(f"{part}\n" for part in said)).encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
