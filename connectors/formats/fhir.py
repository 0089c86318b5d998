"""Reading FHIR R4 resources: a Patient as a MAIS Person, datatypes in words, labels, and what an error says.

For: every way that speaks FHIR. Must never read where a restricted patient lives or is registered, whatever the
server sent along, and never take an error for an empty answer. Follows HL7 FHIR R4 (4.0.1) datatypes.html,
security-labels.html and operationoutcome.html; the NHS Personal Demographics Service (version of 13 March 2026)
for restricted and redacted patients.
"""

import re
from collections.abc import Mapping
from datetime import date

from connectors.contract import NoAnswerReason
from connectors.mapping import tidy
from connectors.paths import text_at
from connectors.records import NHS_NUMBER, Address, Contact, Identifier, Name, PartialDate, Person

Resource = dict[str, object]

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#: HL7 v3 Confidentiality: restricted and very restricted. The owner decides about these (SealState.WITHHELD).
RESTRICTED = frozenset({"R", "V"})
#: The NHS label of a record that was marked as invalid and must not be used.
REDACTED = "REDACTED"
#: Elements that say where somebody is: never read of a restricted patient, nor of those who are theirs.
LOCATING = frozenset(
    {"address", "telecom", "generalPractitioner", "managingOrganization", "contact", "extension", "contained"}
)
#: FHIR administrative gender -> sex code of the Person Standard.
SEX: Mapping[str, str] = {"male": "1", "female": "2", "other": "9", "unknown": "X"}

#: issue.code of an OperationOutcome (valueset-issue-type.html) -> why there is no answer.
_REASONS: Mapping[str, NoAnswerReason] = {
    "multiple-matches": NoAnswerReason.AMBIGUOUS,
    "too-costly": NoAnswerReason.TOO_THIN,
    "security": NoAnswerReason.REFUSED,
    "login": NoAnswerReason.REFUSED,
    "unknown": NoAnswerReason.REFUSED,
    "expired": NoAnswerReason.REFUSED,
    "forbidden": NoAnswerReason.REFUSED,
    "suppressed": NoAnswerReason.REFUSED,
    "throttled": NoAnswerReason.REFUSED,
    "timeout": NoAnswerReason.TIMEOUT,
    "not-supported": NoAnswerReason.NOT_CONFIGURED,
}
#: Issues that say that something was left out, however mild they are called.
_LEFT_OUT = frozenset({"suppressed", "incomplete", "too-long", "too-costly", "multiple-matches"})


def read_patient(resource: Resource) -> Person:
    """Reads a FHIR Patient as a MAIS Person; an element of the wrong type counts as not said.

    A restricted patient has no address and no telephone here. Identifiers in use come before old ones.
    """
    hidden = is_restricted(resource)
    names = tuple(
        Name(
            tuple(n for n in [string(name, "family")] if n),
            _strings(name, "given"),
            None,
            string(name, "use") or None,
        )
        for name in objects(resource, "name")
    )
    identifiers = tuple(
        Identifier(value.replace(" ", "") if system == NHS_NUMBER else value, system)
        for identifier in sorted(objects(resource, "identifier"), key=lambda i: string(i, "use") == "old")
        if (system := string(identifier, "system")) and (value := string(identifier, "value"))
    )
    died = _partial(string(resource, "deceasedDateTime"))
    deceased = resource.get("deceasedBoolean")
    telephones = tuple(
        value
        for telecom in ([] if hidden else objects(resource, "telecom"))
        if string(telecom, "system") in ("phone", "sms") and (value := string(telecom, "value"))
    )
    return Person(
        identifiers=identifiers,
        names=names,
        date_of_birth=_partial(string(resource, "birthDate")),
        is_deceased=True if died else deceased if isinstance(deceased, bool) else None,
        deceased_date=died,
        addresses=() if hidden else tuple(_address(a) for a in objects(resource, "address")),
        contacts=(Contact(telephone=telephones),) if telephones else (),
        sex_code=SEX.get(string(resource, "gender") or ""),
    )


