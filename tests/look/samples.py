# ruff: noqa: E501 - one invented record a line reads better than a wrapped one
"""Invented contexts for every page, so that the look can be judged and checked without a database.

Telephone numbers are Ofcom's numbers for drama; NHS numbers start 999; nobody here exists.
"""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace as Given
from typing import Any

from connectors import ContactLine
from hub.picture import AgencyView, Cell, Conflict, EventView, Fact, FamilyPicture, Grounds, PersonView, RelationView
from hub.pictures import Weighed
from hub.words import (
    CONSENT_STATE_WORDS,
    GIVER_CAPACITY_WORDS,
    GP_ANSWER_WORDS,
    PURPOSE_HINTS,
    PURPOSE_WORDS,
    REASON_CODE_WORDS,
    THRESHOLD_WORDS,
)
from policies.vocabulary import AnswerState, ConsentState, DataCategory, FieldKind, GiverCapacity, GpAnswer, Purpose

NOW = datetime(2026, 3, 4, 10, 15, tzinfo=UTC)
F, N, W, X, A = (
    AnswerState.FOUND,
    AnswerState.NOTHING_HELD,
    AnswerState.WITHHELD,
    AnswerState.NO_ANSWER,
    AnswerState.NOT_ASKED,
)


def agency(code: str, name: str, kind: str, number: int, state: AnswerState, covers: str, said: str) -> AgencyView:
    """One agency with drama telephone numbers."""
    return AgencyView(
        code=code,
        name=name,
        kind_words=kind,
        contact=ContactLine("Duty desk", f"01632 960 {number:03d}", f"01632 960 {number + 1:03d}, nights and weekends"),
        coverage=covers,
        as_of=NOW - timedelta(hours=number % 30) if state in (F, N) else None,
        agreement="Northshire family safeguarding agreement 3.1",
        state=state,
        sentence=said,
    )


AGENCIES = (
    agency("csc", "Northshire Children's Services", "Children's social care", 110, F, "Referrals and cases of children living in Northshire since April 2014.", "Involved with 3 people."),
    agency("pol", "Northshire Police", "Police", 120, F, "Incidents and domestic abuse notices in Northshire since January 2016.", "Involved with 3 people."),
    agency("hv", "Northshire 0 to 19 Service", "Health visiting and school nursing", 130, F, "Children under 19 registered in Northshire.", "Involved with 2 people."),
    agency("gp", "Harbour Street Surgery", "GP practice", 140, N, "Patients registered with the practice now.", "Looked and found nothing."),
    agency("camhs", "Young Minds Northshire", "Child and adolescent mental health", 150, X, "Young people referred since 2019.", "Did not answer within 3 seconds. Ring the duty desk."),
    agency("hou", "Northshire Homes", "Housing authority", 160, F, "Tenants and applicants since 2010, refreshed each night.", "Involved with 3 people."),
    agency("sub", "Tideway Recovery Service", "Substance misuse service", 170, W, "Adults in treatment since 2018.", "Whether anything is held is not shared for this purpose. Ask the agency."),
    agency("edu", "Seaview Primary School", "Education", 180, F, "Pupils on roll this school year.", "Involved with 1 person."),
    agency("prob", "Probation North East", "Probation", 190, A, "Adults under supervision.", "No agreement covers this purpose."),
)  # fmt: skip


def fact(name: str, kind: FieldKind, value: str, source: str, days: int = 0) -> Fact:
    """One fact as of some days ago."""
    return Fact(name, kind, value, source, NOW - timedelta(days=days))


AMELIA = PersonView(
    id="p1", label="Amelia Walker", sex_code="2", age=7, unborn=False, deceased=False, is_subject=True,
    relation_to_subject="", why_here="", household="h1",
    facts=(
        fact("date_of_birth", FieldKind.IDENTITY, "2019-01-16", "csc"),
        fact("date_of_birth", FieldKind.IDENTITY, "2019-01-16", "hv", 3),
        fact("nhs_number", FieldKind.IDENTITY, "9990001234", "hv", 3),
        fact("language", FieldKind.DETAIL, "English", "edu", 12),
        fact("status", FieldKind.STATUS, "Child in need plan", "csc"),
        fact("child_voice", FieldKind.CHILD_VOICE, "Says she feels safe at Nan's and likes reading club.", "csc", 9),
    ),
    conflicts=(Conflict("address", (
        fact("address", FieldKind.WHEREABOUTS, "14 Mill Lane, Northport", "hou", 1),
        fact("address", FieldKind.WHEREABOUTS, "Flat 3, 82 Quay Road, Northport", "edu", 40),
    )),),
    warnings=("Do not contact at the home address without speaking to Children's Services first.",),
)  # fmt: skip


