"""Every recorded decision is made again and gives the same answer; what was altered, erased or taken away is said."""

import secrets
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, text, update

from audit import Entry, TrailUnavailable
from hub import decisions, disclosure, finding, questions
from hub.assembly import Hub
from hub.commands.demo import open_story
from hub.context import RequestContext
from hub.decisions import again
from hub.decisions.tables import decision_records, policy_bundles
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.enquiries import Enquiry
from hub.errors import NotFound
from hub.keys import HUB
from policies.vocabulary import Outcome
from tests.conftest import House
from tests.hub.conftest import newest


def context(hub: Hub, story: str) -> RequestContext:
    return persona_context(STORIES[story].persona, now=hub.clock(), request_id=secrets.token_hex(16))


def opened(hub: Hub, story: str) -> tuple[RequestContext, Enquiry]:
    ctx = context(hub, story)
    enquiry = open_story(hub, ctx, story)
    return ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry


@pytest.fixture
def since(house: House) -> datetime:
    """From now on: what other tests decided is theirs."""
    return house.hub.clock()


def made_now(house: House, since: datetime) -> decisions.Replayed:
    return decisions.replay(house.hub, since=since)


def a_page(house: House, story: str = "showcase") -> Entry:
    ctx, enquiry = opened(house.hub, story)
    disclosure.family_picture(house.hub, ctx, enquiry)
    return newest(house.hub, "disclosure:made")


@pytest.mark.parametrize("story", ["showcase", "shielded", "young_person_refuses", "own_record"])
def test_each_decision_of_a_page_is_the_same_when_it_is_made_again(house: House, since: datetime, story: str) -> None:
    ctx, enquiry = opened(house.hub, story)
    disclosure.known_to(house.hub, ctx, enquiry)
    disclosure.family_picture(house.hub, ctx, enquiry)
    found = made_now(house, since)
    assert found.agrees
    assert found.events >= 3  # the search, the matrix, the picture
    assert set(found.decisions) == {"same"}
    assert found.decisions["same"] >= 20


def test_a_gp_check_and_a_search_that_found_nobody_are_recorded_too(house: House, since: datetime) -> None:
    ctx = context(house.hub, "package_current")
    questions.package_check(house.hub, ctx, STORIES["package_current"].nhs_number or "")
    ctx, enquiry = opened(house.hub, "showcase")
    finding.find_person(house.hub, ctx, enquiry, "Abernethy-Quux Zebedee 1 1 2011")
    found = made_now(house, since)
    assert found.agrees
    assert found.events == 3


def test_the_record_of_a_page_has_what_the_trail_says_was_decided(house: House) -> None:
    entry = a_page(house)
    page = decisions.page_of(house.hub, entry)
    shown = {one.request.owner.agency for one in page.made if one.decision.outcome == Outcome.PERMIT}
    assert {row["agency"] for row in entry.fields["data"]} <= shown
    rules = {rule for one in page.made for rule in one.decision.rules}
    assert set(entry.fields["decision"]["rules"]) <= rules
    assert max(page.people) == len(entry.subjects) - 1


def test_no_persons_id_is_in_a_record_even_when_it_is_opened(house: House) -> None:
    entry = a_page(house)
    page = decisions.page_of(house.hub, entry)
    told = repr(page.made)
    with house.hub.db.session() as session:
        people = set(session.scalars(text("SELECT DISTINCT person FROM enquiry_persons")))
    assert people
    assert not [person for person in people if person in told]
    assert "P-0" in told


def test_nothing_is_shown_when_what_it_was_decided_by_cannot_be_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, enquiry = opened(house.hub, "showcase")

    def full(*_: object, **__: object) -> None:
        raise TrailUnavailable("full")

    monkeypatch.setattr(house.hub.subject_keys, "seal", full)
    with pytest.raises(TrailUnavailable):
        disclosure.family_picture(house.hub, ctx, enquiry)


