"""Who may see what, as tables: the second opinion that the matrix of access is judged by.

For: an answer to "what should this request get?" that shares nothing with the hub or its rules: it reads the tables
beside it, written by hand from the decision rules and the list of pages, and imports neither `hub` nor `policies`.
Must never learn from the product: where they differ, the decision rules say which of the two is wrong.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
OPEN = "open"
#: How a session can stand, other than well, and what it gets at every door that is not open.
STANDINGS = {
    "nobody": "sign-in",
    "signed out": "sign-in",
    "idle too long": "sign-in",
    "signed in elsewhere": "sign-in",
    "role ended": "role-ended",
    "a machine": "sign-in",  # Its signed assertion opens its own door and nobody else's.
}
#: Where a machine is known by its assertion; without one it is told 401, like whoever has none.
MACHINES_DOOR = "/fhir/Patient/$person-info-query"
#: Pages of information governance that are about nothing in particular: they ask for a strong sign-in too (P02).
DESKS = ("/ig", "/ig/check", "/refusals", "/ig/alerts", "/ig/when", "/ig/when/<agency>/<hour>")
HOW_TO_ADD = """
These doors of the application have no row in tests/access/doors.csv: {missing}
These rows have no door any more: {gone}
To mend it, in a minute: tests/access/doors.csv gets one line per door (and loses those of doors that are gone):
    door,with,who,about,answer,empty,closed
    door     "METHOD /rule" exactly as written above
    with     values for the rule's placeholders that are not the thing itself, as name=value; one line for each value
    who      a group of tests/access/groups.csv ("open" needs no sign-in); add a group there if none fits
    about    what the placeholder names: enquiry, receipt, entry, task, pair or person - or nothing
    answer   the status for somebody who may, who sends an empty form (several: 200 303); for an enquiry also when
    empty    nobody is confirmed in it yet, and when it is
    closed   closed
