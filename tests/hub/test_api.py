"""The JSON interface: it takes the page's own way, refuses what it does not know, and is what its description says."""

import re
from typing import Any

import pytest

from hub.demo.stories import STORIES
from tests.conftest import House, Visitor
from tests.hub.conftest import newest

PATH = "/api/v1/gp-check"
PROBLEM = "application/problem+json"


@pytest.fixture
def practice(house: House) -> Visitor:
    """The practice of the older man with a care package."""
    return house.visitor(STORIES["package_current"].persona)


def ask(visitor: Visitor, body: Any = None, *, token: str | None = None, **more: Any) -> Any:
    headers = {"X-CSRF-Token": visitor.token() if token is None else token}
    sent = more or {"json": body}
    return visitor.client.post(PATH, headers=headers, **sent)


def number() -> str:
    return STORIES["package_current"].nhs_number or ""


# -- refusals ---------------------------------------------------------------------------------------------


def test_a_system_that_nobody_signed_in_is_told_so(house: House) -> None:
    answer = Visitor(house).client.post(PATH, json={"nhs_number": number()})
    assert (answer.status_code, answer.content_type) == (401, PROBLEM)
    assert answer.json["title"] == "Sign in first"


@pytest.mark.parametrize("token", ["", "-", "another"])
def test_a_foreign_page_cannot_ask(practice: Visitor, token: str) -> None:
    answer = ask(practice, {"nhs_number": number()}, token=token)
    assert (answer.status_code, answer.content_type) == (400, PROBLEM)


@pytest.mark.parametrize("persona", ["mash_social_worker", "ig_officer", "operator"])
def test_only_a_practice_asks(house: House, persona: str) -> None:
    answer = ask(house.visitor(persona), {"nhs_number": number()})
    assert (answer.status_code, answer.content_type) == (403, PROBLEM)
    assert answer.json["detail"] == "This page is not part of your role."


#: What cannot be used: how it is sent, the status, and the field that is named.
WRONG: list[tuple[dict[str, Any], int, str | None]] = [
    ({"data": {"nhs_number": "9997000048"}}, 415, None),
    ({"data": "<xml/>", "content_type": "text/xml"}, 415, None),
    ({"data": "{", "content_type": "application/json"}, 422, "nhs_number"),
    ({"data": "", "content_type": "application/json"}, 422, "nhs_number"),
    ({"json": []}, 422, "nhs_number"),
    ({"json": ["9997000048"]}, 422, "_schema"),
    ({"json": "9997000048"}, 422, "_schema"),
    ({"json": {}}, 422, "nhs_number"),
    ({"json": {"nhs_number": None}}, 422, "nhs_number"),
    ({"json": {"nhs_number": 9997000048}}, 422, "nhs_number"),
    ({"json": {"nhs_number": {"$ne": ""}}}, 422, "nhs_number"),
    ({"json": {"nhs_number": ""}}, 422, "nhs_number"),
    ({"json": {"nhs_number": "999700004"}}, 422, "nhs_number"),
    ({"json": {"nhs_number": "9997000049"}}, 422, "nhs_number"),
    ({"json": {"nhs_number": "Maisie Tarrant"}}, 422, "nhs_number"),
    ({"json": {"nhs_number": "9997000048 Maisie"}}, 422, "nhs_number"),
    ({"json": {"nhs_number": "9" * 41}}, 422, "nhs_number"),
    ({"json": {"nhs_number": "9997000048", "name": "Maisie"}}, 422, "name"),
    ({"json": {"nhs_number": "9997000048", "purpose": "S47_ENQUIRY"}}, 422, "purpose"),
]


@pytest.mark.parametrize(("sent", "status", "field"), WRONG, ids=str)
def test_what_cannot_be_used_is_refused_by_field_and_nobody_is_asked(
    house: House, practice: Visitor, sent: dict[str, Any], status: int, field: str | None
) -> None:
    before = house.hub.trail.head().size
    answer = ask(practice, **sent)
    assert (answer.status_code, answer.content_type) == (status, PROBLEM)
    assert answer.json["status"] == status
    assert answer.json["type"] == f"/problems/{status}"
    assert list(answer.json.get("errors", {None: None})) == [field]
    for leak in ("Maisie Tarrant", "9997000049", "Traceback"):
        assert leak not in answer.text
    assert house.hub.trail.head().size == before


# -- answers ----------------------------------------------------------------------------------------------


def test_a_patient_of_another_practice_is_answered_like_one_that_nobody_knows(house: House) -> None:
    elsewhere = house.visitor(
        "gp_harbourside" if STORIES["package_current"].persona == "gp_millbrook" else "gp_millbrook"
    )
    unknown = "9990000018"
    answers = []
    for asked in (number(), unknown):
        answer = ask(elsewhere, {"nhs_number": asked})
        assert answer.status_code == 200
        answers.append({name: value for name, value in answer.json.items() if name != "receipt"})
    assert answers[0] == answers[1]
    assert answers[0]["answer"] == "NOT_AVAILABLE"


@pytest.mark.parametrize("typed", ["{n}", " {n} ", "{a} {b} {c}"])
def test_a_practice_learns_of_its_own_patients_package_with_a_receipt(
    house: House, practice: Visitor, typed: str
) -> None:
    n = number()
    answer = ask(practice, {"nhs_number": typed.format(n=n, a=n[:3], b=n[3:6], c=n[6:])})
    assert answer.status_code == 200, answer.text
    said = answer.json
    assert set(said) == {"answer", "as_of", "phone", "sentence", "receipt"}
    assert said["answer"] == "YES"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*(\+00:00|Z)", said["as_of"])
    entry = newest(house.hub)
    assert (entry.kind, entry.eid) == ("check", said["receipt"]["eid"])
    assert practice.get(f"/receipts/{said['receipt']['eid']}?format=json").status_code == 200


def test_the_interface_and_the_page_say_the_same(house: House, practice: Visitor) -> None:
    said = ask(practice, {"nhs_number": number()}).json
    page = practice.post("/gp-check", {"nhs_number": number()}).text
    assert said["sentence"] in page.replace("&#39;", "'")
    assert said["phone"].split()[-1] in page


# -- the description --------------------------------------------------------------------------------------


def test_the_description_names_every_address_of_the_interface_and_no_other(house: House) -> None:
    spec = Visitor(house).get("/openapi.json").json
    described = {(path, method.upper()) for path, item in spec["paths"].items() for method in item}
    real = {
        (rule.rule, method)
        for rule in house.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == real
    assert spec["openapi"] == "3.1.0"


def test_the_description_names_every_answer_that_was_seen_here_and_their_shape(house: House, practice: Visitor) -> None:
    spec = Visitor(house).get("/openapi.json").json
    operation = spec["paths"][PATH]["post"]
    seen = {str(status) for _, status, _ in WRONG} | {"200", "400", "401", "403", "503"}
    assert set(operation["responses"]) == seen
    shapes = spec["components"]["schemas"]
    assert set(shapes["GpCheckAnswered"]["properties"]) == set(ask(practice, {"nhs_number": number()}).json)
    assert set(shapes["GpCheckAsked"]["properties"]) == {"nhs_number"}
    assert shapes["GpCheckAsked"]["additionalProperties"] is False
    assert sorted(shapes["GpCheckAnswered"]["properties"]["answer"]["enum"]) == sorted(
        ["YES", "NO", "NOT_AVAILABLE", "NOT_REACHED", "MATCH_UNCONFIRMED"]
    )
    problem = ask(practice, {}).json
    assert set(problem) <= set(shapes["Problem"]["properties"])
