"""How long it takes to wrap the keys of many subjects anew, and to erase one among them."""

import secrets
import tempfile
import time
from pathlib import Path

import click

from hub.db import Database, make_engine
from hub.erasure import KeyStore, SubjectKeys
from hub.keys import KeyRing
from hub.migrations import upgrade

SUBJECT_KEYS = 100_000


def bench_rewrap() -> None:
    """Prints both; wrapping anew writes every row, in one transaction."""
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
        database = Database(make_engine(f"sqlite:///{Path(folder) / 'kith.sqlite'}"))
        upgrade(database.engine)
        master_key = secrets.token_bytes(32)
        store = KeyStore(Path(folder) / "subjects", master_key)
        subject_keys = SubjectKeys(store, KeyRing(master_key, database.session), database.session)
        try:
            subject_keys.fill("csc", "2026-11", SUBJECT_KEYS)
            begin, used = time.perf_counter(), time.process_time()
            count = subject_keys.rewrap("csc", "2026-11")
            wall, used = time.perf_counter() - begin, time.process_time() - used
            click.echo(
                f"{'subject keys wrapped anew':34} {wall:8.2f} s   processor {used:.2f} s  n={count:,}  [<= 5 s]"
            )
            subject_keys.seal("csc", "2026-11", "PE-bench", b"")
            begin = time.perf_counter()
            subject_keys.erase("PE-bench", [("csc", "2026-11")])
            wall = time.perf_counter() - begin
            click.echo(f"{'one subject erased':34} {wall * 1000:8.2f} ms  among {count:,} keys")
        finally:
            database.engine.dispose()