def labels(resource: Resource) -> frozenset[str]:
    """The codes of the resource's confidentiality labels."""
    meta = resource.get("meta")
    found = objects(meta, "security") if isinstance(meta, dict) else []
    return frozenset(code for s in found if string(s, "system") == CONFIDENTIALITY and (code := string(s, "code")))


def is_restricted(resource: Resource) -> bool:
    """True when the resource is labelled restricted or very restricted."""
    return bool(labels(resource) & RESTRICTED)


def is_redacted(resource: Resource) -> bool:
    """True when the resource was marked as invalid, so that its content must not be used."""
    return REDACTED in labels(resource)


def text_of(resource: Resource, path: str, *, hidden: bool) -> str | None:
    """The text at a dotted path, names, addresses and coded values in words; nothing that locates when `hidden`."""
    if hidden and re.split(r"[.\[]", path, maxsplit=1)[0] in LOCATING:
        return None
    return text_at(resource, path, in_words=_in_words)


def reason_of(outcome: Resource) -> NoAnswerReason | None:
    """Why an OperationOutcome is no answer; None when it only remarks on something and nothing was left out."""
    for issue in objects(outcome, "issue"):
        code = string(issue, "code") or ""
        if string(issue, "severity") in ("error", "fatal") or code in _LEFT_OUT:
            return _REASONS.get(code, NoAnswerReason.ERROR)
    return None


def error_codes(outcome: Resource) -> frozenset[str]:
    """The server's own codes in an OperationOutcome (issue.details.coding), for dialects that document them."""
    found = set()
    for issue in objects(outcome, "issue"):
        details = issue.get("details")
        found |= {string(c, "code") or "" for c in objects(details, "coding")} if isinstance(details, dict) else set()
    return frozenset(found - {""})


def objects(value: Resource, key: str) -> list[Resource]:
    """The objects of a list, without anything else in it."""
    found = value.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def string(value: Resource, key: str) -> str | None:
    """The text of an element, on one line and bounded."""
    found = value.get(key)
    return tidy(found)[:500] or None if isinstance(found, str) else None


def _strings(value: Resource, key: str) -> tuple[str, ...]:
    found = value.get(key)
    texts = [tidy(one)[:500] for one in found if isinstance(one, str)] if isinstance(found, list) else []
    return tuple(text for text in texts if text)


def _in_words(value: Resource) -> str | None:
    """A CodeableConcept, Coding, Reference, Annotation, ContactPoint, HumanName or Address as people read it."""
    if said := string(value, "text") or string(value, "display"):
        return said
    if coding := objects(value, "coding"):
        return _in_words(coding[0])
    if "family" in value or "given" in value:
        family = string(value, "family")
        return " ".join((*_strings(value, "prefix"), *_strings(value, "given"), *([family] if family else []))) or None
    if "line" in value or "postalCode" in value:
        parts = (*_strings(value, "line"), string(value, "city"), string(value, "postalCode"))
        return ", ".join(part for part in parts if part) or None
    return string(value, "value") if string(value, "system") in ("phone", "email", "sms") else string(value, "code")


def _address(value: Resource) -> Address:
    lines = _strings(value, "line")
    return Address(
        line1=lines[0] if lines else None,
        line2=", ".join(lines[1:]) or None,
        city=string(value, "city"),
        postcode=string(value, "postalCode"),
        use=string(value, "use"),
    )


def _partial(text: str | None) -> PartialDate | None:
    """A FHIR date or dateTime: year, year and month, or day; what is not said is marked unknown."""
    found = re.match(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T|$)", text or "")
    if not found:
        return None
    year, month, day = found.groups()
    try:
        return PartialDate(date(int(year), int(month or 1), int(day or 1)), "AAA" if day else "UAA" if month else "UUA")
    except ValueError:
        return None
