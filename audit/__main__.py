"""`python -m audit export`, `publish`, `verify`, `verifier`, `reconcile` and `witness`.

For: operators, auditors and partners. It must never print what an entry says. Ruled by `docs/audit-format.md`.
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import ArgumentError

from audit import verify
from audit.checkpoint import VerifierKey
from audit.entry import read_entry
from audit.errors import AuditError, StampRefused, TrailUnavailable
from audit.reconcile import reconcile, recorded_of, sentences
from audit.store import SUBMITTER, Store, entry_rows_from, origin_of, public_keys, read_head
from audit.tiles import export

DATABASE_SETTING = "HUB_DATABASE_URL"
#: Where the hub keeps its database when nothing else is said.
DEFAULT_DATABASE = Path(__file__).resolve().parent.parent / "var" / "kith.sqlite"

#: What is said before the reason when a command could not be carried out.
REFUSALS = {
    "export": "NOT EXPORTED",
    "publish": "NOT PUBLISHED",
    "reconcile": "NOT RECONCILED",
    "witness": "NO WITNESS",
}


def main(arguments: list[str]) -> int:
    """Run one command. Returns: 0 when it did what it was asked, 1 when not."""
    if arguments[:1] == ["verify"]:
        return verify.main(arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (AuditError, ArgumentError, OSError) as fault:
        sentence = fault if isinstance(fault, AuditError) else type(fault).__name__
        print(f"{REFUSALS[options.command]}: {sentence}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit", description="The audit trail as files.")
    commands = parser.add_subparsers(dest="command", required=True)
    exporting = commands.add_parser("export", help="write the trail as C2SP tlog-tiles")
    exporting.add_argument("directory", type=Path, help="where to; may hold an earlier export of the same trail")
    exporting.add_argument(
        "--tiles-only", action="store_true", help="leave the envelopes out: hashes and counts are all that is written"
    )
    exporting.set_defaults(run=_export)
    publishing = commands.add_parser("publish", help="write today's checkpoint, to be kept outside the hub")
    publishing.add_argument("directory", type=Path, help="where to; may hold the checkpoints of earlier days")
    publishing.add_argument("--tsa", metavar="URL", help="an RFC 3161 time-stamping authority, to be asked as well")
    publishing.add_argument("--tsa-root", metavar="PEM", type=Path, help="the certificates that its own must lead to")
    publishing.set_defaults(run=_publish)
    counting = commands.add_parser("reconcile", help="hold a partner's file of promises against the trail")
    counting.add_argument("file", type=Path, help="one promise per line, as it came with each question")
    counting.add_argument("--agency", required=True, help="the partner's code")
    counting.set_defaults(run=_reconcile)
    for reader in (exporting, publishing, counting):
        reader.add_argument("--database", metavar="URL", help=f"the database; otherwise {DATABASE_SETTING}")
    watching = commands.add_parser("witness", help="run a witness: cosign a hub's trail for as long as it only grows")
    watching.add_argument("folder", type=Path, help="where its key and its state are; made at the first start")
    watching.add_argument("--name", required=True, help="its name, such as police.example/witness; never change it")
    watching.add_argument("--log", metavar="VKEY", action="append", default=[], help="a log that it cosigns for")
    watching.add_argument("--bind", default="127.0.0.1:7380", help="address and port (default: %(default)s)")
    watching.add_argument("--show-key", action="store_true", help="print its verifier key for the hub, and end")
    watching.set_defaults(run=_witness)
    commands.add_parser("verifier", help="print the one-file verifier, to hand to a partner").set_defaults(
        run=_verifier
    )
    commands.add_parser("verify", help="check an export or a receipt; see: python -m audit verify --help")
    return parser


def _export(options: argparse.Namespace) -> int:
    with _database(options) as engine:
        size = export(engine, options.directory, with_envelopes=not options.tiles_only)
    print(f"{size} entries exported to {options.directory}")
    return 0


def _publish(options: argparse.Namespace) -> int:
    from cryptography import x509

    from audit.publish import publish, time_stamp

    roots = x509.load_pem_x509_certificates(options.tsa_root.read_bytes()) if options.tsa_root else None
    with _database(options) as engine:
        published = publish(engine, options.directory, now=datetime.now(UTC))
    whose = "cosigned by witnesses" if published.cosigned else "NOT COSIGNED by any witness"
    print(f"{published.size} entries, {whose}: {published.file}")
    if options.tsa:
        try:
            print(f"time-stamped: {time_stamp(published.file, options.tsa, roots=roots)}")
        except StampRefused as fault:
            print(f"PUBLISHED, BUT NOT TIME-STAMPED: {fault}", file=sys.stderr)
            return 1
    return 0


def _reconcile(options: argparse.Namespace) -> int:
    agency = options.agency
    with _database(options) as engine, Store(engine, wait_s=2.0).reading() as connection:
        rows = entry_rows_from(connection, 0, read_head(connection).size)
        recorded = recorded_of((read_entry(row.idx, row.envelope, row.leaf) for row in rows), agency)
        submitters = public_keys(connection, SUBMITTER)
        origin = origin_of(connection)
    with options.file.open(encoding="utf-8", errors="replace") as lines:
        found = reconcile(lines, recorded, origin=origin, submitters=submitters, agency=agency)
    print(*sentences(found, agency), sep="\n")
    return 0 if found.exact else 1


def _witness(options: argparse.Namespace) -> int:
    from audit.witness import Witness
    from audit.witness_http import run

    logs = [VerifierKey.parse(vkey) for vkey in options.log]
    if not logs and not options.show_key:
        raise TrailUnavailable("A witness needs at least one --log, as the hub's operator gave it to you.")
    witness = Witness(options.folder, name=options.name, logs=logs, clock=lambda: int(time.time()))
    try:
        print(witness.verifier_key, flush=True)
        if not options.show_key:
            run(witness, options.bind)
    finally:
        witness.close()
    return 0


def _verifier(_options: argparse.Namespace) -> int:
    print(Path(verify.__file__).read_text(encoding="utf-8"), end="")
    return 0


@contextlib.contextmanager
def _database(options: argparse.Namespace) -> Iterator[Engine]:
    url = options.database or os.environ.get(DATABASE_SETTING)
    if not url and DEFAULT_DATABASE.exists():
        url = f"sqlite:///{DEFAULT_DATABASE}"
    if not url:
        _parser().error(f"say which database: --database URL, or set {DATABASE_SETTING}")
    engine = create_engine(url)
    try:
        if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
            raise TrailUnavailable("There is no such database file.")
        yield engine
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
