"""Enquiries: why somebody may ask, about whom, since when.

For: the legitimate relationship behind every picture (rule P03) and the reason in the user's words (rule
P02). Must never be opened without purpose, reference and an adequate reason; must never let one agency see
another's enquiry. The reason is sealed.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from connectors import NHS_NUMBER, SourceRecord
from consent import (
    ConsentDecision,
    ConsentRecord,
    decide_about_consent,
    decision_for,
    facts_for,
    new_decision_id,
    record_consent,
)
from hub.assembly import Hub
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.errors import FormRefused, NotForYou, NotFound
from hub.keys import HUB
from hub.people import records_of
from hub.people.said import best_birth_date, best_name, most_said
from hub.tables import enquiries, enquiry_persons, user_acts
from hub.working_days import working_day_after
from policies import SharingAgreement
from policies.vocabulary import (
    AgreementStatus,
    BragRating,
    ConsentKind,
    ConsentState,
    GiverCapacity,
    Purpose,
    ReasonCode,
    Role,
    Threshold,
)

#: An adequate reason has at least this many characters and words (rule P02).
REASON_CHARACTERS, REASON_WORDS = 20, 4
LEAST = f"at least {REASON_CHARACTERS} characters and {REASON_WORDS} different words"
#: The same reason so many times by one user within so many days is boilerplate, whatever it says.
BOILERPLATE, BOILERPLATE_DAYS = 10, 90
#: The kind of the task to tell whoever made the referral.
FEEDBACK = "FEEDBACK"
LONDON = ZoneInfo("Europe/London")
#: Purposes that no enquiry is opened for: they have desks or checks of their own.
NOT_ENQUIRIES = frozenset(
    {
        Purpose.GP_PACKAGE_CHECK,
        Purpose.DATA_MATCHING,
        Purpose.EARLY_IDENTIFICATION,
        Purpose.PERFORMANCE,
        Purpose.PRACTICE_QA,
        Purpose.SUBJECT_RIGHTS,
        Purpose.IG_AUDIT,
    }
)
#: Purposes for which the harm threshold matters (the protective purposes of the decision rules).
PROTECTIVE = frozenset(
    {
        Purpose.IMMEDIATE_PROTECTION,
        Purpose.S47_ENQUIRY,
        Purpose.STRATEGY_DISCUSSION,
        Purpose.MASH_SCREENING,
        Purpose.S17_ASSESSMENT,
        Purpose.MISSING_CHILD,
        Purpose.MARAC,
    }
)
#: An enquiry ends by itself after this many days: the child and family assessment takes at most 45 working days
#: (Working Together to Safeguard Children 2023); who needs longer opens another with its own reason.
ENDS_AFTER_DAYS = 63
#: How somebody who is added may be connected (rule P09); the words stand beside the form.
CONNECTIONS = ("HOUSEHOLD", "NAMED_CONCERN", "RECORDED_RELEVANT")
#: A decision not to ask because asking is unsafe is looked at again after this many days (rule P14).
UNSAFE_REVIEW_DAYS = 7
#: Reasons that fit each decision about consent; None stands for "no reason needed".
REASONS: Mapping[ConsentState, tuple[ReasonCode, ...]] = {
    ConsentState.NOT_SOUGHT_UNSAFE: (
        ReasonCode.RISK_TO_ANYONE,
        ReasonCode.PREJUDICE_TO_ENQUIRY,
        ReasonCode.UNDUE_DELAY,
    ),
    ConsentState.NOT_SOUGHT_NOT_REQUIRED: (ReasonCode.INFORM_NOT_ASK,),
    ConsentState.NOT_OBTAINABLE: (ReasonCode.CANNOT_BE_CONTACTED,),
    ConsentState.GIVEN_EXPLICIT: (),
    ConsentState.REFUSED: (),
}
#: Who may decide about asking the family (rule P11).
QUALIFIED = frozenset(
    {
        Role.MASH_DECISION_MAKER,
        Role.MASH_SOCIAL_WORKER,
        Role.SOCIAL_WORKER,
        Role.ADULT_SOCIAL_WORKER,
        Role.EDT_WORKER,
    }
)
#: States that are somebody's answer, and who may have given it when an enquiry is opened.
ANSWERED = (ConsentState.GIVEN_EXPLICIT, ConsentState.REFUSED)
GIVERS = (GiverCapacity.SELF, GiverCapacity.PARENT_WITH_PR)
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 /._-]{2,39}")


@dataclass(frozen=True, slots=True)
class Enquiry:
    """One enquiry. `persons` maps each person in it to why they are in it."""

    id: str
    reference: str
    purpose: Purpose
    rationale: str
    opened_by: str
    agency: str
    opened_at: datetime
    closed_at: datetime | None
    threshold: str | None
    threshold_by_role: str | None
    threshold_at: datetime | None
    consent_giver: str | None
    subject: str | None
    rating: str | None = None
    persons: Mapping[str, str] = field(default_factory=dict)
    identities: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def brag(self) -> BragRating:
        """How urgent it is: as somebody rated it last, else by whether the harm threshold is recorded."""
        return BragRating(self.rating or (BragRating.RED if self.threshold else BragRating.AMBER))


@dataclass(frozen=True, slots=True)
class EnquiryForm:
    """What the opening form says, parsed."""

    purpose: Purpose
    reference: str
    rationale: str
    threshold: Threshold | None
    consent_state: ConsentState | None
    consent_reason: ReasonCode | None
    consent_giver: GiverCapacity | None


def purposes_for(agreements: Iterable[SharingAgreement], agency: str, role: Role, today: date) -> tuple[Purpose, ...]:
    """The purposes that this agency's role may open an enquiry for, as the agreements in force say."""
    allowed: set[Purpose] = set()
    for agreement in (a.for_decision() for a in agreements):
        in_force = agreement.status == AgreementStatus.ACTIVE and agreement.effective_from <= today
        # Who only gives under an agreement may not ask under it (rule P04).
        receives = agency in agreement.recipients
        if in_force and receives and (agreement.expires_on is None or today <= agreement.expires_on):
            for clause in agreement.clauses:
                if role in clause.recipient_roles:
                    allowed |= clause.purposes
    return tuple(purpose for purpose in Purpose if purpose in allowed - NOT_ENQUIRIES)


