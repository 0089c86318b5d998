"""Working days and bank holidays in England: what "before the next working day" means on a calendar.

For: clocks that count working days. Pure. Must never guess a holiday that was not made law: the yearly ones
follow the Banking and Financial Dealings Act 1971, Schedule 1, and the usual substitute days; one-off days are
listed with the proclamation that made them. A new proclamation needs a new line here.
"""

from datetime import date, timedelta
from functools import lru_cache

#: One-off days by royal proclamation, as listed at gov.uk/bank-holidays, read 25 November 2026.
PROCLAIMED = frozenset(
    {
        date(2020, 5, 8),  # VE Day, instead of the first Monday of May.
        date(2022, 6, 2),  # Spring bank holiday, moved for the Platinum Jubilee.
        date(2022, 6, 3),  # Platinum Jubilee.
        date(2022, 9, 19),  # State funeral of Queen Elizabeth II.
        date(2023, 5, 8),  # Coronation of King Charles III.
    }
)
#: Yearly days that such a proclamation moved away.
MOVED_AWAY = frozenset({date(2020, 5, 4), date(2022, 5, 30)})
#: The first year for which the lists above are complete.
FIRST_YEAR = 2013


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> frozenset[date]:
    """The bank holidays of England in that year, substitute days included and replaced weekend days left out.

    Raises ValueError for a year before FIRST_YEAR.
    """
    if year < FIRST_YEAR:
        raise ValueError(f"bank holidays are known from {FIRST_YEAR}")
    easter = _easter(year)
    days = {
        _first_weekday_from(date(year, 1, 1)),
        easter - timedelta(days=2),
        easter + timedelta(days=1),
        _monday_from(date(year, 5, 1)),
        _monday_from(date(year, 5, 25)),
        _monday_from(date(year, 8, 25)),
        *_christmas(year),
    }
    return frozenset((days - MOVED_AWAY) | {day for day in PROCLAIMED if day.year == year})


def is_working_day(day: date) -> bool:
    """Monday to Friday, and no bank holiday in England."""
    return day.weekday() < 5 and day not in bank_holidays(day.year)


def working_day_after(day: date, count: int = 1) -> date:
    """The working day that is `count` working days later; the given day itself does not count.

    Raises ValueError when `count` is less than 1.
    """
    if count < 1:
        raise ValueError("count forward, by at least one working day")
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def _christmas(year: int) -> set[date]:
    """25 and 26 December, or the weekdays that stand in for them."""
    first = date(year, 12, 25)
    by_weekday = {4: (25, 28), 5: (28, 27), 6: (27, 26)}  # Friday, Saturday, Sunday
    return {date(year, 12, day) for day in by_weekday.get(first.weekday(), (25, 26))}


def _monday_from(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


def _first_weekday_from(day: date) -> date:
    return day if day.weekday() < 5 else _monday_from(day)


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Book of Common Prayer tables, in J. Meeus' form of 1991)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    last = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * last) // 433
    month = (h + last - 7 * m + 90) // 25
    return date(year, month, (h + last - 7 * m + 33 * month + 19) % 32)
