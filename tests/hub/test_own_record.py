"""What a member of the public sees of themselves: refused first, nothing of anybody else, in plain words."""

import html
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from hub import members, retention
from hub.assembly import Hub
from hub.context import RequestContext
from hub.demo.builder import born_on
from hub.demo.citizens import CITIZENS
from hub.demo.stories import STORIES
from hub.enquiries import ENDS_AFTER_DAYS
from hub.members import Member
from hub.own_record import corrections, held, looked
from hub.own_record.citizen import Citizen, bind, member_of, request_of
from hub.own_record.held import what_is_held
from hub.own_record.looked import TOLD, next_review
from hub.own_record.named import MAY_BE_NAMED, TOLD_AFTER_DAYS, told_before
from hub.people import family_of
from hub.people.tables import followed
from hub.tables import duties
from policies.vocabulary import AgencyType, Purpose, Role, SubjectFlag
from tests.conftest import House, Visitor, choose_persona
from tests.hub.conftest import Gate, newest
from tests.hub.test_stories import candidates, choose

TEMPLATES = Path(__file__).parents[2] / "hub" / "web" / "templates"
PAGES = ("/my/record", "/my/looked", "/my/choices", "/my/corrections")
on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


def citizen(house: House, key: str) -> tuple[Visitor, str]:
    """Somebody signs in as a member of the public; where the sign-in led."""
    visitor = Visitor(house)
    started = visitor.get("/sign-in/citizen/start")
    finished = visitor.get(choose_persona(started.headers["Location"], key))
    assert finished.status_code == 303, finished.text
    return visitor, finished.headers["Location"]


def text_of(page: Any) -> str:
    """The words of the main part of a page."""
    main = page.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


@on_one_engine
def test_staff_do_not_enter_and_citizens_enter_nothing_of_staff(house: House) -> None:
    for visitor in (Visitor(house), house.visitor("mash_social_worker")):
        assert [visitor.get(path).headers["Location"] for path in PAGES] == ["/my"] * 4
    visitor, _ = citizen(house, "dorothy")
    for path in ("/", "/enquiries", "/tasks", "/ig", "/gp-check", "/agreements", "/corrections/CR-1"):
        assert visitor.get(path).headers["Location"].endswith("/sign-in")
    # The staff door takes no answer of the citizens' provider, nor the other way round.
    started = visitor.get("/sign-in/demo/start").headers["Location"]
    assert visitor.get(choose_persona(started, "mash_social_worker")).status_code == 303
    assert visitor.get("/my/record").headers["Location"] == "/my"


@on_one_engine
@pytest.mark.parametrize("key", ["half_known", "stranger"])
def test_who_is_not_surely_one_person_of_the_index_is_told_the_same(house: House, key: str) -> None:
    visitor, where = citizen(house, key)
    assert where == "/my/unknown"
    assert "It does not mean that something is held about you" in visitor.get(where).text
    assert visitor.get("/my/record").headers["Location"] == "/my"
    assert newest(house.hub).fields["outcome"] == "REFUSED"


@on_one_engine
def test_a_parent_of_whose_child_somebody_worries_learns_nothing_of_it(house: House) -> None:
    """Her pages are the same, word for word, before an enquiry names her and while it is open."""
    visitor, where = citizen(house, "leanne")
    assert where == "/my/record"
    before = {path: text_of(visitor.get(path)) for path in PAGES}
    worker, told = house.visitor("mash_social_worker"), STORIES["showcase"]
    typed = {
        "purpose": "S47_ENQUIRY",
        "reference": "REF/8",
        "rationale": "A bruise that nobody can explain was seen",
        "who": f"{told.name} {told.nhs_number}",
        "threshold": "S47_DECISION",
    }
    page = worker.post("/enquiries/new", typed)
    at = choose(worker, page.text, candidates(page.text)[0])
    worker.get(f"{at}/picture")
    after = {path: text_of(visitor.get(path)) for path in PAGES}
    assert before == after
    worker.post(f"{at}/close")
    assert {path: text_of(visitor.get(path)) for path in PAGES} == before
    words = " ".join(after.values())
    told_of = words.partition("Other services")[0]
    for word in ("Maisie", "Craig", "child", "Children's Social Care", "Police", "Fresh Tide", "Achebe"):
        assert word not in told_of, word


