"""The running site and the people who visit it, for the browser tests and for the pictures of docs/screens."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from hub.demo.citizens import CITIZENS
from hub.demo.personas import PERSONAS
from hub.demo.setting_up import Demonstration, set_up
from tests.browser.inspection import WIDE, is_document, personal_in

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


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """The demonstration in a folder of its own, served by gunicorn in its own process until the end."""
    url = f"http://127.0.0.1:{free_port()}"
    demonstration = set_up(folder / "demo", now=datetime.now(UTC), base_url=url)
    log = folder / "hub.log"
    with log.open("w") as output:
        environment = {**os.environ, **demonstration.environment}
        server = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve"], env=environment, cwd=ROOT, stderr=output, stdout=output
        )
        try:
            wait_until_ready(url, server, log)
            yield Site(url, demonstration, log)
        finally:
            server.terminate()
            server.wait(timeout=15)
            demonstration.stop()


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when the site answers; raises when its process ends or a minute is over."""
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        assert server.poll() is None, "the site stopped while starting: " + log.read_text()[-800:]
        try:
            if requests.get(f"{url}/readyz", timeout=1).status_code == 200:
                return
        except (requests.ConnectionError, requests.Timeout):
            server_wait(server)
    raise AssertionError("the site did not become ready")


def server_wait(server: subprocess.Popen[bytes]) -> None:
    """Waits a moment for the process, which also notices its end."""
    try:
        server.wait(timeout=0.2)
    except subprocess.TimeoutExpired:
        return


class Visitor:
    """One person at a browser, with everything the console said, every address asked for and every page that came."""

    def __init__(self, browser: Browser, site: Site, *, script: bool = True) -> None:
        self.context = browser.new_context(
            java_script_enabled=script, viewport={"width": WIDE[0], "height": WIDE[1]}, locale="en-GB"
        )
        self.site = site
        self.page: Page = self.context.new_page()
        self.console: list[str] = []
        self.addresses: list[str] = []
        self.strangers: list[str] = []
        self.documents: list[Response] = []
        self._signing_in = False
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("response", self._came)

    def _said(self, message: ConsoleMessage) -> None:
        # A page that refuses with 4xx or 503 is reported by the browser itself; that is no fault of the page.
        if message.type in ("error", "warning") and "the server responded with a status of" not in message.text:
            self.console.append(message.text)

    def _asked(self, request: Request) -> None:
        self.addresses.append(request.url)
        if not self._signing_in and urlsplit(request.url).netloc != urlsplit(self.site.url).netloc:
            self.strangers.append(urlsplit(request.url).netloc)

    def _came(self, response: Response) -> None:
        if is_document(response):
            self.documents.append(response)

    def go(self, path: str) -> Page:
        """Opens an address of the site."""
        self.page.goto(self.site.url + path)
        return self.page

    def sign_in(self, persona: str) -> Page:
        """Signs in by the demonstration's identity provider, as a person would."""
        self.go("/sign-in")
        return self.sign_in_here(persona)

    def sign_in_here(self, persona: str) -> Page:
        """The same from the sign-in page on which this person is."""
        self._signing_in = True
        self.page.get_by_role("link", name="Demonstration sign-in").click()
        with self.page.expect_navigation(url=lambda url: url.startswith(self.site.url)):
            self.page.get_by_role("button", name=PERSONAS[persona].name).first.click()
        self._signing_in = False
        return self.page

    def sign_in_as_citizen(self, citizen: str) -> Page:
        """A member of the public signs in from the start page of the families."""
        self.go("/my")
        self._signing_in = True
        self.page.get_by_role("button", name="Sign in").click()
        with self.page.expect_navigation(url=lambda url: url.startswith(self.site.url)):
            self.page.get_by_role("button", name=CITIZENS[citizen].name).nth(
                int(CITIZENS[citizen].level != "P9")
            ).click()
        self._signing_in = False
        return self.page

    def press(self, name: str) -> Page:
        """Presses the first button of that name and waits for the page."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.get_by_role("button", name=name).first.click()
        return self.page

    def follow(self, name: str) -> Page:
        """Follows the first link of that name and waits for the page."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.get_by_role("link", name=name).first.click()
        return self.page

    def server_s(self) -> float:
        """Seconds that the newest page took at the server, from the question to the last byte."""
        timing = self.documents[-1].request.timing
        return (timing["responseEnd"] - timing["requestStart"]) / 1000

    def faults(self) -> list[str]:
        """What was wrong on the way, on whatever page."""
        found = [f"console: {line}" for line in self.console]
        found += [f"asked another host: {host}" for host in self.strangers]
        found += [f"an address holds {words}" for words in map(personal_in, self.addresses) if words]
        return found
