"""An agency whose people answer by hand: refused first, then asked, reminded, answered, released, taken along."""

import io
import re
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from connectors import ConnectorError, inspect
from connectors.tables import inbox_answers, inbox_files, inbox_items, inbox_requests
from hub import commands, disclosure, enquiries, inbox, tables
from hub.context import RequestContext
from hub.demo.setting_up import persona_context
from hub.enquiries import Enquiry
from hub.errors import NotFound
from hub.response_times import after
from hub.tables import duties
from policies.vocabulary import Role
from tests.conftest import House, Visitor
from tests.hub.conftest import Gate, newest
from tests.hub.test_stories import candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
WHY = "A court has forbidden us to say anything about this"
HELD = {
    "answer": "HELD",
    "SERVICE_INVOLVEMENT.service": "Year 4, Ms Patel's class",
    "SERVICE_INVOLVEMENT.since": "4 9 2023",
    "SERVICE_INVOLVEMENT.mark": "RELEASE",
}
SCHOOL = {"EDUCATION.status": "Attendance 71 per cent", "EDUCATION.risk": "Came with a bruise on Monday"}
FULL = {**HELD, **SCHOOL, "EDUCATION.on": "2 3 2026", "EDUCATION.mark": "RELEASE"}


def ask(house: House, story: str = "showcase", **form: str) -> tuple[Visitor, str]:
    """An enquiry whose picture was looked at: the school has been asked about its children."""
    visitor, found = open_story(house, story, **form)
    enquiry = choose(visitor, found, candidates(found)[0])
    assert visitor.get(f"{enquiry}/picture").status_code == 200
    return visitor, enquiry


def requests_of(house: House, enquiry: str) -> list[str]:
    """The ids of the requests of an enquiry, the subject's first."""
    r = inbox_requests.c
    with house.hub.db.session() as session:
        rows = session.execute(select(r.id, r.asked_at).where(r.enquiry == enquiry.removeprefix("/enquiries/")))
        return [row.id for row in sorted(rows, key=lambda row: row.asked_at)]


def subject_request(house: House, enquiry: str) -> str:
    r, e = inbox_requests.c, tables.enquiries.c
    with house.hub.db.session() as session:
        return str(
            session.scalar(
                select(r.id)
                .join_from(inbox_requests, tables.enquiries, r.enquiry == e.id)
                .where(e.id == enquiry.removeprefix("/enquiries/"), r.person == e.subject)
            )
        )


def row(page: str, agency: str = "Seaview Community School") -> str:
    found = re.search(rf'kith-matrix__agency">{agency}.*?</tr>', page, re.S)
    assert found, page
    return found[0]


def asking(house: House, enquiry: str, *, now: datetime) -> tuple[RequestContext, Enquiry]:
    """The worker who asks, at that moment, and their enquiry."""
    ctx = persona_context("mash_social_worker", now=house.hub.clock(), request_id="0" * 32)
    own = enquiries.enquiry_of(house.hub, ctx, enquiry.removeprefix("/enquiries/"))
    return replace(ctx.for_purpose(own.purpose, enquiry=own.id), now=now), own


def tasks(house: House, request: str) -> dict[str, int]:
    d = duties.c
    with house.hub.db.session() as session:
        rows = session.execute(
            select(d.kind, func.count()).where(d.refers == request, d.done_at.is_(None)).group_by(d.kind)
        )
        return {row.kind: row[1] for row in rows}


@on_one_engine
def test_only_the_agency_that_was_asked_may_open_or_answer(house: House, gate: Gate) -> None:
    _, enquiry = ask(house)
    request = subject_request(house, enquiry)
    elsewhere = gate.visitor(Role.AGENCY_NAVIGATOR, agency="police")
    assert elsewhere.get(f"/inbox/{request}").status_code == 404
    assert elsewhere.post(f"/inbox/{request}", {"answer": "NOTHING_HELD"}).status_code == 404
    assert gate.visitor(Role.IG_OFFICER, agency="school").get(f"/inbox/{request}").status_code == 403
    assert house.visitor("school_lead").post("/inbox/IR-none", {"answer": "NOTHING_HELD"}).status_code == 404


