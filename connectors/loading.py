"""From the files that a partner dropped to that agency's own encrypted partition.

For: partners without a system to ask. Must never show half a drop: the last good load stays visible until the
new one is complete, and a drop with a missing file or column is refused whole, because a file that is not there
would otherwise read as "nothing held". Its report goes back to the partner and holds no personal data.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.contract import ConnectorError, ItemMapping, Keys, Partner
from connectors.formats.csv_rows import BrokenRow, CsvFile
from connectors.formats.people import PersonMapping, Reject, people_from_rows
from connectors.mapping import read_item, tidy
from connectors.partner import person_mapping
from connectors.records import SourceRecord
from connectors.sealed import (
    birth_key,
    item_context,
    nhs_key,
    person_context,
    record_key,
    with_zone,
    write_item,
    write_person,
)
from connectors.tables import extract_current, extract_items, extract_people

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


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did. `rejects` names lines and columns, never a value; `rejects_unlisted` counts the rest."""

    agency: str
    load: str
    loaded_at: datetime
    as_of: datetime
    unchanged: bool
    people: int
    items: int
    files: tuple[FileCount, ...] = ()
    rejects: tuple[Reject, ...] = ()
    rejects_unlisted: int = 0


@dataclass(slots=True)
class _Tally:
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
class _Findings:
    """What the report will say."""

    rejects: list[Reject] = field(default_factory=list)
    unlisted: int = 0
    files: list[FileCount] = field(default_factory=list)

    def add(self, reject: Reject, whole_row_of: _Tally | None = None) -> None:
        if whole_row_of is not None:
            whole_row_of.rows_rejected += 1
        if len(self.rejects) < MOST_REJECTS_LISTED:
            self.rejects.append(reject)
        else:
            self.unlisted += 1


def load_drop(session: Session, keys: Keys, partner: Partner, folder: Path, *, now: datetime) -> LoadReport:
    """Loads all files of a partner's drop, or none.

    Takes `folder`: the drops folder, above the partner's own; and a session of its own with nothing pending,
    not inside `session.begin()`.
    Returns the report, marked `unchanged` when the same files were loaded before with the same mapping.
    Raises ConnectorError: MISSING_FILE, MISSING_COLUMN, NO_HEADING, TOO_MANY_REJECTS, NOT_CONFIGURED,
    INTERRUPTED (another load of this agency ran); the last good load stays visible.
    Effects: commits batch by batch; rows of the previous load are deleted once the new one is visible.
    """
    where = _own_folder(partner, folder)
    mapping = person_mapping(partner)
    mapping = mapping if mapping and mapping.file else None
    specs = partner.items if partner.way == "extract" else ()
    if mapping is None and not specs:
        raise ConnectorError("NOT_CONFIGURED", f"{partner.code}: its file names nothing to load")
    names = sorted({*_people_files(mapping), *(spec.source for spec in specs)})
    files = _open_files(partner, where, names, mapping, specs)
    fingerprint = _fingerprint(partner, where, names)
    as_of = min(now, *(datetime.fromtimestamp((where / n).stat().st_mtime, UTC) for n in names))

    current = session.execute(select(extract_current).where(extract_current.c.agency == partner.code)).one_or_none()
    session.commit()
    if current is not None and current.fingerprint == fingerprint:
        return LoadReport(
            partner.code,
            current.load,
            with_zone(current.loaded_at),
            with_zone(current.as_of),
            True,
            current.people,
            current.items,
        )
    keys.seal(partner.code, b"", "warm")  # Makes the agency's key now: not while this session holds a write lock.
    load = uuid.uuid4().hex
    findings = _Findings()
    try:
        _forget(session, partner.code, keep=current.load if current is not None else None)
        people = _load_people(session, keys, partner.code, load, mapping, files, findings) if mapping else 0
        items = sum(
            _load_items(session, keys, partner.code, load, n, spec, files[spec.source], findings)
            for n, spec in enumerate(specs)
        )
        _make_visible(session, partner.code, load, current.load if current is not None else None, people, items,
                      {"fingerprint": fingerprint, "as_of": as_of, "loaded_at": now})  # fmt: skip
    except BaseException:
        session.rollback()
        _delete_load(session, partner.code, load)
        raise
    _forget(session, partner.code, keep=load)
    return LoadReport(
        partner.code,
        load,
        now,
        as_of,
        False,
        people,
        items,
        tuple(findings.files),
        tuple(findings.rejects),
        findings.unlisted,
    )


def _own_folder(partner: Partner, folder: Path) -> Path:
    name = partner.reach.get("folder")
    if not isinstance(name, str):
        raise ConnectorError("NOT_CONFIGURED", f"{partner.code}: its file names no folder for dropped files")
    where = (folder / name).resolve()
    if not where.is_relative_to(folder.resolve()):
        raise ConnectorError("NOT_CONFIGURED", f"{partner.code}: its folder leads out of the drops folder")
    return where


