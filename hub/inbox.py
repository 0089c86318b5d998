"""What an agency's people are asked, what they answer, and who is told when time runs out.

For: agencies without a system. Must never show a request to the person it is about or their family (rules P33 and P34),
never take an answer without its event, never refuse one because it is late, and never show what was answered: that goes
the way of every disclosure (hub/disclosure.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update

from connectors import (
    MOST_ATTACHMENTS,
    AnswerKind,
    ConnectorError,
    Given,
    Mark,
    Marked,
    PersonQuery,
    Request,
    Value,
    add_answer,
    due_for_a_word,
    inspect,
    mark_piece,
    note_reminded,
    open_requests,
    request_of,
)
from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.db import Database
from hub.duties import Duty, store, write
from hub.enquiries import LEAST, says_enough, user_of
from hub.errors import FormRefused, NotFound
from hub.tables import duties, enquiries
from policies.vocabulary import DataCategory, FieldKind, Role

#: Who answers for an agency: its navigators, safeguarding leads and those who speak for what it holds.
ANSWERING = frozenset(
    {
        Role.AGENCY_NAVIGATOR,
        Role.DSL,
        Role.SAFEGUARDING_NURSE,
        Role.HEALTH_VISITOR,
        Role.CAMHS_PRACTITIONER,
        Role.SUBSTANCE_WORKER,
        Role.GP_CLINICIAN,
        Role.HOUSING_OFFICER,
        Role.IDVA,
        Role.PROBATION_OFFICER,
        Role.CALDICOTT_GUARDIAN,
    }
)
#: Kinds of tasks: half of the time is over; all of it is over (one for the agency, one for who asked); it came late.
HALF_TIME, OVERDUE, UNANSWERED, CAME_LATE = "INBOX_HALF_TIME", "INBOX_OVERDUE", "INBOX_UNANSWERED", "INBOX_CAME_LATE"
#: Why something cannot be shared, as a code that the trail may hold; the words stay sealed.
REASONS = (
    "COURT_ORDER",
    "RISK_OF_HARM",
    "PREJUDICE_TO_INVESTIGATION",
    "NOT_PROPORTIONATE",
    "LEGAL_PRIVILEGE",
    "NOT_OURS_TO_SHARE",
)
LONGEST_FIELD = 2000
#: What the answer itself says; nobody types it.
INVOLVED = Value(FieldKind.INDICATOR, "Yes")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its agency's people read it: what is asked about whom, and what they have said so far."""

    request: Request
    who: PersonQuery
    said: tuple[Marked, ...]
    kinds: Mapping[DataCategory, Mapping[str, FieldKind]]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: its name, its bytes, and what it is about."""

    name: str
    data: bytes


def waiting(hub: Hub, ctx: RequestContext) -> tuple[Request, ...]:
    """What this user's agency is still asked, the most urgent first; not what is about themselves or their family."""
    with hub.db.session() as session:
        found = open_requests(session, ctx.actor.agency)
        closed = set(
            session.scalars(
                select(enquiries.c.id).where(
                    enquiries.c.id.in_([r.enquiry for r in found]), enquiries.c.closed_at.is_not(None)
                )
            )
        )
    return tuple(r for r in found if r.enquiry not in closed and not _is_close(ctx, r.person))


def asked(hub: Hub, ctx: RequestContext, request: str) -> Asked:
    """One request with whom it is about. Raises NotFound for what is not theirs. Effects: a `collect` event."""
    found = _of(hub, ctx, request)
    hub.trail.append(
        "collect",
        now=ctx.now,
        subjects=[found.request.person],
        user=user_of(ctx),
        enquiry=found.request.enquiry,
        trace=ctx.request_id,
        action="inbox-opened",
        refers=[found.request.intent],
        object={"type": "inbox-request", "id": found.request.id},
        data=[{"agency": ctx.actor.agency, "category": "INDICATOR", "label": "inbox-opened", "subject": 0}],
    )
    return found


