"""The GP check, for a practice's own system: of one patient, or of a list."""

from typing import Any

from flask import Blueprint

from hub import questions, under_agreement
from hub.api import problems, shown
from hub.api.operations import operation
from hub.api.schemas import GpCheckAnswered, GpCheckAsked, GpChecksAnswered, GpChecksAsked
from hub.errors import FormRefused
from hub.headers import CHECKING
from hub.web.common import context_of, hub_of

checks_api = Blueprint("checks_api", __name__)


@operation(
    checks_api,
    "POST /api/v1/gp-check",
    "gpCheck",
    asks=GpCheckAsked,
    answers=GpCheckAnswered,
    roles=CHECKING,
    scope="gp-check",
    once=True,
    refuses=("agreement",),
)
def gp_check(asked: dict[str, Any]) -> dict[str, Any]:
    """Does this registered patient have a social-care package?

    One of five answers. A patient who is not on the practice's list, who objected or whom nobody knows is answered
    alike: NOT_AVAILABLE.
    """
    hub, ctx = hub_of(), context_of()
    under_agreement.require(hub, ctx, asked["agreement"], asked["purpose"])
    return shown.check(questions.package_check(hub, ctx, asked["subject"]["nhs_number"]))


@operation(
    checks_api,
    "POST /api/v1/gp-checks",
    "gpCheckMany",
    asks=GpChecksAsked,
    answers=GpChecksAnswered,
    roles=CHECKING,
    scope="gp-check",
    once=True,
    refuses=("agreement",),
)
def gp_checks(asked: dict[str, Any]) -> dict[str, Any]:
    """The GP check of up to 20 patients, each on its own.

    A number that cannot be used costs its own answer and no other's. Each check counts against the 20 that one user
    may make in a minute, and has a receipt of its own.
    """
    hub, ctx = hub_of(), context_of()
    under_agreement.require(hub, ctx, asked["agreement"], asked["purpose"])
    return {"results": [_one(position, one["nhs_number"]) for position, one in enumerate(asked["subjects"])]}


def _one(position: int, number: str) -> dict[str, Any]:
    try:
        check = questions.package_check(hub_of(), context_of(), number)
    except FormRefused as error:
        said = problems.body_of("invalid-request", error.sentence, error)
        return {"position": position, "check": None, "problem": said}
    return {"position": position, "check": shown.check(check), "problem": None}
