"""A partner's own columns become people; what cannot be used is reported without being repeated."""

from pathlib import Path

import pytest

from connectors import ConnectorError, PersonMapping, Reject, SourceRecord, people_from_rows, read_mapping
from policies.vocabulary import SubjectFlag

HOUSING = {
    "record": "id",
    "date_formats": ["%d/%m/%Y", "%m/%Y", "%Y"],
    "no_date": ["01/01/1900"],
    "person": {
        "given": ["first", "middle"],
        "family": "last",
        "preferred": "known_as",
        "previous": [{"given": "first", "family": "maiden", "use": "maiden"}],
        "date_of_birth": "dob",
        "sex": {"column": "sex", "values": {"Male": "1", "Female": "2"}},
        "identifiers": {"nhs_number": "nhs"},
        "address": {"line1": ["no", "street"], "postcode": "pc"},
        "flags": {"column": "markers", "separator": ";"},
        "related": {"MTH": "mother"},
    },
    "inside": [
        {"slot": "partner", "relationship": "DOMPART", "given": "p_first", "family": "p_last"},
        {"slot": "child_1", "relationship": "CHILD", "given": "c_first", "family": "c_last", "date_of_birth": "c_dob"},
    ],
}
COLUMNS = ["id", "first", "middle", "last", "known_as", "maiden", "dob", "sex", "nhs", "no", "street", "pc"]
COLUMNS += ["markers", "mother"]
COLUMNS += ["p_first", "p_last", "c_first", "c_last", "c_dob"]


def read(**cells: str) -> list[SourceRecord | Reject]:
    row = dict.fromkeys(COLUMNS, "") | {"id": "T1"} | cells
    return list(people_from_rows([row], PersonMapping.from_table(HOUSING, agency="housing"), source="tenants.csv"))


def people(found: list[SourceRecord | Reject]) -> list[SourceRecord]:
    return [x for x in found if isinstance(x, SourceRecord)]


def rejects(found: list[SourceRecord | Reject]) -> list[Reject]:
    return [x for x in found if isinstance(x, Reject)]


@pytest.mark.parametrize("cells", [{"id": ""}, {"id": "T#1"}])
def test_a_row_that_cannot_be_named_is_rejected(cells: dict[str, str]) -> None:
    found = read(first="Amira", last="Khan", **cells)
    assert people(found) == []
    assert [(r.source, r.line, r.column) for r in rejects(found)] == [("tenants.csv", 2, "")]


@pytest.mark.parametrize(
    ("column", "value"), [("dob", "31/02/2014"), ("dob", "soon"), ("sex", "banana"), ("markers", "LOUD")]
)
def test_an_element_that_fits_nothing_is_left_out_and_reported_without_its_value(column: str, value: str) -> None:
    found = read(first="Amira", last="Khan", **{column: value})
    assert len(people(found)) == 1
    assert [r.column for r in rejects(found)] == [column]
    assert value not in repr(rejects(found))


def test_a_repeated_record_id_is_rejected_the_second_time() -> None:
    mapping = PersonMapping.from_table(HOUSING, agency="housing")
    row = dict.fromkeys(COLUMNS, "") | {"id": "T1", "first": "Amira"}
    found = list(people_from_rows([row, row], mapping, source="t.csv"))
    assert len(people(found)) == 1
    assert rejects(found)[0].line == 3


@pytest.mark.parametrize(
    ("text", "day", "accuracy"),
    [("14/02/2011", "2011-02-14", "AAA"), ("02/2011", "2011-02-01", "UAA"), ("2011", "2011-01-01", "UUA")],
)
def test_a_date_is_kept_as_exact_as_it_was_written(text: str, day: str, accuracy: str) -> None:
    born = people(read(first="Amira", dob=text))[0].person.date_of_birth
    assert born is not None
    assert (born.date.isoformat(), born.accuracy) == (day, accuracy)


@pytest.mark.parametrize("text", ["", "   ", "01/01/1900"])
def test_a_blank_or_a_filler_is_no_date_and_no_fault(text: str) -> None:
    found = read(first="Amira", dob=text)
    assert people(found)[0].person.date_of_birth is None
    assert rejects(found) == []


def test_values_are_read_whatever_their_case() -> None:
    record = people(read(first="Amira", sex="fEMALE", markers="shielded; Unborn"))[0]
    assert record.person.sex_code == "2"
    assert record.flags == {SubjectFlag.SHIELDED, SubjectFlag.UNBORN}


