"""Asks a partner's FHIR R4 server.

For: practices, trusts and the NHS Personal Demographics Service. Must never search by URL (except where the dialect
knows no other way), and never show a resource whose subject is not the patient that was asked for: such a resource
is dropped and counted. Follows HL7 FHIR R4 (4.0.1): search by POST (http.html#search), references
(references.html), Bundle (bundle.html), OperationOutcome (operationoutcome.html); UK Core as GP Connect sends it.
"""

import re
import time
from collections.abc import Mapping

from connectors import pds
from connectors.contract import (
    Answer,
    Ask,
    ConnectorError,
    Coverage,
    ItemMapping,
    NoAnswerReason,
    Partner,
    PersonQuery,
    Promise,
)
from connectors.formats.fhir import (
    Resource,
    is_redacted,
    is_restricted,
    objects,
    read_patient,
    reason_of,
    text_of,
)
from connectors.identify import MOST_CANDIDATES, require_enough
from connectors.live import Rows, answer_live
from connectors.mapping import Cell, only_involvement
from connectors.partner import FHIR_SEAL
from connectors.records import NHS_NUMBER, SourceRecord
from connectors.wire import Wire
from policies.vocabulary import DataCategory, FieldKind, SealState, SubjectFlag

#: Pages of one search that are followed; an answer about one person has one.
MOST_PAGES = 5
#: FHIR R4 datatypes.html#id.
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
#: Statuses with which a server sends an OperationOutcome that says why.
_EXPLAINED = frozenset({400, 404, 405, 409, 410, 412, 422})


