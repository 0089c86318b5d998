"""Canaries: names, birthdays, numbers and addresses walk through the whole site, and must come out nowhere that
somebody else reads: log lines, addresses, page titles, metrics.
"""

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from connectors import Gatherer
from hub.demo.stories import STORIES
from hub.logs import KNOWN_KEYS, log, set_up_logs
from tests.conftest import House, Visitor, choose_persona
from tests.hub.conftest import CHECKING, ask_api, with_parts

pytestmark = pytest.mark.parametrize("house", ["sqlite"], indirect=True)

#: The families whose subjects are looked up, and everything about them that must not get out.
LOOKED_UP = [name for name, story in STORIES.items() if story.nhs_number]
FORM = {
    "purpose": "S47_ENQUIRY",
    "reference": "TH/2026/91",
    "rationale": "Grandmother Quennellina rang about bruises on the child",
    "threshold": "S47_DECISION",
}


def canaries() -> set[str]:
    """What somebody might type or see; each distinctive enough to be found in a line of JSON."""
    found = {"Quennellina", "Samphire", "TH4 2QN", "bruises", "Rosalind", "Achebe", "Petra", "Lindqvist"}
    for name in LOOKED_UP:
        story = STORIES[name]
        number = story.nhs_number or ""
        born = story.date_of_birth(date.today()) or date.today()
        found |= {*story.name.split(), number, f"{number[:3]} {number[3:6]} {number[6:]}"}
        found |= {f"{born:%d %m %Y}", f"{born:%Y-%m-%d}", f"{born:%d/%m/%Y}"}
    return {one for one in found if len(one) > 3}


class Walk:
    """Goes through pages and keeps what each answer gives to others than the reader."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.given_away: list[str] = []
        self.pages = 0
        self.seen = ""

    def keep(self, answer: Any) -> Any:
        self.pages += 1
        self.seen += answer.text
        self.given_away += [f"{name}: {value}" for name, value in answer.headers if name != "Set-Cookie"]
        if answer.content_type.startswith("text/html"):
            self.given_away += re.findall(r"<title>.*?</title>", answer.text, re.DOTALL)
            self.given_away += re.findall(r'(?:href|action|formaction|src)="([^"]*)"', answer.text)
        return answer

    def worker(self) -> None:
        visitor = self.house.visitor("mash_social_worker")
        self.keep(visitor.get("/enquiries/new"))
        for name in ("showcase", "shielded", "twins", "adopted"):
            story = STORIES[name]
            page = self.keep(visitor.post("/enquiries/new", {**FORM, "who": f"{story.name} {story.nhs_number or ''}"}))
            enquiry = re.search(r"/enquiries/(EN-\w+)/person", page.text)
            person = re.search(r'name="person" value="([^"]+)"', page.text)
            if not enquiry or not person:
                continue
            self.keep(visitor.post(f"/enquiries/{enquiry[1]}/person", {"person": person[1]}))
            self.keep(visitor.get(f"/enquiries/{enquiry[1]}/who"))
            self.keep(visitor.get(f"/enquiries/{enquiry[1]}/picture"))
            self.keep(
                visitor.post(f"/enquiries/{enquiry[1]}/search", {"who": "Craig Doughty 14 Samphire Close TH4 2QN"})
            )
        self.keep(visitor.get("/enquiries"))
        self.wrong(visitor)

    def wrong(self, visitor: Visitor) -> None:
        """Everything typed into the wrong place."""
        story = STORIES["showcase"]
        number = story.nhs_number or ""
        self.keep(visitor.post("/enquiries/new", {**FORM, "reference": number, "who": story.name}))
        self.keep(visitor.post("/enquiries/new", {"who": f"{story.name} 31 2 2019", "purpose": story.name}))
        self.keep(visitor.post("/enquiries/new", {**FORM, story.name: number}))
        for path in (story.name, f"enquiries/{number}", f"receipts/{number}", f"sign-in/{story.name}/start"):
            self.keep(visitor.get("/" + quote(path)))
        self.keep(visitor.get("/sign-in/answer", query_string={"code": story.name, "state": number}))
        self.keep(visitor.client.open("/enquiries", method=story.name.split()[0].upper()))
        self.keep(visitor.client.post("/enquiries/new", data={"who": story.name}))
        self.keep(visitor.get("/enquiries", headers={"User-Agent": story.name, "X-Request-Id": number}))

    def practice(self) -> None:
        visitor = self.house.visitor("gp_millbrook")
        self.keep(visitor.get("/gp-check"))
        for name in LOOKED_UP:
            self.keep(visitor.post("/gp-check", {"nhs_number": STORIES[name].nhs_number or ""}))
        self.keep(visitor.post("/gp-check", {"nhs_number": STORIES["showcase"].name}))
        about = {**CHECKING, "subject": {"nhs_number": STORIES["showcase"].name}}
        for body in (about, {STORIES["showcase"].name: "1"}, ["Samphire"]):
            self.keep(ask_api(visitor, "/api/v1/gp-check", body, traceparent=STORIES["showcase"].name))

    def officer(self) -> None:
        visitor = self.house.visitor("ig_officer")
        number = STORIES["showcase"].nhs_number or ""
        self.keep(visitor.get("/ig"))
        for form in (
            {"person": number, "case_reference": "IG-1"},
            {"person": number},
            {"user": "Rosalind Achebe"},
            {"user": STORIES["showcase"].name, "from": "Samphire"},
            {"person": STORIES["showcase"].name, "case_reference": STORIES["showcase"].name},
        ):
            page = self.keep(visitor.post("/ig", form))
            for eid in re.findall(r"/ig/entries/([0-9a-f]{32})", page.text)[:3]:
                self.keep(visitor.get(f"/ig/entries/{eid}"))
        self.keep(visitor.get("/ig/entries/" + quote(STORIES["showcase"].name)))


class Breaking:
    """A partner that fails with a person's name in its words, in a way that no contract foresees."""

    def __init__(self, real: Any, error: BaseException) -> None:
        self.partner = real.partner
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise self._error

        return fail


