"""Pages of those who answer for an agency by hand, and the document that came with an answer."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from connectors import STANDARD_FIELDS, AnswerKind, Mark, Marked, Request
from hub import enquiries, inbox
from hub.documents import document
from hub.errors import FormRefused
from hub.headers import ENQUIRING, for_roles, take_draft, takes_files
from hub.inbox import ANSWERING, REASONS, Asked, Upload
from hub.web.common import context_of, hub_of
from hub.words import CATEGORY_WORDS, PURPOSE_WORDS, SEX_WORDS, URGENCY_WORDS, WITHHOLDING_WORDS
from policies.vocabulary import FieldKind, Purpose

inbox_pages = Blueprint("inbox", __name__)

#: Bytes of an answer with its files.
LARGEST_ANSWER = 16_000_000
ANSWERS = [
    {"value": AnswerKind.HELD, "text": "Yes, we hold information, and give it here"},
    {"value": AnswerKind.PART, "text": "Yes, but we can share only part of it"},
    {"value": AnswerKind.NOTHING_HELD, "text": "We have looked and hold nothing"},
    {"value": AnswerKind.CANNOT_SHARE, "text": "We cannot share"},
]
MARKS = [
    {"value": Mark.RELEASE, "text": "Release it"},
    {"value": Mark.REDACT, "text": "Release it without what is ticked"},
    {"value": Mark.HOLD, "text": "Hold it: sealed until your agency releases it"},
]
MARK_WORDS = {Mark.RELEASE: "Released", Mark.REDACT: "Released in part", Mark.HOLD: "Held"}
#: Kinds of fields that need room to write.
LONG = frozenset(
    {
        FieldKind.RISK,
        FieldKind.NEED,
        FieldKind.ACTION,
        FieldKind.OUTCOME,
        FieldKind.CIRCUMSTANCES,
        FieldKind.CHILD_VOICE,
        FieldKind.DETAIL,
        FieldKind.NARRATIVE,
    }
)


@inbox_pages.get("/inbox")
@for_roles(ANSWERING)
def waiting() -> str:
    """What the agency is asked, the most urgent first; nobody is named before a request is opened."""
    found = inbox.waiting(hub_of(), context_of())
    return render_template("inbox.html", requests=[_line(one) for one in found])


@inbox_pages.get("/inbox/<request_id>")
@for_roles(ANSWERING)
def one(request_id: str) -> str:
    """One request: who is meant, what is asked, by when, and the form."""
    return _page(request_id, take_draft(request.path), {})


@inbox_pages.post("/inbox/<request_id>")
@for_roles(ANSWERING)
@takes_files(LARGEST_ANSWER)
def answer(request_id: str) -> str | AnyResponse | tuple[str, int]:
    """An answer, with its files."""
    typed = request.form.to_dict()
    files = [Upload(one.filename or "", one.stream.read()) for one in request.files.getlist("files")]
    try:
        inbox.answer(hub_of(), context_of(), request_id, typed, files)
    except FormRefused as error:
        return _page(request_id, typed, error.errors), 422
    return redirect(f"/inbox/{request_id}", code=303)


@inbox_pages.post("/inbox/<request_id>/pieces/<item>")
@for_roles(ANSWERING)
def mark(request_id: str, item: str) -> str | AnyResponse | tuple[str, int]:
    """Another word of the owner about a piece: release, redact or hold."""
    typed = request.form.to_dict()
    try:
        inbox.mark(hub_of(), context_of(), request_id, item, typed)
    except FormRefused as error:
        return _page(request_id, {}, {f"mark-{item}": said for said in error.errors.values()}), 422
    return redirect(f"/inbox/{request_id}", code=303)


@inbox_pages.get("/enquiries/<enquiry_id>/files/<file>")
@for_roles(ENQUIRING)
def take(enquiry_id: str, file: str) -> Response:
    """A document that came with an answer, to those to whom it may go now."""
    hub, ctx = hub_of(), context_of()
    enquiry = enquiries.enquiry_of(hub, ctx, enquiry_id)
    found, receipt = document(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry, file)
    response = Response(found.data, content_type=found.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=found.name)
    response.headers["Kith-Receipt"] = receipt
    return response


def _page(request_id: str, values: dict[str, str], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    found = inbox.asked(hub, ctx, request_id)
    return render_template(
        "inbox_request.html",
        request=_line(found.request),
        who=_who(found),
        sections=[_section(found, category) for category in found.request.wanted],
        takes_files=[
            {"value": c, "text": CATEGORY_WORDS[c]} for c, names in found.request.wanted.items() if "document" in names
        ],
        said=[_piece(one) for one in found.said],
        answers=ANSWERS,
        marks=MARKS,
        reasons=[{"value": code, "text": WITHHOLDING_WORDS[code]} for code in REASONS],
        back_href="/inbox",
        back_text="All requests",
        values=values,
        errors=errors,
    )


def _line(one: Request) -> dict[str, Any]:
    now = context_of().now
    return {
        "id": one.id,
        "href": f"/inbox/{one.id}",
        "purpose_words": PURPOSE_WORDS[Purpose(one.purpose)],
        "urgency": one.urgency,
        "urgency_words": URGENCY_WORDS[one.urgency],
        "asked_at": one.asked_at,
        "due_at": one.due_at,
        "over": now >= one.due_at,
        "half_over": now >= one.half_at,
        "answered_at": one.answered_at,
        "answers": one.answers,
        "about": [CATEGORY_WORDS[category] for category in one.wanted],
    }


def _who(found: Asked) -> dict[str, Any]:
    who = found.who
    names = (*who.given, *who.family)
    folded = [name.casefold() for name in names]
    return {
        # Agencies write names in their own ways; what differs only in its letters is said once.
        "name": " ".join(name for n, name in enumerate(names) if name.casefold() not in folded[:n]),
        "born": who.date_of_birth,
        "sex": SEX_WORDS.get(who.sex_code) if who.sex_code else None,
        "nhs_number": who.nhs_number,
    }


def _section(found: Asked, category: Any) -> dict[str, Any]:
    kinds = found.kinds.get(category, {})
    order = list(STANDARD_FIELDS)
    names = [n for n in found.request.wanted[category] if n in kinds and n not in ("document", "involved")]
    names.sort(key=lambda name: order.index(name) if name in order else len(order))
    return {
        "category": category,
        "words": CATEGORY_WORDS[category],
        "fields": [
            {"name": name, "long": kinds[name] in LONG, "is_day": kinds[name] is FieldKind.DATES} for name in names
        ],
    }


def _piece(one: Marked) -> dict[str, Any]:
    piece = one.piece
    return {
        "id": piece.id,
        "words": CATEGORY_WORDS[piece.category],
        "withheld": piece.withheld,
        "mark": piece.mark,
        "mark_words": "Kept back" if piece.withheld else MARK_WORDS[piece.mark],
        "fields": [
            {"name": name, "text": value.text, "kept_back": name in piece.kept_back}
            for name, value in piece.values.items()
        ],
        "whole": any(value.file for value in piece.values.values()) or len(piece.values) < 2,
    }
