"""Notices of events: refused first, then taken once, decided before anybody is told, and read with a receipt."""

import csv
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import func, select

from audit import TrailUnavailable
from connectors import SchoolDay
from hub import commands
from hub.api.notices import NOTICES
from hub.demo.stories import STORIES
from hub.loading import load_all
from hub.notices import intake
from hub.notices.clocks import before_lessons, interview_due
from hub.notices.desks import CHANGED, INTERVIEW, NOTICE, SCHOOL
from hub.notices.intake import Taken, bring_abandoned, take_all
from hub.notices.tables import notices, subscriptions
from hub.tables import duties, enquiries
from policies import load_agreements
from policies.vocabulary import StatutoryGateway
from tests.conftest import House, Visitor
from tests.hub.conftest import newest, with_parts
from tests.hub.test_stories import REASON, candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
DATA = Path(__file__).parent / "agreements"
NHS, POLICE_RECORD = "https://fhir.nhs.uk/Id/nhs-number", "urn:kith:record:police"
WORDS = "Officers came to raised voices. The child was upstairs and awake."
REACHED = {"kind": "REASONABLE_CAUSE", "byRole": "POLICE_MASH_SUPERVISOR"}


def born(story: str) -> str:
    """The birth date of a story's subject."""
    age, month, day = STORIES[story].born
    today = datetime.now(UTC).date()
    year = today.year - age - ((today.month, today.day) < (month, day))
    return date(year, month, day).isoformat()


def person(number: str, born_on: str, name: str = "Tarrant") -> dict[str, Any]:
    """Who is meant, as MAIS describes a person."""
    return {
        "identifier": [{"value": number, "system": NHS}],
        "name": [{"familyName": [name], "givenName": ["Maisie"]}],
        "dateOfBirth": {"date": born_on},
    }


def event(*types: str, story: str = "showcase", reached: bool = False, **more: Any) -> dict[str, Any]:
    """A notice about a story's subject; every one has an identifier of its own."""
    now = datetime.now(UTC)
    number = STORIES[story].nhs_number
    said: dict[str, Any] = {"circumstances": WORDS, "risk": "Coercion"}
    if reached:
        said["threshold"] = {**REACHED, "at": now.isoformat()}
    return {
        "@type": "LifeEvent",
        "identifier": [{"value": "LE-" + uuid4().hex, "system": "https://police.example/Id/event"}],
        "type": list(types or ("safeguarding-concern",)),
        "subjectPerson": [{"person": {"value": number, "system": NHS}, "involvement": "victim"}],
        "timeInformation": [{"startDateTime": (now - timedelta(hours=3)).isoformat()}],
        "person": [person(str(number), born(story))],
        "KithNotice": said,
        **more,
    }


def give(house: House, *events: Any, agency: str = "police", now: datetime | None = None) -> tuple[Taken, ...]:
    return take_all(house.hub, agency, "test", events, now=now or house.hub.clock())


def tasks_of(house: House, taken: Taken) -> list[Any]:
    """The tasks that a notice brought."""
    with house.hub.db.session() as session:
        notice = session.scalar(select(notices.c.id).where(notices.c.receipt == taken.receipt))
        rows = session.execute(select(duties).where(duties.c.refers == notice, duties.c.refers.is_not(None)))
        return list(rows.mappings())


def page(visitor: Visitor, task: Any, more: str = "") -> Any:
    return visitor.get(f"/notices/{task['refers']}{more}")


def close_all(house: House) -> None:
    """Nobody works with anybody: the enquiries of other tests end."""
    with house.hub.db.writing() as session:
        session.execute(enquiries.update().where(enquiries.c.closed_at.is_(None)).values(closed_at=house.hub.clock()))


@pytest.fixture
def agreed(house: House) -> House:
    """The house with an agreement about notices, and with the gateway of Operation Encompass dated."""
    gateways = tuple(
        replace(g, effective_from=date(2025, 1, 1)) if g.code == StatutoryGateway.VPA2024_OP_ENCOMPASS else g
        for g in house.hub.gateways
    )
    hub = house.hub.as_agreed_now()
    return with_parts(house, agreements=(*hub.agreements, *load_agreements(DATA)), gateways=gateways)


@pytest.fixture
def door(house: House, tmp_path: Path) -> "Door":
    return Door(house, tmp_path)


