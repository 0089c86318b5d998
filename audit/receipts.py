"""What a caller gets for an entry: the receipt at once, the proof whenever it is asked for.

For: pages and answers that disclose, and anyone who wants to check them without us. A receipt must never exist
for an entry that is not durable. Ruled by `docs/audit-format.md`.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from audit.entry import Sealed
from audit.tree import leaf_hash

PROOF_FORMAT = "kith-receipt/1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The event `eid` of `t` (UTC milliseconds) is durable; `leaf` is the 128 bytes that the tree holds for it.

    On SQLite it has its place in a signed tree already; on PostgreSQL it gets one within a second
    (`docs/adr/0008-the-outbox-and-its-leader.md`). Its number is told by the proof, `Trail.receipt`.
    """

    eid: str
    t: int
    leaf: bytes

    @classmethod
    def of(cls, sealed: Sealed) -> "Receipt":
        """The receipt of an event once it is durable."""
        return cls(sealed.event.eid, sealed.event.t, sealed.leaf)

    @property
    def leaf_hash(self) -> bytes:
        """What the tree holds of the leaf (RFC 6962)."""
        return leaf_hash(self.leaf)


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """All that a stranger needs to check an entry offline: envelope, leaf, inclusion path and checkpoint."""

    eid: str
    kind: str
    t: int
    index: int
    size: int
    root: bytes
    envelope: bytes
    leaf: bytes
    leaf_hash: bytes
    path: tuple[bytes, ...]
    checkpoint: str
    submitter: bytes
    #: Who cosigned the checkpoint: a witness's name, and its own time in UTC seconds.
    witnesses: tuple[tuple[str, int], ...] = ()

    def document(self, *, with_envelope: bool = True) -> dict[str, Any]:
        """The receipt bundle. Without the envelope it proves that the entry exists, and not what it says."""
        bundle = {
            "format": PROOF_FORMAT,
            "eid": self.eid,
            "kind": self.kind,
            "t": self.t,
            "index": self.index,
            "leaf": _base64(self.leaf),
            "path": [_base64(node) for node in self.path],
            "checkpoint": self.checkpoint,
            "submitter": _base64(self.submitter),
        }
        if with_envelope:
            bundle["envelope"] = _base64(self.envelope)
        return bundle

    def json(self, *, with_envelope: bool = True) -> str:
        """The bundle as a file for `python -m audit verify`."""
        return json.dumps(self.document(with_envelope=with_envelope), indent=1) + "\n"

    def tlog_proof(self) -> str:
        """The same proof as c2sp.org/tlog-proof, for verifiers that others wrote; the extra data is the leaf."""
        lines = [
            "c2sp.org/tlog-proof@v1",
            f"extra {_base64(self.leaf)}",
            f"index {self.index}",
            *(_base64(node) for node in self.path),
            "",
        ]
        return "\n".join(lines) + "\n" + self.checkpoint


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
