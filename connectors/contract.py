"""What every connector can do, and the five answers that a partner can give.

For: the one seam between the hub and any partner system. A connector must never raise into the hub for
anything that a partner does: a slow, broken or hostile partner becomes an `Answer`. It must never be
called without an `Ask`, which carries the signed promise that the intent was made durable first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from connectors.records import STANDARD_FIELDS, Item, OfferedField, SourceRecord
from policies.vocabulary import AgencyType, AnswerState, DataCategory, FieldKind, MatchState


class ConnectorError(Exception):
    """Something about a partner is wrong: `code` for machines, a sentence without personal data for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class NoAnswerReason(StrEnum):
    """Why there is no answer; each is a different thing to tell the reader, none of them is "no"."""

    TIMEOUT = "TIMEOUT"
    REFUSED = "REFUSED"
    ERROR = "ERROR"
    MALFORMED = "MALFORMED"
    WRONG_SUBJECT = "WRONG_SUBJECT"
    NOT_CONFIGURED = "NOT_CONFIGURED"
    #: Not asked again just now, because the last questions to this partner failed.
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    #: The partner named several people who could be meant; none is shown.
    AMBIGUOUS = "AMBIGUOUS"
    #: Too little is known of the person to ask this partner who is meant.
    TOO_THIN = "TOO_THIN"
    #: A person there has been asked, and still has time to answer.
    NOT_YET = "NOT_YET"
    #: A person there has been asked, and the time to answer is over.
    OVERDUE = "OVERDUE"


class Keys(Protocol):
    """What a connector needs of the hub's keys: sealing per agency, and blind indexes."""

    def seal(self, agency: str, plaintext: bytes, context: str) -> bytes:
        """Ciphertext that opens only under this agency's key and in this context."""
        ...

    def open(self, agency: str, sealed: bytes, context: str) -> bytes:
        """The plaintext; raises when it was altered, moved, or its key was destroyed."""
        ...

    def blind(self, index: str, value: str) -> bytes:
        """16 bytes, equal for equal values of one index."""
        ...


@dataclass(frozen=True, slots=True)
class ContactLine:
    """Whom to ring at a partner, in and out of hours."""

    name: str
    in_hours: str
    out_of_hours: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a partner's answer covers, so that "nothing held" can be read for what it is."""

    sentence: str
    since: date | None = None
    places: tuple[str, ...] = ()
    ages: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """When a school's first lesson begins, London time, and its holidays: first and last day of each."""

    lessons_begin: time = time(8, 30)
    holidays: tuple[tuple[date, date], ...] = ()


@dataclass(frozen=True, slots=True)
class ItemMapping:
    """One `[[items]]` table of a partner's file: where pieces of one category come from and what their columns mean.

    `source` is the file, the SELECT, the path or the FHIR resource type, as the partner's way has it; `element` names
    the table within an XML file. Rows that do not fit `when` are set aside: they are of no matter for this table.
    """

    category: DataCategory
    source: str
    id: str
    record: str
    values: Mapping[str, str]
    fixed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    words: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    kinds: Mapping[str, FieldKind] = field(default_factory=lambda: MappingProxyType({}))
    occurred_on: str | None = None
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    rows: str = "items[]"
    seal: str | None = None
    element: str | None = None
    id_columns: tuple[str, ...] = ()
    when: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def use(self) -> str:
        """What reports call this use of a file."""
        return f"{self.category} ({self.element})" if self.element else str(self.category)

    def sets_aside(self, cell: Callable[[str], str | None]) -> bool:
        """Returns whether the partner's own relevance rule says that a row is of no matter for this table."""
        return any((cell(column) or "").strip() not in wanted for column, wanted in self.when.items())

    def kind(self, name: str) -> FieldKind:
        """Returns what the field is: standard fields mean the same everywhere."""
        return STANDARD_FIELDS.get(name) or self.kinds[name]

    def fields(self) -> tuple[OfferedField, ...]:
        """Returns the fields that this table can offer."""
        return tuple(OfferedField(name, self.kind(name)) for name in sorted({*self.values, *self.fixed}))

    def columns(self) -> frozenset[str]:
        """Returns every column that the table names."""
        ids = self.id_columns or (self.id,)
        named = (*ids, self.record, self.occurred_on, self.seal, *self.values.values(), *self.when)
        return frozenset(column for column in named if column)


