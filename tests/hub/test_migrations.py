"""Migrations: they make the very tables that the code knows, on both engines, and the guards of the trail."""

from collections.abc import Callable, Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, Table, insert, inspect, text
from sqlalchemy.exc import DatabaseError

import audit
from hub.db import all_metadata, make_engine
from hub.migrations import current, newest, upgrade
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
