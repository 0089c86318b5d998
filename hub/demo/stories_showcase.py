"""The showcase family: six people, seven kinds of agencies, six years, and agencies that disagree.

For: the combined picture at its richest. Must never be used to suggest that one fact leads to another.
"""

from datetime import date

from hub.demo.builder import Builder, Slips, ago, born_on
from hub.demo.model import Address
from hub.demo.services import register_with_gp
from policies.vocabulary import DataCategory as Cat

_HOME = Address("14 Samphire Close", None, "Wendlehaven", "TH4 2QN", "999099000001", use="home")
_BEFORE = Address("Flat 3", "62 Ropewalk Street", "Thornminster", "TH1 7BD", "999099000002", use="home")
_CRAIGS = Address("9 Foundry Lane", None, "Hexley Cross", "TH7 3DT", "999099000003", use="home")


def add_showcase(b: Builder) -> None:
    """Adds the Tarrant family."""
    today = b.today
    leanne = b.person(
        "tarrant.leanne", "Leanne Marie", "Tarrant", "2", born_on(today, 31, 3, 17),
        maiden="Quennell", phone=True, familiar_as="Lee",
    )  # fmt: skip
    craig = b.person("tarrant.craig", "Craig Anthony", "Doughty", "1", born_on(today, 34, 11, 8), phone=True)
    jayden = b.person("tarrant.jayden", "Jayden Kyle", "Tarrant", "1", born_on(today, 14, 1, 26), phone=True)
    maisie = b.person("tarrant.maisie", "Maisie Grace", "Tarrant", "2", born_on(today, 7, 9, 4))
    alfie = b.person("tarrant.alfie", "Alfie James", "Doughty", "1", ago(today, months=9))
    maureen = b.person("tarrant.maureen", "Maureen Joyce", "Quennell", "2", born_on(today, 68, 5, 2), familiar_as="Mo")
    moved = ago(today, years=3, months=2)
    family = (leanne, jayden, maisie)
    b.live("tarrant/before", _BEFORE, *family, since=ago(today, years=7), until=moved)
    b.live("tarrant/craig", _CRAIGS, craig, since=ago(today, years=6), until=ago(today, years=2))
    b.live("tarrant", _HOME, *family, since=moved)
    b.live("tarrant", _HOME, craig, since=ago(today, years=2))
    b.live("tarrant", _HOME, maureen, since=ago(today, years=1, months=4))
    b.live("tarrant", _HOME, alfie, since=ago(today, months=9))
    b.families["tarrant"] = (leanne, craig, jayden, maisie, alfie, maureen)
    for child in (jayden, maisie, alfie):
        b.relate(leanne, "NMTH", child)
        b.relate(maureen, "MGRMTH", child)
    b.relate(craig, "NFTH", alfie)
    b.relate(craig, "STPFTH", maisie)
    b.relate(craig, "STPFTH", jayden)
    b.relate(craig, "DOMPART", leanne)
    b.relate(maureen, "NMTH", leanne)
    b.relate(leanne, "DAUC", maureen)
    b.relate(jayden, "HSIB", maisie)
    b.relate(jayden, "HSIB", alfie)
    b.relate(maisie, "HSIB", alfie)
    _social_care(b)
    _health(b, maisie_at_hv=_swapped(b.people[maisie].born or today))
    _police(b)
    _home_and_recovery(b)


def _swapped(day: date) -> date:
    return date(day.year, day.day, day.month)


