"""What is refused is refused in clear words, and nothing that somebody typed is lost."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.browser.tour import REASON, fill_enquiry
from tests.browser.visit import Visitor

pytestmark = pytest.mark.browser
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


@pytest.mark.parametrize(
    ("persona", "script", "paths"),
    [
        ("gp_millbrook", True, ("/enquiries/new", "/ig")),
        ("mash_social_worker", False, ("/gp-check", "/ig")),
        ("ig_officer", True, ("/enquiries/new", "/gp-check")),
        ("operator", False, ("/ig", "/enquiries/new")),
    ],
)
def test_a_page_of_another_role_says_so(
    persona: str, script: bool, paths: tuple[str, ...], visitors: Callable[..., Visitor]
) -> None:
    visitor = visitors(script=script)
    visitor.sign_in(persona)
    for path in paths:
        page = visitor.go(path)
        assert visitor.documents[-1].status == 403
        expect(page.get_by_role("heading", level=1)).to_have_text("You cannot see this")
        expect(page.locator("form:not(.kith-header__out)")).to_have_count(0)


def an_hour_passes(visitor: Visitor) -> None:
    """Makes every session an hour older, instead of waiting for one."""
    path = visitor.site.demonstration.environment["HUB_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=10)) as database, database:
        database.execute("UPDATE web_sessions SET seen_at = strftime('%Y-%m-%d %H:%M:%f', seen_at, '-1 hour')")


@SCRIPT
def test_a_second_sign_in_ends_the_first(script: bool, visitors: Callable[..., Visitor]) -> None:
    here, there = visitors(script=script), visitors(script=script)
    page = here.sign_in("mash_decision_maker")
    here.go("/enquiries/new")
    fill_enquiry(page, "showcase")
    there.sign_in("mash_decision_maker")
    here.press("Search")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    there.go("/enquiries")
    expect(there.page.get_by_role("heading", level=1)).to_have_text("Your enquiries")


@SCRIPT
def test_what_was_typed_outlives_a_session(script: bool, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("mash_decision_maker")
    visitor.go("/enquiries/new")
    fill_enquiry(page, "showcase")
    an_hour_passes(visitor)
    visitor.press("Search")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.locator("main")).to_contain_text("What you typed is kept")
    visitor.sign_in_here("mash_decision_maker")
    expect(page.get_by_role("heading", level=1)).to_have_text("Start an enquiry")
    expect(page.get_by_label("Why do you need to know?")).to_have_value(REASON)
    expect(page.get_by_label("Your reference")).to_have_value("REF-2026-0417")
    expect(page.get_by_label("Who is it about?")).to_have_value("Maisie Tarrant 9997000048")
    expect(page.get_by_label("Section 47 child protection enquiry")).to_be_checked()


@SCRIPT
def test_somebody_else_at_the_same_browser_does_not_get_what_was_typed(
    script: bool, visitors: Callable[..., Visitor]
) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("mash_decision_maker")
    visitor.go("/enquiries/new")
    fill_enquiry(page, "showcase")
    an_hour_passes(visitor)
    visitor.press("Search")
    visitor.sign_in_here("police_navigator")
    visitor.go("/enquiries/new")
    expect(page.get_by_label("Why do you need to know?")).to_have_value("")
    expect(page.get_by_label("Who is it about?")).to_have_value("")


@SCRIPT
def test_a_wrong_nhs_number_is_explained_and_nothing_is_lost(script: bool, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("mash_social_worker")
    visitor.go("/enquiries/new")
    fill_enquiry(page, "showcase", who="Tarrant Maisie 999 700 0049")
    visitor.press("Search")
    assert visitor.documents[-1].status == 422
    expect(page.get_by_role("alert")).to_contain_text("The NHS number is not valid")
    expect(page.get_by_label("Who is it about?")).to_have_value("Tarrant Maisie 999 700 0049")
    expect(page.get_by_label("Why do you need to know?")).to_have_value(REASON)
    expect(page.get_by_label("A decision to make section 47 enquiries is recorded")).to_be_checked()
    page.get_by_role("link", name="The NHS number is not valid").click()
    expect(page.get_by_label("Who is it about?")).to_be_focused()


@SCRIPT
def test_every_fault_of_the_form_is_named_beside_its_question(script: bool, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("mash_social_worker")
    visitor.go("/enquiries/new")
    page.locator('input[name="consent"][value="REFUSED"]').check()
    visitor.press("Search")
    listed = page.get_by_role("alert").get_by_role("link")
    targets = [link.get_attribute("href") for link in listed.all()]
    assert set(targets) == {"#purpose", "#reference", "#rationale", "#consent_giver", "#who"}
    for target in targets:
        expect(page.locator(target or "")).to_be_visible()
    expect(page.get_by_label("Who answered?")).to_be_visible()
    page.locator('input[name="consent"][value="NOT_SOUGHT_UNSAFE"]').check()
    visitor.press("Search")
    assert "#reason_code" in [link.get_attribute("href") for link in listed.all()]
    expect(page.get_by_label("Why would asking be unsafe?")).to_be_visible()


@SCRIPT
def test_a_search_that_is_too_wide_says_what_to_add(script: bool, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("mash_social_worker")
    visitor.go("/enquiries/new")
    fill_enquiry(page, "showcase", who="Smith")
    visitor.press("Search")
    expect(page.locator(".kith-candidate")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("date of birth")
    expect(page.get_by_label("Name, date of birth or NHS number")).to_have_value("Smith")


@SCRIPT
def test_a_wrong_number_at_the_practice_is_explained(script: bool, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("gp_millbrook")
    page.get_by_label("Patient's NHS number").fill("999 700 0049")
    visitor.press("Check")
    expect(page.get_by_role("alert")).to_contain_text("check digit")
    expect(page.get_by_label("Patient's NHS number")).to_have_value("999 700 0049")
