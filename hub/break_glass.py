"""Break-glass: a worker declares an emergency, sees what protects somebody now, and answers for it (rule P40).

For: declarations and what each brings with it - who is told, and the review by somebody else within a working day.
Must never be in force without its event and its review, never be used again while a review of the same user is
overdue, and never decide what is shown: that is `policies.decide`.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import insert, select

from hub.assembly import Hub
from hub.casefile import LONDON, london
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.enquiries import LEAST, Enquiry, says_enough, user_of
from hub.errors import FormRefused, NotForYou
from hub.keys import HUB
from hub.one_person import accounts_of
from hub.oversight import require_audit_access
from hub.permits import Decided
from hub.redaction import Redacted
from hub.revealing import Revealed
from hub.tables import break_glass, duties, enquiry_persons, staff
from hub.working_days import working_day_after
from policies import BreakGlass
from policies.vocabulary import AccessMode, DataCategory, Obligation, Role

#: Who may: those who act when somebody is at risk now. Others ring them, or 999.
DECLARING = frozenset(
    {
        Role.MASH_SCREENING_OFFICER,
        Role.MASH_SOCIAL_WORKER,
        Role.MASH_DECISION_MAKER,
        Role.POLICE_MASH_SUPERVISOR,
        Role.SAFEGUARDING_NURSE,
        Role.SOCIAL_WORKER,
        Role.ADULT_SOCIAL_WORKER,
        Role.EDT_WORKER,
    }
)
#: How long a declaration holds (rule P40).
LASTS = timedelta(hours=4)
#: Kinds of duties: the owner is told, the data protection officer is told, somebody else reviews.
TOLD_OWNER, TOLD_DPO, REVIEW = "EMERGENCY_ACCESS", "EMERGENCY_DECLARED", str(Obligation.RETRO_REVIEW)


@dataclass(frozen=True, slots=True)
class Emergency:
    """A declaration in force: `ends_at` is when views close, `review_due` when somebody else has looked into it."""

    id: str
    reason: str
    declared_at: datetime
    ends_at: datetime
    review_due: datetime
    receipt: str

    def for_decision(self) -> BreakGlass:
        """What the rules read."""
        return BreakGlass(declared_at=london(self.declared_at), reason=self.reason, imminent_risk=True)


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration as its reviewer reads it."""

    reason: str
    user_name: str
    declared_at: datetime
    ends_at: datetime


def review_due(now: datetime) -> datetime:
    """The end of the next working day in England, as London's clocks show it."""
    return datetime.combine(working_day_after(london(now).date()), time(23, 59), LONDON)


