"""Uploads over HTTP: begin with the list of files, send each in parts, complete, read the report.

For: partners' machines that send what others drop by SFTP. Every request is signed by itself, over its very bytes. Must
never answer before that was checked.
"""

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from audit import TrailUnavailable
from connectors import LARGEST_PART, ConnectorError, OutOfStep
from hub.assembly import Hub
from hub.errors import KeyRefused, NotFound, SignInRefused, Unavailable
from hub.headers import for_machines, takes_files
from hub.loading import report_of
from hub.logs import log
from hub.signin.clients import UPLOAD, Client, authenticate
from hub.uploads import receiving
from hub.web.common import hub_of

upload_door = Blueprint("upload_door", __name__)

UPLOADS = "/api/v1/uploads"
LARGEST_MANIFEST = 64 * 1024
_NOT_NOW = (TrailUnavailable, Unavailable, KeyRefused)


@upload_door.post(UPLOADS)
@for_machines
@takes_files(LARGEST_MANIFEST)
def begin() -> Response:
    """Begins an upload: `mode` and of each encrypted file its name, size and SHA-256."""

    def work(hub: Hub, client: Client, body: bytes) -> Response:
        return _shown(receiving.begin(hub, client.agency, json.loads(body), now=hub.clock()))

    return _signed(work)


@upload_door.put(f"{UPLOADS}/<upload>/<name>/<int:at>")
@for_machines
@takes_files(LARGEST_PART)
def part(upload: str, name: str, at: int) -> Response:
    """One part of a file, from byte `at` on."""

    def work(hub: Hub, client: Client, body: bytes) -> Response:
        return _json({"received": receiving.receive(hub, client.agency, upload, name, at, body)}, 200)

    return _signed(work)


@upload_door.post(f"{UPLOADS}/<upload>/complete")
@for_machines
def complete(upload: str) -> Response:
    """All is sent: it is checked and loaded; the answer is the report."""

    def work(hub: Hub, client: Client, body: bytes) -> Response:
        now = hub.clock()
        return _shown(receiving.complete(hub, client.agency, client.id, upload, now=now, report_of=report_of))

    return _signed(work)


@upload_door.get(f"{UPLOADS}/<upload>")
@for_machines
def state(upload: str) -> Response:
    """How an upload stands: how much is here, or what came of it."""

    def work(hub: Hub, client: Client, body: bytes) -> Response:
        return _shown(receiving.status(hub, client.agency, upload))

    return _signed(work)


def _signed(work: Callable[[Hub, Client, bytes], Response]) -> Response:
    hub, body = hub_of(), request.get_data(cache=False)
    try:
        header, address = request.headers.get("Authorization", ""), hub.settings.base_url + request.path
        client = authenticate(hub, header, body, address=address, now=hub.clock(), to=UPLOAD)
        return work(hub, client, body)
    except SignInRefused as error:
        return _problem(401, "Not authenticated", error.sentence)
    except NotFound as error:
        return _problem(404, "Not found", error.sentence)
    except OutOfStep as error:
        return _problem(409, "Out of step", "Go on from what is here.", received=error.received)
    except ConnectorError as error:
        return _problem(409 if error.code == "BUSY" else 422, "Not taken", error.sentence, code=error.code)
    except (ValueError, RecursionError):
        return _problem(400, "Not understood", "The body is not JSON.")
    except _NOT_NOW as error:
        log.warning("refused", status=503, code=getattr(error, "code", type(error).__name__))
        later = _problem(503, "Not now", "Nothing was loaded. Try again in a minute; what was sent stays here.")
        later.headers["Retry-After"] = "60"
        return later


def _shown(upload: receiving.Upload) -> Response:
    body = {"id": upload.id, "state": upload.state, "received": dict(upload.received), "report": dict(upload.report)}
    return _json(body | ({"receipt": upload.receipt} if upload.receipt else {}), 200)


def _problem(status: int, title: str, detail: str, **more: Any) -> Response:
    body = {"type": f"/problems/{status}", "title": title, "status": status, "detail": detail, **more}
    return _json(body, status, "application/problem+json")


def _json(body: dict[str, Any], status: int, kind: str = "application/json") -> Response:
    return Response(json.dumps(body), status=status, content_type=kind)
