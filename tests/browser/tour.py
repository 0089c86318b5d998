"""The tours: every page and state that the product can show, one after the other, as each kind of user reaches it.

For: the checks that every page must pass, and for the pictures of docs/screens. A tour yields the name of the page that
is open; whoever walks along looks at it and goes on. It must never assert anything itself.
"""

import json
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page

from connectors.send import NOTICES, send
from hub.demo.behaviour import tell
from hub.demo.stories import STORIES
from tests.browser.visit import Visitor

Tour = Generator[str, None, None]
REASON = "School saw a bruise, and the explanation does not fit it"


def fill_enquiry(page: Page, story: str, *, threshold: bool = True, who: str | None = None) -> None:
    """Fills in the form that starts an enquiry about a story's subject, as its persona would."""
    told = STORIES[story]
    page.locator(f'input[name="purpose"][value="{told.purpose}"]').check()
    if threshold:
        page.locator('input[name="threshold"][value="S47_DECISION"]').check()
    page.get_by_label("Your reference").fill("REF-2026-0417")
    page.get_by_label("Why do you need to know?").fill(REASON)
    page.get_by_label("Who is it about?").fill(who or f"{told.name} {told.nhs_number}")


def developer(v: Visitor) -> Tour:
    """The reference of the interface, which needs no sign-in."""
    v.go("/developers")
    yield "developers"
    v.follow("The GP check of up to 20 patients, each on its own.")
    yield "developers-operation"
    v.go("/developers/familyPicture")
    yield "developers-picture"
    v.follow("mismatch")
    yield "developers-problem"


def mash_worker(v: Visitor) -> Tour:
    """From signing in to the combined picture of the showcase family and its receipt."""
    v.go("/sign-in")
    yield "sign-in"
    v.sign_in_here("mash_social_worker")
    yield "enquiries-none"
    page = v.follow("Start an enquiry")
    yield "enquiry-form"
    fill_enquiry(page, "showcase", who="Tarrant Maisie")
    page.locator('input[name="consent"][value="NOT_SOUGHT_UNSAFE"]').check()
    page.get_by_label("Why would asking be unsafe?").select_option("RISK_TO_ANYONE")
    yield "enquiry-form-filled"
    v.press("Search")
    yield "candidates"
    v.press("This is the person")
    yield "who-is-involved"
    who = page.url
    v.press("Show details")
    yield "picture"
    v.follow("Check this receipt")
    yield "receipt"
    page.goto(who)
    v.press("Meeting pack")
    yield "meeting-pack"
    for box in page.locator('input[name="people"]').all():
        box.uncheck()
    v.press("Preview this choice")
    yield "meeting-pack-errors"
    page.goto(who)
    v.follow("What was decided, and what is not shared")
    yield "decisions-none"
    page.locator('input[name="kind"][value="NOT_SHARED"]').check()
    v.press("Record it")
    yield "decisions-errors"
    page.get_by_label("With whom is it not shared?").select_option(label="Thornshire Homes")
    page.get_by_label("On which ground?").select_option(label="They do not need it for their part")
    page.get_by_label("Why?", exact=True).fill("The landlord does not need the police history for a repair")
    v.press("Record it")
    yield "decisions"
    page.goto(who)
    page.get_by_label("Name, date of birth or NHS number").fill("Doughty Craig 8 November")
    v.press("Search")
    yield "candidates-error"
    v.go("/enquiries")
    yield "enquiries"


def refused_visitor(v: Visitor) -> Tour:
    """What is refused, and how the page says so."""
    page = v.sign_in("mash_social_worker")
    v.go("/enquiries/new")
    page.get_by_label("Who is it about?").fill("999 700 0049")
    page.locator('input[name="consent"][value="GIVEN_EXPLICIT"]').check()
    v.press("Search")
    yield "enquiry-form-errors"
    v.go("/enquiries/new")
    fill_enquiry(page, "showcase", who="Smith")
    v.press("Search")
    yield "search-too-wide"
    page.get_by_label("Name, date of birth or NHS number").fill("Abernethy-Quux Zebedee 1 1 2011")
    v.press("Search")
    yield "search-nobody"
    v.go("/gp-check")
    yield "wrong-role"
    v.go("/no-such-page")
    yield "not-found"
    v.press("Sign out")
    yield "signed-out"