def person(
    key: str, label: str, sex: str | None, age: int | None, words: str, why: str, home: str | None, **extra: Any
) -> PersonView:
    """A relative with a few facts."""
    born = f"{2026 - age}-02-11" if age is not None else None
    facts = (fact("date_of_birth", FieldKind.IDENTITY, born, "csc", 2),) if born else ()
    return PersonView(
        id=key, label=label, sex_code=sex, age=age, unborn=extra.get("unborn", False), deceased=extra.get("deceased", False),
        is_subject=False, relation_to_subject=words, why_here=why, household=home, facts=(*facts, *extra.get("facts", ())),
        conflicts=(), warnings=extra.get("warnings", ()),
    )  # fmt: skip


PEOPLE = (
    person("p2", "Noah Walker-Price", "1", 3, "half brother", "Lives in the same household", "h1"),
    person("p3", "Chloe Walker", "2", 29, "mother", "Holds parental responsibility", "h1",
           facts=(fact("telephone", FieldKind.WHEREABOUTS, "01632 960 777", "hou", 5),)),
    person("p4", "Daniel Price", "1", 33, "stepfather", "Lives in the same household", "h1",
           warnings=("Police record a marker for violence to officers.",)),
    AMELIA,
    person("p5", "Marcus Reid", "1", 31, "father", "Holds parental responsibility", None),
    person("p6", "Joan Walker", "2", 61, "grandmother", "Named as a safe adult", "h2"),
    person("p7", "Unborn baby Walker", None, None, "unborn half sibling", "Expected in June 2026", "h1", unborn=True),
    person("p8", "Peter Walker", "1", None, "grandfather", "Recorded as a relative", None, deceased=True),
)  # fmt: skip

STATES = {
    "csc": "FFFNFNNA", "pol": "NNFFFNAA", "hv": "FFNNNNAA", "gp": "NNNNNNAA", "camhs": "XAAAAAAA", "hou": "NNFFNFAA",
    "sub": "AAWWWAAA", "edu": "FNNNNNAA", "prob": "AAAAAAAA",
}  # fmt: skip
SERVICES = {
    "csc": "Child in need team",
    "pol": "Domestic abuse unit",
    "hv": "Health visitor, Northport",
    "hou": "Tenancy",
    "edu": "Year 2",
}
LETTERS = {"F": F, "N": N, "W": W, "X": X, "A": A}
SENTENCES = {
    F: "", N: "", W: "Adult treatment records need the agency's release", X: "Timed out: ring", A: "",
}  # fmt: skip


def cells(order: tuple[str, ...]) -> tuple[Cell, ...]:
    """Every agency's answer about everybody."""
    found = []
    for view in AGENCIES:
        for key, letter in zip(order, STATES[view.code], strict=True):
            state = LETTERS[letter]
            if state is A and view.code == "prob":
                continue
            found.append(Cell(
                person=key, agency=view.code, state=state, service=SERVICES.get(view.code) if state is F else None,
                since=date(2024, 9, 2) if state is F else None, until=date(2025, 11, 30) if state is F and key == "p5" else None,
                contact=view.contact, team_contact="01632 960 115" if view.code == "csc" else None, as_of=view.as_of,
                coverage=view.coverage, sentence=SENTENCES[state] or view.coverage,
            ))  # fmt: skip
    return tuple(found)


def related(
    who: str, of: str, code: str, words: str, *agencies: str, basis: str = "", contradicted: bool = False
) -> RelationView:
    """One relation as agencies state it."""
    return RelationView(who, of, code, words, agencies, basis, contradicted)


