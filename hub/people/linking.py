"""Who is one person, in the index: new and changed records are linked with what is there, and persons are written.

For: after a load, and after a steward has spoken. Must never link what a steward has kept apart, and never rewrite a
person who was not touched. Ruled by docs/matching.md.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from hub.people import flagged, releases, tables
from hub.people.matching.assign import Clusters, cluster
from hub.people.matching.batch import weigh_some
from hub.people.matching.candidates import LARGEST_BLOCK, pairs
from hub.people.matching.candidates import keys as linking_keys
from hub.people.matching.compare import DEFAULT_MODEL, Model, Scorer
from hub.people.matching.normalise import Prepared, prepare
from hub.people.stored import COLUMNS, Keys, blind_key, chunks, opened

#: From this many new records on, the whole index is read once instead of looking up each record's neighbours.
BULK = 3000
#: An index above this many records is never held in memory whole: new ones are linked so many at a time, by their
#: agency and id, with whoever shares a key with them.
MOST_AT_ONCE, PART = 250_000, 2500
_BATCH = 5000
#: "The same person", said by a data steward.
SAME = "SAME"

#: Two records by their agencies and the agencies' own ids.
RecordPair = tuple[tuple[str, str], tuple[str, str]]


def relink(session: Session, keys: Keys, *, now: datetime, model: Model | None = None) -> int:
    """Links every record that is new or changed with what is there, and the persons those records were part of again.

    Returns how many persons were written. Only those whose records changed hands are touched.
    """
    table = tables.records
    waiting = select(table.c.id).where(table.c.is_linked.is_(False)).order_by(table.c.agency, table.c.record)
    pending = list(session.scalars(waiting))
    if not pending:
        return 0
    whole = session.scalar(select(func.count()).select_from(table)) or 0
    # How many strangers there are must not depend on how many records are linked at a time.
    scorer = Scorer(replace(model or Model.load(DEFAULT_MODEL), prior=1 / max(10_000, whole)))
    if whole <= MOST_AT_ONCE or len(pending) <= PART:
        return _link(session, keys, scorer, set(pending), len(pending) >= BULK, now)
    persons = 0
    for at in range(0, len(pending), PART):
        persons += _link(session, keys, scorer, set(pending[at : at + PART]), False, now)
    return persons


def _link(session: Session, keys: Keys, scorer: Scorer, pending: set[int], is_bulk: bool, now: datetime) -> int:
    """Links these records with the whole index, or with those around them."""
    table = tables.records
    same = said(session, tables.decisions, tables.decisions.c.outcome == SAME)
    rows = (
        session.execute(select(*COLUMNS).order_by(table.c.id)).all()
        if is_bulk
        else _around(session, keys, pending, same)
    )
    rows = sorted(rows, key=lambda row: (row.agency, row.record))  # Ties never depend on who was loaded first.
    records = [prepare(opened(keys, row)) for row in rows]
    at_of = {row.id: at for at, row in enumerate(rows)}
    new = {at for at, row in enumerate(rows) if row.id in pending or row.person is None}
    weights = weigh_some(records, sorted(pairs(records, None if len(new) == len(rows) else new)), scorer)
    for first, second in _stored_links(session, at_of, new):
        weights[first * len(records) + second] = scorer.weigh(records[first], records[second])
    known = releases.standing(session)
    released = {at for at, r in enumerate(records) if (r.agency, r.record) in known}
    clusters = cluster(
        records, weights, scorer, _placed(records, said(session, tables.never)), _placed(records, same), released
    )
    _remember_barred(session, keys, records, clusters, now)
    _remember_held_back(session, keys, records, clusters, now)
    persons = _write(session, rows, clusters, new, now)
    flagged.remember(session, keys, _persons(session, rows), clusters.flagged, now)
    return persons


def _persons(session: Session, rows: Sequence[Any]) -> dict[int, tuple[str, str, str]]:
    """Position -> (person, agency, record) as they are after writing; who is held back has no person."""
    table = tables.records
    now: dict[int, str] = {}
    for some in chunks(row.id for row in rows):
        now |= dict(session.execute(select(table.c.id, table.c.person).where(table.c.id.in_(some))).all())
    return {at: (now[row.id], row.agency, row.record) for at, row in enumerate(rows) if now.get(row.id)}


def _around(session: Session, keys: Keys, pending: set[int], same: Sequence[RecordPair]) -> Sequence[Any]:
    """The pending records, those that share a key with them or were joined to them by a steward, and everybody who is
    one person with those."""
    table = tables.records
    own: list[Any] = []
    for some in chunks(sorted(pending)):
        own += session.execute(select(*COLUMNS).where(table.c.id.in_(some))).all()
    wanted = {blind_key(keys, key) for row in own for key in linking_keys(prepare(opened(keys, row)))}
    persons: set[str] = set()
    waiting: set[int] = set()
    held = tables.keys.c
    for some in chunks(sorted(wanted)):
        # A key that very many carry says too little; its block is counted in the index and never read.
        few = select(held.key).where(held.key.in_(some)).group_by(held.key).having(func.count() <= LARGEST_BLOCK)
        useful = list(session.scalars(few))
        query = select(table.c.person).distinct().join(tables.keys, table.c.id == held.record_id)
        persons.update(p for p in session.scalars(query.where(held.key.in_(useful))) if p)
        # Who was held back, because they might be somebody protected, is looked at again with what is new.
        back = select(held.record_id).join(table, table.c.id == held.record_id).where(held.key.in_(useful))
        waiting.update(session.scalars(back.where(table.c.person.is_(None), table.c.is_linked.is_(True))))
    found = {row.id: row for row in own}
    for some in chunks(sorted(waiting)):
        found |= {row.id: row for row in session.execute(select(*COLUMNS).where(table.c.id.in_(some)))}
    names = {(row.agency, row.record) for row in own}
    joined = [one for pair in same if names & set(pair) for one in pair if one not in names]
    for some in chunks(joined):
        named = or_(*(and_(table.c.agency == a, table.c.record == r) for a, r in some))
        for row in session.execute(select(*COLUMNS).where(named)):
            found[row.id] = row
            persons |= {row.person} - {None}
    for some in chunks(sorted(persons)):
        found |= {row.id: row for row in session.execute(select(*COLUMNS).where(table.c.person.in_(some)))}
    return [found[row] for row in sorted(found)]


def _stored_links(session: Session, at_of: Mapping[int, int], new: set[int]) -> Iterable[tuple[int, int]]:
    """Pairs that were weighed before and of which neither record is new."""
    table = tables.links
    for some in chunks(sorted(at_of)):
        for first, second in session.execute(
            select(table.c.first_id, table.c.second_id).where(table.c.first_id.in_(some))
        ):
            if second in at_of and not {at_of[first], at_of[second]} & new:
                yield tuple(sorted((at_of[first], at_of[second])))  # type: ignore[misc]


def said(session: Session, table: Table, *which: ColumnElement[bool]) -> list[RecordPair]:
    """The pairs that stewards spoke about, as (agency, record) twice; what people write by hand is never many."""
    c = table.c
    rows = session.execute(select(c.first_agency, c.first_record, c.second_agency, c.second_record).where(*which))
    return [((a, r), (b, s)) for a, r, b, s in rows]


def _placed(records: Sequence[Prepared], pairs_said: Iterable[RecordPair]) -> list[tuple[int, int]]:
    """Those pairs of which both records are here, as positions."""
    at_of = {(r.agency, r.record): at for at, r in enumerate(records)}
    return [(at_of[one], at_of[other]) for one, other in pairs_said if one in at_of and other in at_of]


def _remember_barred(
    session: Session, keys: Keys, records: Sequence[Prepared], clusters: Clusters, now: datetime
) -> None:
    """Pairs with an adopted person are kept only as keyed hashes, once, so that somebody is alerted once."""
    found = {}
    for i, j in clusters.barred:
        (a, r), (b, s) = sorted((records[at].agency, records[at].record) for at in (i, j))
        found[keys.blind("match-suppressed", "\x1f".join((a, r, b, s)))] = (a, b)
    _remember(session, found, "P27", now)


def _remember_held_back(
    session: Session, keys: Keys, records: Sequence[Prepared], clusters: Clusters, now: datetime
) -> None:
    """Records that might be somebody protected: a keyed hash of each, once, so that somebody is alerted once."""
    found = {}
    for at in clusters.quarantined:
        one = records[at]
        found[keys.blind("match-held-back", f"{one.agency}\x1f{one.record}")] = (one.agency, one.agency)
    _remember(session, found, "P28", now)


def _remember(session: Session, found: Mapping[bytes, tuple[str, str]], reason: str, now: datetime) -> None:
    table = tables.suppressed
    for some in chunks(sorted(found)):
        known = set(session.scalars(select(table.c.pair).where(table.c.pair.in_(some))))
        fresh = [
            {
                "pair": pair,
                "first_agency": found[pair][0],
                "second_agency": found[pair][1],
                "reason": reason,
                "found_at": now,
                "alerted_at": None,
            }
            for pair in some
            if pair not in known
        ]
        if fresh:
            session.execute(insert(table), fresh)


def _write(session: Session, rows: Sequence[Any], clusters: Clusters, new: set[int], now: datetime) -> int:
    """Gives every cluster its person: the id that most of its records had, else a fresh one."""
    together: dict[int, list[int]] = defaultdict(list)
    for at, root in enumerate(clusters.person_of):
        if at not in clusters.quarantined:
            together[root].append(at)
    had = {root: Counter(rows[at].person for at in members if rows[at].person) for root, members in together.items()}
    taken: set[str] = set()
    written: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    came: list[tuple[str, str]] = []
    persons = 0
    for root in sorted(together, key=lambda r: (-max(had[r].values(), default=0), r)):
        free = [p for p, _ in sorted(had[root].items(), key=lambda x: (-x[1], x[0])) if p not in taken]
        person = free[0] if free else "p" + secrets.token_hex(8)
        taken.add(person)
        changes = [{"row": rows[at].id, "new_person": person} for at in together[root] if rows[at].person != person]
        moved += [{"old_person": old, "new_person": person, "at": now} for old in free[1:]]
        came += [(old, person) for old in sorted(had[root]) if old != person]
        written += changes
        persons += bool(changes)
    # Without a person nobody finds them, and they are in nobody's family.
    written += [{"row": rows[at].id, "new_person": None} for at in sorted(clusters.quarantined) if rows[at].person]
    moved = [m for m in moved if m["old_person"] not in taken]
    if came:
        session.execute(
            insert(tables.followed),
            [
                {"old_person": old, "new_person": person, "is_split": old in taken, "at": now, "done_at": None}
                for old, person in came
            ],
        )
    if written:
        session.execute(
            update(tables.records)
            .where(tables.records.c.id == bindparam("row"))
            .values(person=bindparam("new_person")),
            written,
        )
    if moved:
        session.execute(insert(tables.moves), moved)
    for some in chunks(sorted(rows[at].id for at in new)):
        session.execute(update(tables.records).where(tables.records.c.id.in_(some)).values(is_linked=True))
    fresh = [link for link in clusters.links if link.first in new or link.second in new]
    ids = sorted({rows[at].id for at in new})
    for some in chunks(ids):
        session.execute(
            delete(tables.links).where(or_(tables.links.c.first_id.in_(some), tables.links.c.second_id.in_(some)))
        )
    for batch in (fresh[at : at + _BATCH] for at in range(0, len(fresh), _BATCH)):
        session.execute(
            insert(tables.links),
            [
                {
                    "first_id": rows[link.first].id,
                    "second_id": rows[link.second].id,
                    "weight_bits": round(link.weight.bits, 6),
                    "probability": round(link.weight.probability, 9),
                    "outcome": link.outcome,
                }
                for link in batch
            ],
        )
    return persons
