"""A million entries: how long the independent verifier, an inclusion proof and the start of a trail take.

For: `python -m tests.simulation scale` and, at a small size, the tests. The entries are what the writer would store,
put into the tables in large groups; nothing else is left out.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

import audit
from audit.checkpoint import VerifierKey
from audit.entry import Sealed, Submitter, seal
from audit.events import build
from audit.growth import Tree
from audit.placing import pending
from audit.store import LOG, SUBMITTER, Store, read_peaks
from audit.tiles import export

ORIGIN = "kith.example/county"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"L" * 32)
SUBMITTER_KEY = Ed25519PrivateKey.from_private_bytes(b"S" * 32)
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
_GROUP = 5000
_USER = {"issuer": "https://idp.example/", "subject": "u-7f3a", "role": "MASH_SOCIAL_WORKER", "agency": "CSC"}


@dataclass(frozen=True, slots=True)
class Scaled:
    """Seconds of processor time, milliseconds, and the most memory in MB."""

    entries: int
    verify_s: float
    verify_mb: float
    proof_ms: float
    start_s: float
    ready_s: float
    verdict: str


def seal_nothing(_event: audit.Event, _person: object, _plaintext: bytes) -> bytes:
    """A capsule's worth of bytes."""
    return b"\x02" * 140


def open_trail(url: str) -> audit.Trail:
    """A trail that is not started yet."""
    return audit.Trail(
        create_engine(url),
        submitter_key=SUBMITTER_KEY,
        log_key=LOG_KEY,
        origin=ORIGIN,
        seal_subject=seal_nothing,
        seal_staff=seal_nothing,
        clock=lambda: NOW,
    )


def fill(url: str, entries: int) -> None:
    """Effects: a trail with this many disclosures after its key leaf."""
    engine = create_engine(url)
    audit.metadata.create_all(engine)
    with open_trail(url) as trail:
        key = trail.verifier_key
    store, submitter = Store(engine, wait_s=60.0), Submitter.of(SUBMITTER_KEY)
    for role, name, public in ((SUBMITTER, "", submitter.public), (LOG, ORIGIN, key.public)):
        store.enrol(role, name, public, 0)
    tree = Tree(store, log_key=LOG_KEY, verifier_key=key, clock=lambda: NOW, remember=lambda note: None)
    connection = store.connect()
    # The tree of one key leaf is followed as a leader would follow what another placed.
    store.begin_alone(connection)
    tree.begin_at(read_peaks(connection, 1))
    connection.rollback()
    for group in _groups(entries):
        store.begin_alone(connection)
        tree.follow(connection)
        tree.grow(connection, [pending(_disclosure(submitter)) for _ in range(group)])
        tree.commit(connection)
    connection.close()
    engine.dispose()
    Path(f"{engine.url.database}-audit-head").unlink(missing_ok=True)


def measure(url: str, folder: Path) -> Scaled:
    """Export, verify in a process of its own, prove and start."""
    engine = create_engine(url)
    entries = export(engine, folder)
    key = str(VerifierKey.of(ORIGIN, LOG_KEY.public_key()))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    verifier = Path(audit.__file__).parent / "verify.py"
    said = subprocess.run(
        [sys.executable, str(verifier), str(folder), "--key", key], capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    verify_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    trail = open_trail(url)
    begun, wall = time.process_time(), time.perf_counter()
    trail.start()
    start_s, ready_s = time.process_time() - begun, time.perf_counter() - wall
    eids = [next(trail.events(at)).eid for at in range(1, entries, max(1, entries // 200))]
    taken = []
    for eid in eids:
        begun = time.perf_counter()
        trail.receipt(eid)
        taken.append(time.perf_counter() - begun)
    trail.close()
    engine.dispose()
    return Scaled(
        entries, verify_s, after.ru_maxrss / 1024, statistics.median(taken) * 1000, start_s, ready_s,
        said.stdout.strip().splitlines()[-1],
    )  # fmt: skip


def run(entries: int) -> Iterator[str]:
    """The figures in words."""
    with tempfile.TemporaryDirectory(prefix="kith-scale-") as folder:
        url = f"sqlite:///{folder}/trail.sqlite"
        fill(url, entries)
        found = measure(url, Path(folder) / "export")
    yield f"{found.entries:,} entries: {found.verdict}"
    verifier = f"{found.verify_s:6.1f} s of processor time, {found.verify_mb:.0f} MB"
    yield f"  independent verifier   {verifier}  [<= 10 s, <= 200 MB]"
    yield f"  inclusion proof        {found.proof_ms:6.2f} ms, median of 200  [<= 5 ms]"
    yield f"  start of the trail     {found.start_s:6.1f} s of processor time, {found.ready_s:.1f} s until it writes"


def _groups(entries: int) -> Iterator[int]:
    while entries > 0:
        yield min(entries, _GROUP)
        entries -= _GROUP


def _disclosure(submitter: Submitter) -> Sealed:
    fields = {
        "user": _USER,
        "purpose": "S47_ENQUIRY",
        "basis": {"article6": ["6_1_e"], "gateway": ["CA1989_S47"]},
        "source": ["POL", "HOU"],
        "recipient": "CSC",
        "decision": {"bundle": "sha256:" + "0" * 64, "rules": ["P01", "P03"]},
        "data": [{"agency": "HOU", "category": "HOUSING", "fields": ["tenancy_status"], "count": 1, "subject": 0}],
        "answers": [{"agency": "HOU", "state": "FOUND"}, {"agency": "POL", "state": "NO_ANSWER"}],
    }
    return seal(
        build("disclosure:made", now=NOW, subjects=1, fields=fields), ["P-1"], seal_nothing, seal_nothing, submitter
    )
