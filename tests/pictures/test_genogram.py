"""The genogram: rows, order, symbols, lines and rings; no two labels on one another, whatever the family."""

import re
import xml.dom.minidom as dom

import pytest

from hub.pictures.genogram import describe, draw_genogram, family_lines, genogram_of
from hub.pictures.genogram_model import GenogramLink, GenogramPerson, Manner, homes
from hub.pictures.genogram_plan import label_boxes, lay_out
from hub.pictures.kin import kin_of
from tests.look.samples import PICTURE
from tests.pictures.families import any_family, thirty

HOSTILE = "</text><script>alert(1)</script>\"'&\x00\u202egnp"


def person(key: str, sex: str | None = "2", age: int | None = None, **more: object) -> GenogramPerson:
    """Somebody with a plain name."""
    return GenogramPerson(key, f"Person {key}", sex, age, **more)  # type: ignore[arg-type]


def link(manner: Manner, a: str, b: str, rows: int = 0) -> GenogramLink:
    """Short for a link."""
    return GenogramLink(manner, a, b, rows)


def overlaps(boxes: list[tuple[str, float, float, float, float]]) -> list[tuple[str, str]]:
    """Pairs of boxes that share more than an edge."""
    return [
        (one[0], other[0])
        for index, one in enumerate(boxes)
        for other in boxes[index + 1 :]
        if min(one[3], other[3]) - max(one[1], other[1]) > 0.01 and min(one[4], other[4]) - max(one[2], other[2]) > 0.01
    ]


@pytest.mark.parametrize("seed", range(150))
def test_no_label_covers_another_in_any_family(seed: int) -> None:
    people, links = any_family(seed)
    plan = lay_out(people, links)
    assert overlaps(label_boxes(plan)) == []
    assert all(left >= 0 and right <= plan.width for _, left, _, right, _ in label_boxes(plan))
    assert len(plan.x) == len(people)


@pytest.mark.parametrize("seed", range(40))
def test_any_family_gives_well_formed_and_repeatable_svg(seed: int) -> None:
    people, links = any_family(seed)
    first = draw_genogram(people, links)
    dom.parseString(first)
    assert first == draw_genogram(people, links)
    assert "nan" not in first


def test_thirty_people_stand_in_four_rows_without_overlap() -> None:
    people, links = thirty()
    plan = lay_out(people, links)
    assert len(people) == 30
    assert [len(plan.order(row)) for row in range(4)] == [2, 5, 9, 14]
    assert overlaps(label_boxes(plan)) == []
    assert plan.undrawn == 0


def test_no_text_is_smaller_than_twelve_pixels() -> None:
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', draw_genogram(*thirty()))]
    assert min(sizes) >= 12


def test_the_father_stands_left_and_the_oldest_child_left() -> None:
    people = [
        person("m", "2", 30),
        person("f", "1", 31),
        person("young", "1", 2),
        person("old", "2", 9),
        person("baby", None, unborn=True),
    ]
    links = [link(Manner.BIRTH, parent, child) for parent in ("m", "f") for child in ("young", "old", "baby")]
    plan = lay_out(people, links)
    assert plan.order(0) == ["f", "m"]
    assert plan.order(1) == ["old", "young", "baby"]


def test_somebody_who_came_with_older_children_stands_left_so_that_those_do_too() -> None:
    people = [person("f", "1", 34), person("m", "2", 31), person("baby", "1", 0), person("old", "2", 9)]
    links = [link(Manner.BIRTH, "m", "old"), link(Manner.BIRTH, "m", "baby"), link(Manner.BIRTH, "f", "baby")]
    plan = lay_out(people, links)
    assert plan.order(0) == ["m", "f"]
    assert plan.order(1) == ["old", "baby"]


def test_a_date_of_birth_decides_between_brothers_of_the_same_age() -> None:
    people = [person("f", "1", 40), person("b", "1", 9, born="2016-06-01"), person("a", "1", 9, born="2016-01-01")]
    plan = lay_out(people, [link(Manner.BIRTH, "f", "a"), link(Manner.BIRTH, "f", "b")])
    assert plan.order(1) == ["a", "b"]


