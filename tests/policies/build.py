"""A plain section 47 request, and small ways to change it; every test starts from something that is permitted."""

import functools
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from policies import (
    Access,
    Actor,
    Agreement,
    Approval,
    Basis,
    Clause,
    ConnectorFacts,
    ConsentDecision,
    ConsentRecord,
    Decision,
    DecisionRequest,
    Episode,
    Field,
    GatewayEntry,
    Item,
    Owner,
    Party,
    Recipient,
    Relationship,
    Subject,
    ThresholdRecord,
    decide,
)
from policies.vocabulary import (
    AccountKind,
    AgencyType,
    AgreementStatus,
    ApprovalKind,
    Article6Basis,
    Article9Condition,
    Article10Condition,
    Authentication,
    BragRating,
    ConnectorState,
    ConsentKind,
    ConsentState,
    DataCategory,
    DataSubject,
    Employment,
    EpisodeState,
    FieldKind,
    GiverCapacity,
    MatchState,
    PartyRole,
    PartyStatus,
    Purpose,
    RelationshipKind,
    RelationToIndex,
    Role,
    Schedule1Condition,
    StatutoryGateway,
    Threshold,
)

NOW = datetime(2026, 6, 16, 10, 15, tzinfo=UTC)
TODAY = NOW.date()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CSC, HEALTH, THIRD = "AG-csc", "AG-hv", "AG-third"
CHILD, PARENT = "PE-child", "PE-parent"
REQUEST = "RQ-1"


def fields(*kinds: FieldKind) -> tuple[Field, ...]:
    return tuple(Field(kind.lower(), kind) for kind in kinds)


def basis(**changes: Any) -> Basis:
    given: dict[str, Any] = {
        "art6": Article6Basis.PUBLIC_TASK,
        "art9": Article9Condition.SUBSTANTIAL_PUBLIC_INTEREST,
        "sch1": Schedule1Condition.P2_6,
        "apd": True,
        "art10": Article10Condition.P2_6,
        "gateways": frozenset(StatutoryGateway),
    }
    return Basis(**given | changes)


def clause(**changes: Any) -> Clause:
    given: dict[str, Any] = {
        "purposes": frozenset(Purpose),
        "recipient_roles": frozenset(Role),
        "categories": frozenset(DataCategory),
        "data_subjects": frozenset(DataSubject),
        "field_kinds": frozenset(FieldKind),
    }
    return Clause(**given | changes)


def agreement(*clauses: Clause, **changes: Any) -> Agreement:
    given: dict[str, Any] = {
        "reference": "A",
        "version": 1,
        "status": AgreementStatus.ACTIVE,
        "effective_from": TODAY - 100 * DAY,
        "expires_on": TODAY + 100 * DAY,
        "parties": tuple(
            Party(agency=one, role=PartyRole.BOTH, status=PartyStatus.SIGNED) for one in (CSC, HEALTH, THIRD)
        ),
        "clauses": clauses or (clause(),),
    }
    return Agreement(**given | changes)


def threshold(recorded_at: datetime = NOW - HOUR) -> ThresholdRecord:
    return ThresholdRecord(
        kind=Threshold.S47_DECISION, recorded_at=recorded_at, recorded_by_role=Role.MASH_DECISION_MAKER
    )


def decided(state: ConsentState, **changes: Any) -> ConsentDecision:
    given: dict[str, Any] = {
        "state": state,
        "decided_by_role": Role.MASH_DECISION_MAKER,
        "decided_at": NOW - HOUR,
    }
    return ConsentDecision(**given | changes)


def consent(state: ConsentState = ConsentState.GIVEN_EXPLICIT, **changes: Any) -> ConsentRecord:
    given: dict[str, Any] = {
        "id": "CO-1",
        "kind": ConsentKind.CONFIDENTIALITY,
        "state": state,
        "giver": PARENT,
        "giver_capacity": GiverCapacity.PARENT_WITH_PR,
        "given_at": NOW - DAY,
    }
    return ConsentRecord(**given | changes)


def both_consents(state: ConsentState = ConsentState.GIVEN_EXPLICIT, **changes: Any) -> tuple[ConsentRecord, ...]:
    return (
        consent(state, **changes),
        consent(state, **{"id": "CO-2", "kind": ConsentKind.SERVICE_AGREEMENT} | changes),
    )


def by_self(state: ConsentState = ConsentState.GIVEN_EXPLICIT, **changes: Any) -> ConsentRecord:
    return consent(state, **{"giver": CHILD, "giver_capacity": GiverCapacity.SELF} | changes)


