"""litewitness beside our own witness: the same requests, and the hub's collector asking both.

It must answer as ours does, refuse every rewritten history, and cosign one of many rivals.
"""

import concurrent.futures
import http.client
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from sqlalchemy import create_engine

import audit
from audit import Cosigners, State
from audit.checkpoint import COSIGNATURE, VerifierKey
from audit.cosignature import read_cosignatures
from audit.policy import read_policy
from audit.witness import Witness, request_body
from tests.audit.conftest import LOG_KEY, NOW, ORIGIN, SUBMITTER_KEY, disclosure, seal_for, seal_staff_for
from tests.audit.test_witness import REFUSED
from tests.audit.trees import Log, base64_lines
from tests.judges import tools
from tests.judges.tools import Missing

if TYPE_CHECKING:
    from tests.judges.__main__ import Report

PORT = 17_380
REWRITES = 100
#: The protocol gives the status only of requests that can be read; and litewitness 0.9 answers 422 to another root of
#: the same size, where the protocol says 409. Of these it is only asked that nothing is signed.
ONLY_REFUSED = {fault for fault, (status, _) in REFUSED.items() if status == 400} - {"a size from the future"}
ONLY_REFUSED |= {"another root of the same size"}
RIVALS = 64


@dataclass(frozen=True)
class Lite:
    """A running litewitness."""

    port: int
    key: VerifierKey

    def post(self, body: bytes) -> tuple[int, str, str]:
        """Status, text and content type of one add-checkpoint request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/add-checkpoint", body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.getheader("Content-Type", "")
        finally:
            connection.close()


@contextmanager
def litewitness(folder: Path, logs: list[VerifierKey]) -> Iterator[Lite]:
    """Runs it with a key of its own in an ssh-agent of its own; both end with the block."""
    program = tools.debian("torchwood", "sid", "litewitness")
    for needed in ("ssh-agent", "ssh-add", "ssh-keygen"):
        if shutil.which(needed) is None:
            raise Missing(f"{needed} is not installed, and litewitness signs by an ssh-agent")
    folder.mkdir()
    socket, database, key = folder / "agent", folder / "lite.db", folder / "key"
    tools.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    public = load_ssh_public_key((folder / "key.pub").read_bytes())
    assert isinstance(public, Ed25519PublicKey)
    fingerprint = tools.run("ssh-keygen", "-lf", key).split()[1]
    control = program.with_name("witnessctl") if program.with_name("witnessctl").exists() else "witnessctl"
    for log in logs:
        tools.run(control, "add-log", "-db", database, "-origin", log.name)
        tools.run(control, "add-key", "-db", database, "-origin", log.name, "-key", log)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], **quiet)  # type: ignore[call-overload]
    running = None
    try:
        _wait(socket.exists)
        tools.run("ssh-add", key, env={**os.environ, "SSH_AUTH_SOCK": str(socket)})
        name = "lite.example/w"
        options = ["-db", database, "-key", fingerprint, "-name", name, "-ssh-agent", socket]
        listen = ["-listen", f"127.0.0.1:{PORT}"]
        running = subprocess.Popen([str(word) for word in [program, *options, *listen]], **quiet)  # type: ignore[call-overload]
        lite = Lite(PORT, VerifierKey.of(name, public, COSIGNATURE))
        _wait(lambda: _answers(lite))
        yield lite
    finally:
        for process in (running, agent):
            if process is not None:
                process.terminate()
                process.wait(10)


def judge(report: "Report", folder: Path, rng: random.Random) -> None:
    """Everything that is asked of litewitness."""
    log = Log("refused.example/log")
    rewritten = [Log(f"rewritten-{number}.example/log") for number in range(REWRITES)]
    rivals = Log("rivals.example/log")
    hub = VerifierKey.of(ORIGIN, LOG_KEY.public_key())
    known = [log.vkey, *(one.vkey for one in rewritten), rivals.vkey, hub]
    with litewitness(folder / "lite", known) as lite:
        _same_statuses(report, folder, lite, log)
        _rewrites(report, lite, rewritten, rng)
        _rivals(report, lite, rivals)
        _collected(report, folder, lite)


def _same_statuses(report: "Report", folder: Path, lite: Lite, log: Log) -> None:
    began = time.monotonic()
    ours = Witness(folder / "ours", name="ours.example/w", logs=[log.vkey], clock=lambda: int(NOW.timestamp()))
    body = request_body(0, [], log.note(5))
    first = lite.post(body)
    expected, said = [True], [first[0] == ours.add_checkpoint(body).status == 200 and _cosigned(lite, log, 5, first)]
    for fault, (status, make) in REFUSED.items():
        # The table is written for one origin; the log of this run has another.
        request = make(log).replace(b"kith.example/county", log.vkey.name.encode())
        theirs, own = lite.post(request), ours.add_checkpoint(request)
        if fault in ONLY_REFUSED:
            same = theirs[0] >= 400 and "—" not in theirs[1]
        else:
            same = theirs[0] == own.status and (status != 409 or theirs[1:] == (own.body, own.content_type))
        if theirs[0] != own.status:
            print(f"       litewitness answers {theirs[0]} to {fault!r}, ours {own.status}", flush=True)
        expected.append(True)
        said.append(same)
    ours.close()
    report.judged("litewitness", "requests answered as ours does", expected, said, began)


def _rewrites(report: "Report", lite: Lite, logs: list[Log], rng: random.Random) -> None:
    began = time.monotonic()
    said = []
    for log in logs:
        old, grown = rng.randrange(1, 200), rng.randrange(1, 100)
        lite.post(request_body(0, [], log.note(old)))
        fork = log.forked(old + grown, at=rng.randrange(old))
        proof = base64_lines(fork.consistency(old, old + grown))
        said.append(lite.post(request_body(old, proof, fork.note(old + grown)))[0] == 200)
    report.judged("litewitness", "histories rewritten with the stolen log key", [False] * len(logs), said, began)


def _rivals(report: "Report", lite: Lite, log: Log) -> None:
    began = time.monotonic()
    lite.post(request_body(0, [], log.note(5)))
    forks = [log.forked(6, at=5, with_entry=b"rival %d" % number) for number in range(RIVALS)]
    bodies = [request_body(5, base64_lines(fork.consistency(5, 6)), fork.note(6)) for fork in forks]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = [status for status, _, _ in pool.map(lite.post, bodies)]
    report.judged(
        "litewitness", f"one of {RIVALS} rival checkpoints at once", [True], [statuses.count(200) == 1], began
    )


def _collected(report: "Report", folder: Path, lite: Lite) -> None:
    """The hub's own collector asks it about a real trail that grows."""
    began = time.monotonic()
    engine = create_engine(f"sqlite:///{folder / 'collected.sqlite'}")
    audit.metadata.create_all(engine)
    policy = read_policy(f"witness lite {lite.key} http://127.0.0.1:{lite.port}\nquorum lite\n")
    trail = audit.Trail(
        engine,
        submitter_key=SUBMITTER_KEY,
        log_key=LOG_KEY,
        origin=ORIGIN,
        seal_subject=seal_for,
        seal_staff=seal_staff_for,
        clock=lambda: NOW,
        policy=policy,
    )
    cosigners = Cosigners(engine, key=trail.verifier_key, policy=policy, clock=lambda: datetime.now(UTC), every_s=0)
    said = []
    with trail:
        for _ in range(20):
            receipts = [trail.append("disclosure:made", now=NOW, subjects=["P-1"], **disclosure()) for _ in range(3)]
            cosigners.round()
            checkpoint = trail.receipt(receipts[-1].eid).checkpoint
            said.append(policy.met(read_cosignatures(checkpoint, policy.vkeys())))
            said.append(cosigners.quorum().witnesses[0].state is State.COSIGNED)
    engine.dispose()
    report.judged("litewitness", "rounds in which the hub collected its cosignature", [True] * len(said), said, began)


def _cosigned(lite: Lite, log: Log, size: int, answer: tuple[int, str, str]) -> bool:
    return answer[0] == 200 and len(read_cosignatures(log.note(size) + answer[1], [lite.key])) == 1


def _answers(lite: Lite) -> bool:
    try:
        return lite.post(b"nothing")[0] > 0
    except OSError:
        return False


def _wait(there: object, within_s: float = 20) -> None:
    until = time.monotonic() + within_s
    while not there():  # type: ignore[operator]
        if time.monotonic() > until:
            raise Missing("litewitness or its ssh-agent did not start")
        time.sleep(0.05)