@on_one_engine
def test_a_person_sees_who_asked_about_them_alone_and_nobodys_name(house: House) -> None:
    visitor, _ = citizen(house, "dorothy")
    practice = house.visitor("gp_millbrook")
    assert practice.post("/gp-check", {"nhs_number": CITIZENS["dorothy"].nhs_number}).status_code == 200
    page = text_of(visitor.get("/my/looked"))
    assert "Someone who plans care at Millbrook Surgery" in page
    assert TOLD[Purpose.GP_PACKAGE_CHECK] in page
    assert "Lindqvist" not in page
    assert newest(house.hub, "audit:read").fields["user"]["role"] == "DATA_SUBJECT"
    record = text_of(visitor.get("/my/record"))
    assert "Dorothy" in record
    assert newest(house.hub, "disclosure:made").fields["purpose"] == Purpose.SUBJECT_RIGHTS


@on_one_engine
def test_a_choice_bites_at_once_and_can_be_taken_back(house: House) -> None:
    visitor, _ = citizen(house, "dorothy")
    practice = house.visitor("gp_millbrook")

    def answer() -> str:
        page = practice.post("/gp-check", {"nhs_number": CITIZENS["dorothy"].nhs_number})
        found = re.search(r'kith-answer__word" id="answer">.*?</span>([^<]+)<', page.text)
        assert found, page.text
        return found[1]

    assert visitor.post("/my/choices", {"choice": "gp", "answer": "perhaps"}).status_code == 422
    assert visitor.post("/my/choices", {"choice": "police", "answer": "no"}).status_code == 422
    assert answer() == "YES"
    assert visitor.post("/my/choices", {"choice": "gp", "answer": "no"}).status_code == 303
    assert answer() == "CANNOT SAY"
    assert visitor.post("/my/choices", {"choice": "gp", "answer": "yes"}).status_code == 303
    assert answer() == "YES"


@on_one_engine
def test_who_agreed_to_early_help_can_stop_it_and_those_who_saw_are_told(house: House) -> None:
    visitor, _ = citizen(house, "carmel")
    page = text_of(visitor.get("/my/choices"))
    assert "services that help your family" in page
    assert "The services you said yes to" in page
    assert not [partner.name for partner in house.hub.partners.values() if partner.name in page]
    assert visitor.post("/my/choices", {"choice": "early-help", "answer": "no"}).status_code == 303
    assert newest(house.hub, "consent:withdrawn").fields["user"]["role"] == "DATA_SUBJECT"
    assert "services that help your family" not in text_of(visitor.get("/my/choices"))


@on_one_engine
def test_a_correction_travels_to_the_source_and_its_answer_back(house: House, gate: Gate) -> None:
    visitor, _ = citizen(house, "dorothy")
    page = visitor.get("/my/corrections").text
    options = re.findall(r'<option value="([^"]+:[^"]+)"', page)
    assert visitor.post("/my/corrections", {"what": "police:name", "right": "Dot"}).status_code == 422
    assert visitor.post("/my/corrections", {"what": options[0], "right": ""}).status_code == 422
    assert {one.partition(":")[0] for one in options} == {"gp-millbrook"}  # Not that adult social care knows her.
    what = options[0]
    assert visitor.post("/my/corrections", {"what": what, "right": "Dorothy Edith, not Dotty"}).status_code == 303
    with house.hub.db.session() as session:
        found = select(duties).where(duties.c.kind == "CORRECTION").order_by(duties.c.made_at.desc())
        task = dict(session.execute(found).mappings().first() or {})
    assert (task["agency"], task["due_at"] - task["made_at"]) == ("gp-millbrook", timedelta(days=28))
    at = f"/corrections/{task['refers']}"
    assert house.visitor("mash_social_worker").get(at).status_code == 404  # Another service's.
    assert "Sent to the service" in text_of(visitor.get("/my/corrections"))
    born = STORIES["package_current"].date_of_birth(house.hub.clock().date())
    herself = gate.visitor(
        Role.GP_CLINICIAN,
        agency="gp-millbrook",
        name=CITIZENS["dorothy"].name,
        birthdate=born.isoformat() if born else "",
    )
    assert herself.get(at).status_code == 404  # Nobody answers about themselves (rule P33).
    assert "a record of yours is wrong" not in herself.get("/tasks").text
    worker = gate.visitor(Role.GP_CLINICIAN, agency="gp-millbrook")
    assert at in worker.get("/tasks").text
    assert "Dorothy Edith, not Dotty" in worker.get(at).text
    assert "Someone there has read it" in text_of(visitor.get("/my/corrections"))
    assert worker.post("/tasks", {"task": task["id"], "note": "Done without an answer"}).status_code == 422
    for wrong in ({}, {"outcome": "REFUSED", "reason": "no"}, {"outcome": "LOST"}):
        assert worker.post(at, wrong).status_code == 422
    assert worker.post(at, {"outcome": "CORRECTED"}).status_code == 303
    assert worker.post(at, {"outcome": "REFUSED", "reason": "We looked again and it was right"}).status_code == 404
    assert at not in worker.get("/tasks").text
    page = text_of(visitor.get("/my/corrections"))
    assert "They put it right" in page
    assert "They must answer by" not in page


