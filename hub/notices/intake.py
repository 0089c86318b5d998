"""Taking notices in: each by itself, once, and nobody is told before its coming is on record.

For: the endpoint, the drop and the timer. Must never let one bad notice sink the others, never tell anybody twice, and
never lose one: what was stored and not brought to anybody yet is brought when it is sent again, or the next time
something is taken. Must never let a sender believe that somebody was told when nobody was.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import OperationalError

from audit import TrailUnavailable
from connectors import LARGEST_NOTICE, LifeEvent, MaisInvalid, canonical, read_life_event
from hub.assembly import Hub
from hub.db import Database
from hub.errors import Unavailable
from hub.logs import log
from hub.notices import stored
from hub.notices.named import concerned
from hub.notices.routing import alert, nobody_told, tell_all
from hub.notices.stored import Notice

#: Notices of one request or one file.
MOST_NOTICES = 500
#: Whoever stored a notice brings it to people within this time, or somebody else does.
_ABANDONED_AFTER = timedelta(minutes=2)
#: Nothing can be taken, whatever it is: the sender sends all of it again.
_NOT_NOW = (TrailUnavailable, Unavailable, OperationalError)


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


def is_any_abandoned(db: Database, *, now: datetime) -> bool:
    """Whether there is anything to bring: asked by a command before it opens the whole hub."""
    return bool(stored.unsettled(db, now - _ABANDONED_AFTER))


def bring_abandoned(hub: Hub, *, now: datetime) -> int:
    """Brings to people what a process that died had stored and not brought; returns how many notices."""
    brought = 0
    for notice_id in stored.unsettled(hub.db, now - _ABANDONED_AFTER):
        try:
            _bring(hub, stored.read(hub, notice_id), now)
        except _NOT_NOW:
            raise
        except Exception as error:
            _could_not(hub, notice_id, error, now)
        else:
            brought += 1
    return brought


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
        return _again(hub, number, row, event, now)
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
        if (row := stored.row_of(hub, notice_id)) is None:
            raise Unavailable("The notice could not be stored.")
        return _again(hub, number, row, event, now)
    return Taken(number, "TAKEN", receipt=receipt, desks=_brought(hub, notice, now))


def _again(hub: Hub, number: int, row: Mapping[str, Any], event: LifeEvent, now: datetime) -> Taken:
    """A notice that is here already. Nobody was told of it yet: then now, and not by and by."""
    desks = tuple(row["outcome"])
    if not row["is_settled"]:
        desks = _brought(hub, Notice(row["id"], row["agency"], row["received_at"], row["receipt"], event), now)
    return Taken(number, "REPEATED", receipt=row["receipt"], desks=desks)


def _brought(hub: Hub, notice: Notice, now: datetime) -> tuple[dict[str, Any], ...]:
    try:
        return tuple(_bring(hub, notice, now))
    except _NOT_NOW:
        raise
    except Exception as error:
        return _could_not(hub, notice.id, error, now)


def _could_not(hub: Hub, notice_id: str, error: Exception, now: datetime) -> tuple[dict[str, Any], ...]:
    """One notice cannot be brought, the others can: information governance is alerted, once; it is tried again."""
    log.error("notice_not_brought", notice=notice_id, code=getattr(error, "code", type(error).__name__))
    row = stored.row_of(hub, notice_id)
    assert row is not None
    if row["outcome"]:
        return tuple(row["outcome"])
    outcome = nobody_told(row["types"])
    alert(hub, row["receipt"], row["agency"], notice_id, "NOTICE-NOT-BROUGHT", now=now)
    stored.note(hub, notice_id, outcome)
    return tuple(outcome)


def _bring(hub: Hub, notice: Notice, now: datetime) -> list[dict[str, Any]]:
    outcome: list[dict[str, Any]] = list(tell_all(hub, notice, concerned(hub, notice), now=now))
    stored.settle(hub, notice.id, outcome)
    return outcome
