"""The interface described by itself: OpenAPI 3.1 made from the operations and their schemas.

For: `/openapi.json`, the reference pages and every tool that reads such a file. Must never say anything by hand that
the code could say: an operation that exists is described, and no other.
"""

import re
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, Response, jsonify
from marshmallow import Schema, fields
from werkzeug.http import HTTP_STATUS_CODES

from hub.api import cases, checks, register
from hub.api.operations import OPERATIONS, Operation
from hub.api.problems import KINDS, MEDIA_TYPE
from hub.api.schemas import Problem
from hub.headers import open_to_all
from hub.signin.clients import SCOPES

description = Blueprint("description", __name__)
#: The rooms whose operations are described; importing them declares them.
ROOMS = (checks.checks_api, cases.cases_api, register.register_api)
#: What every operation may answer, whatever it does.
ALWAYS = ("sign-in-required", "token-refused", "not-allowed", "scope-missing", "too-many-requests", "internal")
WITH_BODY = ("bad-request", "malformed-json", "too-large", "not-json", "invalid-request")
ONCE = (
    "idempotency-key-missing",
    "idempotency-key-at-work",
    "idempotency-key-answered",
    "idempotency-key-reused",
    "unavailable",
)
TAGS = {"gp-check": "GP check", "enquiries": "Enquiries", "agreements": "Agreements", "receipts": "Receipts"}
SCOPE_WORDS = {
    "gp-check": "the GP check",
    "enquiries": "to open enquiries, to search and to confirm in them",
    "known-to": "who is involved with a family",
    "family-picture": "the combined family picture",
    "consents": "what a family agreed or refused",
    "agreements": "which agreements there are",
    "receipts": "proofs of disclosures",
}
#: What systems send of themselves, with a signed statement over the request in place of a token: address, method,
#: summary, what the body is, what may come of it. The documents of connecting a partner say the rest.
SIGNED = (
    ("/api/v1/notices", "post", "Send notices of events", "application/json", ("200", "401", "413", "422", "503")),
    ("/api/v1/uploads", "post", "Begin an upload of a drop", "application/json",
     ("200", "400", "401", "404", "409", "413", "422", "503")),
    ("/api/v1/uploads/{upload}", "get", "How an upload stands", None, ("200", "401", "404", "503")),
    ("/api/v1/uploads/{upload}/{name}/{at}", "put", "Send a part of a file, from byte `at` on",
     "application/octet-stream", ("200", "401", "404", "409", "413", "422", "503")),
    ("/api/v1/uploads/{upload}/complete", "post", "Load what was sent", "application/json",
     ("200", "401", "404", "409", "422", "503")),
)  # fmt: skip
HEADERS = {
    "RateLimit": "what is left of the minute's requests (draft-ietf-httpapi-ratelimit-headers)",
    "RateLimit-Policy": "how many there are in a minute",
    "traceparent": "the trace of the request (W3C Trace Context)",
}


@description.get("/openapi.json")
@open_to_all
def openapi() -> Response:
    """The interface as OpenAPI 3.1, made from the schemas."""
    return jsonify(describe())


