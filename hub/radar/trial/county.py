"""The made-up county: families with surnames as uneven as real ones, workers who live among them, and their rota."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from hub.radar.facts import EnquiryFacts, PersonFacts, UserFacts
from hub.radar.reads import LONDON
from hub.working_days import is_working_day
from policies.vocabulary import Role

PRACTICES = tuple(f"gp-{number}" for number in range(1, 7))
#: Who works where: agency, role, how many of a large county, and how they work.
STAFF: tuple[tuple[str, Role, int, str], ...] = (
    ("csc", Role.MASH_SCREENING_OFFICER, 12, "office"),
    ("csc", Role.MASH_SOCIAL_WORKER, 16, "office"),
    ("csc", Role.SOCIAL_WORKER, 18, "office"),
    ("csc", Role.MASH_DECISION_MAKER, 6, "office"),
    ("csc", Role.FAMILY_KEYWORKER, 15, "office"),
    ("csc", Role.EDT_WORKER, 8, "nights"),
    ("police", Role.AGENCY_NAVIGATOR, 8, "shifts"),
    ("police", Role.POLICE_MASH_SUPERVISOR, 4, "shifts"),
    ("hv", Role.HEALTH_VISITOR, 14, "office"),
    ("hv", Role.SAFEGUARDING_NURSE, 4, "office"),
    ("housing", Role.AGENCY_NAVIGATOR, 5, "office"),
    *((practice, Role.GP_CARE_COORDINATOR, 3, "practice") for practice in PRACTICES),
    *((practice, Role.GP_CLINICIAN, 2, "practice") for practice in PRACTICES),
)
SURNAMES, FAMILIES = 20_000, 20_000
#: Shifts that a rota tells, in London hours from the start of the day; a night shift ends on the next day.
EARLY, LATE_SHIFT, NIGHT = (7, 15), (14, 22), (17, 31)


@dataclass(slots=True)
class Worker:
    """One worker; `starts` and `ends` are hours of their ordinary day, `days` the weekdays they work."""

    id: str
    agency: str
    role: Role
    pattern: str
    own: str
    family: int
    starts: float
    ends: float
    days: frozenset[int]
    leave: frozenset[date]

    def hours(self, day: date, rng: random.Random) -> tuple[float, float] | None:
        """When the worker works on a day, in hours from its start; None for a day off."""
        if day in self.leave:
            return None
        if self.pattern in ("office", "practice"):
            return (self.starts, self.ends) if day.weekday() in self.days and is_working_day(day) else None
        turn = (day.toordinal() + int(self.id[3:])) % 6
        if self.pattern == "nights":
            weekend = not is_working_day(day)
            return None if turn > 2 else ((9, 31) if weekend and turn == 0 else NIGHT)
        return None if turn > 3 else (EARLY if turn < 2 else LATE_SHIFT)


@dataclass
class County:
    """Everybody and everything that is known of them."""

    rng: random.Random
    workers: list[Worker] = field(default_factory=list)
    families: list[list[str]] = field(default_factory=list)
    persons: dict[str, PersonFacts] = field(default_factory=dict)
    users: dict[str, UserFacts] = field(default_factory=dict)
    enquiries: dict[str, EnquiryFacts] = field(default_factory=dict)
    vips: list[str] = field(default_factory=list)
    everybody: list[str] = field(default_factory=list)
    family_of: dict[str, int] = field(default_factory=dict)
    shifts: dict[str, set[date]] = field(default_factory=dict)
    sends_rota: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def moment(self, day: date, hour: float) -> datetime:
        """That hour of London's day, which may be one of the next day; no two moments are the same."""
        whole, seconds = divmod(hour * 3600, 86400)
        local = datetime.combine(day + timedelta(days=int(whole)), time(), LONDON)
        return (local + timedelta(seconds=seconds, microseconds=self.rng.randrange(999_999))).astimezone(UTC)

    def rota(self, user: str, at: datetime) -> bool | None:
        """The rota as the agency sent it, an hour to spare at both ends; None where an agency sends none."""
        if user not in self.sends_rota:
            return None
        worker = self._by_id[user]
        local = at.astimezone(LONDON)
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            hours = worker.hours(day, self.rng) if day in self.shifts[user] else None
            now = local.hour + local.minute / 60 + 24 * back
            if hours and hours[0] - 1 <= now <= hours[1] + 1:
                return True
        return False

    def settle(self) -> None:
        """Ends the making."""
        self._by_id = {worker.id: worker for worker in self.workers}


