"""Asks a partner's JSON service.

For: partners with a service of their own shape; docs/connecting-a-partner.md says what is posted. Must never put
an id or a name into a URL, and never read a key that the partner's file does not name.
"""

import time
from collections.abc import Mapping

from connectors.contract import (
    Answer,
    Ask,
    ConnectorError,
    Coverage,
    ItemMapping,
    NoAnswerReason,
    Partner,
    PersonQuery,
    Promise,
)
from connectors.formats.people import people_from_rows
from connectors.identify import MOST_CANDIDATES, require_enough
from connectors.live import Rows, answer_live
from connectors.mapping import Cell, only_involvement, tidy
from connectors.partner import person_mapping
from connectors.paths import rows_at, text_at
from connectors.records import SourceRecord
from connectors.wire import Wire
from policies.vocabulary import DataCategory


class RestConnector:
    """A partner reached by JSON over HTTP."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self._wire = Wire(partner, ("application/json",))
        self._mapping = person_mapping(partner)

    def find(self, query: PersonQuery, *, promise: Promise, deadline_s: float) -> tuple[SourceRecord, ...]:
        """Who could be meant. Raises ConnectorError (TOO_THIN, NOT_CONFIGURED, or why there was no answer)."""
        return self._find(query, promise, time.monotonic() + deadline_s)

    def known_to(self, ask: Ask, *, deadline_s: float) -> Answer:
        """Is this person known, since when, whom to ring."""
        return self._answer(ask, only_involvement(ask.wanted), deadline_s)

    def fetch(self, ask: Ask, *, deadline_s: float) -> Answer:
        """The permitted fields of the permitted categories."""
        return self._answer(ask, ask.wanted, deadline_s)

    def coverage(self) -> Coverage:
        """What an answer of this partner covers."""
        return self.partner.coverage

    def close(self) -> None:
        """Effects: closes the pooled connections."""
        self._wire.close()

    def _answer(self, ask: Ask, wanted: Mapping[DataCategory, frozenset[str]], deadline_s: float) -> Answer:
        return answer_live(self, ask, wanted, self._ask_for, deadline_s)

    def _find(self, query: PersonQuery, promise: Promise, give_up_at: float) -> tuple[SourceRecord, ...]:
        require_enough(query)
        path = (self.partner.people or {}).get("find")
        if self._mapping is None or not isinstance(path, str):
            raise ConnectorError(NoAnswerReason.NOT_CONFIGURED, f"{self.partner.code}: is not searched by name.")
        body = {
            "given": list(query.given),
            "family": list(query.family),
            "date_of_birth": query.date_of_birth.isoformat() if query.date_of_birth else None,
            "nhs_number": query.nhs_number,
            "sex": query.sex_code,
        }
        answer = self._wire.post_json(path, body, promise=promise, give_up_at=give_up_at)
        people, broken = rows_at(answer, str((self.partner.people or {}).get("rows", "people[]")))
        if broken or len(people) > MOST_CANDIDATES:
            raise ConnectorError(NoAnswerReason.MALFORMED, f"{self.partner.code}: did not name at most ten people.")
        columns = self._mapping.columns()
        rows = [{column: tidy(text_at(person, column) or "") for column in columns} for person in people]
        found = people_from_rows(rows, self._mapping, source=self.partner.code)
        return tuple(f for f in found if isinstance(f, SourceRecord))

    def _ask_for(
        self, spec: ItemMapping, records: tuple[str, ...], fields: frozenset[str], ask: Ask, give_up_at: float
    ) -> Rows:
        body = {
            "records": list(records),
            "category": spec.category,
            "fields": sorted(fields),
            "purpose": ask.purpose,
            "intent": ask.promise.eid,
        }
        rows, broken = rows_at(
            self._wire.post_json(spec.source, body, promise=ask.promise, give_up_at=give_up_at), spec.rows
        )
        return Rows([_cell(row) for row in rows], broken=broken)


def _cell(row: dict[str, object]) -> Cell:
    return lambda path: text_at(row, path)
