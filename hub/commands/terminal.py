"""A combined family picture in the terminal: who is involved first, then people, then what happened."""

from collections.abc import Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from audit import Receipt
from hub.picture import FamilyPicture
from hub.words import STATE_WORDS, day, fact_words, field_words, moment
from policies.vocabulary import AnswerState

#: How each state looks: a letter shape beside the words, so that colour is never the only sign.
LOOKS = {
    AnswerState.FOUND: "[bold green]● {}[/]",
    AnswerState.NOTHING_HELD: "[dim]○ {}[/]",
    AnswerState.WITHHELD: "[yellow]◐ {}[/]",
    AnswerState.NO_ANSWER: "[bold red]! {}[/]",
    AnswerState.NOT_ASKED: "[dim]– {}[/]",
}
#: Events printed; the page shows them all.
EVENTS = 12


def print_picture(picture: FamilyPicture, receipt: Receipt, agencies: Mapping[str, str]) -> None:
    """Prints the picture and its receipt."""
    console = Console(highlight=False, width=min(Console().width, 150) if Console().is_terminal else 150)
    console.print(f"\n[bold]Combined family picture[/bold]  {picture.enquiry_reference} · {picture.purpose_words}\n")
    _matrix(console, picture, agencies)
    _people(console, picture, agencies)
    _events(console, picture, agencies)
    at = moment(datetime.fromtimestamp(receipt.t / 1000, UTC))
    console.print(f"\nReceipt {receipt.eid} · {at}")


def _matrix(console: Console, picture: FamilyPicture, agencies: Mapping[str, str]) -> None:
    table = Table("Who is involved", title_justify="left", show_lines=False, pad_edge=False)
    for person in picture.people:
        table.add_column(person.label + (" *" if person.is_subject else ""), overflow="fold")
    table.add_column("Ring", no_wrap=True)
    cells = {(cell.agency, cell.person): cell for cell in picture.cells}
    for agency in picture.agencies:
        row = [agency.name]
        for person in picture.people:
            cell = cells[(agency.code, person.id)]
            since = f" since {cell.since.year}" if cell.since and cell.state == AnswerState.FOUND else ""
            row.append(LOOKS[cell.state].format(STATE_WORDS[cell.state] + since))
        table.add_row(*row, agency.contact.in_hours)
    console.print(table)


def _people(console: Console, picture: FamilyPicture, agencies: Mapping[str, str]) -> None:
    table = Table("Person", "To the child", "Age", "What agencies say differently", pad_edge=False)
    for person in picture.people:
        different = []
        for conflict in person.conflicts:
            said: dict[str, list[str]] = {}
            for fact in conflict.facts:
                said.setdefault(fact_words(fact.value, fact.name), []).append(agencies.get(fact.agency, fact.agency))
            sides = (f"{value} ({', '.join(dict.fromkeys(who))})" for value, who in said.items())
            different.append(f"{field_words(conflict.name)}: " + "; ".join(sides))
        age = "unborn" if person.unborn else str(person.age) if person.age is not None else "not held"
        table.add_row(person.label, person.relation_to_subject, age, "\n".join(different))
    console.print(table)


def _events(console: Console, picture: FamilyPicture, agencies: Mapping[str, str]) -> None:
    names = {person.id: person.label for person in picture.people}
    table = Table("When", "Who", "What", "Source", pad_edge=False)
    significant = [event for event in picture.events if event.significant]
    for event in significant[:EVENTS]:
        when = day(event.started) if event.started else "date not held"
        what = event.title + (f" ({event.part})" if event.part else "")
        table.add_row(when, names.get(event.person, ""), what, agencies.get(event.agency, event.agency))
    console.print(table)
    rest = len(picture.events) - min(len(significant), EVENTS)
    if rest > 0:
        console.print(f"[dim]and {rest} more on the page[/dim]")
