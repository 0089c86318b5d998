"""Pages of those who open enquiries: MASH partners, key workers, navigators.

For: from a referral to the combined family picture in three clicks. A view parses, calls one use-case,
renders; rules and queries live elsewhere.
"""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, session
from werkzeug.wrappers import Response

from hub import break_glass, disclosure, enquiries, finding
from hub.break_glass import DECLARING
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.errors import FormRefused, NotForYou, NotFound
from hub.headers import ENQUIRING, for_roles, take_draft
from hub.members import require_no_tie
from hub.notices import watching
from hub.notices.opening import take_into
from hub.people import Candidate, parse_box
from hub.web.common import context_of, hub_of, receipt_view, remember_sealed
from hub.web.weighing import weighed
from hub.words import (
    CONSENT_STATE_WORDS,
    GIVER_CAPACITY_WORDS,
    PURPOSE_HINTS,
    PURPOSE_WORDS,
    REASON_CODE_WORDS,
    SEX_WORDS,
    THRESHOLD_WORDS,
    day,
)
from policies.vocabulary import Role, Threshold

mash = Blueprint("mash", __name__)

#: Roles that an agreement or rule P28 can name for protected addresses; whether it does is decided at each look.
REVEALING = frozenset({Role.MASH_DECISION_MAKER, Role.POLICE_MASH_SUPERVISOR, Role.SOCIAL_WORKER})
CONNECTIONS = [
    {"value": "HOUSEHOLD", "text": "Lives with the child"},
    {"value": "NAMED_CONCERN", "text": "Is named in the concern"},
    {"value": "RECORDED_RELEVANT", "text": "Cares for, or is often with, the child"},
]


@mash.get("/enquiries")
@for_roles(ENQUIRING)
def own() -> str:
    """The user's enquiries, newest first."""
    found = enquiries.own_enquiries(hub_of(), context_of())
    return render_template(
        "home_mash.html",
        start_href="/enquiries/new",
        enquiries=[{**_head(e), "opened_at": e.opened_at, "state_words": _stands(e), "href": _href(e)} for e in found],
    )


@mash.get("/enquiries/new")
@for_roles(ENQUIRING)
def new() -> str:
    """The one form from a referral to candidates."""
    return _form(take_draft("/enquiries/new") or {"notice": request.args.get("notice", "")[:32]}, {})


