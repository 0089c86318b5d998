"""From the files that a partner dropped to that agency's own encrypted partition.

For: partners without a system to ask. Must never show half a drop: the last good load stays visible until the
new one is complete, and a drop with a missing file or column is refused whole, because a file that is not there
would otherwise read as "nothing held". Its report goes back to the partner and holds no personal data.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.contract import ConnectorError, ItemMapping, Keys, Partner
from connectors.drop_rows import FileCount, Findings, load_items, load_people
from connectors.formats.csv_rows import CsvFile
from connectors.formats.people import PersonMapping, Reject
from connectors.partner import person_mapping
from connectors.sealed import (
    with_zone,
)
from connectors.tables import extract_current, extract_items, extract_people


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
    findings = Findings()
    try:
        _forget(session, partner.code, keep=current.load if current is not None else None)
        people = load_people(session, keys, partner.code, load, mapping, files, findings) if mapping else 0
        items = sum(
            load_items(session, keys, partner.code, load, n, spec, files[spec.source], findings)
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


def forget_drop(session: Session, agency: str) -> None:
    """Deletes everything that an agency dropped, for an agency that leaves or whose key was destroyed.

    Effects: commits. Until the next load the agency's answer is NOT_CONFIGURED, never "nothing held".
    """
    session.execute(delete(extract_current).where(extract_current.c.agency == agency))
    session.commit()
    _forget(session, agency, keep=None)


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
