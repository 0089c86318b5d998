"""Anyone can check the trail without us, and finds every byte that was changed."""

import ast
import base64
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert

import audit
from audit import tables, verify
from audit.__main__ import main
from audit.checkpoint import COSIGNATURE, VerifierKey, open_note, parse, sign
from audit.cosignature import cosign
from audit.cosigned import keep
from audit.entry import Submitter, raw_public, seal, sign_leaf
from audit.events import build
from audit.store import Store
from audit.tiles import export, tile_path
from audit.tree import Peaks, leaf_hash
from tests.audit.conftest import (
    LOG_KEY,
    NOW,
    ORIGIN,
    SUBMITTER_KEY,
    TrailMaker,
    disclosure,
    seal_for,
    seal_staff_for,
    search,
)
from tests.audit.test_trail import CHANGES, field, fill, flip, tamper

ROOT = Path(__file__).parent.parent.parent
VKEY = str(VerifierKey.of(ORIGIN, LOG_KEY.public_key()))


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Path]:
    """A trail of 600 entries, put straight into the tables, and its export."""
    directory = tmp_path_factory.mktemp("large")
    engine = create_engine(f"sqlite:///{directory / 'trail.sqlite'}")
    audit.metadata.create_all(engine)
    write_rows(engine, 600)
    target = directory / "export"
    assert run("export", target, "--database", engine.url) == 0
    yield engine, target
    engine.dispose()


def write_rows(engine: Engine, size: int) -> None:
    """What the writer would store, without its thread."""
    submitter, key = Submitter.of(SUBMITTER_KEY), VerifierKey.of(ORIGIN, LOG_KEY.public_key())
    peaks, entries, nodes = Peaks(), [], []
    for index in range(size):
        event = build("search", now=NOW, subjects=1, fields=search())
        sealed = seal(event, ["person-1"], seal_for, seal_staff_for, submitter)
        hashed = leaf_hash(sealed.leaf)
        nodes += [{"level": level, "number": at, "hash": node} for level, at, node in peaks.push(hashed)]
        row = {"idx": index, "eid": event.eid, "t": event.t, "kind": str(event.kind)}
        entries.append({**row, "leaf_hash": hashed, "leaf": sealed.leaf, "envelope": sealed.envelope})
    note = sign(ORIGIN, size, peaks.root(), LOG_KEY, key.key_id)
    keys = [("submitter", "", submitter.public), ("log", ORIGIN, key.public)]
    with engine.begin() as connection:
        connection.execute(insert(tables.entries), entries)
        if nodes:
            connection.execute(insert(tables.nodes), nodes)
        connection.execute(insert(tables.checkpoints), {"size": size, "t": 0, "root": peaks.root(), "note": note})
        for role, name, public in keys:
            key_hash = hashlib.sha256(public).digest()
            row = {"role": role, "key_hash": key_hash, "name": name, "public_key": public, "t": 0}
            connection.execute(insert(tables.keys), row)


def copy(source: Path, target: Path) -> Path:
    for path in source.rglob("*"):
        if path.is_file():
            new = target / path.relative_to(source)
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(path.read_bytes())
    return target


# The verifier stands alone


