"""People across agencies: who is the same person, and who is family; see docs/matching.md."""

from hub.people.families import Family, Member, family_of
from hub.people.index import Candidate, CandidateList, candidates
from hub.people.linking import relink
from hub.people.living import Household
from hub.people.persons import current_person, former_persons, joined_persons, records_of, records_of_persons
from hub.people.query import CandidateQuery, parse_box
from hub.people.refresh import RefreshReport, refresh
from hub.people.review import keep_apart
from hub.people.said import age_on
from hub.people.ties import Relation

__all__ = [
    "Candidate",
    "CandidateList",
    "CandidateQuery",
    "Family",
    "Household",
    "Member",
    "RefreshReport",
    "Relation",
    "age_on",
    "candidates",
    "current_person",
    "family_of",
    "former_persons",
    "joined_persons",
    "keep_apart",
    "parse_box",
    "records_of",
    "records_of_persons",
    "refresh",
    "relink",
]
