"""Stories about children: twins, half-siblings, unborn, shielded, adopted, open case, early help, a former lodger.

For: the situations in which a wrong link or a careless page does harm. Must never join what a story keeps apart.
"""

from hub.demo.builder import Builder, Slips, ago, born_on
from hub.demo.model import Address
from hub.demo.services import register_with_gp
from policies.vocabulary import DataCategory as Cat
from policies.vocabulary import SubjectFlag


def add_child_stories(b: Builder) -> None:
    """Adds the stories of this module."""
    _twins(b)
    _half_siblings(b)
    _unborn(b)
    _shielded(b)
    _adopted(b)
    _open_case(b)
    _consent_withdrawn(b)
    _early_help_agreed(b)
    _lodger(b)


def _twins(b: Builder) -> None:
    today, home = b.today, Address("33 Beacon Road", "Flat 9", "Thornminster", "TH2 1AW", "999099000020", use="home")
    mother = b.person("adeleke.funke", "Funke", "Adeleke", "2", born_on(today, 34, 4, 4), ethnicity="6", phone=True)
    father = b.person("adeleke.dele", "Dele", "Adeleke", "1", born_on(today, 37, 9, 12), ethnicity="6")
    tiwa = b.person("adeleke.tiwa", "Tiwa", "Adeleke", "2", born_on(today, 4, 5, 18), ethnicity="6")
    tayo = b.person("adeleke.tayo", "Tayo", "Adeleke", "2", born_on(today, 4, 5, 18), ethnicity="6")
    b.live("adeleke", home, mother, father, tiwa, tayo, since=ago(today, years=5))
    b.families["adeleke"] = (mother, father, tiwa, tayo)
    b.relate(father, "HUSB", mother)
    b.relate(tiwa, "ITWIN", tayo)
    for child in (tiwa, tayo):
        b.relate(mother, "NMTH", child)
        b.relate(father, "NFTH", child)
    for person in (mother, father, tiwa, tayo):
        register_with_gp(b, person, "gp-millbrook", ago(today, years=4))
    for child in (tiwa, tayo):
        born = b.people[child].born or today
        b.record(child, "hv", since=born, slips=Slips(given=("T",)) if child == tayo else None)
        b.involve(child, "hv", "Health visiting", born, worker=b.worker("hv", 0))
    b.record(mother, "hv", since=b.people[tiwa].born)
    b.record(mother, "housing", since=ago(today, years=5), reference="REFERENCE")
    for person, code in ((father, "SPS"), (tiwa, "CHILD"), (tayo, "CHILD")):
        b.record(person, "housing", since=ago(today, years=4), reference=code)
    b.involve(mother, "housing", "Tenancy", ago(today, years=5), worker=b.worker("housing", 1))
    when = ago(today, months=10)
    for person in (mother, tiwa):
        b.record(person, "csc", since=when, slips=Slips(no_nhs=True))
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "referral", tiwa, when, when, form="LifeEvent", worker=b.worker("csc", 0),
        status="Closed", outcome="Advice given", need="Nursery asked about speech delay",
    )  # fmt: skip