@on_one_engine
def test_nobody_is_shown_a_request_about_themselves_or_their_family(house: House) -> None:
    _, enquiry = ask(house)
    request = subject_request(house, enquiry)
    ctx = persona_context("school_lead", now=house.hub.clock(), request_id="0" * 32)
    with house.hub.db.session() as session:
        person = session.scalar(select(inbox_requests.c.person).where(inbox_requests.c.id == request))
    assert request in {one.id for one in inbox.waiting(house.hub, ctx)}
    for close in ({"own_persons": (person,)}, {"own_family": (person,)}):
        theirs = replace(ctx, actor=replace(ctx.actor, **close))
        assert request not in {one.id for one in inbox.waiting(house.hub, theirs)}
        with pytest.raises(NotFound):
            inbox.asked(house.hub, theirs, request)


@on_one_engine
@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({}, {"answer"}),
        ({"answer": "PERHAPS"}, {"answer"}),
        ({"answer": "CANNOT_SHARE"}, {"reason", "words"}),
        ({"answer": "CANNOT_SHARE", "reason": "COURT_ORDER", "words": "no"}, {"words"}),
        ({**HELD, "SERVICE_INVOLVEMENT.mark": ""}, {"SERVICE_INVOLVEMENT.mark"}),
        ({**HELD, "SERVICE_INVOLVEMENT.since": "last year"}, {"SERVICE_INVOLVEMENT.since"}),
        ({**FULL, "EDUCATION.mark": "REDACT"}, {"EDUCATION.mark"}),
        ({**FULL, "EDUCATION.status": "x" * 2001}, {"EDUCATION.status"}),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused_beside_its_field(
    house: House, typed: dict[str, str], wrong: set[str]
) -> None:
    _, enquiry = ask(house)
    page = house.visitor("school_lead").post(f"/inbox/{subject_request(house, enquiry)}", typed)
    assert page.status_code == 422
    assert wrong <= set(re.findall(r'href="#([^"]+)"', page.text))
    assert WHY not in page.text or typed.get("words") == WHY
    with house.hub.db.session() as session:
        assert not session.scalar(
            select(func.count()).where(inbox_answers.c.request == subject_request(house, enquiry))
        )


def test_asked_answered_and_seen_with_its_receipt(house: House) -> None:
    visitor, enquiry = ask(house)
    said = row(visitor.get(f"{enquiry}/who").text)
    assert "No answer" in said
    assert "Not yet answered" in said
    assert "Nothing held" not in said
    lead = house.visitor("school_lead")
    request = subject_request(house, enquiry)
    page = lead.get(f"/inbox/{request}")
    assert "Does your agency know this person?" in page.text
    assert "Answer by" in page.text
    assert lead.post(f"/inbox/{request}", FULL).status_code == 303
    picture = visitor.get(f"{enquiry}/picture")
    assert "Attendance 71 per cent" in picture.text
    assert "Came with a bruise on Monday" in picture.text
    assert "Involved" in row(visitor.get(f"{enquiry}/who").text)
    assert "Attendance" in lead.get(f"/inbox/{request}").text
    events = [e for e in house.hub.trail.events(0) if e.kind == "collect"]
    assert {"inbox-opened", "inbox-answered"} <= {e.fields.get("action") for e in events}
    assert "Attendance" not in str([e.fields for e in events])


def test_nothing_held_is_said_only_after_a_person_said_so(house: House) -> None:
    visitor, enquiry = ask(house)
    lead = house.visitor("school_lead")
    for request in requests_of(house, enquiry):
        assert lead.post(f"/inbox/{request}", {"answer": "NOTHING_HELD"}).status_code == 303
    said = row(visitor.get(f"{enquiry}/who").text)
    assert "Nothing held" in said
    assert "Not yet" not in said


