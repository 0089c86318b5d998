"""What an officer needs beside an alert, filled in: the referral, the rota, the caseload, and what was before.

For: the page of one alert. Must never hold who was looked at: the enquiry is named by its reference, its people by
their number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from hub.assembly import Hub
from hub.desk.alerts import Alert
from hub.desk.tables import desk_acts, desk_alerts, desk_looks
from hub.oversight import staff_names
from hub.tables import disclosure_register, enquiries, enquiry_persons


@dataclass(frozen=True, slots=True)
class Referral:
    """The enquiry of the look: what the referral says, who works in it."""

    reference: str
    agency: str
    purpose: str
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None
    threshold: str | None
    threshold_by_role: str | None
    people: int
    workers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier alert about the same worker."""

    id: str
    signal: str
    made_at: datetime
    state: str
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Context:
    """All that explains an alert."""

    user_name: str | None
    referral: Referral | None
    earlier: tuple[Earlier, ...]
    looks: tuple[Mapping[str, Any], ...]
    names: Mapping[str, str]


def context_of_alert(hub: Hub, alert: Alert) -> Context:
    """The explanation of an alert. The caller has recorded the look at it."""
    names = staff_names(hub)
    with hub.db.session() as session:
        referral = _referral(session, alert, names)
        r = disclosure_register.c
        query = select(r.eid, r.t, r.kind, r.purpose, r.outcome).where(r.eid.in_(alert.reads)).order_by(r.t)
        looks = tuple(
            {**row, "at": datetime.fromtimestamp(row["t"] / 1000, UTC)} for row in session.execute(query).mappings()
        )
        earlier = _earlier(session, alert)
    who = names.get(alert.user, alert.user) if alert.user else None
    return Context(who, referral, earlier, looks, names)


def _referral(session: Any, alert: Alert, names: Mapping[str, str]) -> Referral | None:
    if alert.enquiry is None:
        return None
    row = session.execute(select(enquiries).where(enquiries.c.id == alert.enquiry)).mappings().first()
    if row is None:
        return None
    p, d = enquiry_persons.c, desk_looks.c
    people = session.scalar(select(func.count()).select_from(enquiry_persons).where(p.enquiry == alert.enquiry))
    acted = session.scalars(select(d.user).where(d.enquiry == alert.enquiry).distinct()).all()
    return Referral(
        reference=row["reference"],
        agency=row["agency"],
        purpose=row["purpose"],
        opened_by=names.get(row["opened_by"], row["opened_by"]),
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        threshold=row["threshold"],
        threshold_by_role=row["threshold_by_role"],
        people=int(people or 0),
        workers=tuple(sorted(names.get(user, user) for user in acted if user != alert.user)),
    )


def _earlier(session: Any, alert: Alert) -> tuple[Earlier, ...]:
    if alert.user is None:
        return ()
    a, c = desk_alerts.c, desk_acts.c
    outcome = select(c.outcome).where(c.alert == a.id, c.kind == "CLOSED").limit(1).scalar_subquery()
    query = (
        select(a.id, a.signal, a.made_at, a.state, outcome.label("outcome"))
        .where(a.user == alert.user, a.id != alert.id, a.receipt.is_not(None))
        .order_by(a.made_at.desc())
        .limit(10)
    )
    return tuple(Earlier(**row) for row in session.execute(query).mappings())
