"""Break-glass, through the front door: refused first, then declared, told, reviewed, and over after four hours."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from audit import TrailUnavailable
from hub import break_glass, disclosure, enquiries, tasks
from hub.break_glass import DECLARING, REVIEW, TOLD_DPO, TOLD_OWNER
from hub.context import RequestContext
from hub.demo.setting_up import persona_context
from hub.obligations import may_show
from hub.tables import break_glass as declarations
from hub.tables import duties
from policies import BreakGlass
from policies.vocabulary import AccessMode, Obligation, Outcome, Role
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate
from tests.hub.test_stories import candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
REASON = "Her father has just taken her from school and threatened to kill her"
DECLARED = {"reason": REASON, "imminent": "yes"}
REFUSED = {"purpose": "MASH_SCREENING", "consent": "REFUSED", "consent_giver": "PARENT_WITH_PR"}
RISK_FINDING = "The risk was real, the reason fits what was opened, nothing went too far"
#: Friday 27 November 2026, 17:00 in London; no bank holiday is near.
FRIDAY = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)


@pytest.fixture
def refused(house: House) -> Iterator[tuple[Visitor, str]]:
    """An enquiry in which the mother refused, so that partners may not be asked; reviews are done afterwards."""
    visitor, found = open_story(house, "showcase", **REFUSED)
    yield visitor, choose(visitor, found, candidates(found)[0])
    with house.hub.db.writing() as session:
        session.execute(duties.update().where(duties.c.kind == REVIEW).values(done_at=house.hub.clock()))


def count(house: House, kind: str) -> int:
    with house.hub.db.session() as session:
        return int(session.scalar(select(func.count()).where(duties.c.kind == kind)) or 0)


def officers_told(house: House) -> list[str | None]:
    """The agencies whose data protection officers have a notice; None is that of the declaration itself."""
    with house.hub.db.session() as session:
        found = session.scalars(select(duties.c.agency).where(duties.c.kind == TOLD_DPO))
        return sorted(found, key=lambda agency: agency or "")


def declared(house: House) -> int:
    with house.hub.db.session() as session:
        return int(session.scalar(select(func.count()).select_from(declarations)) or 0)


def events(house: House, kind: str) -> list[Any]:
    return [event for event in house.hub.trail.events(0) if event.kind == kind]


def context(house: House, enquiry: str, *, now: datetime) -> tuple[RequestContext, enquiries.Enquiry]:
    """The social worker at that moment, and the enquiry."""
    ctx = persona_context("mash_social_worker", now=house.hub.clock(), request_id="0" * 32)
    found = enquiries.enquiry_of(house.hub, ctx, enquiry.removeprefix("/enquiries/"))
    return replace(ctx.for_purpose(found.purpose, enquiry=found.id), now=now), found


@on_one_engine
@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({}, {"reason", "imminent"}),
        ({**DECLARED, "imminent": ""}, {"imminent"}),
        ({**DECLARED, "imminent": "maybe"}, {"imminent"}),
        ({**DECLARED, "reason": "urgent"}, {"reason"}),
        ({**DECLARED, "reason": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, {"reason"}),
    ],
)
def test_without_a_reason_and_a_risk_now_nothing_is_declared(
    house: House, refused: tuple[Visitor, str], typed: dict[str, str], wrong: set[str]
) -> None:
    visitor, enquiry = refused
    before = declared(house), count(house, REVIEW), len(events(house, "break-glass"))
    page = visitor.post(f"{enquiry}/emergency", typed)
    assert page.status_code == 422
    assert {field for field in ("reason", "imminent") if f'href="#{field}"' in page.text} == wrong
    assert (declared(house), count(house, REVIEW), len(events(house, "break-glass"))) == before


@on_one_engine
def test_a_role_that_does_not_rescue_a_stranger_and_a_closed_enquiry_are_refused(
    house: House, gate: Gate, refused: tuple[Visitor, str]
) -> None:
    visitor, enquiry = refused
    assert gate.visitor(Role.FAMILY_KEYWORKER).post(f"{enquiry}/emergency", DECLARED).status_code == 403
    assert gate.visitor(Role.SAFEGUARDING_NURSE, agency="hv").get(f"{enquiry}/emergency").status_code == 404
    assert visitor.post(f"{enquiry}/close").status_code == 200
    assert visitor.get(f"{enquiry}/emergency").status_code == 403
    assert visitor.post(f"{enquiry}/emergency", DECLARED).status_code == 403
    assert "Emergency access" not in visitor.get(f"{enquiry}/who").text


@on_one_engine
@pytest.mark.parametrize("failing", ["event", "tasks"])
def test_no_emergency_is_in_force_without_its_event_and_its_review(
    house: House, refused: tuple[Visitor, str], failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise TrailUnavailable("no") if failing == "event" else OperationalError("insert", {}, Exception("no"))

    visitor, enquiry = refused
    before = declared(house)
    with monkeypatch.context() as patched:
        patched.setattr(house.hub.trail, "append", fails) if failing == "event" else patched.setattr(
            break_glass, "write", fails
        )
        assert visitor.post(f"{enquiry}/emergency", DECLARED).status_code == 503
    assert declared(house) == before


def test_what_was_refused_is_opened_for_who_declared_it_and_nobody_else(
    house: House, refused: tuple[Visitor, str]
) -> None:
    visitor, enquiry = refused
    before = visitor.get(f"{enquiry}/who").text
    assert "Emergency access until" not in before
    assert f'href="{enquiry}/emergency"' in before
    form = visitor.get(f"{enquiry}/emergency").text
    for told in ("information governance", "data protection officer", "each agency whose information is opened"):
        assert told in form
    answer = visitor.post(f"{enquiry}/emergency", DECLARED)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{enquiry}/picture")
    opened = visitor.get(f"{enquiry}/picture")
    assert "Emergency access until" in opened.text
    owners = re.search(r"Told because something of theirs was opened: ([^<]+)", opened.text)
    assert owners
    assert "Thornshire Police" in owners[1]
    assert 0 < int(opened.headers["Refresh"].split(";")[0]) <= 4 * 3600 + 1
    assert opened.text.count("Involved") + 1 > before.count("Involved")
    colleague = house.visitor("mash_decision_maker")
    other = colleague.get(f"{enquiry}/picture")
    assert "Emergency access until" not in other.text
    assert "Refresh" not in other.headers
    owned = count(house, TOLD_OWNER)
    assert owned >= 1
    told = officers_told(house)
    visitor.get(f"{enquiry}/picture")
    assert count(house, TOLD_OWNER) == owned
    # One notice for the declaration, and one for the data protection officer of each owner: none closes another's.
    with house.hub.db.session() as session:
        owners = set(session.scalars(select(duties.c.agency).where(duties.c.kind == TOLD_OWNER)))
    assert len(owners) > 1
    assert officers_told(house) == told == [None, *sorted(owners)]
    # Declaring again while it holds changes nothing: it cannot be made longer.
    rows = declared(house)
    assert visitor.post(f"{enquiry}/emergency", DECLARED).status_code == 303
    assert declared(house) == rows
    event = events(house, "break-glass")[-1]
    assert event.fields["reason"] == "IMMINENT-RISK"
    made = [e for e in events(house, "disclosure:made") if event.eid in (e.fields.get("refers") or ())]
    assert made
    assert "P40" in made[-1].fields["decision"]["rules"]


@on_one_engine
def test_declared_on_friday_at_five_it_is_reviewed_by_monday_night_and_closed_at_nine(
    house: House, refused: tuple[Visitor, str]
) -> None:
    _, enquiry = refused
    ctx, found = context(house, enquiry, now=FRIDAY)
    break_glass.declare(house.hub, ctx, found, DECLARED)
    emergency = break_glass.in_force(house.hub, ctx, found)
    assert emergency is not None
    assert emergency.ends_at == datetime(2026, 11, 27, 21, 0, tzinfo=UTC)
    assert emergency.review_due == datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
    with house.hub.db.session() as session:
        owed = {
            row["kind"]: row
            for row in session.execute(select(duties).where(duties.c.refers == emergency.id)).mappings()
        }
    assert set(owed) == {REVIEW, TOLD_DPO}
    assert owed[REVIEW]["due_at"] == emergency.review_due
    assert owed[REVIEW]["barred"] == ctx.actor.id
    for minutes, holds in ((-1, False), (0, True), (239, True), (240, False), (241, False)):
        then = replace(ctx, now=FRIDAY + timedelta(minutes=minutes))
        assert (break_glass.in_force(house.hub, then, found) is not None) == holds, minutes
    with house.hub.db.writing() as session:
        session.execute(declarations.delete().where(declarations.c.id == emergency.id))


@on_one_engine
def test_after_four_hours_the_same_page_shows_what_it_showed_before(house: House, refused: tuple[Visitor, str]) -> None:
    def shown(minutes: int) -> int:
        then = replace(ctx, now=now + timedelta(minutes=minutes))
        picture, _ = disclosure.family_picture(house.hub, then, found)
        return sum(len(person.facts) for person in picture.people) + len(picture.events)

    _, enquiry = refused
    now = house.hub.clock()
    ctx, found = context(house, enquiry, now=now)
    before = shown(0)
    break_glass.declare(house.hub, ctx, found, DECLARED)
    assert shown(0) > before
    assert shown(239) > before
    assert shown(240) == before


@on_one_engine
@pytest.mark.parametrize(
    ("day", "due"),
    [
        (datetime(2026, 11, 28, 3, 0, tzinfo=UTC), datetime(2026, 11, 30, 23, 59, tzinfo=UTC)),
        (datetime(2026, 12, 24, 18, 0, tzinfo=UTC), datetime(2026, 12, 29, 23, 59, tzinfo=UTC)),
        (datetime(2027, 6, 30, 23, 30, tzinfo=UTC), datetime(2027, 7, 2, 22, 59, tzinfo=UTC)),
    ],
    ids=["Saturday night", "Christmas Eve", "after midnight in London, summer"],
)
def test_the_review_is_due_at_the_end_of_the_next_working_day(house: House, day: datetime, due: datetime) -> None:
    assert break_glass.review_due(day) == due


def review_of(page: str) -> str:
    task = re.search(r'Review an emergency.*?name="task" value="([^"]+)"', page, re.S)
    assert task, page
    return task[1]


def test_the_review_is_somebody_elses_with_a_finding_and_blocks_the_next_one_while_overdue(
    house: House, refused: tuple[Visitor, str]
) -> None:
    visitor, enquiry = refused
    assert visitor.post(f"{enquiry}/emergency", DECLARED).status_code == 303
    assert "Review an emergency" not in visitor.get("/tasks").text
    assert "An emergency was declared" in house.visitor("dpo").get("/tasks").text
    officer = house.visitor("ig_officer")
    assert "Emergency access" in officer.get("/ig").text
    with house.hub.db.writing() as session:
        ago = house.hub.clock() - timedelta(minutes=1)
        session.execute(duties.update().where(duties.c.kind == REVIEW, duties.c.done_at.is_(None)).values(due_at=ago))
    for door in (visitor.get, lambda path: visitor.post(path, DECLARED)):
        page = door(f"{enquiry}/emergency")
        assert page.status_code == 403
        assert "overdue" in page.text
    queue = officer.get("/tasks").text
    assert REASON in queue
    assert "Rosalind Achebe" in queue
    entry = re.search(r'href="(/ig/entries/[0-9a-f]{32})"', queue)
    assert entry
    assert "/consent" not in queue
    assert events(house, "audit:read")[-1].fields["action"] == "emergency-reason"
    assert officer.get(entry[1]).status_code == 200
    task = review_of(queue)
    assert "Emergency access until" in visitor.get(f"{enquiry}/who").text
    for typed in (
        {"note": RISK_FINDING},
        {"note": RISK_FINDING, "outcome": "SHARE"},
        {"note": "It was all right", "outcome": "JUSTIFIED"},
    ):
        assert officer.post("/tasks", {"task": task, **typed}).status_code == 422
    assert visitor.post("/tasks", {"task": task, "note": RISK_FINDING, "outcome": "JUSTIFIED"}).status_code == 404
    while "Review an emergency" in queue:
        typed = {"task": review_of(queue), "note": RISK_FINDING, "outcome": "NOT_JUSTIFIED"}
        assert officer.post("/tasks", typed).status_code == 303
        queue = officer.get("/tasks").text
    with house.hub.db.session() as session:
        row = session.execute(select(duties).where(duties.c.id == task)).mappings().one()
    assert row["outcome"] == "NOT_JUSTIFIED"
    assert row["done_by"] != row["barred"]
    assert "Emergency access until" not in visitor.get(f"{enquiry}/who").text
    assert visitor.get(f"{enquiry}/emergency").status_code == 200


@on_one_engine
def test_who_declared_it_never_reviews_it_in_whatever_role_they_come(
    house: House, refused: tuple[Visitor, str]
) -> None:
    visitor, enquiry = refused
    assert visitor.post(f"{enquiry}/emergency", DECLARED).status_code == 303
    with house.hub.db.session() as session:
        who = session.scalars(select(declarations.c.user).order_by(declarations.c.declared_at.desc())).first()
    assert who
    ctx = persona_context("ig_officer", now=house.hub.clock(), request_id="0" * 32)
    same = replace(ctx, actor=replace(ctx.actor, id=who))
    for reader, reviews in ((ctx, True), (same, False)):
        found, _ = tasks.open_tasks(house.hub, reader)
        assert (REVIEW in {task.kind for task in found}) == reviews


@pytest.mark.parametrize(
    ("owed", "declared_now", "shows"),
    [
        ({Obligation.RETRO_REVIEW, Obligation.EXPIRE_AT}, False, False),
        ({Obligation.EXPIRE_AT}, True, False),
        ({Obligation.RETRO_REVIEW, Obligation.EXPIRE_AT, Obligation.VIEW_ONCE}, True, False),
        ({Obligation.RETRO_REVIEW, Obligation.EXPIRE_AT, Obligation.NO_EXPORT}, True, True),
    ],
)
def test_an_end_by_the_clock_is_carried_out_only_with_a_declared_emergency(
    owed: set[Obligation], declared_now: bool, shows: bool
) -> None:
    emergency = BreakGlass(declared_at=FRIDAY, reason=REASON, imminent_risk=True) if declared_now else None
    decision = SimpleNamespace(outcome=Outcome.PERMIT, fields=("status",), obligations=tuple(owed))
    assert (
        may_show(decision, SimpleNamespace(break_glass=emergency, access=SimpleNamespace(mode=AccessMode.VIEW)))
        == shows
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("role", list(Role))
def test_only_who_acts_at_once_may_declare(role: Role) -> None:
    assert (role in DECLARING) == (role in ROLES)


ROLES = {
    "MASH_SCREENING_OFFICER",
    "MASH_SOCIAL_WORKER",
    "MASH_DECISION_MAKER",
    "POLICE_MASH_SUPERVISOR",
    "SAFEGUARDING_NURSE",
    "SOCIAL_WORKER",
    "ADULT_SOCIAL_WORKER",
    "EDT_WORKER",
}


@on_one_engine
def test_an_emergency_is_not_found_justified_before_it_is_over(house: House, refused: tuple[Visitor, str]) -> None:
    visitor, enquiry = refused
    assert visitor.post(f"{enquiry}/emergency", DECLARED).status_code == 303
    officer = house.visitor("ig_officer")
    task = review_of(officer.get("/tasks").text)
    found = {"task": task, "note": RISK_FINDING, "outcome": "JUSTIFIED"}
    assert officer.post("/tasks", found).status_code == 422
    ctx = persona_context("ig_officer", now=house.hub.clock() + timedelta(hours=4, minutes=1), request_id="0" * 32)
    tasks.finish(house.hub, ctx, task, RISK_FINDING, "JUSTIFIED")
    assert task not in officer.get("/tasks").text


@on_one_engine
def test_another_agencys_officer_does_not_review_it(house: House, gate: Gate, refused: tuple[Visitor, str]) -> None:
    visitor, enquiry = refused
    assert visitor.post(f"{enquiry}/emergency", DECLARED).status_code == 303
    assert "Review an emergency" not in gate.visitor(Role.IG_OFFICER, agency="police").get("/tasks").text
    # Without a strong sign-in the task is theirs, and the reason is not shown.
    weak = gate.visitor(Role.IG_OFFICER, amr=["pwd"]).get("/tasks").text
    assert "Review an emergency" in weak
    assert REASON not in weak


@on_one_engine
def test_somebody_added_during_an_emergency_is_on_its_record(house: House, refused: tuple[Visitor, str]) -> None:
    _, at = refused
    ctx, found = context(house, at, now=house.hub.clock())
    before = len(events(house, "break-glass"))
    break_glass.extend(house.hub, ctx, found, "p-added")
    assert len(events(house, "break-glass")) == before
    break_glass.declare(house.hub, ctx, found, DECLARED)
    break_glass.extend(house.hub, ctx, found, "p-added")
    first, second = events(house, "break-glass")[before:]
    assert second.fields["outcome"] == "EXTENDED"
    assert second.fields["refers"] == [first.eid]
    assert len(second.subjects) == 1
