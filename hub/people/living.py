"""Who lives with whom, from addresses and from what agencies state about households.

For: the households of a family. Must never use the address or household of somebody whose whereabouts are protected,
and never hold an address: homes are numbered. Ruled by docs/matching.md.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connectors import SourceRecord
from hub.people.homes import is_current, is_same_home, main_homes
from hub.people.matching.normalise import Place
from hub.people.said import is_protected

#: A dwelling with more people than this is a home, a hostel or a block: living there makes nobody family.
MOST_IN_A_DWELLING = 12


@dataclass(frozen=True, slots=True)
class Household:
    """People who live together now, and which agencies say so. Holds no address."""

    id: str
    members: tuple[str, ...]
    agencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Two people of one home: whether now, and which agencies say so."""

    now: bool
    agencies: frozenset[str]


@dataclass(frozen=True, slots=True)
class Living:
    """Who shares a home with whom, and of whom agencies hold different homes now. Nobody protected is in it."""

    together: Mapping[frozenset[str], Together]
    apart: frozenset[frozenset[str]]


def living_of(people: Mapping[str, tuple[SourceRecord, ...]], today: date) -> Living:
    """Works it out from addresses and from agencies' household references; see `Living`."""
    homes: dict[str, list[tuple[Place, SourceRecord]]] = {}
    refs: dict[str, dict[tuple[str, str], bool]] = {}
    for person, records in people.items():
        if is_protected(records):
            continue
        homes[person] = main_homes(records, today)
        refs[person] = {}
        for r in records:
            if r.household:
                key = (r.agency, r.household)
                refs[person][key] = refs[person].get(key, False) or is_current(r, today)
    crowded = _crowded(homes)
    found: dict[frozenset[str], Together] = {}
    apart: set[frozenset[str]] = set()
    settled = {person for person, told in homes.items() if any(is_current(r, today) for _, r in told)}
    ordered = sorted(homes)
    for at, one in enumerate(ordered):
        for other in ordered[at + 1 :]:
            current: set[str] = set()
            ended: set[str] = set()
            live_apart = bool(homes[one]) and bool(homes[other])
            for x, r in homes[one]:
                for y, s in homes[other]:
                    if not is_same_home(x, y):
                        continue
                    live_apart = False
                    if x.key not in crowded and y.key not in crowded:
                        both = is_current(r, today) and is_current(s, today)
                        (current if both else ended).update((r.agency, s.agency))
            for key in refs[one].keys() & refs[other].keys():
                both = refs[one][key] and refs[other][key]
                if not both:
                    ended.add(key[0])
                elif not live_apart:
                    current.add(key[0])
            if current or ended:
                found[frozenset((one, other))] = Together(bool(current), frozenset(current or ended))
            if live_apart and not current and {one, other} <= settled:
                apart.add(frozenset((one, other)))
    return Living(found, frozenset(apart))


def _crowded(homes: Mapping[str, list[tuple[Place, SourceRecord]]]) -> set[str]:
    living: dict[str, set[str]] = defaultdict(set)
    for person, found in homes.items():
        for home, _ in found:
            living[home.key].add(person)
    return {key for key, persons in living.items() if len(persons) > MOST_IN_A_DWELLING}


def households_of(together: Mapping[frozenset[str], Together], chosen: set[str]) -> tuple[Household, ...]:
    """The homes of now: people who are each tied to one another, strongest first."""
    root = {person: person for person in chosen}
    agencies: dict[str, set[str]] = defaultdict(set)

    def top(person: str) -> str:
        while root[person] != person:
            person = root[person]
        return person

    for pair, tie in sorted(together.items(), key=lambda x: (-len(x[1].agencies), sorted(x[0]))):
        if not tie.now or not pair <= chosen:
            continue
        one, other = (top(p) for p in sorted(pair))
        if one != other:
            root[max(one, other)] = min(one, other)
    for pair, tie in together.items():
        if tie.now and pair <= chosen:
            agencies[top(min(pair))] |= tie.agencies
    living: dict[str, list[str]] = defaultdict(list)
    for person in sorted(chosen):
        living[top(person)].append(person)
    shared = sorted((t, m) for t, m in living.items() if len(m) > 1)
    return tuple(Household(f"home-{n}", tuple(m), tuple(sorted(agencies[t]))) for n, (t, m) in enumerate(shared, 1))
