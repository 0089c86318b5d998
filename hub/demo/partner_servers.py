"""Stand-ins for partners that are asked live: two practices with FHIR R4, a recovery service with a JSON API.

For: a demonstration over real HTTP. Must never filter for the hub: like a careless partner, the recovery
service answers with everything it has, so that redaction has something to do. Ruled by
docs/connecting-a-partner.md; FHIR R4 (4.0.1), resources as in the HL7 specification.
"""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from hub.demo.behaviour import behaviours
from hub.demo.model import NHS_NUMBER, County, Happening, Involvement, SourceRecord, record_system
from hub.demo.promises import check_promises
from policies.vocabulary import DataCategory, SubjectFlag

_ROLE_CODES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#: Resource type -> the element that names the patient.
_SUBJECT = {
    "RelatedPerson": "patient",
    "EpisodeOfCare": "patient",
    "Encounter": "subject",
    "Flag": "subject",
    "CareTeam": "subject",
}
_MOST_PAGES_KEPT = 500
_SEX = {"1": "male", "2": "female"}


def _address_words(r: SourceRecord) -> str | None:
    home = next(iter(r.person.addresses), None)
    parts = (home.line2, home.line1, home.city, home.postcode) if home else ()
    return ", ".join(p for p in parts if p) or None


def _tidy(value: Any) -> Any:
    """Leaves out what is None or empty, as FHIR's JSON does."""
    if isinstance(value, dict):
        return {k: t for k, v in value.items() if (t := _tidy(v)) not in (None, {}, [])}
    if isinstance(value, list):
        return [t for v in value if (t := _tidy(v)) not in (None, {}, [])]
    return value


def fhir_resources(county: County, agency: str) -> dict[str, list[dict[str, Any]]]:
    """Returns what a practice holds, by resource type, in the order of its record ids."""
    found: dict[str, list[dict[str, Any]]] = {"Patient": [], **{kind: [] for kind in _SUBJECT}}
    known = {r.record: r for r in county.records if r.agency == agency}
    for _, r in sorted(known.items()):
        found["Patient"].append(_patient(r))
        found["RelatedPerson"] += _related(r, known)
    for i in county.involvements:
        if i.agency == agency:
            found["EpisodeOfCare"].append(_registration(i))
            found["CareTeam"].append(_care_team(i))
    for h in county.happenings:
        if h.agency == agency and h.category == DataCategory.HEALTH_SUMMARY:
            kind = "Flag" if h.type == "flag" else "Encounter"
            found[kind].append(_flag(h) if kind == "Flag" else _encounter(h))
    return {kind: [_tidy(resource) for resource in resources] for kind, resources in found.items()}


def _patient(r: SourceRecord) -> dict[str, Any]:
    person, home = r.person, next(iter(r.person.addresses), None)
    restricted = SubjectFlag.SHIELDED in r.flags
    return {
        "resourceType": "Patient",
        "id": r.record,
        "meta": {
            "security": [{"system": _CONFIDENTIALITY, "code": "R", "display": "restricted"}] if restricted else []
        },
        "identifier": [{"system": i.system, "value": i.value} for i in person.identifiers],
        "active": r.valid_until is None,
        "name": [
            {
                "use": name.use or "usual",
                "text": f"{' '.join(name.given)} {' '.join(name.family)}",
                "family": " ".join(name.family),
                "given": list(name.given),
            }
            for name in person.names
        ],
        "telecom": [{"system": "phone", "value": t} for c in person.contacts for t in c.telephone],
        "gender": _SEX.get(person.sex_code or "", "unknown"),
        "birthDate": person.date_of_birth.date.isoformat() if person.date_of_birth else None,
        "deceasedBoolean": person.is_deceased,
        "address": [
            {
                "use": "home",
                "text": _address_words(r),
                "line": [line for line in (home.line2, home.line1) if line],
                "city": home.city,
                "postalCode": home.postcode,
            }
        ]
        if home
        else [],
    }


