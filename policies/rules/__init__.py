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
from policies.rules.facts import PROTECTIVE_PURPOSES, SENSITIVE_SERVICES, Facts, Findings
from policies.vocabulary import DataCategory, ProhibitedPurpose, Purpose

__all__ = ["EVERY_RULE", "RULES", "Rule", "rules_for"]

RuleFunction = Callable[[Facts], Findings]


class Asked(NamedTuple):
    """A rule and when it is asked: always, or only for partner access, some purposes or some categories.

    `tied`: only when a conflict was found; `approved`: only when an approval is presented.
    """

    rule: RuleFunction
    partner: bool = False
    tied: bool = False
    approved: bool = False
    purposes: frozenset[Purpose] | None = None
    categories: frozenset[DataCategory] | None = None


#: All rules that can find something, in the order of their numbers. The rest acts inside them: P01 in P03 and
#: the consent positions, P07 in P05, P13 and P14 also in P11, P15, P17 and P18 in the consent positions, P29 in
#: the field filter, P48 and P50 where the decision is put together. P21 and P40 are asked when it is clear
#: whether break-glass is used.
EVERY_RULE: tuple[Asked, ...] = (
    Asked(preconditions.named_user),
    Asked(preconditions.legitimate_relationship),
    Asked(preconditions.sharing_agreement, partner=True),
    Asked(preconditions.lawful_basis),
    Asked(preconditions.legitimate_interest),
    Asked(preconditions.allowed_purpose),
    Asked(preconditions.necessity),
    Asked(consent.agrees_first, partner=True, purposes=consent.CONSENT_GATED),
    Asked(consent.decided_before_gathering, partner=True, purposes=PROTECTIVE_PURPOSES),
    Asked(consent.significant_harm, partner=True),
    Asked(consent.override_of_refusal, partner=True, purposes=PROTECTIVE_PURPOSES),
    Asked(consent.competence_first, partner=True, purposes=consent.CONSENT_GATED, categories=SENSITIVE_SERVICES),
    Asked(consent.adult_decides, partner=True, purposes=consent.ADULT_PURPOSES),
    Asked(consent.direct_care, partner=True, purposes=consent.CARE_PURPOSES),
    Asked(consent.authority_relied_on, partner=True),
    Asked(sensitivity.sensitive_service, partner=True, categories=SENSITIVE_SERVICES),
    Asked(sensitivity.sealed, partner=True),
    Asked(sensitivity.held_marker),
    Asked(sensitivity.product, partner=True),
    Asked(sensitivity.intelligence, partner=True),
    Asked(sensitivity.statutory_bar),
    Asked(sensitivity.shielded_person),
    Asked(sensitivity.panel_process, categories=frozenset(sensitivity.PANELS)),
    Asked(sensitivity.court_restricted, categories=frozenset({DataCategory.COURT_RESTRICTED})),
    Asked(sensitivity.withheld, partner=True),
    Asked(conflicts.alleged_perpetrator, tied=True),
    Asked(conflicts.own_record, tied=True),
    Asked(conflicts.relatives, tied=True),
    Asked(conflicts.locked_case),
    Asked(conflicts.under_allegation, tied=True),
    Asked(conflicts.misused_approval, approved=True),
    Asked(situations.police_crime_purpose, partner=True, purposes=frozenset({Purpose.CRIME})),
    Asked(situations.onward_sharing),
    Asked(situations.ended_basis),
    Asked(situations.open_case, partner=True, purposes=frozenset({Purpose.MASH_SCREENING})),
    Asked(situations.audit),
    Asked(situations.administrator),
    Asked(situations.analytics, purposes=situations.ANALYTIC_PURPOSES),
    Asked(situations.subject_access, purposes=frozenset({Purpose.SUBJECT_RIGHTS})),
    Asked(situations.the_dead),
    Asked(situations.exploitation_panel, purposes=frozenset({Purpose.MACSE})),
)


def rules_for(facts: Facts) -> tuple[RuleFunction, ...]:
    """Return the rules to ask, in order."""
    request = facts.request
    return _rules_for(
        facts.partner, facts.purpose, facts.category, bool(request.actor.conflicts), bool(request.approvals)
    )


@functools.cache
def _rules_for(
    partner: bool, purpose: Purpose | ProhibitedPurpose, category: DataCategory, tied: bool, approved: bool
) -> tuple[RuleFunction, ...]:
    """Return the rules for one of the few thousand combinations that exist."""
    return tuple(
        one.rule
        for one in EVERY_RULE
        if (partner or not one.partner)
        and (tied or not one.tied)
        and (approved or not one.approved)
        and (one.purposes is None or purpose in one.purposes)
        and (one.categories is None or category in one.categories)
    )
