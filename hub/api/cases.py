"""Enquiries and what is asked within them, for a partner's own case system.

For: the same way as the pages go - open, search, confirm, see who is involved, then the picture. Must never confirm
anybody whom the search did not just offer to this user, and never answer about another person than the one meant.
"""

from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, request

from hub import break_glass, disclosure, enquiries, family_consent, finding, under_agreement
from hub.api import shown
from hub.api.operations import Page, operation
from hub.api.problems import Refused
from hub.api.schemas import (
    ConfirmAsked,
    ConsentsAnswered,
    EnquiryAsked,
    EnquiryShown,
    KnownToAnswered,
    NothingAsked,
    PersonAsked,
    PictureAnswered,
    SearchAnswered,
    SearchAsked,
)
from hub.context import RequestContext
from hub.enquiries import Enquiry
from hub.errors import FormRefused
from hub.headers import ENQUIRING
from hub.members import require_no_tie
from hub.people import parse_box
from hub.traffic import marks
from hub.web.common import context_of, hub_of
from policies.vocabulary import Purpose

cases_api = Blueprint("cases_api", __name__)

#: How long a candidate that was offered may be confirmed, and how long a list may be read on.
OFFERED = timedelta(minutes=15)
LISTED = timedelta(hours=12)
PAGE = 25


@operation(
    cases_api,
    "POST /api/v1/enquiries",
    "openEnquiry",
    asks=EnquiryAsked,
    answers=SearchAnswered,
    roles=ENQUIRING,
    scope="enquiries",
    once=True,
    refuses=("agreement",),
)
def open_enquiry(asked: dict[str, Any]) -> dict[str, Any]:
    """Opens an enquiry and searches for the person it is about.

    Nothing is opened when the form or the search cannot be used. Candidates are to be confirmed by a worker.
    """
    hub, ctx = hub_of(), context_of()
    under_agreement.require(hub, ctx, asked["agreement"], asked["purpose"])
    names = {"consent_state": "consent"}
    typed = {names.get(name, name): str(value) for name, value in asked.items() if name not in ("subject", "agreement")}
    allowed = enquiries.purposes_for(hub.agreements, ctx.actor.agency, ctx.actor.role, ctx.now.date())
    wrong: dict[str, str] = {}
    form = None
    try:
        form = enquiries.parse_form(typed, allowed, ctx.actor.role)
    except FormRefused as error:
        wrong |= {"consent_state" if name == "consent" else name: said for name, said in error.errors.items()}
    if problems := parse_box(_as_typed(asked["subject"])).problems:
        wrong["subject"] = " ".join(problems)
    if wrong or form is None:
        raise FormRefused(wrong)
    return _searched(ctx, enquiries.open_enquiry(hub, ctx, form), asked["subject"])


@operation(
    cases_api,
    "GET /api/v1/enquiries",
    "listEnquiries",
    answers=EnquiryShown,
    roles=ENQUIRING,
    scope="enquiries",
    paged=True,
)
def list_enquiries() -> Page:
    """The user's own enquiries, newest first."""
    hub, ctx = hub_of(), context_of()
    before = None
    if mark := request.args.get("cursor"):
        said = marks.read(hub, "enquiries", ctx.actor.id, mark, field="cursor", now=ctx.now, within=LISTED)
        before = datetime.fromisoformat(said["at"]), said["id"]
    found = enquiries.own_enquiries(hub, ctx, limit=PAGE + 1, before=before)
    page, more = found[:PAGE], len(found) > PAGE
    last = {"at": page[-1].opened_at.isoformat(), "id": page[-1].id} if more else None
    following = marks.make(hub, "enquiries", ctx.actor.id, last, now=ctx.now) if last else None
    return Page([shown.enquiry(one) for one in page], following)


@operation(
    cases_api,
    "GET /api/v1/enquiries/<enquiry_id>",
    "getEnquiry",
    answers=EnquiryShown,
    roles=ENQUIRING,
    scope="enquiries",
    refuses=("not-found",),
)
def get_enquiry(enquiry_id: str) -> dict[str, Any]:
    """Where one enquiry stands."""
    return shown.enquiry(enquiries.enquiry_of(hub_of(), context_of(), enquiry_id))


@operation(
    cases_api,
    "POST /api/v1/enquiries/<enquiry_id>/candidates",
    "searchInEnquiry",
    asks=SearchAsked,
    answers=SearchAnswered,
    roles=ENQUIRING,
    scope="enquiries",
    once=True,
    refuses=("not-found", "agreement", "mismatch"),
)
def search(asked: dict[str, Any], enquiry_id: str) -> dict[str, Any]:
    """Searches again within an enquiry: for the person it is about, or for one more who belongs to it."""
    ctx = context_of()
    enquiry = enquiries.running_enquiry_of(hub_of(), ctx, enquiry_id)
    _require_same(enquiry, asked)
    return _searched(ctx, enquiry, asked["subject"])


