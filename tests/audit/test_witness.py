"""A witness of a partner agency: what it cosigns, what it refuses, and that neither races nor crashes undo it."""

import concurrent.futures
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import durable
from audit import witness as witness_module
from audit.checkpoint import COSIGNATURE, VerifierKey, sign, split_note
from audit.cosignature import cosign, read_cosignatures
from audit.errors import PolicyInvalid, ProofError, TrailUnavailable
from audit.policy import read_policy
from audit.tree import Peaks, leaf_hash, node_hash, prove_consistency
from audit.witness import Answer, Witness, request_body
from audit.witness_http import witness_app
from tests.audit.trees import Log, base64_lines

ORIGIN = "kith.example/county"
NOW_S = 1_795_424_400


@pytest.fixture
def log() -> Log:
    return Log(ORIGIN)


@pytest.fixture
def opened(tmp_path: Path, log: Log) -> Iterator[Witness]:
    witness = Witness(tmp_path / "w", name="police.example/witness", logs=[log.vkey], clock=lambda: NOW_S)
    yield witness
    witness.close()


def ask(witness: Witness, log: Log, old: int, new: int, *, proof: list[str] | None = None) -> Answer:
    lines = base64_lines(log.consistency(old, new)) if proof is None and 0 < old < new else proof or []
    return witness.add_checkpoint(request_body(old, lines, log.note(new)))


def cosigned(witness: Witness, note: str, answer: Answer) -> int:
    """The time that the cosignature in this answer names; the signature has been checked."""
    assert answer.status == 200
    [cosignature] = read_cosignatures(note + answer.body, [witness.verifier_key])
    return cosignature.t_s


