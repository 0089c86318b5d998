"""Relations of a picture in words: those that agencies agree on, and those on which they differ, side by side.

For: the family of the combined picture. Must never leave out a side, nor say which of them is right.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.picture import RelationView


@dataclass(frozen=True, slots=True)
class RelationLine:
    """A relation with the people's labels and the agencies' names filled in."""

    person: str
    of: str
    words: str
    sources: tuple[str, ...]
    basis: str


@dataclass(frozen=True, slots=True)
class RelationConflict:
    """What cannot all be meant, of one person; `about` is that person's label."""

    about: str
    sides: tuple[RelationLine, ...]


def relation_lines(
    relations: Iterable[RelationView], labels: Mapping[str, str], names: Mapping[str, str]
) -> tuple[RelationLine, ...]:
    """Fills in labels and names."""
    return tuple(
        RelationLine(
            person=labels.get(relation.person, "Somebody not named"),
            of=labels.get(relation.of, "somebody not named"),
            words=relation.words,
            sources=tuple(names.get(agency, agency) for agency in relation.agencies),
            basis=relation.basis,
        )
        for relation in relations
    )


def relation_conflicts(
    relations: Sequence[RelationView], labels: Mapping[str, str], names: Mapping[str, str]
) -> tuple[RelationConflict, ...]:
    """What agencies contradict each other about: of two people, or who somebody's birth mother or father is."""
    doubtful = [r for r in relations if r.contradicted]
    of_two = Counter(frozenset((r.person, r.of)) for r in doubtful)
    groups: dict[frozenset[str], list[RelationView]] = defaultdict(list)
    for one in doubtful:
        two = frozenset((one.person, one.of))
        groups[two if of_two[two] > 1 else frozenset((one.of,))].append(one)
    return tuple(
        RelationConflict(labels.get(sides[0].of, "Somebody not named"), relation_lines(sides, labels, names))
        for sides in groups.values()
    )
