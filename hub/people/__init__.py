"""People across agencies: who is the same person, and who is family; see docs/matching.md."""

from hub.people.index import (
    Candidate,
    CandidateList,
    age_on,
    candidates,
    current_person,
    records_of,
    records_of_persons,
)
from hub.people.query import CandidateQuery, parse_box
from hub.people.refresh import RefreshReport, keep_apart, refresh, relink

__all__ = [
    "Candidate",
    "CandidateList",
    "CandidateQuery",
    "RefreshReport",
    "age_on",
    "candidates",
    "current_person",
    "keep_apart",
    "parse_box",
    "records_of",
    "records_of_persons",
    "refresh",
    "relink",
]
