"""Those who are asked: what waits for them, and what they say to it.

For: second persons, and owners who decide about what they hold item by item. Must never show a request to whoever made
it or whom it is about, never let a refusal by an owner stand without a senior's name, and never store an answer before
it stands in the trail. Rules P37 and P49.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.exc import IntegrityError

from audit import Receipt
from hub.approvals.form import GRANTED, PROPOSED, REFUSED, Choice, parse_choices, parse_whole, require_call_back
from hub.approvals.stored import Ask, answers_of, ask_of, name_of, why_of
from hub.approvals.watch import stop_watching, watch
from hub.assembly import Hub
from hub.case_facts import Fact, FactKind, on_record
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.enquiries import enquiry_for_owner, user_of
from hub.errors import NotForYou, NotFound
from hub.keys import HUB
from hub.one_person import accounts_of
from hub.questions import held_by_owner
from hub.redaction import Kept
from hub.tables import approval_answers, approval_asks
from hub.tasks import ANSWERED, OWNERS, SENIORS
from policies import HEALTH_AGENCIES
from policies.vocabulary import AnswerState, ApprovalKind, DataCategory, Purpose, Role

#: How long an agreement holds at most (rule P37).
LASTS = timedelta(hours=4)
#: Which roles of the answering agency answer each kind.
ANSWERED_BY: Mapping[str, frozenset[Role]] = {
    ApprovalKind.OVERRIDE: frozenset({Role.MASH_DECISION_MAKER}),
    ApprovalKind.OWNER_RELEASE: OWNERS,
    ApprovalKind.ONE_OFF: OWNERS,
    ApprovalKind.CODE_C_RELEASE: frozenset({Role.POLICE_MASH_SUPERVISOR}),
}
#: Everybody who may find something waiting for them.
APPROVING = frozenset(role for roles in ANSWERED_BY.values() for role in roles) | SENIORS
#: Requests of one page.
PAGE = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request as those who answer see it in their queue. `proposed`: an owner's refusal waits for a senior."""

    ask: Ask
    proposed: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """One request to answer, with the asking worker's words and, for an owner, what their own agency holds."""

    ask: Ask
    form: Mapping[str, str]
    asked_by_name: str
    known_as: tuple[Kept, ...]
    items: tuple[Kept, ...]
    marks: tuple[str, ...]
    proposals: Mapping[str, str]
    unreached: bool
    receipt: Receipt | None
    #: For a second person: what is recorded about the person asked about, and on what it rests.
    circumstances: tuple[Fact, ...] = ()


def waiting(hub: Hub, ctx: RequestContext) -> tuple[Waiting, ...]:
    """What waits for this user, the most urgent first. Effects: reminders and escalations that are due (`watch`)."""
    watch(hub, ctx.now)
    a, w = approval_asks.c, approval_answers.c
    done = select(w.ask).where(w.outcome != PROPOSED)
    proposed = select(w.ask).where(w.outcome == PROPOSED, w.by.not_in(accounts_of(hub, ctx.actor.id)))
    with hub.db.session() as session:
        rows = session.execute(
            select(approval_asks)
            .where(a.answering == ctx.actor.agency, a.asked_by != ctx.actor.id)
            .where(or_(a.id.not_in(done), a.id.in_(proposed)))
            .order_by(a.due_at, a.id)
            .limit(PAGE * 4)
        ).mappings()
        asks = [Ask.of(dict(row)) for row in rows]
        stands = {one.id: answers_of(session, one.id) for one in asks}
    found = []
    for one in asks:
        open_proposal = any(row["outcome"] == PROPOSED for row in stands[one.id].values())
        open_to_them = _is_theirs(hub, ctx, one, proposed=open_proposal) and not _is_asker(hub, ctx, one)
        if open_to_them and (open_proposal or not stands[one.id]):
            found.append(Waiting(one, open_proposal))
    return tuple(found[:PAGE])


def open_ask(hub: Hub, ctx: RequestContext, ask_id: str) -> Opened:
    """One request. Raises NotFound for what is not this user's. Effects: for an owner, a disclosure to themselves."""
    ask, rows = _mine(hub, ctx, ask_id)
    proposals = {part: row for part, row in rows.items() if row["outcome"] == PROPOSED}
    items: tuple[Kept, ...] = ()
    known_as: tuple[Kept, ...] = ()
    reached, receipt = True, None
    if ask.kind != ApprovalKind.OVERRIDE:
        items, known_as, reached, receipt = _held(hub, ctx, ask)
    if proposals:
        items = tuple(one for one in items if mark_of(hub, ask.answering, one.item) in proposals)
    return Opened(
        ask=ask,
        form=ask.form(hub),
        asked_by_name=name_of(hub, ask.asked_by),
        known_as=known_as,
        items=items,
        marks=tuple(mark_of(hub, ask.answering, one.item) for one in items),
        proposals={part: why_of(hub, ask.id, row) for part, row in proposals.items()},
        unreached=not reached,
        receipt=receipt,
        circumstances=_circumstances(hub, ask) if ask.kind == ApprovalKind.OVERRIDE else (),
    )


