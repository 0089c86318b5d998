"""Until when somebody must act on a notice: before lessons begin, and 72 hours after a return.

For: the due times of tasks that notices bring. Pure. Must never make a time later because something is not known: a
school whose holidays nobody entered has none but weekends and bank holidays.
"""

from datetime import UTC, datetime, timedelta

from connectors import SchoolDay
from hub.casefile import LONDON, london
from hub.working_days import is_working_day

#: A return home interview is offered within 72 hours of the return (statutory guidance on children who run away or go
#: missing from home or care, Department for Education, January 2014, paragraph 32).
INTERVIEW_WITHIN = timedelta(hours=72)
#: No school is closed for longer.
_LONGEST_CLOSURE_DAYS = 120


def before_lessons(school: SchoolDay, happened: datetime) -> datetime:
    """The beginning of the first lesson after something happened, in UTC."""
    day = london(happened).date()
    for _ in range(_LONGEST_CLOSURE_DAYS):
        begins = datetime.combine(day, school.lessons_begin, LONDON)
        open_that_day = is_working_day(day) and not any(first <= day <= last for first, last in school.holidays)
        if open_that_day and begins > happened:
            return begins.astimezone(UTC)
        day += timedelta(days=1)
    return happened.astimezone(UTC)


def interview_due(returned: datetime) -> datetime:
    """72 hours after the return, to the minute: hours that pass, not hours of a clock that is put back."""
    return returned.astimezone(UTC) + INTERVIEW_WITHIN
