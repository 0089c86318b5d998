"""Pages of the register of agreements: the list, one version with its matrix, and the reason behind a cell."""

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.datastructures import MultiDict

from hub.casefile import london
from hub.errors import NotFound
from hub.headers import for_everybody_signed_in
from hub.register import enacting, overview, proposals, signatures
from hub.register.overview import ADULT, CHILD, Asked, Cell
from hub.register.proposals import KEEPERS
from hub.web.agreement_words import (
    PROPOSAL_WORDS,
    SITUATION_WORDS,
    WORD_MEANINGS,
    WORD_STATES,
    WORD_WORDS,
    in_words,
)
from hub.web.common import context_of, hub_of
from policies import SharingAgreement, explain, with_status
from policies.vocabulary import AgreementStatus, DataCategory, PartyStatus, Purpose, Role

register = Blueprint("register", __name__)


@register.get("/agreements")
@for_everybody_signed_in
def every() -> str:
    """Every version that there is: where it stands, who signed, until when."""
    hub, today = hub_of(), _today()
    rows = [_row(one, today) for one in sorted(hub.agreements, key=lambda one: (one.title, -one.version))]
    current = [row for row in rows if row["counts"]]
    others = [row for row in rows if not row["counts"]]
    return render_template("agreements.html", current=current, others=others, stopped=hub.stopped, changes=_proposed())


@register.get("/agreements/<reference>/<version>")
@for_everybody_signed_in
def one(reference: str, version: str) -> str:
    """One version: its parties and dates, and what it would allow whom for which purpose."""
    hub, today = hub_of(), _today()
    agreement = overview.version_of(hub, reference, version)
    asked = _asked(agreement, request.args)
    say = in_words(hub)
    found = overview.matrix(hub, agreement, asked, today) if asked else None
    here = f"/agreements/{reference}/{version}"
    return render_template(
        "agreement.html",
        back_href="/agreements",
        one=_row(agreement, today),
        head=agreement,
        parties=[_party(p, say) for p in agreement.parties],
        asked=asked,
        choices=_options(agreement, asked, say),
        columns=[{"code": code, "name": say(code)} for code in found.agencies] if found else [],
        rows=[
            {"category": say(category), "cells": [_cell(cell, asked, here) for cell in cells]}
            for category, cells in found.rows.items()
        ]
        if found
        else [],
        meanings=[(WORD_WORDS[word], WORD_STATES[word], meaning) for word, meaning in WORD_MEANINGS.items()],
        for_whom=f"{say(asked.role)}, {say(asked.recipient)}" if asked else "",
        purpose_words=say(asked.purpose) if asked else "",
        actions=_actions(agreement, here, asked),
    )


@register.get("/agreements/<reference>/<version>/why/<agency>/<category>")
@for_everybody_signed_in
def why(reference: str, version: str, agency: str, category: str) -> str:
    """The decisions behind one cell: each situation, its answer, rules, sources and clause."""
    hub, today = hub_of(), _today()
    agreement = overview.version_of(hub, reference, version)
    asked = _asked(agreement, request.args)
    if asked is None or category not in DataCategory.__members__:
        raise NotFound("There is no such cell.", next_steps=("Go back to the agreement.",))
    say = in_words(hub)
    people = [
        {
            "words": words,
            "situations": [
                {
                    "situation": SITUATION_WORDS[one.situation],
                    "outcome": say(one.decision.outcome),
                    "paragraph": " ".join(explain(one.request, one.decision, say).for_officer),
                }
                for one in overview.reason(hub, agreement, asked, agency, DataCategory(category), age, today)
            ],
        }
        for words, age in ((f"A child of {CHILD}", CHILD), (f"An adult of {ADULT}", ADULT))
    ]
    return render_template(
        "agreement_why.html",
        back_href=f"/agreements/{reference}/{version}?{_query(asked)}",
        head=agreement,
        agency=say(agency),
        category=say(DataCategory(category)),
        for_whom=f"{say(asked.role)}, {say(asked.recipient)}",
        purpose_words=say(asked.purpose),
        people=people,
    )


def _today() -> date:
    return london(context_of().now).date()


