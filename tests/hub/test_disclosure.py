"""The way of one request, through its own door: refusals first, then what is shown, always with its trail."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from audit import TrailUnavailable
from connectors import Answer, Ask, Connector, Coverage, Gatherer, Partner, PersonQuery, Promise, SourceRecord
from hub import disclosure, enquiries, finding, questions
from hub.assembly import Hub
from hub.context import RequestContext
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.enquiries import Enquiry, EnquiryForm
from hub.errors import FormRefused, NotForYou, NotFound
from hub.picture import FamilyPicture
from policies.vocabulary import (
    AnswerState,
    ConsentState,
    GiverCapacity,
    GpAnswer,
    MatchState,
    Purpose,
    ReasonCode,
    Threshold,
)
from tests.conftest import House

REASON = "A neighbour rang about shouting and a crying child"


class Counted:
    """A partner as it is, with every question counted."""

    def __init__(self, real: Connector, asked: list[Ask]) -> None:
        self.partner: Partner = real.partner
        self._real, self._asked = real, asked

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        return self._real.find(query, promise=promise, deadline_s=deadline_s)

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        self._asked.append(ask)
        return self._real.known_to(ask, deadline_s=deadline_s)

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        self._asked.append(ask)
        return self._real.fetch(ask, deadline_s=deadline_s)

    def coverage(self) -> Coverage:
        return self.partner.coverage


class Answering(Counted):
    """A partner that always gives this answer."""

    def __init__(self, real: Connector, asked: list[Ask], answer: Answer) -> None:
        super().__init__(real, asked)
        self._answer = answer

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        self._asked.append(ask)
        return replace(self._answer, agency=ask.agency, person=ask.person)

    known_to = fetch


@dataclass
class Desk:
    """The hub with every partner's questions counted."""

    hub: Hub
    asked: list[Ask]
    user: str

    def context(self, persona: str) -> RequestContext:
        ctx = persona_context(persona, now=self.hub.clock(), request_id=secrets.token_hex(16))
        return replace(ctx, actor=replace(ctx.actor, id=self.user))

    def open(
        self,
        purpose: Purpose,
        persona: str = "mash_social_worker",
        *,
        threshold: Threshold | None = None,
        consent: ConsentState | None = None,
        reason: ReasonCode | None = None,
        giver: GiverCapacity | None = None,
    ) -> tuple[RequestContext, Enquiry]:
        ctx = self.context(persona)
        form = EnquiryForm(purpose, "REF/1", REASON, threshold, consent, reason, giver)
        enquiry = enquiries.open_enquiry(self.hub, ctx, form)
        return ctx.for_purpose(purpose, enquiry=enquiry.id), enquiry

    def confirm(self, ctx: RequestContext, enquiry: Enquiry, typed: str) -> Enquiry:
        found = finding.find_person(self.hub, ctx, enquiry, typed)
        enquiries.confirm_subject(self.hub, ctx, enquiry, found.candidates[0].person)
        return enquiries.enquiry_of(self.hub, ctx, enquiry.id)

    def s47(self, story: str = "showcase", persona: str = "mash_social_worker") -> tuple[RequestContext, Enquiry]:
        ctx, enquiry = self.open(Purpose.S47_ENQUIRY, persona, threshold=Threshold.S47_DECISION)
        return ctx, self.confirm(ctx, enquiry, named(story))

    def with_partner(self, code: str, answer: Answer) -> Hub:
        connectors = {**self.hub.connectors, code: Answering(self.hub.connectors[code], self.asked, answer)}
        return replace(self.hub, gatherer=Gatherer(connectors, total_s=3.0, each_s=1.5))


def named(story: str) -> str:
    told = STORIES[story]
    return f"{told.name} {told.nhs_number or ''}"


def states(picture: FamilyPicture, agency: str) -> dict[str, AnswerState]:
    labels = {person.id: person.label.split()[0] for person in picture.people}
    return {labels[cell.person]: cell.state for cell in picture.cells if cell.agency == agency}


