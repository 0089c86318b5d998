"""Two hubs over loopback HTTP: who may ask, what is refused, and that each answers by its own decision and trail."""

import hashlib
import json
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import delete, insert
from werkzeug.serving import make_server

from audit import TrailUnavailable
from connectors import Gatherer, PartialDate, Partner, build_connector, load_partner
from hub import disclosure, enquiries
from hub import node as node_of_hub
from hub.acting import named
from hub.app import create_app
from hub.assembly import Hub, open_hub
from hub.demo.setting_up import persona_context, set_up
from hub.demo.stories import STORIES
from hub.node_query import read_query
from hub.people import candidates, parse_box
from hub.settings import read_settings
from hub.tables import user_acts
from policies.vocabulary import AnswerState, PartyRole, PartyStatus, Role
from tests.hub.conftest import newest
from tests.hub.test_stories import REASON

OPERATION = "/fhir/Patient/$person-info-query"
#: The showcase child.
MAISIE = {"value": "9997000048", "born": "2019-09-04"}


@dataclass
class Node:
    """One hub that serves and asks."""

    hub: Hub
    url: str
    key: ECKey
    clients: Path

    def suspend(self) -> None:
        self.clients.write_text(self.clients.read_text().replace("active = true", "active = false"))

    def resume(self) -> None:
        self.clients.write_text(self.clients.read_text().replace("active = false", "active = true"))


