"""Changing an agreement: one officer proposes, two others approve, and what is approved is in force at once.

For: the editor of the register. Must never put a change in force that the life of an agreement forbids, that the one
who proposed it approved, or that starts from something that has changed meanwhile; every act is an event first. A
change of substance becomes the next version, which its parties' signatories sign before anything flows under it.
"""

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from audit import EntryUnknown, EventInvalid
from hub.acting import named
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import LEAST, acts_since, count_act, says_enough, user_of
from hub.errors import FormRefused, NotForYou, NotFound
from hub.keys import HUB
from hub.one_person import accounts_of, how_many
from hub.register.enacting import (
    TRIES,
    ChangedMeanwhile,
    all_written,
    enact,
    hash_of,
    tell,
    why_not_from,
    written_now,
)
from hub.register.impact import Impact, impact_of
from hub.register.recorded import WITHDRAWN, Recorded
from hub.register.tables import agreement_acts, agreement_proposals
from hub.suspension import is_suspended
from policies import (
    STOPS,
    AgreementInvalid,
    Change,
    SharingAgreement,
    as_proposed,
    faults,
    read_draft,
    refusals,
    substantive,
    with_status,
    write_draft,
)
from policies.vocabulary import AgreementStatus, Purpose, Role

#: Who may propose, approve and suspend; starting again is for fewer of them (`policies.life_cycle`).
KEEPERS = STOPS
#: People who must approve, apart from the one who proposes.
NEEDED = 2
#: Looks at last month's decisions that one person has in an hour, previews and proposals together.
LOOKS_PER_HOUR = 30
LOOK_BACK = "agreement-impact"
APPROVED = "APPROVED"
OPEN, DONE = "OPEN", "IN_FORCE"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a typed text comes to, before anything is proposed."""

    before: SharingAgreement
    after: SharingAgreement
    changes: tuple[Change, ...]
    refused: tuple[str, ...]
    faults: tuple[str, ...]
    impact: Impact

    @property
    def of_substance(self) -> bool:
        """Whether the parties have to sign again."""
        return any(change.new_version for change in self.changes)


@dataclass(frozen=True, slots=True)
class Act:
    """What one person said to a proposal."""

    kind: str
    user: str
    agency: str
    role: Role
    at: datetime
    reason: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed change and everything that was said to it. Rejected and withdrawn ones are kept."""

    id: str
    before: SharingAgreement
    after: SharingAgreement
    reason: str
    impact: Impact
    user: str
    agency: str
    role: Role
    at: datetime
    acts: tuple[Act, ...]
    #: OPEN, IN_FORCE, REJECTED or WITHDRAWN, as the trail says: no row that is taken away opens it again.
    state: str

    @property
    def parties(self) -> frozenset[str]:
        """Who may approve it: the parties of what is changed, not those that it would add."""
        return frozenset(party.agency for party in self.before.parties)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What it changes."""
        return substantive(self.before, self.after)

    @property
    def of_substance(self) -> bool:
        """Whether the parties have to sign again."""
        return any(change.new_version for change in self.changes) or self.before.version != self.after.version


def require_keeper(ctx: RequestContext, *versions: SharingAgreement) -> None:
    """Raises NotForYou unless the user keeps agreements for a party of one of these versions."""
    parties = {party.agency for one in versions for party in one.parties}
    if ctx.actor.role not in KEEPERS or ctx.actor.agency not in parties:
        raise NotForYou(
            "Agreements are changed by the officers of their parties.",
            next_steps=("Ask your data protection officer or information governance.",),
        )


def draft(hub: Hub, ctx: RequestContext, before: SharingAgreement, text: str) -> Draft:
    """What a typed text would change, and what last month's decisions would have been.

    Raises FormRefused with the line that cannot be used, when nothing is changed or the hour's looks are used up;
    NotForYou. Effects: one `audit:read` event before recorded decisions are opened.
    """
    require_keeper(ctx, before)
    text = text.replace("\r\n", "\n")
    try:
        typed = read_draft(text)
        if typed.reference != before.reference:
            raise FormRefused({"text": f"The reference stays {before.reference}: another one is another agreement."})
        after = as_proposed(before, typed)
    except AgreementInvalid as error:
        raise FormRefused({"text": f"{_place(text, error.line)}{error.key}: {error.reason}."}) from None
    changes = substantive(before, after)
    if (why := why_not_from(hub, before, after)) is not None:
        raise FormRefused({"text": why})
    if not changes:
        raise FormRefused({"text": "Nothing is changed: the text says what the agreement says now."})
    others = [one for one in hub.agreements if (one.reference, one.version) != (after.reference, after.version)]
    today = ctx.now.date()
    known = {remark.sentence for remark in faults(hub.agreements, today)}
    wrong = tuple(one.sentence for one in faults((*others, after), today) if one.sentence not in known)
    refused = () if after.version != before.version else tuple(refusals(before, after, Role.DPO))
    _look_back(hub, ctx, before)
    return Draft(before, after, changes, refused, wrong, impact_of(hub, before, after, ctx.now))


def _look_back(hub: Hub, ctx: RequestContext, one: SharingAgreement) -> None:
    """Before recorded decisions of all agencies are opened: the hour's budget and an `audit:read` event."""
    with hub.db.writing() as session:
        if acts_since(session, ctx, LOOK_BACK, ctx.now - timedelta(hours=1)) >= LOOKS_PER_HOUR:
            raise FormRefused({"text": "You have looked at very many changes in the last hour. Go on later."})
        count_act(session, ctx, LOOK_BACK)
    hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action=LOOK_BACK,
        outcome="COUNTED",
        object={"type": "agreement", "id": f"{one.reference}-{one.version}"},
    )


