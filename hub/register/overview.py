"""The register as everybody reads it: the list, one version, and its matrix of agencies and categories.

For: practitioners who want to know what they may ask for, and officers who answer for it. Agreements hold no personal
data, so reading them is no event. Must never say what a decision would not say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from hub.assembly import Hub
from hub.casefile import SENSITIVE_SERVICES
from hub.errors import NotFound
from policies import Agency, Answered, Question, SharingAgreement, Word, answers, as_if_in_force, in_force, word
from policies.vocabulary import AgencyType, DataCategory, FieldKind, PartyRole, Purpose, Role

#: How old the ordinary person of the matrix is: a child, and an adult.
CHILD, ADULT = 8, 40


@dataclass(frozen=True, slots=True)
class Asked:
    """For which purpose, role and receiving agency a matrix is drawn."""

    purpose: Purpose
    role: Role
    recipient: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What a reader may choose from, for one version."""

    purposes: tuple[Purpose, ...]
    roles: tuple[Role, ...]
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What an agency's information of a category would be: the word for a child and, where it differs, for an adult."""

    agency: str
    category: DataCategory
    child: Word
    adult: Word


@dataclass(frozen=True, slots=True)
class Matrix:
    """Agencies across, categories down; None where the agency offers nothing of the category."""

    asked: Asked
    agencies: tuple[str, ...]
    rows: Mapping[DataCategory, tuple[Cell | None, ...]]


def version_of(hub: Hub, reference: str, version: str) -> SharingAgreement:
    """One version, by its number as it stands in an address. Raises NotFound."""
    for one in hub.agreements:
        if (one.reference, str(one.version)) == (reference, version):
            return one
    raise NotFound("There is no such agreement.", next_steps=("Go back to the list of agreements.",))


def counts_now(hub: Hub, one: SharingAgreement, today: date) -> bool:
    """Whether this version is the one that decisions read today."""
    return one in in_force(hub.agreements, today)


def choices(one: SharingAgreement, purpose: Purpose | None) -> Choices:
    """The purposes of a version, and the roles and agencies that receive for one of them."""
    purposes = tuple(p for p in Purpose if any(p in clause.purposes for clause in one.clauses))
    named = purpose if purpose in purposes else (purposes[0] if purposes else None)
    roles = {role for clause in one.clauses if named in clause.purposes for role in clause.recipient_roles}
    recipients = tuple(party.agency for party in one.parties if party.role != PartyRole.DISCLOSER)
    return Choices(purposes, tuple(role for role in Role if role in roles), recipients)


def matrix(hub: Hub, one: SharingAgreement, asked: Asked, today: date) -> Matrix:
    """The matrix of one version by itself, as if it were in force."""
    disclosers = [p.agency for p in one.parties if p.role != PartyRole.RECIPIENT and p.agency != asked.recipient]
    agencies = tuple(code for code in (*hub.partners, *disclosers) if code in disclosers)
    agencies = tuple(dict.fromkeys(agencies))
    listed = {category for clause in one.clauses for category in clause.categories}
    rows = {}
    for category in DataCategory:
        if category not in listed:
            continue
        cells = tuple(_cell(hub, one, asked, agency, category, today) for agency in agencies)
        if any(cells):
            rows[category] = cells
    return Matrix(asked, agencies, rows)


def reason(
    hub: Hub, one: SharingAgreement, asked: Asked, agency: str, category: DataCategory, age: int, today: date
) -> tuple[Answered, ...]:
    """The decisions behind one cell. Raises NotFound for a cell that the matrix does not have."""
    offers = _offers(hub, one, agency, category)
    if not offers or agency == asked.recipient or agency not in {party.agency for party in one.parties}:
        raise NotFound("There is no such cell.", next_steps=("Go back to the agreement.",))
    question = _question(hub, asked, agency, category, offers, age)
    return answers(question, (as_if_in_force(one, today),), hub.gateways, today)


def _cell(
    hub: Hub, one: SharingAgreement, asked: Asked, agency: str, category: DataCategory, today: date
) -> Cell | None:
    if not _offers(hub, one, agency, category):
        return None
    child, adult = (word(reason(hub, one, asked, agency, category, age, today)) for age in (CHILD, ADULT))
    return Cell(agency, category, child, adult)


def _question(
    hub: Hub, asked: Asked, agency: str, category: DataCategory, offers: frozenset[FieldKind], age: int
) -> Question:
    return Question(
        owner=_agency(hub, agency),
        recipient=_agency(hub, asked.recipient),
        role=asked.role,
        purpose=asked.purpose,
        category=category,
        offers=offers,
        age=age,
    )


def _offers(hub: Hub, one: SharingAgreement, agency: str, category: DataCategory) -> frozenset[FieldKind]:
    """The kinds of fields that an agency has of a category; of an agency that is not connected, what clauses list."""
    partner = hub.partners.get(agency)
    if partner is None:
        return frozenset(k for clause in one.clauses if category in clause.categories for k in clause.field_kinds)
    return frozenset(_kinds(hub, agency, category))


def _kinds(hub: Hub, agency: str, category: DataCategory) -> Iterator[FieldKind]:
    """Whatever a sensitive service says is decided as its own category, and in no other (rule P22)."""
    partner = hub.partners[agency]
    only = SENSITIVE_SERVICES.get(partner.type)
    for offered, fields in partner.offers.items():
        if (only or offered) == category:
            yield from (field.kind for field in fields)


def _agency(hub: Hub, code: str) -> Agency:
    partner = hub.partners.get(code)
    if partner is None:
        return Agency(code=code, type=AgencyType.VCSE, public_authority=False)
    return Agency(
        code=code,
        type=partner.type,
        public_authority=partner.public_authority,
        competent_authority=partner.competent_authority,
    )
