"""Another hub, as a partner: what is sent, each fault, and answers that are nearly right."""

import json
from contextlib import closing

import pytest
from joserfc.jwk import ECKey

from connectors import ConnectorError, Gatherer, PersonQuery, build_connector, load_partner, partner_template
from connectors.mais import OPERATION
from connectors.simulator import Fault, SimulatedPartner
from policies.vocabulary import AnswerState, DataCategory

FOUND, NOTHING, NONE = AnswerState.FOUND, AnswerState.NOTHING_HELD, AnswerState.NO_ANSWER
CONTACT = {
    "name": "contact",
    "resource": {
        "resourceType": "Organization",
        "name": "Southshire Council",
        "telecom": [{"system": "phone", "value": "01632 960111"}],
    },
}
PERMIT = {"name": "decision", "valueCode": "PERMIT"}
MATCH, NO_MATCH = {"name": "match", "valueBoolean": True}, {"name": "match", "valueBoolean": False}
#: What goes wrong on the way -> why there is no answer.
FAULTS = {
    Fault.SILENT: "TIMEOUT",
    Fault.DRIP_HEAD: "TIMEOUT",
    Fault.DRIP_BODY: "TIMEOUT",
    Fault.RESET: "ERROR",
    Fault.TRUNCATED: "ERROR",
    Fault.ERROR_500: "ERROR",
    Fault.NOT_FOUND_404: "ERROR",
    Fault.FORBIDDEN_403: "REFUSED",
    Fault.BUSY_429: "REFUSED",
    Fault.REDIRECT: "MALFORMED",
    Fault.HTML: "MALFORMED",
    Fault.GARBAGE: "MALFORMED",
    Fault.NOT_UTF8: "MALFORMED",
    Fault.KEY_TWICE: "MALFORMED",
    Fault.DEEP: "MALFORMED",
    Fault.HUGE: "MALFORMED",
    Fault.ANNOUNCED_HUGE: "MALFORMED",
    Fault.COMPRESSED: "MALFORMED",
}


@pytest.fixture
def hub_like(tmp_path):
    """Another hub that gives this answer, and our connector to it."""
    key = tmp_path / "key.pem"
    key.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    text = partner_template("mais", "neighbour").replace("/etc/kith/neighbour.pem", str(key))
    (tmp_path / "neighbour.toml").write_text(text, "utf-8")
    partner = load_partner(tmp_path / "neighbour.toml")

    def make(*parameters):
        return SimulatedPartner(partner, {OPERATION: [{"resourceType": "Parameters", "parameter": list(parameters)}]})

    return make


@pytest.fixture
def answer_of(ask_about):
    def ask(simulated, query=None, each_s=9.0):
        query = query or PersonQuery(("Maisie",), ("Tarrant",), None, None)
        connector = build_connector(simulated.partner, open_session=None, keys=None)
        wanted = {DataCategory.SERVICE_INVOLVEMENT: frozenset({"involved", "service", "contact"})}
        gatherer = Gatherer({"neighbour": connector}, each_s=each_s, total_s=each_s + 0.5)
        with closing(connector), closing(gatherer):
            (answer,) = gatherer.gather([ask_about(simulated.partner, wanted=wanted, query=query)]).values()
        return answer

    return ask


@pytest.fixture
def maisie():
    from datetime import date

    return PersonQuery(("Maisie",), ("Tarrant",), date(2019, 9, 4), "9997000048")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_the_answer_and_says_why(hub_like, answer_of, maisie, fault):
    slow = FAULTS[fault] == "TIMEOUT"
    with hub_like(PERMIT, MATCH, CONTACT) as simulated:
        simulated.fault = fault
        answer = answer_of(simulated, maisie, each_s=0.4 if slow else 9.0)
    assert (answer.state, answer.reason) == (NONE, FAULTS[fault])
    assert answer.items == ()


@pytest.mark.parametrize(
    ("parameters", "state", "reason"),
    [
        ((PERMIT, MATCH, CONTACT), FOUND, None),
        ((PERMIT, NO_MATCH), NOTHING, None),
        ((PERMIT, {"name": "outcome", "resource": {"resourceType": "OperationOutcome"}}), NONE, "ERROR"),
        (({"name": "decision", "valueCode": "DENY"},), NONE, "REFUSED"),
        (({"name": "decision", "valueCode": "REVIEW"},), NONE, "REFUSED"),
        (({"name": "decision", "valueCode": "DENY"}, MATCH, CONTACT), NONE, "REFUSED"),
        ((), NONE, "MALFORMED"),
        ((NO_MATCH,), NONE, "MALFORMED"),
        ((PERMIT,), NONE, "MALFORMED"),
        ((PERMIT, PERMIT, NO_MATCH), NONE, "MALFORMED"),
        ((PERMIT, NO_MATCH, MATCH), NONE, "MALFORMED"),
        ((PERMIT, NO_MATCH, CONTACT), NONE, "MALFORMED"),
        ((PERMIT, MATCH), NONE, "MALFORMED"),
        ((PERMIT, {"name": "match", "valueBoolean": "false"}), NONE, "MALFORMED"),
        ((PERMIT, MATCH, {"name": "contact", "resource": {"resourceType": "Patient", "name": "x"}}), NONE, "MALFORMED"),
        ((PERMIT, MATCH, *([CONTACT] * 41)), NONE, "MALFORMED"),
        (("a text", 7, None), NONE, "MALFORMED"),
    ],
)
def test_only_a_whole_answer_counts_and_review_is_never_no(hub_like, answer_of, maisie, parameters, state, reason):
    with hub_like(*parameters) as simulated:
        answer = answer_of(simulated, maisie)
    assert (answer.state, answer.reason) == (state, reason)


def test_the_other_hub_is_told_who_is_meant_and_nothing_more(hub_like, answer_of, maisie):
    with hub_like(PERMIT, MATCH, CONTACT) as simulated:
        answer = answer_of(simulated, maisie)
        ((method, target, sent),) = simulated.asked
    assert (method, target) == ("POST", "/fhir" + OPERATION)
    resource, request = (p for p in json.loads(sent)["parameter"])
    assert set(resource["resource"]) == {"resourceType", "identifier", "name", "birthDate"}
    assert json.loads(request["valueString"])["AssertedPurpose"] == "S47_ENQUIRY"
    (item,) = answer.items
    assert {name: value.text for name, value in item.values.items()} == {
        "involved": "Yes", "service": "Southshire Council", "contact": "01632 960111",
    }  # fmt: skip


def test_somebody_of_whom_too_little_is_known_is_not_asked_about(hub_like, answer_of):
    with hub_like(PERMIT, NO_MATCH) as simulated:
        answer = answer_of(simulated)
        assert simulated.asked == []
    assert (answer.state, answer.reason) == (NONE, "TOO_THIN")


def test_a_search_and_a_key_that_is_gone_are_refused_before_anybody_is_asked(hub_like, answer_of, maisie, tmp_path):
    with hub_like(PERMIT, NO_MATCH) as simulated:
        connector = build_connector(simulated.partner, open_session=None, keys=None)
        with closing(connector), pytest.raises(ConnectorError) as refused:
            connector.find(maisie, promise=None, deadline_s=1)
        assert refused.value.code == "NOT_CONFIGURED"
        (tmp_path / "key.pem").unlink()
        assert answer_of(simulated, maisie).reason == "NOT_CONFIGURED"
        assert simulated.asked == []
