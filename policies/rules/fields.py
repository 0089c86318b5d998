"""The field filter: lines F1 to F14, each cutting fields that a permitted item offers.

For: the least that is needed. A field is cut when any line says so; two fields of one name are cut
together. It must never add a field. Ruled by section 4 of the partnership's decision rules.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

from policies.case import Field
from policies.rules.facts import ONLY_MARKER, SENSITIVE_SERVICES, Facts, Occasion
from policies.rules.sensitivity import (
    BARRED_KINDS,
    is_hidden_item,
    is_named_role,
    is_sealed,
    release_carries_sensitive_service,
    sensitive_service_applies,
)
from policies.rules.situations import onward_agreed
from policies.vocabulary import (
    ApprovalKind,
    DataCategory,
    FieldKind,
    ItemForm,
    Obligation,
    ProhibitedPurpose,
    Purpose,
    RelationshipKind,
    RelationToIndex,
    SarRequester,
)

EMERGENCY_KINDS = frozenset(
    {
        FieldKind.IDENTITY,
        FieldKind.INDICATOR,
        FieldKind.CONTACT,
        FieldKind.STATUS,
        FieldKind.RISK,
        FieldKind.WHEREABOUTS,
    }
)
TREATMENT_KINDS = frozenset({FieldKind.TREATMENT, FieldKind.NARRATIVE})
EARLIER_PRODUCT_KINDS = frozenset({FieldKind.DATES, FieldKind.OUTCOME})
FEEDBACK_KINDS = frozenset({FieldKind.OUTCOME, FieldKind.NEXT_STEP})
PEER_KINDS = frozenset({FieldKind.PSEUDONYM, FieldKind.RISK})
SAFETY_KINDS = frozenset({FieldKind.WHEREABOUTS, FieldKind.SAFETY_PLAN})
KEPT_FROM_REQUESTERS = frozenset(
    {
        FieldKind.THIRD_PARTY,
        FieldKind.SERIOUS_HARM,
        FieldKind.TIPPING_OFF,
        FieldKind.STAFF_NAME,
        FieldKind.REFERRER_IDENTITY,
    }
)


class Cut(NamedTuple):
    """One line that applies: the rules it serves, which fields it removes, what a removal demands."""

    rules: tuple[str, ...]
    removes: Callable[[Field], bool]
    obligation: Obligation | None = None


Line = Callable[[Facts, bool], Cut | None]


def _any_of(kinds: frozenset[FieldKind]) -> Callable[[Field], bool]:
    return lambda offered: offered.kind in kinds


def _all_but(kinds: frozenset[FieldKind]) -> Callable[[Field], bool]:
    return lambda offered: offered.kind not in kinds


def f1_agreed_kinds(facts: Facts, emergency: bool) -> Cut | None:
    """F1: the kind is in no matching clause that reaches far enough back (P09)."""
    if emergency or not facts.reaching:
        return None
    for clause in facts.reaching:
        if facts.kinds <= clause.field_kinds:
            return None
    agreed = ONLY_MARKER.union(*[clause.field_kinds for clause in facts.reaching])
    return Cut(("P09",), _all_but(agreed))


def f2_emergency_kinds(facts: Facts, emergency: bool) -> Cut | None:
    """F2: break-glass shows emergency kinds only (P40)."""
    return Cut(("P40",), _all_but(EMERGENCY_KINDS)) if emergency else None


def f3_third_parties(facts: Facts, emergency: bool) -> Cut | None:
    """F3: data about somebody else, unless the owner's release names the field (P29)."""
    if facts.purpose == Purpose.SUBJECT_RIGHTS:
        return None
    return Cut(
        ("P29",), lambda one: one.kind == FieldKind.THIRD_PARTY and not facts.names(ApprovalKind.OWNER_RELEASE, one)
    )


def f4_treatment(facts: Facts, emergency: bool) -> Cut | None:
    """F4: treatment and narrative of sensitive services (P22)."""
    return Cut(("P22",), _any_of(TREATMENT_KINDS)) if sensitive_service_applies(facts) else None


