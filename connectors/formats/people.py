"""Who a partner's file or query names: from its own columns to MAIS persons, by a mapping table and no code.

For: any table with one person, or one household, per row. Must never guess: a blank cell is None, a value
that the mapping does not know is reported and left out, a date that no format fits is reported and left out,
and no report repeats a value from the row. Ruled by the "people" section of docs/matching.md; the records
follow the Person Standard of the Multi-Agency Information Sharing programme (PUB01, draft of July 2026).
"""

import csv
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from connectors.contract import ConnectorError
from connectors.records import (
    NHS_NUMBER,
    UPN,
    Address,
    Contact,
    Identifier,
    Name,
    PartialDate,
    Person,
    PersonRelationship,
    SourceRecord,
)
from policies.vocabulary import SubjectFlag

#: Short names of identifier systems; any other name without a colon is a system of the partnership's own.
SYSTEMS: Mapping[str, str] = {"nhs_number": NHS_NUMBER, "upn": UPN}
#: What the row's person is to a person inside the row, from what the latter is to the former. HL7 v3
#: PersonalRelationshipRoleType; where the sex of a parent would be needed the general code is used.
INVERSE: Mapping[str, str] = {
    **{
        c: c for c in ("SPS", "DOMPART", "SIGOTHR", "FMRSPS", "ROOM", "FAMMEMB", "EXT", "SIB", "HSIB", "STPSIB", "NSIB")
    },
    **dict.fromkeys(("HUSB", "WIFE"), "SPS"),
    **dict.fromkeys(("BRO", "SIS"), "SIB"),
    **dict.fromkeys(("HBRO", "HSIS"), "HSIB"),
    **dict.fromkeys(("STPBRO", "STPSIS"), "STPSIB"),
    **dict.fromkeys(("CHILD", "SONC", "DAUC"), "PRN"),
    **dict.fromkeys(("NCHILD", "SON", "DAU"), "NPRN"),
    **dict.fromkeys(("CHLDADOPT", "SONADOPT", "DAUADOPT"), "ADOPTP"),
    **dict.fromkeys(("CHLDFOST", "SONFOST", "DAUFOST"), "PRNFOST"),
    **dict.fromkeys(("STPCHLD", "STPSON", "STPDAU"), "STPPRN"),
    **dict.fromkeys(("PRN", "MTH", "FTH"), "CHILD"),
    **dict.fromkeys(("NPRN", "NMTH", "NFTH"), "NCHILD"),
    **dict.fromkeys(("ADOPTP", "ADOPTM", "ADOPTF"), "CHLDADOPT"),
    **dict.fromkeys(("PRNFOST", "MTHFOST", "FTHFOST"), "CHLDFOST"),
    **dict.fromkeys(("STPPRN", "STPMTH", "STPFTH"), "STPCHLD"),
    **dict.fromkeys(("GRPRN", "GRMTH", "GRFTH"), "GRNDCHILD"),
    **dict.fromkeys(("GRNDCHILD", "GRNDSON", "GRNDDAU"), "GRPRN"),
    **dict.fromkeys(("AUNT", "UNCLE"), "NIENEPH"),
}
#: A quoted cell may run over this many lines; beyond that the quote was left open and only its line is lost.
MOST_LINES_IN_A_ROW = 20


def record_system(agency: str) -> str:
    """Returns the identifier system of an agency's own record ids, as stated relationships use it."""
    return f"urn:kith:record:{agency}"


def identifier_system(name: str) -> str:
    """Returns the URI of an identifier system from its short name."""
    return SYSTEMS.get(name) or (name if ":" in name else f"urn:kith:identifier:{name}")


@dataclass(frozen=True, slots=True)
class Reject:
    """A row (`column` empty) or one element of a row that could not be used, and why; never the value itself."""

    source: str
    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Coded:
    """A column and what its values mean; without `values` the cell is taken as it stands."""

    column: str
    values: Mapping[str, str] | None = None
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class NameColumns:
    """The columns of one name; `full` holds a whole name in one cell, family name first where it has a comma."""

    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    full: str | None = None
    separator: str | None = None
    use: str | None = None


