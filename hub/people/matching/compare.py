"""What it is worth that two records are alike: Fellegi-Sunter weights in bits, from a dated model file.

For: weights with a term-frequency adjustment, and beside them the question that matters most in families: is it
the other one in the same household? Must never decide; `assign` does. Nothing here is tuned by hand. Ruled by
docs/matching.md. Source of the method: Fellegi and Sunter, JASA 64 (1969) 1183-1210; term frequency as Splink
documents it (2026).
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hub.people.matching.levels import (
    LEVELS,
    WORDS,
    Levels,
    born_level,
    contact_level,
    name_levels,
    number_level,
    place_level,
)
from hub.people.matching.normalise import SHIPPED_MODEL, Called, Prepared

COMPONENTS = tuple(LEVELS)
MODELS = Path(__file__).parent / "models"
DEFAULT_MODEL = MODELS / SHIPPED_MODEL
#: Round values that training starts from.
START_MODEL = MODELS / "start-2026-11-25.json"
_POSTCODE = LEVELS["place"].index("postcode")


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


_AT = {component: at for at, component in enumerate(COMPONENTS)}


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
        self.rarer = {
            (name, level): Rarity(model, name, level)
            for name, level in (("given", 0), ("family", 0), ("born", 0), ("place", 0), ("contact", 0))
        }
        self.rarer["place", _POSTCODE] = Rarity(model, "place", _POSTCODE, values="postcode")
        #: Component -> level -> (bits against strangers, bits against the household, how rarity changes the first).
        self._table = tuple(
            tuple((*both, self.rarer.get((c, level))) for level, both in enumerate(self._log[c])) for c in COMPONENTS
        )
        self._most_sex = max(0.0, *(worth for worth, _ in self._log["sex"]))
        self._most_contact = max(self._log["contact"][0][0], self.rarer["contact", 0].most)
        self._most_place = max(
            self.rarer["place", 0].most, self.rarer["place", _POSTCODE].most, *(w for w, _ in self._log["place"])
        )
        self._stranger = math.log2((1 - model.prior) / model.prior)
        self._household = math.log2(model.household_ratio)

    def _names(self, a: Prepared, b: Prepared) -> tuple[tuple[int | None, ...], Called | None, Called | None]:
        """(given, family, middle) of the two names whose agreement is worth most."""
        if not a.names or not b.names:
            return (None, None, None), None, None
        if len(a.names) == 1 and len(b.names) == 1:
            return name_levels(a.names[0], b.names[0]), a.names[0], b.names[0]
        most, found = -math.inf, None
        for x in a.names:
            for y in b.names:
                levels = name_levels(x, y)
                worth = sum(
                    self._worth(c, n, a, b, x, y) for c, n in zip(COMPONENTS, levels, strict=False) if n is not None
                )
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
        contact = contact_level(a.contacts, b.contacts)
        return (*names, born, sex, place_level(a.place, b.place), number, contact), x, y

    def weigh_above(self, a: Prepared, b: Prepared, least: float) -> Weight | None:
        """The weight of a pair, or None as soon as it is clear that its probability is below `least`."""
        names, x, y = self._names(a, b)
        number = number_level(a.numbers, b.numbers) if a.numbers and b.numbers else None
        born = born_level(a.born, b.born) if a.born and b.born else None
        most = self._most_sex if a.sex and a.sex == b.sex else 0.0
        if a.place is not None and b.place is not None:
            most += self._most_place
        if a.contacts and b.contacts:
            most += self._most_contact
        for c, level in (
            ("given", names[0]),
            ("family", names[1]),
            ("middle", names[2]),
            ("born", born),
            ("number", number),
        ):
            if level is not None:
                most += self._worth(c, level, a, b, x, y)
        if most < self._stranger + math.log2(least):
            return None
        sex = (0 if a.sex == b.sex else 1) if a.sex and b.sex else None
        contact = contact_level(a.contacts, b.contacts)
        return self.score(a, b, (*names, born, sex, place_level(a.place, b.place), number, contact), x, y)

    def weigh(self, a: Prepared, b: Prepared) -> Weight:
        """The weight of a pair."""
        return self.score(a, b, *self.levels(a, b))

    def score(self, a: Prepared, b: Prepared, levels: Levels, x: Called | None, y: Called | None) -> Weight:
        """The weight of levels already found; the records and their names say how rare the values are that agree."""
        bits, household = self.sums(a, b, levels, x, y)
        return Weight(levels, bits, household, self.probability(bits, household))

    def sums(self, a: Prepared, b: Prepared, levels: Levels, x: Called | None, y: Called | None) -> tuple[float, float]:
        """(bits against strangers, bits against others of the household) of levels already found."""
        bits = household = 0.0
        for at, level in enumerate(levels):
            if level is not None:
                worth, of_household, rarity = self._table[at][level]
                household += of_household
                bits += worth if rarity is None else rarity.worth(agreeing(COMPONENTS[at], level, a, b, x, y), worth)
        return bits, household

    def probability(self, bits: float, household: float) -> float:
        """Same person against (strangers or another of the household), each with its prior."""
        odds = -math.log2(2 ** min(1000.0, self._stranger - bits) + 2 ** min(1000.0, self._household - household))
        return 1 / (1 + 2 ** min(1000.0, -odds))

    def parts(self, a: Prepared, b: Prepared) -> tuple[tuple[str, str, float], ...]:
        """(component, level, bits) of what two records tell of each other: the steps that add up to `Weight.bits`."""
        levels, x, y = self.levels(a, b)
        return tuple(
            (c, LEVELS[c][level], self._worth(c, level, a, b, x, y))
            for c, level in zip(COMPONENTS, levels, strict=True)
            if level is not None
        )

    def _worth(self, component: str, level: int, a: Prepared, b: Prepared, x: Called | None, y: Called | None) -> float:
        """Bits of one component. Agreement is worth more the rarer the value, of two values the more frequent one."""
        otherwise, _, rarity = self._table[_AT[component]][level]
        return otherwise if rarity is None else rarity.worth(agreeing(component, level, a, b, x, y), otherwise)


def agreeing(
    component: str, level: int, a: Prepared, b: Prepared, x: Called | None, y: Called | None
) -> tuple[str, ...]:
    """The values of two records whose rarity counts at this level; several where any of them may be the rarest."""
    if component == "given":
        return (x.given[0] if x and x.given else "", y.given[0] if y and y.given else "")
    if component == "family":
        return (x.family if x else "", y.family if y else "")
    if component == "born":
        return (a.born or "", b.born or "")
    if component == "contact":
        return tuple(sorted(set(a.contacts) & set(b.contacts)))
    if a.place is None or b.place is None:
        return ()
    return (a.place.postcode, b.place.postcode) if level == _POSTCODE else (a.place.key, b.place.key)


class Rarity:
    """What agreement of one level is worth, value by value, when the model knows how frequent values are."""

    def __init__(self, model: Model, component: str, level: int, values: str = "") -> None:
        name = values or component
        self._m = math.log2(model.m[component][level])
        self._shares = model.frequencies.get(name, {})
        self._rarest = model.rarest.get(name, 0.0)
        self._of_all = max if name == "contact" else min  # Of several shared contacts the rarest says most.
        self._known: dict[str, float | None] = {"": None}
        least = min((*self._shares.values(), self._rarest or 1.0))
        self.most = self._m - math.log2(least)

    def share(self, values: Iterable[str]) -> float | None:
        """How often the value occurs; of two spellings the more frequent; None where no frequency is known."""
        known = [share for value in values if value and (share := self._shares.get(value) or self._rarest)]
        most = min if self._of_all is max else max
        return most(known) if known else None

    def worth(self, values: Iterable[str], otherwise: float) -> float:
        """The bits of these values: of two spellings the more frequent one's; `otherwise` where none is known."""
        known = [bits for value in values if (bits := self._bits(value)) is not None]
        return self._of_all(known) if known else otherwise

    def _bits(self, value: str) -> float | None:
        try:
            return self._known[value]
        except KeyError:
            share = self._shares.get(value) or self._rarest
            bits = self._known[value] = self._m - math.log2(share) if share else None
            return bits
