"""The hub and its witnesses: a quorum is collected, and no witness, however bad, costs more than its own word."""

import base64
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine, text

import audit
from audit import Cosigners, State
from audit.checkpoint import COSIGNATURE, VerifierKey
from audit.cosignature import cosign, read_cosignatures
from audit.policy import WitnessPolicy, read_policy
from audit.witness import Witness
from audit.witness_http import witness_app
from tests.audit.conftest import LOG_KEY, NOW, ORIGIN, TrailMaker, disclosure

LOG = VerifierKey.of(ORIGIN, LOG_KEY.public_key())


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


@dataclass
class Clock:
    """The hub's and the witnesses' time; tests move it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Partners:
    """Partner agencies that run witnesses on loopback. `misbehave` replaces the answers of one."""

    folder: Path
    clock: Clock
    running: dict[str, tuple[Witness, WSGIServer]] = field(default_factory=dict)
    manners: dict[str, Callable[..., Any]] = field(default_factory=dict)
    ahead_s: dict[str, int] = field(default_factory=dict)

    def start(self, name: str, port: int = 0) -> None:
        witness = Witness(
            self.folder / name,
            name=f"{name}.example/witness",
            logs=[LOG],
            clock=lambda: int(self.clock.now.timestamp()) + self.ahead_s.get(name, 0),
        )
        honest = witness_app(witness)

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            return self.manners.get(name, honest)(environ, start_response)

        server = make_server("127.0.0.1", port, app, server_class=_Server, handler_class=_Quiet)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.running[name] = witness, server

    def stop(self, name: str) -> int:
        witness, server = self.running.pop(name)
        server.shutdown()
        server.server_close()
        witness.close()
        return server.server_port

    def misbehave(self, name: str, status: str, body: bytes, **headers: str) -> None:
        def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            given = [(key.replace("_", "-"), value) for key, value in headers.items()]
            start_response(status, [("Content-Type", "text/plain"), *given])
            return [body]

        self.manners[name] = app

    def policy(self, quorum: str) -> WitnessPolicy:
        lines = [
            f"witness {name} {witness.verifier_key} http://127.0.0.1:{server.server_port}"
            for name, (witness, server) in self.running.items()
        ]
        return read_policy(
            "\n".join([*lines, f"group partners {quorum} {' '.join(self.running)}", "quorum partners\n"])
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def partners(tmp_path: Path, clock: Clock) -> Iterator[Partners]:
    made = Partners(tmp_path / "partners", clock)
    for name in ("police", "health", "housing"):
        made.start(name)
    yield made
    for name in list(made.running):
        made.stop(name)


def asking(engine: Engine, policy: WitnessPolicy, clock: Clock, **changes: Any) -> Cosigners:
    return Cosigners(engine, key=LOG, policy=policy, clock=clock, **{"each_s": 1.0, **changes})


def write(trail: audit.Trail, count: int = 1) -> audit.Receipt:
    """Entries beside the key leaf, which is the first of a trail."""
    return [trail.append("disclosure:made", now=NOW, subjects=["P-1"], **disclosure()) for _ in range(count)][-1]


def test_a_quorum_cosigns_and_receipts_carry_it(
    engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("2")
    trail = open_trail(engine, policy=policy)
    first = write(trail, 3)
    bare = trail.receipt(first.eid)
    assert read_cosignatures(bare.checkpoint, policy.vkeys()) == []
    cosigners = asking(engine, policy, clock)
    cosigners.round()
    younger = write(trail, 2)
    proof = trail.receipt(first.eid)
    assert len(read_cosignatures(proof.checkpoint, policy.vkeys())) == 3
    assert (proof.size, trail.receipt(younger.eid).size) == (4, 6)
    clock.pass_s(25)
    cosigners.round()
    assert policy.met(read_cosignatures(trail.receipt(younger.eid).checkpoint, policy.vkeys()))
    stands = cosigners.quorum()
    assert (stands.size, stands.overdue, stands.words) == (6, False, "2 of 3 witnesses")
    assert {view.state for view in stands.witnesses} == {State.COSIGNED}


FAULTS: dict[str, tuple[str, bytes, dict[str, str], State]] = {
    "broken": ("500 Internal Server Error", b"", {}, State.UNUSABLE),
    "a redirect": ("307 Temporary Redirect", b"", {"Location": "http://127.0.0.1:1/"}, State.UNUSABLE),
    "an empty answer": ("200 OK", b"", {}, State.UNUSABLE),
    "no signature": ("200 OK", b"hello\n", {}, State.UNUSABLE),
    "not text": ("200 OK", b"\xff\xfe", {}, State.SILENT),
    "a flood": ("200 OK", b"x" * 200_000, {}, State.SILENT),
    "a conflict without size": ("409 Conflict", b"soon\n", {}, State.UNUSABLE),
    "a size that grows for ever": ("409 Conflict", b"9" * 400, {}, State.UNUSABLE),
    "a size that cannot be": ("409 Conflict", b"999\n", {}, State.AHEAD),
    "always another size": ("409 Conflict", b"1\n", {}, State.UNUSABLE),
    "another history": ("422 Unprocessable Entity", b"no\n", {}, State.CONTRADICTS),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_witness_costs_its_own_word_and_nothing_else(
    fault: str, sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    status, body, headers, state = FAULTS[fault]
    policy = partners.policy("2")
    trail = open_trail(sqlite_engine, policy=policy)
    receipt = write(trail, 3)
    partners.misbehave("police", status, body, **headers)
    cosigners = asking(sqlite_engine, policy, clock)
    cosigners.round()
    stands = cosigners.quorum()
    assert {view.name: view.state for view in stands.witnesses}["police"] is state
    assert (stands.size, stands.overdue) == (4, False)
    assert policy.met(read_cosignatures(trail.receipt(receipt.eid).checkpoint, policy.vkeys()))
    # As soon as it behaves again it counts again.
    del partners.manners["police"]
    clock.pass_s(25)
    write(trail)
    cosigners.round()
    assert {view.state for view in cosigners.quorum().witnesses} == {State.COSIGNED}


def lies(partners: Partners, note: Callable[[], str]) -> dict[str, bytes]:
    """Answers that look like the cosignature of the police, and are not one over this checkpoint."""
    witness, _ = partners.running["police"]
    key, vkey = witness._key, witness.verifier_key
    true = cosign(note(), key, vkey, t_s=int(NOW.timestamp()))
    other = Ed25519PrivateKey.generate()
    longer = note() + true + "\n"
    return {
        "of another key": cosign(
            note(), other, VerifierKey.of(vkey.name, other.public_key(), COSIGNATURE), t_s=1
        ).encode(),
        "under the right name and a wrong signature": cosign(note(), other, vkey, t_s=1).encode(),
        "over another text": (true + "\n" + cosign(longer + "— x AAAAAAAA\n", key, vkey, t_s=5)).encode(),
        "twice": (true + true).encode(),
    }


def test_a_lying_witness_puts_nothing_into_receipts(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("2")
    trail = open_trail(sqlite_engine, policy=policy)
    receipt = write(trail, 3)
    for body in lies(partners, lambda: trail.head().note).values():
        partners.misbehave("police", "200 OK", body)
        clock.pass_s(200)
        cosigners = asking(sqlite_engine, policy, clock)
        cosigners.round()
        assert {view.name: view.state for view in cosigners.quorum().witnesses}["police"] is State.UNUSABLE
        checkpoint = trail.receipt(receipt.eid).checkpoint
        signed = {one.witness.name for one in read_cosignatures(checkpoint, policy.vkeys())}
        assert signed == {"health.example/witness", "housing.example/witness"}


def test_who_drips_is_cut_off_by_the_clock_and_holds_nobody_up(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    stop = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as dripping:

        def drip() -> None:
            accepted, _ = dripping.accept()
            with closing(accepted):
                try:
                    accepted.sendall(b"HTTP/1.1 200 OK\r\n")
                    while not stop.wait(0.05):
                        accepted.sendall(b"x")
                except OSError:
                    stop.set()

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        honest = partners.policy("2")
        police = honest.witnesses["police"]
        url = f"http://127.0.0.1:{dripping.getsockname()[1]}"
        witnesses = {**honest.witnesses, "police": audit.policy.PolicyWitness("police", police.key, url)}
        policy = WitnessPolicy((), witnesses, honest.groups, honest.quorum)
        trail = open_trail(sqlite_engine, policy=policy)
        write(trail, 3)
        cosigners = asking(sqlite_engine, policy, clock, each_s=0.3)
        cosigners.round()
        assert cosigners.quorum().size == 4
        write(trail)
        thread.join(10)
        assert stop.is_set(), "the hub never hung up"


def test_a_witness_that_was_set_back_is_brought_up_again(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("all")
    trail = open_trail(sqlite_engine, policy=policy)
    write(trail, 2)
    cosigners = asking(sqlite_engine, policy, clock)
    cosigners.round()
    shutil.copytree(partners.folder / "police", partners.folder / "older")
    write(trail, 3)
    clock.pass_s(25)
    cosigners.round()
    port = partners.stop("police")
    shutil.rmtree(partners.folder / "police")
    (partners.folder / "older").rename(partners.folder / "police")
    partners.start("police", port)
    write(trail, 2)
    clock.pass_s(25)
    cosigners.round()
    stands = cosigners.quorum()
    assert (stands.size, {view.state for view in stands.witnesses}) == (8, {State.COSIGNED})


def test_a_lost_quorum_is_overdue_after_five_minutes_and_heals_by_itself(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("2")
    trail = open_trail(sqlite_engine, policy=policy)
    write(trail)
    cosigners = asking(sqlite_engine, policy, clock)
    cosigners.round()
    ports = {name: partners.stop(name) for name in ("police", "health")}
    clock.pass_s(295)
    cosigners.round()
    assert not cosigners.quorum().overdue
    clock.pass_s(10)
    cosigners.round()
    stands = cosigners.quorum()
    assert stands.overdue
    assert {view.name: view.state for view in stands.witnesses} == {
        "police": State.SILENT,
        "health": State.SILENT,
        "housing": State.COSIGNED,
    }
    write(trail)  # Nobody's disclosure waits for a witness.
    for name, port in ports.items():
        partners.start(name, port)
    clock.pass_s(20)
    cosigners.round()
    assert not cosigners.quorum().overdue


def test_a_quorum_that_never_was_is_overdue_too(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("all")
    cosigners = asking(sqlite_engine, policy, clock)
    partners.stop("police")
    clock.pass_s(400)
    assert not cosigners.quorum().overdue, "an empty trail has nothing to cosign"
    write(open_trail(sqlite_engine, policy=policy))
    cosigners.round()
    assert cosigners.quorum().overdue


def test_a_quiet_trail_is_cosigned_again_and_keeps_its_first_cosignatures(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("all")
    trail = open_trail(sqlite_engine, policy=policy)
    receipt = write(trail)
    cosigners = asking(sqlite_engine, policy, clock)
    cosigners.round()
    first = cosigners.quorum().t
    early = trail.receipt(receipt.eid).checkpoint
    clock.pass_s(30)
    cosigners.round()
    assert cosigners.quorum().t == first, "half a minute of silence needs no question"
    clock.pass_s(100)
    cosigners.round()
    later = cosigners.quorum().t
    assert first is not None
    assert later == first + 130_000
    assert trail.receipt(receipt.eid).checkpoint == early


def test_witnesses_whose_clocks_agree_tell_that_the_hubs_is_wrong(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("2")
    write(open_trail(sqlite_engine, policy=policy))
    partners.ahead_s = {"police": 3600}
    cosigners = asking(sqlite_engine, policy, clock)
    cosigners.round()
    assert not cosigners.quorum().clock_differs, "one witness alone may be the one that is wrong"
    partners.ahead_s = dict.fromkeys(partners.running, 3600)
    clock.pass_s(200)
    cosigners.round()
    assert cosigners.quorum().clock_differs


def test_several_workers_do_not_ask_twice(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("2")
    write(open_trail(sqlite_engine, policy=policy))
    workers = [asking(sqlite_engine, policy, clock) for _ in range(3)]
    for worker in workers:
        worker.round()
    with sqlite_engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit_cosignature")) == 3


def test_an_altered_cosignature_counts_for_nothing_and_spoils_no_other(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("2")
    trail = open_trail(sqlite_engine, policy=policy)
    receipt = write(trail)
    asking(sqlite_engine, policy, clock).round()
    with sqlite_engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_cosignature_no_update"))
        changed = text(
            "UPDATE audit_cosignature SET line = replace(line, 'police', 'p0lice') WHERE line LIKE '%police%'"
        )
        assert connection.execute(changed).rowcount == 1
    assert len(read_cosignatures(trail.receipt(receipt.eid).checkpoint, policy.vkeys())) == 2


# An older copy of the database


def set_back(path: Path, engine: Engine, trail: audit.Trail) -> Engine:
    """The trail as it was before the newest entries, on a machine that remembers nothing of them."""
    trail.close()
    engine.dispose()
    for left in path.parent.glob("trail.sqlite*"):
        left.unlink()
    shutil.copyfile(path.with_name("older.sqlite"), path)
    return create_engine(f"sqlite:///{path}")


@pytest.fixture
def older(
    tmp_path: Path, sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> Iterator[Engine]:
    """The witnesses cosigned five entries; the database that is put back holds two."""
    policy = partners.policy("2")
    trail = open_trail(sqlite_engine, policy=policy)
    write(trail, 2)
    with sqlite_engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{tmp_path / 'older.sqlite'}'"))
    write(trail, 3)
    asking(sqlite_engine, policy, clock).round()
    engine = set_back(tmp_path / "trail.sqlite", sqlite_engine, trail)
    yield engine
    engine.dispose()


def start(engine: Engine, open_trail: TrailMaker, policy: WitnessPolicy, clock: Clock) -> audit.Trail:
    trail = open_trail(engine, policy=policy, start=False)
    trail.start(before_signing=asking(engine, policy, clock).require_not_behind)
    return trail


def test_an_older_copy_is_refused_where_nothing_but_the_witnesses_remembers(
    older: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    with pytest.raises(audit.TrailCorrupt, match="longer trail"):
        start(older, open_trail, partners.policy("2"), clock)


def test_one_witness_with_proof_is_enough(
    older: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("2")
    for name in ("health", "housing"):
        partners.stop(name)
    with pytest.raises(audit.TrailCorrupt, match="longer trail"):
        start(older, open_trail, policy, clock)


def test_one_witness_without_proof_is_not(
    older: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    """Otherwise one partner could keep everybody's hub from starting."""
    policy = partners.policy("2")
    for name in ("health", "housing"):
        partners.stop(name)
    partners.misbehave("police", "409 Conflict", b"1000000\n")
    write(start(older, open_trail, policy, clock))


