"""What the family agreed or refused, what was decided about asking, and on which basis."""

from consent.decisions import ConsentDecision, decide_about_consent, decision_for, new_decision_id
from consent.disputes import CheckOutcome, DisputeCheck, mark_disputes, record_check
from consent.ending import Ending, eighteenth_birthday, ending_soon, given_for_children
from consent.errors import ConsentError
from consent.fhir import as_bundle, as_consent
from consent.following import follow_join, follow_split, is_on_record
from consent.records import (
    YES,
    AnswerMethod,
    ConsentFacts,
    ConsentRecord,
    current_records,
    facts_for,
    history,
    new_record_id,
    record_consent,
    record_of,
    renew,
    withdraw,
)
from consent.standing import (
    ASSESSORS,
    FINDINGS,
    Assessment,
    AssessmentKind,
    ParentalSource,
    Standing,
    StandingFact,
    StandingKind,
    assessments_of,
    record_assessment,
    record_standing,
    standing_facts_of,
)
from consent.statements import Statement, current_statements, statement
from consent.tables import metadata

__all__ = [
    "ASSESSORS",
    "FINDINGS",
    "YES",
    "AnswerMethod",
    "Assessment",
    "AssessmentKind",
    "CheckOutcome",
    "ConsentDecision",
    "ConsentError",
    "ConsentFacts",
    "ConsentRecord",
    "DisputeCheck",
    "Ending",
    "ParentalSource",
    "Standing",
    "StandingFact",
    "StandingKind",
    "Statement",
    "as_bundle",
    "as_consent",
    "assessments_of",
    "current_records",
    "current_statements",
    "decide_about_consent",
    "decision_for",
    "eighteenth_birthday",
    "ending_soon",
    "facts_for",
    "follow_join",
    "follow_split",
    "given_for_children",
    "history",
    "is_on_record",
    "mark_disputes",
    "metadata",
    "new_decision_id",
    "new_record_id",
    "record_assessment",
    "record_check",
    "record_consent",
    "record_of",
    "record_standing",
    "renew",
    "standing_facts_of",
    "statement",
    "withdraw",
]
