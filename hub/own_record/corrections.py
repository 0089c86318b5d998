"""A correction that a person asks for, on its way to the service whose record is wrong, and back.

For: families who ask and services that answer. Must never change a record itself: the source does, and the page shows
what the source then says. UK GDPR Articles 16, 12(3) and 12(4): an answer within a month, and a reason for a no.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.enquiries import user_of
from hub.errors import FormRefused, NotFound
from hub.keys import HUB
from hub.own_record.citizen import Citizen, member_of
from hub.own_record.tables import correction_steps, corrections
from hub.people import current_person, joined_persons
from hub.tables import duties
from hub.tasks import CORRECTION, has_task_from

SENT, READ, CORRECTED, REFUSED = "SENT", "READ", "CORRECTED", "REFUSED"
#: Days in which the service answers: one month, the shortest there is (UK GDPR Article 12(3)).
ANSWER_WITHIN_DAYS = 28
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a correction, and a service's reason where it said one."""

    state: str
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """What is said to be wrong. `records`: the service's own numbers of it, for whoever answers there."""

    id: str
    agency: str
    field: str
    wrong: str
    right: str
    due_at: datetime
    steps: tuple[Step, ...]
    receipt: str
    records: tuple[str, ...] = ()

    @property
    def is_answered(self) -> bool:
        """True once the service said yes or no."""
        return self.steps[-1].state in (CORRECTED, REFUSED)


def ask(hub: Hub, ctx: RequestContext, citizen: Citizen, shown: Mapping[str, str], typed: Mapping[str, str]) -> None:
    """Sends a correction. Takes `shown`: what this person was just shown, by "agency:field".

    Raises FormRefused. Effects: an event, the sealed row, a task for the service.
    """
    what, right = typed.get("what", ""), typed.get("right", "").strip()
    errors = {}
    if what not in shown:
        errors["what"] = "Choose what is wrong."
    if not 2 <= len(right) <= LONGEST:
        errors["right"] = f"Write what it should say. Use up to {LONGEST} letters."
    if errors:
        raise FormRefused(errors)
    agency, _, field = what.partition(":")
    id_ = "CR-" + secrets.token_hex(16)
    receipt = hub.trail.append(
        "alter",
        now=ctx.now,
        subjects=[citizen.person],
        user=citizen.as_user(),
        purpose="SUBJECT_RIGHTS",
        trace=ctx.request_id,
        custodian=agency,
        action="correction-asked",
        outcome=SENT,
        object={"type": "correction", "id": id_},
    )
    text = json.dumps({"field": field, "wrong": shown[what], "right": right})
    with hub.db.writing() as session:
        session.execute(
            insert(corrections).values(
                id=id_,
                person=citizen.person,
                agency=agency,
                sealed=hub.keys.seal(HUB, text.encode(), "correction:" + id_),
                sent_at=ctx.now,
                receipt=receipt.eid,
            )
        )
    task = Duty(
        kind=CORRECTION,
        agency=agency,
        person=citizen.person,
        receipt=receipt.eid,
        due_at=ctx.now + timedelta(days=ANSWER_WITHIN_DAYS),
        refers=id_,
        once=(CORRECTION, id_),
    )
    write(hub, [task], now=ctx.now)


def own_corrections(hub: Hub, citizen: Citizen) -> tuple[Correction, ...]:
    """What this person asked for and where each stands, newest first; also before their records were joined."""
    c = corrections.c
    with hub.db.session() as session:
        person = current_person(session, citizen.person)
        ids = {citizen.person, person, *joined_persons(session, person)}
        query = select(corrections).where(c.person.in_(sorted(ids))).order_by(c.sent_at.desc(), c.id)
        rows = [dict(row) for row in session.execute(query).mappings()]
    return tuple(_correction(hub, row) for row in rows)


