"""Rules P01 to P09: who asks, why they may be concerned, agreement, lawful basis, purpose and necessity.

For: the conditions that every request meets before consent is looked at. They must never read anything but
the request. Ruled by section 3 A of the partnership's decision rules.
"""

import functools

from policies.case import Basis, Owner, Recipient
from policies.rules.facts import (
    HEALTH_AGENCIES,
    NOTHING,
    OFFENCE_DATA,
    PROHIBITED_PURPOSES,
    SENSITIVE_SERVICES,
    SOCIAL_CARE_AGENCIES,
    SPECIAL_CATEGORY_DATA,
    Facts,
    Finding,
    Findings,
    Level,
    adequate,
    finding,
    holds,
)
from policies.rules.positions import position
from policies.vocabulary import (
    AccessMode,
    AccountKind,
    ApprovalKind,
    Article6Basis,
    Article9Condition,
    Article10Condition,
    Authentication,
    BragRating,
    CapacityStatus,
    ConsentKind,
    DataCategory,
    Employment,
    GillickStatus,
    Obligation,
    ProhibitedPurpose,
    Purpose,
    Regime,
    RelationshipKind,
    RelationToIndex,
    Schedule1Condition,
    Schedule8Condition,
    StatutoryGateway,
)

ALERT = frozenset({Obligation.IG_ALERT})
COHORT_PURPOSES = frozenset({Purpose.PERFORMANCE, Purpose.EARLY_IDENTIFICATION, Purpose.DATA_MATCHING})
#: UK GDPR Article 6(1): what a public authority may rely on, and what others may, with RLI on its condition.
PUBLIC_BASES = frozenset({Article6Basis.LEGAL_OBLIGATION, Article6Basis.PUBLIC_TASK})
OTHER_BASES = frozenset({Article6Basis.LEGAL_OBLIGATION, Article6Basis.LEGITIMATE_INTERESTS})
LEGITIMATE_INTERESTS = frozenset({Article6Basis.RECOGNISED_LEGITIMATE_INTEREST, Article6Basis.LEGITIMATE_INTERESTS})
GP_CATEGORIES = frozenset({DataCategory.ASC_PACKAGE, DataCategory.SOCIAL_CARE_STATUS})
OFF_LIST_CHECKS_WITHOUT_ALERT = 3
#: Substantial public interest conditions, DPA 2018 Schedule 1 Part 2; equal words in both lists are equal.
PART_2_PARAGRAPHS: frozenset[str] = frozenset({one for one in Schedule1Condition if one.startswith("P2_")})

_PROTECTION = {Purpose.IMMEDIATE_PROTECTION, Purpose.S47_ENQUIRY, Purpose.STRATEGY_DISCUSSION}
_SCREENING = {Purpose.MASH_SCREENING, Purpose.S17_ASSESSMENT}
_CARE = frozenset({Purpose.DIRECT_CARE, Purpose.GP_PACKAGE_CHECK})

