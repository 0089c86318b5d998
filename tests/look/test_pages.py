"""Every page with invented data: what it weighs, what it may not hold, and that partners' text stays text."""

import dataclasses
import gzip
import hashlib
import re
from pathlib import Path

import pytest

from hub.web.look import STATIC, hashed_names, static_files
from tests.look.render import page
from tests.look.samples import AMELIA, PAGES, PICTURE

HOSTILE = "\"><script>alert(1)</script>&amp;'{{7*7}}\u202egnp"
NAMES_OF_PEOPLE = ("Amelia", "Walker", "Noah", "999 000 1234", "9990001234", "16 January 2019")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_weighs_little_enough_for_an_old_connection(name: str) -> None:
    assert len(gzip.compress(page(name).encode())) <= 15_000


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_no_inline_style_no_handler_and_no_foreign_address(name: str) -> None:
    html = page(name)
    assert not re.search(r"\sstyle\s*=", html)
    assert "<style" not in html
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", html)
    addresses = re.findall(r"(?:href|src|action|formaction)=\"([^\"]*)\"", html)
    assert [address for address in addresses if not re.match(r"^(/|#|tel:\+?\d+$|$)", address)] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_form_that_changes_something_carries_the_token(name: str) -> None:
    for form in re.findall(r"<form\b.*?</form>", page(name), flags=re.S):
        assert 'method="post"' in form
        assert 'name="csrf_token"' in form


@pytest.mark.parametrize("name", PAGES)
def test_no_title_and_no_address_names_anybody(name: str) -> None:
    html = page(name)
    title = re.search(r"<title>(.*?)</title>", html)
    assert title is not None
    public = title.group(1) + " ".join(re.findall(r"(?:href|action)=\"([^\"]*)\"", html))
    assert [word for word in NAMES_OF_PEOPLE if word in public] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_repeats_an_id(name: str) -> None:
    ids = re.findall(r"\sid=\"([^\"]*)\"", page(name))
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", ["matrix", "picture"])
def test_hostile_text_of_a_partner_stays_text(name: str) -> None:
    amelia = dataclasses.replace(AMELIA, label=HOSTILE, why_here=HOSTILE, warnings=(HOSTILE,))
    agencies = tuple(
        dataclasses.replace(view, name=HOSTILE, coverage=HOSTILE, sentence=HOSTILE) for view in PICTURE.agencies
    )
    events = tuple(dataclasses.replace(event, title=HOSTILE, part=HOSTILE) for event in PICTURE.events)
    relations = tuple(dataclasses.replace(relation, words=HOSTILE, basis=HOSTILE) for relation in PICTURE.relations)
    people = (amelia, *(person for person in PICTURE.people if person.id != "p1"))
    html = page(
        name,
        picture=dataclasses.replace(
            PICTURE, people=people, agencies=agencies, events=events, relations=relations, notes=(HOSTILE,)
        ),
    )
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


@pytest.mark.parametrize("name", ["matrix", "picture"])
def test_each_of_the_five_answers_has_its_own_words_and_shape(name: str) -> None:
    html = page(name)
    for words, shape in (
        ("Involved", "found"),
        ("Nothing held", "nothing"),
        ("Not shared", "withheld"),
        ("No answer", "noanswer"),
        ("Not asked", "notasked"),
    ):
        assert f'href="#state-{shape}"/></svg>{words}</span>' in html
        assert html.count(f'id="state-{shape}"') == 1


def test_a_page_with_errors_says_so_in_its_title_and_keeps_what_was_typed() -> None:
    html = page("enquiry_new_errors")
    assert "<title>Error: Start an enquiry – Kith</title>" in html
    assert "There is a problem" in html
    assert ">Worried</textarea>" in html
    assert 'value="MASH/2026/00417"' in html
    for field in ("rationale", "reason_code", "who"):
        assert f'href="#{field}"' in html
        assert f'id="{field}"' in html


def test_a_gp_that_cannot_be_told_sees_neither_yes_nor_no() -> None:
    html = page("gp_cannot_say")
    assert "CANNOT SAY" in html
    assert "01632 960 200" in html
    assert not re.search(r">\s*(YES|NO)\s*<", html)


def test_shared_assets_weigh_little_and_come_from_us_alone() -> None:
    files = static_files()
    assert sum(len(gzip.compress(body, 9)) for body, _ in files.values()) <= 45_000
    for name, (body, _) in files.items():
        text = body.decode("utf-8")
        assert "GDS Transport" not in text, name
        assert "@import" not in text, name
        assert "url(" not in text, name
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == [], name


def test_a_static_name_changes_with_its_content() -> None:
    for name, hashed in hashed_names().items():
        digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
        assert digest[:10] in hashed


def test_the_vendor_file_states_the_sum_of_the_style_sheet() -> None:
    digest = hashlib.sha256((STATIC / "design-systems.css").read_bytes()).hexdigest()
    vendor = (STATIC / "VENDOR").read_text(encoding="utf-8")
    assert digest in vendor
    assert "govuk-frontend 6.3.0" in vendor
    assert "MIT" in vendor


def test_nothing_of_the_government_identity_is_shipped() -> None:
    templates = Path(STATIC).parent / "templates"
    texts = [
        path.read_text(encoding="utf-8")
        for path in [*templates.rglob("*.html"), *STATIC.glob("*.css"), *STATIC.glob("*.svg")]
    ]
    for text in texts:
        assert "govuk-logo" not in text
        assert "crest" not in text
        assert "govukHeader" not in text
        assert "govukFooter" not in text
