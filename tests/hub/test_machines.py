"""Partners' systems: a key of their own, a user for whom they ask, a token that is worth nothing without the key."""

import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import delete, insert, select
from werkzeug.serving import make_server

from docs.examples.kith_client import JWT_BEARER, JWT_TYPE, TOKEN_EXCHANGE, Asking, Kith, Problem, User
from hub import suspension
from hub.commands import clients as commands
from hub.context import RequestContext
from hub.demo.stories import STORIES
from hub.desk.tables import desk_users
from hub.errors import SettingsRefused
from hub.one_person import accounts_of
from hub.signin.clients import ending, faulty_entries, read_clients
from hub.signin.sessions import actor_of
from hub.tables import suspensions
from tests.conftest import House
from tests.hub.conftest import CHECKING, with_parts

BASE = "http://127.0.0.1:8400"
NUMBER = STORIES["package_current"].nhs_number or ""
AGREEMENT = "THORN-GP-CHECK/1"
CHECK = {**CHECKING, "subject": {"nhs_number": NUMBER}}


class Shim:
    """What a client reads of an answer."""

    def __init__(self, answer: Any) -> None:
        self.status_code, self.headers, self.json = answer.status_code, answer.headers, lambda: answer.json


class InProcess:
    """The client's session, without a network."""

    def __init__(self, house: House) -> None:
        self.app = house.app

    def request(self, method: str, url: str, *, json: Any = None, headers: Any = None, timeout: float = 0) -> Shim:
        return Shim(self.app.test_client().open(url.removeprefix(BASE), method=method, json=json, headers=headers))

    def post(self, url: str, *, data: Any, headers: Any, timeout: float) -> Shim:
        return Shim(self.app.test_client().post(url.removeprefix(BASE), data=data, headers=headers))


@dataclass
class System:
    """A practice's system with its user, and the register that it stands in."""

    house: House
    kith: Kith
    user: User
    register: Path

    def ask(self, **headers: str) -> Any:
        """The GP check with these headers alone."""
        client = self.house.app.test_client()
        return client.post("/api/v1/gp-check", json=CHECK, headers={"Idempotency-Key": uuid4().hex, **headers})

    def form(self, **changes: Any) -> dict[str, str]:
        """A token exchange as it should be, and what is changed in it."""
        signed = self.kith._signed
        about = {"sub": self.user.sub, "role": self.user.role, "acr": "AAL2"}
        form = {
            "grant_type": TOKEN_EXCHANGE,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": signed({"sub": "demo-practice", **changes.pop("assertion", {})}),
            "subject_token_type": JWT_TYPE,
            "subject_token": signed({**about, **changes.pop("about", {})}),
        }
        return form | changes

    def token(self, form: dict[str, str], proofs: tuple[str, ...] | None = None) -> Any:
        given = (self.kith.proof("POST", "/oauth/token"),) if proofs is None else proofs
        headers = [("DPoP", one) for one in given]
        return self.house.app.test_client().post("/oauth/token", data=form, headers=headers)


@pytest.fixture
def system(house: House, tmp_path: Path) -> System:
    """A system with a register of its own, so that what a test writes into it is nobody else's."""
    folder = house.demonstration.folder / "client"
    register = house.hub.settings.clients_file
    assert register
    text = register.read_text().partition('[[client]]\nid = "demo-practice"')
    (tmp_path / "clients.toml").write_text("".join(text[1:]).replace("../client/", ""))
    (tmp_path / "keys.json").write_text((folder / "keys.json").read_text())
    own = with_parts(house, settings=replace(house.hub.settings, clients_file=tmp_path / "clients.toml"))
    kith, user = Kith.from_file(folder / "client.json")
    kith.session = InProcess(own)  # type: ignore[assignment]
    return System(own, kith, user, tmp_path / "clients.toml")


