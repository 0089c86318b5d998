"""`python -m hub migrate`: bring the database to the newest tables."""

import click

from hub.db import make_engine
from hub.errors import SettingsRefused
from hub.migrations import current, grant, upgrade
from hub.settings import read_settings


@click.command()
@click.option("--grant-to", "role", metavar="ROLE", help="PostgreSQL role that serves: may insert and read the trail.")
def migrate(role: str | None) -> None:
    """Make or change the tables; running it twice changes nothing."""
    settings = read_settings()
    engine = make_engine(settings.database_url)
    if role is not None and engine.dialect.name != "postgresql":
        raise SettingsRefused("--grant-to needs PostgreSQL: SQLite has no roles.")
    before = current(engine)
    after = upgrade(engine)
    click.echo(
        f"The database is at revision {after}." if before == after else f"From {before or 'nothing'} to {after}."
    )
    if role is not None:
        grant(engine, role)
        click.echo("The role may serve: on the trail it may insert and read, nothing else.")
    engine.dispose()
