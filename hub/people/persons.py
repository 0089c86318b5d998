"""Persons of the index and their records: which are theirs, where they went, where they came from.

For: everything that holds a person's id and must find the records behind it, also after persons were joined or parted.
Must never search: who is meant is found in `index.py`. Ruled by docs/matching.md.
"""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors import SourceRecord
from hub.people import tables
from hub.people.stored import Keys, opened, rows_of_persons


def records_of_persons(session: Session, keys: Keys, persons: Iterable[str]) -> dict[str, tuple[SourceRecord, ...]]:
    """The records of many persons in one query."""
    found: dict[str, list[SourceRecord]] = defaultdict(list)
    for row in rows_of_persons(session, persons):
        found[row.person].append(opened(keys, row))
    return {person: tuple(records) for person, records in found.items()}


def records_of(session: Session, keys: Keys, person_id: str) -> tuple[SourceRecord, ...]:
    """The records of one person; empty when there is no such person (any more: see `current_person`)."""
    return records_of_persons(session, keys, (person_id,)).get(person_id, ())


def current_person(session: Session, person_id: str) -> str:
    """Where a person's records are now, after persons were joined; the same id when nothing moved."""
    for _ in range(8):
        moved = session.execute(
            select(tables.moves.c.new_person)
            .where(tables.moves.c.old_person == person_id)
            .order_by(tables.moves.c.id.desc())
        ).scalars().first()  # fmt: skip
        if moved is None:
            break
        person_id = moved
    return person_id


def former_persons(session: Session, person_id: str) -> tuple[str, ...]:
    """Every id from which records came to this person, also over several steps; older entries may be under them."""
    found: set[str] = set()
    ahead = {person_id}
    while ahead:
        query = select(tables.moves.c.old_person).where(tables.moves.c.new_person.in_(sorted(ahead)))
        ahead = set(session.scalars(query)) - found - {person_id}
        found |= ahead
    return tuple(sorted(found))


def joined_persons(session: Session, person_id: str) -> tuple[str, ...]:
    """Every id that was joined into this person whole; none of which a part was ever taken out to somebody else."""
    f = tables.followed.c
    parted = select(f.old_person).where(f.is_split)
    found: set[str] = set()
    ahead = {person_id}
    while ahead:
        query = select(f.old_person).where(f.new_person.in_(sorted(ahead)), f.old_person.not_in(parted))
        ahead = set(session.scalars(query)) - found - {person_id}
        found |= ahead
    return tuple(sorted(found))
