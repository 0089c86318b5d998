"""What ends soon: agreements that expire, and parents' answers that end on an eighteenth birthday.

For: telling the lead professional before rules P15 and P18 bite. Must never decide anything: it lists.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from consent.records import YES, ConsentRecord, current_records
from policies.vocabulary import GiverCapacity

#: How long before the end somebody is told, in days.
NOTICE_DAYS = 30
#: Answers that end when the child comes of age (Children Act 1989 s105).
FOR_A_CHILD = frozenset({GiverCapacity.PARENT_WITH_PR, GiverCapacity.LA_WITH_PR})


@dataclass(frozen=True, slots=True)
class Ending:
    """A record that ends by itself on a day, and whether a birthday is the reason."""

    record: ConsentRecord
    on: date
    comes_of_age: bool


def given_for_children(session: Session, *, now: datetime) -> frozenset[str]:
    """The persons whose birthday matters: those for whom a parent or the authority said yes."""
    return frozenset(
        one.subject
        for one in current_records(session, None, now=now)
        if one.state in YES and one.giver_capacity in FOR_A_CHILD
    )


def ending_soon(session: Session, births: Mapping[str, date], *, now: datetime) -> Iterator[Ending]:
    """The records that end within the notice from now; `births` holds the birth dates that are known."""
    today, last = now.date(), now.date() + timedelta(days=NOTICE_DAYS)
    for one in current_records(session, None, now=now):
        if one.state not in YES:
            continue
        if one.expires_at is not None and one.expires_at > now and one.expires_at.date() <= last:
            yield Ending(one, one.expires_at.date(), comes_of_age=False)
        born = births.get(one.subject)
        if born is not None and one.giver_capacity in FOR_A_CHILD:
            of_age = eighteenth_birthday(born)
            if today < of_age <= last:
                yield Ending(one, of_age, comes_of_age=True)


def eighteenth_birthday(born: date) -> date:
    """The day somebody comes of age; born on 29 February, it is 1 March (Family Law Reform Act 1969 s9)."""
    try:
        return born.replace(year=born.year + 18)
    except ValueError:
        return date(born.year + 18, 3, 1)
