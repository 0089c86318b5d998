"""Migrations: they make the very tables that the code knows, on both engines, and the guards of the trail."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, Table, insert, inspect, text
from sqlalchemy.exc import DatabaseError

import audit
from hub.db import all_metadata, make_engine
from hub.migrations import current, grant, missing_grants, newest, upgrade
from hub.migrations.generate import render_plain_types
from tests.conftest import ENGINES


@pytest.fixture(params=ENGINES, scope="module")
def engine(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Iterator[Engine]:
    engine = make_engine(new_database(request.param))
    yield engine
    engine.dispose()


def test_a_new_database_has_no_revision_and_one_upgrade_brings_it_to_the_newest(engine: Engine) -> None:
    assert current(engine) is None
    assert upgrade(engine) == newest(engine) == current(engine)


def test_a_second_upgrade_changes_nothing(engine: Engine) -> None:
    def tables() -> dict[str, list[str]]:
        found = inspect(engine)
        return {name: [str(column) for column in found.get_columns(name)] for name in sorted(found.get_table_names())}

    upgrade(engine)
    before = tables()
    assert upgrade(engine) == newest(engine)
    assert tables() == before


def test_the_migrations_make_what_the_code_knows(engine: Engine) -> None:
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"compare_type": True, "render_item": render_plain_types, "target_metadata": all_metadata()},
        )
        assert compare_metadata(context, together(all_metadata())) == []


def together(packages: list[MetaData]) -> MetaData:
    """The tables of all packages in one collection; no two have a name in common."""
    whole = MetaData()
    for package in packages:
        for table in package.sorted_tables:
            assert table.name not in whole.tables
            table.to_metadata(whole)
    return whole


@pytest.mark.parametrize("table", audit.metadata.sorted_tables, ids=lambda table: table.name)
@pytest.mark.parametrize("statement", ["UPDATE {t} SET {c} = {c}", "DELETE FROM {t}"])
def test_after_the_migrations_nobody_changes_or_deletes_a_row_of_the_trail(
    engine: Engine, table: Table, statement: str
) -> None:
    upgrade(engine)
    anything = {bytes: b"\0", int: 0, str: "x"}
    row = {column.name: anything[column.type.python_type] for column in table.columns}
    with engine.connect() as connection:
        connection.execute(insert(table).values(row))
        with pytest.raises(DatabaseError, match="append-only"):
            connection.execute(text(statement.format(t=table.name, c=next(iter(row)))))
        connection.rollback()


@pytest.mark.postgresql
def test_the_role_that_serves_may_insert_and_read_the_trail_and_nothing_else(
    new_database: Callable[[str], str],
) -> None:
    owner = make_engine(new_database("postgresql"))
    upgrade(owner)
    role = f"serving_{uuid4().hex[:8]}"
    with owner.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN"))
        assert audit.excess_rights(connection)
    grant(owner, role)
    grant(owner, role)
    serving = make_engine(owner.url.set(username=role).render_as_string(hide_password=False))
    assert missing_grants(serving) == []
    # A table that an upgrade brings is granted only when it is said again, and the doctor names it.
    with owner.begin() as connection:
        connection.execute(text(f"REVOKE INSERT ON audit_outbox FROM {role}"))
        connection.execute(text(f"REVOKE EXECUTE ON FUNCTION {audit.CLEARING}() FROM {role}"))
    assert missing_grants(serving) == ["INSERT on audit_outbox", "EXECUTE on audit_outbox_clear"]
    grant(owner, role)
    trail_tables = sorted(audit.metadata.tables)
    for table in trail_tables:
        column = next(iter(audit.metadata.tables[table].columns)).name
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"DROP TRIGGER {table}_no_update ON {table}",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        ):
            with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), serving.begin() as connection:
                connection.execute(text(statement))
    with serving.begin() as connection:
        assert audit.excess_rights(connection) == []
        for table in trail_tables:
            connection.execute(text(f"SELECT count(*) FROM {table}"))
        connection.execute(text("INSERT INTO audit_checkpoint (size, t, root, note) VALUES (1, 0, '', '')"))
        connection.execute(text("INSERT INTO user_acts (\"user\", kind, at) VALUES ('u', 'k', now())"))
        connection.execute(text("DELETE FROM user_acts"))
    serving.dispose()
    owner.dispose()
