"""What is usual: how much users of a role do on a busy day, and at which hours a user has long worked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from policies.vocabulary import Role

#: A busy day is one that so many in a hundred days are not above.
BUSY = 90
#: Below so many days nobody can say what is usual.
FEWEST_DAYS = 10


def busy_day(counts: Sequence[int]) -> float:
    """The count that nine of ten days stay at or below (nearest rank); 0 for no day."""
    if not counts:
        return 0.0
    ordered = sorted(counts)
    return float(ordered[min(len(ordered) - 1, -(-len(ordered) * BUSY // 100) - 1)])


def usual_per_day(days: Iterable[tuple[Role, int]]) -> Mapping[Role, float]:
    """What users of each role do on a busy day.

    Takes: one pair per user and day on which they did something: their role, and on how many occasions they looked
    (an enquiry counts once a day, however many looks it takes). Roles with fewer than ten days are left out.
    """
    found: dict[Role, list[int]] = defaultdict(list)
    for role, count in days:
        found[role].append(count)
    return {role: busy_day(counts) for role, counts in found.items() if len(counts) >= FEWEST_DAYS}
