"""Who can decide for whom: competence and capacity as assessed, parental responsibility and legal status as recorded.

For: whose answer counts (rules P16 to P19). Must never be updated: a newer row counts, and a fact that ended is a row
that follows the old one. Sources: Gillick v West Norfolk AHA [1986] AC 112; Mental Capacity Act 2005 ss1 to 3;
Children Act 1989 ss2 to 4A, 12, 14C, 33; the legal status codes are those of the SSDA903 return.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consent.errors import ConsentError
from consent.tables import consent_assessments, consent_standings
from policies.vocabulary import CapacityStatus, DataCategory, GillickStatus, LegalStatus, Role

#: Who may assess whether a young person is competent, or an adult has capacity: those who are trained for it.
ASSESSORS = frozenset(
    {
        Role.MASH_DECISION_MAKER,
        Role.MASH_SOCIAL_WORKER,
        Role.SOCIAL_WORKER,
        Role.ADULT_SOCIAL_WORKER,
        Role.EDT_WORKER,
        Role.SAFEGUARDING_NURSE,
        Role.HEALTH_VISITOR,
        Role.CAMHS_PRACTITIONER,
        Role.SUBSTANCE_WORKER,
        Role.GP_CLINICIAN,
    }
)


class AssessmentKind(StrEnum):
    """What was assessed."""

    COMPETENCE = "COMPETENCE"
    CAPACITY = "CAPACITY"


class StandingKind(StrEnum):
    """Which kind of fact."""

    PARENTAL_RESPONSIBILITY = "PARENTAL_RESPONSIBILITY"
    LEGAL_STATUS = "LEGAL_STATUS"


class ParentalSource(StrEnum):
    """How somebody has parental responsibility (Children Act 1989; Adoption and Children Act 2002)."""

    MOTHER = "MOTHER"
    MARRIED_PARENT = "MARRIED_PARENT"
    REGISTERED_PARENT = "REGISTERED_PARENT"
    AGREEMENT = "AGREEMENT"
    COURT_ORDER = "COURT_ORDER"
    SPECIAL_GUARDIAN = "SPECIAL_GUARDIAN"
    ADOPTION = "ADOPTION"


#: What an assessment of each kind may find.
FINDINGS = {
    AssessmentKind.COMPETENCE: frozenset({GillickStatus.COMPETENT, GillickStatus.NOT_COMPETENT}),
    AssessmentKind.CAPACITY: frozenset({CapacityStatus.HAS, CapacityStatus.LACKS, CapacityStatus.FLUCTUATING}),
}


@dataclass(frozen=True, slots=True)
class Assessment:
    """One assessment. `categories` None: for decisions about sharing as a whole. `sealed_reasons` is opaque here."""

    subject: str
    kind: AssessmentKind
    status: str
    categories: tuple[DataCategory, ...] | None
    assessed_at: datetime
    assessed_by: str
    assessed_by_role: Role
    assessed_by_agency: str
    review_due: date | None
    sealed_reasons: bytes
    id: str = ""


@dataclass(frozen=True, slots=True)
class StandingFact:
    """One fact: `code` is a ParentalSource with its `holder`, or a LegalStatus. Both days are included."""

    subject: str
    kind: StandingKind
    code: str
    starts: date
    ends: date | None = None
    holder: str | None = None
    follows: str | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is on record about one person: competences newest first; `lost_responsibility` are former holders."""

    capacity: CapacityStatus = CapacityStatus.PRESUMED
    competences: tuple[tuple[GillickStatus, frozenset[DataCategory] | None], ...] = ()
    legal_status: LegalStatus | None = None
    responsible: frozenset[str] = frozenset()
    lost_responsibility: frozenset[str] = frozenset()

    def competence_for(self, category: DataCategory) -> tuple[GillickStatus, frozenset[DataCategory] | None]:
        """The newest assessment that speaks of this category, or that nobody assessed it."""
        for status, categories in self.competences:
            if categories is None or category in categories:
                return status, categories
        return GillickStatus.NOT_ASSESSED, None


def record_assessment(session: Session, assessment: Assessment) -> Assessment:
    """Stores an assessment and returns it with its id.

    Raises ConsentError for somebody who is not trained to assess, or a finding that the kind does not have.
    """
    if assessment.assessed_by_role not in ASSESSORS:
        raise ConsentError("This is assessed by a social worker, a nurse, a doctor or a specialist worker.")
    if assessment.status not in FINDINGS[assessment.kind]:
        raise ConsentError("Choose what the assessment found.")
    stored = replace(assessment, id="AS-" + secrets.token_hex(8))
    session.execute(
        insert(consent_assessments).values(
            id=stored.id,
            subject=stored.subject,
            kind=stored.kind,
            status=stored.status,
            categories=None if stored.categories is None else [str(c) for c in stored.categories],
            assessed_at=stored.assessed_at,
            assessed_by=stored.assessed_by,
            assessed_by_role=stored.assessed_by_role,
            assessed_by_agency=stored.assessed_by_agency,
            review_due=stored.review_due,
            sealed_reasons=stored.sealed_reasons,
        )
    )
    return stored


