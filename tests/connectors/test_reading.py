"""How one cell, path, row or patient is read: tables that anybody can extend."""

import time
from datetime import date

import pytest

from connectors import NHS_NUMBER, ConnectorError, Gatherer, ItemMapping, build_connector
from connectors.formats.csv_rows import BrokenRow, CsvFile
from connectors.formats.fhir import read_patient
from connectors.mapping import read_item, tidy
from connectors.paths import rows_at, text_at
from connectors.simulator import SimulatedConnector, SimulatedPartner
from policies.vocabulary import AnswerState, DataCategory, FieldKind, SealState

from .test_faults import FHIR_PEOPLE
from .test_gather import gatherers, item, partners

__all__ = ["gatherers", "partners"]

TIDY = [
    ("plain", "plain"),
    ("  two   words \n", "two words"),
    ("line\r\nbreak\tand tab", "line break and tab"),
    ("\x1b[31mred\x1b[0m", "[31mred[0m"),
    ("a\u202egnp.exe", "agnp.exe"),
    ("zero\u200bwidth\ufeff", "zerowidth"),
    ("nul\x00byte", "nulbyte"),
    ("lone \ud800 half", "lone half"),
    ("Zoë O’Hara – ok", "Zoë O’Hara – ok"),
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
]


@pytest.mark.parametrize(("sent", "shown"), TIDY)
def test_what_cannot_be_seen_is_not_shown(sent, shown):
    assert tidy(sent) == shown


RECORD = {
    "a": {"b": "deep"},
    "n": 7,
    "t": True,
    "none": None,
    "list": [{"x": "one"}, {"x": "two"}, "stray", {"x": {"y": 1}}],
    "texts": ["p", "q"],
}
PATHS = [
    ("a.b", "deep"),
    ("a", None),
    ("n", "7"),
    ("t", "true"),
    ("none", None),
    ("missing.x", None),
    ("list[].x", "one; two"),
    ("list[1].x", "two"),
    ("list[9].x", None),
    ("list.x", None),
    ("texts[]", "p; q"),
    ("texts[0]", "p"),
    ("texts", None),
    ("a.__class__", None),
]


@pytest.mark.parametrize(("path", "text"), PATHS)
def test_a_path_leads_to_a_text_or_to_nothing(path, text):
    assert text_at(RECORD, path) == text


@pytest.mark.parametrize("value", [{}, {"rows": None}, {"rows": {}}, {"rows": "x"}, [], None, "rows", 3])
def test_an_answer_without_its_list_is_not_an_empty_answer(value):
    with pytest.raises(ConnectorError) as refused:
        rows_at(value, "rows[]")
    assert refused.value.code == "MALFORMED"


def test_an_empty_list_is_an_answer():
    assert rows_at({"outer": {"rows": []}}, "outer.rows[]") == ([], 0)
    assert rows_at({"rows": [{"a": 1}, 2]}, "rows[]") == ([{"a": 1}], 1)


MAPPING = ItemMapping(
    DataCategory.SOCIAL_CARE_STATUS,
    "x",
    "id",
    "who",
    {"type": "kind", "started": "from", "own": "own"},
    kinds={"own": FieldKind.NEED},
    occurred_on="from",
    date_formats=("%d/%m/%Y",),
    seal="seal",
)
DATES = [
    ("05/06/2025", False, "2025-06-05", date(2025, 6, 5)),
    ("2025-06-05", False, None, None),
    ("2025-06-05", True, "2025-06-05", date(2025, 6, 5)),
    ("2025-06-05T23:30:00Z", True, "2025-06-05", date(2025, 6, 5)),
    ("2025-06-05 23:30:00.123", True, "2025-06-05", date(2025, 6, 5)),
    ("2025-06", True, "2025-06", None),
    ("2025", True, "2025", None),
    ("2025-13", True, None, None),
    ("2025-02-30", True, None, None),
    ("yesterday", True, None, None),
    ("2025-06-05T<b>", True, None, None),
]


@pytest.mark.parametrize(("cell", "iso", "shown", "day"), DATES)
def test_a_date_is_read_or_reported_never_guessed(cell, iso, shown, day):
    row = {"id": "1", "who": "P1", "from": cell, "kind": "Plan", "seal": "OPEN"}
    found, problems = read_item(MAPPING, row.get, iso=iso)
    assert found is not None
    assert found.occurred_on == day
    assert (found.values["started"].text if "started" in found.values else None) == shown
    assert problems == ([] if shown else [("from", "no date format of the mapping fits")])


@pytest.mark.parametrize(
    ("cell", "seal"),
    [("OPEN", "OPEN"), ("sealed", "SEALED"), ("WITHHELD", "WITHHELD"), ("", "WITHHELD"), ("yes", "WITHHELD")],
)
def test_a_seal_that_cannot_be_read_counts_as_withheld(cell, seal):
    found, _ = read_item(MAPPING, {"id": "1", "who": "P1", "seal": cell}.get, iso=False)
    assert found is not None
    assert found.seal is SealState(seal)


def test_an_endless_open_quote_costs_one_line_and_not_the_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + '1,"open\n' + "".join(f"{n},x\n" for n in range(2, 5000)))
    rows = list(CsvFile(path).rows())
    assert isinstance(rows[0], BrokenRow)
    assert [row.line for row in rows[1:]] == list(range(3, 5001))


