"""How urgent a case is, rated anew: everybody who is asked has the shorter of the old and the new time.

For: the rating of an enquiry. Must never give anybody more time than they were told of (rule P49).
"""

from collections.abc import Mapping

from sqlalchemy import select, update

from connectors import hasten
from hub.approvals.asking import clock_of
from hub.assembly import Hub
from hub.case_facts import record_rating
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.tables import approval_answers, approval_asks, duties


def rate(hub: Hub, ctx: RequestContext, enquiry: Enquiry, typed: Mapping[str, str]) -> None:
    """Records the rating; what waits for an answer is due earlier when the new rating says so.

    Raises FormRefused. Effects: as `record_rating`, then the times of open requests and of the tasks about them.
    """
    rated = record_rating(hub, ctx, enquiry, typed)
    a = approval_asks.c
    with hub.db.writing() as session:
        waiting = session.execute(
            select(a.id, a.answering, a.remind_at, a.due_at).where(
                a.enquiry == enquiry.id, a.id.not_in(select(approval_answers.c.ask))
            )
        ).all()
        for one in waiting:
            remind_at, due_at = clock_of(hub, ctx, rated, one.answering)
            sooner = {"remind_at": min(one.remind_at, remind_at), "due_at": min(one.due_at, due_at)}
            session.execute(update(approval_asks).where(a.id == one.id).values(**sooner))
            told = (duties.c.refers == one.id) & duties.c.done_at.is_(None)
            session.execute(update(duties).where(told).values(due_at=sooner["due_at"]))
        hasten(session, enquiry.id, str(rated.brag), lambda agency: clock_of(hub, ctx, rated, agency))
