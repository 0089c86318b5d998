"""What is recorded on a case while it runs: how urgent it is, that harm is likely, and circumstances of its people.

For: facts that decisions turn on and that no partner's system holds (rules P09(c), P12, P13, P19 and P38). Must never
count for another enquiry, for another person than the one it was recorded about, or after the enquiry has ended; every
fact has a reason and where it comes from, and is in the trail before it is stored.
"""

import secrets
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update

from connectors import SourceRecord
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import LEAST, PROTECTIVE, QUALIFIED, Enquiry, choose, identity_of, says_enough, user_of
from hub.errors import FormRefused, NotForYou
from hub.keys import HUB
from hub.members import Family, members_of
from hub.tables import case_facts, enquiries
from policies.vocabulary import BragRating, Circumstance, Role, Threshold


class FactKind(StrEnum):
    """What is recorded; TAKEN_BACK names the circumstance that counts no more."""

    CIRCUMSTANCE = "CIRCUMSTANCE"
    RATING = "RATING"
    THRESHOLD = "THRESHOLD"
    TAKEN_BACK = "TAKEN_BACK"


class FactSource(StrEnum):
    """Where the recording worker knows it from."""

    OWN_ASSESSMENT = "OWN_ASSESSMENT"
    THE_PERSON = "THE_PERSON"
    FAMILY_OR_FRIEND = "FAMILY_OR_FRIEND"
    PARTNER_AGENCY = "PARTNER_AGENCY"
    COURT_OR_PANEL = "COURT_OR_PANEL"


#: A supervisor of the police says that a crime or a harm is serious; everything else is a qualified worker's judgement.
RECORDING: Mapping[Circumstance, frozenset[Role]] = {
    one: QUALIFIED | {Role.POLICE_MASH_SUPERVISOR}
    if one in (Circumstance.SERIOUS_CRIME, Circumstance.SERIOUS_HARM)
    else QUALIFIED
    for one in Circumstance
}
#: Everybody who may record something.
RECORDERS = QUALIFIED | {Role.POLICE_MASH_SUPERVISOR}
NOT_THEIRS = "A social worker, the MASH decision maker or the police MASH supervisor records this."


@dataclass(frozen=True, slots=True)
class Fact:
    """One recorded fact. `person` is None for what is about the whole enquiry; `counts` until it is taken back."""

    id: str
    kind: FactKind
    code: str
    person: str | None
    source: FactSource
    reason: str
    by: str
    by_role: Role
    at: datetime
    counts: bool


def on_record(hub: Hub, enquiry: str) -> tuple[Fact, ...]:
    """Everything recorded in the enquiry of this id, the newest first."""
    rows = _rows(hub, enquiry)
    back = {row["refers"] for row in rows}
    return tuple(
        Fact(
            id=row["id"],
            kind=FactKind(row["kind"]),
            code=row["code"],
            person=row["person"],
            source=FactSource(row["source"]),
            reason=hub.keys.open(HUB, row["sealed_reason"], "case-fact:" + row["id"]).decode(),
            by=row["by"],
            by_role=Role(row["by_role"]),
            at=row["at"],
            counts=row["id"] not in back,
        )
        for row in reversed(rows)
        if row["kind"] != FactKind.TAKEN_BACK
    )


def circumstances_of(
    hub: Hub, enquiry: Enquiry, records: Mapping[str, Iterable[SourceRecord]]
) -> dict[str, frozenset[Circumstance]]:
    """The circumstances that count now, by person.

    Takes `records`: the person's records as they stand. What was recorded about somebody whose records were put
    together anew since counts for nobody, and nothing counts once the enquiry has ended.
    """
    if enquiry.closed_at is not None:
        return {}
    rows = _rows(hub, enquiry.id)
    back = {row["refers"] for row in rows}
    found: dict[str, frozenset[Circumstance]] = {}
    for row in rows:
        person = row["person"]
        if row["kind"] != FactKind.CIRCUMSTANCE or row["id"] in back or person not in records:
            continue
        if row["identity"] == identity_of(hub, records[person]):
            found[person] = found.get(person, frozenset()) | {Circumstance(row["code"])}
    return found


def circumstances_in(hub: Hub, enquiry: Enquiry, family: Family) -> dict[str, frozenset[Circumstance]]:
    """The circumstances that count now for the members of this family."""
    return circumstances_of(hub, enquiry, {m.facts.id: m.records for m in family.members})


def record_circumstance(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, family: Mapping[str, str], typed: Mapping[str, str]
) -> None:
    """Records one circumstance of one person. Takes `family`: the persons shown to this worker in this enquiry.

    Raises FormRefused with a sentence per field. Effects: an event, then the row.
    """
    errors: dict[str, str] = {}
    person = typed.get("subject", "")
    if person not in family:
        errors["subject"] = "Choose one of the people shown."
    code = choose(Circumstance, typed, "circumstance", errors, "Choose what is known.")
    if code is not None and ctx.actor.role not in RECORDING[code]:
        errors["circumstance"] = NOT_THEIRS
    source, reason = _grounds(typed, errors)
    if errors:
        raise FormRefused(errors)
    with hub.db.session() as session:
        members = members_of(session, hub, enquiry, now=ctx.now).members
    records = next((m.records for m in members if m.facts.id == person), None)
    if records is None:
        raise FormRefused({"subject": "Choose one of the people shown."})
    _store(hub, ctx, enquiry, FactKind.CIRCUMSTANCE, code, source, reason, person=person, records=records)


