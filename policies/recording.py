"""Decisions with everything they were made of, written compactly, and read back to be made again.

For: replays of recorded decisions. The many decisions of one page share most of what they were asked with, so each
part is written once and a decision is a row of numbers. It must never leave out a part of a request, save the
agreements and gateways, which a bundle keeps (`policies.bundle`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, NamedTuple, get_type_hints

from policies.case import Agreement as Deciding
from policies.case import Decision, DecisionRequest, GatewayEntry
from policies.form import FormError, reader_for, write

FORMAT = 1
#: Kept by the bundle, once for all decisions that it made.
IN_BUNDLE = frozenset({"agreements", "gateways"})
PARTS = tuple(one.name for one in fields(DecisionRequest) if one.name not in IN_BUNDLE)


class RecordInvalid(ValueError):
    """A record of decisions does not have the form that this release reads."""


class Made(NamedTuple):
    """One decision and what it was made of."""

    request: DecisionRequest
    decision: Decision


class Writer:
    """Writes the decisions of one page. What several of them share is turned into text once."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self._alive: list[object] = []

    def write(self, made: Sequence[Made]) -> str:
        """Return the decisions as one JSON text: the parts, which part stands where in every decision, and the rest."""
        numbers: dict[str, int] = {}
        requests = [one.request for one in made]
        columns = [list(map(attrgetter(part), requests)) for part in PARTS] + [[one.decision for one in made]]
        numbered = [self._numbered(column, numbers) for column in columns]
        same = [column if isinstance(column, int) else None for column in numbered]
        rows = list(zip(*(column for column in numbered if not isinstance(column, int)), strict=True))
        head = {"v": FORMAT, "parts": PARTS, "count": len(made), "same": same, "rows": rows}
        return f'{{"blocks":[{",".join(numbers)}],"head":{_compact(head)}}}'

    def _numbered(self, column: list[object], numbers: dict[str, int]) -> list[int] | int:
        """Return the number of each part of a column; one number when it is the same object in every decision."""
        if len(set(map(id, column))) == 1:
            return numbers.setdefault(self._text(column[0]), len(numbers))
        return [numbers.setdefault(self._text(value), len(numbers)) for value in column]

    def _text(self, value: object) -> str:
        text = self._texts.get(id(value))
        if text is None:
            text = self._texts[id(value)] = _compact(write(value, exact=True))
            self._alive.append(value)  # Else another value could get the same id.
        return text


@dataclass(frozen=True, slots=True)
class _Read:
    parts: tuple[str, ...]
    count: int
    same: list[int | None]
    rows: list[list[int]]
    blocks: list[Any]


def read_made(text: str, agreements: tuple[Deciding, ...], gateways: tuple[GatewayEntry, ...]) -> tuple[Made, ...]:
    """Return the decisions of a text, with the agreements and gateways of their bundle put back.

    A part that a later release added has its default. Raises RecordInvalid for what this release cannot read.
    """
    try:
        stored = _stored(json.loads(text))
        return tuple(_made(stored, agreements, gateways))
    except RecordInvalid:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise RecordInvalid("The record of a decision has a form that this release cannot read.") from error


def _stored(plain: Mapping[str, Any]) -> _Read:
    head = plain["head"]
    if head["v"] != FORMAT or not set(head["parts"]) <= set(PARTS):
        raise RecordInvalid("The record of a decision was written by a newer release.")
    return _Read(tuple(head["parts"]), head["count"], head["same"], head["rows"], plain["blocks"])


def _made(stored: _Read, agreements: tuple[Deciding, ...], gateways: tuple[GatewayEntry, ...]) -> list[Made]:
    hints: dict[str, Any] = {**get_type_hints(DecisionRequest), "decision": Decision}
    names = (*stored.parts, "decision")
    known: dict[tuple[str, int], Any] = {}

    def value(name: str, number: int) -> Any:
        if (name, number) not in known:
            try:
                known[name, number] = reader_for(hints[name], complete=False)(stored.blocks[number], name)
            except FormError as error:
                raise RecordInvalid(f"{error.path}: {error.reason}") from None
        return known[name, number]

    found = []
    for row in stored.rows or [[]] * stored.count:
        varying = iter(row)
        numbers = [next(varying) if shared is None else shared for shared in stored.same]
        values = {name: value(name, number) for name, number in zip(names, numbers, strict=True)}
        decision = values.pop("decision")
        found.append(Made(DecisionRequest(**values, agreements=agreements, gateways=gateways), decision))
    return found


_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
