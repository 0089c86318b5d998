"""What a meeting takes along: refused first, then a numbered, tagged copy that is a disclosure of its own."""

import hashlib
import io
import re
import socket
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pypdf
import pytest

from hub.demo.stories import STORIES
from hub.meeting import pack as packs
from hub.meeting.records import NOT_SHARED_BECAUSE, OUTCOMES
from hub.web.print import tagged_pdf
from policies import Decision, Made
from policies.vocabulary import DataCategory, Obligation, Outcome
from tests.conftest import House, Visitor
from tests.hub.conftest import newest
from tests.hub.test_stories import SHIELDED, candidates, choose, open_story

on_one_engine = pytest.mark.parametrize("house", ["sqlite"], indirect=True)


def meeting(house: House, story: str, **form: str) -> tuple[Visitor, str]:
    """A confirmed enquiry about a story's subject."""
    visitor, page = open_story(house, story, **form)
    return visitor, choose(visitor, page, candidates(page)[0])


def people_of(page: str) -> list[str]:
    return re.findall(r'name="people" type="checkbox" value="([^"]+)"', page)


def take(visitor: Visitor, at: str, people: list[str], **typed: str) -> Any:
    form = {"people": people, "events": "SIGNIFICANT", "drawing": "yes", "do": "make", "csrf_token": visitor.token()}
    return visitor.client.post(f"{at}/pack", data={**form, **typed})


