"""All partners at once: the page is back in time, and a partner in trouble costs only its own tile."""

import threading
import time
from dataclasses import replace
from types import MappingProxyType

import pytest

from connectors import Answer, ConnectorError, Gatherer, Item, NoAnswerReason, Promise, Value
from connectors.gather import MOST_LEFT_BEHIND
from connectors.simulator import SimulatedConnector, about_somebody_else, refusing
from policies.vocabulary import AnswerState, DataCategory, FieldKind

from .conftest import promise_to

INVOLVEMENT, STATUS = DataCategory.SERVICE_INVOLVEMENT, DataCategory.SOCIAL_CARE_STATUS


def item(record="P1", category=INVOLVEMENT, **values):
    values = values or {"involved": "Yes", "service": "Team"}
    return Item(
        f"i-{record}",
        record,
        category,
        None,
        MappingProxyType({name: Value(FieldKind.INDICATOR, text) for name, text in values.items()}),
    )


@pytest.fixture
def partners(example):
    """Several partners of one shape, by code."""

    def make(*codes):
        return [replace(example("csc"), code=code) for code in codes]

    return make


@pytest.fixture
def gatherers():
    """Gatherers whose threads end with the test."""
    made = []

    def make(*connectors, **settings):
        made.append(Gatherer({c.partner.code: c for c in connectors}, **settings))
        return made[-1]

    yield make
    for gatherer in made:
        gatherer.close()


@pytest.fixture
def hanging():
    """A behaviour that hangs until the test ends."""
    release = threading.Event()

    def behave(ask):
        release.wait(30)

    yield behave
    release.set()


def only(answers):
    (answer,) = answers.values()
    return answer


@pytest.mark.parametrize(
    "promise", [promise_to("b", eid=""), promise_to("a"), Promise("0" * 32, "b", ""), Promise("0" * 32, "b", "eid=1")]
)
def test_nobody_is_asked_when_one_question_has_no_promise_of_its_own(partners, gatherers, ask_about, promise):
    connectors = [SimulatedConnector(p) for p in partners("a", "b")]
    asks = [ask_about(connectors[0].partner, "P1"), ask_about(connectors[1].partner, "P1", promise=promise)]
    with pytest.raises(ConnectorError) as refused:
        gatherers(*connectors).gather(asks)
    assert refused.value.code == "NO_INTENT"
    assert [c.asked for c in connectors] == [[], []]


def test_one_partner_is_not_asked_twice_about_one_person(partners, gatherers, ask_about):
    (partner,) = partners("a")
    connector = SimulatedConnector(partner)
    with pytest.raises(ConnectorError) as refused:
        gatherers(connector).gather([ask_about(partner, "P1"), ask_about(partner, "P2")])
    assert refused.value.code == "ASKED_TWICE"
    assert connector.asked == []


def test_a_partner_that_is_not_connected_has_not_answered(partners, gatherers, ask_about):
    (partner,) = partners("a")
    answer = only(gatherers().gather([ask_about(partner, "P1")]))
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "NOT_CONFIGURED")


def test_found_and_nothing_held_are_told_apart(partners, gatherers, ask_about):
    a, b = partners("a", "b")
    gatherer = gatherers(SimulatedConnector(a, [item()]), SimulatedConnector(b))
    answers = gatherer.gather([ask_about(a, "P1"), ask_about(b, "P1")])
    assert answers["a", "person-1"].state is AnswerState.FOUND
    assert answers["b", "person-1"].state is AnswerState.NOTHING_HELD


def test_a_question_for_involvement_only_is_put_as_known_to(partners, gatherers, ask_about):
    (a,) = partners("a")
    connector = SimulatedConnector(a, [item(), item(category=STATUS, type="Plan")])
    ask = ask_about(a, "P1", wanted={INVOLVEMENT: frozenset({"involved"})})
    answer = only(gatherers(connector).gather([ask]))
    assert [(i.category, set(i.values)) for i in answer.items] == [(INVOLVEMENT, {"involved"})]


def lies(**changes):
    """A behaviour: the partner's answer breaks the contract in one way."""

    def behave(ask):
        return replace(Answer(ask.agency, ask.person, AnswerState.FOUND, (item(),)), **changes)

    return behave


