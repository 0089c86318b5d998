"""When agencies looked, by hour of the day, over the last four weeks; and the looks behind each number.

For: information governance. Counts of looks, never of people; London time. Every look at it is an event.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, select

from audit import Receipt
from hub.assembly import Hub
from hub.casefile import LONDON
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.oversight import catch_up, require_audit_access
from hub.tables import disclosure_register
from policies.vocabulary import AccessMode, Purpose

#: What counts as a look at somebody.
LOOKS = ("disclosure:made", "disclosure:refused", "check", "search")
DAYS = 28
#: Looks of one cell that are listed, the newest.
MOST = 100


@dataclass(frozen=True, slots=True)
class Heat:
    """Counts by agency and hour, from the first to the last day."""

    counts: Mapping[str, Mapping[int, int]]
    first: date
    last: date
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Look:
    """One look behind a number."""

    eid: str
    at: datetime
    kind: str
    purpose: str | None
    outcome: str | None


def heat_of(hub: Hub, ctx: RequestContext) -> Heat:
    """The map. Effects: the register catches up with the trail; one `audit:read` event."""
    receipt = _read(hub, ctx, "heat-map")
    counts: dict[str, Counter[int]] = {}
    for agency, t in _looks(hub, ctx):
        counts.setdefault(agency, Counter())[_local(t).hour] += 1
    last = ctx.now.astimezone(LONDON).date()
    return Heat(counts, last - timedelta(days=DAYS - 1), last, receipt)


def looks_of(hub: Hub, ctx: RequestContext, agency: str, hour: int | None) -> tuple[tuple[Look, ...], int, Receipt]:
    """The newest looks behind one number, and how many there are. Effects: one `audit:read` event."""
    receipt = _read(hub, ctx, "heat-map-cell")
    r = disclosure_register.c
    with hub.db.session() as session:
        query = select(r.eid, r.t, r.kind, r.purpose, r.outcome).where(*_in_time(ctx), r.agency == agency)
        all_hours = session.execute(query.order_by(r.index.desc())).all()
    rows = [(eid, at, *rest) for eid, t, *rest in all_hours if (at := _local(t)).hour == hour]
    found = tuple(Look(eid, at, kind, purpose, outcome) for eid, at, kind, purpose, outcome in rows[:MOST])
    return found, len(rows), receipt


def _read(hub: Hub, ctx: RequestContext, action: str) -> Receipt:
    require_audit_access(hub, ctx, mode=AccessMode.VIEW, rationale="When agencies look, by hour of the day")
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action=action,
        outcome="LISTED",
    )
    catch_up(hub)
    return receipt


def _looks(hub: Hub, ctx: RequestContext) -> list[tuple[str, int]]:
    r = disclosure_register.c
    with hub.db.session() as session:
        query = select(r.agency, r.t).where(*_in_time(ctx), r.agency.is_not(None))
        return [(agency, t) for agency, t in session.execute(query).all()]


def _in_time(ctx: RequestContext) -> tuple[ColumnElement[bool], ...]:
    r = disclosure_register.c
    first = ctx.now.astimezone(LONDON).date() - timedelta(days=DAYS - 1)
    return (r.kind.in_(LOOKS), r.t >= int(datetime.combine(first, time(), LONDON).timestamp() * 1000))


def _local(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(LONDON)
