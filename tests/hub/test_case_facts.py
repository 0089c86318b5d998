"""What is recorded on a case, through the front door: refused first, then recorded, shown, and put to the decision."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from hub import disclosure
from hub.approvals.asking import KINDS
from hub.case_facts import RECORDERS, RECORDING
from hub.tables import approval_asks, case_facts
from hub.words import CIRCUMSTANCE_WORDS
from policies.vocabulary import Circumstance, Role
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, newest
from tests.hub.test_approvals import asked, forget_asks, options
from tests.hub.test_stories import candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
WHY = "Neighbours heard his son threaten him on three evenings"
BELOW = {"threshold": "", "consent": "NOT_SOUGHT_UNSAFE", "reason_code": "RISK_TO_ANYONE"}
REASON = "A neighbour rang about an older man who is not coping alone"


@pytest.fixture(autouse=True)
def _nothing_is_asked(house: House) -> Iterator[None]:
    yield
    forget_asks(house)


def adult(gate: Gate, agency: str = "asc", role: str = Role.ADULT_SOCIAL_WORKER) -> tuple[Visitor, str]:
    """A section 42 enquiry about an older man of the county, by an adult social worker."""
    visitor = gate.visitor(role, agency=agency)
    form = {"purpose": "ADULT_S42", "reference": "SA/12", "rationale": REASON, "who": "Harold Entwistle"}
    found = visitor.post("/enquiries/new", form)
    assert found.status_code == 200, found.text
    return visitor, choose(visitor, found.text, candidates(found.text)[0])


def people(visitor: Visitor, enquiry: str) -> list[str]:
    visitor.get(f"{enquiry}/case")
    form = visitor.get(f"{enquiry}/case/circumstance").text
    chooser = re.search(r'<select[^>]*id="subject".*?</select>', form, re.S)
    assert chooser, form
    return [id_ for id_ in re.findall(r'value="([^"]+)"', chooser[0]) if id_]


def said_no(visitor: Visitor, enquiry: str, person: str) -> None:
    visitor.get(f"{enquiry}/consent")
    typed = {
        "subject": person,
        "statement": "sharing-for-a-family-plan/1",
        "answer": "REFUSED",
        "giver_capacity": "SELF",
    }
    answer = visitor.post(f"{enquiry}/consent/answer", {**typed, "method": "IN_PERSON", "given_on": "1 6 2026"})
    assert answer.status_code == 303, answer.text


def circumstance(person: str, code: str = "COERCION", **more: str) -> dict[str, str]:
    return {"subject": person, "circumstance": code, "source": "PARTNER_AGENCY", "reason": WHY, **more}


GP = re.compile(r'kith-matrix__agency">Millbrook.*?</tr>', re.S)


def overrides(visitor: Visitor, enquiry: str) -> list[str]:
    return [one for one in options(visitor.get(f"{enquiry}/approvals").text) if one.startswith(KINDS[0])]


@on_one_engine
def test_what_is_recorded_says_of_whom_how_it_is_known_and_why(house: House, gate: Gate) -> None:
    visitor, enquiry = adult(gate)
    (person, *_) = people(visitor, enquiry)
    for typed, wrong in (
        ({}, {"subject", "circumstance", "source", "reason"}),
        (circumstance("p" + "0" * 16), {"subject"}),
        (circumstance(person, code="HE_IS_OLD"), {"circumstance"}),
        (circumstance(person, source="RUMOUR"), {"source"}),
        (circumstance(person, reason="urgent"), {"reason"}),
    ):
        page = visitor.post(f"{enquiry}/case/circumstance", typed)
        assert page.status_code == 422
        assert {n for n in ("subject", "circumstance", "source", "reason") if f'href="#{n}"' in page.text} == wrong
    with house.hub.db.session() as session:
        assert session.scalar(select(case_facts.c.id).where(case_facts.c.enquiry == enquiry[11:])) is None


@on_one_engine
def test_a_navigator_reads_what_is_recorded_and_records_nothing(house: House) -> None:
    visitor, found = open_story(house, "showcase", persona="police_navigator")
    enquiry = choose(visitor, found, candidates(found)[0])
    page = visitor.get(f"{enquiry}/case")
    assert page.status_code == 200
    assert "/case/circumstance" not in page.text
    assert visitor.get(f"{enquiry}/case/circumstance").status_code == 403
    assert (
        visitor.post(
            f"{enquiry}/case/rating", {"rating": "BLUE", "source": "OWN_ASSESSMENT", "reason": WHY}
        ).status_code
        == 403
    )


@on_one_engine
def test_the_police_supervisor_speaks_of_crime_and_harm_and_of_nothing_else(house: House, gate: Gate) -> None:
    visitor, enquiry = adult(gate, "police", Role.POLICE_MASH_SUPERVISOR)
    (person, *_) = people(visitor, enquiry)
    form = visitor.get(f"{enquiry}/case/circumstance").text
    assert set(re.findall(r'name="circumstance" type="radio" value="([A-Z_]+)"', form)) == {
        "SERIOUS_CRIME",
        "SERIOUS_HARM",
    }
    assert visitor.post(f"{enquiry}/case/circumstance", circumstance(person, "COERCION")).status_code == 422
    assert visitor.post(f"{enquiry}/case/circumstance", circumstance(person, "SERIOUS_CRIME")).status_code == 303
    page = visitor.post(f"{enquiry}/case/rating", {"rating": "BLUE", "source": "OWN_ASSESSMENT", "reason": WHY})
    assert page.status_code == 422
    assert set(RECORDING) == set(Circumstance)
    assert frozenset().union(*RECORDING.values()) == RECORDERS


def test_an_adult_who_says_no_is_heard_unless_a_circumstance_is_on_record_and_a_second_person_agrees(
    house: House, gate: Gate
) -> None:
    visitor, enquiry = adult(gate)
    (person, *_) = people(visitor, enquiry)
    said_no(visitor, enquiry, person)
    assert "Not shared" in GP.findall(visitor.get(f"{enquiry}/who").text)[0]
    # Nobody can be asked to decide otherwise: refused, not referred (rule P19).
    assert overrides(visitor, enquiry) == []
    # Serious harm alone is none of the circumstances that rule P19 names.
    assert visitor.post(f"{enquiry}/case/circumstance", circumstance(person, "SERIOUS_HARM")).status_code == 303
    assert overrides(visitor, enquiry) == []
    visitor.get(f"{enquiry}/case")
    assert visitor.post(f"{enquiry}/case/circumstance", circumstance(person)).status_code == 303
    event = newest(house.hub, "collect")
    assert (event.fields["action"], event.fields["outcome"]) == ("case:CIRCUMSTANCE", "COERCION")
    assert event.fields["reason"] == "PARTNER_AGENCY"
    # By itself it opens nothing: a second person is asked, who says yes.
    assert "Not shared" in GP.findall(visitor.get(f"{enquiry}/who").text)[0]
    assert len(overrides(visitor, enquiry)) == 1
    page = visitor.get(f"{enquiry}/case").text
    assert WHY in page
    assert "The person may be coerced" in page
    asked(visitor, enquiry, "OVERRIDE")
    maker = house.visitor("mash_decision_maker")
    (where,) = set(re.findall(r'href="(/approvals/AP-[0-9a-f]{16})"', maker.get("/approvals").text))
    shown = maker.get(where).text
    assert "The person may be coerced" in shown
    assert maker.post(where, {"outcome": "GRANTED", "why": WHY}).status_code == 303
    asks = re.findall(r'name="ask" value="([^"]+)"', visitor.get(f"{enquiry}/approvals").text)
    opened = visitor.client.post(f"{enquiry}/approvals/open", data={"ask": asks, "csrf_token": visitor.token()})
    assert opened.status_code == 200
    assert "P19" in newest(house.hub, "disclosure:made").fields["decision"]["rules"]
    assert "Millbrook" in opened.text


@on_one_engine
def test_what_is_taken_back_or_was_said_of_somebody_else_or_before_the_end_counts_no_more(
    house: House, gate: Gate
) -> None:
    visitor, enquiry = adult(gate)
    (person, *_) = people(visitor, enquiry)
    said_no(visitor, enquiry, person)
    assert visitor.post(f"{enquiry}/case/circumstance", circumstance(person)).status_code == 303
    assert overrides(visitor, enquiry)
    mine = case_facts.c.enquiry == enquiry[11:]
    for column, value in (("person", "p" + "0" * 16), ("identity", b"0" * 16)):
        with house.hub.db.writing() as session:
            before = session.scalar(select(case_facts.c[column]).where(mine))
            session.execute(update(case_facts).where(mine).values({column: value}))
        assert overrides(visitor, enquiry) == [], column
        with house.hub.db.writing() as session:
            session.execute(update(case_facts).where(mine).values({column: before}))
    assert overrides(visitor, enquiry)
    (fact,) = re.findall(r'name="fact" value="([^"]+)"', visitor.get(f"{enquiry}/case").text)
    assert visitor.post(f"{enquiry}/case/take-back", {"fact": fact}).status_code == 303
    assert visitor.post(f"{enquiry}/case/take-back", {"fact": fact}).status_code == 403
    assert overrides(visitor, enquiry) == []
    page = visitor.get(f"{enquiry}/case").text
    assert "it was taken back" in page
    # Another enquiry about the same person starts from nothing.
    _, other = adult(gate)
    assert other != enquiry
    visitor.post(f"{enquiry}/close")
    assert visitor.post(f"{enquiry}/case/circumstance", circumstance(person)).status_code == 403


@on_one_engine
def test_a_threshold_that_is_reached_while_the_enquiry_runs_is_recorded_once_by_a_qualified_worker(
    house: House,
) -> None:
    visitor, found = open_story(house, "showcase", **BELOW, purpose="MASH_SCREENING")
    enquiry = choose(visitor, found, candidates(found)[0])
    typed = {"threshold": "STRATEGY_DECISION", "source": "COURT_OR_PANEL", "reason": WHY}
    assert visitor.post(f"{enquiry}/case/threshold", {**typed, "threshold": "WORRY"}).status_code == 422
    visitor.get(f"{enquiry}/picture")
    assert "LOG_PARA18" not in newest(house.hub, "disclosure:made").fields["decision"]["obligations"]
    assert visitor.post(f"{enquiry}/case/threshold", typed).status_code == 303
    visitor.get(f"{enquiry}/picture")
    assert "LOG_PARA18" in newest(house.hub, "disclosure:made").fields["decision"]["obligations"]
    assert visitor.post(f"{enquiry}/case/threshold", typed).status_code == 422
    assert "A decision to hold a strategy discussion" in visitor.get(f"{enquiry}/case").text


@on_one_engine
def test_a_blue_rating_ends_partners_information_and_a_newer_one_counts(house: House) -> None:
    visitor, found = open_story(house, "showcase", **BELOW, purpose="MASH_SCREENING")
    enquiry = choose(visitor, found, candidates(found)[0])
    typed = {"source": "OWN_ASSESSMENT", "reason": WHY}
    before = visitor.get(f"{enquiry}/who").text.count("Involved")
    assert visitor.post(f"{enquiry}/case/rating", {**typed, "rating": "BLUE"}).status_code == 303
    assert visitor.get(f"{enquiry}/who").text.count("Involved") < before
    assert visitor.post(f"{enquiry}/case/rating", {**typed, "rating": "AMBER"}).status_code == 303
    assert visitor.get(f"{enquiry}/who").text.count("Involved") == before


@on_one_engine
def test_from_amber_to_red_whoever_is_asked_has_less_time_and_back_again_no_more(house: House) -> None:
    visitor, found = open_story(
        house, "showcase", purpose="MASH_SCREENING", threshold="", consent="REFUSED", consent_giver="PARENT_WITH_PR"
    )
    enquiry = choose(visitor, found, candidates(found)[0])
    asked(visitor, enquiry, "OVERRIDE")

    def times() -> tuple[timedelta, timedelta]:
        with house.hub.db.session() as session:
            a = approval_asks.c
            at, remind, due = session.execute(select(a.asked_at, a.remind_at, a.due_at)).one()
        return remind - at, due - at

    _, slow = times()
    assert slow >= timedelta(hours=24)
    typed = {"source": "OWN_ASSESSMENT", "reason": WHY}
    assert visitor.post(f"{enquiry}/case/rating", {**typed, "rating": "RED"}).status_code == 303
    half, whole = times()
    assert (half, whole) == pytest.approx((timedelta(hours=2), timedelta(hours=4)), abs=timedelta(minutes=10))
    assert visitor.post(f"{enquiry}/case/rating", {**typed, "rating": "GREEN"}).status_code == 303
    assert times() == (half, whole)


@on_one_engine
@pytest.mark.parametrize("tie", ["own_persons", "own_family"])
def test_who_is_of_the_family_or_related_to_it_neither_reads_nor_changes_what_is_recorded(
    house: House, gate: Gate, tie: str
) -> None:
    visitor, enquiry = adult(gate)
    person = people(visitor, enquiry)[-1]
    assert visitor.post(f"{enquiry}/case/circumstance", circumstance(person)).status_code == 303
    page = visitor.get(f"{enquiry}/case").text
    (fact,) = re.findall(r'name="fact" value="([^"]+)"', page)
    close = gate.visitor(Role.ADULT_SOCIAL_WORKER, agency="asc")
    close.get(f"{enquiry}/case")
    with close.client.session_transaction() as session:
        session["actor"] = {**session["actor"], tie: [person]}
    read = [
        close.get(enquiry + at) for at in ("/case", "/case/rating", "/decisions", "/pack", "/approvals", "/consent")
    ]
    rating = {"rating": "RED", "source": "OWN_ASSESSMENT", "reason": WHY}
    wrote = [
        close.post(f"{enquiry}/case/take-back", {"fact": fact}),
        close.post(f"{enquiry}/case/rating", rating),
        close.post(f"{enquiry}/case/circumstance", circumstance(person)),
        close.post(f"{enquiry}/decisions", {"kind": "OUTCOME", "outcome": "EARLY_HELP", "reason": WHY}),
        close.post(f"{enquiry}/watch", {"want": "yes"}),
    ]
    assert [answer.status_code for answer in read + wrote] == [404] * 11
    assert not any(WHY in answer.text for answer in read + wrote)
    with house.hub.db.session() as session:
        kinds = session.scalars(select(case_facts.c.kind).where(case_facts.c.enquiry == enquiry[11:])).all()
    assert kinds == ["CIRCUMSTANCE"]
    # A colleague who is not related reads it, and takes it back; that what was decided was looked at is on record.
    other = gate.visitor(Role.ADULT_SOCIAL_WORKER, agency="asc")
    decided, event = other.get(f"{enquiry}/decisions").text, newest(house.hub, "audit:read")
    assert (event.fields["enquiry"], event.eid[:8] in decided) == (enquiry[11:], True)
    assert WHY in other.get(f"{enquiry}/case").text
    assert other.post(f"{enquiry}/case/take-back", {"fact": fact}).status_code == 303


@on_one_engine
def test_what_is_recorded_about_somebody_who_is_not_shown_is_neither_told_nor_taken_back(
    house: House, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, enquiry = adult(gate)
    (person, *_) = people(visitor, enquiry)
    assert visitor.post(f"{enquiry}/case/circumstance", circumstance(person)).status_code == 303
    rating = {"rating": "RED", "source": "OWN_ASSESSMENT", "reason": "He rang and said that he is afraid of his son"}
    assert visitor.post(f"{enquiry}/case/rating", rating).status_code == 303
    (fact,) = re.findall(r'name="fact" value="([^"]+)"', visitor.get(f"{enquiry}/case").text)
    whole = disclosure.family_names

    def nobody(*given: Any) -> Any:
        picture, receipt = whole(*given)
        return replace(picture, people=()), receipt

    monkeypatch.setattr(disclosure, "family_names", nobody)
    page = visitor.get(f"{enquiry}/case").text
    assert page.count("Not shown to you") == 3
    assert not any(words in page for words in (WHY, rating["reason"], CIRCUMSTANCE_WORDS[Circumstance.COERCION], fact))
    assert visitor.post(f"{enquiry}/case/take-back", {"fact": fact}).status_code == 403
