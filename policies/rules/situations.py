"""Rules P38 to P48: police, onward sharing, emergencies, closed and open cases, audit, analytics, access rights, death.

For: situations with conditions of their own. They must never replace the preconditions. Ruled by section 3 E
of the partnership's decision rules.
"""

from policies.rules.facts import (
    AUDIT_ROLES,
    NOTHING,
    PROTECTIVE_PURPOSES,
    SPECIAL_CATEGORY_DATA,
    Facts,
    Finding,
    Findings,
    Level,
    finding,
)
from policies.vocabulary import (
    AccessMode,
    AgencyType,
    ApprovalKind,
    Circumstance,
    DataCategory,
    GillickStatus,
    ItemForm,
    Obligation,
    Purpose,
    Role,
    SarRequester,
)

ALERT = frozenset({Obligation.IG_ALERT})
RATIONALE = frozenset({Obligation.LOG_RATIONALE})
SECOND = frozenset({Obligation.SECOND_APPROVER})
GRAVE = frozenset({Circumstance.SERIOUS_CRIME, Circumstance.SERIOUS_HARM})
COLLATED_FORMS = frozenset({ItemForm.MASH_PRODUCT, ItemForm.AGENCY_RESEARCH})
AFTER_CLOSURE = frozenset({Purpose.STATUTORY_REVIEW, Purpose.COURT_PROCEEDINGS})
READ_AUDIT = AUDIT_ROLES | {Role.DPO, Role.SAR_OFFICER}
ANALYTIC_PURPOSES = frozenset({Purpose.EARLY_IDENTIFICATION, Purpose.PERFORMANCE})
HARM_TESTED = SPECIAL_CATEGORY_DATA | {DataCategory.SOCIAL_CARE_STATUS, DataCategory.EDUCATION}
NEVER_FOR_THE_LIVING = frozenset({SarRequester.RELATIVE, SarRequester.OTHER, SarRequester.PERSONAL_REPRESENTATIVE})
EMERGENCY = frozenset(
    {Obligation.RETRO_REVIEW, Obligation.EXPIRE_AT, Obligation.NOTIFY_OWNER, Obligation.LOG_RATIONALE}
)
QA_DUTIES = frozenset({Obligation.LOG_RATIONALE, Obligation.NO_EXPORT, Obligation.EXPIRE_AT})


def police_crime_purpose(facts: Facts) -> Findings:
    """P38 Police crime purpose (partner). Source: Crime and Disorder Act 1998 s115; PCSC Act 2022 s16; NHS England."""
    found = []
    if facts.request.circumstances.isdisjoint(GRAVE):
        found.append(finding(Level.DENY, ("P38",)))
    if not facts.approved(ApprovalKind.OWNER_RELEASE):
        if facts.request.item.form in COLLATED_FORMS:
            found.append(finding(Level.DENY, ("P38", "P39")))
        else:
            rules = facts.absent(ApprovalKind.OWNER_RELEASE, "P38")
            found.append(finding(Level.REFER, rules, frozenset({Obligation.OWNER_RELEASE})))
    return tuple(found) or (finding(Level.ALLOW, ("P38",)),)


def onward_sharing(facts: Facts) -> Findings:
    """P39 Onward sharing. Source: ICO Data Sharing Code."""
    if not facts.onward:
        return NOTHING
    if onward_agreed(facts) or facts.approved(ApprovalKind.OWNER_RELEASE):
        return (finding(Level.ALLOW, ("P39",)),)
    return (finding(Level.DENY, facts.absent(ApprovalKind.OWNER_RELEASE, "P39")),)


def onward_agreed(facts: Facts) -> bool:
    """P39: does a matching clause list the next receiver?"""
    receiver = facts.request.recipient.agency
    return any(receiver in clause.onward_to for clause in facts.reaching)


def break_glass_used(facts: Facts) -> Findings:
    """P40 Break-glass: what its use demands. Source: ICO code, urgent sharing."""
    return (finding(Level.ALLOW, ("P40",), EMERGENCY),)


def break_glass_misused(facts: Facts) -> bool:
    """P40 Break-glass declared without imminent risk: alerted whatever the outcome, otherwise ignored."""
    declared = facts.request.break_glass
    return declared is not None and not declared.imminent_risk


def ended_basis(facts: Facts) -> Findings:
    """P41 Ended basis (partner). Source: MASH guidance."""
    episode = facts.request.episode
    if episode is None or episode.closed_at is None or episode.closed_at > facts.now:
        return NOTHING
    keeps_product = (
        facts.request.recipient.agency_type == AgencyType.CHILDRENS_SOCIAL_CARE
        and facts.request.item.form == ItemForm.MASH_PRODUCT
    )
    goes_on = not facts.partner or facts.purpose in AFTER_CLOSURE or keeps_product
    return (finding(Level.ALLOW if goes_on else Level.DENY, ("P41",)),)