TROUBLE = [
    ("refuses", refusing(NoAnswerReason.REFUSED), "REFUSED"),
    ("times out", refusing(NoAnswerReason.TIMEOUT), "TIMEOUT"),
    ("raises an unknown code", lambda ask: (_ for _ in ()).throw(ConnectorError("ODD", "odd")), "ERROR"),
    ("raises anything", lambda ask: 1 / 0, "ERROR"),
    ("raises a time-out of the system", lambda ask: (_ for _ in ()).throw(TimeoutError()), "TIMEOUT"),
    ("returns no answer at all", lambda ask: "found", "ERROR"),
    ("answers about somebody else", about_somebody_else, "WRONG_SUBJECT"),
    ("answers for another agency", lies(agency="b"), "WRONG_SUBJECT"),
    ("sends only strangers' items", lies(items=(item("P9"),)), "WRONG_SUBJECT"),
    (
        "says nothing held with strangers' items",
        lies(state=AnswerState.NOTHING_HELD, items=(item("P9"),)),
        "WRONG_SUBJECT",
    ),
    ("sends only what was not wanted", lies(items=(item(category=DataCategory.EDUCATION),)), "MALFORMED"),
    ("withholds by itself", lies(state=AnswerState.WITHHELD), "MALFORMED"),
    ("says it was not asked", lies(state=AnswerState.NOT_ASKED), "MALFORMED"),
    ("gives no reason for no answer", lies(state=AnswerState.NO_ANSWER), "ERROR"),
]


@pytest.mark.parametrize(("about", "behave", "reason"), TROUBLE, ids=[t[0] for t in TROUBLE])
def test_a_partner_in_trouble_costs_its_own_tile_only(partners, gatherers, ask_about, about, behave, reason):
    a, b = partners("a", "b")
    gatherer = gatherers(SimulatedConnector(a, behave=behave), SimulatedConnector(b, [item()]))
    answers = gatherer.gather([ask_about(a, "P1"), ask_about(b, "P1")])
    troubled = answers["a", "person-1"]
    assert (troubled.state, troubled.reason, troubled.items) == (AnswerState.NO_ANSWER, reason, ())
    assert (troubled.agency, troubled.person) == ("a", "person-1")
    assert answers["b", "person-1"].state is AnswerState.FOUND


def test_what_was_not_asked_for_does_not_pass_whatever_a_partner_sends(partners, gatherers, ask_about):
    (a,) = partners("a")
    sent = (item(involved="Yes", worker="Somebody"), item("P9"), item(category=STATUS, type="Plan"))
    ask = ask_about(a, "P1", wanted={INVOLVEMENT: frozenset({"involved"})})
    answer = only(gatherers(SimulatedConnector(a, behave=lies(items=sent))).gather([ask]))
    assert [(i.record, dict(i.values).keys()) for i in answer.items] == [("P1", {"involved"})]
    assert (answer.state, answer.dropped) == (AnswerState.FOUND, 1)


def test_a_partner_that_hangs_is_left_behind_and_its_late_answer_is_discarded(partners, gatherers, ask_about):
    a, b = partners("a", "b")
    release, returned = threading.Event(), threading.Event()

    def late(ask):
        release.wait(30)
        returned.set()

    slow = SimulatedConnector(a, [item()], behave=late)
    gatherer = gatherers(slow, SimulatedConnector(b, [item()]), total_s=0.4, each_s=0.2)
    begun = time.monotonic()
    answers = gatherer.gather([ask_about(a, "P1"), ask_about(b, "P1")])
    assert time.monotonic() - begun < 3.2
    assert (answers["a", "person-1"].state, answers["a", "person-1"].reason) == (AnswerState.NO_ANSWER, "TIMEOUT")
    assert answers["b", "person-1"].state is AnswerState.FOUND
    release.set()
    assert returned.wait(5)
    assert (answers["a", "person-1"].state, answers["a", "person-1"].items) == (AnswerState.NO_ANSWER, ())
    slow.behave = lambda ask: None
    assert only(gatherer.gather([ask_about(a, "P1", person="person-2")])).person == "person-2"


