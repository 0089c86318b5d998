"""People sign in with the identity their agency already gave them: OpenID Connect code flow with PKCE.

For: turning an identity provider's answer into an `Actor`. Must never take the agency or role from
anything but a verified ID token, and never accept a provider's word for an agency it does not speak for.
OpenID Connect Core 1.0, RFC 7636 (PKCE), RFC 9207 (issuer in the response), RFC 9700 (OAuth security).
"""

import secrets
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub.context import Actor
from hub.errors import SettingsRefused, SignInRefused
from hub.keys import KeyRing
from policies.vocabulary import Role

#: Signature algorithms accepted on ID tokens; none and the HMAC family never are (RFC 8725 section 3.1).
ALGORITHMS = ("ES256", "PS256", "RS256")
#: Seconds that the provider's clock may differ from ours.
SKEW_S = 60
#: Seconds a sign-in may take from the first redirect to the answer.
SIGN_IN_WITHIN_S = 600
#: Seconds to wait for the provider.
PROVIDER_TIMEOUT_S = 5
#: Seconds after which keys are fetched again, and the shortest time between two fetches for an unknown key.
KEYS_MAX_AGE_S, KEYS_MIN_AGE_S = 3600, 30

#: What a provider says when more than a password was asked for (RFC 8176; NIST SP 800-63B levels).
STRONG_METHODS = frozenset({"mfa", "hwk", "swk", "sc", "otp"})
STRONG_CLASSES = frozenset({"strong", "AAL2", "AAL3"})

#: How sure a provider must be who a member of the public is: a document was checked against the face (NHS login, P9).
VERIFIED_LEVELS = frozenset({"P9"})

#: Cases that a token may name: a worker has some twenty; a token with thousands is a mistake.
MOST_CASES = 200

_REFUSED = "Sign-in did not work."
_NEXT = ("Try again.", "If it fails again, ring your agency's service desk and say that Kith refused the sign-in.")


@dataclass(slots=True)
class Issuer:
    """One identity provider: who it is, which agencies it may speak for, and how its claims are named."""

    code: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    agencies: frozenset[str]
    claims: Mapping[str, str]
    #: It vouches for members of the public, and for no agency's staff.
    for_citizens: bool = False
    metadata: dict[str, Any] | None = None
    keys: KeySet | None = None
    keys_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Verified:
    """A member of the public whom a national service vouches for."""

    id: str
    name: str
    issuer: str
    nhs_number: str = field(repr=False)
    born: date = field(repr=False)


def read_issuers(path: Path, *, https_only: bool = False) -> dict[str, Issuer]:
    """Identity providers from a TOML file. Raises SettingsRefused with the entry and key that is wrong.

    Takes: `https_only`, outside the demonstration: keys that arrive in the clear prove nothing.
    """
    if not path.is_file():
        return {}
    issuers: dict[str, Issuer] = {}
    try:
        tables = tomllib.loads(path.read_text())["issuer"]
        for table in tables:
            secret = (
                table["client_secret"] if "client_secret" in table else Path(table["client_secret_file"]).read_text()
            )
            if https_only and urlsplit(table["issuer"]).scheme != "https":
                raise SettingsRefused(f"HUB_ISSUERS_FILE: the issuer {table['code']} must be https.")
            if not isinstance(table["agencies"], list):
                raise SettingsRefused(f"HUB_ISSUERS_FILE: the agencies of {table['code']} must be a list.")
            issuers[table["code"]] = Issuer(
                code=table["code"],
                name=table["name"],
                issuer=table["issuer"],
                client_id=table["client_id"],
                client_secret=secret.strip(),
                agencies=frozenset(table["agencies"]),
                claims=table.get("claims", {}),
                for_citizens=table.get("for") == "citizens",
            )
    except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
        raise SettingsRefused(f"HUB_ISSUERS_FILE cannot be used: {type(error).__name__} {error}.") from error
    return issuers


