"""The decision request: one person, one item of one category, one actor, one purpose, one moment.

For: everything that `decide` may know; it looks nowhere else. Requests come from JSON (`from_json`,
strict) or are built directly by the hub. A request must never hold names, addresses or content: all
identifiers are opaque and only compared. Ruled by the partnership's decision contract.

`now` carries a UTC offset; its calendar date as written is "today", so build it in London time.
"""

import itertools
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from policies.form import FormError, read, write
from policies.vocabulary import (
    AccessMode,
    AccountKind,
    AgencyType,
    AgreementStatus,
    ApprovalKind,
    Article6Basis,
    Article9Condition,
    Article10Condition,
    Authentication,
    BragRating,
    CapacityStatus,
    Circumstance,
    ClosedBy,
    Conflict,
    ConnectorState,
    ConsentKind,
    ConsentState,
    DataCategory,
    DataSubject,
    Employment,
    EpisodeState,
    FieldKind,
    GillickStatus,
    GiverCapacity,
    GpAnswer,
    HandlingCode,
    InformChoice,
    Involvement,
    ItemForm,
    LegalStatus,
    MatchState,
    Obligation,
    Outcome,
    Para18Reason,
    PartyRole,
    PartyStatus,
    ProhibitedPurpose,
    Purpose,
    ReasonCode,
    Regime,
    RelationshipKind,
    RelationToIndex,
    RliCondition,
    Role,
    SarRequester,
    Schedule1Condition,
    Schedule8Condition,
    SealState,
    StatutoryGateway,
    SubjectFlag,
    Threshold,
)

_ID = {"pattern": re.compile(r"[A-Za-z0-9][A-Za-z0-9:._#-]{0,199}", re.ASCII)}
_FIELD_NAME = {"pattern": re.compile(r"[a-z][a-z0-9_]*", re.ASCII)}
_COUNT = {"minimum": 0}
_AT_LEAST_ONE = {"minimum": 1}