def says_enough(text: str) -> bool:
    """Whether a reason is adequate (rule P02); a word that is repeated says nothing more."""
    text = text.strip()
    return len(text) >= REASON_CHARACTERS and len(set(text.casefold().split())) >= REASON_WORDS


def parse_form(typed: Mapping[str, str], allowed: tuple[Purpose, ...], role: Role) -> EnquiryForm:
    """The opening form, or FormRefused with a sentence per field."""
    errors: dict[str, str] = {}
    purpose = next((p for p in allowed if p == typed.get("purpose")), None)
    if purpose is None:
        errors["purpose"] = "Choose why you need the information."
    reference = typed.get("reference", "").strip()
    if not _REFERENCE.fullmatch(reference) or not re.search(r"\d", reference) or _could_identify(reference):
        errors["reference"] = (
            "Enter your case or referral number: 3 to 40 letters, digits, spaces or . / - _ , with at least one digit. "
            "Do not enter a name, date of birth or NHS number."
        )
    rationale = typed.get("rationale", "").strip()
    if not says_enough(rationale):
        errors["rationale"] = f"Say in your own words why: {LEAST}."
    threshold = _choice(Threshold, typed.get("threshold", ""), "threshold", errors)
    consent_state = _choice(ConsentState, typed.get("consent", ""), "consent", errors)
    reason = _choice(ReasonCode, typed.get("reason_code", ""), "reason_code", errors)
    if consent_state is not None and purpose in PROTECTIVE and role not in QUALIFIED:
        errors["consent"] = (
            "A social worker or the MASH decision maker decides about asking the family. Ask one of them to open the "
            "enquiry, or choose the harm threshold if it is on record."
        )
    elif consent_state is not None and consent_state not in REASONS:
        errors["consent"] = "Choose what was decided about consent."
    elif purpose in PROTECTIVE and threshold is None and consent_state is None:
        errors["consent"] = (
            "Record what was decided about consent, or the harm threshold: without one of them no partner can be asked."
        )
    elif consent_state is not None and REASONS[consent_state] and reason not in REASONS[consent_state]:
        reason = REASONS[consent_state][0] if len(REASONS[consent_state]) == 1 else reason
        if reason not in REASONS[consent_state]:
            errors["reason_code"] = "Choose the reason why asking would be unsafe."
    giver = _choice(GiverCapacity, typed.get("consent_giver", ""), "consent_giver", errors)
    if consent_state in ANSWERED and giver not in GIVERS and "consent_giver" not in errors:
        errors["consent_giver"] = "Choose who answered."
    if errors or purpose is None:
        raise FormRefused(errors)
    return EnquiryForm(
        purpose, reference, rationale, threshold, consent_state, reason, giver if consent_state in ANSWERED else None
    )


