"""Records that are held back because they might be somebody protected (rule P28), and their release by two people.

For: the agency whose record it is, and information governance. Must never tell whom a record looks like, never release
on one person's word, and never keep a release for a record that has changed since. Ruled by docs/matching.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, insert, select, update
from sqlalchemy.orm import Session

from hub.people import tables
from hub.people.stored import Keys

RELEASED, KEPT = "RELEASED", "KEPT"


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A record without a person, by its agency's own number, and how its release stands."""

    row: int
    agency: str
    record: str
    request: int | None
    asked_by: str | None
    asked_at: datetime | None
    rationale: str | None
    outcome: str | None
    answer: str | None


def held_back(session: Session, keys: Keys, agencies: Sequence[str], *, row: int | None = None) -> list[HeldBack]:
    """The held-back records of these agencies, or one of them; a request about an older content does not count."""
    r, q = tables.records.c, tables.releases.c
    same = and_(q.agency == r.agency, q.record == r.record, q.content == r.fingerprint)
    query = (
        select(
            r.id, r.agency, r.record, q.id.label("request"), q.asked_by, q.asked_at, q.rationale, q.outcome, q.answer
        )
        .outerjoin(tables.releases, same)
        .where(r.agency.in_(sorted(agencies)), r.person.is_(None), r.is_linked.is_(True))
        .order_by(r.agency, r.record)
    )
    if row is not None:
        query = query.where(r.id == row)
    return [_shown(keys, one) for one in session.execute(query)]


def ask(session: Session, keys: Keys, one: HeldBack, *, asked_by: str, rationale: str, now: datetime) -> None:
    """The first person's word. Raises IntegrityError when somebody has asked about this content already."""
    content = session.scalar(select(tables.records.c.fingerprint).where(tables.records.c.id == one.row))
    session.execute(
        insert(tables.releases).values(
            agency=one.agency,
            record=one.record,
            content=content,
            asked_by=asked_by,
            rationale=keys.seal(one.agency, rationale.encode(), f"release:{one.record}"),
            asked_at=now,
        )
    )


def answer(
    session: Session,
    keys: Keys,
    one: HeldBack,
    outcome: str,
    *,
    answered_by: str,
    accounts: Collection[str],
    why: str,
    now: datetime,
) -> bool:
    """The second person's word; a released record is linked anew.

    Takes `accounts`: every account of whom answers. Returns False when it was answered already, or when one of those
    asked.
    """
    table = tables.releases
    done = session.execute(
        update(table)
        .where(
            table.c.id == one.request,
            table.c.outcome.is_(None),
            table.c.asked_by.not_in(sorted({answered_by, *accounts})),
        )
        .values(
            outcome=outcome,
            answered_by=answered_by,
            answer=keys.seal(one.agency, why.encode(), f"release-answer:{one.record}"),
            answered_at=now,
        )
    )
    if done.rowcount and outcome == RELEASED:  # type: ignore[attr-defined]
        session.execute(update(tables.records).where(tables.records.c.id == one.row).values(is_linked=False))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def standing(session: Session) -> frozenset[tuple[str, str]]:
    """(agency, record) of what was released and has not changed since; written by hand, so never many."""
    r, q = tables.records.c, tables.releases.c
    query = (
        select(q.agency, q.record)
        .join(tables.records, and_(r.agency == q.agency, r.record == q.record, r.fingerprint == q.content))
        .where(q.outcome == RELEASED)
    )
    return frozenset((agency, record) for agency, record in session.execute(query))


def _shown(keys: Keys, one: Any) -> HeldBack:
    def opened(sealed: bytes | None, context: str) -> str | None:
        return keys.open(one.agency, sealed, f"{context}:{one.record}").decode() if sealed else None

    at = one.asked_at
    return HeldBack(
        one.id,
        one.agency,
        one.record,
        one.request,
        one.asked_by,
        at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at,
        opened(one.rationale, "release"),
        one.outcome,
        opened(one.answer, "release-answer"),
    )
