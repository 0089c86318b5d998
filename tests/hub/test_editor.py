"""Changing agreements in the register: one proposes, two others approve, and it is in force at once everywhere."""

import base64
import html
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select, update
from sqlalchemy import text as sql

from audit import newest_agreement_event
from audit.tables import ABOUT_AGREEMENTS, entries
from hub import disclosure
from hub.assembly import Hub
from hub.context import RequestContext
from hub.demo.setting_up import persona_context
from hub.errors import NotForYou
from hub.keys import HUB, read_signing_key
from hub.register import enacting, proposals, signatures
from hub.register.impact import CellChange, Impact
from hub.register.putting_back import put_back
from hub.register.recorded import REJECTED, WITHDRAWN
from hub.register.standing import sealed_for
from hub.register.tables import (
    agreement_acts,
    agreement_proposals,
    agreement_signatures,
    agreement_versions,
)
from hub.register.watching import ALTERED
from hub.suspension import restore
from hub.tables import staff, suspensions, user_acts
from hub.web.editor import impact_words
from policies import in_force, read_draft, sign, write_draft
from policies.vocabulary import AgreementStatus, DataCategory, PartyStatus, Purpose, Role
from tests.conftest import Heard, House, Visitor
from tests.hub.conftest import Gate, app_of, newest
from tests.hub.test_decisions import opened

MASH = "/agreements/THORN-MASH/2"
WHY = "The partners decided so at their meeting in May"


@pytest.fixture(autouse=True)
def _clean(house: House) -> Iterator[None]:
    """What a test puts into the register is gone afterwards: the house is shared."""
    yield
    with house.hub.db.writing() as session:
        for table in (agreement_acts, agreement_proposals, agreement_versions, agreement_signatures):
            session.execute(delete(table))
        session.execute(delete(user_acts).where(user_acts.c.kind == proposals.LOOK_BACK))
    heard = house.hub.register.events
    assert isinstance(heard, Heard)
    heard.since = house.hub.trail.head().size
    house.app.extensions["hub"] = house.hub


def hub_now(house: House) -> Hub:
    return house.hub.as_agreed_now()


def text_of(house: House, reference: str = "THORN-MASH", version: str = "2") -> str:
    return write_draft(enacting.written_now(hub_now(house), reference, version))


def without(text: str, word: str) -> str:
    """The text with a category taken out of every list."""
    return re.sub(rf'"{word}", |, "{word}"', "", text)


def propose(visitor: Visitor, text: str, path: str = MASH) -> str:
    answer = visitor.post(path + "/change", {"text": text, "reason": WHY, "do": "propose"})
    assert answer.status_code == 303, answer.text
    where: str = answer.headers["Location"]
    return where


def approve(visitor: Visitor, where: str) -> int:
    return int(visitor.post(where, {"do": "approve"}).status_code)


def status_of(house: House, version: int = 2) -> AgreementStatus:
    return next(a.status for a in hub_now(house).agreements if (a.reference, a.version) == ("THORN-MASH", version))


# Refusals first.


@pytest.mark.parametrize("persona", ["mash_social_worker", "gp_millbrook", "operator", "data_steward"])
@pytest.mark.parametrize("page", ["change", "suspend", "sign", "file"])
def test_a_practitioner_changes_nothing(house: House, persona: str, page: str) -> None:
    visitor = house.visitor(persona)
    assert visitor.get(f"{MASH}/{page}").status_code == 403
    assert "Propose a change" not in visitor.get(MASH).text


