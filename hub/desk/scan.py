"""Reads the trail on from where it stopped, and turns what the radar finds into alerts.

For: a timer (`python -m hub radar`) and every page of the desk, each a bounded piece. Two at once do no harm: who
comes second does nothing. Must never read an entry twice or leave one out, and never list an alert without its event.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from audit import Entry
from hub.assembly import Hub
from hub.casefile import LONDON
from hub.desk.known import known_about
from hub.desk.looks import Looked, look_of
from hub.desk.raising import Raised, alarm_in, announce, count_answers, keep, quiet_agencies
from hub.desk.tables import desk_looks, desk_mark
from hub.radar import WINDOW_DAYS, Known, Radar, Read, ReadKind, usual_per_day
from policies.vocabulary import Role

#: Entries that a page reads before it is shown, and a timer in one piece.
AT_A_PAGE, AT_A_TIME = 1_000, 5_000
#: From so many days what is usual for a role is counted.
USUAL_DAYS = 60
#: How often somebody else may be faster before a timer leaves the rest to them.
PATIENCE = 5


@dataclass(frozen=True, slots=True)
class Scanned:
    """One piece: how many entries were read, how many alerts are new, whether there may be more to read."""

    entries: int
    alerts: int
    more: bool


def scan(hub: Hub, *, now: datetime, most: int = AT_A_PAGE) -> Scanned:
    """Reads at most so many entries on. Effects: looks, alerts, one `alarm` event for each new alert."""
    begun, usual, usual_on = _mark(hub)
    entries = list(islice(hub.trail.events(begun), most))
    if entries:
        today = now.astimezone(LONDON).date()
        if usual_on != today.isoformat():
            usual = _usual(hub, today)
        raised, looked = _judge(hub, entries, usual, now)
        upto = entries[-1].index + 1
        if not _store(hub, (begun, upto), raised, looked, usual, now):
            return Scanned(0, 0, more=True)  # Another process has read them meanwhile.
    return Scanned(len(entries), announce(hub), more=len(entries) >= most)


def _mark(hub: Hub) -> tuple[int, dict[Role, float], str]:
    with hub.db.session() as session:
        row = session.execute(select(desk_mark)).mappings().first()
    if row is None:
        return 0, {}, ""
    return row["next"], {Role(role): count for role, count in row["usual"].items()}, row["usual_on"]


def _judge(
    hub: Hub, entries: list[Entry], usual: Mapping[Role, float], now: datetime
) -> tuple[list[Raised], list[Looked]]:
    looked = [look for look in (look_of(hub, entry) for entry in entries) if look is not None]
    users = {one.read.user for one in looked}
    since = min((one.read.at for one in looked), default=now) - timedelta(days=WINDOW_DAYS)
    past = _past(hub, users, since)
    ids = {read.enquiry for read in [*past, *(one.read for one in looked)] if read.enquiry}
    known = known_about(hub, looked, ids, users, usual, now=now)
    radar = Radar(_with_workers(known, looked))
    for read in past:
        radar.feed(read)
    raised = [one for look in looked for one in _raised(radar, known, look.read)]
    raised += [one for one in (alarm_in(hub, entry) for entry in entries) if one is not None]
    return raised, looked


def _with_workers(known: Known, looked: Iterable[Looked]) -> Known:
    """The same with those who acted in an enquiry just now, whose looks are not stored yet."""
    facts = dict(known.enquiries)
    for one in looked:
        enquiry = one.read.enquiry
        if enquiry in facts:
            facts[enquiry] = replace(facts[enquiry], workers=facts[enquiry].workers | {one.read.user})
    return replace(known, enquiries=facts)


def _raised(radar: Radar, known: Known, read: Read) -> Iterable[Raised]:
    explanation, found = radar.feed(read)
    on_shift = known.rota(read.user, read.at)
    return [Raised(finding, read.role, read.purpose, explanation, on_shift) for finding in found]


def _past(hub: Hub, users: Iterable[str], since: datetime) -> list[Read]:
    d = desk_looks.c
    with hub.db.session() as session:
        query = select(desk_looks).where(d.user.in_(sorted(users)), d.at >= since).order_by(d.index)
        rows = session.execute(query).mappings().all()
    return [
        Read(
            eid=row["eid"],
            at=row["at"],
            user=row["user"],
            agency=row["agency"],
            role=Role(row["role"]),
            kind=ReadKind(row["kind"]),
            purpose=row["purpose"],
            enquiry=row["enquiry"],
            persons=frozenset(row["persons"]),
            shows=row["shows"],
        )
        for row in rows
    ]


def _usual(hub: Hub, today: date) -> dict[Role, float]:
    """What is usual for each role, counted once a day."""
    d = desk_looks.c
    since = datetime.combine(today - timedelta(days=USUAL_DAYS), datetime.min.time(), LONDON)
    done: dict[tuple[date, str, Role], set[str]] = {}
    with hub.db.session() as session:
        query = select(d.at, d.user, d.role, d.enquiry, d.persons, d.eid).where(d.at >= since)
        for at, user, role, enquiry, persons, eid in session.execute(query).all():
            place = (at.astimezone(LONDON).date(), user, Role(role))
            done.setdefault(place, set()).add(enquiry or min(persons, default=eid))
    return dict(usual_per_day((role, len(occasions)) for (_, _, role), occasions in done.items()))


def _store(
    hub: Hub,
    part: tuple[int, int],
    raised: list[Raised],
    looked: list[Looked],
    usual: Mapping[Role, float],
    now: datetime,
) -> bool:
    """All of a piece or nothing of it. Returns False when another process has stored it."""
    begun, upto = part
    counted_on = now.astimezone(LONDON).date().isoformat()
    marked = {"next": upto, "usual": {str(r): n for r, n in usual.items()}, "usual_on": counted_on}
    try:
        with hub.db.writing() as session:
            if begun == 0 and session.scalar(select(desk_mark.c.id)) is None:
                session.execute(insert(desk_mark).values(id=1, next=0, usual={}, usual_on=""))
            moved = session.execute(update(desk_mark).where(desk_mark.c.next == begun).values(**marked))
            if moved.rowcount != 1:  # type: ignore[attr-defined]
                return False
            if looked:
                session.execute(insert(desk_looks), [_row(one) for one in looked])
            session.execute(delete(desk_looks).where(desk_looks.c.at < now - timedelta(days=WINDOW_DAYS + 2)))
            months = count_answers(session, looked)
            raised = [*raised, *(one for month in months for one in quiet_agencies(session, month, now))]
            keep(session, raised, now)
    except IntegrityError:
        return False
    return True


def _row(one: Looked) -> dict[str, Any]:
    read = one.read
    return {
        "index": one.index,
        "eid": read.eid,
        "at": read.at,
        "user": read.user,
        "agency": read.agency,
        "role": str(read.role),
        "kind": str(read.kind),
        "purpose": read.purpose,
        "enquiry": read.enquiry,
        "persons": sorted(read.persons),
        "shows": read.shows,
    }


def catch_up(hub: Hub, *, now: datetime) -> Scanned:
    """Reads on to the newest entry, piece by piece, for a timer."""
    entries = alerts = beaten = 0
    while beaten < PATIENCE:
        piece = scan(hub, now=now, most=AT_A_TIME)
        entries, alerts = entries + piece.entries, alerts + piece.alerts
        beaten = beaten + 1 if not piece.entries else 0
        if not piece.more:
            return Scanned(entries, alerts, more=False)
    return Scanned(entries, alerts, more=True)