def test_a_sex_that_is_not_held_is_a_diamond_and_never_guessed() -> None:
    for code in (None, "9", "X"):
        svg = draw_genogram([GenogramPerson("p", "Mary", code, 30)], [])
        assert "<circle" not in svg
        assert "<rect" not in svg
        assert "sex not held" in svg


@pytest.mark.parametrize(
    ("more", "sign"),
    [({"deceased": True}, "has died"), ({"unborn": True}, "unborn baby"), ({"is_subject": True}, "asked about")],
)
def test_a_sign_that_is_used_stands_in_the_key(more: dict[str, bool], sign: str) -> None:
    assert f">{sign}</text>" in draw_genogram([person("p", "1", 40, **more)], [])
    assert f">{sign}</text>" not in draw_genogram([person("p", "1", 40)], [])


def test_parents_of_one_child_are_not_drawn_as_a_couple_unless_somebody_says_so() -> None:
    people = [person("f", "1"), person("m", "2"), person("c", "2", 3)]
    links = [link(Manner.BIRTH, "f", "c"), link(Manner.BIRTH, "m", "c")]
    assert "nothing more held" in draw_genogram(people, links)
    assert "nothing more held" not in draw_genogram(people, [*links, link(Manner.COUPLE, "f", "m")])


def test_an_adopted_child_comes_down_on_a_dashed_line() -> None:
    people = [person("f", "1"), person("a", "1", 9), person("b", "1", 5)]
    plan = lay_out(people, [link(Manner.BIRTH, "f", "a"), link(Manner.PLACED, "f", "b")])
    lines = family_lines(plan)
    assert sorted("stroke-dasharray" in line for line in lines) == [False, True]


def test_a_household_of_one_has_no_ring() -> None:
    people = [person("a", household="h1"), person("b", household="h1"), person("c", household="h2")]
    assert homes(lay_out(people, [])) == {"h1": {"a", "b"}}


def test_a_household_that_others_stand_between_is_ringed_in_pieces_and_rings_nobody_else() -> None:
    people = [person("a", age=30, household="h"), person("b", age=20), person("c", age=10, household="h")]
    links = [link(Manner.BIRTH, "p", child) for child in "abc"]
    svg = draw_genogram([person("p", "1", 60), *people], links)
    assert svg.count("#9a5b00") == 3  # two pieces and the key


def test_a_relation_that_cannot_be_drawn_is_counted_not_hidden() -> None:
    people = [person("s", is_subject=True), person("m"), person("x")]
    links = [link(Manner.BIRTH, "m", "s"), link(Manner.BIRTH, "x", "m"), link(Manner.COUPLE, "x", "s")]
    plan = lay_out(people, links)
    assert plan.undrawn == 1
    assert "1 relation is not drawn" in describe(plan)


def test_a_person_who_is_their_own_parent_harms_nothing() -> None:
    people = [person("a"), person("b")]
    links = [link(Manner.BIRTH, "a", "a"), link(Manner.BIRTH, "a", "b"), link(Manner.BIRTH, "b", "a")]
    dom.parseString(draw_genogram(people, links))


def test_a_family_of_nobody_is_an_empty_drawing() -> None:
    dom.parseString(draw_genogram([], []))


def test_hostile_names_stay_text() -> None:
    svg = draw_genogram([GenogramPerson("p", HOSTILE, "1", 3, note=HOSTILE, is_subject=True)], [], title=HOSTILE)
    dom.parseString(svg)
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "\x00" not in svg


def test_a_picture_becomes_a_genogram_with_everybody_in_it() -> None:
    svg = genogram_of(PICTURE)
    dom.parseString(svg)
    for view in PICTURE.people:
        assert view.label.split()[0] in svg
    assert 'role="img"' in svg
    assert "8 people in 3 generations" in svg


@pytest.mark.parametrize(
    ("code", "rows"), [("MTH", -1), ("SON", 1), ("MGRMTH", -2), ("BRO", 0), ("AUNT", -1), ("NBOR", None)]
)
def test_a_code_says_how_many_generations_lie_between(code: str, rows: int | None) -> None:
    kin = kin_of(code)
    assert (kin.rows if kin else None) == rows
