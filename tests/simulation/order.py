"""Durable before release, looked at from outside: does any answer leave before its record is on the disk?

For: `python -m tests.simulation order` and, with few answers, the tests. strace watches the server; the checker knows
nothing of its code, only that an event's id must be in the write-ahead log, and that log be synced, before the id is
sent. Two wrong builds must be flagged.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine

import audit
from tests.simulation import trace
from tests.simulation.serving import ask, served

_SENT = ("sendto", "sendmsg", "write", "writev")
_EID = re.compile(rb"\r\n\r\n([0-9a-f]{32}) |^([0-9a-f]{32}) ")


@dataclass(frozen=True, slots=True)
class Watched:
    """How many answers left, and how many of them before their record was on the disk."""

    answers: int
    early: int


def watch(answers: int, *, wrong: str = "", connections: int = 4) -> Watched:
    """Serves under strace, asks, and judges the trace. Raises trace.StraceMissing."""
    with tempfile.TemporaryDirectory(prefix="kith-order-") as folder:
        url, seen = f"sqlite:///{folder}/trail.sqlite", Path(folder) / "trace"
        engine = create_engine(url)
        audit.metadata.create_all(engine)
        engine.dispose()
        with served(url, wrong=wrong, before=trace.strace(seen), threads=connections) as port:
            ask(port, "/disclose", connections=connections, each=answers // connections)
        return judge(seen)


def judge(seen: Path) -> Watched:
    """Each answer's id must be in what was written to the log and synced before the answer began to leave."""
    synced: dict[bytes, int] = {}
    written: list[tuple[int, set[bytes]]] = []
    answers = early = 0
    for happened in trace.read(seen):
        if happened.path.endswith("-wal"):
            if happened.call == "pwrite64":
                written.append((happened.ended, set(re.findall(rb"[0-9a-f]{32}", happened.data))))
            elif happened.call in ("fsync", "fdatasync"):
                # Only what was written before the sync began is on the disk when it has ended.
                for ended, ids in written:
                    if ended < happened.begun:
                        synced |= {one: synced.get(one, happened.ended) for one in ids}
                written = [(ended, ids) for ended, ids in written if ended >= happened.begun]
        elif happened.call in _SENT and (found := _EID.search(happened.data)) and b"CANARY" in happened.data:
            answers += 1
            early += synced.get(found[1] or found[2], happened.begun) >= happened.begun
    return Watched(answers, early)


def run(answers: int) -> Iterator[str]:
    """The figures in words."""
    right = watch(answers)
    yield f"durable before release: {right.answers:,} answers, {right.early} before their record was synced  [0]"
    for wrong in ("early", "unsynced"):
        caught = watch(min(answers, 100), wrong=wrong)
        verdict = "flagged" if caught.early else "NOT FLAGGED"
        yield f"  wrong build {wrong!r}: {verdict}, {caught.early} of {caught.answers} answers too early"
