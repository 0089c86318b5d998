"""What the parts around the decision owe: each has its test in owed.csv, and what has none yet is said."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from connectors.tables import inbox_items
from hub import checks, consequences, enquiries, oversight, retention, tables, tasks
from hub.casefile import CaseFile, assigned
from hub.clearing import CLEARED_AFTER, clear_closed
from hub.context import RequestContext
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.enquiries import BOILERPLATE, FEEDBACK, NOT_ENQUIRIES
from hub.members import identified
from hub.permits import Decided, decide_all
from hub.redaction import Redacted
from hub.tables import duties, user_acts
from policies.vocabulary import DataCategory, Obligation, Purpose, Role
from tests.conftest import House
from tests.hub.conftest import Gate, with_parts
from tests.hub.test_approvals import WHY, options
from tests.hub.test_inbox import FULL, ask, subject_request
from tests.hub.test_stories import candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
ROOT = Path(__file__).resolve().parents[2]
#: Parts that this product does not have yet; a part that is built leaves this set and gets its test.
NOT_BUILT: set[str] = set()
NOTHING = Redacted((), ())


def owed() -> list[dict[str, str]]:
    with (ROOT / "tests/hub/owed.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def test_everything_that_is_owed_has_a_test_that_exists() -> None:
    rows = owed()
    assert {row["id"] for row in rows} == {f"NP-{number:03}" for number in range(1, 34)}
    assert {row["id"] for row in rows if not row["test"]} == NOT_BUILT
    for row in rows:
        if row["test"]:
            path, _, name = row["test"].partition("::")
            assert f"def {name}(" in (ROOT / path).read_text(), row["test"]


@pytest.mark.parametrize(
    "purpose", [Purpose.SUBJECT_RIGHTS, Purpose.EARLY_IDENTIFICATION, Purpose.PERFORMANCE, Purpose.PRACTICE_QA]
)
def test_a_purpose_whose_desk_is_not_built_is_closed_to_everybody(purpose: Purpose) -> None:
    assert purpose in NOT_ENQUIRIES


# --- what each of them does -------------------------------------------------------------------------------------


def context(house: House, persona: str = "mash_social_worker", **more: Any) -> RequestContext:
    ctx = persona_context(persona, now=house.hub.clock(), request_id="0" * 32)
    return replace(ctx, **more)


def of_kind(house: House, kind: str) -> list[Any]:
    with house.hub.db.session() as session:
        return list(session.execute(select(duties).where(duties.c.kind == kind)).mappings())


def alarms(house: House, reason: str) -> int:
    return sum(e.kind == "alarm" and e.fields["reason"] == reason for e in house.hub.trail.events(0))


@pytest.fixture(autouse=True)
def _as_before(house: House) -> Iterator[None]:
    yield
    kinds = (FEEDBACK, checks.IN_DOUBT, consequences.REASSIGN, oversight.NAME_SEARCH, tasks.AGREEMENT_ENDS)
    with house.hub.db.writing() as session:
        session.execute(delete(duties).where(duties.c.kind.in_(kinds)))
        session.execute(delete(user_acts))


@on_one_engine
def test_the_same_reason_ten_times_is_one_alert(house: House) -> None:
    before = alarms(house, "BOILERPLATE-REASON")
    ctx = context(house)
    form = enquiries.parse_form(
        {
            "purpose": "S47_ENQUIRY",
            "reference": "REF/1",
            "rationale": "Safeguarding concerns about this child were raised",
            "threshold": "S47_DECISION",
        },
        (Purpose.S47_ENQUIRY,),
        Role.MASH_SOCIAL_WORKER,
    )
    for number in range(1, BOILERPLATE + 3):
        # Neither capitals nor spaces make it another reason.
        said = form.rationale.upper().replace(" ", "  ") if number % 2 else form.rationale
        enquiries.open_enquiry(house.hub, ctx, replace(form, rationale=said))
        assert alarms(house, "BOILERPLATE-REASON") - before == (number >= BOILERPLATE)
    enquiries.open_enquiry(house.hub, ctx, replace(form, rationale="The school saw a bruise on her arm today"))
    assert alarms(house, "BOILERPLATE-REASON") - before == 1


@on_one_engine
@pytest.mark.parametrize(
    ("decided", "due"),
    [
        (datetime(2026, 11, 27, 16, tzinfo=UTC), datetime(2026, 11, 30, 23, 59, tzinfo=UTC)),
        (datetime(2026, 12, 24, 12, tzinfo=UTC), datetime(2026, 12, 29, 23, 59, tzinfo=UTC)),
    ],
    ids=["Friday", "Christmas Eve"],
)
def test_whoever_made_the_referral_is_told_by_the_end_of_the_next_working_day(
    house: House, decided: datetime, due: datetime
) -> None:
    visitor, found = open_story(
        house, "showcase", purpose="MASH_SCREENING", consent="NOT_SOUGHT_UNSAFE", reason_code="RISK_TO_ANYONE"
    )
    at = choose(visitor, found, candidates(found)[0]).removeprefix("/enquiries/")
    enquiry = enquiries.enquiry_of(house.hub, context(house), at)
    enquiries.close_enquiry(house.hub, context(house, now=decided), enquiry)
    task = next(row for row in of_kind(house, FEEDBACK) if row["enquiry"] == at)
    assert task["due_at"] == due


@on_one_engine
def test_a_patient_in_doubt_is_one_task_for_the_data_steward(house: House) -> None:
    ctx = context(house, "gp_millbrook")
    with house.hub.db.session() as session:
        patient = checks.patient_of(session, house.hub, STORIES["package_current"].nhs_number or "", ctx)
    receipt = next(iter(house.hub.trail.events(0)))
    for _ in range(2):
        checks.ask_steward(house.hub, ctx, patient, receipt)  # type: ignore[arg-type]
    assert len(of_kind(house, checks.IN_DOUBT)) == 1
    page = house.visitor("data_steward").get("/tasks").text
    assert "A patient&#39;s record is not certain" in page
    assert (STORIES["package_current"].name.split()[-1]) not in page
    assert "not certain" not in house.visitor("family_keyworker").get("/tasks").text


@on_one_engine
def test_twenty_checks_in_a_minute_are_held_back_and_one_alert(house: House) -> None:
    before = alarms(house, "CHECKS-TOO-FAST")
    visitor = house.visitor("gp_millbrook")
    number = STORIES["package_ended"].nhs_number or ""
    answers = [visitor.post("/gp-check", {"nhs_number": number}).status_code for _ in range(23)]
    assert answers == [200] * checks.CHECKS_PER_MINUTE + [422] * 3
    assert alarms(house, "CHECKS-TOO-FAST") - before == 1


def tied(house: House, ctx: RequestContext) -> Decided:
    """What is decided for somebody who has the duty and is a relative of the person."""
    own = replace(ctx.actor, own_family=("p-tied",))
    bound = replace(ctx, actor=own).for_purpose(Purpose.S47_ENQUIRY)
    case = CaseFile(
        house.hub,
        bound,
        rationale="Section 47 enquiry after a referral by the school",
        relationship=assigned(["p-tied"], ctx.now),
    )
    member = identified("p-tied", date(2015, 1, 1), frozenset(), ["csc"])
    return decide_all(case, [member], [house.hub.partners["csc"]], frozenset({DataCategory.DEMOGRAPHIC}))


@on_one_engine
def test_a_colleague_takes_over_and_the_one_with_the_tie_hears_nothing(house: House) -> None:
    ctx = context(house)
    decided = tied(house, ctx)
    bound = ctx.for_purpose(Purpose.S47_ENQUIRY)
    for _ in range(2):
        consequences.record(house.hub, bound, decided, NOTHING, enquiry="EN-tied", receipt="0" * 32)
    assert len(of_kind(house, consequences.REASSIGN)) == 1
    colleague = replace(ctx, actor=replace(ctx.actor, id="US-colleague"))
    relative = replace(ctx, actor=replace(ctx.actor, id="US-other", own_family=("p-tied",)))
    for reader, sees in ((ctx, False), (relative, False), (colleague, True)):
        found, total = tasks.open_tasks(house.hub, reader)
        assert (consequences.REASSIGN in {task.kind for task in found}) == sees
        assert total == len(found) or total > 50


@on_one_engine
def test_the_parties_contacts_are_reminded_three_times_before_an_agreement_ends(house: House) -> None:
    ends = max(a.expires_on for a in house.hub.agreements if a.reference == "THORN-MASH" and a.expires_on)
    who = context(house)
    contact = replace(who, actor=replace(who.actor, id="US-spoc", role=Role.PROTOCOL_SPOC))

    def told(days: int) -> int:
        now = datetime(ends.year, ends.month, ends.day, 12, tzinfo=UTC) - timedelta(days=days)
        tasks.open_tasks(house.hub, replace(contact, now=now))
        return sum(
            row["agency"] == "csc" and row["receipt"].startswith("THORN-MASH-")
            for row in of_kind(house, tasks.AGREEMENT_ENDS)
        )

    assert [told(days) for days in (91, 90, 75, 60, 59, 30, 1)] == [0, 1, 1, 2, 2, 3, 3]


@on_one_engine
def test_a_search_by_name_without_a_case_is_another_officers_task(house: House, gate: Gate) -> None:
    officer = house.visitor("ig_officer")
    assert officer.post("/ig", {"person": "Maisie Tarrant 999 700 0048"}).status_code == 422
    assert len(of_kind(house, oversight.NAME_SEARCH)) == 1
    assert "searched the register by name" not in officer.get("/tasks").text
    assert "searched the register by name" in gate.visitor(Role.PRIVACY_OFFICER).get("/tasks").text


@on_one_engine
def test_who_decided_not_to_tell_a_person_looks_at_it_again(house: House) -> None:
    ctx = context(house)
    kept = replace_obligations(Obligation.DO_NOT_INFORM)
    consequences.record(
        house.hub,
        ctx.for_purpose(Purpose.S47_ENQUIRY),
        Decided((), (), frozenset()),
        Redacted((kept,), ()),
        enquiry="EN-silent",
        receipt="0" * 32,
        silence_by="US-decider",
    )
    decider = replace(ctx, actor=replace(ctx.actor, id="US-decider"))

    def sees(reader: RequestContext, days: int) -> bool:
        found, _ = tasks.open_tasks(house.hub, replace(reader, now=ctx.now + timedelta(days=days)))
        return any(one.kind == Obligation.DO_NOT_INFORM and one.enquiry is None for one in found)

    assert not sees(decider, 6)
    assert sees(decider, 7)
    assert not sees(ctx, 7)
    # Whoever decided may have left: a week later it is the team's.
    assert sees(ctx, 14)
    with house.hub.db.writing() as session:
        session.execute(delete(duties).where(duties.c.enquiry == "EN-silent"))


def replace_obligations(*owed_ones: Obligation) -> Any:
    from hub.redaction import Kept

    return Kept("p-silent", "police", DataCategory.POLICE_INCIDENT, None, {}, None, frozenset(owed_ones))


@on_one_engine
def test_a_one_off_request_says_everything_and_is_rung_back_on_the_registers_number(house: House) -> None:
    def without_housing(one: Any) -> Any:
        left = (replace(c, categories=c.categories - {DataCategory.HOUSING}) for c in one.clauses)
        return replace(one, head=replace(one.head, clauses=tuple(c for c in left if c.categories)))

    # Signed by everybody, with a lawful basis; only this flow is in no clause.
    without = tuple(without_housing(a) if a.reference == "THORN-MASH" else a for a in house.hub.agreements)
    outside = with_parts(house, agreements=without)
    visitor, found = open_story(outside, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    what = [one for one in options(visitor.get(f"{enquiry}/approvals").text) if one.startswith("ONE_OFF")]
    assert what
    said = "Nothing less protects the child in this case"
    whole = dict.fromkeys(("necessity", "security", "retention", "rights"), said)
    for missing in whole:
        typed = {"what": what[0], "reason": WHY, **whole, missing: ""}
        page = visitor.post(f"{enquiry}/approvals", typed)
        assert page.status_code == 422
        assert f'href="#{missing}"' in page.text
    assert visitor.post(f"{enquiry}/approvals", {"what": what[0], "reason": WHY, **whole}).status_code == 303
    owner = outside.visitor("housing_navigator")
    where = re.findall(r'href="(/approvals/AP-[0-9a-f]{16})"', owner.get("/approvals").text)[-1]
    page = owner.get(where).text
    number = re.sub(r"\D", "", house.hub.partners["csc"].contact.in_hours)
    assert f"tel:{number}" in page or f"tel:+44{number[1:]}" in page
    marks = list(dict.fromkeys(re.findall(r'name="item-([0-9a-f]{32})"', page)))
    answer = {f"item-{mark}": "GRANTED" for mark in marks} or {"nothing": "yes"}
    refused = owner.post(where, answer)
    assert refused.status_code == 422
    assert 'href="#call_back"' in refused.text
    assert owner.post(where, {**answer, "call_back": "yes"}).status_code == 303


@on_one_engine
def test_four_weeks_after_its_end_what_was_written_for_an_enquiry_is_cleared_unless_a_hold_stops_it(
    house: House,
) -> None:
    visitor, at = ask(house)
    request = subject_request(house, at)
    lead = house.visitor("school_lead")
    assert lead.post(f"/inbox/{request}", FULL).status_code == 303
    enquiry = at.removeprefix("/enquiries/")
    assert visitor.post(f"{at}/close").status_code == 200
    now = house.hub.clock()

    def written() -> int:
        with house.hub.db.session() as session:
            query = select(func.count()).select_from(inbox_items).where(inbox_items.c.request == request)
            return int(session.scalar(query) or 0)

    def cleared() -> int:
        return sum(
            e.kind == "erase" and e.fields.get("enquiry") == enquiry and e.fields["reason"] == "CLOSED-28-DAYS"
            for e in house.hub.trail.events(0)
        )

    assert written() > 0
    clear_closed(house.hub, now + CLEARED_AFTER - timedelta(minutes=5))
    assert (written() > 0, cleared()) == (True, 0)
    with house.hub.db.session() as session:
        subject = session.scalar(select(tables.enquiries.c.subject).where(tables.enquiries.c.id == enquiry))
    retention.hold(house.hub, case="HOLD-28", person=subject, agency=None, month=None)
    try:
        clear_closed(house.hub, now + CLEARED_AFTER)
        assert (written() > 0, cleared()) == (True, 0)
    finally:
        retention.release(house.hub, case="HOLD-28")
    clear_closed(house.hub, now + CLEARED_AFTER)
    clear_closed(house.hub, now + CLEARED_AFTER)
    assert (written(), cleared()) == (0, 1)
