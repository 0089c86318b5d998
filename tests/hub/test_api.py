"""The JSON interface: it takes the pages' own way, refuses what it does not know, and is what its description says."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from hub.api import cases
from hub.api.describe import SIGNED, problems_of
from hub.api.operations import OPERATIONS
from hub.api.problems import KINDS
from hub.demo.stories import STORIES
from hub.traffic import once
from hub.traffic.tables import answered_once
from tests.conftest import House, Visitor
from tests.hub.conftest import CHECKING, ask_api, check_by_api, newest, with_parts

PATH = "/api/v1/gp-check"
PROBLEM = "application/problem+json"
BASE = "http://127.0.0.1:8400"
NUMBER = STORIES["package_current"].nhs_number or ""
WHY = {
    "purpose": "S47_ENQUIRY",
    "agreement": "THORN-MASH/2",
    "reference": "REF/2026/0417",
    "rationale": "Bruising seen at school and the explanation does not fit",
    "threshold": "S47_DECISION",
}
MAISIE = {"nhs_number": "999 700 0048", "name": "Maisie Tarrant"}


@pytest.fixture
def practice(house: House) -> Visitor:
    """The practice of the older man with a care package."""
    return house.visitor(STORIES["package_current"].persona)


@pytest.fixture
def worker(house: House) -> Visitor:
    return house.visitor("mash_social_worker")


def body(number: Any = NUMBER, **changes: Any) -> dict[str, Any]:
    return {**CHECKING, "subject": {"nhs_number": number}, **changes}


def kind(answer: Any) -> str:
    """The type of a problem; each says all that RFC 9457 and ours ask for."""
    assert answer.content_type == PROBLEM, answer.text
    said = answer.json
    assert said["status"] == answer.status_code
    assert re.fullmatch("[0-9a-f]{32}", said["trace_id"])
    name = str(said["type"]).removeprefix(f"{BASE}/problems/")
    assert (said["title"], said["status"]) == (KINDS[name].title, KINDS[name].status)
    return name


def opened(worker: Visitor, **changes: Any) -> tuple[str, dict[str, Any]]:
    """An enquiry about the showcase child with the child confirmed: its address, and how it is asked within it."""
    found = ask_api(worker, "/api/v1/enquiries", {**WHY, "subject": MAISIE, **changes})
    assert found.status_code == 200, found.text
    here = f"/api/v1/enquiries/{found.json['enquiry']['id']}"
    (candidate, *_) = found.json["candidates"]
    told = ask_api(worker, f"{here}/persons", {"candidate": candidate["candidate"]})
    assert told.status_code == 200, told.text
    return here, {"purpose": "S47_ENQUIRY", "agreement": "THORN-MASH/2", "subject": told.json["subject"]}


# -- refusals ---------------------------------------------------------------------------------------------


def test_a_system_that_nobody_signed_in_is_told_so(house: House) -> None:
    answer = Visitor(house).client.post(PATH, json=body())
    assert (answer.status_code, kind(answer)) == (401, "sign-in-required")


@pytest.mark.parametrize("token", ["", "-", "another"])
def test_a_foreign_page_cannot_ask(practice: Visitor, token: str) -> None:
    answer = ask_api(practice, PATH, body(), **{"X-CSRF-Token": token})
    assert (answer.status_code, kind(answer)) == (400, "bad-request")


@pytest.mark.parametrize("persona", ["mash_social_worker", "ig_officer", "operator"])
def test_only_a_practice_asks(house: House, persona: str) -> None:
    answer = ask_api(house.visitor(persona), PATH, body())
    assert (answer.status_code, kind(answer)) == (403, "not-allowed")


#: What cannot be used: how it is sent, its problem, and the fields that are named.
WRONG: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"data": {"nhs_number": NUMBER}}, "not-json", []),
    ({"data": "<xml/>", "content_type": "text/xml"}, "not-json", []),
    ({"data": "{", "content_type": "application/json"}, "malformed-json", []),
    ({"data": "", "content_type": "application/json"}, "malformed-json", []),
    ({"data": b'{"a":"\xff"}', "content_type": "application/json"}, "malformed-json", []),
    ({"data": "[" * 30_000, "content_type": "application/json"}, "malformed-json", []),
    ({"json": []}, "invalid-request", ["body"]),
    ({"json": "9997000048"}, "invalid-request", ["body"]),
    ({"json": {}}, "invalid-request", ["agreement", "purpose", "subject"]),
    ({"json": body(None)}, "invalid-request", ["subject.nhs_number"]),
    ({"json": body(9997000048)}, "invalid-request", ["subject.nhs_number"]),
    ({"json": body({"$ne": ""})}, "invalid-request", ["subject.nhs_number"]),
    ({"json": body("")}, "invalid-request", ["subject.nhs_number"]),
    ({"json": body("9" * 41)}, "invalid-request", ["subject.nhs_number"]),
    ({"json": body("999700\x000048")}, "invalid-request", ["subject.nhs_number"]),
    ({"json": body("999700004")}, "invalid-request", ["nhs_number"]),
    ({"json": body("9997000049")}, "invalid-request", ["nhs_number"]),
    ({"json": body("Maisie Tarrant")}, "invalid-request", ["nhs_number"]),
    ({"json": body(subject={"nhs_number": NUMBER, "name": "Maisie"})}, "invalid-request", ["subject.name"]),
    ({"json": body(purpose="S47_ENQUIRY")}, "invalid-request", ["purpose"]),
    ({"json": body(agreement="THORN-GP-CHECK")}, "invalid-request", ["agreement"]),
    ({"json": body(agreement="THORN-GP-CHECK/1\n")}, "invalid-request", ["agreement"]),
    ({"json": body(user="somebody")}, "invalid-request", ["user"]),
    ({"json": body(), "query_string": {"number": NUMBER}}, "invalid-request", ["number"]),
]


def test_what_cannot_be_used_is_refused_by_field_and_nobody_is_asked(house: House, practice: Visitor) -> None:
    before = house.hub.trail.head().size
    headers = {"X-CSRF-Token": practice.token()}
    for number, (sent, wanted, fields) in enumerate(WRONG):
        answer = practice.client.post(PATH, headers=headers | {"Idempotency-Key": uuid4().hex}, **sent)
        assert (number, kind(answer)) == (number, wanted)
        assert (number, sorted(answer.json.get("errors", {}))) == (number, fields)
        for leak in ("Maisie Tarrant", "9997000049", "Traceback", "xff"):
            assert leak not in answer.text
    assert house.hub.trail.head().size == before


@pytest.mark.parametrize("agreement", ["THORN-MASH/2", "THORN-GP-CHECK/2", "THORN-NOWHERE/1"])
def test_an_agreement_that_does_not_cover_the_question_opens_nothing(
    house: House, practice: Visitor, agreement: str
) -> None:
    answer = ask_api(practice, PATH, body(agreement=agreement))
    assert kind(answer) == "agreement"
    entry = newest(house.hub)
    assert (entry.kind, entry.fields["reason"]) == ("disclosure:refused", "NO-POLICY")


def test_an_enquiry_that_cannot_be_opened_names_what_is_wrong_and_opens_nothing(house: House, worker: Visitor) -> None:
    before = house.hub.trail.head().size
    wrong = {**WHY, "reference": "Maisie", "rationale": "because", "subject": {"nhs_number": "9997000049"}}
    answer = ask_api(worker, "/api/v1/enquiries", wrong)
    assert kind(answer) == "invalid-request"
    assert set(answer.json["errors"]) == {"reference", "rationale", "subject"}
    for changes in ({"threshold": "A_HUNCH"}, {"consent_state": "ASSUMED"}, {"subject": {}}, {"subject": {"age": 3}}):
        assert kind(ask_api(worker, "/api/v1/enquiries", {**WHY, "subject": MAISIE, **changes})) == "invalid-request"
    assert house.hub.trail.head().size == before


def test_only_whom_the_search_offered_to_this_user_in_this_enquiry_is_confirmed(house: House, worker: Visitor) -> None:
    found = ask_api(worker, "/api/v1/enquiries", {**WHY, "subject": MAISIE}).json
    mark = found["candidates"][0]["candidate"]
    another = ask_api(worker, "/api/v1/enquiries", {**WHY, "subject": MAISIE}).json["enquiry"]["id"]
    here = f"/api/v1/enquiries/{found['enquiry']['id']}/persons"
    colleague = house.visitor("mash_decision_maker")
    for who, where, given in (
        (colleague, here, mark),
        (worker, f"/api/v1/enquiries/{another}/persons", mark),
        (worker, here, mark[:-2] + ("AA" if mark[-2:] != "AA" else "BB")),
        (worker, here, "p0123456789abcdef"),
        (worker, here, "\u00e9"),
    ):
        refused = ask_api(who, where, {"candidate": given})
        assert (kind(refused), set(refused.json["errors"])) == ("invalid-request", {"candidate"})
    house.clock.ahead = timedelta(minutes=14, seconds=30)
    assert ask_api(worker, here, {"candidate": mark}).status_code == 200
    later = ask_api(worker, f"/api/v1/enquiries/{another}/candidates", {**WHY_SEARCH, "subject": MAISIE}).json
    house.clock.ahead = timedelta(minutes=22)
    assert worker.get("/api/v1/agreements").status_code == 200  # Idle for 15 minutes, the session would have ended.
    house.clock.ahead = timedelta(minutes=29, seconds=45)
    old = ask_api(worker, f"/api/v1/enquiries/{another}/persons", {"candidate": later["candidates"][0]["candidate"]})
    assert kind(old) == "invalid-request"


WHY_SEARCH = {"purpose": "S47_ENQUIRY", "agreement": "THORN-MASH/2"}


def test_a_question_about_another_person_or_purpose_than_the_enquirys_is_not_asked(worker: Visitor) -> None:
    here, asked = opened(worker)
    for changes in ({"subject": "p" + "0" * 16}, {"purpose": "MASH_SCREENING"}):
        for question in ("known-to", "picture", "consents"):
            assert kind(ask_api(worker, f"{here}/{question}", {**asked, **changes})) == "mismatch"
    assert kind(ask_api(worker, f"{here}/known-to", {**asked, "agreement": "THORN-EARLY-HELP/1"})) == "agreement"


def test_another_agencys_enquiry_is_not_there(house: House, worker: Visitor) -> None:
    here, asked = opened(worker)
    police = house.visitor("police_navigator")
    never = "/api/v1/enquiries/EN-0000000000000000"
    for path in ("known-to", "picture", "consents"):
        theirs, nothing = (ask_api(police, f"{one}/{path}", asked) for one in (here, never))
        assert kind(theirs) == kind(nothing) == "not-found"
        assert theirs.json["detail"] == nothing.json["detail"]
    assert kind(police.get(here)) == "not-found"


# -- answers ----------------------------------------------------------------------------------------------


def test_a_patient_of_another_practice_is_answered_like_one_that_nobody_knows(house: House) -> None:
    elsewhere = house.visitor(
        "gp_harbourside" if STORIES["package_current"].persona == "gp_millbrook" else "gp_millbrook"
    )
    answers = []
    for asked in (NUMBER, "9990000018"):
        answer = check_by_api(elsewhere, asked)
        assert answer.status_code == 200
        answers.append({name: value for name, value in answer.json.items() if name != "receipt"})
    assert answers[0] == answers[1]
    assert (answers[0]["answer"], answers[0]["state"], answers[0]["agreements"]) == ("NOT_AVAILABLE", "WITHHELD", [])


@pytest.mark.parametrize("typed", ["{n}", " {n} ", "{a} {b} {c}"])
def test_a_practice_learns_of_its_own_patients_package_with_all_that_an_answer_carries(
    house: House, practice: Visitor, typed: str
) -> None:
    n = NUMBER
    answer = check_by_api(practice, typed.format(n=n, a=n[:3], b=n[3:6], c=n[6:]))
    assert answer.status_code == 200, answer.text
    said = answer.json
    assert (said["answer"], said["state"], said["agreements"]) == ("YES", "FOUND", ["THORN-GP-CHECK/1"])
    assert said["lawful_basis"]["article6"]
    assert said["coverage"][0]["sentence"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*(\+00:00|Z)", said["as_of"])
    entry = newest(house.hub)
    assert (entry.kind, entry.eid) == ("check", said["receipt"]["eid"])
    proof = practice.get(f"/api/v1/receipts/{said['receipt']['eid']}").json
    assert (proof["eid"], "envelope" in proof["proof"]) == (said["receipt"]["eid"], False)


def test_the_interface_and_the_page_say_the_same(practice: Visitor) -> None:
    said = check_by_api(practice, NUMBER).json
    page = practice.post("/gp-check", {"nhs_number": NUMBER}).text
    assert said["sentence"] in page.replace("&#39;", "'")
    assert said["phone"].split()[-1] in page


def test_a_list_of_patients_is_answered_one_by_one_and_a_bad_number_sinks_nobody(practice: Visitor) -> None:
    many = [{"nhs_number": one} for one in (NUMBER, "9997000049", "9990000018")]
    answer = ask_api(practice, "/api/v1/gp-checks", {**CHECKING, "subjects": many})
    assert answer.status_code == 200, answer.text
    first, bad, unknown = answer.json["results"]
    assert (first["check"]["answer"], first["problem"]) == ("YES", None)
    assert (bad["check"], bad["problem"]["status"]) == (None, 422)
    assert unknown["check"]["answer"] == "NOT_AVAILABLE"
    assert first["check"]["receipt"] != unknown["check"]["receipt"]
    assert NUMBER not in answer.text
    too_many = {**CHECKING, "subjects": [{"nhs_number": NUMBER}] * 21}
    assert kind(ask_api(practice, "/api/v1/gp-checks", too_many)) == "invalid-request"


def test_a_worker_goes_from_a_referral_to_the_picture_and_it_is_the_pages_own(house: House, worker: Visitor) -> None:
    here, asked = opened(worker)
    known = ask_api(worker, f"{here}/known-to", asked)
    assert known.status_code == 200, known.text
    said = known.json
    assert said["agreements"] == ["THORN-MASH/2"]
    assert said["lawful_basis"]["article6"]
    assert {"as_of", "coverage", "state"} <= set(said)
    assert {cell["state"] for cell in said["cells"]} >= {"FOUND", "NOTHING_HELD"}
    picture = ask_api(worker, f"{here}/picture", asked).json
    page = worker.get(f"{here.removeprefix('/api/v1')}/picture").text
    assert picture["people"]
    for person in picture["people"]:
        assert person["label"] in page.replace("&#39;", "'")
    entry = house.hub.trail.entry(picture["receipt"]["eid"])
    assert (entry.kind, entry.fields["enquiry"]) == ("disclosure:made", here.rpartition("/")[2])
    consents = ask_api(worker, f"{here}/consents", asked).json
    assert consents["state"] in ("FOUND", "NOTHING_HELD")
    closed = ask_api(worker, f"{here}/close", {})
    assert closed.json["state"] == "CLOSED"
    again = ask_api(worker, f"{here}/candidates", {**WHY_SEARCH, "subject": MAISIE})
    assert kind(again) == "not-allowed"


def test_a_list_goes_on_where_its_cursor_says_and_nobody_elses_cursor_is_taken(
    house: House, worker: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "PAGE", 2)
    for _ in range(3):
        ask_api(worker, "/api/v1/enquiries", {**WHY, "subject": {"name": "Quentin Nobodyhere"}})
    first = worker.get("/api/v1/enquiries")
    assert len(first.json["items"]) == 2
    link = re.fullmatch(rf'<{BASE}(/api/v1/enquiries\?cursor=([\w-]+))>; rel="next"', first.headers["Link"])
    assert link
    assert link[2] == first.json["next"]
    seen, following = [one["id"] for one in first.json["items"]], worker.get(link[1])
    while True:
        seen += [one["id"] for one in following.json["items"]]
        if following.json["next"] is None:
            break
        following = worker.get(f"/api/v1/enquiries?cursor={following.json['next']}")
    assert len(seen) == len(set(seen)) >= 3
    assert "Link" not in following.headers
    colleague = house.visitor("mash_decision_maker")
    for who, path in ((colleague, link[1]), (worker, "/api/v1/enquiries?cursor=AAAA"), (worker, link[1][:-3] + "AAA")):
        assert kind(who.get(path)) == "invalid-request"


def test_agreements_are_listed_with_what_they_are_to_the_reader(practice: Visitor) -> None:
    every = practice.get("/api/v1/agreements").json["items"]
    mine = {one["agreement"]: one["your_part"] for one in every}
    assert mine["THORN-GP-CHECK/1"] == "RECIPIENT"
    one = practice.get("/api/v1/agreements/THORN-GP-CHECK/1").json
    assert (one["in_force"], one["purposes"]) == (True, ["GP_PACKAGE_CHECK"])
    assert kind(practice.get("/api/v1/agreements/THORN-GP-CHECK/7")) == "not-found"


# -- once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "nine chars and spaces!", "\u00e9" * 20])
def test_what_makes_a_disclosure_needs_a_key(practice: Visitor, key: str) -> None:
    headers = {"X-CSRF-Token": practice.token(), "Idempotency-Key": key}
    assert kind(practice.client.post(PATH, json=body(), headers=headers)) == "idempotency-key-missing"


def test_a_request_that_is_sent_again_has_one_effect_and_shows_nothing_again(house: House, practice: Visitor) -> None:
    key = uuid4().hex
    first = ask_api(practice, PATH, body(), key=key)
    size = house.hub.trail.head().size
    again = ask_api(practice, PATH, body(), key=key)
    assert (again.status_code, kind(again)) == (409, "idempotency-key-answered")
    assert again.json["receipt"] == {"eid": first.json["receipt"]["eid"]}
    assert "answer" not in again.json
    assert house.hub.trail.head().size == size
    assert kind(ask_api(practice, PATH, body("9990000018"), key=key)) == "idempotency-key-reused"
    # Another user with the same key is somebody else, and another address is another request.
    assert ask_api(house.visitor("gp_harbourside"), PATH, body(), key=key).json["answer"] == "NOT_AVAILABLE"
    many = {**CHECKING, "subjects": [{"nhs_number": NUMBER}]}
    assert ask_api(practice, "/api/v1/gp-checks", many, key=key).status_code == 200


def test_sixty_four_of_the_same_at_once_make_one_disclosure(house: House) -> None:
    here, asked = opened(house.visitor("mash_social_worker"))
    worker = house.visitor("mash_social_worker")  # One active session a user: the newest.
    before = house.hub.trail.head().size
    cookie, token, key = worker.client.get_cookie("kith"), worker.token(), uuid4().hex
    assert cookie

    def send(_: int) -> Any:
        client = house.app.test_client()
        client.set_cookie("kith", cookie.value)
        headers = {"X-CSRF-Token": token, "Idempotency-Key": key}
        return client.post(f"{here}/known-to", json=asked, headers=headers)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(64)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    (first,) = [answer for answer in answers if answer.status_code == 200]
    for late in (answer for answer in answers if answer.status_code == 409):
        if kind(late) == "idempotency-key-at-work":
            assert late.headers["Retry-After"] == "1"
        else:
            assert (kind(late), late.json["receipt"]["eid"]) == (
                "idempotency-key-answered",
                first.json["receipt"]["eid"],
            )
        assert "cells" not in late.json
    made = [entry for entry in house.hub.trail.events(before) if entry.kind == "disclosure:made"]
    assert len(made) == 1


@pytest.mark.parametrize("what", ["known-to", "picture", "consents"])
def test_an_enquiry_that_was_closed_shows_nothing_to_a_key_that_was_answered(worker: Visitor, what: str) -> None:
    here, asked = opened(worker)
    key = uuid4().hex
    first = ask_api(worker, f"{here}/{what}", asked, key=key)
    assert first.status_code == 200
    assert ask_api(worker, f"{here}/close", {}).status_code == 200
    again = ask_api(worker, f"{here}/{what}", asked, key=key)
    assert (again.status_code, kind(again)) == (409, "idempotency-key-answered")
    assert set(again.json) <= {"type", "title", "status", "detail", "trace_id", "receipt"}


def test_no_answer_is_kept_and_a_key_is_known_for_a_day(house: House, practice: Visitor) -> None:
    ask_api(practice, PATH, body())
    assert set(answered_once.c.keys()) == {"id_hash", "body_hash", "begun_at", "status", "receipt", "expires_at"}
    once.clear(house.hub.db, now=house.hub.clock() + timedelta(hours=1) + once.KNOWN)  # Other tests were ahead.
    with house.hub.db.session() as session:
        assert session.scalars(select(answered_once.c.id_hash)).all() == []


def test_what_was_refused_may_be_sent_again_with_the_same_key(practice: Visitor) -> None:
    key = uuid4().hex
    assert kind(ask_api(practice, PATH, body(agreement="THORN-NOWHERE/1"), key=key)) == "agreement"
    assert ask_api(practice, PATH, body(), key=key).status_code == 200


def test_a_worker_that_died_frees_its_key_after_a_minute(house: House) -> None:
    hub, now = house.hub, house.hub.clock()
    first = once.take(hub, "somebody", "k" * 20, b"{}", now=now)
    with pytest.raises(once.StillAtWork):
        once.take(hub, "somebody", "k" * 20, b"{}", now=now + once.AT_WORK / 2)
    later = now + once.AT_WORK
    with pytest.raises(once.KeyReused):
        once.take(hub, "somebody", "k" * 20, b'{"another": "request"}', now=later)
    second = once.take(hub, "somebody", "k" * 20, b"{}", now=later)
    assert (second.id_hash, second.begun_at) == (first.id_hash, later)
    # The first worker was only slow: it says nothing about what the second is doing, and frees nothing.
    once.finish(hub, first, 200, "0" * 32)
    once.let_go(hub, first)
    with pytest.raises(once.StillAtWork):
        once.take(hub, "somebody", "k" * 20, b"{}", now=later)
    once.finish(hub, second, 200, "1" * 32)
    with pytest.raises(once.AnsweredBefore) as answered:
        once.take(hub, "somebody", "k" * 20, b"{}", now=later)
    assert answered.value.receipt == "1" * 32


# -- limits and traces ------------------------------------------------------------------------------------


def test_requests_run_out_for_the_minute_in_all_workers_together_and_one_alarm_says_so(house: House) -> None:
    house.clock.ahead = timedelta(minutes=3)
    limited = [with_parts(house, settings=replace(house.hub.settings, api_per_minute=5)) for _ in range(2)]
    visitor = house.visitor("health_visitor")
    cookie = visitor.client.get_cookie("kith")
    assert cookie
    answers = []
    for number in range(9):
        client = limited[number % 2].app.test_client()
        client.set_cookie("kith", cookie.value)
        answers.append(client.get("/api/v1/agreements"))
    # The minute may have turned once in between.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {kind(answer) for answer in refused} == {"too-many-requests"}
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 60
    assert re.fullmatch(r'"minute";r=4;t=\d+', answers[0].headers["RateLimit"])
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=5;w=60'
    alarm = newest(house.hub, "alarm")
    assert alarm.fields["reason"] == "REQUESTS-TOO-FAST"


def test_a_trace_goes_through_to_the_trail_and_a_malformed_one_does_not(house: House, practice: Visitor) -> None:
    trace = uuid4().hex
    sent = {**CHECKING, "subject": {"nhs_number": NUMBER}}
    answer = ask_api(practice, PATH, sent, traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert re.fullmatch(f"00-{trace}-[0-9a-f]{{16}}-01", answer.headers["traceparent"])
    assert newest(house.hub).fields["trace"] == trace
    for wrong in (f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{trace.upper()}-00f067aa0ba902b7-01", trace, "Maisie"):
        again = ask_api(practice, PATH, {}, traceparent=wrong)
        assert again.json["trace_id"].lower() not in (trace, "0" * 32)


# -- the description --------------------------------------------------------------------------------------


def test_the_description_names_every_address_of_the_interface_and_no_other(house: House) -> None:
    spec = Visitor(house).get("/openapi.json").json
    described = {(path, method.upper()) for path, item in spec["paths"].items() for method in item}
    real = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in house.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == real
    assert len(real) == len(OPERATIONS) + len(SIGNED)
    assert spec["openapi"] == "3.1.0"


def test_the_description_is_one_that_can_be_followed(house: House) -> None:
    spec = Visitor(house).get("/openapi.json").json
    names = set(spec["components"]["schemas"])
    for used in set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(spec))):
        assert used in names
    for item in spec["paths"].values():
        for operation in item.values():
            if operation["security"] == [{"signed": []}]:
                assert operation["responses"].keys() > {"200", "401"}
                continue
            found = OPERATIONS[operation["operationId"]]
            statuses = {str(KINDS[one].status) for one in problems_of(found)}
            assert set(operation["responses"]) == statuses | {"200"}
            assert found.summary
            assert (found.once, found.asks is None) != (True, True)
    asked = [spec["components"]["schemas"][name] for name in names if name.endswith("Asked") or name == "Patient"]
    assert asked
    assert all(one["additionalProperties"] is False for one in asked)


def test_what_makes_a_disclosure_asks_for_purpose_agreement_and_subject(house: House) -> None:
    shapes = Visitor(house).get("/openapi.json").json["components"]["schemas"]
    for found in OPERATIONS.values():
        if found.once and found.asks is not None:
            required = set(shapes[found.asks.__name__]["required"])
            assert required >= {"purpose", "agreement"}
            assert required & {"subject", "subjects"}


def test_every_problem_seen_is_one_of_the_list_and_every_field_answered_is_described(practice: Visitor) -> None:
    shapes = practice.get("/openapi.json").json["components"]["schemas"]
    assert set(check_by_api(practice, NUMBER).json) == set(shapes["GpCheckAnswered"]["properties"])
    assert sorted(shapes["GpCheckAnswered"]["properties"]["answer"]["enum"]) == sorted(
        ["YES", "NO", "NOT_AVAILABLE", "NOT_REACHED", "MATCH_UNCONFIRMED"]
    )
    assert set(ask_api(practice, PATH, {}).json) <= set(shapes["Problem"]["properties"])
