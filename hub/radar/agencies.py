"""Under-sharing: an agency that answers far less than the others do, and than it did itself.

For: the other half of the harm - what was not shared. An agency is asked, never a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from hub.radar.reads import Finding, Signal

#: Fewer questions than this in a month say nothing.
FEWEST = 20
#: The share without an answer that is asked about: three of ten, and three times what is usual elsewhere and before.
SHARE, TIMES, FLOOR = 0.30, 3.0, 0.05


@dataclass(frozen=True, slots=True)
class Asked:
    """What an agency was asked in a month: how often, and how often it withheld or did not answer."""

    questions: int
    withheld: int
    no_answer: int

    @property
    def share(self) -> float:
        """The share that brought nothing from the agency itself."""
        return (self.withheld + self.no_answer) / self.questions if self.questions else 0.0


def under_sharing(
    month: date, now: Mapping[str, Asked], before: Mapping[str, Sequence[Asked]], *, at: datetime
) -> tuple[Finding, ...]:
    """Agencies to ask about a month.

    Takes: `now`, what each agency was asked in the month that begins on `month`; `before`, the same for some months
    ahead of it. An agency is asked about when three in ten questions brought nothing, and three times as many as at
    the agency in the middle and in its own month in the middle; with no past, the others alone count.
    """
    found = []
    for agency, asked in sorted(now.items()):
        others = [o.share for code, o in now.items() if code != agency and o.questions >= FEWEST]
        past = [month.share for month in before.get(agency, ()) if month.questions >= FEWEST]
        usual = [median(shares) for shares in (others, past) if shares]
        if asked.questions < FEWEST or not usual or asked.share < max(SHARE, TIMES * max(FLOOR, *usual)):
            continue
        found.append(
            Finding(
                signal=Signal.UNDER_SHARING,
                at=at,
                user=None,
                agency=agency,
                reads=(),
                once=(Signal.UNDER_SHARING, agency, month.isoformat()),
                count=asked.withheld + asked.no_answer,
            )
        )
    return tuple(found)
