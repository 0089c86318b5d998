"""Seeded misuse: people who look at what is none of their business, each kind in several ways, some of them careful.

Cases are drawn from what offenders are known to do, not from what the rules can see: within office hours, in an
enquiry with a plausible reason, in a colleague's enquiry, spread over days. Of a last kind no record gives the tie
away; it is measured apart, because nothing in the trail can find it but chance.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from hub.radar.agencies import Asked
from hub.radar.facts import PersonFacts
from hub.radar.reads import ReadKind, Signal
from hub.radar.trial.county import PRACTICES, Worker
from hub.radar.trial.work import OPENS, PURPOSES, Work
from hub.working_days import is_working_day
from policies.vocabulary import Role

TIES = frozenset({Signal.SELF, Signal.RELATIVE, Signal.SAME_ADDRESS, Signal.COLLEAGUE, Signal.VIP, Signal.SAME_SURNAME})


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the looks of one user, or an agency and month, and the signals that would find it."""

    kind: str
    user: str | None
    reads: frozenset[str]
    signals: frozenset[Signal]
    agency: str = ""
    month: str = ""


class Offences:
    """Makes cases in a year of ordinary work."""

    def __init__(self, work: Work, rng: random.Random, first: date, last: date) -> None:
        self.work, self.county, self.rng, self.first, self.last = work, work.county, rng, first, last

    def _somebody(self, *roles: Role) -> Worker:
        some = [w for w in self.county.workers if w.role in (roles or OPENS)]
        return self.rng.choice(some)

    def _working_day(self, worker: Worker, *, margin: int = 5) -> tuple[date, tuple[float, float]]:
        while True:
            day = self.first + timedelta(days=self.rng.randrange((self.last - self.first).days - margin))
            hours = worker.hours(day, self.rng)
            in_rota = worker.id not in self.county.sends_rota or day in self.county.shifts[worker.id]
            if hours and in_rota:
                return day, hours

    def _look_at(self, worker: Worker, person: str, kind: str) -> Case:
        """One to three looks at a person: a check, an enquiry of their own, or a colleague's that was open anyway."""
        county, rng = self.county, self.rng
        day, hours = self._working_day(worker)
        at = county.moment(day, rng.uniform(*hours))
        family = frozenset(county.families[county.family_of[person]])
        if worker.pattern == "practice":
            reads = [self.work.look(worker, at, ReadKind.CHECK, None, frozenset({person}))]
            return Case(kind, worker.id, frozenset(r.eid for r in reads), TIES)
        colleagues = [w for w in county.workers if w.agency == worker.agency and w.id != worker.id]
        opener = rng.choice(colleagues) if colleagues and rng.random() < 0.25 else worker
        begun = at - timedelta(days=rng.randrange(1, 6)) if opener is not worker else at
        enquiry = self.work.open(opener, begun, family, days=20)
        reads = []
        if opener is worker:
            reads.append(self.work.look(worker, at, ReadKind.SEARCH, enquiry, frozenset({person})))
        for number in range(rng.choice((1, 1, 2, 3))):
            moment = at + timedelta(minutes=3 + 7 * number)
            reads.append(self.work.look(worker, moment, ReadKind.VIEW, enquiry, family, purpose=rng.choice(PURPOSES)))
        return Case(kind, worker.id, frozenset(r.eid for r in reads), TIES)

    def of_self(self) -> Case:
        worker = self._somebody(*OPENS, Role.GP_CARE_COORDINATOR)
        return self._look_at(worker, worker.own, "self")

    def of_relative(self) -> Case:
        while True:
            worker = self._somebody(*OPENS, Role.GP_CARE_COORDINATOR, Role.GP_CLINICIAN)
            family = self.county.users[worker.id].family
            if family:
                return self._look_at(worker, self.rng.choice(sorted(family)), "relative")

    def of_neighbour(self) -> Case:
        """Somebody of another family who lives at the worker's address: a lodger, a former partner."""
        worker = self._somebody()
        person = self.rng.choice(self.county.everybody)
        about = self.county.persons[person]
        self.county.persons[person] = PersonFacts(
            about.surnames, self.county.users[worker.id].addresses, about.staff_of, about.vip, about.registered
        )
        if not self.county.users[worker.id].addresses:
            return self.of_neighbour()
        return self._look_at(worker, person, "same address")

    def of_colleague(self) -> Case:
        while True:
            worker = self._somebody()
            others = [w for w in self.county.workers if w.agency == worker.agency and w.family != worker.family]
            if others:
                return self._look_at(worker, self.rng.choice(others).own, "colleague")

    def of_vip(self) -> Case:
        return self._look_at(self._somebody(), self.rng.choice(self.county.vips), "in the public eye")

    def of_surname(self) -> Case:
        while True:
            worker = self._somebody()
            mine = self.county.users[worker.id].surnames
            alike = [p for p in self.rng.sample(self.county.everybody, 3000) if self.county.persons[p].surnames & mine]
            alike = [p for p in alike if self.county.family_of[p] != worker.family]
            if alike:
                return self._look_at(worker, self.rng.choice(alike), "same surname")

    def after_closure(self) -> Case:
        """Back to a case that ended weeks ago, during an ordinary day."""
        county, rng = self.county, self.rng
        while True:
            worker = self._somebody()
            day, hours = self._working_day(worker)
            at = county.moment(day, rng.uniform(*hours))
            ended = [
                e
                for e, f in county.enquiries.items()
                if worker.id in f.workers and f.closed_at and 5 < (at - f.closed_at).days < 200
            ]
            if ended:
                enquiry = rng.choice(ended)
                persons = county.enquiries[enquiry].persons
                reads = [
                    self.work.look(worker, at + timedelta(minutes=4 * n), ReadKind.VIEW, enquiry, persons)
                    for n in range(rng.choice((1, 1, 2, 4)))
                ]
                return Case(
                    "after closure", worker.id, frozenset(r.eid for r in reads), frozenset({Signal.AFTER_CLOSURE})
                )

    def retried(self) -> Case:
        """Refused, and minutes to two days later the same person for a purpose that opens more."""
        county, rng = self.county, self.rng
        worker = self._somebody()
        day, hours = self._working_day(worker)
        family = frozenset(rng.choice(county.families))
        at = county.moment(day, hours[0] + 0.3 * (hours[1] - hours[0]) * rng.random())
        one, two = rng.sample(PURPOSES, 2)
        first = self.work.open(worker, at, family, days=20)
        refused = self.work.look(worker, at, ReadKind.REFUSED, first, family, purpose=one, shows=False)
        later = at + timedelta(minutes=rng.choice((3, 20, 90, 24 * 60, 47 * 60)))
        second = self.work.open(worker, later, family, days=20)
        shown = self.work.look(worker, later + timedelta(minutes=1), ReadKind.VIEW, second, family, purpose=two)
        eids = frozenset({refused.eid, shown.eid})
        return Case("refused, then another purpose", worker.id, eids, frozenset({Signal.RETRIED_PURPOSE}))

    def volume(self) -> Case:
        """A trawl through many families on one day, or on each of three days."""
        worker = self._somebody()
        reads = []
        for _ in range(self.rng.choice((1, 1, 3))):
            day, hours = self._working_day(worker)
            for _ in range(self.rng.randrange(32, 120)):
                at = self.county.moment(day, self.rng.uniform(*hours))
                family = frozenset(self.rng.choice(self.county.families))
                enquiry = self.work.open(worker, at, family, days=30)
                reads.append(self.work.look(worker, at, ReadKind.VIEW, enquiry, family))
        return Case("volume", worker.id, frozenset(r.eid for r in reads), frozenset({Signal.VOLUME}))

    def out_of_hours(self) -> Case:
        """In the night, at the weekend or on leave; in an enquiry of their own that looks like any other."""
        while True:
            worker = self._somebody()
            if worker.pattern == "office" or worker.id in self.county.sends_rota:
                break
        rng = self.rng
        while True:
            day = self.first + timedelta(days=7 + rng.randrange((self.last - self.first).days - 12))
            free = worker.hours(day, rng) is None and worker.hours(day - timedelta(days=1), rng) is None
            if worker.pattern == "office" or free:
                break
        office = worker.pattern == "office" and is_working_day(day)
        hour = rng.choice((rng.uniform(0.2, 4.8), rng.uniform(23, 23.9))) if office else rng.uniform(3, 5)
        at = self.county.moment(day, hour)
        family = frozenset(rng.choice(self.county.families))
        enquiry = self.work.open(worker, at - timedelta(days=rng.choice((0, 1, 3))), family, days=30)
        reads = [
            self.work.look(worker, at + timedelta(minutes=n), ReadKind.VIEW, enquiry, family)
            for n in range(rng.choice((1, 2, 4)))
        ]
        return Case("out of hours", worker.id, frozenset(r.eid for r in reads), frozenset({Signal.OUT_OF_HOURS}))

    def emergencies(self) -> Case:
        """Declares an emergency again and again."""
        worker = self._somebody(Role.MASH_SOCIAL_WORKER, Role.MASH_SCREENING_OFFICER, Role.SOCIAL_WORKER)
        day, _ = self._working_day(worker, margin=40)
        reads = []
        for _ in range(self.rng.randrange(3, 7)):
            hours = worker.hours(day, self.rng) or (9.0, 17.0)
            at = self.county.moment(day, self.rng.uniform(*hours))
            family = frozenset(self.rng.choice(self.county.families))
            enquiry = self.work.open(worker, at, family, days=20)
            reads.append(self.work.look(worker, at, ReadKind.EMERGENCY, enquiry, family))
            day += timedelta(days=self.rng.randrange(0, 5))
        signals = frozenset({Signal.REPEATED_EMERGENCY})
        return Case("repeated emergency", worker.id, frozenset(r.eid for r in reads), signals)

    def boilerplate(self) -> Case:
        """One reason for everything."""
        worker = self._somebody()
        day, _ = self._working_day(worker, margin=70)
        reads = []
        for _ in range(self.rng.randrange(11, 26)):
            hours = worker.hours(day, self.rng)
            if hours:
                at = self.county.moment(day, self.rng.uniform(*hours))
                family = frozenset(self.rng.choice(self.county.families))
                enquiry = self.work.open(worker, at, family, days=20, reason="boiler-" + worker.id)
                reads.append(self.work.look(worker, at, ReadKind.VIEW, enquiry, family))
            day += timedelta(days=self.rng.randrange(0, 3))
        if len(reads) < 10:
            return self.boilerplate()
        return Case("boilerplate reason", worker.id, frozenset(r.eid for r in reads), frozenset({Signal.BOILERPLATE}))

    def searches(self) -> Case:
        """Looks for somebody by one search after another, and opens nothing, or once for the look of it."""
        worker = self._somebody()
        day, hours = self._working_day(worker)
        reads = []
        family = frozenset(self.rng.choice(self.county.families))
        enquiry = self.work.open(worker, self.county.moment(day, hours[0]), family, days=20)
        for _ in range(self.rng.randrange(14, 45)):
            at = self.county.moment(day, self.rng.uniform(*hours))
            found = frozenset(self.rng.sample(self.county.everybody, self.rng.randrange(0, 5)))
            reads.append(self.work.look(worker, at, ReadKind.SEARCH, enquiry, found))
        signals = frozenset({Signal.SEARCH_WITHOUT_VIEW})
        return Case("search without view", worker.id, frozenset(r.eid for r in reads), signals)

    def under_sharing(self) -> Case:
        """An agency that all but stops answering for a month."""
        places = sorted(p for p, asked in self.work.asked.items() if p[1] not in PRACTICES and asked.questions >= 60)
        month, agency = self.rng.choice(places)
        asked = self.work.asked[(month, agency)]
        withheld = int(asked.questions * self.rng.uniform(0.36, 0.75))
        self.work.asked[(month, agency)] = Asked(asked.questions, withheld, asked.no_answer)
        signals = frozenset({Signal.UNDER_SHARING})
        return Case("under-sharing", None, frozenset(), signals, agency, month.isoformat())

    def unrecorded_tie(self) -> Case:
        """A friend, a former partner who moved away: no record ties them to the worker."""
        worker = self._somebody()
        while True:
            person = self.rng.choice(self.county.everybody)
            about, me = self.county.persons[person], self.county.users[worker.id]
            if not (about.surnames & me.surnames or about.addresses & me.addresses or about.staff_of or about.vip):
                return self._look_at(worker, person, "tie that no record holds")

    def kinds(self) -> tuple[Callable[[], Case], ...]:
        """Every kind that is to be found."""
        return (
            self.of_self, self.of_relative, self.of_neighbour, self.of_colleague, self.of_vip, self.of_surname,
            self.after_closure, self.retried, self.volume, self.out_of_hours, self.emergencies, self.boilerplate,
            self.searches, self.under_sharing,
        )  # fmt: skip
