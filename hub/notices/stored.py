"""Keeping notices: once each, sealed under the key of the agency that gave them.

For: hub/notices/intake.py and opening.py. Must never hold anything about anybody in the clear.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from connectors import LifeEvent, read_life_event
from hub.assembly import Hub
from hub.db import Database
from hub.errors import NotFound
from hub.notices.tables import notices

#: What a notice says is kept as long as an enquiry may run, and four weeks more (as hub/clearing.py).
KEPT = timedelta(days=63 + 28)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice: whose it is, when it came, what it says."""

    id: str
    agency: str
    received_at: datetime
    receipt: str
    event: LifeEvent


def id_of(hub: Hub, agency: str, text: bytes) -> str:
    """The same for the same words of the same agency; without the key it tells nothing about them."""
    return hub.keys.blind("notice", agency + "\x1f" + text.decode()).hex()


def keep(hub: Hub, notice: Notice, text: bytes) -> bool:
    """Stores a notice before anybody is told; False when it is there already."""
    row = {
        "id": notice.id,
        "agency": notice.agency,
        "category": str(notice.event.category),
        "types": list(notice.event.types),
        "received_at": notice.received_at,
        "receipt": notice.receipt,
        "sealed": hub.keys.seal(notice.agency, text, "notice:" + notice.id),
        "outcome": [],
        "is_settled": False,
    }
    try:
        with hub.db.writing() as session:
            session.execute(insert(notices).values(**row))
    except IntegrityError:
        return False
    return True


def row_of(hub: Hub, notice_id: str) -> Mapping[str, Any] | None:
    """The row of a notice, or None."""
    with hub.db.session() as session:
        row = session.execute(select(notices).where(notices.c.id == notice_id)).mappings().first()
    return dict(row) if row else None


def settle(hub: Hub, notice_id: str, outcome: list[dict[str, Any]]) -> None:
    """Notes what came of a notice, once everybody whom it concerns has been told."""
    with hub.db.writing() as session:
        session.execute(update(notices).where(notices.c.id == notice_id).values(outcome=outcome, is_settled=True))


def note(hub: Hub, notice_id: str, outcome: list[dict[str, Any]]) -> None:
    """Notes how a notice stands that could not be brought to anybody yet."""
    with hub.db.writing() as session:
        session.execute(update(notices).where(notices.c.id == notice_id).values(outcome=outcome))


def unsettled(db: Database, before: datetime) -> tuple[str, ...]:
    """Notices that were taken before this moment and of which nobody has been told: a process died in between."""
    with db.session() as session:
        waiting = (notices.c.is_settled.is_(False), notices.c.sealed.is_not(None), notices.c.received_at < before)
        return tuple(session.scalars(select(notices.c.id).where(*waiting)))


def read(hub: Hub, notice_id: str) -> Notice:
    """A notice as it came. Raises NotFound when there is none, or what it said was cleared."""
    row = row_of(hub, notice_id)
    if row is None or row["sealed"] is None or row["agency"] not in hub.partners:
        raise NotFound("There is no such notice.")
    text = hub.keys.open(row["agency"], row["sealed"], "notice:" + notice_id)
    event = read_life_event(json.loads(text), agency=row["agency"], sender=hub.partners[row["agency"]].type)
    return Notice(notice_id, row["agency"], row["received_at"], row["receipt"], event)


def old(hub: Hub, now: datetime) -> tuple[Notice, ...]:
    """Notices that are older than what they say is kept."""
    past = (notices.c.received_at < now - KEPT, notices.c.sealed.is_not(None))
    with hub.db.session() as session:
        found = list(session.scalars(select(notices.c.id).where(*past)))
    return tuple(read(hub, one) for one in found)


def forget(hub: Hub, notice_id: str) -> None:
    """Forgets what a notice said; that it came stays in the trail."""
    with hub.db.writing() as session:
        session.execute(update(notices).where(notices.c.id == notice_id).values(sealed=None))
