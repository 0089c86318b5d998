"""Draw a family as a genogram: who is whose parent, partner and sibling, and who shares a home.

For: the combined family picture. It must never guess: a sex that is not held is a diamond, a couple that
nobody states is a grey line, a relation that cannot be drawn is counted in the description and stands in
the table beneath. No lines for feelings or conflict. The symbols are those of McGoldrick, Gerson and Petry,
Genograms: Assessment and Treatment (4th edition, 2020), less the emotional ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from hub.picture import FamilyPicture
from hub.pictures.kin import Kin, kin_of
from hub.pictures.text import clean, escape, width, wrap

SLOT = 136.0
SYMBOL = 21.0
LABEL = SLOT - 22
NAME_SIZE, NOTE_SIZE, LINE = 13.0, 12.0, 15.0
MARGIN = 18.0
GAP = 8.0
INK, SOFT, BRAND, RING = "#1c2526", "#4a5759", "#1b5e57", "#9a5b00"
FONT = 'font-family="arial, sans-serif"'


class Manner(Enum):
    """How a link is drawn."""

    BIRTH = "birth"
    PLACED = "placed"
    STEP = "step"
    COUPLE = "couple"
    COHABITING = "cohabiting"
    SEPARATED = "separated"
    DIVORCED = "divorced"
    CO_PARENTS = "co-parents"
    SIBLING = "sibling"
    KIN = "kin"


@dataclass(frozen=True, slots=True)
class GenogramPerson:
    """One symbol. `born` (ISO 8601) only sorts brothers and sisters; `note` is the relation to the subject."""

    id: str
    label: str
    sex_code: str | None = None
    age: int | None = None
    unborn: bool = False
    deceased: bool = False
    is_subject: bool = False
    note: str = ""
    household: str | None = None
    born: str | None = None


@dataclass(frozen=True, slots=True)
class GenogramLink:
    """`a` and `b` by manner: a is parent of b (birth, placed, step); else between equals.

    `rows` says how many generations `a` stands below `b` (a grandmother: -2), for kin without a line.
    """

    manner: Manner
    a: str
    b: str
    rows: int = 0


PARENTAL = (Manner.BIRTH, Manner.PLACED, Manner.STEP)
COUPLES = (Manner.COUPLE, Manner.COHABITING, Manner.SEPARATED, Manner.DIVORCED, Manner.CO_PARENTS)


@dataclass(frozen=True, slots=True)
class Family:
    """Children that come down from the same parents by the same kind of line; no parents = a known sibship."""

    parents: tuple[str, ...]
    children: tuple[str, ...]
    placed: bool


@dataclass(slots=True)
class Plan:
    """Where everything goes; what the tests measure."""

    people: dict[str, GenogramPerson]
    rows: list[list[list[str]]] = field(default_factory=list)
    row_of: dict[str, int] = field(default_factory=dict)
    x: dict[str, float] = field(default_factory=dict)
    y: list[float] = field(default_factory=list)
    label_bottom: list[float] = field(default_factory=list)
    families: list[Family] = field(default_factory=list)
    couples: dict[tuple[str, str], Manner] = field(default_factory=dict)
    bars: dict[int, float] = field(default_factory=dict)
    undrawn: int = 0
    width: float = 0.0
    height: float = 0.0

    def order(self, row: int) -> list[str]:
        """The people of a row from left to right."""
        return [person for cluster in self.rows[row] for person in cluster]


def draw_genogram(
    people: Sequence[GenogramPerson],
    links: Iterable[GenogramLink],
    *,
    title: str = "Genogram of the family",
    id_prefix: str = "genogram",
) -> str:
    """Returns the SVG of a family; an empty family gives an empty drawing with its title."""
    plan = lay_out(people, links)
    parts: list[str] = []
    parts += rings(plan)
    parts += family_lines(plan)
    parts += couple_lines(plan)
    for person in plan.people.values():
        parts += symbol(person, plan.x[person.id], plan.y[plan.row_of[person.id]])
    legend, height, widest = key(plan)
    total = max(plan.width, widest, 320.0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{id_prefix}-title {id_prefix}-desc" '
        f'width="{total:.0f}" height="{height:.0f}" viewBox="0 0 {total:.0f} {height:.0f}" {FONT}>'
        f'<title id="{id_prefix}-title">{escape(title)}</title>'
        f'<desc id="{id_prefix}-desc">{escape(describe(plan))}</desc>'
        f"{''.join(parts)}{''.join(legend)}</svg>"
    )


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


def pair(a: str, b: str) -> tuple[str, str]:
    """The same key whichever of two people is named first."""
    return (a, b) if a <= b else (b, a)


def by_birth(person: GenogramPerson) -> tuple[bool, str, int, str]:
    """Sorts brothers and sisters oldest first; unknown ages last, an unborn baby last of all."""
    if person.unborn:
        return True, "9999-12-31", 0, person.id
    if person.born:
        return False, person.born, 0, person.id
    # Without a date of birth an age still sorts: an older person has the smaller key.
    year = f"{2100 - person.age:04d}" if person.age is not None else "9998"
    return person.age is None, year, 0, person.id


def order_rows(plan: Plan) -> None:
    """Puts couples side by side, male left, and each row into the order with the fewest crossed lines."""
    for row in range(len(plan.rows)):
        plan.rows[row] = clusters(plan, [person for person in plan.people if plan.row_of[person] == row])
    best, fewest = list(plan.rows), crossings(plan)
    before: list[list[list[str]]] = []
    for sweep in range(8):
        upwards = sweep % 2 == 0
        for row in range(len(plan.rows) - 1, -1, -1) if upwards else range(len(plan.rows)):
            plan.rows[row] = sorted_row(plan, row, upwards)
        if upwards:
            continue
        found = crossings(plan)
        if found < fewest or (found == fewest and sweep > 1):
            best, fewest = list(plan.rows), found
        if plan.rows == before:
            break
        before = list(plan.rows)
    plan.rows = best


def clusters(plan: Plan, members: list[str]) -> list[list[str]]:
    """Joins the partners of one row into runs, the person with most partners in the middle."""
    partners: dict[str, list[str]] = {member: [] for member in members}
    for a, b in plan.couples:
        if a in partners and b in partners:
            partners[a].append(b)
            partners[b].append(a)
    left: set[str] = set(members)
    runs: list[list[str]] = []
    for member in members:
        if member not in left:
            continue
        group, queue = [], [member]
        while queue:
            here = queue.pop(0)
            if here in left:
                left.discard(here)
                group.append(here)
                queue += partners[here]
        if len(group) == 2:
            group = couple_order(plan, *group)
        elif len(group) > 2:
            group = spread(group, partners, plan)
        runs.append(group)
    return runs


def couple_order(plan: Plan, a: str, b: str) -> list[str]:
    """Male left, unless one of the two came with older children: then that one, so that those stand left too."""

    def place_of(person: str) -> tuple[bool, bool, tuple[bool, str, int, str]]:
        view = plan.people[person]
        return not came_with_children(plan, person, {a, b}), view.sex_code != "1", by_birth(view)

    return sorted((a, b), key=place_of)


def came_with_children(plan: Plan, person: str, couple: set[str]) -> bool:
    """Whether somebody has older children without this partner: then they stand left, so that those do too."""
    own = [c for family in plan.families if family.parents == (person,) for c in family.children]
    shared = [c for family in plan.families if set(family.parents) == couple for c in family.children]
    if not own or not shared:
        return False
    return min(by_birth(plan.people[c]) for c in own) < min(by_birth(plan.people[c]) for c in shared)


def spread(group: list[str], partners: dict[str, list[str]], plan: Plan) -> list[str]:
    """Lays out three or more joined people: former partners to the left, present ones to the right."""
    middle = max(group, key=lambda person: (len(partners[person]), -group.index(person)))
    run, waiting = [middle], [middle]
    while waiting:
        here = waiting.pop(0)
        former = [p for p in partners[here] if p not in run and is_former(plan.couples.get(pair(here, p)))]
        present = [p for p in partners[here] if p not in run and p not in former]
        present.sort(key=lambda partner: eldest_child(plan, here, partner))
        if here == middle:
            while (not former and len(present) > 1) or len(former) > len(present) + 1:
                source, target = (present, former) if not former else (former, present)
                target.append(source.pop(0))
            run = former + run + present
        elif run.index(here) < run.index(middle):
            run = former + present + run
        else:
            run = run + present + former
        waiting += former + present
    return run


def eldest_child(plan: Plan, a: str, b: str) -> tuple[bool, str, int, str]:
    """The sort key of the oldest child of two people: an earlier partner stands left of a later one."""
    children = [child for family in plan.families if set(family.parents) == {a, b} for child in family.children]
    return min((by_birth(plan.people[child]) for child in children), default=(True, "9999-12-31", 1, b))


def is_former(manner: Manner | None) -> bool:
    """Whether a couple has parted."""
    return manner in (Manner.SEPARATED, Manner.DIVORCED)


def sorted_row(plan: Plan, row: int, upwards: bool) -> list[list[str]]:
    """Sorts the runs of a row by where their children (upwards) or parents stand, then oldest first."""
    at = positions(plan)
    pull: dict[str, list[float]] = defaultdict(list)
    rank: dict[str, tuple[int, int]] = {}
    for number, family in enumerate(plan.families):
        if upwards and family.parents and plan.row_of[family.parents[0]] == row:
            middle = sum(at[child] for child in family.children) / len(family.children)
            for parent in family.parents:
                pull[parent].append(middle)
        if not upwards and plan.row_of[family.children[0]] == row:
            over = [at[parent] for parent in family.parents]
            for place_in_family, child in enumerate(family.children):
                rank.setdefault(child, (number, place_in_family))
                if over:
                    pull[child].append(sum(over) / len(over))
    homes_at: dict[str, list[float]] = defaultdict(list)
    for run in plan.rows[row]:
        for person in run:
            home = plan.people[person].household
            if home and pull[person]:
                homes_at[home].append(at[person])

    def wanted(run: list[str]) -> tuple[float, tuple[int, int], float]:
        pulls = [value for person in run for value in pull[person]]
        if not pulls:  # Somebody without parents or children here stands by those they live with.
            pulls = [value for person in run for value in homes_at.get(plan.people[person].household or "", ())]
        place_now = at[run[0]]
        ranks = [rank[person] for person in run if person in rank]
        return (sum(pulls) / len(pulls) if pulls else place_now), min(ranks, default=(len(plan.families), 0)), place_now

    runs = sorted(plan.rows[row], key=wanted)
    return runs if upwards else eldest_left(plan, runs)


def eldest_left(plan: Plan, runs: list[list[str]]) -> list[list[str]]:
    """Puts brothers and sisters into order of age within the places that their runs have."""
    home = {person: at for at, run in enumerate(runs) for person in run}
    for family in plan.families:
        places = [home[child] for child in family.children if child in home]
        if len(places) < 2 or len(set(places)) != len(places) or len(places) != len(family.children):
            continue
        if places == sorted(places):
            continue
        moved = {slot: runs[home[child]] for slot, child in zip(sorted(places), family.children, strict=True)}
        for slot, run in moved.items():
            runs[slot] = run
        home = {person: at for at, run in enumerate(runs) for person in run}
    return runs


def positions(plan: Plan) -> dict[str, float]:
    """Each person's place in its row, spread over the same width for every row."""
    at: dict[str, float] = {}
    for row in range(len(plan.rows)):
        order = plan.order(row)
        for index, person in enumerate(order):
            at[person] = (index + 0.5) / len(order)
    return at


