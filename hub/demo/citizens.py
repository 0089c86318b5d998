"""Members of the public who may sign in to the demonstration, as a national sign-in service would vouch for them.

For: the pages on which families see what is held about them. Must never be a real person, and must never exist outside
demo mode.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from hub.demo.builder import born_on


@dataclass(frozen=True, slots=True)
class Citizen:
    """One person. `born` is (age today, month, day); `level` is how surely the service knows who they are."""

    key: str
    sub: str
    name: str
    born: tuple[int, int, int]
    nhs_number: str
    does: str
    level: str = "P9"
    agency: str = ""

    def claims(self, today: date) -> dict[str, object]:
        """What the service says of them, in the words of NHS login's claims."""
        return {
            "name": self.name,
            "birthdate": born_on(today, *self.born).isoformat(),
            "nhs_number": self.nhs_number,
            "identity_proofing_level": self.level,
        }


CITIZENS: Mapping[str, Citizen] = MappingProxyType(
    {
        one.key: one
        for one in (
            Citizen("dorothy", "cz-0001", "Dorothy Pemberton", (84, 1, 30), "9997000390",
                    "has help at home, and her GP practice asks about it"),
            Citizen("carmel", "cz-0002", "Carmel Ashby", (32, 1, 21), "9997000323",
                    "agreed to early help for her family"),
            Citizen("leanne", "cz-0003", "Leanne Tarrant", (31, 3, 17), "9997000005",
                    "people may be worried about her children, and she must not learn of it here"),
            Citizen("half_known", "cz-0004", "Dorothy Pemberton", (84, 1, 30), "9997000390",
                    "the service is not sure enough who this is", level="P5"),
            Citizen("stranger", "cz-0005", "Ines Calloway", (41, 6, 2), "9997000110",
                    "nobody in this county has a record of this number and birth date"),
        )
    }
)  # fmt: skip
