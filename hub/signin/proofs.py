"""That whoever sends an access token holds the key it is bound to: DPoP (RFC 9449), or the certificate of the TLS.

For: the token endpoint and every request of the interface. Must never take a proof twice, nor one that was made for
another address, method, token or moment: a stolen token alone opens nothing.
"""

import hashlib
import hmac
import json
import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from hub.assembly import Hub
from hub.signin.clients import ALGORITHMS, SKEW, is_once, refused, thumbprint, use_up

#: A public key has none of these (RFC 7518 section 6): who sends one has lost it.
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def key_of_proof(hub: Hub, proofs: list[str], *, method: str, address: str, token: str | None, now: datetime) -> str:
    """The thumbprint (RFC 7638) of the key that made this proof. Raises SignInRefused. Effects: it is used up.

    Steps, each with what it stops: 1 one proof (ambiguity); 2 its form and key (a proof of another kind, algorithm
    none, a secret key); 3 its signature; 4 this method and address (a proof taken from another request); 5 now (one
    made in advance, or kept); 6 this token (a proof used with another's); 7 once (replay).
    """
    if len(proofs) != 1 or not 20 <= len(proofs[0]) <= 4_000:
        raise refused()
    try:
        parsed = jws.extract_compact(proofs[0].encode())
        header = parsed.headers()
        jwk = header["jwk"]
        if header.get("typ") != "dpop+jwt" or set(jwk) & _PRIVATE or jwk.get("kty") not in ("EC", "RSA", "OKP"):
            raise refused()
        key = import_key(jwk)
        said = jws.deserialize_compact(proofs[0], key, algorithms=ALGORITHMS)
        claims = _claims(said.payload)
        mark = str(key.thumbprint())
    except (JoseError, AttributeError, KeyError, RecursionError, TypeError, ValueError):
        raise refused() from None
    issued = claims.get("iat")
    ath = thumbprint(hashlib.sha256((token or "").encode()).digest()) if token is not None else None
    if (
        claims.get("htm") != method
        or not isinstance(claims.get("htu"), str)
        or unquote(claims["htu"]) != address
        or type(issued) is not int
        or abs(now.timestamp() - issued) > SKEW.total_seconds()
        or not is_once(claims.get("jti"))
        or (ath is not None and not _same(claims.get("ath"), ath))
    ):
        raise refused()
    use_up(hub, f"DPoP:{mark}", claims["jti"], now=now)
    return mark


def certificate_of(environ: Mapping[str, Any]) -> str | None:
    """The thumbprint of the certificate that the client presented in this TLS connection, if it did.

    From the connection itself, never from a header: anybody can write a header.
    """
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if not isinstance(connection, ssl.SSLSocket):
        return None
    der = connection.getpeercert(binary_form=True)
    return thumbprint(hashlib.sha256(der).digest()) if der else None


def _claims(payload: bytes) -> dict[str, Any]:
    said = json.loads(payload)
    if not isinstance(said, dict):
        raise ValueError("no claims")
    return said


def _same(given: Any, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())