def test_an_altered_record_is_named_and_not_believed(house: House, since: datetime) -> None:
    entry = a_page(house)
    own = decision_records.c.eid == entry.eid
    with house.hub.db.writing() as session:
        sealed = session.execute(select(decision_records.c.sealed).where(own)).scalar_one()
        plain = house.hub.keys.open(HUB, sealed, "decisions:" + entry.eid)
        other = house.hub.keys.seal(HUB, plain, "decisions:" + entry.eid)
        session.execute(update(decision_records).where(own).values(sealed=other))
    try:
        found = made_now(house, since)
        assert found.altered == [entry.eid]
        assert not found.agrees
        with pytest.raises(NotFound):
            decisions.page_of(house.hub, entry)
    finally:
        with house.hub.db.writing() as session:
            session.execute(update(decision_records).where(own).values(sealed=sealed))


def test_a_record_that_was_taken_away_is_named(house: House, since: datetime) -> None:
    entry = a_page(house)
    with house.hub.db.writing() as session:
        row = session.execute(select(decision_records).where(decision_records.c.eid == entry.eid)).mappings().one()
        session.execute(delete(decision_records).where(decision_records.c.eid == entry.eid))
    try:
        assert made_now(house, since).altered == [entry.eid]
    finally:
        with house.hub.db.writing() as session:
            session.execute(decision_records.insert(), dict(row))


def test_a_bundle_that_was_altered_decides_nothing(house: House, since: datetime) -> None:
    entry = a_page(house)
    name = entry.fields["decision"]["bundle"]
    with house.hub.db.writing() as session:
        whole = session.execute(select(policy_bundles.c.text).where(policy_bundles.c.bundle == name)).scalar_one()
        session.execute(update(policy_bundles).values(text=whole.replace("HOUSING", "EDUCATION")))
    try:
        found = made_now(house, since)
        assert set(found.decisions) == {"unreadable"}
    finally:
        with house.hub.db.writing() as session:
            session.execute(update(policy_bundles).where(policy_bundles.c.bundle == name).values(text=whole))


def test_whoever_is_erased_takes_their_decisions_along_and_nobody_elses(house: House, since: datetime) -> None:
    ctx, enquiry = opened(house.hub, "showcase")
    picture, _ = disclosure.family_picture(house.hub, ctx, enquiry)
    before = made_now(house, since).decisions
    person = next(one.id for one in picture.people if not one.is_subject)
    house.hub.subject_keys.erase(person, sorted(house.hub.subject_keys.months_of(house.hub.subject_keys.mark(person))))
    found = made_now(house, since)
    assert found.agrees
    assert 0 < found.decisions["erased"] < before["same"]
    assert found.decisions.total() == before.total()


def test_another_answer_by_the_same_rules_is_a_fault_and_by_other_rules_is_none(
    house: House, since: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = a_page(house)

    def forgetful(request: object) -> object:
        return replace(again_decide(request), rules=())  # type: ignore[type-var]

    again_decide = again.decide
    monkeypatch.setattr(again, "decide", forgetful)
    found = made_now(house, since)
    assert entry.eid in found.differing
    assert not found.agrees
    monkeypatch.setattr(again, "rules_hash", lambda: "of a later release")
    found = made_now(house, since)
    assert found.agrees
    assert set(found.decisions) == {"other rules"}


def test_a_record_goes_with_its_month_and_then_counts_as_erased(house: House) -> None:
    hub = house.hub
    house.clock.ahead = timedelta(days=-400)
    month = f"{house.clock():%Y-%m}"
    ctx = replace(context(hub, "showcase"), now=house.clock())
    since = house.clock() - timedelta(seconds=1)
    row = decisions.keep(replace(hub, clock=house.clock), ctx, "ab" * 16, [], people=[])
    assert len(row) == 64
    decisions.forget_month(hub, ctx.actor.agency, month)
    with hub.db.session() as session:
        assert session.execute(select(decision_records).where(decision_records.c.eid == "ab" * 16)).first() is None
    assert list(decisions.pages(hub, since=since, until=since + timedelta(seconds=5))) == []
