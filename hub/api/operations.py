"""One operation of the interface: its address, its shapes, who may, and how a request becomes an answer.

For: keeping routes, checks and description one thing: what is declared here is what Flask serves and what
`/openapi.json` says. Must never hand a view anything that its schema does not know, and never answer in another shape
than the one declared.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, json, request
from marshmallow import Schema, ValidationError

from hub.api.problems import Refused
from hub.headers import for_roles
from hub.signin.entering import Entered
from hub.traffic import limits, once
from hub.web.common import context_of, hub_of
from policies.vocabulary import Role

#: A view takes the parsed body (None for a GET) and the address's own values.
View = Callable[..., Any]
_KEY = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list: its items, and the mark where the next one begins."""

    items: list[Any]
    next: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `once`: it makes a disclosure, so it needs an Idempotency-Key. `refuses`: its own problems."""

    name: str
    method: str
    path: str
    summary: str
    text: str
    asks: type[Schema] | None
    answers: type[Schema]
    roles: frozenset[Role]
    scope: str
    once: bool
    paged: bool
    refuses: tuple[str, ...]
    view: View


#: Every operation, by its name, in the order in which they are declared.
OPERATIONS: dict[str, Operation] = {}


def operation(
    blueprint: Blueprint,
    place: str,
    name: str,
    *,
    answers: type[Schema],
    roles: frozenset[Role],
    scope: str,
    asks: type[Schema] | None = None,
    once: bool = False,
    paged: bool = False,
    refuses: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Declares a view as an operation. Takes `place`: method and address, as Flask writes it."""
    method, path = place.split(" ")

    def declare(view: View) -> View:
        summary, _, text = (view.__doc__ or "").partition("\n\n")
        found = Operation(
            name,
            method,
            path,
            " ".join(summary.split()),
            " ".join(text.split()),
            asks,
            answers,
            roles,
            scope,
            once,
            paged,
            refuses,
            view,
        )
        OPERATIONS[name] = found

        @for_roles(roles)
        def answer(**address: str) -> Response:
            return _answer(found, address)

        answer.scope = scope  # type: ignore[attr-defined]
        blueprint.add_url_rule(path, name, answer, methods=[method])
        return view

    return declare


def _answer(found: Operation, address: Mapping[str, str]) -> Response:
    hub, ctx = hub_of(), context_of()
    entered: Entered | None = g.get("entered")
    most = entered.client.per_minute if entered and entered.client.per_minute else hub.settings.api_per_minute
    left = limits.spend(hub, ctx.client or ctx.actor.id, most, now=ctx.now)
    asked = _asked(found)
    turn: once.Turn | None = None
    if found.once:
        who = f"{ctx.client}\x1f{ctx.actor.id}\x1f{request.path}"
        turn = once.take(hub, who, _key(), request.get_data(), now=ctx.now)
    answer = _first(found, asked, address, turn)
    for name, value in left.headers().items():
        answer.headers[name] = value
    return answer


def _first(found: Operation, asked: Any, address: Mapping[str, str], turn: once.Turn | None) -> Response:
    hub = hub_of()
    try:
        said = found.view(asked, **address) if found.asks else found.view(**address)
        body = json.dumps(_dumped(found, said)).encode()
    except BaseException:
        if turn is not None:  # Nothing was shown, so the same request may be sent again.
            once.let_go(hub, turn)
        raise
    if turn is not None:
        receipt = said.get("receipt") or {}
        once.finish(hub, turn, 200, receipt.get("eid"))
    answer = Response(body, 200, content_type=JSON)
    if isinstance(said, Page) and said.next is not None:
        answer.headers["Link"] = f'<{hub.settings.base_url}{request.path}?cursor={said.next}>; rel="next"'
    return answer


def _dumped(found: Operation, said: Any) -> Any:
    if isinstance(said, Page):
        return {"items": found.answers(many=True).dump(said.items), "next": said.next}
    return found.answers().dump(said)


def _asked(found: Operation) -> Any:
    """The body in its schema, or None where there is none. Raises Refused."""
    if unknown := set(request.args) - ({"cursor"} if found.paged else set()):
        names = dict.fromkeys((name[:40] for name in sorted(unknown)), "Not known here.")
        raise Refused("invalid-request", "The address has a parameter that is not known here.", names)
    if found.asks is None:
        return None
    if not request.is_json:
        raise Refused("not-json", "The body must be application/json.")
    try:
        body = json.loads(request.get_data().decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("malformed-json", "The body is not JSON in UTF-8.") from None
    try:
        return found.asks().load(body)
    except ValidationError as error:
        raise Refused("invalid-request", "The request cannot be used.", _fields(error.messages)) from None


def _fields(messages: Any, path: str = "") -> dict[str, str]:
    """Each field that is wrong, by its path, in words of ours: a library's may quote what was sent."""
    if not isinstance(messages, dict):
        return {path or "body": "Not understood, missing, or not known here."}
    found: dict[str, str] = {}
    for name, inner in list(messages.items())[:20]:
        part = "body" if name == "_schema" else str(name)[:40]
        found |= _fields(inner, f"{path}.{part}" if path else part)
    return found


def _key() -> str:
    key = request.headers.get("Idempotency-Key", "").strip('"')
    if not _KEY.fullmatch(key):
        raise Refused("idempotency-key-missing", "This request makes a disclosure and needs an Idempotency-Key.")
    return key