def _social_care(b: Builder) -> None:
    today, mash, assessment, support = b.today, b.worker("csc", 0), b.worker("csc", 2), b.worker("csc", 4)
    leanne, craig, jayden, maisie, alfie = (f"tarrant.{n}" for n in ("leanne", "craig", "jayden", "maisie", "alfie"))
    first = ago(today, years=5, months=8)
    b.record(leanne, "csc", since=first, slips=Slips(previous="Quennell", no_nhs=True))
    b.record(craig, "csc", since=ago(today, years=2), slips=Slips(given=("Craig",), no_nhs=True, no_birth=True))
    b.record(jayden, "csc", since=first)
    b.record(maisie, "csc", since=first, slips=Slips(preferred="Maisy"))
    b.record(alfie, "csc", since=ago(today, days=1), slips=Slips(given=("Alfie",), no_nhs=True))
    b.record("tarrant.maureen", "csc", since=ago(today, years=1), slips=Slips(given=("Maureen",), no_nhs=True))
    for child in (jayden, maisie):
        b.involve(child, "csc", "Family Support Team", first, ago(today, years=4, months=10), worker=support)
        b.happen(
            "csc", Cat.SOCIAL_CARE_STATUS, "early-help", child, first, ago(today, years=4, months=10), worker=support,
            status="Closed", need="Parenting support after a move", outcome="Goals met, case closed",
        )  # fmt: skip
        plan = (ago(today, years=2, months=7), ago(today, years=1, months=5))
        b.involve(child, "csc", "Assessment Team North", *plan, worker=assessment)
        b.happen(
            "csc", Cat.SOCIAL_CARE_STATUS, "cin-plan", child, *plan, worker=assessment,
            status="Closed", need="Domestic abuse in the home; a parent's substance misuse",
            outcome="Stepped down to universal services", action="School to watch attendance",
            child_voice="I like it when it is quiet at home.",
        )  # fmt: skip
        b.happen(
            "csc", Cat.SOCIAL_CARE_NARRATIVE, "closing-summary", child, plan[1], plan[1], worker=assessment,
            narrative="The family worked with the plan. Leanne asked for help early when things became difficult.",
        )  # fmt: skip
    for child in (jayden, maisie, alfie):
        b.happen(
            "csc", Cat.SOCIAL_CARE_STATUS, "referral", child, ago(today, days=1), ago(today, days=1), worker=mash,
            form="LifeEvent", status="Contact received", need="Neglect; a parent's substance misuse",
        )  # fmt: skip
    interview = ago(today, months=3, days=-4)
    b.happen(
        "csc", Cat.CSE_MISSING, "return-home-interview", jayden, interview, interview, worker=support,
        form="LifeEvent", outcome="Interview held",
        child_voice="I stayed at a friend's. I did not want to be in the flat.",
    )  # fmt: skip
    package = ago(today, years=1, months=3)
    duty, care = b.worker("asc", 0), b.worker("asc", 2)
    b.record("tarrant.maureen", "asc", since=ago(today, years=2), slips=Slips(preferred="Mo"))
    b.record(leanne, "asc", since=package, slips=Slips(given=("Lee",), no_nhs=True))
    b.involve("tarrant.maureen", "asc", "Home First Team", package, worker=care)
    b.happen("asc", Cat.ASC_PACKAGE, "home-support-domiciliary", "tarrant.maureen", package, worker=care)
    b.happen(
        "asc", Cat.ASC_PACKAGE, "reablement", "tarrant.maureen", ago(today, years=2), ago(today, years=1, months=10),
        worker=duty,
    )  # fmt: skip


