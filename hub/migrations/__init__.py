"""Changes of the tables, in order; tables and migrations are held equal by a test."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


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
