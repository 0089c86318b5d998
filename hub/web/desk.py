"""Pages of the desk of information governance: alerts of the misuse radar, one by one until each is closed."""

import re
from typing import Any

from flask import Blueprint, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from hub.desk import alerts
from hub.desk.alerts import STATES, Act, Alert
from hub.desk.context import Context, context_of_alert
from hub.desk.heat import heat_of, looks_of
from hub.desk.raising import CLOSED
from hub.errors import FormRefused, NotFound
from hub.headers import OVERSEEING, for_roles
from hub.pictures import draw_heat
from hub.web.common import context_of, hub_of, receipt_view
from hub.web.desk_words import (
    ACT_WORDS,
    OUTCOME_CHOICES,
    OUTCOME_WORDS,
    STATE_WORDS,
    explained,
    signal_title,
    threshold_words,
)
from hub.web.proofs import KIND_WORDS, outcome_words
from hub.words import PURPOSE_WORDS, ROLE_WORDS, SIGNAL_WORDS
from policies.vocabulary import Purpose, Role

desk = Blueprint("desk", __name__)
HOUR = re.compile("1?[0-9]|2[0-3]", re.ASCII)


@desk.get("/ig/alerts")
@for_roles(OVERSEEING)
def queue() -> str:
    """Alerts that wait, the oldest first; or those of one state."""
    hub, state = hub_of(), request.args.get("state", "")
    found = alerts.queue(hub, context_of(), state if state in STATES else None)
    return render_template(
        "alerts.html",
        back_href="/ig",
        alerts=[_line(a) for a in found.alerts],
        state=state if state in STATES else "",
        states=[{"key": s, "words": STATE_WORDS[s], "count": found.counts.get(s, 0)} for s in STATES],
        behind=found.behind,
        receipt=receipt_view(found.receipt),
    )


@desk.get("/ig/alerts/<alert_id>")
@for_roles(OVERSEEING)
def one(alert_id: str) -> str:
    """One alert with its explanation filled in, and what can be done about it."""
    return _page(alert_id, {}, {})


@desk.post("/ig/alerts/<alert_id>")
@for_roles(OVERSEEING)
def act(alert_id: str) -> str | Response | tuple[str, int]:
    """Closes the alert, refers it to the worker's manager, or shuts the worker's account until one decides."""
    hub, ctx, typed = hub_of(), context_of(), request.form.to_dict()
    alert = alerts.alert_of(hub, ctx, alert_id)
    note, done = typed.get("note", ""), typed.get("done", "close")
    try:
        if done == "refer":
            alerts.refer(hub, ctx, alert, note)
        elif done == "shut":
            alerts.shut_account(hub, ctx, alert, note)
        else:
            alerts.close(hub, ctx, alert, typed.get("outcome", ""), note)
    except FormRefused as error:
        return _page(alert_id, typed, error.errors), 422
    return redirect("/ig/alerts" if done == "close" else f"/ig/alerts/{alert_id}", code=303)


@desk.get("/ig/when")
@for_roles(OVERSEEING)
def when() -> str:
    """When agencies look: a map of agency by hour, and the same as a table whose numbers lead to their looks."""
    hub = hub_of()
    found = heat_of(hub, context_of())
    rows = [
        {"code": p.code, "name": p.name, "counts": found.counts[p.code], "total": sum(found.counts[p.code].values())}
        for p in hub.partners.values()
        if p.code in found.counts
    ]
    drawn = [(p.name, found.counts[p.code]) for p in hub.partners.values() if p.code in found.counts]
    svg = Markup(draw_heat(drawn))  # noqa: S704 - every text in it is escaped
    return render_template(
        "heat.html",
        back_href="/ig",
        rows=rows,
        hours=range(24),
        svg=svg,
        first=found.first,
        last=found.last,
        receipt=receipt_view(found.receipt),
    )


