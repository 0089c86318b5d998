"""A real HTTP partner that is slow, down, wrong or hostile: what the page is told, and that it is told in time."""

import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import date

import pytest

from connectors import ConnectorError, Gatherer, PersonQuery, build_connector, moved
from connectors.simulator import STRANGER, Fault, SimulatedPartner
from policies.vocabulary import AnswerState, DataCategory

from .conftest import promise_to

#: Seconds within which a page must be back whatever a partner does (view <= 3.2 s).
BOUND_S = 3.2

REST_ROWS = {
    "/episodes/search": [
        {
            "ref": "e1",
            "client_ref": "c1",
            "service": {"name": "Young adults"},
            "started": "2024-05-06T09:00:00+01:00",
            "team": {"phone": "01632 960310"},
            "keyworker": {"name": "Kim Lowe"},
            "secret": "not mapped",
        }
    ],
    "/treatment/search": [
        {"ref": "t1", "client_ref": "c1", "programme": "Alcohol", "state": "open", "started": "2024-05-07"}
    ],
}
FHIR_ROWS = {
    "EpisodeOfCare": [
        {
            "resourceType": "EpisodeOfCare",
            "id": "e1",
            "status": "active",
            "patient": {"reference": "Patient/c1"},
            "type": [{"text": "Registered patient"}],
            "period": {"start": "2019-02"},
            "managingOrganization": {"display": "01632 960210"},
        }
    ],
    "Encounter": [
        {
            "resourceType": "Encounter",
            "id": "n1",
            "status": "finished",
            "subject": {"reference": "Patient/c1"},
            "type": [{"text": "Consultation"}],
            "period": {"start": "2025-03-04T10:00:00Z"},
            "reasonCode": [{"text": "Cough"}, {"text": "Rash"}],
        }
    ],
}
FHIR_PEOPLE = [
    {
        "resourceType": "Patient",
        "id": "c1",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}],
        "name": [{"family": "Quill", "given": ["Ada", "Mary"], "use": "official"}],
        "gender": "female",
        "birthDate": "1990-02-01",
        "address": [{"line": ["1 Sea Road", "Flat 2"], "city": "Millbrook", "postalCode": "TH1 1AA"}],
        "telecom": [{"system": "phone", "value": "07700 900123"}],
    }
]
REST_PEOPLE = [
    {
        "client_ref": "c1",
        "name": {"given": "Ada", "family": "Quill"},
        "born": "1990-02-01",
        "sex": "female",
        "nhs_number": "9990000018",
    }
]
ADA = PersonQuery(("Ada",), ("Quill",), date(1990, 2, 1), "9990000018")


def start(way, example):
    if way == "rest":
        return SimulatedPartner(example("sms"), REST_ROWS, REST_PEOPLE)
    return SimulatedPartner(example("gp-millbrook"), FHIR_ROWS, FHIR_PEOPLE)


@pytest.fixture(params=["rest", "fhir"])
def simulated(request, example):
    with start(request.param, example) as partner:
        yield partner


@pytest.fixture
def connect():
    made = []

    def build(partner):
        made.append(build_connector(partner, open_session=None, keys=None))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


@pytest.fixture
def ask(connect, ask_about):
    """Asks through a gatherer, as the hub does; checks that it was back in time."""
    gatherers = []

    def put(partner, *records, query=None, wanted=None, each_s=0.4, total_s=1.0):
        gatherers.append(Gatherer({partner.code: connect(partner)}, each_s=each_s, total_s=total_s))
        begun = time.monotonic()
        answers = gatherers[-1].gather([ask_about(partner, *records, query=query, wanted=wanted)])
        assert time.monotonic() - begun < BOUND_S
        (answer,) = answers.values()
        assert STRANGER not in repr(answer.items)
        return answer

    yield put
    for gatherer in gatherers:
        gatherer.close()