@dataclass(frozen=True, slots=True)
class AddressColumns:
    """The columns of one address; several columns of a line are joined with a blank."""

    parts: Mapping[str, tuple[str, ...]]
    use: str | None = None


@dataclass(frozen=True, slots=True)
class PersonColumns:
    """Which columns say what about one person of the row."""

    names: tuple[NameColumns, ...] = ()
    preferred: str | None = None
    date_of_birth: str | tuple[str, ...] | None = None
    deceased: Coded | None = None
    deceased_date: str | None = None
    sex: Coded | None = None
    gender: Coded | None = None
    ethnicity: Coded | None = None
    identifiers: tuple[tuple[str, str], ...] = ()
    addresses: tuple[AddressColumns, ...] = ()
    telephone: tuple[str, ...] = ()
    email: tuple[str, ...] = ()
    household: str | None = None
    reference_relationship: Coded | None = None
    flags: Coded | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    related: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class InsideColumns:
    """A person named inside another's row: `relationship` is what this person is to the row's person."""

    slot: str
    relationship: str
    inverse: str | None
    person: PersonColumns


@dataclass(frozen=True, slots=True)
class RelationshipRows:
    """A file or query that states relationships: `other` is `code` of `record`."""

    file: str | None
    query: str | None
    record: str
    other: str
    code: Coded


@dataclass(frozen=True, slots=True)
class PersonMapping:
    """What the columns of one partner's table of people mean."""

    agency: str
    record: str
    date_formats: tuple[str, ...]
    person: PersonColumns
    inside: tuple[InsideColumns, ...] = ()
    file: str | None = None
    query: str | None = None
    relationships: RelationshipRows | None = None
    no_date: frozenset[str] = frozenset()
    delimiter: str | None = None
    encoding: str = "utf-8-sig"

    @classmethod
    def from_table(cls, table: Mapping[str, Any], *, agency: str, file: str | None = None) -> "PersonMapping":
        """Reads one mapping table. Raises ConnectorError naming the key that is unknown or of the wrong shape."""
        t = _Table(table, f"people of {agency}")
        mapping = cls(
            agency=agency,
            record=t.text("record"),
            date_formats=t.texts("date_formats") or ("%Y-%m-%d",),
            person=_person_columns(t.table("person")),
            inside=tuple(_inside(x) for x in t.tables("inside")),
            file=t.maybe("file") or file,
            query=t.maybe("query"),
            relationships=_relationships(t.table("relationships")) if "relationships" in table else None,
            no_date=frozenset(t.texts("no_date")),
            delimiter=t.maybe("delimiter"),
            encoding=t.maybe("encoding") or "utf-8-sig",
        )
        t.done("agency")
        return mapping

    def people_in(self, folder: Path, *, as_of: datetime | None = None) -> "Iterator[SourceRecord | Reject]":
        """Every person named in this mapping's file below `folder`, and what could not be used."""
        return read_people(folder, self, as_of=as_of)

    def columns(self) -> frozenset[str]:
        """Returns every column that the mapping names."""
        people = (self.person, *(i.person for i in self.inside))
        return frozenset({self.record}.union(*(_columns_of(p) for p in people)))


