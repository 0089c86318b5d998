"""The rows of a drop: read one by one, sealed, written in batches, counted, and reported where they are broken.

For: connectors/loading.py, which decides what is loaded and when it becomes visible. Must never let a broken row
sink its file, and never repeat a value of a row in what it reports. Each batch is written together with how far the
load has come, so that a load that broke off goes on where it stopped.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from connectors.contract import ItemMapping, Keys
from connectors.formats.csv_rows import BrokenRow, Row
from connectors.formats.people import PersonMapping, Reject, people_from_rows
from connectors.mapping import read_item, tidy
from connectors.quality import Findings, Tally
from connectors.records import SourceRecord
from connectors.sealed import birth_key, item_context, nhs_key, person_context, record_key, write_item, write_person
from connectors.tables import extract_items, extract_people
from connectors.unfinished import Progress

#: Rows written in one transaction; others may write between two batches.
BATCH_ROWS = 500


class RowsFile(Protocol):
    """One table of a drop, whatever it is written in."""

    @property
    def name(self) -> str:
        """What it is called in reports of what was read."""
        ...

    @property
    def unknown(self) -> Mapping[str, int]:
        """Elements that nobody uses."""
        ...

    @property
    def columns(self) -> Collection[str]:
        """Elements that it may have."""
        ...

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Every row, readable or not."""
        ...


@dataclass(frozen=True, slots=True)
class Into:
    """Where rows go: an agency's partition and the load that is being made."""

    session: Session
    keys: Keys
    agency: str
    load: str
    progress: Progress


def load_people(
    into: Into, mapping: PersonMapping, people_file: RowsFile, ties_file: RowsFile | None, findings: Findings
) -> int:
    """Writes everybody of the drop, step 0 of a load. Returns how many; their rows are counted in `findings`."""
    assert mapping.file is not None
    tally = Tally(mapping.file, "people", sorted(mapping.columns()))
    ties = Tally((mapping.relationships and mapping.relationships.file) or "", "relationships")
    done = into.progress.begin(0)
    at: list[int] = []
    ties_at: list[int] = []
    batch: list[dict[str, Any]] = []
    people = 0

    def before_a_row() -> None:
        nonlocal people
        if done.rows and tally.rows_in == done.rows:  # Here an earlier run stopped.
            tally.restore(done.tally)
            people = done.written
            done.rows = 0
        elif len(batch) >= BATCH_ROWS:
            _write(into, extract_people, batch)
            into.progress.save(0, tally, findings, people)

    def wrong(reject: Reject, of: Tally, whole_row: bool = False) -> None:
        if done.rows:  # An earlier run has listed it.
            of.rows_rejected += whole_row
        else:
            findings.add(reject, of, whole_row)

    tie_rows = _cells(ties_file, ties, wrong, ties_at, lambda: None) if ties_file else iter(())
    rows = _last_line_only(_cells(people_file, tally, wrong, at, before_a_row), at)
    for found in people_from_rows(rows, mapping, source=mapping.file, relationships=tie_rows):
        if isinstance(found, SourceRecord):
            if not done.rows:
                batch.append(_person_row(into, found))
                people += 1
        elif not at and ties_file:  # Relationships are read before the first row of people; one element loses the row.
            wrong(replace(found, source=ties.file, line=ties_at[found.line - 2]), ties, whole_row=True)
        elif found.line == 1:  # A column that the first row does not have; in XML another row may have it.
            if found.column not in people_file.columns:
                wrong(found, tally)
        else:
            wrong(replace(found, line=at[-1]), tally, whole_row=not found.column)
    before_a_row()
    findings.close(people_file, *(t for t in (tally, ties) if t.file))
    _write(into, extract_people, batch)
    into.progress.save(0, None, findings, people)
    return people


def _last_line_only(rows: Iterator[dict[str, str]], at: list[int]) -> Iterator[dict[str, str]]:
    """Keeps the list of line numbers one long: people are read row by row, so only the last is needed."""
    for row in rows:
        del at[:-1]
        yield row


def _person_row(into: Into, person: SourceRecord) -> dict[str, Any]:
    keys, agency = into.keys, into.agency
    key = record_key(keys, agency, person.record)
    return {
        "agency": agency,
        "load": into.load,
        "record_key": key,
        "nhs_key": nhs_key(keys, agency, person.person),
        "birth_key": birth_key(keys, agency, person.person),
        "sealed": keys.seal(agency, write_person(person), person_context(key)),
    }


def _cells(
    file: RowsFile, tally: Tally, wrong: Callable[..., None], at: list[int], before_a_row: Callable[[], None]
) -> Iterator[dict[str, str]]:
    """The usable rows; `at` is told the line of each, because broken rows leave gaps."""
    for row in file.rows():
        before_a_row()
        tally.rows_in += 1
        if isinstance(row, BrokenRow):
            wrong(row.reject, tally, whole_row=True)
            continue
        tally.see(row)
        for reject in row.rejects:
            wrong(reject, tally)
        at.append(row.line)
        yield row.cells


