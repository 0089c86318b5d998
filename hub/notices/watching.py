"""Watched enquiries: who in an agency wants to hear of changes, and what agencies held of its people the last time.

For: a worker with an open case. Must never outlive the enquiry, never keep what an agency holds - a blind mark of it
tells only that it changed - and never tell of a change in something that the worker may not see: each is decided.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from connectors import marks_of
from hub.assembly import Hub
from hub.casefile import CaseFile
from hub.context import RequestContext
from hub.disclosure import file_of
from hub.duties import Duty, write
from hub.enquiries import Enquiry, enquiry_for_owner, user_of
from hub.errors import NotForYou, NotFound
from hub.members import Member
from hub.notices.desks import CHANGED
from hub.notices.tables import subscriptions
from hub.notices.telling import reader_to_be, record_told
from hub.permits import Decided, Permit, decide_all
from hub.suspension import is_suspended
from hub.tables import staff
from policies.vocabulary import DataCategory, Outcome, Role

_s = subscriptions.c


def watch(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> None:
    """From now on the user hears of changes in this enquiry. Effects: an event, the row with how things stand now."""
    _tell_trail(hub, ctx, enquiry, "changes-watched")
    family, _ = file_of(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry, None)
    marks = {code: _marks(hub, code, family.members) for code in _dropping(hub)}
    row = {"enquiry": enquiry.id, "user": ctx.actor.id, "since": ctx.now, "marks": marks}
    try:
        with hub.db.writing() as session:
            session.execute(insert(subscriptions).values(**row))
    except IntegrityError:  # They watch it already.
        return


def unwatch(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> None:
    """The user hears no more of it. Effects: an event, the row goes."""
    _tell_trail(hub, ctx, enquiry, "changes-not-watched")
    with hub.db.writing() as session:
        session.execute(delete(subscriptions).where(_s.enquiry == enquiry.id, _s.user == ctx.actor.id))


def is_watching(hub: Hub, ctx: RequestContext, enquiry: str) -> bool:
    """Whether the user watches an enquiry."""
    with hub.db.session() as session:
        return (
            session.execute(select(_s.user).where(_s.enquiry == enquiry, _s.user == ctx.actor.id)).first() is not None
        )


def bring_changes(hub: Hub, agencies: Iterable[str], *, now: datetime) -> int:
    """After these agencies were loaded: tells who watches of what changed; returns how many were told.

    Effects: an event and a task for each; subscriptions of enquiries that have ended go.
    """
    told = 0
    for user, role, enquiry, before in _running(hub, now):
        ctx = reader_to_be(user, enquiry.agency, role, enquiry.purpose, now=now)
        for code in agencies:
            told += _bring(hub, ctx, enquiry, code, before.get(code, {}))
    return told


def _bring(hub: Hub, ctx: RequestContext, enquiry: Enquiry, code: str, before: Mapping[str, str]) -> bool:
    try:
        family, case = file_of(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry, None)
    except (NotFound, NotForYou):
        return False
    marks = _marks(hub, code, family.members)
    changed = {place for place in {*marks, *before} if marks.get(place) != before.get(place)}
    if not changed:
        return False
    decided = decide_all(case, family.members, [hub.partners[code]], None)
    seen = [p for p in decided.permits if f"{p.person} {p.category}" in changed]
    told = bool(seen) and _tell(hub, ctx, enquiry, code, case, family.members, decided, seen, marks)
    with hub.db.writing() as session:
        mine = (_s.enquiry == enquiry.id, _s.user == ctx.actor.id)
        every = session.execute(select(_s.marks).where(*mine)).scalar_one_or_none() or {}
        session.execute(update(subscriptions).where(*mine).values(marks={**every, code: marks}))
    return told


def _tell(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    code: str,
    case: CaseFile,
    members: Sequence[Member],
    decided: Decided,
    seen: Sequence[Permit],
    marks: Mapping[str, str],
) -> bool:
    people = list(dict.fromkeys(p.person for p in seen))
    receipt = record_told(
        hub,
        ctx,
        case,
        [member.facts.id for member in members],
        decided,
        Outcome.PERMIT,
        action="change-brought",
        source=code,
        categories=sorted({DataCategory(p.category) for p in seen}),
        about={"type": "enquiry", "id": enquiry.id},
        enquiry=enquiry.id,
    )
    duty = Duty(
        kind=CHANGED,
        agency=enquiry.agency,
        user=ctx.actor.id,
        person=people[0],
        enquiry=enquiry.id,
        receipt=receipt,
        refers=enquiry.id,
        once=(CHANGED, enquiry.id, ctx.actor.id, code, *sorted(marks.values())),
    )
    return write(hub, [duty], now=ctx.now) > 0


def watchers(hub: Hub, enquiries: Iterable[str]) -> list[tuple[str, str, Role]]:
    """Who watches these enquiries: enquiry, user, and the role of their last sign-in."""
    with hub.db.session() as session:
        rows = session.execute(
            select(_s.enquiry, _s.user, staff.c.role)
            .join(staff, staff.c.user == _s.user)
            .where(_s.enquiry.in_(list(enquiries)))
        ).all()
    return [(row.enquiry, row.user, Role(row.role)) for row in rows]


def _running(hub: Hub, now: datetime) -> Iterator[tuple[str, Role, Enquiry, Mapping[str, Mapping[str, str]]]]:
    with hub.db.session() as session:
        rows = session.execute(
            select(_s.enquiry, _s.user, _s.marks, staff.c.role, staff.c.agency).join(staff, staff.c.user == _s.user)
        ).all()
    for row in rows:
        try:
            enquiry = enquiry_for_owner(hub, row.enquiry, now=now)
        except NotFound:
            with hub.db.writing() as session:
                session.execute(delete(subscriptions).where(_s.enquiry == row.enquiry))
            continue
        if enquiry.agency == row.agency and not is_suspended(hub, row.user):
            yield row.user, Role(row.role), enquiry, row.marks


def _dropping(hub: Hub) -> list[str]:
    return [code for code, partner in hub.partners.items() if partner.way == "extract"]


def _marks(hub: Hub, code: str, members: Iterable[Member]) -> dict[str, str]:
    """What an agency holds of each person, by category, as blind marks."""
    found = {}
    with hub.db.session() as session:
        for member in members:
            for category, mark in marks_of(session, hub.keys, code, member.record_ids(code)).items():
                found[f"{member.facts.id} {category}"] = mark
    return found


def _tell_trail(hub: Hub, ctx: RequestContext, enquiry: Enquiry, action: str) -> None:
    hub.trail.append(
        "alter",
        now=ctx.now,
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action=action,
        object={"type": "enquiry", "id": enquiry.id},
    )
