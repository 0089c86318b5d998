"""What a data steward says about records: one person, two persons, or nobody can tell; and undoing a join.

For: pairs in doubt and the decisions about them, which outlive every load because they name the agencies' own record
ids. Must never undo a "not the same person", and never let a decision touch a record that is not held. Ruled by
docs/matching.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, and_, exists, insert, or_, select, update
from sqlalchemy.orm import Session

from connectors import SourceRecord
from hub.people import tables
from hub.people.linking import SAME, RecordPair, relink, said
from hub.people.matching.compare import COMPONENTS, DEFAULT_MODEL, Model, Scorer
from hub.people.matching.levels import LEVELS, WORDS
from hub.people.matching.normalise import prepare
from hub.people.persons import records_of_persons
from hub.people.stored import COLUMNS, Keys, opened, pack

CANNOT_TELL = "CANNOT_TELL"
#: Pairs of the index that are looked through for one page of the queue.
MOST_LOOKED_AT = 400
_SCORER = Scorer(Model.load(DEFAULT_MODEL))


@dataclass(frozen=True, slots=True)
class Held:
    """One record of the index, the person it is put to, and everything else that is put to that person."""

    row: int
    record: SourceRecord
    person: str
    together: tuple[SourceRecord, ...]

    @property
    def name(self) -> tuple[str, str]:
        """The agency and its own id of the record."""
        return self.record.agency, self.record.record


@dataclass(frozen=True, slots=True)
class Doubt:
    """Two records that may be one person."""

    first: Held
    second: Held


def doubts(session: Session, keys: Keys, agencies: Iterable[str]) -> tuple[Doubt, ...]:
    """Pairs that nobody has spoken about, the likeliest first, of these agencies; at most MOST_LOOKED_AT."""
    a, b, link, d = tables.records.alias(), tables.records.alias(), tables.links, tables.decisions
    spoken_of = exists().where(
        or_(
            *(
                (d.c.first_agency == x.c.agency)
                & (d.c.first_record == x.c.record)
                & (d.c.second_agency == y.c.agency)
                & (d.c.second_record == y.c.record)
                for x, y in ((a, b), (b, a))
            )
        )
    )
    wanted = sorted(agencies)
    rows = session.execute(
        select(link.c.first_id, link.c.second_id)
        .join(a, a.c.id == link.c.first_id)
        .join(b, b.c.id == link.c.second_id)
        .where(link.c.outcome == "review", a.c.agency.in_(wanted), b.c.agency.in_(wanted), ~spoken_of)
        .order_by(link.c.probability.desc(), link.c.first_id, link.c.second_id)
        .limit(MOST_LOOKED_AT)
    ).all()
    return _undecided(session, keys, rows)


def doubt(session: Session, keys: Keys, first: int, second: int) -> Doubt | None:
    """The pair of these rows, if it is still in doubt."""
    link = tables.links
    rows = session.execute(
        select(link.c.first_id, link.c.second_id).where(
            link.c.first_id == first, link.c.second_id == second, link.c.outcome == "review"
        )
    ).all()
    return next(iter(_undecided(session, keys, rows)), None)


def held(session: Session, keys: Keys, rows: Iterable[int]) -> dict[int, Held]:
    """These rows of the index, each with its whole person."""
    found = session.execute(select(*COLUMNS).where(tables.records.c.id.in_(set(rows)))).all()
    found = [row for row in found if row.person]
    persons = records_of_persons(session, keys, {row.person for row in found})
    return {row.id: Held(row.id, opened(keys, row), row.person, persons[row.person]) for row in found}


def rows_of(session: Session, person: str) -> list[int]:
    """The rows that are put to one person."""
    table = tables.records
    return list(session.scalars(select(table.c.id).where(table.c.person == person).order_by(table.c.id)))


def person_with(session: Session, agency: str, record: str) -> str | None:
    """The person that an agency's record is put to."""
    table = tables.records
    return session.scalar(select(table.c.person).where(table.c.agency == agency, table.c.record == record))


def mark_of(keys: Keys, shown: Iterable[Held]) -> str:
    """Tells whether records are still what somebody looked at; row numbers alone may be given out again."""
    said_then = "\x1e".join(f"{h.row}\x1f{h.person}\x1f{h.record.agency}\x1f{h.record.record}\x1f" for h in shown)
    content = "\x1e".join(pack(h.record).decode() for h in shown)
    return keys.blind("match-mark", said_then + content).hex()


