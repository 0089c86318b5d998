"""Joins that break a rule - two records of one agency, two numbers, two birth dates, another forename - for a steward.

For: the list beside the queue, and the word that a join is right all the same. Must never show anybody whom the queue
may not show (rules P27, P28), nor store a word before it stands in the trail.
"""

from dataclasses import dataclass

from hub.assembly import Hub
from hub.context import RequestContext
from hub.errors import FormRefused, NotFound
from hub.people import flagged, review
from hub.stewardship import GONE, PAGE, faults_of, of_person, record_act, unless_settled


@dataclass(frozen=True, slots=True)
class FlaggedJoin:
    """A person whose records break rules: which, and the agencies of the records; nobody is named."""

    person: str
    rules: tuple[str, ...]
    agencies: tuple[str, ...]


def flagged_joins(hub: Hub, ctx: RequestContext) -> tuple[FlaggedJoin, ...]:
    """At most PAGE joins that nobody has settled and this steward may see, those that break most rules first."""
    with hub.db.session() as session:
        waiting = flagged.waiting(session)
    shown: list[FlaggedJoin] = []
    for one in waiting:
        try:
            records = of_person(hub, ctx, one.person)
        except NotFound:
            continue
        shown.append(FlaggedJoin(one.person, one.rules, tuple(sorted(held.record.agency for held in records))))
        if len(shown) == PAGE:
            break
    return tuple(shown)


def rules_broken(hub: Hub, person: str) -> tuple[str, ...]:
    """The rules that a person breaks and nobody has settled."""
    with hub.db.session() as session:
        return flagged.rules_of(session, person)


def keep_together(hub: Hub, ctx: RequestContext, person: str, mark: str, rationale: str) -> None:
    """A steward's word that all these records are one person, whatever they break; it holds until one of them changes.

    Raises FormRefused, NotFound when the records are no longer what was looked at. Effects: an event, then the word.
    """
    records = of_person(hub, ctx, person)
    if errors := faults_of(rationale):
        raise FormRefused({"kept": errors["rationale"]})
    if review.mark_of(hub.keys, records) != mark:
        raise NotFound(GONE, next_steps=("Look at the records as they are now.",))
    receipt = record_act(hub, ctx, "match:confirmed", records, "KEPT-TOGETHER", person)
    with unless_settled(hub, ctx, records, receipt) as session:
        agencies = {held.record.agency for held in records}
        flagged.settle(
            session, hub.keys, person, agencies, said_by=ctx.actor.id, rationale=rationale.strip(), now=ctx.now
        )
