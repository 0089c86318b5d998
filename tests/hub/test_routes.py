"""Every door of the house: who may go through it, that a foreign page cannot push anybody through it, and what
every answer carries. Closed by default: a door that is not in the table below is a failure of this test.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine

from audit import TrailUnavailable
from hub.db import Database
from hub.headers import FAMILIES, OPEN, access_of
from policies.vocabulary import Role
from tests.access import oracle
from tests.access.matrix import require_a_row_for_every_door
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, check_by_api, with_parts

EVERYBODY = "everybody signed in"


def _roles(group: str) -> str:
    return " ".join(sorted(oracle.groups()[group]))


#: The truth, written by hand and not taken from the code: who may enter what. A new door gets its line in
#: tests/access/doors.csv, and a new group of roles one in tests/access/groups.csv; nothing is added here.
DOORS = {
    door.name: OPEN if door.who == oracle.OPEN else EVERYBODY if door.who == "everybody" else _roles(door.who)
    for door in oracle.doors()
}
#: For members of the public about themselves. No role of an agency enters: staff are sent to their start page.
PUBLIC = frozenset(
    {
        "POST /my/sign-out",
        "GET /my/record",
        "GET /my/looked",
        "GET /my/choices",
        "POST /my/choices",
        "GET /my/corrections",
        "POST /my/corrections",
    }
)
CLOSED = [door for door, who in DOORS.items() if who != OPEN]
CHANGING = [door for door in CLOSED if door.startswith("POST ")]

#: The matrix is about roles and routes, not about the database.
on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


def doors_of(app: Flask) -> dict[str, str]:
    """Every way in that the application really has: "METHOD /rule" and its endpoint."""
    return {
        f"{method} {rule.rule}": rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def knock(visitor: Visitor, door: str, **more: Any) -> Any:
    """Tries a door with a made-up id and no form."""
    method, rule = door.split(" ")
    return visitor.client.open(re.sub(r"<[^>]+>", "0" * 32, rule), method=method, **more)


@on_one_engine
def test_every_door_is_in_the_table_and_marked_as_the_table_says(house: House) -> None:
    require_a_row_for_every_door(house.app)
    doors = doors_of(house.app)
    with house.app.app_context():
        for door, who in DOORS.items():
            marked = access_of(doors[door])
            public = FAMILIES if door in PUBLIC else OPEN
            assert marked == (public if who == OPEN else frozenset(Role) if who == EVERYBODY else set(who.split())), (
                door
            )


@on_one_engine
def test_a_door_that_nobody_marked_stays_shut_for_everybody(house: House, gate: Gate) -> None:
    unmarked = with_parts(house)
    unmarked.app.add_url_rule("/new", "new", lambda: "something")
    assert Visitor(unmarked).get("/new").status_code == 403
    visitor = Visitor(unmarked)
    visitor.sign_in("mash_decision_maker")
    assert visitor.get("/new").status_code == 403


@on_one_engine
@pytest.mark.parametrize("door", CLOSED)
def test_who_is_not_signed_in_is_sent_to_sign_in_or_told_to(house: House, door: str) -> None:
    answer = knock(Visitor(house), door)
    if "/api/" in door:
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"
        assert answer.json["title"] == "Sign in first"
    else:
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


@on_one_engine
@pytest.mark.parametrize("role", list(Role))
def test_each_role_enters_what_is_theirs_and_nothing_else(gate: Gate, role: Role) -> None:
    visitor = gate.visitor(role)
    token = visitor.token()
    shut = 0
    for door in CLOSED:
        if door == "POST /sign-out":
            continue
        answer = knock(visitor, door, headers={"X-CSRF-Token": token})
        if DOORS[door] == EVERYBODY or role in DOORS[door].split():
            assert answer.status_code in (200, 303, 404, 415, 422) or "GP_CHECK" in door, (role, door)
            assert "This page is not part of your role" not in answer.text, (role, door)
        else:
            shut += 1
            assert answer.status_code == 403, (role, door)
            assert "This page is not part of your role." in answer.text
    assert shut >= 6
    assert knock(visitor, "POST /sign-out", headers={"X-CSRF-Token": token}).status_code == 303


# -- foreign pages ----------------------------------------------------------------------------------------

PERSONA_FOR = {
    _roles("answerers"): "school_lead",
    _roles("practice"): "gp_millbrook",
    _roles("oversight"): "ig_officer",
    _roles("keepers"): "ig_officer",
    _roles("stewards"): "data_steward",
    _roles("caretakers"): "data_steward",
}
#: What a foreign page may send along, and what it gets.
FORGED: list[tuple[dict[str, str], dict[str, str], int]] = [
    ({}, {}, 400),
    ({"csrf_token": ""}, {}, 400),
    ({"csrf_token": "-"}, {}, 400),
    ({"csrf_token": "é"}, {}, 400),
    ({"csrf_token": "another-sessions-token"}, {}, 400),
    ({}, {"X-CSRF-Token": "another-sessions-token"}, 400),
    ({"csrf_token": "TOKEN"}, {"Sec-Fetch-Site": "cross-site"}, 403),
    ({"csrf_token": "TOKEN"}, {"Sec-Fetch-Site": "same-site"}, 403),
]


@on_one_engine
@pytest.mark.parametrize("door", CHANGING)
def test_a_foreign_page_changes_nothing(house: House, door: str) -> None:
    visitor = house.visitor(PERSONA_FOR.get(DOORS[door], "mash_social_worker"))
    for with_token in (False, True):
        token = visitor.token() if with_token else "none was given out yet"
        before = house.hub.trail.head().size
        for form, headers, status in FORGED:
            sent = {name: value.replace("TOKEN", token) for name, value in form.items()}
            answer = knock(visitor, door, data=sent, headers=headers)
            assert answer.status_code == status, (form, headers)
            assert answer.content_type.startswith("application/problem+json" if "/api/" in door else "text/html")
        assert house.hub.trail.head().size == before
    assert visitor.get("/receipts/" + "0" * 32).status_code == 404  # Still signed in.


@on_one_engine
def test_our_own_page_does(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    page = visitor.get("/enquiries/new")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    for site in ("same-origin", "none"):
        answer = visitor.client.post("/enquiries/new", data={"csrf_token": token[1]}, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 422


# -- what every answer carries ----------------------------------------------------------------------------


@on_one_engine
def test_every_answer_keeps_browsers_from_leaking_it(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    answers = [visitor.get(path) for path in ("/enquiries", "/enquiries/new", "/nothing", "/livez", "/openapi.json")]
    answers += [visitor.get("/static/kith.css"), visitor.client.delete("/enquiries"), visitor.get("/ig")]
    answers += [Visitor(house).get("/"), visitor.client.post("/enquiries/new"), Visitor(house).get("/api/v1/gp-check")]
    assert {answer.status_code for answer in answers} == {200, 303, 400, 403, 404, 405}
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "*" not in policy
        for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
            assert part in policy
        assert answer.headers["Cache-Control"] == "no-store", answer.request.path
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert len(answer.headers["X-Request-Id"]) == 32
        assert "Server" not in answer.headers or "Werkzeug" not in answer.headers["Server"]


@on_one_engine
def test_each_page_has_a_nonce_of_its_own_and_no_script_without_it(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    nonces = set()
    for path in ("/enquiries", "/enquiries", "/enquiries/new", "/nothing"):
        answer = visitor.get(path)
        nonce = re.search(r"script-src 'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert nonce
        nonces.add(nonce[1])
        for script in re.findall(r"<script[^>]*>", answer.text):
            assert f'nonce="{nonce[1]}"' in script
        assert not re.search(r"<[^>]+\s(on\w+|style)=", answer.text)
    assert len(nonces) == 4


@on_one_engine
def test_only_what_is_the_same_for_everybody_may_be_kept(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    sheet = re.search(r"/static/kith\.[0-9a-f]{10}\.css", visitor.get("/enquiries").text)
    assert sheet
    assert visitor.get(sheet[0]).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    missing = visitor.get("/static/no-such-file.css")
    assert missing.status_code == 404
    assert "Rosalind" in missing.text  # The page greets the user: it must not be kept by a proxy.
    assert missing.headers["Cache-Control"] == "no-store"


# -- words of refusals ------------------------------------------------------------------------------------

#: Method, path, what is sent, status and words. All by a signed-in MASH social worker.
WRONG: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/no/such/page", {}, 404, "There is no such page, or it is not yours to see."),
    ("GET", "/enquiries/EN-0000000000000000", {}, 404, "There is no such enquiry."),
    ("GET", "/receipts/nonsense", {}, 404, "There is no such receipt."),
    ("GET", "/receipts/" + "0" * 32, {}, 404, "There is no such receipt."),
    ("DELETE", "/enquiries", {}, 405, "This address cannot be used in that way."),
    ("POST", "/enquiries", {"data": {}}, 405, "This address cannot be used in that way."),
    ("GET", "/sign-out", {}, 405, "This address cannot be used in that way."),
    ("POST", "/enquiries/new", {"data": {"who": "x" * 70_000}}, 413, "larger than any form here"),
    ("POST", "/enquiries/new", {"data": {f"f{n}": "x" for n in range(2000)}}, 422, "There is a problem"),
    ("POST", "/enquiries/new", {"data": {}}, 422, "There is a problem"),
    ("GET", "/ig", {}, 403, "This page is not part of your role."),
    ("PUT", "/api/v1/gp-check", {}, 405, "This address cannot be used in that way."),
    ("GET", "/api/v1/nothing", {}, 404, "There is no such page"),
    ("POST", "/api/v1/gp-check", {"json": {}}, 403, "This page is not part of your role."),
]


@on_one_engine
@pytest.mark.parametrize(("method", "path", "sent", "status", "words"), WRONG, ids=lambda value: str(value)[:40])
def test_a_refusal_says_what_happened_and_what_to_do(
    house: House, method: str, path: str, sent: dict[str, Any], status: int, words: str
) -> None:
    visitor = house.visitor("mash_social_worker")
    answer = visitor.client.open(path, method=method, headers={"X-CSRF-Token": visitor.token()}, **sent)
    assert answer.status_code == status
    assert words in answer.text
    if status == 405:
        assert answer.headers["Allow"]
    if path.startswith("/api/"):
        assert answer.content_type == "application/problem+json"
        assert answer.json["status"] == status
        assert set(answer.json) == {"type", "title", "status", "detail", "trace_id"}
        assert answer.json["trace_id"] == answer.headers["X-Request-Id"]
    elif status not in (422,):
        assert answer.headers["X-Request-Id"][:12] in answer.text


SECRET = "Maisie Tarrant, born 4 9 2019"


class Broken:
    """A part of the hub that fails with something about a person in its words."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise self._error

        return fail


