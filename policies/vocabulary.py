"""The dictionary: one word per idea, spelt once, used by every package.

For: the closed lists that decisions, agreements, connectors and pages share. It must never hold
behaviour or wording that depends on a user. Ruled by the partnership's decision contract; the words
follow the public draft of the Multi-Agency Information Sharing standard (MAIS, 2026) where it has one.
"""

from enum import Enum, StrEnum


class Purpose(StrEnum):
    """Why information is asked for; one decision has exactly one purpose."""

    IMMEDIATE_PROTECTION = "IMMEDIATE_PROTECTION"
    S47_ENQUIRY = "S47_ENQUIRY"
    STRATEGY_DISCUSSION = "STRATEGY_DISCUSSION"
    MASH_SCREENING = "MASH_SCREENING"
    S17_ASSESSMENT = "S17_ASSESSMENT"
    EARLY_HELP = "EARLY_HELP"
    ADULT_S42 = "ADULT_S42"
    ADULT_CARE_ASSESSMENT = "ADULT_CARE_ASSESSMENT"
    DIRECT_CARE = "DIRECT_CARE"
    GP_PACKAGE_CHECK = "GP_PACKAGE_CHECK"
    MISSING_CHILD = "MISSING_CHILD"
    RETURN_HOME_INTERVIEW = "RETURN_HOME_INTERVIEW"
    MACSE = "MACSE"
    MARAC = "MARAC"
    MAPPA = "MAPPA"
    CRIME = "CRIME"
    OP_ENCOMPASS = "OP_ENCOMPASS"
    YOUTH_JUSTICE = "YOUTH_JUSTICE"
    HOUSING_NEED = "HOUSING_NEED"
    HOMELESSNESS_REFERRAL = "HOMELESSNESS_REFERRAL"
    COURT_PROCEEDINGS = "COURT_PROCEEDINGS"
    LADO = "LADO"
    STATUTORY_REVIEW = "STATUTORY_REVIEW"
    DATA_MATCHING = "DATA_MATCHING"
    EARLY_IDENTIFICATION = "EARLY_IDENTIFICATION"
    PERFORMANCE = "PERFORMANCE"
    PRACTICE_QA = "PRACTICE_QA"
    SUBJECT_RIGHTS = "SUBJECT_RIGHTS"
    IG_AUDIT = "IG_AUDIT"


class ProhibitedPurpose(StrEnum):
    """Purposes that the hub never serves (rule P08)."""

    IMMIGRATION_ENFORCEMENT = "IMMIGRATION_ENFORCEMENT"
    DEBT = "DEBT"
    EMPLOYMENT_VETTING = "EMPLOYMENT_VETTING"
    TEST_OR_CURIOSITY = "TEST_OR_CURIOSITY"


class DataCategory(StrEnum):
    """What a piece of information is about."""

    INDICATOR = "INDICATOR"
    DEMOGRAPHIC = "DEMOGRAPHIC"
    SERVICE_INVOLVEMENT = "SERVICE_INVOLVEMENT"
    HOUSING = "HOUSING"
    EDUCATION = "EDUCATION"
    SOCIAL_CARE_STATUS = "SOCIAL_CARE_STATUS"
    SOCIAL_CARE_NARRATIVE = "SOCIAL_CARE_NARRATIVE"
    HEALTH_SUMMARY = "HEALTH_SUMMARY"
    ASC_PACKAGE = "ASC_PACKAGE"
    POLICE_INCIDENT = "POLICE_INCIDENT"
    CSE_MISSING = "CSE_MISSING"
    FINANCE = "FINANCE"
    SUBSTANCE_MISUSE = "SUBSTANCE_MISUSE"
    MENTAL_HEALTH = "MENTAL_HEALTH"
    SEXUAL_REPRODUCTIVE_HEALTH = "SEXUAL_REPRODUCTIVE_HEALTH"
    ADDRESS_SHIELDED = "ADDRESS_SHIELDED"
    CRIMINAL_OFFENCE = "CRIMINAL_OFFENCE"
    MARAC_DA = "MARAC_DA"
    MAPPA = "MAPPA"
    THIRD_PARTY = "THIRD_PARTY"
    REFERRER_IDENTITY = "REFERRER_IDENTITY"
    COURT_RESTRICTED = "COURT_RESTRICTED"
    POLICE_INTELLIGENCE = "POLICE_INTELLIGENCE"
    ADOPTION_SEALED = "ADOPTION_SEALED"
    GENDER_RECOGNITION_PROTECTED = "GENDER_RECOGNITION_PROTECTED"
    FERTILITY = "FERTILITY"
    PROTECTED_PERSON = "PROTECTED_PERSON"
    LEGAL_PRIVILEGE = "LEGAL_PRIVILEGE"
    AUDIT_METADATA = "AUDIT_METADATA"


