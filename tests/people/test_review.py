"""What stewards say: kept through every load, never against a "not the same" or an adoption, and never half done."""

from dataclasses import replace

import pytest
from tests_people import NOW, Index, say

from hub.people import keep_apart, relink, review, tables
from policies.vocabulary import SubjectFlag

#: Names too common and too little else to be sure: the pair waits for a person.
ONE = say("csc", "1", "Ann", "Smith", "1980-05-17")
OTHER = say("gp", "2", "Annie", "Smith", "1980-05-11")
WHY = {"said_by": "steward", "rationale": "Both teams rang her and agree.", "now": NOW}
AGENCIES = ("csc", "gp", "hv")


def waiting(index: Index, agencies: tuple[str, ...] = AGENCIES) -> list[tuple[str, str]]:
    with index.session() as session:
        found = review.doubts(session, index.keys, agencies)
    return [tuple(sorted("/".join(h.name) for h in (d.first, d.second))) for d in found]  # type: ignore[misc]


def settle(index: Index, outcome: str, **more: object) -> None:
    with index.db.writing() as session:
        review.settle(session, index.keys, (("csc", "1"), ("gp", "2")), outcome, **WHY | more)  # type: ignore[arg-type]


def in_doubt(index: Index) -> None:
    index.load(ONE, OTHER)
    assert not index.same("csc/1", "gp/2")
    assert waiting(index) == [("csc/1", "gp/2")]


def test_what_was_not_said_or_is_not_held_changes_nothing(index: Index) -> None:
    in_doubt(index)
    with pytest.raises(ValueError, match="rationale"):
        settle(index, "SAME", rationale=" ")
    with index.db.writing() as session, pytest.raises(ValueError, match="Two records"):
        review.settle(session, index.keys, (("csc", "1"), ("gp", "99")), "SAME", **WHY)
    with index.db.writing() as session, pytest.raises(ValueError, match="Two records"):
        review.take_out(session, index.keys, ("csc", "1"), [], **WHY)
    assert waiting(index) == [("csc/1", "gp/2")]


def test_an_agency_that_is_not_allowed_has_no_pair_in_the_queue(index: Index) -> None:
    in_doubt(index)
    assert waiting(index, ("csc",)) == []


def test_cannot_tell_leaves_the_queue_and_joins_nobody(index: Index) -> None:
    in_doubt(index)
    settle(index, "CANNOT_TELL")
    index.load(replace(ONE, household="h9"), OTHER)
    assert waiting(index) == []
    assert not index.same("csc/1", "gp/2")


def test_the_same_person_stays_joined_when_a_source_changes_out_of_recognition(index: Index) -> None:
    in_doubt(index)
    settle(index, "SAME")
    assert index.same("csc/1", "gp/2")
    index.load(say("csc", "1", "Nora", "Whitlock", "1980-02-03"), complete=True)
    assert index.same("csc/1", "gp/2")
    index.load(replace(OTHER, household="h3"))
    assert index.same("csc/1", "gp/2")
    with index.session() as session:
        assert b"rang" not in session.execute(tables.decisions.select()).one().rationale


def test_not_the_same_wins_over_the_same_whenever_it_is_said(index: Index) -> None:
    in_doubt(index)
    settle(index, "SAME")
    with index.db.writing() as session:
        keep_apart(session, index.keys, ("csc", "1"), ("gp", "2"), **WHY)
    assert not index.same("csc/1", "gp/2")
    index.load(replace(ONE, household="h9"), OTHER)
    assert not index.same("csc/1", "gp/2")
    assert waiting(index) == []


def test_a_record_that_is_taken_out_joins_none_of_the_others_again(index: Index) -> None:
    three = [
        say(a, n, "Grace", "Okonjo", "1990-02-02", nhs="9990000018")
        for a, n in (("csc", "1"), ("gp", "2"), ("hv", "3"))
    ]
    index.load(*three)
    assert len(set(index.persons().values())) == 1
    with index.db.writing() as session:
        review.take_out(session, index.keys, ("gp", "2"), [("csc", "1"), ("hv", "3")], **WHY)
    index.load(*(replace(record, household="h1") for record in three))
    assert index.same("csc/1", "hv/3")
    assert not index.same("csc/1", "gp/2")
    assert waiting(index) == []
    with index.db.writing() as session:  # What was said already is not said twice, and stays.
        review.take_out(session, index.keys, ("gp", "2"), [("csc", "1")], **WHY)


def test_identities_before_and_after_an_adoption_are_suppressed_once_and_a_steward_cannot_join_them(
    index: Index,
) -> None:
    adopted = replace(ONE, flags=frozenset({SubjectFlag.ADOPTED}))
    index.load(adopted, OTHER)
    assert waiting(index) == []
    with index.session() as session:
        (row,) = session.execute(tables.suppressed.select()).all()
        assert (row.first_agency, row.second_agency, row.alerted_at) == ("csc", "gp", None)
        assert session.execute(tables.links.select()).all() == []
    index.load(replace(adopted, household="h9"), OTHER)
    with index.session() as session:
        assert len(session.execute(tables.suppressed.select()).all()) == 1
    settle(index, "SAME")
    assert not index.same("csc/1", "gp/2")


def test_an_adoption_that_is_recorded_later_undoes_what_a_steward_joined(index: Index) -> None:
    in_doubt(index)
    settle(index, "SAME")
    index.load(replace(ONE, flags=frozenset({SubjectFlag.ADOPTED})), OTHER)
    assert not index.same("csc/1", "gp/2")


def test_a_mark_changes_with_what_the_records_say_and_with_whom_they_are_put_to(index: Index) -> None:
    def mark() -> str:
        with index.session() as session:
            rows = session.scalars(tables.records.select().with_only_columns(tables.records.c.id)).all()
            return review.mark_of(index.keys, [h for _, h in sorted(review.held(session, index.keys, rows).items())])

    in_doubt(index)
    marks = [mark(), mark()]
    assert marks[0] == marks[1]
    index.load(ONE, replace(OTHER, household="h9"))
    marks.append(mark())
    settle(index, "SAME")
    marks.append(mark())
    assert len(set(marks)) == 3


def test_nothing_is_said_about_addresses_or_telephones(index: Index) -> None:
    home = {"line1": "4 Mill Lane", "postcode": "SW1A 1AA"}
    said = review.agreement_words(
        say("csc", "1", "Ann", "Smith", "1980-05-17", **home), say("gp", "2", "Ann", "Smith", **home)
    )
    assert said == {"given": "forename equal", "family": "surname equal"}
    with index.db.writing() as session:
        assert relink(session, index.keys, now=NOW) == 0
