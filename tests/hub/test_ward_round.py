"""A ward round: many patients at once, each a decision of its own; one kind of "cannot say" is like any other."""

import re
from collections import Counter

import pytest

from hub.checks import ROUND_LENGTH
from hub.demo.stories import STORIES
from policies.vocabulary import Role
from tests.hub.conftest import Gate

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
UNKNOWN = "9997000110"


def rows(page: str) -> list[list[str]]:
    body = page.partition("<tbody")[2].partition("</tbody>")[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("</tr>") if "<t" in row]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in cells if row]


def number(story: str) -> str:
    return STORIES[story].nhs_number or ""


@on_one_engine
@pytest.mark.parametrize("typed", ["", " \n \n", "\n".join(["9997000390"] * (ROUND_LENGTH + 1))])
def test_no_lines_and_too_many_are_refused_before_anybody_is_asked(gate: Gate, typed: str) -> None:
    visitor = gate.visitor(Role.GP_CARE_COORDINATOR, agency="gp-millbrook")
    before = gate.hub.trail.head().size
    page = visitor.post("/gp-check/round", {"numbers": typed})
    assert page.status_code == 422
    assert 'href="#numbers"' in page.text
    assert not any(entry.kind == "check" for entry in gate.hub.trail.events(before))


@on_one_engine
def test_each_line_has_its_own_answer_decision_and_entry(gate: Gate) -> None:
    visitor = gate.visitor(Role.GP_CARE_COORDINATOR, agency="gp-millbrook")
    before = gate.hub.trail.head().size
    typed = [number("package_current"), "12345", number("package_ended"), number("package_objection"), UNKNOWN,
             number("package_other_list")]  # fmt: skip
    found = rows(visitor.post("/gp-check/round", {"numbers": "\n".join(typed)}).text)
    assert [row[0] for row in found] == typed
    assert [row[1] for row in found] == ["YES", "Not checked", "NO", "CANNOT SAY", "CANNOT SAY", "CANNOT SAY"]
    # Objected, unknown, another practice's: the same words.
    assert len({row[2] for row in found[3:]}) == 1
    kinds = Counter(entry.kind for entry in gate.hub.trail.events(before))
    assert kinds["check"] == 5
    assert len({row[3] for row in found}) == 6


@on_one_engine
def test_a_third_round_waits_and_one_patient_can_still_be_checked(gate: Gate) -> None:
    visitor = gate.visitor(Role.GP_CARE_COORDINATOR, agency="gp-millbrook")
    many = "\n".join([number("package_current")] * 25)
    for _ in range(2):
        assert len(rows(visitor.post("/gp-check/round", {"numbers": many}).text)) == 25
    page = visitor.post("/gp-check/round", {"numbers": many})
    assert page.status_code == 422
    assert "Wait a quarter of an hour" in page.text
    assert "YES" in visitor.post("/gp-check", {"nhs_number": number("package_current")}).text