class BrokenGatherer:
    """All partners at once, and a fault of our own between them and us."""

    def gather(self, _asks: Any) -> Any:
        raise LookupError("Maisie Tarrant 9997000048, 14 Samphire Close")


@pytest.fixture
def lines(log_lines: io.StringIO) -> Iterator[io.StringIO]:
    """The log of this test alone."""
    fresh = io.StringIO()
    set_up_logs("DEBUG", stream=fresh)
    yield fresh
    set_up_logs("INFO", stream=log_lines)


def assert_clean(lines: io.StringIO, given_away: list[str]) -> list[dict[str, Any]]:
    """No canary in any line, header, title or address; each line is one JSON object with known keys."""
    written = lines.getvalue()
    entries = [json.loads(line) for line in written.splitlines()]
    for entry in entries:
        assert set(entry) <= KNOWN_KEYS, entry
    # The worker's own name greets them on each page; nobody else's log, address or title needs it.
    for canary in canaries():
        assert canary.casefold() not in written.casefold(), canary
        assert quote(canary).casefold() not in written.casefold(), canary
        for text in given_away:
            assert canary.casefold() not in text.casefold(), (canary, text)
            assert quote(canary).casefold() not in text.casefold(), (canary, text)
    return entries


def test_nothing_about_anybody_gets_into_logs_addresses_titles_or_metrics(house: House, lines: io.StringIO) -> None:
    walk = Walk(house)
    walk.worker()
    walk.practice()
    walk.officer()
    walk.given_away.append(Visitor(house).get("/metrics").text)
    assert walk.pages > 60
    assert "Maisie" in walk.seen  # The readers themselves did see the canaries.
    assert "Samphire" in walk.seen
    entries = assert_clean(lines, walk.given_away)
    assert {"answered", "refused"} <= {entry["event"] for entry in entries}
    answered = [entry for entry in entries if entry["event"] == "answered"]
    assert len({entry["request_id"] for entry in answered}) == len(answered)
    assert all(entry["elapsed_ms"] >= 0 for entry in answered)


