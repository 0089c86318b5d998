"""Is what the officers wrote sound today? Each remark is one sentence with its file and place.

For: a short list before a release, in the continuous check and on the operator's screen: missing signatures, wrong
dates, overdue reviews, clauses that open nothing, two bases for one thing, what no clause covers. It must never change
anything. What the worked cases try is in policies/tried.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import combinations

from policies.agreement import SharingAgreement, in_force
from policies.case import Clause, GatewayEntry
from policies.rules.facts import SENSITIVE_SERVICES
from policies.rules.fields import TREATMENT_KINDS
from policies.rules.preconditions import PUBLIC_BASES, gateways_serving
from policies.rules.sensitivity import BARRED_CATEGORIES, BARRED_KINDS
from policies.vocabulary import (
    AgreementStatus,
    DataCategory,
    DataRole,
    FieldKind,
    PartyRole,
    PartyStatus,
    Purpose,
    StatutoryGateway,
)

SOON = timedelta(days=90)
#: A version that stood in force and does so no longer.
STOPPED = frozenset(
    {AgreementStatus.UNDER_REVIEW, AgreementStatus.SUSPENDED, AgreementStatus.EXPIRED, AgreementStatus.TERMINATED}
)
#: Categories that never need a clause: barred for everybody, or the hub's own audit.
NEEDS_NO_CLAUSE = BARRED_CATEGORIES | {DataCategory.AUDIT_METADATA}
#: What every clause has to name; of two clauses the narrower is no more in any of these.
WIDTHS = ("purposes", "recipient_roles", "categories", "data_subjects", "field_kinds", "onward_to")


class RemarkKind(StrEnum):
    """What kinds of remarks there are; names are permanent."""

    UNREADABLE = "UNREADABLE"
    ENDED = "ENDED"
    REVIEW_OVERDUE = "REVIEW_OVERDUE"
    DATES_WRONG = "DATES_WRONG"
    NOT_SIGNED = "NOT_SIGNED"
    DATA_ROLE_MISSING = "DATA_ROLE_MISSING"
    JOINT_CONTROLLER_ALONE = "JOINT_CONTROLLER_ALONE"
    TERMS_MISSING = "TERMS_MISSING"
    BASIS_MISSING = "BASIS_MISSING"
    BASIS_TWICE = "BASIS_TWICE"
    GATEWAY_NOT_IN_FORCE = "GATEWAY_NOT_IN_FORCE"
    GATEWAY_SERVES_NOT = "GATEWAY_SERVES_NOT"
    OLDER_IN_FORCE_AGAIN = "OLDER_IN_FORCE_AGAIN"
    CLAUSE_COVERED = "CLAUSE_COVERED"
    KIND_NEVER_OPENS = "KIND_NEVER_OPENS"
    REVEALS_TO_NOBODY = "REVEALS_TO_NOBODY"
    CASES_MISSING = "CASES_MISSING"
    CASE_FAILS = "CASE_FAILS"
    NO_ALLOW_CASE = "NO_ALLOW_CASE"
    NO_DENY_CASE = "NO_DENY_CASE"
    # Notes: these deserve a look and are no faults.
    ENDS_SOON = "ENDS_SOON"
    REVIEW_SOON = "REVIEW_SOON"
    AGREEMENTS_OVERLAP = "AGREEMENTS_OVERLAP"
    CATEGORY_UNCOVERED = "CATEGORY_UNCOVERED"
    RULE_UNTRIED = "RULE_UNTRIED"
    RULE_ONE_SIDED = "RULE_ONE_SIDED"


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about one place: `place` is a key such as `clauses[2]`, "" for the whole file or all of them."""

    kind: RemarkKind
    file: str
    place: str
    sentence: str

    def __str__(self) -> str:
        """Return the sentence with its file."""
        return f"{self.file}: {self.sentence}" if self.file else self.sentence


def faults(agreements: tuple[SharingAgreement, ...], today: date) -> Iterator[Remark]:
    """Yield what makes a decision fail or drift, file by file, then what files say against each other."""
    for one in agreements:
        yield from _dates(one, today)
        yield from _parties(one, today)
        if one.status not in STOPPED:
            yield from _terms(one)
            yield from _clauses(one)
    yield from _against_each_other(agreements, today)