def text_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def tags_of(pdf: bytes) -> tuple[Counter[str], list[str | None]]:
    """How often each structure type stands in the document, and the alternative text of each figure."""
    tags: Counter[str] = Counter()
    figures: list[str | None] = []

    def walk(node: Any) -> None:
        node = node.get_object() if hasattr(node, "get_object") else node
        for one in node if isinstance(node, list) else [node]:
            if isinstance(one, dict) and "/S" in one:
                tags[str(one["/S"])] += 1
                figures.extend([one.get("/Alt")] if one["/S"] == "/Figure" else [])
            if isinstance(one, dict) and "/K" in one:
                walk(one["/K"])
            elif one is not node and hasattr(one, "get_object"):
                walk(one.get_object())

    walk(pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/StructTreeRoot"])
    return tags, figures


@on_one_engine
def test_a_pack_is_about_nobody_whom_its_maker_was_not_shown(house: House) -> None:
    visitor, at = meeting(house, "showcase")
    assert take(visitor, at, ["p0"]).status_code == 403  # Nothing was shown yet.
    shown = people_of(visitor.get(f"{at}/pack").text)
    before = newest(house.hub).index
    for people, typed in (([], {}), (["p0"], {}), ([*shown, "p0"], {}), (shown, {"events": "SOME"})):
        page = take(visitor, at, people, **typed)
        assert page.status_code == 422
        assert "There is a problem" in page.text
    assert newest(house.hub).index == before


@on_one_engine
def test_a_pack_gives_no_protected_whereabouts_away(house: House) -> None:
    told = STORIES["shielded"]
    visitor, at = meeting(house, "shielded", who=f"{told.name} {told.nhs_number}")
    page = visitor.get(f"{at}/pack").text
    made = take(visitor, at, people_of(page), events="ALL")
    assert made.status_code == 200
    assert not any(word in page + text_of(made.data) for word in SHIELDED)


@pytest.mark.parametrize(
    ("outcome", "owed", "said"),
    [
        (Outcome.DENY, {Obligation.NO_EXPORT}, False),
        (Outcome.DENY_SILENT, {Obligation.NO_EXPORT}, False),
        (Outcome.REFER, {Obligation.NO_EXPORT, Obligation.OWNER_RELEASE}, False),
        (Outcome.PERMIT, {Obligation.LOG_RATIONALE}, False),
        (Outcome.PERMIT, {Obligation.NO_EXPORT}, True),
        (Outcome.PERMIT_REDACTED, {Obligation.NO_EXPORT, Obligation.LOG_RATIONALE}, True),
    ],
)
def test_only_what_may_be_read_on_the_screen_is_named_as_left_out(
    outcome: Outcome, owed: set[Obligation], *, said: bool
) -> None:
    asked: Any = SimpleNamespace(
        owner=SimpleNamespace(agency="police"), item=SimpleNamespace(category=DataCategory.COURT_RESTRICTED)
    )
    made = Made(asked, Decision(outcome, None, ("status",), tuple(owed), ("P31",)))
    brokered: Any = SimpleNamespace(
        decided=SimpleNamespace(refusals=[SimpleNamespace(made=made)]), redacted=SimpleNamespace(made=[])
    )
    assert packs._left_out(brokered) == ((("police", DataCategory.COURT_RESTRICTED),) if said else ())


@on_one_engine
def test_each_copy_is_numbered_tagged_and_on_record_with_the_hash_of_its_file(house: House) -> None:
    visitor, at = meeting(house, "showcase")
    people = people_of(visitor.get(f"{at}/pack").text)
    first = newest(house.hub, "disclosure:made")
    made = [take(visitor, at, people), take(visitor, at, people[:2], events="NONE", drawing="")]
    for number, answer in enumerate(made, 1):
        assert (answer.status_code, answer.content_type) == (200, "application/pdf")
        assert f"copy-{number}.pdf" in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"
    exported, disclosed = newest(house.hub, "export"), newest(house.hub, "disclosure:made")
    assert exported.fields["object"]["version"] == "2"
    assert exported.fields["object"]["hash"] == hashlib.sha256(made[1].data).hexdigest()
    assert exported.fields["refers"] == [disclosed.eid] != [first.eid]
    whole, part = (text_of(answer.data) for answer in made)
    for word in ("Copy 1", "Section 47", "THORN-MASH", "Rosalind Achebe", "Maisie", "Craig", "OFFICIAL-SENSITIVE"):
        assert word in whole
    assert disclosed.eid[:8] in part
    assert "Craig" not in part
    assert "No events, by choice" in part
    assert "No other person is known" not in part
    assert "Copy 2" in visitor.get(f"{at}/pack").text
    require_readable_by_everybody(made[0].data)


def require_readable_by_everybody(pdf: bytes) -> None:
    """What PDF/UA-1 asks of a document like this one (ISO 14289-1:2014, sections 7.1 to 7.5)."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en-GB"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == "Meeting pack, copy 1"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    tags, figures = tags_of(pdf)
    assert tags["/H1"] == 1
    assert tags["/H2"] >= 5
    assert tags["/Table"] >= 1
    assert tags["/TH"] >= 4
    assert tags["/L"] >= 5
    assert figures
    assert all(figures)


def test_nothing_is_fetched_for_a_file() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        at = f"http://127.0.0.1:{listening.getsockname()[1]}/x.png"
        html = f'<html lang="en"><title>x</title><img alt="x" src="{at}"><p style="background:url({at})">text</p>'
        assert "text" in text_of(tagged_pdf(html, mark="COPY 1"))
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({}, "kind"),
        ({"kind": "OUTCOME"}, "outcome"),
        ({"kind": "OUTCOME", "outcome": "NOT_NECESSARY"}, "outcome"),
        ({"kind": "NOT_SHARED", "because": "NOT_NECESSARY"}, "agency"),
        ({"kind": "NOT_SHARED", "agency": "housing"}, "because"),
        ({"kind": "NOT_SHARED", "agency": "nobody", "because": "NOT_NECESSARY"}, "agency"),
        ({"kind": "OUTCOME", "outcome": "EARLY_HELP", "reason": "because"}, "reason"),
    ],
)
@on_one_engine
def test_a_record_without_what_it_needs_is_refused_with_words(
    house: House, typed: dict[str, str], field: str, shared_enquiry: tuple[Visitor, str]
) -> None:
    visitor, at = shared_enquiry
    why = "The landlord does not need it for what they do"
    page = visitor.post(f"{at}/decisions", {"reason": why, **typed})
    assert page.status_code == 422
    assert f'href="#{field}"' in page.text


@pytest.fixture(scope="module")
def shared_enquiry(house: House) -> tuple[Visitor, str]:
    return meeting(house, "showcase")


def test_outcomes_and_decisions_not_to_share_are_kept_with_the_enquiry(house: House) -> None:
    visitor, at = meeting(house, "showcase")
    why = "The landlord does not need the police history for a repair"
    for typed in (
        {"kind": "NOT_SHARED", "agency": "housing", "because": "NOT_NECESSARY", "reason": why},
        {"kind": "OUTCOME", "outcome": "SECTION_47", "reason": "Two explanations of the same bruise do not fit"},
    ):
        assert visitor.post(f"{at}/decisions", typed).status_code == 303
    told = newest(house.hub, "alter")
    assert (told.fields["action"], told.fields["outcome"]) == ("outcome-recorded", "SECTION_47")
    assert "bruise" not in str(told.fields)
    page = visitor.get(f"{at}/decisions").text
    for words in (OUTCOMES["SECTION_47"], "Not shared with Thornshire Homes", NOT_SHARED_BECAUSE["NOT_NECESSARY"], why):
        assert words in page
    visitor.post(f"{at}/close")
    assert visitor.post(f"{at}/decisions", typed).status_code == 403
    assert why in visitor.get(f"{at}/decisions").text
    assert STORIES["showcase"].name not in page