def open_enquiry(hub: Hub, ctx: RequestContext, form: EnquiryForm) -> Enquiry:
    """Stores a new enquiry and the decision about consent.

    Effects: events in the trail first (the enquiry with its threshold, the decision about consent, an alarm when
    somebody claims a threshold whose role does not decide such things), then the rows.
    """
    actor, now = ctx.actor, ctx.now
    _notice_boilerplate(hub, ctx, form)
    enquiry = Enquiry(
        id="EN-" + secrets.token_hex(8),
        reference=form.reference,
        purpose=form.purpose,
        rationale=form.rationale,
        opened_by=actor.id,
        agency=actor.agency,
        opened_at=now,
        closed_at=None,
        threshold=form.threshold,
        threshold_by_role=actor.role if form.threshold else None,
        threshold_at=now if form.threshold else None,
        consent_giver=form.consent_giver,
        subject=None,
    )
    hub.trail.append(
        "collect",
        now=now,
        user=user_of(ctx),
        client={"id": ctx.client} if ctx.client else None,
        purpose=form.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action=claims_of(enquiry),
        outcome="OPENED",
        data=[{"agency": actor.agency, "category": "INDICATOR", "label": "enquiry-opened"}],
    )
    if form.threshold is not None and actor.role not in QUALIFIED:
        hub.trail.append(
            "alarm",
            now=now,
            user=user_of(ctx),
            purpose=form.purpose,
            enquiry=enquiry.id,
            trace=ctx.request_id,
            reason=f"THRESHOLD-BY-{actor.role}",
        )
    decision, decision_id = _decision(form, ctx), new_decision_id()
    if decision is not None:
        hub.trail.append(
            "consent:decided",
            now=now,
            user=user_of(ctx),
            purpose=form.purpose,
            enquiry=enquiry.id,
            trace=ctx.request_id,
            consent=[{"id": decision_id, "version": 1, "state": decision.state}],
            reason=decision.reason_code,
            outcome=decision.inform,
        )
    with hub.db.writing() as session:
        session.execute(
            insert(enquiries).values(
                id=enquiry.id,
                reference=enquiry.reference,
                purpose=enquiry.purpose,
                sealed_rationale=hub.keys.seal(HUB, enquiry.rationale.encode(), "rationale:" + enquiry.id),
                opened_by=actor.id,
                agency=actor.agency,
                opened_at=now,
                threshold=enquiry.threshold,
                threshold_by_role=enquiry.threshold_by_role,
                threshold_at=enquiry.threshold_at,
                consent_giver=enquiry.consent_giver,
            )
        )
        if decision is not None:
            decide_about_consent(session, enquiry.id, decision, by=actor.id, decision_id=decision_id)
    return enquiry


def _notice_boilerplate(hub: Hub, ctx: RequestContext, form: EnquiryForm) -> None:
    """Tells information governance once when one user gives the same reason again and again (rule P02)."""
    words = " ".join(form.rationale.casefold().split())
    kind = "why-" + hub.keys.blind("reason", words).hex()[:12]
    with hub.db.writing() as session:
        count_act(session, ctx, kind)
        often = acts_since(session, ctx, kind, ctx.now - timedelta(days=BOILERPLATE_DAYS))
    if often == BOILERPLATE:
        hub.trail.append(
            "alarm",
            now=ctx.now,
            user=user_of(ctx),
            purpose=form.purpose,
            trace=ctx.request_id,
            reason="BOILERPLATE-REASON",
        )


