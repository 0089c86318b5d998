"""The operator's page: who is in trouble and whom to ring, and nothing about anybody."""

import html

from connectors import NoAnswerReason
from hub.demo.behaviour import tell
from tests.conftest import House
from tests.hub.test_stories import candidates, choose, open_story


def test_the_operator_sees_how_partners_stand_and_nobody(house: House) -> None:
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    visitor.get(f"{enquiry}/who")
    health = house.hub.gatherer.health()
    assert health["csc"].last_well is not None
    assert health["csc"].median_s is not None
    page = house.visitor("operator").get("/partners")
    assert page.status_code == 200
    shown = html.unescape(page.text)
    for partner in house.hub.partners.values():
        assert partner.name in shown
        assert partner.coverage.sentence in shown
    assert "Tarrant" not in page.text
    assert "9997000048" not in page.text
    assert visitor.get("/partners").status_code == 403


def test_a_partner_in_trouble_is_named_with_its_telephone(house: House) -> None:
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    folder = house.demonstration.folder
    tell(folder, "gp-millbrook", "DOWN")
    try:
        for _ in range(3):
            visitor.get(f"{enquiry}/who")
        page = house.visitor("operator").get("/partners").text
        assert house.hub.gatherer.health()["gp-millbrook"].trouble == NoAnswerReason.ERROR
        assert "last fault" in page
    finally:
        tell(folder, "gp-millbrook", "UP")
