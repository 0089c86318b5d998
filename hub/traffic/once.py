"""Idempotency-Key: a request that is sent again has one effect, and gets the answer of the first.

For: requests that make a disclosure, whose answer may be lost on the way. Must never give one caller's answer to
another, never answer a changed request with an old answer, and never keep what a partner said for longer than a retry
takes: after that the key is known, and the receipt, but not the answer.
draft-ietf-httpapi-idempotency-key-header-07 (2025), sections 2.4 to 2.7.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.db import Database
from hub.errors import HubError
from hub.keys import HUB
from hub.traffic.tables import answered_once

#: How long the answer itself is kept, sealed; and how long the key is known after that.
KEPT = timedelta(minutes=5)
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
    """It was answered, and the answer is not kept any more. `receipt` says which disclosure it was."""

    code = "answered-before"

    def __init__(self, sentence: str, receipt: str | None) -> None:
        super().__init__(sentence)
        self.receipt = receipt


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to answer the request with this key."""

    id_hash: bytes


@dataclass(frozen=True, slots=True)
class Earlier:
    """The answer that was given before."""

    status: int
    body: bytes


def take(hub: Hub, who: str, key: str, body: bytes, *, now: datetime) -> Turn | Earlier:
    """The turn to answer, or the answer that was given already.

    Takes `who`: client, user and operation, to whom the key belongs; `body`: the bytes of the request.
    Raises KeyReused, StillAtWork, AnsweredBefore. Effects: a row, and old ones are cleared away.
    """
    turn, body_hash = Turn(hashlib.sha256(f"{who}\x1f{key}".encode()).digest()), hashlib.sha256(body).digest()
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
    unfinished = row["status"] is None and row["begun_at"] <= now - AT_WORK
    if row["expires_at"] <= now or unfinished:
        return _take_over(hub, turn, row["begun_at"], fresh)
    if row["body_hash"] != body_hash:
        raise KeyReused("This Idempotency-Key was used for another request. Make a new key for every request.")
    if row["status"] is None:
        raise StillAtWork("The first request with this key is being answered. Send it again in a second.")
    if row["sealed"] is None or row["kept_until"] <= now:
        raise AnsweredBefore(
            "The request with this key was answered, and the answer is not kept any more. Ask again with a new key.",
            row["receipt"],
        )
    return Earlier(row["status"], hub.keys.open(HUB, row["sealed"], _context(turn)))


def keep(hub: Hub, turn: Turn, status: int, body: bytes, receipt: str | None, *, now: datetime) -> None:
    """Keeps the answer, sealed, for a retry."""
    kept = {"status": status, "sealed": hub.keys.seal(HUB, body, _context(turn)), "kept_until": now + KEPT}
    with hub.db.writing() as session:
        mine = answered_once.c.id_hash == turn.id_hash
        session.execute(update(answered_once).where(mine).values(receipt=receipt, **kept))


def let_go(hub: Hub, turn: Turn) -> None:
    """Frees the key: nothing was disclosed, so the same request may be sent again."""
    with hub.db.writing() as session:
        session.execute(delete(answered_once).where(answered_once.c.id_hash == turn.id_hash))


def clear(db: Database, *, now: datetime) -> None:
    """Takes away answers that no retry needs any more, and keys that are forgotten."""
    t = answered_once.c
    with db.writing() as session:
        # Rows that another worker clears at this moment are left to it.
        over = select(t.id_hash).where(t.kept_until <= now, t.sealed.is_not(None)).limit(SOME)
        ids = session.scalars(over.with_for_update(skip_locked=True)).all()
        session.execute(update(answered_once).where(t.id_hash.in_(ids)).values(sealed=None))
        forgotten = select(t.id_hash).where(t.expires_at <= now).limit(SOME)
        ids = session.scalars(forgotten.with_for_update(skip_locked=True)).all()
        session.execute(delete(answered_once).where(t.id_hash.in_(ids)))


def _take_over(hub: Hub, turn: Turn, begun_at: datetime, fresh: dict[str, object]) -> Turn:
    t, nothing = answered_once.c, {"status": None, "sealed": None, "receipt": None, "kept_until": None}
    with hub.db.writing() as session:
        same = (t.id_hash == turn.id_hash, t.begun_at == begun_at)
        taken = session.execute(update(answered_once).where(*same).values(**nothing, **fresh))
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            raise StillAtWork("The request with this key is being answered. Send it again in a second.")
    return turn


def _context(turn: Turn) -> str:
    return "once:" + turn.id_hash.hex()