def require_may_declare(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> None:
    """Raises NotForYou for a role that may not, a closed or empty enquiry, or while a review of theirs is overdue."""
    if ctx.actor.role not in DECLARING:
        raise NotForYou("Your role does not open information in an emergency.", next_steps=("Ring 999 or the MASH.",))
    if enquiry.closed_at is not None or enquiry.subject is None:
        raise NotForYou("Open an enquiry and choose the person first.", next_steps=("Ring the agencies meanwhile.",))
    d = duties.c
    with hub.db.session() as session:
        overdue = session.scalar(
            select(d.id)
            .where(
                d.kind == REVIEW,
                d.barred.in_(accounts_of(hub, ctx.actor.id)),
                d.done_at.is_(None),
                d.due_at <= ctx.now,
            )
            .limit(1)
        )
    if overdue is not None:
        raise NotForYou(
            "The review of an earlier emergency that you declared is overdue, so you cannot declare another.",
            next_steps=("Ring the agencies yourself now.", "Ask information governance to finish the review."),
        )


def declare(hub: Hub, ctx: RequestContext, enquiry: Enquiry, typed: Mapping[str, str]) -> None:
    """Puts a declaration in force for this user and enquiry.

    Raises FormRefused without an adequate reason and the statement that somebody is at risk now, NotForYou as
    `require_may_declare`. Effects: the event, then the tasks, then the row: whatever fails, no emergency is in force
    without its review. While one is in force nothing changes: it cannot be made longer.
    """
    require_may_declare(hub, ctx, enquiry)
    reason, errors = typed.get("reason", "").strip(), {}
    if not says_enough(reason):
        errors["reason"] = f"Say who is at risk and of what: {LEAST}."
    if typed.get("imminent") != "yes":
        errors["imminent"] = "Confirm that somebody is at risk of serious harm now. If not, the ordinary way applies."
    if errors:
        raise FormRefused(errors)
    if in_force(hub, ctx, enquiry) is not None:
        return
    receipt = hub.trail.append(
        "break-glass",
        now=ctx.now,
        subjects=sorted(enquiry.persons),
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        reason="IMMINENT-RISK",
        outcome="DECLARED",
        recipient=ctx.actor.agency,
    )
    id_, due = "BG-" + secrets.token_hex(8), review_due(ctx.now)
    write(hub, _owed(ctx, enquiry, id_, receipt.eid, due), now=ctx.now)
    with hub.db.writing() as session:
        session.execute(
            insert(break_glass).values(
                id=id_,
                enquiry=enquiry.id,
                user=ctx.actor.id,
                agency=ctx.actor.agency,
                sealed_reason=hub.keys.seal(HUB, reason.encode(), "break-glass:" + id_),
                declared_at=ctx.now,
                ends_at=ctx.now + LASTS,
                review_due=due,
                receipt=receipt.eid,
            )
        )


def _owed(ctx: RequestContext, enquiry: Enquiry, id_: str, receipt: str, due: datetime) -> tuple[Duty, Duty]:
    """The review and the notice to the data protection officer."""
    review, notice = (
        Duty(
            kind=kind,
            # Its own information governance reviews it; any agency's data protection officer hears of it.
            agency=ctx.actor.agency if kind == REVIEW else None,
            person=enquiry.subject,
            enquiry=enquiry.id,
            receipt=receipt,
            due_at=due if kind == REVIEW else None,
            barred=ctx.actor.id,
            refers=id_,
            once=(kind, id_),
        )
        for kind in (REVIEW, TOLD_DPO)
    )
    return review, notice


#: A review that finds a declaration not justified ends it at once.
_found_wanting = select(duties.c.refers).where(
    duties.c.kind == REVIEW, duties.c.outcome == "NOT_JUSTIFIED", duties.c.refers.is_not(None)
)


def in_force(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> Emergency | None:
    """The declaration of this user for this enquiry that holds now: nobody else's, and not after its four hours."""
    b = break_glass.c
    with hub.db.session() as session:
        row = (
            session.execute(
                select(break_glass)
                .where(b.user == ctx.actor.id, b.enquiry == enquiry.id, b.declared_at <= ctx.now, b.ends_at > ctx.now)
                .where(b.id.not_in(_found_wanting))
                .order_by(b.declared_at)
                .limit(1)
            )
            .mappings()
            .first()
        )
    if row is None or ctx.actor.role not in DECLARING:
        return None
    return Emergency(
        id=row["id"],
        reason=hub.keys.open(HUB, row["sealed_reason"], "break-glass:" + row["id"]).decode(),
        declared_at=row["declared_at"],
        ends_at=row["ends_at"],
        review_due=row["review_due"],
        receipt=row["receipt"],
    )


def extend(hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str) -> None:
    """Somebody was added while an emergency is in force: the declaration is about them too, and says so.

    Effects: one event, when one is in force.
    """
    emergency = in_force(hub, ctx, enquiry)
    if emergency is not None:
        hub.trail.append(
            "break-glass",
            now=ctx.now,
            subjects=[person],
            user=user_of(ctx),
            purpose=enquiry.purpose,
            enquiry=enquiry.id,
            trace=ctx.request_id,
            reason="IMMINENT-RISK",
            outcome="EXTENDED",
            recipient=ctx.actor.agency,
            refers=[emergency.receipt],
        )


def is_over(hub: Hub, declaration: str, *, now: datetime) -> bool:
    """Whether a declaration has ended, so that all that was opened by it can be reviewed."""
    with hub.db.session() as session:
        ends = session.scalar(select(break_glass.c.ends_at).where(break_glass.c.id == declaration))
    return ends is None or ends <= now


def tell_owners(
    hub: Hub,
    ctx: RequestContext,
    emergency: Emergency,
    enquiry: Enquiry,
    decided: Decided,
    redacted: Redacted,
    revealed: Revealed,
    *,
    receipt: str,
) -> None:
    """A task for each agency whose information the emergency opened, once per declaration and person.

    And one, once per declaration, for each such agency's own data protection officer.
    """
    used = {(k.agency, k.person) for k in redacted.kept if Obligation.RETRO_REVIEW in k.obligations}
    named = {
        (p.agency, p.person)
        for p in decided.permits
        if p.category == DataCategory.DEMOGRAPHIC and Obligation.RETRO_REVIEW in p.decision.obligations
    }
    used |= named & {(agency, person) for agency, person, _ in revealed.rows()}
    write(
        hub,
        (
            Duty(
                kind=TOLD_OWNER,
                agency=agency,
                person=person,
                enquiry=enquiry.id,
                receipt=receipt,
                refers=emergency.id,
                once=(TOLD_OWNER, emergency.id, agency, person),
            )
            for agency, person in sorted(used)
        ),
        now=ctx.now,
    )
    write(
        hub,
        (
            Duty(
                kind=TOLD_DPO,
                agency=agency,
                person=enquiry.subject,
                enquiry=enquiry.id,
                receipt=receipt,
                barred=ctx.actor.id,
                refers=emergency.id,
                once=(TOLD_DPO, emergency.id, agency),
            )
            for agency in sorted({agency for agency, _ in used})
        ),
        now=ctx.now,
    )


def owners_told(hub: Hub, emergency: Emergency) -> tuple[str, ...]:
    """Names of the agencies that were told, because something of theirs was shown."""
    d = duties.c
    with hub.db.session() as session:
        codes = set(session.scalars(select(d.agency).where(d.kind == TOLD_OWNER, d.refers == emergency.id)))
    return tuple(sorted(hub.partners[code].name for code in codes if code in hub.partners))


def for_review(hub: Hub, ctx: RequestContext, declarations: frozenset[str]) -> dict[str, Declared]:
    """What was declared, for those who review it, by the same rules as the register of disclosures.

    Effects: one `audit:read` event when there is any, about the persons of the enquiries.
    """
    if not declarations:
        return {}
    try:
        require_audit_access(hub, ctx, mode=AccessMode.VIEW, rationale="Review of an emergency that a worker declared")
    except NotForYou:
        return {}  # The task is theirs; the reason is only for who may read the register.
    b, p = break_glass.c, enquiry_persons.c
    with hub.db.session() as session:
        rows = [dict(row) for row in session.execute(select(break_glass).where(b.id.in_(declarations))).mappings()]
        users = {row["user"] for row in rows}
        names = {
            row.user: hub.keys.open(HUB, row.sealed_name, "staff:" + row.user).decode()
            for row in session.execute(select(staff.c.user, staff.c.sealed_name).where(staff.c.user.in_(users)))
        }
        about = sorted(set(session.scalars(select(p.person).where(p.enquiry.in_([row["enquiry"] for row in rows])))))
    if rows:
        hub.trail.append(
            "audit:read",
            now=ctx.now,
            subjects=about,
            user=user_of(ctx),
            purpose="IG_AUDIT",
            trace=ctx.request_id,
            action="emergency-reason",
            outcome="SHOWN",
            refers=sorted(row["receipt"] for row in rows),
        )
    return {
        row["id"]: Declared(
            reason=hub.keys.open(HUB, row["sealed_reason"], "break-glass:" + row["id"]).decode(),
            user_name=names.get(row["user"], row["user"]),
            declared_at=row["declared_at"],
            ends_at=row["ends_at"],
        )
        for row in rows
    }
