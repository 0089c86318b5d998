"""`python -m hub bench linking | index [--people N]`: what finding the same person costs, and how it grows.

For: the figures of matching at the size of a county and of a region, on invented people. Each runs in a process of
its own, so that the memory printed is its own. Search goes through an index in an SQLite file, keys and seals as in
production; it is told in processor time, because the clock also measures what else the machine does.
"""

import os
import random
import resource
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from secrets import token_bytes

import click
from sqlalchemy import String, cast, update

from connectors import NHS_NUMBER, Address, Identifier, Name, PartialDate, Person, SourceRecord
from hub.assembly import utc_now
from hub.db import Database, make_engine
from hub.keys import KeyRing
from hub.migrations import upgrade
from hub.people import candidates, parse_box, refresh, relink, tables
from hub.people.matching.batch import link as link_all
from hub.people.matching.normalise import prepare

#: Records per agency of the two agencies that are linked, and sizes of the index that is searched.
LINKED, SIZES = 25_000, (100_000, 1_000_000)
#: Above this the records are not linked for the bench, which would take an hour: each is a person of its own.
LINKED_UP_TO = 100_000
#: People asked for, in each of three ways, at each size.
ASKED = 200
#: Records that are stored in one transaction.
_DROP = 10_000
AGENCIES = ("csc", "asc", "gp", "hv", "housing", "police", "sms")
_CONSONANTS, _VOWELS = "bcdfghjklmnprstvw", "aeiou"


def bench_linking() -> None:
    """Prints seconds and memory of linking two agencies' files on two cores, and what was right."""
    with _alone() as process:
        right, wrong, seconds, processor, megabytes = process.submit(_linked).result()
    click.echo(
        f"{'linking two agencies':34} {seconds:8.1f} s  processor {processor:6.1f} s  {megabytes:5.0f} MB in all  "
        f"{LINKED:,} x {LINKED:,} records, {right:,} right, {wrong:,} wrong  "
        "[<= 10 s on two cores, <= 500 MB]"
    )


def _alone() -> ProcessPoolExecutor:
    """A process of its own, which may start helpers."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def bench_index() -> None:
    """Prints what loading an index costs at both sizes, and how much longer a search takes in the larger."""
    found: list[dict[str, float]] = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder, _alone() as process:
            loaded, before, linked, megabytes, on_disk, asked = process.submit(_searched, folder, size).result()
        click.echo(
            f"{'index: load':34} processor {loaded:8.1f} s  highest memory {before:6.0f} MB  "
            f"{size:,} records of {len(AGENCIES)} agencies, {size / loaded:,.0f} a second\n"
            f"{_treated(size):34} processor {linked:8.1f} s  highest memory {megabytes:6.0f} MB  "
            f"{on_disk / 2**20:6.0f} MB on disk  {size:,} records of {len(AGENCIES)} agencies"
        )
        found.append({})
        for what, taken in asked.items():
            ordered = sorted(taken)
            p95 = found[-1][what] = ordered[round(0.95 * len(ordered)) - 1]
            click.echo(
                f"{'look-up: ' + what:34} p50 {statistics.median(ordered) * 1000:7.2f} ms  p95 {p95 * 1000:7.2f} ms  "
                f"n={len(taken)}  {size:,} records  [p95 <= 30 ms]"
            )
    for what, small in found[0].items():
        click.echo(f"{'growth: ' + what:34} {found[-1][what] / small:8.2f} x  for ten times the records  [<= 1.5 x]")


def _treated(size: int) -> str:
    return "index: link for the first time" if size <= LINKED_UP_TO else "index: not linked, all apart"


def people_of(count: int, *, seed: int = 11, agencies: Sequence[str] = AGENCIES) -> Iterator[SourceRecord]:
    """Records of invented people, each person at one to three of the agencies, some with a slip; the same every time.

    Names are made of syllables, as many more of them as there are people in a region, and as uneven as real ones.
    """
    chance = random.Random(seed)
    made = 0
    person = 0
    while made < count:
        person += 1
        given, family = _name(chance, 2, 700), _name(chance, 3, 30_000)
        born = date(1940, 1, 1) + timedelta(days=chance.randrange(31_000))
        sex = chance.choice("12")
        home = Address(line1=f"{chance.randrange(1, 200)} {_name(chance, 2, 4000)} Road", postcode=_postcode(chance))
        for agency in sorted(chance.sample(agencies, min(len(agencies), chance.choice((1, 1, 2, 2, 3))))):
            if made == count:
                break
            made += 1
            yield _recorded(chance, agency, person, given, family, born, sex, home)


def _recorded(
    chance: random.Random, agency: str, person: int, given: str, family: str, born: date, sex: str, home: Address
) -> SourceRecord:
    """What one agency wrote: one in ten has a slip, one in three no NHS number."""
    slip = chance.random()
    if slip < 0.04:
        given = given[:-1] + chance.choice(_VOWELS)
    elif slip < 0.07:
        family = family[1:] + family[0]
    elif slip < 0.1:
        born = born + timedelta(days=10)
    numbers = (Identifier(_nhs_number(person), NHS_NUMBER),) if chance.random() < 0.67 else ()
    about = Person(
        identifiers=numbers,
        names=(Name((family.title(),), (given.title(),)),),
        date_of_birth=PartialDate(born),
        sex_code=sex,
        addresses=(home,),
    )
    return SourceRecord(agency, f"{agency}-{person}", about)


def _name(chance: random.Random, syllables: int, most: int) -> str:
    """The frequent ones very frequent, the rare ones rare."""
    number = min(int(chance.expovariate(6 / most)), most - 1)
    spelt = random.Random(number * 31 + syllables)
    return "".join(spelt.choice(_CONSONANTS) + spelt.choice(_VOWELS) for _ in range(syllables)) + spelt.choice("nrslt")


def _postcode(chance: random.Random) -> str:
    inward = f"{chance.randrange(1, 10)}{chance.choice('ABDEFGH')}{chance.choice('JLNPQRS')}"
    return f"{chance.choice(('TH', 'QX', 'ZY'))}{chance.randrange(1, 40)} {inward}"


def _nhs_number(person: int) -> str:
    """The invented person's number; 999 and nine million more are enough for every size."""
    digits = f"{999_000_000 - person:09}"
    check = 11 - sum(int(d) * weight for d, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
    return digits + str(check % 11) if check != 10 else _nhs_number(person + 50_000_000)


def _linked() -> tuple[int, int, float, float, float]:
    prepared = [prepare(r) for r in people_of(4 * LINKED, seed=3, agencies=("csc", "gp"))]
    prepared = [r for agency in ("csc", "gp") for r in [r for r in prepared if r.agency == agency][:LINKED]]
    stop = threading.Event()
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(stop, peak))
    watcher.start()
    began, worked = time.perf_counter(), _processor()
    clusters, _ = link_all(prepared, cores=2)
    seconds, processor = time.perf_counter() - began, _processor() - worked
    stop.set()
    watcher.join()
    auto = [x for x in clusters.links if x.outcome == "auto"]
    right = sum(_who(prepared[x.first].record) == _who(prepared[x.second].record) for x in auto)
    return right, len(auto) - right, seconds, processor, peak[0]


