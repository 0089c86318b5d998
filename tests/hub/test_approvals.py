"""Somebody else's agreement, through the front door: refused first, then asked, answered, and used once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from connectors import Answer, Ask, Gatherer
from hub.approvals.stored import name_of
from hub.suspension import restore
from hub.tables import approval_answers, approval_asks, approval_uses, duties, staff, suspensions
from hub.tasks import ANSWERED, ESCALATED, REMINDED
from policies.vocabulary import Role, SealState
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, with_parts
from tests.hub.test_stories import candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
WHY = "Whether the child is safe depends on the treatment of her mother"
YES = "The risk to the child outweighs the refusal for this enquiry"
NO = "The treatment would end if this were passed on to others"
REFUSED = {"purpose": "MASH_SCREENING", "consent": "REFUSED", "consent_giver": "PARENT_WITH_PR"}


@pytest.fixture(autouse=True)
def _nothing_is_asked(house: House) -> Iterator[None]:
    yield
    forget_asks(house)


def forget_asks(house: House) -> None:
    """Takes away whatever was asked and answered."""
    with house.hub.db.writing() as session:
        for table in (approval_uses, approval_answers, approval_asks):
            session.execute(delete(table))
        session.execute(delete(duties).where(duties.c.kind.in_((ANSWERED, REMINDED, ESCALATED))))


def enquire(house: House, **form: str) -> tuple[Visitor, str]:
    visitor, found = open_story(house, "showcase", **form)
    return visitor, choose(visitor, found, candidates(found)[0])


def options(page: str) -> list[str]:
    return re.findall(r'name="what" type="radio" value="([^"]+)"', page)


def asked(visitor: Visitor, enquiry: str, kind: str, about: str | None = None) -> str:
    """Asks for the first agreement of this kind (about this person, as the choice names them)."""
    page = visitor.get(f"{enquiry}/approvals").text
    found = [one for one in options(page) if one.startswith(kind)]
    if about:
        labels = dict(re.findall(r'value="([A-Z_]+:[^"]+)".*?<label[^>]*>\s*([^<]+?)\s*</label>', page, re.S))
        found = [one for one in found if about in labels[one]]
    assert found, page
    answer = visitor.post(f"{enquiry}/approvals", {"what": found[0], "reason": WHY})
    assert answer.status_code == 303, answer.text
    return found[0]


def waiting(visitor: Visitor) -> list[str]:
    return re.findall(r'href="(/approvals/AP-[0-9a-f]{16})"', visitor.get("/approvals").text)


def events(house: House, kind: str) -> list[Any]:
    return [event for event in house.hub.trail.events(0) if event.kind == kind]


def open_once(visitor: Visitor, enquiry: str) -> Any:
    page = visitor.get(f"{enquiry}/approvals").text
    return visitor.client.post(
        f"{enquiry}/approvals/open",
        data={"ask": re.findall(r'name="ask" value="([^"]+)"', page), "csrf_token": visitor.token()},
    )


@on_one_engine
@pytest.mark.parametrize(
    ("typed", "wrong"),
    [({}, {"what"}), ({"what": "OVERRIDE:p0:csc", "reason": WHY}, {"what"}), ({"reason": "urgent"}, {"what"})],
)
def test_nothing_is_asked_without_saying_what(house: House, typed: dict[str, str], wrong: set[str]) -> None:
    visitor, enquiry = enquire(house, **REFUSED)
    visitor.get(f"{enquiry}/approvals")
    page = visitor.post(f"{enquiry}/approvals", typed)
    assert page.status_code == 422
    assert {name for name in ("what", "reason") if f'href="#{name}"' in page.text} == wrong


@on_one_engine
def test_a_request_needs_a_reason_and_is_not_made_twice(house: House) -> None:
    visitor, enquiry = enquire(house, **REFUSED)
    what = options(visitor.get(f"{enquiry}/approvals").text)[0]
    assert visitor.post(f"{enquiry}/approvals", {"what": what, "reason": "urgent"}).status_code == 422
    assert visitor.post(f"{enquiry}/approvals", {"what": what, "reason": WHY}).status_code == 303
    assert what not in options(visitor.get(f"{enquiry}/approvals").text)
    assert visitor.post(f"{enquiry}/approvals", {"what": what, "reason": WHY}).status_code == 403


@on_one_engine
def test_nobody_answers_their_own_request_and_only_a_decision_maker_answers(house: House, gate: Gate) -> None:
    visitor, enquiry = enquire(house, **REFUSED, persona="mash_decision_maker")
    asked(visitor, enquiry, "OVERRIDE")
    assert waiting(visitor) == []
    other = gate.visitor(Role.MASH_DECISION_MAKER)
    (where,) = waiting(other)
    assert visitor.get(where).status_code == 404
    assert visitor.post(where, {"outcome": "GRANTED", "why": YES}).status_code == 404
    assert gate.visitor(Role.SOCIAL_WORKER).post(where, {"outcome": "GRANTED", "why": YES}).status_code == 404
    assert gate.visitor(Role.MASH_DECISION_MAKER, agency="police").get(where).status_code == 404


def test_an_override_opens_the_picture_once_for_who_asked_and_for_four_hours(house: House) -> None:
    visitor, enquiry = enquire(house, **REFUSED)
    before = visitor.get(f"{enquiry}/picture").text
    asked(visitor, enquiry, "OVERRIDE")
    assert "Show it once" not in visitor.get(f"{enquiry}/approvals").text
    maker = house.visitor("mash_decision_maker")
    (where,) = waiting(maker)
    assert WHY in maker.get(where).text
    for typed in ({}, {"outcome": "GRANTED"}, {"outcome": "MAYBE", "why": YES}):
        assert maker.post(where, typed).status_code == 422
    assert maker.post(where, {"outcome": "GRANTED", "why": YES}).status_code == 303
    assert maker.post(where, {"outcome": "GRANTED", "why": YES}).status_code == 404
    assert "Somebody answered your request" in visitor.get("/tasks").text
    # A reload of the ordinary pages uses nothing up and shows nothing more.
    assert len(visitor.get(f"{enquiry}/picture").text) == pytest.approx(len(before), abs=400)
    page = open_once(visitor, enquiry)
    assert page.status_code == 200
    assert "once" in page.text
    assert len(page.text) > len(before) + 1000
    made = events(house, "disclosure:made")[-1]
    assert made.fields["authoriser"]["role"] == "MASH_DECISION_MAKER"
    assert {"P13", "P37"} & set(made.fields["decision"]["rules"])
    alarms = len(events(house, "alarm"))
    with house.hub.db.session() as session:
        ids = list(session.scalars(select(approval_asks.c.id)))
    again = visitor.client.post(f"{enquiry}/approvals/open", data={"ask": ids, "csrf_token": visitor.token()})
    assert again.status_code == 403
    assert [e.fields["reason"] for e in events(house, "alarm")[alarms:]] == ["APPROVAL-NOT-VALID"]


@on_one_engine
def test_an_answer_ends_after_four_hours_and_with_the_role_it_was_given_in(house: House) -> None:
    visitor, enquiry = enquire(house, **REFUSED)
    asked(visitor, enquiry, "OVERRIDE")
    maker = house.visitor("mash_decision_maker")
    (where,) = waiting(maker)
    assert maker.post(where, {"outcome": "GRANTED", "why": YES}).status_code == 303
    assert "Show it once" in visitor.get(f"{enquiry}/approvals").text
    with house.hub.db.session() as session:
        who = session.scalar(select(approval_answers.c.by))
    for role, holds in (("SOCIAL_WORKER", False), ("MASH_DECISION_MAKER", True)):
        with house.hub.db.writing() as session:
            session.execute(update(staff).where(staff.c.user == who).values(role=role))
        assert ("Show it once" in visitor.get(f"{enquiry}/approvals").text) == holds, role
    # An account that was shut since gives nothing any more, nor does one of which nothing is known.
    with house.hub.db.writing() as session:
        session.execute(insert(suspensions).values(user=who, since=house.hub.clock(), alarm="0" * 32))
    assert "Show it once" not in visitor.get(f"{enquiry}/approvals").text
    restore(house.hub, who)
    assert "Show it once" in visitor.get(f"{enquiry}/approvals").text
    with house.hub.db.writing() as session:
        ended = house.hub.clock() - timedelta(seconds=1)
        session.execute(update(approval_answers).values(expires_at=ended))
    page = visitor.get(f"{enquiry}/approvals").text
    assert "Show it once" not in page
    assert "its time is over" in page


@on_one_engine
def test_what_was_agreed_serves_no_other_request_and_the_try_is_an_alarm(house: House, gate: Gate) -> None:
    visitor, enquiry = enquire(house, **REFUSED)
    asked(visitor, enquiry, "OVERRIDE")
    maker = house.visitor("mash_decision_maker")
    (where,) = waiting(maker)
    assert maker.post(where, {"outcome": "GRANTED", "why": YES}).status_code == 303
    with house.hub.db.session() as session:
        (token,) = session.scalars(select(approval_asks.c.id))
        lines = session.scalar(select(approval_asks.c.lines))
    alarms = len(events(house, "alarm"))
    # Another enquiry, another colleague, and the same enquiry when what would be asked is not what was agreed to.
    visitor, other = enquire(house, **REFUSED)
    for who, at in ((visitor, other), (gate.visitor(Role.MASH_SOCIAL_WORKER), enquiry)):
        assert who.post(f"{at}/approvals/open", {"ask": token}).status_code == 403
    changed = [{**line, "hash": "RQ-" + "0" * 32} for line in lines]
    with house.hub.db.writing() as session:
        session.execute(update(approval_asks).values(lines=changed))
    assert visitor.post(f"{enquiry}/approvals/open", {"ask": token}).status_code == 403
    reasons = [e.fields["reason"] for e in events(house, "alarm")[alarms:]]
    assert reasons == ["APPROVAL-NOT-VALID", "APPROVAL-NOT-VALID", "APPROVAL-FOR-ANOTHER-REQUEST"]
    with house.hub.db.session() as session:
        assert session.scalar(select(approval_uses.c.ask)) is None


@on_one_engine
def test_an_override_that_is_refused_opens_nothing_and_is_in_the_register(house: House) -> None:
    visitor, enquiry = enquire(house, **REFUSED)
    asked(visitor, enquiry, "OVERRIDE")
    maker = house.visitor("mash_decision_maker")
    (where,) = waiting(maker)
    assert maker.post(where, {"outcome": "REFUSED", "why": NO}).status_code == 303
    page = visitor.get(f"{enquiry}/approvals").text
    assert "Not approved" in page
    assert "Show it once" not in page
    assert NO in house.visitor("ig_officer").get("/refusals").text
    assert NO not in house.visitor("dpo").get("/refusals").text
    assert events(house, "audit:read")[-1].fields["action"] == "refusals"


def marks(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'name="item-([0-9a-f]{32})"', page)))


def asked_owner(house: House) -> tuple[Visitor, str, str, str]:
    """The social worker asks Fresh Tide about the mother; returns also the owner's page and its address."""
    visitor, enquiry = enquire(house)
    asked(visitor, enquiry, "OWNER_RELEASE", about="Leanne")
    owner = house.visitor("sms_worker")
    (where,) = waiting(owner)
    return visitor, enquiry, where, owner.get(where).text


