"""The partner stand-ins answer over real HTTP as the partners they stand for, and can be told not to."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from hub.demo.behaviour import BehaviourRefused, behaviours, tell
from hub.demo.files import SERVERS, write_county
from hub.demo.identity_provider import NotADemonstration
from hub.demo.model import NHS_NUMBER, County
from hub.demo.partner_servers import create_recovery_app
from hub.demo.stand_ins import StandIns, main


@pytest.fixture(scope="module")
def running(county: County, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIns]:
    folder = tmp_path_factory.mktemp("standing-in")
    write_county(county, folder, ports=dict.fromkeys(SERVERS, 0))
    stand_ins = StandIns(folder, demo=True)
    yield stand_ins
    stand_ins.close()


@pytest.fixture
def web() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def fhir(running: StandIns, path: str, practice: str = "gp-harbourside") -> str:
    return f"http://127.0.0.1:{running.ports[practice]}/fhir/{path}"


def search(web: requests.Session, running: StandIns, kind: str, **form: str) -> list[dict[str, Any]]:
    answer = web.post(fhir(running, f"{kind}/_search"), data=form, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    bundle = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "searchset")
    return [entry["resource"] for entry in bundle.get("entry", [])]


def test_stand_ins_do_not_run_outside_a_demonstration(written: Path) -> None:
    with pytest.raises(NotADemonstration):
        StandIns(written, demo=False)


def test_a_search_by_get_or_without_saying_who_is_refused(web: requests.Session, running: StandIns) -> None:
    assert web.get(fhir(running, "Patient"), timeout=5).status_code == 405
    for kind, form in (("Patient", {}), ("Encounter", {}), ("Patient", {"address": "x"}), ("Flag", {"code": "x"})):
        answer = web.post(fhir(running, f"{kind}/_search"), data=form, timeout=5)
        assert answer.status_code == 400
        assert answer.json()["resourceType"] == "OperationOutcome"
    assert web.post(fhir(running, "Medication/_search"), data={"patient": "x"}, timeout=5).status_code == 404
    assert web.get(fhir(running, "Patient/nobody"), timeout=5).status_code == 404


def test_a_patient_is_found_by_number_by_name_and_by_id(
    web: requests.Session, running: StandIns, county: County
) -> None:
    maisie = county.people["tarrant.maisie"]
    record = county.record_of("tarrant.maisie", "gp-harbourside")
    assert maisie.born is not None
    for form in (
        {"identifier": f"{NHS_NUMBER}|{maisie.nhs_number}"},
        {"family": "tarrant", "given": "mais", "birthdate": maisie.born.isoformat()},
        {"_id": record},
    ):
        (found,) = search(web, running, "Patient", **form)
        assert found["id"] == record
        assert found["name"][0]["given"] == ["Maisy"]
    assert search(web, running, "Patient", family="Tarrant", birthdate="1901-01-01") == []
    assert search(web, running, "Patient", identifier=f"urn:other|{maisie.nhs_number}") == []
    assert web.get(fhir(running, f"Patient/{record}"), timeout=5).json()["id"] == record


def test_what_is_held_about_a_patient_is_about_that_patient_only(
    web: requests.Session, running: StandIns, county: County
) -> None:
    record = county.record_of("tarrant.maisie", "gp-harbourside")
    for kind, element, least in (
        ("EpisodeOfCare", "patient", 1),
        ("Encounter", "subject", 1),
        ("Flag", "subject", 1),
        ("CareTeam", "subject", 1),
        ("RelatedPerson", "patient", 1),
    ):
        found = search(web, running, kind, patient=f"Patient/{record}")
        assert len(found) >= least, kind
        assert {r[element]["reference"] for r in found} == {f"Patient/{record}"}
    (mother,) = search(web, running, "RelatedPerson", patient=record)
    assert mother["relationship"][0]["coding"][0]["code"] == "NMTH"


def test_a_shielded_patient_is_marked_restricted(web: requests.Session, running: StandIns, county: County) -> None:
    (nadia,) = search(web, running, "Patient", _id=county.record_of("zielonka.nadia", "gp-harbourside"))
    assert nadia["meta"]["security"][0]["code"] == "R"


def test_a_long_answer_comes_in_pages_whose_addresses_say_nothing(web: requests.Session, running: StandIns) -> None:
    answer = web.post(fhir(running, "Patient/_search"), data={"family": "S", "_count": "10"}, timeout=5).json()
    seen = {entry["resource"]["id"] for entry in answer["entry"]}
    while links := answer.get("link"):
        assert links[0]["url"].startswith(fhir(running, "_page/"))
        assert "family" not in links[0]["url"]
        answer = web.get(links[0]["url"], timeout=5).json()
        seen |= {entry["resource"]["id"] for entry in answer["entry"]}
    assert len(seen) == answer["total"] > 20


def test_the_capability_statement_says_what_is_served(web: requests.Session, running: StandIns) -> None:
    for practice in ("gp-millbrook", "gp-harbourside"):
        about = web.get(fhir(running, "metadata", practice), timeout=5).json()
        assert (about["resourceType"], about["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
        assert {r["type"] for r in about["rest"][0]["resource"]} >= {"Patient", "EpisodeOfCare", "Flag"}


def test_the_recovery_service_wants_a_reason_and_enough_to_go_by(county: County) -> None:
    service = create_recovery_app(county).test_client()
    assert service.post("/api/episodes/search", json={"records": ["FT-9001"]}).status_code == 400
    assert service.post("/api/people/search", data="family=Tarrant").status_code == 400
    assert service.post("/api/people/search", json={"family": ["Tarrant"]}).json == {"people": []}
    born = county.people["tarrant.leanne"].born
    assert born is not None
    wrong = {"family": ["Tarrant"], "date_of_birth": "1901-01-01"}
    assert service.post("/api/people/search", json=wrong).json == {"people": []}
    right = {"family": ["TARRANT"], "date_of_birth": born.isoformat()}
    assert [p["client_ref"] for p in service.post("/api/people/search", json=right).json["people"]] == ["FT-9001"]


def test_the_recovery_service_says_more_than_it_was_asked(county: County) -> None:
    """So that the hub's own redaction has something to take away."""
    service = create_recovery_app(county).test_client()
    asked = {"records": ["FT-9001"], "fields": ["type"], "category": "SUBSTANCE_MISUSE", "intent": "r"}
    (treatment,) = service.post("/api/treatment/search", json=asked).json["treatments"]
    assert treatment["notes"]
    assert treatment["treatment"]


