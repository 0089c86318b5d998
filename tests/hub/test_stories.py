"""The hard cases, family by family, as the person at the desk would see them."""

import re

import pytest

from hub.demo.stories import STORIES
from tests.conftest import House, Visitor

REASON = "A referral came in that names this child and the family"


def open_story(house: House, story: str, persona: str | None = None, **form: str) -> tuple[Visitor, str]:
    """Goes from the form to the candidates; returns the visitor and the candidates' page."""
    told = STORIES[story]
    visitor = house.visitor(persona or told.persona)
    protective = told.purpose in ("S47_ENQUIRY", "STRATEGY_DISCUSSION", "IMMEDIATE_PROTECTION")
    consent = (
        {"threshold": "S47_DECISION"}
        if protective
        else {"consent": "NOT_SOUGHT_UNSAFE", "reason_code": "RISK_TO_ANYONE"}
    )
    if told.purpose == "EARLY_HELP":
        consent = {}
    typed = {"purpose": told.purpose, "reference": "REF/7", "rationale": REASON, "who": told.search, **consent, **form}
    page = visitor.post("/enquiries/new", typed)
    assert page.status_code == 200, page.text
    return visitor, page.text


def candidates(page: str) -> list[str]:
    return re.findall(r'class="kith-candidate__name">([^<]+)<', page)


def choose(visitor: Visitor, page: str, name: str) -> str:
    """Confirms the candidate of this name and returns the enquiry's address."""
    names = candidates(page)
    persons = re.findall(r'name="person" value="([^"]+)"', page)
    action = re.search(r'action="(/enquiries/[^"/]+)/person"', page)
    assert action, page
    assert name in names, names
    answer = visitor.post(f"{action[1]}/person", {"person": persons[names.index(name)]})
    assert answer.status_code == 303, answer.text
    return action[1]


def pages(house: House, story: str, name: str | None = None, **form: str) -> tuple[str, str]:
    """The known-to matrix and the combined picture of a story's family."""
    visitor, found = open_story(house, story, **form)
    enquiry = choose(visitor, found, name or candidates(found)[0])
    who, picture = visitor.get(f"{enquiry}/who"), visitor.get(f"{enquiry}/picture")
    assert (who.status_code, picture.status_code) == (200, 200)
    return who.text, picture.text


def people_in(page: str) -> list[str]:
    return re.findall(r'class="kith-person__name"[^>]*>([^<]+)<', page)


def test_twins_are_two_children_and_neither_has_the_others_records(house: House) -> None:
    _, found = open_story(house, "twins")
    first_names = {name.split()[0] for name in candidates(found)}
    assert "Tiwa" in first_names
    _, picture = pages(house, "twins")
    assert {"Tiwa", "Tayo"} <= {name.split()[0] for name in people_in(picture)}


def test_half_siblings_have_one_mother_and_two_fathers(house: House) -> None:
    _, picture = pages(house, "half_siblings")
    names = {name.split()[0] for name in people_in(picture)}
    assert {"Noah", "Lily"} <= names
    assert re.search(r"half-sister|half-brother", picture)


def test_an_unborn_child_has_no_age_and_no_date_of_birth(house: House) -> None:
    visitor, found = open_story(house, "unborn")
    enquiry = choose(visitor, found, candidates(found)[0])
    picture = visitor.get(f"{enquiry}/picture").text
    assert "nborn" in picture


SHIELDED = ("Saltmarsh", "TH9")


def test_a_protected_address_is_on_no_page(house: House) -> None:
    told = STORIES["shielded"]
    assert told.born is not None
    exact = f"{told.name} {told.nhs_number}"
    visitor, found = open_story(house, "shielded", who=exact)
    enquiry = choose(visitor, found, candidates(found)[0])
    for page in (found, visitor.get(f"{enquiry}/who").text, visitor.get(f"{enquiry}/picture").text):
        assert "Saltmarsh" not in page


def test_a_mother_who_fled_is_not_found_by_her_name_alone(house: House) -> None:
    _, found = open_story(house, "shielded", who="Nadia Zielonka")
    assert "Nadia Zielonka" not in candidates(found)


def test_a_mother_who_fled_is_found_when_she_is_named_exactly(house: House) -> None:
    _, found = open_story(house, "shielded", who=f"Nadia Zielonka {STORIES['shielded'].nhs_number}")
    assert len(candidates(found)) == 1


def test_the_fathers_enquiry_does_not_lead_to_the_mother_who_fled(house: House) -> None:
    visitor, found = open_story(house, "shielded", who="Marek Zielonka")
    names = candidates(found)
    assert names, found
    enquiry = choose(visitor, found, names[0])
    picture = visitor.get(f"{enquiry}/picture").text
    assert "Saltmarsh" not in picture


