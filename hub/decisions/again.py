"""Making recorded decisions again: the same facts, the same agreements, and is it the same answer?

For: the command that says so of every decision in the trail, the officer who asks why, and the question what another
agreement would have changed. Must never show a fact of a request to anybody: only decisions and their reasons leave
this room.
"""

import hashlib
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.sql import Select

from audit import Entry
from hub.assembly import Hub
from hub.decisions.tables import decision_records, policy_bundles
from hub.erasure import SubjectErased, month_of
from hub.errors import KeyRefused, NotFound
from hub.keys import HUB
from policies import Bundle, BundleInvalid, Made, RecordInvalid, decide, read_bundle, read_made, rules_hash

#: Events or rows that are looked up at a time.
AT_A_TIME = 200
#: How a decision compares with the one that was recorded.
SAME, DIFFERENT, OTHER_RULES = "same", "different", "other rules"
#: Why a decision cannot be made again.
ERASED, UNREADABLE = "erased", "unreadable"
#: What each of them means, for those who read the count.
OUTCOMES: Mapping[str, str] = {
    SAME: "the same answer, the same fields, obligations and rules",
    DIFFERENT: "another answer by the same rules and agreements: a fault",
    OTHER_RULES: "another answer, because this release has other rules",
    ERASED: "the key of the person it is about is destroyed",
    UNREADABLE: "this release cannot read what it was made of",
}


class Row(NamedTuple):
    """What is stored of one event."""

    eid: str
    t: int
    agency: str
    bundle: str
    decisions: int
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """The decisions of one event. `people` has the number of the capsule of the person that each is about."""

    eid: str
    t: int
    bundle_name: str
    bundle: Bundle
    made: tuple[Made, ...]
    people: tuple[int, ...]
    unreadable: int


@dataclass(slots=True)
class Replayed:
    """What came of making decisions again: events, decisions by how they compare, and the events to look into."""

    events: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """True when no decision by the present rules is answered otherwise now, and every record is what it was."""
        return not self.differing and not self.altered


def replay(hub: Hub, *, since: datetime | None = None, until: datetime | None = None) -> Replayed:
    """Makes every decision that the trail recorded in a period again, and holds each record against the trail."""
    found, bundles = Replayed(), _Bundles(hub)
    first, last = (int(day.timestamp() * 1000) if day else None for day in (since, until))
    batch: list[Entry] = []
    for entry in hub.trail.events():
        inside = (first is None or entry.t >= first) and (last is None or entry.t < last)
        if inside and "record" in entry.fields.get("decision", {}):
            batch.append(entry)
        if len(batch) == AT_A_TIME:
            _replay(hub, bundles, batch, found)
            batch = []
    _replay(hub, bundles, batch, found)
    return found


def _replay(hub: Hub, bundles: "_Bundles", entries: list[Entry], found: Replayed) -> None:
    rows = _rows(hub, select(decision_records).where(decision_records.c.eid.in_([entry.eid for entry in entries])))
    by_event = {row.eid: row for row in rows}
    for entry in entries:
        found.events += 1
        row = by_event.get(entry.eid)
        if row is None:
            _count_as_gone(hub, entry, found)
        elif not _fits(entry, row):
            found.altered.append(entry.eid)
        else:
            _compare_all(hub, bundles, row, found)


def _count_as_gone(hub: Hub, entry: Entry, found: Replayed) -> None:
    """With its month's key a record goes too; while the key is there, somebody took the record away."""
    agency, month = entry.fields["user"]["agency"], month_of(entry.t)
    if (agency, month) in hub.subject_keys.store.months():
        found.altered.append(entry.eid)
    else:
        found.decisions[ERASED] += 1


def _compare_all(hub: Hub, bundles: "_Bundles", row: Row, found: Replayed) -> None:
    page = _opened(hub, bundles, row)
    if page is None:
        found.decisions[UNREADABLE] += row.decisions
        return
    counts = Counter(compare(page.bundle, one) for one in page.made)
    counts[UNREADABLE] += page.unreadable
    counts[ERASED] += row.decisions - len(page.made) - page.unreadable
    found.decisions += counts
    if counts[DIFFERENT]:
        found.differing.append(row.eid)


