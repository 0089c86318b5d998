"""The way of one request, on one screen: from a confirmed person to a picture with a receipt.

For: every disclosure that the hub makes, by one path, `broker`: the known-to matrix and the combined family picture
here, the narrower questions of one person or one field in `hub/questions.py`. Must never ask a partner before the
intent is durable, never return anything before the outcome is, and never catch the trail's refusal. Steps are
numbered as in docs/request-flow.md.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from audit import Receipt
from connectors import Answer, Ask, Partner, Promise, Reply, load_times
from hub import break_glass, compose, consequences, decisions, redaction, response_times
from hub.account import Account
from hub.approvals.agreed import NOTHING_AGREED, Agreed
from hub.assembly import Hub
from hub.break_glass import Emergency
from hub.case_facts import circumstances_in
from hub.casefile import CaseFile, assigned
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.errors import NotFound
from hub.following import facts_about
from hub.matching_agreed import matching_allowed
from hub.members import Family, Member, members_of, related_persons
from hub.obligations import ORDINARY, Means
from hub.permits import Decided, PromiseTo, ReplyBy, asks_for, decide_all
from hub.picture import FamilyPicture, Grounds
from hub.redaction import Redacted
from hub.revealing import Revealed, reveal
from policies.vocabulary import AccessMode, AgencyType, AnswerState, DataCategory, Involvement, Purpose

#: What the known-to matrix needs: is the service involved, since when, whom to ring; and who the people are.
MATRIX = frozenset({DataCategory.SERVICE_INVOLVEMENT, DataCategory.DEMOGRAPHIC})

#: An open case with one of these means: ring the allocated worker (rule P42).
CASE_HOLDERS = frozenset({AgencyType.CHILDRENS_SOCIAL_CARE, AgencyType.EARLY_HELP})

#: What an outcome is called in the trail, when it is one word.
Conclude = Callable[[Decided, Mapping[tuple[str, str], Answer], Redacted], str]

#: From the permitted questions to their answers.
Gather = Callable[[tuple[Ask, ...]], Mapping[tuple[str, str], Answer]]


@dataclass(frozen=True, slots=True)
class Brokered:
    """What came of one way through steps 5 to 9."""

    decided: Decided
    answers: Mapping[tuple[str, str], Answer]
    redacted: Redacted
    revealed: Revealed
    receipt: Receipt
    grounds: Grounds


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


def what_is_decided(hub: Hub, ctx: RequestContext, enquiry: Enquiry, agreed: Agreed = NOTHING_AGREED) -> Decided:
    """What this reader would be allowed and refused now. Nobody is asked, nothing is shown."""
    family, case = file_of(hub, ctx, enquiry, None, agreed=agreed)
    return decide_all(case, family.members, hub.partners.values(), None)


def case_of(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    emergency: Emergency | None,
    mode: AccessMode = AccessMode.VIEW,
    agreed: Agreed = NOTHING_AGREED,
) -> tuple[Family, CaseFile]:
    """Steps 3 and 4, and at screening whether somebody holds the case already: those who could are asked first."""
    family, case = file_of(hub, ctx, enquiry, emergency, mode, agreed)
    if enquiry.purpose == Purpose.MASH_SCREENING and _is_open_elsewhere(hub, ctx, case, family, enquiry, emergency):
        case = case.with_open_case()
    return family, case


def file_of(
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
    # 4. What they agreed or refused, what was decided about asking, and what is recorded on the case.
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
        circumstances=circumstances_in(hub, enquiry, family),
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
    family, case = case_of(hub, ctx, enquiry, emergency, agreed=agreed)
    brokered = broker(
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
    shown = compose.picture(hub, ctx, enquiry, b.decided, b.answers, b.redacted, b.revealed, b.grounds)
    return shown, b.receipt


def _is_open_elsewhere(
    hub: Hub, ctx: RequestContext, case: CaseFile, family: Family, enquiry: Enquiry, emergency: Emergency | None
) -> bool:
    """Whether the child already has a worker: those who hold cases are asked first (rule P42), by the same way.

    When they may not be asked, or do not answer, nothing is assumed: the ordinary rules go on.
    """
    holders = [p for p in hub.partners.values() if p.type in CASE_HOLDERS]
    subject = [m for m in family.members if m.facts.id == enquiry.subject]
    involvement = frozenset({DataCategory.SERVICE_INVOLVEMENT})
    first = broker(hub, ctx, case, subject, holders, involvement, enquiry=enquiry, emergency=emergency)
    return any(not kept.values.get("until") for kept in first.redacted.kept)


def broker(
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
    gather: Gather | None = None,
) -> Brokered:
    """Steps 5 to 9. Raises TrailUnavailable: before step 7 nobody was asked, after it nothing is shown.

    `gather`: from where the answers come, when not from the partners: a notice that was brought is here already.
    """
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
        answers = _stamped((gather or hub.gatherer.gather)(asks), ctx)
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
    return Brokered(decided, answers, redacted, revealed, receipt, account.grounds)


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
