"""Which persons of whole files live together: for FAMILIES.csv and for measuring, never for showing.

For: one household per person, from what agencies state and from addresses, over all records at once. Must never use
the address of somebody whose whereabouts are protected. Ruled by docs/matching.md.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from connectors import SourceRecord
from hub.people.homes import is_current, is_inside, is_same_home, main_homes
from hub.people.living import MOST_IN_A_DWELLING
from hub.people.matching.normalise import PROTECTED, Place, home_of

#: Without a house number only so few people on one street count as one dwelling.
_MOST_WITHOUT_NUMBER = 8
#: More spellings than this under one number or street word are not compared with each other.
_MOST_SPELLINGS = 80


def households(records: Sequence[SourceRecord], person_of: Sequence[int]) -> list[int]:
    """For each record the household of its person, as the smallest person of it.

    Takes the person of each record, as `assign.cluster` numbers them. A dwelling with very many people joins nobody;
    persons without any address belong where an agency's household or tenancy puts them.
    """
    members: dict[int, list[SourceRecord]] = defaultdict(list)
    for record, person in zip(records, person_of, strict=True):
        members[person].append(record)
    crowded = _crowded(members)
    elsewhere = _households_elsewhere(records)
    told = {p: main_homes(found, crowded=crowded, of_household=elsewhere) for p, found in members.items()}
    homes = {p: [home for home, _ in found] for p, found in told.items()}
    spelt = Counter(home.key for found in homes.values() for home in set(found))
    dwelling = {p: max(found, key=lambda h: _fullness(h, spelt)) for p, found in homes.items() if found}
    root = {p: p for p in members}

    def top(person: int) -> int:
        while root[person] != person:
            root[person] = root[root[person]]
            person = root[person]
        return person

    def join(one: int, other: int) -> None:
        low, high = sorted((top(one), top(other)))
        root[high] = low

    heads = _heads(records, person_of, told)
    _join_dwellings({p: home for p, home in dwelling.items() if p not in heads}, join)
    for person, head in heads.items():
        join(person, head)
    _join_those_without_address(members, dwelling, join)
    return [top(person) for person in person_of]


def _households_elsewhere(records: Sequence[SourceRecord]) -> dict[tuple[str, str], Place]:
    """Records that an agency has at another address than most others of the same household reference: where those are.

    Either the address of the one is out of date or the reference is: a family's may still hold the parent who left.
    """
    living: dict[tuple[str, str], list[tuple[SourceRecord, Place]]] = defaultdict(list)
    for r in records:
        home = home_of(r)
        if r.household and home is not None and home.number and is_current(r, None):
            living[r.agency, r.household].append((r, home))
    found: dict[tuple[str, str], Place] = {}
    for together in living.values():
        groups: list[list[Place]] = []
        for _, home in together:
            alike = next((group for group in groups if is_same_home(group[0], home)), None)
            alike.append(home) if alike is not None else groups.append([home])
        most = max(groups, key=len)
        if len(most) > 1 and len(most) > len(together) / 2:
            found |= {(r.agency, r.record): most[0] for r, home in together if not is_same_home(most[0], home)}
    return found


def _crowded(members: Mapping[int, Sequence[SourceRecord]]) -> frozenset[str]:
    """Dwellings that more people have than can be one household."""
    living: dict[str, set[int]] = defaultdict(set)
    for person, found in members.items():
        for record in found:
            if (home := home_of(record)) and home.key:
                living[home.key].add(person)
    return frozenset(key for key, people in living.items() if len(people) > MOST_IN_A_DWELLING)


def _heads(
    records: Sequence[SourceRecord], person_of: Sequence[int], told: Mapping[int, Sequence[tuple[Place, SourceRecord]]]
) -> dict[int, int]:
    """Persons whose home is known only because somebody else's row names them: they live where that person lives."""
    owner = {(r.agency, r.record): person for r, person in zip(records, person_of, strict=True)}
    found = {}
    for person, homes in told.items():
        if homes and all(is_inside(record) for _, record in homes):
            heads = sorted({owner.get((r.agency, r.record.split("#")[0]), person) for _, r in homes})
            if len(heads) == 1 and heads[0] != person and told.get(heads[0]):
                found[person] = heads[0]
    return found


def _fullness(home: Place, spelt: Mapping[str, int]) -> tuple[bool, int, int, str]:
    """Which spelling of a person's main dwelling to take: with a number, and as most others there are spelt."""
    return bool(home.number), spelt[home.key] if home.key else 0, len(home.street), home.key


def _join_dwellings(dwelling: Mapping[int, Place], join: Callable[[int, int], None]) -> None:
    """Joins persons at one dwelling: spelt the same, then nearly the same."""
    exact: dict[str, list[int]] = defaultdict(list)
    for person, home in dwelling.items():
        exact[home.key or f"?{home.street}|{home.unit}"].append(person)
    groups = []
    for key, group in exact.items():
        if len(group) <= (_MOST_WITHOUT_NUMBER if key.startswith("?") else MOST_IN_A_DWELLING):
            groups.append(group)
            for other in group[1:]:
                join(group[0], other)
    near: dict[tuple[str, ...], list[list[int]]] = defaultdict(list)
    for group in groups:
        home = dwelling[group[0]]
        if home.number:
            near["number", home.number, home.unit].append(group)
            for word in home.street.split():
                near["street", word, home.unit].append(group)
    for alike in near.values():
        if len(alike) > _MOST_SPELLINGS:
            continue
        for at, first in enumerate(alike):
            for second in alike[at + 1 :]:
                small = len(first) + len(second) <= MOST_IN_A_DWELLING
                if small and is_same_home(dwelling[first[0]], dwelling[second[0]]):
                    join(first[0], second[0])


def _join_those_without_address(
    members: Mapping[int, Sequence[SourceRecord]], dwelling: Mapping[int, Place], join: Callable[[int, int], None]
) -> None:
    stated: dict[tuple[str, str], list[int]] = defaultdict(list)
    for person, found in members.items():
        if not any(r.flags & PROTECTED for r in found):
            for r in found:
                if r.household:
                    stated[r.agency, r.household].append(person)
    for group in stated.values():
        settled = [p for p in group if p in dwelling]
        for person in sorted(set(group) - set(dwelling)):
            join((settled or group)[0], person)
