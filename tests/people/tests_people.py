"""A fresh index per test, and short ways to say who an agency knows."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from connectors import (
    NHS_NUMBER,
    Address,
    Identifier,
    Name,
    PartialDate,
    Person,
    PersonRelationship,
    SourceRecord,
    record_system,
)
from hub.db import Database, make_engine
from hub.keys import KeyRing
from hub.keys import metadata as key_tables
from hub.people import refresh, relink, tables
from policies.vocabulary import SubjectFlag

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def say(
    agency: str,
    record: str,
    given: str = "",
    family: str = "",
    born: str | None = None,
    *,
    nhs: str | None = None,
    sex: str | None = None,
    line1: str | None = None,
    postcode: str | None = None,
    household: str | None = None,
    role: str | None = None,
    ties: tuple[tuple[str, str], ...] = (),
    flags: tuple[SubjectFlag, ...] = (),
    until: str | None = None,
    old_family: str | None = None,
    is_deceased: bool | None = None,
) -> SourceRecord:
    """One record as a connector would hand it over; `ties` are (code, record of the same agency)."""
    names = [Name((family,) if family else (), tuple(given.split()))] if given or family else []
    if old_family:
        names.append(Name((old_family,), tuple(given.split()), use="maiden"))
    return SourceRecord(
        agency,
        record,
        Person(
            identifiers=(Identifier(nhs, NHS_NUMBER),) if nhs else (),
            names=tuple(names),
            date_of_birth=PartialDate(date.fromisoformat(born)) if born else None,
            is_deceased=is_deceased,
            addresses=(Address(line1=line1, postcode=postcode),) if line1 or postcode else (),
            sex_code=sex,
            related=tuple(PersonRelationship(Identifier(r, record_system(agency)), (c,)) for c, r in ties),
        ),
        household=household,
        reference_relationship=role,
        flags=frozenset(flags),
        valid_until=date.fromisoformat(until) if until else None,
        as_of=NOW,
    )


class Index:
    """An index that is filled by records and asked in sessions of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = Database(make_engine(f"sqlite:///{path}"))
        key_tables.create_all(self.db.engine)
        tables.metadata.create_all(self.db.engine)
        self.keys = KeyRing(bytes(range(32)), self.db.session)

    def load(self, *records: SourceRecord, complete: bool = False, agencies: Iterable[str] = ()) -> None:
        agencies = sorted({r.agency for r in records} | set(agencies))
        for agency in agencies:
            self.keys.seal(agency, b"", "first use")
        with self.db.writing() as session:
            for agency in agencies:
                own = [r for r in records if r.agency == agency]
                refresh(session, self.keys, own, agency=agency, now=NOW, complete=complete, link=False)
            relink(session, self.keys, now=NOW)

    def persons(self) -> dict[str, str]:
        """The person of each "agency/record"."""
        with self.db.session() as session:
            rows = session.execute(tables.records.select()).all()
        return {f"{row.agency}/{row.record}": row.person for row in rows}

    def same(self, one: str, other: str) -> bool:
        persons = self.persons()
        return persons[one] == persons[other]

    def session(self) -> Session:
        return Session(self.db.engine)