RELATIONS = (
    related("p3", "p1", "MTH", "mother", "csc", "hv"),
    related("p5", "p1", "FTH", "father", "csc"),
    related("p3", "p2", "MTH", "mother", "csc", "hv"),
    related("p4", "p2", "FTH", "father", "hv"),
    related("p4", "p1", "STPFTH", "stepfather", "csc", contradicted=True),
    related("p4", "p1", "NFTH", "birth father", "hv", contradicted=True),
    related("p3", "p4", "DOMPART", "partner", "hou"),
    related("p6", "p3", "MTH", "mother", "csc"),
    related("p8", "p3", "FTH", "father", "csc"),
    related("p6", "p8", "SPS", "spouse", "csc"),
    related("p3", "p7", "MTH", "mother", "hv"),
    related("p4", "p7", "FTH", "father", "hv"),
    related("p6", "p1", "MGRMTH", "grandmother", basis="follows from two other relations"),
)


def event(
    who: str,
    source: str,
    category: DataCategory,
    title: str,
    start: date | None,
    end: date | None = None,
    *,
    period: bool = False,
    big: bool = False,
    part: str | None = None,
    **facts: str,
) -> EventView:
    """One event."""
    return EventView(who, source, category, title, start, end, period, big, part,
                     tuple(fact(name, FieldKind.OUTCOME, value, source) for name, value in facts.items()), NOW)  # fmt: skip


POLICE, CARE = DataCategory.POLICE_INCIDENT, DataCategory.SOCIAL_CARE_STATUS
EVENTS = (
    event("p3", "pol", POLICE, "Domestic abuse incident", date(2026, 2, 21), big=True, part="victim", outcome="DASH completed, medium risk"),
    event("p4", "pol", POLICE, "Domestic abuse incident", date(2026, 2, 21), big=True, part="suspect", outcome="Arrested, bailed"),
    event("p1", "pol", POLICE, "Domestic abuse incident", date(2026, 2, 21), big=True, part="child present"),
    event("p1", "csc", CARE, "Child in need plan", date(2025, 10, 6), period=True, big=True, action="Weekly visits until the review"),
    event("p1", "csc", CARE, "Section 47 enquiry", date(2025, 9, 1), date(2025, 9, 22), period=True, big=True, outcome="Concerns not substantiated, family in need"),
    event("p1", "edu", DataCategory.EDUCATION, "Attendance below 85%", date(2025, 12, 1), big=True),
    event("p2", "hv", DataCategory.HEALTH_SUMMARY, "Two-year review missed", date(2025, 6, 3), big=True),
    event("p3", "hou", DataCategory.HOUSING, "Tenancy of 14 Mill Lane", date(2023, 5, 15), period=True, big=True),
    event("p5", "pol", POLICE, "Noise complaint", date(2022, 3, 9), part="witness"),
    event("p3", "hou", DataCategory.HOUSING, "Repair reported", date(2024, 2, 2)),
    event("p3", "hou", DataCategory.HOUSING, "Repair reported", date(2024, 11, 20)),
    event("p1", "hv", DataCategory.HEALTH_SUMMARY, "School entry check", date(2023, 9, 20)),
    event("p1", "csc", CARE, "Contact, no further action", None),
)  # fmt: skip

PICTURE = FamilyPicture(
    grounds=Grounds({"article6": ["PUBLIC_TASK_E"]}, ("THORN-MASH/2",)),
    enquiry="EN-0000000000000417",
    enquiry_reference="MASH/2026/00417",
    purpose_words=PURPOSE_WORDS[Purpose.S47_ENQUIRY],
    made_at=NOW,
    subject="p1",
    people=PEOPLE,
    agencies=AGENCIES,
    cells=cells(("p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8")),
    relations=RELATIONS,
    events=EVENTS,
    notes=(
        "Northshire Homes refreshes its file each night: a tenancy that began today is not in it.",
        "One record of Harbour Street Surgery could not be matched with certainty and was left out.",
    ),
)

RECEIPT = Given(eid="7f3a9c0e4b1d48f2a6c5d0e1f2a3b4c5", recorded_at=NOW)
USER = Given(name="Amira Khan", role_words="MASH social worker", agency_name="Northshire Council")
IG_USER = Given(name="Tom Ellis", role_words="Information governance officer", agency_name="Northshire Council")
GP_USER = Given(name="Priya Shah", role_words="GP care co-ordinator", agency_name="Harbour Street Surgery")
NAV = [
    {"text": "Your enquiries", "href": "/enquiries", "current": True},
    {"text": "Start an enquiry", "href": "/enquiries/new", "current": False},
]
GP_NAV = [{"text": "Package check", "href": "/gp", "current": True}]
IG_NAV = [
    {"text": "Disclosures", "href": "/ig", "current": True},
    {"text": "Agreements", "href": "/ig/agreements", "current": False},
]
MASH = {"user": USER, "nav": NAV, "demo": True}
IG = {"user": IG_USER, "nav": IG_NAV, "demo": True}
GP = {"user": GP_USER, "nav": GP_NAV, "demo": True}