def answer(hub: Hub, ctx: RequestContext, request: str, typed: Mapping[str, str], files: Sequence[Upload] = ()) -> bool:
    """Takes an answer; returns whether it came late.

    Takes the form: `answer` (an AnswerKind), `reason`, `words` and `senior` where something is kept back; for each
    wanted category `CATEGORY.field`, `CATEGORY.on`, `CATEGORY.mark`, `CATEGORY.keep.field`; `files.category`,
    `files.mark`. Raises FormRefused, NotFound. Effects: a `collect` event, then the rows; open tasks about it are done,
    and who asked is told when it came late.
    """
    found = _of(hub, ctx, request)
    kind, reason, words, senior, given = _parse(found, typed, files, london(ctx.now).date())
    late = ctx.now > found.request.due_at
    receipt = hub.trail.append(
        "collect",
        now=ctx.now,
        subjects=[found.request.person],
        user=user_of(ctx),
        enquiry=found.request.enquiry,
        trace=ctx.request_id,
        action="inbox-answered-late" if late else "inbox-answered",
        outcome=str(kind),
        reason=reason,
        refers=[found.request.intent],
        object={"type": "inbox-request", "id": found.request.id},
        data=[
            {"agency": ctx.actor.agency, "category": str(one.category), "label": str(one.mark), "subject": 0}
            for one in given
        ],
    ).eid
    with hub.db.writing() as session:
        add_answer(
            session,
            hub.keys,
            found.request,
            kind,
            given,
            reason=reason,
            words=words,
            senior=senior,
            now=ctx.now,
            by=ctx.actor.id,
            receipt=receipt,
        )
        d = duties.c
        mine = (d.refers == found.request.id, d.kind.in_((HALF_TIME, OVERDUE, UNANSWERED)), d.done_at.is_(None))
        session.execute(update(duties).where(*mine).values(done_at=ctx.now, done_by=ctx.actor.id, outcome="ANSWERED"))
    if late:
        write(hub, _for_asker(hub.db, found.request, CAME_LATE, receipt, f"{found.request.answers}"), now=ctx.now)
    return late


def mark(hub: Hub, ctx: RequestContext, request: str, item: str, typed: Mapping[str, str]) -> None:
    """Says anew what becomes of a piece. Raises FormRefused, NotFound. Effects: `owner-release`, then a row."""
    found = _of(hub, ctx, request)
    piece = next((m.piece for m in found.said if m.piece.id == item), None)
    if piece is None or piece.withheld:
        raise NotFound("There is no such piece.")
    said = _mark(typed.get("mark", ""), "mark")
    ticked = frozenset(name for name in piece.values if typed.get(f"keep.{name}") == "yes")
    _require_something_left(said, ticked, set(piece.values), "mark")
    kept_back = ticked if said == Mark.REDACT else frozenset()
    receipt = hub.trail.append(
        "owner-release",
        now=ctx.now,
        subjects=[found.request.person],
        user=user_of(ctx),
        authoriser={"subject": ctx.actor.id, "role": ctx.actor.role, "agency": ctx.actor.agency},
        custodian=ctx.actor.agency,
        enquiry=found.request.enquiry,
        trace=ctx.request_id,
        outcome=str(said),
        object={"type": "inbox-item", "id": item},
        data=[
            {
                "agency": ctx.actor.agency,
                "category": str(piece.category),
                "fields": sorted(set(piece.values) - kept_back) if said != Mark.HOLD else [],
                "subject": 0,
            }
        ],
    ).eid
    with hub.db.writing() as session:
        mark_piece(session, item, said, kept_back, now=ctx.now, by=ctx.actor.id, receipt=receipt)


