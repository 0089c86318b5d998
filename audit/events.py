"""What may be written into the trail: a closed list of event kinds, each with its exact set of keys.

For: every caller of `Trail.append`. An event holds identifiers and codes; it must never hold a name, a date of
birth, an address, an NHS number, free text or anything that was disclosed. Names of kinds and keys are permanent:
they are spelt once, for ever. Ruled by `docs/audit-format.md`; the fields follow IHE BALP (disclosure), W3C PROV
and the Data Protection Act 2018 section 62.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from audit.errors import EventInvalid

#: 2 since whoever acted is sealed as well; entries of version 1 name their pseudonym and stay as they are.
SCHEMA_VERSION = 2

#: RFC 8785 keeps to the whole numbers that a double holds exactly (RFC 7493 section 2.2).
LARGEST_NUMBER = 2**53 - 1

#: A code is what a machine wrote: no spaces (so no sentence and no full name), no controls, nothing beyond ASCII.
#: The at sign is left out so that an e-mail address cannot stand for a user.
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#+|=~-]{0,255}", re.ASCII)
EID = re.compile(r"[0-9a-f]{32}", re.ASCII)
HASH = re.compile(r"(sha256:)?[0-9a-f]{64}", re.ASCII)
TRACE = re.compile(r"[0-9a-f]{32}", re.ASCII)

#: More than this in one list is a bulk operation, which has a count and not a list.
LONGEST_LIST = 1024

_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Kind(StrEnum):
    """Every kind of event there is."""

    SEARCH = "search"
    DISCLOSURE_REQUESTED = "disclosure:requested"
    DISCLOSURE_MADE = "disclosure:made"
    DISCLOSURE_REFUSED = "disclosure:refused"
    CHECK = "check"
    BREAK_GLASS = "break-glass"
    OWNER_RELEASE = "owner-release"
    APPROVAL = "approval"
    CONSENT_ASKED = "consent:asked"
    CONSENT_GIVEN = "consent:given"
    CONSENT_REFUSED = "consent:refused"
    CONSENT_WITHDRAWN = "consent:withdrawn"
    CONSENT_EXPIRED = "consent:expired"
    CONSENT_SUPERSEDED = "consent:superseded"
    CONSENT_DISPUTED = "consent:disputed"
    CONSENT_DECIDED = "consent:decided"
    AGREEMENT_DRAFTED = "agreement:drafted"
    AGREEMENT_SIGNED = "agreement:signed"
    AGREEMENT_ACTIVATED = "agreement:activated"
    AGREEMENT_AMENDED = "agreement:amended"
    AGREEMENT_SUSPENDED = "agreement:suspended"
    AGREEMENT_RESUMED = "agreement:resumed"
    AGREEMENT_ENDED = "agreement:ended"
    MATCH_PROPOSED = "match:proposed"
    MATCH_CONFIRMED = "match:confirmed"
    MATCH_REJECTED = "match:rejected"
    MATCH_SPLIT = "match:split"
    MATCH_QUARANTINED = "match:quarantined"
    COLLECT = "collect"
    ALTER = "alter"
    COMBINE = "combine"
    ERASE = "erase"
    EXPORT = "export"
    AUDIT_READ = "audit:read"
    ALARM = "alarm"
    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    ADMIN = "admin"


#: The five answers of an agency; a time-out never becomes a "no".
ANSWER_STATES = frozenset({"FOUND", "NOTHING_HELD", "WITHHELD", "NO_ANSWER", "NOT_ASKED"})

#: Takes the name of a key and its value; returns the value as plain data, or raises EventInvalid.
Check = Callable[[str, object], Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """The keys that a kind must and may have, and how many persons it may be about."""

    required: frozenset[str]
    optional: frozenset[str]
    fewest_subjects: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, checked against its kind. `subjects` are not here: they travel sealed."""

    eid: str
    t: int
    kind: Kind
    fields: Mapping[str, Any]

    def header(self) -> dict[str, Any]:
        """What every event has."""
        return {"v": SCHEMA_VERSION, "eid": self.eid, "t": self.t, "kind": str(self.kind)}