def test_a_trail_starts_while_every_witness_is_away(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("all")
    for name in list(partners.running):
        partners.stop(name)
    write(start(sqlite_engine, open_trail, policy, clock))


def test_whoever_starts_from_nothing_under_a_known_name_is_refused(
    sqlite_engine: Engine, tmp_path: Path, empty_sqlite: Path, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    policy = partners.policy("2")
    trail = open_trail(sqlite_engine, policy=policy)
    write(trail, 2)
    asking(sqlite_engine, policy, clock).round()
    shutil.copyfile(empty_sqlite, tmp_path / "new.sqlite")
    fresh = create_engine(f"sqlite:///{tmp_path / 'new.sqlite'}")
    with pytest.raises(audit.TrailCorrupt, match="longer trail"):
        start(fresh, open_trail, policy, clock)
    fresh.dispose()


def test_the_thread_asks_by_itself_and_tells(
    sqlite_engine: Engine, open_trail: TrailMaker, partners: Partners, clock: Clock
) -> None:
    told: list[audit.Quorum] = []
    heard = threading.Event()

    def tell(stands: audit.Quorum) -> None:
        told.append(stands)
        if stands.size:
            heard.set()

    policy = partners.policy("2")
    write(open_trail(sqlite_engine, policy=policy))
    cosigners = asking(sqlite_engine, policy, clock, every_s=0.05, tell=tell)
    cosigners.start()
    assert heard.wait(30)
    cosigners.close()
    assert base64.b64encode(policy.vkeys()[0].public)
    assert told[-1].size == 2
