"""`python -m hub doctor`: what is set, what is weak, what is broken, and what to do next."""

import os
import sys

import click
from sqlalchemy import text

from audit import AuditError, EntryUnknown, excess_rights
from connectors import ConnectorError
from hub.assembly import open_hub, utc_now
from hub.commands.agreements import NOT_CHECKED
from hub.db import make_engine
from hub.errors import HubError
from hub.migrations import current, missing_grants, newest
from hub.settings import DESCRIBED, Settings, read_settings
from hub.signin.clients import ending, faulty_entries, read_clients
from hub.signin.oidc import read_issuers


@click.command()
def doctor() -> None:
    """Explain every setting and check that the hub could start. Exit code 1 when something is wrong."""
    for name, (default, meaning) in DESCRIBED.items():
        mark = "set" if name in os.environ else f"default {default}"
        click.echo(f"{name:26} {mark:44} {meaning}")
    click.echo()
    wrong = False
    for what, problem in _findings():
        wrong = wrong or problem is not None
        click.echo(f"{'WRONG' if problem else 'ok':5}  {what}" + (f": {problem}" if problem else ""))
    if not os.environ.get("HUB_SIGNATORIES_FILE"):
        click.echo(f"WEAK   agreements: {NOT_CHECKED}")
    sys.exit(1 if wrong else 0)


def _findings() -> list[tuple[str, str | None]]:
    try:
        settings = read_settings()
    except HubError as error:
        return [("settings", " ".join((error.sentence, *error.next_steps)))]
    found: list[tuple[str, str | None]] = [("settings", None)]
    engine = make_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        behind = current(engine) != newest(engine)
        found.append(("database", "its tables are not the newest. Run: python -m hub migrate" if behind else None))
    except Exception as error:
        return [*found, ("database", f"cannot be used ({type(error).__name__}). Check HUB_DATABASE_URL.")]
    finally:
        engine.dispose()
    if behind:
        return found
    found.append(("rights in the database", None if settings.demo else _rights(settings.database_url)))
    try:
        issuers = read_issuers(settings.issuers_file, https_only=not settings.demo)
        found.append(("sign-in", None if issuers else "no identity provider is listed in HUB_ISSUERS_FILE"))
    except HubError as error:
        found.append(("sign-in", error.sentence))
    found += _clients(settings)
    try:
        hub = open_hub(settings)
    except (HubError, ConnectorError, AuditError, ValueError) as error:
        return [*found, ("parts", str(error))]
    try:
        found.append(("partners", None if hub.partners else "no partner file was found"))
        found.append(("agreements", None if hub.agreements else "no agreement was found, so nothing can be shared"))
        found += [("signatures", sentence) for sentence in hub.not_signed]
        try:
            found.append((f"trail of {hub.trail.head().size} entries", None))
        except EntryUnknown:
            found.append(("trail, still empty", None))
    finally:
        hub.close()
    return found


def _clients(settings: Settings) -> list[tuple[str, str | None]]:
    """Whether the register of clients is read, and whose certificate has ended or ends soon."""
    try:
        known, faulty = read_clients(settings.clients_file), faulty_entries(settings.clients_file)
    except HubError as error:
        return [("clients", error.sentence)]
    soon = ending(known.values(), utc_now())
    told: list[tuple[str, str | None]] = [
        (
            "clients",
            f"the certificate {one.file} of {client.id} ends on {one.not_after:%d %m %Y}; ask them for the next",
        )
        for client, one in soon
    ]
    told += [
        ("clients", f"entry {one} of HUB_CLIENTS_FILE is not understood: its client is kept out") for one in faulty
    ]
    return told or [(f"clients: {len(known)}", None)]


def _rights(database_url: str) -> str | None:
    """What is wrong with the role that serves: it needs its rights, and may only insert into the trail and read it."""
    engine = make_engine(database_url)
    try:
        missing = missing_grants(engine)
        with engine.connect() as connection:
            excess = excess_rights(connection)
    finally:
        engine.dispose()
    if missing:
        return (
            f"the database role lacks {missing[0]} and {len(missing) - 1} rights more. As the tables' owner run "
            "python -m hub migrate --grant-to ROLE, and again after every upgrade"
        )
    if not excess:
        return None
    return (
        f"the database role has {excess[0]} and {len(excess) - 1} rights more than INSERT and SELECT. Serve with a "
        "role of its own: as the tables' owner run python -m hub migrate --grant-to ROLE"
    )
