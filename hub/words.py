"""The words that pages use for the dictionary's codes, and the filters that write dates and numbers for people.

For: every template and view; one place to mend a sentence. It must never decide anything, and a code
without words must fail a test rather than reach a page. Ruled by the dictionary (`policies.vocabulary`);
times are stored in UTC and shown in London time.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from policies.vocabulary import (
    AccessMode,
    AgencyType,
    AgreementStatus,
    AnswerState,
    Article6Basis,
    Article9Condition,
    BragRating,
    Circumstance,
    ConsentKind,
    ConsentState,
    DataCategory,
    EpisodeState,
    GiverCapacity,
    GpAnswer,
    LegalStatus,
    Obligation,
    Outcome,
    Purpose,
    ReasonCode,
    RelationshipKind,
    Role,
    SubjectFlag,
    Threshold,
)

LONDON = ZoneInfo("Europe/London")

#: What happened, by the code of a notice (MAIS PUB02, event codes; the second is ours).
EVENT_WORDS: Mapping[str, str] = {
    "safeguarding-concern": "Domestic abuse or other concern for somebody's safety",
    "operation-encompass": "Domestic abuse that a pupil saw, heard or lived with (Operation Encompass)",
    "missing-person": "Reported missing",
    "ae-attendance": "Attended hospital as an emergency",
}
#: What somebody had to do with it: HL7 v3 ParticipationType, and words of the police. Other codes are shown as such.
PART_WORDS: Mapping[str, str] = {
    "SBJ": "The person it is about",
    "IND": "Somebody it affects",
    "WIT": "Witness",
    "victim": "Victim",
    "suspect": "Suspect",
    "witness": "Witness",
}

#: What a worker would say they are doing.
PURPOSE_WORDS: Mapping[Purpose, str] = {
    Purpose.IMMEDIATE_PROTECTION: "Immediate protection of a child or adult",
    Purpose.S47_ENQUIRY: "Section 47 child protection enquiry",
    Purpose.STRATEGY_DISCUSSION: "Strategy discussion",
    Purpose.MASH_SCREENING: "MASH screening of a referral",
    Purpose.S17_ASSESSMENT: "Section 17 child in need assessment",
    Purpose.EARLY_HELP: "Early help",
    Purpose.ADULT_S42: "Section 42 safeguarding adult enquiry",
    Purpose.ADULT_CARE_ASSESSMENT: "Adult care assessment",
    Purpose.DIRECT_CARE: "Direct care",
    Purpose.GP_PACKAGE_CHECK: "GP check for a social care package",
    Purpose.MISSING_CHILD: "Child missing from home or care",
    Purpose.RETURN_HOME_INTERVIEW: "Return home interview",
    Purpose.MACSE: "Multi-agency child exploitation meeting",
    Purpose.MARAC: "Multi-agency risk assessment conference (MARAC)",
    Purpose.MAPPA: "Multi-agency public protection (MAPPA)",
    Purpose.CRIME: "Preventing or detecting crime",
    Purpose.OP_ENCOMPASS: "Operation Encompass notice to a school",
    Purpose.YOUTH_JUSTICE: "Youth justice",
    Purpose.HOUSING_NEED: "Housing need",
    Purpose.HOMELESSNESS_REFERRAL: "Duty to refer: homelessness",
    Purpose.COURT_PROCEEDINGS: "Court proceedings",
    Purpose.LADO: "Allegation against a person who works with children",
    Purpose.STATUTORY_REVIEW: "Statutory review",
    Purpose.DATA_MATCHING: "Matching of records",
    Purpose.EARLY_IDENTIFICATION: "Early identification",
    Purpose.PERFORMANCE: "Performance reporting",
    Purpose.PRACTICE_QA: "Practice quality assurance",
    Purpose.SUBJECT_RIGHTS: "A person's request about their own information",
    Purpose.IG_AUDIT: "Information governance audit",
}

#: When to choose a purpose; only where the name alone leaves room for doubt.
PURPOSE_HINTS: Mapping[Purpose, str] = {
    Purpose.IMMEDIATE_PROTECTION: "Somebody is at risk of serious harm now. You tell a second person afterwards.",
    Purpose.S47_ENQUIRY: "There is reasonable cause to suspect significant harm to a child, now or likely.",
    Purpose.STRATEGY_DISCUSSION: "A strategy discussion is called and agencies prepare what they know.",
    Purpose.MASH_SCREENING: "A referral has come in and you decide what should happen next.",
    Purpose.S17_ASSESSMENT: "A child may be in need. The family has usually been asked.",
    Purpose.EARLY_HELP: "The family takes part by choice and has been asked.",
    Purpose.ADULT_S42: "An adult with care and support needs may be at risk of abuse or neglect.",
    Purpose.MISSING_CHILD: "A child is missing now.",
}

ROLE_WORDS: Mapping[Role, str] = {
    Role.MASH_SCREENING_OFFICER: "MASH screening officer",
    Role.MASH_SOCIAL_WORKER: "MASH social worker",
    Role.MASH_DECISION_MAKER: "MASH decision maker",
    Role.AGENCY_NAVIGATOR: "Agency navigator",
    Role.POLICE_MASH_SUPERVISOR: "Police MASH supervisor",
    Role.SAFEGUARDING_NURSE: "Safeguarding nurse",
    Role.GP_CARE_COORDINATOR: "GP care co-ordinator",
    Role.GP_CLINICIAN: "GP clinician",
    Role.HEALTH_VISITOR: "Health visitor",
    Role.CAMHS_PRACTITIONER: "CAMHS practitioner",
    Role.SUBSTANCE_WORKER: "Substance misuse worker",
    Role.HOUSING_OFFICER: "Housing officer",
    Role.LEAD_PROFESSIONAL: "Lead professional",
    Role.FAMILY_KEYWORKER: "Family key worker",
    Role.SOCIAL_WORKER: "Social worker",
    Role.ADULT_SOCIAL_WORKER: "Adult social worker",
    Role.EDT_WORKER: "Emergency duty team worker",
    Role.DSL: "Designated safeguarding lead",
    Role.LADO: "Local authority designated officer",
    Role.IDVA: "Independent domestic violence adviser",
    Role.MAPPA_COORDINATOR: "MAPPA co-ordinator",
    Role.MARAC_COORDINATOR: "MARAC co-ordinator",
    Role.MISSING_COORDINATOR: "Missing children co-ordinator",
    Role.SAR_OFFICER: "Subject access officer",
    Role.IG_OFFICER: "Information governance officer",
    Role.PRIVACY_OFFICER: "Privacy officer",
    Role.CALDICOTT_GUARDIAN: "Caldicott Guardian",
    Role.DPO: "Data protection officer",
    Role.SIRO: "Senior information risk owner",
    Role.PROTOCOL_SPOC: "Single point of contact for the protocol",
    Role.DATA_STEWARD: "Data steward",
    Role.ANALYST: "Analyst",
    Role.QA_AUDITOR: "Practice auditor",
    Role.SYSTEM_ADMIN: "System administrator",
    Role.POLICE_OFFICER: "Police officer",
    Role.PROBATION_OFFICER: "Probation officer",
    Role.RETURN_INTERVIEWER: "Return home interviewer",
    Role.STATUTORY_REVIEWER: "Statutory reviewer",
    Role.RECEPTIONIST: "Receptionist",
}

CATEGORY_WORDS: Mapping[DataCategory, str] = {
    DataCategory.INDICATOR: "Whether a service is involved",
    DataCategory.DEMOGRAPHIC: "Identifying details",
    DataCategory.SERVICE_INVOLVEMENT: "Service involvement",
    DataCategory.HOUSING: "Housing",
    DataCategory.EDUCATION: "Education",
    DataCategory.SOCIAL_CARE_STATUS: "Social care status",
    DataCategory.SOCIAL_CARE_NARRATIVE: "Social care record",
    DataCategory.HEALTH_SUMMARY: "Health summary",
    DataCategory.ASC_PACKAGE: "Adult social care package",
    DataCategory.POLICE_INCIDENT: "Police incidents",
    DataCategory.CSE_MISSING: "Exploitation and missing episodes",
    DataCategory.FINANCE: "Money and benefits",
    DataCategory.SUBSTANCE_MISUSE: "Substance misuse",
    DataCategory.MENTAL_HEALTH: "Mental health",
    DataCategory.SEXUAL_REPRODUCTIVE_HEALTH: "Sexual and reproductive health",
    DataCategory.ADDRESS_SHIELDED: "Protected address",
    DataCategory.CRIMINAL_OFFENCE: "Criminal offences",
    DataCategory.MARAC_DA: "Domestic abuse (MARAC)",
    DataCategory.MAPPA: "Public protection (MAPPA)",
    DataCategory.THIRD_PARTY: "Information about somebody else",
    DataCategory.REFERRER_IDENTITY: "Who made the referral",
    DataCategory.COURT_RESTRICTED: "Restricted by a court",
    DataCategory.POLICE_INTELLIGENCE: "Police intelligence",
    DataCategory.ADOPTION_SEALED: "Sealed adoption record",
    DataCategory.GENDER_RECOGNITION_PROTECTED: "Protected by gender recognition law",
    DataCategory.FERTILITY: "Fertility treatment",
    DataCategory.PROTECTED_PERSON: "Protected person",
    DataCategory.LEGAL_PRIVILEGE: "Legal advice",
    DataCategory.AUDIT_METADATA: "Record of disclosures",
}

AGENCY_TYPE_WORDS: Mapping[AgencyType, str] = {
    AgencyType.CHILDRENS_SOCIAL_CARE: "Children's social care",
    AgencyType.ADULT_SOCIAL_CARE: "Adult social care",
    AgencyType.EARLY_HELP: "Early help",
    AgencyType.POLICE: "Police",
    AgencyType.GP_PRACTICE: "GP practice",
    AgencyType.ICB: "Integrated care board",
    AgencyType.CAMHS: "Child and adolescent mental health",
    AgencyType.HEALTH_VISITING_0_19: "Health visiting and school nursing",
    AgencyType.ACUTE_TRUST: "Hospital trust",
    AgencyType.AMBULANCE: "Ambulance service",
    AgencyType.SUBSTANCE_MISUSE: "Substance misuse service",
    AgencyType.HOUSING_AUTHORITY: "Housing authority",
    AgencyType.REGISTERED_PROVIDER: "Housing association",
    AgencyType.EDUCATION: "Education",
    AgencyType.YOUTH_JUSTICE: "Youth justice",
    AgencyType.PROBATION: "Probation",
    AgencyType.FIRE: "Fire and rescue",
    AgencyType.IDVA_DA_SERVICE: "Domestic abuse service",
    AgencyType.VCSE: "Voluntary organisation",
    AgencyType.DWP: "Work and pensions",
    AgencyType.CAFCASS: "Cafcass",
}

#: The five answers of an agency. The page adds the shape and colour; words alone must already tell them apart.
STATE_WORDS: Mapping[AnswerState, str] = {
    AnswerState.FOUND: "Involved",
    AnswerState.NOTHING_HELD: "Nothing held",
    AnswerState.WITHHELD: "Not shared",
    AnswerState.NO_ANSWER: "No answer",
    AnswerState.NOT_ASKED: "Not asked",
}

#: What each of the five means, for the key beneath a matrix.
STATE_MEANINGS: Mapping[AnswerState, str] = {
    AnswerState.FOUND: "the agency works with this person; on white: it did, until the month given",
    AnswerState.NOTHING_HELD: "the agency looked and found nothing; read what its answer covers",
    AnswerState.WITHHELD: "the hub may not show you whether anything is held; ask the agency",
    AnswerState.NO_ANSWER: "the agency did not answer in time; this is not a no, so ring",
    AnswerState.NOT_ASKED: "the agency was not asked about this person",
}

#: The agency's own code for a state in class names and symbols.
STATE_KEYS: Mapping[AnswerState, str] = {
    AnswerState.FOUND: "found",
    AnswerState.NOTHING_HELD: "nothing",
    AnswerState.WITHHELD: "withheld",
    AnswerState.NO_ANSWER: "noanswer",
    AnswerState.NOT_ASKED: "notasked",
}

#: One large word, and one sentence of at most a dozen words.
GP_ANSWER_WORDS: Mapping[GpAnswer, tuple[str, str]] = {
    GpAnswer.YES: ("YES", "A social care package is active for this patient."),
    GpAnswer.NO: ("NO", "No active social care package is recorded for this patient."),
    GpAnswer.NOT_AVAILABLE: ("CANNOT SAY", "An answer is not available here. Ring the number below."),
    GpAnswer.NOT_REACHED: ("CANNOT SAY", "Social care's system did not answer. This is not a no."),
    GpAnswer.MATCH_UNCONFIRMED: ("CANNOT SAY", "The record could not be matched with certainty. Please ring."),
}

#: Field names that partners share (`connectors.STANDARD_FIELDS`), as row headings.
FIELD_WORDS: Mapping[str, str] = {
    "involved": "Involved",
    "service": "Service",
    "since": "Since",
    "until": "Until",
    "contact": "Contact",
    "type": "Type",
    "status": "Status",
    "started": "Started",
    "ended": "Ended",
    "part": "Part in it",
    "worker": "Worker",
    "risk": "Risk",
    "need": "Need",
    "outcome": "Outcome",
    "action": "Agreed action",
    "circumstances": "Circumstances",
    "child_voice": "What the child said",
    "detail": "Detail",
    "narrative": "Account",
    "treatment": "Treatment",
    "location": "Place",
    "third_party": "About somebody else",
    "referrer": "Referred by",
    "name": "Name",
    "other_names": "Other names",
    "date_of_birth": "Date of birth",
    "sex": "Sex",
    "nhs_number": "NHS number",
    "deceased": "Died",
    "address": "Address",
    "telephone": "Telephone",
    "language": "Language",
    "package_active": "Care package",
    "duty_team_contact": "Duty team",
    "document": "Document",
    "held": "Held",
}

EPISODE_STATE_WORDS: Mapping[EpisodeState, str] = {
    EpisodeState.CONTACT_RECEIVED: "Contact received",
    EpisodeState.SCREENED: "Screened",
    EpisodeState.SIGNPOSTED: "Signposted",
    EpisodeState.ROUTED_TO_ALLOCATED: "Sent to allocated worker",
    EpisodeState.EPISODE_OPEN: "Open",
    EpisodeState.CONSENT_DECIDED: "Consent decided",
    EpisodeState.GATHERING: "Gathering",
    EpisodeState.COLLATED: "Collated",
    EpisodeState.DECIDED: "Decided",
    EpisodeState.PUBLISHED: "Published",
    EpisodeState.FEEDBACK_SENT: "Feedback sent",
    EpisodeState.CLOSED: "Closed",
}

THRESHOLD_WORDS: Mapping[Threshold, str] = {
    Threshold.REASONABLE_CAUSE: "Reasonable cause to suspect significant harm is recorded",
    Threshold.S47_DECISION: "A decision to make section 47 enquiries is recorded",
    Threshold.STRATEGY_DECISION: "A decision to hold a strategy discussion is recorded",
    Threshold.LIKELY_HARM_AT_BIRTH: "Likely significant harm at birth is recorded",
    Threshold.HIGH_RISK_MARAC: "Assessed as high risk for MARAC",
}

#: How urgent a case was rated when it was screened.
BRAG_WORDS: Mapping[BragRating, str] = {
    BragRating.RED: "Red: serious harm is likely, act today",
    BragRating.AMBER: "Amber: significant concern, gather within a day",
    BragRating.GREEN: "Green: concern that needs assessment",
    BragRating.BLUE: "Blue: no concern that needs partners' information",
}

CIRCUMSTANCE_WORDS: Mapping[Circumstance, str] = {
    Circumstance.CHILDREN_AT_RISK: "Children are at risk",
    Circumstance.OTHERS_AT_RISK: "Other people are at risk",
    Circumstance.SERIOUS_CRIME: "A serious crime is suspected, or must be prevented",
    Circumstance.SERIOUS_HARM: "Serious harm has happened, or must be prevented",
    Circumstance.COERCION: "The person may be coerced or controlled",
    Circumstance.STATUTORY_DUTY: "A duty in law requires it",
}

#: About asking the family; never a bare "consent: yes".
CONSENT_STATE_WORDS: Mapping[ConsentState, str] = {
    ConsentState.NOT_YET_SOUGHT: "The family has not been asked yet",
    ConsentState.GIVEN_EXPLICIT: "Asked and agreed, in words or writing",
    ConsentState.GIVEN_IMPLIED: "Agreement implied by taking part",
    ConsentState.GIVEN_PARTIAL: "Asked and agreed to some of it",
    ConsentState.REFUSED: "Asked and refused",
    ConsentState.WITHDRAWN: "Agreed, then withdrew",
    ConsentState.EXPIRED: "Agreed, but the agreement has run out",
    ConsentState.NOT_SOUGHT_UNSAFE: "Not asked: asking could put somebody at risk",
    ConsentState.NOT_SOUGHT_NOT_REQUIRED: "Not asked: the law does not require it here",
    ConsentState.NOT_OBTAINABLE: "Could not be obtained",
    ConsentState.BEST_INTERESTS: "Decided in the person's best interests",
    ConsentState.DISPUTED: "Those who may decide disagree",
    ConsentState.SUPERSEDED: "Replaced by a later record",
}

CONSENT_KIND_WORDS: Mapping[ConsentKind, str] = {
    ConsentKind.UK_GDPR: "Consent under data protection law",
    ConsentKind.CONFIDENTIALITY: "Permission to share confidential information",
    ConsentKind.SERVICE_AGREEMENT: "Agreement to take part in a service",
}

GIVER_CAPACITY_WORDS: Mapping[GiverCapacity, str] = {
    GiverCapacity.SELF: "For themselves",
    GiverCapacity.PARENT_WITH_PR: "A parent with parental responsibility",
    GiverCapacity.LA_WITH_PR: "The local authority, which holds parental responsibility",
    GiverCapacity.LPA_HW: "An attorney for health and welfare",
    GiverCapacity.DEPUTY: "A court-appointed deputy",
    GiverCapacity.NONE: "Nobody who may decide",
}

REASON_CODE_WORDS: Mapping[ReasonCode, str] = {
    ReasonCode.RISK_TO_ANYONE: "Asking could put a child or somebody else at risk",
    ReasonCode.PREJUDICE_TO_ENQUIRY: "Asking could prejudice an enquiry into a crime or harm",
    ReasonCode.UNDUE_DELAY: "Asking would delay protection",
    ReasonCode.INFORM_NOT_ASK: "The family is told, but does not decide",
    ReasonCode.CANNOT_BE_CONTACTED: "The family cannot be reached",
}

OUTCOME_WORDS: Mapping[Outcome, str] = {
    Outcome.PERMIT: "Shown",
    Outcome.PERMIT_REDACTED: "Shown in part",
    Outcome.INDICATOR_ONLY: "Shown as yes or no only",
    Outcome.REFER: "Sent to a person to decide",
    Outcome.DENY: "Not shown",
    Outcome.DENY_SILENT: "Not shown, and not mentioned",
}

OBLIGATION_WORDS: Mapping[Obligation, str] = {
    Obligation.LOG_RATIONALE: "Your reason is recorded",
    Obligation.LOG_PARA18: "Why consent was not obtained is recorded",
    Obligation.NOTIFY_OWNER: "The agency that holds the information is told",
    Obligation.INFORM_SUBJECT: "The person must be told",
    Obligation.DO_NOT_INFORM: "The person must not be told",
    Obligation.OWNER_RELEASE: "The agency that holds it must release it",
    Obligation.SECOND_APPROVER: "A second person must approve",
    Obligation.RETRO_REVIEW: "A second person reviews this afterwards",
    Obligation.IG_ALERT: "Information governance is told",
    Obligation.ROUTE_HUMAN: "A person at the agency will answer",
    Obligation.BROKER_CONTACT: "Contact goes through the agency",
    Obligation.VIEW_ONCE: "It may be viewed once",
    Obligation.NO_EXPORT: "It may not be exported",
    Obligation.EXPIRE_AT: "Access ends at a set time",
    Obligation.RECORD_REFUSAL: "The refusal is recorded",
    Obligation.NOTIFY_RECIPIENTS: "Earlier recipients are told",
}

ARTICLE6_WORDS: Mapping[Article6Basis, str] = {
    Article6Basis.CONSENT: "Consent (Article 6(1)(a))",
    Article6Basis.CONTRACT: "Contract (Article 6(1)(b))",
    Article6Basis.LEGAL_OBLIGATION: "Legal obligation (Article 6(1)(c))",
    Article6Basis.VITAL_INTERESTS: "Vital interests (Article 6(1)(d))",
    Article6Basis.PUBLIC_TASK: "Public task (Article 6(1)(e))",
    Article6Basis.RECOGNISED_LEGITIMATE_INTEREST: "Recognised legitimate interest (Article 6(1)(ea))",
    Article6Basis.LEGITIMATE_INTERESTS: "Legitimate interests (Article 6(1)(f))",
}

ARTICLE9_WORDS: Mapping[Article9Condition, str] = {
    Article9Condition.EXPLICIT_CONSENT: "Explicit consent (Article 9(2)(a))",
    Article9Condition.EMPLOYMENT_SOCIAL_PROTECTION: "Social protection law (Article 9(2)(b))",
    Article9Condition.VITAL_INTERESTS: "Vital interests (Article 9(2)(c))",
    Article9Condition.LEGAL_CLAIMS: "Legal claims (Article 9(2)(f))",
    Article9Condition.SUBSTANTIAL_PUBLIC_INTEREST: "Substantial public interest (Article 9(2)(g))",
    Article9Condition.HEALTH_OR_SOCIAL_CARE: "Health or social care (Article 9(2)(h))",
    Article9Condition.PUBLIC_HEALTH: "Public health (Article 9(2)(i))",
    Article9Condition.RESEARCH: "Research (Article 9(2)(j))",
}

AGREEMENT_STATUS_WORDS: Mapping[AgreementStatus, str] = {
    AgreementStatus.DRAFT: "Draft",
    AgreementStatus.IN_SIGNING: "Being signed",
    AgreementStatus.ACTIVE: "In force",
    AgreementStatus.UNDER_REVIEW: "In force, under review",
    AgreementStatus.SUSPENDED: "Suspended",
    AgreementStatus.EXPIRED: "Ended: review date passed",
    AgreementStatus.TERMINATED: "Ended",
}

#: Each kind of task: its title, and what must be done.
#: What the misuse radar asks about (`hub.radar.Signal`): a title, and a sentence that names nobody.
SIGNAL_WORDS: Mapping[str, tuple[str, str]] = {
    "SELF": ("Own record", "The worker looked at what is recorded about themselves."),
    "RELATIVE": ("A relative", "The worker looked at somebody whom the records know as their family."),
    "SAME_ADDRESS": ("The same address", "The worker looked at somebody who is recorded at their own address."),
    "COLLEAGUE": ("A colleague", "The worker looked at somebody who works for the same agency."),
    "VIP": ("Somebody in the public eye", "The worker looked at somebody who is marked as in the public eye."),
    "SAME_SURNAME": ("The same surname", "The worker looked at somebody with their own surname."),
    "AFTER_CLOSURE": ("After the enquiry ended", "The worker looked after the enquiry had ended and was written up."),
    "RETRIED_PURPOSE": (
        "Refused, then another purpose",
        "The worker was refused, and was shown the same person soon afterwards for another purpose.",
    ),
    "VOLUME": (
        "Very many looks",
        "The worker looked on far more occasions in a day than they or their role usually do.",
    ),
    "OUT_OF_HOURS": ("Out of hours", "Neither the rota nor the worker's habits explain a look at this hour."),
    "REPEATED_EMERGENCY": ("Repeated emergencies", "The worker declared an emergency again and again within 30 days."),
    "BOILERPLATE": ("The same reason", "The worker gave the same reason for ten or more enquiries within 90 days."),
    "SEARCH_WITHOUT_VIEW": ("Searches without a look", "The worker searched again and again and opened hardly a case."),
    "UNDER_SHARING": (
        "An agency shares little",
        "The agency answered far fewer questions this month than others do, and than it did before.",
    ),
    "ALARM": ("An alarm of the hub", "A rule or another part of the hub raised the alarm."),
}
#: Alerts about what a user did, by the reason that the trail holds.
ALERT_WORDS: Mapping[str, str] = {
    "NOTICE-NOT-BROUGHT": "A notice was taken and could not be brought to anybody: ring its sender",
    "NOTICE-WITH-NOBODY": "A notice could be brought to nobody: the sender was told to ring",
    "BOILERPLATE-REASON": "The same reason was given ten times",
    "CHECKS-TOO-FAST": "Very many checks in a minute",
    "QUESTIONS-TOO-FAST": "Another hub asked very many questions in a minute",
    "APPROVAL-NOT-VALID": "An approval was presented that is not valid",
    "APPROVAL-FOR-ANOTHER-REQUEST": "An approval was presented for another request",
    "APPROVAL-USED-TWICE": "An approval was presented twice",
    **{f"RADAR-{signal}": f"Radar: {title.lower()}" for signal, (title, _) in SIGNAL_WORDS.items()},
}

TASK_WORDS: Mapping[str, tuple[str, str]] = {
    "NOTICE": (
        "A notice has come",
        "An agency gives notice of something that happened. Open it to read what may be shown to you.",
    ),
    "CHANGED": (
        "Something changed in an enquiry that you watch",
        "An agency holds something new or different of a person in it. Look again.",
    ),
    "NOTICE_SCHOOL": (
        "A notice about a pupil: read it before lessons begin",
        "The police were called to something that a pupil of yours saw, heard or lived with. Plan how they are met.",
    ),
    "RETURN_INTERVIEW": (
        "Offer a return home interview",
        "A child who was missing has come back. An interview is due within 72 hours of the return.",
    ),
    "CORRECTION": (
        "Somebody says that a record of yours is wrong",
        "The person it is about asks you to put it right. Answer within a month, with a reason if it stays as it is.",
    ),
    "NOTIFY_OWNER": (
        "Something that you hold was shown",
        "Another agency was shown information of yours without the person's consent, as the law allows. Note it.",
    ),
    "NOTIFY_RECIPIENTS": (
        "An agreement to sharing was withdrawn",
        "You were shown something under it. Do not use it further without another basis, and tell your team.",
    ),
    "INFORM_SUBJECT": (
        "Tell the person",
        "Information about them was shared without asking. Tell them what, with whom and why, unless that is unsafe.",
    ),
    "DO_NOT_INFORM": (
        "Look again at not telling the person",
        "It was decided not to tell them. Decide whether that still holds, or tell them now.",
    ),
    "DISPUTE": (
        "Two parents disagree",
        "Holders of parental responsibility gave opposite answers. Hear both, decide, and say why.",
    ),
    "RETRO_REVIEW": (
        "Review an emergency",
        "A worker opened information because somebody was at risk. Look at it, and say whether it was right.",
    ),
    "EMERGENCY_DECLARED": (
        "An emergency was declared",
        "A worker opened information because somebody was at risk. Information governance reviews it. Note it.",
    ),
    "EMERGENCY_ACCESS": (
        "Something that you hold was opened in an emergency",
        "A worker declared that somebody was at risk now. It is reviewed within a working day. Say so if it was wrong.",
    ),
    "INBOX_HALF_TIME": (
        "A request waits for your answer",
        "Half of the time to answer is over. Open it under Requests and answer it; this task then ends by itself.",
    ),
    "INBOX_OVERDUE": (
        "A request was not answered in time",
        "Nobody in your team answered. Answer it now under Requests, or ring those who asked: a late answer counts.",
    ),
    "INBOX_UNANSWERED": (
        "An agency has not answered in time",
        "Ring it: no answer does not mean that nothing is known. If it answers later, you are told.",
    ),
    "INBOX_CAME_LATE": (
        "An answer came late",
        "An agency answered after the time was over. Look at the enquiry again: it may change what you decided.",
    ),
    "PROTECTED_ADDRESS": (
        "A protected address was looked at",
        "A worker who is named for it saw where a protected person is. Look into whether there was a reason for it.",
    ),
    "FEEDBACK": (
        "Tell whoever made the referral",
        "The screening is decided. Say what was decided and what happens next, and nothing of what agencies hold.",
    ),
    "MATCH_IN_DOUBT": (
        "A patient's record is not certain",
        "A practice asked and could not be answered, as a record may be somebody else's. Look at the pairs in doubt.",
    ),
    "NAME_SEARCH": (
        "A colleague searched the register by name",
        "They did not say for which case, so nothing was shown. Ask them why, and note what they said.",
    ),
    "AGREEMENT_ENDS": (
        "A sharing agreement ends soon",
        "After its last day nothing flows under it. Have the parties sign the next version before then.",
    ),
    "REASSIGN": (
        "Take over from a colleague",
        "A colleague has a tie with somebody in this enquiry and may not go on with it. Open an enquiry of your own.",
    ),
    "ACCOUNT_SUSPENDED": (
        "An account was shut after an alert",
        "A worker may be a danger to somebody they looked for, so their account is shut. Speak with them, then decide.",
    ),
    "ALERT_REFERRED": (
        "Information governance asks about a worker",
        "Speak with the worker. Say whether what they did was to be expected, and why.",
    ),
    "APPROVAL_ANSWERED": (
        "Somebody answered your request",
        "Open the enquiry to see what was approved. It is shown once, within four hours.",
    ),
    "APPROVAL_REMINDER": (
        "A request waits for your agency's approval",
        "Half of the time to answer it is gone. It is listed under what waits for your approval.",
    ),
    "APPROVAL_LATE": (
        "A request was not answered in time",
        "Nobody of your agency has agreed or refused. Answer it now, or see to it that somebody does.",
    ),
    "CONSENT_ENDS": ("An agreement ends soon", "Ask the family again before it ends, and record the new answer."),
    "COMES_OF_AGE": (
        "A young person turns 18",
        "What was agreed for them ends on that day. From then on only their own answer counts: ask them.",
    ),
}

#: Why an agency cannot share something, as its people say it.
WITHHOLDING_WORDS: Mapping[str, str] = {
    "COURT_ORDER": "A court order or reporting restriction forbids it",
    "RISK_OF_HARM": "Sharing it would put somebody at risk",
    "PREJUDICE_TO_INVESTIGATION": "It would prejudice an investigation",
    "NOT_PROPORTIONATE": "It is not necessary for what was asked",
    "LEGAL_PRIVILEGE": "It is legally privileged",
    "NOT_OURS_TO_SHARE": "It belongs to another agency: ask them",
}
#: How urgent a request is, by its colour.
URGENCY_WORDS: Mapping[str, str] = {"RED": "Urgent", "AMBER": "Soon", "GREEN": "Ordinary", "BLUE": "Ordinary"}

ACCESS_MODE_WORDS: Mapping[AccessMode, str] = {
    AccessMode.VIEW: "View",
    AccessMode.SEARCH_NAME: "Search by name",
    AccessMode.SEARCH_ADDRESS: "Search by address",
    AccessMode.EXPORT: "Export",
    AccessMode.BULK: "Bulk request",
}

RELATIONSHIP_KIND_WORDS: Mapping[RelationshipKind, str] = {
    RelationshipKind.ASSIGNED_EPISODE: "Assigned to the episode",
    RelationshipKind.CASELOAD: "On the worker's caseload",
    RelationshipKind.REGISTERED_LIST: "Registered with the practice",
    RelationshipKind.PANEL_AGENDA: "On the panel's agenda",
    RelationshipKind.NAMED_STATUTORY_ROLE: "Named statutory role",
    RelationshipKind.REFERRER: "Made the referral",
    RelationshipKind.SELF_CLAIMED: "Claimed by the worker, not yet confirmed",
    RelationshipKind.NONE: "None recorded",
}

SUBJECT_FLAG_WORDS: Mapping[SubjectFlag, str] = {
    SubjectFlag.SHIELDED: "Address is protected",
    SubjectFlag.FLEEING_DA: "Fleeing domestic abuse",
    SubjectFlag.ADOPTED: "Adopted",
    SubjectFlag.PROTECTED_PERSON: "Protected person",
    SubjectFlag.STAFF_SUBJECT: "Works for a partner",
    SubjectFlag.RELATIVE_OF_STAFF: "Relative of a partner's staff",
    SubjectFlag.VIP: "In the public eye",
    SubjectFlag.CASE_LOCKED: "Case is locked",
    SubjectFlag.ALLEGED_PERPETRATOR: "Alleged to have caused harm",
    SubjectFlag.UNBORN: "Unborn",
    SubjectFlag.DECEASED: "Has died",
    SubjectFlag.OBJECTION: "Has objected to sharing",
    SubjectFlag.MATCH_UNCONFIRMED: "Match not confirmed",
    SubjectFlag.LEGAL_HOLD: "Legal hold",
}

#: Sex codes of the NHS Data Dictionary (PERSON STATED GENDER CODE / PHENOTYPIC SEX).
#: What speaks against a join of records (hub.people.matching.assign.BREAKS), for a data steward.
BREAK_WORDS: Mapping[str, str] = {
    "RECORDS": "Two records of one agency",
    "NUMBERS": "Two identifying numbers",
    "BIRTH_DATES": "Two dates of birth",
    "FORENAMES": "Another forename, without a shared number",
}
SEX_WORDS: Mapping[str | None, str] = {
    "1": "Male",
    "2": "Female",
    "9": "Indeterminate",
    "X": "Not known",
    None: "Sex not held",
}

#: Legal status of a looked-after child, SSDA903 code set, Department for Education guide 2025 to 2026.
LEGAL_STATUS_WORDS: Mapping[LegalStatus, str] = {
    LegalStatus.C1: "Interim care order",
    LegalStatus.C2: "Full care order",
    LegalStatus.D1: "Freeing order",
    LegalStatus.E1: "Placement order",
    LegalStatus.V2: "Single period of accommodation under section 20",
    LegalStatus.V3: "Short breaks accommodation",
    LegalStatus.V4: "Short breaks, single placement",
    LegalStatus.L1: "Under police protection",
    LegalStatus.L2: "Emergency protection order",
    LegalStatus.L3: "Child assessment order",
    LegalStatus.J1: "Remanded to local authority or youth detention",
    LegalStatus.J2: "Police bail with accommodation",
    LegalStatus.J3: "Sentenced to a youth rehabilitation order with residence",
}

ISO_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
ISO_MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")
DIGITS_AND_SPACES = re.compile(r"^\+?[\d\s()-]+$")
#: 03 and 08 numbers, and the cities 011x and 01x1 (Ofcom National Telephone Numbering Plan).
THREE_FIGURE_AREA = re.compile(r"^0([38]|11|1\d1)")
DIALLABLE = re.compile(r"\+?\d[\d ()-]{6,}\d")


def day(value: date | datetime | None) -> str:
    """Writes a date as "4 March 2026"; a moment is first moved to London. None writes nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = in_london(value).date()
    return f"{value.day} {value:%B %Y}"


