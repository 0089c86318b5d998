"""The things that the matrix of access is about, made in a running house by the people whose things they are.

For: enquiries of several agencies, purposes and states, receipts, tasks, records in doubt - and beside them ids that
nobody gave out. What is known of each thing is written down as it is made; nothing is looked up in the hub's rules.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import insert, select, update

from audit import Entry
from connectors.tables import inbox_requests
from hub.acting import named
from hub.assembly import Hub
from hub.demo.stories import STORIES
from hub.desk.tables import desk_alerts
from hub.duties import Duty, write
from hub.notices.intake import take_all
from hub.people.tables import links, records
from hub.signin.oidc import read_issuers
from hub.tables import approval_asks, duties, enquiries
from tests.access.oracle import MACHINES_DOOR, Thing, Who, kinds
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, newest, with_parts
from tests.hub.provider import Provider

REASON = "A referral came in that names this child and the family"
NOTE = "Rang the team about it this morning"
#: Which purposes each agency's enquiries are opened for.
PROTECTIVE = ("S47_ENQUIRY", "MASH_SCREENING", "S17_ASSESSMENT")
PURPOSES: Mapping[str, tuple[str, ...]] = {
    "csc": (*PROTECTIVE, "EARLY_HELP"),
    "police": (*PROTECTIVE, "ADULT_S42"),
    "hv": (*PROTECTIVE, "EARLY_HELP"),
    "housing": (*PROTECTIVE, "EARLY_HELP"),
    "asc": PROTECTIVE,
}
OPENERS = {"EARLY_HELP": "FAMILY_KEYWORKER", "ADULT_S42": "POLICE_MASH_SUPERVISOR"}
#: Ids that were never given out, of right and of wrong shape. A slash would be another address.
NEVER = ("EN-0000000000000000", "0" * 32, "DU-" + "0" * 32)
MALFORMED = (
    "en-0000000000000000", "EN-00000000000000000", "EN-000000000000000g", "-1", "0", "1-1", "2-1",
    "' OR 1=1 --", "%", "*", "a" * 3000, "\u0661\u0662\u0663", "EN-\u212a", "\ud7ff", "\U0001f50d", ".", " ", "None",
    "{{7*7}}", "\x00", "EN-\x000",
)  # fmt: skip
LAPSED_AFTER = timedelta(days=64)
#: A worker whom the county knows as a private person, and who is close to him.
SUBJECT = {"name": "Marcus Brightwell", "person": "brightwell.marcus"}
CLOSE = frozenset({"brightwell.marcus", "brightwell.jonah", "brightwell.sadie"})


@dataclass
class World:
    """The house with its things; `tasks` need the note and outcome that a form carries."""

    gate: Gate
    machine: "Machine"
    things: dict[str, list[Thing]] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)
    made_by: dict[str, tuple[Who, Visitor]] = field(default_factory=dict)
    #: Who is signed in already: signing in again would end the session of before.
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def add(self, about: str, id: str, **facts: str) -> None:
        """One more thing."""
        self.things.setdefault(about, []).append(Thing(about, id, facts))


@dataclass(frozen=True)
class Machine:
    """A client of another hub, known here, which signs an assertion for each request."""

    key: ECKey
    address: str

    def listed(self, folder: Path) -> Path:
        """The file that lists it."""
        (folder / "machine.json").write_text(json.dumps({"keys": [self.key.as_dict(private=False)]}))
        clients = folder / "clients.toml"
        line = 'id = "machine"\nagency = "csc"\nroles = ["MASH_SOCIAL_WORKER"]\njwks_file = "machine.json"\n'
        clients.write_text("[[client]]\n" + line)
        return clients

    def authorization(self, now: datetime, body: bytes = b"") -> str:
        """The header of a request with this body, good once."""
        t, digest = int(now.timestamp()), hashlib.sha256(body).hexdigest()
        who = {"iss": "machine", "sub": "machine", "aud": self.address, "jti": secrets.token_urlsafe(24)}
        claims = who | {"iat": t, "exp": t + 60, "sha256": digest}
        return "Bearer " + jwt.encode({"alg": "ES256"}, claims, self.key, algorithms=["ES256"])


def build(house: House, provider: Provider, folder: Path, *, small: bool) -> World:
    """Makes the things. A small world has fewer of each kind, and every kind."""
    issuers = folder / "issuers.toml"
    issuers.write_text(provider.settings(agencies=tuple(house.hub.partners)))
    machine = Machine(ECKey.generate_key("P-256"), house.hub.settings.base_url + MACHINES_DOOR)
    more = {"issuers_file": issuers, "clients_file": machine.listed(folder)}
    settings = replace(house.hub.settings, idle_min=600, absolute_min=1200, **more)
    gate = Gate(with_parts(house, settings=settings), provider, issuers)
    gate.house.app.extensions["signin"].issuers = read_issuers(issuers, https_only=False)
    world = World(gate, machine)
    world.persons = _persons(house)
    for agency in ("csc", "police", "hv") if small else PURPOSES:
        for purpose in PURPOSES[agency]:
            _enquiries(world, agency, purpose)
    _requests(world)
    _receipts(world)
    _asks(world)
    _tasks(world)
    _alerts(world)
    _records(world)
    _notices(world)
    for about in list(world.things):
        for id in (*NEVER, *MALFORMED):
            world.add(about, id, there="no")
    return world


def sign_in(gate: Gate, who: Who) -> Visitor:
    """This person at the front door, by the provider's code flow."""
    claims: dict[str, Any] = {"sub": who.id}
    if not who.strong:
        claims["amr"] = ["pwd"]
    if who.close:
        born = gate.house.demonstration.county.people[SUBJECT["person"]].born
        claims |= {"name": SUBJECT["name"], "birthdate": born.isoformat() if born else None}
    return gate.visitor(who.role, agency=who.agency, **claims)


