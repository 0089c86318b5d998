"""Where somebody lives, from what several agencies say: the dwelling that the weightiest of them agree on.

For: households. Must never use the address of somebody whose whereabouts are protected, and never drop an address:
what does not count for the household still stands in the record. Ruled by docs/matching.md.
"""

from collections.abc import Container, Iterable, Mapping
from datetime import date
from types import MappingProxyType

from rapidfuzz.fuzz import ratio

from connectors import SourceRecord
from hub.people.matching.levels import place_level
from hub.people.matching.normalise import PROTECTED, Place, home_of

#: What a record says about its own subject counts whole; about somebody named inside another's row, less: a
#: dependent may live elsewhere. Who says what somebody is in a household knows the household. An ended record or a
#: missing house number says little, an address of very many people (care of an office, a hostel) hardly anything.
_OWN, _INSIDE, _IN_HOUSEHOLD, _ENDED, _NO_NUMBER, _CROWDED = 1.0, 0.4, 1.5, 0.1, 0.5, 0.1


def is_current(record: SourceRecord, today: date | None) -> bool:
    """Whether the record has not ended; without a day to compare, whether it has no end."""
    return record.valid_until is None or (today is not None and record.valid_until >= today)


def is_same_home(x: Place, y: Place) -> bool:
    """Whether two addresses are one dwelling, spelling aside. Without a house number the street must be the same."""
    level = place_level(x, y)
    if level == 0 or (level == 1 and x.unit == y.unit):
        return True
    return bool(x.street) and not x.number and not y.number and (x.street, x.unit) == (y.street, y.unit)


def main_homes(
    records: Iterable[SourceRecord],
    today: date | None = None,
    crowded: Container[str] = frozenset(),
    of_household: Mapping[tuple[str, str], Place] = MappingProxyType({}),
) -> list[tuple[Place, SourceRecord]]:
    """The addresses that count: those of the weightiest dwelling, or of several when they weigh the same.

    Takes `crowded`: keys of dwellings that so many people have that they say little about a household; `of_household`:
    for a record (agency, record) whose agency has the others of its household reference elsewhere, where that is. Such
    a record speaks half for either.
    """
    records = tuple(records)
    if any(r.flags & PROTECTED for r in records):
        return []
    told = [(home, r) for r in records if (home := home_of(r)) is not None and (home.street or home.uprn)]
    told += [(of_household[key], r) for r in records if (key := (r.agency, r.record)) in of_household]
    groups: list[list[tuple[Place, SourceRecord]]] = []
    # The fullest first, so that an address that lacks a part can be told to be the same as one of them.
    for home, record in sorted(told, key=lambda one: (not one[0].number, not one[0].unit)):
        alike = [group for group in groups if any(is_same_home(home, other) for other, _ in group)]
        if not alike:
            alike = [group for group in groups if any(_may_be(home, other) for other, _ in group)]
            alike = alike if len(alike) == 1 else []
        if alike:
            alike[0].append((home, record))
        else:
            groups.append([(home, record)])
    weights = [
        sum(
            _weight(home, record, today, crowded) * (0.5 if (record.agency, record.record) in of_household else 1.0)
            for home, record in group
        )
        for group in groups
    ]
    most = max(weights, default=0.0)
    return [one for group, weight in zip(groups, weights, strict=True) if weight >= most for one in group]


def _may_be(x: Place, y: Place) -> bool:
    """Whether two addresses of one person are one dwelling, of which one is written less well: a part left out, or a
    street misspelt beside the same house number of three figures or more, which no second home would have."""
    parts = ((x.number, y.number), (x.unit, y.unit), (x.postcode, y.postcode), (x.uprn, y.uprn))
    if any(one and other and one != other for one, other in parts):
        return False
    return x.street == y.street or (x.number == y.number and len(x.number) >= 3 and ratio(x.street, y.street) >= 50)


def _weight(home: Place, record: SourceRecord, today: date | None, crowded: Container[str]) -> float:
    weight = _INSIDE if is_inside(record) else _IN_HOUSEHOLD if record.reference_relationship else _OWN
    weight *= 1.0 if is_current(record, today) else _ENDED
    weight *= _CROWDED if home.key in crowded else 1.0
    return weight if home.number or home.uprn else weight * _NO_NUMBER


def is_inside(record: SourceRecord) -> bool:
    """Whether somebody is only named inside the record of another person."""
    return "#" in record.record
