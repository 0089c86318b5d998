"""Linking whole files at once: from records to persons, in memory, on the cores there are.

For: measuring, first loads and nightly runs. Must give the same result on one core as on several, and must never see
truth. Ruled by docs/matching.md.
"""

import gc
import multiprocessing
from collections.abc import Sequence
from dataclasses import replace

from hub.people.matching.assign import REVIEW, Clusters, cluster
from hub.people.matching.candidates import pairs
from hub.people.matching.compare import DEFAULT_MODEL, Model, Scorer, Weight
from hub.people.matching.normalise import Prepared
from hub.people.matching.train import fit

#: From this many pairs on, starting other processes is worth it.
WORTH_SHARING = 150_000

_shared: tuple[Sequence[Prepared], Scorer] | None = None


def link(records: Sequence[Prepared], *, model: Model | None = None, cores: int = 1) -> tuple[Clusters, Model]:
    """Persons and pairs of these records, with the model that was fitted to them.

    Takes the model to start from, by default the shipped one, and on how many cores to weigh. The order of the
    records never matters: they are worked through by agency and record id.
    """
    order = sorted(range(len(records)), key=lambda at: (records[at].agency, records[at].record))
    clusters, fitted = _link([records[at] for at in order], model, cores)
    return _as_given(clusters, order), fitted


def _as_given(clusters: Clusters, order: Sequence[int]) -> Clusters:
    """Positions in the order in which the records were given."""
    least: dict[int, int] = {}
    for at, root in enumerate(clusters.person_of):
        least[root] = min(least.get(root, order[at]), order[at])
    person_of = [0] * len(order)
    for at, root in enumerate(clusters.person_of):
        person_of[order[at]] = least[root]
    links = tuple(
        replace(x, first=min(order[x.first], order[x.second]), second=max(order[x.first], order[x.second]))
        for x in clusters.links
    )
    return Clusters(tuple(person_of), links, {least[root]: broken for root, broken in clusters.flagged.items()})


def _link(records: Sequence[Prepared], model: Model | None, cores: int) -> tuple[Clusters, Model]:
    found = sorted(pairs(records))
    start = model or Model.load(DEFAULT_MODEL)
    fitted = fit(records, start, found=found)
    if fitted is start:
        fitted = replace(fitted, prior=1 / max(1000, len(records)))
    scorer = Scorer(fitted)
    weights = weigh_all(records, found, scorer, cores=cores)
    return cluster(records, weights, scorer), fitted


def weigh_all(
    records: Sequence[Prepared], found: Sequence[int], scorer: Scorer, *, cores: int = 1
) -> dict[int, Weight]:
    """The weights of all pairs that anybody would look at."""
    if cores < 2 or len(found) < WORTH_SHARING:
        return weigh_some(records, found, scorer)
    global _shared
    _shared = (records, scorer)  # Handed to the children by fork, which copies nothing.
    try:
        step = -(-len(found) // (cores * 4))
        gc.freeze()  # What is there already is left alone by the children's collectors, and so stays shared.
        with multiprocessing.get_context("fork").Pool(cores) as pool:
            parts = pool.map(_weigh_part, [found[at : at + step] for at in range(0, len(found), step)])
    finally:
        gc.unfreeze()
        _shared = None
    return {key: weight for part in parts for key, weight in part.items()}


def weigh_some(records: Sequence[Prepared], found: Sequence[int], scorer: Scorer) -> dict[int, Weight]:
    """The weights of these pairs that reach the review line."""
    size, weights = len(records), {}
    for key in found:
        weight = scorer.weigh_above(records[key // size], records[key % size], REVIEW)
        if weight is not None and weight.probability >= REVIEW:
            weights[key] = weight
    return weights


def _weigh_part(found: Sequence[int]) -> dict[int, Weight]:
    assert _shared is not None
    return weigh_some(_shared[0], found, _shared[1])