@dataclass(frozen=True)
class Failure:
    """What breaks, and what the user is told."""

    part: str
    error: Exception
    status: int
    words: str


FAILURES = [
    Failure("agreements", RuntimeError(SECRET), 500, "The fault is ours, and nothing was shown."),
    Failure("trail", RuntimeError(SECRET), 500, "The fault is ours, and nothing was shown."),
    Failure("trail", TrailUnavailable(SECRET), 503, "nobody was asked and nothing is shown"),
]


@on_one_engine
@pytest.mark.parametrize("failure", FAILURES, ids=lambda f: f"{f.part} {type(f.error).__name__}")
def test_a_part_that_breaks_shows_nothing_of_what_it_said(house: House, failure: Failure) -> None:
    visitor = house.visitor("gp_millbrook")
    broken = with_parts(house, **{failure.part: Broken(failure.error)})
    visitor.house, visitor.client = broken, _same_browser(visitor, broken)
    page = visitor.post("/gp-check", {"nhs_number": "9997000048"})
    problem = check_by_api(visitor, "9997000048")
    for answer in (page, problem):
        assert answer.status_code == failure.status
        assert failure.words in answer.text
        for leak in ("Maisie", "Traceback", "RuntimeError", "TrailUnavailable", "9997000048"):
            assert leak not in answer.text
        assert (answer.headers.get("Retry-After") == "5") == (failure.status == 503)
    assert problem.content_type == "application/problem+json"
    assert problem.json["status"] == failure.status


