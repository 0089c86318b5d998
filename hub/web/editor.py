"""Pages of the editor: propose a change, see what it would do, approve it, stop an agreement, take a signature."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from hub.errors import FormRefused
from hub.headers import for_roles, take_draft
from hub.oversight import staff_names
from hub.register import enacting, proposals, signatures
from hub.register.choosing import with_choices
from hub.register.impact import Impact
from hub.register.proposals import APPROVED, KEEPERS, Proposal
from hub.register.recorded import REJECTED, WITHDRAWN
from hub.web.agreement_words import PROPOSAL_WORDS, in_words
from hub.web.board_words import board, cells_changed
from hub.web.common import context_of, hub_of
from hub.words import count_words
from policies import AgreementInvalid, Change, read_draft, write_draft
from policies.vocabulary import DataCategory, Purpose

editor = Blueprint("editor", __name__)
#: Fewer decisions than these could be one family's: they are not counted out.
FEW = 5
Page = str | AnyResponse | tuple[str, int]


@editor.get("/agreements/<reference>/<version>/change")
@for_roles(KEEPERS)
def change(reference: str, version: str) -> str:
    """The present text, to be changed."""
    one = enacting.written_now(hub_of(), reference, version)
    proposals.require_keeper(context_of(), one)
    shown = {name: request.args.get(name, "") for name in ("purpose", "role")}
    return _form(reference, version, {"text": write_draft(one), **shown, **take_draft(request.path)}, {})


@editor.post("/agreements/<reference>/<version>/change")
@for_roles(KEEPERS)
def propose(reference: str, version: str) -> Page:
    """First what it would change, then the proposal; nothing typed is lost."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    one = enacting.written_now(hub, reference, version)
    try:
        typed["text"] = _with_choices(typed)
        if typed.get("do") == "propose":
            return redirect(f"/agreements/proposals/{proposals.propose(hub, ctx, one, typed)}", code=303)
        found = proposals.draft(hub, ctx, one, typed["text"])
    except FormRefused as error:
        return _form(reference, version, typed, error.errors), 422
    return _form(reference, version, typed, {}, found)


@editor.get("/agreements/proposals/<proposal>")
@for_roles(KEEPERS)
def proposal(proposal: str) -> Page:
    """One proposal: before and after, what it would have changed, and who said what; the list when there is none."""
    if not proposals.exists(hub_of(), proposal):
        return redirect("/agreements", code=303)
    return _proposal(proposal, take_draft(request.path), {})


@editor.post("/agreements/proposals/<proposal>")
@for_roles(KEEPERS)
def decide(proposal: str) -> Page:
    """Approve it, reject it, or withdraw one's own."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    if not proposals.exists(hub, proposal):
        return redirect("/agreements", code=303)
    try:
        if typed.get("do") == "approve":
            proposals.approve(hub, ctx, proposal)
        elif typed.get("do") in (REJECTED, WITHDRAWN):
            proposals.end(hub, ctx, proposal, typed["do"], typed.get("end_reason", ""))
        else:
            raise FormRefused({"decision": "Choose what you decide."})
    except FormRefused as error:
        return _proposal(proposal, typed, error.errors), 422
    return redirect(f"/agreements/proposals/{proposal}", code=303)


@editor.get("/agreements/<reference>/<version>/suspend")
@for_roles(KEEPERS)
def stop(reference: str, version: str) -> str:
    """What stopping an agreement means, and the reason for it."""
    return _stop(reference, version, take_draft(request.path), {})


@editor.post("/agreements/<reference>/<version>/suspend")
@for_roles(KEEPERS)
def suspend(reference: str, version: str) -> Page:
    """Stops it at once."""
    typed = request.form.to_dict()
    try:
        proposals.suspend(hub_of(), context_of(), reference, typed.get("reason", ""))
    except FormRefused as error:
        return _stop(reference, version, typed, error.errors), 422
    return redirect(f"/agreements/{reference}/{version}", code=303)


@editor.get("/agreements/<reference>/<version>/sign")
@for_roles(KEEPERS)
def signing(reference: str, version: str) -> str:
    """How a party signs, and where its signature goes."""
    return _sign(reference, version, take_draft(request.path), {})


@editor.post("/agreements/<reference>/<version>/sign")
@for_roles(KEEPERS)
def sign(reference: str, version: str) -> Page:
    """Takes the signature of the user's own agency, if it verifies."""
    typed = request.form.to_dict()
    try:
        signatures.take_signature(hub_of(), context_of(), reference, version, typed)
    except FormRefused as error:
        return _sign(reference, version, typed, error.errors), 422
    return redirect(f"/agreements/{reference}/{version}", code=303)


