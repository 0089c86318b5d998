"""Where a protected person is, shown once to a role that is named for it, and looked into afterwards (rule P28).

For: the obligation VIEW_ONCE. Must never show it without a reason for this very look, never twice for one form, and
never without information governance looking into it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from audit import Receipt
from hub.approvals.stored import name_of
from hub.assembly import Hub
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.enquiries import LEAST, Enquiry, says_enough, user_of
from hub.errors import FormRefused, NotForYou
from hub.keys import HUB
from hub.questions import whereabouts
from hub.redaction import Kept
from hub.tables import reveals
from hub.tasks import INVESTIGATE
from policies.vocabulary import Obligation

#: What a form carries so that it opens once.
FORM = re.compile("[0-9a-f]{32}")
#: Seconds after which the browser leaves the page by itself.
SHOWN_FOR_S = 120


@dataclass(frozen=True, slots=True)
class Looked:
    """One look as information governance reads it."""

    reason: str
    user_name: str
    at: datetime


def reveal(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, shown: Mapping[str, str], typed: Mapping[str, str]
) -> tuple[tuple[Kept, ...], Receipt]:
    """What agencies hold of where one person is; nothing for whoever is not named for it, in the same words.

    Takes `shown`: the persons whom the reader was just shown, by id; `typed`: person, reason and the form's `once`.
    Raises FormRefused for what is missing, NotForYou for a form that was used. Effects: the use is stored before
    anybody is asked; what is shown brings an alarm and a task for information governance.
    """
    person, reason, once = typed.get("person", ""), typed.get("reason", "").strip(), typed.get("once", "")
    errors = {} if person in shown and FORM.fullmatch(once) else {"person": "Choose the person."}
    if not says_enough(reason):
        errors["reason"] = f"Say what you will do with the address: {LEAST}."
    if errors:
        raise FormRefused(errors)
    try:
        with hub.db.writing() as session:
            session.execute(
                insert(reveals).values(
                    id=once,
                    enquiry=enquiry.id,
                    person=person,
                    user=ctx.actor.id,
                    sealed_reason=hub.keys.seal(HUB, reason.encode(), "reveal:" + once),
                    at=ctx.now,
                )
            )
    except IntegrityError as error:
        raise NotForYou(
            "This was shown once and is not shown again.",
            next_steps=("If you need it again, say why in a new form. Every look is looked into.",),
        ) from error
    redacted, receipt = whereabouts(hub, ctx, enquiry, person, reason=reason)
    kept = tuple(one for one in redacted.kept if Obligation.VIEW_ONCE in one.obligations)
    if kept:
        task = Duty(
            kind=INVESTIGATE,
            person=person,
            enquiry=enquiry.id,
            receipt=receipt.eid,
            barred=ctx.actor.id,
            refers=once,
            once=(INVESTIGATE, once),
        )
        write(hub, [task], now=ctx.now)
    return kept, receipt


def for_investigation(hub: Hub, ctx: RequestContext, looks: frozenset[str]) -> dict[str, Looked]:
    """Who looked and why, for those who look into it. Effects: one `audit:read` event when there is any."""
    with hub.db.session() as session:
        rows = [dict(row) for row in session.execute(select(reveals).where(reveals.c.id.in_(looks))).mappings()]
    if rows:
        hub.trail.append(
            "audit:read",
            now=ctx.now,
            subjects=sorted({row["person"] for row in rows}),
            user=user_of(ctx),
            purpose="IG_AUDIT",
            trace=ctx.request_id,
            action="protected-address-reason",
            outcome="SHOWN",
        )
    return {
        row["id"]: Looked(
            reason=hub.keys.open(HUB, row["sealed_reason"], "reveal:" + row["id"]).decode(),
            user_name=name_of(hub, row["user"]),
            at=row["at"],
        )
        for row in rows
    }