def other_families(v: Visitor) -> Tour:
    """Families whose pages differ: an unborn baby, a shielded mother, a child who already has a social worker."""
    page = v.sign_in("mash_social_worker")
    v.go("/enquiries/new")
    fill_enquiry(page, "unborn", who="Chloe Whitcombe")
    v.press("Search")
    v.press("This is the person")
    v.press("Show details")
    yield "unborn-picture"
    v.go("/enquiries/new")
    fill_enquiry(page, "shielded", who="Zielonka Nadia")
    v.press("Search")
    yield "shielded-candidates"
    v.go("/enquiries/new")
    fill_enquiry(page, "open_case", threshold=False)
    page.locator('input[name="consent"][value="NOT_SOUGHT_NOT_REQUIRED"]').check()
    v.press("Search")
    v.press("This is the person")
    yield "open_case-who"


def gp_coordinator(v: Visitor) -> Tour:
    """The GP check: each answer that a practice can get."""
    page = v.sign_in("gp_millbrook")
    yield "gp-check"
    for name, number in (
        ("gp-error", "999 700 0049"),
        ("gp-yes", STORIES["package_current"].nhs_number),
        ("gp-no", STORIES["package_ended"].nhs_number),
        ("gp-cannot-say", STORIES["package_objection"].nhs_number),
    ):
        page.get_by_label("Patient's NHS number").fill(number or "")
        v.press("Check")
        yield name
    v.follow("Ward round")
    v.press("Check them")
    yield "gp-round-errors"
    kinds = ("package_current", "package_ended", "package_objection", "package_other_list")
    page.get_by_label("NHS numbers").fill(
        "\n".join([*(STORIES[kind].nhs_number or "" for kind in kinds), "999 700 0049"])
    )
    v.press("Check them")
    yield "gp-round"


def emergency(v: Visitor) -> Tour:
    """A mother refused, and then somebody is at risk: what it means, its errors, the picture, and the review."""
    page = v.sign_in("mash_social_worker")
    v.go("/enquiries/new")
    fill_enquiry(page, "showcase", threshold=False)
    page.locator('input[name="purpose"][value="MASH_SCREENING"]').check()
    page.locator('input[name="consent"][value="REFUSED"]').check()
    page.get_by_label("Who answered?").select_option("PARENT_WITH_PR")
    v.press("Search")
    v.press("This is the person")
    yield "who-is-involved-refused"
    with page.expect_navigation():
        page.get_by_role("button", name="Emergency access").click()
    yield "emergency"
    v.press("Open in an emergency")
    yield "emergency-errors"
    page.get_by_label("Who is at risk, and of what?").fill("Her father took her from school and threatened to kill her")
    page.locator('input[name="imminent"]').check()
    v.press("Open in an emergency")
    yield "emergency-picture"
    page.goto(page.url.removesuffix("/picture") + "/who")
    yield "emergency-who"
    v.press("Sign out")
    v.sign_in("ig_officer")
    v.go("/tasks")
    yield "tasks-review"


