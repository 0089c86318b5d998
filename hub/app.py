"""The web application: routes, guard, errors, probes. One per worker process.

For: turning use-cases into pages and their refusals into pages that say what to do next. Must never answer
with a stack trace, an exception's text, or anything about a person in an error.
"""

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask, Response, abort, g, jsonify, render_template, request, session
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException, InternalServerError

from audit import TrailCorrupt, TrailUnavailable
from connectors import ConnectorError
from hub import errors
from hub.api import describe, problems, tracing
from hub.api.node import mais
from hub.api.notices import notice_door
from hub.api.uploads import upload_door
from hub.assembly import Hub, calm_collector, open_hub
from hub.errors import HubError, KeyRefused
from hub.following import after_linking
from hub.headers import open_to_all, set_up_guard
from hub.logs import log, set_up_logs
from hub.settings import read_settings
from hub.signin.oidc import SignIn, read_issuers
from hub.signin.routes import signin
from hub.signin.sessions import SqlSessions
from hub.signin.token_endpoint import fault, token_endpoint
from hub.web import common, gp, ig, mash
from hub.web.agreements import register
from hub.web.approvals import approval_pages
from hub.web.case import case_pages
from hub.web.consent import consent_pages
from hub.web.data_care import data_care
from hub.web.desk import desk
from hub.web.developers import developers
from hub.web.editor import editor
from hub.web.emergency import emergency
from hub.web.inbox import inbox_pages
from hub.web.look import hashed_names, prepare, static_files
from hub.web.meeting import meeting_pages
from hub.web.notices import notice_pages
from hub.web.operations import operating
from hub.web.own import own_pages
from hub.web.protected import protected
from hub.web.steward import steward
from hub.web.tasks import task_pages

#: Largest request in bytes: no form of ours comes near it.
LARGEST_REQUEST = 64 * 1024

