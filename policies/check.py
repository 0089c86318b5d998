"""python -m policies.check [AGREEMENTS [CASES ...]]: is what the officers wrote sound today?

For: a short list of sentences before a release and in the continuous check: files that cannot be read,
reviews and ends that are due, two bases for one thing, rules that no worked case tries, categories that no
clause covers. It must never change anything.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from policies.agreement import AgreementInvalid, SharingAgreement, gateway_register, in_force, load_agreements
from policies.case import GatewayEntry
from policies.rules import RULES
from policies.rules.sensitivity import BARRED_CATEGORIES
from policies.vocabulary import AgreementStatus, DataCategory, Purpose, StatutoryGateway
from policies.worked import load_cases

HERE = Path(__file__).parent
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


def notes(agreements: tuple[SharingAgreement, ...], today: date, tried: frozenset[str]) -> Iterator[str]:
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
    for rule in sorted(RULES.keys() - tried):
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


def rules_tried(files: Iterable[Path]) -> frozenset[str]:
    """Return the rules that worked cases expect, in TOML tables or JSON lines."""
    tried: set[str] = set()
    for path in files:
        if path.suffix == ".toml":
            tried.update(one.rule for one in load_cases(path))
        else:
            lines = path.read_text(encoding="utf-8").splitlines()
            tried.update(*[json.loads(line)["expected"]["rules"] for line in lines if line.strip()])
    return frozenset(tried)


def main(arguments: list[str], today: date) -> int:
    """Print faults and notes; the exit status is 1 when there is a fault."""
    folder = Path(arguments[0]) if arguments else HERE / "agreements"
    cases = [Path(one) for one in arguments[1:]] or sorted((HERE / "cases").glob("*.toml"))
    try:
        agreements = load_agreements(folder)
        register = gateway_register(HERE / "gateways.toml")
        tried = rules_tried(cases)
    except AgreementInvalid as error:
        sys.stdout.write(f"{error}.\n")
        return 1
    wrong = [*faults(agreements, today), *gateway_faults(agreements, register, today)]
    for sentence in wrong:
        sys.stdout.write(f"Fault: {sentence}\n")
    for sentence in notes(agreements, today, tried):
        sys.stdout.write(f"Note: {sentence}\n")
    sys.stdout.write(f"{len(agreements)} agreements read, {len(wrong)} faults.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], datetime.now(UTC).date()))
