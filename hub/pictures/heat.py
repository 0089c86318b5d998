"""Draw when agencies look: a row for each agency, a column for each hour, the number in each cell, one hue.

For: information governance; the table beneath says the same and leads to the rows. Must never say more than counts.
"""

from collections.abc import Mapping, Sequence

from hub.pictures.text import escape, shorten

LABEL_W, CELL, ROW, TOP, MARGIN = 240.0, 32.0, 30.0, 26.0, 8.0
INK, SOFT, HUE, LINE = "#1c2526", "#4a5759", "#1b5e57", "#cdd3d1"
#: How strong the hue is, from a share of the greatest count on; and the colour of the number upon it.
STEPS = ((0.75, "1", "#ffffff"), (0.5, "0.85", "#ffffff"), (0.25, "0.4", INK), (0.1, "0.24", INK), (0.0, "0.1", INK))


def draw_heat(rows: Sequence[tuple[str, Mapping[int, int]]], *, id_prefix: str = "heat") -> str:
    """Returns the SVG of agencies by hour of the day (0 to 23); an empty text when there is no row."""
    if not rows:
        return ""
    most = max((count for _, hours in rows for count in hours.values()), default=0)
    width, height = LABEL_W + 24 * CELL + 2 * MARGIN, TOP + len(rows) * ROW + 2 * MARGIN
    drawn = [_text(_x(hour) + CELL / 2, MARGIN + 14, f"{hour:02}", SOFT, middle=True) for hour in range(24)]
    for at, (name, hours) in enumerate(rows):
        y = MARGIN + TOP + at * ROW
        drawn.append(_text(MARGIN, y + ROW / 2 + 5, shorten(name, LABEL_W - 12, 14), INK, size=14))
        drawn += [_cell(_x(hour), y, hours.get(hour, 0), most) for hour in range(24)]
    total = sum(count for _, hours in rows for count in hours.values())
    words = f"{len(rows)} agencies by hour of the day, {total:,} looks in all, at most {most:,} in a cell."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-title {id_prefix}-desc" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="arial, sans-serif">'
        f'<title id="{id_prefix}-title">When agencies look</title>'
        f'<desc id="{id_prefix}-desc">{escape(words)} The table beneath says the same.</desc>{"".join(drawn)}</svg>'
    )


def _x(hour: int) -> float:
    return MARGIN + LABEL_W + hour * CELL


def _cell(x: float, y: float, count: int, most: int) -> str:
    box = f'x="{x + 1:.0f}" y="{y + 1:.0f}" width="{CELL - 2:.0f}" height="{ROW - 2:.0f}"'
    if not count:
        return f'<rect {box} fill="none" stroke="{LINE}"/>'
    _, opacity, ink = next(step for step in STEPS if count >= step[0] * most)
    number = f"{count}" if count < 1000 else f"{count / 1000:.0f}k"
    return f'<rect {box} fill="{HUE}" fill-opacity="{opacity}"/>' + _text(
        x + CELL / 2, y + ROW / 2 + 4, number, ink, middle=True
    )


def _text(x: float, y: float, words: str, fill: str, *, size: int = 12, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{fill}"{anchor}>{escape(words)}</text>'
