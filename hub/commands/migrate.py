"""`python -m hub migrate`: bring the database to the newest tables."""

import click

from hub.db import make_engine
from hub.migrations import current, upgrade
from hub.settings import read_settings


@click.command()
def migrate() -> None:
    """Make or change the tables; running it twice changes nothing."""
    settings = read_settings()
    engine = make_engine(settings.database_url)
    before = current(engine)
    after = upgrade(engine)
    click.echo(
        f"The database is at revision {after}." if before == after else f"From {before or 'nothing'} to {after}."
    )
    engine.dispose()