def _circumstances(hub: Hub, ask: Ask) -> tuple[Fact, ...]:
    facts = on_record(hub, ask.enquiry)
    return tuple(f for f in facts if f.kind == FactKind.CIRCUMSTANCE and f.person == ask.person and f.counts)


def answer(hub: Hub, ctx: RequestContext, ask_id: str, typed: Mapping[str, Any]) -> None:
    """Says yes or no to a request: to the whole of it, or item by item where it is about what an owner holds.

    Takes `typed`: the form; lists under `fields-MARK`. Raises FormRefused with a sentence per field, NotFound for what
    is not this user's or was answered meanwhile. Effects: an event, the answers, a task for whoever asked.
    """
    ask, rows = _mine(hub, ctx, ask_id)
    if any(row["outcome"] == PROPOSED for row in rows.values()):
        _sign_off(hub, ctx, ask, rows, typed)
        return
    if ask.kind == ApprovalKind.OVERRIDE:
        choices: Sequence[Choice] = (parse_whole(typed),)
    else:
        items, _, reached, _ = _held(hub, ctx, ask)
        if not reached:
            raise NotForYou(
                "Your own system does not answer, so what it holds cannot be seen.",
                next_steps=("Try again in a minute.", "Ring the worker who asked and say so."),
            )
        choices = parse_choices(typed, [(mark_of(hub, ask.answering, one.item), one) for one in items], ask.opens)
        if ask.kind == ApprovalKind.ONE_OFF:
            require_call_back(typed)
    _store(hub, ctx, ask, choices, call_back=typed.get("call_back") == "yes")


def mark_of(hub: Hub, agency: str, item: str) -> str:
    """A blind mark of one of an agency's items: the same for the same item, and meaningless without the key."""
    return hub.keys.blind("approval-item", f"{agency}\x1f{item}").hex()[:32]


def _mine(hub: Hub, ctx: RequestContext, ask_id: str) -> tuple[Ask, dict[str, Any]]:
    nothing = NotFound("There is no such request, or it was answered.")
    with hub.db.session() as session:
        ask = ask_of(session, ask_id)
        rows = answers_of(session, ask_id) if ask else {}
    if ask is None or ask.answering != ctx.actor.agency or _is_asker(hub, ctx, ask):
        raise nothing
    proposed = any(row["outcome"] == PROPOSED for row in rows.values())
    if (rows and not proposed) or not _is_theirs(hub, ctx, ask, proposed=proposed):
        raise nothing
    mine = accounts_of(hub, ctx.actor.id)
    if proposed and any(row["by"] in mine for row in rows.values() if row["outcome"] == PROPOSED):
        raise nothing
    return ask, rows


def _is_asker(hub: Hub, ctx: RequestContext, ask: Ask) -> bool:
    """Whether this is who asked, also under another account: one that their employer gave them, or of their name."""
    if ask.asked_by in accounts_of(hub, ctx.actor.id):
        return True
    return ask.asked_agency == ctx.actor.agency and _plain(name_of(hub, ask.asked_by)) == _plain(ctx.actor.name)


def _plain(name: str) -> list[str]:
    return sorted(name.casefold().split())


def _is_theirs(hub: Hub, ctx: RequestContext, ask: Ask, *, proposed: bool) -> bool:
    """Whether this role answers it; nobody answers about themselves or their family (rules P33, P34).

    A refusal that waits goes to a senior, a health owner's word to the police to its Caldicott Guardian (rule P37).
    """
    actor = ctx.actor
    if ask.person in {*actor.own_persons, *actor.own_family}:
        return False
    if proposed:
        return actor.role in SENIORS
    if ask.purpose == Purpose.CRIME and ask.kind == ApprovalKind.OWNER_RELEASE:
        owner = hub.partners.get(ask.answering)
        if owner is not None and owner.type in HEALTH_AGENCIES:
            return actor.role == Role.CALDICOTT_GUARDIAN
    return actor.role in ANSWERED_BY[ask.kind]


def _held(hub: Hub, ctx: RequestContext, ask: Ask) -> tuple[tuple[Kept, ...], tuple[Kept, ...], bool, Receipt]:
    """What the answering agency holds of what is asked, whom it knows them as, and whether its own system answered."""
    enquiry = enquiry_for_owner(hub, ask.enquiry, now=ctx.now)
    categories = frozenset(DataCategory(line["category"]) for line in ask.lines) | {DataCategory.DEMOGRAPHIC}
    redacted, answers, receipt = held_by_owner(
        hub,
        ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id),
        enquiry,
        ask.person,
        categories,
        since=ask.asked_at,
    )
    kept = tuple(
        one for one in redacted.kept if one.item and ask.opens.get(one.category, frozenset()) & set(one.values)
    )
    named = tuple(one for one in redacted.kept if one.category == DataCategory.DEMOGRAPHIC)
    return kept, named, all(one.state != AnswerState.NO_ANSWER for one in answers), receipt


