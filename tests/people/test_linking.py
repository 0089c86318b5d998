"""The same person is found; the other one in the household is not taken for them."""

from dataclasses import replace

import pytest
from tests_people import NOW, Index, say

from hub.people import candidates, keep_apart, parse_box, tables
from hub.people.matching.assign import cluster
from hub.people.matching.batch import weigh_some
from hub.people.matching.candidates import pairs
from hub.people.matching.compare import COMPONENTS, Model, Scorer
from hub.people.matching.levels import LEVELS
from hub.people.matching.normalise import prepare
from policies.vocabulary import SubjectFlag

SCORER = Scorer(replace(Model.load(), prior=1e-4))
HOME = {"line1": "4 Mill Lane", "postcode": "SW1A 1AA"}


def joined(*records: object) -> bool:
    """Whether all these records come out as one person."""
    prepared = [prepare(r) for r in records]  # type: ignore[arg-type]
    weights = weigh_some(prepared, sorted(pairs(prepared)), SCORER)
    return len(set(cluster(prepared, weights, SCORER).person_of)) == 1


NOT_ONE_PERSON = {
    "twins": (
        say("csc", "1", "Jack", "Khan", "2015-03-02", sex="1", **HOME),
        say("gp", "2", "Adam", "Khan", "2015-03-02", sex="1", **HOME),
    ),
    "twins with like names": (
        say("csc", "1", "Ella", "Khan", "2015-03-02", sex="2", **HOME),
        say("gp", "2", "Elsa Mae", "Khan", "2015-03-02", sex="2", **HOME),
    ),
    "sisters": (
        say("csc", "1", "Amira", "Khan", "2015-03-02", sex="2", **HOME),
        say("gp", "2", "Sara", "Khan", "2013-08-20", sex="2", **HOME),
    ),
    "father and son of one name": (
        say("csc", "1", "John", "Khan", "2015-03-02", sex="1", **HOME),
        say("gp", "2", "John", "Khan", "1980-11-21", sex="1", **HOME),
    ),
    "a number borrowed in the family": (
        say("gp", "1", "Amira", "Khan", "1990-03-02", nhs="9990000018", **HOME),
        say("housing", "2", "Joe", "Bell", "1988-08-09", nhs="9990000018", **HOME),
    ),
    "an adopted child and the child before": (
        say("csc", "1", "Liam", "Hart", "2018-04-04", flags=(SubjectFlag.ADOPTED,), nhs="9990000018"),
        say("police", "2", "Liam", "Stone", "2018-04-04"),
    ),
    "strangers of one rare name, held apart by two numbers though a third record has none": (
        say("gp-a", "1", "Funmi", "Asante", "2002-08-12", nhs="9992162457", sex="2"),
        say("gp-b", "2", "Funmi", "Asante", "2022-12-19", nhs="9993463426", sex="2", **HOME),
        say("housing", "3", "Funmi", "Asante", "2022-12-19", sex="2", **HOME),
    ),
    "a sister, though four agencies agree on the other one": (
        *(say(agency, "1", "Amira", "Khan", "2015-03-02", sex="2", **HOME) for agency in ("csc", "gp", "hv", "police")),
        say("school", "5", "Sara", "Khan", "2015-03-02", sex="2", **HOME),
    ),
    "a number borrowed by a sister whose birth date nobody wrote down": (
        say("gp", "1", "Amira", "Khan", "2015-03-02", nhs="9990000018", sex="2", **HOME),
        say("csc", "2", "Amira", "Khan", "2015-03-02", sex="2", **HOME),
        say("housing", "3", "Sara", "Khan", nhs="9990000018", **HOME),
    ),
    "strangers of a common name": (
        say("csc", "1", "John", "Smith", "1970-01-05"),
        say("gp", "2", "John", "Smith", "1971-06-09"),
    ),
}
ONE_PERSON = {
    "swapped day and month": (
        say("csc", "1", "Amira", "Khan", "2015-03-02", sex="2", **HOME),
        say("gp", "2", "Amira", "Khan", "2015-02-03", sex="2", **HOME),
    ),
    "short form": (
        say("csc", "1", "William", "Zellers", "1949-12-16", sex="1"),
        say("gp", "2", "Bill", "Zellers", "1949-12-16", sex="1"),
    ),
    "spelling": (
        say("csc", "1", "Kathryn", "Ontiveros", "2011-05-05"),
        say("gp", "2", "Katheryn", "Ontiveross", "2011-05-05"),
    ),
    "married name with the former one told": (
        say("csc", "1", "Amira", "Khan", "1990-03-02", old_family="Wachendorf"),
        say("police", "2", "Amira", "Wachendorf", "1990-03-02"),
    ),
    "forename and surname swapped": (
        say("csc", "1", "Amira", "Wachendorf", "1990-03-02", **HOME),
        say("police", "2", "Wachendorf", "Amira", "1990-03-02", **HOME),
    ),
    "called by the second forename at one agency": (
        say("csc", "1", "Camilla M", "Hines", "2017-02-26", sex="2", **HOME),
        say("gp", "2", "Madeline", "Hines", "2017-02-26", sex="2", nhs="9990000018"),
        say("housing", "3", "Camilla", "Hines", nhs="9990000018", **HOME),
    ),
    "the surname written where the forename belongs": (
        say("csc", "1", "Amira", "Wachendorf", "2015-03-02", **HOME),
        say("gp", "2", "Wachendorf", "", "2015-03-02", **HOME),
    ),
    "a pet name": (
        say("csc", "1", "Arthur", "Wachendorf", "2015-03-02", sex="1"),
        say("gp", "2", "Artie", "Wachendorf", "2015-03-02", sex="1"),
    ),
    "no birth date but a number": (
        say("gp", "1", "Amira", "Khan", "1990-03-02", nhs="9990000018"),
        say("sms", "2", "Amira", "Khan", nhs="9990000018"),
    ),
}