def test_an_adopted_child_is_never_joined_to_the_birth_identity(house: House) -> None:
    _, picture = pages(house, "adopted", who=f"Isla Fairweather {STORIES['adopted'].nhs_number}")
    assert "Dunmore" not in picture
    assert "Kayleigh" not in picture


def test_the_birth_identity_is_not_proposed_in_a_search(house: House) -> None:
    _, found = open_story(house, "adopted", who="Kayleigh Dunmore")
    assert "Fairweather" not in found


def test_of_a_child_with_a_worker_partners_show_whom_to_ring_and_no_detail(house: House) -> None:
    who, picture = pages(house, "open_case")
    assert "Involved" in who
    sources = re.findall(r'data-label="Source">([^<,]+)', picture)
    assert set(sources) <= {"Thornshire Children&#39;s Social Care"}


@pytest.mark.parametrize("story", ["young_person_refuses", "consent_withdrawn"])
def test_early_help_shares_nothing_against_the_familys_word(house: House, story: str) -> None:
    visitor, found = open_story(house, story)
    enquiry = choose(visitor, found, candidates(found)[0])
    who = visitor.get(f"{enquiry}/who").text
    housing = re.search(r"Thornshire Homes.*?</tr>", who, re.S)
    assert housing is None or "Involved" not in housing[0]


def test_early_help_that_the_family_agreed_to_shows_what_they_agreed(house: House) -> None:
    who, _ = pages(house, "early_help_agreed")
    assert "Involved" in who


def test_a_lodger_long_gone_is_not_in_the_picture(house: House) -> None:
    _, picture = pages(house, "lodger")
    assert "Poppy" in " ".join(people_in(picture))
    assert not [name for name in people_in(picture) if "Cadman" in name or "odger" in name]


def test_the_family_that_was_left_behind_leads_to_nobody_who_fled(house: House) -> None:
    visitor, found = open_story(house, "shielded", who="Marek Zielonka")
    enquiry = choose(visitor, found, candidates(found)[0])
    for page in (visitor.get(f"{enquiry}/who").text, visitor.get(f"{enquiry}/picture").text):
        assert "Nadia" not in page
        assert "Filip" not in page


def test_a_protected_persons_practice_is_not_told(house: House) -> None:
    visitor, found = open_story(house, "shielded", who=f"Nadia Zielonka {STORIES['shielded'].nhs_number}")
    enquiry = choose(visitor, found, candidates(found)[0])
    who = visitor.get(f"{enquiry}/who").text
    for practice in ("Harbourside Practice", "Millbrook Surgery"):
        row = re.search(rf'kith-matrix__agency">{practice}.*?</tr>', who, re.S)
        assert row is not None
        assert "Involved" not in row[0]


def test_somebody_is_added_only_with_how_they_are_connected_and_it_is_recorded(house: House) -> None:
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    refused = visitor.post(f"{enquiry}/search", {"who": "Dorothy Pemberton"})
    assert refused.status_code == 422
    assert "Choose how this person is connected" in refused.text
    page = visitor.post(f"{enquiry}/search", {"who": "Dorothy Pemberton", "connection": "NAMED_CONCERN"})
    choose(visitor, page.text, candidates(page.text)[0])
    assert "Dorothy" in visitor.get(f"{enquiry}/who").text
    added = [entry for entry in house.hub.trail.events(0) if entry.fields.get("action") == "person-added"]
    assert added[-1].fields["reason"] == "NAMED_CONCERN"


def test_a_closed_enquiry_shows_nothing_of_partners(house: House) -> None:
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    assert "Involved" in visitor.get(f"{enquiry}/who").text
    assert visitor.post(f"{enquiry}/close").status_code == 200
    who = visitor.get(f"{enquiry}/who").text
    police = re.search(r'kith-matrix__agency">Thornshire Police.*?</tr>', who, re.S)
    assert police is not None
    assert "Involved" not in police[0]


def test_candidates_do_not_say_which_other_agencies_know_somebody(house: House) -> None:
    _, found = open_story(house, "consent_withdrawn")
    assert "Known to Thornshire Homes" not in found
    assert "Police" not in found


def test_without_permits_no_relation_is_told(house: House) -> None:
    _, picture = pages(
        house, "showcase", purpose="MASH_SCREENING", threshold="", consent="REFUSED", consent_giver="PARENT_WITH_PR"
    )
    assert "Thornshire Adult Social Care" not in (re.search(r'id="family".*?id="events"', picture, re.S) or [""])[0]
