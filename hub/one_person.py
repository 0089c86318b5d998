"""Which accounts are one person's: another account is not another person.

For: everybody who needs a second person (approvals, agreements, reviews). Must never hold the employer's own number of
anybody: a blind mark of it is compared. An employer that sends no number has only the names that its accounts bear.
"""

from sqlalchemy import or_, select

from hub.assembly import Hub
from hub.tables import staff


def accounts_of(hub: Hub, user: str, *, mark: str = "") -> frozenset[str]:
    """Every account of the person whose account this is, as employers named them at sign-in; this one at least.

    Takes `mark`: the person's mark in hex, when it is known before the account itself is.
    """
    s = staff.c
    kept = select(s.person_mark).where(s.user == user, s.person_mark.is_not(None))
    same = or_(s.person_mark.in_(kept), s.person_mark == bytes.fromhex(mark)) if mark else s.person_mark.in_(kept)
    with hub.db.session() as session:
        return frozenset(session.scalars(select(s.user).where(same))) | {user}


def how_many(hub: Hub, users: set[str]) -> int:
    """How many different people these accounts are."""
    return len({min(accounts_of(hub, user)) for user in users})
