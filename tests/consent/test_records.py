"""What people answered, who may answer, and what ends: on a real database, time passed in."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

import consent
from consent import (
    Assessment,
    AssessmentKind,
    ConsentError,
    ConsentRecord,
    ParentalSource,
    StandingFact,
    StandingKind,
)
from hub.db import make_engine
from hub.migrations import upgrade
from policies.vocabulary import (
    CapacityStatus,
    ConsentKind,
    ConsentState,
    DataCategory,
    GillickStatus,
    GiverCapacity,
    LegalStatus,
    Purpose,
    Role,
)

NOW = datetime(2026, 6, 16, 10, 15, tzinfo=UTC)
MOTHERS_YES = ConsentRecord(
    kind=ConsentKind.CONFIDENTIALITY,
    state=ConsentState.GIVEN_EXPLICIT,
    subject="PE-child",
    giver="PE-mother",
    giver_capacity=GiverCapacity.PARENT_WITH_PR,
    given_at=NOW - timedelta(days=10),
    persons=("PE-child",),
    purposes=(Purpose.EARLY_HELP,),
    statement="sharing-for-a-family-plan/1",
    recorded_by_agency="csc",
)
FATHERS_NO = replace(MOTHERS_YES, giver="PE-father", state=ConsentState.REFUSED)
CHILD = ["PE-child"]


@pytest.fixture
def session(new_database: Callable[[str], str]) -> Iterator[Session]:
    engine = make_engine(new_database("sqlite"))
    upgrade(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def store(session: Session, record: ConsentRecord) -> ConsentRecord:
    stored = consent.renew(session, record, by="US-1", now=NOW)
    consent.mark_disputes(session, record.subject, by="US-1", now=NOW)
    return stored


def states(session: Session) -> dict[str, ConsentState]:
    return {one.giver: one.state for one in consent.current_records(session, CHILD, now=NOW)}


def test_a_withdrawn_answer_cannot_be_withdrawn_replayed_or_renewed_twice(session: Session) -> None:
    given = store(session, MOTHERS_YES)
    gone = consent.withdraw(session, given.id, by="US-1", now=NOW)
    with pytest.raises(ConsentError):
        consent.withdraw(session, given.id, by="US-1", now=NOW)
    with pytest.raises(ConsentError):
        consent.withdraw(session, gone.id, by="US-1", now=NOW)
    with pytest.raises(ConsentError), session.begin_nested():
        consent.record_consent(session, replace(MOTHERS_YES, follows=given.id), by="US-1", now=NOW)
    assert states(session) == {"PE-mother": ConsentState.WITHDRAWN}


def test_a_renewal_leaves_exactly_one_current_record_and_the_old_one_is_superseded(session: Session) -> None:
    old = store(session, MOTHERS_YES)
    new = store(session, replace(MOTHERS_YES, given_at=NOW))
    assert [one.id for one in consent.current_records(session, CHILD, now=NOW)] == [new.id]
    assert {one.id: one.state for one in consent.history(session, CHILD)} == {
        new.id: ConsentState.GIVEN_EXPLICIT,
        old.id: ConsentState.SUPERSEDED,
    }


def test_two_parents_who_contradict_each_other_are_a_dispute_until_one_changes(session: Session) -> None:
    store(session, MOTHERS_YES)
    store(session, FATHERS_NO)
    assert set(states(session).values()) == {ConsentState.DISPUTED}
    store(session, replace(FATHERS_NO, state=ConsentState.GIVEN_EXPLICIT, given_at=NOW))
    assert set(states(session).values()) == {ConsentState.GIVEN_EXPLICIT}


@pytest.mark.parametrize(
    "other",
    [
        replace(FATHERS_NO, kind=ConsentKind.SERVICE_AGREEMENT),
        replace(FATHERS_NO, purposes=(Purpose.S17_ASSESSMENT,)),
        replace(FATHERS_NO, state=ConsentState.GIVEN_EXPLICIT),
        replace(FATHERS_NO, giver_capacity=GiverCapacity.NONE),
    ],
    ids=["another kind", "another purpose", "the same answer", "nobody who may decide"],
)
def test_what_does_not_contradict_is_no_dispute(session: Session, other: ConsentRecord) -> None:
    store(session, MOTHERS_YES)
    store(session, other)
    assert ConsentState.DISPUTED not in states(session).values()


def test_a_parent_whose_responsibility_ended_no_longer_answers_for_the_child(session: Session) -> None:
    store(session, MOTHERS_YES)
    fact = StandingFact(
        "PE-child", StandingKind.PARENTAL_RESPONSIBILITY, ParentalSource.MOTHER, date(2020, 1, 1), holder="PE-mother"
    )
    held = consent.record_standing(session, fact, by="US-1", now=NOW)
    facts = consent.facts_for(session, CHILD, enquiry=None, now=NOW)
    assert facts.records["PE-child"][0].giver_capacity == GiverCapacity.PARENT_WITH_PR
    consent.record_standing(session, replace(fact, ends=date(2026, 6, 15), follows=held.id), by="US-1", now=NOW)
    facts = consent.facts_for(session, CHILD, enquiry=None, now=NOW)
    assert facts.records["PE-child"][0].giver_capacity == GiverCapacity.NONE


def assessment(kind: AssessmentKind, status: str, *categories: DataCategory, hours: int = 0) -> Assessment:
    return Assessment(
        subject="PE-child",
        kind=kind,
        status=status,
        categories=categories or None,
        assessed_at=NOW - timedelta(hours=hours),
        assessed_by="US-1",
        assessed_by_role=Role.SOCIAL_WORKER,
        assessed_by_agency="csc",
        review_due=None,
        sealed_reasons=b"sealed",
    )


def test_competence_is_for_the_kinds_it_was_assessed_for_and_the_newest_counts(session: Session) -> None:
    for one in (
        assessment(AssessmentKind.COMPETENCE, "NOT_COMPETENT", hours=5),
        assessment(AssessmentKind.COMPETENCE, "COMPETENT", DataCategory.MENTAL_HEALTH, hours=1),
        assessment(AssessmentKind.CAPACITY, "LACKS"),
    ):
        consent.record_assessment(session, one)
    fact = StandingFact("PE-child", StandingKind.LEGAL_STATUS, LegalStatus.C1, date(2026, 1, 1))
    consent.record_standing(session, fact, by="US-1", now=NOW)
    standing = consent.facts_for(session, CHILD, enquiry=None, now=NOW).standings["PE-child"]
    assert standing.competence_for(DataCategory.MENTAL_HEALTH)[0] == GillickStatus.COMPETENT
    assert standing.competence_for(DataCategory.HOUSING)[0] == GillickStatus.NOT_COMPETENT
    assert (standing.capacity, standing.legal_status) == (CapacityStatus.LACKS, LegalStatus.C1)


def test_who_is_not_trained_does_not_assess(session: Session) -> None:
    one = replace(assessment(AssessmentKind.CAPACITY, "HAS"), assessed_by_role=Role.HOUSING_OFFICER)
    with pytest.raises(ConsentError):
        consent.record_assessment(session, one)


@pytest.mark.parametrize(("days", "listed"), [(31, False), (30, True), (1, True), (0, False)])
def test_what_ends_is_listed_thirty_days_before(session: Session, days: int, listed: bool) -> None:
    store(session, replace(MOTHERS_YES, expires_at=NOW + timedelta(days=days)))
    assert bool(list(consent.ending_soon(session, {}, now=NOW))) is listed


@pytest.mark.parametrize(("days", "listed"), [(31, False), (30, True), (1, True), (0, False)])
def test_an_eighteenth_birthday_is_listed_thirty_days_before(session: Session, days: int, listed: bool) -> None:
    store(session, MOTHERS_YES)
    of_age = NOW.date() + timedelta(days=days)
    births = {"PE-child": of_age.replace(year=of_age.year - 18)}
    assert [one.comes_of_age for one in consent.ending_soon(session, births, now=NOW)] == [True] * listed


def test_somebody_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    assert consent.eighteenth_birthday(date(2008, 2, 29)) == date(2026, 3, 1)
