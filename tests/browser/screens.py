"""Makes the pictures of docs/screens: every page of the tours on a desktop and on a telephone.

`scripts/screens` runs it. A picture shows the top of its page, as much as a large screen holds, so that all of them
together stay small. The README shows `who-is-involved.png` and `picture.png`.
"""

import struct
import sys
import tempfile
import zlib
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.inspection import NARROW, WIDE
from tests.browser.tour import TOURS
from tests.browser.visit import CHROMIUM, FLAGS, ROOT, Visitor, running_site

FOLDER = ROOT / "docs" / "screens"
#: The stops of the tours that are worth a picture: each page once, and the states that matter.
STOPS = frozenset(
    {
        "sign-in", "enquiries", "enquiry-form", "enquiry-form-errors", "candidates", "who-is-involved", "picture",
        "who-is-involved-outage", "receipt", "search-too-wide", "wrong-role",
        "early-help-form", "gp-check", "gp-yes", "gp-no", "gp-cannot-say", "gp-round", "disclosures",
        "disclosures-of-a-person", "entry", "partners",
        "emergency", "emergency-who", "consent", "consent-answer", "case", "tasks", "tasks-review",
        "meeting-pack", "decisions", "alerts", "alert", "when-agencies-look",
        "own-start", "own-record", "own-looked", "own-choices", "own-corrections", "own-unknown", "correction",
        "records-in-doubt", "pair-in-doubt", "requests", "request-filled", "request-answered",
        "notice", "notice-not-yet", "developers", "developers-operation",
    }
)  # fmt: skip
#: Where a picture starts when the top of the page is like another's.
STARTS = {"picture": "#people"}


def take(page: Page, name: str, folder: Path, *, whole: bool) -> None:
    """One picture per width."""
    for kind, (width, height), most in (("", WIDE, 900), ("-phone", NARROW, 640)):
        page.set_viewport_size({"width": width, "height": height})
        tall = int(page.evaluate("() => document.documentElement.scrollHeight"))
        start = STARTS.get(name) if not whole else None
        top = int(
            page.evaluate("s => s ? document.querySelector(s).getBoundingClientRect().top + scrollY - 12 : 0", start)
        )
        page.screenshot(
            path=folder / f"{name}{kind}.png",
            full_page=True,
            clip={"x": 0, "y": top, "width": width, "height": tall if whole else min(tall - top, most)},
        )
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def squeeze(path: Path) -> None:
    """Compresses the same pixels harder than the browser does (PNG, W3C 2003, section 11: IDAT is one zlib stream)."""
    data = path.read_bytes()
    kept, pixels, at = [data[:8]], b"", 8
    while at < len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        chunk = data[at : at + 12 + size]
        if chunk[4:8] == b"IDAT":
            pixels += chunk[8:-4]
        elif chunk[4:8] == b"IEND":
            body = b"IDAT" + zlib.compress(zlib.decompress(pixels), 9)
            kept += [struct.pack(">I", len(body) - 4), body, struct.pack(">I", zlib.crc32(body)), chunk]
        else:
            kept.append(chunk)
        at += 12 + size
    path.write_bytes(b"".join(kept))


def main(folder: Path = FOLDER, *, whole: bool = False, only: tuple[str, ...] = ()) -> None:
    """Walks every tour once."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as home, running_site(Path(home)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, tour in TOURS.items():
            if only and name not in only:
                continue
            visitor = Visitor(browser, site)
            visitor.page.set_default_timeout(20_000)
            for stop in tour(visitor):
                if whole or stop in STOPS:
                    take(visitor.page, stop, folder, whole=whole)
            visitor.context.close()
        browser.close()
    for path in folder.glob("*.png"):
        squeeze(path)
    total = sum(path.stat().st_size for path in folder.glob("*.png"))
    print(f"{len(list(folder.glob('*.png')))} pictures, {total / 1e6:.1f} MB, in {folder}")


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--whole"]
    main(Path(arguments[0]) if arguments else FOLDER, whole="--whole" in sys.argv, only=tuple(arguments[1:]))
