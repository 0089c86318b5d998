"""Time the drawings on invented families and events of a stated size.

For: `python -m hub bench`, which prints what this returns. It must never touch a database or a real picture.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from hub.pictures.genogram import draw_genogram
from hub.pictures.genogram_model import GenogramLink, GenogramPerson, Manner
from hub.pictures.proof import draw_proof
from hub.pictures.timeline import TimelineEvent, draw_timeline

TODAY = date(2026, 3, 4)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured drawing: what was drawn, how large the SVG became, and milliseconds per drawing."""

    name: str
    work: str
    bytes_out: int
    median_ms: float
    best_ms: float


def bench(rounds: int = 30) -> tuple[Figure, ...]:
    """Draws a family of 30, a timeline of 500 events and a proof out of a million entries, `rounds` times each."""
    people, links = family(30)
    events = happenings(500)
    siblings = [f"{number:02x}" * 32 for number in range(20)]
    return (
        measured("genogram", "30 people, 4 generations", rounds, lambda: draw_genogram(people, links)),
        measured("timeline", "500 events, 8 agencies", rounds, lambda: draw_timeline(events, today=TODAY)),
        measured(
            "proof",
            "20 hashes",
            rounds,
            lambda: draw_proof(index=123_456, size=1_000_000, leaf="ab" * 32, siblings=siblings, root="cd" * 32),
        ),
    )


def measured(name: str, work: str, rounds: int, draw: Callable[[], str]) -> Figure:
    """Times one drawing after a first, unmeasured one."""
    size = len(draw().encode("utf-8"))
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        draw()
        taken.append((time.perf_counter() - start) * 1000)
    return Figure(name, work, size, median(taken), min(taken))


def family(size: int) -> tuple[list[GenogramPerson], list[GenogramLink]]:
    """Couples with two or three children each, generation by generation, until there are `size` people."""
    people: list[GenogramPerson] = []
    links: list[GenogramLink] = []

    def add(age: int, home: str) -> str:
        key = f"p{len(people)}"
        sex = ("1", "2", None)[len(people) % 3]
        people.append(GenogramPerson(key, f"Person {len(people)} Example", sex, age, household=home, note="relative"))
        return key

    waiting = [(add(78, "h0"), 78)]
    while waiting and len(people) < size:
        parent, age = waiting.pop(0)
        partner = add(age - 2, f"h{parent}")
        links.append(GenogramLink(Manner.COUPLE if len(people) % 4 else Manner.SEPARATED, parent, partner))
        for number in range(2 + len(people) % 2):
            if len(people) == size:
                break
            child = add(max(1, age - 26 - 3 * number), f"h{parent}")
            links += [GenogramLink(Manner.BIRTH, parent, child), GenogramLink(Manner.BIRTH, partner, child)]
            if age > 28:
                waiting.append((child, age - 26))
    return people, links


def happenings(count: int) -> list[TimelineEvent]:
    """Events of ten years over eight agencies, one in eight significant; always the same ones."""
    chance = random.Random(500)  # noqa: S311 - invented work to time, nothing secret
    return [
        TimelineEvent(
            lane=f"Agency {chance.randrange(8) + 1}",
            person=f"Person {chance.randrange(6) + 1}",
            title="Something that an agency recorded",
            started=TODAY - timedelta(days=chance.randrange(3650)),
            is_period=chance.random() < 0.2,
            significant=chance.random() < 0.125,
            part=chance.choice((None, "victim", "witness")),
        )
        for _ in range(count)
    ]
