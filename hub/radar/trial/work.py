"""Ordinary work of a year: referrals, hand-overs, ward rounds, late finishes - and all that looks like misuse."""

import math
import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from hub.radar.agencies import Asked
from hub.radar.facts import EnquiryFacts
from hub.radar.reads import Read, ReadKind
from hub.radar.trial.county import PRACTICES, County, Worker
from hub.working_days import is_working_day
from policies.vocabulary import Role

PURPOSES = ("MASH_SCREENING", "S47_ENQUIRY", "S17_ASSESSMENT", "EARLY_HELP", "STRATEGY_DISCUSSION")
OPENS = {
    Role.MASH_SCREENING_OFFICER: 5, Role.MASH_SOCIAL_WORKER: 4, Role.SOCIAL_WORKER: 3, Role.FAMILY_KEYWORKER: 2,
    Role.EDT_WORKER: 2, Role.AGENCY_NAVIGATOR: 3, Role.POLICE_MASH_SUPERVISOR: 1, Role.HEALTH_VISITOR: 1,
    Role.SAFEGUARDING_NURSE: 2, Role.MASH_DECISION_MAKER: 1,
}  # fmt: skip
HOLDERS = (Role.MASH_SOCIAL_WORKER, Role.SOCIAL_WORKER, Role.FAMILY_KEYWORKER)
STOCK = tuple(f"stock-{number}" for number in range(12))


