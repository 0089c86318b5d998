"""Draw how the weight of two records adds up: one bar for each thing that was compared, from nothing to the sum.

For: whoever must judge whether two records are one person, and the table beneath says the same. Must never draw what
the reader may not see: the caller leaves it out. The weights are those of Fellegi and Sunter (JASA 64, 1969) in bits:
one more bit makes one person twice as likely.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.pictures.text import escape

LABEL_W, BAR_AREA, ROW, MARGIN, BAR_H = 190.0, 380.0, 34.0, 14.0, 20.0
INK, SOFT, FOR, AGAINST, SUM = "#1c2526", "#4a5759", "#1b5e57", "#b5482f", "#3c4a68"


@dataclass(frozen=True, slots=True)
class Weighed:
    """One thing that was compared: its name, how it compares in words, and its weight in bits, below 0 against."""

    label: str
    words: str
    bits: float


def running(parts: Sequence[Weighed]) -> list[float]:
    """The sum after each part, for the table and for the drawing."""
    sums, total = [], 0.0
    for part in parts:
        total += part.bits
        sums.append(total)
    return sums


def draw_waterfall(parts: Sequence[Weighed], *, id_prefix: str = "weights") -> str:
    """Returns the SVG of the parts in the order given, and of their sum; an empty text when there is none."""
    if not parts:
        return ""
    sums = running(parts)
    low, high = min(0.0, *sums), max(0.0, *sums)
    scale = BAR_AREA / max(high - low, 0.1)
    width, height = LABEL_W + BAR_AREA + 76 + 2 * MARGIN, ROW * (len(parts) + 1) + 2 * MARGIN

    def x(bits: float) -> float:
        return MARGIN + LABEL_W + (bits - low) * scale

    drawn = [
        f'<path d="M{x(0):.1f} {MARGIN:.0f}V{height - MARGIN:.0f}" fill="none" stroke="#8b9a99" stroke-width="1.5"/>'
    ]
    before = 0.0
    for at, (part, after) in enumerate(zip(parts, sums, strict=True)):
        drawn.append(_row(at, part.label, x(before), x(after), _signed(part.bits), FOR if part.bits >= 0 else AGAINST))
        before = after
    drawn.append(_row(len(parts), "Together", x(0), x(before), _signed(before), SUM))
    words = (
        f"{len(parts)} comparisons together weigh {_signed(before)} bits. Bars to the right speak for one person, "
        "bars to the left for two. The table beneath says the same."
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-title {id_prefix}-desc" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="arial, sans-serif">'
        f'<title id="{id_prefix}-title">How the comparison adds up</title>'
        f'<desc id="{id_prefix}-desc">{escape(words)}</desc>{"".join(drawn)}</svg>'
    )


def _row(at: int, label: str, start: float, end: float, words: str, fill: str) -> str:
    y = MARGIN + at * ROW + ROW / 2
    left, length = min(start, end), max(abs(end - start), 1.5)
    return (
        f'<text x="{MARGIN:.0f}" y="{y + 5:.1f}" font-size="15" fill="{INK}">{escape(label)}</text>'
        f'<rect x="{left:.1f}" y="{y - BAR_H / 2:.1f}" width="{length:.1f}" height="{BAR_H:.0f}" fill="{fill}"/>'
        f'<text x="{left + length + 6:.1f}" y="{y + 5:.1f}" font-size="14" fill="{SOFT}">{escape(words)}</text>'
    )


def _signed(bits: float) -> str:
    return f"{'+' if bits >= 0 else '−'}{abs(bits):.1f}"
