"""An agency without a system to ask: a person there gets the question and answers by form.

For: the inbox way. Must never say "nothing held" before a person has said so, never lose an answer because it is late,
and never hand on a piece as open: what its owner did not release is sealed, and the decision says what is shown of it
(rules P23 to P26 and P49). Everything of a request is sealed under the agency's own key.
"""

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
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
from connectors.identify import require_asked_properly, require_enough
from connectors.mapping import only_involvement, only_permitted
from connectors.records import Item, SourceRecord, Value
from connectors.sealed import with_zone
from connectors.tables import inbox_answers, inbox_files, inbox_items, inbox_marks, inbox_requests
from policies.vocabulary import AnswerState, DataCategory, FieldKind, ItemForm, SealState

OpenSession = Callable[[], AbstractContextManager[Session]]


class AnswerKind(StrEnum):
    """What a person at an agency can answer."""

    HELD = "HELD"
    PART = "PART"
    NOTHING_HELD = "NOTHING_HELD"
    CANNOT_SHARE = "CANNOT_SHARE"


class Mark(StrEnum):
    """What a person says of a piece that they hold."""

    RELEASE = "RELEASE"
    REDACT = "REDACT"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of an answer. `kept_back` are the fields that a REDACT leaves out."""

    id: str
    category: DataCategory
    occurred_on: date | None
    values: Mapping[str, Value]
    mark: Mark
    kept_back: frozenset[str] = frozenset()
    withheld: bool = False


def who_context(request: str) -> str:
    """What the seal of whom a request is about is bound to."""
    return f"inbox who {request}"


def item_seal_context(item: str) -> str:
    """What a piece's seal is bound to."""
    return f"inbox item {item}"


def words_context(answer: str) -> str:
    """What the seal of an answer's reason is bound to."""
    return f"inbox answer {answer}"


#: What may be told of a piece that is sealed or withheld: that there is one (rule P24).
HELD: Mapping[str, Value] = MappingProxyType({"held": Value(FieldKind.HELD_MARKER, "Confidential information is held")})


class InboxConnector:
    """An agency whose people answer. Asking it again reads what they have said so far, and asks for what is new."""

    def __init__(self, partner: Partner, open_session: OpenSession, keys: Keys) -> None:
        self.partner, self._open_session, self._keys = partner, open_session, keys

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Nobody is searched for by hand. Raises ConnectorError (NOT_CONFIGURED)."""
        raise ConnectorError(NoAnswerReason.NOT_CONFIGURED, f"{self.partner.code}: is not searched by name.")

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Is this person known, since when, whom to ring."""
        return self.fetch(replace(ask, wanted=only_involvement(ask.wanted)), deadline_s=deadline_s)

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The permitted fields of the permitted categories, as far as they were answered."""
        return self.fetch_many((ask,), deadline_s=deadline_s)[0]

    def fetch_many(self, asks: Sequence[Ask], *, deadline_s: float) -> tuple[Answer, ...]:
        """One answer per ask, in their order. Effects: what was not asked before is put into the agency's inbox."""
        for ask in asks:
            require_asked_properly(ask)
        try:
            return self._all(asks)
        except IntegrityError:  # Another worker asked the same in this moment.
            return self._all(asks)

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        return self.partner.coverage

    def _all(self, asks: Sequence[Ask]) -> tuple[Answer, ...]:
        with self._open_session() as session, session.begin():
            return tuple(self._one(session, ask) for ask in asks)

    def _one(self, session: Session, ask: Ask) -> Answer:
        if ask.reply is None:
            return _no_answer(ask, NoAnswerReason.NOT_CONFIGURED)
        try:
            require_enough(ask.query or PersonQuery())
        except ConnectorError:
            return _no_answer(ask, NoAnswerReason.TOO_THIN)
        known = _request_about(session, ask)
        if known is None:
            _put_in(session, self._keys, ask)
            return _waiting(ask, ask.reply.due_at)
        row: Any = known
        added = {c for c in ask.wanted if set(ask.wanted[c]) - set(row["wanted"].get(str(c), ()))}
        if added:
            row = _widen(session, ask, known)
        return self._said(session, ask, row)

    def _said(self, session: Session, ask: Ask, row: Mapping[str, Any]) -> Answer:
        assert ask.reply is not None
        a = inbox_answers.c
        answers = (
            session.execute(select(inbox_answers).where(a.request == row["id"]).order_by(a.answered_at, a.id))
            .mappings()
            .all()
        )
        due_at, open_still = with_zone(row["due_at"]), row["answered_at"] is None
        if not answers:
            return _waiting(ask, due_at)
        items = tuple(read_items(session, self._keys, self.partner.code, row, answers))
        kept, held, _ = only_permitted(items, ask.wanted, frozenset({row["id"]}))
        if not held and open_still:
            return _waiting(ask, due_at)
        return Answer(
            ask.agency,
            ask.person,
            AnswerState.FOUND if held else AnswerState.NOTHING_HELD,
            kept,
            with_zone(answers[-1]["answered_at"]),
            records=(row["id"],),
            due_at=due_at if open_still else None,
        )


def _request_about(session: Session, ask: Ask) -> RowMapping | None:
    assert ask.reply is not None
    r = inbox_requests.c
    about = (r.agency == ask.agency, r.enquiry == ask.reply.enquiry, r.person == ask.person)
    return session.execute(select(inbox_requests).where(*about)).mappings().first()


