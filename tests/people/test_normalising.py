"""Tables of what agencies write, and what it is compared as. Anybody may add a line."""

import nhs_number as oracle
import pytest

from connectors import Address, Name, PartialDate
from hub.people.matching.normalise import born_key, called, name_tokens, nhs_number, place, postcode, short_forms, sound


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("  o'Connor ", ("OCONNOR",)),
        ("Mary-Ann", ("MARY", "ANN")),
        ("Dr. José Núñez", ("JOSE", "NUNEZ")),
        ("Łukasz Żółć", ("LUKASZ", "ZOLC")),
        ("Søren Æbelø", ("SOREN", "AEBELO")),
        ("Юлия", ("YULIYA",)),
        ("Γιώργος", ("GIORGOS",)),
        ("DUPLICATE_SMITH", ("SMITH",)),
        ("Mrs Smith", ("SMITH",)),
        ("Miss", ("MISS",)),
        ("Smith3", ("SMITH",)),
        ("", ()),
    ],
)
def test_names_in_one_spelling(written: str, tokens: tuple[str, ...]) -> None:
    assert name_tokens(written) == tokens


@pytest.mark.parametrize("filler", ["UNKNOWN", "Baby", "n/a", "Unborn", "Not-known "])
def test_a_filler_is_no_forename(filler: str) -> None:
    names = called([Name(("Khan",), (filler,))])
    assert names[0].given in ((), ("NOT", "KNOWN"))


def test_a_family_called_child_keeps_its_name() -> None:
    assert called([Name(("Child",), ("Lee",))])[0].family == "CHILD"


def test_the_current_name_comes_first_and_an_anonymous_one_never() -> None:
    names = called(
        [Name(("Bell",), ("Amira",), use="maiden"), Name(("X",), ("Y",), use="anonymous"), Name(("Khan",), ("Amira",))]
    )
    assert [n.family for n in names] == ["KHAN", "BELL"]


@pytest.mark.parametrize("number", ["9990000018", "999 000 0026", "943-476-5919", "9434765919", "4010232137"])
def test_nhs_numbers_agree_with_an_independent_reader(number: str) -> None:
    assert (nhs_number(number) is not None) == oracle.is_valid(number)


@pytest.mark.parametrize(
    "number", ["9434765918", "943476591", "94347659190", "0000000000", "1111111111", "abcdefghij", ""]
)
def test_a_number_whose_check_digit_fails_is_no_nhs_number(number: str) -> None:
    assert nhs_number(number) is None


@pytest.mark.parametrize(
    ("written", "key"),
    [("sw1a 1aa", "SW1A1AA"), ("M1 1AE ", "M11AE"), ("NF1 1NF", ""), ("ZZ99 3VZ", ""), ("00000", ""), ("", "")],
)
def test_postcodes_in_one_spelling(written: str, key: str) -> None:
    assert postcode(written) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Address("12 Mill Lane"), Address("12, mill ln.")),
        (Address("Flat 3, 12 Mill Road"), Address("12 Mill Rd", "Flat 3")),
        (Address("12A St John's Street"), Address("12a ST JOHNS ST")),
        (Address("1 24th St"), Address("1 24TH STREET")),
    ],
)
def test_one_dwelling_written_twice_is_one_dwelling(one: Address, other: Address) -> None:
    x, y = place([one]), place([other])
    assert x is not None
    assert y is not None
    assert x.key == y.key != ""


def test_an_address_without_number_names_no_dwelling_and_an_old_one_is_not_home() -> None:
    found = place([Address("Mill Lane")])
    assert found is not None
    assert found.key == ""
    assert place([Address("12 Mill Lane", use="old")]) is None


def test_partial_dates_keep_zeros_where_nothing_is_known() -> None:
    from datetime import date

    assert born_key(PartialDate(date(2011, 2, 1), "UAA")) == "20110200"
    assert born_key(PartialDate(date(2011, 1, 1), "UUA")) == "20110000"
    assert born_key(PartialDate(date(2011, 1, 1), "UUU")) is None


def test_short_forms_are_known_both_ways() -> None:
    assert "BILL" in short_forms("WILLIAM")
    assert "WILLIAM" in short_forms("BILL")


@pytest.mark.parametrize(("one", "other"), [("SMITH", "SMYTHE"), ("CATHERINE", "KATHRYN"), ("PHILLIPS", "FILIPS")])
def test_names_that_sound_alike_share_a_key(one: str, other: str) -> None:
    assert sound(one) == sound(other)