def _half_siblings(b: Builder) -> None:
    today = b.today
    hers = Address("7 Osier Gardens", None, "Aldercombe", "TH8 5NR", "999099000021", use="home")
    his = Address("58 Brickfield Street", None, "Millbrook Green", "TH3 2DU", "999099000022", use="home")
    grace = b.person("bennett.grace", "Grace Louise", "Bennett", "2", born_on(today, 35, 10, 27), phone=True)
    daniel = b.person("bennett.daniel", "Daniel", "Okafor", "1", born_on(today, 38, 1, 15), ethnicity="6", phone=True)
    ryan = b.person("bennett.ryan", "Ryan", "Marsden", "1", born_on(today, 36, 7, 3))
    ngozi = b.person(
        "bennett.ngozi", "Ngozi", "Okafor", "2", born_on(today, 36, 12, 9), ethnicity="6", maiden="Anyanwu"
    )
    noah = b.person("bennett.noah", "Noah Chidi", "Okafor", "1", born_on(today, 12, 3, 9), ethnicity="10")
    lily = b.person("bennett.lily", "Lily Rose", "Bennett", "2", born_on(today, 5, 8, 1))
    b.live("bennett", hers, grace, ryan, lily, noah, since=ago(today, years=6))
    b.live("bennett/okafor", his, daniel, ngozi, since=ago(today, years=6))
    b.families["bennett"] = (grace, ryan, noah, lily, daniel, ngozi)
    b.relate(grace, "NMTH", noah)
    b.relate(daniel, "NFTH", noah)
    b.relate(grace, "NMTH", lily)
    b.relate(ryan, "NFTH", lily)
    b.relate(ryan, "STPFTH", noah)
    b.relate(noah, "HSIB", lily)
    b.relate(ryan, "DOMPART", grace)
    b.relate(daniel, "FMRSPS", grace)
    b.relate(daniel, "HUSB", ngozi)
    for person in (grace, ryan, lily):
        register_with_gp(b, person, "gp-harbourside", ago(today, years=5))
    for person in (daniel, ngozi):
        register_with_gp(b, person, "gp-millbrook", ago(today, years=6))
    register_with_gp(b, noah, "gp-harbourside", ago(today, years=5))
    b.record(noah, "gp-millbrook", since=ago(today, years=7), until=ago(today, years=5), address=his)
    b.involve(noah, "gp-millbrook", "Registered patient", ago(today, years=7), ago(today, years=5))
    since = ago(today, years=2)
    for person in (grace, daniel, ryan, noah, lily):
        b.record(person, "csc", since=since)
    end = ago(today, years=1, months=4)
    b.involve(noah, "csc", "Assessment Team North", since, end, worker=b.worker("csc", 3))
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "cin-plan", noah, since, end, worker=b.worker("csc", 3),
        status="Closed", need="Conflict between separated parents", outcome="Contact plan agreed",
        child_voice="I want to know which house I am at.",
    )  # fmt: skip
    b.record(daniel, "police", since=since)
    b.record(grace, "police", since=since)
    b.happen(
        "police", Cat.POLICE_INCIDENT, "Domestic incident", {grace: "involved", daniel: "involved"}, since, since,
        form="LifeEvent", circumstances="Argument at handover of the child. No offences.",
    )  # fmt: skip


def _unborn(b: Builder) -> None:
    today, home = b.today, Address("19 Tinder Lane", "Flat 4", "Thornminster", "TH1 9PS", "999099000023", use="home")
    chloe = b.person("whitcombe.chloe", "Chloe Ann", "Whitcombe", "2", born_on(today, 19, 11, 30), phone=True)
    expected = ago(today, days=-70)
    baby = b.person("whitcombe.baby", "Baby", "Whitcombe", "X", None, expected=expected, flags=(SubjectFlag.UNBORN,))
    b.live("whitcombe", home, chloe, baby, since=ago(today, years=1))
    b.families["whitcombe"] = (chloe, baby)
    b.relate(chloe, "NMTH", baby)
    register_with_gp(b, chloe, "gp-millbrook", ago(today, years=3))
    booked, visitor, social = ago(today, months=5), b.worker("hv", 1), b.worker("csc", 2)
    b.record(chloe, "hv", since=booked)
    b.involve(chloe, "hv", "Antenatal health visiting", booked, worker=visitor)
    delivery = f"Estimated date of delivery {expected.isoformat()}"
    b.happen(
        "hv", Cat.HEALTH_SUMMARY, "booking", chloe, booked, booked, worker=visitor, form="LifeEvent",
        status="Universal partnership plus", detail=f"Booked for antenatal care. {delivery}",
    )  # fmt: skip
    since = ago(today, months=1)
    earlier = ago(today, years=4)
    b.record(chloe, "csc", since=earlier)
    b.record(baby, "csc", since=since)
    b.involve(baby, "csc", social.team, since, worker=social)
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "section-47", baby, since, worker=social, status="Open",
        need="Likely harm at birth; mother was herself looked after", detail=delivery,
    )  # fmt: skip
    left = ago(today, years=1)
    b.involve(chloe, "csc", "Children in Care Team", earlier, left, worker=b.worker("csc", 6))
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "child-looked-after", chloe, earlier, left, worker=b.worker("csc", 6),
        status="Closed", outcome="Left care at 18",
    )  # fmt: skip


