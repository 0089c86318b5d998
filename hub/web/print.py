"""From a page of ours to a tagged PDF: PDF/UA-1 (ISO 14289-1:2014), made in this process, with nothing fetched.

For: what people take along on paper. Must never open an address, whatever a partner's text holds, and never start a
browser.
"""

import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

from hub.errors import Unavailable

SHEET = Path(__file__).parent / "pack.css"
#: A4 in points, the text across it from bottom left to top right. As a page's background it is no part of the text.
WATERMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="595" height="842"><text x="300" y="430" text-anchor="middle" '
    'font-family="Liberation Sans, Arial, sans-serif" font-size="46" font-weight="bold" fill="#eef1f0" '
    'transform="rotate(-52 300 430)">{mark}</text></svg>'
)

#: A light edge around a drawing's words, drawn first on a screen; on paper it would be drawn over them.
_EDGE = re.compile(r' stroke="#fff" stroke-width="\d+"(?: stroke-opacity="[\d.]+")? paint-order="stroke"')


def tagged_pdf(html: str, *, mark: str) -> bytes:
    """The page as PDF. Takes `mark`: letters, digits, spaces and hyphens that stand behind the text of every sheet.

    Raises Unavailable when this machine lacks the libraries that lay out text (Debian: libpango-1.0-0,
    libpangoft2-1.0-0, libharfbuzz-subset0).
    """
    try:
        from weasyprint import CSS, HTML, URLFetcher
    except OSError as error:
        raise Unavailable(
            "This hub cannot make PDF files: a library for it is not installed. Nothing was taken.",
            next_steps=("Tell the hub's operator the reference below.",),
        ) from error
    ours_alone = URLFetcher(allowed_protocols={"data"})
    behind = f'@page {{ background: url("data:image/svg+xml,{quote(WATERMARK.format(mark=mark))}") no-repeat center }}'
    sheets = [CSS(string=text, url_fetcher=ours_alone) for text in (_sheet(), behind)]
    html = _EDGE.sub("", html)
    made: bytes = HTML(string=html, url_fetcher=ours_alone).write_pdf(stylesheets=sheets, pdf_variant="pdf/ua-1")
    return made


@cache
def _sheet() -> str:
    return SHEET.read_text(encoding="utf-8")
