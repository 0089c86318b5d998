"""What the employer says of a user at sign-in: whose cases they hold, and whether an allegation is open."""

import re
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import delete, select

from hub.casefile import CaseFile, assigned
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.members import identified
from hub.permits import decide_all
from hub.signin.oidc import MOST_CASES, _cases
from hub.suspension import SUSPENDED
from hub.tables import duties, suspensions
from policies.vocabulary import DataCategory, Outcome, Purpose, Role, SubjectFlag
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
LOCKS = (SubjectFlag.CASE_LOCKED, SubjectFlag.VIP, SubjectFlag.STAFF_SUBJECT)


@pytest.mark.parametrize("said", [None, "C1", {"C1": True}, ["C1"] * (MOST_CASES + 1), [1, None, ""], ["x" * 65]])
def test_a_claim_that_is_not_a_short_list_of_record_ids_is_nobodys_case(said: object) -> None:
    assert _cases(said) == ()


@on_one_engine
@pytest.mark.parametrize("flag", LOCKS)
def test_a_locked_record_opens_for_who_holds_the_case_and_for_nobody_else(house: House, flag: SubjectFlag) -> None:
    hub = house.hub
    ctx = persona_context("mash_social_worker", now=hub.clock(), request_id="0" * 32).for_purpose(Purpose.S47_ENQUIRY)
    member = identified("p-locked", date(2015, 1, 1), frozenset({flag}), ["csc"])
    others = identified("p-other", date(2015, 1, 1), frozenset({flag}), ["csc"])
    for cases, sees in (((), set()), (("p-locked",), {"p-locked"})):
        actor = replace(ctx.actor, case_persons=cases)
        case = CaseFile(
            hub,
            replace(ctx, actor=actor),
            rationale="Section 47 enquiry after a referral by the school",
            relationship=assigned(["p-locked", "p-other"], ctx.now),
        )
        decided = decide_all(case, [member, others], [hub.partners["csc"]], frozenset({DataCategory.DEMOGRAPHIC}))
        assert {p.person for p in decided.permits} == sees
        assert {r.outcome for r in decided.refusals} == {Outcome.DENY_SILENT}


@on_one_engine
def test_the_claim_reaches_the_session_as_persons_of_the_own_agency_only(house: House, gate: Gate) -> None:
    record = house.demonstration.county.record_of("tarrant.maisie", "csc")
    for agency, held in (("csc", 1), ("police", 0)):
        visitor = gate.visitor(Role.AGENCY_NAVIGATOR, agency=agency, cases=[record, "C-nobody"])
        with visitor.client.session_transaction() as session:
            assert len(session["actor"]["case_persons"]) == held


def suspended(house: House) -> list[str]:
    with house.hub.db.session() as session:
        return list(session.scalars(select(suspensions.c.user)))


def search(visitor: Visitor) -> None:
    told = STORIES["showcase"]
    typed = {
        "purpose": "S47_ENQUIRY",
        "reference": "REF/8",
        "rationale": "School saw a bruise and the story does not fit",
        "threshold": "S47_DECISION",
        "who": f"{told.name} {told.nhs_number}",
    }
    page = visitor.post("/enquiries/new", typed)
    assert page.status_code == 200
    assert told.name.split()[-1] not in re.sub(r'value="[^"]*"', "", page.text)


@on_one_engine
def test_an_alert_of_the_highest_level_shuts_the_account_until_a_manager_decides(house: House, gate: Gate) -> None:
    with house.hub.db.writing() as session:
        session.execute(delete(suspensions))
        session.execute(delete(duties).where(duties.c.kind == SUSPENDED))
    worker = gate.visitor(Role.MASH_SOCIAL_WORKER, sub="accused", under_allegation=True)
    assert worker.get("/enquiries").status_code == 200
    search(worker)
    assert len(suspended(house)) == 1
    answer = worker.get("/enquiries")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    with pytest.raises(AssertionError):
        gate.visitor(Role.MASH_SOCIAL_WORKER, sub="accused", under_allegation=True)
    manager = house.visitor("mash_decision_maker")
    page = manager.get("/tasks").text
    task = re.search(r'An account was shut.*?name="task" value="([^"]+)"', page, re.S)
    assert task, page
    for typed in ({"outcome": "RESTORE"}, {"outcome": "RESTORE", "note": "It is fine now"}, {"note": "x" * 30}):
        assert manager.post("/tasks", {"task": task[1], **typed}).status_code == 422
    decided = {"task": task[1], "outcome": "RESTORE", "note": "The allegation was unfounded, says the LADO"}
    assert manager.post("/tasks", decided).status_code == 303
    assert suspended(house) == []
    assert gate.visitor(Role.MASH_SOCIAL_WORKER, sub="accused").get("/enquiries").status_code == 200
    done = [e for e in house.hub.trail.events(0) if e.fields.get("action") == "task-done"][-1]
    assert done.fields["outcome"] == "ACCOUNT_SUSPENDED-RESTORE"


@on_one_engine
def test_an_ordinary_alert_shuts_nobody_out(house: House) -> None:
    before = suspended(house)
    visitor = house.visitor("worker_who_is_a_subject")
    told = STORIES["own_record"]
    typed = {
        "purpose": told.purpose,
        "reference": "REF/8",
        "rationale": "School saw a bruise and the story does not fit",
        "consent": "NOT_SOUGHT_UNSAFE",
        "reason_code": "RISK_TO_ANYONE",
        "threshold": "S47_DECISION",
        "who": told.search,
    }
    visitor.post("/enquiries/new", typed)
    assert visitor.get("/enquiries").status_code == 200
    assert suspended(house) == before