def test_the_verifier_shares_no_code_with_the_writer() -> None:
    tree = ast.parse((ROOT / "audit" / "verify.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names) | {"cryptography"}


def test_the_verifier_runs_as_a_single_file(large: tuple[Engine, Path], tmp_path: Path) -> None:
    alone = tmp_path / "verify.py"
    alone.write_bytes((ROOT / "audit" / "verify.py").read_bytes())
    command = [sys.executable, "-I", str(alone), str(large[1]), "--key", VKEY]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.endswith("VERIFIED\n")


# Refusals


def test_a_wrong_key_is_refused(large: tuple[Engine, Path], capsys: pytest.CaptureFixture[str]) -> None:
    other = str(VerifierKey.of(ORIGIN, Ed25519PrivateKey.generate().public_key()))
    assert run("verify", large[1], "--key", other) == 1
    for nonsense in ("", "a+b", "kith.example/county", VKEY[:-4], VKEY.replace("+", "-", 1), f"x{VKEY}"):
        assert run("verify", large[1], "--key", nonsense) == 1
    assert "VERIFIED" not in capsys.readouterr().out.replace("NOT VERIFIED", "")


def test_a_submitter_that_is_not_accepted_is_refused(large: tuple[Engine, Path]) -> None:
    own = raw_public(SUBMITTER_KEY.public_key()).hex()
    stranger = raw_public(Ed25519PrivateKey.generate().public_key()).hex()
    assert run("verify", large[1], "--submitter", own) == 0
    assert run("verify", large[1], "--submitter", stranger) == 1


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("tile/0/000", "is missing"),
        ("tile/entries/001", "is missing"),
        ("tile/entries/002.p/88", "is missing"),
        ("tile/1/000.p/2", "is missing"),
        ("envelopes/000", "is missing"),
        ("checkpoint", "cannot be read"),
        ("submitters.json", "cannot be read"),
    ],
)
def test_a_missing_file_is_named(
    large: tuple[Engine, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, fault: str
) -> None:
    target = copy(large[1], tmp_path / "export")
    (target / name).unlink()
    assert run("verify", target, "--key", VKEY) == 1
    assert fault in capsys.readouterr().out


def test_every_flipped_bit_is_found(sqlite_engine: Engine, tmp_path: Path) -> None:
    """In each file of an export, bits drawn by lot."""
    write_rows(sqlite_engine, 260)
    target = tmp_path / "export"
    assert run("export", target, "--database", sqlite_engine.url) == 0
    lot = random.Random(20261123)
    missed = []
    for path in sorted(path for path in target.rglob("*") if path.is_file() and path.name != "log.vkey"):
        content = path.read_bytes()
        for _ in range(6):
            at = lot.randrange(len(content))
            changed = bytearray(content)
            changed[at] ^= 1 << lot.randrange(8)
            path.write_bytes(bytes(changed))
            # White space between the words of submitters.json says nothing.
            silent = path.name == "submitters.json" and changed[at : at + 1].isspace()
            if run("verify", target, "--key", VKEY) == 0 and not silent:
                missed.append((path.name, at))
        path.write_bytes(content)
    assert missed == []
    assert run("verify", target, "--key", VKEY) == 0


@pytest.mark.parametrize(("table", "column", "where"), CHANGES[:4])
def test_what_an_administrator_changed_is_found(
    engine: Engine, open_trail: TrailMaker, tmp_path: Path, table: str, column: str, where: str
) -> None:
    trail = open_trail(engine)
    fill(trail)
    url = engine.url.render_as_string(hide_password=False)
    assert run("export", tmp_path / "before", "--database", url) == 0
    assert run("verify", tmp_path / "before", "--key", VKEY) == 0
    value = flip(field(engine, table, column, where))
    tamper(engine, f"UPDATE {table} SET {column} = :value WHERE {where}", value=value)
    exported = run("export", tmp_path / "after", "--database", url) == 0
    # Nodes below the eighth level are in no tile: there the change reaches nobody outside.
    assert table == "audit_node" or not exported or run("verify", tmp_path / "after", "--key", VKEY) == 1


def test_a_history_that_was_signed_anew_does_not_fit_an_earlier_export(
    sqlite_engine: Engine, open_trail: TrailMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever holds the log's key can sign another history, and is then seen by anyone who kept the first."""
    write_rows(sqlite_engine, 300)
    assert run("export", tmp_path / "kept", "--database", sqlite_engine.url) == 0
    other = create_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    audit.metadata.create_all(other)
    write_rows(other, 301)
    assert run("export", tmp_path / "kept", "--database", other.url) == 1
    assert "one of them was changed" in capsys.readouterr().err
    smaller = create_engine(f"sqlite:///{tmp_path / 'smaller.sqlite'}")
    audit.metadata.create_all(smaller)
    write_rows(smaller, 10)
    assert run("export", tmp_path / "kept", "--database", smaller.url) == 1
    assert run("verify", tmp_path / "kept", "--key", VKEY) == 0
    other.dispose()
    smaller.dispose()


def test_two_histories_are_seen_by_whoever_kept_a_checkpoint(
    sqlite_engine: Engine, open_trail: TrailMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log's key is in the wrong hands; all that an auditor has is yesterday's checkpoint."""
    trail = open_trail(sqlite_engine)
    fill(trail, 5)
    yesterday = tmp_path / "yesterday"
    yesterday.write_text(trail.head().note)
    fill(trail, 5)
    assert run("export", tmp_path / "true", "--database", sqlite_engine.url) == 0
    assert run("verify", tmp_path / "true", "--key", VKEY, "--known", yesterday) == 0
    assert "continues 1 known checkpoint" in capsys.readouterr().out
    for size, words in ((12, "two histories"), (3, "speaks of 6 entries")):
        other = create_engine(f"sqlite:///{tmp_path / f'other-{size}.sqlite'}")
        audit.metadata.create_all(other)
        write_rows(other, size)
        assert run("export", tmp_path / f"fork-{size}", "--database", other.url) == 0
        assert run("verify", tmp_path / f"fork-{size}", "--key", VKEY) == 0
        assert run("verify", tmp_path / f"fork-{size}", "--key", VKEY, "--known", yesterday) == 1
        assert words in capsys.readouterr().out
        other.dispose()


def test_two_known_checkpoints_of_one_size_that_differ_are_two_histories(
    sqlite_engine: Engine, open_trail: TrailMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever comes last on the command line, the one that fits must not hide the one that does not."""
    trail = open_trail(sqlite_engine)
    fill(trail, 5)
    (tmp_path / "ours").write_text(trail.head().note)
    assert run("export", tmp_path / "true", "--database", sqlite_engine.url) == 0
    other = create_engine(f"sqlite:///{tmp_path / 'other.sqlite'}")
    audit.metadata.create_all(other)
    write_rows(other, 6)
    assert run("export", tmp_path / "fork", "--database", other.url) == 0
    other.dispose()
    both = [tmp_path / "ours", tmp_path / "fork" / "checkpoint"]
    for first, second in (both, both[::-1]):
        assert run("verify", tmp_path / "true", "--key", VKEY, "--known", first, "--known", second) == 1
        assert "contradict each other" in capsys.readouterr().out


def test_an_export_needs_a_trail_with_entries(sqlite_engine: Engine, tmp_path: Path) -> None:
    assert run("export", tmp_path / "x", "--database", sqlite_engine.url) == 1
    assert run("export", tmp_path / "x", "--database", f"sqlite:///{tmp_path}/nothing.sqlite") == 1
    assert not (tmp_path / "nothing.sqlite").exists()
    assert run("export", tmp_path / "x", "--database", "nonsense") == 1


# Grants


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512])
def test_an_export_of_any_size_is_verified(tmp_path: Path, size: int) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'trail.sqlite'}")
    audit.metadata.create_all(engine)
    write_rows(engine, size)
    target = tmp_path / "export"
    assert run("export", target, "--database", engine.url) == 0
    assert run("verify", target) == 0
    assert run("verify", target, "--key", VKEY) == 0
    assert (target / tile_path(1, 0, 1)).exists() == (256 <= size < 512)
    engine.dispose()