def _shielded(b: Builder) -> None:
    today = b.today
    old = Address("102 Foundry Road", None, "Hexley Cross", "TH7 6FD", "999099000024", use="home")
    new = Address("6 Shearwater Court", "Flat 11", "Saltmarsh Quay", "TH6 4SJ", "999099000025", use="home")
    flags = (SubjectFlag.SHIELDED, SubjectFlag.FLEEING_DA)
    nadia = b.person("zielonka.nadia", "Nadia", "Zielonka", "2", born_on(today, 33, 6, 21), ethnicity="17", flags=flags)
    filip = b.person("zielonka.filip", "Filip", "Zielonka", "1", born_on(today, 5, 1, 11), ethnicity="17", flags=flags)
    marek = b.person("zielonka.marek", "Marek", "Zielonka", "1", born_on(today, 36, 9, 28), ethnicity="17", phone=True)
    fled = ago(today, months=6)
    b.live("zielonka", old, nadia, filip, marek, since=ago(today, years=5), until=fled)
    b.live("zielonka", old, marek, since=fled)
    b.live("zielonka/new", new, nadia, filip, since=fled)
    b.families["zielonka"] = (nadia, filip, marek)
    b.relate(nadia, "NMTH", filip)
    b.relate(marek, "NFTH", filip)
    b.relate(marek, "HUSB", nadia)
    register_with_gp(b, marek, "gp-millbrook", ago(today, years=5))
    for person in (nadia, filip):
        register_with_gp(b, person, "gp-harbourside", fled)
        b.record(person, "csc", since=ago(today, months=8))
    b.record(marek, "csc", since=ago(today, months=8))
    social, unit = b.worker("csc", 3), b.worker("police", 1)
    b.involve(filip, "csc", social.team, ago(today, months=8), worker=social)
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "cin-plan", filip, ago(today, months=7), worker=social, status="Open",
        need="Domestic abuse", action="Safety plan with the refuge",
    )  # fmt: skip
    for person in (nadia, filip):
        place = f"{new.line2}, {new.line1}, {new.city}, {new.postcode}"
        b.happen("csc", Cat.ADDRESS_SHIELDED, "protected-address", person, fled, worker=social, address=place)
    b.record(nadia, "police", since=ago(today, years=1), slips=Slips(address=old, no_nhs=True))
    b.record(marek, "police", since=ago(today, years=1))
    for months in (11, 6):
        when = ago(today, months=months)
        b.happen(
            "police", Cat.POLICE_INCIDENT, "Domestic abuse", {nadia: "victim", marek: "suspect"}, when, when,
            form="LifeEvent", worker=unit, circumstances="Assault reported by the victim. Risk assessed as high.",
        )  # fmt: skip
    b.involve(nadia, "police", unit.team, ago(today, months=11), worker=unit)
    b.involve(marek, "police", unit.team, ago(today, months=11), worker=unit)
    b.record(marek, "housing", since=ago(today, years=5), reference="REFERENCE")
    # Housing never learned that she left: its old record keeps her in the old household, without a flag.
    b.record(
        nadia, "housing", since=ago(today, years=5), until=fled, reference="SPS", household="zielonka", address=old
    )
    b.involve(marek, "housing", "Tenancy", ago(today, years=5), worker=b.worker("housing", 0))
    b.record(filip, "hv", since=fled)
    b.involve(filip, "hv", "Health visiting", fled, worker=b.worker("hv", 3))


