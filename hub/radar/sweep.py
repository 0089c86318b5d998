"""Looks in the order of time go in, findings come out: every signal of one look, by all rules.

For: the desk's scan and the measurement, which use the same object. Nothing here decides about anybody.
"""

from collections import defaultdict
from collections.abc import Iterator

from hub.radar.explain import Explanation, explain, in_time_to_write_up
from hub.radar.facts import Known
from hub.radar.habits import WINDOW, Habits
from hub.radar.reads import Finding, Read, ReadKind, Signal
from hub.radar.ties import closest_tie

WINDOW_DAYS = WINDOW.days


class Radar:
    """What was seen so far of each user, and the rules over it."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._habits: dict[str, Habits] = defaultdict(Habits)

    def feed(self, read: Read) -> tuple[Explanation, tuple[Finding, ...]]:
        """What explains the look, and what about it needs a person. Looks come in the order of time."""
        habits = self._habits[read.user]
        before = habits.refused_before(read)
        habits.see(read)
        usual_hour = habits.at_usual_hour(read)
        explained = explain(read, self.known, usual_hour=usual_hour)
        found = [*self._ties(read), *self._after_closure(read), *self._retried(read, before)]
        found += self._habitual(read, habits)
        if explained.timing is None:
            found.append(_of(read, Signal.OUT_OF_HOURS, once=(read.user, read.day.isoformat())))
        return explained, tuple(found)

    def _ties(self, read: Read) -> Iterator[Finding]:
        tie = closest_tie(read, self.known)
        if tie is not None:
            signal, person = tie
            yield _of(read, signal, person=person, once=(read.user, person, read.enquiry or ""))

    def _after_closure(self, read: Read) -> Iterator[Finding]:
        enquiry = self.known.enquiries.get(read.enquiry or "")
        if enquiry is None or enquiry.closed_at is None or read.at <= enquiry.closed_at:
            return
        if not in_time_to_write_up(enquiry.closed_at, read):
            yield _of(read, Signal.AFTER_CLOSURE, once=(read.user, read.enquiry or ""))

    def _retried(self, read: Read, before: Read | None) -> Iterator[Finding]:
        if before is None:
            return
        enquiry = self.known.enquiries.get(read.enquiry or "")
        # Somebody else works in the second enquiry too: the change of purpose is not one person's alone.
        if enquiry is not None and (enquiry.workers | {enquiry.opened_by}) - {read.user}:
            return
        person = min(before.persons & read.persons)
        once = (read.user, person, str(read.purpose))
        yield _of(read, Signal.RETRIED_PURPOSE, person=person, once=once, reads=(before.eid, read.eid))

    def _habitual(self, read: Read, habits: Habits) -> Iterator[Finding]:
        day, month = read.day.isoformat(), f"{read.day:%Y-%m}"
        flood = habits.flood(self.known.usual.get(read.role, 0.0))
        if flood:
            count = habits.occasions
            yield _of(read, Signal.VOLUME, once=(read.user, day), reads=flood, count=count)
        if read.kind == ReadKind.EMERGENCY and (declared := habits.emergencies(read.at, read.role)):
            once = (read.user, month)
            yield _of(read, Signal.REPEATED_EMERGENCY, once=once, reads=declared, count=len(declared))
        enquiry = self.known.enquiries.get(read.enquiry or "")
        if enquiry is not None and enquiry.opened_by == read.user:
            same = habits.boilerplate(read, enquiry.reason)
            if same:
                yield _of(read, Signal.BOILERPLATE, once=(read.user, month), count=same)
        if read.kind == ReadKind.SEARCH and (searches := habits.searches_without_view(read.at)):
            yield _of(read, Signal.SEARCH_WITHOUT_VIEW, once=(read.user, day), reads=searches, count=len(searches))


def _of(
    read: Read,
    signal: Signal,
    *,
    once: tuple[str, ...],
    person: str | None = None,
    reads: tuple[str, ...] | None = None,
    count: int = 1,
) -> Finding:
    return Finding(
        signal=signal,
        at=read.at,
        user=read.user,
        agency=read.agency,
        reads=(read.eid,) if reads is None else reads,
        once=(signal, *once),
        person=person,
        enquiry=read.enquiry,
        count=count,
    )