def test_a_growing_trail_is_exported_again_and_again(trail: audit.Trail, engine: Engine, tmp_path: Path) -> None:
    for size in (2, 4, 5):
        fill(trail, size - trail.head().size)
        assert export(engine, tmp_path) == size
        assert run("verify", tmp_path, "--key", VKEY) == 0


def test_an_export_for_outsiders_holds_hashes_only(large: tuple[Engine, Path], tmp_path: Path) -> None:
    assert run("export", tmp_path / "tiles", "--database", large[0].url, "--tiles-only") == 0
    assert not (tmp_path / "tiles" / "envelopes").exists()
    assert run("verify", tmp_path / "tiles", "--key", VKEY) == 0
    everything = b"".join(path.read_bytes() for path in (tmp_path / "tiles").rglob("*") if path.is_file())
    assert b"S47_ENQUIRY" not in everything


@pytest.mark.parametrize(
    ("number", "path"), [(0, "000"), (67, "067"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")]
)
def test_tile_paths_follow_the_specification(number: int, path: str) -> None:
    assert tile_path(0, number) == f"tile/0/{path}"
    assert verify._number_path(number) == path
    assert tile_path("entries", number, 17) == f"tile/entries/{path}.p/17"


# Receipts


@pytest.fixture(scope="module")
def receipt(large: tuple[Engine, Path]) -> dict:
    trail = audit.Trail(
        large[0],
        submitter_key=SUBMITTER_KEY,
        log_key=LOG_KEY,
        origin=ORIGIN,
        seal_subject=seal_for,
        seal_staff=seal_staff_for,
        clock=lambda: NOW,
    )
    eid = next(trail.events(423)).eid
    return trail.receipt(eid).document()


def receipt_verdict(tmp_path: Path, document: object) -> int:
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(document))
    return run("verify", path, "--key", VKEY)


def test_a_receipt_is_verified_offline(tmp_path: Path, receipt: dict, capsys: pytest.CaptureFixture[str]) -> None:
    assert receipt_verdict(tmp_path, receipt) == 0
    said = capsys.readouterr().out
    assert "Entry 423 is in the signed trail of 600 entries." in said
    assert "S47_ENQUIRY" not in said
    without = {name: value for name, value in receipt.items() if name != "envelope"}
    assert receipt_verdict(tmp_path, without) == 0
    assert "rests on the word of its giver" in capsys.readouterr().out


def test_a_receipt_needs_a_key_from_elsewhere(tmp_path: Path, receipt: dict) -> None:
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(receipt))
    assert run("verify", path) == 1


