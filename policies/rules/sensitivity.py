"""Rules P22 to P31: sensitive services, seals, held markers, products, intelligence, bars, shields, panels, courts.

For: what the nature and the owner of an item demand, whoever asks. They must never let an agreement, a role
or an approval open a statutory bar. Ruled by section 3 C of the partnership's decision rules.
"""

from policies.rules.facts import NOTHING, SENSITIVE_SERVICES, Facts, Finding, Findings, Level, adequate, finding
from policies.rules.positions import position
from policies.vocabulary import (
    AccessMode,
    ApprovalKind,
    ConsentKind,
    DataCategory,
    FieldKind,
    GpAnswer,
    HandlingCode,
    ItemForm,
    Obligation,
    Purpose,
    RelationshipKind,
    Role,
    SealState,
    StatutoryGateway,
    SubjectFlag,
)

BARRED_CATEGORIES = frozenset(
    {
        DataCategory.ADOPTION_SEALED,
        DataCategory.GENDER_RECOGNITION_PROTECTED,
        DataCategory.FERTILITY,
        DataCategory.PROTECTED_PERSON,
        DataCategory.LEGAL_PRIVILEGE,
    }
)
BARRED_KINDS = frozenset({FieldKind.PRE_ADOPTION_IDENTITY, FieldKind.FORMER_GENDER_IDENTITY})
ONLY_WHEREABOUTS = frozenset({FieldKind.WHEREABOUTS})
PANELS = {DataCategory.MAPPA: Purpose.MAPPA, DataCategory.MARAC_DA: Purpose.MARAC}

BARRED = (Finding(Level.SILENT, ("P27",)),)
NO_EXPORT = frozenset({Obligation.NO_EXPORT})
OWNER_RELEASE = frozenset({Obligation.OWNER_RELEASE})
BY_THRESHOLD = frozenset({Obligation.LOG_RATIONALE, Obligation.NO_EXPORT})
SHOWN_TO_NAMED_ROLE = frozenset(
    {Obligation.LOG_RATIONALE, Obligation.VIEW_ONCE, Obligation.NO_EXPORT, Obligation.IG_ALERT}
)
NAMED_ROLE = (Finding(Level.ALLOW, ("P28",), SHOWN_TO_NAMED_ROLE),)


def sensitive_service(facts: Facts) -> Findings:
    """P22 Sensitive services (partner).

    Source: ContactPoint Regulations 2007, sensitive services; treatment-statistics privacy notice.
    """
    if not sensitive_service_applies(facts) or facts.marker_request:
        return NOTHING
    if _specific_consent(facts):
        return (finding(Level.ALLOW, ("P22",)),)
    if not facts.threshold:
        return (finding(Level.DENY, ("P22",), liftable=True),)
    if facts.request.item.seal.state == SealState.RELEASED or facts.approved(ApprovalKind.OWNER_RELEASE):
        return (finding(Level.ALLOW, ("P22",), BY_THRESHOLD),)
    rules = facts.absent(ApprovalKind.OWNER_RELEASE, "P22")
    # The duties of the threshold stay when break-glass lifts the missing release.
    return (
        finding(Level.REFER, rules, BY_THRESHOLD | OWNER_RELEASE, liftable=True),
        finding(Level.ALLOW, ("P22",), BY_THRESHOLD),
    )


def sensitive_service_applies(facts: Facts) -> bool:
    """P22 and F4: a partner asks for a sensitive service, not for desk purposes or a statutory review."""
    return (
        facts.partner
        and facts.category in SENSITIVE_SERVICES
        and not facts.desk
        and facts.purpose != Purpose.STATUTORY_REVIEW
    )


def _specific_consent(facts: Facts) -> bool:
    return facts.consent_counts and position(facts, ConsentKind.CONFIDENTIALITY).names_category


def release_carries_sensitive_service(facts: Facts) -> bool:
    """F10: P22 was opened by the threshold and rests on an OWNER_RELEASE, not on a released seal."""
    return (
        sensitive_service_applies(facts)
        and not facts.marker_request
        and facts.threshold
        and facts.request.item.seal.state != SealState.RELEASED
        and not _specific_consent(facts)
    )


def sealed(facts: Facts) -> Findings:
    """P23 Sealed until released (partner); past its due time it is the owner's senior's, P49.

    Source: MASH sealed-intelligence practice; MASH escalation practice.
    """
    if not is_sealed(facts):
        return NOTHING
    if facts.approved(ApprovalKind.OWNER_RELEASE):
        return (finding(Level.ALLOW, ("P23", "P37")),)
    due_at = facts.request.item.seal.due_at
    if due_at is not None and due_at <= facts.now:
        ask_senior = frozenset({Obligation.ROUTE_HUMAN})
        return (finding(Level.REFER, ("P23", "P48", "P49"), ask_senior, answer=GpAnswer.NOT_REACHED),)
    return (finding(Level.REFER, facts.absent(ApprovalKind.OWNER_RELEASE, "P23"), OWNER_RELEASE),)


def is_sealed(facts: Facts) -> bool:
    """P23: does this item need its owner's release?"""
    item = facts.request.item
    state = item.seal.state
    return (
        facts.partner
        and not facts.marker_request
        and (state == SealState.SEALED or (item.form == ItemForm.AGENCY_RESEARCH and state == SealState.OPEN))
    )


