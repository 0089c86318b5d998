"""Put a family picture into the order in which a page shows it: rows, groups and counts, nothing new.

For: the pages of the known-to matrix and the combined picture. It must never add a fact that the picture
does not hold, never merge two of the five answers, and never settle a conflict between agencies.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from hub.picture import AgencyView, Cell, EventView, Fact, FamilyPicture, PersonView
from hub.pictures.relation_lines import RelationConflict, RelationLine, relation_conflicts, relation_lines
from policies.vocabulary import AnswerState

#: Who must be rung first stands first; "nothing held" and "not asked" come last.
STATE_ORDER = {
    AnswerState.FOUND: 0,
    AnswerState.NO_ANSWER: 1,
    AnswerState.WITHHELD: 2,
    AnswerState.NOTHING_HELD: 3,
    AnswerState.NOT_ASKED: 4,
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One person in one agency's row. `cell` is None when the agency was not asked about this person."""

    person: PersonView
    state: AnswerState
    cell: Cell | None
    ended: bool = False

    @property
    def remark(self) -> str:
        """What the cell adds in words; a coverage sentence stands once, with the agency, not in every cell."""
        if self.cell is None or self.state is AnswerState.FOUND or self.cell.sentence == self.cell.coverage:
            return ""
        return self.cell.sentence


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """One agency with its answer about each person, in the order of the people."""

    agency: AgencyView
    state: AnswerState
    marks: tuple[Mark, ...]

    @property
    def says_nothing_held(self) -> bool:
        """Whether the row needs its coverage sentence: "nothing held" is read together with what was looked at."""
        return any(mark.state is AnswerState.NOTHING_HELD for mark in self.marks)

    @property
    def for_everybody(self) -> Mark | None:
        """One mark that stands for the whole row, when the agency said the same about everybody and is not involved."""
        said = {(mark.state, mark.remark) for mark in self.marks}
        one = len(said) == 1 and len(self.marks) > 1 and self.marks[0].state is not AnswerState.FOUND
        return self.marks[0] if one else None

    @property
    def involved_with(self) -> tuple[Mark, ...]:
        """The marks of the people that this agency says it is, or was, involved with."""
        return tuple(mark for mark in self.marks if mark.state is AnswerState.FOUND)

    @property
    def involved_now(self) -> bool:
        """Whether the agency is involved with anybody today, as far as it says."""
        return any(not mark.ended for mark in self.involved_with)


@dataclass(frozen=True, slots=True)
class Source:
    """Who said it, and as of when."""

    agency: str
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class FactLine:
    """One value of one field with everybody who says so."""

    name: str
    value: str
    sources: tuple[Source, ...]

    @property
    def by_day(self) -> tuple[tuple[tuple[str, ...], datetime | None], ...]:
        """The agencies that say so, together where their answers are of the same day."""
        days: dict[date | None, tuple[list[str], datetime | None]] = {}
        for source in self.sources:
            agencies, _ = days.setdefault(source.as_of.date() if source.as_of else None, ([], source.as_of))
            agencies.append(source.agency)
        return tuple((tuple(agencies), as_of) for agencies, as_of in days.values())


@dataclass(frozen=True, slots=True)
class ConflictLines:
    """A field on which agencies differ, side by side."""

    name: str
    sides: tuple[FactLine, ...]


@dataclass(frozen=True, slots=True)
class PersonCard:
    """One person with facts grouped by value; a field in conflict is shown only among the conflicts."""

    person: PersonView
    facts: tuple[FactLine, ...]
    conflicts: tuple[ConflictLines, ...]


@dataclass(frozen=True, slots=True)
class NotShown:
    """An agency that did not share or did not answer, about whom, and the line to ring."""

    agency: AgencyView
    state: AnswerState
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event with the agency's name and everybody it happened to in the same part."""

    event: EventView
    people: tuple[str, ...]
    agency: str


@dataclass(frozen=True, slots=True)
class Arranged:
    """Everything the pages loop over."""

    people: tuple[PersonView, ...]
    subject: PersonView | None
    rows: tuple[AgencyRow, ...]
    cards: tuple[PersonCard, ...]
    relations: tuple[RelationLine, ...]
    relation_conflicts: tuple[RelationConflict, ...]
    events: tuple[EventLine, ...]
    significant: tuple[EventLine, ...]
    not_shown: tuple[NotShown, ...]
    warnings: tuple[tuple[str, str], ...]
    summary: str


def arrange(picture: FamilyPicture) -> Arranged:
    """Orders a picture: the subject first, then as the picture has them; agencies by answer, then by name."""
    people = tuple(sorted(picture.people, key=lambda person: not person.is_subject))
    labels = {person.id: person.label for person in people}
    names = {agency.code: agency.name for agency in picture.agencies}
    cells = {(cell.agency, cell.person): cell for cell in picture.cells}
    today = picture.made_at.date()
    rows = tuple(sorted((agency_row(agency, people, cells, today) for agency in picture.agencies), key=row_order))
    events = event_lines(picture.events, labels, names)
    return Arranged(
        people=people,
        subject=next((person for person in people if person.is_subject), None),
        rows=rows,
        cards=tuple(person_card(person, names) for person in people),
        relations=relation_lines((r for r in picture.relations if not r.contradicted), labels, names),
        relation_conflicts=relation_conflicts(picture.relations, labels, names),
        events=events,
        significant=tuple(line for line in events if line.event.significant),
        not_shown=tuple(not_shown(rows)),
        warnings=tuple((person.label, warning) for person in people for warning in person.warnings),
        summary=summary(rows),
    )