def changed(system: System, old: str, new: str) -> None:
    text = system.register.read_text()
    assert old in text
    system.register.write_text(text.replace(old, new))


# -- refusals at the token endpoint -----------------------------------------------------------------------


def wrong_forms(system: System) -> Iterator[tuple[str, dict[str, str], str]]:
    """What is wrong, the form, and the error."""
    now, kith = int(time.time()), system.kith
    other = Kith(BASE, "demo-practice", ECKey.generate_key("P-256"))
    claims = {"iss": "demo-practice", "sub": "demo-practice", "aud": BASE, "iat": now, "exp": now + 60}
    form = system.form
    for what, assertion in (
        ("a key that is not registered", other._signed({"sub": "demo-practice"})),
        ("no signature", _unsigned({**claims, "jti": uuid4().hex})),
        ("a shared secret", jwt.encode({"alg": "HS256"}, {**claims, "jti": uuid4().hex}, OctKey.generate_key(256))),
        ("nonsense", "x" * 40),
    ):
        yield what, form(client_assertion=assertion), "invalid_client"
    for what, change in (
        ("another audience", {"aud": "https://elsewhere.example"}),
        ("several audiences", {"aud": [BASE, "https://elsewhere.example"]}),
        ("another subject", {"sub": "demo-council"}),
        ("another issuer", {"iss": "demo-council", "sub": "demo-council", "jti": 7}),
        ("expired", {"iat": now - 300, "exp": now - 200}),
        ("from the future", {"iat": now + 90, "exp": now + 120}),
        ("long-lived", {"exp": now + 3_600}),
        ("no mark", {"jti": ""}),
    ):
        yield what, form(assertion=change), "invalid_client"
    used = form()
    assert system.token(used).status_code == 200
    yield "an assertion a second time", {**form(), "client_assertion": used["client_assertion"]}, "invalid_client"
    yield "a statement a second time", {**form(), "subject_token": used["subject_token"]}, "invalid_grant"
    for what, change in (
        ("a role that is not registered", {"role": "MASH_SOCIAL_WORKER"}),
        ("a role that is none", {"role": "ADMIN"}),
        ("a role that has ended", {"role_until": "2026-01-01T00:00:00Z"}),
        ("a role that is still to come", {"role_from": "2100-01-01T00:00:00Z"}),
        ("somebody who has left", {"employment": "ENDED"}),
        ("nobody", {"sub": ""}),
        ("a statement for another server", {"aud": "https://elsewhere.example"}),
        ("a statement that is old", {"iat": now - 300, "exp": now - 200}),
    ):
        yield what, form(about=change), "invalid_grant"
    yield "a statement that another system signed", form(subject_token=other._signed({"sub": "x"})), "invalid_grant"
    colleague = Kith(BASE, "demo-council", kith.key)
    theirs = colleague._signed({"sub": "ts-0001", "role": "MASH_SOCIAL_WORKER"})
    yield "another client's user", form(subject_token=theirs), "invalid_grant"
    yield "a password grant", form(grant_type="password"), "unsupported_grant_type"
    yield "another kind of statement", form(subject_token_type="urn:x"), "invalid_request"
    yield "a scope it is not registered for", form(scope="family-picture"), "invalid_scope"
    yield "a scope that is none", form(scope="everything"), "invalid_scope"


def _unsigned(claims: dict[str, Any]) -> str:
    from base64 import urlsafe_b64encode as encode

    parts = ({"alg": "none"}, claims)
    return ".".join(encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts) + "."


def test_no_token_is_given_to_whoever_is_not_a_registered_system_with_a_user_of_its_own(system: System) -> None:
    seen = 0
    for what, form, error in wrong_forms(system):
        answer = system.token(form)
        assert answer.json is not None, (what, answer.status_code, answer.text[:600])
        assert (what, answer.json.get("error")) == (what, error)
        assert (what, answer.status_code) == (what, 401 if error == "invalid_client" else 400)
        seen += 1
    assert seen >= 25


