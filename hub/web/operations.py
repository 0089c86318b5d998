"""The operator's page: every partner, how it stands, and whom to ring. Nothing about anybody."""

from typing import Any

from flask import Blueprint, render_template

from hub import operations
from hub.headers import for_roles
from hub.operations import OPERATING, Standing
from hub.web.common import context_of, hub_of

operating = Blueprint("operations", __name__)

WAY_WORDS = {
    "extract": "Drops files",
    "fhir": "FHIR service",
    "inbox": "A person at a desk",
    "mais": "Another hub",
    "rest": "JSON service",
    "sql": "Database",
}
STATE_WORDS = {
    "ASKED": "Asked as usual",
    "RESTING": "Left alone for a few seconds after faults",
    "PROBING": "Tried again with the next question",
}
TROUBLE_WORDS = {"TIMEOUT": "no answer in time", "ERROR": "down or broken off", "REFUSED": "refused us"}


@operating.get("/partners")
@for_roles(OPERATING)
def partners() -> str:
    """How each partner stands."""
    found = operations.standings(hub_of(), now=context_of().now)
    lines = [_line(one) for one in found]
    return render_template("partners.html", partners=lines, troubled=[one for one in lines if one["trouble"]])


def _line(one: Standing) -> dict[str, Any]:
    partner, health = one.partner, one.health
    in_trouble = health is not None and health.state != "ASKED"
    late = one.unfinished is not None or one.late > 0 or ("folder" in partner.reach and one.load is None)
    return {
        "name": partner.name,
        "way": WAY_WORDS[partner.way],
        "contact": partner.contact,
        "coverage": partner.coverage,
        "state": STATE_WORDS[health.state] if health else "Not asked",
        "trouble": in_trouble or late,
        "last_well": health.last_well if health else None,
        "last_trouble": health.last_trouble if health else None,
        "why": TROUBLE_WORDS.get(health.trouble or "", "") if health else "",
        "median_ms": round(health.median_s * 1000) if health and health.median_s is not None else None,
        "load": one.load,
        "drops": "folder" in partner.reach,
        "unfinished": one.unfinished,
        "by_hand": partner.way == "inbox",
        "waiting": one.waiting,
        "late": one.late,
    }