@pytest.mark.parametrize(
    ("agency", "state"), [("csc", "DOWN"), ("nobody", "DOWN"), ("sms", "ON FIRE"), ("police", "SLOW"), ("sms", "up")]
)
def test_a_stand_in_cannot_be_told_what_it_cannot_be(tmp_path: Path, agency: str, state: str) -> None:
    with pytest.raises(BehaviourRefused):
        tell(tmp_path, agency, state)


def test_a_partner_can_be_down_garbled_and_back(web: requests.Session, running: StandIns) -> None:
    switches = f"{running.issuer}/demo/partners"
    asked = fhir(running, "metadata", "gp-millbrook")
    for state, status, kind in (
        ("DOWN", 503, "text/plain"),
        ("GARBLED", 200, "text/html"),
        ("SLOW", 200, "app"),
        ("UP", 200, "app"),
    ):
        told = web.post(switches, json={"agency": "gp-millbrook", "state": state, "delay_s": 0}, timeout=5)
        assert told.json()["gp-millbrook"]["state"] == state
        answer = web.get(asked, timeout=5)
        assert (answer.status_code, answer.headers["Content-Type"][: len(kind)]) == (status, kind)
    assert web.post(switches, json={"agency": "csc", "state": "DOWN"}, timeout=5).status_code == 400
    assert web.post(switches, data={"agency": "sms", "state": "DOWN"}, timeout=5).status_code == 400


def test_the_police_are_down_when_their_file_is_away(running: StandIns) -> None:
    assert tell(running.folder, "police", "DOWN")["police"].state == "DOWN"
    assert not (running.folder / "police.sqlite").exists()
    assert tell(running.folder, "police", "UP")["police"].state == "UP"
    assert behaviours(running.folder)["police"].state == "UP"
    assert (running.folder / "police.sqlite").exists()


def test_the_command_prints_its_ports_serves_and_stops_when_told(written: Path, tmp_path: Path) -> None:
    (tmp_path / "county.json").write_text((written / "county.json").read_text())
    command = [
        sys.executable,
        "-m",
        "hub.demo.stand_ins",
        "--folder",
        str(tmp_path),
        "--redirect-uri",
        "http://127.0.0.1:1/x",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        about = json.loads(process.stdout.readline())
        assert about["ready"] is True
        assert about["pid"] == process.pid
        assert set(about["ports"]) == set(SERVERS)
        secret = Path(about["client_secret_file"])
        assert secret.stat().st_mode & 0o077 == 0
        with requests.Session() as web:
            web.trust_env = False
            found = web.get(f"{about['issuer']}/.well-known/openid-configuration", timeout=5).json()
        assert found["issuer"] == about["issuer"]
        assert str(about["ports"]["sms"]) in (Path(about["partners_folder"]) / "sms.toml").read_text()
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_the_command_says_plainly_that_there_is_no_county(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(tmp_path)]) == 1
    assert "could not start" in capsys.readouterr().err
