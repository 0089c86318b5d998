"""What came of an enquiry, and what was decided not to be shared and why: kept with the enquiry, sealed, never changed.

For: the outcome of a screening or a meeting, and decisions not to share, which are recorded like decisions to share
(DfE, "Information sharing: advice for practitioners", May 2024, golden rule 7). Must never put a reason into the trail.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select

from audit import Receipt
from hub.approvals.stored import name_of
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import LEAST, Enquiry, says_enough, user_of
from hub.errors import FormRefused
from hub.keys import HUB
from hub.meeting.tables import meeting_records

OUTCOME, NOT_SHARED = "OUTCOME", "NOT_SHARED"
#: What can come of it, by the continuum of need (Working Together to Safeguard Children 2023, chapter 3).
OUTCOMES: Mapping[str, str] = {
    "NO_FURTHER_ACTION": "No further action",
    "ADVICE_OR_SIGNPOSTING": "Advice, or the family was told where to find help",
    "EARLY_HELP": "Early help",
    "CHILD_IN_NEED": "Section 17 child in need assessment",
    "STRATEGY_DISCUSSION": "Strategy discussion",
    "SECTION_47": "Section 47 enquiries",
    "ALREADY_OPEN": "Goes to the worker who holds the case",
}
#: Why something is not shared with an agency although it could be asked for.
NOT_SHARED_BECAUSE: Mapping[str, str] = {
    "NOT_NECESSARY": "They do not need it for their part",
    "NOT_PROPORTIONATE": "It would harm more than it helps",
    "RISK_TO_ANYONE": "It could put somebody at risk",
    "FAMILY_REFUSED": "The family refused and there is no ground to go against it",
    "NO_BASIS": "There is no lawful basis or no agreement for it",
}


@dataclass(frozen=True, slots=True)
class MeetingRecord:
    """One record. `agency`, with whom nothing is shared, only for a decision not to share."""

    kind: str
    words: str
    agency: str | None
    reason: str
    by: str
    at: datetime
    receipt: str


def record(hub: Hub, ctx: RequestContext, enquiry: Enquiry, typed: Mapping[str, str]) -> Receipt:
    """Records an outcome or a decision not to share.

    Raises FormRefused for what is missing, with the words beside each field. Effects: an event, then the row.
    """
    kind, reason = typed.get("kind", ""), typed.get("reason", "").strip()
    codes = {OUTCOME: OUTCOMES, NOT_SHARED: NOT_SHARED_BECAUSE}.get(kind)
    code = typed.get("outcome" if kind == OUTCOME else "because", "")
    agency = typed.get("agency") if kind == NOT_SHARED else None
    errors = {}
    if codes is None:
        errors["kind"] = "Choose what you record."
    elif code not in codes:
        errors["outcome" if kind == OUTCOME else "because"] = "Choose one of the answers."
    if kind == NOT_SHARED and agency not in hub.partners:
        errors["agency"] = "Choose with whom it is not shared."
    if not says_enough(reason):
        errors["reason"] = f"Say why, in your own words: {LEAST}."
    if errors:
        raise FormRefused(errors)
    id_ = "MR-" + secrets.token_hex(16)
    receipt = hub.trail.append(
        "alter",
        now=ctx.now,
        subjects=[enquiry.subject] if enquiry.subject else [],
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action="outcome-recorded" if kind == OUTCOME else "not-shared",
        outcome=code,
        reason=f"agency={agency}" if agency else None,
        object={"type": "meeting-record", "id": id_},
    )
    with hub.db.writing() as session:
        session.execute(
            insert(meeting_records).values(
                id=id_,
                enquiry=enquiry.id,
                kind=kind,
                code=code,
                agency=agency,
                sealed_reason=hub.keys.seal(HUB, reason.encode(), "meeting:" + id_),
                by=ctx.actor.id,
                at=ctx.now,
                receipt=receipt.eid,
            )
        )
    return receipt


def show(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> tuple[tuple[MeetingRecord, ...], Receipt]:
    """`records_of`, to be shown. Effects: an event that names the enquiry, before anything is returned."""
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action="meeting-records",
        outcome="SHOWN",
    )
    return records_of(hub, enquiry), receipt


def records_of(hub: Hub, enquiry: Enquiry) -> tuple[MeetingRecord, ...]:
    """What was recorded, newest first."""
    c = meeting_records.c
    with hub.db.session() as session:
        found = select(meeting_records).where(c.enquiry == enquiry.id).order_by(c.at.desc(), c.id)
        rows = [dict(row) for row in session.execute(found).mappings()]
    return tuple(
        MeetingRecord(
            kind=row["kind"],
            words={**OUTCOMES, **NOT_SHARED_BECAUSE}[row["code"]],
            agency=hub.partners[row["agency"]].name if row["agency"] in hub.partners else row["agency"],
            reason=hub.keys.open(HUB, row["sealed_reason"], "meeting:" + row["id"]).decode(),
            by=name_of(hub, row["by"]),
            at=row["at"],
            receipt=row["receipt"],
        )
        for row in rows
    )
