"""Server-side sessions in SQL: the cookie is a random number, everything else stays here, sealed.

For: who is signed in, the sign-in in progress, and what somebody had typed when their session ended. Must
never store the cookie's value, only its SHA-256; must never outlive the idle or the absolute limit.
OWASP ASVS 5.0 chapter 7.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import CallbackDict

from hub.assembly import Hub
from hub.context import Actor
from hub.errors import KeyRefused, Unavailable
from hub.keys import HUB
from hub.logs import log
from hub.tables import web_sessions
from policies.vocabulary import Role

#: How often a session's last use is written back, in seconds: not at every request.
SEEN_EVERY_S = 30
#: How long an ended session's row is kept so that what was typed is not lost, in hours.
KEEP_ENDED_H = 12


class WebSession(CallbackDict[str, Any], SessionMixin):
    """The values of one session.

    `ended` holds the values of the session that has just expired, if any; `unreadable` says that the database could
    not be asked, so that nothing is known about this browser and every closed route answers 503.
    """

    def __init__(self, values: Mapping[str, Any] | None = None, *, cookie: str | None = None) -> None:
        def changed(this: "WebSession") -> None:
            this.modified = True

        super().__init__(values or {}, changed)
        self.cookie = cookie
        self.modified = False
        self.rotate = False
        self.replaces: str | None = None
        self.ended: Mapping[str, Any] | None = None
        self.unreadable = False

    @property
    def user(self) -> str | None:
        """The signed-in user's id."""
        found = self.get("actor") or self.get("citizen")
        return found["id"] if found else None


class SqlSessions(SessionInterface):
    """Flask's session interface over the table `web_sessions`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._idle = timedelta(minutes=hub.settings.idle_min)
        self._absolute = timedelta(minutes=hub.settings.absolute_min)
        # The __Host- prefix binds the cookie to this host over https (RFC 6265bis).
        self.cookie_name = "__Host-kith" if hub.settings.secure_cookies else "kith"

    def open_session(self, app: Flask, request: Request) -> WebSession:
        """The session of this request, or a new empty one; one that was tampered with in the database is none."""
        cookie = request.cookies.get(self.cookie_name)
        if not cookie or len(cookie) > 64:
            return WebSession()
        try:
            with self._hub.db.session() as session:
                found_row = session.execute(select(web_sessions).where(web_sessions.c.id_hash == _hash(cookie)))
                row = found_row.mappings().first()
            if row is None:
                return WebSession()
            values = self._values(cookie, row["sealed"])
        except SQLAlchemyError as error:
            log.error("failed", code="session-unreadable", exc_info=error)
            unreadable = WebSession()
            unreadable.unreadable = True
            return unreadable
        except KeyRefused as error:
            log.warning("refused", code=error.code)
            return WebSession()
        now = self._hub.clock()
        if now - row["seen_at"] > self._idle or now - row["made_at"] > self._absolute:
            fresh = WebSession()
            fresh.ended = values
            return fresh
        found = WebSession(values, cookie=cookie)
        if now - row["seen_at"] > timedelta(seconds=SEEN_EVERY_S):
            found.modified = True
        return found

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Writes what changed; a sign-in or sign-out gets a new cookie value and ends the old one."""
        if not isinstance(session, WebSession) or not (session.modified or session.rotate):
            return
        if session.unreadable:
            raise Unavailable("The hub's database does not answer.", next_steps=("Try again in a minute.",))
        now = self._hub.clock()
        if session.cookie is None or session.rotate:
            self._replace(session, now)
            assert session.cookie is not None
            response.set_cookie(
                self.cookie_name,
                session.cookie,
                secure=self._hub.settings.secure_cookies,
                httponly=True,
                samesite="Lax",
                path="/",
            )
            return
        with self._hub.db.writing() as database:
            database.execute(
                update(web_sessions)
                .where(web_sessions.c.id_hash == _hash(session.cookie))
                .values(sealed=self._sealed(session.cookie, session), seen_at=now, user=session.user)
            )

    def _replace(self, session: WebSession, now: datetime) -> None:
        old, session.cookie = session.cookie, secrets.token_urlsafe(32)
        with self._hub.db.writing() as database:
            if old is not None:
                database.execute(delete(web_sessions).where(web_sessions.c.id_hash == _hash(old)))
            if session.user is not None:  # One active session a user: a second sign-in ends the first.
                # Ended as by idleness, not deleted: what was being typed there is kept for the same user.
                ended_at = now - self._idle - timedelta(seconds=1)
                mine = web_sessions.c.user == session.user
                database.execute(update(web_sessions).where(mine).values(seen_at=ended_at))
            database.execute(delete(web_sessions).where(web_sessions.c.seen_at < now - timedelta(hours=KEEP_ENDED_H)))
            database.execute(
                insert(web_sessions).values(
                    id_hash=_hash(session.cookie),
                    user=session.user,
                    sealed=self._sealed(session.cookie, session),
                    made_at=now,
                    seen_at=now,
                )
            )

    def _sealed(self, cookie: str, session: WebSession) -> bytes:
        return self._hub.keys.seal(HUB, json.dumps(dict(session)).encode(), "session:" + _hash(cookie).hex())

    def _values(self, cookie: str, sealed: bytes) -> dict[str, Any]:
        opened = self._hub.keys.open(HUB, sealed, "session:" + _hash(cookie).hex())
        values: dict[str, Any] = json.loads(opened)
        return values


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


def to_session(actor: Actor) -> dict[str, Any]:
    """An actor as plain values."""
    values = asdict(actor)
    values["role_from"] = actor.role_from.isoformat()
    values["role_until"] = actor.role_until.isoformat() if actor.role_until else None
    return values


def actor_of(values: dict[str, Any]) -> Actor:
    """The actor that `to_session` wrote."""
    until = values["role_until"]
    return Actor(
        **{
            **values,
            "role": Role(values["role"]),
            "role_from": datetime.fromisoformat(values["role_from"]),
            "role_until": datetime.fromisoformat(until) if until else None,
            "own_persons": tuple(values["own_persons"]),
            "own_family": tuple(values["own_family"]),
            "cases": tuple(values.get("cases", ())),
            "case_persons": tuple(values.get("case_persons", ())),
        }
    )