REFUSED: dict[str, tuple[int, Callable[[Log], bytes]]] = {
    "no request": (400, lambda log: b""),
    "not UTF-8": (400, lambda log: b"old 5\n\n\xff\n"),
    "no old size": (400, lambda log: b"\n\n" + log.note(7).encode()),
    "an old size with a leading zero": (400, lambda log: b"old 05\n\n" + log.note(7).encode()),
    "a minus": (400, lambda log: b"old -5\n\n" + log.note(7).encode()),
    "no checkpoint": (400, lambda log: b"old 5\n\n"),
    "a checkpoint without signature": (400, lambda log: request_body(5, [], log.note(7).partition("\n\n")[0] + "\n\n")),
    "a hash of 31 bytes": (400, lambda log: request_body(5, base64_lines([b"x" * 31]), log.note(7))),
    "a hash in other base64": (400, lambda log: request_body(5, ["a" * 43 + "="], log.note(7))),
    "64 hashes": (400, lambda log: request_body(5, base64_lines([b"x" * 32] * 64), log.note(7))),
    "too long": (400, lambda log: b"old 5\n\n" + b"x" * 200_000),
    "an unknown log": (404, lambda log: request_body(5, [], Log("other.example/log", log.key).note(7))),
    "another key under the log's name": (403, lambda log: request_body(5, [], Log(ORIGIN).note(7))),
    "a size from the future": (400, lambda log: request_body(9, [], log.note(7))),
    "a stale size": (409, lambda log: request_body(3, base64_lines(log.consistency(3, 7)), log.note(7))),
    "from nothing": (409, lambda log: request_body(0, [], log.note(7))),
    "back to less": (409, lambda log: request_body(3, [], log.note(3))),
    "another root of the same size": (409, lambda log: request_body(5, [], log.forked(5, at=2).note(5))),
    "a proof where none belongs": (422, lambda log: request_body(5, base64_lines([b"x" * 32]), log.note(5))),
    "no proof": (422, lambda log: request_body(5, [], log.note(7))),
    "a proof of something else": (422, lambda log: request_body(5, base64_lines(log.consistency(4, 7)), log.note(7))),
    "a rewritten history": (
        422,
        lambda log: request_body(5, base64_lines(log.forked(7, at=2).consistency(5, 7)), log.forked(7, at=2).note(7)),
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_witness_refuses_with_the_status_of_the_protocol_and_remembers_what_it_had(
    fault: str, opened: Witness, log: Log
) -> None:
    cosigned(opened, log.note(5), ask(opened, log, 0, 5))
    status, body = REFUSED[fault]
    answer = opened.add_checkpoint(body(log))
    assert answer.status == status
    assert "—" not in answer.body
    if status == 409:
        assert (answer.body, answer.content_type) == ("5\n", "text/x.tlog.size")
    latest = opened.latest(ORIGIN)
    assert latest is not None
    assert latest.note == log.note(5)
    cosigned(opened, log.note(8), ask(opened, log, 5, 8))


def test_a_first_checkpoint_needs_no_proof_and_may_not_have_one(opened: Witness, log: Log) -> None:
    assert ask(opened, log, 0, 5, proof=base64_lines([b"x" * 32])).status == 422
    assert opened.latest(ORIGIN) is None
    assert cosigned(opened, log.note(5), ask(opened, log, 0, 5)) == NOW_S


def test_the_same_checkpoint_is_cosigned_again_with_a_new_time(tmp_path: Path, log: Log) -> None:
    times = iter([NOW_S, NOW_S + 60])
    witness = Witness(tmp_path, name="w", logs=[log.vkey], clock=lambda: next(times))
    assert cosigned(witness, log.note(5), ask(witness, log, 0, 5)) == NOW_S
    assert cosigned(witness, log.note(5), ask(witness, log, 5, 5)) == NOW_S + 60
    witness.close()


def test_it_follows_every_step_of_a_growing_log(opened: Witness, log: Log) -> None:
    sizes = [0, 1, 2, 3, 7, 8, 9, 64, 65, 130]
    for old, new in itertools.pairwise(sizes):
        cosigned(opened, log.note(new), ask(opened, log, old, new))


@given(at=st.integers(0, 39), old=st.integers(1, 40), grown=st.integers(1, 30))
@settings(max_examples=60, deadline=None)
def test_no_rewritten_history_is_ever_cosigned(
    tmp_path_factory: pytest.TempPathFactory, at: int, old: int, grown: int
) -> None:
    """Whoever holds the log's key rewrites an entry and signs everything again, with the best proof there is."""
    at = min(at, old - 1)
    log = Log(ORIGIN)
    witness = Witness(tmp_path_factory.mktemp("w"), name="w", logs=[log.vkey], clock=lambda: NOW_S)
    cosigned(witness, log.note(old), ask(witness, log, 0, old))
    rewritten = log.forked(old + grown, at=at)
    for proof in (rewritten.consistency(old, old + grown), log.consistency(old, old + grown)):
        body = request_body(old, base64_lines(proof), rewritten.note(old + grown))
        assert witness.add_checkpoint(body).status == 422
    assert witness.add_checkpoint(request_body(old, [], rewritten.note(old))).status == 409
    witness.close()


def test_what_convicts_a_log_is_kept(tmp_path: Path, log: Log) -> None:
    witness = Witness(tmp_path, name="w", logs=[log.vkey], clock=lambda: NOW_S)
    ask(witness, log, 0, 5)
    fork = log.forked(7, at=2)
    witness.add_checkpoint(request_body(5, base64_lines(fork.consistency(5, 7)), fork.note(7)))
    [kept] = (tmp_path / "evidence").iterdir()
    assert log.note(5) in kept.read_text()
    assert fork.note(7) in kept.read_text()
    witness.close()


def test_of_sixty_four_histories_sent_at_once_one_is_cosigned(opened: Witness, log: Log) -> None:
    ask(opened, log, 0, 5)
    rivals = [log.forked(6, at=5, with_entry=b"rival %d" % number) for number in range(64)]
    start = threading.Barrier(16)

    def submit(rival: Log) -> int:
        start.wait()
        return opened.add_checkpoint(request_body(5, base64_lines(rival.consistency(5, 6)), rival.note(6))).status

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(submit, rivals))
    assert statuses.count(200) == 1
    assert statuses.count(409) == 63


def test_nothing_is_signed_when_the_state_cannot_be_kept(
    opened: Witness, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(witness_module, "replace_file", full)
    answer = ask(opened, log, 0, 5)
    assert answer.status == 500
    assert "—" not in answer.body
    monkeypatch.setattr(witness_module, "replace_file", durable.replace_file)
    cosigned(opened, log.note(5), ask(opened, log, 0, 5))


def test_the_state_is_durable_before_the_signature_is_made(
    opened: Witness, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    monkeypatch.setattr(
        witness_module,
        "replace_file",
        lambda path, content: (order.append("kept"), durable.replace_file(path, content)),
    )
    monkeypatch.setattr(witness_module, "cosign", lambda *a, **k: (order.append("signed"), cosign(*a, **k))[1])
    ask(opened, log, 0, 5)
    assert order == ["kept", "signed"]


def test_a_witness_that_starts_again_goes_on_where_it_was(tmp_path: Path, log: Log) -> None:
    first = Witness(tmp_path, name="w", logs=[log.vkey], clock=lambda: NOW_S)
    ask(first, log, 0, 5)
    with pytest.raises(TrailUnavailable):
        Witness(tmp_path, name="w", logs=[log.vkey], clock=lambda: NOW_S)
    first.close()
    second = Witness(tmp_path, name="w", logs=[log.vkey], clock=lambda: NOW_S)
    assert second.verifier_key == first.verifier_key
    assert ask(second, log, 0, 5).body == "5\n"
    cosigned(second, log.note(9), ask(second, log, 5, 9))
    second.close()


@pytest.mark.parametrize("damage", [b"", b"\xff", b"nonsense\n", "other"])
def test_a_damaged_state_stops_the_witness_and_never_starts_it_afresh(
    damage: bytes | str, tmp_path: Path, log: Log
) -> None:
    witness = Witness(tmp_path, name="w", logs=[log.vkey], clock=lambda: NOW_S)
    ask(witness, log, 0, 5)
    [state] = (tmp_path / "logs").iterdir()
    state.write_bytes(Log(ORIGIN).note(2).encode() if isinstance(damage, str) else damage)
    answer = ask(witness, log, 0, 5)
    assert answer.status == 500
    assert "—" not in answer.body
    witness.close()


# Over HTTP


def test_the_address_of_a_witness(opened: Witness, log: Log) -> None:
    import hashlib

    from werkzeug.test import Client

    client = Client(witness_app(opened))
    assert client.get("/add-checkpoint").status_code == 405
    assert client.get("/else").status_code == 404
    assert client.post("/").status_code == 405
    where = "/checkpoint/" + hashlib.sha256(ORIGIN.encode()).hexdigest()
    assert client.get(where).status_code == 404
    posted = client.post("/add-checkpoint", data=request_body(0, [], log.note(5)))
    assert posted.status_code == 200
    assert read_cosignatures(log.note(5) + posted.text, [opened.verifier_key])
    conflict = client.post("/add-checkpoint", data=request_body(0, [], log.note(5)))
    assert (conflict.status_code, conflict.text, conflict.content_type) == (409, "5\n", "text/x.tlog.size")
    assert client.get(where).text == log.note(5)
    assert client.get("/").text == f"{opened.verifier_key}\n{ORIGIN} 5\n"
    assert client.post("/add-checkpoint", data=b"x" * 200_000).status_code == 413


# Cosignatures and policies


def test_a_cosignature_is_the_one_of_the_specification() -> None:
    """The example key and checkpoint of c2sp.org/tlog-cosignature cannot be signed again; the layout is held here."""
    key = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
    witness = VerifierKey.of("witness.example/w1", key.public_key(), COSIGNATURE)
    note = Log("example.com/behind-the-sofa").note(3)
    line = cosign(note, key, witness, t_s=1_679_315_147)
    _, [_, (name, blob)] = split_note(note + line)
    assert (name, blob[:4], blob[4:12]) == (witness.name, witness.key_id, (1_679_315_147).to_bytes(8, "big"))
    text = note[: note.index("\n\n") + 1]
    key.public_key().verify(blob[12:], b"cosignature/v1\ntime 1679315147\n" + text.encode())


@pytest.mark.parametrize("change", ["time", "signature", "text", "length", "twice"])
def test_a_false_cosignature_condemns_the_note(change: str) -> None:
    import base64

    key = Ed25519PrivateKey.generate()
    witness = VerifierKey.of("w", key.public_key(), COSIGNATURE)
    log = Log(ORIGIN)
    note, line = log.note(3), cosign(log.note(3), key, witness, t_s=NOW_S)
    blob = bytearray(base64.b64decode(line.split(" ")[2]))
    if change == "text":
        note = log.note(4)
    elif change == "length":
        blob = blob[:-1]
    elif change in ("time", "signature"):
        blob[11 if change == "time" else -1] ^= 1
    false = f"— w {base64.b64encode(bytes(blob)).decode()}\n" + (line if change == "twice" else "")
    with pytest.raises(ProofError):
        read_cosignatures(note + false, [witness])


def test_a_cosignature_of_a_stranger_counts_for_nothing() -> None:
    key, log = Ed25519PrivateKey.generate(), Log(ORIGIN)
    stranger = VerifierKey.of("w", key.public_key(), COSIGNATURE)
    expected = VerifierKey.of("w", Ed25519PrivateKey.generate().public_key(), COSIGNATURE)
    assert read_cosignatures(log.note(3) + cosign(log.note(3), key, stranger, t_s=NOW_S), [expected]) == []


def keys(count: int) -> list[VerifierKey]:
    return [VerifierKey.of(f"w{n}", Ed25519PrivateKey.generate().public_key(), COSIGNATURE) for n in range(count)]


def test_two_levels_of_groups_count_as_the_policy_says() -> None:
    lines = [f"witness w{n} {key}" for n, key in enumerate(keys(6))]
    policy = read_policy(
        "# the partners\n\n"
        + "\n".join(lines)
        + "\ngroup X 2 w0 w1 w2\n group\tY any w3 w4 w5 \ngroup both all X Y\nquorum both\n"
    )
    assert policy.met_by({"w0", "w2", "w5"})
    for short in ({"w0", "w5"}, {"w0", "w1", "w2"}, {"w3", "w4", "w5"}, set()):
        assert not policy.met_by(short)


WRONG_POLICIES = [
    "",
    "quorum w0",
    "witness w0 KEY0\nquorum w0\nquorum w0",
    "witness w0 KEY0\nwitness w0 KEY1\nquorum w0",
    "witness w0 KEY0\nwitness w1 KEY0\nquorum w0",
    "witness none KEY0\nquorum none",
    "witness w0 LOG\nquorum w0",
    "log KEY0\nquorum none",
    "log LOG\nlog LOG\nquorum none",
    "witness w0 KEY0 ftp://w\nquorum w0",
    "witness w0 KEY0\ngroup g 2 w0\nquorum g",
    "witness w0 KEY0\ngroup g 0 w0\nquorum g",
    "witness w0 KEY0\ngroup g 01 w0\nquorum g",
    "witness w0 KEY0\ngroup g any w0 w0\nquorum g",
    "witness w0 KEY0\ngroup g any none\nquorum g",
    "witness w0 KEY0\ngroup g any w0\ngroup h any w0\nquorum h",
    "group g any w0\nwitness w0 KEY0\nquorum g",
    "witness w0 KEY0\ngroup g any\nquorum g",
    "witness w0 KEY0 https://a b\nquorum w0",
    "witness w0 KEY0\rquorum w0",
    "witnesses w0 KEY0\nquorum w0",
]


@pytest.mark.parametrize("text", WRONG_POLICIES)
def test_a_policy_that_cannot_be_meant_is_refused(text: str) -> None:
    named = {f"KEY{n}": str(key) for n, key in enumerate(keys(2))}
    named["LOG"] = str(Log(ORIGIN).vkey)
    for name, key in named.items():
        text = text.replace(name, key)
    with pytest.raises(PolicyInvalid):
        read_policy(text)


def test_a_log_and_no_witness_is_a_policy_too() -> None:
    policy = read_policy(f"log {Log(ORIGIN).vkey} https://kith.example\nquorum none\n")
    assert policy.met_by(())
    assert policy.logs[0].name == ORIGIN


def test_the_log_of_these_tests_hashes_as_the_trail_does() -> None:
    peaks = Peaks()
    log = Log(ORIGIN)
    for entry in log.entries(9):
        peaks.push(leaf_hash(entry))
    assert log.root(9) == peaks.root()
    assert log.root(2) == node_hash(*(leaf_hash(entry) for entry in log.entries(2)))
    assert log.consistency(3, 9) == prove_consistency(3, 9, log.node)
    assert sign(ORIGIN, 9, peaks.root(), log.key, log.vkey.key_id) == log.note(9)
