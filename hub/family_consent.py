"""What a family agreed to, recorded and changed by those who work with them.

For: the pages of consent within an enquiry. Must never touch a person whom the reader was not just shown in this
enquiry; every act is in the trail before it is stored. Rules P10 to P19; UK GDPR Article 7.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session

import consent
from audit import Receipt
from consent import (
    FINDINGS,
    AnswerMethod,
    Assessment,
    AssessmentKind,
    ConsentDecision,
    ConsentError,
    ConsentRecord,
    ParentalSource,
    StandingFact,
    StandingKind,
)
from hub.assembly import Hub
from hub.casefile import LONDON
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.enquiries import LEAST, QUALIFIED, REASONS, UNSAFE_REVIEW_DAYS, Enquiry, choose, says_enough, user_of
from hub.errors import FormRefused, NotFound
from hub.following import follow_to
from hub.keys import HUB
from hub.oversight import recipients_of
from hub.tasks import DISPUTE
from policies.vocabulary import (
    AgencyType,
    ConsentState,
    DataCategory,
    GiverCapacity,
    LegalStatus,
    Obligation,
    ReasonCode,
)

#: What somebody can be recorded to have answered.
ANSWERS = (
    ConsentState.GIVEN_EXPLICIT,
    ConsentState.GIVEN_PARTIAL,
    ConsentState.REFUSED,
    ConsentState.BEST_INTERESTS,
)
#: In which capacity somebody can answer.
CAPACITIES = tuple(c for c in GiverCapacity if c != GiverCapacity.NONE)
#: How long an agreement lasts at most, in days; then the family is asked again.
LONGEST_DAYS = 366
#: Kinds of information whose sharing consent may name one by one.
NAMEABLE = (
    DataCategory.SUBSTANCE_MISUSE,
    DataCategory.MENTAL_HEALTH,
    DataCategory.SEXUAL_REPRODUCTIVE_HEALTH,
    DataCategory.HEALTH_SUMMARY,
    DataCategory.EDUCATION,
    DataCategory.HOUSING,
    DataCategory.SOCIAL_CARE_STATUS,
    DataCategory.POLICE_INCIDENT,
)
#: Services whose very name says what they treat (rule P22).
SENSITIVE = frozenset(NAMEABLE[:3])
#: A person of the index, where a giver may also be an agency or a parent who is not known by name.
_PERSON = re.compile("p[0-9a-f]{16}")
ONLY_THE_AUTHORITY = "A social worker of children's social care says what the local authority holds and answers."
_EVENTS = {ConsentState.REFUSED: "consent:refused", ConsentState.DISPUTED: "consent:disputed"}


@dataclass(frozen=True, slots=True)
class FamilyConsents:
    """All that is on record about the consent of some persons; records newest first."""

    current: tuple[ConsentRecord, ...]
    history: tuple[ConsentRecord, ...]
    assessments: tuple[Assessment, ...]
    standings: tuple[StandingFact, ...]
    decision: ConsentDecision | None
    #: That these answers were shown.
    receipt: Receipt


def on_record(hub: Hub, ctx: RequestContext, enquiry: Enquiry, persons: Iterable[str]) -> FamilyConsents:
    """What is on record about these persons, as far as this reader may see it (`_may_see`); all of it still counts.

    Effects: one event that names whose answers are shown, before anything leaves.
    """
    wanted = tuple(persons)
    follow_to(hub, wanted, now=ctx.now)
    with hub.db.session() as session:
        current = _visible(ctx, enquiry, wanted, consent.current_records(session, wanted, now=ctx.now)[::-1])
        history = _visible(ctx, enquiry, wanted, consent.history(session, wanted))
        assessments = tuple(
            a
            for a in consent.assessments_of(session, wanted, until=ctx.now)
            if a.assessed_by_agency == ctx.actor.agency or not SENSITIVE & set(a.categories or ())
        )
        standings = tuple(
            f for f in consent.standing_facts_of(session, wanted) if f.holder is None or f.holder in wanted
        )
        decision = consent.decision_for(session, enquiry.id, now=ctx.now)
    about = {r.subject for r in history} | {a.subject for a in assessments} | {f.subject for f in standings}
    receipt = _shown(hub, ctx, enquiry, about, "consent-shown", len(history))
    return FamilyConsents(current, history, assessments, standings, decision, receipt)


def _visible(
    ctx: RequestContext, enquiry: Enquiry, family: Iterable[str], records: Iterable[ConsentRecord]
) -> tuple[ConsentRecord, ...]:
    return tuple(r for r in records if _may_see(ctx, enquiry, family, r))


def _may_see(ctx: RequestContext, enquiry: Enquiry, family: Iterable[str], record: ConsentRecord) -> bool:
    """Whether this reader may be told of an answer: never one given by somebody whom they were not shown.

    What another agency recorded only when it is about sharing with the reader's, for the reader's purpose, and does not
    name a sensitive service (rule P22): the answer alone would say that there is one.
    """
    if _PERSON.fullmatch(record.giver) and record.giver not in family:
        return False
    if record.recorded_by_agency == ctx.actor.agency:
        return True
    return (
        (record.agencies is None or ctx.actor.agency in record.agencies)
        and (record.purposes is None or enquiry.purpose in record.purposes)
        and not SENSITIVE & set(record.categories or ())
    )


def record_answer(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, family: Mapping[str, str], typed: Mapping[str, Any]
) -> ConsentRecord:
    """Stores an answer; an earlier one of the same person about the same thing is superseded.

    Takes `family`: the persons shown in this enquiry; `typed`: lists for agencies and categories, else text.
    Raises FormRefused with a sentence per field. Effects: an event, the record, marks and a task for a dispute.
    """
    errors: dict[str, str] = {}
    subject = _person(typed, "subject", family, errors)
    capacity = choose(GiverCapacity, typed, "giver_capacity", errors, "Choose in which capacity they answered.")
    giver = subject if capacity == GiverCapacity.SELF else None
    if capacity in (GiverCapacity.PARENT_WITH_PR, GiverCapacity.LPA_HW, GiverCapacity.DEPUTY):
        giver = _person(typed, "giver", family, errors)
    wording = consent.statement(str(typed.get("statement", "")))
    if wording is None:
        errors["statement"] = "Choose which words they were asked with."
    state = choose(ConsentState, typed, "answer", errors, "Choose what they answered.")
    if state is not None and state not in ANSWERS:
        errors["answer"] = "Choose what they answered."
    if capacity is not None and capacity not in CAPACITIES:
        errors["giver_capacity"] = "Choose in which capacity they answered."
    elif capacity == GiverCapacity.LA_WITH_PR and not _speaks_for_authority(hub, ctx):
        errors["giver_capacity"] = ONLY_THE_AUTHORITY
    method = choose(AnswerMethod, typed, "method", errors, "Choose how they answered.")
    given = _day(typed, "given_on", errors, "Enter the day of the answer, like 31 3 2026.")
    ends = _day(typed, "ends_on", errors, "Enter the last day, like 31 3 2027, or leave it empty.", optional=True)
    if given and given > ctx.now.astimezone(LONDON).date():
        errors["given_on"] = "An answer cannot be dated in the future."
    if given and ends and not given < ends <= given + timedelta(days=LONGEST_DAYS):
        errors["ends_on"] = "It must end after it was given, and within a year: then the family is asked again."
    agencies = tuple(a for a in typed.get("agencies", ()) if a in hub.partners)
    if state == ConsentState.GIVEN_PARTIAL and not agencies:
        errors["agencies"] = "Choose the agencies they agreed to."
    categories = tuple(c for c in NAMEABLE if c in typed.get("categories", ()))
    if capacity == GiverCapacity.PARENT_WITH_PR and giver and subject and giver == subject:
        errors["giver"] = "Choose the parent who answered."
    if errors:
        raise FormRefused(errors)
    assert subject
    assert capacity
    assert state
    assert wording
    assert given
    record = ConsentRecord(
        id=consent.new_record_id(),
        kind=wording.kind,
        state=state,
        subject=subject,
        giver=giver or ctx.actor.agency,
        giver_capacity=capacity,
        giver_conflicted=typed.get("conflicted") == "yes",
        given_at=min(datetime.combine(given, time(12), LONDON), ctx.now),
        persons=(subject,),
        agencies=tuple(sorted({*agencies, ctx.actor.agency})) if agencies else None,
        categories=categories or None,
        purposes=(enquiry.purpose,),
        expires_at=datetime.combine(ends + timedelta(days=1), time(), LONDON) if ends else None,
        method=method,
        statement=wording.reference,
        enquiry=enquiry.id,
        recorded_by_agency=ctx.actor.agency,
    )
    _event(hub, ctx, enquiry, _EVENTS.get(state, "consent:given"), record)
    stored, marks = _stored(hub, ctx, lambda session: consent.renew(session, record, by=ctx.actor.id, now=ctx.now))
    if stored.follows:
        _event(
            hub, ctx, enquiry, "consent:superseded", replace(stored, id=stored.follows, state=ConsentState.SUPERSEDED)
        )
    _tell_of_dispute(hub, ctx, enquiry, marks)
    return stored


def withdraw_answer(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, family: Mapping[str, str], record_id: str
) -> tuple[ConsentRecord, tuple[str, ...]]:
    """Withdraws an answer for somebody who says so; returns the withdrawal and the agencies that are told.

    It bites at the next decision and never changes what was recorded. Raises NotFound for a record that is not of
    this family, FormRefused when it was changed meanwhile. Effects: an event, the record, one task per recipient.
    """
    with hub.db.session() as session:
        try:
            old = consent.record_of(session, record_id)
        except ConsentError as error:
            raise NotFound("There is no such answer.") from error
    if old.subject not in family or not _may_see(ctx, enquiry, family, old):
        raise NotFound("There is no such answer.")
    _event(hub, ctx, enquiry, "consent:withdrawn", replace(old, state=ConsentState.WITHDRAWN))
    new, marks = _stored(hub, ctx, lambda session: consent.withdraw(session, record_id, by=ctx.actor.id, now=ctx.now))
    owed = owed_to_recipients(hub, old, new, enquiry=enquiry.id, now=ctx.now)
    write(hub, owed, now=ctx.now)
    _tell_of_dispute(hub, ctx, enquiry, marks)
    return new, tuple(str(duty.agency) for duty in owed)


def owed_to_recipients(
    hub: Hub, old: ConsentRecord, new: ConsentRecord, *, enquiry: str | None, now: datetime
) -> tuple[Duty, ...]:
    """One task for each agency that was shown something under an answer that was withdrawn (rule P10)."""
    told = recipients_of(hub, old.subject, since=old.given_at, purposes=old.purposes, sources=old.agencies)
    return tuple(
        Duty(
            kind=Obligation.NOTIFY_RECIPIENTS,
            agency=agency,
            person=old.subject,
            enquiry=enquiry,
            receipt=new.id,
            due_at=now + timedelta(days=1),
            refers=new.id,
            once=("withdrawn", new.id, agency),
        )
        for agency in told
    )


def record_assessment(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, family: Mapping[str, str], typed: Mapping[str, Any]
) -> Assessment:
    """Stores an assessment of competence or capacity. Raises FormRefused. Effects: an event, then the row."""
    errors: dict[str, str] = {}
    subject = _person(typed, "subject", family, errors)
    finding = str(typed.get("finding", ""))
    kind = next((kind for kind, findings in FINDINGS.items() if finding in findings), None)
    if kind is None:
        errors["finding"] = "Choose what the assessment found."
    reasons = _reasons(typed, "reasons", errors)
    categories = tuple(c for c in NAMEABLE if c in typed.get("categories", ()))
    review = _day(typed, "review_on", errors, "Enter the day, like 31 3 2027, or leave it empty.", optional=True)
    if ctx.actor.role not in consent.ASSESSORS:
        errors["finding"] = "This is assessed by a social worker, a nurse, a doctor or a specialist worker."
    if errors:
        raise FormRefused(errors)
    assert subject
    assert kind
    _collect(hub, ctx, enquiry, subject, "assessed", finding)
    made = Assessment(
        subject=subject,
        kind=kind,
        status=finding,
        categories=categories or None if kind == AssessmentKind.COMPETENCE else None,
        assessed_at=ctx.now,
        assessed_by=ctx.actor.id,
        assessed_by_role=ctx.actor.role,
        assessed_by_agency=ctx.actor.agency,
        review_due=review,
        sealed_reasons=hub.keys.seal(HUB, reasons.encode(), "assessment:" + subject),
    )
    with hub.db.writing() as session:
        return consent.record_assessment(session, made)


def record_standing(
    hub: Hub, ctx: RequestContext, enquiry: Enquiry, family: Mapping[str, str], typed: Mapping[str, Any]
) -> StandingFact:
    """Stores who holds parental responsibility, or the legal status. Raises FormRefused. Effects: event, row."""
    errors: dict[str, str] = {}
    subject = _person(typed, "subject", family, errors)
    code = str(typed.get("code", ""))
    parental = code in ParentalSource.__members__
    if not parental and code not in LegalStatus.__members__:
        errors["code"] = "Choose what is on record."
    holder = _person(typed, "holder", family, errors) if parental else None
    if holder and holder == subject:
        errors["holder"] = "Choose somebody else than the child."
    if not (ctx.actor.role in QUALIFIED if parental else _speaks_for_authority(hub, ctx)):
        errors["code"] = (
            "A social worker records who holds parental responsibility." if parental else ONLY_THE_AUTHORITY
        )
    starts = _day(typed, "starts", errors, "Enter the day since when it holds, like 31 3 2020.")
    ends = _day(typed, "ends", errors, "Enter the last day, or leave it empty.", optional=True)
    if starts and ends and ends < starts:
        errors["ends"] = "It cannot end before it starts."
    if errors:
        raise FormRefused(errors)
    assert subject
    assert starts
    _collect(hub, ctx, enquiry, subject, "standing-recorded", code)
    kind = StandingKind.PARENTAL_RESPONSIBILITY if parental else StandingKind.LEGAL_STATUS
    try:
        with hub.db.writing() as session:
            same = [
                f
                for f in consent.standing_facts_of(session, [subject])
                if f.kind == kind and f.code == code and f.holder == holder
            ]
            fact = StandingFact(subject, kind, code, starts, ends, holder, follows=same[0].id if same else None)
            return consent.record_standing(session, fact, by=ctx.actor.id, now=ctx.now)
    except ConsentError as error:
        raise FormRefused({"code": str(error)}) from error


def decide_about_asking(hub: Hub, ctx: RequestContext, enquiry: Enquiry, typed: Mapping[str, Any]) -> ConsentDecision:
    """Stores what a qualified worker decides about asking the family (rule P11); the newest decision counts.

    Raises FormRefused. Effects: an event, then the row.
    """
    errors: dict[str, str] = {}
    state = choose(ConsentState, typed, "state", errors, "Choose what was decided.")
    reason = None
    if ctx.actor.role not in QUALIFIED:
        errors["state"] = "A social worker or the MASH decision maker decides about asking the family."
    elif state is not None and state not in REASONS:
        errors["state"] = "Choose what was decided."
    elif state is not None and REASONS[state]:
        only = REASONS[state][0] if len(REASONS[state]) == 1 else None
        reason = only or choose(ReasonCode, typed, "reason_code", errors, "Choose the reason.")
        if reason is not None and reason not in REASONS[state]:
            errors["reason_code"] = "Choose the reason why asking would be unsafe."
    if errors:
        raise FormRefused(errors)
    assert state
    unsafe = state == ConsentState.NOT_SOUGHT_UNSAFE
    decision = ConsentDecision(
        state=state,
        reason_code=reason,
        decided_by_role=ctx.actor.role,
        decided_at=ctx.now,
        review_due=(ctx.now + timedelta(days=UNSAFE_REVIEW_DAYS)).date() if unsafe else None,
        inform="DO_NOT_INFORM" if unsafe else "INFORM",
        inform_reason=reason if unsafe else None,
        inform_owner=ctx.actor.id if unsafe else None,
    )
    decision_id = consent.new_decision_id()
    hub.trail.append(
        "consent:decided",
        now=ctx.now,
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        consent=[{"id": decision_id, "version": 1, "state": decision.state}],
        reason=decision.reason_code,
        outcome=decision.inform,
    )
    with hub.db.writing() as session:
        consent.decide_about_consent(session, enquiry.id, decision, by=ctx.actor.id, decision_id=decision_id)
    return decision


def as_fhir(hub: Hub, ctx: RequestContext, enquiry: Enquiry, family: Mapping[str, str]) -> dict[str, Any]:
    """The answers of this family as a FHIR R4 Bundle. Effects: one `export` event, before anything leaves."""
    with hub.db.session() as session:
        records = _visible(ctx, enquiry, family, consent.history(session, family))
    receipt = _shown(hub, ctx, enquiry, {r.subject for r in records}, "consent-fhir", len(records))
    identifier = {"system": hub.settings.base_url + "/receipts", "value": receipt.eid}
    return {**consent.as_bundle(records, now=ctx.now), "identifier": identifier}


def _shown(hub: Hub, ctx: RequestContext, enquiry: Enquiry, about: Iterable[str], label: str, count: int) -> Receipt:
    """One event before answers leave, on a page or as a file."""
    return hub.trail.append(
        "export",
        now=ctx.now,
        subjects=sorted(about),
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        recipient=ctx.actor.agency,
        data=[{"agency": ctx.actor.agency, "category": "INDICATOR", "label": label, "count": count}],
    )


def _speaks_for_authority(hub: Hub, ctx: RequestContext) -> bool:
    """Whether this worker can say what the local authority holds and answers (rule P17)."""
    own = hub.partners.get(ctx.actor.agency)
    return own is not None and own.type == AgencyType.CHILDRENS_SOCIAL_CARE and ctx.actor.role in QUALIFIED


def _stored(
    hub: Hub, ctx: RequestContext, make: Callable[[Session], ConsentRecord]
) -> tuple[ConsentRecord, tuple[ConsentRecord, ...]]:
    try:
        with hub.db.writing() as session:
            stored = make(session)
            return stored, consent.mark_disputes(session, stored.subject, by=ctx.actor.id, now=ctx.now)
    except ConsentError as error:
        raise FormRefused({"answer": str(error)}) from error


def _tell_of_dispute(hub: Hub, ctx: RequestContext, enquiry: Enquiry, marks: Iterable[ConsentRecord]) -> None:
    """One task for the manager per child and kind of consent, however many answers contradict each other."""
    for one in marks:
        if one.state != ConsentState.DISPUTED:
            continue
        _event(hub, ctx, enquiry, "consent:disputed", one)
        write(
            hub,
            [
                Duty(
                    kind=DISPUTE,
                    agency=ctx.actor.agency,
                    person=one.subject,
                    enquiry=enquiry.id,
                    receipt=one.id,
                    due_at=ctx.now + timedelta(days=1),
                    refers=one.id,
                    barred=ctx.actor.id,
                    once=("dispute", one.subject, one.kind, enquiry.id),
                )
            ],
            now=ctx.now,
        )


def _event(hub: Hub, ctx: RequestContext, enquiry: Enquiry, kind: str, record: ConsentRecord) -> None:
    hub.trail.append(
        kind,
        now=ctx.now,
        subjects=[record.subject],
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        consent=[{"id": record.id, "version": 1, "state": str(record.state)}],
    )


def _collect(hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str, action: str, outcome: str) -> None:
    hub.trail.append(
        "collect",
        now=ctx.now,
        subjects=[person],
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action=action,
        outcome=outcome,
        data=[{"agency": ctx.actor.agency, "category": "INDICATOR", "label": action, "subject": 0}],
    )


def _person(typed: Mapping[str, Any], name: str, family: Mapping[str, str], errors: dict[str, str]) -> str | None:
    person = str(typed.get(name, ""))
    if person in family:
        return person
    errors[name] = "Choose one of the people shown."
    return None


def _reasons(typed: Mapping[str, Any], name: str, errors: dict[str, str]) -> str:
    text = str(typed.get(name, "")).strip()
    if not says_enough(text):
        errors[name] = f"Say in your own words why: {LEAST}."
    return text


def _day(
    typed: Mapping[str, Any], name: str, errors: dict[str, str], sentence: str, *, optional: bool = False
) -> date | None:
    text = str(typed.get(name, "")).strip()
    if not text and optional:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d %m %Y", "%d %B %Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    errors[name] = sentence
    return None