def _place(text: str, line: int | None) -> str:
    """Where a fault stands: the number of the line and how it begins, because a form shows no numbers."""
    lines = text.splitlines()
    if line is None or not 0 < line <= len(lines):
        return ""
    begins = lines[line - 1].strip()
    return f"Line {line}, {begins[:60]}{'…' if len(begins) > 60 else ''}: "


def propose(hub: Hub, ctx: RequestContext, before: SharingAgreement, typed: Mapping[str, str]) -> str:
    """Puts a change before the others; returns its id. Raises as `draft`, and FormRefused without a reason.

    Effects: one `agreement:drafted` event, then the row.
    """
    reason = typed.get("reason", "").strip()
    if not says_enough(reason):
        raise FormRefused({"reason": f"Say why it should change: {LEAST}."})
    found = draft(hub, ctx, before, typed.get("text", ""))
    if found.refused:
        raise FormRefused({"text": " ".join(found.refused)})
    id_, text = "AP-" + secrets.token_hex(8), write_draft(found.after)
    receipt = tell(hub, ctx, "agreement:drafted", found.after, proposal=id_, action="PROPOSED", outcome="OPEN")
    with hub.db.writing() as session:
        session.execute(
            insert(agreement_proposals).values(
                id=id_,
                reference=before.reference,
                version=before.version,
                before_hash=hash_of(before),
                sealed_before=hub.keys.seal(HUB, write_draft(before).encode(), "before:" + id_),
                sealed_after=hub.keys.seal(HUB, text.encode(), "after:" + id_),
                sealed_reason=hub.keys.seal(HUB, reason.encode(), "reason:" + id_),
                impact=found.impact.to_json(),
                **_by(ctx),
                receipt=receipt.eid,
            )
        )
    return id_


def proposals(hub: Hub) -> tuple[Proposal, ...]:
    """Every proposal, newest first, also those that came to nothing."""
    with hub.db.session() as session:
        query = select(agreement_proposals.c.id).order_by(agreement_proposals.c.at.desc())
        ids = list(session.scalars(query))
    recorded = hub.register.recorded()
    return tuple(proposal_of(hub, id_, recorded) for id_ in ids)


def exists(hub: Hub, id_: str) -> bool:
    """Whether there is such a proposal."""
    with hub.db.session() as session:
        query = select(agreement_proposals.c.id).where(agreement_proposals.c.id == id_)
        return session.execute(query).first() is not None


