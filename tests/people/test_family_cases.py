"""Families as they are: one row per situation, with who belongs to the child, in which words, and who says so.

Each case names its people by forename. `standing` is whole: nobody else may be in the picture. `told` is "person
code of": a mark of * means worked out, ! that agencies contradict each other. `why` holds words that must be there.
"""

from dataclasses import dataclass, field

import pytest
from tests_people import NOW, Index, say

from connectors import SourceRecord
from hub.people import Family, family_of
from policies.vocabulary import SubjectFlag

HOME = {"line1": "4 Mill Lane", "postcode": "SW1A 1AA"}
AWAY = {"line1": "77 Harbour Road", "postcode": "SW1A 2BB"}
UNBORN = (SubjectFlag.UNBORN,)


@dataclass(frozen=True)
class Case:
    """One family, asked about the first record's person."""

    name: str
    records: tuple[SourceRecord, ...]
    standing: dict[str, str]
    told: set[str] = field(default_factory=set)
    why: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def tom(*ties: tuple[str, str], **more: object) -> SourceRecord:
    return say("csc", "1", "Tom", "Reid", "2018-01-01", sex="1", ties=ties, **{**HOME, **more})  # type: ignore[arg-type]


GRACE = say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", **HOME)
OWEN = say("csc", "3", "Owen", "Pugh", "1988-03-03", sex="1", **AWAY)
RYAN = say("csc", "4", "Ryan", "Moss", "1985-01-01", sex="1", ties=(("DOMPART", "2"),), **HOME)
BOTH = (("NMTH", "2"), ("NFTH", "3"))

