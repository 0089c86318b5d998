"""What is particular to the GP check: whose patient, and which of the five answers.

For: GP practices asking, day or night, whether a patient on their own list has a social-care package. Must
never tell an off-list patient from an unknown, shielded or objecting one: they all take the same way and get
the same words. Rules P03, P09, P20, P48; the way itself is `hub.questions.package_check`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from audit import Receipt
from connectors import Answer, Partner
from hub.assembly import Hub
from hub.casefile import LONDON, london, without_answer
from hub.context import RequestContext
from hub.duties import Duty, write
from hub.enquiries import acts_since, count_act, user_of
from hub.errors import FormRefused, Unavailable
from hub.members import Member, member_alone, nobody
from hub.people import candidates, parse_box, records_of
from hub.permits import Decided
from hub.picture import Grounds
from hub.redaction import Redacted
from policies import Relationship, decide
from policies.vocabulary import AgencyType, AnswerState, DataCategory, GpAnswer, MatchState, Purpose, RelationshipKind

CATEGORY = frozenset({DataCategory.ASC_PACKAGE})
FIELDS = frozenset({"package_active", "duty_team_contact"})
#: The reason of every GP check: its purpose. The user is asked for a number, not for prose (rule P02).
REASON = "Checking for a registered patient whether a social care package is in place"

#: Checks that one user may make in a minute.
CHECKS_PER_MINUTE = 20
#: Patients of one ward round, and rounds that one user may make in a quarter of an hour.
ROUND_LENGTH, ROUNDS = 50, 2
ROUNDS_WITHIN = timedelta(minutes=15)

#: A record in doubt is no answer yet: a steward settles it first.
STATES: Mapping[GpAnswer, AnswerState] = {
    GpAnswer.YES: AnswerState.FOUND,
    GpAnswer.NO: AnswerState.NOTHING_HELD,
    GpAnswer.NOT_AVAILABLE: AnswerState.WITHHELD,
    GpAnswer.NOT_REACHED: AnswerState.NO_ANSWER,
    GpAnswer.MATCH_UNCONFIRMED: AnswerState.NO_ANSWER,
}

Answers = Mapping[tuple[str, str], Answer]


@dataclass(frozen=True, slots=True)
class Patient:
    """Who is meant, and whether they are on the asking practice's list."""

    member: Member
    relationship: Relationship
    on_list: bool


@dataclass(frozen=True, slots=True)
class GpCheck:
    """One of five answers; `phone` is answered day and night, whatever the answer is.

    `state`: the same as one of the five answers of any agency; `coverage`: what each agency that answers for packages
    covers, by its name.
    """

    answer: GpAnswer
    as_of: datetime | None
    phone: str
    phone_label: str
    receipt: Receipt
    state: AnswerState
    coverage: tuple[tuple[str, str], ...]
    grounds: Grounds


@dataclass(frozen=True, slots=True)
class RoundLine:
    """One line of a ward round: what was typed, and its answer or what is wrong with it."""

    typed: str
    check: GpCheck | None
    problem: str | None


def parse_number(typed: str) -> str:
    """The NHS number. Raises FormRefused with what is wrong."""
    query = parse_box(typed)
    if query.nhs_number is None or query.words or query.date_of_birth:
        raise FormRefused(
            {
                "nhs_number": query.problems[0]
                if query.problems
                else "Enter the 10 digits of the NHS number, nothing else."
            }
        )
    return query.nhs_number


def patient_of(session: Session, hub: Hub, number: str, ctx: RequestContext) -> Patient:
    """The one person with this number, registered with the asking practice or not; or nobody, who is on no list."""
    found = candidates(session, hub.keys, parse_box(number), now=ctx.now).candidates
    if len(found) != 1:
        return Patient(nobody(), Relationship(kind=RelationshipKind.NONE), on_list=False)
    records = records_of(session, hub.keys, found[0].person)
    member = member_alone(found[0].person, records)
    today = london(ctx.now).date()
    registered = [
        r
        for r in records
        if r.agency == ctx.actor.agency
        and r.valid_from is not None
        and (r.valid_until is None or today <= r.valid_until)
    ]
    if not registered:
        return Patient(member, Relationship(kind=RelationshipKind.NONE), on_list=False)
    since = min(r.valid_from for r in registered if r.valid_from is not None)
    relationship = Relationship(
        kind=RelationshipKind.REGISTERED_LIST,
        persons=frozenset({member.facts.id}),
        valid_from=datetime.combine(since, time(), LONDON),
    )
    return Patient(member, relationship, on_list=True)


