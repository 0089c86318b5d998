"""Reading a partner's JSON by dotted paths, as the partner's file names them.

For: the rest and fhir ways. Must never follow anything but names and places in a list, and never take an object
or a list for a text. A path is `a.b`, `a[0].b` (the first) or `a[].b` (every one).
"""

import re
from collections.abc import Callable
from functools import lru_cache

from connectors.contract import ConnectorError, NoAnswerReason

_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)(?:\[(\d{0,3})\])?")
#: Texts of one path that are joined; more of them are a document, not a field.
MOST_TEXTS = 20


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[tuple[str, str | None], ...]:
    """Name and place of each step: None for a name alone, "" for every one, digits for one of a list."""
    found = []
    for part in path.split("."):
        step = _STEP.fullmatch(part)
        if step is None:
            return ()
        found.append((step[1], step[2]))
    return tuple(found)


def is_path(path: str) -> bool:
    """Returns whether this can be read as a path."""
    return bool(_steps(path))


def text_at(
    value: object, path: str, *, in_words: Callable[[dict[str, object]], str | None] | None = None
) -> str | None:
    """Returns the text, number or truth value at the path; several are joined by "; ", anything else is None.

    Takes `in_words`: how an object at the end of the path reads, where the format defines that.
    """
    here = [value]
    for name, place in _steps(path):
        there = []
        for one in here:
            found = one.get(name) if isinstance(one, dict) else None
            if place is None:
                there.append(found)
            elif isinstance(found, list):
                there += found if place == "" else found[int(place) : int(place) + 1]
        here = there
    said = [in_words(one) if in_words and isinstance(one, dict) else _text(one) for one in here[:MOST_TEXTS]]
    texts = [t for t in said if t]
    return "; ".join(texts) or None


def rows_at(value: object, path: str) -> tuple[list[dict[str, object]], int]:
    """Returns the objects of the list at the path, and how many of its members were none.

    Raises ConnectorError (MALFORMED) when there is no list: an answer without one is not an empty answer.
    """
    steps = _steps(path)
    for at, (name, place) in enumerate(steps, 1):
        value = value.get(name) if isinstance(value, dict) else None
        if place == "" and at == len(steps) and isinstance(value, list):
            rows = [row for row in value if isinstance(row, dict)]
            return rows, len(value) - len(rows)
    raise ConnectorError(NoAnswerReason.MALFORMED, "The partner's answer has no list where its file says it is.")


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
