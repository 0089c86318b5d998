"""Why it was decided so: every decision of one event in words, for information governance.

For: the page behind an entry of the register. Each decision is made again, so that the words are about what really
decided. Must never show a fact about a person, only rules, sources, clauses and what would change the answer; and
every look is itself an event.
"""

from collections.abc import Callable
from dataclasses import dataclass

from audit import EntryUnknown, EventInvalid, Receipt, TrailCorrupt
from hub import decisions
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.errors import NotFound
from hub.oversight import require_audit_access
from policies import explain
from policies.vocabulary import AccessMode, DataCategory, Outcome, Purpose


@dataclass(frozen=True, slots=True)
class Reason:
    """One answer about one category of one agency, for how many people, and the paragraph that explains it."""

    agency: str
    category: DataCategory
    outcome: Outcome
    people: int
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reasons:
    """All answers of one event; `same` of `total` decisions gave the same answer when they were made again just now."""

    reasons: tuple[Reason, ...]
    total: int
    same: int
    #: Of the officer's own look at it.
    receipt: Receipt


def why(hub: Hub, ctx: RequestContext, eid: str, say: Callable[[str], str]) -> Reasons:
    """Every decision of an event, explained; none when it records none. Effects: one `audit:read` event.

    Raises NotFound for no such event, and when what was kept was altered or cannot be read any more.
    """
    require_audit_access(hub, ctx, mode=AccessMode.VIEW, rationale="Review of why a disclosure was decided so")
    try:
        entry = hub.trail.entry(eid)
    except (EntryUnknown, EventInvalid, TrailCorrupt) as error:
        raise NotFound("There is no such entry.") from error
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action="why",
        outcome="SHOWN",
        refers=[eid],
    )
    if "record" not in entry.fields.get("decision", {}):
        return Reasons((), 0, 0, receipt)
    page = decisions.page_of(hub, entry)
    about: dict[tuple[str, DataCategory, Outcome, tuple[str, ...]], set[int]] = {}
    for person, one in zip(page.people, page.made, strict=True):
        sentences = explain(one.request, one.decision, say).for_officer
        key = (one.request.owner.agency, one.request.item.category, one.decision.outcome, sentences)
        about.setdefault(key, set()).add(person)
    reasons = tuple(Reason(*key[:3], len(people), key[3]) for key, people in about.items())
    same = sum(decisions.compare(page.bundle, one) == decisions.SAME for one in page.made)
    return Reasons(reasons, len(page.made), same, receipt)
