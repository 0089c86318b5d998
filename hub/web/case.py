"""Pages about what is recorded on a case while it runs: how urgent, harm threshold, circumstances of its people.

For: everybody who opens enquiries reads it, qualified workers record. A view parses, calls one use-case, renders. Who
the people are comes from a disclosure of its own; the form offers those people and nobody else.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from hub import case_facts, disclosure, enquiries, rating
from hub.case_facts import RECORDERS, RECORDING, Fact, FactKind, FactSource
from hub.enquiries import PROTECTIVE, Enquiry
from hub.errors import FormRefused
from hub.headers import ENQUIRING, for_roles, take_draft
from hub.members import require_no_tie
from hub.web.common import context_of, family_shown, hub_of, receipt_view, remember_family
from hub.web.consent_words import options
from hub.words import BRAG_WORDS, CIRCUMSTANCE_WORDS, PURPOSE_WORDS, ROLE_WORDS, THRESHOLD_WORDS
from policies.vocabulary import BragRating, Circumstance, Role, Threshold

case_pages = Blueprint("case", __name__)
NOT_TOLD = "Not shown to you"
FORMS = frozenset({"circumstance", "rating", "threshold"})
SOURCE_WORDS: Mapping[FactSource, str] = {
    FactSource.OWN_ASSESSMENT: "My own assessment or what I saw",
    FactSource.THE_PERSON: "The person said so",
    FactSource.FAMILY_OR_FRIEND: "Somebody of their family or close to them said so",
    FactSource.PARTNER_AGENCY: "A partner agency said so",
    FactSource.COURT_OR_PANEL: "A court or panel decided so",
}


@case_pages.get("/enquiries/<enquiry_id>/case")
@for_roles(ENQUIRING)
def on_record(enquiry_id: str) -> str:
    """What is recorded in this enquiry, and what was."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry_id))
    picture, receipt = disclosure.family_names(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    family = {person.id: person.label for person in picture.people}
    remember_family(enquiry.id, family.items(), ctx.now)
    facts = case_facts.on_record(hub, enquiry.id)
    told = enquiry.subject in family
    return render_template(
        "case.html",
        receipt=receipt_view(receipt),
        back_href=f"/enquiries/{enquiry.id}/who",
        base=f"/enquiries/{enquiry.id}/case",
        reference=enquiry.reference,
        purpose=PURPOSE_WORDS[enquiry.purpose],
        closed=enquiry.closed_at is not None,
        may_record=ctx.actor.role in RECORDERS and enquiry.closed_at is None,
        rating={"words": BRAG_WORDS[enquiry.brag], "recorded": enquiry.rating is not None},
        ratings=[_line(f, BRAG_WORDS[BragRating(f.code)], told) for f in facts if f.kind == FactKind.RATING],
        threshold_matters=enquiry.purpose in PROTECTIVE,
        threshold=_threshold(enquiry),
        thresholds=[_line(f, "", told) for f in facts if f.kind == FactKind.THRESHOLD],
        circumstances=[_circumstance(f, family, ctx.actor.role) for f in facts if f.kind == FactKind.CIRCUMSTANCE],
    )


@case_pages.get("/enquiries/<enquiry_id>/case/<form>")
@for_roles(RECORDERS)
def empty_form(enquiry_id: str, form: str) -> str | Response:
    """One of the forms, empty."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry_id))
    unknown = form == "circumstance" and not family_shown(enquiry.id, ctx.now)
    if form not in FORMS or unknown or enquiry.closed_at is not None:
        return redirect(f"/enquiries/{enquiry.id}/case", code=303)
    return _form(enquiry, form, take_draft(f"/enquiries/{enquiry.id}/case/{form}"), {})


@case_pages.post("/enquiries/<enquiry_id>/case/<form>")
@for_roles(RECORDERS)
def store(enquiry_id: str, form: str) -> str | Response | tuple[str, int]:
    """Stores what one of the forms says."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    enquiry = require_no_tie(hub, ctx, enquiries.running_enquiry_of(hub, ctx, enquiry_id))
    family = family_shown(enquiry.id, ctx.now)
    acts: dict[str, Callable[[], None]] = {
        "circumstance": lambda: case_facts.record_circumstance(hub, ctx, enquiry, family, typed),
        "rating": lambda: rating.rate(hub, ctx, enquiry, typed),
        "threshold": lambda: case_facts.record_threshold(hub, ctx, enquiry, typed),
        "take-back": lambda: case_facts.take_back(hub, ctx, enquiry, family, typed.get("fact", "")),
    }
    try:
        acts.get(form, lambda: None)()
    except FormRefused as error:
        return _form(enquiry, form, typed, error.errors), 422
    return redirect(f"/enquiries/{enquiry.id}/case", code=303)


def _form(enquiry: Enquiry, form: str, values: dict[str, str], errors: dict[str, str]) -> str:
    ctx = context_of()
    may = [one for one in Circumstance if ctx.actor.role in RECORDING[one]]
    return render_template(
        "case_form.html",
        form=form,
        values=values,
        errors=errors,
        back_href=f"/enquiries/{enquiry.id}/case",
        reference=enquiry.reference,
        people=options(family_shown(enquiry.id, ctx.now).items()),
        circumstances=options((one, CIRCUMSTANCE_WORDS[one]) for one in may),
        ratings=options((one, BRAG_WORDS[one]) for one in reversed(BragRating)),
        thresholds=options((one, THRESHOLD_WORDS[one]) for one in Threshold),
        sources=options(SOURCE_WORDS.items()),
    )


def _line(fact: Fact, words: str, told: bool) -> dict[str, Any]:
    """One fact. Not `told`: whom it is about is not shown, so why is not shown either."""
    return {
        "id": fact.id,
        "words": words,
        "reason": fact.reason if told else NOT_TOLD,
        "source": SOURCE_WORDS[fact.source],
        "by": ROLE_WORDS[fact.by_role],
        "at": fact.at,
        "counts": fact.counts,
    }


def _circumstance(fact: Fact, family: Mapping[str, str], role: Role) -> dict[str, Any]:
    code, told = Circumstance(fact.code), fact.person in family
    return {
        **_line(fact, CIRCUMSTANCE_WORDS[code] if told else NOT_TOLD, told),
        "about": family.get(fact.person or "", "Somebody not shown now"),
        "may_take_back": told and role in RECORDING[code],
    }


def _threshold(enquiry: Enquiry) -> dict[str, Any] | None:
    if enquiry.threshold is None:
        return None
    return {
        "words": THRESHOLD_WORDS[Threshold(enquiry.threshold)],
        "by": ROLE_WORDS[Role(enquiry.threshold_by_role or "")],
        "at": enquiry.threshold_at,
    }
