"""What relationship codes mean: their kind, their words, and how they read from the other side.

For: putting statements of several agencies about the same two people side by side. Must never turn one kind of tie
into another. Codes: HL7 v3 PersonalRelationshipRoleType as the Person Standard lists them (PUB01, July 2026).
"""

from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """What kind of tie a code is; the senior's side of it where there is one."""

    PARENT = "PARENT"
    NATURAL_PARENT = "NATURAL_PARENT"
    ADOPTIVE_PARENT = "ADOPTIVE_PARENT"
    FOSTER_PARENT = "FOSTER_PARENT"
    STEP_PARENT = "STEP_PARENT"
    SIBLING = "SIBLING"
    FULL_SIBLING = "FULL_SIBLING"
    HALF_SIBLING = "HALF_SIBLING"
    STEP_SIBLING = "STEP_SIBLING"
    SPOUSE = "SPOUSE"
    PARTNER = "PARTNER"
    FORMER_SPOUSE = "FORMER_SPOUSE"
    GRANDPARENT = "GRANDPARENT"
    EXTENDED = "EXTENDED"
    FAMILY_MEMBER = "FAMILY_MEMBER"
    NOT_FAMILY = "NOT_FAMILY"


PARENTS = frozenset({Kind.PARENT, Kind.NATURAL_PARENT, Kind.ADOPTIVE_PARENT, Kind.FOSTER_PARENT, Kind.STEP_PARENT})
SIBLINGS = frozenset({Kind.SIBLING, Kind.FULL_SIBLING, Kind.HALF_SIBLING, Kind.STEP_SIBLING})
PARTNERS = frozenset({Kind.SPOUSE, Kind.PARTNER, Kind.FORMER_SPOUSE})
#: Couples of now.
COUPLES = frozenset({Kind.SPOUSE, Kind.PARTNER})
#: Relatives who may bring a child up in place of the parents.
KIN = SIBLINGS | {Kind.GRANDPARENT, Kind.EXTENDED}
#: What makes somebody a child's carer besides kinship: a grandmother may be the foster carer, or have adopted.
CARERS = frozenset({Kind.FOSTER_PARENT, Kind.ADOPTIVE_PARENT})
#: A child has one of each.
BIRTH_MOTHER, BIRTH_FATHER = frozenset({"NMTH", "GESTM"}), frozenset({"NFTH"})
#: Parents who hold, or may hold, parental responsibility (Children Act 1989 sections 2 to 4).
RESPONSIBLE = frozenset({Kind.PARENT, Kind.NATURAL_PARENT, Kind.ADOPTIVE_PARENT})
#: Ties that people or courts chose, so that they never lead from an adopted person to the family before.
CHOSEN = PARTNERS | {Kind.ADOPTIVE_PARENT, Kind.FOSTER_PARENT, Kind.STEP_PARENT, Kind.STEP_SIBLING, Kind.NOT_FAMILY}
#: Kinds where one side is senior: the relation is always told from the senior's side.
SENIOR = PARENTS | {Kind.GRANDPARENT}

