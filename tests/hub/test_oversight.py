"""Information governance: who looked at whom, why and on what basis - and never what they saw."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text

from audit import Entry, Trail
from hub import disclosure, enquiries, finding, oversight
from hub.context import RequestContext
from hub.demo.setting_up import persona_context
from hub.demo.stories import STORIES
from hub.duties import Duty, write
from hub.picture import FamilyPicture
from hub.tables import disclosure_persons, disclosure_register, disclosure_sources, duties
from policies.vocabulary import Purpose, Role, Threshold
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, newest, with_parts

WHO = "Maisie Tarrant 9997000048"


@dataclass(frozen=True)
class Looked:
    """One look at the showcase family: what was seen, and its receipt."""

    picture: FamilyPicture
    eid: str
    enquiry: str


@pytest.fixture(scope="module")
def looked(house: House) -> Looked:
    """A social worker has signed in and looked at the showcase family."""
    hub = house.hub
    visitor = house.visitor("mash_social_worker")
    with visitor.client.session_transaction() as session:
        user = session["actor"]["id"]
    ctx = persona_context("mash_social_worker", now=hub.clock(), request_id="ab" * 16)
    ctx = RequestContext(
        actor=type(ctx.actor)(**{name: getattr(ctx.actor, name) for name in ctx.actor.__slots__} | {"id": user}),
        now=ctx.now,
        request_id=ctx.request_id,
    )
    reason = "A neighbour rang about shouting and a crying child"
    form = enquiries.EnquiryForm(Purpose.S47_ENQUIRY, "REF/1", reason, Threshold.S47_DECISION, None, None, None)
    enquiry = enquiries.open_enquiry(hub, ctx, form)
    ctx = ctx.for_purpose(enquiry.purpose, enquiry=enquiry.id)
    found = finding.find_person(hub, ctx, enquiry, WHO)
    enquiries.confirm_subject(hub, ctx, enquiry, found.candidates[0].person)
    picture, receipt = disclosure.family_picture(hub, ctx, enquiries.enquiry_of(hub, ctx, enquiry.id))
    return Looked(picture, receipt.eid, enquiry.id)


@pytest.fixture
def officer(house: House) -> Visitor:
    return house.visitor("ig_officer")


def listed(page: Any) -> list[str]:
    """The event ids that a page of the register lists, in order."""
    assert page.status_code == 200, page.text
    return re.findall(r'href="/ig/entries/([0-9a-f]{32})"', page.text)


def search(officer: Visitor, **form: str) -> Any:
    return officer.post("/ig", {"from": "", "to": "", **form})


# -- refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persona", ["mash_decision_maker", "dpo", "operator", "gp_millbrook"])
def test_nobody_but_information_governance_reads_the_register(house: House, looked: Looked, persona: str) -> None:
    visitor = house.visitor(persona)
    for path in ("/ig", f"/ig/entries/{looked.eid}"):
        assert visitor.get(path).status_code == 403
    assert visitor.post("/ig", {"user": "Rosalind"}).status_code == 403


#: What an officer typed that cannot be used, the field and the words beside it.
WRONG: list[tuple[dict[str, str], str]] = [
    ({"person": WHO}, "a search for a person needs one"),
    ({"person": WHO, "case_reference": "Maisie Tarrant"}, "Enter the number of your case"),
    ({"person": WHO, "case_reference": "9997000048"}, "Enter the number of your case"),
    ({"person": WHO, "case_reference": "999-700-0048"}, "Enter the number of your case"),
    ({"person": WHO, "case_reference": "4.9.2019"}, "Enter the number of your case"),
    ({"person": "9997000049", "case_reference": "IG-7"}, "NHS number"),
    ({"from": "yesterday"}, "Enter a day like"),
    ({"from": "2026-11-23", "to": "2026-11-22"}, "The last day is before the first."),
    ({"purpose": "CURIOSITY"}, "Choose one of the purposes."),
    ({"agency": "nobody"}, "Choose one of the agencies."),
]


@pytest.mark.parametrize(("form", "words"), WRONG, ids=str)
def test_a_question_that_cannot_be_asked_keeps_what_was_typed(
    house: House, officer: Visitor, form: dict[str, str], words: str
) -> None:
    before = house.hub.trail.head().size
    page = search(officer, **form)
    assert page.status_code == 422
    assert words in page.text
    for value in form.values():
        assert value in page.text or value in ("CURIOSITY", "nobody")
    assert "/ig/entries/" not in page.text
    alarms = 1 if "case_reference" not in form and "person" in form else 0
    assert house.hub.trail.head().size == before + alarms


@pytest.mark.parametrize("who", ["Maisie Tarrant", "Tarrant", "Nobody Atall 1 1 2001", "Kayleigh Dunmore"])
def test_whoever_is_not_named_exactly_is_like_somebody_about_whom_nothing_is_recorded(
    house: House, officer: Visitor, who: str
) -> None:
    page = search(officer, person=who, case_reference="IG-7")
    assert page.status_code == 200
    assert "/ig/entries/" not in page.text
    assert newest(house.hub).kind == "audit:read"


@pytest.mark.parametrize("eid", ["nonsense", "0" * 32, "A" * 32, "%27%20OR%201=1"])
def test_an_entry_that_does_not_exist_is_not_found(officer: Visitor, eid: str) -> None:
    assert officer.get(f"/ig/entries/{eid}").status_code == 404


# -- what is found ----------------------------------------------------------------------------------------


def test_a_disclosure_is_found_by_worker_agency_purpose_period_and_person(
    house: House, looked: Looked, officer: Visitor
) -> None:
    today = house.hub.clock()
    day, before = f"{today:%Y-%m-%d}", f"{today - timedelta(days=2):%Y-%m-%d}"
    for form, found in (
        ({}, True),
        ({"user": "rosalind"}, True),
        ({"user": "Nobody Of This Name"}, False),
        ({"user": "Farida"}, False),
        ({"agency": "csc"}, True),
        ({"agency": "housing"}, True),  # It was asked, so it is in it.
        ({"agency": "gp-millbrook", "user": "Petra"}, False),
        ({"purpose": "S47_ENQUIRY"}, True),
        ({"purpose": "EARLY_HELP"}, False),
        ({"from": before, "to": day}, True),
        ({"from": f"{today:%d/%m/%Y}"}, True),
        ({"to": before}, False),
        ({"person": WHO, "case_reference": "IG-2026-7"}, True),
        ({"person": "Maisie Grace Tarrant " + birthday(house), "case_reference": "IG-2026-7"}, True),
        ({"person": STORIES["twins"].name + " 9997000099", "case_reference": "IG-2026-7"}, False),
        ({"person": WHO, "case_reference": "IG-2026-7", "user": "Rosalind", "agency": "csc", "from": before}, True),
    ):
        assert (looked.eid in listed(search(officer, **form))) == found, form


def birthday(house: House) -> str:
    born = STORIES["showcase"].date_of_birth(house.hub.clock().date())
    assert born
    return f"{born:%d %m %Y}"


def test_every_look_at_the_register_is_in_the_trail_without_what_was_typed(
    house: House, looked: Looked, officer: Visitor
) -> None:
    officer.get("/ig")
    assert newest(house.hub).fields["action"] == "register"
    search(officer, person=WHO, case_reference="IG-2026-7")
    entry = newest(house.hub)
    assert (entry.kind, entry.fields["purpose"], entry.fields["user"]["role"]) == (
        "audit:read",
        "IG_AUDIT",
        "IG_OFFICER",
    )
    assert entry.fields["object"] == {"type": "case", "id": "IG-2026-7"}
    assert len(entry.subjects) == 1
    assert b"Maisie" not in entry.envelope
    assert b"9997000048" not in entry.envelope
    officer.get(f"/ig/entries/{looked.eid}")
    assert newest(house.hub).fields["refers"] == [looked.eid]


def test_the_same_question_leaves_the_same_keyed_mark_and_another_leaves_another(
    house: House, officer: Visitor
) -> None:
    marks = []
    for form in ({"user": "Rosalind"}, {"user": "Rosalind"}, {"user": "Helena"}):
        search(officer, **form)
        marks.append(newest(house.hub).fields["query"])
    assert marks[0] == marks[1] != marks[2]


def test_somebody_who_never_signed_in_here_is_not_taken_for_the_hub(house: House, officer: Visitor) -> None:
    hub = house.hub
    ctx = persona_context("police_navigator", now=hub.clock(), request_id="cd" * 16)
    oversight.register(hub, persona_context("ig_officer", now=hub.clock(), request_id="cd" * 16), oversight.Filter())
    eid = newest(hub).eid
    assert ctx.actor.id != "US-ts-0008"
    page = officer.get(f"/ig/entries/{eid}").text
    assert "US-ts-0008" in page
    assert "The hub itself" not in page


# -- pages of the register --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_register(house: House) -> int:
    """A register of several pages: checks of a practice, none of them about anybody."""
    hub = house.hub
    user = {"issuer": "demo", "subject": "US-many", "role": "GP_CLINICIAN", "agency": "gp-millbrook"}
    for _ in range(oversight.PAGE * 2 + 3):
        hub.trail.append(
            "check",
            now=hub.clock(),
            user=user,
            purpose="GP_PACKAGE_CHECK",
            outcome="NOT_AVAILABLE",
            recipient="gp-millbrook",
            decision={"bundle": "kith-rules-1", "rules": ["P09"]},
        )
    return oversight.PAGE * 2 + 3


def test_paging_stays_in_the_form_so_that_nothing_typed_gets_into_an_address(
    house: House, officer: Visitor, long_register: int
) -> None:
    seen: list[str] = []
    for number in (1, 2, 3):
        page = search(officer, user="US-many", page=str(number))
        rows = listed(page)
        assert len(rows) == min(oversight.PAGE, long_register - len(seen))
        seen += rows
        assert f"page {number} of 3" in page.text
        assert 'value="US-many"' in page.text
        offered = re.findall(r'form="filter-form" name="page" value="(\d+)">([^<]+)<', page.text)
        assert {int(value): words for value, words in offered} == {
            **({number - 1: "Newer records"} if number > 1 else {}),
            **({number + 1: "Older records"} if number < 3 else {}),
        }
        assert not re.search(r'href="/ig\?', page.text)
        assert 'id="filter-form"' in page.text
    assert len(set(seen)) == long_register


@pytest.mark.parametrize("number", ["0", "-1", "x", "²", ""])
def test_a_page_number_that_is_none_is_the_first_page(officer: Visitor, long_register: int, number: str) -> None:
    assert "page 1 of 3" in search(officer, user="US-many", page=number).text


def test_a_page_beyond_the_last_leads_back(officer: Visitor, long_register: int) -> None:
    page = search(officer, user="US-many", page="9")
    assert page.status_code == 200
    assert "page 3 of 3" in page.text
    assert "Newer records" in page.text
    assert len(listed(page)) == 3


# -- one entry --------------------------------------------------------------------------------------------


def test_an_entry_says_who_whom_why_on_what_basis_and_what_was_withheld_by_which_rule(
    house: House, looked: Looked, officer: Visitor
) -> None:
    page = officer.get(f"/ig/entries/{looked.eid}").text
    entry = house.hub.trail.entry(looked.eid)
    for words in (
        "Rosalind Achebe",
        "MASH social worker",
        "Children",
        looked.enquiry,
        looked.eid,
        "Children Act 1989",
        "What was shown",
        "What was not shown, and by which rule",
        "What the partners answered",
        "Verified",
        f"number {entry.index + 1} of",
        *looked.picture.subject.split(),
        *{rule for row in entry.fields["withheld"] for rule in row["rules"]},
        *{agreement["ref"] for agreement in entry.fields["agreement"]},
    ):
        assert words in page, words
    assert "does not verify" not in page.lower()
    assert f'href="/receipts/{looked.eid}?format=json"' in page


def test_an_entry_and_the_register_never_hold_what_was_seen(looked: Looked, officer: Visitor) -> None:
    pages = officer.get(f"/ig/entries/{looked.eid}").text + search(officer, user="Rosalind").text
    words = re.sub(r"<[^>]+>", " ", pages)
    seen = {person.label for person in looked.picture.people}
    facts = [fact for person in looked.picture.people for fact in person.facts]
    facts += [fact for event in looked.picture.events for fact in event.facts]
    seen |= {fact.value for fact in facts if len(fact.value) > 6}
    seen |= {cell.team_contact for cell in looked.picture.cells if cell.team_contact}
    assert len(seen) > 60
    assert {"Maisie Grace Tarrant", "9997000048"} <= seen
    # Who looked is named in the register, and happens to be named in the picture too, as the family's worker.
    assert {value for value in seen if value in words} == {"Rosalind Achebe"}


@pytest.mark.parametrize("who", ["gp_harbourside", "police_navigator", "operator", "family_keyworker"])
def test_a_receipt_of_somebody_else_is_refused_like_one_that_is_not_there(
    house: House, looked: Looked, who: str
) -> None:
    visitor = house.visitor(who)
    with house.hub.db.writing() as session:  # Whoever has a task from it may see it.
        session.execute(delete(duties).where(duties.c.receipt == looked.eid))
    for form in ("", "?format=json"):
        theirs, nothing = (visitor.get(f"/receipts/{eid}{form}") for eid in (looked.eid, "0" * 32))
        assert theirs.status_code == nothing.status_code == 404
        assert uniform(theirs.text) == uniform(nothing.text)


def uniform(page: str) -> str:
    """A page without what is new at every answer: nonces, tokens, references."""
    return re.sub(r"[A-Za-z0-9_-]{12,}", "", page)


def test_the_verifier_that_the_hub_hands_out_accepts_its_receipt_and_no_altered_one(
    house: House, looked: Looked, officer: Visitor, tmp_path: Path
) -> None:
    alone, bundle = tmp_path / "kith_verify.py", tmp_path / "receipt.json"
    alone.write_text(officer.get("/verifier").text)
    receipt = officer.get(f"/receipts/{looked.eid}?format=json").text
    command = [sys.executable, "-I", str(alone), str(bundle), "--key", str(house.hub.trail.verifier_key)]
    for altered, code in ((receipt, 0), (receipt.replace('"index": ', '"index": 1'), 1)):
        bundle.write_text(altered)
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == code


def test_a_receipt_proves_the_entry_to_those_it_concerns_and_says_nothing_about_it(
    house: House, looked: Looked
) -> None:
    visitor = house.visitor("dpo")
    page = visitor.get(f"/receipts/{looked.eid}")
    assert page.status_code == 200
    assert "Verified" in page.text
    bundle = visitor.get(f"/receipts/{looked.eid}?format=json")
    assert bundle.json
    for words in ("Maisie", "S47_ENQUIRY", '"csc"', "US-", looked.enquiry):
        assert words not in bundle.text
    assert "Rosalind" not in page.text


def test_an_entry_of_every_kind_can_be_read(house: House, officer: Visitor, looked: Looked) -> None:
    officer.get("/ig")
    kinds: dict[str, str] = {}
    for entry in house.hub.trail.events():
        kinds[entry.kind] = entry.eid
    assert {"collect", "sign-in", "search", "disclosure:requested", "disclosure:made", "audit:read"} <= set(kinds)
    for kind, eid in kinds.items():
        assert officer.get(f"/ig/entries/{eid}").status_code == 200, kind


# -- what somebody with the database can do ---------------------------------------------------------------


@pytest.mark.parametrize("column", ["envelope", "leaf", "kind"])
def test_an_entry_that_somebody_altered_does_not_verify(
    house: House, officer: Visitor, looked: Looked, column: str
) -> None:
    officer.get("/ig")
    hub = house.hub
    with hub.db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            definition = connection.scalar(
                text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'audit_entry_no_update'")
            )
            connection.execute(text("DROP TRIGGER audit_entry_no_update"))
            undo = definition
        else:
            connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_no_update"))
            undo = "ALTER TABLE audit_entry ENABLE TRIGGER audit_entry_no_update"
        row = connection.execute(
            text("SELECT kind, envelope, leaf FROM audit_entry WHERE eid = :eid"), {"eid": looked.eid}
        ).one()
        altered = {**row._mapping}
        value = altered[column]
        altered[column] = (
            "check" if column == "kind" else bytes(value[:40]) + bytes([value[40] ^ 1]) + bytes(value[41:])
        )
        change = text("UPDATE audit_entry SET kind = :kind, envelope = :envelope, leaf = :leaf WHERE eid = :eid")
        connection.execute(change, {**altered, "eid": looked.eid})
    try:
        page = officer.get(f"/ig/entries/{looked.eid}")
        receipt = officer.get(f"/receipts/{looked.eid}")
    finally:
        with hub.db.engine.begin() as connection:
            connection.execute(change, {**row._mapping, "eid": looked.eid})
            connection.execute(text(undo))
    if column == "kind":  # A convenience for queries: the signed envelope says the kind, and is believed.
        assert "Family picture shown" in page.text
        return
    assert page.status_code == 200
    assert "Does not verify" in page.text
    assert "Verified now" not in page.text
    assert "data protection officer" in page.text
    assert (receipt.status_code, "does not verify" in receipt.text) == (503, True)
    assert "Verified" in officer.get(f"/ig/entries/{looked.eid}").text


def register_rows(house: House) -> list[Any]:
    with house.hub.db.session() as session:
        return [
            session.execute(select(table).order_by(*table.primary_key.columns)).all()
            for table in (disclosure_register, disclosure_persons, disclosure_sources)
        ]


def throw_away(house: House) -> None:
    with house.hub.db.writing() as session:
        for table in (disclosure_persons, disclosure_sources, disclosure_register):
            session.execute(delete(table))


def test_a_register_that_was_thrown_away_grows_back_the_same(house: House, looked: Looked) -> None:
    oversight.catch_up(house.hub)
    grown = register_rows(house)
    assert len(grown[0]) > 3
    throw_away(house)
    assert oversight.catch_up(house.hub) == house.hub.trail.head().size
    assert register_rows(house) == grown


class Racing:
    """A trail whose reader is overtaken: another look has written the first entries when this one comes to write."""

    def __init__(self, trail: Trail, overtake: Any) -> None:
        self._trail, self._overtake = trail, overtake

    def events(self, start: int = 0) -> Iterator[Entry]:
        for number, entry in enumerate(self._trail.events(start)):
            if number == 1:
                self._overtake()
            yield entry


def test_two_looks_at_once_leave_no_gap_in_the_register(
    house: House, looked: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    oversight.catch_up(house.hub)
    grown = register_rows(house)
    throw_away(house)
    monkeypatch.setattr(oversight, "CATCH_UP", 30)

    def overtake() -> None:
        first = next(entry for entry in house.hub.trail.events() if entry.kind in oversight.REGISTERED)
        oversight._project(house.hub, [first])

    racing = with_parts(house, trail=Racing(house.hub.trail, overtake)).hub
    oversight.catch_up(racing)
    oversight.catch_up(house.hub)
    assert register_rows(house) == grown


def test_the_register_holds_no_person_in_the_clear(house: House, looked: Looked) -> None:
    oversight.catch_up(house.hub)
    with house.hub.db.session() as session:
        assert session.execute(select(func.count()).select_from(disclosure_persons)).scalar_one() >= 6
        kept = session.execute(select(disclosure_persons.c.person_blind)).scalars().all()
    assert looked.picture.subject.encode() not in b"".join(kept)


# -- is the trail untouched? ------------------------------------------------------------------------------


@pytest.mark.parametrize("persona", ["mash_social_worker", "gp_millbrook", "operator"])
def test_nobody_but_information_governance_asks_for_a_check(house: House, persona: str) -> None:
    assert house.visitor(persona).get("/ig/check").status_code == 403


def test_a_check_draws_both_proofs_says_the_result_in_words_and_is_an_entry_itself(
    house: House, officer: Visitor, tmp_path: Path
) -> None:
    page = officer.get("/ig/check")
    assert page.status_code == 200, page.text
    asked = newest(house.hub, "audit:read")
    assert asked.fields["action"] == "check"
    words = re.sub(r"<[^>]+>", " ", page.text)
    assert "Untouched" in words
    assert f"Every byte of all {asked.index + 1:,} entries was hashed again just now; nothing was changed." in words
    assert "All of them stand in today's unchanged" in words.replace("&#39;", "'")
    assert page.text.count("<svg") >= 3, "the symbols, the growth and the path"
    assert asked.eid in page.text
    download = officer.get("/ig/check?format=json")
    (tmp_path / "proof.json").write_text(download.text)
    done = subprocess.run(
        [sys.executable, "-m", "audit", "verify", tmp_path / "proof.json", "--key", str(house.hub.trail.verifier_key)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("VERIFIED\n"), done.stdout + done.stderr


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_task_that_is_not_theirs_gives_nobody_a_receipt(house: House, gate: Gate) -> None:
    """A colleague of the same agency whose role does not do the task, and whoever is barred from it, get nothing."""
    by = house.visitor("mash_social_worker")
    assert by.get("/enquiries/new").status_code == 200
    eid = next(e.eid for e in house.hub.trail.events(0) if e.kind == "sign-in")
    steward, officer = gate.visitor(Role.DATA_STEWARD), gate.visitor(Role.PRIVACY_OFFICER, agency="police")
    with officer.client.session_transaction() as session:
        barred = session["actor"]["id"]
    owed = Duty(kind="RETRO_REVIEW", receipt=eid, agency=None, barred=barred, once=("receipt", eid))
    write(house.hub, [owed], now=house.hub.clock())
    other = gate.visitor(Role.PRIVACY_OFFICER, agency="hv")
    assert steward.get(f"/receipts/{eid}").status_code == 404
    assert officer.get(f"/receipts/{eid}").status_code == 404
    assert other.get(f"/receipts/{eid}").status_code == 200
    with house.hub.db.writing() as session:
        session.execute(duties.delete().where(duties.c.id == owed.id))