def _same_browser(visitor: Visitor, house: House) -> Any:
    """A client with the same cookies at another door of the same house."""
    client = house.app.test_client()
    cookie = visitor.client.get_cookie("kith")
    assert cookie is not None
    client.set_cookie("kith", cookie.value)
    return client


@on_one_engine
def test_when_the_database_is_down_there_is_a_page_that_says_so(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    engine = create_engine("sqlite:////nowhere/at/all.sqlite", hide_parameters=True)
    down = with_parts(house, db=Database(engine))
    browser = _same_browser(visitor, down)
    for path in ("/enquiries", "/", "/ig"):
        answer = browser.get(path)
        assert answer.status_code == 503, path
        assert "database does not answer" in answer.text
        assert "unable to open" not in answer.text
        assert answer.headers["Retry-After"] == "5"
        assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
    problem = browser.post("/api/v1/gp-check", json={})
    assert (problem.status_code, problem.content_type) == (503, "application/problem+json")
    assert browser.get("/livez").status_code == 200
    assert browser.get("/sign-in/demo/start").status_code == 503  # Nowhere to remember the sign-in.
    engine.dispose()


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_the_probes_answer_and_say_nothing_about_anybody(house: House, path: str) -> None:
    house.visitor("mash_social_worker").get("/enquiries")
    answer = Visitor(house).get(path)
    assert answer.status_code == 200
    assert "Rosalind" not in answer.text
    assert "US-" not in answer.text


@on_one_engine
def test_a_hub_without_its_database_is_alive_and_not_ready(house: House) -> None:
    engine = create_engine("sqlite:////nowhere/at/all.sqlite")
    down = with_parts(house, db=Database(engine), settings=replace(house.hub.settings))
    assert Visitor(down).get("/livez").json == {"status": "ok"}
    answer = Visitor(down).get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "unavailable"})
    engine.dispose()
