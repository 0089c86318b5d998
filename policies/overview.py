"""What an agreement allows at a glance: one word for each agency and category, and the decisions behind the word.

For: the register of agreements, where practitioners and officers read it. Every word comes from `decide`, asked about
an ordinary person in a few situations; it must never become a second policy, and never be used for a real request.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from policies.agreement import SharingAgreement
from policies.case import Approval, Decision, DecisionRequest, GatewayEntry
from policies.decide import decide
from policies.rules.facts import PROTECTIVE_PURPOSES
from policies.vocabulary import (
    AgreementStatus,
    ApprovalKind,
    ConsentState,
    DataCategory,
    FieldKind,
    Involvement,
    Outcome,
    PartyStatus,
    Purpose,
    RelationshipKind,
    Role,
    Threshold,
)
from policies.worked import Agency, WorkedCase, request_for


class Word(StrEnum):
    """What happens to an ordinary request; the first that holds."""

    FULL = "FULL"
    PART = "PART"
    INDICATOR = "INDICATOR"
    CONSENT = "CONSENT"
    THRESHOLD = "THRESHOLD"
    RELEASE = "RELEASE"
    NEVER = "NEVER"


class Situation(StrEnum):
    """What is recorded on the case when the question is asked."""

    PLAIN = "PLAIN"
    AGREED = "AGREED"
    THRESHOLD = "THRESHOLD"
    RELEASED = "RELEASED"


#: Purposes that are only claimed once the harm threshold is recorded: it belongs to their ordinary case.
PRESUPPOSE_THRESHOLD = frozenset({Purpose.S47_ENQUIRY, Purpose.STRATEGY_DISCUSSION, Purpose.IMMEDIATE_PROTECTION})
#: How somebody usually is concerned with a person for a purpose; an assigned episode where nothing is said.
USUALLY = {
    Purpose.GP_PACKAGE_CHECK: RelationshipKind.REGISTERED_LIST,
    Purpose.DIRECT_CARE: RelationshipKind.REGISTERED_LIST,
    Purpose.MARAC: RelationshipKind.PANEL_AGENDA,
    Purpose.MAPPA: RelationshipKind.PANEL_AGENDA,
    Purpose.DATA_MATCHING: RelationshipKind.NAMED_STATUTORY_ROLE,
    Purpose.IG_AUDIT: RelationshipKind.NAMED_STATUTORY_ROLE,
    Purpose.PRACTICE_QA: RelationshipKind.NAMED_STATUTORY_ROLE,
    Purpose.SUBJECT_RIGHTS: RelationshipKind.NAMED_STATUTORY_ROLE,
    Purpose.PERFORMANCE: RelationshipKind.NAMED_STATUTORY_ROLE,
    Purpose.EARLY_IDENTIFICATION: RelationshipKind.NAMED_STATUTORY_ROLE,
}
SHOWN = {
    Outcome.PERMIT: Word.FULL,
    Outcome.PERMIT_REDACTED: Word.PART,
    Outcome.INDICATOR_ONLY: Word.INDICATOR,
}
IF = {Situation.AGREED: Word.CONSENT, Situation.THRESHOLD: Word.THRESHOLD, Situation.RELEASED: Word.RELEASE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who asks whom for which category and purpose, about somebody of this age, and which kinds are on offer."""

    owner: Agency
    recipient: Agency
    role: Role
    purpose: Purpose
    category: DataCategory
    offers: frozenset[FieldKind]
    age: int


@dataclass(frozen=True, slots=True)
class Answered:
    """One situation, the request that it makes, and the decision."""

    situation: Situation
    request: DecisionRequest
    decision: Decision


