"""Who users are as private persons, as their employer and the records say at sign-in; and when they are on shift.

For: the radar's ties and explanations. Keyed marks only. A rota is a file of the employer's: who does not send one is
judged by office hours.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from hub.acting import ERASED
from hub.assembly import Hub
from hub.casefile import LONDON
from hub.context import Actor
from hub.desk.marks import facts_of, person_mark, surname_mark
from hub.desk.tables import desk_acts, desk_alerts, desk_looks, desk_rota, desk_users
from hub.errors import FormRefused
from hub.people import records_of_persons
from hub.radar import UserFacts
from hub.radar.facts import Rota

#: What people add at both ends of a shift.
SPARE = timedelta(hours=1)


def remember(hub: Hub, actor: Actor, *, now: datetime, partly: bool = False) -> None:
    """Keeps what sign-in told of a user's ties. Effects: one row, written over at each sign-in.

    Takes `partly`: who told it may leave things out, and what is not told stays as it was known.
    """
    with hub.db.session() as session:
        found = records_of_persons(session, hub.keys, actor.own_persons)
    mine = facts_of(hub, [record for records in found.values() for record in records], now.astimezone(LONDON).date())
    surname = actor.name.split()[-1:] if actor.name.strip() else []
    facts = UserFacts(
        own=frozenset(person_mark(hub, p) for p in actor.own_persons),
        family=frozenset(person_mark(hub, p) for p in actor.own_family),
        caseload=frozenset(person_mark(hub, p) for p in actor.case_persons),
        surnames=mine.surnames | {surname_mark(hub, name) for name in surname},
        addresses=mine.addresses,
    )
    told = {name: sorted(marks) for name, marks in asdict(facts).items()}
    if partly:
        with hub.db.session() as session:
            kept = session.scalar(select(desk_users.c.facts).where(desk_users.c.user == actor.id)) or {}
        told = {name: marks or kept.get(name, []) for name, marks in told.items()}
        told["surnames"] = sorted({*told["surnames"], *kept.get("surnames", [])})
    values = {
        "agency": actor.agency,
        "facts": told,
        "seen_at": now,
    }
    with hub.db.writing() as session:
        known = update(desk_users).where(desk_users.c.user == actor.id).values(**values)
        if session.execute(known).rowcount == 0:  # type: ignore[attr-defined]
            session.execute(insert(desk_users).values(user=actor.id, **values))


def forget(hub: Hub, user: str) -> None:
    """Somebody left and is erased: what the desk knows of them goes; their alerts stay without them."""
    with hub.db.writing() as session:
        for table in (desk_users, desk_rota, desk_looks):
            session.execute(delete(table).where(table.c.user == user))
        session.execute(update(desk_alerts).where(desk_alerts.c.user == user).values(user=ERASED))
        session.execute(update(desk_acts).where(desk_acts.c.by == user).values(by=ERASED))


def facts_of_users(hub: Hub) -> tuple[Mapping[str, UserFacts], Mapping[str, frozenset[str]]]:
    """What is known of every user, and for each person who is a user: the agencies that they work for."""
    users: dict[str, UserFacts] = {}
    staff: dict[str, frozenset[str]] = {}
    with hub.db.session() as session:
        for user, agency, facts in session.execute(
            select(desk_users.c.user, desk_users.c.agency, desk_users.c.facts)
        ).all():
            users[user] = UserFacts(**{name: frozenset(marks) for name, marks in facts.items()})
            for person in users[user].own:
                staff[person] = staff.get(person, frozenset()) | {agency}
    return users, staff


def rota_of(hub: Hub, users: Iterable[str], since: datetime) -> Rota:
    """Who works when, as far as their employers said."""
    r = desk_rota.c
    shifts: dict[str, list[tuple[datetime, datetime]]] = {}
    with hub.db.session() as session:
        told = select(r.user, r.starts, r.ends).where(r.user.in_(list(users)), r.ends >= since - SPARE)
        for user, starts, ends in session.execute(told).all():
            shifts.setdefault(user, []).append((starts - SPARE, ends + SPARE))

    def rota(user: str, at: datetime) -> bool | None:
        mine = shifts.get(user)
        if mine is None or not min(s for s, _ in mine) <= at <= max(e for _, e in mine):
            return None  # Outside of what was told, nothing is known.
        return any(starts <= at <= ends for starts, ends in mine)

    return rota


def load_rota(hub: Hub, lines: Iterable[str], *, issuer: str) -> tuple[int, list[str]]:
    """Takes in an employer's rota: CSV with the columns subject, starts, ends (ISO 8601; without zone, London).

    Takes: `issuer`, the address of the identity provider whose subjects these are. Returns how many shifts were new,
    and a sentence for each line that was left out. Raises FormRefused when a column is missing.
    """
    reader = csv.DictReader(lines)
    if not {"subject", "starts", "ends"} <= set(reader.fieldnames or ()):
        raise FormRefused({"file": "The rota needs the columns subject, starts and ends."})
    shifts: dict[tuple[str, datetime], datetime] = {}
    faults = []
    for number, row in enumerate(reader, 2):
        try:
            starts, ends = (_moment(row[name]) for name in ("starts", "ends"))
        except (TypeError, ValueError):
            faults.append(f"Line {number}: starts and ends must be moments like 2026-11-25T09:00.")
            continue
        if not row["subject"] or not timedelta(0) < ends - starts <= timedelta(hours=24):
            faults.append(f"Line {number}: a shift has a subject, and ends within 24 hours of its start.")
            continue
        user = "US-" + hub.keys.blind("user", f"{issuer}\x1f{row['subject']}").hex()[:16]
        shifts[(user, starts)] = ends
    r = desk_rota.c
    with hub.db.writing() as session:
        known = {(row.user, row.starts) for row in session.execute(select(r.user, r.starts))}
        for user, starts in shifts.keys() & known:
            session.execute(delete(desk_rota).where(r.user == user, r.starts == starts))
        rows = [{"user": user, "starts": starts, "ends": ends} for (user, starts), ends in shifts.items()]
        if rows:
            session.execute(insert(desk_rota), rows)
    return len(shifts.keys() - known), faults


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo else moment.replace(tzinfo=LONDON)
