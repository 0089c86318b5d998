"""The page of a notice that was brought to somebody."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.errors import FormRefused
from hub.headers import ENQUIRING, for_roles
from hub.notices import opening
from hub.notices.named import EVENT_FIELDS, IDENTITY_FIELDS
from hub.tasks import QUEUEING
from hub.web.common import context_of, hub_of, receipt_view
from hub.words import EVENT_WORDS, PURPOSE_WORDS
from policies.vocabulary import DataCategory

notice_pages = Blueprint("notices", __name__)


@notice_pages.get("/notices/<notice_id>")
@for_roles(QUEUEING)
def one(notice_id: str) -> str:
    """What may be read of a notice, in an enquiry of the reader's or as their desk."""
    return _page(notice_id, {})


@notice_pages.post("/notices/<notice_id>")
@for_roles(QUEUEING)
def take_into(notice_id: str) -> str | Response | tuple[str, int]:
    """The reader puts it to an enquiry of theirs."""
    enquiry = request.form.get("enquiry", "")
    try:
        opening.take_into(hub_of(), context_of(), notice_id, enquiry)
    except FormRefused as error:
        return _page(notice_id, error.errors), 422
    return redirect(f"/notices/{notice_id}?enquiry={enquiry}", code=303)


def _page(notice_id: str, errors: dict[str, str]) -> str:
    hub = hub_of()
    shown = opening.open_notice(hub, context_of(), notice_id, request.args.get("enquiry", ""))
    people: dict[str, dict[str, str]] = {}
    for kept in shown.kept:
        facts = people.setdefault(kept.person, {})
        identity = kept.category == DataCategory.DEMOGRAPHIC
        facts |= {name: value.text for name, value in kept.values.items()} if not identity else {}
    for kept in shown.kept:
        if kept.category == DataCategory.DEMOGRAPHIC and kept.person in people:
            people[kept.person] = {n: v.text for n, v in kept.values.items()} | people[kept.person]
    sender = hub.partners[shown.sender]
    return render_template(
        "notice.html",
        notice={
            "id": notice_id,
            "href": f"/notices/{notice_id}",
            "may_start": context_of().actor.role in ENQUIRING,
            "sender": sender.name,
            "ring": sender.contact,
            "received_at": shown.received_at,
            "due_at": shown.due_at,
            "late": shown.due_at is not None and shown.due_at <= context_of().now,
            "purpose_words": PURPOSE_WORDS[shown.enquiry.purpose] if shown.enquiry else None,
            "reference": shown.enquiry.reference if shown.enquiry else None,
            "enquiry_href": f"/enquiries/{shown.enquiry.id}" if shown.enquiry else None,
        },
        title=", ".join(EVENT_WORDS[code] for code in shown.types) if shown.kept else "A notice",
        people=[{"name": facts.get("name"), "facts": _in_order(facts)} for facts in people.values()],
        enquiries=[{"value": e.id, "text": e.reference} for e in shown.readable_in],
        receipt=receipt_view(shown.receipt),
        back_href="/tasks",
        back_text="Tasks",
        errors=errors,
    )


def _in_order(facts: dict[str, str]) -> list[tuple[str, str]]:
    """Who it is, then what happened; what the heading says already is left out."""
    return [(n, facts[n]) for n in (*IDENTITY_FIELDS, *EVENT_FIELDS) if n in facts and n not in ("name", "type")]
