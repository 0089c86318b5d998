"""What can go wrong at the interface: a closed list of problem types, each with an address that explains it.

For: every error of `/api/` (RFC 9457). Must never say anything about a person, and never a trace. A type's name is
permanent: clients decide by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app, g, json

from hub.errors import FormRefused, HubError, TooFast
from hub.signin.clients import ALGORITHMS
from hub.signin.entering import ScopeMissing, TokenRefused
from hub.traffic.once import AnsweredBefore, KeyReused, StillAtWork
from hub.under_agreement import NoAgreement

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of problem. `what_to_do` is for whoever writes the client."""

    status: int
    title: str
    what_to_do: str


KINDS: Mapping[str, Kind] = {
    "bad-request": Kind(400, "The request cannot be read", "Read the detail, mend the request and send it again."),
    "malformed-json": Kind(400, "Not JSON", "Send one JSON object in UTF-8."),
    "idempotency-key-missing": Kind(
        400,
        "No Idempotency-Key",
        "Send a header Idempotency-Key with 16 to 128 letters, digits, - or _ that you never used before, best a "
        "random UUID; keep it for a retry of the very same request.",
    ),
    "sign-in-required": Kind(401, "Sign in first", "Send an access token with its proof of possession."),
    "token-refused": Kind(
        401,
        "The access token is not accepted",
        "It has expired, was revoked, its client or user is suspended, or the proof does not fit it. Get a new one; if "
        "that is refused too, ring the hub's operator.",
    ),
    "not-allowed": Kind(403, "You cannot see this", "This is not part of the user's role. Do not retry."),
    "scope-missing": Kind(403, "Not within the token's scope", "Ask for the scope that the operation names."),
    "agreement": Kind(
        403,
        "No agreement covers this",
        "Name an agreement, as REFERENCE/VERSION, that is in force for your agency and this purpose.",
    ),
    "not-found": Kind(404, "Not found", "It is not there, or not yours: which of the two is not said. Do not retry."),
    "method-not-allowed": Kind(405, "Not a method of this address", "The header Allow names those that are."),
    "idempotency-key-at-work": Kind(
        409, "The same request is being answered", "Wait for the seconds in Retry-After, then send it again as it is."
    ),
    "idempotency-key-answered": Kind(
        409,
        "Answered before, and not kept",
        "The disclosure was made; the member receipt names it. To see it again is another disclosure, which is decided "
        "anew: use a new key. An enquiry that was opened is in the list of enquiries.",
    ),
    "mismatch": Kind(
        409,
        "Not what the enquiry says",
        "Purpose and subject must be those of the enquiry. Check that you have the right enquiry before you go on.",
    ),
    "too-large": Kind(413, "Too much at once", "Send less: a request has at most 64 KiB."),
    "not-json": Kind(415, "Send JSON", "Set Content-Type to application/json."),
    "invalid-request": Kind(422, "The request cannot be used", "The member errors says for each field what is wrong."),
    "idempotency-key-reused": Kind(422, "The key belongs to another request", "Make a new key for every request."),
    "too-many-requests": Kind(429, "Too many requests", "Wait for the seconds in Retry-After."),
    "internal": Kind(500, "Something went wrong", "The fault is ours, and nothing was shown. Tell us the trace_id."),
    "unavailable": Kind(
        503,
        "Nothing was shown",
        "Nobody was asked, or nothing is shown, because it cannot be recorded. Wait for the seconds in Retry-After.",
    ),
}
#: The type of what is refused elsewhere, where only a status is known.
BY_STATUS: Mapping[int, str] = {
    400: "bad-request",
    401: "sign-in-required",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "not-json",
    422: "invalid-request",
    429: "too-many-requests",
    500: "internal",
    503: "unavailable",
}
#: The type of what our own use-cases refuse.
BY_ERROR: Mapping[type[HubError], str] = {
    NoAgreement: "agreement",
    KeyReused: "idempotency-key-reused",
    StillAtWork: "idempotency-key-at-work",
    AnsweredBefore: "idempotency-key-answered",
    TooFast: "too-many-requests",
    TokenRefused: "token-refused",
    ScopeMissing: "scope-missing",
}
CHALLENGES: Mapping[str, str] = {
    "sign-in-required": "",
    "token-refused": ' error="invalid_token",',
    "scope-missing": ' error="insufficient_scope",',
}
RETRY_AFTER_S: Mapping[str, int] = {"idempotency-key-at-work": 1, "unavailable": 5}


class Refused(HubError):
    """A request that the interface itself refuses. `errors` maps a field to a sentence."""

    code = "request-refused"

    def __init__(self, kind: str, detail: str, errors: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.kind, self.errors = kind, errors


def kind_of(error: Exception) -> str | None:
    """The type of an error that names its own; None for one that is known by its status only."""
    if isinstance(error, Refused):
        return error.kind
    return next((kind for known, kind in BY_ERROR.items() if isinstance(error, known)), None)


def body_of(kind: str, detail: str, error: Exception | None = None) -> dict[str, Any]:
    """The problem's members (RFC 9457 section 3.1), and ours: trace_id, errors, receipt."""
    known = KINDS[kind]
    base = current_app.extensions["hub"].settings.base_url
    body: dict[str, Any] = {
        "type": f"{base}/problems/{kind}",
        "title": known.title,
        "status": known.status,
        "detail": detail,
        "trace_id": g.get("request_id", ""),
    }
    errors = error.errors if isinstance(error, FormRefused | Refused) else None
    if errors:
        body["errors"] = dict(errors)
    if isinstance(error, AnsweredBefore) and error.receipt:
        body["receipt"] = {"eid": error.receipt}
    return body


def problem(status: int, detail: str, error: Exception | None = None) -> Response:
    """The answer to a request that went wrong."""
    kind = (kind_of(error) if error is not None else None) or BY_STATUS.get(
        status, "internal" if status >= 500 else "bad-request"
    )
    answer = Response(json.dumps(body_of(kind, detail, error)), KINDS[kind].status, content_type=MEDIA_TYPE)
    if kind in CHALLENGES:  # RFC 9449 section 7.1, RFC 6750 section 3.
        answer.headers["WWW-Authenticate"] = f'DPoP{CHALLENGES[kind]} algs="{" ".join(ALGORITHMS)}"'
    wait = error.retry_after_s if isinstance(error, TooFast) else RETRY_AFTER_S.get(kind)
    if wait is not None:
        answer.headers["Retry-After"] = str(wait)
    return answer