class Role(StrEnum):
    """What a signed-in person does in their agency."""

    MASH_SCREENING_OFFICER = "MASH_SCREENING_OFFICER"
    MASH_SOCIAL_WORKER = "MASH_SOCIAL_WORKER"
    MASH_DECISION_MAKER = "MASH_DECISION_MAKER"
    AGENCY_NAVIGATOR = "AGENCY_NAVIGATOR"
    POLICE_MASH_SUPERVISOR = "POLICE_MASH_SUPERVISOR"
    SAFEGUARDING_NURSE = "SAFEGUARDING_NURSE"
    GP_CARE_COORDINATOR = "GP_CARE_COORDINATOR"
    GP_CLINICIAN = "GP_CLINICIAN"
    HEALTH_VISITOR = "HEALTH_VISITOR"
    CAMHS_PRACTITIONER = "CAMHS_PRACTITIONER"
    SUBSTANCE_WORKER = "SUBSTANCE_WORKER"
    HOUSING_OFFICER = "HOUSING_OFFICER"
    LEAD_PROFESSIONAL = "LEAD_PROFESSIONAL"
    FAMILY_KEYWORKER = "FAMILY_KEYWORKER"
    SOCIAL_WORKER = "SOCIAL_WORKER"
    ADULT_SOCIAL_WORKER = "ADULT_SOCIAL_WORKER"
    EDT_WORKER = "EDT_WORKER"
    DSL = "DSL"
    LADO = "LADO"
    IDVA = "IDVA"
    MAPPA_COORDINATOR = "MAPPA_COORDINATOR"
    MARAC_COORDINATOR = "MARAC_COORDINATOR"
    MISSING_COORDINATOR = "MISSING_COORDINATOR"
    SAR_OFFICER = "SAR_OFFICER"
    IG_OFFICER = "IG_OFFICER"
    PRIVACY_OFFICER = "PRIVACY_OFFICER"
    CALDICOTT_GUARDIAN = "CALDICOTT_GUARDIAN"
    DPO = "DPO"
    SIRO = "SIRO"
    PROTOCOL_SPOC = "PROTOCOL_SPOC"
    DATA_STEWARD = "DATA_STEWARD"
    ANALYST = "ANALYST"
    QA_AUDITOR = "QA_AUDITOR"
    SYSTEM_ADMIN = "SYSTEM_ADMIN"
    POLICE_OFFICER = "POLICE_OFFICER"
    PROBATION_OFFICER = "PROBATION_OFFICER"
    RETURN_INTERVIEWER = "RETURN_INTERVIEWER"
    STATUTORY_REVIEWER = "STATUTORY_REVIEWER"
    RECEPTIONIST = "RECEPTIONIST"


class AgencyType(StrEnum):
    """The kind of organisation a partner is."""

    CHILDRENS_SOCIAL_CARE = "CHILDRENS_SOCIAL_CARE"
    ADULT_SOCIAL_CARE = "ADULT_SOCIAL_CARE"
    EARLY_HELP = "EARLY_HELP"
    POLICE = "POLICE"
    GP_PRACTICE = "GP_PRACTICE"
    ICB = "ICB"
    CAMHS = "CAMHS"
    HEALTH_VISITING_0_19 = "HEALTH_VISITING_0_19"
    ACUTE_TRUST = "ACUTE_TRUST"
    AMBULANCE = "AMBULANCE"
    SUBSTANCE_MISUSE = "SUBSTANCE_MISUSE"
    HOUSING_AUTHORITY = "HOUSING_AUTHORITY"
    REGISTERED_PROVIDER = "REGISTERED_PROVIDER"
    EDUCATION = "EDUCATION"
    YOUTH_JUSTICE = "YOUTH_JUSTICE"
    PROBATION = "PROBATION"
    FIRE = "FIRE"
    IDVA_DA_SERVICE = "IDVA_DA_SERVICE"
    VCSE = "VCSE"
    DWP = "DWP"
    CAFCASS = "CAFCASS"


