"""Duties: what somebody must do, kept until somebody has done it.

For: everything that brings work for a person with it. Must never write the same duty twice: whoever makes one says what
makes it the same.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.db import Database
from hub.tables import duties


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
