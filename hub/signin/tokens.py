"""Access tokens: random, known here by their hash alone, bound to a key, five minutes long, ended at will.

For: the interface. A token stands for a client and the user it speaks for; what that user may see is decided at every
request, by the role and the agreements of that moment. Must never be good without its key, nor longer than its client.
RFC 6749 section 5, RFC 8705 section 3, RFC 9449 section 6; opaque tokens end at once, signed ones would not.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from hub.assembly import Hub
from hub.context import Actor
from hub.enquiries import NOT_ENQUIRIES
from hub.errors import KeyRefused
from hub.keys import HUB
from hub.signin.clients import Client, known, refused
from hub.signin.sessions import actor_of, to_session
from hub.tables import access_tokens
from policies import in_force
from policies.vocabulary import Purpose

LIFE = timedelta(minutes=5)
#: What a client may do on nobody's behalf: nothing about anybody.
ALONE = frozenset({"agreements"})


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom a token stands. `bound_to` is "jkt:..." or "x5t:..."; `actor` None: for the client alone."""

    client: Client
    scopes: frozenset[str]
    bound_to: str
    actor: Actor | None


def allowed_scopes(hub: Hub, client: Client, now: datetime, *, alone: bool) -> frozenset[str]:
    """What this client can be granted: what it is registered for, as far as an agreement lets its agency receive."""
    purposes = set()
    for one in in_force(hub.agreements, now.date()):
        decided = one.for_decision()
        if client.agency in decided.recipients and (client.agreements is None or one.reference in client.agreements):
            purposes |= {purpose for clause in decided.clauses for purpose in clause.purposes}
    scopes = set(client.scopes & ALONE) if alone else set(client.scopes)
    if Purpose.GP_PACKAGE_CHECK not in purposes:
        scopes -= {"gp-check"}
    if not purposes - NOT_ENQUIRIES:
        scopes -= {"enquiries", "known-to", "family-picture", "consents"}
    return frozenset(scopes)


def issue(hub: Hub, client: Client, scopes: Iterable[str], actor: Actor | None, bound_to: str, *, now: datetime) -> str:
    """A new token. Effects: a row, and those that ended are cleared away."""
    token = secrets.token_urlsafe(32)
    id_hash = _hash(token)
    values = {"scopes": sorted(scopes), "bound_to": bound_to, "actor": to_session(actor) if actor else None}
    with hub.db.writing() as session:
        session.execute(delete(access_tokens).where(access_tokens.c.expires_at < now))
        session.execute(
            insert(access_tokens).values(
                id_hash=id_hash,
                client=client.id,
                sealed=hub.keys.seal(HUB, json.dumps(values).encode(), _context(id_hash)),
                expires_at=now + LIFE,
            )
        )
    return token


def holder_of(hub: Hub, token: str, *, now: datetime) -> Holder:
    """For whom this token stands. Raises SignInRefused: it ended, was revoked, or its client is not active."""
    id_hash = _hash(token)
    with hub.db.session() as session:
        found = session.execute(select(access_tokens).where(access_tokens.c.id_hash == id_hash)).mappings().first()
    if found is None or found["expires_at"] <= now:
        raise refused()
    try:
        values = json.loads(hub.keys.open(HUB, found["sealed"], _context(id_hash)))
    except KeyRefused:
        raise refused() from None
    client = known(hub, found["client"])
    actor = actor_of(values["actor"]) if values["actor"] else None
    if actor is not None and (actor.role not in client.roles or actor.agency != client.agency):
        raise refused()
    return Holder(client, frozenset(values["scopes"]) & client.scopes, values["bound_to"], actor)


def revoke(hub: Hub, client: Client, token: str) -> None:
    """Ends a token of this client, if it is one (RFC 7009 section 2.1)."""
    t = access_tokens.c
    with hub.db.writing() as session:
        session.execute(delete(access_tokens).where(t.id_hash == _hash(token), t.client == client.id))


def revoke_all(hub: Hub, client_id: str) -> int:
    """Ends every token of a client; returns how many there were."""
    with hub.db.writing() as session:
        done = session.execute(delete(access_tokens).where(access_tokens.c.client == client_id))
    return int(done.rowcount)  # type: ignore[attr-defined]


def end_those_of(hub: Hub, session: Session, users: Iterable[str]) -> None:
    """Ends every token that speaks for one of these users. Takes the session in which they are shut out."""
    t, gone = access_tokens.c, set(users)
    for row in session.execute(select(t.id_hash, t.sealed)).all():
        try:
            actor = json.loads(hub.keys.open(HUB, row.sealed, _context(row.id_hash)))["actor"]
        except KeyRefused:
            continue  # It opens nothing either.
        if actor and actor["id"] in gone:
            session.execute(delete(access_tokens).where(t.id_hash == row.id_hash))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _context(id_hash: bytes) -> str:
    return "token:" + id_hash.hex()
