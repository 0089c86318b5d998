"""What the agencies of Thornshire do with ordinary families: who knows whom, since when, and what happened.

For: agencies whose data has the gaps that real ones have. Must never score or rank a family: what happens to
whom is chance. Types are PUB02 codes where the draft has one.
"""

from datetime import date

from hub.demo.addresses import practice_of
from hub.demo.builder import ORDINARY, Builder, ago
from policies.vocabulary import DataCategory as Cat

_INCIDENTS = (
    ("Domestic incident", "Argument between adults at home. Officers attended, no offences disclosed."),
    ("Domestic abuse", "Verbal abuse and damage to a door. Safeguarding notice submitted."),
    ("Anti-social behaviour", "Complaint of noise late in the evening. Advice given."),
    ("Theft", "Bicycle taken from a front garden."),
    ("Concern for safety", "Neighbour reported shouting. All occupants seen safe and well."),
    ("Road traffic collision", "Minor collision, no injuries."),
)
_VISITS = ("A&E attendance, minor injury", "Routine appointment", "Asthma review", "Out-of-hours contact")
_SUBSTANCES = ("Alcohol", "Opiates", "Cannabis", "Cocaine")
_PACKAGES = (
    ("home-support-domiciliary", "Home First Team"),
    ("meals", "Adults Duty Team"),
    ("equipment", "Home First Team"),
    ("day-support", "Adults Duty Team"),
    ("reablement", "Home First Team"),
)


def add_ordinary_services(b: Builder) -> None:
    """Adds records, involvements and happenings of ordinary people at every agency."""
    households: dict[str, list[str]] = {}
    for r in b.residences:
        if r.until is None and r.person.startswith(ORDINARY):
            households.setdefault(r.household, []).append(r.person)
    for people in households.values():
        _gp(b, people)
        _health_visiting(b, people)
        _housing(b, people)
        _children(b, people)
        _adults(b, people)
        _police(b, people)
        _substance(b, people)


def register_with_gp(b: Builder, person: str, practice: str, since: date, until: date | None = None) -> None:
    """Says that somebody is on a practice's list, or was."""
    b.record(person, practice, since=since, until=until)
    b.involve(person, practice, "Registered patient", since, until)


def _gp(b: Builder, people: list[str]) -> None:
    rng = b.rng
    for person in people:
        if rng.random() < 0.04:
            continue
        practice = practice_of(b.home(person).address.city or "")
        if rng.random() < 0.08:
            practice = "gp-harbourside" if practice == "gp-millbrook" else "gp-millbrook"
        born = b.people[person].born or b.today
        register_with_gp(b, person, practice, max(born, ago(b.today, years=rng.uniform(0.2, 20))))
        if rng.random() < 0.03:
            other = "gp-harbourside" if practice == "gp-millbrook" else "gp-millbrook"
            left = ago(b.today, years=rng.uniform(0.1, 2))
            if born < left:
                register_with_gp(b, person, other, max(born, ago(left, years=4)), left)
        if rng.random() < 0.12:
            when = max(born, ago(b.today, years=rng.uniform(0.05, 3)))
            kind = rng.choice(_VISITS)
            b.happen(
                practice, Cat.HEALTH_SUMMARY, "ae-attendance" if kind.startswith("A&E") else "appointment",
                person, when, when, form="LifeEvent", detail=kind, status="finished",
            )  # fmt: skip


def _health_visiting(b: Builder, people: list[str]) -> None:
    rng = b.rng
    young = [p for p in people if (b.age(p) or 0) < 5]
    for child in young:
        if rng.random() < 0.05:
            continue
        born = b.people[child].born or b.today
        b.record(child, "hv", since=born)
        b.involve(child, "hv", "Health visiting", born, worker=b.worker("hv", rng.randrange(4)))
        mother = f"{child.rsplit('.', 1)[0]}.mother"
        if mother in people:
            b.record(mother, "hv", since=born)
        if rng.random() < 0.15:
            when = max(born, ago(b.today, months=rng.uniform(0.3, 20)))
            b.happen(
                "hv", Cat.HEALTH_SUMMARY, "review", child, when, when,
                status=rng.choice(("Universal", "Universal plus", "Universal partnership plus")),
                detail=rng.choice(("Development review done", "Home visit done", "Not brought to review")),
            )  # fmt: skip
    for child in people:
        if 5 <= (b.age(child) or 0) < 18 and rng.random() < 0.25:
            since = ago(b.today, years=rng.uniform(0.1, 4))
            b.record(child, "hv", since=since)
            b.involve(child, "hv", "School nursing", since, worker=b.worker("hv", 4))


