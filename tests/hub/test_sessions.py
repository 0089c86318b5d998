"""Sessions: how long somebody is let in, what a thief of the database or of a cookie gets, and what is not lost."""

import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.tables import web_sessions
from tests.conftest import House, Visitor, choose_persona
from tests.hub.conftest import Gate, newest, with_parts

FORM = {
    "purpose": "S47_ENQUIRY",
    "reference": "TH/2026/77",
    "rationale": "A neighbour rang about shouting and a crying child",
    "threshold": "S47_DECISION",
    "who": "Maisie Tarrant",
}


def cookie_of(visitor: Visitor) -> str:
    found = visitor.client.get_cookie("kith")
    assert found is not None
    return found.value


def is_in(visitor: Visitor) -> bool:
    answer = visitor.get("/enquiries")
    assert answer.status_code in (200, 303)
    return bool(answer.status_code == 200)


def ahead(house: House, **time: float) -> None:
    house.clock.ahead = timedelta(**time)


def sign_in_again(visitor: Visitor, persona: str) -> Any:
    """Signs the same browser in, at the provider's own time; returns where it is sent."""
    visitor.house.clock.ahead = None
    started = visitor.get("/sign-in/demo/start")
    finished = visitor.get(choose_persona(started.headers["Location"], persona))
    assert finished.status_code == 303
    return finished.headers["Location"]


# -- how long ---------------------------------------------------------------------------------------------