def approval_of_others(v: Visitor) -> Tour:
    """What a worker may ask an owner to release: the owner item by item, its senior, the one look, the register."""
    page = v.sign_in("mash_social_worker")
    v.go("/enquiries/new")
    fill_enquiry(page, "showcase")
    v.press("Search")
    v.press("This is the person")
    v.follow("Ask for somebody else’s approval, or see what was approved")
    yield "approval"
    where = page.url
    v.press("Ask")
    yield "approval-errors"
    page.get_by_label("Leanne", exact=False).first.check()
    page.get_by_label("Why do you need it?").fill("Whether the child is safe depends on her mother’s treatment")
    v.press("Ask")
    yield "approval-asked"
    v.press("Sign out")
    page = v.sign_in("sms_worker")
    v.follow("For your approval")
    yield "approval-queue"
    with page.expect_navigation():
        page.get_by_role("link", name="Release by the agency").first.click()
    yield "approval-answer"
    v.press("Save")
    yield "approval-answer-errors"
    for number, group in enumerate(page.get_by_role("group", name="May it be shown?").all()):
        group.get_by_label("Yes, all that may" if number == 0 else "No.", exact=False).check()
    for field in page.get_by_label("Why, if not all of it?", exact=False).all():
        field.fill("The treatment would end if this were passed on to others")
    v.press("Save")
    v.press("Sign out")
    page = v.sign_in("sms_guardian")
    v.go("/approvals")
    yield "approval-queue-senior"
    with page.expect_navigation():
        page.get_by_role("link", name="A refusal for you").first.click()
    yield "approval-sign-off"
    page.get_by_label("Yes. My name", exact=False).check()
    page.get_by_label("Why?").fill("I have read it and the harm to treatment outweighs")
    v.press("Save")
    v.press("Sign out")
    page = v.sign_in("mash_social_worker")
    page.goto(where)
    yield "approval-agreed"
    v.press("Show it once")
    yield "approval-picture"
    v.press("Sign out")
    v.sign_in("ig_officer")
    v.follow("Refusals")
    yield "refusals"


def key_worker(v: Visitor) -> Tour:
    """Early help: a family that agreed, and a young person who refuses whatever his mother says."""
    page = v.sign_in("family_keyworker")
    for story in ("early_help_agreed", "young_person_refuses"):
        v.go("/enquiries/new")
        fill_enquiry(page, story, threshold=False)
        page.locator('input[name="consent"][value="GIVEN_EXPLICIT"]').check()
        page.get_by_label("Who answered?").select_option("PARENT_WITH_PR")
        if story == "early_help_agreed":
            yield "early-help-form"
        v.press("Search")
        v.press("This is the person")
        yield f"{story}-who"
    v.press("Show details")
    yield "young_person_refuses-picture"


def consent_of_a_family(v: Visitor) -> Tour:
    """What a family agreed to: on record, each form, its errors, a withdrawal, and the tasks that follow."""
    page = v.sign_in("family_keyworker")
    v.go("/enquiries/new")
    fill_enquiry(page, "early_help_agreed", threshold=False)
    v.press("Search")
    v.press("This is the person")
    v.follow("What the family agreed to")
    yield "consent"
    where = page.url
    for form in ("answer", "assessment", "standing", "decision"):
        page.goto(f"{where}/{form}")
        yield f"consent-{form}"
    page.goto(f"{where}/answer")
    v.press("Save")
    yield "consent-answer-errors"
    page.goto(where)
    v.press("Withdraw")
    yield "consent-withdrawn"
    v.go("/tasks")
    yield "tasks"


def case_of_an_adult(v: Visitor) -> Tour:
    """What is recorded on a case: nothing yet, each form and its errors, a circumstance, a rating."""
    page = v.sign_in("adult_social_worker")
    v.go("/enquiries/new")
    page.locator('input[name="purpose"][value="ADULT_S42"]').check()
    page.get_by_label("Your reference").fill("SA-2026-0031")
    page.get_by_label("Why do you need to know?").fill("A neighbour rang about an older man who is not coping")
    page.get_by_label("Who is it about?").fill("Harold Entwistle")
    v.press("Search")
    v.press("This is the person")
    v.follow("What is recorded on the case: how urgent, harm threshold, circumstances")
    yield "case-nothing"
    where = page.url
    for form in ("circumstance", "rating"):
        page.goto(f"{where}/{form}")
        yield f"case-{form}"
        v.press("Save")
        yield f"case-{form}-errors"
        first = page.get_by_role("radio", name="coerced", exact=False) if form == "circumstance" else None
        (first or page.get_by_role("radio", name="Amber", exact=False)).check()
        if form == "circumstance":
            page.get_by_label("About whom?").select_option(index=1)
        page.get_by_label("How do you know?").select_option("PARTNER_AGENCY")
        page.get_by_label("What does it rest on?").fill("Neighbours heard his son threaten him on three evenings")
        v.press("Save")
    yield "case"


