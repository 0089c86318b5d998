"""Security headers and the guard that closes every route by default.

For: one place that says who may enter which route, and what every answer carries. Must never let a route
without a mark answer: a test compares the set of routes with the set of marked ones. OWASP ASVS 5.0 V3, V8.
"""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, Request, Response, abort, current_app, g, redirect, request, session, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.utils import cached_property
from werkzeug.wrappers import Response as AnyResponse

from hub.errors import NotForYou, Unavailable
from hub.signin.entering import TokenRefused, enter
from hub.signin.tokens import ALONE
from hub.suspension import is_suspended
from hub.tasks import WORKERS
from policies.vocabulary import Role

View = TypeVar("View", bound=Callable[..., Any])
OPEN = "open"
#: For members of the public who signed in as themselves; no role of any agency enters.
FAMILIES = "families"

#: Roles that open enquiries; which purposes each may claim is said by the agreements.
ENQUIRING = WORKERS
CHECKING = frozenset({Role.GP_CARE_COORDINATOR, Role.GP_CLINICIAN})
OVERSEEING = frozenset({Role.IG_OFFICER, Role.PRIVACY_OFFICER})
#: Who settles whether two records are one person.
STEWARDING = frozenset({Role.DATA_STEWARD})


#: PostgreSQL keeps U+0000 in no text (its manual, section 8.3, "Character Types"), and no keyboard makes it. It becomes
#: what invalid UTF-8 becomes, wherever it comes in, so that both databases see the same.
NUL, REPLACED = "\0", "\ufffd"


class _Parser(FormDataParser):
    def parse(self, *given: Any, **more: Any) -> Any:
        stream, form, files = super().parse(*given, **more)
        return stream, _without_nul(form), files


class IncomingRequest(Request):
    """A request whose form and query hold no U+0000; `guard` sees to what stands in the path."""

    form_data_parser_class = _Parser

    @cached_property
    def args(self) -> Any:
        """The query of the address."""
        return _without_nul(super().args)


def _without_nul(given: Any) -> Any:
    return type(given)([(name, value.replace(NUL, REPLACED)) for name, value in given.items(multi=True)])


def takes_files(largest: int) -> Callable[[View], View]:
    """Marks a route whose form may carry files, of so many bytes altogether; every other form is small."""

    def mark(view: View) -> View:
        view.largest_request = largest  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: View) -> View:
    """Marks a route that needs no sign-in; the word stands at the route, for all to see."""
    view.access = OPEN  # type: ignore[attr-defined]
    return view


def for_machines(view: View) -> View:
    """Marks a route that no browser uses: no session, no form; the view itself authenticates a signed request."""
    view.access = OPEN  # type: ignore[attr-defined]
    view.by_machines = True  # type: ignore[attr-defined]
    return view


def for_roles(roles: frozenset[Role]) -> Callable[[View], View]:
    """Marks a route as one for these roles only."""

    def mark(view: View) -> View:
        view.access = roles  # type: ignore[attr-defined]
        return view

    return mark


def for_families(view: View) -> View:
    """Marks a route for members of the public about themselves."""
    view.access = FAMILIES  # type: ignore[attr-defined]
    return view


def for_everybody_signed_in(view: View) -> View:
    """Marks a route for any signed-in person, whatever their role."""
    view.access = frozenset(Role)  # type: ignore[attr-defined]
    return view


def access_of(endpoint: str) -> frozenset[Role] | str | None:
    """Who may enter an endpoint: OPEN, a set of roles, or None when nobody marked it."""
    if endpoint == "static":
        return OPEN
    found: frozenset[Role] | str | None = getattr(current_app.view_functions[endpoint], "access", None)
    return found


def guard() -> AnyResponse | None:
    """Runs before every request: no mark, no entry; no session, sign in; role ended or wrong, refused."""
    g.csp_nonce = secrets.token_urlsafe(16)
    if request.endpoint is None:
        return None
    if request.view_args:
        request.view_args = {
            name: value.replace(NUL, REPLACED) if isinstance(value, str) else value
            for name, value in request.view_args.items()
        }
    access = access_of(request.endpoint)
    request.max_content_length = getattr(
        current_app.view_functions[request.endpoint], "largest_request", request.max_content_length
    )
    if access == OPEN:
        return None
    if access is None:
        abort(403)
    if request.method == "HEAD" and (access != FAMILIES or "citizen" in session):
        abort(405)  # It would ask partners and show nothing.
    scope = getattr(current_app.view_functions[request.endpoint], "scope", None)
    if scope is not None and "Authorization" in request.headers:
        _machine_enters(scope, access)
        return None
    if getattr(session, "unreadable", False):
        raise Unavailable(
            "The hub's database does not answer at the moment, so nobody was asked and nothing is shown.",
            next_steps=("Try again in a minute.", "If somebody is at risk now, ring the agencies yourself."),
        )
    if access == FAMILIES:
        # OPTIONS tells which methods there are; no view runs.
        return None if session.get("citizen") or request.method == "OPTIONS" else redirect("/my", code=303)
    actor = session.get("actor")
    if actor is not None and is_suspended(current_app.extensions["hub"], actor["id"]):
        session.clear()
        session.rotate = True  # type: ignore[attr-defined]
        actor = None
    if actor is None:
        if request.path.startswith("/api/"):
            abort(401)
        keep_typed_text()
        return redirect(url_for("signin.choose"), code=303)
    _require_role_still_held(actor)
    if Role(actor["role"]) not in access:
        raise NotForYou("This page is not part of your role.")
    return None


