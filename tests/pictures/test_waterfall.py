"""The drawing of weights: the same facts as the table, nothing that could run, and a place for every bar."""

import re

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from hub.pictures import Weighed, draw_waterfall, running

PARTS = [Weighed("Forename", "forename equal", 8.25), Weighed("Date of birth", "another birth date", -5.3)]


def test_nothing_compared_is_no_drawing() -> None:
    assert draw_waterfall([]) == ""


def test_every_part_has_its_bar_and_its_weight_and_the_sum_stands_last() -> None:
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", draw_waterfall(PARTS))
    assert texts == ["Forename", "+8.2", "Date of birth", "−5.3", "Together", "+3.0"]
    assert running(PARTS) == [8.25, 8.25 - 5.3]


def test_a_bar_begins_where_the_one_before_ended() -> None:
    bars = [
        (float(x), float(w)) for x, w in re.findall(r'<rect x="([\d.]+)"[^>]*width="([\d.]+)"', draw_waterfall(PARTS))
    ]
    assert abs((bars[0][0] + bars[0][1]) - (bars[1][0] + bars[1][1])) <= 0.2


def test_no_label_can_become_markup() -> None:
    drawn = draw_waterfall([Weighed("<script>alert(1)</script>", "x", 1.0)])
    assert "<script" not in drawn


@given(st.lists(st.tuples(st.text("<&\"'é漢", max_size=8), st.floats(-60, 60)), min_size=1, max_size=9))
def test_it_is_well_formed_and_inside_its_frame(told: list[tuple[str, float]]) -> None:
    root = etree.fromstring(draw_waterfall([Weighed(label, "", bits) for label, bits in told]).encode())
    width = float(root.get("width", "0"))
    for bar in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(bar.get("x", "-1")) >= 0
        assert float(bar.get("x", "0")) + float(bar.get("width", "0")) <= width