CHANGES_TO_A_RECEIPT = {
    "index": [422, 424, 0, 599, 600, -1, "423", 423.0, True, None],
    "eid": ["0" * 32],
    "kind": ["disclosure:made"],
    "t": [0],
    "format": ["kith-receipt/2", None],
    "leaf": ["", "AAAA", "not base64"],
    "path": [[], "AAAA", None],
    "checkpoint": ["", "kith.example/county\n600\nAAAA\n"],
    "submitter": [base64.b64encode(bytes(32)).decode(), ""],
    "envelope": ["", "e30="],
    "note": ["an extra key"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in CHANGES_TO_A_RECEIPT.items() for value in values]
)
def test_an_altered_receipt_is_refused(tmp_path: Path, receipt: dict, name: str, value: object) -> None:
    assert receipt_verdict(tmp_path, {**receipt, name: value}) == 1


@settings(max_examples=150)
@given(st.data())
def test_a_receipt_with_one_flipped_bit_is_refused(
    receipt: dict, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    changed = json.loads(json.dumps(receipt))
    name = data.draw(st.sampled_from(["leaf", "path", "submitter", "envelope", "checkpoint"]))
    if name == "checkpoint":
        at = data.draw(st.integers(0, len(changed[name]) - 1))
        character = data.draw(st.characters(codec="ascii").filter(lambda char: char != receipt["checkpoint"][at]))
        changed[name] = changed[name][:at] + character + changed[name][at + 1 :]
    else:
        holder, key = (
            (changed["path"], data.draw(st.integers(0, len(changed["path"]) - 1)))
            if name == "path"
            else (
                changed,
                name,
            )
        )
        raw = bytearray(base64.b64decode(holder[key]))
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        holder[key] = base64.b64encode(bytes(raw)).decode()
    assert receipt_verdict(tmp_path_factory.mktemp("flip"), changed) == 1


def test_a_tlog_proof_holds_the_same_proof(large: tuple[Engine, Path], open_trail: TrailMaker) -> None:
    trail = open_trail(large[0], start=False)
    proof = trail.receipt(next(trail.events(7)).eid)
    first, extra, index, *rest = proof.tlog_proof().split("\n")
    assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 7")
    assert base64.b64decode(extra.removeprefix("extra ")) == proof.leaf
    blank = rest.index("")
    assert tuple(base64.b64decode(line) for line in rest[:blank]) == proof.path
    assert "\n".join(rest[blank + 1 :]) == proof.checkpoint


# Signed notes


def note(size: int = 5) -> str:
    key = VerifierKey.of(ORIGIN, LOG_KEY.public_key())
    return sign(ORIGIN, size, bytes(32), LOG_KEY, key.key_id)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n5\n", "\n6\n"),
        lambda text: text.replace("\n5\n", "\n05\n"),
        lambda text: text.replace("\n5\n", "\n+5\n"),
        lambda text: text.replace("\n5\n", "\n５\n"),
        lambda text: text.replace(ORIGIN, "kith.example/other", 1),
        lambda text: text.replace("— ", "- "),
        lambda text: text[:-1],
        lambda text: text + text.split("\n\n")[1],
        lambda text: text + "\n",
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "x" * 70_000 + "\n",
        lambda text: "",
        lambda text: "\n\n",
    ],
)
def test_a_note_that_was_changed_is_refused(change: object) -> None:
    with pytest.raises(audit.ProofError):
        open_note(change(note()), [VerifierKey.parse(VKEY)])


