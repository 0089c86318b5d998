"""Alembic's way in: one connection, one transaction, the metadata of every package."""

from alembic import context

from hub.db import all_metadata
from hub.migrations.generate import render_plain_types

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=all_metadata(),
        render_as_batch=True,
        compare_type=True,
        render_item=render_plain_types,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
