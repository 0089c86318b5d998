"""Alerts: the queue, one alert with everything that explains it, and what an officer does about it until it is closed.

For: information governance. Must never name the person who was looked at, never be handled by whom it is about, and
never change without an event. States: NEW, OPEN, WITH_MANAGER, ANSWERED, CLOSED.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import func, insert, or_, select, update

from audit import Receipt
from hub import suspension
from hub.assembly import Hub
from hub.casefile import LONDON, london
from hub.context import RequestContext
from hub.desk.raising import CLOSED, NEW
from hub.desk.scan import scan
from hub.desk.tables import desk_acts, desk_alerts
from hub.duties import Duty, write
from hub.enquiries import LEAST, says_enough, user_of
from hub.errors import FormRefused, NotForYou, NotFound
from hub.keys import HUB
from hub.one_person import accounts_of
from hub.oversight import require_audit_access
from hub.working_days import working_day_after
from policies.vocabulary import AccessMode, Purpose

OPEN, WITH_MANAGER, ANSWERED = "OPEN", "WITH_MANAGER", "ANSWERED"
STATES = (NEW, OPEN, WITH_MANAGER, ANSWERED, CLOSED)
#: What an alert is closed with.
OUTCOMES = ("EXPECTED", "LEARNING", "NOT_JUSTIFIED", "FALSE_ALARM")
#: What a manager can say to a referral, and the kind of their task.
REFERRED, SAID = "ALERT_REFERRED", ("EXPECTED", "NOT_EXPECTED")
#: Alerts of one page of the queue.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it is kept."""

    id: str
    signal: str
    reason: str | None
    user: str | None
    role: str | None
    agency: str
    at: datetime
    made_at: datetime
    purpose: str | None
    enquiry: str | None
    count: int
    reads: tuple[str, ...]
    relation: str | None
    timing: str | None
    on_shift: bool | None
    state: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did about an alert; `note` is opened only for whoever works on it."""

    kind: str
    by: str
    at: datetime
    outcome: str | None
    note: str | None
    receipt: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of alerts, the oldest that waits first, and how many there are in each state."""

    alerts: tuple[Alert, ...]
    counts: Mapping[str, int]
    receipt: Receipt
    behind: bool


def queue(hub: Hub, ctx: RequestContext, state: str | None = None) -> Queue:
    """Alerts that wait, or those of one state. Effects: the radar reads on a bounded piece; one `audit:read` event."""
    require_audit_access(hub, ctx, mode=AccessMode.VIEW, rationale="Alerts of the misuse radar that wait")
    scanned = scan(hub, now=ctx.now)
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action="alerts",
        outcome="LISTED",
    )
    a = desk_alerts.c
    own = accounts_of(hub, ctx.actor.id)
    mine = (a.receipt.is_not(None), or_(a.user.is_(None), a.user.not_in(sorted(own))))
    wanted = a.state == state if state in STATES else a.state != CLOSED
    order = (a.made_at.desc(), a.id) if state == CLOSED else (a.made_at, a.id)
    with hub.db.session() as session:
        counted = session.execute(select(a.state, func.count()).where(*mine).group_by(a.state)).all()
        rows = session.execute(select(desk_alerts).where(*mine, wanted).order_by(*order).limit(PAGE)).mappings().all()
    counts = {row[0]: row[1] for row in counted}
    return Queue(tuple(_alert(row) for row in rows), counts, receipt, scanned.more)


def waiting(hub: Hub) -> int:
    """How many alerts are not closed."""
    a = desk_alerts.c
    with hub.db.session() as session:
        query = select(func.count()).select_from(desk_alerts).where(a.state != CLOSED, a.receipt.is_not(None))
        return int(session.scalar(query) or 0)


def alert_of(hub: Hub, ctx: RequestContext, alert_id: str) -> Alert:
    """The alert, for whoever may look into it. Raises NotForYou, NotFound."""
    require_audit_access(hub, ctx, mode=AccessMode.VIEW, rationale="Looking into one alert of the misuse radar")
    with hub.db.session() as session:
        row = session.execute(select(desk_alerts).where(desk_alerts.c.id == alert_id)).mappings().first()
    if row is None or row["receipt"] is None or row["user"] in accounts_of(hub, ctx.actor.id):
        raise NotFound("There is no such alert.")
    return _alert(row)


def look_into(hub: Hub, ctx: RequestContext, alert_id: str) -> tuple[Alert, tuple[Act, ...], Receipt]:
    """One alert with what was done about it. Effects: an `audit:read` event; whoever comes first opens it."""
    alert = alert_of(hub, ctx, alert_id)
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action="alert",
        outcome="SHOWN",
        refers=[alert.receipt],
        object={"type": "alert", "id": alert.id},
    )
    if alert.state == NEW:
        _act(hub, ctx, alert, "OPENED", to=OPEN, since=NEW)
    return alert, acts_of(hub, alert), receipt


def acts_of(hub: Hub, alert: Alert) -> tuple[Act, ...]:
    """What was done about an alert, in order."""
    with hub.db.session() as session:
        query = select(desk_acts).where(desk_acts.c.alert == alert.id).order_by(desk_acts.c.id)
        rows = session.execute(query).mappings().all()
    return tuple(
        Act(
            row["kind"],
            row["by"],
            row["at"],
            row["outcome"],
            hub.keys.open(HUB, row["sealed_note"], "desk:" + alert.id).decode() if row["sealed_note"] else None,
            row["receipt"],
        )
        for row in rows
    )


