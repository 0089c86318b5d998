"""A Children in Need census return, child by child, whatever state it is in.

For: dropped `.xml` files. A return is read as tables: one row per child, referral, assessment, plan and so on, each
with its own elements and those of what it lies in. Must never read a document type, an entity or anything from the
network, never hold more than one child in memory, and never repeat a value in what it reports. Follows the
Department for Education's census schemas of 2022 and 2024 (copies beside this file).
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from lxml import etree

from connectors.contract import ConnectorError
from connectors.formats.csv_rows import BrokenRow, Row
from connectors.formats.people import Reject
from connectors.formats.schema import Declared, read_schema

#: Bytes of one child, with all its referrals; a longer one is no child but a bomb.
LONGEST_CHILD = 4_000_000
#: First year of the census that the newer schema is for.
NEWER_FROM = "2023"
#: Elements that came after the schemas, and what they were called before.
RENAMED = {"Sex": "GenderCurrent"}

_CHUNK = 65_536
_HERE = Path(__file__).parent


class CinFile:
    """A census return whose opening has been read. Raises ConnectorError (XML, DOCTYPE, NOT_THE_FORMAT)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._refuse_a_document_type()
        self.year = self._year()
        newer = self.year >= NEWER_FROM
        self.schema = read_schema(_HERE / f"cin_census_{'2024' if newer else '2022'}.xsd", "Child")

    def table(self, element: str) -> "CinTable":
        """One kind of row of the return. Raises ConnectorError (MISSING_COLUMN) for an element that repeats nowhere."""
        if element not in tables_of(self.schema):
            raise ConnectorError("MISSING_COLUMN", f"{self.path.name}: the census has no repeated element {element}")
        return CinTable(self, element)

    def children(self) -> Iterator[etree._Element]:
        """Every `Child`, one at a time; each is emptied when the next is asked for."""
        parser = etree.XMLPullParser(
            events=("end",), tag="Child", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        since_last = 0
        try:
            with self.path.open("rb") as file:
                while data := file.read(_CHUNK):
                    parser.feed(data)
                    since_last += len(data)
                    for _, child in parser.read_events():
                        since_last = 0
                        yield child
                        child.clear(keep_tail=False)
                        while child.getprevious() is not None:
                            del child.getparent()[0]
                    if since_last > LONGEST_CHILD:
                        raise self._refused("XML", f"holds a child of more than {LONGEST_CHILD} bytes")
                parser.close()
        except etree.XMLSyntaxError as error:
            line = error.lineno or 0
            raise self._refused("XML", f"is not well-formed XML from line {line} on; send it again whole") from None

    def _refuse_a_document_type(self) -> None:
        """Reads as far as the first element, with another parser, which stops at a document type (threat row 21)."""
        parser = expat.ParserCreate()
        begun: list[str] = []

        def doctype(*_: object) -> None:
            raise self._refused("DOCTYPE", "declares a document type; a return has none")

        parser.StartDoctypeDeclHandler = doctype
        parser.StartElementHandler = lambda name, _: begun.append(name)
        try:
            with self.path.open("rb") as file:
                while not begun and (data := file.read(_CHUNK)):
                    parser.Parse(data, False)
                    if not begun and file.tell() > 16 * _CHUNK:
                        raise self._refused("XML", "has no element in its first megabyte")
        except expat.ExpatError as error:
            if not begun:
                raise self._refused("XML", f"is not XML: line {error.lineno} cannot be read") from None
        if begun[:1] != ["Message"]:
            raise self._refused("NOT_THE_FORMAT", "is no census return: its first element is not Message")

    def _year(self) -> str:
        with self.path.open("rb") as file:
            found = re.search(rb"<Year>\s*(\d{4})\s*</Year>", file.read(_CHUNK).replace(b"\0", b""))
        return found[1].decode() if found else NEWER_FROM

    def _refused(self, code: str, words: str) -> ConnectorError:
        return ConnectorError(code, f"{self.path.name}: {words}")


class CinTable:
    """The rows of one repeated element. After `rows()`, `unknown` counts the elements that the schema does not have."""

    def __init__(self, file: CinFile, element: str) -> None:
        self.path, self._file, self.element = file.path, file, element
        self.name = f"{file.path.name} {element}"
        self.columns = frozenset({"@id", *RENAMED, *_names(file.schema)})
        self.unknown: Counter[str] = Counter()

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Every such element of every child, in order."""
        for child in self._file.children():
            record = (child.findtext("ChildIdentifiers/LAchildID") or "").strip()
            yield from self._below(child, self._file.schema, {"LAchildID": record}, record or "?")

    def _below(
        self, element: etree._Element, declared: Declared, above: dict[str, str], path: str
    ) -> Iterator[Row | BrokenRow]:
        mine = declared.name == self.element
        cells, rejects, deeper = self._own(element, declared, tell=mine)
        cells = {RENAMED.get(name, name): value for name, value in cells.items()}
        if mine:
            yield Row(element.sourceline, {**above, **cells, "@id": path}, tuple(rejects))
            return
        above = {**above, **({} if declared is self._file.schema else _as_above(cells, declared.name))}
        seen: Counter[str] = Counter()
        for inner, kind in deeper:
            seen[kind.name] += 1
            if kind.name == self.element or self.element in tables_of(kind):
                yield from self._below(inner, kind, above, f"{path}/{kind.name}{seen[kind.name]}")

    def _own(
        self, element: etree._Element, declared: Declared, *, tell: bool
    ) -> tuple[dict[str, str], list[Reject], list[tuple[etree._Element, Declared]]]:
        """The element's own cells through its single wrappers, what is wrong with them, and the tables below it."""
        cells: dict[str, str] = {}
        rejects: list[Reject] = []
        deeper: list[tuple[etree._Element, Declared]] = []

        def wrong(line: int, name: str, reason: str) -> None:
            if tell:
                rejects.append(Reject(self.path.name, line, name, reason))

        def leaf(one: etree._Element, kind: Declared) -> None:
            value = " ".join((one.text or "").split())
            problem = kind.check(value) if kind.check and (value or kind.required) else None
            if len(one):
                problem = "holds elements where the census has a value"
            if problem:
                wrong(one.sourceline, kind.name, problem)
            cells[kind.name] = "" if problem else value

        def walk(inside: etree._Element, kind: Declared) -> None:
            stray = any(text and text.strip() for text in (inside.text, *(one.tail for one in inside)))
            if stray:
                wrong(inside.sourceline, kind.name, "holds text between its elements")
            found: Counter[str] = Counter()
            for one in inside:
                name = one.tag if isinstance(one.tag, str) else "&entity;"
                below = kind.children.get(name)
                found[RENAMED.get(name, name)] += 1
                if below is None:
                    if tell:
                        self.unknown[f"{kind.name}/{_plain(name)}"] += 1
                    cells.setdefault(name, " ".join((one.text or "").split()))
                elif below.many:
                    deeper.append((one, below))
                elif found[name] > 1:
                    wrong(one.sourceline, name, "comes twice; the first one counts")
                elif below.check is None:
                    walk(one, below)
                else:
                    leaf(one, below)
            for below in kind.children.values():
                if below.required and not found[below.name]:
                    wrong(inside.sourceline, below.name, "is missing")

        if declared.check is not None:
            leaf(element, declared)
        else:
            walk(element, declared)
        return cells, rejects, deeper


def tables_of(declared: Declared) -> frozenset[str]:
    """The names of the repeated elements from here downwards; each is a table."""
    below = frozenset().union(*(tables_of(child) for child in declared.children.values()))
    return below | {declared.name} if declared.many else below


def _names(declared: Declared) -> set[str]:
    """What cells of any row may be called."""
    found = {declared.name} if declared.check else set()
    for child in declared.children.values():
        found |= _names(child)
    above = {f"{declared.name}/{name}" for name in found if "/" not in name}
    return found | above if declared.many and declared.children else found


def _as_above(cells: dict[str, str], name: str) -> dict[str, str]:
    return {f"{name}/{cell}": value for cell, value in cells.items()}


def _plain(name: str) -> str:
    """An element's name as a report may say it: names are not values, but somebody may write values as names."""
    return (
        name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,40}", name) and not re.search(r"\d{4}", name) else "(unnamed)"
    )
