"""Working days in England: the published calendar, and counting over it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.working_days import bank_holidays, is_working_day, working_day_after

#: gov.uk/bank-holidays, England and Wales, as published (month, day).
PUBLISHED = {
    2019: "1-1 4-19 4-22 5-6 5-27 8-26 12-25 12-26",
    2020: "1-1 4-10 4-13 5-8 5-25 8-31 12-25 12-28",
    2021: "1-1 4-2 4-5 5-3 5-31 8-30 12-27 12-28",
    2022: "1-3 4-15 4-18 5-2 6-2 6-3 8-29 9-19 12-26 12-27",
    2023: "1-2 4-7 4-10 5-1 5-8 5-29 8-28 12-25 12-26",
    2024: "1-1 3-29 4-1 5-6 5-27 8-26 12-25 12-26",
    2025: "1-1 4-18 4-21 5-5 5-26 8-25 12-25 12-26",
    2026: "1-1 4-3 4-6 5-4 5-25 8-31 12-25 12-28",
    2027: "1-1 3-26 3-29 5-3 5-31 8-30 12-27 12-28",
    2028: "1-3 4-14 4-17 5-1 5-29 8-28 12-25 12-26",
}


def _counted(first: date, last: date) -> int:
    """Working days after `first` up to `last`, one day at a time."""
    return sum(is_working_day(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))


@pytest.mark.parametrize("year", PUBLISHED)
def test_the_calendar_is_the_published_one(year: int) -> None:
    published = {date(year, *map(int, day.split("-"))) for day in PUBLISHED[year].split()}
    assert bank_holidays(year) == published


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        (date(2026, 11, 25), 1, date(2026, 11, 26)),
        (date(2026, 11, 27), 1, date(2026, 11, 30)),  # Friday: over the weekend
        (date(2026, 11, 28), 1, date(2026, 11, 30)),  # Saturday does not count itself
        (date(2026, 12, 24), 1, date(2026, 12, 29)),  # Christmas, weekend, Boxing Day's substitute
        (date(2026, 4, 2), 1, date(2026, 4, 7)),  # Easter
        (date(2026, 11, 25), 10, date(2026, 12, 9)),
        (date(2026, 12, 31), 1, date(2027, 1, 4)),  # New Year's Day, weekend
    ],
)
def test_counting_goes_over_weekends_and_bank_holidays(start: date, count: int, due: date) -> None:
    assert working_day_after(start, count) == due
    assert _counted(start, due) == count


def test_counting_backwards_or_before_the_known_years_is_refused() -> None:
    with pytest.raises(ValueError, match="forward"):
        working_day_after(date(2026, 1, 5), 0)
    with pytest.raises(ValueError, match="2013"):
        bank_holidays(2012)


@given(start=st.dates(date(2014, 1, 1), date(2080, 1, 1)), count=st.integers(1, 60))
def test_the_day_counted_to_is_a_working_day_and_the_count_agrees(start: date, count: int) -> None:
    due = working_day_after(start, count)
    assert is_working_day(due)
    assert _counted(start, due) == count
    assert due - start <= timedelta(days=2 * count + 8)
