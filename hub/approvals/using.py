"""What was agreed is shown: once, to whoever asked, for exactly what was asked, while the answer holds.

For: the step from an answer to a picture. Must never apply an answer whose giver has not the role any more, and never
show anything before the use is stored: a second use finds it taken. Rule P37; every misuse is an alarm.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from hub.approvals.agreed import NOTHING_AGREED, RELEASES, Agreed
from hub.approvals.answering import mark_of
from hub.approvals.form import GRANTED, PROPOSED, REDACTED, REFUSED
from hub.approvals.stored import Ask, answers_of
from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.disclosure import what_is_decided
from hub.enquiries import Enquiry, user_of
from hub.errors import NotForYou
from hub.suspension import is_suspended
from hub.tables import approval_asks, approval_uses, staff
from policies import Approval
from policies.vocabulary import ApprovalKind, Role

#: Where a request stands, as its asker sees it.
WAITS, HOLDS, NO, ENDED, USED = "WAITS", "HOLDS", "NO", "ENDED", "USED"
#: An owner answered and nothing is released: refused or nothing held, which only a decision maker may tell apart (P24).
NOTHING = "NOTHING"
YES = frozenset({GRANTED, REDACTED})

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Standing:
    """One of the reader's own requests, where it stands, and the answers to its parts."""

    ask: Ask
    state: str
    answers: Mapping[str, Row]


def own_asks(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> tuple[Standing, ...]:
    """What this user has asked for in this enquiry, newest first."""
    a, u = approval_asks.c, approval_uses.c
    with hub.db.session() as session:
        mine = select(approval_asks).where(a.enquiry == enquiry.id, a.asked_by == ctx.actor.id)
        asks = [Ask.of(dict(row)) for row in session.execute(mine.order_by(a.asked_at.desc(), a.id)).mappings()]
        used = set(session.scalars(select(u.ask).where(u.ask.in_([one.id for one in asks]))))
        answered = {one.id: answers_of(session, one.id) for one in asks}
    return tuple(Standing(one, _state(ctx, one, answered[one.id], one.id in used), answered[one.id]) for one in asks)


def agreed_now(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> Agreed:
    """What holds now and was not used, of givers who still have the role in which they gave it."""
    approvals: dict[str, tuple[Approval, ...]] = {}
    items: dict[str, dict[str, frozenset[str] | None]] = {}
    asks: list[str] = []
    receipts: dict[str, None] = {}
    authoriser: dict[str, str] | None = None
    for standing in own_asks(hub, ctx, enquiry):
        ask = standing.ask
        given = {part: row for part, row in standing.answers.items() if _holds(hub, ctx, row)}
        if standing.state != HOLDS or not given:
            continue
        asks.append(ask.id)
        receipts |= dict.fromkeys(row["receipt"] for row in given.values())
        authoriser = authoriser or _authoriser(ask, next(iter(given.values())))
        for line in ask.lines:
            # Nobody's word covers a category of which nothing was released.
            parts = {p: r for p, r in given.items() if p == "" or r["category"] == line["category"]}
            if parts:
                approval = _approval(ask, line, list(parts.values()))
                approvals[line["hash"]] = (*approvals.get(line["hash"], ()), approval)
                if ask.kind in RELEASES:
                    items[line["hash"]] = {part: _named(row) for part, row in parts.items() if part}
    if not asks:
        return NOTHING_AGREED
    return Agreed(
        approvals=approvals,
        items=items,
        mark=lambda agency, item: mark_of(hub, agency, item),
        asks=tuple(asks),
        receipts=tuple(receipts),
        authoriser=authoriser,
    )


def take(hub: Hub, ctx: RequestContext, enquiry: Enquiry, presented: Iterable[str]) -> Agreed:
    """Takes what was agreed, for one look. Takes `presented`: the requests that the page named.

    Raises NotForYou, with an alarm, for one that is not this user's in this enquiry, was used, has ended, or is about
    something else than what would be asked now. Effects: the use is stored before anything is shown.
    """
    presented = set(presented)
    agreed = agreed_now(hub, ctx, enquiry)
    if not presented or presented != set(agreed.asks):
        raise _misused(hub, ctx, enquiry, "APPROVAL-NOT-VALID")
    decided = what_is_decided(hub, ctx, enquiry, agreed)
    asked_now = {p.request.request_hash for p in decided.permits}
    asked_now |= {r.made.request.request_hash for r in decided.refusals}
    if not agreed.approvals.keys() <= asked_now:
        raise _misused(hub, ctx, enquiry, "APPROVAL-FOR-ANOTHER-REQUEST")
    try:
        with hub.db.writing() as session:
            session.execute(
                insert(approval_uses), [{"ask": one, "at": ctx.now, "by": ctx.actor.id} for one in agreed.asks]
            )
    except IntegrityError as error:
        raise _misused(hub, ctx, enquiry, "APPROVAL-USED-TWICE") from error
    return agreed


def _state(ctx: RequestContext, ask: Ask, rows: Mapping[str, Row], used: bool) -> str:
    if used:
        return USED
    releases = ask.kind in RELEASES
    given = [row for row in rows.values() if row["outcome"] in YES and (row["category"] or not releases)]
    if any(row["expires_at"] > ctx.now for row in given):
        return HOLDS
    if given:
        return ENDED
    if not rows or any(row["outcome"] == PROPOSED for row in rows.values()):
        return WAITS
    refused = any(row["outcome"] == REFUSED for row in rows.values())
    return NO if refused and (not releases or ask.asked_role == Role.MASH_DECISION_MAKER) else NOTHING


def _holds(hub: Hub, ctx: RequestContext, row: Row) -> bool:
    """Whether it says yes, is in time, and its giver still has that agency and role, as their last sign-in says."""
    if row["outcome"] not in YES or row["expires_at"] <= ctx.now or is_suspended(hub, row["by"]):
        return False
    s = staff.c
    with hub.db.session() as session:
        now = session.execute(select(s.agency, s.role).where(s.user == row["by"])).first()
    until = row["by_role_until"]
    return now is not None and tuple(now) == (row["by_agency"], row["by_role"]) and (until is None or ctx.now < until)


def _approval(ask: Ask, line: Row, rows: list[Row]) -> Approval:
    first = rows[0]
    whole = ask.kind not in RELEASES or any(row["outcome"] == GRANTED for row in rows)
    return Approval(
        kind=ApprovalKind(ask.kind),
        by=first["by"],
        by_agency=first["by_agency"],
        by_role=Role(first["by_role"]),
        for_request=line["hash"],
        for_subject=ask.person,
        fields=None if whole else frozenset(name for row in rows for name in row["fields"] or ()),
        given_at=london(first["at"]),
        expires_at=london(min(row["expires_at"] for row in rows)),
        call_back_verified=bool(first["call_back"]),
    )


def _named(row: Row) -> frozenset[str] | None:
    return None if row["outcome"] == GRANTED else frozenset(row["fields"] or ())


def _authoriser(ask: Ask, row: Row) -> dict[str, str]:
    return {"subject": row["by"], "role": row["by_role"], "agency": row["by_agency"], "approval": ask.id}


def _misused(hub: Hub, ctx: RequestContext, enquiry: Enquiry, reason: str) -> NotForYou:
    """The refusal; information governance is told (rule P37)."""
    hub.trail.append(
        "alarm",
        now=ctx.now,
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        reason=reason,
    )
    return NotForYou(
        "What was agreed cannot be shown: it was used, its time is over, or the enquiry has changed since.",
        next_steps=("Ask again if you still need it.",),
    )
