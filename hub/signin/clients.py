"""Machines of partners: which there are, what each may, and that a request is really theirs.

For: the MAIS operation, and access tokens of the interface; one register of clients, HUB_CLIENTS_FILE. Must never
believe a claim that is not under the client's own key, and never take an assertion twice. Whether the file has changed
is looked up at every request: a client whose line says `active = false` is out at once.
RFC 7523 section 3 (JWT for client authentication), RFC 8705 section 2.2 (a certificate that is registered by itself),
FAPI 2.0 Security Profile section 5.3 (private_key_jwt, mTLS).
"""

import base64
import hashlib
import hmac
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.errors import SettingsRefused, SignInRefused, Unavailable
from hub.logs import log
from hub.tables import client_assertions
from policies.vocabulary import Role

#: Only signatures by a private key (FAPI 2.0 section 5.4.1); never a shared secret, never none.
ALGORITHMS = ["ES256", "PS256", "EdDSA"]
#: The longest life of an assertion, and how far its clock may be ahead.
LONGEST_LIFE = timedelta(seconds=120)
SKEW = timedelta(seconds=60)
#: What a client may be let do at the interface, by name; each operation names the one that it needs.
SCOPES = frozenset({"gp-check", "enquiries", "known-to", "family-picture", "consents", "agreements", "receipts"})
#: How long before its end a certificate is spoken of.
ENDS_SOON = timedelta(days=30)
#: No moment of an assertion is later (seconds since 1970): what comes after is no time.
_END_OF_TIME = 2**40
#: What a client may do with an assertion for each request: ask (the MAIS operation), give notice of events, send files.
#: Without `may` it may ask. What it may do with an access token, its scopes say.
ASK, NOTIFY, UPLOAD = "ask", "notify", "upload"
_MAY = frozenset({ASK, NOTIFY, UPLOAD})
_KEYS = frozenset(
    {
        "id",
        "agency",
        "roles",
        "jwks_file",
        "active",
        "may",
        "scopes",
        "agreements",
        "certificates",
        "users_of",
        "per_minute",
    }
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that a client presents in TLS: the SHA-256 of its DER, and when it begins and ends."""

    file: str
    thumbprint: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """One machine: whose it is, for whom it may speak, and what it may be let do.

    `agreements`: references that its requests may name; None for all to which its agency is a party. `users_of`: the
    identity provider by whose subjects it names users, so that one person is one user here; None for names of its own.
    `per_minute`: its requests in a minute; None for the setting's.
    """

    id: str
    agency: str
    roles: frozenset[Role]
    jwks_file: Path
    active: bool
    may: frozenset[str] = frozenset({ASK})
    scopes: frozenset[str] = frozenset()
    agreements: frozenset[str] | None = None
    certificates: tuple[Certificate, ...] = ()
    users_of: str | None = None
    per_minute: int | None = None


def read_clients(path: Path | None) -> Mapping[str, Client]:
    """The clients of the file, by id; none without a file. Raises SettingsRefused for a file that is not understood.

    An entry that is not understood keeps out its own client and no other.
    """
    return {} if path is None else _as_written(path)[0]


def faulty_entries(path: Path | None) -> tuple[int, ...]:
    """Which entries of the file keep their client out, counted from 1. Raises SettingsRefused."""
    return () if path is None else _as_written(path)[1]


def _as_written(path: Path) -> tuple[Mapping[str, Client], tuple[int, ...]]:
    try:
        version = _version(path)
        named = tuple((one, _version(one) if one.is_file() else None) for one in _files(path, version))
        return _read_clients(path, version, named)
    except OSError:
        raise SettingsRefused("HUB_CLIENTS_FILE cannot be read.") from None


@lru_cache(maxsize=8)
def _rows(path: Path, version: tuple[int, ...]) -> list[Any]:
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("client", [])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        rows = None
    if not isinstance(rows, list):
        raise SettingsRefused("HUB_CLIENTS_FILE cannot be read: a [[client]] has id, agency, roles, jwks_file.")
    return rows


def _files(path: Path, version: tuple[int, ...]) -> list[Path]:
    """The certificates that entries name: when one of them is replaced, the old one is good no longer."""
    named = [row.get("certificates") for row in _rows(path, version) if isinstance(row, dict)]
    return [path.parent / name for names in named if isinstance(names, list) for name in names if isinstance(name, str)]


@lru_cache(maxsize=8)
def _read_clients(
    path: Path, version: tuple[int, ...], named: tuple[tuple[Path, tuple[int, ...] | None], ...]
) -> tuple[Mapping[str, Client], tuple[int, ...]]:
    rows, found, faulty = _rows(path, version), {}, []
    ids = Counter(str(row.get("id")) for row in rows if isinstance(row, dict))
    for number, row in enumerate(rows, 1):
        try:
            client = _client(row, path.parent)
            if ids[client.id] > 1:
                raise ValueError("named twice")
            found[client.id] = client
        except (OSError, AttributeError, KeyError, TypeError, ValueError):
            log.error("refused", code="client-entry", file=path.name, index=number)
            faulty.append(number)
    return found, tuple(faulty)


def _version(path: Path) -> tuple[int, ...]:
    """What differs when a file was written anew."""
    told = path.stat()
    return told.st_mtime_ns, told.st_size, told.st_ino


def _client(row: Mapping[str, Any], folder: Path) -> Client:
    if set(row) - _KEYS or not isinstance(row.get("active", True), bool):
        raise ValueError("unknown key")
    roles, may = frozenset(Role(word) for word in row.get("roles", ())), frozenset(row.get("may", (ASK,)))
    if not may <= _MAY or (ASK in may and not roles):
        raise ValueError("unknown word, or nobody to ask for")
    scopes, agreements, per_minute = frozenset(row.get("scopes", ())), row.get("agreements"), row.get("per_minute")
    if scopes - SCOPES or not (per_minute is None or (type(per_minute) is int and per_minute > 0)):
        raise ValueError("unknown scope or rate")
    if not isinstance(row.get("users_of", ""), str):
        raise ValueError("no provider's code")
    return Client(
        id=str(row["id"]),
        agency=str(row["agency"]),
        roles=roles,
        jwks_file=folder / str(row["jwks_file"]),
        active=row.get("active", True),
        may=may,
        scopes=scopes,
        agreements=None if agreements is None else frozenset(map(str, agreements)),
        certificates=tuple(_certificate(folder / str(name)) for name in row.get("certificates", ())),
        users_of=row.get("users_of"),
        per_minute=per_minute,
    )


def _certificate(path: Path) -> Certificate:
    found = x509.load_pem_x509_certificate(path.read_bytes())
    return Certificate(
        path.name, thumbprint(found.fingerprint(hashes.SHA256())), found.not_valid_before_utc, found.not_valid_after_utc
    )


def thumbprint(digest: bytes) -> str:
    """A SHA-256 as tokens write it: base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def ending(clients: Iterable[Client], now: datetime) -> list[tuple[Client, Certificate]]:
    """Certificates that have ended or will within a month, the first to end first."""
    every = [(client, one) for client in clients if client.active for one in client.certificates]
    return sorted((pair for pair in every if pair[1].not_after <= now + ENDS_SOON), key=lambda pair: pair[1].not_after)


def known(hub: Hub, client_id: str) -> Client:
    """The client, when it is in the register, active, and of an agency that takes part.

    Raises SignInRefused; Unavailable when the register cannot be read.
    """
    try:
        client = read_clients(hub.settings.clients_file).get(client_id)
    except SettingsRefused as error:
        raise Unavailable("The register of systems cannot be read, so no system is let in.") from error
    if client is None or not client.active or client.agency not in hub.partners:
        raise refused()
    return client


def refused() -> SignInRefused:
    """The same words for every reason."""
    return SignInRefused("The request is not signed by a client that this hub knows.")


def authenticate(hub: Hub, header: str, body: bytes, *, address: str, now: datetime, to: str = ASK) -> Client:
    """The client whose assertion, bound to these bytes, a request carries, if it may do what it does (`to`).

    Takes the Authorization header and the bytes of the request. Raises SignInRefused, the same words for every reason.
    Effects: the assertion is used up.
    """
    kind, _, token = header.partition(" ")
    if kind.lower() != "bearer":
        raise refused()
    client, claims = signed_by_client(hub, token, {address}, now=now)
    told = str(claims.get("sha256", "")).encode(errors="replace")
    is_ours = hmac.compare_digest(told, hashlib.sha256(body).hexdigest().encode())
    if to not in client.may or claims.get("sub") != client.id or not is_ours:
        raise refused()
    use_up(hub, client.id, str(claims["jti"]), now=now)
    return client


def signed_by_client(
    hub: Hub, token: str, audiences: Iterable[str], *, now: datetime
) -> tuple[Client, Mapping[str, Any]]:
    """Who signed an assertion, and its claims; its `jti` is not used up yet. Raises SignInRefused."""
    if not 20 <= len(token) <= 8_000:
        raise refused()
    client = known(hub, _issuer_of(token))
    try:
        claims = jwt.decode(token, keys_of(client), algorithms=ALGORITHMS).claims
    except (JoseError, OSError, ValueError, KeyError, TypeError):
        raise refused() from None
    meant = any(claims.get("aud") == one for one in audiences)  # One audience, never a list (FAPI 2.0 section 5.3).
    if claims.get("iss") != client.id or not meant or not _holds_now(claims, now):
        raise refused()
    return client, claims


def keys_of(client: Client) -> KeySet:
    """The client's public keys. Raises OSError or ValueError for a file that holds none."""
    return _keys(client.jwks_file, _version(client.jwks_file))


@lru_cache(maxsize=64)
def _keys(path: Path, version: tuple[int, ...]) -> KeySet:
    return KeySet.import_key_set(json.loads(path.read_text(encoding="utf-8")))


def _issuer_of(token: str) -> str:
    """Who the token says it is from; believed only after its signature was checked with that client's key."""
    try:
        payload = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(said.get("iss", "")) if isinstance(said, dict) else ""
    except (IndexError, ValueError, RecursionError):
        return ""


def _holds_now(claims: Mapping[str, Any], now: datetime) -> bool:
    issued, ends = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(ends) is not int:
        return False
    if not is_once(claims.get("jti")) or not 0 <= min(issued, ends) <= max(issued, ends) < _END_OF_TIME:
        return False
    seconds = now.timestamp()
    return issued - SKEW.total_seconds() <= seconds < ends <= issued + LONGEST_LIFE.total_seconds()


def is_once(jti: Any) -> bool:
    """Whether this can be the mark of a token that is good once."""
    return isinstance(jti, str) and jti.isascii() and 16 <= len(jti) <= 128


def use_up(hub: Hub, who: str, jti: str, *, now: datetime) -> None:
    """Takes a `jti` once, for all workers. Raises SignInRefused for the second time. Effects: a row; then an alarm."""
    used = hashlib.sha256(f"{who}\x1f{jti}".encode()).digest()
    try:
        with hub.db.writing() as session:
            if used[0] < 8:  # Every thirtieth or so clears away what is over.
                session.execute(delete(client_assertions).where(client_assertions.c.expires_at < now))
            ends = now.astimezone(UTC) + LONGEST_LIFE + SKEW
            session.execute(insert(client_assertions).values(id_hash=used, expires_at=ends))
    except IntegrityError:
        hub.trail.append("alarm", now=now, client={"id": who}, reason="ASSERTION-REPLAYED")
        raise refused() from None
