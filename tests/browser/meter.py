"""Counts what a journey costs the person: clicks, and seconds of work by a fixed model, so that limits can be asserted.

The model is of the keystroke-level kind: 0.28 s a key, 1.1 s a click, 1.35 s a decision (Card, Moran and Newell,
"The keystroke-level model", CACM 23(7), 1980: average non-secretary typist, pointing, mental preparation), four words
a second for what must be read, plus what the server really took.
"""

import time
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page

KEY_S, CLICK_S, DECISION_S, WORDS_A_SECOND = 0.28, 1.1, 1.35, 4


@dataclass
class Meter:
    """One person's journey. `waits` holds the seconds from each click that loads a page until it is there."""

    page: Page
    keys: int = 0
    clicks: int = 0
    decisions: int = 0
    words: int = 0
    waits: list[float] = field(default_factory=list)

    def type(self, label: str, text: str) -> None:
        """Goes to a field by Tab and types into it."""
        self.page.get_by_label(label, exact=True).fill(text)
        self.keys += len(text) + 1

    def choose(self, label: str) -> None:
        """Reads a question, decides, and clicks the answer; finding it among the others is the decision's time."""
        option = self.page.get_by_label(label, exact=True)
        self.reads(self.page.locator("fieldset").filter(has=option).locator("legend"))
        self.words += len(label.split())
        option.check()
        self.decisions += 1
        self.clicks += 1

    def pick(self, label: str, option: str) -> None:
        """Goes to a list by Tab, decides, and types the first letter of a line."""
        self.page.get_by_label(label, exact=True).select_option(label=option)
        self.decisions += 1
        self.keys += 2

    def select(self, label: str, option: str) -> None:
        """Opens a list, decides, and clicks one of its lines."""
        self.page.get_by_label(label, exact=True).select_option(label=option)
        self.decisions += 1
        self.clicks += 2

    def click(self, what: Locator, *, decide: bool = False) -> None:
        """Clicks what loads the next page, and waits for that page."""
        started = time.perf_counter()
        with self.page.expect_navigation(wait_until="load"):
            what.click()
        self.waits.append(time.perf_counter() - started)
        self.clicks += 1
        self.decisions += decide

    def button(self, name: str, *, decide: bool = False) -> None:
        """Clicks the first button of that name."""
        self.click(self.page.get_by_role("button", name=name).first, decide=decide)

    def reads(self, what: Locator) -> None:
        """Reads all words of a part of the page."""
        self.words += len(what.first.inner_text().split())

    @property
    def hand_s(self) -> float:
        """What the person does: typing, clicking, deciding, reading. It is the same on every machine."""
        hand = KEY_S * self.keys + CLICK_S * self.clicks + DECISION_S * self.decisions
        return hand + self.words / WORDS_A_SECOND

    @property
    def seconds(self) -> float:
        """The whole journey's work time, with what the server took here: printed, not asserted, machines are noisy."""
        return self.hand_s + sum(self.waits)

    def __str__(self) -> str:
        return (
            f"{self.clicks} clicks, {self.keys} keys, {self.decisions} decisions, {self.words} words, "
            f"{sum(self.waits):.1f} s waited: {self.seconds:.1f} s of work"
        )
