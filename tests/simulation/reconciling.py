"""Two partners count the questions that reach them; the trail must account for each, and for nothing else.

For: `python -m tests.simulation reconciling` and, with few questions, the tests. Faults on the way: questions that are
lost, repeated, unanswered, and a hub that dies between asking and writing the outcome. The partners' files are held
against the trail by `python -m audit reconcile`. Wrong builds that must be caught: a worker that asks without a record,
an outcome that leaves somebody out, and a trail that says more than the partner saw.
"""

import contextlib
import io
import random
import re
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine

import audit
from audit.__main__ import main
from audit.entry import Submitter, sign_leaf
from audit.promise import Promised, sign_promise
from tests.simulation.nursery import key_of, unopened
from tests.simulation.site import SAID

PARTNERS = ("HOU", "POL")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
_THREADS = 8
_INTENT = {name: SAID[name] for name in ("user", "purpose", "basis", "recipient", "decision")}


@dataclass
class Counter:
    """What one partner kept, and what must come of it."""

    lines: list[str] = field(default_factory=list)
    recorded: int = 0
    orphans: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """What the command said of one partner's file, beside what is known."""

    seen: int
    recorded: int
    orphans: int
    exact: bool
    as_known: bool


def compare(questions: int, seed: int, *, wrong: str = "") -> dict[str, Compared]:
    """Asks so many questions about one to four people at a time; returns what came of it by partner."""
    with tempfile.TemporaryDirectory(prefix="kith-count-") as folder:
        url = f"sqlite:///{folder}/trail.sqlite"
        engine = create_engine(url)
        audit.metadata.create_all(engine)
        counters = {partner: Counter() for partner in PARTNERS}
        lock = threading.Lock()
        # Time is no part of this proof, and a busy machine may take long to sync.
        with unopened(engine, "asking", max_wait_s=60.0) as trail, ThreadPoolExecutor(_THREADS) as crowd:
            per_thread = -(-questions // (_THREADS * len(PARTNERS)))
            list(
                crowd.map(
                    lambda number: _ask(trail, per_thread, random.Random(seed * 100 + number), counters, lock, wrong),
                    range(_THREADS),
                )
            )
            if wrong == "unrecorded":
                counters["HOU"].lines.append(_unrecorded(trail))
        engine.dispose()
        if wrong == "uncounted":
            counters["POL"].lines = counters["POL"].lines[: len(counters["POL"].lines) // 2]
        return {partner: _held(url, Path(folder), partner, counters[partner]) for partner in PARTNERS}


def _ask(
    trail: audit.Trail, least: int, lot: random.Random, counters: dict[str, Counter], lock: threading.Lock, wrong: str
) -> None:
    asked = 0
    while asked < least:
        people = [f"PE-{lot.randrange(1000)}" for _ in range(lot.randint(1, 4))]
        asked += len(people)
        intent = trail.append("disclosure:requested", now=NOW, subjects=people, source=list(PARTNERS), **_INTENT)
        dies = lot.random() < 0.02
        answers = []
        for partner in PARTNERS:
            for subject in range(len(people)):
                promise = trail.promise(intent, agency=partner, subject=subject, now=NOW)
                lost = lot.random() < 0.1
                with lock:
                    counters[partner].lines += [] if lost else [promise] * lot.choice((1, 1, 1, 2, 3))
                    counters[partner].recorded += not lost and not dies
                    counters[partner].orphans += not lost and dies
                state = "NO_ANSWER" if lost else lot.choice(("FOUND", "NOTHING_HELD", "NO_ANSWER"))
                answers.append({"agency": partner, "state": state, "subject": subject})
        if wrong == "left-out":
            answers = answers[1:]
        if not dies:
            outcome = {**SAID, "answers": answers, "refers": [intent.eid]}
            trail.append("disclosure:made", now=NOW, subjects=people, **outcome)


def _unrecorded(trail: audit.Trail) -> str:
    """The promise of a worker that asks and writes nothing."""
    submitter = Submitter.of(key_of("asking"))
    leaf = sign_leaf(b"{}", submitter)
    promised = Promised("ab" * 16, 0, "HOU", int(NOW.timestamp() * 1000), leaf)
    return sign_promise(promised, trail.verifier_key.name, submitter)


def _held(url: str, folder: Path, partner: str, counter: Counter) -> Compared:
    kept = folder / f"{partner}.txt"
    kept.write_text("\n".join(counter.lines) + "\n")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = main(["reconcile", str(kept), "--agency", partner, "--database", url])
    numbers = [int(number) for number in re.findall(r"\d+", said.getvalue().splitlines()[0].replace(partner, ""))]
    seen, recorded, orphans = numbers[:3]
    as_known = (recorded, orphans, seen) == (counter.recorded, counter.orphans, counter.recorded + counter.orphans)
    return Compared(seen, recorded, orphans, code == 0, as_known)


def run(questions: int, seed: int) -> Iterator[str]:
    """The figures in words."""
    for partner, found in compare(questions, seed).items():
        exact = "exactly" if found.exact and found.as_known else "NOT EXACTLY"
        yield (
            f"reconciled with {partner}: {found.seen:,} questions counted = {found.recorded:,} outcomes + "
            f"{found.orphans} listed orphans, {exact}  [exactly]"
        )
    for wrong in ("unrecorded", "left-out", "uncounted"):
        exact = all(found.exact for found in compare(min(questions, 200), seed, wrong=wrong).values())
        yield f"  wrong build {wrong!r}: {'NOT CAUGHT' if exact else 'caught'}"
