"""`python -m hub load`: take in what partners dropped or list."""

import json
import sys
from pathlib import Path

import click

from hub.assembly import open_hub
from hub.loading import Loaded, load_all, report_of
from hub.settings import read_settings

#: Rejects printed for one partner; the report counts the rest.
SHOWN = 10


@click.command()
@click.argument("agency", required=False)
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each partner's quality report into this folder, to be sent back to it.",
)
@click.option("--quiet", is_flag=True, help="Print problems only.")
def load(agency: str | None, reports: Path | None, quiet: bool) -> None:
    """Load every partner's newest files, or those of AGENCY. Exit code 1 when a partner could not be loaded."""
    hub = open_hub(read_settings())
    try:
        if agency is not None and agency not in hub.partners:
            raise click.UsageError(f"No partner has the code {agency}. There are: {', '.join(hub.partners)}.")
        loaded = load_all(hub, now=hub.clock(), only=agency)
    finally:
        hub.close()
    for one in loaded:
        if reports is not None:
            reports.mkdir(parents=True, exist_ok=True)
            (reports / f"{one.agency}.json").write_text(json.dumps(report_of(one), indent=2) + "\n", encoding="utf-8")
        for line in report_lines(one):
            if not quiet or "!" in line:
                click.echo(line)
    sys.exit(1 if any(one.problem for one in loaded) else 0)


def report_lines(one: Loaded) -> list[str]:
    """What to tell about one partner's load: counts, then rejects by file and line, then the index."""
    lines = []
    if one.problem:
        lines.append(f"{one.agency}: ! not loaded: {one.problem} The last good load stays visible.")
    if one.report:
        r = one.report
        rejected = len(r.rejects) + r.rejects_unlisted
        state = "unchanged" if r.unchanged else "loaded"
        lines.append(f"{one.agency}: {state}, {r.people} people, {r.items} items, {rejected} rejects")
        if r.unused:
            lines.append(f"{one.agency}: {len(r.unused)} elements of its files are not used by the mapping")
        lines += [f"  ! {x.source} line {x.line}, {x.column or 'row'}: {x.reason}" for x in r.rejects[:SHOWN]]
        if rejected > SHOWN:
            lines.append(f"  ! and {rejected - SHOWN} more")
    if one.index:
        i = one.index
        lines.append(f"{one.agency}: index {i.seen} seen, {i.new} new, {i.changed} changed, {i.removed} removed")
    return lines
