"""The pages of signing in and out.

For: sending people to their agency's identity provider and starting their session afterwards. Must never keep
an old session's values across a sign-in, and never say more than "refused" about why.
"""

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, session
from werkzeug.wrappers import Response

from hub import oversight
from hub.assembly import Hub
from hub.context import Actor
from hub.enquiries import user_of
from hub.errors import SignInRefused
from hub.headers import for_everybody_signed_in, open_to_all, page_of
from hub.people import candidates, family_of, parse_box
from hub.signin.oidc import SignIn
from hub.web.common import context_of, hub_of
from policies.vocabulary import Role

signin = Blueprint("signin", __name__)


@signin.get("/sign-in")
@open_to_all
def choose() -> str | Response:
    """Which identity provider."""
    if session.get("actor"):
        return redirect("/", code=303)
    service: SignIn = current_app.extensions["signin"]
    issuers = [{"code": i.code, "name": i.name} for i in service.issuers.values()]
    draft = session.get("draft")
    message = "You were signed out because you had not used Kith for a while." if _ended() or draft else None
    return render_template("sign_in.html", issuers=issuers, message=message, draft_kept=bool(draft))


@signin.get("/sign-in/<code>/start")
@open_to_all
def start(code: str) -> Response:
    """To the identity provider, remembering what its answer must match."""
    hub = hub_of()
    service: SignIn = current_app.extensions["signin"]
    url, started = service.start(code, now=hub.clock())
    session["started"] = started
    return redirect(url, code=303)


@signin.get("/sign-in/answer")
@open_to_all
def answer() -> Response:
    """The identity provider's answer: a new session, or a refusal that the trail keeps."""
    hub = hub_of()
    service: SignIn = current_app.extensions["signin"]
    now = hub.clock()
    try:
        actor, born = service.finish(request.args.to_dict(), session.pop("started", None), now=now)
        _require_current(actor, now)
    except SignInRefused as error:
        hub.trail.append("sign-in", now=now, client={"id": "browser"}, outcome="REFUSED", reason=error.code)
        raise
    draft = session.get("draft")
    session.clear()
    if draft and draft["user"] == actor.id:
        session["draft"] = draft
    session["actor"] = to_session(with_own_person(hub, actor, born, now))
    session.rotate = True  # type: ignore[attr-defined]
    ctx = context_of()
    hub.trail.append("sign-in", now=now, user=user_of(ctx), outcome="ACCEPTED", trace=ctx.request_id)
    oversight.remember_staff(hub, ctx)
    return redirect(page_of(draft["path"]) if draft and draft["user"] == actor.id else "/", code=303)


@signin.post("/sign-out")
@for_everybody_signed_in
def sign_out() -> Response:
    """Ends the session at once, and tells the browser to forget."""
    hub, ctx = hub_of(), context_of()
    hub.trail.append("sign-out", now=ctx.now, user=user_of(ctx), trace=ctx.request_id)
    session.clear()
    session.rotate = True  # type: ignore[attr-defined]
    response = redirect("/sign-in", code=303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def with_own_person(hub: Hub, actor: Actor, born: date | None, now: datetime) -> Actor:
    """The actor, tied to the person they are themselves and to their family (rules P33, P34: conflicts of interest).

    Only when the provider gives a date of birth and exactly one known person has that name and date.
    """
    if born is None:
        return actor
    query = parse_box(f"{actor.name} {born:%d %m %Y}")
    with hub.db.session() as database:
        exact = [c.person for c in candidates(database, hub.keys, query, now=now).candidates if c.hidden_exact]
        if len(exact) != 1:
            return actor
        family = family_of(database, hub.keys, exact[0], now=now)
    return replace(actor, own_person=exact[0], own_family=tuple(m.person for m in family.members))


def to_session(actor: Actor) -> dict[str, Any]:
    """An actor as plain values."""
    values = asdict(actor)
    values["role_from"] = actor.role_from.isoformat()
    values["role_until"] = actor.role_until.isoformat() if actor.role_until else None
    return values


def actor_of(values: dict[str, Any]) -> Actor:
    """The actor that `to_session` wrote."""
    until = values["role_until"]
    return Actor(
        **{
            **values,
            "role": Role(values["role"]),
            "role_from": datetime.fromisoformat(values["role_from"]),
            "role_until": datetime.fromisoformat(until) if until else None,
            "own_family": tuple(values["own_family"]),
        }
    )


def _require_current(actor: Actor, now: datetime) -> None:
    lapsed = actor.role_until is not None and actor.role_until <= now
    if actor.employment != "CURRENT" or lapsed or actor.role_from > now:
        error = SignInRefused(
            "Your agency's record says that you do not have this role at the moment.",
            next_steps=("Ask your manager to have your role renewed, then sign in again.",),
        )
        error.code = "role-not-current"
        raise error


def _ended() -> bool:
    return bool(getattr(session, "ended", None))
