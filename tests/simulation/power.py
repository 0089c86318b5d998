"""Power loss, replayed from a trace: what the disk may hold at any moment, and what a hub finds when it starts on it.

For: `python -m tests.simulation power` and, with few states, the tests. A write is on the disk for sure once a sync of
its file that began after it has ended; before that any part of it may be, in sectors of 512 bytes. A new file is there
for sure once its folder is synced. The control without syncs must lose something, or the replay proves nothing.
"""

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import NullPool, create_engine

import audit
from tests.simulation import trace
from tests.simulation.nursery import unopened

ROOT = Path(__file__).parent.parent.parent
SECTOR = 512
_DATABASE = "trail.sqlite"


@dataclass
class _File:
    """A file as the disk holds it for sure, and what may or may not have got there."""

    sure: bytearray
    pending: list[trace.Happened] = field(default_factory=list)
    named_for_sure: bool = True


@dataclass(frozen=True, slots=True)
class Lost:
    """What came of the states."""

    states: int
    acknowledged: int
    states_with_loss: int
    unopenable: int


def record(folder: Path, receipts: int, *, wrong: str = "") -> tuple[dict[str, bytes], list[trace.Happened]]:
    """Lets a writer live under strace until it has told so many receipts. Returns: the files before, and its calls.

    Raises trace.StraceMissing.
    """
    live, seen = folder / "live", folder / "trace"
    live.mkdir()
    engine = create_engine(f"sqlite:///{live}/{_DATABASE}", poolclass=NullPool)
    audit.metadata.create_all(engine)
    engine.dispose()
    before = {path.name: path.read_bytes() for path in live.iterdir()}
    command = [*trace.strace(seen), sys.executable, "-W", "ignore", "-m", "tests.simulation.nursery"]
    told = 0
    with subprocess.Popen(
        [*command, f"sqlite:///{live}/{_DATABASE}", "only"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "WRONG": wrong},
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told += line.count(b" ")
            if told >= receipts:
                break
        os.killpg(process.pid, 9)
    calls = [one for one in trace.read(seen) if one.path.startswith(str(live)) or one.path == "<standard output>"]
    return before, calls


def replay(before: dict[str, bytes], calls: list[trace.Happened], *, states: int, seed: int) -> Lost:
    """Stops the trace at moments drawn by lot, keeps what is sure and a part of the rest, and starts a trail on it."""
    lot = random.Random(seed)
    moments = sorted(lot.randrange(1, len(calls) + 1) for _ in range(states))
    files = {name: _File(bytearray(content)) for name, content in before.items()}
    acknowledged: list[str] = []
    done = loss = unopenable = 0
    with tempfile.TemporaryDirectory(prefix="kith-power-") as folder:
        for moment in moments:
            for happened in calls[done:moment]:
                _apply(files, acknowledged, happened)
            done = moment
            place = Path(folder) / "state"
            place.mkdir(exist_ok=True)
            for old in place.iterdir():
                old.unlink()
            _write_state(files, place, lot)
            found = _start_on(place)
            unopenable += found is None
            loss += found is not None and not found.issuperset(acknowledged)
    return Lost(states, len(acknowledged), loss, unopenable)


def _apply(files: dict[str, _File], acknowledged: list[str], happened: trace.Happened) -> None:
    name = Path(happened.path).name
    if happened.path == "<standard output>":
        acknowledged += [line.split()[0] for line in happened.data.decode().splitlines() if " " in line]
    elif happened.call == "create":
        files.setdefault(name, _File(bytearray(), named_for_sure=False))
    elif happened.call in ("fsync", "fdatasync"):
        if name not in files:  # The folder itself: every name in it is sure now.
            for one in files.values():
                one.named_for_sure = True
            return
        file = files[name]
        for write in [write for write in file.pending if write.ended < happened.begun]:
            _put(file.sure, write, range(len(write.data) // SECTOR + 2))
        file.pending = [write for write in file.pending if write.ended >= happened.begun]
    elif happened.call in ("pwrite64", "ftruncate") and name in files:
        files[name].pending.append(happened)


def _put(content: bytearray, write: trace.Happened, sectors: "range | set[int]") -> None:
    """Those sectors of a write, counted from its first."""
    if write.call == "ftruncate":
        del content[write.at :]
        return
    first = write.at // SECTOR
    for number in sectors:
        begin = max(write.at, (first + number) * SECTOR)
        end = min(write.at + len(write.data), (first + number + 1) * SECTOR)
        if begin < end:
            if len(content) < end:
                content.extend(bytes(end - len(content)))
            content[begin:end] = write.data[begin - write.at : end - write.at]


def _write_state(files: dict[str, _File], place: Path, lot: random.Random) -> None:
    """What the disk may hold: of what is not sure, everything, nothing, whole writes or torn ones."""
    for name, file in files.items():
        if name.endswith("-shm") or (not file.named_for_sure and lot.random() < 0.5):
            continue  # The index in shared memory is made anew; a name that is not sure may be missing.
        content = bytearray(file.sure)
        manner = lot.choice(("all", "none", "some", "torn"))
        for write in file.pending:
            if manner == "none" or (manner == "some" and lot.random() < 0.5):
                continue
            whole = range(len(write.data) // SECTOR + 2)
            torn = {number for number in whole if lot.random() < 0.5}
            _put(content, write, torn if manner == "torn" else whole)
        (place / name).write_bytes(bytes(content))


def _start_on(place: Path) -> set[str] | None:
    """The ids that a hub finds, after it has derived the tree again; None when it cannot start at all."""
    engine = create_engine(f"sqlite:///{place}/{_DATABASE}", poolclass=NullPool)
    trail = unopened(engine, "only")
    try:
        trail.start()
        return {entry.eid for entry in trail.events()}
    except audit.AuditError:
        return None
    finally:
        trail.close()


def run(states: int, seed: int) -> Iterator[str]:
    """The figures in words."""
    for wrong, what in (("", "power loss"), ("unsynced", "  control without syncs (synchronous=NORMAL)")):
        with tempfile.TemporaryDirectory(prefix="kith-trace-") as folder:
            before, calls = record(Path(folder), 120, wrong=wrong)
            lost = replay(before, calls, states=states if not wrong else min(states, 300), seed=seed)
        bar = "[0 and 0]" if not wrong else "[must lose]"
        yield (
            f"{what}: {lost.states:,} crash states over {lost.acknowledged} acknowledged receipts: "
            f"{lost.states_with_loss} states lost one, {lost.unopenable} did not open  {bar}"
        )
