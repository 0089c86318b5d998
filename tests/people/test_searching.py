"""One box: who could be meant, at most ten, and never a list of people."""

import pytest
from tests_people import NOW, Index, say

from hub.people import CandidateList, candidates, parse_box
from policies.vocabulary import SubjectFlag

KHAN = (
    say("csc", "1", "Amira Jane", "Khan", "2015-03-02", sex="2", line1="4 Secret Street"),
    say("gp", "2", "Amira", "Khan", "2015-03-02", nhs="9990000018", sex="2"),
)
SHIELDED = say(
    "csc",
    "8",
    "Nadia",
    "Hartwell",
    "1991-05-06",
    nhs="9990000026",
    flags=(SubjectFlag.SHIELDED,),
    line1="9 Refuge Road",
)


@pytest.fixture
def filled(index: Index) -> Index:
    crowd = [say("housing", f"s{n}", "John", "Smith", f"19{50 + n}-01-0{n % 9 + 1}") for n in range(25)]
    index.load(*KHAN, SHIELDED, *crowd, say("gp", "77", "William", "Zellers", "1949-12-16"))
    return index


def ask(index: Index, typed: str) -> CandidateList:
    with index.session() as session:
        return candidates(session, index.keys, parse_box(typed), now=NOW)


@pytest.mark.parametrize(
    "typed",
    [
        "Khan",
        "Smith",
        "S",
        "J S",
        "Smi*",
        "%",
        "A?ira Khan",
        "02/03/2015",
        "John Smith",
        "2 March 2015",
        "K 2015-03-02",
    ],
)
def test_a_search_that_would_list_people_is_too_wide_and_says_what_to_add(filled: Index, typed: str) -> None:
    found = ask(filled, typed)
    assert found.too_wide
    assert found.candidates == ()
    assert found.advice


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter a name"),
        ("Amira Khan 999 000 0019", "NHS number is not valid"),
        ("Amira Khan 31/02/2015", "not a real date"),
        ("Amira Khan 2/3/15", "four figures"),
        ("Khan SW1A 1AA", "postcodes are not searched"),
        ("Khan 12345678901", "ten digits"),
        ("x" * 300, "at most"),
    ],
)
def test_what_cannot_be_searched_is_said_clearly(filled: Index, typed: str, words: str) -> None:
    found = ask(filled, typed)
    assert found.candidates == ()
    assert words in " ".join(found.problems)


@pytest.mark.parametrize("typed", ["4 Secret Street", "Secret Street 02/03/2015", "Refuge Road", "Nadia Refuge"])
def test_nobody_is_found_by_an_address(filled: Index, typed: str) -> None:
    assert ask(filled, typed).candidates == ()


@pytest.mark.parametrize(
    "typed",
    [
        "Amira Khan 02/03/2015",
        "khan amira 2.3.2015",
        "KHAN, Amira 2 March 2015",
        "Amira Khan 2015-03-02",
        "amira khan 02032015",
        "Amira Khan March 2 2015",
        "Amira Jane Khan 2nd of March 2015",
        "Amira Kahn 02/03/2015",
        "Ameera Khan 02/03/2015",
        "Amira Khan 03/02/2015",
        "Amira Khan 02/03/2016",
        "Khan 02/03/2015",
        "Amira 02/03/2015",
        "Amira Khan",
        "9990000018",
        "999 000 0018",
        "Khan 999-000-0018",
        "Amira Khan March 2015",
    ],
)
def test_a_person_is_found_however_they_are_named(filled: Index, typed: str) -> None:
    found = ask(filled, typed)
    assert [c.agencies for c in found.candidates[:1]] == [("csc", "gp")]
    assert found.candidates[0].name == "Amira Jane Khan"


def test_a_candidate_says_who_and_why(filled: Index) -> None:
    one = ask(filled, "Amira Kahn 02/03/2015").candidates[0]
    assert (one.age, one.sex_code, one.strength) == (11, "2", "strong")
    assert one.reasons == ("forename equal", "surname spelt differently", "birth date equal")


def test_a_short_form_finds_the_name(filled: Index) -> None:
    assert "forename is a short form" in ask(filled, "Bill Zellers 16/12/1949").candidates[0].reasons


@pytest.mark.parametrize(
    ("typed", "is_exact"),
    [
        ("Nadia Hartwell", False),
        ("Nadia Hartwel 06/05/1991", False),
        ("Hartwell 06/05/1991", False),
        ("Nadia Hartwell 05/06/1991", False),
        ("Nadia Hartwell May 1991", False),
        ("Nadia Hartwell 06/05/1991", True),
        ("Hartwell Nadia 6 May 1991", True),
        ("9990000026", True),
    ],
)
def test_only_an_exact_question_names_a_shielded_person_exactly(filled: Index, typed: str, is_exact: bool) -> None:
    found = ask(filled, typed).candidates
    assert [c.hidden_exact for c in found if SubjectFlag.SHIELDED in c.flags] == [is_exact]


def test_a_wrong_number_beside_a_right_name_is_not_exact(filled: Index) -> None:
    found = ask(filled, "Amira Khan 9990000034").candidates
    assert all(not c.hidden_exact for c in found)


def test_never_more_than_ten(filled: Index) -> None:
    assert len(ask(filled, "John Smith 1950").candidates) <= 10


def test_how_a_match_adds_up_says_what_the_reasons_say_and_nothing_that_was_not_typed(index: Index) -> None:
    index.load(
        say(
            "csc",
            "1",
            "Amelia",
            "Walker",
            "2019-01-16",
            nhs="9990000018",
            sex="2",
            line1="4 Mill Lane",
            postcode="SW1A 1AA",
        ),
        say("gp", "2", "Amelia", "Walker", "2019-01-16", nhs="9990000018", sex="2"),
    )
    found = ask(index, "Amelya Walker 16 1 2019").candidates[0]
    assert [(part, words) for part, words, _ in found.parts] == [
        ("given", "forename spelt differently"), ("family", "surname equal"), ("born", "birth date equal"),
    ]  # fmt: skip
    assert {words for _, words, _ in found.parts} == set(found.reasons)
    assert all(bits > 0 for _, _, bits in found.parts)
    by_number = ask(index, "9990000018").candidates[0]
    assert [part for part, _, _ in by_number.parts] == ["number"]
    another_day = ask(index, "Amelia Walker 3 9 2015").candidates
    assert [bits < 0 for c in another_day for part, _, bits in c.parts if part == "born"] == [True] * len(another_day)
