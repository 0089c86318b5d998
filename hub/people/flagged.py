"""Persons of the index that break a rule: remembered when they are linked, and settled by a data steward.

For: the list of joins that somebody should look at. Must never undo a join by itself, and never call a person settled
whose records have changed since. Ruled by docs/matching.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.orm import Session

from hub.people import tables
from hub.people.stored import Keys, chunks

#: Persons that are looked through for one page.
MOST_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Flagged:
    """A person and the rules that its records break."""

    person: str
    rules: tuple[str, ...]


def remember(
    session: Session,
    keys: Keys,
    persons: Mapping[int, tuple[str, str, str]],
    broken: Mapping[int, frozenset[str]],
    now: datetime,
) -> None:
    """Writes down which of these persons break which rules; what was settled stays settled while nothing changed.

    Takes `persons` by position, (person, agency, record), and `broken` by a position of the person.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for person, agency, record in persons.values():
        members[person].append(f"{agency}\x1f{record}")
    wanted = {
        (persons[at][0], rule): keys.blind("match-flagged", "\x1e".join(sorted(members[persons[at][0]])))[:16]
        for at, rules in broken.items()
        if at in persons
        for rule in rules
    }
    table = tables.flagged
    for some in chunks(sorted(members)):
        rows = session.execute(select(table.c.person, table.c.rule, table.c.members).where(table.c.person.in_(some)))
        for person, rule, known in rows.all():
            if wanted.get((person, rule)) == known:
                del wanted[person, rule]
            else:
                session.execute(delete(table).where(table.c.person == person, table.c.rule == rule))
    if wanted:
        session.execute(
            insert(table),
            [{"person": p, "rule": rule, "members": who, "found_at": now} for (p, rule), who in sorted(wanted.items())],
        )


def waiting(session: Session) -> tuple[Flagged, ...]:
    """Persons nobody has settled, those that break most rules first; at most MOST_LOOKED_AT."""
    table = tables.flagged
    still_there = exists().where(tables.records.c.person == table.c.person)
    found: dict[str, list[str]] = defaultdict(list)
    query = select(table.c.person, table.c.rule).where(table.c.settled_at.is_(None), still_there)
    for person, rule in session.execute(query.order_by(table.c.found_at, table.c.person).limit(10 * MOST_LOOKED_AT)):
        found[person].append(rule)
    ranked = sorted(found.items(), key=lambda one: -len(one[1]))
    return tuple(Flagged(person, tuple(sorted(rules))) for person, rules in ranked[:MOST_LOOKED_AT])


def rules_of(session: Session, person: str) -> tuple[str, ...]:
    """The rules that a person breaks and nobody has settled."""
    table = tables.flagged
    query = select(table.c.rule).where(table.c.person == person, table.c.settled_at.is_(None))
    return tuple(sorted(session.scalars(query)))


def settle(
    session: Session, keys: Keys, person: str, agencies: Iterable[str], *, said_by: str, rationale: str, now: datetime
) -> bool:
    """A steward's "this is one person all the same". Returns whether anything was waiting."""
    sealed = keys.seal(min(agencies), rationale.encode(), f"flagged:{person}")
    done = session.execute(
        update(tables.flagged)
        .where(tables.flagged.c.person == person, tables.flagged.c.settled_at.is_(None))
        .values(settled_by=said_by, rationale=sealed, settled_at=now)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
