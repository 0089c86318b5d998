"""Codes of decisions and agreements in words: what kinds of fields are called, and one way to say any code.

For: the pages that explain decisions and agreements. Must never add anything that the code does not say.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from hub.assembly import Hub
from hub.words import (
    AGREEMENT_STATUS_WORDS,
    CATEGORY_WORDS,
    GP_ANSWER_WORDS,
    OBLIGATION_WORDS,
    OUTCOME_WORDS,
    PURPOSE_WORDS,
    ROLE_WORDS,
)
from policies import Situation, Word
from policies.vocabulary import (
    AgreementStatus,
    DataCategory,
    FieldKind,
    GpAnswer,
    Obligation,
    Outcome,
    PartyRole,
    PartyStatus,
    Purpose,
    Role,
)

FIELD_KIND_WORDS: Mapping[FieldKind, str] = {
    FieldKind.IDENTITY: "who the person is",
    FieldKind.PSEUDONYM: "a stand-in for the name",
    FieldKind.INDICATOR: "whether a service is involved",
    FieldKind.HELD_MARKER: "that something confidential is held",
    FieldKind.CONTACT: "whom to ring",
    FieldKind.DATES: "dates",
    FieldKind.STATUS: "formal status",
    FieldKind.RISK: "risks",
    FieldKind.NEED: "assessed needs",
    FieldKind.ACTION: "agreed actions",
    FieldKind.OUTCOME: "what was decided",
    FieldKind.NEXT_STEP: "what to do next",
    FieldKind.CIRCUMSTANCES: "short account of an incident",
    FieldKind.CHILD_VOICE: "what the child said",
    FieldKind.DETAIL: "details",
    FieldKind.NARRATIVE: "professional narrative",
    FieldKind.TREATMENT: "treatment",
    FieldKind.INTELLIGENCE: "police intelligence",
    FieldKind.WHEREABOUTS: "where somebody is",
    FieldKind.SAFETY_PLAN: "safety plan",
    FieldKind.THIRD_PARTY: "data about somebody else",
    FieldKind.REFERRER_IDENTITY: "who made the referral",
    FieldKind.PROFESSIONAL_NAME: "name of a professional",
    FieldKind.STAFF_NAME: "name of a hub user",
    FieldKind.ACCOUNT: "account of disclosures",
    FieldKind.TIPPING_OFF: "what would prejudice an enquiry",
    FieldKind.SERIOUS_HARM: "what could do serious harm",
    FieldKind.PRE_ADOPTION_IDENTITY: "identity before adoption",
    FieldKind.FORMER_GENDER_IDENTITY: "protected gender history",
    FieldKind.AGGREGATE: "figures about a group",
}
PARTY_ROLE_WORDS: Mapping[PartyRole, str] = {
    PartyRole.DISCLOSER: "Gives information",
    PartyRole.RECIPIENT: "Receives information",
    PartyRole.BOTH: "Gives and receives",
}
PARTY_STATUS_WORDS: Mapping[PartyStatus, str] = {
    PartyStatus.SIGNED: "Signed",
    PartyStatus.NOT_SIGNED: "Not signed",
    PartyStatus.SUSPENDED: "Suspended",
    PartyStatus.WITHDRAWN: "Withdrawn",
}
#: The words of a matrix; each stands for what `decide` answers, never for more.
WORD_WORDS: Mapping[Word, str] = {
    Word.FULL: "Full",
    Word.PART: "In part",
    Word.INDICATOR: "Yes or no",
    Word.CONSENT: "With consent",
    Word.THRESHOLD: "At risk of harm",
    Word.RELEASE: "If released",
    Word.NEVER: "Never",
}
WORD_MEANINGS: Mapping[Word, str] = {
    Word.FULL: "Everything that the agency has of this kind is shown.",
    Word.PART: "Some fields are shown, others are left out.",
    Word.INDICATOR: "Only whether the service is involved, or yes or no, and whom to ring.",
    Word.CONSENT: "Shown when those who are entitled to have agreed, and named it where it is sensitive.",
    Word.THRESHOLD: "Shown when it is recorded that somebody is at risk of significant harm.",
    Word.RELEASE: "A person of the agency that holds it, or a second person, decides each time.",
    Word.NEVER: "Not shared under this agreement for this purpose. If somebody is at risk now, ring the agency.",
}
#: The look of a word: like that of an answer that says as much.
WORD_STATES: Mapping[Word, str] = {
    Word.FULL: "found",
    Word.PART: "found",
    Word.INDICATOR: "found",
    Word.CONSENT: "withheld",
    Word.THRESHOLD: "withheld",
    Word.RELEASE: "withheld",
    Word.NEVER: "notasked",
}
SITUATION_WORDS: Mapping[Situation, str] = {
    Situation.PLAIN: "Nothing more is recorded than the purpose needs",
    Situation.AGREED: "The family has agreed, and named it",
    Situation.THRESHOLD: "It is recorded that somebody is at risk of significant harm",
    Situation.RELEASED: "The agency that holds it has released it",
}
PROPOSAL_WORDS: Mapping[str, str] = {
    "OPEN": "Waiting for approval",
    "IN_FORCE": "Approved",
    "REJECTED": "Rejected",
    "WITHDRAWN": "Withdrawn",
}
_WORDS: Mapping[type[StrEnum], Mapping[Any, str]] = {
    FieldKind: FIELD_KIND_WORDS,
    DataCategory: CATEGORY_WORDS,
    Obligation: OBLIGATION_WORDS,
    Outcome: OUTCOME_WORDS,
    Purpose: PURPOSE_WORDS,
    Role: ROLE_WORDS,
    AgreementStatus: AGREEMENT_STATUS_WORDS,
    PartyRole: PARTY_ROLE_WORDS,
    PartyStatus: PARTY_STATUS_WORDS,
    GpAnswer: {answer: word for answer, (word, _) in GP_ANSWER_WORDS.items()},
}


def in_words(hub: Hub) -> Callable[[str], str]:
    """What a code means, in words; an agency's code is its name; what has no words stays as it is."""
    names = {code: partner.name for code, partner in hub.partners.items()}

    def say(code: str) -> str:
        if isinstance(code, StrEnum):
            return _WORDS.get(type(code), {}).get(code, str(code))
        return names.get(code, code)

    return say
