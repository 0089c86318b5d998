"""The desk of information governance: alerts from the trail to CLOSED, on both databases."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from hub import enquiries
from hub.acting import ERASED, named
from hub.context import RequestContext
from hub.demo.setting_up import persona_context
from hub.desk import alerts, scan, users
from hub.desk.looks import look_of
from hub.desk.raising import Raised, keep
from hub.desk.tables import desk_acts, desk_alerts, desk_looks, desk_mark, desk_users
from hub.errors import FormRefused, NotForYou, NotFound
from hub.people.tables import records
from hub.radar import Finding, Signal
from hub.tables import duties, suspensions
from hub.words import SIGNAL_WORDS
from tests.conftest import House
from tests.hub.conftest import newest
from tests.hub.test_stories import candidates, choose, open_story

WHY = "Spoke with the worker, who was asked by the duty team"


def context(house: House, persona: str = "ig_officer", **more: Any) -> RequestContext:
    ctx = persona_context(persona, now=house.hub.clock(), request_id="0" * 32)
    return replace(ctx, **more)


@pytest.fixture(autouse=True)
def _an_empty_desk(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing waits, what happened before is read, and the hour at which the tests run is no alert of its own."""
    monkeypatch.setattr(sys.modules["hub.radar.explain"], "in_office_hours", lambda _: True)
    scan.catch_up(house.hub, now=house.hub.clock())
    with house.hub.db.writing() as session:
        for table in (desk_acts, desk_alerts, desk_looks, suspensions):
            session.execute(delete(table))
    yield
    with house.hub.db.writing() as session:
        session.execute(delete(desk_users))
        session.execute(delete(duties).where(duties.c.kind.in_(("ALERT_REFERRED", "ACCOUNT_SUSPENDED"))))
        session.execute(delete(suspensions))


def looks(house: House) -> str:
    """A worker opens an enquiry about the showcase family and looks at it; returns the enquiry."""
    visitor, found = open_story(house, "showcase")
    at = choose(visitor, found, candidates(found)[0]).removeprefix("/enquiries/")
    assert visitor.get(f"/enquiries/{at}/who").status_code == 200
    return at


def tie(house: House, key: str = "tarrant.leanne") -> None:
    """The worker who looked last turns out to be a relative of the family."""
    county = house.demonstration.county
    place = next(place for place, person in county.truth.items() if person == key)
    with house.hub.db.session() as session:
        where = (records.c.agency == place[0]) & (records.c.record == place[1])
        person = session.scalar(select(records.c.person).where(where))
    assert person
    user = named(house.hub, newest(house.hub, "disclosure:made")).fields["user"]["subject"]
    actor = replace(context(house, "mash_social_worker").actor, id=user, own_family=(person,))
    users.remember(house.hub, actor, now=house.hub.clock())


def raised(house: House) -> list[Any]:
    scan.catch_up(house.hub, now=house.hub.clock())
    with house.hub.db.session() as session:
        return list(session.execute(select(desk_alerts).order_by(desk_alerts.c.id)).mappings())


def one_alert(house: House) -> alerts.Alert:
    looks(house)
    tie(house)
    row = next(row for row in raised(house) if row["signal"] == Signal.RELATIVE and row["state"] != "CLOSED")
    return alerts.alert_of(house.hub, context(house), row["id"])


def test_every_signal_has_its_words() -> None:
    assert set(SIGNAL_WORDS) == {str(signal) for signal in Signal}


def test_a_look_at_a_relative_is_one_alert_that_names_nobody_and_is_in_the_trail(house: House) -> None:
    looks(house)
    tie(house)
    found = [row for row in raised(house) if row["signal"] == Signal.RELATIVE]
    assert len(found) == 1
    assert raised(house) == raised(house), "reading on raises nothing twice"
    row = found[0]
    event = house.hub.trail.entry(row["receipt"])
    assert (event.kind, event.fields["reason"]) == ("alarm", "RADAR-RELATIVE")
    assert event.fields["object"] == {"type": "alert", "id": row["id"]}
    assert event.subjects == ()
    assert row["relation"] == "OWN_ENQUIRY"
    text = repr(dict(row)).casefold()
    assert not any(name in text for name in ("tarrant", "leanne", "maisie", "achebe", "pe-"))


def test_what_was_read_and_judged_twice_at_once_is_kept_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    looks(house)
    tie(house)
    judge = scan._judge

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(scan, "_judge", judge)
        assert scan.scan(house.hub, now=house.hub.clock()).entries > 0
        return judge(*given)

    monkeypatch.setattr(scan, "_judge", meanwhile)
    assert scan.scan(house.hub, now=house.hub.clock()).entries == 0
    assert len([row for row in raised(house) if row["signal"] == Signal.RELATIVE]) == 1


