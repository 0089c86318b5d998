"""What must be done along with a disclosure: tell the owner, tell the person, find a colleague, alert somebody.

For: carrying out a decision's obligations before anything is shown. A duty is written once per day, person,
agency and enquiry, so that looking twice at a picture does not tell an owner twice.
"""

from collections.abc import Iterator
from datetime import timedelta

from hub.assembly import Hub
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.enquiries import user_of
from hub.permits import Decided
from hub.redaction import Redacted
from hub.suspension import HIGHEST, suspend
from policies.vocabulary import Obligation, Outcome

#: Obligations that somebody must act on later; the others are met by the trail, the page or the absence of export.
TASKS = frozenset({Obligation.NOTIFY_OWNER, Obligation.INFORM_SUBJECT, Obligation.DO_NOT_INFORM})
#: A colleague without a tie takes over.
REASSIGN = "REASSIGN"
#: People are told within a month at the latest (UK GDPR Article 14(3)(a)).
INFORM_WITHIN = timedelta(days=28)
#: A decision not to tell somebody is looked at again after this time (golden rule 2 of the DfE advice, 2024).
REVIEW_SILENCE = timedelta(days=7)


def record(
    hub: Hub,
    ctx: RequestContext,
    decided: Decided,
    redacted: Redacted,
    *,
    enquiry: str | None,
    receipt: str,
    silence_by: str | None = None,
) -> None:
    """Writes the duties that what is shown, or was refused, brings with it.

    Takes `silence_by`: who decided not to tell the person, and looks at it again (rule P21).
    Effects: new rows in `duties`; one `alarm` event when a decision demands that IG is alerted.
    """
    day = ctx.now.date().isoformat()
    own = ctx.actor.agency
    owed = [
        Duty(
            kind=kind,
            # What is told to a person is told by those who asked; what an owner is told, by the hub to the owner.
            agency=agency or own,
            person=person,
            enquiry=enquiry,
            receipt=receipt,
            due_at=ctx.now + INFORM_WITHIN if kind == Obligation.INFORM_SUBJECT else None,
            review_on=(ctx.now + REVIEW_SILENCE).date() if kind == Obligation.DO_NOT_INFORM else None,
            user=silence_by if kind == Obligation.DO_NOT_INFORM else None,
            once=(kind, agency or "", person, enquiry or "", day),
        )
        for kind, agency, person in _owed(decided, redacted)
    ]
    owed += [
        Duty(
            kind=REASSIGN,
            agency=own,
            person=person,
            enquiry=enquiry,
            receipt=receipt,
            barred=ctx.actor.id,
            once=(REASSIGN, person, enquiry or "", ctx.actor.id),
        )
        for person in sorted(_conflicted(decided))
    ]
    write(hub, owed, now=ctx.now)
    alert(hub, ctx, decided, enquiry=enquiry)


def alert(hub: Hub, ctx: RequestContext, decided: Decided, *, enquiry: str | None) -> None:
    """Raises one alarm event when any decision, granted or refused, demands that IG is alerted (rule P50)."""
    decisions = [(p.person, p.decision.rules, p.decision.obligations) for p in decided.permits]
    decisions += [(r.person, r.rules, r.obligations) for r in decided.refusals]
    alarming = [(person, rules) for person, rules, obligations in decisions if Obligation.IG_ALERT in obligations]
    if alarming:
        found = {rule for _, rules in alarming for rule in rules}
        receipt = hub.trail.append(
            "alarm",
            now=ctx.now,
            subjects=sorted({person for person, _ in alarming}),
            user=user_of(ctx),
            reason="+".join(sorted(found)),
            enquiry=enquiry,
            purpose=ctx.purpose,
            trace=ctx.request_id,
        )
        if found & HIGHEST:
            suspend(hub, ctx, alarm=receipt.eid)


def _conflicted(decided: Decided) -> set[str]:
    """Persons whom this user has a duty to and a tie with: somebody else goes on (rule P34)."""
    return {
        r.person
        for r in decided.refusals
        if r.outcome == Outcome.REFER and "P34" in r.rules and Obligation.IG_ALERT in r.obligations
    }


def _owed(decided: Decided, redacted: Redacted) -> Iterator[tuple[str, str | None, str]]:
    for kept in redacted.kept:
        # What an emergency opened has a notice of its own to the owner (hub/break_glass.py).
        told = {Obligation.NOTIFY_OWNER} if Obligation.RETRO_REVIEW in kept.obligations else set()
        for obligation in (kept.obligations & TASKS) - told:
            yield obligation, (kept.agency if obligation == Obligation.NOTIFY_OWNER else None), kept.person
    for refusal in decided.refusals:
        for obligation in set(refusal.obligations) & {Obligation.NOTIFY_RECIPIENTS}:
            yield obligation, refusal.agency, refusal.person
