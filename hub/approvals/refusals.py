"""The register of refusals: what owners and second persons did not agree to, why, and who stands for it (rule P49).

For: information governance of the agencies on both sides. Must never show a request that still waits, and every look
is an event.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from audit import Receipt
from hub.approvals.form import PROPOSED, REFUSED
from hub.approvals.stored import Ask, name_of, why_of
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.oversight import require_audit_access
from hub.tables import approval_answers, approval_asks
from policies.vocabulary import AccessMode, DataCategory, Purpose, Role

#: Refusals of one page, newest first.
PAGE = 100


@dataclass(frozen=True, slots=True)
class Refused:
    """One refusal. For an owner's, `signed_*` is the senior who stands for it; `by_*` is who proposed it."""

    ask: Ask
    category: DataCategory | None
    at: datetime
    by_name: str
    by_role: Role | None
    signed_name: str | None
    signed_role: Role | None
    why: str
    signed_why: str | None
    receipt: str


def register_of_refusals(hub: Hub, ctx: RequestContext) -> tuple[tuple[Refused, ...], Receipt]:
    """Refusals by or to the reader's agency, newest first, and the record of this look.

    Effects: one `audit:read` event.
    """
    require_audit_access(hub, ctx, mode=AccessMode.VIEW, rationale="Review of what owners and second persons refused")
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action="refusals",
        outcome="LISTED",
    )
    a, w = approval_asks.c, approval_answers.c
    mine = or_(a.answering == ctx.actor.agency, a.asked_agency == ctx.actor.agency)
    with hub.db.session() as session:
        rows = [
            dict(row)
            for row in session.execute(
                select(approval_answers)
                .where(w.outcome == REFUSED, w.ask.in_(select(a.id).where(mine)))
                .order_by(w.id.desc())
                .limit(PAGE)
            ).mappings()
        ]
        ids = {row["ask"] for row in rows}
        asks = {
            row["id"]: Ask.of(dict(row))
            for row in session.execute(select(approval_asks).where(a.id.in_(ids))).mappings()
        }
        before = {
            (row["ask"], row["part"]): dict(row)
            for row in session.execute(select(approval_answers).where(w.ask.in_(ids), w.outcome == PROPOSED)).mappings()
        }
    return tuple(_refused(hub, asks[row["ask"]], row, before.get((row["ask"], row["part"]))) for row in rows), receipt


def _refused(hub: Hub, ask: Ask, row: Mapping[str, Any], proposal: Mapping[str, Any] | None) -> Refused:
    first = proposal or row
    return Refused(
        ask=ask,
        category=DataCategory(row["category"]) if row["category"] else None,
        at=row["at"],
        by_name=name_of(hub, first["by"]),
        by_role=Role(first["by_role"]),
        signed_name=name_of(hub, row["by"]) if proposal else None,
        signed_role=Role(row["by_role"]) if proposal else None,
        why=why_of(hub, ask.id, first),
        signed_why=why_of(hub, ask.id, row) if proposal else None,
        receipt=row["receipt"],
    )
