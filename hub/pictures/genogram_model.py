"""What a genogram is made of: people, links, families of one kind of line, and the plan of who stands where.

For: ordering, laying out and drawing a genogram. It must never hold a position that its makers did not set,
and nothing of a person that the drawing does not show.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum

SLOT = 136.0
SYMBOL = 21.0
LABEL = SLOT - 22
NAME_SIZE, NOTE_SIZE, LINE = 13.0, 12.0, 15.0
MARGIN = 18.0
GAP = 8.0


class Manner(Enum):
    """How a link is drawn."""

    BIRTH = "birth"
    PLACED = "placed"
    STEP = "step"
    COUPLE = "couple"
    COHABITING = "cohabiting"
    SEPARATED = "separated"
    DIVORCED = "divorced"
    CO_PARENTS = "co-parents"
    SIBLING = "sibling"
    KIN = "kin"


@dataclass(frozen=True, slots=True)
class GenogramPerson:
    """One symbol. `born` (ISO 8601) only sorts brothers and sisters; `note` is the relation to the subject."""

    id: str
    label: str
    sex_code: str | None = None
    age: int | None = None
    unborn: bool = False
    deceased: bool = False
    is_subject: bool = False
    note: str = ""
    household: str | None = None
    born: str | None = None


@dataclass(frozen=True, slots=True)
class GenogramLink:
    """`a` and `b` by manner: a is parent of b (birth, placed, step); else between equals.

    `rows` says how many generations `a` stands below `b` (a grandmother: -2), for kin without a line.
    """

    manner: Manner
    a: str
    b: str
    rows: int = 0


PARENTAL = (Manner.BIRTH, Manner.PLACED, Manner.STEP)
COUPLES = (Manner.COUPLE, Manner.COHABITING, Manner.SEPARATED, Manner.DIVORCED, Manner.CO_PARENTS)


@dataclass(frozen=True, slots=True)
class Family:
    """Children that come down from the same parents by the same kind of line; no parents = a known sibship."""

    parents: tuple[str, ...]
    children: tuple[str, ...]
    placed: bool


@dataclass(slots=True)
class Plan:
    """Where everything goes; what the tests measure."""

    people: dict[str, GenogramPerson]
    rows: list[list[list[str]]] = field(default_factory=list)
    row_of: dict[str, int] = field(default_factory=dict)
    x: dict[str, float] = field(default_factory=dict)
    y: list[float] = field(default_factory=list)
    label_bottom: list[float] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    couples: dict[tuple[str, str], Manner] = field(default_factory=dict)
    bars: dict[int, float] = field(default_factory=dict)
    undrawn: int = 0
    width: float = 0.0
    height: float = 0.0

    def order(self, row: int) -> list[str]:
        """The people of a row from left to right."""
        return [person for cluster in self.rows[row] for person in cluster]


def pair(a: str, b: str) -> tuple[str, str]:
    """The same key whichever of two people is named first."""
    return (a, b) if a <= b else (b, a)


def by_birth(person: GenogramPerson) -> tuple[bool, str, int, str]:
    """Sorts brothers and sisters oldest first; unknown ages last, an unborn baby last of all."""
    if person.unborn:
        return True, "9999-12-31", 0, person.id
    if person.born:
        return False, person.born, 0, person.id
    # Without a date of birth an age still sorts: an older person has the smaller key.
    year = f"{2100 - person.age:04d}" if person.age is not None else "9998"
    return person.age is None, year, 0, person.id


def homes(plan: Plan) -> dict[str, set[str]]:
    """Households with at least two people in the drawing."""
    found: dict[str, set[str]] = defaultdict(set)
    for person in plan.people.values():
        if person.household:
            found[person.household].add(person.id)
    return {home: members for home, members in found.items() if len(members) > 1}