def build(kind: str, *, now: datetime, subjects: int, fields: Mapping[str, object], eid: str | None = None) -> Event:
    """Check an event against the closed list and freeze it.

    Takes: `subjects`, the number of persons it is about; `eid`, 32 lower-case hexadecimal digits, for a retry.
    Raises: EventInvalid, naming the key and never the value.
    """
    try:
        known = Kind(kind)
    except ValueError:
        raise EventInvalid("No such kind of event.") from None
    shape = SHAPES[known]
    given = {name: value for name, value in fields.items() if value is not None}
    if unknown := given.keys() - shape.required - shape.optional:
        raise EventInvalid(f"{known} has no key {_listed(unknown)}.")
    if missing := shape.required - given.keys():
        raise EventInvalid(f"{known} needs the key {_listed(missing)}.")
    if not given.keys() & {"user", "client"}:
        raise EventInvalid(f"{known} needs a user or a client.")
    if subjects < shape.fewest_subjects:
        raise EventInvalid(f"{known} needs at least {shape.fewest_subjects} subject.")
    if subjects > LONGEST_LIST:
        raise EventInvalid("Too many subjects for one event.")
    frozen = {name: FIELDS[name](name, value) for name, value in given.items()}
    for name in _POINTS_AT_SUBJECTS & frozen.keys():
        _check_subject_numbers(name, frozen[name], subjects)
    if eid is None:
        eid = secrets.token_hex(16)
    elif not isinstance(eid, str) or not EID.fullmatch(eid):
        raise EventInvalid("An event id is 32 lower-case hexadecimal digits.")
    return Event(eid, milliseconds(now), known, frozen)


def canonical(document: object) -> bytes:
    """Write plain values as canonical JSON (RFC 8785).

    The values that this package lets in (ASCII keys, printable ASCII text, whole numbers, lists) are the part of
    RFC 8785 where sorted, compact JSON is already canonical; a test holds it against an independent writer. The
    general writer took six times as long, and this is on the way of every disclosure.
    """
    return _encoder.encode(document).encode()


def milliseconds(now: datetime) -> int:
    """UTC milliseconds since 1970. Raises: EventInvalid for a time without zone."""
    if now.tzinfo is None:
        raise EventInvalid("A time needs its zone.")
    return (now - _EPOCH) // _MILLISECOND


def _listed(names: Iterable[object]) -> str:
    return ", ".join(sorted(repr(str(name)[:40]) for name in names))


def _looks_like_nhs_number(text: str) -> bool:
    """Ten digits with the check digit of an NHS number (NHS Data Dictionary, modulus 11)."""
    digits = text.replace("-", "")
    if len(digits) != 10 or not digits.isdigit():
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and int(digits[9]) == check % 11


# Each check returns a plain copy of the value, so that nothing can change afterwards.


def _code(name: str, value: object) -> str:
    if not isinstance(value, str) or not CODE.fullmatch(value):
        raise EventInvalid(f"{name!r} is not a code.")
    if len(value) in (10, 12) and _looks_like_nhs_number(value):
        raise EventInvalid(f"{name!r} looks like an NHS number, which has no place in the trail.")
    return str(value)