def take_back(hub: Hub, ctx: RequestContext, enquiry: Enquiry, family: Container[str], fact_id: str) -> None:
    """Says that a circumstance does not hold any more; it stays in the history.

    Takes `family`: the persons shown to this worker in this enquiry. Raises NotForYou for what is not a circumstance of
    one of them, in this enquiry, that counts. Effects: an event, then the row.
    """
    fact = next((one for one in on_record(hub, enquiry.id) if one.id == fact_id and one.counts), None)
    if fact is None or fact.kind != FactKind.CIRCUMSTANCE or fact.person not in family:
        raise NotForYou("That is not recorded in this enquiry, or was taken back.")
    if ctx.actor.role not in RECORDING[Circumstance(fact.code)]:
        raise NotForYou(NOT_THEIRS)
    _store(hub, ctx, enquiry, FactKind.TAKEN_BACK, fact.code, fact.source, "", person=fact.person, refers=fact.id)


def record_rating(hub: Hub, ctx: RequestContext, enquiry: Enquiry, typed: Mapping[str, str]) -> Enquiry:
    """Rates how urgent the case is; the newest rating counts (rule P09(c)). Returns the enquiry as it is now.

    Raises FormRefused. Effects: an event, then the row and the rating.
    """
    errors: dict[str, str] = {}
    rating = choose(BragRating, typed, "rating", errors, "Choose a rating.")
    if ctx.actor.role not in QUALIFIED:
        errors["rating"] = NOT_THEIRS
    source, reason = _grounds(typed, errors)
    if errors:
        raise FormRefused(errors)
    _store(hub, ctx, enquiry, FactKind.RATING, rating, source, reason, changes={"rating": str(rating)})
    return replace(enquiry, rating=str(rating))


def record_threshold(hub: Hub, ctx: RequestContext, enquiry: Enquiry, typed: Mapping[str, str]) -> None:
    """Records in a running enquiry that the threshold of harm is reached (rule P12); once.

    Raises FormRefused, also for a purpose to which the threshold does not matter. Effects: an event, the row, and the
    threshold of the enquiry.
    """
    errors: dict[str, str] = {}
    threshold = choose(Threshold, typed, "threshold", errors, "Choose which decision is on record.")
    if ctx.actor.role not in QUALIFIED:
        errors["threshold"] = "A social worker or the MASH decision maker records this."
    elif enquiry.purpose not in PROTECTIVE:
        errors["threshold"] = "For this purpose the threshold does not matter: open an enquiry for what it is for."
    elif enquiry.threshold is not None:
        errors["threshold"] = "It is recorded already."
    source, reason = _grounds(typed, errors)
    if errors:
        raise FormRefused(errors)
    changes = {"threshold": str(threshold), "threshold_by_role": ctx.actor.role, "threshold_at": ctx.now}
    _store(hub, ctx, enquiry, FactKind.THRESHOLD, threshold, source, reason, changes=changes)


def _rows(hub: Hub, enquiry: str) -> list[dict[str, Any]]:
    c = case_facts.c
    with hub.db.session() as session:
        query = select(case_facts).where(c.enquiry == enquiry).order_by(c.at, c.id)
        return [dict(row) for row in session.execute(query).mappings()]


def _store(
    hub: Hub,
    ctx: RequestContext,
    enquiry: Enquiry,
    kind: FactKind,
    code: str,
    source: FactSource,
    reason: str,
    *,
    person: str | None = None,
    records: Iterable[SourceRecord] | None = None,
    refers: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    id_ = "CF-" + secrets.token_hex(8)
    subjects = [person] if person else []
    receipt = hub.trail.append(
        "collect",
        now=ctx.now,
        subjects=subjects,
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action=f"case:{kind}",
        outcome=str(code),
        reason=str(source),
        object={"type": "case-fact", "id": refers or id_},
        data=[
            {"agency": ctx.actor.agency, "category": "INDICATOR", "label": f"case:{kind}"}
            | ({"subject": 0} if person else {})
        ],
    )
    with hub.db.writing() as session:
        session.execute(
            insert(case_facts).values(
                id=id_,
                enquiry=enquiry.id,
                kind=kind,
                code=str(code),
                person=person,
                identity=identity_of(hub, records) if records is not None else None,
                source=source,
                sealed_reason=hub.keys.seal(HUB, reason.encode(), "case-fact:" + id_),
                refers=refers,
                by=ctx.actor.id,
                by_role=ctx.actor.role,
                at=ctx.now,
                receipt=receipt.eid,
            )
        )
        if changes:
            session.execute(update(enquiries).where(enquiries.c.id == enquiry.id).values(**changes))


def _grounds(typed: Mapping[str, str], errors: dict[str, str]) -> tuple[Any, str]:
    source = choose(FactSource, typed, "source", errors, "Choose where you know it from.")
    reason = typed.get("reason", "").strip()
    if not says_enough(reason):
        errors["reason"] = f"Say in your own words what it rests on: {LEAST}."
    return source, reason
