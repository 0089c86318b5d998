"""The MAIS operation over HTTP: bytes in, FHIR out. Errors are OperationOutcomes.

For: other hubs. Must never answer before the client was authenticated, and never put anything about a person into an
error.
"""

import json
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from audit import TrailUnavailable
from hub import node
from hub.assembly import Hub
from hub.errors import FormRefused, KeyRefused, SignInRefused, TooFast, Unavailable
from hub.headers import for_machines, takes_files
from hub.logs import log
from hub.node_query import read_query
from hub.signin.clients import authenticate
from hub.web.common import hub_of

mais = Blueprint("mais", __name__)

OPERATION = "/fhir/Patient/$person-info-query"
FHIR_JSON = "application/fhir+json"
LARGEST_QUERY = 64 * 1024
#: Nothing was asked and nothing is told; another time it may be.
NOT_NOW = (TrailUnavailable, Unavailable, KeyRefused)


@mais.post(OPERATION)
@for_machines
@takes_files(LARGEST_QUERY)
def person_info_query() -> Response:
    """Is something held about this person, and whom to ring?"""
    try:
        return _answer(hub_of())
    except HTTPException:
        raise
    except NOT_NOW as error:
        log.warning("refused", status=503, code=getattr(error, "code", type(error).__name__))
        later = _outcome(503, "transient", "Nothing was asked and nothing is told. Ask again in a minute.")
        later.headers["Retry-After"] = "60"
        return later
    except Exception as error:  # A machine reads the answer: never a page.
        log.error("failed", status=500, exc_info=error)
        return _outcome(500, "exception", "The request failed here. Nothing is said about anybody.")


def _answer(hub: Hub) -> Response:
    now, body = hub.clock(), request.get_data(cache=False)
    try:
        address = hub.settings.base_url + OPERATION
        client = authenticate(hub, request.headers.get("Authorization", ""), body, address=address, now=now)
        query = read_query(json.loads(body), now=now)
    except SignInRefused as error:
        return _outcome(401, "login", error.sentence)
    except FormRefused as error:
        return _outcome(422, "invalid", " ".join(error.errors.values()))
    except (ValueError, RecursionError):
        return _outcome(400, "structure", "The request is not JSON.")
    try:
        said = node.answer(hub, client, query, now=now, request_id=g.request_id)
    except TooFast as error:
        held_back = _outcome(429, "throttled", error.sentence)
        held_back.headers["Retry-After"] = "60"
        return held_back
    return _fhir(node.as_parameters(said), 200)


def _outcome(status: int, code: str, words: str) -> Response:
    issue = {"severity": "error", "code": code, "diagnostics": words}
    return _fhir({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def _fhir(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status=status, content_type=FHIR_JSON)