def _decision(form: EnquiryForm, ctx: RequestContext) -> ConsentDecision | None:
    if form.consent_state is None:
        return None
    unsafe = form.consent_state == ConsentState.NOT_SOUGHT_UNSAFE
    return ConsentDecision(
        state=form.consent_state,
        reason_code=form.consent_reason,
        decided_by_role=ctx.actor.role,
        decided_at=ctx.now,
        review_due=(ctx.now + timedelta(days=UNSAFE_REVIEW_DAYS)).date() if unsafe else None,
        inform="DO_NOT_INFORM" if unsafe else "INFORM",
        inform_reason=form.consent_reason if unsafe else None,
        inform_owner=ctx.actor.id if unsafe else None,
    )


def enquiry_of(hub: Hub, ctx: RequestContext, enquiry_id: str) -> Enquiry:
    """The enquiry, for its own agency's people whose role may claim its purpose; NotFound for everybody else."""
    with hub.db.session() as session:
        row = session.execute(select(enquiries).where(enquiries.c.id == enquiry_id)).mappings().first()
        if row is None or row["agency"] != ctx.actor.agency:
            raise NotFound("There is no such enquiry.")
        p = enquiry_persons.c
        members = session.execute(select(p.person, p.why, p.identity).where(p.enquiry == enquiry_id)).all()
    if Purpose(row["purpose"]) not in purposes_for(hub.agreements, ctx.actor.agency, ctx.actor.role, ctx.now.date()):
        raise NotFound("There is no such enquiry.")
    found = _enquiry(hub, row, ctx.now)
    return replace(
        found,
        persons={member.person: member.why for member in members},
        identities={member.person: member.identity for member in members},
    )


def running_enquiry_of(hub: Hub, ctx: RequestContext, enquiry_id: str) -> Enquiry:
    """The enquiry, for an act in it. Raises NotForYou when it has ended: nobody is looked for under it any more."""
    enquiry = enquiry_of(hub, ctx, enquiry_id)
    if enquiry.closed_at is not None:
        raise NotForYou("This enquiry is closed.", next_steps=("Open a new enquiry.",))
    return enquiry


def enquiry_for_owner(hub: Hub, enquiry_id: str, *, now: datetime) -> Enquiry:
    """The enquiry on behalf of an agency that was asked to release something for it. Raises NotFound when it closed.

    For the decision only: its reference and reason are the asking agency's and go on no page of another.
    """
    with hub.db.session() as session:
        row = session.execute(select(enquiries).where(enquiries.c.id == enquiry_id)).mappings().first()
        p = enquiry_persons.c
        members = session.execute(select(p.person, p.why, p.identity).where(p.enquiry == enquiry_id)).all()
    if row is None:
        raise NotFound("There is no such request.")
    found = replace(
        _enquiry(hub, row, now),
        persons={member.person: member.why for member in members},
        identities={member.person: member.identity for member in members},
    )
    if found.closed_at is not None:
        raise NotFound("The enquiry that asked has ended.")
    return found


def own_enquiries(
    hub: Hub, ctx: RequestContext, *, limit: int = 25, before: tuple[datetime, str] | None = None
) -> tuple[Enquiry, ...]:
    """This user's latest enquiries, newest first; `before`: only those older than the one opened then with that id."""
    e = enquiries.c
    wanted = select(enquiries).where(e.opened_by == ctx.actor.id, e.agency == ctx.actor.agency)
    if before is not None:
        opened, last = before
        wanted = wanted.where(or_(e.opened_at < opened, and_(e.opened_at == opened, e.id < last)))
    with hub.db.session() as session:
        rows = session.execute(wanted.order_by(e.opened_at.desc(), e.id.desc()).limit(limit)).mappings()
        return tuple(_enquiry(hub, row, ctx.now) for row in rows)


