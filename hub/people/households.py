"""Which persons of whole files live together: for FAMILIES.csv and for measuring, never for showing.

For: one household per person, from what agencies state and from addresses, over all records at once. Must never use
the address of somebody whose whereabouts are protected. Ruled by docs/matching.md.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

from connectors import SourceRecord
from hub.people.families import MOST_IN_A_DWELLING
from hub.people.matching.compare import place_level
from hub.people.matching.normalise import PROTECTED, Place, home_of


def households(records: Sequence[SourceRecord], person_of: Sequence[int]) -> list[int]:
    """For each record the household of its person, as the smallest person of it.

    Takes the person of each record, as `assign.cluster` numbers them. A person belongs where most agencies say that
    they live with others; a dwelling with very many people joins nobody.
    """
    members: dict[int, list[SourceRecord]] = defaultdict(list)
    for record, person in zip(records, person_of, strict=True):
        members[person].append(record)
    protected = {p for p, found in members.items() if any(r.flags & PROTECTED for r in found)}
    dwelling = {p: home for p, found in members.items() if p not in protected and (home := _home(found)) is not None}
    root = {p: p for p in members}

    def top(person: int) -> int:
        while root[person] != person:
            root[person] = root[root[person]]
            person = root[person]
        return person

    def join(group: Sequence[int]) -> None:
        for other in group[1:]:
            one, two = top(group[0]), top(other)
            root[max(one, two)] = min(one, two)

    alone = set(members) - set(dwelling) - protected
    for group in _same_dwelling(dwelling):
        join(group)
    _join_those_without_address(members, alone, root, top)
    return [top(person) for person in person_of]


def _home(records: Sequence[SourceRecord]) -> Place | None:
    """The dwelling that most of a person's records agree on; the fuller spelling when they tie."""
    homes = [home for r in records if (home := home_of(r)) is not None and home.street]
    if not homes:
        return None
    votes = {home: sum((place_level(home, other) or 0) <= 1 for other in homes) for home in homes}
    spelt = Counter(homes)
    return max(votes, key=lambda h: (votes[h], bool(h.number), spelt[h], len(h.street), h.key))


def _same_dwelling(dwelling: dict[int, Place]) -> list[list[int]]:
    """Groups of persons at one dwelling: spelt the same, then nearly the same with the same number."""
    exact: dict[str, list[int]] = defaultdict(list)
    for person, home in dwelling.items():
        exact[home.key or f"?{person}"].append(person)
    groups = {key: group for key, group in exact.items() if len(group) <= MOST_IN_A_DWELLING}
    near: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, group in groups.items():
        home = dwelling[group[0]]
        if home.number:
            near[home.number, home.unit].append(key)
        for word in home.street.split():
            if len(word) > 3:
                near[word, home.unit].append(key)
    joined = list(groups.values())
    for keys in near.values():
        if len(keys) > 60:
            continue
        for at, one in enumerate(keys):
            for other in keys[at + 1 :]:
                x, y = dwelling[groups[one][0]], dwelling[groups[other][0]]
                if x.unit == y.unit and place_level(x, y) == 1:
                    joined.append([groups[one][0], groups[other][0]])
    return joined


def _join_those_without_address(
    members: dict[int, list[SourceRecord]], alone: set[int], root: dict[int, int], top: object
) -> None:
    """Persons without any address belong where an agency's household or tenancy puts them."""
    assert callable(top)
    stated: dict[tuple[str, str], list[int]] = defaultdict(list)
    for person, found in members.items():
        for r in found:
            if r.household and not any(x.flags & PROTECTED for x in found):
                stated[r.agency, r.household].append(person)
    for group in stated.values():
        settled = [p for p in group if p not in alone]
        for person in sorted(set(group) & alone):
            target = settled[0] if settled else group[0]
            one, two = top(target), top(person)
            root[max(one, two)] = min(one, two)