def hold_back_a_flood(hub: Hub, ctx: RequestContext) -> None:
    """Refuses a sequence that no person types, and tells information governance once (rule P08).

    Raises FormRefused from the check that is one too many within a minute.
    """
    with hub.db.session() as session:
        since = ctx.now - timedelta(minutes=1)
        lately = sum(acts_since(session, ctx, kind, since) for kind in ("check", "check-off-list"))
    if lately >= CHECKS_PER_MINUTE:
        with hub.db.writing() as session:
            told = acts_since(session, ctx, "gp-flood", since)
            count_act(session, ctx, "gp-flood")
        if not told:
            hub.trail.append(
                "alarm",
                now=ctx.now,
                user=user_of(ctx),
                purpose=Purpose.GP_PACKAGE_CHECK,
                trace=ctx.request_id,
                reason="CHECKS-TOO-FAST",
            )
        raise FormRefused(
            {"nhs_number": "You have checked very many patients in a minute. Wait a minute and try again."}
        )


def parse_round(typed: str) -> tuple[str, ...]:
    """The lines of a ward round as typed, without empty ones. Raises FormRefused for none and for too many."""
    lines = tuple(line.strip() for line in typed.splitlines() if line.strip())
    if not lines:
        raise FormRefused({"numbers": "Enter the NHS numbers, one on each line."})
    if len(lines) > ROUND_LENGTH:
        raise FormRefused({"numbers": f"You entered {len(lines)} lines. Enter at most {ROUND_LENGTH}."})
    return lines


def begin_round(hub: Hub, ctx: RequestContext) -> None:
    """Counts a ward round. Raises FormRefused from the round that is one too many (rule P08)."""
    with hub.db.writing() as session:
        lately = acts_since(session, ctx, "gp-round", ctx.now - ROUNDS_WITHIN)
        if lately < ROUNDS:
            count_act(session, ctx, "gp-round")
    if lately >= ROUNDS:
        raise FormRefused({"numbers": "You have just made two rounds. Wait a quarter of an hour, or check one by one."})


def count_off_list(hub: Hub, ctx: RequestContext, patient: Patient, *, in_round: bool = False) -> int:
    """How many checks this user has made today on people who are not on the list, this one counted (rule P03)."""
    midnight = datetime.combine(london(ctx.now).date(), time(), LONDON)
    kind = "check-off-list" if not patient.on_list else "round-check" if in_round else "check"
    with hub.db.writing() as session:
        count_act(session, ctx, kind)
        return acts_since(session, ctx, "check-off-list", midnight)


def owners(hub: Hub) -> tuple[Partner, ...]:
    """The agencies that answer for care packages."""
    return tuple(p for p in hub.partners.values() if p.type == AgencyType.ADULT_SOCIAL_CARE)


def conclude(decided: Decided, answers: Answers, redacted: Redacted) -> GpAnswer:
    """Which of the five: no permit, NOT_AVAILABLE; no answer, NOT_REACHED; else what the rules say of each item."""
    if not decided.permits:
        return next((r.answer for r in decided.refusals if r.answer is not None), GpAnswer.NOT_AVAILABLE)
    if any(answer.match != MatchState.CONFIRMED for answer in answers.values()):
        return GpAnswer.MATCH_UNCONFIRMED
    if any(kept.answer == GpAnswer.YES for kept in redacted.kept):
        return GpAnswer.YES
    if redacted.cut:
        return GpAnswer.NOT_AVAILABLE
    for permit in decided.permits:
        answer = answers.get((permit.agency, permit.person))
        if answer is None or answer.state not in (AnswerState.FOUND, AnswerState.NOTHING_HELD):
            return decide(without_answer(permit.request)).answer or GpAnswer.NOT_REACHED
    return GpAnswer.NO


#: A record that may or may not be the patient's waits for a data steward.
IN_DOUBT = "MATCH_IN_DOUBT"


def ask_steward(hub: Hub, ctx: RequestContext, patient: Patient, receipt: Receipt) -> None:
    """Once for a person: a data steward settles whose record it is, so that the next check can be answered (P48)."""
    person = patient.member.facts.id
    task = Duty(kind=IN_DOUBT, person=person, receipt=receipt.eid, once=(IN_DOUBT, person))
    write(hub, [task], now=ctx.now)


def as_check(
    hub: Hub, decided: Decided, answers: Answers, redacted: Redacted, receipt: Receipt, grounds: Grounds
) -> GpCheck:
    """The answer as the page shows it. The number is the same for every answer."""
    partners = owners(hub)
    if not partners:
        raise Unavailable("No agency of this partnership answers for care packages.")
    answer = conclude(decided, answers, redacted)
    stamps = [a.as_of for a in answers.values() if a.as_of is not None]
    says_something = answer in (GpAnswer.YES, GpAnswer.NO)
    return GpCheck(
        answer=answer,
        as_of=max(stamps, default=None) if says_something else None,
        phone=partners[0].contact.out_of_hours,
        phone_label=f"{partners[0].name}, day and night",
        receipt=receipt,
        state=STATES[answer],
        coverage=tuple((partner.name, partner.coverage.sentence) for partner in partners),
        grounds=grounds,
    )
