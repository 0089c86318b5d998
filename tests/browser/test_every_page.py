# ruff: noqa: E501 - one seeded defect a line reads better than a wrapped one
"""Every page and state of every tour: usable by everybody, silent, light, and naming nobody outside its content."""

from collections.abc import Callable

import pytest
import requests

from tests.browser.inspection import (
    ASSETS,
    AXE,
    NARROW,
    PAGE,
    REQUESTS,
    faults_at_this_width,
    faults_of,
    personal_in,
    weight,
)
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


#: Defects that real pages had: what is done to a page that is right.
DEFECTS = {
    "an image without a text": 'main.insertAdjacentHTML(\'beforeend\', \'<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width="40" height="40">\')',
    "a field without a label": "main.insertAdjacentHTML('beforeend', '<input name=\"x\">')",
    "a field whose only label goes away": "main.insertAdjacentHTML('beforeend', '<input name=\"x\" placeholder=\"Your name\">')",
    "a button without a name": "main.insertAdjacentHTML('beforeend', '<button></button>')",
    "a link without a text": 'main.insertAdjacentHTML(\'beforeend\', \'<a href="/x"><svg width="30" height="30"></svg></a>\')',
    "a link that says nothing": "main.insertAdjacentHTML('beforeend', '<p><a href=\"/x\">here</a></p>')",
    "pale words": "main.querySelector('p').style.color = '#bbbbbb'",
    "a heading left out": "main.insertAdjacentHTML('beforeend', '<h5>Too deep</h5>')",
    "no language": "document.documentElement.removeAttribute('lang')",
    "a table without headings": "main.insertAdjacentHTML('beforeend', '<table><caption>x</caption><tr><td>a</td><td>b</td></tr></table>')",
    "a table without a caption": "main.insertAdjacentHTML('beforeend', '<table><tr><th scope=\"col\">a</th></tr><tr><td>b</td></tr></table>')",
    "radios without a question": "main.insertAdjacentHTML('beforeend', '<label><input type=\"radio\" name=\"r\">Yes</label>')",
    "an error that is not tied to its field": 'main.insertAdjacentHTML(\'beforeend\', \'<label for="e">A</label><input id="e" class="govuk-input govuk-input--error">\')',
    "no focus to be seen": "main.querySelector('a').style.cssText = 'outline: none !important; box-shadow: none !important'",
    "a button out of reach": "main.insertAdjacentHTML('beforeend', '<button tabindex=\"-1\">Send</button>')",
    "a button that is none": "main.insertAdjacentHTML('beforeend', '<div role=\"button\">Send the answer</div>')",
    "a trap for the keyboard": "main.insertAdjacentHTML('afterbegin', '<button id=\"trap\">Trap</button>'); document.getElementById('trap').addEventListener('keydown', e => e.preventDefault())",
    "wider than a telephone": "main.insertAdjacentHTML('beforeend', '<div>' + 'x'.repeat(90) + '</div>')",
    "small words in a drawing": 'main.insertAdjacentHTML(\'beforeend\', \'<svg role="img" aria-label="x" width="90" height="20"><text x="9" y="12" font-size="8">small</text></svg>\')',
    "words on words in a drawing": 'main.insertAdjacentHTML(\'beforeend\', \'<svg role="img" aria-label="x" width="190" height="40"><text x="9" y="20" font-size="14">Maureen</text><text x="20" y="22" font-size="14">Leanne</text></svg>\')',
}


def test_the_checks_see_at_least_nineteen_of_twenty_seeded_defects(visitors: Callable[..., Visitor]) -> None:
    """axe alone saw eleven of twenty such defects; the checks beside it are for the others."""
    page = visitors().go("/sign-in")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    page.evaluate(AXE)
    page.evaluate("() => { window.whole = document.body.innerHTML; }")
    assert list(faults_at_this_width(page)) == []
    seen, by_axe = [], 0
    for defect, mutation in DEFECTS.items():
        page.evaluate("m => new Function('main', m)(document.querySelector('main'))", mutation)
        faults = list(faults_at_this_width(page))
        by_axe += any(fault.startswith("axe ") for fault in faults)
        seen += [defect] if faults else []
        page.evaluate("() => { document.documentElement.lang = 'en'; document.body.innerHTML = window.whole; }")
    print(
        f"{len(seen)} of {len(DEFECTS)} defects seen, {by_axe} of them by axe; not seen: {DEFECTS.keys() - set(seen)}"
    )
    assert len(DEFECTS) == 20
    assert len(seen) >= 19


def test_a_title_that_names_somebody_is_seen(visitors: Callable[..., Visitor]) -> None:
    page = visitors().go("/sign-in")
    page.evaluate("() => { document.title = 'Maisie – Kith'; }")
    assert "the title names somebody" in faults_of(page)
