"""What a worker may ask somebody's agreement for, and the asking: bound to exactly what was asked.

For: the page from which a second person or an owner is asked. Must never offer what an agreement would not open, never
name somebody whom the reader was not shown, and never ask an owner before the hub's own second person has agreed.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from connectors import Partner
from hub.approvals.agreed import NOTHING_AGREED, Agreed
from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.disclosure import what_is_decided
from hub.enquiries import LEAST, Enquiry, says_enough, user_of
from hub.errors import FormRefused, NotForYou
from hub.keys import HUB
from hub.obligations import may_show
from hub.response_times import after, hours_for
from hub.tables import approval_answers, approval_asks
from policies import Approval, DecisionRequest, Seal, decide
from policies.vocabulary import AgencyType, ApprovalKind, Outcome, Purpose, Role, SealState

#: In the order in which they are asked for: whoever decides for the hub first, then the owner.
KINDS = (
    ApprovalKind.OVERRIDE,
    ApprovalKind.ONE_OFF,
    ApprovalKind.OWNER_RELEASE,
    ApprovalKind.CODE_C_RELEASE,
)
#: What a one-off disclosure form says besides (ICO Data Sharing Code, 2021: one-off requests).
ONE_OFF_FIELDS = ("necessity", "security", "retention", "rights")


@dataclass(frozen=True, slots=True)
class Askable:
    """One agreement that would open something: of which kind, about whom, answered by which agency."""

    kind: ApprovalKind
    person: str
    answering: str
    lines: tuple[Mapping[str, Any], ...]

    @property
    def key(self) -> str:
        """How a form names it."""
        return f"{self.kind}:{self.person}:{self.answering}"

    @property
    def bound_to(self) -> str:
        """A hash of everything that is asked, in canonical form: another request has another one."""
        plain = json.dumps([self.kind, self.person, self.answering, self.lines], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).hexdigest()


def askable(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    shown: Iterable[str],
    agreed: Agreed = NOTHING_AGREED,
    sealed: Set[tuple[str, str, str]] = frozenset(),
) -> tuple[Askable, ...]:
    """What could be asked for about these persons: nothing that is not referred to somebody already.

    Takes `sealed`: person, agency and category where this worker was told that something waits for its owner (P23).
    No partner is asked for it, and nothing is shown by it: a referral does not depend on what an agency holds.
    """
    persons = set(shown)
    decided = what_is_decided(hub, ctx, enquiry, agreed)
    referred = [(r.agency, r.category, r.made.request) for r in decided.refusals if r.outcome == Outcome.REFER]
    for permit in decided.permits:
        by_hand = hub.partners[permit.agency].way == "inbox"  # Its people release or hold each piece as they answer.
        if (permit.person, permit.agency, str(permit.request.item.category)) in sealed and not by_hand:
            waits = replace(permit.request.item, seal=Seal(state=SealState.SEALED))
            referred.append((permit.agency, permit.category, replace(permit.request, item=waits)))
    found: dict[tuple[ApprovalKind, str, str], list[Mapping[str, Any]]] = {}
    for agency, category, request in referred:
        needed, opened = needed_for(request) if request.subject.id in persons else ((), ())
        if needed:
            kind = needed[0]
            answering = _second(hub, ctx) if kind == ApprovalKind.OVERRIDE else agency
            line = {
                "agency": agency,
                "category": str(category),
                "fields": list(opened),
                "hash": request.request_hash,
            }
            found.setdefault((kind, request.subject.id, answering), []).append(line)
    return tuple(Askable(kind, person, by, tuple(lines)) for (kind, person, by), lines in found.items())


def needed_for(request: DecisionRequest) -> tuple[tuple[ApprovalKind, ...], tuple[str, ...]]:
    """The fewest kinds of agreement with which this would be shown, and which fields; empty when none would open it."""

    def opens(kinds: Iterable[ApprovalKind]) -> tuple[str, ...]:
        imagined = tuple(_imagined(kind, request) for kind in kinds)
        asked = replace(request, approvals=(*request.approvals, *imagined))
        decision = decide(asked)
        return decision.fields if may_show(decision, asked) else ()

    needed = list(KINDS)
    if not opens(needed):
        return (), ()
    for kind in KINDS[::-1]:
        without = [other for other in needed if other != kind]
        if opens(without):
            needed = without
    return tuple(needed), opens(needed)


def ask(hub: Hub, ctx: RequestContext, enquiry: Enquiry, one: Askable, typed: Mapping[str, str]) -> str:
    """Puts a request before those who may answer it; returns its id.

    Raises FormRefused without an adequate reason or with a one-off form that is not complete; NotForYou for a closed
    enquiry or while the same request waits. Effects: an event, then the row.
    """
    if enquiry.closed_at is not None:
        raise NotForYou("This enquiry is closed.", next_steps=("Open a new enquiry.",))
    form = _form(hub, one, typed)
    with hub.db.session() as session:
        a = approval_asks.c
        answered = select(approval_answers.c.ask)
        waiting = session.scalar(
            select(a.id).where(a.enquiry == enquiry.id, a.bound_to == one.bound_to, a.id.not_in(answered)).limit(1)
        )
    if waiting is not None:
        raise NotForYou("This is asked for already and waits for an answer.")
    id_ = "AP-" + secrets.token_hex(8)
    remind_at, due_at = clock_of(hub, ctx, enquiry, one.answering)
    receipt = hub.trail.append(
        "alter",
        now=ctx.now,
        subjects=[one.person],
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action="approval-asked",
        outcome=one.kind,
        custodian=one.answering,
        object={"type": "approval", "id": id_, "hash": one.bound_to},
    )
    with hub.db.writing() as session:
        session.execute(
            insert(approval_asks).values(
                id=id_,
                kind=one.kind,
                enquiry=enquiry.id,
                person=one.person,
                answering=one.answering,
                purpose=enquiry.purpose,
                asked_by=ctx.actor.id,
                asked_agency=ctx.actor.agency,
                asked_role=ctx.actor.role,
                sealed_form=hub.keys.seal(HUB, json.dumps(form).encode(), "approval:" + id_),
                lines=list(one.lines),
                bound_to=one.bound_to,
                asked_at=ctx.now,
                remind_at=remind_at,
                due_at=due_at,
                receipt=receipt.eid,
            )
        )
    return id_


def _form(hub: Hub, one: Askable, typed: Mapping[str, str]) -> dict[str, str]:
    wanted = ("reason", *(ONE_OFF_FIELDS if one.kind == ApprovalKind.ONE_OFF else ()))
    form = {name: typed.get(name, "").strip() for name in wanted}
    errors = {name: f"Say it in your own words: {LEAST}." for name, text in form.items() if not says_enough(text)}
    if errors:
        raise FormRefused(errors)
    return form


def clock_of(hub: Hub, ctx: RequestContext, enquiry: Enquiry, answering: str) -> tuple[datetime, datetime]:
    """When whoever answers is reminded, and until when they have time, by how urgent the enquiry is now."""
    today = london(ctx.now).date()
    hours = hours_for(hub.agreements, answering, ctx.actor.agency, enquiry.purpose, enquiry.brag, today)
    return after(ctx.now, hours / 2, hours), after(ctx.now, hours, hours)


def _second(hub: Hub, ctx: RequestContext) -> str:
    """The agency whose decision maker answers: the asking one if it is children's social care, else that one."""
    own = hub.partners.get(ctx.actor.agency)
    if own is not None and own.type == AgencyType.CHILDRENS_SOCIAL_CARE:
        return own.code
    holders = (p for p in hub.partners.values() if p.type == AgencyType.CHILDRENS_SOCIAL_CARE)
    first: Partner | None = next(holders, None)
    return first.code if first else ctx.actor.agency


def _imagined(kind: ApprovalKind, request: DecisionRequest) -> Approval:
    """The agreement as it would be, by whoever may give it; it is never stored and never shown under."""
    crime = request.purpose == Purpose.CRIME
    roles = {
        ApprovalKind.OVERRIDE: Role.MASH_DECISION_MAKER,
        ApprovalKind.CODE_C_RELEASE: Role.POLICE_MASH_SUPERVISOR,
    }
    return Approval(
        kind=kind,
        by="US-imagined",
        by_agency=request.owner.agency,
        by_role=roles.get(kind, Role.CALDICOTT_GUARDIAN if crime else Role.AGENCY_NAVIGATOR),
        for_request=request.request_hash,
        for_subject=request.subject.id,
        given_at=request.now,
        expires_at=request.now + timedelta(hours=1),
        call_back_verified=kind == ApprovalKind.ONE_OFF,
    )