#: The purposes that each statutory gateway serves.
GATEWAY_SERVES: dict[StatutoryGateway, frozenset[Purpose]] = {
    StatutoryGateway.CA1989_S17: frozenset(_SCREENING),
    StatutoryGateway.CA1989_S20_S31: frozenset({Purpose.S17_ASSESSMENT, Purpose.COURT_PROCEEDINGS}),
    StatutoryGateway.CA1989_S27: frozenset(_PROTECTION | _SCREENING),
    StatutoryGateway.CA1989_S47: frozenset(_PROTECTION),
    StatutoryGateway.CA2004_S10: frozenset(
        _SCREENING
        | COHORT_PURPOSES
        | {
            Purpose.EARLY_HELP,
            Purpose.MACSE,
            Purpose.RETURN_HOME_INTERVIEW,
            Purpose.YOUTH_JUSTICE,
            Purpose.HOUSING_NEED,
        }
    ),
    StatutoryGateway.CA2004_S11: frozenset(
        _PROTECTION | _SCREENING | {Purpose.MISSING_CHILD, Purpose.RETURN_HOME_INTERVIEW, Purpose.MACSE, Purpose.LADO}
    ),
    StatutoryGateway.CA2004_S16H: frozenset({Purpose.STATUTORY_REVIEW}),
    StatutoryGateway.CA2004_S16LA: frozenset(_PROTECTION | _SCREENING | {Purpose.MISSING_CHILD}),
    StatutoryGateway.CA2004_S16LC: frozenset({Purpose.DATA_MATCHING}),
    StatutoryGateway.CARE2014_S42: frozenset({Purpose.ADULT_S42}),
    StatutoryGateway.CARE2014_S6_7: frozenset({Purpose.ADULT_S42, Purpose.ADULT_CARE_ASSESSMENT}),
    StatutoryGateway.CARE2014_S45: frozenset({Purpose.ADULT_S42, Purpose.STATUTORY_REVIEW}),
    StatutoryGateway.HSCA2012_S251A: _CARE,
    StatutoryGateway.HSCA2012_S251B: _CARE,
    StatutoryGateway.CDA1998_S115: frozenset({Purpose.MARAC, Purpose.MAPPA, Purpose.CRIME, Purpose.YOUTH_JUSTICE}),
    StatutoryGateway.CJA2003_S325: frozenset({Purpose.MAPPA}),
    StatutoryGateway.VPA2024_OP_ENCOMPASS: frozenset({Purpose.OP_ENCOMPASS}),
    StatutoryGateway.PCSC2022_S16: frozenset({Purpose.CRIME}),
    StatutoryGateway.HA1996_S213B: frozenset({Purpose.HOMELESSNESS_REFERRAL}),
    StatutoryGateway.DEA2017_S35: frozenset({Purpose.EARLY_IDENTIFICATION, Purpose.HOUSING_NEED}),
    StatutoryGateway.CTSA2015_S36: frozenset(),
    StatutoryGateway.COMMON_LAW_POLICING: frozenset(
        {Purpose.CRIME, Purpose.MISSING_CHILD, Purpose.IMMEDIATE_PROTECTION}
    ),
    StatutoryGateway.COURT_ORDER: frozenset({Purpose.COURT_PROCEEDINGS}),
    StatutoryGateway.CORONER: frozenset({Purpose.STATUTORY_REVIEW}),
}

SIGNED_IN = (Finding(Level.ALLOW, ("P02",)),)
RELATED = (Finding(Level.ALLOW, ("P03",)),)
AGREED = (Finding(Level.ALLOW, ("P04",)),)
ONE_OFF = (Finding(Level.ALLOW, ("P04", "P37"), frozenset({Obligation.LOG_RATIONALE})),)
LAWFUL = (Finding(Level.ALLOW, ("P05",)),)
UNLAWFUL = (Finding(Level.DENY, ("P05",)),)
OUT_OF_TIME = (Finding(Level.DENY, ("P05", "P07")),)
NECESSARY = (Finding(Level.ALLOW, ("P09",)),)
UNNECESSARY = (Finding(Level.DENY, ("P09",)),)
ASK_THE_OWNER = frozenset({Obligation.OWNER_RELEASE, Obligation.LOG_RATIONALE})
#: Article 9 conditions that look at the person, and gateways that look at the item or at consent (P05).
PERSONAL_CONDITIONS = frozenset({Article9Condition.VITAL_INTERESTS, Article9Condition.EXPLICIT_CONSENT})
NARROW_GATEWAYS = frozenset({StatutoryGateway.PCSC2022_S16, StatutoryGateway.HA1996_S213B})


def named_user(facts: Facts) -> Findings:
    """P02 Named user, valid role, real reason. Source: practice of national child indexes; UK GDPR Art 5(2)."""
    actor = facts.request.actor
    current = actor.employment == Employment.CURRENT and holds(facts.now, actor.role_from, actor.role_until)
    strong, personal = actor.authentication == Authentication.STRONG, actor.account == AccountKind.PERSONAL
    reason = adequate(facts.request.access.rationale)
    if current and strong and personal and reason:
        return SIGNED_IN
    found = []
    if not (current and strong):
        found.append(finding(Level.DENY, ("P02",)))
    if not personal:
        found.append(finding(Level.DENY, ("P02",), ALERT))
    if not reason:
        found.append(finding(Level.REFER, ("P02",)))
    return tuple(found)


def legitimate_relationship(facts: Facts) -> Findings:
    """P03 Legitimate relationship. Source: NHS privacy-officer and alert practice."""
    if facts.related:
        return RELATED
    found = []
    if facts.gp_check:
        often = facts.request.off_list_checks_today > OFF_LIST_CHECKS_WITHOUT_ALERT
        found.append(finding(Level.SILENT, ("P03", "P48"), ALERT if often else frozenset()))
    if facts.request.relationship.kind == RelationshipKind.SELF_CLAIMED:
        found.append(finding(Level.DENY, ("P03",), ALERT, liftable=not facts.gp_check))
    elif not facts.gp_check:
        found.append(finding(Level.DENY, ("P03",), liftable=True))
    return tuple(found)


