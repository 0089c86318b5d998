"""Finding a person across agencies: the blind index, who could be meant, and which records are theirs.

For: steps 2 and 3 of the way of one request. Must never search or compare addresses for a person's search, never
answer a search that would list people (at most ten candidates, each named well enough to be meant), and never
hold an identity in the clear at rest. Ruled by docs/matching.md and the partnership's rules on search (P-rules).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from connectors import NHS_NUMBER, PartialDate
from hub.people import tables
from hub.people.matching.candidates import name_key, sound_key
from hub.people.matching.compare import COMPONENTS, DEFAULT_MODEL, Model, Scorer, Weight
from hub.people.matching.levels import LEVELS, WORDS
from hub.people.matching.normalise import Called, Prepared, born_key, prepare, short_forms
from hub.people.query import CandidateQuery
from hub.people.said import age_on, best_birth_date, best_name, most_said
from hub.people.stored import Keys, blind_key, opened, rows_of_persons
from policies.vocabulary import SubjectFlag

#: At most this many candidates are ever shown (design rule: ten).
MOST_CANDIDATES = 10
#: At most this many sealed records are opened for one search.
MOST_OPENED = 60
#: At most this many hits of inexact keys are ranked; more says the key says too little.
_MOST_HITS = 1500

ADD_MORE = "Add the date of birth, or use the NHS number."


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be meant; a person confirms it. `hidden_exact`: what was typed names exactly this person
    (NHS number, or full name and date of birth), which is what may find a person who is hidden otherwise."""

    person: str
    name: str
    date_of_birth: PartialDate | None
    sex_code: str | None
    age: int | None
    agencies: tuple[str, ...]
    reasons: tuple[str, ...]
    strength: str
    score_bits: float
    #: (component, in words, bits) of what was typed and this person has: how the match adds up.
    parts: tuple[tuple[str, str, float], ...]
    flags: frozenset[SubjectFlag]
    hidden_exact: bool


@dataclass(frozen=True, slots=True)
class CandidateList:
    """Candidates, best first; or `too_wide` with what to add; or what was wrong with the question."""

    candidates: tuple[Candidate, ...] = ()
    too_wide: bool = False
    advice: str | None = None
    problems: tuple[str, ...] = ()


def candidates(
    session: Session, keys: Keys, query: CandidateQuery, *, now: datetime, limit: int = MOST_CANDIDATES
) -> CandidateList:
    """Who could be meant, at most ten, ranked and explained; a search that would list people is too wide.

    Effects: none; the caller audits. Never raises for what was typed.
    """
    if query.problems:
        return CandidateList(problems=query.problems)
    if advice := _too_thin(query):
        return CandidateList(too_wide=True, advice=advice)
    asked = _asked(query)
    exact, near = _keys_of(query, asked)
    hits = _hits(session, keys, exact)
    ranks = _rank(hits, exact)
    if query.date_of_birth is None and query.nhs_number is None and len(ranks) > MOST_CANDIDATES:
        return CandidateList(too_wide=True, advice=f"More than {MOST_CANDIDATES} people have this name. {ADD_MORE}")
    by_number = query.nhs_number is not None and any(exact[key] >= 10 for key, _, _ in hits)
    if not by_number and len(ranks) < MOST_OPENED:
        ranks = _rank([*hits, *_hits(session, keys, near)], exact | near)
    people = _first(session, ranks, MOST_OPENED)
    found = [c for person, rows in people if (c := _judge(keys, query, asked, person, rows, now)) is not None]
    found.sort(key=lambda c: (-c.hidden_exact, -c.score_bits, c.name, c.person))
    if query.date_of_birth is None and query.nhs_number is None:
        exactly = [c for c in found if "name equal" in c.reasons]
        if len(exactly) > MOST_CANDIDATES:
            return CandidateList(too_wide=True, advice=f"More than {MOST_CANDIDATES} people have this name. {ADD_MORE}")
    return CandidateList(tuple(found[: min(limit, MOST_CANDIDATES)]))


def _too_thin(query: CandidateQuery) -> str | None:
    if query.has_wildcard:
        return f"Wildcards such as * are not searched. Write the name in full. {ADD_MORE}"
    if query.nhs_number:
        return None
    long = [w for w in query.words if len(w) > 1]
    if not long:
        return "Add a name, or use the NHS number." if query.date_of_birth else f"Write the name in full. {ADD_MORE}"
    if query.date_of_birth is None and len(long) < 2:
        return f"One name alone finds too many people. Add the other name. {ADD_MORE}"
    if query.date_of_birth is not None and query.date_of_birth.accuracy != "AAA" and len(long) < 2:
        return "Add the other name, or the full date of birth."
    return None


