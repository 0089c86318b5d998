"""An answer leaves at a whole step of time, so that a little more work behind it cannot be seen."""

from typing import Any

import pytest

from hub import finding, pacing, questions, receipts
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.errors import NotFound
from tests.conftest import House

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("passed", "leaves_at"), [(0.0, 0.04), (0.001, 0.04), (0.039, 0.04), (0.041, 0.08), (0.079, 0.08), (1.0, 1.0)]
)
def test_an_answer_leaves_at_the_next_whole_step(passed: float, leaves_at: float) -> None:
    waited: list[float] = []
    pacing.even_out(10.0, 0.04, clock=lambda: 10.0 + passed, wait=waited.append)
    assert waited[0] >= 0
    assert passed + waited[0] == pytest.approx(leaves_at, abs=1e-9)


@on_one_engine
def test_every_check_that_asked_nobody_is_paced_and_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    paced: list[float] = []
    monkeypatch.setattr(pacing, "even_out", lambda begun, step_s, **_: paced.append(step_s))
    ctx = persona_context("gp_millbrook", now=house.hub.clock(), request_id="ab" * 16)
    silent = (
        "9990000018",  # nobody
        STORIES["package_other_list"].nhs_number,
        STORIES["package_objection"].nhs_number,
        house.demonstration.county.people["zielonka.nadia"].nhs_number,
    )
    for number in silent:
        assert questions.package_check(house.hub, ctx, str(number)).answer == "NOT_AVAILABLE"
    assert paced == [pacing.CHECK_STEP_S] * len(silent)
    questions.package_check(house.hub, ctx, str(STORIES["package_current"].nhs_number))
    assert len(paced) == len(silent)


@on_one_engine
def test_a_receipt_that_is_not_there_and_somebody_elses_are_paced_alike(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    paced: list[float] = []
    monkeypatch.setattr(receipts, "even_out", lambda begun, step_s: paced.append(step_s))
    practice = persona_context("gp_millbrook", now=house.hub.clock(), request_id="ab" * 16)
    eid = questions.package_check(house.hub, practice, "9990000018").receipt.eid
    worker = persona_context("mash_social_worker", now=house.hub.clock(), request_id="ab" * 16)
    for number in (eid, "0" * 32, "no number"):
        with pytest.raises(NotFound):
            receipts.receipt_of(house.hub, worker, number)
    assert paced == [pacing.RECEIPT_STEP_S] * 3
    assert receipts.receipt_of(house.hub, practice, eid).eid == eid
    assert len(paced) == 3


@on_one_engine
def test_every_search_is_paced_whatever_it_finds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    paced: list[Any] = []
    visitor = house.visitor("mash_social_worker")
    form = {"purpose": "S47_ENQUIRY", "reference": "REF/7", "threshold": "S47_DECISION"}
    form["rationale"] = "A referral came in that names this child and the family"
    monkeypatch.setattr(finding, "even_out", lambda begun, step_s: paced.append(step_s))
    for who in ("Maisie Tarrant", "Nadia Zielonka", "Kayleigh Dunmore", "Nobody Atall"):
        assert visitor.post("/enquiries/new", {**form, "who": who}).status_code == 200
    assert paced == [pacing.SEARCH_STEP_S] * 4