CASES = (
    Case(
        "separated parents, each at a home of their own",
        (tom(*BOTH), GRACE, OWEN),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Owen": "PR_HOLDER"},
        {"Grace NMTH Tom", "Owen NFTH Tom"},
        {"Grace": "birth mother; in the same home", "Owen": "birth father; recorded at another home"},
    ),
    Case(
        "a parent whose home nobody knows is not said to live anywhere",
        (tom(*BOTH), GRACE, say("csc", "3", "Owen", "Pugh", "1988-03-03", sex="1")),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Owen": "PR_HOLDER"},
        why={"Owen": "birth father"},
    ),
    Case(
        "brother at the father's: his own mother is not in this family, so full or half is not said",
        (
            tom(*BOTH),
            GRACE,
            OWEN,
            say("csc", "5", "Rhys", "Pugh", "2021-01-01", sex="1", ties=(("NFTH", "3"), ("NMTH", "6")), **AWAY),
            say("csc", "6", "Sian", "Bowen", "1993-01-01", sex="2", **AWAY),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Owen": "PR_HOLDER", "Rhys": "RECORDED_RELEVANT"},
        {"Rhys BRO Tom *"},
        {"Rhys": "brother, full or half not known"},
    ),
    Case(
        "full or half is not said when one child's other parent is not known",
        (
            tom(*BOTH),
            GRACE,
            OWEN,
            say("csc", "5", "Lily", "Reid", "2021-01-01", sex="2", ties=(("NMTH", "2"),), **HOME),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Owen": "PR_HOLDER", "Lily": "HOUSEHOLD"},
        {"Lily SIS Tom *"},
    ),
    Case(
        "full brother and sister: both birth parents shared",
        (tom(*BOTH), GRACE, OWEN, say("csc", "5", "Lily", "Reid", "2021-01-01", sex="2", ties=BOTH, **HOME)),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Owen": "PR_HOLDER", "Lily": "HOUSEHOLD"},
        {"Lily NSIS Tom *"},
    ),
    Case(
        "stepsister: the child of the mother's partner, in the same home",
        (
            tom(("NMTH", "2")),
            GRACE,
            RYAN,
            say("csc", "5", "Ivy", "Moss", "2016-01-01", sex="2", ties=(("NFTH", "4"),), **HOME),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Ryan": "HOUSEHOLD", "Ivy": "HOUSEHOLD"},
        {"Ivy STPSIS Tom *"},
        {"Ivy": "stepsister"},
    ),
    Case(
        "a stepsister who lives elsewhere is not needed (P09) unless an agency states her",
        (
            tom(("NMTH", "2"), ("STPFTH", "4")),
            GRACE,
            RYAN,
            say("csc", "5", "Ivy", "Moss", "2016-01-01", sex="2", ties=(("NFTH", "4"),), **AWAY),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Ryan": "HOUSEHOLD"},
    ),
    Case(
        "a stepsister who lives elsewhere and is stated",
        (tom(("NMTH", "2"), ("STPSIS", "5")), GRACE, say("csc", "5", "Ivy", "Moss", "2016-01-01", sex="2", **AWAY)),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Ivy": "RECORDED_RELEVANT"},
        {"Ivy STPSIS Tom"},
    ),
    Case(
        "former partner's child is no stepsister any more",
        (
            tom(("NMTH", "2")),
            GRACE,
            say("csc", "4", "Ryan", "Moss", "1985-01-01", sex="1", ties=(("FMRSPS", "2"),), **AWAY),
            say("csc", "5", "Ivy", "Moss", "2016-01-01", sex="2", ties=(("NFTH", "4"),), **AWAY),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER"},
    ),
    Case(
        "foster carer, her own child at home, and the birth mother elsewhere",
        (
            tom(("PRNFOST", "5"), ("NMTH", "2")),
            say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", **AWAY),
            say("csc", "5", "Ruth", "Hart", "1970-01-01", sex="2", **HOME),
            say("csc", "6", "Dan", "Hart", "2012-01-01", sex="1", ties=(("NMTH", "5"),), **HOME),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Ruth": "HOUSEHOLD", "Dan": "HOUSEHOLD"},
        {"Ruth MTHFOST Tom"},
        {"Ruth": "foster carer", "Grace": "recorded at another home", "Dan": "lives in the same home"},
    ),
    Case(
        "a child whom the foster carer had before is nobody's family here",
        (
            tom(("PRNFOST", "5")),
            say("csc", "5", "Ruth", "Hart", "1970-01-01", sex="2", **HOME),
            say("csc", "6", "Eve", "Lane", "2015-01-01", ties=(("PRNFOST", "5"),), **AWAY),
        ),
        {"Tom": "INDEX", "Ruth": "HOUSEHOLD"},
    ),
    Case(
        "asked about the carer, the child is a foster child",
        (say("csc", "5", "Ruth", "Hart", "1970-01-01", sex="2", **HOME), tom(("PRNFOST", "5"))),
        {"Ruth": "INDEX", "Tom": "HOUSEHOLD"},
        why={"Tom": "foster son"},
    ),
    Case(
        "kinship care: a grandmother at home where no parent is",
        (
            tom(("MGRMTH", "5"), ("NMTH", "2")),
            say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", **AWAY),
            say("csc", "5", "Ida", "Reid", "1960-01-01", sex="2", **HOME),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Ida": "HOUSEHOLD"},
        {"Ida MGRMTH Tom"},
        {"Ida": "may be the kinship carer"},
    ),
    Case(
        "a grandmother at home beside the mother is not said to be the carer",
        (tom(("MGRMTH", "5"), ("NMTH", "2")), GRACE, say("csc", "5", "Ida", "Reid", "1960-01-01", sex="2", **HOME)),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Ida": "HOUSEHOLD"},
        why={"Ida": "lives in the same home, maternal grandmother"},
    ),
    Case(
        "a grandmother who is the approved foster carer contradicts nobody",
        (
            tom(("MGRMTH", "5")),
            say("csc", "5", "Ida", "Reid", "1960-01-01", sex="2", **HOME),
            say("gp", "11", "Tom", "Reid", "2018-01-01", sex="1", ties=(("MTHFOST", "15"),)),
            say("gp", "15", "Ida", "Reid", "1960-01-01", sex="2"),
        ),
        {"Tom": "INDEX", "Ida": "HOUSEHOLD"},
        {"Ida MGRMTH Tom", "Ida MTHFOST Tom"},
        {"Ida": "foster carer, maternal grandmother"},
    ),
    Case(
        "an unborn baby, brother and parents",
        (
            GRACE,
            tom(*BOTH),
            OWEN,
            say("csc", "9", "Baby", "Reid", "2026-11-01", flags=UNBORN, ties=(("NMTH", "2"),), **HOME),
        ),
        {"Grace": "INDEX", "Tom": "HOUSEHOLD", "Baby": "HOUSEHOLD"},
        {"Grace NMTH Baby"},
        {"Baby": "unborn child"},
    ),
    Case(
        "an unborn baby is asked about: mother and brother",
        (
            say("csc", "9", "Baby", "Reid", "2026-11-01", flags=UNBORN, ties=(("NMTH", "2"),), **HOME),
            GRACE,
            tom(*BOTH),
            OWEN,
        ),
        {"Baby": "INDEX", "Grace": "PR_HOLDER", "Tom": "HOUSEHOLD"},
    ),
    Case(
        "a baby who was expected before today and is still recorded as unborn",
        (GRACE, say("csc", "9", "Baby", "Reid", "2026-05-01", flags=UNBORN, ties=(("NMTH", "2"),), **HOME)),
        {"Grace": "INDEX", "Baby": "HOUSEHOLD"},
        notes=("expected before today",),
    ),
    Case(
        "two agencies name two birth fathers",
        (
            tom(*BOTH),
            GRACE,
            OWEN,
            say("gp", "11", "Tom", "Reid", "2018-01-01", sex="1", ties=(("NFTH", "14"),)),
            say("gp", "14", "Kurt", "Vane", "1986-01-01", sex="1"),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Owen": "PR_HOLDER", "Kurt": "PR_HOLDER"},
        {"Owen NFTH Tom !", "Kurt NFTH Tom !", "Grace NMTH Tom"},
    ),
    Case(
        "a full sister by one agency shares only one of the known parents",
        (
            tom(*BOTH, ("NSIS", "5")),
            GRACE,
            OWEN,
            say("csc", "5", "Lily", "Moss", "2021-01-01", sex="2", ties=(("NMTH", "2"), ("NFTH", "4")), **HOME),
            say("csc", "4", "Ryan", "Moss", "1985-01-01", sex="1", **HOME),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Owen": "PR_HOLDER", "Lily": "HOUSEHOLD", "Ryan": "HOUSEHOLD"},
        {"Lily NSIS Tom !", "Lily HSIS Tom *!"},
    ),
    Case(
        "stepfather to one agency, birth father to another",
        (
            tom(("NMTH", "2"), ("STPFTH", "4")),
            GRACE,
            RYAN,
            say("gp", "11", "Tom", "Reid", "2018-01-01", sex="1", ties=(("NFTH", "14"),)),
            say("gp", "14", "Ryan", "Moss", "1985-01-01", sex="1"),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Ryan": "PR_HOLDER"},
        {"Ryan STPFTH Tom !", "Ryan NFTH Tom !"},
    ),
    Case(
        "the mother's partner lives elsewhere: not needed (P09)",
        (
            tom(("NMTH", "2")),
            GRACE,
            say("csc", "4", "Ryan", "Moss", "1985-01-01", sex="1", ties=(("DOMPART", "2"),), **AWAY),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER"},
    ),
    Case(
        "a lodger, and one who left",
        (
            tom(("NMTH", "2"), household="H1"),
            say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", household="H1", **HOME),
            say("csc", "7", "Lou", "Park", "1999-01-01", household="H1", role="ROOM"),
            say("csc", "8", "Kurt", "Gone", "1979-01-01", household="H1", until="2025-01-01"),
        ),
        {"Tom": "INDEX", "Grace": "PR_HOLDER", "Lou": "HOUSEHOLD", "Kurt": "FORMER_HOUSEHOLD"},
    ),
    Case(
        "a friend is a peer, a neighbour is nobody",
        (
            tom(("FRND", "7"), ("NBOR", "8")),
            say("csc", "7", "Max", "Odd", "2018-01-01"),
            say("csc", "8", "Ned", "Far", "1950-01-01"),
        ),
        {"Tom": "INDEX", "Max": "PEER"},
        why={"Max": "friend"},
    ),
    Case(
        "a former husband, asked about her",
        (say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", ties=(("FMRSPS", "3"),), **HOME), OWEN),
        {"Grace": "INDEX", "Owen": "FORMER_HOUSEHOLD"},
    ),
    Case(
        "a grandchild belongs when at home, and not elsewhere",
        (
            say("csc", "5", "Ida", "Reid", "1960-01-01", sex="2", **HOME),
            tom(("GRMTH", "5")),
            say("csc", "6", "Eve", "Lane", "2015-01-01", sex="2", ties=(("GRMTH", "5"),), **AWAY),
        ),
        {"Ida": "INDEX", "Tom": "HOUSEHOLD"},
        why={"Tom": "grandson"},
    ),
)


@pytest.fixture(scope="module")
def case_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return Index(tmp_path_factory.mktemp("families") / "index.sqlite")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_belongs_and_why(case_index: Index, case: Case) -> None:
    """Each case replaces the one before: what an agency no longer has is gone."""
    for agency in ("csc", "gp"):
        case_index.load(*(r for r in case.records if r.agency == agency), complete=True, agencies=(agency,))
    asked = case.records[0]
    with case_index.session() as session:
        person = case_index.persons()[f"{asked.agency}/{asked.record}"]
        found = family_of(session, case_index.keys, person, now=NOW)
    first = {m.person: m.name.split()[0] for m in found.members}
    assert {first[m.person]: m.relation_to_index.value for m in found.members} == case.standing
    told = {_line(found, at, first) for at in range(len(found.relations))}
    assert case.told <= told
    assert {line for line in told if "!" in line} == {line for line in case.told if "!" in line}
    assert all(m.why for m in found.members)
    for name, words in case.why.items():
        assert words in next(m.why for m in found.members if first[m.person] == name)
    assert len(found.notes) >= len(case.notes)
    assert all(any(words in note for note in found.notes) for words in case.notes)


def _line(found: Family, at: int, first: dict[str, str]) -> str:
    one = found.relations[at]
    marks = ("*" if one.basis == "derived" else "") + ("!" if one.contradicted else "")
    return f"{first[one.person]} {one.code} {first[one.of]} {marks}".strip()


def test_a_parent_whose_whereabouts_are_protected_is_not_said_to_live_anywhere(index: Index) -> None:
    for flag, place in ((SubjectFlag.FLEEING_DA, AWAY), (SubjectFlag.SHIELDED, HOME)):
        mother = say("csc", "2", "Grace", "Reid", "1990-02-02", sex="2", flags=(flag,), **place)
        index.load(tom(*BOTH), mother, OWEN)
        with index.session() as session:
            found = family_of(session, index.keys, index.persons()["csc/1"], now=NOW)
        assert {m.name: m.why for m in found.members}["Grace Reid"] == "birth mother"


def test_nothing_derived_or_contradicted_outlives_the_person_it_follows_from(index: Index) -> None:
    """Whoever may not see the second father learns neither of him nor that agencies differ."""
    case = next(c for c in CASES if c.name == "two agencies name two birth fathers")
    index.load(*case.records)
    persons = index.persons()
    with index.session() as session:
        found = family_of(session, index.keys, persons["csc/1"], now=NOW, without=frozenset({persons["gp/14"]}))
    assert not any(r.contradicted for r in found.relations)
