"""Where systems get access tokens, and end them: OAuth 2 with a client's own key or certificate.

For: partners' systems. Two ways to a token: `client_credentials`, for what is about nobody, and token exchange, for a
user whom the system names in a signed statement. Must never give a token that is not bound to a key, nor one that
lasts. RFC 6749, 7009, 7523, 8414, 8693, 8705, 9449; FAPI 2.0 Security Profile.
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, g, json, request

from hub import oversight, suspension
from hub.assembly import Hub
from hub.context import Actor, RequestContext
from hub.desk import users
from hub.enquiries import user_of
from hub.errors import HubError, SignInRefused, TooFast
from hub.headers import for_machines, open_to_all
from hub.logs import log
from hub.signin import proofs, tokens
from hub.signin.carried import user_carried
from hub.signin.clients import ALGORITHMS, SCOPES, Client, known, refused, signed_by_client, use_up
from hub.signin.routes import require_current, with_cases, with_own_person
from hub.traffic import limits
from hub.web.common import hub_of

token_endpoint = Blueprint("token_endpoint", __name__)

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type, not a token
PATH = "/oauth/token"


class Wrong(HubError):
    """A request to this endpoint that is refused, with its code (RFC 6749 section 5.2)."""

    def __init__(self, code: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.code, self.status = code, status


@token_endpoint.get("/.well-known/oauth-authorization-server")
@open_to_all
def metadata() -> Response:
    """What this authorization server can do (RFC 8414)."""
    base = hub_of().settings.base_url
    methods = ["private_key_jwt", "self_signed_tls_client_auth"]
    return _json(
        {
            "issuer": base,
            "token_endpoint": base + PATH,
            "revocation_endpoint": base + "/oauth/revoke",
            "grant_types_supported": ["client_credentials", EXCHANGE],
            "response_types_supported": [],
            "scopes_supported": sorted(SCOPES),
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "revocation_endpoint_auth_methods_supported": methods,
            "dpop_signing_alg_values_supported": ALGORITHMS,
            "tls_client_certificate_bound_access_tokens": True,
            "service_documentation": base + "/developers",
        }
    )


@token_endpoint.post(PATH)
@for_machines
def token() -> Response:
    """A new access token, of five minutes, bound to the key of the proof or to the certificate."""
    hub = hub_of()
    now = hub.clock()
    try:
        form = _form()
        client = _client(hub, form, now)
        limits.spend(hub, client.id, client.per_minute or hub.settings.api_per_minute, now=now)
        bound_to = _bound_to(hub, now)
        actor = _user(hub, client, form, now)
        scopes = _scopes(hub, client, form, now, alone=actor is None)
        given = tokens.issue(hub, client, scopes, actor, bound_to, now=now)
    except Wrong as error:
        return _refused(error.code, error.sentence, error.status)
    except TooFast as error:
        answer = _refused("temporarily_unavailable", error.sentence, 429)
        answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer
    kind = "DPoP" if bound_to.startswith("jkt:") else "Bearer"
    said = {"access_token": given, "token_type": kind, "expires_in": int(tokens.LIFE.total_seconds())}
    more = {"issued_token_type": ACCESS_TOKEN} if actor else {}
    return _json({**said, "scope": " ".join(sorted(scopes)), **more})


@token_endpoint.post("/oauth/revoke")
@for_machines
def revoke() -> Response:
    """Ends a token at once (RFC 7009). A token that is not the client's is not spoken of."""
    hub = hub_of()
    try:
        form = _form()
        client = _client(hub, form, hub.clock())
    except Wrong as error:
        return _refused(error.code, error.sentence, error.status)
    tokens.revoke(hub, client, form.get("token", ""))
    return _json({})


def _form() -> dict[str, str]:
    """The parameters, each once (RFC 6749 section 3.2)."""
    given = request.form.to_dict(flat=False)
    if request.args or any(len(values) != 1 for values in given.values()):
        raise Wrong("invalid_request", "Send each parameter once, in the body.")
    return {name: values[0] for name, values in given.items()}