class Door:
    """The endpoint, and a client of the police with its key."""

    def __init__(self, house: House, folder: Path) -> None:
        self.key = ECKey.generate_key("P-256")
        (folder / "police.json").write_text(json.dumps({"keys": [self.key.as_dict(private=False)]}))
        file = folder / "clients.toml"
        file.write_text(
            '[[client]]\nid = "police-notices"\nagency = "police"\nmay = ["notify"]\njwks_file = "police.json"\n'
            '[[client]]\nid = "asks-only"\nagency = "police"\nroles = ["POLICE_OFFICER"]\njwks_file = "police.json"\n'
        )
        self.house = with_parts(house, settings=replace(house.hub.settings, clients_file=file))

    def post(self, body: bytes, *, client: str = "police-notices", signed: bytes | None = None) -> Any:
        now = int(time.time())
        claims = {
            "iss": client,
            "sub": client,
            "aud": self.house.hub.settings.base_url + NOTICES,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(24),
            "sha256": hashlib.sha256(body if signed is None else signed).hexdigest(),
        }
        header = {"Authorization": "Bearer " + jwt.encode({"alg": "ES256"}, claims, self.key, algorithms=["ES256"])}
        return self.house.app.test_client().post(NOTICES, data=body, headers=header)


# --- Refused ---------------------------------------------------------------------------------------------------------


@on_one_engine
def test_nobody_gives_notice_unsigned_or_under_another_body_or_with_a_client_that_only_asks(door: Door) -> None:
    body = json.dumps(event()).encode()
    before = count(door.house)
    assert door.house.app.test_client().post(NOTICES, data=body).status_code == 401
    assert door.post(body, signed=b"{}").status_code == 401
    assert door.post(body, client="asks-only").status_code == 401
    assert count(door.house) == before


@on_one_engine
def test_one_bad_notice_never_sinks_the_others_and_says_where_without_what(door: Door) -> None:
    bad = event(location=[7])
    answer = door.post(json.dumps([event(), bad, "x", event("exploded"), event()]).encode())
    assert answer.status_code == 200
    assert [one["state"] for one in answer.json["notices"]] == ["TAKEN", "REJECTED", "REJECTED", "REJECTED", "TAKEN"]
    assert answer.json["notices"][1]["reason"] == "LifeEvent.location[0]: a text is needed"
    assert STORIES["showcase"].nhs_number not in answer.text


@on_one_engine
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b'"\\ud800"', b"null", b"[]" * 9])
def test_what_is_no_notice_is_never_a_fault_of_ours(door: Door, body: bytes) -> None:
    answer = door.post(body)
    assert answer.status_code in (200, 422)
    assert "TAKEN" not in answer.text


@on_one_engine
def test_too_many_and_too_much_are_refused_whole(door: Door) -> None:
    assert door.post(json.dumps([{}] * 501).encode()).status_code == 422
    assert door.post(b" " * (2 * 1024 * 1024 + 1)).status_code == 413


@on_one_engine
def test_an_agency_gives_notice_only_of_what_it_can_know(house: House) -> None:
    taken = give(house, event("ae-attendance"), event("missing-person", "ae-attendance"))
    assert {one.state for one in taken} == {"REJECTED"}
    assert give(house, event("safeguarding-concern"), agency="hv")[0].state == "REJECTED"


@on_one_engine
def test_who_works_with_somebody_else_or_no_longer_hears_nothing_and_reads_nothing(house: House) -> None:
    close_all(house)
    visitor, found = open_story(house, "showcase")
    choose(visitor, found, candidates(found)[0])
    close_all(house)
    (taken,) = give(house, event())
    (task,) = tasks_of(house, taken)
    assert (task["user"], task["agency"], task["kind"]) == (None, "csc", NOTICE)
    for persona in ("police_navigator", "school_lead", "ig_officer", "health_visitor", "family_keyworker"):
        assert page(house.visitor(persona), task).status_code == 404, persona


@on_one_engine
def test_who_fled_is_not_reached_through_the_enquiry_about_who_was_left(house: House) -> None:
    close_all(house)
    visitor, found = open_story(house, "shielded", who="Marek Zielonka")
    choose(visitor, found, "Marek Zielonka")
    (taken,) = give(house, event(story="shielded"))
    tasks = tasks_of(house, taken)
    # She is an adult, and adults' social care is no party to an agreement under which this could be shown.
    assert [(task["agency"], task["user"]) for task in tasks] in ([], [("asc", None)])


