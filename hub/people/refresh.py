"""Keeping the index: what agencies hold goes in sealed, what changed is linked again, and decisions stay.

For: loading extracts and lists, once or every night. Must never link what a steward has kept apart, never rewrite a
person who was not touched, and never leave a record half stored: the caller's transaction holds all of it. Ruled by
docs/matching.md.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from connectors import SourceRecord
from hub.people import tables
from hub.people.matching.assign import Clusters, cluster
from hub.people.matching.batch import weigh_some
from hub.people.matching.candidates import LARGEST_BLOCK, pairs
from hub.people.matching.candidates import keys as linking_keys
from hub.people.matching.compare import DEFAULT_MODEL, Model, Scorer
from hub.people.matching.normalise import Prepared, prepare
from hub.people.stored import COLUMNS, Keys, blind_key, chunks, context_of, keys_of, opened, pack

#: From this many new records on, the whole index is read once instead of looking up each record's neighbours.
BULK = 3000
#: An index above this many records is never held in memory whole: new ones are linked so many at a time, by their
#: agency and id, with whoever shares a key with them.
MOST_AT_ONCE, PART = 250_000, 2500
_BATCH = 5000
#: Goes up whenever records get other keys than before, so that the next load keys every record anew.
KEYS_VERSION = 3
#: "The same person", said by a data steward.
SAME = "SAME"

#: Two records by their agencies and the agencies' own ids.
RecordPair = tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh did, in numbers."""

    seen: int
    new: int
    changed: int
    unchanged: int
    removed: int
    persons_touched: int


def refresh(
    session: Session,
    keys: Keys,
    records: Iterable[SourceRecord],
    *,
    agency: str,
    now: datetime,
    complete: bool = False,
    link: bool = True,
) -> RefreshReport:
    """Takes an agency's records into the index; a record that has not changed costs nothing.

    Takes `complete`: the records are all the agency has, so what is missing is removed; `link`: whether to link at
    once (when several agencies are loaded, link once at the end with `relink`).
    Effects: rows written in the caller's transaction; persons of touched records may change (see `moves`).
    """
    seen: set[int] = set()
    counts: Counter[str] = Counter()
    for batch in _batches(records, seen, agency):
        _take_in(session, keys, batch, agency, now, counts)
    if complete:
        counts["removed"] = _remove_all_but(session, keys, agency, seen)
    persons = relink(session, keys, now=now) if link else 0
    return RefreshReport(len(seen), counts["new"], counts["changed"], counts["unchanged"], counts["removed"], persons)


def _batches(records: Iterable[SourceRecord], seen: set[int], agency: str) -> Iterator[list[SourceRecord]]:
    """The records a few thousand at a time, each id once; what was seen is remembered by a number, not by its name."""
    batch: list[SourceRecord] = []
    for record in records:
        if record.agency != agency:
            raise ValueError("A record of another agency was given.")
        number = _number_of(record.record)
        if number not in seen:
            seen.add(number)
            batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _number_of(record: str) -> int:
    return int.from_bytes(blake2b(record.encode(), digest_size=8).digest(), "big")


def _take_in(
    session: Session,
    keys: Keys,
    batch: Sequence[SourceRecord],
    agency: str,
    now: datetime,
    counts: Counter[str],
) -> None:
    """Stores what is new or changed of some records, and notes that the others were seen."""
    table = tables.records
    known: dict[str, Any] = {}
    for some in chunks(record.record for record in batch):
        query = select(table.c.id, table.c.record, table.c.fingerprint)
        rows = session.execute(query.where(table.c.agency == agency, table.c.record.in_(some)))
        known |= {row.record: row for row in rows}
    new = [record for record in batch if record.record not in known]
    changed, newer = [], []
    for record in batch:
        if (before := known.get(record.record)) is None:
            continue
        if before.fingerprint != _fingerprint(keys, agency, pack(record)):
            changed.append((before.id, record))
        else:
            newer.append({"row": before.id, "new_as_of": record.as_of, "now": now})
    _forget(session, keys, [row for row, _ in changed])
    if newer:
        session.execute(
            update(table)
            .where(table.c.id == bindparam("row"))
            .values(as_of=bindparam("new_as_of"), refreshed_at=bindparam("now")),
            newer,
        )  # fmt: skip
    _store(session, keys, new, changed, agency, now)
    counts.update(new=len(new), changed=len(changed), unchanged=len(newer))