def test_six_people_at_a_partner_that_hangs_are_all_back_in_time(partners, gatherers, ask_about, hanging):
    a, b = partners("a", "b")
    gatherer = gatherers(
        SimulatedConnector(a, behave=hanging), SimulatedConnector(b, [item()]), total_s=0.5, each_s=0.2, workers=2
    )
    asks = [ask_about(p, "P1", person=f"person-{n}") for p in (a, b) for n in range(6)]
    begun = time.monotonic()
    answers = gatherer.gather(asks)
    assert time.monotonic() - begun < 3.2
    assert {answer.reason for (agency, _), answer in answers.items() if agency == "a"} == {"TIMEOUT"}
    assert {answer.state for (agency, _), answer in answers.items() if agency == "b"} == {AnswerState.FOUND}


def test_threads_left_behind_are_bounded(partners, gatherers, ask_about, hanging):
    (a,) = partners("a")
    gatherer = gatherers(
        SimulatedConnector(a, behave=hanging), total_s=0.1, each_s=0.05, workers=4, failures_to_open=10**6
    )
    for round_ in range(8):
        gatherer.gather([ask_about(a, "P1", person=f"person-{round_}-{n}") for n in range(4)])
    mine = [t for t in threading.enumerate() if t.name == "ask-a"]
    assert len(mine) <= MOST_LEFT_BEHIND + 4
    answer = only(gatherer.gather([ask_about(a, "P1")]))
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "CIRCUIT_OPEN")


def test_a_partner_that_keeps_failing_is_left_alone_for_a_while(partners, gatherers, ask_about):
    (a,) = partners("a")
    connector = SimulatedConnector(a, [item()], behave=refusing(NoAnswerReason.ERROR))
    gatherer = gatherers(connector, failures_to_open=3, rest_s=1000)
    reasons = [only(gatherer.gather([ask_about(a, "P1")])).reason for _ in range(6)]
    assert reasons == ["ERROR"] * 3 + ["CIRCUIT_OPEN"] * 3
    assert len(connector.asked) == 3


def test_one_probe_asks_whether_a_partner_has_come_back(partners, gatherers, ask_about):
    (a,) = partners("a")
    connector = SimulatedConnector(a, [item()], behave=refusing(NoAnswerReason.TIMEOUT))
    gatherer = gatherers(connector, failures_to_open=1, rest_s=0)
    only(gatherer.gather([ask_about(a, "P1")]))
    several = [ask_about(a, "P1", person=f"person-{n}") for n in range(4)]
    reasons = sorted(str(answer.reason) for answer in gatherer.gather(several).values())
    assert reasons == ["CIRCUIT_OPEN"] * 3 + ["TIMEOUT"]
    connector.behave = lambda ask: None
    assert only(gatherer.gather([ask_about(a, "P1")])).state is AnswerState.FOUND
    assert {answer.state for answer in gatherer.gather(several).values()} == {AnswerState.FOUND}


def test_a_partner_that_answers_badly_is_still_asked_again(partners, gatherers, ask_about):
    (a,) = partners("a")
    connector = SimulatedConnector(a, behave=refusing(NoAnswerReason.MALFORMED))
    gatherer = gatherers(connector, failures_to_open=2, rest_s=1000)
    assert [only(gatherer.gather([ask_about(a, "P1")])).reason for _ in range(4)] == ["MALFORMED"] * 4


def test_many_requests_at_once_each_get_their_own_answers(partners, gatherers, ask_about):
    made = partners("a", "b", "c")
    gatherer = gatherers(*(SimulatedConnector(p, [item(f"P{n}") for n in range(8)]) for p in made))
    wrong = []

    def page(n):
        asks = [ask_about(p, f"P{k}", person=f"{n}-{k}") for p in made for k in range(8)]
        for (_, person), answer in gatherer.gather(asks).items():
            record = f"P{person.partition('-')[2]}"
            if answer.person != person or {i.record for i in answer.items} != {record}:
                wrong.append(answer)

    threads = [threading.Thread(target=page, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert wrong == []


def test_answers_stand_in_the_order_of_the_questions_whoever_is_done_first(partners, gatherers, ask_about):
    """The order in which partners are done would tell of questions whose answers are not shown."""
    a, b, c = partners("a", "b", "c")
    second_is_done = threading.Event()

    def after_the_second(ask):
        second_is_done.wait(5)

    def tell(ask):
        second_is_done.set()

    gatherer = gatherers(SimulatedConnector(a, behave=after_the_second), SimulatedConnector(b, behave=tell))
    asks = [ask_about(a, "P1"), ask_about(c, "P1"), ask_about(b, "P1")]
    assert list(gatherer.gather(asks)) == [(ask.agency, ask.person) for ask in asks]
