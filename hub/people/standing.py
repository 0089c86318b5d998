"""How each person stands to the one asked about, and why they are in the picture, in words.

For: the members of a family, and nobody whom the purpose does not need (rule P09 reads `RelationToIndex`). Must never
say where somebody lives, nor follow from anybody whose whereabouts are protected. Ruled by docs/matching.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors import SourceRecord
from hub.people.living import Living
from hub.people.relations import KIN, PARENTS, RESPONSIBLE, SENIOR, Kind, words_from_other_side, words_of
from hub.people.said import age_on, best_birth_date, flags_of, most_said
from hub.people.ties import People, Ties, Told
from policies.vocabulary import RelationToIndex, SubjectFlag

#: Children Act 1989 section 105: a child is a person under the age of eighteen.
OF_AGE = 18


def standing(
    index: str, person: str, people: People, ties: Ties, living: Living, now: datetime
) -> tuple[RelationToIndex, str] | None:
    """How a person stands to the person asked about, and why in words; None when they do not belong here.

    Step-brothers and step-sisters whom no agency states, and grandchildren, belong only when they share the home:
    the enquiry does not need them otherwise (rule P09).
    """
    if person == index:
        return RelationToIndex.INDEX, "the person asked about"
    above, below = ties.get((person, index), {}), ties.get((index, person), {})
    equal = {k: t for k, t in below.items() if k not in SENIOR}
    told = [*above.values(), *equal.values()]
    sex = most_said(r.person.sex_code for r in people[person])
    called = {words_of(t.code) for t in above.values()} | {words_from_other_side(t.code, sex) for t in equal.values()}
    words = ", ".join(sorted(called) or _junior(below, people[person]))
    if any(t.kind == Kind.SIBLING and not t.is_stated for t in told):
        words += ", full or half not known"
    home = living.together.get(frozenset((person, index)))
    at_home = home is not None and home.now
    if set(above) & RESPONSIBLE:
        lives = "in the same home" if at_home else ""
        lives = "recorded at another home" if frozenset((person, index)) in living.apart else lives
        return RelationToIndex.PR_HOLDER, f"{words}; {lives}" if lives else words
    if at_home:
        carer = _kinship_care(index, person, {*above, *equal}, people, ties, living, now)
        return RelationToIndex.HOUSEHOLD, f"lives in the same home{', ' + words if words else ''}{carer}"
    if set(below) & PARENTS:
        return RelationToIndex.RECORDED_RELEVANT, words
    kinds = {t.kind for t in told if t.is_stated or t.kind != Kind.STEP_SIBLING} - {Kind.NOT_FAMILY}
    if kinds:
        former = kinds == {Kind.FORMER_SPOUSE}
        return RelationToIndex.FORMER_HOUSEHOLD if former else RelationToIndex.RECORDED_RELEVANT, words
    if home is not None:
        return RelationToIndex.FORMER_HOUSEHOLD, "lived in the same home; the record has ended"
    if any(t.code == "FRND" for t in told):
        return RelationToIndex.PEER, words
    return None


def _junior(below: Mapping[Kind, Told], records: Sequence[SourceRecord]) -> list[str]:
    """What a child, foster child or grandchild of the person asked about is called."""
    sex = most_said(r.person.sex_code for r in records)
    unborn = "unborn " if SubjectFlag.UNBORN in flags_of(records) else ""
    plain = Kind.GRANDPARENT not in below and not set(below) - RESPONSIBLE - {Kind.GRANDPARENT}
    called = ["child"] if plain else [words_from_other_side(t.code, sex) for t in below.values()]
    return sorted({unborn + one for one in called}) if set(below) & SENIOR else []


def _kinship_care(
    index: str, person: str, kinds: set[Kind], people: People, ties: Ties, living: Living, now: datetime
) -> str:
    """A grown relative at home with a child of whom no parent or carer is known there: perhaps the kinship carer."""
    ages = [age_on(best_birth_date(people[one]), now) for one in (index, person)]
    is_child = ages[0] is not None and ages[0] < OF_AGE
    if not (kinds & KIN and is_child) or (ages[1] is not None and ages[1] < OF_AGE) or kinds & PARENTS:
        return ""
    carers = [senior for (senior, junior), told in ties.items() if junior == index and set(told) & PARENTS]
    here = [living.together.get(frozenset((carer, index))) for carer in carers]
    return "" if any(home and home.now for home in here) else "; no parent is shown there: may be the kinship carer"
