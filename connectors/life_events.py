"""A notice of something that happened, read: a MAIS LifeEvent, with what its sender adds to it.

For: the police's domestic abuse notices, missing episodes, Operation Encompass, attendances at hospital. Must never
guess whom a notice is about or when it happened, and never pass over a key that it does not know: a notice that is not
understood is refused by itself, in words that hold nothing of it. MAIS Safeguarding Standard (PUB02), July 2026.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from connectors.formats.people import record_system
from connectors.mais_form import OF_FORM, MaisInvalid, MaisRecord, read_mais
from connectors.records import NHS_NUMBER, Identifier, PartialDate
from policies.vocabulary import AgencyType, DataCategory, Role, Threshold

#: Bytes of one notice as JSON, characters of one text in it, and persons that one may name.
LARGEST_NOTICE, LONGEST_TEXT, MOST_PERSONS = 64 * 1024, 4000, 20
#: What a sender may add to a LifeEvent, beside the standard's own keys: the persons it names, and what it says.
PERSONS, ADDED = "person", "KithNotice"
#: The identifier system of this hub's agencies, by which a sender names a school.
AGENCY = "urn:kith:agency"
_TEXTS = {"circumstances": "circumstances", "childVoice": "child_voice", "risk": "risk"}
_THRESHOLD = frozenset({"kind", "byRole", "at"})
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_HEALTH = frozenset(
    {
        AgencyType.ACUTE_TRUST,
        AgencyType.AMBULANCE,
        AgencyType.ICB,
        AgencyType.GP_PRACTICE,
        AgencyType.HEALTH_VISITING_0_19,
    }
)


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event that is taken: as which category it is decided, and from which kinds of agencies it comes."""

    category: DataCategory
    senders: frozenset[AgencyType]


