"""Orders that make the trail forget: erase a subject or a member of staff who left, let a month expire, hold, release,
wrap keys anew.

For: `python -m hub keys`. Every order is an event before it is carried out and another one afterwards, so that a
crash between the two is seen. Must never write into an event whom it is about: only the reference of the case, which
leads there on paper. Nothing that a legal hold covers is destroyed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from audit import Entry, Receipt
from hub.acting import ROLES
from hub.assembly import Hub
from hub.decisions import forget_month
from hub.desk import users
from hub.erasure import MONTH, Hold, handle_of, staff_subject
from hub.errors import HubError, KeyRefused
from hub.oversight import CASE_REFERENCE, person_in
from hub.own_record.tables import correction_steps, corrections
from hub.people import former_persons, joined_persons
from hub.tables import case_facts, duties, staff, user_acts, web_sessions
from hub.tasks import CORRECTION

#: Why a subject may be erased: UK GDPR Article 17, Data Protection Act 2018 section 47, or a court says so.
REASONS = ("UKGDPR_ART17", "DPA2018_S47", "COURT_ORDER")
RETENTION = "RETENTION"


class OrderRefused(HubError):
    """The order cannot be carried out; nothing was destroyed."""

    code = "order-refused"


class StoppedByHold(OrderRefused):
    """A legal hold covers what was to be destroyed; nothing was destroyed."""

    code = "legal-hold"


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did. `older_entries` name the person under the one key of the first entries, and still do."""

    keys: int
    receipt: Receipt
    older_entries: int
    former_ids: tuple[str, ...]


def erase(hub: Hub, person: str, *, case: str, reason: str) -> Erased:
    """Destroys every subject key of one person: nobody can say any more which entries were about them.

    Takes: `person`, a person id; `case`, a reference that leads to the request on paper; `reason`, one of REASONS.
    Raises: OrderRefused when there is nothing to erase or a word is wrong, StoppedByHold (which is an event).
    Effects: two `erase` events; the key store forgets; the rows go. All receipts verify afterwards.
    """
    _check_case(case, person)
    with hub.db.session() as session:
        former = former_persons(session, person)
        same = (person, *joined_persons(session, person))

    def is_older(entry: Entry) -> bool:
        return any(handle_of(capsule) is None and person_in(hub, capsule) == person for capsule in entry.subjects)

    done = _erase(hub, person, is_older, case=case, reason=reason, action="ERASE_SUBJECT", former_ids=former)
    _forget_rows(hub, same)
    return done


def _forget_rows(hub: Hub, persons: Sequence[str]) -> None:
    """What they asked to have corrected goes, with its steps and tasks, and what cases say of them by their id."""
    asked = select(corrections.c.id).where(corrections.c.person.in_(persons))
    with hub.db.writing() as session:
        session.execute(delete(correction_steps).where(correction_steps.c.correction.in_(asked)))
        session.execute(delete(duties).where(duties.c.kind == CORRECTION, duties.c.refers.in_(asked)))
        session.execute(delete(corrections).where(corrections.c.person.in_(persons)))
        session.execute(delete(case_facts).where(case_facts.c.person.in_(persons)))


def erase_staff(hub: Hub, user: str, *, case: str, reason: str) -> Erased:
    """Destroys every key of one member of staff, who left: nobody can say any more which entries they caused.

    Takes: `user`, the id that the page of an entry shows. What they did, in which role and for which agency, stays.
    Raises and Effects: as `erase`; besides, their name, their sessions and the counts of their acts go.
    """
    _check_case(case, user)

    def is_older(entry: Entry) -> bool:
        return any(entry.fields.get(role, {}).get("subject") == user for role in ROLES)

    done = _erase(hub, staff_subject(user), is_older, case=case, reason=reason, action="ERASE_STAFF")
    with hub.db.writing() as session:
        for table in (staff, web_sessions, user_acts):
            session.execute(delete(table).where(table.c.user == user))
    users.forget(hub, user)
    return done


def _erase(
    hub: Hub,
    subject: str,
    is_older: Callable[[Entry], bool],
    *,
    case: str,
    reason: str,
    action: str,
    former_ids: tuple[str, ...] = (),
) -> Erased:
    if reason not in REASONS:
        raise OrderRefused(f"The reason must be one of {', '.join(REASONS)}.")
    older, seen = _mentions(hub, subject, is_older)
    with hub.subject_keys.store.lock():
        mark = hub.subject_keys.mark(subject)
        named = {pair for pair, handle in hub.subject_keys.handles(subject).items() if handle in seen}
        months = sorted(hub.subject_keys.months_of(mark) | named)
        stopping = [
            hold
            for hold in hub.subject_keys.store.holds()
            if hold.subject in (None, mark) and (hold.subject == mark or any(hold.covers(*m) for m in months))
        ]
        # Events about one person of one case hold no month and no count by which entries could be told apart.
        about = {"reason": reason, "object": {"type": "case", "id": case}, "action": action}
        if stopping:
            _stopped(hub, stopping, **about)
        if months:
            ordered = _tell(hub, outcome="ORDERED", **about)
            keys = hub.subject_keys.erase(subject, months, seen=seen)
    if not months:
        said = f" {older} entries of an older format name them, and no key of theirs hides it." if older else ""
        raise OrderRefused("The trail has no key for this person: nothing was destroyed." + said)
    receipt = _tell(hub, outcome="ERASED", refers=[ordered.eid], **about)
    return Erased(keys, receipt, older, former_ids)


