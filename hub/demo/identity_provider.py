"""An OpenID Connect provider where everybody may be anybody: for the demonstration and nothing else.

For: signing in through exactly the doors that an agency's own provider would use. Must never run outside demo
mode or off the loopback interface, never accept a code twice, never redirect to an address that is not registered.
OpenID Connect Core 1.0; RFC 6749; RFC 7636 (PKCE, S256 only); RFC 7523 (private_key_jwt); RFC 9207 (iss in the
response); RFC 9700 (security).
"""

import base64
import binascii
import hashlib
import ipaddress
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus, urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, render_template_string, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from werkzeug.wrappers import Response as AnyResponse

from hub.demo.builder import born_on
from hub.demo.citizens import Citizen
from hub.demo.model import AGENCIES, DESKS
from hub.demo.personas import PERSONAS, Persona

#: Seconds that a code may be exchanged (RFC 6749 section 4.1.2 recommends at most ten minutes).
CODE_LIVES_S = 60
#: Seconds that an ID token is valid.
ID_TOKEN_LIVES_S = 300
#: Seconds that clocks may differ in a client assertion.
_SKEW_S = 30
_VERIFIER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class NotADemonstration(RuntimeError):
    """The demo identity provider was asked to exist outside demo mode, or off loopback."""


@dataclass(frozen=True, slots=True)
class Client:
    """A relying party that the provider knows: a secret, or public keys for private_key_jwt."""

    id: str
    redirect_uris: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)
    keys: KeySet | None = field(default=None, repr=False)
    post_logout_redirect_uris: tuple[str, ...] = ()


@dataclass(slots=True)
class _Grant:
    """What a code stands for; `used` stays so that a second use is seen."""

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str
    persona: Persona | Citizen
    made_at: datetime
    used: bool = False


