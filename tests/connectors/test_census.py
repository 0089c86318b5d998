"""The national returns of children's social care: what is in them comes out, and what cannot be used is told."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import func, select

from connectors import ConnectorError, ExtractConnector, load_drop, load_partner, stored_people
from connectors.formats.known import KNOWN_FORMATS
from connectors.tables import extract_current, extract_items, extract_people, extract_unfinished
from policies.vocabulary import AnswerState, DataCategory

from .conftest import NOW

DATA = Path(__file__).parents[1] / "data" / "census"
RETURNS = ["fake_CIN_data.xml", "CIN_Census_2021.xml", "CIN_Census_2024.xml", "cin-2022.xml"]
PARTNER = """
code = "csc"
name = "Thornshire Children's Social Care"
type = "CHILDRENS_SOCIAL_CARE"
public_authority = true
competent_authority = false
formats = ["FORMAT"]
contact = { name = "Desk", in_hours = "01632 960101", out_of_hours = "01632 960102" }
coverage = { sentence = "Children in need in Thornshire." }
reach = { way = "extract", folder = "csc" }
"""


@pytest.fixture
def partner(tmp_path):
    def make(name):
        path = tmp_path / "csc.toml"
        path.write_text(PARTNER.replace("FORMAT", name), "utf-8")
        return load_partner(path)

    return make


@pytest.fixture
def load_cin(session, keys, partner, tmp_path):
    """Loads a return: a given file, or XML as text."""

    def run(xml):
        folder = tmp_path / "drops" / "csc"
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(xml, Path):
            shutil.copyfile(xml, folder / "cin.xml")
        else:
            (folder / "cin.xml").write_bytes(xml if isinstance(xml, bytes) else xml.encode())
        return load_drop(session, keys, partner("cin-census"), tmp_path / "drops", now=NOW)

    return run


@pytest.mark.parametrize("name", RETURNS)
def test_every_element_of_a_return_comes_out_or_is_a_reject(load_cin, session, name):
    report = load_cin(DATA / name)
    inside = Counter(e.tag for e in etree.parse(str(DATA / name)).iter())
    for count in report.files:
        assert count.rows_in == count.rows_out + count.rows_rejected + count.rows_set_aside
        element = count.use.partition("(")[2].rstrip(")") or "Child"
        assert count.rows_in == inside[element], count.use
    assert report.people == inside["Child"]
    assert report.items == sum(f.rows_out for f in report.files if f.use != "people")
    assert session.execute(select(func.count()).select_from(extract_items)).scalar_one() == report.items


def test_a_return_that_is_not_valid_is_loaded_and_its_faults_are_told_with_their_lines(load_cin):
    report = load_cin(DATA / "CIN_Census_2024.xml")
    assert {(r.line, r.column, r.reason) for r in report.rejects} == {
        (19, "ChildIdentifiers", "holds text between its elements"),
        (46, "AssessmentFactors", "is not a value of the census's list"),
        (95, "AssessmentFactors", "is missing"),
    }
    assert [(u.element, u.count) for u in report.unused] == [("ChildIdentifiers/Sex", 2)]


def test_the_schema_of_the_census_finds_no_fault_that_the_report_does_not_tell(load_cin):
    """lxml's validator is the independent judge: every element that it faults first is in the report too."""
    report = load_cin(DATA / "CIN_Census_2024.xml")
    schema = etree.XMLSchema(
        etree.parse(str(Path(load_drop.__code__.co_filename).parent / "formats/cin_census_2024.xsd"))
    )
    assert not schema.validate(etree.parse(str(DATA / "CIN_Census_2024.xml")))
    named = {r.column for r in report.rejects} | {u.element.rpartition("/")[2] for u in report.unused}
    faulted = {e.message.split("'")[1] for e in schema.error_log}
    assert faulted - {"FactorsIdentifiedAtAssessment"} <= named  # An empty wrapper is told by what it lacks.


def test_what_a_worker_is_told_of_a_child_is_in_words(load_cin, open_session, keys, partner, ask_about, session):
    load_cin(DATA / "cin-2022.xml")
    (child,) = stored_people(session, keys, partner("cin-census"))
    csc = partner("cin-census")
    answer = ExtractConnector(csc, open_session, keys).fetch(ask_about(csc, child.record), deadline_s=1)
    assert answer.state is AnswerState.FOUND
    plan = next(i for i in answer.items if i.values.get("type") and i.values["type"].text == "Child protection plan")
    assert plan.category is DataCategory.SOCIAL_CARE_STATUS
    assert plan.values["plan_reason"].text == "Physical abuse"
    assert {i.category for i in answer.items if "risk" in i.values} == {DataCategory.SOCIAL_CARE_NARRATIVE}


