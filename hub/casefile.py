"""The case put to the decision: what the hub knows, in the form that `policies.decide` reads.

For: building one decision request per person x agency x category, hundreds per page, from blocks that are
made once. Must never decide anything, and never put a name or content into a request.
"""

import hashlib
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from connectors import Item as PartnerItem
from connectors import OfferedField, Partner
from consent import ConsentFacts, Standing
from hub.approvals.agreed import NOTHING_AGREED, Agreed
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import Enquiry
from policies import (
    Access,
    Actor,
    Agreement,
    Basis,
    BreakGlass,
    ConnectorFacts,
    ConsentDecision,
    ConsentRecord,
    DecisionRequest,
    Episode,
    Field,
    Gillick,
    Item,
    Owner,
    PartnershipPolicy,
    Recipient,
    Relationship,
    Sar,
    Scope,
    Seal,
    Subject,
    ThresholdRecord,
    basis_for,
)
from policies.vocabulary import (
    AccessMode,
    AccountKind,
    AgencyType,
    AgreementStatus,
    Article6Basis,
    Authentication,
    Circumstance,
    Conflict,
    ConnectorState,
    DataCategory,
    Employment,
    EpisodeState,
    FieldKind,
    GillickStatus,
    InformChoice,
    Involvement,
    MatchState,
    Purpose,
    RelationshipKind,
    RelationToIndex,
    Role,
    SubjectFlag,
    Threshold,
)

LONDON = ZoneInfo("Europe/London")

#: Services whose name alone says what they treat: everything they hold is decided as this category (rule P22 and
#: its clarification that no contact may give such a service away).
SENSITIVE_SERVICES: Mapping[AgencyType, DataCategory] = {
    AgencyType.SUBSTANCE_MISUSE: DataCategory.SUBSTANCE_MISUSE,
    AgencyType.CAMHS: DataCategory.MENTAL_HEALTH,
}


#: Agencies at which being known says where somebody lives: their practice, school, landlord, health visitor.
LOCATING = frozenset(
    {
        AgencyType.GP_PRACTICE,
        AgencyType.EDUCATION,
        AgencyType.HOUSING_AUTHORITY,
        AgencyType.REGISTERED_PROVIDER,
        AgencyType.HEALTH_VISITING_0_19,
    }
)
#: Persons whose whereabouts are protected (rule P28).
SHIELDING = frozenset({SubjectFlag.SHIELDED, SubjectFlag.FLEEING_DA})
#: Categories about the present, whose items need no day.
PRESENT = frozenset({DataCategory.DEMOGRAPHIC, DataCategory.SERVICE_INVOLVEMENT, DataCategory.ASC_PACKAGE})
#: Words by which an agency says that a package is not running.
NOT_CURRENT = frozenset({"no", "n", "0", "false", "ended", "closed", "inactive", "none"})

#: Nothing is recorded on the case.
NONE: frozenset[Circumstance] = frozenset()
NO_CIRCUMSTANCES: Mapping[str, frozenset[Circumstance]] = MappingProxyType({})

#: To answer a person about their own data is every controller's duty, by no agreement (UK GDPR Arts 15 and 6(1)(c)).
BY_DUTY = Basis(art6=Article6Basis.LEGAL_OBLIGATION)

