"""A delta of a drop: changed rows and removed ones, put into the files that are there.

For: partners that send what changed instead of everything. Must never guess which row is meant: rows are told by the
id that the partner's mapping names, and a delta that does not fit the files that are there is refused whole.
"""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from connectors.contract import ConnectorError, Partner
from connectors.partner import person_mapping

#: The ending of a file of removed ids, one on each line (several columns separated as in the file itself).
REMOVED = ".removed"
#: Changed or removed rows of one file; more is sent whole.
MOST_CHANGES = 1_000_000


def names_of(partner: Partner) -> set[str]:
    """The files that a partner drops."""
    mapping = person_mapping(partner)
    people = {mapping.file} if mapping and mapping.file else set()
    if mapping and mapping.relationships and mapping.relationships.file:
        people.add(mapping.relationships.file)
    return people | {spec.source for spec in partner.items}


def ids_of(partner: Partner, name: str) -> tuple[str, ...]:
    """The columns that tell a row of a file. Raises ConnectorError (NO_DELTA) where two uses tell rows differently."""
    mapping = person_mapping(partner)
    ways: set[tuple[str, ...]] = {(mapping.record,)} if mapping and mapping.file == name else set()
    ways |= {spec.id_columns or (spec.id,) for spec in partner.items if spec.source == name}
    if len(ways) != 1:
        raise ConnectorError("NO_DELTA", f"{name}: its rows have no single id; send it whole.")
    return next(iter(ways))


def merged(partner: Partner, staged: Path, drop: Path) -> None:
    """Turns the changes in `staged` into whole files there, from the files of the drop.

    Raises ConnectorError: NO_DELTA, MISSING_FILE (there is nothing to change), HEADING (other columns).
    """
    names = {path.name.removesuffix(REMOVED) for path in staged.iterdir()}
    for name in sorted(names):
        changes, removed = staged / name, staged / (name + REMOVED)
        if not (drop / name).is_file():
            raise ConnectorError("MISSING_FILE", f"{name}: nothing is here yet that could be changed; send it whole.")
        _merge(partner, name, drop / name, changes, removed, staged / (name + ".whole"))
        removed.unlink(missing_ok=True)
        os.replace(staged / (name + ".whole"), changes)


def _merge(partner: Partner, name: str, before: Path, changes: Path, removed: Path, whole: Path) -> None:
    how, key = _encoding(partner), ids_of(partner, name)
    try:
        with before.open(encoding=how, newline="") as old, whole.open("w", encoding=how, newline="") as out:
            rows = csv.DictReader(old, delimiter=_delimiter(partner), strict=True)
            columns = list(rows.fieldnames or ())
            changed = dict(_changed(partner, name, changes, columns, key))
            gone = set(_removed(partner, removed, len(key)))
            writer = csv.DictWriter(out, columns, delimiter=_delimiter(partner))
            writer.writeheader()
            for row in rows:
                id_ = tuple(row.get(column) or "" for column in key)
                if id_ not in gone:
                    writer.writerow(changed.pop(id_, row))
            for id_, row in changed.items():
                if id_ not in gone:
                    writer.writerow(row)
            out.flush()
            os.fsync(out.fileno())
    except (csv.Error, UnicodeError, ValueError):
        raise ConnectorError("HEADING", f"{name}: cannot be read as the file that is here.") from None


def _changed(
    partner: Partner, name: str, changes: Path, columns: list[str], key: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    if not changes.is_file():
        return
    with changes.open(encoding=_encoding(partner), newline="") as file:
        rows = csv.DictReader(file, delimiter=_delimiter(partner), strict=True)
        if list(rows.fieldnames or ()) != columns or not set(key) <= set(columns):
            raise ConnectorError("HEADING", f"{name}: its heading is not that of the file that is here.")
        for count, row in enumerate(rows):
            if count >= MOST_CHANGES:
                raise ConnectorError("NO_DELTA", f"{name}: has more than {MOST_CHANGES} changes; send it whole.")
            yield tuple(row.get(column) or "" for column in key), row


def _removed(partner: Partner, removed: Path, width: int) -> Iterator[tuple[str, ...]]:
    if removed.is_file():
        with removed.open(encoding=_encoding(partner), newline="") as file:
            for row in csv.reader(file, delimiter=_delimiter(partner), strict=True):
                if row and len(row) != width:
                    raise ConnectorError("HEADING", f"{removed.name}: an id has {width} columns.")
                if row:
                    yield tuple(row)


def _encoding(partner: Partner) -> str:
    encoding = str(partner.reach["encoding"])
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _delimiter(partner: Partner) -> str:
    return str(partner.reach["delimiter"])
