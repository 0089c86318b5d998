"""Rows, families and positions of a genogram, from people and links alone.

For: the drawing, and the tests that measure it. It must never drop anybody, and never place two people in
one slot, however tangled the links are; a link that cannot be drawn is counted in `Plan.undrawn`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hub.pictures.genogram_model import (
    COUPLES,
    GAP,
    LABEL,
    LINE,
    MARGIN,
    NAME_SIZE,
    NOTE_SIZE,
    PARENTAL,
    SLOT,
    SYMBOL,
    Family,
    GenogramLink,
    GenogramPerson,
    Manner,
    Plan,
    by_birth,
    pair,
)
from hub.pictures.genogram_order import order_rows
from hub.pictures.text import width, wrap


def lay_out(people: Sequence[GenogramPerson], links: Iterable[GenogramLink]) -> Plan:
    """Works out rows, order and positions. The same family always gives the same drawing."""
    plan = Plan({person.id: person for person in people})
    known = [link for link in links if link.a in plan.people and link.b in plan.people and link.a != link.b]
    known = list(dict.fromkeys(known))
    assign_rows(plan, known)
    find_families(plan, known)
    order_rows(plan)
    place(plan)
    stack(plan)
    return plan


def assign_rows(plan: Plan, links: list[GenogramLink]) -> None:
    """Gives everybody a generation, walking out from the subject over the surest links first."""
    steps: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for link in links:
        down = -1 if link.manner in PARENTAL else link.rows if link.manner is Manner.KIN else 0
        weight = 0 if link.manner in (Manner.BIRTH, Manner.PLACED) else 1 if link.manner is not Manner.KIN else 2
        steps[link.b].append((weight, link.a, down))
        steps[link.a].append((weight, link.b, -down))
    row: dict[str, int] = {}
    starts = sorted(plan.people.values(), key=lambda person: not person.is_subject)
    for start in starts:
        if start.id in row:
            continue
        row[start.id] = row_by_age(start, row, plan.people)
        for surest in (0, 1, 2):
            queue = [person for person in row if steps[person]]
            while queue:
                here = queue.pop(0)
                for weight, there, down in steps[here]:
                    if there not in row and weight <= surest:
                        row[there] = row[here] + down
                        queue.append(there)
    if row:
        top = min(row.values())
        used = sorted({value - top for value in row.values()})
        rank = {value: at for at, value in enumerate(used)}
        plan.row_of = {person: rank[row[person] - top] for person in plan.people}
        plan.rows = [[] for _ in used]


def row_by_age(person: GenogramPerson, row: dict[str, int], people: dict[str, GenogramPerson]) -> int:
    """Somebody without any link stands in the row whose ages are nearest, or in the subject's row."""
    age = person.age
    aged = [(people[other].age, at) for other, at in row.items()]
    near = [(abs(years - age), at) for years, at in aged if years is not None and age is not None]
    return min(near)[1] if near else 0


def find_families(plan: Plan, links: list[GenogramLink]) -> None:
    """Groups children by parents, and finds the couples that are stated or follow from a child."""
    birth: dict[str, list[str]] = defaultdict(list)
    placed: dict[str, list[str]] = defaultdict(list)
    siblings: dict[str, set[str]] = defaultdict(set)
    for link in links:
        same = plan.row_of[link.a] == plan.row_of[link.b]
        if link.manner in (Manner.BIRTH, Manner.PLACED):
            if plan.row_of[link.b] - plan.row_of[link.a] == 1:
                into = birth if link.manner is Manner.BIRTH else placed
                if link.a not in into[link.b] and len(into[link.b]) < 2:
                    into[link.b].append(link.a)
                    continue
            plan.undrawn += 1
        elif link.manner in COUPLES:
            if same:
                plan.couples.setdefault(pair(link.a, link.b), link.manner)
            else:
                plan.undrawn += 1
        elif link.manner is Manner.SIBLING and same:
            siblings[link.a].add(link.b)
            siblings[link.b].add(link.a)
    groups: dict[tuple[tuple[str, ...], bool], list[str]] = defaultdict(list)
    for parents_of, is_placed in ((birth, False), (placed, True)):
        for child in plan.people:
            parents = tuple(sorted(parents_of.get(child, ())))
            if parents:
                groups[parents, is_placed].append(child)
                if len(parents) == 2 and plan.row_of[parents[0]] == plan.row_of[parents[1]]:
                    plan.couples.setdefault(pair(*parents), Manner.CO_PARENTS)
    for (parents, is_placed), children in groups.items():
        plan.families.append(
            Family(parents, tuple(sorted(children, key=lambda c: by_birth(plan.people[c]))), is_placed)
        )
    seen: set[str] = set()
    for person in plan.people:
        if person in seen or not siblings[person] or birth.get(person):
            continue
        group, queue = [], [person]
        while queue:
            here = queue.pop(0)
            if here not in seen and not birth.get(here):
                seen.add(here)
                group.append(here)
                queue += sorted(siblings[here])
        if len(group) > 1:
            plan.families.append(Family((), tuple(sorted(group, key=lambda c: by_birth(plan.people[c]))), False))