def _asked(query: CandidateQuery) -> tuple[Called, ...]:
    """Every way to read the words as forenames and family name."""
    words = query.words
    if not words:
        return ()
    if len(words) == 1:
        return (Called(words, "", ()), Called((), words[0], ()))
    readings: dict[Called, None] = {}
    for cut in range(1, len(words)):
        left, right = words[:cut], words[cut:]
        forward, backward = (left, right), (right, left)
        for given, family in (backward,) if query.family_first else (forward, backward):
            readings.setdefault(Called(given, "".join(family), family if len(family) > 1 else ()))
    return tuple(readings)


def _keys_of(query: CandidateQuery, asked: tuple[Called, ...]) -> tuple[dict[str, int], dict[str, int]]:
    """(keys that name somebody, keys that come near), each with what a hit is worth for ranking."""
    exact: dict[str, int] = {}
    near: dict[str, int] = {}
    if query.nhs_number:
        exact[f"i:{NHS_NUMBER}:{query.nhs_number}"] = 10
    born = born_key(query.date_of_birth)
    is_full = born is not None and "00" not in (born[4:6], born[6:])
    if is_full and query.words:
        assert born is not None
        exact[f"d:{born}"] = 3
        if int(born[6:]) <= 12 and born[4:6] != born[6:]:
            near[f"d:{born[:4]}{born[6:]}{born[4:6]}"] = 2
    for name in asked:
        for given in name.given[:1]:
            if len(given) < 2:
                continue
            for family in (name.family, *name.parts):
                if not family:
                    continue
                exact[name_key(given, family)] = 3
                near.setdefault(sound_key(given, family), 1)
                for short in sorted(short_forms(given)):
                    near.setdefault(name_key(short, family), 2)
            if born:
                near[f"g:{given}:{born[:6]}"] = 2
                if is_full:
                    near[f"m:{given}:{born[4:]}"] = 2
    return exact, {key: worth for key, worth in near.items() if key not in exact}


def _hits(session: Session, keys: Keys, wanted: dict[str, int]) -> list[tuple[str, int, str]]:
    """(key, record, person) of every record that carries one of the keys."""
    if not wanted:
        return []
    clear = {blind_key(keys, key): key for key in wanted}
    query = (
        select(tables.keys.c.key, tables.keys.c.record_id, tables.records.c.person)
        .join(tables.records, tables.records.c.id == tables.keys.c.record_id)
        .where(tables.keys.c.key.in_(sorted(clear)), tables.records.c.person.is_not(None))
        .limit(_MOST_HITS)
    )
    return [(clear[key], record, person) for key, record, person in session.execute(query)]


def _rank(hits: Iterable[tuple[str, int, str]], worth: dict[str, int]) -> dict[str, int]:
    """Person -> worth of the different keys that found the person."""
    found: dict[str, set[str]] = defaultdict(set)
    for key, _, person in hits:
        found[person].add(key)
    return {person: sum(worth[key] for key in carried) for person, carried in found.items()}


def _first(session: Session, ranks: dict[str, int], most: int) -> list[tuple[str, list[Any]]]:
    """The rows of the best ranked persons, whole persons only, until `most` records are reached."""
    best = sorted(ranks, key=lambda person: (-ranks[person], person))[:most]
    rows: dict[str, list[Any]] = defaultdict(list)
    for row in rows_of_persons(session, best):
        rows[row.person].append(row)
    chosen, count = [], 0
    for person in best:
        if count and count + len(rows[person]) > most:
            break
        chosen.append((person, rows[person]))
        count += len(rows[person])
    return chosen


_GIVEN, _FAMILY, _MIDDLE, _BORN, _SEX, _PLACE, _NUMBER, _CONTACT = range(len(COMPONENTS))
_SWAPPED = LEVELS["given"].index("swapped")
_GOOD_GIVEN = frozenset(
    LEVELS["given"].index(x) for x in ("exact", "nickname", "spelling", "other", "initial", "swapped")
)
_GOOD_FAMILY = frozenset(LEVELS["family"].index(x) for x in ("exact", "part", "spelling", "swapped"))
_GOOD_BORN = frozenset(LEVELS["born"].index(x) for x in ("exact", "swapped", "digit", "partial"))
_SCORER = Scorer(Model.load(DEFAULT_MODEL))


