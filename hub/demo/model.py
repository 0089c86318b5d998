"""What the demo county is made of: the truth, and what each agency believes.

For: one set of frozen values that the files, the stand-ins and the tests all read. The truth (who a record
is really about) must never reach a partner's files: only `County.truth` holds it. Ruled by the public drafts
PUB01 (people) and PUB02 (service episodes and life events) of the MAIS standard, July 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connectors import (
    NHS_NUMBER,
    Address,
    Contact,
    Identifier,
    Name,
    PartialDate,
    Person,
    PersonRelationship,
    SourceRecord,
    record_system,
)
from policies.vocabulary import DataCategory, SubjectFlag

__all__ = [
    "AGENCIES",
    "AGENCY_CODES",
    "DESKS",
    "NHS_NUMBER",
    "Address",
    "Agency",
    "Contact",
    "County",
    "Happening",
    "Identifier",
    "Involvement",
    "Name",
    "Part",
    "PartialDate",
    "Person",
    "PersonRelationship",
    "Professional",
    "Relation",
    "Residence",
    "SourceRecord",
    "TruePerson",
    "record_system",
]


@dataclass(frozen=True, slots=True)
class Agency:
    """One partner of the demo partnership. `style` is how its own record ids look."""

    code: str
    name: str
    way: str
    style: str
    lines: tuple[str, str]


#: The eight partners; the two lines are in hours and out of hours.
AGENCIES: tuple[Agency, ...] = (
    Agency("csc", "Thornshire Children's Social Care", "extract", "C{:06d}", ("01632 960100", "01632 960199")),
    Agency("asc", "Thornshire Adult Social Care", "extract", "A-{:05d}", ("01632 960200", "01632 960299")),
    Agency("police", "Thornshire Police", "sql", "NOM{:07d}", ("01632 960300", "01632 960399")),
    Agency("gp-millbrook", "Millbrook Surgery", "fhir", "mb-{:05d}", ("01632 960400", "01632 960499")),
    Agency("gp-harbourside", "Harbourside Practice", "fhir", "hs-{:05d}", ("01632 960500", "01632 960599")),
    Agency("hv", "Thornshire 0-19 Health Visiting", "extract", "HV{:05d}", ("01632 960600", "01632 960699")),
    Agency("housing", "Thornshire Homes", "extract", "P/{:06d}", ("01632 960700", "01632 960799")),
    Agency("sms", "Fresh Tide Recovery Service", "rest", "FT-{:04d}", ("01632 960800", "01632 960899")),
)
#: A partner with nothing but a person at a desk: its safeguarding lead answers by form.
DESKS: tuple[Agency, ...] = (
    Agency("school", "Seaview Community School", "inbox", "S{:04d}", ("01632 960900", "01632 960999")),
)
AGENCY_CODES = tuple(agency.code for agency in AGENCIES)


@dataclass(frozen=True, slots=True)
class TruePerson:
    """Somebody as they really are. `born` is None for an unborn child, whose birth is `expected`."""

    key: str
    given: tuple[str, ...]
    family: str
    sex: str
    born: date | None
    ethnicity: str
    nhs_number: str | None
    familiar: str | None = None
    maiden: str | None = None
    mobile: str | None = None
    died: date | None = None
    expected: date | None = None
    flags: frozenset[SubjectFlag] = frozenset()


@dataclass(frozen=True, slots=True)
class Residence:
    """Somebody living somewhere for a time; `until` is None while they still do."""

    person: str
    household: str
    address: Address
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """`person` is `code` of `of` (HL7 v3 PersonalRelationshipRoleType)."""

    person: str
    code: str
    of: str


@dataclass(frozen=True, slots=True)
class Professional:
    """A worker acting in role (PUB02 Professional); the telephone is the team's."""

    id: str
    agency: str
    name: str
    role: str
    team: str
    telephone: str


@dataclass(frozen=True, slots=True)
class Involvement:
    """An agency's service being involved with somebody it has a record of: a row of the known-to matrix."""

    agency: str
    record: str
    id: str
    service: str
    since: date
    until: date | None
    worker: Professional


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody's part in a happening: HL7 v3 ParticipationType and the agency's own word for it."""

    record: str
    involvement: str
    words: str


@dataclass(frozen=True, slots=True)
class Happening:
    """A service episode or a life event that one agency holds (PUB02).

    `type` is the PUB02 code, or the agency's own word where the draft has none; `form` says which entity.
    `details` are standard field names with text; dates in it are ISO 8601.
    """

    id: str
    agency: str
    category: DataCategory
    form: str
    type: str
    parts: tuple[Part, ...]
    started: date
    ended: date | None
    worker: Professional
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class County:
    """The whole demo county on one day. `truth` maps (agency, record) to the key of the true person."""

    today: date
    seed: int
    people: Mapping[str, TruePerson]
    relations: tuple[Relation, ...]
    residences: tuple[Residence, ...]
    families: Mapping[str, tuple[str, ...]]
    professionals: tuple[Professional, ...]
    records: tuple[SourceRecord, ...]
    truth: Mapping[tuple[str, str], str]
    involvements: tuple[Involvement, ...]
    happenings: tuple[Happening, ...]

    def records_of(self, key: str, agency: str | None = None) -> tuple[SourceRecord, ...]:
        """Returns what the agencies (or one of them) hold about a true person."""
        return tuple(r for r in self.records if self.truth[r.agency, r.record] == key and agency in (None, r.agency))

    def record_of(self, key: str, agency: str) -> str:
        """Returns the record id of a true person at an agency. Raises LookupError when it has none, or several."""
        found = self.records_of(key, agency)
        if len(found) != 1:
            raise LookupError(f"{agency} holds {len(found)} records of that person")
        return found[0].record
