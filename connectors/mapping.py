"""From one row of a partner to one item: by the partner's own table, cell by cell.

For: the four ways, so that a date, a code or a control character is treated alike whoever sent it. Must never
guess and never repeat a value in what it reports: a cell that cannot be read is left out and reported. Ruled by
the `[[items]]` section of docs/connecting-a-partner.md.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType

from connectors.contract import ItemMapping
from connectors.records import Item, Value
from policies.vocabulary import DataCategory, FieldKind, SealState

#: Characters of one value; a longer one is not a field but a document, and is rejected.
LONGEST_VALUE = 4000
#: Fields that are dates though their kind is another.
DATE_FIELDS = frozenset({"date_of_birth"})

_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}[0-9:.,]*(?:Z|[+-]\d{2}:?\d{2})?)?")
_PARTIAL = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2]))?")

#: A row's cell by column name; None or "" when the partner said nothing.
Cell = Callable[[str], str | None]
#: Column and reason of an element that was left out.
Problem = tuple[str, str]


def tidy(text: str) -> str:
    """Returns the text on one line, without control, bidirectional or invisible characters."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text)
    return " ".join(text.split())


@lru_cache(maxsize=65536)
def read_date(text: str, formats: tuple[str, ...], iso: bool) -> date | None:
    """Returns the day that the text means in the first format that fits, or None."""
    for form in formats:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day, not an instant
        except ValueError:
            continue
    if iso and (found := _ISO.fullmatch(text)):
        try:
            return date.fromisoformat(found[1])
        except ValueError:
            return None
    return None


def read_item(mapping: ItemMapping, cell: Cell, *, iso: bool) -> tuple[Item | None, list[Problem]]:
    """Reads one row.

    Takes `iso`: whether ISO date-times and partial dates are understood beside the table's date formats.
    Returns no item when the row has no id or does not say whom it is about, and what was left out and why.
    """
    problems: list[Problem] = []
    id_, record = _id(mapping, cell), tidy(cell(mapping.record) or "")
    for column, value in ((mapping.id, id_), (mapping.record, record)):
        if not value or len(value) > 200:
            return None, [(column, "the row has no usable id" if column == mapping.id else "the row names no person")]
    values: dict[str, Value] = {
        name: Value(mapping.kind(name), text) for name, text in mapping.fixed.items() if name not in mapping.values
    }
    for name, column in mapping.values.items():
        text = tidy(cell(column) or "")
        if not text:
            continue
        if len(text) > LONGEST_VALUE:
            problems.append((column, f"longer than {LONGEST_VALUE} characters"))
            continue
        kind = mapping.kind(name)
        if name in mapping.words:
            shown = mapping.words[name].get(text)
            if shown is None:
                problems.append((column, "the mapping does not know this code"))
                continue
            text = shown
        elif kind is FieldKind.DATES or name in DATE_FIELDS:
            day = read_date(text, mapping.date_formats, iso)
            if day is None and not (iso and _PARTIAL.fullmatch(text)):
                problems.append((column, "no date format of the mapping fits"))
                continue
            text = day.isoformat() if day else text
        values[name] = Value(kind, text)
    occurred_on = None
    if mapping.occurred_on and (text := tidy(cell(mapping.occurred_on) or "")):
        occurred_on = read_date(text, mapping.date_formats, iso)
        if occurred_on is None and not (iso and _PARTIAL.fullmatch(text)):
            reason = (mapping.occurred_on, "no date format of the mapping fits")
            problems += [] if reason in problems else [reason]
    seal = SealState.OPEN
    if mapping.seal:
        word = tidy(cell(mapping.seal) or "").upper()
        seal = SealState(word) if word in SealState.__members__ else SealState.WITHHELD
        if seal != word:
            problems.append((mapping.seal, "not a word of SealState: counted as WITHHELD"))
    return (
        Item(id_, record, mapping.category, occurred_on, MappingProxyType(values), seal=seal),
        problems,
    )


def _id(mapping: ItemMapping, cell: Cell) -> str:
    """The piece's own id, of one column or of several; none when the first of them is blank."""
    parts = [tidy(cell(column) or "") for column in mapping.id_columns or (mapping.id,)]
    return "/".join(parts) if parts[0] else ""


def only_involvement(wanted: Mapping[DataCategory, frozenset[str]]) -> dict[DataCategory, frozenset[str]]:
    """Returns the part of a permission that the known-to matrix may use."""
    return {c: fields for c, fields in wanted.items() if c is DataCategory.SERVICE_INVOLVEMENT}


def only_permitted(
    items: Iterable[Item], wanted: Mapping[DataCategory, frozenset[str]], records: frozenset[str]
) -> tuple[tuple[Item, ...], bool, int]:
    """Keeps what was asked for: wanted categories, wanted fields, and only about the given records.

    Returns the items that still say something, whether anything at all is held in the wanted categories, and
    how many items were about somebody else.
    """
    kept: list[Item] = []
    held, strangers = False, 0
    for item in items:
        if item.record not in records:
            strangers += 1
            continue
        fields = wanted.get(item.category)
        if fields is None:
            continue
        held = True
        values = {name: value for name, value in item.values.items() if name in fields}
        if values:
            whole = len(values) == len(item.values)
            kept.append(
                item
                if whole
                else Item(
                    item.id,
                    item.record,
                    item.category,
                    item.occurred_on,
                    MappingProxyType(values),
                    item.form,
                    item.seal,
                    item.due_at,
                    item.withheld_reason,
                    item.senior_sign_off,
                )
            )
    return tuple(kept), held, strangers
