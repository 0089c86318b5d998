"""Sharing agreements: what the parties of one version agreed, and which versions are in force on a day.

For: handing the deciding part to `decide`, and telling which lawful basis, consent model and limb of confidentiality
hold for a purpose. It must never read a file, and never be changed in place: a change is a new version. Ruled by rules
P04 and P05; the form is described in docs/writing-agreements.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from policies.case import Agreement, Basis, Clause, Party
from policies.vocabulary import (
    AgreementStatus,
    BragRating,
    ConfidentialityLimb,
    ConsentModel,
    DataRole,
    PartyRole,
    PartyStatus,
    Purpose,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedParty:
    """One agency's part in an agreement, and the office that signed for it."""

    agency: str
    role: PartyRole
    data_role: DataRole | None = None
    status: PartyStatus
    signed_on: date | None = None
    signatory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTarget:
    """Within how many hours partners answer an enquiry of this colour."""

    brag: BragRating
    hours: int = field(metadata={"minimum": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """For these purposes: what the family is asked first, and what lets confidential information pass."""

    purposes: frozenset[Purpose]
    consent_model: ConsentModel
    confidentiality_limb: ConfidentialityLimb


@dataclass(frozen=True, slots=True)
class BasisClaim:
    """Which agencies claim which lawful basis, for which purposes; as owner and as recipient alike."""

    agencies: frozenset[str]
    purposes: frozenset[Purpose]
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The keys of a file apart from its bases."""

    reference: str
    version: int = field(metadata={"minimum": 1})
    title: str
    status: AgreementStatus
    effective_from: date
    expires_on: date | None = None
    review: date
    dpia_reference: str
    parties: tuple[SignedParty, ...]
    clauses: tuple[Clause, ...] = ()
    terms: tuple[Terms, ...] = ()
    response_targets: tuple[ResponseTarget, ...] = ()


@dataclass(frozen=True)
class SharingAgreement:
    """One version of an agreement, as signed; not changed afterwards, a change is a new version."""

    head: Head
    bases: tuple[BasisClaim, ...]
    file: str = field(compare=False)

    @property
    def reference(self) -> str:
        """The reference that all versions share."""
        return self.head.reference

    @property
    def version(self) -> int:
        """The number of this version."""
        return self.head.version

    @property
    def title(self) -> str:
        """What people call it."""
        return self.head.title

    @property
    def status(self) -> AgreementStatus:
        """Where it stands; only ACTIVE is in force."""
        return self.head.status

    @property
    def effective_from(self) -> date:
        """The first day."""
        return self.head.effective_from

    @property
    def expires_on(self) -> date | None:
        """The last day, or None."""
        return self.head.expires_on

    @property
    def review(self) -> date:
        """When the parties review it at the latest."""
        return self.head.review

    @property
    def dpia_reference(self) -> str:
        """The data protection impact assessment behind it."""
        return self.head.dpia_reference

    @property
    def parties(self) -> tuple[SignedParty, ...]:
        """The agencies, their part, and who signed."""
        return self.head.parties

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """What may flow."""
        return self.head.clauses

    @property
    def terms(self) -> dict[Purpose, Terms]:
        """What is asked of the family and what lets confidential information pass, by purpose."""
        return {purpose: one for one in self.head.terms for purpose in one.purposes}

    @property
    def purposes(self) -> frozenset[Purpose]:
        """Every purpose that a clause or a basis names."""
        return frozenset().union(
            *[one.purposes for one in self.head.clauses], *[claim.purposes for claim in self.bases]
        )

    @property
    def response_targets(self) -> dict[BragRating, int]:
        """Hours to answer, by the colour of the enquiry."""
        return {one.brag: one.hours for one in self.head.response_targets}

    @cached_property
    def _deciding(self) -> Agreement:
        head = self.head
        return Agreement(
            reference=head.reference,
            version=head.version,
            status=head.status,
            effective_from=head.effective_from,
            expires_on=head.expires_on,
            parties=tuple(Party(agency=one.agency, role=one.role, status=one.status) for one in head.parties),
            clauses=head.clauses,
        )

    @cached_property
    def _claims(self) -> dict[tuple[str, Purpose], Basis]:
        signed = {one.agency for one in self.parties if one.status == PartyStatus.SIGNED}
        return {
            (agency, purpose): claim.basis
            for claim in self.bases
            for agency in claim.agencies & signed
            for purpose in claim.purposes
        }

    def for_decision(self) -> Agreement:
        """Return the part that decisions read; always the same object, so it is worked out once."""
        return self._deciding

    def started(self, today: date) -> bool:
        """Is it active and has it started? It may have expired since."""
        return self.status == AgreementStatus.ACTIVE and self.effective_from <= today

    def claim(self, agency: str, purpose: Purpose) -> Basis | None:
        """Return the lawful basis that a signed agency claims here, whatever the date."""
        return self._claims.get((agency, purpose))


def in_force(agreements: Iterable[SharingAgreement], today: date) -> tuple[SharingAgreement, ...]:
    """Return, of each reference, the highest active version that has started, unless it has expired (P04)."""
    highest: dict[str, SharingAgreement] = {}
    for one in agreements:
        if one.started(today) and (one.reference not in highest or one.version > highest[one.reference].version):
            highest[one.reference] = one
    return tuple(one for one in highest.values() if one.expires_on is None or today <= one.expires_on)


def basis_for(agreements: Iterable[SharingAgreement], agency: str, purpose: Purpose, today: date) -> Basis | None:
    """Return the lawful basis that this agency claims for this purpose in an agreement in force, or None.

    Where several agreements say something, the first in the order of their references counts.
    """
    for one in in_force(agreements, today):
        basis = one.claim(agency, purpose)
        if basis is not None:
            return basis
    return None