def crossings(plan: Plan) -> int:
    """How often lines from parents to children cross, and how often a child stands left of an older one."""
    at = positions(plan)
    lines: dict[int, list[tuple[float, float]]] = defaultdict(list)
    bad = 0
    for family in plan.families:
        order = [at[child] for child in family.children]
        bad += sum(after < before for before, after in pairwise(order))
        if family.parents:
            top = sum(at[parent] for parent in family.parents) / len(family.parents)
            lines[plan.row_of[family.children[0]]] += [(top, bottom) for bottom in order]
    for group in lines.values():
        for index, (top, bottom) in enumerate(group):
            bad += sum((top - t) * (bottom - b) < 0 for t, b in group[index + 1 :])
    return bad


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


def symbol(person: GenogramPerson, x: float, y: float) -> list[str]:
    """One person: shape, age inside, name beside, a cross when deceased, a second outline for the subject."""
    parts = []
    if person.is_subject:
        parts.append(shape(person, x, y, SYMBOL + 5, 'fill="#fff" stroke="#1b5e57" stroke-width="2"'))
    fill = "#e4f0ec" if person.is_subject else "#fff"
    parts.append(shape(person, x, y, SYMBOL, f'fill="{fill}" stroke="{INK}" stroke-width="1.8"'))
    if person.deceased:
        reach = SYMBOL * (0.71 if person.sex_code == "2" else 0.5 if person.sex_code != "1" else 1.0)
        parts.append(
            f'<path d="M{x - reach:.1f} {y - reach:.1f}L{x + reach:.1f} {y + reach:.1f}'
            f'M{x + reach:.1f} {y - reach:.1f}L{x - reach:.1f} {y + reach:.1f}" stroke="{INK}" stroke-width="1.6"/>'
        )
    if person.age is not None and not person.unborn:
        halo = ' stroke="#fff" stroke-width="4" paint-order="stroke"' if person.deceased else ""
        parts.append(
            f'<text x="{x:.1f}" y="{y + 5:.1f}" font-size="14" font-weight="700" text-anchor="middle" '
            f'fill="{INK}"{halo}>{person.age}</text>'
        )
    top = y + SYMBOL + GAP
    for index, (line, bold) in enumerate(label_lines(person)):
        size = NAME_SIZE if bold else NOTE_SIZE
        parts.append(
            f'<text x="{x:.1f}" y="{top + index * LINE + 11.5:.1f}" font-size="{size:g}" text-anchor="middle" '
            f'{"font-weight=" + chr(34) + "700" + chr(34) + " " if bold else ""}fill="{INK if bold else SOFT}" '
            f'stroke="#fff" stroke-width="3" paint-order="stroke">{escape(line)}</text>'
        )
    return parts


