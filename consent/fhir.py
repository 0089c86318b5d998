"""Consent records as FHIR R4 Consent, in the profiles of IHE Privacy Consent on FHIR (PCF 1.1, 2024).

For: partners whose systems read consent in that form. Must never name anybody: persons, agencies and givers stay the
ids that the hub uses. The three kinds stay three: each Consent says in its category which kind it is. What PCF
forbids is never written (verification, provision.action, class, code, and provisions within provisions).
Source: https://profiles.ihe.net/ITI/PCF, profiles consentBasic and consentAdvanced; HL7 FHIR R4 Consent (2019).
"""

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from consent.records import YES, ConsentRecord
from consent.statements import statement
from policies.vocabulary import ConsentState, DataCategory, GiverCapacity, Purpose

PROFILE = "https://profiles.ihe.net/ITI/PCF/StructureDefinition/IHE.PCF."
#: Our own code systems, for what the international ones do not have; purposes and labels are extensible in PCF.
KIND, PURPOSE, CATEGORY = "urn:kith:consent-kind", "urn:kith:purpose", "urn:kith:data-category"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
RECIPIENT = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
#: States of FHIR: what no longer counts is inactive; a refusal is an active consent that denies.
INACTIVE = frozenset({ConsentState.WITHDRAWN, ConsentState.SUPERSEDED, ConsentState.EXPIRED})
#: Only an answer becomes a Consent; what was decided about asking, or that two people disagree, is no answer.
ANSWERS = YES | INACTIVE | {ConsentState.REFUSED}
_PURPOSES = {Purpose.DIRECT_CARE: "TREAT", Purpose.GP_PACKAGE_CHECK: "TREAT"}
_SENSITIVE = {DataCategory.SUBSTANCE_MISUSE: "ETH", DataCategory.MENTAL_HEALTH: "PSY"}


def as_bundle(records: Iterable[ConsentRecord], *, now: datetime) -> dict[str, Any]:
    """The answers among these records as a FHIR collection Bundle."""
    entries = [
        {"fullUrl": f"urn:kith:consent:{r.id}", "resource": as_consent(r)} for r in records if r.state in ANSWERS
    ]
    return {"resourceType": "Bundle", "type": "collection", "timestamp": now.isoformat(), "entry": entries}


def as_consent(record: ConsentRecord) -> dict[str, Any]:
    """One answer as a FHIR R4 Consent. Raises ValueError for a record that is not an answer."""
    if record.state not in ANSWERS:
        raise ValueError("only an answer can be written as a Consent")
    wording = statement(record.statement) if record.statement else None
    provision: dict[str, Any] = {"type": "deny" if record.state == ConsentState.REFUSED else "permit"}
    ends = record.withdrawn_at or record.expires_at
    if ends is not None:
        provision["period"] = {"start": record.given_at.isoformat(), "end": ends.isoformat()}
    if record.agencies is not None:
        provision["actor"] = [
            {"role": {"coding": [RECIPIENT]}, "reference": _organisation(agency)} for agency in record.agencies
        ]
    if record.categories is not None:
        provision["securityLabel"] = [label for category in record.categories for label in _labels(category)]
    if record.purposes is not None:
        provision["purpose"] = [code for purpose in record.purposes for code in _purpose(purpose)]
    text = wording.text if wording else record.wording or "The wording was not kept."
    return {
        "resourceType": "Consent",
        "id": record.id,
        "meta": {"profile": [PROFILE + ("consentAdvanced" if record.categories is not None else "consentBasic")]},
        "contained": [
            {
                "resourceType": "DocumentReference",
                "id": "statement",
                "status": "current",
                "type": {"coding": [{"system": "http://loinc.org", "code": "64292-6"}]},
                "description": wording.title if wording else "What was asked",
                "content": [
                    {
                        "attachment": {
                            "contentType": "text/plain; charset=utf-8",
                            "data": base64.b64encode(text.encode()).decode(),
                        }
                    }
                ],
            }
        ],
        "status": "inactive" if record.state in INACTIVE else "active",
        "scope": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"},
            ]
        },
        "category": [
            {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]},
            {"coding": [{"system": KIND, "code": str(record.kind)}]},
        ],
        "patient": {"reference": f"Patient/{record.subject}"},
        "dateTime": record.given_at.isoformat(),
        "performer": [_performer(record)],
        "organization": [_organisation(record.recorded_by_agency or "hub")],
        "sourceReference": {"reference": "#statement"},
        "policy": [{"uri": f"urn:kith:statement:{record.statement or 'unversioned'}"}],
        "provision": provision,
    }


def _performer(record: ConsentRecord) -> dict[str, str]:
    if record.giver_capacity == GiverCapacity.SELF:
        return {"reference": f"Patient/{record.giver}"}
    if record.giver_capacity == GiverCapacity.LA_WITH_PR or not record.giver:
        return _organisation(record.recorded_by_agency or "hub")
    return {"reference": f"RelatedPerson/{record.giver}"}


def _organisation(agency: str) -> dict[str, str]:
    return {"reference": f"Organization/{agency}"}


def _purpose(purpose: Purpose) -> list[dict[str, str]]:
    known = _PURPOSES.get(purpose)
    own = {"system": PURPOSE, "code": str(purpose)}
    return [{"system": ACT_REASON, "code": known}, own] if known else [own]


def _labels(category: DataCategory) -> list[dict[str, str]]:
    known = _SENSITIVE.get(category)
    own = {"system": CATEGORY, "code": str(category)}
    return [{"system": ACT_CODE, "code": known}, own] if known else [own]
