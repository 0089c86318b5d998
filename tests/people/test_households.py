"""Who lives together, where agencies differ about an address or one of them writes it badly."""

from typing import Any

from tests_people import say

from connectors import SourceRecord
from hub.people.households import households
from hub.people.living import MOST_IN_A_DWELLING
from policies.vocabulary import SubjectFlag

MILL, WELL = {"line1": "1204 Mill Lane"}, {"line1": "9 Well Street"}


def homes(*people: list[SourceRecord]) -> list[int]:
    """The household of each of these people, numbered by their first member."""
    records = [record for records in people for record in records]
    owner = [at for at, records in enumerate(people) for _ in records]
    found = dict(zip(owner, households(records, owner), strict=True))
    return [found[at] for at in range(len(people))]


def one(name: str, *told: tuple[str, dict[str, Any]], **more: Any) -> list[SourceRecord]:
    """One person as several agencies place them."""
    return [say(agency, f"{name}-{agency}", name, "Khan", **place, **more) for agency, place in told]


def test_a_street_misspelt_beside_the_same_long_number_is_the_same_home() -> None:
    child = one("Amira", ("csc", {"line1": "1204 Mil Lxne"}), ("gp", MILL), role="CHILD")
    assert homes(one("Sana", ("csc", MILL), ("gp", MILL)), child) == [0, 0]


def test_a_short_number_is_no_proof_that_a_street_is_misspelt() -> None:
    moved = one(
        "Amira",
        ("csc", {"line1": "12 Hill Rise"}),
        ("gp", {"line1": "12 Mill Lane"}),
        ("hv", {"line1": "12 Hill Rise"}),
    )
    assert homes(one("Sana", ("csc", {"line1": "12 Mill Lane"})), moved) == [0, 1]


def test_an_address_without_its_number_counts_for_the_one_that_has_it() -> None:
    child = one("Amira", ("csc", {"line1": "Mill Lane"}), ("gp", MILL), ("hv", WELL))
    assert homes(one("Sana", ("csc", MILL)), child) == [0, 0]


def test_flats_are_not_one_home_because_one_of_them_left_out_its_number() -> None:
    neighbours = [
        one(name, ("csc", {"line1": line})) for name, line in (("A", "1204 Mill Lane Flat 3"), ("B", "1204 Mill Lane"))
    ]
    assert homes(*neighbours) == [0, 1]


def test_who_is_only_named_in_anothers_row_lives_where_that_person_lives() -> None:
    mother = one("Sana", ("csc", MILL), ("gp", MILL), ("housing", WELL))
    child = [say("housing", "Sana-housing#child", "Amira", "Khan", **WELL)]
    assert homes(mother, child, one("Joe", ("csc", WELL))) == [0, 0, 2]


def test_an_address_of_very_many_people_says_little() -> None:
    office = {"line1": "7 Office Square"}
    crowd = [one(f"Name{n}", ("sms", office)) for n in range(MOST_IN_A_DWELLING + 1)]
    child = one("Amira", ("csc", MILL), ("housing", office), ("sms", office))
    assert homes(one("Sana", ("csc", MILL)), child, *crowd)[:2] == [0, 0]


def test_the_order_of_records_never_moves_anybody() -> None:
    people = [
        one("Sana", ("csc", MILL), ("gp", MILL), ("housing", WELL)),
        one("Joe", ("csc", WELL), ("gp", {"line1": "Mill Lane"})),
    ]
    assert homes(*people) == homes(*(list(reversed(records)) for records in people))


def in_tenancy(name: str, place: dict[str, Any], *, gp: dict[str, Any]) -> list[SourceRecord]:
    """Somebody whom a tenancy names, with the address that housing wrote, and the one a general practice wrote."""
    own = say("housing", f"{name}-t", name, "Khan", household="T1", role="CHILD", **place)
    return [own, say("gp", f"{name}-g", name, "Khan", **gp)]


def test_an_address_that_differs_from_the_rest_of_its_tenancy_speaks_half_for_either() -> None:
    others = [in_tenancy("Sana", MILL, gp=MILL), in_tenancy("Omar", MILL, gp=MILL)]
    assert homes(*others, in_tenancy("Amira", WELL, gp=MILL)) == [0, 0, 0]


def test_who_is_elsewhere_for_others_too_has_left_the_tenancy() -> None:
    others = [in_tenancy("Sana", MILL, gp=MILL), in_tenancy("Omar", MILL, gp=MILL)]
    assert homes(*others, in_tenancy("Amira", WELL, gp=WELL)) == [0, 0, 2]


def test_two_of_a_tenancy_who_differ_are_not_outvoted_by_each_other() -> None:
    assert homes(in_tenancy("Sana", MILL, gp=MILL), in_tenancy("Amira", WELL, gp=WELL)) == [0, 1]


def test_a_protected_member_of_a_tenancy_says_nothing_about_where_the_others_live() -> None:
    hidden = [say("housing", f"h{n}", "H", "Khan", household="T1", flags=(SubjectFlag.SHIELDED,), **MILL) for n in "12"]
    assert homes([hidden[0]], [hidden[1]], in_tenancy("Amira", WELL, gp=WELL)) == [0, 1, 2]
