"""Every role at every door with every thing: what the application answers, held against the oracle.

For: finding the one request in a hundred thousand that shows something to the wrong person. Cases are drawn without
repetition from all of them, the same ones for the same seed; a person who is let in sends the empty form, so that no
case changes what another is about.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from hub.web.look import hashed_names
from policies import SharingAgreement, with_status
from policies.vocabulary import AgreementStatus
from tests.access import oracle
from tests.access.oracle import Door, Thing, Who
from tests.access.world import CLOSE, NOTE, World, sign_in
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, with_parts

AGENCIES = ("csc", "asc", "police", "gp-millbrook", "gp-harbourside", "hv", "housing", "sms", "school")
#: Enquiries are what most doors and most harm are about.
SHARE_OF_ENQUIRIES = 0.75
#: Of the cases, how many try another method than the door's own.
SHARE_OF_OTHER_METHODS = 0.05
OTHER_METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE")
#: The agreements of the table of claims, as the demonstration's files name them.
REFERENCES = {
    "safeguarding": "THORN-MASH",
    "early help": "THORN-EARLY-HELP",
    "matching": "THORN-MATCHING",
    "GP check": "THORN-GP-CHECK",
    "safeguarding adults": "THORN-ADULTS",
}
#: What differs between two answers that say the same.
LEVELLED = (
    (rb"nonce-?=?\"?[A-Za-z0-9_-]{20,}", b"NONCE"),
    (rb'name="csrf_token" value="[^"]*"', b"TOKEN"),
    (rb'"trace_id": ?"[0-9a-f]+"', b"TRACE"),
    (rb'kith-code">[0-9a-f]{8,32}<', b"REFERENCE"),
)


#: Kinds of entry that stand for something shown to whoever asked.
SHOWING = frozenset({"search", "disclosure:made", "check", "export", "audit:read", "match:proposed"})


@dataclass(frozen=True)
class Case:
    """One request: who, at which door, asking for what."""

    who: Who
    door: Door
    thing: Thing | None
    method: str = ""


@dataclass(frozen=True)
class Circumstance:
    """How some agreements stand while cases are played; the others are in force."""

    words: str
    stopped: frozenset[str] = frozenset()
    change: Callable[[SharingAgreement, date], SharingAgreement] = lambda one, _: one


def _expired(one: SharingAgreement, today: date) -> SharingAgreement:
    return replace(one, head=replace(one.head, expires_on=today - timedelta(days=1)))


def _not_begun(one: SharingAgreement, today: date) -> SharingAgreement:
    return replace(one, head=replace(one.head, effective_from=today + timedelta(days=1)))


def _suspended(one: SharingAgreement, _: date) -> SharingAgreement:
    return with_status(one, AgreementStatus.SUSPENDED)


IN_FORCE = Circumstance("every agreement in force")
ALL = oracle.agreements()
CIRCUMSTANCES = (
    IN_FORCE,
    Circumstance("every agreement expired yesterday", ALL, _expired),
    Circumstance("every agreement suspended", ALL, _suspended),
    Circumstance("the safeguarding agreement suspended", frozenset({"safeguarding"}), _suspended),
    Circumstance("early help and matching expired", frozenset({"early help", "matching"}), _expired),
    Circumstance("safeguarding adults begins tomorrow", frozenset({"safeguarding adults"}), _not_begun),
)
#: Of the cases, how many are played while every agreement is in force; the other circumstances share the rest.
SHARE_IN_FORCE = 0.8


@dataclass
class Report:
    """What came of the cases."""

    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    lines: Counter[int] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    #: Doors whose answer showed something that is on record, without the number of its record, and those with it.
    without_receipt: set[str] = field(default_factory=set)
    with_receipt: set[str] = field(default_factory=set)


def doors_of(app: Any) -> set[str]:
    """Every way in that the application really has."""
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def require_a_row_for_every_door(app: Any) -> None:
    """Raises AssertionError, with how to mend it, when table and application differ."""
    real, told = doors_of(app), {door.name for door in oracle.doors()}
    if real != told:
        raise AssertionError(oracle.HOW_TO_ADD.format(missing=sorted(real - told), gone=sorted(told - real)))


def people(world: World, roles: tuple[str, ...], agencies: tuple[str, ...] = AGENCIES) -> list[Who]:
    """A worker of each role at each agency, some with a weak sign-in, some close to a family; and the makers."""
    found = [Who(f"{role} at {agency}", role, agency) for role in roles for agency in agencies]
    weak = [replace(who, id=who.id + ", weak", strong=False) for who in found if who.agency == "csc"]
    close = [replace(who, id=who.id + ", close", close=CLOSE) for who in found if who.agency == "csc"]
    machine = Who("a machine", "MASH_SOCIAL_WORKER", "csc", standing="a machine")
    return [*found, *weak, *close, machine, machine, *(who for who, _ in world.made_by.values())]


def shares(cases: int) -> list[tuple[Circumstance, int]]:
    """How many cases are played in each circumstance."""
    rest = int(cases * (1 - SHARE_IN_FORCE)) // (len(CIRCUMSTANCES) - 1)
    return [(IN_FORCE, cases - rest * (len(CIRCUMSTANCES) - 1)), *((one, rest) for one in CIRCUMSTANCES[1:])]


def one_of_each(cases: list[Case], stopped: frozenset[str] = frozenset(), times: int = 1) -> list[Case]:
    """Of many cases so many of each kind: the same door, the same verdict by the same line, the same state."""
    found: Counter[tuple[object, ...]] = Counter()
    kept = []
    for case in cases:
        before, _, _ = oracle.judge(case.door, case.who, case.thing, method=case.method)
        verdict, _, line = oracle.judge(case.door, case.who, case.thing, stopped=stopped, method=case.method)
        state = case.thing.facts.get("state") if case.thing and verdict == "let-in" else None
        kind = (case.door.name, str(case.door.values), case.method, before, verdict, line, state)
        found[kind] += 1
        if found[kind] <= times:
            kept.append(case)
    return kept


def draw(world: World, everybody: list[Who], cases: int, seed: int) -> list[Case]:
    """So many different cases; of those who may pass a door more than of the others, and every kind of thing."""
    rng = random.Random(seed)
    about_enquiries = [door for door in oracle.doors() if door.about == "enquiry"]
    others = [door for door in oracle.doors() if door.about != "enquiry"]
    found: dict[tuple[str, ...], Case] = {}
    tries = 0
    while len(found) < cases:
        tries += 1
        if tries > cases * 50:
            raise AssertionError(f"There are not so many cases: {len(found)} of {cases}.")
        door = rng.choice(about_enquiries if rng.random() < SHARE_OF_ENQUIRIES else others)
        thing = rng.choice(_things(world, door)) if door.about else None
        who = _somebody(rng, everybody, door, thing)
        method = rng.choice(OTHER_METHODS) if rng.random() < SHARE_OF_OTHER_METHODS else ""
        if method in oracle.methods(door.rule):  # A door of its own.
            continue
        key = (who.id, door.name, str(door.values), thing.id if thing else "", method)
        found[key] = Case(who, door, thing, method)
    # Closing is the one act that an empty form completes, so it comes last.
    return sorted(found.values(), key=lambda case: case.door.rule.endswith("/close"))


def _things(world: World, door: Door) -> list[Thing]:
    if door.rule.endswith("/close"):
        return [t for t in world.things["enquiry"] if t.facts.get("state") != "open" or "closing" in t.facts]
    return world.things[door.about]


def _somebody(rng: random.Random, everybody: list[Who], door: Door, thing: Thing | None) -> Who:
    pool = everybody
    if door.who != oracle.OPEN and rng.random() < 0.7:
        pool = [who for who in pool if oracle.in_group(who.role, door.who)] or pool
    agency = thing.facts.get("agency") if thing else None
    if agency and rng.random() < 0.4:
        pool = [who for who in pool if who.agency == agency] or pool
    return rng.choice(pool)


class Matrix:
    """Plays cases in a world and keeps the score."""

    def __init__(self, world: World, circumstance: Circumstance = IN_FORCE, report: Report | None = None) -> None:
        self.world, self.circumstance = world, circumstance
        self.gate = _while(circumstance, world.gate) if circumstance.stopped else world.gate
        self.report = report or Report()
        self._visitors: dict[str, Visitor] = {who.id: visitor for who, visitor in world.made_by.values()}
        self._tokens: dict[str, str] = {}
        self._absent: dict[tuple[str, str], bytes] = {}

    def play(self, cases: list[Case]) -> Report:
        """Plays them all; differences are told, not raised."""
        for case in cases:
            self._one(case)
        return self.report

    def _one(self, case: Case) -> None:
        stopped = self.circumstance.stopped
        verdict, statuses, line = oracle.judge(case.door, case.who, case.thing, stopped=stopped, method=case.method)
        trail = self.gate.hub.trail
        before = trail.head().size
        answer = self.knock(case)
        told = [entry.eid for entry in trail.events(before) if entry.kind in SHOWING]
        if told and answer.status_code == 200:
            carries = any(eid.encode() in answer.data for eid in told)
            (self.report.with_receipt if carries else self.report.without_receipt).add(case.door.name)
        said = said_by(answer)
        if (
            (case.thing is None or case.method == "OPTIONS")
            and said in ("absent", "sign-in")
            and answer.status_code in statuses
        ):
            said = "let-in"  # What the door itself answers whoever may pass it, by a status of its own line.
        if door_of_leaving(case, answer):
            said = verdict
        right = said == verdict and (verdict != "let-in" or answer.status_code in statuses)
        if right and verdict == "absent":
            right = self._like_any_other_absent(case, answer)
            said = "absent, but not like what was never there"
        if right and (verdict == "no-such-method" or case.method == "HEAD"):
            right = not answer.data or answer.status_code == 405
            said = "something where nothing may be"
        self.report.cases += 1
        self.report.verdicts[verdict] += 1
        self.report.lines[line] += 1
        if not right:
            again = self.knock(case).status_code
            wanted = f"{verdict} {sorted(statuses) if verdict == 'let-in' else ''}"
            self.report.differences.append(
                f"{case.who.id} ({case.who.standing}) at {case.method} {case.door.name} {dict(case.door.values)} with "
                f"{case.thing}, {self.circumstance.words}: "
                f"the oracle says {wanted}, the application {said} {answer.status_code}, asked again {again}"
            )

    def knock(self, case: Case) -> Any:
        """Sends the case's request: the thing in the address, or in the form where the address has no place for it."""
        door, thing = case.door, case.thing
        path = door.rule
        for name in re.findall(r"<([^>]+)>", door.rule):
            value = door.values.get(name, thing.id if thing else "0" * 32)
            value = hashed_names()["kith.css"] if value == "STYLESHEET" else value
            path = path.replace(f"<{name}>", quote(value, safe=""))
        form = (
            {"task": thing.id, "note": NOTE, "outcome": "no such outcome"} if thing and door.about == "task" else None
        )
        method = case.method or door.method
        if case.who.standing == "a machine":
            signed = {"Authorization": self.world.machine.authorization(self.gate.hub.clock(), b"{}")}
            kind = "application/fhir+json"
            return self.gate.house.app.test_client().open(
                path,
                method=method,
                headers=signed,
                **({"data": b"{}", "content_type": kind} if method == "POST" else {}),
            )
        if door.who == oracle.OPEN:
            return self.gate.house.app.test_client().open(path, method=method)
        if door.rule == "/sign-out" and not case.method:  # Whoever signs out is somebody else's next case.
            return self._fresh(case.who).post(path)
        visitor = self._visitor(case.who)
        if door.rule.startswith("/api/") and method == "POST":
            headers = {"X-CSRF-Token": self._tokens[case.who.id], "Idempotency-Key": uuid4().hex}
            return visitor.client.post(path, json=_asked_of_api(door.rule), headers=headers)
        headers = {} if method in ("GET", "HEAD", "OPTIONS") else {"X-CSRF-Token": self._tokens[case.who.id]}
        return visitor.client.open(path, method=method, data=form, headers=headers)

    def _visitor(self, who: Who) -> Visitor:
        if who.id not in self._visitors or who.id not in self._tokens:
            visitor = self.world.visitors.get(who.id) or self._visitors.get(who.id) or sign_in(self.world.gate, who)
            self.world.visitors[who.id] = visitor
            if self.circumstance.stopped:
                visitor = _same_browser(visitor, self.gate.house)
            self._tokens[who.id] = visitor.token()
            self._visitors[who.id] = visitor
        return self._visitors[who.id]

    def _fresh(self, who: Who) -> Visitor:
        visitor = sign_in(self.gate, replace(who, id=who.id + " leaving"))
        assert visitor.token()
        return visitor

    def _like_any_other_absent(self, case: Case, answer: Any) -> bool:
        """Whether this absence reads, to the byte, like that of something that never was."""
        body = answer.data
        for pattern, word in LEVELLED:
            body = re.sub(pattern, word, body)
        key = (case.who.id, case.door.name + str(case.door.values))
        if key not in self._absent:
            never = self.knock(replace(case, thing=Thing(case.door.about, "EN-ffffffffffffffff", {"there": "no"}))).data
            for pattern, word in LEVELLED:
                never = re.sub(pattern, word, never)
            self._absent[key] = never
        return body == self._absent[key]


