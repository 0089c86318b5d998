"""Invented towns, streets and postcodes of Thornshire.

For: places where the demo county's people live. Must never make a postcode in a real area: there is no
postcode area TH (Royal Mail's list of postcode areas). Inward codes leave out C, I, K, M, O and V as real ones do.
"""

from dataclasses import dataclass
from random import Random

from hub.demo.model import Address
from hub.demo.names import words
from hub.demo.numbers import property_reference

#: Town -> outward postcodes, and which of the two practices most of its people are registered with.
TOWNS: dict[str, tuple[tuple[str, ...], str]] = {
    "Thornminster": (("TH1", "TH2"), "gp-millbrook"),
    "Millbrook Green": (("TH3",), "gp-millbrook"),
    "Hexley Cross": (("TH7",), "gp-millbrook"),
    "Wendlehaven": (("TH4", "TH5"), "gp-harbourside"),
    "Saltmarsh Quay": (("TH6",), "gp-harbourside"),
    "Aldercombe": (("TH8",), "gp-harbourside"),
}
_SHARES = (30, 14, 8, 28, 12, 8)
_STREET_NAMES = words(
    "Anvil Beacon Blackthorn Bramble Bridge Brickfield Cannon Canning Cedar Chandler Chapel Cider "
    "Coldharbour Cooper Copper Crane Dyers Eastgate Elder Fallow Ferry Foundry Gallows Gander Garrison "
    "Glebe Harrow Hawthorn Heron Hopyard Ironmonger Juniper Kestrel Kiln Lantern Larch Linden Lock "
    "Maltings Marigold Mercer Minster Mulberry Nettle Oast Orchard Osier Otter Paddock Pinfold Plover "
    "Quarry Rookery Ropewalk Rushy Saddler Samphire Sawmill Sexton Shearwater Sorrel Spindle Staithe "
    "Tanner Teasel Tidewell Tinder Turnstone Upland Vinegar Wagtail Weir Wherry Whitethorn Windmill Woad "
    "Wren Yarrow"
)
_STREET_KINDS = ("Road", "Street", "Lane", "Close", "Avenue", "Way", "Gardens", "Rise", "Court", "Drive")
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(slots=True)
class Gazetteer:
    """Hands out addresses, each only once; the same draws give the same places."""

    rng: Random
    _given: int = 0

    def next_address(self, town: str | None = None) -> Address:
        """Returns a home that nobody has yet, in that town or anywhere in the county."""
        town = town or self.rng.choices(tuple(TOWNS), weights=_SHARES)[0]
        outward = self.rng.choice(TOWNS[town][0])
        street = self.rng.randrange(len(_STREET_NAMES))
        kind = _STREET_KINDS[(street * 7 + len(town)) % len(_STREET_KINDS)]
        # One street in one town has one postcode, as most short streets do.
        inward = f"{street % 9 + 1}{_INWARD[street % 20]}{_INWARD[(street * 3 + len(town)) % 20]}"
        self._given += 1
        number = self.rng.randint(1, 140)
        flat = f"Flat {self.rng.randint(1, 12)}" if self.rng.random() < 0.18 else None
        return Address(
            line1=f"{number} {_STREET_NAMES[street]} {kind}",
            line2=flat,
            city=town,
            postcode=f"{outward} {inward}",
            uprn=property_reference(self._given),
            use="home",
        )


def practice_of(town: str) -> str:
    """Returns the agency code of the practice that serves a town."""
    return TOWNS[town][1]