def compare(bundle: Bundle, one: Made) -> str:
    """Whether a decision is the same now; another answer under other rules than those of the day is no fault."""
    if decide(one.request) == one.decision:
        return SAME
    return DIFFERENT if bundle.rules == rules_hash() else OTHER_RULES


def page_of(hub: Hub, entry: Entry) -> Page:
    """The decisions of one event. Raises NotFound when none were kept, or they were altered since."""
    row = next(iter(_rows(hub, select(decision_records).where(decision_records.c.eid == entry.eid))), None)
    page = _opened(hub, _Bundles(hub), row) if row is not None and _fits(entry, row) else None
    if page is None:
        raise NotFound("What was decided here was not kept, or cannot be read any more.")
    return page


def pages(hub: Hub, *, since: datetime, until: datetime) -> Iterator[Page]:
    """The pages of a period that can be read, newest first."""
    bundles, r = _Bundles(hub), decision_records.c
    query = select(decision_records).order_by(r.t.desc(), r.eid.desc()).limit(AT_A_TIME)
    query = query.where(r.t >= int(since.timestamp() * 1000), r.t < int(until.timestamp() * 1000))
    rows = _rows(hub, query)
    while rows:
        for row in rows:
            page = _opened(hub, bundles, row)
            if page is not None:
                yield page
        t, eid = rows[-1].t, rows[-1].eid
        rows = _rows(hub, query.where((r.t < t) | ((r.t == t) & (r.eid < eid))))


class _Bundles:
    """The bundles of the rows that are looked at, each read once."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._read: dict[str, Bundle | None] = {}

    def named(self, name: str) -> Bundle | None:
        """The bundle; None when it is not kept, was altered, or this release cannot read it."""
        if name not in self._read:
            query = select(policy_bundles.c.text).where(policy_bundles.c.bundle == name)
            with self._hub.db.session() as session:
                text = session.execute(query).scalar()
            try:
                self._read[name] = read_bundle(text, name) if text is not None else None
            except BundleInvalid:
                self._read[name] = None
        return self._read[name]


def _rows(hub: Hub, query: Select[tuple[object, ...]]) -> list[Row]:
    with hub.db.session() as session:
        return [Row(**row) for row in session.execute(query).mappings()]


def _fits(entry: Entry, row: Row) -> bool:
    decision: Mapping[str, str] = entry.fields.get("decision", {})
    return decision.get("record") == hashlib.sha256(row.sealed).hexdigest()


def _opened(hub: Hub, bundles: _Bundles, row: Row) -> Page | None:
    """The page; the decisions about somebody whose key is destroyed are not in it. None when nothing can be read."""
    bundle = bundles.named(row.bundle)
    if bundle is None:
        return None
    try:
        plain = hub.keys.open(HUB, row.sealed, "decisions:" + row.eid)
    except KeyRefused:
        return None
    deciding = tuple(one.for_decision() for one in bundle.agreements)
    made: list[Made] = []
    people: list[int] = []
    unreadable = 0
    for number, count, capsule in _capsules(plain):
        try:
            text = zlib.decompress(hub.subject_keys.open(capsule)).decode()
            theirs = read_made(text, deciding, bundle.gateways)
        except SubjectErased:
            continue
        except (KeyRefused, RecordInvalid):
            unreadable += count
            continue
        made += theirs
        people += [number] * len(theirs)
    return Page(row.eid, row.t, row.bundle, bundle, tuple(made), tuple(people), unreadable)


def _capsules(plain: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The number of each person, how many decisions are about them, and the capsule that holds these."""
    at = 0
    while at < len(plain):
        number, count, length = struct.unpack_from(">III", plain, at)
        yield number, count, plain[at + 12 : at + 12 + length]
        at += 12 + length
