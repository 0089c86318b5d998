"""`python -m hub clients`: which systems may ask, whose certificates end, and ending all tokens of one of them."""

import sys

import click

from hub.assembly import open_hub, utc_now
from hub.settings import read_settings
from hub.signin import tokens
from hub.signin.clients import ending, faulty_entries, read_clients


@click.group()
def clients() -> None:
    """Systems of partners that may ask (HUB_CLIENTS_FILE)."""


@clients.command(name="list")
def list_clients() -> None:
    """List them with what they may. Exit code 1 for a faulty entry or a certificate that ends within 30 days."""
    known, now = read_clients(read_settings().clients_file), utc_now()
    for one in known.values():
        state = "active" if one.active else "SUSPENDED"
        click.echo(
            f"{one.id:24} {state:10} {one.agency:20} {' '.join(sorted(one.scopes)) or '(the MAIS operation only)'}"
        )
    soon, faulty = ending(known.values(), now), faulty_entries(read_settings().clients_file)
    for number in faulty:
        click.echo(f"! entry {number} of HUB_CLIENTS_FILE is not understood: its client is kept out")
    for client, certificate in soon:
        days = (certificate.not_after - now).days
        when = f"ends in {days} days" if certificate.not_after > now else "HAS ENDED"
        click.echo(f"! {client.id}: {certificate.file} {when}")
    if not known:
        click.echo("None: HUB_CLIENTS_FILE names nobody.")
    sys.exit(1 if soon or faulty else 0)


@clients.command()
@click.argument("client")
def revoke(client: str) -> None:
    """End every access token of CLIENT now. To keep it out, set `active = false` in HUB_CLIENTS_FILE as well."""
    hub = open_hub(read_settings())
    try:
        if client not in read_clients(hub.settings.clients_file):
            raise click.UsageError("There is no such client. python -m hub clients list names them.")
        hub.trail.append(
            "admin", now=hub.clock(), client={"id": "command"}, action="tokens-revoked",
            object={"type": "client", "id": client},
        )  # fmt: skip
        ended = tokens.revoke_all(hub, client)
    finally:
        hub.close()
    click.echo(f"{ended} tokens ended. They are refused from the next request on.")