def test_people_inside_a_row_are_tied_to_its_person_both_ways_and_share_household_and_address() -> None:
    tenant, partner, child = people(
        read(
            first="Amira", last="Khan", no="4", street="Mill Lane",
            p_first="Joe", p_last="Bell", c_first="Sami", c_last="Khan", c_dob="01/05/2019",
        )
    )  # fmt: skip
    assert (partner.record, child.record) == ("T1#partner", "T1#child_1")
    assert {t.relationship[0]: t.identifier.value for t in tenant.person.related} == {
        "DOMPART": "T1#partner",
        "CHILD": "T1#child_1",
    }
    assert [t.relationship[0] for t in child.person.related] == ["PRN"]
    assert tenant.household == partner.household == child.household == "T1"
    assert child.person.addresses == tenant.person.addresses


def test_former_names_known_as_and_stated_mothers_are_kept() -> None:
    person = people(read(first="Amira", last="Bell", known_as="Mira", maiden="Khan", mother="T7"))[0].person
    assert [n.use for n in person.names] == [None, "maiden"]
    assert person.names[0].preferred == "Mira"
    assert (person.related[0].relationship, person.related[0].identifier.value) == (("MTH",), "T7")


@pytest.mark.parametrize(
    "table",
    [
        {"person": {}},
        {"record": "id", "person": {"shoe_size": "x"}},
        {"record": "id", "colour": "x", "person": {}},
        {"record": "id", "person": {"given": 3}},
        {"record": "id", "person": {"sex": {"values": {}}}},
    ],
)
def test_a_mapping_with_an_unknown_or_missing_key_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConnectorError):
        PersonMapping.from_table(table, agency="housing")


def test_a_file_with_broken_rows_costs_only_those_rows(tmp_path: Path) -> None:
    (tmp_path / "MAPPING.toml").write_text(
        '[files."p.csv"]\nagency = "police"\nrecord = "id"\n[files."p.csv".person]\ngiven = "first"\nfamily = "last"\n'
    )
    (tmp_path / "p.csv").write_bytes(
        b'id,first,last\n1,Amira,Khan\n2,Joe\n3,"Jo\nAnn",Bell\n4,"Max,Hall\n5,\xff\xfe,Hill\n6,Zo\xc3\xab,Hart\n'
    )
    mapping = read_mapping(tmp_path / "MAPPING.toml")["p.csv"]
    found = list(mapping.people_in(tmp_path))
    assert [r.record for r in people(found)] == ["1", "3", "6"]
    assert sorted((r.line, r.reason.split(",")[0]) for r in rejects(found)) == [
        (3, "3 cells expected"),
        (6, "a quotation mark is left open"),
        (7, "bytes that are not utf-8"),
    ]


def test_a_missing_file_is_said_and_does_not_stop_the_others(tmp_path: Path) -> None:
    mapping = PersonMapping.from_table({"record": "id", "file": "gone.csv", "person": {}}, agency="police")
    assert [x.reason for x in rejects(list(mapping.people_in(tmp_path)))] == ["the file is missing"]


def test_three_columns_of_a_date_tabs_and_a_missing_day_are_read(tmp_path: Path) -> None:
    (tmp_path / "MAPPING.toml").write_text(
        '[files."a.tsv"]\nagency = "a"\nrecord = "id"\n[files."a.tsv".person]\ngiven = "g"\n'
        'date_of_birth = { day = "d", month = "m", year = "y" }\n'
    )
    (tmp_path / "a.tsv").write_text(
        "id\tg\td\tm\ty\n1\tAmira\t3\t2\t2015\n2\tJo\t31\t2\t2015\n3\tSam\t\tMar\t2015\n4\tX\t1\t1\t?\n"
    )
    found = list(read_mapping(tmp_path / "MAPPING.toml")["a.tsv"].people_in(tmp_path))
    born = [str(r.person.date_of_birth) for r in found if isinstance(r, SourceRecord) and r.person.date_of_birth]
    assert [b.count("UAA") for b in born] == [0, 1, 1]
    assert [(r.line, r.column) for r in found if isinstance(r, Reject)] == [(5, "y")]


def test_a_file_without_the_record_column_says_which_columns_it_has(tmp_path: Path) -> None:
    (tmp_path / "MAPPING.toml").write_text(
        '[files."a.csv"]\nagency = "a"\nrecord = "id"\n[files."a.csv".person]\ngiven = "g"\n'
    )
    (tmp_path / "a.csv").write_text("ref,g\n1,Amira\n")
    with pytest.raises(ConnectorError, match=r"a\.csv line 1: no column 'id'.*g, ref"):
        list(read_mapping(tmp_path / "MAPPING.toml")["a.csv"].people_in(tmp_path))
