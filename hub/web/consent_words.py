"""What the pages about consent say: words for methods, findings and sources, and records as lines to read.

For: the templates of consent. Pure; must never look anything up.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from consent import AnswerMethod, Assessment, AssessmentKind, ConsentRecord, ParentalSource, StandingFact, statement
from hub.family_consent import FamilyConsents
from hub.words import (
    CATEGORY_WORDS,
    CONSENT_KIND_WORDS,
    CONSENT_STATE_WORDS,
    GIVER_CAPACITY_WORDS,
    LEGAL_STATUS_WORDS,
    PURPOSE_WORDS,
    REASON_CODE_WORDS,
    ROLE_WORDS,
)
from policies.vocabulary import ConsentState, LegalStatus

METHOD_WORDS: Mapping[AnswerMethod, str] = {
    AnswerMethod.IN_PERSON: "In person",
    AnswerMethod.BY_PHONE: "By telephone",
    AnswerMethod.IN_WRITING: "In writing",
    AnswerMethod.ONLINE: "Online",
    AnswerMethod.INTERPRETER: "In person, with an interpreter",
}
#: The forms, and the words for the codes that only they offer.
FORMS: Mapping[str, Mapping[str, str]] = {
    "answer": {},
    "assessment": {
        "COMPETENT": "Under 16, and competent to decide (Gillick)",
        "NOT_COMPETENT": "Under 16, and not competent to decide (Gillick)",
        "HAS": "16 or over, and has capacity",
        "LACKS": "16 or over, and lacks capacity",
        "FLUCTUATING": "16 or over, and capacity comes and goes",
    },
    "standing": {
        ParentalSource.MOTHER: "Parental responsibility as the mother",
        ParentalSource.MARRIED_PARENT: "Parental responsibility by marriage or civil partnership",
        ParentalSource.REGISTERED_PARENT: "Parental responsibility by birth registration",
        ParentalSource.AGREEMENT: "Parental responsibility by agreement",
        ParentalSource.COURT_ORDER: "Parental responsibility by order of a court",
        ParentalSource.SPECIAL_GUARDIAN: "Special guardian",
        ParentalSource.ADOPTION: "Parental responsibility by adoption",
    },
    "decision": {},
}
#: Answers that can be withdrawn.
STANDING_ANSWERS = frozenset(
    {
        ConsentState.GIVEN_EXPLICIT,
        ConsentState.GIVEN_PARTIAL,
        ConsentState.GIVEN_IMPLIED,
        ConsentState.BEST_INTERESTS,
        ConsentState.DISPUTED,
    }
)


def options(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Value and text of each choice."""
    return [{"value": str(value), "text": text} for value, text in pairs]


def consent_view(held: FamilyConsents, family: Mapping[str, str], agencies: Mapping[str, str]) -> dict[str, Any]:
    """The page about consent: per person what holds now, who decides, and everything before."""
    decision = held.decision
    return {
        "decision": None
        if decision is None
        else {
            "words": CONSENT_STATE_WORDS[decision.state],
            "reason": REASON_CODE_WORDS[decision.reason_code] if decision.reason_code else None,
            "by": ROLE_WORDS[decision.decided_by_role],
            "at": decision.decided_at,
            "review": decision.review_due,
            "told": decision.inform == "INFORM",
        },
        "people": [
            {
                "label": label,
                "now": [_line(r, family, agencies) for r in held.current if r.subject == person],
                "before": [
                    _line(r, family, agencies)
                    for r in held.history
                    if r.subject == person and r.id not in {c.id for c in held.current}
                ],
                "standing": [
                    *(_assessed(a) for a in held.assessments if a.subject == person),
                    *(_stands(f, family) for f in held.standings if f.subject == person),
                ],
            }
            for person, label in family.items()
        ],
    }


def _line(r: ConsentRecord, family: Mapping[str, str], agencies: Mapping[str, str]) -> dict[str, Any]:
    who = GIVER_CAPACITY_WORDS[r.giver_capacity]
    name = family.get(r.giver)
    wording = statement(r.statement) if r.statement else None
    limits = []
    if r.agencies is not None:
        limits.append("between " + ", ".join(agencies.get(a, a) for a in r.agencies))
    if r.categories is not None:
        limits.append("about " + ", ".join(CATEGORY_WORDS[c].lower() for c in r.categories))
    if r.purposes is not None:
        limits.append("for " + ", ".join(PURPOSE_WORDS[p].lower() for p in r.purposes))
    return {
        "id": r.id,
        "kind": CONSENT_KIND_WORDS[r.kind],
        "answer": CONSENT_STATE_WORDS[r.state],
        "who": f"{name}: {who[0].lower()}{who[1:]}" if name and r.giver != r.subject else who,
        "method": METHOD_WORDS[r.method] if r.method else None,
        "given_at": r.given_at,
        "expires_at": r.expires_at,
        "withdrawn_at": r.withdrawn_at,
        "limits": "; ".join(limits) or "not limited",
        "wording": f"{wording.title} (version {wording.version})" if wording else None,
        "may_withdraw": r.state in STANDING_ANSWERS,
    }


def _assessed(a: Assessment) -> dict[str, Any]:
    about = "capacity" if a.kind == AssessmentKind.CAPACITY else "competence"
    limits = "" if a.categories is None else ", for " + ", ".join(CATEGORY_WORDS[c].lower() for c in a.categories)
    return {
        "what": FORMS["assessment"][a.status] + limits,
        "source": f"Assessment of {about} by a {ROLE_WORDS[a.assessed_by_role]}",
        "since": a.assessed_at,
        "until": None,
        "review": a.review_due,
    }


def _stands(f: StandingFact, family: Mapping[str, str]) -> dict[str, Any]:
    code: Any = f.code
    words = LEGAL_STATUS_WORDS[LegalStatus(code)] if code in LegalStatus.__members__ else FORMS["standing"][code]
    if code == ParentalSource.ADOPTION:
        words = "Parental responsibility"  # That somebody was adopted is not told (rule P27).
    holder = family.get(f.holder or "")
    return {
        "what": f"{holder or 'Somebody'}: {words[0].lower()}{words[1:]}" if f.holder else words,
        "source": "On record",
        "since": f.starts,
        "until": f.ends,
        "review": None,
    }