def _store(hub: Hub, ctx: RequestContext, ask: Ask, choices: Sequence[Choice], *, call_back: bool) -> None:
    """The event, then the answers, then a task for whoever asked. A refusal by an owner waits for a senior."""
    owner = ask.kind != ApprovalKind.OVERRIDE
    rows = [
        {
            "ask": ask.id,
            "part": one.part,
            "step": 1,
            "category": one.category,
            "outcome": PROPOSED if owner and one.outcome == REFUSED else one.outcome,
            "fields": sorted(one.fields) if one.fields is not None else None,
            "expires_at": None if one.outcome == REFUSED else ctx.now + LASTS,
            "sealed_why": hub.keys.seal(HUB, one.why.encode(), f"approval:{ask.id}:{one.part}") if one.why else None,
            "call_back": call_back,
            "signed_for": None,
        }
        for one in choices
    ]
    receipt = _tell(hub, ctx, ask, rows)
    _insert(hub, ctx, ask, rows, receipt)
    if any(row["outcome"] != PROPOSED for row in rows):
        _tell_asker(hub, ctx, ask, receipt, "answered")


def _sign_off(
    hub: Hub, ctx: RequestContext, ask: Ask, rows: Mapping[str, Mapping[str, Any]], typed: Mapping[str, Any]
) -> None:
    """A senior stands for an owner's refusal, or lets the item go after all (rule P49)."""
    choice = parse_whole(typed)
    signed = [
        {
            "ask": ask.id,
            "part": part,
            "step": 2,
            "category": row["category"],
            "outcome": REFUSED if choice.outcome == GRANTED else GRANTED,
            "fields": None,
            "expires_at": None if choice.outcome == GRANTED else ctx.now + LASTS,
            "sealed_why": hub.keys.seal(HUB, choice.why.encode(), f"approval:{ask.id}:{part}"),
            "call_back": row["call_back"],
            "signed_for": row["by"],
        }
        for part, row in rows.items()
        if row["outcome"] == PROPOSED
    ]
    receipt = _tell(hub, ctx, ask, signed)
    _insert(hub, ctx, ask, signed, receipt)
    # Somebody who was told of what is released is told again only of more: else the second time says what is held back.
    if choice.outcome == REFUSED or all(row["outcome"] == PROPOSED for row in rows.values()):
        _tell_asker(hub, ctx, ask, receipt, "signed")


def _tell(hub: Hub, ctx: RequestContext, ask: Ask, rows: Sequence[Mapping[str, Any]]) -> Receipt:
    actor = ctx.actor
    outcomes = sorted({row["outcome"] for row in rows})
    owner = ask.kind != ApprovalKind.OVERRIDE
    return hub.trail.append(
        "owner-release" if owner else "approval",
        now=ctx.now,
        subjects=[ask.person],
        user=user_of(ctx),
        purpose=ask.purpose,
        enquiry=ask.enquiry,
        trace=ctx.request_id,
        action=ask.kind,
        outcome="+".join(outcomes) or "NOTHING-HELD",
        authoriser={
            "subject": actor.id,
            "role": actor.role,
            "agency": actor.agency,
            "issuer": actor.issuer,
            "approval": ask.id,
        },
        custodian=ask.answering if owner else None,
        recipient=ask.asked_agency,
        object={"type": "approval", "id": ask.id, "hash": ask.bound_to},
        refers=[ask.receipt],
        data=[
            {
                "agency": ask.answering,
                "category": row["category"],
                "label": row["outcome"],
                "fields": row["fields"] or [],
                "subject": 0,
            }
            for row in rows
            if row["category"]
        ],
    )


def _insert(hub: Hub, ctx: RequestContext, ask: Ask, rows: Iterable[Mapping[str, Any]], receipt: Receipt) -> None:
    actor = ctx.actor
    by = {
        "by": actor.id,
        "by_agency": actor.agency,
        "by_role": actor.role,
        "by_role_until": actor.role_until,
        "at": ctx.now,
        "receipt": receipt.eid,
    }
    try:
        with hub.db.writing() as session:
            session.execute(insert(approval_answers), [{**row, **by} for row in rows])
    except IntegrityError as error:
        raise NotFound("Somebody else has just answered this request.") from error
    stop_watching(hub, ask.id, by=actor.id, now=ctx.now)


def _tell_asker(hub: Hub, ctx: RequestContext, ask: Ask, receipt: Receipt, step: str) -> None:
    write(
        hub,
        [
            Duty(
                kind=ANSWERED,
                agency=ask.asked_agency,
                person=ask.person,
                enquiry=ask.enquiry,
                receipt=receipt.eid,
                user=ask.asked_by,
                refers=ask.id,
                once=(ANSWERED, ask.id, step),
            )
        ],
        now=ctx.now,
    )