def _housing(b: Builder, people: list[str]) -> None:
    rng = b.rng
    if rng.random() > 0.26:
        return
    tenant = people[0]
    since = b.home(tenant).since
    for person in people:
        code = "REFERENCE" if person == tenant else housing_relationship(b, person, tenant)
        b.record(person, "housing", since=max(since, b.people[person].born or since), reference=code)
    b.involve(tenant, "housing", "Tenancy", since, worker=b.worker("housing", rng.randrange(2)))
    if rng.random() < 0.3:
        arrears = rng.randrange(120, 2400, 10)
        b.happen(
            "housing", Cat.HOUSING, "arrears", tenant, ago(b.today, months=rng.uniform(0.3, 14)),
            detail=f"Rent account £{arrears:,} in arrears", status=rng.choice(("Letter sent", "Repayment agreed")),
        )  # fmt: skip


def housing_relationship(b: Builder, person: str, tenant: str) -> str:
    """Returns what a housing officer writes down for a member of a tenant's household."""
    found = next((r.code for r in b.relations if r.person == person and r.of == tenant), None)
    if found in ("SON", "DAU"):
        return "CHILD"
    if found in ("HUSB", "WIFE"):
        return "SPS"
    return found if found in ("DOMPART", "ROOM") else "FAMMEMB"


def _children(b: Builder, people: list[str]) -> None:
    rng = b.rng
    children = [p for p in people if (b.age(p) or 0) < 18]
    if not children or rng.random() > 0.17:
        return
    parents = {r.person for r in b.relations if r.of in children and r.code in ("NMTH", "NFTH", "STPFTH")}
    since = ago(b.today, years=rng.uniform(0.1, 6))
    for person in (*sorted(parents), *children):
        if person in people or rng.random() < 0.7:
            b.record(person, "csc", since=max(since, b.people[person].born or since))
    kind = rng.choices(("referral", "early-help", "cin-plan", "cp-plan", "section-47"), weights=(34, 30, 22, 8, 6))[0]
    for child in children:
        start = max(since, b.people[child].born or since)
        length = 1.2 if kind == "cp-plan" else 0.7
        end = start if kind == "referral" else ago(start, years=-rng.uniform(0.1, length))
        ended = end if end < b.today else None
        worker = b.worker("csc")
        b.involve(child, "csc", worker.team, start, ended, worker=worker)
        b.happen(
            "csc", Cat.SOCIAL_CARE_STATUS, kind, child, start, ended, worker=worker,
            form="LifeEvent" if kind == "referral" else "ServiceEpisode",
            status="Closed" if ended else "Open",
            need=rng.choice(("Parenting support", "Neglect", "Domestic abuse", "Emotional harm", "Disability")),
            outcome=rng.choice(("No further action", "Advice given", "Stepped down to early help")) if ended else "",
        )  # fmt: skip


def _adults(b: Builder, people: list[str]) -> None:
    rng = b.rng
    for person in people:
        age = b.age(person) or 0
        if rng.random() > (0.45 if age >= 80 else 0.13 if age >= 65 else 0.012 if age >= 18 else 0.0):
            continue
        since = ago(b.today, years=rng.uniform(0.1, 4))
        ended = ago(b.today, months=rng.uniform(0.2, 20)) if rng.random() < 0.35 else None
        if ended and ended <= since:
            ended = None
        b.record(person, "asc", since=since, until=ended)
        kind, team = rng.choice(_PACKAGES)
        worker = next(w for w in b.workers["asc"] if w.team == team)
        b.involve(person, "asc", team, since, ended, worker=worker)
        b.happen("asc", Cat.ASC_PACKAGE, kind, person, since, ended, worker=worker)


def _police(b: Builder, people: list[str]) -> None:
    rng = b.rng
    adults = [p for p in people if (b.age(p) or 0) >= 16]
    if not adults or rng.random() > 0.14:
        return
    for _ in range(rng.choice((1, 1, 2))):
        kind, words = rng.choice(_INCIDENTS)
        when = ago(b.today, years=rng.uniform(0.02, 5))
        parts = {rng.choice(adults): "victim"}
        other = rng.choice(adults)
        if other not in parts:
            parts[other] = "suspect" if kind in ("Domestic abuse", "Theft") else "involved"
        for child in people:
            if (b.age(child) or 0) in range(6, 16) and rng.random() < 0.2:
                parts[child] = "witness"
        for person in parts:
            b.record(person, "police", since=when)
        b.happen("police", Cat.POLICE_INCIDENT, kind, parts, when, when, form="LifeEvent", circumstances=words)


def _substance(b: Builder, people: list[str]) -> None:
    rng = b.rng
    for person in people:
        if not 18 <= (b.age(person) or 0) <= 70 or rng.random() > 0.025:
            continue
        since = ago(b.today, years=rng.uniform(0.1, 4))
        ended = ago(since, years=-rng.uniform(0.2, 1.5))
        until = ended if ended < b.today else None
        b.record(person, "sms", since=since, until=until)
        b.involve(person, "sms", "Adult recovery", since, until, worker=b.worker("sms", rng.randrange(2)))
        b.happen(
            "sms", Cat.SUBSTANCE_MISUSE, rng.choice(_SUBSTANCES), person, since, until,
            risk=rng.choice(("No risk to children recorded", "Unsupervised care of children to be reviewed")),
            treatment="Keyworking and group programme.", narrative="Session notes kept by the keyworker.",
        )  # fmt: skip