#: Code -> (kind, True when the one who is so called is the senior or the tie has no senior).
_KINDS: dict[str, tuple[Kind, bool]] = {}
_KINDS |= dict.fromkeys(("PRN", "MTH", "FTH"), (Kind.PARENT, True))
_KINDS |= dict.fromkeys(("NPRN", "NMTH", "NFTH", "GESTM"), (Kind.NATURAL_PARENT, True))
_KINDS |= dict.fromkeys(("ADOPTP", "ADOPTM", "ADOPTF"), (Kind.ADOPTIVE_PARENT, True))
_KINDS |= dict.fromkeys(("PRNFOST", "MTHFOST", "FTHFOST"), (Kind.FOSTER_PARENT, True))
_KINDS |= dict.fromkeys(("STPPRN", "STPMTH", "STPFTH"), (Kind.STEP_PARENT, True))
_KINDS |= dict.fromkeys(("CHILD", "SONC", "DAUC"), (Kind.PARENT, False))
_KINDS |= dict.fromkeys(("NCHILD", "SON", "DAU"), (Kind.NATURAL_PARENT, False))
_KINDS |= dict.fromkeys(("CHLDADOPT", "SONADOPT", "DAUADOPT"), (Kind.ADOPTIVE_PARENT, False))
_KINDS |= dict.fromkeys(("CHLDFOST", "SONFOST", "DAUFOST"), (Kind.FOSTER_PARENT, False))
_KINDS |= dict.fromkeys(("STPCHLD", "STPSON", "STPDAU"), (Kind.STEP_PARENT, False))
_KINDS |= dict.fromkeys(("SIB", "BRO", "SIS"), (Kind.SIBLING, True))
_KINDS |= dict.fromkeys(("NSIB", "NBRO", "NSIS", "TWIN", "TWINBRO", "TWINSIS"), (Kind.FULL_SIBLING, True))
_KINDS |= dict.fromkeys(("ITWIN", "ITWINBRO", "ITWINSIS", "FTWIN", "FTWINBRO", "FTWINSIS"), (Kind.FULL_SIBLING, True))
_KINDS |= dict.fromkeys(("HSIB", "HBRO", "HSIS"), (Kind.HALF_SIBLING, True))
_KINDS |= dict.fromkeys(("STPSIB", "STPBRO", "STPSIS"), (Kind.STEP_SIBLING, True))
_KINDS |= dict.fromkeys(("SPS", "HUSB", "WIFE"), (Kind.SPOUSE, True))
_KINDS |= dict.fromkeys(("DOMPART", "SIGOTHR"), (Kind.PARTNER, True))
_KINDS["FMRSPS"] = (Kind.FORMER_SPOUSE, True)
_KINDS |= dict.fromkeys(
    ("GRPRN", "GRMTH", "GRFTH", "MGRPRN", "MGRMTH", "MGRFTH", "PGRPRN", "PGRMTH", "PGRFTH"), (Kind.GRANDPARENT, True)
)
_KINDS |= dict.fromkeys(("GRNDCHILD", "GRNDSON", "GRNDDAU"), (Kind.GRANDPARENT, False))
_KINDS |= dict.fromkeys(
    (
        "EXT", "AUNT", "MAUNT", "PAUNT", "UNCLE", "MUNCLE", "PUNCLE", "COUSN", "MCOUSN", "PCOUSN", "NIENEPH", "NIECE",
        "NEPHEW", "GGRPRN", "GGRMTH", "GGRFTH", "MGGRPRN", "MGGRMTH", "MGGRFTH", "PGGRPRN", "PGGRMTH", "PGGRFTH",
        "INLAW", "CHLDINLAW", "DAUINLAW", "SONINLAW", "PRNINLAW", "FTHINLAW", "MTHINLAW", "SIBINLAW", "BROINLAW",
        "SISINLAW",
    ),
    (Kind.EXTENDED, True),
)  # fmt: skip
_KINDS |= dict.fromkeys(("ROOM", "FRND", "NBOR"), (Kind.NOT_FAMILY, True))
_KINDS["FAMMEMB"] = (Kind.FAMILY_MEMBER, True)

_BY_SEX: Mapping[Kind, tuple[str, str, str]] = {
    Kind.PARENT: ("PRN", "FTH", "MTH"),
    Kind.NATURAL_PARENT: ("NPRN", "NFTH", "NMTH"),
    Kind.ADOPTIVE_PARENT: ("ADOPTP", "ADOPTF", "ADOPTM"),
    Kind.FOSTER_PARENT: ("PRNFOST", "FTHFOST", "MTHFOST"),
    Kind.STEP_PARENT: ("STPPRN", "STPFTH", "STPMTH"),
    Kind.SIBLING: ("SIB", "BRO", "SIS"),
    Kind.FULL_SIBLING: ("NSIB", "NBRO", "NSIS"),
    Kind.HALF_SIBLING: ("HSIB", "HBRO", "HSIS"),
    Kind.STEP_SIBLING: ("STPSIB", "STPBRO", "STPSIS"),
    Kind.SPOUSE: ("SPS", "HUSB", "WIFE"),
    Kind.PARTNER: ("DOMPART", "DOMPART", "DOMPART"),
    Kind.FORMER_SPOUSE: ("FMRSPS", "FMRSPS", "FMRSPS"),
    Kind.GRANDPARENT: ("GRPRN", "GRFTH", "GRMTH"),
    Kind.EXTENDED: ("EXT", "EXT", "EXT"),
    Kind.FAMILY_MEMBER: ("FAMMEMB", "FAMMEMB", "FAMMEMB"),
    Kind.NOT_FAMILY: ("ROOM", "ROOM", "ROOM"),
}

