"""Step 2 of the way of one request: who could be meant - ranked, explained, decided and audited, even when empty.

For: a search bound to an enquiry and its purpose. Must never show a shielded person to somebody who did not
name them exactly, never tell why a candidate is absent, and never keep or log what was typed.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from audit import Receipt
from hub import consequences, decisions
from hub.assembly import Hub
from hub.casefile import SHIELDING, CaseFile, assigned
from hub.context import RequestContext
from hub.enquiries import Enquiry, acts_since, count_act, user_of
from hub.errors import FormRefused
from hub.members import identified
from hub.pacing import SEARCH_STEP_S, begin, even_out
from hub.people import Candidate, candidates, parse_box
from hub.permits import Decided, Permit, Refusal, decide_all
from policies.vocabulary import AccessMode, DataCategory, Outcome, Purpose

IDENTITY = frozenset({"name", "date_of_birth", "sex"})


#: One refusal of these kinds by any agency and the candidate is absent; an agency that refers costs only its own word.
NEVER_SHOWN = frozenset({Outcome.DENY, Outcome.DENY_SILENT})


@dataclass(frozen=True, slots=True)
class Found:
    """At most ten candidates, or what to add; and the receipt of the search."""

    candidates: tuple[Candidate, ...]
    advice: str | None
    receipt: Receipt


def find_person(hub: Hub, ctx: RequestContext, enquiry: Enquiry, typed: str) -> Found:
    """Who could be meant by what was typed into the one box.

    Raises FormRefused for what cannot be searched (an invalid NHS number, nothing at all), or when this user
    has used up the searches of the hour. Effects: one `search` event, also when nothing is found.
    """
    begun = begin()
    query = parse_box(typed)
    if query.problems:
        raise FormRefused({"who": " ".join(query.problems)})
    with hub.db.writing() as session:
        if acts_since(session, ctx, "search", ctx.now - timedelta(hours=1)) >= hub.settings.searches_per_hour:
            raise FormRefused(
                {"who": "You have searched very often in the last hour. Ring your MASH manager to go on."}
            )
        count_act(session, ctx, "search")
    with hub.db.session() as session:
        listed = candidates(session, hub.keys, query, now=ctx.now)
    shown, decided = _decide(hub, ctx, enquiry, listed.candidates)
    people, eid = [c.person for c in shown], secrets.token_hex(16)
    record = decisions.keep(hub, ctx, eid, decided.made, people=people)
    receipt = hub.trail.append(
        "search",
        now=ctx.now,
        eid=eid,
        subjects=people,
        user=user_of(ctx),
        client={"id": ctx.client} if ctx.client else None,
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        recipient=ctx.actor.agency,
        query=_keyed(hub, typed),
        outcome="TOO_WIDE" if listed.too_wide else f"FOUND-{len(shown)}",
        source=sorted({agency for c in shown for agency in c.agencies}),
        withheld=[
            {"agency": r.agency, "category": r.category, "rules": list(r.rules), "outcome": str(r.outcome)}
            for r in decided.refusals
        ],
        decision={
            "bundle": hub.policy_bundle,
            "rules": sorted({rule for one in decided.made for rule in one.decision.rules}),
            "record": record,
        },
    )
    consequences.alert(hub, ctx, decided, enquiry=enquiry.id)
    advice = listed.advice
    if not shown and advice is None:
        advice = (
            "Nobody was found. That does not mean that nothing is known: a name may be written differently, or be "
            "protected. Add the full name and the date of birth, or ring the agency that made the referral."
        )
    even_out(begun, SEARCH_STEP_S)  # One candidate more who is not shown takes a moment more.
    return Found(shown, advice, receipt)


def _decide(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, listed: tuple[Candidate, ...]
) -> tuple[tuple[Candidate, ...], Decided]:
    """Each candidate's identity is decided for the purpose of matching, by agency; a refused one is simply absent.

    The enquiry is the relationship, for the persons in it and for those who are being identified; a shielded
    person is identified only by an NHS number, or by full name and date of birth.
    """
    named = {c.person for c in listed if c.hidden_exact or not c.flags & SHIELDING}
    case = CaseFile(
        hub,
        ctx.for_purpose(Purpose.DATA_MATCHING, enquiry=enquiry.id),
        mode=AccessMode.SEARCH_NAME,
        rationale=enquiry.rationale,
        relationship=assigned(named | set(enquiry.persons), enquiry.opened_at),
    )
    shown: list[Candidate] = []
    permits: list[Permit] = []
    refusals: list[Refusal] = []
    for candidate in listed:
        member = identified(
            candidate.person,
            candidate.date_of_birth.date if candidate.date_of_birth else None,
            candidate.flags,
            candidate.agencies,
        )
        partners = [hub.partners[agency] for agency in candidate.agencies if agency in hub.partners]
        decided = decide_all(case, [member], partners, frozenset({DataCategory.DEMOGRAPHIC}), only_fields=IDENTITY)
        permits += decided.permits
        refusals += decided.refusals
        if decided.permits and not any(r.outcome in NEVER_SHOWN for r in decided.refusals):
            shown.append(candidate)
    return tuple(shown), Decided(tuple(permits), tuple(refusals), frozenset())


def _keyed(hub: Hub, typed: str) -> str:
    """A keyed hash of the normalised search: equal for equal searches, meaningless without the key."""
    words = " ".join(sorted(typed.casefold().split()))
    return hashlib.sha256(hub.keys.blind("search", words)).hexdigest()
