"""An append-only, independently checkable trail of what was asked, shown, withheld and decided.

For: the hub, through these names alone. This package imports nothing of ours. Ruled by `docs/audit-format.md`.
"""

from pathlib import Path

from audit.checking import Checked, Consistency
from audit.checkpoint import Checkpoint, VerifierKey
from audit.cosigners import Cosigners, Quorum, State, WitnessView
from audit.entry import Entry, SealStaff, SealSubject
from audit.errors import (
    AuditError,
    EntryUnknown,
    EventConflict,
    EventInvalid,
    PolicyInvalid,
    ProofError,
    TrailCorrupt,
    TrailUnavailable,
)
from audit.events import SHAPES, Event, Kind, Shape
from audit.log import Trail
from audit.policy import WitnessPolicy, read_policy
from audit.promise import HEADER as PROMISE_HEADER
from audit.promise import Promised, read_promise, verify_promise
from audit.receipts import Receipt, ReceiptProof
from audit.reconcile import Reconciled
from audit.tables import CLEARING, create_guards, excess_rights, metadata, newest_agreement_event
from audit.timekeeping import Steady, since_boot
from audit.witness import Witness
from audit.witness_http import witness_app


def verifier_source() -> str:
    """The text of the one-file verifier, to hand to whoever wants to check without us."""
    return (Path(__file__).parent / "verify.py").read_text(encoding="utf-8")


__all__ = [
    "CLEARING",
    "PROMISE_HEADER",
    "SHAPES",
    "AuditError",
    "Checked",
    "Checkpoint",
    "Consistency",
    "Cosigners",
    "Entry",
    "EntryUnknown",
    "Event",
    "EventConflict",
    "EventInvalid",
    "Kind",
    "PolicyInvalid",
    "Promised",
    "ProofError",
    "Quorum",
    "Receipt",
    "ReceiptProof",
    "Reconciled",
    "SealStaff",
    "SealSubject",
    "Shape",
    "State",
    "Steady",
    "Trail",
    "TrailCorrupt",
    "TrailUnavailable",
    "VerifierKey",
    "Witness",
    "WitnessPolicy",
    "WitnessView",
    "create_guards",
    "excess_rights",
    "metadata",
    "newest_agreement_event",
    "read_policy",
    "read_promise",
    "since_boot",
    "verifier_source",
    "verify_promise",
    "witness_app",
]
