"""Changes of the tables, in order; tables and migrations are held equal by a test."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from audit import metadata as trail


def configuration(engine: Engine) -> Config:
    """How Alembic finds our migrations and this engine."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine) -> str:
    """Brings the database to the newest tables and returns their revision. Running it twice changes nothing."""
    command.upgrade(configuration(engine), "head")
    return current(engine) or "none"


def current(engine: Engine) -> str | None:
    """The revision that this database has, or None when it has no tables yet."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest(engine: Engine) -> str | None:
    """The revision that this version of the hub needs."""
    head: str | None = ScriptDirectory.from_config(configuration(engine)).get_current_head()
    return head


def grant(engine: Engine, role: str) -> None:
    """Gives a PostgreSQL role what serving needs and no more: INSERT and SELECT on the trail, nothing else there.

    Takes: `role`, which exists and is not the owner of the tables. May be repeated after each migration.
    """
    quote = engine.dialect.identifier_preparer.quote
    to = quote(role)
    with engine.begin() as connection:
        schema = quote(str(connection.scalar(text("SELECT current_schema()"))))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {to}"))
        connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {to}"))
        for table in inspect(connection).get_table_names():
            own = table not in trail.tables and table != "alembic_version"
            rights = (
                "SELECT, INSERT, UPDATE, DELETE" if own else "SELECT, INSERT" if table in trail.tables else "SELECT"
            )
            connection.execute(text(f"REVOKE ALL ON {quote(table)} FROM {to}"))
            connection.execute(text(f"GRANT {rights} ON {quote(table)} TO {to}"))
