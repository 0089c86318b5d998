"""After linking: what is recorded about a person elsewhere follows, and what was held back becomes an alarm.

For: every place that links records, once the links stand, and whoever reads consent: a process may die between the
two. Must never carry a yes over to somebody who was taken out of a person it was given about, never let a refusal be
overlooked because it has not followed yet, and never tell who is held back. Ruled by docs/matching.md.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, or_, select, update
from sqlalchemy.orm import Session

import consent
from hub.assembly import Hub
from hub.errors import Unavailable
from hub.keys import HUB
from hub.people import tables
from policies.vocabulary import Purpose

#: Who records what follows: nobody decided it anew.
BY = "matching"
#: No request and no load takes as long: who was joined away before that is in nobody's hands any more.
A_DAY = timedelta(days=1)


def after_linking(hub: Hub, *, now: datetime) -> None:
    """Lets consent follow the persons that were joined or taken apart, and raises what alarms are waiting.

    Effects: rows of consent and one event per person with any; one alarm for each pair or record suppressed.
    """
    with hub.db.session() as session:
        waiting = _waiting(session)
    _consent_follows(hub, waiting, now)
    alert_suppressed(hub)


def facts_about(hub: Hub, persons: Iterable[str], *, enquiry: str | None, now: datetime) -> consent.ConsentFacts:
    """What is on record about the consent of these persons, with all that is still to follow from who they were.

    Raises Unavailable when they are being joined at this moment: a refusal could be with neither of the two then.
    Effects: what waits to follow these persons does, as after linking.
    """
    wanted = list(persons)
    with suppress(consent.ConsentError):  # Somebody renews an answer at this moment: it has not followed, see below.
        follow_to(hub, wanted, now=now)
    f = tables.followed.c
    lately = or_(f.done_at.is_(None), f.done_at >= now - A_DAY)
    joined_away = select(f.id).where(f.old_person.in_(wanted), f.is_split.is_(False), lately).limit(1)
    with hub.db.session() as session:
        facts = consent.facts_for(session, wanted, enquiry=enquiry, now=now)
        # Asked last: what was joined after the persons were read is seen here.
        if session.scalar(joined_away) is not None or _leading_to(wanted, _waiting(session)):
            raise Unavailable(
                "Records of a person here are being put together at this moment, so nothing can be shown.",
                next_steps=("Try again in a minute.", "Until then, ring the agencies."),
            )
    return facts


def follow_to(hub: Hub, persons: Iterable[str], *, now: datetime) -> None:
    """What waits to follow these persons does. Raises TrailUnavailable, ConsentError. Effects: as `after_linking`."""
    with hub.db.session() as session:
        waiting = _leading_to(persons, _waiting(session))
    _consent_follows(hub, waiting, now)


def _waiting(session: Session) -> Sequence[Row[Any]]:
    table = tables.followed
    return session.execute(select(table).where(table.c.done_at.is_(None)).order_by(table.c.id)).all()


def _leading_to(persons: Iterable[str], waiting: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Those that lead to these persons, also by way of others: joins follow one another."""
    reached, found = set(persons), []
    for row in reversed(waiting):
        if row.new_person in reached:
            reached.add(row.old_person)
            found.append(row)
    return found[::-1]


def _consent_follows(hub: Hub, waiting: Sequence[Row[Any]], now: datetime) -> None:
    table = tables.followed
    for row in waiting:
        old, new = row.old_person, row.new_person
        with hub.db.session() as session:
            told = consent.is_on_record(session, old)
        if told:
            hub.trail.append(
                "match:split" if row.is_split else "match:confirmed",
                now=now,
                subjects=[old, new],
                client={"id": BY},
                purpose=Purpose.DATA_MATCHING,
                outcome="CONSENT_FOLLOWS",
            )
        with hub.db.writing() as session:
            # Taken first: a page that reads at this moment may be doing the same.
            taken = session.execute(
                update(table).where(table.c.id == row.id, table.c.done_at.is_(None)).values(done_at=now)
            )
            if not told or taken.rowcount != 1:  # type: ignore[attr-defined]
                continue
            if row.is_split:
                consent.follow_split(session, old, new, by=BY, now=now)
            else:
                consent.follow_join(session, old, new, reseal=lambda *what: _resealed(hub, *what), by=BY, now=now)


def _resealed(hub: Hub, sealed: bytes, old: str, new: str) -> bytes:
    return hub.keys.seal(HUB, hub.keys.open(HUB, sealed, "assessment:" + old), "assessment:" + new)


def alert_suppressed(hub: Hub) -> int:
    """Tells information governance, once, of each pair with an adopted person that was never proposed (rule P27), and
    of each record that is held back because it might be somebody protected (rule P28).

    Returns how many alarms were raised. An alarm names the two agencies and nobody: an event about both records would
    be the link that must not exist. Its id comes from the pair, so that a retry after a crash is the same alarm.
    """
    table = tables.suppressed
    with hub.db.session() as session:
        waiting = session.execute(select(table).where(table.c.alerted_at.is_(None))).all()
    for row in waiting:
        found_at = row.found_at if row.found_at.tzinfo else row.found_at.replace(tzinfo=UTC)
        hub.trail.append(
            "alarm",
            now=found_at,
            eid=row.pair.hex(),
            client={"id": "matching"},
            reason=row.reason,
            purpose=Purpose.DATA_MATCHING,
            source=sorted({row.first_agency, row.second_agency}),
        )
        with hub.db.writing() as session:
            session.execute(update(table).where(table.c.pair == row.pair).values(alerted_at=found_at))
    return len(waiting)