def proposal_of(hub: Hub, id_: str, recorded: Recorded | None = None) -> Proposal:
    """One proposal. Raises NotFound, KeyRefused when it was altered."""
    p, a = agreement_proposals.c, agreement_acts.c
    with hub.db.session() as session:
        row = session.execute(select(agreement_proposals).where(p.id == id_)).first()
        acts = session.execute(select(agreement_acts).where(a.proposal == id_).order_by(a.id)).all()
    if row is None:
        raise NotFound("There is no such proposal.", next_steps=("Go back to the list of agreements.",))

    def opened(sealed: bytes, what: str) -> str:
        return hub.keys.open(HUB, sealed, f"{what}:{id_}").decode()

    return Proposal(
        id=id_,
        before=read_draft(opened(row.sealed_before, "before")),
        after=read_draft(opened(row.sealed_after, "after")),
        reason=opened(row.sealed_reason, "reason"),
        impact=Impact.from_json(row.impact),
        user=row.user,
        agency=row.agency,
        role=Role(row.role),
        at=row.at,
        acts=tuple(
            Act(
                one.kind,
                one.user,
                one.agency,
                Role(one.role),
                one.at,
                opened(one.sealed_reason, "act:" + one.user),
                one.receipt,
            )
            for one in acts
        ),
        state=_state(recorded or hub.register.recorded(), id_),
    )


def _state(recorded: Recorded, id_: str) -> str:
    """In force is what was put in force, whoever spoke meanwhile."""
    return DONE if id_ in recorded.causes else recorded.ended.get(id_, OPEN)


def why_not_approve(hub: Hub, ctx: RequestContext, one: Proposal) -> str | None:
    """Why this user may not approve it, in a sentence, or None when they may."""
    said = {act.user for act in one.acts}
    if one.state != OPEN:
        return "It is not open any more."
    mine = accounts_of(hub, ctx.actor.id)
    if one.user in mine:
        return "You proposed it; two others approve it."
    if said & mine:
        return "You have approved it already; somebody else approves it as well."
    if ctx.actor.role not in KEEPERS or ctx.actor.agency not in one.parties:
        return "It is approved by officers of the parties of the agreement as it is."
    if one.of_substance and ctx.actor.agency in {act.agency for act in _counting(hub, one)}:
        return "A change of substance is approved by officers of two different parties."
    if one.before.version == one.after.version:
        refused = list(refusals(one.before, one.after, ctx.actor.role))
        if refused:
            return refused[0]
    return None


def approve(hub: Hub, ctx: RequestContext, id_: str) -> bool:
    """Approves a proposal; the second approval puts it in force. Returns whether it is in force now.

    Raises NotForYou with the reason why not, FormRefused when what it starts from has changed meanwhile.
    Effects: one `approval` event; with the second one `agreement:*` event, then the version.
    """
    one = proposal_of(hub, id_)
    if (why := why_not_approve(hub, ctx, one)) is not None:
        raise NotForYou(why)
    now = written_now(hub, one.before.reference, str(one.before.version))
    if hash_of(now) != hash_of(one.before) or why_not_from(hub, one.before, one.after) is not None:
        raise FormRefused({"decision": "The agreement has changed since this was proposed. Propose it again."})
    _act(hub, ctx, one, APPROVED, "")
    one = proposal_of(hub, id_)  # With what others said at the same moment.
    if one.state == OPEN and _enough(hub, one):
        try:
            enact(hub, ctx, one.before, one.after, cause=id_)
        except ChangedMeanwhile:
            if id_ not in hub.register.recorded().causes:
                raise
    return id_ in hub.register.recorded().causes


def _counting(hub: Hub, one: Proposal) -> list[Act]:
    """The approvals that count now: on record, of parties of the agreement as it is, whose accounts are not shut."""
    given = (act for act in one.acts if act.kind == APPROVED and act.agency in one.parties)
    return [act for act in given if not is_suspended(hub, act.user) and _is_recorded(hub, one, act)]


