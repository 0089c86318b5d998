"""`python -m audit export DIR` and `python -m audit verify DIR`.

For: operators, auditors and partners. It must never print what an entry says. Ruled by `docs/audit-format.md`.
"""

import argparse
import os
import sys
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import ArgumentError

from audit import verify
from audit.errors import AuditError, TrailUnavailable
from audit.tiles import export

DATABASE_SETTING = "HUB_DATABASE_URL"
#: Where the hub keeps its database when nothing else is said.
DEFAULT_DATABASE = Path(__file__).resolve().parent.parent / "var" / "kith.sqlite"


def main(arguments: list[str]) -> int:
    """Run one command. Returns: 0 when it did what it was asked, 1 when not."""
    if arguments[:1] == ["verify"]:
        return verify.main(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m audit", description="The audit trail as files.")
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="write the trail as C2SP tlog-tiles")
    exporting.add_argument("directory", type=Path, help="where to; may hold an earlier export of the same trail")
    exporting.add_argument("--database", metavar="URL", help=f"the database; otherwise {DATABASE_SETTING}")
    exporting.add_argument(
        "--tiles-only", action="store_true", help="leave the envelopes out: hashes and counts are all that is written"
    )
    commands.add_parser("verify", help="check an export or a receipt; see: python -m audit verify --help")
    options = parser.parse_args(arguments)
    url = options.database or os.environ.get(DATABASE_SETTING)
    if not url and DEFAULT_DATABASE.exists():
        url = f"sqlite:///{DEFAULT_DATABASE}"
    if not url:
        parser.error(f"say which database: --database URL, or set {DATABASE_SETTING}")
    try:
        engine = create_engine(url)
        if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
            raise TrailUnavailable("There is no such database file.")
        try:
            size = export(engine, options.directory, with_envelopes=not options.tiles_only)
        finally:
            engine.dispose()
    except (AuditError, ArgumentError, OSError) as fault:
        sentence = fault if isinstance(fault, AuditError) else type(fault).__name__
        print(f"NOT EXPORTED: {sentence}", file=sys.stderr)
        return 1
    print(f"{size} entries exported to {options.directory}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