def f5_referrer(facts: Facts, emergency: bool) -> Cut | None:
    """F5: who made the referral, unless the decision maker receives it (P29)."""
    if facts.decision_maker:
        return None
    return Cut(("P29",), lambda one: one.kind == FieldKind.REFERRER_IDENTITY)


def f6_barred_kinds(facts: Facts, emergency: bool) -> Cut | None:
    """F6: birth identity of the adopted, former gender identity; the legal or adoption team is told (P27)."""
    return Cut(("P27",), _any_of(BARRED_KINDS), Obligation.ROUTE_HUMAN)


def f7_whereabouts(facts: Facts, emergency: bool) -> Cut | None:
    """F7: whereabouts of a shielded person, unless shown as a hidden item to a named role (P28)."""
    if not facts.shielded or (is_hidden_item(facts) and is_named_role(facts)):
        return None
    return Cut(("P28",), lambda one: one.kind == FieldKind.WHEREABOUTS)


def f8_intelligence(facts: Facts, emergency: bool) -> Cut | None:
    """F8: intelligence in any category but its own (P25)."""
    if facts.category == DataCategory.POLICE_INTELLIGENCE:
        return None
    return Cut(("P25",), lambda one: one.kind == FieldKind.INTELLIGENCE)


def f9_earlier_product(facts: Facts, emergency: bool) -> Cut | None:
    """F9: from the product of another episode only dates and outcomes, whoever owns it (P09)."""
    item, episode = facts.request.item, facts.request.episode
    if item.form != ItemForm.MASH_PRODUCT or item.episode is None or episode is None or item.episode == episode.id:
        return None
    return Cut(("P09",), _all_but(EARLIER_PRODUCT_KINDS))


def f10_listed_fields(facts: Facts, emergency: bool) -> Cut | None:
    """F10: an accepted one-off or a needed owner's release that lists fields opens these only."""
    if not facts.request.approvals:
        return None
    by_one_off = facts.partner and not facts.clauses and facts.approved(ApprovalKind.ONE_OFF)
    rules: list[str] = []
    if facts.approved(ApprovalKind.OWNER_RELEASE):
        if release_carries_sensitive_service(facts):
            rules.append("P22")
        if is_sealed(facts):
            rules.append("P23")
        if facts.partner and facts.purpose == Purpose.CRIME:
            rules.append("P38")
        if facts.onward and not onward_agreed(facts):
            rules.append("P39")
    by_release = bool(rules)
    if by_one_off:
        rules.append("P04")
    if not rules:
        return None
    return Cut(
        tuple(rules),
        lambda one: (
            (by_one_off and not facts.approves(ApprovalKind.ONE_OFF, one))
            or (by_release and not facts.approves(ApprovalKind.OWNER_RELEASE, one))
        ),
    )


def f11_feedback(facts: Facts, emergency: bool) -> Cut | None:
    """F11: a referrer gets outcome and next step only (P25)."""
    if facts.request.relationship.kind != RelationshipKind.REFERRER:
        return None
    return Cut(("P25",), _all_but(FEEDBACK_KINDS))


def f12_peer(facts: Facts, emergency: bool) -> Cut | None:
    """F12: of a peer at the exploitation panel, a pseudonym and risk only (P09, P29)."""
    if facts.purpose != Purpose.MACSE or facts.request.subject.relation_to_index != RelationToIndex.PEER:
        return None
    return Cut(("P09", "P29"), _all_but(PEER_KINDS))


def f13_perpetrator_facing(facts: Facts, emergency: bool) -> Cut | None:
    """F13: whereabouts and safety plan, for workers who face the perpetrator, unless the release names them (P32)."""
    if not facts.request.actor.perpetrator_facing:
        return None
    return Cut(
        ("P32",),
        lambda one: one.kind in SAFETY_KINDS and not facts.names(ApprovalKind.OWNER_RELEASE, one),
        Obligation.OWNER_RELEASE,
    )


