"""The one thing a picture page may render: types that can hold only permitted fields.

For: the known-to matrix and the combined family picture. Must never carry a partner's item: what no permit
names does not get into these types at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from connectors import ContactLine
from policies.vocabulary import AnswerState, DataCategory, FieldKind


@dataclass(frozen=True, slots=True)
class Grounds:
    """On which lawful basis (codes by kind) and under which agreements ("REFERENCE/VERSION") something was shown."""

    basis: Mapping[str, Sequence[str]]
    agreements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """One permitted field with its source. `value` is text for display; dates are ISO 8601; `file` is what it opens."""

    name: str
    kind: FieldKind
    value: str
    agency: str
    as_of: datetime | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two or more agencies say different things about the same field; shown side by side, never resolved in silence."""

    name: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One person x one agency in the known-to matrix: one of five states, in words, with whom to ring."""

    person: str
    agency: str
    state: AnswerState
    service: str | None
    since: date | None
    until: date | None
    contact: ContactLine
    team_contact: str | None
    as_of: datetime | None
    coverage: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RelationView:
    """`person` is `code` (HL7 v3, e.g. MTH) of `of`, as `agencies` state it or as the hub derived it (`basis`)."""

    person: str
    of: str
    code: str
    words: str
    agencies: tuple[str, ...]
    basis: str
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class PersonView:
    """One member of the picture. `age` is None when no date of birth may be shown or is held."""

    id: str
    label: str
    sex_code: str | None
    age: int | None
    unborn: bool
    deceased: bool
    is_subject: bool
    relation_to_subject: str
    why_here: str
    household: str | None
    facts: tuple[Fact, ...]
    conflicts: tuple[Conflict, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgencyView:
    """One agency's card: who they are, how the agency answered as a whole, whom to ring, what the answer covers."""

    code: str
    name: str
    kind_words: str
    contact: ContactLine
    coverage: str
    as_of: datetime | None
    agreement: str | None
    state: AnswerState
    sentence: str
    #: What to know and whom to ring where something is not shared; the same words whatever the reason (rule P50).
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class EventView:
    """One episode or life event on the timeline. `ended` None means ongoing or a single day (see `is_period`)."""

    person: str
    agency: str
    category: DataCategory
    title: str
    started: date | None
    ended: date | None
    is_period: bool
    significant: bool
    part: str | None
    facts: tuple[Fact, ...]
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Withheld:
    """What was not shown: for the trail and for the reader's sentence, never the content."""

    person: str
    agency: str
    category: DataCategory
    outcome: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FamilyPicture:
    """Everything a picture page renders, and nothing else."""

    enquiry: str
    enquiry_reference: str
    purpose_words: str
    made_at: datetime
    subject: str
    people: tuple[PersonView, ...]
    agencies: tuple[AgencyView, ...]
    cells: tuple[Cell, ...]
    relations: tuple[RelationView, ...]
    events: tuple[EventView, ...]
    notes: tuple[str, ...]
    grounds: Grounds
    #: Something here may not be copied, printed or taken away (obligation NO_EXPORT).
    no_export: bool = False
    #: Where something waits for its owner's release, as all who ask may know (rule P23): person, agency, category.
    sealed: frozenset[tuple[str, str, DataCategory]] = frozenset()
