"""The data-quality report that goes back to an agency: what is wrong with its own records, by its own numbers.

For: that agency's steward and operator. Must never show another agency's report, a value of any record, or who says
otherwise; what follows from another agency's record is told only of people whom a steward may compare (P27, P28).
"""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from audit import Receipt
from hub.assembly import Hub
from hub.casefile import london
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.errors import NotFound
from hub.exporting import neutral
from hub.matching_agreed import matching_allowed
from hub.people import quality
from hub.people.quality import COMPARED, KINDS
from hub.stewardship import of_person
from policies.vocabulary import Purpose

#: Records of one kind that the page names; the file has all.
NAMED = 20
#: Comparisons with other agencies that are decided one by one for a report; each is a decision for every record of a
#: person.
MOST_COMPARED = 150
COLUMNS = ("record", "finding", "meaning", "export_receipt")


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: kinds with their counts and the first records of each; the rest is in the file."""

    agency: str
    records: int
    counts: Counter[str]
    named: dict[str, tuple[str, ...]]
    looked_at: datetime | None
    #: Persons whose records might differ from other agencies' and who were not compared this time.
    not_compared: int
    receipt: Receipt


def report(hub: Hub, ctx: RequestContext) -> Report:
    """The report of the reader's own agency. Raises NotFound without an agreement for matching. Effects: one event."""
    agency = _agency(hub, ctx)
    counts: Counter[str] = Counter()
    named: dict[str, list[str]] = {kind: [] for kind in KINDS}
    found, not_compared = _found(hub, ctx, agency)
    for record, kind in found:
        counts[kind] += 1
        if len(named[kind]) < NAMED:
            named[kind].append(record)
    with hub.db.session() as session:
        records, _, looked_at = quality.counts(session, agency)
    receipt = _record(hub, ctx, agency, counts, "QUALITY-SHOWN")
    return Report(agency, records, counts, {k: tuple(v) for k, v in named.items()}, looked_at, not_compared, receipt)


def as_csv(hub: Hub, ctx: RequestContext) -> tuple[str, Receipt]:
    """The same as a file that no spreadsheet runs. Raises NotFound as `report` does. Effects: one event."""
    agency = _agency(hub, ctx)
    found, not_compared = _found(hub, ctx, agency)
    receipt = _record(hub, ctx, agency, Counter(kind for _, kind in found), "QUALITY-EXPORTED")
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows([neutral(record), kind, neutral(KINDS[kind]), receipt.eid] for record, kind in found)
    if not_compared:
        writer.writerow(["", "NOT_COMPARED", f"{not_compared} people not compared", receipt.eid])
    # The last line is there whatever was found: every file carries the number of its own record.
    writer.writerow(["", "END", f"{len(found)} findings", receipt.eid])
    return text.getvalue(), receipt


def _agency(hub: Hub, ctx: RequestContext) -> str:
    agency = ctx.actor.agency
    if agency not in hub.partners or not matching_allowed(hub.agreements, agency, london(ctx.now).date()):
        raise NotFound("Your agency takes part in no matching: there is nothing to report.", next_steps=())
    return agency


def _found(hub: Hub, ctx: RequestContext, agency: str) -> tuple[list[tuple[str, str]], int]:
    """(record, kind) of all that may be told - a comparison with other agencies only where a steward may see both - and
    how many persons were not compared."""
    with hub.db.session() as session:
        found = list(quality.findings(session, agency))
    persons = dict.fromkeys(person for _, kind, person in found if kind in COMPARED)
    compared = {person for person in list(persons)[:MOST_COMPARED] if _may_compare(hub, ctx, person)}
    told = [(record, kind) for record, kind, person in found if kind not in COMPARED or person in compared]
    return told, max(0, len(persons) - MOST_COMPARED)


def _may_compare(hub: Hub, ctx: RequestContext, person: str) -> bool:
    try:
        of_person(hub, ctx, person)
    except NotFound:
        return False
    return True


def _record(hub: Hub, ctx: RequestContext, agency: str, counts: Counter[str], outcome: str) -> Receipt:
    return hub.trail.append(
        "export",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.DATA_MATCHING,
        trace=ctx.request_id,
        recipient=agency,
        outcome=outcome,
        action="data-quality",
        data=[{"agency": agency, "category": "DEMOGRAPHIC", "count": sum(counts.values())}],
    )