class RequestInvalid(ValueError):
    """A decision request that does not have the agreed form; `path` says where, never what was written there."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The signed-in person."""

    id: str = field(metadata=_ID)
    agency: str = field(metadata=_ID)
    role: Role
    authentication: Authentication
    account: AccountKind
    employment: Employment
    role_from: datetime
    role_until: datetime | None = None
    conflicts: frozenset[Conflict] = frozenset()
    on_assigned_team: bool = False
    perpetrator_facing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The lawful basis that one side claims."""

    regime: Regime = Regime.UK_GDPR
    art6: Article6Basis | None = None
    rli_condition: RliCondition | None = None
    art9: Article9Condition | None = None
    sch1: Schedule1Condition | None = None
    apd: bool = False
    art10: Article10Condition | None = None
    sch8: Schedule8Condition | None = None
    para18_reason: Para18Reason | None = None
    gateways: frozenset[StatutoryGateway] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The side that receives; in a pull it is the actor's agency and role."""

    agency: str = field(metadata=_ID)
    agency_type: AgencyType
    role: Role
    public_authority: bool
    competent_authority: bool
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The agency whose information it is; `basis` is None when it is also the recipient."""

    agency: str = field(metadata=_ID)
    agency_type: AgencyType
    public_authority: bool
    competent_authority: bool
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How, and in the user's words why, information is asked for."""

    mode: AccessMode = AccessMode.VIEW
    rationale: str = ""
    case_reference: str | None = None
    sampled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """Why the actor may be concerned with these persons; `persons` None covers everybody (statutory roles only)."""

    kind: RelationshipKind = RelationshipKind.NONE
    persons: frozenset[str] | None = field(default=frozenset(), metadata=_ID)
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gillick:
    """Competence of a child, for some categories or (None) for this decision as a whole."""

    status: GillickStatus = GillickStatus.NOT_APPLICABLE
    categories: frozenset[DataCategory] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The one person the information is about; no `date_of_birth` means unborn, or a cohort."""

    id: str = field(metadata=_ID)
    date_of_birth: date | None
    relation_to_index: RelationToIndex
    flags: frozenset[SubjectFlag] = frozenset()
    legal_status: LegalStatus | None = None
    capacity: CapacityStatus = CapacityStatus.PRESUMED
    gillick: Gillick = Gillick()


@dataclass(frozen=True, slots=True)
class Field:
    """One field on offer."""

    name: str = field(metadata=_FIELD_NAME)
    kind: FieldKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The owner's release state."""

    state: SealState = SealState.OPEN
    due_at: datetime | None = None
    withheld_reason: str | None = None
    senior_sign_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Intelligence:
    """Police handling code."""

    code: HandlingCode
    sanitised: bool = False
    conditions_met: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece of information of one category; what its fields come to is worked out once."""

    category: DataCategory
    form: ItemForm = ItemForm.RECORD
    episode: str | None = field(default=None, metadata=_ID)
    occurred_on: date
    fields: tuple[Field, ...]
    involvement: Involvement | None = None
    seal: Seal = Seal()
    intelligence: Intelligence | None = None
    court_permission_for: Purpose | None = None
    anonymous_access_service: bool = False
    signed_off_by: Role | None = None
    kinds: frozenset[FieldKind] = field(init=False, repr=False, compare=False)
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    plain: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out the kinds and names on offer, and whether this is an open record like any other."""
        kinds = frozenset([offered.kind for offered in self.fields])
        ordinary = self.form == ItemForm.RECORD and self.seal.state == SealState.OPEN and self.intelligence is None
        object.__setattr__(self, "kinds", kinds)
        object.__setattr__(self, "names", tuple(sorted({offered.name for offered in self.fields})))
        object.__setattr__(self, "plain", ordinary and FieldKind.HELD_MARKER not in kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdRecord:
    """The recorded decision that the harm threshold is reached."""

    kind: Threshold
    recorded_at: datetime
    recorded_by_role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDecision:
    """What was decided about asking for consent, and about telling the person."""

    state: ConsentState
    reason_code: ReasonCode | None = None
    decided_by_role: Role
    decided_at: datetime
    review_due: date | None = None
    inform: InformChoice = InformChoice.INFORM
    inform_reason: ReasonCode | None = None
    inform_owner: str | None = field(default=None, metadata=_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """The MASH or panel episode."""

    id: str = field(metadata=_ID)
    state: EpisodeState
    brag: BragRating
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: ClosedBy | None = None
    open_case_elsewhere: bool = False
    threshold: ThresholdRecord | None = None
    consent_decision: ConsentDecision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEntry:
    """When a statutory gateway is in force; without `effective_from` it does not exist yet."""

    code: StatutoryGateway
    effective_from: date | None
    effective_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One agency's part in an agreement."""

    agency: str = field(metadata=_ID)
    role: PartyRole
    status: PartyStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What may flow: purposes x recipient roles x categories x data subjects x field kinds."""

    purposes: frozenset[Purpose]
    recipient_roles: frozenset[Role]
    categories: frozenset[DataCategory]
    data_subjects: frozenset[DataSubject]
    field_kinds: frozenset[FieldKind]
    lookback_months: int | None = field(default=None, metadata=_AT_LEAST_ONE)
    onward_to: frozenset[str] = field(default=frozenset(), metadata=_ID)
    shield_reveal_roles: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One version of a sharing agreement; who may disclose and receive is worked out once."""

    reference: str
    version: int = field(metadata=_AT_LEAST_ONE)
    status: AgreementStatus
    effective_from: date
    expires_on: date | None = None
    parties: tuple[Party, ...]
    clauses: tuple[Clause, ...]
    disclosers: frozenset[str] = field(init=False, repr=False, compare=False)
    recipients: frozenset[str] = field(init=False, repr=False, compare=False)
    purposes: frozenset[Purpose] = field(init=False, repr=False, compare=False)
    flows: dict[tuple[str, str], tuple[Clause, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out the signed agencies on each side, and the clauses of each category and purpose."""
        signed = [p for p in self.parties if p.status == PartyStatus.SIGNED]
        object.__setattr__(self, "disclosers", frozenset(p.agency for p in signed if p.role != PartyRole.RECIPIENT))
        object.__setattr__(self, "recipients", frozenset(p.agency for p in signed if p.role != PartyRole.DISCLOSER))
        flows: dict[tuple[str, str], tuple[Clause, ...]] = {}
        for clause in self.clauses:
            for flow in itertools.product(clause.categories, clause.purposes):
                flows[flow] = (*flows.get(flow, ()), clause)
        object.__setattr__(self, "flows", flows)
        object.__setattr__(self, "purposes", frozenset().union(*[clause.purposes for clause in self.clauses]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an answer covers; None means not limited in this respect."""

    agencies: frozenset[str] | None = field(default=None, metadata=_ID)
    categories: frozenset[DataCategory] | None = None
    purposes: frozenset[Purpose] | None = None
    persons: frozenset[str] | None = field(default=None, metadata=_ID)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """One recorded answer of one kind."""

    id: str = field(metadata=_ID)
    kind: ConsentKind
    state: ConsentState
    giver: str = field(metadata=_ID)
    giver_capacity: GiverCapacity
    giver_conflicted: bool = False
    scope: Scope = Scope()
    given_at: datetime
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A decision of a second person or of the owner, bound to one request and one subject."""

    kind: ApprovalKind
    by: str = field(metadata=_ID)
    by_agency: str = field(metadata=_ID)
    by_role: Role
    by_conflicts: frozenset[Conflict] = frozenset()
    for_request: str = field(metadata=_ID)
    for_subject: str = field(metadata=_ID)
    fields: frozenset[str] | None = None
    given_at: datetime
    expires_at: datetime
    call_back_verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """A declared emergency."""

    declared_at: datetime
    reason: str
    imminent_risk: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorFacts:
    """Could the owner's system be reached, and is the identity settled? No default: somebody must have looked."""

    state: ConnectorState
    match: MatchState


@dataclass(frozen=True, slots=True, kw_only=True)
class Sar:
    """A subject access request."""

    requester: SarRequester
    child_objects: bool
    serious_harm_test_done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Analytics:
    """What is known about an analysis or a model."""

    pseudonymised: bool
    dpia_reference: str | None
    smallest_group: int = field(metadata=_COUNT)
    solely_automated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnershipPolicy:
    """Settings of the partnership."""

    competence_from_age: int = 12
    smallest_group: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRequest:
    """Everything one decision may know."""

    now: datetime
    request_hash: str = field(metadata=_ID)
    actor: Actor
    recipient: Recipient
    owner: Owner
    purpose: Purpose | ProhibitedPurpose
    access: Access
    relationship: Relationship
    subject: Subject
    item: Item
    episode: Episode | None = None
    gateways: tuple[GatewayEntry, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    consents: tuple[ConsentRecord, ...] = ()
    circumstances: frozenset[Circumstance] = frozenset()
    approvals: tuple[Approval, ...] = ()
    break_glass: BreakGlass | None = None
    connector: ConnectorFacts
    off_list_checks_today: int = field(default=0, metadata=_COUNT)
    sar: Sar | None = None
    analytics: Analytics | None = None
    policy: PartnershipPolicy = PartnershipPolicy()

    @staticmethod
    def from_json(plain: object) -> "DecisionRequest":
        """Read a request; every key must be written out.

        Raises RequestInvalid naming the path of the first fault.
        """
        try:
            return read(DecisionRequest, plain)
        except FormError as error:
            raise RequestInvalid(error.path, error.reason) from None

    def to_json(self) -> dict[str, Any]:
        """Return the plain form that `from_json` reads back."""
        plain: dict[str, Any] = write(self)
        return plain


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided; the lists are sorted and without repetition. `rules` are for the audit, never for the user."""

    outcome: Outcome
    answer: GpAnswer | None
    fields: tuple[str, ...]
    obligations: tuple[Obligation, ...]
    rules: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the plain form of the contract."""
        plain: dict[str, Any] = write(self)
        return plain
