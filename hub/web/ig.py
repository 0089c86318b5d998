"""Pages of information governance: the register of disclosures and one entry of it; never content."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, render_template, request

from hub import exporting, oversight, proving, reasons
from hub.desk.alerts import waiting
from hub.errors import FormRefused
from hub.headers import OVERSEEING, for_roles, take_draft
from hub.obligations import SHOWING
from hub.oversight import Filter, Register
from hub.web.agreement_words import in_words
from hub.web.common import context_of, hub_of, receipt_view
from hub.web.proofs import KIND_WORDS, check_view, entry_view, outcome_words
from hub.witnesses import note_of
from hub.words import PURPOSE_WORDS
from policies.vocabulary import Purpose

ig = Blueprint("ig", __name__)


@ig.get("/ig")
@for_roles(OVERSEEING)
def home() -> str:
    """The newest disclosures."""
    typed = take_draft("/ig")
    return _page(typed, {}, oversight.register(hub_of(), context_of(), Filter()))


@ig.post("/ig")
@for_roles(OVERSEEING)
def search() -> str | tuple[str, int]:
    """Disclosures by person (with a case reference), user, agency, purpose and period."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    try:
        wanted = oversight.parse_filter(hub, ctx, typed)
    except FormRefused as error:
        return _page(typed, error.errors, Register((), 0, 1, 1, None)), 422
    # A search for a person is refused without the case it is for (rule P43).
    return _page(typed, {}, oversight.register(hub, replace(ctx, case_reference=wanted.case_reference), wanted))


@ig.post("/ig/export")
@for_roles(OVERSEEING)
def export() -> Response | tuple[str, int]:
    """What the filter asks for as a file, with the proof of each line."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    try:
        wanted = oversight.parse_filter(hub, ctx, typed)
        made = exporting.export_register(hub, replace(ctx, case_reference=wanted.case_reference), wanted)
    except FormRefused as error:
        return _page(typed, error.errors, Register((), 0, 1, 1, None)), 422
    answer = Response(made.archive, content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="kith-disclosures-{made.receipt.eid}.zip"'
    return answer


@ig.get("/ig/entries/<eid>")
@for_roles(OVERSEEING)
def one(eid: str) -> str:
    """One entry: who, whom about, why, basis, shown, withheld and by which rule, proof."""
    hub = hub_of()
    entered = oversight.entry(hub, context_of(), eid)
    receipt = receipt_view(entered.receipt) if entered.receipt else None
    return render_template("ig_entry.html", back_href="/ig", receipt=receipt, **entry_view(hub, entered))


@ig.get("/ig/entries/<eid>/why")
@for_roles(OVERSEEING)
def why(eid: str) -> str:
    """Why it was decided so: every decision of the entry with its rules, sources and clause."""
    hub = hub_of()
    say = in_words(hub)
    found = reasons.why(hub, context_of(), eid, say)
    agencies: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(
        found.reasons, key=lambda one: (list(hub.partners).index(one.agency), one.outcome in SHOWING, one.category)
    ):
        row = {"category": say(one.category), "outcome": say(one.outcome), "people": one.people}
        agencies.setdefault(say(one.agency), []).append({**row, "paragraph": " ".join(one.sentences)})
    receipt = receipt_view(found.receipt)
    return render_template(
        "ig_why.html", back_href=f"/ig/entries/{eid}", receipt=receipt, agencies=agencies, found=found
    )


@ig.get("/ig/check")
@for_roles(OVERSEEING)
def check() -> Response | str:
    """The trail proven untouched, now; `?format=json` is the proof for a check offline."""
    found = proving.prove(hub_of(), context_of())
    if request.args.get("format") == "json" and found.checked:
        answer = Response(found.checked.consistency.json(), content_type="application/json")
        answer.headers["Content-Disposition"] = 'attachment; filename="kith-trail-proof.json"'
        return answer
    return render_template("ig_check.html", back_href="/ig", receipt=receipt_view(found.receipt), **check_view(found))


def _page(values: dict[str, str], errors: dict[str, str], found: Register) -> str:
    hub = hub_of()
    agencies = [{"value": p.code, "text": p.name} for p in hub.partners.values()]
    names = {p.code: p.name for p in hub.partners.values()}
    return render_template(
        "ig_home.html",
        values=values,
        errors=errors,
        agencies=agencies,
        purposes=[{"value": p, "text": PURPOSE_WORDS[p]} for p in Purpose],
        results=None if errors else [_row(r, names) for r in found.rows],
        alerts_waiting=waiting(hub),
        filter_action="/ig",
        export_action="/ig/export",
        receipt=receipt_view(found.receipt) if found.receipt else None,
        stopped=hub.stopped,
        witnesses=note_of(hub.cosigners.quorum()) if hub.cosigners else None,
        paging={"words": f"{found.total:,} recorded, newest first; page {found.page} of {found.pages}"},
        page_buttons=_pages(found),
    )


def _pages(found: Register) -> list[dict[str, Any]]:
    """Paging stays in the form: what was typed into the filter must not get into an address."""
    around = [("Newer records", found.page - 1), ("Older records", found.page + 1)]
    return [{"text": text, "page": page} for text, page in around if 1 <= page <= found.pages]


def _row(r: oversight.Row, names: dict[str, str]) -> dict[str, Any]:
    return {
        "eid": r.eid,
        "t": r.at,
        "kind_words": KIND_WORDS.get(r.kind, r.kind),
        "who": r.user_name,
        "agency": names.get(r.agency or "", r.agency or ""),
        "subjects_count": r.subjects,
        "purpose_words": PURPOSE_WORDS[Purpose(r.purpose)] if r.purpose and r.purpose in Purpose.__members__ else "",
        "outcome_words": outcome_words(r.outcome),
        "href": f"/ig/entries/{r.eid}",
    }
