"""What the records of one person say together: the name, birth date and sex that most agree on, and every flag.

For: whoever shows or decides about a person whom several agencies know. Must never settle a contradiction for good:
the records stay as they are. Ruled by docs/matching.md.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from connectors import Name, PartialDate, SourceRecord
from hub.people.matching.normalise import PROTECTED
from policies.vocabulary import SubjectFlag


def age_on(born: PartialDate | None, now: datetime) -> int | None:
    """Full years of age, or None without a date of birth; with an unknown day or month the least age it can be."""
    if born is None or born.accuracy[2:3] == "U":
        return None
    month_day = (
        12 if born.accuracy[1:2] == "U" else born.date.month,
        31 if born.accuracy[0:1] == "U" else born.date.day,
    )
    years = now.year - born.date.year - ((now.month, now.day) < month_day)
    return max(0, years)


def best_name(names: Sequence[Name]) -> str:
    """The name most records agree on, the fullest of those; empty when nobody has one."""
    current = [n for n in names if n.use not in ("old", "maiden", "nickname", "anonymous")] or list(names)
    if not current:
        return ""
    written = [(" ".join(n.given), " ".join(n.family)) for n in current]
    family = Counter(f.casefold() for _, f in written if f)
    given = Counter(g.split()[0].casefold() for g, _ in written if g)

    def rank(one: tuple[str, str]) -> tuple[int, int, int, tuple[str, str]]:
        g, f = one
        return (bool(g) + bool(f), family[f.casefold()] + (given[g.split()[0].casefold()] if g else 0), len(g), one)

    g, f = max(written, key=rank)
    return f"{g} {f}".strip()


def best_birth_date(records: Sequence[SourceRecord]) -> PartialDate | None:
    """The birth date most records agree on; full dates before partial ones."""
    dates = Counter(r.person.date_of_birth for r in records if r.person.date_of_birth)
    return max(dates, key=lambda d: (d.accuracy.count("A"), dates[d], d.date), default=None)


def most_said(values: Iterable[str | None]) -> str | None:
    """What most records say; None when none says anything."""
    counted = Counter(v for v in values if v)
    return max(counted, key=lambda v: (counted[v], v), default=None)


def flags_of(records: Iterable[SourceRecord]) -> frozenset[SubjectFlag]:
    """Every flag that any agency set, and that a person has died."""
    records = tuple(records)
    flags = frozenset(flag for r in records for flag in r.flags)
    return flags | {SubjectFlag.DECEASED} if any(r.person.is_deceased for r in records) else flags


def is_protected(records: Iterable[SourceRecord]) -> bool:
    """Whether any agency says that where this person is must not be known."""
    return bool(flags_of(records) & PROTECTED)
