"""How much misuse the radar finds in made-up years, how many people it bothers for it, and what it leaves unexplained.

The years differ by their seed, and none of these seeds was looked at while the rules were written.
"""

import click

from hub.radar.trial import Measured, measure

SEEDS = (7001, 7002, 7003)
LIMITS = (
    "limits: the years are made up, and real work may look different; what no record gives away is not found but by "
    "chance; a trawl of at most 25 occasions a day, and a look in the hours and enquiries of ordinary work at somebody "
    "with whom no record ties the worker, look like work"
)


def bench_radar() -> None:
    """Prints one line a year, then each kind of seeded case over all of them."""
    years = []
    for seed in SEEDS:
        years.append(measure(seed))
        _say(years[-1])
    for kind in years[0].seeded:
        found, seeded = (sum(getattr(year, name)[kind] for year in years) for name in ("found", "seeded"))
        click.echo(f"  {kind:32} {found:3} of {seeded} found")
    unrecorded = [sum(numbers) for numbers in zip(*(year.unrecorded for year in years), strict=True)]
    click.echo(
        f"  {'tie that no record holds':32} {unrecorded[0]:3} of {unrecorded[1]} found (not counted in the recall)"
    )
    click.echo(LIMITS)


def _say(year: Measured) -> None:
    click.echo(
        f"radar, year {year.seed}: {year.reads:,} looks, {year.seeded.total()} cases of {len(year.seeded)} types: "
        f"recall {year.recall:.1%} [>= 95 %], alerts {year.alert_share:.2%} of looks [<= 2 %], explained "
        f"{year.explained_share:.2%} [>= 99 %], explained and in no alert {year.quiet_share:.2%}, "
        f"{year.microseconds_a_read:.0f} us of processor a look"
    )
