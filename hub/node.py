"""This hub as a MAIS node: another hub asks whether something is held about a person, and whom to ring.

For: `POST /fhir/Patient/$person-info-query`. Must never answer by another way than the pages do, never pass a question
on to a third hub, and never say "no match" before everybody has answered.
MAIS: operation-definition (v0.2), Request Object v0.1, decideandlog (July 2026).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from connectors import NoAnswerReason, PartialDate, Partner
from hub import questions
from hub.assembly import Hub
from hub.casefile import london
from hub.context import Actor, RequestContext
from hub.disclosure import Brokered
from hub.enquiries import Enquiry, acts_since, count_act
from hub.errors import TooFast
from hub.members import Member, member_alone, nobody
from hub.node_query import Query
from hub.people import candidates, parse_box, records_of
from hub.people.said import best_birth_date
from hub.signin.clients import Client
from hub.under_agreement import covers
from policies.vocabulary import AnswerState, MatchState, Outcome, RelationToIndex

#: What the operation tells: that a service is involved, and whom to ring.
FIELDS = frozenset({"involved", "service", "contact"})
#: What stands for the worker's own words, which stay at the hub that asks.
RATIONALE = "Another hub asks under the agreement named in its request; the worker's own reason is kept there"
#: Questions that one client may ask in a minute: a large family at each of several desks, and no list of numbers.
QUESTIONS_PER_MINUTE = 60
_UNASKED = frozenset({NoAnswerReason.TOO_THIN, NoAnswerReason.AMBIGUOUS})


@dataclass(frozen=True, slots=True)
class Said:
    """What goes back. `match` None: it cannot be said. `contacts`: whom to ring, where something is held."""

    decision: str
    match: bool | None
    contacts: tuple[Partner, ...]
    receipt: str | None


def answer(hub: Hub, client: Client, query: Query, *, now: datetime, request_id: str) -> Said:
    """Decides, asks the agencies of this hub, and says what may be said; both events are in the trail.

    Raises TooFast from the question that is one too many within a minute.
    """
    ctx = _context(client, query, now=now, request_id=request_id)
    _hold_back_a_flood(hub, client, ctx)
    if query.role not in client.roles or not covers(
        hub, query.policies, client.agency, query.purpose, london(now).date()
    ):
        receipt = hub.trail.append(
            "disclosure:refused",
            now=now,
            client={"id": client.id},
            purpose=query.purpose,
            reason="NO-POLICY",
            recipient=client.agency,
            decision={"bundle": hub.policy_bundle, "rules": ["P04"], "outcome": Outcome.DENY},
            trace=request_id,
        )
        return Said("DENY", None, (), receipt.eid)
    member, in_doubt = _member(hub, query, now)
    enquiry = _as_enquiry(client, query, member)
    asked = [p for p in hub.partners.values() if p.way != "mais" and p.code != client.agency]
    brokered = questions.involvement(hub, ctx, enquiry, member, asked, FIELDS)
    return _said(hub, brokered, in_doubt=in_doubt)


def _context(client: Client, query: Query, *, now: datetime, request_id: str) -> RequestContext:
    actor = Actor(
        id=client.id,
        name=client.id,
        agency=client.agency,
        role=query.role,
        issuer="client",
        authentication="STRONG",
        account="PERSONAL",
        employment="CURRENT",
        role_from=query.opened_at,
        role_until=None,
    )
    return RequestContext(actor, now, request_id, purpose=query.purpose, case_reference=query.episode)


def _hold_back_a_flood(hub: Hub, client: Client, ctx: RequestContext) -> None:
    """Counts the question, refuses a sequence that tries numbers out, and tells information governance once (P08)."""
    since = ctx.now - timedelta(minutes=1)
    with hub.db.writing() as session:
        is_flood = acts_since(session, ctx, "node-query", since) >= QUESTIONS_PER_MINUTE
        told = acts_since(session, ctx, "node-flood", since)
        count_act(session, ctx, "node-flood" if is_flood else "node-query")
    if is_flood and not told:
        hub.trail.append(
            "alarm", now=ctx.now, client={"id": client.id}, trace=ctx.request_id, reason="QUESTIONS-TOO-FAST"
        )
    if is_flood:
        raise TooFast("This client has asked very many questions in a minute. Wait a minute and ask again.")


def _member(hub: Hub, query: Query, now: datetime) -> tuple[Member, bool]:
    """The person in the index, and whether the birth date is in doubt; or somebody whom none here knows.

    Whoever is born on another day by every record is not who is asked about: they are nobody, as for a number that
    nobody has, so that a number tried out tells nothing. In doubt: known in part, or the records do not agree.
    """
    asked_born = query.who.date_of_birth
    assert query.who.nhs_number is not None
    assert asked_born is not None
    with hub.db.session() as session:
        found = candidates(session, hub.keys, parse_box(query.who.nhs_number), now=now).candidates
        records = records_of(session, hub.keys, found[0].person) if len(found) == 1 else ()
    born = [r.person.date_of_birth for r in records if r.person.date_of_birth]
    if not records or (born and not any(_may_be(one, asked_born) for one in born)):
        unknown = nobody()
        return replace(unknown, facts=replace(unknown.facts, date_of_birth=asked_born), query=query.who), False
    best = best_birth_date(records)
    return member_alone(found[0].person, records), best is not None and best.date != asked_born


def _may_be(born: PartialDate, asked: date) -> bool:
    """Whether those parts of a recorded birth date that are accurate are the ones asked about."""
    parts = zip(born.accuracy, ("day", "month", "year"), strict=False)
    return all(how != "A" or getattr(born.date, part) == getattr(asked, part) for how, part in parts)


def _as_enquiry(client: Client, query: Query, member: Member) -> Enquiry:
    """The other hub's enquiry, as far as a decision needs to know it. Nothing of it is stored here."""
    threshold = query.threshold
    number = hashlib.sha256(f"{client.id}\x1f{query.episode}".encode()).hexdigest()[:16]
    return Enquiry(
        id=f"MN-{number}",
        reference=query.episode,
        purpose=query.purpose,
        rationale=RATIONALE,
        opened_by=client.id,
        agency=client.agency,
        opened_at=query.opened_at,
        closed_at=None,
        threshold=threshold[0] if threshold else None,
        threshold_by_role=threshold[1] if threshold else None,
        threshold_at=threshold[2] if threshold else None,
        consent_giver=None,
        subject=member.facts.id,
        persons={member.facts.id: str(RelationToIndex.INDEX)},
    )


