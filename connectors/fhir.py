"""Asks a partner's FHIR R4 server.

For: practices and trusts. Must never search by URL, and never show a resource whose subject is not the patient
that was asked for: such a resource is dropped and counted. Follows HL7 FHIR R4 (4.0.1): search by POST
(http.html#search), references (references.html), Bundle (bundle.html); confidentiality codes of HL7 v3.
"""

import re
import time
from collections.abc import Mapping
from datetime import date

from connectors.contract import Answer, Ask, ConnectorError, Coverage, ItemMapping, NoAnswerReason, Partner, PersonQuery
from connectors.identify import MOST_CANDIDATES, require_enough
from connectors.live import Rows, answer_live
from connectors.mapping import Cell, only_involvement, tidy
from connectors.partner import FHIR_SEAL
from connectors.paths import text_at
from connectors.records import (
    NHS_NUMBER,
    Address,
    Contact,
    Identifier,
    Name,
    PartialDate,
    Person,
    SourceRecord,
)
from connectors.wire import Wire
from policies.vocabulary import DataCategory, SealState

#: Pages of one search that are followed; an answer about one person has one.
MOST_PAGES = 5
#: FHIR R4 datatypes.html#id.
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
#: HL7 v3 Confidentiality: restricted and very restricted. The owner decides about these (SealState.WITHHELD).
_RESTRICTED = frozenset({"R", "V"})
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#: FHIR administrative gender -> sex code of the Person Standard.
_SEX: Mapping[str, str] = {"male": "1", "female": "2", "other": "9", "unknown": "X"}

Resource = dict[str, object]


class FhirConnector:
    """A partner reached by FHIR R4."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self._wire = Wire(partner, ("application/fhir+json", "application/json"))

    def find(self, query: PersonQuery, *, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Who could be meant: by NHS number, else by family name, first given name and date of birth.

        Raises ConnectorError (TOO_THIN, or why there was no answer).
        """
        require_enough(query)
        if query.nhs_number:
            form = {"identifier": f"{NHS_NUMBER}|{query.nhs_number.replace(' ', '')}"}
        else:
            form = {"family": _escaped(query.family[0])}
            if query.given:
                form["given"] = _escaped(query.given[0])
            if query.date_of_birth:
                form["birthdate"] = query.date_of_birth.isoformat()
        resources, _, broken = self._search("Patient", form, time.monotonic() + deadline_s)
        if broken or len(resources) > MOST_CANDIDATES:
            raise ConnectorError(NoAnswerReason.MALFORMED, f"{self.partner.code}: did not name at most ten patients.")
        return tuple(
            SourceRecord(self.partner.code, str(resource["id"]), read_patient(resource)) for resource in resources
        )

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Is this person known, since when, whom to ring."""
        return self._answer(ask, only_involvement(ask.wanted), deadline_s)

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The permitted fields of the permitted categories."""
        return self._answer(ask, ask.wanted, deadline_s)

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        return self.partner.coverage

    def close(self) -> None:
        """Effects: closes the pooled connections."""
        self._wire.close()

    def _answer(self, ask: Ask, wanted: Mapping[DataCategory, frozenset[str]], deadline_s: float) -> Answer:
        return answer_live(self, ask, wanted, self._ask_for, deadline_s)

    def _ask_for(
        self, spec: ItemMapping, records: tuple[str, ...], fields: frozenset[str], ask: Ask, give_up_at: float
    ) -> Rows:
        if not all(_ID.fullmatch(record) for record in records):
            raise ConnectorError(NoAnswerReason.NOT_CONFIGURED, f"{self.partner.code}: a record id is no FHIR id.")
        if spec.source == "Patient":
            form = {"_id": ",".join(records)}
        else:
            form = {"patient": ",".join(f"Patient/{record}" for record in records)}
        resources, others, broken = self._search(spec.source, {**form, "_count": "200"}, give_up_at)
        cells: list[Cell] = []
        strangers = others
        for resource in resources:
            patient = _subject(resource, spec, self._wire.base_url)
            if patient not in records:
                strangers += 1
            elif resource.get("status") != "entered-in-error":
                cells.append(_cell(resource, spec, patient))
        return Rows(cells, strangers, broken)

    def _search(self, kind: str, form: Mapping[str, str], give_up_at: float) -> tuple[list[Resource], int, int]:
        """Returns the resources of the wanted type, how many were of another, and how many were broken."""
        answer = self._wire.post_form(f"/{kind}/_search", form, give_up_at=give_up_at)
        found: list[Resource] = []
        others = broken = 0
        for _ in range(MOST_PAGES):
            entries, following = self._bundle(answer)
            for entry in entries:
                resource = entry.get("resource") if isinstance(entry, dict) else None
                if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
                    broken += 1
                elif resource["resourceType"] == "OperationOutcome":
                    broken += _is_an_error(resource)
                elif resource["resourceType"] != kind:
                    others += 1
                elif not isinstance(resource.get("id"), str) or not _ID.fullmatch(str(resource["id"])):
                    broken += 1
                else:
                    found.append(resource)
            if following is None:
                return found, others, broken
            answer = self._wire.get_next(following, give_up_at=give_up_at)
        raise ConnectorError(NoAnswerReason.MALFORMED, f"{self.partner.code}: sent more pages than one answer has.")

    def _bundle(self, answer: object) -> tuple[list[object], str | None]:
        wrong = ConnectorError(NoAnswerReason.MALFORMED, f"{self.partner.code}: did not send a search result.")
        if not isinstance(answer, dict) or answer.get("resourceType") != "Bundle" or answer.get("type") != "searchset":
            raise wrong
        # FHIR leaves empty lists out, so a searchset without `entry` is an answer: none.
        entries, links = answer.get("entry", []), answer.get("link", [])
        if not isinstance(entries, list) or not isinstance(links, list):
            raise wrong
        if not entries and answer.get("total", 0) != 0:
            raise wrong
        following = [link.get("url") for link in links if isinstance(link, dict) and link.get("relation") == "next"]
        if not following:
            return entries, None
        if not isinstance(following[0], str):
            raise wrong
        return entries, following[0]


