"""Worked cases beside the agreements: short TOML tables that an officer can read, write and have run.

For: showing what an agreement allows and refuses, and proving it with every change. A case states only what
matters; the rest is an ordinary request: a strongly signed-in worker in role, with the relationship named,
no flags and no approvals. It must never be used for a real request. The form is in docs/writing-agreements.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from policies.agreement import SharingAgreement, basis_for
from policies.agreement_files import read_file
from policies.case import (
    Access,
    Actor,
    Basis,
    ConnectorFacts,
    ConsentDecision,
    ConsentRecord,
    DecisionRequest,
    Episode,
    Field,
    GatewayEntry,
    Item,
    Owner,
    Recipient,
    Relationship,
    Scope,
    Seal,
    Subject,
    ThresholdRecord,
)
from policies.rules.facts import months_before
from policies.vocabulary import (
    AccountKind,
    AgencyType,
    Authentication,
    BragRating,
    CapacityStatus,
    ConnectorState,
    ConsentKind,
    ConsentState,
    DataCategory,
    Employment,
    EpisodeState,
    FieldKind,
    GiverCapacity,
    GpAnswer,
    Involvement,
    MatchState,
    Outcome,
    Purpose,
    ReasonCode,
    RelationshipKind,
    RelationToIndex,
    Role,
    SealState,
    SubjectFlag,
    Threshold,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """What a decision needs to know about an agency."""

    code: str
    type: AgencyType
    public_authority: bool
    competent_authority: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkedCase:
    """One line of the table: who asks whom for what, and what the decision is."""

    title: str
    owner: str
    recipient: str
    role: Role
    purpose: Purpose
    category: DataCategory
    offers: frozenset[FieldKind]
    outcome: Outcome
    shows: frozenset[FieldKind] = frozenset()
    rule: str
    answer: GpAnswer | None = None
    on: date = date(2026, 6, 16)
    age: int = field(default=8, metadata={"minimum": 0})
    months_ago: int = field(default=1, metadata={"minimum": 0})
    threshold: Threshold | None = None
    consent_decision: ConsentState | None = None
    reason_code: ReasonCode | None = None
    family_agreed: bool = False
    family_refused: bool = False
    names_category: bool = False
    owner_released: bool = False
    flags: frozenset[SubjectFlag] = frozenset()
    relationship: RelationshipKind = RelationshipKind.ASSIGNED_EPISODE
    involvement: Involvement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agencies:
    agencies: tuple[Agency, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cases:
    case: tuple[WorkedCase, ...]


def load_agencies(path: Path) -> dict[str, Agency]:
    """Read the agencies of the worked cases. Raises AgreementInvalid."""
    return {one.code: one for one in read_file(_Agencies, path).agencies}


def load_cases(path: Path) -> tuple[WorkedCase, ...]:
    """Read one file of worked cases. Raises AgreementInvalid."""
    return read_file(_Cases, path).case


def request_for(
    case: WorkedCase,
    agencies: dict[str, Agency],
    agreements: Iterable[SharingAgreement],
    gateways: tuple[GatewayEntry, ...],
) -> DecisionRequest:
    """Build the ordinary request that a worked case stands for, at noon of its day."""
    agreements = tuple(agreements)
    now = datetime.combine(case.on, time(12), UTC)
    before = now - timedelta(days=1)
    owner, recipient = agencies[case.owner], agencies[case.recipient]
    return DecisionRequest(
        now=now,
        request_hash="RQ-worked",
        actor=Actor(
            id="US-worker",
            agency=recipient.code,
            role=case.role,
            authentication=Authentication.STRONG,
            account=AccountKind.PERSONAL,
            employment=Employment.CURRENT,
            role_from=now - timedelta(days=365),
        ),
        recipient=Recipient(
            agency=recipient.code,
            agency_type=recipient.type,
            role=case.role,
            public_authority=recipient.public_authority,
            competent_authority=recipient.competent_authority,
            basis=basis_for(agreements, recipient.code, case.purpose, case.on) or Basis(),
        ),
        owner=Owner(
            agency=owner.code,
            agency_type=owner.type,
            public_authority=owner.public_authority,
            competent_authority=owner.competent_authority,
            basis=None if owner is recipient else basis_for(agreements, owner.code, case.purpose, case.on) or Basis(),
        ),
        purpose=case.purpose,
        access=Access(rationale="A worked case of the partnership, with a reason of its own"),
        relationship=Relationship(
            kind=case.relationship,
            persons=None if case.relationship == RelationshipKind.NAMED_STATUTORY_ROLE else frozenset({"PE-person"}),
            valid_from=before,
        ),
        subject=Subject(
            id="PE-person",
            date_of_birth=months_before(case.on, case.age * 12 + 1),
            relation_to_index=RelationToIndex.INDEX,
            flags=case.flags,
            capacity=CapacityStatus.PRESUMED,
        ),
        item=Item(
            category=case.category,
            occurred_on=months_before(case.on, case.months_ago),
            fields=tuple(Field(kind.lower(), kind) for kind in sorted(case.offers)),
            involvement=case.involvement,
            seal=Seal(state=SealState.RELEASED) if case.owner_released else Seal(),
        ),
        episode=_episode(case, before),
        gateways=gateways,
        agreements=tuple(one.for_decision() for one in agreements),
        consents=_consents(case, before),
        connector=ConnectorFacts(state=ConnectorState.REACHED, match=MatchState.CONFIRMED),
    )


def _episode(case: WorkedCase, before: datetime) -> Episode | None:
    if case.threshold is None and case.consent_decision is None:
        return None
    decided, reached = None, None
    if case.consent_decision is not None:
        decided = ConsentDecision(
            state=case.consent_decision,
            reason_code=case.reason_code,
            decided_by_role=Role.MASH_DECISION_MAKER,
            decided_at=before,
            review_due=case.on,
        )
    if case.threshold is not None:
        reached = ThresholdRecord(kind=case.threshold, recorded_at=before, recorded_by_role=Role.MASH_DECISION_MAKER)
    return Episode(
        id="EP-case",
        state=EpisodeState.GATHERING,
        brag=BragRating.AMBER,
        opened_at=before,
        threshold=reached,
        consent_decision=decided,
    )


def _consents(case: WorkedCase, before: datetime) -> tuple[ConsentRecord, ...]:
    if not (case.family_agreed or case.family_refused):
        return ()
    own = case.age >= 16
    scope = Scope(categories=frozenset({case.category})) if case.names_category else Scope()
    return tuple(
        ConsentRecord(
            id=f"CO-{number}",
            kind=kind,
            state=ConsentState.REFUSED if case.family_refused else ConsentState.GIVEN_EXPLICIT,
            giver="PE-person" if own else "PE-parent",
            giver_capacity=GiverCapacity.SELF if own else GiverCapacity.PARENT_WITH_PR,
            scope=scope,
            given_at=before,
        )
        for number, kind in enumerate((ConsentKind.CONFIDENTIALITY, ConsentKind.SERVICE_AGREEMENT))
    )