@desk.get("/ig/when/<agency>/<hour>")
@for_roles(OVERSEEING)
def looks_of_an_hour(agency: str, hour: str) -> str:
    """The looks behind one number of the map."""
    hub = hub_of()
    number = int(hour) if HOUR.fullmatch(hour) else None
    looks, total, receipt = looks_of(hub, context_of(), agency, number)
    if agency not in hub.partners or number is None:
        raise NotFound("There is no such number.")
    return render_template(
        "heat_cell.html",
        back_href="/ig/when",
        agency=hub.partners[agency].name,
        hour=number,
        total=total,
        looks=[
            {
                "eid": look.eid,
                "at": look.at,
                "what": KIND_WORDS.get(look.kind, look.kind),
                "purpose": PURPOSE_WORDS[Purpose(look.purpose)]
                if look.purpose and look.purpose in Purpose.__members__
                else "",
                "outcome": outcome_words(look.outcome),
            }
            for look in looks
        ],
        receipt=receipt_view(receipt),
    )


def _page(alert_id: str, values: dict[str, str], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    alert, acts, receipt = alerts.look_into(hub, ctx, alert_id)
    context = context_of_alert(hub, alert)
    return render_template(
        "alert.html",
        back_href="/ig/alerts",
        back_text="Alerts",
        alert=_line(alert),
        sentence=SIGNAL_WORDS[alert.signal][1],
        about=_about(alert, context),
        explanation=explained(alert),
        referral=_referral(context),
        looks=[
            {"eid": row["eid"], "at": row["at"], "what": KIND_WORDS.get(row["kind"], row["kind"])}
            for row in context.looks
        ],
        more_looks=alert.count - len(context.looks),
        earlier=[
            {"id": e.id, "title": signal_title(e.signal, None), "at": e.made_at, "state": _stands(e.state, e.outcome)}
            for e in context.earlier
        ],
        acts=[_act(one, context) for one in acts],
        outcomes=OUTCOME_CHOICES,
        is_closed=alert.state == CLOSED or any(one.kind == "CLOSED" for one in acts),
        own=alert.agency == ctx.actor.agency and alert.user is not None,
        values=values,
        errors=errors,
        receipt=receipt_view(receipt),
    )


def _stands(state: str, outcome: str | None) -> str:
    return OUTCOME_WORDS.get(outcome or "", STATE_WORDS[state])


def _line(alert: Alert) -> dict[str, Any]:
    partner = hub_of().partners.get(alert.agency)
    return {
        "id": alert.id,
        "title": signal_title(alert.signal, alert.reason),
        "at": alert.at,
        "made_at": alert.made_at,
        "agency": partner.name if partner else "The hub itself",
        "role": ROLE_WORDS[Role(alert.role)] if alert.role and alert.role in Role.__members__ else "",
        "count": alert.count,
        "state": STATE_WORDS[alert.state],
        "explained": "; ".join(words for _, words in explained(alert)),
        "href": f"/ig/alerts/{alert.id}",
    }


def _about(alert: Alert, context: Context) -> list[dict[str, str]]:
    line = _line(alert)
    rows = []
    if context.user_name:
        who = ", ".join(word for word in (context.user_name, line["role"], line["agency"]) if word)
        rows.append({"label": "Worker", "text": who})
    else:
        rows.append({"label": "Agency", "text": line["agency"]})
    if context.referral is None and alert.purpose and alert.purpose in Purpose.__members__:
        rows.append({"label": "Purpose", "text": PURPOSE_WORDS[Purpose(alert.purpose)]})
    return rows


def _referral(context: Context) -> dict[str, Any] | None:
    told = context.referral
    if told is None:
        return None
    return {
        "reference": told.reference,
        "purpose": PURPOSE_WORDS[Purpose(told.purpose)] if told.purpose in Purpose.__members__ else told.purpose,
        "opened_by": None if told.opened_by == context.user_name else told.opened_by,
        "opened_at": told.opened_at,
        "closed_at": told.closed_at,
        "threshold": threshold_words(told.threshold, told.threshold_by_role),
        "people": told.people,
        "workers": told.workers,
    }


def _act(one: Act, context: Context) -> dict[str, Any]:
    return {
        "what": ": ".join(filter(None, (ACT_WORDS[one.kind], OUTCOME_WORDS.get(one.outcome or "")))),
        "by": context.names.get(one.by, one.by),
        "at": one.at,
        "note": one.note,
        "receipt": one.receipt,
    }