def read_patient(resource: Resource) -> Person:
    """Reads a FHIR Patient as a MAIS Person; an element of the wrong type counts as not said."""
    names = tuple(
        Name(
            tuple(n for n in [_string(name, "family")] if n),
            _strings(name, "given"),
            None,
            _string(name, "use") or None,
        )
        for name in _objects(resource, "name")
    )
    identifiers = tuple(
        Identifier(value.replace(" ", "") if system == NHS_NUMBER else value, system)
        for identifier in _objects(resource, "identifier")
        if (system := _string(identifier, "system")) and (value := _string(identifier, "value"))
    )
    died = _partial(_string(resource, "deceasedDateTime"))
    deceased = resource.get("deceasedBoolean")
    telephones = tuple(
        value
        for telecom in _objects(resource, "telecom")
        if _string(telecom, "system") in ("phone", "sms") and (value := _string(telecom, "value"))
    )
    return Person(
        identifiers=identifiers,
        names=names,
        date_of_birth=_partial(_string(resource, "birthDate")),
        is_deceased=True if died else deceased if isinstance(deceased, bool) else None,
        deceased_date=died,
        addresses=tuple(_address(a) for a in _objects(resource, "address")),
        contacts=(Contact(telephone=telephones),) if telephones else (),
        sex_code=_SEX.get(_string(resource, "gender") or ""),
    )


def _subject(resource: Resource, spec: ItemMapping, base_url: str) -> str | None:
    """The id of the patient that the resource is about, or None when it does not name one of this server."""
    if spec.source == "Patient":
        return str(resource["id"])
    subject = resource.get(spec.record)
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(reference, str):
        return None
    named = re.fullmatch(rf"(?:{re.escape(base_url)}/)?Patient/({_ID.pattern})(?:/_history/{_ID.pattern})?", reference)
    return named[1] if named else None


def _cell(resource: Resource, spec: ItemMapping, patient: str) -> Cell:
    def cell(path: str) -> str | None:
        if path == spec.record:
            return patient
        if path == FHIR_SEAL:
            return str(SealState.WITHHELD if _restricted(resource) else SealState.OPEN)
        return text_at(resource, path)

    return cell


def _restricted(resource: Resource) -> bool:
    meta = resource.get("meta")
    labels = _objects(meta, "security") if isinstance(meta, dict) else []
    return any(_string(s, "system") == _CONFIDENTIALITY and _string(s, "code") in _RESTRICTED for s in labels)


def _is_an_error(outcome: Resource) -> bool:
    return any(_string(issue, "severity") in ("error", "fatal") for issue in _objects(outcome, "issue"))


def _objects(value: Resource, key: str) -> list[Resource]:
    found = value.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _string(value: Resource, key: str) -> str | None:
    found = value.get(key)
    return tidy(found)[:500] or None if isinstance(found, str) else None


def _strings(value: Resource, key: str) -> tuple[str, ...]:
    found = value.get(key)
    texts = [tidy(one)[:500] for one in found if isinstance(one, str)] if isinstance(found, list) else []
    return tuple(text for text in texts if text)


def _address(value: Resource) -> Address:
    lines = _strings(value, "line")
    return Address(
        line1=lines[0] if lines else None,
        line2=", ".join(lines[1:]) or None,
        city=_string(value, "city"),
        postcode=_string(value, "postalCode"),
        use=_string(value, "use"),
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


def _escaped(value: str) -> str:
    """FHIR R4 search.html#escaping: the separators of a search value."""
    return re.sub(r"([\\,$|])", r"\\\1", value)
