"""A question of another hub, read: FHIR Parameters with a Patient and the MAIS Request object.

For: the MAIS operation. Must never let through what would stop a decision half way, and never take prose for a case
reference: what is read here gets into the trail, where nothing can be erased.
MAIS: operation-definition (v0.2), Request Object v0.1.
"""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from connectors import NHS_NUMBER, PersonQuery
from hub.errors import FormRefused
from hub.oversight import CASE_REFERENCE
from hub.people import parse_box
from policies.vocabulary import Purpose, Role, Threshold

#: The oldest moment that a request may name; no enquiry is open for longer.
OLDEST = timedelta(days=20 * 365)
#: How far a birth date may be from today.
LONGEST_LIFE = timedelta(days=130 * 366)
#: Ids that a hub draws at random (an enquiry's, an event's, a UUID): their digits are no NHS number.
_DRAWN = re.compile(r"(EN-)?[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Query:
    """A request that was understood. `threshold` is (kind, recorded by which role, when)."""

    id: str
    who: PersonQuery
    purpose: Purpose
    policies: frozenset[str]
    role: Role
    episode: str
    opened_at: datetime
    threshold: tuple[Threshold, Role, datetime] | None


def read_query(plain: object, *, now: datetime) -> Query:
    """A request from FHIR Parameters. Raises FormRefused with the part that is not understood."""
    parameters = plain.get("parameter") if isinstance(plain, dict) else None
    if not isinstance(plain, dict) or plain.get("resourceType") != "Parameters" or not isinstance(parameters, list):
        raise FormRefused({"resourceType": "Parameters are needed."})
    by_name = {p["name"]: p for p in parameters if isinstance(p, dict) and isinstance(p.get("name"), str)}
    if len(by_name) != len(parameters) or set(by_name) != {"resource", "request"}:
        raise FormRefused({"parameter": "resource and request are needed, once each, and nothing else."})
    who = _who(by_name["resource"].get("resource"), now.date())
    try:
        request = _sound(json.loads(by_name["request"]["valueString"]))
        claims = request["KithClaims"]
        recorded = None
        if "Threshold" in claims:
            recorded = (
                Threshold(claims["Threshold"]),
                Role(claims["ThresholdByRole"]),
                _moment(claims["ThresholdAt"], now),
            )
        policies = frozenset(str(p["Identifier"]["value"]) for p in request["SharingPolicy"])
        found = Query(
            id=_reference(request["Identifier"]["value"]),
            who=who,
            purpose=Purpose(request["AssertedPurpose"]),
            policies=policies,
            role=Role(claims["Role"]),
            episode=_reference(claims["Episode"]),
            opened_at=_moment(claims["OpenedAt"], now),
            threshold=recorded,
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        raise FormRefused({"request": "The Request object is not understood."}) from None
    if not found.policies or found.opened_at > now:
        raise FormRefused({"request": "The Request object names no policy, or a moment to come."})
    return found


def _who(patient: object, today: date) -> PersonQuery:
    """Who is meant: by NHS number and date of birth, both."""
    try:
        assert isinstance(patient, dict)
        _sound(patient)
        number = next(i["value"] for i in patient["identifier"] if i["system"] == NHS_NUMBER)
        names = [n for n in patient.get("name", []) if isinstance(n, dict)]
        born = date.fromisoformat(patient["birthDate"])
        query = parse_box(number)
        if abs(today - born) > LONGEST_LIFE:
            raise ValueError
        if query.nhs_number is None or query.words or query.problems:
            raise ValueError
        return PersonQuery(
            given=tuple(str(g) for n in names for g in n.get("given", []))[:10],
            family=tuple(str(n["family"]) for n in names if "family" in n)[:10],
            date_of_birth=born,
            nhs_number=query.nhs_number,
        )
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError, StopIteration):
        raise FormRefused({"resource": "A Patient with NHS number and date of birth is needed."}) from None


def _sound(plain: Any) -> Any:
    """The same, when all text in it can be written down. Raises ValueError for half a character (lone surrogates)."""
    json.dumps(plain, ensure_ascii=False).encode()
    return plain


def _reference(text: object) -> str:
    """The number of a case or request. Raises ValueError for prose, a date or an NHS number."""
    if not isinstance(text, str) or not (_DRAWN.fullmatch(text) or CASE_REFERENCE.fullmatch(text)):
        raise ValueError("no case reference")
    return text


def _moment(text: object, now: datetime) -> datetime:
    """A moment with its zone, within twenty years of now."""
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None or abs(now - moment) > OLDEST:
        raise ValueError("a moment needs its zone, and to be within living memory of a case")
    return moment
