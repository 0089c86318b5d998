"""How good the matching is: links, households and pictures against truth, per agency pair.

For: `python -m hub match measure` and `pictures`, after the linking is done. The only place that reads truth; nothing
that links may import it. Must never print a name, a date of birth or an address. Ruled by docs/matching.md.
"""

import csv
import re
import secrets
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from connectors import SourceRecord
from hub.db import Database, make_engine
from hub.keys import KeyRing
from hub.keys import metadata as key_tables
from hub.people import tables
from hub.people.families import Family, family_of
from hub.people.linking import relink
from hub.people.refresh import refresh
from hub.people.said import best_birth_date, most_said
from policies.vocabulary import RelationToIndex

Key = tuple[str, str]
#: Pictures are asked for children whom this agency of the measuring set holds.
CHILDREN_OF = "council_csc"
#: A truth "household" above this size is a home, a hostel or a barracks.
LARGEST_HOUSEHOLD = 20
_HEADING = "agencies | true | links | missed | wrong | of these same household | P | R | F1 | R with review | to review"


@dataclass(frozen=True, slots=True)
class Truth:
    """Who is who, for measuring: (agency, record) -> person, person -> household and age."""

    person: Mapping[Key, str]
    household: Mapping[str, str]
    age: Mapping[str, int]

    @classmethod
    def read(cls, folder: Path) -> "Truth":
        """Reads truth_records.csv and, where they exist, truth_housing_members.csv and truth_persons_households.csv."""
        person = {(r["agency"], r["record_id"]): r["person_id"] for r in rows_of(folder / "truth_records.csv")}
        for row in rows_of(folder / "truth_housing_members.csv"):
            person["housing", f"{row['record_id']}#{row['slot']}"] = row["person_id"]
        rows = list(rows_of(folder / "truth_persons_households.csv"))
        household = {r["person_id"]: r["household_id"] for r in rows}
        return cls(person, household, {r["person_id"]: int(r["age"]) for r in rows if r.get("age", "").isdigit()})

    @classmethod
    def described(cls, folder: Path, description: Path) -> "Truth":
        """Reads truth that lies in other files, as a TOML file describes it.

        `[[records]]` with `file`, `agency` (a name) or `agency_column`, `record` and `person` (columns), and `pattern`
        where only a part of the person column, its first group, is the person.
        """
        person: dict[Key, str] = {}
        for one in tomllib.loads(description.read_text(encoding="utf-8"))["records"]:
            for row in rows_of(folder / one["file"]):
                found = re.search(one.get("pattern", "(.*)"), row[one["person"]])
                if found:
                    agency = row[one["agency_column"]] if "agency_column" in one else one["agency"]
                    person[agency, row[one["record"]].strip()] = found[1]
        return cls(person, {}, {})

    def same_household(self, one: str, other: str) -> bool:
        """Whether two persons are of one household."""
        return self.household.get(one) is not None and self.household.get(one) == self.household.get(other)

    def of(self, record: SourceRecord) -> str | None:
        """The person of a record."""
        return self.person.get((record.agency, record.record))


def rows_of(path: Path) -> Iterable[dict[str, str]]:
    """The rows of a CSV file; none when there is no such file."""
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file, skipinitialspace=True)


