"""The records of the MAIS standards as JSON: read strictly, kept whole, and written out again as they came.

For: records that another MAIS node, or an agency that gives notice of an event, sends. Must never guess at a value of
the wrong kind, and never lose what the standard does not know: such keys are kept and named. Ruled by the public drafts
of the Person Standard (PUB01) and the Safeguarding Standard (PUB02) of the Multi-Agency Information Sharing programme,
as of July 2026, and of its exchange operation (FHIR R4 Parameters).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

#: Deeper than this nothing of the standards goes.
DEEPEST = 20


class MaisInvalid(ValueError):
    """No record of the standards: `path` says where and `reason` why, never what was written there."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


class Property(NamedTuple):
    """What a property holds: a type of the standards or a plain kind; how often, at the least and at the most."""

    kind: str
    least: int = 0
    many: bool = True


def one(kind: str) -> Property:
    """A property that is there exactly once."""
    return Property(kind, 1, False)


def maybe(kind: str) -> Property:
    """A property that is there once or not."""
    return Property(kind, 0, False)


_INVOLVED = {"involvement": one("text")}
_PLACE = {
    "identifier": Property("Identifier", 1),
    "name": one("text"),
    "alias": Property("text"),
    "type": Property("text", 1),
    "active": maybe("truth"),
    "address": Property("Address"),
    "contact": Property("Contact", 1),
    "relatedProfessional": Property("Identifier"),
}
_HAPPENING = {
    "identifier": Property("Identifier", 1),
    "type": Property("text", 1),
    "subjectPerson": Property("SubjectPerson", 1),
    "relatedProfessional": Property("RelatedProfessional"),
    "relatedService": Property("Identifier"),
    "timeInformation": Property("TimeInformation"),
    "location": Property("text"),
}
#: Every type of the two standards and its properties, in their order and with their cardinalities.
TYPES: Mapping[str, Mapping[str, Property]] = {
    "Person": {
        "identifier": Property("Identifier", 1),
        "name": Property("Name", 1),
        "dateOfBirth": maybe("PartialDate"),
        "isDeceased": maybe("truth"),
        "deceasedDate": maybe("PartialDate"),
        "address": Property("Address"),
        "contact": Property("Contact"),
        "genderCode": maybe("text"),
        "sexCode": maybe("text"),
        "ethnicityCode": maybe("text"),
        "relatedPerson": Property("PersonRelationship"),
        "primaryContactProfessional": Property("Identifier"),
        "matchedPersonRef": Property("Identifier"),
    },
    "Identifier": {"value": one("text"), "system": one("text")},
    "Name": {
        "familyName": Property("text", 1),
        "givenName": Property("text"),
        "preferredName": maybe("text"),
        "use": maybe("text"),
    },
    "Address": {key: maybe("text") for key in ("line1", "line2", "city", "postcode", "UPRN", "USRN", "use")},
    "Contact": {"name": maybe("text"), "email": Property("text"), "telephone": Property("text")},
    "PersonRelationship": {"identifier": one("Identifier"), "relationship": Property("text", 1)},
    "PartialDate": {"date": one("day"), "accuracyIndicator": maybe("text")},
    "Organisation": _PLACE | {"relatedService": Property("Identifier", 1)},
    "Service": _PLACE | {"relatedOrganisation": Property("Identifier")},
    "Professional": {
        "identifier": Property("Identifier", 1),
        "name": one("Name"),
        "role": Property("text", 1),
        "status": maybe("truth"),
        "contact": one("Contact"),
        "relatedService": Property("Identifier"),
        "relatedOrganisation": Property("Identifier"),
    },
    "ServiceEpisode": _HAPPENING
    | {"relatedService": Property("Identifier", 1), "timeInformation": Property("TimeInformation", 1)}
    | {"location": Property("text", 1), "finding": Property("Finding")},
    "LifeEvent": _HAPPENING,
    "SubjectPerson": {"person": one("Identifier")} | _INVOLVED,
    "RelatedProfessional": {"professional": one("Identifier")} | _INVOLVED,
    "TimeInformation": {
        "startDateTime": one("moment"),
        "endDateTime": maybe("moment"),
        "frequency": maybe("Timing"),
    },
    "Finding": {
        "observation": Property("Observation"),
        "measurement": Property("Measurement"),
        "text": Property("text"),
    },
    "Observation": {
        "type": one("text"),
        "startDate": one("moment"),
        "endDate": maybe("moment"),
    },
    "Measurement": {
        "value": one("number"),
        "unit": one("text"),
        "type": one("text"),
    },
    # FHIR R4: how often something happens, and the parameters of the exchange operation.
    "Timing": {"repeat": maybe("object"), "code": maybe("object")},
    "Parameters": {"parameter": Property("object", 1)},
}
#: Keys of JSON-LD and FHIR that say what an object is.
OF_FORM = frozenset({"@context", "@id", "@type", "resourceType"})


