"""Where the weights come from: counting and expectation-maximisation on records alone, without any truth.

For: making a dated model file for a partnership, and for fitting a shipped model to the files of one run. Must
never see who is who. Everything is counted in order or drawn with a seed, so the same files give the same model.
Ruled by docs/matching.md. Source: Winkler, "Using the EM algorithm for weight computation in the Fellegi-Sunter
model of record linkage" (2000); the shares among others of a household are counted from records that one agency
holds at one address.
"""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.people.matching.candidates import pairs
from hub.people.matching.compare import COMPONENTS, Model, Scorer
from hub.people.matching.levels import LEVELS, Levels
from hub.people.matching.normalise import Prepared

#: Pseudo-counts with which the given model is mixed in, so that few records cannot bend it.
TRUST = 50.0
#: Fewer records than this are weighed with the model as it stands.
FEWEST_RECORDS = 1000
#: A record is never expected to have more than this many others of the same person.
MOST_PER_RECORD = 20
#: Values rarer than one in this many are weighed as if they were that frequent.
_SMALLEST = 1e-7
#: Pairs less likely than this at the start are never one person; less likely than this in a round teach nothing.
_POSSIBLE, _COUNTED = 1e-5, 0.01


def frequencies(records: Sequence[Prepared]) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """How often each value occurs, per component, and the share taken for a value never seen."""
    seen: dict[str, Counter[str]] = {c: Counter() for c in ("given", "family", "born", "place", "postcode", "contact")}
    for record in records:
        if record.names:
            if record.names[0].given and len(record.names[0].given[0]) > 1:
                seen["given"][record.names[0].given[0]] += 1
            if record.names[0].family:
                seen["family"][record.names[0].family] += 1
        if record.born:
            seen["born"][record.born] += 1
        if record.place and record.place.key:
            seen["place"][record.place.key] += 1
        if record.place and len(record.place.postcode) >= 5:
            seen["postcode"][record.place.postcode] += 1
        seen["contact"].update(record.contacts)
    found, rarest = {}, {}
    for component, counter in seen.items():
        total = counter.total()
        if total:
            found[component] = {value: n / total for value, n in counter.items() if n > 1}
            rarest[component] = 1 / total
    return found, rarest


def mixed(counts: Sequence[float], before: Sequence[float], trust: float) -> tuple[float, ...]:
    total = sum(counts) + trust
    shares = [max(_SMALLEST, (n + trust * p) / total) for n, p in zip(counts, before, strict=True)]
    return tuple(s / sum(shares) for s in shares)


def fit(
    records: Sequence[Prepared],
    start: Model,
    *,
    found: Sequence[int] | None = None,
    seed: int = 20261123,
    rounds: int = 8,
    most_pairs: int = 60_000,
) -> Model:
    """The model fitted to these records: strangers and household shares counted, the same-person shares by EM.

    Takes `found`: the pairs worth comparing, when they are known already.
    """
    if len(records) < FEWEST_RECORDS:
        return start
    draw = random.Random(seed)  # noqa: S311 - a repeatable sample, not a secret
    values, rarest = frequencies(records)
    scorer = Scorer(start)
    strangers = [draw.sample(range(len(records)), 2) for _ in range(30_000)]
    u = _shares(records, strangers, scorer, start.u, 5.0)
    h = _household_shares(records, scorer, start)
    model = replace(start, u=u, h=h, frequencies=values, rarest=rarest, prior=1 / len(records))
    size = len(records)
    found = sorted(pairs(records)) if found is None else found
    every = len(found)
    if every > most_pairs:
        found = sorted(draw.sample(found, most_pairs))
    across = [(i, j) for i, j in (divmod(key, size) for key in found) if records[i].agency != records[j].agency]
    if not across:  # One list with repeats: there is nothing else to learn from.
        across = [divmod(key, size) for key in found]
    scorer = Scorer(model)
    possible = _possible(records, across, scorer)
    for _ in range(rounds):
        scorer = Scorer(model)
        counts = {c: [0.0] * len(LEVELS[c]) for c in COMPONENTS}
        same = 0.0
        for levels, rest in possible.items():
            # What changes from round to round is the same for every pair of these levels.
            log_m = _log_m(model, levels)
            likely = [p for bits, household in rest if (p := scorer.probability(log_m + bits, log_m + household))]
            same += sum(likely)
            counted = sum(p for p in likely if p > _COUNTED)
            for c, level in zip(COMPONENTS, levels, strict=True):
                if level is not None:
                    counts[c][level] += counted
        prior = same * (every / max(1, len(found))) / (size * (size - 1) / 2)
        prior = min(max(prior, 0.5 / size), MOST_PER_RECORD / size)
        model = replace(model, prior=prior, m={c: mixed(counts[c], start.m[c], TRUST) for c in COMPONENTS})
    return model


def _possible(
    records: Sequence[Prepared], pairs_given: Sequence[Sequence[int]], scorer: Scorer
) -> dict[Levels, list[tuple[float, float]]]:
    """Pairs that may be one person, by their levels: the part of each one's weights that does not depend on `m`."""
    found: dict[Levels, list[tuple[float, float]]] = defaultdict(list)
    logs: dict[Levels, float] = {}
    for i, j in pairs_given:
        levels, x, y = scorer.levels(records[i], records[j])
        bits, household = scorer.sums(records[i], records[j], levels, x, y)
        if scorer.probability(bits, household) > _POSSIBLE:
            log_m = logs.setdefault(levels, _log_m(scorer.model, levels))
            found[levels].append((bits - log_m, household - log_m))
    return found


def _log_m(model: Model, levels: Levels) -> float:
    told = ((c, level) for c, level in zip(COMPONENTS, levels, strict=True) if level is not None)
    return math.fsum(math.log2(model.m[c][level]) for c, level in told)


def _shares(
    records: Sequence[Prepared],
    drawn: Sequence[Sequence[int]],
    scorer: Scorer,
    before: Mapping[str, tuple[float, ...]],
    trust: float,
) -> dict[str, tuple[float, ...]]:
    counts = {c: [0.0] * len(LEVELS[c]) for c in COMPONENTS}
    for i, j in drawn:
        for c, level in zip(COMPONENTS, scorer.levels(records[i], records[j])[0], strict=True):
            if level is not None:
                counts[c][level] += 1
    return {c: mixed(counts[c], before[c], trust) for c in COMPONENTS}


def _household_shares(records: Sequence[Prepared], scorer: Scorer, start: Model) -> dict[str, tuple[float, ...]]:
    """Two records of one agency at one dwelling are nearly always two persons; not so where it keeps duplicates."""
    homes: dict[tuple[str, str], list[int]] = {}
    for at, record in enumerate(records):
        if record.place and record.place.key:
            homes.setdefault((record.agency, record.place.key), []).append(at)
    drawn = [(i, j) for home in homes.values() if 1 < len(home) <= 8 for n, i in enumerate(home) for j in home[n + 1 :]]
    if len(drawn) < 200:
        return dict(start.h)
    alike = sum(1 for i, j in drawn if scorer.weigh(records[i], records[j]).bits > 20 and _same_forename(records, i, j))
    if alike > 0.1 * len(drawn):
        return dict(start.h)
    found = _shares(records, drawn, scorer, start.h, 100.0)
    return {**found, "place": start.h["place"], "number": start.h["number"], "contact": start.h["contact"]}


def _same_forename(records: Sequence[Prepared], i: int, j: int) -> bool:
    a, b = records[i].names, records[j].names
    return bool(a and b and a[0].given and b[0].given and a[0].given[0] == b[0].given[0])
