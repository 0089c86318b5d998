"""How alike two records are: comparison levels, and what each level is worth in bits.

For: Fellegi-Sunter weights with a term-frequency adjustment, and beside them the question that matters most in
families: is it the other one in the same household? Must never decide; `assign` does. The weights come from a
dated model file in `models/`; nothing here is tuned by hand. Ruled by docs/matching.md. Source of the method:
Fellegi and Sunter, JASA 64 (1969) 1183-1210; term frequency as Splink documents it (2026).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler
from rapidfuzz.fuzz import ratio

from hub.people.matching.normalise import SHIPPED_MODEL, Called, Place, Prepared, is_a_forename, short_forms, sound

#: Component -> its levels, best first. "Not known on one side" is no level: it says nothing either way.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "given": ("exact", "nickname", "spelling", "other", "initial", "similar", "swapped", "second", "differ"),
    "family": ("exact", "part", "spelling", "similar", "swapped", "differ"),
    "middle": ("exact", "initial", "differ"),
    "born": ("exact", "swapped", "digit", "partial", "two_parts", "year", "differ"),
    "sex": ("equal", "differ"),
    "place": ("exact", "close", "street", "postcode", "differ"),
    "number": ("equal", "digit", "differ"),
}
COMPONENTS = tuple(LEVELS)
MODELS = Path(__file__).parent / "models"
DEFAULT_MODEL = MODELS / SHIPPED_MODEL

#: What each level says, for people who must judge a candidate.
WORDS: Mapping[tuple[str, str], str] = {
    ("number", "equal"): "same number",
    ("number", "digit"): "number differs in one digit",
    ("number", "differ"): "another number",
    ("given", "exact"): "forename equal",
    ("given", "nickname"): "forename is a short form",
    ("given", "spelling"): "forename spelt differently",
    ("given", "other"): "known by another forename",
    ("given", "initial"): "only the initial of the forename agrees",
    ("given", "similar"): "forename similar",
    ("given", "swapped"): "forename and surname swapped",
    ("given", "second"): "forename may be a second forename",
    ("given", "differ"): "another forename",
    ("family", "exact"): "surname equal",
    ("family", "part"): "one part of the surname equal",
    ("family", "spelling"): "surname spelt differently",
    ("family", "similar"): "surname similar",
    ("family", "differ"): "another surname",
    ("middle", "exact"): "middle name equal",
    ("middle", "initial"): "middle initial agrees",
    ("middle", "differ"): "another middle name",
    ("born", "exact"): "birth date equal",
    ("born", "swapped"): "day and month of birth swapped",
    ("born", "digit"): "birth date differs in one digit",
    ("born", "partial"): "birth date agrees as far as it is known",
    ("born", "two_parts"): "two of day, month and year of birth agree",
    ("born", "year"): "year of birth agrees",
    ("born", "differ"): "another birth date",
    ("sex", "differ"): "another sex recorded",
    ("place", "exact"): "same address",
    ("place", "close"): "address spelt differently",
    ("place", "street"): "same street",
    ("place", "postcode"): "same postcode",
    ("place", "differ"): "another address",
}

Levels = tuple[int | None, ...]


@lru_cache(maxsize=400_000)
def given_level(a: tuple[str, ...], b: tuple[str, ...]) -> int | None:
    """The level of two forename sequences; the first token is the forename."""
    if not a or not b:
        return None
    x, y = a[0], b[0]
    if len(x) == 1 or len(y) == 1:
        if x[0] == y[0]:
            return 4
        longer, initial = (b, x) if len(x) == 1 else (a, y)
        return 7 if any(t[0] == initial for t in longer[1:]) else 8
    if x == y or "".join(a) == "".join(b) or (len(a) > 1 and a[0] + a[1] == y) or (len(b) > 1 and b[0] + b[1] == x):
        return 0
    if y in short_forms(x) or short_forms(x) & short_forms(y):
        return 1
    alike = JaroWinkler.similarity(x, y)
    if alike >= 0.92 or (min(len(x), len(y)) >= 4 and DamerauLevenshtein.distance(x, y) <= 1):
        # Two names in their own right that look alike (Ella, Elsa) are two sisters rather than a slip of the pen.
        return 5 if is_a_forename(x) and is_a_forename(y) and sound(x) != sound(y) else 2
    if (len(x) > 2 and x in b[1:]) or (len(y) > 2 and y in a[1:]):
        return 3
    if alike >= 0.8 or (min(len(x), len(y)) >= 3 and (x.startswith(y) or y.startswith(x))):
        return 5
    return 7 if any(t[0] == x[0] for t in b[1:]) or any(t[0] == y[0] for t in a[1:]) else 8


def family_level(a: Called, b: Called) -> int | None:
    """The level of two family names."""
    if not a.family or not b.family:
        return None
    return 0 if a.family == b.family else _family_level(a.family, a.parts, b.family, b.parts)


@lru_cache(maxsize=400_000)
def _family_level(x: str, x_parts: tuple[str, ...], y: str, y_parts: tuple[str, ...]) -> int:
    if (x_parts or y_parts) and set(x_parts or (x,)) & set(y_parts or (y,)):
        return 1
    alike = JaroWinkler.similarity(x, y)
    if alike >= 0.92 or (min(len(x), len(y)) >= 4 and DamerauLevenshtein.distance(x, y) <= 1):
        return 2
    return 3 if alike >= 0.8 else 5


@lru_cache(maxsize=400_000)
def middle_level(a: tuple[str, ...], b: tuple[str, ...]) -> int | None:
    """The level of what follows the forename."""
    if not a or not b:
        return None
    if any(len(t) > 1 and t in b for t in a):
        return 0
    return 1 if any(t[0] == u[0] and (len(t) == 1 or len(u) == 1) for t in a for u in b) else 2


@lru_cache(maxsize=400_000)
def born_level(a: str, b: str) -> int:
    """The level of two birth dates yyyymmdd."""
    if "00" in (a[4:6], b[4:6], a[6:], b[6:]):
        if a[:4] != b[:4]:
            return 6
        return 3 if "00" in (a[4:6], b[4:6]) or a[4:6] == b[4:6] else 5
    if a == b:
        return 0
    if a[:4] == b[:4] and a[4:6] == b[6:] and a[6:] == b[4:6]:
        return 1
    if DamerauLevenshtein.distance(a, b) == 1:
        return 2
    same = (a[:4] == b[:4]) + (a[4:6] == b[4:6]) + (a[6:] == b[6:])
    return 4 if same == 2 else 5 if a[:4] == b[:4] else 6


@lru_cache(maxsize=400_000)
def _street_alike(a: str, b: str) -> bool:
    return ratio(a, b) >= 80


@lru_cache(maxsize=400_000)
def _shares_a_word(a: str, b: str) -> bool:
    return any(len(word) >= 5 and word in b.split() for word in a.split())


def place_level(a: Place | None, b: Place | None) -> int | None:
    """The level of two addresses."""
    if a is None or b is None:
        return None
    if a.uprn and b.uprn:
        return 0 if a.uprn == b.uprn else 4
    if a.street and b.street:
        if len(a.postcode) >= 5 <= len(b.postcode) and DamerauLevenshtein.distance(a.postcode, b.postcode) > 1:
            return 4
        same_number = bool(a.number) and a.number == b.number and a.unit == b.unit
        if (
            a.street == b.street
            or _street_alike(a.street, b.street)
            or (same_number and _shares_a_word(a.street, b.street))
        ):
            if a.number == b.number and a.number:
                if a.unit == b.unit:
                    return 0 if a.street == b.street else 1
                return 1 if not a.unit or not b.unit else 2
            if not a.number or not b.number:
                return 1 if a.unit and a.unit == b.unit else 2
            return 1 if DamerauLevenshtein.distance(a.number, b.number) == 1 and len(a.number) > 2 else 2
        return 3 if a.postcode and a.postcode == b.postcode and len(a.postcode) >= 5 else 4
    if a.postcode and b.postcode and len(a.postcode) >= 5:
        return 3 if a.postcode == b.postcode else 4
    return None


def number_level(a: tuple[tuple[str, str], ...], b: tuple[tuple[str, str], ...]) -> int | None:
    """The level of two sets of identifiers: the best system that both have."""
    best: int | None = None
    for system, x in a:
        for other, y in b:
            if system == other:
                level = 0 if x == y else 1 if DamerauLevenshtein.distance(x, y) == 1 else 2
                best = level if best is None else min(best, level)
    return best


def name_levels(a: Called, b: Called) -> tuple[int | None, int | None, int | None]:
    """(given, family, middle) of two names, in the order they were written or swapped."""
    given, family = given_level(a.given, b.given), family_level(a, b)
    if family == 5 and given in (7, 8) and len(a.given[0]) > 1 and len(b.given[0]) > 1:
        crossed = JaroWinkler.similarity(a.given[0], b.family), JaroWinkler.similarity(a.family, b.given[0])
        if min(crossed) >= 0.92:
            return 6, 4, None
    return given, family, middle_level(a.given[1:], b.given[1:])


@dataclass(frozen=True, slots=True)
class Weight:
    """What comparing two records gave. `bits` against strangers, `household_bits` against others of one household."""

    levels: Levels
    bits: float
    household_bits: float
    probability: float

    def reasons(self) -> tuple[str, ...]:
        """Why, in words, the strongest first as the components stand."""
        said = []
        for component, level in zip(COMPONENTS, self.levels, strict=True):
            if level is not None and (words := WORDS.get((component, LEVELS[component][level]))):
                said.append(words)
        return tuple(said)


@dataclass(frozen=True)
class Model:
    """Weights: per component and level the share among the same person (m), strangers (u), others at home (h)."""

    name: str
    m: Mapping[str, tuple[float, ...]]
    u: Mapping[str, tuple[float, ...]]
    h: Mapping[str, tuple[float, ...]]
    prior: float
    household_ratio: float
    frequencies: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    rarest: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path = DEFAULT_MODEL) -> "Model":
        """Reads a dated model file."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        shares = {
            kind: {c: tuple(float(raw["levels"][c][level][kind]) for level in LEVELS[c]) for c in COMPONENTS}
            for kind in "muh"
        }
        return cls(
            raw["name"], shares["m"], shares["u"], shares["h"], raw["prior"], raw["household_ratio"],
            raw.get("frequencies", {}), raw.get("rarest", {}),
        )  # fmt: skip

    def as_json(self, **about: object) -> str:
        """The model as the text of a model file."""
        levels = {
            c: {level: {"m": self.m[c][i], "u": self.u[c][i], "h": self.h[c][i]} for i, level in enumerate(LEVELS[c])}
            for c in COMPONENTS
        }
        raw = {
            "name": self.name,
            **about,
            "prior": self.prior,
            "household_ratio": self.household_ratio,
            "levels": levels,
        }
        raw |= {
            "rarest": dict(self.rarest),
            "frequencies": {c: dict(sorted(f.items())) for c, f in self.frequencies.items()},
        }
        return json.dumps(raw, indent=1) + "\n"


