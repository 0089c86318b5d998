"""What an XML schema says of each element, as far as a file's elements are checked one by one.

For: the census formats, whose files are often not quite valid. A validator stops at the first strange element of
a sequence; here every element is looked at by itself, so that one fault never hides the next. Must never repeat a
value in what it says. Reads our own copies of W3C XML Schema 1.0 documents (October 2004), never a partner's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

from lxml import etree

_XS = "{http://www.w3.org/2001/XMLSchema}"
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2})?")
_WRITTEN: Mapping[str, tuple[str, str]] = {
    "xs:gYear": (r"\d{4}", "is not a year"),
    "xs:dateTime": (r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})?", "is not a date and time"),
    "xs:positiveInteger": (r"\+?0*[1-9]\d{0,17}", "is not a number from 1"),
}

#: Says why a value is not one of the type, or None when it is.
Check = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Declared:
    """One element of the schema: a leaf has a `check`, any other has `children` by name."""

    name: str
    required: bool
    many: bool
    check: Check | None = None
    children: Mapping[str, "Declared"] = field(default_factory=dict)


@cache
def read_schema(path: Path, root: str) -> Declared:
    """Returns what the schema declares from the element `root` downwards."""
    document = etree.parse(str(path)).getroot()
    types = {t.get("name"): t for t in document if t.tag in (f"{_XS}complexType", f"{_XS}simpleType")}
    for element in document.iter(f"{_XS}element"):
        if element.get("name") == root:
            return _declared(element, types)
    raise KeyError(root)


def _declared(element: etree._Element, types: Mapping[str, etree._Element]) -> Declared:
    name, required = element.get("name"), element.get("minOccurs", "1") != "0"
    many = element.get("maxOccurs", "1") not in ("0", "1")
    kind = element.get("type")
    inner = types.get(kind) if kind else next((c for c in element if c.tag != f"{_XS}annotation"), None)
    if inner is not None and inner.tag == f"{_XS}complexType":
        below = [_declared(child, types) for child in inner.iterfind(f"{_XS}sequence/{_XS}element")]
        return Declared(name, required, many, None, {child.name: child for child in below})
    return Declared(name, required, many, _check(kind, inner, types))


def _check(kind: str | None, simple: etree._Element | None, types: Mapping[str, etree._Element]) -> Check:
    if simple is None:
        return _built_in(str(kind))
    restriction = simple.find(f"{_XS}restriction")
    allowed = {e.get("value") for e in restriction.iterfind(f"{_XS}enumeration")}
    if allowed:
        return lambda value: None if value in allowed else "is not a value of the census's list"
    patterns = [re.compile(e.get("value")) for e in restriction.iterfind(f"{_XS}pattern")]
    if patterns:
        fits = "is not written as the census says"
        return lambda value: None if any(p.fullmatch(value) for p in patterns) else fits
    if restriction.find(f"{_XS}minLength") is not None:
        return lambda value: None if value else "is empty"
    base = restriction.get("base")
    return _check(base, types.get(base), types)


def _built_in(kind: str) -> Check:
    if kind == "xs:date":
        return _is_day
    written, reason = _WRITTEN.get(kind, (r"(?s:.*)", ""))
    return lambda value: None if re.fullmatch(written, value) else reason


def _is_day(value: str) -> str | None:
    found = _DAY.fullmatch(value)
    try:
        if found and date.fromisoformat(found[1]):
            return None
    except ValueError:
        pass
    return "is not a day written as year-month-day"
