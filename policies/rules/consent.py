"""Rules P10 to P21: consent, capacity and telling people.

For: whether the family's answer, or a recorded decision about asking, lets this flow pass. Evaluated for
partner access only, never for desk purposes and never for somebody who died. They must never let one kind
of consent stand for another. Ruled by section 3 B of the partnership's decision rules.
"""

from policies.rules.facts import (
    NOTHING,
    PROTECTIVE_PURPOSES,
    SENSITIVE_SERVICES,
    Facts,
    Finding,
    Findings,
    Level,
    Position,
    finding,
)
from policies.rules.positions import decides_alone, position
from policies.rules.preconditions import claims_paragraph_18
from policies.vocabulary import (
    ApprovalKind,
    CapacityStatus,
    Circumstance,
    ConsentKind,
    ConsentModel,
    ConsentState,
    GillickStatus,
    InformChoice,
    Obligation,
    Purpose,
    ReasonCode,
    Role,
    SubjectFlag,
)

CONSENT_GATED = frozenset({Purpose.EARLY_HELP, Purpose.HOUSING_NEED, Purpose.RETURN_HOME_INTERVIEW})
ADULT_PURPOSES = frozenset({Purpose.ADULT_S42, Purpose.ADULT_CARE_ASSESSMENT})
CARE_PURPOSES = frozenset({Purpose.DIRECT_CARE, Purpose.GP_PACKAGE_CHECK})
DECIDE_ABOUT_CONSENT = frozenset(
    {
        Role.MASH_DECISION_MAKER,
        Role.MASH_SOCIAL_WORKER,
        Role.SOCIAL_WORKER,
        Role.ADULT_SOCIAL_WORKER,
        Role.EDT_WORKER,
    }
)
GIVEN_STATES = frozenset({ConsentState.GIVEN_EXPLICIT, ConsentState.GIVEN_PARTIAL})
NOT_ASKED_STATES = frozenset({ConsentState.NOT_SOUGHT_NOT_REQUIRED, ConsentState.NOT_OBTAINABLE})
WITHOUT_CONSENT_STATES = NOT_ASKED_STATES | {
    ConsentState.REFUSED,
    ConsentState.NOT_SOUGHT_UNSAFE,
    ConsentState.BEST_INTERESTS,
}
UNSAFE_REASONS = frozenset({ReasonCode.RISK_TO_ANYONE, ReasonCode.PREJUDICE_TO_ENQUIRY, ReasonCode.UNDUE_DELAY})
OVERRIDING_CIRCUMSTANCES = frozenset(
    {
        Circumstance.CHILDREN_AT_RISK,
        Circumstance.OTHERS_AT_RISK,
        Circumstance.SERIOUS_CRIME,
        Circumstance.COERCION,
        Circumstance.STATUTORY_DUTY,
    }
)
SECOND = frozenset({Obligation.SECOND_APPROVER})
LOG_PARAGRAPH_18 = (Finding(Level.ALLOW, ("P12",), frozenset({Obligation.LOG_PARA18})),)
_WITHOUT_CONSENT = frozenset({Obligation.LOG_RATIONALE, Obligation.NOTIFY_OWNER})
TOLD = (Finding(Level.ALLOW, ("P21",), _WITHOUT_CONSENT | {Obligation.INFORM_SUBJECT}),)
KEPT_QUIET = (Finding(Level.ALLOW, ("P21",), _WITHOUT_CONSENT | {Obligation.DO_NOT_INFORM}),)
#: What P21 finds; break-glass has duties of its own in its place.
TELLING = frozenset(TOLD + KEPT_QUIET)
REFUSED_OR_WITHDRAWN = frozenset({"REFUSED", "WITHDRAWN"})


def consent_model(purpose: Purpose) -> ConsentModel:
    """Return what the rules demand to be asked of the family for this purpose, whatever an agreement says."""
    if purpose in CONSENT_GATED or purpose == Purpose.HOMELESSNESS_REFERRAL:
        return ConsentModel.ASKED_FIRST
    if purpose in PROTECTIVE_PURPOSES:
        return ConsentModel.DECIDED_BEFORE_GATHERING
    if purpose in ADULT_PURPOSES:
        return ConsentModel.ADULT_DECIDES
    return ConsentModel.NO_OBJECTION if purpose in CARE_PURPOSES else ConsentModel.NOT_ASKED


def agrees_first(facts: Facts) -> Findings:
    """P10 Early help and other consent-gated purposes, with P15, P17 and P18 through the consent positions.

    Source: consent-based early help guidance; UK GDPR Art 7(3); Children Act 1989 ss2, 3, 33, 105.
    """
    if not facts.consent_counts:
        return NOTHING
    found: list[Finding] = []
    for kind in (ConsentKind.SERVICE_AGREEMENT, ConsentKind.CONFIDENTIALITY):
        stands = position(facts, kind)
        if stands.name == "GIVEN":
            continue
        if stands.name == "DISPUTED":
            found.append(_settle(facts, "P17"))
            continue
        duties: set[Obligation] = set()
        if stands.name == "REFUSED":
            duties = {Obligation.RECORD_REFUSAL, Obligation.LOG_RATIONALE}
        elif stands.name == "WITHDRAWN":
            duties = {Obligation.NOTIFY_RECIPIENTS}
        found.append(finding(Level.DENY, _with("P10", stands.rule), frozenset(duties), liftable=True))
    return tuple(found) or (finding(Level.ALLOW, ("P10", *_answered_by(facts))),)


