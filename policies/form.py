"""Read plain data (from JSON or TOML) into our frozen dataclasses, strictly.

For: decision requests and agreement files; one reader, derived from the dataclass itself, so that form
and type cannot drift apart. It must never guess: an unknown key, an unknown word or a wrong type is
refused with its path. Errors carry no values, so that they may be logged.
"""

import dataclasses
import difflib
import functools
import re
import types
import typing
from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}", re.ASCII)
PART_OF_SECOND = re.compile(r"(?P<microseconds>\d{6})(?P<offset>[+-]\d{2}:\d{2})", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

Reader = Callable[[object, str], Any]
T = TypeVar("T")


class FormError(ValueError):
    """Plain data does not have the agreed form; `path` says where, `reason` why, neither holds a value.

    `written` holds what was written there, for readers of files that hold no personal data, and `remedy` what to do;
    neither is part of the message.
    """

    def __init__(self, path: str, reason: str, written: object = None, remedy: str = "") -> None:
        self.path = path or "."
        self.reason = reason
        self.written = written
        self.remedy = remedy
        super().__init__(f"{self.path}: {reason}")


def read(kind: type[T], plain: object, path: str = "", *, complete: bool = True) -> T:
    """Build a dataclass from plain data.

    Takes `complete`: every key must be written out (JSON requests); otherwise keys that have a default
    may be left out (TOML written by people).
    Raises FormError.
    """
    reader: Reader = reader_for(typing.cast(Any, kind), complete)
    value: T = reader(plain, path)
    return value


def write(value: object, *, exact: bool = False) -> Any:
    """Return plain data (dict, list, text, number) that `read` turns back into an equal value.

    Takes `exact`: instants keep what is below a second, as only incomplete reading takes it; else they are cut to it.
    """
    kind: Any = type(value)
    return _writer(kind, exact)(value)


@functools.cache
def _writer(kind: Any, exact: bool) -> Callable[[Any], Any]:
    """Return the writer of one type, worked out once: hundreds of requests are written for the record of one page."""
    if dataclasses.is_dataclass(kind):
        names = tuple(f.name for f in dataclasses.fields(kind) if f.init)

        def block(value: object) -> dict[str, Any]:
            parts = [(name, getattr(value, name)) for name in names]
            return {name: write(part, exact=exact) for name, part in parts}

        return block
    if issubclass(kind, frozenset):
        return lambda value: sorted(write(one, exact=exact) for one in value)
    if issubclass(kind, tuple):
        return lambda value: [write(one, exact=exact) for one in value]
    if issubclass(kind, datetime):
        return (lambda value: value.isoformat()) if exact else (lambda value: value.isoformat(timespec="seconds"))
    if issubclass(kind, date):
        return lambda value: value.isoformat()
    return str.__str__ if issubclass(kind, StrEnum) else (lambda value: value)


@functools.cache
def reader_for(kind: Any, complete: bool) -> Reader:
    """Return the reader of one type: dataclass, word list, text, number, date, set or tuple of these, or null."""
    if dataclasses.is_dataclass(kind):
        return _read_block(kind, complete)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _read_one_of([reader_for(each, complete) for each in inner])
    if origin in (frozenset, tuple):
        return _read_many(origin, reader_for(inner[0], complete))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _read_word(kind)
    if kind is datetime and not complete:
        return _read_exact_instant
    return PLAIN_READERS[kind]


def _read_block(kind: Any, complete: bool) -> Reader:
    hints = typing.get_type_hints(kind)
    known = {f.name: f for f in dataclasses.fields(kind) if f.init}
    readers = {name: reader_for(hints[name], complete) for name in known}
    needed = {
        name
        for name, f in known.items()
        if complete or (f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING)
    }

    def block(plain: object, path: str) -> Any:
        if not isinstance(plain, dict):
            raise FormError(path, "a table of keys is needed")
        if not plain.keys() <= readers.keys():
            unknown = sorted(str(key) for key in plain.keys() - readers.keys())
            raise FormError(path, f"unknown keys ({len(unknown)})", unknown, _nearest(unknown[0], readers))
        if not needed <= plain.keys():
            missing = sorted(needed - plain.keys())
            raise FormError(path, "missing " + ", ".join(missing), None, f"write a line `{missing[0]} = ...` here")
        dotted = path + "." if path else ""
        values = {name: readers[name](one, dotted + name) for name, one in plain.items()}
        for name, one in values.items():
            limits = known[name].metadata
            if "pattern" in limits and not _all_match(limits["pattern"], one):
                raise FormError(dotted + name, "not in the agreed form")
            if "minimum" in limits and one is not None and one < limits["minimum"]:
                raise FormError(dotted + name, f"less than {limits['minimum']}")
        return kind(**values)

    return block


def _all_match(pattern: re.Pattern[str], value: str | frozenset[str] | None) -> bool:
    """Does a text, or every text of a set, have this form? Nothing written has it."""
    if value is None:
        return True
    return all(pattern.fullmatch(one) for one in ([value] if isinstance(value, str) else value))


def _read_one_of(readers: list[Reader]) -> Reader:
    def one_of(plain: object, path: str) -> Any:
        first: FormError | None = None
        for reader in readers:
            try:
                return reader(plain, path)
            except FormError as error:
                # The error that lies deepest belongs to the form that was meant.
                first = error if first is None or len(error.path) > len(first.path) else first
        assert first is not None
        raise first

    return one_of


def _read_many(container: Any, reader: Reader) -> Reader:
    def many(plain: object, path: str) -> Any:
        if not isinstance(plain, list):
            raise FormError(path, "a list is needed")
        values = [reader(one, f"{path}[{n}]") for n, one in enumerate(plain)]
        if len(set(values)) != len(values):
            raise FormError(path, "the same entry twice")
        return container(values)

    return many


def _read_word(kind: type[StrEnum]) -> Reader:
    words = {str(word): word for word in kind}

    def word(plain: object, path: str) -> Any:
        if not isinstance(plain, str) or plain not in words:
            raise FormError(path, f"not a word of {kind.__name__}", plain, _nearest(str(plain), words))
        return words[plain]

    return word


def _nearest(written: str, known: Iterable[str]) -> str:
    """Name the word that was probably meant, or where the words are."""
    near = difflib.get_close_matches(written.upper(), {one.upper(): one for one in known}, 1, 0.6)
    meant = next((one for one in known if near and one.upper() == near[0]), None)
    return f"did you mean {meant}?" if meant else f"known are {', '.join(sorted(known))}"


def _read_null(plain: object, path: str) -> None:
    if plain is not None:
        raise FormError(path, "null is needed")


def _read_bool(plain: object, path: str) -> bool:
    if not isinstance(plain, bool):
        raise FormError(path, "true or false is needed")
    return plain


def _read_int(plain: object, path: str) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise FormError(path, "a whole number is needed")
    return plain


def _read_text(plain: object, path: str) -> str:
    if not isinstance(plain, str):
        raise FormError(path, "a text is needed")
    return plain


def _read_instant(plain: object, path: str) -> datetime:
    if isinstance(plain, str) and INSTANT.fullmatch(plain):
        try:
            return datetime.fromisoformat(plain)
        except ValueError as error:
            raise FormError(path, "no such instant") from error
    raise FormError(path, "an instant with UTC offset is needed")


def _read_exact_instant(plain: object, path: str) -> datetime:
    """As `_read_instant`; a part of a second is kept."""
    whole, point, rest = plain.partition(".") if isinstance(plain, str) else ("", "", "")
    if not point:
        return _read_instant(plain, path)
    digits = PART_OF_SECOND.fullmatch(rest)
    if digits is None:
        raise FormError(path, "an instant with UTC offset is needed")
    return _read_instant(whole + digits["offset"], path).replace(microsecond=int(digits["microseconds"]))


def _read_day(plain: object, path: str) -> date:
    if isinstance(plain, date) and not isinstance(plain, datetime):
        return plain  # TOML has dates of its own.
    if isinstance(plain, str) and DAY.fullmatch(plain):
        try:
            return date.fromisoformat(plain)
        except ValueError as error:
            raise FormError(path, "no such date") from error
    raise FormError(path, "a date is needed")


PLAIN_READERS: dict[Any, Reader] = {
    type(None): _read_null,
    bool: _read_bool,
    int: _read_int,
    str: _read_text,
    datetime: _read_instant,
    date: _read_day,
}
