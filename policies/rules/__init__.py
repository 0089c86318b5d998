"""What law and practice demand of every agreement: the numbered rules P01 to P50.

For: one small function per rule, with its source in the docstring; the catalogue of titles; and the table of
which rule is asked when. Rules must never be special-cased for a partner or a case; what an agreement allows
lives in the agreement files instead.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

from policies.rules import conflicts, consent, preconditions, sensitivity, situations
from policies.rules.catalogue import RULES, Rule
from policies.rules.facts import PROTECTIVE_PURPOSES, SENSITIVE_SERVICES, Facts, Findings, Occasion
from policies.vocabulary import DataCategory, ProhibitedPurpose, Purpose

__all__ = ["EVERY_RULE", "RULES", "Rule", "RuleFunction", "Rules", "rules_for"]

RuleFunction = Callable[[Facts], Findings]


class Asked(NamedTuple):
    """A rule and when it is asked: always, or on an occasion, for some purposes or some categories only.

    `steady`: it does not look at the item, so that its findings hold for all items of one person and agency.
    """

    rule: RuleFunction
    on: int = 0
    purposes: frozenset[Purpose] | None = None
    categories: frozenset[DataCategory] | None = None
    steady: bool = False


PARTNER, SPECIAL, FLAGGED = Occasion.PARTNER, Occasion.SPECIAL, Occasion.FLAGGED
#: All rules that can find something, in the order of their numbers. The rest acts inside them: P01 in P03 and
#: the consent positions, P07 in P05, P13 and P14 also in P11, P15, P17 and P18 in the consent positions, P29 in
#: the field filter, P48 and P50 where the decision is put together. P21 and P40 are asked when it is clear
#: whether break-glass is used. A rule with two lines is asked when either holds.
EVERY_RULE: tuple[Asked, ...] = (
    Asked(preconditions.named_user, steady=True),
    Asked(preconditions.legitimate_relationship, steady=True),
    Asked(preconditions.sharing_agreement, PARTNER),
    Asked(preconditions.lawful_basis),
    Asked(preconditions.legitimate_interest, steady=True),
    Asked(preconditions.allowed_purpose, steady=True),
    Asked(preconditions.necessity),
    Asked(preconditions.concerned, steady=True),
    Asked(consent.agrees_first, PARTNER, purposes=consent.CONSENT_GATED),
    Asked(consent.decided_before_gathering, Occasion.BELOW_THRESHOLD, purposes=PROTECTIVE_PURPOSES),
    Asked(consent.significant_harm, PARTNER, steady=True),
    Asked(consent.override_of_refusal, Occasion.THRESHOLD, purposes=PROTECTIVE_PURPOSES),
    Asked(consent.competence_first, PARTNER, purposes=consent.CONSENT_GATED, categories=SENSITIVE_SERVICES),
    Asked(consent.adult_decides, PARTNER, purposes=consent.ADULT_PURPOSES),
    Asked(consent.direct_care, PARTNER, purposes=consent.CARE_PURPOSES),
    Asked(consent.authority_relied_on, PARTNER | Occasion.ANSWERED),
    Asked(sensitivity.sensitive_service, PARTNER, categories=SENSITIVE_SERVICES),
    Asked(sensitivity.sealed, PARTNER | SPECIAL),
    Asked(sensitivity.held_marker, SPECIAL),
    Asked(sensitivity.product, PARTNER | SPECIAL),
    Asked(sensitivity.intelligence, PARTNER | SPECIAL),
    Asked(sensitivity.intelligence, PARTNER, categories=frozenset({DataCategory.POLICE_INTELLIGENCE})),
    Asked(sensitivity.statutory_bar, FLAGGED),
    Asked(sensitivity.statutory_bar, categories=sensitivity.BARRED_CATEGORIES),
    Asked(sensitivity.shielded_person, FLAGGED),
    Asked(sensitivity.panel_process, categories=frozenset(sensitivity.PANELS)),
    Asked(sensitivity.court_restricted, categories=frozenset({DataCategory.COURT_RESTRICTED})),
    Asked(sensitivity.withheld, PARTNER | SPECIAL),
    Asked(conflicts.alleged_perpetrator, Occasion.TIED, steady=True),
    Asked(conflicts.own_record, Occasion.TIED, steady=True),
    Asked(conflicts.relatives, Occasion.TIED, steady=True),
    Asked(conflicts.locked_case, FLAGGED),
    Asked(conflicts.under_allegation, Occasion.TIED, steady=True),
    Asked(conflicts.misused_approval, Occasion.APPROVED, steady=True),
    Asked(situations.police_crime_purpose, PARTNER, purposes=frozenset({Purpose.CRIME})),
    Asked(situations.onward_sharing, Occasion.ONWARD),
    Asked(situations.ended_basis, Occasion.ENDED),
    Asked(situations.open_case, PARTNER, purposes=frozenset({Purpose.MASH_SCREENING}), steady=True),
    Asked(situations.audit, Occasion.OVERSEER),
    Asked(situations.audit, purposes=frozenset({Purpose.IG_AUDIT, Purpose.PRACTICE_QA})),
    Asked(situations.audit, categories=frozenset({DataCategory.AUDIT_METADATA})),
    Asked(situations.administrator, Occasion.OVERSEER),
    Asked(situations.analytics, purposes=situations.ANALYTIC_PURPOSES, steady=True),
    Asked(situations.subject_access, purposes=frozenset({Purpose.SUBJECT_RIGHTS})),
    Asked(situations.the_dead, FLAGGED, steady=True),
    Asked(situations.the_dead, purposes=frozenset({Purpose.STATUTORY_REVIEW}), steady=True),
    Asked(situations.exploitation_panel, purposes=frozenset({Purpose.MACSE}), steady=True),
)


class Rules(NamedTuple):
    """The rules to ask, in order: those that do not look at the item, and those that do."""

    steady: tuple[RuleFunction, ...]
    of_item: tuple[RuleFunction, ...]


def rules_for(facts: Facts) -> Rules:
    """Return the rules to ask."""
    return _rules_for(facts.occasions, facts.purpose, facts.category)


@functools.cache
def _rules_for(occasions: int, purpose: Purpose | ProhibitedPurpose, category: DataCategory) -> Rules:
    """Return the rules for one of the combinations that exist."""
    asked = [
        one
        for one in EVERY_RULE
        if occasions & one.on == one.on
        and (one.purposes is None or purpose in one.purposes)
        and (one.categories is None or category in one.categories)
    ]
    steady, of_item = ({one.rule: None for one in asked if one.steady == kind} for kind in (True, False))
    return Rules(tuple(steady), tuple(of_item))
