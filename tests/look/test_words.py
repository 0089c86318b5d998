"""Words for codes, dates in London time, telephone numbers as people read them."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest

from hub import words
from policies import vocabulary

DICTIONARIES: list[tuple[type[StrEnum], Any]] = [
    (vocabulary.Purpose, words.PURPOSE_WORDS),
    (vocabulary.Role, words.ROLE_WORDS),
    (vocabulary.DataCategory, words.CATEGORY_WORDS),
    (vocabulary.AgencyType, words.AGENCY_TYPE_WORDS),
    (vocabulary.AnswerState, words.STATE_WORDS),
    (vocabulary.AnswerState, words.STATE_MEANINGS),
    (vocabulary.AnswerState, words.STATE_KEYS),
    (vocabulary.GpAnswer, words.GP_ANSWER_WORDS),
    (vocabulary.EpisodeState, words.EPISODE_STATE_WORDS),
    (vocabulary.Threshold, words.THRESHOLD_WORDS),
    (vocabulary.ConsentState, words.CONSENT_STATE_WORDS),
    (vocabulary.ConsentKind, words.CONSENT_KIND_WORDS),
    (vocabulary.GiverCapacity, words.GIVER_CAPACITY_WORDS),
    (vocabulary.ReasonCode, words.REASON_CODE_WORDS),
    (vocabulary.Outcome, words.OUTCOME_WORDS),
    (vocabulary.Obligation, words.OBLIGATION_WORDS),
    (vocabulary.Article6Basis, words.ARTICLE6_WORDS),
    (vocabulary.Article9Condition, words.ARTICLE9_WORDS),
    (vocabulary.AgreementStatus, words.AGREEMENT_STATUS_WORDS),
    (vocabulary.AccessMode, words.ACCESS_MODE_WORDS),
    (vocabulary.RelationshipKind, words.RELATIONSHIP_KIND_WORDS),
    (vocabulary.SubjectFlag, words.SUBJECT_FLAG_WORDS),
    (vocabulary.LegalStatus, words.LEGAL_STATUS_WORDS),
]


@pytest.mark.parametrize(("codes", "said"), DICTIONARIES)
def test_every_code_that_a_page_may_show_has_words(codes: type[StrEnum], said: Any) -> None:
    assert set(said) == set(codes)


@pytest.mark.parametrize("said", [words.STATE_WORDS, words.PURPOSE_WORDS, words.ROLE_WORDS, words.CATEGORY_WORDS])
def test_no_two_codes_share_their_words(said: Any) -> None:
    assert len(set(said.values())) == len(said)


def test_every_field_that_partners_share_has_words() -> None:
    from connectors.records import STANDARD_FIELDS

    assert set(STANDARD_FIELDS) <= set(words.FIELD_WORDS)


def test_a_gp_answer_says_itself_in_a_dozen_words() -> None:
    assert all(len(sentence.split()) <= 12 for _, sentence in words.GP_ANSWER_WORDS.values())


def test_summer_and_winter_are_london_time() -> None:
    assert words.moment(datetime(2026, 7, 1, 23, 30, tzinfo=UTC)) == "2 July 2026, 00:30"
    assert words.day(datetime(2026, 7, 1, 23, 30, tzinfo=UTC)) == "2 July 2026"
    assert words.moment(datetime(2026, 3, 4, 10, 15, tzinfo=UTC)) == "4 March 2026, 10:15"
    assert words.moment(datetime(2026, 3, 4, 10, 15)) == "4 March 2026, 10:15"
    assert words.day(date(2026, 3, 4)) == "4 March 2026"
    assert words.day(None) == words.moment(None) == words.month(None) == ""


@pytest.mark.parametrize(
    ("given", "read", "dialled"),
    [
        ("01632960101", "01632 960 101", "+441632960101"),
        ("01632 960 101", "01632 960 101", "+441632960101"),
        ("02079460123", "020 7946 0123", "+442079460123"),
        ("0114 496 0123", "0114 496 0123", "+441144960123"),
        ("03069990123", "0306 999 0123", "+443069990123"),
        ("+44 1632 960101", "+44 1632 960101", "+441632960101"),
        ("ask at the desk", "ask at the desk", ""),
        (None, "", ""),
    ],
)
def test_a_number_is_grouped_for_reading_and_dialled_whole(given: str | None, read: str, dialled: str) -> None:
    assert words.phone(given) == read
    assert words.dial(given) == dialled


def test_words_around_a_number_are_not_part_of_the_link() -> None:
    assert words.phone_parts("Duty desk 01632960101, nights only") == ("Duty desk", "01632 960 101", ", nights only")
    assert words.phone_parts("none") == ("none", "", "")


def test_rows_that_say_the_same_are_joined_and_counted() -> None:
    rows = [{"agency": "b", "count": 1}, {"agency": "a", "count": 2}, {"agency": "b", "count": 3}]
    assert words.together(rows, "agency") == [
        {"agency": "a", "count": 2, "times": 1},
        {"agency": "b", "count": 4, "times": 2},
    ]


def test_facts_are_written_for_people() -> None:
    assert words.fact_words("2026-03-04") == "4 March 2026"
    assert words.fact_words("2026-03-04T10:15:00Z") == "4 March 2026, 10:15"
    assert words.fact_words("2026-13-40") == "2026-13-40"
    assert words.fact_words("2", "sex") == "Female"
    assert words.fact_words("9990001234", "nhs_number") == "999 000 1234"
    assert words.field_words("date_of_birth") == "Date of birth"
    assert words.field_words("tenancy_kind") == "Tenancy kind"


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(seconds=20), "1 minute left"),
        (timedelta(minutes=119), "119 minutes left"),
        (timedelta(hours=2), "2 hours left"),
        (timedelta(hours=47, minutes=59), "47 hours left"),
        (timedelta(days=3, hours=23), "3 days left"),
        (-timedelta(minutes=5), "5 minutes late"),
        (-timedelta(days=2), "2 days late"),
    ],
)
def test_how_long_there_is_stands_in_words(ahead: timedelta, said: str) -> None:
    now = datetime(2026, 11, 25, 10, tzinfo=UTC)
    assert words.time_left(now + ahead, now) == said