class _Table:
    """A TOML table that is read key by key, so that what nobody asked for can be refused."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        if not isinstance(table, Mapping):
            raise ConnectorError("MAPPING", f"{where}: a table was expected")
        self.rest, self.where = dict(table), where

    def wrong(self, key: str, why: str) -> ConnectorError:
        return ConnectorError("MAPPING", f"{self.where}: {key}: {why}")

    def maybe(self, key: str) -> str | None:
        value = self.rest.pop(key, None)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "a text was expected")
        return value

    def text(self, key: str) -> str:
        value = self.maybe(key)
        if not value:
            raise self.wrong(key, "is missing")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.rest.pop(key, ())
        value = (value,) if isinstance(value, str) else value
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self.wrong(key, "a text or a list of texts was expected")
        return tuple(value)

    def table(self, key: str) -> "_Table":
        return _Table(self.rest.pop(key, {}), f"{self.where}.{key}")

    def tables(self, key: str) -> tuple["_Table", ...]:
        value = self.rest.pop(key, [])
        value = [value] if isinstance(value, Mapping) else value
        return tuple(_Table(v, f"{self.where}.{key}") for v in value)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        inner = self.table(key)
        return tuple((name, inner.text(name)) for name in list(inner.rest))

    def coded(self, key: str) -> Coded | None:
        value = self.rest.get(key)
        if value is None or isinstance(value, str):
            self.rest.pop(key, None)
            return Coded(value) if value else None
        inner = self.table(key)
        values = inner.rest.pop("values", None)
        if values is not None:
            values = {_fold(k): str(v) for k, v in values.items()}
        coded = Coded(inner.text("column"), values, inner.maybe("separator"))
        inner.done()
        return coded

    def done(self, *known: str) -> None:
        if left := sorted(set(self.rest) - set(known)):
            raise self.wrong(", ".join(left), "unknown key")


def _fold(value: str) -> str:
    return " ".join(value.split()).casefold()


def _name_columns(t: _Table, use: str | None) -> NameColumns:
    return NameColumns(t.texts("given"), t.texts("family"), t.maybe("full_name"), None, use)


def _address_columns(t: _Table) -> AddressColumns:
    use = t.maybe("use")
    parts: dict[str, tuple[str, ...]] = {
        key: t.texts(key) for key in ("line1", "line2", "city", "postcode", "uprn", "usrn") if key in t.rest
    }
    t.done()
    return AddressColumns(parts, use)


def _date_columns(t: _Table, key: str) -> str | tuple[str, ...] | None:
    """One column, or three: `{ day, month, year }`."""
    if not isinstance(t.rest.get(key), Mapping):
        return t.maybe(key)
    inner = t.table(key)
    columns = (inner.maybe("day") or "", inner.maybe("month") or "", inner.text("year"))
    inner.done()
    return columns


def _person_columns(t: _Table) -> PersonColumns:
    names = [_name_columns(t, None)]
    for previous in t.tables("previous"):
        names.append(_name_columns(previous, previous.maybe("use") or "old"))
        previous.done()
    if (aliases := t.coded("aliases")) is not None:
        names.append(NameColumns(full=aliases.column, separator=aliases.separator, use="nickname"))
    columns = PersonColumns(
        names=tuple(names),
        preferred=t.maybe("preferred"),
        date_of_birth=_date_columns(t, "date_of_birth"),
        deceased=t.coded("deceased"),
        deceased_date=t.maybe("deceased_date"),
        sex=t.coded("sex"),
        gender=t.coded("gender"),
        ethnicity=t.coded("ethnicity"),
        identifiers=tuple((identifier_system(name), column) for name, column in t.pairs("identifiers")),
        addresses=tuple(_address_columns(a) for a in t.tables("address")),
        telephone=t.texts("telephone"),
        email=t.texts("email"),
        household=t.maybe("household"),
        reference_relationship=t.coded("reference_relationship"),
        flags=t.coded("flags"),
        valid_from=t.maybe("valid_from"),
        valid_until=t.maybe("valid_until"),
        related=t.pairs("related"),
    )
    t.done()
    return columns


def _inside(t: _Table) -> InsideColumns:
    slot, relationship, inverse = t.text("slot"), t.text("relationship"), t.maybe("inverse")
    return InsideColumns(slot, relationship, inverse or INVERSE.get(relationship), _person_columns(t))


def _relationships(t: _Table) -> RelationshipRows:
    code = t.coded("code")
    if code is None:
        raise t.wrong("code", "is missing")
    rows = RelationshipRows(t.maybe("file"), t.maybe("query"), t.text("record"), t.text("other"), code)
    t.done()
    return rows


def _columns_of(p: PersonColumns) -> set[str]:
    coded = (p.deceased, p.sex, p.gender, p.ethnicity, p.reference_relationship, p.flags)
    born = (p.date_of_birth,) if isinstance(p.date_of_birth, str) else p.date_of_birth or ()
    single = (p.preferred, *born, p.deceased_date, p.household, p.valid_from, p.valid_until)
    found = {c.column for c in coded if c} | {c for c in single if c} | {*p.telephone, *p.email}
    found |= {c for _, c in p.identifiers} | {c for _, c in p.related}
    found |= {c for n in p.names for c in (*n.given, *n.family, *([n.full] if n.full else []))}
    return found | {c for a in p.addresses for part in a.parts.values() for c in part}


def read_mapping(path: Path) -> dict[str, PersonMapping]:
    """Reads a MAPPING.toml: file name -> what its columns mean. Raises ConnectorError naming file and key."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConnectorError("MAPPING", f"{path.name}: {type(error).__name__}, cannot be read as TOML") from error
    whole = _Table(tables, path.name)
    files = whole.table("files")
    whole.done()
    found = {}
    for name in list(files.rest):
        one = files.table(name)
        found[name] = PersonMapping.from_table(one.rest, agency=_Table(one.rest, one.where).text("agency"), file=name)
    return found


