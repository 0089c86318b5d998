"""The matrix of the editor: what is chosen changes, and nothing else does, whatever clauses it is cut out of."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policies
from hub.register.choosing import KINDS, Level, Point, kinds_now, points_of, with_choices, with_level
from policies import load_agreements
from policies.vocabulary import DataCategory, PartyRole, Purpose, Role
from tests.conftest import House
from tests.hub.test_editor import MASH, WHY, _clean, text_of

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)

AGREEMENTS = load_agreements(Path(policies.__file__).parent / "agreements")
__all__ = ["_clean"]


@given(data=st.data(), level=st.sampled_from(Level))
def test_one_cell_is_changed_and_every_other_stays(data: Any, level: Level) -> None:
    one = data.draw(st.sampled_from([a for a in AGREEMENTS if a.clauses]))
    everything = points_of(one)
    point = data.draw(st.sampled_from(everything))
    changed = with_level(one, point, level)
    assert kinds_now(changed, point) == KINDS[level]
    for other in everything:
        if other != point:
            assert kinds_now(changed, other) == kinds_now(one, other), other
    assert set(points_of(changed)) - {point} == set(everything) - {point}
    revealed = {(p, r) for c in one.clauses for p in c.purposes for r in c.shield_reveal_roles}
    assert {(p, r) for c in changed.clauses for p in c.purposes for r in c.shield_reveal_roles} <= revealed


def test_nothing_listed_becomes_little_with_a_short_reach_and_a_narrower_reach_is_kept() -> None:
    (mash,) = (a for a in AGREEMENTS if a.reference == "THORN-MASH" and a.version == 2)
    new = Point(Purpose.MASH_SCREENING, Role.MASH_SOCIAL_WORKER, DataCategory.FINANCE)
    assert kinds_now(mash, new) == frozenset()
    (made,) = (c for c in with_level(mash, new, Level.CONTACT).clauses if new.within(c))
    assert made.lookback_months == 12
    old = Point(Purpose.S47_ENQUIRY, Role.MASH_SOCIAL_WORKER, DataCategory.SUBSTANCE_MISUSE)
    (kept,) = (c for c in with_level(mash, old, Level.CONTACT).clauses if old.within(c))
    assert kept.lookback_months == 36


def test_a_form_chooses_only_from_its_lists() -> None:
    one = next(a for a in AGREEMENTS if a.reference == "THORN-MASH")
    for typed in (
        {},
        {"purpose": "S47_ENQUIRY", "role": "MASH_SOCIAL_WORKER", "level-FINANCE": ""},
        {"purpose": "S47_ENQUIRY", "role": "MASH_SOCIAL_WORKER", "level-FINANCE": "EVERYTHING"},
        {"purpose": "S47_ENQUIRY", "role": "NOBODY", "level-FINANCE": "FACTS"},
        {"party-police": "OWNER", "party-nobody": "BOTH"},
    ):
        assert with_choices(one, typed) == one
    changed = with_choices(one, {"party-police": "DISCLOSER"})
    assert next(p.role for p in changed.parties if p.agency == "police") == PartyRole.DISCLOSER


@on_one_engine
def test_what_is_chosen_in_the_matrix_is_shown_before_it_is_proposed_and_stands_in_the_text(house: House) -> None:
    officer = house.visitor("ig_officer")
    page = officer.get(MASH + "/change?purpose=S47_ENQUIRY&role=MASH_SOCIAL_WORKER").text
    assert 'name="level-SUBSTANCE_MISUSE"' in page
    assert 'name="level-ADOPTION_SEALED"' not in page
    chosen = {"purpose": "S47_ENQUIRY", "role": "MASH_SOCIAL_WORKER", "level-SUBSTANCE_MISUSE": "CONTACT"}
    text = text_of(house)
    nothing = officer.post(MASH + "/change", {**chosen, "level-SUBSTANCE_MISUSE": "", "text": text, "do": "check"})
    assert nothing.status_code == 422
    found = officer.post(MASH + "/change", {**chosen, "text": text, "do": "check"})
    assert found.status_code == 200
    assert "last month&#39;s decisions" in found.text or "last month's decisions" in found.text
    assert "Propose this change" in found.text
    cells = re.findall(r'data-label="(Before|After)">(?:<strong>)?([^<]+)', found.text)
    assert ("After", "Only whether involved, and whom to ring") in cells
    assert len([cell for cell in cells if cell[0] == "After"]) >= 1
    done = officer.post(MASH + "/change", {**chosen, "text": text, "reason": WHY, "do": "propose"})
    assert done.status_code == 303
    assert "waiting for approval" in officer.get(done.headers["Location"]).text
