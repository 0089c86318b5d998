"""Splink learns the weights: the same levels, the same term frequencies, its own training and its own scoring.

For: `match train`, and the proof that the run-time scorer gives the weight that Splink gives. An optional dependency
(requirements-train.txt): nothing that answers a request imports it. Must never see truth. Ruled by docs/matching.md.
Source: Splink 5 (Ministry of Justice Analytical Services, MIT), training and term-frequency guides, 2026.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hub.people.matching.compare import _POSTCODE, COMPONENTS, Model, Scorer, agreeing
from hub.people.matching.levels import (
    LEVELS,
    born_level,
    contact_level,
    name_levels,
    number_level,
    place_level,
)
from hub.people.matching.normalise import Called, Prepared
from hub.people.matching.train import TRUST, fit, mixed

#: The column of a record that each component compares. What two records block on is not learnt from their pairs.
COLUMN = {
    "given": "called", "family": "called", "middle": "called", "born": "born",
    "sex": "sex", "place": "place", "number": "number", "contact": "contact",
}  # fmt: skip
#: (component, level) -> the column that holds how frequent the value is.
FREQUENCY = {
    ("given", 0): "forename", ("family", 0): "surname", ("born", 0): "birthday",
    ("place", 0): "dwelling", ("place", _POSTCODE): "postcode", ("contact", 0): "line",
}  # fmt: skip
#: Splink learns from pairs that agree on one of these; each leaves out what it blocks on.
PASSES = ("born", "called", "number")
#: Pairs of strangers that are drawn, and of each pass at most.
STRANGERS, LEARNT_FROM = 300_000, 200_000
#: Fewer pairs than this in a pass teach nothing.
FEWEST = 100


class SplinkMissing(Exception):
    """Splink is not installed; says how to install it."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gave: the model, and the columns on which too few pairs agree to learn from them."""

    model: Model
    skipped: tuple[str, ...]


class _Values:
    """Distinct values of a column by number, so that the database compares numbers and the levels see values."""

    def __init__(self) -> None:
        self.of: list[Any] = []
        self._number: dict[Any, int] = {}

    def number(self, value: Any) -> int | None:
        if value in (None, ()):
            return None
        if value not in self._number:
            self._number[value] = len(self.of)
            self.of.append(value)
        return self._number[value]


_LEVEL: Mapping[str, Callable[[Any, Any], int | None]] = {
    "given": lambda x, y: name_levels(x, y)[0],
    "family": lambda x, y: name_levels(x, y)[1],
    "middle": lambda x, y: name_levels(x, y)[2],
    "born": born_level,
    "sex": lambda x, y: 0 if x == y else 1,
    "place": place_level,
    "number": number_level,
    "contact": contact_level,
}


class _Bench:
    """A DuckDB in memory that knows the levels as functions."""

    def __init__(self) -> None:
        try:
            import duckdb
            from splink import DuckDBAPI
        except ImportError as missing:
            raise SplinkMissing(
                "Splink is not installed. Run: python -m pip install --require-hashes -r requirements-train.txt"
            ) from missing
        self.connection = duckdb.connect(":memory:")
        self.connection.execute("SET threads TO 1")  # Sums in one order give the same model each time.
        self.values = {column: _Values() for column in set(COLUMN.values())}
        for component in COMPONENTS:
            self.connection.create_function(
                f"{component}_level",
                self._level(component),
                ["bigint", "bigint"],
                "bigint",
                null_handling="special",  # type: ignore[call-overload]
            )
        self.api = DuckDBAPI(connection=self.connection)

    def _level(self, component: str) -> Callable[[int | None, int | None], int]:
        values, level, seen = self.values[COLUMN[component]].of, _LEVEL[component], {}

        def found(one: int | None, other: int | None) -> int:
            if one is None or other is None:
                return -1
            pair = (one, other)
            if pair not in seen:
                result = level(values[one], values[other])
                seen[pair] = -1 if result is None else result
            return int(seen[pair])

        return found

    def row(self, record: Prepared, name: Called | None, **more: Any) -> dict[str, Any]:
        """A record as Splink sees it, under one of its names."""
        return {
            "called": self.values["called"].number(name),
            "born": self.values["born"].number(record.born),
            "sex": self.values["sex"].number(record.sex),
            "place": self.values["place"].number(record.place),
            "number": self.values["number"].number(record.numbers),
            "contact": self.values["contact"].number(record.contacts),
            **more,
        }


