"""Who a partner means: the strict comparison that a live search's results must pass.

For: partners that are asked by name because no record of theirs is known. Must never settle for "nearly": who
differs in date of birth or NHS number is somebody else, and two who both fit are nobody. Matching with
weights is the hub's own room; this is only the guard at the partner's door.
"""

import unicodedata
from collections.abc import Iterable

from connectors.contract import Ask, ConnectorError, NoAnswerReason, PersonQuery, Promise
from connectors.records import NHS_NUMBER, Person, SourceRecord
from policies.vocabulary import MatchState

#: People that a search may name; a partner that names more was asked too little (design, "search bound to an enquiry").
MOST_CANDIDATES = 10


def require_asked_properly(ask: Ask) -> None:
    """Refuses an ask without a promise to this very agency, or about nobody.

    Raises ConnectorError (NO_INTENT, NOBODY_NAMED).
    """
    require_promise(ask.promise, ask.agency)
    if not ask.records and ask.query is None:
        raise ConnectorError("NOBODY_NAMED", "The question names neither records nor a person.")
    if any(not record.strip() for record in ask.records):
        raise ConnectorError("NOBODY_NAMED", "The question names an empty record.")


def require_promise(promise: Promise, agency: str) -> None:
    """Refuses to ask without the signed promise that the intent is on record. Raises ConnectorError (NO_INTENT)."""
    if not promise.eid or promise.agency != agency or f'eid="{promise.eid}"' not in promise.header:
        raise ConnectorError("NO_INTENT", "A partner is asked only after the intent to ask was recorded.")


def require_enough(query: PersonQuery) -> None:
    """Refuses a search that many people would fit. Raises ConnectorError (TOO_THIN)."""
    if not query.nhs_number and not (query.family and query.date_of_birth):
        raise ConnectorError(
            NoAnswerReason.TOO_THIN, "To ask for a person, give the NHS number, or family name and date of birth."
        )


def fits(query: PersonQuery, person: Person) -> MatchState | None:
    """Returns CONFIRMED when NHS number and date of birth agree, UNCONFIRMED when a person fits by less, else None."""
    born = person.date_of_birth
    # A record that took the place of another carries its old number too (NHS: superseded).
    numbers = {_digits(i.value) for i in person.identifiers if i.system == NHS_NUMBER}
    same_number = bool(query.nhs_number) and _digits(query.nhs_number) in numbers
    if numbers and query.nhs_number and not same_number:
        return None
    same_birth = born is not None and born.date == query.date_of_birth
    if born is not None and query.date_of_birth is not None and not same_birth:
        return None
    if same_number:
        return MatchState.CONFIRMED if same_birth else MatchState.UNCONFIRMED
    family = {_folded(n) for name in person.names for n in name.family}
    given = {_folded(n) for name in person.names for n in (*name.given, *([name.preferred] if name.preferred else []))}
    same_name = bool(family & {_folded(n) for n in query.family})
    same_name = same_name and (not query.given or bool(given & {_folded(n) for n in query.given}))
    return MatchState.UNCONFIRMED if same_birth and same_name else None


def the_one(query: PersonQuery, found: Iterable[SourceRecord]) -> tuple[tuple[str, ...], MatchState]:
    """Returns the record that is meant, and how sure that is; no record when nobody fits.

    Raises ConnectorError (AMBIGUOUS) when more than one person fits and none by NHS number and date of birth.
    """
    fitting = [(fits(query, record.person), record.record) for record in found]
    for state in (MatchState.CONFIRMED, MatchState.UNCONFIRMED):
        records = {record for fit, record in fitting if fit is state}
        if len(records) > 1:
            raise ConnectorError(NoAnswerReason.AMBIGUOUS, "Several people of this partner could be meant.")
        if records:
            return tuple(records), state
    return (), MatchState.CONFIRMED


def _digits(number: str | None) -> str:
    return "".join(c for c in number or "" if c.isdigit())


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalnum())