def test_an_officer_of_no_party_changes_nothing(house: House) -> None:
    assert "gp-millbrook" not in {p.agency for p in enacting.written_now(house.hub, "THORN-EARLY-HELP", "1").parties}
    dpo, path = house.visitor("dpo"), "/agreements/THORN-EARLY-HELP/1"
    if "police" not in {p.agency for p in enacting.written_now(house.hub, "THORN-EARLY-HELP", "1").parties}:
        assert dpo.get(path + "/change").status_code == 403
        assert dpo.post(path + "/suspend", {"reason": WHY}).status_code == 403


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"POLICE_INCIDENT"', '"POLICE_INCIDENTS"', r"Line \d+, categories = .*: clauses\[1\]\.categories"),
        ("status = ", "status == ", r"Line \d+, status == .*: "),
        ("version = 2", "version = 2\ncolour = 1", r"colour"),
        ("version = 2", "version = " + "9" * 5000, "a number is too long"),
        ("version = 2", "version = 2\nx = " + "[" * 3000, "nests too deeply"),
        ("version = 2", "version = 2\nx = " + "{a = " * 3000, "nests too deeply"),
        ("THORN-MASH", "THORN-OTHER", "another agreement"),
        ("x", "x", "Nothing is changed"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_with_its_line_and_kept(
    house: House, old: str, new: str, sentence: str
) -> None:
    visitor = house.visitor("ig_officer")
    text = text_of(house).replace(old, new, 1)
    answer = visitor.post(MASH + "/change", {"text": text, "do": "check"})
    assert answer.status_code == 422
    page = html.unescape(answer.text)
    assert re.search(sentence, page)
    assert text.strip() in page.replace("\r\n", "\n")


def test_a_proposal_needs_a_reason_and_an_end_needs_one_too(house: House) -> None:
    officer = house.visitor("ig_officer")
    text = without(text_of(house), "HOUSING")
    assert officer.post(MASH + "/change", {"text": text, "reason": "because", "do": "propose"}).status_code == 422
    where = propose(officer, text)
    assert officer.post(where, {"do": "WITHDRAWN", "end_reason": "no"}).status_code == 422
    assert officer.post(where, {"do": ""}).status_code == 422


def test_nobody_approves_their_own_proposal_nor_twice(house: House) -> None:
    officer = house.visitor("ig_officer")
    where = propose(officer, text_of(house).replace("Multi-agency safeguarding hub", "The safeguarding hub"))
    assert approve(officer, where) == 403
    dpo = house.visitor("dpo")
    assert approve(dpo, where) == 303
    assert approve(dpo, where) == 403
    assert "Multi-agency safeguarding hub" in house.visitor("ig_officer").get("/agreements").text


def test_two_accounts_of_one_officer_are_one_approval(house: House, gate: Gate) -> None:
    first, second, third, fourth = (
        gate.visitor(Role.DPO, agency=agency, name=name, person_number=number)
        for agency, name, number in (
            ("csc", "One Officer", "E-4001"),
            ("police", "Same Officer", "e-4001"),
            ("hv", "Third Officer", "E-4003"),
            ("police", "Fourth Officer", "E-4004"),
        )
    )
    where = propose(first, without(text_of(house), "POLICE_INCIDENT"))
    assert approve(second, where) == 403
    assert "two others approve it" in second.get(where).text
    assert approve(third, where) == 303
    # That the fourth is the third is known only now: what they say counts as one.
    with house.hub.db.writing() as session:
        marks = session.scalars(select(staff.c.person_mark).order_by(staff.c.seen_at.desc()).limit(2)).all()
        session.execute(staff.update().where(staff.c.person_mark == marks[0]).values(person_mark=marks[1]))
    assert approve(fourth, where) == 403
    assert "waiting for approval" in first.get(where).text


def test_two_officers_of_one_party_do_not_approve_a_change_of_substance(house: House, gate: Gate) -> None:
    where = propose(house.visitor("ig_officer"), without(text_of(house), "HOUSING"))
    assert approve(house.visitor("dpo"), where) == 303
    assert approve(gate.visitor("SIRO", agency="police"), where) == 403
    assert approve(house.visitor("sms_guardian"), where) == 303


def test_what_changed_meanwhile_is_not_approved(house: House) -> None:
    officer, dpo, guardian = (house.visitor(p) for p in ("ig_officer", "dpo", "sms_guardian"))
    where = propose(officer, text_of(house).replace("Multi-agency safeguarding hub", "The safeguarding hub"))
    assert approve(dpo, where) == 303
    assert officer.post(MASH + "/suspend", {"reason": WHY}).status_code == 303
    assert approve(guardian, where) == 422
    assert status_of(house) == AgreementStatus.SUSPENDED


def test_a_move_that_the_life_of_an_agreement_forbids_is_not_proposed(house: House) -> None:
    answer = house.visitor("ig_officer").post(
        MASH + "/change", {"text": text_of(house).replace('"ACTIVE"', '"DRAFT"', 1), "reason": WHY, "do": "propose"}
    )
    assert answer.status_code == 422
    assert "cannot become DRAFT" in answer.text


def test_a_second_change_from_the_same_version_does_not_overwrite_the_newer_one_in_force(house: House) -> None:
    officer, dpo, guardian = (house.visitor(p) for p in ("ig_officer", "dpo", "sms_guardian"))
    first = propose(officer, without(text_of(house), "HOUSING"))
    second = propose(officer, without(text_of(house), "POLICE_INCIDENT"))
    assert [approve(dpo, first), approve(guardian, first)] == [303, 303]
    new = enacting.written_now(house.hub, "THORN-MASH", "3")
    assert sign_for(house, dpo, "police", new) == sign_for(house, officer, "csc", new) == 303
    where = propose(officer, text_of(house, version="3").replace('"IN_SIGNING"', '"ACTIVE"', 1), MASH[:-1] + "3")
    assert [approve(dpo, where), approve(guardian, where)] == [303, 303]
    standing = enacting.written_now(house.hub, "THORN-MASH", "3")
    assert standing.status == AgreementStatus.ACTIVE
    assert [approve(dpo, second), approve(guardian, second)] == [422, 422]
    assert enacting.written_now(house.hub, "THORN-MASH", "3") == standing
    text = text_of(house).replace("Multi-agency safeguarding hub", "The safeguarding hub")
    for do in ("check", "propose"):
        answer = officer.post(MASH + "/change", {"text": text, "reason": WHY, "do": do})
        assert answer.status_code == 422
        assert "A later version than 2 exists" in answer.text


def test_a_stopped_version_begins_again_while_the_next_waits_for_signatures_and_no_more_once_that_was_in_force(
    house: House,
) -> None:
    officer, dpo, guardian = (house.visitor(p) for p in ("ig_officer", "dpo", "sms_guardian"))
    where = propose(officer, without(text_of(house), "HOUSING"))
    assert [approve(dpo, where), approve(guardian, where)] == [303, 303]
    assert officer.post(MASH + "/suspend", {"reason": WHY}).status_code == 303
    starts = text_of(house).replace('"SUSPENDED"', '"ACTIVE"', 1)
    more = officer.post(MASH + "/change", {"text": without(starts, "HOUSING"), "reason": WHY, "do": "propose"})
    assert (more.status_code, "A later version than 2 exists" in more.text) == (422, True)
    assert "Propose a change" in officer.get(MASH).text
    where = propose(officer, starts)
    assert [approve(dpo, where), approve(guardian, where)] == [303, 303]
    assert status_of(house) == AgreementStatus.ACTIVE
    new = enacting.written_now(house.hub, "THORN-MASH", "3")
    assert sign_for(house, dpo, "police", new) == sign_for(house, officer, "csc", new) == 303
    active = text_of(house, version="3").replace('"IN_SIGNING"', '"ACTIVE"', 1)
    where = propose(officer, active, MASH[:-1] + "3")
    assert [approve(dpo, where), approve(guardian, where)] == [303, 303]
    assert officer.post(MASH + "/suspend", {"reason": WHY}).status_code == 303
    refused = officer.post(MASH + "/change", {"text": starts, "reason": WHY, "do": "propose"})
    assert (refused.status_code, "Version 3 has been in force since" in refused.text) == (422, True)
    assert "Propose a change" not in officer.get(MASH).text
    where = propose(officer, active, MASH[:-1] + "3")
    assert [approve(dpo, where), approve(guardian, where)] == [303, 303]
    assert status_of(house, 3) == AgreementStatus.ACTIVE
    assert status_of(house) == AgreementStatus.SUSPENDED


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, room: ModuleType, name: str, other: Callable[[], object]
) -> Callable[[], None]:
    """Once, right before this step, somebody else does something; returns the way to see that they did."""
    step, done = getattr(room, name), []

    def and_then(*args: object, **named: object) -> object:
        if not done:
            done.append(True)
            other()
        return step(*args, **named)

    def must_have_been() -> None:
        assert done

    monkeypatch.setattr(room, name, and_then)
    return must_have_been