def event_lines(events: Iterable[EventView], labels: dict[str, str], names: dict[str, str]) -> tuple[EventLine, ...]:
    """Newest first; what an agency says in the same words about several people is one line with several names."""
    together: dict[object, tuple[EventView, list[str]]] = {}
    for event in sorted(events, key=lambda event: event.started or date.min, reverse=True):
        said = tuple((fact.name, fact.value) for fact in event.facts)
        key = (
            event.agency,
            event.title,
            event.started,
            event.ended,
            event.is_period,
            event.significant,
            event.part,
            said,
        )
        _, people = together.setdefault(key, (event, []))
        label = labels.get(event.person, "Somebody not named")
        if label not in people:
            people.append(label)
    return tuple(
        EventLine(event, tuple(people), names.get(event.agency, event.agency)) for event, people in together.values()
    )


def agency_row(
    agency: AgencyView, people: Iterable[PersonView], cells: dict[tuple[str, str], Cell], today: date
) -> AgencyRow:
    """One agency's row; its own state is the strongest of its marks, or what it answered as a whole."""
    marks = []
    for person in people:
        cell = cells.get((agency.code, person.id))
        ended = bool(cell and cell.until and cell.until < today)
        marks.append(Mark(person, cell.state if cell else AnswerState.NOT_ASKED, cell, ended))
    states = [agency.state, *(mark.state for mark in marks if mark.cell)]
    return AgencyRow(agency, min(states, key=STATE_ORDER.__getitem__), tuple(marks))


def row_order(row: AgencyRow) -> tuple[int, bool, int, str]:
    """Sorts rows: involved first, now before formerly, with most people first."""
    return STATE_ORDER[row.state], not row.involved_now, -len(row.involved_with), row.agency.name


def person_card(person: PersonView, names: dict[str, str]) -> PersonCard:
    """Groups one person's facts by field and value, each with its sources."""
    disputed = {conflict.name for conflict in person.conflicts}
    return PersonCard(
        person=person,
        facts=fact_lines((fact for fact in person.facts if fact.name not in disputed), names),
        conflicts=tuple(
            ConflictLines(conflict.name, fact_lines(conflict.facts, names)) for conflict in person.conflicts
        ),
    )


def fact_lines(facts: Iterable[Fact], names: dict[str, str]) -> tuple[FactLine, ...]:
    """Joins equal values of the same field, keeping the order in which they came."""
    grouped: dict[tuple[str, str], list[Source]] = {}
    for fact in facts:
        grouped.setdefault((fact.name, fact.value), []).append(Source(names.get(fact.agency, fact.agency), fact.as_of))
    return tuple(FactLine(name, value, tuple(sources)) for (name, value), sources in grouped.items())


def not_shown(rows: Iterable[AgencyRow]) -> Iterable[NotShown]:
    """Agencies to ask by telephone, by answer: first those that did not answer, then those that did not share."""
    for state in (AnswerState.NO_ANSWER, AnswerState.WITHHELD):
        for row in rows:
            about = tuple(mark.person.label for mark in row.marks if mark.state is state)
            if about or row.agency.state is state:
                yield NotShown(row.agency, state, about)


def summary(rows: tuple[AgencyRow, ...]) -> str:
    """One sentence that answers "who is involved?" and says what it does not answer."""
    total = len(rows)
    now = sum(row.state is AnswerState.FOUND and row.involved_now for row in rows)
    before = sum(row.state is AnswerState.FOUND and not row.involved_now for row in rows)
    # "Not involved" is what the hub never says: silence, refusal and an unasked question are not a no.
    if now:
        first = f"{now} of {total} {'agency is' if total == 1 else 'agencies are'} involved with this family"
        first += f", and {before} {'was' if before == 1 else 'were'} before" if before else ""
    elif before:
        first = (
            f"{before} of {total} {'agency was' if total == 1 else 'agencies were'} involved; none is known to be now"
        )
    else:
        first = "No agency is known to be involved"
    # An agency that is involved with one person may still have left a question about another open.
    silent = sum(any(mark.state is AnswerState.NO_ANSWER for mark in row.marks) for row in rows)
    closed = sum(any(mark.state is AnswerState.WITHHELD for mark in row.marks) for row in rows)
    parts = [first + "."]
    if silent:
        parts.append(f"{silent} did not answer, or not about everybody: that is not a no.")
    if closed:
        parts.append(f"{closed} {'has' if closed == 1 else 'have'} answers that are not shared here.")
    return " ".join(parts)