@dataclass(frozen=True, slots=True)
class Partner:
    """One partner as its TOML file describes it; `people` is its mapping table of people as read, if it has one."""

    code: str
    name: str
    type: AgencyType
    public_authority: bool
    competent_authority: bool
    contact: ContactLine
    coverage: Coverage
    way: str
    offers: Mapping[DataCategory, tuple[OfferedField, ...]]
    reach: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    items: tuple[ItemMapping, ...] = ()
    people: Mapping[str, object] | None = None
    #: The partner's own ids of its invented persons: nobody else is asked about when the contract is tried.
    invented: tuple[str, ...] = ()
    #: When lessons begin, at a school.
    school_day: SchoolDay = field(default_factory=SchoolDay)


@dataclass(frozen=True, slots=True)
class PersonQuery:
    """Who is meant, for a partner that is asked live. Everything is optional; a connector refuses what is too thin."""

    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    date_of_birth: date | None = None
    nhs_number: str | None = None
    sex_code: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """The hub's signed word to this `agency` that the intent to ask is on record: its `eid`, and what travels with it.

    `header` is the value of the HTTP header `Kith-Promise` (docs/audit-format.md); the partner checks it.
    """

    eid: str
    agency: str
    header: str


#: The HTTP header that a promise travels in.
PROMISE_HEADER = "Kith-Promise"


@dataclass(frozen=True, slots=True)
class Reply:
    """For an agency where a person answers: in which enquiry, how urgent (BragRating), and until when.

    `half_at` is when half of the time to answer is over.
    """

    enquiry: str
    urgency: str
    asked_at: datetime
    half_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to one partner about one person: only what was permitted, only after the intent was audited.

    `records` are the partner's own record ids when the hub knows them; else `query` says who is meant.
    `claims` are codes and moments that another hub decides by: the role that asks, the threshold that is recorded.
    `wanted` holds the permitted field names per category. A connector refuses an ask without its promise.
    """

    agency: str
    person: str
    records: tuple[str, ...]
    query: PersonQuery | None
    wanted: Mapping[DataCategory, frozenset[str]]
    purpose: str
    promise: Promise
    reply: Reply | None = None
    claims: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """What one partner answered about one person. A time-out is NO_ANSWER, never NOTHING_HELD.

    `reason` is a NoAnswerReason when the state is NO_ANSWER. `dropped` counts pieces that were thrown away
    (broken, or about another person). `records` are the partner's record ids that the items may be about when
    the ask named none and the partner itself found the person. `due_at` is until when a person there has time to
    say what is not answered yet.
    """

    agency: str
    person: str
    state: AnswerState
    items: tuple[Item, ...] = ()
    as_of: datetime | None = None
    match: MatchState = MatchState.CONFIRMED
    reason: str | None = None
    dropped: int = 0
    elapsed_s: float = 0.0
    records: tuple[str, ...] = ()
    due_at: datetime | None = None


class Connector(Protocol):
    """A way to a partner. Every call is bounded by `deadline_s` seconds of waiting."""

    partner: Partner

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Who in this partner's system could be meant; at most ten. Raises ConnectorError."""
        ...

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Is this person known, since when, whom to ring: only SERVICE_INVOLVEMENT items."""
        ...

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The permitted fields of the permitted categories."""
        ...

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        ...


@runtime_checkable
class TakesMany(Protocol):
    """A connector that answers about several people in one call, where one question costs as much as ten."""

    def fetch_many(self, asks: Sequence[Ask], *, deadline_s: float) -> Sequence[Answer]:
        """One answer per ask, in their order, as `fetch` would give it."""
        ...