def keeper(house: House, persona: str) -> RequestContext:
    return persona_context(persona, now=house.hub.clock(), request_id="ab" * 16)


def renamed(house: House) -> str:
    """A proposal that a title be another; returns its id."""
    text = text_of(house).replace("Multi-agency safeguarding hub", "The safeguarding hub")
    before = enacting.written_now(house.hub, "THORN-MASH", "2")
    return proposals.propose(house.hub, keeper(house, "ig_officer"), before, {"text": text, "reason": WHY})


def test_a_stop_between_the_checks_of_an_approval_and_its_row_is_not_undone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = renamed(house)
    assert not proposals.approve(house.hub, keeper(house, "dpo"), id_)
    stop = meanwhile(
        monkeypatch,
        proposals,
        "_act",
        lambda: proposals.suspend(house.hub, keeper(house, "ig_officer"), "THORN-MASH", WHY),
    )
    with pytest.raises(enacting.ChangedMeanwhile):
        proposals.approve(house.hub, keeper(house, "sms_guardian"), id_)
    stop()
    assert status_of(house) == AgreementStatus.SUSPENDED
    assert newest(house.hub).fields["action"] == enacting.NOT_ENACTED
    assert proposals.proposal_of(house.hub, id_).state == proposals.OPEN


def test_a_stop_is_made_again_on_what_was_put_in_force_meanwhile(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = renamed(house)
    assert not proposals.approve(house.hub, keeper(house, "dpo"), id_)
    came = meanwhile(
        monkeypatch,
        proposals,
        "says_enough",
        lambda: proposals.approve(house.hub, keeper(house, "sms_guardian"), id_),
    )
    proposals.suspend(house.hub, keeper(house, "ig_officer"), "THORN-MASH", WHY)
    came()
    assert status_of(house) == AgreementStatus.SUSPENDED
    assert enacting.written_now(house.hub, "THORN-MASH", "2").title.startswith("The safeguarding hub")


def test_two_approvals_at_once_take_effect(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    id_, said = renamed(house), []
    came = meanwhile(
        monkeypatch,
        proposals,
        "_act",
        lambda: said.append(proposals.approve(house.hub, keeper(house, "dpo"), id_)),
    )
    said.append(proposals.approve(house.hub, keeper(house, "sms_guardian"), id_))
    came()
    assert said == [False, True]
    assert proposals.proposal_of(house.hub, id_).state == proposals.DONE


def test_a_rejection_that_comes_while_the_second_approves_is_heard(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = renamed(house)
    assert not proposals.approve(house.hub, keeper(house, "dpo"), id_)
    before = enacting.written_now(house.hub, "THORN-MASH", "2")
    came = meanwhile(
        monkeypatch,
        proposals,
        "_act",
        lambda: proposals.end(house.hub, keeper(house, "ig_officer"), id_, WITHDRAWN, WHY),
    )
    assert not proposals.approve(house.hub, keeper(house, "sms_guardian"), id_)
    came()
    assert proposals.proposal_of(house.hub, id_).state == WITHDRAWN
    assert enacting.written_now(house.hub, "THORN-MASH", "2") == before


def test_an_approval_counts_no_more_when_the_account_was_shut_meanwhile(house: House) -> None:
    id_ = renamed(house)
    dpo = keeper(house, "dpo")
    assert not proposals.approve(house.hub, dpo, id_)
    with house.hub.db.writing() as session:
        session.execute(insert(suspensions).values(user=dpo.actor.id, since=dpo.now, alarm="test"))
    try:
        assert not proposals.approve(house.hub, keeper(house, "sms_guardian"), id_)
    finally:
        restore(house.hub, dpo.actor.id)
    assert proposals.proposal_of(house.hub, id_).state == proposals.OPEN


# What is granted.


def test_a_small_change_is_in_force_with_the_second_approval_and_everything_is_recorded(house: House) -> None:
    officer, dpo, guardian = (house.visitor(p) for p in ("ig_officer", "dpo", "sms_guardian"))
    text = text_of(house).replace("Multi-agency safeguarding hub", "The safeguarding hub")
    preview = officer.post(MASH + "/change", {"text": text, "do": "check"})
    assert preview.status_code == 200
    for words in ("Before and after", "The safeguarding hub", "No new signatures", "of the last 30 days"):
        assert words in preview.text
    where = propose(officer, text)
    assert newest(house.hub).kind == "agreement:drafted"
    assert approve(dpo, where) == 303
    assert newest(house.hub).kind == "approval"
    assert "The safeguarding hub" not in guardian.get(MASH).text
    assert approve(guardian, where) == 303
    event = newest(house.hub)
    assert event.kind == "agreement:amended"
    assert event.fields["agreement"][0]["ref"] == "THORN-MASH"
    assert "The safeguarding hub" in officer.get(MASH).text
    assert hub_now(house).policy_bundle != house.hub.policy_bundle
    assert (
        hub_now(house).not_signed == house.hub.not_signed
    )  # The signatures still stand: nothing of substance changed.


def test_a_change_is_in_force_for_another_process_at_its_next_request(house: House) -> None:
    other: Flask = app_of(house.hub)
    elsewhere = Visitor(House(house.hub, other, house.demonstration, house.clock))
    elsewhere.sign_in("dpo")
    assert "Stop it now" in elsewhere.get(MASH).text
    assert house.visitor("ig_officer").post(MASH + "/suspend", {"reason": WHY}).status_code == 303
    assert "Not in force: suspended" in html.unescape(elsewhere.get(MASH).text)


def test_stopping_bites_at_the_next_decision_and_starting_again_takes_two_who_may(house: House) -> None:
    ctx, enquiry = opened(house.hub, "showcase")
    shown, _ = disclosure.family_picture(hub_now(house), ctx, enquiry)
    assert any(cell.state == "FOUND" for cell in shown.cells if cell.agency == "police")
    officer = house.visitor("ig_officer")
    assert officer.post(MASH + "/suspend", {"reason": "short"}).status_code == 422
    assert officer.post(MASH + "/suspend", {"reason": WHY}).status_code == 303
    assert newest(house.hub).kind == "agreement:suspended"
    hidden, _ = disclosure.family_picture(hub_now(house), ctx, enquiry)
    assert not any(cell.state == "FOUND" for cell in hidden.cells if cell.agency == "police")
    where = propose(officer, text_of(house).replace('"SUSPENDED"', '"ACTIVE"', 1))
    dpo, guardian = house.visitor("dpo"), house.visitor("sms_guardian")
    assert approve(dpo, where) == 303
    assert status_of(house) == AgreementStatus.SUSPENDED
    assert approve(guardian, where) == 303
    assert newest(house.hub).kind == "agreement:resumed"
    assert status_of(house) == AgreementStatus.ACTIVE


def test_a_change_of_substance_waits_for_the_signatures_of_its_parties(house: House) -> None:
    officer, dpo, guardian = (house.visitor(p) for p in ("ig_officer", "dpo", "sms_guardian"))
    where = propose(officer, without(text_of(house), "POLICE_INCIDENT"))
    assert approve(dpo, where) == 303
    assert approve(guardian, where) == 303
    new = enacting.written_now(hub_now(house), "THORN-MASH", "3")
    assert new.status == AgreementStatus.IN_SIGNING
    assert {party.status for party in new.parties} == {PartyStatus.NOT_SIGNED}
    today = house.hub.clock().date()
    assert [a.version for a in in_force(hub_now(house).agreements, today) if a.reference == "THORN-MASH"] == [2]
    signed = sign_for(house, dpo, "police", new)
    assert signed == 303
    assert sign_for(house, officer, "csc", new) == 303
    assert newest(house.hub).kind == "agreement:signed"
    again = text_of(house, version="3").replace('"IN_SIGNING"', '"ACTIVE"', 1)
    where = propose(officer, again, "/agreements/THORN-MASH/3")
    assert approve(dpo, where) == 303
    assert approve(guardian, where) == 303
    assert newest(house.hub).kind == "agreement:activated"
    assert [a.version for a in in_force(hub_now(house).agreements, today) if a.reference == "THORN-MASH"] == [3]
    counted = next(a for a in hub_now(house).agreements if (a.reference, a.version) == ("THORN-MASH", 3))
    assert {p.agency for p in counted.parties if p.status == PartyStatus.SIGNED} == {"police", "csc"}


def sign_for(house: House, visitor: Visitor, agency: str, new: object) -> int:
    form = signed_form(house, agency)
    wrong = base64.b64encode(bytes(64)).decode()
    refused = visitor.post("/agreements/THORN-MASH/3/sign", {**form, "signature": wrong})
    assert refused.status_code == 422
    assert wrong in refused.text
    return int(visitor.post("/agreements/THORN-MASH/3/sign", form).status_code)


def signed_form(house: House, agency: str) -> dict[str, str]:
    one = enacting.written_now(house.hub, "THORN-MASH", "3")
    parties = enacting.written_now(house.hub, "THORN-MASH", "2").parties
    office = next(p.signatory for p in parties if p.agency == agency)
    assert office
    key = read_signing_key(Path(house.hub.settings.agreements_folder).parent / "signing-keys" / f"{agency}.key")
    day = date(2026, 6, 1)
    given = sign(one, agency, office, day, key)
    return {"office": office, "signed_on": day.isoformat(), "signature": given.signature}


def test_two_parties_that_sign_at_once_both_count(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    officer, dpo, guardian = (house.visitor(p) for p in ("ig_officer", "dpo", "sms_guardian"))
    where = propose(officer, without(text_of(house), "POLICE_INCIDENT"))
    assert [approve(dpo, where), approve(guardian, where)] == [303, 303]

    def signs(persona: str, agency: str) -> None:
        form = signed_form(house, agency)
        signatures.take_signature(house.hub, keeper(house, persona), "THORN-MASH", "3", form)

    came = meanwhile(monkeypatch, signatures, "with_signature", lambda: signs("ig_officer", "csc"))
    signs("dpo", "police")
    came()
    signed = enacting.written_now(house.hub, "THORN-MASH", "3").parties
    assert {p.agency for p in signed if p.status == PartyStatus.SIGNED} == {"police", "csc"}


def test_rejected_and_withdrawn_proposals_are_kept_with_their_reason(house: House) -> None:
    officer, dpo = house.visitor("ig_officer"), house.visitor("dpo")
    first = propose(officer, without(text_of(house), "HOUSING"))
    assert dpo.post(first, {"do": "WITHDRAWN", "end_reason": WHY}).status_code == 403
    assert dpo.post(first, {"do": "REJECTED", "end_reason": WHY}).status_code == 303
    second = propose(officer, without(text_of(house), "HOUSING"))
    assert officer.post(second, {"do": "WITHDRAWN", "end_reason": WHY}).status_code == 303
    for where, word in ((first, "Rejected"), (second, "Withdrawn")):
        page = house.visitor("sms_guardian").get(where).text
        assert word in page
        assert WHY in page
        assert approve(house.visitor("sms_guardian"), where) == 403


def test_the_preview_counts_last_months_decisions_that_would_have_been_others(house: House) -> None:
    ctx, enquiry = opened(house.hub, "showcase")
    disclosure.family_picture(house.hub, ctx, enquiry)
    officer = persona_context("ig_officer", now=house.hub.clock(), request_id="ab" * 16)
    before = enacting.written_now(house.hub, "THORN-MASH", "2")
    found = proposals.draft(house.hub, officer, before, without(text_of(house), "POLICE_INCIDENT"))
    assert found.of_substance
    impact = found.impact
    assert impact.disclosures >= impact.affected >= 1
    assert impact.changed == sum(cell.more + cell.less for cell in impact.cells)
    assert {cell.category for cell in impact.cells} == {DataCategory.POLICE_INCIDENT}
    assert {cell.owner for cell in impact.cells} == {"police"}
    assert Purpose.S47_ENQUIRY in {cell.purpose for cell in impact.cells}
    assert all(cell.less and not cell.more for cell in impact.cells)
    same = proposals.draft(house.hub, officer, before, text_of(house).replace("Multi-agency safeguarding", "The"))
    assert same.impact.changed == 0


def test_looking_at_last_months_decisions_is_recorded_and_ends_with_the_hours_budget(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = house.visitor("ig_officer")
    monkeypatch.setattr(proposals, "LOOKS_PER_HOUR", 1)
    form = {"text": without(text_of(house), "HOUSING"), "reason": WHY, "do": "check"}
    assert officer.post(MASH + "/change", form).status_code == 200
    event = newest(house.hub)
    assert (event.kind, event.fields["action"]) == ("audit:read", "agreement-impact")
    assert event.fields["object"]["id"] == "THORN-MASH-2"
    for do in ("check", "propose"):
        answer = officer.post(MASH + "/change", {**form, "do": do})
        assert answer.status_code == 422
        assert "in the last hour" in answer.text


@pytest.mark.parametrize(
    ("counts", "changed"),
    [
        ([(0, 0)], "0"),
        ([(0, 4)], "a few"),
        ([(5, 0)], "5"),
        ([(1200, 3)], "at least 1,200"),
        ([(7, 0), (0, 1), (4, 6)], "at least 13"),
    ],
)
def test_fewer_than_five_decisions_are_not_counted_out(counts: list[tuple[int, int]], changed: str) -> None:
    cells = tuple(CellChange("police", "csc", "HOUSING", "S47_ENQUIRY", more, less) for more, less in counts)
    total = sum(map(sum, counts))
    shown = impact_words(Impact(3, 1, max(total, 900), total, True, cells), str)
    assert (shown["disclosures"], shown["affected"]) == ("fewer than 5 disclosures", "fewer than 5")
    assert shown["changed"] == changed
    for cell, pair in zip(shown["cells"], counts, strict=True):
        for said, count in zip((cell["more"], cell["less"]), pair, strict=True):
            assert said == ("fewer than 5" if 0 < count < 5 else f"{count:,}")


# What somebody who has the database alone could do.


def stop_it(house: House) -> None:
    """A stop: the state that somebody would like to be rid of."""
    assert house.visitor("ig_officer").post(MASH + "/suspend", {"reason": WHY}).status_code == 303
    assert status_of(house) == AgreementStatus.SUSPENDED


def take_out_the_newest(house: House) -> None:
    with house.hub.db.writing() as session:
        newest_row = session.execute(select(agreement_versions.c.id).order_by(agreement_versions.c.id.desc())).first()
        assert newest_row
        session.execute(delete(agreement_versions).where(agreement_versions.c.id == newest_row.id))


def forge(house: House) -> None:
    with house.hub.db.writing() as session:
        row = session.execute(select(agreement_versions)).mappings().one()
        forged = house.hub.keys.seal(HUB, text_of(house).replace("SUSPENDED", "ACTIVE").encode(), "agreement:forged")
        session.execute(update(agreement_versions).values(sealed_text=forged))
        session.execute(insert(agreement_versions).values({**row, "id": row["id"] + 1, "cause": "other"}))


def name_an_earlier_one_as_the_newest(house: House) -> None:
    """A stop and a start again, and then the rows of the two change their events."""
    with house.hub.db.writing() as session:
        row = session.execute(select(agreement_versions)).mappings().one()
        other = {**row, "id": row["id"] + 1, "cause": "AP-0", "receipt": "0" * 32}
        text = text_of(house).replace("SUSPENDED", "ACTIVE").encode()
        other["sealed_text"] = house.hub.keys.seal(HUB, text, sealed_for("THORN-MASH", 2, "AP-0"))
        session.execute(insert(agreement_versions).values(other))
        session.execute(update(agreement_versions).where(agreement_versions.c.id == row["id"]).values(receipt="1" * 32))
        session.execute(
            update(agreement_versions).where(agreement_versions.c.cause == "AP-0").values(receipt=row["receipt"])
        )


@pytest.mark.parametrize(
    ("deed", "word"),
    [(take_out_the_newest, "taken away"), (forge, "altered"), (name_an_earlier_one_as_the_newest, "altered")],
)
def test_an_older_state_that_is_brought_back_in_the_database_lets_nothing_flow_and_is_told(
    house: House, deed: Callable[[House], None], word: str
) -> None:
    stop_it(house)
    deed(house)
    now = hub_now(house)
    assert not [one for one in now.agreements if one.reference == "THORN-MASH"]
    assert now.stopped == ("THORN-MASH",)
    assert any("THORN-MASH" in sentence and word in sentence for sentence in now.not_signed)
    ctx, enquiry = opened(house.hub, "showcase")
    hidden, _ = disclosure.family_picture(now, ctx, enquiry)
    assert not any(cell.state == "FOUND" for cell in hidden.cells if cell.agency == "police")
    for persona, path in (("mash_social_worker", "/agreements"), ("ig_officer", "/ig")):
        assert "Nothing flows under THORN-MASH" in house.visitor(persona).get(path).text
    alarm = newest(house.hub, "alarm")
    assert (alarm.fields["reason"], alarm.fields["object"]["id"]) == (ALTERED, "THORN-MASH")
    hub_now(house)
    assert newest(house.hub, "alarm").eid == alarm.eid


def test_what_was_taken_away_is_put_back_by_its_very_text_and_by_no_other(house: House) -> None:
    text = without(text_of(house), "POLICE_INCIDENT")
    stop_it(house)
    stopped = text_of(house)
    take_out_the_newest(house)
    assert put_back(house.hub, [text, stopped.replace("SUSPENDED", "ACTIVE")]) == (("THORN-MASH-2",), ())
    assert newest(house.hub).fields["action"] == "AGREEMENT_PUT_BACK"
    assert text_of(house) == stopped
    assert hub_now(house).stopped == ()
    assert put_back(house.hub) == ((), ())


def test_a_text_that_nobody_has_any_more_is_asked_for(house: House) -> None:
    where = propose(house.visitor("ig_officer"), text_of(house).replace("Multi-agency", "The"))
    assert [approve(house.visitor(who), where) for who in ("dpo", "sms_guardian")] == [303, 303]
    text = text_of(house)
    take_out_the_newest(house)
    with house.hub.db.writing() as session:
        for table in (agreement_acts, agreement_proposals):
            session.execute(delete(table))
    assert put_back(house.hub) == ((), ("THORN-MASH-2",))
    assert put_back(house.hub, [text]) == (("THORN-MASH-2",), ())
    assert text_of(house) == text


def test_a_withdrawal_whose_row_is_taken_away_still_holds(house: House) -> None:
    officer = house.visitor("ig_officer")
    where = propose(officer, without(text_of(house), "HOUSING"))
    assert officer.post(where, {"do": "WITHDRAWN", "end_reason": WHY}).status_code == 303
    with house.hub.db.writing() as session:
        session.execute(delete(agreement_acts))
    assert "Proposed change: withdrawn" in house.visitor("dpo").get(where).text
    assert approve(house.visitor("dpo"), where) == 403


def test_a_rejection_that_is_turned_into_an_approval_in_the_database_counts_for_nothing(house: House) -> None:
    id_ = renamed(house)
    proposals.end(house.hub, keeper(house, "dpo"), id_, REJECTED, WHY)
    with house.hub.db.writing() as session:
        session.execute(update(agreement_acts).values(kind=proposals.APPROVED))
    with pytest.raises(NotForYou):
        proposals.approve(house.hub, keeper(house, "sms_guardian"), id_)
    assert status_of(house) == AgreementStatus.ACTIVE
    other = renamed(house)
    assert not proposals.approve(house.hub, keeper(house, "dpo"), other)
    with house.hub.db.writing() as session:
        session.execute(update(agreement_acts).values(receipt="0" * 32))
    assert not proposals.approve(house.hub, keeper(house, "sms_guardian"), other)


def test_a_text_whose_act_died_before_its_event_counts_for_nothing_and_stops_nothing(house: House) -> None:
    before = enacting.written_now(house.hub, "THORN-MASH", "2")
    ctx = keeper(house, "dpo")
    after = read_draft(without(write_draft(before), "HOUSING"))
    enacting.put_text(house.hub, ctx.now, after, cause="AP-died", eid="d" * 32)
    assert enacting.written_now(hub_now(house), "THORN-MASH", "2") == before
    stop_it(house)


def test_looking_for_a_change_reads_neither_the_whole_trail_nor_the_whole_register(house: House) -> None:
    with house.hub.db.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN "
        if connection.dialect.name == "postgresql":
            explain = "EXPLAIN "
            connection.execute(sql("SET LOCAL enable_seqscan = off"))  # So small a table would be read whole.
        for query in (newest_agreement_event, select(entries.c.envelope).where(ABOUT_AGREEMENTS)):
            written = query.compile(connection, compile_kwargs={"literal_binds": True})
            plan = connection.execute(sql(explain + str(written))).all()
            assert "audit_entry_agreement" in str(plan), plan
