"""From weighed pairs to persons: which records are one person, which pairs a person must look at.

For: clusters in which every two records of different agencies, and only near-identical records of one agency,
stand for one person. Must never join twins or siblings (same surname and birth date or address, another
forename) without a shared strong identifier, never join across a steward's "not the same person", and never join
an adopted person to another identity. Ruled by docs/matching.md; the hazard is the other one in the household.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.people.matching.compare import COMPONENTS, Scorer, Weight
from hub.people.matching.levels import LEVELS
from hub.people.matching.normalise import Prepared

#: A pair at or above this probability may join two records, unless something forbids it; the aim is 998 right in
#: 1,000.
AUTO = 0.85
#: Two records of one agency join only on more: the agency itself keeps them apart.
AUTO_WITHIN = 0.995
#: Below this nobody needs to look.
REVIEW = 0.05
#: An agency where more than one record in ten has a near-identical other one does not keep its records apart. On every
#: set measured the share is either nearly nothing or above a quarter.
REPEATING = 0.1
#: Nothing is said about an agency with fewer records than this.
ENOUGH_TO_TELL = 500
#: Slips of the pen in large clusters: at most one in five of the pairs that would come to lie together may carry
#: another forename. Twins and sisters are far above it, because they differ from every record of the other.
FEW = 0.2

#: What a data steward should look at in one person: two records of one agency, two identifying numbers, two birth
#: dates, or another forename without a shared number.
BREAKS = ("RECORDS", "NUMBERS", "BIRTH_DATES", "FORENAMES")

_GIVEN, _FAMILY, _MIDDLE, _BORN, _SEX, _PLACE, _NUMBER, _CONTACT = range(len(COMPONENTS))
_ANOTHER_FORENAME = frozenset(LEVELS["given"].index(x) for x in ("differ", "similar"))
_ONE_FORENAME = frozenset(LEVELS["given"].index(x) for x in ("exact", "nickname", "spelling", "other", "second"))
_ALIKE = frozenset(LEVELS["given"].index(x) for x in ("exact", "spelling"))
_SIMILAR = LEVELS["given"].index("similar")
_SAME = 0
_OTHER_NUMBER = LEVELS["number"].index("differ")
_ANOTHER_BIRTH_DATE = frozenset(LEVELS["born"].index(x) for x in ("year", "differ"))


@dataclass(frozen=True, slots=True)
class Link:
    """Two records (positions) with their weight and what became of the pair: auto or review."""

    first: int
    second: int
    weight: Weight
    outcome: str


@dataclass(frozen=True, slots=True)
class Clusters:
    """`person_of[position]` is the smallest position of the same person; `flagged` says which persons break which of
    BREAKS; `barred` pairs look alike and are never proposed, because one of the two persons is adopted; `quarantined`
    positions are records joined to nobody that might be somebody protected."""

    person_of: tuple[int, ...]
    links: tuple[Link, ...]
    flagged: Mapping[int, frozenset[str]]
    barred: tuple[tuple[int, int], ...] = ()
    quarantined: frozenset[int] = frozenset()


def forbids(a: Prepared, b: Prepared, weight: Weight) -> bool:
    """Whether two records may not be one person whatever else agrees: adopted persons, two numbers and birth dates."""
    levels = weight.levels
    if (a.is_adopted or b.is_adopted) and not (
        levels[_FAMILY] in (0, 2) and levels[_GIVEN] in (0, 1, 2, 4) and levels[_NUMBER] in (None, _SAME)
    ):
        return True
    # Both agencies know number and birth date, and both differ: a name alone joins nobody against that.
    return levels[_NUMBER] == _OTHER_NUMBER and levels[_BORN] in _ANOTHER_BIRTH_DATE


def has_another_forename(a: Prepared, b: Prepared, weight: Weight) -> bool:
    """Whether both forenames are written out and are not forms of one name: the mark of twins and siblings."""
    if weight.levels[_GIVEN] not in _ANOTHER_FORENAME:
        return False
    if weight.levels[_GIVEN] == _SIMILAR and weight.levels[_MIDDLE] in (0, 1):
        return False
    return all(any(name.given and len(name.given[0]) > 1 for name in one.names) for one in (a, b))


def cluster(
    records: Sequence[Prepared],
    weights: Mapping[int, Weight],
    scorer: Scorer,
    never: Iterable[tuple[int, int]] = (),
    same: Iterable[tuple[int, int]] = (),
    released: Container[int] = (),
) -> Clusters:
    """Joins records into persons, strongest pairs first.

    Takes weights by `first * len(records) + second`; pairs that were not weighed and would come to lie in one
    cluster are weighed here. `never` are pairs a steward keeps apart; `same` are pairs a steward joined, which
    come first, and give way only to `never` and to an adoption; `released` are records of which two people said that
    they are not the protected person whom they look like.
    """
    size = len(records)
    apart = {frozenset(pair) for pair in never}
    known = dict(weights)
    person = list(range(size))
    members: dict[int, list[int]] = {}
    flagged: dict[int, set[str]] = defaultdict(set)

    repeating = _repeating(records, weights)

    def weight_of(i: int, j: int) -> Weight:
        key = i * size + j if i < j else j * size + i
        found = known.get(key)
        if found is None:
            found = known[key] = scorer.weigh(records[min(i, j)], records[max(i, j)])
        return found

    def contradicts(i: int, j: int, others: list[int]) -> bool:
        """Another forename, and no third record that is known by both forenames: twins, sisters, borrowed numbers.

        A shared number outweighs another forename only with the birth date: numbers are borrowed in families.
        """
        weight = weight_of(i, j)
        if not has_another_forename(records[i], records[j], weight):
            return False
        if weight.levels[_NUMBER] == _SAME and weight.levels[_BORN] not in (None, *_ANOTHER_BIRTH_DATE):
            return False
        return not any(one_forename(i, k) and one_forename(j, k) for k in others if k not in (i, j))

    def one_forename(i: int, k: int) -> bool:
        levels = weight_of(i, k).levels
        return levels[_GIVEN] in _ONE_FORENAME or (levels[_GIVEN] == _SIMILAR and levels[_MIDDLE] in (0, 1))

    def may_join(left: list[int], right: list[int]) -> bool:
        total, against = 0.0, 0
        for i in left:
            for j in right:
                if frozenset((i, j)) in apart:
                    return False
                weight = weight_of(i, j)
                if forbids(records[i], records[j], weight):
                    return False
                if records[i].agency == records[j].agency and not _joins_within(weight, records[i].agency, repeating):
                    return False
                against += contradicts(i, j, left + right)
                total += max(-20.0, min(20.0, weight.bits))
        return total > 0 and against <= FEW * len(left) * len(right)

    def join(left: int, right: int) -> None:
        keep, gone = (left, right) if left < right else (right, left)
        joined = members[keep] = sorted(members.get(left, [left]) + members.get(right, [right]))
        members.pop(gone, None)
        for at in joined:
            person[at] = keep

    for i, j in sorted(same):
        left, right = person[i], person[j]
        ours, theirs = members.get(left, [left]), members.get(right, [right])
        is_forbidden = any(records[at].is_adopted for at in ours + theirs) or any(
            frozenset((x, y)) in apart for x in ours for y in theirs
        )
        if left != right and not is_forbidden:
            join(left, right)
    ranked = sorted(
        (key for key, weight in weights.items() if weight.probability >= AUTO),
        key=lambda key: (
            -min(weights[key].probability, 1 - 1e-12),
            -min(weights[key].bits, weights[key].household_bits),
            key,
        ),
    )
    for key in ranked:
        i, j = divmod(key, size)
        if records[i].agency == records[j].agency and not _joins_within(weights[key], records[i].agency, repeating):
            continue
        left, right = person[i], person[j]
        if left == right:
            continue
        ours, theirs = members.get(left, [left]), members.get(right, [right])
        if may_join(ours, theirs):
            join(left, right)

    links: list[Link] = []
    for root, together in members.items():
        for n, i in enumerate(together):
            for j in together[n + 1 :]:
                links.append(Link(i, j, weight := weight_of(i, j), "auto"))
                if found := breaks(records[i], records[j], weight, repeating):
                    flagged[root] |= found
    adopted = {person[at] for at in range(size) if records[at].is_adopted}
    protected = {person[at] for at in range(size) if records[at].is_protected}
    barred: list[tuple[int, int]] = []
    quarantined: set[int] = set()
    for key, weight in weights.items():
        i, j = divmod(key, size)
        if weight.probability < REVIEW or person[i] == person[j] or frozenset((i, j)) in apart:
            continue
        if {person[i], person[j]} & adopted:
            barred.append((i, j))
            continue
        links.append(Link(i, j, weight, "review"))
        if i in released or j in released:
            continue
        if not has_another_forename(records[i], records[j], weight):
            alone = {at for at in (i, j) if person[at] not in protected and person[at] not in members}
            if {person[i], person[j]} & protected:
                quarantined |= alone
    return Clusters(
        tuple(person),
        tuple(links),
        {r: frozenset(f) for r, f in flagged.items()},
        tuple(barred),
        frozenset(quarantined),
    )


def breaks(a: Prepared, b: Prepared, weight: Weight, repeating: Container[str]) -> frozenset[str]:
    """Which of BREAKS two records of one person break. Who is only named inside another's row repeats nobody."""
    levels, found = weight.levels, set()
    own = "#" not in a.record and "#" not in b.record
    if a.agency == b.agency and own and a.agency not in repeating:
        found.add("RECORDS")
    if levels[_NUMBER] == _OTHER_NUMBER:
        found.add("NUMBERS")
    if levels[_BORN] in _ANOTHER_BIRTH_DATE:
        found.add("BIRTH_DATES")
    if has_another_forename(a, b, weight) and levels[_NUMBER] != _SAME:
        found.add("FORENAMES")
    return frozenset(found)


def _repeating(records: Sequence[Prepared], weights: Mapping[int, Weight]) -> frozenset[str]:
    """Agencies that hold most people several times."""
    size = len(records)
    held = Counter(r.agency for r in records)
    twice: dict[str, set[int]] = defaultdict(set)
    for key, weight in weights.items():
        i, j = divmod(key, size)
        if records[i].agency == records[j].agency and _joins_within(weight, "", frozenset()):
            twice[records[i].agency].update((i, j))
    return frozenset(
        agency
        for agency, found in twice.items()
        if held[agency] >= ENOUGH_TO_TELL and len(found) >= REPEATING * held[agency]
    )


def _joins_within(weight: Weight, agency: str, repeating: frozenset[str]) -> bool:
    """Whether two records of one agency may be one person; where it repeats people, as easily as across agencies."""
    if agency in repeating:
        return True
    alike = weight.levels[_GIVEN] in _ALIKE or weight.levels[_NUMBER] == _SAME
    return alike and weight.probability >= AUTO_WITHIN