class _Refused(Exception):
    """An OAuth error: a code of RFC 6749 and a sentence without secrets."""

    def __init__(self, code: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.status = code, sentence, status


class _NoRedirect(Exception):
    """The request must not be answered by a redirect: client or address is not known."""


class Provider:
    """The provider without HTTP: what is asked, who is chosen, what is exchanged. Thread-safe."""

    def __init__(
        self,
        issuer: str,
        clients: Mapping[str, Client],
        *,
        clock: Callable[[], datetime],
        demo: bool = False,
        personas: Mapping[str, Persona] | Mapping[str, Citizen] = PERSONAS,
    ) -> None:
        """Raises NotADemonstration unless `demo` is said explicitly and the issuer is on loopback."""
        if demo is not True:
            raise NotADemonstration("The demo identity provider lets everybody be anybody; it needs demo=True.")
        if not _on_loopback(issuer):
            raise NotADemonstration("The demo identity provider serves the loopback interface only.")
        self.issuer, self.personas = issuer, personas
        self._clients, self._clock = dict(clients), clock
        self._key = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": "ES256", "kid": secrets.token_hex(8)})
        self._grants: dict[str, _Grant] = {}
        self._assertions: dict[str, datetime] = {}
        self._lock = threading.Lock()

    # -- authorisation --------------------------------------------------------------------------------

    def check_request(self, asked: Mapping[str, str]) -> None:
        """Checks an authorisation request, in this order.

        1 the client is known; 2 the address is exactly a registered one (else no redirect at all); 3 code flow;
        4 openid; 5 state and nonce are there; 6 PKCE with S256 and nothing else.
        Raises _NoRedirect for 1 and 2, _Refused for the rest.
        """
        client = self._clients.get(asked.get("client_id", ""))
        if client is None:
            raise _NoRedirect("This application is not known here.")
        if asked.get("redirect_uri", "") not in client.redirect_uris:
            raise _NoRedirect("The address to return to is not one that this application registered.")
        if asked.get("response_type") != "code":
            raise _Refused("unsupported_response_type", "Only the code flow is served.")
        if "openid" not in asked.get("scope", "").split():
            raise _Refused("invalid_scope", "The scope openid is needed.")
        if not asked.get("state") or not asked.get("nonce"):
            raise _Refused("invalid_request", "state and nonce are needed.")
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            raise _Refused("invalid_request", "PKCE with S256 is needed.")

    def grant(self, asked: Mapping[str, str], persona: str) -> str:
        """Returns a code for a checked request and the persona who was chosen. Raises like `check_request`."""
        self.check_request(asked)
        if persona not in self.personas:
            raise _Refused("access_denied", "Nobody was chosen.")
        code, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            old = [c for c, g in self._grants.items() if g.made_at < now - timedelta(seconds=20 * CODE_LIVES_S)]
            for stale in old:
                del self._grants[stale]
            self._grants[code] = _Grant(
                asked["client_id"],
                asked["redirect_uri"],
                asked["code_challenge"],
                asked["nonce"],
                self.personas[persona],
                now,
            )
        return code

    # -- token ----------------------------------------------------------------------------------------

    def exchange(self, form: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
        """Returns the token answer for a code. Raises _Refused.

        1 the client proves who it is; 2 the code exists, is this client's, unused and fresh (whoever tries it
        first spends it); 3 same address; 4 the verifier is the one that was hashed.
        """
        client = self._client(form, authorization)
        if form.get("grant_type") != "authorization_code":
            raise _Refused("unsupported_grant_type", "Only codes are exchanged.")
        now = self._clock()
        with self._lock:
            grant = self._grants.get(form.get("code", ""))
            spent = grant is None or grant.used
            if grant is not None:
                grant.used = True
        if grant is None or spent or grant.client_id != client.id:
            raise _Refused("invalid_grant", "The code is not valid.")
        if now >= grant.made_at + timedelta(seconds=CODE_LIVES_S):
            raise _Refused("invalid_grant", "The code is too old.")
        if form.get("redirect_uri") != grant.redirect_uri:
            raise _Refused("invalid_grant", "The address differs from that of the request.")
        verifier = form.get("code_verifier", "")
        if not 43 <= len(verifier) <= 128 or not _VERIFIER.issuperset(verifier):
            raise _Refused("invalid_grant", "The code verifier is missing or malformed.")
        if not secrets.compare_digest(challenge_of(verifier), grant.challenge):
            raise _Refused("invalid_grant", "The code verifier is wrong.")
        return {
            "access_token": secrets.token_urlsafe(32),
            "token_type": "Bearer",
            "expires_in": ID_TOKEN_LIVES_S,
            "scope": "openid profile",
            "id_token": self._id_token(client, grant, now),
        }

    def _id_token(self, client: Client, grant: _Grant, now: datetime) -> str:
        persona, today = grant.persona, now.date()
        claims = {
            "iss": self.issuer,
            "sub": persona.sub,
            "aud": client.id,
            "exp": int(now.timestamp()) + ID_TOKEN_LIVES_S,
            "iat": int(now.timestamp()),
            "auth_time": int(grant.made_at.timestamp()),
            "nonce": grant.nonce,
            "acr": "AAL2",
            "amr": ["pwd", "otp", "mfa"],
            **(persona.claims(today) if isinstance(persona, Citizen) else _claims_of(persona, today)),
        }
        return jwt.encode({"alg": "ES256", "typ": "JWT", "kid": self._key.kid}, claims, self._key)

    def _client(self, form: Mapping[str, str], authorization: str | None) -> Client:
        """client_secret_basic or private_key_jwt, never both and never none."""
        refused = _Refused("invalid_client", "The application could not prove who it is.", 401)
        if (authorization is not None) == ("client_assertion" in form):
            raise refused
        if authorization is not None:
            scheme, _, packed = authorization.partition(" ")
            try:
                name, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise refused from error
            client = self._clients.get(unquote_plus(name))
            known = client.secret if client and client.secret else secrets.token_urlsafe(16)
            if scheme.lower() != "basic" or not secrets.compare_digest(unquote_plus(secret).encode(), known.encode()):
                raise refused
            assert client is not None
            return client
        return self._client_by_assertion(form, refused)

    def _client_by_assertion(self, form: Mapping[str, str], refused: _Refused) -> Client:
        client = self._clients.get(form.get("client_id", ""))
        if client is None or client.keys is None or form.get("client_assertion_type") != _ASSERTION:
            raise refused
        try:
            claims = jwt.decode(form["client_assertion"], client.keys, algorithms=["ES256", "PS256"]).claims
        except (JoseError, ValueError) as error:
            raise refused from error
        now, audience, number = self._clock(), claims.get("aud"), claims.get("jti")
        audiences = audience if isinstance(audience, list) else [audience]
        expires = claims.get("exp")
        if (
            claims.get("iss") != client.id
            or claims.get("sub") != client.id
            or not {self.issuer, f"{self.issuer}/token"}.intersection(a for a in audiences if isinstance(a, str))
            or not isinstance(expires, int | float)
            or not now.timestamp() - _SKEW_S < expires < now.timestamp() + 600
            or not isinstance(number, str)
        ):
            raise refused
        with self._lock:
            self._assertions = {j: until for j, until in self._assertions.items() if until > now}
            if number in self._assertions:
                raise refused
            self._assertions[number] = now + timedelta(seconds=660)
        return client

    # -- what everybody may know ----------------------------------------------------------------------

    def metadata(self) -> dict[str, Any]:
        """Returns the discovery document (OpenID Connect Discovery 1.0, RFC 8414)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks.json",
            "end_session_endpoint": f"{self.issuer}/end-session",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "PS256"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile"],
            "acr_values_supported": ["AAL2"],
            "authorization_response_iss_parameter_supported": True,
            "claims_supported": list(_CLAIMS),
        }

    def public_keys(self) -> dict[str, Any]:
        """Returns the key set that ID tokens are verified with."""
        return {"keys": [self._key.as_dict(private=False)]}

    def may_return_to(self, address: str) -> bool:
        """Says whether an application registered this address for the end of a session."""
        return any(address in client.post_logout_redirect_uris for client in self._clients.values())


def _claims_of(persona: Persona, today: date) -> dict[str, Any]:
    """What an agency's own provider says of its worker."""
    until = persona.role_until(today)
    claims = {
        "name": persona.name,
        "agency": persona.agency,
        "role": persona.role.value,
        "employment": persona.employment,
        "role_from": persona.role_from(today).isoformat(),
        "role_until": until.isoformat() if until else None,
        "account": persona.account,
    }
    if persona.person:
        # The employer says who its worker is, so that a conflict of interest can be seen (rules P33 and P34).
        claims["birthdate"] = born_on(today, *persona.person.born).isoformat()
    return claims


def challenge_of(verifier: str) -> str:
    """Returns the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def _on_loopback(issuer: str) -> bool:
    host = urlsplit(issuer).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} - demonstration sign-in</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header><p><strong>This is a demonstration.</strong> No password is asked. Every person here is invented.</p></header>
<main>
<h1>{{ title }}</h1>
{% if sentence %}<p>{{ sentence }}</p>{% endif %}
{% if personas %}
<p>A real partnership signs in with each agency's own identity provider.</p>
<form method="post" action="/authorize">
{% for name, value in asked.items() %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}
<ul>
{% for p in personas %}<li>
<button name="persona" value="{{ p.key }}" aria-describedby="does-{{ p.key }}">{{ p.name }}</button>
<p id="does-{{ p.key }}">{% if p.agency %}{{ agencies[p.agency] }} – {% endif %}{{ p.does }}</p>
</li>
{% endfor %}</ul>
</form>
{% endif %}
</main>
</body>
</html>
"""
#: The claims of an ID token.
_CLAIMS = (
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr"),
    *("name", "agency", "role", "employment", "role_from", "role_until", "account", "birthdate"),
)
_STYLE = """body{font-family:arial,sans-serif;font-size:1.1875rem;line-height:1.35;color:#0b0c0c;background:#fff}
body{margin:0}
header{background:#7a1d1d;color:#fff;padding:.6rem 1rem}
header p{margin:0 auto;max-width:60rem}
main{max-width:60rem;margin:0 auto;padding:1rem}
ul{list-style:none;padding:0}
li{border-top:1px solid #6f777b;padding:.8rem 0}
li p{margin:.3rem 0 0}
button{font:inherit;font-weight:bold;padding:.5rem .9rem;min-height:44px;min-width:16rem;text-align:left;
color:#0b0c0c;background:#f3f2f1;border:2px solid #0b0c0c;cursor:pointer}
button:focus-visible{outline:4px solid #0b0c0c;outline-offset:3px;background:#ffdd00}
"""
_ASKED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)


def create_provider_app(provider: Provider) -> Flask:
    """Returns the web application; `/authorize` and `/end-session` are for browsers, the rest for machines."""
    app = Flask("hub.demo.identity_provider", static_folder=None)

    def page(title: str, sentence: str = "", status: int = 200, **more: Any) -> Response:
        return Response(
            render_template_string(
                _PAGE, title=title, sentence=sentence, agencies={a.code: a.name for a in (*AGENCIES, *DESKS)}, **more
            ),
            status,
            mimetype="text/html",
        )

    def back(asked: Mapping[str, str], **answer: str) -> AnyResponse:
        state = {"state": asked["state"]} if asked.get("state") else {}
        mark = "&" if urlsplit(asked["redirect_uri"]).query else "?"
        where = asked["redirect_uri"] + mark + urlencode({**answer, **state, "iss": provider.issuer})
        return redirect(where, 303)

    @app.route("/.well-known/openid-configuration")
    def discovery() -> Response:
        return jsonify(provider.metadata())

    @app.route("/jwks.json")
    def keys() -> Response:
        return jsonify(provider.public_keys())

    @app.route("/style.css")
    def style() -> Response:
        return Response(_STYLE, mimetype="text/css")

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> AnyResponse:
        given = request.form if request.method == "POST" else request.args
        if any(len(given.getlist(name)) > 1 for name in given):
            return page("The request is not valid", "Something was said twice.", 400)
        asked = {name: given[name] for name in _ASKED if name in given}
        try:
            if request.method == "POST":
                return back(asked, code=provider.grant(asked, given.get("persona", "")))
            provider.check_request(asked)
        except _NoRedirect as refusal:
            return page("The request is not valid", str(refusal), 400)
        except _Refused as refusal:
            return back(asked, error=refusal.code, error_description=refusal.sentence)
        response = page("Who do you want to be?", asked=asked, personas=tuple(provider.personas.values()))
        where = urlsplit(asked["redirect_uri"])
        # A browser applies form-action to the redirect that follows the form as well.
        response.headers["Content-Security-Policy"] = f"{_CSP}; form-action 'self' {where.scheme}://{where.netloc}"
        return response

    @app.route("/token", methods=["POST"])
    def token() -> Response:
        try:
            answer = jsonify(provider.exchange(request.form, request.headers.get("Authorization")))
        except _Refused as refusal:
            answer = jsonify({"error": refusal.code, "error_description": refusal.sentence})
            answer.status_code = refusal.status
            if refusal.status == 401:
                answer.headers["WWW-Authenticate"] = 'Basic realm="demonstration"'
        return answer

    @app.route("/end-session", methods=["GET", "POST"])
    def end_session() -> AnyResponse:
        given = request.form if request.method == "POST" else request.args
        address = given.get("post_logout_redirect_uri", "")
        if address and provider.may_return_to(address):
            state = given.get("state")
            return redirect(address + (f"?{urlencode({'state': state})}" if state else ""), 303)
        return page("You are signed out", "This provider keeps no session of its own.")

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", f"{_CSP}; form-action 'none'")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


_CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
