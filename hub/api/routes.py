"""The JSON interface, version 1, and its description.

For: the GP check from a practice's own system. Must never take another way than the page does: the same
use-case, the same decision, the same trail. Errors follow RFC 9457.
"""

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response, g, jsonify, request
from marshmallow import ValidationError

from hub import questions
from hub.api.schemas import GpCheckAnswered, GpCheckAsked, Problem
from hub.errors import FormRefused
from hub.headers import CHECKING, for_roles, open_to_all
from hub.web.common import context_of, hub_of
from hub.words import GP_ANSWER_WORDS

api = Blueprint("api", __name__)


@api.post("/api/v1/gp-check")
@for_roles(CHECKING)
def gp_check() -> tuple[Response, int]:
    """Does this registered patient have a social-care package?"""
    if not request.is_json:
        return _problem(415, "Send JSON", "The body must be application/json.")
    try:
        asked: Any = GpCheckAsked().load(request.get_json(silent=True) or {})
        check = questions.package_check(hub_of(), context_of(), asked["nhs_number"])
    except ValidationError as error:
        fields: dict[str, Any] = error.messages if isinstance(error.messages, dict) else {"body": ""}
        wrong = dict.fromkeys(map(str, fields), "Not understood, missing, or not known here.")
        return _problem(422, "There is a problem", "The request cannot be used.", wrong)
    except FormRefused as error:
        return _problem(422, "There is a problem", error.sentence, error.errors)
    answer = {
        "answer": check.answer,
        "as_of": check.as_of,
        "phone": check.phone,
        "sentence": GP_ANSWER_WORDS[check.answer][1],
        "receipt": {"eid": check.receipt.eid},
    }
    return jsonify(GpCheckAnswered().dump(answer)), 200


@api.get("/openapi.json")
@open_to_all
def openapi() -> Response:
    """The interface as OpenAPI 3.1, made from the schemas."""
    return jsonify(describe().to_dict())


def describe() -> APISpec:
    """The description of the interface."""
    spec = APISpec(
        title="Kith",
        version="1",
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin()],
        info={"description": "Every answer is a disclosure: decided, recorded, with a receipt."},
    )
    spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "kith"})
    spec.components.security_scheme("csrf", {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"})
    problem = {"content": {"application/problem+json": {"schema": Problem}}}
    spec.path(
        path="/api/v1/gp-check",
        operations={
            "post": {
                "operationId": "gpCheck",
                "summary": "Does this registered patient have a social-care package?",
                "security": [{"session": [], "csrf": []}],
                "requestBody": {"required": True, "content": {"application/json": {"schema": GpCheckAsked}}},
                "responses": {
                    "200": {
                        "description": "One of five answers",
                        "content": {"application/json": {"schema": GpCheckAnswered}},
                    },
                    "400": {"description": "The request did not carry the session's token", **problem},
                    "401": {"description": "Not signed in", **problem},
                    "403": {"description": "Not part of this role", **problem},
                    "415": {"description": "Not JSON", **problem},
                    "422": {"description": "Not an NHS number, or an unknown key", **problem},
                    "503": {
                        "description": "The trail cannot be written: nobody was asked, nothing is shown",
                        **problem,
                    },
                },
            }
        },
    )
    return spec


def _problem(status: int, title: str, detail: str, errors: dict[str, str] | None = None) -> tuple[Response, int]:
    body = {"type": f"/problems/{status}", "title": title, "status": status, "detail": detail, "trace_id": g.request_id}
    answer = jsonify({**body, "errors": errors} if errors else body)
    answer.content_type = "application/problem+json"
    return answer, status