def load_items(into: Into, n: int, spec: ItemMapping, file: RowsFile, findings: Findings) -> int:
    """Writes the items of the partner's `n`th table. Returns how many; a broken row leaves a mark on its person."""
    tally = Tally(spec.source, spec.use, sorted(spec.columns()))
    step, agency, keys = n + 1, into.agency, into.keys
    done = into.progress.begin(step)
    items, to_pass = done.written, done.rows
    if to_pass:
        tally.restore(done.tally)
    else:
        for column in sorted(spec.columns() - set(file.columns)):
            findings.add(
                Reject(spec.source, 1, column, "the mapping names a column that the file does not have"), tally
            )
    first_use = findings.is_first_use(file)
    batch: dict[bytes, tuple[int, dict[str, Any]]] = {}
    for row in file.rows():
        if to_pass:
            to_pass -= 1
            continue
        if len(batch) >= BATCH_ROWS:
            items += _write_items(into, spec, batch, findings, tally)
            into.progress.save(step, tally, findings, items)
        tally.rows_in += 1
        if isinstance(row, BrokenRow):
            findings.add(row.reject, tally, whole_row=True)
            batch |= _mark(into, n, spec, row.reject.line, row.cells)
            continue
        tally.see(row)
        for reject in row.rejects if first_use else ():
            findings.add(reject, tally)
        if spec.sets_aside(row.cells.get):
            tally.rows_set_aside += 1
            continue
        item, problems = read_item(spec, row.cells.get, iso=False)
        for column, reason in problems:
            findings.add(Reject(spec.source, row.line, column, reason), tally, whole_row=item is None)
        if item is None:
            batch |= _mark(into, n, spec, row.line, row.cells)
            continue
        key, person = keys.blind(f"item:{agency}", f"{n}\x1f{item.id}"), record_key(keys, agency, item.record)
        if key in batch:
            findings.add(Reject(spec.source, row.line, spec.id, "repeats an id of this file"), tally, True)
            if batch[key][1]["record_key"] != person:
                batch |= _mark(into, n, spec, row.line, row.cells)
            continue
        sealed = keys.seal(agency, write_item(item), item_context(item.category, person))
        batch[key] = (row.line, _item_row(into, key, person, spec, sealed))
    items += _write_items(into, spec, batch, findings, tally)
    findings.close(file, tally)
    into.progress.save(step, None, findings, items)
    return items


def _mark(
    into: Into, n: int, spec: ItemMapping, line: int, cells: Mapping[str, str]
) -> dict[bytes, tuple[int, dict[str, Any]]]:
    """A mark on the person of a row that could not be used, so that nobody says of them "nothing held"."""
    if not (record := tidy(cells.get(spec.record, ""))):
        return {}
    key = into.keys.blind(f"item:{into.agency}", f"{n}\x1fbroken\x1f{into.load}\x1f{line}")
    return {key: (0, _item_row(into, key, record_key(into.keys, into.agency, record), spec, None))}


def _item_row(into: Into, key: bytes, person: bytes, spec: ItemMapping, sealed: bytes | None) -> dict[str, Any]:
    return {
        "agency": into.agency,
        "load": into.load,
        "item_key": key,
        "record_key": person,
        "category": str(spec.category),
        "broken": int(sealed is None),
        "sealed": sealed,
    }


def _write_items(
    into: Into,
    spec: ItemMapping,
    batch: dict[bytes, tuple[int, dict[str, Any]]],
    findings: Findings,
    tally: Tally,
) -> int:
    """Writes what is new; an id that an earlier batch of this file had is a reject, and the first one stays.

    When the later row was about another person, a mark on that person stays of it.
    """
    t = extract_items.c
    mine = (t.agency == into.agency, t.load == into.load)
    seen = select(t.item_key, t.record_key).where(*mine, t.item_key.in_(list(batch)))
    for key, person in into.session.execute(seen).all() if batch else ():
        line, row = batch.pop(key)
        findings.add(Reject(spec.source, line, spec.id, "repeats an id of this file"), tally, whole_row=True)
        if row["record_key"] != person:
            mark = into.keys.blind(f"item:{into.agency}", f"{key.hex()}\x1fbroken\x1f{into.load}\x1f{line}")
            batch[mark] = (0, {**row, "item_key": mark, "broken": 1, "sealed": None})
    written = sum(not row["broken"] for _, row in batch.values())
    _write(into, extract_items, [row for _, row in batch.values()])
    batch.clear()
    return written


def _write(into: Into, table: Table, rows: list[dict[str, Any]]) -> None:
    """Writes rows; `Progress.save` commits them together with how far the load has come."""
    if rows:
        into.session.execute(insert(table), rows)
        rows.clear()