def _matching(pattern: re.Pattern[str], words: str) -> Check:
    def check(name: str, value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise EventInvalid(f"{name!r} is not {words}.")
        return str(value)

    return check


def _moment(name: str, value: object) -> int:
    """A time, as UTC milliseconds."""
    if isinstance(value, datetime):
        return milliseconds(value)
    if type(value) is not int or not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise EventInvalid(f"{name!r} is neither a time nor a whole number.")
    return value


def _count(name: str, value: object) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST_NUMBER:
        raise EventInvalid(f"{name!r} is not a count.")
    return value


def _answer_state(name: str, value: object) -> str:
    if not isinstance(value, str) or value not in ANSWER_STATES:
        raise EventInvalid(f"{name!r} is none of the five answers.")
    return str(value)


def _list(item: Check) -> Check:
    def check(name: str, value: object) -> list[Any]:
        if not isinstance(value, list | tuple) or len(value) > LONGEST_LIST:
            raise EventInvalid(f"{name!r} is not a list of at most {LONGEST_LIST}.")
        return [item(name, element) for element in value]

    return check


def _record(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    both = {**required, **optional}

    def check(name: str, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise EventInvalid(f"{name!r} is not a record.")
        given = {key: element for key, element in value.items() if element is not None}
        if unknown := given.keys() - both.keys():
            raise EventInvalid(f"{name!r} has no key {_listed(unknown)}.")
        if missing := required.keys() - given.keys():
            raise EventInvalid(f"{name!r} needs the key {_listed(missing)}.")
        return {str(key): both[key](key, element) for key, element in given.items()}

    return check


def _check_subject_numbers(name: str, value: list[dict[str, Any]], subjects: int) -> None:
    for element in value:
        if element.get("subject", -1) >= subjects:
            raise EventInvalid(f"{name!r} points at a subject that is not there.")


_hash = _matching(HASH, "a SHA-256 in hexadecimal")
_codes = _list(_code)

#: The check of each key. `subject` in a list is the number of the capsule, counted from 0: never a person's id.
FIELDS: Mapping[str, Check] = {
    "action": _code,
    "outcome": _code,
    "reason": _code,
    "purpose": _code,
    "basis": _record(
        {},
        {
            "article6": _codes,
            "article9": _codes,
            "schedule1": _codes,
            "schedule8": _codes,
            "gateway": _codes,
            "confidentiality": _codes,
        },
    ),
    "agreement": _list(_record({"ref": _code}, {"version": _code, "hash": _hash})),
    "user": _record({"issuer": _code, "subject": _code, "role": _code, "agency": _code}, {"assurance": _code}),
    "client": _record({"id": _code}, {"key": _code}),
    "source": _codes,
    "recipient": _code,
    "custodian": _code,
    "authoriser": _record({"subject": _code, "role": _code, "agency": _code}, {"issuer": _code, "approval": _code}),
    "data": _list(
        _record(
            {"agency": _code, "category": _code},
            {"fields": _codes, "count": _count, "label": _code, "hash": _hash, "subject": _count},
        )
    ),
    "withheld": _list(
        _record({"agency": _code, "category": _code, "rules": _codes}, {"outcome": _code, "subject": _count})
    ),
    "answers": _list(_record({"agency": _code, "state": _answer_state}, {"as_of": _moment, "subject": _count})),
    "decision": _record({"bundle": _code, "rules": _codes}, {"outcome": _code, "obligations": _codes, "record": _hash}),
    "consent": _list(_record({"id": _code, "version": _count}, {"state": _code})),
    "trace": _matching(TRACE, "a W3C trace id"),
    "query": _hash,
    "enquiry": _code,
    "refers": _list(_matching(EID, "an event id")),
    "object": _record({"type": _code, "id": _code}, {"version": _code, "hash": _hash}),
}

_POINTS_AT_SUBJECTS = frozenset({"data", "withheld", "answers"})

#: What any event may say: who, in which trace, about which enquiry, object and earlier event.
_ALWAYS = frozenset(
    {"action", "outcome", "reason", "user", "client", "trace", "enquiry", "refers", "object", "decision"}
)
_LAWFUL = frozenset({"purpose", "basis", "agreement", "consent", "authoriser", "custodian"})
_SHARING = frozenset({"source", "recipient", "data", "withheld", "answers", "query"})


def _shape(required: str, optional: frozenset[str] = frozenset(), fewest_subjects: int = 0) -> Shape:
    must = frozenset(required.split())
    return Shape(must, (_ALWAYS | optional) - must, fewest_subjects)


_CONSENT = _shape("consent", frozenset({"purpose", "basis", "authoriser", "custodian"}))
_AGREEMENT = _shape("agreement", frozenset({"authoriser", "custodian", "purpose"}))
_MATCH = _shape("outcome", frozenset({"source", "data", "purpose", "authoriser", "agreement"}))
_KEEPING = _shape("", frozenset({"source", "custodian", "data", "purpose", "basis", "agreement", "authoriser"}))

#: One row per kind; a test holds that no kind is missing.
SHAPES: Mapping[Kind, Shape] = {
    Kind.SEARCH: _shape("purpose query outcome", _LAWFUL | _SHARING),
    Kind.DISCLOSURE_REQUESTED: _shape("purpose basis source recipient decision", _LAWFUL | _SHARING, 1),
    Kind.DISCLOSURE_MADE: _shape("purpose basis source recipient decision data answers", _LAWFUL | _SHARING, 1),
    Kind.DISCLOSURE_REFUSED: _shape("purpose reason recipient decision", _LAWFUL | _SHARING),
    Kind.CHECK: _shape("purpose outcome recipient decision", _LAWFUL | _SHARING),
    Kind.BREAK_GLASS: _shape("user purpose reason", _LAWFUL | _SHARING),
    Kind.OWNER_RELEASE: _shape("authoriser custodian outcome", _LAWFUL | _SHARING),
    Kind.APPROVAL: _shape("authoriser action outcome", _LAWFUL | _SHARING),
    **{kind: _CONSENT for kind in Kind if kind.startswith("consent:")},
    **{kind: _AGREEMENT for kind in Kind if kind.startswith("agreement:")},
    **{kind: _MATCH for kind in Kind if kind.startswith("match:")},
    Kind.COLLECT: _shape("data", _KEEPING.optional),
    Kind.ALTER: _shape("object", _KEEPING.optional),
    Kind.COMBINE: _shape("object", _KEEPING.optional),
    Kind.ERASE: _shape("object reason", _KEEPING.optional),
    Kind.EXPORT: _shape("purpose recipient data", _LAWFUL | _SHARING),
    Kind.AUDIT_READ: _shape("user purpose", frozenset({"query", "data", "authoriser", "recipient"})),
    Kind.ALARM: _shape("reason", _LAWFUL | _SHARING),
    Kind.SIGN_IN: _shape("outcome"),
    Kind.SIGN_OUT: _shape(""),
    Kind.ADMIN: _shape("action outcome", frozenset({"agreement", "authoriser", "source", "custodian", "data"})),
}