def test_a_note_by_a_stranger_is_refused_and_one_more_signature_is_passed_over() -> None:
    stranger = Ed25519PrivateKey.generate()
    key = VerifierKey.of("witness.example/w1", stranger.public_key())
    witnessed = note() + sign("witness.example/w1", 5, bytes(32), stranger, key.key_id).split("\n\n")[1]
    assert open_note(witnessed, [VerifierKey.parse(VKEY)]).size == 5
    with pytest.raises(audit.ProofError):
        open_note(note(), [key])
    with pytest.raises(audit.ProofError):
        open_note(note(), [])


def test_a_verifier_key_is_split_on_the_first_two_plus_signs_only() -> None:
    for number in range(2000):
        private = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
        text = str(VerifierKey.of(ORIGIN, private.public_key()))
        if text.count("+") > 2:
            break
    assert text.count("+") > 2
    key = VerifierKey.parse(text)
    signed = sign(ORIGIN, 3, bytes(32), private, key.key_id)
    assert open_note(signed, [key]) == parse(signed)
    assert verify._open_checkpoint(signed, text) == (3, bytes(32))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\n"])
def test_a_key_name_that_no_note_can_carry_is_refused(name: str) -> None:
    with pytest.raises(audit.ProofError):
        VerifierKey.of(name, LOG_KEY.public_key())


def test_a_leaf_is_the_sigsum_leaf() -> None:
    submitter = Submitter.of(SUBMITTER_KEY)
    leaf = sign_leaf(b"envelope", submitter)
    verify._check_leaf(0, leaf, {submitter.key_hash: SUBMITTER_KEY.public_key()})
    with pytest.raises(verify.Refused):
        verify._check_leaf(0, leaf, {bytes(32): SUBMITTER_KEY.public_key()})
    with pytest.raises(verify.Refused):
        verify._check_leaf(0, flip(leaf), {submitter.key_hash: SUBMITTER_KEY.public_key()})
    assert disclosure()["recipient"] == "CSC"


# Witnesses


@pytest.fixture(scope="module")
def witnessed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], Path]:
    """An export, its receipt files by form, and the policy: of three witnesses two have cosigned 600 of 603 entries."""
    folder = tmp_path_factory.mktemp("witnessed")
    engine = create_engine(f"sqlite:///{folder / 'trail.sqlite'}")
    audit.metadata.create_all(engine)
    write_rows(engine, 600)
    keys = {name: Ed25519PrivateKey.generate() for name in ("police", "health", "housing")}
    vkeys = {name: VerifierKey.of(f"{name}.example/w", key.public_key(), COSIGNATURE) for name, key in keys.items()}
    lines = [f"witness {name} {vkey}" for name, vkey in vkeys.items()]
    policy_text = "\n".join([f"log {VKEY}", *lines, "group partners 2 police health housing", "quorum partners\n"])
    trail = audit.Trail(
        engine,
        submitter_key=SUBMITTER_KEY,
        log_key=LOG_KEY,
        origin=ORIGIN,
        seal_subject=seal_for,
        seal_staff=seal_staff_for,
        clock=lambda: NOW,
        policy=audit.read_policy(policy_text),
    )
    head = trail.head()
    store = Store(engine, wait_s=2.0)
    for at, name in enumerate(("police", "health")):
        keep(store, 600, vkeys[name], cosign(head.note, keys[name], vkeys[name], t_s=1_795_424_400 + at), at)
    with trail:
        for _ in range(3):
            trail.append("search", now=NOW, subjects=["P-1"], **search())
    proof = trail.receipt(next(trail.events(423)).eid)
    young = trail.receipt(next(trail.events(601)).eid)
    (folder / "policy").write_text(policy_text)
    assert run("export", folder / "export", "--database", engine.url) == 0
    engine.dispose()
    return (
        folder / "export",
        {"json": proof.json(), "tlog": proof.tlog_proof(), "young": young.json()},
        folder / "policy",
    )