@mash.post("/enquiries/new")
@for_roles(ENQUIRING)
def create() -> str | Response | tuple[str, int]:
    """Opens the enquiry and searches at once; nothing is opened when either cannot be used."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    wrong: dict[str, str] = {}
    form = None
    try:
        form = enquiries.parse_form(typed, _purposes(ctx), ctx.actor.role)
    except FormRefused as error:
        wrong |= error.errors
    notice = typed.get("notice", "")
    problems = parse_box(typed.get("who", "")).problems if not notice else ()
    if problems:
        wrong["who"] = " ".join(problems)
    if wrong or form is None:
        return _form(typed, wrong), 422
    enquiry = enquiries.open_enquiry(hub, ctx, form)
    if notice:
        return redirect(_about_notice(notice, enquiry), code=303)
    return _search(enquiry, typed.get("who", ""))


def _about_notice(notice: str, enquiry: Enquiry) -> str:
    """Where an enquiry goes on that was started from a notice: to the notice, if the hub knows who is meant."""
    try:
        take_into(hub_of(), context_of(), notice, enquiry.id)
    except (FormRefused, NotFound):
        return _href(enquiry)
    return f"/notices/{notice}?enquiry={enquiry.id}"


@mash.get("/enquiries/<enquiry_id>")
@for_roles(ENQUIRING)
def go_on(enquiry_id: str) -> str | Response:
    """Where this enquiry stands: the search, or who is involved."""
    enquiry = enquiries.enquiry_of(hub_of(), context_of(), enquiry_id)
    if enquiry.subject is not None:
        return redirect(f"/enquiries/{enquiry.id}/who", code=303)
    return _candidates(
        enquiry, (), None, take_draft(f"/enquiries/{enquiry.id}/search"), {}, f"/enquiries/{enquiry.id}/person"
    )


@mash.post("/enquiries/<enquiry_id>/search")
@for_roles(ENQUIRING)
def search(enquiry_id: str) -> str | tuple[str, int]:
    """Searches again, within the same enquiry; once somebody is confirmed, for one more person and how they belong."""
    enquiry = enquiries.running_enquiry_of(hub_of(), context_of(), enquiry_id)
    typed = request.form.to_dict()
    if enquiry.subject is not None:
        connection = typed.get("connection", "")
        if connection not in enquiries.CONNECTIONS:
            wrong = {"connection": "Choose how this person is connected with the child or family."}
            return _candidates(enquiry, (), None, typed, wrong, f"/enquiries/{enquiry.id}/person"), 422
        session["connection"] = {enquiry.id: connection}
    return _search(enquiry, typed.get("who", ""), typed)


@mash.post("/enquiries/<enquiry_id>/person")
@for_roles(ENQUIRING)
def confirm(enquiry_id: str) -> Response:
    """A person confirms the candidate; only one who was just offered in this enquiry."""
    hub, ctx = hub_of(), context_of()
    enquiry = enquiries.running_enquiry_of(hub, ctx, enquiry_id)
    person = request.form.get("person", "")
    if person not in session.get("offered", {}).get(enquiry.id, []):
        raise NotForYou("Choose from the people that the search has just shown.", next_steps=("Search again.",))
    if enquiry.subject is None:
        enquiries.confirm_subject(hub, ctx, enquiry, person)
    else:
        enquiries.add_person(hub, ctx, enquiry, person, session.get("connection", {}).get(enquiry.id, ""))
        break_glass.extend(hub, ctx, enquiry, person)
    return redirect(f"/enquiries/{enquiry.id}/who", code=303)


@mash.post("/enquiries/<enquiry_id>/close")
@for_roles(ENQUIRING)
def close(enquiry_id: str) -> str:
    """Ends the enquiry."""
    hub, ctx = hub_of(), context_of()
    enquiry = enquiries.enquiry_of(hub, ctx, enquiry_id)
    enquiries.close_enquiry(hub, ctx, enquiry)
    return render_template(
        "message.html",
        title="Enquiry closed",
        sentence=f"Enquiry {enquiry.reference} is closed. Partners' information is not shown under it any more.",
    )


@mash.post("/enquiries/<enquiry_id>/watch")
@for_roles(ENQUIRING)
def watch(enquiry_id: str) -> Response:
    """The user wants to hear of changes, or no more."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.running_enquiry_of(hub, ctx, enquiry_id))
    (watching.watch if request.form.get("want") == "yes" else watching.unwatch)(hub, ctx, enquiry)
    return redirect(f"/enquiries/{enquiry.id}/who", code=303)


