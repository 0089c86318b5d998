"""Changes of the tables, in order; tables and migrations are held equal by a test."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from audit import CLEARING
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


#: What the role that serves needs on a table of ours, on one of the trail, and on Alembic's.
_OWN, _TRAIL, _READ = ("SELECT", "INSERT", "UPDATE", "DELETE"), ("SELECT", "INSERT"), ("SELECT",)


def grant(engine: Engine, role: str) -> None:
    """Gives a PostgreSQL role what serving needs and no more: INSERT and SELECT on the trail, nothing else there,
    and the one function by which the leader takes placed rows out of the outbox.

    Takes: `role`, which exists and is not the owner of the tables. May be repeated after each migration.
    """
    quote = engine.dialect.identifier_preparer.quote
    to = quote(role)
    with engine.begin() as connection:
        schema = quote(str(connection.scalar(text("SELECT current_schema()"))))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {to}"))
        connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {to}"))
        for table in inspect(connection).get_table_names():
            connection.execute(text(f"REVOKE ALL ON {quote(table)} FROM {to}"))
            connection.execute(text(f"GRANT {', '.join(_rights_on(table))} ON {quote(table)} TO {to}"))
        connection.execute(text(f"GRANT EXECUTE ON FUNCTION {CLEARING}() TO {to}"))


def missing_grants(engine: Engine) -> list[str]:
    """What this engine's role lacks for serving, as `RIGHT on table`; nothing on SQLite, which has no roles."""
    if engine.dialect.name != "postgresql":
        return []
    with engine.connect() as connection:
        ask = text("SELECT has_table_privilege(:name, :right)")
        quote = engine.dialect.identifier_preparer.quote
        missing = [
            f"{right} on {table}"
            for table in sorted(inspect(connection).get_table_names())
            for right in _rights_on(table)
            if not connection.scalar(ask, {"name": quote(table), "right": right})
        ]
        if not connection.scalar(text("SELECT has_function_privilege(:name, 'EXECUTE')"), {"name": f"{CLEARING}()"}):
            missing.append(f"EXECUTE on {CLEARING}")
    return missing


def _rights_on(table: str) -> tuple[str, ...]:
    return _READ if table == "alembic_version" else _TRAIL if table in trail.tables else _OWN