def governance(v: Visitor) -> Tour:
    """Who saw what: the register, a search by person, one entry with its proof."""
    page = v.sign_in("ig_officer")
    yield "disclosures"
    page.get_by_label("Person", exact=True).fill(f"Maisie Tarrant {STORIES['showcase'].nhs_number}")
    v.press("Show disclosures")
    yield "disclosures-error"
    page.get_by_label("Your case reference").fill("IG-2026-031")
    v.press("Show disclosures")
    yield "disclosures-of-a-person"
    row = page.get_by_role("row").filter(has_text="Family picture shown").first
    if row.count():
        with page.expect_navigation():
            row.get_by_role("link").click()
        yield "entry"
        v.follow("Why it was decided so")
        yield "entry-why"
    v.go("/ig")
    v.follow("When agencies look, by hour")
    yield "when-agencies-look"
    if page.locator(".kith-number").count():
        with page.expect_navigation():
            page.locator(".kith-number").first.click()
        yield "looks-of-an-hour"
    v.go("/ig")
    v.follow("Check now that the trail is untouched")
    yield "trail-check"
    v.go("/ig")
    with page.expect_navigation():
        page.get_by_role("row").nth(1).get_by_role("link").click()
    yield "entry-of-another-kind"


def agreements(v: Visitor) -> Tour:
    """The register of agreements: the list, one version with its matrix, and the reason behind a cell."""
    page = v.sign_in("mash_social_worker")
    v.follow("Agreements")
    yield "agreements"
    v.follow("Multi-agency safeguarding hub")
    yield "agreement"
    page.get_by_label("Purpose").select_option("S17_ASSESSMENT")
    v.press("Show")
    yield "agreement-section-17"
    with page.expect_navigation():
        page.locator(".kith-matrix td a").first.click()
    yield "agreement-why"


def agreement_editor(v: Visitor) -> Tour:
    """A change of an agreement: its errors, what it would do, the proposal, two approvals, a signature, a stop."""
    page = v.sign_in("ig_officer")
    v.go("/agreements/THORN-MASH/2/change")
    yield "agreement-change"
    text = page.get_by_label("The agreement", exact=True)
    whole = text.input_value()
    text.fill(whole.replace('"POLICE_INCIDENT"', '"POLICE_INCIDENTS"', 1))
    v.press("See what the text would change")
    yield "agreement-change-error"
    text.fill(whole.replace('"POLICE_INCIDENT", ', "").replace(', "POLICE_INCIDENT"', ""))
    v.press("See what the text would change")
    yield "agreement-change-checked"
    page.get_by_label("Why should it change?").fill("The police ask to share incidents in another way")
    v.press("Propose this change")
    yield "agreement-proposal-own"
    proposal = page.url
    for persona in ("dpo", "sms_guardian"):
        v.press("Sign out")
        v.sign_in(persona)
        page.goto(proposal)
        yield f"agreement-proposal-{persona}"
        v.press("Approve this change")
    yield "agreement-proposal-approved"
    v.go("/agreements")
    yield "agreements-with-changes"
    v.go("/agreements/THORN-MASH/3")
    yield "agreement-in-signing"
    v.follow("Sign for your agency")
    v.press("Keep the signature")
    yield "agreement-sign-errors"
    v.go("/agreements/THORN-MASH/2/suspend")
    v.press("Stop it now")
    yield "agreement-suspend-errors"


def data_steward(v: Visitor) -> Tour:
    """The queue of records in doubt, a pair side by side, its errors, a decision, and the records of one person."""
    page = v.sign_in("data_steward")
    yield "records-in-doubt"
    for path in ("/matching/flagged", "/matching/held-back", "/data-quality", "/matching"):
        v.go(path)
        yield path.strip("/").replace("/", "-")
    v.press("Find the record")
    yield "records-in-doubt-error"
    with page.expect_navigation():
        page.get_by_role("link", name="Pair 1:").click()
    yield "pair-in-doubt"
    v.press("Save")
    yield "pair-in-doubt-errors"
    page.get_by_label("The same person", exact=True).check()
    page.get_by_label("Why?").fill("Both agencies confirmed it on the telephone")
    v.press("Save")
    yield "records-in-doubt-after"
    for number in range(1, 21):
        with page.expect_navigation():
            page.get_by_role("link", name=f"Pair {number}:").click()
        joined = page.get_by_role("link", name="joined to the record of")
        if joined.count():
            with page.expect_navigation():
                joined.first.click()
            yield "records-of-one-person"
            v.press("Take this record out")
            yield "records-of-one-person-errors"
            break
        v.go("/matching")


