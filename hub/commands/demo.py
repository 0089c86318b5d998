"""`python -m hub demo`: an invented partnership, one combined family picture in the terminal, then the site."""

import os
import secrets
import signal
import socket
import sys
from pathlib import Path

import click
from rich.console import Console

from hub import disclosure, enquiries, finding
from hub.assembly import Hub, open_hub, utc_now
from hub.commands.load import report_lines
from hub.commands.serve import run
from hub.commands.terminal import print_picture
from hub.context import RequestContext
from hub.demo.personas import PERSONAS
from hub.demo.setting_up import persona_context, set_up
from hub.demo.stories import STORIES
from hub.enquiries import Enquiry
from hub.settings import ROOT, read_settings
from policies.vocabulary import Purpose, Threshold

DEFAULT_PORT = 8400


@click.command()
@click.option("--once", is_flag=True, help="Print the picture and stop.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="The site's port; the next free one is taken.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=ROOT / "var" / "demo",
    help="Made anew every time.",
)
def demo(once: bool, port: int, folder: Path) -> None:
    """Show what Kith is for, with invented people, on this machine only."""
    # Settings of a real hub in this shell must not leak into the demonstration.
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        del os.environ[name]
    base_url = f"http://127.0.0.1:{_free_port(port)}"
    tell = Console(stderr=True, highlight=False).print
    ready = set_up(folder, now=utc_now(), base_url=base_url, tell=lambda step: tell(f"  {step} ..."))
    try:
        rejected = sum(len(one.report.rejects) + one.report.rejects_unlisted for one in ready.loaded if one.report)
        for one in ready.loaded:
            if one.problem:
                tell("\n".join(report_lines(one)))
        tell(f"  {rejected} broken rows were reported and left out; everything else is loaded.")
        os.environ.update(ready.environment)
        hub = open_hub(read_settings())
        try:
            show_picture(hub)
        finally:
            hub.close()
        if not once:
            _say_where(base_url, folder / "client" / "client.json")
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            run(base_url.removeprefix("http://"), workers=1, threads=8)
    finally:
        ready.stop()


def open_story(hub: Hub, ctx: RequestContext, story: str) -> Enquiry:
    """Opens an enquiry for a story family as its persona would, and confirms the first candidate."""
    told = STORIES[story]
    form = enquiries.EnquiryForm(
        purpose=Purpose(told.purpose),
        reference="DEMO-2026-0001",
        consent_state=None,
        consent_reason=None,
        rationale="Section 47 enquiry: bruising seen at school, explanation does not fit",
        consent_giver=None,
        threshold=Threshold.S47_DECISION,
    )
    enquiry = enquiries.open_enquiry(hub, ctx, form)
    ctx = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    found = finding.find_person(hub, ctx, enquiry, f"{told.name} {told.nhs_number}")
    enquiries.confirm_subject(hub, ctx, enquiry, found.candidates[0].person)
    return enquiries.enquiry_of(hub, ctx, enquiry.id)


def show_picture(hub: Hub) -> None:
    """Prints the combined picture of the showcase family, as a MASH social worker sees it."""
    ctx = persona_context(STORIES["showcase"].persona, now=hub.clock(), request_id=secrets.token_hex(16))
    enquiry = open_story(hub, ctx, "showcase")
    ctx = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    picture, receipt = disclosure.family_picture(hub, ctx, enquiry)
    print_picture(picture, receipt, {code: partner.name for code, partner in hub.partners.items()})


def _free_port(wanted: int) -> int:
    for port in [*range(wanted, wanted + 20), 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise click.ClickException("No free port was found.")


def _say_where(base_url: str, client_file: Path) -> None:
    console = Console(highlight=False)
    console.print(f"\n[bold]Kith is at {base_url}[/bold]  (Ctrl-C stops it)\n")
    console.print("Sign in as one of the invented workers and try:")
    for story in ("showcase", "twins", "shielded", "package_current"):
        if story in STORIES:
            told = STORIES[story]
            console.print(f"  {PERSONAS[told.persona].name}: {told.title.lower()}: [bold]{told.search}[/bold]")
    console.print("All stories: docs/demo.md")
    patient = STORIES["package_current"].nhs_number
    console.print(
        "\nOr ask as a practice's system does, with a token bound to its key:\n"
        f'  .venv/bin/python docs/examples/kith_client.py {client_file} gp-check "{patient}"'
    )
