"""Pages about somebody else's approval: asking for it, using it once, answering, and the register of refusals.

For: whoever opens enquiries, second persons, owners and their seniors, information governance. A view parses, calls one
use-case, renders.
"""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from hub import disclosure, enquiries
from hub.approvals import answering, asking, using
from hub.approvals.answering import APPROVING
from hub.approvals.refusals import Refused, register_of_refusals
from hub.enquiries import Enquiry
from hub.errors import FormRefused, NotForYou
from hub.headers import ENQUIRING, OVERSEEING, for_roles, take_draft
from hub.members import require_no_tie
from hub.web.approval_words import answer_view, ask_view, askable_view, waiting_view
from hub.web.common import context_of, family_shown, hub_of, receipt_view, remember_family, sealed_shown
from hub.words import CATEGORY_WORDS, PURPOSE_WORDS, ROLE_WORDS
from policies.vocabulary import Role

approval_pages = Blueprint("approvals", __name__)
REGISTER = OVERSEEING | {Role.DPO}


@approval_pages.get("/enquiries/<enquiry_id>/approvals")
@for_roles(ENQUIRING)
def own(enquiry_id: str) -> str:
    """What could be asked for, what was asked, and what was agreed."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry_id))
    picture, receipt = disclosure.family_names(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    remember_family(enquiry.id, ((person.id, person.label) for person in picture.people), ctx.now)
    return _own(enquiry, take_draft(f"/enquiries/{enquiry.id}/approvals"), {}, receipt=receipt_view(receipt))


@approval_pages.post("/enquiries/<enquiry_id>/approvals")
@for_roles(ENQUIRING)
def ask(enquiry_id: str) -> str | Response | tuple[str, int]:
    """Asks for one of them."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    enquiry = require_no_tie(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry_id))
    bound = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    held = using.agreed_now(hub, bound, enquiry)
    found = {
        one.key: one for one in asking.askable(hub, bound, enquiry, _family(enquiry), held, sealed_shown(enquiry.id))
    }
    try:
        if typed.get("what") not in found:
            raise FormRefused({"what": "Choose what you ask for."})
        asking.ask(hub, bound, enquiry, found[typed["what"]], typed)
    except FormRefused as error:
        return _own(enquiry, typed, error.errors), 422
    return redirect(f"/enquiries/{enquiry.id}/approvals", code=303)


@approval_pages.post("/enquiries/<enquiry_id>/approvals/open")
@for_roles(ENQUIRING)
def open_once(enquiry_id: str) -> Response:
    """The combined family picture with what was agreed; it is used up by this."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry_id))
    bound = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    agreed = using.take(hub, bound, enquiry, request.form.getlist("ask"))
    shown, receipt = disclosure.family_picture(hub, bound, enquiry, agreed)
    return make_response(
        render_template(
            "picture.html",
            picture=shown,
            receipt=receipt_view(receipt),
            back_href=f"/enquiries/{enquiry.id}/who",
            agreed_once=True,
            emergency=None,
            owners_told=(),
        )
    )


@approval_pages.get("/approvals")
@for_roles(APPROVING)
def queue() -> str:
    """What waits for this user's approval."""
    hub, ctx = hub_of(), context_of()
    return render_template(
        "approval_queue.html", waiting=[waiting_view(hub, ctx, one) for one in answering.waiting(hub, ctx)]
    )


@approval_pages.get("/approvals/<ask_id>")
@for_roles(APPROVING)
def one(ask_id: str) -> str:
    """One request, to be answered."""
    return _answer(ask_id, take_draft(f"/approvals/{ask_id}"), {})


@approval_pages.post("/approvals/<ask_id>")
@for_roles(APPROVING)
def answer(ask_id: str) -> str | Response | tuple[str, int]:
    """Stores the answer."""
    typed: dict[str, Any] = {**request.form.to_dict()}
    typed |= {name: request.form.getlist(name) for name in request.form if name.startswith("fields-")}
    try:
        answering.answer(hub_of(), context_of(), ask_id, typed)
    except FormRefused as error:
        return _answer(ask_id, typed, error.errors), 422
    return redirect("/approvals", code=303)


@approval_pages.get("/refusals")
@for_roles(REGISTER)
def refusals() -> str:
    """What was refused, why, and who stands for it."""
    hub = hub_of()
    found, receipt = register_of_refusals(hub, context_of())
    names = {p.code: p.name for p in hub.partners.values()}
    rows = [_refusal(one, names) for one in found]
    return render_template("refusals.html", receipt=receipt_view(receipt), rows=rows)


def _family(enquiry: Enquiry) -> dict[str, str]:
    """The persons that this user was just shown in this enquiry, with their names."""
    family = family_shown(enquiry.id, context_of().now)
    if not family:
        raise NotForYou(
            "Open the page about approval first.", next_steps=("Go back to the enquiry and open it again.",)
        )
    return family


def _own(enquiry: Enquiry, values: dict[str, str], errors: dict[str, str], **more: Any) -> str:
    hub = hub_of()
    ctx = context_of().for_purpose(enquiry.purpose, enquiry=enquiry.id)
    family = _family(enquiry)
    held = using.agreed_now(hub, ctx, enquiry)
    asked = using.own_asks(hub, ctx, enquiry)
    waiting = {one.ask.bound_to for one in asked if one.state == using.WAITS}
    could = asking.askable(hub, ctx, enquiry, family, held, sealed_shown(enquiry.id))
    options = [one for one in could if one.bound_to not in waiting]
    return render_template(
        "approval.html",
        reference=enquiry.reference,
        back_href=f"/enquiries/{enquiry.id}/who",
        asked=[ask_view(hub, one, family) for one in asked],
        holds=held.asks,
        options=[askable_view(hub, one, family) for one in options],
        one_off=any(one.kind == "ONE_OFF" for one in options),
        values=values,
        errors=errors,
        closed=enquiry.closed_at is not None,
        **more,
    )


def _answer(ask_id: str, values: dict[str, Any], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    opened = answering.open_ask(hub, ctx, ask_id)
    return render_template(
        "approval_answer.html",
        back_href="/approvals",
        values=values,
        errors=errors,
        receipt=receipt_view(opened.receipt) if opened.receipt else None,
        **answer_view(hub, ctx, opened),
    )


def _refusal(one: Refused, names: dict[str, str]) -> dict[str, Any]:
    return {
        "at": one.at,
        "what": CATEGORY_WORDS[one.category] if one.category else "The whole request",
        "by": f"{one.by_name}, {ROLE_WORDS[one.by_role]}" if one.by_role else one.by_name,
        "agency": names.get(one.ask.answering, one.ask.answering),
        "signed": f"{one.signed_name}, {ROLE_WORDS[one.signed_role]}" if one.signed_role else None,
        "asked": names.get(one.ask.asked_agency, one.ask.asked_agency),
        "purpose": PURPOSE_WORDS[one.ask.purpose],
        "why": one.why,
        "signed_why": one.signed_why,
        "receipt": one.receipt,
    }
