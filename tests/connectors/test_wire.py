"""Where a partner may live, who it must prove to be, and that nothing it sends can break the reading."""

import ipaddress
import random
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors import ConnectorError, build_connector, moved
from connectors.simulator import SimulatedPartner
from connectors.wire import Wire, lives_in
from policies.vocabulary import AnswerState

from .conftest import promise_to
from .test_faults import FHIR_PEOPLE, FHIR_ROWS, REST_PEOPLE, REST_ROWS

ADDRESSES = [
    ("127.0.0.1", "loopback"),
    ("::1", "loopback"),
    ("::ffff:127.0.0.1", "loopback"),
    ("10.1.2.3", "private"),
    ("192.168.1.1", "private"),
    ("172.16.0.9", "private"),
    ("fd00::1", "private"),
    ("::ffff:10.0.0.1", "private"),
    ("8.8.8.8", "public"),
    ("2606:4700::1", "public"),
    ("169.254.169.254", None),
    ("::ffff:169.254.169.254", None),
    ("fe80::1%eth0", None),
    ("0.0.0.0", None),
    ("::", None),
    ("224.0.0.1", None),
    ("255.255.255.255", None),
    ("2002:7f00:1::", None),
    ("64:ff9b::7f00:1", None),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", None),
]


@pytest.mark.parametrize(("address", "home"), ADDRESSES)
def test_an_address_belongs_to_one_network_or_to_none(address, home):
    for network in ("public", "private", "loopback"):
        assert lives_in(address, network) is (network == home)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/fhir/Patient",
        "http://elsewhere.example/fhir?page=2",
        "//elsewhere.example/fhir?page=2",
        "{base}.elsewhere.example/?page=2",
        "{base}@elsewhere.example/?page=2",
        "{base}/../admin",
        "{base}/a b",
        "{base}",
        "",
    ],
)
def test_a_next_page_is_only_read_below_the_partners_own_address(example, url):
    partner = example("gp-millbrook")
    wire = Wire(partner, ("application/json",))
    with pytest.raises(ConnectorError) as refused:
        wire.get_next(url.format(base=wire.base_url), promise=promise_to(partner.code), give_up_at=time.monotonic() + 1)
    assert refused.value.code == "MALFORMED"


@pytest.mark.parametrize("way", ["sms", "gp-millbrook"])
def test_an_answer_with_any_bytes_changed_never_breaks_anything(example, ask_about, way):
    """A seeded walk over 1,500 spoilt answers per dialect: an answer in one of three states, about nobody else."""
    rng = random.Random(20261120)
    pieces = b'|{|}|[|]|"|,|:|null|0|-1e999|\\ud800|\xff|c2|\x00|Patient/c2'.split(b"|")

    def spoil(data):
        data = bytearray(data)
        for _ in range(rng.randint(0, 2)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 12)] = rng.choice(pieces)
        return bytes(data)

    rows, people = (REST_ROWS, REST_PEOPLE) if way == "sms" else (FHIR_ROWS, FHIR_PEOPLE)
    with SimulatedPartner(example(way), rows, people) as simulated:
        simulated.spoil = spoil
        connector = build_connector(simulated.partner, open_session=None, keys=None)
        states = set()
        for _ in range(1500):
            answer = connector.fetch(ask_about(simulated.partner, "c1"), deadline_s=5)
            states.add(answer.state)
            assert {item.record for item in answer.items} <= {"c1"}
            for item in answer.items:
                assert all(value.text.isprintable() for value in item.values.values())
        connector.close()
    assert states >= {AnswerState.FOUND, AnswerState.NO_ANSWER}
    assert states <= {AnswerState.FOUND, AnswerState.NO_ANSWER, AnswerState.NOTHING_HELD}


NOW = datetime.now(UTC)


def certificate(name, issuer=None, *, ca=False, since=NOW - timedelta(days=1), until=NOW + timedelta(days=1)):
    """A key and its certificate, signed by `issuer` or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signed_by = (issuer[0], issuer[1].subject) if issuer else (key, subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if ca:
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        )
        usage |= {"key_cert_sign": True, "crl_sign": True, "encipher_only": False, "decipher_only": False}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    else:
        address = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return key, builder.sign(signer, hashes.SHA256())


def written(path, pair):
    key, cert = pair
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.with_suffix(".key").write_bytes(pem)
    path.with_suffix(".crt").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return path


class Empty(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "33")
        self.end_headers()
        self.wfile.write(b'{"episodes": [], "treatments":[]}')

    def log_message(self, *_):
        pass


class Quiet(HTTPServer):
    def handle_error(self, *_):
        pass


@pytest.fixture(scope="module")
def authority():
    return certificate("Agency CA", ca=True)


@pytest.fixture
def tls_partner(tmp_path, example):
    """Starts a TLS partner with this certificate; optionally it wants ours, signed by its authority."""
    servers = []

    def serve(authority, pair, *, wants_ours=False):
        ca, own = written(tmp_path / "ca", authority), written(tmp_path / "own", pair)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.with_suffix(".crt"), own.with_suffix(".key"))
        if wants_ours:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(ca.with_suffix(".crt"))
        server = Quiet(("127.0.0.1", 0), Empty)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return moved(
            example("sms"),
            base_url=f"https://127.0.0.1:{server.server_address[1]}/api",
            ca_file=str(ca.with_suffix(".crt")),
        )

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def asked(partner, ask_about):
    connector = build_connector(partner, open_session=None, keys=None)
    answer = connector.fetch(ask_about(partner, "c1"), deadline_s=2)
    connector.close()
    return answer


FALSE_PARTNERS = {
    "expired": lambda ca: certificate("127.0.0.1", ca, until=NOW - timedelta(hours=1)),
    "not yet valid": lambda ca: certificate("127.0.0.1", ca, since=NOW + timedelta(hours=1)),
    "another agency's authority": lambda ca: certificate("127.0.0.1", certificate("Other CA", ca=True)),
    "self-signed": lambda ca: certificate("127.0.0.1"),
    "another agency's name": lambda ca: certificate("other.example", ca),
}


@pytest.mark.parametrize("make", FALSE_PARTNERS.values(), ids=FALSE_PARTNERS.keys())
def test_a_partner_that_cannot_prove_who_it_is_gets_no_question(authority, tls_partner, ask_about, make):
    answer = asked(tls_partner(authority, make(authority)), ask_about)
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "REFUSED")


def test_a_partner_that_proves_who_it_is_is_asked(authority, tls_partner, ask_about):
    answer = asked(tls_partner(authority, certificate("127.0.0.1", authority)), ask_about)
    assert answer.state is AnswerState.NOTHING_HELD


def test_a_partner_that_wants_our_certificate_is_shown_it(authority, tls_partner, ask_about, tmp_path):
    partner = tls_partner(authority, certificate("127.0.0.1", authority), wants_ours=True)
    assert asked(partner, ask_about).state is AnswerState.NO_ANSWER
    ours = written(tmp_path / "ours", certificate("kith.example", authority))
    files = {"certificate_file": str(ours.with_suffix(".crt")), "key_file": str(ours.with_suffix(".key"))}
    assert asked(moved(partner, **files), ask_about).state is AnswerState.NOTHING_HELD
