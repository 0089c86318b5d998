"""What one user did lately, and what in it is out of the ordinary: volume, hours, emergencies, reasons, searches.

For: `hub.radar.sweep`, one `Habits` a user, fed with their looks in the order of time. It forgets after 90 days.
"""

from collections import Counter, defaultdict, deque
from datetime import date, datetime, timedelta

from hub.radar.explain import AWAKE, ROUND_THE_CLOCK, in_office_hours
from hub.radar.reads import Read, ReadKind
from hub.radar.usual import FEWEST_DAYS, busy_day
from hub.working_days import is_working_day
from policies.vocabulary import Role

#: How far back anything counts.
WINDOW = timedelta(days=90)
#: Nobody is asked about fewer occasions a day, whatever is usual: a busy day in a small team is no flood.
LEAST_VOLUME = 25
#: So many times a busy day, of the role's and of the user's own, is out of the ordinary; who is always busy may be
#: so up to four times as much as the role.
TIMES_ROLE, TIMES_OWN, OWN_AT_MOST = 3.0, 2.5, 4.0
#: What one user may declare within 30 days before somebody asks; whoever works when others sleep declares more.
EMERGENCIES, EMERGENCIES_ROUND_THE_CLOCK, EMERGENCY_WINDOW = 3, 8, timedelta(days=30)
#: The same reason so often within the window is boilerplate (rule P02; the same number as when it is typed).
SAME_REASON = 10
#: So many searches within a day, four for every enquiry that was looked at, are looking for somebody, not at a case.
SEARCHES, PER_VIEW, SEARCH_WINDOW = 12, 4, timedelta(hours=24)
#: A refusal stands in the way of the same look for another purpose for so long.
RETRY_WINDOW = timedelta(hours=72)
#: Who worked about this hour on so many days of the same sort within the window usually does.
USUAL_DAYS = 10


class Habits:
    """One user's last 90 days."""

    def __init__(self) -> None:
        self._days: deque[tuple[date, int, frozenset[int]]] = deque()
        self._today: date | None = None
        self._occasions: dict[str, list[str]] = {}
        self._odd: set[int] = set()
        self._worked: set[str] = set()
        self._emergencies: deque[tuple[datetime, str]] = deque()
        self._searches: deque[tuple[datetime, str]] = deque()
        self._views: deque[tuple[datetime, str]] = deque()
        self._refused: deque[Read] = deque()
        self._reasons: dict[str, dict[str, datetime]] = defaultdict(dict)

    def see(self, read: Read) -> None:
        """Counts a look in."""
        if read.day != self._today:
            self._turn(read.day)
        occasion = read.enquiry or min(read.persons, default=read.eid)
        self._occasions.setdefault(occasion, []).append(read.eid)
        if in_office_hours(read.local):
            self._worked.add(occasion)
        else:
            self._odd.add(read.local.hour)
        if read.kind == ReadKind.EMERGENCY:
            self._emergencies.append((read.at, read.eid))
        elif read.kind == ReadKind.SEARCH:
            self._searches.append((read.at, read.eid))
        elif read.enquiry:
            self._views.append((read.at, read.enquiry))
        if read.kind == ReadKind.REFUSED or not read.shows:
            self._refused.append(read)

    def _turn(self, day: date) -> None:
        if self._today is not None:
            self._days.append((self._today, len(self._occasions), frozenset(self._odd)))
        while self._days and self._days[0][0] < day - WINDOW:
            self._days.popleft()
        self._today, self._occasions, self._odd, self._worked = day, {}, set(), set()

    def flood(self, usual: float) -> tuple[str, ...] | None:
        """The looks of today, when they are on more occasions than a busy day explains."""
        own = [occasions for _, occasions, _ in self._days]
        mine = busy_day(own) if len(own) >= FEWEST_DAYS else 0.0
        mine = min(mine, OWN_AT_MOST * usual) if usual else mine
        limit = max(float(LEAST_VOLUME), TIMES_ROLE * usual, TIMES_OWN * mine)
        if len(self._occasions) <= limit:
            return None
        return tuple(eid for eids in self._occasions.values() for eid in eids)

    @property
    def occasions(self) -> int:
        """On how many occasions the user looked today."""
        return len(self._occasions)

    def at_usual_hour(self, read: Read) -> bool:
        """Whether the user has long worked at such hours, or finishes in the evening what they began by day."""
        occasion = read.enquiry or ""
        if read.day == self._today and occasion in self._worked and read.local.time() < AWAKE[1]:
            return True
        about, sort = {read.local.hour + n for n in (-1, 0, 1)}, is_working_day(read.day)
        alike = (day for day, _, odd in self._days if odd & about and is_working_day(day) == sort)
        return sum(1 for _ in alike) >= USUAL_DAYS

    def emergencies(self, now: datetime, role: Role) -> tuple[str, ...] | None:
        """Declarations of the last 30 days, when they are more than anybody should need."""
        _forget(self._emergencies, now - EMERGENCY_WINDOW)
        most = EMERGENCIES_ROUND_THE_CLOCK if role in ROUND_THE_CLOCK else EMERGENCIES
        return tuple(eid for _, eid in self._emergencies) if len(self._emergencies) >= most else None

    def boilerplate(self, read: Read, reason: str) -> int | None:
        """In how many enquiries the same reason was given, when that is too many."""
        if not reason or read.enquiry is None:
            return None
        given = self._reasons[reason]
        given.setdefault(read.enquiry, read.at)
        fresh = [at for at in given.values() if at > read.at - WINDOW]
        return len(fresh) if len(fresh) >= SAME_REASON else None

    def searches_without_view(self, now: datetime) -> tuple[str, ...] | None:
        """Searches of the last day, when hardly any led to a look at a case."""
        _forget(self._searches, now - SEARCH_WINDOW)
        _forget(self._views, now - SEARCH_WINDOW)
        views = len(Counter(enquiry for _, enquiry in self._views))
        if len(self._searches) < max(SEARCHES, PER_VIEW * (views + 1)):
            return None
        return tuple(eid for _, eid in self._searches)

    def refused_before(self, read: Read) -> Read | None:
        """A refusal of lately, for another purpose, about a person of whom something is shown now."""
        while self._refused and self._refused[0].at < read.at - RETRY_WINDOW:
            self._refused.popleft()
        if not read.shows or read.kind not in (ReadKind.VIEW, ReadKind.CHECK):
            return None
        before = (r for r in self._refused if r.purpose != read.purpose and r.persons & read.persons)
        return next(before, None)


def _forget(queue: deque[tuple[datetime, str]], before: datetime) -> None:
    while queue and queue[0][0] < before:
        queue.popleft()