@dataclass(frozen=True, slots=True)
class MaisRecord:
    """One object of the standards: its type, the values of its properties, and what the standard does not know."""

    type: str
    values: Mapping[str, Any]
    others: Mapping[str, Any]
    order: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as it came, key by key."""
        return {key: _written(self.values.get(key, self.others.get(key))) for key in self.order}

    def unknown(self, path: str = "") -> Iterator[str]:
        """Yield where the standard does not know a key, in this object and in those inside it."""
        here = path or self.type
        yield from (f"{here}.{key}" for key in self.others if key not in OF_FORM)
        for key, value in self.values.items():
            for n, each in enumerate(value if isinstance(value, tuple) else (value,)):
                if isinstance(each, MaisRecord):
                    yield from each.unknown(f"{here}.{key}[{n}]" if isinstance(value, tuple) else f"{here}.{key}")


def read_mais(plain: object, expected: str | None = None, path: str = "", depth: int = 0) -> MaisRecord:
    """Read one object from plain JSON data.

    Takes the type that is expected here; where none is, the object says it itself. Raises MaisInvalid.
    """
    if not isinstance(plain, dict):
        raise MaisInvalid(path or ".", "an object is needed")
    if depth > DEEPEST:
        raise MaisInvalid(path, "nested too deeply")
    said = plain.get("@type", plain.get("resourceType", "Timing" if "repeat" in plain else None))
    kind = expected or said
    if not isinstance(kind, str) or kind not in TYPES:
        raise MaisInvalid(path or ".", "not a type of the standards (@type or resourceType)")
    if expected and "@type" in plain and said != expected:
        raise MaisInvalid(f"{path}.@type", f"{expected} is needed")
    here, known = path or kind, TYPES[kind]
    for key, wanted in known.items():
        if wanted.least and plain.get(key) in (None, []):
            raise MaisInvalid(f"{here}.{key}", "missing")
    values = {key: _read(known[key], value, f"{here}.{key}", depth) for key, value in plain.items() if key in known}
    others = {key: value for key, value in plain.items() if key not in known}
    return MaisRecord(kind, MappingProxyType(values), MappingProxyType(others), tuple(plain))


def _read(wanted: Property, plain: Any, path: str, depth: int) -> Any:
    if not wanted.many:
        return _read_value(wanted.kind, plain, path, depth)
    if not isinstance(plain, list):
        raise MaisInvalid(path, "a list is needed")
    return tuple(_read_value(wanted.kind, value, f"{path}[{n}]", depth) for n, value in enumerate(plain))


def _read_value(kind: str, plain: Any, path: str, depth: int) -> Any:
    if kind in TYPES:
        return read_mais(plain, kind, path, depth + 1)
    sound, needed = PLAIN[kind]
    if not sound(plain):
        raise MaisInvalid(path, f"{needed} is needed")
    return plain


def _is_day(plain: Any) -> bool:
    return isinstance(plain, str) and len(plain) == 10 and _parses(date.fromisoformat, plain)


def _is_moment(plain: Any) -> bool:
    return isinstance(plain, str) and "T" in plain and _parses(datetime.fromisoformat, plain)


def _parses(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


#: Plain kinds: whether a value is one, and what to call it.
PLAIN: Mapping[str, tuple[Any, str]] = {
    "text": (lambda plain: isinstance(plain, str), "a text"),
    "truth": (lambda plain: isinstance(plain, bool), "true or false"),
    "number": (lambda plain: isinstance(plain, int | float) and not isinstance(plain, bool), "a number"),
    "object": (lambda plain: isinstance(plain, dict), "an object"),
    "day": (_is_day, "a date (YYYY-MM-DD)"),
    "moment": (_is_moment, "an ISO 8601 date-time"),
}


def _written(value: Any) -> Any:
    if isinstance(value, MaisRecord):
        return value.to_json()
    return [_written(each) for each in value] if isinstance(value, tuple) else value
