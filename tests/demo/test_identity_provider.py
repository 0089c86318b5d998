"""The demonstration's identity provider refuses what an agency's own provider would refuse."""

import base64
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from hub.demo.identity_provider import Client, NotADemonstration, Provider, challenge_of, create_provider_app
from hub.demo.model import AGENCIES, DESKS
from hub.demo.personas import PERSONAS
from policies.vocabulary import Role

ISSUER = "http://127.0.0.1:8899"
BACK = "http://127.0.0.1:8000/sign-in/answer"
VERIFIER = "v" * 64
KEY = ECKey.generate_key("P-256", parameters={"kid": "client-key"})


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(clock: Clock) -> Provider:
    clients = {
        "kith": Client("kith", (BACK,), secret="s3:cret", post_logout_redirect_uris=("http://127.0.0.1:8000/sign-in",)),
        "keyed": Client("keyed", (BACK,), keys=KeySet([KEY])),
    }
    return Provider(ISSUER, clients, clock=clock, demo=True)


@pytest.fixture
def browser(provider: Provider) -> FlaskClient:
    return create_provider_app(provider).test_client()


def request(**changes: str | None) -> dict[str, str]:
    asked = {
        "client_id": "kith",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid profile",
        "state": "st4te",
        "nonce": "n0nce",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**asked, **changes}.items() if value is not None}


def code_for(browser: FlaskClient, persona: str = "ig_officer", **changes: str | None) -> str:
    answer = browser.post("/authorize", data={**request(**changes), "persona": persona})
    assert answer.status_code == 303
    said = parse_qs(urlsplit(answer.location).query)
    assert said["state"] == ["st4te"]
    assert said["iss"] == [ISSUER]
    return said["code"][0]


def basic(name: str = "kith", secret: str = "s3:cret") -> dict[str, str]:
    packed = base64.b64encode(f"{quote(name, safe='')}:{quote(secret, safe='')}".encode()).decode()
    return {"Authorization": f"Basic {packed}"}


def exchange(browser: FlaskClient, code: str, headers: dict[str, str] | None = None, /, **changes: str | None) -> Any:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    form = {name: value for name, value in {**form, **changes}.items() if value is not None}
    return browser.post("/token", data=form, headers=basic() if headers is None else headers)


# -- refusals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("demo", [False, None, 1, "yes"])
def test_nobody_can_make_the_provider_without_saying_that_it_is_a_demonstration(demo: Any) -> None:
    with pytest.raises(NotADemonstration):
        Provider(ISSUER, {}, clock=Clock(), demo=demo)
    with pytest.raises(NotADemonstration):
        Provider(ISSUER, {}, clock=Clock())


@pytest.mark.parametrize("issuer", ["https://kith.example.gov.uk", "http://10.0.0.5:80", "http://127.0.0.1.example"])
def test_the_provider_never_serves_beyond_loopback(issuer: str) -> None:
    with pytest.raises(NotADemonstration):
        Provider(issuer, {}, clock=Clock(), demo=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "somebody-else"},
        {"client_id": None},
        {"redirect_uri": "http://127.0.0.1:8000/sign-in/answer/"},
        {"redirect_uri": "http://127.0.0.1:8000/sign-in/answer?x=1"},
        {"redirect_uri": "http://evil.example/sign-in/answer"},
        {"redirect_uri": None},
    ],
)
def test_an_unknown_application_or_address_is_never_redirected_to(
    browser: FlaskClient, changes: dict[str, str | None]
) -> None:
    for answer in (
        browser.get("/authorize", query_string=request(**changes)),
        browser.post("/authorize", data={**request(**changes), "persona": "ig_officer"}),
    ):
        assert answer.status_code == 400
        assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
    ],
)
def test_a_request_that_is_not_safe_goes_back_with_an_error_and_no_code(
    browser: FlaskClient, changes: dict[str, str | None], error: str
) -> None:
    for answer in (
        browser.get("/authorize", query_string=request(**changes)),
        browser.post("/authorize", data={**request(**changes), "persona": "ig_officer"}),
    ):
        said = parse_qs(urlsplit(answer.location).query)
        assert (answer.status_code, said["error"], said["iss"]) == (303, [error], [ISSUER])
        assert "code" not in said


def test_somebody_who_is_not_on_the_page_cannot_be_chosen(browser: FlaskClient) -> None:
    answer = browser.post("/authorize", data={**request(), "persona": "chief_executive"})
    assert parse_qs(urlsplit(answer.location).query)["error"] == ["access_denied"]