def place(plan: Plan) -> None:
    """Gives everybody an x: parents over their children where there is room, never two in one slot."""
    for row in range(len(plan.rows)):
        for index, person in enumerate(plan.order(row)):
            plan.x[person] = index * SLOT
    # Partners keep their distance, so the place of a family's line follows from one parent's.
    joined = [family for family in plan.families if family.parents]
    offset = [drop_x(plan, family) - plan.x[family.parents[0]] for family in joined]
    above = [plan.row_of[family.parents[0]] for family in joined]
    for turn in range(8):
        down = turn % 2
        for row in range(len(plan.rows)) if down else range(len(plan.rows) - 1, -1, -1):
            pull: dict[str, list[float]] = defaultdict(list)
            for number, family in enumerate(joined):
                if above[number] + down != row:
                    continue
                middle = sum([plan.x[child] for child in family.children]) / len(family.children)
                gap = middle - plan.x[family.parents[0]] - offset[number]
                for person in family.children if down else family.parents:
                    pull[person].append(-gap if down else gap)
            if pull:
                settle(plan, plan.rows[row], pull)
    if plan.x:
        shift = MARGIN + SLOT / 2 - min(plan.x.values())
        plan.x = {person: x + shift for person, x in plan.x.items()}
        plan.width = max(plan.x.values()) + SLOT / 2 + MARGIN


def settle(plan: Plan, runs: list[list[str]], pull: dict[str, list[float]]) -> None:
    """Moves the runs of a row as near to where they are pulled as the others allow (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    offset = 0.0
    offsets = []
    for run in runs:
        pulls = [value for person in run for value in pull[person]]
        wanted = plan.x[run[0]] + (sum(pulls) / len(pulls) if pulls else 0.0) - offset
        weight = 1.0 if pulls else 0.2
        offsets.append(offset)
        offset += len(run) * SLOT
        blocks.append((wanted, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (x2, w2, n2), (x1, w1, n1) = blocks.pop(), blocks.pop()
            blocks.append(((x1 * w1 + x2 * w2) / (w1 + w2), w1 + w2, n1 + n2))
    settled = [value for value, _, count in blocks for _ in range(count)]
    for run, start, base in zip(runs, settled, offsets, strict=True):
        for index, person in enumerate(run):
            plan.x[person] = start + base + index * SLOT


def neighbours(plan: Plan, a: str, b: str) -> bool:
    """Whether two people stand side by side."""
    return plan.row_of[a] == plan.row_of[b] and abs(abs(plan.x[a] - plan.x[b]) - SLOT) < 1


def drop_x(plan: Plan, family: Family) -> float:
    """Where the line to the children leaves the parents: always between two labels."""
    if len(family.parents) == 2:
        a, b = sorted(family.parents, key=lambda parent: plan.x[parent])
        if neighbours(plan, a, b):
            return (plan.x[a] + plan.x[b]) / 2
        return plan.x[b] - SLOT / 2 + 3
    parent = family.parents[0]
    order = plan.order(plan.row_of[parent])
    index = order.index(parent)
    partner_right = index + 1 < len(order) and pair(parent, order[index + 1]) in plan.couples
    return plan.x[parent] + (-1 if partner_right else 1) * (SLOT / 2 - 1)


def stack(plan: Plan) -> None:
    """Gives rows their heights: labels above, then as many levels of bars as the families need."""
    top = MARGIN
    for row in range(len(plan.rows)):
        order = plan.order(row)
        arcs = sum(
            not neighbours(plan, a, b) for a, b in plan.couples if plan.row_of[a] == row and plan.row_of[b] == row
        )
        middle = top + 20 + arcs * 7 + SYMBOL
        lines = max(len(label_lines(plan.people[person])) for person in order)
        plan.y.append(middle)
        plan.label_bottom.append(middle + SYMBOL + GAP + lines * LINE)
        levels: list[list[tuple[float, float]]] = []
        for number, family in enumerate(plan.families):
            if plan.row_of[family.children[0]] != row + 1:
                continue
            ends = [plan.x[child] for child in family.children]
            if family.parents:
                ends.append(drop_x(plan, family))
            low, high = min(ends) - 7, max(ends) + 7
            free = [all(high < start or low > end for start, end in taken) for taken in levels]
            level = free.index(True) if True in free else len(levels)
            if level == len(levels):
                levels.append([])
            levels[level].append((low, high))
            plan.bars[number] = plan.label_bottom[row] + 20 + level * 11
        top = plan.label_bottom[row] + 28 + max(len(levels) - 1, 0) * 11
    plan.height = top
    for number, family in enumerate(plan.families):
        if number not in plan.bars:
            plan.bars[number] = plan.y[plan.row_of[family.children[0]]] - SYMBOL - 14


def label_lines(person: GenogramPerson) -> list[tuple[str, bool]]:
    """The lines beneath a symbol: the name in bold, then what the person is to the subject."""
    name = wrap(person.label or "Name not held", LABEL, NAME_SIZE, True)
    note = wrap(person.note, LABEL, NOTE_SIZE) if person.note else ()
    return [(line, True) for line in name] + [(line, False) for line in note]


def label_boxes(plan: Plan) -> list[tuple[str, float, float, float, float]]:
    """Every line of text beneath a symbol as (text, left, top, right, bottom), for the tests."""
    boxes = []
    for person in plan.people.values():
        x, y = plan.x[person.id], plan.y[plan.row_of[person.id]] + SYMBOL + GAP
        for index, (line, bold) in enumerate(label_lines(person)):
            half = width(line, NAME_SIZE if bold else NOTE_SIZE, bold) / 2
            boxes.append((line, x - half, y + index * LINE, x + half, y + (index + 1) * LINE))
    return boxes
