"""Who a member of the public is here: a verified identity, bound to one person of the index; and the desk for them.

Must never bind to somebody in doubt, to a child under 16, or to a person who must not be found through anything; all of
these are told the same words as somebody whom nobody knows.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from hub.assembly import Hub
from hub.casefile import CaseFile, london
from hub.context import Actor, RequestContext
from hub.members import PROTECTED, Member, member_alone, protected_alone
from hub.people import age_on, candidates, current_person, parse_box, records_of
from hub.people.said import best_birth_date
from policies import Relationship, Sar
from policies.vocabulary import MatchState, Purpose, RelationshipKind, Role, SarRequester, SubjectFlag

#: From this age on a person asks for themselves; younger people ask with a grown-up (see docs/adr/0010).
FROM_AGE = 16
NEVER_SHOWN = PROTECTED | {SubjectFlag.DECEASED, SubjectFlag.CASE_LOCKED, SubjectFlag.VIP}
#: The reason of every look of a person at their own record.
REASON = "The person asks on the family pages what is held about them"


@dataclass(frozen=True, slots=True)
class Citizen:
    """A signed-in member of the public. `id` is opaque and the same at every sign-in."""

    id: str
    name: str
    person: str
    issuer: str

    def as_user(self) -> dict[str, str]:
        """How the trail names them: by codes, and never as staff."""
        return {
            "issuer": self.issuer,
            "subject": self.id,
            "role": "DATA_SUBJECT",
            "agency": "none",
            "assurance": "STRONG",
        }


def bind(hub: Hub, nhs_number: str, born: date, *, now: datetime) -> str | None:
    """The one person with this number and this whole date of birth; None for everybody who may not be shown here."""
    with hub.db.session() as session:
        found = candidates(session, hub.keys, parse_box(nhs_number), now=now).candidates
        if len(found) != 1:
            return None
        records = records_of(session, hub.keys, found[0].person)
    person, known = found[0].person, best_birth_date(records)
    of_age = (age_on(known, london(now)) or 0) >= FROM_AGE
    sure = known is not None and known.accuracy == "AAA" and known.date == born
    return person if sure and of_age and may_be_shown(hub, person, now=now) else None


def may_be_shown(hub: Hub, person: str, *, now: datetime) -> bool:
    """Whether this person is settled and safe to show to themselves: asked at sign-in and again at every request.

    Who lives with somebody protected is protected too, flagged or not: their page would show where that is.
    """
    with hub.db.session() as session:
        member = protected_alone(session, hub, current_person(session, person), now=now)
    return member is not None and member.facts.match == MatchState.CONFIRMED and not member.facts.flags & NEVER_SHOWN


def member_of(hub: Hub, citizen: Citizen) -> Member:
    """The person as the decision and the partners need to know them, also after records were joined."""
    with hub.db.session() as session:
        person = current_person(session, citizen.person)
        return member_alone(person, records_of(session, hub.keys, person))


def request_of(citizen: Citizen, *, now: datetime, request_id: str) -> RequestContext:
    """The citizen's request: at no agency, so that nothing is decided for it as such (see `desk_case`)."""
    return RequestContext(actor=_desk(citizen, "none", now), now=now, request_id=request_id)


def desk_case(
    hub: Hub, ctx: RequestContext, citizen: Citizen, member: Member, agency: str
) -> tuple[RequestContext, CaseFile]:
    """The case that an agency's own desk for such requests would put to the decision, for this person (rule P46)."""
    at_desk = replace(ctx, actor=_desk(citizen, agency, ctx.now)).for_purpose(Purpose.SUBJECT_RIGHTS)
    relationship = Relationship(
        kind=RelationshipKind.NAMED_STATUTORY_ROLE,
        persons=frozenset({member.facts.id}),
        valid_from=london(ctx.now),
        valid_until=None,
    )
    sar = Sar(requester=SarRequester.SELF, child_objects=False, serious_harm_test_done=False)
    return at_desk, CaseFile(hub, at_desk, relationship=relationship, rationale=REASON, sar=sar)


def _desk(citizen: Citizen, agency: str, now: datetime) -> Actor:
    return Actor(
        id=citizen.id,
        name=citizen.name,
        agency=agency,
        role=Role.SAR_OFFICER,
        issuer=citizen.issuer,
        authentication="STRONG",
        account="PERSONAL",
        employment="CURRENT",
        role_from=now,
        role_until=None,
    )