def shape(person: GenogramPerson, x: float, y: float, reach: float, paint: str) -> str:
    """Square male, circle female, triangle unborn, diamond whenever the sex is not held."""
    if person.unborn:
        return (
            f'<path d="M{x:.1f} {y - reach:.1f}L{x + reach:.1f} {y + reach:.1f}H{x - reach:.1f}Z" '
            f'stroke-linejoin="round" {paint}/>'
        )
    if person.sex_code == "1":
        return (
            f'<rect x="{x - reach:.1f}" y="{y - reach:.1f}" width="{2 * reach:.0f}" height="{2 * reach:.0f}" {paint}/>'
        )
    if person.sex_code == "2":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{reach:.0f}" {paint}/>'
    wide = reach + 2
    return (
        f'<path d="M{x:.1f} {y - wide:.1f}L{x + wide:.1f} {y:.1f}L{x:.1f} {y + wide:.1f}L{x - wide:.1f} {y:.1f}Z" '
        f'stroke-linejoin="round" {paint}/>'
    )


def couple_lines(plan: Plan) -> list[str]:
    """Solid for a couple, dashed for living together, slashes for parted; grey when only a child joins them."""
    parts = []
    arcs: dict[int, int] = defaultdict(int)
    for (a, b), manner in plan.couples.items():
        left, right = sorted((a, b), key=lambda person: plan.x[person])
        row = plan.row_of[left]
        y = plan.y[row]
        paint = f'fill="none" stroke="{INK}" stroke-width="1.8"'
        if manner is Manner.COHABITING:
            paint += ' stroke-dasharray="6 4"'
        if manner is Manner.CO_PARENTS:
            paint = 'fill="none" stroke="#8b9a99" stroke-width="1.8"'
        if neighbours(plan, left, right):
            start, end = plan.x[left] + edge(plan.people[left]), plan.x[right] - edge(plan.people[right])
            parts.append(f'<path d="M{start:.1f} {y:.1f}H{end:.1f}" {paint}/>')
            middle = (plan.x[left] + plan.x[right]) / 2 + 12
        else:
            arcs[row] += 1
            above = y - SYMBOL - 3 - 7 * arcs[row]
            start, end = plan.x[left] + 9, plan.x[right] - 9
            parts.append(f'<path d="M{start:.1f} {y - SYMBOL:.1f}V{above:.1f}H{end:.1f}V{y - SYMBOL:.1f}" {paint}/>')
            middle, y = (start + end) / 2, above
        slashes = {Manner.SEPARATED: 1, Manner.DIVORCED: 2}.get(manner, 0)
        for number in range(slashes):
            x = middle + number * 6
            parts.append(
                f'<path d="M{x - 4:.1f} {y + 8:.1f}L{x + 4:.1f} {y - 8:.1f}" stroke="{INK}" stroke-width="1.8"/>'
            )
    return parts