class RelationshipKind(StrEnum):
    """Why this user may be concerned with these persons (rule P03)."""

    ASSIGNED_EPISODE = "ASSIGNED_EPISODE"
    CASELOAD = "CASELOAD"
    REGISTERED_LIST = "REGISTERED_LIST"
    PANEL_AGENDA = "PANEL_AGENDA"
    NAMED_STATUTORY_ROLE = "NAMED_STATUTORY_ROLE"
    REFERRER = "REFERRER"
    SELF_CLAIMED = "SELF_CLAIMED"
    NONE = "NONE"


class Conflict(StrEnum):
    """A tie between the user and the person asked about (rules P32 to P36)."""

    SELF = "SELF"
    RELATIVE = "RELATIVE"
    SAME_HOUSEHOLD = "SAME_HOUSEHOLD"
    DECLARED_ASSOCIATE = "DECLARED_ASSOCIATE"
    ALLEGED_PERPETRATOR = "ALLEGED_PERPETRATOR"
    ASSOCIATE_OF_ALLEGED_PERPETRATOR = "ASSOCIATE_OF_ALLEGED_PERPETRATOR"
    UNDER_ALLEGATION = "UNDER_ALLEGATION"


class RelationToIndex(StrEnum):
    """How somebody stands to the child or adult the case is about (rule P09)."""

    INDEX = "INDEX"
    HOUSEHOLD = "HOUSEHOLD"
    PR_HOLDER = "PR_HOLDER"
    NAMED_CONCERN = "NAMED_CONCERN"
    RECORDED_RELEVANT = "RECORDED_RELEVANT"
    FORMER_HOUSEHOLD = "FORMER_HOUSEHOLD"
    PEER = "PEER"
    OTHER = "OTHER"


class SubjectFlag(StrEnum):
    """A marker on a person that changes what may be shown."""

    SHIELDED = "SHIELDED"
    FLEEING_DA = "FLEEING_DA"
    ADOPTED = "ADOPTED"
    PROTECTED_PERSON = "PROTECTED_PERSON"
    STAFF_SUBJECT = "STAFF_SUBJECT"
    RELATIVE_OF_STAFF = "RELATIVE_OF_STAFF"
    VIP = "VIP"
    CASE_LOCKED = "CASE_LOCKED"
    ALLEGED_PERPETRATOR = "ALLEGED_PERPETRATOR"
    UNBORN = "UNBORN"
    DECEASED = "DECEASED"
    OBJECTION = "OBJECTION"
    MATCH_UNCONFIRMED = "MATCH_UNCONFIRMED"
    LEGAL_HOLD = "LEGAL_HOLD"


class LegalStatus(StrEnum):
    """Legal status of a looked-after child, SSDA903 code set."""

    C1 = "C1"
    C2 = "C2"
    D1 = "D1"
    E1 = "E1"
    V2 = "V2"
    V3 = "V3"
    V4 = "V4"
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    J1 = "J1"
    J2 = "J2"
    J3 = "J3"


class CapacityStatus(StrEnum):
    """Mental Capacity Act 2005: can this adult decide for themselves?"""

    PRESUMED = "PRESUMED"
    HAS = "HAS"
    LACKS = "LACKS"
    FLUCTUATING = "FLUCTUATING"


class GillickStatus(StrEnum):
    """Can this child under 16 decide for themselves?"""

    NOT_ASSESSED = "NOT_ASSESSED"
    COMPETENT = "COMPETENT"
    NOT_COMPETENT = "NOT_COMPETENT"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class ConsentKind(StrEnum):
    """Three different agreements that are never merged into one "consent"."""

    UK_GDPR = "UK_GDPR"
    CONFIDENTIALITY = "CONFIDENTIALITY"
    SERVICE_AGREEMENT = "SERVICE_AGREEMENT"


