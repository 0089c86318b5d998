"""Which records are worth comparing: blocking keys, the same for files in memory and for the blind index.

For: finding every pair that could be one person without comparing all with all. Must never hold more than keys
that are blinded before they are stored, and never makes a key from the address of a person whose whereabouts are
protected (`normalise.prepare` has left it out). Ruled by docs/matching.md.
"""

from collections.abc import Iterable, Sequence

from hub.people.matching.normalise import Called, Prepared, sound

#: A block with more records than this says too little to be worth all its pairs; other keys find them.
LARGEST_BLOCK = 120
#: Weaker kinds of key are given up earlier.
LARGEST_OF_KIND = {"a": 24, "b": 40, "f": 40, "p": 60, "y": 60, "c": 60, "w": 60, "e": 40}


def name_key(one: str, other: str) -> str:
    """A forename and a family name in either order."""
    return f"n:{one}:{other}" if one <= other else f"n:{other}:{one}"


def sound_key(one: str, other: str) -> str:
    """How the two names sound, in either order."""
    x, y = sound(one), sound(other)
    return f"p:{x}:{y}" if x <= y else f"p:{y}:{x}"


def _families(name: Called) -> tuple[str, ...]:
    return (name.family, *name.parts) if name.family else ()


def keys(record: Prepared) -> set[str]:
    """Every key of one record."""
    found = {f"i:{system}:{value}" for system, value in record.numbers}
    born = record.born
    exact_born = born if born and "00" not in (born[4:6], born[6:]) else None
    if exact_born:
        found.add(f"d:{exact_born}")
    found.update(f"e:{contact}" for contact in record.contacts)
    area = record.place.postcode if record.place and len(record.place.postcode) >= 5 else ""
    for name in record.names:
        if area and name.given:
            found.add(f"c:{area}:{name.given[0][0]}")
        if area and name.family:
            found.add(f"w:{area}:{name.family[0]}")
        first = next((t for t in name.given if len(t) > 1), "")
        for family in _families(name):
            if first:
                found.add(name_key(first, family))
                found.add(sound_key(first, family))
            if born:
                found.add(f"y:{born[:4]}:{sound(family)}")
        for given in name.given[:2]:
            if born and len(given) > 1:
                found.add(f"g:{given}:{born[:6]}")
                if exact_born:
                    found.add(f"m:{given}:{born[4:]}")
        if name.family and name.given:
            found.add(f"f:{name.family}:{name.given[0][0]}")
        if record.place and record.place.street and (record.place.number or record.place.unit):
            for given in name.given[:1]:
                found.add(f"a:{record.place.number}:{record.place.street[:6]}:{given[0]}")
                found.add(f"b:{record.place.street}:{given}")
    return found


def pairs(records: Sequence[Prepared], among: Iterable[int] | None = None) -> set[int]:
    """Every pair worth comparing, as `first * len(records) + second` with first < second.

    Takes `among`: only pairs with at least one of these positions (what is new), else all.
    """
    blocks: dict[str, list[int]] = {}
    for at, record in enumerate(records):
        for key in keys(record):
            blocks.setdefault(key, []).append(at)
    new = None if among is None else set(among)
    size = len(records)
    found: set[int] = set()
    for key, block in blocks.items():
        if len(block) < 2 or len(block) > LARGEST_OF_KIND.get(key[0], LARGEST_BLOCK):
            continue
        for i, first in enumerate(block):
            if new is None or first in new:
                found.update(first * size + second for second in block[i + 1 :])
            else:
                found.update(first * size + second for second in block[i + 1 :] if second in new)
    return found
