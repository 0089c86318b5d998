"""`python -m hub connectors check|new|test|status`: write a partner's file, try it, see what is connected.

For: partners' developers and operators. check, new and test need no hub: no setting, no database, no key.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from secrets import token_bytes
from urllib.parse import urlsplit

import click
from sqlalchemy.engine import make_url

from connectors import (
    WAYS,
    Connector,
    LastLoad,
    Partner,
    PersonQuery,
    build_connector,
    check_partner_file,
    last_loads,
    load_drop,
    load_partner,
    load_partners,
    partner_template,
    try_partner,
    unfinished_loads,
)
from hub.assembly import utc_now
from hub.db import Database, make_engine
from hub.keys import KeyRing
from hub.migrations import upgrade
from hub.settings import ROOT, read_settings
from hub.words import moment

#: What a trial that passed, failed or could not be made is marked with.
MARKS = {True: "pass", False: "FAIL", None: "-"}

partners_option = click.option(
    "--partners",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: Path(os.environ.get("HUB_PARTNERS_DIR", ROOT / "connectors" / "partners")),
    help="Folder of partner files; HUB_PARTNERS_DIR by default.",
)


@click.group()
def connectors() -> None:
    """Write, check and try a partner's file; see what is connected."""


@connectors.command()
@click.argument("name", required=False)
@partners_option
def check(name: str | None, partners: Path) -> None:
    """Check every partner file, or that of partner NAME. Exit code 1 when the hub would not start with it."""
    paths = sorted(partners.glob("*.toml")) if name is None else [partners / f"{name}.toml"]
    if not paths:
        raise click.UsageError(f"There is no partner file in {partners}. Begin one: python -m hub connectors new")
    wrong = False
    for path in paths:
        findings = check_partner_file(path)
        wrong = wrong or any(f.fatal for f in findings)
        for f in findings:
            click.echo(f"{f.file}:{f.line}: {'WRONG' if f.fatal else 'note'}: {f.reason}")
        if not any(f.fatal for f in findings):
            partner = load_partner(path)
            click.echo(f"{path.name}: ok, {partner.name}, by {partner.way}, offers {', '.join(sorted(partner.offers))}")
    sys.exit(1 if wrong else 0)


@connectors.command()
@click.argument("way", type=click.Choice(WAYS))
@click.argument("name")
@partners_option
def new(way: str, name: str, partners: Path) -> None:
    """Begin the file of partner NAME, who is reached by WAY. A file that is there is left alone."""
    partners.mkdir(parents=True, exist_ok=True)
    path = partners / f"{name}.toml"
    if Path(name).name != name or name.startswith("."):
        raise click.UsageError("NAME is the partner's code: lower-case letters, digits and hyphens.")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(partner_template(way, name))
    except FileExistsError:
        raise click.UsageError(f"{path} is there already; nothing was changed.") from None
    findings = [f for f in check_partner_file(path) if f.fatal]
    if findings:
        path.unlink()
        raise click.UsageError(findings[0].reason)
    click.echo(f"Wrote {path}. Change what is in it, then:")
    click.echo(f"  -> python -m hub connectors check {name}")
    click.echo(f"  -> python -m hub connectors test {name}")