@on_one_engine
def test_what_is_held_is_sealed_until_its_owner_releases_it(house: House) -> None:
    visitor, enquiry = ask(house)
    lead, request = house.visitor("school_lead"), subject_request(house, enquiry)
    sealed = {**FULL, "EDUCATION.mark": "HOLD", "SERVICE_INVOLVEMENT.mark": "HOLD"}
    assert lead.post(f"/inbox/{request}", sealed).status_code == 303
    assert "bruise on Monday" not in visitor.get(f"{enquiry}/picture").text
    said = row(visitor.get(f"{enquiry}/who").text)
    assert "Nothing held" not in said.split("</td>")[0], "what is sealed must never read as nothing held"
    assert "A person there must release it first" in said or "Confidential information is held" in said
    with house.hub.db.session() as session:
        item = session.scalar(
            select(inbox_items.c.id).where(inbox_items.c.request == request, inbox_items.c.category == "EDUCATION")
        )
    part = {"mark": "REDACT", "keep.risk": "yes"}
    assert lead.post(f"/inbox/{request}/pieces/{item}", part).status_code == 303
    shown = visitor.get(f"{enquiry}/picture").text
    assert "Attendance 71 per cent" in shown
    assert "bruise on Monday" not in shown
    assert lead.post(f"/inbox/{request}/pieces/{item}", {"mark": "RELEASE"}).status_code == 303
    assert "bruise on Monday" in visitor.get(f"{enquiry}/picture").text
    released = [e for e in house.hub.trail.events(0) if e.kind == "owner-release"]
    assert [e.fields["outcome"] for e in released[-2:]] == ["REDACT", "RELEASE"]


@on_one_engine
def test_what_cannot_be_shared_is_not_nothing_held_for_who_decides(house: House) -> None:
    lead = house.visitor("school_lead")
    refusal = {"answer": "CANNOT_SHARE", "reason": "COURT_ORDER", "words": WHY, "senior": "yes"}
    for persona, reads in (("mash_decision_maker", True), ("mash_social_worker", False)):
        visitor, found = open_story(house, "showcase", persona)
        enquiry = choose(visitor, found, candidates(found)[0])
        visitor.get(f"{enquiry}/picture")
        for request in requests_of(house, enquiry):
            assert lead.post(f"/inbox/{request}", refusal).status_code == 303
        said = row(visitor.get(f"{enquiry}/who").text)
        assert ("Not shared" in said) == reads  # Rule P24: others read what they would read of somebody unknown.
        assert WHY not in visitor.get(f"{enquiry}/picture").text


@on_one_engine
def test_a_refusal_without_grounds_goes_back_to_a_person(house: House) -> None:
    visitor, enquiry = ask(house)
    refusal = {"answer": "CANNOT_SHARE", "reason": "NOT_PROPORTIONATE", "words": WHY}
    house.visitor("school_lead").post(f"/inbox/{subject_request(house, enquiry)}", refusal)
    assert "A person there must release it first" in row(visitor.get(f"{enquiry}/who").text)


def test_reminder_at_half_time_escalation_at_the_end_and_a_late_answer_is_not_lost(house: House) -> None:
    visitor, enquiry = ask(house)
    request = subject_request(house, enquiry)
    ctx = persona_context("school_lead", now=house.hub.clock(), request_id="0" * 32)
    found = next(one for one in inbox.waiting(house.hub, ctx) if one.id == request)
    inbox.ring(house.hub.db, now=found.half_at - timedelta(seconds=1))
    assert tasks(house, request) == {}
    inbox.ring(house.hub.db, now=found.half_at)
    inbox.ring(house.hub.db, now=found.half_at + timedelta(seconds=1))
    assert tasks(house, request) == {inbox.HALF_TIME: 1}
    assert "A request waits for your answer" in house.visitor("school_lead").get("/tasks").text
    over = found.due_at + timedelta(minutes=1)
    inbox.ring(house.hub.db, now=over)
    inbox.ring(house.hub.db, now=over)
    assert tasks(house, request) == {inbox.HALF_TIME: 1, inbox.OVERDUE: 1, inbox.UNANSWERED: 1}
    assert "An agency has not answered in time" in visitor.get("/tasks").text
    asker, own = asking(house, enquiry, now=over)
    picture, _ = disclosure.known_to(house.hub, asker, own)
    said = {cell.sentence for cell in picture.cells if cell.agency == "school" and cell.person == own.subject}
    assert said == {"Not answered in time. This does not mean that nothing is known: ring this agency."}
    assert inbox.answer(house.hub, replace(ctx, now=over), request, FULL)
    assert tasks(house, request) == {inbox.CAME_LATE: 1}
    assert "An answer came late" in visitor.get("/tasks").text
    assert "Attendance 71 per cent" in visitor.get(f"{enquiry}/picture").text


