"""A process that appends without end from several threads and tells each receipt; somebody else kills it.

For: `python -m tests.simulation.nursery DATABASE`, started by `tests.simulation.kill`. Prints `open`, then a line per
receipt once it is acknowledged, each by one write of its own, so that nothing told is lost with the process.
"""

import hashlib
import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine

import audit
from audit import leader, store

THREADS = 4


def key_of(worker: str) -> Ed25519PrivateKey:
    """Each worker's own."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(worker.encode()).digest())


def unopened(engine: Engine, worker: str, **changes: Any) -> audit.Trail:
    """A worker's trail, not started yet; each worker has a key of its own."""
    settings: dict[str, Any] = {"clock": lambda: datetime.now(UTC), **changes}
    return audit.Trail(
        engine,
        submitter_key=key_of(worker),
        log_key=Ed25519PrivateKey.from_private_bytes(b"L" * 32),
        origin="kith.example/county",
        seal_subject=lambda event, person, plaintext: b"\x02" * 140,
        seal_staff=lambda event, who, plaintext: b"\x02" * 140,
        steady=audit.since_boot,
        state_folder=Path(os.environ["STATE"]) if "STATE" in os.environ else None,
        **settings,
    )


def open_trail(url: str, worker: str) -> audit.Trail:
    """A worker's trail."""
    trail = unopened(create_engine(url), worker)
    trail.start()
    return trail


def do_not_sync() -> None:
    """The wrong build whose COMMIT does not mean: on the disk. From here on in this process."""
    prepare = store.Store._prepare_sqlite

    def careless(self: store.Store, connection: Any) -> None:
        prepare(self, connection)
        connection.connection.dbapi_connection.execute("PRAGMA synchronous=NORMAL")

    store.Store._prepare_sqlite = careless  # type: ignore[method-assign]


def main(url: str, worker: str) -> None:
    """Appends until it is killed. A refusal is told too: `refused`."""
    if os.environ.get("WRONG") == "undeposed":
        leader.SILENT_S = 3600
    if os.environ.get("WRONG") == "unsynced":
        do_not_sync()
    trail = open_trail(url, worker)
    os.write(1, b"open\n")

    def work() -> None:
        while True:
            try:
                receipt = trail.append(
                    "search",
                    now=datetime.now(UTC),
                    user={"issuer": "https://idp.example/", "subject": worker, "role": "R", "agency": "CSC"},
                    purpose="S47_ENQUIRY",
                    query="ab" * 32,
                    outcome="CANDIDATES",
                )
                os.write(1, f"{receipt.eid} {receipt.leaf_hash.hex()}\n".encode())
            except audit.TrailUnavailable:
                os.write(1, b"refused\n")

    for _ in range(THREADS):
        threading.Thread(target=work).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
