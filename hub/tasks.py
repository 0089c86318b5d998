"""The queue: what somebody of a role and agency must do, until somebody has done it.

For: duties that decisions and consents bring with them. Must never show a task to the person it is about or their
family, nor to the one whose act it looks into (rules P33 and P34; no badge, no count), and never name anybody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update

from consent import (
    CheckOutcome,
    DisputeCheck,
    current_records,
    ending_soon,
    given_for_children,
    record_check,
    record_of,
)
from hub import inbox
from hub.assembly import Hub
from hub.break_glass import REVIEW, TOLD_DPO, TOLD_OWNER, is_over
from hub.casefile import LONDON
from hub.checks import IN_DOUBT
from hub.clearing import clear_closed, clear_notices
from hub.consequences import REASSIGN
from hub.context import RequestContext
from hub.desk.alerts import REFERRED, SAID, answer
from hub.duties import Duty, write
from hub.enquiries import FEEDBACK, LEAST, acts_since, count_act, says_enough, user_of
from hub.errors import FormRefused, NotFound
from hub.keys import HUB
from hub.notices import desks
from hub.one_person import accounts_of
from hub.oversight import NAME_SEARCH
from hub.people import records_of_persons
from hub.people.said import best_birth_date
from hub.suspension import DECISIONS, SUSPENDED, restore
from hub.tables import duties, enquiries
from policies import in_force
from policies.vocabulary import ConsentState, Obligation, Role

#: Who works with families; the same people who open enquiries.
WORKERS = frozenset(
    {
        Role.MASH_SCREENING_OFFICER,
        Role.MASH_SOCIAL_WORKER,
        Role.MASH_DECISION_MAKER,
        Role.AGENCY_NAVIGATOR,
        Role.POLICE_MASH_SUPERVISOR,
        Role.SAFEGUARDING_NURSE,
        Role.FAMILY_KEYWORKER,
        Role.LEAD_PROFESSIONAL,
        Role.SOCIAL_WORKER,
        Role.ADULT_SOCIAL_WORKER,
        Role.EDT_WORKER,
        Role.HEALTH_VISITOR,
    }
)
#: Who speaks for an agency about what it holds.
OWNERS = WORKERS | {
    Role.SUBSTANCE_WORKER,
    Role.CAMHS_PRACTITIONER,
    Role.GP_CLINICIAN,
    Role.HOUSING_OFFICER,
    Role.CALDICOTT_GUARDIAN,
}
#: Who stands for an agency's refusal, and is told when its people do not answer.
SENIORS = frozenset(
    {
        Role.CALDICOTT_GUARDIAN,
        Role.DPO,
        Role.SIRO,
        Role.MASH_DECISION_MAKER,
        Role.POLICE_MASH_SUPERVISOR,
    }
)
#: A protected address was looked at (hub/protected_address.py).
INVESTIGATE = "PROTECTED_ADDRESS"
#: About requests for approval (hub/approvals): answered, half of the time gone, all of it gone.
ANSWERED, REMINDED, ESCALATED = "APPROVAL_ANSWERED", "APPROVAL_REMINDER", "APPROVAL_LATE"
#: A sharing agreement ends; its parties' contacts are reminded so many days before.
AGREEMENT_ENDS, NOTICE_DAYS = "AGREEMENT_ENDS", (90, 60, 30)
#: Somebody says that what an agency holds about them is wrong (hub/own_record/corrections.py).
CORRECTION = "CORRECTION"
DISPUTE, ENDS, COMES_OF_AGE = "DISPUTE", "CONSENT_ENDS", "COMES_OF_AGE"
#: Which roles of the task's agency do each kind of task.
DONE_BY: Mapping[str, frozenset[Role]] = {
    Obligation.NOTIFY_OWNER: OWNERS,
    Obligation.NOTIFY_RECIPIENTS: WORKERS,
    Obligation.INFORM_SUBJECT: WORKERS,
    Obligation.DO_NOT_INFORM: WORKERS,
    DISPUTE: frozenset({Role.MASH_DECISION_MAKER}),
    ENDS: WORKERS,
    COMES_OF_AGE: WORKERS,
    TOLD_OWNER: OWNERS,
    REASSIGN: WORKERS,
    FEEDBACK: WORKERS,
    IN_DOUBT: frozenset({Role.DATA_STEWARD}),
    NAME_SEARCH: frozenset({Role.IG_OFFICER, Role.PRIVACY_OFFICER}),
    AGREEMENT_ENDS: frozenset({Role.PROTOCOL_SPOC, Role.DPO}),
    CORRECTION: OWNERS,
    INVESTIGATE: frozenset({Role.IG_OFFICER, Role.PRIVACY_OFFICER}),
    REFERRED: SENIORS,
    SUSPENDED: frozenset({Role.MASH_DECISION_MAKER, Role.IG_OFFICER, Role.PRIVACY_OFFICER, Role.DPO}),
    ANSWERED: WORKERS,
    REMINDED: OWNERS | SENIORS,
    ESCALATED: SENIORS,
    TOLD_DPO: frozenset({Role.DPO}),
    REVIEW: frozenset({Role.IG_OFFICER, Role.PRIVACY_OFFICER}),
    inbox.HALF_TIME: inbox.ANSWERING,
    inbox.OVERDUE: inbox.ANSWERING | frozenset({Role.DPO, Role.POLICE_MASH_SUPERVISOR}),
    inbox.UNANSWERED: WORKERS,
    inbox.CAME_LATE: WORKERS,
    desks.NOTICE: desks.FRONT_DOOR,
    desks.SCHOOL: desks.LEADS,
    desks.CHANGED: WORKERS,
    desks.INTERVIEW: desks.FRONT_DOOR | desks.INTERVIEWERS,
}
#: What somebody who looks into a thing can find, with their reasons: an emergency, a shut account.
FINDINGS: Mapping[str, tuple[str, ...]] = {
    REVIEW: ("JUSTIFIED", "NOT_JUSTIFIED"),
    REFERRED: SAID,
    SUSPENDED: DECISIONS,
    INVESTIGATE: ("IN_ORDER", "NOT_IN_ORDER"),
}
#: Everybody who has a queue.
QUEUEING = frozenset(role for roles in DONE_BY.values() for role in roles)
#: How long after its review date a task of one person becomes their team's.
TEAM_AFTER = timedelta(days=7)
#: Tasks of one page.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Task:
    """One open task. `reference` and `link` only when the enquiry is the reader's own agency's."""

    id: str
    kind: str
    made_at: datetime
    due_at: datetime | None
    review_on: date | None
    agency: str | None
    enquiry: str | None
    reference: str | None
    person: str | None
    receipt: str
    refers: str | None = None


def open_tasks(hub: Hub, ctx: RequestContext) -> tuple[tuple[Task, ...], int]:
    """The tasks of this user, the most urgent first, and how many there are altogether.

    Effects: once a day, what ends soon becomes tasks; so does each request whose time is half over or over.
    """
    _look_ahead(hub, ctx)
    inbox.ring(hub.db, now=ctx.now)
    d = duties.c
    query = select(duties).where(*_mine(hub, ctx))
    with hub.db.session() as session:
        total = int(session.execute(select(func.count()).select_from(query.subquery())).scalar_one())
        rows = session.execute(query.order_by(d.due_at.is_(None), d.due_at, d.made_at, d.id).limit(PAGE)).mappings()
        found = [dict(row) for row in rows]
        e = enquiries.c
        ids = {row["enquiry"] for row in found if row["enquiry"]}
        own = select(e.id, e.reference).where(e.id.in_(ids), e.agency == ctx.actor.agency)
        references = {row.id: row.reference for row in session.execute(own)}
    return tuple(
        Task(
            id=row["id"],
            kind=row["kind"],
            made_at=row["made_at"],
            due_at=row["due_at"],
            review_on=row["review_on"],
            agency=row["agency"],
            enquiry=row["enquiry"] if row["enquiry"] in references else None,
            reference=references.get(row["enquiry"]),
            person=row["person"],
            receipt=row["receipt"],
            refers=row["refers"],
        )
        for row in found
    ), total


def finish(hub: Hub, ctx: RequestContext, task: str, note: str, outcome: str = "") -> None:
    """Says that a task is done, and what was done; a check of a dispute or an emergency also says what it found.

    Raises FormRefused without a note, NotFound for what is not this user's. Effects: an event, then the row.
    """
    if len(note.strip()) < 10:
        raise FormRefused({"note": "Say in a few words what was done, and when."})
    with hub.db.session() as session:
        row = session.execute(select(duties).where(duties.c.id == task, *_mine(hub, ctx))).mappings().first()
    if row is None:
        raise NotFound("There is no such task.")
    if row["kind"] == CORRECTION:
        raise FormRefused({"note": "Open it and answer the person: that ends it."})
    if outcome and row["kind"] != DISPUTE and row["kind"] not in FINDINGS:
        raise FormRefused({"outcome": "This task has nothing to find."})
    check = _check(hub, ctx, dict(row), note, outcome) if row["kind"] == DISPUTE else None
    if row["kind"] in FINDINGS:
        if outcome not in FINDINGS[row["kind"]]:
            raise FormRefused({"outcome": "Choose what you found."})
        if outcome == "JUSTIFIED" and not is_over(hub, row["refers"], now=ctx.now):
            raise FormRefused(
                {"outcome": "It is not over yet. Until then you can only find that it was not justified."}
            )
        _require_reasons(note)
    hub.trail.append(
        "alter",
        now=ctx.now,
        user=user_of(ctx),
        trace=ctx.request_id,
        enquiry=row["enquiry"],
        action="task-done",
        outcome=f"{row['kind']}-{outcome}" if row["kind"] in FINDINGS else row["kind"],
        object={"type": "task", "id": task},
    )
    sealed = hub.keys.seal(HUB, note.strip().encode(), "task:" + task)
    with hub.db.writing() as session:
        done = session.execute(
            update(duties)
            .where(duties.c.id == task, duties.c.done_at.is_(None))
            .values(done_at=ctx.now, done_by=ctx.actor.id, outcome=outcome or "DONE", sealed_note=sealed)
        )
        if done.rowcount != 1:  # type: ignore[attr-defined]
            raise NotFound("Somebody else has just done this task.")
        if check is not None:
            record_check(session, check)
    if row["kind"] == SUSPENDED and outcome == "RESTORE":
        restore(hub, row["refers"])
    if row["kind"] == REFERRED:
        answer(hub, ctx, row["refers"], outcome, note)


def _require_reasons(note: str) -> None:
    if not says_enough(note):
        raise FormRefused({"note": f"Say why, in your own words: {LEAST}."})


def _check(hub: Hub, ctx: RequestContext, row: Mapping[str, Any], note: str, outcome: str) -> DisputeCheck:
    """A manager's check of a dispute, with its reasons (rule P17)."""
    if outcome not in CheckOutcome.__members__:
        raise FormRefused({"outcome": "Choose what your check found."})
    _require_reasons(note)
    with hub.db.session() as session:
        disputed = [
            one for one in current_records(session, [row["person"]], now=ctx.now) if one.state == ConsentState.DISPUTED
        ]
        kind = record_of(session, row["refers"]).kind
    return DisputeCheck(
        subject=row["person"],
        kind=kind,
        records=tuple(one.id for one in disputed if one.kind == kind),
        outcome=CheckOutcome(outcome),
        sealed_reasons=hub.keys.seal(HUB, note.strip().encode(), "dispute:" + row["person"]),
        checked_by=ctx.actor.id,
        checked_by_role=ctx.actor.role,
        checked_at=ctx.now,
    )


