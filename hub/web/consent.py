"""Pages about what a family agreed to: what is on record, record, withdraw, assess, decide about asking, export.

For: everybody who opens enquiries, within an enquiry. A view parses, calls one use-case, renders. Who the people are
comes from a disclosure of its own; the forms offer those people and nobody else.
"""

import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, session
from werkzeug.wrappers import Response as AnyResponse

from consent import FINDINGS, ParentalSource, current_statements
from hub import disclosure, enquiries, family_consent
from hub.enquiries import Enquiry
from hub.errors import FormRefused, NotForYou
from hub.headers import ENQUIRING, for_roles, take_draft
from hub.members import require_no_tie
from hub.web.common import context_of, family_shown, hub_of, receipt_view, remember_family
from hub.web.consent_words import FORMS, METHOD_WORDS, consent_view, options
from hub.words import CATEGORY_WORDS, CONSENT_STATE_WORDS, GIVER_CAPACITY_WORDS, LEGAL_STATUS_WORDS, REASON_CODE_WORDS
from policies.vocabulary import LegalStatus

consent_pages = Blueprint("consent", __name__)


@consent_pages.get("/enquiries/<enquiry_id>/consent")
@for_roles(ENQUIRING)
def on_record(enquiry_id: str) -> str | AnyResponse:
    """What each person of the family agreed or refused, now and before."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry_id))
    picture, receipt = disclosure.family_names(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    family = {person.id: person.label for person in picture.people}
    remember_family(enquiry.id, family.items(), ctx.now)
    held = family_consent.on_record(hub, ctx, enquiry, family)
    names = {p.code: p.name for p in hub.partners.values()}
    return render_template(
        "consent.html",
        receipt=receipt_view(receipt),
        answers_receipt=receipt_view(held.receipt),
        back_href=f"/enquiries/{enquiry.id}/who",
        base=f"/enquiries/{enquiry.id}/consent",
        reference=enquiry.reference,
        told=session.pop("told", None),
        **consent_view(held, family, names),
    )


@consent_pages.get("/enquiries/<enquiry_id>/consent/<form>")
@for_roles(ENQUIRING)
def empty_form(enquiry_id: str, form: str) -> str | AnyResponse:
    """One of the forms, empty."""
    enquiry = require_no_tie(hub_of(), context_of(), enquiries.enquiry_of(hub_of(), context_of(), enquiry_id))
    if form not in FORMS or not _family(enquiry):
        return redirect(f"/enquiries/{enquiry.id}/consent", code=303)
    return _form(enquiry, form, take_draft(f"/enquiries/{enquiry.id}/consent/{form}"), {})


@consent_pages.post("/enquiries/<enquiry_id>/consent/<form>")
@for_roles(ENQUIRING)
def store(enquiry_id: str, form: str) -> str | AnyResponse | tuple[str, int]:
    """Stores what one of the forms says."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, enquiries.running_enquiry_of(hub, ctx, enquiry_id))
    family = _family(enquiry)
    lists = ("agencies", "categories")
    typed: dict[str, Any] = {**request.form.to_dict(), **{name: request.form.getlist(name) for name in lists}}
    acts: dict[str, Callable[[], object]] = {
        "answer": lambda: family_consent.record_answer(hub, ctx, enquiry, family, typed),
        "assessment": lambda: family_consent.record_assessment(hub, ctx, enquiry, family, typed),
        "standing": lambda: family_consent.record_standing(hub, ctx, enquiry, family, typed),
        "decision": lambda: family_consent.decide_about_asking(hub, ctx, enquiry, typed),
    }
    if form == "withdraw":
        family_consent.withdraw_answer(hub, ctx, enquiry, family, typed.get("record", ""))
        session["told"] = True
        return redirect(f"/enquiries/{enquiry.id}/consent", code=303)
    if form == "export":
        bundle = json.dumps(family_consent.as_fhir(hub, ctx, enquiry, family), ensure_ascii=False, indent=1)
        answer = Response(bundle, content_type="application/fhir+json")
        answer.headers["Content-Disposition"] = 'attachment; filename="kith-consents.json"'
        return answer
    if form not in acts or not family:
        raise NotForYou("Open the page about consent first.", next_steps=("Go back to the enquiry and open it again.",))
    try:
        acts[form]()
    except FormRefused as error:
        return _form(enquiry, form, typed, error.errors), 422
    return redirect(f"/enquiries/{enquiry.id}/consent", code=303)


def _family(enquiry: Enquiry) -> dict[str, str]:
    """The persons that this user was just shown in this enquiry, with their names."""
    return family_shown(enquiry.id, context_of().now)


def _form(enquiry: Enquiry, form: str, values: dict[str, Any], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    today = ctx.now.date()
    people = options(_family(enquiry).items())
    findings = [finding for of_kind in FINDINGS.values() for finding in sorted(of_kind)]
    return render_template(
        "consent_form.html",
        form=form,
        values=values,
        errors=errors,
        back_href=f"/enquiries/{enquiry.id}/consent",
        people=people,
        statements=[(s.reference, s.title, s.text) for s in current_statements(today)],
        answers=options((s, CONSENT_STATE_WORDS[s]) for s in family_consent.ANSWERS),
        capacities=options((c, GIVER_CAPACITY_WORDS[c]) for c in family_consent.CAPACITIES),
        methods=options(METHOD_WORDS.items()),
        agencies=options((p.code, p.name) for p in hub.partners.values()),
        categories=options((c, CATEGORY_WORDS[c]) for c in family_consent.NAMEABLE),
        findings=options((f, FORMS["assessment"][f]) for f in findings),
        codes=options(
            [
                *((s, FORMS["standing"][s]) for s in ParentalSource),
                *((s, LEGAL_STATUS_WORDS[s]) for s in LegalStatus),
            ]
        ),
        states=options((s, CONSENT_STATE_WORDS[s]) for s in enquiries.REASONS),
        reason_codes=options((r, REASON_CODE_WORDS[r]) for rs in enquiries.REASONS.values() for r in rs),
    )
