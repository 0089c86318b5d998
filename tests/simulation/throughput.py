"""Audited disclosures a second through HTTP: the same endpoint with a record and without.

For: `python -m tests.simulation throughput`. wrk asks, when it is there, over 16 kept connections; each answer is 1 kB.
With the record: an event of the kind `disclosure:made`, sealed, signed and durable before the answer leaves.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import create_engine

import audit
from tests.simulation.kill import postgresql
from tests.simulation.serving import ask, served

CONNECTIONS = 16
_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers a second, and milliseconds."""

    a_second: float
    p99_ms: float
    max_ms: float
    failed: int


def measure(database: str, *, seconds: int, workers: int = 1) -> tuple[Rate, Rate]:
    """With a record and without, in turn on one server."""
    engine = create_engine(database)
    audit.metadata.create_all(engine)
    engine.dispose()
    with served(database, workers=workers, threads=CONNECTIONS) as port:
        _wrk(port, "/disclose", 2)
        plain = _wrk(port, "/plain", seconds)
        return _wrk(port, "/disclose", seconds), plain


def _wrk(port: int, path: str, seconds: int) -> Rate:
    found = shutil.which("wrk")
    if found is None:
        return _asked(port, path, seconds)
    command = [found, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}{path}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    rate = re.search(r"Requests/sec: +([\d.]+)", said)
    p99, most = re.search(r"99% +([\d.]+)(us|ms|s)", said), re.search(r"Latency +\S+ +\S+ +([\d.]+)(us|ms|s)", said)
    if rate is None or p99 is None or most is None:
        raise RuntimeError(said)
    return Rate(
        float(rate[1]),
        float(p99[1]) * _UNITS_MS[p99[2]],
        float(most[1]) * _UNITS_MS[most[2]],
        int(failed[1]) if failed else 0,
    )


def _asked(port: int, path: str, seconds: int) -> Rate:
    """By our own client, which is slower than the server: the figure is a lower bound."""
    taken, answers = ask(port, path, connections=CONNECTIONS, each=seconds * 25)
    ordered = sorted(taken)
    a_second = len(ordered) * CONNECTIONS / sum(ordered)
    failed = sum(status != 200 for status, _ in answers)
    return Rate(a_second, ordered[int(len(ordered) * 0.99)] * 1000, ordered[-1] * 1000, failed)


def run(seconds: int) -> Iterator[str]:
    """The figures in words."""
    if shutil.which("wrk") is None:
        yield "wrk is missing (apt-get install wrk): our own client asks, and its rate is a lower bound."
    with tempfile.TemporaryDirectory(prefix="kith-rate-") as folder:
        yield from _said("SQLite, 1 worker", *measure(f"sqlite:///{folder}/trail.sqlite", seconds=seconds))
    with postgresql() as url:
        yield from _said("PostgreSQL, 2 workers", *measure(url, seconds=seconds, workers=2))


def _said(what: str, audited: Rate, plain: Rate) -> Iterator[str]:
    yield (
        f"{what}: {audited.a_second:,.0f} audited disclosures a second [>= 1,500], "
        f"p99 {audited.p99_ms:.0f} ms [<= 30], max {audited.max_ms:.0f} ms [<= 150], {audited.failed} failed"
    )
    share = audited.a_second / plain.a_second
    yield f"  without a record {plain.a_second:,.0f} a second, so {share:.0%} of it with one  [>= 40 %]"