@operation(
    cases_api,
    "POST /api/v1/enquiries/<enquiry_id>/persons",
    "confirmPerson",
    asks=ConfirmAsked,
    answers=EnquiryShown,
    roles=ENQUIRING,
    scope="enquiries",
    refuses=("not-found",),
)
def confirm(asked: dict[str, Any], enquiry_id: str) -> dict[str, Any]:
    """Says that a candidate is the person; only one who was offered to this user in this enquiry.

    The first is whom the enquiry is about, once and for all; everybody after that needs a `connection`. Sent twice, it
    changes nothing.
    """
    hub, ctx = hub_of(), context_of()
    enquiry = enquiries.running_enquiry_of(hub, ctx, enquiry_id)
    mark, user = asked["candidate"], ctx.actor.id
    offered = marks.read(hub, _use(enquiry), user, mark, field="candidate", now=ctx.now, within=OFFERED)
    person = offered["person"]
    if enquiry.subject is None or (enquiry.subject == person and "connection" not in asked):
        enquiries.confirm_subject(hub, ctx, enquiry, person)
    else:
        enquiries.add_person(hub, ctx, enquiry, person, asked.get("connection", ""))
        break_glass.extend(hub, ctx, enquiry, person)
    return shown.enquiry(enquiries.enquiry_of(hub, ctx, enquiry_id))


@operation(
    cases_api,
    "POST /api/v1/enquiries/<enquiry_id>/close",
    "closeEnquiry",
    asks=NothingAsked,
    answers=EnquiryShown,
    roles=ENQUIRING,
    scope="enquiries",
    refuses=("not-found",),
)
def close(asked: dict[str, Any], enquiry_id: str) -> dict[str, Any]:
    """Ends an enquiry: partners' information is not shown under it any more."""
    hub, ctx = hub_of(), context_of()
    enquiries.close_enquiry(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry_id))
    return shown.enquiry(enquiries.enquiry_of(hub, ctx, enquiry_id))


@operation(
    cases_api,
    "POST /api/v1/enquiries/<enquiry_id>/known-to",
    "knownTo",
    asks=PersonAsked,
    answers=KnownToAnswered,
    roles=ENQUIRING,
    scope="known-to",
    once=True,
    refuses=("not-found", "agreement", "mismatch"),
)
def known_to(asked: dict[str, Any], enquiry_id: str) -> dict[str, Any]:
    """Who is involved with this family: person by agency, since when, whom to ring.

    Each pair has one of five answers. NO_ANSWER never means that nothing is held.
    """
    hub, ctx = hub_of(), context_of()
    enquiry = _meant(asked, enquiry_id)
    picture, receipt = disclosure.known_to(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    return shown.known_to(picture, enquiry, receipt)


@operation(
    cases_api,
    "POST /api/v1/enquiries/<enquiry_id>/picture",
    "familyPicture",
    asks=PersonAsked,
    answers=PictureAnswered,
    roles=ENQUIRING,
    scope="family-picture",
    once=True,
    refuses=("not-found", "agreement", "mismatch"),
)
def picture(asked: dict[str, Any], enquiry_id: str) -> dict[str, Any]:
    """The combined family picture: people, relations and events, each with its source.

    Where agencies contradict each other, both are given. `no_export` says that something may be shown and not kept.
    """
    hub, ctx = hub_of(), context_of()
    enquiry = _meant(asked, enquiry_id)
    found, receipt = disclosure.family_picture(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    return shown.family_picture(found, enquiry, receipt)


@operation(
    cases_api,
    "POST /api/v1/enquiries/<enquiry_id>/consents",
    "familyConsents",
    asks=PersonAsked,
    answers=ConsentsAnswered,
    roles=ENQUIRING,
    scope="consents",
    once=True,
    refuses=("not-found", "agreement", "mismatch"),
)
def consents(asked: dict[str, Any], enquiry_id: str) -> dict[str, Any]:
    """What the family agreed or refused, and what was decided about asking."""
    hub, ctx = hub_of(), context_of()
    enquiry = require_no_tie(hub, ctx, _meant(asked, enquiry_id))
    names, receipt = disclosure.family_names(hub, ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id), enquiry)
    held = family_consent.on_record(hub, ctx, enquiry, [person.id for person in names.people])
    return shown.consents(held, names, enquiry, receipt)


def _meant(asked: dict[str, Any], enquiry_id: str) -> Enquiry:
    """The enquiry, when purpose and subject are its own and the agreement covers it."""
    enquiry = enquiries.enquiry_of(hub_of(), context_of(), enquiry_id)
    if asked["subject"] != enquiry.subject:
        raise Refused("mismatch", "The subject is not the confirmed person of this enquiry.")
    _require_same(enquiry, asked)
    return enquiry


def _require_same(enquiry: Enquiry, asked: dict[str, Any]) -> None:
    purpose: Purpose = asked["purpose"]
    if purpose != enquiry.purpose:
        raise Refused("mismatch", "The purpose is not the one of this enquiry.")
    under_agreement.require(hub_of(), context_of(), asked["agreement"], purpose)


def _searched(ctx: RequestContext, enquiry: Enquiry, sought: dict[str, Any]) -> dict[str, Any]:
    hub = hub_of()
    bound = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    try:
        found = finding.find_person(hub, bound, enquiry, _as_typed(sought))
    except FormRefused as error:
        raise FormRefused({"subject": " ".join(error.errors.values())}) from error
    use, user = _use(enquiry), ctx.actor.id
    marked = ((one, marks.make(hub, use, user, {"person": one.person}, now=ctx.now)) for one in found.candidates)
    return {
        "enquiry": shown.enquiry(enquiry),
        "candidates": [shown.candidate(one, mark) for one, mark in marked],
        "advice": found.advice,
        "receipt": shown.receipt(found.receipt),
    }


def _as_typed(sought: dict[str, Any]) -> str:
    """What a worker would type into the one box."""
    born: date | None = sought.get("date_of_birth")
    parts = (sought.get("name"), f"{born:%d %m %Y}" if born else None, sought.get("nhs_number"))
    return " ".join(part for part in parts if part)


def _use(enquiry: Enquiry) -> str:
    return f"candidate:{enquiry.id}"