#: Nothing was assessed or recorded: an adult is presumed to have capacity (MCA 2005 s1), a child is not assessed.
UNASSESSED = Standing()


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What a decision needs to know about the person asked about; nothing that names them."""

    id: str
    date_of_birth: date | None
    relation: RelationToIndex
    flags: frozenset[SubjectFlag] = frozenset()
    match: MatchState = MatchState.CONFIRMED


def london(moment: datetime) -> datetime:
    """The same moment as London's clocks show it: "today" in the rules is London's calendar date."""
    return moment.astimezone(LONDON)


class CaseFile:
    """Makes decision requests for one actor, purpose and moment."""

    def __init__(
        self,
        hub: Hub,
        ctx: RequestContext,
        *,
        relationship: Relationship,
        rationale: str,
        enquiry: Enquiry | None = None,
        facts: ConsentFacts | None = None,
        mode: AccessMode = AccessMode.VIEW,
        off_list_checks_today: int = 0,
        break_glass: BreakGlass | None = None,
        agreed: Agreed = NOTHING_AGREED,
        circumstances: Mapping[str, frozenset[Circumstance]] = NO_CIRCUMSTANCES,
        sar: Sar | None = None,
    ) -> None:
        assert ctx.purpose is not None
        self._hub, self._ctx, self.purpose = hub, ctx, ctx.purpose
        self.now = london(ctx.now)
        self.today = self.now.date()
        self._enquiry, self._facts = enquiry, facts
        self._relationship, self._off_list = relationship, off_list_checks_today
        self._break_glass, self._sar = break_glass, sar
        self._circumstances = circumstances
        self.agreed = agreed
        self._access = Access(mode=mode, rationale=rationale, case_reference=ctx.case_reference)
        self._agreements: tuple[Agreement, ...] = tuple(a.for_decision() for a in hub.agreements)
        self._policy = PartnershipPolicy(
            competence_from_age=hub.settings.competence_from_age, smallest_group=hub.settings.smallest_group
        )
        self._owners: dict[str, Owner] = {}
        self._items: dict[tuple[object, ...], tuple[Item, str]] = {}
        self._subjects: dict[tuple[str, Gillick], tuple[Subject, Actor, tuple[ConsentRecord, ...]]] = {}
        self.recipient = self._recipient()
        self.episode = self._as_episode() if enquiry is not None else None

    def request(
        self,
        person: PersonFacts,
        partner: Partner,
        category: DataCategory,
        offered: Iterable[OfferedField],
        *,
        involvement: Involvement | None = None,
        reached: bool = True,
        match: MatchState | None = None,
    ) -> DecisionRequest:
        """One person, one agency, one category: what the agency could hold today (see `about_item`)."""
        subject, actor, consents = self._about(person, category)
        locating = bool(person.flags & SHIELDING) and partner.type in LOCATING
        item, names = self._item(partner.code, category, tuple(offered), involvement, locating=locating)
        request_hash = self._hash(person.id, partner.code, category, names)
        return DecisionRequest(
            now=self.now,
            request_hash=request_hash,
            actor=actor,
            recipient=self.recipient,
            owner=self._owner(partner),
            purpose=self.purpose,
            access=self._access,
            relationship=self._relationship,
            subject=subject,
            item=item,
            episode=self.episode,
            gateways=self._hub.gateways,
            agreements=self._agreements,
            consents=consents,
            # What is recorded about one person is about nobody else (rule P01).
            circumstances=self._circumstances.get(person.id, NONE),
            approvals=self.agreed.for_request(request_hash),
            break_glass=self._break_glass,
            sar=self._sar,
            connector=ConnectorFacts(
                state=ConnectorState.REACHED if reached else ConnectorState.NOT_REACHED,
                match=match or person.match,
            ),
            off_list_checks_today=self._off_list,
            policy=self._policy,
        )

    def with_open_case(self) -> "CaseFile":
        """The same case, when the child is already open to a worker elsewhere: whom to ring, nothing more."""
        other = copy(self)
        assert self.episode is not None
        other.episode = replace(self.episode, open_case_elsewhere=True)
        return other

    def for_one_look(self, reason: str, *, holds_case: bool) -> "CaseFile":
        """The same case with a reason for this look alone; who holds the case comes as its allocated worker (P28)."""
        other = copy(self)
        other._access = replace(self._access, rationale=reason)
        if holds_case:
            other._relationship = replace(self._relationship, kind=RelationshipKind.CASELOAD)
        return other

    def _item(
        self,
        agency: str,
        category: DataCategory,
        offered: tuple[OfferedField, ...],
        involvement: Involvement | None,
        *,
        locating: bool,
    ) -> tuple[Item, str]:
        """What is offered, as an item, and its field names in one text; made once for all people of a page.

        `locating` says that being known there gives away where a protected person lives: every field does.
        """
        key = (agency, category, involvement, locating, *(field.name for field in offered))
        found = self._items.get(key)
        if found is None:
            fields = tuple(Field(f.name, FieldKind.WHEREABOUTS if locating else f.kind) for f in offered)
            item = Item(category=category, occurred_on=self.today, fields=fields, involvement=involvement)
            found = self._items[key] = item, ",".join(sorted(field.name for field in offered))
        return found

    @property
    def silence_by(self) -> str | None:
        """Who answers for not telling the person, when that was decided (rule P21)."""
        decided = self._facts.decision if self._facts else None
        return decided.inform_owner if decided is not None else None

    def basis_for_trail(self) -> dict[str, list[str]]:
        """The recipient's lawful basis as codes."""
        basis = self.recipient.basis
        named: dict[str, list[str | None]] = {
            "article6": [basis.art6],
            "article9": [basis.art9],
            # With P2_18, why consent was not the basis (DPA 2018 Schedule 1 paragraph 18(2)).
            "schedule1": [f"{basis.sch1}:{basis.para18_reason}" if basis.para18_reason else basis.sch1],
            "schedule8": [basis.sch8],
            "gateway": [*sorted(basis.gateways)],
        }
        return {name: [str(code) for code in codes if code] for name, codes in named.items() if any(codes)}

    def agreements_for_trail(self, agencies: Iterable[str]) -> list[dict[str, object]]:
        """Reference and version of each agreement in force between the recipient and one of these agencies."""
        return [
            {"ref": a.reference, "version": str(a.version)}
            for a in self.agreements_in_force()
            if self.recipient.agency in a.recipients and a.disclosers & set(agencies)
        ]

    def agreements_in_force(self) -> tuple[Agreement, ...]:
        """Agreements whose dates hold today and that name the purpose."""
        return tuple(
            a
            for a in self._agreements
            if a.status == AgreementStatus.ACTIVE
            and a.effective_from <= self.today
            and (a.expires_on is None or self.today <= a.expires_on)
            and any(self.purpose in clause.purposes for clause in a.clauses)
        )

    def _recipient(self) -> Recipient:
        actor = self._ctx.actor
        partner = self._hub.partners.get(actor.agency)
        return Recipient(
            agency=actor.agency,
            agency_type=partner.type if partner else AgencyType.VCSE,
            role=actor.role,
            public_authority=partner.public_authority if partner else False,
            competent_authority=partner.competent_authority if partner else False,
            basis=self._basis(actor.agency) or Basis(),
        )

    def _basis(self, agency: str) -> Basis | None:
        purpose = self.purpose
        if purpose == Purpose.SUBJECT_RIGHTS:
            return BY_DUTY
        return basis_for(self._hub.agreements, agency, purpose, self.today) if isinstance(purpose, Purpose) else None

    def _owner(self, partner: Partner) -> Owner:
        owner = self._owners.get(partner.code)
        if owner is None:
            own = partner.code == self._ctx.actor.agency
            owner = self._owners[partner.code] = Owner(
                agency=partner.code,
                agency_type=partner.type,
                public_authority=partner.public_authority,
                competent_authority=partner.competent_authority,
                basis=None if own else (self._basis(partner.code) or Basis()),
            )
        return owner

    def _about(self, person: PersonFacts, category: DataCategory) -> tuple[Subject, Actor, tuple[ConsentRecord, ...]]:
        gillick = self._gillick(person, category)
        found = self._subjects.get((person.id, gillick))
        if found is None:
            standing = self._standing(person)
            subject = Subject(
                id=person.id,
                date_of_birth=person.date_of_birth,
                relation_to_index=person.relation,
                flags=person.flags,
                legal_status=standing.legal_status,
                capacity=standing.capacity,
                gillick=gillick,
            )
            found = self._subjects[(person.id, gillick)] = (subject, self._actor(person), self._consents(person))
        return found

    def _standing(self, person: PersonFacts) -> Standing:
        return (self._facts.standings.get(person.id) if self._facts else None) or UNASSESSED

    def _gillick(self, person: PersonFacts, category: DataCategory) -> Gillick:
        """The newest assessment that speaks of this category; from 16 on nobody's competence is in question."""
        if person.date_of_birth is None or full_years(person.date_of_birth, self.today) >= 16:
            return Gillick(status=GillickStatus.NOT_APPLICABLE)
        status, categories = self._standing(person).competence_for(category)
        return Gillick(status=status, categories=categories)

    def _actor(self, person: PersonFacts) -> Actor:
        actor = self._ctx.actor
        conflicts = set()
        if person.id in actor.own_persons:
            conflicts.add(Conflict.SELF)
        elif person.id in actor.own_family:
            conflicts.add(Conflict.RELATIVE)
        if actor.under_allegation:
            conflicts.add(Conflict.UNDER_ALLEGATION)
        return Actor(
            id=actor.id,
            agency=actor.agency,
            role=actor.role,
            authentication=Authentication(actor.authentication),
            account=AccountKind(actor.account),
            employment=Employment(actor.employment),
            role_from=actor.role_from,
            role_until=actor.role_until,
            conflicts=frozenset(conflicts),
            # Nobody puts themselves on the team of a locked case: their employer says so at sign-in (rule P35).
            on_assigned_team=person.id in actor.case_persons,
            perpetrator_facing=actor.perpetrator_facing,
        )

    def _consents(self, person: PersonFacts) -> tuple[ConsentRecord, ...]:
        records = self._facts.records.get(person.id, ()) if self._facts else ()
        return tuple(
            ConsentRecord(
                id=r.id,
                kind=r.kind,
                state=r.state,
                giver=r.giver,
                giver_capacity=r.giver_capacity,
                giver_conflicted=r.giver_conflicted,
                given_at=r.given_at,
                expires_at=r.expires_at,
                withdrawn_at=r.withdrawn_at,
                scope=Scope(
                    agencies=_set(r.agencies),
                    categories=_set(r.categories),
                    purposes=_set(r.purposes),
                    persons=_set(r.persons),
                ),
            )
            for r in records
        )

    def _as_episode(self) -> Episode:
        enquiry = self._enquiry
        assert enquiry is not None
        threshold = None
        if enquiry.threshold is not None and enquiry.threshold_at is not None:
            threshold = ThresholdRecord(
                kind=Threshold(enquiry.threshold),
                recorded_at=enquiry.threshold_at,
                recorded_by_role=Role(enquiry.threshold_by_role or ""),
            )
        decided = self._facts.decision if self._facts else None
        decision = None
        if decided is not None:
            decision = ConsentDecision(
                state=decided.state,
                reason_code=decided.reason_code,
                decided_by_role=decided.decided_by_role,
                decided_at=decided.decided_at,
                review_due=decided.review_due,
                inform=InformChoice(decided.inform),
                inform_reason=decided.inform_reason,
                inform_owner=decided.inform_owner,
            )
        return Episode(
            id=enquiry.id,
            state=EpisodeState.GATHERING if enquiry.closed_at is None else EpisodeState.CLOSED,
            brag=enquiry.brag,
            opened_at=enquiry.opened_at,
            closed_at=enquiry.closed_at,
            threshold=threshold,
            consent_decision=decision,
        )

    def _hash(self, person: str, agency: str, category: DataCategory, names: str) -> str:
        actor = self._ctx.actor
        parts = (
            actor.id,
            actor.agency,
            actor.role,
            self.purpose,
            self._access.mode,
            person,
            agency,
            category,
            self._enquiry.id if self._enquiry else "-",
            names,
        )
        return "RQ-" + hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


