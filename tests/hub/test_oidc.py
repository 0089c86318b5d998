"""Signing in: whatever an identity provider or somebody between it and us sends that is not right, nobody gets in.

OpenID Connect Core 1.0 section 3.1.3.7, RFC 7636, RFC 8725, RFC 9207, RFC 9700.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from hub.acting import named
from tests.conftest import House, Visitor, choose_persona
from tests.hub.conftest import Gate
from tests.hub.provider import Manners, Provider

NOW = time.time

#: What a provider sends does not depend on the database; the way in is tried on both in the tests of sessions.
pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _the_provider_behaves(gate: Gate) -> Iterator[None]:
    gate.forget()
    yield
    gate.forget()


def assert_refused(gate: Gate, visitor: Visitor, answer: Any, reason: str) -> None:
    """Nobody is signed in; the page says no more than that it did not work; the trail knows why."""
    assert answer.status_code == 403
    assert "Sign-in did not work" in answer.text
    assert reason not in answer.text
    assert "Traceback" not in answer.text
    entry = gate.newest()
    assert (entry.kind, entry.fields["outcome"], entry.fields["reason"]) == ("sign-in", "REFUSED", reason)
    assert visitor.get("/").headers["Location"] == "/sign-in"


#: What the browser brings back instead of a good answer, and the reason that the trail gives.
ANSWERS: list[tuple[dict[str, str | None], str]] = [
    ({"state": "another"}, "state-differs"),
    ({"state": None}, "state-differs"),
    ({"state": "état"}, "state-differs"),
    ({"iss": "https://another.example"}, "issuer-differs"),
    ({"iss": None}, "issuer-differs"),
    ({"code": None}, "provider-refused"),
    ({"code": None, "error": "access_denied"}, "provider-refused"),
    ({"error": "login_required"}, "provider-refused"),
    ({"code": "of-another-browser"}, "token-refused"),
]


@pytest.mark.parametrize(("changes", "reason"), ANSWERS, ids=str)
def test_an_answer_that_is_not_to_our_question_signs_nobody_in(
    gate: Gate, changes: dict[str, str | None], reason: str
) -> None:
    visitor = Visitor(gate.house)
    answer = visitor.get(gate.provider.authorize(gate.start(visitor), **changes))
    assert_refused(gate, visitor, answer, reason)


#: What the provider puts into the ID token, and the reason that the trail gives.
CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"nonce": "of another sign-in"}, "token-nonce"),
    ({"nonce": None}, "token-nonce"),
    ({"nonce": "ñ"}, "token-nonce"),
    ({"aud": "another-application"}, "token-audience"),
    ({"aud": None}, "token-audience"),
    ({"aud": ["kith-tests", "another-application"]}, "token-party"),
    ({"aud": ["kith-tests", "another-application"], "azp": "another-application"}, "token-party"),
    ({"azp": "another-application"}, "token-party"),
    ({"iss": "https://another.example"}, "token-issuer"),
    ({"iss": None}, "token-issuer"),
    ({"exp": int(NOW()) - 120}, "token-expired"),
    ({"exp": None}, "token-expired"),
    ({"exp": "tomorrow"}, "token-expired"),
    ({"iat": int(NOW()) + 3600}, "token-from-future"),
    ({"iat": None}, "token-from-future"),
    ({"iat": int(NOW()) - 7200}, "token-too-old"),
    ({"sub": None}, "token-subject"),
    ({"sub": ""}, "token-subject"),
    ({"agency": "housing"}, "agency-not-of-this-provider"),
    ({"agency": "nobody"}, "agency-not-of-this-provider"),
    ({"agency": None}, "agency-not-of-this-provider"),
    ({"agency": ["csc"]}, "agency-not-of-this-provider"),
    ({"role": "HEADTEACHER_OF_EVERYTHING"}, "role-unknown"),
    ({"role": None}, "role-unknown"),
    ({"role": ["MASH_SOCIAL_WORKER"]}, "role-unknown"),
    ({"role_until": "some day"}, "role-unknown"),
    ({"role_from": 10**30}, "role-unknown"),
]


# Names by number: they hold moments, and every test process must call a case the same.
@pytest.mark.parametrize(
    ("claims", "reason"), CLAIMS, ids=[f"{number}-{reason}" for number, (_, reason) in enumerate(CLAIMS)]
)
def test_a_token_about_somebody_or_something_else_signs_nobody_in(
    gate: Gate, claims: dict[str, Any], reason: str
) -> None:
    visitor = Visitor(gate.house)
    gate.provider.manners = Manners(claims=claims)
    answer = visitor.get(gate.provider.authorize(gate.start(visitor)))
    assert_refused(gate, visitor, answer, reason)


_STRANGER = ECKey.generate_key("P-256", {"kid": "two"})
_NAMESAKE = ECKey.generate_key("P-256", {"kid": "one"})
FORGED = {
    "of the algorithm none": Provider.unsigned,
    "signed with the public key as a secret": Provider.signed_with_what_is_public,
    "with other claims under its signature": Provider.altered,
    "signed by an unknown key": lambda provider, claims: provider.signed(claims, _STRANGER),
    "signed by a stranger's key of the same name": lambda provider, claims: provider.signed(claims, _NAMESAKE),
    "that is not one": lambda provider, claims: "not-a-token",
    "that is empty": lambda provider, claims: "",
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_token_signs_nobody_in(gate: Gate, forged: str) -> None:
    visitor = Visitor(gate.house)
    make = FORGED[forged]
    gate.provider.manners = Manners(sign=lambda claims: make(gate.provider, claims))
    answer = visitor.get(gate.provider.authorize(gate.start(visitor)))
    assert_refused(gate, visitor, answer, "token-signature")


@pytest.mark.parametrize("supported", [["none"], ["HS256"], []])
def test_a_provider_that_offers_only_weak_algorithms_signs_nobody_in(gate: Gate, supported: list[str]) -> None:
    visitor = Visitor(gate.house)
    gate.provider.manners = Manners(metadata={"id_token_signing_alg_values_supported": supported})
    answer = visitor.get(gate.provider.authorize(gate.start(visitor)))
    assert_refused(gate, visitor, answer, "token-signature")


def test_an_answer_without_a_question_signs_nobody_in(gate: Gate) -> None:
    visitor, victim = Visitor(gate.house), Visitor(gate.house)
    planted = gate.provider.authorize(gate.start(visitor))
    before = gate.house.hub.trail.head().size
    answer = victim.get(planted)
    assert answer.status_code == 403
    assert "Sign-in did not work" in answer.text
    assert victim.get("/").headers["Location"] == "/sign-in"
    # Nobody's sign-in was refused: anybody's empty request must not fill the trail.
    assert gate.house.hub.trail.head().size == before


def test_an_answer_counts_once(gate: Gate) -> None:
    visitor = Visitor(gate.house)
    answer = gate.provider.authorize(gate.start(visitor))
    assert visitor.get(answer).status_code == 303
    before = gate.house.hub.trail.head().size
    assert visitor.get(answer).status_code == 403
    assert gate.house.hub.trail.head().size == before


def test_a_code_that_was_used_is_refused_in_another_browser(gate: Gate) -> None:
    visitor, thief = Visitor(gate.house), Visitor(gate.house)
    answer = gate.provider.authorize(gate.start(visitor))
    code = answer.split("code=")[1].split("&")[0]
    assert visitor.get(answer).status_code == 303
    stolen = thief.get(gate.provider.authorize(gate.start(thief), code=code))
    assert_refused(gate, thief, stolen, "token-refused")


def test_a_code_that_was_stolen_before_its_use_needs_the_verifier_of_its_own_browser(gate: Gate) -> None:
    visitor, thief = Visitor(gate.house), Visitor(gate.house)
    code = gate.provider.authorize(gate.start(visitor)).split("code=")[1].split("&")[0]
    stolen = thief.get(gate.provider.authorize(gate.start(thief), code=code))
    assert_refused(gate, thief, stolen, "token-refused")


def test_a_sign_in_that_took_too_long_is_begun_again(gate: Gate) -> None:
    visitor = Visitor(gate.house)
    answer = gate.provider.authorize(gate.start(visitor))
    gate.house.clock.ahead = timedelta(minutes=11)
    assert_refused(gate, visitor, visitor.get(answer), "no-sign-in-in-progress")


#: How the token endpoint fails.
BROKEN = [
    Manners(status=500),
    Manners(status=400, body='{"error": "invalid_client"}'),
    Manners(body="<html>not JSON</html>"),
    Manners(status=302),
]


@pytest.mark.parametrize("manners", BROKEN, ids=str)
def test_a_provider_whose_tokens_cannot_be_had_signs_nobody_in(gate: Gate, manners: Manners) -> None:
    visitor = Visitor(gate.house)
    address = gate.start(visitor)
    gate.provider.manners = manners
    assert_refused(gate, visitor, visitor.get(gate.provider.authorize(address)), "token-refused")


def test_an_answer_without_an_identity_signs_nobody_in(gate: Gate) -> None:
    visitor = Visitor(gate.house)
    gate.provider.manners = Manners(token={"access_token": "x", "token_type": "Bearer"})
    answer = visitor.get(gate.provider.authorize(gate.start(visitor)))
    assert_refused(gate, visitor, answer, "token-signature")


#: Where a provider's own description may not lead.
ELSEWHERE = ["http://169.254.169.254/latest", "https://127.0.0.1:1/token", "file:///etc/passwd", "http://localhost:1/x"]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_provider_cannot_send_the_hub_elsewhere(gate: Gate, address: str) -> None:
    visitor = Visitor(gate.house)
    for endpoint, reason in (("token_endpoint", "token-refused"), ("jwks_uri", "provider-points-elsewhere")):
        gate.forget()
        gate.provider.manners = Manners(metadata={endpoint: address})
        answer = visitor.get(gate.provider.authorize(gate.start(visitor)))
        assert_refused(gate, visitor, answer, reason)


def test_a_description_of_another_issuer_is_not_used(gate: Gate) -> None:
    gate.provider.manners = Manners(metadata={"issuer": "https://another.example"})
    answer = Visitor(gate.house).get("/sign-in/test/start")
    assert answer.status_code == 403
    assert "Sign-in did not work" in answer.text


@pytest.mark.parametrize("code", ["nowhere", "other"])
def test_a_provider_that_does_not_answer_is_named_as_the_one_who_does_not(gate: Gate, code: str) -> None:
    answer = Visitor(gate.house).get(f"/sign-in/{code}/start")
    assert answer.status_code == 403
    assert "sign-in service does not answer" in answer.text
    assert "127.0.0.1:1" not in answer.text


def test_nobody_signs_in_with_a_provider_that_is_not_listed(gate: Gate) -> None:
    answer = Visitor(gate.house).get("/sign-in/unlisted/start")
    assert answer.status_code == 403
    assert "unlisted" not in answer.text


def test_tokens_of_unknown_keys_do_not_make_the_hub_ask_the_provider_each_time(gate: Gate) -> None:
    gate.provider.manners = Manners(sign=lambda claims: gate.provider.signed(claims, _STRANGER))
    before = gate.provider.keys_asked
    for _ in range(4):
        visitor = Visitor(gate.house)
        assert visitor.get(gate.provider.authorize(gate.start(visitor))).status_code == 403
    assert gate.provider.keys_asked - before == 1


def test_a_provider_that_changed_its_keys_is_asked_again(gate: Gate) -> None:
    gate.visitor()
    old = gate.provider.key
    gate.provider.key = ECKey.generate_key("P-256", {"kid": "three", "use": "sig", "alg": "ES256"})
    try:
        gate.house.app.extensions["signin"].issuers["test"].keys_at -= 60
        gate.visitor()
    finally:
        gate.provider.key = old


def test_a_key_of_another_kind_than_the_algorithm_signs_nobody_in(gate: Gate) -> None:
    rsa = RSAKey.generate_key(2048, {"kid": "one"})
    gate.provider.manners = Manners(sign=lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, dict(claims), rsa))
    visitor = Visitor(gate.house)
    answer = visitor.get(gate.provider.authorize(gate.start(visitor)))
    assert_refused(gate, visitor, answer, "token-signature")


#: Roles that the provider itself says are not held at this moment (rule P02).
NOT_HELD = [
    {"role_until": "2020-01-01T00:00:00+00:00"},
    {"role_until": int(NOW()) - 60},
    {"role_from": int(NOW()) + 86_400},
    {"employment": "ENDED"},
    {"employment": "SUSPENDED"},
]


@pytest.mark.parametrize(
    "claims", NOT_HELD, ids=["until long ago", "until just now", "from tomorrow", "left", "suspended"]
)
def test_a_worker_without_a_current_role_is_told_to_have_it_renewed(gate: Gate, claims: dict[str, Any]) -> None:
    visitor = Visitor(gate.house)
    gate.provider.manners = Manners(claims=claims)
    answer = visitor.get(gate.provider.authorize(gate.start(visitor)))
    assert answer.status_code == 403
    assert "have your role renewed" in answer.text
    assert gate.newest().fields["reason"] == "role-not-current"
    assert visitor.get("/").headers["Location"] == "/sign-in"


def test_the_persona_whose_role_ended_is_refused_by_the_demonstration_too(house: House) -> None:
    visitor = Visitor(house)
    started = visitor.get("/sign-in/demo/start")
    answer = visitor.get(choose_persona(started.headers["Location"], "lapsed_worker"))
    assert answer.status_code == 403
    assert "have your role renewed" in answer.text
    assert "Gideon" not in answer.text


def test_a_worker_whom_their_own_agency_vouches_for_gets_in_under_one_opaque_id(house: House, gate: Gate) -> None:
    visitor = house.visitor("mash_social_worker")
    assert visitor.get("/").headers["Location"] == "/enquiries"
    assert "Rosalind Achebe" in visitor.get("/enquiries").text
    first = gate.newest()
    house.visitor("mash_social_worker")
    again = gate.newest()
    assert first.fields["outcome"] == "ACCEPTED"
    assert named(gate.hub, first).fields["user"] == named(gate.hub, again).fields["user"]
    assert first.fields["user"]["assurance"] == "STRONG"
    assert "ts-0001" not in str(first.fields)
    assert "Rosalind" not in str(first.fields)


def test_a_worker_whose_providers_clock_is_a_little_ahead_gets_in(gate: Gate) -> None:
    gate.visitor(iat=int(NOW()) + 30)
    assert gate.newest().fields["outcome"] == "ACCEPTED"


#: How a provider may say how somebody signed in, and what the hub makes of it.
ASSURANCE = [
    ({"amr": ["pwd"]}, "WEAK"),
    ({"amr": None}, "WEAK"),
    ({"amr": "mf"}, "WEAK"),
    ({"amr": [{"mfa": True}]}, "WEAK"),
    ({"amr": None, "acr": ["AAL1"]}, "WEAK"),
    ({"amr": ["pwd", "otp"]}, "STRONG"),
    ({"amr": None, "acr": "AAL2"}, "STRONG"),
]


@pytest.mark.parametrize(("claims", "assurance"), ASSURANCE, ids=str)
def test_a_password_alone_is_weak(gate: Gate, claims: dict[str, Any], assurance: str) -> None:
    gate.visitor(**claims)
    assert gate.newest().fields["user"]["assurance"] == assurance
