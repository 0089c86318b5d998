"""`python -m hub agreements`: list them, check them, compare two versions, sign one, exchange one.

For: officers and operators, on any machine that has the files; no database and no master key is asked for, except to
put back what a database has lost. Must never change an agreement: signing writes beside it.
"""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from hub.assembly import open_hub
from hub.errors import HubError
from hub.keys import read_signing_key
from hub.register.putting_back import put_back
from hub.settings import ROOT, read_settings
from policies import (
    ExchangeForm,
    ExchangeRefused,
    add_signature,
    export_agreement,
    faults,
    gateway_faults,
    gateway_register,
    import_agreement,
    in_force,
    load_signed,
    notes,
    read_agreement,
    refusals,
    substantive,
)
from policies import sign as sign_as
from policies.vocabulary import AgreementStatus, PartyStatus, Role

NOT_CHECKED = "Signatures are NOT CHECKED: SIGNED is only what each file says. Set HUB_SIGNATORIES_FILE."
#: Statuses in which a version can be signed.
SIGNABLE = (AgreementStatus.IN_SIGNING, AgreementStatus.ACTIVE, AgreementStatus.UNDER_REVIEW)

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_folder = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="HUB_AGREEMENTS_DIR",
    default=ROOT / "policies" / "agreements",
    help="Folder with the agreements (HUB_AGREEMENTS_DIR).",
)
_signatories = click.option(
    "--signatories", type=_file, envvar="HUB_SIGNATORIES_FILE", help="Who signs for each agency (HUB_SIGNATORIES_FILE)."
)


@click.group()
def agreements() -> None:
    """List, check, compare and sign sharing agreements."""


@agreements.command(name="list")
@_folder
@_signatories
def list_them(folder: Path, signatories: Path | None) -> None:
    """Print every version: where it stands, whether it is in force, and which parties count as signed."""
    read, _ = load_signed(folder, signatories)
    today = _today()
    for one in read:
        signed = [party.agency for party in one.parties if party.status == PartyStatus.SIGNED]
        rest = [f"{party.agency} {party.status}" for party in one.parties if party.status != PartyStatus.SIGNED]
        state = "in force" if one in in_force(read, today) else "not in force"
        until = f"until {one.expires_on}" if one.expires_on else "without end"
        click.echo(f"{one.reference} version {one.version}  {one.status}, {state}  {one.effective_from} {until}")
        click.echo(f"  {one.title}: signed by {', '.join(signed) or 'nobody'}" + "".join(f"; {one}" for one in rest))
    if signatories is None:
        click.echo(NOT_CHECKED, err=True)


@agreements.command()
@_folder
@_signatories
@click.option("--gateways", type=_file, envvar="HUB_GATEWAYS_FILE", default=ROOT / "policies" / "gateways.toml")
def check(folder: Path, signatories: Path | None, gateways: Path) -> None:
    """Say what is wrong today: signatures, ends, reviews, gateways, bases. Exit code 1 when there is a fault."""
    read, not_signed = load_signed(folder, signatories)
    today = _today()
    wrong = [*not_signed, *faults(read, today), *gateway_faults(read, gateway_register(gateways), today)]
    for sentence in wrong:
        click.echo(f"Fault: {sentence}")
    for sentence in notes(read, today):
        click.echo(f"Note: {sentence}")
    if signatories is None:
        click.echo(f"Note: {NOT_CHECKED}")
    click.echo(f"{len(read)} agreements read, {len(wrong)} faults.")
    sys.exit(1 if wrong else 0)


@agreements.command()
@click.argument("old", type=_file)
@click.argument("new", type=_file)
@click.option(
    "--by",
    type=click.Choice([role.value for role in Role]),
    default=Role.DPO.value,
    show_default=True,
    help="The role that publishes the change.",
)
def diff(old: Path, new: Path, by: str) -> None:
    """Say what changes from OLD to NEW and whether that needs new signatures. Exit code 1 when it may not be done."""
    before, after = read_agreement(old), read_agreement(new)
    try:
        changes = substantive(before, after)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    for change in changes:
        click.echo(str(change))
    refused = list(refusals(before, after, Role(by)))
    for sentence in refused:
        click.echo(f"Refused: {sentence}")
    if not refused:
        click.echo("This may be published." if changes else "They say the same.")
    sys.exit(1 if refused else 0)


