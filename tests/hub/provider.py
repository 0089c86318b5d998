"""An identity provider that can be told to misbehave: real HTTP on loopback, real keys, no pages.

For: every answer that a relying party must refuse, and for roles that no persona of the demonstration has.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.serving import WSGIRequestHandler, make_server

CLIENT, SECRET = "kith-tests", "a-secret-between-kith-and-the-provider"

#: Makes the compact token of claims.
Sign = Callable[[Mapping[str, Any]], str]


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        return


@dataclass
class Manners:
    """How the provider behaves just now; as it is made here, well."""

    claims: Mapping[str, Any] = field(default_factory=dict)  # None takes a claim away
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sign: Sign | None = None
    token: Mapping[str, Any] | None = None
    status: int = 200
    body: str | None = None


class Provider:
    """One provider on a port of its own."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
        self.manners = Manners()
        self.keys_asked = 0
        self._codes: dict[str, dict[str, str]] = {}
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True, request_handler=_Silent)
        self.issuer = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def settings(self, *, issuer: str | None = None, code: str = "test", agencies: tuple[str, ...] = ("csc",)) -> str:
        """Its entry in the file of issuers."""
        return (
            f'[[issuer]]\ncode = "{code}"\nname = "The provider of the tests"\nissuer = "{issuer or self.issuer}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\nagencies = {json.dumps(agencies)}\n'
        )

    def authorize(self, address: str, **changes: str | None) -> str:
        """The browser's way through it: from the hub's redirect to the path and query that it is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        answer: dict[str, str | None] = {"code": code, "state": asked["state"], "iss": self.issuer, **changes}
        given = {name: value for name, value in answer.items() if value is not None}
        return f"{urlsplit(asked['redirect_uri']).path}?{urlencode(given)}"

    def signed(self, claims: Mapping[str, Any], key: ECKey | None = None, **header: Any) -> str:
        """A token as it should be, or with another key or header."""
        key = key or self.key
        return jwt.encode({"alg": "ES256", "kid": key.kid, **header}, dict(claims), key)

    def unsigned(self, claims: Mapping[str, Any]) -> str:
        """A token of the algorithm none (RFC 8725 section 2.1)."""
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}."

    def signed_with_what_is_public(self, claims: Mapping[str, Any]) -> str:
        """HS256 with the provider's public key as its secret (RFC 8725 section 2.1)."""
        text = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
        mac = hmac.digest(self.key.as_pem(private=False), text.encode(), hashlib.sha256)
        return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def altered(self, claims: Mapping[str, Any]) -> str:
        """A good token with other claims put under its signature."""
        head, _, signature = self.signed(claims).split(".")
        return f"{head}.{_part({**claims, 'role': 'MASH_DECISION_MAKER'})}.{signature}"

    def _app(self) -> Flask:
        app = Flask("tests.hub.provider", static_folder=None)

        @app.get("/.well-known/openid-configuration")
        def metadata() -> Response:
            return jsonify(
                {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                    "id_token_signing_alg_values_supported": ["ES256"],
                    "authorization_response_iss_parameter_supported": True,
                    **self.manners.metadata,
                }
            )

        @app.get("/keys")
        def keys() -> Response:
            self.keys_asked += 1
            return jsonify({"keys": [self.key.as_dict(private=False)]})

        @app.post("/token")
        def token() -> Response:
            return self._token()

        return app

    def _token(self) -> Response:
        manners, asked = self.manners, self._codes.pop(request.form.get("code", ""), None)
        if manners.status != 200 or manners.body is not None:
            return Response(manners.body or "no", manners.status)
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        known = request.authorization and (request.authorization.username, request.authorization.password)
        if asked is None or proven != asked["code_challenge"] or known != (CLIENT, SECRET):
            return Response('{"error": "invalid_grant"}', 400, content_type="application/json")
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "worker-1",
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "amr": ["mfa"],
            "name": "Odile Testament",
            "agency": "csc",
            "role": "MASH_SOCIAL_WORKER",
            **manners.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        sign = manners.sign or self.signed
        return jsonify(manners.token or {"access_token": "x", "token_type": "Bearer", "id_token": sign(claims)})


def _part(values: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()
