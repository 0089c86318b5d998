"""What must hold for any household: twins and sisters stay apart, and no order of loading changes who is who."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests_people import say

from connectors import SourceRecord
from hub.people.matching.assign import has_another_forename
from hub.people.matching.batch import link
from hub.people.matching.compare import DEFAULT_MODEL, Model, Scorer
from hub.people.matching.normalise import prepare

AGENCIES = ("csc", "gp", "hv", "police", "school")
#: Forenames of which no two are forms of one name.
FORENAMES = ("Amira", "Jack", "Oliver", "Bethan", "Zoltan", "Priya", "Keisha", "Yusuf")
SURNAMES = ("Khan", "Wachendorf", "Okonkwo-Reid", "Ng")
BORN = st.integers(0, 6000).map(lambda n: (date(2008, 1, 1) + timedelta(days=n)).isoformat())
HOMES = (("4 Mill Lane", "TH1 1AA"), ("Flat 2, 9 High Street", "TH2 2BB"), (None, None))
_SCORER = Scorer(Model.load(DEFAULT_MODEL))


def together(records: list[SourceRecord]) -> set[frozenset[str]]:
    """Persons as sets of agency/record."""
    found = link([prepare(r) for r in records])[0].person_of
    return {
        frozenset(f"{r.agency}/{r.record}" for r, at in zip(records, found, strict=True) if at == root)
        for root in set(found)
    }


@st.composite
def twins(draw: st.DrawFn) -> list[list[SourceRecord]]:
    """Two or three children of one birth date, surname and home, each at some agencies; numbers never shared."""
    names = draw(st.lists(st.sampled_from(FORENAMES), min_size=2, max_size=3, unique=True))
    family, born, (line1, postcode) = draw(st.sampled_from(SURNAMES)), draw(BORN), draw(st.sampled_from(HOMES))
    numbers = draw(st.sampled_from([(None,) * 3, ("9990000018", "9990000026", None), ("9990000018", None, None)]))
    children = []
    for at, name in enumerate(names):
        where = draw(st.lists(st.sampled_from(AGENCIES), min_size=1, max_size=5, unique=True))
        children.append(
            [say(a, str(at), name, family, born, line1=line1, postcode=postcode, nhs=numbers[at]) for a in where]
        )
    return children


@settings(max_examples=80, deadline=None)
@given(twins())
def test_twins_are_never_one_person_and_each_is_found_again(children: list[list[SourceRecord]]) -> None:
    persons = together([r for child in children for r in child])
    for child in children:
        own = {f"{r.agency}/{r.record}" for r in child}
        assert any(person == own for person in persons)


@settings(max_examples=60, deadline=None)
@given(twins(), st.sampled_from(AGENCIES), st.integers(1, 2000))
def test_a_sister_years_younger_in_the_same_home_is_nobody_else(
    children: list[list[SourceRecord]], agency: str, days: int
) -> None:
    one = children[0][0]
    assert one.person.date_of_birth is not None
    born = one.person.date_of_birth.date + timedelta(days=days)
    name = next(n for n in FORENAMES if all(c[0].person.names[0].given != (n,) for c in children))
    family = one.person.names[0].family[0]
    sister = replace(say(agency, "s", name, family, born.isoformat()), household=one.household)
    sister = replace(sister, person=replace(sister.person, addresses=one.person.addresses))
    persons = together([*(r for child in children for r in child), sister])
    assert frozenset({f"{agency}/s"}) in persons


@settings(max_examples=60, deadline=None)
@given(twins(), st.randoms(use_true_random=False))
def test_the_order_of_twins_records_and_agencies_never_changes_who_is_who(
    children: list[list[SourceRecord]], random: Random
) -> None:
    records = [r for child in children for r in child]
    mixed = list(records)
    random.shuffle(mixed)
    assert together(mixed) == together(records)


@settings(max_examples=60, deadline=None)
@given(twins(), st.integers(0, 14))
def test_taking_a_twins_record_away_joins_nobody(children: list[list[SourceRecord]], at: int) -> None:
    records = [r for child in children for r in child]
    gone = records[at % len(records)]
    before = together(records)
    name = f"{gone.agency}/{gone.record}"
    for person in together([r for r in records if r is not gone]):
        assert any(person <= old - {name} for old in before)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FORENAMES), st.sampled_from(FORENAMES), st.sampled_from(SURNAMES), BORN)
def test_another_forename_is_told_from_either_side(one: str, other: str, family: str, born: str) -> None:
    a, b = prepare(say("csc", "1", one, family, born)), prepare(say("gp", "2", other, family, born))
    assert has_another_forename(a, b, _SCORER.weigh(a, b)) == has_another_forename(b, a, _SCORER.weigh(b, a))
    assert has_another_forename(a, b, _SCORER.weigh(a, b)) == (one != other)