class SignIn:
    """The relying party: starts a sign-in and finishes it. `started` values live in the server-side session."""

    def __init__(self, issuers: dict[str, Issuer], *, redirect_uri: str, keys: KeyRing) -> None:
        self.issuers = issuers
        self._redirect_uri = redirect_uri
        self._keys = keys

    def start(self, code: str, *, now: datetime) -> tuple[str, dict[str, Any]]:
        """Where to send the browser, and what to remember until it comes back.

        Raises SignInRefused when the provider is unknown or does not answer.
        """
        issuer = self._issuer(code)
        metadata = self._metadata(issuer)
        verifier, nonce, state = generate_token(64), secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        client = self._client(issuer)
        url, _ = client.create_authorization_url(
            metadata["authorization_endpoint"],
            state=state,
            code_verifier=verifier,
            nonce=nonce,
        )
        return url, {"issuer": code, "state": state, "nonce": nonce, "verifier": verifier, "at": now.timestamp()}

    def finish(
        self, answer: Mapping[str, str], started: Mapping[str, Any] | None, *, now: datetime
    ) -> tuple[Actor, date | None]:
        """The actor that the provider vouches for, and their date of birth if it says so.

        Steps, each with the attack it stops: 1 a sign-in of this browser is in progress (login CSRF);
        2 state equals (CSRF); 3 issuer in the response (mix-up, RFC 9207); 4 no error; 5 code and verifier
        are exchanged (code injection, RFC 7636); 6 ID token verified (forgery, replay); 7 claims become an
        actor of an agency that this provider may speak for. Raises SignInRefused; the reason is logged by code.
        """
        issuer, claims = self._vouched(answer, started, now)
        if issuer.for_citizens:
            raise _refused("provider-of-citizens")
        return self._actor(issuer, claims, now), birth_date(claims)

    def is_for_citizens(self, started: Mapping[str, Any] | None) -> bool:
        """Whether the sign-in in progress is a member of the public's."""
        issuer = self.issuers.get(started["issuer"]) if started else None
        return issuer is not None and issuer.for_citizens

    def finish_citizen(self, answer: Mapping[str, str], started: Mapping[str, Any], *, now: datetime) -> Verified:
        """The member of the public that the provider vouches for, by the same steps as `finish`.

        Raises SignInRefused also when the provider is not sure who it is, or a password alone was asked for.
        """
        issuer, claims = self._vouched(answer, started, now)
        born, number = birth_date(claims), claims.get("nhs_number")
        strong = STRONG_METHODS & _words(claims.get("amr"))
        if not issuer.for_citizens or not strong or claims.get("identity_proofing_level") not in VERIFIED_LEVELS:
            raise _refused("identity-not-verified")
        if born is None or not isinstance(number, str):
            raise _refused("identity-incomplete")
        sub = f"{issuer.issuer}\x1f{claims['sub']}"
        return Verified(
            id="CZ-" + self._keys.blind("citizen", sub).hex()[:16],
            name=str(claims.get("name") or "You")[:120],
            issuer=issuer.code,
            nhs_number=number,
            born=born,
        )

    def _vouched(
        self, answer: Mapping[str, str], started: Mapping[str, Any] | None, now: datetime
    ) -> tuple[Issuer, Mapping[str, Any]]:
        """Steps 1 to 6: the provider and the claims of its verified ID token."""
        if not started or now.timestamp() - started["at"] > SIGN_IN_WITHIN_S:
            raise _refused("no-sign-in-in-progress")
        if not _same(answer.get("state", ""), started["state"]):
            raise _refused("state-differs")
        issuer = self._issuer(started["issuer"])
        metadata = self._metadata(issuer)
        names_itself = metadata.get("authorization_response_iss_parameter_supported") or "iss" in answer
        if names_itself and answer.get("iss") != issuer.issuer:
            raise _refused("issuer-differs")
        if "error" in answer or not answer.get("code"):
            raise _refused("provider-refused")
        token = self._exchange(issuer, metadata, answer["code"], started["verifier"])
        return issuer, self._verified_claims(issuer, metadata, token, started["nonce"], now)

    def _issuer(self, code: str) -> Issuer:
        if code not in self.issuers:
            raise _refused("unknown-provider")
        return self.issuers[code]

    def _client(self, issuer: Issuer) -> OAuth2Session:
        client = OAuth2Session(
            issuer.client_id,
            issuer.client_secret,
            scope="openid profile",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - a method, not a secret
        )
        client.trust_env = False
        return client

    def _metadata(self, issuer: Issuer) -> dict[str, Any]:
        if issuer.metadata is None:
            metadata = _get_json(issuer.issuer.rstrip("/") + "/.well-known/openid-configuration", issuer)
            if metadata.get("issuer") != issuer.issuer:
                raise _refused("metadata-of-another-issuer")
            issuer.metadata = metadata
        return issuer.metadata

    def _exchange(self, issuer: Issuer, metadata: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        try:
            with self._client(issuer) as client:
                token: Mapping[str, Any] = client.fetch_token(
                    _of_issuer(metadata["token_endpoint"], issuer),
                    code=code,
                    code_verifier=verifier,
                    timeout=PROVIDER_TIMEOUT_S,
                    allow_redirects=False,
                )
        except Exception as error:  # Authlib raises several unrelated kinds; all of them mean no.
            raise _refused("token-refused") from error
        return token

    def _verified_claims(
        self, issuer: Issuer, metadata: Mapping[str, Any], token: Mapping[str, Any], nonce: str, now: datetime
    ) -> Mapping[str, Any]:
        allowed = [
            name for name in ALGORITHMS if name in metadata.get("id_token_signing_alg_values_supported", ["RS256"])
        ]
        id_token = token.get("id_token", "")
        if not allowed:  # An empty list would mean "the library's own choice".
            raise _refused("token-signature")
        claims = None
        for newest in (False, True):
            try:
                claims = jwt.decode(id_token, self._key_set(issuer, metadata, newest=newest), algorithms=allowed).claims
                break
            except (JoseError, ValueError) as error:
                if newest:
                    raise _refused("token-signature") from error
        assert claims is not None
        moment = now.timestamp()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        checks = {
            "token-issuer": claims.get("iss") == issuer.issuer,
            "token-audience": issuer.client_id in audiences,
            "token-party": claims.get("azp", issuer.client_id) == issuer.client_id
            and (len(audiences) == 1 or "azp" in claims),
            "token-expired": isinstance(claims.get("exp"), int | float) and claims["exp"] > moment - SKEW_S,
            "token-from-future": isinstance(claims.get("iat"), int | float) and claims["iat"] < moment + SKEW_S,
            "token-too-old": isinstance(claims.get("iat"), int | float) and claims["iat"] > moment - SIGN_IN_WITHIN_S,
            "token-nonce": _same(str(claims.get("nonce", "")), nonce),
            "token-subject": isinstance(claims.get("sub"), str) and claims["sub"] != "",
        }
        for reason, holds in checks.items():
            if not holds:
                raise _refused(reason)
        return claims

    def _key_set(self, issuer: Issuer, metadata: Mapping[str, Any], *, newest: bool) -> KeySet:
        with issuer.lock:
            age = time.monotonic() - issuer.keys_at
            if issuer.keys is None or age > KEYS_MAX_AGE_S or (newest and age > KEYS_MIN_AGE_S):
                issuer.keys = KeySet.import_key_set(_get_json(_of_issuer(metadata["jwks_uri"], issuer), issuer))  # type: ignore[arg-type]
                issuer.keys_at = time.monotonic()
            return issuer.keys

    def _actor(self, issuer: Issuer, claims: Mapping[str, Any], now: datetime) -> Actor:
        def claim(name: str) -> Any:
            return claims.get(issuer.claims.get(name, name))

        if not isinstance(claim("agency"), str) or claim("agency") not in issuer.agencies:
            raise _refused("agency-not-of-this-provider")
        user = self._keys.blind("user", f"{issuer.issuer}\x1f{claims['sub']}").hex()[:16]
        actor = actor_from(
            claim, user=f"US-{user}", agency=str(claim("agency")), issuer=issuer.code, issued=claims["iat"], now=now
        )
        return replace(actor, person_mark=mark_of_person(self._keys, issuer.issuer, claim("person_number")))


def mark_of_person(keys: KeyRing, issuer: str, number: Any) -> str:
    """An employer's number of a person, blind, in hex; nothing where it sends none."""
    if not isinstance(number, str | int) or isinstance(number, bool) or not str(number).strip():
        return ""
    return keys.blind("person-number", f"{issuer}\x1f{str(number).strip().casefold()}").hex()[:32]


def actor_from(
    claim: Callable[[str], Any], *, user: str, agency: str, issuer: str, issued: float, now: datetime
) -> Actor:
    """The actor whom verified claims describe. Takes `claim`, which gives a claim by our name for it.

    Raises SignInRefused for a role that is not known or moments that are none.
    """
    try:
        role = Role(str(claim("role")))
        # Without a date the role is held from now on; the provider's clock may be ahead of ours.
        role_from = _moment(claim("role_from")) or min(now, datetime.fromtimestamp(issued, UTC))
        role_until = _moment(claim("role_until"))
    except (OSError, OverflowError, TypeError, ValueError) as error:
        raise _refused("role-unknown") from error
    strong = bool(STRONG_METHODS & _words(claim("amr"))) or bool(STRONG_CLASSES & _words(claim("acr")))
    return Actor(
        id=user,
        name=str(claim("name") or "Name not given")[:120],
        agency=agency,
        role=role,
        issuer=issuer,
        authentication="STRONG" if strong else "WEAK",
        account="SHARED" if claim("account") == "SHARED" else "PERSONAL",
        employment={"ENDED": "ENDED", "SUSPENDED": "SUSPENDED"}.get(str(claim("employment")), "CURRENT"),
        role_from=role_from,
        role_until=role_until,
        cases=_cases(claim("cases")),
        perpetrator_facing=claim("perpetrator_facing") is True,
        under_allegation=claim("under_allegation") is True,
    )


def _same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode(), expected.encode())


