"""The page on which a role that is named for it sees a protected address, once; it warns first."""

import secrets

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from hub import disclosure, enquiries, protected_address
from hub.enquiries import Enquiry
from hub.errors import FormRefused, NotForYou
from hub.headers import ENQUIRING, for_roles
from hub.web.common import context_of, family_shown, hub_of, receipt_view, remember_family

protected = Blueprint("protected", __name__)


@protected.get("/enquiries/<enquiry_id>/protected")
@for_roles(ENQUIRING)
def ask(enquiry_id: str) -> str:
    """What it means, whom it is about, and the form that opens once."""
    hub, ctx = hub_of(), context_of()
    enquiry = enquiries.enquiry_of(hub, ctx, enquiry_id)
    picture, receipt = disclosure.family_names(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    remember_family(enquiry.id, ((person.id, person.label) for person in picture.people), ctx.now)
    return _form(enquiry, {}, {}, receipt=receipt_view(receipt))


@protected.post("/enquiries/<enquiry_id>/protected")
@for_roles(ENQUIRING)
def show(enquiry_id: str) -> Response | tuple[str, int]:
    """Shows it, once; the same page for whoever it is not shown to."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    enquiry = enquiries.enquiry_of(hub, ctx, enquiry_id)
    bound = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    try:
        kept, receipt = protected_address.reveal(hub, bound, enquiry, _family(enquiry), typed)
    except FormRefused as error:
        return _form(enquiry, typed, error.errors), 422
    items = [{"agency": hub.partners[one.agency].name, "as_of": one.as_of, "values": one.values} for one in kept]
    back = f"/enquiries/{enquiry.id}/who"
    page = make_response(
        render_template("protected_shown.html", back_href=back, items=items, receipt=receipt_view(receipt))
    )
    page.headers["Refresh"] = f"{protected_address.SHOWN_FOR_S}; url={back}"
    return page


def _family(enquiry: Enquiry) -> dict[str, str]:
    family = family_shown(enquiry.id, context_of().now)
    if not family:
        raise NotForYou("Open the page about protected addresses first.", next_steps=("Go back to the enquiry.",))
    return family


def _form(enquiry: Enquiry, values: dict[str, str], errors: dict[str, str], **more: object) -> str:
    return render_template(
        "protected.html",
        reference=enquiry.reference,
        back_href=f"/enquiries/{enquiry.id}/who",
        people=[{"value": id_, "text": label} for id_, label in _family(enquiry).items()],
        once=secrets.token_hex(16),
        values=values,
        errors=errors,
        **more,
    )