def close(hub: Hub, ctx: RequestContext, alert: Alert, outcome: str, note: str) -> None:
    """Closes an alert for good, with what was found and why. Raises FormRefused, NotFound when it is closed."""
    errors = {} if outcome in OUTCOMES else {"outcome": "Choose what you found."}
    if not says_enough(note):
        errors["note"] = f"Say why you find so, and name nobody: {LEAST}."
    if errors:
        raise FormRefused(errors)
    _act(hub, ctx, alert, "CLOSED", to=CLOSED, outcome=outcome, note=note)


def refer(hub: Hub, ctx: RequestContext, alert: Alert, note: str) -> None:
    """Asks a manager of the worker's agency, who is not the worker. Raises FormRefused. Effects: an event, a task."""
    if alert.user is None:
        raise FormRefused({"note": "This alert is about no worker. Ring the agency."})
    if not says_enough(note):
        raise FormRefused({"note": f"Say what you want to know, and name nobody: {LEAST}."})
    receipt = _act(hub, ctx, alert, "REFERRED", to=WITH_MANAGER, note=note)
    due = datetime.combine(working_day_after(london(ctx.now).date(), 2), time(23, 59), LONDON)
    task = Duty(
        kind=REFERRED,
        agency=alert.agency,
        receipt=receipt.eid,
        due_at=due,
        barred=alert.user,
        refers=alert.id,
        once=(REFERRED, alert.id, receipt.eid),
    )
    write(hub, [task], now=ctx.now)


def shut_account(hub: Hub, ctx: RequestContext, alert: Alert, note: str) -> None:
    """Shuts the worker's account until a manager decides. Raises NotForYou for a worker of another agency."""
    if alert.user is None or alert.agency != ctx.actor.agency:
        raise NotForYou(
            "Only information governance of the worker's own agency shuts their account.",
            next_steps=("Refer the alert to the worker's manager.", "If it cannot wait, ring their agency."),
        )
    if not says_enough(note):
        raise FormRefused({"note": f"Say why it cannot wait, and name nobody: {LEAST}."})
    _act(hub, ctx, alert, "ACCOUNT_SHUT", to=None, note=note)
    suspension.shut(hub, ctx, alert.user, agency=alert.agency, alarm=alert.receipt)


def answer(hub: Hub, ctx: RequestContext, alert_id: str, outcome: str, note: str) -> None:
    """A manager's word on a referral, from their task."""
    with hub.db.session() as session:
        row = session.execute(select(desk_alerts).where(desk_alerts.c.id == alert_id)).mappings().one()
    alert = _alert(row)
    _act(hub, ctx, alert, "ANSWERED", to=ANSWERED if alert.state == WITH_MANAGER else None, outcome=outcome, note=note)


def referred(hub: Hub, alert_ids: frozenset[str]) -> dict[str, tuple[Alert, str]]:
    """Alerts that a manager is asked about, with what is asked."""
    a = desk_alerts.c
    with hub.db.session() as session:
        rows = session.execute(select(desk_alerts).where(a.id.in_(list(alert_ids)))).mappings().all()
    found = {}
    for row in rows:
        alert = _alert(row)
        asked = [act.note or "" for act in acts_of(hub, alert) if act.kind == "REFERRED"]
        found[alert.id] = (alert, asked[-1] if asked else "")
    return found


def _act(
    hub: Hub,
    ctx: RequestContext,
    alert: Alert,
    kind: str,
    *,
    to: str | None,
    since: str | None = None,
    outcome: str | None = None,
    note: str | None = None,
) -> Receipt:
    """The event, then the row and the new state. Raises NotFound for what is closed."""
    a = desk_alerts.c
    where = [a.id == alert.id, a.state == since if since else a.state != CLOSED]
    with hub.db.session() as session:
        if session.scalar(select(a.id).where(*where)) is None:
            raise NotFound("This alert is closed.")
    receipt = hub.trail.append(
        "alter",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action="alert-" + kind.lower().replace("_", "-"),
        outcome=outcome or kind,
        refers=[alert.receipt],
        object={"type": "alert", "id": alert.id},
    )
    sealed = hub.keys.seal(HUB, note.strip().encode(), "desk:" + alert.id) if note else None
    with hub.db.writing() as session:
        if to is not None:
            closing = {"outcome": outcome} if to == CLOSED else {}
            moved = session.execute(update(desk_alerts).where(*where).values(state=to, **closing))
            if moved.rowcount != 1:  # type: ignore[attr-defined]
                raise NotFound("Somebody else has just dealt with this alert.")
        row: dict[str, Any] = {"outcome": outcome, "sealed_note": sealed, "receipt": receipt.eid}
        session.execute(insert(desk_acts).values(alert=alert.id, kind=kind, by=ctx.actor.id, at=ctx.now, **row))
    return receipt


def _alert(row: Any) -> Alert:
    return Alert(
        **{name: row[name] for name in Alert.__dataclass_fields__ if name not in ("reads",)},
        reads=tuple(row["reads"]),
    )