def _adopted(b: Builder) -> None:
    today, home = b.today, Address("21 Marigold Drive", None, "Millbrook Green", "TH3 9JB", "999099000026", use="home")
    hers = Address("140 Gallows Way", None, "Thornminster", "TH1 5QD", "999099000027", use="home")
    thomas = b.person("fairweather.thomas", "Thomas", "Fairweather", "1", born_on(today, 41, 3, 30), phone=True)
    priya = b.person(
        "fairweather.priya", "Priya", "Fairweather", "2", born_on(today, 40, 7, 22), ethnicity="3", maiden="Raval"
    )
    isla = b.person(
        "fairweather.isla", "Isla", "Fairweather", "2", born_on(today, 6, 2, 11), flags=(SubjectFlag.ADOPTED,)
    )
    # The birth identity has its own NHS number, as adoption gives a child a new one.
    birth = b.person(
        "dunmore.kayleigh", "Kayleigh", "Dunmore", "2", born_on(today, 6, 2, 11),
        flags=(SubjectFlag.ADOPTED, SubjectFlag.CASE_LOCKED),
    )  # fmt: skip
    stacey = b.person("dunmore.stacey", "Stacey", "Dunmore", "2", born_on(today, 27, 5, 5))
    adopted = ago(today, years=4)
    b.live("fairweather", home, thomas, priya, isla, since=ago(today, years=8))
    b.live("dunmore", hers, stacey, birth, since=ago(today, years=7), until=ago(today, years=5))
    b.live("dunmore", hers, stacey, since=ago(today, years=5))
    b.families["fairweather"] = (thomas, priya, isla)
    b.families["dunmore"] = (stacey,)
    b.relate(thomas, "HUSB", priya)
    b.relate(thomas, "ADOPTF", isla)
    b.relate(priya, "ADOPTM", isla)
    b.relate(stacey, "NMTH", birth)
    for person in (thomas, priya):
        register_with_gp(b, person, "gp-millbrook", ago(today, years=8))
    register_with_gp(b, isla, "gp-millbrook", adopted)
    register_with_gp(b, stacey, "gp-millbrook", ago(today, years=7))
    for person in (thomas, priya, isla):
        b.record(person, "csc", since=adopted)
    b.record(stacey, "csc", since=ago(today, years=6))
    b.record(birth, "csc", since=ago(today, years=6), until=adopted)
    care = b.worker("csc", 7)
    b.involve(birth, "csc", care.team, ago(today, years=5), adopted, worker=care)
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "child-looked-after", birth, ago(today, years=5), adopted, worker=care,
        status="Closed", outcome="Adopted",
    )  # fmt: skip
    b.happen(
        "csc", Cat.ADOPTION_SEALED, "adoption-record", isla, adopted, worker=care, birth_identity="Kayleigh Dunmore"
    )
    b.record(isla, "hv", since=adopted)
    b.involve(isla, "hv", "School nursing", ago(today, years=1), worker=b.worker("hv", 4))


def _open_case(b: Builder) -> None:
    today, home = b.today, Address("75 Windmill Close", None, "Hexley Cross", "TH7 8WY", "999099000028", use="home")
    mother = b.person("grimshaw.tina", "Tina", "Grimshaw", "2", born_on(today, 39, 2, 14), phone=True)
    tyler = b.person("grimshaw.tyler", "Tyler Lee", "Grimshaw", "1", born_on(today, 10, 11, 2))
    b.live("grimshaw", home, mother, tyler, since=ago(today, years=7))
    b.families["grimshaw"] = (mother, tyler)
    b.relate(mother, "NMTH", tyler)
    since, social = ago(today, months=4), b.worker("csc", 2)
    for person in (mother, tyler):
        register_with_gp(b, person, "gp-millbrook", ago(today, years=7))
        b.record(person, "csc", since=since)
    b.involve(tyler, "csc", social.team, since, worker=social)
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "cin-plan", tyler, since, worker=social, status="Open",
        need="Neglect", action="Core group every four weeks",
    )  # fmt: skip
    b.record(mother, "housing", since=ago(today, years=7), reference="REFERENCE")
    b.record(tyler, "housing", since=ago(today, years=7), reference="CHILD")
    b.involve(mother, "housing", "Tenancy", ago(today, years=7), worker=b.worker("housing", 0))
    b.record(tyler, "police", since=ago(today, months=2))
    when = ago(today, months=2)
    b.happen(
        "police", Cat.POLICE_INCIDENT, "Anti-social behaviour", {tyler: "involved"}, when, when, form="LifeEvent",
        circumstances="Group of children throwing stones at a bus shelter.",
    )  # fmt: skip


def _early_help(b: Builder, family: str, mother: str, child: str, home: Address, practice: str) -> None:
    since, support = ago(b.today, months=5), b.worker("csc", 4)
    b.live(family, home, mother, child, since=ago(b.today, years=3))
    b.families[family] = (mother, child)
    b.relate(mother, "NMTH", child)
    for person in (mother, child):
        register_with_gp(b, person, practice, ago(b.today, years=3))
        b.record(person, "csc", since=since)
        b.record(person, "housing", since=ago(b.today, years=3), reference="REFERENCE" if person == mother else "CHILD")
    b.involve(mother, "housing", "Tenancy", ago(b.today, years=3), worker=b.worker("housing", 1))
    b.involve(child, "csc", support.team, since, worker=support)
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "early-help", child, since, worker=support, status="Open",
        need="Isolation; help with routines",
    )  # fmt: skip
    b.happen(
        "housing", Cat.HOUSING, "arrears", mother, ago(b.today, months=3), worker=b.worker("housing", 1),
        detail="Rent account £340 in arrears", status="Repayment agreed",
    )  # fmt: skip


