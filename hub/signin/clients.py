"""Machines of partners: which there are, what each may, and that a request is really theirs.

For: the MAIS operation. Every request carries a signed assertion of its own, good once, for this address and these very
bytes. Must never believe a claim that is not under the client's own key, and never take an assertion twice. The file is
read at every request: a client whose line says `active = false` is out at once.
RFC 7523 section 3 (JWT for client authentication), FAPI 2.0 Security Profile section 5.3 (private_key_jwt).
"""

import base64
import hashlib
import hmac
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.errors import SettingsRefused, SignInRefused
from hub.tables import client_assertions
from policies.vocabulary import Role

#: Only signatures by a private key (FAPI 2.0 section 5.4.1); never a shared secret, never none.
ALGORITHMS = ["ES256", "PS256", "EdDSA"]
#: The longest life of an assertion, and how far its clock may be ahead.
LONGEST_LIFE = timedelta(seconds=120)
SKEW = timedelta(seconds=60)
#: No moment of an assertion is later (seconds since 1970): what comes after is no time.
_END_OF_TIME = 2**40
_KEYS = frozenset({"id", "agency", "roles", "jwks_file", "active", "may"})
#: What a client may do: ask (the MAIS operation), give notice of events, send files. Without `may` it may ask.
ASK, NOTIFY, UPLOAD = "ask", "notify", "upload"
_MAY = frozenset({ASK, NOTIFY, UPLOAD})


@dataclass(frozen=True, slots=True)
class Client:
    """One machine: whose it is, and for whom it may speak."""

    id: str
    agency: str
    roles: frozenset[Role]
    jwks_file: Path
    active: bool
    may: frozenset[str] = frozenset({ASK})


def read_clients(path: Path | None) -> Mapping[str, Client]:
    """The clients of the file, by id; none without a file. Raises SettingsRefused for what is not understood."""
    if path is None:
        return {}
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("client", [])
        found = [_client(row, path.parent) for row in rows]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        raise SettingsRefused(
            "HUB_CLIENTS_FILE cannot be read: a [[client]] has id, agency, roles, jwks_file."
        ) from None
    if len({one.id for one in found}) != len(found):
        raise SettingsRefused("HUB_CLIENTS_FILE names a client twice.")
    return {one.id: one for one in found}


def _client(row: Mapping[str, Any], folder: Path) -> Client:
    if set(row) - _KEYS or not isinstance(row.get("active", True), bool):
        raise ValueError("unknown key")
    roles = frozenset(Role(word) for word in row.get("roles", ()))
    may = frozenset(row.get("may", (ASK,)))
    if not may <= _MAY or (ASK in may and not roles):
        raise ValueError("unknown word, or nobody to ask for")
    key_set = folder / str(row["jwks_file"])
    return Client(str(row["id"]), str(row["agency"]), roles, key_set, row.get("active", True), may)


def authenticate(hub: Hub, header: str, body: bytes, *, address: str, now: datetime, to: str = ASK) -> Client:
    """The client whose assertion this is, if it may do what it does (`to`).

    Takes the Authorization header and the bytes of the request. Raises SignInRefused, the same words for every reason.
    Effects: the assertion is used up.
    """
    refused = SignInRefused("The request is not signed by a client that this hub knows.")
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer" or not 20 <= len(token) <= 8_000:
        raise refused
    client = read_clients(hub.settings.clients_file).get(_issuer_of(token))
    if client is None or not client.active or to not in client.may or client.agency not in hub.partners:
        raise refused
    try:
        keys = KeySet.import_key_set(json.loads(client.jwks_file.read_text(encoding="utf-8")))
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except (JoseError, OSError, ValueError, KeyError, TypeError):
        raise refused from None
    if not _holds(claims, client, body, address, now):
        raise refused
    _use_up(hub, client, str(claims["jti"]), now, refused)
    return client


def _issuer_of(token: str) -> str:
    """Who the token says it is from; believed only after its signature was checked with that client's key."""
    try:
        payload = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(said.get("iss", "")) if isinstance(said, dict) else ""
    except (IndexError, ValueError):
        return ""


def _holds(claims: Mapping[str, Any], client: Client, body: bytes, address: str, now: datetime) -> bool:
    issued, ends, jti = claims.get("iat"), claims.get("exp"), claims.get("jti")
    if not isinstance(jti, str) or not jti.isascii() or not 16 <= len(jti) <= 128:
        return False
    if (
        type(issued) is not int
        or type(ends) is not int
        or not 0 <= min(issued, ends) <= max(issued, ends) < _END_OF_TIME
    ):
        return False
    seconds = now.timestamp()
    return (
        claims.get("iss") == claims.get("sub") == client.id
        and claims.get("aud") == address
        and issued - SKEW.total_seconds() <= seconds < ends <= issued + LONGEST_LIFE.total_seconds()
        and hmac.compare_digest(
            str(claims.get("sha256", "")).encode(errors="replace"), hashlib.sha256(body).hexdigest().encode()
        )
    )


def _use_up(hub: Hub, client: Client, jti: str, now: datetime, refused: SignInRefused) -> None:
    used = hashlib.sha256(f"{client.id}\x1f{jti}".encode()).digest()
    try:
        with hub.db.writing() as session:
            session.execute(delete(client_assertions).where(client_assertions.c.expires_at < now))
            ends = now.astimezone(UTC) + LONGEST_LIFE + SKEW
            session.execute(insert(client_assertions).values(id_hash=used, expires_at=ends))
    except IntegrityError:
        hub.trail.append("alarm", now=now, client={"id": client.id}, reason="ASSERTION-REPLAYED")
        raise refused from None