#: What each refusal is as an HTTP status and a heading. The order is from special to general.
STATUS: Mapping[type[Exception], tuple[int, str]] = {
    errors.NotFound: (404, "Page not found"),
    errors.NotForYou: (403, "You cannot see this"),
    errors.FormRefused: (422, "There is a problem"),
    errors.SignInRefused: (403, "Sign-in did not work"),
    errors.TooFast: (429, "Too many requests"),
    errors.Unavailable: (503, "Nothing was shown"),
    errors.KeyRefused: (503, "Nothing was shown"),
    TrailUnavailable: (503, "Nothing was shown"),
    ConnectorError: (503, "Nothing was shown"),
    OperationalError: (503, "Nothing was shown"),
    InterfaceError: (503, "Nothing was shown"),
    PoolExhausted: (503, "Nothing was shown"),
}
UNAVAILABLE = (
    "The record of disclosures cannot be written at the moment, so nobody was asked and nothing is shown.",
    ("Try again in a minute.", "If somebody is at risk now, ring the agencies yourself."),
)
CORRUPT = (
    "The record of disclosures does not verify: it is not what was signed. Nothing is shown until somebody has looked.",
    ("Tell the hub's operator and your data protection officer now.", UNAVAILABLE[1][1]),
)
UNREADABLE = (
    "Something that is kept sealed cannot be opened: it was altered, or its key is not here. Nothing is shown.",
    ("Tell the hub's operator the reference below.", UNAVAILABLE[1][1]),
)
#: Addresses that systems use, and no page.
BY_SYSTEMS = ("/api/", "/fhir/", "/oauth/")
#: Methods that a log line names; another one is a text of the caller's own.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def create_app(hub: Hub) -> Flask:
    """The application over an opened hub."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST, MAX_FORM_PARTS=60)
    app.extensions["hub"] = hub
    app.extensions["signin"] = SignIn(
        read_issuers(hub.settings.issuers_file, https_only=not hub.settings.demo),
        redirect_uri=hub.settings.base_url + "/sign-in/answer",
        keys=hub.keys,
    )
    app.session_interface = SqlSessions(hub)
    _set_up_templates(app, hub)
    _set_up_probes(app, hub)
    set_up_guard(app)
    work = (
        mash.mash,
        emergency,
        consent_pages,
        case_pages,
        task_pages,
        approval_pages,
        meeting_pages,
        protected,
        own_pages,
        inbox_pages,
        notice_pages,
        gp.gp,
        ig.ig,
        desk,
        steward,
        data_care,
        register,
        editor,
        operating,
        developers,
    )
    pages = (common.common, signin, *work)
    for blueprint in (*pages, *describe.ROOMS, describe.description, token_endpoint, mais, notice_door, upload_door):
        app.register_blueprint(blueprint)
    _set_up_static(app)
    _set_up_errors(app)
    return app


def from_environment() -> Flask:
    """The application as a server worker makes it: settings from HUB_*, refused when unsafe."""
    settings = read_settings()
    set_up_logs(settings.log_level)
    hub = open_hub(settings)
    with suppress(TrailUnavailable):  # Pages that read consent make sure themselves, or show nothing.
        after_linking(hub, now=hub.clock())  # What a process that died between linking and this left behind.
    app = create_app(hub)
    for name in app.jinja_env.list_templates(filter_func=lambda name: not name.startswith("govuk_frontend_jinja")):
        app.jinja_env.get_template(name)  # Compiled now, so that the first user does not wait for it.
    calm_collector()
    return app


def _set_up_templates(app: Flask, hub: Hub) -> None:
    prepare(app.jinja_env)
    app.jinja_env.globals["csp_nonce"] = lambda: g.get("csp_nonce", "")
    app.jinja_env.globals["asset"] = lambda name: f"/static/{hashed_names()[name]}"

    @app.context_processor
    def who_and_where() -> dict[str, Any]:
        return common.page_context(hub, session.get("actor"))


def _set_up_static(app: Flask) -> None:
    @app.get("/static/<name>", endpoint="static")
    @open_to_all
    def static_file(name: str) -> Response:
        if name not in static_files():
            abort(404)
        body, kind = static_files()[name]
        return Response(body, content_type=kind)


def _set_up_probes(app: Flask, hub: Hub) -> None:
    metrics = CollectorRegistry()
    requests_total = Counter(
        "kith_requests_total", "Requests by endpoint and status", ["endpoint", "status"], registry=metrics
    )
    seconds = Histogram("kith_request_seconds", "Seconds until the answer, by endpoint", ["endpoint"], registry=metrics)

    if hub.cosigners is not None:
        age_s = Gauge("kith_witness_quorum_age_seconds", "Seconds since a quorum cosigned", registry=metrics)
        overdue = Gauge("kith_witness_quorum_overdue", "1 when that is longer than five minutes", registry=metrics)
        cosigned = Gauge("kith_witness_cosigned_size", "Entries that a quorum has cosigned", registry=metrics)

    def measure_witnesses() -> None:
        if hub.cosigners is None:
            return
        with suppress(TrailUnavailable):
            stands = hub.cosigners.quorum()
            age_s.set(hub.clock().timestamp() - (stands.t or 0) / 1000 if stands.t else float("nan"))
            overdue.set(stands.overdue)
            cosigned.set(stands.size)

    @app.before_request
    def started() -> None:
        # First of all: a request that the guard turns away has its own time and its own id too.
        g.started = time.perf_counter()
        # A system's own trace goes on here; a browser's request begins one.
        given = tracing.trace_of(request.headers.get("traceparent")) if request.path.startswith(BY_SYSTEMS) else None
        g.request_id = given or secrets.token_hex(16)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def measured(response: Response) -> Response:
        elapsed = time.perf_counter() - g.get("started", time.perf_counter())
        endpoint = request.endpoint or "none"
        if request.path.startswith(BY_SYSTEMS):
            response.headers["traceparent"] = tracing.traceparent(g.request_id)
        requests_total.labels(endpoint, str(response.status_code)).inc()
        seconds.labels(endpoint).observe(elapsed)
        if endpoint != "static":
            log.info(
                "answered",
                method=request.method if request.method in METHODS else "other",
                route=str(request.url_rule or "none"),
                status=response.status_code,
                elapsed_ms=round(elapsed * 1000, 1),
            )
        return response

    @app.get("/livez")
    @open_to_all
    def livez() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    @open_to_all
    def readyz() -> tuple[Response, int]:
        ready = common.is_ready(hub)
        answer = {"status": "ok" if ready else "unavailable"}
        if ready and hub.cosigners is not None:
            # A note only: without its witnesses the hub goes on, and information governance is told.
            answer["witnesses"] = "overdue" if hub.cosigners.quorum().overdue else "ok"
        return jsonify(answer), 200 if ready else 503

    @app.get("/metrics")
    @open_to_all
    def metrics_page() -> Response:
        measure_witnesses()
        return Response(generate_latest(metrics), content_type=CONTENT_TYPE_LATEST)


def _set_up_errors(app: Flask) -> None:
    @app.errorhandler(Exception)
    def refused(error: Exception) -> tuple[str | Response, int] | Response:
        if isinstance(error, InternalServerError) and isinstance(error.original_exception, Exception):
            # Flask wraps what was raised outside of a view, while a session was opened or saved.
            error = error.original_exception
        if isinstance(error, HTTPException) and error.code is not None:
            return _http_error(error)
        if isinstance(error, HubError) and (named := problems.kind_of(error)) is not None and _by_api():
            log.warning("refused", status=problems.KINDS[named].status, code=named)
            return problems.problem(problems.KINDS[named].status, error.sentence, error)
        for kind, (status, title) in STATUS.items():
            if isinstance(error, kind):
                sentence, steps = _words(error)
                log.warning("refused", status=status, code=getattr(error, "code", type(error).__name__))
                return _answer(status, title, sentence, steps, error)
        log.error("failed", status=500, exc_info=error)
        return _answer(500, *HTTP_WORDS[500])

    def _words(error: Exception) -> tuple[str, tuple[Any, ...]]:
        if isinstance(error, TrailCorrupt):
            return CORRUPT
        if isinstance(error, TrailUnavailable):
            return UNAVAILABLE
        if isinstance(error, KeyRefused):
            return UNREADABLE
        if isinstance(error, HubError):
            return error.sentence, error.next_steps
        return "A part of the hub is not available.", UNAVAILABLE[1]

    def _http_error(error: HTTPException) -> tuple[str | Response, int] | Response:
        status = error.code or 500
        title, sentence, steps = HTTP_WORDS.get(status, HTTP_WORDS[500 if status >= 500 else 400])
        answer = _answer(status, title, sentence, steps)
        headers = [(n, v) for n, v in error.get_headers() if n in ("Allow", "Retry-After")]
        response = app.make_response(answer)
        for name, value in headers:
            response.headers[name] = value
        return response

    def _by_api() -> bool:
        return request.path.startswith("/api/")

    def _answer(
        status: int, title: str, sentence: str, steps: tuple[Any, ...], error: Exception | None = None
    ) -> tuple[str | Response, int]:
        if _by_api():
            answer = problems.problem(status, sentence, error)
            return answer, answer.status_code
        if request.path.startswith("/oauth/"):
            return fault(status, sentence), status
        page = Response(
            render_template(
                "error.html",
                title=title,
                happened=sentence,
                next_steps=list(steps),
                status=status,
                reference=g.get("request_id", "")[:12],
            )
        )
        if status == 503:
            page.headers["Retry-After"] = "5"
        return page, status


HTTP_WORDS: Mapping[int, tuple[str, str, tuple[Any, ...]]] = {
    400: (
        "That did not work",
        "The page was too old, or did not come from Kith. Nothing was changed.",
        ("Go back, reload the page and try again. What you typed is still in the form.",),
    ),
    401: ("Sign in first", "This needs a signed-in user.", ()),
    403: ("You cannot see this", "This is not part of your role.", ("Ask your manager if you think it should be.",)),
    404: (
        "Page not found",
        "There is no such page, or it is not yours to see.",
        ({"href": "/", "text": "Go to your start page"},),
    ),
    405: (
        "That did not work",
        "This address cannot be used in that way.",
        ({"href": "/", "text": "Go to your start page"},),
    ),
    413: ("Too much at once", "What was sent is larger than any form here.", ("Shorten the text and try again.",)),
    415: ("That did not work", "The request was not in a form that is understood here.", ()),
    422: ("There is a problem", "What was sent cannot be used.", ()),
    500: (
        "Something went wrong",
        "The fault is ours, and nothing was shown.",
        ("Try again.", "If it happens again, tell the hub's operator the reference below."),
    ),
    429: ("Too many requests", "You have asked very often in a short time.", ("Wait a minute and try again.",)),
}
