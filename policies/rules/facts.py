"""The terms of the rules, worked out once per decision, and what a rule can find.

For: `Facts`, the request together with today, age, partner access, valid approvals, matching clauses and
so on, so that each rule reads like its sentence. It must never decide anything. Ruled by section 1 of the
partnership's decision rules.
"""

import calendar
import functools
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple, assert_never

from policies.case import Agreement, Approval, Clause, ConsentDecision, DecisionRequest, Field
from policies.vocabulary import (
    AgencyType,
    AgreementStatus,
    ApprovalKind,
    DataCategory,
    DataSubject,
    FieldKind,
    GillickStatus,
    GpAnswer,
    Obligation,
    ProhibitedPurpose,
    Purpose,
    RelationshipKind,
    Role,
    StatutoryGateway,
    SubjectFlag,
    at_hand,
)

DESK_PURPOSES = frozenset(
    {
        Purpose.IG_AUDIT,
        Purpose.SUBJECT_RIGHTS,
        Purpose.PRACTICE_QA,
        Purpose.PERFORMANCE,
        Purpose.EARLY_IDENTIFICATION,
        Purpose.DATA_MATCHING,
    }
)
PROTECTIVE_PURPOSES = frozenset(
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
HEALTH_AGENCIES = frozenset(
    {
        AgencyType.ACUTE_TRUST,
        AgencyType.AMBULANCE,
        AgencyType.CAMHS,
        AgencyType.GP_PRACTICE,
        AgencyType.HEALTH_VISITING_0_19,
        AgencyType.ICB,
        AgencyType.SUBSTANCE_MISUSE,
    }
)
SOCIAL_CARE_AGENCIES = frozenset({AgencyType.ADULT_SOCIAL_CARE, AgencyType.CHILDRENS_SOCIAL_CARE})
SPECIAL_CATEGORY_DATA = frozenset(
    {
        DataCategory.ASC_PACKAGE,
        DataCategory.HEALTH_SUMMARY,
        DataCategory.MENTAL_HEALTH,
        DataCategory.SEXUAL_REPRODUCTIVE_HEALTH,
        DataCategory.SOCIAL_CARE_NARRATIVE,
        DataCategory.SUBSTANCE_MISUSE,
    }
)
OFFENCE_DATA = frozenset(
    {
        DataCategory.CRIMINAL_OFFENCE,
        DataCategory.MAPPA,
        DataCategory.MARAC_DA,
        DataCategory.POLICE_INCIDENT,
        DataCategory.POLICE_INTELLIGENCE,
    }
)
SENSITIVE_SERVICES = frozenset(
    {DataCategory.SUBSTANCE_MISUSE, DataCategory.MENTAL_HEALTH, DataCategory.SEXUAL_REPRODUCTIVE_HEALTH}
)
RELATIONSHIPS = frozenset(RelationshipKind) - {RelationshipKind.SELF_CLAIMED, RelationshipKind.NONE}
CASE_DUTIES = frozenset(
    {
        RelationshipKind.ASSIGNED_EPISODE,
        RelationshipKind.CASELOAD,
        RelationshipKind.PANEL_AGENDA,
        RelationshipKind.NAMED_STATUTORY_ROLE,
    }
)
SHIELD_FLAGS = frozenset({SubjectFlag.SHIELDED, SubjectFlag.FLEEING_DA})
APPROVAL_LASTS = timedelta(hours=4)
BREAK_GLASS_LASTS = timedelta(hours=4)
ADEQUATE_CHARACTERS, ADEQUATE_WORDS = 20, 4


class Level(IntEnum):
    """How a finding weighs; the highest wins. ALLOW: the rule was asked and is satisfied."""

    ALLOW = 0
    INDICATOR = 1
    REFER = 2
    DENY = 3
    SILENT = 4


at_hand(Level)


class Finding(NamedTuple):
    """What one rule found. Obligations of an ALLOW hold whenever something is shown."""

    level: Level
    rules: tuple[str, ...]
    obligations: frozenset[Obligation] = frozenset()
    liftable: bool = False
    answer: GpAnswer | None = None


Findings = tuple[Finding, ...]
NOTHING: Findings = ()
#: The same finding is made once: what the same findings come to need not be worked out again.
finding = functools.lru_cache(maxsize=4096)(Finding)


class Position(NamedTuple):
    """Where consent of one kind stands now, the rule that explains it, and on whose yes it rests."""

    name: str
    rule: str
    by_authority: bool = False
    best_interests: bool = False
    names_category: bool = False
    conflicted_refusal: bool = False


@functools.lru_cache(maxsize=1024)
def adequate(text: str | None) -> bool:
    """At least 20 characters after trimming and at least four words."""
    return text is not None and len(text.strip()) >= ADEQUATE_CHARACTERS and len(text.split()) >= ADEQUATE_WORDS


def years_between(born: date, today: date) -> int:
    """Completed years; somebody born on 29 February is a year older on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


@functools.lru_cache(maxsize=1024)
def months_before(today: date, months: int) -> date:
    """Return the day that many calendar months ago; where the month has no such day, its last."""
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    if year < 1:
        return date.min
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def holds(now: datetime, first: datetime | None, until: datetime | None) -> bool:
    """Is `now` in the instant range? Its start belongs to it, its end does not; no start is never in range."""
    return first is not None and first <= now and (until is None or now < until)


class Occasion:
    """What makes a rule worth asking, as bits: a rule that is asked on an occasion finds nothing without it."""

    PARTNER = 1  # the owner is another agency
    TIED = 2  # the user has a conflict
    APPROVED = 4  # an approval is presented
    FLAGGED = 8  # the person has a flag
    ANSWERED = 16  # an answer about consent is on file
    ONWARD = 32  # the actor is neither owner nor recipient
    ENDED = 64  # the episode was closed, now or some time
    OVERSEER = 128  # an audit role or an administrator takes part
    THRESHOLD = 512  # the threshold is reached, and an answer or a decision about consent is on file
    BELOW_THRESHOLD = 1024  # a protective purpose, the threshold is not reached
    REFERRER = 2048  # the user made the referral
    EMERGENCY = 4096  # break-glass is used
    SPECIAL = 256  # the item is sealed, handled, a product, research or a marker


class Facts:
    """The request and the terms of the rules that follow from it.

    First what holds whatever the item is, then what the item brings; `turn_to` works out the second part alone.
    """

    __slots__ = (
        "_agreed",
        "_approvals",
        "_hides",
        "_steady",
        "adult",
        "age",
        "break_glass_valid",
        "category",
        "clauses",
        "competence",
        "consent_counts",
        "content",
        "deceased",
        "decision",
        "decision_maker",
        "desk",
        "gp_check",
        "kinds",
        "lawful",
        "marker_request",
        "now",
        "occasions",
        "onward",
        "open_case",
        "partner",
        "positions",
        "protective",
        "purpose",
        "reaching",
        "receiving_role",
        "related",
        "request",
        "shielded",
        "sixteen",
        "threshold",
        "today",
    )

    def __init__(self, request: DecisionRequest) -> None:
        if request.now.tzinfo is None:
            raise ValueError("now has no UTC offset")
        self.request = request
        now = self.now = request.now
        today = self.today = now.date()
        owner, recipient, actor = request.owner.agency, request.recipient.agency, request.actor.agency
        purpose = self.purpose = request.purpose
        subject, episode = request.subject, request.episode
        partner = self.partner = owner != recipient
        self.onward = actor != owner and actor != recipient
        self.receiving_role = request.actor.role if self.onward else request.recipient.role
        self.age = None if subject.date_of_birth is None else years_between(subject.date_of_birth, today)
        # The unborn and cohorts have no age: they count as children, never as sixteen or more.
        self.adult = self.age is not None and self.age >= 18
        self.sixteen = self.age is not None and self.age >= 16
        self.desk = purpose in DESK_PURPOSES
        self.protective = purpose in PROTECTIVE_PURPOSES
        self.gp_check = purpose == Purpose.GP_PACKAGE_CHECK
        self.decision_maker = request.recipient.role == Role.MASH_DECISION_MAKER
        self.deceased = SubjectFlag.DECEASED in subject.flags
        self.decision: ConsentDecision | None = None if episode is None else episode.consent_decision
        self.threshold = (
            self.protective
            and episode is not None
            and episode.threshold is not None
            and episode.threshold.recorded_at <= now
        )
        self.open_case = (
            partner and purpose == Purpose.MASH_SCREENING and episode is not None and episode.open_case_elsewhere
        )
        self.consent_counts = partner and not self.desk and not self.deceased
        self.related = self._is_related()
        broken = request.break_glass
        self.break_glass_valid = (
            broken is not None
            and broken.imminent_risk
            and broken.declared_at <= now < broken.declared_at + BREAK_GLASS_LASTS
            and adequate(broken.reason)
        )
        self._approvals: Mapping[ApprovalKind, list[Approval]] = self._valid_approvals() if request.approvals else {}
        self._agreed = self._agreements(owner, actor if self.onward else recipient) if partner else ()
        self._hides = not SHIELD_FLAGS.isdisjoint(subject.flags)
        self._steady = self._occasions()
        self.positions: dict[str, Position] = {}
        self.lawful: dict[tuple[bool, bool], Findings] = {}
        self.turn_to(request)

    def turn_to(self, request: DecisionRequest) -> None:
        """Work out the terms of a request that has the very same parts as the last one, all but its item."""
        self.request = request
        item = request.item
        category = self.category = item.category
        self.content = category != DataCategory.AUDIT_METADATA
        self.kinds = item.kinds
        self.marker_request = item.kinds == ONLY_MARKER
        self.occasions = self._steady if item.plain else self._steady | Occasion.SPECIAL
        self.shielded = self._hides and self.content
        competent = request.subject.gillick
        self.competence = (
            competent.status
            if competent.categories is None or category in competent.categories
            else GillickStatus.NOT_ASSESSED
        )
        self.clauses = self.reaching = self._matching_clauses() if self._agreed else ()
        if self.clauses:
            self.reaching = tuple([clause for clause in self.clauses if self._reaches(clause)])
        if request.consents:
            self.positions.clear()

    def _occasions(self) -> int:
        request = self.request
        episode, roles = request.episode, (request.actor.role, request.recipient.role)
        return (
            (Occasion.PARTNER if self.partner else 0)
            | (Occasion.TIED if request.actor.conflicts else 0)
            | (Occasion.APPROVED if request.approvals else 0)
            | (Occasion.FLAGGED if request.subject.flags else 0)
            | (Occasion.ANSWERED if request.consents else 0)
            | (Occasion.ONWARD if self.onward else 0)
            | (Occasion.ENDED if episode is not None and episode.closed_at is not None else 0)
            | (Occasion.REFERRER if request.relationship.kind == RelationshipKind.REFERRER else 0)
            | (Occasion.THRESHOLD if self.threshold and (request.consents or self.decision) else 0)
            | (Occasion.BELOW_THRESHOLD if self.protective and not self.threshold else 0)
            | (0 if OVERSEERS.isdisjoint(roles) else Occasion.OVERSEER)
        )

    def _is_related(self) -> bool:
        """P03: does a legitimate relationship to this person exist now?"""
        why = self.request.relationship
        if self.gp_check:
            if why.kind != RelationshipKind.REGISTERED_LIST:
                return False
        elif why.kind not in RELATIONSHIPS:
            return False
        if not holds(self.now, why.valid_from, why.valid_until):
            return False
        if why.persons is None:
            return why.kind == RelationshipKind.NAMED_STATUTORY_ROLE
        return self.request.subject.id in why.persons

    def _agreements(self, owner: str, receiver: str) -> tuple[Agreement, ...]:
        """P04: the versions in force for this purpose that both sides have signed, as discloser and as recipient."""
        return tuple(
            [
                one
                for one in self.request.agreements
                if self.purpose in one.purposes
                and owner in one.disclosers
                and receiver in one.recipients
                and self._in_force(one, self.today)
            ]
        )

    def _matching_clauses(self) -> tuple[Clause, ...]:
        """P04: the clauses that list this flow, for this role and this age."""
        flow, role = (self.category, self.purpose), self.receiving_role
        whom = DataSubject.ADULT if self.adult else DataSubject.CHILD
        return tuple(
            [
                clause
                for one in self._agreed
                for clause in one.flows.get(flow, ())
                if role in clause.recipient_roles and whom in clause.data_subjects
            ]
        )

    def _in_force(self, one: Agreement, today: date) -> bool:
        """P04: active, started, not expired, and the highest such version of its reference."""
        if one.status != AgreementStatus.ACTIVE or one.effective_from > today:
            return False
        if one.expires_on is not None and one.expires_on < today:
            return False
        for other in self.request.agreements:
            if (
                other.version > one.version
                and other.reference == one.reference
                and other.status == AgreementStatus.ACTIVE
                and other.effective_from <= today
            ):
                return False
        return True

    def _reaches(self, clause: Clause) -> bool:
        """P09 (b): does the clause look back far enough?"""
        months = clause.lookback_months
        return months is None or self.request.item.occurred_on >= months_before(self.today, months)

    def _valid_approvals(self) -> dict[ApprovalKind, list[Approval]]:
        valid: dict[ApprovalKind, list[Approval]] = {}
        for one in self.request.approvals:
            if (
                not self.misused(one)
                and one.given_at <= self.now < min(one.expires_at, one.given_at + APPROVAL_LASTS)
                and not one.by_conflicts
                and self._has_authority(one)
            ):
                valid.setdefault(one.kind, []).append(one)
        return valid

    def misused(self, one: Approval) -> bool:
        """P37: given by the actor, or for another request or another person."""
        request = self.request
        return (
            one.by == request.actor.id
            or one.for_request != request.request_hash
            or one.for_subject != request.subject.id
        )

    def _has_authority(self, one: Approval) -> bool:
        """P37: may this person give this kind of approval?"""
        owner = self.request.owner
        of_owner = one.by_agency == owner.agency
        match one.kind:
            case ApprovalKind.OVERRIDE:
                return one.by_role == Role.MASH_DECISION_MAKER
            case ApprovalKind.OWNER_RELEASE:
                if self.purpose == Purpose.CRIME and owner.agency_type in HEALTH_AGENCIES:
                    return of_owner and one.by_role == Role.CALDICOTT_GUARDIAN
                return of_owner
            case ApprovalKind.CODE_C_RELEASE:
                return of_owner and one.by_role == Role.POLICE_MASH_SUPERVISOR
            case ApprovalKind.ONE_OFF:
                return of_owner and one.call_back_verified
            case ApprovalKind.SAR_RELEASE:
                return one.by_role in (Role.DPO, Role.CALDICOTT_GUARDIAN)
        assert_never(one.kind)

    def approved(self, kind: ApprovalKind) -> bool:
        """Is a valid approval of this kind present?"""
        return kind in self._approvals

    def approves(self, kind: ApprovalKind, offered: Field) -> bool:
        """Does a valid approval of this kind open this field: as a whole, or because it lists it?"""
        return any(one.fields is None or offered.name in one.fields for one in self._approvals.get(kind, ()))

    def names(self, kind: ApprovalKind, offered: Field) -> bool:
        """Does a valid approval of this kind list this very field?"""
        return any(one.fields is not None and offered.name in one.fields for one in self._approvals.get(kind, ()))

    def absent(self, kind: ApprovalKind, *rules: str) -> tuple[str, ...]:
        """Return the rules of a missing approval; P37 too when one was presented that is not valid."""
        if self.request.approvals and any(one.kind == kind for one in self.request.approvals):
            return (*rules, "P37")
        return rules

    def in_force(self, code: StatutoryGateway) -> bool:
        """P07: does this gateway exist today? Only the dates of the request count."""
        today = self.today
        for entry in self.request.gateways:
            if (
                entry.code == code
                and entry.effective_from is not None
                and entry.effective_from <= today
                and (entry.effective_to is None or today <= entry.effective_to)
            ):
                return True
        return False


ONLY_MARKER = frozenset({FieldKind.HELD_MARKER})
AUDIT_ROLES = frozenset({Role.IG_OFFICER, Role.PRIVACY_OFFICER})
OVERSEERS = AUDIT_ROLES | {Role.SYSTEM_ADMIN}
PROHIBITED_PURPOSES = frozenset(ProhibitedPurpose)