def confirm_subject(hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str) -> None:
    """The user says that this candidate is the person the enquiry is about; once.

    Raises NotForYou when the enquiry already has another subject: a new person needs a new enquiry.
    """
    if enquiry.subject is not None and enquiry.subject != person:
        raise NotForYou(
            "This enquiry is about somebody else already.", next_steps=("Open a new enquiry for the other person.",)
        )
    if enquiry.subject == person:
        return
    _tell(hub, ctx, enquiry, person, "subject-confirmed", "SUBJECT")
    with hub.db.writing() as session:
        mine = enquiries.c.id == enquiry.id
        first = session.execute(update(enquiries).where(mine, enquiries.c.subject.is_(None)).values(subject=person))
        if first.rowcount != 1:  # type: ignore[attr-defined]
            raise NotForYou("Somebody has just confirmed another person for this enquiry.")
        _add(hub, session, enquiry, person, "SUBJECT", ctx)
        if enquiry.threshold is None:
            _consent_of_subject(session, enquiry, person, ctx)


def add_person(hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str, connection: str) -> None:
    """Adds one more person to the enquiry, with how they are connected; what is shown of them is decided by itself.

    Raises FormRefused without a connection: somebody whom the purpose does not need is not shown (rule P09).
    """
    if connection not in CONNECTIONS:
        raise FormRefused({"connection": "Choose how this person is connected with the child or family."})
    _tell(hub, ctx, enquiry, person, "person-added", connection)
    with hub.db.writing() as session:
        _add(hub, session, enquiry, person, connection, ctx)


def close_enquiry(hub: Hub, ctx: RequestContext, enquiry: Enquiry) -> None:
    """Ends the enquiry: partners' information is not shown under it any more (rule P41).

    Effects: an event, the row, and after a screening a task to tell whoever made the referral what was decided.
    """
    receipt = hub.trail.append(
        "alter",
        now=ctx.now,
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action="enquiry-closed",
        outcome="CLOSED",
        object={"type": "enquiry", "id": enquiry.id},
    )
    with hub.db.writing() as session:
        mine = enquiries.c.id == enquiry.id
        session.execute(update(enquiries).where(mine, enquiries.c.closed_at.is_(None)).values(closed_at=ctx.now))
    if enquiry.purpose == Purpose.MASH_SCREENING and enquiry.subject is not None:
        write(hub, [_feedback(ctx, enquiry, receipt.eid)], now=ctx.now)


def _feedback(ctx: RequestContext, enquiry: Enquiry, receipt: str) -> Duty:
    """Whoever made the referral hears within a working day (Working Together to Safeguard Children 2023)."""
    local = ctx.now.astimezone(LONDON)
    return Duty(
        kind=FEEDBACK,
        agency=enquiry.agency,
        person=enquiry.subject,
        enquiry=enquiry.id,
        receipt=receipt,
        due_at=datetime.combine(working_day_after(local.date()), time(23, 59), LONDON),
        once=(FEEDBACK, enquiry.id),
    )


def identity_of(hub: Hub, records: Iterable[SourceRecord]) -> bytes:
    """A blind mark of who these records are about, to notice when linking changes under an open enquiry."""
    records = tuple(records)
    number = most_said(record.person.identifier(NHS_NUMBER) for record in records)
    born = best_birth_date(records)
    name = "" if number or born else best_name([n for record in records for n in record.person.names])
    return hub.keys.blind("confirmed", f"{number}|{born.date if born else None}|{name.casefold()}")


def claims_of(enquiry: Enquiry) -> str:
    """What the enquiry rests on, as a code: the recorded threshold and who recorded it."""
    if enquiry.threshold is None:
        return "threshold=NONE"
    return f"threshold={enquiry.threshold}|by={enquiry.threshold_by_role}"


def _tell(hub: Hub, ctx: RequestContext, enquiry: Enquiry, person: str, action: str, why: str) -> None:
    hub.trail.append(
        "collect",
        now=ctx.now,
        subjects=[person],
        user=user_of(ctx),
        purpose=enquiry.purpose,
        enquiry=enquiry.id,
        trace=ctx.request_id,
        action=action,
        reason=why,
        data=[{"agency": ctx.actor.agency, "category": "INDICATOR", "label": action, "subject": 0}],
    )


