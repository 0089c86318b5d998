"""The agreement that a request names: in force, of that version, and for this agency and purpose.

For: systems, which say under what they ask instead of leaving it to be found out. Must never widen anything: what may
be shown is decided afterwards, by all the rules, under all agreements (rule P04).
"""

import re
from collections.abc import Set
from datetime import date

from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.errors import NotForYou
from policies import in_force
from policies.vocabulary import Outcome, Purpose

#: How a request names one: REFERENCE/VERSION.
NAME = re.compile(r"[A-Z0-9][A-Z0-9-]{1,39}/[1-9][0-9]{0,5}", re.ASCII)


class NoAgreement(NotForYou):
    """The agreement that was named does not cover this."""

    code = "no-agreement"


def covers(hub: Hub, named: Set[str], agency: str, purpose: Purpose, today: date) -> bool:
    """Whether one of the named agreements is in force and lets this agency receive for this purpose."""
    found = (one for one in in_force(hub.agreements, today) if f"{one.reference}/{one.version}" in named)
    return any(
        agency in decided.recipients and any(purpose in clause.purposes for clause in decided.clauses)
        for decided in (one.for_decision() for one in found)
    )


def require(hub: Hub, ctx: RequestContext, named: str, purpose: Purpose) -> None:
    """Raises NoAgreement unless the agreement covers it. Effects: then an event, for nobody was asked."""
    allowed = ctx.may_name is None or named.partition("/")[0] in ctx.may_name
    if allowed and covers(hub, {named}, ctx.actor.agency, purpose, london(ctx.now).date()):
        return
    hub.trail.append(
        "disclosure:refused",
        now=ctx.now,
        user=user_of(ctx),
        client={"id": ctx.client} if ctx.client else None,
        purpose=purpose,
        reason="NO-POLICY",
        recipient=ctx.actor.agency,
        decision={"bundle": hub.policy_bundle, "rules": ["P04"], "outcome": Outcome.DENY},
        trace=ctx.request_id,
    )
    raise NoAgreement(
        "The agreement that the request names is not in force for your agency and this purpose.",
        next_steps=("GET /api/v1/agreements lists those that are.",),
    )
