"""Answers from what a partner dropped, out of that agency's own encrypted partition.

For: partners without a system to ask. Must never answer "nothing held" when nothing was ever loaded, when a row
about the person could not be read, or when a seal does not open. Reading is one statement, so that an answer
is never half from one load and half from the next.
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from connectors.contract import (
    Answer,
    Ask,
    ConnectorError,
    Coverage,
    Keys,
    NoAnswerReason,
    Partner,
    PersonQuery,
    Promise,
)
from connectors.identify import MOST_CANDIDATES, fits, require_asked_properly, require_enough, the_one
from connectors.live import offered_of_wanted
from connectors.mapping import only_involvement, only_permitted
from connectors.records import SourceRecord
from connectors.sealed import item_context, person_context, read_item_back, read_person_back, record_key, with_zone
from connectors.tables import extract_current, extract_items, extract_people
from policies.vocabulary import AnswerState, MatchState

OpenSession = Callable[[], AbstractContextManager[Session]]


def _items_of_current_load() -> Select[tuple[datetime, bytes, str, int, bytes | None]]:
    """One statement: the visible load, and beside it the items, so that "no load" and "no items" differ."""
    c, t = extract_current.c, extract_items.c
    about = and_(
        t.agency == c.agency,
        t.load == c.load,
        t.record_key.in_(bindparam("records", expanding=True)),
        t.category.in_(bindparam("categories", expanding=True)),
    )
    return (
        select(c.as_of, t.record_key, t.category, t.broken, t.sealed)
        .select_from(extract_current.outerjoin(extract_items, about))
        .where(c.agency == bindparam("agency"))
    )


_ITEMS = _items_of_current_load()


class ExtractConnector:
    """A partner whose drops were loaded."""

    def __init__(self, partner: Partner, open_session: OpenSession, keys: Keys) -> None:
        self.partner, self._open_session, self._keys = partner, open_session, keys

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Who in the last good load could be meant. Raises ConnectorError (TOO_THIN, NOT_CONFIGURED)."""
        require_enough(query)
        code, keys = self.partner.code, self._keys
        ways = []
        if query.nhs_number:
            ways.append(extract_people.c.nhs_key == keys.blind(f"nhs:{code}", query.nhs_number.replace(" ", "")))
        if query.date_of_birth:
            ways.append(extract_people.c.birth_key == keys.blind(f"birth:{code}", query.date_of_birth.isoformat()))
        give_up_at = time.monotonic() + deadline_s
        found: list[SourceRecord] = []
        with self._open_session() as session:
            for person in _people(session, keys, code, or_(*ways)):
                if fits(query, person.person) is not None:
                    found.append(person)
                if len(found) >= MOST_CANDIDATES:
                    break
                if time.monotonic() > give_up_at:
                    raise ConnectorError(NoAnswerReason.TIMEOUT, "The search took too long.")
        return tuple(found)

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Is this person known, since when, whom to ring."""
        return self.fetch(replace(ask, wanted=only_involvement(ask.wanted)), deadline_s=deadline_s)

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The permitted fields of the permitted categories."""
        return self.fetch_many((ask,), deadline_s=deadline_s)[0]

    def fetch_many(self, asks: Sequence[Ask], *, deadline_s: float) -> tuple[Answer, ...]:
        """The same for several people, in one statement; one answer per ask, in their order."""
        give_up_at = time.monotonic() + deadline_s
        meant = [self._meant(ask, give_up_at) for ask in asks]
        keys = {
            record: record_key(self._keys, self.partner.code, record)
            for ask in meant
            if isinstance(ask, _Meant)
            for record in ask.records
        }
        if all(isinstance(ask, Answer) for ask in meant):
            return tuple(ask for ask in meant if isinstance(ask, Answer))
        bound = {
            "agency": self.partner.code,
            "records": list(keys.values()),
            "categories": sorted({str(category) for ask in asks for category in ask.wanted}),
        }
        with self._open_session() as session:
            rows = session.execute(_ITEMS, bound).all()
        by_key: dict[bytes, list[Any]] = defaultdict(list)
        for row in rows:
            by_key[row.record_key].append(row)
        as_of = with_zone(rows[0].as_of) if rows else None
        return tuple(
            ask
            if isinstance(ask, Answer)
            else self._answered(ask, [row for r in dict.fromkeys(ask.records) for row in by_key[keys[r]]], as_of)
            for ask in meant
        )

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        return self.partner.coverage

    def _meant(self, ask: Ask, give_up_at: float) -> "_Meant | Answer":
        """Which records the ask is about; or the answer, when that cannot be told."""
        require_asked_properly(ask)
        if not any(offered_of_wanted(self.partner, ask.wanted)):
            return _no_answer(ask, NoAnswerReason.NOT_CONFIGURED)
        if ask.records or ask.query is None:
            return _Meant(ask, ask.records, MatchState.CONFIRMED)
        try:
            left_s = max(give_up_at - time.monotonic(), 0.0)
            return _Meant(ask, *the_one(ask.query, self.find(ask.query, promise=ask.promise, deadline_s=left_s)))
        except ConnectorError as error:
            return _no_answer(ask, error.code)
        except Exception:  # A row that does not open costs this person's answer, never the others'.
            return _no_answer(ask, NoAnswerReason.ERROR)

    def _answered(self, meant: "_Meant", rows: Sequence[Any], as_of: datetime | None) -> Answer:
        try:
            return self._answer(meant, rows, as_of)
        except Exception:  # A row that does not open costs this person's answer, never the others'.
            return _no_answer(meant.ask, NoAnswerReason.ERROR)

    def _answer(self, meant: "_Meant", rows: Sequence[Any], as_of: datetime | None) -> Answer:
        """From the rows of these records in the visible load; `as_of` is None when nothing was ever loaded."""
        ask = meant.ask
        if as_of is None:
            return _no_answer(ask, NoAnswerReason.NOT_CONFIGURED)
        items, broken = [], 0
        for row in rows:
            if row.category not in ask.wanted:
                continue
            if row.sealed is not None:
                context = item_context(row.category, row.record_key)
                items.append(read_item_back(self._keys.open(self.partner.code, row.sealed, context)))
            elif row.broken:
                broken += 1
        kept, held, strangers = only_permitted(items, ask.wanted, frozenset(meant.records))
        if broken and not held:
            return replace(
                _no_answer(ask, NoAnswerReason.MALFORMED),
                as_of=as_of,
                match=meant.match,
                dropped=broken + strangers,
                records=meant.records,
            )
        return Answer(
            ask.agency,
            ask.person,
            AnswerState.FOUND if held else AnswerState.NOTHING_HELD,
            kept,
            as_of,
            meant.match,
            None,
            broken + strangers,
            records=meant.records,
        )