def bystanders(v: Visitor) -> Tour:
    """People for whom Kith has no page yet, and one whose role has ended."""
    v.sign_in("operator")
    yield "partners"
    v.press("Sign out")
    v.sign_in("lapsed_worker")
    yield "role-ended"
    v.sign_in("worker_who_is_a_subject")
    page = v.go("/enquiries/new")
    fill_enquiry(page, "own_record")
    v.press("Search")
    yield "own_record-candidates"


def outage(v: Visitor) -> Tour:
    """The showcase family while the police's system is away."""
    folder = v.site.demonstration.folder
    page = v.sign_in("mash_social_worker")
    v.go("/enquiries/new")
    fill_enquiry(page, "showcase")
    v.press("Search")
    tell(folder, "police", "DOWN")
    try:
        v.press("This is the person")
        yield "who-is-involved-outage"
    finally:
        tell(folder, "police", "UP")


def answered_by_hand(v: Visitor) -> Tour:
    """A school that has no system: what it is asked, an answer with faults, a good one, and what the asker sees."""
    page = v.sign_in("mash_social_worker")
    v.go("/enquiries/new")
    fill_enquiry(page, "showcase")
    v.press("Search")
    v.press("This is the person")
    v.press("Show details")
    picture = page.url
    yield "picture-not-yet-answered"
    v.press("Sign out")
    v.sign_in("school_lead")
    v.go("/inbox")
    yield "requests"
    v.follow("Request 1: Section 47 child protection enquiry")
    yield "request"
    page.locator('input[name="answer"][value="PART"]').check()
    v.press("Send the answer")
    yield "request-errors"
    page.locator('input[name="answer"][value="HELD"]').check()
    page.locator('input[name="SERVICE_INVOLVEMENT.service"]').fill("Year 2, Ms Patel's class")
    page.locator('input[name="SERVICE_INVOLVEMENT.since"]').fill("4 9 2024")
    page.locator('input[name="SERVICE_INVOLVEMENT.mark"][value="RELEASE"]').check()
    page.locator('[name="EDUCATION.status"]').fill("Attendance 71 per cent since September")
    page.locator('[name="EDUCATION.risk"]').fill("Came with a bruise on Monday; explained as a fall")
    page.locator('input[name="EDUCATION.mark"][value="REDACT"]').check()
    page.locator('input[name="EDUCATION.keep.risk"]').check()
    yield "request-filled"
    v.press("Send the answer")
    yield "request-answered"
    v.go("/tasks")
    yield "tasks-of-a-school"
    v.press("Sign out")
    v.sign_in("mash_social_worker")
    page.goto(picture)
    yield "picture-answered-by-hand"


def notice_of_an_event(v: Visitor) -> Tour:
    """What the police give notice of first: at the front door, then read in an enquiry that starts from it."""
    give_notice(v)
    page = v.sign_in("mash_social_worker")
    v.go("/tasks")
    yield "tasks-with-a-notice"
    v.follow("Open the notice")
    yield "notice-not-yet"
    v.follow("Start an enquiry about it")
    page.locator('input[name="purpose"][value="S47_ENQUIRY"]').check()
    page.locator('input[name="threshold"][value="S47_DECISION"]').check()
    page.locator('[name="reference"]').fill("REF/2026/77")
    page.locator('[name="rationale"]').fill("The police gave notice of domestic abuse with a child in the home")
    yield "enquiry-form-of-a-notice"
    v.press("Start and read the notice")
    yield "notice"


