"""What nobody has answered: a reminder at half of the time, and the owner's senior at the end of it (rule P49).

For: requests for agreement, whenever somebody looks at a queue. Must never remind twice.
"""

from datetime import datetime

from sqlalchemy import select, update

from hub.approvals.stored import Ask
from hub.assembly import Hub
from hub.duties import Duty, write
from hub.tables import approval_answers, approval_asks, duties
from hub.tasks import ESCALATED, REMINDED


def watch(hub: Hub, now: datetime) -> None:
    """Effects: a task for the asked agency from half of the time on, and one for its seniors from the due time on."""
    a = approval_asks.c
    with hub.db.session() as session:
        answered = select(approval_answers.c.ask)
        waiting = [
            Ask.of(dict(row)) for row in session.execute(select(approval_asks).where(a.id.not_in(answered))).mappings()
        ]
    owed = []
    for one in waiting:
        for kind, since in ((REMINDED, one.remind_at), (ESCALATED, one.due_at)):
            if since <= now:
                owed.append(
                    Duty(
                        kind=kind,
                        agency=one.answering,
                        person=one.person,
                        enquiry=one.enquiry,
                        receipt=one.receipt,
                        due_at=one.due_at,
                        barred=one.asked_by,
                        refers=one.id,
                        once=(kind, one.id),
                    )
                )
    write(hub, owed, now=now)


def stop_watching(hub: Hub, ask_id: str, *, by: str, now: datetime) -> None:
    """Somebody has answered: what was a reminder is done."""
    d = duties.c
    with hub.db.writing() as session:
        session.execute(
            update(duties)
            .where(d.refers == ask_id, d.kind.in_((REMINDED, ESCALATED)), d.done_at.is_(None))
            .values(done_at=now, done_by=by, outcome="ANSWERED")
        )