def test_a_value_that_is_said_twice_is_refused(browser: FlaskClient) -> None:
    twice = [*request().items(), ("redirect_uri", "http://evil.example/")]
    assert browser.get("/authorize", query_string=twice).status_code == 400


@pytest.mark.parametrize(
    ("changes", "headers", "status", "error"),
    [
        ({"code_verifier": None}, None, 400, "invalid_grant"),
        ({"code_verifier": "w" * 64}, None, 400, "invalid_grant"),
        ({"code_verifier": "v" * 42}, None, 400, "invalid_grant"),
        ({"code_verifier": challenge_of(VERIFIER)}, None, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:8000/"}, None, 400, "invalid_grant"),
        ({"redirect_uri": None}, None, 400, "invalid_grant"),
        ({"code": "never-given"}, None, 400, "invalid_grant"),
        ({"grant_type": "client_credentials"}, None, 400, "unsupported_grant_type"),
        ({}, {}, 401, "invalid_client"),
        ({}, basic(secret="wrong"), 401, "invalid_client"),
        ({}, basic(name="nobody"), 401, "invalid_client"),
        ({}, basic(name="keyed", secret=""), 401, "invalid_client"),
        ({}, {"Authorization": "Basic !!"}, 401, "invalid_client"),
        ({}, {"Authorization": "Bearer abc"}, 401, "invalid_client"),
        ({"client_assertion": "abc"}, None, 401, "invalid_client"),
    ],
)
def test_a_wrong_exchange_gets_no_token(
    browser: FlaskClient, changes: dict[str, str | None], headers: dict[str, str] | None, status: int, error: str
) -> None:
    answer = exchange(browser, code_for(browser), headers, **changes)
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert "id_token" not in answer.json


def test_a_code_works_once(browser: FlaskClient) -> None:
    code = code_for(browser)
    assert exchange(browser, code).status_code == 200
    assert exchange(browser, code).json["error"] == "invalid_grant"


def test_a_code_that_was_tried_with_a_wrong_verifier_is_spent(browser: FlaskClient) -> None:
    code = code_for(browser)
    assert exchange(browser, code, code_verifier="w" * 64).status_code == 400
    assert exchange(browser, code).status_code == 400


def test_a_code_dies_after_a_minute(browser: FlaskClient, clock: Clock) -> None:
    young, old = code_for(browser), code_for(browser)
    clock.now += timedelta(seconds=59)
    assert exchange(browser, young).status_code == 200
    clock.now += timedelta(seconds=1)
    assert exchange(browser, old).json["error"] == "invalid_grant"


def test_a_code_of_one_application_is_nothing_to_another(browser: FlaskClient, clock: Clock) -> None:
    code = code_for(browser, client_id="keyed")
    assert exchange(browser, code).json["error"] == "invalid_grant"


def assertion(clock: Clock, key: ECKey = KEY, **changes: Any) -> dict[str, str | None]:
    moment = int(clock.now.timestamp())
    claims = {"iss": "keyed", "sub": "keyed", "aud": f"{ISSUER}/token", "exp": moment + 60, "jti": secrets.token_hex(8)}
    return {
        "client_id": "keyed",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": "ES256", "kid": "client-key"}, {**claims, **changes}, key),
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda clock: assertion(clock, key=ECKey.generate_key("P-256", parameters={"kid": "client-key"})),
        lambda clock: assertion(clock, aud="https://other.example"),
        lambda clock: assertion(clock, iss="kith"),
        lambda clock: assertion(clock, sub="kith"),
        lambda clock: assertion(clock, exp=int(clock.now.timestamp()) - 60),
        lambda clock: assertion(clock, exp=int(clock.now.timestamp()) + 7200),
        lambda clock: assertion(clock, jti=None),
        lambda clock: {**assertion(clock), "client_assertion": "not.a.token"},
        lambda clock: {**assertion(clock), "client_assertion_type": None},
        lambda clock: {**assertion(clock), "client_id": "kith"},
    ],
)
def test_an_application_that_signs_wrongly_is_not_believed(
    browser: FlaskClient, clock: Clock, spoil: Callable[[Clock], dict[str, str | None]]
) -> None:
    answer = exchange(browser, code_for(browser, client_id="keyed"), {}, **spoil(clock))
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


