"""Why a look was to be expected: the tie that the work gives, and the hour at which that work is done.

For: every look, so that people look only at what is left. An explanation is not a justification: it says what the
enquiry, the rota, the caseload and the practice's list say, and nothing about what was in anybody's mind.
"""

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from hub.radar.facts import Known
from hub.radar.reads import Read, ReadKind
from hub.working_days import is_working_day, working_day_after
from policies.vocabulary import Role

#: When offices work, with what people add at both ends; London time.
OFFICE = (time(7), time(20))
#: When somebody may work on their own case; and until when the work of the day may be finished at home.
AWAKE = (time(7), time(23))
#: Roles whose work is by day and by night, where nobody sends a rota.
ROUND_THE_CLOCK = frozenset({Role.EDT_WORKER, Role.POLICE_MASH_SUPERVISOR, Role.GP_CLINICIAN, Role.GP_CARE_COORDINATOR})


class Relation(StrEnum):
    """What ties the user to the persons of a look; from the strongest to the weakest."""

    CASELOAD = "CASELOAD"
    REGISTERED_LIST = "REGISTERED_LIST"
    OWN_ENQUIRY = "OWN_ENQUIRY"
    TEAM_ENQUIRY = "TEAM_ENQUIRY"


class Timing(StrEnum):
    """What explains the hour."""

    ON_SHIFT = "ON_SHIFT"
    OFFICE_HOURS = "OFFICE_HOURS"
    ROUND_THE_CLOCK = "ROUND_THE_CLOCK"
    USUAL_FOR_THEM = "USUAL_FOR_THEM"
    THEIR_CASE = "THEIR_CASE"


@dataclass(frozen=True, slots=True)
class Explanation:
    """None stands for: nothing that the hub knows explains it."""

    relation: Relation | None
    timing: Timing | None

    @property
    def is_whole(self) -> bool:
        """Whether both the tie and the hour are explained."""
        return self.relation is not None and self.timing is not None


def explain(read: Read, known: Known, *, usual_hour: bool = False) -> Explanation:
    """What explains a look. Takes `usual_hour`: the user has long worked at such hours."""
    relation = _relation(read, known)
    timing = _timing(read, known, usual_hour=usual_hour)
    # Whoever holds a case and sends no rota also works on it in the evening and at the weekend, never by night.
    if timing is None and relation == Relation.CASELOAD and known.rota(read.user, read.at) is None:
        timing = Timing.THEIR_CASE if AWAKE[0] <= read.local.time() < AWAKE[1] else None
    return Explanation(relation, timing)


def _relation(read: Read, known: Known) -> Relation | None:
    if read.persons and read.persons & known.user(read.user).caseload:
        return Relation.CASELOAD
    if read.kind == ReadKind.CHECK:
        if not read.persons or any(read.agency in known.person(p).registered for p in read.persons):
            return Relation.REGISTERED_LIST
        return None
    enquiry = known.enquiries.get(read.enquiry or "")
    if enquiry is None or enquiry.agency != read.agency or read.at < enquiry.opened_at:
        return None
    if enquiry.closed_at is not None and not in_time_to_write_up(enquiry.closed_at, read):
        return None
    # A search finds people who are not of the enquiry; a view shows the family of those who are.
    if read.kind != ReadKind.SEARCH and read.persons and not read.persons & enquiry.persons:
        return None
    return Relation.OWN_ENQUIRY if enquiry.opened_by == read.user else Relation.TEAM_ENQUIRY


def _timing(read: Read, known: Known, *, usual_hour: bool) -> Timing | None:
    on_shift = known.rota(read.user, read.at)
    if on_shift:
        return Timing.ON_SHIFT
    if on_shift is False:
        return None
    if in_office_hours(read.local):
        return Timing.OFFICE_HOURS
    if read.role in ROUND_THE_CLOCK:
        return Timing.ROUND_THE_CLOCK
    return Timing.USUAL_FOR_THEM if usual_hour else None


def in_office_hours(local: datetime) -> bool:
    """Whether offices work at this moment of London time."""
    return is_working_day(local.date()) and OFFICE[0] <= local.time() < OFFICE[1]


def in_time_to_write_up(closed_at: datetime, read: Read) -> bool:
    """Whether a look after the end still belongs to it: whoever made the referral hears within a working day."""
    return read.day <= working_day_after(closed_at.astimezone(read.local.tzinfo).date())