def give_notice(v: Visitor) -> None:
    """A notice about a child with whom nobody works yet, sent by the police's machine."""
    story = STORIES["twins"]
    born = v.site.demonstration.county.people[story.subject].born
    number = {"value": str(story.nhs_number), "system": "https://fhir.nhs.uk/Id/nhs-number"}
    given, family = story.name.split(" ", 1)
    who = {"identifier": [number], "name": [{"givenName": [given], "familyName": [family]}]}
    assert born is not None
    event = {
        "@type": "LifeEvent",
        "identifier": [{"value": "DA-2026-0188", "system": "https://police.example/Id/notice"}],
        "type": ["safeguarding-concern"],
        "subjectPerson": [{"person": number, "involvement": "witness"}],
        "timeInformation": [{"startDateTime": (datetime.now(UTC) - timedelta(hours=9)).isoformat()}],
        "person": [who | {"dateOfBirth": {"date": born.isoformat()}}],
        "KithNotice": {
            "circumstances": "Officers came to raised voices and a broken door. The child was upstairs and awake.",
            "childVoice": "Said that it happens when there is no money.",
            "risk": "Coercion; a child present",
        },
    }
    folder = v.site.demonstration.folder
    key = folder / "machines" / "police.pem"
    send(v.site.url, NOTICES, json.dumps(event).encode(), client="police-machine", key=key).raise_for_status()


def misuse(v: Visitor) -> Tour:
    """Alerts of the misuse radar: the queue, one with its explanation, errors, a referral, the manager's task."""
    page = v.sign_in("worker_who_is_a_subject")
    v.go("/enquiries/new")
    fill_enquiry(page, "own_record")
    v.press("Search")
    v.press("Sign out")
    page = v.sign_in("ig_officer")
    v.follow("Alerts")
    yield "alerts"
    with page.expect_navigation():
        page.get_by_role("row").nth(1).get_by_role("link").click()
    yield "alert"
    v.press("Close the alert")
    yield "alert-errors"
    if page.get_by_role("button", name="Ask the manager").count():
        page.get_by_label("Why?").fill("Was the worker asked to look into this by somebody?")
        v.press("Ask the manager")
        yield "alert-referred"
    v.press("Sign out")
    v.sign_in("mash_decision_maker")
    v.go("/tasks")
    yield "tasks-alert"


def families(v: Visitor) -> Tour:
    """A member of the public: the way in, what is held, who looked, what is shared, a correction and its errors."""
    page = v.go("/my")
    yield "own-start"
    v.sign_in_as_citizen("carmel")
    yield "own-record"
    v.follow("Who looked")
    yield "own-looked"
    v.follow("What I share")
    yield "own-choices"
    v.follow("Put it right")
    v.press("Send it")
    yield "own-corrections-errors"
    housing = page.locator("#what option").filter(has_text="Thornshire Homes").first
    page.get_by_label("What is wrong?").select_option(housing.get_attribute("value"))
    page.get_by_label("What should it say?").fill("Carmel Anne Ashby")
    v.press("Send it")
    yield "own-corrections"
    v.press("Sign out")
    v.sign_in_as_citizen("stranger")
    yield "own-unknown"
    v.sign_in("housing_navigator")
    v.go("/tasks")
    button = page.get_by_role("button", name="Open it and answer")
    if button.count():
        yield "tasks-correction"
        with page.expect_navigation():
            button.first.click()
        yield "correction"
        v.press("Send the answer")
        yield "correction-errors"


TOURS: Mapping[str, Callable[[Visitor], Tour]] = {
    "mash_worker": mash_worker,
    "developer": developer,
    "notice_of_an_event": notice_of_an_event,
    "refused_visitor": refused_visitor,
    "other_families": other_families,
    "gp_coordinator": gp_coordinator,
    "emergency": emergency,
    "approval_of_others": approval_of_others,
    "key_worker": key_worker,
    "consent_of_a_family": consent_of_a_family,
    "case_of_an_adult": case_of_an_adult,
    "governance": governance,
    "misuse": misuse,
    "data_steward": data_steward,
    "agreements": agreements,
    "agreement_editor": agreement_editor,
    "bystanders": bystanders,
    "answered_by_hand": answered_by_hand,
    "outage": outage,
    "families": families,
}
