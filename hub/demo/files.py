"""Writes what the partners of the demo county would drop or run: CSV files, a police database, partner files.

For: a hub that is loaded through the same doors as a real partnership. Must never write the truth: no file
says which records are one person. Ruled by docs/connecting-a-partner.md.
"""

import csv
import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from hub.demo.drops import DROPS
from hub.demo.model import AGENCIES, DESKS, County, SourceRecord

#: Servers that need a port, in the order in which the stand-ins start them.
SERVERS = ("gp-millbrook", "gp-harbourside", "sms", "identity", "citizens")
_TEMPLATES = Path(__file__).parent / "partners"


def write_county(county: County, folder: Path, *, ports: Mapping[str, int]) -> None:
    """Writes everything the partners hold into a folder.

    Takes `ports` of the servers in SERVERS; 0, or none, lets the stand-ins choose one: then write the partner
    files again with `write_partners` and the ports that they print.
    Effects: `drops/<agency>/*.csv`, `police.sqlite`, `partners/<agency>.toml` and `county.json` in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for agency, files in DROPS.items():
        at = folder / "drops" / agency
        at.mkdir(parents=True, exist_ok=True)
        for drop in files:
            with (at / drop.name).open("w", encoding=drop.encoding, newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(drop.columns)
                writer.writerows(drop.rows(county))
                writer.writerows(drop.broken)
    write_police(county, folder / "police.sqlite")
    known = {server: ports.get(server, 0) for server in SERVERS}
    about = {"seed": county.seed, "today": county.today.isoformat(), "ports": known}
    (folder / "county.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    write_partners(folder, ports=known)


def write_partners(folder: Path, *, ports: Mapping[str, int]) -> None:
    """Writes one TOML file per partner into `folder/partners`, with the ports of the running stand-ins."""
    at = folder / "partners"
    at.mkdir(parents=True, exist_ok=True)
    words = {f"PORT_{server.upper().replace('-', '_')}": str(ports.get(server, 0)) for server in SERVERS}
    words["POLICE"] = (folder / "police.sqlite").resolve().as_posix()
    for agency in (*AGENCIES, *DESKS):
        words |= {
            "IN_HOURS": agency.lines[0],
            "OUT_OF_HOURS": agency.lines[1],
            "CODE": agency.code,
            "NAME": agency.name,
        }
        template = "gp.toml" if agency.code.startswith("gp-") else f"{agency.code}.toml"
        words["PORT"] = words.get(f"PORT_{agency.code.upper().replace('-', '_')}", "")
        text = Template((_TEMPLATES / template).read_text(encoding="utf-8")).substitute(words)
        (at / f"{agency.code}.toml").write_text(text, encoding="utf-8")


def write_issuers(folder: Path, *, issuer: str, citizens: str, client_id: str, secret_file: Path) -> Path:
    """Writes `issuers.toml`, by which the hub knows who signs in staff and who signs in citizens; returns its path."""
    path = folder / "issuers.toml"
    agencies = ", ".join(f'"{agency.code}"' for agency in (*AGENCIES, *DESKS))
    path.write_text(
        "[[issuer]]\n"
        'code = "demo"\n'
        'name = "Demonstration sign-in"\n'
        f'issuer = "{issuer}"\n'
        f'client_id = "{client_id}"\n'
        f'client_secret_file = "{secret_file.resolve().as_posix()}"\n'
        f"agencies = [{agencies}]\n\n"
        "[[issuer]]\n"
        'code = "citizen"\n'
        'name = "Demonstration sign-in for families"\n'
        'for = "citizens"\n'
        f'issuer = "{citizens}"\n'
        f'client_id = "{client_id}"\n'
        f'client_secret_file = "{secret_file.resolve().as_posix()}"\n'
        "agencies = []\n",
        encoding="utf-8",
    )
    return path


_POLICE_TABLES = """
CREATE TABLE nominals (
  nominal_ref TEXT PRIMARY KEY, forenames TEXT NOT NULL, surname TEXT NOT NULL, display_name TEXT NOT NULL, dob TEXT,
  sex TEXT, address_line TEXT, flat TEXT, town TEXT, postcode TEXT, telephone TEXT, flags TEXT, recorded_on TEXT
) STRICT;
CREATE TABLE incidents (
  incident_ref TEXT PRIMARY KEY, category TEXT NOT NULL, kind TEXT NOT NULL, happened_on TEXT NOT NULL, ended_on TEXT,
  summary TEXT, risk TEXT, officer TEXT, telephone TEXT
) STRICT;
CREATE TABLE involvements (
  incident_ref TEXT NOT NULL REFERENCES incidents, nominal_ref TEXT NOT NULL REFERENCES nominals, part TEXT NOT NULL,
  PRIMARY KEY (incident_ref, nominal_ref)
) STRICT;
CREATE TABLE known_to (
  ref TEXT PRIMARY KEY, nominal_ref TEXT NOT NULL REFERENCES nominals, unit TEXT NOT NULL, first_seen TEXT NOT NULL,
  last_seen TEXT, officer TEXT, telephone TEXT
) STRICT;
CREATE INDEX involvements_by_nominal ON involvements (nominal_ref);
CREATE INDEX known_to_by_nominal ON known_to (nominal_ref);
"""


def write_police(county: County, path: Path) -> None:
    """Writes the police database anew. Raises OSError when the old file cannot be removed."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.executescript(_POLICE_TABLES)
        _insert(
            database,
            "nominals",
            (
                (
                    r.record, " ".join(r.person.names[0].given), r.person.names[0].family[0].upper(),
                    f"{' '.join(r.person.names[0].given)} {r.person.names[0].family[0]}",
                    r.person.date_of_birth.date.isoformat() if r.person.date_of_birth else None,
                    {"1": "M", "2": "F"}.get(r.person.sex_code or "", "U"),
                    *_place(r),
                    next((t for c in r.person.contacts for t in c.telephone), None),
                    ";".join(sorted(r.flags)), r.valid_from.isoformat() if r.valid_from else None,
                )
                for r in county.records if r.agency == "police"
            ),
        )  # fmt: skip
        held = [h for h in county.happenings if h.agency == "police"]
        _insert(
            database,
            "incidents",
            (
                (
                    h.id, h.category, h.type, h.started.isoformat(), h.ended.isoformat() if h.ended else None,
                    h.details.get("circumstances"), h.details.get("risk"), h.worker.name, h.worker.telephone,
                )
                for h in held
            ),
        )  # fmt: skip
        _insert(database, "involvements", ((h.id, part.record, part.words) for h in held for part in h.parts))
        _insert(
            database,
            "known_to",
            (
                (
                    i.id, i.record, i.service, i.since.isoformat(), i.until.isoformat() if i.until else None,
                    i.worker.name, i.worker.telephone,
                )
                for i in county.involvements if i.agency == "police"
            ),
        )  # fmt: skip
    database.close()


def _place(r: SourceRecord) -> tuple[str | None, ...]:
    home = next(iter(r.person.addresses), None)
    return (home.line1, home.line2, home.city, home.postcode) if home else (None,) * 4


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    held = list(rows)
    if held:
        marks = ", ".join("?" * len(held[0]))
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", held)  # noqa: S608 - our own table names


__all__ = ["SERVERS", "write_county", "write_issuers", "write_partners", "write_police"]