def ring(db: Database, *, now: datetime) -> int:
    """Writes the reminders and escalations that are due, each once; returns how many tasks are new."""
    written = 0
    with db.session() as session:
        due = due_for_a_word(session, now=now)
        closed = set(
            session.scalars(
                select(enquiries.c.id).where(
                    enquiries.c.id.in_([r.enquiry for r in due]), enquiries.c.closed_at.is_not(None)
                )
            )
        )
    for one in due:
        step, over = (2, True) if one.due_at <= now else (1, False)
        if one.enquiry not in closed:
            owed = [_for_agency(one, OVERDUE if over else HALF_TIME)]
            if over:
                owed += _for_asker(db, one, UNANSWERED, one.intent, "over")
            written += store(db, owed, now=now)
        with db.writing() as session:
            note_reminded(session, one.id, step)
    return written


def _for_agency(request: Request, kind: str) -> Duty:
    return Duty(
        kind=kind,
        agency=request.agency,
        person=request.person,
        enquiry=request.enquiry,
        receipt=request.intent,
        due_at=request.due_at,
        refers=request.id,
        once=(kind, request.id, request.due_at.isoformat()),
    )


def _for_asker(db: Database, request: Request, kind: str, receipt: str, which: str) -> list[Duty]:
    """A task for the worker who opened the enquiry, theirs alone; none when another hub asked."""
    with db.session() as session:
        e = enquiries.c
        asker = session.execute(select(e.opened_by, e.agency).where(e.id == request.enquiry)).first()
    if asker is None:
        return []
    return [
        Duty(
            kind=kind,
            agency=asker.agency,
            user=asker.opened_by,
            person=request.person,
            enquiry=request.enquiry,
            receipt=receipt,
            due_at=request.due_at,
            refers=request.id,
            once=(kind, request.id, request.due_at.isoformat(), which),
        )
    ]


def _of(hub: Hub, ctx: RequestContext, request: str) -> Asked:
    with hub.db.session() as session:
        found = request_of(session, hub.keys, ctx.actor.agency, request)
    partner = hub.partners.get(ctx.actor.agency)
    if found is None or partner is None or _is_close(ctx, found[0].person):
        raise NotFound("There is no such request.")
    kinds = {c: {f.name: f.kind for f in offered} for c, offered in partner.offers.items()}
    return Asked(*found, kinds)


def _is_close(ctx: RequestContext, person: str) -> bool:
    return person in ctx.actor.own_persons or person in ctx.actor.own_family


def _parse(
    found: Asked, typed: Mapping[str, str], files: Sequence[Upload], today: date
) -> tuple[AnswerKind, str | None, str | None, bool, list[Given]]:
    errors: dict[str, str] = {}
    kind = typed.get("answer", "")
    if kind not in AnswerKind.__members__:
        raise FormRefused({"answer": "Choose what your agency answers."})
    holds = kind in (AnswerKind.HELD, AnswerKind.PART)
    keeps_back = kind in (AnswerKind.PART, AnswerKind.CANNOT_SHARE)
    reason, words = typed.get("reason", ""), typed.get("words", "").strip()
    if keeps_back and reason not in REASONS:
        errors["reason"] = "Choose why it cannot be shared."
    if keeps_back and not says_enough(words):
        errors["words"] = f"Say in your own words why: {LEAST}."
    given: list[Given] = []
    for category in found.request.wanted:
        try:
            given += _given(found, category, typed, today) if holds else []
        except FormRefused as wrong:
            errors |= wrong.errors
    if holds and (attached := [one for one in files if one.name or one.data]):
        given += _attached(found, typed, attached, today, errors)
    if not holds and any(one.data for one in files):
        errors["files"] = "A file says that something is held. Choose that answer, or leave the file out."
    if errors:
        raise FormRefused(errors)
    empty = [c for c in found.request.wanted if c not in {one.category for one in given}]
    given += [_withheld(found, category) for category in (empty if keeps_back else ())]
    if not keeps_back:
        return AnswerKind(kind), None, None, False, given
    return AnswerKind(kind), reason, words, typed.get("senior") == "yes", given


