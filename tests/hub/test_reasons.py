"""Why it was decided so: for the officer everything, for who is refused the same words whatever the reason."""

import re
import secrets

import pytest

from hub import disclosure
from hub.commands.demo import open_story
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.picture import FamilyPicture
from policies.vocabulary import AnswerState
from tests.conftest import House
from tests.hub.conftest import newest


def look(house: House, story: str) -> FamilyPicture:
    ctx = persona_context(STORIES[story].persona, now=house.hub.clock(), request_id=secrets.token_hex(16))
    enquiry = open_story(house.hub, ctx, story)
    ctx = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    return disclosure.family_picture(house.hub, ctx, enquiry)[0]


def test_a_worker_may_not_read_why(house: House) -> None:
    look(house, "showcase")
    eid = newest(house.hub, "disclosure:made").eid
    assert house.visitor("mash_social_worker").get(f"/ig/entries/{eid}/why").status_code == 403


@pytest.mark.parametrize("eid", ["0" * 32, "none"])
def test_an_entry_that_is_not_there_has_no_reasons(house: House, eid: str) -> None:
    assert house.visitor("ig_officer").get(f"/ig/entries/{eid}/why").status_code == 404


def test_an_entry_without_decisions_says_so(house: House) -> None:
    officer = house.visitor("ig_officer")
    eid = newest(house.hub, "sign-in").eid
    assert "/why" not in officer.get(f"/ig/entries/{eid}").text
    assert "nothing to explain" in officer.get(f"/ig/entries/{eid}/why").text


def test_an_officer_reads_rules_sources_clause_and_what_would_change_it(house: House) -> None:
    look(house, "showcase")
    entry = newest(house.hub, "disclosure:made")
    officer = house.visitor("ig_officer")
    assert f"/ig/entries/{entry.eid}/why" in officer.get(f"/ig/entries/{entry.eid}").text
    page = officer.get(f"/ig/entries/{entry.eid}/why")
    assert page.status_code == 200
    for words in ("every answer is the same", "THORN-MASH version", "clause", "What would change it", "UK GDPR"):
        assert words in page.text
    for rule in entry.fields["decision"]["rules"]:
        assert f"{rule} " in page.text
    assert not re.search(r"PE-[0-9a-f]", page.text)
    read = newest(house.hub, "audit:read")
    assert read.fields["action"] == "why"
    assert read.fields["refers"] == [entry.eid]


def test_whoever_is_refused_reads_the_same_words_of_every_agency_and_whom_to_ring(house: House) -> None:
    picture = look(house, "young_person_refuses")
    refused = [agency for agency in picture.agencies if agency.refused]
    assert refused
    said = set()
    for agency in refused:
        assert agency.refused is not None
        assert agency.contact.in_hours in agency.refused
        words = agency.refused
        for own in (agency.contact.name, agency.name, agency.contact.in_hours, agency.contact.out_of_hours):
            words = words.replace(own, "-") if own else words
        said.add(words.replace(", out of hours -", ""))
    assert len(said) == 1


def test_an_agency_that_held_nothing_or_kept_silent_is_not_called_refusing(house: House) -> None:
    picture = look(house, "shielded")
    for agency in picture.agencies:
        states = {cell.state for cell in picture.cells if cell.agency == agency.code}
        assert (agency.refused is not None) == (AnswerState.WITHHELD in states)
