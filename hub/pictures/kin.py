"""What a coded relationship means for a drawing: which line, and how many generations apart.

For: the genogram. It must never read more into a code than it says: a code that names no line in the family
(a neighbour, a carer) gives none. Codes are HL7 v3 PersonalRelationshipRoleType, as MAIS PUB01 uses them.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kin:
    """`rows` is how many generations the person stands below the other: a mother is -1, a daughter +1."""

    manner: str
    rows: int


PARENT, CHILD = Kin("birth", -1), Kin("birth", 1)
PLACED_PARENT, PLACED_CHILD = Kin("placed", -1), Kin("placed", 1)
STEP_PARENT, STEP_CHILD = Kin("step", -1), Kin("step", 1)
SIBLING = Kin("sibling", 0)


def kin_at(rows: int) -> Kin:
    """Kin without a line of their own, so many generations below."""
    return Kin("kin", rows)


KIN: Mapping[str, Kin] = (
    dict.fromkeys(("PRN", "MTH", "FTH", "NPRN", "NMTH", "NFTH", "GESTM", "NMTHF"), PARENT)
    | dict.fromkeys(("CHILD", "SON", "DAU", "DAUC", "SONC", "NCHILD", "NDAU", "DAUN", "NSON", "SONN"), CHILD)
    | dict.fromkeys(("ADOPTP", "ADOPTF", "ADOPTM", "PRNFOST", "MTHFOST", "FTHFOST"), PLACED_PARENT)
    | dict.fromkeys(("CHLDADOPT", "DAUADOPT", "SONADOPT", "CHLDFOST", "DAUFOST", "SONFOST"), PLACED_CHILD)
    | dict.fromkeys(("STPPRN", "STPMTH", "STPFTH"), STEP_PARENT)
    | dict.fromkeys(("STPCHLD", "STPDAU", "STPSON"), STEP_CHILD)
    | dict.fromkeys(("SIB", "BRO", "SIS", "NSIB", "NBRO", "NSIS", "TWIN", "TWINBRO", "TWINSIS"), SIBLING)
    | dict.fromkeys(("HSIB", "HBRO", "HSIS", "STPSIB", "STPBRO", "STPSIS", "COUSN", "MCOUSN", "PCOUSN"), kin_at(0))
    | dict.fromkeys(("SIBINLAW", "BROINLAW", "SISINLAW", "ROOM", "SIGOTHR_FORMER"), kin_at(0))
    | dict.fromkeys(("SPS", "HUSB", "WIFE", "SIGOTHR"), Kin("couple", 0))
    | {"DOMPART": Kin("cohabiting", 0), "FMRSPS": Kin("divorced", 0)}
    | dict.fromkeys(("AUNT", "UNCLE", "MAUNT", "PAUNT", "MUNCLE", "PUNCLE"), kin_at(-1))
    | dict.fromkeys(("PRNINLAW", "MTHINLAW", "FTHINLAW"), kin_at(-1))
    | dict.fromkeys(("NIENEPH", "NEPHEW", "NIECE", "CHLDINLAW", "DAUINLAW", "SONINLAW"), kin_at(1))
    | dict.fromkeys(("GRPRN", "GRMTH", "GRFTH", "MGRPRN", "PGRPRN", "MGRMTH", "PGRMTH", "MGRFTH", "PGRFTH"), kin_at(-2))
    | dict.fromkeys(("GRNDCHILD", "GRNDDAU", "GRNDSON"), kin_at(2))
    | dict.fromkeys(("GGRPRN", "GGRMTH", "GGRFTH", "MGGRPRN", "PGGRPRN", "MGGRMTH", "MGGRFTH", "PGGRMTH"), kin_at(-3))
)


def kin_of(code: str) -> Kin | None:
    """What a relationship code means for the drawing, or None when it names no place in a family."""
    return KIN.get(code)
