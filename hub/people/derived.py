"""What follows from the ties that agencies state: brothers and sisters, also half and step.

For: relations that no agency wrote down, each told as worked out and with the agencies it rests on. Must never make
up a parent, and never overrule what an agency states: where the two differ both stand. Ruled by docs/matching.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from hub.people.relations import COUPLES, RESPONSIBLE, SIBLINGS, Kind, code_for
from hub.people.said import most_said
from hub.people.ties import People, Ties, Told

#: Child -> the other person -> what makes them the child's parent, or a parent's partner.
Above = Mapping[str, Mapping[str, Told]]


def add_siblings(ties: Ties, people: People, index: str) -> None:
    """Brothers and sisters who share a parent, and children of a couple who share none.

    Half when one parent is shared and each has another that is known; full or half is not said when it is not known.
    Told from the side of whoever is not `index`.
    """
    parents, partners = _parents(ties), _partners(ties)
    children = sorted(parents, key=lambda c: (c == index, min((r.agency, r.record) for r in people[c])))
    for at, one in enumerate(children):
        for other in children[at + 1 :]:
            shared = parents[one].keys() & parents[other].keys()
            stated = (set(ties.get((one, other), {})) | set(ties.get((other, one), {}))) & SIBLINGS
            if shared:
                kind = _by_parents(parents[one], parents[other])
                through = [parents[child][p] for child in (one, other) for p in shared]
            else:
                kind, through = Kind.STEP_SIBLING, _through_a_couple(one, other, parents, partners)
            if through and (not stated or _is_news(kind, stated)):
                sex = most_said(r.person.sex_code for r in people[one])
                ties[one, other][kind] = _told(kind, sex, through)


def _parents(ties: Ties) -> Above:
    found: dict[str, dict[str, Told]] = defaultdict(dict)
    for (senior, junior), told in ties.items():
        for kind in sorted(set(told) & RESPONSIBLE):
            found[junior][senior] = told[kind]
    return found


def _partners(ties: Ties) -> Above:
    """Child -> step-parents as agencies state them; parent -> husband, wife or partner of now."""
    found: dict[str, dict[str, Told]] = defaultdict(dict)
    for (one, other), told in ties.items():
        if Kind.STEP_PARENT in told:
            found[other][one] = told[Kind.STEP_PARENT]
        for kind in sorted(set(told) & COUPLES):
            found[one][other] = found[other][one] = told[kind]
    return found


def _by_parents(one: Mapping[str, Told], other: Mapping[str, Told]) -> Kind:
    shared = one.keys() & other.keys()
    if len(shared) == 1:
        return Kind.HALF_SIBLING if len(one) > 1 and len(other) > 1 else Kind.SIBLING
    by_birth = all(x[p].kind == Kind.NATURAL_PARENT for x in (one, other) for p in shared)
    return Kind.FULL_SIBLING if by_birth else Kind.SIBLING


def _through_a_couple(one: str, other: str, parents: Above, partners: Above) -> list[Told]:
    """The ties that make two children step-siblings: a parent of one and a parent of the other are a couple."""
    for child, of in ((one, other), (other, one)):
        for parent, tie in sorted(parents[of].items()):
            if stated := partners.get(child, {}).get(parent):
                return [stated, tie]
            for own, own_tie in sorted(parents[child].items()):
                if couple := partners.get(own, {}).get(parent):
                    return [couple, tie, own_tie]
    return []


def _is_news(kind: Kind, stated: set[Kind]) -> bool:
    """Whether what follows from the parents differs from what agencies state of two siblings."""
    full_or_half = {Kind.FULL_SIBLING, Kind.HALF_SIBLING}
    return kind in full_or_half and bool(stated & (full_or_half | {Kind.STEP_SIBLING})) and kind not in stated


def _told(kind: Kind, sex: str | None, through: Iterable[Told]) -> Told:
    through = list(through)
    dates = [t.as_of for t in through if t.as_of]
    return Told(kind, code_for(kind, sex), {a for t in through for a in t.agencies}, max(dates, default=None))