@on_one_engine
def test_nobody_may_be_told_so_the_sender_rings_and_information_governance_knows(house: House) -> None:
    """The gateway of Operation Encompass has no date in the register: until then no notice goes to a school (P07)."""
    service = [{"value": "school", "system": "urn:kith:agency"}]
    (taken,) = give(house, event("operation-encompass", relatedService=service))
    assert [(desk["desk"], desk["state"]) for desk in taken.desks] == [("SCHOOL", "NOT_TOLD")]
    assert tasks_of(house, taken) == []
    alarm = newest(house.hub, "alarm").fields
    assert (alarm["reason"], alarm["outcome"]) == ("NOTICE-WITH-NOBODY", "SCHOOL")


# --- Told ------------------------------------------------------------------------------------------------------------


def test_a_notice_goes_to_who_works_with_the_child_and_to_the_sender_it_looks_the_same(house: House) -> None:
    close_all(house)
    (unknown,) = give(house, event())
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    (taken,) = give(house, event())
    (task,) = tasks_of(house, taken)
    assert task["user"]
    assert f"/enquiries/{task['enquiry']}" == enquiry
    assert taken.desks == unknown.desks
    shown = page(visitor, task)
    assert WORDS in shown.text
    assert "Victim" in shown.text
    made = newest(house.hub, "disclosure:made")
    assert made.fields["enquiry"] == task["enquiry"]
    assert made.fields["source"] == ["police"]
    assert page(house.visitor("mash_decision_maker"), task).status_code == 404


def test_sixteen_at_once_are_one_notice_and_one_task(house: House) -> None:
    close_all(house)
    one = event()
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: give(house, one)[0], range(16)))
    assert sorted({t.state for t in taken}) == ["REPEATED", "TAKEN"]
    assert [t.state for t in taken].count("TAKEN") == 1
    assert len({t.receipt for t in taken}) == 1
    assert len(tasks_of(house, taken[0])) == 1


@on_one_engine
def test_the_front_door_reads_what_the_sender_recorded_a_threshold_for(house: House) -> None:
    close_all(house)
    (taken,) = give(house, event(reached=True))
    (task,) = tasks_of(house, taken)
    shown = page(house.visitor("mash_social_worker"), task)
    assert "Coercion" in shown.text
    assert "Maisie Tarrant" in shown.text
    # Circumstances are in no clause for screening.
    assert WORDS not in shown.text


@on_one_engine
def test_without_a_threshold_the_front_door_starts_an_enquiry_and_reads_it_there(house: House) -> None:
    close_all(house)
    (taken,) = give(house, event())
    (task,) = tasks_of(house, taken)
    visitor = house.visitor("mash_social_worker")
    shown = page(visitor, task)
    assert "cannot be shown to you yet" in shown.text
    assert "Tarrant" not in shown.text
    assert "Coercion" not in shown.text
    assert f"/enquiries/new?notice={task['refers']}" in shown.text
    form = {
        "purpose": "S47_ENQUIRY",
        "reference": "REF/77",
        "rationale": REASON,
        "threshold": "S47_DECISION",
        "notice": task["refers"],
    }
    started = visitor.post("/enquiries/new", form)
    assert started.status_code == 303
    read = visitor.get(started.headers["Location"])
    assert WORDS in read.text
    assert "REF/77" in read.text
    # Somebody else's enquiry is none to read it in.
    other = house.visitor("mash_decision_maker")
    assert other.get(started.headers["Location"].replace("EN-", "EN-0")).status_code == 404


@on_one_engine
def test_an_nhs_number_alone_or_with_another_birth_date_shows_nothing_of_anybody(house: House) -> None:
    close_all(house)
    alone = event(reached=True)
    del alone["person"]
    other = event(reached=True, person=[person(str(STORIES["showcase"].nhs_number), "1950-01-01")])
    in_doubt, somebody_else = (tasks_of(house, taken) for taken in give(house, alone, other))
    (task,) = in_doubt
    shown = page(house.visitor("mash_social_worker"), task).text
    assert "cannot be shown to you yet" in shown
    assert "Tarrant" not in shown
    # Born in 1950 by what the sender says: an adult whom no agency here knows, and not the child of that number.
    with house.hub.db.session() as session:
        from hub.people import candidates as found_by
        from hub.people import parse_box

        known = found_by(session, house.hub.keys, parse_box(str(STORIES["showcase"].nhs_number)), now=house.hub.clock())
    assert {one["person"] for one in somebody_else} & {c.person for c in known.candidates} == set()


