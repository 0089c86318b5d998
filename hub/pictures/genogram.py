"""Draw a family as a genogram: who is whose parent, partner and sibling, and who shares a home.

For: the combined family picture. It must never guess: a sex that is not held is a diamond, a couple that
nobody states is a grey line, a relation that cannot be drawn is counted in the description and stands in
the table beneath. No lines for feelings or conflict. The symbols are those of McGoldrick, Gerson and Petry,
Genograms: Assessment and Treatment (4th edition, 2020), less the emotional ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hub.picture import FamilyPicture
from hub.pictures.genogram_model import (
    GAP,
    LINE,
    MARGIN,
    NAME_SIZE,
    NOTE_SIZE,
    PARENTAL,
    SLOT,
    SYMBOL,
    GenogramLink,
    GenogramPerson,
    Manner,
    Plan,
    homes,
    pair,
)
from hub.pictures.genogram_plan import drop_x, label_lines, lay_out, neighbours
from hub.pictures.kin import Kin, kin_of
from hub.pictures.outline import outlines, rounded
from hub.pictures.text import clean, escape, width

INK, SOFT, BRAND, RING = "#1c2526", "#4a5759", "#1b5e57", "#9a5b00"
FONT = 'font-family="arial, sans-serif"'


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
