"""The leader freezes (SIGSTOP), another worker leads, and then it wakes: does it sign anything of its own?

For: `python -m tests.simulation frozen` and, with one cycle, the tests. PostgreSQL, two workers. The wrong build never
lets go of a leader that is silent: then nobody takes over, and that must be seen.
"""

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine, text

from audit.leader import _LEADER_LOCK
from tests.simulation.kill import Survived, Worker, look, make_tables, postgresql

#: How long a deposition may take before it counts as none, in seconds: the database's limit is 3 s.
_PATIENCE_S = 30.0
_WHO_LEADS = text(
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :lock AND a.datname = current_database()"
)
_SIZE = text("SELECT max(size) FROM audit_checkpoint")


@dataclass(frozen=True, slots=True)
class Frozen:
    """What came of it. `forked`: sizes that were signed with two roots; `undeposed`: leaders that nobody replaced."""

    survived: Survived
    forked: int
    undeposed: int


def freeze(url: str, cycles: int, *, wrong: str = "", patience_s: float = _PATIENCE_S) -> Frozen:
    """Freezes whoever leads, so many times, and holds everything that was told and signed against the trail."""
    engine = create_engine(url, poolclass=NullPool)
    make_tables(engine)
    again, undeposed = [], 0
    signed: dict[int, set[str]] = {}
    with tempfile.TemporaryDirectory(prefix="kith-frozen-") as folder:
        workers = {
            name: Worker(f"{url}&application_name={name}" if "?" in url else f"{url}?application_name={name}", name,
                         Path(folder), wrong=wrong)
            for name in ("one", "two")
        }  # fmt: skip
        for worker in workers.values():
            worker.start()
            worker.hear(time.monotonic() + _PATIENCE_S, 1)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for _ in range(cycles):
                leader = _await_leader(connection, not_=None, patience_s=_PATIENCE_S)
                frozen = workers[str(leader)]
                other = next(worker for worker in workers.values() if worker is not frozen)
                os.kill(frozen.process.pid, signal.SIGSTOP)
                begun = time.monotonic()
                try:
                    if _await_leader(connection, not_=leader, patience_s=patience_s) is None:
                        undeposed += 1
                        continue
                    before = connection.scalar(_SIZE)
                    while connection.scalar(_SIZE) == before:
                        other.hear(time.monotonic() + 0.05, 1)
                    again.append(time.monotonic() - begun)
                    _note(connection, signed)
                finally:
                    os.kill(frozen.process.pid, signal.SIGCONT)
                # The one that wakes finds its connection gone, and works on as one of those who hand in.
                for worker in workers.values():
                    worker.hear(time.monotonic() + _PATIENCE_S, 10)
                _note(connection, signed)
        for worker in workers.values():
            worker.kill()
        survived = look(url, [worker.told for worker in workers.values()], cycles, again or [patience_s])
    engine.dispose()
    return Frozen(survived, sum(len(roots) > 1 for roots in signed.values()), undeposed)


def _await_leader(connection: Connection, *, not_: str | None, patience_s: float) -> str | None:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        leader: str | None = connection.scalar(_WHO_LEADS, {"lock": _LEADER_LOCK})
        if leader not in (None, not_):
            return leader
        time.sleep(0.02)
    return None


def _note(connection: Connection, signed: dict[int, set[str]]) -> None:
    """Remember every head that was ever seen: one that is replaced by another of its size is a fork."""
    for size, note in connection.execute(text("SELECT size, note FROM audit_checkpoint")):
        signed.setdefault(size, set()).add(note.split("\n")[2])


def run(cycles: int) -> Iterator[str]:
    """The figures in words."""
    with postgresql() as url:
        found = freeze(url, cycles)
    waits = sorted(found.survived.again_s)
    yield (
        f"frozen leader: {cycles} times stopped, deposed and woken; {found.survived.acknowledged:,} acknowledged,"
        f" {found.survived.missing} missing, {found.survived.changed} changed, {found.forked} sizes signed twice  [0];"
        f" another leads after {statistics.median(waits):.1f} s median, {waits[-1]:.1f} s at most"
    )
    with postgresql() as url:
        caught = freeze(url, 1, wrong="undeposed", patience_s=8.0)
    yield f"  wrong build 'undeposed': {'caught' if caught.undeposed else 'NOT CAUGHT'}, nobody took over within 8 s"
