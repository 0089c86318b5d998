"""Every recorded decision with what it was made of, so that it can be made again and give the same answer.

Ruled by docs/adr/0005-decisions-can-be-made-again.md. The trail says what was decided; this room holds why it could
only be decided so, sealed for each person it is about.
"""

from hub.decisions.again import OUTCOMES, SAME, Page, Replayed, compare, page_of, pages, replay
from hub.decisions.records import forget_month, keep
from hub.decisions.tables import metadata

__all__ = [
    "OUTCOMES",
    "SAME",
    "Page",
    "Replayed",
    "compare",
    "forget_month",
    "keep",
    "metadata",
    "page_of",
    "pages",
    "replay",
]
