"""How alike two records are, part by part: every component's levels, best first.

For: the one definition of "same", "nearly the same" and "another" that weights, training and explanations share.
Must never weigh or decide, and never take "not known" for a difference. Ruled by docs/matching.md.
"""

from collections.abc import Mapping
from functools import lru_cache

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler
from rapidfuzz.fuzz import ratio

from hub.people.matching.normalise import Called, Place, is_a_forename, short_forms, sound

#: Component -> its levels, best first. "Not known on one side" is no level: it says nothing either way.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "given": ("exact", "nickname", "spelling", "other", "initial", "similar", "swapped", "second", "differ"),
    "family": ("exact", "part", "spelling", "similar", "swapped", "differ"),
    "middle": ("exact", "initial", "differ"),
    "born": ("exact", "swapped", "digit", "partial", "two_parts", "year", "differ"),
    "sex": ("equal", "differ"),
    "place": ("exact", "close", "street", "postcode", "near", "town", "differ"),
    "number": ("equal", "digit", "differ"),
    "contact": ("equal", "similar", "differ"),
}

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
    ("place", "near"): "postcode close by",
    ("place", "town"): "another address in the same town",
    ("place", "differ"): "another address",
    ("contact", "equal"): "same telephone number or e-mail address",
    ("contact", "similar"): "telephone number or e-mail address differs slightly",
}

Levels = tuple[int | None, ...]

_DWELLING, _CLOSE, _STREET, _POSTCODE, _NEAR, _TOWN, _ELSEWHERE = range(len(LEVELS["place"]))


@lru_cache(maxsize=50_000)
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


@lru_cache(maxsize=50_000)
def _family_level(x: str, x_parts: tuple[str, ...], y: str, y_parts: tuple[str, ...]) -> int:
    if (x_parts or y_parts) and set(x_parts or (x,)) & set(y_parts or (y,)):
        return 1
    alike = JaroWinkler.similarity(x, y)
    if alike >= 0.92 or (min(len(x), len(y)) >= 4 and DamerauLevenshtein.distance(x, y) <= 1):
        return 2
    return 3 if alike >= 0.8 else 5


@lru_cache(maxsize=50_000)
def middle_level(a: tuple[str, ...], b: tuple[str, ...]) -> int | None:
    """The level of what follows the forename."""
    if not a or not b:
        return None
    if any(len(t) > 1 and t in b for t in a):
        return 0
    return 1 if any(t[0] == u[0] and (len(t) == 1 or len(u) == 1) for t in a for u in b) else 2


@lru_cache(maxsize=50_000)
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


@lru_cache(maxsize=50_000)
def _street_alike(a: str, b: str) -> bool:
    return ratio(a, b) >= 80


@lru_cache(maxsize=50_000)
def _shares_a_word(a: str, b: str) -> bool:
    return any(len(word) >= 5 and word in b.split() for word in a.split())


def _is_postcode(code: str) -> bool:
    return len(code) >= 5


def _area_level(a: Place, b: Place) -> int:
    """How near two addresses are that are not one dwelling: by postcode, else by town."""
    if _is_postcode(a.postcode) and _is_postcode(b.postcode):
        if a.postcode == b.postcode:
            return _POSTCODE
        if a.postcode[:-2] == b.postcode[:-2] or DamerauLevenshtein.distance(a.postcode, b.postcode) == 1:
            return _NEAR
    return _TOWN if a.town and a.town == b.town else _ELSEWHERE


def place_level(a: Place | None, b: Place | None) -> int | None:
    """The level of two addresses."""
    if a is None or b is None:
        return None
    if a.uprn and b.uprn:
        return _DWELLING if a.uprn == b.uprn else _area_level(a, b)
    if a.street and b.street:
        far = _is_postcode(a.postcode) and _is_postcode(b.postcode)
        if far and DamerauLevenshtein.distance(a.postcode, b.postcode) > 1:
            return _area_level(a, b)
        same_number = bool(a.number) and a.number == b.number and a.unit == b.unit
        if (
            a.street == b.street
            or _street_alike(a.street, b.street)
            or (same_number and _shares_a_word(a.street, b.street))
        ):
            return _on_one_street(a, b)
        return _area_level(a, b)
    if (_is_postcode(a.postcode) and _is_postcode(b.postcode)) or (a.town and b.town):
        return _area_level(a, b)
    return None


def _on_one_street(a: Place, b: Place) -> int:
    if a.number == b.number and a.number:
        if a.unit == b.unit:
            return _DWELLING if a.street == b.street else _CLOSE
        return _CLOSE if not a.unit or not b.unit else _STREET
    if not a.number or not b.number:
        return _CLOSE if a.unit and a.unit == b.unit else _STREET
    return _CLOSE if DamerauLevenshtein.distance(a.number, b.number) == 1 and len(a.number) > 2 else _STREET


def contact_level(a: tuple[str, ...], b: tuple[str, ...]) -> int | None:
    """The level of two sets of telephone numbers and e-mail addresses; numbers are compared with numbers only."""
    if not a or not b:
        return None
    if set(a) & set(b):
        return 0
    like = [(x, y) for x in a for y in b if ("@" in x) == ("@" in y)]
    if not like:
        return None
    near = any(
        DamerauLevenshtein.distance(x, y) <= 1 or ("@" in x and x.split("@")[0] == y.split("@")[0]) for x, y in like
    )
    return 1 if near else 2


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
