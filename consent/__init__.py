"""What the family agreed or refused, what was decided about asking, and on which basis."""

from consent.decisions import ConsentDecision, decide_about_consent, decision_for, new_decision_id
from consent.records import ConsentFacts, ConsentRecord, facts_for, record_consent, withdraw
from consent.tables import metadata

__all__ = [
    "ConsentDecision",
    "ConsentFacts",
    "ConsentRecord",
    "decide_about_consent",
    "decision_for",
    "facts_for",
    "metadata",
    "new_decision_id",
    "record_consent",
    "withdraw",
]
