"""The pages of signing in and out.

For: sending people to their agency's identity provider and starting their session afterwards. Must never keep
an old session's values across a sign-in, and never say more than "refused" about why.
"""

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, request, session
from werkzeug.wrappers import Response

from hub import oversight, suspension
from hub.assembly import Hub
from hub.context import Actor
from hub.desk import users
from hub.enquiries import user_of
from hub.errors import SignInRefused
from hub.headers import for_everybody_signed_in, open_to_all, page_of
from hub.own_record.citizen import Citizen, bind
from hub.people import candidates, family_of, parse_box, review
from hub.signin.oidc import SignIn
from hub.signin.sessions import to_session
from hub.web.common import context_of, hub_of

signin = Blueprint("signin", __name__)


@signin.get("/sign-in")
@open_to_all
def choose() -> str | Response:
    """Which identity provider."""
    if session.get("actor"):
        return redirect("/", code=303)
    service: SignIn = current_app.extensions["signin"]
    issuers = [{"code": i.code, "name": i.name} for i in service.issuers.values() if not i.for_citizens]
    families = any(i.for_citizens for i in service.issuers.values())
    draft = session.get("draft")
    message = "You were signed out because you had not used Kith for a while." if _ended() or draft else None
    return render_template("sign_in.html", issuers=issuers, message=message, draft_kept=bool(draft), families=families)


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
    started = session.pop("started", None)
    if service.is_for_citizens(started):
        return _citizen_enters(started, now)
    try:
        actor, born = service.finish(request.args.to_dict(), started, now=now)
        require_current(actor, now)
        suspension.require_not_suspended(hub, actor)
    except SignInRefused as error:
        # Without a sign-in in progress it is anybody's empty request, which must not fill the trail.
        if started is not None:
            hub.trail.append("sign-in", now=now, client={"id": "browser"}, outcome="REFUSED", reason=error.code)
        raise
    draft = session.get("draft")
    session.clear()
    if draft and draft["user"] == actor.id:
        session["draft"] = draft
    session["actor"] = to_session(with_cases(hub, with_own_person(hub, actor, born, now)))
    session.rotate = True  # type: ignore[attr-defined]
    ctx = context_of()
    hub.trail.append("sign-in", now=now, user=user_of(ctx), outcome="ACCEPTED", trace=ctx.request_id)
    oversight.remember_staff(hub, ctx)
    users.remember(hub, ctx.actor, now=now)
    return redirect(page_of(draft["path"]) if draft and draft["user"] == actor.id else "/", code=303)


def _citizen_enters(started: dict[str, Any], now: datetime) -> Response:
    """A member of the public: bound to one person of the index, or told the same as everybody who cannot be."""
    hub = hub_of()
    service: SignIn = current_app.extensions["signin"]
    try:
        verified = service.finish_citizen(request.args.to_dict(), started, now=now)
    except SignInRefused as error:
        hub.trail.append("sign-in", now=now, client={"id": "browser"}, outcome="REFUSED", reason=error.code)
        if error.code == "identity-not-verified":
            return redirect("/my/unknown", code=303)
        raise
    person = bind(hub, verified.nhs_number, verified.born, now=now)
    session.clear()
    session.rotate = True  # type: ignore[attr-defined]
    if person is None:
        hub.trail.append("sign-in", now=now, client={"id": "browser"}, outcome="REFUSED", reason="person-not-bound")
        return redirect("/my/unknown", code=303)
    citizen = Citizen(verified.id, verified.name, person, verified.issuer)
    session["citizen"] = asdict(citizen)
    hub.trail.append("sign-in", now=now, user=citizen.as_user(), outcome="ACCEPTED", trace=g.request_id)
    return redirect("/my/record", code=303)


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

    Only when the provider gives a date of birth. Everybody of that name and date counts as the user: when records
    are not linked yet, the doubt is on the side of not looking oneself up.
    """
    if born is None:
        return actor
    query = parse_box(f"{actor.name} {born:%d %m %Y}")
    with hub.db.session() as database:
        exact = [c.person for c in candidates(database, hub.keys, query, now=now).candidates if c.hidden_exact]
        family = {m.person for person in exact for m in family_of(database, hub.keys, person, now=now).members}
    return replace(actor, own_persons=tuple(exact), own_family=tuple(sorted(family - set(exact))))


def with_cases(hub: Hub, actor: Actor) -> Actor:
    """The actor, tied to the persons whose cases their employer says they hold (rules P28 and P35).

    Only records of their own agency count: another agency's number may look the same.
    """
    with hub.db.session() as database:
        found = [review.person_with(database, actor.agency, record) for record in actor.cases]
    return replace(actor, case_persons=tuple(sorted({person for person in found if person is not None})))


def require_current(actor: Actor, now: datetime) -> None:
    """Raises SignInRefused for somebody whose employment or role is not of this moment (rule P02)."""
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