class Scorer:
    """Weighs pairs with one model. Holds only tables made from the model."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._log = {
            c: tuple(
                (math.log2(m / u), math.log2(m / h)) for m, u, h in zip(model.m[c], model.u[c], model.h[c], strict=True)
            )
            for c in COMPONENTS
        }
        self._m_exact = {c: math.log2(model.m[c][0]) for c in COMPONENTS}
        self._given, self._family = model.frequencies.get("given", {}), model.frequencies.get("family", {})
        self._born, self._place = model.frequencies.get("born", {}), model.frequencies.get("place", {})
        self._rare = {c: model.rarest.get(c, 0.0) for c in COMPONENTS}
        self._most_sex = max(0.0, *(worth for worth, _ in self._log["sex"]))
        least_place = min((*self._place.values(), self._rare["place"] or 1.0))
        self._most_place = max(self._log["place"][0][0], self._m_exact["place"] - math.log2(least_place))
        self._most_place = max(self._most_place, *(worth for worth, _ in self._log["place"]))
        self._stranger = math.log2((1 - model.prior) / model.prior)
        self._household = math.log2(model.household_ratio)

    def _names(self, a: Prepared, b: Prepared) -> tuple[tuple[int | None, ...], Called | None, Called | None]:
        """(given, family, middle) of the two names that agree best."""
        if not a.names or not b.names:
            return (None, None, None), None, None
        if len(a.names) == 1 and len(b.names) == 1:
            return name_levels(a.names[0], b.names[0]), a.names[0], b.names[0]
        most, found = -math.inf, None
        for x in a.names:
            for y in b.names:
                levels = name_levels(x, y)
                worth = sum(self._log[c][n][0] for c, n in zip(COMPONENTS, levels, strict=False) if n is not None)
                if worth > most:
                    most, found = worth, (levels, x, y)
        assert found is not None
        return found

    def levels(self, a: Prepared, b: Prepared) -> tuple[Levels, Called | None, Called | None]:
        """The level of every component, with the two names that agree best."""
        names, x, y = self._names(a, b)
        born = born_level(a.born, b.born) if a.born and b.born else None
        sex = (0 if a.sex == b.sex else 1) if a.sex and b.sex else None
        number = number_level(a.numbers, b.numbers) if a.numbers and b.numbers else None
        return (*names, born, sex, place_level(a.place, b.place), number), x, y

    def weigh_above(self, a: Prepared, b: Prepared, least: float) -> Weight | None:
        """The weight of a pair, or None as soon as it is clear that its probability is below `least`."""
        names, x, _ = self._names(a, b)
        number = number_level(a.numbers, b.numbers) if a.numbers and b.numbers else None
        born = born_level(a.born, b.born) if a.born and b.born else None
        most = self._most_sex if a.sex and a.sex == b.sex else 0.0
        if a.place is not None and b.place is not None:
            most += self._most_place
        for c, level in (
            ("given", names[0]),
            ("family", names[1]),
            ("middle", names[2]),
            ("born", born),
            ("number", number),
        ):
            if level is not None:
                worth = self._log[c][level][0]
                most += self._exact(c, a, x, worth) if level == 0 else worth
        if most < self._stranger + math.log2(least):
            return None
        sex = (0 if a.sex == b.sex else 1) if a.sex and b.sex else None
        return self.score(a, (*names, born, sex, place_level(a.place, b.place), number), x)

    def weigh(self, a: Prepared, b: Prepared) -> Weight:
        """The weight of a pair."""
        return self.score(a, *self.levels(a, b))

    def score(self, a: Prepared, levels: Levels, x: Called | None, _y: Called | None = None) -> Weight:
        """The weight of levels already found; `a` and its name `x` say how rare the values are that agree."""
        bits = household = 0.0
        for c, level in zip(COMPONENTS, levels, strict=True):
            if level is None:
                continue
            against_stranger, against_household = self._log[c][level]
            if level == 0:
                against_stranger = self._exact(c, a, x, against_stranger)
            bits += against_stranger
            household += against_household
        # Same person against (strangers or another of the household), each with its prior.
        odds = -math.log2(2 ** min(1000.0, self._stranger - bits) + 2 ** min(1000.0, self._household - household))
        return Weight(levels, bits, household, 1 / (1 + 2 ** min(1000.0, -odds)))

    def _exact(self, component: str, a: Prepared, x: Called | None, otherwise: float) -> float:
        """Exact agreement is worth more the rarer the value: the stranger's share is the value's own frequency."""
        if component == "given" and x is not None:
            share = self._given.get(x.given[0])
        elif component == "family" and x is not None:
            share = self._family.get(x.family)
        elif component == "born":
            share = self._born.get(a.born or "")
        elif component == "place":
            share = self._place.get(a.place.key if a.place else "")
        else:
            return otherwise
        share = share or self._rare[component]
        return self._m_exact[component] - math.log2(share) if share else otherwise
