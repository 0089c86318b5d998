"""How a partner that is asked live is asked, whichever way it is reached: find the person, ask, read, drop strangers.

For: the rest, fhir and sql ways. Must never say "nothing held" unless every question that was put was answered
with none. A piece about somebody else is dropped and counted; when nothing else remains, that is no answer.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from connectors.contract import Answer, Ask, Connector, ConnectorError, ItemMapping, NoAnswerReason, Partner
from connectors.identify import require_asked_properly, the_one
from connectors.mapping import Cell, only_permitted, read_item
from connectors.records import Item
from policies.vocabulary import AnswerState, DataCategory, FieldKind, MatchState, SealState, SubjectFlag


@dataclass(frozen=True, slots=True)
class Rows:
    """What a partner sent for one kind of item; `strangers` and `broken` were thrown away on the way."""

    cells: Sequence[Cell]
    strangers: int = 0
    broken: int = 0


def offered_of_wanted(
    partner: Partner, wanted: Mapping[DataCategory, frozenset[str]]
) -> Iterator[tuple[ItemMapping, frozenset[str]]]:
    """The kinds of items that this partner offers of what is wanted, each with its wanted fields."""
    for spec in partner.items:
        fields = wanted.get(spec.category, frozenset()) & {*spec.values, *spec.fixed}
        if fields:
            yield spec, fields


#: Puts one question: which kind of item, about which records, which fields, for which ask, until when.
AskFor = Callable[[ItemMapping, tuple[str, ...], frozenset[str], Ask, float], Rows]


def answer_live(
    connector: Connector,
    ask: Ask,
    wanted: Mapping[DataCategory, frozenset[str]],
    ask_for: AskFor,
    deadline_s: float,
) -> Answer:
    """Returns the partner's answer; what went wrong is its reason. Raises ConnectorError only for an improper ask."""
    require_asked_properly(ask)
    partner = connector.partner
    begun = time.monotonic()
    give_up_at = begun + deadline_s
    records, match = ask.records, MatchState.CONFIRMED
    items: list[Item] = []
    shielded = False
    strangers = broken = 0
    reason: str | None = None
    try:
        if not any(offered_of_wanted(partner, wanted)):
            raise ConnectorError(NoAnswerReason.NOT_CONFIGURED, f"{partner.code}: offers nothing of what was wanted.")
        if not records and ask.query is not None:
            found = connector.find(ask.query, promise=ask.promise, deadline_s=deadline_s)
            records, match = the_one(ask.query, found)
            shielded = any(SubjectFlag.SHIELDED in f.flags for f in found if f.record in records)
        for spec, fields in offered_of_wanted(partner, wanted) if records else ():
            rows = ask_for(spec, records, fields, ask, give_up_at)
            strangers, broken = strangers + rows.strangers, broken + rows.broken
            for cell in rows.cells:
                item, problems = read_item(spec, cell, iso=True)
                broken += len(problems)
                if item is not None:
                    items.append(_withheld(item) if shielded else item)
    except ConnectorError as error:
        reason = error.code if error.code in NoAnswerReason.__members__ else NoAnswerReason.ERROR
    kept, held, others = only_permitted(items, wanted, frozenset(records))
    strangers += others
    if reason is not None:
        kept, state = (), AnswerState.NO_ANSWER
    elif held:
        state = AnswerState.FOUND
    elif strangers:
        state, reason = AnswerState.NO_ANSWER, NoAnswerReason.WRONG_SUBJECT
    elif broken:
        state, reason = AnswerState.NO_ANSWER, NoAnswerReason.MALFORMED
    else:
        state = AnswerState.NOTHING_HELD
    return Answer(
        ask.agency,
        ask.person,
        state,
        kept,
        None,
        match,
        str(reason) if reason else None,
        strangers + broken,
        time.monotonic() - begun,
        records,
    )


def _withheld(item: Item) -> Item:
    """An item of somebody whom this partner itself shields: its owner decides, and nothing in it locates them."""
    values = {name: value for name, value in item.values.items() if value.kind is not FieldKind.WHEREABOUTS}
    return replace(item, values=MappingProxyType(values), seal=SealState.WITHHELD)