def known_as(visitor: Visitor) -> str:
    """The user id under which the hub knows somebody."""
    with visitor.client.session_transaction() as session:
        user: str = session["actor"]["id"]
    return user


def _maker(world: World, role: str, agency: str) -> tuple[Who, Visitor]:
    key = f"{role} of {agency}"
    if key not in world.made_by:
        who = Who(id=f"maker {key}", role=role, agency=agency)
        world.made_by[key] = who, sign_in(world.gate, who)
    return world.made_by[key]


def _enquiries(world: World, agency: str, purpose: str) -> None:
    """One enquiry of an agency for a purpose in each state in which one can be."""
    role = OPENERS.get(purpose, "MASH_SOCIAL_WORKER")
    _, visitor = _maker(world, role, agency)
    for number, state in enumerate(("open", "empty", "closed", "lapsed", "closing")):
        form = {"purpose": purpose, "reference": f"REF/{number}", "rationale": REASON, "who": "999 700 0048"}
        page = visitor.post("/enquiries/new", form | ({"threshold": "S47_DECISION"} if purpose in PROTECTIVE else {}))
        action = re.search(r'action="/enquiries/([^"/]+)/person"', page.text)
        person = re.search(r'name="person" value="([^"]+)"', page.text)
        assert action, page.text
        assert person, page.text
        enquiry = action[1]
        if state != "empty":
            answer = visitor.post(f"/enquiries/{enquiry}/person", {"person": person[1]})
            assert answer.status_code == 303, answer.text
        if state == "closed":
            assert visitor.post(f"/enquiries/{enquiry}/close").status_code == 200
        if state == "lapsed":
            hub = world.gate.hub
            with hub.db.writing() as session:
                mine = enquiries.c.id == enquiry
                session.execute(update(enquiries).where(mine).values(opened_at=hub.clock() - LAPSED_AFTER))
        meant = {"lapsed": "closed", "closing": "open"}.get(state, state)
        more = {"closing": "yes"} if state == "closing" else {}
        world.add("enquiry", enquiry, agency=agency, purpose=purpose, state=meant, **more)


def _requests(world: World) -> None:
    """What the school is asked about the children of two enquiries, and what it would be about somebody close."""
    _, visitor = _maker(world, "MASH_SOCIAL_WORKER", "csc")
    mine = [t.id for t in world.things["enquiry"] if t.facts["agency"] == "csc" and t.facts["state"] == "open"][:2]
    for enquiry in mine:
        assert visitor.get(f"/enquiries/{enquiry}/who").status_code == 200
    with world.gate.hub.db.session() as session:
        asked = list(session.scalars(select(inbox_requests.c.id).where(inbox_requests.c.enquiry.in_(mine))))
    assert asked
    for request in asked:
        world.add("request", request, agency="school")