def make_county(rng: random.Random, first: date, last: date, *, scale: float = 1.0) -> County:
    """The 80,000 people of a county whose families come to notice; a smaller scale has fewer workers and families."""
    county = County(rng)
    weights = list(itertools.accumulate(1 / (rank + 8) for rank in range(SURNAMES)))
    for number in range(max(200, int(FAMILIES * scale))):
        _family(county, rng, weights, number)
    county.everybody = list(county.persons)
    # Even the smallest county has somebody whom people talk about.
    county.vips = [p for p, about in county.persons.items() if about.vip] or [county.everybody[0]]
    for person in county.vips:
        county.persons[person] = replace(county.persons[person], vip=True)
    for agency, role, count, pattern in STAFF:
        for _ in range(max(1, round(count * min(1.0, scale * 1.5)))):
            _worker(county, rng, agency, role, pattern, first, last)
    county.settle()
    return county


def _family(county: County, rng: random.Random, weights: list[float], number: int) -> None:
    surname = f"S{rng.choices(range(SURNAMES), cum_weights=weights)[0]}"
    other = f"S{rng.choices(range(SURNAMES), cum_weights=weights)[0]}"
    members = []
    famous, practice = rng.random() < 0.001, rng.choice(PRACTICES)
    for place in range(rng.choice((2, 3, 3, 4, 4, 5, 6, 7))):
        person = f"PE-{len(county.persons):06}"
        adult = place < 2
        named = surname if place == 0 or rng.random() < 0.7 else other
        home = f"A{number}" if rng.random() < 0.93 else f"A{rng.randrange(FAMILIES)}"
        works = rng.choices(("csc", "police", "hv", "housing", "council"), (3, 2, 2, 1, 12))[0]
        staff = adult and rng.random() < 0.015
        county.persons[person] = PersonFacts(
            surnames=frozenset({named}),
            addresses=frozenset({home}) if rng.random() < 0.96 else frozenset(),
            staff_of=frozenset({works}) if staff else frozenset(),
            vip=famous and adult,
            registered=frozenset({practice}) if rng.random() < 0.98 else frozenset(),
        )
        county.family_of[person] = number
        members.append(person)
    county.families.append(members)


def _worker(county: County, rng: random.Random, agency: str, role: Role, pattern: str, first: date, last: date) -> None:
    id_ = f"US-{len(county.workers):04}"
    home = rng.randrange(len(county.families))
    own = county.families[home][0]
    about = county.persons[own]
    county.persons[own] = PersonFacts(
        about.surnames, about.addresses, about.staff_of | {agency}, about.vip, about.registered
    )
    early = rng.random() < 0.04
    starts = 6.25 if early else rng.choice((8, 8.5, 9, 9.5))
    days = frozenset(range(5)) if rng.random() < 0.75 else frozenset(rng.sample(range(5), 3))
    length = (last - first).days
    leave: set[date] = set()
    for _ in range(4):
        begins = first + timedelta(days=rng.randrange(length))
        leave |= {begins + timedelta(days=n) for n in range(rng.choice((3, 5, 10)))}
    worker = Worker(id_, agency, role, pattern, own, home, starts, starts + 8.5, days, frozenset(leave))
    county.workers.append(worker)
    county.users[id_] = UserFacts(
        own=frozenset({own}),
        # Not every relative stands in the records as one.
        family=frozenset(p for p in county.families[home][1:] if rng.random() < 0.9),
        surnames=about.surnames,
        addresses=about.addresses,
    )
    if pattern in ("nights", "shifts") or (agency == "hv" and rng.random() < 0.5):
        county.sends_rota.add(id_)
        every = (first + timedelta(days=n) for n in range(-1, length + 2))
        # A swap that nobody told the rota of.
        county.shifts[id_] = {day for day in every if rng.random() >= 0.005}
