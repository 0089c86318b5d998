"""An officer changes an agreement, two others approve it: six clicks each at most, with script and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.meter import Meter
from tests.browser.visit import Visitor

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_officer_changes_an_agreement_and_two_others_approve_it(
    script: bool, visitors: Callable[..., Visitor]
) -> None:
    title = f"Oversight, rights and complaints {'with' if script else 'without'} script"
    officer = visitors(script=script)
    page = officer.sign_in("ig_officer")
    meter = Meter(page)
    meter.click(page.get_by_role("link", name="Agreements"))
    meter.click(page.get_by_role("row").filter(has_text="THORN-OVERSIGHT version 1").first.get_by_role("link"))
    meter.click(page.get_by_role("link", name="Propose a change"))
    text = page.get_by_label("The agreement", exact=True)
    lines = [f'title = "{title}"' if line.startswith("title = ") else line for line in text.input_value().split("\n")]
    text.fill("\n".join(lines))
    meter.button("See what the text would change")
    expect(page.get_by_role("heading", name="What last month's decisions would have been")).to_be_visible()
    expect(page.get_by_role("cell", name=title)).to_be_visible()
    page.get_by_label("Why should it change?").fill("The partners call it by another name now")
    meter.button("Propose this change")
    expect(page.get_by_role("heading", level=1)).to_have_text("Proposed change: waiting for approval")
    print("propose a change:", meter)
    assert meter.clicks <= 6
    for persona in ("dpo", "sms_guardian"):
        other = visitors(script=script)
        approver = other.sign_in(persona)
        clicks = Meter(approver)
        clicks.click(approver.get_by_role("link", name="Agreements"))
        row = approver.get_by_role("row").filter(has_text="Waiting for approval").first
        clicks.click(row.get_by_role("link"))
        clicks.button("Approve this change")
        print("approve a change:", clicks)
        assert clicks.clicks <= 6
    page.goto(officer.site.url + "/agreements")
    expect(page.get_by_role("link", name=title).first).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_an_officer_changes_a_cell_of_the_matrix_in_six_clicks(script: bool, visitors: Callable[..., Visitor]) -> None:
    page = visitors(script=script).sign_in("ig_officer")
    meter = Meter(page)
    meter.click(page.get_by_role("link", name="Agreements"))
    meter.click(page.get_by_role("row").filter(has_text="THORN-EARLY-HELP version 1").first.get_by_role("link"))
    meter.click(page.get_by_role("link", name="Propose a change"))
    meter.pick("Housing", "Only whether involved, and whom to ring")
    meter.button("See what it would change")
    expect(page.get_by_role("heading", name="What last month's decisions would have been")).to_be_visible()
    page.get_by_label("Why should it change?").fill("The partners found that less is enough for this")
    meter.button("Propose this change")
    expect(page.get_by_role("heading", level=1)).to_have_text("Proposed change: waiting for approval")
    print("change a cell:", meter)
    assert meter.clicks <= 6
    page.get_by_label("Why").last.fill("Tried out, the partners keep it as it was")
    page.get_by_role("button", name="Withdraw").click()