@lru_cache(maxsize=65536)
def _parse_date(text: str, formats: tuple[str, ...]) -> PartialDate | None:
    for form in formats:
        try:
            day = datetime.strptime(text, form).date()  # noqa: DTZ007 - a date of birth has no time zone
        except ValueError:
            continue
        knows_day = any(code in form for code in ("%d", "%j", "%x", "%c", "%D", "%F"))
        knows_month = knows_day or any(code in form for code in ("%m", "%b", "%B"))
        return PartialDate(day, "AAA" if knows_day else "UAA" if knows_month else "UUA")
    return None


def _date_of_parts(day: str | None, month: str | None, year: str | None) -> PartialDate | None:
    """A date from its parts; a day or month that is missing or impossible makes it a partial one."""
    if not (year and year.isascii() and year.isdigit() and len(year) == 4):
        return None
    at = int(month) if month and month.isascii() and month.isdigit() else _month(month)
    if at is None or not 1 <= at <= 12:
        return PartialDate(date(max(1, int(year)), 1, 1), "UUA")
    try:
        return PartialDate(date(int(year), at, int(day or "")))
    except ValueError:
        return PartialDate(date(max(1, int(year)), at, 1), "UAA")


def _month(text: str | None) -> int | None:
    for form in ("%b", "%B"):
        try:
            return datetime.strptime(text or "", form).month  # noqa: DTZ007 - a month has no time zone
        except ValueError:
            continue
    return None


def _split_name(text: str, use: str | None) -> Name:
    if "," in text:
        family, _, given = text.partition(",")
        return Name((family.strip(),), tuple(given.split()), use=use)
    words = text.split()
    return Name((words[-1],), tuple(words[:-1]), use=use) if len(words) > 1 else Name((), tuple(words), use=use)


