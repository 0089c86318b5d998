"""What a family agreed to, through the front door: recorded, disputed, withdrawn between two looks, told onwards."""

import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import func, select

import consent
from consent import ConsentRecord
from hub import tasks
from hub.demo.setting_up import persona_context
from hub.enquiries import Enquiry
from hub.family_consent import _may_see
from hub.tables import duties
from hub.words import CONSENT_STATE_WORDS
from policies.vocabulary import ConsentKind, ConsentState, DataCategory, GillickStatus, GiverCapacity, Purpose
from tests.conftest import House, Visitor
from tests.hub.test_stories import candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


def opened(house: House, story: str) -> tuple[Visitor, str, dict[str, str]]:
    """An enquiry about a story's subject with its page of consent; the people on it by their names."""
    visitor, found = open_story(house, story)
    enquiry = choose(visitor, found, candidates(found)[0])
    assert visitor.get(f"{enquiry}/consent").status_code == 200
    form = visitor.get(f"{enquiry}/consent/answer").text
    chooser = re.search(r'<select[^>]*id="subject".*?</select>', form, re.S)
    assert chooser
    return visitor, enquiry, {name: id_ for id_, name in re.findall(r'value="([^"]+)"[^>]*>([^<]+)<', chooser[0])}


def answer(subject: str, giver: str, said: str = "GIVEN_EXPLICIT", **more: str) -> dict[str, str]:
    typed = {
        "subject": subject,
        "statement": "sharing-for-a-family-plan/1",
        "answer": said,
        "giver_capacity": "PARENT_WITH_PR",
        "giver": giver,
        "method": "IN_PERSON",
        "given_on": "1 6 2026",
    }
    return {**typed, **more}


@on_one_engine
def test_a_form_that_says_too_little_is_refused_with_a_sentence_for_each_field(house: House) -> None:
    visitor, enquiry, _ = opened(house, "early_help_agreed")
    page = visitor.post(f"{enquiry}/consent/answer", {"given_on": "soon"})
    assert page.status_code == 422
    for field in ("subject", "statement", "answer", "giver_capacity", "method", "given_on"):
        assert f'href="#{field}"' in page.text


@on_one_engine
def test_nobody_records_an_answer_for_somebody_who_was_not_shown(house: House) -> None:
    visitor, enquiry, people = opened(house, "early_help_agreed")
    somebody = next(iter(people.values()))
    page = visitor.post(f"{enquiry}/consent/answer", answer("PE-somebody-else", somebody))
    assert page.status_code == 422
    assert visitor.post(f"{enquiry}/consent/withdraw", {"record": "CO-none"}).status_code == 404


@on_one_engine
def test_only_childrens_social_care_says_what_the_authority_holds_or_answers(house: House) -> None:
    visitor, enquiry, people = opened(house, "early_help_agreed")
    child, parent = list(people.values())[:2]
    claimed = answer(child, parent, giver_capacity="LA_WITH_PR")
    assert visitor.post(f"{enquiry}/consent/answer", claimed).status_code == 422
    for code in ("C1", "MOTHER"):
        said = {"subject": child, "holder": parent, "code": code, "starts": "1 6 2020"}
        assert visitor.post(f"{enquiry}/consent/standing", said).status_code == 422
    worker, other, family = opened(house, "twins")
    child = next(iter(family.values()))
    said = {"subject": child, "code": "C1", "starts": "1 6 2020"}
    assert worker.post(f"{other}/consent/standing", said).status_code == 303


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        pytest.param({}, True, id="about sharing with everybody"),
        pytest.param({"giver": "p" + "0" * 16}, False, id="given by somebody who was not shown"),
        pytest.param({"giver": "p" + "0" * 16, "recorded_by_agency": "police"}, False, id="the same, recorded by us"),
        pytest.param({"agencies": ("csc", "hv")}, False, id="about sharing among others"),
        pytest.param({"agencies": ("csc", "police")}, True, id="about sharing with us"),
        pytest.param({"purposes": (Purpose.EARLY_HELP,)}, False, id="for another purpose"),
        pytest.param({"categories": (DataCategory.SUBSTANCE_MISUSE,)}, False, id="names a sensitive service"),
        pytest.param(
            {"categories": (DataCategory.SUBSTANCE_MISUSE,), "recorded_by_agency": "police"}, True, id="recorded by us"
        ),
    ],
)
@on_one_engine
def test_an_answer_is_told_only_to_those_it_is_about(house: House, changes: dict[str, object], seen: bool) -> None:
    ctx = persona_context("police_navigator", now=house.hub.clock(), request_id="0" * 32)
    child = "p" + "1" * 16
    record = ConsentRecord(
        id="CO-1",
        kind=ConsentKind.CONFIDENTIALITY,
        state=ConsentState.GIVEN_EXPLICIT,
        subject=child,
        giver=child,
        giver_capacity=GiverCapacity.SELF,
        giver_conflicted=False,
        given_at=ctx.now,
        recorded_by_agency="csc",
    )
    enquiry = cast(Enquiry, SimpleNamespace(purpose=Purpose.MASH_SCREENING))
    assert _may_see(ctx, enquiry, (child,), replace(record, **changes)) is seen