def sharing_agreement(facts: Facts) -> Findings:
    """P04 Sharing agreement (partner). Source: ICO Data Sharing Code; local agreement rules."""
    if facts.clauses:
        return AGREED
    if facts.approved(ApprovalKind.ONE_OFF):
        return ONE_OFF
    rules = facts.absent(ApprovalKind.ONE_OFF, "P04")
    if facts.threshold:
        return (finding(Level.REFER, rules, ASK_THE_OWNER, liftable=True),)
    return (finding(Level.DENY, rules, liftable=True),)


def lawful_basis(facts: Facts) -> Findings:
    """P05 Lawful basis, for owner (partner) and recipient separately, with P07 Gateways in time.

    Source: UK GDPR Arts 6, 9, 10; DPA 2018 Schs 1 and 8; the gateway statutes; for P07 the commencement of
    Children Act 2004 s16LA.
    """
    if facts.deceased:
        return NOTHING
    # Of the item only its class bears on it, unless consent, competence or an exclusion does: worked out once.
    about = (facts.category in SPECIAL_CATEGORY_DATA, facts.category in OFFENCE_DATA)
    known = facts.lawful.get(about)
    if known is None:
        known = _lawful_basis(facts)
        if not (_looks_closer(facts.request.recipient.basis) or _looks_closer(facts.request.owner.basis)):
            facts.lawful[about] = known
    return known


def _looks_closer(basis: Basis | None) -> bool:
    """Does this claim stand or fall with consent, competence or what exactly the item is?"""
    return basis is not None and (basis.art9 in PERSONAL_CONDITIONS or not NARROW_GATEWAYS.isdisjoint(basis.gateways))


def _lawful_basis(facts: Facts) -> Findings:
    recipient, owner = facts.request.recipient, facts.request.owner
    valid = _conditions_hold(facts, recipient, recipient.basis)
    missing = _gateway_rule(facts, recipient, recipient.basis)
    if facts.partner:
        if owner.basis is None:
            return UNLAWFUL
        valid = valid and _conditions_hold(facts, owner, owner.basis)
        # P07 is named when either side's gateway is out of time.
        missing = max(missing, _gateway_rule(facts, owner, owner.basis))
    if valid and not missing:
        return LAWFUL
    return OUT_OF_TIME if missing == "P07" else UNLAWFUL


def _conditions_hold(facts: Facts, side: Owner | Recipient, basis: Basis) -> bool:
    """Articles 6, 9 and 10, or Part 3, of one side."""
    special, offence = facts.category in SPECIAL_CATEGORY_DATA, facts.category in OFFENCE_DATA
    if basis.regime == Regime.PART_3:
        return (
            side.competent_authority
            and facts.purpose == Purpose.CRIME
            and (basis.sch8 is not None or not (special or offence))
            and (basis.sch8 != Schedule8Condition.S8_4 or basis.para18_reason is not None)
        )
    return (
        _article_6_holds(facts, side, basis)
        and (not special or _article_9_holds(facts, basis))
        and (not offence or basis.art10 is not None)
        and (basis.apd or not (basis.sch1 in PART_2_PARAGRAPHS or basis.art10 in PART_2_PARAGRAPHS))
        and (basis.para18_reason is not None or not claims_paragraph_18(basis))
    )


def claims_paragraph_18(basis: Basis | None) -> bool:
    """Does this side claim DPA 2018 Schedule 1 paragraph 18, safeguarding?"""
    return basis is not None and (basis.sch1 == Schedule1Condition.P2_18 or basis.art10 == Article10Condition.P2_18)


def _article_6_holds(facts: Facts, side: Owner | Recipient, basis: Basis) -> bool:
    if basis.art6 == Article6Basis.VITAL_INTERESTS:
        return facts.break_glass_valid
    if side.public_authority:
        return basis.art6 in PUBLIC_BASES
    if basis.art6 == Article6Basis.RECOGNISED_LEGITIMATE_INTEREST:
        return basis.rli_condition is not None
    return basis.art6 in OTHER_BASES