def test_a_patient_is_read_element_by_element():
    person = read_patient(FHIR_PEOPLE[0])
    assert person.names[0].family == ("Quill",)
    assert person.names[0].given == ("Ada", "Mary")
    assert person.identifier(NHS_NUMBER) == "9990000018"
    assert (person.sex_code, person.date_of_birth.date) == ("2", date(1990, 2, 1))
    assert (person.addresses[0].line1, person.addresses[0].line2) == ("1 Sea Road", "Flat 2")
    assert person.contacts[0].telephone == ("07700 900123",)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"name": "Ada"},
        {"name": [7, {"family": ["x"], "given": "y"}]},
        {"identifier": [{"system": 1, "value": "2"}]},
        {"birthDate": "1990-99-99"},
        {"birthDate": 1990},
        {"gender": ["female"]},
        {"address": [{"line": "1"}]},
        {"telecom": {"system": "phone"}},
        {"deceasedBoolean": "no"},
    ],
)
def test_a_patient_element_of_the_wrong_type_counts_as_not_said(spoilt):
    read_patient({**FHIR_PEOPLE[0], **spoilt})


BIRTHS = [("1990", "UUA"), ("1990-02", "UAA"), ("1990-02-01", "AAA")]


@pytest.mark.parametrize(("text", "accuracy"), BIRTHS)
def test_a_partial_birth_date_says_how_accurate_it_is(text, accuracy):
    assert read_patient({"birthDate": text}).date_of_birth.accuracy == accuracy


SUBJECTS = [
    ({"reference": "Patient/c1"}, True),
    ({"reference": "{base}/Patient/c1"}, True),
    ({"reference": "Patient/c1/_history/2"}, True),
    ({"reference": "Patient/c2"}, False),
    ({"reference": "Patient/c1x"}, False),
    ({"reference": "xPatient/c1"}, False),
    ({"reference": "https://elsewhere.example/fhir/Patient/c1"}, False),
    ({"reference": "Group/c1"}, False),
    ({"reference": "#c1"}, False),
    ({"reference": ["Patient/c1"]}, False),
    ({"identifier": {"value": "c1"}}, False),
    ({"display": "Patient/c1"}, False),
    ("Patient/c1", False),
    ([{"reference": "Patient/c1"}], False),
    (None, False),
]


class LooseServer(SimulatedPartner):
    """Sends what it has, whoever was asked for."""

    def _fhir(self, kind, form):
        rows = self.rows.get(kind, ())
        return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": row} for row in rows]}


def fhir_answer(example, ask_about, **changes):
    flag = {
        "resourceType": "Flag",
        "id": "f1",
        "status": "active",
        "subject": {"reference": "Patient/c1"},
        "code": {"text": "Concern"},
        "period": {"start": "2025-01-01"},
    }
    with LooseServer(example("gp-millbrook"), {}) as simulated:
        base = simulated.partner.reach["base_url"]
        flag.update(changes)
        if isinstance(flag["subject"], dict) and isinstance(flag["subject"].get("reference"), str):
            flag["subject"] = {"reference": flag["subject"]["reference"].format(base=base)}
        simulated.rows["Flag"] = [flag]
        connector = build_connector(simulated.partner, open_session=None, keys=None)
        wanted = {DataCategory.HEALTH_SUMMARY: frozenset({"risk", "status"})}
        answer = connector.fetch(ask_about(simulated.partner, "c1", wanted=wanted), deadline_s=2)
        connector.close()
        return answer


@pytest.mark.parametrize(("subject", "is_hers"), SUBJECTS)
def test_a_resource_is_shown_only_when_its_subject_is_the_patient(example, ask_about, subject, is_hers):
    answer = fhir_answer(example, ask_about, subject=subject)
    if is_hers:
        assert (answer.state, answer.items[0].values["risk"].text) == (AnswerState.FOUND, "Concern")
    else:
        assert (answer.state, answer.reason, answer.items) == (AnswerState.NO_ANSWER, "WRONG_SUBJECT", ())


def test_a_resource_of_another_type_is_dropped(example, ask_about):
    answer = fhir_answer(example, ask_about, resourceType="Observation")
    assert (answer.state, answer.reason, answer.dropped) == (AnswerState.NO_ANSWER, "WRONG_SUBJECT", 1)


def test_a_resource_entered_in_error_is_not_shown(example, ask_about):
    assert fhir_answer(example, ask_about, status="entered-in-error").state is AnswerState.NOTHING_HELD


@pytest.mark.parametrize(
    ("code", "seal"), [("N", SealState.OPEN), ("R", SealState.WITHHELD), ("V", SealState.WITHHELD)]
)
def test_a_restricted_resource_stays_the_owners_to_release(example, ask_about, code, seal):
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": code}
    assert fhir_answer(example, ask_about, meta={"security": [label]}).items[0].seal is seal


def test_putting_forty_eight_questions_costs_next_to_nothing(partners, gatherers, ask_about):
    made = partners(*"abcdefgh")
    gatherer = gatherers(*(SimulatedConnector(p, [item(f"P{n}") for n in range(6)]) for p in made))
    asks = [ask_about(p, f"P{n}", person=f"person-{n}") for p in made for n in range(6)]
    assert isinstance(gatherer, Gatherer)
    took = []
    for _ in range(20):
        begun = time.perf_counter()
        answers = gatherer.gather(asks)
        took.append(time.perf_counter() - begun)
        assert len(answers) == 48
    # The aim is 5 ms on a quiet machine; this bound only catches a change of kind.
    assert min(took) < 0.05