def _asked_of_api(rule: str) -> dict[str, Any]:
    """A well-formed request that names somebody else than the enquiry does, or the empty one."""
    under = {"purpose": "DATA_MATCHING", "agreement": "THORN-MASH/2"}
    if rule.endswith(("/known-to", "/picture", "/consents")):
        return {**under, "subject": "p" + "0" * 16}
    if rule.endswith("/candidates"):
        return {**under, "subject": {"nhs_number": "9997000048"}}
    return {"candidate": "nobody"} if rule.endswith("/persons") else {}


def door_of_leaving(case: Case, answer: Any) -> bool:
    """Whether a machine was sent away from where people sign out: they are sent to the same page."""
    leaving = case.door.rule == "/sign-out" and case.who.standing == "a machine" and not case.method
    return leaving and answer.status_code == 303 and not answer.headers.getlist("Set-Cookie")


def said_by(answer: Any) -> str:
    """What an answer says, in the oracle's words."""
    if answer.status_code == 401 or (answer.status_code == 303 and answer.headers["Location"] == "/sign-in"):
        return "let-in" if answer.request.path == "/sign-out" else "sign-in"
    if answer.status_code == 403 and "This page is not part of your role." in answer.text:
        return "not-your-role"
    if answer.status_code == 403 and "your role has ended" in answer.text:
        return "role-ended"
    if answer.status_code == 403 and "This is not part of your role." in answer.text:
        return "refused"
    if answer.status_code == 405:
        return "no-such-method"
    if answer.status_code == 404 and not answer.request.path.startswith("/static/") and not _within(answer.text):
        return "absent"
    return "let-in"