def test_no_token_is_given_without_one_good_proof_of_a_key(system: System) -> None:
    kith = system.kith
    good = kith.proof("POST", "/oauth/token")
    private = {"typ": "dpop+jwt", "alg": "ES256", "jwk": kith.key.as_dict(private=True)}
    claims = {"htm": "POST", "htu": BASE + "/oauth/token", "iat": int(time.time()), "jti": uuid4().hex}
    plain = {"typ": "JWT", "alg": "ES256", "jwk": kith.key.as_dict(private=False)}
    old = {**claims, "iat": claims["iat"] - 70}
    assert system.token(system.form(), ()).json["error"] == "invalid_request"
    for what, proofs in {
        "two": (good, kith.proof("POST", "/oauth/token")),
        "another method": (kith.proof("GET", "/oauth/token"),),
        "another address": (kith.proof("POST", "/api/v1/gp-check"),),
        "a private key in it": (jwt.encode(private, claims, kith.key),),
        "another kind": (jwt.encode(plain, claims, kith.key),),
        "old": (jwt.encode({**plain, "typ": "dpop+jwt"}, old, kith.key),),
        "signed by another key": (jwt.encode({**plain, "typ": "dpop+jwt"}, claims, ECKey.generate_key("P-256")),),
        "not signed": (_unsigned(claims),),
    }.items():
        assert (what, system.token(system.form(), proofs).json["error"]) == (what, "invalid_dpop_proof")
    assert system.token(system.form(), (good,)).status_code == 200
    assert system.token(system.form(), (good,)).json["error"] == "invalid_dpop_proof"


# -- refusals at the interface ----------------------------------------------------------------------------


def test_a_stolen_token_opens_nothing_without_its_key(system: System) -> None:
    asking = system.kith.for_user(system.user)
    thief = Kith(BASE, "demo-practice", ECKey.generate_key("P-256"))
    path, token = "/api/v1/gp-check", asking.token
    proof = system.kith.proof
    used = asking.headers("POST", path)
    assert system.ask(**used).status_code == 200
    for what, headers in {
        "as a bearer": {"Authorization": f"Bearer {token}"},
        "no proof": {"Authorization": f"DPoP {token}"},
        "another key": {"Authorization": f"DPoP {token}", "DPoP": thief.proof("POST", path, token)},
        "a proof seen before": used,
        "a proof for another address": {**used, "DPoP": proof("POST", "/api/v1/gp-checks", token)},
        "a proof for another method": {**used, "DPoP": proof("GET", path, token)},
        "a proof for another token": {**used, "DPoP": proof("POST", path, token + "x")},
        "a proof for no token": {**used, "DPoP": proof("POST", path)},
        "another token": {**used, "Authorization": "DPoP " + "A" * 43, "DPoP": proof("POST", path, "A" * 43)},
        "another scheme": {**used, "Authorization": f"Basic {token}"},
    }.items():
        answer = system.ask(**headers)
        assert (what, answer.status_code, answer.json["type"]) == (what, 401, f"{BASE}/problems/token-refused")
        assert answer.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')
        assert answer.json["detail"] == "The access token is not accepted."


def test_a_session_that_comes_along_with_a_bad_token_does_not_count(system: System) -> None:
    visitor = system.house.visitor("gp_millbrook")
    headers = {"X-CSRF-Token": visitor.token(), "Idempotency-Key": uuid4().hex, "Authorization": "Bearer " + "x" * 40}
    assert visitor.client.post("/api/v1/gp-check", json=CHECK, headers=headers).status_code == 401


