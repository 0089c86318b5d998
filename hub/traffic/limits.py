"""How often somebody may ask within a minute, counted in the database so that all workers count together.

For: every request of the interface. Must never let a worker of its own count: eight workers would allow eight times as
much. The wording of the headers follows draft-ietf-httpapi-ratelimit-headers-10 (2025).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case
from sqlalchemy.dialects import postgresql, sqlite

from hub.assembly import Hub
from hub.errors import TooFast
from hub.traffic.tables import request_rates

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a minute's requests, and when the next minute begins."""

    limit: int
    left: int
    resets_in_s: int

    def headers(self) -> dict[str, str]:
        """As a client reads it."""
        return {
            "RateLimit-Policy": f'"minute";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"minute";r={self.left};t={self.resets_in_s}',
        }


def spend(hub: Hub, who: str, limit: int, *, now: datetime) -> Left:
    """Counts one request of `who`. Raises TooFast above the limit.

    Effects: a row; an alarm in the trail at the first request that is one too many in its minute.
    """
    minute, second = divmod(int(now.timestamp()), WINDOW_S)
    dialect = postgresql if hub.db.engine.dialect.name == "postgresql" else sqlite
    row = dialect.insert(request_rates).values(who=who, minute=minute, count=1)
    r = request_rates.c
    counted = row.on_conflict_do_update(
        index_elements=[r.who],
        set_={"minute": minute, "count": case((r.minute == minute, r.count + 1), else_=1)},
    ).returning(r.count)
    with hub.db.writing() as session:
        count = int(session.execute(counted).scalar_one())
    if count == limit + 1:
        hub.trail.append("alarm", now=now, client={"id": who}, reason="REQUESTS-TOO-FAST")
    if count > limit:
        error = TooFast("You have asked very often within a minute. Wait until the next minute begins.")
        error.retry_after_s = WINDOW_S - second
        raise error
    return Left(limit, limit - count, WINDOW_S - second)