def test_a_fault_of_our_own_in_the_middle_of_a_picture_logs_its_kind_and_place_alone(
    house: House, lines: io.StringIO
) -> None:
    broken = with_parts(house, gatherer=BrokenGatherer())
    visitor = Visitor(broken)
    started = visitor.get("/sign-in/demo/start")
    visitor.get(choose_persona(started.headers["Location"], "mash_social_worker"))
    walk = Walk(broken)
    page = visitor.post("/enquiries/new", {**FORM, "who": "Maisie Tarrant 9997000048"})
    enquiry = re.search(r"/enquiries/(EN-\w+)/person", page.text)
    person = re.search(r'name="person" value="([^"]+)"', page.text)
    assert enquiry
    assert person
    visitor.post(f"/enquiries/{enquiry[1]}/person", {"person": person[1]})
    answer = walk.keep(visitor.get(f"/enquiries/{enquiry[1]}/picture"))
    assert answer.status_code == 500
    assert "Samphire" not in answer.text
    entries = assert_clean(lines, walk.given_away)
    failed = next(entry for entry in entries if entry["event"] == "failed")
    assert (failed["error"], failed["file"]) == ("LookupError", "test_logs.py")


def test_a_partner_that_breaks_with_a_name_in_its_words_costs_its_own_tile(house: House, lines: io.StringIO) -> None:
    error = RuntimeError("no row for Maisie Tarrant, 14 Samphire Close")
    connectors = {code: Breaking(real, error) for code, real in house.hub.connectors.items()}
    gatherer = Gatherer(connectors, total_s=3.0, each_s=1.5)  # type: ignore[arg-type]
    broken = with_parts(house, gatherer=gatherer)
    visitor = Visitor(broken)
    started = visitor.get("/sign-in/demo/start")
    visitor.get(choose_persona(started.headers["Location"], "mash_social_worker"))
    walk = Walk(broken)
    page = visitor.post("/enquiries/new", {**FORM, "who": "Maisie Tarrant 9997000048"})
    enquiry = re.search(r"/enquiries/(EN-\w+)/person", page.text)
    person = re.search(r'name="person" value="([^"]+)"', page.text)
    assert enquiry
    assert person
    visitor.post(f"/enquiries/{enquiry[1]}/person", {"person": person[1]})
    answer = walk.keep(visitor.get(f"/enquiries/{enquiry[1]}/picture"))
    gatherer.close()
    assert answer.status_code == 200
    assert "No answer" in answer.text
    assert "no row for" not in answer.text
    assert_clean(lines, walk.given_away)


#: What code might log by mistake, and what must be left of it.
MISTAKES: list[tuple[dict[str, Any], set[str]]] = [
    ({"name": "Maisie Tarrant", "status": 200}, {"status"}),
    ({"query": "Maisie", "who": "Maisie", "nhs_number": "9997000048"}, set()),
    ({"exc_info": ValueError("Maisie Tarrant")}, {"error"}),
    ({"reason": 'x\n{"event": "forged"}\x1b[31m\u202e'}, {"reason"}),
]


@pytest.mark.parametrize(("values", "kept"), MISTAKES, ids=str)
def test_a_line_keeps_only_what_lines_may_say_and_stays_one_line(
    house: House, lines: io.StringIO, values: dict[str, Any], kept: set[str]
) -> None:
    structlog.contextvars.clear_contextvars()
    log.warning("tried", **values)
    written = lines.getvalue()
    assert written.count("\n") == 1
    assert "Maisie" not in written
    assert "\x1b" not in written
    assert "\u202e" not in written
    assert set(json.loads(written)) == {"event", "level", "timestamp"} | kept


def test_what_a_library_says_becomes_a_line_without_its_words(house: House, lines: io.StringIO) -> None:
    try:
        raise RuntimeError("Maisie Tarrant")
    except RuntimeError:
        logging.getLogger("some.driver").exception("SELECT * FROM records WHERE name = %s", "Maisie Tarrant")
    logging.getLogger("some.driver").info("chatter")
    entry = json.loads(lines.getvalue())
    assert (entry["event"], entry["reason"], entry["error"]) == ("library", "some.driver", "RuntimeError")
    assert set(entry) <= KNOWN_KEYS
    assert "Maisie" not in lines.getvalue()
