"""Who may write is certified in the trail itself, by the log's key."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

import audit
from audit.__main__ import main
from audit.checkpoint import VerifierKey
from audit.entry import Sealed, Submitter, raw_public, seal
from audit.events import build
from audit.growth import Tree
from audit.keyleaf import certified_key, certify, key_leaf_eid
from audit.placing import pending
from audit.store import SUBMITTER, Store, read_head, read_peaks
from tests.audit.conftest import LOG_KEY, NOW, ORIGIN, SUBMITTER_KEY, TrailMaker, seal_for, seal_staff_for, search

VKEY = VerifierKey.of(ORIGIN, LOG_KEY.public_key())
STRANGER = Submitter.of(Ed25519PrivateKey.from_private_bytes(b"X" * 32))
LOG = Submitter.of(LOG_KEY)


def signed_by(submitter: Submitter) -> Sealed:
    return seal(build("search", now=NOW, subjects=0, fields=search()), [], seal_for, seal_staff_for, submitter)


def smuggle(engine: Engine, *sealed: Sealed) -> None:
    """What a thief of the log's key can do who has the database too."""
    store = Store(engine, wait_s=2.0)
    store.enrol(SUBMITTER, "", STRANGER.public, 0)
    tree = Tree(store, log_key=LOG_KEY, verifier_key=VKEY, clock=lambda: NOW, remember=lambda note: None)
    connection = store.connect()
    store.begin_alone(connection)
    tree.begin_at(read_peaks(connection, read_head(connection).size))
    tree.grow(connection, [pending(one) for one in sealed])
    tree.commit(connection)
    connection.close()


def verdict(engine: Engine, folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    url = engine.url.render_as_string(hide_password=False)
    assert main(["export", str(folder), "--database", url]) == 0
    main(["verify", str(folder), "--key", str(VKEY), *more])
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("sealed", "words"),
    [
        ((signed_by(STRANGER),), "no key leaf before it certifies"),
        ((signed_by(STRANGER), certify(STRANGER.public, origin=ORIGIN, log=LOG, now=NOW)), "no key leaf before it"),
        ((signed_by(LOG),), "is no key leaf"),
    ],
)
def test_the_verifier_refuses_what_no_certified_key_signed(
    sqlite_engine: Engine,
    open_trail: TrailMaker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    sealed: tuple[Sealed, ...],
    words: str,
) -> None:
    open_trail(sqlite_engine).close()
    smuggle(sqlite_engine, *sealed)
    said = verdict(sqlite_engine, tmp_path / "export", capsys)
    assert words in said
    assert "NOT VERIFIED" in said


def test_a_key_that_is_certified_first_may_write(
    sqlite_engine: Engine, open_trail: TrailMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_trail(sqlite_engine).close()
    smuggle(sqlite_engine, certify(STRANGER.public, origin=ORIGIN, log=LOG, now=NOW), signed_by(STRANGER))
    said = verdict(sqlite_engine, tmp_path / "export", capsys)
    assert "Submitters that the log certified by a key leaf: 2." in said
    assert said.endswith("\nVERIFIED\n")


def test_each_key_has_one_key_leaf_however_often_it_starts(engine: Engine, open_trail: TrailMaker) -> None:
    for _ in range(3):
        open_trail(engine).close()
    trail = open_trail(engine, submitter_key=Ed25519PrivateKey.from_private_bytes(b"X" * 32))
    leaves = list(trail.events())
    assert [leaf.fields["action"] for leaf in leaves] == ["SUBMITTER_KEY", "SUBMITTER_KEY"]
    log_public = raw_public(LOG_KEY.public_key())
    keys = [raw_public(SUBMITTER_KEY.public_key()), STRANGER.public]
    assert [certified_key(leaf.envelope, leaf.leaf, log_public) for leaf in leaves] == keys
    assert leaves[0].eid == key_leaf_eid(ORIGIN, Submitter.of(SUBMITTER_KEY).key_hash)


def test_the_receipt_of_a_key_leaf_is_verified_like_any_other(
    trail: audit.Trail, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = trail.receipt(next(trail.events()).eid)
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(receipt.document()))
    worker = raw_public(SUBMITTER_KEY.public_key()).hex()
    assert main(["verify", str(path), "--key", str(VKEY), "--submitter", worker]) == 0
    assert "VERIFIED" in capsys.readouterr().out