#: By the code of the standard's vocabulary; `operation-encompass` is ours, as the vocabulary has no word for it.
EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        "safeguarding-concern": EventType(DataCategory.POLICE_INCIDENT, frozenset({AgencyType.POLICE})),
        "operation-encompass": EventType(DataCategory.POLICE_INCIDENT, frozenset({AgencyType.POLICE})),
        "missing-person": EventType(
            DataCategory.CSE_MISSING, frozenset({AgencyType.POLICE, AgencyType.CHILDRENS_SOCIAL_CARE})
        ),
        "ae-attendance": EventType(DataCategory.HEALTH_SUMMARY, _HEALTH),
    }
)


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody whom an event concerns. `part` is the code of what they have to do with it, as the sender gives it."""

    identifier: Identifier
    part: str
    name: str | None = None
    date_of_birth: PartialDate | None = None

    @property
    def nhs_number(self) -> str | None:
        """The NHS number, when that is what identifies them."""
        return self.identifier.value if self.identifier.system == NHS_NUMBER else None


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """One event. `texts` holds circumstances, child_voice and risk as far as given; moments carry their zone.

    `threshold`: that the sender recorded the harm threshold - (kind, by which role, when).
    """

    identifier: Identifier
    types: tuple[str, ...]
    people: tuple[Named, ...]
    started: datetime | None
    ended: datetime | None
    location: str | None
    texts: Mapping[str, str]
    threshold: tuple[Threshold, Role, datetime] | None
    #: Codes of agencies of this hub that the sender names, such as the child's school.
    services: frozenset[str] = frozenset()

    @property
    def category(self) -> DataCategory:
        """As what it is decided."""
        return EVENT_TYPES[self.types[0]].category


def canonical(plain: object) -> bytes:
    """The same notice as the same bytes. Raises MaisInvalid for text that cannot be written, or too much of it."""
    try:
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise MaisInvalid(".", "holds what JSON cannot hold") from None
    if len(text) > LARGEST_NOTICE:
        raise MaisInvalid(".", f"is larger than {LARGEST_NOTICE} bytes")
    return text


def read_life_event(plain: object, *, agency: str, sender: AgencyType) -> LifeEvent:
    """One notice from plain JSON data.

    Takes `agency`, whose notice it is: people may be named by NHS number or by that agency's own record id.
    Raises MaisInvalid, with the place and the reason and never the value.
    """
    record = read_mais(plain, "LifeEvent")
    if left := sorted(set(record.others) - OF_FORM - {PERSONS, ADDED}):
        raise MaisInvalid(f"LifeEvent.{left[0][:40]}", "not a key of a notice")
    types = _types(record.values["type"], sender)
    described = _described(record.others.get(PERSONS, []))
    people = tuple(
        _named(subject, agency, described, f"LifeEvent.subjectPerson[{n}]")
        for n, subject in enumerate(record.values["subjectPerson"])
    )
    if len(people) > MOST_PERSONS or len({one.identifier for one in people}) != len(people):
        raise MaisInvalid("LifeEvent.subjectPerson", f"names somebody twice, or more than {MOST_PERSONS}")
    started, ended = _times(record.values.get("timeInformation", ()))
    texts, threshold = _added(record.others.get(ADDED, {}))
    first: MaisRecord = record.values["identifier"][0]
    if not str(first.values["value"]).isprintable() or not str(first.values["system"]).isprintable():
        raise MaisInvalid("LifeEvent.identifier[0]", "holds characters that cannot be printed")
    return LifeEvent(
        identifier=Identifier(first.values["value"], first.values["system"]),
        types=types,
        people=people,
        started=started,
        ended=ended,
        location="; ".join(record.values.get("location", ())) or None,
        texts=texts,
        threshold=threshold,
        services=frozenset(
            one.values["value"] for one in record.values.get("relatedService", ()) if one.values["system"] == AGENCY
        ),
    )


def _types(codes: tuple[str, ...], sender: AgencyType) -> tuple[str, ...]:
    for n, code in enumerate(codes):
        if code not in EVENT_TYPES:
            raise MaisInvalid(f"LifeEvent.type[{n}]", f"not taken; these are: {', '.join(EVENT_TYPES)}")
        if sender not in EVENT_TYPES[code].senders:
            raise MaisInvalid(f"LifeEvent.type[{n}]", "not taken from this kind of agency")
    if len({EVENT_TYPES[code].category for code in codes}) > 1:
        raise MaisInvalid("LifeEvent.type", "different kinds of events; send one notice for each")
    return tuple(dict.fromkeys(codes))


def _described(people: object) -> Mapping[Identifier, MaisRecord]:
    """The Person records beside the event, by each of their identifiers."""
    if not isinstance(people, list):
        raise MaisInvalid(f"LifeEvent.{PERSONS}", "a list is needed")
    found: dict[Identifier, MaisRecord] = {}
    for n, plain in enumerate(people):
        person = read_mais(plain, "Person", f"LifeEvent.{PERSONS}[{n}]")
        for one in person.values["identifier"]:
            found[Identifier(one.values["value"], one.values["system"])] = person
    return found


def _named(subject: MaisRecord, agency: str, described: Mapping[Identifier, MaisRecord], path: str) -> Named:
    said = subject.values["person"].values
    identifier = Identifier(said["value"], said["system"])
    if identifier.system == NHS_NUMBER:
        if not re.fullmatch(r"\d{10}", identifier.value):
            raise MaisInvalid(f"{path}.person.value", "an NHS number has ten digits")
    elif identifier.system != record_system(agency) or not 0 < len(identifier.value) <= 100:
        raise MaisInvalid(f"{path}.person.system", f"not {NHS_NUMBER} and not {record_system(agency)}")
    if not identifier.value.isprintable():
        raise MaisInvalid(f"{path}.person.value", "holds characters that cannot be printed")
    part = subject.values["involvement"]
    if not _CODE.fullmatch(part):
        raise MaisInvalid(f"{path}.involvement", "not a code")
    person = described.get(identifier)
    if person is None:
        return Named(identifier, part)
    name = person.values["name"][0].values
    words = (*name.get("givenName", ()), *name["familyName"])
    born = person.values.get("dateOfBirth")
    return Named(
        identifier,
        part,
        " ".join(words)[:200],
        PartialDate(date.fromisoformat(born.values["date"]), born.values.get("accuracyIndicator") or "AAA")
        if born
        else None,
    )


def _times(times: tuple[MaisRecord, ...]) -> tuple[datetime | None, datetime | None]:
    """When it began and ended: the first of the times that the notice gives."""
    if not times:
        return None, None
    path = "LifeEvent.timeInformation[0]"
    started = _moment(times[0].values["startDateTime"], f"{path}.startDateTime")
    end = times[0].values.get("endDateTime")
    ended = _moment(end, f"{path}.endDateTime") if end is not None else None
    if ended is not None and ended < started:
        raise MaisInvalid(f"{path}.endDateTime", "before the start")
    return started, ended


def _moment(text: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MaisInvalid(path, "not a date-time") from None
    if moment.tzinfo is None or not 1900 < moment.year < 2200:
        raise MaisInvalid(path, "a date-time needs its zone, and a year of our time")
    return moment


def _added(plain: Any) -> tuple[Mapping[str, str], tuple[Threshold, Role, datetime] | None]:
    path = f"LifeEvent.{ADDED}"
    if not isinstance(plain, dict) or (left := sorted(set(map(str, plain)) - {*_TEXTS, "threshold"})):
        raise MaisInvalid(path if not isinstance(plain, dict) else f"{path}.{left[0][:40]}", "not understood")
    texts = {}
    for key, name in _TEXTS.items():
        if (text := plain.get(key)) is None:
            continue
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_TEXT:
            raise MaisInvalid(f"{path}.{key}", f"a text of at most {LONGEST_TEXT} characters is needed")
        texts[name] = text.strip()
    reached = plain.get("threshold")
    if reached is None:
        return MappingProxyType(texts), None
    if not isinstance(reached, dict) or set(reached) != _THRESHOLD:
        raise MaisInvalid(f"{path}.threshold", "kind, byRole and at are needed, and nothing else")
    try:
        kind, role = Threshold(reached["kind"]), Role(reached["byRole"])
    except ValueError:
        raise MaisInvalid(f"{path}.threshold", "not words of the dictionary") from None
    return MappingProxyType(texts), (kind, role, _moment(str(reached["at"]), f"{path}.threshold.at"))
