"""Pages about meetings: a pack to take along, chosen and looked at first, and what was decided."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from hub import enquiries
from hub.enquiries import Enquiry
from hub.errors import FormRefused, NotForYou
from hub.headers import ENQUIRING, for_roles, take_draft
from hub.meeting import pack as packs
from hub.meeting import records
from hub.meeting.pack import Chosen, Copy, Pack
from hub.members import require_no_tie
from hub.web.common import context_of, family_shown, hub_of, receipt_view, remember_family
from hub.web.print import tagged_pdf
from hub.words import ROLE_WORDS

meeting_pages = Blueprint("meeting", __name__)


@meeting_pages.get("/enquiries/<enquiry_id>/pack")
@for_roles(ENQUIRING)
def choose(enquiry_id: str) -> str:
    """The choice, with everybody in it, and the pack as it would be."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.running_enquiry_of(hub, ctx, enquiry_id))
    prepared = packs.prepare(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry, Chosen())
    remember_family(enquiry.id, ((person.id, person.label) for person in prepared.picture.people), ctx.now)
    return _page(enquiry, prepared.chosen, prepared)


@meeting_pages.post("/enquiries/<enquiry_id>/pack")
@for_roles(ENQUIRING)
def make(enquiry_id: str) -> Response | str | tuple[str, int]:
    """A numbered copy as a PDF; or the preview of another choice."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    enquiry = require_no_tie(hub, ctx, enquiries.running_enquiry_of(hub, ctx, enquiry_id))
    bound = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    ticked = request.form.getlist("people")
    try:
        chosen = packs.parse_choice(typed, ticked, _family(enquiry))
    except FormRefused as error:
        asked = Chosen(frozenset(ticked), typed.get("drawing") == "yes", typed.get("events", ""))
        return _page(enquiry, asked, None, error.errors), 422
    if typed.get("do") == "preview":
        return _page(enquiry, chosen, packs.prepare(hub, bound, enquiry, chosen))
    file, copy = packs.take_copy(hub, bound, enquiry, chosen, _print)
    answer = Response(file, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="kith-meeting-pack-copy-{copy.number}.pdf"'
    return answer


@meeting_pages.get("/enquiries/<enquiry_id>/decisions")
@for_roles(ENQUIRING)
def decided(enquiry_id: str) -> str:
    """What was decided, and the form for the next record."""
    return _records(enquiry_id, take_draft(f"/enquiries/{enquiry_id}/decisions"), {})


@meeting_pages.post("/enquiries/<enquiry_id>/decisions")
@for_roles(ENQUIRING)
def record(enquiry_id: str) -> AnyResponse | tuple[str, int]:
    """Records an outcome or a decision not to share."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    enquiry = require_no_tie(hub, ctx, enquiries.running_enquiry_of(hub, ctx, enquiry_id))
    try:
        records.record(hub, ctx, enquiry, typed)
    except FormRefused as error:
        return _records(enquiry_id, typed, error.errors), 422
    return redirect(f"/enquiries/{enquiry.id}/decisions", code=303)


def _family(enquiry: Enquiry) -> dict[str, str]:
    family = family_shown(enquiry.id, context_of().now)
    if not family:
        raise NotForYou("Open the page about the pack first.", next_steps=("Go back to the enquiry.",))
    return family


def _maker() -> str:
    hub, actor = hub_of(), context_of().actor
    agency = hub.partners[actor.agency].name if actor.agency in hub.partners else actor.agency
    return f"{actor.name}, {ROLE_WORDS[actor.role]}, {agency}"


def _names() -> dict[str, str]:
    return {p.code: p.name for p in hub_of().partners.values()}


def _print(pack: Pack, copy: Copy) -> bytes:
    html = render_template("pack_print.html", pack=pack, copy=copy, maker=_maker(), names=_names())
    return tagged_pdf(html, mark=f"COPY {copy.number} - {pack.receipt.eid[:8]}")


def _page(enquiry: Enquiry, chosen: Chosen, pack: Pack | None, errors: dict[str, str] | None = None) -> str:
    family = _family(enquiry)
    return render_template(
        "pack.html",
        back_href=f"/enquiries/{enquiry.id}/who",
        action=f"/enquiries/{enquiry.id}/pack",
        people=[{"value": id_, "text": label} for id_, label in family.items()],
        ticked=family.keys() if chosen.people is None else chosen.people,
        values={"events": chosen.events, "drawing": "yes" if chosen.drawing else ""},
        errors=errors or {},
        pack=pack,
        copies=packs.copies_of(hub_of(), enquiry),
        maker=_maker(),
        names=_names(),
        receipt=receipt_view(pack.receipt) if pack else None,
    )


def _records(enquiry_id: str, values: dict[str, str], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry_id))
    shown: dict[str, Any] = {"values": values, "errors": errors, "reference": enquiry.reference}
    found, receipt = records.show(hub, ctx, enquiry)
    return render_template(
        "meeting_records.html",
        receipt=receipt_view(receipt),
        back_href=f"/enquiries/{enquiry.id}/who",
        records=found,
        action=None if enquiry.closed_at else f"/enquiries/{enquiry.id}/decisions",
        outcomes=records.OUTCOMES,
        grounds=records.NOT_SHARED_BECAUSE,
        agencies=_names(),
        **shown,
    )
