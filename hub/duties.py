"""What must be done along with a disclosure: tell the owner, tell the person, alert somebody.

For: carrying out a decision's obligations before anything is shown. A duty is written once per day, person,
agency and enquiry, so that looking twice at a picture does not tell an owner twice.
"""

import hashlib
from collections.abc import Iterator

from sqlalchemy import insert, select

from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.permits import Decided
from hub.redaction import Redacted
from hub.tables import duties
from policies.vocabulary import Obligation

#: Obligations that somebody must act on later; the others are met by the trail, the page or the absence of export.
TASKS = frozenset({Obligation.NOTIFY_OWNER, Obligation.INFORM_SUBJECT, Obligation.DO_NOT_INFORM})


def record(
    hub: Hub, ctx: RequestContext, decided: Decided, redacted: Redacted, *, enquiry: str | None, receipt: str
) -> None:
    """Writes the duties that what is shown, or was refused, brings with it.

    Effects: new rows in `duties`; one `alarm` event when a decision demands that IG is alerted.
    """
    day = ctx.now.date().isoformat()
    wanted = {}
    for kind, agency, person in _owed(decided, redacted):
        key = "\x1f".join((kind, agency or "", person, enquiry or "", day))
        wanted["DU-" + hashlib.sha256(key.encode()).hexdigest()[:32]] = (kind, agency, person)
    if wanted:
        with hub.db.session() as session:
            known = set(session.scalars(select(duties.c.id).where(duties.c.id.in_(wanted))))
        fresh = [
            {
                "id": id_,
                "kind": kind,
                "agency": agency,
                "person": person,
                "enquiry": enquiry,
                "receipt": receipt,
                "made_at": ctx.now,
            }
            for id_, (kind, agency, person) in wanted.items()
            if id_ not in known
        ]
        if fresh:
            with hub.db.writing() as session:
                session.execute(insert(duties), fresh)
    alert(hub, ctx, decided, enquiry=enquiry)


def alert(hub: Hub, ctx: RequestContext, decided: Decided, *, enquiry: str | None) -> None:
    """Raises one alarm event when any decision, granted or refused, demands that IG is alerted (rule P50)."""
    decisions = [(p.person, p.decision.rules, p.decision.obligations) for p in decided.permits]
    decisions += [(r.person, r.rules, r.obligations) for r in decided.refusals]
    alarming = [(person, rules) for person, rules, obligations in decisions if Obligation.IG_ALERT in obligations]
    if alarming:
        hub.trail.append(
            "alarm",
            now=ctx.now,
            subjects=sorted({person for person, _ in alarming}),
            user=user_of(ctx),
            reason="+".join(sorted({rule for _, rules in alarming for rule in rules})),
            enquiry=enquiry,
            purpose=ctx.purpose,
            trace=ctx.request_id,
        )


def _owed(decided: Decided, redacted: Redacted) -> Iterator[tuple[str, str | None, str]]:
    for kept in redacted.kept:
        for obligation in kept.obligations & TASKS:
            yield obligation, (kept.agency if obligation == Obligation.NOTIFY_OWNER else None), kept.person
    for refusal in decided.refusals:
        for obligation in set(refusal.obligations) & {Obligation.NOTIFY_RECIPIENTS}:
            yield obligation, refusal.agency, refusal.person