def test_a_desk_that_nobody_used_for_longer_than_the_idle_limit_is_signed_out(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    ahead(house, minutes=14, seconds=55)
    assert is_in(visitor)
    ahead(house, minutes=29, seconds=45)
    assert is_in(visitor)
    ahead(house, minutes=45)
    assert not is_in(visitor)
    page = visitor.get("/sign-in")
    assert "You were signed out because you had not used Kith for a while." in page.text


def test_nobody_stays_longer_than_the_absolute_limit_however_busy(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    for minutes in range(10, 481, 10):
        ahead(house, minutes=minutes - 1)
        assert is_in(visitor), minutes
    ahead(house, minutes=481)
    assert not is_in(visitor)


def test_a_clock_that_was_put_back_does_not_bring_a_session_to_life(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    visitor.post("/sign-out")
    ahead(house, hours=-2)
    assert not is_in(visitor)


def test_a_role_that_lapses_during_a_session_bites_at_the_next_request(gate: Gate) -> None:
    until = (gate.hub.clock() + timedelta(minutes=5)).isoformat()
    visitor, api = gate.visitor(role_until=until), gate.visitor("GP_CLINICIAN", agency="gp-millbrook", role_until=until)
    assert is_in(visitor)
    token = api.token()
    ahead(gate.house, minutes=5)
    answer = visitor.get("/enquiries")
    assert answer.status_code == 403
    assert "your role has ended" in answer.text
    assert "Sign out" not in answer.text
    assert not is_in(visitor)
    refused = api.client.post("/api/v1/gp-check", json={}, headers={"X-CSRF-Token": token})
    assert refused.status_code == 403
    assert refused.content_type == "application/problem+json"
    gate.house.clock.ahead = None
    assert not is_in(visitor)


def test_a_worker_whose_role_goes_on_is_not_disturbed(gate: Gate) -> None:
    visitor = gate.visitor(role_until=(gate.hub.clock() + timedelta(minutes=30)).isoformat())
    ahead(gate.house, minutes=10)
    assert is_in(visitor)


# -- what a thief gets ------------------------------------------------------------------------------------


def test_whoever_reads_the_database_finds_no_cookie_and_no_name(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    cookie = cookie_of(visitor)
    with house.hub.db.session() as session:
        rows = session.execute(select(web_sessions)).all()
    assert rows
    everything = repr(rows)
    for secret in (cookie, "Rosalind", "Achebe", "MASH_SOCIAL_WORKER"):
        assert secret not in everything


def test_a_session_that_was_copied_under_another_cookie_opens_for_nobody(house: House) -> None:
    worker, officer = house.visitor("mash_social_worker"), house.visitor("ig_officer")
    with house.hub.db.writing() as session:
        own, others = (hashlib.sha256(cookie_of(v).encode()).digest() for v in (worker, officer))
        taken = session.execute(select(web_sessions.c.sealed).where(web_sessions.c.id_hash == others)).scalar_one()
        session.execute(update(web_sessions).where(web_sessions.c.id_hash == own).values(sealed=taken))
    assert not is_in(worker)
    assert officer.get("/ig").status_code == 200


def test_the_cookie_is_for_this_host_and_no_script(house: House) -> None:
    visitor = Visitor(house)
    started = visitor.get("/sign-in/demo/start")
    flags = started.headers["Set-Cookie"]
    assert re.fullmatch(r"kith=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax", flags)


def test_over_https_the_cookie_is_bound_to_the_host_and_to_https(gate: Gate) -> None:
    settings = replace(gate.hub.settings, base_url="https://kith.example.gov.uk")
    started = with_parts(gate.house, settings=settings).app.test_client().get("/sign-in/test/start")
    flags = started.headers["Set-Cookie"]
    assert re.fullmatch(r"__Host-kith=[\w-]{43}; Secure; HttpOnly; Path=/; SameSite=Lax", flags)
    assert "max-age" in started.headers["Strict-Transport-Security"]


def test_a_cookie_from_before_the_sign_in_is_worth_nothing_after_it(house: House) -> None:
    visitor = Visitor(house)
    visitor.get("/sign-in/demo/start")
    planted = cookie_of(visitor)
    sign_in_again(visitor, "mash_social_worker")
    assert cookie_of(visitor) != planted
    thief = Visitor(house)
    thief.client.set_cookie("kith", planted)
    assert not is_in(thief)


def test_a_second_sign_in_ends_the_first(house: House) -> None:
    first, second = house.visitor("mash_social_worker"), house.visitor("mash_social_worker")
    assert not is_in(first)
    assert is_in(second)


def test_signing_out_ends_the_session_at_once_also_for_a_copied_cookie(house: House) -> None:
    visitor, thief = house.visitor("mash_social_worker"), Visitor(house)
    thief.client.set_cookie("kith", cookie_of(visitor))
    assert is_in(thief)
    answer = visitor.post("/sign-out")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in"
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_in(visitor)
    assert not is_in(thief)
    assert newest(house.hub).kind == "sign-out"


@pytest.mark.parametrize("cookie", ["", "x", "x" * 65, "é", "'; DROP TABLE web_sessions; --"])
def test_a_made_up_cookie_is_no_session(house: House, cookie: str) -> None:
    visitor = Visitor(house)
    visitor.client.set_cookie("kith", cookie)
    assert not is_in(visitor)


# -- what is not lost -------------------------------------------------------------------------------------


def test_what_was_typed_when_the_session_ended_is_there_after_the_same_worker_signs_in(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    visitor.get("/enquiries/new")
    token = visitor.token()
    ahead(house, minutes=16)
    answer = visitor.client.post("/enquiries/new", data={**FORM, "csrf_token": token})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert "What you typed is kept" in visitor.get("/sign-in").text
    assert sign_in_again(visitor, "mash_social_worker") == "/enquiries/new"
    page = visitor.get("/enquiries/new").text
    assert "Maisie Tarrant" in page
    assert "A neighbour rang" in page
    assert "Maisie Tarrant" not in visitor.get("/enquiries/new").text  # Once.


def test_what_was_typed_is_not_there_for_the_next_worker_at_the_same_desk(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    token = visitor.token()
    ahead(house, minutes=16)
    visitor.client.post("/enquiries/new", data={**FORM, "csrf_token": token})
    assert sign_in_again(visitor, "mash_decision_maker") == "/"
    assert "Maisie Tarrant" not in visitor.get("/enquiries/new").text


@pytest.mark.parametrize("token", ["", "-", "another-sessions", "é"])
def test_another_site_cannot_plant_text_in_the_desk_of_somebody_whose_session_ended(house: House, token: str) -> None:
    visitor = house.visitor("mash_social_worker")
    ahead(house, minutes=16)
    visitor.client.post("/enquiries/new", data={**FORM, "csrf_token": token})
    assert "What you typed is kept" not in visitor.get("/sign-in").text
    assert sign_in_again(visitor, "mash_social_worker") == "/"
    assert "Maisie Tarrant" not in visitor.get("/enquiries/new").text


def test_whoever_presses_sign_out_on_an_ended_session_simply_starts_afresh(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    token = visitor.token()
    ahead(house, minutes=16)
    answer = visitor.client.post("/sign-out", data={"csrf_token": token})
    assert answer.headers["Location"] == "/sign-in"
    assert "What you typed is kept" not in visitor.get("/sign-in").text
    assert sign_in_again(visitor, "mash_social_worker") == "/"


#: Addresses that only take forms, and the page with the form, to which the worker goes back.
@pytest.mark.parametrize("what", ["search", "person"])
def test_after_signing_in_the_worker_is_back_on_a_page_that_can_be_opened(house: House, what: str) -> None:
    visitor = house.visitor("mash_social_worker")
    opened = visitor.post("/enquiries/new", FORM)
    assert opened.status_code == 200, opened.text
    enquiry = re.search(r"/enquiries/(EN-\w+)/search", opened.text)
    assert enquiry
    token = visitor.token()
    ahead(house, minutes=16)
    form = {"who": "Jayden Tarrant", "person": "PE-x", "csrf_token": token}
    visitor.client.post(f"/enquiries/{enquiry[1]}/{what}", data=form)
    back = sign_in_again(visitor, "mash_social_worker")
    assert back == f"/enquiries/{enquiry[1]}"
    page = visitor.get(back)
    assert page.status_code == 200
    if what == "search":
        assert "Jayden Tarrant" in page.text
