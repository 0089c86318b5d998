"""Taking notices in: each by itself, once, and nobody is told before its coming is on record.

For: the endpoint and the drop. Must never let one bad notice sink the others, never tell anybody twice, and never lose
one: what was stored and not brought to anybody yet is brought the next time something is taken.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors import LARGEST_NOTICE, MaisInvalid, canonical, read_life_event
from hub.assembly import Hub
from hub.notices import stored
from hub.notices.named import concerned
from hub.notices.routing import tell_all
from hub.notices.stored import Notice

#: Notices of one request or one file.
MOST_NOTICES = 500
#: Whoever stored a notice brings it to people within this time, or somebody else does.
_ABANDONED_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one notice, for its sender. `state` is TAKEN, REPEATED or REJECTED; `desks`: who was told."""

    number: int
    state: str
    reason: str | None = None
    receipt: str | None = None
    desks: tuple[dict[str, Any], ...] = ()


class Unreadable(ValueError):
    """What stands in the place of a notice that is no JSON."""


def take_all(hub: Hub, agency: str, client: str, plain: Iterable[object], *, now: datetime) -> tuple[Taken, ...]:
    """Takes notices of one agency, in their order.

    Raises TrailUnavailable: the notices before are taken, the sender sends all of them again. Effects: per notice a
    `collect` event, a sealed row, and what `routing.tell_all` does.
    """
    taken = tuple(_take(hub, agency, client, number, one, now) for number, one in enumerate(plain, 1))
    bring_abandoned(hub, now=now)
    return taken


def bring_abandoned(hub: Hub, *, now: datetime) -> int:
    """Brings to people what a process that died had stored and not brought; returns how many notices."""
    left = stored.unsettled(hub, now - _ABANDONED_AFTER)
    for notice_id in left:
        _bring(hub, stored.read(hub, notice_id), now)
    return len(left)


def split(body: bytes) -> Iterator[object]:
    """The notices of a body: one JSON object, a list of them, or one on each line. Broken ones stand as Unreadable.

    Raises MaisInvalid when there are too many, or it is no text.
    """
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise MaisInvalid(".", "is not UTF-8") from None
    whole = _json(text) if text[:1] in ("[", "{") else Unreadable()
    if isinstance(whole, Unreadable) and "\n" in text:
        whole = [_json(line) for line in text.splitlines() if line.strip()]
    found = whole if isinstance(whole, list) else [whole]
    if len(found) > MOST_NOTICES:
        raise MaisInvalid(".", f"holds more than {MOST_NOTICES} notices")
    return iter(found)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable()


def _take(hub: Hub, agency: str, client: str, number: int, plain: object, now: datetime) -> Taken:
    try:
        if isinstance(plain, Unreadable):
            raise MaisInvalid(".", f"is not JSON, or larger than {LARGEST_NOTICE} bytes")
        text = canonical(plain)
        event = read_life_event(json.loads(text), agency=agency, sender=hub.partners[agency].type)
    except MaisInvalid as error:
        return Taken(number, "REJECTED", f"{error.path[:120]}: {error.reason}")
    notice_id = stored.id_of(hub, agency, text)
    if (row := stored.row_of(hub, notice_id)) is not None:
        return Taken(number, "REPEATED", receipt=row["receipt"], desks=tuple(row["outcome"]))
    receipt = hub.trail.append(
        "collect",
        now=now,
        client={"id": client},
        custodian=agency,
        action="notice-taken",
        outcome="TAKEN",
        data=[{"agency": agency, "category": str(event.category), "count": len(event.people), "label": "notice"}],
        object={"type": "notice", "id": notice_id},
    ).eid
    notice = Notice(notice_id, agency, now, receipt, event)
    if not stored.keep(hub, notice, text):
        row = stored.row_of(hub, notice_id) or {}
        return Taken(number, "REPEATED", receipt=row.get("receipt"), desks=tuple(row.get("outcome", ())))
    return Taken(number, "TAKEN", receipt=receipt, desks=tuple(_bring(hub, notice, now)))


def _bring(hub: Hub, notice: Notice, now: datetime) -> list[dict[str, Any]]:
    outcome: list[dict[str, Any]] = list(tell_all(hub, notice, concerned(hub, notice), now=now))
    stored.settle(hub, notice.id, outcome)
    return outcome
