"""What last month's decisions would have been under a changed agreement: recorded decisions, made again with it.

For: whoever proposes a change and whoever approves it. Must never show a fact of a case, only counts by agency and kind
of information. What was never asked for cannot be counted: with a wider agreement more might have been asked.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

from hub import decisions
from hub.assembly import Hub
from policies import Basis, Decision, DecisionRequest, SharingAgreement, as_if_in_force, basis_for, decide, in_force
from policies.vocabulary import AgreementStatus, Purpose

#: How far back is looked.
BACK = timedelta(days=30)
#: Decisions that are made again at most, the newest first: about three seconds of work.
MOST = 12_000
#: Statuses in which a proposed version would let something flow once it is signed.
FLOWING = frozenset({AgreementStatus.DRAFT, AgreementStatus.IN_SIGNING, AgreementStatus.ACTIVE})


@dataclass(frozen=True, slots=True)
class CellChange:
    """Decisions about one kind of information between two agencies that would be others: more shown, or less."""

    owner: str
    recipient: str
    category: str
    purpose: str
    more: int
    less: int


@dataclass(frozen=True, slots=True)
class Impact:
    """Disclosures and decisions of the last month that were looked at, how many would differ, and where.

    `whole` is false when there were more than could be looked at: then these are the newest.
    """

    disclosures: int
    affected: int
    decisions: int
    changed: int
    whole: bool
    cells: tuple[CellChange, ...]

    def to_json(self) -> str:
        """As text, for the proposal."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "Impact":
        """From that text."""
        plain = json.loads(text)
        cells = tuple(CellChange(**one) for one in plain.pop("cells"))
        return Impact(**plain, cells=cells)


def impact_of(hub: Hub, before: SharingAgreement, after: SharingAgreement, now: datetime) -> Impact:
    """Makes the decisions of the last month again as if `after` had been in force, signed by all its parties.

    They are held against what is in force now: where the policy of that day is still this one, against what was
    recorded; else against the same decision under the agreements of today, so that only this change is counted.
    """
    current = next((one for one in in_force(hub.agreements, now.date()) if one.reference == after.reference), None)
    later = _flows(after, current)
    purposes = {purpose for one in (before, after) for clause in one.clauses for purpose in clause.purposes}
    more: Counter[tuple[str, str, str, str]] = Counter()
    less: Counter[tuple[str, str, str, str]] = Counter()
    disclosures = affected = seen = 0
    whole = True
    for page in decisions.pages(hub, since=now - BACK, until=now + timedelta(seconds=1)):
        if seen >= MOST:
            whole = False
            break
        disclosures += 1
        seen += len(page.made)
        day = datetime.fromtimestamp(page.t / 1000, UTC).date()
        was = None if page.bundle_name == hub.policy_bundle else _instead(page.bundle.agreements, after, current, day)
        would_be = _instead(page.bundle.agreements, after, later, day)
        before_page = (more.total(), less.total())
        for one in page.made:
            if one.request.purpose not in purposes:
                continue
            old = one.decision if was is None else decide(_with(one.request, was, day))
            new = decide(_with(one.request, would_be, day))
            if not _says_the_same(old, new):
                (more if len(new.fields) > len(old.fields) else less)[_where(one.request)] += 1
        affected += before_page != (more.total(), less.total())
    cells = tuple(CellChange(*where, more[where], less[where]) for where in sorted({*more, *less}))
    return Impact(disclosures, affected, seen, more.total() + less.total(), whole, cells)


def _flows(after: SharingAgreement, current: SharingAgreement | None) -> SharingAgreement | None:
    """Which version would be in force: the proposed one, none when it is stopped, or still the present one."""
    if after.status in FLOWING:
        return after
    return None if current is None or current.version == after.version else current


def _instead(
    agreements: Iterable[SharingAgreement], changed: SharingAgreement, one: SharingAgreement | None, day: date
) -> tuple[SharingAgreement, ...]:
    """The agreements of that day with one version, or none, in place of every version of the changed reference."""
    others = tuple(other for other in agreements if other.reference != changed.reference)
    return others if one is None else (*others, as_if_in_force(one, day))


def _where(request: DecisionRequest) -> tuple[str, str, str, str]:
    return request.owner.agency, request.recipient.agency, str(request.item.category), str(request.purpose)


def _with(request: DecisionRequest, agreements: tuple[SharingAgreement, ...], day: date) -> DecisionRequest:
    """The same request under other agreements, which also say which lawful basis each side claims."""
    assert isinstance(request.purpose, Purpose)
    recipient = basis_for(agreements, request.recipient.agency, request.purpose, day) or Basis()
    owner = request.owner.basis and (basis_for(agreements, request.owner.agency, request.purpose, day) or Basis())
    return replace(
        request,
        agreements=tuple(one.for_decision() for one in agreements),
        recipient=replace(request.recipient, basis=recipient),
        owner=replace(request.owner, basis=owner),
    )


def _says_the_same(one: Decision, other: Decision) -> bool:
    return (one.outcome, one.answer, one.fields) == (other.outcome, other.answer, other.fields)
