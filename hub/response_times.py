"""How long an agency whose people answer by hand has for it, as its partnership agreed.

For: the clock of each request in an inbox. Pure. An urgent request runs through nights and weekends; with a day or
more, only working days count, so that what is asked on Friday afternoon is due on Monday afternoon.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from connectors import Partner, Reply
from hub.casefile import LONDON, CaseFile, london
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.working_days import is_working_day
from policies import Agreement, SharingAgreement, in_force
from policies.vocabulary import BragRating

#: Hours to answer where an agreement does not say: usual practice of safeguarding hubs.
USUAL_HOURS = MappingProxyType({BragRating.RED: 4, BragRating.AMBER: 24, BragRating.GREEN: 72, BragRating.BLUE: 72})
#: From so many hours on, only working days count.
WORKING_DAYS_FROM_H = 24


def for_case(agreements: Iterable[SharingAgreement], case: CaseFile, owner: str) -> Reply | None:
    """The clock of a question to `owner` that is put now; None outside an enquiry: nobody is asked by hand there."""
    episode = case.episode
    if episode is None:
        return None
    now = case.now.astimezone(UTC)
    hours = hours_for(agreements, owner, case.recipient.agency, case.purpose, episode.brag, case.today)
    return Reply(episode.id, str(episode.brag), now, after(now, hours / 2, hours), after(now, hours, hours))


def due_by(
    agreements: Iterable[SharingAgreement], enquiry: Enquiry, ctx: RequestContext, owner: Partner
) -> datetime | None:
    """Until when an agency whose people answer has time about an enquiry as a whole; None for one that has a system."""
    if owner.way != "inbox":
        return None
    today = london(ctx.now).date()
    hours = hours_for(agreements, owner.code, ctx.actor.agency, enquiry.purpose, enquiry.brag, today)
    return after(enquiry.opened_at, hours, hours)


def hours_for(
    agreements: Iterable[SharingAgreement], owner: str, recipient: str, purpose: str, urgency: BragRating, today: date
) -> int:
    """The shortest time of all agreements in force between the two that cover the purpose."""
    targets = [
        one.response_targets[urgency]
        for one in in_force(agreements, today)
        if urgency in one.response_targets and _covers(one.for_decision(), owner, recipient, purpose)
    ]
    return min(targets, default=USUAL_HOURS[urgency])


def after(start: datetime, hours: float, whole: float) -> datetime:
    """The moment when so many of the `whole` hours are over that an agency has."""
    if whole < WORKING_DAYS_FROM_H:
        return start + timedelta(hours=hours)
    left, at = timedelta(hours=hours), london(start)
    while True:
        midnight = datetime.combine(at.date() + timedelta(days=1), time(0), LONDON)
        if is_working_day(at.date()):
            # Zone-aware times of one zone are subtracted as wall-clock times; a change of clocks costs nobody an hour.
            today_left = midnight - at
            if left <= today_left:
                return (at + left).astimezone(start.tzinfo)
            left -= today_left
        at = midnight


def _covers(one: Agreement, owner: str, recipient: str, purpose: str) -> bool:
    return (
        owner in one.disclosers
        and recipient in one.recipients
        and any(purpose in clause.purposes for clause in one.clauses)
    )
