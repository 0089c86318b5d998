"""A running demonstration and a real browser, once per test run: the very thing that `make demo` starts."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from hub.demo.personas import PERSONAS
from hub.demo.setting_up import Demonstration, set_up

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("KITH_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass(frozen=True)
class Site:
    """The running site and the demonstration behind it."""

    url: str
    demonstration: Demonstration
    log: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration, served by gunicorn in its own process."""
    folder = tmp_path_factory.mktemp("site")
    url = f"http://127.0.0.1:{free_port()}"
    demonstration = set_up(folder / "demo", now=datetime.now(UTC), base_url=url)
    log = folder / "hub.log"
    with log.open("w") as output:
        environment = {**os.environ, **demonstration.environment}
        server = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve"], env=environment, cwd=ROOT, stderr=output, stdout=output
        )
        try:
            wait_until_ready(url, server)
            yield Site(url, demonstration, log)
        finally:
            server.terminate()
            server.wait(timeout=15)
            demonstration.stop()


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        assert server.poll() is None, "the site stopped while starting"
        try:
            if requests.get(f"{url}/readyz", timeout=1).status_code == 200:
                return
        except requests.ConnectionError:
            server_wait(server)
    raise AssertionError("the site did not become ready")


def server_wait(server: subprocess.Popen[bytes]) -> None:
    """Waits a moment for the process, which also notices its end."""
    try:
        server.wait(timeout=0.2)
    except subprocess.TimeoutExpired:
        return


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Visitor:
    """One person at a browser, with everything the console said and every address that was asked for."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context, self.site = context, site
        self.page: Page = context.new_page()
        self.console: list[str] = []
        self.addresses: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        # A page that refuses with 4xx is reported by the browser itself; that is no fault of the page.
        if message.type in ("error", "warning") and "the server responded with a status of 4" not in message.text:
            self.console.append(message.text)

    def _asked(self, request: Request) -> None:
        self.addresses.append(request.url)

    def sign_in(self, persona: str) -> Page:
        """Signs in by the demonstration's identity provider, as a person would."""
        page = self.page
        page.goto(f"{self.site.url}/sign-in")
        page.get_by_role("link", name="Demonstration sign-in").click()
        page.get_by_role("button", name=PERSONAS[persona].name).first.click()
        return page


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    """A person at a wide screen with script switched off: every journey works without."""
    context = browser.new_context(java_script_enabled=True, viewport={"width": 1280, "height": 900})
    person = Visitor(context, site)
    yield person
    context.close()
    assert person.console == []