def _judge(
    keys: Keys, query: CandidateQuery, asked: tuple[Called, ...], person: str, rows: Sequence[Any], now: datetime
) -> Candidate | None:
    """One person against the question: the best agreement of any of the person's records, component by component."""
    records = [opened(keys, row) for row in rows]
    prepared = [replace(prepare(r), place=None) for r in records]
    numbers = ((NHS_NUMBER, query.nhs_number),) if query.nhs_number else ()
    readings = [Prepared("", "", (name,), born_key(query.date_of_birth), None, None, numbers) for name in asked] or [
        Prepared("", "", (), born_key(query.date_of_birth), None, None, numbers)
    ]
    # Both orders of the words are read anyway: a reading in the right order explains better than a swapped one.
    weighed = [(_SCORER.weigh(p, wanted), wanted, p) for p in prepared for wanted in readings]
    weight, wanted, nearest = max(weighed, key=lambda x: (x[0].levels[_GIVEN] != _SWAPPED, x[0].bits))
    best = _best_levels(prepared, wanted, weight)
    if not _fits(query, best):
        return None
    is_exact_name = any(_is_full_name(query.words, name) for p in prepared for name in p.names)
    by_number = best[_NUMBER] == 0
    is_exact = by_number or (is_exact_name and best[_BORN] == 0 and query.date_of_birth is not None)
    reasons = _reasons(best, is_exact_name)
    return Candidate(
        person=person,
        name=best_name([n for r in records for n in r.person.names]),
        date_of_birth=(born := best_birth_date(records)),
        sex_code=most_said(r.person.sex_code for r in records),
        age=age_on(born, now),
        agencies=tuple(sorted({r.agency for r in records})),
        reasons=reasons,
        strength="exact" if is_exact else "strong" if weight.bits >= 20 or is_exact_name else "possible",
        score_bits=round(weight.bits, 3),
        parts=_parts(nearest, prepared, wanted),
        flags=frozenset(flag for r in records for flag in r.flags),
        hidden_exact=is_exact,
    )


def _parts(nearest: Prepared, prepared: Sequence[Prepared], wanted: Prepared) -> tuple[tuple[str, str, float], ...]:
    """How names, birth date and number compare, from the same records as the reasons beside it."""
    found = {c: (c, level, bits) for c, level, bits in _SCORER.parts(nearest, wanted) if c in ("given", "family")}
    for part in (part for p in prepared for part in _SCORER.parts(p, wanted) if part[0] in ("born", "number")):
        found[part[0]] = min(found.get(part[0], part), part, key=lambda x: LEVELS[x[0]].index(x[1]))
    return tuple((c, WORDS.get((c, level), level), bits) for c, level, bits in found.values())


def _best_levels(prepared: Sequence[Prepared], wanted: Prepared, weight: Weight) -> tuple[int | None, ...]:
    """Names from the best record; birth date and number from whichever record of the person agrees best."""
    every = [_SCORER.levels(p, wanted)[0] for p in prepared]
    best = list(weight.levels)
    for component in (_BORN, _NUMBER):
        best[component] = min((n for lv in every if (n := lv[component]) is not None), default=None)
    return tuple(best)


def _fits(query: CandidateQuery, levels: tuple[int | None, ...]) -> bool:
    """Whether enough of what was typed agrees to show this person at all."""
    given, family = levels[_GIVEN] in _GOOD_GIVEN, levels[_FAMILY] in _GOOD_FAMILY
    born = levels[_BORN] in _GOOD_BORN
    if query.nhs_number and levels[_NUMBER] == 0:
        return True
    if query.nhs_number and not query.words:
        return False
    if len(query.words) == 1:
        return born and (given or family)
    if query.date_of_birth is None:
        return given and family
    return (given and family) or (born and (given or family) and (levels[_BORN] == 0 or levels[_FAMILY] == 0))


def _is_full_name(words: tuple[str, ...], name: Called) -> bool:
    """Whether the words are this whole name: one or all forenames and the family name, in either order."""
    if not words or not name.given or not name.family:
        return False
    typed, first, every = "".join(words), name.given[0], "".join(name.given)
    return len(first) > 1 and typed in {
        first + name.family,
        name.family + first,
        every + name.family,
        name.family + every,
    }


def _reasons(levels: tuple[int | None, ...], is_exact_name: bool) -> tuple[str, ...]:
    said = []
    if levels[_NUMBER] is not None:
        said.append(
            {0: "same NHS number", 1: "NHS number differs in one digit"}.get(levels[_NUMBER] or 0, "another NHS number")
        )
    if is_exact_name:
        said.append("name equal")
    else:
        for component, at in (("given", _GIVEN), ("family", _FAMILY)):
            if (level := levels[at]) is not None and (words := WORDS.get((component, LEVELS[component][level]))):
                said.append(words)
    if (level := levels[_BORN]) is not None:
        said.append(WORDS[("born", LEVELS["born"][level])])
    return tuple(said)


def counts(session: Session) -> dict[str, int]:
    """Records per agency, for operators; no identities."""
    table = tables.records
    rows = session.execute(select(table.c.agency, func.count().label("n")).group_by(table.c.agency))
    return {row.agency: row.n for row in rows}


def today(now: datetime) -> date:
    """The day of `now` in UTC."""
    return now.astimezone(UTC).date()