@on_one_engine
def test_only_the_owner_is_asked_and_sees_only_what_it_holds_itself(house: House, gate: Gate) -> None:
    visitor, enquiry, where, page = asked_owner(house)
    for stranger in (
        gate.visitor(Role.HOUSING_OFFICER, agency="csc"),
        gate.visitor(Role.SUBSTANCE_WORKER, agency="hv"),
        gate.visitor(Role.AGENCY_NAVIGATOR, agency="police"),
    ):
        assert stranger.get(where).status_code == 404
        assert where not in waiting(stranger)
    assert marks(page)
    assert WHY in page
    assert "as your agency knows them" in page
    own = [e for e in events(house, "disclosure:made") if e.fields["recipient"] == "sms"][-1]
    assert own.fields["source"] == ["sms"]
    assert enquiry
    assert visitor


@on_one_engine
def test_an_owner_answers_every_item_and_a_partial_or_no_answer_needs_its_reason(house: House) -> None:
    _, _, where, page = asked_owner(house)
    owner = house.visitor("sms_worker")
    items = marks(page)
    assert owner.post(where, {}).status_code == 422
    everything = {f"item-{mark}": "GRANTED" for mark in items}
    for broken in (
        {f"item-{items[0]}": "REFUSED"},
        {f"item-{items[0]}": "REDACTED", f"why-{items[0]}": NO},
        {f"item-{items[0]}": "MAYBE"},
    ):
        assert owner.post(where, {**everything, **broken}).status_code == 422
    with house.hub.db.session() as session:
        assert session.scalar(select(approval_answers.c.id)) is None