def edge(person: GenogramPerson) -> float:
    """How far a line stays from the middle of a symbol."""
    reach = SYMBOL + (5 if person.is_subject else 0)
    if person.unborn:
        return reach / 2
    return reach + (0 if person.sex_code in ("1", "2") else 2)


def family_lines(plan: Plan) -> list[str]:
    """From the parents down to a bar, and from the bar to each child; dashed for adopted and foster children."""
    parts = []
    for number, family in enumerate(plan.families):
        bar = plan.bars[number]
        paint = f'fill="none" stroke="{INK}" stroke-width="1.6"'
        if family.placed:
            paint += ' stroke-dasharray="5 4"'
        ends = [plan.x[child] for child in family.children]
        path = ""
        if family.parents:
            drop = drop_x(plan, family)
            row = plan.row_of[family.parents[0]]
            y = plan.y[row]
            ends.append(drop)
            if len(family.parents) == 1:
                parent = family.parents[0]
                side = 1 if drop > plan.x[parent] else -1
                path += f"M{plan.x[parent] + side * edge(plan.people[parent]):.1f} {y:.1f}H{drop:.1f}V{bar:.1f}"
            elif neighbours(plan, *family.parents):
                path += f"M{drop:.1f} {y:.1f}V{bar:.1f}"
            else:
                path += f"M{drop:.1f} {y - SYMBOL - 10:.1f}V{bar:.1f}"
        if max(ends) > min(ends):
            path += f"M{min(ends):.1f} {bar:.1f}H{max(ends):.1f}"
        for child in family.children:
            person = plan.people[child]
            reach = (
                SYMBOL + (5 if person.is_subject else 0) + (0 if person.sex_code in ("1", "2") or person.unborn else 2)
            )
            path += f"M{plan.x[child]:.1f} {bar:.1f}V{plan.y[plan.row_of[child]] - reach:.1f}"
        parts.append(f'<path d="{path}" {paint}/>')
    return parts


