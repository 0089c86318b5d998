"""What somebody who is rightly signed in and means harm tries: each test is named for the fault that it would show."""

import re

import pytest
from sqlalchemy import delete, insert, select, update

from hub.tables import enquiries, staff
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, newest

REASON = "A referral came in that names this child and the family"
MAISIE = "999 700 0048"


def opened(visitor: Visitor, *, confirm: bool = True) -> str:
    """The address of an enquiry of this worker about Maisie Tarrant."""
    form = {"purpose": "S47_ENQUIRY", "reference": "REF/7", "rationale": REASON, "threshold": "S47_DECISION"}
    page = visitor.post("/enquiries/new", {**form, "who": MAISIE})
    action = re.search(r'action="(/enquiries/[^"/]+)/person"', page.text)
    person = re.search(r'name="person" value="([^"]+)"', page.text)
    assert action, page.text
    assert person, page.text
    if confirm:
        assert visitor.post(f"{action[1]}/person", {"person": person[1]}).status_code == 303
    return action[1]


@pytest.mark.parametrize("confirmed", [True, False])
def test_nobody_is_looked_for_under_a_closed_enquiry(house: House, confirmed: bool) -> None:
    visitor = house.visitor("mash_social_worker")
    enquiry = opened(visitor, confirm=confirmed)
    person = re.search(r'"person" value="([^"]+)"', visitor.post(f"{enquiry}/search", {"who": MAISIE}).text)
    assert visitor.post(f"{enquiry}/close").status_code == 200
    for path, form in (
        (f"{enquiry}/search", {"who": MAISIE, "connection": "HOUSEHOLD"}),
        (f"{enquiry}/person", {"person": person[1] if person else ""}),
    ):
        answer = visitor.post(path, form)
        assert answer.status_code == 403
        assert "This enquiry is closed." in answer.text
        assert "Tarrant" not in answer.text


@pytest.mark.parametrize("agency", ["gp-millbrook", "sms"])
def test_an_agency_that_only_gives_opens_no_enquiry(gate: Gate, agency: str) -> None:
    navigator = gate.visitor("AGENCY_NAVIGATOR", agency=agency)
    assert 'value="S47_ENQUIRY"' not in navigator.get("/enquiries/new").text
    form = {"purpose": "S47_ENQUIRY", "reference": "REF/7", "rationale": REASON, "threshold": "S47_DECISION"}
    answer = navigator.post("/enquiries/new", {**form, "who": MAISIE})
    assert answer.status_code == 422
    assert "Maisie" not in answer.text.replace('value="999', "")


def test_a_name_that_was_altered_in_the_tables_sinks_no_page(house: House) -> None:
    officer = house.visitor("ig_officer")
    house.visitor("mash_social_worker")
    mine = staff.c.user == "US-broken"
    with house.hub.db.writing() as session:
        session.execute(
            insert(staff).values(
                user="US-broken", agency="csc", role="SIRO", sealed_name=b"altered", seen_at=house.clock()
            )
        )
    try:
        page = officer.get("/ig")
        assert page.status_code == 200
        assert "Rosalind Achebe" in page.text
    finally:
        with house.hub.db.writing() as session:
            session.execute(delete(staff).where(mine))


def test_a_sealed_row_that_was_altered_is_a_page_that_says_so(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    enquiry = opened(visitor, confirm=False)
    mine = enquiries.c.id == enquiry.rpartition("/")[2]
    with house.hub.db.writing() as session:
        kept = session.scalar(select(enquiries.c.sealed_rationale).where(mine))
        session.execute(update(enquiries).where(mine).values(sealed_rationale=b"altered"))
    try:
        answer = visitor.get(enquiry)
        assert answer.status_code == 503
        assert "cannot be opened" in answer.text
    finally:
        with house.hub.db.writing() as session:
            session.execute(update(enquiries).where(mine).values(sealed_rationale=kept))


def test_a_receipt_is_not_opened_by_a_colleague_whose_task_it_is_not(gate: Gate) -> None:
    practice = gate.visitor("GP_CARE_COORDINATOR", agency="gp-millbrook")
    assert practice.post("/gp-check", {"nhs_number": "9997000390"}).status_code == 200
    receipt = newest(gate.hub, "check").eid
    for role, status in (("ANALYST", 404), ("SYSTEM_ADMIN", 404), ("ADULT_SOCIAL_WORKER", 200), ("DPO", 200)):
        assert gate.visitor(role, agency="asc").get(f"/receipts/{receipt}").status_code == status, role
