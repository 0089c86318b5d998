"""`python -m hub remind`: writes the reminders and escalations that are due, and clears away kept answers.

For: a timer, every few minutes. A page of tasks does the same whenever it is opened, so a timer that fails costs only
the reminders of those who do not look.
"""

import click

from hub import inbox
from hub.assembly import utc_now
from hub.db import Database, make_engine
from hub.settings import read_settings
from hub.traffic import once


@click.command()
def remind() -> None:
    """Remind agencies of requests whose time is half over, and escalate those whose time is over."""
    database = Database(make_engine(read_settings().database_url))
    try:
        written = inbox.ring(database, now=utc_now())
        once.clear(database, now=utc_now())
    finally:
        database.engine.dispose()
    click.echo(f"{written} new reminders")