BOMB = '<!DOCTYPE Message [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE Message [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
GOOD = (DATA / "cin-2022.xml").read_text("utf-8").partition("<Message")[2]
HOSTILE = {
    "a bomb of entities": (BOMB + "<Message" + GOOD, "DOCTYPE"),
    "an outside entity": (OUTSIDE + "<Message" + GOOD, "DOCTYPE"),
    "the same in UTF-16": ((OUTSIDE + "<Message" + GOOD).encode("utf-16"), "DOCTYPE"),
    "an outside document type": ('<!DOCTYPE Message SYSTEM "http://127.0.0.1:9/x">' + "<Message" + GOOD, "DOCTYPE"),
    "cut off": ("<Message" + GOOD[: len(GOOD) // 2], "XML"),
    "no XML": ("a,b,c\n1,2,3\n", "XML"),
    "another XML": ("<html><body/></html>", "NOT_THE_FORMAT"),
    "nothing": ("", "NOT_THE_FORMAT"),
    "an entity that nobody declared": ("<Message" + GOOD.replace("<UPN>", "<UPN>&x;"), "XML"),
    "a child without end": ("<Message><Children><Child>" + "<x>1</x>" * 700_000, "XML"),
    "very deep": ("<Message><Children><Child>" + "<x>" * 5000, "XML"),
}


@pytest.mark.parametrize(("xml", "code"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_return_is_refused_and_the_last_good_one_stays(load_cin, session, xml, code):
    before = load_cin(DATA / "cin-2022.xml")
    with pytest.raises(ConnectorError) as refused:
        load_cin(xml)
    assert refused.value.code == code
    stored = set(session.execute(select(extract_items.c.load)).scalars())
    assert stored == {before.load}


def test_a_report_of_a_return_holds_no_value_of_it(load_cin):
    spoilt = (DATA / "CIN_Census_2024.xml").read_text("utf-8")
    for old in (">A123456789123<", ">1A<", ">N4<", ">2023-02-27<", ">PHY<", ">HAND<", ">10<", ">DfEX0000001<"):
        spoilt = spoilt.replace(old, ">Canary<")
    spoilt = spoilt.replace("<Ethnicity>WBRI</Ethnicity>", "<Canary19900201>x</Canary19900201>")
    report = load_cin(spoilt)
    assert len(report.rejects) > 8
    assert "Canary" not in repr(report)


def test_the_whole_return_of_children_looked_after_comes_out_or_is_told(session, keys, partner, tmp_path):
    shutil.copytree(DATA / "ssda903", tmp_path / "drops" / "csc")
    report = load_drop(session, keys, partner("ssda903"), tmp_path / "drops", now=NOW)
    assert {f.file for f in report.files} == {p.name for p in (DATA / "ssda903").glob("*.csv")}
    for count in report.files:
        lines = len((DATA / "ssda903" / count.file).read_text("utf-8").splitlines()) - 1
        assert count.rows_in == lines == count.rows_out + count.rows_rejected + count.rows_set_aside
    assert {(r.source, r.reason) for r in report.rejects} == {("reviews.csv", "repeats an id of this file")}
    assert len(report.rejects) == 6
    assert ("episodes.csv", "PL_POST") in {(u.file, u.element) for u in report.unused}
    sealed = select(extract_items.c.category).where(extract_items.c.category == "ADOPTION_SEALED")
    assert len(session.execute(sealed).all()) == sum(f.rows_out for f in report.files if f.use == "ADOPTION_SEALED")


@pytest.mark.parametrize("name", KNOWN_FORMATS)
def test_a_format_that_comes_with_the_product_is_a_partner_file_like_any_other(partner, name):
    assert DataCategory.SOCIAL_CARE_STATUS in partner(name).offers


class Breaking:
    """Keys that fail at the nth seal, as when the machine goes down; `sealed` counts."""

    def __init__(self, keys, after):
        self._keys, self.left, self.sealed = keys, after, 0
        self.blind, self.open = keys.blind, keys.open

    def seal(self, *args):
        self.left -= 1
        if not self.left:
            raise RuntimeError("the machine went down")
        self.sealed += 1
        return self._keys.seal(*args)


@pytest.mark.parametrize("after", [1, 2, 100, 600, 900, 1400, 2000])
def test_a_load_that_breaks_off_goes_on_where_it_stopped_and_ends_the_same(session, keys, example, tmp_path, after):
    csc = example("csc")
    folder = tmp_path / "drops" / "csc"
    folder.mkdir(parents=True)
    head = "person_id,forenames,surname,dob,sex,nhs_number,address_line_1,town,postcode\n"
    people = "".join(f"P{n},Ada,Quill,{'99' if n % 50 == 0 else '01'}/02/2015,F,,,,\n" for n in range(1200))
    (folder / "people.csv").write_text(head + people + "P1,Again,,,,,,,\n")
    head = "involvement_id,person_id,team,start_date,end_date,duty_line,allocated_worker\n"
    rows = "".join(f"I{n},P{n},Team,01/02/2020,,,\n" + ("short\n" if n % 40 == 0 else "") for n in range(1300))
    (folder / "involvement.csv").write_text(head + rows + "I3,P3,Team,01/02/2020,,,\n")
    (folder / "plans.csv").write_text("plan_id,person_id,plan_type,start_date,end_date,status,abuse_category\n")

    def load(with_keys):
        return load_drop(session, with_keys, csc, tmp_path / "drops", now=NOW)

    breaking = Breaking(keys, after)
    with pytest.raises(RuntimeError):
        load(breaking)
    assert loads_seen(session) == 0
    resumed = Breaking(keys, 10**9)
    report = load(resumed)
    assert breaking.sealed + resumed.sealed <= 1200 + 1300 + 502 + 4  # A batch is sealed twice at most.
    assert (report.people, report.items) == (1200, 1300)
    counts = {f.file: (f.rows_in, f.rows_out, f.rows_rejected) for f in report.files}
    assert counts["people.csv"] == (1201, 1200, 1)
    assert counts["involvement.csv"] == (1334, 1300, 34)
    assert len(report.rejects) == 24 + 1 + 34
    assert session.execute(select(func.count()).select_from(extract_people)).scalar_one() == 1200
    assert session.execute(select(func.count()).select_from(extract_unfinished)).scalar_one() == 0
    assert load(keys).unchanged


def loads_seen(session) -> int:
    """How many loads anybody can see."""

    session.rollback()
    return session.execute(select(func.count()).select_from(extract_current)).scalar_one()