def open_case(facts: Facts) -> Findings:
    """P42 Open case elsewhere (partner): whom to call, nothing gathered. Source: MASH guidance; threshold continuum."""
    if facts.open_case:
        return (finding(Level.INDICATOR, ("P42",), frozenset({Obligation.ROUTE_HUMAN})),)
    return NOTHING


def audit(facts: Facts) -> Findings:
    """P43 Audit and quality audit. Source: NHS privacy-officer guidance."""
    request = facts.request
    first, second = request.actor.role, request.recipient.role
    found = []
    if first in AUDIT_ROLES or second in AUDIT_ROLES:
        if facts.content:
            found.append(finding(Level.DENY, ("P43",)))
        if request.access.mode == AccessMode.SEARCH_NAME and not (request.access.case_reference or "").strip():
            found.append(finding(Level.DENY, ("P43",), ALERT))
    if not facts.content and not (first in READ_AUDIT and second in READ_AUDIT):
        found.append(finding(Level.DENY, ("P43",)))
    if facts.purpose == Purpose.IG_AUDIT:
        found.append(finding(Level.ALLOW, ("P43",), RATIONALE))
    if facts.purpose == Purpose.PRACTICE_QA:
        sampled = request.recipient.role == Role.QA_AUDITOR and not facts.partner and request.access.sampled
        found.append(finding(Level.ALLOW, ("P43",), QA_DUTIES) if sampled else finding(Level.DENY, ("P43",)))
    return tuple(found)


def administrator(facts: Facts) -> Findings:
    """P44 SYSTEM_ADMIN and content. Source: segregation of duties."""
    if facts.content and Role.SYSTEM_ADMIN in (facts.request.actor.role, facts.request.recipient.role):
        return (finding(Level.DENY, ("P44",), ALERT),)
    return NOTHING


def analytics(facts: Facts) -> Findings:
    """P45 Analytics. Source: ICO DPIA list; UK GDPR Art 22."""
    about = facts.request.analytics
    sound = (
        about is not None
        and about.pseudonymised
        and bool((about.dpia_reference or "").strip())
        and about.smallest_group >= facts.request.policy.smallest_group
        and not about.solely_automated
    )
    return (finding(Level.ALLOW if sound else Level.DENY, ("P45",)),)


def subject_access(facts: Facts) -> Findings:
    """P46 Subject access, and P47 for somebody who died.

    Source: UK GDPR Art 15; DPA 2018 Schs 2, 3; Access to Health Records Act 1990.
    """
    sar = facts.request.sar
    found = [Finding(Level.ALLOW, ("P46",), RATIONALE)]
    if facts.request.recipient.role != Role.SAR_OFFICER or sar is None:
        found.append(finding(Level.DENY, ("P46",)))
    if sar is None:
        return tuple(found)
    if facts.deceased:
        if sar.requester != SarRequester.PERSONAL_REPRESENTATIVE:
            found.append(finding(Level.DENY, ("P47",)))
    elif sar.requester in NEVER_FOR_THE_LIVING or (
        sar.requester == SarRequester.PARENT_WITH_PR and _child_decides(facts, sar.child_objects)
    ):
        found.append(finding(Level.DENY, ("P46",)))
    if facts.category in HARM_TESTED and not sar.serious_harm_test_done:
        found.append(finding(Level.REFER, ("P46",), SECOND))
    if sar.requester != SarRequester.SELF and not facts.approved(ApprovalKind.SAR_RELEASE):
        found.append(finding(Level.REFER, facts.absent(ApprovalKind.SAR_RELEASE, "P46"), SECOND))
    return tuple(found)


def _child_decides(facts: Facts, objects: bool) -> bool:
    """P46: an adult asks for themselves; a child of 16 or a competent one may keep a parent out."""
    return facts.adult or (objects and (facts.sixteen or facts.competence == GillickStatus.COMPETENT))


def the_dead(facts: Facts) -> Findings:
    """P47 The dead, and statutory reviews.

    Source: duty of confidence after death; Access to Health Records Act 1990.
    """
    found = []
    if facts.deceased:
        found.append(finding(Level.ALLOW, ("P47",), RATIONALE))
        allowed = (
            facts.purpose in AFTER_CLOSURE or facts.desk or (facts.purpose in PROTECTIVE_PURPOSES and facts.threshold)
        )
        if facts.partner and not allowed:
            found.append(finding(Level.DENY, ("P47",)))
    if facts.purpose == Purpose.STATUTORY_REVIEW:
        if facts.request.recipient.role == Role.STATUTORY_REVIEWER:
            found.append(finding(Level.ALLOW, ("P47",), frozenset({Obligation.LOG_RATIONALE, Obligation.NO_EXPORT})))
        else:
            found.append(finding(Level.DENY, ("P47",)))
    return tuple(found)


def exploitation_panel(facts: Facts) -> Findings:
    """P09 in MACSE: what the panel shows about a child or a peer is not exported. Source: obligations table."""
    return (finding(Level.ALLOW, ("P09",), frozenset({Obligation.NO_EXPORT})),)
