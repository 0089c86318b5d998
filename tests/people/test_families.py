"""Who belongs to a child: what agencies state, what follows from it, and what is never used."""

import pytest
from sqlalchemy import event
from tests_people import NOW, Index, say

from hub.people import Family, family_of
from policies.vocabulary import RelationToIndex, SubjectFlag

HOME = {"line1": "4 Mill Lane", "postcode": "SW1A 1AA"}
AWAY = {"line1": "77 Harbour Road", "postcode": "SW1A 2BB"}
R = RelationToIndex


def family(index: Index, record: str, *records: object) -> tuple[Family, dict[str, str]]:
    """The family of one record's person, and first forename -> how they stand."""
    index.load(*records)  # type: ignore[arg-type]
    with index.session() as session:
        found = family_of(session, index.keys, index.persons()[record], now=NOW)
    return found, {m.name.split()[0]: m.relation_to_index.value for m in found.members}


def told(found: Family) -> set[tuple[str, str, str, str]]:
    """(person, code, of, basis) by first forename."""
    name = {m.person: m.name.split()[0] for m in found.members}
    return {(name[r.person], r.code, name[r.of], r.basis) for r in found.relations}


CHILD = say("csc", "1", "Tom", "Reid", "2018-01-01", sex="1", ties=(("NMTH", "2"), ("NFTH", "3")), **HOME)
MOTHER = say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", **HOME)
FATHER = say("csc", "3", "Owen", "Pugh", "1988-03-03", sex="1", **AWAY)


def test_a_stranger_in_the_same_street_is_not_family(index: Index) -> None:
    _, standing = family(
        index,
        "csc/1",
        CHILD,
        MOTHER,
        say("police", "9", "Max", "Odd", "1970-01-01", line1="6 Mill Lane", postcode="SW1A 1AA"),
    )
    assert set(standing) == {"Tom", "Grace"}


def test_living_in_a_hostel_makes_nobody_family(index: Index) -> None:
    names = ["Ada", "Ben", "Cleo", "Dov", "Eve", "Finn", "Gus", "Hal", "Ida", "Jon", "Kit", "Lou", "Max", "Ned", "Ola"]
    crowd = [say("police", f"c{n}", x, f"Name{x}", f"19{60 + n}-01-01", **HOME) for n, x in enumerate(names)]
    _, standing = family(index, "csc/1", CHILD, MOTHER, *crowd)
    assert set(standing) == {"Tom", "Grace"}


@pytest.mark.parametrize("flag", [SubjectFlag.SHIELDED, SubjectFlag.FLEEING_DA, SubjectFlag.PROTECTED_PERSON])
def test_the_address_of_a_protected_person_brings_nobody_in(index: Index, flag: SubjectFlag) -> None:
    neighbour = say("police", "9", "Rex", "Stone", "1980-01-01", **HOME)
    protected = say("csc", "1", "Tom", "Reid", "2018-01-01", ties=(("NMTH", "2"),), flags=(flag,), **HOME)
    other_agency = say("gp", "5", "Tom", "Reid", "2018-01-01", **HOME)
    found, standing = family(index, "csc/1", protected, other_agency, MOTHER, neighbour)
    assert standing == {"Tom": R.INDEX, "Grace": R.PR_HOLDER}
    assert found.households == ()
    assert any("protected" in note for note in found.notes)
    with index.session() as session:
        assert len(family_of(session, index.keys, index.persons()["police/9"], now=NOW).members) in (1, 2)
        shown = family_of(session, index.keys, index.persons()["police/9"], now=NOW)
    assert "Tom" not in {m.name.split()[0] for m in shown.members}


def test_an_adopted_child_has_no_birth_family_here(index: Index) -> None:
    adopted = say(
        "csc", "1", "Liam", "Hart", "2018-04-04", flags=(SubjectFlag.ADOPTED,), ties=(("ADOPTM", "2"), ("NMTH", "3"))
    )
    birth_child = say("csc", "4", "Nia", "Stone", "2014-01-01", ties=(("NMTH", "3"),))
    found, standing = family(
        index, "csc/1", adopted, say("csc", "2", "Ruth", "Hart", "1980-01-01", sex="2"),
        say("csc", "3", "Stacey", "Stone", "1995-01-01", sex="2", ties=(("NCHILD", "1"),)), birth_child,
    )  # fmt: skip
    assert standing == {"Liam": R.INDEX, "Ruth": R.PR_HOLDER}
    assert told(found) == {("Ruth", "ADOPTM", "Liam", "stated")}


def test_separated_parents_are_both_found_and_only_one_is_at_home(index: Index) -> None:
    found, standing = family(index, "csc/1", CHILD, MOTHER, FATHER)
    assert standing == {"Tom": R.INDEX, "Grace": R.PR_HOLDER, "Owen": R.PR_HOLDER}
    home = {m.name.split()[0]: m.household for m in found.members}
    assert home["Tom"] == home["Grace"] is not None
    assert home["Owen"] is None


