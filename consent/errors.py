"""Why a record of consent cannot be made.

For: everything that this package refuses. Must never carry personal data: the sentence is shown and logged.
"""


class ConsentError(Exception):
    """A record cannot be made so; the sentence says why."""