def to_answer(hub: Hub, ctx: RequestContext, id_: str) -> Correction:
    """A correction for somebody of the service it was sent to; the first look is a step that the person sees.

    Raises NotFound for everybody else, also for the person's own family at that service (rules P33 and P34).
    """
    row = _row(hub, ctx, id_)
    citizen = Citizen("-", "-", row["person"], "-")
    if _step(hub, ctx, id_, READ, None):
        _event(hub, ctx, row, "correction-read", READ)
    records = member_of(hub, citizen).record_ids(row["agency"])
    return _correction(hub, row, records)


def answer(hub: Hub, ctx: RequestContext, id_: str, typed: Mapping[str, str]) -> None:
    """The service's answer. Raises FormRefused, NotFound. Effects: an event, the step, the task is done."""
    row = _row(hub, ctx, id_)
    outcome, reason = typed.get("outcome", ""), typed.get("reason", "").strip()
    errors = {}
    if outcome not in (CORRECTED, REFUSED):
        errors["outcome"] = "Choose what was done."
    if outcome == REFUSED and len(reason) < 20:
        errors["reason"] = "Say why in plain words: at least 20 characters. The person reads it."
    if errors:
        raise FormRefused(errors)
    if _correction(hub, row).is_answered:
        raise NotFound("This has been answered.")
    _event(hub, ctx, row, "correction-answered", outcome)
    _step(hub, ctx, id_, outcome, reason or None)
    with hub.db.writing() as session:
        open_task = (duties.c.refers == id_) & (duties.c.kind == CORRECTION) & duties.c.done_at.is_(None)
        session.execute(update(duties).where(open_task).values(done_at=ctx.now, done_by=ctx.actor.id, outcome=outcome))


def _row(hub: Hub, ctx: RequestContext, id_: str) -> dict[str, Any]:
    with hub.db.session() as session:
        row = session.execute(select(corrections).where(corrections.c.id == id_)).mappings().first()
    if row is None or row["agency"] != ctx.actor.agency or not has_task_from(hub, ctx, row["receipt"]):
        raise NotFound("There is no such request.")
    return dict(row)


def _step(hub: Hub, ctx: RequestContext, id_: str, step: str, reason: str | None) -> bool:
    """Adds a step; False when it was taken before."""
    sealed = hub.keys.seal(HUB, reason.encode(), f"correction-step:{id_}:{step}") if reason else None
    values = {"correction": id_, "step": step, "at": ctx.now, "by": ctx.actor.id, "sealed_reason": sealed}
    try:
        with hub.db.writing() as session:
            session.execute(insert(correction_steps).values(values))
    except IntegrityError:
        return False
    return True


def _event(hub: Hub, ctx: RequestContext, row: Mapping[str, Any], action: str, outcome: str) -> None:
    hub.trail.append(
        "alter",
        now=ctx.now,
        subjects=[row["person"]],
        user=user_of(ctx),
        purpose="SUBJECT_RIGHTS",
        trace=ctx.request_id,
        custodian=row["agency"],
        action=action,
        outcome=outcome,
        refers=[row["receipt"]],
        object={"type": "correction", "id": row["id"]},
    )


def _correction(hub: Hub, row: Mapping[str, Any], records: tuple[str, ...] = ()) -> Correction:
    said = json.loads(hub.keys.open(HUB, row["sealed"], "correction:" + row["id"]))
    s = correction_steps.c
    with hub.db.session() as session:
        query = select(correction_steps).where(s.correction == row["id"]).order_by(s.at, s.step.desc())
        steps = [dict(one) for one in session.execute(query).mappings()]
    taken = [Step(one["step"], one["at"], _reason(hub, one)) for one in steps]
    taken.sort(key=lambda step: step.state != READ)  # It is read before it is answered, also within one moment.
    return Correction(
        id=row["id"],
        agency=row["agency"],
        due_at=row["sent_at"] + timedelta(days=ANSWER_WITHIN_DAYS),
        steps=(Step(SENT, row["sent_at"]), *taken),
        receipt=row["receipt"],
        records=records,
        **said,
    )


def _reason(hub: Hub, step: Mapping[str, Any]) -> str | None:
    if step["sealed_reason"] is None:
        return None
    return hub.keys.open(HUB, step["sealed_reason"], f"correction-step:{step['correction']}:{step['step']}").decode()
