"""Another account is not another person: where the employer says whose an account is, two of one person are one."""

from typing import Any

import pytest
from sqlalchemy import select

from hub.one_person import accounts_of, how_many
from hub.tables import approval_asks, staff
from policies.vocabulary import Role
from tests.conftest import House
from tests.hub.conftest import Gate
from tests.hub.test_approvals import WHY, YES, asked, forget_asks, waiting
from tests.hub.test_break_glass import DECLARED
from tests.hub.test_stories import candidates, choose

pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
FORM = {
    "purpose": "MASH_SCREENING", "reference": "REF/9", "rationale": WHY, "who": "Maisie Tarrant",
    "consent": "REFUSED", "consent_giver": "PARENT_WITH_PR",
}  # fmt: skip


def enquire(gate: Gate, **claims: Any) -> tuple[Any, str]:
    visitor = gate.visitor(Role.MASH_SOCIAL_WORKER, **claims)
    found = visitor.post("/enquiries/new", FORM).text
    return visitor, choose(visitor, found, candidates(found)[0])


def test_a_second_account_with_another_name_answers_nothing_of_the_first(house: House, gate: Gate) -> None:
    visitor, enquiry = enquire(gate, name="Ada Marsh", person_number="E-1001")
    asked(visitor, enquiry, "OVERRIDE")
    with house.hub.db.session() as session:
        ask = session.scalar(select(approval_asks.c.id))
    second = gate.visitor(Role.MASH_DECISION_MAKER, name="A. Lovell", person_number=" e-1001 ")
    assert waiting(second) == []
    assert second.get(f"/approvals/{ask}").status_code == 404
    assert second.post(f"/approvals/{ask}", {"outcome": "GRANTED", "why": YES}).status_code == 404
    for claims in ({"person_number": "E-1002"}, {}):
        assert waiting(gate.visitor(Role.MASH_DECISION_MAKER, name="B. Other", **claims)) == [f"/approvals/{ask}"]
    forget_asks(house)


def test_a_second_account_does_not_review_the_emergency_of_the_first(house: House, gate: Gate) -> None:
    visitor, enquiry = enquire(gate, name="Ada Marsh", person_number="E-2001")
    assert visitor.post(f"{enquiry}/emergency", DECLARED).status_code == 303
    for number, reviews in (("E-2001", False), ("E-2002", True)):
        officer = gate.visitor(Role.IG_OFFICER, name="Somebody Else", person_number=number)
        assert ("mergency" in officer.get("/tasks").text) == reviews, number


def test_only_what_an_employer_sends_makes_two_accounts_one_and_its_number_is_kept_nowhere(
    house: House, gate: Gate
) -> None:
    numbers: tuple[Any, ...] = ("E-3001", "E-3001", "E-3002", None, "", True, ["E-3001"])
    for place, number in enumerate(numbers):
        gate.visitor(Role.SOCIAL_WORKER, name=f"Tester {place}", person_number=number)
    with house.hub.db.session() as session:
        rows = session.execute(select(staff.c.user, staff.c.person_mark).order_by(staff.c.seen_at.desc())).all()
    newest = rows[: len(numbers)]
    marks = [row.person_mark for row in newest if row.person_mark is not None]
    assert (len(marks), len(set(marks))) == (3, 2)
    assert sorted(len(accounts_of(house.hub, row.user)) for row in newest) == [1, 1, 1, 1, 1, 2, 2]
    assert how_many(house.hub, {row.user for row in newest}) == len(numbers) - 1
    assert all(b"3001" not in mark for mark in marks)