def choices(words: Any, hints: Any = None) -> list[dict[str, str]]:
    """Codes and words as options."""
    return [{"value": str(code), "text": text, "hint": (hints or {}).get(code, "")} for code, text in words.items()]


MASH_PURPOSES = (
    Purpose.IMMEDIATE_PROTECTION, Purpose.S47_ENQUIRY, Purpose.STRATEGY_DISCUSSION, Purpose.MASH_SCREENING,
    Purpose.S17_ASSESSMENT, Purpose.EARLY_HELP, Purpose.ADULT_S42,
)  # fmt: skip
CONSENTS = (
    ConsentState.GIVEN_EXPLICIT, ConsentState.REFUSED, ConsentState.NOT_SOUGHT_UNSAFE,
    ConsentState.NOT_SOUGHT_NOT_REQUIRED, ConsentState.NOT_OBTAINABLE,
)  # fmt: skip
NEW = {
    **MASH,
    "purposes": choices({p: PURPOSE_WORDS[p] for p in MASH_PURPOSES}, PURPOSE_HINTS),
    "thresholds": choices(THRESHOLD_WORDS),
    "consents": choices({c: CONSENT_STATE_WORDS[c] for c in CONSENTS}),
    "givers": choices({g: GIVER_CAPACITY_WORDS[g] for g in (GiverCapacity.SELF, GiverCapacity.PARENT_WITH_PR)}),
    "reason_codes": choices(REASON_CODE_WORDS),
    "values": {},
    "errors": {},
}
TYPED = {
    "purpose": "S47_ENQUIRY", "reference": "MASH/2026/00417", "rationale": "Worried", "consent": "NOT_SOUGHT_UNSAFE",
    "threshold": "S47_DECISION", "who": "Walker",
}  # fmt: skip
CANDIDATES = [
    {"person": "c1", "name": "WALKER, Amelia", "dob_words": "16 January 2019", "age": 7, "sex_words": "Female",
     "agencies_words": "Children's Services, Seaview Primary School and the 0 to 19 Service",
     "reasons": ["Surname and given name are the same", "Date of birth is the same"], "strength_words": "Very strong match",
     "weighed": [Weighed("Forename", "forename equal", 8.2), Weighed("Surname", "surname equal", 9.6), Weighed("Date of birth", "birth date equal", 14.1)],
     "also": "Lives with Chloe Walker, 29, and Noah Walker-Price, 3"},
    {"person": "c2", "name": "WALKER, Amelie", "dob_words": "16 November 2018", "age": 7, "sex_words": "Female",
     "agencies_words": "Northshire Homes", "reasons": ["Surname is the same", "Given name sounds alike", "Month of birth differs"],
     "weighed": [Weighed("Forename", "forename spelt differently", 4.7), Weighed("Surname", "surname equal", 9.6), Weighed("Date of birth", "another birth date", -5.2)],
     "strength_words": "Possible match", "also": None},
    {"person": "c3", "name": "WALKER-PRICE, Noah", "dob_words": None, "age": None, "sex_words": "Male",
     "agencies_words": "the 0 to 19 Service", "reasons": ["Part of the surname is the same"], "strength_words": "Weak match", "also": None},
]  # fmt: skip
ENQUIRY = {"id": "e1", "reference": "MASH/2026/00417", "purpose_words": PURPOSE_WORDS[Purpose.S47_ENQUIRY]}
ENQUIRIES = [
    {"id": "e1", "reference": "MASH/2026/00417", "purpose_words": PURPOSE_WORDS[Purpose.S47_ENQUIRY], "opened_at": NOW,
     "subject_label": "Amelia W, 7", "state_words": "Gathering", "href": "/enquiries/e1"},
    {"id": "e2", "reference": "MASH/2026/00409", "purpose_words": PURPOSE_WORDS[Purpose.MASH_SCREENING],
     "opened_at": NOW - timedelta(hours=19), "subject_label": None, "state_words": "Nobody chosen yet", "href": "/enquiries/e2"},
    {"id": "e3", "reference": "MASH/2026/00388", "purpose_words": PURPOSE_WORDS[Purpose.STRATEGY_DISCUSSION],
     "opened_at": NOW - timedelta(days=6), "subject_label": "Jordan T, 14", "state_words": "Shared, open until 11 March",
     "href": "/enquiries/e3"},
]  # fmt: skip


