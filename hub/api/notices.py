"""Notices of events over HTTP: a MAIS LifeEvent, or several, as JSON; what became of each goes back.

For: partners' systems. Must never answer before the client was authenticated, and never say who works with a person.
"""

import json
from typing import Any

from flask import Blueprint, Response, request

from audit import TrailUnavailable
from connectors import MaisInvalid
from hub.errors import KeyRefused, SignInRefused, Unavailable
from hub.headers import for_machines, takes_files
from hub.logs import log
from hub.notices.intake import Taken, split, take_all
from hub.signin.clients import NOTIFY, authenticate
from hub.web.common import hub_of

notice_door = Blueprint("notice_door", __name__)

NOTICES = "/api/v1/notices"
LARGEST_BODY = 2 * 1024 * 1024
_NOT_NOW = (TrailUnavailable, Unavailable, KeyRefused)


@notice_door.post(NOTICES)
@for_machines
@takes_files(LARGEST_BODY)
def take() -> Response:
    """Takes notices; each is answered by itself, in the order in which they were sent."""
    hub, body = hub_of(), request.get_data(cache=False)
    now = hub.clock()
    try:
        header, address = request.headers.get("Authorization", ""), hub.settings.base_url + NOTICES
        client = authenticate(hub, header, body, address=address, now=now, to=NOTIFY)
        taken = take_all(hub, client.agency, client.id, split(body), now=now)
    except SignInRefused as error:
        return _problem(401, "Not authenticated", error.sentence)
    except MaisInvalid as error:
        return _problem(422, "Not understood", f"{error.path}: {error.reason}.")
    except _NOT_NOW as error:
        log.warning("refused", status=503, code=getattr(error, "code", type(error).__name__))
        later = _problem(503, "Not now", "Not all was taken. Send all of it again in a minute: nothing is taken twice.")
        later.headers["Retry-After"] = "60"
        return later
    return _json({"notices": [as_answer(one) for one in taken]}, 200)


def as_answer(one: Taken) -> dict[str, Any]:
    """What became of one notice, as its sender reads it."""
    answer: dict[str, Any] = {"number": one.number, "state": one.state}
    if one.reason:
        answer["reason"] = one.reason
    if one.receipt:
        answer["receipt"] = one.receipt
    if one.state != "REJECTED":
        answer["desks"] = list(one.desks)
    if any(desk["state"] == "NOT_TOLD" for desk in one.desks):
        answer["advice"] = "Somebody could not be told through the hub. Tell them yourself now."
    return answer


def _problem(status: int, title: str, detail: str) -> Response:
    body = {"type": f"/problems/{status}", "title": title, "status": status, "detail": detail}
    return _json(body, status, "application/problem+json")


def _json(body: dict[str, Any], status: int, kind: str = "application/json") -> Response:
    return Response(json.dumps(body), status=status, content_type=kind)
