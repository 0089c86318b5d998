"""The outline of a union of boxes, as one closed path with rounded corners.

For: the ring around a household that spans several rows. It must never cover what none of the boxes covers.
"""

from collections import defaultdict


def outlines(boxes: list[tuple[float, float, float, float]]) -> list[list[tuple[float, float]]]:
    """The outer outlines of a union of boxes: walk round the filled squares of the grid that they span."""
    xs = sorted({edge_x for box in boxes for edge_x in (box[0], box[2])})
    ys = sorted({edge_y for box in boxes for edge_y in (box[1], box[3])})
    filled = {
        (i, j)
        for i in range(len(xs) - 1)
        for j in range(len(ys) - 1)
        if any(b[0] <= xs[i] and xs[i + 1] <= b[2] and b[1] <= ys[j] and ys[j + 1] <= b[3] for b in boxes)
    }
    follow: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for i, j in sorted(filled):
        if (i, j - 1) not in filled:
            follow[i, j].append((i + 1, j))
        if (i + 1, j) not in filled:
            follow[i + 1, j].append((i + 1, j + 1))
        if (i, j + 1) not in filled:
            follow[i + 1, j + 1].append((i, j + 1))
        if (i - 1, j) not in filled:
            follow[i, j + 1].append((i, j))
    found = []
    while follow:
        start = here = min(follow)
        walk: list[tuple[int, int]] = []
        while True:
            there = follow[here].pop()
            if not follow[here]:
                del follow[here]
            walk.append(here)
            here = there
            if here == start:
                break
        corners = [
            point
            for before, point, after in zip([walk[-1], *walk], walk, [*walk[1:], walk[0]], strict=False)
            if (before[0] == point[0]) != (point[0] == after[0])
        ]
        found.append([(xs[i], ys[j]) for i, j in corners])
    return found


def rounded(points: list[tuple[float, float]]) -> str:
    """A closed path with rounded corners through the points of a right-angled outline."""
    path = ""
    count = len(points)
    for at, (x, y) in enumerate(points):
        (bx, by), (ax, ay) = points[at - 1], points[(at + 1) % count]
        before, after = abs(bx - x) + abs(by - y), abs(ax - x) + abs(ay - y)
        radius = min(12.0, before / 2, after / 2)
        start = (x + (bx - x) / before * radius, y + (by - y) / before * radius)
        end = (x + (ax - x) / after * radius, y + (ay - y) / after * radius)
        path += f"{'L' if path else 'M'}{start[0]:.1f} {start[1]:.1f}Q{x:.1f} {y:.1f} {end[0]:.1f} {end[1]:.1f}"
    return path + "Z"
