"""Two worlds that differ only in what this user may not see look the same to the byte.

Each pair of worlds is one county: in the second, records that the user may not see are not there at all. Pages are
compared as they are sent, after what differs from one request to the next in any world (tokens, receipts, ids of
enquiries, the time of day) is levelled.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from hub.assembly import Hub, open_hub
from hub.demo.stories import STORIES
from hub.people.tables import records
from hub.settings import read_settings
from tests.conftest import House
from tests.hub.conftest import app_of
from tests.hub.test_stories import candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
LEVELLED = (
    (r'name="csrf_token" value="[^"]*"', "TOKEN"),
    (r"nonce-?=?\"?[A-Za-z0-9_-]{20,}", "NONCE"),
    (r"EN-[0-9a-f]{16}", "ENQUIRY"),
    (r"/receipts/[0-9a-f]{32}", "RECEIPT"),
    (r'kith-code">[0-9a-f]{8,32}<', "RECEIPT"),
    (r"\d{1,2}(:|\.)\d{2} ?([ap]m)?", "TIME"),
)

World = Callable[[frozenset[str]], House]


def level(page: str) -> str:
    for pattern, word in LEVELLED:
        page = re.sub(pattern, word, page)
    return page


@pytest.fixture
def without(house: House, tmp_path: Path) -> Iterator[World]:
    """The same county without these persons: a copy of its tables from which their records were taken."""
    opened: list[Hub] = []

    def make(persons: frozenset[str]) -> House:
        number = len(opened)
        environment = house.demonstration.environment
        folder = tmp_path / str(number)
        folder.mkdir()
        with house.hub.db.engine.connect() as connection:
            connection.exec_driver_sql(f"VACUUM INTO '{folder / 'kith.sqlite'}'")
        shutil.copytree(environment["HUB_KEYS_DIR"], folder / "keys")
        own = {
            **environment,
            "HUB_DATABASE_URL": f"sqlite:///{folder / 'kith.sqlite'}",
            "HUB_KEYS_DIR": str(folder / "keys"),
        }
        hub = open_hub(read_settings(own), clock=house.clock, steady=None)
        opened.append(hub)
        with hub.db.writing() as session:
            session.execute(delete(records).where(records.c.person.in_(persons)))
        return House(hub, app_of(hub), house.demonstration, house.clock)

    yield make
    for hub in opened:
        hub.close()


def persons_of(house: House, *keys: str) -> frozenset[str]:
    """The hub's own ids of persons of the county, by every record that any agency has of them."""
    found: set[str] = set()
    county = house.demonstration.county
    with house.hub.db.session() as session:
        for key in keys:
            for agency in house.hub.partners:
                try:
                    record = county.record_of(key, agency)
                except (KeyError, StopIteration, LookupError):
                    continue
                query = select(records.c.person).where(records.c.agency == agency, records.c.record == record)
                found |= set(session.scalars(query))
    assert found
    return frozenset(found - {None})


def seen(house: House, story: str, typed: str, *, persona: str | None = None) -> list[str]:
    """Every page from the search to the picture, as this user gets it."""
    visitor, found = open_story(house, story, persona, who=typed)
    pages = [found]
    names = candidates(found)
    if names:
        enquiry = choose(visitor, found, names[0])
        pages += [visitor.get(f"{enquiry}/{page}").text for page in ("who", "picture", "consent")]
    return [level(page) for page in pages]


FLED = ("zielonka.nadia", "zielonka.filip")
#: story, what is typed, who asks, and who is taken away in the second world.
PAIRS = [
    ("shielded", "Marek Zielonka", "mash_social_worker", FLED),
    ("shielded", "Marek Zielonka", "police_navigator", FLED),
    ("shielded", "Nadia Zielonka", "mash_social_worker", FLED),
    ("shielded", "Nadia Zielonka", "mash_decision_maker", FLED),
    ("shielded", "Zielonka Filip", "housing_navigator", FLED),
    ("adopted", "Kayleigh Dunmore", "mash_social_worker", ("dunmore.kayleigh",)),
    ("adopted", f"Isla Fairweather {STORIES['adopted'].nhs_number}", "mash_social_worker", ("dunmore.kayleigh",)),
    ("own_record", STORIES["own_record"].search, "worker_who_is_a_subject", ("brightwell.marcus",)),
]


@on_one_engine
@pytest.mark.parametrize(("story", "typed", "persona", "hidden"), PAIRS)
def test_who_may_not_be_seen_might_as_well_not_be_there(
    house: House, without: World, story: str, typed: str, persona: str, hidden: tuple[str, ...]
) -> None:
    here, there = without(frozenset()), without(persons_of(house, *hidden))
    mine, theirs = seen(here, story, typed, persona=persona), seen(there, story, typed, persona=persona)
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert one == other


@on_one_engine
def test_the_comparison_notices_somebody_who_may_be_seen(house: House, without: World) -> None:
    here, there = without(frozenset()), without(persons_of(house, "tarrant.alfie"))
    assert seen(here, "showcase", STORIES["showcase"].search) != seen(there, "showcase", STORIES["showcase"].search)
