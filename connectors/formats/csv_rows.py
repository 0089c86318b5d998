"""A partner's CSV file, row by row, whatever state it is in.

For: dropped files. Must never hold more than a few rows in memory, never let one bad line spoil the next, and
never repeat a cell in what it reports. Follows RFC 4180 (October 2005), with LF or CRLF and an optional UTF-8
byte order mark.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connectors.contract import ConnectorError
from connectors.formats.people import Reject

#: Bytes of one line; lines of one quoted row. Beyond them a quotation mark was left open or it is no CSV.
LONGEST_LINE = 65_536
MOST_LINES_IN_A_ROW = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file, its cells by column, and the elements that could not be decoded."""

    line: int
    cells: dict[str, str]
    rejects: tuple[Reject, ...] = ()


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that cannot be used as a whole; `cells` is what could be told apart, in order, for finding the person."""

    reject: Reject
    cells: dict[str, str]


class CsvFile:
    """A CSV file whose heading has been read; `rows()` reads the rest."""

    def __init__(self, path: Path, *, encoding: str = "utf-8", delimiter: str = ",") -> None:
        self.path, self.delimiter = path, delimiter
        self.encoding = "utf-8" if encoding in ("utf-8", "utf-8-sig") else encoding
        with path.open("rb") as file:
            heading = next(self._lines(file), None)
        text = heading[1] if heading else None
        names = [name.strip() for name in self._cells(text)] if text and text.count('"') % 2 == 0 else []
        if not any(names):
            raise ConnectorError("NO_HEADING", f"{path.name}: has no heading row; the first line must name the columns")
        if text and "\r" in text:
            raise ConnectorError("HEADING", f"{path.name}: lines end with CR alone; save it with LF or CRLF")
        if len(set(names)) != len(names):
            raise ConnectorError("HEADING", f"{path.name}: names a column twice; give each column its own name")
        self.columns = names

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Every row after the heading; blank lines are not rows."""
        with self.path.open("rb") as file:
            lines = self._lines(file)
            next(lines, None)
            waiting: list[tuple[int, str | None]] = []
            while True:
                at, text = waiting.pop(0) if waiting else next(lines, (0, None))
                if at == 0:
                    return
                if text is None:
                    yield self._broken(at, f"a line of more than {LONGEST_LINE} bytes", "")
                    continue
                if text.count('"') % 2:
                    whole, taken = self._until_closed(text, waiting, lines)
                    if whole is None:
                        # Only this line is lost: the lines after it are read again as rows of their own.
                        waiting = taken + waiting
                        yield self._broken(at, "a quotation mark is left open", text.split('"', 1)[0])
                        continue
                    text = whole
                if text.strip():
                    yield self._row(at, text)

    def _until_closed(
        self, text: str, waiting: list[tuple[int, str | None]], lines: Iterator[tuple[int, str | None]]
    ) -> tuple[str | None, list[tuple[int, str | None]]]:
        """The row with the lines that its open quotation mark runs over, or None and the lines that were tried."""
        taken: list[tuple[int, str | None]] = []
        while len(taken) < MOST_LINES_IN_A_ROW:
            at, more = waiting.pop(0) if waiting else next(lines, (0, None))
            if at == 0:
                break
            taken.append((at, more))
            if more is None:
                break
            text += "\n" + more
            if text.count('"') % 2 == 0:
                try:
                    closed = len(self._cells(text)) == len(self.columns)
                except csv.Error:
                    closed = False
                return (text if closed else None), taken
        return None, taken

    def _row(self, at: int, text: str) -> Row | BrokenRow:
        try:
            cells = self._cells(text)
        except csv.Error:
            return self._broken(at, "quotation marks inside a cell are not doubled", "")
        if len(cells) != len(self.columns):
            return self._broken(at, f"{len(self.columns)} cells expected, {len(cells)} found", text)
        row = dict(zip(self.columns, cells, strict=True))
        if text.isascii():
            return Row(at, row)
        rejects = []
        for column, cell in row.items():
            if any("\udc80" <= c <= "\udcff" for c in cell):
                row[column] = ""
                rejects.append(Reject(self.path.name, at, column, f"bytes that are not {self.encoding}"))
        return Row(at, row, tuple(rejects))

    def _cells(self, text: str) -> list[str]:
        if '"' not in text:
            return text.split(self.delimiter)
        return next(csv.reader([text], delimiter=self.delimiter, strict=True), [])

    def _broken(self, at: int, reason: str, readable: str) -> BrokenRow:
        try:
            cells = self._cells(readable)
        except csv.Error:
            cells = []
        return BrokenRow(Reject(self.path.name, at, "", reason), dict(zip(self.columns, cells, strict=False)))

    def _lines(self, file: BinaryIO) -> Iterator[tuple[int, str | None]]:
        """Line number and text of each line; None as text where the line is too long to be one."""
        at = 0
        while raw := file.readline(LONGEST_LINE + 1):
            at += 1
            if at == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if len(raw) > LONGEST_LINE and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = file.readline(LONGEST_LINE)
                yield at, None
            else:
                yield at, raw.rstrip(b"\r\n").decode(self.encoding, "surrogateescape")
