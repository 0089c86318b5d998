"""Envelope encryption and blind indexes.

For: what the hub stores about people is sealed under one data key per agency; the data keys are stored
wrapped by the master key, which never enters the database. Destroying a data key erases what it sealed.
Must never log a key or a plaintext, and never seal two contexts alike. AES-256-GCM (NIST SP 800-38D),
HKDF (RFC 5869), HMAC-SHA-256 (RFC 2104).
"""

import base64
import hashlib
import hmac
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, String, Table, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub.errors import KeyRefused

metadata = MetaData()
data_keys = Table(
    "data_keys",
    metadata,
    Column("agency", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

#: First byte of everything sealed: format 1 = AES-256-GCM, 12-byte nonce, 16-byte tag.
FORMAT = b"\x01"
#: Data key under which the hub seals what belongs to no partner: staff names, rationale, sessions.
HUB = "hub"

OpenSession = Callable[[], AbstractContextManager[Session]]


class KeyRing:
    """Seals, opens and blinds. One per process; safe to use from several threads."""

    def __init__(self, master_key: bytes, open_session: OpenSession) -> None:
        if len(master_key) != 32:
            raise KeyRefused("The master key needs 32 bytes.")
        self._wrap = AESGCM(derive(master_key, "wrap data keys"))
        self._blind_root = derive(master_key, "blind indexes")
        self._open_session = open_session
        self._ciphers: dict[str, AESGCM] = {}
        self._blind_keys: dict[str, hmac.HMAC] = {}
        self._lock = threading.Lock()

    def seal(self, agency: str, plaintext: bytes, context: str) -> bytes:
        """Ciphertext that opens only under this agency's key and in this context."""
        nonce = os.urandom(12)
        return FORMAT + nonce + self._cipher(agency).encrypt(nonce, plaintext, _bound_to(agency, context))

    def open(self, agency: str, sealed: bytes, context: str) -> bytes:
        """The plaintext. Raises KeyRefused when it was altered, moved to another context, or its key is destroyed."""
        if sealed[:1] != FORMAT or len(sealed) < 29:
            raise KeyRefused("Sealed data has an unknown format.")
        try:
            return self._cipher(agency, make=False).decrypt(sealed[1:13], sealed[13:], _bound_to(agency, context))
        except InvalidTag as error:
            raise KeyRefused("Sealed data was altered or belongs elsewhere.") from error

    def blind(self, index: str, value: str) -> bytes:
        """16 bytes that are equal for equal values within one index, and say nothing without the master key."""
        root = self._blind_keys.get(index)
        if root is None:
            key = hmac.digest(self._blind_root, index.encode(), "sha256")
            root = self._blind_keys.setdefault(index, hmac.new(key, digestmod=hashlib.sha256))
        keyed = root.copy()
        keyed.update(value.encode())
        return keyed.digest()[:16]

    def make_sure_of(self, agencies: Iterable[str]) -> None:
        """Makes the data keys of these agencies now, so that no key is made in the middle of another transaction."""
        for agency in agencies:
            self._cipher(agency)

    def destroy(self, session: Session, agency: str) -> None:
        """Erases all that was sealed for this agency by deleting its wrapped key.

        Effects: one row deleted. Copies of the wrapped key in backups open only with the master key.
        """
        session.execute(delete(data_keys).where(data_keys.c.agency == agency))
        self._ciphers.pop(agency, None)

    def _cipher(self, agency: str, *, make: bool = True) -> AESGCM:
        cipher = self._ciphers.get(agency)
        if cipher is None:
            with self._lock:
                cipher = self._ciphers.setdefault(agency, AESGCM(self._data_key(agency, make=make)))
        return cipher

    def _data_key(self, agency: str, *, make: bool) -> bytes:
        wrapped = self._stored(agency)
        if wrapped is None:
            if not make:
                raise KeyRefused("The key of this agency was destroyed or never made.")
            nonce = os.urandom(12)
            fresh = nonce + self._wrap.encrypt(nonce, AESGCM.generate_key(256), _bound_to(agency, "data key"))
            try:
                with self._open_session() as session, session.begin():
                    session.execute(insert(data_keys).values(agency=agency, wrapped=fresh))
                wrapped = fresh
            except IntegrityError:  # Another worker made it first; theirs counts.
                wrapped = self._stored(agency)
                if wrapped is None:
                    raise
        try:
            return self._wrap.decrypt(wrapped[:12], wrapped[12:], _bound_to(agency, "data key"))
        except InvalidTag as error:
            raise KeyRefused("The master key does not open this database's data keys.") from error

    def _stored(self, agency: str) -> bytes | None:
        with self._open_session() as session:
            return session.execute(select(data_keys.c.wrapped).where(data_keys.c.agency == agency)).scalar()


def new_signing_key(path: Path) -> Ed25519PrivateKey:
    """Writes a fresh Ed25519 key to a new file that its user alone can read. Raises KeyRefused when it is there."""
    key = Ed25519PrivateKey.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise KeyRefused(f"{path.name} cannot be made: {error.strerror}.") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(key.private_bytes_raw()))
    return key


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in this file. Raises KeyRefused for one that others can read or that holds something else."""
    try:
        open_to_others, text = path.stat().st_mode & 0o077, path.read_bytes()
    except OSError as error:
        raise KeyRefused(f"{path.name} cannot be read: {error.strerror}.") from error
    if open_to_others:
        raise KeyRefused(f"{path.name} can be read by others.", next_steps=(f"Run: chmod 600 {path}",))
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True))
    except ValueError:  # Its text may quote the key.
        raise KeyRefused(f"{path.name} holds no signing key.") from None


def derive(master_key: bytes, use: str) -> bytes:
    """32 bytes for one use, from which neither the key nor another use's bytes follow (HKDF, RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"kith/" + use.encode()).derive(master_key)


def _bound_to(agency: str, context: str) -> bytes:
    return f"{agency}\x1f{context}".encode()