@pytest.mark.parametrize("form", ["json", "tlog"])
def test_a_receipt_is_verified_with_its_witnesses(
    witnessed: tuple[Path, dict[str, str], Path], form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, receipts, policy = witnessed
    (tmp_path / "receipt").write_text(receipts[form])
    assert run("verify", tmp_path / "receipt", "--policy", policy) == 0
    said = capsys.readouterr().out
    assert "Entry 423 is in the signed trail of 600 entries." in said
    assert "Cosigned by health, police, the last at 2026-11-23 09:00:01 UTC: a quorum of the policy." in said
    assert run("verify", tmp_path / "receipt", "--key", VKEY) == 0
    assert "No --policy was given" in capsys.readouterr().out


def test_an_export_is_verified_with_its_witnesses(
    witnessed: tuple[Path, dict[str, str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_directory, _, policy = witnessed
    assert run("verify", export_directory, "--policy", policy) == 0
    assert "The export continues 1 known checkpoint(s)." in capsys.readouterr().out
    strict = tmp_path / "strict"
    strict.write_text(policy.read_text().replace("partners 2", "partners all"))
    assert run("verify", export_directory, "--policy", strict) == 1
    assert "cosigned by health, police: that is no quorum" in capsys.readouterr().out


ALTERED_POLICY = {
    "no quorum": lambda text: text.replace("partners 2", "partners all"),
    "another witness": lambda text: text.replace("group partners 2 police health", "group partners 2 housing"),
    "a witness twice": lambda text: text.replace("2 police health", "2 police police"),
    "no quorum line": lambda text: text.replace("quorum partners\n", ""),
    "two quorums": lambda text: text + "quorum none\n",
    "an unknown member": lambda text: text.replace("2 police", "2 nobody"),
    "more than there are": lambda text: text.replace("partners 2", "partners 4"),
    "a number with a zero": lambda text: text.replace("partners 2", "partners 02"),
    "a line of something else": lambda text: text + "witnesses\n",
    "a log's key as a witness": lambda text: text.replace("witness police", f"witness police {VKEY}\nwitness p2"),
}


@pytest.mark.parametrize("change", ALTERED_POLICY)
def test_a_receipt_without_quorum_or_a_policy_that_cannot_be_meant_is_refused(
    witnessed: tuple[Path, dict[str, str], Path], change: str, tmp_path: Path
) -> None:
    _, receipts, policy = witnessed
    (tmp_path / "policy").write_text(ALTERED_POLICY[change](policy.read_text()))
    for form in ("json", "tlog"):
        (tmp_path / "receipt").write_text(receipts[form])
        assert run("verify", tmp_path / "receipt", "--policy", tmp_path / "policy", "--key", VKEY) == 1


def test_an_entry_that_no_witness_saw_yet_is_refused_under_a_policy(
    witnessed: tuple[Path, dict[str, str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, receipts, policy = witnessed
    (tmp_path / "receipt").write_text(receipts["young"])
    assert run("verify", tmp_path / "receipt", "--key", VKEY) == 0
    assert run("verify", tmp_path / "receipt", "--policy", policy) == 1
    assert "cosigned by nobody" in capsys.readouterr().out


@settings(max_examples=100)
@given(st.data())
def test_a_tlog_proof_with_one_changed_character_is_refused(
    witnessed: tuple[Path, dict[str, str], Path], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    _, receipts, policy = witnessed
    text = receipts["tlog"]
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda char: char != text[at]))
    path = tmp_path_factory.mktemp("flip") / "receipt.tlog-proof"
    path.write_text(text[:at] + other + text[at + 1 :], newline="")
    assert run("verify", path, "--policy", policy) == 1