def _receipts(world: World) -> None:
    """Entries of the trail of several kinds, by people of several agencies."""
    for agency in ("csc", "police"):
        who, visitor = _maker(world, "MASH_SOCIAL_WORKER", agency)
        assert visitor.get("/enquiries/new").status_code == 200
        for kind in ("sign-in", "collect"):
            event = _first(world.gate.hub, kind, known_as(visitor))
            world.add("receipt", event.eid, user=who.id, parties=agency)
            world.add("entry", event.eid)
    who, visitor = _maker(world, "GP_CARE_COORDINATOR", "gp-millbrook")
    assert visitor.post("/gp-check", {"nhs_number": "9997000390"}).status_code == 200
    check = newest(world.gate.hub, "check")
    world.add("receipt", check.eid, user=who.id, parties="gp-millbrook asc", brought="NOTIFY_OWNER:asc")
    world.add("entry", check.eid)


def _first(hub: Hub, kind: str, user: str) -> Entry:
    """The first entry of a kind by somebody."""
    events = (named(hub, event) for event in hub.trail.events(0) if event.kind == kind)
    return next(event for event in events if event.fields.get("user", {}).get("subject") == user)


def _asks(world: World) -> None:
    """A request that waits for an owner's word, and one that is not there."""
    _, visitor = _maker(world, "MASH_SOCIAL_WORKER", "csc")
    form = {"purpose": "S47_ENQUIRY", "reference": "REF/9", "rationale": REASON, "who": "999 700 0048"}
    page = visitor.post("/enquiries/new", form | {"threshold": "S47_DECISION"}).text
    action = re.search(r'action="(/enquiries/[^"/]+)/person"', page)
    person = re.search(r'name="person" value="([^"]+)"', page)
    assert action, page
    assert person, page
    assert visitor.post(f"{action[1]}/person", {"person": person[1]}).status_code == 303
    what = re.search(r'value="(OWNER_RELEASE:[^"]+:sms)"', visitor.get(f"{action[1]}/approvals").text)
    assert what, "the recovery service is not asked"
    asked = visitor.post(f"{action[1]}/approvals", {"what": what[1], "reason": REASON})
    assert asked.status_code == 303, asked.text
    with world.gate.hub.db.session() as session:
        newest_first = select(approval_asks.c.id).order_by(approval_asks.c.asked_at.desc())
        (ask, *_) = session.scalars(newest_first)
    # Whoever is told that something of theirs was shown also answers for its release.
    world.add("ask", ask, agency="sms", kind="NOTIFY_OWNER")
    world.add("ask", "AP-0000000000000000", there="no")


def _alerts(world: World) -> None:
    """An alert about a worker of each of two agencies, and one about an officer of information governance."""
    hub = world.gate.hub
    officer, at_the_desk = _maker(world, "IG_OFFICER", "csc")
    for number, (agency, user) in enumerate((("csc", "US-a"), ("police", "US-b"), ("csc", known_as(at_the_desk)))):
        id_ = f"AL-{number:024}"
        row = {"id": id_, "signal": "VOLUME", "user": user, "agency": agency, "at": hub.clock(), "made_at": hub.clock()}
        with hub.db.writing() as session:
            session.execute(insert(desk_alerts).values(**row, count=1, reads=[], state="NEW", receipt="0" * 31 + "1"))
        world.add("alert", id_, agency=agency, **({"barred": officer.id} if number == 2 else {}))


def _tasks(world: World) -> None:
    """A task of each kind, of two agencies, and those with somebody who may or may not do them."""
    hub = world.gate.hub
    who, visitor = _maker(world, "MASH_DECISION_MAKER", "csc")
    officer, at_the_desk = _maker(world, "IG_OFFICER", "csc")
    for kind in kinds():
        for agency in ("csc", "police"):
            _task(world, hub, kind, agency=agency)
        _task(world, hub, kind, agency="csc", person="brightwell.jonah")
        _task(world, hub, kind, agency="csc", done="yes")
    _task(world, hub, "RETRO_REVIEW", agency="", barred=(officer, known_as(at_the_desk)))
    _task(world, hub, "DISPUTE", agency="csc", barred=(who, known_as(visitor)))
    _task(world, hub, "INFORM_SUBJECT", agency="csc", given=(who, known_as(visitor)))


def _notices(world: World) -> None:
    """A notice about a child with whom nobody works: it is at the front door of children's social care."""
    house, child = world.gate.house, STORIES["twins"]
    number = {"value": str(child.nhs_number), "system": "https://fhir.nhs.uk/Id/nhs-number"}
    event = {
        "@type": "LifeEvent",
        "identifier": [{"value": "LE-1", "system": "urn:kith:identifier:event"}],
        "type": ["safeguarding-concern"],
        "subjectPerson": [{"person": number, "involvement": "SBJ"}],
    }
    (taken,) = take_all(house.hub, "police", "matrix", [event], now=house.hub.clock())
    assert taken.desks[0]["state"] == "TOLD"
    with house.hub.db.session() as session:
        (notice,) = session.scalars(
            select(duties.c.refers).where(duties.c.kind == "NOTICE", duties.c.refers.is_not(None))
        )
    world.add("notice", notice, kind="NOTICE", agency="csc")


