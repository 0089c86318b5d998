"""The files of a drop: opened and looked at all together, before anything is written.

For: connectors/loading.py. Must never begin with half a drop: everything that is missing is said at once. Knows what
a file is written in (CSV, or a census return by its .xml), and which of its columns nobody uses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.contract import ConnectorError, ItemMapping, Partner
from connectors.formats.cin import CinFile, CinTable
from connectors.formats.csv_rows import BrokenRow, CsvFile, Row
from connectors.formats.people import PersonMapping

#: Bytes of one file of a drop.
LARGEST_FILE = 8_000_000_000


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file as one table; `unknown` are the columns that no mapping uses."""

    file: CsvFile
    used: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.path.name

    @property
    def columns(self) -> list[str]:
        """Its heading."""
        return self.file.columns

    @property
    def unknown(self) -> Mapping[str, int]:
        """Columns that no mapping uses; how often they are filled is not counted."""
        return {column: 0 for column in self.columns if column and column not in self.used}

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Every row."""
        return self.file.rows()


DropTable = CsvTable | CinTable
#: File and, for XML, element.
Place = tuple[str, str | None]


def files_of(mapping: PersonMapping | None, people_element: str | None, specs: tuple[ItemMapping, ...]) -> list[Place]:
    """Every table that a drop of this mapping has, people first."""
    places: list[Place] = []
    if mapping and mapping.file:
        places.append((mapping.file, people_element))
        if mapping.relationships and mapping.relationships.file:
            places.append((mapping.relationships.file, None))
    return list(dict.fromkeys([*places, *((spec.source, spec.element) for spec in specs)]))


def open_drop(
    partner: Partner,
    where: Path,
    places: list[Place],
    mapping: PersonMapping | None,
    specs: tuple[ItemMapping, ...],
) -> dict[Place, DropTable]:
    """Opens every table of a drop.

    Raises ConnectorError (MISSING_FILE, MISSING_COLUMN, NO_HEADING, HEADING, XML, DOCTYPE, NOT_THE_FORMAT) that names
    everything that is wrong.
    """
    must, used = _columns(places, mapping, specs)
    opened: dict[Place, DropTable] = {}
    whole: dict[str, CsvFile | CinFile] = {}
    wrong: list[tuple[str, str]] = []
    for name in dict.fromkeys(name for name, _ in places):
        path = where / name
        if not path.is_file() or path.is_symlink():
            wrong.append(("MISSING_FILE", f"{name}: is not in the drop"))
        elif path.stat().st_size > LARGEST_FILE:
            wrong.append(("TOO_LARGE", f"{name}: has more than {LARGEST_FILE} bytes"))
        else:
            try:
                whole[name] = _open(partner, path)
            except ConnectorError as error:
                wrong.append((error.code, error.sentence))
    for place in places:
        name, element = place
        file = whole.get(name)
        if isinstance(file, CinFile):
            try:
                opened[place] = file.table(element or "")
            except ConnectorError as error:
                wrong.append((error.code, error.sentence))
        elif file is not None:
            opened[place] = CsvTable(file, used[place])
            if missing := sorted(must[place] - set(file.columns)):
                wrong.append(("MISSING_COLUMN", f"{name}: the heading has no column {', '.join(missing)}"))
    if wrong:
        raise ConnectorError(wrong[0][0], f"{partner.code}: nothing was loaded. " + "; ".join(s for _, s in wrong))
    return opened


def _open(partner: Partner, path: Path) -> CsvFile | CinFile:
    if path.suffix == ".xml":
        return CinFile(path)
    return CsvFile(path, encoding=str(partner.reach["encoding"]), delimiter=str(partner.reach["delimiter"]))


def _columns(
    places: list[Place], mapping: PersonMapping | None, specs: tuple[ItemMapping, ...]
) -> tuple[dict[Place, set[str]], dict[Place, set[str]]]:
    """For each table the columns that must be there, and those that are used at all."""
    must: dict[Place, set[str]] = {place: set() for place in places}
    used: dict[Place, set[str]] = {place: set() for place in places}
    if mapping and mapping.file:
        must[places[0]].add(mapping.record)
        used[places[0]] |= mapping.columns()
        if (ties := mapping.relationships) and ties.file:
            must[ties.file, None] |= {ties.record, ties.other}
            used[ties.file, None] |= {ties.record, ties.other, ties.code.column}
    for spec in specs:
        must[spec.source, spec.element] |= {*(spec.id_columns or (spec.id,)), spec.record}
        used[spec.source, spec.element] |= spec.columns()
    return must, used