class _Row:
    """One row while it is read: hands out cells, and keeps what was wrong."""

    def __init__(self, cells: Mapping[str, str], mapping: PersonMapping, source: str, line: int) -> None:
        self.cells, self.mapping, self.source, self.line = cells, mapping, source, line
        self.rejects: list[Reject] = []

    def reject(self, column: str, reason: str) -> None:
        self.rejects.append(Reject(self.source, self.line, column, reason))

    def cell(self, column: str | None) -> str | None:
        value = self.cells.get(column) if column else None
        return " ".join(value.split()) or None if value else None

    def filled(self, columns: Iterable[str]) -> tuple[str, ...]:
        return tuple(value for column in columns if (value := self.cell(column)))

    def day(self, column: str | None) -> PartialDate | None:
        value = self.cell(column)
        if value is None or value in self.mapping.no_date:
            return None
        found = _parse_date(value, self.mapping.date_formats)
        if found is None:
            self.reject(column or "", "no date format of the mapping fits")
        return found

    def born(self, columns: str | tuple[str, ...] | None) -> PartialDate | None:
        if not isinstance(columns, tuple):
            return self.day(columns)
        day, month, year = (self.cell(column or None) for column in columns)
        found = _date_of_parts(day, month, year)
        if found is None and (year or month or day):
            self.reject(columns[2], "day, month and year make no date")
        return found

    def code(self, coded: Coded | None) -> str | None:
        value = self.cell(coded.column) if coded else None
        if coded is None or value is None or coded.values is None:
            return value
        meaning = coded.values.get(value.casefold())
        if meaning is None:
            self.reject(coded.column, "the mapping does not know this value")
        return meaning

    def names(self, columns: PersonColumns) -> tuple[Name, ...]:
        found: list[Name] = []
        for n in columns.names:
            if n.full:
                whole = self.cell(n.full)
                parts = whole.split(n.separator) if whole and n.separator else [whole] if whole else []
                found += [_split_name(part, n.use) for part in parts if part.strip()]
            elif (given := self.filled(n.given)) or self.filled(n.family):
                found.append(Name(self.filled(n.family), given, use=n.use))
        preferred = self.cell(columns.preferred)
        if preferred:
            first = found[0] if found else Name()
            found[:1] = [replace(first, preferred=preferred)]
        return tuple(found)

    def addresses(self, columns: PersonColumns) -> tuple[Address, ...]:
        found = []
        for a in columns.addresses:
            lines = {key: " ".join(self.filled(names)) or None for key, names in a.parts.items()}
            if any(lines.values()):
                found.append(Address(**lines, use=a.use))
        return tuple(found)

    def flags(self, coded: Coded | None) -> frozenset[SubjectFlag]:
        value = self.cell(coded.column) if coded else None
        found = set()
        for part in value.split(coded.separator or ";") if value and coded else ():
            name = part.strip()
            name = (coded.values or {}).get(name.casefold(), name) if coded else name
            if name.upper() in SubjectFlag.__members__:
                found.add(SubjectFlag(name.upper()))
            elif name:
                self.reject(coded.column if coded else "", "the mapping does not know this flag")
        return frozenset(found)

    def person(self, p: PersonColumns) -> Person:
        deceased, died = self.code(p.deceased), self.day(p.deceased_date)
        phones, emails = self.filled(p.telephone), self.filled(p.email)
        system = record_system(self.mapping.agency)
        return Person(
            identifiers=tuple(Identifier(value, s) for s, column in p.identifiers if (value := self.cell(column))),
            names=self.names(p),
            date_of_birth=self.born(p.date_of_birth),
            is_deceased=True if died else _truth(deceased),
            deceased_date=died,
            addresses=self.addresses(p),
            contacts=(Contact(email=emails, telephone=phones),) if phones or emails else (),
            gender_code=self.code(p.gender),
            sex_code=self.code(p.sex),
            ethnicity_code=self.code(p.ethnicity),
            related=tuple(
                PersonRelationship(Identifier(value, system), (code,))
                for code, column in p.related
                if (value := self.cell(column))
            ),
        )

    def record(self, p: PersonColumns, record: str, as_of: datetime | None) -> SourceRecord:
        start, end = self.day(p.valid_from), self.day(p.valid_until)
        return SourceRecord(
            agency=self.mapping.agency,
            record=record,
            person=self.person(p),
            household=self.cell(p.household),
            reference_relationship=self.code(p.reference_relationship),
            flags=self.flags(p.flags),
            valid_from=start.date if start else None,
            valid_until=end.date if end else None,
            as_of=as_of,
        )


