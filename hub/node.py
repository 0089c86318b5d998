"""This hub as a MAIS node: another hub asks whether something is held about a person, and whom to ring.

For: `POST /fhir/Patient/$person-info-query`. Must never answer by another way than the pages do, never pass a question
on to a third hub, and never say "no match" before everybody has answered.
MAIS: operation-definition (v0.2), Request Object v0.1, decideandlog (July 2026).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from connectors import NHS_NUMBER, NoAnswerReason, Partner, PersonQuery
from hub import disclosure
from hub.assembly import Hub
from hub.casefile import london
from hub.context import Actor, RequestContext
from hub.disclosure import Brokered
from hub.enquiries import Enquiry
from hub.errors import FormRefused
from hub.members import Member, member_alone, nobody
from hub.people import candidates, parse_box, records_of
from hub.people.index import best_birth_date
from hub.signin.clients import Client
from policies import in_force
from policies.vocabulary import AnswerState, MatchState, Outcome, Purpose, RelationToIndex, Role, Threshold

#: What the operation tells: that a service is involved, and whom to ring.
FIELDS = frozenset({"involved", "service", "contact"})
#: What stands for the worker's own words, which stay at the hub that asks.
RATIONALE = "Another hub asks under the agreement named in its request; the worker's own reason is kept there"
_UNASKED = frozenset({NoAnswerReason.TOO_THIN, NoAnswerReason.AMBIGUOUS})


@dataclass(frozen=True, slots=True)
class Query:
    """A request that was understood. `threshold` is (kind, recorded by which role, when)."""

    id: str
    who: PersonQuery
    purpose: Purpose
    policies: frozenset[str]
    role: Role
    episode: str
    opened_at: datetime
    threshold: tuple[Threshold, Role, datetime] | None


@dataclass(frozen=True, slots=True)
class Said:
    """What goes back. `match` None: it cannot be said. `contacts`: whom to ring, where something is held."""

    decision: str
    match: bool | None
    contacts: tuple[Partner, ...]
    receipt: str | None


def read_query(plain: object, *, now: datetime) -> Query:
    """A request from FHIR Parameters. Raises FormRefused with the part that is not understood."""
    parameters = plain.get("parameter") if isinstance(plain, dict) else None
    if not isinstance(plain, dict) or plain.get("resourceType") != "Parameters" or not isinstance(parameters, list):
        raise FormRefused({"resourceType": "Parameters are needed."})
    by_name = {p["name"]: p for p in parameters if isinstance(p, dict) and isinstance(p.get("name"), str)}
    if len(by_name) != len(parameters) or set(by_name) != {"resource", "request"}:
        raise FormRefused({"parameter": "resource and request are needed, once each, and nothing else."})
    who = _who(by_name["resource"].get("resource"))
    try:
        request = json.loads(by_name["request"]["valueString"])
        claims = request["KithClaims"]
        recorded = None
        if "Threshold" in claims:
            recorded = (
                Threshold(claims["Threshold"]),
                Role(claims["ThresholdByRole"]),
                _moment(claims["ThresholdAt"]),
            )
        policies = frozenset(str(p["Identifier"]["value"]) for p in request["SharingPolicy"])
        found = Query(
            id=str(request["Identifier"]["value"])[:64],
            who=who,
            purpose=Purpose(request["AssertedPurpose"]),
            policies=policies,
            role=Role(claims["Role"]),
            episode=str(claims["Episode"])[:64],
            opened_at=_moment(claims["OpenedAt"]),
            threshold=recorded,
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise FormRefused({"request": "The Request object is not understood."}) from None
    if not found.policies or found.opened_at > now:
        raise FormRefused({"request": "The Request object names no policy, or a moment to come."})
    return found


def _who(patient: object) -> PersonQuery:
    """Who is meant: by NHS number and date of birth, both."""
    try:
        assert isinstance(patient, dict)
        number = next(i["value"] for i in patient["identifier"] if i["system"] == NHS_NUMBER)
        names = [n for n in patient.get("name", []) if isinstance(n, dict)]
        born = date.fromisoformat(patient["birthDate"])
        query = parse_box(number)
        if query.nhs_number is None or query.words or query.problems:
            raise ValueError
        return PersonQuery(
            given=tuple(str(g) for n in names for g in n.get("given", []))[:10],
            family=tuple(str(n["family"]) for n in names if "family" in n)[:10],
            date_of_birth=born,
            nhs_number=query.nhs_number,
        )
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError, StopIteration):
        raise FormRefused({"resource": "A Patient with NHS number and date of birth is needed."}) from None


def answer(hub: Hub, client: Client, query: Query, *, now: datetime, request_id: str) -> Said:
    """Decides, asks the agencies of this hub, and says what may be said; both events are in the trail."""
    ctx = _context(client, query, now=now, request_id=request_id)
    if query.role not in client.roles or not _under_policy(hub, client, query, now):
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
    member, differs = _member(hub, query, now)
    enquiry = _as_enquiry(client, query, member)
    asked = [p for p in hub.partners.values() if p.way != "mais" and p.code != client.agency]
    brokered = disclosure.involvement(hub, ctx, enquiry, member, asked, FIELDS)
    return _said(hub, brokered, differs=differs)


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


def _under_policy(hub: Hub, client: Client, query: Query, now: datetime) -> bool:
    """An agreement in force here, of the reference and version that the request names, covers client and purpose."""
    for one in in_force(hub.agreements, london(now).date()):
        decided = one.for_decision()
        named = f"{one.reference}/{one.version}" in query.policies
        if named and client.agency in decided.recipients:
            return any(query.purpose in clause.purposes for clause in decided.clauses)
    return False


def _member(hub: Hub, query: Query, now: datetime) -> tuple[Member, bool]:
    """The person in the index, or somebody whom only live partners may know; and whether a birth date differs."""
    assert query.who.nhs_number is not None
    with hub.db.session() as session:
        found = candidates(session, hub.keys, parse_box(query.who.nhs_number), now=now).candidates
        if len(found) != 1:
            unknown = nobody()
            facts = replace(unknown.facts, date_of_birth=query.who.date_of_birth)
            return replace(unknown, facts=facts, query=query.who), False
        records = records_of(session, hub.keys, found[0].person)
    born = best_birth_date(records)
    return member_alone(found[0].person, records), born is not None and born.date != query.who.date_of_birth


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


def _said(hub: Hub, brokered: Brokered, *, differs: bool) -> Said:
    decided, receipt = brokered.decided, brokered.receipt.eid
    open_refusals = [r for r in decided.refusals if r.outcome != Outcome.DENY_SILENT]
    refers = [r for r in open_refusals if r.outcome == Outcome.REFER]
    if not decided.permits and open_refusals:
        return Said("REVIEW" if refers else "DENY", None, (), receipt)
    unsure = any(a.match == MatchState.UNCONFIRMED for a in brokered.answers.values())
    held_back = any(w.outcome == Outcome.REFER for w in brokered.redacted.cut)
    found = {kept.agency for kept in brokered.redacted.kept if kept.values.keys() != {"held"}}
    if differs or (not found and (unsure or held_back)):
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


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return moment
