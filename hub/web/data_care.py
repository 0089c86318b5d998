"""Pages about records as such: joins that break a rule, records that are held back, and what is wrong with them."""

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from hub import data_quality, flagged_joins, holding_back
from hub.errors import FormRefused
from hub.headers import OVERSEEING, STEWARDING, for_roles, take_draft
from hub.operations import OPERATING
from hub.people.quality import COMPARED, KINDS
from hub.people.releases import KEPT, RELEASED, HeldBack
from hub.web.common import context_of, hub_of, receipt_view
from hub.web.steward import person_page
from hub.words import BREAK_WORDS, moment

data_care = Blueprint("data_care", __name__)

#: What information governance can say about a record that is held back, and what follows.
ANSWERS = (
    (
        RELEASED,
        "Release it",
        "It becomes a person of its own, and is found and shown as the agreements allow.",
    ),
    (KEPT, "Keep it back", "Nobody finds it until the record changes."),
)


#: How a request stands, for the steward who asked.
STANDS = {None: "Waits for information governance", KEPT: "Kept back", RELEASED: "Released"}


@data_care.get("/matching/flagged")
@for_roles(STEWARDING)
def flagged() -> str:
    """Joins that break a rule, by agencies; nobody is named before one is opened."""
    hub = hub_of()
    joins = [
        {
            "href": f"/matching/persons/{one.person}",
            "agencies": [hub.partners[code].name for code in one.agencies],
            "rules": [BREAK_WORDS[rule] for rule in one.rules],
        }
        for one in flagged_joins.flagged_joins(hub, context_of())
    ]
    return render_template("steward_flagged.html", joins=joins)


@data_care.post("/matching/persons/<person>/kept")
@for_roles(STEWARDING)
def keep_together(person: str) -> str | AnyResponse | tuple[str, int]:
    """All these records are one person, whatever they break."""
    typed = request.form.to_dict()
    try:
        flagged_joins.keep_together(hub_of(), context_of(), person, typed.get("mark", ""), typed.get("kept", ""))
    except FormRefused as error:
        return person_page(person, typed, error.errors), 422
    return redirect("/matching/flagged", code=303)


@data_care.get("/matching/held-back")
@for_roles(STEWARDING)
def held_back() -> str:
    """Records of the steward's own agency that might be about somebody protected, by the agency's own numbers."""
    return _held_back(take_draft("/matching/held-back"), {})


@data_care.post("/matching/held-back")
@for_roles(STEWARDING)
def ask_release() -> str | AnyResponse | tuple[str, int]:
    """The first word of two."""
    typed = request.form.to_dict()
    try:
        holding_back.ask_release(hub_of(), context_of(), typed.get("row", ""), typed.get("rationale", ""))
    except FormRefused as error:
        return _held_back(typed, error.errors), 422
    return redirect("/matching/held-back", code=303)


@data_care.get("/held-back")
@for_roles(OVERSEEING)
def releases() -> str:
    """Requests that wait for a second person."""
    return _releases(take_draft("/held-back"), {})


@data_care.post("/held-back")
@for_roles(OVERSEEING)
def answer_release() -> str | AnyResponse | tuple[str, int]:
    """The second word of two."""
    typed = request.form.to_dict()
    said = (typed.get("request", ""), typed.get("outcome", ""), typed.get("rationale", ""))
    try:
        holding_back.answer_release(hub_of(), context_of(), *said)
    except FormRefused as error:
        return _releases(typed, error.errors), 422
    return redirect("/held-back", code=303)


@data_care.get("/data-quality")
@for_roles(STEWARDING | OPERATING)
def quality() -> str:
    """What is wrong with the records of the reader's own agency."""
    hub = hub_of()
    found = data_quality.report(hub, context_of())
    lines = [
        {"words": words, "count": found.counts[kind], "records": found.named[kind]}
        for kind, words in KINDS.items()
        if found.counts[kind]
    ]
    return render_template(
        "data_quality.html",
        agency=hub.partners[found.agency].name,
        records=found.records,
        looked_at=found.looked_at,
        not_compared=found.not_compared,
        lines=lines,
        # Who was not compared may have any of those: nothing is said to be absent that was not looked for.
        fine=[
            words
            for kind, words in KINDS.items()
            if not found.counts[kind] and not (found.not_compared and kind in COMPARED)
        ],
        receipt=receipt_view(found.receipt),
    )


@data_care.post("/data-quality")
@for_roles(STEWARDING | OPERATING)
def quality_file() -> Response:
    """The same as a file, with every record."""
    text, receipt = data_quality.as_csv(hub_of(), context_of())
    answer = Response(text, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="kith-data-quality-{receipt.eid[:8]}.csv"'
    return answer


def _held_back(values: dict[str, str], errors: dict[str, str]) -> str:
    found, receipt = holding_back.list_held_back(hub_of(), context_of())
    return render_template(
        "steward_held_back.html",
        waiting=[{"row": str(one.row), "record": one.record} for one in found if one.request is None],
        asked=[_asked(one) for one in found if one.request is not None],
        receipt=receipt_view(receipt),
        values=values,
        errors=errors,
    )


def _releases(values: dict[str, str], errors: dict[str, str]) -> str:
    found, receipt = holding_back.list_asked_for(hub_of(), context_of())
    shown = {"asked": [_asked(one) for one in found], "receipt": receipt_view(receipt)}
    return render_template("held_back.html", **shown, answers=ANSWERS, values=values, errors=errors)


def _asked(one: HeldBack) -> dict[str, str]:
    return {
        "request": str(one.request),
        "agency": hub_of().partners[one.agency].name,
        "record": one.record,
        "asked_at": moment(one.asked_at) if one.asked_at else "",
        "rationale": one.rationale or "",
        "stands": {None: "Waits for information governance", KEPT: "Kept back"}.get(one.outcome, "Released"),
        "answer": one.answer or "",
    }