def test_a_token_lasts_five_minutes_and_ends_at_once_when_it_is_revoked(system: System) -> None:
    asking = system.kith.for_user(system.user)
    body = {"token": asking.token, "client_assertion_type": JWT_BEARER}
    council = Kith(BASE, "demo-council", system.kith.key)
    for kith, still in ((council, 200), (system.kith, 401)):
        form = body | {"client_assertion": kith._signed({"sub": kith.client_id})}
        assert system.house.app.test_client().post("/oauth/revoke", data=form).status_code == 200
        assert system.ask(**asking.headers("POST", "/api/v1/gp-check")).status_code == still
    later = system.kith.for_user(system.user)
    system.house.clock.ahead = timedelta(minutes=5, seconds=1)
    old = {"iat": int(system.house.clock().timestamp())}
    proof = jwt.decode(later.kith.proof("POST", "/api/v1/gp-check", later.token), system.kith.key).claims | old
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": system.kith.key.as_dict(private=False)}
    headers = {"Authorization": f"DPoP {later.token}", "DPoP": jwt.encode(header, proof, system.kith.key)}
    assert system.ask(**headers).status_code == 401


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "demo-practice"\n', 'id = "demo-practice"\nactive = false\n'),
        ('roles = ["GP_CARE_COORDINATOR", "GP_CLINICIAN"]', 'roles = ["GP_CLINICIAN"]'),
        ('id = "demo-practice"', 'id = "another"'),
        ('agency = "gp-millbrook"', 'agency = "gp-harbourside"'),
    ],
)
def test_a_system_that_is_taken_out_of_the_register_is_out_at_the_next_request(
    system: System, old: str, new: str
) -> None:
    asking = system.kith.for_user(system.user)
    assert system.ask(**asking.headers("POST", "/api/v1/gp-check")).status_code == 200
    changed(system, old, new)
    assert system.ask(**asking.headers("POST", "/api/v1/gp-check")).status_code == 401


def test_a_user_whose_account_is_shut_is_out_at_the_next_request(system: System) -> None:
    asking = system.kith.for_user(system.user)
    with system.house.visitor("gp_millbrook").client.session_transaction() as session:
        user = session["actor"]["id"]
    with system.house.hub.db.writing() as session:
        session.execute(insert(suspensions).values(user=user, since=system.house.hub.clock(), alarm="0" * 32))
    try:
        assert system.ask(**asking.headers("POST", "/api/v1/gp-check")).status_code == 401
        with pytest.raises(Problem) as refused:
            system.kith.for_user(system.user)
        assert refused.value.kind == "invalid_grant"
    finally:
        with system.house.hub.db.writing() as session:
            session.execute(delete(suspensions).where(suspensions.c.user == user))


def test_another_account_of_a_person_who_is_shut_out_is_shut_too(system: System) -> None:
    hub, clock = system.house.hub, system.house.hub.clock
    first, other = ({"sub": sub, "person_number": number} for sub, number in (("one", "E-77"), ("two", " e-77 ")))
    user = "US-" + hub.keys.blind("user", f"{_provider(system)}\x1fone").hex()[:16]
    for about in (first, {"sub": "one"}, other):  # What does not say whose it is takes nothing back.
        assert system.token(system.form(about=about)).status_code == 200
    assert len(accounts_of(hub, user)) == 2
    asking = system.kith.for_user(User("two", system.user.role))
    with system.house.visitor("gp_millbrook").client.session_transaction() as session:
        actor = replace(actor_of(session["actor"]), id=user)
    suspension.shut(hub, RequestContext(actor, clock(), uuid4().hex), user, agency=actor.agency, alarm="0" * 32)
    try:
        assert system.ask(**asking.headers("POST", "/api/v1/gp-check")).status_code == 401
        for about in (first, other, {"sub": "three", "person_number": "E-77"}):
            assert system.token(system.form(about=about)).json["error"] == "invalid_grant"
        assert system.token(system.form(about={"sub": "four", "person_number": "E-78"})).status_code == 200
    finally:
        suspension.restore(hub, user)
    assert system.ask(**asking.headers("POST", "/api/v1/gp-check")).status_code == 401  # The token was ended.


