"""Stories about adults: care packages of older patients, a young man who says no, a worker who is himself a subject.

For: GP checks, consent and conflicts. Must never show an older person's package content: the check is one word.
"""

from datetime import date

from hub.demo.builder import Builder, Slips, ago, born_on
from hub.demo.model import Address
from hub.demo.services import register_with_gp
from policies.vocabulary import DataCategory as Cat
from policies.vocabulary import SubjectFlag


def add_adult_stories(b: Builder) -> None:
    """Adds the stories of this module."""
    _packages(b)
    _young_person_refuses(b)
    _own_record(b)


def _older(
    b: Builder,
    key: str,
    given: str,
    sex: str,
    born: date,
    home: Address,
    practice: str,
    flags: tuple[SubjectFlag, ...] = (),
) -> str:
    person = b.person(key, given, key.split(".")[0].title(), sex, born, phone=True, flags=flags)
    b.live(key, home, person, since=ago(b.today, years=18))
    b.families[key.split(".")[0]] = (person,)
    register_with_gp(b, person, practice, ago(b.today, years=16))
    return person


def _packages(b: Builder) -> None:
    today = b.today
    dorothy = _older(
        b, "pemberton.dorothy", "Dorothy Edith", "2", born_on(today, 84, 1, 30),
        Address("27 Mulberry Avenue", None, "Millbrook Green", "TH3 4BR", "999099000010", use="home"), "gp-millbrook",
    )  # fmt: skip
    harold = _older(
        b, "entwistle.harold", "Harold", "1", born_on(today, 79, 8, 7),
        Address("5 Kiln Court", "Flat 2", "Millbrook Green", "TH3 8DL", "999099000011", use="home"), "gp-millbrook",
    )  # fmt: skip
    winifred = _older(
        b, "castell.winifred", "Winifred Ada", "2", born_on(today, 81, 10, 16),
        Address("88 Minster Road", None, "Thornminster", "TH1 3EJ", "999099000012", use="home"), "gp-millbrook",
        (SubjectFlag.OBJECTION,),
    )  # fmt: skip
    edwin = _older(
        b, "farrow.edwin", "Edwin Percy", "1", born_on(today, 88, 4, 25),
        Address("3 Staithe Way", None, "Wendlehaven", "TH4 6GT", "999099000013", use="home"), "gp-harbourside",
    )  # fmt: skip
    duty, care = b.worker("asc", 0), b.worker("asc", 2)
    b.record(dorothy, "asc", since=ago(today, months=19), slips=Slips(given=("Dorothy",), preferred="Dot"))
    b.record(harold, "asc", since=ago(today, months=8), until=ago(today, months=5))
    b.record(winifred, "asc", since=ago(today, months=11))
    b.record(edwin, "asc", since=ago(today, years=2), slips=Slips(given=("Edwin",)))
    for person, kind, since, until, worker in (
        (dorothy, "home-support-domiciliary", ago(today, months=19), None, care),
        (dorothy, "meals", ago(today, months=6), None, duty),
        (harold, "reablement", ago(today, months=8), ago(today, months=5), care),
        (winifred, "day-support", ago(today, months=11), None, duty),
        (edwin, "direct-payment", ago(today, years=2), None, duty),
    ):
        b.happen("asc", Cat.ASC_PACKAGE, kind, person, since, until, worker=worker)
        if kind != "meals":
            b.involve(person, "asc", worker.team, since, until, worker=worker)


def _young_person_refuses(b: Builder) -> None:
    today = b.today
    home = Address("41 Lantern Street", None, "Thornminster", "TH2 5FW", "999099000014", use="home")
    mother = b.person("prendergast.hilary", "Hilary Jane", "Prendergast", "2", born_on(today, 47, 12, 12), phone=True)
    callum = b.person("prendergast.callum", "Callum Ross", "Prendergast", "1", born_on(today, 16, 7, 14), phone=True)
    b.live("prendergast", home, mother, callum, since=ago(today, years=9))
    b.families["prendergast"] = (mother, callum)
    b.relate(mother, "NMTH", callum)
    since = ago(today, months=7)
    for person in (mother, callum):
        register_with_gp(b, person, "gp-millbrook", ago(today, years=9))
        b.record(person, "csc", since=since)
    support, worker = b.worker("csc", 5), b.worker("sms", 2)
    b.involve(callum, "csc", support.team, since, worker=support)
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "early-help", callum, since, worker=support, status="Open",
        need="School attendance", child_voice="I will talk to you, but leave everybody else out of it.",
    )  # fmt: skip
    b.record(callum, "sms", since=ago(today, months=4))
    b.involve(callum, "sms", "Young people's service", ago(today, months=4), worker=worker)
    b.happen(
        "sms", Cat.SUBSTANCE_MISUSE, "Cannabis", callum, ago(today, months=4), worker=worker, status="In contact",
        risk="No risk to others recorded", treatment="One-to-one sessions.", narrative="Comes by himself.",
    )  # fmt: skip
    b.record(callum, "hv", since=ago(today, years=1))
    b.involve(callum, "hv", "School nursing", ago(today, years=1), worker=b.worker("hv", 4))


def _own_record(b: Builder) -> None:
    today = b.today
    home = Address("12 Heron Rise", None, "Aldercombe", "TH8 1HX", "999099000015", use="home")
    marcus = b.person("brightwell.marcus", "Marcus Owen", "Brightwell", "1", born_on(today, 38, 2, 3), phone=True)
    sadie = b.person("brightwell.sadie", "Sadie", "Brightwell", "2", born_on(today, 37, 8, 19), maiden="Illingworth")
    jonah = b.person("brightwell.jonah", "Jonah", "Brightwell", "1", born_on(today, 9, 6, 6))
    b.live("brightwell", home, marcus, sadie, jonah, since=ago(today, years=6))
    b.families["brightwell"] = (marcus, sadie, jonah)
    b.relate(marcus, "HUSB", sadie)
    b.relate(sadie, "NMTH", jonah)
    b.relate(marcus, "NFTH", jonah)
    for person in (marcus, sadie, jonah):
        register_with_gp(b, person, "gp-harbourside", ago(today, years=6))
    when = ago(today, years=1, months=1)
    for person in (marcus, sadie, jonah):
        b.record(person, "csc", since=when)
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "referral", jonah, when, when, form="LifeEvent", worker=b.worker("csc", 1),
        status="Closed", outcome="No further action", need="School reported a bruise; explained by sport",
    )  # fmt: skip
    b.record(marcus, "police", since=ago(today, years=2))
    seen = ago(today, years=2)
    b.happen(
        "police", Cat.POLICE_INCIDENT, "Theft", {marcus: "victim"}, seen, seen, form="LifeEvent",
        circumstances="Bicycle taken from outside the station.",
    )  # fmt: skip
