"""`python -m hub keys`: make a master key, or a signatory's."""

import base64
import os
from pathlib import Path

import click

from hub.keys import new_signing_key


@click.group()
def keys() -> None:
    """Make keys."""


@keys.command()
def new() -> None:
    """Print a fresh master key: keep it in a file that only the hub's user can read, outside all backups."""
    click.echo(base64.b64encode(os.urandom(32)).decode())


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
def signatory(file: Path) -> None:
    """Write a private key for signing agreements to a new FILE and print the public key for the list of signatories."""
    click.echo(base64.b64encode(new_signing_key(file).public_key().public_bytes_raw()).decode())