def _said(hub: Hub, brokered: Brokered, *, in_doubt: bool) -> Said:
    decided, receipt = brokered.decided, brokered.receipt.eid
    open_refusals = [r for r in decided.refusals if r.outcome != Outcome.DENY_SILENT]
    refers = [r for r in open_refusals if r.outcome == Outcome.REFER]
    if not decided.permits and open_refusals:
        return Said("REVIEW" if refers else "DENY", None, (), receipt)
    unsure = any(a.match == MatchState.UNCONFIRMED for a in brokered.answers.values())
    held_back = any(w.outcome == Outcome.REFER for w in brokered.redacted.cut)
    found = {kept.agency for kept in brokered.redacted.kept if kept.values.keys() != {"held"}}
    if in_doubt or (not found and (unsure or held_back)):
        return Said("REVIEW", None, (), receipt)
    if found:
        return Said("PERMIT", True, tuple(hub.partners[code] for code in hub.partners if code in found), receipt)
    silent = [a for a in brokered.answers.values() if a.state == AnswerState.NO_ANSWER and a.reason not in _UNASKED]
    return Said("PERMIT", None if silent else False, (), receipt)


def as_parameters(said: Said) -> dict[str, Any]:
    """The answer as FHIR Parameters; what is not known is not said."""
    parameters: list[Mapping[str, Any]] = [{"name": "decision", "valueCode": said.decision}]
    if said.match is not None:
        parameters.append({"name": "match", "valueBoolean": said.match})
    elif said.decision == "PERMIT":
        issue = {"severity": "warning", "code": "incomplete", "diagnostics": "Not everybody here has answered."}
        parameters.append({"name": "outcome", "resource": {"resourceType": "OperationOutcome", "issue": [issue]}})
    for partner in said.contacts:
        telecom = [{"system": "phone", "value": partner.contact.in_hours, "use": "work"}]
        organisation = {"resourceType": "Organization", "name": partner.name, "telecom": telecom}
        parameters.append({"name": "contact", "resource": organisation})
    if said.receipt:
        parameters.append({"name": "receipt", "valueString": said.receipt})
    return {"resourceType": "Parameters", "parameter": parameters}
