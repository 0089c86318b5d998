"""A system enters with an access token: whose it is, that its key is there, and what it may be let do.

For: the guard, before every request of the interface that carries one. Must never let a token in without its proof, and
never say which of the checks failed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Request

from hub.assembly import Hub
from hub.context import Actor
from hub.errors import HubError, SignInRefused
from hub.signin import proofs, tokens
from hub.signin.clients import Client, refused
from hub.signin.sessions import to_session
from policies.vocabulary import Role


class TokenRefused(HubError):
    """The token, or the proof that goes with it, is not accepted; the same words for every reason."""

    code = "token-refused"


class ScopeMissing(HubError):
    """The token does not reach as far as this operation."""

    code = "scope-missing"


@dataclass(frozen=True, slots=True)
class Entered:
    """Who came in: the client, and as session values the user it speaks for - or itself, alone."""

    client: Client
    actor: dict[str, Any]
    alone: bool


def enter(hub: Hub, request: Request, scope: str) -> Entered:
    """Steps: 1 a token in the header that fits its kind; 2 it stands; 3 its key is there; 4 its scope reaches here.

    Raises TokenRefused, ScopeMissing. Effects: the proof is used up.
    """
    now = hub.clock()
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        if not 20 <= len(token) <= 200 or kind.lower() not in ("dpop", "bearer"):
            raise refused()
        holder = tokens.holder_of(hub, token, now=now)
        if kind.lower() == "dpop":
            address = hub.settings.base_url + request.path
            given = request.headers.getlist("DPoP")
            mark = proofs.key_of_proof(hub, given, method=request.method, address=address, token=token, now=now)
            shown = f"jkt:{mark}"
        else:
            shown = f"x5t:{proofs.certificate_of(request.environ)}"
        if shown != holder.bound_to:
            raise refused()
    except SignInRefused:
        raise TokenRefused("The access token is not accepted.") from None
    if scope not in holder.scopes:
        raise ScopeMissing(f"The token has no scope {scope}.")
    actor = holder.actor or _itself(holder.client)
    return Entered(holder.client, to_session(actor), holder.actor is None)


def _itself(client: Client) -> Actor:
    """The client on nobody's behalf. Rule P02 refuses a shared account, so a decision for it would be a refusal."""
    return Actor(
        id=client.id,
        name=client.id,
        agency=client.agency,
        role=Role.SYSTEM_ADMIN,
        issuer="client",
        authentication="STRONG",
        account="SHARED",
        employment="CURRENT",
        role_from=datetime(2000, 1, 1, tzinfo=UTC),
        role_until=None,
    )
