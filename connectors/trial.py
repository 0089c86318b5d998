"""The contract, tried on a partner's own system with one invented person.

For: a partner's developer, before anybody relies on the answers. Must never be a way to look somebody up: it asks about
invented persons only - those with a test number, or whose record the partner's file names - answers for all others as
for nobody, and says which fields came, never a value.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from connectors.contract import Answer, Ask, Connector, ConnectorError, NoAnswerReason, Partner, PersonQuery, Promise
from connectors.identify import the_one
from connectors.mapping import only_involvement
from connectors.records import NHS_NUMBER, SourceRecord
from policies.vocabulary import AnswerState, DataCategory

#: A record id that no system has.
NOBODY = "kith-trial-nobody"
#: Said alike when the partner names nobody and when it names somebody who may be real.
NOBODY_INVENTED = "nobody invented fits; put one in, with an NHS number that begins with 999 or a line in [trial]"
#: Seconds for one question, where the partner's file does not say.
DEADLINE_S = 1.5
#: Questions put for the time that an answer takes.
QUESTIONS = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried. `passed` is None when it could not be tried; `words` say what was seen."""

    what: str
    passed: bool | None
    words: str


def is_test_number(nhs_number: str) -> bool:
    """Returns whether an NHS number is one that is never issued: 999... (test data) or 9000... (NHS sandboxes)."""
    return re.fullmatch(r"9(99|000)\d{6,7}", nhs_number.replace(" ", "")) is not None


def try_partner(connector: Connector, person: PersonQuery | None, record: str | None) -> Iterator[Trial]:
    """Tries coverage, find, known_to and fetch, somebody else, and the deadline; yields each result as it comes.

    Takes the invented `person` whom the partner holds (None: the search is not tried), and the `record` id of that
    person (None: the one that the search found). Raises ConnectorError (NO_TEST_PERSON) for a real NHS number, and for
    a record that the partner's file does not name, before anybody is asked.
    Effects: the partner is asked; nothing of its answers is kept.
    """
    partner = connector.partner
    if person is not None and person.nhs_number and not is_test_number(person.nhs_number):
        raise ConnectorError("NO_TEST_PERSON", "That NHS number may be somebody's. Try with one that begins with 999.")
    if record is not None and record not in partner.invented:
        raise ConnectorError(
            "NO_TEST_PERSON",
            f"{partner.code}.toml does not say that this record is an invented person's. "
            'Add it: [trial] records = ["..."]',
        )
    deadline_s = float(str(partner.reach.get("deadline_s", DEADLINE_S)))
    yield _coverage(connector)
    found: tuple[str, ...] = ()
    if person is not None:
        trials, found = _searches(connector, person, deadline_s)
        yield from trials
    else:
        yield Trial("find", None, "no person was named; give --family, --given and --born, or --nhs-number")
    records = (record,) if record else found
    if not records:
        yield Trial("known_to", False, "there is no record to ask about; put the test person in, or give --record")
        return
    everything = {category: frozenset(f.name for f in fields) for category, fields in partner.offers.items()}
    ask = Ask(partner.code, "trial", records, None, everything, "CONTRACT_TRIAL", _no_promise(partner))
    yield _known_to(connector.known_to(ask, deadline_s=deadline_s))
    yield from _fetch(partner, connector.fetch(ask, deadline_s=deadline_s))
    yield _nobody(connector.fetch(replace(ask, records=(NOBODY,)), deadline_s=deadline_s))
    yield _in_time(connector, ask, deadline_s)
    if partner.way != "extract":
        yield _too_late(connector.fetch(ask, deadline_s=0.0))


def _coverage(connector: Connector) -> Trial:
    coverage = connector.coverage()
    since = f", since {coverage.since}" if coverage.since else ""
    return Trial("coverage", bool(coverage.sentence.strip()), f"{coverage.sentence}{since}")