def decided_before_gathering(facts: Facts) -> Findings:
    """P11 Decision about consent before gathering. Source: R (AB & CD) v Haringey [2013]."""
    return _decision_about_consent(facts) if _below_threshold(facts) else NOTHING


def _below_threshold(facts: Facts) -> bool:
    return facts.protective and not facts.threshold and not facts.open_case and facts.consent_counts


def _decision_about_consent(facts: Facts) -> Findings:
    """P11, with P13 and P14 for the states REFUSED and NOT_SOUGHT_UNSAFE."""
    decision = facts.decision
    if decision is None or decision.decided_at > facts.now or decision.decided_by_role not in DECIDE_ABOUT_CONSENT:
        return (_refer("P11"),)
    state = decision.state
    if state in GIVEN_STATES:
        stands = position(facts, ConsentKind.CONFIDENTIALITY)
        if stands.name == "GIVEN":
            return (finding(Level.ALLOW, ("P11", *_answered_by(facts))),)
        if stands.name == "DISPUTED":
            return (_settle(facts, "P11", "P17"),)
        return (_refer(*_with("P11", stands.rule)),)
    if state == ConsentState.REFUSED:
        return (_settle(facts, "P11", "P13"),)
    if state == ConsentState.NOT_SOUGHT_UNSAFE:
        return unsafe_to_ask(facts)
    if state == ConsentState.BEST_INTERESTS or (state in NOT_ASKED_STATES and decision.reason_code is not None):
        return (finding(Level.ALLOW, ("P11",)),)
    return (_refer("P11"),)


def significant_harm(facts: Facts) -> Findings:
    """P12 Significant harm: consent is not needed, the paragraph 18 reason is logged.

    Source: DfE information sharing advice 2024; DPA 2018 Sch 1 para 18.
    """
    request = facts.request
    if facts.threshold or claims_paragraph_18(request.recipient.basis) or claims_paragraph_18(request.owner.basis):
        return LOG_PARAGRAPH_18
    return NOTHING


def override_of_refusal(facts: Facts) -> Findings:
    """P13 Override of a refusal, once the threshold is reached. Source: local section 47 procedures; GMC."""
    if not facts.threshold or facts.open_case or facts.purpose == Purpose.MARAC or not facts.consent_counts:
        return NOTHING
    decided_refused = facts.decision is not None and facts.decision.state == ConsentState.REFUSED
    if not decided_refused and position(facts, ConsentKind.CONFIDENTIALITY).name != "REFUSED":
        stands = position(facts, ConsentKind.CONFIDENTIALITY)
        return (finding(Level.ALLOW, ("P15",)),) if stands.rule == "P15" else NOTHING
    return (_settle(facts, "P13"),)


def unsafe_to_ask(facts: Facts) -> Findings:
    """P14 Unsafe to ask: a reason from the list and a review that is not overdue. Source: DfE advice 2024; GMC."""
    decision = facts.decision
    if (
        decision is None
        or decision.reason_code not in UNSAFE_REASONS
        or decision.review_due is None
        or decision.review_due < facts.today
    ):
        return (_refer("P11", "P14"),)
    return (finding(Level.ALLOW, ("P11", "P14")),)


def competence_first(facts: Facts) -> Findings:
    """P16 Young people decide for themselves: assess competence before a sensitive service is shared.

    Source: Gillick; Family Law Reform Act 1969 s8; MCA 2005.
    """
    if (
        facts.consent_counts
        and facts.competence == GillickStatus.NOT_ASSESSED
        and facts.age is not None
        and facts.request.policy.competence_from_age <= facts.age < 16
    ):
        return (finding(Level.REFER, ("P16",), liftable=True),)
    return NOTHING


def adult_decides(facts: Facts) -> Findings:
    """P19 Adults. Source: MCA 2005; Care Act 2014 s42 practice."""
    if not facts.consent_counts:
        return NOTHING
    capacity = facts.request.subject.capacity
    if capacity == CapacityStatus.FLUCTUATING:
        return (finding(Level.REFER, ("P19",), liftable=True),)
    stands = position(facts, ConsentKind.CONFIDENTIALITY)
    lacks = capacity == CapacityStatus.LACKS
    if stands.name == "GIVEN":
        if lacks and stands.conflicted_refusal:
            return (_settle(facts, "P19"),)
        return (finding(Level.ALLOW, ("P19",)),)
    if stands.name == "REFUSED" or (stands.name == "WITHDRAWN" and not lacks):
        if facts.request.circumstances.isdisjoint(OVERRIDING_CIRCUMSTANCES):
            return (finding(Level.DENY, ("P19",), frozenset({Obligation.RECORD_REFUSAL}), liftable=True),)
        return (_settle(facts, "P13", "P19"),)
    if lacks:
        return (_refer("P19"),)
    return (finding(Level.ALLOW, ("P19",)), *_decision_about_consent(facts))


