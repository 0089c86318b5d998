"""How a record lies in the matching index: sealed under its agency's key, and reachable by blind keys.

For: the one place that turns a record into bytes and back, and a key into a blind number. Must never store or log
a value in the clear. Ruled by docs/matching.md.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors import (
    Address,
    Contact,
    Identifier,
    Name,
    PartialDate,
    Person,
    PersonRelationship,
    SourceRecord,
)
from hub.people import tables
from hub.people.matching.candidates import keys as linking_keys
from hub.people.matching.normalise import Place, Prepared, home_of
from policies.vocabulary import SubjectFlag

#: How many values one IN list carries; SQLite takes 32,766 and both plan short lists well.
CHUNK = 500


class Keys(Protocol):
    """What this room needs of the key ring."""

    def seal(self, agency: str, plaintext: bytes, context: str) -> bytes: ...
    def open(self, agency: str, sealed: bytes, context: str) -> bytes: ...
    def blind(self, index: str, value: str) -> bytes: ...


def blind_key(keys: Keys, value: str) -> int:
    """A key as the index stores it: 8 of the 16 blind bytes as a signed number."""
    return int.from_bytes(keys.blind("match", value)[:8], "big", signed=True)


def household_key(agency: str, household: str) -> str:
    """Finds the records of one household, tenancy or family reference of an agency."""
    return f"h:{agency}:{household}"


def relation_key(system: str, record: str) -> str:
    """Finds the records that state a relationship to this record."""
    return f"r:{system}:{record}"


def dwelling_keys(home: Place) -> set[str]:
    """Find the records at the same dwelling: spelt the same, or with the same number and start of the street."""
    found = {f"A:{home.key}"} if home.key else set()
    if home.number and home.street:
        found.add(f"B:{home.number}:{home.street.replace(' ', '')[:5]}")
    return found


def keys_of(record: SourceRecord, prepared: Prepared) -> set[str]:
    """Every key under which a record is found: for linking, for search and for the family."""
    found = linking_keys(prepared)
    if record.household:
        found.add(household_key(record.agency, record.household))
    if home := home_of(record):
        found |= dwelling_keys(home)
    found.update(relation_key(tie.identifier.system, tie.identifier.value) for tie in record.person.related)
    return found


def _date(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _partial(day: PartialDate | None) -> list[str] | None:
    return [day.date.isoformat(), day.accuracy] if day else None


def pack(record: SourceRecord) -> bytes:
    """A record as compact JSON without `as_of`, equal for equal records."""
    p = record.person
    whole = [
        [[i.value, i.system] for i in p.identifiers],
        [[n.family, n.given, n.preferred, n.use] for n in p.names],
        _partial(p.date_of_birth),
        p.is_deceased,
        _partial(p.deceased_date),
        [[a.line1, a.line2, a.city, a.postcode, a.uprn, a.usrn, a.use] for a in p.addresses],
        [[c.name, c.email, c.telephone] for c in p.contacts],
        [p.gender_code, p.sex_code, p.ethnicity_code],
        [[r.identifier.value, r.identifier.system, r.relationship] for r in p.related],
        [record.household, record.reference_relationship, sorted(record.flags)],
        [_date(record.valid_from), _date(record.valid_until)],
    ]
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(agency: str, record: str, packed: bytes, as_of: datetime | None) -> SourceRecord:
    """The record that `pack` made the bytes from."""
    numbers, names, born, is_deceased, died, addresses, contacts, codes, related, at_home, valid = json.loads(packed)

    def partial(raw: list[str] | None) -> PartialDate | None:
        return PartialDate(date.fromisoformat(raw[0]), raw[1]) if raw else None

    person = Person(
        tuple(Identifier(*i) for i in numbers),
        tuple(Name(tuple(n[0]), tuple(n[1]), n[2], n[3]) for n in names),
        partial(born),
        is_deceased,
        partial(died),
        tuple(Address(*a) for a in addresses),
        tuple(Contact(c[0], tuple(c[1]), tuple(c[2])) for c in contacts),
        codes[0],
        codes[1],
        codes[2],
        tuple(PersonRelationship(Identifier(r[0], r[1]), tuple(r[2])) for r in related),
    )
    start, end = (date.fromisoformat(d) if d else None for d in valid)
    if as_of is not None and as_of.tzinfo is None:
        as_of = as_of.replace(tzinfo=UTC)
    flags = frozenset(SubjectFlag(f) for f in at_home[2])
    return SourceRecord(agency, record, person, at_home[0], at_home[1], flags, start, end, as_of)


def context_of(record: str) -> str:
    """What a sealed record is bound to besides its agency, so that rows cannot be swapped."""
    return f"match-record:{record}"


#: The columns that `opened` needs.
COLUMNS = (
    tables.records.c.id,
    tables.records.c.agency,
    tables.records.c.record,
    tables.records.c.person,
    tables.records.c.sealed,
    tables.records.c.as_of,
)


def opened(keys: Keys, row: Any) -> SourceRecord:
    """The record of one row of `COLUMNS`."""
    return unpack(row.agency, row.record, keys.open(row.agency, row.sealed, context_of(row.record)), row.as_of)


def chunks(values: Iterable[Any]) -> Iterable[Sequence[Any]]:
    """The values in lists that fit one statement."""
    whole = list(values)
    return (whole[at : at + CHUNK] for at in range(0, len(whole), CHUNK))


def rows_of_persons(session: Session, persons: Iterable[str]) -> list[Any]:
    """The rows of all records of these persons, in the order they came in."""
    found: list[Any] = []
    for some in chunks(set(persons)):
        query = select(*COLUMNS).where(tables.records.c.person.in_(some)).order_by(tables.records.c.id)
        found += session.execute(query).all()
    return found