def count_act(session: Session, ctx: RequestContext, kind: str) -> None:
    """Counts an act of this user, for budgets."""
    session.execute(insert(user_acts).values(user=ctx.actor.id, kind=kind, at=ctx.now))


def acts_since(session: Session, ctx: RequestContext, kind: str, since: datetime) -> int:
    """How many such acts this user made since then."""
    found = session.execute(
        select(func.count())
        .select_from(user_acts)
        .where(user_acts.c.user == ctx.actor.id, user_acts.c.kind == kind, user_acts.c.at >= since)
    ).scalar_one()
    return int(found)


def user_of(ctx: RequestContext) -> dict[str, str]:
    """The acting user as the trail names them: codes only."""
    actor = ctx.actor
    return {
        "issuer": actor.issuer,
        "subject": actor.id,
        "role": actor.role,
        "agency": actor.agency,
        "assurance": actor.authentication,
    }


def _add(hub: Hub, session: Session, enquiry: Enquiry, person: str, why: str, ctx: RequestContext) -> None:
    known = session.execute(
        select(enquiry_persons.c.person).where(
            enquiry_persons.c.enquiry == enquiry.id, enquiry_persons.c.person == person
        )
    ).first()
    if known is None:
        session.execute(
            insert(enquiry_persons).values(
                enquiry=enquiry.id,
                person=person,
                why=why,
                identity=identity_of(hub, records_of(session, hub.keys, person)),
                added_by=ctx.actor.id,
                added_at=ctx.now,
            )
        )


def _consent_of_subject(session: Session, enquiry: Enquiry, person: str, ctx: RequestContext) -> None:
    """An answer that was recorded when the enquiry was opened becomes the subject's own consent record."""
    if enquiry.consent_giver is None:
        return
    decision = decision_for(session, enquiry.id, now=ctx.now)
    known = facts_for(session, [person], enquiry=None, now=ctx.now).records[person]
    if decision is None or any(record.enquiry == enquiry.id for record in known):
        return
    capacity = GiverCapacity(enquiry.consent_giver)
    record_consent(
        session,
        ConsentRecord(
            kind=ConsentKind.CONFIDENTIALITY,
            state=decision.state,
            subject=person,
            giver=person if capacity == GiverCapacity.SELF else "PR-" + person,
            giver_capacity=capacity,
            given_at=decision.decided_at,
            persons=(person,),
            purposes=(enquiry.purpose,),
            enquiry=enquiry.id,
            recorded_by_agency=ctx.actor.agency,
        ),
        by=ctx.actor.id,
        now=ctx.now,
    )


def _enquiry(hub: Hub, row: Any, now: datetime) -> Enquiry:
    ends = row["opened_at"] + timedelta(days=ENDS_AFTER_DAYS)
    return Enquiry(
        id=row["id"],
        reference=row["reference"],
        purpose=Purpose(row["purpose"]),
        rationale=hub.keys.open(HUB, row["sealed_rationale"], "rationale:" + row["id"]).decode(),
        opened_by=row["opened_by"],
        agency=row["agency"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"] or (ends if ends <= now else None),
        threshold=row["threshold"],
        threshold_by_role=row["threshold_by_role"],
        threshold_at=row["threshold_at"],
        consent_giver=row["consent_giver"],
        subject=row["subject"],
        rating=row["rating"],
    )


def _choice(kind: Any, text: str, name: str, errors: dict[str, str]) -> Any:
    return choose(kind, {name: text}, name, errors, "Choose one of the answers.") if text else None


def choose(kind: Any, typed: Mapping[str, Any], name: str, errors: dict[str, str], sentence: str) -> Any:
    """The code that a form chose from a closed list; None, with the sentence among the errors, for anything else."""
    try:
        return kind(typed.get(name, ""))
    except ValueError:
        errors[name] = sentence
        return None


def _could_identify(reference: str) -> bool:
    digits = re.sub(r"\D", "", reference)
    return len(digits) == 10 or bool(re.search(r"\d{1,2}[./-]\d{1,2}[./-]\d{4}", reference))
