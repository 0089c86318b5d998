"""What the tests of this room share: the documents' own example partners, a real database, real sealing."""

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from connectors import Ask, Partner, Promise, load_partner
from connectors.tables import metadata
from policies.vocabulary import DataCategory

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[2] / "docs" / "connecting-a-partner.md"


class SealingKeys:
    """Keys as the hub has them, with one data key per agency, made in memory."""

    def __init__(self) -> None:
        self._ciphers: dict[str, AESGCM] = {}

    def _cipher(self, agency: str) -> AESGCM:
        return self._ciphers.setdefault(agency, AESGCM(AESGCM.generate_key(256)))

    def seal(self, agency: str, plaintext: bytes, context: str) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher(agency).encrypt(nonce, plaintext, context.encode())

    def open(self, agency: str, sealed: bytes, context: str) -> bytes:
        return self._cipher(agency).decrypt(sealed[:12], sealed[12:], context.encode())

    def blind(self, index: str, value: str) -> bytes:
        return hmac.digest(b"blind", f"{index}\0{value}".encode(), hashlib.sha256)[:16]


def examples() -> dict[str, str]:
    """The complete partner files that the document shows."""
    found = re.findall(
        r"^### \d\. [^`\n]*`([a-z-]+\.toml)`\n```toml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S | re.M
    )
    return dict(found)


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], Partner]:
    """Loads one partner of the document by code, with words replaced."""

    def load(code: str, *swaps: tuple[str, str]) -> Partner:
        text = examples()[f"{code}.toml"]
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new)
        folder = tmp_path / "partner-files"
        folder.mkdir(exist_ok=True)
        (folder / f"{code}.toml").write_text(text, "utf-8")
        return load_partner(folder / f"{code}.toml")

    return load


@pytest.fixture
def keys() -> SealingKeys:
    return SealingKeys()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path}/kith.db")
    metadata.create_all(made)
    yield made
    made.dispose()


@pytest.fixture
def open_session(engine: Engine) -> Callable[[], AbstractContextManager[Session]]:
    @contextmanager
    def opened() -> Iterator[Session]:
        session = Session(engine)
        try:
            yield session
        finally:
            session.close()

    return opened


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    made = Session(engine)
    yield made
    made.close()


def everything(partner: Partner) -> dict[DataCategory, frozenset[str]]:
    """Permission for all that a partner offers."""
    return {category: frozenset(f.name for f in fields) for category, fields in partner.offers.items()}


def promise_to(agency: str, eid: str = "0" * 31 + "1") -> Promise:
    """What a connector looks at of a promise; whether its signature holds is for the partner to check."""
    return Promise(eid, agency, f'eid="{eid}", subject=0, agency="{agency}"')


@pytest.fixture
def ask_about() -> Callable[..., Ask]:
    """Makes a question about records of a partner; everything it offers unless `wanted` says less."""

    def make(partner: Partner, *records: str, wanted=None, person: str = "person-1", query=None, promise=None) -> Ask:
        return Ask(
            partner.code,
            person,
            records,
            query,
            everything(partner) if wanted is None else wanted,
            "S47_ENQUIRY",
            promise or promise_to(partner.code),
        )

    return make
