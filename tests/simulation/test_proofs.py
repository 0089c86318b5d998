"""Small cuts of what `python -m tests.simulation` proves at full size, with the wrong builds that must be caught."""

from pathlib import Path

import pytest

from tests.simulation import erasing, failing, flips, frozen, kill, order, power, reconciling, scale
from tests.simulation.trace import StraceMissing, strace


def test_nothing_acknowledged_is_lost_or_changed_when_the_writer_is_killed() -> None:
    survived = kill.on_sqlite(3, seed=1)
    assert (survived.missing, survived.changed) == (0, 0)
    assert survived.acknowledged > 3


@pytest.mark.postgresql
def test_nothing_acknowledged_is_lost_or_changed_when_a_worker_or_the_leader_is_killed(postgresql_url: str) -> None:
    survived = kill.on_postgresql(postgresql_url, 3, seed=1)
    assert (survived.missing, survived.changed) == (0, 0)
    assert survived.acknowledged > 3


@pytest.mark.parametrize("fault", failing.FAULTS)
def test_when_the_record_cannot_be_written_no_byte_about_a_person_leaves(fault: str) -> None:
    refused = failing.meet(fault)
    assert refused.leaked == 0
    # A few that were handed in together may still find room, and are recorded before they are answered.
    assert refused.refused == refused.with_retry_after >= refused.answers * 3 // 4
    assert refused.healed


@pytest.mark.postgresql
def test_a_leader_that_was_frozen_and_deposed_signs_nothing_when_it_wakes(postgresql_url: str) -> None:
    found = frozen.freeze(postgresql_url, 1)
    assert (found.undeposed, found.forked) == (0, 0)
    assert (found.survived.missing, found.survived.changed) == (0, 0)
    assert found.survived.acknowledged > 20


@pytest.mark.parametrize(
    ("wrong", "left"), [("", (False, False)), ("plain", (True, True)), ("row-only", (False, True))]
)
def test_no_byte_of_who_was_erased_is_left_and_an_older_copy_brings_nobody_back(
    tmp_path: Path, wrong: str, left: tuple[bool, bool]
) -> None:
    found = erasing.erase_all(f"sqlite:///{tmp_path}/kith.sqlite", 8, wrong=wrong)
    assert (bool(found.hits), bool(found.brought_back)) == left
    assert (found.receipts, found.refused, found.others) == (8, 0, 4)


@pytest.mark.parametrize("wrong", ["", "unrecorded", "left-out", "uncounted"])
def test_what_partners_counted_is_what_the_trail_says(wrong: str) -> None:
    found = reconciling.compare(60, seed=5, wrong=wrong)
    assert all(one.exact and one.as_known for one in found.values()) == (wrong == "")


def test_a_bit_that_is_flipped_is_found() -> None:
    assert flips.flip(80, seed=3).missed == ()


def test_the_measurement_at_scale_measures_a_trail_that_verifies() -> None:
    lines = list(scale.run(700))
    assert lines[0] == "701 entries: VERIFIED"


@pytest.fixture(scope="module")
def traced() -> None:
    """From outside a process only strace sees what it does: installed by `make test`."""
    try:
        strace(__file__)  # type: ignore[arg-type]
    except StraceMissing as missing:
        pytest.fail(str(missing))


@pytest.mark.usefixtures("traced")
def test_no_answer_leaves_before_its_record_is_on_the_disk_and_two_wrong_builds_are_caught() -> None:
    assert order.watch(24) == order.Watched(24, 0)
    for wrong in ("early", "unsynced"):
        assert order.watch(12, wrong=wrong).early > 0


@pytest.mark.usefixtures("traced")
def test_no_power_cut_loses_what_was_acknowledged_and_a_build_that_does_not_sync_is_caught(tmp_path: object) -> None:
    for wrong in ("", "unsynced"):
        folder = tmp_path / (wrong or "right")  # type: ignore[operator]
        folder.mkdir()
        before, calls = power.record(folder, 40, wrong=wrong)
        lost = power.replay(before, calls, states=80, seed=5)
        assert lost.acknowledged >= 30
        assert bool(lost.states_with_loss or lost.unopenable) == bool(wrong)