class ConsentState(StrEnum):
    """Where a consent record or a decision about consent stands."""

    NOT_YET_SOUGHT = "NOT_YET_SOUGHT"
    GIVEN_EXPLICIT = "GIVEN_EXPLICIT"
    GIVEN_IMPLIED = "GIVEN_IMPLIED"
    GIVEN_PARTIAL = "GIVEN_PARTIAL"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    NOT_SOUGHT_UNSAFE = "NOT_SOUGHT_UNSAFE"
    NOT_SOUGHT_NOT_REQUIRED = "NOT_SOUGHT_NOT_REQUIRED"
    NOT_OBTAINABLE = "NOT_OBTAINABLE"
    BEST_INTERESTS = "BEST_INTERESTS"
    DISPUTED = "DISPUTED"
    SUPERSEDED = "SUPERSEDED"


class GiverCapacity(StrEnum):
    """In which capacity somebody answered."""

    SELF = "SELF"
    PARENT_WITH_PR = "PARENT_WITH_PR"
    LA_WITH_PR = "LA_WITH_PR"
    LPA_HW = "LPA_HW"
    DEPUTY = "DEPUTY"
    NONE = "NONE"


class ReasonCode(StrEnum):
    """Why consent was not asked."""

    RISK_TO_ANYONE = "RISK_TO_ANYONE"
    PREJUDICE_TO_ENQUIRY = "PREJUDICE_TO_ENQUIRY"
    UNDUE_DELAY = "UNDUE_DELAY"
    INFORM_NOT_ASK = "INFORM_NOT_ASK"
    CANNOT_BE_CONTACTED = "CANNOT_BE_CONTACTED"


class Article6Basis(StrEnum):
    """UK GDPR Article 6(1)."""

    CONSENT = "CONSENT"
    CONTRACT = "CONTRACT"
    LEGAL_OBLIGATION = "LEGAL_OBLIGATION"
    VITAL_INTERESTS = "VITAL_INTERESTS"
    PUBLIC_TASK = "PUBLIC_TASK"
    RECOGNISED_LEGITIMATE_INTEREST = "RECOGNISED_LEGITIMATE_INTEREST"
    LEGITIMATE_INTERESTS = "LEGITIMATE_INTERESTS"


class RliCondition(StrEnum):
    """Recognised legitimate interests, Data (Use and Access) Act 2025."""

    PUBLIC_TASK_DISCLOSURE_RESPONSE = "PUBLIC_TASK_DISCLOSURE_RESPONSE"
    NATIONAL_SECURITY_PUBLIC_SECURITY_DEFENCE = "NATIONAL_SECURITY_PUBLIC_SECURITY_DEFENCE"
    EMERGENCIES = "EMERGENCIES"
    CRIME = "CRIME"
    SAFEGUARDING = "SAFEGUARDING"


class Article9Condition(StrEnum):
    """UK GDPR Article 9(2)."""

    EXPLICIT_CONSENT = "EXPLICIT_CONSENT"
    EMPLOYMENT_SOCIAL_PROTECTION = "EMPLOYMENT_SOCIAL_PROTECTION"
    VITAL_INTERESTS = "VITAL_INTERESTS"
    LEGAL_CLAIMS = "LEGAL_CLAIMS"
    SUBSTANTIAL_PUBLIC_INTEREST = "SUBSTANTIAL_PUBLIC_INTEREST"
    HEALTH_OR_SOCIAL_CARE = "HEALTH_OR_SOCIAL_CARE"
    PUBLIC_HEALTH = "PUBLIC_HEALTH"
    RESEARCH = "RESEARCH"


class Schedule1Condition(StrEnum):
    """Data Protection Act 2018, Schedule 1 paragraph."""

    P1_1 = "P1_1"
    P1_2 = "P1_2"
    P2_6 = "P2_6"
    P2_7 = "P2_7"
    P2_10 = "P2_10"
    P2_18 = "P2_18"
    P2_19 = "P2_19"
    P3_29 = "P3_29"
    P3_30 = "P3_30"
    P3_33 = "P3_33"


