"""Holds the clock against a steady count, and beats once an hour when nothing else is written.

For: `Trail`, which refuses to write while the clock is not what it should be: whoever moves it would revive what has
ended, or date back what happens now. Must never correct a clock. Ruled by `docs/audit-format.md`.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from audit.errors import TrailUnavailable
from audit.events import milliseconds

#: How far the clock may be from the steady count, in milliseconds (threat 28: a skew of more than 60 s is an alarm).
MOST_SKEW_MS = 60_000
#: After so long without growth there is a heartbeat: an entry that shows that the trail lives and is whole.
HEARTBEAT_S = 3600
#: How often the pulse looks, in seconds.
_LOOK_S = 30.0

#: Seconds that only ever pass, also while the machine sleeps.
Steady = Callable[[], float]


def since_boot() -> float:
    """Seconds since the machine started, those of its sleep included where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Timekeeper:
    """What time it should be, from the clock at the start and a steady count since."""

    def __init__(self, clock: Callable[[], datetime], steady: Steady | None) -> None:
        self._clock = clock
        self._steady = steady
        self._begun_ms = 0
        self._begun_s = 0.0
        self._lock = threading.Lock()
        self._told = False

    def begin(self, newest_ms: int | None, *, whole: bool) -> None:
        """Takes the clock as right from now on, unless it is behind what was recorded.

        Takes: `newest_ms`, the time of the newest entry; `whole`, whether a remembered head stands beside the trail:
        whoever removed it starts on purpose. Raises: TrailUnavailable.
        """
        if self._steady is None:
            return
        now_ms = milliseconds(self._clock())
        if newest_ms is not None and whole and now_ms < newest_ms - MOST_SKEW_MS:
            behind = timedelta(milliseconds=newest_ms - now_ms)
            raise TrailUnavailable(
                f"The clock is {behind} behind the newest entry: set it right. If that entry's time was wrong, see"
                " docs/operating.md."
            )
        self._begun_ms, self._begun_s = now_ms, self._steady()

    def require(self) -> None:
        """Raises: TrailUnavailable, while the clock is not what it should be."""
        if abs(self._skew()[0]) > MOST_SKEW_MS:
            raise TrailUnavailable("The clock is not what it should be.")

    def jumped(self) -> tuple[int, datetime] | None:
        """The skew in whole seconds and the time that it should be, once for each time that the clock goes wrong."""
        skew_ms, now_ms = self._skew()
        with self._lock:
            wrong = abs(skew_ms) > MOST_SKEW_MS
            told, self._told = self._told, wrong
        if not wrong or told:
            return None
        return skew_ms // 1000, datetime.fromtimestamp((now_ms - skew_ms) / 1000, UTC)

    def _skew(self) -> tuple[int, int]:
        """How far the clock is ahead of what it should be, and what it says; nothing when nobody watches."""
        if self._steady is None:
            return 0, 0
        now_ms = milliseconds(self._clock())
        return now_ms - self._begun_ms - int((self._steady() - self._begun_s) * 1000), now_ms


class Pulse:
    """A thread that calls something every half minute."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit-pulse", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; does not wait for a beat that is under way."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_S):
            self._beat()
