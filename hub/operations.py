"""How partners stand, for the operator: reached or not, since when, how fast, and what was last loaded.

For: seeing at 3 a.m. which partner is in trouble, and whom to ring. Must never hold anything about anybody: times,
counts and codes only. What this process saw is its own; several workers each have their own view.
"""

from dataclasses import dataclass
from datetime import datetime

from connectors import Health, LastLoad, Partner, last_loads, open_requests, unfinished_loads
from hub.assembly import Hub
from policies.vocabulary import Role

OPERATING = frozenset({Role.SYSTEM_ADMIN})


@dataclass(frozen=True, slots=True)
class Standing:
    """One partner. `load` and `unfinished`: of one that drops files; `waiting`, `late`: of one that answers by hand."""

    partner: Partner
    health: Health | None
    load: LastLoad | None
    unfinished: datetime | None
    waiting: int
    late: int


def standings(hub: Hub, *, now: datetime) -> tuple[Standing, ...]:
    """Every partner, in reading order."""
    health = hub.gatherer.health()
    with hub.db.session() as session:
        loads, unfinished = last_loads(session), unfinished_loads(session)
        asked = {p.code: open_requests(session, p.code) for p in hub.partners.values() if p.way == "inbox"}
    return tuple(
        Standing(
            partner,
            health.get(code),
            loads.get(code),
            unfinished.get(code),
            len(asked.get(code, ())),
            sum(one.due_at <= now for one in asked.get(code, ())),
        )
        for code, partner in hub.partners.items()
    )