#: Placed on purpose: to be known to one of these says something of a child, a crime, a refuge, a worry or one's health.
NEVER_NAMED = frozenset(
    {
        AgencyType.CHILDRENS_SOCIAL_CARE,
        AgencyType.ADULT_SOCIAL_CARE,  # Also of those who are said to have harmed an adult (Care Act 2014 s42).
        AgencyType.EARLY_HELP,
        AgencyType.POLICE,
        AgencyType.ICB,
        AgencyType.CAMHS,
        AgencyType.HEALTH_VISITING_0_19,
        AgencyType.AMBULANCE,
        AgencyType.SUBSTANCE_MISUSE,
        AgencyType.REGISTERED_PROVIDER,  # May be the landlord of a refuge.
        AgencyType.EDUCATION,
        AgencyType.YOUTH_JUSTICE,
        AgencyType.PROBATION,
        AgencyType.FIRE,
        AgencyType.IDVA_DA_SERVICE,
        AgencyType.VCSE,
        AgencyType.DWP,
        AgencyType.CAFCASS,
    }
)


def test_every_kind_of_service_is_named_or_silent_on_purpose() -> None:
    assert not MAY_BE_NAMED & NEVER_NAMED
    assert set(AgencyType) == MAY_BE_NAMED | NEVER_NAMED


def with_partner(hub: Hub, code: str, **changes: Any) -> Hub:
    """The hub with one partner that is another."""
    return replace(hub, partners={**hub.partners, code: replace(hub.partners[code], **changes)})


def bind_as(house: House, key: str) -> str | None:
    """The person whom somebody's sign-in is bound to."""
    now = house.hub.clock()
    return bind(house.hub, CITIZENS[key].nhs_number, born_on(now.date(), *CITIZENS[key].born), now=now)


def asked_as(house: House, key: str) -> tuple[RequestContext, Citizen]:
    """The request and the person behind somebody's pages."""
    now, person = house.hub.clock(), bind_as(house, key)
    assert person is not None
    who = Citizen("CZ-1", CITIZENS[key].name, person, "https://citizens.example")
    return request_of(who, now=now, request_id="1" * 32), who


@on_one_engine
@pytest.mark.parametrize("kind", ["IDVA_DA_SERVICE", "VCSE", "CAFCASS", "REGISTERED_PROVIDER"])
def test_no_page_says_that_a_refuge_a_charity_or_cafcass_knows_a_person(house: House, kind: str) -> None:
    ctx, who = asked_as(house, "leanne")
    assert "housing" in {one.agency for one in what_is_held(house.hub, ctx, who)[0]}
    changed = with_partner(house.hub, "housing", type=AgencyType(kind))
    assert "housing" not in {one.agency for one in what_is_held(changed, ctx, who)[0]}


@on_one_engine
@pytest.mark.parametrize("began", [None, 1, 89])
def test_a_record_that_is_young_or_undated_is_told_to_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch, began: int | None
) -> None:
    ctx, who = asked_as(house, "leanne")
    day = None if began is None else house.hub.clock().date() - timedelta(days=began)

    def changed(hub: Any, citizen: Citizen) -> Member:
        member = member_of(hub, citizen)
        records = (replace(r, valid_from=day) if r.agency == "housing" else r for r in member.records)
        return replace(member, records=tuple(records))

    monkeypatch.setattr(held, "member_of", changed)
    assert {one.agency for one in what_is_held(house.hub, ctx, who)[0]} == {"gp-harbourside"}


def test_what_may_be_told_moves_on_the_first_of_a_month_and_outlasts_every_enquiry() -> None:
    assert told_before(date(2026, 11, 1)) == told_before(date(2026, 11, 30)) == date(2026, 8, 3)
    assert TOLD_AFTER_DAYS > ENDS_AFTER_DAYS


@on_one_engine
def test_no_number_of_own_visits_empties_the_list_of_who_looked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visit is an entry about the visitor too; it takes no look-up's place among the newest."""
    assert house.visitor("gp_millbrook").post("/gp-check", {"nhs_number": CITIZENS["dorothy"].nhs_number})
    ctx, who = asked_as(house, "dorothy")
    monkeypatch.setattr(looked, "MOST", 2)
    before = looked.who_looked(house.hub, ctx, who)
    assert before
    for _ in range(3):
        what_is_held(house.hub, ctx, who)
    assert looked.who_looked(house.hub, ctx, who) == before