def test_what_an_owner_releases_is_shown_once_and_what_it_does_not_stays_closed(house: House) -> None:
    visitor, enquiry, where, page = asked_owner(house)
    owner = house.visitor("sms_worker")
    items = marks(page)
    first, rest = items[0], items[1:]
    typed = {f"item-{first}": "GRANTED"}
    for mark in rest:
        typed |= {f"item-{mark}": "REFUSED", f"why-{mark}": NO}
    before = visitor.get(f"{enquiry}/picture").text
    assert "Not to be copied" not in before
    assert owner.post(where, typed).status_code == 303
    release = events(house, "owner-release")[-1]
    assert release.fields["custodian"] == "sms"
    assert release.fields["outcome"] == ("GRANTED+PROPOSED" if rest else "GRANTED")
    shown = open_once(visitor, enquiry)
    assert shown.status_code == 200
    assert "Not to be copied" in shown.text
    assert "P22" in events(house, "disclosure:made")[-1].fields["decision"]["rules"]
    kept = [row for row in events(house, "disclosure:made")[-1].fields["data"] if row["agency"] == "sms"]
    assert sum(row["count"] for row in kept) == 1
    assert "Not to be copied" not in visitor.get(f"{enquiry}/picture").text


@on_one_engine
def test_an_owners_refusal_stands_only_with_a_seniors_name(house: House) -> None:
    visitor, enquiry, where, page = asked_owner(house)
    owner = house.visitor("sms_worker")
    typed = {}
    for mark in marks(page):
        typed |= {f"item-{mark}": "REFUSED", f"why-{mark}": NO}
    assert owner.post(where, typed).status_code == 303
    assert "Waits for an answer" in visitor.get(f"{enquiry}/approvals").text
    assert NO not in house.visitor("ig_officer").get("/refusals").text
    assert owner.get(where).status_code == 404
    assert owner.post(where, {"outcome": "GRANTED", "why": YES}).status_code == 404
    senior = house.visitor("sms_guardian")
    assert waiting(senior) == [where]
    assert NO in senior.get(where).text
    assert senior.post(where, {"outcome": "GRANTED"}).status_code == 422
    assert senior.post(where, {"outcome": "GRANTED", "why": YES}).status_code == 303
    page = visitor.get(f"{enquiry}/approvals").text
    assert "Answered: nothing is released" in page
    assert "Not approved" not in page
    register = house.visitor("ig_officer").get("/refusals").text
    for part in (NO, "Lou Pettifer", "Maureen Ashdown", "Caldicott Guardian"):
        assert part in register


