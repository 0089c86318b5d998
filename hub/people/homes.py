"""Where somebody lives, from what several agencies say: the dwelling that the weightiest of them agree on.

For: households. Must never use the address of somebody whose whereabouts are protected, and never drop an address:
what does not count for the household still stands in the record. Ruled by docs/matching.md.
"""

from collections.abc import Iterable
from datetime import date

from connectors import SourceRecord
from hub.people.matching.levels import place_level
from hub.people.matching.normalise import PROTECTED, Place, home_of

#: What a record says about its own subject counts whole; about somebody named inside another's row, less: a
#: dependent may live elsewhere. Who says what somebody is in a household knows the household. An ended record or a
#: missing house number says little.
_OWN, _INSIDE, _IN_HOUSEHOLD, _ENDED, _NO_NUMBER = 1.0, 0.4, 1.5, 0.1, 0.5


def is_current(record: SourceRecord, today: date | None) -> bool:
    """Whether the record has not ended; without a day to compare, whether it has no end."""
    return record.valid_until is None or (today is not None and record.valid_until >= today)


def is_same_home(x: Place, y: Place) -> bool:
    """Whether two addresses are one dwelling, spelling aside. Without a house number the street must be the same."""
    level = place_level(x, y)
    if level == 0 or (level == 1 and x.unit == y.unit):
        return True
    return bool(x.street) and not x.number and not y.number and (x.street, x.unit) == (y.street, y.unit)


def main_homes(records: Iterable[SourceRecord], today: date | None = None) -> list[tuple[Place, SourceRecord]]:
    """The addresses that count: those of the weightiest dwelling, or of several when they weigh the same."""
    records = tuple(records)
    if any(r.flags & PROTECTED for r in records):
        return []
    told = [(home, r) for r in records if (home := home_of(r)) is not None and (home.street or home.uprn)]
    groups: list[list[tuple[Place, SourceRecord]]] = []
    for home, record in told:
        for group in groups:
            if any(is_same_home(home, other) for other, _ in group):
                group.append((home, record))
                break
        else:
            groups.append([(home, record)])
    weights = [sum(_weight(home, record, today) for home, record in group) for group in groups]
    most = max(weights, default=0.0)
    return [one for group, weight in zip(groups, weights, strict=True) if weight >= most for one in group]


def _weight(home: Place, record: SourceRecord, today: date | None) -> float:
    weight = _INSIDE if "#" in record.record else _IN_HOUSEHOLD if record.reference_relationship else _OWN
    weight *= 1.0 if is_current(record, today) else _ENDED
    return weight if home.number or home.uprn else weight * _NO_NUMBER
