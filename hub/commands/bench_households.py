"""`python -m hub bench households`: links and child households of invented counties, against what is true of them.

For: measuring on counties that nobody looked at; the demonstration's generator makes one for each seed. The truth is
only read afterwards, by `hub.people.measuring`.
"""

import csv
import tempfile
from datetime import date
from pathlib import Path

import click

from hub.commands.match import FAMILY_COLUMNS, LINK_COLUMNS
from hub.demo.county import build_county
from hub.demo.model import County
from hub.people.households import households
from hub.people.matching.batch import link
from hub.people.matching.normalise import prepare
from hub.people.measuring import Truth, measure_families, measure_links

#: Seed 21 was looked at while rules for households were made; the others were not.
SEEDS = (11, 12, 21, 22, 23, 24)
DAY = date(2026, 7, 1)


def bench_households() -> None:
    """Prints the links and the child households of each county, with the number of records."""
    for seed in SEEDS:
        county = build_county(seed, today=DAY)
        with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
            lines = _measured(county, Path(folder))
        click.echo(f"county {seed}, {len(county.records):,} records: {lines}  [child households whole >= 0.92]")


def _measured(county: County, folder: Path) -> str:
    held = sorted(county.records, key=lambda r: (r.agency, r.record))
    clusters = link([prepare(r) for r in held])[0]
    with (folder / "links.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(LINK_COLUMNS)
        for x in clusters.links:
            a, b = held[x.first], held[x.second]
            row = (a.agency, a.record, b.agency, b.record, x.weight.bits, x.weight.probability, x.outcome)
            writer.writerow(row)
    with (folder / "families.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FAMILY_COLUMNS)
        homes = households(held, clusters.person_of)
        for record, person, home in zip(held, clusters.person_of, homes, strict=True):
            writer.writerow((record.agency, record.record, person, home))
    known = _truth(county)
    of_all = next(line for line in measure_links(folder / "links.csv", known) if line.startswith("all |"))
    figures = [cell.strip() for cell in of_all.split("|")]
    families = " ".join(measure_families(folder / "families.csv", known))
    return f"true links {figures[1]}, missed {figures[3]}, wrong {figures[4]}; {families}"


def _truth(county: County) -> Truth:
    """Who is who and who lives where on the day."""
    lives = {home.person: home.household for home in county.residences if home.until is None}
    born = {key: person.born or DAY for key, person in county.people.items()}
    age = {key: DAY.year - day.year - ((DAY.month, DAY.day) < (day.month, day.day)) for key, day in born.items()}
    return Truth(county.truth, lives, age)