def measure_links(links: Path, known: Truth) -> Iterable[str]:
    """A line per agency pair: true, found, missed, wrong, another of the household, P, R, F1, R with review."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for (agency, _), person in known.person.items():
        held[person][agency] += 1
    for per_agency in held.values():
        names = sorted(per_agency)
        for at, one in enumerate(names):
            counts[one, one]["true"] += per_agency[one] * (per_agency[one] - 1) // 2
            for other in names[at + 1 :]:
                counts[one, other]["true"] += per_agency[one] * per_agency[other]
    for row in rows_of(links):
        a = known.person.get((row["agency_a"], row["record_a"]))
        b = known.person.get((row["agency_b"], row["record_b"]))
        low, high = sorted((row["agency_a"], row["agency_b"]))
        count = counts[low, high]
        if a is None or b is None:
            count["unknown"] += row["outcome"] == "auto"
        elif row["outcome"] == "review":
            count["review"] += 1
            count["review right"] += a == b
        else:
            count["links"] += 1
            count["right"] += a == b
            count["household"] += a != b and known.same_household(a, b)
    yield _HEADING
    total: Counter[str] = Counter()
    for pair in sorted(counts):
        if counts[pair]["true"] or counts[pair]["links"]:
            total.update(counts[pair])
            yield _line(" x ".join(pair), counts[pair])
    yield _line("all", total)
    per_thousand = 1000 * total["household"] / max(1, total["links"])
    yield f"wrong household member: {total['household']} of {total['links']} links, {per_thousand:.2f} per 1,000"
    yield f"links of records that truth does not know: {total['unknown']}"


def _line(name: str, c: Mapping[str, int]) -> str:
    precision, recall = c["right"] / max(1, c["links"]), c["right"] / max(1, c["true"])
    f1 = 2 * c["right"] / max(1, c["links"] + c["true"])
    wide = (c["right"] + c["review right"]) / max(1, c["true"])
    return (
        f"{name} | {c['true']} | {c['links']} | {c['true'] - c['right']} | {c['links'] - c['right']} | "
        f"{c['household']} | {precision:.4f} | {recall:.4f} | {f1:.4f} | {wide:.4f} | {c['review']}"
    )


def measure_families(families_file: Path, known: Truth) -> Iterable[str]:
    """Households of children: pairs of people who live together, and how many households were recovered whole."""
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows_of(families_file):
        person = known.person.get((row["agency"], row["record"]))
        if person is not None and person in known.household:
            votes[person][row["household"]] += 1
    said: dict[str, set[str]] = defaultdict(set)
    true: dict[str, set[str]] = defaultdict(set)
    for person, counted in votes.items():
        said[max(sorted(counted), key=counted.__getitem__)].add(person)
        true[known.household[person]].add(person)
    homes = [
        members
        for members in true.values()
        if len(members) <= LARGEST_HOUSEHOLD and any(known.age.get(p, 99) < 18 for p in members)
    ]
    home_of = {person: members for members in said.values() for person in members}
    whole = sum(all(home_of[p] == members for p in members) for members in homes)
    right = sum(len(home_of[p] & members) - 1 for members in homes for p in members)
    wanted = sum(len(members) - 1 for members in homes for _ in members)
    given = sum(len(home_of[p]) - 1 for members in homes for p in members)
    yield (
        f"child households: {len(homes)}, recovered whole {whole} ({whole / max(1, len(homes)):.4f}), "
        f"pairs P {right / max(1, given):.4f} R {right / max(1, wanted):.4f}"
    )


_BANDS = ((0, "0 to 4"), (5, "5 to 17"), (18, "18 to 39"), (40, "40 to 64"), (65, "65 and over"))
_SEXES = {"1": "male", "2": "female"}
#: A missed share is set beside everybody's only from this many true pairs on.
ENOUGH_TO_COMPARE = 200


def groups_of(held: Sequence[SourceRecord], known: Truth, today: date) -> Mapping[str, tuple[str, str, str]]:
    """Person -> (age band, sex, ethnic group) as most records say."""
    records: dict[str, list[SourceRecord]] = defaultdict(list)
    for record in held:
        if (who := known.of(record)) is not None:
            records[who].append(record)
    found = {}
    for who, own in records.items():
        born = best_birth_date(own)
        age = known.age.get(who, today.year - born.date.year if born else None)
        band = [words for least, words in _BANDS if age is not None and least <= age]
        sex = _SEXES.get(most_said(r.person.sex_code for r in own) or "", "not held")
        found[who] = (
            band[-1] if band else "not held",
            sex,
            most_said(r.person.ethnicity_code for r in own) or "not held",
        )
    return found


def measure_fairness(links: Path, known: Truth, held: Sequence[SourceRecord], today: date) -> Iterable[str]:
    """Missed and wrong links between records of different agencies by age band, sex and ethnic group.

    A wrong link counts for the group of each of its two persons. The ratio is the group's missed share over
    everybody's, told only where the group is large enough.
    """
    groups = groups_of(held, known, today)
    counts: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    per_person: dict[str, Counter[str]] = defaultdict(Counter)
    for record in held:
        if (who := known.of(record)) is not None:
            per_person[who][record.agency] += 1
    for who, agencies in per_person.items():
        pairs = (agencies.total() ** 2 - sum(n * n for n in agencies.values())) // 2
        for at, group in enumerate(groups[who]):
            counts[at, group]["true"] += pairs
    for row in rows_of(links):
        a = known.person.get((row["agency_a"], row["record_a"]))
        b = known.person.get((row["agency_b"], row["record_b"]))
        if row["outcome"] != "auto" or row["agency_a"] == row["agency_b"] or a is None or b is None:
            continue
        if a not in groups or b not in groups:
            continue
        for who in {a, b}:
            for at, group in enumerate(groups[who]):
                counts[at, group]["right" if a == b else "wrong"] += 1
    everybody: Counter[str] = Counter()
    for (at, _), count in counts.items():
        if at == 0:
            everybody.update(count)
    overall = 1 - everybody["right"] / max(1, everybody["true"])
    yield "group | true | missed | wrong | missed share | to everybody's"
    for (at, group), c in sorted(counts.items()):
        if not (c["true"] or c["wrong"]):
            continue
        share = 1 - c["right"] / max(1, c["true"])
        ratio = f"{share / overall:.2f}" if overall and c["true"] >= ENOUGH_TO_COMPARE else "too few"
        name = ("age", "sex", "ethnic group")[at]
        yield f"{name} {group} | {c['true']} | {c['true'] - c['right']} | {c['wrong']} | {share:.4f} | {ratio}"


@dataclass(frozen=True, slots=True)
class PictureCount:
    """What the pictures of some children came to."""

    children: int
    whole: int
    found: int
    missed: int
    wrong: int
    elsewhere: int
    records: int
    records_of_another: int
    median_ms: float
    p95_ms: float

    def lines(self) -> Iterable[str]:
        """The counts in words."""
        yield f"children: {self.children}, household exactly right: {self.whole}"
        yield f"family members at home: found {self.found}, missed {self.missed}, wrong {self.wrong}"
        yield f"family shown as living elsewhere or formerly there: {self.elsewhere}"
        yield f"records shown: {self.records}, joined to the wrong person: {self.records_of_another}"
        yield f"family_of: median {self.median_ms:.1f} ms, p95 {self.p95_ms:.1f} ms"


def measure_pictures(held: Sequence[SourceRecord], known: Truth, most: int | None) -> PictureCount:
    """End to end through the index: who of a child's household was found, missed, wrongly there."""
    own: dict[str, SourceRecord] = {}
    for r in held:
        child = known.of(r)
        if r.agency == CHILDREN_OF and child and known.age.get(child, 99) < 18:
            own.setdefault(child, r)
    children = sorted(own)
    if most is not None and most < len(children):
        children = [children[at * len(children) // most] for at in range(most)]
    recorded = {who for r in held if (who := known.of(r))}
    at_home: dict[str, set[str]] = defaultdict(set)
    for person, home in known.household.items():
        if person in recorded:
            at_home[home].add(person)
    now = datetime.now(UTC)
    count: Counter[str] = Counter()
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder, FreshIndex(Path(folder), held, now) as (session, keys):
        person_of = {(r.agency, r.record): r.person for r in session.execute(tables.records.select())}
        for child in children:
            began = time.perf_counter()
            family = family_of(session, keys, person_of[CHILDREN_OF, own[child].record], now=now)
            took.append(1000 * (time.perf_counter() - began))
            found = _found_at_home(family, known, count) - {child}
            wanted = at_home[known.household[child]] - {child}
            count["found"] += len(wanted & found)
            count["missed"] += len(wanted - found)
            count["wrong"] += len(found - wanted)
            count["whole"] += wanted == found
    took.sort()
    return PictureCount(
        len(children),
        count["whole"],
        count["found"],
        count["missed"],
        count["wrong"],
        count["elsewhere"],
        count["records"],
        count["another"],
        took[len(took) // 2],
        took[int(0.95 * len(took))],
    )


def _found_at_home(family: Family, known: Truth, count: Counter[str]) -> set[str]:
    """Who truly are the people shown in the home of the person asked about; counts records on the way."""
    index = next(m for m in family.members if m.relation_to_index == RelationToIndex.INDEX)
    found = set()
    for member in family.members:
        truly = Counter(who for r in member.records if (who := known.of(r)) is not None)
        count["records"] += len(member.records)
        if not truly:
            continue
        most = max(sorted(truly), key=truly.__getitem__)
        count["another"] += truly.total() - truly[most]
        if member is index:
            continue
        if member.household is not None and member.household == index.household:
            found.add(most)
        else:
            count["elsewhere"] += 1
    return found


class FreshIndex(AbstractContextManager[tuple[Session, KeyRing]]):
    """An index of its own in a temporary folder, filled with these records."""

    def __init__(self, folder: Path, held: Sequence[SourceRecord], now: datetime) -> None:
        self.database = Database(make_engine(f"sqlite:///{folder / 'index.sqlite'}"))
        key_tables.create_all(self.database.engine)
        tables.metadata.create_all(self.database.engine)
        self.keys = KeyRing(secrets.token_bytes(32), self.database.session)
        agencies: dict[str, list[SourceRecord]] = defaultdict(list)
        for record in held:
            agencies[record.agency].append(record)
        for agency in agencies:
            self.keys.seal(agency, b"", "makes the agency's key before the write transaction begins")
        with self.database.writing() as session:
            for agency, records in agencies.items():
                refresh(session, self.keys, records, agency=agency, now=now, link=False)
            relink(session, self.keys, now=now)

    def __enter__(self) -> tuple[Session, KeyRing]:
        self.session = Session(self.database.engine)
        return self.session, self.keys

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self.database.engine.dispose()
