"""The index: sealed at rest, the same after the same load, and persons keep their numbers."""

from dataclasses import replace

import pytest
from tests_people import NOW, Index, say

from hub.people import current_person, records_of, records_of_persons, refresh
from hub.people.stored import pack, unpack

AMIRA = say(
    "csc", "1", "Amira", "Canaryname", "2015-03-02", nhs="9990000018", line1="4 Canary Lane", ties=(("MTH", "7"),)
)
AT_GP = say("gp", "2", "Amira", "Canaryname", "2015-03-02", nhs="9990000018")


def test_another_agencys_record_is_refused(index: Index) -> None:
    with index.db.writing() as session, pytest.raises(ValueError, match="another agency"):
        refresh(session, index.keys, [AMIRA], agency="police", now=NOW)


def test_nothing_that_identifies_lies_in_the_clear(index: Index) -> None:
    index.load(AMIRA, AT_GP)
    index.db.engine.dispose()
    stored = b"".join(p.read_bytes() for p in index.path.parent.iterdir()).upper()
    for canary in (b"AMIRA", b"CANARYNAME", b"CANARY", b"9990000018", b"2015-03-02", b"20150302"):
        assert canary not in stored


def test_a_record_comes_back_as_it_went_in() -> None:
    assert unpack("csc", "1", pack(AMIRA), NOW) == AMIRA


def test_records_of_one_person_are_found_together(index: Index) -> None:
    index.load(AMIRA, AT_GP, say("gp", "3", "Joe", "Bell", "1980-01-01"))
    persons = index.persons()
    assert persons["csc/1"] == persons["gp/2"] != persons["gp/3"]
    with index.session() as session:
        assert {r.agency for r in records_of(session, index.keys, persons["csc/1"])} == {"csc", "gp"}
        assert len(records_of_persons(session, index.keys, set(persons.values()))) == 2
        assert records_of(session, index.keys, "nobody") == ()


def test_loading_the_same_again_changes_nothing(index: Index) -> None:
    index.load(AMIRA, AT_GP)
    before = index.persons()
    with index.db.writing() as session:
        report = refresh(session, index.keys, [AMIRA], agency="csc", now=NOW)
    assert (report.new, report.changed, report.unchanged, report.persons_touched) == (0, 0, 1, 0)
    assert index.persons() == before


def test_a_person_keeps_the_number_when_a_record_changes(index: Index) -> None:
    index.load(AMIRA, AT_GP)
    before = index.persons()
    index.load(replace(AMIRA, household="new"))
    assert index.persons() == before


def test_a_record_that_turns_out_to_be_somebody_else_leaves_the_person(index: Index) -> None:
    index.load(AMIRA, AT_GP)
    index.load(say("gp", "2", "Joe", "Bell", "1980-01-01", nhs="9990000026"))
    assert not index.same("csc/1", "gp/2")


def test_a_person_found_to_be_another_is_still_found_by_the_old_number(index: Index) -> None:
    index.load(AMIRA, say("gp", "2", "Zoe", "Bell", "1980-01-01"))
    old = index.persons()["gp/2"]
    index.load(AT_GP)
    with index.session() as session:
        assert current_person(session, old) == index.persons()["csc/1"] == index.persons()["gp/2"]


def test_what_an_agency_no_longer_holds_is_removed_and_only_that(index: Index) -> None:
    index.load(AMIRA, say("csc", "9", "Joe", "Bell", "1980-01-01"), AT_GP)
    index.load(say("csc", "9", "Joe", "Bell", "1980-01-01"), complete=True)
    assert set(index.persons()) == {"csc/9", "gp/2"}


def test_linking_in_steps_gives_the_same_persons_as_linking_at_once(index: Index) -> None:
    for record in (AT_GP, say("police", "5", "Amira", "Canaryname", "2015-03-02"), AMIRA):
        index.load(record)
    assert len(set(index.persons().values())) == 1
