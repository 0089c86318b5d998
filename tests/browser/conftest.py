"""A running demonstration and a real browser, once per test run: the very thing that `make demo` starts."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.visit import CHROMIUM, FLAGS, Site, Visitor, running_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration, served by gunicorn in its own process."""
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitors(browser: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Makes people at a browser of their own; when the test ends, what each of them met is judged."""
    made: list[Visitor] = []

    def make(*, script: bool = True) -> Visitor:
        made.append(Visitor(browser, site, script=script))
        return made[-1]

    yield make
    faults = [fault for visitor in made for fault in visitor.faults()]
    for visitor in made:
        visitor.context.close()
    assert faults == []


@pytest.fixture
def visitor(visitors: Callable[..., Visitor]) -> Visitor:
    """One person at a wide screen."""
    return visitors()
