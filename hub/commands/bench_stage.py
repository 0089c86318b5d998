"""What the measurements share: a demonstration hub to measure on, and one way to take and print a figure."""

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from hub.assembly import Hub, calm_collector, open_hub, utc_now
from hub.context import RequestContext
from hub.demo.setting_up import persona_context, set_up
from hub.demo.stories import STORIES
from hub.settings import read_settings

#: Runs that are thrown away first, and runs that count.
WARM_UP, RUNS = 5, 100
Clock = Callable[[], float]


def say(what: str, size: str, seconds: list[float], target: str = "") -> None:
    """Prints one line: what, how long, how often, with the size of the work and the target."""
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    click.echo(
        f"{what:34} p50 {statistics.median(ordered) * 1000:8.2f} ms  p95 {p95 * 1000:8.2f} ms  "
        f"max {ordered[-1] * 1000:8.2f} ms  n={len(ordered)}  {size}" + (f"  [{target}]" if target else "")
    )


def timed(work: Callable[[], object], runs: int = RUNS, clock: Clock = time.perf_counter) -> list[float]:
    """Seconds of each run, by the wall clock unless another is handed in."""
    for _ in range(WARM_UP):
        work()
    taken = []
    for _ in range(runs):
        start = clock()
        work()
        taken.append(clock() - start)
    return taken


@contextmanager
def demonstration() -> Iterator[Hub]:
    """A demonstration hub of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
        ready = set_up(Path(folder) / "demo", now=utc_now(), base_url="http://127.0.0.1:8400")
        hub = open_hub(read_settings(ready.environment))
        calm_collector()
        try:
            yield hub
        finally:
            hub.close()
            ready.stop()


def fresh(story: str, hub: Hub) -> RequestContext:
    """A new request of the person whose story it is."""
    return persona_context(STORIES[story].persona, now=hub.clock(), request_id=secrets.token_hex(16))
