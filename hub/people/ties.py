"""How people are tied to each other: what agencies state, and what follows from it.

For: the relations of a family, each with its source. Must never tie an adopted person to a birth family, and never
settle a contradiction between agencies in silence. Ruled by docs/matching.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from connectors import SourceRecord, record_system
from hub.people.matching.normalise import home_of
from hub.people.relations import (
    BIRTH_FATHER,
    BIRTH_MOTHER,
    CHOSEN,
    PARENTS,
    SENIOR,
    SIBLINGS,
    Kind,
    code_for,
    contradict,
    kind_of,
    words_of,
)
from hub.people.said import flags_of, is_protected, most_said
from policies.vocabulary import SubjectFlag

STATED = "stated"
DERIVED = "derived"


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


class Coded(Protocol):
    """As much of a relation as it takes to compare it with others."""

    @property
    def person(self) -> str: ...
    @property
    def of(self) -> str: ...
    @property
    def code(self) -> str: ...


@dataclass
class Told:
    """What agencies say about one tie of two people."""

    kind: Kind
    code: str
    agencies: set[str] = field(default_factory=set)
    as_of: datetime | None = None
    is_stated: bool = False


People = dict[str, tuple[SourceRecord, ...]]
Ties = dict[tuple[str, str], dict[Kind, Told]]


def ties_of(people: People) -> Ties:
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
        told = ties[person, of].setdefault(kind, Told(kind, code))
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
            key = record.household or (home.key if home and not is_protected(records) else "")
            if key:
                groups[record.agency, key].append((person, record))
    return groups.values()


def relations_of(ties: Ties, chosen: set[str], index: str) -> tuple[Relation, ...]:
    """The ties among the members; loose statements are folded into finer ones that agree, contradictions stay."""
    found = [
        Relation(
            person,
            of,
            told.code,
            words_of(told.code),
            tuple(sorted(told.agencies)),
            told.as_of,
            STATED if told.is_stated else DERIVED,
        )
        for (person, of), every in ties.items()
        if person in chosen and of in chosen
        for told in _folded(every)
    ]
    found.sort(key=lambda r: (r.of != index, r.person != index, r.of, r.person, r.code))
    doubtful = contradicted(found)
    return tuple(replace(r, contradicted=at in doubtful) for at, r in enumerate(found))


def contradicted(relations: Sequence[Coded]) -> frozenset[int]:
    """Positions of the relations that cannot all be meant: of the same two people, or two birth mothers or fathers.

    Only what stands in `relations` counts, so that whoever may see one side alone does not learn of the other.
    """
    by_pair: dict[frozenset[str], list[int]] = defaultdict(list)
    birth_parents: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for at, one in enumerate(relations):
        by_pair[frozenset((one.person, one.of))].append(at)
        if one.code in BIRTH_MOTHER or one.code in BIRTH_FATHER:
            birth_parents[one.of, one.code in BIRTH_MOTHER].append(at)
    found: set[int] = set()
    for places in by_pair.values():
        found.update(i for i in places if any(_differ(relations[i], relations[j]) for j in places if i != j))
    for places in birth_parents.values():
        if len({relations[at].person for at in places}) > 1:
            found.update(places)
    return frozenset(found)


def _differ(one: Coded, other: Coded) -> bool:
    kinds = kind_of(one.code)[0], kind_of(other.code)[0]
    if one.person != other.person and set(kinds) <= SENIOR:
        return True  # Each is said to be the other's parent.
    return contradict(*kinds)


def _folded(told: Mapping[Kind, Told]) -> list[Told]:
    """A loose statement (parent, sibling, family member) says nothing more where exactly one finer one stands."""
    left = dict(told)
    for group, loose in ((PARENTS, Kind.PARENT), (SIBLINGS, Kind.SIBLING)):
        finer = [k for k in left if k in group and k != loose]
        if loose in left and len(finer) == 1:
            fine, weak = left[finer[0]], left.pop(loose)
            dates = [d for d in (fine.as_of, weak.as_of) if d]
            left[finer[0]] = Told(
                fine.kind,
                fine.code,
                fine.agencies | weak.agencies,
                max(dates, default=None),
                fine.is_stated or weak.is_stated,
            )
    if len(left) > 1:
        left.pop(Kind.FAMILY_MEMBER, None)
    return list(left.values())
