"""The register of agreements: everybody reads what is agreed, each word leads to its reason."""

import html
import re

import pytest

from hub.register import overview
from hub.register.overview import Asked
from policies import Word
from policies.vocabulary import DataCategory, Purpose, Role
from tests.conftest import House

MASH = "/agreements/THORN-MASH/2"
ASKED = Asked(Purpose.S47_ENQUIRY, Role.MASH_SOCIAL_WORKER, "csc")


@pytest.mark.parametrize(
    "path",
    [
        "/agreements/THORN-MASH/9",
        "/agreements/NONE/1",
        MASH + "/why/police/NONE",
        MASH + "/why/nobody/HOUSING",
        MASH + "/why/csc/HOUSING?for=csc",
    ],
)
def test_what_is_not_there_is_not_found(house: House, path: str) -> None:
    assert house.visitor("mash_social_worker").get(path).status_code == 404


def test_without_signing_in_nobody_reads_it(house: House) -> None:
    assert house.app.test_client().get("/agreements").status_code == 303


@pytest.mark.parametrize(
    "persona", ["mash_social_worker", "gp_millbrook", "ig_officer", "dpo", "operator", "data_steward"]
)
def test_everybody_who_is_signed_in_reads_the_list_and_each_version(house: House, persona: str) -> None:
    visitor = house.visitor(persona)
    page = visitor.get("/agreements")
    assert page.status_code == 200
    for one in house.hub.agreements:
        path = f"/agreements/{one.reference}/{one.version}"
        assert path in page.text
        assert visitor.get(path).status_code == 200, path


def test_every_cell_leads_to_a_page_that_says_why(house: House) -> None:
    visitor = house.visitor("mash_social_worker")
    page = visitor.get(MASH + "?purpose=S17_ASSESSMENT&role=MASH_SOCIAL_WORKER&for=csc").text
    cells = [html.unescape(found) for found in re.findall(rf'href="({MASH}/why/[^"]*)"', page)]
    assert len(cells) > 15
    for path in cells:
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert "P04 Sharing agreement" in answer.text


def test_what_was_typed_wrongly_into_the_address_falls_back_to_the_first_choice(house: House) -> None:
    page = house.visitor("ig_officer").get(MASH + "?purpose=NONE&role=KING&for=moon")
    assert page.status_code == 200
    assert "What it allows" in page.text


def test_the_matrix_says_what_a_decision_would(house: House) -> None:
    one = overview.version_of(house.hub, "THORN-MASH", "2")
    found = overview.matrix(house.hub, one, ASKED, house.hub.clock().date())
    assert "csc" not in found.agencies
    by_place = {
        (cell.agency, cell.category): cell for cells in found.rows.values() for cell in cells if cell is not None
    }
    assert by_place["police", DataCategory.POLICE_INCIDENT].child in (Word.FULL, Word.PART)
    assert by_place["sms", DataCategory.SUBSTANCE_MISUSE].child in (Word.CONSENT, Word.RELEASE)
    assert ("sms", DataCategory.SERVICE_INVOLVEMENT) not in by_place
