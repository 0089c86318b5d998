"""Pages of the data steward: pairs in doubt, two records side by side, and all records of one person."""

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from connectors import PartialDate
from hub import flagged_joins, stewardship
from hub.errors import FormRefused
from hub.headers import STEWARDING, for_roles, take_draft
from hub.people.linking import SAME
from hub.people.review import CANNOT_TELL, Held, agreement_words, weights
from hub.people.said import best_name
from hub.pictures import Weighed
from hub.stewardship import NOT_SAME, Shown
from hub.web.common import context_of, hub_of, receipt_view
from hub.web.weighing import weighed
from hub.words import BREAK_WORDS, SEX_WORDS, day

steward = Blueprint("steward", __name__)

#: What a steward can find, and what follows.
FINDINGS = (
    (SAME, "The same person", "The records are joined, and stay joined when they change."),
    (NOT_SAME, "Not the same person", "They are never joined or proposed again. This cannot be undone."),
    (CANNOT_TELL, "Cannot tell", "The pair leaves the queue and nothing is joined."),
)
#: What is compared: the field, its words, and the parts of the comparison that speak about it.
ROWS = (
    ("name", "Name", ("given", "family", "middle")),
    ("date_of_birth", "Date of birth", ("born",)),
    ("sex", "Sex", ("sex",)),
)


@steward.get("/matching")
@for_roles(STEWARDING)
def queue() -> str:
    """What is in doubt, by agencies; nobody is named before a pair is opened."""
    return _queue(take_draft("/matching"), {})


@steward.post("/matching")
@for_roles(STEWARDING)
def find() -> str | Response | tuple[str, int]:
    """A record by its agency's own number: the way to a person who was joined wrongly."""
    typed = request.form.to_dict()
    try:
        person = stewardship.find_record(hub_of(), context_of(), typed.get("agency", ""), typed.get("record", ""))
    except FormRefused as error:
        return _queue(typed, error.errors), 422
    return redirect(f"/matching/persons/{person}", code=303)


@steward.get("/matching/pairs/<pair>")
@for_roles(STEWARDING)
def one_pair(pair: str) -> str:
    """Two records side by side, with what agrees in words."""
    return _pair(pair, take_draft(request.path), {})


@steward.post("/matching/pairs/<pair>")
@for_roles(STEWARDING)
def settle(pair: str) -> str | Response | tuple[str, int]:
    """Same, not the same, or cannot tell."""
    typed = request.form.to_dict()
    said = (typed.get("mark", ""), typed.get("outcome", ""), typed.get("rationale", ""))
    try:
        stewardship.settle(hub_of(), context_of(), pair, *said)
    except FormRefused as error:
        return _pair(pair, typed, error.errors), 422
    return redirect("/matching", code=303)


@steward.get("/matching/persons/<person>")
@for_roles(STEWARDING)
def one_person(person: str) -> str:
    """Every record that is put to one person."""
    return person_page(person, take_draft(request.path), {})


@steward.post("/matching/persons/<person>")
@for_roles(STEWARDING)
def take_out(person: str) -> str | Response | tuple[str, int]:
    """One record is about somebody else."""
    typed = request.form.to_dict()
    said = (typed.get("mark", ""), typed.get("row", ""), typed.get("rationale", ""))
    try:
        stewardship.take_out(hub_of(), context_of(), person, *said)
    except FormRefused as error:
        return person_page(person, typed, error.errors), 422
    return redirect("/matching", code=303)


def _queue(values: dict[str, str], errors: dict[str, str]) -> str:
    hub = hub_of()
    pairs = [
        {
            "href": f"/matching/pairs/{one.first.row}-{one.second.row}",
            "agencies": [_agency(one.first), _agency(one.second)],
        }
        for one in stewardship.queue(hub, context_of())
    ]
    agencies = [{"value": p.code, "text": p.name} for p in hub.partners.values()]
    return render_template("steward_queue.html", pairs=pairs, agencies=agencies, values=values, errors=errors)


def _pair(pair: str, values: dict[str, str], errors: dict[str, str]) -> str:
    shown = stewardship.open_pair(hub_of(), context_of(), pair)
    one, other = shown.records
    said = agreement_words(one.record, other.record)
    rows = [
        {
            "label": label,
            "values": [_value(shown, held, field) for held in shown.records],
            "words": _compared(shown, field, [said[part] for part in parts if part in said]),
        }
        for field, label, parts in ROWS
    ]
    return render_template(
        "steward_pair.html",
        weighed=_weighed(shown),
        sides=[{"agency": _agency(h), "others": len(h.together) - 1, "person": h.person} for h in shown.records],
        rows=rows,
        number_words=said.get("number"),
        findings=FINDINGS,
        mark=shown.mark,
        receipt=receipt_view(shown.receipt),
        values=values,
        errors=errors,
    )


def _weighed(shown: Shown) -> list[Weighed]:
    """What was compared and may be seen on both sides, with its weight."""
    one, other = (held.record for held in shown.records)
    seen = {
        part
        for field, _, parts in ROWS
        for part in parts
        if not {_value(shown, held, field) for held in shown.records} & {"Not held", "Not shown"}
    }
    return weighed(weights(one, other), seen | {"number"})


def person_page(person: str, values: dict[str, str], errors: dict[str, str]) -> str:
    """All records put to one person, with what a steward can say about them."""
    shown = stewardship.open_person(hub_of(), context_of(), person)
    records = [
        {
            "row": str(held.row),
            "agency": _agency(held),
            "facts": [{"label": label, "text": _value(shown, held, field)} for field, label, _ in ROWS],
        }
        for held in shown.records
    ]
    return render_template(
        "steward_person.html",
        person=person,
        broken=[BREAK_WORDS[rule] for rule in flagged_joins.rules_broken(hub_of(), person)],
        records=records,
        mark=shown.mark,
        receipt=receipt_view(shown.receipt),
        values=values,
        errors=errors,
    )


def _agency(held: Held) -> str:
    return hub_of().partners[held.record.agency].name


def _value(shown: Shown, held: Held, field: str) -> str:
    """One field as the permit lets it be seen."""
    if field not in shown.fields.get((held.person, held.record.agency), ()):
        return "Not shown"
    person = held.record.person
    if field == "name":
        return best_name(person.names) or "Not held"
    if field == "sex":
        return SEX_WORDS.get(person.sex_code, "Not held") if person.sex_code else "Not held"
    return _born(person.date_of_birth)


def _born(born: PartialDate | None) -> str:
    if born is None:
        return "Not held"
    if born.accuracy == "AAA":
        return day(born.date)
    return (
        f"{born.date:%B %Y}, day not certain"
        if born.accuracy[1] == "A"
        else f"{born.date.year}, day and month not certain"
    )


def _compared(shown: Shown, field: str, said: list[str]) -> str:
    """How a field compares; what may not be seen on both sides is not given away by a comparison either."""
    values = {_value(shown, held, field) for held in shown.records}
    if values & {"Not held", "Not shown"}:
        return "cannot be compared"
    return ", ".join(said) or ("equal" if len(values) == 1 else "differs")
