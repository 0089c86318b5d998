"""Agreements and receipts, for systems: under what something may be asked, and the proof that it was."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, request

from hub.api import shown
from hub.api.operations import Page, operation
from hub.api.schemas import AgreementShown, ProofShown
from hub.casefile import london
from hub.receipts import receipt_of
from hub.register import overview
from hub.traffic import marks
from hub.web.common import context_of, hub_of
from policies.vocabulary import Role

register_api = Blueprint("register_api", __name__)

LISTED = timedelta(hours=12)
PAGE = 25


@operation(
    register_api,
    "GET /api/v1/agreements",
    "listAgreements",
    answers=AgreementShown,
    roles=frozenset(Role),
    scope="agreements",
    paged=True,
)
def list_agreements() -> Page:
    """Every version of every agreement, with who signed and whether it is in force. Nothing here is about anybody."""
    hub, ctx = hub_of(), context_of()
    every = sorted(hub.agreements, key=lambda one: (one.reference, -one.version))
    if mark := request.args.get("cursor"):
        said = marks.read(hub, "agreements", ctx.actor.id, mark, field="cursor", now=ctx.now, within=LISTED)
        every = [one for one in every if (one.reference, -one.version) > (said["ref"], -said["version"])]
    page, last = every[:PAGE], every[PAGE - 1] if len(every) > PAGE else None
    at = {"ref": last.reference, "version": last.version} if last else None
    following = marks.make(hub, "agreements", ctx.actor.id, at, now=ctx.now) if at else None
    today = london(ctx.now).date()
    return Page([shown.agreement(hub, one, ctx.actor.agency, today) for one in page], following)


@operation(
    register_api,
    "GET /api/v1/agreements/<reference>/<version>",
    "getAgreement",
    answers=AgreementShown,
    roles=frozenset(Role),
    scope="agreements",
    refuses=("not-found",),
)
def get_agreement(reference: str, version: str) -> dict[str, Any]:
    """One version of an agreement."""
    hub, ctx = hub_of(), context_of()
    one = overview.version_of(hub, reference, version)
    return shown.agreement(hub, one, ctx.actor.agency, london(ctx.now).date())


@operation(
    register_api,
    "GET /api/v1/receipts/<eid>",
    "getReceipt",
    answers=ProofShown,
    roles=frozenset(Role),
    scope="receipts",
    refuses=("not-found",),
)
def get_receipt(eid: str) -> dict[str, Any]:
    """The proof that a disclosure is in the signed trail, for those whom it concerns; it can be checked offline."""
    return shown.proof(receipt_of(hub_of(), context_of(), eid))