def _machine_enters(scope: str, access: frozenset[Role] | str) -> None:
    """A system with an access token, for the user it speaks for; a session that came along counts for nothing."""
    hub = current_app.extensions["hub"]
    entered = enter(hub, request, scope)
    g.entered = entered
    if entered.alone:
        if scope not in ALONE:
            raise NotForYou("This needs a user for whom it is asked.")
        return
    if is_suspended(hub, entered.actor["id"]):
        raise TokenRefused("The access token is not accepted.")
    _require_role_still_held(entered.actor)
    if Role(entered.actor["role"]) not in access:
        raise NotForYou("This page is not part of your role.")


def _require_role_still_held(actor: dict[str, Any]) -> None:
    """A role that lapses during a session ends it at the next request, not at the next sign-in (rule P02)."""
    until = actor.get("role_until")
    if until is not None and datetime.fromisoformat(until) <= current_app.extensions["hub"].clock():
        if "entered" in g:
            raise TokenRefused("The access token is not accepted.")
        session.clear()
        session.rotate = True  # type: ignore[attr-defined]
        raise NotForYou(
            "Your agency's record says that your role has ended, so you are signed out.",
            next_steps=("Ask your manager to have your role renewed, then sign in again.",),
        )


def keep_typed_text() -> None:
    """What was typed into a form when the session had ended is kept, sealed, until the same user signs in again.

    Only if the form carried the ended session's own token: a foreign page cannot plant text here.
    """
    ended = getattr(session, "ended", None)
    if request.method != "POST" or not ended or not ended.get("actor"):
        return
    if not _same(request.form.get("csrf_token", ""), ended.get("csrf")):
        return
    typed = {name: value[:4000] for name, value in request.form.items() if name != "csrf_token"}
    if typed:
        session["draft"] = {"path": request.path, "typed": typed, "user": ended["actor"]["id"]}


def page_of(path: str) -> str:
    """The page with the form that is sent to this address: itself, or the nearest one above it that is a page."""
    pages = current_app.url_map.bind("")
    while path:
        try:
            pages.match(path, method="GET")
            return path
        except HTTPException:
            path = path.rpartition("/")[0]
    return "/"


def take_draft(path: str) -> dict[str, str]:
    """What this user had typed on this page before their session ended, once."""
    draft = session.get("draft")
    if not draft or draft["path"] != path or draft["user"] != session.get("actor", {}).get("id"):
        return {}
    del session["draft"]
    typed: dict[str, str] = draft["typed"]
    return typed


def csrf_token() -> str:
    """The token that every form carries; one per session."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
    token: str = session["csrf"]
    return token


def check_csrf() -> None:
    """Refuses a state-changing request that did not come from our own page."""
    if request.method in ("GET", "HEAD", "OPTIONS") or request.endpoint is None:
        return
    if "entered" in g or getattr(current_app.view_functions[request.endpoint], "by_machines", False):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not _same(given, session.get("csrf")):
        abort(400)


def _same(given: str, expected: str | None) -> bool:
    """True when the token is the expected one; a session that never gave out a token accepts none."""
    return expected is not None and secrets.compare_digest(given.encode(), expected.encode())


def secure(response: Response) -> Response:
    """Adds to every answer what keeps browsers from leaking it."""
    headers = response.headers
    nonce = g.get("csp_nonce", "")
    headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        f"script-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), interest-cohort=()"
    headers["X-Request-Id"] = g.get("request_id", "")
    if request.endpoint == "static" and response.status_code == 200:
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        headers["Cache-Control"] = "no-store"
    if request.is_secure or current_app.extensions["hub"].settings.secure_cookies:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def set_up_guard(app: Flask) -> None:
    """Hangs the guard, the CSRF check and the headers on the application."""
    app.request_class = IncomingRequest
    app.before_request(guard)
    app.before_request(check_csrf)
    app.after_request(secure)
    app.jinja_env.globals["csrf_token"] = csrf_token