def gp(code: GpAnswer) -> dict[str, Any]:
    """An answer of the GP check."""
    word, sentence = GP_ANSWER_WORDS[code]
    return {**GP, "answer": {
        "code": str(code), "word": word, "sentence": sentence, "as_of": NOW if code in (GpAnswer.YES, GpAnswer.NO) else None,
        "phone": "01632 960 200", "phone_label": "Adult social care, day and night",
    }}  # fmt: skip


ROWS = [
    {"eid": f"{n:032x}", "t": NOW - timedelta(hours=n * 5), "kind_words": kind, "who": who, "agency": "Northshire Council",
     "purpose_words": PURPOSE_WORDS[Purpose.S47_ENQUIRY], "subjects_count": n % 7 + 1, "outcome_words": outcome,
     "href": f"/ig/entries/{n:032x}"}
    for n, (kind, who, outcome) in enumerate([
        ("Shown", "Amira Khan", "Shown in part"), ("Asked partners", "Amira Khan", "6 partners asked"),
        ("Search", "Amira Khan", "3 candidates"), ("Refused", "Ben Osei", "Not shown"),
        ("GP check", "Priya Shah", "Answered"), ("Override", "Lena Fox", "Shown, review due"),
    ], 1)
]  # fmt: skip
IG_HOME = {
    **IG,
    "figures": [
        {"label": "Disclosures, last 7 days", "value": "1,284", "note": "1,202 the week before"},
        {"label": "Refused", "value": "86", "note": "6.7% of requests"},
        {"label": "Overrides waiting for review", "value": "3", "note": "oldest: 5 hours"},
        {"label": "Last checkpoint", "value": "10:14", "note": "witnessed by 3 partners"},
    ],
    "values": {"case_reference": "IG/2026/31", "agency": "csc"},
    "agencies": [
        {"value": "csc", "text": "Northshire Children's Services"},
        {"value": "pol", "text": "Northshire Police"},
    ],
    "purposes": choices({p: PURPOSE_WORDS[p] for p in MASH_PURPOSES}),
    "page_buttons": [{"text": "Older records", "page": 2}],
    "results": ROWS,
    "paging": {"words": "214 recorded, newest first; page 1 of 36"},
}
HASHES = [sha256(bytes([n])).hexdigest() for n in range(5)]
PROOF = {
    "index": 20,
    "size": 27,
    "leaf": sha256(b"leaf").hexdigest(),
    "siblings": HASHES,
    "root": sha256(b"root").hexdigest(),
    "witnesses": [{"name": "police.example/witness", "at": NOW}, {"name": "nhs.example/witness", "at": NOW}],
    "has_policy": True,
}
ENTRY = {
    "eid": RECEIPT.eid, "t": NOW, "kind_words": "Family picture shown", "outcome_words": "Shown in part",
    "who": {"name": "Amira Khan", "role_words": "MASH social worker", "agency_name": "Northshire Council"},
    "subjects": ["person 4c1f-90aa", "person 77d2-01be", "person 90ee-4410"],
    "purpose_words": PURPOSE_WORDS[Purpose.S47_ENQUIRY], "reference": "MASH/2026/00417",
    "basis": ["Public task (Article 6(1)(e))", "Substantial public interest: safeguarding, Schedule 1 paragraph 18", "Children Act 1989, section 47"],
    "agreement": "Northshire family safeguarding agreement", "agreement_version": "3.1",
    "consent_words": "Not asked: asking could put somebody at risk",
    "shown": [
        {"agency_name": "Northshire Children's Services", "category_words": "Social care status", "fields_words": "Status, started, ended, agreed action", "count": 4},
        {"agency_name": "Northshire Police", "category_words": "Police incidents", "fields_words": "Type, started, part in it, outcome", "count": 3},
    ],
    "withheld": [
        {"agency_name": "Tideway Recovery Service", "category_words": "Substance misuse", "rules": [{"id": "P21", "title": "Treatment records need the owner's release"}]},
    ],
    "answers": [
        {"agency_name": "Northshire Children's Services", "state": F, "as_of": NOW}, {"agency_name": "Harbour Street Surgery", "state": N, "as_of": NOW},
        {"agency_name": "Tideway Recovery Service", "state": W, "as_of": None}, {"agency_name": "Young Minds Northshire", "state": X, "as_of": None},
        {"agency_name": "Probation North East", "state": A, "as_of": None},
    ],
}  # fmt: skip
VERDICT = {
    "ok": True,
    "word": "This record is in the trail and has not been changed",
    "sentence": "Its hash leads to the root that was signed on 4 March 2026, 10:15, and 3 partners confirmed that root.",
}

