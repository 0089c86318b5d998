"""The pages of members of the public: what is held, who looked, what I share, what is wrong; and a quick way out."""

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, session
from werkzeug.wrappers import Response

from hub.context import RequestContext
from hub.errors import FormRefused
from hub.headers import for_families, for_roles, open_to_all
from hub.own_record import choices, corrections, held, looked
from hub.own_record.citizen import Citizen, may_be_shown, request_of
from hub.own_record.named import A_SERVICE, may_be_named
from hub.tasks import OWNERS
from hub.web.common import context_of, hub_of
from hub.words import field_words

own_pages = Blueprint("own", __name__)

#: Where "Exit this page" goes: a page that anybody may have open.
ELSEWHERE = "https://www.bbc.co.uk/weather"


@own_pages.get("/my")
@open_to_all
def start() -> str:
    """What a person can see and do here, and the way in."""
    return render_template("own_start.html", signed_in=bool(session.get("citizen")))


@own_pages.get("/my/unknown")
@open_to_all
def unknown() -> str:
    """Nothing can be shown here: the same words for every reason."""
    return render_template("own_unknown.html", others=tuple(hub_of().partners.values()))


@own_pages.get("/my/leave")
@open_to_all
def leave() -> Response:
    """Out, at once: the session ends, the browser forgets, and another page opens."""
    if session.get("citizen"):
        session.clear()
        session.rotate = True  # type: ignore[attr-defined]
    away = redirect(ELSEWHERE, code=303)
    away.headers["Clear-Site-Data"] = '"cache", "storage"'
    return away


@own_pages.post("/my/sign-out")
@for_families
def sign_out() -> Response:
    """Ends the session."""
    session.clear()
    session.rotate = True  # type: ignore[attr-defined]
    gone = redirect("/my", code=303)
    gone.headers["Clear-Site-Data"] = '"cache", "storage"'
    return gone


@own_pages.get("/my/record")
@for_families
def record() -> str:
    """What services hold."""
    told, others = held.what_is_held(hub_of(), _request(), _citizen())
    _remember(told)
    return render_template("own_record.html", told=told, others=others)


@own_pages.get("/my/looked")
@for_families
def who_looked() -> str:
    """Who looked, and why."""
    ctx = _request()
    rows = looked.who_looked(hub_of(), ctx, _citizen())
    return render_template("own_looked.html", rows=rows, review=looked.next_review(ctx.now.date()))


@own_pages.get("/my/choices")
@for_families
def shares() -> str:
    """What I share, and what each choice brings."""
    return _choices({})


@own_pages.post("/my/choices")
@for_families
def choose() -> Response | tuple[str, int]:
    """Keeps one choice."""
    try:
        choices.choose(hub_of(), _request(), _citizen(), request.form.to_dict())
    except FormRefused as error:
        return _choices(error.errors), 422
    session["choice_kept"] = True
    return redirect("/my/choices", code=303)


@own_pages.get("/my/corrections")
@for_families
def wrong() -> str:
    """What I asked to be put right, and the form for more."""
    if "own_details" not in session:
        _remember(held.what_is_held(hub_of(), _request(), _citizen())[0])
    return _corrections({}, {})


@own_pages.post("/my/corrections")
@for_families
def ask() -> Response | tuple[str, int]:
    """Sends a correction to the service whose record is wrong."""
    typed = request.form.to_dict()
    try:
        corrections.ask(hub_of(), _request(), _citizen(), session.get("own_details", {}), typed)
    except FormRefused as error:
        return _corrections(typed, error.errors), 422
    return redirect("/my/corrections", code=303)


@own_pages.get("/corrections/<correction>")
@for_roles(OWNERS)
def to_answer(correction: str) -> str:
    """A correction that somebody asks of the reader's own service."""
    return _answer(correction, {}, {})


@own_pages.post("/corrections/<correction>")
@for_roles(OWNERS)
def answer(correction: str) -> Response | tuple[str, int]:
    """What the service did about it."""
    typed = request.form.to_dict()
    try:
        corrections.answer(hub_of(), context_of(), correction, typed)
    except FormRefused as error:
        return _answer(correction, typed, error.errors), 422
    return redirect("/tasks", code=303)


def _citizen() -> Citizen:
    """Who is signed in, while they may still be shown; else the session ends with the words that everybody gets."""
    if "own_citizen" not in g:  # Asked once in a request.
        citizen = Citizen(**{name: session["citizen"][name] for name in ("id", "name", "person", "issuer")})
        if not may_be_shown(hub_of(), citizen.person, now=hub_of().clock()):
            session.clear()
            session.rotate = True  # type: ignore[attr-defined]
            abort(redirect("/my/unknown", code=303))
        g.own_citizen = citizen
    made: Citizen = g.own_citizen
    return made


def _request() -> RequestContext:
    if "own_request" not in g:  # The moment is read once.
        g.own_request = request_of(_citizen(), now=hub_of().clock(), request_id=g.request_id)
    made: RequestContext = g.own_request
    return made


def _remember(told: tuple[held.Held, ...]) -> None:
    session["own_details"] = {f"{one.agency}:{name}": text for one in told for name, text in one.details.items()}


def _choices(errors: dict[str, str]) -> str:
    hub = hub_of()
    offered = choices.choices_of(hub, _request(), _citizen())
    shown = [{"key": one.key, "now": one.now} for one in offered]
    kept = session.pop("choice_kept", None)
    return render_template("own_choices.html", choices=shown, errors=errors, kept=kept)


def _corrections(values: dict[str, str], errors: dict[str, str]) -> str:
    hub = hub_of()
    names = {code: p.name if may_be_named(p) else A_SERVICE for code, p in hub.partners.items()}
    options = [
        {"value": key, "text": f"{field_words(key.partition(':')[2])} at {names[key.partition(':')[0]]}"}
        for key in session.get("own_details", {})
        if key.partition(":")[0] in names
    ]
    asked = corrections.own_corrections(hub, _citizen())
    shown: dict[str, Any] = {"values": values, "errors": errors, "names": names}
    return render_template("own_corrections.html", asked=asked, options=options, **shown)


def _answer(correction: str, values: dict[str, str], errors: dict[str, str]) -> str:
    one = corrections.to_answer(hub_of(), context_of(), correction)
    return render_template("correction.html", one=one, back_href="/tasks", values=values, errors=errors)
