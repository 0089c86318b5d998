"""What the radar needs beside the looks: people and enquiries from the hub's own tables, as keyed marks."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from hub.assembly import Hub
from hub.casefile import LONDON
from hub.desk.looks import Looked
from hub.desk.marks import facts_of, person_mark, reason_mark
from hub.desk.tables import desk_looks
from hub.desk.users import facts_of_users, rota_of
from hub.enquiries import ENDS_AFTER_DAYS
from hub.keys import HUB
from hub.people import records_of_persons
from hub.radar import EnquiryFacts, Known, PersonFacts
from hub.tables import enquiries, enquiry_persons
from policies.vocabulary import Role


def known_about(
    hub: Hub,
    looked: Iterable[Looked],
    enquiry_ids: Iterable[str],
    users: Iterable[str],
    usual: Mapping[Role, float],
    *,
    now: datetime,
) -> Known:
    """What is known of these looks' persons, of these enquiries, and of all users."""
    looked, users = tuple(looked), frozenset(users)
    facts, staff = facts_of_users(hub)
    since = min((one.read.at for one in looked), default=now)
    return Known(
        users=facts,
        persons=_persons(hub, looked, staff, now),
        enquiries=enquiries_by_id(hub, enquiry_ids),
        rota=rota_of(hub, users, since),
        usual=usual,
    )


def _persons(
    hub: Hub, looked: tuple[Looked, ...], staff: Mapping[str, frozenset[str]], now: datetime
) -> dict[str, PersonFacts]:
    ids = {mark: person for one in looked for mark, person in one.persons.items()}
    today = now.astimezone(LONDON).date()
    with hub.db.session() as session:
        found = records_of_persons(session, hub.keys, sorted(set(ids.values())))
    facts = {}
    for mark, person in ids.items():
        told = facts_of(hub, found.get(person, ()), today)
        facts[mark] = PersonFacts(
            told.surnames, told.addresses, told.staff_of | staff.get(mark, frozenset()), told.vip, told.registered
        )
    return facts


def enquiries_by_id(hub: Hub, ids: Iterable[str]) -> dict[str, EnquiryFacts]:
    """What the radar needs of enquiries; one that ended by itself has its end."""
    wanted = sorted(set(ids))
    rows: list[Any] = []
    persons: dict[str, set[str]] = {}
    workers: dict[str, set[str]] = {}
    with hub.db.session() as session:
        for at in range(0, len(wanted), 500):
            some = wanted[at : at + 500]
            rows += session.execute(select(enquiries).where(enquiries.c.id.in_(some))).mappings().all()
            p, d = enquiry_persons.c, desk_looks.c
            for enquiry, person in session.execute(select(p.enquiry, p.person).where(p.enquiry.in_(some))).all():
                persons.setdefault(enquiry, set()).add(person_mark(hub, person))
            acted = select(d.enquiry, d.user).where(d.enquiry.in_(some)).distinct()
            for enquiry, user in session.execute(acted).all():
                workers.setdefault(enquiry, set()).add(user)
    return {
        row["id"]: EnquiryFacts(
            agency=row["agency"],
            opened_by=row["opened_by"],
            opened_at=row["opened_at"],
            closed_at=row["closed_at"] or row["opened_at"] + timedelta(days=ENDS_AFTER_DAYS),
            persons=frozenset(persons.get(row["id"], ())),
            reason=reason_mark(hub, hub.keys.open(HUB, row["sealed_rationale"], "rationale:" + row["id"]).decode()),
            workers=frozenset(workers.get(row["id"], ())),
        )
        for row in rows
    }
