"""Telling somebody that there is something to read: who they are before they sign in, and what is recorded of it.

For: notices and watched enquiries. Must never show anything: whoever is told reads by the way of every disclosure,
where it is decided again with who they really are.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hub import decisions
from hub.assembly import Hub
from hub.casefile import CaseFile
from hub.context import Actor, RequestContext
from hub.permits import Decided
from policies.vocabulary import DataCategory, Outcome, Purpose, Role


def reader_to_be(user: str, agency: str, role: Role, purpose: Purpose, *, now: datetime) -> RequestContext:
    """Whoever will read it, as far as it is known now: who they are, their agency and their role."""
    actor = Actor(
        id=user,
        name=agency,
        agency=agency,
        role=role,
        issuer="notice",
        authentication="STRONG",
        account="PERSONAL",
        employment="CURRENT",
        role_from=now - timedelta(days=1),
        role_until=None,
    )
    return RequestContext(actor, now, secrets.token_hex(16), purpose=purpose)


def record_told(
    hub: Hub,
    ctx: RequestContext,
    case: CaseFile,
    people: Sequence[str],
    decided: Decided,
    outcome: Outcome,
    *,
    action: str,
    source: str,
    categories: Sequence[DataCategory],
    about: Mapping[str, str],
    enquiry: str | None = None,
    refers: Sequence[str] = (),
) -> str:
    """Records that somebody is told that there is something, and by what decisions. Returns the event's id."""
    eid = secrets.token_hex(16)
    kept = decisions.keep(hub, ctx, eid, decided.made, people=people)
    rules = {r for p in decided.permits for r in p.decision.rules} | {r for x in decided.refusals for r in x.rules}
    return hub.trail.append(
        "combine",
        now=ctx.now,
        eid=eid,
        subjects=list(people),
        client={"id": "notices"},
        action=action,
        outcome=str(outcome),
        refers=list(refers) or None,
        enquiry=enquiry,
        purpose=str(case.purpose),
        source=[source],
        custodian=ctx.actor.agency,
        basis=case.basis_for_trail(),
        data=[{"agency": source, "category": str(one), "label": action} for one in categories],
        decision={"bundle": hub.policy_bundle, "rules": sorted(rules), "outcome": str(outcome), "record": kept},
        object=dict(about),
    ).eid
