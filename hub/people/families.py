"""Who belongs to a person: household now, parents wherever they live, brothers and sisters - each with its source.

For: step 3 of the way of one request. Must never walk further than those, never use the address of a person whose
whereabouts are protected (neither to show it nor to put anybody into a household with it), never tie an adopted
person to a birth family, and never settle a contradiction between agencies in silence. Ruled by docs/matching.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CompoundSelect, Select, select
from sqlalchemy.orm import Session

from connectors import PartialDate, SourceRecord, record_system
from hub.people import tables
from hub.people.derived import add_siblings
from hub.people.homes import is_same_home
from hub.people.living import Household, Living, households_of, living_of
from hub.people.matching.normalise import home_of
from hub.people.relations import PARENTS
from hub.people.said import age_on, best_birth_date, best_name, flags_of, is_protected, most_said
from hub.people.standing import standing
from hub.people.stored import (
    COLUMNS,
    Keys,
    blind_key,
    dwelling_keys,
    household_key,
    opened,
    relation_key,
    rows_of_persons,
)
from hub.people.ties import People, Relation, Ties, relations_of, ties_of
from policies.vocabulary import RelationToIndex, SubjectFlag

#: At most this many records are read around one person.
MOST_ROWS = 300


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the family. `why` says in words why they are here; `flags` come from any agency."""

    person: str
    relation_to_index: RelationToIndex
    why: str
    name: str
    date_of_birth: PartialDate | None
    sex_code: str | None
    age: int | None
    flags: frozenset[SubjectFlag]
    agencies: tuple[str, ...]
    household: str | None
    records: tuple[SourceRecord, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The person asked about and who belongs to them."""

    index: str
    members: tuple[Member, ...]
    relations: tuple[Relation, ...]
    households: tuple[Household, ...]
    notes: tuple[str, ...] = ()


def family_of(
    session: Session, keys: Keys, person_id: str, *, now: datetime, without: frozenset[str] = frozenset()
) -> Family:
    """The family of one person; just the person, said so, when nobody else is known; empty for an unknown person.

    `without` are persons who count as if no agency knew of them: nothing that follows from them is told either.
    Effects: none. Three queries, whatever the family.
    """
    people: People = _grouped(keys, rows_of_persons(session, (person_id,)))
    if person_id not in people:
        return Family(person_id, (), (), ())
    notes: list[str] = []
    people |= _near(session, keys, people[person_id], notes, with_home=not is_protected(people[person_id]))
    people = _but(people, without)
    ties = ties_of(people)
    parents = [senior for (senior, junior), told in ties.items() if junior == person_id and set(told) & PARENTS]
    if parents:
        people |= _near(session, keys, [r for p in parents for r in people[p]], notes, with_home=False)
        people = _but(people, without)
        ties = ties_of(people)
    add_siblings(ties, people, person_id)
    living = living_of(people, now.date())
    members = _members(person_id, people, ties, living, now)
    chosen = {m.person for m in members}
    return Family(
        person_id,
        members,
        relations_of(ties, chosen, person_id),
        households_of(living.together, chosen),
        tuple(dict.fromkeys([*notes, *_notes(people, person_id, chosen, now.date())])),
    )


def _but(people: People, without: frozenset[str]) -> People:
    return {person: records for person, records in people.items() if person not in without}


def _grouped(keys: Keys, rows: Iterable[object]) -> People:
    found: dict[str, list[SourceRecord]] = defaultdict(list)
    for row in rows:
        found[row.person].append(opened(keys, row))  # type: ignore[attr-defined]
    return {person: tuple(records) for person, records in found.items()}


def _near(
    session: Session, keys: Keys, records: Sequence[SourceRecord], notes: list[str], *, with_home: bool
) -> People:
    """Everybody whom these records name, who name these records, and (with_home) who may share the home."""
    wanted = {relation_key(record_system(r.agency), r.record) for r in records}
    homes: set[str] = set()
    if with_home:
        homes = {household_key(r.agency, r.household) for r in records if r.household}
        homes |= {key for r in records if (home := home_of(r)) for key in dwelling_keys(home)}
    named = {
        (tie.identifier.system.removeprefix(record_system("")), tie.identifier.value)
        for r in records
        for tie in r.person.related
    }
    rows = _rows_near(session, keys, wanted | homes, named)
    if len(rows) > MOST_ROWS and homes:
        rows = _rows_near(session, keys, wanted | {key for key in homes if not key.startswith("B:")}, named)
    if len(rows) > MOST_ROWS and homes:
        notes.append("Very many people are recorded at the address; living there alone made nobody family.")
        rows = _rows_near(session, keys, wanted, named)
    return _grouped(keys, rows[:MOST_ROWS])


def _rows_near(session: Session, keys: Keys, wanted: set[str], named: set[tuple[str, str]]) -> Sequence[object]:
    table = tables.records
    by_key = (
        select(table.c.person)
        .join(tables.keys, tables.keys.c.record_id == table.c.id)
        .where(tables.keys.c.key.in_(sorted(blind_key(keys, key) for key in wanted)))
    )
    persons: Select[Any] | CompoundSelect[Any] = by_key
    if named:
        # Agency by agency: SQLite reads the whole table when pairs of columns are compared with a list of pairs.
        by_agency: dict[str, list[str]] = defaultdict(list)
        for agency, record in sorted(named):
            by_agency[agency].append(record)
        persons = by_key.union(
            *(
                select(table.c.person).where(table.c.agency == agency, table.c.record.in_(numbers))
                for agency, numbers in by_agency.items()
            )
        )
    query = select(*COLUMNS).where(table.c.person.in_(persons)).order_by(table.c.id).limit(MOST_ROWS + 1)
    return session.execute(query).all()


def _members(index: str, people: People, ties: Ties, living: Living, now: datetime) -> tuple[Member, ...]:
    homes = {person: home.id for home in households_of(living.together, set(people)) for person in home.members}
    found = []
    for person, records in people.items():
        place = standing(index, person, people, ties, living, now)
        if place is None:
            continue
        relation, why = place
        born, flags = best_birth_date(records), flags_of(records)
        found.append(
            Member(
                person=person,
                relation_to_index=relation,
                why=why,
                name=best_name([n for r in records for n in r.person.names]),
                date_of_birth=born,
                sex_code=most_said(r.person.sex_code for r in records),
                age=None if SubjectFlag.UNBORN in flags else age_on(born, now),
                flags=flags,
                agencies=tuple(sorted({r.agency for r in records})),
                household=homes.get(person),
                records=records,
            )
        )
    order = list(RelationToIndex)
    found.sort(
        key=lambda m: (
            order.index(m.relation_to_index),
            m.date_of_birth.date if m.date_of_birth else date.max,
            m.person,
        )
    )
    return tuple(found)


def _notes(people: People, index: str, chosen: set[str], today: date) -> Iterable[str]:
    if any(_is_overdue(people[person], today) for person in sorted(chosen)):
        yield (
            "A baby in this family was expected before today. If the baby has been born, the baby's own record is "
            "not joined to this one: ask for it."
        )
    if is_protected(people[index]):
        yield "Whereabouts are protected: nobody is shown as household because of an address."
        return
    homes = {home.key for r in people[index] if (home := home_of(r)) and home.key}
    current = [home for r in people[index] if (home := home_of(r)) and home.key]
    if len(homes) > 1 and not all(is_same_home(current[0], home) for home in current):
        yield "Agencies hold different addresses for this person; people at each of them are shown."


def _is_overdue(records: Sequence[SourceRecord], today: date) -> bool:
    """Whether an unborn baby was expected before today, in a record that is still of an unborn baby."""
    expected = best_birth_date(records)
    return SubjectFlag.UNBORN in flags_of(records) and expected is not None and _latest(expected) < today


def _latest(day: PartialDate) -> date:
    """The last day that a partly known date can be."""
    month = 12 if day.accuracy[1:2] == "U" else day.date.month
    if "U" not in day.accuracy[:2]:
        return day.date
    return date(day.date.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
