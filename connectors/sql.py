"""Asks a partner's own database, by read-only queries that the partner's file holds.

For: partners that offer a view. Must never write, never paste a value into a statement, and never wait longer
than its deadline: SQLite is opened read-only and interrupted, PostgreSQL gets a read-only transaction and a
statement timeout. A row about anybody else is dropped.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import TextClause

from connectors.contract import (
    PROMISE_HEADER,
    Answer,
    Ask,
    ConnectorError,
    Coverage,
    ItemMapping,
    NoAnswerReason,
    Partner,
    PersonQuery,
    Promise,
)
from connectors.formats.people import people_from_rows
from connectors.identify import MOST_CANDIDATES, require_enough, require_promise
from connectors.live import Rows, answer_live
from connectors.mapping import only_involvement
from connectors.partner import person_mapping
from connectors.records import SourceRecord
from policies.vocabulary import DataCategory

#: Rows that one question may bring; more is not an answer about one person.
MOST_ROWS = 2000
#: SQLite virtual machine steps between two looks at the clock.
STEPS_PER_LOOK = 2000


class SqlConnector:
    """A partner reached by SELECT."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self._engine = _say_promise(_read_only_engine(partner))
        self._mapping = person_mapping(partner)

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Who could be meant, by the partner's own `find` query.

        Raises ConnectorError (NOT_CONFIGURED, TOO_THIN, TIMEOUT, ERROR, MALFORMED).
        """
        require_enough(query)
        statement = (self.partner.people or {}).get("find")
        if self._mapping is None or not isinstance(statement, str):
            raise ConnectorError(NoAnswerReason.NOT_CONFIGURED, f"{self.partner.code}: is not searched by name.")
        given: dict[str, object] = {
            "nhs_number": query.nhs_number,
            "family": query.family[0] if query.family else None,
            "given": query.given[0] if query.given else None,
            "date_of_birth": query.date_of_birth.isoformat() if query.date_of_birth else None,
        }
        clause = text(statement)
        bound = {name: value for name, value in given.items() if name in clause._bindparams}
        with self._asking(deadline_s, promise) as connection:
            rows = _rows(connection, clause, bound)
        found = people_from_rows(rows, self._mapping, source=self.partner.code)
        return tuple(f for f in found if isinstance(f, SourceRecord))[:MOST_CANDIDATES]

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Is this person known, since when, whom to ring."""
        return self._answer(ask, only_involvement(ask.wanted), deadline_s)

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The permitted fields of the permitted categories."""
        return self._answer(ask, ask.wanted, deadline_s)

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        return self.partner.coverage

    def people(self, *, deadline_s: float = 600.0) -> Iterator[SourceRecord]:
        """Everybody that the partner's `query` lists, for the matching index; rows are read as they are needed.

        Raises ConnectorError (NOT_CONFIGURED, TIMEOUT, ERROR). Whether the agreement allows DATA_MATCHING is the
        caller's to check first.
        """
        mapping = self._mapping
        if mapping is None or mapping.query is None:
            raise ConnectorError(NoAnswerReason.NOT_CONFIGURED, f"{self.partner.code}: does not list its people.")
        with self._asking(deadline_s) as connection:
            ties: list[dict[str, str]] = []
            if mapping.relationships and mapping.relationships.query:
                ties = list(_stream(connection, mapping.relationships.query))
            rows = _stream(connection, mapping.query)
            for found in people_from_rows(rows, mapping, source=self.partner.code, relationships=ties):
                if isinstance(found, SourceRecord):
                    yield found

    def close(self) -> None:
        """Effects: closes the pooled connections."""
        self._engine.dispose()

    def _answer(self, ask: Ask, wanted: Mapping[DataCategory, frozenset[str]], deadline_s: float) -> Answer:
        return answer_live(self, ask, wanted, self._ask_for, deadline_s)

    def _ask_for(
        self, spec: ItemMapping, records: tuple[str, ...], fields: frozenset[str], ask: Ask, give_up_at: float
    ) -> Rows:
        clause = text(spec.source).bindparams(bindparam("records", expanding=True))
        with self._asking(give_up_at - time.monotonic(), ask.promise) as connection:
            rows = _rows(connection, clause, {"records": list(records)})
        return Rows([row.get for row in rows])

    @contextmanager
    def _asking(self, deadline_s: float, promise: Promise | None = None) -> Iterator[Connection]:
        """A read-only connection that stops by itself. Foreign exceptions become ConnectorError here.

        The promise of a question goes before each statement as a comment, so that it is in the partner's own log.
        """
        give_up_at = time.monotonic() + deadline_s
        if deadline_s <= 0:
            raise ConnectorError(NoAnswerReason.TIMEOUT, f"{self.partner.code}: no time was left to ask.")
        try:
            with self._engine.connect() as connection:
                if promise is not None:
                    require_promise(promise, self.partner.code)
                    connection = connection.execution_options(kith_promise=promise.header)
                self._bound(connection, give_up_at)
                yield connection
        except ConnectorError:
            raise
        except DBAPIError as error:
            late = time.monotonic() >= give_up_at
            code = NoAnswerReason.TIMEOUT if late or _was_cancelled(error) else NoAnswerReason.ERROR
            # The statement and its parameters stay out of the message: they hold personal data.
            raise ConnectorError(code, f"{self.partner.code}: its database did not answer.") from None
        except SQLAlchemyError:
            raise ConnectorError(NoAnswerReason.ERROR, f"{self.partner.code}: its database did not answer.") from None

    def _bound(self, connection: Connection, give_up_at: float) -> None:
        if self._engine.dialect.name == "sqlite":
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(lambda: time.monotonic() >= give_up_at, STEPS_PER_LOOK)
        else:
            milliseconds = max(1, int((give_up_at - time.monotonic()) * 1000))
            connection.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(milliseconds)})


def _read_only_engine(partner: Partner) -> Engine:
    url = make_url(str(partner.reach["url"]))
    if url.get_backend_name() == "sqlite":
        where = URL.create("sqlite", database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"})
        # No pool: a file that the partner replaced or took away is not answered from any more.
        engine = create_engine(where, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": 0.5})

        @event.listens_for(engine, "connect")
        def _no_writing(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA query_only=ON")

        return engine
    if password_file := partner.reach.get("password_file"):
        url = url.set(password=Path(str(password_file)).read_text(encoding="utf-8").strip())
    options = "-c default_transaction_read_only=on"
    return create_engine(
        url,
        pool_size=4,
        pool_timeout=1,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": 2, "options": options},
    )


def _say_promise(engine: Engine) -> Engine:
    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def _before(connection: Connection, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> tuple[str, Any]:
        header = connection.get_execution_options().get("kith_promise")
        return (f"/* {PROMISE_HEADER}: {header} */ {statement}" if header else statement), parameters

    return engine


def _rows(connection: Connection, clause: TextClause, bound: Mapping[str, object]) -> list[dict[str, str]]:
    result = connection.execute(clause, bound)
    rows = result.mappings().fetchmany(MOST_ROWS + 1)
    if len(rows) > MOST_ROWS:
        raise ConnectorError(NoAnswerReason.MALFORMED, "The partner's database returned too many rows.")
    return [{str(k): _plain(v) for k, v in row.items()} for row in rows]


def _stream(connection: Connection, query: str) -> Iterator[dict[str, str]]:
    result = connection.execution_options(yield_per=500).execute(text(query))
    for row in result.mappings():
        yield {str(k): _plain(v) for k, v in row.items()}


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return ""
    return str(value)


def _was_cancelled(error: DBAPIError) -> bool:
    """PostgreSQL 57014 query_canceled (errcodes appendix, version 15)."""
    return getattr(error.orig, "sqlstate", None) == "57014"