def test_an_alert_that_was_kept_but_not_told_is_told_by_the_next_scan(house: House) -> None:
    alert = one_alert(house)
    with house.hub.db.writing() as session:
        session.execute(desk_alerts.update().where(desk_alerts.c.id == alert.id).values(receipt=None))
    with pytest.raises(NotFound):
        alerts.alert_of(house.hub, context(house), alert.id)
    assert next(row for row in raised(house) if row["id"] == alert.id)["receipt"] == alert.receipt


def test_other_alarms_of_the_hub_come_to_the_same_desk(house: House) -> None:
    ctx = context(house, "mash_social_worker")
    for reason in ("CHECKS-TOO-FAST", "P33+P50", "BOILERPLATE-REASON"):
        house.hub.trail.append(
            "alarm", now=ctx.now, user=enquiries.user_of(ctx), purpose="S47_ENQUIRY", reason=reason, trace="0" * 32
        )
    assert {(row["signal"], row["reason"]) for row in raised(house)} == {
        ("ALARM", "CHECKS-TOO-FAST"), ("ALARM", "P33+P50"), ("BOILERPLATE", None),
    }  # fmt: skip
    page = house.visitor("ig_officer").get("/ig/alerts").text
    assert "Very many checks in a minute" in page
    assert "Own record" in page or "The user&#39;s own record" in page or "own" in page.casefold()


def test_an_alert_is_opened_referred_answered_and_closed_and_every_step_is_an_event(house: House) -> None:
    alert, ctx = one_alert(house), context(house)
    seen, acts, _ = alerts.look_into(house.hub, ctx, alert.id)
    assert (seen.state, [act.kind for act in acts]) == ("NEW", ["OPENED"])
    with pytest.raises(FormRefused):
        alerts.refer(house.hub, ctx, alert, "why")
    alerts.refer(house.hub, ctx, alert, "Was the worker asked to take over this case?")
    page = house.visitor("mash_decision_maker").get("/tasks").text
    assert "Information governance asks about a worker" in page
    assert "Rosalind Achebe" in page
    task = re.search(r'name="task" value="(DU-[0-9a-f]+)"', page[page.index("Information governance asks") :])
    assert task
    assert "Tarrant" not in page
    assert "Information governance asks" not in house.visitor("mash_social_worker").get("/tasks").text
    done = house.visitor("mash_decision_maker").post(
        "/tasks", {"task": task[1], "outcome": "EXPECTED", "note": "She covered for a colleague on that day"}
    )
    assert done.status_code == 303
    answered = alerts.alert_of(house.hub, ctx, alert.id)
    assert answered.state == "ANSWERED"
    with pytest.raises(FormRefused):
        alerts.close(house.hub, ctx, answered, "SOMETHING", WHY)
    alerts.close(house.hub, ctx, answered, "EXPECTED", WHY)
    assert newest(house.hub).fields["action"] == "alert-closed"
    acts = alerts.acts_of(house.hub, answered)
    assert [act.kind for act in acts] == ["OPENED", "REFERRED", "ANSWERED", "CLOSED"]
    assert [house.hub.trail.entry(act.receipt).fields["object"]["id"] for act in acts] == [alert.id] * 4
    with pytest.raises(NotFound):
        alerts.close(house.hub, ctx, answered, "EXPECTED", WHY)
    assert alerts.queue(house.hub, ctx).alerts == ()
    assert [one.id for one in alerts.queue(house.hub, ctx, "CLOSED").alerts] == [alert.id]


def test_the_account_is_shut_by_the_workers_own_agency_only_until_a_manager_decides(house: House) -> None:
    alert, ctx = one_alert(house), context(house)
    other = replace(ctx, actor=replace(ctx.actor, agency="police"))
    with pytest.raises(NotForYou):
        alerts.shut_account(house.hub, other, alert, WHY)
    worker = house.visitor("mash_social_worker")
    alerts.shut_account(house.hub, ctx, alert, WHY)
    assert worker.get("/enquiries").headers["Location"] == "/sign-in"
    assert "An account was shut" in house.visitor("mash_decision_maker").get("/tasks").text
    assert [act.kind for act in alerts.acts_of(house.hub, alert)] == ["ACCOUNT_SHUT"]


def test_what_was_closed_as_settled_stays_so_and_anything_else_is_asked_anew(house: House) -> None:
    for outcome, asked in (("EXPECTED", 0), ("NOT_JUSTIFIED", 1)):
        alert = one_alert(house)
        alerts.close(house.hub, context(house), alert, outcome, WHY)
        entry = house.hub.trail.entry(alert.reads[0])
        again = replace(entry, eid=f"{asked:032x}")
        with house.hub.db.writing() as session:
            looked = look_of(house.hub, again)
            assert looked is not None
            finding = Finding(
                Signal.RELATIVE, looked.read.at, alert.user, alert.agency, (again.eid,),
                (Signal.RELATIVE, str(alert.user), next(iter(people(house, alert))), str(alert.enquiry)),
            )  # fmt: skip
            keep(session, [Raised(finding, None, None)], house.hub.clock())
        waiting = alerts.queue(house.hub, context(house)).alerts
        assert sum(one.signal == Signal.RELATIVE for one in waiting) == asked