@on_one_engine
def test_a_withdrawal_bites_between_two_looks_tells_recipients_and_keeps_the_past(house: House) -> None:
    visitor, enquiry, _ = opened(house, "early_help_agreed")
    before = visitor.get(f"{enquiry}/who").text
    row = re.compile(r'kith-matrix__agency">Thornshire Homes.*?</tr>', re.S)
    assert "Not shared" not in row.findall(before)[0]
    page = visitor.get(f"{enquiry}/consent").text
    records = re.findall(r'name="record" value="(CO-[^"]+)"', page)
    looked = [e.t for e in house.hub.trail.events(0) if e.kind == "disclosure:made"][-1]
    for record in records:
        assert visitor.post(f"{enquiry}/consent/withdraw", {"record": record}).status_code == 303
        assert visitor.post(f"{enquiry}/consent/withdraw", {"record": record}).status_code == 422
    after = visitor.get(f"{enquiry}/who").text
    assert "Not shared" in row.findall(after)[0]
    history = visitor.get(f"{enquiry}/consent").text
    assert history.count("withdrawn ") >= len(records)
    withdrawn = [e.t for e in house.hub.trail.events(0) if e.kind == "consent:withdrawn"]
    assert len(withdrawn) >= len(records)
    assert withdrawn[0] >= looked
    queue = visitor.get("/tasks").text
    assert queue.count("An agreement to sharing was withdrawn") >= 1


@on_one_engine
def test_two_parents_who_disagree_are_one_task_for_the_manager_with_reasons(house: House) -> None:
    visitor, enquiry, people = opened(house, "twins")
    child, *others = people.values()
    first, second = others[:2]
    assert visitor.post(f"{enquiry}/consent/answer", answer(child, first)).status_code == 303
    said = visitor.post(f"{enquiry}/consent/answer", answer(child, second, "REFUSED"))
    assert said.status_code == 303
    assert visitor.get(f"{enquiry}/consent").text.count(CONSENT_STATE_WORDS[ConsentState.DISPUTED]) >= 2
    assert "Two parents disagree" not in visitor.get("/tasks").text
    manager = house.visitor("mash_decision_maker")
    queue = manager.get("/tasks").text
    assert queue.count("Two parents disagree") == 1
    task = re.search(r'Two parents disagree.*?name="task" value="([^"]+)"', queue, re.S)
    assert task
    assert manager.post("/tasks", {"task": task[1], "note": "Both were heard"}).status_code == 422
    reasons = "Both parents were heard; the father fears the landlord, which can be left out"
    assert manager.post("/tasks", {"task": task[1], "note": reasons, "outcome": "SHARE"}).status_code == 303
    assert "Two parents disagree" not in manager.get("/tasks").text


@on_one_engine
def test_an_assessment_reaches_the_decision(house: House) -> None:
    from consent import facts_for

    visitor, enquiry, people = opened(house, "showcase")
    child = next(iter(people.values()))
    page = visitor.post(f"{enquiry}/consent/assessment", {"subject": child, "finding": "COMPETENT", "reasons": "yes"})
    assert page.status_code == 422
    reasons = "She explains what would be told to whom, and what might follow from it"
    typed = {"subject": child, "finding": "COMPETENT", "reasons": reasons, "categories": "MENTAL_HEALTH"}
    assert visitor.post(f"{enquiry}/consent/assessment", typed).status_code == 303
    assert "competent to decide" in visitor.get(f"{enquiry}/consent").text
    with house.hub.db.session() as session:
        standing = facts_for(session, [child], enquiry=None, now=house.hub.clock()).standings[child]
    assert standing.competences[0][0] == GillickStatus.COMPETENT


