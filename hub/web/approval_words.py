"""What the pages about approval say: requests, answers and items in plain words.

For: `hub/web/approvals.py`. Must never name a person to somebody whom they were not shown to.
"""

from collections.abc import Mapping
from typing import Any

from hub.approvals.answering import Opened, Waiting
from hub.approvals.asking import Askable
from hub.approvals.form import GRANTED, PROPOSED, REDACTED, REFUSED
from hub.approvals.using import ENDED, HOLDS, NO, NOTHING, USED, WAITS, YES, Standing
from hub.assembly import Hub
from hub.context import RequestContext
from hub.words import CATEGORY_WORDS, CIRCUMSTANCE_WORDS, PURPOSE_WORDS, ROLE_WORDS
from policies.vocabulary import ApprovalKind, Circumstance, DataCategory, Role

KIND_WORDS: Mapping[ApprovalKind, str] = {
    ApprovalKind.OVERRIDE: "Decision maker's approval",
    ApprovalKind.OWNER_RELEASE: "Release by the agency that holds it",
    ApprovalKind.ONE_OFF: "One-off release: no agreement covers it",
    ApprovalKind.CODE_C_RELEASE: "Release of police intelligence",
}
STATE_WORDS: Mapping[str, str] = {
    WAITS: "Waits for an answer",
    HOLDS: "Approved, not looked at yet",
    NO: "Not approved",
    NOTHING: "Answered: nothing is released",
    ENDED: "Approved, but its time is over",
    USED: "Approved and looked at",
}
ANSWER_WORDS: Mapping[str, str] = {
    GRANTED: "may be shown",
    REDACTED: "may be shown in part",
    REFUSED: "is not released",
    PROPOSED: "is not decided yet",
}


def ask_view(hub: Hub, one: Standing, family: Mapping[str, str]) -> dict[str, Any]:
    """One of the reader's own requests."""
    ask = one.ask
    return {
        "id": ask.id,
        "what": KIND_WORDS[ask.kind],
        "who": family.get(ask.person, "Somebody in this enquiry"),
        "by": _name(hub, ask.answering),
        "state": STATE_WORDS[one.state],
        "holds": one.state == HOLDS,
        "waits": one.state == WAITS,
        "asked_at": ask.asked_at,
        "due_at": ask.due_at,
        "until": min((r["expires_at"] for r in one.answers.values() if r["expires_at"]), default=None),
        "parts": sorted(
            {
                f"{_category(r['category'])} {ANSWER_WORDS[r['outcome']]}"
                for r in one.answers.values()
                # What an owner holds back with grounds is told to the decision maker only (rule P24).
                if r["category"] and (r["outcome"] in YES or ask.asked_role == Role.MASH_DECISION_MAKER)
            }
        ),
    }


def askable_view(hub: Hub, one: Askable, family: Mapping[str, str]) -> dict[str, Any]:
    """One thing that could be asked for, as a choice."""
    agencies = sorted({_name(hub, line["agency"]) for line in one.lines})
    what = sorted({CATEGORY_WORDS[DataCategory(line["category"])] for line in one.lines})
    whom = (
        f"The decision maker of {_name(hub, one.answering)} answers, about what is held by: {', '.join(agencies)}."
        if one.kind == ApprovalKind.OVERRIDE
        else f"{_name(hub, one.answering)} answers, item by item: {', '.join(what).lower()}."
    )
    return {"value": one.key, "text": f"{family.get(one.person, '')}: {KIND_WORDS[one.kind].lower()}", "hint": whom}


def waiting_view(hub: Hub, ctx: RequestContext, one: Waiting) -> dict[str, Any]:
    """One line of the queue; it names nobody."""
    ask = one.ask
    return {
        "href": f"/approvals/{ask.id}",
        "what": KIND_WORDS[ask.kind],
        "from": _name(hub, ask.asked_agency),
        "purpose": PURPOSE_WORDS[ask.purpose],
        "due_at": ask.due_at,
        "late": ask.due_at <= ctx.now,
        "proposed": one.proposed,
    }


def answer_view(hub: Hub, ctx: RequestContext, opened: Opened) -> dict[str, Any]:
    """The page of one request."""
    ask = opened.ask
    asker = hub.partners.get(ask.asked_agency)
    names = [v.text for one in opened.known_as for name, v in one.values.items() if name == "name"]
    return {
        "title": KIND_WORDS[ask.kind],
        "override": ask.kind == ApprovalKind.OVERRIDE,
        "one_off": ask.kind == ApprovalKind.ONE_OFF,
        "from": f"{opened.asked_by_name}, {ROLE_WORDS[Role(ask.asked_role)]}, {_name(hub, ask.asked_agency)}",
        "purpose": PURPOSE_WORDS[ask.purpose],
        "asked_at": ask.asked_at,
        "due_at": ask.due_at,
        "form": opened.form,
        "known_as": names[0] if names else None,
        "call_back": asker.contact.in_hours if asker else None,
        "agencies": sorted({_name(hub, line["agency"]) for line in ask.lines}),
        "what": sorted({_category(line["category"]) for line in ask.lines}),
        "circumstances": [
            {
                "words": CIRCUMSTANCE_WORDS[Circumstance(f.code)],
                "reason": f.reason,
                "by": ROLE_WORDS[f.by_role],
                "at": f.at,
            }
            for f in opened.circumstances
        ],
        "own_enquiry": f"/enquiries/{ask.enquiry}" if ask.asked_agency == ctx.actor.agency else None,
        "unreached": opened.unreached,
        "proposed": bool(opened.proposals),
        "items": [
            {
                "mark": mark,
                "category": _category(one.category),
                "on": one.occurred_on,
                "fields": [
                    {"name": name, "value": value.text, "passes": name in ask.opens.get(one.category, ())}
                    for name, value in one.values.items()
                ],
                "why": opened.proposals.get(mark),
            }
            for mark, one in zip(opened.marks, opened.items, strict=True)
        ],
        "whys": sorted(opened.proposals.values()),
    }


def _name(hub: Hub, agency: str) -> str:
    return hub.partners[agency].name if agency in hub.partners else agency


def _category(code: str | None) -> str:
    return CATEGORY_WORDS[DataCategory(code)] if code else ""