def _remove_all_but(session: Session, keys: Keys, agency: str, seen: set[int]) -> int:
    """Takes out the agency's records that are not among those seen; returns how many."""
    table = tables.records
    held = session.execute(select(table.c.id, table.c.record).where(table.c.agency == agency))
    gone = [row.id for row in held if _number_of(row.record) not in seen]
    _forget(session, keys, gone)
    for some in chunks(gone):
        session.execute(delete(table).where(table.c.id.in_(some)))
    return len(gone)


def _fingerprint(keys: Keys, agency: str, packed: bytes) -> bytes:
    return keys.blind(f"match-fingerprint:{KEYS_VERSION}", f"{agency}\x1f" + packed.decode())


def _forget(session: Session, keys: Keys, rows: Sequence[int]) -> None:
    """Takes the keys and links of changed or removed records out; whoever was one person with them is linked anew."""
    touched: set[str] = set()
    for some in chunks(rows):
        found = session.execute(select(*COLUMNS).where(tables.records.c.id.in_(some))).all()
        touched.update(row.person for row in found if row.person)
        old = [(k, row.id) for row in found for k in _blind(keys, opened(keys, row))]
        if old:
            # Row by row: SQLite reads the whole table when pairs of columns are compared with a list of pairs.
            session.execute(
                delete(tables.keys).where(
                    tables.keys.c.key == bindparam("old_key"), tables.keys.c.record_id == bindparam("old_row")
                ),
                [{"old_key": key, "old_row": row} for key, row in old],
            )
        _let_go_of(session, some)
        session.execute(
            delete(tables.links).where(or_(tables.links.c.first_id.in_(some), tables.links.c.second_id.in_(some)))
        )
    for some in chunks(sorted(touched)):
        session.execute(update(tables.records).where(tables.records.c.person.in_(some)).values(is_linked=False))


def _let_go_of(session: Session, rows: Sequence[int]) -> None:
    """Records that were held back because of one of these rows are looked at again."""
    link, table = tables.links.c, tables.records
    beside = select(link.second_id).where(link.first_id.in_(rows)).union(
        select(link.first_id).where(link.second_id.in_(rows))
    )  # fmt: skip
    session.execute(update(table).where(table.c.person.is_(None), table.c.id.in_(beside)).values(is_linked=False))


def _blind(keys: Keys, record: SourceRecord) -> set[int]:
    return {blind_key(keys, key) for key in keys_of(record, prepare(record))}


def _store(
    session: Session,
    keys: Keys,
    new: Sequence[SourceRecord],
    changed: Sequence[tuple[int, SourceRecord]],
    agency: str,
    now: datetime,
) -> None:
    for row, record in changed:
        packed = pack(record)
        session.execute(
            update(tables.records).where(tables.records.c.id == row).values(
                sealed=keys.seal(agency, packed, context_of(record.record)),
                fingerprint=_fingerprint(keys, agency, packed), as_of=record.as_of, refreshed_at=now, is_linked=False,
            )
        )  # fmt: skip
        session.execute(insert(tables.keys), [{"key": k, "record_id": row} for k in _blind(keys, record)])
    if not new:
        return
    table = tables.records
    last = session.execute(select(func.max(table.c.id))).scalar() or 0
    rows = []
    for record in new:
        packed = pack(record)
        rows.append(
            {
                "agency": agency,
                "record": record.record,
                "person": None,
                "is_linked": False,
                "sealed": keys.seal(agency, packed, context_of(record.record)),
                "fingerprint": _fingerprint(keys, agency, packed),
                "as_of": record.as_of,
                "refreshed_at": now,
            }
        )
    session.execute(insert(table), rows)
    made = dict(
        session.execute(select(table.c.record, table.c.id).where(table.c.agency == agency, table.c.id > last)).all()
    )
    session.execute(
        insert(tables.keys),
        [{"key": k, "record_id": made[record.record]} for record in new for k in sorted(_blind(keys, record))],
    )


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
    clusters = cluster(records, weights, scorer, _placed(records, said(session, tables.never)), _placed(records, same))
    _remember_barred(session, keys, records, clusters, now)
    _remember_held_back(session, keys, records, clusters, now)
    return _write(session, rows, clusters, new, now)


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