def _task(
    world: World,
    hub: Any,
    kind: str,
    *,
    agency: str,
    person: str = "",
    done: str = "no",
    barred: tuple[Who, str] | None = None,
    given: tuple[Who, str] | None = None,
) -> None:
    duty = Duty(
        kind=kind,
        agency=agency or None,
        person=world.persons[person] if person else None,
        receipt="0" * 31 + "1",
        barred=barred[1] if barred else None,
        user=given[1] if given else None,
        once=("matrix", kind, agency, person, done, str(barred), str(given)),
    )
    write(hub, [duty], now=hub.clock())
    if done == "yes":
        with hub.db.writing() as session:
            session.execute(update(duties).where(duties.c.id == duty.id).values(done_at=hub.clock()))
    facts = {"kind": kind, "agency": agency, "persons": person, "done": done}
    facts |= {"barred": barred[0].id} if barred else {}
    facts |= {"given": given[0].id} if given else {}
    world.add("task", duty.id, **facts)


def _records(world: World) -> None:
    """Persons whose records may and may not be looked at, and pairs in doubt."""
    for key in ("tarrant.maisie", "adeleke.tiwa", "pemberton.dorothy"):
        world.add("person", world.persons[key], purpose="DATA_MATCHING", persons=key)
    for key in ("brightwell.marcus", "brightwell.jonah"):
        world.add("person", world.persons[key], purpose="DATA_MATCHING", persons=key)
    # Fled, her son, the partner she left, adopted, and the identity from before.
    for key in ("zielonka.nadia", "zielonka.filip", "zielonka.marek", "fairweather.isla", "dunmore.kayleigh"):
        world.add("person", world.persons[key], purpose="DATA_MATCHING", persons=key, hidden="hidden")
    for first, second in _in_doubt(world):
        world.add("pair", f"{first}-{second}", purpose="DATA_MATCHING")
        world.add("pair", f"{second}-{first}", there="no")
    rows = {key: _rows_of(world, key) for key in ("tarrant.maisie", "adeleke.tiwa", *CLOSE, "zielonka.nadia")}
    world.add("pair", f"{rows['tarrant.maisie'][0]}-{rows['tarrant.maisie'][1]}", there="no")
    for key, other, facts in (
        ("brightwell.marcus", "brightwell.sadie", {"persons": "brightwell.marcus"}),
        ("zielonka.nadia", "adeleke.tiwa", {"hidden": "hidden"}),
    ):
        first, second = sorted((rows[key][0], rows[other][0]))
        with world.gate.hub.db.writing() as session:
            session.execute(
                insert(links).values(
                    first_id=first, second_id=second, weight_bits=1.0, probability=0.5, outcome="review"
                )
            )
        world.add("pair", f"{first}-{second}", purpose="DATA_MATCHING", **facts)


def _rows_of(world: World, key: str) -> list[int]:
    """The rows of the index that are about a person of a story."""
    with world.gate.hub.db.session() as session:
        mine = records.c.person == world.persons[key]
        return list(session.scalars(select(records.c.id).where(mine).order_by(records.c.id)))


def _in_doubt(world: World) -> list[tuple[int, int]]:
    """Pairs of the index that wait for a steward and are about nobody of a story."""
    stories = set(world.persons.values())
    one, other = records.alias(), records.alias()
    query = (
        select(links.c.first_id, links.c.second_id, one.c.person, other.c.person)
        .join(one, one.c.id == links.c.first_id)
        .join(other, other.c.id == links.c.second_id)
        .where(links.c.outcome == "review")
        .order_by(links.c.first_id, links.c.second_id)
    )
    with world.gate.hub.db.session() as session:
        return [(a, b) for a, b, p, q in session.execute(query).all() if not {p, q} & stories][:3]


def _persons(house: House) -> dict[str, str]:
    """The hub's ids of the people of the stories, by the county's own keys."""
    with house.hub.db.session() as session:
        known = {
            (agency, record): person
            for agency, record, person in session.execute(select(records.c.agency, records.c.record, records.c.person))
        }
    return {key: known[place] for place, key in _story_records(house) if place in known}


def _story_records(house: House) -> Iterator[tuple[tuple[str, str], str]]:
    county = house.demonstration.county
    for place, key in county.truth.items():
        if not key.startswith("ordinary:"):
            yield place, key
