"""`python -m tests.simulation [NAME]`: the trail under faults and under load, each with its figure.

For: whoever wants to know whether the trail keeps its word on their machine. Every line says the size of the work, and
the bar in brackets. The whole takes about half an hour on two calm cores.
"""

import argparse
import sys
from collections.abc import Callable, Iterator

from tests.simulation import erasing, failing, flips, frozen, kill, order, power, reconciling, scale, throughput
from tests.simulation.trace import StraceMissing


def main() -> int:
    """Prints the figures; 1 when something could not be proved because a program is missing."""
    asked = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    asked.add_argument("name", nargs="?", help="one of them, such as kill; otherwise all")
    asked.add_argument(
        "--count", type=int, help="cycles, states, answers, flips, people, questions, entries or seconds"
    )
    asked.add_argument("--seed", type=int, default=20261125)
    told = asked.parse_args()
    proofs: dict[str, tuple[int, Callable[[int], Iterator[str]]]] = {
        "failing": (0, lambda _count: failing.run()),
        "kill": (200, lambda count: kill.run(count, told.seed)),
        "frozen": (20, frozen.run),
        "power": (10_000, lambda count: power.run(count, told.seed)),
        "order": (1000, order.run),
        "flips": (3000, lambda count: flips.run(count, told.seed)),
        "erasing": (100, erasing.run),
        "reconciling": (10_000, lambda count: reconciling.run(count, told.seed)),
        "scale": (1_000_000, scale.run),
        "throughput": (10, throughput.run),
    }
    if told.name is not None and told.name not in proofs:
        asked.error(f"there is no such proof; there are: {', '.join(proofs)}")
    skipped = 0
    for name, (usual, run) in proofs.items():
        if told.name in (None, name):
            try:
                for line in run(told.count or usual):
                    print(line, flush=True)
            except StraceMissing as missing:
                skipped += 1
                print(f"{name}: SKIPPED. {missing}", flush=True)
    return 1 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