def _dates(one: SharingAgreement, today: date) -> Iterator[Remark]:
    name = f"{one.reference} version {one.version}"
    if one.started(today) and one.expires_on is not None and one.expires_on < today:
        yield Remark(RemarkKind.ENDED, one.file, "expires_on", f"{name} ended on {one.expires_on}.")
    elif one.started(today) and one.review < today:
        yield Remark(RemarkKind.REVIEW_OVERDUE, one.file, "review", f"{name} was due for review on {one.review}.")
    if one.review < one.effective_from or (one.expires_on is not None and one.review > one.expires_on):
        why = f"{name} is to be reviewed on {one.review}, which is not between its first and its last day."
        yield Remark(RemarkKind.DATES_WRONG, one.file, "review", why)
    for n, party in enumerate(one.parties):
        if party.signed_on is not None and party.signed_on > today:
            why = f"{name}: {party.agency} signed on {party.signed_on}, a day that is still to come."
            yield Remark(RemarkKind.DATES_WRONG, one.file, f"parties[{n}].signed_on", why)


def _parties(one: SharingAgreement, today: date) -> Iterator[Remark]:
    name = f"{one.reference} version {one.version}"
    for n, party in enumerate(one.parties):
        place = f"parties[{n}]"
        if one.started(today) and party.status != PartyStatus.SIGNED:
            why = f"{name}: {party.agency} has not signed (status {party.status})."
            yield Remark(RemarkKind.NOT_SIGNED, one.file, f"{place}.status", why)
        if party.data_role is None:
            why = f"{name} does not say whether {party.agency} is a controller or a processor (data_role)."
            yield Remark(RemarkKind.DATA_ROLE_MISSING, one.file, place, why)
    joint = [n for n, party in enumerate(one.parties) if party.data_role == DataRole.JOINT_CONTROLLER]
    if len(joint) == 1:
        alone = one.parties[joint[0]].agency
        why = f"{name}: {alone} is a joint controller with nobody; Article 26 needs a second one."
        yield Remark(RemarkKind.JOINT_CONTROLLER_ALONE, one.file, f"parties[{joint[0]}].data_role", why)


def _terms(one: SharingAgreement) -> Iterator[Remark]:
    if bare := sorted(one.purposes - one.terms.keys()):
        why = f"{one.reference} version {one.version} does not say what is asked and what lifts confidentiality for "
        yield Remark(RemarkKind.TERMS_MISSING, one.file, "terms", f"{why}{', '.join(bare)}.")
    processors = {party.agency for party in one.parties if party.data_role == DataRole.PROCESSOR}
    disclosers, recipients = _sides(one)
    for purpose in sorted({each for clause in one.clauses for each in clause.purposes}):
        for agency in sorted(disclosers | recipients):
            claim = one.claim(agency, purpose)
            if claim is None and agency not in processors:
                why = f"{agency} claims no basis for {purpose}, so that every flow from or to it is refused (P05)."
                yield Remark(RemarkKind.BASIS_MISSING, one.file, "basis", why)
            elif (
                claim is not None
                and claim.art6 in PUBLIC_BASES
                and claim.gateways
                and not claim.gateways & gateways_serving(purpose)
            ):
                named = ", ".join(sorted(claim.gateways))
                why = f"{agency} claims {named} for {purpose}, and none of them serves that purpose (P05)."
                yield Remark(RemarkKind.GATEWAY_SERVES_NOT, one.file, "basis", why)


def _sides(one: SharingAgreement) -> tuple[set[str], set[str]]:
    signed = [party for party in one.parties if party.status == PartyStatus.SIGNED]
    return (
        {party.agency for party in signed if party.role != PartyRole.RECIPIENT},
        {party.agency for party in signed if party.role != PartyRole.DISCLOSER},
    )


def _clauses(one: SharingAgreement) -> Iterator[Remark]:
    for n, clause in enumerate(one.clauses):
        wider = [m for m, other in enumerate(one.clauses) if m != n and _covered(clause, other, earlier=m < n)]
        if wider:
            why = f"Clause {n + 1} of {one.reference} allows nothing that clause {wider[0] + 1} does not allow already."
            yield Remark(RemarkKind.CLAUSE_COVERED, one.file, f"clauses[{n}]", why)
        for categories, kinds, rule in _NEVER:
            if (no := clause.field_kinds & kinds) and clause.categories <= categories:
                why = f"Clause {n + 1} of {one.reference} lists {', '.join(sorted(no))}, which {rule} always cuts."
                yield Remark(RemarkKind.KIND_NEVER_OPENS, one.file, f"clauses[{n}].field_kinds", why)
        if nobody := clause.shield_reveal_roles - clause.recipient_roles:
            said = ", ".join(sorted(nobody))
            why = f"Clause {n + 1} of {one.reference} reveals to {said}, which it does not name as a recipient's role."
            yield Remark(RemarkKind.REVEALS_TO_NOBODY, one.file, f"clauses[{n}].shield_reveal_roles", why)


