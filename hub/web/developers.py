"""The reference of the interface, for those who write partners' systems: made from the operations, open to read.

For: developers. Must never say anything by hand that the code could say, and nothing about anybody.
"""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, render_template
from marshmallow import Schema, fields

from hub.api import describe
from hub.api.examples import BEGINNINGS, EXAMPLES
from hub.api.operations import OPERATIONS, Operation
from hub.api.problems import KINDS
from hub.errors import NotFound
from hub.headers import open_to_all
from hub.web.common import hub_of
from hub.words import ROLE_WORDS
from policies.vocabulary import Role

developers = Blueprint("developers", __name__)

KIND_WORDS = (
    (fields.Nested, "object"),
    (fields.List, "list"),
    (fields.Enum, "code"),
    (fields.AwareDateTime, "date and time"),
    (fields.Date, "date"),
    (fields.Boolean, "true or false"),
    (fields.Integer, "whole number"),
    (fields.Dict, "object"),
    (fields.String, "text"),
)


@developers.get("/developers")
@open_to_all
def reference() -> str:
    """How to begin, every operation, and every problem."""
    return render_template(
        "developers.html",
        operations=[_head(one) for one in OPERATIONS.values()],
        scopes=describe.SCOPE_WORDS.items(),
        problems=[{"name": name, "kind": kind} for name, kind in KINDS.items()],
        base_url=hub_of().settings.base_url,
    )


@developers.get("/developers/<name>")
@open_to_all
def operation(name: str) -> str:
    """One operation: what it takes, what it answers, what can go wrong, and an example."""
    found = OPERATIONS.get(name)
    if found is None:
        raise NotFound("There is no such operation.", next_steps=("Go back to the list of operations.",))
    whose, example = EXAMPLES[name]
    everybody = found.roles == frozenset(Role)
    return render_template(
        "developers_operation.html",
        back_href="/developers",
        one=_head(found),
        text=found.text,
        once=found.once,
        paged=found.paged,
        roles=[] if everybody else [ROLE_WORDS[role] for role in Role if role in found.roles],
        asks=list(_rows(found.asks())) if found.asks else [],
        answers=list(_rows(found.answers())),
        problems=[{"name": kind, "kind": KINDS[kind]} for kind in describe.problems_of(found)],
        example=BEGINNINGS[whose] + "\n" + example,
    )


@developers.get("/problems/<kind>")
@open_to_all
def problem(kind: str) -> str:
    """What a problem means: the page that its `type` leads to."""
    if kind not in KINDS:
        raise NotFound("There is no such problem.", next_steps=("Go back to the list of problems.",))
    return render_template("developers_problem.html", back_href="/developers#problems", name=kind, kind=KINDS[kind])


def _head(one: Operation) -> dict[str, Any]:
    return {"name": one.name, "method": one.method, "path": one.path, "summary": one.summary, "scope": one.scope}


def _rows(schema: Schema, path: str = "", depth: int = 0) -> Iterator[dict[str, Any]]:
    """Each field with its path, kind, whether it is needed, and what it means."""
    for name, field in schema.fields.items():
        where = f"{path}.{name}" if path else name
        inner = field.inner if isinstance(field, fields.List) else field
        yield {
            "path": where,
            "kind": _kind(field),
            "needed": field.required,
            "text": str(field.metadata.get("description", "")),
            "values": _values(inner),
        }
        if isinstance(inner, fields.Nested) and depth < 2:
            yield from _rows(inner.schema, where, depth + 1)


def _kind(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.List):
        return f"list of {_kind(field.inner)}"
    return next(words for kind, words in KIND_WORDS if isinstance(field, kind))


def _values(field: fields.Field[Any]) -> list[str]:
    """The codes of a field, where there are few enough to read."""
    given = field.metadata.get("enum")
    if given is None and isinstance(field, fields.Enum):
        given = [str(one) for one in field.enum]
    return list(given) if given and len(given) <= 8 else []
