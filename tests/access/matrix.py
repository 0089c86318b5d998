"""Every role at every door with every thing: what the application answers, held against the oracle.

For: finding the one request in a hundred thousand that shows something to the wrong person. Cases are drawn without
repetition from all of them, the same ones for the same seed; a person who is let in sends the empty form, so that no
case changes what another is about.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from hub.web.look import hashed_names
from tests.access import oracle
from tests.access.oracle import Door, Thing, Who
from tests.access.world import CLOSE, NOTE, World, sign_in
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, with_parts

AGENCIES = ("csc", "asc", "police", "gp-millbrook", "gp-harbourside", "hv", "housing", "sms", "school")
#: Enquiries are what most doors and most harm are about.
SHARE_OF_ENQUIRIES = 0.75
#: What differs between two answers that say the same.
LEVELLED = (
    (rb"nonce-?=?\"?[A-Za-z0-9_-]{20,}", b"NONCE"),
    (rb'name="csrf_token" value="[^"]*"', b"TOKEN"),
    (rb'"trace_id": ?"[0-9a-f]+"', b"TRACE"),
    (rb'kith-code">[0-9a-f]{8,32}<', b"REFERENCE"),
)


@dataclass(frozen=True)
class Case:
    """One request: who, at which door, asking for what."""

    who: Who
    door: Door
    thing: Thing | None


@dataclass
class Report:
    """What came of the cases."""

    cases: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    lines: Counter[int] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


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
    return [*found, *weak, *close, *(who for who, _ in world.made_by.values())]


def draw(world: World, everybody: list[Who], cases: int, seed: int) -> list[Case]:
    """So many different cases; of those who may pass a door more than of the others, and every kind of thing."""
    rng = random.Random(seed)
    about_enquiries = [door for door in oracle.doors() if door.about == "enquiry"]
    others = [door for door in oracle.doors() if door.about != "enquiry"]
    found: dict[tuple[str, str, str, str], Case] = {}
    tries = 0
    while len(found) < cases:
        tries += 1
        if tries > cases * 50:
            raise AssertionError(f"There are not so many cases: {len(found)} of {cases}.")
        door = rng.choice(about_enquiries if rng.random() < SHARE_OF_ENQUIRIES else others)
        thing = rng.choice(_things(world, door)) if door.about else None
        who = _somebody(rng, everybody, door, thing)
        key = (who.id, door.name, str(door.values), thing.id if thing else "")
        found[key] = Case(who, door, thing)
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

    def __init__(self, world: World, *, agreements_in_force: bool = True) -> None:
        self.world, self.in_force = world, agreements_in_force
        self.gate = world.gate if agreements_in_force else _after_the_agreements(world.gate)
        self.report = Report()
        self._visitors: dict[str, Visitor] = {who.id: visitor for who, visitor in world.made_by.values()}
        self._tokens: dict[str, str] = {}
        self._absent: dict[tuple[str, str], bytes] = {}

    def play(self, cases: list[Case]) -> Report:
        """Plays them all; differences are told, not raised."""
        for case in cases:
            self._one(case)
        return self.report

    def _one(self, case: Case) -> None:
        verdict, statuses, line = oracle.judge(case.door, case.who, case.thing, in_force=self.in_force)
        answer = self.knock(case)
        said = said_by(answer)
        if case.thing is None and said in ("absent", "sign-in") and answer.status_code in statuses:
            said = "let-in"  # What the door itself answers whoever may pass it, by a status of its own line.
        right = said == verdict and (verdict != "let-in" or answer.status_code in statuses)
        if right and verdict == "absent":
            right = self._like_any_other_absent(case, answer)
            said = "absent, but not like what was never there"
        self.report.cases += 1
        self.report.verdicts[verdict] += 1
        self.report.lines[line] += 1
        if not right:
            wanted = f"{verdict} {sorted(statuses) if verdict == 'let-in' else ''}"
            self.report.differences.append(
                f"{case.who.id} ({case.who.standing}) at {case.door.name} {dict(case.door.values)} with {case.thing}: "
                f"the oracle says {wanted}, the application {said} {answer.status_code}"
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
        if door.who == oracle.OPEN:
            return self.gate.house.app.test_client().open(path, method=door.method)
        if door.rule == "/sign-out":  # Whoever signs out is somebody else's next case.
            return self._fresh(case.who).post(path)
        visitor = self._visitor(case.who)
        if door.rule.startswith("/api/") and door.method == "POST":
            headers = {"X-CSRF-Token": self._tokens[case.who.id], "Idempotency-Key": uuid4().hex}
            return visitor.client.post(path, json=_asked_of_api(door.rule), headers=headers)
        headers = {"X-CSRF-Token": self._tokens[case.who.id]} if door.method == "POST" else {}
        return visitor.client.open(path, method=door.method, data=form, headers=headers)

    def _visitor(self, who: Who) -> Visitor:
        if who.id not in self._visitors or who.id not in self._tokens:
            visitor = self._visitors.get(who.id) or sign_in(self.world.gate, who)
            if not self.in_force:
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


def _after_the_agreements(gate: Gate) -> Gate:
    """The same house when no agreement is in force any more."""
    return Gate(with_parts(gate.house, agreements=()), gate.provider, gate.issuers_file)


def _same_browser(visitor: Visitor, house: House) -> Visitor:
    other = Visitor(house)
    cookie = visitor.client.get_cookie("kith")
    assert cookie is not None
    other.client.set_cookie("kith", cookie.value)
    return other