def _truth(value: str | None) -> bool | None:
    return None if value is None else value.casefold() in ("1", "y", "yes", "true", "deceased")


def _related(person: Person, more: Sequence[PersonRelationship]) -> Person:
    return replace(person, related=person.related + tuple(more)) if more else person


def _whole_row(
    row: _Row, record: str, stated: Sequence[PersonRelationship], as_of: datetime | None
) -> list[SourceRecord]:
    """The row's person and the persons inside the row, tied to each other both ways and by one household."""
    mapping = row.mapping
    head = row.record(mapping.person, record, as_of)
    if not mapping.inside:
        return [replace(head, person=_related(head.person, stated))]
    head = replace(head, household=head.household or record)
    system, others, ties = record_system(mapping.agency), [], list(stated)
    for inside in mapping.inside:
        other = row.record(inside.person, f"{record}#{inside.slot}", as_of)
        if not (other.person.names or other.person.identifiers or other.person.date_of_birth):
            continue
        ties.append(PersonRelationship(Identifier(other.record, system), (inside.relationship,)))
        back = [PersonRelationship(Identifier(record, system), (inside.inverse,))] if inside.inverse else []
        others.append(
            replace(
                other,
                person=replace(_related(other.person, back), addresses=other.person.addresses or head.person.addresses),
                household=other.household or head.household,
                valid_from=other.valid_from or head.valid_from,
                valid_until=other.valid_until or head.valid_until,
            )
        )
    return [replace(head, person=_related(head.person, ties)), *others]


def _stated(
    rows: Iterable[tuple[int, Mapping[str, str]]], mapping: PersonMapping, source: str
) -> tuple[dict[str, list[PersonRelationship]], list[Reject]]:
    found: dict[str, list[PersonRelationship]] = {}
    rejects: list[Reject] = []
    wanted = mapping.relationships
    for line, cells in rows if wanted else ():
        assert wanted is not None
        row = _Row(cells, mapping, source, line)
        record, other, code = row.cell(wanted.record), row.cell(wanted.other), row.code(wanted.code)
        if record and other and code:
            tie = PersonRelationship(Identifier(other, record_system(mapping.agency)), (code,))
            found.setdefault(record, []).append(tie)
        elif not row.rejects:
            row.reject("", "a relationship needs two record ids and a code")
        rejects += row.rejects
    return found, rejects


def people_from_rows(
    rows: Iterable[Mapping[str, str]],
    mapping: PersonMapping,
    *,
    source: str,
    relationships: Iterable[Mapping[str, str]] = (),
    as_of: datetime | None = None,
) -> Iterator[SourceRecord | Reject]:
    """Every person that the rows name, and every row or element that could not be used.

    Takes rows as column -> text (line 2 is the first row), and rows that state relationships, if the
    mapping names such a file or query. A row without a record id, or with an id already seen, is rejected.
    """
    yield from _people(enumerate(rows, 2), mapping, source, enumerate(relationships, 2), as_of)


def _people(
    rows: Iterable[tuple[int, Mapping[str, str]]],
    mapping: PersonMapping,
    source: str,
    relationships: Iterable[tuple[int, Mapping[str, str]]],
    as_of: datetime | None,
) -> Iterator[SourceRecord | Reject]:
    stated, rejects = _stated(relationships, mapping, source)
    yield from rejects
    seen: set[str] = set()
    first = True
    for line, cells in rows:
        if first:
            first = False
            if mapping.record not in cells:
                has = ", ".join(sorted(cells)[:30])
                raise ConnectorError(
                    "MAPPING",
                    f"{source} line 1: no column {mapping.record!r}, the `record` of the mapping; it has: {has}. "
                    "Correct `record`, or set `delimiter`.",
                )
            for column in sorted(mapping.columns() - set(cells)):
                yield Reject(source, 1, column, "the mapping names a column that the file does not have")
        row = _Row(cells, mapping, source, line)
        record = row.cell(mapping.record)
        if record is None or "#" in record or record in seen:
            why = (
                "has no record id" if record is None else "repeats a record id" if record in seen else "has # in its id"
            )
            yield Reject(source, line, "", f"the row {why}")
            continue
        seen.add(record)
        found = _whole_row(row, record, stated.get(record, ()), as_of)
        yield from row.rejects
        yield from found