def _asked(agreement: SharingAgreement, typed: MultiDict[str, str]) -> Asked | None:
    """What the reader chose, as far as the version knows it; else its first. None for one without clauses."""
    purpose = typed.get("purpose", "")
    named = Purpose(purpose) if purpose in Purpose.__members__ else None
    there = overview.choices(agreement, named)
    if not there.purposes or not there.roles or not there.recipients:
        return None
    role, recipient, own = typed.get("role", ""), typed.get("for", ""), context_of().actor
    default_role = own.role if own.role in there.roles else there.roles[0]
    default_recipient = own.agency if own.agency in there.recipients else there.recipients[0]
    return Asked(
        named if named in there.purposes else there.purposes[0],
        Role(role) if role in there.roles else default_role,
        recipient if recipient in there.recipients else default_recipient,
    )


def _options(agreement: SharingAgreement, asked: Asked | None, say: Any) -> dict[str, list[dict[str, Any]]]:
    if asked is None:
        return {}
    there = overview.choices(agreement, asked.purpose)
    chosen = {"purpose": asked.purpose, "role": asked.role, "for": asked.recipient}
    lists = {"purpose": there.purposes, "role": there.roles, "for": there.recipients}
    return {
        name: [{"value": str(code), "text": say(code), "selected": code == chosen[name]} for code in codes]
        for name, codes in lists.items()
    }


def _row(agreement: SharingAgreement, today: date) -> dict[str, Any]:
    say = in_words(hub_of())
    signed = sum(party.status == PartyStatus.SIGNED for party in agreement.parties)
    return {
        "href": f"/agreements/{agreement.reference}/{agreement.version}",
        "title": agreement.title,
        "name": f"{agreement.reference} version {agreement.version}",
        "status": say(agreement.status),
        "counts": overview.counts_now(hub_of(), agreement, today),
        "signed": f"{signed} of {len(agreement.parties)} parties",
        "effective_from": agreement.effective_from,
        "expires_on": agreement.expires_on,
        "review": agreement.review,
        "review_overdue": agreement.review < today,
    }


def _proposed() -> list[dict[str, Any]]:
    """Changes that were proposed, for those who may say something to them."""
    if context_of().actor.role not in KEEPERS:
        return []
    return [
        {
            "href": f"/agreements/proposals/{one.id}",
            "title": one.before.title,
            "name": f"{one.before.reference} version {one.before.version}",
            "at": one.at,
            "state": PROPOSAL_WORDS[one.state],
        }
        for one in proposals.proposals(hub_of())
    ]


def _actions(agreement: SharingAgreement, here: str, asked: Asked | None) -> list[dict[str, str]]:
    """What this reader may do with a version: an officer of a party changes the newest, stops it, signs it."""
    hub, ctx = hub_of(), context_of()
    if ctx.actor.role not in KEEPERS or ctx.actor.agency not in {party.agency for party in agreement.parties}:
        return []
    shown = f"?purpose={asked.purpose}&role={asked.role}" if asked else ""
    found = [("Get its text as a file", "/file")]
    if enacting.why_not_from(hub, agreement, with_status(agreement, AgreementStatus.ACTIVE)) is None:
        found.insert(0, ("Propose a change", "/change" + shown))
    if signatures.may_sign(hub, ctx, enacting.written_now(hub, agreement.reference, str(agreement.version))):
        found.insert(0, ("Sign for your agency", "/sign"))
    if agreement.status == AgreementStatus.ACTIVE:
        found.append(("Stop it now", "/suspend"))
    return [{"text": text, "href": here + path} for text, path in found]


def _party(party: Any, say: Any) -> dict[str, Any]:
    return {
        "name": say(party.agency),
        "role": say(party.role),
        "status": say(party.status),
        "signed_on": party.signed_on,
        "signatory": party.signatory,
    }


def _cell(cell: Cell | None, asked: Asked | None, here: str) -> dict[str, Any] | None:
    if cell is None or asked is None:
        return None
    return {
        "word": WORD_WORDS[cell.child],
        "state": WORD_STATES[cell.child],
        "adult": WORD_WORDS[cell.adult] if cell.adult != cell.child else None,
        "href": f"{here}/why/{cell.agency}/{cell.category}?{_query(asked)}",
    }


def _query(asked: Asked) -> str:
    return f"purpose={asked.purpose}&role={asked.role}&for={asked.recipient}"
