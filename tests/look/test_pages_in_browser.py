"""Every page in a real browser under the product's policy: accessibility, reflow, pictures, keyboard, silence."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.look.render import CHROMIUM, FLAGS, serve
from tests.look.samples import PAGES

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (tags) => (await axe.run({runOnly: {type: 'tag', values: tags},
    rules: {'target-size': {enabled: true}}})).violations.map(
    v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).slice(0, 4).join(' | '))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
TEXTS_OF_PICTURES = """() => [...document.querySelectorAll('figure svg[role=img]')].map(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].map(t => {
        const b = t.getBoundingClientRect();
        const scale = svg.getScreenCTM().a;
        return {text: t.textContent, size: parseFloat(getComputedStyle(t).fontSize) * scale,
            box: [b.left - frame.left, b.top - frame.top, b.right - frame.left, b.bottom - frame.top],
            frame: [frame.width, frame.height]};
    });
})"""
FOCUS_IS_SEEN = """() => {
    const e = document.activeElement, s = getComputedStyle(e);
    const wide = parseFloat(s.outlineWidth) > 0 && s.outlineStyle !== 'none' && s.outlineColor !== 'rgba(0, 0, 0, 0)';
    return {tag: e.tagName, seen: wide || s.boxShadow !== 'none' || s.backgroundColor === 'rgb(255, 201, 74)'
        || (e.type === 'radio')};
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """The pages on a free port."""
    server, address = serve()
    yield address
    server.shutdown()
    server.server_close()


def opened(browser: Browser, base: str, name: str, width: int, **context: Any) -> tuple[Page, list[str]]:
    """A page and everything that it complained about or asked of another host."""
    tab = browser.new_page(viewport={"width": width, "height": 800}, **context)
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(base) else None)
    tab.goto(f"{base}/{name}")
    return tab, complaints


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_the_page(browser: Browser, base: str, name: str, width: int) -> None:
    tab, complaints = opened(browser, base, name, width)
    try:
        assert complaints == []
        assert tab.evaluate(SIDEWAYS) <= 0
        tab.evaluate(AXE)
        assert tab.evaluate(RUN_AXE, TAGS) == []
        for texts in tab.evaluate(TEXTS_OF_PICTURES):
            for text in texts:
                left, top, right, bottom = text["box"]
                assert text["size"] >= 12, text
                assert min(left, top) >= -0.5, text
                assert right <= text["frame"][0] + 0.5, text
                assert bottom <= text["frame"][1] + 0.5, text
            assert overlapping(texts) == []
        # Twice as large text: the root's size doubles, the window does not.
        tab.set_viewport_size({"width": max(640, width), "height": 800})
        tab.evaluate("() => document.documentElement.style.setProperty('font-size', '200%')")
        assert tab.evaluate(SIDEWAYS) <= 0
    finally:
        tab.close()


def overlapping(texts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of texts of one picture whose boxes share more than a hair's breadth."""
    found = []
    for index, one in enumerate(texts):
        for other in texts[index + 1 :]:
            wide = min(one["box"][2], other["box"][2]) - max(one["box"][0], other["box"][0])
            high = min(one["box"][3], other["box"][3]) - max(one["box"][1], other["box"][1])
            if wide > 1 and high > 3:
                found.append((one["text"], other["text"]))
    return found


def test_the_checks_see_a_page_that_is_wrong(browser: Browser, base: str) -> None:
    tab, complaints = opened(browser, base, "gp_check", 320)
    try:
        tab.evaluate(
            """() => { const main = document.querySelector('main');
                main.insertAdjacentHTML('beforeend', '<input name="unlabelled"><p id="faint">faint</p>'
                    + '<img src="/none.png"><svg role="img" aria-label="x" width="900" height="20"></svg>'
                    + '<p style="color:red">styled</p>');
                document.getElementById('faint').style.setProperty('color', '#ccc'); }"""
        )
        tab.evaluate(AXE)
        found = {line.split(":")[0] for line in tab.evaluate(RUN_AXE, TAGS)}
        assert {"label", "color-contrast", "image-alt"} <= found
        assert tab.evaluate(SIDEWAYS) > 0
        assert any("Content Security Policy" in complaint for complaint in complaints)
    finally:
        tab.close()


@pytest.mark.parametrize("name", ["matrix", "picture", "gp_yes", "enquiry_new"])
def test_forced_colours_leave_the_answers_readable(browser: Browser, base: str, name: str) -> None:
    tab, complaints = opened(browser, base, name, 1280, forced_colors="active", color_scheme="dark")
    try:
        assert complaints == []
        shapes = tab.evaluate(
            """() => [...document.querySelectorAll('.kith-state')].map(e => {
                const s = getComputedStyle(e); return [s.color, s.backgroundColor];})"""
        )
        assert all(ink != paper for ink, paper in shapes)
        papers = tab.evaluate(
            """() => [...document.querySelectorAll('figure svg[role=img]')].map(
                e => getComputedStyle(e).backgroundColor)"""
        )
        assert all(paper == "rgb(255, 255, 255)" for paper in papers)
    finally:
        tab.close()


@pytest.mark.parametrize("name", ["enquiry_new", "candidates", "matrix", "picture", "ig_home", "gp_check", "sign_in"])
def test_the_keyboard_reaches_everything_and_is_never_trapped(browser: Browser, base: str, name: str) -> None:
    tab, _ = opened(browser, base, name, 1280)
    try:
        reachable = tab.evaluate(
            """() => { const seen = new Set(); return [...document.querySelectorAll(
                'a[href], button, input:not([type=hidden]), select, textarea, [tabindex="0"]')].filter(e =>
                e.offsetParent !== null).filter(
                e => e.type !== 'radio' || !seen.has(e.name) && seen.add(e.name)).length; }"""
        )
        stops = 0
        for _ in range(reachable + 5):
            tab.keyboard.press("Tab")
            at = tab.evaluate(FOCUS_IS_SEEN)
            if at["tag"] == "BODY":
                break
            assert at["seen"], tab.evaluate("() => document.activeElement.outerHTML.slice(0, 200)")
            stops += 1
        assert stops >= reachable
    finally:
        tab.close()


def test_the_pages_work_without_script(browser: Browser, base: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    try:
        tab.goto(f"{base}/enquiry_new")
        tab.get_by_label("Section 47 child protection enquiry").check()
        assert tab.get_by_label("A decision to make section 47 enquiries is recorded").is_visible()
        tab.get_by_label("Early help").check()
        assert not tab.get_by_label("A decision to make section 47 enquiries is recorded").is_visible()
    finally:
        context.close()
