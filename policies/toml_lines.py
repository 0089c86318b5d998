"""On which line of a TOML file does a key stand? For errors that an officer can act on.

For: files written by people as `key = value`, `[[table]]` and lists over several lines. It must never be used to read
a file: it only points at it, and points at the table or at nothing where it cannot tell.
"""

import re
from collections.abc import Iterable

_HEADER = re.compile(r"\s*\[\[?\s*([\w-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w-]+)\s*=")
_STEP = re.compile(r"([\w-]+)(?:\[(\d+)\])?")
_TEXT = re.compile(r'"[^"]*"|' + r"'[^']*'")


def line_of(text: str, path: str, words: Iterable[object] = ()) -> int | None:
    """Return the line, counted from 1, of what `path` names, such as `clauses[2].categories[0]`.

    Takes `words`: unknown keys or values that were written there; the line of the first that is found wins.
    """
    lines = text.splitlines()
    steps = [(name, int(number) if number else None) for name, number in _STEP.findall(path)]
    first, last = _region(lines, steps)
    if steps and _is_header(lines, first):
        steps = steps[1:]
    at = _key(lines, first, last, steps[0][0]) if steps else first
    if at is not None and steps and steps[0][1] is not None:
        at = _entry(lines, at, last, steps[0][1])
    for word in words:
        found = _key(lines, first, last, str(word)) if not steps else _naming(lines, at or first, last, str(word))
        if found is not None:
            return found + 1
    return None if at is None or at >= len(lines) else at + 1


def _region(lines: list[str], steps: list[tuple[str, int | None]]) -> tuple[int, int]:
    """Where the named table begins and ends; else what stands before the first table."""
    headers = [(n, match[1]) for n, line in enumerate(lines) if (match := _HEADER.match(line))]
    ends = [n for n, _ in headers] + [len(lines)]
    named = [n for n, name in headers if steps and name == steps[0][0]]
    which = steps[0][1] or 0 if steps else 0
    if which < len(named):
        return named[which], ends[ends.index(named[which]) + 1]
    return 0, ends[0]


def _is_header(lines: list[str], number: int) -> bool:
    return number < len(lines) and _HEADER.match(lines[number]) is not None


def _key(lines: list[str], first: int, last: int, name: str) -> int | None:
    return next((n for n in range(first, last) if (match := _KEY.match(lines[n])) and match[1] == name), None)


def _naming(lines: list[str], first: int, last: int, word: str) -> int | None:
    return next((n for n in range(first, last) if word in lines[n]), None)


def _entry(lines: list[str], first: int, last: int, number: int) -> int:
    """The line of the entry with this number in a list of texts that begins on line `first`."""
    seen = 0
    for n in range(first, last):
        seen += len(_TEXT.findall(lines[n].split("=", 1)[1] if n == first and "=" in lines[n] else lines[n]))
        if seen > number:
            return n
    return first