@on_one_engine
def test_a_senior_may_let_it_go_after_all(house: House) -> None:
    visitor, enquiry, where, page = asked_owner(house)
    typed = {}
    for mark in marks(page):
        typed |= {f"item-{mark}": "REFUSED", f"why-{mark}": NO}
    assert house.visitor("sms_worker").post(where, typed).status_code == 303
    assert house.visitor("sms_guardian").post(where, {"outcome": "REFUSED", "why": YES}).status_code == 303
    assert "Not to be copied" in open_once(visitor, enquiry).text


@on_one_engine
def test_a_part_that_was_not_released_is_not_shown(house: House) -> None:
    visitor, enquiry, where, page = asked_owner(house)
    typed: dict[str, str] = {}
    for mark in marks(page):
        names = re.findall(rf'name="fields-{mark}" type="checkbox" value="([^"]+)"', page)
        typed |= {f"item-{mark}": "REDACTED", f"why-{mark}": NO, f"fields-{mark}": names[0]}
    assert house.visitor("sms_worker").post(where, typed).status_code == 303
    assert open_once(visitor, enquiry).status_code == 200
    for row in events(house, "disclosure:made")[-1].fields["data"]:
        if row["agency"] == "sms":
            assert len(row["fields"]) == 1


@on_one_engine
def test_at_half_of_the_time_the_owner_is_reminded_and_at_the_end_its_senior_is_told(house: House) -> None:
    _, _, where, page = asked_owner(house)
    with house.hub.db.session() as session:
        row = session.execute(select(approval_asks)).mappings().one()
    assert row["due_at"] - row["asked_at"] == timedelta(hours=4)
    assert row["remind_at"] - row["asked_at"] == timedelta(hours=2)

    def kinds() -> set[str]:
        waiting(house.visitor("sms_worker"))
        with house.hub.db.session() as session:
            return set(session.scalars(select(duties.c.kind).where(duties.c.refers == row["id"])))

    for hours, expected in ((1.9, set()), (2.0, {REMINDED}), (4.0, {REMINDED, ESCALATED})):
        with house.hub.db.writing() as session:
            asked_at = house.hub.clock() - timedelta(hours=hours)
            session.execute(
                update(approval_asks).values(
                    asked_at=asked_at, remind_at=asked_at + timedelta(hours=2), due_at=asked_at + timedelta(hours=4)
                )
            )
        assert kinds() == expected
    assert "was not answered in time" in house.visitor("sms_guardian").get("/tasks").text
    assert "was not answered in time" not in house.visitor("sms_worker").get("/tasks").text
    everything = {f"item-{mark}": "GRANTED" for mark in marks(page)}
    assert house.visitor("sms_worker").post(where, everything).status_code == 303
    assert "was not answered in time" not in house.visitor("sms_guardian").get("/tasks").text


