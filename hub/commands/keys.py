"""`python -m hub keys`: make a master key; erase a subject of the trail, let months expire, hold and release."""

import base64
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pyrage

from hub import retention
from hub.assembly import Hub, open_hub
from hub.device import device_of, make_keys
from hub.erasure import staff_subject
from hub.keys import new_signing_key
from hub.settings import read_settings

_case = click.option("--case", "case", required=True, help="Reference of the request; it stays in the trail for ever.")


@contextmanager
def _opened() -> Iterator[Hub]:
    hub = open_hub(read_settings())
    try:
        yield hub
    finally:
        hub.close()


@click.group()
def keys() -> None:
    """Make keys, and destroy those of the trail's subjects."""


@keys.command()
def new() -> None:
    """Print a fresh master key: keep it in a file that only the hub's user can read, outside all backups."""
    click.echo(base64.b64encode(os.urandom(32)).decode())


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
def signatory(file: Path) -> None:
    """Write a private key for signing agreements to a new FILE and print the public key for the list of signatories."""
    click.echo(base64.b64encode(new_signing_key(file).public_key().public_bytes_raw()).decode())


@keys.command()
@click.argument("file", type=click.Path(path_type=Path))
def age(file: Path) -> None:
    """Write an age identity to a new FILE and print its recipient, to which partners encrypt what they send."""
    identity = pyrage.x25519.Identity.generate()
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{identity}\n")
    click.echo(str(identity.to_public()))


@keys.command()
@click.option("--module", required=True, help="Library of the device, such as /usr/lib/softhsm/libsofthsm2.so.")
@click.option("--token", required=True, help="Label of the token.")
@click.option("--pin-file", required=True, help="File with the PIN, readable by the hub's user only.")
def device(module: str, token: str, pin_file: str) -> None:
    """Make the log key and the secret of the master key in a PKCS#11 device, never to leave it."""
    public = make_keys(device_of(module, token, pin_file))
    click.echo(f"Made. The log's public key: {base64.b64encode(public).decode()}")


@keys.command()
@click.option("--subject", help="Person id, like PE-..., as the page of an entry shows it.")
@click.option("--staff", help="Instead: the id of a member of staff who left, like US-..., as an export shows it.")
@_case
@click.option("--reason", type=click.Choice(retention.REASONS), required=True)
@click.confirmation_option(prompt="What is destroyed cannot be brought back by anybody. Go on?")
def erase(subject: str | None, staff: str | None, case: str, reason: str) -> None:
    """Destroy every key of one subject: nobody can say any more which entries were about them.

    With --staff: nor which entries a member of staff caused. Roles and agencies stay.
    """
    if (subject is None) == (staff is None):
        raise click.UsageError("Give --subject or --staff.")
    with _opened() as hub:
        if staff is not None:
            done = retention.erase_staff(hub, staff, case=case, reason=reason)
        else:
            done = retention.erase(hub, str(subject), case=case, reason=reason)
    click.echo(f"{done.keys} keys destroyed. Receipt {done.receipt.eid}")
    if done.older_entries:
        click.echo(f"! {done.older_entries} entries of an older format still name them, and always will.")
    if done.former_ids:
        click.echo(f"! Records came to them from {', '.join(done.former_ids)}: erase these too if they are the same.")


@keys.command()
@click.option("--dry-run", is_flag=True, help="Say what would expire, and destroy nothing.")
def expire(dry_run: bool) -> None:
    """Destroy the keys of every agency and month whose retention is over; for a daily timer.

    Exit code 1 when a legal hold kept some of them.
    """
    kept = 0
    with _opened() as hub:
        over = retention.past_retention(hub, hub.clock())
        for agency, month in over:
            if dry_run:
                click.echo(f"{agency} {month}: would expire")
                continue
            try:
                receipt = retention.expire(hub, agency, month)
            except retention.StoppedByHold as stopped:
                kept += 1
                click.echo(f"{agency} {month}: ! {stopped.sentence}")
            else:
                click.echo(f"{agency} {month}: keys destroyed. Receipt {receipt.eid}")
    if not over:
        click.echo("Nothing is past its retention.")
    sys.exit(1 if kept else 0)


@keys.command()
@_case
@click.option("--subject", help="Only this person's keys.")
@click.option("--staff", help="Only the keys of this member of staff.")
@click.option("--agency", help="Only keys of this agency.")
@click.option("--month", help="Only keys of this month, like 2026-11.")
def hold(case: str, subject: str | None, staff: str | None, agency: str | None, month: str | None) -> None:
    """Begin a legal hold: what it covers is neither erased nor expires. Without a limit it covers everything."""
    if subject and staff:
        raise click.UsageError("Give --subject or --staff.")
    with _opened() as hub:
        person = staff_subject(staff) if staff else subject
        receipt = retention.hold(hub, case=case, person=person, agency=agency, month=month)
    click.echo(f"Held under {case}. Receipt {receipt.eid}")


@keys.command()
@_case
def release(case: str) -> None:
    """End a legal hold."""
    with _opened() as hub:
        receipt = retention.release(hub, case=case)
    click.echo(f"Released {case}. Receipt {receipt.eid}")


@keys.command()
def rewrap() -> None:
    """Wrap all subject keys under new keys, when the key store may have been seen by others.

    Older copies of the database open no capsule afterwards: make a new backup at once.
    """
    with _opened() as hub:
        for agency, month in hub.subject_keys.store.months():
            click.echo(f"{agency} {month}: {retention.rewrap(hub, agency, month)} keys wrapped anew")
    click.echo("Make a new backup of the database now: older ones hold keys that open no more.")
