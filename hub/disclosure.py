"""The way of one request, on one screen: from a confirmed person to a picture with a receipt.

For: every disclosure that the hub makes - the known-to matrix, the combined family picture, the GP check -
by one path, `_broker`. Must never ask a partner before the intent is durable, never return anything before
the outcome is, and never catch the trail's refusal. Steps are numbered as in docs/request-flow.md.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from audit import Receipt
from connectors import Answer, Partner, Promise, Reply, load_times
from hub import break_glass, checks, compose, consequences, decisions, pacing, redaction, response_times
from hub.account import Account
from hub.approvals.agreed import NOTHING_AGREED, Agreed
from hub.assembly import Hub
from hub.break_glass import Emergency
from hub.casefile import CaseFile, assigned
from hub.checks import GpCheck
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.errors import NotFound
from hub.following import facts_about
from hub.loading import matching_allowed
from hub.members import Family, Member, members_of, related_persons
from hub.obligations import ONCE, ORDINARY, Means
from hub.permits import Decided, PromiseTo, ReplyBy, asks_for, decide_all
from hub.picture import FamilyPicture
from hub.redaction import Kept, Redacted
from hub.revealing import Revealed, reveal
from policies.vocabulary import AccessMode, AgencyType, AnswerState, DataCategory, GpAnswer, Involvement, Purpose

#: What the known-to matrix needs: is the service involved, since when, whom to ring; and who the people are.
MATRIX = frozenset({DataCategory.SERVICE_INVOLVEMENT, DataCategory.DEMOGRAPHIC})


#: An open case with one of these means: ring the allocated worker (rule P42).
CASE_HOLDERS = frozenset({AgencyType.CHILDRENS_SOCIAL_CARE, AgencyType.EARLY_HELP})

#: Why somebody looks at what their own agency holds, when another asks for its release.
OWNERS_REASON = "Another agency asks for the release of this information and somebody here decides"

#: What an outcome is called in the trail, when it is one word.
Conclude = Callable[[Decided, Mapping[tuple[str, str], Answer], Redacted], str]


@dataclass(frozen=True, slots=True)
class Brokered:
    """What came of one way through steps 5 to 9."""

    decided: Decided
    answers: Mapping[tuple[str, str], Answer]
    redacted: Redacted
    revealed: Revealed
    receipt: Receipt


def known_to(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> tuple[FamilyPicture, Receipt]:
    """The known-to matrix: person x agency, involved or not, since when, whom to ring."""
    return _picture(hub, ctx, enquiry, MATRIX, emergency=break_glass.in_force(hub, ctx, enquiry))


def family_picture(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, agreed: Agreed = NOTHING_AGREED
) -> tuple[FamilyPicture, Receipt]:
    """The combined family picture: everything that purpose, role, agreements and rules allow, and what was approved."""
    return _picture(hub, ctx, enquiry, None, emergency=break_glass.in_force(hub, ctx, enquiry), agreed=agreed)


def family_names(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> tuple[FamilyPicture, Receipt]:
    """Only who the people are, for pages about what they agreed to."""
    return _picture(hub, ctx, enquiry, frozenset({DataCategory.DEMOGRAPHIC}))


def one_field(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str, agency: str, category: DataCategory, field: str
) -> tuple[tuple[Kept, ...], Receipt]:
    """One field of one category of one person from one agency: a document that somebody takes along."""
    if agency not in hub.partners:
        raise NotFound("That agency does not take part any more.")
    emergency = break_glass.in_force(hub, ctx, enquiry)
    family, case = _case(hub, ctx, enquiry, emergency, AccessMode.EXPORT)
    members = [member for member in family.members if member.facts.id == person]
    wanted, only = frozenset({category}), frozenset({field})
    brokered = _broker(
        hub,
        ctx,
        case,
        members,
        [hub.partners[agency]],
        wanted,
        enquiry=enquiry,
        only_fields=only,
        emergency=emergency,
    )
    return brokered.redacted.kept, brokered.receipt


def what_is_decided(hub: Hub, ctx: RequestContext, enquiry: Enquiry, agreed: Agreed = NOTHING_AGREED) -> Decided:
    """What this reader would be allowed and refused now. Nobody is asked, nothing is shown."""
    family, case = _file(hub, ctx, enquiry, None, agreed=agreed)
    return decide_all(case, family.members, hub.partners.values(), None)


def held_by_owner(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    person: str,
    categories: frozenset[DataCategory],
    *,
    since: datetime,
) -> tuple[Redacted, tuple[Answer, ...], Receipt]:
    """What the reader's own agency holds about one person, so that somebody there can decide about its release.

    Takes `enquiry`: the asking agency's; `since`: when it asked, which is the reader's relationship (rule P03).
    Raises NotFound when the person is not in that enquiry or the reader may not see their own agency's record of them.
    """
    with hub.db.session() as session:
        family = members_of(session, hub, enquiry, now=ctx.now)
    facts = facts_about(hub, [person], enquiry=enquiry.id, now=ctx.now)
    member = next((m for m in family.members if m.facts.id == person), None)
    if member is None or ctx.actor.agency not in hub.partners:
        raise NotFound("There is no such request.")
    case = CaseFile(
        hub,
        ctx,
        enquiry=enquiry,
        facts=facts,
        rationale=OWNERS_REASON,
        relationship=assigned([person], since),
    )
    own = [hub.partners[ctx.actor.agency]]
    brokered = _broker(hub, ctx, case, [member], own, categories, enquiry=enquiry)
    if not brokered.decided.permits:
        raise NotFound("There is no such request.")
    return brokered.redacted, tuple(brokered.answers.values()), brokered.receipt


def whereabouts(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str, *, reason: str
) -> tuple[Redacted, Receipt]:
    """Where one protected person can be found, to be shown once, to a role that is named for it (rule P28).

    Takes `reason`: the reader's own, for this one look. What it gives is empty for everybody else, whatever is held.
    """
    family, case = _file(hub, ctx, enquiry, None)
    members = [m for m in family.members if m.facts.id == person]
    case = case.for_one_look(reason, holds_case=person in ctx.actor.case_persons)
    hidden = frozenset({DataCategory.ADDRESS_SHIELDED})
    brokered = _broker(hub, ctx, case, members, hub.partners.values(), hidden, enquiry=enquiry, means=ONCE)
    return brokered.redacted, brokered.receipt


def involvement(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, member: Member, partners: Iterable[Partner], fields: frozenset[str]
) -> Brokered:
    """Whether services are involved with one person, for another hub that asks under an enquiry of its own."""
    facts = facts_about(hub, [member.facts.id], enquiry=None, now=ctx.now)
    relationship = assigned([member.facts.id], enquiry.opened_at)
    case = CaseFile(hub, ctx, enquiry=enquiry, facts=facts, rationale=enquiry.rationale, relationship=relationship)
    wanted = frozenset({DataCategory.SERVICE_INVOLVEMENT})
    return _broker(hub, ctx, case, [member], partners, wanted, enquiry=enquiry, only_fields=fields)


def _case(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    emergency: Emergency | None,
    mode: AccessMode = AccessMode.VIEW,
    agreed: Agreed = NOTHING_AGREED,
) -> tuple[Family, CaseFile]:
    """Steps 3 and 4, and at screening whether somebody holds the case already: those who could are asked first."""
    family, case = _file(hub, ctx, enquiry, emergency, mode, agreed)
    if enquiry.purpose == Purpose.MASH_SCREENING and _is_open_elsewhere(hub, ctx, case, family, enquiry, emergency):
        case = case.with_open_case()
    return family, case


def _file(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    emergency: Emergency | None,
    mode: AccessMode = AccessMode.VIEW,
    agreed: Agreed = NOTHING_AGREED,
) -> tuple[Family, CaseFile]:
    """Steps 3 and 4: who belongs to the enquiry, and what the decision needs to know."""
    if enquiry.subject is None:
        raise NotFound("This enquiry has no confirmed person yet.")
    with hub.db.session() as session:
        # 3. Who belongs to the family, each with the source that says so.
        family = members_of(session, hub, enquiry, now=ctx.now)
    # 4. What they agreed or refused, and what was decided about asking.
    facts = facts_about(hub, [m.facts.id for m in family.members], enquiry=enquiry.id, now=ctx.now)
    case = CaseFile(
        hub,
        ctx,
        enquiry=enquiry,
        facts=facts,
        rationale=enquiry.rationale,
        relationship=assigned(related_persons(family, enquiry), enquiry.opened_at),
        break_glass=emergency.for_decision() if emergency else None,
        mode=mode,
        agreed=agreed,
    )
    return family, case


def _picture(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    categories: frozenset[DataCategory] | None,
    *,
    emergency: Emergency | None = None,
    agreed: Agreed = NOTHING_AGREED,
) -> tuple[FamilyPicture, Receipt]:
    family, case = _case(hub, ctx, enquiry, emergency, agreed=agreed)
    brokered = _broker(
        hub,
        ctx,
        case,
        family.members,
        hub.partners.values(),
        categories,
        enquiry=enquiry,
        family=family,
        emergency=emergency,
    )
    # 10. The page gets the picture and its receipt, and nothing else.
    b = brokered
    return compose.picture(hub, ctx, enquiry, b.decided, b.answers, b.redacted, b.revealed), b.receipt


def _is_open_elsewhere(
    hub: Hub, ctx: RequestContext, case: CaseFile, family: Family, enquiry: Enquiry, emergency: Emergency | None
) -> bool:
    """Whether the child already has a worker: those who hold cases are asked first (rule P42), by the same way.

    When they may not be asked, or do not answer, nothing is assumed: the ordinary rules go on.
    """
    holders = [p for p in hub.partners.values() if p.type in CASE_HOLDERS]
    subject = [m for m in family.members if m.facts.id == enquiry.subject]
    involvement = frozenset({DataCategory.SERVICE_INVOLVEMENT})
    first = _broker(hub, ctx, case, subject, holders, involvement, enquiry=enquiry, emergency=emergency)
    return any(not kept.values.get("until") for kept in first.redacted.kept)


def package_check(hub: Hub, ctx: RequestContext, typed: str) -> GpCheck:
    """The GP check: the same way with one person, one agency's category and two fields; five answers.

    Raises FormRefused for what is not an NHS number; never tells an unknown patient from one not on the list.
    """
    begun, number = pacing.begin(), checks.parse_number(typed)
    ctx = ctx.for_purpose(Purpose.GP_PACKAGE_CHECK)
    checks.hold_back_a_flood(hub, ctx)
    with hub.db.session() as session:
        patient = checks.patient_of(session, hub, number, ctx)
    facts = facts_about(hub, [patient.member.facts.id], enquiry=None, now=ctx.now)
    case = CaseFile(
        hub,
        ctx,
        facts=facts,
        rationale=checks.REASON,
        relationship=patient.relationship,
        off_list_checks_today=checks.count_off_list(hub, ctx, patient),
    )
    brokered = _broker(
        hub,
        ctx,
        case,
        [patient.member],
        checks.owners(hub),
        checks.CATEGORY,
        enquiry=None,
        only_fields=checks.FIELDS,
        involvement=Involvement.NONE,
        conclude=checks.conclude,
    )
    if not brokered.decided.permits:  # Not on the list, shielded, objected, unknown: told alike, also by the clock.
        pacing.even_out(begun, pacing.CHECK_STEP_S)
    if checks.conclude(brokered.decided, brokered.answers, brokered.redacted) == GpAnswer.MATCH_UNCONFIRMED:
        checks.ask_steward(hub, ctx, patient, brokered.receipt)
    return checks.as_check(hub, brokered.decided, brokered.answers, brokered.redacted, brokered.receipt)


def _broker(
    hub: Hub,
    ctx: RequestContext,
    case: CaseFile,
    members: Iterable[Member],
    partners: Iterable[Partner],
    categories: frozenset[DataCategory] | None,
    *,
    enquiry: Enquiry | None,
    family: Family | None = None,
    only_fields: frozenset[str] | None = None,
    involvement: Involvement | None = None,
    conclude: Conclude | None = None,
    emergency: Emergency | None = None,
    means: Means = ORDINARY,
) -> Brokered:
    """Steps 5 to 9. Raises TrailUnavailable: before step 7 nobody was asked, after it nothing is shown."""
    members, partners = tuple(members), tuple(partners)
    # 5. Every person x agency x category is decided; forbid beats permit, no rule means no.
    decided = decide_all(
        case, members, partners, categories, only_fields=only_fields, involvement=involvement, means=means
    )
    declared = [*([emergency.receipt] if emergency else []), *case.agreed.receipts]
    people = [member.facts.id for member in members]
    account = Account(hub.policy_bundle, ctx, case, people, decided, enquiry, declared)
    answers: Mapping[tuple[str, str], Answer] = {}
    redacted, intent = Redacted((), ()), None
    if decided.permits:
        # 6. Asking is itself a disclosure: the intent is durable before anybody is asked.
        intent = hub.trail.append("disclosure:requested", **account.requested())
        # 7. All partners at once, within one deadline, for permitted fields only.
        settled = frozenset() if conclude else _settled(hub, case, partners)
        promised, reply_by = _promises(hub, ctx, intent), _clocks(hub, case)
        asks = asks_for(decided.permits, promised, members=members, settled=settled, reply_by=reply_by)
        answers = _stamped(hub.gatherer.gather(asks), ctx)
        # 8. Each real item is decided again; what no permit names is dropped.
        redacted = redaction.apply(answers, decided.permits, means=means, agreed=case.agreed)
    # Names and relations come from the index under the same permits, and into the same record.
    revealed = reveal(family, decided, redacted, subject=enquiry.subject) if family and enquiry else Revealed()
    eid = secrets.token_hex(16)
    consequences.record(
        hub,
        ctx,
        decided,
        redacted,
        enquiry=enquiry.id if enquiry else None,
        receipt=eid,
        silence_by=case.silence_by,
    )
    if emergency and enquiry:
        break_glass.tell_owners(hub, ctx, emergency, enquiry, decided, redacted, revealed, receipt=eid)
    # 9. The outcome, and what it was decided by, is durable before a byte of it is released.
    record = decisions.keep(hub, ctx, eid, [*decided.made, *redacted.made], people=people)
    outcome = conclude(decided, answers, redacted) if conclude else None
    kind = "check" if conclude else "disclosure:made" if intent else "disclosure:refused"
    made = account.made(intent, answers, redacted, revealed, outcome, record)
    receipt = hub.trail.append(kind, eid=eid, **made)
    return Brokered(decided, answers, redacted, revealed, receipt)


def _promises(hub: Hub, ctx: RequestContext, intent: Receipt) -> PromiseTo:
    """What each partner is given with a question, so that it can refuse one that is not on record."""

    def promise(agency: str, subject: int) -> Promise:
        header = hub.trail.promise(intent, agency=agency, subject=subject, now=ctx.now)
        return Promise(intent.eid, agency, header)

    return promise


def _clocks(hub: Hub, case: CaseFile) -> ReplyBy:
    """How long the people of an agency have who answer by hand."""

    def reply_by(agency: str) -> Reply | None:
        by_hand = hub.partners[agency].way == "inbox"
        return response_times.for_case(hub.agreements, case, agency) if by_hand else None

    return reply_by


def _settled(hub: Hub, case: CaseFile, partners: Iterable[Partner]) -> frozenset[str]:
    """Agencies whose whole last load is in the index, so that no record there means nothing held.

    Never one whose drop was not loaded yet, nor one that matching may not know: those are asked.
    """
    with hub.db.session() as session:
        loaded = load_times(session)
    return frozenset(
        p.code
        for p in partners
        if p.way == "extract" and p.code in loaded and matching_allowed(hub.agreements, p.code, case.today)
    )


def _stamped(answers: Mapping[tuple[str, str], Answer], ctx: RequestContext) -> dict[tuple[str, str], Answer]:
    """An answer that a system gave just now is as of now; one from a drop is as of its load."""
    said = (AnswerState.FOUND, AnswerState.NOTHING_HELD)
    return {
        place: replace(answer, as_of=ctx.now) if answer.as_of is None and answer.state in said else answer
        for place, answer in answers.items()
    }