def settings_of(model: Model, *, across: bool = False) -> dict[str, Any]:
    """The model as settings of Splink: a comparison per component, a level per level, term frequencies beside them."""
    return {
        "link_type": "link_only" if across else "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": model.prior,
        "comparisons": [_comparison(model, component) for component in COMPONENTS],
        "blocking_rules_to_generate_predictions": [{"blocking_rule": rule} for rule in ("l.born = r.born",)],
    }


def _comparison(model: Model, component: str) -> dict[str, Any]:
    column, last = COLUMN[component], len(LEVELS[component]) - 1
    call = f"{component}_level({column}_l, {column}_r)"
    levels: list[dict[str, Any]] = [
        {"sql_condition": f"{call} = -1", "label_for_charts": "not known", "is_null_level": True}
    ]
    for at, level in enumerate(LEVELS[component]):
        one: dict[str, Any] = {
            "sql_condition": "ELSE" if at == last else f"{call} = {at}",
            "label_for_charts": level,
            "m_probability": model.m[component][at],
            "u_probability": model.u[component][at],
        }
        if (component, at) in FREQUENCY:
            one |= {"tf_adjustment_column": FREQUENCY[component, at], "disable_tf_exact_match_detection": True}
        levels.append(one)
    return {"output_column_name": component, "comparison_levels": levels}


def weights(model: Model, pairs: Sequence[tuple[Prepared, Prepared]]) -> list[float]:
    """What Splink weighs each of these pairs at, in bits and without the prior; the best of a record's several names.

    Raises SplinkMissing.
    """
    bench = _Bench()
    from splink.internals.realtime import compare_records

    left: list[dict[str, Any]] = []
    right: list[dict[str, Any]] = []
    pair_of: list[int] = []
    scorer = Scorer(model)
    for at, (a, b) in enumerate(pairs):
        for x in a.names or (None,):
            for y in b.names or (None,):
                left.append(bench.row(a, x, unique_id=len(pair_of), **_frequencies(scorer, a, b, x, y, 0)))
                right.append(bench.row(b, y, unique_id=len(pair_of), **_frequencies(scorer, a, b, x, y, 1)))
                pair_of.append(at)
    scored = compare_records(
        _table(left), _table(right), settings_of(model), bench.api, join_condition="l.unique_id = r.unique_id"
    ).as_record_list()
    prior = math.log2(model.prior / (1 - model.prior))
    best = [-math.inf] * len(pairs)
    for row in scored:
        at = pair_of[row["unique_id_l"]]
        best[at] = max(best[at], row["match_weight"] - prior)
    return best


def _frequencies(
    scorer: Scorer, a: Prepared, b: Prepared, x: Called | None, y: Called | None, side: int
) -> dict[str, Any]:
    """Each record's own term frequencies; of what is shared among several values, the rarest one's."""
    found: dict[str, Any] = {}
    for (component, level), column in FREQUENCY.items():
        values = agreeing(component, level, a, b, x, y)
        own = values if component == "contact" else values[side : side + 1]
        found[column] = next((value for value in own if value), None)
        found[f"tf_{column}"] = scorer.rarer[component, level].share(own)
    return found