def read_rows(
    path: Path, *, delimiter: str | None = None, encoding: str = "utf-8-sig"
) -> Iterator[tuple[int, dict[str, str]] | Reject]:
    """The rows of a CSV file with their line numbers; a row that is not readable is a Reject and costs only itself.

    Without a `delimiter` it is what stands most often in the first line: comma, tab, semicolon or bar.
    """
    with path.open("rb") as raw:
        if raw.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            encoding = "utf-16"
    try:
        with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
            lines = file.read().splitlines()
    except (LookupError, UnicodeError) as error:
        raise ConnectorError(
            "FILE", f"{path.name}: cannot be read as {encoding}; set `encoding` in the mapping"
        ) from error
    if delimiter is None:
        heading = next((line for line in lines if line.strip()), "")
        delimiter = max(",\t;|", key=heading.count)
    header: list[str] | None = None
    at = 0
    while at < len(lines):
        start, text = at, lines[at]
        at += 1
        while text.count('"') % 2 and at < len(lines) and at - start < MOST_LINES_IN_A_ROW:
            text += "\n" + lines[at]
            at += 1
        if text.count('"') % 2:
            at = start + 1
            yield Reject(path.name, start + 1, "", "a quotation mark is left open")
            continue
        if not text.strip():
            continue
        cells = next(csv.reader([text], delimiter=delimiter)) if '"' in text else text.split(delimiter)
        if header is None:
            header = [name.strip() for name in cells]
        elif any("\udc80" <= c <= "\udcff" for c in text):
            yield Reject(path.name, start + 1, "", f"bytes that are not {encoding.removesuffix('-sig')}")
        elif len(cells) != len(header):
            yield Reject(path.name, start + 1, "", f"{len(header)} cells expected, {len(cells)} found")
        else:
            yield start + 1, dict(zip(header, cells, strict=True))


def read_people(
    folder: Path, mapping: PersonMapping | Mapping[str, PersonMapping], *, as_of: datetime | None = None
) -> Iterator[SourceRecord | Reject]:
    """Every person named in the files below `folder`, and what could not be used; a missing file is a Reject."""
    for one in mapping.values() if isinstance(mapping, Mapping) else (mapping,):
        path = folder / (one.file or "people.csv")
        if not path.is_file():
            yield Reject(path.name, 0, "", "the file is missing")
            continue
        if not path.stat().st_size:
            yield Reject(path.name, 0, "", "the file is empty")
            continue
        when = as_of or datetime.fromtimestamp(path.stat().st_mtime, UTC)
        ties: list[tuple[int, dict[str, str]]] = []
        if one.relationships and one.relationships.file:
            for found in read_rows(folder / one.relationships.file, delimiter=one.delimiter, encoding=one.encoding):
                if isinstance(found, Reject):
                    yield found
                else:
                    ties.append(found)
        broken: list[Reject] = []

        def readable(
            path: Path = path, one: PersonMapping = one, broken: list[Reject] = broken
        ) -> Iterator[tuple[int, dict[str, str]]]:
            for found in read_rows(path, delimiter=one.delimiter, encoding=one.encoding):
                if isinstance(found, Reject):
                    broken.append(found)
                else:
                    yield found

        yield from _people(readable(), one, path.name, ties, when)
        yield from broken


__all__ = [
    "INVERSE",
    "PersonMapping",
    "Reject",
    "identifier_system",
    "people_from_rows",
    "read_mapping",
    "read_people",
    "read_rows",
    "record_system",
]