@pytest.mark.parametrize("case", NOT_ONE_PERSON)
def test_two_people_stay_two(case: str) -> None:
    assert not joined(*NOT_ONE_PERSON[case])


@pytest.mark.parametrize("case", ONE_PERSON)
def test_one_person_is_found(case: str) -> None:
    assert joined(*ONE_PERSON[case])


def test_a_third_record_does_not_join_twins() -> None:
    records = [
        say("csc", "1", "Jack", "Khan", "2015-03-02", sex="1", **HOME),
        say("csc", "2", "John", "Khan", "2015-03-02", sex="1", **HOME),
        say("gp", "3", "J", "Khan", "2015-03-02", sex="1", **HOME),
        say("police", "4", "Jack", "Khan", "2015-03-02", sex="1", **HOME),
        say("hv", "5", "John", "Khan", "2015-03-02", sex="1", **HOME),
    ]
    prepared = [prepare(r) for r in records]
    found = cluster(prepared, weigh_some(prepared, sorted(pairs(prepared)), SCORER), SCORER).person_of
    assert found[0] != found[1]
    assert found[0] == found[3]
    assert found[1] == found[4]


def test_the_same_files_give_the_same_persons_in_any_order() -> None:
    records = [r for case in (*NOT_ONE_PERSON.values(), *ONE_PERSON.values()) for r in case]
    records = [replace(r, record=f"{n}") for n, r in enumerate(records)]

    def groups(given: list[object]) -> set[frozenset[str]]:
        prepared = [prepare(r) for r in given]  # type: ignore[arg-type]
        found = cluster(prepared, weigh_some(prepared, sorted(pairs(prepared)), SCORER), SCORER).person_of
        return {frozenset(p.record for p, at in zip(prepared, found, strict=True) if at == root) for root in set(found)}

    assert groups(list(records)) == groups(list(reversed(records)))


def test_every_weight_is_the_sum_of_its_levels() -> None:
    a, b = (prepare(r) for r in ONE_PERSON["swapped day and month"])
    weight = SCORER.weigh(a, b)
    assert weight.levels[COMPONENTS.index("born")] == LEVELS["born"].index("swapped")
    assert weight.bits > weight.household_bits > 0
    assert SCORER.weigh_above(a, b, 0.5) == weight
    assert "day and month of birth swapped" in weight.reasons()


def test_shares_of_every_level_sum_to_one() -> None:
    model = Model.load()
    for shares in (model.m, model.u, model.h):
        for component in COMPONENTS:
            assert sum(shares[component]) == pytest.approx(1, abs=1e-6)


def test_what_a_steward_keeps_apart_stays_apart(index: Index) -> None:
    one, other = ONE_PERSON["spelling"]
    index.load(one, other)
    assert index.same("csc/1", "gp/2")
    with index.db.writing() as session, pytest.raises(ValueError, match="rationale"):
        keep_apart(session, index.keys, ("csc", "1"), ("gp", "2"), said_by="steward", rationale=" ", now=NOW)
    with index.db.writing() as session:
        keep_apart(session, index.keys, ("csc", "1"), ("gp", "2"), said_by="steward", rationale="Cousins.", now=NOW)
    assert not index.same("csc/1", "gp/2")
    index.load(replace(one, household="h9"), other)
    assert not index.same("csc/1", "gp/2")
    with index.db.session() as session:
        assert b"Cousins" not in session.execute(tables.never.select()).one().rationale


CHILD = say("csc", "1", "Amira", "Wachendorf", "2015-03-02", sex="2", nhs="9990000018", flags=(SubjectFlag.SHIELDED,))
LOOKALIKE = say("police", "2", "Amira", "Wachendorf", "2011-08-12", sex="2", **HOME)


def test_a_record_that_might_be_a_shielded_child_is_found_by_nobody(index: Index) -> None:
    index.load(CHILD)
    index.load(LOOKALIKE)
    assert index.persons()["csc/1"]
    assert index.persons()["police/2"] is None
    with index.db.session() as session:
        found = candidates(session, index.keys, parse_box("Amira Wachendorf 12 8 2011"), now=NOW)
    assert all(one.agencies == ("csc",) for one in found.candidates)


def test_who_was_held_back_is_found_once_nobody_protected_could_be_meant(index: Index) -> None:
    index.load(CHILD, LOOKALIKE)
    assert index.persons()["police/2"] is None
    index.load(replace(CHILD, flags=frozenset()), LOOKALIKE)
    found = index.persons()
    assert found["police/2"]
    assert found["police/2"] != found["csc/1"]


def test_who_was_held_back_joins_when_the_agency_corrects_the_record(index: Index) -> None:
    index.load(CHILD, LOOKALIKE)
    index.load(CHILD, say("police", "2", "Amira", "Wachendorf", "2015-03-02", sex="2", nhs="9990000018"))
    assert index.same("csc/1", "police/2")


def test_a_sister_of_a_shielded_child_is_not_held_back(index: Index) -> None:
    index.load(CHILD, say("police", "2", "Sara", "Wachendorf", "2015-03-02", sex="2"))
    assert index.persons()["police/2"]


def test_what_a_held_back_record_is_about_is_remembered_as_a_hash_once(index: Index) -> None:
    index.load(CHILD, LOOKALIKE)
    index.load(CHILD, replace(LOOKALIKE, household="h1"))
    with index.db.session() as session:
        (row,) = session.execute(tables.suppressed.select()).all()
    assert (row.reason, row.first_agency, row.second_agency) == ("P28", "police", "police")
