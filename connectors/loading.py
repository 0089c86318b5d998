"""From the files that a partner dropped to that agency's own encrypted partition.

For: partners without a system to ask. Must never show half a drop: the last good load stays visible until the
new one is complete, and a drop with a missing file or column is refused whole, because a file that is not there
would otherwise read as "nothing held". Its report goes back to the partner and holds no personal data.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.contract import ConnectorError, Keys, Partner
from connectors.drop_files import DropTable, Place, files_of, open_drop
from connectors.drop_rows import Into, load_items, load_people
from connectors.formats.people import PersonMapping, Reject
from connectors.partner import person_mapping
from connectors.quality import FileCount, Findings, Unused
from connectors.sealed import with_zone
from connectors.tables import extract_current, extract_items, extract_people, extract_unfinished
from connectors.unfinished import begin_or_go_on, end, overtaken


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did. `rejects` names lines and columns, never a value; `rejects_unlisted` counts the rest.

    `unused` are the elements that the files have and the mapping, or the format, does not know.
    """

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
    unused: tuple[Unused, ...] = ()


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
    element = (partner.people or {}).get("element") if mapping else None
    places = files_of(mapping, str(element) if element else None, specs)
    files = open_drop(partner, where, places, mapping, specs)
    names = sorted({name for name, _ in places})
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
    before = current.load if current is not None else None
    progress = begin_or_go_on(session, partner.code, fingerprint, now=now)
    _forget(session, partner.code, keep=(before, progress.load))
    findings = Findings()
    if progress.saved:
        findings.restore(progress.saved["findings"])
    into = Into(session, keys, partner.code, progress.load, progress)
    try:
        people, items = _load_all(into, partner, mapping, places, files, findings)
        about = {"fingerprint": fingerprint, "as_of": as_of, "loaded_at": now}
        _make_visible(into, before, people, items, about)
    except ConnectorError:
        session.rollback()
        if not end(session, partner.code, progress.owner):  # The rows are another run's, which read them as repeats.
            session.rollback()
            raise overtaken(partner.code) from None
        _delete_load(session, partner.code, progress.load)
        raise
    except BaseException:
        session.rollback()  # What was committed stays, unseen: the next run of these files goes on from there.
        raise
    _forget(session, partner.code, keep=(progress.load,))
    return LoadReport(
        partner.code,
        progress.load,
        now,
        as_of,
        False,
        people,
        items,
        tuple(findings.files),
        tuple(findings.rejects),
        findings.unlisted,
        tuple(findings.unused),
    )


def _load_all(
    into: Into,
    partner: Partner,
    mapping: PersonMapping | None,
    places: list[Place],
    files: dict[Place, DropTable],
    findings: Findings,
) -> tuple[int, int]:
    """Every step that an earlier run has not brought to its end. Returns how many people and items there are."""
    done = into.progress.finished
    if not done:
        ties = mapping.relationships.file if mapping and mapping.relationships else None
        if mapping:
            load_people(into, mapping, files[places[0]], files[ties, None] if ties else None, findings)
        else:
            into.progress.save(0, None, findings, 0)
    for n, spec in enumerate(partner.items if partner.way == "extract" else ()):
        if len(done) <= n + 1:
            load_items(into, n, spec, files[spec.source, spec.element], findings)
    return done[0], sum(done[1:])


def forget_drop(session: Session, agency: str) -> None:
    """Deletes everything that an agency dropped, for an agency that leaves or whose key was destroyed.

    Effects: commits. Until the next load the agency's answer is NOT_CONFIGURED, never "nothing held".
    """
    session.execute(delete(extract_current).where(extract_current.c.agency == agency))
    session.execute(delete(extract_unfinished).where(extract_unfinished.c.agency == agency))
    session.commit()
    _forget(session, agency, keep=())


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


def _fingerprint(partner: Partner, where: Path, names: list[str]) -> bytes:
    """SHA-256 over every file and over how it is read: the same files with another mapping are another load."""
    people = json.dumps(dict(partner.people or {}), sort_keys=True, default=str)
    written = _said(partner, "encoding"), _said(partner, "delimiter")
    whole = hashlib.sha256(repr((partner.items, people, written)).encode())
    for name in names:
        with (where / name).open("rb") as file:
            whole.update(name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return whole.digest()


def _make_visible(into: Into, before: str | None, people: int, items: int, about: dict[str, Any]) -> None:
    """The one moment: from here on readers see the new load. Refused when rows are missing or another came first."""
    session, agency, load = into.session, into.agency, into.load
    stored = [
        session.execute(select(func.count()).where(t.c.agency == agency, t.c.load == load, *more)).scalar_one()
        for t, more in ((extract_people, ()), (extract_items, (extract_items.c.broken == 0,)))
    ]
    row = {"load": load, "people": people, "items": items, **about}
    done = stored == [people, items] and end(session, agency, into.progress.owner)
    if done and before is None:
        try:
            session.execute(insert(extract_current).values(agency=agency, **row))
        except IntegrityError:
            done = False
    elif done:
        same = (extract_current.c.agency == agency, extract_current.c.load == before)
        done = bool(session.execute(update(extract_current).where(*same).values(**row)).rowcount)  # type: ignore[attr-defined]
    if not done:
        raise overtaken(agency)
    session.commit()


def _forget(session: Session, agency: str, *, keep: tuple[str | None, ...]) -> None:
    """Deletes what older or abandoned loads left behind."""
    kept = [load for load in keep if load]
    for table in (extract_people, extract_items):
        session.execute(delete(table).where(table.c.agency == agency, table.c.load.not_in(kept)))
        session.commit()


def _delete_load(session: Session, agency: str, load: str) -> None:
    for table in (extract_people, extract_items):
        session.execute(delete(table).where(table.c.agency == agency, table.c.load == load))
    session.commit()