@on_one_engine
def test_what_ends_in_thirty_days_is_a_task_beforehand(house: House) -> None:
    visitor, enquiry, people = opened(house, "open_case")
    child, parent = list(people.values())[:2]
    today = house.hub.clock().date()
    ends = today + timedelta(days=40)
    typed = answer(child, parent, given_on=f"{today:%d %m %Y}", ends_on=f"{ends:%d %m %Y}")
    assert visitor.post(f"{enquiry}/consent/answer", typed).status_code == 303
    # A manager whom no other test has looked ahead for, and only this enquiry's tasks: the house is everybody's.
    manager = persona_context("mash_decision_maker", now=house.hub.clock(), request_id="0" * 32)
    manager = replace(manager, actor=replace(manager.actor, id="US-looks-ahead"))
    tasks.open_tasks(house.hub, manager)
    assert ends_soon(house, enquiry) == 0
    tasks.open_tasks(house.hub, replace(manager, now=manager.now + timedelta(days=12)))
    assert ends_soon(house, enquiry) == 1


def ends_soon(house: House, enquiry: str) -> int:
    """How many tasks say that an agreement of this enquiry ends."""
    mine = (duties.c.enquiry == enquiry.rpartition("/")[2], duties.c.kind == tasks.ENDS)
    with house.hub.db.session() as session:
        return int(session.scalar(select(func.count()).select_from(duties).where(*mine)) or 0)


@on_one_engine
def test_the_export_is_fhir_and_is_in_the_trail(house: House) -> None:
    visitor, enquiry, _ = opened(house, "young_person_refuses")
    bundle = visitor.post(f"{enquiry}/consent/export")
    assert bundle.content_type == "application/fhir+json"
    kinds = {entry["resource"]["provision"]["type"] for entry in bundle.json["entry"]}
    assert "deny" in kinds
    assert [e.kind for e in house.hub.trail.events(0)][-1] == "export"


@on_one_engine
def test_a_role_that_does_not_decide_about_asking_is_refused(house: House) -> None:
    visitor, enquiry, _ = opened(house, "early_help_agreed")
    page = visitor.post(f"{enquiry}/consent/decision", {"state": ConsentState.NOT_OBTAINABLE})
    assert page.status_code == 422
    worker, other, _ = opened(house, "twins")
    said = worker.post(f"{other}/consent/decision", {"state": "NOT_SOUGHT_UNSAFE", "reason_code": "RISK_TO_ANYONE"})
    assert said.status_code == 303
    assert "put a child or somebody else at risk" in worker.get(f"{other}/consent").text


def test_every_kind_of_task_has_somebody_and_words() -> None:
    from hub.words import TASK_WORDS

    assert set(TASK_WORDS) == set(tasks.DONE_BY)


@on_one_engine
def test_names_on_a_form_are_not_older_than_a_quarter_of_an_hour(house: House) -> None:
    visitor, enquiry, people = opened(house, "early_help_agreed")
    assert people
    house.clock.ahead = timedelta(minutes=14)
    assert visitor.get(f"{enquiry}/consent/answer").status_code == 200
    house.clock.ahead = timedelta(minutes=16)
    old = visitor.get(f"{enquiry}/consent/answer")
    assert (old.status_code, old.headers["Location"]) == (303, f"{enquiry}/consent")


@on_one_engine
def test_a_standing_that_cannot_be_stored_is_a_sentence_and_no_error_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    page = visitor.get(f"{enquiry}/consent")
    assert page.status_code == 200
    form = visitor.get(f"{enquiry}/consent/standing").text
    chooser = re.search(r'<select[^>]*id="subject".*?</select>', form, re.S)
    assert chooser
    subject, holder = [one for one in re.findall(r'value="([^"]+)"', chooser[0]) if one][:2]

    def fails(*_: object, **__: object) -> None:
        raise consent.ConsentError("Somebody has just recorded this.")

    monkeypatch.setattr(consent, "record_standing", fails)
    typed = {"subject": subject, "holder": holder, "code": "MOTHER", "starts": "31 3 2020"}
    answer = visitor.post(f"{enquiry}/consent/standing", typed)
    assert answer.status_code == 422
    assert "Somebody has just recorded this." in answer.text
