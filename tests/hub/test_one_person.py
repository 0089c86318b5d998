"""Another account is not another person: where the employer says whose an account is, two of one person are one."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from hub import holding_back
from hub.demo.setting_up import persona_context
from hub.desk.tables import desk_acts, desk_alerts
from hub.errors import NotFound
from hub.one_person import accounts_of, how_many
from hub.people import releases, tables
from hub.people.releases import RELEASED, held_back
from hub.people.tables import records
from hub.tables import approval_asks, staff
from policies.vocabulary import Role
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, newest
from tests.hub.test_approvals import WHY, YES, asked, forget_asks, waiting
from tests.hub.test_break_glass import DECLARED
from tests.hub.test_stories import candidates, choose

pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
FORM = {
    "purpose": "MASH_SCREENING", "reference": "REF/9", "rationale": WHY, "who": "Maisie Tarrant",
    "consent": "REFUSED", "consent_giver": "PARENT_WITH_PR",
}  # fmt: skip


def user_on(visitor: Visitor) -> str:
    with visitor.client.session_transaction() as session:
        user: str = session["actor"]["id"]
    return user


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


def test_a_second_account_neither_sees_nor_closes_an_alert_about_the_first(house: House, gate: Gate) -> None:
    visitor, enquiry = enquire(gate, name="Ada Marsh", person_number="E-4001")
    first = user_on(visitor)
    id_ = "AL-" + "4" * 16
    row = {"id": id_, "signal": "RELATIVE", "user": first, "agency": "csc", "role": str(Role.MASH_SOCIAL_WORKER)}
    at = {"at": house.hub.clock(), "made_at": house.hub.clock(), "count": 1, "reads": [], "state": "OPEN"}
    with house.hub.db.writing() as session:
        session.execute(insert(desk_alerts).values(**row, **at, enquiry=enquiry[11:], receipt=newest(house.hub).eid))
    for number, status in (("E-4001", 404), ("E-4002", 200)):
        officer = gate.visitor(Role.IG_OFFICER, name="Somebody Else", person_number=number)
        assert (id_ in officer.get("/ig/alerts").text) == (status == 200), number
        assert officer.get(f"/ig/alerts/{id_}").status_code == status
    with house.hub.db.writing() as session:
        session.execute(delete(desk_acts))
        session.execute(delete(desk_alerts).where(desk_alerts.c.id == id_))


def test_a_second_account_does_not_release_what_the_first_asked_for(house: House, gate: Gate) -> None:
    first = user_on(gate.visitor(Role.DATA_STEWARD, name="Ada Marsh", person_number="E-5001"))
    second = user_on(gate.visitor(Role.IG_OFFICER, name="A. Lovell", person_number="E-5001"))
    third = user_on(gate.visitor(Role.IG_OFFICER, name="B. Other", person_number="E-5002"))
    with house.hub.db.writing() as session:
        row = session.execute(select(records.c.id, records.c.agency, records.c.record, records.c.person).limit(1)).one()
        session.execute(update(records).where(records.c.id == row.id).values(person=None))
        (one,) = held_back(session, house.hub.keys, (row.agency,), row=row.id)
        releases.ask(session, house.hub.keys, one, asked_by=first, rationale=WHY, now=house.hub.clock())
        (one,) = held_back(session, house.hub.keys, (row.agency,), row=row.id)
    ctx = persona_context("ig_officer", now=house.hub.clock(), request_id="c0" * 16)
    second_ctx, third_ctx = (replace(ctx, actor=replace(ctx.actor, id=user)) for user in (second, third))
    assert one.request not in {held.request for held in holding_back.asked_for(house.hub, second_ctx)}
    with pytest.raises(NotFound):
        holding_back.answer_release(house.hub, second_ctx, str(one.request), RELEASED, WHY)
    with house.hub.db.writing() as session:
        said = {"answered_by": second, "accounts": accounts_of(house.hub, second), "why": WHY, "now": ctx.now}
        assert not releases.answer(session, house.hub.keys, one, RELEASED, **said)
    assert one.request in {held.request for held in holding_back.asked_for(house.hub, third_ctx)}
    with house.hub.db.writing() as session:
        session.execute(delete(tables.releases).where(tables.releases.c.id == one.request))
        session.execute(update(records).where(records.c.id == row.id).values(person=row.person))


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