def approval(kind: ApprovalKind, **changes: Any) -> Approval:
    right = {
        ApprovalKind.OVERRIDE: (CSC, Role.MASH_DECISION_MAKER),
        ApprovalKind.OWNER_RELEASE: (HEALTH, Role.CALDICOTT_GUARDIAN),
        ApprovalKind.CODE_C_RELEASE: (HEALTH, Role.POLICE_MASH_SUPERVISOR),
        ApprovalKind.ONE_OFF: (HEALTH, Role.HEALTH_VISITOR),
        ApprovalKind.SAR_RELEASE: (CSC, Role.DPO),
    }[kind]
    given: dict[str, Any] = {
        "kind": kind,
        "by": "US-second",
        "by_agency": right[0],
        "by_role": right[1],
        "for_request": REQUEST,
        "for_subject": CHILD,
        "given_at": NOW - HOUR,
        "expires_at": NOW + HOUR,
        "call_back_verified": True,
    }
    return Approval(**given | changes)


BASE = DecisionRequest(
    now=NOW,
    request_hash=REQUEST,
    actor=Actor(
        id="US-worker",
        agency=CSC,
        role=Role.MASH_SOCIAL_WORKER,
        authentication=Authentication.STRONG,
        account=AccountKind.PERSONAL,
        employment=Employment.CURRENT,
        role_from=NOW - 200 * DAY,
        on_assigned_team=True,
    ),
    recipient=Recipient(
        agency=CSC,
        agency_type=AgencyType.CHILDRENS_SOCIAL_CARE,
        role=Role.MASH_SOCIAL_WORKER,
        public_authority=True,
        competent_authority=False,
        basis=basis(),
    ),
    owner=Owner(
        agency=HEALTH,
        agency_type=AgencyType.HEALTH_VISITING_0_19,
        public_authority=True,
        competent_authority=False,
        basis=basis(),
    ),
    purpose=Purpose.S47_ENQUIRY,
    access=Access(rationale="Bruises were reported by the school today"),
    relationship=Relationship(
        kind=RelationshipKind.ASSIGNED_EPISODE, persons=frozenset({CHILD}), valid_from=NOW - DAY, valid_until=NOW + DAY
    ),
    subject=Subject(id=CHILD, date_of_birth=date(2018, 1, 5), relation_to_index=RelationToIndex.INDEX),
    item=Item(
        category=DataCategory.HEALTH_SUMMARY,
        occurred_on=TODAY - 30 * DAY,
        fields=fields(FieldKind.STATUS, FieldKind.RISK, FieldKind.CONTACT),
    ),
    episode=Episode(
        id="EP-1",
        state=EpisodeState.GATHERING,
        brag=BragRating.AMBER,
        opened_at=NOW - 2 * DAY,
        threshold=threshold(),
    ),
    gateways=tuple(GatewayEntry(code=code, effective_from=date(2000, 1, 1)) for code in StatutoryGateway),
    agreements=(agreement(),),
    connector=ConnectorFacts(state=ConnectorState.REACHED, match=MatchState.CONFIRMED),
)


def changed(base: Any, **changes: Any) -> Any:
    """A copy with some values changed; `subject__flags` reaches into the block `subject`."""
    here: dict[str, Any] = {}
    inside: dict[str, dict[str, Any]] = {}
    for path, value in changes.items():
        first, _, rest = path.partition("__")
        if rest:
            inside.setdefault(first, {})[rest] = value
        else:
            here[first] = value
    for name, some in inside.items():
        here[name] = changed(here.get(name, getattr(base, name)), **some)
    return replace(base, **here)


def ask(**changes: Any) -> Decision:
    """The decision on the plain request with some values changed."""
    return decide(changed(BASE, **changes))


#: The plain request inside the owner agency: a health visitor reads her own service's record.
OWN: dict[str, Any] = {"owner__agency": CSC, "owner__basis": None}
#: Early help: consent-gated.
EARLY_HELP: dict[str, Any] = {"purpose": Purpose.EARLY_HELP, "consents": both_consents()}
SCREENING: dict[str, Any] = {"purpose": Purpose.MASH_SCREENING, "episode__threshold": None}


def kinds_shown(decision: Decision) -> set[str]:
    return {name.upper() for name in decision.fields}


def pairs(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Rows of a table whose first cell is the sentence that names the case."""
    import pytest

    return [pytest.param(*row[1:], id=row[0]) for row in rows]


born = functools.partial(date)
