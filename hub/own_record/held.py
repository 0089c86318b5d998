"""What services hold about a person, by kind and service, asked of the services themselves now.

For: the page that families read. Must never name a service whose record says something of another person - a children's
service that has a parent on record -, whose involvement is itself sensitive, or which works against crime; nor anything
that began while somebody is looking into a worry. The page reads the same whether or not there are such.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from connectors import ContactLine, Partner
from hub.assembly import Hub
from hub.casefile import SENSITIVE_SERVICES
from hub.context import RequestContext
from hub.disclosure import broker
from hub.members import Member
from hub.own_record.citizen import Citizen, desk_case, member_of
from hub.own_record.looked import live_since
from policies.vocabulary import AgencyType, DataCategory

DETAILS = frozenset({DataCategory.DEMOGRAPHIC})
#: What these have about a grown-up is there because of somebody else, or because of a crime.
NEVER = frozenset(
    {
        AgencyType.CHILDRENS_SOCIAL_CARE,
        AgencyType.EARLY_HELP,
        AgencyType.EDUCATION,
        AgencyType.HEALTH_VISITING_0_19,
        AgencyType.POLICE,
        AgencyType.PROBATION,
        AgencyType.YOUTH_JUSTICE,
    }
) | frozenset(SENSITIVE_SERVICES)


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
    since = live_since(hub, ctx, citizen)
    told = []
    for partner in hub.partners.values():
        if partner.type in NEVER or partner.competent_authority or not _may_tell(member, partner, since):
            continue
        at_desk, case = desk_case(hub, ctx, citizen, member, partner.code)
        brokered = broker(hub, at_desk, case, [member], [partner], DETAILS, enquiry=None)
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


def _may_tell(member: Member, partner: Partner, since: date | None) -> bool:
    """Whether this service has a record, all of which is older than any enquiry that is open."""
    records = [r for r in member.records if r.agency == partner.code]
    if not records:
        return False
    return since is None or all(r.valid_from is not None and r.valid_from < since for r in records)
