"""The way of one upload: begun with a signed list, received in parts, completed, loaded, reported.

For: hub/api/uploads.py. Must never load for an agency what another sent, never load the same upload twice, and never
answer with anything that stands in a file: reports name files, lines, columns and reasons.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyrage
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from connectors import ConnectorError, Manifest, Spool, read_manifest
from hub.assembly import Hub
from hub.errors import KeyRefused, NotFound
from hub.loading import Loaded, load_all
from hub.uploads.tables import uploads

#: RECEIVING parts; LOADED; REFUSED: nothing changed, the report says why.
RECEIVING, LOADED, REFUSED = "RECEIVING", "LOADED", "REFUSED"


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload as its sender may know it. `received`: bytes that are here of each file."""

    id: str
    state: str
    received: Mapping[str, int]
    report: Mapping[str, Any]
    receipt: str | None


def begin(hub: Hub, agency: str, plain: object, *, now: datetime) -> Upload:
    """Begins an upload, or finds the same one again. Raises ConnectorError (MANIFEST), KeyRefused."""
    identity_of(hub.settings.age_identity_file)
    manifest = read_manifest(plain, hub.partners[agency])
    text = json.dumps({"mode": manifest.mode, "files": sorted(manifest.files.items())})
    upload = hub.keys.blind("upload", agency + "\x1f" + text).hex()
    row = {"id": upload, "agency": agency, "manifest": plain, "begun_at": now, "state": RECEIVING, "report": {}}
    try:
        with hub.db.writing() as session:
            session.execute(insert(uploads).values(**row))
    except IntegrityError:
        pass  # The same was begun before: it goes on from where it is.
    found, _ = _row(hub, agency, upload)
    if found["state"] == RECEIVING:
        Spool(hub.settings.drops_folder, agency, upload).begin()
    return status(hub, agency, upload)


def receive(hub: Hub, agency: str, upload: str, name: str, at: int, data: bytes) -> int:
    """Takes one part. Raises NotFound, OutOfStep."""
    row, manifest = _row(hub, agency, upload)
    if name not in manifest.files or row["state"] != RECEIVING:
        raise NotFound("There is no such upload.")
    return Spool(hub.settings.drops_folder, agency, upload).append(name, at, data, manifest.files[name][0])


def complete(
    hub: Hub, agency: str, client: str, upload: str, *, now: datetime, report_of: Callable[[Loaded], dict[str, Any]]
) -> Upload:
    """Puts a whole upload into the drop and loads it; once. A second time it tells what came of the first.

    Raises NotFound; ConnectorError: INCOMPLETE, ALTERED while it can still be mended by sending, BUSY while another
    request completes it. Effects: an event, the drop, the load; what is refused changes nothing that is visible.
    """
    _row(hub, agency, upload)
    spool = Spool(hub.settings.drops_folder, agency, upload)
    with spool.claimed():
        row, manifest = _row(hub, agency, upload)
        if row["state"] != RECEIVING:
            return status(hub, agency, upload)
        return _complete(hub, client, spool, row, manifest, now, report_of)


def _complete(
    hub: Hub,
    client: str,
    spool: Spool,
    row: Mapping[str, Any],
    manifest: Manifest,
    now: datetime,
    report_of: Callable[[Loaded], dict[str, Any]],
) -> Upload:
    agency, upload = row["agency"], row["id"]
    partner = hub.partners[agency]
    receipt = hub.trail.append(
        "collect",
        now=now,
        client={"id": client},
        custodian=agency,
        action="upload-received",
        outcome=manifest.mode.upper(),
        data=[{"agency": agency, "category": "INDICATOR", "label": "upload", "count": len(manifest.files)}],
        object={"type": "upload", "id": upload},
    ).eid
    try:
        spool.complete(manifest, partner, hub.settings.drops_folder, identity_of(hub.settings.age_identity_file))
    except ConnectorError as error:
        if error.code in ("INCOMPLETE", "ALTERED"):
            raise
        return _settle(hub, agency, upload, REFUSED, {"problem": error.sentence}, receipt, now)
    (loaded,) = load_all(hub, now=now, only=agency)
    state = REFUSED if loaded.problem else LOADED
    return _settle(hub, agency, upload, state, report_of(loaded), receipt, now)


def status(hub: Hub, agency: str, upload: str) -> Upload:
    """How an upload stands. Raises NotFound for what is not this agency's."""
    row, manifest = _row(hub, agency, upload)
    received: dict[str, int] = {}
    if row["state"] == RECEIVING:
        spool = Spool(hub.settings.drops_folder, agency, upload)
        received = {name: spool.received(name) for name in manifest.files}
    return Upload(upload, row["state"], received, row["report"], row["receipt"])


def identity_of(file: Path | None) -> pyrage.x25519.Identity:
    """The hub's age identity. Raises KeyRefused when it has none that can be read."""
    try:
        assert file is not None
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("AGE-SECRET-KEY-")]
        return pyrage.x25519.Identity.from_str(lines[0])
    except (AssertionError, OSError, IndexError, pyrage.IdentityError):
        raise KeyRefused("The hub has no age identity, so nothing can be sent to it.") from None


def _row(hub: Hub, agency: str, upload: str) -> tuple[Mapping[str, Any], Manifest]:
    with hub.db.session() as session:
        row = session.execute(select(uploads).where(uploads.c.id == upload)).mappings().first()
    if row is None or row["agency"] != agency:
        raise NotFound("There is no such upload.")
    return dict(row), read_manifest(row["manifest"], hub.partners[agency])


def _settle(
    hub: Hub, agency: str, upload: str, state: str, report: dict[str, Any], receipt: str, now: datetime
) -> Upload:
    with hub.db.writing() as session:
        values = {"state": state, "report": report, "receipt": receipt, "settled_at": now}
        session.execute(update(uploads).where(uploads.c.id == upload).values(**values))
    return status(hub, agency, upload)
