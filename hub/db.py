"""The only place that makes database engines, and the list of all tables.

For: SQLite embedded by default, PostgreSQL in production, the same tables on both. Must never be used by
a leaf package: leaves are given sessions.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

#: Milliseconds a SQLite connection waits for a lock before it gives up.
BUSY_TIMEOUT_MS = 2000


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql+psycopg://…`, with the pragmas that durability needs.

    The values of a statement never get into the text of its error. SQLite: WAL, synchronous=FULL, foreign keys,
    secure_delete, and recursive_triggers because append-only triggers are otherwise bypassed by INSERT OR REPLACE.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed,
            pool_size=12,
            max_overflow=12,
            pool_timeout=2,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 3, "options": "-c statement_timeout=10000 -c timezone=UTC"},
        )
    engine = create_engine(
        parsed,
        pool_size=16,
        max_overflow=16,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "secure_delete=ON",
            "temp_store=MEMORY",
            "cache_size=-65536",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


class Database:
    """An engine with its sessions. `session()` reads; `writing()` commits at the end or not at all."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session whose changes the caller commits; closed at the end."""
        session = Session(self.engine, expire_on_commit=False)
        try:
            yield session
        finally:
            session.close()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that commits when the block ends well and rolls back otherwise."""
        with self.session() as session, session.begin():
            yield session


def all_metadata() -> list[MetaData]:
    """The tables of every package, for migrations and tests."""
    from audit.tables import metadata as audit_tables
    from connectors.tables import metadata as connector_tables
    from consent.tables import metadata as consent_tables
    from hub.decisions.tables import metadata as decision_tables
    from hub.desk.tables import metadata as desk_tables
    from hub.erasure import metadata as erasure_tables
    from hub.keys import metadata as key_tables
    from hub.meeting.tables import metadata as meeting_tables
    from hub.notices.tables import metadata as notice_tables
    from hub.own_record.tables import metadata as own_record_tables
    from hub.people.tables import metadata as people_tables
    from hub.register.tables import metadata as register_tables
    from hub.tables import metadata as hub_tables
    from hub.traffic.tables import metadata as traffic_tables
    from hub.uploads.tables import metadata as upload_tables

    return [
        key_tables,
        erasure_tables,
        hub_tables,
        traffic_tables,
        decision_tables,
        desk_tables,
        register_tables,
        meeting_tables,
        notice_tables,
        own_record_tables,
        upload_tables,
        people_tables,
        consent_tables,
        connector_tables,
        audit_tables,
    ]
