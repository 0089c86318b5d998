"""The data steward's pages: what they refuse first, then what they settle, the trail before the index."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from audit import TrailUnavailable
from connectors import SourceRecord
from consent import ConsentRecord, facts_for, record_consent
from hub import stewardship
from hub.demo.setting_up import persona_context
from hub.errors import FormRefused, NotFound, Unavailable
from hub.following import alert_suppressed, facts_about
from hub.people import family_of, refresh, review, tables
from hub.people.review import Doubt
from policies.vocabulary import ConsentKind, ConsentState, GiverCapacity, SubjectFlag
from tests.conftest import House, Visitor
from tests.hub.conftest import newest, with_parts

WHY = "Both agencies confirmed it on the telephone"


@pytest.fixture
def steward(house: House) -> Visitor:
    return house.visitor("data_steward")


def waiting(house: House) -> tuple[Doubt, ...]:
    ctx = persona_context("data_steward", now=house.hub.clock(), request_id="cd" * 16)
    return stewardship.queue(house.hub, ctx)


def address(pair: Doubt) -> str:
    return f"/matching/pairs/{pair.first.row}-{pair.second.row}"


def mark_on(page: Any) -> str:
    assert page.status_code == 200, page.text
    found = re.search(r'name="mark" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


def together(house: House, pair: Doubt) -> bool:
    with house.hub.db.session() as session:
        now = [review.person_with(session, *one.name) for one in (pair.first, pair.second)]
    return now[0] == now[1]


def said(house: House) -> int:
    with house.hub.db.session() as session:
        return sum(session.scalar(select(func.count()).select_from(t)) or 0 for t in (tables.decisions, tables.never))


def take_in(house: House, record: SourceRecord, *flags: SubjectFlag) -> None:
    """The record comes in again, now with these flags."""
    with house.hub.db.writing() as session:
        again = [replace(record, flags=frozenset(flags))]
        refresh(session, house.hub.keys, again, agency=record.agency, now=house.hub.clock())


@pytest.mark.parametrize("flag", [SubjectFlag.SHIELDED, SubjectFlag.ADOPTED, SubjectFlag.PROTECTED_PERSON])
def test_a_protected_person_is_in_no_pair_no_page_and_no_search(
    house: House, steward: Visitor, flag: SubjectFlag
) -> None:
    pair = waiting(house)[0]
    agency, record = pair.first.name
    take_in(house, pair.first.record, flag)
    try:
        assert pair.first.name not in {one.name for doubt in waiting(house) for one in (doubt.first, doubt.second)}
        with house.hub.db.session() as session:
            person = review.person_with(session, agency, record)
        for path in (address(pair), f"/matching/persons/{person}"):
            assert steward.get(path).status_code == 404
        there = steward.post("/matching", {"agency": agency, "record": record})
        absent = steward.post("/matching", {"agency": agency, "record": "no-such-record"})
        assert (there.status_code, absent.status_code) == (422, 422)
        assert re.findall("No record that you[^<]*", there.text) == re.findall("No record that you[^<]*", absent.text)
    finally:
        take_in(house, pair.first.record)


def test_who_lives_with_a_protected_person_is_not_shown_either(house: House, steward: Visitor) -> None:
    with house.hub.db.session() as session:
        pair, relative = next(
            (pair, member.records[0])
            for pair in waiting(house)
            for member in family_of(session, house.hub.keys, pair.first.person, now=house.hub.clock()).members
            if member.person not in (pair.first.person, pair.second.person)
        )
    assert steward.get(address(pair)).status_code == 200
    take_in(house, relative, SubjectFlag.SHIELDED)
    try:
        assert steward.get(address(pair)).status_code == 404
        assert address(pair) not in {address(one) for one in waiting(house)}
    finally:
        take_in(house, relative)


def test_without_an_agreement_for_matching_nothing_is_in_doubt(house: House) -> None:
    others = tuple(a for a in house.hub.agreements if a.for_decision().reference != "THORN-MATCHING")
    assert len(others) == len(house.hub.agreements) - 1
    assert waiting(with_parts(house, agreements=others)) == ()


def test_the_queue_names_nobody_and_an_opened_pair_is_recorded(house: House, steward: Visitor) -> None:
    pair = waiting(house)[0]
    queue = steward.get("/matching")
    family = pair.first.record.person.names[0].family[0]
    assert family.casefold() not in queue.text.casefold()
    page = steward.get(address(pair))
    assert family.casefold() in page.text.casefold()
    entry = newest(house.hub, "match:proposed")
    assert entry.fields["outcome"] == "SHOWN"
    assert entry.fields["user"]["role"] == "DATA_STEWARD"
    for home in [*pair.first.record.person.addresses, *pair.second.record.person.addresses]:
        assert not home.postcode or home.postcode not in page.text


@pytest.mark.parametrize(
    ("outcome", "why"), [("", WHY), ("MAYBE", WHY), ("SAME", ""), ("NOT_SAME", "too short"), ("NOT_SAME", "no " * 12)]
)
def test_what_is_incomplete_is_refused_and_kept(house: House, steward: Visitor, outcome: str, why: str) -> None:
    pair, before = waiting(house)[0], said(house)
    form = {"mark": mark_on(steward.get(address(pair))), "outcome": outcome, "rationale": why}
    answer = steward.post(address(pair), form)
    assert answer.status_code == 422
    assert why.strip() in answer.text
    assert said(house) == before


def test_a_decision_is_only_about_what_was_looked_at(house: House, steward: Visitor) -> None:
    pair, before = waiting(house)[0], said(house)
    answer = steward.post(address(pair), {"mark": "0" * 32, "outcome": "SAME", "rationale": WHY})
    assert answer.status_code == 404
    assert said(house) == before


def test_nothing_is_stored_that_the_trail_did_not_take(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    pair, before = waiting(house)[0], said(house)
    ctx = persona_context("data_steward", now=house.hub.clock(), request_id="ce" * 16)
    mark = stewardship.open_pair(house.hub, ctx, address(pair).rpartition("/")[2]).mark

    def refuse(*_: object, **__: object) -> None:
        raise TrailUnavailable("full")

    monkeypatch.setattr(house.hub.trail, "append", refuse)
    with pytest.raises(TrailUnavailable):
        stewardship.settle(house.hub, ctx, address(pair).rpartition("/")[2], mark, "SAME", WHY)
    assert said(house) == before
    assert not together(house, pair)


def test_each_word_of_the_steward_is_recorded_stored_and_off_the_queue(house: House, steward: Visitor) -> None:
    for outcome, kind in stewardship.EVENTS.items():
        pair = waiting(house)[0]
        form = {"mark": mark_on(steward.get(address(pair))), "outcome": outcome, "rationale": WHY}
        assert steward.post(address(pair), form).status_code == 303
        entry = newest(house.hub, kind)
        assert entry.fields["outcome"] == outcome
        assert together(house, pair) == (outcome == "SAME")
        assert steward.get(address(pair)).status_code == 404
        if outcome == "SAME":
            _undo(house, steward, pair)


def test_consent_follows_the_person_that_two_became_and_a_no_follows_who_is_taken_out(
    house: House, steward: Visitor
) -> None:
    pair = next(p for p in waiting(house) if len(p.first.together) == len(p.second.together) == 1)
    now = house.hub.clock()
    no = ConsentRecord(
        ConsentKind.CONFIDENTIALITY, ConsentState.REFUSED, pair.second.person, None, GiverCapacity.SELF, now
    )  # fmt: skip
    with house.hub.db.writing() as session:
        record_consent(session, no, by="w", now=now)
        record_consent(session, replace(no, subject=pair.first.person), by="w", now=now)
    form = {"mark": mark_on(steward.get(address(pair))), "outcome": "SAME", "rationale": WHY}
    assert steward.post(address(pair), form).status_code == 303
    with house.hub.db.session() as session:
        person = review.person_with(session, *pair.first.name)
        assert person
        assert len(facts_for(session, [person], enquiry=None, now=house.hub.clock()).records[person]) == 2
    assert newest(house.hub, "match:confirmed").fields["outcome"] == "CONSENT_FOLLOWS"
    _undo(house, steward, pair, outcome="CONSENT_FOLLOWS")
    with house.hub.db.session() as session:
        apart = [review.person_with(session, *one.name) or "" for one in (pair.first, pair.second)]
        found = facts_for(session, apart, enquiry=None, now=house.hub.clock()).records
    assert {one: len(found[one]) for one in apart} == dict.fromkeys(apart, 2)


def test_a_refusal_is_not_lost_when_the_hub_dies_between_a_join_and_its_following(
    house: House, steward: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise TrailUnavailable("killed")

    pair = next(p for p in waiting(house) if len(p.first.together) == len(p.second.together) == 1)
    now = house.hub.clock()
    before = [one.person for one in (pair.first, pair.second)]
    # Either may be the one that is joined to the other: whose refusal it was does not matter.
    marks = {person: f"the answer of {person}" for person in before}
    with house.hub.db.writing() as session:
        for person, wording in marks.items():
            no = ConsentRecord(
                ConsentKind.CONFIDENTIALITY,
                ConsentState.REFUSED,
                person,
                None,
                GiverCapacity.SELF,
                now,
                wording=wording,
            )
            record_consent(session, no, by="w", now=now)
    form = {"mark": mark_on(steward.get(address(pair))), "outcome": "SAME", "rationale": WHY}
    with monkeypatch.context() as killed:
        killed.setattr(stewardship, "after_linking", dies)
        assert steward.post(address(pair), form).status_code == 503
    with house.hub.db.session() as session:
        person = review.person_with(session, *pair.first.name) or ""
        (gone,) = set(before) - {person}
        found = facts_for(session, [person], enquiry=None, now=house.hub.clock()).records[person]
    assert marks[gone] not in {record.wording for record in found}
    with monkeypatch.context() as down:
        down.setattr(type(house.hub.trail), "append", dies)
        with pytest.raises(TrailUnavailable):
            facts_about(house.hub, [person], enquiry=None, now=house.hub.clock())
    # Who was read before the join is nobody any more: their answers are with somebody else.
    with pytest.raises(Unavailable):
        facts_about(house.hub, [gone], enquiry=None, now=house.hub.clock())
    for _ in range(2):
        found = facts_about(house.hub, [person], enquiry=None, now=house.hub.clock()).records[person]
        assert {marks[gone], marks[person]} <= {record.wording for record in found}
        assert sum(record.wording == marks[gone] for record in found) == 1
    _undo(house, steward, pair, outcome="CONSENT_FOLLOWS")


def test_a_refusal_follows_through_two_joins_that_both_wait(house: House) -> None:
    now = house.hub.clock()
    one, two, three = (f"p{n:016x}" for n in (1, 2, 3))
    no = ConsentRecord(ConsentKind.CONFIDENTIALITY, ConsentState.REFUSED, one, None, GiverCapacity.SELF, now)
    waits = {"is_split": False, "at": now, "done_at": None}
    with house.hub.db.writing() as session:
        record_consent(session, no, by="w", now=now)
        session.execute(
            insert(tables.followed),
            [waits | {"old_person": old, "new_person": new} for old, new in ((one, two), (two, three))],
        )
    facts = facts_about(house.hub, [three], enquiry=None, now=now)
    assert [record.state for record in facts.records[three]] == [ConsentState.REFUSED]


def _undo(house: House, steward: Visitor, pair: Doubt, outcome: str = "SPLIT") -> None:
    agency, record = pair.first.name
    found = steward.post("/matching", {"agency": agency, "record": record})
    assert found.status_code == 303
    where = found.headers["Location"]
    form = {"mark": mark_on(steward.get(where)), "row": str(pair.first.row), "rationale": WHY}
    assert steward.post(where, form | {"rationale": "wrong"}).status_code == 422
    assert steward.post(where, form | {"row": "0"}).status_code == 422
    assert steward.post(where, form | {"mark": "0" * 32}).status_code == 404
    assert together(house, pair)
    assert steward.post(where, form).status_code == 303
    assert newest(house.hub, "match:split").fields["outcome"] == outcome
    assert not together(house, pair)


def test_the_picture_of_a_comparison_says_nothing_of_where_somebody_lives(house: House, steward: Visitor) -> None:
    page = steward.get(address(waiting(house)[0])).text
    assert "How the comparison adds up" in page
    assert re.findall(r'<text x="14"[^>]*>([^<]*)</text>', page)[-1] == "Together"
    assert not re.search(r"same address|same street|postcode|another address|same telephone", page)


def test_a_suppressed_pair_is_one_alarm_that_names_nobody(house: House) -> None:
    alert_suppressed(house.hub)
    assert alert_suppressed(house.hub) == 0
    found = {"pair": bytes(range(16)), "first_agency": "csc", "second_agency": "police", "alerted_at": None}
    with house.hub.db.writing() as session:
        session.execute(insert(tables.suppressed), [found | {"found_at": datetime.now(UTC)}])
    assert [alert_suppressed(house.hub), alert_suppressed(house.hub)] == [1, 0]
    alarm = newest(house.hub, "alarm")
    assert (alarm.fields["reason"], alarm.fields["source"]) == ("P27", ["csc", "police"])
    assert "object" not in alarm.fields


def test_a_comparison_gives_away_nothing_about_a_field_that_is_not_shown(
    house: House, steward: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = next(p for p in waiting(house) if "housing" in (p.first.record.agency, p.second.record.agency))
    monkeypatch.setattr("hub.web.steward.agreement_words", lambda *_: {"sex": "another sex recorded"})
    page = steward.get(address(pair))
    assert "Not shown" in page.text
    assert "Cannot be compared" in page.text
    assert "nother sex recorded" not in page.text


def test_a_look_up_of_a_record_is_in_the_trail_whether_or_not_it_finds(house: House, steward: Visitor) -> None:
    agency, record = waiting(house)[0].first.name
    for number, outcome, subjects in ((record, "FOUND-1", 1), ("no-such-record", "FOUND-0", 0)):
        steward.post("/matching", {"agency": agency, "record": number})
        entry = newest(house.hub, "search")
        assert entry.fields["outcome"] == outcome
        assert entry.fields["purpose"] == "DATA_MATCHING"
        assert len(entry.subjects) == subjects
        assert number not in str(entry.fields)


def test_a_steward_who_goes_through_the_numbers_is_held_back(house: House) -> None:
    ctx = persona_context("data_steward", now=house.hub.clock(), request_id="cf" * 16)
    ctx = replace(ctx, actor=replace(ctx.actor, id="US-goes-through"))
    few = with_parts(house, settings=replace(house.hub.settings, searches_per_hour=3)).hub
    agency, record = waiting(house)[0].first.name
    for _ in range(3):
        stewardship.find_record(few, ctx, agency, record)
    with pytest.raises(FormRefused) as refused:
        stewardship.find_record(few, ctx, agency, record)
    assert "very many" in refused.value.errors["record"]


class BetweenTheTwo:
    """A trail in which somebody else comes between an event and what it is about."""

    def __init__(self, trail: Any, other: Any) -> None:
        self._trail, self._other = trail, other

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trail, name)

    def append(self, kind: str, **fields: Any) -> Any:
        receipt = self._trail.append(kind, **fields)
        other, self._other = self._other, None
        if other:
            other()
        return receipt


@pytest.mark.parametrize(
    ("mine", "theirs"), [("CANNOT_TELL", "CANNOT_TELL"), ("SAME", "NOT_SAME"), ("NOT_SAME", "SAME")]
)
def test_two_stewards_on_one_pair_are_one_decision_and_a_page_that_says_so(
    house: House, mine: str, theirs: str
) -> None:
    pair = waiting(house)[0]
    ctx = persona_context("data_steward", now=house.hub.clock(), request_id="d0" * 16)
    name = address(pair).rpartition("/")[2]
    mark = stewardship.open_pair(house.hub, ctx, name).mark
    before = said(house)
    trail: Any = BetweenTheTwo(house.hub.trail, lambda: stewardship.settle(house.hub, ctx, name, mark, theirs, WHY))
    with pytest.raises(NotFound):
        stewardship.settle(with_parts(house, trail=trail).hub, ctx, name, mark, mine, WHY)
    assert said(house) == before + 1
    undone = newest(house.hub, "match:proposed")
    assert undone.fields["outcome"] == "NOT-DONE"
    assert undone.fields["refers"]
