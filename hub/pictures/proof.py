"""Draw the path from one entry of the trail to the root that was signed, and from an earlier root to a later one.

For: an information governance officer who proves that an entry stands in the trail, and that the trail only grew. It
shows the steps of RFC 6962 sections 2.1.1 and 2.1.2 and never decides whether they hold: the verifier does that, and
the page says so in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.pictures.text import escape

STEP, BOX_W, BOX_H, MARGIN = 62.0, 196.0, 32.0, 16.0
INK, SOFT, BRAND = "#1c2526", "#4a5759", "#1b5e57"


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One joining of two hashes on the way up; `sibling_left` says on which side the given hash stands."""

    sibling: str
    sibling_left: bool


def proof_steps(index: int, size: int, siblings: Sequence[str]) -> list[ProofStep]:
    """Says for each sibling on which side it stands (RFC 9162 section 2.1.3.2, the same tree as RFC 6962)."""
    at, last = index, size - 1
    steps = []
    for sibling in siblings:
        if at % 2 == 1 or at == last:
            steps.append(ProofStep(sibling, True))
            while at % 2 == 0 and at != 0:
                at, last = at >> 1, last >> 1
        else:
            steps.append(ProofStep(sibling, False))
        at, last = at >> 1, last >> 1
    return steps


def draw_proof(
    *, index: int, size: int, leaf: str, siblings: Sequence[str], root: str, id_prefix: str = "proof"
) -> str:
    """Returns the SVG of an audit path: the entry at the foot, the signed root at the top.

    Takes: `index` from 0, as the trail counts; the drawing counts from 1, as people do. Hashes are hex.
    """
    steps = proof_steps(index, size, siblings)
    rows = len(steps) + 1
    width = 3 * BOX_W + 72 + 2 * MARGIN
    height = rows * STEP + 2 * MARGIN
    middle = width / 2
    parts = []
    for number, step in enumerate(steps):
        y, above = height - MARGIN - STEP / 2 - number * STEP, height - MARGIN - STEP / 2 - (number + 1) * STEP
        side = middle - BOX_W - 36 if step.sibling_left else middle + BOX_W + 36
        parts.append(
            f'<path d="M{middle:.0f} {y - BOX_H / 2:.0f}V{above + BOX_H / 2:.0f}" fill="none" '
            f'stroke="{BRAND}" stroke-width="2.5"/>'
            f'<path d="M{side:.0f} {y - BOX_H / 2:.0f}V{y - STEP / 2:.0f}H{middle:.0f}" fill="none" '
            'stroke="#8b9a99" stroke-width="1.5"/>'
        )
        parts.append(box(side, y, step.sibling, "given", "#fff", "#8b9a99"))
    for number in range(rows):
        y = height - MARGIN - STEP / 2 - number * STEP
        if rows == 1:
            parts.append(box(middle, y, root, "entry and root", "#e4f0ec", BRAND))
        elif number == 0:
            parts.append(box(middle, y, leaf, f"entry {index + 1:,}", "#e4f0ec", BRAND))
        elif number == rows - 1:
            parts.append(box(middle, y, root, "signed root", "#e4f0ec", BRAND))
        else:
            parts.append(box(middle, y, "", f"joined, step {number}", "#fff", BRAND))
    words = (
        f"Entry {index + 1} of a trail of {size} entries, joined with {len(steps)} given hashes on the way up to the "
        "signed root. The list beneath holds the same hashes."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-title {id_prefix}-desc" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="arial, sans-serif">'
        f'<title id="{id_prefix}-title">Path from the entry to the signed root</title>'
        f'<desc id="{id_prefix}-desc">{escape(words)}</desc>{"".join(parts)}</svg>'
    )


@dataclass(frozen=True, slots=True)
class Joined:
    """One hash of a consistency proof: `in_both` when it stands in the earlier tree too, else it was added since."""

    digest: str
    in_both: bool


def consistency_steps(first: int, second: int, path: Sequence[str]) -> list[Joined]:
    """What each hash of the proof is, after the one that both trees begin with (RFC 9162 section 2.1.4.2).

    Takes: `path` without the hash that both begin with: the first of the proof, or the earlier root itself when the
    earlier tree is complete.
    """
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    steps = []
    for digest in path:
        if at & 1 or at == last:
            steps.append(Joined(digest, True))
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            steps.append(Joined(digest, False))
        at, last = at >> 1, last >> 1
    return steps


def draw_consistency(
    *, first: int, second: int, path: Sequence[str], root1: str, root2: str, id_prefix: str = "grown"
) -> str:
    """Returns the SVG of a consistency proof: what both trees share at the foot, the two signed roots at the top.

    Takes: the sizes, and hashes in hex; `path` as the proof has it.
    """
    complete = first & (first - 1) == 0
    shared, rest = (root1, path) if complete or not path else (path[0], path[1:])
    steps = consistency_steps(first, second, rest)
    width = 3 * BOX_W + 72 + 2 * MARGIN
    height = (len(steps) + 2) * STEP + 2 * MARGIN
    middle, left, right = width / 2, MARGIN + BOX_W / 2, width - MARGIN - BOX_W / 2
    foot, top = height - MARGIN - STEP / 2, MARGIN + STEP / 2
    parts = [
        f'<path d="M{middle:.0f} {foot:.0f}H{x:.0f}V{top + BOX_H / 2:.0f}" fill="none" stroke="{BRAND}" '
        'stroke-width="2.5"/>'
        for x in (left, right)
    ]
    for number, step in enumerate(steps, 1):
        y = foot - number * STEP
        sides = (left, right) if step.in_both else (right,)
        parts += [
            f'<path d="M{middle:.0f} {y:.0f}H{x:.0f}" fill="none" stroke="#8b9a99" stroke-width="1.5"/>'
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="{BRAND}"/>'
            for x in sides
        ]
        parts.append(box(middle, y, step.digest, "in both" if step.in_both else "added", "#fff", "#8b9a99"))
    parts.append(box(middle, foot, shared, "in both", "#e4f0ec", BRAND))
    parts.append(box(left, top, root1, "root then", "#e4f0ec", BRAND))
    parts.append(box(right, top, root2, "root now", "#e4f0ec", BRAND))
    words = (
        f"The trail of {first} entries, then, and the trail of {second} entries, now. What both share at the foot "
        f"leads, with {len(steps)} given hashes, to both signed roots. The list beneath holds the same hashes."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-title {id_prefix}-desc" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="arial, sans-serif">'
        f'<title id="{id_prefix}-title">From what both trails share to the two signed roots</title>'
        f'<desc id="{id_prefix}-desc">{escape(words)}</desc>{"".join(parts)}</svg>'
    )


def box(x: float, y: float, digest: str, words: str, fill: str, stroke: str) -> str:
    """A hash, cut to its first twelve digits, with what it is."""
    text = f"{words}: " if digest else words
    code = f'<tspan font-family="Liberation Mono, monospace">{escape(digest[:12])}</tspan>' if digest else ""
    return (
        f'<rect x="{x - BOX_W / 2:.0f}" y="{y - BOX_H / 2:.0f}" width="{BOX_W:.0f}" height="{BOX_H:.0f}" rx="5" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>'
        f'<text x="{x:.0f}" y="{y + 4.5:.1f}" font-size="12.5" text-anchor="middle" fill="{INK}">{escape(text)}'
        f"{' ' if digest else ''}{code}</text>"
    )
