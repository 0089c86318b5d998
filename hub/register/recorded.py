"""What the trail says of agreements: which text of each version was put in force last, and which proposals were ended.

For: `hub.register.standing`. The trail is what counts and the tables hold only the words: a row that is taken away, put
back or brought into another order is noticed, because nobody can take away its event. Must never count a change that
starts from a text which was not in force any more when the trail recorded it. Ruled by
docs/adr/0007-agreements-are-changed-in-the-register.md.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from audit import Entry
from policies.vocabulary import AgreementStatus

#: Actions of `agreement:*` events; permanent, like every code in the trail.
ENACTED, NOT_ENACTED = "ENACTED", "NOT_ENACTED"
#: The type of the object that such an event is about: the act, with the hash of the text that it starts from.
CHANGE = "agreement-change"
#: How a proposal ends without coming into force.
REJECTED, WITHDRAWN = "REJECTED", "WITHDRAWN"

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Enacted:
    """The event that put a version where it stands, the hash of its text, and the act that it came of."""

    eid: str
    hash: str
    cause: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What stands, by reference and version; every event and act that ever counted; proposals ended, and how."""

    standing: Mapping[Key, Enacted] = field(default_factory=dict)
    counted: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()
    #: Versions that an act of the register has brought into force at some time.
    begun: frozenset[Key] = frozenset()
    ended: Mapping[str, str] = field(default_factory=dict)


def read_recorded(events: Iterable[Entry]) -> Recorded:
    """Follows the events in their order. Of two changes that start from the same text the earlier one counts."""
    found = [entry for entry in events if entry.fields.get("object", {}).get("type") == CHANGE]
    undone = {eid for entry in found if entry.fields.get("action") == NOT_ENACTED for eid in _refers(entry)}
    standing: dict[Key, Enacted] = {}
    counted, causes, begun, ended = set(), set(), set(), {}
    for entry in found:
        action, about = entry.fields.get("action"), entry.fields["object"]
        if action in (REJECTED, WITHDRAWN):
            ended[about["id"]] = str(action)
        if action != ENACTED or entry.eid in undone:
            continue
        one = entry.fields["agreement"][0]
        key = (one["ref"], int(one["version"]))
        if key in standing and about.get("hash", standing[key].hash) != standing[key].hash:
            continue
        standing[key] = Enacted(entry.eid, one["hash"], about["id"])
        counted.add(entry.eid)
        causes.add(about["id"])
        if entry.fields.get("outcome") == AgreementStatus.ACTIVE:
            begun.add(key)
    return Recorded(standing, frozenset(counted), frozenset(causes), frozenset(begun), ended)


def _refers(entry: Entry) -> list[str]:
    found: list[str] = entry.fields.get("refers", [])
    return found
