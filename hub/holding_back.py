"""Releasing a record that is held back because it might be somebody protected (rule P28): by two people.

For: a data steward, who asks for a record of their own agency, and information governance, who answers. Must never
tell whom the record looks like, never show what stands in it, and never release on one person's word.
"""

from collections import Counter
from collections.abc import Sequence

from audit import Receipt
from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.errors import FormRefused, NotFound
from hub.following import after_linking
from hub.matching_agreed import matching_allowed
from hub.one_person import accounts_of
from hub.people import releases, relink
from hub.people.releases import KEPT, RELEASED, HeldBack
from hub.stewardship import faults_of
from policies.vocabulary import Purpose

GONE = "There is nothing to decide here: it was decided, or the record has changed."
BACK = "Go back to the list."
OUTCOMES = (RELEASED, KEPT)


def held_back_of(hub: Hub, ctx: RequestContext) -> tuple[HeldBack, ...]:
    """The held-back records of the steward's own agency; empty without an agreement for matching."""
    agency = ctx.actor.agency
    if agency not in hub.partners or not matching_allowed(hub.agreements, agency, london(ctx.now).date()):
        return ()
    with hub.db.session() as session:
        return tuple(releases.held_back(session, hub.keys, (agency,)))


def list_held_back(hub: Hub, ctx: RequestContext) -> tuple[tuple[HeldBack, ...], Receipt]:
    """`held_back_of`, to be shown. Effects: an event with how many, before anything is returned."""
    found = held_back_of(hub, ctx)
    return found, _listed(hub, ctx, found)


def ask_release(hub: Hub, ctx: RequestContext, row: str, rationale: str) -> None:
    """The first word: this record is not about anybody protected. Raises FormRefused, NotFound.

    Effects: a `match:quarantined` event, then the request.
    """
    waiting = [one for one in held_back_of(hub, ctx) if one.request is None]
    chosen = next((one for one in waiting if str(one.row) == row), None)
    errors = {} if chosen else {"row": "Choose the record that you checked."}
    errors |= faults_of(rationale)
    if errors or chosen is None:
        raise FormRefused(errors)
    _record(hub, ctx, chosen, "RELEASE-ASKED")
    with hub.db.writing() as session:
        releases.ask(session, hub.keys, chosen, asked_by=ctx.actor.id, rationale=rationale.strip(), now=ctx.now)


def asked_for(hub: Hub, ctx: RequestContext) -> tuple[HeldBack, ...]:
    """Requests that wait for a second person, of every agency; none that this person asked for, by any account."""
    own = accounts_of(hub, ctx.actor.id)
    with hub.db.session() as session:
        found = releases.held_back(session, hub.keys, tuple(hub.partners))
    return tuple(one for one in found if one.request and one.outcome is None and one.asked_by not in own)


def list_asked_for(hub: Hub, ctx: RequestContext) -> tuple[tuple[HeldBack, ...], Receipt]:
    """`asked_for`, to be shown. Effects: an event with how many of each agency, before anything is returned."""
    found = asked_for(hub, ctx)
    return found, _listed(hub, ctx, found)


def answer_release(hub: Hub, ctx: RequestContext, request: str, outcome: str, why: str) -> None:
    """The second word: RELEASED or KEPT. Raises FormRefused, NotFound when there is nothing to answer any more.

    Effects: a `match:quarantined` event, then the answer; a released record gets a person and is found from then on.
    """
    one = next((one for one in asked_for(hub, ctx) if str(one.request) == request), None)
    if one is None:
        raise NotFound(GONE, next_steps=(BACK,))
    errors = {} if outcome in OUTCOMES else {"outcome": "Choose what is to happen."}
    errors |= faults_of(why)
    if errors:
        raise FormRefused(errors)
    _record(hub, ctx, one, f"RECORD-{outcome}")
    own, said = accounts_of(hub, ctx.actor.id), why.strip()
    with hub.db.writing() as session:
        if not releases.answer(
            session, hub.keys, one, outcome, answered_by=ctx.actor.id, accounts=own, why=said, now=ctx.now
        ):
            raise NotFound(GONE, next_steps=(BACK,))
        relink(session, hub.keys, now=ctx.now)
    after_linking(hub, now=ctx.now)


def _listed(hub: Hub, ctx: RequestContext, found: Sequence[HeldBack]) -> Receipt:
    counts = Counter(one.agency for one in found)
    return hub.trail.append(
        "match:quarantined",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.DATA_MATCHING,
        trace=ctx.request_id,
        outcome="HELD-BACK-LISTED",
        source=sorted(counts) or [ctx.actor.agency],
        data=[{"agency": a, "category": "DEMOGRAPHIC", "count": n} for a, n in sorted(counts.items())],
    )


def _record(hub: Hub, ctx: RequestContext, one: HeldBack, outcome: str) -> None:
    hub.trail.append(
        "match:quarantined",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.DATA_MATCHING,
        trace=ctx.request_id,
        outcome=outcome,
        source=[one.agency],
        object={"type": "records", "id": f"row-{one.row}"},
    )
