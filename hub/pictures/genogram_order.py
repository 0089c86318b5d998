"""The order in which people stand in the rows of a genogram.

For: couples side by side, male left; brothers and sisters oldest left; as few crossed lines as a few sweeps
can reach (the barycentre method of Sugiyama, Tagawa and Toda, 1981). It must never move anybody to another row.
"""

from collections import defaultdict
from itertools import pairwise

from hub.pictures.genogram_model import Manner, Plan, by_birth, pair


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
