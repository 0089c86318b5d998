"""How many decisions a second, and how long a family takes; processor time, so that other work is not counted."""

import statistics
import time
from dataclasses import replace

import click

from consent import facts_for
from hub.assembly import Hub
from hub.casefile import CaseFile, assigned
from hub.commands.bench_stage import demonstration, fresh, say, timed
from hub.commands.demo import open_story
from hub.members import Member, members_of
from hub.permits import decide_all
from policies import DecisionRequest, decide, decide_each
from policies.vocabulary import DataCategory

#: The number of agreements that the decisions are measured with.
AGREEMENTS = 12
PERSONS, AGENCIES = 6, 7


def bench_decide() -> None:
    """Prints the decisions of one picture, decisions a second, and a family asked about in every category."""
    with demonstration() as hub:
        enquiry = open_story(hub, fresh("showcase", hub), "showcase")
        ctx = fresh("showcase", hub).for_purpose(enquiry.purpose, enquiry=enquiry.id)
        with hub.db.session() as session:
            family = members_of(session, hub, enquiry, now=ctx.now)
            facts = facts_for(session, [m.facts.id for m in family.members], enquiry=enquiry.id, now=ctx.now)
        relationship = assigned((m.facts.id for m in family.members), enquiry.opened_at)
        case = CaseFile(hub, ctx, enquiry=enquiry, facts=facts, rationale=enquiry.rationale, relationship=relationship)
        taken = timed(lambda: decide_all(case, family.members, hub.partners.values(), None), 30, time.process_time)
        say("requests and decisions, picture", f"{len(family.members)} people x {len(hub.partners)} agencies", taken)
        whole = _every_category(hub, case, family.members)
        _rate("decisions, one by one", whole, 20_000)
        size = f"{PERSONS} people x {AGENCIES} agencies x {len(DataCategory)} categories = {len(whole):,} decisions"
        taken = timed(lambda: list(decide_each(whole)), 60, time.process_time)
        say("a family, every category, one go", f"{size}, {AGREEMENTS} agreements", taken, "<= 10 ms")
        taken = timed(lambda: [decide(one) for one in whole], 30, time.process_time)
        say("the same, one by one", size, taken)


def _every_category(hub: Hub, case: CaseFile, members: tuple[Member, ...]) -> list[DecisionRequest]:
    """The demonstration's family and agencies, each asked about every category there is.

    Twelve agreements, each of a reference of its own: none hides another. What an agency does not offer is asked for
    with the fields that another agency offers of it, or with those of its first category.
    """
    standing = [one.for_decision() for one in hub.agreements]
    dozen = [
        replace(standing[n % len(standing)], reference=f"{standing[n % len(standing)].reference}-{n}")
        for n in range(AGREEMENTS)
    ]
    partners = list(hub.partners.values())[-AGENCIES:]
    offered = {category: fields for partner in hub.partners.values() for category, fields in partner.offers.items()}
    otherwise = next(iter(offered.values()))
    requests = [
        case.request(member.facts, partner, category, partner.offers.get(category, offered.get(category, otherwise)))
        for member in members[:PERSONS]
        for partner in partners
        for category in DataCategory
    ]
    agreements = tuple(dozen)
    return [replace(request, agreements=agreements) for request in requests]


def _rate(what: str, requests: list[DecisionRequest], target: int) -> None:
    rates = []
    for _ in range(10):
        start = time.process_time()
        for request in requests:
            decide(request)
        rates.append(len(requests) / (time.process_time() - start))
    size = f"{AGREEMENTS} agreements, {len(requests):,} requests of a family in turn"
    click.echo(f"{what:34} {statistics.median(rates):10,.0f} a second on one core  {size}  [>= {target:,}]")