def _processor() -> float:
    """Processor seconds of this process and of its helpers that have ended."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _watch(stop: threading.Event, peak: list[float]) -> None:
    """Notes the most memory that this process and its helpers hold together; what they share counts once."""
    own = Path(f"/proc/self/task/{os.getpid()}/children")
    while not stop.wait(0.1):
        held = 0
        for pid in [str(os.getpid()), *own.read_text(encoding="ascii").split()]:
            with suppress(OSError):
                told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
                held += next(int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:"))
        peak[0] = max(peak[0], held / 1024)


def _who(record: str) -> str:
    return record.split("-")[1]


def _searched(folder: str, size: int) -> tuple[float, float, float, float, int, dict[str, list[float]]]:
    path = Path(folder) / "index.sqlite"
    database = Database(make_engine(f"sqlite:///{path}"))
    upgrade(database.engine)
    keys = KeyRing(token_bytes(32), database.session)
    keys.make_sure_of(AGENCIES)
    began = time.process_time()
    waiting: dict[str, list[SourceRecord]] = defaultdict(list)
    for record in people_of(size):
        waiting[record.agency].append(record)
        if len(waiting[record.agency]) == _DROP:
            _load(database, keys, record.agency, waiting.pop(record.agency))
    for agency, records in waiting.items():
        _load(database, keys, agency, records)
    loaded, before = time.process_time() - began, _highest()
    with database.writing() as session:
        if size <= LINKED_UP_TO:
            relink(session, keys, now=utc_now())
        else:
            own = "p" + cast(tables.records.c.id, String)
            session.execute(update(tables.records).values(person=own, is_linked=True))
    linked, after = time.process_time() - began - loaded, _highest()
    picked = random.Random(7).sample([r for n, r in enumerate(people_of(size)) if n % (size // 2000) == 0], ASKED)
    asked = {
        "name and date of birth": [f"{_called(r)} {_born(r):%d %m %Y}" for r in picked],
        "NHS number": [n for r in picked if (n := r.person.identifier(NHS_NUMBER))],
        "full name only": [_called(r) for r in picked],
    }
    taken = {what: [_ask(database, keys, text) for text in typed] for what, typed in asked.items()}
    return loaded, before, linked, after, path.stat().st_size, taken


def _load(database: Database, keys: KeyRing, agency: str, records: Sequence[SourceRecord]) -> None:
    with database.writing() as session:
        refresh(session, keys, records, agency=agency, now=utc_now(), link=False)


def _highest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _ask(database: Database, keys: KeyRing, text: str) -> float:
    began = time.process_time()
    with database.session() as session:
        found = candidates(session, keys, parse_box(text), now=utc_now())
    assert len(found.candidates) <= 10
    return time.process_time() - began


def _called(record: SourceRecord) -> str:
    name = record.person.names[0]
    return f"{name.given[0]} {name.family[0]}"


def _born(record: SourceRecord) -> date:
    born = record.person.date_of_birth
    assert born is not None
    return born.date
