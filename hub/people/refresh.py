"""Keeping the index: what agencies hold goes in sealed, what changed is linked again, and decisions stay.

For: loading extracts and lists, once or every night. Must never leave a record half stored: the caller's transaction
holds all of it. Who is one person is decided in `linking.py`. Ruled by docs/matching.md.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from connectors import SourceRecord
from hub.people import tables
from hub.people.linking import relink
from hub.people.matching.normalise import prepare
from hub.people.stored import COLUMNS, Keys, blind_key, chunks, context_of, keys_of, opened, pack

_BATCH = 5000
#: Goes up whenever records get other keys than before, so that the next load keys every record anew.
KEYS_VERSION = 3


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
