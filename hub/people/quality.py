"""What is wrong with an agency's records: found after linking, kept as kinds, told to that agency alone.

For: the data-quality report that goes back to each agency. Must never keep or tell a value, never name the agency that
says otherwise, and never compare with somebody who is protected or adopted (rules P27, P28). Ruled by docs/matching.md.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from connectors import NHS_NUMBER, SourceRecord
from hub.people import tables
from hub.people.homes import is_current, is_same_home
from hub.people.matching.levels import born_level
from hub.people.matching.normalise import born_key, home_of, nhs_number, prepare
from hub.people.persons import records_of_persons
from hub.people.said import flags_of
from hub.people.stored import COLUMNS, Keys, blind_key, chunks, opened
from policies.vocabulary import SubjectFlag

#: Kind -> what it means, in the order of the report.
KINDS: Mapping[str, str] = {
    "NHS_INVALID": "NHS number fails its check digit",
    "NHS_SHARED": "the same NHS number stands on another of your records, of somebody else",
    "NHS_CONFLICT": "another agency holds another NHS number for this person",
    "NHS_MISSING": "no NHS number",
    "BORN_IMPOSSIBLE": "date of birth in the future, or over 120 years ago",
    "BORN_CONFLICT": "another agency holds another date of birth for this person",
    "BORN_PARTIAL": "date of birth not whole",
    "BORN_MISSING": "no date of birth",
    "DUPLICATE": "another of your records is about the same person",
    "NAME_MISSING": "no forename or no surname",
    "SEX_CONFLICT": "another agency holds another sex for this person",
    "SEX_MISSING": "no sex",
    "ADDRESS_CONFLICT": "another agency holds another present address for this person",
    "ADDRESS_MISSING": "no address",
    "POSTCODE_INVALID": "postcode missing or not in the form of one",
}
#: What follows from which records are one person's, or from what other agencies hold: told only of people whom a data
#: steward may compare.
COMPARED = frozenset({"DUPLICATE", "NHS_CONFLICT", "BORN_CONFLICT", "SEX_CONFLICT", "ADDRESS_CONFLICT"})
#: Nobody of these is compared with anybody (rules P27, P28).
_NOT_COMPARED = frozenset(
    {
        SubjectFlag.SHIELDED,
        SubjectFlag.FLEEING_DA,
        SubjectFlag.PROTECTED_PERSON,
        SubjectFlag.ADOPTED,
        SubjectFlag.CASE_LOCKED,
    }
)
#: Records that are read at a time.
_AT_ONCE = 2000
_OLDEST_YEARS = 120
_POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}", re.I)


def look_through(session: Session, keys: Keys, agency: str, *, now: datetime) -> Counter[str]:
    """Looks through every record of an agency and keeps what is wrong with it. Returns how many of each kind.

    Effects: the agency's findings are written anew. Memory does not grow with the number of records.
    """
    table, found = tables.records, tables.findings
    own = select(table.c.id).where(table.c.agency == agency)
    session.execute(delete(found).where(found.c.record_id.in_(own)))
    counted: Counter[str] = Counter()
    last = 0
    while True:
        query = select(*COLUMNS).where(table.c.agency == agency, table.c.id > last).order_by(table.c.id)
        rows = session.execute(query.limit(_AT_ONCE)).all()
        if not rows:
            return counted
        last = rows[-1].id
        told = list(_findings(session, keys, rows, now.date()))
        counted.update(kind for _, kind in told)
        if told:
            session.execute(insert(found), [{"record_id": row, "kind": kind, "found_at": now} for row, kind in told])


def findings(session: Session, agency: str, *, kinds: Iterable[str] | None = None) -> Iterator[tuple[str, str, str]]:
    """(the agency's own record id, kind, person) by record; the person is empty for a record that is held back."""
    table, found = tables.records, tables.findings
    query = (
        select(table.c.record, found.c.kind, table.c.person)
        .join(found, found.c.record_id == table.c.id)
        .where(table.c.agency == agency)
        .order_by(table.c.record, found.c.kind)
    )
    if kinds is not None:
        query = query.where(found.c.kind.in_(sorted(kinds)))
    for row in session.execute(query).yield_per(1000):
        yield row.record, row.kind, row.person or ""


def counts(session: Session, agency: str) -> tuple[int, Counter[str], datetime | None]:
    """How many records the agency has here, how many of each kind of finding, and when they were looked through."""
    table, found = tables.records, tables.findings
    held = session.scalar(select(func.count()).where(table.c.agency == agency)) or 0
    query = (
        select(found.c.kind, func.count(), func.max(found.c.found_at))
        .join(table, table.c.id == found.c.record_id)
        .where(table.c.agency == agency)
        .group_by(found.c.kind)
    )
    rows = session.execute(query).all()
    return held, Counter({kind: n for kind, n, _ in rows}), max((at for *_, at in rows), default=None)


def _findings(session: Session, keys: Keys, rows: Sequence[Any], today: date) -> Iterator[tuple[int, str]]:
    records = {row.id: opened(keys, row) for row in rows}
    persons = records_of_persons(session, keys, {row.person for row in rows if row.person})
    shared = _shared_numbers(session, keys, rows, records)
    for row in rows:
        record = records[row.id]
        yield from ((row.id, kind) for kind in _alone(record, today))
        if row.id in shared:
            yield row.id, "NHS_SHARED"
        together = persons.get(row.person, ())
        if not flags_of(together) & _NOT_COMPARED:
            if any(r.agency == record.agency and r.record != record.record and "#" not in r.record for r in together):
                yield row.id, "DUPLICATE"
            others = [r for r in together if r.agency != record.agency]
            yield from ((row.id, kind) for kind in _against(record, others, today))


def _alone(record: SourceRecord, today: date) -> Iterator[str]:
    """What is wrong with a record by itself. Who is only named inside another's row is not expected to be whole."""
    person, inside = record.person, "#" in record.record
    number, born = person.identifier(NHS_NUMBER), person.date_of_birth
    unborn = SubjectFlag.UNBORN in record.flags
    if number and nhs_number(number) is None:
        yield "NHS_INVALID"
    if born is not None and not unborn:
        if born.date > today or (born.date.year < today.year - _OLDEST_YEARS and not person.is_deceased):
            yield "BORN_IMPOSSIBLE"
        elif born.accuracy != "AAA":
            yield "BORN_PARTIAL"
    if inside or unborn:
        return
    if not number:
        yield "NHS_MISSING"
    if born is None:
        yield "BORN_MISSING"
    if not any(n.given and n.family for n in person.names):
        yield "NAME_MISSING"
    if not person.sex_code:
        yield "SEX_MISSING"
    if not person.addresses:
        yield "ADDRESS_MISSING"
    elif not any(a.postcode and _POSTCODE.fullmatch(a.postcode.strip()) for a in person.addresses):
        yield "POSTCODE_INVALID"


def _against(record: SourceRecord, others: Sequence[SourceRecord], today: date) -> Iterator[str]:
    """What other agencies hold otherwise of the same person; a slip of the pen counts as well as another value."""
    number = nhs_number(record.person.identifier(NHS_NUMBER) or "")
    theirs = {nhs_number(r.person.identifier(NHS_NUMBER) or "") for r in others} - {None}
    if number and theirs - {number}:
        yield "NHS_CONFLICT"
    born = born_key(record.person.date_of_birth)
    dates = [other for r in others if (other := born_key(r.person.date_of_birth))]
    if born and any(born_level(born, other) not in (0, 3) for other in dates):
        yield "BORN_CONFLICT"
    sex = prepare(record).sex
    if sex and any(other not in (None, sex) for other in (prepare(r).sex for r in others)):
        yield "SEX_CONFLICT"
    home = home_of(record)
    if home is not None and home.street and is_current(record, today):
        elsewhere = [h for r in others if is_current(r, today) and (h := home_of(r)) is not None and h.street]
        if elsewhere and not any(is_same_home(home, h) for h in elsewhere):
            yield "ADDRESS_CONFLICT"


def _shared_numbers(
    session: Session, keys: Keys, rows: Sequence[Any], records: Mapping[int, SourceRecord]
) -> frozenset[int]:
    """Rows whose NHS number stands on a record of the same agency that is put to somebody else."""
    number_of: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        if number := nhs_number(records[row.id].person.identifier(NHS_NUMBER) or ""):
            number_of[blind_key(keys, f"i:{NHS_NUMBER}:{number}")].append(row.id)
    agency = rows[0].agency
    holders: dict[int, set[str]] = defaultdict(set)
    for some in chunks(sorted(number_of)):
        query = (
            select(tables.keys.c.key, tables.records.c.person)
            .join(tables.records, tables.records.c.id == tables.keys.c.record_id)
            .where(tables.keys.c.key.in_(some), tables.records.c.agency == agency, tables.records.c.person.is_not(None))
        )
        for key, person in session.execute(query):
            holders[key].add(person)
    return frozenset(row for key, found in number_of.items() if len(holders[key]) > 1 for row in found)
