"""What was last loaded of each partner's drops, and what is under way.

For: operators. Holds counts and times only; nothing about anybody.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.sealed import with_zone
from connectors.tables import extract_current, extract_unfinished


@dataclass(frozen=True, slots=True)
class LastLoad:
    """The visible load of one agency: the day its files are of, when it was taken in, and how much it holds."""

    as_of: datetime
    loaded_at: datetime
    people: int
    items: int


def last_loads(session: Session) -> dict[str, LastLoad]:
    """Returns the visible load of every agency that has one."""
    return {
        row.agency: LastLoad(with_zone(row.as_of), with_zone(row.loaded_at), row.people, row.items)
        for row in session.execute(select(extract_current))
    }


def unfinished_loads(session: Session) -> dict[str, datetime]:
    """Returns since when a load of an agency has been under way, or broken off, without coming to its end."""
    rows = session.execute(select(extract_unfinished.c.agency, extract_unfinished.c.started_at))
    return {agency: with_zone(started_at) for agency, started_at in rows}