def agreement_words(one: SourceRecord, other: SourceRecord) -> dict[str, str]:
    """Name, birth date, sex and number of two records compared, in words; what one of them lacks is left out.

    Addresses and telephone numbers are weighed but not told: whoever may see an identity may not see where somebody is.
    """
    levels = _SCORER.levels(prepare(one), prepare(other))[0]
    told = {
        component: WORDS[component, LEVELS[component][level]]
        for component, level in zip(COMPONENTS, levels, strict=True)
        if level is not None and (component, LEVELS[component][level]) in WORDS
    }
    return {component: words for component, words in told.items() if component not in ("place", "contact")}


def weights(one: SourceRecord, other: SourceRecord) -> tuple[tuple[str, str, float], ...]:
    """(component, how it compares in words, bits) of name, birth date, sex and number, as far as both have them.

    Addresses and telephone numbers are left out for the reason that `agreement_words` gives.
    """
    found = _SCORER.parts(prepare(one), prepare(other))
    return tuple((c, WORDS.get((c, level), level), bits) for c, level, bits in found if c not in ("place", "contact"))


def keep_apart(
    session: Session,
    keys: Keys,
    first: tuple[str, str],
    second: tuple[str, str],
    *,
    said_by: str,
    rationale: str,
    now: datetime,
) -> int:
    """A data steward's "not the same person" about two records, (agency, record) each: permanent, and linked anew.

    Returns how many persons were written. Raises ValueError when a rationale is missing or a record is not held.
    """
    return take_out(session, keys, first, [second], said_by=said_by, rationale=rationale, now=now)


def take_out(
    session: Session,
    keys: Keys,
    record: tuple[str, str],
    others: Sequence[tuple[str, str]],
    *,
    said_by: str,
    rationale: str,
    now: datetime,
) -> int:
    """A record is none of these others: permanent for each of them, and linked anew. See `keep_apart`."""
    known = set(said(session, tables.never))
    pairs = [_ordered(record, other) for other in others]
    touched = _touched(session, pairs, rationale)
    for pair in pairs:
        if pair not in known:
            _store(session, keys, tables.never, pair, said_by, rationale, now)
    _link_anew(session, touched)
    return relink(session, keys, now=now)


def settle(
    session: Session, keys: Keys, pair: RecordPair, outcome: str, *, said_by: str, rationale: str, now: datetime
) -> int:
    """A steward's SAME, which joins the two from now on, or CANNOT_TELL, which only takes the pair off the queue."""
    pair = _ordered(*pair)
    touched = _touched(session, [pair], rationale)
    _store(session, keys, tables.decisions, pair, said_by, rationale, now, outcome=outcome)
    if outcome != SAME:
        return 0
    _link_anew(session, touched)
    return relink(session, keys, now=now)


def _undecided(session: Session, keys: Keys, rows: Sequence[Any]) -> tuple[Doubt, ...]:
    decided = {*said(session, tables.decisions), *said(session, tables.never)}
    known = held(session, keys, {row for pair in rows for row in pair})
    found = [Doubt(known[i], known[j]) for i, j in rows if i in known and j in known]
    return tuple(one for one in found if _ordered(one.first.name, one.second.name) not in decided)


def _ordered(one: tuple[str, str], other: tuple[str, str]) -> RecordPair:
    return (one, other) if one <= other else (other, one)


def _touched(session: Session, pairs: Sequence[RecordPair], rationale: str) -> set[str]:
    """The persons of these records. Raises ValueError when one is not held, or nothing was said."""
    if not rationale.strip():
        raise ValueError("A rationale is needed.")
    names = {name for pair in pairs for name in pair}
    if not pairs or any(one == other for one, other in pairs):
        raise ValueError("Two records of the index are needed.")
    table = tables.records
    named = or_(*(and_(table.c.agency == agency, table.c.record == record) for agency, record in names))
    found = session.scalars(select(table.c.person).where(named, table.c.person.is_not(None))).all()
    if len(found) != len(names):
        raise ValueError("Two records of the index are needed.")
    return set(found)


def _link_anew(session: Session, persons: set[str]) -> None:
    table = tables.records
    session.execute(update(table).where(table.c.person.in_(persons)).values(is_linked=False))


def _store(
    session: Session,
    keys: Keys,
    table: Table,
    pair: RecordPair,
    said_by: str,
    rationale: str,
    now: datetime,
    **more: str,
) -> None:
    (a, r), (b, s) = pair
    sealed = keys.seal(a, rationale.encode(), f"keep-apart:{r}:{b}:{s}")
    session.execute(
        insert(table).values(
            first_agency=a, first_record=r, second_agency=b, second_record=s,
            said_by=said_by, rationale=sealed, at=now, **more,
        )
    )  # fmt: skip