@dataclass
class Work:
    """What was done: looks, changes of caseloads by day, and what agencies were asked by month."""

    county: County
    reads: list[Read] = field(default_factory=list)
    #: Day -> (worker, person, whether the case comes or goes).
    caseloads: dict[date, list[tuple[str, str, bool]]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[tuple[date, str], Asked] = field(default_factory=dict)

    def look(
        self, worker: Worker, at: datetime, kind: ReadKind, enquiry: str | None, persons: frozenset[str], **more: object
    ) -> Read:
        """One more look."""
        purpose = more.pop("purpose", "GP_PACKAGE_CHECK" if kind == ReadKind.CHECK else "MASH_SCREENING")
        read = Read(
            eid=f"{next(self.county.numbers):032x}",
            at=at,
            user=worker.id,
            agency=worker.agency,
            role=worker.role,
            kind=kind,
            purpose=str(purpose),
            enquiry=enquiry,
            persons=persons,
            **more,  # type: ignore[arg-type]
        )
        self.reads.append(read)
        return read

    def open(
        self, worker: Worker, at: datetime, persons: frozenset[str], *, days: float, reason: str | None = None
    ) -> str:
        """A new enquiry that runs for so many days."""
        id_ = f"EN-{len(self.county.enquiries):06}"
        self.county.enquiries[id_] = EnquiryFacts(
            agency=worker.agency,
            opened_by=worker.id,
            opened_at=at,
            closed_at=at + timedelta(days=days),
            persons=persons,
            reason=reason or f"why-{id_}",
            workers=frozenset({worker.id}),
        )
        return id_

    def join(self, enquiry: str, worker: Worker) -> None:
        """Somebody else works in it too."""
        facts = self.county.enquiries[enquiry]
        self.county.enquiries[enquiry] = replace(facts, workers=facts.workers | {worker.id})


def work_of_a_year(county: County, first: date, last: date, *, per_day: float) -> Work:
    """Everybody's ordinary work; `per_day` is how many enquiries are opened on an ordinary working day."""
    work, rng = Work(county), county.rng
    by_agency: dict[str, list[Worker]] = defaultdict(list)
    for worker in county.workers:
        by_agency[worker.agency].append(worker)
    day = first
    while day <= last:
        here = [(w, hours) for w in county.workers if (hours := w.hours(day, rng))]
        busy = (1.25, 1.0, 1.0, 1.0, 0.9, 0.12, 0.1)[day.weekday()] * (0.7 if day.month in (8, 12) else 1.0)
        openers = [(w, h) for w, h in here if w.role in OPENS]
        for _ in range(_poisson(rng, per_day * (busy if is_working_day(day) else min(busy, 0.15)))):
            if openers:
                weights = [OPENS[w.role] for w, _ in openers]
                worker, hours = rng.choices(openers, weights)[0]
                _enquiry(work, rng, worker, day, hours, [w for w in by_agency[worker.agency] if w.id != worker.id])
        _checks(work, rng, day, here, per_day)
        day += timedelta(days=1)
    _answers(work, rng, first, last)
    return work


def _hour(rng: random.Random, hours: tuple[float, float], after: float = 0) -> float:
    return rng.triangular(max(hours[0], min(after, hours[1] - 0.1)), hours[1], hours[0] + 0.35 * (hours[1] - hours[0]))


def _enquiry(
    work: Work, rng: random.Random, worker: Worker, day: date, hours: tuple[float, float], team: list[Worker]
) -> None:
    county = work.county
    family = rng.choice(county.families)
    # Nobody is given a case of their own family; and most who notice a colleague or a neighbour hand it on.
    if worker.own in family or county.users[worker.id].family & set(family):
        return
    persons = frozenset(family)
    hour = _hour(rng, hours)
    at = county.moment(day, hour)
    reason = rng.choice(STOCK) if rng.random() < 0.08 else None
    purpose = rng.choice(PURPOSES)
    enquiry = work.open(worker, at, persons, days=min(63.0, rng.lognormvariate(2.6, 0.9)), reason=reason)
    for number in range(rng.choices((1, 2, 3, 6), (60, 25, 12, 3))[0]):
        found = frozenset(rng.sample(county.everybody, rng.randrange(4))) | {family[0]}
        work.look(worker, at + timedelta(minutes=2 + number), ReadKind.SEARCH, enquiry, found, purpose=purpose)
    at += timedelta(minutes=12)
    refused = rng.random() < 0.07
    kind = ReadKind.REFUSED if refused else ReadKind.VIEW
    work.look(worker, at, kind, enquiry, persons, purpose=purpose, shows=not refused)
    emergency = 0.035 if worker.role == Role.EDT_WORKER else 0.004
    if refused:
        _after_refusal(work, rng, worker, at, persons, purpose, team)
    elif rng.random() < emergency:
        work.look(worker, at + timedelta(minutes=1), ReadKind.EMERGENCY, enquiry, persons, purpose=purpose)
    holder = worker
    handed = worker.role in (Role.MASH_SCREENING_OFFICER, Role.EDT_WORKER) or rng.random() < 0.3
    takers = [w for w in team if w.role in HOLDERS] or team
    if handed and takers:
        holder = rng.choice(takers)
        if holder.own in persons:
            return
        work.join(enquiry, holder)
    _goes_on(work, rng, holder, enquiry, persons, purpose, day)


def _after_refusal(
    work: Work,
    rng: random.Random,
    worker: Worker,
    at: datetime,
    persons: frozenset[str],
    purpose: str,
    team: list[Worker],
) -> None:
    """Concerns grow, and the threshold is met: mostly with a second person, sometimes alone."""
    if rng.random() > 0.25:
        return
    later = at + timedelta(minutes=rng.randrange(20, 200))
    second = work.open(worker, later, persons, days=20)
    if team and rng.random() < 0.8:
        work.join(second, rng.choice(team))
    other = "S47_ENQUIRY" if purpose != "S47_ENQUIRY" else "STRATEGY_DISCUSSION"
    work.look(worker, later + timedelta(minutes=3), ReadKind.VIEW, second, persons, purpose=other)


def _goes_on(
    work: Work, rng: random.Random, holder: Worker, enquiry: str, persons: frozenset[str], purpose: str, day: date
) -> None:
    """The holder comes back to it until it closes, the employer says whose case it is; some finish in the evening."""
    county, facts = work.county, work.county.enquiries[enquiry]
    closed = facts.closed_at
    assert closed is not None
    if holder.role in HOLDERS and rng.random() < 0.8:
        child = min(persons)
        work.caseloads[day + timedelta(days=rng.choice((0, 0, 1, 2, 4)))].append((holder.id, child, True))
        work.caseloads[closed.date() + timedelta(days=3)].append((holder.id, child, False))
    for _ in range(rng.choice((1, 2, 3, 4, 6, 8))):
        on = day + timedelta(days=int(abs(rng.gauss(0, 7))))
        hours = holder.hours(on, rng)
        if hours is None:
            continue
        at = county.moment(on, _hour(rng, hours))
        if not facts.opened_at < at:
            continue
        if at > closed and rng.random() > 0.03:
            continue  # Few look after the end, and most of these to write it up.
        if at > closed:
            at = closed + timedelta(hours=rng.choice((1, 2, 4)))
        work.look(holder, at, ReadKind.VIEW, enquiry, persons, purpose=purpose)
        if holder.pattern == "office" and rng.random() < 0.012:
            evening = county.moment(on, rng.uniform(20, 22.5))
            if evening < closed:
                work.look(holder, evening, ReadKind.VIEW, enquiry, persons, purpose=purpose)
        if holder.pattern == "office" and rng.random() < 0.002:
            weekend = county.moment(on + timedelta(days=5 - on.weekday()), rng.uniform(9, 18))
            if weekend < closed:
                work.look(holder, weekend, ReadKind.VIEW, enquiry, persons, purpose=purpose)


def _checks(
    work: Work, rng: random.Random, day: date, here: list[tuple[Worker, tuple[float, float]]], per_day: float
) -> None:
    county = work.county
    for worker, hours in here:
        if worker.pattern != "practice":
            continue
        coordinator = worker.role == Role.GP_CARE_COORDINATOR
        count = _poisson(rng, (4.2 if coordinator else 1.0) * min(1.0, per_day / 20))
        if coordinator and day.weekday() == int(worker.id[3:]) % 5 and int(worker.id[3:]) % 3 == 0:
            count += rng.randrange(12, 45)  # The weekly ward round.
        for _ in range(count):
            patient = rng.choice(county.everybody) if rng.random() < 0.007 else _patient(county, rng, worker)
            if patient != worker.own and patient not in county.users[worker.id].family:
                at = county.moment(day, _hour(rng, hours))
                work.look(worker, at, ReadKind.CHECK, None, frozenset({patient}))


def _patient(county: County, rng: random.Random, worker: Worker) -> str:
    for _ in range(200):
        patient = rng.choice(rng.choice(county.families))
        if worker.agency in county.persons[patient].registered:
            return patient
    return patient


def _answers(work: Work, rng: random.Random, first: date, last: date) -> None:
    """What each agency was asked in each month, with outages that are nobody's unwillingness."""
    month = first.replace(day=1)
    usual = {
        agency: rng.uniform(0.01, 0.08) for agency in ("csc", "police", "hv", "housing", "sms", "school", *PRACTICES)
    }
    while month <= last:
        for agency, share in usual.items():
            questions = max(5, int(rng.gauss(300, 60))) if agency not in PRACTICES else max(2, int(rng.gauss(45, 15)))
            outage = rng.random() < 0.1
            silent = int(questions * rng.uniform(0.02, 0.12)) if outage else 0
            work.asked[(month, agency)] = Asked(questions, _binomial(rng, questions - silent, share), silent)
        month = (month + timedelta(days=32)).replace(day=1)


def _binomial(rng: random.Random, count: int, share: float) -> int:
    return sum(rng.random() < share for _ in range(count))


def _poisson(rng: random.Random, mean: float) -> int:
    """Knuth's method; the means here are small."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