@on_one_engine
def test_the_senders_own_record_id_says_who_is_meant(house: House) -> None:
    close_all(house)
    with house.hub.db.session() as session:
        from hub.people.tables import records

        known = session.scalar(select(records.c.record).where(records.c.agency == "police").limit(1))
    named = [{"person": {"value": known, "system": POLICE_RECORD}, "involvement": "SBJ"}]
    taken, refused = give(
        house,
        event(subjectPerson=named, person=[]),
        event(subjectPerson=[{"person": {"value": "1", "system": "urn:kith:record:csc"}, "involvement": "SBJ"}]),
    )
    assert (taken.state, refused.state) == ("TAKEN", "REJECTED")


@on_one_engine
def test_a_school_hears_of_a_police_incident_before_lessons_begin(agreed: House) -> None:
    service = [{"value": "school", "system": "urn:kith:agency"}]
    (taken,) = give(agreed, event("operation-encompass", relatedService=service))
    (task,) = tasks_of(agreed, taken)
    assert (task["agency"], task["kind"]) == ("school", SCHOOL)
    happened = datetime.now(UTC) - timedelta(hours=3)
    due = before_lessons(agreed.hub.partners["school"].school_day, happened)
    assert task["due_at"] == due
    # The police see until when.
    assert taken.desks == ({"desk": "SCHOOL", "state": "TOLD", "due_at": due.isoformat()},)
    lead = agreed.visitor("school_lead")
    assert "read it before lessons begin" in lead.get("/tasks").text
    shown = page(lead, task).text
    assert WORDS in shown
    assert "Coercion" not in shown


@on_one_engine
def test_the_return_interview_is_due_72_hours_after_the_return_and_both_see_the_clock(agreed: House) -> None:
    close_all(agreed)
    back = datetime.now(UTC).replace(hour=22, minute=10, second=0, microsecond=0) - timedelta(days=1)
    times = [{"startDateTime": (back - timedelta(hours=9)).isoformat(), "endDateTime": back.isoformat()}]
    (taken,) = give(agreed, event("missing-person", reached=True, timeInformation=times))
    tasks = {task["agency"]: task for task in tasks_of(agreed, taken)}
    assert set(tasks) == {"csc", "housing"}
    assert {task["kind"] for task in tasks.values()} == {INTERVIEW}
    assert {task["due_at"] for task in tasks.values()} == {back + timedelta(hours=72)}
    assert "Offer a return home interview" in agreed.visitor("mash_social_worker").get("/tasks").text


@pytest.mark.parametrize(
    ("happened", "due", "why"),
    [
        ("2026-11-21T23:30+00:00", "2026-11-23T08:50+00:00", "Saturday night: Monday's first lesson"),
        ("2026-11-23T02:00+00:00", "2026-11-23T08:50+00:00", "Monday at two: the same day"),
        ("2026-11-23T08:50+00:00", "2026-11-24T08:50+00:00", "lessons have begun"),
        ("2026-12-20T20:00+00:00", "2027-01-04T08:50+00:00", "the school's holidays, and a bank holiday"),
        ("2026-05-23T20:00+01:00", "2026-05-26T08:50+01:00", "a bank holiday; summer time"),
    ],
)
def test_before_lessons_counts_weekends_bank_holidays_and_the_schools_own(happened: str, due: str, why: str) -> None:
    from datetime import time as clock

    school = SchoolDay(clock(8, 50), ((date(2026, 12, 21), date(2027, 1, 1)),))
    assert before_lessons(school, datetime.fromisoformat(happened)) == datetime.fromisoformat(due), why


def test_72_hours_are_72_hours_also_when_the_clocks_are_put_back() -> None:
    returned = datetime.fromisoformat("2026-10-24T22:10+01:00")
    assert interview_due(returned) - returned == timedelta(hours=72)


# --- Nothing is lost --------------------------------------------------------------------------------------------------


