"""What information governance takes away: complete, provable, without what was shown, on record first."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import prov.model
import pytest
from fhirclient.models.auditevent import AuditEvent
from fhirclient.models.bundle import Bundle

from audit import SHAPES, Kind
from hub import exporting, fhir_audit
from hub import prov as provenance
from hub.demo.stories import STORIES
from hub.exporting import neutral
from hub.fhir_audit import PROFILE, Names, Recorded, audit_events
from tests.conftest import House, Visitor
from tests.hub.conftest import newest
from tests.hub.test_receipts import enquiry_of

CASE = "IG-2026-044"
PROFILES = Path(__file__).parents[1] / "data" / "ihe-balp" / "Disclose.fsh"
NAMES = Names("https://kith.example", "kith.example/trail", {"csc": "Children's Social Care", "police": "Police"})
#: What the picture of the family showed, which no export may hold.
SHOWN = ("Maisie", "Tarrant", "9997000048", "1997")


@pytest.fixture
def officer(house: House) -> Visitor:
    return house.visitor("ig_officer")


@pytest.fixture(scope="module")
def archive(house: House) -> zipfile.ZipFile:
    """The export of everything, after somebody looked at a family."""
    worker = house.visitor("mash_social_worker")
    worker.get(enquiry_of(worker) + "/picture")
    answer = house.visitor("ig_officer").post("/ig/export", {"case_reference": CASE})
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/zip"
    return zipfile.ZipFile(io.BytesIO(answer.data))


def rows_of(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("disclosures.csv").decode())))


# -- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persona", ["mash_social_worker", "gp_millbrook", "operator"])
def test_nobody_but_information_governance_exports(house: House, persona: str) -> None:
    assert house.visitor(persona).post("/ig/export", {"case_reference": CASE}).status_code == 403


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "an export needs one"),
        ({"case_reference": "Maisie Tarrant"}, "Enter the number of your case"),
        ({"case_reference": CASE, "from": "2190-01-01"}, "nothing to export"),
        ({"case_reference": CASE, "agency": "nobody"}, "Choose one of the agencies"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_nothing_is_on_record_as_exported(
    house: House, officer: Visitor, form: dict[str, str], words: str
) -> None:
    before = house.hub.trail.head().size
    answer = officer.post("/ig/export", form)
    assert answer.status_code == 422
    assert words in answer.text
    assert not [e for e in house.hub.trail.events(before) if e.kind == "export"]


def test_too_much_is_refused_with_what_to_do(
    officer: Visitor, archive: zipfile.ZipFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST", 1)
    answer = officer.post("/ig/export", {"case_reference": CASE})
    assert answer.status_code == 422
    assert "Choose a shorter time" in answer.text


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "|calc", "%0A", '=HYPERLINK("http://x")']
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert neutral(text) == "'" + text
    assert neutral("csc") == "csc"


# -- what is in it ----------------------------------------------------------------------------------------


def test_the_export_is_an_entry_and_every_file_and_line_carries_its_number(
    house: House, officer: Visitor, archive: zipfile.ZipFile
) -> None:
    rows = rows_of(archive)
    [number] = {row["export_receipt"] for row in rows}
    entry = house.hub.trail.entry(number)
    assert entry.kind == "export"
    assert entry.fields["object"] == {"type": "case", "id": CASE}
    assert entry.fields["data"][0]["count"] == len(rows)
    for name in ("README.txt", "disclosures.fhir.json", "disclosures.prov.json"):
        assert number in archive.read(name).decode()
    assert {row["event"] for row in rows} >= {
        e.eid for e in house.hub.trail.events() if e.kind == "disclosure:made" and e.index < entry.index
    }


def test_it_holds_nothing_of_what_was_shown(archive: zipfile.ZipFile) -> None:
    for name in archive.namelist():
        if name != "kith_verify.py":
            text = archive.read(name).decode()
            assert not [word for word in SHOWN if re.search(rf"\b{word}\b", text)], name


def test_the_manifest_and_each_proof_hold(house: House, archive: zipfile.ZipFile, tmp_path: Path) -> None:
    sums = json.loads(archive.read("manifest.json"))
    assert {n: hashlib.sha256(archive.read(n)).hexdigest() for n in archive.namelist() if n != "manifest.json"} == sums
    archive.extractall(tmp_path)
    rows = rows_of(archive)
    assert {f"proofs/{row['event']}.tlog-proof" for row in rows} == {n for n in sums if n.startswith("proofs/")}
    for row in rows[:: max(1, len(rows) // 4)]:
        proof = tmp_path / "proofs" / f"{row['event']}.tlog-proof"
        command = [sys.executable, "-I", "kith_verify.py", proof, "--key", str(house.hub.trail.verifier_key)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert f"Entry {row['entry_number']} is in the signed trail" in done.stdout
        assert done.stdout.endswith("VERIFIED\n")


def test_a_search_for_a_person_exports_what_concerns_them_and_names_them_in_the_entry(
    house: House, officer: Visitor, archive: zipfile.ZipFile
) -> None:
    house.visitor("gp_millbrook").post("/gp-check", {"nhs_number": STORIES["package_current"].nhs_number})
    form = {"case_reference": CASE, "person": "Maisie Tarrant 9997000048"}
    answer = officer.post("/ig/export", form)
    assert answer.status_code == 200, answer.text
    assert len(newest(house.hub, "export").subjects) == 1
    found = rows_of(zipfile.ZipFile(io.BytesIO(answer.data)))
    everything = officer.post("/ig/export", {"case_reference": CASE})
    assert 0 < len(found) < len(rows_of(zipfile.ZipFile(io.BytesIO(everything.data))))


# -- FHIR and PROV ----------------------------------------------------------------------------------------


def test_the_fhir_bundle_is_read_by_an_independent_model_and_keeps_to_the_profile(archive: zipfile.ZipFile) -> None:
    document = json.loads(archive.read("disclosures.fhir.json"))
    Bundle(document, strict=True)
    resources = [entry["resource"] for entry in document["entry"]]
    disclosures = [one for one in resources if PROFILE in one.get("meta", {}).get("profile", [])]
    assert disclosures
    for one in disclosures:
        require_profile(one)


def require_profile(event: dict[str, Any]) -> None:
    """The cardinalities and fixed codes of the published profile, and the codes of its published example."""
    agents = {a["type"]["coding"][0]["code"]: a for a in event["agent"] if "type" in a}
    by_code = [a["type"]["coding"][0]["code"] for a in event["agent"] if "type" in a]
    wanted = example()
    assert event["type"]["code"] == wanted["type"]
    assert event["action"] == wanted["action"]
    assert [s["code"] for s in event["subtype"]].count(wanted["subtype[disclosure]"]) == 1
    assert event["outcome"] == wanted["outcome"]
    for slice_ in ("source", "recipient"):
        code = wanted[f"agent[{slice_}].type"]
        assert by_code.count(code) == 1
        assert {"who", "network", "requestor"} <= agents[code].keys()
    assert agents[wanted["agent[source].type"]]["who"] == event["source"]["observer"]
    assert by_code.count("159541003") <= 1
    assert by_code.count("429577009") <= 1
    patients = [e for e in event["entity"] if e["role"]["code"] == wanted["entity[patient].role"]]
    assert len(patients) == 1
    assert patients[0]["type"]["code"] == wanted["entity[patient].type"]
    assert patients[0]["what"]["type"] == "Patient"
    data = [e for e in event["entity"] if e["type"]["code"] == wanted["entity[1].type"]]
    assert data
    assert {e["role"]["code"] for e in data} == {wanted["entity[1].role"]}
    assert sum(agent["requestor"] for agent in event["agent"]) == 1


def example() -> dict[str, str]:
    """Paths and codes of the example instance, as its FHIR shorthand has them."""
    text = PROFILES.read_text().split("Instance: ")[1]
    found = re.findall(r"^\* (\S+) = (?:\S*#)(\S+)", text, re.M)
    return dict(found)


FULL: dict[str, Any] = {
    "user": {"issuer": "https://idp.example", "subject": "u-1", "role": "IG_OFFICER", "agency": "csc"},
    "purpose": "S47_ENQUIRY",
    "basis": {"article6": ["6_1_e"]},
    "agreement": [{"ref": "dsa-1", "version": "2"}],
    "source": ["police"],
    "recipient": "csc",
    "authoriser": {"subject": "u-2", "role": "IG_OFFICER", "agency": "police"},
    "data": [{"agency": "police", "category": "POLICE_INCIDENT", "fields": ["kind"], "count": 2, "subject": 0}],
    "withheld": [{"agency": "police", "category": "HOUSING", "rules": ["P14"]}],
    "answers": [{"agency": "police", "state": "FOUND", "subject": 0}],
    "decision": {"bundle": "sha256:" + "0" * 64, "rules": ["P01"]},
    "outcome": "SHOWN",
    "reason": "P14",
    "refers": ["b" * 32],
    "enquiry": "ENQ-1",
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("persons", [(), ("PE-1",), ("PE-1", None)])
def test_every_kind_of_entry_is_a_valid_audit_event_and_valid_provenance(
    kind: Kind, persons: tuple[str | None, ...]
) -> None:
    shape = SHAPES[kind]
    if len(persons) < shape.fewest_subjects:
        persons = ("PE-1",)
    for keys in (shape.required | shape.optional, shape.required | {"user"}):
        fields = {name: value for name, value in FULL.items() if name in keys}
        at = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
        entry = Recorded("a" * 32, str(kind), at, fields, persons, "Ingrid Okafor")
        for event in audit_events(entry, NAMES):
            AuditEvent(event, strict=True)
            if "profile" in event.get("meta", {}):
                require_profile(event)
        document = provenance.document([entry], NAMES, receipt="c" * 32)
        read = prov.model.ProvDocument.deserialize(content=json.dumps(document), format="json")
        again = prov.model.ProvDocument.deserialize(content=read.serialize(format="json"), format="json")
        assert read == again
        assert len(list(read.get_records(prov.model.ProvActivity))) >= 1


def test_an_entry_of_the_hub_itself_has_a_software_agent() -> None:
    entry = Recorded(
        "a" * 32, "alarm", datetime.now(UTC), {"client": {"id": "witnesses"}, "reason": "X"}, (), "The hub"
    )
    [event] = audit_events(entry, NAMES)
    AuditEvent(event, strict=True)
    assert event["agent"][0]["who"]["identifier"]["value"] == "witnesses"
    document = provenance.document([entry], NAMES, receipt="c" * 32)
    assert "kith:client-witnesses" in document["agent"]


def test_two_persons_and_two_agencies_are_four_disclosures() -> None:
    rows = [{"agency": a, "category": "HOUSING", "subject": n} for a in ("csc", "police") for n in (0, 1)]
    entry = Recorded("a" * 32, "disclosure:made", datetime.now(UTC), {**FULL, "data": rows}, ("PE-1", "PE-2"), "I")
    events = audit_events(entry, NAMES)
    assert len({event["id"] for event in events}) == 4
    assert fhir_audit.bundle([entry], NAMES, receipt="c" * 32, at=datetime.now(UTC))["identifier"]["value"] == "c" * 32
