"""Which services a page for families may name as having to do with the reader, and from when on.

For: every page that a member of the public reads, often with somebody else beside them. A kind of service is named only
when it stands on the list here; a kind that nobody thought of is not. Must never look at who asks: the answers are
the same for everybody, so that none of them tells that somebody is looking into a worry.
"""

from datetime import date, timedelta

from connectors import Partner
from policies.vocabulary import AgencyType

#: That one of these knows a grown-up is true of nearly everybody, and says nothing about anybody else.
MAY_BE_NAMED = frozenset({AgencyType.GP_PRACTICE, AgencyType.ACUTE_TRUST, AgencyType.HOUSING_AUTHORITY})
#: What is younger is not told. Longer than any enquiry lives (hub.enquiries.ENDS_AFTER_DAYS): what one brought about
#: is not told while it may be open, whether or not there is one.
TOLD_AFTER_DAYS = 90
A_SERVICE = "a service"


def may_be_named(partner: Partner | None) -> bool:
    """Whether a page may say that this service has to do with the reader. None, an agency unknown here: never."""
    return partner is not None and partner.type in MAY_BE_NAMED and not partner.competent_authority


def told_before(today: date) -> date:
    """What began before this day may be told: the same day for everybody, moved on the first of each month only."""
    return today.replace(day=1) - timedelta(days=TOLD_AFTER_DAYS)
