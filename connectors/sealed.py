"""How people and items of an extract are written, sealed and found again.

For: the encrypted partition of one agency. Must never write a value beside the seal: rows are found by blind
keys, and every seal is bound to its row's keys, so that a row moved to another person does not open. Ruled by
design "What is stored, and how it is protected".
"""

import json
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from connectors.contract import Keys
from connectors.records import (
    NHS_NUMBER,
    Address,
    Contact,
    Identifier,
    Item,
    Name,
    PartialDate,
    Person,
    PersonRelationship,
    SourceRecord,
    Value,
)
from policies.vocabulary import DataCategory, FieldKind, ItemForm, SealState, SubjectFlag


def record_key(keys: Keys, agency: str, record: str) -> bytes:
    """Returns the blind key of an agency's record id."""
    return keys.blind(f"record:{agency}", record)


def nhs_key(keys: Keys, agency: str, person: Person) -> bytes | None:
    """Returns the blind key of the person's NHS number, if there is one."""
    number = person.identifier(NHS_NUMBER)
    return keys.blind(f"nhs:{agency}", number.replace(" ", "")) if number else None


def birth_key(keys: Keys, agency: str, person: Person) -> bytes | None:
    """Returns the blind key of the person's date of birth, if it is known."""
    born = person.date_of_birth
    return keys.blind(f"birth:{agency}", born.date.isoformat()) if born else None


def item_context(category: str, person: bytes) -> str:
    """What an item's seal is bound to, beside the agency."""
    return f"extract item {category} {person.hex()}"


def person_context(person: bytes) -> str:
    """What a person's seal is bound to, beside the agency."""
    return f"extract person {person.hex()}"


def write_item(item: Item) -> bytes:
    """An item as bytes, to be sealed."""
    values = [(name, value.kind, value.text) for name, value in item.values.items()]
    day = item.occurred_on.isoformat() if item.occurred_on else None
    return json.dumps([item.id, item.record, item.category, day, values, item.form, item.seal]).encode()


def read_item_back(plain: bytes) -> Item:
    """An item from bytes that were sealed."""
    id_, record, category, day, values, form, seal = json.loads(plain)
    return Item(
        id_,
        record,
        DataCategory(category),
        _day(day),
        MappingProxyType({name: Value(FieldKind(kind), text) for name, kind, text in values}),
        ItemForm(form),
        SealState(seal),
    )


def write_person(record: SourceRecord) -> bytes:
    """A person as bytes, to be sealed; what is empty is left out."""
    p = record.person
    whole = {
        "agency": record.agency,
        "record": record.record,
        "household": record.household,
        "reference": record.reference_relationship,
        "flags": sorted(record.flags),
        "from": record.valid_from and record.valid_from.isoformat(),
        "until": record.valid_until and record.valid_until.isoformat(),
        "ids": [(i.value, i.system) for i in p.identifiers],
        "names": [(n.family, n.given, n.preferred, n.use) for n in p.names],
        "born": _write_partial(p.date_of_birth),
        "deceased": p.is_deceased,
        "died": _write_partial(p.deceased_date),
        "addresses": [(a.line1, a.line2, a.city, a.postcode, a.uprn, a.usrn, a.use) for a in p.addresses],
        "contacts": [(c.name, c.email, c.telephone) for c in p.contacts],
        "gender": p.gender_code,
        "sex": p.sex_code,
        "ethnicity": p.ethnicity_code,
        "related": [(r.identifier.value, r.identifier.system, r.relationship) for r in p.related],
    }
    return json.dumps({key: value for key, value in whole.items() if value not in (None, [], "")}).encode()


def read_person_back(plain: bytes, as_of: datetime | None) -> SourceRecord:
    """A person from bytes that were sealed, as at the day of the drop."""
    d: dict[str, Any] = json.loads(plain)
    person = Person(
        identifiers=tuple(Identifier(*i) for i in d.get("ids", ())),
        names=tuple(Name(tuple(f), tuple(g), preferred, use) for f, g, preferred, use in d.get("names", ())),
        date_of_birth=_partial(d.get("born")),
        is_deceased=d.get("deceased"),
        deceased_date=_partial(d.get("died")),
        addresses=tuple(Address(*a) for a in d.get("addresses", ())),
        contacts=tuple(Contact(name, tuple(e), tuple(t)) for name, e, t in d.get("contacts", ())),
        gender_code=d.get("gender"),
        sex_code=d.get("sex"),
        ethnicity_code=d.get("ethnicity"),
        related=tuple(PersonRelationship(Identifier(v, s), tuple(codes)) for v, s, codes in d.get("related", ())),
    )
    return SourceRecord(
        d["agency"],
        d["record"],
        person,
        d.get("household"),
        d.get("reference"),
        frozenset(SubjectFlag(f) for f in d.get("flags", ())),
        _day(d.get("from")),
        _day(d.get("until")),
        as_of,
    )


def with_zone(moment: datetime) -> datetime:
    """Returns a stored moment with its zone: SQLite gives back UTC without saying so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _write_partial(day: PartialDate | None) -> tuple[str, str] | None:
    return (day.date.isoformat(), day.accuracy) if day else None


def _partial(pair: list[str] | None) -> PartialDate | None:
    return PartialDate(date.fromisoformat(pair[0]), pair[1]) if pair else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