@agreements.command()
@click.argument("agreement", type=_file)
@click.option("--agency", required=True, help="The party that signs.")
@click.option("--key", required=True, type=_file, help="The signatory's private key, from `keys signatory`.")
@click.option("--office", help="The office that signs; what the file names, if it names one.")
@click.option(
    "--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day of signing; what the file says, or today."
)
def sign(agreement: Path, agency: str, key: Path, office: str | None, day: datetime | None) -> None:
    """Sign what AGREEMENT says, for one party; the signature is kept beside the file."""
    one = read_agreement(agreement)
    party = next((party for party in one.parties if party.agency == agency), None)
    if party is None:
        raise HubError(f"{agency} is no party to {one.reference} version {one.version}.")
    if one.status not in SIGNABLE:
        raise HubError(f"{one.reference} version {one.version} is {one.status}; nobody signs it then.")
    if party.status in (PartyStatus.SUSPENDED, PartyStatus.WITHDRAWN):
        raise HubError(f"{agency} is {party.status} in this version; it signs the next one.")
    office = office or party.signatory
    if not office:
        raise HubError("The file names no signatory of this party; give --office.")
    signed_on = day.date() if day else party.signed_on or _today()
    add_signature(agreement, sign_as(one, agency, office, signed_on, read_signing_key(key)))
    click.echo(f"{agency} signed {one.reference} version {one.version} by its {office} on {signed_on}.")
    if (party.status, party.signed_on, party.signatory) != (PartyStatus.SIGNED, signed_on, office):
        click.echo(f"It counts once the party {agency} says in {agreement.name}:")
        click.echo(f'  status = "SIGNED"\n  signed_on = {signed_on}\n  signatory = "{office}"')


@agreements.command(name="export")
@click.argument("agreement", type=_file)
@click.option("--as", "form", required=True, type=click.Choice([one.value for one in ExchangeForm]))
@click.option("--uri", required=True, help="Where the policy is published.")
@click.option("--system", default="", help="MAIS: the URI of the system that its identifier belongs to.")
@click.option("--contact", default="", help="MAIS: whom to ask about it.")
@click.option("--name", "names", multiple=True, metavar="CODE=NAME", help="MAIS: a party's name; may be repeated.")
def export_it(agreement: Path, form: str, uri: str, system: str, contact: str, names: tuple[str, ...]) -> None:
    """Print AGREEMENT as a MAIS SharingPolicy (JSON) or an ODRL policy (Turtle), and say what that form cannot say."""
    if form == ExchangeForm.MAIS and not (system and contact):
        raise click.UsageError("MAIS needs --system and --contact.")
    named = dict(one.split("=", 1) for one in names if "=" in one)
    try:
        text, not_said = export_agreement(
            read_agreement(agreement), ExchangeForm(form), uri=uri, system=system, contact=contact, names=named
        )
    except ExchangeRefused as error:
        raise HubError(str(error)) from None
    click.echo(text, nl=False)
    for sentence in not_said:
        click.echo(f"Note: {sentence}", err=True)


@agreements.command(name="import")
@click.argument("policy", type=_file)
@click.option("--as", "form", required=True, type=click.Choice([one.value for one in ExchangeForm]))
def import_it(policy: Path, form: str) -> None:
    """Print the agreement that POLICY carries, as a draft that nobody has signed."""
    try:
        click.echo(import_agreement(policy.read_text(encoding="utf-8"), ExchangeForm(form)), nl=False)
    except UnicodeDecodeError:
        raise HubError(f"{policy.name} is not UTF-8.") from None
    except ExchangeRefused as error:
        raise HubError(str(error)) from None


@agreements.command(name="put-back")
@click.argument("texts", nargs=-1, type=_file)
def put_it_back(texts: tuple[Path, ...]) -> None:
    """Put back what the database has lost of agreements that are in force; TEXTS are files that somebody kept.

    Nothing but the very text that was put in force fits, so nobody can change an agreement by this. On SQLite the hub
    is stopped first. Exit code 1 when something is still missing.
    """
    hub = open_hub(read_settings())
    try:
        done, missing = put_back(hub, [path.read_text(encoding="utf-8") for path in texts])
    finally:
        hub.close()
    for name in done:
        click.echo(f"{name} is put back and counts again.")
    for name in missing:
        click.echo(f"{name} is still missing: restore the rows of agreement_versions, or bring its text as a file.")
    if not done and not missing:
        click.echo("Nothing is missing: the register holds what the trail says was put in force.")
    sys.exit(1 if missing else 0)


def _today() -> date:
    return datetime.now(UTC).date()