def past_retention(hub: Hub, now: datetime) -> list[tuple[str, str]]:
    """Every (agency, month) whose retention is over: HUB_RETENTION_MONTHS full months lie between it and this one."""
    first_kept = now.year * 12 + now.month - 1 - hub.settings.retention_months
    return [
        (agency, month)
        for agency, month in hub.subject_keys.store.months()
        if int(month[:4]) * 12 + int(month[5:]) - 1 < first_kept
    ]


def expire(hub: Hub, agency: str, month: str) -> Receipt:
    """Destroys the key-encryption key of one agency and month whose retention is over.

    Raises: OrderRefused when it is not over, StoppedByHold (which is an event). Effects: as `erase`.
    """
    if (agency, month) not in past_retention(hub, hub.clock()):
        raise OrderRefused(f"The retention of {agency} {month} is not over, or there is no key.")
    with hub.subject_keys.store.lock():
        about = {
            "reason": RETENTION,
            "action": "EXPIRE_MONTH",
            "object": {"type": "month", "id": f"{agency}/{month}"},
            "custodian": agency,
        }
        stopping = [
            hold
            for hold in hub.subject_keys.store.holds()
            if hold.covers(agency, month)
            and (hold.subject is None or (agency, month) in hub.subject_keys.months_of(hold.subject))
        ]
        if stopping:
            _stopped(hub, stopping, **about)
        ordered = _tell(hub, outcome="ORDERED", **about)
        hub.subject_keys.expire(agency, month)
        forget_month(hub, agency, month)
    return _tell(hub, outcome="ERASED", refers=[ordered.eid], **about)


def hold(hub: Hub, *, case: str, person: str | None, agency: str | None, month: str | None) -> Receipt:
    """Begins a legal hold on a person, an agency, a month, or everything that all given words cover.

    Raises: OrderRefused for a wrong word, KeyRefused when the reference has a hold. Effects: one `erase` event.
    """
    _check_case(case, person)
    if agency is not None and agency not in {found for found, _ in hub.subject_keys.store.months()}:
        raise OrderRefused("No subject key belongs to this agency.")
    if month is not None and not MONTH.fullmatch(month):
        raise OrderRefused("A month is written like 2026-11.")
    mark = hub.subject_keys.mark(person) if person else None
    with hub.subject_keys.store.lock():
        hub.subject_keys.store.hold(Hold(case, agency, month, mark, hub.clock().isoformat()))
    return _tell(hub, action="HOLD", outcome="HELD", reason="LEGAL_HOLD", object={"type": "legal-hold", "id": case})


def release(hub: Hub, *, case: str) -> Receipt:
    """Ends a legal hold. Raises KeyRefused when there is none. Effects: one `erase` event, before it ends."""
    _check_case(case, None)
    with hub.subject_keys.store.lock():
        if case not in {standing.reference for standing in hub.subject_keys.store.holds()}:
            raise KeyRefused("There is no legal hold with this reference.")
        about = {"type": "legal-hold", "id": case}
        receipt = _tell(hub, action="RELEASE", outcome="RELEASED", reason="LEGAL_HOLD", object=about)
        hub.subject_keys.store.release(case)
    return receipt


def rewrap(hub: Hub, agency: str, month: str) -> int:
    """Wraps the subject keys of one agency and month under a new key; returns how many. Effects: one event."""
    with hub.subject_keys.store.lock():
        count = hub.subject_keys.rewrap(agency, month)
    hub.trail.append(
        "admin", now=hub.clock(), client=_CLIENT, action="REWRAP", outcome="REWRAPPED", custodian=agency,
        object={"type": "month", "id": f"{agency}/{month}"},
    )  # fmt: skip
    return count


_CLIENT = {"id": "hub-keys"}


def _tell(hub: Hub, **fields: Any) -> Receipt:
    return hub.trail.append("erase", now=hub.clock(), client=_CLIENT, **fields)


def _stopped(hub: Hub, stopping: Sequence[Hold], **about: Any) -> None:
    _tell(hub, outcome="STOPPED", **about)
    references = ", ".join(hold.reference for hold in stopping)
    raise StoppedByHold(
        f"A legal hold stops this: {references}. Nothing was destroyed.",
        next_steps=("When the hold has ended: python -m hub keys release --case REFERENCE",),
    )


def _mentions(hub: Hub, subject: str, is_older: Callable[[Entry], bool]) -> tuple[int, frozenset[bytes]]:
    """How many entries of older formats name this subject, and which of their handles stand in the trail - which never
    forgets, while a database that was put back may lack the rows.
    """
    theirs = frozenset(hub.subject_keys.handles(subject).values())
    older = 0
    seen: set[bytes] = set()
    for entry in hub.trail.events():
        seen |= theirs & {handle_of(capsule) for capsule in (*entry.subjects, *entry.staff)}
        older += is_older(entry)
    return older, frozenset(seen)


def _check_case(case: str, person: str | None) -> None:
    if not CASE_REFERENCE.fullmatch(case) or (person and person.casefold() in case.casefold()):
        raise OrderRefused(
            "The case needs a reference of 3 to 40 letters, digits or . / - _ with a digit, and without a name, a "
            "date of birth, an NHS number or the person's id: it stays in the trail for ever."
        )
