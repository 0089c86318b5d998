"""What the radar looks at, one look of one user at a time, and what it finds."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from policies.vocabulary import Role

LONDON = ZoneInfo("Europe/London")


class ReadKind(StrEnum):
    """How somebody looked, as the trail tells it."""

    SEARCH = "SEARCH"
    VIEW = "VIEW"
    REFUSED = "REFUSED"
    CHECK = "CHECK"
    EMERGENCY = "EMERGENCY"


class Signal(StrEnum):
    """Why a look needs a second look: a closed list. The first ones are ties, from the closest to the loosest."""

    SELF = "SELF"
    RELATIVE = "RELATIVE"
    SAME_ADDRESS = "SAME_ADDRESS"
    COLLEAGUE = "COLLEAGUE"
    VIP = "VIP"
    SAME_SURNAME = "SAME_SURNAME"
    AFTER_CLOSURE = "AFTER_CLOSURE"
    RETRIED_PURPOSE = "RETRIED_PURPOSE"
    VOLUME = "VOLUME"
    OUT_OF_HOURS = "OUT_OF_HOURS"
    REPEATED_EMERGENCY = "REPEATED_EMERGENCY"
    BOILERPLATE = "BOILERPLATE"
    SEARCH_WITHOUT_VIEW = "SEARCH_WITHOUT_VIEW"
    UNDER_SHARING = "UNDER_SHARING"
    #: The decision or another part of the hub raised the alarm; its reason stands with it.
    ALARM = "ALARM"


@dataclass(frozen=True, slots=True)
class Read:
    """One look. `persons` are opaque ids; `shows` says whether anything of anybody was shown."""

    eid: str
    at: datetime
    user: str
    agency: str
    role: Role
    kind: ReadKind
    purpose: str | None
    enquiry: str | None
    persons: frozenset[str]
    shows: bool = True

    @property
    def local(self) -> datetime:
        """The moment as London's clocks show it."""
        return self.at.astimezone(LONDON)

    @property
    def day(self) -> date:
        """London's calendar day."""
        return self.local.date()


@dataclass(frozen=True, slots=True)
class Finding:
    """A question for information governance. `count` is what was counted; `once` makes the same question one."""

    signal: Signal
    at: datetime
    user: str | None
    agency: str
    reads: tuple[str, ...]
    once: tuple[str, ...]
    person: str | None = None
    enquiry: str | None = None
    count: int = 1