def train(records: Sequence[Prepared], start: Model, *, seed: int = 20261123) -> Trained:
    """A model that Splink learnt from these records alone: strangers drawn at random, the same person by EM.

    Pairs are of different agencies, because an agency mostly keeps one record per person; one list is compared
    with itself.
    What Splink cannot know - shares among others of one household, the values' frequencies - is counted beside it.
    Levels that no pair showed keep the share of `start`. Raises SplinkMissing.
    """
    bench = _Bench()
    from splink import Linker

    counted = fit(records, start, rounds=0)
    rows = [_row(bench, record, at) for at, record in enumerate(records)]
    tables = [
        _table([row for row in rows if row["agency"] == agency]) for agency in sorted({r.agency for r in records})
    ]
    linker = Linker(
        [bench.api.register(table) for table in tables],
        settings_of(replace(start, prior=1 / len(records)), across=len(tables) > 1),
        log_level="ERROR",
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=STRANGERS, seed=seed, num_chunks=1)
    drawn = {c: STRANGERS * (len(_known(rows, c)) / len(rows)) ** 2 for c in COMPONENTS}
    u = {
        c.output_column_name: _Learnt([(drawn[c.output_column_name], _told(c, "u_probability"))])
        for c in linker._settings_obj.comparisons
    }
    m: dict[str, _Learnt] = {c: _Learnt([]) for c in COMPONENTS}
    skipped = []
    for column in PASSES:
        if _pairs_in(rows, column) < FEWEST:
            skipped.append(column)
            continue
        session = linker.training.estimate_parameters_using_expectation_maximisation(
            f"l.{column} = r.{column}", estimate_without_term_frequencies=True, max_pairs=LEARNT_FROM
        )
        same = session.core_model_settings.probability_two_random_records_match
        for comparison in session.core_model_settings.comparisons:
            name = comparison.output_column_name
            compared = min(LEARNT_FROM, _pairs_in(_known(rows, name), column))
            m[name].passes.append((compared * same, _told(comparison, "m_probability")))
    mixed_in = {
        kind: {c: found[c].beside(getattr(start, kind)[c]) for c in COMPONENTS} for kind, found in (("m", m), ("u", u))
    }
    return Trained(replace(counted, m=mixed_in["m"], u=mixed_in["u"]), tuple(skipped))


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What Splink's passes said of one component: the pairs each rests on, and the share of every level."""

    passes: list[tuple[float, Sequence[float]]]

    def beside(self, before: Sequence[float]) -> tuple[float, ...]:
        """The passes together, each by its evidence, with a little of what was known before mixed in."""
        counts = [sum(evidence * shares[at] for evidence, shares in self.passes) for at in range(len(before))]
        return mixed(counts, before, TRUST)


def _told(comparison: Any, kind: str) -> list[float]:
    """The shares of a comparison's levels, best first; 0 where Splink saw none."""
    levels = [level for level in comparison.comparison_levels if not level.is_null_level]
    told = (getattr(level, kind) for level in levels)
    return [share if isinstance(share, float) else 0.0 for share in told]


def _known(rows: Sequence[Mapping[str, Any]], component: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if row[COLUMN[component]] is not None]


def _row(bench: _Bench, record: Prepared, at: int) -> dict[str, Any]:
    """A record under its current name; frequencies are no part of what is learnt here."""
    name = record.names[0] if record.names else None
    return bench.row(record, name, unique_id=at, agency=record.agency) | {f"tf_{c}": None for c in FREQUENCY.values()}


def _table(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as an Arrow table whose columns have a type even where nothing is known."""
    import pyarrow

    types = {c: pyarrow.int64() for c in ("unique_id", *COLUMN.values())}
    types |= {f"tf_{c}": pyarrow.float64() for c in FREQUENCY.values()} | {
        c: pyarrow.string() for c in FREQUENCY.values()
    }
    return pyarrow.table({c: pyarrow.array([row.get(c) for row in rows], type=t) for c, t in types.items()})


def _pairs_in(rows: Sequence[Mapping[str, Any]], column: str) -> int:
    """Pairs of records of different agencies, or of the one agency there is, that agree on a column."""
    across = len({row["agency"] for row in rows}) > 1
    alike = Counter(row[column] for row in rows if row[column] is not None)
    within = Counter((row["agency"], row[column]) for row in rows if row[column] is not None) if across else Counter()
    return sum(n * (n - 1) // 2 for n in alike.values()) - sum(n * (n - 1) // 2 for n in within.values())
