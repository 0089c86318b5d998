"""Asks another hub whether it holds information about a person, and whom to ring.

For: the MAIS operation "Check relevant record exists" with its Request object. Must never send more of the person than
identifies them, never send the worker's reason, and never read DENY or REVIEW as "nothing held".
MAIS: operation-definition (v0.2), Request Object v0.1 (draft, effective 2025-10-01); RFC 7523 section 3.
"""

import hashlib
import json
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from connectors.contract import Answer, Ask, ConnectorError, Coverage, NoAnswerReason, Partner, PersonQuery, Promise
from connectors.identify import require_asked_properly, require_enough
from connectors.mapping import only_involvement, only_permitted, tidy
from connectors.records import NHS_NUMBER, STANDARD_FIELDS, Item, SourceRecord, Value
from connectors.wire import Wire
from policies.vocabulary import AnswerState, DataCategory

OPERATION = "/Patient/$person-info-query"
FHIR_JSON = "application/fhir+json"
#: Seconds that a signed assertion lives; the other hub takes none that lives longer than two minutes.
ASSERTION_S = 60
#: Organisations that one answer may name.
MOST_CONTACTS = 40


class MaisConnector:
    """Another hub."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self._wire = Wire(partner, (FHIR_JSON,))

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        """The operation names nobody. Raises ConnectorError (NOT_CONFIGURED)."""
        raise ConnectorError(NoAnswerReason.NOT_CONFIGURED, f"{self.partner.code}: names nobody.")

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Is this person known, and whom to ring."""
        return self.fetch(replace(ask, wanted=only_involvement(ask.wanted)), deadline_s=deadline_s)

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The same: the operation tells nothing else. Raises ConnectorError with why there is no answer."""
        give_up_at = time.monotonic() + deadline_s
        require_asked_properly(ask)
        query = ask.query or PersonQuery()
        require_enough(query)
        if not query.nhs_number or not query.date_of_birth:
            raise ConnectorError(NoAnswerReason.TOO_THIN, "Another hub is asked by NHS number and date of birth.")
        body = json.dumps(self._parameters(ask, query)).encode()
        headers = {"Authorization": "Bearer " + self._assertion(body)}
        said = self._wire.post(OPERATION, body, FHIR_JSON, headers=headers, promise=ask.promise, give_up_at=give_up_at)
        return self._read(ask, said)

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        return self.partner.coverage

    def close(self) -> None:
        """Effects: closes the pooled connections."""
        self._wire.close()

    def _parameters(self, ask: Ask, query: PersonQuery) -> dict[str, Any]:
        """The FHIR Parameters with the person, and the Request object that says under which policy."""
        assert query.date_of_birth is not None
        reach = self.partner.reach
        person = {
            "resourceType": "Patient",
            "identifier": [{"system": NHS_NUMBER, "value": query.nhs_number}],
            "name": [{"family": name, "given": list(query.given)} for name in query.family],
            "birthDate": query.date_of_birth.isoformat(),
        }
        request = {
            "Identifier": {"value": ask.promise.eid, "System": reach["system"]},
            "DateStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "RequesterIdentifier": {"value": reach["client_id"], "system": reach["system"]},
            "RequestedData": {"Query": {"reference": "resource"}},
            "AssertedPurpose": ask.purpose,
            "SharingPolicy": [{"Identifier": {"value": reach["policy"], "System": reach["system"]}}],
            "KithClaims": dict(ask.claims),
        }
        return {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "resource", "resource": person},
                {"name": "request", "valueString": json.dumps(request)},
            ],
        }

    def _assertion(self, body: bytes) -> str:
        """Signed with our private key, for this one request and its body."""
        reach, now = self.partner.reach, int(time.time())
        try:
            key = ECKey.import_key(Path(str(reach["key_file"])).read_bytes())
        except (OSError, ValueError):
            raise ConnectorError(
                NoAnswerReason.NOT_CONFIGURED, f"{self.partner.code}: our key for it cannot be read."
            ) from None
        claims = {
            "iss": reach["client_id"],
            "sub": reach["client_id"],
            "aud": str(reach["base_url"]) + OPERATION,
            "iat": now,
            "exp": now + ASSERTION_S,
            "jti": secrets.token_urlsafe(24),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        return jwt.encode({"alg": "ES256"}, claims, key)

    def _read(self, ask: Ask, said: object) -> Answer:
        """PERMIT with a match or without; anything else is no answer."""
        found = _by_name(said)
        decision = [p.get("valueCode") for p in found.get("decision", [])]
        if decision not in (["PERMIT"], ["DENY"], ["REVIEW"]):
            raise self._malformed()
        if decision != ["PERMIT"]:
            raise ConnectorError(NoAnswerReason.REFUSED, f"{self.partner.code}: the other hub did not permit it.")
        match = [p.get("valueBoolean") for p in found.get("match", [])]
        if not match and "outcome" in found:
            raise ConnectorError(NoAnswerReason.ERROR, f"{self.partner.code}: not everybody there answered.")
        if match == [False] and "contact" not in found:
            return Answer(ask.agency, ask.person, AnswerState.NOTHING_HELD)
        contacts = [p.get("resource") for p in found.get("contact", [])]
        if match != [True] or not 1 <= len(contacts) <= MOST_CONTACTS:
            raise self._malformed()
        items = [self._item(number, contact) for number, contact in enumerate(contacts, 1)]
        kept, _, _ = only_permitted(items, ask.wanted, frozenset({"match"}))
        return Answer(ask.agency, ask.person, AnswerState.FOUND, kept, records=("match",))

    def _item(self, number: int, contact: object) -> Item:
        if not isinstance(contact, dict) or contact.get("resourceType") != "Organization":
            raise self._malformed()
        name, telecom = contact.get("name"), contact.get("telecom", [])
        phones = [t.get("value") for t in telecom if isinstance(t, dict)] if isinstance(telecom, list) else []
        texts = {"involved": "Yes", "service": name, "contact": next((p for p in phones if isinstance(p, str)), None)}
        if not isinstance(name, str) or len(name) > 200:
            raise self._malformed()
        values = {n: Value(STANDARD_FIELDS[n], tidy(text)[:200]) for n, text in texts.items() if text}
        return Item(f"match-{number}", "match", DataCategory.SERVICE_INVOLVEMENT, None, MappingProxyType(values))

    def _malformed(self) -> ConnectorError:
        return ConnectorError(NoAnswerReason.MALFORMED, f"{self.partner.code}: the answer is not the operation's.")


def _by_name(said: object) -> dict[str, list[dict[str, Any]]]:
    """The parameters of a FHIR Parameters resource, by name; empty for anything else."""
    found: dict[str, list[dict[str, Any]]] = {}
    parameters = said.get("parameter") if isinstance(said, dict) else None
    for one in parameters if isinstance(parameters, list) else []:
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            found.setdefault(one["name"], []).append(one)
    return found
