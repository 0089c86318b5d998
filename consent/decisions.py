"""What was decided about asking for consent in an enquiry, by whom, and why it was not asked.

For: rule P11 - below the harm threshold a qualified worker decides about consent before any partner is
asked (R (AB & CD) v Haringey [2013] EWHC 416 (Admin)). Rows are added, never changed; the latest counts.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from consent.tables import consent_decisions
from policies.vocabulary import ConsentState, ReasonCode, Role


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """Sought with its answer, or not sought with its reason; and whether the person is informed."""

    state: ConsentState
    reason_code: ReasonCode | None
    decided_by_role: Role
    decided_at: datetime
    review_due: date | None = None
    inform: str = "INFORM"
    inform_reason: ReasonCode | None = None
    inform_owner: str | None = None


def new_decision_id() -> str:
    """An id for a decision, so that it can be told to the trail before it is stored."""
    return "CD-" + secrets.token_hex(8)


def decide_about_consent(
    session: Session, enquiry: str, decision: ConsentDecision, *, by: str, decision_id: str | None = None
) -> str:
    """Stores the decision for the enquiry and returns its id."""
    decision_id = decision_id or new_decision_id()
    session.execute(
        insert(consent_decisions).values(
            id=decision_id,
            enquiry=enquiry,
            state=decision.state,
            reason_code=decision.reason_code,
            decided_by=by,
            decided_by_role=decision.decided_by_role,
            decided_at=decision.decided_at,
            review_due=decision.review_due,
            inform=decision.inform,
            inform_reason=decision.inform_reason,
            inform_owner=decision.inform_owner,
        )
    )
    return decision_id


def decision_for(session: Session, enquiry: str, *, now: datetime) -> ConsentDecision | None:
    """The latest decision about consent of this enquiry that is not later than now, or None."""
    row = (
        session.execute(
            select(consent_decisions)
            .where(consent_decisions.c.enquiry == enquiry, consent_decisions.c.decided_at <= now)
            .order_by(consent_decisions.c.decided_at.desc(), consent_decisions.c.id.desc())
            .limit(1)
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    return ConsentDecision(
        state=ConsentState(row["state"]),
        reason_code=ReasonCode(row["reason_code"]) if row["reason_code"] else None,
        decided_by_role=Role(row["decided_by_role"]),
        decided_at=row["decided_at"],
        review_due=row["review_due"],
        inform=row["inform"],
        inform_reason=ReasonCode(row["inform_reason"]) if row["inform_reason"] else None,
        inform_owner=row["inform_owner"],
    )