def _given(found: Asked, category: DataCategory, typed: Mapping[str, str], today: date) -> list[Given]:
    """One piece of what was typed about a category; without a day it is what is true on the day of the answer."""
    errors: dict[str, str] = {}
    values: dict[str, Value] = {}
    for name in found.request.wanted[category]:
        kind = found.kinds.get(category, {}).get(name)
        text = typed.get(f"{category}.{name}", "").strip()
        if kind is None or name == "document":
            continue
        if name == "involved":
            values[name] = INVOLVED
        elif kind is FieldKind.DATES and text:
            day = _day(text, f"{category}.{name}", errors)
            values |= {name: Value(kind, day.isoformat())} if day else {}
        elif len(text) > LONGEST_FIELD:
            errors[f"{category}.{name}"] = f"Use at most {LONGEST_FIELD:,} characters, or attach a file."
        elif text:
            values[name] = Value(kind, text)
    if not values:
        if errors:
            raise FormRefused(errors)
        return []
    on = typed.get(f"{category}.on", "").strip()
    occurred_on = _day(on, f"{category}.on", errors) if on else today
    try:
        said = _mark(typed.get(f"{category}.mark", ""), f"{category}.mark")
        kept_back = frozenset(name for name in values if typed.get(f"{category}.keep.{name}") == "yes")
        _require_something_left(said, kept_back, set(values), f"{category}.mark")
    except FormRefused as wrong:
        errors |= wrong.errors
    if errors:
        raise FormRefused(errors)
    return [Given(category, occurred_on, values, said, kept_back if said == Mark.REDACT else frozenset())]


def _attached(
    found: Asked, typed: Mapping[str, str], files: Sequence[Upload], today: date, errors: dict[str, str]
) -> list[Given]:
    takes = [str(c) for c, names in found.request.wanted.items() if "document" in names]
    category = typed.get("files.category", "") or (takes[0] if len(takes) == 1 else "")
    if category not in takes:
        errors["files"] = "Choose what the files are about." if takes else "No file was asked for."
        return []
    if len(files) > MOST_ATTACHMENTS:
        errors["files"] = f"Attach at most {MOST_ATTACHMENTS} files; answer again to send more."
        return []
    given = []
    try:
        said = _mark(typed.get("files.mark", ""), "files")
        if said == Mark.REDACT:
            raise FormRefused({"files": "A file is released or held as a whole. Redact it before you attach it."})
        for one in files:
            given.append(Given(DataCategory(category), today, {}, said, file=inspect(one.name, one.data)))
    except FormRefused as wrong:
        errors |= wrong.errors
    except ConnectorError as wrong_file:
        errors["files"] = wrong_file.sentence
    return given


def _withheld(found: Asked, category: DataCategory) -> Given:
    """That something is kept back: a piece without content, so that nobody reads "nothing held"."""
    names = found.request.wanted[category]
    name = "involved" if "involved" in names else names[0]
    kind = found.kinds.get(category, {}).get(name, FieldKind.DETAIL)
    return Given(category, None, {name: Value(kind, "Kept back")}, Mark.HOLD, withheld=True)


def _mark(text: str, field: str) -> Mark:
    if text not in Mark.__members__:
        raise FormRefused({field: "Choose whether it may be released."})
    return Mark(text)


def _require_something_left(said: Mark, kept_back: frozenset[str], names: set[str], field: str) -> None:
    if said == Mark.REDACT and not kept_back:
        raise FormRefused({field: "Tick what is left out, or release all of it."})
    if said == Mark.REDACT and names <= kept_back:
        raise FormRefused({field: "Nothing would be left. Hold it instead."})


def _day(text: str, field: str, errors: dict[str, str]) -> date | None:
    for form in ("%d %m %Y", "%d/%m/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day, not an instant
        except ValueError:
            continue
    errors[field] = "Enter a day such as 31 3 2026."
    return None