class Schedule8Condition(StrEnum):
    """Data Protection Act 2018, Schedule 8 paragraph."""

    S8_1 = "S8_1"
    S8_2 = "S8_2"
    S8_3 = "S8_3"
    S8_4 = "S8_4"


class Para18Reason(StrEnum):
    """Why consent was not obtained, DPA 2018 Schedule 1 paragraph 18."""

    CONSENT_CANNOT_BE_GIVEN = "CONSENT_CANNOT_BE_GIVEN"
    NOT_REASONABLE_TO_OBTAIN = "NOT_REASONABLE_TO_OBTAIN"
    WOULD_PREJUDICE_PROTECTION = "WOULD_PREJUDICE_PROTECTION"


class StatutoryGateway(StrEnum):
    """The power that carries a flow of information."""

    CA1989_S17 = "CA1989_S17"
    CA1989_S20_S31 = "CA1989_S20_S31"
    CA1989_S27 = "CA1989_S27"
    CA1989_S47 = "CA1989_S47"
    CA2004_S10 = "CA2004_S10"
    CA2004_S11 = "CA2004_S11"
    CA2004_S16H = "CA2004_S16H"
    CA2004_S16LA = "CA2004_S16LA"
    CA2004_S16LC = "CA2004_S16LC"
    CARE2014_S42 = "CARE2014_S42"
    CARE2014_S6_7 = "CARE2014_S6_7"
    CARE2014_S45 = "CARE2014_S45"
    HSCA2012_S251A = "HSCA2012_S251A"
    HSCA2012_S251B = "HSCA2012_S251B"
    CDA1998_S115 = "CDA1998_S115"
    CJA2003_S325 = "CJA2003_S325"
    VPA2024_OP_ENCOMPASS = "VPA2024_OP_ENCOMPASS"
    PCSC2022_S16 = "PCSC2022_S16"
    HA1996_S213B = "HA1996_S213B"
    DEA2017_S35 = "DEA2017_S35"
    CTSA2015_S36 = "CTSA2015_S36"
    COMMON_LAW_POLICING = "COMMON_LAW_POLICING"
    COURT_ORDER = "COURT_ORDER"
    CORONER = "CORONER"


class BragRating(StrEnum):
    """Screening colour of a MASH episode."""

    BLUE = "BLUE"
    GREEN = "GREEN"
    AMBER = "AMBER"
    RED = "RED"


class Threshold(StrEnum):
    """What was recorded when the harm threshold was reached."""

    REASONABLE_CAUSE = "REASONABLE_CAUSE"
    S47_DECISION = "S47_DECISION"
    STRATEGY_DECISION = "STRATEGY_DECISION"
    LIKELY_HARM_AT_BIRTH = "LIKELY_HARM_AT_BIRTH"
    HIGH_RISK_MARAC = "HIGH_RISK_MARAC"


class Circumstance(StrEnum):
    """Facts recorded on the case."""

    CHILDREN_AT_RISK = "CHILDREN_AT_RISK"
    OTHERS_AT_RISK = "OTHERS_AT_RISK"
    SERIOUS_CRIME = "SERIOUS_CRIME"
    SERIOUS_HARM = "SERIOUS_HARM"
    COERCION = "COERCION"
    STATUTORY_DUTY = "STATUTORY_DUTY"


class ApprovalKind(StrEnum):
    """What a second person or the owner decided."""

    OVERRIDE = "OVERRIDE"
    OWNER_RELEASE = "OWNER_RELEASE"
    CODE_C_RELEASE = "CODE_C_RELEASE"
    ONE_OFF = "ONE_OFF"
    SAR_RELEASE = "SAR_RELEASE"


class AccessMode(StrEnum):
    """How information is asked for."""

    VIEW = "VIEW"
    SEARCH_NAME = "SEARCH_NAME"
    SEARCH_ADDRESS = "SEARCH_ADDRESS"
    EXPORT = "EXPORT"
    BULK = "BULK"


class Outcome(StrEnum):
    """What a decision says."""

    PERMIT = "PERMIT"
    PERMIT_REDACTED = "PERMIT_REDACTED"
    INDICATOR_ONLY = "INDICATOR_ONLY"
    REFER = "REFER"
    DENY = "DENY"
    DENY_SILENT = "DENY_SILENT"


