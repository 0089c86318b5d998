"""The professionals of the demo partnership, per agency, with the telephone of their team.

For: whom to ring. Must never hold a real person's name and number together: every number is an Ofcom drama number.
"""

from hub.demo.model import AGENCY_CODES, Professional
from hub.demo.numbers import landline

_TEAMS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "csc": (
        ("Multi-Agency Safeguarding Hub", "Social worker", ("Rosalind Achebe", "Piers Langley")),
        ("Assessment Team North", "Social worker", ("Deborah Sallow", "Imtiaz Rauf")),
        ("Family Support Team", "Family support worker", ("Kim Thistleton", "Josie Amadi")),
        ("Children in Care Team", "Social worker", ("Helen Marchbank", "Gareth Penhale")),
    ),
    "asc": (
        ("Adults Duty Team", "Duty social worker", ("Wilma Castleton", "Obi Nwachukwu")),
        ("Home First Team", "Care co-ordinator", ("Fran Tolley", "Darius Pym")),
        ("Adult Safeguarding Team", "Safeguarding lead", ("Ruth Oldacre",)),
    ),
    "police": (
        ("Public Protection Unit", "Detective constable", ("DC Alma Fenwick", "DC Rhys Colborne")),
        ("Missing Persons Team", "Missing persons co-ordinator", ("PC Tess Harkaway",)),
        ("Thornminster Neighbourhood Team", "Police constable", ("PC Nia Broadhurst", "PC Sam Etheridge")),
    ),
    "gp-millbrook": (("Millbrook Surgery", "General practitioner", ("Dr Sunil Varma", "Dr Catrin Howells")),),
    "gp-harbourside": (("Harbourside Practice", "General practitioner", ("Dr Beatrix Lowe", "Dr Emeka Obi")),),
    "hv": (
        ("Health Visiting North", "Health visitor", ("Marguerite Stroud", "Pauline Idowu")),
        ("Health Visiting Coast", "Health visitor", ("Sian Beddoes", "Tamsin Quill")),
        ("School Nursing", "School nurse", ("Anwen Farrar",)),
    ),
    "housing": (
        ("Tenancy Sustainment", "Housing officer", ("Colin Wraight", "Yvette Sackville")),
        ("Housing Options", "Housing options adviser", ("Tariq Bashir",)),
    ),
    "sms": (
        ("Adult Recovery Team", "Recovery worker", ("Lou Pettifer", "Andre Coates")),
        ("Young People's Team", "Young people's worker", ("Bea Hollis",)),
    ),
}
_FIRST_LINE = dict(zip(AGENCY_CODES, (110, 210, 310, 410, 510, 610, 710, 810), strict=True))


def professionals() -> dict[str, tuple[Professional, ...]]:
    """Returns each agency's professionals; the members of a team share its telephone."""
    found: dict[str, tuple[Professional, ...]] = {}
    for agency, teams in _TEAMS.items():
        members = [
            Professional(f"{agency}-w{number}{place}", agency, name, role, team, landline(_FIRST_LINE[agency] + number))
            for number, (team, role, names) in enumerate(teams)
            for place, name in enumerate(names, 1)
        ]
        found[agency] = tuple(members)
    return found