def short_day(value: date | datetime | None) -> str:
    """Writes a date as "4 Mar 2026", for narrow cells."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = in_london(value).date()
    return f"{value.day} {value:%b %Y}"


def month(value: date | None) -> str:
    """Writes a date as "Mar 2026", for narrow cells whose detail stands elsewhere."""
    return f"{value:%b %Y}" if value else ""


def moment(value: datetime | None) -> str:
    """Writes a moment in London time as "4 March 2026, 10:15". None writes nothing."""
    if value is None:
        return ""
    local = in_london(value)
    return f"{local.day} {local:%B %Y, %H:%M}"


def time_left(due: datetime, now: datetime) -> str:
    """How long there is, or how late it is, in words: "3 hours left", "2 days late"; minutes are never rounded away."""
    seconds = abs((due - now).total_seconds())
    if seconds >= 2 * 86_400:
        length = count_words(int(seconds // 86_400), "day")
    elif seconds >= 2 * 3_600:
        length = count_words(int(seconds // 3_600), "hour")
    else:
        length = count_words(max(1, int(seconds // 60)), "minute")
    return f"{length} {'left' if due > now else 'late'}"


def in_london(value: datetime) -> datetime:
    """Moves a moment to London time; a moment without zone is read as UTC, as it is stored."""
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value.astimezone(LONDON)


def phone(text: str | None) -> str:
    """Groups a bare UK number for reading ("01632960101" -> "01632 960 101"); anything else stays as it came."""
    if not text:
        return ""
    stripped = text.strip()
    if not DIGITS_AND_SPACES.match(stripped):
        return stripped
    digits = re.sub(r"\D", "", stripped)
    if stripped.startswith("+") or len(digits) not in (10, 11) or not digits.startswith("0"):
        return stripped
    if digits.startswith("02"):
        return f"{digits[:3]} {digits[3:7]} {digits[7:]}"
    if THREE_FIGURE_AREA.match(digits):
        return f"{digits[:4]} {digits[4:7]} {digits[7:]}"
    return f"{digits[:5]} {digits[5:8]} {digits[8:]}"


def dial(text: str | None) -> str:
    """Finds the first number that can be dialled in a contact line, as the target of a tel: link; else nothing."""
    found = DIALLABLE.search(text or "")
    if not found:
        return ""
    digits = re.sub(r"[^\d+]", "", found.group())
    return "+44" + digits[1:] if digits.startswith("0") and len(digits) in (10, 11) else digits


def phone_parts(text: str | None) -> tuple[str, str, str]:
    """Splits a contact line into what stands before the number, the number as people read it, and what follows."""
    found = DIALLABLE.search(text or "")
    if not found or not text:
        return (text or "").strip(), "", ""
    return text[: found.start()].strip(), phone(found.group()), text[found.end() :].strip()


def field_words(name: str) -> str:
    """Names a partner's field as a row heading; an unknown name is spelt out rather than dropped."""
    known = FIELD_WORDS.get(name)
    return known if known is not None else name.replace("_", " ").strip().capitalize()