def _consent_withdrawn(b: Builder) -> None:
    home = Address("30 Plover Road", None, "Wendlehaven", "TH5 2RB", "999099000029", use="home")
    mother = b.person("lockwood.jasmine", "Jasmine", "Lockwood", "2", born_on(b.today, 26, 6, 17), phone=True)
    theo = b.person("lockwood.theo", "Theo", "Lockwood", "1", born_on(b.today, 3, 12, 5))
    _early_help(b, "lockwood", mother, theo, home, "gp-harbourside")
    b.record(theo, "hv", since=b.people[theo].born)
    b.involve(theo, "hv", "Health visiting", b.people[theo].born or b.today, worker=b.worker("hv", 2))


def _early_help_agreed(b: Builder) -> None:
    home = Address("64 Linden Avenue", None, "Thornminster", "TH2 8GX", "999099000030", use="home")
    mother = b.person("ashby.carmel", "Carmel", "Ashby", "2", born_on(b.today, 32, 1, 21), phone=True)
    ruby = b.person("ashby.ruby", "Ruby", "Ashby", "2", born_on(b.today, 8, 9, 23))
    _early_help(b, "ashby", mother, ruby, home, "gp-millbrook")
    b.record(ruby, "hv", since=ago(b.today, years=2))
    b.involve(ruby, "hv", "School nursing", ago(b.today, years=2), worker=b.worker("hv", 4))
    b.record(mother, "police", since=ago(b.today, years=2))
    when = ago(b.today, years=2)
    b.happen(
        "police", Cat.POLICE_INCIDENT, "Theft", {mother: "victim"}, when, when, form="LifeEvent",
        circumstances="Handbag taken on a bus.",
    )  # fmt: skip


def _lodger(b: Builder) -> None:
    today, home = b.today, Address("16 Weir Lane", None, "Wendlehaven", "TH4 9TL", "999099000031", use="home")
    away = Address("2 Quarry Court", "Flat 1", "Hexley Cross", "TH7 1EG", "999099000032", use="home")
    mother = b.person("ravenscroft.alice", "Alice", "Ravenscroft", "2", born_on(today, 37, 10, 10), phone=True)
    father = b.person("ravenscroft.hugh", "Hugh", "Ravenscroft", "1", born_on(today, 40, 4, 1))
    poppy = b.person("ravenscroft.poppy", "Poppy", "Ravenscroft", "2", born_on(today, 8, 5, 29))
    gary = b.person("ravenscroft.gary", "Gary", "Stubbington", "1", born_on(today, 45, 8, 13))
    left = ago(today, years=4)
    b.live("ravenscroft", home, mother, father, poppy, since=ago(today, years=7))
    b.live("ravenscroft", home, gary, since=ago(today, years=6), until=left)
    b.live("ravenscroft/gary", away, gary, since=left)
    b.families["ravenscroft"] = (mother, father, poppy)
    b.relate(father, "HUSB", mother)
    b.relate(mother, "NMTH", poppy)
    b.relate(father, "NFTH", poppy)
    b.relate(gary, "ROOM", mother)
    for person in (mother, father, poppy):
        register_with_gp(b, person, "gp-harbourside", ago(today, years=7))
    register_with_gp(b, gary, "gp-millbrook", left)
    b.record(mother, "housing", since=ago(today, years=7), reference="REFERENCE")
    b.record(father, "housing", since=ago(today, years=7), reference="SPS")
    b.record(poppy, "housing", since=ago(today, years=7), reference="CHILD")
    b.record(
        gary, "housing", since=ago(today, years=6), until=left, reference="ROOM", household="ravenscroft", address=home
    )
    b.involve(mother, "housing", "Tenancy", ago(today, years=7), worker=b.worker("housing", 0))
    b.record(gary, "police", since=ago(today, years=3))
    when = ago(today, years=3)
    b.happen(
        "police", Cat.POLICE_INCIDENT, "Theft", {gary: "suspect"}, when, when, form="LifeEvent",
        circumstances="Copper pipe taken from a building site.",
    )  # fmt: skip
    b.record(poppy, "csc", since=ago(today, months=1))
    b.record(mother, "csc", since=ago(today, months=1))
    b.happen(
        "csc", Cat.SOCIAL_CARE_STATUS, "referral", poppy, ago(today, days=2), ago(today, days=2), form="LifeEvent",
        worker=b.worker("csc", 0), status="Contact received", need="School worried about tiredness",
    )  # fmt: skip
