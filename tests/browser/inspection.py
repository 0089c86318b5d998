"""What every page must be, looked at in the browser on a wide and on a narrow screen.

For: any test or tour that has a page open. It must never change what the page asks of the server: looking twice
at one page is one disclosure.
"""

import gzip
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import axe_playwright_python
from playwright.sync_api import Page

from hub.demo.stories import STORIES

WIDE, NARROW = (1280, 900), (320, 640)
#: Bytes after gzip, and files that a page may ask for.
PAGE, ASSETS, REQUESTS = 15_000, 45_000, 8
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (tags) => (await axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'],
    rules: {'target-size': {enabled: true}}})).violations.map(
    v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(' | '))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
#: Texts of drawings that are too small or outside their drawing.
BAD_TEXTS = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect(), scale = svg.getScreenCTM() ? svg.getScreenCTM().a : 1;
    return [...svg.querySelectorAll('text')].filter(t => {
        const b = t.getBoundingClientRect(), size = parseFloat(getComputedStyle(t).fontSize) * scale;
        return b.width > 0 && (size < 12 || b.left < frame.left - 1 || b.right > frame.right + 1
            || b.top < frame.top - 1 || b.bottom > frame.bottom + 1);
    }).map(t => t.textContent.length + ' characters at ' + Math.round(t.getBoundingClientRect().left)); })"""
#: Labels of one drawing that lie on each other by more than a hair.
OVERLAPS = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
    const texts = [...svg.querySelectorAll('text')].map(t => [t, t.getBoundingClientRect()]).filter(([, b]) => b.width);
    return texts.flatMap(([t, a], i) => texts.slice(i + 1).filter(([u, b]) => t.textContent !== u.textContent
        && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > a.height / 3).map(
        () => 'a label at ' + Math.round(a.left) + ' lies on another')); }).slice(0, 5)"""
#: What axe lets through: tables without headings, fields without a label that stays, groups without a question,
#: messages that are not tied to their field, links that say nothing by themselves.
LET_THROUGH = """() => { const all = s => [...document.querySelectorAll(s)].filter(e => e.getClientRects().length);
    const named = e => e.getAttribute('aria-label') || e.getAttribute('aria-labelledby');
    const name = e => e.id || e.name || e.tagName;
    return [
        ...all('table').filter(t => !t.querySelector('th')).map(() => 'a table has no headings'),
        ...all('table').filter(t => !t.caption && !named(t)).map(() => 'a table has no caption'),
        ...all('input:not([type=hidden]):not([type=submit]), select, textarea').filter(
            e => !(e.labels && e.labels.length) && !named(e)).map(e => 'no label: ' + name(e)),
        ...all('input[type=radio]').filter(e => !e.closest('fieldset')?.querySelector('legend')).map(
            e => 'radios without a question: ' + name(e)),
        ...all('.govuk-input--error, .govuk-select--error, .govuk-textarea--error').filter(
            e => !(e.getAttribute('aria-describedby') || '').split(' ').some(
                id => document.getElementById(id)?.matches('.govuk-error-message'))).map(
            e => 'an error is not tied to ' + name(e)),
        ...all('a[href]').filter(a => /^(click here|here|more|read more|link)$/i.test(a.textContent.trim())).map(
            () => 'a link says nothing by itself')]; }"""
#: Lists everything the keyboard should reach, and notes at each stop whether it can be seen; a group of radios is one
#: stop, a date is up to five.
WATCH_FOCUS = """() => { const groups = new Set(), drawn = s => parseFloat(s.outlineWidth) > 0
        && s.outlineStyle !== 'none' && s.outlineColor !== 'rgba(0, 0, 0, 0)' || s.boxShadow !== 'none';
    const name = e => e.id || e.name || e.className || e.tagName;
    const stops = [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"], [role=button]')].filter(
        e => e.getClientRects().length && !e.disabled && e.checkVisibility({visibilityProperty: true})).filter(
        e => e.type !== 'radio' || !groups.has(e.name) && groups.add(e.name));
    const left = new Set(stops), faults = new Set();
    const watch = event => { const e = event.target, r = e.getBoundingClientRect(), label = e.labels && e.labels[0];
        left.delete(e); stops.filter(s => e.type === 'radio' && s.name === e.name).forEach(s => left.delete(s));
        if (!drawn(getComputedStyle(e)) && !(label && drawn(getComputedStyle(label, '::before'))))
            faults.add('no visible focus: ' + name(e));
        if (r.bottom <= 0 || r.top >= innerHeight || r.right <= 0 || r.left >= innerWidth)
            faults.add('focus off the screen: ' + name(e)); };
    document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex');
    document.addEventListener('focusin', watch);
    window.kithFocus = () => { document.removeEventListener('focusin', watch);
        return [...faults, ...[...left].map(e => 'the keyboard does not reach ' + name(e))]; };
    return stops.length + 4 * document.querySelectorAll('input[type=date]').length; }"""


def personal_words() -> tuple[str, ...]:
    """Names, numbers and birthdays of the stories, as they might get into an address, a title or a log."""
    found: set[str] = {"leanne", "craig", "doughty", "jayden", "alfie", "maureen", "quennell"}
    for story in STORIES.values():
        found |= {word.casefold() for word in story.name.split() if len(word) > 4}
        if story.nhs_number:
            n = story.nhs_number
            found |= {n, f"{n[:3]} {n[3:6]} {n[6:]}"}
        if born := story.date_of_birth(date.today()):
            found |= {born.isoformat(), f"{born:%d/%m/%Y}", f"{born.day} {born:%B} {born.year}".casefold()}
    return tuple(sorted(found))


PERSONAL = personal_words()


def personal_in(text: str) -> list[str]:
    """What in a text is about a person of the stories."""
    plain = unquote_plus(text).casefold()
    return [word for word in PERSONAL if word in plain]


def faults_of(page: Page) -> list[str]:
    """Everything wrong with the page as it stands, at both widths. Leaves the window wide."""
    found: list[str] = []
    if personal_in(page.title()):
        found.append("the title names somebody")
    if not re.search(r"\S – Kith$", page.title()):
        found.append(f"the title is {page.title()!r}")
    page.evaluate(AXE)
    for width, height in (NARROW, WIDE):
        page.set_viewport_size({"width": width, "height": height})
        found += [f"{width}: {fault}" for fault in faults_at_this_width(page)]
    return found


def faults_at_this_width(page: Page) -> Iterable[str]:
    """What is wrong with the page at the width of the window; axe is in it already."""
    sideways = page.evaluate(SIDEWAYS)
    if sideways > 0:
        yield f"scrolls sideways by {sideways} px"
    yield from (f"axe {violation}" for violation in page.evaluate(RUN_AXE, TAGS))
    yield from (f"text of a drawing, {text}" for text in page.evaluate(BAD_TEXTS))
    yield from page.evaluate(OVERLAPS)
    yield from page.evaluate(LET_THROUGH)
    yield from keyboard_faults(page)


def keyboard_faults(page: Page) -> list[str]:
    """Goes through the page by Tab: everything is reached and seen; whatever traps the keyboard hides what follows."""
    for _ in range(page.evaluate(WATCH_FOCUS) + 1):
        page.keyboard.press("Tab")
    found: list[str] = page.evaluate("() => window.kithFocus()")
    return found


def weight(body: bytes) -> int:
    """Bytes on the line once a proxy has compressed the page."""
    return len(gzip.compress(body, 6))


def is_document(response: Any) -> bool:
    """Whether a response is a page that was gone to, rather than something on it."""
    return bool(response.request.is_navigation_request())
