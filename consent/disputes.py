"""When two people with parental responsibility contradict each other: found, marked, checked by a manager.

For: rule P17. Each holder of parental responsibility may act alone (Children Act 1989 s2(7)), so a yes and a no about
one thing are a dispute that a manager looks into. Must never weigh one parent's word against the other's by itself:
both answers stay on record, and the dispute ends only when one of them changes.
"""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert
from sqlalchemy.orm import Session

from consent.records import YES, ConsentRecord, current_records, overlap, record_consent, record_of
from consent.tables import consent_dispute_checks
from policies.vocabulary import ConsentKind, ConsentState, GiverCapacity, Role

#: What contradicts a yes.
NO = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN})


class CheckOutcome(StrEnum):
    """What the manager's check found."""

    SHARE = "SHARE"
    DO_NOT_SHARE = "DO_NOT_SHARE"


@dataclass(frozen=True, slots=True)
class DisputeCheck:
    """A manager's check of a dispute. `sealed_reasons` is opaque here."""

    subject: str
    kind: ConsentKind
    records: tuple[str, ...]
    outcome: CheckOutcome
    sealed_reasons: bytes
    checked_by: str
    checked_by_role: Role
    checked_at: datetime
    id: str = ""


def mark_disputes(session: Session, subject: str, *, by: str, now: datetime) -> tuple[ConsentRecord, ...]:
    """Brings the DISPUTED marks of a person in line with what holders of parental responsibility say now.

    Effects: a record whose answer another holder contradicts is followed by the same one as DISPUTED; a DISPUTED
    one that nobody contradicts any more is followed by its own answer. Returns the records that were added.
    """
    records = current_records(session, [subject], now=now)
    parental = [one for one in records if one.giver_capacity == GiverCapacity.PARENT_WITH_PR]
    said = {one.id: _own_answer(session, one) for one in parental}
    added = []
    for one in parental:
        if one.state == ConsentState.WITHDRAWN:
            continue
        contradicted = any(
            other.giver != one.giver
            and other.kind == one.kind
            and overlap(one, other)
            and _opposed(said[one.id], said[other.id])
            for other in parental
        )
        state = ConsentState.DISPUTED if contradicted else said[one.id]
        if state != one.state:
            added.append(record_consent(session, replace(one, id="", follows=one.id, state=state), by=by, now=now))
    return tuple(added)


def record_check(session: Session, check: DisputeCheck) -> DisputeCheck:
    """Stores a manager's check and returns it with its id."""
    stored = replace(check, id="DC-" + secrets.token_hex(8))
    session.execute(
        insert(consent_dispute_checks).values(
            id=stored.id,
            subject=stored.subject,
            kind=stored.kind,
            records=list(stored.records),
            outcome=stored.outcome,
            sealed_reasons=stored.sealed_reasons,
            checked_by=stored.checked_by,
            checked_by_role=stored.checked_by_role,
            checked_at=stored.checked_at,
        )
    )
    return stored


def _own_answer(session: Session, record: ConsentRecord) -> ConsentState:
    """What the giver said, beneath any marks of dispute."""
    while record.state == ConsentState.DISPUTED and record.follows:
        record = record_of(session, record.follows)
    return record.state


def _opposed(one: ConsentState, other: ConsentState) -> bool:
    """A yes against a no or a withdrawal, whichever came first."""
    return (one in YES and other in NO) or (other in YES and one in NO)
