"""The narrower questions: one person, one agency or one field, by the same way as a picture.

For: the GP check, a document that somebody takes along, an owner who decides about a release, a protected address that
is shown once, another hub. Must never go another way than `hub.disclosure.broker`, and never ask for more than the
question needs. Ruled by docs/request-flow.md.
"""

from collections.abc import Iterable
from datetime import datetime

from audit import Receipt
from connectors import Answer, Partner
from hub import break_glass, checks, pacing
from hub.assembly import Hub
from hub.casefile import CaseFile, assigned
from hub.checks import GpCheck, RoundLine
from hub.context import RequestContext
from hub.disclosure import Brokered, broker, case_of, file_of
from hub.enquiries import Enquiry
from hub.errors import FormRefused, NotFound
from hub.following import facts_about
from hub.members import Member, members_of
from hub.obligations import ONCE
from hub.redaction import Kept, Redacted
from policies.vocabulary import AccessMode, DataCategory, GpAnswer, Involvement, Purpose

#: Why somebody looks at what their own agency holds, when another asks for its release.
OWNERS_REASON = "Another agency asks for the release of this information and somebody here decides"


def one_field(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str, agency: str, category: DataCategory, field: str
) -> tuple[tuple[Kept, ...], Receipt]:
    """One field of one category of one person from one agency: a document that somebody takes along."""
    if agency not in hub.partners:
        raise NotFound("That agency does not take part any more.")
    emergency = break_glass.in_force(hub, ctx, enquiry)
    family, case = case_of(hub, ctx, enquiry, emergency, AccessMode.EXPORT)
    members = [member for member in family.members if member.facts.id == person]
    wanted, only = frozenset({category}), frozenset({field})
    brokered = broker(
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
    brokered = broker(hub, ctx, case, [member], own, categories, enquiry=enquiry)
    if not brokered.decided.permits:
        raise NotFound("There is no such request.")
    return brokered.redacted, tuple(brokered.answers.values()), brokered.receipt


def whereabouts(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str, *, reason: str
) -> tuple[Redacted, Receipt]:
    """Where one protected person can be found, to be shown once, to a role that is named for it (rule P28).

    Takes `reason`: the reader's own, for this one look. What it gives is empty for everybody else, whatever is held.
    """
    family, case = file_of(hub, ctx, enquiry, None)
    members = [m for m in family.members if m.facts.id == person]
    case = case.for_one_look(reason, holds_case=person in ctx.actor.case_persons)
    hidden = frozenset({DataCategory.ADDRESS_SHIELDED})
    brokered = broker(hub, ctx, case, members, hub.partners.values(), hidden, enquiry=enquiry, means=ONCE)
    return brokered.redacted, brokered.receipt


def involvement(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, member: Member, partners: Iterable[Partner], fields: frozenset[str]
) -> Brokered:
    """Whether services are involved with one person, for another hub that asks under an enquiry of its own."""
    facts = facts_about(hub, [member.facts.id], enquiry=None, now=ctx.now)
    relationship = assigned([member.facts.id], enquiry.opened_at)
    case = CaseFile(hub, ctx, enquiry=enquiry, facts=facts, rationale=enquiry.rationale, relationship=relationship)
    wanted = frozenset({DataCategory.SERVICE_INVOLVEMENT})
    return broker(hub, ctx, case, [member], partners, wanted, enquiry=enquiry, only_fields=fields)


def package_check(hub: Hub, ctx: RequestContext, typed: str, *, in_round: bool = False) -> GpCheck:
    """The GP check: the same way with one person, one agency's category and two fields; five answers.

    Raises FormRefused for what is not an NHS number; never tells an unknown patient from one not on the list.
    """
    begun, number = pacing.begin(), checks.parse_number(typed)
    ctx = ctx.for_purpose(Purpose.GP_PACKAGE_CHECK)
    if not in_round:  # A round is counted as one, and is bounded itself.
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
        off_list_checks_today=checks.count_off_list(hub, ctx, patient, in_round=in_round),
    )
    brokered = broker(
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
    b = brokered
    return checks.as_check(hub, b.decided, b.answers, b.redacted, b.receipt, b.grounds)


def ward_round(hub: Hub, ctx: RequestContext, typed: str) -> tuple[RoundLine, ...]:
    """The GP check of up to 50 patients, one after the other: each a decision, an entry of the trail and an answer.

    A line that is no number costs its own row. Raises FormRefused for no lines, too many, or too many rounds.
    """
    lines = checks.parse_round(typed)
    checks.begin_round(hub, ctx)
    return tuple(_line(hub, ctx, line) for line in lines)


def _line(hub: Hub, ctx: RequestContext, line: str) -> RoundLine:
    try:
        return RoundLine(line, package_check(hub, ctx, line, in_round=True), None)
    except FormRefused as error:
        return RoundLine(line, None, " ".join(error.errors.values()))
