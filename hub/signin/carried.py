"""The user for whom a system asks: said by the partner's system, under its own key, each time anew.

For: exchanging a statement about a user for an access token (RFC 8693). What is decided is decided for that user, never
for the system. Must never take a role that the client is not registered for, an agency but the client's own, or a role
or employment that has ended.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from hub.assembly import Hub
from hub.context import Actor
from hub.signin.clients import Client, refused, signed_by_client, use_up
from hub.signin.oidc import Issuer, actor_from, birth_date, mark_of_person


def user_carried(
    hub: Hub, client: Client, token: str, audiences: set[str], issuers: Mapping[str, Issuer], *, now: datetime
) -> tuple[Actor, date | None]:
    """The user whom a signed statement of this client names, and their date of birth if it says so.

    Takes `issuers`: identity providers by code, for a client whose users are those of one of them. Raises
    SignInRefused. Effects: the statement is used up.
    """
    signer, claims = signed_by_client(hub, token, audiences, now=now)
    subject = claims.get("sub")
    if signer.id != client.id or not isinstance(subject, str) or not 0 < len(subject) <= 200:
        raise refused()
    use_up(hub, client.id, str(claims["jti"]), now=now)
    namespace = client.id
    if client.users_of is not None:
        provider = issuers.get(client.users_of)
        if provider is None or provider.for_citizens or client.agency not in provider.agencies:
            raise refused()
        namespace = provider.issuer
    user = hub.keys.blind("user", f"{namespace}\x1f{subject}").hex()[:16]
    actor = actor_from(
        claims.get, user=f"US-{user}", agency=client.agency, issuer=client.id, issued=claims["iat"], now=now
    )
    if actor.role not in client.roles:
        raise refused()
    mark = mark_of_person(hub.keys, namespace, claims.get("person_number"))
    return replace(actor, issuer=client.users_of or client.id, person_mark=mark), birth_date(claims)