def people(house: House, alert: alerts.Alert) -> list[str]:
    with house.hub.db.session() as session:
        return list(session.scalars(select(desk_alerts.c.person).where(desk_alerts.c.id == alert.id)))


def test_nobody_sees_or_handles_an_alert_about_themselves(house: House) -> None:
    alert, ctx = one_alert(house), context(house)
    with house.hub.db.writing() as session:
        session.execute(desk_alerts.update().where(desk_alerts.c.id == alert.id).values(user=ctx.actor.id))
    assert alerts.queue(house.hub, ctx).alerts == ()
    with pytest.raises(NotFound):
        alerts.alert_of(house.hub, ctx, alert.id)


def test_the_page_of_an_alert_fills_in_what_explains_it_and_holds_nobody(house: House) -> None:
    alert = one_alert(house)
    visitor = house.visitor("ig_officer")
    page = visitor.get(f"/ig/alerts/{alert.id}").text
    for words in ("A relative", "Rosalind Achebe", "In an open enquiry that the worker opened themselves", "Referral",
                  "Section 47", "Colleagues in it"):  # fmt: skip
        assert words in page, words
    assert not any(name in page for name in ("Tarrant", "Leanne", "Maisie", "Jayden"))
    refused = visitor.post(f"/ig/alerts/{alert.id}", {"done": "close"})
    assert refused.status_code == 422
    assert "Choose what you found" in refused.text
    assert visitor.post(f"/ig/alerts/{alert.id}", {"outcome": "EXPECTED", "note": WHY}).status_code == 303


def test_whoever_left_and_is_erased_is_forgotten_by_the_desk_and_their_alert_stays(house: House) -> None:
    alert = one_alert(house)
    assert alert.user
    users.forget(house.hub, alert.user)
    with house.hub.db.session() as session:
        assert session.execute(select(desk_users).where(desk_users.c.user == alert.user)).first() is None
        assert session.execute(select(desk_looks).where(desk_looks.c.user == alert.user)).first() is None
    assert alerts.alert_of(house.hub, context(house), alert.id).user == ERASED


def test_a_rota_explains_the_night_and_says_when_somebody_was_off(house: House) -> None:
    now = house.hub.clock()
    issuer, subject = "https://idp.example", "worker-1"
    day = now.date() - timedelta(days=1)
    lines = ["subject,starts,ends", f"{subject},{day}T21:00,{day + timedelta(days=1)}T07:00", f"{subject},then,never",
             f"{subject},{day}T21:00,{day}T20:00"]  # fmt: skip
    assert users.load_rota(house.hub, lines, issuer=issuer)[0] == 1
    new, faults = users.load_rota(house.hub, lines, issuer=issuer)
    assert (new, [fault[:6] for fault in faults]) == (0, ["Line 3", "Line 4"])
    user = "US-" + house.hub.keys.blind("user", f"{issuer}\x1f{subject}").hex()[:16]
    rota = users.rota_of(house.hub, [user], now - timedelta(days=3))
    night = now.replace(year=day.year, month=day.month, day=day.day, hour=23, minute=0)
    assert rota(user, night) is True
    assert rota(user, night - timedelta(days=5)) is None
    assert rota("US-other", night) is None
    with pytest.raises(FormRefused):
        users.load_rota(house.hub, ["who,when"], issuer=issuer)


def test_looks_are_forgotten_after_ninety_days(house: House) -> None:
    looks(house)
    scan.catch_up(house.hub, now=house.hub.clock())
    later = house.hub.clock() + timedelta(days=93)
    house.hub.trail.append("admin", now=house.hub.clock(), client={"id": "x"}, action="x", outcome="X")
    scan.catch_up(house.hub, now=later)
    with house.hub.db.session() as session:
        assert session.execute(select(desk_looks)).first() is None
        assert session.execute(select(desk_mark)).first() is not None


def test_each_number_of_the_map_of_hours_leads_to_its_looks(house: House) -> None:
    looks(house)
    visitor = house.visitor("ig_officer")
    page = visitor.get("/ig/when").text
    numbers = re.findall(r'href="(/ig/when/csc/\d+)"[^>]*>(\d+)<', page)
    assert numbers, page[page.index("<h1") :][:3000]
    where, count = numbers[-1]
    cell = visitor.get(where).text
    assert int(count) == int(re.search(r"([\d,]+) looks? in the last", cell)[1])  # type: ignore[index]
    assert "/ig/entries/" in cell
    assert visitor.get("/ig/when/nobody/9").status_code == 404
    assert visitor.get("/ig/when/csc/24").status_code == 404
    assert newest(house.hub, "audit:read").fields["action"] == "heat-map-cell"