class GpAnswer(StrEnum):
    """The five answers of a GP check; five different things (rule P48)."""

    YES = "YES"
    NO = "NO"
    NOT_AVAILABLE = "NOT_AVAILABLE"
    NOT_REACHED = "NOT_REACHED"
    MATCH_UNCONFIRMED = "MATCH_UNCONFIRMED"


class Obligation(StrEnum):
    """What must be done along with a decision."""

    LOG_RATIONALE = "LOG_RATIONALE"
    LOG_PARA18 = "LOG_PARA18"
    NOTIFY_OWNER = "NOTIFY_OWNER"
    INFORM_SUBJECT = "INFORM_SUBJECT"
    DO_NOT_INFORM = "DO_NOT_INFORM"
    OWNER_RELEASE = "OWNER_RELEASE"
    SECOND_APPROVER = "SECOND_APPROVER"
    RETRO_REVIEW = "RETRO_REVIEW"
    IG_ALERT = "IG_ALERT"
    ROUTE_HUMAN = "ROUTE_HUMAN"
    BROKER_CONTACT = "BROKER_CONTACT"
    VIEW_ONCE = "VIEW_ONCE"
    NO_EXPORT = "NO_EXPORT"
    EXPIRE_AT = "EXPIRE_AT"
    RECORD_REFUSAL = "RECORD_REFUSAL"
    NOTIFY_RECIPIENTS = "NOTIFY_RECIPIENTS"


class AgreementStatus(StrEnum):
    """Life cycle of a sharing agreement."""

    DRAFT = "DRAFT"
    IN_SIGNING = "IN_SIGNING"
    ACTIVE = "ACTIVE"
    UNDER_REVIEW = "UNDER_REVIEW"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"
    TERMINATED = "TERMINATED"


class PartyRole(StrEnum):
    """What a party does under an agreement."""

    DISCLOSER = "DISCLOSER"
    RECIPIENT = "RECIPIENT"
    BOTH = "BOTH"


class DataRole(StrEnum):
    """What a party is to the data that it handles under an agreement. UK GDPR Arts 4(7), 4(8), 26 and 28."""

    CONTROLLER = "CONTROLLER"
    JOINT_CONTROLLER = "JOINT_CONTROLLER"
    PROCESSOR = "PROCESSOR"


class ConsentModel(StrEnum):
    """What the family is asked before information flows for a purpose; it follows from the rules."""

    ASKED_FIRST = "ASKED_FIRST"  # P10, and the homelessness gateway of P05
    DECIDED_BEFORE_GATHERING = "DECIDED_BEFORE_GATHERING"  # P11 to P14
    ADULT_DECIDES = "ADULT_DECIDES"  # P19
    NO_OBJECTION = "NO_OBJECTION"  # P20
    NOT_ASKED = "NOT_ASKED"


class ConfidentialityLimb(StrEnum):
    """What lets confidential information pass, beside the lawful basis. GMC Confidentiality (2017), paragraph 9."""

    CONSENT = "CONSENT"
    IMPLIED_CONSENT = "IMPLIED_CONSENT"
    PUBLIC_INTEREST = "PUBLIC_INTEREST"
    LEGAL_DUTY = "LEGAL_DUTY"
    NOT_PASSED_ON = "NOT_PASSED_ON"  # each agency its own records only


class PartyStatus(StrEnum):
    """Where a party stands."""

    SIGNED = "SIGNED"
    NOT_SIGNED = "NOT_SIGNED"
    SUSPENDED = "SUSPENDED"
    WITHDRAWN = "WITHDRAWN"


class EpisodeState(StrEnum):
    """Where a MASH or panel episode stands."""

    CONTACT_RECEIVED = "CONTACT_RECEIVED"
    SCREENED = "SCREENED"
    SIGNPOSTED = "SIGNPOSTED"
    ROUTED_TO_ALLOCATED = "ROUTED_TO_ALLOCATED"
    EPISODE_OPEN = "EPISODE_OPEN"
    CONSENT_DECIDED = "CONSENT_DECIDED"
    GATHERING = "GATHERING"
    COLLATED = "COLLATED"
    DECIDED = "DECIDED"
    PUBLISHED = "PUBLISHED"
    FEEDBACK_SENT = "FEEDBACK_SENT"
    CLOSED = "CLOSED"


