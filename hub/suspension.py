"""An alert of the highest level shuts the account until a manager has decided (rule P36).

For: alerts that say that the user may be a danger to the person they looked for. Must never be lifted by the user, and
never tell them why.
"""

from datetime import datetime, time

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from hub.assembly import Hub
from hub.casefile import LONDON, london
from hub.context import Actor, RequestContext
from hub.duties import Duty, write
from hub.enquiries import user_of
from hub.errors import SignInRefused
from hub.one_person import accounts_of
from hub.signin import tokens
from hub.tables import suspensions, web_sessions
from hub.working_days import working_day_after

#: Rules whose alert is of the highest level: an alleged perpetrator, or an allegation against the user.
HIGHEST = frozenset({"P32", "P36"})
SUSPENDED = "ACCOUNT_SUSPENDED"
#: What a manager can decide.
DECISIONS = ("RESTORE", "KEEP")


def suspend(hub: Hub, ctx: RequestContext, *, alarm: str) -> None:
    """Shuts the user's accounts from the next request on.

    Effects: an event, the row, a task; the sessions and access tokens of the person end, whichever account they are of.
    """
    shut(hub, ctx, ctx.actor.id, agency=ctx.actor.agency, alarm=alarm)


def shut(hub: Hub, ctx: RequestContext, user: str, *, agency: str, alarm: str) -> None:
    """The same for somebody's account, by the hub or by whoever looks into an alert about them."""
    if is_suspended(hub, user):
        return
    receipt = hub.trail.append(
        "admin",
        now=ctx.now,
        user=user_of(ctx),
        trace=ctx.request_id,
        action="account-suspended",
        outcome="SUSPENDED",
        refers=[alarm],
    )
    write(
        hub,
        [
            Duty(
                kind=SUSPENDED,
                agency=agency,
                receipt=receipt.eid,
                due_at=datetime.combine(working_day_after(london(ctx.now).date()), time(23, 59), LONDON),
                barred=user,
                refers=user,
                once=(SUSPENDED, receipt.eid),
            )
        ],
        now=ctx.now,
    )
    accounts = accounts_of(hub, user)
    try:
        with hub.db.writing() as session:
            session.execute(insert(suspensions).values(user=user, since=ctx.now, alarm=alarm))
            session.execute(delete(web_sessions).where(web_sessions.c.user.in_(accounts)))
            tokens.end_those_of(hub, session, accounts)
    except IntegrityError:
        return  # Another request was faster.


def restore(hub: Hub, user: str) -> None:
    """Opens the account again; the manager's decision is the task's event."""
    with hub.db.writing() as session:
        session.execute(delete(suspensions).where(suspensions.c.user == user))


def is_suspended(hub: Hub, user: str, *, mark: str = "") -> bool:
    """Whether a manager's decision about this person is awaited, or was to keep them out: all their accounts are shut.

    Takes `mark`: the person's mark, for an account that is seen for the first time.
    """
    accounts = accounts_of(hub, user, mark=mark)
    with hub.db.session() as session:
        return session.scalar(select(suspensions.c.user).where(suspensions.c.user.in_(accounts)).limit(1)) is not None


def require_not_suspended(hub: Hub, actor: Actor) -> None:
    """Raises SignInRefused in the words of a role that is not held: the user is not told why."""
    if is_suspended(hub, actor.id, mark=actor.person_mark):
        error = SignInRefused(
            "Your agency's record says that you do not have this role at the moment.",
            next_steps=("Ask your manager to have your role renewed, then sign in again.",),
        )
        error.code = "account-suspended"
        raise error