@on_one_engine
def test_reminders_are_written_by_a_command_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(house)
    for name, value in house.demonstration.environment.items():
        monkeypatch.setenv(name, value)
    answer = CliRunner().invoke(commands.hub, ["remind"])
    assert answer.exit_code == 0, answer.output
    assert answer.output == "0 new reminders\n"


@on_one_engine
def test_a_closed_enquiry_rings_nobody_and_its_request_leaves_the_list(house: House) -> None:
    visitor, enquiry = ask(house)
    request = subject_request(house, enquiry)
    visitor.post(f"{enquiry}/close")
    inbox.ring(house.hub.db, now=house.hub.clock() + timedelta(days=30))
    assert tasks(house, request) == {}
    assert request not in house.visitor("school_lead").get("/inbox").text


@on_one_engine
def test_a_file_is_sealed_at_rest_and_goes_only_to_whom_it_may(house: House) -> None:
    visitor, enquiry = ask(house)
    lead, request = house.visitor("school_lead"), subject_request(house, enquiry)
    typed: dict[str, Any] = {**HELD, "files.mark": "HOLD", "csrf_token": lead.token()}
    sent = lead.client.post(
        f"/inbox/{request}",
        data={**typed, "files": (io.BytesIO(PDF), "report.pdf")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 303
    with house.hub.db.session() as session:
        (stored,) = session.execute(
            select(inbox_files)
            .join(inbox_items, inbox_files.c.item == inbox_items.c.id)
            .where(inbox_items.c.request == request)
        ).mappings()
    assert PDF[:20] not in stored["sealed"]
    assert b"report" not in stored["sealed_name"]
    path = f"{enquiry}/files/{stored['id']}"
    assert visitor.get(path).status_code == 404, "held"
    assert stored["id"] not in visitor.get(f"{enquiry}/picture").text
    assert lead.post(f"/inbox/{request}/pieces/{stored['item']}", {"mark": "RELEASE"}).status_code == 303
    assert f'href="{path}"' in visitor.get(f"{enquiry}/picture").text
    taken = visitor.get(path)
    assert (taken.status_code, taken.data) == (200, PDF)
    assert taken.headers["Content-Disposition"] == "attachment; filename=report.pdf"
    made = newest(house.hub, "disclosure:made")
    assert made.eid == taken.headers["Kith-Receipt"]
    assert {row["category"] for row in made.fields["data"]} == {"EDUCATION"}
    visitor, another = ask(house)  # A second sign-in ends the first.
    assert visitor.get(f"{another}/files/{stored['id']}").status_code == 404
    assert house.visitor("police_navigator").get(path).status_code == 404
    made_before = house.hub.trail.head().size
    assert visitor.get(f"{enquiry}/files/IF-none").status_code == 404
    assert house.hub.trail.head().size == made_before


def packed(**parts: str) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>", **parts}.items():
            file.writestr(name, text)
    return whole.getvalue()


def damaged() -> bytes:
    """A Word document whose deflated relations do not inflate."""
    good = packed(**{"word/_rels/document.xml.rels": "<Relationships/>" * 40})
    at = good.index(b"word/_rels/document.xml.rels") + len("word/_rels/document.xml.rels")
    return good[:at] + b"\xff" * 12 + good[at + 12 :]


def packed_by(method: int) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as file:
        for name in ("[Content_Types].xml", "word/document.xml", "_rels/.rels"):
            file.writestr(name, "<x/>" * 50)
    return whole.getvalue()


def with_stream(inside: bytes, said: bytes = b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode") -> bytes:
    return PDF + b"7 0 obj<<" + said + b">>stream\r\n" + inside + b"\nendstream endobj\n"


SCRIPT = b"5 0 <</S/JavaScript/JS(app.alert(1))>>"
QUIET = b"5 0 <</Type/Page/Parent 2 0 R>>"


@pytest.mark.parametrize("data", [damaged(), packed_by(zipfile.ZIP_LZMA), packed_by(zipfile.ZIP_BZIP2)])
def test_a_damaged_or_oddly_packed_word_document_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(ConnectorError, match="The file"):
        inspect("a.docx", data)


@pytest.mark.parametrize(
    "data",
    [
        with_stream(zlib.compress(SCRIPT)),
        with_stream(zlib.compress(SCRIPT), b"/Filter[/FlateDecode]"),
        with_stream(zlib.compress(SCRIPT.replace(b"Java", b"J#61v#61"))),
        with_stream(zlib.compress(SCRIPT)[:-4] + b"\0\0\0\0"),  # A wrong checksum: readers open it all the same.
        with_stream(zlib.compress(b"5 0 <</AA<</O 6 0 R>>>>")),
        with_stream(SCRIPT.hex().encode(), b"/Type/ObjStm/Filter/ASCIIHexDecode"),
        with_stream(zlib.compress(SCRIPT), b"/Type/ObjStm/Filter[/ASCIIHexDecode/FlateDecode]"),
        with_stream(zlib.compress(QUIET), b"/Type/ObjStm/Filter/FlateDecode/DecodeParms<</Predictor 12>>"),
        with_stream(zlib.compress(QUIET), b"/Filter/LZWDecode/X(obj)/Type/#4FbjStm"),
        with_stream(zlib.compress(b" " * 51_000_000)),
        PDF + b"trailer<</Root 1 0 R/Encrypt 9 0 R>>",
        PDF + b"<</AA 4 0 R>>",
        PDF + b"<</OpenAction 4 0 R>>",
        PDF + b"<</OpenAction<</S/GoToR/F(x)>>>>",
        PDF + b"<</OpenAction<</S/GoTo/D[3 0 R/Fit]/Next 4 0 R>>>>",
        PDF + b"<</OpenAction % a note\n<</S/URI/URI(http://x.example)>>>>",
    ],
)
def test_a_pdf_that_hides_what_acts_is_refused(data: bytes) -> None:
    with pytest.raises(ConnectorError, match="The file"):
        inspect("a.pdf", data)


@pytest.mark.parametrize(
    "data",
    [
        with_stream(zlib.compress(QUIET)),
        with_stream(zlib.compress(QUIET), b"/Type /ObjStm /Filter [ /FlateDecode ]"),
        with_stream(b"\xff\xd8\xff\xe0/JS\x01/AA\x02", b"/Subtype/Image/Filter/DCTDecode"),
        PDF + b"<</OpenAction[3 0 R /XYZ null null 0]>>",
        PDF + b"<</OpenAction<</Type/Action/S/GoTo/D[3 0 R/Fit]>>>>",
    ],
)
def test_an_ordinary_pdf_travels(data: bytes) -> None:
    assert inspect("a.pdf", data).kind == "PDF"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.pdf", PDF, "PDF"),
        ("a.png", b"\x89PNG\r\n\x1a\n...", "PNG"),
        ("a.jpeg", b"\xff\xd8\xff\xe0...", "JPEG"),
        ("notes.txt", "Sìle came late".encode(), "TEXT"),
        ("a.docx", packed(), "DOCX"),
        ("../../etc/a.pdf", PDF, "PDF"),
        ("a.pdf", b"", None),
        ("a.pdf", b"%PDF-" + b"x" * 5_000_000, None),
        ("a.pdf", PDF + b"/OpenAction<</S/JavaScript/JS(x)>>", None),
        ("a.pdf", PDF + b"<</S/J#61vaScript>>", None),
        ("a.pdf", PDF + b"<</Type/EmbeddedFile>>", None),
        ("a.txt", PDF, None),
        ("a.exe", b"MZ\x90\x00", None),
        ("a.html.png", b"<html>\x00", None),
        ("a.docx", packed(**{"word/vbaProject.bin": "x"}), None),
        ("a.docx", packed(**{"word/embeddings/a.xlsx": "x"}), None),
        ("a.docx", b"PK\x03\x04rubbish", None),
        ("a.docx", packed(bomb="0" * 101_000_000), None),
    ],
)
def test_a_file_is_told_by_its_content_and_what_acts_is_refused(name: str, data: bytes, kind: str | None) -> None:
    if kind is None:
        with pytest.raises(ConnectorError, match="The file"):
            inspect(name, data)
    else:
        found = inspect(name, data)
        assert found.kind == kind
        assert "/" not in found.name


@pytest.mark.parametrize(
    ("asked", "hours", "due"),
    [
        ("2026-11-27 22:00", 4, "2026-11-28 02:00"),  # Friday night, urgent
        ("2026-11-27 15:00", 24, "2026-11-30 15:00"),  # Friday to Monday
        ("2026-11-28 11:00", 24, "2026-12-01 00:00"),  # Saturday: the whole of Monday
        ("2026-12-24 12:00", 24, "2026-12-29 12:00"),  # Christmas Day, the substitute for Boxing Day, a weekend
        ("2026-11-25 09:30", 72, "2026-11-30 09:30"),
        ("2026-03-27 15:00", 24, "2026-03-30 14:00"),  # The clocks go forward: 15:00 in London all the same
    ],
)
def test_a_day_or_more_is_counted_in_working_days(asked: str, hours: int, due: str) -> None:
    start = datetime.fromisoformat(asked).replace(tzinfo=UTC)
    assert after(start, hours, hours) == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert start < after(start, hours / 2, hours) < after(start, hours, hours)


@on_one_engine
def test_two_workers_who_ask_at_once_ask_once(house: House) -> None:
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    asker, own = asking(house, enquiry, now=house.hub.clock())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: disclosure.known_to(house.hub, asker, own), range(4)))
    requests = requests_of(house, enquiry)
    assert len(requests) == len(set(requests)) > 0
    r = inbox_requests.c
    with house.hub.db.session() as session:
        people = list(session.scalars(select(r.person).where(r.enquiry == own.id)))
    assert len(people) == len(set(people))


@on_one_engine
def test_more_that_is_asked_later_opens_the_request_again_and_keeps_what_was_said(house: House) -> None:
    visitor, found = open_story(house, "showcase")
    enquiry = choose(visitor, found, candidates(found)[0])
    visitor.get(f"{enquiry}/who")
    lead, request = house.visitor("school_lead"), subject_request(house, enquiry)
    assert "EDUCATION.status" not in lead.get(f"/inbox/{request}").text
    assert lead.post(f"/inbox/{request}", HELD).status_code == 303
    assert request not in lead.get("/inbox").text
    picture = visitor.get(f"{enquiry}/picture").text
    assert "Seaview Community School was asked for more than it has answered yet." in picture
    assert request in lead.get("/inbox").text
    assert (
        lead.post(
            f"/inbox/{request}",
            {**SCHOOL, "answer": "HELD", "EDUCATION.mark": "RELEASE", "SERVICE_INVOLVEMENT.mark": "RELEASE"},
        ).status_code
        == 303
    )
    picture = visitor.get(f"{enquiry}/picture").text
    assert "Attendance 71 per cent" in picture
    assert "asked for more" not in picture
