"""What law and practice demand of every agreement: the numbered rules P01 to P50.

For: one small function per rule, with its source in the docstring, and the catalogue of titles. Rules must
never be skipped or special-cased; what an agreement allows lives in the agreement files instead.
"""

from collections.abc import Callable

from policies.rules import conflicts, consent, preconditions, sensitivity, situations
from policies.rules.catalogue import RULES, Rule
from policies.rules.facts import Facts, Findings

__all__ = ["EVERY_RULE", "RULES", "Rule"]

#: All rules that can find something, in the order of their numbers; P21 and P40 are asked when it is clear
#: whether break-glass is used, P01, P15, P18, P24, P29, P48 and P50 act inside the others.
EVERY_RULE: tuple[Callable[[Facts], Findings], ...] = (
    preconditions.named_user,
    preconditions.legitimate_relationship,
    preconditions.sharing_agreement,
    preconditions.lawful_basis,
    preconditions.legitimate_interest,
    preconditions.allowed_purpose,
    preconditions.necessity,
    consent.agrees_first,
    consent.decided_before_gathering,
    consent.significant_harm,
    consent.override_of_refusal,
    consent.competence_first,
    consent.adult_decides,
    consent.direct_care,
    consent.authority_relied_on,
    sensitivity.sensitive_service,
    sensitivity.sealed,
    sensitivity.held_marker,
    sensitivity.product,
    sensitivity.intelligence,
    sensitivity.statutory_bar,
    sensitivity.shielded_person,
    sensitivity.panel_process,
    sensitivity.court_restricted,
    sensitivity.withheld,
    conflicts.alleged_perpetrator,
    conflicts.own_record,
    conflicts.relatives,
    conflicts.locked_case,
    conflicts.under_allegation,
    conflicts.misused_approval,
    situations.police_crime_purpose,
    situations.onward_sharing,
    situations.ended_basis,
    situations.open_case,
    situations.audit,
    situations.administrator,
    situations.analytics,
    situations.subject_access,
    situations.the_dead,
    situations.exploitation_panel,
)