@on_one_engine
def test_an_owner_that_holds_nothing_says_so(house: House) -> None:
    visitor, enquiry = enquire(house)
    page = visitor.get(f"{enquiry}/approvals").text
    assert page
    owner = house.visitor("sms_worker")
    labels = re.findall(r'value="(OWNER_RELEASE:[^"]+)".*?<label[^>]*>\s*([^<:]+)', page, re.S)
    for what, _who in labels:
        assert visitor.post(f"{enquiry}/approvals", {"what": what, "reason": WHY}).status_code == 303
    empty = [where for where in waiting(owner) if not marks(owner.get(where).text)]
    assert empty
    assert owner.post(empty[0], {}).status_code == 422
    assert owner.post(empty[0], {"nothing": "yes"}).status_code == 303
    page = visitor.get(f"{enquiry}/approvals").text
    assert "Answered: nothing is released" in page
    assert "Show it once" not in page


def _answered(house: House, enquiry: str, visitor: Visitor, persona: str, *rows: dict[str, Any]) -> str:
    """The asker's page when whoever asked is of this role and the owner gave these answers."""
    with house.hub.db.writing() as session:
        ask = session.scalar(select(approval_asks.c.id))
        session.execute(delete(approval_answers))
        session.execute(update(approval_asks).values(asked_role=persona))
        given = {"ask": ask, "by": "w", "by_agency": "sms", "by_role": "SUBSTANCE_WORKER", "at": house.hub.clock()}
        given |= {"fields": None, "sealed_why": None, "call_back": False, "signed_for": None, "receipt": "0" * 32}
        given |= {"by_role_until": None}
        session.execute(insert(approval_answers), [given | row for row in rows])
    page = visitor.get(f"{enquiry}/approvals").text
    # What differs at every load of one and the same page: the form's token, and its own receipt.
    page = re.sub(r'(nonce|name="csrf_token" value)="[^"]*"', "", page)
    return re.sub(r'<p class="kith-receipt">.*?</p>', "", page, flags=re.S)


@on_one_engine
def test_a_refusal_and_nothing_held_are_one_page_to_all_but_a_decision_maker(house: House) -> None:
    visitor, enquiry, _, _ = asked_owner(house)
    later = house.hub.clock() + timedelta(hours=1)
    none_held = {"part": "", "step": 1, "category": None, "outcome": "GRANTED", "expires_at": later}
    part = {"part": "a" * 32, "category": "SUBSTANCE_MISUSE", "expires_at": None}
    refused = ({**part, "step": 1, "outcome": "PROPOSED"}, {**part, "step": 2, "outcome": "REFUSED"})
    pages = [_answered(house, enquiry, visitor, "MASH_SOCIAL_WORKER", *rows) for rows in ((none_held,), refused)]
    assert pages[0] == pages[1]
    assert "Answered: nothing is released" in pages[0]
    assert "Show it once" not in pages[0]
    told = _answered(house, enquiry, visitor, "MASH_DECISION_MAKER", *refused)
    assert "Not approved" in told
    assert "is not released" in told