def _is_recorded(hub: Hub, one: Proposal, act: Act) -> bool:
    """Whether the trail has this very approval: a row that somebody wrote or turned round has no such event."""
    try:
        event = named(hub, hub.trail.entry(act.receipt))
    except (EntryUnknown, EventInvalid):
        return False
    said, by = event.fields, event.fields.get("authoriser", {})
    return (event.kind, said.get("outcome"), said.get("object", {}).get("id"), by.get("subject"), by.get("agency")) == (
        "approval",
        act.kind,
        one.id,
        act.user,
        act.agency,
    )


def _enough(hub: Hub, one: Proposal) -> bool:
    """Whether enough people approved; of a change of substance, enough parties."""
    counting = [act for act in _counting(hub, one) if act.user not in accounts_of(hub, one.user)]
    agencies = {act.agency for act in counting}
    people = how_many(hub, {act.user for act in counting})
    return min(people, len(agencies) if one.of_substance else people) >= NEEDED


def end(hub: Hub, ctx: RequestContext, id_: str, kind: str, reason: str) -> None:
    """Rejects a proposal, or withdraws one's own. Raises NotForYou, FormRefused without a reason."""
    one = proposal_of(hub, id_)
    require_keeper(ctx, one.before, one.after)
    own = ctx.actor.id == one.user
    if one.state != OPEN or own != (kind == WITHDRAWN):
        raise NotForYou("Whoever proposed it withdraws it, the others reject it, as long as it is open.")
    if not says_enough(reason):
        raise FormRefused({"end_reason": f"Say why: {LEAST}."})
    _act(hub, ctx, one, kind, reason.strip())
    if id_ in hub.register.recorded().causes:
        raise ChangedMeanwhile


def suspend(hub: Hub, ctx: RequestContext, reference: str, reason: str) -> None:
    """Stops an agreement at once: every version that could be in force, so that no older one comes back.

    One person may, with a reason (`policies.life_cycle`); starting again takes two others. Raises NotForYou,
    FormRefused without a reason, NotFound when nothing of it is in force. Effects: an event and a row per version.
    """
    active = _in_force(hub, reference)
    if not active:
        raise NotFound("No version of this agreement is in force.", next_steps=("Go back to the list of agreements.",))
    require_keeper(ctx, *active)
    if not says_enough(reason):
        raise FormRefused({"reason": f"Say why it must stop now: {LEAST}."})
    cause = "AS-" + secrets.token_hex(8)
    for number in range(TRIES):
        for one in active:
            after = with_status(one, AgreementStatus.SUSPENDED)
            with contextlib.suppress(ChangedMeanwhile):
                enact(hub, ctx, one, after, cause=f"{cause}-{number}-{one.version}")
        active = _in_force(hub, reference)
        if not active:
            return
    raise ChangedMeanwhile("reason")


def _in_force(hub: Hub, reference: str) -> list[SharingAgreement]:
    """Each version that could be in force."""
    return [one for one in all_written(hub) if one.reference == reference and one.status == AgreementStatus.ACTIVE]


def _act(hub: Hub, ctx: RequestContext, one: Proposal, kind: str, reason: str) -> None:
    actor = ctx.actor
    says: dict[str, Any] = {
        "authoriser": {"subject": actor.id, "role": actor.role, "agency": actor.agency, "issuer": actor.issuer}
    }
    if kind == APPROVED:
        receipt = tell(
            hub, ctx, "approval", one.after, proposal=one.id, action="AGREEMENT-CHANGE", outcome=APPROVED, **says
        )
    else:
        receipt = tell(hub, ctx, "agreement:drafted", one.after, proposal=one.id, action=kind, outcome=kind, **says)
    sealed = hub.keys.seal(HUB, reason.encode(), f"act:{actor.id}:{one.id}")
    row = {"proposal": one.id, "kind": kind, **_by(ctx), "sealed_reason": sealed, "receipt": receipt.eid}
    try:
        with hub.db.writing() as session:
            session.execute(insert(agreement_acts).values(row))
    except IntegrityError:
        raise NotForYou("You have said something to this proposal already.") from None


def _by(ctx: RequestContext) -> dict[str, Any]:
    return {"user": ctx.actor.id, "agency": ctx.actor.agency, "role": ctx.actor.role, "at": ctx.now}
