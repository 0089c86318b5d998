"""A partner that is slow, away or talks nonsense costs the page its own answer and nothing else."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from hub.demo.behaviour import tell
from tests.browser.tour import fill_enquiry
from tests.browser.visit import Site, Visitor

pytestmark = pytest.mark.browser
#: Seconds at the server: the partners' one deadline of 3 s and what the hub itself needs.
LONGEST_S = 3.2
AWAY = re.compile("Thornshire Police|Millbrook Surgery|Harbourside Practice")
#: Where a person answers, and has not yet.
BY_HAND = re.compile("Not yet answered")


@pytest.fixture
def troubled(site: Site) -> Iterator[Callable[[str, str], None]]:
    """Tells a partner how to behave; afterwards all behave as usual."""
    told: list[str] = []

    def trouble(agency: str, state: str) -> None:
        told.append(agency)
        tell(site.demonstration.folder, agency, state)

    yield trouble
    for agency in told:
        tell(site.demonstration.folder, agency, "UP")


@pytest.mark.parametrize(
    ("agency", "state", "name", "telephone"),
    [
        ("police", "DOWN", "Thornshire Police", "01632 960 300"),
        ("gp-millbrook", "SLOW", "Millbrook Surgery", "01632 960 400"),
        ("gp-harbourside", "GARBLED", "Harbourside Practice", "01632 960 500"),
    ],
)
def test_the_page_comes_without_the_partner_who_does_not_answer(
    agency: str,
    state: str,
    name: str,
    telephone: str,
    visitors: Callable[..., Visitor],
    troubled: Callable[[str, str], None],
) -> None:
    visitor = visitors(script=state != "DOWN")
    page = visitor.sign_in("mash_social_worker")
    visitor.go("/enquiries/new")
    fill_enquiry(page, "showcase")
    visitor.press("Search")
    troubled(agency, state)
    visitor.press("This is the person")
    print(agency, state, round(visitor.server_s(), 2), "s for who is involved")
    assert visitor.server_s() <= LONGEST_S
    row = page.get_by_role("row").filter(has_text=name).first
    expect(row).to_contain_text("No answer")
    expect(row).to_contain_text(telephone)
    expect(page.locator(".kith-lead")).to_contain_text("that is not a no")
    card = page.locator(".kith-card").filter(has_text=name)
    expect(card).to_contain_text("No answer")
    expect(card).to_contain_text(telephone)
    # A partner who was away a moment ago may still be left alone.
    others = page.get_by_role("row").filter(has_not_text=AWAY).filter(has_not_text=BY_HAND)
    expect(others.filter(has_text="Involved").first).to_be_visible()
    expect(others.filter(has_text="No answer")).to_have_count(0)
    visitor.press("Show details")
    print(agency, state, round(visitor.server_s(), 2), "s for the picture")
    assert visitor.server_s() <= LONGEST_S
    expect(page.get_by_role("row").filter(has_text=name).first).to_contain_text("No answer")
    expect(page.get_by_role("heading", level=3).filter(has_text="Maisie")).to_have_count(1)


def test_a_service_whose_answer_is_not_shared_looks_the_same_when_it_is_away(
    visitors: Callable[..., Visitor], troubled: Callable[[str, str], None]
) -> None:
    visitor = visitors()
    page = visitor.sign_in("mash_social_worker")
    troubled("sms", "DOWN")
    visitor.go("/enquiries/new")
    fill_enquiry(page, "showcase")
    visitor.press("Search")
    visitor.press("This is the person")
    assert visitor.server_s() <= LONGEST_S
    row = page.get_by_role("row").filter(has_text="Fresh Tide Recovery Service").first
    expect(row).to_contain_text("Not shared")
    expect(row).not_to_contain_text("No answer")
