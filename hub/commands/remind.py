"""`python -m hub remind`: writes the reminders and escalations that are due, clears away kept answers,
and brings notices that a process that died left with nobody.

For: a timer, every few minutes. A page of tasks does the same whenever it is opened, so a timer that fails costs only
the reminders of those who do not look.
"""

import click

from hub import inbox
from hub.assembly import open_hub, utc_now
from hub.db import Database, make_engine
from hub.notices.intake import bring_abandoned, is_any_abandoned
from hub.settings import Settings, read_settings
from hub.traffic import once


@click.command()
def remind() -> None:
    """Remind agencies of requests whose time is half over, and escalate those whose time is over."""
    settings = read_settings()
    database = Database(make_engine(settings.database_url))
    try:
        written = inbox.ring(database, now=utc_now())
        once.clear(database, now=utc_now())
        abandoned = is_any_abandoned(database, now=utc_now())
    finally:
        database.engine.dispose()
    click.echo(f"{written} new reminders")
    if abandoned:
        bring(settings)


def bring(settings: Settings) -> None:
    """Brings the notices that are left. On SQLite, where one process writes, the hub that runs has to do it."""
    hub = open_hub(settings)
    try:
        click.echo(f"{bring_abandoned(hub, now=hub.clock())} notices brought that had reached nobody")
    finally:
        hub.close()