def everything_in(picture: FamilyPicture) -> str:
    return repr(picture)


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    asked: list[Ask] = []
    connectors = {code: Counted(real, asked) for code, real in house.hub.connectors.items()}
    gatherer = Gatherer(connectors, total_s=3.0, each_s=1.5)
    yield Desk(replace(house.hub, connectors=connectors, gatherer=gatherer), asked, "US-" + secrets.token_hex(8))
    gatherer.close()


def kinds_since(desk: Desk, index: int) -> list[str]:
    return [entry.kind for entry in desk.hub.trail.events(index)]


# --- refusals ---------------------------------------------------------------------------------------------------


def test_when_the_trail_cannot_be_written_nobody_is_asked_and_nothing_is_shown(desk: Desk) -> None:
    ctx, enquiry = desk.s47()

    class Unwritable:
        """A trail whose disk is full: it refuses as the real one does."""

        def append(self, *_args: object, **_fields: object) -> None:
            raise TrailUnavailable("The trail cannot be written.")

    desk.asked.clear()
    with pytest.raises(TrailUnavailable):
        disclosure.family_picture(replace(desk.hub, trail=Unwritable()), ctx, enquiry)  # type: ignore[arg-type]
    assert desk.asked == []


def test_when_the_outcome_cannot_be_written_what_partners_answered_is_not_shown(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    real = desk.hub.trail

    class FillsUp:
        """A disk that takes the intent and is then full."""

        promise = staticmethod(real.promise)

        def append(self, kind: str, **fields: object) -> object:
            if kind != "disclosure:requested":
                raise TrailUnavailable("The trail cannot be written.")
            return real.append(kind, **fields)  # type: ignore[arg-type]

    desk.asked.clear()
    with pytest.raises(TrailUnavailable):
        disclosure.family_picture(replace(desk.hub, trail=FillsUp()), ctx, enquiry)  # type: ignore[arg-type]
    assert desk.asked != []


def test_below_the_threshold_no_partner_is_asked_before_consent_was_decided(desk: Desk) -> None:
    ctx, enquiry = desk.open(Purpose.MASH_SCREENING)
    enquiry = desk.confirm(ctx, enquiry, named("showcase"))
    desk.asked.clear()
    picture, _ = disclosure.family_picture(desk.hub, ctx, enquiry)
    assert {ask.agency for ask in desk.asked} <= {"csc"}  # The worker's own agency needs no consent (C03).
    assert set(states(picture, "police").values()) == {AnswerState.WITHHELD}


def test_a_decision_not_to_ask_that_is_unsafe_lets_partners_be_asked(desk: Desk) -> None:
    ctx, enquiry = desk.open(
        Purpose.MASH_SCREENING, consent=ConsentState.NOT_SOUGHT_UNSAFE, reason=ReasonCode.RISK_TO_ANYONE
    )
    enquiry = desk.confirm(ctx, enquiry, named("twins"))
    picture, _ = disclosure.known_to(desk.hub, ctx, enquiry)
    assert AnswerState.WITHHELD not in states(picture, "gp-harbourside").values()


def test_a_refusal_by_a_parent_is_not_overridden_by_the_worker_alone(desk: Desk) -> None:
    ctx, enquiry = desk.open(Purpose.MASH_SCREENING, consent=ConsentState.REFUSED, giver=GiverCapacity.PARENT_WITH_PR)
    enquiry = desk.confirm(ctx, enquiry, named("twins"))
    picture, _ = disclosure.known_to(desk.hub, ctx, enquiry)
    assert states(picture, "gp-millbrook")["Tiwa"] == AnswerState.WITHHELD


def test_an_enquiry_of_another_agency_is_not_there(desk: Desk) -> None:
    _, enquiry = desk.s47()
    with pytest.raises(NotFound):
        enquiries.enquiry_of(desk.hub, desk.context("police_navigator"), enquiry.id)


def test_a_role_that_may_not_claim_the_purpose_does_not_find_the_enquiry(desk: Desk) -> None:
    _, enquiry = desk.s47()
    with pytest.raises(NotFound):
        enquiries.enquiry_of(desk.hub, desk.context("family_keyworker"), enquiry.id)


def test_an_enquiry_stays_about_the_person_it_was_opened_for(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    with pytest.raises(NotForYou):
        enquiries.confirm_subject(desk.hub, ctx, enquiry, "somebody-else")


def test_substance_misuse_is_neither_shown_nor_given_away_without_a_release(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    desk.asked.clear()
    picture, _ = disclosure.family_picture(desk.hub, ctx, enquiry)
    assert all(ask.agency != "sms" for ask in desk.asked)
    shown = set(states(picture, "sms").values())
    assert shown <= {AnswerState.WITHHELD, AnswerState.NOT_ASKED}
    facts = [fact for person in picture.people for fact in person.facts]
    assert all(fact.agency != "sms" for fact in facts)
    assert all(event.agency != "sms" for event in picture.events)


def test_a_worker_never_finds_their_own_record(house: House) -> None:
    visitor = house.visitor("worker_who_is_a_subject")
    told = STORIES["own_record"]
    page = visitor.post(
        "/enquiries/new",
        {
            "purpose": "MASH_SCREENING",
            "reference": "REF/2",
            "rationale": REASON,
            "consent": "NOT_SOUGHT_NOT_REQUIRED",
            "reason_code": "INFORM_NOT_ASK",
            "who": f"{told.name} {told.nhs_number}",
        },
    )
    assert page.status_code == 200
    assert "Nobody found" in page.text
    alarms = [entry for entry in house.hub.trail.events(0) if entry.kind == "alarm"]
    assert any("P33" in entry.fields["reason"] for entry in alarms)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("999 700 0049", "check digit"),
        ("Maisie Tarrant 31/2/2019", "not a real date"),
        ("", "Enter a name"),
        ("TH4 2QN", "Addresses"),
        ("Maisie Tarrant 31 2 2019", "not a real date"),
    ],
)
def test_a_search_that_cannot_be_used_says_why(desk: Desk, typed: str, sentence: str) -> None:
    ctx, enquiry = desk.open(Purpose.S47_ENQUIRY, threshold=Threshold.S47_DECISION)
    with pytest.raises(FormRefused) as refused:
        finding.find_person(desk.hub, ctx, enquiry, typed)
    assert sentence in refused.value.errors["who"]


def test_a_search_that_is_too_wide_shows_nobody_and_says_what_to_add(desk: Desk) -> None:
    ctx, enquiry = desk.open(Purpose.S47_ENQUIRY, threshold=Threshold.S47_DECISION)
    found = finding.find_person(desk.hub, ctx, enquiry, "Smith")
    assert found.candidates == ()
    assert "date of birth" in (found.advice or "")


def test_searches_run_out(desk: Desk) -> None:
    hub = replace(desk.hub, settings=replace(desk.hub.settings, searches_per_hour=2))
    ctx = persona_context("housing_navigator", now=hub.clock(), request_id=secrets.token_hex(16))
    form = EnquiryForm(Purpose.S47_ENQUIRY, "REF/3", REASON, Threshold.S47_DECISION, None, None, None)
    enquiry = enquiries.open_enquiry(hub, ctx, form)
    for _ in range(2):
        finding.find_person(hub, ctx, enquiry, "Nobody Atall 1 1 2001")
    with pytest.raises(FormRefused, match="problem"):
        finding.find_person(hub, ctx, enquiry, "Nobody Atall 1 1 2001")


# --- what is shown ----------------------------------------------------------------------------------------------


def test_the_showcase_family_is_whole_and_every_kind_of_agency_answers(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    picture, receipt = disclosure.family_picture(desk.hub, ctx, enquiry)
    assert {p.label.split()[0] for p in picture.people} >= {"Jayden", "Alfie", "Leanne", "Craig", "Maureen"}
    assert len(picture.people) == 6
    found = {cell.agency for cell in picture.cells if cell.state == AnswerState.FOUND}
    assert found >= {"csc", "asc", "police", "gp-harbourside", "hv", "housing"}
    assert all(fact.agency for person in picture.people for fact in person.facts)
    assert any(c.name == "date_of_birth" for p in picture.people if p.is_subject for c in p.conflicts)
    assert {event.part for event in picture.events} >= {"victim", "suspect", "witness"}
    assert desk.hub.trail.receipt(receipt.eid).index > 0


def test_treatment_and_narrative_never_pass_whatever_a_partner_sends(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    picture, _ = disclosure.family_picture(desk.hub, ctx, enquiry)
    facts = [fact for p in picture.people for fact in p.facts] + [f for e in picture.events for f in e.facts]
    from_partners = {fact.name for fact in facts if fact.agency != ctx.actor.agency}
    assert not from_partners & {"treatment", "narrative", "third_party"}
    assert "referrer" not in {fact.name for fact in facts}


def test_the_intent_stands_in_the_trail_before_the_outcome_and_both_name_no_content(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    before = desk.hub.trail.head().size
    picture, receipt = disclosure.family_picture(desk.hub, ctx, enquiry)
    entries = list(desk.hub.trail.events(before))
    assert [entry.kind for entry in entries] == ["disclosure:requested", "disclosure:made"]
    assert entries[1].eid == receipt.eid
    assert entries[1].fields["refers"] == [entries[0].eid]
    for person in picture.people:
        for entry in entries:
            assert person.label.encode() not in entry.envelope
            assert person.id.encode() not in entry.envelope


def test_an_empty_search_is_in_the_trail_too(desk: Desk) -> None:
    ctx, enquiry = desk.open(Purpose.S47_ENQUIRY, threshold=Threshold.S47_DECISION)
    before = desk.hub.trail.head().size
    found = finding.find_person(desk.hub, ctx, enquiry, "Zebedee Quux 1 1 1999")
    assert found.candidates == ()
    (entry,) = desk.hub.trail.events(before)
    assert (entry.kind, entry.fields["outcome"]) == ("search", "FOUND-0")


def test_at_most_ten_candidates_each_explained(desk: Desk) -> None:
    ctx, enquiry = desk.open(Purpose.S47_ENQUIRY, threshold=Threshold.S47_DECISION)
    found = finding.find_person(desk.hub, ctx, enquiry, STORIES["showcase"].search)
    assert 1 <= len(found.candidates) <= 10
    assert all(candidate.reasons for candidate in found.candidates)


NO_ANSWER = Answer("", "", AnswerState.NO_ANSWER, reason="TIMEOUT")


def test_a_partner_that_does_not_answer_costs_its_own_tile(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    picture, _ = disclosure.known_to(desk.with_partner("police", NO_ANSWER), ctx, enquiry)
    assert set(states(picture, "police").values()) == {AnswerState.NO_ANSWER}
    assert AnswerState.FOUND in states(picture, "housing").values()
    card = next(agency for agency in picture.agencies if agency.code == "police")
    assert card.contact.in_hours.startswith("01632")


def test_a_record_that_may_be_somebody_else_is_not_shown(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    unsure = Answer("", "", AnswerState.FOUND, match=MatchState.UNCONFIRMED)
    picture, _ = disclosure.known_to(desk.with_partner("police", unsure), ctx, enquiry)
    assert AnswerState.FOUND not in states(picture, "police").values()


def test_looking_twice_tells_an_owner_once(desk: Desk) -> None:
    from sqlalchemy import func, select

    from hub.tables import duties

    ctx, enquiry = desk.s47()

    def told() -> int:
        with desk.hub.db.session() as session:
            query = select(func.count()).select_from(duties).where(duties.c.enquiry == enquiry.id)
            return int(session.execute(query).scalar_one())

    disclosure.known_to(desk.hub, ctx, enquiry)
    once = told()
    disclosure.known_to(desk.hub, ctx, enquiry)
    assert once > 0
    assert told() == once


# --- the GP check -----------------------------------------------------------------------------------------------

GP_CASES = [
    ("package_objection", "gp_millbrook", GpAnswer.NOT_AVAILABLE),
    ("package_other_list", "gp_millbrook", GpAnswer.NOT_AVAILABLE),
    ("package_current", "gp_harbourside", GpAnswer.NOT_AVAILABLE),
    ("package_current", "gp_millbrook", GpAnswer.YES),
    ("package_ended", "gp_millbrook", GpAnswer.NO),
    ("package_other_list", "gp_harbourside", GpAnswer.YES),
]


@pytest.mark.parametrize(("story", "persona", "answer"), GP_CASES)
def test_the_gp_check_gives_one_of_five_answers(desk: Desk, story: str, persona: str, answer: GpAnswer) -> None:
    check = questions.package_check(desk.hub, desk.context(persona), STORIES[story].nhs_number or "")
    assert check.answer == answer
    assert check.phone == "01632 960299"
    assert (check.as_of is None) == (answer == GpAnswer.NOT_AVAILABLE)


def test_social_care_that_does_not_answer_is_never_a_no(desk: Desk) -> None:
    hub = desk.with_partner("asc", NO_ANSWER)
    check = questions.package_check(hub, desk.context("gp_millbrook"), STORIES["package_current"].nhs_number or "")
    assert check.answer == GpAnswer.NOT_REACHED


def test_an_uncertain_match_is_never_a_no(desk: Desk) -> None:
    hub = desk.with_partner("asc", Answer("", "", AnswerState.FOUND, match=MatchState.UNCONFIRMED))
    check = questions.package_check(hub, desk.context("gp_millbrook"), STORIES["package_current"].nhs_number or "")
    assert check.answer == GpAnswer.MATCH_UNCONFIRMED


def test_off_list_unknown_and_objecting_patients_get_the_same_page(house: House) -> None:
    visitor = house.visitor("gp_millbrook")
    stories = ("package_objection", "package_other_list", "shielded")
    numbers = [*(STORIES[story].nhs_number for story in stories), "9990000018"]
    pages = [visitor.post("/gp-check", {"nhs_number": number or ""}) for number in numbers]
    assert [page.status_code for page in pages] == [200, 200, 200, 200]
    assert len({without_receipt(page.text) for page in pages}) == 1


def without_receipt(page: str) -> str:
    import re

    page = re.sub(r"[0-9a-f]{32}", "EID", page)
    page = re.sub(r'kith-code">[0-9a-f]{8}<', 'kith-code">EID<', page)
    page = re.sub(r"nonce-[\w-]+|nonce=\"[^\"]+\"", "", page)
    return re.sub(r"recorded [^<]+<", "recorded <", page)


def test_after_three_off_list_checks_information_governance_is_told(desk: Desk) -> None:
    before = desk.hub.trail.head().size
    ctx = desk.context("gp_harbourside")
    for _ in range(4):
        questions.package_check(desk.hub, ctx, STORIES["package_current"].nhs_number or "")
    alarms = [entry for entry in desk.hub.trail.events(before) if entry.kind == "alarm"]
    assert len(alarms) == 1


@pytest.mark.parametrize("typed", ["", "123", "999 700 0391", "Dorothy Pemberton"])
def test_what_is_not_an_nhs_number_is_said_so(desk: Desk, typed: str) -> None:
    with pytest.raises(FormRefused):
        questions.package_check(desk.hub, desk.context("gp_millbrook"), typed)


def test_an_expired_agreement_stops_the_check_at_once(desk: Desk, house: House) -> None:
    house.clock.ahead = timedelta(days=365 * 3)
    try:
        check = questions.package_check(
            desk.hub, desk.context("gp_millbrook"), STORIES["package_current"].nhs_number or ""
        )
    finally:
        house.clock.ahead = None
    assert check.answer == GpAnswer.NOT_AVAILABLE


def test_checks_faster_than_a_person_types_are_held_back_and_told_once(desk: Desk) -> None:
    before = desk.hub.trail.head().size
    number = STORIES["package_ended"].nhs_number or ""
    for _ in range(20):
        questions.package_check(desk.hub, desk.context("gp_millbrook"), number)
    for _ in range(2):
        with pytest.raises(FormRefused):
            questions.package_check(desk.hub, desk.context("gp_millbrook"), number)
    alarms = [entry.fields["reason"] for entry in desk.hub.trail.events(before) if entry.kind == "alarm"]
    assert alarms == ["CHECKS-TOO-FAST"]


def test_a_threshold_claimed_by_somebody_who_does_not_decide_it_is_told(desk: Desk) -> None:
    before = desk.hub.trail.head().size
    desk.open(Purpose.S47_ENQUIRY, "housing_navigator", threshold=Threshold.S47_DECISION)
    reasons = [entry.fields.get("reason") for entry in desk.hub.trail.events(before)]
    assert "THRESHOLD-BY-AGENCY_NAVIGATOR" in reasons


def test_what_an_enquiry_rests_on_is_in_the_record_of_what_was_shown(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    _, receipt = disclosure.known_to(desk.hub, ctx, enquiry)
    assert desk.hub.trail.entry(receipt.eid).fields["action"] == "threshold=S47_DECISION|by=MASH_SOCIAL_WORKER"


def test_names_and_relations_from_the_index_are_in_the_record_too(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    picture, receipt = disclosure.known_to(desk.hub, ctx, enquiry)
    rows = desk.hub.trail.entry(receipt.eid).fields["data"]
    told = {(row["agency"], name) for row in rows for name in row["fields"]}
    for relation in picture.relations:
        assert {(agency, "relationships") for agency in relation.agencies} <= told
    assert any(name == "name" for _, name in told)


def test_an_agency_that_did_not_answer_contributes_no_facts(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    picture, _ = disclosure.family_picture(desk.with_partner("police", NO_ANSWER), ctx, enquiry)
    assert all(fact.agency != "police" for person in picture.people for fact in person.facts)


def test_an_enquiry_ends_by_itself(desk: Desk, house: House) -> None:
    ctx, enquiry = desk.s47()
    house.clock.ahead = timedelta(days=64)
    try:
        later = replace(ctx, now=house.clock())
        ended = enquiries.enquiry_of(desk.hub, later, enquiry.id)
        picture, _ = disclosure.known_to(desk.hub, later, ended)
    finally:
        house.clock.ahead = None
    assert ended.closed_at is not None
    assert AnswerState.FOUND not in states(picture, "police").values()


def test_when_every_partner_is_silent_nobody_reads_nothing_held(desk: Desk) -> None:
    class Silent:
        """Nobody answers."""

        def gather(self, asks: tuple[Ask, ...]) -> dict[tuple[str, str], Answer]:
            return {(a.agency, a.person): replace(NO_ANSWER, agency=a.agency, person=a.person) for a in asks}

    ctx, enquiry = desk.s47()
    picture, _ = disclosure.known_to(replace(desk.hub, gatherer=Silent()), ctx, enquiry)  # type: ignore[arg-type]
    assert AnswerState.NOTHING_HELD not in {cell.state for cell in picture.cells}


def test_a_brother_is_called_a_brother_from_whichever_side_it_was_told(desk: Desk) -> None:
    ctx, enquiry = desk.s47()
    picture, _ = disclosure.known_to(desk.hub, ctx, enquiry)
    words = {person.label.split()[0]: person.relation_to_subject for person in picture.people}
    assert (words["Jayden"], words["Alfie"]) == ("brother", "brother")
