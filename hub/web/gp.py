"""The GP check: one field, one button, one large word."""

from flask import Blueprint, render_template, request

from hub import questions
from hub.checks import GpCheck
from hub.errors import FormRefused
from hub.headers import CHECKING, for_roles, take_draft
from hub.web.common import context_of, hub_of, receipt_view
from hub.words import GP_ANSWER_WORDS

gp = Blueprint("gp", __name__)


@gp.get("/gp-check")
@for_roles(CHECKING)
def ask() -> str:
    """The empty form."""
    return render_template("gp_check.html", values=take_draft("/gp-check"), errors={})


@gp.post("/gp-check")
@for_roles(CHECKING)
def answer() -> str | tuple[str, int]:
    """The answer, or the form again with what was typed."""
    typed = request.form.get("nhs_number", "")
    try:
        check = questions.package_check(hub_of(), context_of(), typed)
    except FormRefused as error:
        return render_template("gp_check.html", values={"nhs_number": typed}, errors=error.errors), 422
    return render_template(
        "gp_answer.html", answer=_view(check), receipt=receipt_view(check.receipt), values={}, form_action="/gp-check"
    )


@gp.get("/gp-check/round")
@for_roles(CHECKING)
def ask_round() -> str:
    """The empty form for several patients."""
    return render_template("gp_round.html", values=take_draft("/gp-check/round"), errors={}, lines=None)


@gp.post("/gp-check/round")
@for_roles(CHECKING)
def answer_round() -> str | tuple[str, int]:
    """One answer a line."""
    typed = request.form.get("numbers", "")
    try:
        found = questions.ward_round(hub_of(), context_of(), typed)
    except FormRefused as error:
        return render_template("gp_round.html", values={"numbers": typed}, errors=error.errors, lines=None), 422
    lines = [
        {
            "typed": line.typed,
            "problem": line.problem,
            "answer": _view(line.check) if line.check else None,
            "receipt": line.check.receipt.eid if line.check else None,
        }
        for line in found
    ]
    return render_template("gp_round.html", values={}, errors={}, lines=lines)


def _view(check: GpCheck) -> dict[str, object]:
    word, sentence = GP_ANSWER_WORDS[check.answer]
    return {
        "code": check.answer,
        "word": word,
        "sentence": sentence,
        "as_of": check.as_of,
        "phone": check.phone,
        "phone_label": check.phone_label,
    }
