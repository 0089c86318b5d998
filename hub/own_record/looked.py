"""Who looked at a person's information, and why: only look-ups that are about that person alone and are over.

For: the page that families read. Must never list a look-up that says something of another person, one of an enquiry
that is still open, or one that somebody decided not to tell of; and must read the same whether or not there are such.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from connectors import OfferedField
from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.errors import NotForYou
from hub.obligations import may_show
from hub.oversight import Entered, Filter, matching_entries
from hub.own_record.citizen import Citizen, desk_case, member_of
from hub.own_record.named import A_SERVICE, may_be_named
from hub.tables import enquiries
from policies import decide
from policies.vocabulary import DataCategory, FieldKind, Obligation, Purpose, Role

#: Why somebody looked, in words that most people can read. A purpose that is not here is never told on this page: to
#: learn of it could warn somebody whom others must be kept safe from.
TOLD: Mapping[str, str] = {
    Purpose.GP_PACKAGE_CHECK: "To find out if you get help at home from the council",
    Purpose.DIRECT_CARE: "To look after your health",
    Purpose.ADULT_CARE_ASSESSMENT: "To plan the care you asked for",
    Purpose.EARLY_HELP: "To give your family the help you agreed to",
    Purpose.HOUSING_NEED: "To help you find a home",
    Purpose.HOMELESSNESS_REFERRAL: "To help you find a home",
}
#: Who they are, without a name: their name is theirs.
WHO: Mapping[str, str] = {
    Role.GP_CARE_COORDINATOR: "Someone who plans care",
    Role.GP_CLINICIAN: "A doctor or nurse",
    Role.FAMILY_KEYWORKER: "A family worker",
    Role.LEAD_PROFESSIONAL: "The worker who leads your plan",
    Role.SOCIAL_WORKER: "A social worker",
    Role.ADULT_SOCIAL_WORKER: "A social worker",
    Role.HEALTH_VISITOR: "A health visitor",
    Role.HOUSING_OFFICER: "A housing worker",
}
#: What they saw.
KINDS: Mapping[str, str] = {
    DataCategory.ASC_PACKAGE: "if you get help at home",
    DataCategory.DEMOGRAPHIC: "your name and other details",
    DataCategory.SERVICE_INVOLVEMENT: "that the service works with you",
    DataCategory.HOUSING: "facts about your home",
    DataCategory.EDUCATION: "facts about school",
    DataCategory.HEALTH_SUMMARY: "facts about your health",
    DataCategory.SOCIAL_CARE_STATUS: "facts about your care",
}
#: Which events are look-ups that were answered.
KINDS_TOLD = frozenset({"disclosure:made", "check"})
MOST = 200


@dataclass(frozen=True, slots=True)
class Looked:
    """One look-up in plain words. `saw` is empty when nothing was seen."""

    day: date
    who: str
    agency: str
    why: str
    saw: tuple[str, ...]


def next_review(today: date) -> date:
    """When what is held back is looked at again: the first day of the next month, the same for everybody."""
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)


def who_looked(hub: Hub, ctx: RequestContext, citizen: Citizen) -> tuple[Looked, ...]:
    """The look-ups that may be told, newest first. Effects: one `audit:read` event before anything is returned."""
    found = _told(hub, citizen, _entries(hub, ctx, citizen))
    hub.trail.append(
        "audit:read",
        now=ctx.now,
        subjects=[citizen.person],
        user=citizen.as_user(),
        purpose=Purpose.SUBJECT_RIGHTS,
        trace=ctx.request_id,
        action="own-look-ups",
        outcome="SHOWN",
    )
    return found


def _entries(hub: Hub, ctx: RequestContext, citizen: Citizen) -> list[Entered]:
    """What may be look-ups to tell of, decided by the rules like any other access to the trail (rule P43)."""
    member = member_of(hub, citizen)
    partner = next(iter(hub.partners.values()))
    _, case = desk_case(hub, ctx, citizen, member, partner.code)
    offered = (OfferedField("account", FieldKind.ACCOUNT),)
    request = case.request(member.facts, partner, DataCategory.AUDIT_METADATA, offered)
    if not may_show(decide(request), request):
        raise NotForYou("This cannot be shown here.", next_steps=("Ring the data protection officer.",))
    # What cannot be told is left out before the newest are taken: no number of other entries crowds these out.
    wanted = Filter(person=member.facts.id, kinds=KINDS_TOLD, purposes=frozenset(TOLD))
    return matching_entries(hub, wanted, most=MOST)[0]


def _told(hub: Hub, citizen: Citizen, entries: Iterable[Entered]) -> tuple[Looked, ...]:
    entries = list(entries)
    ended = {row.id for row in _enquiries(hub, {e.entry.fields.get("enquiry") for e in entries}) if row.closed_at}
    rows = [_row(hub, e) for e in reversed(entries) if _may_tell(e, ended)]
    return tuple(dict.fromkeys(rows))


def _may_tell(entered: Entered, ended: set[str]) -> bool:
    fields = entered.entry.fields
    enquiry, user = fields.get("enquiry"), fields.get("user", {})
    return (
        len(entered.persons) == 1  # A look-up of several people says that they belong together.
        and fields.get("purpose") in TOLD
        and user.get("role") in WHO
        and (enquiry is None or enquiry in ended)
        and Obligation.DO_NOT_INFORM not in fields.get("decision", {}).get("obligations", ())
    )


def _row(hub: Hub, entered: Entered) -> Looked:
    fields = entered.entry.fields
    partner = hub.partners.get(fields["user"]["agency"])
    saw = {KINDS[r["category"]]: None for r in fields.get("data", ()) if r["category"] in KINDS}
    return Looked(
        day=london(entered.at).date(),
        who=WHO[fields["user"]["role"]],
        agency=partner.name if partner and may_be_named(partner) else A_SERVICE,
        why=TOLD[fields["purpose"]],
        saw=tuple(saw),
    )


def _enquiries(hub: Hub, ids: Iterable[str | None]) -> list[Any]:
    e = enquiries.c
    with hub.db.session() as session:
        query = select(e.id, e.closed_at).where(e.id.in_([one for one in ids if one]))
        return list(session.execute(query).all())
