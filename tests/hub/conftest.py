"""What the tests of the hub's own rooms share: a second front door, to a provider that tests control."""

import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from flask import Flask

from audit import Entry
from hub.app import create_app
from hub.assembly import Hub
from hub.logs import set_up_logs
from hub.signin.oidc import SignIn, read_issuers
from policies.vocabulary import Role
from tests.conftest import House, Visitor
from tests.hub.provider import Manners, Provider


@dataclass(frozen=True)
class Gate:
    """The house, entered through the tests' own provider: anybody of any role may come in."""

    house: House
    provider: Provider
    issuers_file: Path

    @property
    def hub(self) -> Hub:
        return self.house.hub

    def visitor(self, role: str = Role.MASH_SOCIAL_WORKER, *, agency: str = "csc", **claims: Any) -> Visitor:
        """Somebody new with this role, signed in."""
        self.provider.manners = Manners(claims={"sub": uuid4().hex, "role": role, "agency": agency, **claims})
        visitor = Visitor(self.house)
        finished = visitor.get(self.provider.authorize(self.start(visitor)))
        self.provider.manners = Manners()
        assert finished.status_code == 303, finished.text
        return visitor

    def start(self, visitor: Visitor, code: str = "test") -> str:
        """The first step: the address that the hub sends the browser to."""
        started = visitor.get(f"/sign-in/{code}/start")
        assert started.status_code == 303, started.text
        address: str = started.headers["Location"]
        return address

    def forget(self) -> None:
        """The provider behaves again, and the hub has asked it for nothing yet."""
        self.provider.manners = Manners()
        service: SignIn = self.house.app.extensions["signin"]
        service.issuers = read_issuers(self.issuers_file)

    def newest(self) -> Entry:
        """The newest entry of the trail."""
        return newest(self.hub)


CHECKING = {"purpose": "GP_PACKAGE_CHECK", "agreement": "THORN-GP-CHECK/1"}


def ask_api(visitor: Visitor, path: str, body: Any, *, key: str | None = None, **headers: str) -> Any:
    """POST to the interface as a page of ours would: with the session's token, and a key of its own."""
    sent = {"X-CSRF-Token": visitor.token(), "Idempotency-Key": key or uuid4().hex, **headers}
    return visitor.client.post(path, json=body, headers=sent)


def check_by_api(visitor: Visitor, number: str) -> Any:
    """The GP check of one patient by the interface."""
    return ask_api(visitor, "/api/v1/gp-check", {**CHECKING, "subject": {"nhs_number": number}})


def newest(hub: Hub, kind: str | None = None) -> Entry:
    """The newest entry of the trail, or the newest of a kind."""
    size = hub.trail.head().size
    start = size - 1 if kind is None else max(0, size - 40)
    return [entry for entry in hub.trail.events(start) if kind in (None, entry.kind)][-1]


def with_parts(house: House, **parts: Any) -> House:
    """The same house with some parts of its hub exchanged, and an application of its own over them."""
    if "agreements" in parts:  # Else the register's changes, should there be any, would bring its own back.
        parts = {"register_mark": house.hub.register.mark(), **parts}
    hub = replace(house.hub, **parts)
    return House(hub, app_of(hub), house.demonstration, house.clock)


def app_of(hub: Hub) -> Flask:
    return create_app(hub)


@pytest.fixture(scope="session", autouse=True)
def log_lines() -> Iterator[io.StringIO]:
    """What the hub logs, as it would log it in production."""
    lines = io.StringIO()
    set_up_logs("INFO", stream=lines)
    yield lines
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.fixture(scope="session")
def gate(house: House, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    path = tmp_path_factory.mktemp("gate") / "issuers.toml"
    everybody = tuple(house.hub.partners)
    path.write_text(
        provider.settings(agencies=tuple(code for code in everybody if code != "housing"))
        + provider.settings(code="other", issuer=provider.issuer + "/other")
        + provider.settings(code="nowhere", issuer="http://127.0.0.1:1")
    )
    settings = replace(house.hub.settings, issuers_file=path)
    return Gate(with_parts(house, settings=settings), provider, path)


@pytest.fixture(autouse=True)
def _the_clock_is_right_again(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves the shared house's clock ahead."""
    yield
    if "house" in request.fixturenames:
        request.getfixturevalue("house").clock.ahead = None