EMERGENCY = Given(ends_at=NOW + timedelta(hours=4), review_due=NOW + timedelta(hours=37, minutes=44))

#: Page name -> (template, context). Several states of one template stand side by side.
PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "sign_in": ("sign_in.html", {"user": None, "nav": [], "demo": True, "draft_kept": True, "message": "You were signed out because nothing happened for 15 minutes.", "issuers": [{"code": "ns", "name": "Northshire Council"}, {"code": "pol", "name": "Northshire Police"}, {"code": "nhs", "name": "NHS Northshire"}]}),
    "home_mash": ("home_mash.html", {**MASH, "enquiries": ENQUIRIES, "start_href": "/enquiries/new", "notices": [{"text": "The enquiry MASH/2026/00401 is closed."}]}),
    "home_mash_empty": ("home_mash.html", {**MASH, "enquiries": [], "start_href": "/enquiries/new"}),
    "enquiry_new": ("enquiry_new.html", NEW),
    "enquiry_new_errors": ("enquiry_new.html", {**NEW, "values": TYPED, "errors": {"rationale": "Say why in at least 4 words and 20 characters", "reason_code": "Choose why the family was not asked", "who": "Give a first name, a date of birth or an NHS number as well"}}),
    "candidates": ("candidates.html", {**MASH, "enquiry": ENQUIRY, "candidates": CANDIDATES, "query_echo": "Walker Amelia 16 January 2019", "confirm_action": "/enquiries/e1/person", "search_action": "/enquiries/e1/search", "receipt": RECEIPT}),
    "candidates_none": ("candidates.html", {**MASH, "enquiry": ENQUIRY, "candidates": [], "query_echo": "Wakler Amlia", "advice": "Nobody in the index is close enough to what you typed. Check the spelling, or add a date of birth.", "confirm_action": "/enquiries/e1/person", "receipt": RECEIPT}),
    "matrix": ("matrix.html", {**MASH, "picture": PICTURE, "receipt": RECEIPT, "detail_action": "/enquiries/e1/picture", "add_action": "/enquiries/e1/add"}),
    "picture": ("picture.html", {**MASH, "picture": PICTURE, "receipt": RECEIPT, "back_href": "/enquiries/e1/who"}),
    "matrix_emergency": ("matrix.html", {**MASH, "picture": PICTURE, "receipt": RECEIPT, "detail_action": "/enquiries/e1/picture", "emergency": EMERGENCY, "owners_told": ("Northshire Homes", "Northshire Police")}),
    "emergency": ("emergency.html", {**MASH, "reference": "MASH/2026/00417", "back_href": "/enquiries/e1/who", "ends_at": EMERGENCY.ends_at, "review_due": EMERGENCY.review_due}),
    "emergency_errors": ("emergency.html", {**MASH, "reference": "MASH/2026/00417", "back_href": "/enquiries/e1/who", "ends_at": EMERGENCY.ends_at, "review_due": EMERGENCY.review_due, "errors": {"reason": "Say who is at risk and of what: at least 20 characters and 4 words.", "imminent": "Confirm that somebody is at risk of serious harm now. If not, the ordinary way applies."}}),
    "gp_check": ("gp_check.html", GP),
    "gp_yes": ("gp_answer.html", {**gp(GpAnswer.YES), "receipt": RECEIPT}),
    "gp_no": ("gp_answer.html", {**gp(GpAnswer.NO), "receipt": RECEIPT}),
    "gp_cannot_say": ("gp_answer.html", {**gp(GpAnswer.NOT_REACHED), "receipt": RECEIPT}),
    "steward_flagged": ("steward_flagged.html", {**IG, "joins": [
        {"href": "/matching/persons/p1", "agencies": ["Northshire Children's Services", "Northshire Homes", "Northshire Homes"], "rules": ["Two records of one agency", "Two dates of birth"]},
        {"href": "/matching/persons/p2", "agencies": ["Northshire Police", "Seaview Primary School"], "rules": ["Another forename, without a shared number"]}]}),
    "steward_person_flagged": ("steward_person.html", {**IG, "person": "p1", "mark": "0" * 32, "receipt": RECEIPT, "broken": ["Two records of one agency"], "errors": {"kept": "Say why, in your own words."}, "records": [
        {"row": "1", "agency": "Northshire Children's Services", "facts": [{"label": "Name", "text": "Amelia Walker"}, {"label": "Date of birth", "text": "16 January 2019"}]},
        {"row": "2", "agency": "Northshire Children's Services", "facts": [{"label": "Name", "text": "Amelie Walker"}, {"label": "Date of birth", "text": "16 January 2019"}]}]}),
    "steward_held_back": ("steward_held_back.html", {**IG, "waiting": [{"row": "7", "record": "CSC-000418"}, {"row": "9", "record": "CSC-001207"}], "errors": {"row": "Choose the record that you checked."}, "asked": [
        {"record": "CSC-000077", "asked_at": "3 March 2026, 16:40", "rationale": "We looked in our own system and rang the carer.", "stands": "Kept back", "answer": "The protection lead asks for more time."}]}),
    "held_back": ("held_back.html", {**IG, "answers": (("RELEASED", "Release it", "It becomes a person of its own, found and shown as the agreements allow."), ("KEPT", "Keep it back", "Nobody finds it until the record changes.")), "asked": [
        {"request": "3", "agency": "Northshire Children's Services", "record": "CSC-000418", "asked_at": "4 March 2026, 09:02", "rationale": "We looked in our own system and rang the carer."}]}),
    "data_quality": ("data_quality.html", {**IG, "agency": "Northshire Children's Services", "records": 12408, "looked_at": NOW, "not_compared": 12, "receipt": RECEIPT, "fine": ["no sex", "no address"], "lines": [
        {"words": "NHS number fails its check digit", "count": 3, "records": ["CSC-000101", "CSC-000418", "CSC-001207"]},
        {"words": "another agency holds another date of birth for this person", "count": 57, "records": [f"CSC-{n:06}" for n in range(2000, 2020)]}]}),
    "ig_home": ("ig_home.html", {**IG_HOME, "receipt": RECEIPT}),
    "ig_entry": ("ig_entry.html", {**IG, "entry": ENTRY, "verdict": VERDICT, "proof": PROOF, "receipt": RECEIPT}),
    "receipt": ("receipt.html", {**MASH, "entry": {"eid": RECEIPT.eid, "recorded_at": NOW, "kind_words": "Family picture shown"}, "verdict": VERDICT, "proof": PROOF, "download_href": "/receipts/x"}),
    "candidates_first": ("candidates.html", {**MASH, "enquiry": ENQUIRY, "candidates": [], "searched": False, "confirm_action": "/enquiries/e1/person"}),
    "message": ("message.html", {**MASH, "heading": "You have signed out", "paragraphs": ["Close this window if others use this computer."], "links": [{"text": "Sign in again", "href": "/sign-in"}]}),
    "error_403": ("error.html", {**MASH, "status": 403, "title": "You cannot see this here", "happened": "Your role may not ask about adults for early help (rule P12).", "next_steps": ["Ask the lead professional of the family.", {"text": "Start an enquiry with another purpose", "href": "/enquiries/new"}], "phone": "01632 960 100", "reference": "req-5c1e09"}),
    "error_503": ("error.html", {**MASH, "status": 503, "title": "Nothing was asked and nothing is shown", "happened": "The record of disclosures could not be written, so the hub stopped.", "next_steps": ["Try again in a minute."], "phone": "01632 960 100", "reference": "req-5c1e10", "typed": True}),
}  # fmt: skip