def _related(r: SourceRecord, known: Mapping[str, SourceRecord]) -> list[dict[str, Any]]:
    return [
        {
            "resourceType": "RelatedPerson",
            "id": f"{r.record}-{number}",
            "identifier": [{"system": record_system(r.agency), "value": tie.identifier.value}],
            "active": True,
            "patient": {"reference": f"Patient/{r.record}"},
            "relationship": [{"coding": [{"system": _ROLE_CODES, "code": code} for code in tie.relationship]}],
            "name": _patient(known[tie.identifier.value])["name"],
        }
        for number, tie in enumerate(r.person.related, 1)
    ]


def _period(started: Any, ended: Any) -> dict[str, Any]:
    return {"start": started.isoformat(), "end": ended.isoformat() if ended else None}


def _registration(i: Involvement) -> dict[str, Any]:
    return {
        "resourceType": "EpisodeOfCare",
        "id": i.id,
        "status": "finished" if i.until else "active",
        "type": [{"text": i.service}],
        "patient": {"reference": f"Patient/{i.record}"},
        "managingOrganization": {"display": f"{i.worker.team}, {i.worker.telephone}"},
        "period": _period(i.since, i.until),
        "careManager": {"display": i.worker.name},
    }


def _care_team(i: Involvement) -> dict[str, Any]:
    return {
        "resourceType": "CareTeam",
        "id": f"{i.id}-team",
        "status": "inactive" if i.until else "active",
        "name": i.worker.team,
        "subject": {"reference": f"Patient/{i.record}"},
        "period": _period(i.since, i.until),
        "participant": [{"role": [{"text": i.worker.role}], "member": {"display": i.worker.name}}],
        "telecom": [{"system": "phone", "value": i.worker.telephone}],
    }


def _encounter(h: Happening) -> dict[str, Any]:
    words = {"ae-attendance": "A&E attendance", "appointment": "Contact with the practice"}
    return {
        "resourceType": "Encounter",
        "id": h.id,
        "status": h.details.get("status", "finished"),
        "class": {"code": "EMER" if h.type == "ae-attendance" else "AMB"},
        "type": [{"text": words.get(h.type, h.type)}],
        "subject": {"reference": f"Patient/{h.parts[0].record}"},
        "participant": [{"individual": {"display": h.worker.name}}],
        "period": _period(h.started, h.ended),
        "reasonCode": [{"text": h.details["detail"]}] if "detail" in h.details else [],
    }


def _flag(h: Happening) -> dict[str, Any]:
    return {
        "resourceType": "Flag",
        "id": h.id,
        "status": h.details.get("status", "active"),
        "category": [{"text": "Safeguarding"}],
        "code": {"text": h.details.get("risk", "")},
        "subject": {"reference": f"Patient/{h.parts[0].record}"},
        "period": _period(h.started, h.ended),
    }


