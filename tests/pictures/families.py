"""Invented families to draw: one of thirty people with every kind of line, and random ones."""

import random
from datetime import date, timedelta

from hub.pictures.genogram_model import GenogramLink, GenogramPerson, Manner
from hub.pictures.timeline import TimelineEvent

GIVEN = ("Ava", "Ben", "Cara", "Dev", "Eli", "Farah", "Gus", "Hana", "Idris", "Juno", "Maximilian-Alexander", "Wei")
FAMILY = ("Walker", "Reid", "Okonkwo-Featherstone", "Price", "Wiśniewski-Kowalczykowski", "Ng", "Ó Briain", "李")
TITLES = (
    "Domestic abuse incident",
    "Missed appointment",
    "Contact, no further action",
    "Child in need plan",
    "Noise complaint",
)
LANES = ("Northshire Police", "Children's Services", "Health visiting", "School", "Housing", "Young Minds", "Hospital")


def thirty() -> tuple[list[GenogramPerson], list[GenogramLink]]:
    """Four generations, partings, adopted children, an unborn baby, a lodger and three households."""
    people: list[GenogramPerson] = []
    links: list[GenogramLink] = []

    def add(
        key: str,
        label: str,
        sex: str | None,
        age: int | None,
        *parents: str,
        manner: Manner = Manner.BIRTH,
        note: str = "",
        home: str | None = None,
        **more: bool,
    ) -> None:
        people.append(GenogramPerson(key, label, sex, age, note=note, household=home, **more))
        links.extend(GenogramLink(manner, parent, key) for parent in parents)

    def join(manner: Manner, a: str, b: str) -> None:
        links.append(GenogramLink(manner, a, b))

    add("a1", "Harold Okonkwo-Featherstone", "1", None, deceased=True)
    add("a2", "Margaret Okonkwo", "2", 83, note="great grandmother")
    add("b1", "George Walker", "1", 64, note="grandfather")
    add("b2", "Joan Walker", "2", 61, "a1", "a2", note="grandmother")
    add("b3", "Peter Reid", "1", 66, note="grandfather")
    add("b4", "Susan Reid", "2", None, note="grandmother", deceased=True)
    add("b5", "Ifeoma Okonkwo", "2", 59, "a1", "a2", note="great aunt")
    join(Manner.COUPLE, "a1", "a2")
    join(Manner.DIVORCED, "b1", "b2")
    join(Manner.COUPLE, "b3", "b4")
    add("c0", "Chloe Walker", "2", 29, "b1", "b2", note="mother", home="h1")
    add("c1", "Gareth Walker", "1", 35, "b1", "b2", note="uncle")
    add("c2", "Siân Walker", "2", 32, "b1", "b2", note="aunt")
    add("d0", "Marcus Reid", "1", 31, "b3", "b4", note="father")
    add("d1", "Leah Reid", "2", 27, "b3", "b4", note="aunt")
    add("e1", "Daniel Price", "1", 33, note="stepfather", home="h1")
    add("e2", "Sam Taylor", None, 34, note="partner of uncle", home="h3")
    add("e3", "Wei Chen", "2", 30, note="former partner of father")
    join(Manner.SEPARATED, "c0", "d0")
    join(Manner.COHABITING, "c0", "e1")
    join(Manner.COUPLE, "c1", "e2")
    join(Manner.DIVORCED, "d0", "e3")
    add("s", "Amelia Walker", "2", 7, "c0", "d0", is_subject=True, home="h1")
    add("s2", "Tyler Walker", "1", 10, "c0", "d0", note="brother", home="h1")
    add("n", "Noah Walker-Price", "1", 3, "c0", "e1", note="half brother", home="h1")
    add("u", "Unborn baby", None, None, "c0", "e1", note="unborn half sibling", home="h1", unborn=True)
    for index in range(5):
        manner = Manner.PLACED if index > 2 else Manner.BIRTH
        add(
            f"k{index}",
            f"{GIVEN[index]} Walker",
            "21211"[index],
            12 - 2 * index,
            "c1",
            "e2",
            manner=manner,
            note="cousin",
            home="h3",
        )
    for index in range(3):
        add(f"m{index}", f"{GIVEN[index + 5]} Chen-Reid", "212"[index], 9 - 3 * index, "d0", "e3", note="half sibling")
    add("o0", "Rae Reid", None, 5, "d1", note="cousin")
    add("o1", "Jay Reid", "1", 4, "d1", note="cousin")
    add("x", "Tomasz Wiśniewski-Kowalczykowski", "1", 41, note="lodger", home="h1")
    return people, links


def any_family(seed: int) -> tuple[list[GenogramPerson], list[GenogramLink]]:
    """A random family, as tangled as bad data may make it; the same seed gives the same family."""
    chance = random.Random(seed)
    people = [
        GenogramPerson(
            id=f"p{number}",
            label=f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}",
            sex_code=chance.choice(("1", "2", None, "9")),
            age=chance.choice((None, chance.randrange(95))),
            unborn=chance.random() < 0.03,
            deceased=chance.random() < 0.1,
            is_subject=number == 0,
            note=chance.choice(("", "mother", "former partner of the mother's brother")),
            household=chance.choice((None, "h1", "h2", "h3")),
        )
        for number in range(chance.randrange(1, 31))
    ]
    keys = [person.id for person in people]
    links = [
        GenogramLink(
            chance.choice(list(Manner)), chance.choice(keys), chance.choice(keys), chance.choice((-2, -1, 0, 1))
        )
        for _ in range(chance.randrange(0, 45))
    ]
    return people, links


def events(count: int, seed: int = 4) -> list[TimelineEvent]:
    """Random events of ten years, one in eight significant, some without a date."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        start = date(2016, 1, 1) + timedelta(days=chance.randrange(3700))
        period = chance.random() < 0.2
        found.append(
            TimelineEvent(
                lane=chance.choice(LANES),
                person=chance.choice(GIVEN),
                title=chance.choice(TITLES),
                started=None if chance.random() < 0.03 else start,
                ended=start + timedelta(days=chance.randrange(400)) if period and chance.random() < 0.7 else None,
                is_period=period,
                significant=chance.random() < 0.12,
                part=chance.choice((None, None, "victim", "suspect", "witness")),
            )
        )
    return found
