"""What a dropped extract answers about a person, and when it must not say "nothing held"."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update

from connectors import ConnectorError, ExtractConnector, Gatherer, PersonQuery, load_drop
from connectors.tables import extract_items, extract_people
from policies.vocabulary import AnswerState, DataCategory, MatchState

from .conftest import NOW, promise_to
from .test_loads import INVOLVEMENT, PEOPLE, PLANS, drop

__all__ = ["drop"]

ADA = PersonQuery(("Ada",), ("Quill",), date(2015, 2, 1), "9990000018")


@pytest.fixture
def csc(example, open_session, keys):
    return ExtractConnector(example("csc"), open_session, keys)


@pytest.fixture
def loaded(session, keys, example, drop):
    def run(**files):
        load_drop(session, keys, example("csc"), drop(**files), now=NOW)

    return run


def test_a_partner_that_never_dropped_anything_has_not_said_nothing_held(csc, ask_about):
    answer = csc.fetch(ask_about(csc.partner, "P1"), deadline_s=1)
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "NOT_CONFIGURED")


def test_a_partner_asked_for_what_it_does_not_offer_has_not_said_nothing_held(loaded, csc, ask_about):
    loaded()
    ask = ask_about(csc.partner, "P1", wanted={DataCategory.EDUCATION: frozenset({"type"})})
    answer = csc.fetch(ask, deadline_s=1)
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "NOT_CONFIGURED")


def test_a_person_of_whom_nothing_is_held_is_answered_so(loaded, csc, ask_about):
    loaded()
    answer = csc.fetch(ask_about(csc.partner, "P77"), deadline_s=1)
    assert (answer.state, answer.items, answer.reason) == (AnswerState.NOTHING_HELD, (), None)
    assert answer.as_of is not None


def test_a_person_whose_only_row_was_broken_has_no_answer_instead_of_nothing_held(loaded, csc, ask_about):
    loaded(plans=PLANS + "CP2,P5,CP\n")
    answer = csc.fetch(ask_about(csc.partner, "P5"), deadline_s=1)
    assert (answer.state, answer.reason, answer.dropped) == (AnswerState.NO_ANSWER, "MALFORMED", 1)


def test_a_person_whose_involvement_ended_is_still_known(loaded, csc, ask_about):
    loaded()
    answer = csc.known_to(ask_about(csc.partner, "P2"), deadline_s=1)
    assert answer.state is AnswerState.FOUND
    assert answer.items[0].values["until"].text == "2021-02-01"


def test_only_permitted_fields_of_permitted_categories_leave_the_partition(loaded, csc, ask_about):
    loaded()
    ask = ask_about(csc.partner, "P1", wanted={DataCategory.SOCIAL_CARE_STATUS: frozenset({"type", "worker"})})
    answer = csc.fetch(ask, deadline_s=1)
    assert [(i.category, dict(i.values).keys()) for i in answer.items] == [
        (DataCategory.SOCIAL_CARE_STATUS, {"type"}),
    ]


def test_two_records_of_one_person_are_answered_together(loaded, csc, ask_about):
    loaded()
    answer = csc.fetch(ask_about(csc.partner, "P1", "P2"), deadline_s=1)
    assert {item.record for item in answer.items} == {"P1", "P2"}


def test_a_row_that_was_moved_to_another_person_does_not_open(loaded, csc, ask_about, session, keys):
    loaded()
    mine, other = keys.blind("record:csc", "P1"), keys.blind("record:csc", "P2")
    t = extract_items.c
    session.execute(update(extract_items).where(t.record_key == mine).values(record_key=other))
    session.commit()
    for answer in (
        csc.fetch(ask_about(csc.partner, "P2"), deadline_s=1),
        Gatherer({"csc": csc}).gather([ask_about(csc.partner, "P2")])["csc", "person-1"],
    ):
        assert (answer.state, answer.reason, answer.items) == (AnswerState.NO_ANSWER, "ERROR", ())


def test_a_row_that_does_not_open_costs_only_its_own_person(loaded, csc, ask_about, session, keys):
    loaded()
    t = extract_items.c
    mine = keys.blind("record:csc", "P1")
    session.execute(update(extract_items).where(t.record_key == mine).values(sealed=b"altered"))
    session.commit()
    asks = [replace(ask_about(csc.partner, p), person=p) for p in ("P1", "P2", "P77")]
    said = Gatherer({"csc": csc}).gather(asks)
    assert [said["csc", p].state for p in ("P1", "P2", "P77")] == [
        AnswerState.NO_ANSWER,
        AnswerState.FOUND,
        AnswerState.NOTHING_HELD,
    ]


def test_people_asked_about_together_get_what_each_would_get_alone(loaded, csc, ask_about):
    loaded(plans=PLANS + "CP2,P5,CP\n")
    wanted = [
        {DataCategory.SOCIAL_CARE_STATUS: frozenset({"type"})},
        {DataCategory.SERVICE_INVOLVEMENT: frozenset({"involved", "until"})},
        {DataCategory.EDUCATION: frozenset({"type"})},
        {DataCategory.SOCIAL_CARE_STATUS: frozenset({"type", "worker"})},
    ]
    asks = [
        replace(ask_about(csc.partner, record, wanted=fields), person=f"{record}-{at}")
        for record in ("P1", "P2", "P5", "P77")
        for at, fields in enumerate(wanted)
    ]
    alone = [csc.fetch(ask, deadline_s=1) for ask in asks]
    assert csc.fetch_many(asks, deadline_s=1) == tuple(alone)
    assert {a.state for a in alone} == {AnswerState.FOUND, AnswerState.NOTHING_HELD, AnswerState.NO_ANSWER}


def test_a_question_without_a_recorded_intent_is_refused(loaded, csc, ask_about):
    loaded()
    with pytest.raises(ConnectorError) as refused:
        csc.fetch(ask_about(csc.partner, "P1", promise=promise_to("csc", eid="")), deadline_s=1)
    assert refused.value.code == "NO_INTENT"


def test_a_question_about_nobody_is_refused(loaded, csc, ask_about):
    for records in ((), ("",)):
        with pytest.raises(ConnectorError) as refused:
            csc.fetch(ask_about(csc.partner, *records), deadline_s=1)
        assert refused.value.code == "NOBODY_NAMED"


WHO_IS_MEANT = [
    ("number and birth agree", ADA, {"P1"}, MatchState.CONFIRMED),
    ("number with blanks", PersonQuery((), (), date(2015, 2, 1), "999 000 0018"), {"P1"}, MatchState.CONFIRMED),
    ("number alone", PersonQuery(nhs_number="9990000018"), {"P1"}, MatchState.UNCONFIRMED),
    ("name and birth", PersonQuery(("ben",), ("QUILL",), date(1985, 4, 3)), {"P2"}, MatchState.UNCONFIRMED),
    ("family and birth", PersonQuery((), ("Quill",), date(1985, 4, 3)), {"P2"}, MatchState.UNCONFIRMED),
    ("another birth", PersonQuery(("Ada",), ("Quill",), date(2015, 2, 2), "9990000018"), set(), None),
    ("another number", PersonQuery(("Ada",), ("Quill",), date(2015, 2, 1), "9990000026"), set(), None),
    ("another given name", PersonQuery(("Eve",), ("Quill",), date(1985, 4, 3)), set(), None),
]


@pytest.mark.parametrize(("about", "query", "records", "match"), WHO_IS_MEANT, ids=[w[0] for w in WHO_IS_MEANT])
def test_a_person_is_found_only_when_nothing_differs(loaded, csc, ask_about, about, query, records, match):
    loaded()
    assert {p.record for p in csc.find(query, promise=promise_to("csc"), deadline_s=1)} == records
    answer = csc.fetch(ask_about(csc.partner, query=query), deadline_s=1)
    assert set(answer.records) == records
    if match is None:
        assert answer.state is AnswerState.NOTHING_HELD
    else:
        assert (answer.state, answer.match) == (AnswerState.FOUND, match)


def test_two_people_who_both_fit_are_not_shown(loaded, csc, ask_about):
    twin = "P8,Ben,Quill,03/04/1985,M,,9 Hill Road,Millbrook,TH1 1AB\n"
    loaded(people=PEOPLE + twin, involvement=INVOLVEMENT)
    query = PersonQuery(("Ben",), ("Quill",), date(1985, 4, 3))
    answer = csc.fetch(ask_about(csc.partner, query=query), deadline_s=1)
    assert (answer.state, answer.reason, answer.items) == (AnswerState.NO_ANSWER, "AMBIGUOUS", ())


@pytest.mark.parametrize(
    "query", [PersonQuery(("Ada",), ("Quill",)), PersonQuery(date_of_birth=date(2015, 2, 1)), PersonQuery()]
)
def test_a_search_that_many_would_fit_is_refused(loaded, csc, ask_about, query):
    loaded()
    with pytest.raises(ConnectorError) as refused:
        csc.find(query, promise=promise_to("csc"), deadline_s=1)
    assert refused.value.code == "TOO_THIN"
    answer = csc.fetch(ask_about(csc.partner, query=query), deadline_s=1)
    assert (answer.state, answer.reason) == (AnswerState.NO_ANSWER, "TOO_THIN")


def test_equal_people_have_equal_blind_keys_only_within_one_agency(loaded, session, keys):
    loaded()
    nhs = session.execute(select(extract_people.c.nhs_key)).scalars().all()
    assert keys.blind("nhs:csc", "9990000018") in nhs
    assert keys.blind("nhs:asc", "9990000018") not in nhs
