"""Sharing agreements and the gateway register, as the partnership's officers write them: versioned TOML files.

For: reading them strictly, handing the deciding part to `decide`, and telling which lawful basis each agency
claims for a purpose. It must never guess at an unknown word, and never let an agreement list what a statute
bars. Ruled by rules P04, P05 and P07; the form is described in docs/writing-agreements.md.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from policies.case import Agreement, Basis, Clause, GatewayEntry, Party
from policies.form import FormError, read, write
from policies.rules.sensitivity import BARRED_CATEGORIES
from policies.vocabulary import AgreementStatus, BragRating, PartyRole, PartyStatus, Purpose, StatutoryGateway


class AgreementInvalid(ValueError):
    """An agreement or register file is wrong; says which file, which key and why."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        self.file, self.key, self.reason = file, key, reason
        super().__init__(f"{file}: {key}: {reason}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedParty:
    """One agency's part in an agreement, and the office that signed for it."""

    agency: str
    role: PartyRole
    status: PartyStatus
    signed_on: date | None = None
    signatory: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseTarget:
    """Within how many hours partners answer an enquiry of this colour."""

    brag: BragRating
    hours: int = field(metadata={"minimum": 1})


@dataclass(frozen=True, slots=True)
class BasisClaim:
    """Which agencies claim which lawful basis, for which purposes; as owner and as recipient alike."""

    agencies: frozenset[str]
    purposes: frozenset[Purpose]
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
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
    response_targets: tuple[ResponseTarget, ...] = ()


@dataclass(frozen=True)
class SharingAgreement:
    """One version of an agreement, as signed; not changed afterwards, a change is a new version."""

    head: _Head
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


def load_agreements(folder: Path) -> tuple[SharingAgreement, ...]:
    """Read every *.toml file of the folder.

    Raises AgreementInvalid (file, key, reason) for the first fault. Returns them by reference and version.
    """
    loaded: dict[tuple[str, int], SharingAgreement] = {}
    for path in sorted(folder.glob("*.toml")):
        one = read_agreement(path)
        twin = loaded.setdefault((one.reference, one.version), one)
        if twin is not one:
            raise AgreementInvalid(path.name, "version", f"{twin.file} has this reference and version already")
    return tuple(loaded[key] for key in sorted(loaded))


def read_agreement(path: Path) -> SharingAgreement:
    """Read one agreement file. Raises AgreementInvalid."""
    try:
        return agreement_of(read_toml(path), path.name)
    except FormError as error:
        raise AgreementInvalid(path.name, error.path, with_word(error)) from None


def agreement_of(plain: Any, file: str = "") -> SharingAgreement:
    """Read an agreement from plain data in the form of its file. Raises FormError."""
    bases_plain = plain.get("basis", []) if isinstance(plain, dict) else []
    rest = {key: value for key, value in plain.items() if key != "basis"} if isinstance(plain, dict) else plain
    head = read(_Head, rest, complete=False)
    if not isinstance(bases_plain, list):
        raise FormError("basis", "a list is needed")
    bases = tuple(_read_basis(one, f"basis[{n}]") for n, one in enumerate(bases_plain))
    _check(head, bases)
    return SharingAgreement(head, bases, file)


def written(one: SharingAgreement) -> dict[str, Any]:
    """Return an agreement as plain data in the form of its file, without what it leaves out."""
    bases = [{**write(claim), **write(claim.basis), "basis": None} for claim in one.bases]
    head = {key: _said(value) for key, value in write(one.head).items() if value not in (None, [])}
    return {**head, "basis": _said(bases)}


def _said(value: Any) -> Any:
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return value
    return [{key: each for key, each in entry.items() if each not in (None, [])} for entry in value]


def gateway_register(path: Path) -> tuple[GatewayEntry, ...]:
    """Read the register of statutory gateways and their dates. Raises AgreementInvalid."""
    plain = read_toml(path)
    try:
        rows = read(_Register, plain, complete=False).gateway
    except FormError as error:
        raise AgreementInvalid(path.name, error.path, with_word(error)) from None
    if len({row.code for row in rows}) != len(rows):
        raise AgreementInvalid(path.name, "gateway", "the same code twice")
    return tuple(
        GatewayEntry(code=row.code, effective_from=row.effective_from, effective_to=row.effective_to) for row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _GatewayRow:
    code: StatutoryGateway
    title: str
    source: str
    effective_from: date | None = None
    effective_to: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Register:
    gateway: tuple[_GatewayRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claimants:
    agencies: frozenset[str]
    purposes: frozenset[Purpose]


def _read_basis(plain: Any, path: str) -> BasisClaim:
    """Split one [[basis]] table into who claims it and what is claimed."""
    if not isinstance(plain, dict):
        raise FormError(path, "a table of keys is needed")
    who = {key: value for key, value in plain.items() if key in ("agencies", "purposes")}
    claimed = {key: value for key, value in plain.items() if key not in who}
    claimants = read(_Claimants, who, path, complete=False)
    return BasisClaim(claimants.agencies, claimants.purposes, read(Basis, claimed, path, complete=False))


def _check(head: _Head, bases: tuple[BasisClaim, ...]) -> None:
    """What the form alone cannot say."""
    if head.expires_on is not None and head.expires_on < head.effective_from:
        raise FormError("expires_on", "before effective_from")
    agencies = [one.agency for one in head.parties]
    if len(set(agencies)) != len(agencies):
        raise FormError("parties", "the same agency twice")
    for n, party in enumerate(head.parties):
        if party.status == PartyStatus.SIGNED and (party.signed_on is None or not party.signatory):
            raise FormError(f"parties[{n}]", "SIGNED needs signed_on and signatory")
    for n, clause in enumerate(head.clauses):
        for key in ("purposes", "recipient_roles", "categories", "data_subjects", "field_kinds"):
            if not getattr(clause, key):
                raise FormError(f"clauses[{n}].{key}", "an empty list covers nothing")
        if barred := clause.categories & BARRED_CATEGORIES:
            raise FormError(f"clauses[{n}].categories", "barred by statute, no agreement can open it", sorted(barred))
    claimed: set[tuple[str, Purpose]] = set()
    for n, claim in enumerate(bases):
        if strangers := claim.agencies - set(agencies):
            raise FormError(f"basis[{n}].agencies", "not a party", sorted(strangers))
        pairs = {(agency, purpose) for agency in claim.agencies for purpose in claim.purposes}
        if claimed & pairs:
            raise FormError(f"basis[{n}]", "a second basis for the same agency and purpose")
        claimed |= pairs


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file. Raises AgreementInvalid."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AgreementInvalid(path.name, ".", f"cannot be read: {error}") from error


def with_word(error: FormError) -> str:
    """Agreements hold no personal data, so the error may repeat the wrong word."""
    if isinstance(error.written, list):
        return f"{error.reason}: {', '.join(map(str, error.written))}"
    return error.reason if error.written is None else f"{error.reason}: {error.written}"
