"""What a journey costs the person who makes it: clicks and seconds of work, with script and without.

The limits are those of the people who use earlier systems: a worker with a telephone in the other hand.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from hub.demo.stories import STORIES
from tests.browser.meter import Meter
from tests.browser.visit import Visitor

pytestmark = pytest.mark.browser
SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
REASON = "Bruise at school, not explained"


def start_enquiry(meter: Meter, who: str) -> None:
    """From the list of enquiries to the filled form."""
    meter.click(meter.page.get_by_role("link", name="Start an enquiry").first)
    meter.choose("Section 47 child protection enquiry")
    meter.choose("A decision to make section 47 enquiries is recorded")
    meter.type("Your reference", "REF-2026-0417")
    meter.type("Why do you need to know?", REASON)
    meter.type("Who is it about?", who)


def confirm_first_candidate(meter: Meter) -> None:
    """Reads who is offered, decides, confirms."""
    meter.reads(meter.page.locator(".kith-candidate"))
    meter.button("This is the person", decide=True)


@SCRIPT
def test_a_mash_worker_gets_from_a_referral_to_the_combined_picture(
    script: bool, visitors: Callable[..., Visitor]
) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("mash_social_worker")
    meter = Meter(page)
    start_enquiry(meter, "tarrant maisie 4 9 2019")
    filled = meter.clicks
    meter.button("Search")
    confirm_first_candidate(meter)
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is involved")
    meter.reads(page.locator(".kith-lead"))
    meter.button("Show details")
    expect(page.get_by_role("heading", level=1)).to_have_text("Combined family picture")
    for name in ("Maisie", "Jayden", "Alfie", "Leanne", "Craig", "Maureen"):
        expect(page.get_by_role("heading", level=3).filter(has_text=name)).to_have_count(1)
    print("referral to picture:", meter)
    assert meter.clicks - filled == 3
    assert meter.hand_s <= 58  # of 60 s; the rest is for the server


@SCRIPT
def test_a_mash_worker_adds_one_more_adult_in_two_clicks(script: bool, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("mash_social_worker")
    begin = Meter(page)
    start_enquiry(begin, "tarrant maisie 9997000048")
    begin.button("Search")
    begin.button("This is the person")
    first = page.locator(".kith-receipt strong").inner_text()
    meter = Meter(page)
    meter.type("Name, date of birth or NHS number", "Pemberton Dorothy 9997000390")
    meter.pick("How are they connected?", "Is named in the concern")
    meter.button("Search")
    confirm_first_candidate(meter)
    print("one more adult:", meter)
    assert meter.clicks == 2
    expect(page.get_by_role("columnheader").filter(has_text="Dorothy")).to_have_count(1)
    expect(page.locator(".kith-identity")).to_contain_text("Section 47 child protection enquiry")
    assert page.locator(".kith-receipt strong").inner_text() != first


@SCRIPT
def test_a_mash_worker_takes_a_meeting_pack_along_in_two_clicks(script: bool, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("mash_social_worker")
    begin = Meter(page)
    start_enquiry(begin, "tarrant maisie 9997000048")
    begin.button("Search")
    begin.button("This is the person")
    meter = Meter(page)
    meter.click(page.get_by_role("button", name="Meeting pack"))
    with page.expect_download() as coming:
        page.get_by_role("button", name="Make the PDF").click()
    meter.clicks += 1
    meter.decisions += 1
    print("meeting pack:", meter)
    assert meter.clicks == 2
    assert meter.hand_s <= 5  # of 10 s; the rest is for the server
    assert coming.value.suggested_filename == "kith-meeting-pack-copy-1.pdf"
    assert coming.value.path().read_bytes().startswith(b"%PDF-1.7")


@SCRIPT
@pytest.mark.parametrize(
    ("story", "word"),
    [
        ("package_current", "YES"),
        ("package_ended", "NO"),
        ("package_objection", "CANNOT SAY"),
        ("package_other_list", "CANNOT SAY"),
    ],
)
def test_a_care_coordinator_learns_whether_there_is_a_package(
    script: bool, story: str, word: str, visitors: Callable[..., Visitor]
) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("gp_millbrook")
    meter = Meter(page)
    meter.type("Patient's NHS number", STORIES[story].nhs_number or "")
    meter.button("Check")
    answer = page.locator(".kith-answer")
    expect(answer.get_by_role("heading")).to_contain_text(word)
    meter.reads(answer.get_by_role("heading"))
    meter.reads(page.locator(".kith-answer__sentence"))
    print(story, meter)
    assert meter.clicks == 1
    assert meter.hand_s <= 8  # of 10 s; the rest is for the server
    assert visitor.server_s() <= 1
    expect(answer.get_by_role("link")).to_have_count(1)
    assert (page.locator(".kith-answer__word").bounding_box() or {"height": 0})["height"] >= 60
    # Nothing else about the patient, and no word that belongs to another answer.
    assert not any(name.casefold() in page.content().casefold() for name in STORIES[story].name.split())


@SCRIPT
def test_an_officer_sees_who_looked_at_a_person_and_that_the_record_is_whole(
    script: bool, visitors: Callable[..., Visitor]
) -> None:
    worker = visitors(script=script)
    worker.sign_in("mash_social_worker")
    begin = Meter(worker.page)
    start_enquiry(begin, "Ravenscroft Poppy 9997000374")
    begin.button("Search")
    begin.button("This is the person")
    eid = worker.page.locator(".kith-receipt strong").inner_text()
    visitor = visitors(script=script)
    page = visitor.sign_in("ig_officer")
    meter = Meter(page)
    meter.type("Your case reference", "IG-2026-031")
    meter.type("Person", "Poppy Ravenscroft 9997000374")
    meter.button("Show disclosures")
    searched = meter.clicks
    rows = page.get_by_role("table").get_by_role("row")
    expect(rows.filter(has_text="Rosalind Achebe").first).to_be_visible()
    meter.reads(rows.nth(1))
    meter.click(rows.filter(has_text="Family picture shown").first.get_by_role("link"), decide=True)
    print("who looked:", meter)
    assert meter.clicks - searched == 1
    expect(page.locator(".kith-verdict__word")).to_have_text("Verified")
    expect(page.locator("main")).to_contain_text("Rosalind Achebe")
    expect(page.locator("main")).to_contain_text("Lawful basis")
    expect(page.locator("main")).to_contain_text(eid)
    assert "Ravenscroft" not in page.content()


@SCRIPT
def test_an_officer_opens_an_alert_reads_what_explains_it_and_closes_it(
    script: bool, visitors: Callable[..., Visitor]
) -> None:
    worker = visitors(script=script)
    worker.sign_in("worker_who_is_a_subject")
    begin = Meter(worker.page)
    start_enquiry(begin, STORIES["own_record"].nhs_number or "")
    begin.button("Search")
    visitor = visitors(script=script)
    page = visitor.sign_in("ig_officer")
    visitor.follow("Alerts")
    meter = Meter(page)
    # The one that has waited longest comes first, and this one just came; at night its hour is an alert of its own.
    row = page.get_by_role("row").filter(has_not_text="Out of hours").last
    meter.reads(row)
    meter.click(row.get_by_role("link"), decide=True)
    meter.reads(page.locator("#what"))
    meter.reads(page.locator("#explanation"))
    address = page.url
    meter.type("Why?", "Known tie, rule P33 refused it, spoken to")
    meter.choose("To be expected of the work")
    meter.button("Close the alert")
    print("triage of an alert:", meter)
    assert meter.clicks == 3
    assert meter.hand_s <= 43  # of 45 s; the rest is for the server
    expect(page.get_by_role("heading", level=1)).to_have_text("Alerts")
    page.goto(address)
    expect(page.locator("main")).to_contain_text("Closed: To be expected of the work")
    expect(page.get_by_role("button", name="Close the alert")).to_have_count(0)


@SCRIPT
def test_a_family_member_sees_what_is_held_who_looked_and_what_they_share(
    script: bool, visitors: Callable[..., Visitor]
) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in_as_citizen("carmel")
    meter = Meter(page)
    for link, title in (
        ("What is held", "What is held about you"),
        ("Who looked", "Who looked at your information"),
        ("What I share", "What I share"),
    ):
        if page.get_by_role("heading", level=1).inner_text() != title:
            meter.click(page.get_by_role("link", name=link, exact=True))
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        expect(page.get_by_role("button", name="Exit this page")).to_be_in_viewport()
    print("family:", meter)
    assert meter.clicks <= 3


@SCRIPT
def test_a_key_worker_sees_what_the_family_agreed_to(script: bool, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(script=script)
    page = visitor.sign_in("family_keyworker")
    meter = Meter(page)
    meter.click(page.get_by_role("link", name="Start an enquiry").first)
    meter.choose("Early help")
    meter.type("Your reference", "EH-2026-77")
    meter.type("Why do you need to know?", "Family plan starts, who helps already?")
    if script:
        expect(page.get_by_label("Who answered?")).to_be_hidden()
    meter.choose("Asked and agreed, in words or writing")
    expect(page.get_by_label("Who answered?")).to_be_visible()
    meter.select("Who answered?", "A parent with parental responsibility")
    meter.type("Who is it about?", "Ashby Ruby 9997000331")
    filled = meter.clicks
    meter.button("Search")
    confirm_first_candidate(meter)
    meter.reads(page.locator(".kith-lead"))
    meter.button("Show details")
    print("early help:", meter)
    assert meter.clicks - filled == 3
    assert meter.hand_s <= 58  # of 60 s; the rest is for the server
    police = page.get_by_role("row").filter(has_text="Thornshire Police").first
    expect(police).not_to_contain_text("Involved")
    expect(page.get_by_role("heading", level=3).filter(has_text="Ruby")).to_have_count(1)
