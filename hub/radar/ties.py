"""Ties between a user and the persons of a look: a private interest that the work does not explain.

For: threats of the kind "looks up a relative, a neighbour, a colleague, somebody famous". Source: the categories of
privacy alerts of the NHS Confidentiality Policy 2024 (self, same surname, same address, colleague, VIP), and rules
P33 to P36. Must never say which person to anybody but the decision of what to show: a finding holds an opaque id.
"""

from collections.abc import Iterator

from hub.radar.facts import Known
from hub.radar.reads import Read, ReadKind, Signal

#: Who is found by chance in a longer list of candidates says nothing about whom somebody looked for.
FEW = 2


def closest_tie(read: Read, known: Known) -> tuple[Signal, str] | None:
    """The closest tie between the user and a person of this look, with the person's id; None when there is none."""
    if not read.persons or (read.kind == ReadKind.SEARCH and len(read.persons) > FEW):
        return None
    found = sorted(_ties(read, known), key=lambda tie: (_CLOSENESS[tie[0]], tie[1]))
    return found[0] if found else None


_CLOSENESS = {signal: place for place, signal in enumerate(Signal)}


def _ties(read: Read, known: Known) -> Iterator[tuple[Signal, str]]:
    user = known.user(read.user)
    for person in read.persons:
        if person in user.own:
            yield Signal.SELF, person
        elif person in user.family:
            yield Signal.RELATIVE, person
        about = known.person(person)
        if about.addresses & user.addresses and person not in user.own:
            yield Signal.SAME_ADDRESS, person
        if read.kind == ReadKind.SEARCH or read.persons & user.caseload:
            continue  # Whose case it is meets colleagues, public figures and namesakes by their work.
        if read.agency in about.staff_of:
            yield Signal.COLLEAGUE, person
        if about.vip:
            yield Signal.VIP, person
        if about.surnames & user.surnames:
            yield Signal.SAME_SURNAME, person