class ClosedBy(StrEnum):
    """How an episode ended."""

    CLOSE = "CLOSE"
    STEP_DOWN = "STEP_DOWN"
    TRANSFER = "TRANSFER"
    NFA = "NFA"


class ItemForm(StrEnum):
    """What a piece of information is: a record, research for an episode, or a published product."""

    RECORD = "RECORD"
    AGENCY_RESEARCH = "AGENCY_RESEARCH"
    MASH_PRODUCT = "MASH_PRODUCT"


class SealState(StrEnum):
    """The owner's release state of an item."""

    OPEN = "OPEN"
    SEALED = "SEALED"
    RELEASED = "RELEASED"
    WITHHELD = "WITHHELD"


class Involvement(StrEnum):
    """Involvement of a service, for a GP check."""

    CURRENT = "CURRENT"
    ENDED = "ENDED"
    NONE = "NONE"


class SarRequester(StrEnum):
    """Who makes a subject access request."""

    SELF = "SELF"
    PARENT_WITH_PR = "PARENT_WITH_PR"
    PERSONAL_REPRESENTATIVE = "PERSONAL_REPRESENTATIVE"
    RELATIVE = "RELATIVE"
    OTHER = "OTHER"


class ConnectorState(StrEnum):
    """Could the owner's system be reached?"""

    REACHED = "REACHED"
    NOT_REACHED = "NOT_REACHED"


class MatchState(StrEnum):
    """Is the identity settled?"""

    CONFIRMED = "CONFIRMED"
    UNCONFIRMED = "UNCONFIRMED"


class AnswerState(StrEnum):
    """The five answers of an agency about a person; never merged, a time-out never becomes a "no"."""

    FOUND = "FOUND"
    NOTHING_HELD = "NOTHING_HELD"
    WITHHELD = "WITHHELD"
    NO_ANSWER = "NO_ANSWER"
    NOT_ASKED = "NOT_ASKED"


class FieldKind(StrEnum):
    """What a field is, so that rules and agreements need not know field names."""

    IDENTITY = "IDENTITY"
    PSEUDONYM = "PSEUDONYM"
    INDICATOR = "INDICATOR"
    HELD_MARKER = "HELD_MARKER"
    CONTACT = "CONTACT"
    DATES = "DATES"
    STATUS = "STATUS"
    RISK = "RISK"
    NEED = "NEED"
    ACTION = "ACTION"
    OUTCOME = "OUTCOME"
    NEXT_STEP = "NEXT_STEP"
    CIRCUMSTANCES = "CIRCUMSTANCES"
    CHILD_VOICE = "CHILD_VOICE"
    DETAIL = "DETAIL"
    NARRATIVE = "NARRATIVE"
    TREATMENT = "TREATMENT"
    INTELLIGENCE = "INTELLIGENCE"
    WHEREABOUTS = "WHEREABOUTS"
    SAFETY_PLAN = "SAFETY_PLAN"
    THIRD_PARTY = "THIRD_PARTY"
    REFERRER_IDENTITY = "REFERRER_IDENTITY"
    PROFESSIONAL_NAME = "PROFESSIONAL_NAME"
    STAFF_NAME = "STAFF_NAME"
    ACCOUNT = "ACCOUNT"
    TIPPING_OFF = "TIPPING_OFF"
    SERIOUS_HARM = "SERIOUS_HARM"
    PRE_ADOPTION_IDENTITY = "PRE_ADOPTION_IDENTITY"
    FORMER_GENDER_IDENTITY = "FORMER_GENDER_IDENTITY"
    AGGREGATE = "AGGREGATE"


