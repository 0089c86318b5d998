"""Feeds the made-up year to the radar, in the order of time, and counts."""

import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from hub.radar.agencies import under_sharing
from hub.radar.facts import Known, UserFacts
from hub.radar.reads import Finding, Signal
from hub.radar.sweep import Radar
from hub.radar.trial.county import make_county
from hub.radar.trial.misuse import Case, Offences
from hub.radar.trial.work import Work, work_of_a_year
from hub.radar.usual import usual_per_day
from policies.vocabulary import Role

#: How many of each kind are seeded, and how many that no record gives away.
EACH, UNRECORDED = 6, 10
#: Signals about what somebody does all day; each look of theirs may have its own explanation.
PATTERNS = frozenset({Signal.VOLUME, Signal.REPEATED_EMERGENCY, Signal.BOILERPLATE, Signal.SEARCH_WITHOUT_VIEW})
#: What is usual is counted anew at the start of each month, from the 60 days before.
USUAL_FROM = timedelta(days=60)


@dataclass
class Measured:
    """What came of one year."""

    seed: int
    reads: int = 0
    explained: int = 0
    quiet: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    seeded: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    unrecorded: tuple[int, int] = (0, 0)
    microseconds_a_read: float = 0.0

    @property
    def recall(self) -> float:
        """The share of the seeded cases that an alert of their kind points at."""
        return self.found.total() / self.seeded.total()

    @property
    def alert_share(self) -> float:
        """Alerts for each look."""
        return self.alerts.total() / self.reads

    @property
    def explained_share(self) -> float:
        """Looks whose tie is explained by enquiry, caseload or list, and whose hour by rota, office hours or habit."""
        return self.explained / self.reads

    @property
    def quiet_share(self) -> float:
        """Explained looks that no alert singles out either."""
        return self.quiet / self.reads


def measure(seed: int, *, scale: float = 1.0, per_day: float = 68.0, days: int = 365, each: int = EACH) -> Measured:
    """One year from this seed. A smaller scale is a smaller county."""
    rng = random.Random(seed)  # noqa: S311 - a made-up year is no secret
    first = date(2025, 10, 1)
    last = first + timedelta(days=days - 1)
    county = make_county(rng, first, last, scale=scale)
    work = work_of_a_year(county, first, last, per_day=per_day)
    offences = Offences(work, rng, first, last)
    cases = [make() for make in offences.kinds() for _ in range(each)]
    hidden = [offences.unrecorded_tie() for _ in range(UNRECORDED)]
    work.reads.sort(key=lambda read: read.at)
    measured = Measured(seed, reads=len(work.reads))
    findings, whole = _sweep(work, measured)
    named = {eid for finding in findings for eid in finding.reads if finding.signal not in PATTERNS}
    measured.explained, measured.quiet = len(whole), len(whole - named)
    measured.alerts.update(str(finding.signal) for finding in findings)
    measured.seeded.update(case.kind for case in cases)
    measured.found.update(case.kind for case in cases if _is_found(case, findings))
    measured.unrecorded = (sum(_is_found(case, findings) for case in hidden), len(hidden))
    return measured


def _sweep(work: Work, measured: Measured) -> tuple[list[Finding], set[str]]:
    county = work.county
    users = dict(county.users)
    known = Known(users, county.persons, county.enquiries, county.rota)
    radar = Radar(known)
    findings: dict[tuple[str, ...], Finding] = {}
    whole: set[str] = set()
    changes = sorted(work.caseloads.items())
    month: date | None = None
    days: dict[tuple[date, str, Role], set[str]] = defaultdict(set)
    begun = time.process_time()
    for read in work.reads:
        while changes and changes[0][0] <= read.day:
            _change(users, changes.pop(0)[1])
        if read.day.replace(day=1) != month:
            month = read.day.replace(day=1)
            radar.known = replace(known, usual=_usual(days, read.day))
        days[(read.day, read.user, read.role)].add(read.enquiry or min(read.persons, default=read.eid))
        explanation, found = radar.feed(read)
        if explanation.is_whole:
            whole.add(read.eid)
        for finding in found:
            before = findings.get(finding.once)
            reads = finding.reads if before is None else tuple({*before.reads, *finding.reads})
            findings[finding.once] = replace(finding, reads=reads)
    measured.microseconds_a_read = (time.process_time() - begun) / max(1, len(work.reads)) * 1e6
    return [*findings.values(), *_agencies(work)], whole


def _change(users: dict[str, UserFacts], changes: list[tuple[str, str, bool]]) -> None:
    for user, person, comes in changes:
        facts = users[user]
        users[user] = replace(facts, caseload=facts.caseload | {person} if comes else facts.caseload - {person})


def _usual(days: dict[tuple[date, str, Role], set[str]], today: date) -> dict[Role, float]:
    since = today - USUAL_FROM
    return dict(usual_per_day((role, len(done)) for (day, _, role), done in days.items() if day >= since))


def _agencies(work: Work) -> list[Finding]:
    found: list[Finding] = []
    months = sorted({month for month, _ in work.asked})
    for number, month in enumerate(months):
        now = {agency: asked for (m, agency), asked in work.asked.items() if m == month}
        earlier = months[max(0, number - 3) : number]
        before = {agency: [work.asked[(m, agency)] for m in earlier] for agency in now}
        found += under_sharing(month, now, before, at=datetime(month.year, month.month, 28, tzinfo=UTC))
    return found


def _is_found(case: Case, findings: list[Finding]) -> bool:
    if case.user is None:
        return any(f.signal in case.signals and f.once[1:] == (case.agency, case.month) for f in findings)
    return any(f.user == case.user and f.signal in case.signals and case.reads & set(f.reads) for f in findings)