def _behave(app: Flask, agency: str, folder: Path | None) -> None:
    """Before each question: be slow, down or garbled, if somebody said so."""

    @app.before_request
    def perhaps() -> Response | None:
        if folder is None:
            return None
        told = behaviours(folder)[agency]
        if told.state == "SLOW":
            time.sleep(told.delay_s)
        if told.state == "DOWN":
            return Response("Out of service", 503, mimetype="text/plain")
        if told.state == "GARBLED":
            return Response("<html><body>Maintenance page</body></html>", 200, mimetype="text/html")
        return None

    @app.after_request
    def private(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return response


def create_fhir_app(county: County, agency: str, *, base_url: Callable[[], str], folder: Path | None = None) -> Flask:
    """Returns a practice's FHIR server. Takes `base_url` as a call, because a port is known only once it is bound."""
    app = Flask(f"hub.demo.fhir.{agency}", static_folder=None)
    held = fhir_resources(county, agency)
    patients = {p["id"]: p for p in held["Patient"]}
    pages: OrderedDict[str, tuple[list[dict[str, Any]], int]] = OrderedDict()
    lock = threading.Lock()
    check_promises(app, agency, folder)
    _behave(app, agency, folder)

    def fhir(body: dict[str, Any], status: int = 200) -> Response:
        response = jsonify(body)
        response.status_code, response.mimetype = status, "application/fhir+json"
        return response

    def wrong(status: int, code: str, words: str) -> Response:
        issue = {"severity": "error", "code": code, "diagnostics": words}
        return fhir({"resourceType": "OperationOutcome", "issue": [issue]}, status)

    def bundle(found: list[dict[str, Any]], count: int, total: int) -> Response:
        """One page. The link to the next carries a token that says nothing about anybody."""
        links = []
        if len(found) > count:
            token = secrets.token_urlsafe(12)
            with lock:
                pages[token] = (found[count:], total)
                while len(pages) > _MOST_PAGES_KEPT:
                    pages.popitem(last=False)
            links = [{"relation": "next", "url": f"{base_url()}/_page/{token}?_count={count}"}]
        entries = [
            {"fullUrl": f"{base_url()}/{r['resourceType']}/{r['id']}", "resource": r, "search": {"mode": "match"}}
            for r in found[:count]
        ]
        return fhir({"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entries})

    def count_of(given: Mapping[str, str]) -> int:
        text = given.get("_count", "50")
        return min(max(int(text), 1), 200) if text.isdigit() else 50

    @app.get("/fhir/metadata")
    def capabilities() -> Response:
        searched = {
            "Patient": ("_id", "identifier", "family", "given", "birthdate"),
            **dict.fromkeys(_SUBJECT, ("patient",)),
        }
        return fhir(
            {
                "resourceType": "CapabilityStatement",
                "status": "active",
                "date": county.today.isoformat(),
                "kind": "instance",
                "fhirVersion": "4.0.1",
                "format": ["application/fhir+json"],
                "implementation": {"description": f"Demonstration stand-in: {agency}", "url": base_url()},
                "rest": [
                    {
                        "mode": "server",
                        "resource": [
                            {
                                "type": kind,
                                "interaction": [
                                    {"code": c}
                                    for c in (("read", "search-type") if kind == "Patient" else ("search-type",))
                                ],
                                "searchParam": [{"name": n, "type": "token"} for n in names],
                            }
                            for kind, names in searched.items()
                        ],
                    }
                ],
            }
        )

    @app.get("/fhir/Patient/<record>")
    def read(record: str) -> Response:
        found = patients.get(record)
        return fhir(found) if found else wrong(404, "not-found", "There is no such patient.")

    @app.get("/fhir/_page/<token>")
    def next_page(token: str) -> Response:
        with lock:
            rest = pages.get(token)
        return bundle(rest[0], count_of(request.args), rest[1]) if rest else wrong(404, "not-found", "No such page.")

    @app.post("/fhir/Patient/_search")
    def search_patients() -> Response:
        given = request.form
        unknown = set(given) - {"_id", "identifier", "family", "given", "birthdate", "_count"}
        if unknown or not set(given) - {"_count"}:
            return wrong(400, "not-supported", "A search needs _id, identifier, family, given or birthdate.")
        found = [p for p in held["Patient"] if _fits(p, given)]
        return bundle(found, count_of(given), len(found))

    @app.post("/fhir/<kind>/_search")
    def search(kind: str) -> Response:
        if kind not in _SUBJECT:
            return wrong(404, "not-supported", "That type of resource is not served.")
        patient = request.form.get("patient") or request.form.get("subject") or ""
        if not patient or set(request.form) - {"patient", "subject", "_count"}:
            return wrong(400, "required", "A search needs a patient.")
        wanted = f"Patient/{patient.removeprefix(base_url() + '/').removeprefix('Patient/')}"
        found = [r for r in held[kind] if r[_SUBJECT[kind]]["reference"] == wanted]
        return bundle(found, count_of(request.form), len(found))

    @app.get("/fhir/<kind>")
    def not_by_get(kind: str) -> Response:
        return wrong(405, "not-supported", "Searches are posted, so that no identifier is in an address.")

    return app


def _fits(patient: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    """FHIR search: every parameter must fit; names by their beginning, ignoring case (R4, 3.1.1.4.8)."""
    names = patient.get("name", [])
    if "_id" in given and patient["id"] != given["_id"]:
        return False
    if "identifier" in given:
        system, bar, value = given["identifier"].rpartition("|")
        known = [(i["system"], i["value"]) for i in patient.get("identifier", ())]
        if not any(v == value and (not bar or s == system) for s, v in known):
            return False
    if "birthdate" in given and patient.get("birthDate") != given["birthdate"].removeprefix("eq"):
        return False
    family = given.get("family", "").casefold()
    if family and not any(n.get("family", "").casefold().startswith(family) for n in names):
        return False
    first = given.get("given", "").casefold()
    return not first or any(g.casefold().startswith(first) for n in names for g in n.get("given", ()))


def create_recovery_app(county: County, *, folder: Path | None = None) -> Flask:
    """Returns the JSON service of Fresh Tide. It answers with all it has, whatever fields were asked for."""
    app = Flask("hub.demo.sms", static_folder=None)
    people = {r.record: _client(r) for r in county.records if r.agency == "sms"}
    check_promises(app, "sms", folder)
    _behave(app, "sms", folder)

    def listed(name: str, rows: Iterable[dict[str, Any]], most: int | None = None) -> Response:
        return jsonify({name: list(rows)[:most]})

    def asked() -> dict[str, Any] | None:
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or ("records" in body and not body.get("intent")):
            return None
        return body

    def records() -> set[str]:
        return set((asked() or {}).get("records") or ())

    @app.before_request
    def known_question() -> Response | None:
        """Like every partner, this one wants to know under which audit record it is asked."""
        if asked() is None:
            response = jsonify({"error": "A question needs a JSON object, and about records an intent."})
            response.status_code = 400
            return response
        return None

    @app.post("/api/people/search")
    def search() -> Response:
        body = asked() or {}
        return listed("people", (p for p in people.values() if _is_meant(p, body)), 10)

    @app.post("/api/people/details")
    def details() -> Response:
        return listed("people", (p for ref, p in people.items() if ref in records()))

    @app.post("/api/episodes/search")
    def episodes() -> Response:
        wanted = records()
        return listed(
            "episodes",
            (
                {
                    "ref": i.id,
                    "client_ref": i.record,
                    "service": {"name": i.service},
                    "started": i.since.isoformat(),
                    "ended": i.until.isoformat() if i.until else None,
                    "team": {"name": i.worker.team, "phone": i.worker.telephone},
                    "keyworker": {"name": i.worker.name},
                }
                for i in county.involvements
                if i.agency == "sms" and i.record in wanted
            ),
        )

    @app.post("/api/treatment/search")
    def treatment() -> Response:
        wanted = records()
        return listed(
            "treatments",
            (
                {
                    "ref": h.id,
                    "client_ref": h.parts[0].record,
                    "programme": h.type,
                    "state": h.details.get("status") or ("Ended" if h.ended else "In treatment"),
                    "started": h.started.isoformat(),
                    "ended": h.ended.isoformat() if h.ended else None,
                    "keyworker": {"name": h.worker.name},
                    "risk_to_others": h.details.get("risk"),
                    "treatment": h.details.get("treatment"),
                    "notes": h.details.get("narrative"),
                }
                for h in county.happenings
                if h.agency == "sms" and h.category == DataCategory.SUBSTANCE_MISUSE and h.parts[0].record in wanted
            ),
        )

    return app


def _client(r: SourceRecord) -> dict[str, Any]:
    name, home = r.person.names[0], next(iter(r.person.addresses), None)
    return {
        "client_ref": r.record,
        "name": {
            "given": " ".join(name.given),
            "family": " ".join(name.family),
            "full": f"{' '.join(name.given)} {' '.join(name.family)}",
        },
        "born": r.person.date_of_birth.date.isoformat() if r.person.date_of_birth else None,
        "sex": _SEX.get(r.person.sex_code or ""),
        "nhs_number": r.person.identifier(NHS_NUMBER),
        "home": {
            "line1": home.line1,
            "line2": home.line2,
            "town": home.city,
            "postcode": home.postcode,
            "full": _address_words(r),
        }
        if home
        else None,
        "phone": next((t for c in r.person.contacts for t in c.telephone), None),
    }


def _is_meant(person: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """NHS number, or family name with date of birth or first given name; nothing thinner finds anybody."""
    number = asked.get("nhs_number")
    if number and person["nhs_number"]:
        return bool(number == person["nhs_number"])
    families = {str(f).casefold() for f in asked.get("family") or ()}
    if person["name"]["family"].casefold() not in families:
        return False
    if asked.get("date_of_birth") and person["born"]:
        return bool(asked["date_of_birth"] == person["born"])
    first = [str(g).casefold() for g in asked.get("given") or ()][:1]
    return bool(first) and person["name"]["given"].casefold().split()[:1] == first
