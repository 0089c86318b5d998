"""Render every template with invented data and serve it on the loopback address with the product's own policy.

For: looking at the pages, and for the browser checks beside it. `python tests/look/render.py` serves until Ctrl-C;
`python tests/look/render.py shots DIR [NAME...]` writes screenshots at 1280, 768 and 320 pixels.
"""

import sys
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from jinja2 import Environment

from hub.web.look import hashed_names, prepare, static_files
from tests.look.samples import PAGES

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
    "script-src 'nonce-0123456789abcdef'; base-uri 'none'; frame-ancestors 'none'"
)
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@cache
def environment() -> Environment:
    """The pages' environment with the functions that the application gives."""
    made = Environment(autoescape=True)
    prepare(made)
    made.globals.update(
        csrf_token=lambda: "not-a-real-token",
        csp_nonce=lambda: "0123456789abcdef",
        asset=lambda name: f"/static/{hashed_names()[name]}",
    )
    return made


def page(name: str, **more: Any) -> str:
    """One rendered page."""
    template, context = PAGES[name]
    return environment().get_template(template).render(**{**context, **more})


class Handler(BaseHTTPRequestHandler):
    """Serves /<page name> and /static/<hashed name>; anything else is 404."""

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].strip("/")
        if name.startswith("static/") and name[7:] in static_files():
            body, kind = static_files()[name[7:]]
        elif name in PAGES:
            body, kind = page(name).encode(), "text/html; charset=utf-8"
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def serve() -> tuple[ThreadingHTTPServer, str]:
    """Starts a server on a free port; the caller shuts it down."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def shots(folder: Path, names: list[str]) -> None:
    """Writes whole-page screenshots."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    server, base = serve()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for width in (1280, 768, 320):
            tab = browser.new_page(viewport={"width": width, "height": 800})
            for name in names or PAGES:
                tab.goto(f"{base}/{name}")
                tab.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        browser.close()
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["shots"]:
        shots(Path(sys.argv[2]), sys.argv[3:])
    else:
        _, address = serve()
        print("\n".join(f"{address}/{name}" for name in PAGES))
        threading.Event().wait()
