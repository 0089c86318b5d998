"""The heat map: a number in each cell, one hue, and the same facts in words."""

import re

from lxml import etree

from hub.pictures import draw_heat


def test_no_agency_is_no_drawing() -> None:
    assert draw_heat([]) == ""


def test_every_count_stands_in_its_cell_and_nothing_could_run() -> None:
    svg = draw_heat([("Police <script>", {9: 12, 23: 1}), ("Housing", {})])
    root = etree.fromstring(svg)
    texts = [t.text for t in root.iter("{*}text")]
    assert texts[:24] == [f"{hour:02}" for hour in range(24)]
    assert texts[24:] == ["Police <script>", "12", "1", "Housing"]
    assert "2 agencies by hour of the day, 13 looks in all, at most 12 in a cell." in svg
    assert not re.search(r"style=|<script|on\w+=", svg)
    assert set(re.findall(r'fill="(#[0-9a-f]{6})" fill-opacity', svg)) == {"#1b5e57"}


def test_more_is_darker() -> None:
    svg = draw_heat([("Police", {hour: hour * 4 for hour in range(24)})])
    strength = [float(one) for one in re.findall(r'fill-opacity="([\d.]+)"', svg)]
    assert strength == sorted(strength)
    assert strength[-1] == 1.0
