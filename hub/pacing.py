"""Evens out how long an answer takes, where the time alone would tell what the answer does not.

For: refusals and empty answers that must look alike. To open somebody's records and decide about them takes longer than
to find that there is nobody; so such an answer leaves at the next full step of time since the question, and both take
the same one. Must never be used where a person waits for help: the steps are shorter than anybody notices.
OWASP ASVS 5.0 section 2.4 and 6.3; the classes are measured by `python -m hub bench existence`.
"""

import math
import time
from collections.abc import Callable

#: Seconds of one step. The work behind an answer of the kind stays well below it on a small machine.
CHECK_STEP_S = 0.04
SEARCH_STEP_S = 0.08
RECEIPT_STEP_S = 0.03


def begin() -> float:
    """The moment of the question, for `even_out`."""
    return time.monotonic()


def even_out(
    begun: float,
    step_s: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Waits until a whole number of steps has passed since the question. Effects: the caller's thread sleeps."""
    passed = clock() - begun
    wait(max(1, math.ceil(passed / step_s)) * step_s - passed)
