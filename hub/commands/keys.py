"""`python -m hub keys`: make a master key."""

import base64
import os

import click


@click.group()
def keys() -> None:
    """Make keys."""


@keys.command()
def new() -> None:
    """Print a fresh master key: keep it in a file that only the hub's user can read, outside all backups."""
    click.echo(base64.b64encode(os.urandom(32)).decode())