def held_marker(facts: Facts) -> Findings:
    """P24 The held marker: for the decision maker and inside the owner agency only. Source: regional MASH guidance."""
    if not facts.marker_request:
        return NOTHING
    if facts.decision_maker or not facts.partner:
        return (finding(Level.INDICATOR, ("P24",)),)
    return (finding(Level.SILENT, ("P24",)),)


def product(facts: Facts) -> Findings:
    """P25 Product (partner): signed off by the decision maker. Source: MASH practice; Working Together 2023."""
    item = facts.request.item
    if facts.marker_request or item.form != ItemForm.MASH_PRODUCT:
        return NOTHING
    if item.signed_off_by == Role.MASH_DECISION_MAKER:
        return (finding(Level.ALLOW, ("P25",)),)
    return (finding(Level.REFER, ("P25",), frozenset({Obligation.SECOND_APPROVER})),)


def intelligence(facts: Facts) -> Findings:
    """P26 Police intelligence (partner), with P24 for what is not cleared. Source: police 3x5x2 handling codes."""
    code = facts.request.item.intelligence
    if facts.marker_request or (facts.category != DataCategory.POLICE_INTELLIGENCE and code is None):
        return NOTHING
    cleared = code is not None and (
        (code.code == HandlingCode.P and code.sanitised)
        or (code.code == HandlingCode.C and code.conditions_met and facts.approved(ApprovalKind.CODE_C_RELEASE))
    )
    if not cleared:
        if facts.decision_maker:
            rules = facts.absent(ApprovalKind.CODE_C_RELEASE, "P26")
            return (finding(Level.REFER, rules, OWNER_RELEASE | NO_EXPORT),)
        return (finding(Level.SILENT, ("P24", "P26")),)
    if facts.request.access.mode == AccessMode.EXPORT:
        return (finding(Level.DENY, ("P26",)),)
    return (finding(Level.ALLOW, ("P26",), NO_EXPORT),)


def statutory_bar(facts: Facts) -> Findings:
    """P27 Statutory bars, whoever owns the data and whatever the purpose.

    Source: adoption records rules; Gender Recognition Act 2004 s22.
    """
    if facts.category in BARRED_CATEGORIES or SubjectFlag.PROTECTED_PERSON in facts.request.subject.flags:
        return BARRED
    return NOTHING


def shielded_person(facts: Facts) -> Findings:
    """P28 Shielded persons. Source: ContactPoint shielding rules; NHS sensitive flag."""
    if not facts.shielded:
        return NOTHING
    found = []
    if facts.request.access.mode == AccessMode.SEARCH_ADDRESS or not facts.related:
        found.append(finding(Level.SILENT, ("P28",)))
    if is_hidden_item(facts):
        if facts.gp_check:
            found.append(finding(Level.SILENT, ("P28", "P48")))
        elif is_named_role(facts):
            found.extend(NAMED_ROLE)
        else:
            found.append(finding(Level.REFER, ("P28",), frozenset({Obligation.BROKER_CONTACT})))
    return tuple(found) or (finding(Level.ALLOW, ("P28",)),)


def is_hidden_item(facts: Facts) -> bool:
    """P28: the item is, as a whole, where a shielded person can be found."""
    return facts.shielded and (facts.category == DataCategory.ADDRESS_SHIELDED or facts.kinds == ONLY_WHEREABOUTS)


def is_named_role(facts: Facts) -> bool:
    """P28: a role that a clause names for shielded addresses; in the own agency the allocated social worker."""
    if facts.partner:
        role = facts.request.recipient.role
        return any(role in clause.shield_reveal_roles for clause in facts.reaching)
    return (
        facts.request.recipient.role == Role.SOCIAL_WORKER
        and facts.request.relationship.kind == RelationshipKind.CASELOAD
    )


def panel_process(facts: Facts) -> Findings:
    """P30 MAPPA and MARAC_DA stay in their process. Source: MAPPA guidance; MARAC protocols."""
    on_agenda = facts.related and facts.request.relationship.kind == RelationshipKind.PANEL_AGENDA
    if facts.purpose == PANELS[facts.category] and on_agenda:
        return (finding(Level.ALLOW, ("P30",)),)
    return (finding(Level.DENY, ("P30",), frozenset({Obligation.BROKER_CONTACT})),)


def court_restricted(facts: Facts) -> Findings:
    """P31 COURT_RESTRICTED. Source: family court rules on disclosure."""
    permitted = facts.request.item.court_permission_for == facts.purpose
    return (finding(Level.ALLOW if permitted else Level.REFER, ("P31",), NO_EXPORT),)


def withheld(facts: Facts) -> Findings:
    """P49 Withholding and silence (partner).

    Source: Children Act 2004 s16LA detriment test; MASH escalation practice.
    """
    seal = facts.request.item.seal
    if facts.marker_request or seal.state != SealState.WITHHELD:
        return NOTHING
    claims_duty = StatutoryGateway.CA2004_S16LA in facts.request.recipient.basis.gateways
    must_share = facts.threshold or (claims_duty and facts.in_force(StatutoryGateway.CA2004_S16LA))
    if must_share and not (adequate(seal.withheld_reason) and seal.senior_sign_off):
        return (finding(Level.REFER, ("P49",), frozenset({Obligation.ROUTE_HUMAN})),)
    if facts.decision_maker:
        return (finding(Level.DENY, ("P49",)),)
    return (finding(Level.SILENT, ("P24", "P49")),)