def neighbour(folder: Path, port: int, key_file: Path) -> Partner:
    """The other hub, as a partner file says it."""
    text = (Path(__file__).parents[2] / "connectors" / "templates" / "mais.toml").read_text()
    for old, new in (
        ("PARTNER-CODE", "neighbour"),
        ("https://hub.neighbour.example/fhir", f"http://127.0.0.1:{port}/fhir"),
        ('network = "public"', 'network = "loopback"'),
        ("/etc/kith/neighbour.pem", str(key_file)),
        ("deadline_s = 1.5", "deadline_s = 3.0"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "neighbour.toml"
    path.write_text(text)
    return load_partner(path)


def with_neighbour(hub: Hub) -> tuple[Any, ...]:
    """The agreements of this hub, with the neighbour as a party to the one on safeguarding."""
    found = []
    for one in hub.agreements:
        if one.reference == "THORN-MASH":
            party = replace(one.parties[0], agency="neighbour", role=PartyRole.BOTH, status=PartyStatus.SIGNED)
            bases = tuple(
                replace(b, agencies=b.agencies | {"neighbour"}) if "csc" in b.agencies else b for b in one.bases
            )
            one = replace(one, head=replace(one.head, parties=(*one.head.parties, party)), bases=bases)
        found.append(one)
    return tuple(found)


@pytest.fixture(scope="module")
def nodes(new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    """Two hubs with databases, trails and keys of their own; each knows the other."""
    keys = [ECKey.generate_key("P-256") for _ in range(2)]
    servers = [make_server("127.0.0.1", 0, lambda _e, _s: [], threaded=True) for _ in range(2)]
    found: list[Node] = []
    with ExitStack() as closing:
        for server in servers:
            closing.callback(server.server_close)
        for mine in (0, 1):
            theirs, folder = 1 - mine, tmp_path_factory.mktemp("node")
            url = f"http://127.0.0.1:{servers[mine].port}"
            demonstration = set_up(
                folder / "demo", now=datetime.now(UTC), base_url=url, database_url=new_database("sqlite")
            )
            closing.callback(demonstration.stop)
            hub = open_hub(read_settings(demonstration.environment))
            closing.callback(hub.close)
            (folder / "key.pem").write_bytes(keys[mine].as_pem(private=True))
            (folder / "theirs.json").write_text(json.dumps({"keys": [keys[theirs].as_dict(private=False)]}))
            clients = folder / "clients.toml"
            clients.write_text(
                '[[client]]\nid = "our-hub"\nagency = "neighbour"\nroles = ["MASH_SOCIAL_WORKER"]\n'
                'jwks_file = "theirs.json"\nactive = true\n'
            )
            partner = neighbour(folder, servers[theirs].port, folder / "key.pem")
            connectors = {
                **hub.connectors,
                "neighbour": build_connector(partner, open_session=hub.db.session, keys=hub.keys),
            }
            hub = replace(
                hub,
                settings=replace(hub.settings, clients_file=clients),
                partners={**hub.partners, "neighbour": partner},
                connectors=connectors,
                gatherer=Gatherer(connectors, total_s=9.0, each_s=8.0),
                agreements=with_neighbour(hub),
            )
            hub.keys.make_sure_of(["neighbour"])
            servers[mine].app = create_app(hub)
            found.append(Node(hub, url, keys[theirs], clients))
        for server in servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            closing.callback(server.shutdown)
        yield found[0], found[1]


def picture_at(node: Node, **form: Any) -> tuple[Any, Any]:
    """What a social worker of this hub sees of the showcase family."""
    ctx = persona_context("mash_social_worker", now=node.hub.clock(), request_id=secrets.token_hex(16))
    typed = {"purpose": "S47_ENQUIRY", "reference": "REF/9", "rationale": REASON, "threshold": "S47_DECISION", **form}
    allowed = enquiries.purposes_for(node.hub.agreements, "csc", Role.MASH_SOCIAL_WORKER, ctx.now.date())
    enquiry = enquiries.open_enquiry(node.hub, ctx, enquiries.parse_form(typed, allowed, Role.MASH_SOCIAL_WORKER))
    with node.hub.db.session() as session:
        (found,) = candidates(session, node.hub.keys, parse_box(MAISIE["value"]), now=ctx.now).candidates
    enquiries.confirm_subject(node.hub, ctx, enquiry, found.person)
    enquiry = enquiries.enquiry_of(node.hub, ctx, enquiry.id)
    shown, _ = disclosure.known_to(node.hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    return enquiry, next(c for c in shown.cells if c.agency == "neighbour" and c.person == enquiry.subject)


def body(born: str | None = None, **changes: Any) -> bytes:
    """A well-formed request about the showcase child."""
    claims = {
        "Role": "MASH_SOCIAL_WORKER",
        "Episode": "EN-1",
        "OpenedAt": "2026-11-01T09:00:00+00:00",
        "Threshold": "S47_DECISION",
        "ThresholdByRole": "MASH_SOCIAL_WORKER",
        "ThresholdAt": "2026-11-01T09:05:00+00:00",
    }
    claims |= changes.pop("claims", {})
    request = {
        "Identifier": {"value": "RQ-1", "System": "https://a.example"},
        "DateStamp": "2026-11-01T09:06:00",
        "RequesterIdentifier": {"value": "our-hub", "system": "https://a.example"},
        "RequestedData": {"Query": {"reference": "resource"}},
        "AssertedPurpose": "S47_ENQUIRY",
        "SharingPolicy": [{"Identifier": {"value": "THORN-MASH/2", "System": "https://a.example"}}],
        "KithClaims": {name: value for name, value in claims.items() if value},
        **changes,
    }
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": MAISIE["value"]}],
        "name": [{"family": "Tarrant", "given": ["Maisie"]}],
        "birthDate": born or MAISIE["born"],
    }
    parameters = [{"name": "resource", "resource": patient}, {"name": "request", "valueString": json.dumps(request)}]
    return json.dumps({"resourceType": "Parameters", "parameter": parameters}).encode()


def signed(node: Node, sent: bytes, *, key: Any = None, alg: str = "ES256", **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "our-hub",
        "sub": "our-hub",
        "aud": node.url + OPERATION,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(24),
        "sha256": hashlib.sha256(sent).hexdigest(),
    } | changes
    return "Bearer " + jwt.encode({"alg": alg}, claims, key or node.key, algorithms=[alg])


def post(node: Node, sent: bytes, authorization: str | None = None) -> Any:
    client = create_app(node.hub).test_client()
    headers = {"Authorization": signed(node, sent) if authorization is None else authorization}
    return client.post(OPERATION, data=sent, content_type="application/fhir+json", headers=headers)


def said(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = {}
    for one in answer.json["parameter"]:
        value = next(v for name, v in one.items() if name != "name")
        found.setdefault(one["name"], []).append(value)
    return found


def test_whoever_is_not_a_known_client_learns_nothing(nodes: tuple[Node, Node]) -> None:
    node, sent = nodes[1], body()
    now = int(time.time())
    before = node.hub.trail.head().size
    for authorization in (
        "",
        "Bearer x",
        "Basic b3VyLWh1Yjp4",
        signed(node, sent, key=ECKey.generate_key("P-256")),
        signed(node, sent, key=OctKey.import_key("a" * 40), alg="HS256"),
        signed(node, sent, iss="another", sub="another"),
        signed(node, sent, sub="another"),
        signed(node, sent, aud="https://elsewhere.example" + OPERATION),
        signed(node, sent, iat=now - 300, exp=now - 240),
        signed(node, sent, iat=now, exp=now + 3600),
        signed(node, sent, iat=now + 600, exp=now + 660),
        signed(node, sent, jti="short"),
        signed(node, b"other bytes"),
    ):
        answer = post(node, sent, authorization)
        assert answer.status_code == 401, authorization[:40]
        assert answer.json["resourceType"] == "OperationOutcome"
    assert node.hub.trail.head().size == before


def test_an_assertion_is_good_once_and_a_suspended_client_is_out_at_once(nodes: tuple[Node, Node]) -> None:
    node, sent = nodes[1], body()
    authorization = signed(node, sent)
    assert post(node, sent, authorization).status_code == 200
    assert post(node, sent, authorization).status_code == 401
    assert newest(node.hub, "alarm").fields["reason"] == "ASSERTION-REPLAYED"
    node.suspend()
    try:
        assert post(node, sent).status_code == 401
    finally:
        node.resume()
    assert post(node, sent).status_code == 200


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({"SharingPolicy": [{"Identifier": {"value": "THORN-MASH/1", "System": "x"}}]}, "DENY"),
        ({"SharingPolicy": [{"Identifier": {"value": "THORN-EARLY-HELP/1", "System": "x"}}]}, "DENY"),
        ({"AssertedPurpose": "EARLY_HELP"}, "DENY"),
        ({"claims": {"Role": "POLICE_OFFICER"}}, "DENY"),
        ({"claims": {"Threshold": ""}}, "REVIEW"),  # Nobody decided about consent: a person must (P11).
        ({}, "PERMIT"),
    ],
)
def test_permit_deny_or_review(nodes: tuple[Node, Node], changes: dict[str, Any], decision: str) -> None:
    found = said(post(nodes[1], body(**changes)))
    assert found["decision"] == [decision]
    assert ("match" in found or "outcome" in found) == (decision == "PERMIT")
    assert ("contact" in found) == (decision == "PERMIT")


def about(number: str, born: str, name: str = "Quillfeather") -> bytes:
    sent = body(born=born).replace(MAISIE["value"].encode(), number.encode())
    return sent.replace(b"Tarrant", name.encode()).replace(b"Maisie", b"Ottoline")


@pytest.mark.parametrize("born", ["1971-02-03", "2013-02-03"])
@pytest.mark.parametrize("known", [MAISIE["value"], STORIES["shielded"].nhs_number])
def test_a_number_tried_out_with_another_birth_date_tells_no_more_than_a_number_nobody_has(
    nodes: tuple[Node, Node], known: str, born: str
) -> None:
    answers = []
    for number in (known, "9990000018"):
        found = said(post(nodes[1], about(number, born)))
        made = newest(nodes[1].hub, "disclosure:made")
        found.pop("receipt")
        decided = {name: value for name, value in made.fields["decision"].items() if name != "record"}
        answers.append((found, made.fields["data"], decided))
    assert answers[0] == answers[1]


def test_a_birth_date_in_doubt_is_reviewed_and_another_one_is_nobody() -> None:
    asked = date(2019, 9, 4)
    for recorded, may_be in (
        (PartialDate(date(2019, 9, 4)), True),
        (PartialDate(date(2019, 9, 1), "UAA"), True),
        (PartialDate(date(2019, 1, 1), "UUA"), True),
        (PartialDate(date(2018, 1, 1), "EEE"), True),
        (PartialDate(date(2019, 8, 1), "UAA"), False),
        (PartialDate(date(2018, 1, 1), "UUA"), False),
        (PartialDate(date(2019, 9, 5)), False),
    ):
        assert node_of_hub._may_be(recorded, asked) is may_be, recorded


def test_a_flood_of_questions_is_held_back_and_told_once(nodes: tuple[Node, Node]) -> None:
    node = nodes[1]
    alarms = len([e for e in node.hub.trail.events(0) if e.fields.get("reason") == "QUESTIONS-TOO-FAST"])
    with node.hub.db.writing() as session:
        many = [{"user": "our-hub", "kind": "node-query", "at": node.hub.clock()}] * node_of_hub.QUESTIONS_PER_MINUTE
        session.execute(insert(user_acts), many)
    try:
        for _ in range(3):
            answer = post(node, body())
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
            assert answer.json["issue"][0]["code"] == "throttled"
    finally:
        with node.hub.db.writing() as session:
            session.execute(delete(user_acts).where(user_acts.c.user == "our-hub"))
    told = [e for e in node.hub.trail.events(0) if e.fields.get("reason") == "QUESTIONS-TOO-FAST"]
    assert len(told) - alarms == 1
    assert told[-1].fields["client"] == {"id": "our-hub"}
    assert post(node, body()).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": 10**400, "exp": 10**400},
        {"iat": -1, "exp": 2**40},
        {"sha256": "é"},
        {"jti": "é" * 20},
    ],
)
def test_a_signed_claim_that_makes_no_sense_is_not_believed(nodes: tuple[Node, Node], changes: dict[str, Any]) -> None:
    sent = body()
    answer = post(nodes[1], sent, signed(nodes[1], sent, **changes))
    assert (answer.status_code, answer.json["resourceType"]) == (401, "OperationOutcome")


