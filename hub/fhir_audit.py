"""An entry of the trail as FHIR R4 AuditEvent resources.

For: exports to systems that keep an accounting of disclosures. Pure: an entry in, plain JSON out. Must never hold
what was disclosed: kinds of information, counts and codes only. Ruled by FHIR R4 AuditEvent (hl7.org/fhir/R4) and, for
a disclosure, by IHE BALP 1.1.3, profile PrivacyDisclosure.Source: one resource for each person and disclosing agency,
because the profile has one patient and at most one custodian.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DCM = "http://dicom.nema.org/resources/ontology/DCM"
PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
LIFE_CYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
OUTCOME = "http://terminology.hl7.org/CodeSystem/audit-event-outcome"
ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
SNOMED = "http://snomed.info/sct"

_EXPORT = ("110106", "Export")
#: The DICOM audit event type of each kind of entry; other kinds are about a person's record.
_TYPES: Mapping[str, tuple[str, str]] = {
    "disclosure:made": _EXPORT,
    "export": _EXPORT,
    "search": ("110112", "Query"),
    "check": ("110112", "Query"),
    "disclosure:requested": ("110112", "Query"),
    "audit:read": ("110101", "Audit Log Used"),
    "alarm": ("110113", "Security Alert"),
    "break-glass": ("110113", "Security Alert"),
    "sign-in": ("110114", "User Authentication"),
    "sign-out": ("110114", "User Authentication"),
}
_RECORD = ("110110", "Patient Record")
#: C create, R read, U update, D delete, E execute (FHIR R4 value set audit-event-action).
_ACTIONS: Mapping[str, str] = {"erase": "D", "alter": "U", "combine": "U", "collect": "C"}
#: Outcomes that are a refusal: the action was not carried out, which is a minor failure (4) and no fault.
_REFUSED = frozenset({"disclosure:refused", "consent:refused"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as the export has it. `persons` are opaque ids; None stands for one who was erased."""

    eid: str
    kind: str
    at: datetime
    fields: Mapping[str, Any]
    persons: Sequence[str | None]
    user_name: str


@dataclass(frozen=True, slots=True)
class Names:
    """Where codes are explained: the hub's address, its trail's name, and the agencies' names by code."""

    base_url: str
    origin: str
    agencies: Mapping[str, str]

    def agency(self, code: str) -> dict[str, Any]:
        """A reference to an agency that needs no server to be understood."""
        identifier = {"system": f"{self.base_url}/agencies", "value": code}
        return {"identifier": identifier, "display": self.agencies.get(code, code)}


def audit_events(entry: Recorded, names: Names) -> list[dict[str, Any]]:
    """The resources that one entry becomes: at least one."""
    if entry.kind != "disclosure:made":
        return [_event(entry, names, entry.eid, range(len(entry.persons)))]
    events = []
    for number in range(len(entry.persons)):
        rows = [row for row in entry.fields.get("data", ()) if row.get("subject", number) == number]
        for agency in sorted({row["agency"] for row in rows}) or [None]:
            event = _event(entry, names, f"{entry.eid}-{number}-{agency or 'none'}", [number])
            _disclose(event, entry, names, agency, [row for row in rows if row["agency"] == agency])
            events.append(event)
    return events


def bundle(entries: Sequence[Recorded], names: Names, *, receipt: str, at: datetime) -> dict[str, Any]:
    """A collection Bundle of all resources, which carries the number of the export's own record."""
    resources = [event for entry in entries for event in audit_events(entry, names)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": f"{names.base_url}/receipts", "value": receipt},
        "timestamp": _instant(at),
        "entry": [{"fullUrl": f"{names.base_url}/audit/{one['id']}", "resource": one} for one in resources],
    }