def _provider(system: System) -> str:
    return str(system.house.app.extensions["signin"].issuers["demo"].issuer)


def test_what_a_system_leaves_out_takes_none_of_a_users_ties_from_the_radar(system: System) -> None:
    told = system.house.demonstration.county.people["pemberton.dorothy"]
    name = f"{' '.join(told.given)} {told.family}"
    ties = []
    for more in ({"name": name, "birthdate": told.born.isoformat()}, {}):
        assert system.token(system.form(about={"sub": "tied", **more})).status_code == 200
        with system.house.hub.db.session() as session:
            newest = select(desk_users.c.facts).order_by(desk_users.c.seen_at.desc()).limit(1)
            ties.append(session.scalar(newest)["own"])
    assert ties[0]
    assert ties[0] == ties[1]


def test_users_of_a_provider_that_does_not_serve_the_agency_are_nobody(system: System) -> None:
    issuers = system.house.app.extensions["signin"].issuers
    for changes in ({"agencies": frozenset({"csc"})}, {"for_citizens": True}):
        system.house.app.extensions["signin"].issuers = {**issuers, "demo": replace(issuers["demo"], **changes)}
        assert system.token(system.form()).json["error"] == "invalid_grant"


def test_what_a_system_may_do_is_its_scope_and_its_users_role_and_its_agreements(system: System) -> None:
    narrow = system.kith.for_user(system.user, scope="agreements")
    assert narrow.get("/api/v1/agreements")["items"]
    with pytest.raises(Problem) as refused:
        narrow.gp_check(NUMBER, agreement=AGREEMENT)
    assert (refused.value.status, refused.value.kind) == (403, "scope-missing")
    changed(system, 'scopes = ["gp-check",', 'scopes = ["gp-check", "enquiries",')
    changed(system, 'id = "demo-practice"\n', 'id = "demo-practice"\nagreements = ["THORN-MATCHING"]\n')
    with pytest.raises(Problem) as none:
        system.kith.for_user(system.user, scope="gp-check")
    assert none.value.kind == "invalid_scope"  # No agreement that it may name lets its agency receive for that.
    changed(system, 'agreements = ["THORN-MATCHING"]', 'agreements = ["THORN-GP-CHECK"]')
    asking = system.kith.for_user(system.user)
    assert asking.gp_check(NUMBER, agreement=AGREEMENT)["answer"] == "YES"
    changed(system, 'agreements = ["THORN-GP-CHECK"]', 'agreements = ["THORN-MATCHING"]')
    with pytest.raises(Problem) as not_named:
        asking.gp_check(NUMBER, agreement=AGREEMENT)
    assert not_named.value.kind == "agreement"


def test_a_system_alone_learns_nothing_about_anybody(system: System) -> None:
    alone = system.kith.alone()
    assert alone.get("/api/v1/agreements/THORN-GP-CHECK/1")["your_part"] == "RECIPIENT"
    with pytest.raises(Problem) as refused:
        alone.gp_check(NUMBER, agreement=AGREEMENT)
    assert refused.value.kind == "scope-missing"
    with pytest.raises(Problem) as asked:
        system.kith.alone(scope="gp-check")
    assert asked.value.kind == "invalid_scope"


@pytest.mark.parametrize(
    "line",
    ['scopes = ["everything"]', "per_minute = 0", 'certificates = ["nowhere.pem"]', "surprise = 1", "roles = 7"],
)
def test_an_entry_that_is_not_understood_keeps_out_its_own_client_and_no_other(system: System, line: str) -> None:
    text = system.register.read_text()
    system.register.write_text(text + f'\n[[client]]\nid = "c"\nagency = "csc"\njwks_file = "keys.json"\n{line}\n')
    assert system.token(system.form()).status_code == 200
    known = read_clients(system.register)
    assert ("c" in known, "demo-practice" in known, len(faulty_entries(system.register))) == (False, True, 1)
    system.register.write_text(text + '\n[[client]]\nid = "demo-practice"\n')  # Which of the two counts?
    assert system.token(system.form()).json["error"] == "invalid_client"


