"""The order of a picture's page: who stands first, what is said once, and what is never merged."""

import dataclasses
from datetime import date

import pytest

from hub.picture import Cell, FamilyPicture
from hub.pictures.arrange import arrange
from hub.pictures.bench import bench
from policies.vocabulary import AnswerState
from tests.look.samples import AGENCIES, PICTURE


def only(*letters: AnswerState, sentence: str = "") -> FamilyPicture:
    """One agency with one answer per person."""
    view = AGENCIES[0]
    people = PICTURE.people[: len(letters)]
    cells = tuple(
        Cell(p.id, view.code, state, None, None, None, view.contact, None, None, view.coverage, sentence)
        for p, state in zip(people, letters, strict=True)
    )
    # What the agency answered as a whole adds nothing here, so that the marks alone decide.
    agency = dataclasses.replace(view, state=AnswerState.NOT_ASKED)
    return dataclasses.replace(PICTURE, people=people, agencies=(agency,), cells=cells, relations=(), events=())


def test_the_person_asked_about_stands_first() -> None:
    view = arrange(PICTURE)
    assert view.people[0].is_subject
    assert view.subject is view.people[0]
    assert [card.person for card in view.cards] == list(view.people)


def test_agencies_to_ring_stand_before_those_with_nothing() -> None:
    states = [row.state for row in arrange(PICTURE).rows]
    first_to_last = [
        AnswerState.FOUND,
        AnswerState.NO_ANSWER,
        AnswerState.WITHHELD,
        AnswerState.NOTHING_HELD,
        AnswerState.NOT_ASKED,
    ]
    assert states == sorted(states, key=first_to_last.index)


def test_an_agency_without_a_cell_for_somebody_was_not_asked_about_them() -> None:
    row = next(row for row in arrange(PICTURE).rows if row.agency.code == "prob")
    assert {mark.state for mark in row.marks} == {AnswerState.NOT_ASKED}
    assert all(mark.cell is None for mark in row.marks)


@pytest.mark.parametrize("state", [s for s in AnswerState if s is not AnswerState.FOUND])
def test_the_same_answer_about_everybody_is_said_once(state: AnswerState) -> None:
    (row,) = arrange(only(state, state, state)).rows
    assert row.for_everybody is not None
    assert row.for_everybody.state is state


@pytest.mark.parametrize("other", [s for s in AnswerState if s is not AnswerState.NOTHING_HELD])
def test_two_different_answers_are_never_merged(other: AnswerState) -> None:
    (row,) = arrange(only(AnswerState.NOTHING_HELD, other)).rows
    assert row.for_everybody is None
    assert {mark.state for mark in row.marks} == {AnswerState.NOTHING_HELD, other}


def test_an_involvement_that_ended_is_not_counted_as_one_of_today() -> None:
    picture = only(AnswerState.FOUND)
    past = dataclasses.replace(picture.cells[0], until=date(2025, 11, 30))
    (row,) = arrange(dataclasses.replace(picture, cells=(past,))).rows
    assert not row.involved_now
    assert row.state is AnswerState.FOUND
    summary = arrange(dataclasses.replace(picture, cells=(past,))).summary
    assert summary == "1 of 1 agency was involved; none is known to be now."


def test_the_same_event_of_several_people_is_one_line_but_another_part_is_another() -> None:
    first = PICTURE.events[0]
    same = dataclasses.replace(first, person="p1")
    other = dataclasses.replace(first, person="p2", part="suspect")
    lines = arrange(dataclasses.replace(PICTURE, events=(first, same, other))).events
    assert [(line.people, line.event.part) for line in lines] == [
        (("Chloe Walker", "Amelia Walker"), "victim"),
        (("Noah Walker-Price",), "suspect"),
    ]


def test_involvement_is_shown_for_each_person_with_its_contact() -> None:
    (row,) = arrange(only(AnswerState.FOUND, AnswerState.FOUND)).rows
    assert row.for_everybody is None


def test_what_an_answer_covers_stands_with_the_agency_and_not_in_every_cell() -> None:
    (row,) = arrange(only(AnswerState.NOTHING_HELD, AnswerState.FOUND, sentence=AGENCIES[0].coverage)).rows
    assert row.says_nothing_held
    assert [mark.remark for mark in row.marks] == ["", ""]


@pytest.mark.parametrize(
    ("states", "says"),
    [
        ((AnswerState.FOUND,), "1 of 1 agency is involved with this family."),
        ((AnswerState.NOTHING_HELD,), "No agency is known to be involved."),
        ((AnswerState.NO_ANSWER,), "that is not a no."),
        ((AnswerState.WITHHELD,), "1 has answers that are not shared here."),
    ],
)
def test_the_first_sentence_says_what_is_known_and_what_is_not(states: tuple[AnswerState, ...], says: str) -> None:
    assert says in arrange(only(*states)).summary


@pytest.mark.parametrize("state", [AnswerState.NO_ANSWER, AnswerState.WITHHELD, AnswerState.NOT_ASKED])
def test_an_agency_that_did_not_say_no_is_never_said_to_be_uninvolved(state: AnswerState) -> None:
    assert "not involved" not in arrange(only(state)).summary


def test_a_contradicted_field_is_shown_only_side_by_side() -> None:
    card = arrange(PICTURE).cards[0]
    assert [conflict.name for conflict in card.conflicts] == ["address"]
    assert len(card.conflicts[0].sides) == 2
    assert "address" not in {fact.name for fact in card.facts}


def test_equal_facts_of_two_agencies_are_one_line_with_two_sources() -> None:
    born = next(fact for fact in arrange(PICTURE).cards[0].facts if fact.name == "date_of_birth")
    assert len(born.sources) == 2


def test_events_are_newest_first_and_undated_ones_last() -> None:
    days = [line.event.started for line in arrange(PICTURE).events]
    dated = [day for day in days if day is not None]
    assert dated == sorted(dated, reverse=True)
    assert days[-1] is None


def test_what_was_not_shown_names_the_agency_the_people_and_no_reason() -> None:
    lines = {line.agency.code: line for line in arrange(PICTURE).not_shown}
    assert set(lines) == {"camhs", "sub"}
    assert lines["sub"].people == ("Chloe Walker", "Daniel Price", "Marcus Reid")


def test_the_bench_says_how_much_it_drew() -> None:
    figures = {figure.name: figure for figure in bench(rounds=1)}
    assert set(figures) == {"genogram", "timeline", "proof"}
    assert all(figure.bytes_out > 1000 for figure in figures.values())


def test_relations_that_agencies_contradict_are_shown_only_side_by_side() -> None:
    view = arrange(PICTURE)
    (conflict,) = view.relation_conflicts
    assert conflict.about == "Amelia Walker"
    assert {(side.person, side.words) for side in conflict.sides} == {
        ("Daniel Price", "stepfather"), ("Daniel Price", "birth father"),
    }  # fmt: skip
    assert all(side.sources for side in conflict.sides)
    assert not {(r.person, r.words) for r in view.relations} & {(s.person, s.words) for s in conflict.sides}
