"""The catalogue: number, title and source of every rule, for explanations, documents and checks.

It must never hold behaviour. Ruled by section 3 of the partnership's decision rules. The partnership's data
protection officer and Caldicott Guardian own the policy; nothing here is legal advice.
"""

from typing import NamedTuple


class Rule(NamedTuple):
    """What a rule is called and where it comes from."""

    title: str
    source: str


RULES: dict[str, Rule] = {
    "P01": Rule("One decision at a time", "UK GDPR Art 5(1)(b), (c), (f); Caldicott principles"),
    "P02": Rule(
        "Named user, valid role, real reason", "practice of national child indexes; accountability, UK GDPR Art 5(2)"
    ),
    "P03": Rule("Legitimate relationship", "NHS privacy-officer and alert practice"),
    "P04": Rule("Sharing agreement", "ICO Data Sharing Code; local agreement rules"),
    "P05": Rule("Lawful basis", "UK GDPR Arts 6, 9, 10; DPA 2018 Schs 1 and 8; the gateway statutes"),
    "P06": Rule("No legitimate interest for public authorities", "Data (Use and Access) Act 2025; UK GDPR Art 6(1)"),
    "P07": Rule("Gateways in time", "commencement of Children Act 2004 s16LA"),
    "P08": Rule("Purpose", "purpose limitation, UK GDPR Art 5(1)(b)"),
    "P09": Rule("Necessity", "Caldicott principles; seven golden rules"),
    "P10": Rule("Consent first for early help", "consent-based early help guidance"),
    "P11": Rule("Decision about consent before gathering", "R (AB & CD) v Haringey [2013]"),
    "P12": Rule("Significant harm", "DfE information sharing advice 2024; DPA 2018 Sch 1 para 18"),
    "P13": Rule("Override of a refusal", "local section 47 procedures; GMC"),
    "P14": Rule("Unsafe to ask", "DfE information sharing advice 2024; GMC"),
    "P15": Rule("Withdrawal, expiry and scope bite at once", "UK GDPR Art 7(3)"),
    "P16": Rule("Young people decide for themselves", "Gillick; Family Law Reform Act 1969 s8; MCA 2005"),
    "P17": Rule("Parental responsibility", "Children Act 1989 ss2, 3, 33"),
    "P18": Rule("Eighteen", "Children Act 1989 s105"),
    "P19": Rule("Adults", "MCA 2005; Care Act 2014 s42 practice"),
    "P20": Rule("Direct care", "HSCA 2012 ss251A-B; GMC 27-30"),
    "P21": Rule("Tell people", "UK GDPR Arts 13, 14; golden rule 2"),
    "P22": Rule(
        "Sensitive services", "ContactPoint Regulations 2007, sensitive services; treatment-statistics privacy notice"
    ),
    "P23": Rule("Sealed until released", "MASH sealed-intelligence practice"),
    "P24": Rule("The held marker", "regional MASH guidance"),
    "P25": Rule("Product", "MASH practice; Working Together 2023"),
    "P26": Rule("Police intelligence", "police 3x5x2 handling codes"),
    "P27": Rule("Statutory bars", "adoption records rules; Gender Recognition Act 2004 s22"),
    "P28": Rule("Shielded persons", "ContactPoint shielding rules; NHS sensitive flag"),
    "P29": Rule("Third parties and referrers", "ICO guidance on social work data"),
    "P30": Rule("MAPPA and MARAC stay in their process", "MAPPA guidance; MARAC protocols"),
    "P31": Rule("Restricted by a court", "family court rules on disclosure"),
    "P32": Rule("Alleged perpetrators", "golden rule 5"),
    "P33": Rule("Own record", "ICO prosecutions"),
    "P34": Rule("Relatives and associates", "NHS alerts; ICO prosecutions"),
    "P35": Rule("Locked cases", "council case-locking policies"),
    "P36": Rule("Allegation against the user", "LADO procedures"),
    "P37": Rule("Approvals", "NHS guidance on named responsible persons; segregation of duties"),
    "P38": Rule("Police crime purpose", "Crime and Disorder Act 1998 s115; PCSC Act 2022 s16; NHS England"),
    "P39": Rule("Onward sharing", "ICO Data Sharing Code"),
    "P40": Rule("Break-glass", "ICO code, urgent sharing"),
    "P41": Rule("Ended basis", "MASH guidance"),
    "P42": Rule("Open case elsewhere", "MASH guidance; threshold continuum"),
    "P43": Rule("Audit", "NHS privacy-officer guidance"),
    "P44": Rule("System administrators see no content", "segregation of duties"),
    "P45": Rule("Analytics", "ICO DPIA list; UK GDPR Art 22"),
    "P46": Rule("Subject access", "UK GDPR Art 15; DPA 2018 Schs 2, 3"),
    "P47": Rule("The dead", "duty of confidence after death; Access to Health Records Act 1990"),
    "P48": Rule("Honest answers", "safety of negative answers"),
    "P49": Rule("Withholding and silence", "Children Act 2004 s16LA detriment test; MASH escalation practice"),
    "P50": Rule("Uniform refusal", "confidentiality of records; accountability"),
}
