"""`python -m tests.access`: the whole matrix of access - every role at every door with every thing - and its figure."""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from hub.app import create_app
from hub.assembly import open_hub
from hub.demo.setting_up import set_up
from hub.logs import set_up_logs
from hub.settings import read_settings
from policies.vocabulary import Role
from tests.access.matrix import Matrix, Report, draw, people, require_a_row_for_every_door, shares
from tests.access.world import build
from tests.conftest import Clock, House
from tests.hub.provider import Provider

#: Cases between two lines that say how far it is.
STEP = 1_000


def main() -> int:
    """Plays the cases and prints what came of them; 1 when the application and the oracle differ anywhere."""
    asked = argparse.ArgumentParser(prog="python -m tests.access", description=__doc__)
    asked.add_argument("--cases", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=20260401)
    told = asked.parse_args()
    set_up_logs("CRITICAL")
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="kith-access-") as folder:
        report = _play(Path(folder), told.cases, told.seed)
    counted = ", ".join(f"{count:,} {verdict}" for verdict, count in report.verdicts.most_common())
    print(f"{report.cases:,} cases of role x route x object: {counted}")
    print(f"{len(report.differences):,} differences from the oracle; {time.process_time() - began:,.0f} s of processor")
    return 1 if report.differences else 0


def _play(folder: Path, cases: int, seed: int) -> Report:
    demonstration = set_up(folder / "demo", now=datetime.now(UTC), base_url="http://127.0.0.1:8400")
    clock, provider = Clock(), Provider()
    hub = open_hub(read_settings(demonstration.environment), clock=clock, steady=None)
    try:
        world = build(House(hub, create_app(hub), demonstration, clock), provider, folder, small=False)
        require_a_row_for_every_door(world.gate.house.app)
        everybody = people(world, tuple(role.value for role in Role))
        report = Report()
        # Closing an enquiry is what a case changes: each circumstance closes none but in its last cases.
        for number, (circumstance, share) in enumerate(reversed(shares(cases))):
            drawn = draw(world, everybody, share if circumstance.stopped else cases - report.cases, seed + number)
            if circumstance.stopped:
                drawn = [case for case in drawn if not case.door.rule.endswith("/close")]
            matrix = Matrix(world, circumstance, report)
            for start in range(0, len(drawn), STEP):
                told = len(report.differences)
                matrix.play(drawn[start : start + STEP])
                for difference in report.differences[told:]:
                    print(difference, flush=True)
                print(f"{report.cases:,} cases, {len(report.differences)} differences", file=sys.stderr)
        return report
    finally:
        hub.close()
        provider.close()
        demonstration.stop()


if __name__ == "__main__":
    sys.exit(main())
