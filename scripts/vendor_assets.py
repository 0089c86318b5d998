"""Fetch the two design systems once, take out what is not ours to use, and write one style sheet.

For: repeating what `hub/web/static/VENDOR` records. Needs npm on the path for `npm pack` only; nothing of
Node is needed to build or run the hub. It must never ship the GDS Transport font, the crown, the GOV.UK
logotype or an address outside our own static path: those may be used on GOV.UK only.

    python scripts/vendor_assets.py            # fetch, check the SHA-256 sums, write
    python scripts/vendor_assets.py --from DIR # the same from packages that are already in DIR
"""

import argparse
import gzip
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).resolve().parent.parent / "hub" / "web" / "static"

MIT = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions: The above copyright notice and
this permission notice shall be included in all copies or substantial portions of the Software. THE SOFTWARE IS
PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT
HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


@dataclass(frozen=True)
class Package:
    """One npm package: which file we take from it, and what it must weigh in at."""

    name: str
    version: str
    holder: str
    member: str
    sha256: str
    keep: re.Pattern[str] | None
    drop: re.Pattern[str] | None


PACKAGES = (
    Package(
        name="govuk-frontend",
        version="6.3.0",
        holder="Copyright (c) Crown Copyright (Government Digital Service)",
        member="package/dist/govuk/govuk-frontend.min.css",
        sha256="0f00f2aa01972532b0e3c748691dafd58f0042c60060d79848d3d31c02913d46",
        keep=None,
        # Parts that carry the GOV.UK identity, need script to work, or that no page uses.
        drop=re.compile(
            r"\.govuk-(header|logo|footer|cookie-banner|service-navigation|generic-header|accordion|tabs"
            r"|phase-banner|password-input|task-list)(?![a-z])"
            r"|\.govuk-frontend-supported|\.js-enabled"
        ),
    ),
    Package(
        name="@ministryofjustice/frontend",
        version="11.1.0",
        holder="Copyright (c) Crown Copyright (Ministry of Justice)",
        member="package/moj/moj-frontend.min.css",
        sha256="e97348daaea36346afd5e15126c9ef605b92b49cc7a61402f4e11713adf03a4c",
        keep=re.compile(r"\.moj-(timeline|sub-navigation|interruption-card|badge|identity-bar)(?![a-z])"),
        drop=re.compile(r"\.moj-button-menu|\.moj-timeline__document|\.govuk-frontend-supported|\.js-enabled"),
    ),
)

#: Colours of GOV.UK's identity that the style sheets spell out instead of using a property we can set.
LITERALS = {
    "#1d70b8": "var(--govuk-brand-colour)",
    "#1a65a6": "var(--govuk-link-colour)",
    "#0f385c": "var(--govuk-link-hover-colour)",
    "#54319f": "var(--govuk-link-visited-colour)",
}


class VendorError(Exception):
    """A package is not what it was when it was reviewed."""


def fetch(package: Package, into: Path) -> Path:
    """Downloads one package with npm and returns its archive."""
    done = subprocess.run(  # noqa: S603
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],  # noqa: S607
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    )
    return into / done.stdout.strip().splitlines()[-1]


def archive_name(package: Package) -> str:
    """The file name that npm gives a package."""
    return f"{package.name.lstrip('@').replace('/', '-')}-{package.version}.tgz"


def read_member(package: Package, archive: Path) -> str:
    """Returns the style sheet of a package after checking its sum. Raises VendorError when it differs."""
    with tarfile.open(archive) as tar:
        member = tar.extractfile(package.member)
        if member is None:
            raise VendorError(f"{package.name} has no {package.member}")
        data = member.read()
    found = hashlib.sha256(data).hexdigest()
    if found != package.sha256:
        raise VendorError(f"{package.name} {package.member}: SHA-256 is {found}, expected {package.sha256}")
    return data.decode("utf-8")