def fact_words(value: str, name: str = "") -> str:
    """Writes a fact's value for people: ISO dates and moments in words, sex codes spelt out, NHS numbers grouped."""
    if name == "sex":
        return SEX_WORDS.get(value, value)
    if name == "nhs_number" and len(value) == 10 and value.isdigit():
        return f"{value[:3]} {value[3:6]} {value[6:]}"
    if ISO_DATE.match(value):
        try:
            return day(date.fromisoformat(value))
        except ValueError:
            return value
    if ISO_MOMENT.match(value):
        try:
            return moment(datetime.fromisoformat(value))
        except ValueError:
            return value
    return value


def state_words(state: AnswerState) -> str:
    """Names one of the five answers."""
    return STATE_WORDS[state]


def state_key(state: AnswerState) -> str:
    """Gives the short key of one of the five answers for class names and symbols."""
    return STATE_KEYS[state]


def initial_capital(text: str) -> str:
    """Raises the first letter and leaves the rest, so that "CAMHS team" keeps its capitals."""
    return text[:1].upper() + text[1:]


def count_words(number: int, one: str, many: str = "") -> str:
    """Writes "1 person" or "3 people"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def together(rows: Iterable[Mapping[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Joins rows that agree in the named fields: `times` says how many, a `count` is added up, order is kept."""
    joined: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: str(row[names[0]])):
        key = repr([row[name] for name in names])
        if key not in joined:
            joined[key] = {**row, "times": 1}
            continue
        joined[key]["times"] += 1
        if isinstance(row.get("count"), int) and isinstance(joined[key].get("count"), int):
            joined[key]["count"] += row["count"]
    return list(joined.values())


FILTERS: Mapping[str, Callable[..., Any]] = {
    "day": day,
    "short_day": short_day,
    "time_left": time_left,
    "moment": moment,
    "month": month,
    "phone": phone,
    "dial": dial,
    "phone_parts": phone_parts,
    "field_words": field_words,
    "fact_words": fact_words,
    "state_words": state_words,
    "state_key": state_key,
    "initial_capital": initial_capital,
    "count_words": count_words,
    "together": together,
}