@on_one_engine
def test_a_trail_that_cannot_be_written_takes_nothing_and_again_is_taken_once(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, trail = json.dumps(event()).encode(), door.house.hub.trail

    def full(*_: Any, **__: Any) -> Any:
        raise TrailUnavailable("full")

    before = count(door.house)
    with monkeypatch.context() as patch:
        patch.setattr(type(trail), "append", full)
        answer = door.post(body)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert count(door.house) == before
    assert door.post(body).json["notices"][0]["state"] == "TAKEN"
    assert door.post(body).json["notices"][0]["state"] == "REPEATED"


@on_one_engine
def test_what_a_process_that_died_had_stored_is_brought_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_all(house)
    with monkeypatch.context() as patch:
        patch.setattr(intake, "tell_all", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        one = event()
        with pytest.raises(KeyboardInterrupt):
            give(house, one)
    later = house.hub.clock() + timedelta(minutes=5)
    assert bring_abandoned(house.hub, now=later) == 1
    assert bring_abandoned(house.hub, now=later) == 0
    (taken,) = give(house, one)
    assert taken.state == "REPEATED"
    assert len(tasks_of(house, taken)) == 1


@on_one_engine
def test_a_notice_of_which_nobody_was_told_is_never_answered_as_if_somebody_was(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_all(door.house)
    body = json.dumps(event()).encode()
    with monkeypatch.context() as patch:
        patch.setattr(intake, "tell_all", lambda *_, **__: (_ for _ in ()).throw(TrailUnavailable("full")))
        assert door.post(body).status_code == 503
        assert door.post(body).status_code == 503
    (again,) = door.post(body).json["notices"]
    assert (again["state"], [desk["state"] for desk in again["desks"]]) == ("REPEATED", ["TOLD"])
    assert len(tasks_of(door.house, Taken(1, "REPEATED", receipt=again["receipt"]))) == 1


@on_one_engine
def test_a_notice_that_can_never_be_brought_stops_nobody_elses_and_is_said_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_all(house)
    poison = event()
    real = intake.concerned

    def fails(hub: Any, notice: Any) -> Any:
        if notice.event.identifier.value == poison["identifier"][0]["value"]:
            raise ValueError("poison")
        return real(hub, notice)

    monkeypatch.setattr(intake, "concerned", fails)
    bad, good = give(house, poison, event())
    assert [desk["state"] for desk in (*bad.desks, *good.desks)] == ["NOT_TOLD", "TOLD"]
    alarm = newest(house.hub, "alarm")
    assert alarm.fields["reason"] == "NOTICE-NOT-BROUGHT"
    later = house.hub.clock() + timedelta(minutes=5)
    (other,) = give(house, event(), now=later)
    assert [desk["state"] for desk in other.desks] == ["TOLD"]
    gone = with_parts(house, partners={c: p for c, p in house.hub.partners.items() if c != "police"})
    assert bring_abandoned(gone.hub, now=later) == 0
    assert newest(house.hub, "alarm").eid == alarm.eid
    monkeypatch.setattr(intake, "concerned", real)
    assert bring_abandoned(house.hub, now=later) == 1


@on_one_engine
def test_the_timer_brings_what_nobody_was_told_of(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    close_all(house)
    with monkeypatch.context() as patch:
        patch.setattr(intake, "tell_all", lambda *_, **__: (_ for _ in ()).throw(TrailUnavailable("full")))
        one = event()
        with pytest.raises(TrailUnavailable):
            give(house, one, now=house.hub.clock() - timedelta(minutes=5))
    for name, value in house.demonstration.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("hub.commands.remind.open_hub", lambda _: replace(house.hub))
    monkeypatch.setattr(type(house.hub), "close", lambda _: None)
    run = CliRunner().invoke(commands.hub, ["remind"])
    assert (run.exit_code, run.output.splitlines()[-1]) == (0, "1 notices brought that had reached nobody")
    assert len(tasks_of(house, give(house, one)[0])) == 1


@on_one_engine
def test_an_identifier_that_cannot_be_printed_is_refused(house: House) -> None:
    named = [{"person": {"value": "a\0b", "system": POLICE_RECORD}, "involvement": "SBJ"}]
    nul = [{"value": "LE-\0", "system": "https://police.example/Id/event"}]
    taken = give(house, event(subjectPerson=named, person=[]), event(identifier=nul))
    assert {one.state for one in taken} == {"REJECTED"}


@on_one_engine
def test_dropped_files_are_taken_once_and_a_bad_one_costs_itself(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drops = house.hub.settings.drops_folder / "police" / "notices"
    drops.mkdir(parents=True)
    (drops / "a.jsonl").write_text("\n".join([json.dumps(event()), "{broken", json.dumps(event())]))
    (drops / "b.json").write_bytes(b"\x00\xff")
    (drops / "c.json").write_text(json.dumps([event()]))
    monkeypatch.setattr("hub.commands.notices.open_hub", lambda _: replace(house.hub))
    monkeypatch.setattr("hub.commands.notices.read_settings", lambda: None)
    monkeypatch.setattr(type(house.hub), "close", lambda _: None)
    run = CliRunner().invoke(commands.hub, ["notices", "police", "--reports", str(tmp_path)])
    assert run.exit_code == 1
    assert "a.jsonl: 2 taken, 1 rejected" in run.output
    assert "c.json: 1 taken, 0 rejected" in run.output
    assert sorted(p.name for p in drops.glob("*.json*")) == ["b.json"]
    states = [one["state"] for one in json.loads((tmp_path / "police-a.json").read_text())["notices"]]
    assert states == ["TAKEN", "REJECTED", "TAKEN"]


@on_one_engine
def test_what_a_notice_said_is_forgotten_in_time_and_its_id_stays(house: House) -> None:
    from hub.clearing import clear_notices

    close_all(house)
    (taken,) = give(house, event())
    (task,) = tasks_of(house, taken)
    assert clear_notices(house.hub, house.hub.clock() + timedelta(days=92)) >= 1
    assert page(house.visitor("mash_social_worker"), task).status_code == 404
    assert newest(house.hub, "erase").fields["action"] == "NOTICE-CLEARED"


# --- Watched ----------------------------------------------------------------------------------------------------------


def changed(house: House, enquiry: str) -> list[Any]:
    with house.hub.db.session() as session:
        mine = (duties.c.kind == CHANGED, duties.c.enquiry == enquiry.removeprefix("/enquiries/"))
        return list(session.execute(select(duties).where(*mine)).mappings())


@pytest.fixture
def housing(house: House) -> Iterator[Callable[[str], None]]:
    """Drops the housing authority's tenancy events with another status, and loads them; in the end as they were."""
    file = house.hub.settings.drops_folder / "housing" / "tenancy_events.csv"
    before = file.read_bytes()

    def drop(status: str) -> None:
        with file.open(newline="", encoding="cp1252") as lines:
            rows = list(csv.DictReader(lines))
        with file.open("w", newline="", encoding="cp1252") as lines:
            writer = csv.DictWriter(lines, rows[0])
            writer.writeheader()
            writer.writerows({**row, "status": status} for row in rows)
        load_all(house.hub, now=house.hub.clock(), only="housing")

    yield drop
    file.write_bytes(before)
    load_all(house.hub, now=house.hub.clock(), only="housing")


@on_one_engine
def test_who_watches_hears_of_a_change_once_until_the_enquiry_ends(
    house: House, housing: Callable[[str], None]
) -> None:
    close_all(house)
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    colleague = house.visitor("mash_decision_maker")
    housing("Watched by nobody")
    assert changed(house, enquiry) == []
    assert "Tell me of changes" in colleague.get(f"{enquiry}/who").text
    assert colleague.post(f"{enquiry}/watch", {"want": "yes"}).status_code == 303
    assert "Stop telling me" in colleague.get(f"{enquiry}/who").text
    housing("First")
    housing("First")
    (task,) = changed(house, enquiry)
    assert "Something changed in an enquiry that you watch" in colleague.get("/tasks").text
    assert "Something changed" not in visitor.get("/tasks").text
    assert task["person"]
    # A notice reaches both.
    (taken,) = give(house, event())
    assert len({one["user"] for one in tasks_of(house, taken)}) == 2
    assert colleague.post(f"{enquiry}/watch", {"want": "no"}).status_code == 303
    housing("Second")
    assert colleague.post(f"{enquiry}/watch", {"want": "yes"}).status_code == 303
    close_all(house)
    housing("Third")
    assert len(changed(house, enquiry)) == 1
    with house.hub.db.session() as session:
        assert session.execute(select(subscriptions)).all() == []


@on_one_engine
def test_a_change_in_what_the_watcher_may_not_see_is_not_told(house: House, housing: Callable[[str], None]) -> None:
    form = {"purpose": "MASH_SCREENING", "threshold": "", "consent": "REFUSED", "consent_giver": "PARENT_WITH_PR"}
    visitor, found = open_story(house, "showcase", **form)
    enquiry = choose(visitor, found, candidates(found)[0])
    assert visitor.post(f"{enquiry}/watch", {"want": "yes"}).status_code == 303
    housing("Hidden")
    assert changed(house, enquiry) == []


def count(house: House) -> int:
    with house.hub.db.session() as session:
        return int(session.execute(select(func.count()).select_from(notices)).scalar_one())
