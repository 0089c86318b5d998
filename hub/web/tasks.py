"""The queue of what must be done, for whoever must do it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from hub import break_glass, protected_address, tasks
from hub.approvals.stored import name_of
from hub.break_glass import REVIEW, Declared
from hub.desk import alerts
from hub.desk.alerts import REFERRED
from hub.errors import FormRefused
from hub.headers import ENQUIRING, OVERSEEING, for_roles
from hub.inbox import ANSWERING, CAME_LATE, HALF_TIME, OVERDUE, UNANSWERED
from hub.notices import desks
from hub.suspension import SUSPENDED
from hub.tasks import ANSWERED, CORRECTION, DISPUTE, FINDINGS, INVESTIGATE, QUEUEING, Task
from hub.web.common import context_of, hub_of
from hub.words import SIGNAL_WORDS, TASK_WORDS
from policies.vocabulary import Role

#: What a manager's check of a dispute can find.
CHECKS = [
    {"value": "SHARE", "text": "Share, by a manager's override for each request"},
    {"value": "DO_NOT_SHARE", "text": "Do not share"},
]

#: What the review of an emergency can find.
REVIEWS = [
    {"value": "JUSTIFIED", "text": "It was justified"},
    {"value": "NOT_JUSTIFIED", "text": "It was not justified, or went too far"},
]
#: What a manager can decide about a shut account.
DECISIONS = [
    {"value": "RESTORE", "text": "Open the account again"},
    {"value": "KEEP", "text": "Keep it shut"},
]
#: What looking into a look at a protected address can find.
LOOKS = [
    {"value": "IN_ORDER", "text": "There was a reason for it"},
    {"value": "NOT_IN_ORDER", "text": "There was none, or it went too far"},
]
#: What a manager can say to information governance about a worker's look.
SAID = [
    {"value": "EXPECTED", "text": "It was to be expected of their work"},
    {"value": "NOT_EXPECTED", "text": "It was not, or I cannot tell why they did it"},
]
CHOICES = {REFERRED: SAID, DISPUTE: CHECKS, REVIEW: REVIEWS, SUSPENDED: DECISIONS, INVESTIGATE: LOOKS}
QUESTIONS = {
    REFERRED: "What do you say?",
    DISPUTE: "What did your check find?",
    REVIEW: "What did your review find?",
    SUSPENDED: "What do you decide?",
    INVESTIGATE: "What did you find?",
}

#: Parts of the queue, by when a task is due: the words of the part, and whether a task is in it.
SHOWN: dict[str, tuple[str, Callable[[Any, datetime], bool]]] = {
    "all": ("All", lambda due, now: True),
    "late": ("Late", lambda due, now: due is not None and due <= now),
    "today": ("Due within a day", lambda due, now: due is not None and now < due <= now + timedelta(days=1)),
    "later": ("Later", lambda due, now: due is None or due > now + timedelta(days=1)),
}

task_pages = Blueprint("tasks", __name__)


@task_pages.get("/tasks")
@for_roles(QUEUEING)
def queue() -> str:
    """Open tasks, the most urgent first."""
    return _page({}, {})


@task_pages.post("/tasks")
@for_roles(QUEUEING)
def done() -> str | Response | tuple[str, int]:
    """Somebody did it, and says what."""
    typed = request.form.to_dict()
    try:
        tasks.finish(hub_of(), context_of(), typed.get("task", ""), typed.get("note", ""), typed.get("outcome", ""))
    except FormRefused as error:
        return _page(typed, error.errors), 422
    return redirect("/tasks", code=303)


def _page(values: dict[str, str], errors: dict[str, str]) -> str:
    hub, ctx = hub_of(), context_of()
    found, total = tasks.open_tasks(hub, ctx)
    reviews = frozenset(t.refers for t in found if t.kind == REVIEW and t.refers)
    declared = break_glass.for_review(hub, ctx, reviews)
    looks = frozenset(t.refers for t in found if t.kind == INVESTIGATE and t.refers)
    looked = protected_address.for_investigation(hub, ctx, looks)
    asked = _asked(frozenset(t.refers for t in found if t.kind == REFERRED and t.refers))
    views = [
        {
            **_view(t, declared.get(t.refers or "")),
            "looked": looked.get(t.refers or ""),
            "asked": asked.get(t.refers or ""),
        }
        for t in found
    ]
    show = request.args.get("show", "all")
    show = show if show in SHOWN else "all"
    sorted_out = {key: [view for view in views if holds(view["due_at"], ctx.now)] for key, (_, holds) in SHOWN.items()}
    tabs = [{"key": key, "text": text, "count": len(sorted_out[key])} for key, (text, _) in SHOWN.items()]
    return render_template(
        "tasks.html",
        tasks=sorted_out[show],
        total=total,
        tabs=tabs,
        show=show,
        now=ctx.now,
        values=values,
        errors=errors,
    )


def _asked(ids: frozenset[str]) -> dict[str, dict[str, object]]:
    """What information governance asks a manager: about whom, what and when; never about which family."""
    hub = hub_of()
    return {
        id_: {
            "who": name_of(hub, alert.user) if alert.user else "",
            "what": SIGNAL_WORDS[alert.signal][1],
            "at": alert.at,
            "question": question,
        }
        for id_, (alert, question) in alerts.referred(hub, ids).items()
    }


def _enquiry_page(task: Task, role: Role) -> str | None:
    if not task.enquiry or role not in ENQUIRING:
        return None
    pages = {UNANSWERED: "who", CAME_LATE: "who", ANSWERED: "approvals", desks.CHANGED: "who"}
    page = pages.get(task.kind, "consent")
    return f"/enquiries/{task.enquiry}/{page}"


def _view(task: Task, declared: Declared | None) -> dict[str, Any]:
    title, what = TASK_WORDS[task.kind]
    role = context_of().actor.role
    return {
        "id": task.id,
        "choices": CHOICES.get(task.kind),
        "question": QUESTIONS.get(task.kind),
        "asks_why": task.kind in FINDINGS,
        "about": name_of(hub_of(), task.refers) if task.kind == SUSPENDED and task.refers else None,
        "declared": declared,
        "title": title,
        "what": what,
        "made_at": task.made_at,
        "due_at": task.due_at,
        "late": task.due_at is not None and task.due_at <= context_of().now,
        "reference": task.reference,
        "href": _enquiry_page(task, role),
        "answer": f"/corrections/{task.refers}" if task.kind == CORRECTION else None,
        "request": task.refers if task.kind in (HALF_TIME, OVERDUE) and role in ANSWERING else None,
        "notice": f"/notices/{task.refers}" if task.kind in desks.KINDS and task.refers else None,
        "entry": f"/ig/entries/{task.receipt}" if task.kind == REVIEW and role in OVERSEEING else None,
        "receipt": task.receipt if len(task.receipt) == 32 else None,
    }