def record_standing(session: Session, fact: StandingFact, *, by: str, now: datetime) -> StandingFact:
    """Stores a fact and returns it with its id.

    Raises ConsentError when it ends before it starts, names no holder of parental responsibility, or follows a
    fact that another one follows already.
    """
    if fact.ends is not None and fact.ends < fact.starts:
        raise ConsentError("It cannot end before it starts.")
    if fact.kind == StandingKind.PARENTAL_RESPONSIBILITY:
        ParentalSource(fact.code)
        if fact.holder is None or fact.holder == fact.subject:
            raise ConsentError("Choose who holds parental responsibility.")
    else:
        LegalStatus(fact.code)
    stored = replace(fact, id="SF-" + secrets.token_hex(8))
    try:
        session.execute(
            insert(consent_standings).values(
                id=stored.id,
                follows=stored.follows,
                subject=stored.subject,
                kind=stored.kind,
                holder=stored.holder,
                code=stored.code,
                starts=stored.starts,
                ends=stored.ends,
                recorded_at=now,
                recorded_by=by,
            )
        )
    except IntegrityError as error:
        raise ConsentError("This was already changed by somebody else.") from error
    return stored


def standings_of(session: Session, persons: Iterable[str], *, now: datetime) -> dict[str, Standing]:
    """What is on record about each person today."""
    wanted = list(persons)
    assessed: dict[str, list[Assessment]] = {person: [] for person in wanted}
    for one in assessments_of(session, wanted, until=now):
        assessed[one.subject].append(one)
    held: dict[str, list[StandingFact]] = {person: [] for person in wanted}
    for fact in standing_facts_of(session, wanted):
        held[fact.subject].append(fact)
    return {person: _standing(assessed[person], held[person], now.date()) for person in wanted}


def assessments_of(session: Session, persons: Iterable[str], *, until: datetime) -> tuple[Assessment, ...]:
    """Every assessment of these persons that is not later than a moment, newest first."""
    a = consent_assessments.c
    rows = session.execute(
        select(consent_assessments)
        .where(a.subject.in_(list(persons)), a.assessed_at <= until)
        .order_by(a.assessed_at.desc(), a.id.desc())
    ).mappings()
    return tuple(
        Assessment(
            subject=row["subject"],
            kind=AssessmentKind(row["kind"]),
            status=row["status"],
            categories=None if row["categories"] is None else tuple(DataCategory(c) for c in row["categories"]),
            assessed_at=row["assessed_at"],
            assessed_by=row["assessed_by"],
            assessed_by_role=Role(row["assessed_by_role"]),
            assessed_by_agency=row["assessed_by_agency"],
            review_due=row["review_due"],
            sealed_reasons=row["sealed_reasons"],
            id=row["id"],
        )
        for row in rows
    )


def standing_facts_of(session: Session, persons: Iterable[str]) -> tuple[StandingFact, ...]:
    """The facts of these persons that no other one follows, the latest start first."""
    s = consent_standings.c
    followed = select(s.follows).where(s.follows.is_not(None))
    rows = session.execute(
        select(consent_standings)
        .where(s.subject.in_(list(persons)), s.id.not_in(followed))
        .order_by(s.starts.desc(), s.recorded_at.desc(), s.id)
    ).mappings()
    return tuple(
        StandingFact(
            subject=row["subject"],
            kind=StandingKind(row["kind"]),
            code=row["code"],
            starts=row["starts"],
            ends=row["ends"],
            holder=row["holder"],
            follows=row["follows"],
            id=row["id"],
        )
        for row in rows
    )


def _standing(assessed: list[Assessment], held: list[StandingFact], today: date) -> Standing:
    capacity = next(
        (CapacityStatus(a.status) for a in assessed if a.kind == AssessmentKind.CAPACITY), CapacityStatus.PRESUMED
    )
    competences = tuple(
        (GillickStatus(a.status), None if a.categories is None else frozenset(a.categories))
        for a in assessed
        if a.kind == AssessmentKind.COMPETENCE
    )
    current = [f for f in held if f.starts <= today and (f.ends is None or today <= f.ends)]
    parental = [f for f in held if f.kind == StandingKind.PARENTAL_RESPONSIBILITY]
    responsible = frozenset(f.holder for f in current if f in parental and f.holder)
    return Standing(
        capacity=capacity,
        competences=competences,
        legal_status=next((LegalStatus(f.code) for f in current if f.kind == StandingKind.LEGAL_STATUS), None),
        responsible=responsible,
        lost_responsibility=frozenset(f.holder for f in parental if f.holder) - responsible,
    )
