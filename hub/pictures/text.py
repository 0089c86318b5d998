"""How wide a text is, how it wraps, and how it is made safe to stand in a drawing.

For: every drawing here. Widths err on the wide side, so that boxes which do not touch on paper do not touch
on any screen that has Arial or Liberation Sans. It must never let markup, control or direction-changing
characters of a partner's text through.
"""

import re
import unicodedata
from functools import lru_cache
from html import escape as html_escape

#: Advance widths in thousandths of the size, Helvetica's metrics (Adobe Core 14 AFM, 1997), which Arial shares.
REGULAR = dict.fromkeys("0123456789abdeghnopqu?_#$LJ", 556) | {
    " ": 278, "!": 278, '"': 355, "%": 889, "&": 722, "'": 238, "(": 333, ")": 333, "*": 389, "+": 584, ",": 278,
    "-": 333, ".": 278, "/": 278, ":": 278, ";": 278, "<": 584, "=": 584, ">": 584, "@": 1015, "A": 667, "B": 667,
    "C": 722, "D": 722, "E": 667, "F": 611, "G": 778, "H": 722, "I": 278, "K": 667, "M": 833, "N": 722, "O": 778,
    "P": 667, "Q": 778, "R": 722, "S": 667, "T": 611, "U": 722, "V": 667, "W": 944, "X": 667, "Y": 667, "Z": 611,
    "[": 278, "\\": 278, "]": 278, "^": 469, "`": 333, "c": 500, "f": 278, "i": 222, "j": 222, "k": 500, "l": 222,
    "m": 833, "r": 333, "s": 500, "t": 278, "v": 500, "w": 722, "x": 500, "y": 500, "z": 500, "{": 334, "|": 260,
    "}": 334, "~": 584, "–": 556, "—": 1000, "’": 222, "‘": 222, "·": 333, "…": 1000, "é": 556, "è": 556,
}  # fmt: skip
#: Bold glyphs are at most this much wider than regular ones.
BOLD_EXTRA = 60
#: Characters that would change the direction of the text around them, or are no text at all.
UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
SPACES = re.compile(r"\s+")
PIECES = re.compile(r"[^ -]*[ -]+|[^ -]+")


def clean(text: str) -> str:
    """Takes out control and direction characters and makes every run of white space one space."""
    return SPACES.sub(" ", UNSAFE.sub("", text)).strip()


@lru_cache(maxsize=4096)
def escape(text: str) -> str:
    """Cleans and escapes a text for element content and attributes alike."""
    return html_escape(clean(text), quote=True)


@lru_cache(maxsize=4096)
def width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in pixels, rather too wide than too narrow."""
    total = 0
    for character in text:
        total += REGULAR.get(character) or character_width(character)
        if bold:
            total += BOLD_EXTRA
    return total * size / 1000


def character_width(character: str) -> int:
    """A safe width for a character outside the table."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1100
    return 800 if ord(character) < 0x250 else 1100


def shorten(text: str, limit: float, size: float, bold: bool = False) -> str:
    """Cuts a text to a width and marks the cut; the whole text stands in the table beneath the drawing."""
    if width(text, size, bold) <= limit:
        return text
    while text and width(text + "…", size, bold) > limit:
        text = text[:-1]
    return text.rstrip() + "…"


@lru_cache(maxsize=4096)
def wrap(text: str, limit: float, size: float, bold: bool = False, lines: int = 2) -> tuple[str, ...]:
    """Breaks a text at spaces into at most `lines` lines that each fit the width."""
    done: list[str] = []
    current = ""
    # Each piece carries the space or hyphen that it ends in, so that a double-barrelled name may break.
    pieces = PIECES.findall(clean(text))
    for at, piece in enumerate(pieces):
        if width((current + piece).rstrip(), size, bold) <= limit:
            current += piece
            continue
        if len(done) == lines - 1 or (not current and not done):
            current += "".join(pieces[at:]) if len(done) == lines - 1 else piece
            if len(done) == lines - 1:
                break
            continue
        done.append(current.rstrip())
        current = piece
    done.append(current.rstrip())
    return tuple(shorten(line, limit, size, bold) for line in done if line)[:lines]