#: Field kinds in words, for pages and documents.
FIELD_KIND_MEANS: dict[FieldKind, str] = {
    FieldKind.IDENTITY: "name, date of birth, identifiers in current use",
    FieldKind.PSEUDONYM: "a stand-in for identity",
    FieldKind.INDICATOR: "bare yes/no fact that a service is involved",
    FieldKind.HELD_MARKER: "the words 'confidential information held', without content",
    FieldKind.CONTACT: "a worker, team or duty line to call",
    FieldKind.DATES: "when something happened or a service was involved",
    FieldKind.STATUS: "formal status: plan, order, tenancy, registration",
    FieldKind.RISK: "risk- or parenting-relevant fact",
    FieldKind.NEED: "assessed need",
    FieldKind.ACTION: "agreed action",
    FieldKind.OUTCOME: "what was decided",
    FieldKind.NEXT_STEP: "what the referrer should do next",
    FieldKind.CIRCUMSTANCES: "short factual account of an incident",
    FieldKind.CHILD_VOICE: "what the child said or wants",
    FieldKind.DETAIL: "ordinary factual detail of the category",
    FieldKind.NARRATIVE: "free professional narrative",
    FieldKind.TREATMENT: "treatment or counselling narrative",
    FieldKind.INTELLIGENCE: "police intelligence content",
    FieldKind.WHEREABOUTS: "address, telephone, school or practice that would locate the person",
    FieldKind.SAFETY_PLAN: "safety plan of a person at risk",
    FieldKind.THIRD_PARTY: "data about somebody else",
    FieldKind.REFERRER_IDENTITY: "who made the referral",
    FieldKind.PROFESSIONAL_NAME: "name of a professional acting in role",
    FieldKind.STAFF_NAME: "name of a hub user in the audit account",
    FieldKind.ACCOUNT: "row of a disclosure account: recipient, date, purpose",
    FieldKind.TIPPING_OFF: "row whose disclosure would prejudice an enquiry",
    FieldKind.SERIOUS_HARM: "passage that the serious-harm test marks to be withheld",
    FieldKind.PRE_ADOPTION_IDENTITY: "birth identity of, or link to, an adopted person",
    FieldKind.FORMER_GENDER_IDENTITY: "information protected by gender recognition law",
    FieldKind.AGGREGATE: "count or rate about a group",
}


class Article10Condition(StrEnum):
    """What allows the processing of offence data (UK GDPR Article 10)."""

    P1_1 = "P1_1"
    P1_2 = "P1_2"
    P2_6 = "P2_6"
    P2_7 = "P2_7"
    P2_10 = "P2_10"
    P2_18 = "P2_18"
    P2_19 = "P2_19"
    P3_29 = "P3_29"
    P3_30 = "P3_30"
    P3_33 = "P3_33"
    OFFICIAL_AUTHORITY = "OFFICIAL_AUTHORITY"


class Regime(StrEnum):
    """UK GDPR, or law-enforcement processing under DPA 2018 Part 3."""

    UK_GDPR = "UK_GDPR"
    PART_3 = "PART_3"


class Authentication(StrEnum):
    """How somebody signed in; STRONG means a second factor bound to the person."""

    STRONG = "STRONG"
    WEAK = "WEAK"


class AccountKind(StrEnum):
    """Whether one person or several use an account."""

    PERSONAL = "PERSONAL"
    SHARED = "SHARED"


class Employment(StrEnum):
    """What the employer asserts about the user."""

    CURRENT = "CURRENT"
    ENDED = "ENDED"
    SUSPENDED = "SUSPENDED"


class DataSubject(StrEnum):
    """Whom a clause covers: ADULT from the 18th birthday, CHILD before it and before birth."""

    CHILD = "CHILD"
    ADULT = "ADULT"


class HandlingCode(StrEnum):
    """Police intelligence handling code: P may be shared, C with conditions."""

    P = "P"
    C = "C"


class InformChoice(StrEnum):
    """Whether the person is told, as decided together with the decision about consent."""

    INFORM = "INFORM"
    DO_NOT_INFORM = "DO_NOT_INFORM"


def at_hand(words: type[Enum]) -> None:
    """Keep the members as plain class attributes, as Python 3.12 does; 3.11 asks a slow descriptor each time."""
    for name, member in words.__members__.items():
        type.__setattr__(words, name, member)


for _words in [one for one in globals().values() if isinstance(one, type) and issubclass(one, StrEnum)]:
    at_hand(_words)