def _said(partner: Partner, key: str) -> str:
    """How the partner's files are written; the loader of its file filled in what was left out."""
    return str(partner.reach[key])


def _people_files(mapping: PersonMapping | None) -> list[str]:
    if mapping is None or not mapping.file:
        return []
    more = mapping.relationships.file if mapping.relationships else None
    return [mapping.file, *([more] if more else [])]


def _open_files(
    partner: Partner,
    where: Path,
    names: list[str],
    mapping: PersonMapping | None,
    specs: tuple[ItemMapping, ...],
) -> dict[str, CsvFile]:
    """Reads all headings first, so that everything that is missing is said at once and nothing is written."""
    must: dict[str, set[str]] = {name: set() for name in names}
    if mapping and mapping.file:
        must[mapping.file].add(mapping.record)
        if mapping.relationships and mapping.relationships.file:
            must[mapping.relationships.file] |= {mapping.relationships.record, mapping.relationships.other}
    for spec in specs:
        must[spec.source] |= {spec.id, spec.record}
    opened, wrong = {}, []
    for name in names:
        path = where / name
        if not path.is_file() or path.is_symlink():
            wrong.append(("MISSING_FILE", f"{name}: is not in the drop"))
            continue
        try:
            opened[name] = CsvFile(path, encoding=_said(partner, "encoding"), delimiter=_said(partner, "delimiter"))
        except ConnectorError as error:
            wrong.append((error.code, error.sentence))
            continue
        if missing := sorted(must[name] - set(opened[name].columns)):
            wrong.append(("MISSING_COLUMN", f"{name}: the heading has no column {', '.join(missing)}"))
    if wrong:
        raise ConnectorError(wrong[0][0], f"{partner.code}: nothing was loaded. " + "; ".join(s for _, s in wrong))
    return opened


def _fingerprint(partner: Partner, where: Path, names: list[str]) -> bytes:
    """SHA-256 over every file and over how it is read: the same files with another mapping are another load."""
    people = json.dumps(dict(partner.people or {}), sort_keys=True, default=str)
    written = _said(partner, "encoding"), _said(partner, "delimiter")
    whole = hashlib.sha256(repr((partner.items, people, written)).encode())
    for name in names:
        with (where / name).open("rb") as file:
            whole.update(name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return whole.digest()


def _load_people(
    session: Session,
    keys: Keys,
    agency: str,
    load: str,
    mapping: PersonMapping,
    files: dict[str, CsvFile],
    findings: _Findings,
) -> int:
    assert mapping.file is not None
    tally = _Tally(mapping.file, "people")
    at: list[int] = []
    ties_file = mapping.relationships.file if mapping.relationships else None
    ties = _Tally(ties_file or "", "relationships")
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
        elif not at and ties_file:  # Relationships are read before the first row of people.
            findings.add(replace(found, source=ties_file, line=ties_at[found.line - 2]), None if found.column else ties)
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


def _cells(file: CsvFile, tally: _Tally, findings: _Findings, at: list[int]) -> Iterator[dict[str, str]]:
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


def _load_items(
    session: Session, keys: Keys, agency: str, load: str, n: int, spec: ItemMapping, file: CsvFile, findings: _Findings
) -> int:
    tally = _Tally(spec.source, str(spec.category))
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
    findings: _Findings,
    tally: _Tally,
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


def _make_visible(
    session: Session, agency: str, load: str, before: str | None, people: int, items: int, about: dict[str, Any]
) -> None:
    """The one moment: from here on readers see the new load. Refused when rows are missing or another came first."""
    stored = [
        session.execute(select(func.count()).where(t.c.agency == agency, t.c.load == load, *more)).scalar_one()
        for t, more in ((extract_people, ()), (extract_items, (extract_items.c.broken == 0,)))
    ]
    row = {"load": load, "people": people, "items": items, **about}
    done = stored == [people, items]
    if done and before is None:
        try:
            session.execute(insert(extract_current).values(agency=agency, **row))
        except IntegrityError:
            done = False
    elif done:
        same = (extract_current.c.agency == agency, extract_current.c.load == before)
        done = bool(session.execute(update(extract_current).where(*same).values(**row)).rowcount)  # type: ignore[attr-defined]
    if not done:
        raise ConnectorError("INTERRUPTED", f"{agency}: another load of this partner ran at the same time; load again")
    session.commit()


def _forget(session: Session, agency: str, *, keep: str | None) -> None:
    """Deletes what older or broken-off loads left behind."""
    for table in (extract_people, extract_items):
        session.execute(delete(table).where(table.c.agency == agency, table.c.load != (keep or "")))
        session.commit()


def _delete_load(session: Session, agency: str, load: str) -> None:
    for table in (extract_people, extract_items):
        session.execute(delete(table).where(table.c.agency == agency, table.c.load == load))
    session.commit()
