"""Is what the officers wrote sound today? Each finding is a sentence.

For: a short list before a release, in the continuous check and on the operator's screen: reviews and ends that are
due, two bases for one thing, rules that no worked case tries, categories that no clause covers. It must never change
anything.
"""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

from policies.agreement import SharingAgreement, in_force
from policies.case import GatewayEntry
from policies.rules import RULES
from policies.rules.sensitivity import BARRED_CATEGORIES
from policies.vocabulary import AgreementStatus, DataCategory, Purpose, StatutoryGateway

SOON = timedelta(days=90)
#: A version that stood in force and does so no longer.
STOPPED = frozenset(
    {AgreementStatus.UNDER_REVIEW, AgreementStatus.SUSPENDED, AgreementStatus.EXPIRED, AgreementStatus.TERMINATED}
)
#: Categories that never need a clause: barred for everybody, or the hub's own audit.
NEEDS_NO_CLAUSE = BARRED_CATEGORIES | {DataCategory.AUDIT_METADATA}


def faults(agreements: tuple[SharingAgreement, ...], today: date) -> Iterator[str]:
    """Yield what makes a decision fail or drift: overdue reviews, ends, missing signatures, double bases."""
    for one in agreements:
        name = f"{one.file}: {one.reference} version {one.version}"
        if one.started(today) and one.expires_on is not None and one.expires_on < today:
            yield f"{name} ended on {one.expires_on}."
        elif one.started(today) and one.review < today:
            yield f"{name} was due for review on {one.review}."
        for party in one.parties:
            if one.started(today) and party.status != "SIGNED":
                yield f"{name}: {party.agency} has not signed (status {party.status})."
    claimed: dict[tuple[str, Purpose], str] = {}
    for one in in_force(agreements, today):
        for newer in agreements:
            if newer.reference == one.reference and newer.version > one.version and newer.status in STOPPED:
                yield (
                    f"{newer.file}: version {newer.version} of {one.reference} is {newer.status}, "
                    f"so version {one.version} is in force again; stop that one as well."
                )
        for claim in one.bases:
            for agency in sorted(claim.agencies):
                for purpose in sorted(claim.purposes):
                    first = claimed.setdefault((agency, purpose), one.reference)
                    if first != one.reference:
                        yield f"{one.file}: {agency} claims a basis for {purpose} in {first} already; that one counts."


def notes(
    agreements: tuple[SharingAgreement, ...], today: date, tried: Collection[str] = frozenset(RULES)
) -> Iterator[str]:
    """Yield what deserves a look: what ends soon, what no clause covers, what no worked case tries."""
    for one in in_force(agreements, today):
        if one.expires_on is not None and one.expires_on - today < SOON:
            yield f"{one.file}: {one.reference} ends on {one.expires_on}."
        if timedelta(0) <= one.review - today < SOON:
            yield f"{one.file}: {one.reference} is due for review by {one.review}."
    covered = {kind for one in in_force(agreements, today) for clause in one.clauses for kind in clause.categories}
    bare = [category for category in DataCategory if category not in covered | NEEDS_NO_CLAUSE]
    if bare:
        yield f"No clause in force covers {', '.join(bare)}: partners are refused these."
    for rule in sorted(RULES.keys() - set(tried)):
        yield f"No worked case tries {rule} {RULES[rule].title}."


def gateway_faults(
    agreements: tuple[SharingAgreement, ...], register: tuple[GatewayEntry, ...], today: date
) -> Iterator[str]:
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
            yield f"{one.file}: {code} is claimed but not in force in the register."