def _words(value: Any) -> frozenset[str]:
    """The words of a claim that may be one word or a list of them."""
    values: Iterable[Any] = value if isinstance(value, list) else (value,)
    return frozenset(one for one in values if isinstance(one, str))


def _cases(value: Any) -> tuple[str, ...]:
    """The agency's own record ids that the user is allocated to; what is not such a list is none, never all."""
    if not isinstance(value, list) or len(value) > MOST_CASES:
        return ()
    return tuple(one for one in value if isinstance(one, str) and 0 < len(one) <= 64)


def birth_date(claims: Mapping[str, Any]) -> date | None:
    """The standard claim `birthdate` (OpenID Connect Core 1.0 section 5.1), when it is a full date."""
    try:
        return date.fromisoformat(str(claims.get("birthdate", "")))
    except ValueError:
        return None


def _moment(value: Any) -> datetime | None:
    if value in (None, ""):
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _of_issuer(url: str, issuer: Issuer) -> str:
    """The address, if it is on the provider's own host. Raises SignInRefused otherwise (mix-up, SSRF)."""
    here, there = urlsplit(issuer.issuer), urlsplit(url)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise _refused("provider-points-elsewhere")
    return url


def _get_json(url: str, issuer: Issuer) -> dict[str, Any]:
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(_of_issuer(url, issuer), timeout=PROVIDER_TIMEOUT_S, allow_redirects=False)
            answer.raise_for_status()
            found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise _not_reached() from error
    if not isinstance(found, dict):
        raise _not_reached()
    return found


def _not_reached() -> SignInRefused:
    error = SignInRefused(
        "Your organisation's sign-in service does not answer. Kith itself is running.",
        next_steps=("Try again in a minute.", "If it goes on, ring your agency's service desk."),
    )
    error.code = "provider-not-reached"
    return error


def _refused(reason: str) -> SignInRefused:
    error = SignInRefused(_REFUSED, next_steps=_NEXT)
    error.code = reason
    return error
