"""When the record cannot be written: does a byte about a person still leave, and does the site heal by itself?

For: `python -m tests.simulation failing` and the tests. The site answers 1 kB about somebody; every fault is brought
about beside it, not inside it. That data does leave before and after shows that the look for it can find it.
"""

import contextlib
import os
import resource
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, create_engine, event

import audit
from tests.simulation.nursery import unopened
from tests.simulation.site import CANARY, make_site

#: How many ask while the fault lasts.
ASKING = 24


@dataclass
class Place:
    """One site whose surroundings can be spoilt."""

    engine: Engine
    pragma: str = ""
    moved: timedelta = timedelta()

    def clock(self) -> datetime:
        """The clock of the site."""
        return datetime.now(UTC) + self.moved


@dataclass(frozen=True, slots=True)
class Refused:
    """What was answered while the fault lasted, and whether it healed."""

    answers: int
    leaked: int
    refused: int
    with_retry_after: int
    healed: bool


@contextmanager
def _pragma(place: Place, pragma: str) -> Iterator[None]:
    """What every connection of the site is told from now on, and the one that writes at once."""
    place.pragma = pragma
    for connection in list(_CONNECTIONS.get(str(place.engine.url), ())):
        with contextlib.suppress(sqlite3.Error):
            connection.execute(pragma)
    yield
    place.pragma = ""
    undo = {"max_page_count=1": "max_page_count=1000000", "query_only=ON": "query_only=OFF"}
    for connection in list(_CONNECTIONS.get(str(place.engine.url), ())):
        with contextlib.suppress(sqlite3.Error):
            connection.execute("PRAGMA " + undo[pragma.removeprefix("PRAGMA ")])


@contextmanager
def _held(place: Place) -> Iterator[None]:
    """Another program holds the database, so that the queue fills."""
    with contextlib.closing(sqlite3.connect(str(place.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _moved(place: Place, moved: timedelta) -> Iterator[None]:
    place.moved = moved
    yield
    place.moved = timedelta()


@contextmanager
def _small_files(place: Place) -> Iterator[None]:
    """The operating system lets no file grow: what a full disk does to a write (EFBIG in the place of ENOSPC)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(str(place.engine.url.database)) // 2, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


FAULTS: dict[str, Callable[[Place], AbstractContextManager[None]]] = {
    "disk full, said by the database": lambda place: _pragma(place, "PRAGMA max_page_count=1"),
    "disk full, said by the system": _small_files,
    "read-only file": lambda place: _pragma(place, "PRAGMA query_only=ON"),
    "full queue": _held,
    "clock a day ahead": lambda place: _moved(place, timedelta(days=1)),
    "clock a day behind": lambda place: _moved(place, timedelta(days=-1)),
}
_CONNECTIONS: dict[str, list[sqlite3.Connection]] = {}


def meet(fault: str) -> Refused:
    """Asks before, during and after a fault."""
    with tempfile.TemporaryDirectory(prefix="kith-failing-") as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'trail.sqlite'}", connect_args={"check_same_thread": False})
        place = Place(engine)
        kept = _CONNECTIONS[str(engine.url)] = []

        @event.listens_for(engine, "connect")
        def spoil(connection: sqlite3.Connection, _record: object) -> None:
            kept.append(connection)
            if place.pragma:
                connection.execute(place.pragma)

        audit.metadata.create_all(engine)
        trail = unopened(engine, "site", clock=place.clock, max_wait_s=0.3, max_queue=4)
        trail.start()
        site = make_site(trail)
        try:
            assert _ask(site)[0] == 200
            with FAULTS[fault](place), ThreadPoolExecutor(ASKING) as crowd:
                answers = list(crowd.map(lambda _: _ask(site), range(ASKING)))
            healed = False
            for _ in range(3):  # The first may still meet the broken connection.
                status, body, _ = _ask(site)
                healed = healed or (status == 200 and CANARY in body)
            recorded = {entry.eid for entry in trail.events()}
        finally:
            trail.close()
            engine.dispose()
            del _CONNECTIONS[str(engine.url)]
    return Refused(
        len(answers),
        sum(CANARY in body and body.split()[0] not in recorded for _, body, _ in answers),
        sum(status == 503 for status, _, _ in answers),
        sum(retry for _, _, retry in answers),
        healed,
    )


def _ask(site: object) -> tuple[int, str, bool]:
    answer = site.test_client().get("/disclose")  # type: ignore[attr-defined]
    return answer.status_code, answer.get_data(as_text=True), "Retry-After" in answer.headers


def run() -> Iterator[str]:
    """The figures in words."""
    for fault in FAULTS:
        found = meet(fault)
        yield (
            f"{fault:32} {found.answers} asked, {found.leaked} answers about a person without a record [0], "
            f"{found.refused} times 503, {'healed by itself' if found.healed else 'DID NOT HEAL'}"
        )
