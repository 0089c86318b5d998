"""Idempotency-Key: a request that is sent again has one effect; the second time its receipt is named, and no more.

For: requests that make a disclosure, whose answer may be lost on the way. Must never keep an answer: what may be shown
is decided at every look, and a consent may have been withdrawn since. Who lost the answer asks again with a new key.
draft-ietf-httpapi-idempotency-key-header-07 (2025), sections 2.4 to 2.7.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.db import Database
from hub.errors import HubError
from hub.traffic.tables import answered_once

#: How long a key is known.
KNOWN = timedelta(hours=24)
#: Nobody works longer on a request than that: a worker that died gives the key free.
AT_WORK = timedelta(seconds=60)
#: Rows that one request clears away at most.
SOME = 200


class KeyReused(HubError):
    """The key came with another request before."""

    code = "key-reused"


class StillAtWork(HubError):
    """The first request with this key is not answered yet."""

    code = "still-at-work"


class AnsweredBefore(HubError):
    """It was answered, and answers are not kept. `receipt` says which disclosure it was."""

    code = "answered-before"

    def __init__(self, sentence: str, receipt: str | None) -> None:
        super().__init__(sentence)
        self.receipt = receipt


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to answer the request with this key, until another worker takes over who began later."""

    id_hash: bytes
    begun_at: datetime


def take(hub: Hub, who: str, key: str, body: bytes, *, now: datetime) -> Turn:
    """The turn to answer.

    Takes `who`: client, user and operation, to whom the key belongs; `body`: the bytes of the request.
    Raises KeyReused, StillAtWork, AnsweredBefore. Effects: a row, and old ones are cleared away.
    """
    turn, body_hash = Turn(hashlib.sha256(f"{who}\x1f{key}".encode()).digest(), now), hashlib.sha256(body).digest()
    if turn.id_hash[0] < 8:  # Every thirtieth key or so; what is left on a quiet day is cleared by `hub remind`.
        clear(hub.db, now=now)
    fresh = {"body_hash": body_hash, "begun_at": now, "expires_at": now + KNOWN}
    try:
        with hub.db.writing() as session:
            session.execute(insert(answered_once).values(id_hash=turn.id_hash, **fresh))
        return turn
    except IntegrityError:
        pass
    t = answered_once.c
    with hub.db.session() as session:
        row = session.execute(select(answered_once).where(t.id_hash == turn.id_hash)).mappings().first()
    if row is None:
        raise StillAtWork("The first request with this key has just been given up. Send it again.")
    if row["expires_at"] <= now:
        return _take_over(hub, turn, row["begun_at"], fresh)
    if row["body_hash"] != body_hash:
        raise KeyReused("This Idempotency-Key was used for another request. Make a new key for every request.")
    if row["status"] is None and row["begun_at"] <= now - AT_WORK:
        return _take_over(hub, turn, row["begun_at"], fresh)
    if row["status"] is None:
        raise StillAtWork("The first request with this key is being answered. Send it again in a second.")
    raise AnsweredBefore(
        "The request with this key was answered, and answers are not kept. Ask again with a new key.", row["receipt"]
    )


def finish(hub: Hub, turn: Turn, status: int, receipt: str | None) -> None:
    """Says that the request was answered. Does nothing for a worker whose turn was taken over."""
    with hub.db.writing() as session:
        session.execute(update(answered_once).where(*_mine(turn)).values(status=status, receipt=receipt))


def let_go(hub: Hub, turn: Turn) -> None:
    """Frees the key: nothing was disclosed, so the same request may be sent again."""
    with hub.db.writing() as session:
        session.execute(delete(answered_once).where(*_mine(turn)))


def clear(db: Database, *, now: datetime) -> None:
    """Takes away keys that are forgotten."""
    t = answered_once.c
    with db.writing() as session:
        # Rows that another worker clears at this moment are left to it.
        forgotten = select(t.id_hash).where(t.expires_at <= now).limit(SOME)
        ids = session.scalars(forgotten.with_for_update(skip_locked=True)).all()
        session.execute(delete(answered_once).where(t.id_hash.in_(ids)))


def _take_over(hub: Hub, turn: Turn, begun_at: datetime, fresh: dict[str, object]) -> Turn:
    nothing = {"status": None, "receipt": None}
    with hub.db.writing() as session:
        same = _mine(Turn(turn.id_hash, begun_at))
        taken = session.execute(update(answered_once).where(*same).values(**nothing, **fresh))
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            raise StillAtWork("The request with this key is being answered. Send it again in a second.")
    return turn


def _mine(turn: Turn) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return answered_once.c.id_hash == turn.id_hash, answered_once.c.begun_at == turn.begun_at
