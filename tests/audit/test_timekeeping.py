"""Whoever moves the clock gets no record, and so no disclosure; and a quiet trail still shows that it lives."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

import audit
from tests.audit.conftest import NOW, TrailMaker, disclosure, search
from tests.audit.test_trail import count


class Times:
    """A clock and a steady count, moved apart at will."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.moved = timedelta()

    def clock(self) -> datetime:
        return NOW + timedelta(seconds=self.passed_s) + self.moved

    def steady(self) -> float:
        return 5000.0 + self.passed_s


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.mark.parametrize(
    "moved", [timedelta(days=1), timedelta(days=-1), timedelta(seconds=61), -timedelta(seconds=61)]
)
def test_while_the_clock_is_wrong_nothing_is_recorded_but_one_alarm_and_it_heals_by_itself(
    engine: Engine, open_trail: TrailMaker, times: Times, moved: timedelta
) -> None:
    trail = open_trail(engine, clock=times.clock, steady=times.steady)
    trail.append("search", now=times.clock(), **search())
    times.passed_s, times.moved = 100.0, moved
    for _ in range(3):
        with pytest.raises(audit.TrailUnavailable, match="clock"):
            trail.append("disclosure:made", now=times.clock(), subjects=["person-1"], **disclosure())
    times.moved = timedelta()
    trail.append("search", now=times.clock(), **search())
    alarms = [entry for entry in trail.events() if entry.kind == "alarm"]
    assert [alarm.fields["reason"] for alarm in alarms] == ["CLOCK_JUMP"]
    word = "ahead" if moved > timedelta() else "behind"
    assert alarms[0].fields["object"]["id"] == f"{word}-{abs(moved.total_seconds()):.0f}s"
    assert datetime.fromtimestamp(alarms[0].t / 1000, UTC) == NOW + timedelta(seconds=100)
    assert count(engine) == 3


def test_a_clock_that_goes_with_the_steady_count_is_right(
    sqlite_engine: Engine, open_trail: TrailMaker, times: Times
) -> None:
    trail = open_trail(sqlite_engine, clock=times.clock, steady=times.steady)
    times.passed_s, times.moved = 90 * 86400.0, timedelta(seconds=59)
    trail.append("search", now=times.clock(), **search())


def test_a_hub_whose_clock_is_behind_its_own_trail_does_not_start(
    engine: Engine, open_trail: TrailMaker, times: Times, tmp_path: object
) -> None:
    first = open_trail(engine, clock=times.clock, steady=times.steady, state_folder=tmp_path)
    first.append("search", now=times.clock(), **search())
    first.close()
    times.moved = -timedelta(days=1)
    with pytest.raises(audit.TrailUnavailable, match="1 day, 0:00:00 behind the newest entry"):
        open_trail(engine, clock=times.clock, steady=times.steady, state_folder=tmp_path)
    times.moved = -timedelta(seconds=59)
    open_trail(engine, clock=times.clock, steady=times.steady, state_folder=tmp_path)


def test_a_quiet_trail_beats_once_an_hour(engine: Engine, open_trail: TrailMaker, times: Times) -> None:
    trail = open_trail(engine, clock=times.clock, steady=times.steady)
    trail.head()
    times.passed_s = 3599.0
    assert trail.beat() is None
    times.passed_s = 3600.0
    beat = trail.beat()
    assert beat is not None
    assert trail.entry(beat.eid).fields["action"] == "HEARTBEAT"
    assert trail.beat() is None
    times.passed_s = 7000.0
    trail.entry(trail.append("search", now=times.clock(), **search()).eid)
    times.passed_s = 7300.0
    assert trail.beat() is None
