"""Numbers that cannot be anybody's: NHS numbers, telephone numbers, property references.

For: the demo county. Must never make a number that a real person, home or organisation could have.
Sources: NHS numbers beginning 999 are never issued and serve for tests (NHS England, test data); the check
digit is modulus 11 (NHS Data Model and Dictionary, NHS NUMBER); telephone numbers for drama use are Ofcom's
01632 960000-960999 and 07700 900000-900999.
"""

from collections.abc import Iterable, Iterator

#: NHS numbers that begin with this are kept for tests.
NHS_PREFIX = "999"


def nhs_check_digit(nine: str) -> int | None:
    """Returns the check digit of nine digits, or None where there is no valid number with them."""
    remainder = 11 - sum(int(digit) * (10 - place) for place, digit in enumerate(nine)) % 11
    if remainder == 11:
        return 0
    return None if remainder == 10 else remainder


def nhs_numbers(serials: Iterable[int]) -> Iterator[str]:
    """Yields a demo NHS number for each serial from 0 to 999999 that has a valid check digit."""
    for serial in serials:
        nine = f"{NHS_PREFIX}{serial:06d}"
        digit = nhs_check_digit(nine)
        if digit is not None:
            yield f"{nine}{digit}"


def is_demo_nhs_number(number: str) -> bool:
    """Says whether the number is well formed, begins 999 and carries its check digit."""
    if len(number) != 10 or not number.isdigit() or not number.startswith(NHS_PREFIX):
        return False
    return nhs_check_digit(number[:9]) == int(number[9])


def landline(serial: int) -> str:
    """Returns a drama landline; serials repeat after a thousand."""
    return f"01632 960{serial % 1000:03d}"


def mobile(serial: int) -> str:
    """Returns a drama mobile; serials repeat after a thousand."""
    return f"07700 900{serial % 1000:03d}"


def property_reference(serial: int) -> str:
    """Returns an invented unique property reference number from a range that is not allocated."""
    return f"9990{serial:08d}"