def _put_in(session: Session, keys: Keys, ask: Ask) -> None:
    assert ask.reply is not None
    request = "IR-" + secrets.token_hex(16)
    who = asdict(ask.query or PersonQuery())
    who["date_of_birth"] = who["date_of_birth"].isoformat() if who["date_of_birth"] else None
    session.execute(
        insert(inbox_requests).values(
            id=request,
            agency=ask.agency,
            enquiry=ask.reply.enquiry,
            person=ask.person,
            purpose=ask.purpose,
            wanted={str(category): sorted(fields) for category, fields in ask.wanted.items()},
            sealed_who=keys.seal(ask.agency, json.dumps(who).encode(), who_context(request)),
            intent=ask.promise.eid,
            reminded=0,
            **_clock(ask),
        )
    )


def _widen(session: Session, ask: Ask, row: RowMapping) -> Mapping[str, Any]:
    """More is asked for than before: the request opens again, with a new clock if all before was answered."""
    wanted = {category: set(fields) for category, fields in row["wanted"].items()}
    for category, fields in ask.wanted.items():
        wanted[str(category)] = wanted.get(str(category), set()) | fields
    change: dict[str, Any] = {"wanted": {c: sorted(fields) for c, fields in wanted.items()}, "intent": ask.promise.eid}
    if row["answered_at"] is not None:
        change |= {"answered_at": None, "reminded": 0, **_clock(ask)}
    session.execute(update(inbox_requests).where(inbox_requests.c.id == row["id"]).values(**change))
    return {**row, **change}


def _clock(ask: Ask) -> dict[str, Any]:
    assert ask.reply is not None
    reply = ask.reply
    return {
        "urgency": reply.urgency,
        "asked_at": reply.asked_at,
        "half_at": reply.half_at,
        "due_at": reply.due_at,
    }


def _waiting(ask: Ask, due_at: datetime) -> Answer:
    assert ask.reply is not None
    reason = NoAnswerReason.NOT_YET if ask.reply.asked_at < due_at else NoAnswerReason.OVERDUE
    return replace(_no_answer(ask, reason), due_at=due_at)


def _no_answer(ask: Ask, reason: str) -> Answer:
    return Answer(ask.agency, ask.person, AnswerState.NO_ANSWER, reason=str(reason))


def write_piece(values: Mapping[str, Value], occurred_on: date | None) -> bytes:
    """A piece as bytes, to be sealed."""
    day = occurred_on.isoformat() if occurred_on else None
    return json.dumps([day, [(name, v.kind, v.text, v.file) for name, v in values.items()]]).encode()


def read_pieces(session: Session, keys: Keys, agency: str, request: str) -> tuple[tuple[str, Piece], ...]:
    """Every piece of a request's answers, with the id of the answer, as its owner last marked it."""
    i, m = inbox_items.c, inbox_marks.c
    rows = session.execute(select(inbox_items).where(i.request == request)).mappings().all()
    marks: dict[str, RowMapping] = {}
    for mark in session.execute(
        select(inbox_marks).where(m.item.in_([row["id"] for row in rows])).order_by(m.id)
    ).mappings():
        marks[mark["item"]] = mark
    found = []
    for row in rows:
        day, values = json.loads(keys.open(agency, row["sealed"], item_seal_context(row["id"])))
        found.append(
            (
                row["answer"],
                Piece(
                    row["id"],
                    DataCategory(row["category"]),
                    date.fromisoformat(day) if day else None,
                    MappingProxyType({n: Value(FieldKind(kind), text, file) for n, kind, text, file in values}),
                    Mark(marks[row["id"]]["mark"]) if row["id"] in marks else Mark.HOLD,
                    frozenset(marks[row["id"]]["kept_back"]) if row["id"] in marks else frozenset(),
                    row["withheld"],
                ),
            )
        )
    return tuple(found)


def read_items(
    session: Session, keys: Keys, agency: str, request: Mapping[str, Any], answers: Iterable[RowMapping]
) -> Iterable[Item]:
    """The pieces as the decision reads them: released, sealed until released, or withheld with a reason."""
    reasons: dict[str, tuple[str | None, bool]] = defaultdict(lambda: (None, False))
    for answer in answers:
        words = answer["sealed_words"]
        text = keys.open(agency, words, words_context(answer["id"])).decode() if words else None
        reasons[answer["id"]] = (text, answer["senior"])
    for answer_id, piece in read_pieces(session, keys, agency, request["id"]):
        values = {n: v for n, v in piece.values.items() if piece.mark != Mark.REDACT or n not in piece.kept_back}
        seal = SealState.SEALED if piece.mark == Mark.HOLD else SealState.RELEASED
        why: tuple[str | None, bool] = (None, False)
        if piece.withheld:
            seal, why = SealState.WITHHELD, reasons[answer_id]
        if seal is not SealState.RELEASED:
            yield Item(f"{piece.id}-held", request["id"], piece.category, piece.occurred_on, HELD)
        yield Item(
            piece.id,
            request["id"],
            piece.category,
            piece.occurred_on,
            MappingProxyType(values),
            ItemForm.AGENCY_RESEARCH,
            seal,
            with_zone(request["due_at"]) if seal is SealState.SEALED else None,
            *why,
        )


def place_of_file(session: Session, file: str) -> tuple[str, str, str, DataCategory] | None:
    """Whose a file is: agency, enquiry, person and category; None when there is no such file."""
    f, i, r = inbox_files.c, inbox_items.c, inbox_requests.c
    row = session.execute(
        select(r.agency, r.enquiry, r.person, i.category)
        .join_from(inbox_files, inbox_items, f.item == i.id)
        .join(inbox_requests, i.request == r.id)
        .where(f.id == file)
    ).first()
    return (row.agency, row.enquiry, row.person, DataCategory(row.category)) if row else None
