"""The timeline and the proof picture: nothing invented, nothing lost, nothing on top of something else."""

import xml.dom.minidom as dom
from datetime import date

import pytest

from audit.tree import node_hash
from hub.pictures.matrix import state_symbols
from hub.pictures.proof import consistency_steps, draw_consistency, draw_proof, proof_steps
from hub.pictures.text import clean, escape, shorten, width, wrap
from hub.pictures.timeline import TimelineEvent, draw_timeline, label, label_boxes, lay_out, timeline_of
from tests.audit.trees import Log
from tests.look.samples import PICTURE
from tests.pictures.families import events
from tests.pictures.test_genogram import HOSTILE, overlaps

TODAY = date(2026, 3, 4)


@pytest.mark.parametrize("seed", range(25))
def test_no_label_of_a_timeline_covers_another(seed: int) -> None:
    lanes, _ = lay_out(events(60 * (seed % 9), seed), today=TODAY)
    assert overlaps(label_boxes(lanes)) == []
    assert all(left >= 0 and right <= 1120 for _, left, _, right, _ in label_boxes(lanes))


def test_five_hundred_events_are_all_there_as_words_ticks_or_a_count() -> None:
    found = events(500)
    lanes, _ = lay_out(found, today=TODAY)
    assert sum(len(lane.placed) + len(lane.ticks) + lane.undated for lane in lanes) == 500
    svg = draw_timeline(found, today=TODAY)
    dom.parseString(svg)
    assert svg == draw_timeline(list(reversed(found)), today=TODAY)
    assert len(svg) < 60_000


def test_the_part_that_somebody_had_is_never_cut_away() -> None:
    event = TimelineEvent(
        "Police", "Maximilian", "A very long title " * 20, date(2026, 1, 1), part="victim", significant=True
    )
    words = label(event)
    assert words.startswith("Maximilian: A very long")
    assert words.endswith("… (victim), 1 Jan 2026")


def test_no_time_of_day_is_invented() -> None:
    svg = draw_timeline(events(80), today=TODAY)
    assert "00:00" not in svg
    assert "midnight" not in svg


def test_an_event_without_a_date_has_no_place_but_is_counted() -> None:
    svg = draw_timeline([TimelineEvent("School", "Ava", "Left", None, significant=True)], today=TODAY)
    assert "1 without a date" in svg
    assert "Left" not in svg


def test_what_goes_on_says_now_and_what_ended_says_when() -> None:
    going = TimelineEvent("School", "Ava", "On roll", date(2025, 9, 1), None, True, True)
    ended = TimelineEvent("School", "Ava", "On roll", date(2025, 9, 1), date(2025, 12, 1), True, True)
    assert label(going) == "Ava: On roll, 1 Sep 2025 to now"
    assert label(ended) == "Ava: On roll, 1 Sep 2025 to 1 Dec 2025"


@pytest.mark.parametrize(
    "when", [[], [date(1, 1, 1)], [date(9999, 12, 31)], [date(2026, 3, 4)], [date(1930, 5, 5), date(2030, 1, 1)]]
)
def test_any_span_of_time_can_be_drawn(when: list[date]) -> None:
    dom.parseString(
        draw_timeline([TimelineEvent("School", "Ava", "x", day, significant=True) for day in when], today=TODAY)
    )


def test_hostile_titles_stay_text() -> None:
    svg = draw_timeline([TimelineEvent(HOSTILE, HOSTILE, HOSTILE, TODAY, part=HOSTILE, significant=True)], today=TODAY)
    dom.parseString(svg)
    assert "<script" not in svg
    assert "\u202e" not in svg


def test_a_picture_becomes_a_timeline_in_the_order_of_its_agencies() -> None:
    svg = timeline_of(PICTURE)
    dom.parseString(svg)
    assert svg.index("Northshire Police</text>") < svg.index("Northshire Homes</text>")
    assert "(victim)" in svg


# The sides follow from index and size alone (RFC 9162 section 2.1.3.2); True means the sibling stands left.
@pytest.mark.parametrize(
    ("index", "size", "left"),
    [
        (0, 1, []),
        (0, 2, [False]),
        (1, 2, [True]),
        (2, 3, [True]),
        (0, 7, [False, False, False]),
        (3, 7, [True, True, False]),
        (4, 7, [False, False, True]),
        (6, 7, [True, True]),
        (7, 8, [True, True, True]),
    ],
)
def test_a_proof_shows_each_hash_on_its_side(index: int, size: int, left: list[bool]) -> None:
    siblings = [f"{number:02x}" * 32 for number in range(len(left))]
    assert [step.sibling_left for step in proof_steps(index, size, siblings)] == left
    svg = draw_proof(index=index, size=size, leaf="aa" * 32, siblings=siblings, root="bb" * 32)
    dom.parseString(svg)
    assert f"Entry {index + 1} of a trail of {size}" in svg
    assert svg.count("<rect") == max(1, 2 * len(left) + 1)


def test_the_five_shapes_are_five() -> None:
    drawn = dom.parseString(state_symbols()).getElementsByTagName("symbol")
    assert len({symbol.toxml() for symbol in drawn}) == 5


@pytest.mark.parametrize("text", ["", "a", "Wwwww " * 30, "x" * 300, "李 小龙 " * 20, "a-b-c-" * 40])
def test_wrapped_lines_fit_and_lose_nothing_without_a_mark(text: str) -> None:
    lines = wrap(text, 120, 13, True)
    assert len(lines) <= 2
    assert all(width(line, 13, True) <= 120 for line in lines)
    if "…" not in "".join(lines):
        assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")


def test_text_is_cleaned_and_escaped() -> None:
    assert escape("a\x00<b>\u202e&'\"\n c") == "a&lt;b&gt;&amp;&#x27;&quot; c"
    assert shorten("abc", 1, 12) == "…"


@pytest.mark.parametrize("second", [2, 3, 7, 8, 9, 40])
def test_a_consistency_proof_says_of_each_hash_whether_both_trails_hold_it(second: int) -> None:
    """Joined as the picture says, the hashes lead to both signed roots: for every earlier size."""
    log = Log("kith.example/county")
    for first in range(1, second + 1):
        path = log.consistency(first, second)
        complete = first & (first - 1) == 0
        shared, rest = (log.root(first), path) if complete or not path else (path[0], path[1:])
        then = now = shared
        for step in consistency_steps(first, second, [node.hex() for node in rest]):
            node = bytes.fromhex(step.digest)
            then, now = (node_hash(node, then), node_hash(node, now)) if step.in_both else (then, node_hash(now, node))
        assert (then, now) == (log.root(first), log.root(second))


def test_the_drawing_of_two_trails_names_both_roots_and_its_sizes() -> None:
    log = Log("kith.example/county")
    svg = draw_consistency(
        first=5,
        second=12,
        path=[node.hex() for node in log.consistency(5, 12)],
        root1=log.root(5).hex(),
        root2=log.root(12).hex(),
    )
    assert log.root(5).hex()[:12] in svg
    assert log.root(12).hex()[:12] in svg
    assert "The trail of 5 entries, then, and the trail of 12 entries, now." in svg
    assert svg.count("added: ") + svg.count("in both: ") == 5
