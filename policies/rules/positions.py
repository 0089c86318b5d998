"""Consent positions: where the family's answer of one kind stands now, and why.

For: deciding who may answer, what an answer covers and what it says at this moment. It must never merge
the three kinds of consent. Ruled by section 5 of the partnership's decision rules (UK GDPR Art 7; Children
Act 1989 ss2, 3, 33; Gillick; Family Law Reform Act 1969 s8; MCA 2005).
"""

from policies.case import ConsentRecord
from policies.rules.facts import Facts, Position, years_between
from policies.vocabulary import (
    CapacityStatus,
    ConsentKind,
    ConsentState,
    GillickStatus,
    GiverCapacity,
    LegalStatus,
)

YES, NO, DISPUTED, WITHDRAWN, EXPIRED = "YES", "NO", "DISPUTED", "WITHDRAWN", "EXPIRED"
YES_STATES = frozenset({ConsentState.GIVEN_EXPLICIT, ConsentState.GIVEN_PARTIAL, ConsentState.BEST_INTERESTS})
#: The authority holds parental responsibility only under a care order (SSDA903 C1, C2) or placement order (E1).
AUTHORITY_HOLDS_PR = frozenset({LegalStatus.C1, LegalStatus.C2, LegalStatus.E1})
MISSING = Position("MISSING", "P10")
FOR_OTHERS = frozenset({GiverCapacity.PARENT_WITH_PR, GiverCapacity.LA_WITH_PR})


def position(facts: Facts, kind: ConsentKind) -> Position:
    """Return the position of one kind of consent, worked out once per decision."""
    known = facts.positions.get(kind)
    if known is None:
        known = facts.positions[kind] = _position(facts, kind)
    return known


def decides_alone(facts: Facts) -> bool:
    """P16: somebody under 18 whose own answer alone counts."""
    if facts.adult:
        return False
    if facts.sixteen:
        return facts.request.subject.capacity != CapacityStatus.LACKS
    return facts.competence == GillickStatus.COMPETENT


def _position(facts: Facts, kind: ConsentKind) -> Position:
    answers = [
        (one, answer_now(facts, one))
        for one in facts.request.consents
        if one.kind == kind and one.state != ConsentState.SUPERSEDED
    ]
    if not answers:
        return MISSING
    counted = [(one, said) for one, said in answers if authorised(facts, one) and covers(facts, one)]
    by_authority = [pair for pair in counted if pair[0].giver_capacity == GiverCapacity.LA_WITH_PR]
    if any(said in (YES, NO) for _, said in by_authority):
        counted = by_authority
    said_now = {said for _, said in counted}
    basis = _rests_on(facts, [one for one, said in counted if said == YES], answers)
    if DISPUTED in said_now or (YES in said_now and not said_now.isdisjoint((NO, WITHDRAWN))):
        return Position("DISPUTED", "P17", *basis)
    if NO in said_now:
        return Position("REFUSED", "P16" if decides_alone(facts) else "P10", *basis)
    if WITHDRAWN in said_now:
        return Position("WITHDRAWN", "P15", *basis)
    if YES in said_now:
        return Position("GIVEN", "P10", *basis)
    if EXPIRED in said_now:
        return Position("EXPIRED", "P15", *basis)
    return Position("MISSING", _why_missing(facts, answers), *basis)


def _rests_on(
    facts: Facts, agreed: list[ConsentRecord], answers: list[tuple[ConsentRecord, str | None]]
) -> tuple[bool, bool, bool, bool]:
    """Return what a position rests on: the authority, best interests, a named category; and a conflicted refusal."""
    by_authority = best_interests = names_category = False
    for one in agreed:
        by_authority = by_authority or one.giver_capacity == GiverCapacity.LA_WITH_PR
        best_interests = best_interests or one.state == ConsentState.BEST_INTERESTS
        named = one.scope.categories
        names_category = names_category or (named is not None and facts.category in named)
    conflicted = [one for one, said in answers if said == NO and one.giver_conflicted and covers(facts, one)]
    return by_authority, best_interests, names_category, bool(conflicted)


def _why_missing(facts: Facts, answers: list[tuple[ConsentRecord, str | None]]) -> str:
    """Return the rule that explains why an answer on file is none."""
    yes = [one for one, said in answers if said == YES]
    unauthorised = [one for one in yes if not authorised(facts, one)]
    for_others = [one for one in unauthorised if one.giver_capacity in FOR_OTHERS]
    if for_others:
        if facts.adult:
            return "P18" if any(_given_in_childhood(facts, one) for one in for_others) else "P17"
        return "P16" if decides_alone(facts) else "P17"
    if unauthorised:
        return "P17"
    if not yes and any(one.state == ConsentState.GIVEN_IMPLIED for one, _ in answers):
        return "P20"
    if yes:
        persons = [one.scope.persons for one in yes]
        other_people = any(these is not None and facts.request.subject.id not in these for these in persons)
        return "P01" if other_people else "P15"
    return "P10"


def _given_in_childhood(facts: Facts, one: ConsentRecord) -> bool:
    born = facts.request.subject.date_of_birth
    return born is not None and years_between(born, one.given_at.date()) < 18


def authorised(facts: Facts, one: ConsentRecord) -> bool:
    """May this giver answer for this person today?"""
    subject, capacity = facts.request.subject, one.giver_capacity
    lacks = subject.capacity == CapacityStatus.LACKS
    if lacks and facts.sixteen and one.state == ConsentState.BEST_INTERESTS:
        return True
    own = capacity == GiverCapacity.SELF and one.giver == subject.id
    if facts.adult:
        if lacks:
            return capacity in (GiverCapacity.LPA_HW, GiverCapacity.DEPUTY) and not one.giver_conflicted
        return own
    if decides_alone(facts):
        return own
    if capacity == GiverCapacity.LA_WITH_PR:
        return subject.legal_status in AUTHORITY_HOLDS_PR
    return capacity == GiverCapacity.PARENT_WITH_PR


def covers(facts: Facts, one: ConsentRecord) -> bool:
    """Does the scope contain this person, category, purpose, owner and recipient?"""
    scope, request = one.scope, facts.request
    return (
        (scope.persons is None or request.subject.id in scope.persons)
        and (scope.categories is None or facts.category in scope.categories)
        and (scope.purposes is None or facts.purpose in scope.purposes)
        and (
            scope.agencies is None
            or (request.owner.agency in scope.agencies and request.recipient.agency in scope.agencies)
        )
    )


def answer_now(facts: Facts, one: ConsentRecord) -> str | None:
    """P15: what the record says at this moment."""
    now, state = facts.now, one.state
    if one.given_at > now:
        return None
    if state == ConsentState.WITHDRAWN or (one.withdrawn_at is not None and one.withdrawn_at <= now):
        return WITHDRAWN
    if state == ConsentState.EXPIRED:
        return EXPIRED
    if state in YES_STATES:
        return EXPIRED if one.expires_at is not None and one.expires_at <= now else YES
    if state == ConsentState.REFUSED:
        return NO
    return DISPUTED if state == ConsentState.DISPUTED else None