@connectors.command()
@click.argument("name")
@click.option("--nhs-number", help="NHS number of an invented person; begins with 999 (or 9000, an NHS sandbox).")
@click.option("--family", help="Family name of the invented person.")
@click.option("--given", help="Given name of the invented person.")
@click.option("--born", type=click.DateTime(["%Y-%m-%d"]), help="Birth date of the invented person.")
@click.option("--record", help="The partner's own id of that person, where there is no search.")
@click.option(
    "--drops",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: Path(os.environ.get("HUB_DROPS_DIR", ROOT / "var" / "drops")),
    help="Folder below which files are dropped; HUB_DROPS_DIR by default.",
)
@partners_option
def test(
    name: str,
    nhs_number: str | None,
    family: str | None,
    given: str | None,
    born: datetime | None,
    record: str | None,
    drops: Path,
    partners: Path,
) -> None:
    """Try the contract on partner NAME's own system, with an invented person whom it holds.

    Dropped files are loaded into a database of the moment. Fields that came are named, values never.
    Exit code 1 when something failed.
    """
    person = None
    if nhs_number or family:
        day = born.date() if born else None
        person = PersonQuery((given,) if given else (), (family,) if family else (), day, nhs_number)
    failed = 0
    with _reached(load_partner(partners / f"{name}.toml"), drops) as connector:
        for trial in try_partner(connector, person, record):
            failed += trial.passed is False
            click.echo(f"{MARKS[trial.passed]:5} {trial.what:36} {trial.words}")
    click.echo("The contract is kept." if not failed else f"{failed} of these failed.")
    sys.exit(1 if failed else 0)


@contextmanager
def _reached(partner: Partner, drops: Path) -> Iterator[Connector]:
    """The partner as the hub would ask it; a drop is loaded into a database that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="kith-trial-") as folder:
        database = Database(make_engine(f"sqlite:///{Path(folder) / 'trial.sqlite'}"))
        try:
            keys = KeyRing(token_bytes(32), database.session)
            if partner.way == "extract":
                upgrade(database.engine)
                keys.make_sure_of([partner.code])
                with database.session() as session:
                    report = load_drop(session, keys, partner, drops, now=utc_now())
                rejects = len(report.rejects) + report.rejects_unlisted
                click.echo(f"{'':5} {'load':36} {report.people} people, {report.items} items, {rejects} rejects")
            yield build_connector(partner, open_session=database.session, keys=keys)
        finally:
            database.engine.dispose()


@connectors.command()
def status() -> None:
    """Show who is connected, how, since when, and what was last loaded of whom."""
    settings = read_settings()
    partners = load_partners(settings.partners_folder)
    database = Database(make_engine(settings.database_url))
    try:
        with database.session() as session:
            loads, unfinished = last_loads(session), unfinished_loads(session)
    finally:
        database.engine.dispose()
    for code, partner in partners.items():
        click.echo(f"{code}: {partner.name}, by {partner.way} {_where(partner)}")
        since = f"since {partner.coverage.since}" if partner.coverage.since else "no day from which is stated"
        click.echo(f"  covers   {since}: {partner.coverage.sentence}")
        click.echo(f"  offers   {', '.join(sorted(partner.offers))}")
        if "folder" in partner.reach:
            click.echo(f"  loaded   {_load_words(loads.get(code), unfinished.get(code))}")
        for key in ("ca_file", "certificate_file", "key_file", "token_file", "password_file"):
            if key in partner.reach and not Path(str(partner.reach[key])).is_file():
                click.echo(f"  ! {key} names a file that is not there")
    click.echo(f"{len(partners)} partners")


def _load_words(load: LastLoad | None, unfinished: datetime | None) -> str:
    said = "! never; run: python -m hub load"
    if load is not None:
        said = (
            f"as of {moment(load.as_of)}, taken in {moment(load.loaded_at)}: "
            f"{load.people:,} people, {load.items:,} items"
        )
    if unfinished is not None:
        said += f"; ! a load begun {moment(unfinished)} has not come to its end"
    return said


def _where(partner: Partner) -> str:
    """Where the partner is, without anything secret: a host, a database, a folder."""
    reach = partner.reach
    if "base_url" in reach:
        return f"at {urlsplit(str(reach['base_url'])).netloc}, {reach['deadline_s']:g} s, {reach['network']} network"
    if "url" in reach:
        return f"at {make_url(str(reach['url'])).render_as_string(hide_password=True)}, {reach['deadline_s']:g} s"
    if partner.way == "inbox":
        return "at a desk: its people answer under Requests"
    return f"from the folder {reach['folder']}"
