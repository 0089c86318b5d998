"""Every page and state of every tour: usable by everybody, silent, light, and naming nobody outside its content."""

from collections.abc import Callable

import pytest
import requests

from tests.browser.inspection import ASSETS, PAGE, REQUESTS, faults_of, personal_in, weight
from tests.browser.tour import TOURS
from tests.browser.visit import Site, Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("tour", TOURS)
def test_everybody_can_use_every_page_of_the(tour: str, visitor: Visitor) -> None:
    faults: dict[str, list[str]] = {}
    weights: dict[str, int] = {}
    assets: dict[str, int] = {}
    visitor.page.on(
        "response",
        lambda response: (
            assets.setdefault(response.url, weight(response.body())) if "/static/" in response.url else None
        ),
    )
    for stop in TOURS[tour](visitor):
        found = faults_of(visitor.page)
        weights[stop] = weight(visitor.documents[-1].body())
        if weights[stop] > PAGE:
            found.append(f"weighs {weights[stop]} bytes")
        if 1 + len(assets) > REQUESTS:
            found.append(f"{len(assets)} files belong to it")
        if found:
            faults[stop] = found
    print(tour, weights)
    assert faults == {}
    assert sum(assets.values()) <= ASSETS


def test_the_log_names_nobody(site: Site) -> None:
    assert personal_in(site.log.read_text(encoding="utf-8")) == []


def test_a_page_is_never_kept_by_the_browser_and_a_style_sheet_always(
    site: Site, visitors: Callable[..., Visitor]
) -> None:
    page = requests.get(f"{site.url}/sign-in", timeout=5)
    assert page.headers["Cache-Control"] == "no-store"
    sheet = page.text.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    assert "immutable" in requests.get(site.url + sheet, timeout=5).headers["Cache-Control"]


def test_the_checks_see_a_page_that_is_wrong(visitors: Callable[..., Visitor]) -> None:
    visitor = visitors()
    page = visitor.go("/sign-in")
    page.evaluate(
        """() => { document.title = 'Maisie – Kith';
            document.querySelector('main').insertAdjacentHTML('beforeend', '<input name="unlabelled">'
                + '<button tabindex="-1">out of reach</button><svg role="img" aria-label="x" width="900" height="20">'
                + '<text x="890" y="12" font-size="9">small</text></svg>'); }"""
    )
    faults = " ".join(faults_of(page))
    for sign in ("title names", "320: scrolls sideways", "axe label", "text of a drawing", "does not reach"):
        assert sign in faults
