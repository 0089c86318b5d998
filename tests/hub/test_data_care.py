"""Records as such: joins that break a rule, records held back and their release, and what is wrong with them."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from connectors import NHS_NUMBER, Address, Identifier, Name, PartialDate, Person, SourceRecord
from hub import data_quality
from hub.people import refresh, tables
from hub.people.quality import COMPARED, KINDS, look_through
from policies.vocabulary import SubjectFlag
from tests.conftest import House, Visitor
from tests.hub.conftest import newest

WHY = "We looked in our own system and rang the carer"
BORN = date(2011, 5, 6)
HOME = Address(line1="88 Quarry Bank", postcode="TH4 4ZZ")


def about(
    agency: str, record: str, given: str = "Zebedee", family: str = "Quillfeather", *, nhs: str | None = None,
    born: date | None = BORN, home: Address | None = HOME, sex: str | None = "1", flags: tuple[SubjectFlag, ...] = (),
) -> SourceRecord:  # fmt: skip
    """A record about an invented boy whom no story knows."""
    return SourceRecord(
        agency,
        record,
        Person(
            identifiers=(Identifier(nhs, NHS_NUMBER),) if nhs else (),
            names=(Name((family,), (given,)),),
            date_of_birth=PartialDate(born) if born else None,
            sex_code=sex,
            addresses=(home,) if home else (),
        ),
        flags=frozenset(flags),
    )


def person_of(house: House, agency: str, record: str) -> str | None:
    with house.hub.db.session() as session:
        table = tables.records
        return session.scalar(select(table.c.person).where(table.c.agency == agency, table.c.record == record))


@pytest.fixture
def told(house: House) -> Iterator[object]:
    """Takes records in, and out again afterwards."""
    taken: list[SourceRecord] = []

    def take(*records: SourceRecord) -> None:
        taken.extend(records)
        with house.hub.db.writing() as session:
            for one in records:
                refresh(session, house.hub.keys, [one], agency=one.agency, now=house.hub.clock())

    yield take
    with house.hub.db.writing() as session:
        for one in taken:
            alone = about(one.agency, one.record, f"Gone{one.record}", f"Nobody{one.record}", born=None, home=None)
            refresh(session, house.hub.keys, [alone], agency=one.agency, now=house.hub.clock())


@pytest.fixture
def steward(house: House) -> Visitor:
    return house.visitor("data_steward")


def mark_on(text: str) -> str:
    found = re.search(r'name="mark" value="([0-9a-f]+)"', text)
    assert found
    return found[1]


@pytest.mark.parametrize("flag", [SubjectFlag.SHIELDED, SubjectFlag.ADOPTED, SubjectFlag.CASE_LOCKED])
def test_a_flagged_join_of_a_protected_person_is_not_listed(
    house: House, steward: Visitor, told: object, flag: SubjectFlag
) -> None:
    told(about("csc", "q1", flags=(flag,)), about("csc", "q2", flags=(flag,)))  # type: ignore[operator]
    person = person_of(house, "csc", "q1")
    assert f"/matching/persons/{person}" not in steward.get("/matching/flagged").text


def test_a_join_that_breaks_a_rule_is_listed_by_agencies_and_leaves_when_a_steward_says_why(
    house: House, steward: Visitor, told: object
) -> None:
    told(about("csc", "q1"), about("csc", "q2"))  # type: ignore[operator]
    person = person_of(house, "csc", "q1")
    assert person is not None
    assert person == person_of(house, "csc", "q2")
    listed = steward.get("/matching/flagged").text
    assert f"/matching/persons/{person}" in listed
    assert "Two records of one agency" in listed
    assert "Quillfeather" not in listed
    page = steward.get(f"/matching/persons/{person}")
    assert "Something speaks against this join" in page.text
    path, mark = f"/matching/persons/{person}/kept", mark_on(page.text)
    assert steward.post(path, {"mark": mark, "kept": "too short"}).status_code == 422
    assert steward.post(path, {"mark": "0" * 32, "kept": WHY}).status_code == 404
    assert steward.post(path, {"mark": mark, "kept": WHY}).status_code == 303
    assert newest(house.hub, "match:confirmed").fields["outcome"] == "KEPT-TOGETHER"
    assert f"/matching/persons/{person}" not in steward.get("/matching/flagged").text
    told(about("csc", "q3"))  # type: ignore[operator]
    assert f"/matching/persons/{person_of(house, 'csc', 'q1')}" in steward.get("/matching/flagged").text


def test_a_join_can_be_undone_from_the_list(house: House, steward: Visitor, told: object) -> None:
    told(about("csc", "q1"), about("csc", "q2"))  # type: ignore[operator]
    person = person_of(house, "csc", "q1")
    page = steward.get(f"/matching/persons/{person}")
    row = re.search(r'name="row"[^>]*value="(\d+)"', page.text)
    assert row
    form = {"mark": mark_on(page.text), "row": row[1], "rationale": WHY}
    assert steward.post(f"/matching/persons/{person}", form).status_code == 303
    assert person_of(house, "csc", "q1") != person_of(house, "csc", "q2")


def test_a_record_held_back_is_released_by_two_people_and_held_again_when_it_changes(
    house: House, steward: Visitor, told: object
) -> None:
    officer = house.visitor("ig_officer")
    # The protected person is known to one agency; another's list has somebody who looks alike, and lives elsewhere.
    told(about("police", "q8", nhs="9990000018", flags=(SubjectFlag.SHIELDED,)))  # type: ignore[operator]
    alike = about("csc", "q9", home=Address(line1="1 Far Road", postcode="TH9 9ZZ"), born=date(2007, 8, 12), sex=None)
    told(alike)  # type: ignore[operator]
    assert person_of(house, "csc", "q9") is None
    page = steward.get("/matching/held-back")
    assert "q9" in page.text
    event = newest(house.hub, "match:quarantined")
    assert (event.fields["outcome"], event.fields["source"]) == ("HELD-BACK-LISTED", ["csc"])
    assert (event.fields["data"][0]["count"] >= 1, event.eid[:8] in page.text) == (True, True)
    assert "Quillfeather" not in page.text
    with house.hub.db.session() as session:
        row = session.scalar(select(tables.records.c.id).where(tables.records.c.record == "q9"))
    assert steward.post("/matching/held-back", {"row": str(row), "rationale": "no"}).status_code == 422
    assert steward.post("/matching/held-back", {"row": "1", "rationale": WHY}).status_code == 422
    assert steward.post("/matching/held-back", {"row": str(row), "rationale": WHY}).status_code == 303
    assert newest(house.hub, "match:quarantined").fields["outcome"] == "RELEASE-ASKED"
    assert person_of(house, "csc", "q9") is None
    assert steward.post("/held-back", {}).status_code == 403
    asked = officer.get("/held-back").text
    assert "Quillfeather" not in asked
    event = newest(house.hub, "match:quarantined")
    assert (event.fields["outcome"], event.eid[:8] in asked) == ("HELD-BACK-LISTED", True)
    request = re.search(r'name="request" value="(\d+)"', asked)
    assert request
    answer = {"request": request[1], "outcome": "RELEASED", "rationale": WHY}
    assert officer.post("/held-back", {**answer, "rationale": "no"}).status_code == 422
    assert officer.post("/held-back", {**answer, "outcome": "MAYBE"}).status_code == 422
    assert officer.post("/held-back", answer).status_code == 303
    assert officer.post("/held-back", answer).status_code == 404
    assert newest(house.hub, "match:quarantined").fields["outcome"] == "RECORD-RELEASED"
    assert person_of(house, "csc", "q9") not in (None, person_of(house, "police", "q8"))
    told(replace(alike, person=replace(alike.person, sex_code="1")))  # type: ignore[operator]
    assert person_of(house, "csc", "q9") is None


def test_a_file_says_how_many_people_were_not_compared_and_the_page_claims_nothing_of_them(
    house: House, steward: Visitor, told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(about("csc", "q1"), about("csc", "q2"))  # type: ignore[operator]
    with house.hub.db.writing() as session:
        look_through(session, house.hub.keys, "csc", now=house.hub.clock())
    monkeypatch.setattr(data_quality, "MOST_COMPARED", 0)
    rows = list(csv.DictReader(io.StringIO(steward.post("/data-quality", {}).text)))
    assert rows[-2]["finding"] == "NOT_COMPARED"
    assert not {row["finding"] for row in rows} & COMPARED
    page = steward.get("/data-quality").text
    assert not any(KINDS[kind] in page[1:] or KINDS[kind].capitalize() in page for kind in COMPARED)


@pytest.mark.parametrize("flag", [SubjectFlag.SHIELDED, SubjectFlag.ADOPTED, SubjectFlag.CASE_LOCKED])
def test_that_two_records_are_one_protected_persons_is_told_to_nobody(
    house: House, steward: Visitor, told: object, flag: SubjectFlag
) -> None:
    told(about("csc", "q1", flags=(flag,)), about("csc", "q2", flags=(flag,)))  # type: ignore[operator]
    with house.hub.db.writing() as session:
        look_through(session, house.hub.keys, "csc", now=house.hub.clock())
    rows = list(csv.DictReader(io.StringIO(steward.post("/data-quality", {}).text)))
    assert not {("q1", "DUPLICATE"), ("q2", "DUPLICATE")} & {(row["record"], row["finding"]) for row in rows}


def test_a_report_tells_an_agency_of_its_own_records_only_and_no_value(
    house: House, steward: Visitor, told: object
) -> None:
    told(  # type: ignore[operator]
        about("csc", "q1", nhs="9990000011"),
        about("csc", "q2", "=HYPERLINK", "Ubiquity", born=house.hub.clock().date() + timedelta(days=400), sex=None),
        about("csc", "-q3", "Ottoline", "Yarborough", born=None, home=None),
        about("police", "q4", born=BORN + timedelta(days=3)),
    )
    with house.hub.db.writing() as session:
        for agency in ("csc", "police"):
            look_through(session, house.hub.keys, agency, now=house.hub.clock())
    page = steward.get("/data-quality").text
    answer = steward.post("/data-quality", {})
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    found = {(row["record"], row["finding"]) for row in rows}
    assert {
        ("q1", "NHS_INVALID"), ("q2", "BORN_IMPOSSIBLE"), ("q2", "SEX_MISSING"), ("'-q3", "ADDRESS_MISSING"),
        ("'-q3", "BORN_MISSING"),
    } <= found  # fmt: skip
    assert "q4" not in {row["record"] for row in rows}
    assert person_of(house, "csc", "q1") == person_of(house, "police", "q4")
    assert ("q1", "BORN_CONFLICT") in found
    for text in (page, answer.text):
        for value in ("Quillfeather", "Ubiquity", "HYPERLINK", "Ottoline", "9990000011", "Quarry Bank", "2011"):
            assert value not in text
    assert all(row["meaning"] == KINDS[row["finding"]] for row in rows[:-1])
    assert {row["export_receipt"] for row in rows} == {newest(house.hub, "export").eid}
    assert newest(house.hub, "export").fields["outcome"] == "QUALITY-EXPORTED"


@pytest.mark.parametrize("flag", [SubjectFlag.FLEEING_DA, SubjectFlag.PROTECTED_PERSON, SubjectFlag.ADOPTED])
def test_nobody_protected_is_compared_with_what_others_hold(
    house: House, steward: Visitor, told: object, flag: SubjectFlag
) -> None:
    told(about("csc", "q1", flags=(flag,)), about("police", "q4", born=BORN + timedelta(days=3), flags=(flag,)))  # type: ignore[operator]
    with house.hub.db.writing() as session:
        look_through(session, house.hub.keys, "csc", now=house.hub.clock())
    rows = list(csv.DictReader(io.StringIO(steward.post("/data-quality", {}).text)))
    assert not {row["finding"] for row in rows if row["record"] == "q1"} & {"BORN_CONFLICT", "ADDRESS_CONFLICT"}


def test_an_agency_without_matching_has_no_report(house: House) -> None:
    assert house.visitor("operator").get("/data-quality").status_code in (200, 404)
    assert house.visitor("mash_social_worker").get("/data-quality").status_code == 403
    assert house.visitor("mash_social_worker").get("/matching/flagged").status_code == 403