def f14_subject_access(facts: Facts, emergency: bool) -> Cut | None:
    """F14: what the Schedule 2 and 3 exemptions keep back from a person's own access request (P46)."""
    if facts.purpose != Purpose.SUBJECT_RIGHTS:
        return None
    sar = facts.request.sar
    own = sar is not None and sar.requester == SarRequester.SELF
    kept = KEPT_FROM_REQUESTERS if own else KEPT_FROM_REQUESTERS | {FieldKind.WHEREABOUTS}
    return Cut(("P46",), _any_of(kept))


def held_marker_among_others(facts: Facts, emergency: bool) -> Cut | None:
    """P24: a held marker offered with other fields is not for others than the decision maker and the owner."""
    if facts.marker_request or facts.decision_maker:
        return None
    return Cut(("P24",), lambda one: one.kind == FieldKind.HELD_MARKER)


class Drawn(NamedTuple):
    """A line and when it can cut anything: on an occasion, for some purposes, categories or kinds only."""

    line: Line
    on: int = 0
    purposes: frozenset[Purpose] | None = None
    categories: frozenset[DataCategory] | None = None
    kinds: frozenset[FieldKind] | None = None


LINES: tuple[Drawn, ...] = (
    Drawn(f1_agreed_kinds, Occasion.PARTNER),
    Drawn(f2_emergency_kinds, Occasion.EMERGENCY),
    Drawn(f4_treatment, Occasion.PARTNER, categories=SENSITIVE_SERVICES),
    Drawn(f9_earlier_product, Occasion.SPECIAL),
    Drawn(f10_listed_fields, Occasion.APPROVED),
    Drawn(f11_feedback, Occasion.REFERRER),
    Drawn(f12_peer, purposes=frozenset({Purpose.MACSE})),
    Drawn(f14_subject_access, purposes=frozenset({Purpose.SUBJECT_RIGHTS})),
    Drawn(f3_third_parties, Occasion.PARTNER, kinds=frozenset({FieldKind.THIRD_PARTY})),
    Drawn(f5_referrer, kinds=frozenset({FieldKind.REFERRER_IDENTITY})),
    Drawn(f6_barred_kinds, kinds=BARRED_KINDS),
    Drawn(f7_whereabouts, Occasion.FLAGGED, kinds=frozenset({FieldKind.WHEREABOUTS})),
    Drawn(f8_intelligence, Occasion.PARTNER, kinds=frozenset({FieldKind.INTELLIGENCE})),
    Drawn(f13_perpetrator_facing, kinds=SAFETY_KINDS),
    Drawn(held_marker_among_others, Occasion.PARTNER | Occasion.SPECIAL, kinds=ONLY_MARKER),
)


@functools.lru_cache(maxsize=4096)
def _lines_for(
    occasions: int, purpose: Purpose | ProhibitedPurpose, category: DataCategory, kinds: frozenset[FieldKind]
) -> tuple[Line, ...]:
    """Return the lines that can cut anything."""
    return tuple(
        one.line
        for one in LINES
        if occasions & one.on == one.on
        and (one.purposes is None or purpose in one.purposes)
        and (one.categories is None or category in one.categories)
        and (one.kinds is None or not one.kinds.isdisjoint(kinds))
    )


class Filtered(NamedTuple):
    """What is left of the offered fields, the rules that cut, and what the cutting demands."""

    kept: tuple[Field, ...]
    rules: tuple[str, ...]
    obligations: frozenset[Obligation]


def filter_fields(facts: Facts, emergency: bool) -> Filtered:
    """Apply every line to every offered field."""
    offered = facts.request.item.fields
    cut_names: set[str] = set()
    rules: list[str] = []
    obligations: set[Obligation] = set()
    occasions = facts.occasions | (Occasion.EMERGENCY if emergency else 0)
    for line in _lines_for(occasions, facts.purpose, facts.category, facts.kinds):
        cut = line(facts, emergency)
        if cut is None:
            continue
        names = [one.name for one in offered if cut.removes(one)]
        if names:
            cut_names.update(names)
            rules.extend(cut.rules)
            if cut.obligation is not None:
                obligations.add(cut.obligation)
    if not cut_names:
        return Filtered(offered, (), frozenset())
    return Filtered(tuple([one for one in offered if one.name not in cut_names]), tuple(rules), frozenset(obligations))