WORDS: Mapping[str, str] = {
    "PRN": "parent", "MTH": "mother", "FTH": "father", "NPRN": "birth parent", "NMTH": "birth mother",
    "NFTH": "birth father", "GESTM": "mother who gave birth", "ADOPTP": "adoptive parent", "ADOPTM": "adoptive mother",
    "ADOPTF": "adoptive father", "PRNFOST": "foster carer", "MTHFOST": "foster carer", "FTHFOST": "foster carer",
    "STPPRN": "step-parent", "STPMTH": "stepmother", "STPFTH": "stepfather",
    "SIB": "sibling", "BRO": "brother", "SIS": "sister", "NSIB": "sibling", "NBRO": "brother", "NSIS": "sister",
    "HSIB": "half-sibling", "HBRO": "half-brother", "HSIS": "half-sister", "STPSIB": "step-sibling",
    "STPBRO": "stepbrother", "STPSIS": "stepsister", "TWIN": "twin", "TWINBRO": "twin brother",
    "TWINSIS": "twin sister",
    "ITWIN": "identical twin", "FTWIN": "twin", "SPS": "husband or wife", "HUSB": "husband", "WIFE": "wife",
    "DOMPART": "partner", "SIGOTHR": "partner", "FMRSPS": "former husband or wife",
    "GRPRN": "grandparent", "GRMTH": "grandmother", "GRFTH": "grandfather", "MGRPRN": "maternal grandparent",
    "MGRMTH": "maternal grandmother", "MGRFTH": "maternal grandfather", "PGRPRN": "paternal grandparent",
    "PGRMTH": "paternal grandmother", "PGRFTH": "paternal grandfather", "GGRPRN": "great-grandparent",
    "EXT": "relative", "AUNT": "aunt", "MAUNT": "aunt", "PAUNT": "aunt", "UNCLE": "uncle", "MUNCLE": "uncle",
    "PUNCLE": "uncle", "COUSN": "cousin", "MCOUSN": "cousin", "PCOUSN": "cousin", "NIENEPH": "niece or nephew",
    "NIECE": "niece", "NEPHEW": "nephew", "INLAW": "in-law", "CHLDINLAW": "child-in-law", "PRNINLAW": "parent-in-law",
    "SIBINLAW": "sibling-in-law", "FAMMEMB": "member of the family", "ROOM": "shares the home", "FRND": "friend",
    "NBOR": "neighbour",
}  # fmt: skip


def kind_of(code: str) -> tuple[Kind, bool]:
    """The kind of a code, and whether the one who is so called is the senior (or the tie has no senior)."""
    return _KINDS.get(code, (Kind.NOT_FAMILY, True))


def code_for(kind: Kind, sex: str | None) -> str:
    """The code of a kind for somebody of this sex; the general one when it is not held."""
    general, male, female = _BY_SEX[kind]
    return male if sex == "1" else female if sex == "2" else general


def words_of(code: str) -> str:
    """A code in words; a code nobody listed is some tie, and makes nobody family."""
    return WORDS.get(code, "connected in another way")


def words_from_other_side(code: str, sex: str | None) -> str:
    """What the other one is, when one is called `code` of them: a sister's brother, a father's daughter."""
    kind, _ = kind_of(code)
    if kind in SENIOR:
        younger = {Kind.GRANDPARENT: "grand", Kind.STEP_PARENT: "step", Kind.FOSTER_PARENT: "foster "}.get(kind, "")
        return younger + {"1": "son", "2": "daughter"}.get(sex or "", "child")
    return words_of(code_for(kind, sex))


def contradict(one: Kind, other: Kind) -> bool:
    """Whether two kinds of tie between the same two people cannot both be meant."""
    if one == other or Kind.FAMILY_MEMBER in (one, other) or Kind.NOT_FAMILY in (one, other):
        return False
    for group, loose in ((PARENTS, Kind.PARENT), (SIBLINGS, Kind.SIBLING)):
        if one in group and other in group:
            return loose not in (one, other)
    if one in PARTNERS and other in PARTNERS:
        return Kind.FORMER_SPOUSE in (one, other)
    # A relative may bring a child up: kinship foster care, or adoption by a grandmother (connected persons).
    return not any(kin in KIN and carer in CARERS for kin, carer in ((one, other), (other, one)))