def test_a_register_that_cannot_be_read_lets_nobody_in_and_says_so_to_machines(system: System) -> None:
    asking = system.kith.for_user(system.user)
    for text in ("[[client", "client = 7", None):
        system.register.unlink() if text is None else system.register.write_text(text)
        with pytest.raises(SettingsRefused):
            read_clients(system.register)
        answer = system.token(system.form())
        assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
        assert system.ask(**asking.headers("POST", "/api/v1/gp-check")).status_code == 503


def test_a_certificate_that_was_replaced_is_good_no_longer(system: System, tmp_path: Path) -> None:
    certificate(tmp_path, "client")
    changed(system, 'id = "demo-practice"\n', 'id = "demo-practice"\ncertificates = ["client.pem"]\n')
    (old,) = read_clients(system.register)["demo-practice"].certificates
    certificate(tmp_path, "client")
    (new,) = read_clients(system.register)["demo-practice"].certificates
    assert old.thumbprint != new.thumbprint
    (tmp_path / "client.pem").write_text("nothing")
    assert "demo-practice" not in read_clients(system.register)


def test_clients_are_listed_with_what_keeps_them_out(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "read_settings", lambda: system.house.hub.settings)
    listed = CliRunner().invoke(commands.clients, ["list"])
    assert (listed.exit_code, "demo-practice" in listed.output) == (0, True)
    system.register.write_text(system.register.read_text() + "\n[[client]]\nsurprise = 1\n")
    listed = CliRunner().invoke(commands.clients, ["list"])
    assert (listed.exit_code, "is not understood" in listed.output) == (1, True)


# -- answers ----------------------------------------------------------------------------------------------


def test_a_practices_system_asks_for_its_user_and_the_trail_names_both(system: System) -> None:
    hub = system.house.hub
    said = system.kith.for_user(system.user).gp_check(NUMBER, agreement=AGREEMENT)
    assert (said["answer"], said["agreements"]) == ("YES", [AGREEMENT])
    entry = hub.trail.entry(said["receipt"]["eid"])
    assert entry.fields["client"]["id"] == "demo-practice"
    assert (entry.fields["user"]["role"], entry.fields["user"]["assurance"]) == ("GP_CARE_COORDINATOR", "STRONG")
    # The same person at the page and through the system is one user: budgets and suspensions are theirs.
    assert system.house.visitor("gp_millbrook").get(f"/receipts/{said['receipt']['eid']}").status_code == 200
    assert system.house.visitor("gp_harbourside").get(f"/receipts/{said['receipt']['eid']}").status_code == 404


def test_the_user_is_decided_on_and_not_the_machine(system: System) -> None:
    """The same system and question: a weak sign-in is refused, and somebody asking about themselves."""
    weak = User(system.user.sub, system.user.role, {"acr": "AAL1"})
    assert system.kith.for_user(weak).gp_check(NUMBER, agreement=AGREEMENT)["answer"] == "NOT_AVAILABLE"
    told = system.house.demonstration.county.people["pemberton.dorothy"]
    name = f"{' '.join(told.given)} {told.family}"
    herself = User("dorothy", system.user.role, {"name": name, "birthdate": told.born.isoformat()})
    assert system.kith.for_user(herself).gp_check(NUMBER, agreement=AGREEMENT)["answer"] == "NOT_AVAILABLE"