def test_half_brother_at_the_fathers_is_found_through_the_father(index: Index) -> None:
    half = say("csc", "4", "Rhys", "Pugh", "2021-01-01", sex="1", ties=(("NFTH", "3"), ("NMTH", "5")), **AWAY)
    other_mother = say("csc", "5", "Sian", "Bowen", "1993-01-01", sex="2", **AWAY)
    found, standing = family(index, "csc/1", CHILD, MOTHER, FATHER, half, other_mother)
    assert standing["Rhys"] == R.RECORDED_RELEVANT
    assert "Sian" not in standing
    assert any(code in ("HSIB", "HBRO") and basis == "derived" for _, code, _, basis in told(found)) or any(
        code in ("SIB", "BRO") for _, code, _, _ in told(found)
    )


def test_stepfather_lodger_and_a_lodger_who_left(index: Index) -> None:
    records = [
        say("csc", "1", "Tom", "Reid", "2018-01-01", ties=(("NMTH", "2"), ("STPFTH", "4")), household="H1"),
        say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", household="H1"),
        say("csc", "4", "Ryan", "Moss", "1985-01-01", sex="1", household="H1"),
        say("csc", "5", "Lou", "Park", "1999-01-01", household="H1", role="ROOM"),
        say("csc", "6", "Kurt", "Gone", "1979-01-01", household="H1", until="2025-01-01"),
    ]
    found, standing = family(index, "csc/1", *records)
    assert standing == {
        "Tom": R.INDEX, "Grace": R.PR_HOLDER, "Ryan": R.HOUSEHOLD, "Lou": R.HOUSEHOLD, "Kurt": R.FORMER_HOUSEHOLD,
    }  # fmt: skip
    assert ("Ryan", "STPFTH", "Tom", "stated") in told(found)


def test_a_contradiction_between_agencies_is_shown_from_both(index: Index) -> None:
    found, _ = family(
        index, "csc/1", CHILD, MOTHER, FATHER,
        say("gp", "11", "Tom", "Reid", "2018-01-01", sex="1", ties=(("STPFTH", "13"),)),
        say("gp", "13", "Owen", "Pugh", "1988-03-03", sex="1"),
    )  # fmt: skip
    doubtful = {(r.code, r.agencies) for r in found.relations if r.contradicted}
    assert doubtful == {("NFTH", ("csc",)), ("STPFTH", ("gp",))}


def test_two_agencies_that_agree_make_one_relation_with_both_sources(index: Index) -> None:
    found, _ = family(
        index, "csc/1", CHILD, MOTHER, FATHER,
        say("gp", "11", "Tom", "Reid", "2018-01-01", sex="1", ties=(("MTH", "12"),)),
        say("gp", "12", "Grace", "Reid", "1990-02-02", sex="2"),
    )  # fmt: skip
    mother = [r for r in found.relations if r.code == "NMTH"]
    assert [(r.agencies, r.basis, r.contradicted, r.as_of) for r in mother] == [(("csc", "gp"), "stated", False, NOW)]


def test_roles_in_a_household_are_derived_and_say_so(index: Index) -> None:
    found, _ = family(
        index, "housing/1", say("housing", "1", "Tom", "Reid", "2018-01-01", household="T9", role="NCHILD", sex="1"),
        say("housing", "2", "Grace", "Reid", "1990-02-02", household="T9", role="REFERENCE", sex="2"),
        say("housing", "3", "Lily", "Reid", "2020-02-02", household="T9", role="NCHILD", sex="2"),
    )  # fmt: skip
    assert ("Grace", "NMTH", "Tom", "derived") in told(found)
    assert any({a, b} == {"Tom", "Lily"} and basis == "derived" for a, _, b, basis in told(found))


def test_an_unborn_child_and_a_parent_who_died_are_told_by_their_flags(index: Index) -> None:
    found, _ = family(
        index, "csc/2", say("csc", "1", "", "Reid", flags=(SubjectFlag.UNBORN,), ties=(("NMTH", "2"),)),
        say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", ties=(("FTH", "3"),)),
        say("csc", "3", "Alun", "Reid", "1950-01-01", sex="1", is_deceased=True),
    )  # fmt: skip
    flags = {m.name: m.flags for m in found.members}
    assert SubjectFlag.UNBORN in flags["Reid"]
    assert SubjectFlag.DECEASED in flags["Alun Reid"]


def test_a_person_alone_is_said_to_be_alone_and_nobody_is_nobody(index: Index) -> None:
    found, standing = family(index, "csc/9", say("csc", "9", "Zoe", "Alone", "1990-01-01"))
    assert standing == {"Zoe": R.INDEX}
    assert found.notes == ()  # The page says it, by who is shown there.
    with index.session() as session:
        assert family_of(session, index.keys, "nobody", now=NOW).members == ()


def test_a_family_is_found_without_reading_everybody(index: Index) -> None:
    index.load(CHILD, MOTHER, FATHER)
    child = index.persons()["csc/1"]
    asked: list[tuple[str, object]] = []
    event.listen(index.db.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    with index.session() as session:
        assert len(family_of(session, index.keys, child, now=NOW).members) == 3
        read = session.connection().connection.driver_connection
        assert read is not None
        plans = [row[3] for sql, bound in asked for row in read.execute("EXPLAIN QUERY PLAN " + sql, bound)]
    assert [step for step in plans if step.startswith("SCAN match_")] == []
    assert any("(agency=? AND record=?)" in step for step in plans)