def _audiences(hub: Hub) -> set[str]:
    """How an assertion may name this server: by its name (FAPI 2.0) or by the endpoint (RFC 7523)."""
    return {hub.settings.base_url, hub.settings.base_url + PATH}


def _client(hub: Hub, form: dict[str, str], now: datetime) -> Client:
    """The client, by its signed assertion or by the certificate of the connection; never by both."""
    assertion, certificate = form.get("client_assertion"), proofs.certificate_of(request.environ)
    try:
        if assertion is not None:
            client, claims = signed_by_client(hub, assertion, _audiences(hub), now=now)
            told = form.get("client_id", client.id)
            if form.get("client_assertion_type") != JWT_BEARER or claims.get("sub") != client.id or told != client.id:
                raise refused()
            use_up(hub, client.id, str(claims["jti"]), now=now)
            return client
        client = known(hub, form.get("client_id", ""))
        if not any(
            one.thumbprint == certificate and one.not_before <= now < one.not_after for one in client.certificates
        ):
            raise refused()
        return client
    except SignInRefused as error:
        raise Wrong("invalid_client", error.sentence, 401) from None


def _bound_to(hub: Hub, now: datetime) -> str:
    given = request.headers.getlist("DPoP")
    try:
        if given:
            address = hub.settings.base_url + PATH
            mark = proofs.key_of_proof(hub, given, method="POST", address=address, token=None, now=now)
            return f"jkt:{mark}"
    except SignInRefused:
        raise Wrong("invalid_dpop_proof", "The DPoP proof is not accepted.") from None
    certificate = proofs.certificate_of(request.environ)
    if certificate is None:
        raise Wrong("invalid_request", "A token is bound to a key: send a DPoP proof, or a certificate in TLS.")
    return f"x5t:{certificate}"


def _user(hub: Hub, client: Client, form: dict[str, str], now: datetime) -> Actor | None:
    """The user for whom the client asks, or None for what is about nobody."""
    grant = form.get("grant_type")
    if grant == "client_credentials":
        return None
    if grant != EXCHANGE:
        raise Wrong("unsupported_grant_type", "There are client_credentials and token exchange.")
    if form.get("subject_token_type") != JWT:
        raise Wrong("invalid_request", f"subject_token_type is {JWT}.")
    issuers = current_app.extensions["signin"].issuers
    try:
        actor, born = user_carried(hub, client, form.get("subject_token", ""), _audiences(hub), issuers, now=now)
        require_current(actor, now)
        suspension.require_not_suspended(hub, actor)
    except SignInRefused as error:
        hub.trail.append("sign-in", now=now, client={"id": client.id}, outcome="REFUSED", reason=error.code)
        raise Wrong("invalid_grant", "The statement about the user is not accepted, or the role is not held.") from None
    actor = with_cases(hub, with_own_person(hub, actor, born, now))
    ctx = RequestContext(actor, now, g.request_id, client=client.id)
    hub.trail.append(
        "sign-in", now=now, user=user_of(ctx), client={"id": client.id}, outcome="ACCEPTED", trace=g.request_id
    )
    oversight.remember_staff(hub, ctx)
    users.remember(hub, actor, now=now, partly=True)
    return actor


def _scopes(hub: Hub, client: Client, form: dict[str, str], now: datetime, *, alone: bool) -> frozenset[str]:
    allowed = tokens.allowed_scopes(hub, client, now, alone=alone)
    wanted = frozenset(form.get("scope", "").split()) or allowed
    if not wanted or wanted - allowed:
        raise Wrong("invalid_scope", "The client is not registered for that, or no agreement lets its agency receive.")
    return wanted


def fault(status: int, words: str) -> Response:
    """What went wrong outside of the endpoint's own checks, in its own shape (RFC 6749 section 5.2)."""
    code = {429: "temporarily_unavailable", 503: "temporarily_unavailable"}.get(status)
    return _json(
        {"error": code or ("server_error" if status >= 500 else "invalid_request"), "error_description": words}, status
    )


def _refused(code: str, words: str, status: int) -> Response:
    log.warning("refused", status=status, code=code)
    return _json({"error": code, "error_description": words}, status)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