def test_a_signed_assertion_works_once(browser: FlaskClient, clock: Clock) -> None:
    signed = assertion(clock)
    assert exchange(browser, code_for(browser, client_id="keyed"), {}, **signed).status_code == 200
    assert exchange(browser, code_for(browser, client_id="keyed"), {}, **signed).status_code == 401


def test_the_end_of_a_session_returns_only_to_registered_addresses(browser: FlaskClient) -> None:
    known = browser.get("/end-session", query_string={"post_logout_redirect_uri": "http://127.0.0.1:8000/sign-in"})
    assert (known.status_code, known.location) == (303, "http://127.0.0.1:8000/sign-in")
    unknown = browser.get("/end-session", query_string={"post_logout_redirect_uri": "http://evil.example/"})
    assert unknown.status_code == 200
    assert "Location" not in unknown.headers


# -- grants ---------------------------------------------------------------------------------------------


def claims_of(browser: FlaskClient, persona: str) -> dict[str, Any]:
    answer = exchange(browser, code_for(browser, persona))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    keys = KeySet.import_key_set(json.loads(browser.get("/jwks.json").data))
    token = jwt.decode(answer.json["id_token"], keys, algorithms=["ES256"])
    assert token.header["alg"] == "ES256"
    return dict(token.claims)


def test_the_id_token_says_who_it_is_and_what_they_do(browser: FlaskClient, clock: Clock) -> None:
    claims, moment = claims_of(browser, "mash_social_worker"), int(clock.now.timestamp())
    assert {name: claims[name] for name in ("iss", "aud", "nonce", "sub")} == {
        "iss": ISSUER,
        "aud": "kith",
        "nonce": "n0nce",
        "sub": "ts-0001",
    }
    assert (claims["iat"], claims["exp"], claims["auth_time"]) == (moment, moment + 300, moment)
    assert (claims["agency"], claims["role"]) == ("csc", "MASH_SOCIAL_WORKER")
    assert (claims["account"], claims["employment"], claims["acr"]) == ("PERSONAL", "CURRENT", "AAL2")
    assert "mfa" in claims["amr"]
    assert claims["role_until"] is None
    assert "birthdate" not in claims


def test_a_lapsed_worker_brings_the_day_the_role_ended(browser: FlaskClient, clock: Clock) -> None:
    assert datetime.fromisoformat(claims_of(browser, "lapsed_worker")["role_until"]) < clock.now


def test_the_worker_who_is_a_subject_brings_a_date_of_birth(browser: FlaskClient) -> None:
    assert claims_of(browser, "worker_who_is_a_subject")["birthdate"] == "1988-02-03"


def test_keys_that_are_published_are_public(browser: FlaskClient) -> None:
    (key,) = browser.get("/jwks.json").json["keys"]
    assert "d" not in key
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256")


def test_discovery_promises_what_is_served(browser: FlaskClient) -> None:
    about = browser.get("/.well-known/openid-configuration").json
    assert about["issuer"] == ISSUER
    assert about["code_challenge_methods_supported"] == ["S256"]
    assert about["authorization_response_iss_parameter_supported"] is True
    assert all(about[f"{name}_endpoint"].startswith(ISSUER) for name in ("authorization", "token", "end_session"))


def test_the_page_lists_everybody_without_script_under_a_strict_policy(browser: FlaskClient) -> None:
    answer = browser.get("/authorize", query_string=request(state='"><script>alert(1)</script>'))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "This is a demonstration." in page
    assert "<script" not in page
    assert "style=" not in page
    assert all(persona.name in page for persona in PERSONAS.values())
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert policy.endswith("form-action 'self' http://127.0.0.1:8000")


def test_personas_cover_every_kind_of_user_and_every_one_is_somewhere() -> None:
    roles = {persona.role for persona in PERSONAS.values()}
    assert {
        Role.MASH_SOCIAL_WORKER, Role.MASH_DECISION_MAKER, Role.AGENCY_NAVIGATOR, Role.GP_CARE_COORDINATOR,
        Role.FAMILY_KEYWORKER, Role.IG_OFFICER, Role.SYSTEM_ADMIN, Role.HEALTH_VISITOR,
        Role.DATA_STEWARD,
    } <= roles  # fmt: skip
    assert {persona.agency for persona in PERSONAS.values()} <= {agency.code for agency in (*AGENCIES, *DESKS)}
    assert len({persona.sub for persona in PERSONAS.values()}) == len(PERSONAS)
