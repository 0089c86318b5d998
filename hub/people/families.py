"""Who belongs to a person: household now, parents wherever they live, brothers and sisters - each with its source.

For: step 3 of the way of one request. Must never walk further than those, never use the address of a person whose
whereabouts are protected (neither to show it nor to put anybody into a household with it), never tie an adopted
person to a birth family, and never settle a contradiction between agencies in silence. Ruled by docs/matching.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import CompoundSelect, Select, select
from sqlalchemy.orm import Session

from connectors import PartialDate, SourceRecord, record_system
from hub.people import tables
from hub.people.homes import is_current, is_same_home, main_homes
from hub.people.index import age_on, best_birth_date, best_name, most_said
from hub.people.matching.normalise import PROTECTED, Place, home_of
from hub.people.relations import (
    CHOSEN,
    PARENTS,
    PARTNERS,
    RESPONSIBLE,
    SENIOR,
    SIBLINGS,
    Kind,
    code_for,
    contradict,
    kind_of,
    words_of,
)
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
from policies.vocabulary import RelationToIndex, SubjectFlag

#: A dwelling with more people than this is a home, a hostel or a block: living there makes nobody family.
MOST_IN_A_DWELLING = 12
#: At most this many records are read around one person.
MOST_ROWS = 300

STATED = "stated"
DERIVED = "derived"


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
class Relation:
    """`person` is `code` of `of`. `basis` is "stated", or "derived" from what agencies state about each of them."""

    person: str
    of: str
    code: str
    words: str
    agencies: tuple[str, ...]
    as_of: datetime | None
    basis: str
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class Household:
    """People who live together now, and which agencies say so. Holds no address."""

    id: str
    members: tuple[str, ...]
    agencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The person asked about and who belongs to them."""

    index: str
    members: tuple[Member, ...]
    relations: tuple[Relation, ...]
    households: tuple[Household, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Told:
    """What agencies say about one tie of two people."""

    kind: Kind
    code: str
    agencies: set[str] = field(default_factory=set)
    as_of: datetime | None = None
    is_stated: bool = False


People = dict[str, tuple[SourceRecord, ...]]
Ties = dict[tuple[str, str], dict[Kind, _Told]]


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
    today = now.date()
    notes: list[str] = []
    people |= _near(session, keys, people[person_id], notes, with_home=not _is_protected(people[person_id]))
    people = _but(people, without)
    ties = _ties(people)
    parents = [senior for (senior, junior), told in ties.items() if junior == person_id and set(told) & PARENTS]
    if parents:
        people |= _near(session, keys, [r for p in parents for r in people[p]], notes, with_home=False)
        people = _but(people, without)
        ties = _ties(people)
    _add_siblings(ties, people)
    together = _together(people, today)
    members = _members(person_id, people, ties, together, now)
    chosen = {m.person for m in members}
    return Family(
        person_id,
        members,
        _relations(ties, people, chosen, person_id),
        _households(together, chosen),
        tuple(dict.fromkeys([*notes, *_notes(people, person_id)])),
    )


def _but(people: People, without: frozenset[str]) -> People:
    return {person: records for person, records in people.items() if person not in without}


def _grouped(keys: Keys, rows: Iterable[object]) -> People:
    found: dict[str, list[SourceRecord]] = defaultdict(list)
    for row in rows:
        found[row.person].append(opened(keys, row))  # type: ignore[attr-defined]
    return {person: tuple(records) for person, records in found.items()}


def flags_of(records: Iterable[SourceRecord]) -> frozenset[SubjectFlag]:
    """Every flag that any agency set, and that a person has died."""
    records = tuple(records)
    flags = frozenset(flag for r in records for flag in r.flags)
    return flags | {SubjectFlag.DECEASED} if any(r.person.is_deceased for r in records) else flags


def _is_protected(records: Iterable[SourceRecord]) -> bool:
    return bool(flags_of(records) & PROTECTED)


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


def _ties(people: People) -> Ties:
    """What agencies state about each two of these people, and what follows from the reference person of a household."""
    ties: Ties = defaultdict(dict)
    who = {(r.agency, r.record): person for person, records in people.items() for r in records}
    sex = {person: most_said(r.person.sex_code for r in records) for person, records in people.items()}
    adopted = {person for person, records in people.items() if SubjectFlag.ADOPTED in flags_of(records)}

    def tell(person: str, of: str, code: str, record: SourceRecord, *, stated: bool) -> None:
        kind, is_senior = kind_of(code)
        if kind in SENIOR and not is_senior:
            person, of, code = of, person, code_for(kind, sex[of])
        if _is_birth_tie(kind, person, of, adopted):
            return
        if kind not in SENIOR and (of, person) in ties and (person, of) not in ties:
            person, of, code = of, person, code_for(kind, sex[of]) if kind != Kind.EXTENDED else code
        told = ties[person, of].setdefault(kind, _Told(kind, code))
        if len(code_for(kind, None)) and told.code == code_for(kind, None):
            told.code = code if code != told.code else code_for(kind, sex[person])
        told.agencies.add(record.agency)
        told.is_stated |= stated
        if record.as_of and (told.as_of is None or record.as_of > told.as_of):
            told.as_of = record.as_of

    for person, records in people.items():
        for record in records:
            for tie in record.person.related:
                other = who.get((tie.identifier.system.removeprefix(record_system("")), tie.identifier.value))
                if other is not None and other != person:
                    for code in tie.relationship:
                        tell(other, person, code, record, stated=True)
    for group in _reference_groups(people):
        references = {person for person, record in group if record.reference_relationship == "REFERENCE"}
        if len(references) != 1:
            continue
        reference = next(iter(references))
        for person, record in group:
            role = record.reference_relationship
            if person != reference and role and role != "REFERENCE":
                tell(person, reference, role, record, stated=False)
    return _without_birth_families(ties, adopted)


def _without_birth_families(ties: Ties, adopted: set[str]) -> Ties:
    """Ties without those that could lead from an adopted person to the family before.

    Agencies write "mother" for either mother. So a parent, brother, sister or other relative of an adopted person
    counts only where some agency states an adoptive, foster or step tie of the same two, or they are a couple;
    brothers and sisters come back through the parents that remain.
    """
    kept: Ties = defaultdict(dict)
    for (person, of), told in ties.items():
        is_childhood_of_adopted = of in adopted or (person in adopted and bool(set(told) - SENIOR))
        if not is_childhood_of_adopted or set(told) & CHOSEN:
            kept[person, of] = told
    return kept


def _is_birth_tie(kind: Kind, person: str, of: str, adopted: set[str]) -> bool:
    """A tie by birth of an adopted person: never used, whoever states it."""
    by_birth = kind in (Kind.NATURAL_PARENT, Kind.FULL_SIBLING, Kind.HALF_SIBLING)
    return by_birth and (of in adopted or (person in adopted and kind != Kind.NATURAL_PARENT))


def _reference_groups(people: People) -> Iterable[list[tuple[str, SourceRecord]]]:
    """Records of one agency in one household, or at one dwelling where the agency keeps no household."""
    groups: dict[tuple[str, str], list[tuple[str, SourceRecord]]] = defaultdict(list)
    for person, records in people.items():
        for record in records:
            if record.reference_relationship is None:
                continue
            home = home_of(record)
            key = record.household or (home.key if home and not _is_protected(records) else "")
            if key:
                groups[record.agency, key].append((person, record))
    return groups.values()


def _add_siblings(ties: Ties, people: People) -> None:
    """Brothers and sisters who share a parent, where no agency states that they are."""
    parents: dict[str, dict[str, _Told]] = defaultdict(dict)
    for (senior, junior), told in ties.items():
        for kind in set(told) & RESPONSIBLE:
            parents[junior][senior] = told[kind]
    children = sorted(parents)
    for at, one in enumerate(children):
        for other in children[at + 1 :]:
            shared = set(parents[one]) & set(parents[other])
            stated = set(ties.get((one, other), {})) | set(ties.get((other, one), {}))
            if not shared or stated & SIBLINGS:
                continue
            is_half = len(shared) == 1 and len(parents[one]) > 1 and len(parents[other]) > 1
            kind = Kind.HALF_SIBLING if is_half else Kind.SIBLING
            through = [parents[c][p] for c in (one, other) for p in shared]
            dates = [t.as_of for t in through if t.as_of]
            sex = most_said(r.person.sex_code for r in people[one])
            ties[one, other][kind] = _Told(
                kind, code_for(kind, sex), {a for t in through for a in t.agencies}, max(dates, default=None)
            )


@dataclass(frozen=True, slots=True)
class _Together:
    """Two people of one home: whether now, and which agencies say so."""

    now: bool
    agencies: frozenset[str]


def _together(people: People, today: date) -> dict[frozenset[str], _Together]:
    """Who shares a home with whom. Nobody protected is in it, by address or by an agency's household reference."""
    homes: dict[str, list[tuple[Place, SourceRecord]]] = {}
    refs: dict[str, dict[tuple[str, str], bool]] = {}
    for person, records in people.items():
        if _is_protected(records):
            continue
        homes[person] = main_homes(records, today)
        refs[person] = {}
        for r in records:
            if r.household:
                key = (r.agency, r.household)
                refs[person][key] = refs[person].get(key, False) or is_current(r, today)
    crowded = _crowded(homes)
    found: dict[frozenset[str], _Together] = {}
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
                found[frozenset((one, other))] = _Together(bool(current), frozenset(current or ended))
    return found


def _crowded(homes: Mapping[str, list[tuple[Place, SourceRecord]]]) -> set[str]:
    living: dict[str, set[str]] = defaultdict(set)
    for person, found in homes.items():
        for home, _ in found:
            living[home.key].add(person)
    return {key for key, persons in living.items() if len(persons) > MOST_IN_A_DWELLING}


def _members(
    index: str, people: People, ties: Ties, together: Mapping[frozenset[str], _Together], now: datetime
) -> tuple[Member, ...]:
    homes = {person: home.id for home in _households(together, set(people)) for person in home.members}
    found = []
    for person, records in people.items():
        place = _standing(index, person, ties, together)
        if place is None:
            continue
        relation, why = place
        born = best_birth_date(records)
        found.append(
            Member(
                person=person,
                relation_to_index=relation,
                why=why,
                name=best_name([n for r in records for n in r.person.names]),
                date_of_birth=born,
                sex_code=most_said(r.person.sex_code for r in records),
                age=age_on(born, now),
                flags=flags_of(records),
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


def _standing(
    index: str, person: str, ties: Ties, together: Mapping[frozenset[str], _Together]
) -> tuple[RelationToIndex, str] | None:
    """How a person stands to the person asked about, and why in words; None when they do not belong here."""
    if person == index:
        return RelationToIndex.INDEX, "the person asked about"
    above = ties.get((person, index), {})
    below = ties.get((index, person), {})
    kinds = set(above) | (set(below) - SENIOR)
    home = together.get(frozenset((person, index)))
    told = [*above.values(), *(t for k, t in below.items() if k not in SENIOR)]
    words = ", ".join(sorted({words_of(t.code) for t in told}))
    if set(above) & RESPONSIBLE:
        return RelationToIndex.PR_HOLDER, words
    if home is not None and home.now:
        if set(below) & PARENTS:
            words = "child"
        return RelationToIndex.HOUSEHOLD, f"lives in the same home{', ' + words if words else ''}"
    if set(below) & PARENTS:
        return RelationToIndex.RECORDED_RELEVANT, "child"
    if kinds - {Kind.NOT_FAMILY}:
        if kinds & PARTNERS == kinds and kinds == {Kind.FORMER_SPOUSE}:
            return RelationToIndex.FORMER_HOUSEHOLD, words
        return RelationToIndex.RECORDED_RELEVANT, words
    if home is not None:
        return RelationToIndex.FORMER_HOUSEHOLD, "lived in the same home; the record has ended"
    if any(t.code == "FRND" for t in told):
        return RelationToIndex.PEER, words
    return None


def _relations(ties: Ties, people: People, chosen: set[str], index: str) -> tuple[Relation, ...]:
    """The ties among the members; loose statements are folded into finer ones that agree, contradictions stay."""
    mothers: dict[str, set[str]] = defaultdict(set)
    for (senior, junior), told in ties.items():
        if Kind.NATURAL_PARENT in told and most_said(r.person.sex_code for r in people[senior]) == "2":
            mothers[junior].add(senior)
    found = []
    for (person, of), told in ties.items():
        if person not in chosen or of not in chosen:
            continue
        other_way = ties.get((of, person), {})
        for told_one in _folded(told):
            doubtful = any(contradict(told_one.kind, k) for k in (*told, *other_way)) or (
                told_one.kind == Kind.NATURAL_PARENT and person in mothers[of] and len(mothers[of]) > 1
            )
            if told_one.kind in SENIOR and set(other_way) & SENIOR:
                doubtful = True
            found.append(
                Relation(
                    person,
                    of,
                    told_one.code,
                    words_of(told_one.code),
                    tuple(sorted(told_one.agencies)),
                    told_one.as_of,
                    STATED if told_one.is_stated else DERIVED,
                    doubtful,
                )
            )
    found.sort(key=lambda r: (r.of != index, r.person != index, r.of, r.person, r.code))
    return tuple(found)


def _folded(told: Mapping[Kind, _Told]) -> list[_Told]:
    """A loose statement (parent, sibling, family member) says nothing more where exactly one finer one stands."""
    left = dict(told)
    for group, loose in ((PARENTS, Kind.PARENT), (SIBLINGS, Kind.SIBLING)):
        finer = [k for k in left if k in group and k != loose]
        if loose in left and len(finer) == 1:
            fine, weak = left[finer[0]], left.pop(loose)
            dates = [d for d in (fine.as_of, weak.as_of) if d]
            left[finer[0]] = _Told(
                fine.kind,
                fine.code,
                fine.agencies | weak.agencies,
                max(dates, default=None),
                fine.is_stated or weak.is_stated,
            )
    if len(left) > 1:
        left.pop(Kind.FAMILY_MEMBER, None)
    return list(left.values())


def _households(together: Mapping[frozenset[str], _Together], chosen: set[str]) -> tuple[Household, ...]:
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


def _notes(people: People, index: str) -> Iterable[str]:
    if _is_protected(people[index]):
        yield "Whereabouts are protected: nobody is shown as household because of an address."
        return
    homes = {home.key for r in people[index] if (home := home_of(r)) and home.key}
    current = [home for r in people[index] if (home := home_of(r)) and home.key]
    if len(homes) > 1 and not all(is_same_home(current[0], home) for home in current):
        yield "Agencies hold different addresses for this person; people at each of them are shown."
