"""What agencies answered by hand goes 28 days after its enquiry ended, and what notices said when they are old; the
clearing itself stays on record.

For: pieces and files of an inbox, and notices, which only the hub holds (rule P41; the partnership's retention). Must
never clear under a legal hold, and never clear what stands in the trail.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select

from connectors import clear_pieces, enquiries_with_pieces
from hub.assembly import Hub
from hub.enquiries import ENDS_AFTER_DAYS
from hub.notices import stored
from hub.notices.named import concerned
from hub.tables import enquiries, enquiry_persons

CLEARED_AFTER = timedelta(days=28)


def clear_closed(hub: Hub, now: datetime) -> int:
    """Clears every enquiry that ended long enough ago; returns how many. Effects: one `erase` event for each, first."""
    with hub.db.session() as session:
        waiting = enquiries_with_pieces(session)
        e, p = enquiries.c, enquiry_persons.c
        rows = session.execute(select(e.id, e.opened_at, e.closed_at).where(e.id.in_(waiting))).all()
        persons: dict[str, list[str]] = {}
        for enquiry, person in session.execute(select(p.enquiry, p.person).where(p.enquiry.in_(waiting))):
            persons.setdefault(enquiry, []).append(person)
    over = [
        row.id
        for row in rows
        if (row.closed_at or row.opened_at + timedelta(days=ENDS_AFTER_DAYS)) + CLEARED_AFTER <= now
        and not _is_held(hub, persons.get(row.id, ()))
    ]
    for enquiry in over:
        hub.trail.append(
            "erase",
            now=now,
            client={"id": "hub-clearing"},
            enquiry=enquiry,
            action="RESEARCH-CLEARED",
            outcome="CLEARED",
            reason="CLOSED-28-DAYS",
            object={"type": "enquiry", "id": enquiry},
        )
        with hub.db.writing() as session:
            clear_pieces(session, enquiry)
    return len(over)


def clear_notices(hub: Hub, now: datetime) -> int:
    """Clears what notices said that are older than they are kept; returns how many. Effects: `erase` events, first."""
    cleared = 0
    for notice in stored.old(hub, now):
        if _is_held(hub, [one.member.facts.id for one in concerned(hub, notice)]):
            continue
        hub.trail.append(
            "erase",
            now=now,
            client={"id": "hub-clearing"},
            custodian=notice.agency,
            action="NOTICE-CLEARED",
            outcome="CLEARED",
            reason="OLD",
            object={"type": "notice", "id": notice.id},
        )
        stored.forget(hub, notice.id)
        cleared += 1
    return cleared


def _is_held(hub: Hub, persons: Iterable[str]) -> bool:
    """Whether a legal hold covers any of these persons; one that names nobody may cover them, so it does."""
    marks = {hub.subject_keys.mark(person) for person in persons}
    return any(hold.subject is None or hold.subject in marks for hold in hub.subject_keys.store.holds())
