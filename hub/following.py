"""After linking: what is recorded about a person elsewhere follows, and what was held back becomes an alarm.

For: every place that links records, once the links stand. Must never carry a yes over to somebody who was taken out of
a person it was given about, and never tell who is held back. Ruled by docs/matching.md.
"""

from datetime import UTC, datetime

from sqlalchemy import select, update

import consent
from hub.assembly import Hub
from hub.keys import HUB
from hub.people import tables
from policies.vocabulary import Purpose

#: Who records what follows: nobody decided it anew.
BY = "matching"


def after_linking(hub: Hub, *, now: datetime) -> None:
    """Lets consent follow the persons that were joined or taken apart, and raises what alarms are waiting.

    Effects: rows of consent and one event per person with any; one alarm for each pair or record suppressed.
    """
    _consent_follows(hub, now)
    alert_suppressed(hub)


def _consent_follows(hub: Hub, now: datetime) -> None:
    table = tables.followed
    with hub.db.session() as session:
        waiting = session.execute(select(table).where(table.c.done_at.is_(None)).order_by(table.c.id)).all()
        told = {row.old_person: consent.is_on_record(session, row.old_person) for row in waiting}
    for row in waiting:
        old, new = row.old_person, row.new_person
        if told[old]:
            hub.trail.append(
                "match:split" if row.is_split else "match:confirmed",
                now=now,
                subjects=[old, new],
                client={"id": BY},
                purpose=Purpose.DATA_MATCHING,
                outcome="CONSENT_FOLLOWS",
            )
        with hub.db.writing() as session:
            if told[old] and row.is_split:
                consent.follow_split(session, old, new, by=BY, now=now)
            elif told[old]:
                consent.follow_join(session, old, new, reseal=lambda *what: _resealed(hub, *what), by=BY, now=now)
            session.execute(update(table).where(table.c.id == row.id).values(done_at=now))


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
