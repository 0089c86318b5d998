"""`python -m hub notices`: takes in notices of events that agencies dropped as files.

For: a timer, every few minutes. Files lie in `<drops>/<folder of the agency, or its code>/notices/`, as JSON: one
notice, a list, or one on each line. What was taken is moved into `taken/` beside it; a file that could not be moved is
read again, and nothing is taken twice.
"""

import json
import sys
from pathlib import Path

import click

from audit import TrailUnavailable
from connectors import MaisInvalid
from hub.assembly import Hub, open_hub
from hub.logs import log
from hub.notices.intake import bring_abandoned, split, take_all
from hub.settings import read_settings

#: Bytes of one file; more is refused unread.
LARGEST_FILE = 4 * 1024 * 1024
#: Files of one agency that are taken in one run.
MOST_FILES = 1000


@click.command()
@click.argument("agency", required=False)
@click.option(
    "--reports",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write what became of each notice into this folder, to be sent back.",
)
def notices(agency: str | None, reports: Path | None) -> None:
    """Take in every agency's dropped notices, or those of AGENCY. Exit code 1 when something was rejected."""
    hub = open_hub(read_settings())
    wrong = 0
    try:
        if agency is not None and agency not in hub.partners:
            raise click.UsageError(f"No partner has the code {agency}. There are: {', '.join(hub.partners)}.")
        for code in hub.partners if agency is None else (agency,):
            for path in _files(hub, code):
                wrong += _take(hub, code, path, reports)
        bring_abandoned(hub, now=hub.clock())
    finally:
        hub.close()
    sys.exit(1 if wrong else 0)


def _files(hub: Hub, code: str) -> list[Path]:
    root = hub.settings.drops_folder.resolve()
    where = (root / str(hub.partners[code].reach.get("folder", code)) / "notices").resolve()
    if not where.is_relative_to(root) or not where.is_dir():
        return []
    return sorted(p for p in where.iterdir() if p.suffix in (".json", ".jsonl") and p.is_file())[:MOST_FILES]


def _take(hub: Hub, code: str, path: Path, reports: Path | None) -> int:
    """Takes one file; returns how many notices of it were rejected."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise MaisInvalid(".", f"is larger than {LARGEST_FILE} bytes")
        taken = take_all(hub, code, "notices", split(path.read_bytes()), now=hub.clock())
    except (MaisInvalid, OSError) as error:
        click.echo(f"{code}: ! {path.name}: {getattr(error, 'reason', 'cannot be read')}")
        return 1
    except TrailUnavailable:
        raise
    except Exception as error:  # It stays where it is, is read again, and the other files are taken.
        log.error("file_not_taken", agency=code, code=getattr(error, "code", type(error).__name__))
        click.echo(f"{code}: ! {path.name}: could not be taken; it is read again next time")
        return 1
    rejected = [one for one in taken if one.state == "REJECTED"]
    click.echo(f"{code}: {path.name}: {len(taken) - len(rejected)} taken, {len(rejected)} rejected")
    for one in rejected:
        click.echo(f"  ! notice {one.number}: {one.reason}")
    if any(desk["state"] == "NOT_TOLD" for one in taken for desk in one.desks):
        click.echo(f"{code}: ! {path.name}: somebody could not be told through the hub; tell them yourself now")
    if reports is not None:
        reports.mkdir(parents=True, exist_ok=True)
        answers = [{"number": o.number, "state": o.state, "reason": o.reason, "desks": list(o.desks)} for o in taken]
        (reports / f"{code}-{path.stem}.json").write_text(json.dumps({"notices": answers}, indent=2), encoding="utf-8")
    try:
        (path.parent / "taken").mkdir(exist_ok=True)
        path.rename(path.parent / "taken" / path.name)
    except OSError:
        click.echo(f"{code}: {path.name} could not be moved into taken/; it is read again next time")
    return len(rejected)
