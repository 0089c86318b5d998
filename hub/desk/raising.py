"""From findings to alerts: one for each question, told in the trail before it is listed.

For: `hub.desk.scan`. Must never hold a name, and never raise the same question twice.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from audit import Entry, EventConflict
from hub.acting import named
from hub.assembly import Hub
from hub.casefile import LONDON
from hub.desk.looks import RADAR, Looked
from hub.desk.tables import desk_alerts, desk_answers
from hub.radar import Asked, Explanation, Finding, Signal, under_sharing

#: Looks that an alert names, the newest; the count says how many there were.
MOST_READS = 50
#: Months that an agency's past is made of.
PAST_MONTHS = 3
NEW, CLOSED = "NEW", "CLOSED"
#: An alert that was closed with one of these has its answer: the same look in the same enquiry asks nothing new.
SETTLED = frozenset({"EXPECTED", "FALSE_ALARM"})
_UNEXPLAINED = Explanation(None, None)


@dataclass(frozen=True, slots=True)
class Raised:
    """A finding with what explains the look that raised it; `reason` is another part's code."""

    finding: Finding
    role: str | None
    purpose: str | None
    explanation: Explanation = _UNEXPLAINED
    on_shift: bool | None = None
    reason: str | None = None

    @property
    def id(self) -> str:
        """The same for the same question."""
        return _identified(*self.finding.once)


def alarm_in(hub: Hub, entry: Entry) -> Raised | None:
    """What another part of the hub raised the alarm about, as an alert of the same desk."""
    if entry.kind != "alarm" or entry.fields.get("client", {}).get("id") == RADAR:
        return None
    fields = named(hub, entry).fields
    user, at = fields.get("user", {}), datetime.fromtimestamp(entry.t / 1000, UTC)
    who, reason = user.get("subject"), str(fields["reason"])[:64]
    source = who or fields.get("client", {}).get("id", "")
    day = at.astimezone(LONDON).date()
    boilerplate = reason == "BOILERPLATE-REASON"
    signal = Signal.BOILERPLATE if boilerplate else Signal.ALARM
    once = (signal, str(source), f"{day:%Y-%m}") if boilerplate else (signal, reason, str(source), day.isoformat())
    finding = Finding(
        signal=signal,
        at=at,
        user=who,
        agency=user.get("agency") or "hub",
        reads=(entry.eid,),
        once=once,
        enquiry=fields.get("enquiry"),
    )
    return Raised(finding, user.get("role"), fields.get("purpose"), reason=None if boilerplate else reason)


def count_answers(session: Session, looked: Iterable[Looked]) -> set[str]:
    """Adds what agencies answered to their months; returns the months."""
    counted: dict[tuple[str, str], list[int]] = {}
    for one in looked:
        for agency, state in one.answers:
            if state != "NOT_ASKED":
                row = counted.setdefault((f"{one.read.day:%Y-%m}", agency), [0, 0, 0])
                row[0] += 1
                row[1] += state == "WITHHELD"
                row[2] += state == "NO_ANSWER"
    a = desk_answers.c
    for (month, agency), (questions, withheld, no_answer) in counted.items():
        more = update(desk_answers).where(a.month == month, a.agency == agency)
        more = more.values(
            questions=a.questions + questions, withheld=a.withheld + withheld, no_answer=a.no_answer + no_answer
        )
        if session.execute(more).rowcount == 0:  # type: ignore[attr-defined]
            first = {"questions": questions, "withheld": withheld, "no_answer": no_answer}
            session.execute(insert(desk_answers).values(month=month, agency=agency, **first))
    return {month for month, _ in counted}


def quiet_agencies(session: Session, month: str, now: datetime) -> list[Raised]:
    """Agencies to ask about a month, by `hub.radar.under_sharing`."""
    first = date.fromisoformat(month + "-01")
    asked: dict[str, dict[str, Asked]] = {}
    for row in session.execute(select(desk_answers)).mappings():
        asked.setdefault(row["month"], {})[row["agency"]] = Asked(row["questions"], row["withheld"], row["no_answer"])
    earlier = sorted(m for m in asked if m < month)[-PAST_MONTHS:]
    here = asked.get(month, {})
    before = {agency: [asked[m][agency] for m in earlier if agency in asked[m]] for agency in here}
    return [Raised(finding, None, None) for finding in under_sharing(first, here, before, at=now)]


def keep(session: Session, raised: Iterable[Raised], now: datetime) -> None:
    """New questions become alerts; one that is asked already gets the looks that came to it."""
    places: dict[str, list[Raised]] = {}
    for one in raised:
        places.setdefault(_place(session, one), []).append(one)
    a = desk_alerts.c
    for id_, same in places.items():
        one, finding = same[-1], same[-1].finding
        stored = session.execute(select(a.reads).where(a.id == id_)).first()
        before = list(stored.reads) if stored else []
        reads = list(dict.fromkeys([*before, *(eid for other in same for eid in other.finding.reads)]))
        count = max(finding.count, len(reads))
        if stored:
            session.execute(update(desk_alerts).where(a.id == id_).values(reads=reads[-MOST_READS:], count=count))
            continue
        session.execute(
            insert(desk_alerts).values(
                id=id_,
                signal=str(finding.signal),
                reason=one.reason,
                user=finding.user,
                role=one.role,
                agency=finding.agency,
                at=finding.at,
                made_at=now,
                purpose=one.purpose,
                enquiry=finding.enquiry,
                person=finding.person,
                count=count,
                reads=reads[-MOST_READS:],
                relation=one.explanation.relation,
                timing=one.explanation.timing,
                on_shift=one.on_shift,
                state=NEW,
                receipt=None,
            )
        )


def _place(session: Session, one: Raised) -> str:
    """The alert that asks this. One that was closed as settled stays so; any other closed one is asked anew."""
    a, id_ = desk_alerts.c, one.id
    while True:
        row = session.execute(select(a.state, a.outcome).where(a.id == id_)).first()
        settled = row is not None and row.outcome in SETTLED and one.finding.signal != Signal.ALARM
        if row is None or row.state != CLOSED or settled:
            return id_
        id_ = _identified(id_, "again")


def _identified(*words: str) -> str:
    return "AL-" + hashlib.sha256("\x1f".join(words).encode()).hexdigest()[:24]


def announce(hub: Hub) -> int:
    """One event for each alert that has none yet; whoever announces the same at the same time writes the same event."""
    a = desk_alerts.c
    with hub.db.session() as session:
        silent = session.execute(select(a.id, a.signal, a.enquiry, a.made_at).where(a.receipt.is_(None))).all()
    for id_, signal, enquiry, made_at in silent:
        eid = hashlib.sha256(f"alert {id_}".encode()).hexdigest()[:32]
        with suppress(EventConflict):  # It was told before, and its row was cleared since.
            hub.trail.append(
                "alarm",
                eid=eid,
                now=made_at,
                client={"id": RADAR},
                reason="RADAR-" + signal,
                enquiry=enquiry,
                object={"type": "alert", "id": id_},
            )
        with hub.db.writing() as session:
            session.execute(update(desk_alerts).where(a.id == id_).values(receipt=eid))
    return len(silent)