def rings(plan: Plan) -> list[str]:
    """A dashed ring around everybody who shares a home, in as many pieces as the rows make necessary."""
    parts = []
    for number, (_, members) in enumerate(homes(plan).items(), 1):
        boxes: list[tuple[float, float, float, float]] = []
        runs: dict[int, list[tuple[float, float]]] = {}
        inset = 3 + 3 * (number % 2)
        for row in range(len(plan.rows)):
            spans: list[tuple[float, float]] = []
            last = None
            for index, person in enumerate(plan.order(row)):
                if person not in members:
                    continue
                left, right = plan.x[person] - SLOT / 2 + inset, plan.x[person] + SLOT / 2 - inset
                if spans and last == index - 1:
                    spans[-1] = (spans[-1][0], right)
                else:
                    spans.append((left, right))
                last = index
            runs[row] = spans
            top, bottom = plan.y[row] - SYMBOL - 11 + inset, plan.label_bottom[row] + 12 - inset
            boxes += [(left, top, right, bottom) for left, right in spans]
            if row and spans:
                above = plan.label_bottom[row - 1] + 12 - inset
                for left, right in spans:
                    for other_left, other_right in runs[row - 1]:
                        if min(right, other_right) - max(left, other_left) > 8:
                            boxes.append((max(left, other_left), above, min(right, other_right), top))
        for outline in outlines(boxes):
            parts.append(
                f'<path d="{rounded(outline)}" fill="#fdf6e6" fill-opacity="0.55" stroke="{RING}" stroke-width="1.6" '
                'stroke-dasharray="7 5"/>'
            )
    return parts


def homes(plan: Plan) -> dict[str, set[str]]:
    """Households with at least two people in the drawing."""
    found: dict[str, set[str]] = defaultdict(set)
    for person in plan.people.values():
        if person.household:
            found[person.household].add(person.id)
    return {home: members for home, members in found.items() if len(members) > 1}


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


