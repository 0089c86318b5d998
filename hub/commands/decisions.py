"""`python -m hub decisions replay`: make recorded decisions again and say whether the answers are the same.

For: information governance and operators, and whoever doubts what the trail says. Must never print a fact of a
request or whom it is about: only counts, and the numbers of the events to look into.
"""

import sys
from datetime import UTC, datetime

import click

from hub import decisions as records
from hub.assembly import open_hub
from hub.settings import read_settings

_day = click.DateTime(["%Y-%m-%d"])
#: Events that are named at most; the rest is counted.
MOST_NAMED = 20


@click.group()
def decisions() -> None:
    """Make recorded decisions again."""


@decisions.command()
@click.option("--since", type=_day, help="First day, in UTC; without it from the beginning.")
@click.option("--until", type=_day, help="The first day that no longer counts, in UTC.")
def replay(since: datetime | None, until: datetime | None) -> None:
    """Decide every recorded decision again from what it was made of. Exit code 1 when one is not the same."""
    hub = open_hub(read_settings())
    try:
        found = records.replay(hub, since=_utc(since), until=_utc(until))
    finally:
        hub.close()
    total = found.decisions.total()
    click.echo(f"{found.events:,} recorded events with {total:,} decisions made again:")
    for what in records.OUTCOMES:
        click.echo(f"{found.decisions[what]:>9,}  {what}: {records.OUTCOMES[what]}")
    for title, events in (("Answered otherwise", found.differing), ("The record is not what it was", found.altered)):
        if events:
            click.echo(f"{title}: {len(events):,} events")
            for eid in events[:MOST_NAMED]:
                click.echo(f"  {eid}")
    sys.exit(0 if found.agrees else 1)


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None