def _searches(connector: Connector, person: PersonQuery, deadline_s: float) -> tuple[list[Trial], tuple[str, ...]]:
    """The search for the person, and for somebody who differs in the day of birth; and whose record was found."""
    trials: list[Trial] = []
    records: tuple[str, ...] = ()
    try:
        candidates = _invented(connector, person, deadline_s)
        records, match = the_one(person, candidates)
        words = f"{_count(len(candidates), 'candidate')}, one is meant, {match}" if records else NOBODY_INVENTED
        trials.append(Trial("find", bool(records), words))
    except ConnectorError as error:
        trials.append(Trial("find", None if error.code == NoAnswerReason.NOT_CONFIGURED else False, _why(error)))
        return trials, ()
    if person.date_of_birth is None:
        trials.append(Trial("find somebody else", None, "give --born, so that another birth date can be tried"))
        return trials, records
    other = replace(person, date_of_birth=person.date_of_birth + timedelta(days=1))
    try:
        mistaken, _ = the_one(other, _invented(connector, other, deadline_s))
        words = "the person was taken for somebody born a day later" if mistaken else "nobody is taken for the person"
        trials.append(Trial("find somebody else", not mistaken, words))
    except ConnectorError as error:
        trials.append(Trial("find somebody else", False, _why(error)))
    return trials, records


def _no_promise(partner: Partner) -> Promise:
    """Says that a trial asks, which no trail records. Unsigned: a partner that checks promises refuses it."""
    return Promise("contract-trial", partner.code, 'eid="contract-trial"')


def _invented(connector: Connector, person: PersonQuery, deadline_s: float) -> tuple[SourceRecord, ...]:
    """Those of the partner's candidates who are invented: whoever may be somebody is passed over as if not there."""
    partner = connector.partner
    found = connector.find(person, promise=_no_promise(partner), deadline_s=deadline_s)
    numbers = {c.record: [i.value for i in c.person.identifiers if i.system == NHS_NUMBER] for c in found}
    return tuple(
        c
        for c in found
        if all(map(is_test_number, numbers[c.record])) and (numbers[c.record] or c.record in partner.invented)
    )


def _known_to(answer: Answer) -> Trial:
    wrong = {item.category for item in answer.items} - {DataCategory.SERVICE_INVOLVEMENT}
    if wrong:
        return Trial("known_to", False, f"more than involvement came: {', '.join(sorted(wrong))}")
    return Trial("known_to", answer.state is AnswerState.FOUND, _said(answer))


def _fetch(partner: Partner, answer: Answer) -> Iterator[Trial]:
    yield Trial("fetch", answer.state is AnswerState.FOUND, _said(answer))
    if answer.state is AnswerState.FOUND:
        clean = "every piece was about the person and could be read"
        dropped = f"{_count(answer.dropped, 'piece')} dropped: broken, or about somebody else"
        yield Trial("fetch, nothing dropped", not answer.dropped, dropped if answer.dropped else clean)
    for category, fields in sorted(partner.offers.items()):
        came = {name for item in answer.items if item.category is category for name in item.values}
        missing = sorted({f.name for f in fields} - came)
        if came:
            words = f"{', '.join(sorted(came))}" + (f"; never filled here: {', '.join(missing)}" if missing else "")
            yield Trial(f"fetch {category}", True, words)
        else:
            yield Trial(f"fetch {category}", None, "nothing of this came; give the test person one, to see it work")


def _nobody(answer: Answer) -> Trial:
    well = answer.state is AnswerState.NOTHING_HELD and not answer.dropped
    words = "nothing held" if well else f"expected nothing held; {_said(answer)}"
    return Trial("fetch of a record that nobody has", well, words)


def _in_time(connector: Connector, ask: Ask, deadline_s: float) -> Trial:
    ask = replace(ask, wanted=only_involvement(ask.wanted))
    taken, late = [], 0
    for _ in range(QUESTIONS):
        begun = time.monotonic()
        answer = connector.known_to(ask, deadline_s=deadline_s)
        taken.append(time.monotonic() - begun)
        late += answer.state is AnswerState.NO_ANSWER
    words = f"slowest of {QUESTIONS}: {max(taken) * 1000:.0f} ms; allowed: {deadline_s * 1000:.0f} ms"
    return Trial("deadline kept", not late, words + (f"; {late} not answered" if late else ""))


def _too_late(answer: Answer) -> Trial:
    well = (answer.state, answer.reason) == (AnswerState.NO_ANSWER, NoAnswerReason.TIMEOUT)
    return Trial("no time left", well, "no answer, never nothing held" if well else _said(answer))


def _said(answer: Answer) -> str:
    if answer.state is AnswerState.NO_ANSWER:
        return f"no answer: {answer.reason}"
    if answer.state is AnswerState.NOTHING_HELD:
        return "nothing held"
    return f"found, {_count(len(answer.items), 'piece')}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _why(error: ConnectorError) -> str:
    return f"{error.code}: {error.sentence}"
