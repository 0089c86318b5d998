"""What people agreed or refused: three kinds that are never merged into one "consent".

For: UK GDPR consent, the duty of confidentiality, and agreement to a service, each with its giver, scope,
time and state. Must never be updated: a withdrawal or a renewal is a new record that follows the old one.
Ruled by the decision rules P10 and P15 to P19, and by UK GDPR Article 7(3).
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from consent.decisions import ConsentDecision, decision_for
from consent.tables import consent_records
from policies.vocabulary import ConsentKind, ConsentState, DataCategory, GiverCapacity, Purpose


class ConsentError(Exception):
    """A consent record cannot be made so; the sentence says why, without personal data."""


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One answer of one giver. A scope of None is not limited in that respect."""

    kind: ConsentKind
    state: ConsentState
    subject: str
    giver: str
    giver_capacity: GiverCapacity
    given_at: datetime
    persons: tuple[str, ...] | None = None
    agencies: tuple[str, ...] | None = None
    categories: tuple[DataCategory, ...] | None = None
    purposes: tuple[Purpose, ...] | None = None
    giver_conflicted: bool = False
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None
    wording: str | None = None
    follows: str | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """Plain values for the decision: the records in force by person, and the decision about asking."""

    records: dict[str, tuple[ConsentRecord, ...]]
    decision: ConsentDecision | None


def record_consent(session: Session, record: ConsentRecord, *, by: str, now: datetime) -> ConsentRecord:
    """Stores an answer and returns it with its id.

    Raises ConsentError when it is dated later than now, or ends before it begins.
    """
    if record.given_at > now:
        raise ConsentError("An answer cannot be dated in the future.")
    if record.expires_at is not None and record.expires_at <= record.given_at:
        raise ConsentError("An agreement cannot end before it was given.")
    stored = replace(record, id=record.id or "CO-" + secrets.token_hex(8))
    session.execute(
        insert(consent_records).values(
            id=stored.id,
            follows=stored.follows,
            kind=stored.kind,
            state=stored.state,
            giver=stored.giver,
            giver_capacity=stored.giver_capacity,
            giver_conflicted=stored.giver_conflicted,
            subject=stored.subject,
            persons=_listed(stored.persons),
            agencies=_listed(stored.agencies),
            categories=_listed(stored.categories),
            purposes=_listed(stored.purposes),
            given_at=stored.given_at,
            expires_at=stored.expires_at,
            withdrawn_at=stored.withdrawn_at,
            wording=stored.wording,
            recorded_at=now,
            recorded_by=by,
        )
    )
    return stored


def withdraw(session: Session, record_id: str, *, by: str, now: datetime) -> ConsentRecord:
    """Adds a withdrawal that follows the record; it bites at the next decision (UK GDPR Article 7(3)).

    Raises ConsentError when there is no such record, or it was followed by another one already.
    """
    row = session.execute(select(consent_records).where(consent_records.c.id == record_id)).mappings().first()
    if row is None:
        raise ConsentError("There is no such consent record.")
    if session.execute(select(consent_records.c.id).where(consent_records.c.follows == record_id)).first():
        raise ConsentError("This record was already followed by a newer one.")
    old = _record(row)
    new = replace(old, id="", follows=old.id, state=ConsentState.WITHDRAWN, withdrawn_at=now)
    return record_consent(session, new, by=by, now=now)


def facts_for(session: Session, persons: Iterable[str], *, enquiry: str | None, now: datetime) -> ConsentFacts:
    """The records in force for each person, and what was decided about asking in this enquiry.

    A record that another one follows is left out: the newer one counts.
    """
    wanted = list(persons)
    followed = select(consent_records.c.follows).where(consent_records.c.follows.is_not(None))
    rows = session.execute(
        select(consent_records)
        .where(consent_records.c.subject.in_(wanted), consent_records.c.recorded_at <= now)
        .where(consent_records.c.id.not_in(followed))
        .order_by(consent_records.c.given_at, consent_records.c.id)
    ).mappings()
    records: dict[str, list[ConsentRecord]] = {person: [] for person in wanted}
    for row in rows:
        records[row["subject"]].append(_record(row))
    decision = decision_for(session, enquiry, now=now) if enquiry else None
    return ConsentFacts({person: tuple(found) for person, found in records.items()}, decision)


def _listed(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else [str(value) for value in values]


def _record(row: object) -> ConsentRecord:
    r = dict(row)  # type: ignore[call-overload]
    return ConsentRecord(
        kind=ConsentKind(r["kind"]),
        state=ConsentState(r["state"]),
        subject=r["subject"],
        giver=r["giver"],
        giver_capacity=GiverCapacity(r["giver_capacity"]),
        given_at=r["given_at"],
        persons=None if r["persons"] is None else tuple(r["persons"]),
        agencies=None if r["agencies"] is None else tuple(r["agencies"]),
        categories=None if r["categories"] is None else tuple(DataCategory(c) for c in r["categories"]),
        purposes=None if r["purposes"] is None else tuple(Purpose(p) for p in r["purposes"]),
        giver_conflicted=bool(r["giver_conflicted"]),
        expires_at=r["expires_at"],
        withdrawn_at=r["withdrawn_at"],
        wording=r["wording"],
        follows=r["follows"],
        id=r["id"],
    )