If your door is about a thing of a new kind, say in tests/access/things.csv who gets it (first line that fits wins) and
make some such things in tests/access/world.py. If tasks have a new kind: tests/access/tasks.csv.
"""


@dataclass(frozen=True)
class Door:
    """One way in, with the values of its placeholders that are not the thing itself."""

    name: str
    values: Mapping[str, str]
    who: str
    about: str
    answers: Mapping[str, frozenset[int]]

    @property
    def method(self) -> str:
        return self.name.split(" ")[0]

    @property
    def rule(self) -> str:
        return self.name.split(" ")[1]


@dataclass(frozen=True)
class Who:
    """Somebody at the door. `close` are the keys of persons who are themselves or their family."""

    id: str
    role: str
    agency: str
    strong: bool = True
    standing: str = "well"
    close: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Thing:
    """What a door is asked for: the text that goes into its address or form, and the facts that decide about it."""

    about: str
    id: str
    facts: Mapping[str, str] = field(default_factory=dict)


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


@cache
def groups() -> Mapping[str, frozenset[str]]:
    """The roles of each group."""
    return {row["group"]: frozenset(row["roles"].split()) for row in _rows("groups.csv")}


def in_group(role: str, group: str) -> bool:
    """Whether a role is of a group."""
    return "*" in groups()[group] or role in groups()[group]


@cache
def doors() -> tuple[Door, ...]:
    """Every line of the table of doors."""
    return tuple(
        Door(
            name=row["door"],
            values=dict(one.split("=") for one in row["with"].split()),
            who=row["who"],
            about=row["about"],
            answers={
                state: frozenset(map(int, row[column].split()))
                for state, column in (("open", "answer"), ("empty", "empty"), ("closed", "closed"))
            },
        )
        for row in _rows("doors.csv")
    )


@cache
def claims(agency: str, role: str, stopped: frozenset[str] = frozenset()) -> frozenset[str]:
    """The purposes that the agreements, but for those that are stopped, give a role of an agency that receives."""
    return frozenset(
        purpose
        for row in _rows("claims.csv")
        if row["agreement"] not in stopped and agency in row["agencies"].split() and in_group(role, row["roles"])
        for purpose in row["purposes"].split()
    )


@cache
def agreements() -> frozenset[str]:
    """Every agreement that the table of claims knows."""
    return frozenset(row["agreement"] for row in _rows("claims.csv"))


@cache
def _lines(about: str) -> tuple[tuple[int, Mapping[str, str], str], ...]:
    return tuple(
        (number, dict(one.split("=") for one in row["when"].split()), row["verdict"])
        for number, row in enumerate(_rows("things.csv"), 2)
        if row["about"] == about
    )


@cache
def kinds() -> Mapping[str, str]:
    """Which group does each kind of task."""
    return {row["kind"]: row["roles"] for row in _rows("tasks.csv")}


@cache
def methods(rule: str) -> frozenset[str]:
    """The methods that the doors of a rule have."""
    return frozenset(door.method for door in doors() if door.rule == rule)


def judge(
    door: Door, who: Who, thing: Thing | None, *, stopped: frozenset[str] = frozenset(), method: str = ""
) -> tuple[str, frozenset[int], int]:
    """What the door should answer: a verdict, the statuses of "let-in", and the line of things.csv that decided (or 0).

    Takes: `stopped`, agreements that are not in force; `method`, when it is another than the door's own.
    Verdicts: let-in, sign-in, role-ended, not-your-role, absent, refused, no-such-method.
    """
    nothing: frozenset[int] = frozenset()
    method = method or door.method
    if method not in (*methods(door.rule), "OPTIONS") and not (
        method == "HEAD" and door.who == OPEN and "GET" in methods(door.rule)
    ):
        return "no-such-method", nothing, 0  # Before anybody is asked who they are: the same for everybody.
    if method == "OPTIONS":  # Which methods there are, never whether the thing is: nothing of it is looked up.
        thing = None
        door = replace(door, answers={"open": frozenset({200})})
    if door.who == OPEN:
        knows_it = who.standing == "a machine" and door.rule == MACHINES_DOOR and method != "OPTIONS"
        return "let-in", frozenset({422}) if knows_it else door.answers["open"], 0
    if who.standing in STANDINGS:
        return STANDINGS[who.standing], nothing, 0
    if not in_group(who.role, door.who):
        return "not-your-role", nothing, 0
    if thing is None:
        desk = door.rule in DESKS and not who.strong and method != "OPTIONS"
        return ("refused", nothing, 0) if desk else ("let-in", door.answers["open"], 0)
    about = _facts(who, thing, stopped)
    for line, when, verdict in _lines(thing.about):
        if all(about.get(name) == value for name, value in when.items()):
            return verdict, door.answers[thing.facts.get("state", "open")], line
    raise AssertionError(f"things.csv says nothing about {thing}")


def _facts(who: Who, thing: Thing, stopped: frozenset[str]) -> Mapping[str, str]:
    """The facts of a thing as they stand to this person; a fact that does not matter is left out."""
    f = dict(thing.facts)
    purpose = f.get("purpose")
    claimable = purpose in claims(who.agency, who.role, stopped)
    persons = set(f.get("persons", "").split())
    about = {
        "there": f.get("there", "yes"),
        "agency": "own" if f.get("agency") in (None, "", who.agency) else "other",
        "purpose": "mine" if purpose is None or claimable else "not-mine",
        "assurance": "strong" if who.strong else "not-strong",
        "acted": "me" if f.get("user") == who.id else "other",
        "party": "yes" if who.agency in f.get("parties", "").split() else "no",
        "role": "overseers" if in_group(who.role, "overseers") else "others",
        "done": f.get("done", "no"),
        "barred": "me" if f.get("barred") == who.id else "other",
        "about": "close" if persons & who.close else f.get("hidden", "ordinary"),
    }
    if "brought" in f:  # A task of this kind for this agency came of it.
        kind, agency = f["brought"].split(":")
        about["task"] = "mine" if agency == who.agency and in_group(who.role, kinds()[kind]) else "other"
    if f.get("given"):
        about["given"] = "me" if f["given"] == who.id else "other"
    if "kind" in f:
        about["kind"] = "mine" if in_group(who.role, kinds()[f["kind"]]) else "not-mine"
    return about
