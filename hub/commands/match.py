"""`python -m hub match`: link files, find families, fit a model, and measure all of it against truth.

For: first loads, nightly checks, and anybody who wants to measure. Truth files are read by `measure` and `pictures`
only, after the linking is done; no other command takes one. Must never print a name, a date of birth or an address.
"""

import csv
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from random import Random

import click

from connectors import Reject, SourceRecord, read_mapping
from hub.people.households import households
from hub.people.matching.batch import link as link_all
from hub.people.matching.by_splink import SplinkMissing
from hub.people.matching.by_splink import train as learn
from hub.people.matching.by_splink import weights as splink_weights
from hub.people.matching.candidates import pairs
from hub.people.matching.compare import DEFAULT_MODEL, START_MODEL, Model, Scorer
from hub.people.matching.normalise import prepare
from hub.people.measuring import Truth, measure_fairness, measure_families, measure_links, measure_pictures, rows_of

LINK_COLUMNS = ("agency_a", "record_a", "agency_b", "record_b", "weight_bits", "probability", "outcome")
FAMILY_COLUMNS = ("agency", "record", "person", "household")
PARITY_COLUMNS = ("agency_a", "record_a", "agency_b", "record_b", "splink_bits")
#: The run-time scorer and Splink give one weight when they are no further apart than this, in bits.
AS_SPLINK = 1e-6

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_records = click.option("--records", required=True, type=_folder, help="Folder with the agencies' files.")
_mapping = click.option("--mapping", required=True, type=_file, help="MAPPING.toml: what the columns mean.")
_truth = click.option("--truth", required=True, type=_folder, help="Folder with truth files.")


@click.group(name="match")
def match() -> None:
    """Find the same person across agencies' files, and who belongs together."""


@match.command()
@_records
@_mapping
@click.option("--out", required=True, type=click.Path(path_type=Path), help="LINKS.csv to write.")
@click.option("--model", type=_file, default=DEFAULT_MODEL, help="Model file to start from.")
@click.option("--cores", type=click.IntRange(1, 32), default=2, show_default=True)
def link(records: Path, mapping: Path, out: Path, model: Path, cores: int) -> None:
    """Write every pair that is one person (auto) or that a person should look at (review)."""
    held = _read(records, mapping)
    began = time.perf_counter()
    clusters, fitted = link_all([prepare(r) for r in held], model=Model.load(model), cores=cores)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(LINK_COLUMNS)
        for pair in sorted(clusters.links, key=lambda x: (x.first, x.second)):
            a, b = held[pair.first], held[pair.second]
            weight = (f"{pair.weight.bits:.6f}", f"{pair.weight.probability:.9f}")
            writer.writerow((a.agency, a.record, b.agency, b.record, *weight, pair.outcome))
    outcomes = Counter(pair.outcome for pair in clusters.links)
    _say(
        f"{len(held)} records, {outcomes['auto']} links, {outcomes['review']} to review, {len(clusters.flagged)} "
        f"persons whose records break a rule, model {fitted.name}, {time.perf_counter() - began:.1f} s"
    )


@match.command()
@_records
@_mapping
@click.option("--links", required=True, type=_file, help="LINKS.csv as `link` wrote it.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="FAMILIES.csv to write.")
def families(records: Path, mapping: Path, links: Path, out: Path) -> None:
    """Write person and household of every record; persons named inside a row as record#slot."""
    held = _read(records, mapping)
    person_of = _persons(held, links)
    home_of = households(held, person_of)
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FAMILY_COLUMNS)
        for record, person, home in zip(held, person_of, home_of, strict=True):
            writer.writerow((record.agency, record.record, f"P{person + 1:06}", f"H{home + 1:06}"))
    _say(f"{len(held)} records, {len(set(person_of))} persons, {len(set(home_of))} households")


@match.command()
@_records
@_mapping
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Model file to write.")
@click.option("--name", required=True, help="Name of the model, with its date.")
@click.option("--model", type=_file, default=START_MODEL, help="Model file to start from.")
@click.option("--seed", type=int, default=20261123, show_default=True, help="Seed of the pairs that are drawn.")
def train(records: Path, mapping: Path, out: Path, name: str, model: Path, seed: int) -> None:
    """Let Splink learn a dated model file from these records, without truth, the same each time."""
    held = _read(records, mapping)
    try:
        trained = learn([prepare(r) for r in held], Model.load(model), seed=seed)
    except SplinkMissing as missing:
        raise click.ClickException(str(missing)) from missing
    for column in trained.skipped:
        _say(f"too few pairs agree on {column} to learn from them")
    frequent = trained.model.frequencies
    shares = {c: {v: round(f, 7) for v, f in frequent.get(c, {}).items()} for c in ("given", "family")}
    about = {
        "made": datetime.now(UTC).date().isoformat(),
        "source": f"{len(held)} records",
        "trained_by": f"splink {version('splink')}, seed {seed}",
    }
    out.write_text(replace(trained.model, name=name, frequencies=shares).as_json(**about), encoding="utf-8")
    _say(f"model {name} from {len(held)} records")