def direct_care(facts: Facts) -> Findings:
    """P20 Direct care: no consent record is needed, an objection closes. Source: HSCA 2012 ss251A-B; GMC 27-30."""
    if not facts.consent_counts:
        return NOTHING
    request = facts.request
    if (
        SubjectFlag.OBJECTION in request.subject.flags
        or request.item.anonymous_access_service
        or position(facts, ConsentKind.CONFIDENTIALITY).name in REFUSED_OR_WITHDRAWN
    ):
        if facts.gp_check:
            return (finding(Level.SILENT, ("P20", "P48")),)
        return (finding(Level.DENY, ("P20",), liftable=True),)
    return (finding(Level.ALLOW, ("P20",), frozenset({Obligation.NOTIFY_OWNER})),)


def tell_people(facts: Facts) -> Findings:
    """P21 Tell people: who is shown something without consent, and who is told. Asked when break-glass is not used.

    Source: UK GDPR Arts 13, 14; golden rule 2.
    """
    if not shown_without_consent(facts):
        return NOTHING
    decision = facts.decision
    kept_quiet = (
        decision is not None
        and decision.inform == InformChoice.DO_NOT_INFORM
        and decision.inform_reason is not None
        and decision.inform_owner is not None
    )
    quiet = kept_quiet or facts.purpose == Purpose.MARAC
    return KEPT_QUIET if quiet else TOLD


def shown_without_consent(facts: Facts) -> bool:
    """P12; P11 with a state other than a yes; P19 with an overridden refusal or a best-interests record."""
    if not facts.consent_counts:
        return False
    if facts.threshold and not facts.open_case:
        return True
    decided = facts.decision is not None and facts.decision.state in WITHOUT_CONSENT_STATES
    if _below_threshold(facts):
        return decided
    if facts.purpose not in ADULT_PURPOSES:
        return False
    stands = position(facts, ConsentKind.CONFIDENTIALITY)
    if stands.name == "GIVEN":
        lacks = facts.request.subject.capacity == CapacityStatus.LACKS
        return lacks and (stands.best_interests or stands.conflicted_refusal)
    return stands.name in REFUSED_OR_WITHDRAWN or decided


def authority_relied_on(facts: Facts) -> Findings:
    """P21 Tell people, where the authority's own yes (LA_WITH_PR) carries the flow. Source: UK GDPR Art 14."""
    if not facts.consent_counts or not facts.request.consents:
        return NOTHING
    kinds: tuple[ConsentKind, ...] = ()
    if facts.purpose in CONSENT_GATED:
        kinds = (ConsentKind.SERVICE_AGREEMENT, ConsentKind.CONFIDENTIALITY)
    elif _relies_on_a_yes(facts) or (facts.category in SENSITIVE_SERVICES and _confides(facts).names_category):
        kinds = (ConsentKind.CONFIDENTIALITY,)
    if any(
        stands.by_authority and stands.name in ("GIVEN", "DISPUTED") for stands in (position(facts, k) for k in kinds)
    ):
        return (finding(Level.ALLOW, ("P17", "P21"), frozenset({Obligation.INFORM_SUBJECT})),)
    return NOTHING


def _relies_on_a_yes(facts: Facts) -> bool:
    below = _below_threshold(facts) or facts.purpose in ADULT_PURPOSES
    return facts.purpose == Purpose.HOMELESSNESS_REFERRAL or (
        below and facts.decision is not None and facts.decision.state in GIVEN_STATES
    )


def _confides(facts: Facts) -> Position:
    return position(facts, ConsentKind.CONFIDENTIALITY)


def _answered_by(facts: Facts) -> tuple[str, ...]:
    """Name the rule by which the person, or somebody else for them, gave the answer."""
    if facts.adult:
        return ("P18",)
    return ("P16",) if decides_alone(facts) else ("P16", "P17")


def _settle(facts: Facts, *rules: str) -> Finding:
    """Pass with the decision maker's valid OVERRIDE, else refer to a second person."""
    if facts.approved(ApprovalKind.OVERRIDE):
        return finding(Level.ALLOW, (*rules, "P37"))
    return finding(Level.REFER, facts.absent(ApprovalKind.OVERRIDE, *rules), SECOND, liftable=True)


def _refer(*rules: str) -> Finding:
    return finding(Level.REFER, rules, SECOND, liftable=True)


def _with(rule: str, explaining: str) -> tuple[str, ...]:
    return (rule,) if explaining == rule else (rule, explaining)