def _health(b: Builder, *, maisie_at_hv: date) -> None:
    today = b.today
    leanne, craig, jayden, maisie, alfie, maureen = b.families["tarrant"]
    moved = ago(today, years=3, months=1)
    for person in (leanne, jayden):
        register_with_gp(b, person, "gp-harbourside", moved)
    b.record(maisie, "gp-harbourside", since=moved, slips=Slips(given=("Maisy",)))
    b.involve(maisie, "gp-harbourside", "Registered patient", moved)
    register_with_gp(b, alfie, "gp-harbourside", ago(today, months=8, days=20))
    register_with_gp(b, maureen, "gp-harbourside", ago(today, years=1, months=3))
    b.record(craig, "gp-millbrook", since=ago(today, years=6), slips=Slips(address=_CRAIGS))
    b.involve(craig, "gp-millbrook", "Registered patient", ago(today, years=6))
    b.happen(
        "gp-harbourside", Cat.HEALTH_SUMMARY, "ae-attendance", maisie, ago(today, months=5), ago(today, months=5),
        form="LifeEvent", detail="A&E attendance, burn to the hand from a hot drink", status="finished",
    )  # fmt: skip
    b.happen(
        "gp-harbourside", Cat.HEALTH_SUMMARY, "appointment", alfie, ago(today, months=2), ago(today, months=2),
        form="LifeEvent", detail="Not brought to immunisation appointment", status="finished",
    )  # fmt: skip
    b.happen(
        "gp-harbourside", Cat.HEALTH_SUMMARY, "flag", jayden, ago(today, months=3),
        risk="Missing from home: tell the safeguarding lead", status="active",
    )  # fmt: skip
    b.happen(
        "gp-harbourside", Cat.HEALTH_SUMMARY, "flag", maisie, ago(today, years=2, months=7),
        ago(today, years=1, months=5), risk="Child in need plan", status="inactive",
    )  # fmt: skip
    visitor = b.worker("hv", 2)
    b.record(alfie, "hv", since=b.people[alfie].born)
    b.record(maisie, "hv", since=moved, slips=Slips(given=("Maisie",), born=maisie_at_hv, no_nhs=True))
    b.record(leanne, "hv", since=b.people[alfie].born, slips=Slips(given=("Leanne",), family="Tarant"))
    b.involve(alfie, "hv", "Health visiting", b.people[alfie].born or today, worker=visitor)
    b.involve(maisie, "hv", "Health visiting", moved, ago(today, years=2, months=1), worker=visitor)
    b.happen(
        "hv", Cat.HEALTH_SUMMARY, "review", alfie, ago(today, months=1), ago(today, months=1), worker=visitor,
        status="Universal partnership plus", detail="Weight has dropped two centiles; not brought to two clinics",
        risk="Faltering growth; parent seemed drowsy at the visit", action="Weekly weighing; paediatric referral",
    )  # fmt: skip
    b.happen(
        "hv", Cat.HEALTH_SUMMARY, "review", alfie, ago(today, months=7), ago(today, months=7), worker=visitor,
        status="Universal plus", detail="Six to eight week review done, feeding well",
    )  # fmt: skip


def _police(b: Builder) -> None:
    today = b.today
    leanne, craig, jayden, maisie, _, _ = b.families["tarrant"]
    unit, missing, neighbourhood = b.worker("police", 0), b.worker("police", 2), b.worker("police", 3)
    b.record(
        leanne, "police", since=ago(today, years=4), slips=Slips(family="Quennell", given=("Leanne",), no_nhs=True)
    )
    b.record(craig, "police", since=ago(today, years=5), slips=Slips(address=_CRAIGS, no_nhs=True))
    b.record(jayden, "police", since=ago(today, years=1), slips=Slips(given=("Jaden",), no_nhs=True))
    b.record(maisie, "police", since=ago(today, months=4), slips=Slips(given=("Maisie",), no_nhs=True))
    b.involve(leanne, "police", unit.team, ago(today, years=2, months=8), worker=unit)
    b.involve(craig, "police", unit.team, ago(today, years=2, months=8), worker=unit)
    b.involve(jayden, "police", missing.team, ago(today, months=3), worker=missing)
    for when, kind, parts, words, worker in (
        (ago(today, years=5, months=1), "Theft", {craig: "suspect"}, "Tools taken from a van. Caution.", neighbourhood),
        (
            ago(today, years=2, months=8), "Domestic abuse", {leanne: "victim", craig: "suspect", jayden: "witness"},
            "Shouting and a broken window. Craig arrested; no further action for lack of evidence.", unit,
        ),
        (
            ago(today, months=4), "Domestic abuse", {leanne: "victim", craig: "suspect", maisie: "witness"},
            "Neighbours called. Leanne had a cut lip and did not wish to make a statement.", unit,
        ),
        (
            ago(today, days=12), "Concern for safety", {maisie: "victim", leanne: "involved"},
            "Child seen alone at the bus stop at 21:40 and taken home. Officer notes no food in the kitchen.",
            neighbourhood,
        ),
    ):  # fmt: skip
        b.happen(
            "police", Cat.POLICE_INCIDENT, kind, parts, when, when, form="LifeEvent", worker=worker, circumstances=words
        )
    start = ago(today, months=3)
    b.happen(
        "police", Cat.CSE_MISSING, "missing-person", {jayden: "missing"}, start, ago(start, days=-2), form="LifeEvent",
        worker=missing, risk="Medium",
        circumstances="Missing for two nights; found at a friend's flat in Hexley Cross.",
    )  # fmt: skip
    start = ago(today, months=9)
    b.happen(
        "police", Cat.CSE_MISSING, "missing-person", {jayden: "missing"}, start, ago(start, days=-1), form="LifeEvent",
        worker=missing, circumstances="Did not come home from school; returned the next day.", risk="Medium",
    )  # fmt: skip


