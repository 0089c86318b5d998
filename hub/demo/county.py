"""The county of Thornshire: invented people, what really happened to them, and what each agency believes.

For: demonstrations, tests and measurements without anybody's data. Must never contain a real person, place
or number, and must never read a clock: the day is passed in, everything else comes from the seed.
"""

from datetime import date

from hub.demo.builder import Builder
from hub.demo.families import add_ordinary_families
from hub.demo.model import County
from hub.demo.services import add_ordinary_services
from hub.demo.stories import add_stories

#: The county that the demonstration shows.
DEFAULT_SEED = 20260401


def build_county(seed: int = DEFAULT_SEED, *, today: date) -> County:
    """Builds the county as it is on a day; the same seed and day give the same county to the last byte."""
    b = Builder(seed=seed, today=today)
    add_stories(b)
    b.story = False
    add_ordinary_families(b)
    add_ordinary_services(b)
    return b.county()
