"""Rules P32 to P37: own record, relatives, alleged perpetrators, locked cases, allegations, approvals.

For: ties between the user and the family, and approvals that are none. They must never be lifted by
break-glass. Ruled by section 3 D of the partnership's decision rules.
"""

from policies.rules.facts import CASE_DUTIES, NOTHING, Facts, Findings, Level, finding
from policies.vocabulary import Conflict, Obligation, SubjectFlag

ALERT = frozenset({Obligation.IG_ALERT})
TIES = frozenset({Conflict.RELATIVE, Conflict.SAME_HOUSEHOLD, Conflict.DECLARED_ASSOCIATE})
LOCKS = frozenset({SubjectFlag.CASE_LOCKED, SubjectFlag.VIP, SubjectFlag.STAFF_SUBJECT})


def has_case_duty(facts: Facts) -> bool:
    """Is there a legitimate relationship that gives this user a duty in the case?"""
    return facts.related and facts.request.relationship.kind in CASE_DUTIES


def alleged_perpetrator(facts: Facts) -> Findings:
    """P32 Alleged perpetrators and their associates. Source: golden rule 5."""
    conflicts = facts.request.actor.conflicts
    associate = Conflict.ASSOCIATE_OF_ALLEGED_PERPETRATOR in conflicts and not has_case_duty(facts)
    if Conflict.ALLEGED_PERPETRATOR in conflicts or associate:
        return (finding(Level.SILENT, ("P32",), ALERT),)
    return NOTHING


def own_record(facts: Facts) -> Findings:
    """P33 Own record. Source: ICO prosecutions."""
    return (finding(Level.DENY, ("P33",), ALERT),) if Conflict.SELF in facts.request.actor.conflicts else NOTHING


def relatives(facts: Facts) -> Findings:
    """P34 Relatives and associates; with a case duty the case is reassigned. Source: NHS alerts; ICO prosecutions."""
    conflicts = facts.request.actor.conflicts
    found = []
    if not TIES.isdisjoint(conflicts):
        found.append(finding(Level.REFER if has_case_duty(facts) else Level.DENY, ("P34",), ALERT))
    if Conflict.ASSOCIATE_OF_ALLEGED_PERPETRATOR in conflicts and has_case_duty(facts):
        found.append(finding(Level.REFER, ("P34",), ALERT))
    return tuple(found)


def locked_case(facts: Facts) -> Findings:
    """P35 Locked cases. Source: council case-locking policies."""
    if not facts.content or LOCKS.isdisjoint(facts.request.subject.flags):
        return NOTHING
    if facts.request.actor.on_assigned_team:
        return (finding(Level.ALLOW, ("P35",)),)
    return (finding(Level.SILENT, ("P35",), ALERT),)


def under_allegation(facts: Facts) -> Findings:
    """P36 Allegation against the user. Source: LADO procedures."""
    if Conflict.UNDER_ALLEGATION in facts.request.actor.conflicts:
        return (finding(Level.SILENT, ("P36",), ALERT),)
    return NOTHING


def misused_approval(facts: Facts) -> Findings:
    """P37 Approvals: one's own, or made for another request or person. Source: segregation of duties."""
    if any(facts.misused(one) for one in facts.request.approvals):
        return (finding(Level.DENY, ("P37",), ALERT),)
    return NOTHING
