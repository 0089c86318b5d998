"""What people agreed or refused: three kinds that are never merged into one "consent".

For: UK GDPR consent, the duty of confidentiality, and agreement to a service, each with its giver, scope,
time and state. Must never be updated: a withdrawal or a renewal is a new record that follows the old one.
Ruled by the decision rules P10 and P15 to P19, and by UK GDPR Article 7(3).
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consent.decisions import ConsentDecision, decision_for
from consent.errors import ConsentError
from consent.standing import Standing, standings_of
from consent.tables import consent_records
from policies.vocabulary import ConsentKind, ConsentState, DataCategory, GiverCapacity, Purpose


class AnswerMethod(StrEnum):
    """How somebody answered."""

    IN_PERSON = "IN_PERSON"
    BY_PHONE = "BY_PHONE"
    IN_WRITING = "IN_WRITING"
    ONLINE = "ONLINE"
    INTERPRETER = "INTERPRETER"


FOLLOWED = "This record was already followed by a newer one."
#: States that are a yes.
YES = frozenset({ConsentState.GIVEN_EXPLICIT, ConsentState.GIVEN_PARTIAL, ConsentState.BEST_INTERESTS})


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
    method: AnswerMethod | None = None
    statement: str | None = None
    enquiry: str | None = None
    recorded_by_agency: str | None = None
    follows: str | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """Plain values for the decision: the records in force and the standing by person, the decision about asking."""

    records: dict[str, tuple[ConsentRecord, ...]]
    decision: ConsentDecision | None
    standings: Mapping[str, Standing] = field(default_factory=dict)


def new_record_id() -> str:
    """An id for a record, so that it can be told to the trail before it is stored."""
    return "CO-" + secrets.token_hex(8)


def record_consent(session: Session, record: ConsentRecord, *, by: str, now: datetime) -> ConsentRecord:
    """Stores an answer and returns it with its id.

    Raises ConsentError when it is dated later than now, ends before it begins, or follows a record that another
    one follows already.
    """
    if record.given_at > now:
        raise ConsentError("An answer cannot be dated in the future.")
    if record.expires_at is not None and record.expires_at <= record.given_at:
        raise ConsentError("An agreement cannot end before it was given.")
    stored = replace(record, id=record.id or new_record_id())
    name, _, version = (stored.statement or "").partition("/")
    try:
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
                method=stored.method,
                statement=name or None,
                statement_version=int(version) if version else None,
                enquiry=stored.enquiry,
                recorded_at=now,
                recorded_by=by,
                recorded_by_agency=stored.recorded_by_agency,
            )
        )
    except IntegrityError as error:
        raise ConsentError(FOLLOWED) from error
    return stored


def renew(session: Session, record: ConsentRecord, *, by: str, now: datetime) -> ConsentRecord:
    """Stores an answer; one that the same giver gave before about the same thing is superseded by it.

    Raises ConsentError when several earlier answers of this giver would be touched: they are withdrawn first.
    """
    earlier = [
        one
        for one in current_records(session, [record.subject], now=now)
        if one.kind == record.kind
        and (one.giver, one.giver_capacity) == (record.giver, record.giver_capacity)
        and one.state != ConsentState.WITHDRAWN
        and overlap(one, record)
    ]
    if len(earlier) > 1:
        raise ConsentError("Several earlier answers of this person are touched. Withdraw those that no longer hold.")
    return record_consent(session, replace(record, follows=earlier[0].id if earlier else None), by=by, now=now)


def withdraw(session: Session, record_id: str, *, by: str, now: datetime) -> ConsentRecord:
    """Adds a withdrawal that follows the record; it bites at the next decision (UK GDPR Article 7(3)).

    Raises ConsentError when there is no such record, or it was followed by another one already.
    """
    old = record_of(session, record_id)
    if session.execute(select(consent_records.c.id).where(consent_records.c.follows == record_id)).first():
        raise ConsentError(FOLLOWED)
    if old.state == ConsentState.WITHDRAWN:
        raise ConsentError("This answer was withdrawn already.")
    new = replace(old, id="", follows=old.id, state=ConsentState.WITHDRAWN, withdrawn_at=now)
    return record_consent(session, new, by=by, now=now)


def record_of(session: Session, record_id: str) -> ConsentRecord:
    """One record by its id. Raises ConsentError when there is none."""
    row = session.execute(select(consent_records).where(consent_records.c.id == record_id)).mappings().first()
    if row is None:
        raise ConsentError("There is no such consent record.")
    return _record(row)


def current_records(session: Session, persons: Iterable[str] | None, *, now: datetime) -> tuple[ConsentRecord, ...]:
    """The records that no other one follows, oldest answer first; `persons` None means everybody."""
    followed = select(consent_records.c.follows).where(consent_records.c.follows.is_not(None))
    query = select(consent_records).where(consent_records.c.recorded_at <= now, consent_records.c.id.not_in(followed))
    if persons is not None:
        query = query.where(consent_records.c.subject.in_(list(persons)))
    rows = session.execute(query.order_by(consent_records.c.given_at, consent_records.c.id)).mappings()
    return tuple(_record(row) for row in rows)


def history(session: Session, persons: Iterable[str]) -> tuple[ConsentRecord, ...]:
    """Every record of these persons, newest first; one that was followed by a new answer reads SUPERSEDED."""
    rows = session.execute(
        select(consent_records)
        .where(consent_records.c.subject.in_(list(persons)))
        .order_by(consent_records.c.recorded_at.desc(), consent_records.c.id.desc())
    ).mappings()
    found = [_record(row) for row in rows]
    renewed = {one.follows for one in found if one.follows and one.state != ConsentState.WITHDRAWN}
    return tuple(replace(one, state=ConsentState.SUPERSEDED) if one.id in renewed else one for one in found)


def overlap(one: ConsentRecord, other: ConsentRecord) -> bool:
    """True when two answers can be about the same thing: in each respect one is unlimited or they share a value."""
    return all(
        a is None or b is None or set(a) & set(b)
        for a, b in (
            (one.persons, other.persons),
            (one.agencies, other.agencies),
            (one.categories, other.categories),
            (one.purposes, other.purposes),
        )
    )


def facts_for(session: Session, persons: Iterable[str], *, enquiry: str | None, now: datetime) -> ConsentFacts:
    """The records in force and the standing of each person, and what was decided about asking in this enquiry.

    A record that another one follows is left out: the newer one counts. An answer of somebody whose parental
    responsibility has ended is handed on as that of nobody who may decide.
    """
    wanted = list(persons)
    standings = standings_of(session, wanted, now=now)
    records: dict[str, list[ConsentRecord]] = {person: [] for person in wanted}
    for record in current_records(session, wanted, now=now):
        parental = record.giver_capacity == GiverCapacity.PARENT_WITH_PR
        if parental and record.giver in standings[record.subject].lost_responsibility:
            record = replace(record, giver_capacity=GiverCapacity.NONE)
        records[record.subject].append(record)
    decision = decision_for(session, enquiry, now=now) if enquiry else None
    return ConsentFacts({person: tuple(found) for person, found in records.items()}, decision, standings)


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
        method=AnswerMethod(r["method"]) if r["method"] else None,
        statement=f"{r['statement']}/{r['statement_version']}" if r["statement"] else None,
        enquiry=r["enquiry"],
        recorded_by_agency=r["recorded_by_agency"],
        follows=r["follows"],
        id=r["id"],
    )