@editor.get("/agreements/<reference>/<version>/file")
@for_roles(KEEPERS)
def file(reference: str, version: str) -> Response:
    """The text of a version as a file, to be signed or kept."""
    one = enacting.written_now(hub_of(), reference, version)
    answer = Response(write_draft(one), content_type="application/toml; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{one.reference}-{one.version}.toml"'
    return answer


def _with_choices(typed: dict[str, str]) -> str:
    """The typed text with what was chosen in the matrix; as it is when nothing was chosen or it cannot be read."""
    text = typed.get("text", "")
    try:
        one = read_draft(text.replace("\r\n", "\n"))
    except AgreementInvalid:
        return text  # The draft says what is wrong with it, and in which line.
    chosen = with_choices(one, typed)
    return text if chosen == one else write_draft(chosen)


def _form(
    reference: str, version: str, values: dict[str, str], errors: dict[str, str], found: proposals.Draft | None = None
) -> str:
    say = in_words(hub_of())
    return render_template(
        "agreement_change.html",
        back_href=f"/agreements/{reference}/{version}",
        name=f"{reference} version {version}",
        values=values,
        errors=errors,
        found=found,
        board=board(values.get("text", ""), values.get("purpose", ""), values.get("role", ""), say),
        cells=cells_changed(found.before, found.after, say) if found else [],
        changes=_changes(found.changes) if found else [],
        impact=impact_words(found.impact, say) if found else None,
    )


def _proposal(id_: str, values: dict[str, str], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    one, say = proposals.proposal_of(hub, id_), in_words(hub)
    names = staff_names(hub)
    return render_template(
        "agreement_proposal.html",
        back_href=f"/agreements/{one.before.reference}/{one.before.version}",
        one=one,
        name=f"{one.before.reference} version {one.before.version}",
        state=PROPOSAL_WORDS[one.state],
        open=one.state == proposals.OPEN,
        own=ctx.actor.id == one.user,
        why_not=proposals.why_not_approve(hub, ctx, one),
        changes=_changes(one.changes),
        impact=impact_words(one.impact, say),
        said=_said(one, names, say),
        values=values,
        errors=errors,
    )


def _said(one: Proposal, names: dict[str, str], say: Any) -> list[dict[str, Any]]:
    proposed = {"what": "Proposed", "user": one.user, "agency": one.agency, "role": one.role, "at": one.at}
    acts = [
        {
            "what": {APPROVED: "Approved", REJECTED: "Rejected", WITHDRAWN: "Withdrawn"}[act.kind],
            "user": act.user,
            "agency": act.agency,
            "role": act.role,
            "at": act.at,
            "reason": act.reason,
        }
        for act in one.acts
    ]
    rows: list[dict[str, Any]] = [{**proposed, "reason": one.reason}, *acts]
    return [
        {**row, "who": f"{names.get(row['user'], row['user'])}, {say(row['role'])}, {say(row['agency'])}"}
        for row in rows
    ]


def _stop(reference: str, version: str, values: dict[str, str], errors: dict[str, str]) -> str:
    one = enacting.written_now(hub_of(), reference, version)
    proposals.require_keeper(context_of(), one)
    return render_template(
        "agreement_suspend.html",
        back_href=f"/agreements/{reference}/{version}",
        title_of=one.title,
        name=f"{reference} version {version}",
        values=values,
        errors=errors,
    )


def _sign(reference: str, version: str, values: dict[str, str], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    one = enacting.written_now(hub, reference, version)
    proposals.require_keeper(ctx, one)
    return render_template(
        "agreement_sign.html",
        back_href=f"/agreements/{reference}/{version}",
        name=f"{reference} version {version}",
        file_name=f"{reference}-{version}.toml",
        file_href=f"/agreements/{reference}/{version}/file",
        agency=ctx.actor.agency,
        may=signatures.may_sign(hub, ctx, one),
        values=values,
        errors=errors,
    )


def _changes(changes: tuple[Change, ...]) -> list[dict[str, str]]:
    """Each change in words; that a new version begins unsigned is said once and not of every party."""
    if any(one.new_version for one in changes):
        changes = tuple(one for one in changes if one.new_version or one.where == "title")
    return [
        {
            "where": one.where,
            "before": one.before,
            "after": one.after,
            "why": ("New signatures are needed: " if one.new_version else "No new signatures: ") + one.why,
        }
        for one in changes
    ]


def _few(count: int, one: str = "") -> str:
    """A count and what was counted, which nobody reads as one family's."""
    if 0 < count < FEW:
        return f"fewer than {FEW} {one}s" if one else f"fewer than {FEW}"
    return count_words(count, one) if one else f"{count:,}"


def impact_words(impact: Impact, say: Any) -> dict[str, Any]:
    """Counts in words: few are not told from fewer, nor can they be had by taking what is shown from the sum."""
    counts = [count for cell in impact.cells for count in (cell.more, cell.less)]
    large = sum(count for count in counts if count >= FEW)
    hidden = any(0 < count < FEW for count in counts)
    return {
        "whole": impact.whole,
        "disclosures": _few(impact.disclosures, "disclosure"),
        "affected": _few(impact.affected),
        "decisions": _few(impact.decisions, "decision"),
        "changed": (f"at least {large:,}" if large else "a few") if hidden else _few(impact.changed),
        "cells": [
            {
                "owner": say(cell.owner),
                "recipient": say(cell.recipient),
                "category": say(DataCategory(cell.category)),
                "purpose": say(Purpose(cell.purpose)),
                "more": _few(cell.more),
                "less": _few(cell.less),
            }
            for cell in impact.cells
        ],
    }
