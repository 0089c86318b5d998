"""Which dwelling of a protected person counts as left, so that whoever stayed there is not hidden with them."""

from datetime import date

import pytest

from connectors import Address, Person, SourceRecord
from hub.members import _left_behind
from policies.vocabulary import SubjectFlag

TODAY = date(2026, 6, 1)
OLD, REFUGE = "102foundryroadth76fd", "6shearwatercourtth64sj"
AT = {OLD: ("102 Foundry Road", "TH7 6FD"), REFUGE: ("6 Shearwater Court", "TH6 4SJ")}


def told(home: str, start: str | None, end: str | None = None, *, flagged: bool = True) -> SourceRecord:
    """What one agency says of where a person lives."""
    line, postcode = AT[home]
    flags = frozenset({SubjectFlag.FLEEING_DA}) if flagged else frozenset()
    days = (date.fromisoformat(day) if day else None for day in (start, end))
    person = Person(addresses=(Address(line1=line, postcode=postcode),))
    return SourceRecord("csc", "1", person, None, None, flags, *days)


@pytest.mark.parametrize(
    ("records", "left"),
    [
        pytest.param([told(REFUGE, "2026-03-01")], set(), id="lives there"),
        pytest.param([told(OLD, "2020-01-01", "2026-03-01")], {OLD}, id="ended and nobody has them there"),
        pytest.param([told(REFUGE, "2026-03-01", "2026-05-01"), told(REFUGE, "2026-03-02")], set(), id="one ended"),
        pytest.param(
            [told(REFUGE, "2026-03-01", "2026-05-01"), told(REFUGE, "2026-03-02"), told(OLD, "2025-01-01")],
            set(),
            id="a service ended at the refuge, and an older flagged record names the old home",
        ),
        pytest.param(
            [told(OLD, "2020-01-01", "2026-05-01"), told(OLD, "2025-01-01"), told(REFUGE, "2026-03-01")],
            {OLD},
            id="a flagged record has them elsewhere since later",
        ),
        pytest.param(
            [told(OLD, "2020-01-01", "2026-05-01"), told(OLD, None), told(REFUGE, "2026-03-01")],
            set(),
            id="nobody knows since when the other record has them there",
        ),
        pytest.param(
            [told(OLD, "2020-01-01", "2026-05-01"), told(OLD, "2025-01-01"), told(REFUGE, "2026-03-01", flagged=False)],
            set(),
            id="what has them elsewhere carries no flag",
        ),
    ],
)
def test_only_what_was_surely_left_counts_as_left(records: list[SourceRecord], left: set[str]) -> None:
    assert _left_behind(records, TODAY) == left
