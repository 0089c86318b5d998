"""Partners that do as they are told, for tests and for trying the hub.

For: whole-system fakes instead of patches. `SimulatedConnector` lives in the process; `SimulatedPartner` is a
real HTTP server on the loopback address that speaks the rest and the fhir dialect of
docs/connecting-a-partner.md and can be slow, down, wrong or hostile. Must never listen anywhere else.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from connectors.contract import Answer, Ask, ConnectorError, Coverage, NoAnswerReason, Partner, PersonQuery
from connectors.identify import MOST_CANDIDATES, fits, require_asked_properly, require_enough
from connectors.mapping import only_involvement, only_permitted
from connectors.records import Item, SourceRecord
from policies.vocabulary import AnswerState, DataCategory


class SimulatedConnector:
    """A partner in the process: holds what it is given, and does what `behave` does before it answers.

    `behave` may raise, wait on an event of the test, or return an Answer of its own to be given instead.
    `asked` lists every question that was put.
    """

    def __init__(
        self,
        partner: Partner,
        items: Sequence[Item] = (),
        people: Sequence[SourceRecord] = (),
        behave: Callable[[Ask], Answer | None] = lambda ask: None,
    ) -> None:
        self.partner, self.items, self.people, self.behave = partner, list(items), list(people), behave
        self.asked: list[Ask] = []
        self._lock = threading.Lock()

    def find(self, query: PersonQuery, *, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Everybody who fits. Raises ConnectorError (TOO_THIN)."""
        require_enough(query)
        return tuple(p for p in self.people if fits(query, p.person))[:MOST_CANDIDATES]

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Only SERVICE_INVOLVEMENT items."""
        return self._answer(ask, only_involvement(ask.wanted))

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The wanted fields of the wanted categories."""
        return self._answer(ask, ask.wanted)

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        return self.partner.coverage

    def _answer(self, ask: Ask, wanted: Mapping[DataCategory, frozenset[str]]) -> Answer:
        require_asked_properly(ask)
        with self._lock:
            self.asked.append(ask)
        if (instead := self.behave(ask)) is not None:
            return instead
        mine = [item for item in self.items if item.record in ask.records]
        kept, held, _ = only_permitted(mine, wanted, frozenset(ask.records))
        return Answer(ask.agency, ask.person, AnswerState.FOUND if held else AnswerState.NOTHING_HELD, kept)


def refusing(reason: NoAnswerReason) -> Callable[[Ask], Answer | None]:
    """A behaviour: the partner gives no answer for this reason."""

    def behave(ask: Ask) -> Answer | None:
        raise ConnectorError(reason, "The simulated partner gives no answer.")

    return behave


def about_somebody_else(ask: Ask) -> Answer | None:
    """A behaviour: the partner answers about another person than the one asked for."""
    return replace(Answer(ask.agency, ask.person, AnswerState.FOUND), person="somebody-else")