def key(plan: Plan) -> tuple[list[str], float, float]:
    """The meaning of every sign that this drawing uses; returns its parts, the drawing's height and least width."""
    entries: list[tuple[str, str]] = []
    sign = GenogramPerson
    people = plan.people.values()
    ordinary = [person for person in people if not person.unborn]
    small = 'fill="#fff" stroke="#1c2526" stroke-width="1.6"'
    if any(person.sex_code == "1" for person in ordinary):
        entries.append((shape(sign("", "", "1"), 9, 0, 8, small), "male"))
    if any(person.sex_code == "2" for person in ordinary):
        entries.append((shape(sign("", "", "2"), 9, 0, 8, small), "female"))
    if any(person.sex_code not in ("1", "2") for person in ordinary):
        entries.append((shape(sign("", ""), 9, 0, 8, small), "sex not held"))
    if any(person.unborn for person in people):
        entries.append((shape(sign("", "", unborn=True), 9, 0, 8, small), "unborn baby"))
    if any(person.deceased for person in people):
        entries.append(('<path d="M2 -7L16 7M16 -7L2 7" stroke="#1c2526" stroke-width="1.6"/>', "has died"))
    subject = next((person for person in people if person.is_subject), None)
    if subject:
        double = shape(subject, 9, 0, 9, 'fill="#fff" stroke="#1b5e57" stroke-width="1.6"')
        entries.append((double + shape(subject, 9, 0, 5, 'fill="#e4f0ec" stroke="#1c2526"'), "asked about"))
    manners = set(plan.couples.values())
    for manner, words, extra in (
        (Manner.COUPLE, "couple", ""),
        (Manner.COHABITING, "living together", ' stroke-dasharray="6 4"'),
        (Manner.SEPARATED, "separated", ""),
        (Manner.DIVORCED, "divorced", ""),
        (Manner.CO_PARENTS, "parents of a child, nothing more held", ""),
    ):
        if manner in manners:
            ink = "#8b9a99" if manner is Manner.CO_PARENTS else INK
            line = f'<path d="M0 0H26" stroke="{ink}" stroke-width="1.8"{extra}/>'
            for number in range({Manner.SEPARATED: 1, Manner.DIVORCED: 2}.get(manner, 0)):
                line += f'<path d="M{9 + number * 6} 7L{15 + number * 6} -7" stroke="{INK}" stroke-width="1.6"/>'
            entries.append((line, words))
    if any(family.placed for family in plan.families):
        entries.append(
            (f'<path d="M9 -8V8" stroke="{INK}" stroke-width="1.6" stroke-dasharray="5 3"/>', "adopted or fostered")
        )
    if homes(plan):
        entries.append(
            (f'<path d="M0 0H26" stroke="{RING}" stroke-width="1.6" stroke-dasharray="7 5"/>', "ring: same household")
        )
    limit = max(plan.width, 640.0)
    x, y, widest, parts = MARGIN, plan.height + 18, 0.0, []
    for drawing, words in entries:
        step = 34 + width(words, 12) + 20
        if x + step > limit and x > MARGIN:
            x, y = MARGIN, y + 24
        parts.append(
            f'<g transform="translate({x:.1f} {y:.1f})">{drawing}'
            f'<text x="33" y="4" font-size="12" fill="{SOFT}">{escape(words)}</text></g>'
        )
        x += step
        widest = max(widest, x)
    return parts, y + 18, widest


def describe(plan: Plan) -> str:
    """The drawing in one sentence; the list beneath it holds the same facts one by one."""
    rows = len(plan.rows)
    text = f"{len(plan.people)} people in {rows} generation{'' if rows == 1 else 's'}, oldest at the top."
    subject = next((person for person in plan.people.values() if person.is_subject), None)
    if subject:
        text += f" {clean(subject.label)} is the person asked about."
    count = len(homes(plan))
    if count:
        text += f" Dashed rings show {count} household{'' if count == 1 else 's'}."
    if plan.undrawn:
        text += f" {plan.undrawn} relation{' is' if plan.undrawn == 1 else 's are'} not drawn; the table lists all."
    return text + " The table of relations holds the same facts."


def genogram_of(picture: FamilyPicture) -> str:
    """Draws the people and relations of a picture."""
    people = [
        GenogramPerson(
            id=person.id,
            label=person.label,
            sex_code=person.sex_code,
            age=person.age,
            unborn=person.unborn,
            deceased=person.deceased,
            is_subject=person.is_subject,
            note="" if person.is_subject else person.relation_to_subject,
            household=person.household,
            born=next((fact.value for fact in person.facts if fact.name == "date_of_birth"), None),
        )
        for person in sorted(picture.people, key=lambda person: not person.is_subject)
    ]
    links = []
    for relation in picture.relations:
        kin = kin_of(relation.code)
        if kin is not None:
            links.append(link_of(relation.person, relation.of, kin))
    return draw_genogram(people, links)


def link_of(person: str, of: str, kin: Kin) -> GenogramLink:
    """A relation as a link: parents always come first."""
    manner = Manner(kin.manner)
    if manner in PARENTAL and kin.rows > 0:
        return GenogramLink(manner, of, person)
    if manner in PARENTAL:
        return GenogramLink(manner, person, of)
    if manner is Manner.KIN:
        return GenogramLink(manner, person, of, kin.rows)
    return GenogramLink(manner, *pair(person, of))
