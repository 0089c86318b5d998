"""The NHS Personal Demographics Service: the same questions as to any FHIR server, in the form that it answers.

For: partners with `dialect = "nhs-pds"`. PDS has no search by POST, so that here, and nowhere else, an NHS number
or a name stands in an address; it goes to no log of ours. Must never treat a number that was made invalid as
"nobody": it identifies nobody any more, and a person must look. Follows the PDS FHIR API, version of 13 March 2026
(patient-get, patient-search, relatedpersons-get).
"""

import uuid
from collections.abc import Mapping

from connectors.contract import ConnectorError, NoAnswerReason, Promise
from connectors.formats.fhir import Resource, error_codes, objects, reason_of
from connectors.identify import MOST_CANDIDATES
from connectors.records import NHS_NUMBER
from connectors.wire import Wire

#: The number was real and was withdrawn, without another in its place.
INVALIDATED = "INVALIDATED_RESOURCE"
NOBODY = "RESOURCE_NOT_FOUND"


def search(wire: Wire, kind: str, form: Mapping[str, str], promise: Promise, give_up_at: float) -> object:
    """Puts a FHIR search to PDS and returns its answer as a searchset Bundle, or the OperationOutcome.

    Raises ConnectorError: NOT_CONFIGURED for a resource that PDS does not have, TOO_THIN for a withdrawn number,
    or why there was no answer.
    """
    headers = {"X-Request-ID": str(uuid.uuid4())}
    if kind == "Patient" and "identifier" in form:
        number = form["identifier"].rpartition("|")[2]
        return _bundle([_patient(wire, number, headers, promise, give_up_at)], number, keep_id=True)
    if kind == "Patient" and "_id" in form:
        found = [(n, _patient(wire, n, headers, promise, give_up_at)) for n in form["_id"].split(",")]
        return _joined([_bundle([patient], number, keep_id=False) for number, patient in found])
    if kind == "Patient":
        query = {
            "family": form["family"],
            **({"given": form["given"]} if "given" in form else {}),
            "birthdate": "eq" + form["birthdate"],
            "_max-results": str(MOST_CANDIDATES),
        }
        return wire.get("/Patient", query, headers=headers, promise=promise, give_up_at=give_up_at)
    if kind == "RelatedPerson":
        numbers = [reference.removeprefix("Patient/") for reference in form["patient"].split(",")]
        return _joined([_related(wire, number, headers, promise, give_up_at) for number in numbers])
    raise ConnectorError(NoAnswerReason.NOT_CONFIGURED, f"PDS holds no {kind}.")


def _patient(
    wire: Wire, number: str, headers: Mapping[str, str], promise: Promise, give_up_at: float
) -> Resource | None:
    answer = wire.get(f"/Patient/{number}", {}, headers=headers, promise=promise, give_up_at=give_up_at)
    if isinstance(answer, dict) and answer.get("resourceType") == "Patient":
        return answer
    _require_nobody(answer)
    return None


def _related(wire: Wire, number: str, headers: Mapping[str, str], promise: Promise, give_up_at: float) -> Resource:
    answer = wire.get(f"/Patient/{number}/RelatedPerson", {}, headers=headers, promise=promise, give_up_at=give_up_at)
    if isinstance(answer, dict) and answer.get("resourceType") == "Bundle":
        return answer
    _require_nobody(answer)
    return _bundle([], number, keep_id=True)


def _require_nobody(answer: object) -> None:
    """Raises ConnectorError unless the answer says that there is nobody of this number."""
    if not isinstance(answer, dict) or answer.get("resourceType") != "OperationOutcome":
        raise ConnectorError(NoAnswerReason.MALFORMED, "PDS did not send what it documents.")
    codes = error_codes(answer)
    if INVALIDATED in codes:
        raise ConnectorError(NoAnswerReason.TOO_THIN, "The NHS number was withdrawn: it identifies nobody any more.")
    if NOBODY not in codes:
        raise ConnectorError(reason_of(answer) or NoAnswerReason.ERROR, "PDS reported an error.")


def _bundle(found: list[Resource | None], asked: str, *, keep_id: bool) -> Resource:
    """Patients as a searchset. Takes `keep_id`: False when the answer stands under the number that was asked for.

    A superseded number brings the record that took its place; the asked number is kept beside it as an old one.
    """
    entries = []
    for patient in found:
        if patient is None:
            continue
        if patient.get("id") != asked:
            old = {"system": NHS_NUMBER, "value": asked, "use": "old"}
            patient = {**patient, "identifier": [*objects(patient, "identifier"), old]}
            patient["id"] = patient["id"] if keep_id else asked
        entries.append({"resource": patient})
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _joined(bundles: list[Resource]) -> Resource:
    entries = [entry for bundle in bundles for entry in objects(bundle, "entry")]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}