def has_task_from(hub: Hub, ctx: RequestContext, receipt: str) -> bool:
    """Whether an entry of the trail brought this user a task, done or not: not somebody else's of the same agency."""
    with hub.db.session() as session:
        of_theirs = select(duties.c.id).where(duties.c.receipt == receipt, *_theirs(hub, ctx)).limit(1)
        return session.execute(of_theirs).first() is not None


def notice_task(hub: Hub, ctx: RequestContext, notice: str) -> tuple[str, str | None, datetime | None] | None:
    """The task that a notice brought this user, done or not: its kind, its enquiry and until when; None without one."""
    d = duties.c
    mine = (d.refers == notice, d.kind.in_(desks.KINDS), *_theirs(hub, ctx))
    with hub.db.session() as session:
        row = session.execute(select(d.kind, d.enquiry, d.due_at).where(*mine).order_by(d.user.is_(None))).first()
    return tuple(row) if row else None


def _mine(hub: Hub, ctx: RequestContext) -> list[ColumnElement[bool]]:
    """What this user is to do now."""
    d = duties.c
    return [d.done_at.is_(None), or_(d.review_on.is_(None), d.review_on <= ctx.now.date()), *_theirs(hub, ctx)]


def _theirs(hub: Hub, ctx: RequestContext) -> list[ColumnElement[bool]]:
    """What makes a task this user's: their role's and agency's, or given to them; never about them or their act."""
    d, actor = duties.c, ctx.actor
    kinds = [kind for kind, roles in DONE_BY.items() if actor.role in roles]
    close = [*actor.own_persons, *actor.own_family]
    return [
        # What one person should have looked at again by now is their team's: they may have left.
        or_(
            d.user == actor.id,
            or_(d.user.is_(None), d.review_on <= ctx.now.date() - TEAM_AFTER)
            & d.kind.in_(kinds)
            & or_(d.agency.is_(None), d.agency == actor.agency),
        ),
        or_(d.barred.is_(None), d.barred.not_in(accounts_of(hub, actor.id))),
        *([or_(d.person.is_(None), d.person.not_in(close))] if close else []),
    ]


