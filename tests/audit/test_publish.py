"""The day's checkpoint outside the hub: it only continues what was published, and an authority says when."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, create_engine, text

import audit
from audit.__main__ import main
from audit.checkpoint import COSIGNATURE, VerifierKey, parse
from audit.cosignature import cosign
from audit.cosigned import keep
from audit.errors import StampRefused, TrailCorrupt, TrailUnavailable
from audit.publish import publish, time_stamp
from audit.store import Store
from tests.audit.conftest import LOG_KEY, NOW, ORIGIN, TrailMaker, disclosure

VKEY = str(VerifierKey.of(ORIGIN, LOG_KEY.public_key()))


def write(trail: audit.Trail, count: int) -> None:
    for _ in range(count):
        trail.append("disclosure:made", now=NOW, subjects=["P-1"], **disclosure())
    trail.head()  # Waits until they have their places.


def test_each_day_continues_the_days_before(trail: audit.Trail, engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(trail, 2)
    first = publish(engine, out, now=NOW)
    assert first == publish(engine, out, now=NOW)
    write(trail, 2)
    second = publish(engine, out, now=NOW + timedelta(days=1))
    assert [p.name for p in sorted(out.iterdir())] == [
        f"2026-11-23-{first.size:010d}.checkpoint",
        f"2026-11-24-{second.size:010d}.checkpoint",
    ]
    assert (first.cosigned, second.size) == (False, first.size + 2)
    # Whoever kept yesterday's holds an export against it.
    assert (
        main(["export", str(tmp_path / "export"), "--database", engine.url.render_as_string(hide_password=False)]) == 0
    )
    assert main(["verify", str(tmp_path / "export"), "--key", VKEY, "--known", str(first.file)]) == 0


def test_an_empty_trail_is_not_published(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(TrailUnavailable):
        publish(engine, tmp_path, now=NOW)


def test_what_witnesses_cosigned_is_published_with_their_word(
    trail: audit.Trail, engine: Engine, tmp_path: Path
) -> None:
    write(trail, 3)
    size = trail.head().size
    key = Ed25519PrivateKey.generate()
    witness = VerifierKey.of("police.example/w", key.public_key(), COSIGNATURE)
    keep(Store(engine, wait_s=2.0), size, witness, cosign(trail.head().note, key, witness, t_s=1), 1)
    write(trail, 2)
    published = publish(engine, tmp_path, now=NOW)
    assert (published.size, published.cosigned) == (size, True)
    assert "police.example/w" in published.file.read_text()


def test_a_rewritten_trail_is_not_published_over_what_was(
    sqlite_engine: Engine, empty_sqlite: Path, open_trail: TrailMaker, tmp_path: Path
) -> None:
    """The hub's operator with every key and every witness: yesterday's checkpoint is what is left."""
    write(open_trail(sqlite_engine), 4)
    published = publish(sqlite_engine, tmp_path / "out", now=NOW)
    shutil.copyfile(empty_sqlite, tmp_path / "fork.sqlite")
    fork = create_engine(f"sqlite:///{tmp_path / 'fork.sqlite'}")
    write(open_trail(fork), 6)
    with pytest.raises(TrailCorrupt, match="was published"):
        publish(fork, tmp_path / "out", now=NOW + timedelta(days=1))
    assert main(["export", str(tmp_path / "fork"), "--database", str(fork.url)]) == 0
    assert main(["verify", str(tmp_path / "fork"), "--key", VKEY]) == 0
    assert main(["verify", str(tmp_path / "fork"), "--key", VKEY, "--known", str(published.file)]) == 1
    fork.dispose()


def test_a_checkpoint_that_was_damaged_in_the_directory_stops_publication(
    trail: audit.Trail, engine: Engine, tmp_path: Path
) -> None:
    write(trail, 1)
    publish(engine, tmp_path, now=NOW).file.write_text("nonsense\n")
    with pytest.raises(TrailCorrupt, match="cannot be read"):
        publish(engine, tmp_path, now=NOW)


# The time-stamp, from an authority that is OpenSSL's own


@dataclass
class Authority:
    """A time-stamping authority on loopback; `answer` replaces what OpenSSL would say."""

    url: str
    root: Path
    answer: bytes | None = None


SECTION = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    folder = tmp_path_factory.mktemp("tsa")
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(SECTION.format(folder=folder))
    (folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n")

    def openssl(*words: object) -> None:
        subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new_key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root", "-days", 30)
    openssl("req", *new_key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=TSA")
    openssl(
        "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
        "-out", "tsa.pem", "-days", 30, "-extfile", "ext",
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl("ts", "-reply", "-queryfile", "query", "-out", "reply", "-config", "tsa.cnf")
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(made.answer if made.answer is not None else (folder / "reply").read_bytes())

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = Authority(f"http://127.0.0.1:{server.server_port}/", folder / "root.pem")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def roots(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "2026-11-23-0000000003.checkpoint"
    path.write_text("kith.example/county\n3\n")
    return path


def test_a_time_stamp_is_verified_and_openssl_agrees(authority: Authority, checkpoint: Path) -> None:
    authority.answer = None
    stamp = time_stamp(checkpoint, authority.url, roots=roots(authority.root))
    command = ["openssl", "ts", "-verify", "-data", checkpoint, "-in", stamp, "-CAfile", authority.root]
    assert b"Verification: OK" in subprocess.run(command, check=True, capture_output=True).stdout
    checkpoint.write_text("something else\n")
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0


def test_a_stamp_for_something_else_by_a_stranger_or_not_at_all_is_refused(
    authority: Authority, checkpoint: Path, tmp_path: Path
) -> None:
    authority.answer = None
    earlier = time_stamp(checkpoint, authority.url).read_bytes()
    stamp = checkpoint.with_suffix(".tsr")
    stamp.unlink()
    for answer, words in ((earlier, "something else"), (b"", "can be read"), (b"\x30\x03\x02\x01\x00", "can be read")):
        authority.answer = answer
        with pytest.raises(StampRefused, match=words):
            time_stamp(checkpoint, authority.url)
    authority.answer = None
    stranger = tmp_path / "stranger.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=X"]
    subprocess.run([*command, "-out", stranger], check=True, capture_output=True)
    with pytest.raises(StampRefused, match="does not verify"):
        time_stamp(checkpoint, authority.url, roots=roots(stranger))
    with pytest.raises(StampRefused):
        time_stamp(checkpoint, "http://127.0.0.1:1/")
    assert not stamp.exists()


def test_the_command_publishes_stamps_and_says_what_is_missing(
    authority: Authority,
    sqlite_engine: Engine,
    open_trail: TrailMaker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    authority.answer = None
    write(open_trail(sqlite_engine), 2)
    out = tmp_path / "out"
    given = ["publish", str(out), "--database", str(sqlite_engine.url)]
    assert main([*given, "--tsa", authority.url, "--tsa-root", str(authority.root)]) == 0
    said = capsys.readouterr().out
    assert "3 entries, NOT COSIGNED by any witness" in said
    assert "time-stamped" in said
    [published] = out.glob("*.checkpoint")
    assert parse(published.read_text()).size == 3
    authority.answer = b"no"
    assert main([*given, "--tsa", authority.url]) == 1
    assert "PUBLISHED, BUT NOT TIME-STAMPED: The time-stamping authority" in capsys.readouterr().err
    with sqlite_engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit_checkpoint"))
