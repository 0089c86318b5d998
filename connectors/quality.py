"""What a load found in a drop: counts, rejects, and how well each element is filled.

For: the report that goes back to the partner. Must never hold a value of any row: files, lines, elements, reasons
and counts only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from connectors.contract import ConnectorError
from connectors.formats.csv_rows import Row
from connectors.formats.people import Reject

#: Rejects that a report lists one by one; all are counted.
MOST_REJECTS_LISTED = 1000
#: Share of rows of one file that may be unusable before the whole drop is refused as the wrong kind of file.
MOST_ROWS_REJECTED = 0.5


@dataclass(frozen=True, slots=True)
class ElementCount:
    """How often one element of a file was filled, and how often what it held could not be used."""

    element: str
    filled: int
    rejected: int


@dataclass(frozen=True, slots=True)
class FileCount:
    """What became of the rows of one file in one use; rows_in = rows_out + rows_rejected + rows_set_aside.

    A row is set aside when the partner's own relevance rule (`when`) says that it is of no matter for this use.
    """

    file: str
    use: str
    rows_in: int
    rows_out: int
    rows_rejected: int
    rows_set_aside: int = 0
    elements: tuple[ElementCount, ...] = ()


@dataclass(frozen=True, slots=True)
class Unused:
    """An element that a file has and the mapping does not use; `count` is 0 where only its heading was seen."""

    file: str
    element: str
    count: int = 0


class Tally:
    """The rows of one file in one use while they are read."""

    __slots__ = ("columns", "file", "filled", "refused", "rows_in", "rows_rejected", "rows_set_aside", "use")

    def __init__(self, file: str, use: str, columns: Sequence[str] = ()) -> None:
        self.file, self.use, self.columns = file, use, columns
        self.rows_in = self.rows_rejected = self.rows_set_aside = 0
        self.filled = dict.fromkeys(columns, 0)
        self.refused: dict[str, int] = {}

    def close(self) -> FileCount:
        """Returns the counts. Raises ConnectorError (TOO_MANY_REJECTS) when it cannot be the agreed file."""
        if self.rows_rejected > MOST_ROWS_REJECTED * self.rows_in:
            raise ConnectorError(
                "TOO_MANY_REJECTS",
                f"{self.file}: {self.rows_rejected} of {self.rows_in} rows cannot be used; is it the agreed file?",
            )
        names = sorted({*self.filled, *self.refused})
        elements = tuple(ElementCount(n, self.filled.get(n, 0), self.refused.get(n, 0)) for n in names)
        out = self.rows_in - self.rows_rejected - self.rows_set_aside
        return FileCount(self.file, self.use, self.rows_in, out, self.rows_rejected, self.rows_set_aside, elements)

    def see(self, row: Row) -> None:
        """Counts the filled elements of a row."""
        filled, cells = self.filled, row.cells
        for column in self.columns:
            if cells.get(column):
                filled[column] += 1

    def saved(self) -> dict[str, Any]:
        """Returns what `restore` needs."""
        counts = (self.rows_in, self.rows_rejected, self.rows_set_aside)
        return {"counts": counts, "filled": self.filled, "refused": self.refused}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Goes on counting from what was saved."""
        self.rows_in, self.rows_rejected, self.rows_set_aside = saved["counts"]
        self.filled, self.refused = dict(saved["filled"]), dict(saved["refused"])


class Readable(Protocol):
    """A file, or one table of it, as a use of it is noted: by name, and by the elements that nobody knew."""

    @property
    def name(self) -> str:
        """What it is called; an XML table also says which."""
        ...

    @property
    def unknown(self) -> Mapping[str, int]:
        """Elements that its format does not have, and how often they came."""
        ...


@dataclass(slots=True)
class Findings:
    """What the report will say."""

    rejects: list[Reject] = field(default_factory=list)
    unlisted: int = 0
    files: list[FileCount] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)
    #: Files, or tables of one, that were read before: what cannot be decoded is told in the first use only.
    read: set[str] = field(default_factory=set)

    def add(self, reject: Reject, tally: Tally, whole_row: bool = False) -> None:
        """Counts one reject, and lists it while there is room."""
        tally.rows_rejected += whole_row
        if reject.column and reject.line > 1:
            tally.refused[reject.column] = tally.refused.get(reject.column, 0) + 1
        if len(self.rejects) < MOST_REJECTS_LISTED:
            self.rejects.append(reject)
        else:
            self.unlisted += 1

    def is_first_use(self, file: Readable) -> bool:
        """True until the file was read to its end once."""
        return file.name not in self.read

    def close(self, file: Readable, *tallies: Tally) -> None:
        """Notes that a file was read to its end. Raises ConnectorError (TOO_MANY_REJECTS)."""
        if self.is_first_use(file):
            self.unused += [Unused(tallies[0].file, name, count) for name, count in sorted(file.unknown.items())]
        self.read.add(file.name)
        self.files += [tally.close() for tally in tallies]

    def saved(self) -> dict[str, Any]:
        """Returns what `restore` needs."""
        return {
            "rejects": [(r.source, r.line, r.column, r.reason) for r in self.rejects],
            "unlisted": self.unlisted,
            "files": [asdict(f) for f in self.files],
            "unused": [asdict(u) for u in self.unused],
            "read": sorted(self.read),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Goes on from what was saved."""
        self.rejects = [Reject(*r) for r in saved["rejects"]]
        self.unlisted, self.read = saved["unlisted"], set(saved["read"])
        self.files = [file_count(f) for f in saved["files"]]
        self.unused = [Unused(**u) for u in saved["unused"]]


def file_count(table: Mapping[str, Any]) -> FileCount:
    """Returns a FileCount that was written as a table."""
    elements = tuple(ElementCount(**e) for e in table["elements"])
    return FileCount(**{**table, "elements": elements})
