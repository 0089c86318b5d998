"""What services hold about a person, by kind and service, asked of the services themselves now.

For: the page that families read. Must never name a service that is not on the list of those that may be named (see
hub.own_record.named), nor a record that is young or does not say when it began. The page reads the same whether or not
somebody is looking into a worry: it never asks whether they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from connectors import ContactLine, Partner
from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.disclosure import broker
from hub.members import Member
from hub.own_record.citizen import Citizen, desk_case, member_of
from hub.own_record.named import may_be_named, told_before
from policies.vocabulary import DataCategory

DETAILS = frozenset({DataCategory.DEMOGRAPHIC})


@dataclass(frozen=True, slots=True)
class Held:
    """What one service says it has. `kinds`: what it keeps about the people it works with, whoever they are."""

    agency: str
    name: str
    contact: ContactLine
    details: Mapping[str, str]
    kinds: tuple[DataCategory, ...]
    as_of: datetime | None
    receipt: str


def what_is_held(hub: Hub, ctx: RequestContext, citizen: Citizen) -> tuple[tuple[Held, ...], tuple[Partner, ...]]:
    """What may be told, and every other service: whom to ask, whether or not they hold anything.

    Effects: each service that is told of is asked, as a disclosure of its own (hub.disclosure.broker).
    """
    member = member_of(hub, citizen)
    before = told_before(london(ctx.now).date())
    told = []
    for partner in hub.partners.values():
        if not may_be_named(partner) or not (told_of := _settled(member, partner, before)):
            continue
        asked = replace(member, by_agency={partner.code: told_of})
        at_desk, case = desk_case(hub, ctx, citizen, asked, partner.code)
        brokered = broker(hub, at_desk, case, [asked], [partner], DETAILS, enquiry=None)
        details = {name: value.text for kept in brokered.redacted.kept for name, value in kept.values.items()}
        if details:
            as_of = max((kept.as_of for kept in brokered.redacted.kept if kept.as_of), default=None)
            told.append(
                Held(
                    partner.code,
                    partner.name,
                    partner.contact,
                    details,
                    tuple(partner.offers),
                    as_of,
                    brokered.receipt.eid,
                )
            )
    others = tuple(p for p in hub.partners.values() if p.code not in {one.agency for one in told})
    return tuple(told), others


def _settled(member: Member, partner: Partner, before: date) -> tuple[str, ...]:
    """This service's own numbers of the records that say they began before that day; never asked for by name."""
    began = {r.record: r.valid_from for r in member.records if r.agency == partner.code}
    return tuple(id_ for id_ in member.record_ids(partner.code) if (day := began.get(id_)) is not None and day < before)
