"""What somebody who is asked can say, parsed: yes, only these fields, or no, with why.

For: the answering form. Must never take a refusal or a partial release without its reason, nor an item that was not
shown. Rules P37 and P49.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.enquiries import LEAST, says_enough
from hub.errors import FormRefused
from hub.redaction import Kept

GRANTED, REDACTED, REFUSED, PROPOSED = "GRANTED", "REDACTED", "REFUSED", "PROPOSED"
CHOICES = (GRANTED, REDACTED, REFUSED)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was said to one item, or (with no `part`) to the whole; `fields` None is all of it."""

    part: str
    outcome: str
    category: str | None = None
    fields: frozenset[str] | None = None
    why: str = ""


def parse_whole(typed: Mapping[str, Any]) -> Choice:
    """Yes or no to the whole request, with why. Raises FormRefused."""
    outcome, why = str(typed.get("outcome", "")), str(typed.get("why", "")).strip()
    errors = {} if outcome in (GRANTED, REFUSED) else {"outcome": "Choose yes or no."}
    if not says_enough(why):
        errors["why"] = f"Say why, in your own words: {LEAST}."
    if errors:
        raise FormRefused(errors)
    return Choice("", outcome, why=why)


def parse_choices(
    typed: Mapping[str, Any], held: Sequence[tuple[str, Kept]], opens: Mapping[str, frozenset[str]]
) -> tuple[Choice, ...]:
    """What was said to each item that the owner holds; to nothing held, that nothing is held.

    Takes `opens`: by category, the fields that a release would open; no other can be chosen.

    Raises FormRefused with a sentence per item that was not answered.
    """
    if not held:
        if typed.get("nothing") != "yes":
            raise FormRefused({"nothing": "Say that your agency holds nothing of what is asked."})
        return (Choice("", GRANTED),)
    errors: dict[str, str] = {}
    choices = []
    for mark, item in held:
        outcome, why = str(typed.get(f"item-{mark}", "")), str(typed.get(f"why-{mark}", "")).strip()
        picked = frozenset(typed.get(f"fields-{mark}", ())) & set(item.values) & opens.get(item.category, frozenset())
        if outcome not in CHOICES:
            errors[f"item-{mark}"] = "Choose what may be shown of this item."
        elif outcome == REDACTED and not picked:
            errors[f"fields-{mark}"] = "Choose the parts that may be shown."
        if outcome in (REDACTED, REFUSED) and not says_enough(why):
            errors[f"why-{mark}"] = f"Say why, in your own words: {LEAST}."
        choices.append(Choice(mark, outcome, str(item.category), picked if outcome == REDACTED else None, why))
    if errors:
        raise FormRefused(errors)
    return tuple(choices)


def require_call_back(typed: Mapping[str, Any]) -> None:
    """Raises FormRefused unless whoever asked was rung back, on the number of the partnership's register."""
    if typed.get("call_back") != "yes":
        raise FormRefused({"call_back": "Ring the agency back on the number shown here before you answer."})