@match.command()
@_records
@_mapping
@click.option("--model", type=_file, default=DEFAULT_MODEL, help="Model file to weigh with.")
@click.option("--pairs", "most", type=click.IntRange(1, 200_000), default=2000, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write pairs and Splink's weights here.")
def parity(records: Path, mapping: Path, model: Path, most: int, out: Path | None) -> None:
    """Weigh the same pairs by Splink and by the run-time scorer; exit code 1 when any weight differs by 1e-6 bits."""
    held = sorted(_read(records, mapping), key=lambda r: (r.agency, r.record))
    prepared = [prepare(r) for r in held]
    worth = sorted(pairs(prepared))
    found = sorted(Random(1).sample(worth, min(most, len(worth))))
    sample = [(prepared[key // len(held)], prepared[key % len(held)]) for key in found]
    loaded = Model.load(model)
    try:
        theirs = splink_weights(loaded, sample)
    except SplinkMissing as missing:
        raise click.ClickException(str(missing)) from missing
    scorer = Scorer(loaded)
    most_apart = max(abs(scorer.weigh(a, b).bits - bits) for (a, b), bits in zip(sample, theirs, strict=True))
    if out:
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(PARITY_COLUMNS)
            writer.writerows(
                (a.agency, a.record, b.agency, b.record, f"{bits:.9f}")
                for (a, b), bits in zip(sample, theirs, strict=True)
            )
    click.echo(
        f"{len(sample)} pairs, greatest difference from splink {version('splink')} {most_apart:.2e} bits, "
        f"model {loaded.name}"
    )
    if most_apart > AS_SPLINK:
        raise SystemExit(1)


@match.command()
@click.option("--records", type=_folder, help="Link these files first, and measure by group of people as well.")
@click.option("--mapping", type=_file, help="MAPPING.toml, with --records.")
@click.option("--links", type=_file, help="LINKS.csv; without it the records are linked now.")
@click.option("--families", "families_file", type=_file)
@_truth
@click.option("--truth-mapping", type=_file, help="TOML that says where truth stands in other files.")
@click.pass_context
def measure(
    ctx: click.Context,
    records: Path | None,
    mapping: Path | None,
    links: Path | None,
    families_file: Path | None,
    truth: Path,
    truth_mapping: Path | None,
) -> None:
    """Compare links and families with truth: per agency pair, per group of people, and who was taken for whom."""
    if links is None and (records is None or mapping is None):
        raise click.UsageError("Give --links, or --records with --mapping.")
    known = Truth.described(truth, truth_mapping) if truth_mapping else Truth.read(truth)
    with tempfile.TemporaryDirectory() as folder:
        if links is None:
            links, families_file = Path(folder) / "LINKS.csv", Path(folder) / "FAMILIES.csv"
            ctx.invoke(link, records=records, mapping=mapping, out=links, model=DEFAULT_MODEL, cores=2)
            ctx.invoke(families, records=records, mapping=mapping, links=links, out=families_file)
        for line in measure_links(links, known):
            click.echo(line)
        if families_file and known.household:
            for line in measure_families(families_file, known):
                click.echo(line)
        if records and mapping:
            for line in measure_fairness(links, known, _read(records, mapping, tell=False), datetime.now(UTC).date()):
                click.echo(line)


@match.command()
@_records
@_mapping
@_truth
@click.option("--children", default="50", show_default=True, help="How many children, or all.")
def pictures(records: Path, mapping: Path, truth: Path, children: str) -> None:
    """Load the files into a fresh index, ask for the family of children, and compare the households with truth."""
    held = _read(records, mapping)
    known = Truth.read(truth)
    counted = measure_pictures(held, known, None if children == "all" else int(children))
    for line in counted.lines():
        click.echo(line)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _read(folder: Path, mapping: Path, *, tell: bool = True) -> list[SourceRecord]:
    found: list[SourceRecord] = []
    rejects: Counter[tuple[str, str, str]] = Counter()
    for one in read_mapping(mapping).values():
        for record in one.people_in(folder):
            if isinstance(record, Reject):
                rejects[record.source, record.column, record.reason] += 1
            else:
                found.append(record)
    for (source, column, reason), count in sorted(rejects.items()) if tell else ():
        _say(f"{source}: {column or 'row'}: {reason} ({count})")
    if not found:
        raise click.ClickException("No record could be read. Check --records and --mapping.")
    return found


def _persons(held: Sequence[SourceRecord], links: Path) -> list[int]:
    """The person of each record: what the auto links tie together."""
    at_of = {(r.agency, r.record): at for at, r in enumerate(held)}
    root = list(range(len(held)))

    def top(at: int) -> int:
        while root[at] != at:
            root[at] = root[root[at]]
            at = root[at]
        return at

    for row in rows_of(links):
        one, other = at_of.get((row["agency_a"], row["record_a"])), at_of.get((row["agency_b"], row["record_b"]))
        if row["outcome"] == "auto" and one is not None and other is not None:
            low, high = sorted((top(one), top(other)))
            root[high] = low
    return [top(at) for at in range(len(held))]


if __name__ == "__main__":
    sys.exit(match(prog_name="python -m hub.commands.match"))