def _home_and_recovery(b: Builder) -> None:
    today = b.today
    leanne, craig, jayden, maisie, alfie, maureen = b.families["tarrant"]
    officer, recovery = b.worker("housing", 0), b.worker("sms", 0)
    moved = ago(today, years=3, months=2)
    b.record(leanne, "housing", since=moved, reference="REFERENCE", slips=Slips(given=("Leanne",), no_nhs=True))
    b.record(jayden, "housing", since=moved, reference="CHILD")
    b.record(maisie, "housing", since=moved, reference="CHILD", slips=Slips(given=("Maisie",), no_nhs=True))
    b.record(
        alfie, "housing", since=ago(today, months=6), reference="CHILD", slips=Slips(family="Tarrant", no_nhs=True)
    )
    b.record(maureen, "housing", since=ago(today, years=1), reference="PRN", slips=Slips(given=("Mo",), no_nhs=True))
    b.involve(leanne, "housing", "Tenancy", moved, worker=officer)
    b.happen(
        "housing", Cat.HOUSING, "arrears", leanne, ago(today, months=2), worker=officer,
        detail="Rent account £1,860 in arrears", status="Notice seeking possession served", action="Meeting offered",
    )  # fmt: skip
    b.happen(
        "housing", Cat.HOUSING, "repair", leanne, ago(today, months=7), ago(today, months=6), worker=officer,
        detail="Front door forced; lock replaced", status="Done",
    )  # fmt: skip
    b.happen(
        "housing", Cat.HOUSING, "neighbour-complaint", leanne, ago(today, months=4), ago(today, months=4),
        worker=officer, detail="Two complaints of shouting at night", status="Recorded",
    )  # fmt: skip
    began = ago(today, months=14)
    b.record(leanne, "sms", since=began, slips=Slips(given=("Leanne",)))
    b.record(craig, "sms", since=ago(today, years=4), until=ago(today, years=3), slips=Slips(no_nhs=True))
    b.involve(leanne, "sms", "Adult recovery", began, worker=recovery)
    b.involve(craig, "sms", "Adult recovery", ago(today, years=4), ago(today, years=3), worker=recovery)
    b.happen(
        "sms", Cat.SUBSTANCE_MISUSE, "Opiates", leanne, began, worker=recovery, status="In treatment",
        risk="Sole care of a baby at night; medicines to be kept locked away",
        treatment="Substitute prescribing with supervised collection.",
        narrative="Speaks openly about the last relapse and about her childhood.",
    )  # fmt: skip
    b.happen(
        "sms", Cat.SUBSTANCE_MISUSE, "Alcohol", craig, ago(today, years=4), ago(today, years=3), worker=recovery,
        status="Left before completion", risk="Aggression when drinking",
        treatment="Group programme.", narrative="Attended four of twelve sessions.",
    )  # fmt: skip
