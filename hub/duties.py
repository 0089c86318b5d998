"""What must be done along with a disclosure: tell the owner, tell the person, alert somebody.

For: carrying out a decision's obligations before anything is shown. A duty is written once per day, person,
agency and enquiry, so that looking twice at a picture does not tell an owner twice.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.context import RequestContext
from hub.db import Database
from hub.enquiries import user_of
from hub.permits import Decided
from hub.redaction import Redacted
from hub.tables import duties
from policies.vocabulary import Obligation

#: Obligations that somebody must act on later; the others are met by the trail, the page or the absence of export.
TASKS = frozenset({Obligation.NOTIFY_OWNER, Obligation.INFORM_SUBJECT, Obligation.DO_NOT_INFORM})
#: People are told within a month at the latest (UK GDPR Article 14(3)(a)).
INFORM_WITHIN = timedelta(days=28)
#: A decision not to tell somebody is looked at again after this time (golden rule 2 of the DfE advice, 2024).
REVIEW_SILENCE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that somebody must do. `once`: a second duty with the same words is the same duty."""

    kind: str
    receipt: str
    once: tuple[str, ...]
    agency: str | None = None
    person: str | None = None
    enquiry: str | None = None
    due_at: datetime | None = None
    review_on: date | None = None
    user: str | None = None
    barred: str | None = None
    refers: str | None = None

    @property
    def id(self) -> str:
        """The same for the same words."""
        return "DU-" + hashlib.sha256("\x1f".join(self.once).encode()).hexdigest()[:32]


def write(hub: Hub, owed: Iterable[Duty], *, now: datetime) -> int:
    """Stores the duties that are new; returns how many were."""
    return store(hub.db, owed, now=now)


def store(db: Database, owed: Iterable[Duty], *, now: datetime) -> int:
    """The same for a command that has no more of the hub than its database."""
    owed = tuple(owed)
    wanted = {duty.id: duty for duty in owed}
    if not wanted:
        return 0
    with db.session() as session:
        known = set(session.scalars(select(duties.c.id).where(duties.c.id.in_(wanted))))
    fresh = [
        {
            "id": id_,
            "kind": duty.kind,
            "agency": duty.agency,
            "person": duty.person,
            "enquiry": duty.enquiry,
            "receipt": duty.receipt,
            "made_at": now,
            "due_at": duty.due_at,
            "review_on": duty.review_on,
            "user": duty.user,
            "barred": duty.barred,
            "refers": duty.refers,
        }
        for id_, duty in wanted.items()
        if id_ not in known
    ]
    if fresh:
        try:
            with db.writing() as session:
                session.execute(insert(duties), fresh)
        except IntegrityError:
            # Another page of the same moment has just written one of them: fewer are new now.
            return store(db, owed, now=now)
    return len(fresh)


def record(
    hub: Hub,
    ctx: RequestContext,
    decided: Decided,
    redacted: Redacted,
    *,
    enquiry: str | None,
    receipt: str,
    silence_by: str | None = None,
) -> None:
    """Writes the duties that what is shown, or was refused, brings with it.

    Takes `silence_by`: who decided not to tell the person, and looks at it again (rule P21).
    Effects: new rows in `duties`; one `alarm` event when a decision demands that IG is alerted.
    """
    day = ctx.now.date().isoformat()
    own = ctx.actor.agency
    owed = [
        Duty(
            kind=kind,
            # What is told to a person is told by those who asked; what an owner is told, by the hub to the owner.
            agency=agency or own,
            person=person,
            enquiry=enquiry,
            receipt=receipt,
            due_at=ctx.now + INFORM_WITHIN if kind == Obligation.INFORM_SUBJECT else None,
            review_on=(ctx.now + REVIEW_SILENCE).date() if kind == Obligation.DO_NOT_INFORM else None,
            user=silence_by if kind == Obligation.DO_NOT_INFORM else None,
            once=(kind, agency or "", person, enquiry or "", day),
        )
        for kind, agency, person in _owed(decided, redacted)
    ]
    write(hub, owed, now=ctx.now)
    alert(hub, ctx, decided, enquiry=enquiry)


def alert(hub: Hub, ctx: RequestContext, decided: Decided, *, enquiry: str | None) -> None:
    """Raises one alarm event when any decision, granted or refused, demands that IG is alerted (rule P50)."""
    decisions = [(p.person, p.decision.rules, p.decision.obligations) for p in decided.permits]
    decisions += [(r.person, r.rules, r.obligations) for r in decided.refusals]
    alarming = [(person, rules) for person, rules, obligations in decisions if Obligation.IG_ALERT in obligations]
    if alarming:
        hub.trail.append(
            "alarm",
            now=ctx.now,
            subjects=sorted({person for person, _ in alarming}),
            user=user_of(ctx),
            reason="+".join(sorted({rule for _, rules in alarming for rule in rules})),
            enquiry=enquiry,
            purpose=ctx.purpose,
            trace=ctx.request_id,
        )


def _owed(decided: Decided, redacted: Redacted) -> Iterator[tuple[str, str | None, str]]:
    for kept in redacted.kept:
        # What an emergency opened has a notice of its own to the owner (hub/break_glass.py).
        told = {Obligation.NOTIFY_OWNER} if Obligation.RETRO_REVIEW in kept.obligations else set()
        for obligation in (kept.obligations & TASKS) - told:
            yield obligation, (kept.agency if obligation == Obligation.NOTIFY_OWNER else None), kept.person
    for refusal in decided.refusals:
        for obligation in set(refusal.obligations) & {Obligation.NOTIFY_RECIPIENTS}:
            yield obligation, refusal.agency, refusal.person
