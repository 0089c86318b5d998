"""A made-up year on which the radar is tried: ordinary work with what looks like misuse and is none, and seeded misuse.

For: `python -m hub bench radar` and a small cut in the tests. Nobody in it is real and nothing of it is stored. What
it cannot show is said by the command: whether real work looks like this, and misuse that no record gives away.
"""

from hub.radar.trial.measure import Measured, measure

__all__ = ["Measured", "measure"]
