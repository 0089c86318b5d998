"""A small client of Kith's interface, to copy from: one file, needs `joserfc` and `requests`.

It keeps a key, says for which user it asks, gets an access token of five minutes bound to that key (DPoP, RFC 9449) and
asks. Every question that makes a disclosure carries an Idempotency-Key, and the same one when it is sent again.

In a shell, against `make demo`:

    python docs/examples/kith_client.py var/demo/client/client.json gp-check "999 700 0390"
"""

import hashlib
import json
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_TYPE = "urn:ietf:params:oauth:token-type:jwt"
#: Worth sending again, as it is and with the same key.
AGAIN = frozenset({409, 429, 502, 503, 504})


class Problem(Exception):
    """What the hub refused (RFC 9457). Decide by `kind`; tell the operator `trace_id`."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body.get('title', body.get('error', ''))}: {body.get('detail', '')}")
        self.status, self.body = status, body
        self.kind = str(body.get("type", body.get("error", ""))).rpartition("/")[2]
        self.trace_id = str(body.get("trace_id", ""))
        self.errors: dict[str, str] = body.get("errors", {})


@dataclass(frozen=True)
class User:
    """For whom you ask: your own subject for them, and what your organisation says of them today."""

    sub: str
    role: str
    claims: dict[str, Any] = field(default_factory=dict)


class Kith:
    """A partner's system. `key` is its own private key (P-256); the hub's operator has the public one."""

    def __init__(
        self, base_url: str, client_id: str, key: ECKey, *, certificate: tuple[str, str] | None = None,
        ca_file: str | None = None, timeout_s: float = 10,
    ) -> None:  # fmt: skip
        self.base_url, self.client_id, self.key, self.timeout_s = base_url.rstrip("/"), client_id, key, timeout_s
        self.session = requests.Session()
        self.session.trust_env = False
        self.by_certificate = certificate is not None
        self.session.cert = certificate
        self.session.verify = ca_file or True

    @classmethod
    def from_file(cls, path: str | Path) -> "tuple[Kith, User]":
        """What `make demo` writes: base_url, client_id, key_file, user."""
        told = json.loads(Path(path).read_text())
        key = ECKey.import_key((Path(path).parent / told["key_file"]).read_text())
        return cls(told["base_url"], told["client_id"], key), User(**told["user"])

    def for_user(self, user: User, scope: str = "") -> "Asking":
        """Asks for this user; what they may see is decided for them."""
        about = {"sub": user.sub, "role": user.role, "acr": "AAL2", **user.claims}
        form = {"grant_type": TOKEN_EXCHANGE, "subject_token_type": JWT_TYPE, "subject_token": self._signed(about)}
        return Asking(self, self._token(form, scope))

    def alone(self, scope: str = "agreements") -> "Asking":
        """Asks for nobody: only what is about nobody."""
        return Asking(self, self._token({"grant_type": "client_credentials"}, scope))

    def proof(self, method: str, path: str, token: str | None = None) -> str:
        """A DPoP proof for one request."""
        claims: dict[str, Any] = {
            "htm": method, "htu": self.base_url + path, "iat": int(time.time()), "jti": uuid.uuid4().hex
        }  # fmt: skip
        if token is not None:
            claims["ath"] = urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False)}
        return jwt.encode(header, claims, self.key)

    def _signed(self, claims: dict[str, Any]) -> str:
        now = int(time.time())
        said = {"iss": self.client_id, "aud": self.base_url, "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
        return jwt.encode({"alg": "ES256"}, {**said, **claims}, self.key)

    def _token(self, form: dict[str, str], scope: str) -> str:
        headers = {}
        if self.by_certificate:
            form |= {"client_id": self.client_id}
        else:
            form |= {
                "client_assertion_type": JWT_BEARER,
                "client_assertion": self._signed({"sub": self.client_id}),
            }
            headers["DPoP"] = self.proof("POST", "/oauth/token")
        if scope:
            form["scope"] = scope
        answer = self.session.post(self.base_url + "/oauth/token", data=form, headers=headers, timeout=self.timeout_s)
        if answer.status_code != 200:
            raise Problem(answer.status_code, answer.json())
        return str(answer.json()["access_token"])


class Asking:
    """A token in hand, for five minutes."""

    def __init__(self, kith: Kith, token: str) -> None:
        self.kith, self.token = kith, token

    def headers(self, method: str, path: str) -> dict[str, str]:
        """What authenticates one request; a proof is good once."""
        if self.kith.by_certificate:
            return {"Authorization": f"Bearer {self.token}"}
        return {"Authorization": f"DPoP {self.token}", "DPoP": self.kith.proof(method, path, self.token)}

    def get(self, path: str) -> Any:
        """GET."""
        return self._send("GET", path, None, {})

    def post(self, path: str, body: dict[str, Any], *, key: str | None = None) -> Any:
        """POST, once whatever happens on the way: sent again with the same key, it has one effect.

        An answer that was lost is not repeated (`idempotency-key-answered`): asking with a new key is a new disclosure.
        """
        return self._send("POST", path, body, {"Idempotency-Key": key or str(uuid.uuid4())})

    def gp_check(self, nhs_number: str, *, agreement: str) -> dict[str, Any]:
        """Does this registered patient have a social-care package? One of five answers."""
        asked = {"purpose": "GP_PACKAGE_CHECK", "agreement": agreement, "subject": {"nhs_number": nhs_number}}
        said: dict[str, Any] = self.post("/api/v1/gp-check", asked)
        return said

    def _send(self, method: str, path: str, body: Any, more: dict[str, str], tries: int = 3) -> Any:
        while True:
            tries -= 1
            headers = self.headers(method, path.partition("?")[0]) | more
            answer = self.kith.session.request(
                method, self.kith.base_url + path, json=body, headers=headers, timeout=self.kith.timeout_s
            )
            if answer.status_code == 200:
                return answer.json()
            wait = int(answer.headers.get("Retry-After", "0"))
            if tries and answer.status_code in AGAIN and 0 < wait <= 5:
                time.sleep(wait)
                continue
            raise Problem(answer.status_code, answer.json())


def main(arguments: list[str]) -> int:
    """`CLIENT_FILE gp-check NUMBER`, or `CLIENT_FILE get PATH`."""
    kith, user = Kith.from_file(arguments[0])
    asking = kith.for_user(user)
    if arguments[1] == "gp-check":
        said = asking.gp_check(arguments[2], agreement="THORN-GP-CHECK/1")
    else:
        said = asking.get(arguments[2])
    print(json.dumps(said, indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