#: Sentences of 404 pages within an enquiry to which the reader has got in.
WITHIN = (
    "This enquiry has no confirmed person yet.",
    "There is no such answer.",
    "There is no such document for you in this enquiry.",
    "There is no such piece.",
)


def _within(page: str) -> bool:
    return any(sentence in page for sentence in WITHIN)


def standings(world: World) -> Iterator[tuple[str, Visitor, Who]]:
    """People whose session does not stand well, one of each kind; the clock is ahead for two of them."""
    gate, hub = world.gate, world.gate.hub
    who = Who("somebody in between", "MASH_SOCIAL_WORKER", "csc")
    yield "nobody", Visitor(gate.house), who
    left = sign_in(gate, who)
    left.post("/sign-out")
    yield "signed out", left, who
    earlier = sign_in(gate, who)
    sign_in(gate, who)
    yield "signed in elsewhere", earlier, who
    ended = sign_in(gate, replace(who, id="somebody whose role ends"))
    with ended.client.session_transaction() as session:
        session["actor"] = {**session["actor"], "role_until": (hub.clock() + timedelta(minutes=1)).isoformat()}
    idle = sign_in(gate, replace(who, id="somebody idle"))
    gate.house.clock.ahead = timedelta(minutes=2)
    yield "role ended", ended, who
    gate.house.clock.ahead = timedelta(hours=11)
    yield "idle too long", idle, who
    gate.house.clock.ahead = None


def closed_doors() -> Mapping[str, Door]:
    """One line of the table for each door that needs a sign-in."""
    return {door.name: door for door in oracle.doors() if door.who != oracle.OPEN and door.rule != "/sign-out"}


def _while(circumstance: Circumstance, gate: Gate) -> Gate:
    """The same house while some of the agreements stand otherwise."""
    today = gate.hub.clock().date()
    names = {REFERENCES[name] for name in circumstance.stopped}
    agreements = tuple(
        circumstance.change(one, today) if one.reference in names else one for one in gate.hub.agreements
    )
    return Gate(with_parts(gate.house, agreements=agreements), gate.provider, gate.issuers_file)


def _same_browser(visitor: Visitor, house: House) -> Visitor:
    other = Visitor(house)
    cookie = visitor.client.get_cookie("kith")
    assert cookie is not None
    other.client.set_cookie("kith", cookie.value)
    return other
