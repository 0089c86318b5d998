"""The MAIS records that every connector produces, as plain frozen values.

For: one shape for people, professionals, service episodes and life events, whatever the partner can
offer. Must never hold database or network objects, and never guess: what a partner did not say is None
or empty. Ruled by the public drafts of the Person Standard (PUB01) and the Safeguarding Standard
(PUB02) of the Multi-Agency Information Sharing programme, as of July 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from policies.vocabulary import DataCategory, FieldKind, ItemForm, SealState, SubjectFlag

#: System URI of the NHS number (NHS Data Model and Dictionary).
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
#: System URI of the Unique Pupil Number (Department for Education, Common Basic Data Set).
UPN = "https://www.gov.uk/id/unique-pupil-number"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value and the system in which it is unique (PUB01 Identifier)."""

    value: str
    system: str


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name (PUB01 Name); `use` is one of usual, official, temp, nickname, anonymous, old, maiden."""

    family: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    preferred: str | None = None
    use: str | None = None


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date with its accuracy in day-month-year order, A accurate, E estimated, U unknown (PUB01 PartialDate)."""

    date: date
    accuracy: str = "AAA"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address (PUB01 Address); `use` is one of home, work, temp, old, billing."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    postcode: str | None = None
    uprn: str | None = None
    usrn: str | None = None
    use: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Ways to reach a person, team or organisation (PUB01 Contact)."""

    name: str | None = None
    email: tuple[str, ...] = ()
    telephone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonRelationship:
    """A typed reference to another person; codes are HL7 v3 PersonalRelationshipRoleType (PUB01).

    The code says what the *other* person is to this one: MTH = the other person is the mother.
    """

    identifier: Identifier
    relationship: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """A person as one system describes them (PUB01 Person).

    Sex codes: 1 male, 2 female, 9 indeterminate, X not known.
    """

    identifiers: tuple[Identifier, ...] = ()
    names: tuple[Name, ...] = ()
    date_of_birth: PartialDate | None = None
    is_deceased: bool | None = None
    deceased_date: PartialDate | None = None
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    gender_code: str | None = None
    sex_code: str | None = None
    ethnicity_code: str | None = None
    related: tuple[PersonRelationship, ...] = ()

    def identifier(self, system: str) -> str | None:
        """Returns the first identifier of that system, or None."""
        return next((i.value for i in self.identifiers if i.system == system), None)


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One person as one agency's system names them: what matching compares and what a fact's source points to.

    `record` is the agency's own record id; a person named inside another person's row is `record#slot`.
    `household` is the agency's own household, tenancy or family reference, if it has one.
    `reference_relationship` is what this person is to the reference person of that household or address
    (HL7 v3 code, or REFERENCE for the reference person).
    `valid_from`/`valid_until` bound the agency's involvement or registration, where it says so.
    """

    agency: str
    record: str
    person: Person
    household: str | None = None
    reference_relationship: str | None = None
    flags: frozenset[SubjectFlag] = frozenset()
    valid_from: date | None = None
    valid_until: date | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Professional:
    """A professional acting in role (PUB02 Professional)."""

    name: str
    role: str | None = None
    team: str | None = None
    contact: Contact = Contact()


@dataclass(frozen=True, slots=True)
class OfferedField:
    """A field that an agency can offer in a category: its name and what it is."""

    name: str
    kind: FieldKind


@dataclass(frozen=True, slots=True)
class Value:
    """One field of an item as the partner gave it, already plain text for display (dates ISO 8601).

    `file` is the id of the file that the text stands for, when the field is a file.
    """

    kind: FieldKind
    text: str
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of information of one category about one person (ServiceEpisode, LifeEvent or demographic record).

    A decision is about such pieces.

    `record` names the partner's own record id of the *person* it is about: the hub drops an item whose
    record is not one that was asked for. `occurred_on` is the day that look-back limits are counted from.
    `due_at`: until when its owner has time to release it; `withheld_reason` and `senior_sign_off`: why its owner keeps
    it back, and whether a senior there agreed (rules P23 and P49).
    """

    id: str
    record: str
    category: DataCategory
    occurred_on: date | None
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    form: ItemForm = ItemForm.RECORD
    seal: SealState = SealState.OPEN
    due_at: datetime | None = None
    withheld_reason: str | None = None
    senior_sign_off: bool = False


#: Names of fields that mean the same thing whoever sends them, and what kind each is. A partner's file
#: may add names of its own (it must then say their kind); it may not use one of these for something else.
STANDARD_FIELDS: Mapping[str, FieldKind] = MappingProxyType(
    {
        # SERVICE_INVOLVEMENT: the known-to matrix
        "involved": FieldKind.INDICATOR,
        "service": FieldKind.INDICATOR,
        "since": FieldKind.DATES,
        "until": FieldKind.DATES,
        "contact": FieldKind.CONTACT,
        # any episode or life event: the timeline
        "type": FieldKind.STATUS,
        "status": FieldKind.STATUS,
        "started": FieldKind.DATES,
        "ended": FieldKind.DATES,
        "part": FieldKind.STATUS,
        "worker": FieldKind.PROFESSIONAL_NAME,
        "risk": FieldKind.RISK,
        "need": FieldKind.NEED,
        "outcome": FieldKind.OUTCOME,
        "action": FieldKind.ACTION,
        "circumstances": FieldKind.CIRCUMSTANCES,
        "child_voice": FieldKind.CHILD_VOICE,
        "detail": FieldKind.DETAIL,
        "narrative": FieldKind.NARRATIVE,
        "treatment": FieldKind.TREATMENT,
        "location": FieldKind.WHEREABOUTS,
        "third_party": FieldKind.THIRD_PARTY,
        "referrer": FieldKind.REFERRER_IDENTITY,
        # that something is held which its owner has not released
        "held": FieldKind.HELD_MARKER,
        # a file that somebody attached: a professional's own words, whatever it is
        "document": FieldKind.NARRATIVE,
        # DEMOGRAPHIC
        "name": FieldKind.IDENTITY,
        "other_names": FieldKind.IDENTITY,
        "date_of_birth": FieldKind.IDENTITY,
        "sex": FieldKind.IDENTITY,
        "nhs_number": FieldKind.IDENTITY,
        "deceased": FieldKind.IDENTITY,
        "address": FieldKind.WHEREABOUTS,
        "telephone": FieldKind.WHEREABOUTS,
        "language": FieldKind.DETAIL,
        # ASC_PACKAGE: the GP check
        "package_active": FieldKind.INDICATOR,
        "duty_team_contact": FieldKind.CONTACT,
    }
)
