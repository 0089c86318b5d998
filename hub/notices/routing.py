"""Who is brought a notice: whoever works with the person, else the front door; each decided before they are told.

For: hub/notices/intake.py, and hub/notices/opening.py, which decides by the same cases. Must never tell anybody whom
the rules refuse, never let the sender learn whether somebody works with the person, never leave a notice with nobody
in silence: then information governance is alerted and the sender is told to ring.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from hub.assembly import Hub
from hub.casefile import CaseFile, assigned, london
from hub.context import RequestContext
from hub.disclosure import file_of
from hub.duties import Duty, write
from hub.enquiries import Enquiry, enquiry_for_owner
from hub.errors import NotForYou, NotFound
from hub.following import facts_about
from hub.members import Member
from hub.notices.clocks import before_lessons, interview_due
from hub.notices.desks import FRONT_DOOR, INTERVIEW, INTERVIEWERS, LEADS, NOTICE, SCHOOL
from hub.notices.named import Concerned, as_sender, pupils
from hub.notices.stored import Notice
from hub.notices.telling import reader_to_be, record_told
from hub.notices.watching import watchers
from hub.people import family_of
from hub.permits import Decided, decide_all
from hub.suspension import is_suspended
from hub.tables import enquiries, enquiry_persons, staff
from policies import Relationship, in_force
from policies.vocabulary import (
    AgencyType,
    MatchState,
    Outcome,
    PartyRole,
    Purpose,
    RelationshipKind,
    RelationToIndex,
    Role,
)

#: What stands for a worker's own words where a desk reads what was brought to it (rule P02).
REASON = "This notice was brought to this desk because of what its agency does for the person"
#: A worker who has not looked for a day may have left: then their whole team sees the task.
TEAM_AFTER_DAYS = 6
#: Agencies where an open enquiry means that the person has a social worker.
_SOCIAL_CARE = frozenset({AgencyType.CHILDRENS_SOCIAL_CARE, AgencyType.EARLY_HELP, AgencyType.ADULT_SOCIAL_CARE})


@dataclass(frozen=True, slots=True)
class Place:
    """One desk, or one worker with an enquiry, and whom of the notice it may be about."""

    desk: str
    kind: str
    agency: str
    purpose: Purpose
    roles: tuple[Role, ...]
    persons: tuple[Concerned, ...]
    due_at: datetime | None
    user: str | None = None
    enquiry: Enquiry | None = None


def tell_all(hub: Hub, notice: Notice, named: Sequence[Concerned], *, now: datetime) -> list[dict[str, str | None]]:
    """Tells everybody who may be told, and returns what the sender hears: by desk, never whom.

    Effects: per place an event and a task; an alarm where a desk that the notice is for could not be told at all.
    """
    told: dict[str, tuple[bool, datetime | None]] = {}
    with_worker = False
    for place in places(hub, notice, named, now):
        if place.desk == "SOCIAL_CARE" and place.user is None and with_worker:
            continue
        done = _tell(hub, notice, place, now)
        with_worker |= done and place.user is not None and hub.partners[place.agency].type in _SOCIAL_CARE
        before, due = told.get(place.desk, (False, None))
        told[place.desk] = (before or done, due or place.due_at)
    for desk in _wanted(notice.event.types):
        if not told.get(desk, (False, None))[0]:
            persons = [one.member.facts.id for one in named]
            about = (notice.receipt, notice.agency, notice.id, "NOTICE-WITH-NOBODY")
            alert(hub, *about, now=now, desk=desk, persons=persons)
    return [
        {
            "desk": desk,
            "state": "TOLD" if told.get(desk, (False, None))[0] else "NOT_TOLD",
            "due_at": due.isoformat() if (due := told.get(desk, (False, None))[1]) else None,
        }
        for desk in _wanted(notice.event.types)
    ]


def places(hub: Hub, notice: Notice, named: Sequence[Concerned], now: datetime) -> Iterator[Place]:
    """Where a notice could go: workers first, then the front door, schools, and who interviews."""
    returned = notice.event.ended if "missing-person" in notice.event.types else None
    due = interview_due(returned) if returned else None
    kind = INTERVIEW if returned else NOTICE
    desks = _wanted(notice.event.types)
    if "SOCIAL_CARE" in desks:
        for user, agency, role, enquiry in _workers(hub, named, now):
            yield Place(
                "SOCIAL_CARE", kind, agency, enquiry.purpose, (role,), tuple(named), due, user=user, enquiry=enquiry
            )
        for agency in _front_doors(hub, named, london(now).date().toordinal()):
            yield Place("SOCIAL_CARE", kind, agency, Purpose.MASH_SCREENING, _ordered(FRONT_DOOR), tuple(named), due)
    if "SCHOOL" in desks:
        for school in (p for p in hub.partners.values() if p.type == AgencyType.EDUCATION):
            if theirs := pupils(school, notice, named, london(now).date()):
                before = before_lessons(school.school_day, notice.event.started or notice.received_at)
                yield Place("SCHOOL", SCHOOL, school.code, Purpose.OP_ENCOMPASS, _ordered(LEADS), theirs, before)
    if returned:
        for agency in _interviewing(hub, now):
            yield Place("INTERVIEW", kind, agency, Purpose.MISSING_CHILD, _ordered(INTERVIEWERS), tuple(named), due)


def case_for(hub: Hub, ctx: RequestContext, notice: Notice, place: Place) -> tuple[CaseFile, tuple[Member, ...]]:
    """The case put to the decision for one reader, and about whom.

    With an enquiry: by its purpose, consent and family. Without one: by the desk's standing, and by what the sender
    recorded. Raises NotFound and NotForYou where an enquiry no longer stands.
    """
    if place.enquiry is not None:
        family, case = file_of(
            hub, ctx.for_purpose(place.enquiry.purpose, enquiry=place.enquiry.id), place.enquiry, None
        )
        here = {member.facts.id: member for member in family.members}
        sure = {one.member.facts.id: one.member.facts.match for one in place.persons}
        members = [here[person] for person in sure if person in here]
        return case, tuple(_as_sure(member, sure[member.facts.id]) for member in members)
    members = [one.member for one in place.persons]
    ids = [member.facts.id for member in members]
    facts = facts_about(hub, ids, enquiry=None, now=ctx.now)
    statutory = Relationship(
        kind=RelationshipKind.NAMED_STATUTORY_ROLE,
        persons=frozenset(ids),
        valid_from=assigned(ids, notice.received_at).valid_from,
        valid_until=None,
    )
    case = CaseFile(
        hub,
        ctx.for_purpose(place.purpose),
        enquiry=as_enquiry(notice, place),
        facts=facts,
        rationale=REASON,
        relationship=statutory,
    )
    return case, tuple(members)


def as_enquiry(notice: Notice, place: Place) -> Enquiry:
    """What a decision needs to know of a notice that nobody has an enquiry about: what its sender recorded."""
    reached = notice.event.threshold
    return Enquiry(
        id="NT-" + notice.id[:16],
        reference=notice.id,
        purpose=place.purpose,
        rationale=REASON,
        opened_by="notice",
        agency=place.agency,
        opened_at=notice.received_at,
        closed_at=None,
        threshold=reached[0] if reached else None,
        threshold_by_role=reached[1] if reached else None,
        threshold_at=reached[2] if reached else None,
        consent_giver=None,
        subject=None,
        persons={one.member.facts.id: str(RelationToIndex.INDEX) for one in place.persons},
    )


def _as_sure(member: Member, match: MatchState) -> Member:
    return member if match == member.facts.match else replace(member, facts=replace(member.facts, match=match))


def _wanted(happened: Iterable[str]) -> tuple[str, ...]:
    """The desks that a notice is for, by what happened."""
    types = set(happened)
    social = ("SOCIAL_CARE",) if types - {"operation-encompass"} else ()
    return (*social, *(("SCHOOL",) if "operation-encompass" in types else ()))


def _workers(hub: Hub, named: Iterable[Concerned], now: datetime) -> Iterator[tuple[str, str, Role, Enquiry]]:
    """Who opened, or watches, an enquiry that runs and that these persons, or their families, belong to."""
    known = [one.member.facts.id for one in named if one.is_known]
    with hub.db.session() as session:
        families = {m.person for person in known for m in family_of(session, hub.keys, person, now=now).members}
        e, p = enquiries.c, enquiry_persons.c
        about = select(p.enquiry).where(p.person.in_(families | set(known)))
        rows = session.execute(
            select(e.id, e.opened_by, staff.c.role)
            .join(staff, (staff.c.user == e.opened_by) & (staff.c.agency == e.agency))
            .where(e.id.in_(about), e.closed_at.is_(None), e.subject.is_not(None))
            .order_by(e.opened_at)
        ).all()
    opened = [(row.id, row.opened_by, Role(row.role)) for row in rows]
    for enquiry_id, user, role in dict.fromkeys([*opened, *watchers(hub, [row.id for row in rows])]):
        try:
            enquiry = enquiry_for_owner(hub, enquiry_id, now=now)
        except NotFound:  # It has ended by its time.
            continue
        if not is_suspended(hub, user) and enquiry.agency in hub.partners:
            yield user, enquiry.agency, role, enquiry


def _front_doors(hub: Hub, named: Iterable[Concerned], today: int) -> list[str]:
    """Children's social care where a child is among them, else adults'; of several, who knows one of the persons."""
    births = [one.member.facts.date_of_birth for one in named]
    child = any(born is None or today - born.toordinal() < 18 * 365.25 for born in births)
    kind = AgencyType.CHILDRENS_SOCIAL_CARE if child else AgencyType.ADULT_SOCIAL_CARE
    doors = [p.code for p in hub.partners.values() if p.type == kind]
    knowing = [code for code in doors if any(one.member.record_ids(code) for one in named)]
    return knowing or (doors if len(doors) == 1 else [])


def _interviewing(hub: Hub, now: datetime) -> Iterator[str]:
    """Agencies that an agreement in force lets interview children who came back."""
    for agreement in in_force(hub.agreements, london(now).date()):
        decided = agreement.for_decision()
        roles = {role for c in decided.clauses if Purpose.MISSING_CHILD in c.purposes for role in c.recipient_roles}
        if roles & INTERVIEWERS:
            yield from (
                p.agency
                for p in agreement.parties
                if p.role in (PartyRole.RECIPIENT, PartyRole.BOTH) and p.agency in hub.partners
            )


def _ordered(roles: frozenset[Role]) -> tuple[Role, ...]:
    return tuple(role for role in Role if role in roles)


def _tell(hub: Hub, notice: Notice, place: Place, now: datetime) -> bool:
    """Decides for one place; makes the task when it may read the notice, or when a person there must decide first."""
    for role in place.roles:
        user = place.user or f"desk-{place.agency}"
        ctx = reader_to_be(user, place.agency, role, place.purpose, now=now)
        try:
            case, members = case_for(hub, ctx, notice, place)
        except (NotFound, NotForYou):
            continue
        decided = decide_all(case, members, [as_sender(hub.partners[notice.agency], notice.event.category)], None)
        if not members or not (outcome := _outcome(decided, notice)):
            continue
        receipt = record_told(
            hub,
            ctx,
            case,
            [member.facts.id for member in members],
            decided,
            outcome,
            action="notice-brought",
            source=notice.agency,
            categories=[notice.event.category],
            about={"type": "notice", "id": notice.id},
            enquiry=place.enquiry.id if place.enquiry else None,
            refers=[notice.receipt],
        )
        write(hub, [_duty(notice, place, members, receipt, now)], now=now)
        return True
    return False


def _outcome(decided: Decided, notice: Notice) -> Outcome | None:
    """PERMIT: some of it may be read. REFER: somebody there must decide first. None: nobody there hears of it."""
    if any(p.category == notice.event.category for p in decided.permits):
        return Outcome.PERMIT
    refers = any(r.category == notice.event.category and r.outcome == Outcome.REFER for r in decided.refusals)
    return Outcome.REFER if refers else None


def _duty(notice: Notice, place: Place, members: Sequence[Member], receipt: str, now: datetime) -> Duty:
    return Duty(
        kind=place.kind,
        agency=place.agency,
        user=place.user,
        person=members[0].facts.id,
        enquiry=place.enquiry.id if place.enquiry else None,
        receipt=receipt,
        due_at=place.due_at,
        review_on=(now - timedelta(days=TEAM_AFTER_DAYS)).date() if place.user else None,
        refers=notice.id,
        once=(place.kind, notice.id, place.agency, place.user or "", place.enquiry.id if place.enquiry else ""),
    )


def nobody_told(types: Iterable[str]) -> list[dict[str, str | None]]:
    """What a sender hears of a notice that could not be brought to anybody."""
    return [{"desk": desk, "state": "NOT_TOLD", "due_at": None} for desk in _wanted(types)]


def alert(
    hub: Hub,
    receipt: str,
    agency: str,
    notice_id: str,
    reason: str,
    *,
    now: datetime,
    desk: str | None = None,
    persons: Sequence[str] = (),
) -> None:
    """Alerts information governance that a notice reached nobody, or not the desk that it was for."""
    hub.trail.append(
        "alarm",
        now=now,
        subjects=list(persons),
        client={"id": "notices"},
        reason=reason,
        outcome=desk or "NOBODY",
        source=[agency],
        refers=[receipt],
        object={"type": "notice", "id": notice_id},
    )
