"""The misuse radar: which looks at people's information need a person's second look, and what explains all others.

For: information governance, through `hub.desk`. Pure: no clock, no database, no network. Must never hold or say a name,
an address or anything that was shown: persons are opaque ids, addresses and surnames keyed marks. A finding is a
question to a person, never a verdict on one. Threats 12 to 14 of docs/threat-model.md.
"""

from hub.radar.agencies import Asked, under_sharing
from hub.radar.explain import Explanation, Relation, Timing, explain
from hub.radar.facts import EnquiryFacts, Known, PersonFacts, UserFacts
from hub.radar.reads import Finding, Read, ReadKind, Signal
from hub.radar.sweep import WINDOW_DAYS, Radar
from hub.radar.usual import usual_per_day

__all__ = [
    "WINDOW_DAYS",
    "Asked",
    "EnquiryFacts",
    "Explanation",
    "Finding",
    "Known",
    "PersonFacts",
    "Radar",
    "Read",
    "ReadKind",
    "Relation",
    "Signal",
    "Timing",
    "UserFacts",
    "explain",
    "under_sharing",
    "usual_per_day",
]
