"""An agreement changed by choosing: how much of each kind of information for one purpose and role, who gives and takes.

For: the matrix of the editor. Pure: it makes a changed agreement, nothing is decided or stored. Must never change what
was not chosen: a clause about more than the chosen purpose, role and category is split, and its rest stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

from policies import Clause, SharingAgreement
from policies.vocabulary import DataCategory, DataSubject, FieldKind, PartyRole, Purpose, Role


class Level(StrEnum):
    """How much of a category passes under an agreement; rules may still forbid it, or ask for consent or a release."""

    NOTHING = "NOTHING"
    CONTACT = "CONTACT"
    FACTS = "FACTS"


#: What each level lists. More than facts - accounts in somebody's own words, whereabouts - is written as text.
KINDS: Mapping[Level, frozenset[FieldKind]] = {
    Level.NOTHING: frozenset(),
    Level.CONTACT: frozenset({FieldKind.INDICATOR, FieldKind.CONTACT}),
    Level.FACTS: frozenset(
        {
            FieldKind.INDICATOR,
            FieldKind.CONTACT,
            FieldKind.DATES,
            FieldKind.STATUS,
            FieldKind.RISK,
            FieldKind.NEED,
            FieldKind.ACTION,
            FieldKind.OUTCOME,
            FieldKind.CIRCUMSTANCES,
            FieldKind.PROFESSIONAL_NAME,
        }
    ),
}
#: How far back a clause reaches that is made where there was none, in months; the text says another number.
LOOK_BACK_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """What a row of the matrix is about."""

    purpose: Purpose
    role: Role
    category: DataCategory

    def within(self, clause: Clause) -> bool:
        """Whether the clause lists it."""
        return (
            self.purpose in clause.purposes
            and self.role in clause.recipient_roles
            and self.category in clause.categories
        )


def points_of(*versions: SharingAgreement) -> list[Point]:
    """Every purpose, role and category that a clause of one of them lists, in the order of the dictionary."""
    listed = {
        Point(*point)
        for one in versions
        for clause in one.clauses
        for point in product(clause.purposes, clause.recipient_roles, clause.categories)
    }
    order = [{code: place for place, code in enumerate(codes)} for codes in (Purpose, Role, DataCategory)]
    return sorted(listed, key=lambda p: (order[0][p.purpose], order[1][p.role], order[2][p.category]))


def kinds_now(one: SharingAgreement, point: Point) -> frozenset[FieldKind]:
    """The kinds of fields that the clauses list there."""
    return frozenset().union(*(clause.field_kinds for clause in one.clauses if point.within(clause)))


def with_level(one: SharingAgreement, point: Point, level: Level) -> SharingAgreement:
    """The agreement with another level at one point, and as it was at every other."""
    kept = [part for clause in one.clauses for part in _without(clause, point)]
    if level == Level.NOTHING:
        return replace(one, head=replace(one.head, clauses=tuple(kept)))
    models = [clause for clause in one.clauses if point.within(clause)]
    # Where several clauses met, the narrowest look-back of them is kept: a wider one is written as text.
    reach = [model.lookback_months for model in models if model.lookback_months is not None]
    made = Clause(
        purposes=frozenset({point.purpose}),
        recipient_roles=frozenset({point.role}),
        categories=frozenset({point.category}),
        data_subjects=frozenset().union(*(model.data_subjects for model in models)) or frozenset(DataSubject),
        field_kinds=KINDS[level],
        lookback_months=min(reach) if reach else (None if models else LOOK_BACK_MONTHS),
        onward_to=frozenset.intersection(*(model.onward_to for model in models)) if models else frozenset(),
    )
    return replace(one, head=replace(one.head, clauses=(*kept, made)))


def with_party_role(one: SharingAgreement, agency: str, role: PartyRole) -> SharingAgreement:
    """The agreement with one party giving, receiving or both."""
    parties = tuple(replace(party, role=role) if party.agency == agency else party for party in one.parties)
    return replace(one, head=replace(one.head, parties=parties))


def with_choices(one: SharingAgreement, typed: Mapping[str, str]) -> SharingAgreement:
    """The agreement with everything that the matrix of a form chose; what is no choice of its lists changes nothing."""
    purpose, role = typed.get("purpose", ""), typed.get("role", "")
    if purpose in Purpose.__members__ and role in Role.__members__:
        for category in DataCategory:
            if (level := typed.get(f"level-{category}", "")) in Level.__members__:
                one = with_level(one, Point(Purpose(purpose), Role(role), category), Level(level))
    for party in one.parties:
        if (part := typed.get(f"party-{party.agency}", "")) in PartyRole.__members__:
            one = with_party_role(one, party.agency, PartyRole(part))
    return one


def _without(clause: Clause, point: Point) -> Iterator[Clause]:
    """The clause without one point, as at most three clauses; itself when it does not list the point."""
    if not point.within(clause):
        yield clause
        return
    purpose, role = frozenset({point.purpose}), frozenset({point.role})
    if clause.purposes - purpose:
        yield replace(clause, purposes=clause.purposes - purpose)
    if clause.recipient_roles - role:
        rest = clause.shield_reveal_roles & (clause.recipient_roles - role)
        yield replace(clause, purposes=purpose, recipient_roles=clause.recipient_roles - role, shield_reveal_roles=rest)
    if left := clause.categories - {point.category}:
        rest = clause.shield_reveal_roles & role
        yield replace(clause, purposes=purpose, recipient_roles=role, categories=left, shield_reveal_roles=rest)