@dataclass(frozen=True, slots=True)
class _Meant:
    """An ask, the records it is about, and how sure that is."""

    ask: Ask
    records: tuple[str, ...]
    match: MatchState


def _no_answer(ask: Ask, reason: str) -> Answer:
    return Answer(ask.agency, ask.person, AnswerState.NO_ANSWER, reason=reason)


def load_times(session: Session) -> dict[str, datetime]:
    """As of when each agency's last good load is, whatever is asked of it."""
    rows = session.execute(select(extract_current.c.agency, extract_current.c.as_of))
    return {agency: stamp for agency, as_of in rows if (stamp := with_zone(as_of)) is not None}


def marks_of(session: Session, keys: Keys, agency: str, records: Sequence[str]) -> dict[str, str]:
    """A blind mark for each category of what the last good load holds of these records: other when anything is."""
    wanted = [record_key(keys, agency, record) for record in records]
    c, t = extract_current.c, extract_items.c
    query = (
        select(t.category, t.record_key, t.sealed)
        .join_from(extract_current, extract_items, and_(t.agency == c.agency, t.load == c.load))
        .where(c.agency == agency, t.record_key.in_(wanted), t.sealed.is_not(None))
    )
    held: dict[str, list[str]] = defaultdict(list)
    for row in session.execute(query):
        plain = keys.open(agency, row.sealed, item_context(row.category, row.record_key))
        held[row.category].append(hashlib.sha256(plain).hexdigest())
    return {name: keys.blind(f"held:{agency}", " ".join(sorted(found))).hex() for name, found in held.items()}


def stored_people(session: Session, keys: Keys, partner: Partner) -> Iterator[SourceRecord]:
    """Everybody in the partner's last good load, for the matching index; a few hundred in memory at a time.

    Raises whatever `keys.open` raises when a row was altered. Whether the agency's agreement allows DATA_MATCHING
    is the caller's to check first.
    """
    return _people(session, keys, partner.code)


def _people(session: Session, keys: Keys, agency: str, *more: object) -> Iterator[SourceRecord]:
    c, t = extract_current.c, extract_people.c
    query = (
        select(c.as_of, t.record_key, t.sealed)
        .join_from(extract_current, extract_people, and_(t.agency == c.agency, t.load == c.load))
        .where(c.agency == agency, *more)  # type: ignore[arg-type]
        .execution_options(yield_per=500)
    )
    for row in session.execute(query):
        plain = keys.open(agency, row.sealed, person_context(row.record_key))
        yield read_person_back(plain, with_zone(row.as_of))
