"""The page on which a worker opens information in an emergency; it says first what that means and who is told."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from hub import break_glass, enquiries
from hub.break_glass import DECLARING
from hub.errors import FormRefused
from hub.headers import for_roles
from hub.web.common import context_of, hub_of

emergency = Blueprint("emergency", __name__)


@emergency.get("/enquiries/<enquiry_id>/emergency")
@for_roles(DECLARING)
def ask(enquiry_id: str) -> str:
    """What it means, who will be told, and the form."""
    return _page(enquiry_id, {}, {})


@emergency.post("/enquiries/<enquiry_id>/emergency")
@for_roles(DECLARING)
def declare(enquiry_id: str) -> Response | tuple[str, int]:
    """Declares it and goes on to the picture."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    enquiry = enquiries.enquiry_of(hub, ctx, enquiry_id)
    try:
        break_glass.declare(hub, ctx, enquiry, typed)
    except FormRefused as error:
        return _page(enquiry_id, typed, error.errors), 422
    return redirect(f"/enquiries/{enquiry.id}/picture", code=303)


def _page(enquiry_id: str, values: dict[str, str], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    enquiry = enquiries.enquiry_of(hub, ctx, enquiry_id)
    break_glass.require_may_declare(hub, ctx, enquiry)
    return render_template(
        "emergency.html",
        reference=enquiry.reference,
        back_href=f"/enquiries/{enquiry.id}/who",
        review_due=break_glass.review_due(ctx.now),
        ends_at=ctx.now + break_glass.LASTS,
        values=values,
        errors=errors,
    )
