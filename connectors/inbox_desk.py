"""The other side of an inbox: what waits for the people of an agency, and what they answer.

For: the pages of an agency's navigators. Must never change an answer: a later answer or mark stands beside the
earlier ones, and what was written goes as a whole when its enquiry has been over for long enough. Who may
answer, and that the trail knows of it first, is the hub's to see to.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from connectors.attachments import Attachment, FileKind
from connectors.contract import Keys, PersonQuery
from connectors.inbox import (
    AnswerKind,
    Mark,
    Piece,
    item_seal_context,
    read_pieces,
    who_context,
    words_context,
    write_piece,
)
from connectors.records import STANDARD_FIELDS, Value
from connectors.sealed import with_zone
from connectors.tables import inbox_answers, inbox_files, inbox_items, inbox_marks, inbox_requests
from policies.vocabulary import DataCategory, FieldKind


@dataclass(frozen=True, slots=True)
class Request:
    """What an agency is asked. `wanted` are field names by category; `answers` how often it was answered so far."""

    id: str
    agency: str
    enquiry: str
    person: str
    purpose: str
    urgency: str
    wanted: Mapping[DataCategory, tuple[str, ...]]
    intent: str
    asked_at: datetime
    half_at: datetime
    due_at: datetime
    answered_at: datetime | None
    answers: int
    reminded: int


@dataclass(frozen=True, slots=True)
class Given:
    """One piece that somebody gives: its fields, what they say of it, and the file, if it is one."""

    category: DataCategory
    occurred_on: date | None
    values: Mapping[str, Value]
    mark: Mark
    kept_back: frozenset[str] = frozenset()
    withheld: bool = False
    file: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """A piece as its own agency sees it, with the answer that it came in."""

    answer: str
    piece: Piece


def open_requests(session: Session, agency: str, *, enquiries: Iterable[str] | None = None) -> tuple[Request, ...]:
    """What still waits for an answer, the most urgent first."""
    r = inbox_requests.c
    query = select(inbox_requests).where(r.agency == agency, r.answered_at.is_(None))
    if enquiries is not None:
        query = query.where(r.enquiry.in_(list(enquiries)))
    rows = session.execute(query.order_by(r.due_at, r.id)).mappings().all()
    return _with_counts(session, rows)


def request_of(
    session: Session, keys: Keys, agency: str, request: str
) -> tuple[Request, PersonQuery, tuple[Marked, ...]] | None:
    """One request of this agency: what is asked, whom it is about, and what was answered; None if it is not theirs."""
    r = inbox_requests.c
    row = session.execute(select(inbox_requests).where(r.id == request, r.agency == agency)).mappings().first()
    if row is None:
        return None
    (found,) = _with_counts(session, [row])
    who = json.loads(keys.open(agency, row["sealed_who"], who_context(request)))
    born = who["date_of_birth"]
    query = PersonQuery(
        tuple(who["given"]),
        tuple(who["family"]),
        date.fromisoformat(born) if born else None,
        who["nhs_number"],
        who["sex_code"],
    )
    return found, query, tuple(Marked(answer, piece) for answer, piece in read_pieces(session, keys, agency, request))


def add_answer(
    session: Session,
    keys: Keys,
    request: Request,
    kind: AnswerKind,
    given: Sequence[Given],
    *,
    reason: str | None,
    words: str | None,
    senior: bool,
    now: datetime,
    by: str,
    receipt: str,
) -> str:
    """Stores an answer and its pieces; returns its id. Effects: rows; the request is answered, late or not."""
    answer = "IA-" + secrets.token_hex(16)
    session.execute(
        insert(inbox_answers).values(
            id=answer,
            request=request.id,
            kind=str(kind),
            reason=reason,
            sealed_words=keys.seal(request.agency, words.encode(), words_context(answer)) if words else None,
            senior=senior,
            late=now > request.due_at,
            answered_at=now,
            answered_by=by,
            receipt=receipt,
        )
    )
    for piece in given:
        _add_piece(session, keys, request, answer, piece, now=now, by=by, receipt=receipt)
    mine = inbox_requests.c.id == request.id
    session.execute(update(inbox_requests).where(mine, inbox_requests.c.answered_at.is_(None)).values(answered_at=now))
    return answer


def _add_piece(
    session: Session, keys: Keys, request: Request, answer: str, given: Given, *, now: datetime, by: str, receipt: str
) -> None:
    item, values = "II-" + secrets.token_hex(16), dict(given.values)
    file = "IF-" + secrets.token_hex(16)
    if given.file is not None:
        values["document"] = Value(STANDARD_FIELDS["document"], given.file.words, file)
    session.execute(
        insert(inbox_items).values(
            id=item,
            answer=answer,
            request=request.id,
            category=str(given.category),
            withheld=given.withheld,
            sealed=keys.seal(request.agency, write_piece(values, given.occurred_on), item_seal_context(item)),
        )
    )
    if given.file is not None:
        session.execute(
            insert(inbox_files).values(
                id=file,
                item=item,
                agency=request.agency,
                kind=str(given.file.kind),
                size=len(given.file.data),
                sealed_name=keys.seal(request.agency, given.file.name.encode(), f"inbox file name {file}"),
                sealed=keys.seal(request.agency, given.file.data, f"inbox file {file}"),
            )
        )
    mark_piece(session, item, given.mark, given.kept_back, now=now, by=by, receipt=receipt)


def mark_piece(
    session: Session, item: str, mark: Mark, kept_back: frozenset[str], *, now: datetime, by: str, receipt: str
) -> None:
    """What its owner says of a piece from now on. Effects: one row; earlier marks stay."""
    session.execute(
        insert(inbox_marks).values(
            item=item,
            mark=str(mark),
            kept_back=sorted(kept_back),
            marked_at=now,
            marked_by=by,
            receipt=receipt,
        )
    )


def file_of(session: Session, keys: Keys, file: str) -> Attachment:
    """The file itself. Whether it may be shown was decided before; raises whatever `keys.open` raises."""
    row = session.execute(select(inbox_files).where(inbox_files.c.id == file)).mappings().one()
    name = keys.open(row["agency"], row["sealed_name"], f"inbox file name {file}").decode()
    return Attachment(FileKind(row["kind"]), name, keys.open(row["agency"], row["sealed"], f"inbox file {file}"))


def due_for_a_word(session: Session, *, now: datetime) -> tuple[Request, ...]:
    """Open requests of which half or all of the time is over, and nobody was told yet."""
    r = inbox_requests.c
    rows = session.execute(
        select(inbox_requests)
        .where(r.answered_at.is_(None), r.reminded < 2, r.half_at <= now)
        .where((r.reminded == 0) | (r.due_at <= now))
        .order_by(r.due_at)
        .limit(500)
    ).mappings()
    return _with_counts(session, rows.all())


def hasten(session: Session, enquiry: str, urgency: str, clock: Callable[[str], tuple[datetime, datetime]]) -> None:
    """The case has become more (or less) urgent: each open request is due at the earlier of the old and the new time.

    Takes `clock`: for an agency, when half of its time and when all of it would be over from now on.
    """
    r = inbox_requests.c
    waiting = select(r.id, r.agency, r.half_at, r.due_at).where(r.enquiry == enquiry, r.answered_at.is_(None))
    for row in session.execute(waiting).all():
        half_at, due_at = clock(row.agency)
        sooner = {"half_at": min(with_zone(row.half_at), half_at), "due_at": min(with_zone(row.due_at), due_at)}
        session.execute(update(inbox_requests).where(r.id == row.id).values(urgency=urgency, **sooner))


def note_reminded(session: Session, request: str, step: int) -> None:
    """Notes that the reminder (1) or the escalation (2) of a request is written."""
    mine = inbox_requests.c.id == request
    session.execute(update(inbox_requests).where(mine, inbox_requests.c.reminded < step).values(reminded=step))


def _with_counts(session: Session, rows: Sequence[Any]) -> tuple[Request, ...]:
    a = inbox_answers.c
    ids = [row["id"] for row in rows]
    counted = select(a.request, func.count()).where(a.request.in_(ids)).group_by(a.request)
    counts: dict[str, int] = {row[0]: row[1] for row in session.execute(counted).all()} if ids else {}
    return tuple(
        Request(
            id=row["id"],
            agency=row["agency"],
            enquiry=row["enquiry"],
            person=row["person"],
            purpose=row["purpose"],
            urgency=row["urgency"],
            wanted=MappingProxyType(
                {
                    DataCategory(c): tuple(f for f in fields if STANDARD_FIELDS.get(f) != FieldKind.HELD_MARKER)
                    for c, fields in row["wanted"].items()
                }
            ),
            intent=row["intent"],
            asked_at=with_zone(row["asked_at"]),
            half_at=with_zone(row["half_at"]),
            due_at=with_zone(row["due_at"]),
            answered_at=with_zone(row["answered_at"]) if row["answered_at"] else None,
            answers=counts.get(row["id"], 0),
            reminded=row["reminded"],
        )
        for row in rows
    )


def enquiries_with_pieces(session: Session) -> set[str]:
    """Enquiries for which people at agencies have written something that is still kept."""
    r, i = inbox_requests.c, inbox_items.c
    return set(session.scalars(select(r.enquiry).where(r.id.in_(select(i.request))).distinct()))


def clear_pieces(session: Session, enquiry: str) -> None:
    """Takes away what was written and attached for one enquiry; that it was asked and answered stays."""
    asked = select(inbox_requests.c.id).where(inbox_requests.c.enquiry == enquiry)
    pieces = select(inbox_items.c.id).where(inbox_items.c.request.in_(asked))
    session.execute(delete(inbox_files).where(inbox_files.c.item.in_(pieces)))
    session.execute(delete(inbox_marks).where(inbox_marks.c.item.in_(pieces)))
    session.execute(delete(inbox_items).where(inbox_items.c.request.in_(asked)))
    session.execute(update(inbox_answers).where(inbox_answers.c.request.in_(asked)).values(sealed_words=None))