def _event(entry: Recorded, names: Names, id_: str, numbers: Sequence[int]) -> dict[str, Any]:
    fields = entry.fields
    code, display = _TYPES.get(entry.kind, _RECORD)
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": id_,
        "type": {"system": DCM, "code": code, "display": display},
        "subtype": [{"system": f"{names.base_url}/codes/kind", "code": entry.kind}],
        "action": _ACTIONS.get(entry.kind, "E" if code in ("110113", "110114") else "R"),
        "recorded": _instant(entry.at),
        "outcome": "4" if entry.kind in _REFUSED else "0",
        "agent": [_user(entry, names)],
        "source": {
            "site": names.origin,
            "observer": _observer(names),
            "type": [{"system": SOURCE_TYPE, "code": "4", "display": "Application Server"}],
        },
        "entity": [_person(entry.persons[number], names) for number in numbers],
    }
    said = fields.get("outcome") or fields.get("reason")
    if said:
        event["outcomeDesc"] = said
    if "purpose" in fields:
        event["purposeOfEvent"] = [
            {"coding": [{"system": f"{names.base_url}/codes/purpose", "code": fields["purpose"]}]}
        ]
    event["entity"].append(
        {
            "what": {"identifier": {"system": f"{names.base_url}/receipts", "value": entry.eid}},
            "type": {"system": ENTITY_TYPE, "code": "4", "display": "Other"},
            "role": {"system": OBJECT_ROLE, "code": "13", "display": "Security Resource"},
            "description": "The entry of the audit trail that this was made from",
        }
    )
    return event


def _disclose(
    event: dict[str, Any], entry: Recorded, names: Names, agency: str | None, rows: Sequence[Mapping[str, Any]]
) -> None:
    """What the disclosure profile asks for, besides."""
    fields = entry.fields
    event["meta"] = {"profile": [PROFILE]}
    event["subtype"].insert(0, {"system": LIFE_CYCLE, "code": "disclose", "display": "Disclose Record Lifecycle Event"})
    uri = {"address": names.base_url, "type": "5"}
    event["agent"] += [
        {"type": _coded(DCM, "110153", "Source Role ID"), "who": _observer(names), "requestor": False, "network": uri},
        {
            "type": _coded(DCM, "110152", "Destination Role ID"),
            "who": names.agency(fields["recipient"]),
            "requestor": False,
            "network": {"address": f"{names.base_url}/agencies/{fields['recipient']}", "type": "5"},
        },
    ]
    if agency is not None:
        custodian = _coded(SNOMED, "159541003", "Record keeping/library clerk")
        event["agent"].append({"type": custodian, "who": names.agency(agency), "requestor": False})
    if "authoriser" in fields:
        advocate = _coded(SNOMED, "429577009", "Patient Advocate")
        who = {"identifier": {"system": f"{names.base_url}/users", "value": fields["authoriser"]["subject"]}}
        event["agent"].append({"type": advocate, "who": who, "requestor": False})
    for row in rows or [{}]:
        told = {
            "category": row.get("category"),
            "fields": " ".join(row.get("fields", ())),
            "count": row.get("count", 0),
        }
        details = [{"type": name, "valueString": str(value)} for name, value in told.items() if value not in (None, "")]
        event["entity"].append(
            {
                "what": {"display": "Information shown, by its kind; never the information itself"},
                "type": {"system": ENTITY_TYPE, "code": "2", "display": "System Object"},
                "role": {"system": OBJECT_ROLE, "code": "3", "display": "Report"},
                "detail": details,
            }
        )


def _user(entry: Recorded, names: Names) -> dict[str, Any]:
    """Whoever asked: the one agent that is the requestor."""
    user = entry.fields.get("user")
    if not user:
        client = entry.fields.get("client", {}).get("id", "hub")
        who = {"identifier": {"system": f"{names.base_url}/clients", "value": client}}
        return {"who": who, "requestor": True}
    agent: dict[str, Any] = {
        "role": [_coded(f"{names.base_url}/codes/role", user["role"])],
        "who": {"identifier": {"system": user["issuer"], "value": user["subject"]}, "display": entry.user_name},
        "requestor": True,
    }
    if agreements := entry.fields.get("agreement"):
        agent["policy"] = [f"{names.base_url}/agreements/{one['ref']}" for one in agreements]
    return agent


def _person(person: str | None, names: Names) -> dict[str, Any]:
    what: dict[str, Any] = {"type": "Patient", "display": "Erased: nobody can say any more who this was"}
    if person is not None:
        what = {"type": "Patient", "identifier": {"system": f"{names.base_url}/persons", "value": person}}
    return {
        "what": what,
        "type": {"system": ENTITY_TYPE, "code": "1", "display": "Person"},
        "role": {"system": OBJECT_ROLE, "code": "1", "display": "Patient"},
    }


def _observer(names: Names) -> dict[str, Any]:
    return {"display": names.origin}


def _coded(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
