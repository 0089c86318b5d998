"""What is on record when matching joins two persons or takes one apart: a no goes along, a yes does not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

import consent
from consent import Assessment, AssessmentKind, ConsentRecord, ParentalSource, StandingFact, StandingKind
from hub.db import make_engine
from hub.migrations import upgrade
from policies.vocabulary import ConsentKind, ConsentState, GillickStatus, GiverCapacity, Purpose, Role

NOW = datetime(2026, 6, 16, 10, 15, tzinfo=UTC)
YES = ConsentRecord(
    kind=ConsentKind.CONFIDENTIALITY,
    state=ConsentState.GIVEN_EXPLICIT,
    subject="p-old",
    giver="p-mother",
    giver_capacity=GiverCapacity.PARENT_WITH_PR,
    given_at=NOW - timedelta(days=10),
    persons=("p-old",),
    purposes=(Purpose.EARLY_HELP,),
)
NO = replace(YES, giver="p-father", state=ConsentState.REFUSED)


@pytest.fixture
def session(new_database: Callable[[str], str]) -> Iterator[Session]:
    engine = make_engine(new_database("sqlite"))
    upgrade(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def current(session: Session, person: str) -> list[ConsentRecord]:
    return list(consent.current_records(session, [person], now=NOW))


def join(session: Session, old: str, new: str) -> int:
    return consent.follow_join(
        session, old, new, reseal=lambda sealed, a, b: sealed.replace(a.encode(), b.encode()), by="m", now=NOW
    )


def test_a_yes_never_follows_somebody_who_was_taken_out(session: Session) -> None:
    consent.record_consent(session, YES, by="w", now=NOW)
    assert consent.follow_split(session, "p-old", "p-new", by="m", now=NOW) == 0
    assert current(session, "p-new") == []
    assert [r.state for r in current(session, "p-old")] == [ConsentState.GIVEN_EXPLICIT]


@pytest.mark.parametrize("state", [ConsentState.REFUSED, ConsentState.DISPUTED, ConsentState.WITHDRAWN])
def test_what_holds_back_holds_back_for_both_after_a_split(session: Session, state: ConsentState) -> None:
    consent.record_consent(session, replace(NO, state=state), by="w", now=NOW)
    assert consent.follow_split(session, "p-old", "p-new", by="m", now=NOW) == 1
    assert [r.state for r in current(session, "p-old")] == [state]
    (new,) = current(session, "p-new")
    assert (new.state, new.persons, new.giver) == (state, ("p-new",), "p-father")


def test_both_answers_stand_for_the_person_that_two_became(session: Session) -> None:
    consent.record_consent(session, YES, by="w", now=NOW)
    consent.record_consent(session, replace(NO, subject="p-new", persons=("p-new",)), by="w", now=NOW)
    assert join(session, "p-old", "p-new") == 1
    assert current(session, "p-old") == []
    assert {r.state for r in current(session, "p-new")} == {ConsentState.GIVEN_EXPLICIT, ConsentState.REFUSED}
    assert all(r.persons == ("p-new",) for r in current(session, "p-new"))


def test_a_withdrawal_stays_a_withdrawal(session: Session) -> None:
    stored = consent.record_consent(session, YES, by="w", now=NOW)
    consent.withdraw(session, stored.id, by="w", now=NOW)
    join(session, "p-old", "p-new")
    assert [r.state for r in current(session, "p-new")] == [ConsentState.WITHDRAWN]


def test_answers_that_somebody_gave_are_theirs_under_the_new_number(session: Session) -> None:
    consent.record_consent(session, YES, by="w", now=NOW)
    join(session, "p-mother", "p-mother-too")
    (record,) = current(session, "p-old")
    assert record.giver == "p-mother-too"


def test_assessments_and_parental_responsibility_follow(session: Session) -> None:
    consent.record_assessment(
        session,
        Assessment(
            "p-old", AssessmentKind.COMPETENCE, GillickStatus.COMPETENT, None, NOW, "w", Role.SOCIAL_WORKER, "csc",
            None, b"sealed for p-old",
        ),
    )  # fmt: skip
    fact = StandingFact(
        "p-old", StandingKind.PARENTAL_RESPONSIBILITY, ParentalSource.MOTHER, date(2020, 1, 1), holder="p-mother"
    )
    consent.record_standing(session, fact, by="w", now=NOW)
    assert join(session, "p-old", "p-new") == 2
    assert join(session, "p-mother", "p-mother-too") == 1
    (assessed,) = consent.assessments_of(session, ["p-new"], until=NOW)
    assert assessed.sealed_reasons == b"sealed for p-new"
    (standing,) = consent.standing_facts_of(session, ["p-new"])
    assert standing.holder == "p-mother-too"
    assert consent.standing_facts_of(session, ["p-old"]) == ()


def test_nobody_becomes_the_holder_of_responsibility_for_themselves(session: Session) -> None:
    fact = StandingFact(
        "p-old", StandingKind.PARENTAL_RESPONSIBILITY, ParentalSource.MOTHER, date(2020, 1, 1), holder="p-mother"
    )
    consent.record_standing(session, fact, by="w", now=NOW)
    assert join(session, "p-old", "p-mother") == 0


def test_following_twice_changes_nothing(session: Session) -> None:
    consent.record_consent(session, YES, by="w", now=NOW)
    assert [join(session, "p-old", "p-new"), join(session, "p-old", "p-new")] == [1, 0]
    assert consent.is_on_record(session, "p-new")
    assert not consent.is_on_record(session, "p-nobody")