def test_a_councils_system_goes_from_a_referral_to_the_picture(system: System) -> None:
    council = Kith(BASE, "demo-council", system.kith.key)
    council.session = system.kith.session
    asking = council.for_user(User("ts-0001", "MASH_SOCIAL_WORKER"))
    under = {"purpose": "S47_ENQUIRY", "agreement": "THORN-MASH/2"}
    opened = asking.post(
        "/api/v1/enquiries",
        {
            **under,
            "subject": {"nhs_number": "999 700 0048"},
            "reference": "REF/2026/0417",
            "rationale": "Bruising seen at school and the explanation does not fit",
            "threshold": "S47_DECISION",
        },
    )
    here = f"/api/v1/enquiries/{opened['enquiry']['id']}"
    told = asking.post(f"{here}/persons", {"candidate": opened["candidates"][0]["candidate"]})
    asked = {**under, "subject": told["subject"]}
    assert asking.post(f"{here}/known-to", asked)["cells"]
    picture = asking.post(f"{here}/picture", asked)
    assert picture["events"]
    assert asking.get(f"/api/v1/receipts/{picture['receipt']['eid']}")["proof"]["leaf"]


# -- certificates -----------------------------------------------------------------------------------------


def certificate(folder: Path, name: str, *, days: int = 90, host: bool = False) -> tuple[str, str]:
    """A self-signed certificate and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begins = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    if host:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.pem").write_bytes(pem)
    (folder / f"{name}.key").write_bytes(private)
    return str(folder / f"{name}.pem"), str(folder / f"{name}.key")


@contextmanager
def served(house: House, context: ssl.SSLContext | None) -> Iterator[str]:
    """The house on loopback, over TLS when there is a context; its address."""
    server = make_server("127.0.0.1", 0, lambda _e, _s: [], threaded=True, ssl_context=context)
    url = f"{'https' if context else 'http'}://127.0.0.1:{server.port}"
    server.app = with_parts(house, settings=replace(house.hub.settings, base_url=url)).app
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_system_with_a_certificate_gets_a_token_bound_to_it(system: System, tmp_path: Path) -> None:
    host, ours = certificate(tmp_path, "host", host=True), certificate(tmp_path, "practice")
    theirs, ends = certificate(tmp_path, "stranger"), certificate(tmp_path, "ends", days=7)
    changed(system, 'id = "demo-practice"\n', 'id = "demo-practice"\ncertificates = ["practice.pem", "ends.pem"]\n')
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*host)
    context.verify_mode = ssl.CERT_OPTIONAL
    for known in (ours, theirs, ends):
        context.load_verify_locations(known[0])
    with served(system.house, context) as url:
        kith = Kith(url, "demo-practice", system.kith.key, certificate=ours, ca_file=host[0])
        form = {"grant_type": TOKEN_EXCHANGE, "subject_token_type": JWT_TYPE}
        asking = kith.for_user(system.user)
        assert asking.gp_check(NUMBER, agreement=AGREEMENT)["answer"] == "YES"
        stranger = Kith(url, "demo-practice", system.kith.key, certificate=theirs, ca_file=host[0])
        with pytest.raises(Problem) as unknown:
            stranger.for_user(system.user)
        assert unknown.value.kind == "invalid_client"
        with pytest.raises(Problem) as stolen:
            Asking(stranger, asking.token).gp_check(NUMBER, agreement=AGREEMENT)
        assert stolen.value.kind == "token-refused"
        bare = Kith(url, "demo-practice", system.kith.key, ca_file=host[0])
        refused = bare.session.post(f"{url}/oauth/token", data={**form, "client_id": "demo-practice"}, timeout=5)
        assert refused.json()["error"] == "invalid_client"
        for one in (kith, stranger, bare):
            one.session.close()
    soon = ending(read_clients(system.register).values(), datetime.now(UTC))
    assert [(client.id, one.file) for client, one in soon] == [("demo-practice", "ends.pem")]


def test_the_metadata_says_what_there_is(system: System) -> None:
    told = system.house.app.test_client().get("/.well-known/oauth-authorization-server").json
    assert told["issuer"] == BASE
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    assert told["tls_client_certificate_bound_access_tokens"] is True
    assert "none" not in told["dpop_signing_alg_values_supported"]