@cache
def describe() -> dict[str, Any]:
    """The description of the interface."""
    spec = APISpec(
        title="Kith",
        version="1",
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin(schema_name_resolver=lambda schema: _name_of(schema))],
        info={
            "description": "Every answer about a person is a disclosure: decided for the user who asks, recorded "
            "before it leaves, with a receipt.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
    )
    flow = {"tokenUrl": "/oauth/token", "scopes": {scope: SCOPE_WORDS[scope] for scope in sorted(SCOPES)}}
    spec.components.security_scheme(
        "oauth2",
        {
            "type": "oauth2",
            "description": "A token of five minutes, bound to a key by DPoP (RFC 9449) or to a certificate (RFC 8705); "
            "for a user by token exchange (RFC 8693), else only for what is about nobody.",
            "flows": {"clientCredentials": flow},
        },
    )
    spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "kith"})
    spec.components.security_scheme(
        "signed",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A statement over this one request, signed with the system's registered key, good once.",
        },
    )
    spec.components.security_scheme("csrf", {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"})
    for found in OPERATIONS.values():
        path = re.sub(r"<(\w+)>", r"{\1}", found.path)
        spec.path(path=path, operations={found.method.lower(): _operation(found)})
    for path, method, summary, body, statuses in SIGNED:
        spec.path(path=path, operations={method: _signed(path, method, summary, body, statuses)})
    return spec.to_dict()


def _signed(path: str, method: str, summary: str, body: str | None, statuses: tuple[str, ...]) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    described: dict[str, Any] = {
        "operationId": f"{method}-" + "-".join(re.findall(r"\w+", path)[2:]),
        "summary": summary,
        "tags": ["Partners' systems"],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "integer"} if name == "at" else text}
            for name in re.findall(r"\{(\w+)\}", path)
        ],
        "responses": {status: {"description": HTTP_STATUS_CODES[int(status)]} for status in statuses},
        "security": [{"signed": []}],
    }
    if body:
        described["requestBody"] = {"required": True, "content": {body: {}}}
    return described


def _name_of(schema: Any) -> str:
    return schema.__name__ if isinstance(schema, type) else type(schema).__name__


def problems_of(found: Operation) -> tuple[str, ...]:
    """Every problem that an operation may answer with."""
    more = (*(WITH_BODY if found.asks else ("invalid-request",)), *(ONCE if found.once else ()))
    lists = ("not-found",) if found.paged or "<" in found.path else ()
    return tuple(dict.fromkeys((*ALWAYS, *more, *lists, *found.refuses, "unavailable")))


def _operation(found: Operation) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for kind in problems_of(found):
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    answers: dict[str, Any] = {
        "200": {
            "description": found.summary,
            "headers": {name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()},
            "content": {"application/json": {"schema": _page_of(found) if found.paged else found.answers}},
        }
    }
    for status, kinds in sorted(by_status.items()):
        said = "; ".join(f"`{kind}` {KINDS[kind].title}" for kind in kinds)
        answers[str(status)] = {"description": said, "content": {MEDIA_TYPE: {"schema": Problem}}}
    described: dict[str, Any] = {
        "operationId": found.name,
        "summary": found.summary,
        "description": found.text,
        "tags": [TAGS.get(found.scope, "Enquiries")],
        "parameters": _parameters(found),
        "responses": answers,
        "security": [{"oauth2": [found.scope]}, {"session": [], "csrf": []} if found.asks else {"session": []}],
    }
    if found.asks:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": found.asks}}}
    return described


def _parameters(found: Operation) -> list[dict[str, Any]]:
    text = {"type": "string"}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {**text, "minLength": 1}}
        for name in re.findall(r"<(\w+)>", found.path)
    ]
    if found.paged:
        parameters.append({"name": "cursor", "in": "query", "description": "as `next` gave it", "schema": text})
    if found.once:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "new for every request, the same for its retries, which name the receipt and "
                "repeat nothing; known for a day",
                "schema": {**text, "pattern": "^[A-Za-z0-9_-]{16,128}$"},
            }
        )
    parameters.append(
        {
            "name": "traceparent",
            "in": "header",
            "description": "W3C Trace Context; its trace-id becomes the `trace_id` of problems and of the trail",
            "schema": text,
        }
    )
    return parameters


def _page_of(found: Operation) -> type[Schema]:
    """A page of a list, as a schema of its own."""
    name = found.answers.__name__.removesuffix("Shown") + "Page"
    shape = {
        "items": fields.List(fields.Nested(found.answers)),
        "next": fields.String(allow_none=True, metadata={"description": "cursor of the next page; null at the end"}),
    }
    return type(name, (Schema,), {"__doc__": "A page of a list.", **shape})