def blocks(css: str) -> list[tuple[str, str]]:
    """Splits a style sheet into (prelude, body) pairs at its outermost braces; statements have an empty body."""
    found: list[tuple[str, str]] = []
    start = depth = 0
    prelude = ""
    quote = ""
    for at, char in enumerate(css):
        if quote:
            quote = "" if char == quote and css[at - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char == "{":
            if depth == 0:
                prelude, start = css[start:at].strip(), at + 1
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                found.append((prelude, css[start:at]))
                start = at + 1
        elif char == ";" and depth == 0:
            found.append((css[start:at].strip() + ";", ""))
            start = at + 1
    return found


def selectors(prelude: str) -> list[str]:
    """Splits a selector list at commas outside brackets."""
    parts: list[str] = []
    depth = start = 0
    for at, char in enumerate(prelude):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(prelude[start:at])
            start = at + 1
    return [part.strip() for part in [*parts, prelude[start:]]]


def trim(css: str, package: Package) -> str:
    """Leaves out fonts, dropped parts and rules for browsers that cannot run the hub anyway."""
    kept: list[str] = []
    for prelude, body in blocks(css):
        if prelude.startswith(("@font-face", "@charset")):
            continue
        if prelude.startswith("@-moz-document") or "ms-high-contrast" in prelude or r"\0" in prelude:
            continue
        if prelude.startswith(("@media", "@supports")):
            inner = trim(body, package)
            if inner:
                kept.append(f"{prelude}{{{inner}}}")
            continue
        wanted = [
            selector
            for selector in selectors(prelude)
            if (package.keep is None or package.keep.search(selector))
            and (package.drop is None or not package.drop.search(selector))
        ]
        if wanted:
            kept.append(f"{','.join(wanted)}{{{body}}}")
    return "".join(kept)


def rewrite(css: str) -> str:
    """Takes out comments, the font's name, the printed link addresses and GOV.UK's literal colours."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    css = css.replace("GDS Transport,arial,sans-serif", "arial,sans-serif")
    css = re.sub(r"@media print\{(?:\[href\^=[^{]*\{[^}]*\})\}", "", css)
    css = re.sub(r"var\((--govuk-[a-z-]+),[^()]*\)", r"var(\1)", css)
    head, root, rest = css.partition(":root{")
    definitions, brace, rest = rest.partition("}") if root else ("", "", css)
    for literal, replacement in LITERALS.items():
        head, rest = head.replace(literal, replacement), rest.replace(literal, replacement)
    return head + root + definitions + brace + rest if root else rest


def main(arguments: list[str] | None = None) -> int:
    """Writes design-systems.css and VENDOR into the static folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, help="folder with the npm archives; default: fetch them")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        where = options.source or Path(scratch)
        sheets: list[str] = []
        lines = [
            "What this folder takes from others. `python scripts/vendor_assets.py` repeats it.",
            "",
            "design-systems.css is made from the minified style sheets below. Taken out: the GDS Transport font,",
            "the crest, crown and logotype, components that carry the GOV.UK identity or need script, and",
            "printed link addresses. GOV.UK's brand colours became properties that kith.css sets. No script",
            "is taken.",
            "",
        ]
        for package in PACKAGES:
            archive = where / archive_name(package) if options.source else fetch(package, where)
            sheets.append(rewrite(trim(re.sub(r"/\*.*?\*/", "", read_member(package, archive), flags=re.S), package)))
            lines += [
                f"{package.name} {package.version}",
                f"  file     {package.member}",
                f"  sha-256  {package.sha256}",
                f"  licence  MIT. {package.holder}",
                "",
            ]
    notice = "/* govuk-frontend 6.3.0 and @ministryofjustice/frontend 11.1.0, MIT, trimmed: see VENDOR */\n"
    sheet = notice + "\n".join(sheets) + "\n"
    forbidden = [word for word in ("GDS Transport", "url(", "crest", "govuk-logo") if word in sheet]
    if forbidden:
        raise VendorError(f"still in the style sheet: {', '.join(forbidden)}")
    data = sheet.encode("utf-8")
    (STATIC / "design-systems.css").write_bytes(data)
    lines += [f"design-systems.css  sha-256  {hashlib.sha256(data).hexdigest()}", "", "The MIT licence", MIT, ""]
    (STATIC / "VENDOR").write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write(f"design-systems.css: {len(data):,} bytes, {len(gzip.compress(data, 9)):,} gzipped\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