class FhirConnector:
    """A partner reached by FHIR R4."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self._is_pds = partner.reach.get("dialect") == "nhs-pds"
        explained = _EXPLAINED if self._is_pds else _EXPLAINED - {404}
        self._wire = Wire(partner, ("application/fhir+json", "application/json"), explained=explained)

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
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
        resources, _, broken = self._search("Patient", form, promise, time.monotonic() + deadline_s)
        if broken or len(resources) > MOST_CANDIDATES:
            raise ConnectorError(NoAnswerReason.MALFORMED, f"{self.partner.code}: did not name at most ten patients.")
        return tuple(
            SourceRecord(
                self.partner.code,
                str(resource["id"]),
                read_patient(resource),
                flags=frozenset({SubjectFlag.SHIELDED} if is_restricted(resource) else ()),
            )
            for resource in resources
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
        hidden = self._restricted(spec, records, fields, ask.promise, give_up_at)
        resources, others, broken = self._search(spec.source, {**form, "_count": "200"}, ask.promise, give_up_at)
        cells: list[Cell] = []
        strangers = others
        for resource in resources:
            patient = _subject(resource, spec, self._wire.base_url, records)
            if patient not in records:
                strangers += 1
            elif resource.get("status") != "entered-in-error":
                cells.append(_cell(resource, spec, patient, hidden=patient in hidden or is_restricted(resource)))
        return Rows(cells, strangers, broken)

    def _restricted(
        self, spec: ItemMapping, records: tuple[str, ...], fields: frozenset[str], promise: Promise, give_up_at: float
    ) -> frozenset[str]:
        """Whose whereabouts must not be read: looked up before anything that locates is read of another resource."""
        if spec.source == "Patient" or all(spec.kind(name) is not FieldKind.WHEREABOUTS for name in fields):
            return frozenset()
        patients, _, broken = self._search("Patient", {"_id": ",".join(records)}, promise, give_up_at)
        known = {str(p["id"]) for p in patients if not is_restricted(p)}
        return frozenset(records) if broken else frozenset(records) - known

    def _search(
        self, kind: str, form: Mapping[str, str], promise: Promise, give_up_at: float
    ) -> tuple[list[Resource], int, int]:
        """Returns the resources of the wanted type, how many were of another, and how many were broken."""
        if self._is_pds:
            answer = pds.search(self._wire, kind, form, promise, give_up_at)
        else:
            answer = self._wire.post_form(f"/{kind}/_search", form, promise=promise, give_up_at=give_up_at)
        found: list[Resource] = []
        others = broken = 0
        for _ in range(MOST_PAGES):
            entries, total, following = self._bundle(answer)
            for entry in entries:
                resource = entry.get("resource") if isinstance(entry, dict) else None
                if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
                    broken += 1
                elif resource["resourceType"] == "OperationOutcome":
                    broken += reason_of(resource) is not None
                elif resource["resourceType"] != kind:
                    others += not _is_beside(entry)
                elif not _is_usable(resource):
                    broken += 1
                else:
                    found.append(resource)
            if following is None:
                # A server that counts more than it sends kept something back without saying so.
                return found, others, broken + (total > len(found) + others + broken)
            answer = self._wire.get_next(following, promise=promise, give_up_at=give_up_at)
        raise ConnectorError(NoAnswerReason.MALFORMED, f"{self.partner.code}: sent more pages than one answer has.")

    def _bundle(self, answer: object) -> tuple[list[object], int, str | None]:
        """Entries, the total that is claimed, where the next page is. Raises ConnectorError with why there is none."""
        wrong = ConnectorError(NoAnswerReason.MALFORMED, f"{self.partner.code}: did not send a search result.")
        if isinstance(answer, dict) and answer.get("resourceType") == "OperationOutcome":
            reason = reason_of(answer) or NoAnswerReason.MALFORMED
            raise ConnectorError(reason, f"{self.partner.code}: reported that it cannot answer.")
        if not isinstance(answer, dict) or answer.get("resourceType") != "Bundle" or answer.get("type") != "searchset":
            raise wrong
        # FHIR leaves empty lists out, so a searchset without `entry` is an answer: none.
        entries, links, total = answer.get("entry", []), answer.get("link", []), answer.get("total", 0)
        if not isinstance(entries, list) or not isinstance(links, list) or type(total) is not int:
            raise wrong
        following = [link.get("url") for link in objects(answer, "link") if link.get("relation") == "next"]
        if not entries and total != 0 and not following:
            raise wrong
        if not following:
            return entries, total, None
        if not isinstance(following[0], str):
            raise wrong
        return entries, total, following[0]


def _subject(resource: Resource, spec: ItemMapping, base_url: str, records: tuple[str, ...]) -> str | None:
    """The id of the patient that the resource is about, or None when it does not name one of this server."""
    if spec.source == "Patient":
        return str(resource["id"])
    subject = resource.get(spec.record)
    if not isinstance(subject, dict):
        return None
    reference, identifier = subject.get("reference"), subject.get("identifier")
    if isinstance(reference, str):
        named = re.fullmatch(
            rf"(?:{re.escape(base_url)}/)?Patient/({_ID.pattern})(?:/_history/{_ID.pattern})?", reference
        )
        return named[1] if named else None
    # PDS names the patient by number only (references.html#logical); its record ids are those numbers.
    if isinstance(identifier, dict) and identifier.get("system") == NHS_NUMBER:
        return next((record for record in records if record == identifier.get("value")), None)
    return None


def _cell(resource: Resource, spec: ItemMapping, patient: str, *, hidden: bool) -> Cell:
    def cell(path: str) -> str | None:
        if path == spec.record:
            return patient
        if path == FHIR_SEAL:
            return str(SealState.WITHHELD if is_restricted(resource) else SealState.OPEN)
        return text_of(resource, path, hidden=hidden)

    return cell


def _is_usable(resource: Resource) -> bool:
    """False without an id, and for what its server marked as invalid."""
    return (
        isinstance(resource.get("id"), str) and bool(_ID.fullmatch(str(resource["id"]))) and not is_redacted(resource)
    )


def _is_beside(entry: object) -> bool:
    """True for what a server sends along on purpose: included resources and remarks (Bundle.entry.search.mode)."""
    search = entry.get("search") if isinstance(entry, dict) else None
    return isinstance(search, dict) and search.get("mode") in ("include", "outcome")


def _escaped(value: str) -> str:
    """FHIR R4 search.html#escaping: the separators of a search value."""
    return re.sub(r"([\\,$|])", r"\\\1", value)