def test_the_ids_that_a_hub_draws_are_always_taken_for_an_episode() -> None:
    now = datetime.now(UTC)
    for drawn in ("EN-0123456789abcdef", "0123456789abcdefabcdefabcdefabcd", str(uuid.UUID(int=2**80)), "REF/9"):
        sent = json.loads(body(claims={"Episode": drawn}, Identifier={"value": drawn}))
        assert read_query(sent, now=now).episode == drawn


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [(ZeroDivisionError(), 500, "exception"), (TrailUnavailable("The disk is full."), 503, "transient")],
)
def test_a_fault_of_our_own_is_an_outcome_and_not_a_page(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int, code: str
) -> None:
    def fails(*_args: Any, **_more: Any) -> None:
        raise fault

    monkeypatch.setattr(node_of_hub, "answer", fails)
    answer = post(nodes[1], body())
    assert (answer.status_code, answer.content_type) == (status, "application/fhir+json")
    assert answer.json["issue"][0]["code"] == code
    assert ("Retry-After" in answer.headers) is (status == 503)


def test_a_stranger_is_no_match_only_when_everybody_has_answered(nodes: tuple[Node, Node]) -> None:
    namesake = body().replace(MAISIE["value"].encode(), b"9990000018")
    found = said(post(nodes[1], namesake))
    assert found["decision"] == ["REVIEW"], "somebody of that name and birth date is known without a number"
    assert "match" not in found
    sent = body(born="1971-02-03").replace(MAISIE["value"].encode(), b"9990000018").replace(b"Tarrant", b"Quillfeather")
    found = said(post(nodes[1], sent))
    assert found["decision"] == ["PERMIT"]
    assert "contact" not in found
    assert found.get("match", [False]) == [False]


