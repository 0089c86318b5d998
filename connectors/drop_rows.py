"""The rows of a drop: read one by one, sealed, written in batches, counted, and reported where they are broken.

For: connectors/loading.py, which decides what is loaded and when it becomes visible. Must never let a broken row
sink its file, and never repeat a value of a row in what it reports.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from connectors.contract import ConnectorError, ItemMapping, Keys
from connectors.formats.csv_rows import BrokenRow, CsvFile
from connectors.formats.people import PersonMapping, Reject, people_from_rows
from connectors.mapping import read_item, tidy
from connectors.records import SourceRecord
from connectors.sealed import birth_key, item_context, nhs_key, person_context, record_key, write_item, write_person
from connectors.tables import extract_items, extract_people

#: Rows written in one transaction; others may write between two batches.
BATCH_ROWS = 500
#: Rejects that a report lists one by one; all are counted.
MOST_REJECTS_LISTED = 1000
#: Share of rows of one file that may be unusable before the whole drop is refused as the wrong kind of file.
MOST_ROWS_REJECTED = 0.5


@dataclass(frozen=True, slots=True)
class FileCount:
    """What became of the rows of one file in one use; rows_in = rows_out + rows_rejected."""

    file: str
    use: str
    rows_in: int
    rows_out: int
    rows_rejected: int


@dataclass(slots=True)
class Tally:
    """The rows of one file in one use while they are read."""

    file: str
    use: str
    rows_in: int = 0
    rows_rejected: int = 0

    def close(self) -> FileCount:
        if self.rows_rejected > MOST_ROWS_REJECTED * self.rows_in:
            raise ConnectorError(
                "TOO_MANY_REJECTS",
                f"{self.file}: {self.rows_rejected} of {self.rows_in} rows cannot be used; is it the agreed file?",
            )
        return FileCount(self.file, self.use, self.rows_in, self.rows_in - self.rows_rejected, self.rows_rejected)


@dataclass(slots=True)
class Findings:
    """What the report will say."""

    rejects: list[Reject] = field(default_factory=list)
    unlisted: int = 0
    files: list[FileCount] = field(default_factory=list)

    def add(self, reject: Reject, whole_row_of: Tally | None = None) -> None:
        if whole_row_of is not None:
            whole_row_of.rows_rejected += 1
        if len(self.rejects) < MOST_REJECTS_LISTED:
            self.rejects.append(reject)
        else:
            self.unlisted += 1


def load_people(
    session: Session,
    keys: Keys,
    agency: str,
    load: str,
    mapping: PersonMapping,
    files: dict[str, CsvFile],
    findings: Findings,
) -> int:
    """Writes everybody of the drop. Returns how many people that were; their rows are counted in `findings`."""
    assert mapping.file is not None
    tally = Tally(mapping.file, "people")
    at: list[int] = []
    ties_file = mapping.relationships.file if mapping.relationships else None
    ties = Tally(ties_file or "", "relationships")
    ties_at: list[int] = []
    tie_rows = _cells(files[ties_file], ties, findings, ties_at) if ties_file else iter(())
    rows = _last_line_only(_cells(files[mapping.file], tally, findings, at), at)
    people = 0
    batch: list[dict[str, Any]] = []
    for found in people_from_rows(rows, mapping, source=mapping.file, relationships=tie_rows):
        if isinstance(found, SourceRecord):
            batch.append(_person_row(keys, agency, load, found))
            people += 1
            if len(batch) >= BATCH_ROWS:
                _write(session, extract_people, batch)
        elif not at and ties_file:  # Relationships are read before the first row of people; one element loses the row.
            findings.add(replace(found, source=ties_file, line=ties_at[found.line - 2]), ties)
        elif found.line == 1:
            findings.add(found)
        else:
            findings.add(replace(found, line=at[-1]), None if found.column else tally)
    _write(session, extract_people, batch)
    findings.files += [t.close() for t in (tally, ties) if t.file]
    return people


def _last_line_only(rows: Iterator[dict[str, str]], at: list[int]) -> Iterator[dict[str, str]]:
    """Keeps the list of line numbers one long: people are read row by row, so only the last is needed."""
    for row in rows:
        del at[:-1]
        yield row


def _person_row(keys: Keys, agency: str, load: str, person: SourceRecord) -> dict[str, Any]:
    key = record_key(keys, agency, person.record)
    return {
        "agency": agency,
        "load": load,
        "record_key": key,
        "nhs_key": nhs_key(keys, agency, person.person),
        "birth_key": birth_key(keys, agency, person.person),
        "sealed": keys.seal(agency, write_person(person), person_context(key)),
    }


def _cells(file: CsvFile, tally: Tally, findings: Findings, at: list[int]) -> Iterator[dict[str, str]]:
    """The usable rows; `at` is told the line of each, because broken rows leave gaps."""
    for row in file.rows():
        tally.rows_in += 1
        if isinstance(row, BrokenRow):
            findings.add(row.reject, tally)
            continue
        for reject in row.rejects:
            findings.add(reject)
        at.append(row.line)
        yield row.cells


def load_items(
    session: Session, keys: Keys, agency: str, load: str, n: int, spec: ItemMapping, file: CsvFile, findings: Findings
) -> int:
    """Writes the items of the partner's `n`th table. Returns how many; a broken row leaves a mark on its person."""
    tally = Tally(spec.source, str(spec.category))
    for column in sorted(spec.columns() - set(file.columns)):
        findings.add(Reject(spec.source, 1, column, "the mapping names a column that the file does not have"))
    items = 0
    batch: dict[bytes, tuple[int, dict[str, Any]]] = {}
    for row in file.rows():
        tally.rows_in += 1
        if isinstance(row, BrokenRow):
            findings.add(row.reject, tally)
            if record := tidy(row.cells.get(spec.record, "")):
                key = keys.blind(f"item:{agency}", f"{n}\x1fbroken\x1f{row.reject.line}")
                batch[key] = (0, _item_row(agency, load, key, record_key(keys, agency, record), spec, None))
        else:
            for reject in row.rejects:
                findings.add(reject)
            item, problems = read_item(spec, row.cells.get, iso=False)
            for column, reason in problems:
                findings.add(Reject(spec.source, row.line, column, reason), tally if item is None else None)
            if item is None:
                continue
            key = keys.blind(f"item:{agency}", f"{n}\x1f{item.id}")
            if key in batch:
                findings.add(Reject(spec.source, row.line, spec.id, "repeats an id of this file"), tally)
                continue
            person = record_key(keys, agency, item.record)
            sealed = keys.seal(agency, write_item(item), item_context(item.category, person))
            batch[key] = (row.line, _item_row(agency, load, key, person, spec, sealed))
        if len(batch) >= BATCH_ROWS:
            items += _write_items(session, agency, load, spec, batch, findings, tally)
    items += _write_items(session, agency, load, spec, batch, findings, tally)
    findings.files.append(tally.close())
    return items


def _item_row(
    agency: str, load: str, key: bytes, person: bytes, spec: ItemMapping, sealed: bytes | None
) -> dict[str, Any]:
    return {
        "agency": agency,
        "load": load,
        "item_key": key,
        "record_key": person,
        "category": str(spec.category),
        "broken": int(sealed is None),
        "sealed": sealed,
    }


def _write_items(
    session: Session,
    agency: str,
    load: str,
    spec: ItemMapping,
    batch: dict[bytes, tuple[int, dict[str, Any]]],
    findings: Findings,
    tally: Tally,
) -> int:
    """Writes what is new; an id that an earlier batch of this file had is a reject, and the first one stays."""
    t = extract_items.c
    seen = select(t.item_key).where(t.agency == agency, t.load == load, t.item_key.in_(list(batch)))
    for key in session.execute(seen).scalars() if batch else ():
        line, _ = batch.pop(key)
        findings.add(Reject(spec.source, line, spec.id, "repeats an id of this file"), tally)
    _write(session, extract_items, [row for _, row in batch.values()])
    written = sum(not row["broken"] for _, row in batch.values())
    batch.clear()
    return written


def _write(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)
        session.commit()
        rows.clear()