def _article_9_holds(facts: Facts, basis: Basis) -> bool:
    claimed = basis.art9
    if claimed == Article9Condition.SUBSTANTIAL_PUBLIC_INTEREST:
        return basis.sch1 in PART_2_PARAGRAPHS
    if claimed == Article9Condition.HEALTH_OR_SOCIAL_CARE:
        return basis.sch1 == Schedule1Condition.P1_2
    if claimed == Article9Condition.EMPLOYMENT_SOCIAL_PROTECTION:
        return basis.sch1 == Schedule1Condition.P1_1
    if claimed == Article9Condition.VITAL_INTERESTS:
        young = not facts.sixteen and facts.competence != GillickStatus.COMPETENT
        return young or facts.request.subject.capacity == CapacityStatus.LACKS
    if claimed == Article9Condition.EXPLICIT_CONSENT:
        return position(facts, ConsentKind.UK_GDPR).name == "GIVEN"
    return False


def _gateway_rule(facts: Facts, side: Owner | Recipient, basis: Basis) -> str:
    """Return "" when a gateway carries the flow, else the rule that says why none does."""
    if not facts.partner or not side.public_authority:
        return ""
    serving = basis.gateways if facts.break_glass_valid else basis.gateways & gateways_serving(facts.purpose)
    for code in serving:
        if facts.in_force(code) and _not_excluded(facts, code):
            return ""
    return "P05" if all(facts.in_force(code) for code in basis.gateways) else "P07"


@functools.cache
def gateways_serving(purpose: Purpose | ProhibitedPurpose) -> frozenset[StatutoryGateway]:
    """Return the gateways that serve a purpose."""
    return frozenset(code for code, purposes in GATEWAY_SERVES.items() if purpose in purposes)


def _not_excluded(facts: Facts, code: StatutoryGateway) -> bool:
    """P05: the serious violence duty carries no health or care information; a duty to refer needs consent."""
    if code == StatutoryGateway.PCSC2022_S16:
        owner_type = facts.request.owner.agency_type
        return not (
            facts.category in SENSITIVE_SERVICES
            or facts.category == DataCategory.HEALTH_SUMMARY
            or owner_type in HEALTH_AGENCIES
            or owner_type in SOCIAL_CARE_AGENCIES
        )
    if code == StatutoryGateway.HA1996_S213B:
        return position(facts, ConsentKind.CONFIDENTIALITY).name == "GIVEN"
    return True


def legitimate_interest(facts: Facts) -> Findings:
    """P06 Recognised and ordinary legitimate interest are closed to public authorities.

    Source: Data (Use and Access) Act 2025; UK GDPR Art 6(1).
    """
    request = facts.request
    recipient, owner = request.recipient, request.owner
    claiming = []
    if recipient.basis.art6 in LEGITIMATE_INTERESTS:
        claiming.append(recipient.public_authority)
    if facts.partner and owner.basis is not None and owner.basis.art6 in LEGITIMATE_INTERESTS:
        claiming.append(owner.public_authority)
    if not claiming:
        return NOTHING
    return (finding(Level.DENY if any(claiming) else Level.ALLOW, ("P06",)),)


def allowed_purpose(facts: Facts) -> Findings:
    """P08 Purpose. Source: purpose limitation, UK GDPR Art 5(1)(b)."""
    if facts.purpose in PROHIBITED_PURPOSES:
        return (finding(Level.DENY, ("P08",), ALERT),)
    if facts.request.access.mode == AccessMode.BULK:
        return (
            finding(Level.ALLOW, ("P08",))
            if facts.purpose in COHORT_PURPOSES
            else finding(Level.DENY, ("P08",), ALERT),
        )
    return NOTHING


def necessity(facts: Facts) -> Findings:
    """P09 Necessity: look-back, and what a GP check is about; field kinds are in the field filter.

    Source: Caldicott principles; seven golden rules.
    """
    if (facts.clauses and not facts.reaching) or (facts.gp_check and facts.category not in GP_CATEGORIES):
        return UNNECESSARY
    return NECESSARY


def concerned(facts: Facts) -> Findings:
    """P09 Necessity: persons, and blue contacts. Source: Caldicott principles; seven golden rules."""
    relation, episode = facts.request.subject.relation_to_index, facts.request.episode
    unconcerned = relation in (RelationToIndex.FORMER_HOUSEHOLD, RelationToIndex.OTHER) or (
        relation == RelationToIndex.PEER and facts.purpose != Purpose.MACSE
    )
    blue = facts.partner and episode is not None and episode.brag == BragRating.BLUE
    if (unconcerned and not facts.desk) or (blue and (facts.protective or facts.purpose == Purpose.EARLY_HELP)):
        return UNNECESSARY
    return NOTHING