@on_one_engine
def test_who_looked_is_of_a_service_when_its_name_would_say_too_much(house: House) -> None:
    assert house.visitor("gp_millbrook").post("/gp-check", {"nhs_number": CITIZENS["dorothy"].nhs_number})
    ctx, who = asked_as(house, "dorothy")
    changed = with_partner(house.hub, "gp-millbrook", type=AgencyType.SUBSTANCE_MISUSE, name="Fresh Tide")
    assert {row.agency for row in looked.who_looked(changed, ctx, who)} == {"a service"}


@on_one_engine
def test_who_lives_with_somebody_protected_is_shown_nothing_also_when_signed_in_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Protection that comes while they are signed in ends the session at the next request."""
    visitor, _ = citizen(house, "leanne")
    before = bind_as(house, "leanne")
    assert before is not None

    def with_a_flagged_child(*given: Any, **named: Any) -> Any:
        family = family_of(*given, **named)
        child = next(m for m in family.members if m.person != before and "Maisie" in str(m.records))
        flagged = tuple(replace(r, flags=r.flags | {SubjectFlag.SHIELDED}) for r in child.records)
        changed = replace(child, records=flagged)
        return replace(family, members=tuple(changed if m is child else m for m in family.members))

    monkeypatch.setattr(members, "family_of", with_a_flagged_child)
    assert bind_as(house, "leanne") is None
    for path in (*PAGES, "/my/record"):
        answer = visitor.get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"] in ("/my/unknown", "/my")
    monkeypatch.undo()
    assert visitor.get("/my/record").headers["Location"] == "/my"  # The session is over.


@on_one_engine
def test_corrections_follow_a_join_never_a_split_and_go_with_an_erasure(house: House) -> None:
    hub, now = house.hub, house.hub.clock()
    ctx, _ = asked_as(house, "dorothy")
    new, joined, parted = ("PE-" + letter * 16 for letter in "abc")
    shown, typed = {"gp-millbrook:name": "Dot"}, {"what": "gp-millbrook:name", "right": "Dorothy"}
    who = {id_: Citizen("CZ-1", "-", id_, "https://citizens.example") for id_ in (new, joined, parted)}
    for one in who.values():
        corrections.ask(hub, ctx, one, shown, typed)
    with hub.db.writing() as session:
        for old, is_split in ((joined, False), (parted, True)):
            values = {"old_person": old, "new_person": new, "is_split": is_split, "at": now, "done_at": now}
            session.execute(insert(followed).values(values))
    assert len(corrections.own_corrections(hub, who[new])) == 2
    retention.erase(hub, new, case="IG-2026-44", reason="UKGDPR_ART17")
    assert corrections.own_corrections(hub, who[new]) == corrections.own_corrections(hub, who[joined]) == ()
    assert len(corrections.own_corrections(hub, who[parted])) == 1


def test_the_next_review_is_the_same_day_for_everybody() -> None:
    assert next_review(date(2026, 11, 25)) == date(2026, 12, 1)
    assert next_review(date(2026, 12, 31)) == date(2027, 1, 1)


def syllables(word: str) -> int:
    """Groups of vowels, a silent e at the end not counted: the usual estimate."""
    word = word.casefold()
    found = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and found > 1
    return max(1, found - silent)


def reading_age(text: str) -> float:
    """Flesch-Kincaid grade plus five years (Kincaid et al. 1975, Research Branch Report 8-75)."""
    sentences = [s for s in re.split(r"[.!?:]\s+|\n", text) if re.search(r"[A-Za-z]", s)]
    words = re.findall(r"[A-Za-z’']+", text)
    grade = 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    return grade + 5


def test_the_formula_tells_plain_words_from_others() -> None:
    plain = "We sent it to them. They must answer in a month. You can see here how far it has got."
    legal = "Notwithstanding the aforementioned provisions, organisations determine proportionality independently."
    assert reading_age(plain) < 8 < 16 < reading_age(legal)


@pytest.mark.parametrize("name", sorted(path.name for path in TEMPLATES.glob("own_*.html")))
def test_the_words_of_a_page_for_families_can_be_read_at_eleven(name: str) -> None:
    source = (TEMPLATES / name).read_text(encoding="utf-8")
    quoted = re.findall(r'"([A-Z][^"{}<>]{12,})"', source)  # Questions and answers stand in the macros' arguments.
    plain = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", source, flags=re.DOTALL)
    lines = [line.strip() for line in re.sub(r"<[^>]+>", "\n", plain).splitlines()]
    text = "\n".join([*quoted, *(line for line in lines if len(line.split()) > 3)])
    assert reading_age(text) <= 11, round(reading_age(text), 1)