FAULTS = [
    (Fault.SILENT, "TIMEOUT"),
    (Fault.DRIP_HEAD, "TIMEOUT"),
    (Fault.DRIP_BODY, "TIMEOUT"),
    (Fault.RESET, "ERROR"),
    (Fault.TRUNCATED, "ERROR"),
    (Fault.ERROR_500, "ERROR"),
    (Fault.NOT_FOUND_404, "ERROR"),
    (Fault.FORBIDDEN_403, "REFUSED"),
    (Fault.BUSY_429, "REFUSED"),
    (Fault.REDIRECT, "MALFORMED"),
    (Fault.HTML, "MALFORMED"),
    (Fault.GARBAGE, "MALFORMED"),
    (Fault.NOT_UTF8, "MALFORMED"),
    (Fault.NO_LIST, "MALFORMED"),
    (Fault.STRANGE_ROWS, "MALFORMED"),
    (Fault.KEY_TWICE, "MALFORMED"),
    (Fault.DEEP, "MALFORMED"),
    (Fault.HUGE, "MALFORMED"),
    (Fault.ANNOUNCED_HUGE, "MALFORMED"),
    (Fault.COMPRESSED, "MALFORMED"),
    (Fault.WRONG_SUBJECT, "WRONG_SUBJECT"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_a_partner_with_a_fault_has_not_answered_and_says_why(simulated, ask, fault, reason):
    simulated.fault = fault
    answer = ask(simulated.partner, "c1")
    assert (answer.state, answer.reason, answer.items) == (AnswerState.NO_ANSWER, reason, ())


@pytest.mark.parametrize("fault", [Fault.NEXT_ELSEWHERE, Fault.ENDLESS_PAGES])
def test_pages_that_lead_elsewhere_or_never_end_are_not_followed(example, ask, fault):
    with start("fhir", example) as simulated:
        simulated.fault = fault
        answer = ask(simulated.partner, "c1")
        assert (answer.state, answer.reason, answer.items) == (AnswerState.NO_ANSWER, "MALFORMED", ())
        assert len(simulated.asked) <= 6


@pytest.mark.parametrize("way", ["rest", "fhir"])
def test_a_page_with_every_fault_at_once_is_back_in_time_with_one_status_each(example, connect, ask_about, way):
    with ExitStack() as servers:
        asks, connectors, expected = [], {}, {}
        for n, (fault, reason) in enumerate([*FAULTS, (None, None), (Fault.EMPTY, None)]):
            simulated = servers.enter_context(start(way, example))
            simulated.fault = fault
            partner = replace(simulated.partner, code=f"p{n}")
            connectors[partner.code] = connect(partner)
            asks += [ask_about(partner, "c1", person=f"person-{k}") for k in range(3)]
            expected[partner.code] = (fault, reason)
        gatherer = Gatherer(connectors)
        begun = time.monotonic()
        answers = gatherer.gather(asks)
        assert time.monotonic() - begun < BOUND_S
        gatherer.close()
    assert len(answers) == len(asks)
    for (agency, _), answer in answers.items():
        fault, reason = expected[agency]
        assert answer.reason in (reason, "TIMEOUT") if reason else answer.reason is None
        state = {None: AnswerState.FOUND, Fault.EMPTY: AnswerState.NOTHING_HELD}.get(fault, AnswerState.NO_ANSWER)
        assert answer.state is state
        assert STRANGER not in repr(answer.items)


def test_a_partner_that_is_down_has_not_answered(simulated, ask):
    partner = simulated.partner
    simulated.__exit__()
    answer = ask(partner, "c1")
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "ERROR")


def test_a_partner_that_has_nothing_says_nothing_held(simulated, ask):
    simulated.fault = Fault.EMPTY
    answer = ask(simulated.partner, "c1")
    assert (answer.state, answer.reason, answer.dropped) == (AnswerState.NOTHING_HELD, None, 0)


def test_a_partner_in_good_order_is_found(simulated, ask):
    answer = ask(simulated.partner, "c1")
    assert (answer.state, answer.reason, answer.dropped) == (AnswerState.FOUND, None, 0)
    (involved,) = [i for i in answer.items if i.category is DataCategory.SERVICE_INVOLVEMENT]
    assert involved.record == "c1"
    assert {"involved", "service", "since", "contact"} <= set(involved.values)
    assert "not mapped" not in repr(answer)


def test_what_is_about_somebody_else_is_dropped_and_counted_and_the_rest_is_shown(simulated, ask):
    simulated.fault = Fault.STRANGERS_TOO
    answer = ask(simulated.partner, "c1")
    assert answer.state is AnswerState.FOUND
    assert answer.dropped == 2
    assert {item.record for item in answer.items} == {"c1"}


def test_nothing_about_a_person_is_in_any_address(simulated, ask):
    ask(simulated.partner, query=ADA)
    ask(simulated.partner, "c1")
    assert simulated.asked
    for method, target, _ in simulated.asked:
        assert method == "POST"
        for word in ("c1", "Quill", "Ada", "1990", "999", "?"):
            assert word not in target


def test_a_person_without_a_known_record_is_found_by_a_posted_search(simulated, ask):
    answer = ask(simulated.partner, query=ADA)
    assert (answer.state, answer.records) == (AnswerState.FOUND, ("c1",))


def test_a_person_whom_the_partner_does_not_know_is_nothing_held(simulated, ask):
    simulated.people.clear()
    assert ask(simulated.partner, query=ADA).state is AnswerState.NOTHING_HELD


def test_somebody_else_in_a_search_result_is_not_asked_about(simulated, ask):
    other = PersonQuery(("Ada",), ("Quill",), date(1990, 2, 2), "9990000018")
    answer = ask(simulated.partner, query=other)
    assert answer.state is AnswerState.NOTHING_HELD
    assert len(simulated.asked) == 1


def test_two_people_with_one_number_are_not_shown(simulated, ask):
    key = "id" if simulated.partner.way == "fhir" else "client_ref"
    simulated.people.append({**simulated.people[0], key: "c2"})
    answer = ask(simulated.partner, query=ADA)
    assert (answer.state, answer.reason, answer.items) == (AnswerState.NO_ANSWER, "AMBIGUOUS", ())


def test_a_search_that_names_half_the_county_is_no_answer(simulated, ask):
    key = "id" if simulated.partner.way == "fhir" else "client_ref"
    simulated.people += [{**simulated.people[0], key: f"x{n}"} for n in range(20)]
    answer = ask(simulated.partner, query=ADA)
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "MALFORMED")


