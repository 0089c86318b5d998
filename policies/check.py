"""python -m policies.check [AGREEMENTS [CASES ...]]: is what the officers wrote sound today?

For: the sentences of `soundness` on the terminal, before a release and in the continuous check; files that cannot be
read are named. It must never change anything.
"""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from policies.agreement import AgreementInvalid, gateway_register, load_agreements
from policies.soundness import faults, gateway_faults, notes
from policies.worked import load_cases

HERE = Path(__file__).parent


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