@on_one_engine
def test_nobody_answers_their_own_request_under_a_second_account(house: House, gate: Gate) -> None:
    visitor, enquiry = enquire(house, **REFUSED)
    asked(visitor, enquiry, "OVERRIDE")
    with house.hub.db.session() as session:
        name = name_of(house.hub, session.scalar(select(approval_asks.c.asked_by)) or "")
        ask = session.scalar(select(approval_asks.c.id))
    second = gate.visitor(Role.MASH_DECISION_MAKER, name=name.upper())
    assert waiting(second) == []
    assert second.get(f"/approvals/{ask}").status_code == 404
    assert second.post(f"/approvals/{ask}", {"outcome": "GRANTED", "why": YES}).status_code == 404
    assert waiting(gate.visitor(Role.MASH_DECISION_MAKER, name="Another Person")) == [f"/approvals/{ask}"]


class Sealing:
    """Partners as they are, but one of them seals whatever it sends until it lets it go (rule P23)."""

    def __init__(self, inner: Gatherer, agency: str) -> None:
        self.inner, self.agency = inner, agency

    def gather(self, asks: Sequence[Ask]) -> dict[tuple[str, str], Answer]:
        return {
            place: replace(answer, items=tuple(replace(item, seal=SealState.SEALED) for item in answer.items))
            if answer.agency == self.agency
            else answer
            for place, answer in self.inner.gather(asks).items()
        }


@on_one_engine
def test_what_a_partner_sends_sealed_can_be_asked_for_and_opens_item_by_item(house: House) -> None:
    sealing = with_parts(house, gatherer=Sealing(house.hub.gatherer, "police"))
    visitor, enquiry = enquire(sealing)
    assert not [one for one in options(visitor.get(f"{enquiry}/approvals").text) if one.endswith(":police")]
    page = visitor.get(f"{enquiry}/picture").text
    assert "Something here is sealed" in page
    before = [row for row in events(house, "disclosure:made")[-1].fields["data"] if row["agency"] == "police"]
    asks = [one for one in options(visitor.get(f"{enquiry}/approvals").text) if one.endswith(":police")]
    assert asks
    assert visitor.post(f"{enquiry}/approvals", {"what": asks[0], "reason": WHY}).status_code == 303
    owner = sealing.visitor("police_navigator")
    (where,) = waiting(owner)
    items = marks(owner.get(where).text)
    typed = {f"item-{items[0]}": "GRANTED"}
    for mark in items[1:]:
        typed |= {f"item-{mark}": "REFUSED", f"why-{mark}": NO}
    assert owner.post(where, typed).status_code == 303
    assert open_once(visitor, enquiry).status_code == 200
    shown = [row for row in events(house, "disclosure:made")[-1].fields["data"] if row["agency"] == "police"]
    assert sum(row["count"] for row in shown) == sum(row["count"] for row in before) + 1
    # Used once: the next look is sealed again.
    visitor.get(f"{enquiry}/picture")
    again = [row for row in events(house, "disclosure:made")[-1].fields["data"] if row["agency"] == "police"]
    assert sum(row["count"] for row in again) == sum(row["count"] for row in before)


@on_one_engine
def test_nobody_asks_for_what_they_were_not_told_is_sealed(house: House) -> None:
    visitor, enquiry = enquire(house)
    visitor.get(f"{enquiry}/picture")
    page = visitor.get(f"{enquiry}/approvals").text
    assert not [one for one in options(page) if one.endswith(":police")]
    person = re.findall(r'value="OWNER_RELEASE:([^:"]+):', page)[0]
    forged = {"what": f"OWNER_RELEASE:{person}:police", "reason": WHY}
    assert visitor.post(f"{enquiry}/approvals", forged).status_code == 422