def as_if_in_force(one: SharingAgreement, today: date) -> SharingAgreement:
    """Return the version as it would count today if it were in force; one that nobody signed yet, as if signed."""
    parties = one.parties
    if one.status in (AgreementStatus.DRAFT, AgreementStatus.IN_SIGNING):
        parties = tuple(
            replace(party, status=PartyStatus.SIGNED) if party.status == PartyStatus.NOT_SIGNED else party
            for party in parties
        )
    ends = one.expires_on if one.expires_on is None or one.expires_on >= today else today
    head = replace(
        one.head,
        status=AgreementStatus.ACTIVE,
        effective_from=min(one.effective_from, today),
        expires_on=ends,
        parties=parties,
    )
    return replace(one, head=head)


def answers(
    question: Question, agreements: Iterable[SharingAgreement], gateways: tuple[GatewayEntry, ...], today: date
) -> tuple[Answered, ...]:
    """Ask `decide` in every situation that the purpose knows, from the ordinary one on."""
    agreements = tuple(agreements)
    found = []
    for situation in Situation:
        if situation == Situation.THRESHOLD and not _can_reach_threshold(question.purpose):
            continue
        request = _request(question, situation, agreements, gateways, today)
        found.append(Answered(situation, request, decide(request)))
    return tuple(found)


def word(answered: Iterable[Answered]) -> Word:
    """Return the first word that holds; where a person has to decide each time, it is the one for a release.

    What no clause lists is never shared under the agreement, though an owner may decide once without any (P04).
    """
    answered = tuple(answered)
    for one in answered:
        if one.decision.outcome in SHOWN:
            return SHOWN[one.decision.outcome] if one.situation == Situation.PLAIN else IF[one.situation]
    asked = any(one.decision.outcome == Outcome.REFER and "P04" not in one.decision.rules for one in answered)
    return Word.RELEASE if asked else Word.NEVER


def _can_reach_threshold(purpose: Purpose) -> bool:
    return purpose in PROTECTIVE_PURPOSES and purpose not in PRESUPPOSE_THRESHOLD


def _request(
    question: Question,
    situation: Situation,
    agreements: tuple[SharingAgreement, ...],
    gateways: tuple[GatewayEntry, ...],
    today: date,
) -> DecisionRequest:
    protective = question.purpose in PROTECTIVE_PURPOSES
    reached = question.purpose in PRESUPPOSE_THRESHOLD or (
        protective and situation in (Situation.THRESHOLD, Situation.RELEASED)
    )
    agreed = situation in (Situation.AGREED, Situation.RELEASED)
    case = WorkedCase(
        title="",
        owner=question.owner.code,
        recipient=question.recipient.code,
        role=question.role,
        purpose=question.purpose,
        category=question.category,
        offers=question.offers,
        outcome=Outcome.DENY,
        rule="",
        on=today,
        age=question.age,
        months_ago=0,
        threshold=Threshold.S47_DECISION if reached else None,
        consent_decision=ConsentState.GIVEN_EXPLICIT if agreed and protective else None,
        family_agreed=agreed,
        names_category=agreed,
        owner_released=situation == Situation.RELEASED,
        relationship=USUALLY.get(question.purpose, RelationshipKind.ASSIGNED_EPISODE),
        involvement=Involvement.CURRENT if question.purpose == Purpose.GP_PACKAGE_CHECK else None,
    )
    both = {one.code: one for one in (question.owner, question.recipient)}
    request = request_for(case, both, agreements, gateways)
    return _released(request, question) if situation == Situation.RELEASED else request


def _released(request: DecisionRequest, question: Question) -> DecisionRequest:
    """The same request with the owner's release for it, given an hour before."""
    given = datetime.combine(request.now.date(), time(11), UTC)
    release = Approval(
        kind=ApprovalKind.OWNER_RELEASE,
        by="US-owner",
        by_agency=question.owner.code,
        by_role=Role.CALDICOTT_GUARDIAN,
        for_request=request.request_hash,
        for_subject=request.subject.id,
        given_at=given,
        expires_at=given + timedelta(hours=4),
    )
    return replace(request, approvals=(release,))