@mash.get("/enquiries/<enquiry_id>/who")
@for_roles(ENQUIRING)
def who(enquiry_id: str) -> Response:
    """The known-to matrix."""
    hub, ctx = hub_of(), context_of()
    enquiry = enquiries.enquiry_of(hub, ctx, enquiry_id)
    picture, receipt = disclosure.known_to(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    may_declare = ctx.actor.role in DECLARING and enquiry.closed_at is None
    return _until_it_ends(
        enquiry,
        "matrix.html",
        emergency_href=f"/enquiries/{enquiry.id}/emergency" if may_declare else None,
        picture=picture,
        receipt=receipt_view(receipt),
        head=_head(enquiry),
        detail_action=f"/enquiries/{enquiry.id}/picture",
        pack_href=None if enquiry.closed_at else f"/enquiries/{enquiry.id}/pack",
        records_href=f"/enquiries/{enquiry.id}/decisions",
        add_action=f"/enquiries/{enquiry.id}/search",
        consent_href=f"/enquiries/{enquiry.id}/consent",
        case_href=f"/enquiries/{enquiry.id}/case",
        approval_href=f"/enquiries/{enquiry.id}/approvals",
        protected_href=f"/enquiries/{enquiry.id}/protected" if ctx.actor.role in REVEALING else None,
        watch_action=None if enquiry.closed_at else f"/enquiries/{enquiry.id}/watch",
        watches=watching.is_watching(hub, ctx, enquiry.id),
        close_action=None if enquiry.closed_at else f"/enquiries/{enquiry.id}/close",
        connections=CONNECTIONS,
        values=take_draft(f"/enquiries/{enquiry.id}/search"),
    )


@mash.route("/enquiries/<enquiry_id>/picture", methods=["GET", "POST"])
@for_roles(ENQUIRING)
def picture(enquiry_id: str) -> Response:
    """The combined family picture."""
    hub, ctx = hub_of(), context_of()
    enquiry = enquiries.enquiry_of(hub, ctx, enquiry_id)
    shown, receipt = disclosure.family_picture(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    remember_sealed(enquiry.id, shown.sealed)
    return _until_it_ends(
        enquiry,
        "picture.html",
        approval_href=f"/enquiries/{enquiry.id}/approvals" if shown.sealed else None,
        picture=shown,
        receipt=receipt_view(receipt),
        head=_head(enquiry),
        back_href=f"/enquiries/{enquiry.id}/who",
        pack_href=None if enquiry.closed_at else f"/enquiries/{enquiry.id}/pack",
    )


def _until_it_ends(enquiry: Enquiry, template: str, *, head: dict[str, Any], **shown: Any) -> Response:
    """The page; with an emergency in force it says so, and the browser leaves it when the emergency ends (rule P40)."""
    hub, ctx = hub_of(), context_of()
    emergency = break_glass.in_force(hub, ctx, enquiry)
    told = break_glass.owners_told(hub, emergency) if emergency else ()
    page = make_response(render_template(template, enquiry=head, emergency=emergency, owners_told=told, **shown))
    if emergency is not None:
        left = int((emergency.ends_at - ctx.now).total_seconds()) + 1
        page.headers["Refresh"] = f"{left}; url=/enquiries/{enquiry.id}/who"
    return page


def _search(enquiry: Enquiry, who: str, typed: dict[str, str] | None = None) -> str | tuple[str, int]:
    hub, ctx = hub_of(), context_of()
    action = f"/enquiries/{enquiry.id}/person"
    try:
        found = finding.find_person(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry, who)
    except FormRefused as error:
        return _candidates(enquiry, (), None, {**(typed or {}), "who": who}, error.errors, action), 422
    session["offered"] = {enquiry.id: [c.person for c in found.candidates]}
    typed = {**(typed or {}), "who": who}
    return _candidates(enquiry, found.candidates, found.advice, typed, {}, action, receipt_view(found.receipt))


def _candidates(
    enquiry: Enquiry,
    found: tuple[Candidate, ...],
    advice: str | None,
    values: dict[str, str],
    errors: dict[str, str],
    action: str,
    receipt: dict[str, Any] | None = None,
) -> str:
    return render_template(
        "candidates.html",
        receipt=receipt,
        enquiry=_head(enquiry),
        candidates=[_candidate(c) for c in found],
        advice=advice,
        query_echo=values.get("who", ""),
        values=values,
        errors=errors,
        confirm_action=action,
        search_action=f"/enquiries/{enquiry.id}/search",
        connections=CONNECTIONS if enquiry.subject else None,
        searched=bool(found or advice or errors),
    )


def _candidate(c: Candidate) -> dict[str, Any]:
    # Which agencies know somebody is decided later, person by person; only one's own is no news.
    own = context_of().actor.agency
    own_name = hub_of().partners[own].name if own in c.agencies and own in hub_of().partners else ""
    return {
        "person": c.person,
        "name": c.name,
        "age": c.age,
        "reasons": c.reasons,
        "strength_words": c.strength,
        "dob_words": day(c.date_of_birth.date) if c.date_of_birth else None,
        "sex_words": SEX_WORDS.get(c.sex_code),
        "agencies_words": own_name,
        "also": None,
        "weighed": weighed(c.parts),
    }


def _form(values: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "enquiry_new.html",
        values=values,
        errors=errors,
        purposes=[
            {"value": p, "text": PURPOSE_WORDS[p], "hint": PURPOSE_HINTS.get(p)} for p in _purposes(context_of())
        ],
        thresholds=[{"value": t, "text": THRESHOLD_WORDS[t]} for t in Threshold],
        consents=[{"value": s, "text": CONSENT_STATE_WORDS[s]} for s in enquiries.REASONS],
        givers=[{"value": g, "text": GIVER_CAPACITY_WORDS[g]} for g in enquiries.GIVERS],
        reason_codes=[
            {"value": r, "text": REASON_CODE_WORDS[r]} for reasons in enquiries.REASONS.values() for r in reasons
        ],
    )


def _purposes(ctx: RequestContext) -> tuple[Any, ...]:
    return enquiries.purposes_for(hub_of().agreements, ctx.actor.agency, ctx.actor.role, ctx.now.date())


def _head(enquiry: Enquiry) -> dict[str, Any]:
    return {
        "id": enquiry.id,
        "reference": enquiry.reference,
        "purpose_words": PURPOSE_WORDS[enquiry.purpose],
        "subject_label": None,
    }


def _href(enquiry: Enquiry) -> str:
    return f"/enquiries/{enquiry.id}"


def _stands(enquiry: Enquiry) -> str:
    if enquiry.closed_at is not None:
        return "Closed"
    return "Who is involved" if enquiry.subject else "Nobody chosen yet"