@pytest.mark.parametrize(
    "sent",
    [b"", b"{", b"[]", b"null", b'{"resourceType":"Parameters"}', b'{"resourceType":"Parameters","parameter":[1]}',
     b"[" * 50_000, body(AssertedPurpose="NO-SUCH"), body(SharingPolicy=[]), body(SharingPolicy="x"),
     body(claims={"OpenedAt": "0001-01-01T00:00:00+00:00"}), body(claims={"OpenedAt": "2006-01-01T00:00:00+00:00"}),
     body(claims={"ThresholdAt": "9999-12-31T23:59:59-14:00"}), body(claims={"Episode": "\ud800"}),
     body(claims={"Episode": "John Smith\n of 3 High St"}), body(claims={"Episode": "9997000048"}),
     body(claims={"Episode": "A-04/09/2019"}), body(Identifier={"value": "John Smith"}), body(Extra="\ud800"),
     body().replace(b"Maisie", b"\\ud800"), body(born="0001-01-01"), body(born="9999-12-31"),
     body(claims={"OpenedAt": "2026-11-01"}), body(claims={"OpenedAt": "2999-01-01T00:00:00+00:00"})],
)  # fmt: skip
def test_what_is_not_understood_is_refused_without_a_word_of_it(nodes: tuple[Node, Node], sent: bytes) -> None:
    answer = post(nodes[1], sent)
    assert answer.status_code in (400, 422)
    assert answer.json["resourceType"] == "OperationOutcome"


def test_each_hub_asks_the_other_and_both_trails_say_so(nodes: tuple[Node, Node]) -> None:
    for asking, asked in (nodes, nodes[::-1]):
        enquiry, cell = picture_at(asking)
        assert cell.state == AnswerState.FOUND, cell.sentence
        assert cell.team_contact
        made = [e for e in asked.hub.trail.events(0) if e.kind == "disclosure:made"][-1]
        assert made.fields["recipient"] == "neighbour"
        assert named(asked.hub, made).fields["user"]["subject"] == "our-hub"
        assert "neighbour" not in {row["agency"] for row in made.fields["data"]}, "no question goes on to a third"
        own = newest(asking.hub, "disclosure:made")
        assert "neighbour" in {row["agency"] for row in own.fields["data"]}
        assert own.fields["enquiry"] == enquiry.id
    nodes[1].suspend()
    try:
        assert picture_at(nodes[0])[1].state == AnswerState.NO_ANSWER
    finally:
        nodes[1].resume()