def _look_ahead(hub: Hub, ctx: RequestContext) -> None:
    """Once a day: agreements and parents' answers that end within the notice become tasks of who recorded them.

    So do sharing agreements of the user's agency, 90, 60 and 30 days before their last day; and what agencies wrote
    for enquiries that ended four weeks ago is cleared.
    """
    midnight = ctx.now.astimezone(LONDON).replace(hour=0, minute=0, second=0, microsecond=0)
    with hub.db.session() as session:
        if acts_since(session, ctx, "look-ahead", midnight):
            return
        children = given_for_children(session, now=ctx.now)
        births = _births(hub, session, children)
        endings = list(ending_soon(session, births, now=ctx.now))
    write(
        hub,
        (
            Duty(
                kind=COMES_OF_AGE if one.comes_of_age else ENDS,
                agency=one.record.recorded_by_agency,
                person=one.record.subject,
                enquiry=one.record.enquiry,
                receipt=one.record.id,
                due_at=datetime(one.on.year, one.on.month, one.on.day, tzinfo=LONDON),
                refers=one.record.id,
                once=("ends", one.record.id, one.on.isoformat()),
            )
            for one in endings
            if one.record.recorded_by_agency
        ),
        now=ctx.now,
    )
    write(hub, _agreements_ending(hub, ctx), now=ctx.now)
    clear_closed(hub, ctx.now)
    clear_notices(hub, ctx.now)
    with hub.db.writing() as session:
        count_act(session, ctx, "look-ahead")


def _agreements_ending(hub: Hub, ctx: RequestContext) -> list[Duty]:
    """For each party of an agreement in force: one reminder at each of the days before it ends (rule P04)."""
    today = ctx.now.astimezone(LONDON).date()
    owed = []
    for agreement in in_force(hub.agreements, today):
        ends = agreement.expires_on
        notice = min((days for days in NOTICE_DAYS if ends and ends - today <= timedelta(days=days)), default=None)
        if ends is None or notice is None:
            continue
        name = f"{agreement.reference}-{agreement.version}"
        owed += [
            Duty(
                kind=AGREEMENT_ENDS,
                agency=party.agency,
                receipt=f"{name}-{notice}",
                due_at=datetime(ends.year, ends.month, ends.day, tzinfo=LONDON),
                once=(AGREEMENT_ENDS, name, str(notice), party.agency),
            )
            for party in agreement.parties
        ]
    return owed


def _births(hub: Hub, session: object, persons: Iterable[str]) -> dict[str, date]:
    found = records_of_persons(session, hub.keys, persons)  # type: ignore[arg-type]
    births = {person: best_birth_date(records) for person, records in found.items()}
    return {person: born.date for person, born in births.items() if born is not None}