def test_only_what_is_wanted_is_asked_for(simulated, ask):
    ask(simulated.partner, "c1", wanted={DataCategory.SERVICE_INVOLVEMENT: frozenset({"involved"})})
    assert len(simulated.asked) == 1
    if simulated.partner.way == "rest":
        assert '"fields": ["involved"]' in simulated.asked[0][2]
        assert f'"intent": "{promise_to("x").eid}"' in simulated.asked[0][2]
    assert simulated.promises == [promise_to(simulated.partner.code).header]


def test_a_partner_asked_for_what_it_does_not_offer_is_not_asked(simulated, ask):
    answer = ask(simulated.partner, "c1", wanted={DataCategory.EDUCATION: frozenset({"type"})})
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "NOT_CONFIGURED")
    assert simulated.asked == []


@pytest.mark.parametrize("network", ["public", "private"])
def test_an_address_outside_the_partners_network_is_never_connected_to(simulated, ask, example, network):
    base = str(simulated.partner.reach["base_url"])
    elsewhere = moved(simulated.partner, network="loopback")
    reach = {**elsewhere.reach, "network": network, "base_url": base}
    answer = ask(type(elsewhere)(**{**{f: getattr(elsewhere, f) for f in elsewhere.__slots__}, "reach": reach}), "c1")
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "NOT_CONFIGURED")
    assert simulated.asked == []


def test_a_proxy_of_the_environment_is_not_used(simulated, ask, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(simulated.partner, "c1").state is AnswerState.FOUND


def test_a_bearer_token_is_read_from_its_file(simulated, connect, ask_about, tmp_path):
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    partner = moved(simulated.partner, token_file=str(token))
    assert connect(partner).fetch(ask_about(partner, "c1"), deadline_s=2).state is AnswerState.FOUND


OF_SEARCHES = [f for f, reason in FAULTS if reason in ("ERROR", "REFUSED", "MALFORMED") and f is not Fault.STRANGE_ROWS]


@pytest.mark.parametrize("fault", OF_SEARCHES)
def test_nothing_about_a_person_is_in_any_error(simulated, connect, fault):
    simulated.fault = fault
    with pytest.raises(ConnectorError) as failed:
        connect(simulated.partner).find(ADA, promise=promise_to(simulated.partner.code), deadline_s=2)
    whole = repr(failed.value) + failed.value.sentence + str(failed.value.__cause__)
    assert not any(word in whole for word in ("Quill", "Ada", "1990", "999"))


def test_a_connection_is_kept_for_the_next_question(simulated, connect, ask_about):
    connector = connect(simulated.partner)
    for _ in range(3):
        assert connector.fetch(ask_about(simulated.partner, "c1"), deadline_s=2).state is AnswerState.FOUND
    assert connector._wire._pool.num_connections == 1


def test_a_partner_that_recovers_is_answered_from_again(simulated, connect, ask_about):
    connector = connect(simulated.partner)
    for fault in (Fault.TRUNCATED, Fault.HUGE, Fault.GARBAGE, Fault.RESET):
        simulated.fault = fault
        assert connector.fetch(ask_about(simulated.partner, "c1"), deadline_s=2).state is AnswerState.NO_ANSWER
        simulated.fault = None
        assert connector.fetch(ask_about(simulated.partner, "c1"), deadline_s=2).state is AnswerState.FOUND
