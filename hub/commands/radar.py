"""`python -m hub radar`: has the misuse radar read the trail on, and takes in employers' rotas.

For: a timer, every few minutes. The pages of the desk read on too, a piece at a time, so a timer that fails costs only
that an alert is raised later.
"""

import sys
from typing import TextIO

import click

from hub.assembly import open_hub
from hub.desk.scan import catch_up
from hub.desk.users import load_rota
from hub.settings import read_settings


@click.group()
def radar() -> None:
    """Read the trail for misuse, and take in rotas."""


@radar.command()
def scan() -> None:
    """Read on to the newest entry; alerts wait at the desk of information governance."""
    hub = open_hub(read_settings())
    try:
        done = catch_up(hub, now=hub.clock())
    finally:
        hub.close()
    click.echo(f"{done.entries} entries read, {done.alerts} new alerts")
    if done.more:
        click.echo("! Another process reads at the same time; the rest is left to it.", err=True)


@radar.command()
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@click.option("--issuer", required=True, help="Address of the identity provider whose subjects the rota names.")
def rota(file: TextIO, issuer: str) -> None:
    """Take in a rota: CSV with the columns subject, starts and ends. A shift that is known already is replaced."""
    hub = open_hub(read_settings())
    try:
        new, faults = load_rota(hub, file, issuer=issuer)
    finally:
        hub.close()
    for fault in faults:
        click.echo(f"! {fault}", err=True)
    click.echo(f"{new} new shifts, {len(faults)} lines left out")
    sys.exit(1 if faults else 0)
