"""Sets up the demonstration: the county's files, the stand-ins' process, settings, tables, load, consents.

For: `python -m hub demo` and the browser tests, which start the very same thing. Must never touch a folder
that it did not make, and never run outside demo mode.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from audit import VerifierKey
from consent import ConsentRecord, record_consent
from hub.assembly import Hub, open_hub
from hub.context import Actor, RequestContext
from hub.db import make_engine
from hub.demo.clients import register_clients
from hub.demo.consents import RecordRef, consents
from hub.demo.county import DEFAULT_SEED, build_county
from hub.demo.files import write_county
from hub.demo.machines import make_machines
from hub.demo.model import County
from hub.demo.personas import PERSONAS
from hub.demo.promises import tell_partners
from hub.demo.signatories import sign_agreements
from hub.demo.witnesses import tell_witnesses
from hub.errors import SettingsRefused
from hub.keys import new_signing_key
from hub.loading import Loaded, load_all
from hub.migrations import upgrade
from hub.people.tables import records
from hub.settings import read_settings

#: A file that says: this folder is a demonstration's, and may be emptied.
MARK = "kith-demonstration"


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A demonstration that is ready: the settings as environment, and the stand-ins' process."""

    folder: Path
    environment: dict[str, str]
    base_url: str
    county: County
    stand_ins: subprocess.Popen[str]
    loaded: tuple[Loaded, ...]

    def stop(self) -> None:
        """Ends the stand-ins."""
        self.stand_ins.terminate()
        self.stand_ins.wait(timeout=10)
        if self.stand_ins.stdout:
            self.stand_ins.stdout.close()


def set_up(
    folder: Path,
    *,
    now: datetime,
    base_url: str,
    database_url: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Demonstration:
    """Makes the folder anew and everything in it. Raises SettingsRefused for a folder that is something else."""
    _empty(folder)
    tell("Building the county of Thornshire")
    county = build_county(DEFAULT_SEED, today=now.date())
    write_county(county, folder, ports={})
    tell("Starting the partners")
    (folder / "keys").mkdir(mode=0o700)
    log_key = new_signing_key(folder / "keys" / "log.key")
    tell_witnesses(folder, VerifierKey.of(f"{urlsplit(base_url).hostname}/trail", log_key.public_key()))
    stand_ins, about = start_stand_ins(folder, base_url)
    try:
        environment = {
            "HUB_MODE": "demo",
            "HUB_BASE_URL": base_url,
            "HUB_DATABASE_URL": database_url or f"sqlite:///{(folder / 'kith.sqlite').resolve()}",
            "HUB_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
            "HUB_KEYS_DIR": str((folder / "keys").resolve()),
            "HUB_PARTNERS_DIR": about["partners_folder"],
            "HUB_DROPS_DIR": about["drops_folder"],
            "HUB_ISSUERS_FILE": about["issuers_file"],
            "HUB_WITNESS_POLICY_FILE": about["witness_policy_file"],
            **sign_agreements(folder),
            **register_clients(folder, base_url, make_machines(folder)),
        }
        settings = read_settings(environment)
        engine = make_engine(settings.database_url)
        upgrade(engine)
        engine.dispose()
        hub = open_hub(settings)
        try:
            loaded = load_all(hub, now=now, tell=lambda name: tell(f"Loading {name}"))
            store_consents(hub, county, now=now)
            tell_partners(folder, origin=settings.origin, submitters=hub.trail.submitters())
        finally:
            hub.close()
    except BaseException:
        stand_ins.terminate()
        stand_ins.wait(timeout=10)
        raise
    return Demonstration(folder, environment, base_url, county, stand_ins, loaded)


def persona_context(key: str, *, now: datetime, request_id: str) -> RequestContext:
    """A persona's request without the browser: for the picture that the command prints, and for benchmarks."""
    persona = PERSONAS[key]
    actor = Actor(
        id=f"US-{persona.sub}",
        name=persona.name,
        agency=persona.agency,
        role=persona.role,
        issuer="demo",
        authentication="STRONG",
        account="PERSONAL",
        employment="CURRENT",
        role_from=persona.role_from(now.date()),
        role_until=persona.role_until(now.date()),
    )
    return RequestContext(actor=actor, now=now, request_id=request_id)


def store_consents(hub: Hub, county: County, *, now: datetime) -> int:
    """Stores what the story families agreed or refused, under the hub's own person ids; returns how many records."""
    documents = consents(county)
    refs = {d.subject for d in documents} | {d.giver for d in documents}
    refs |= {ref for d in documents for ref in d.persons or ()}
    with hub.db.writing() as session:
        known = _persons(session, refs)
        for d in documents:
            record_consent(
                session,
                ConsentRecord(
                    kind=d.kind,
                    state=d.state,
                    subject=known[d.subject],
                    giver=known[d.giver],
                    giver_capacity=d.giver_capacity,
                    given_at=d.given_at,
                    persons=None if d.persons is None else tuple(known[ref] for ref in d.persons),
                    agencies=d.agencies,
                    categories=d.categories,
                    purposes=d.purposes,
                    giver_conflicted=d.giver_conflicted,
                    expires_at=d.expires_at,
                    withdrawn_at=d.withdrawn_at,
                    wording=d.wording,
                ),
                by="demo",
                now=now,
            )
    return len(documents)


def _persons(session: Session, refs: set[RecordRef]) -> dict[RecordRef, str]:
    rows = session.execute(
        select(records.c.agency, records.c.record, records.c.person).where(
            tuple_(records.c.agency, records.c.record).in_([(ref.agency, ref.record) for ref in refs])
        )
    )
    return {RecordRef(agency, record): person for agency, record, person in rows}


def _empty(folder: Path) -> None:
    if folder.exists():
        if any(folder.iterdir()) and not (folder / MARK).exists():
            raise SettingsRefused(
                "The demonstration's folder holds something else.",
                next_steps=(f"Choose another with --folder, or empty {folder}.",),
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("This folder is made anew by every demonstration.\n")


def start_stand_ins(folder: Path, base_url: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    """Starts them over a folder that holds the county; returns the process and what it says of itself.

    Raises SettingsRefused when they do not start.
    """
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "hub.demo.stand_ins",
            "--folder",
            str(folder),
            "--redirect-uri",
            f"{base_url}/sign-in/answer",
            "--post-logout-redirect-uri",
            f"{base_url}/sign-in",
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(timeout=10)
        raise SettingsRefused("The demonstration's partners could not be started.", next_steps=("Run it again.",))
    about: dict[str, str] = json.loads(line)
    return process, about
