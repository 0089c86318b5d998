"""Two worlds that differ only in what this user may not see look the same to the byte.

Each pair of worlds is one county on one database: in the second, what the user may not see is not there at all. Pages,
answers of the interface, files and headers are compared as they are sent, after what differs from one request to the
next in any world (tokens, receipts, ids of enquiries, the time of day, the length of the trail) is levelled.
"""

import difflib
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, inspect, select, text, update

from connectors.tables import extract_items
from hub.assembly import Hub, open_hub
from hub.cells import DID_NOT_ANSWER
from hub.db import all_metadata, make_engine
from hub.demo.stories import STORIES
from hub.migrations import upgrade
from hub.people import records_of
from hub.people.stored import context_of, pack
from hub.people.tables import records
from hub.settings import read_settings
from policies.vocabulary import DataCategory, SubjectFlag
from tests.conftest import House, Visitor
from tests.hub.conftest import app_of, check_by_api
from tests.hub.test_stories import candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
LEVELLED = (
    (r'name="csrf_token" value="[^"]*"', "TOKEN"),
    (r"nonce-?=?\"?'?[A-Za-z0-9_-]{20,}", "NONCE"),
    (r"EN-[0-9a-f]{16}", "ENQUIRY"),
    (r"/receipts/[0-9a-f]{32}", "RECEIPT"),
    (r'"(urn:uuid:)?[0-9a-f-]{32,36}"', '"ID"'),
    (r'kith-code">[0-9a-f]{8,64}<|>Receipt [0-9a-f]{8}<', "RECEIPT"),
    (r'"eid": ?"[0-9a-f]{32}"', "RECEIPT"),
    (r'"trace_id": ?"[0-9a-f]+"', "TRACE"),
    (r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", "TRACE"),
    (r"kith-receipt-[0-9a-f]{8}", "RECEIPT"),
    (r'"as_of": ?"[^"]*"|"lastUpdated": ?"[^"]*"|"timestamp": ?"[^"]*"', "MOMENT"),
    (r'"recorded_at": ?"[^"]*"', "MOMENT"),
    (r"(DU|CO|CD)-[0-9a-f]{16,32}", "ROW"),
    (r"\d{1,2}(:|\.)\d{2} ?([ap]m)?", "TIME"),
)
#: Headers that no two requests share.
NOT_COMPARED = {"x-request-id", "set-cookie", "content-length", "ratelimit"}

#: Takes something away from a copy of the county.
Change = Callable[[Hub], None]
World = Callable[[Change | None], House]


def level(page: str) -> str:
    for pattern, word in LEVELLED:
        page = re.sub(pattern, word, page)
    return page


def sent(answer: Any) -> str:
    """All that was sent: the status, the headers, the body; and that the length said is the length sent."""
    headers = sorted((n.lower(), level(v)) for n, v in answer.headers if n.lower() not in NOT_COMPARED)
    assert int(answer.headers.get("Content-Length", len(answer.data))) == len(answer.data)
    return f"{answer.status_code} {headers}\n{level(answer.get_data(as_text=True))}"


@pytest.fixture
def world(house: House, new_database: Callable[[str], str], tmp_path: Path) -> Iterator[World]:
    """The same county once more on a database of its own, after a change."""
    opened: list[Hub] = []

    def make(change: Change | None) -> House:
        number = len(opened)
        environment = house.demonstration.environment
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copytree(environment["HUB_KEYS_DIR"], folder / "keys")
        own = {
            **environment,
            "HUB_DATABASE_URL": _copied(house, new_database, folder),
            "HUB_KEYS_DIR": str(folder / "keys"),
            "HUB_PARTNERS_DIR": str(_patient(Path(environment["HUB_PARTNERS_DIR"]), folder / "partners")),
            "HUB_PARTNER_DEADLINE_S": "9",
            "HUB_GATHER_DEADLINE_S": "10",
        }
        hub = open_hub(read_settings(own), clock=house.clock, steady=None)
        opened.append(hub)
        if change is not None:
            change(hub)
        return House(hub, app_of(hub), house.demonstration, house.clock)

    yield make
    for hub in opened:
        hub.close()


def _patient(partners: Path, copies: Path) -> Path:
    """The partners' files with much time to answer: a busy machine must not make a difference between two worlds."""
    copies.mkdir()
    for file in partners.glob("*.toml"):
        text = re.sub(r"(?m)^deadline_s = .*$", "deadline_s = 3.0", file.read_text("utf-8"))
        (copies / file.name).write_text(text, "utf-8")
    return copies


def _copied(house: House, new_database: Callable[[str], str], folder: Path) -> str:
    """The address of a copy of the house's database."""
    source = house.hub.db.engine
    if source.dialect.name == "sqlite":
        with source.connect() as connection:
            connection.exec_driver_sql(f"VACUUM INTO '{folder / 'kith.sqlite'}'")
        return f"sqlite:///{folder / 'kith.sqlite'}"
    address = new_database("postgresql")
    target = make_engine(address)
    upgrade(target)
    with source.connect() as read, target.begin() as write:
        for table in [table for metadata in all_metadata() for table in metadata.sorted_tables]:
            rows = [dict(row) for row in read.execute(select(table)).mappings()]
            write.execute(delete(table))
            for start in range(0, len(rows), 1000):
                write.execute(insert(table), rows[start : start + 1000])
            for column in table.primary_key.columns:
                sequence = inspect(target).get_columns(table.name)
                if any(c["name"] == column.name and "nextval" in str(c["default"]) for c in sequence):
                    named = text("SELECT setval(pg_get_serial_sequence(:t, :c), :n)")
                    last = max((row[column.name] for row in rows), default=1)
                    write.execute(named, {"t": table.name, "c": column.name, "n": last})
    target.dispose()
    return address


def without(*persons: str) -> Change:
    """Takes away every record of these persons."""

    def change(hub: Hub) -> None:
        with hub.db.writing() as session:
            session.execute(delete(records).where(records.c.person.in_(persons)))

    return change


def marked(flag: SubjectFlag, *persons: str) -> Change:
    """Puts a marker on every record of these persons."""

    def change(hub: Hub) -> None:
        with hub.db.writing() as session:
            for person in persons:
                for record in records_of(session, hub.keys, person):
                    packed = pack(replace(record, flags=record.flags | {flag}))
                    sealed = hub.keys.seal(record.agency, packed, context_of(record.record))
                    mine = (records.c.agency == record.agency, records.c.record == record.record)
                    session.execute(update(records).where(*mine).values(sealed=sealed))

    return change


def persons_of(house: House, *keys: str) -> tuple[str, ...]:
    """The hub's own ids of persons of the county, by every record that any agency has of them."""
    truth = house.demonstration.county.truth
    with house.hub.db.session() as session:
        rows = session.execute(select(records.c.agency, records.c.record, records.c.person)).all()
    found = {person for agency, record, person in rows if person and truth.get((agency, record)) in keys}
    assert found
    return tuple(sorted(found))


def seen(house: House, story: str, typed: str, *, persona: str | None = None, again: Iterable[str] = ()) -> list[str]:
    """Everything from the search to the queue, as this user gets it; `again` are more searches in the enquiry."""
    visitor, found = open_story(house, story, persona, who=typed)
    answers = [level(found)]
    enquiry = re.search(r'action="(/enquiries/[^"/]+)/person"', found) or re.search(
        r'action="(/enquiries/[^"/]+)/search"', found
    )
    assert enquiry
    answers += [sent(visitor.post(f"{enquiry[1]}/search", {"who": one})) for one in again]
    names = candidates(found)
    if names:
        # The newest search is the one whose people may be chosen.
        page = visitor.post(f"{enquiry[1]}/search", {"who": typed})
        choose(visitor, page.text, names[0])
        answers += [sent(_answered(visitor, f"{enquiry[1]}/{page}")) for page in ("who", "picture", "consent")]
        answers += [sent(visitor.get(f"{enquiry[1]}/consent/{form}")) for form in ("answer", "standing")]
        answers.append(sent(visitor.post(f"{enquiry[1]}/consent/export")))
        for one in again:
            answers.append(sent(visitor.post(f"{enquiry[1]}/search", {"who": one, "connection": "HOUSEHOLD"})))
    answers += [sent(visitor.get(path)) for path in ("/tasks", "/enquiries")]
    return answers


def _answered(visitor: Visitor, path: str) -> Any:
    """The page once every partner was in time: a busy machine is no difference between two worlds."""
    for _ in range(3):
        answer = visitor.get(path)
        if DID_NOT_ANSWER not in answer.text:
            break
    return answer


def alike(here: House, there: House, story: str, typed: str, **more: Any) -> None:
    mine, theirs = seen(here, story, typed, **more), seen(there, story, typed, **more)
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        if one != other:
            raise AssertionError(
                "\n".join(difflib.unified_diff(one.splitlines(), other.splitlines(), n=1, lineterm=""))[:3000]
            )


FLED = ("zielonka.nadia", "zielonka.filip")
#: story, what is typed, who asks, and who is taken away in the second world.
PAIRS = [
    ("shielded", "Marek Zielonka", "mash_social_worker", FLED),
    ("shielded", "Marek Zielonka", "police_navigator", FLED),
    ("shielded", "Nadia Zielonka", "mash_social_worker", FLED),
    ("shielded", "Nadia Zielonka", "mash_decision_maker", FLED),
    ("shielded", "Zielonka Filip", "housing_navigator", FLED),
    ("adopted", "Kayleigh Dunmore", "mash_social_worker", ("dunmore.kayleigh",)),
    ("adopted", f"Isla Fairweather {STORIES['adopted'].nhs_number}", "mash_social_worker", ("dunmore.kayleigh",)),
    ("own_record", STORIES["own_record"].search, "worker_who_is_a_subject", ("brightwell.marcus",)),
    ("own_record", "Jonah Brightwell", "worker_who_is_a_subject", ("brightwell.jonah",)),
]


@on_one_engine
@pytest.mark.parametrize(("story", "typed", "persona", "hidden"), PAIRS)
def test_who_may_not_be_seen_might_as_well_not_be_there(
    house: House, world: World, story: str, typed: str, persona: str, hidden: tuple[str, ...]
) -> None:
    alike(world(None), world(without(*persons_of(house, *hidden))), story, typed, persona=persona)


def test_who_fled_or_was_adopted_might_as_well_not_be_there(house: House, world: World) -> None:
    here, there = world(None), world(without(*persons_of(house, *FLED, "dunmore.kayleigh")))
    for story, typed, persona, _ in (PAIRS[0], PAIRS[4], PAIRS[5]):
        alike(here, there, story, typed, persona=persona)


#: Markers that make somebody invisible to whoever is not on the case's team, by whichever words (rules P27 and P35).
INVISIBLE = (SubjectFlag.CASE_LOCKED, SubjectFlag.VIP, SubjectFlag.STAFF_SUBJECT, SubjectFlag.PROTECTED_PERSON)


@pytest.mark.parametrize("flag", INVISIBLE[:1])
def test_a_locked_person_might_as_well_not_be_there(house: House, world: World, flag: SubjectFlag) -> None:
    """Named exactly, by number, and as somebody's brother: no page, count, order, file or header differs."""
    jayden = persons_of(house, "tarrant.jayden")
    born = house.demonstration.county.people["tarrant.jayden"].born
    number = house.demonstration.county.people["tarrant.jayden"].nhs_number
    exactly = ("Jayden Tarrant", f"Jayden Tarrant {born:%d %m %Y}", str(number))
    here, there = world(marked(flag, *jayden)), world(without(*jayden))
    alike(here, there, "showcase", "Maisie Tarrant", again=exactly)
    alike(here, there, "showcase", exactly[1], persona="police_navigator")


def test_what_law_bars_might_as_well_not_be_held(house: House, world: World) -> None:
    def unsealed(hub: Hub) -> None:
        barred = extract_items.c.category == DataCategory.ADOPTION_SEALED
        with hub.db.writing() as session:
            assert session.execute(delete(extract_items).where(barred)).rowcount

    here, there = world(None), world(unsealed)
    for persona in ("mash_social_worker", "mash_decision_maker"):
        alike(here, there, "adopted", f"Isla Fairweather {STORIES['adopted'].nhs_number}", persona=persona)


def test_a_practice_learns_nothing_of_whom_it_may_not_ask_about(house: House, world: World) -> None:
    """Another practice's patient, one who fled, one from before an adoption, a locked one: all like nobody at all."""
    people = house.demonstration.county.people
    keys = ("farrow.edwin", "zielonka.nadia", "dunmore.kayleigh", "tarrant.jayden")
    persons = persons_of(house, *keys)
    here = world(marked(SubjectFlag.CASE_LOCKED, *persons_of(house, "tarrant.jayden")))
    there = world(without(*persons))
    asking = [(one, one.visitor("gp_millbrook")) for one in (here, there)]
    for number in [people[key].nhs_number for key in keys] + ["9990000018"]:
        pages, answers = [], []
        for _, visitor in asking:
            pages.append(sent(visitor.post("/gp-check", {"nhs_number": str(number)})))
            answers.append(sent(check_by_api(visitor, str(number))))
        assert pages[0] == pages[1]
        assert answers[0] == answers[1]
        assert "NOT_AVAILABLE" in answers[0]


def test_an_objection_is_like_a_patient_whom_nobody_knows(house: House, world: World) -> None:
    patients = persons_of(house, "castell.winifred")
    here, there = world(None), world(without(*patients))
    number = STORIES["package_objection"].nhs_number
    mine, theirs = (
        sent(one.visitor("gp_millbrook").post("/gp-check", {"nhs_number": number})) for one in (here, there)
    )
    assert mine == theirs


def test_a_steward_learns_nothing_of_whom_no_steward_sees(house: House, world: World) -> None:
    keys = ("dunmore.kayleigh", *FLED, "fairweather.isla")
    here, there = world(None), world(without(*persons_of(house, *keys)))
    # One record of each: every refusal shows the queue again, which takes its time.
    numbers = {key: place for place, key in house.demonstration.county.truth.items() if key in keys}
    assert set(numbers) == set(keys)
    mine, theirs = here.visitor("data_steward"), there.visitor("data_steward")
    assert sent(mine.get("/matching")) == sent(theirs.get("/matching"))
    for key, (agency, record) in numbers.items():
        form = {"agency": agency, "record": record}
        assert sent(mine.post("/matching", form)) == sent(theirs.post("/matching", form)), key
    for person in persons_of(house, *keys):
        path = f"/matching/persons/{person}"
        assert sent(mine.get(path)) == sent(theirs.get(path))


#: Members of two families, other than the children asked about.
RELATIVES = (
    "tarrant.jayden", "tarrant.alfie", "tarrant.leanne", "bennett.lily", "bennett.grace", "bennett.daniel",
    "bennett.ryan",
)  # fmt: skip


@on_one_engine
def test_whoever_it_is_and_however_they_are_looked_for(house: House, world: World) -> None:
    """A relative, marked or gone: the family's pages and every way to look for them are the same."""

    @settings(max_examples=4, phases=[Phase.generate], database=None)
    @given(
        key=st.sampled_from(RELATIVES),
        flag=st.sampled_from(INVISIBLE),
        ways=st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True),
    )
    def pair(key: str, flag: SubjectFlag, ways: list[int]) -> None:
        one = house.demonstration.county.people[key]
        written = (
            f"{one.given[0]} {one.family}", f"{one.family}, {one.given[0]} {one.born:%d/%m/%Y}", str(one.nhs_number),
            f"{one.given[0][0]} {one.family} {one.born:%Y}",
        )  # fmt: skip
        persons = persons_of(house, key)
        here, there = world(marked(flag, *persons)), world(without(*persons))
        story = "showcase" if key.startswith("tarrant") else "half_siblings"
        alike(here, there, story, STORIES[story].search, again=[written[way] for way in ways])

    pair()


@on_one_engine
def test_a_half_sister_is_not_told_by_a_father_who_is_not_shown(house: House, world: World) -> None:
    ryan = persons_of(house, "bennett.ryan")
    here, there = world(marked(SubjectFlag.STAFF_SUBJECT, *ryan)), world(without(*ryan))
    alike(here, there, "half_siblings", STORIES["half_siblings"].search)


@on_one_engine
def test_the_comparison_notices_somebody_who_may_be_seen(house: House, world: World) -> None:
    here, there = world(None), world(without(*persons_of(house, "tarrant.alfie")))
    assert seen(here, "showcase", STORIES["showcase"].search) != seen(there, "showcase", STORIES["showcase"].search)
