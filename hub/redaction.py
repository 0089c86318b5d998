"""Step 8 of the way of one request: from partners' answers to what may be shown of them.

For: deciding each real item again and keeping only what that decision names. Must never hand on a partner's
item as it came.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from connectors import Answer, Item, Value
from hub.approvals.agreed import NOTHING_AGREED, Agreed
from hub.casefile import about_item
from hub.obligations import ORDINARY, Means, may_show
from hub.permits import Permit
from hub.picture import Withheld
from policies import Field, Made, decide
from policies.vocabulary import AnswerState, DataCategory, GpAnswer, Obligation

#: Control characters and marks that change the direction of text: a partner's text must not rewrite the page.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def plain(text: str) -> str:
    """A partner's text without characters that nobody can see."""
    return _UNSEEN.sub("", text)


@dataclass(frozen=True, slots=True)
class Kept:
    """One item as far as it may be shown: the permitted fields, their source and its as-of."""

    person: str
    agency: str
    category: DataCategory
    occurred_on: date | None
    values: Mapping[str, Value]
    as_of: datetime | None
    obligations: frozenset[Obligation]
    answer: GpAnswer | None = None
    #: The partner's own id of the item, for an owner who releases it; never shown.
    item: str = ""


@dataclass(frozen=True, slots=True)
class Redacted:
    """What is left of the partners' answers, what was cut from them, and the decisions about each item."""

    kept: tuple[Kept, ...]
    cut: tuple[Withheld, ...]
    made: tuple[Made, ...] = ()


def _as_shown(item: Item, names: Iterable[str]) -> dict[str, Value]:
    return {name: replace(item.values[name], text=plain(item.values[name].text)) for name in names}


def apply(
    answers: Mapping[tuple[str, str], Answer],
    permits: Sequence[Permit],
    *,
    means: Means = ORDINARY,
    agreed: Agreed = NOTHING_AGREED,
) -> Redacted:
    """Decides each real item again - its own day, form and seal - and keeps only what that decision names.

    The permit was about what the agency could hold; an item may be older than the agreement reaches, sealed,
    or hold fields that were never offered. What no permit names is dropped without being looked at.
    """
    by_place = {(permit.agency, permit.person, permit.category): permit for permit in permits}
    kept: list[Kept] = []
    cut: list[Withheld] = []
    made: list[Made] = []
    for (agency, person), answer in answers.items():
        if answer.state != AnswerState.FOUND:
            continue
        for item in answer.items:
            permit = by_place.get((agency, person, item.category))
            if permit is None:
                continue
            offered = tuple(Field(name, value.kind) for name, value in item.values.items() if name in permit.fields)
            if not offered:
                continue
            about = about_item(permit.request, item, offered, match=answer.match, agreed=agreed)
            decision = decide(about)
            made.append(Made(about, decision))
            if not may_show(decision, about, means):
                cut.append(Withheld(person, agency, item.category, str(decision.outcome), decision.rules))
                continue
            kept.append(
                Kept(
                    person=person,
                    agency=agency,
                    category=item.category,
                    occurred_on=item.occurred_on,
                    values=_as_shown(item, decision.fields),
                    as_of=answer.as_of,
                    obligations=frozenset(decision.obligations),
                    answer=decision.answer,
                    item=item.id,
                )
            )
    return Redacted(tuple(kept), tuple(cut), tuple(made))