#: Kinds of field that a rule cuts whatever a clause says, where all its categories are among these.
_NEVER: tuple[tuple[frozenset[DataCategory], frozenset[FieldKind], str], ...] = (
    (SENSITIVE_SERVICES, TREATMENT_KINDS, "P22"),
    (frozenset(DataCategory), BARRED_KINDS, "P27"),
    (frozenset(DataCategory) - {DataCategory.POLICE_INTELLIGENCE}, frozenset({FieldKind.INTELLIGENCE}), "P25"),
)


def _covered(one: Clause, other: Clause, *, earlier: bool) -> bool:
    """Does the other clause allow all that this one does? Of two equal clauses the later is covered."""
    reach = other.lookback_months is None or (
        one.lookback_months is not None and one.lookback_months <= other.lookback_months
    )
    within = all(getattr(one, key) <= getattr(other, key) for key in WIDTHS)
    return within and reach and one.shield_reveal_roles <= other.shield_reveal_roles and (earlier or one != other)


def _against_each_other(agreements: tuple[SharingAgreement, ...], today: date) -> Iterator[Remark]:
    claimed: dict[tuple[str, Purpose], str] = {}
    for one in in_force(agreements, today):
        for newer in agreements:
            if newer.reference == one.reference and newer.version > one.version and newer.status in STOPPED:
                why = (
                    f"version {newer.version} of {one.reference} is {newer.status}, "
                    f"so version {one.version} is in force again; stop that one as well."
                )
                yield Remark(RemarkKind.OLDER_IN_FORCE_AGAIN, newer.file, "status", why)
        for n, claim in enumerate(one.bases):
            for agency in sorted(claim.agencies):
                for purpose in sorted(claim.purposes):
                    first = claimed.setdefault((agency, purpose), one.reference)
                    if first != one.reference:
                        why = f"{agency} claims a basis for {purpose} in {first} already; that one counts."
                        yield Remark(RemarkKind.BASIS_TWICE, one.file, f"basis[{n}]", why)


def gateway_faults(
    agreements: tuple[SharingAgreement, ...], register: tuple[GatewayEntry, ...], today: date
) -> Iterator[Remark]:
    """Yield claims that rest on no gateway in force today (P07)."""
    alive = {
        entry.code
        for entry in register
        if entry.effective_from is not None
        and entry.effective_from <= today
        and (entry.effective_to is None or today <= entry.effective_to)
    }
    for one in in_force(agreements, today):
        claimed: set[StatutoryGateway] = set().union(*[claim.basis.gateways for claim in one.bases])
        for code in sorted(claimed - alive):
            n = next(n for n, claim in enumerate(one.bases) if code in claim.basis.gateways)
            why = f"{code} is claimed but not in force in the register."
            yield Remark(RemarkKind.GATEWAY_NOT_IN_FORCE, one.file, f"basis[{n}].gateways", why)


def notes(agreements: tuple[SharingAgreement, ...], today: date) -> Iterator[Remark]:
    """Yield what deserves a look: what ends soon, what two agreements both allow, what no clause covers."""
    standing = in_force(agreements, today)
    for one in standing:
        if one.expires_on is not None and one.expires_on - today < SOON:
            yield Remark(RemarkKind.ENDS_SOON, one.file, "expires_on", f"{one.reference} ends on {one.expires_on}.")
        if timedelta(0) <= one.review - today < SOON:
            yield Remark(
                RemarkKind.REVIEW_SOON, one.file, "review", f"{one.reference} is due for review by {one.review}."
            )
    for first, second in combinations(standing, 2):
        yield from _overlap(first, second)
    covered = {kind for one in standing for clause in one.clauses for kind in clause.categories}
    if bare := [category for category in DataCategory if category not in covered | NEEDS_NO_CLAUSE]:
        why = f"No clause in force covers {', '.join(bare)}: partners are refused these (P04)."
        yield Remark(RemarkKind.CATEGORY_UNCOVERED, "", "", why)


def _overlap(first: SharingAgreement, second: SharingAgreement) -> Iterator[Remark]:
    """Two agreements that let the same flow pass between the same parties: kinds and look-back then add up."""
    gives, takes = (ours & theirs for ours, theirs in zip(_sides(first), _sides(second), strict=True))
    if not gives or not takes or (gives == takes == gives & takes and len(gives) == 1):
        return
    for n, clause in enumerate(second.clauses):
        for m, other in enumerate(first.clauses):
            shared = [getattr(clause, key) & getattr(other, key) for key in WIDTHS[:4]]
            if all(shared):
                purposes, roles, categories, _ = (", ".join(sorted(each)) for each in shared)
                why = (
                    f"clause {n + 1} of {second.reference} and clause {m + 1} of {first.reference} both allow "
                    f"{categories} for {purposes} to {roles}; their kinds and look-back add up."
                )
                yield Remark(RemarkKind.AGREEMENTS_OVERLAP, second.file, f"clauses[{n}]", why)