def assigned(persons: Iterable[str], since: datetime) -> Relationship:
    """The relationship of an enquiry: these persons, since it was opened."""
    return Relationship(
        kind=RelationshipKind.ASSIGNED_EPISODE, persons=frozenset(persons), valid_from=london(since), valid_until=None
    )


def about_item(
    request: DecisionRequest,
    item: PartnerItem,
    offered: tuple[Field, ...],
    *,
    match: MatchState,
    agreed: Agreed = NOTHING_AGREED,
) -> DecisionRequest:
    """The same request about one real item: its day, form, seal, fields, how sure its person is, what was released."""
    involvement = request.item.involvement
    if involvement is not None:
        involvement = Involvement.CURRENT if _is_current(item) else Involvement.ENDED
    connector = request.connector
    return replace(
        request,
        item=replace(
            request.item,
            occurred_on=_day_of(item, request),
            form=item.form,
            seal=Seal(
                state=item.seal,
                due_at=london(item.due_at) if item.due_at else None,
                withheld_reason=item.withheld_reason,
                senior_sign_off=item.senior_sign_off,
            ),
            fields=offered,
            involvement=involvement,
        ),
        approvals=agreed.for_item(request, item.id),
        connector=connector if match == MatchState.CONFIRMED else replace(connector, match=match),
    )


def _day_of(item: PartnerItem, request: DecisionRequest) -> date:
    """The day that look-back counts from. What an agency holds now has no day; an undated event is as old as can be."""
    if item.occurred_on is not None:
        return item.occurred_on
    if item.category in PRESENT:
        return request.item.occurred_on
    for name in ("started", "since"):
        try:
            return date.fromisoformat(item.values[name].text[:10])
        except (KeyError, ValueError):
            continue
    return date.min


def without_answer(request: DecisionRequest) -> DecisionRequest:
    """The same request when the owner's system could not be reached."""
    return replace(request, connector=replace(request.connector, state=ConnectorState.NOT_REACHED))


def _is_current(item: PartnerItem) -> bool:
    """What the agency says of a package: an unreadable word counts as current, so that nobody reads a false "no"."""
    said = item.values.get("package_active")
    return said is None or said.text.strip().casefold() not in NOT_CURRENT


def full_years(born: date, today: date) -> int:
    """The age in years that are over."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _set(values: tuple[Any, ...] | None) -> frozenset[Any] | None:
    return None if values is None else frozenset(values)
