"""Where a protected person is: to nobody first, then once to a role that is named for it, and looked into."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select

from hub import enquiries, questions
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.tables import duties
from hub.tasks import INVESTIGATE
from policies.vocabulary import Role
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate
from tests.hub.test_stories import SHIELDED, candidates, choose

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
WHY = "Two officers will drive there now to bring them to safety"


@pytest.fixture(autouse=True)
def _nobody_looked(house: House) -> Iterator[None]:
    yield
    with house.hub.db.writing() as session:
        session.execute(delete(duties).where(duties.c.kind == INVESTIGATE))


def enquire(visitor: Visitor) -> str:
    told = STORIES["shielded"]
    typed = {
        "purpose": "S47_ENQUIRY",
        "reference": "REF/9",
        "rationale": "The father was seen near the school and asked for her",
        "who": f"{told.name} {told.nhs_number}",
        "threshold": "S47_DECISION",
    }
    page = visitor.post("/enquiries/new", typed)
    assert page.status_code == 200, page.text
    return choose(visitor, page.text, candidates(page.text)[0])


def form(page: str) -> dict[str, str]:
    once, person = re.search(r'name="once" value="([^"]+)"', page), re.search(r'type="radio" value="([^"]+)"', page)
    assert once, page
    assert person, page
    return {"once": once[1], "person": person[1], "reason": WHY}


def investigations(house: House) -> list[Any]:
    with house.hub.db.session() as session:
        return list(session.execute(select(duties).where(duties.c.kind == INVESTIGATE)).mappings())


@on_one_engine
def test_whoever_is_not_named_for_it_sees_the_page_of_nothing_held(house: House, gate: Gate) -> None:
    for visitor in (
        gate.visitor(Role.MASH_SOCIAL_WORKER),
        gate.visitor(Role.MASH_SCREENING_OFFICER),
        gate.visitor(Role.AGENCY_NAVIGATOR, agency="police"),
        gate.visitor(Role.MASH_DECISION_MAKER),
    ):
        at = enquire(visitor) + "/protected"
        page = visitor.post(at, form(visitor.get(at).text))
        assert page.status_code == 200
        assert "says nothing about whether there is one" in page.text
        assert not any(word in page.text for word in SHIELDED)
    assert investigations(house) == []


@on_one_engine
def test_without_its_own_reason_nothing_is_opened(gate: Gate) -> None:
    visitor = gate.visitor(Role.POLICE_MASH_SUPERVISOR, agency="police")
    at = enquire(visitor) + "/protected"
    assert visitor.post(at, {}).status_code == 403
    typed = form(visitor.get(at).text)
    for wrong in ({"reason": "urgent"}, {"person": "p0"}, {"once": "again"}):
        page = visitor.post(at, {**typed, **wrong})
        assert page.status_code == 422
        assert not any(word in page.text for word in SHIELDED)


@on_one_engine
def test_a_named_role_sees_it_once_and_information_governance_looks_into_it(house: House, gate: Gate) -> None:
    before = len(investigations(house))
    visitor = gate.visitor(Role.POLICE_MASH_SUPERVISOR, agency="police")
    enquiry = enquire(visitor)
    at = enquiry + "/protected"
    assert not any(word in visitor.get(f"{enquiry}/picture").text for word in SHIELDED)
    typed = form(visitor.get(at).text)
    page = visitor.post(at, typed)
    assert SHIELDED[0] in page.text
    assert "kith-no-export" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Refresh"].startswith("120;")
    again = visitor.post(at, typed)
    assert again.status_code == 403
    assert not any(word in again.text for word in SHIELDED)
    found = investigations(house)[before:]
    assert len(found) == 1
    queue = house.visitor("ig_officer").get("/tasks").text
    assert "A protected address was looked at" in queue
    assert WHY in queue
    alarm = [e for e in house.hub.trail.events(0) if e.kind == "alarm"][-1]
    assert "P28" in alarm.fields["reason"]


@on_one_engine
def test_in_the_own_agency_the_social_worker_who_holds_the_case_sees_it_and_no_other(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    at = enquire(visitor).removeprefix("/enquiries/")
    ctx = persona_context("mash_social_worker", now=house.hub.clock(), request_id="0" * 32)
    enquiry = enquiries.enquiry_of(house.hub, ctx, at)
    assert enquiry.subject is not None
    ctx = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    for role, cases, sees in (
        (Role.SOCIAL_WORKER, (), False),
        (Role.SOCIAL_WORKER, ("p-of-another",), False),
        (Role.MASH_SOCIAL_WORKER, (enquiry.subject,), False),
        (Role.SOCIAL_WORKER, (enquiry.subject,), True),
    ):
        worker = replace(ctx, actor=replace(ctx.actor, role=role, case_persons=cases))
        redacted, _ = questions.whereabouts(house.hub, worker, enquiry, enquiry.subject, reason=WHY)
        assert bool(redacted.kept) == sees, (role, cases)
