"""Agreements and the gateway register as the partnership's officers write them: TOML files, read strictly.

For: turning a file into a `SharingAgreement`, or into one error that says which file and line, what is wrong and what
to do next. It must never guess at an unknown word, and never let an agreement list what a statute bars. Ruled by rules
P04, P05 and P07; the form is described in docs/writing-agreements.md.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from policies.agreement import BasisClaim, Head, SharingAgreement
from policies.case import Basis, GatewayEntry
from policies.form import FormError, read, write
from policies.rules.consent import consent_model
from policies.rules.sensitivity import BARRED_CATEGORIES
from policies.toml_lines import line_of
from policies.vocabulary import (
    ConfidentialityLimb,
    ConsentModel,
    DataRole,
    PartyStatus,
    Purpose,
    StatutoryGateway,
)

T = TypeVar("T")


class AgreementInvalid(ValueError):
    """An agreement or register file is wrong; says which file, line and key, why, and what to do."""

    def __init__(self, file: str, key: str, reason: str, line: int | None = None) -> None:
        self.file, self.key, self.reason, self.line = file, key, reason, line
        super().__init__(f"{file}{'' if line is None else f' line {line}'}: {key}: {reason}")


def load_agreements(folder: Path) -> tuple[SharingAgreement, ...]:
    """Read every *.toml file of the folder.

    Raises AgreementInvalid (file, key, reason) for the first fault. Returns them by reference and version.
    """
    loaded: list[SharingAgreement] = []
    for path in sorted(folder.glob("*.toml")):
        loaded.append(same_twice(read_agreement(path), loaded, path))
    return tuple(sorted(loaded, key=lambda one: (one.reference, one.version)))


def same_twice(one: SharingAgreement, others: Iterable[SharingAgreement], path: Path) -> SharingAgreement:
    """Return an agreement that no other file holds. Raises AgreementInvalid."""
    for twin in others:
        if (twin.reference, twin.version) == (one.reference, one.version):
            why = f"{twin.file} has this reference and version already"
            raise refused(path, FormError("version", why, None, "give this file the next version"))
    return one


def read_agreement(path: Path) -> SharingAgreement:
    """Read one agreement file. Raises AgreementInvalid."""
    plain = read_toml(path)
    try:
        return agreement_of(plain, path.name)
    except FormError as error:
        raise refused(path, error) from None


def agreement_of(plain: Any, file: str = "") -> SharingAgreement:
    """Read an agreement from plain data in the form of its file. Raises FormError."""
    bases_plain = plain.get("basis", []) if isinstance(plain, dict) else []
    rest = {key: value for key, value in plain.items() if key != "basis"} if isinstance(plain, dict) else plain
    head = read(Head, rest, complete=False)
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
    rows = read_file(_Register, path).gateway
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


def _check(head: Head, bases: tuple[BasisClaim, ...]) -> None:
    """What the form alone cannot say."""
    if head.expires_on is not None and head.expires_on < head.effective_from:
        raise FormError("expires_on", "before effective_from", None, "the last day is not before the first")
    for path, why, written, remedy in (*_wrong_parties(head, bases), *_wrong_clauses(head), *_wrong_terms(head)):
        raise FormError(path, why, written, remedy)


Wrong = tuple[str, str, list[Any] | None, str]


def _wrong_parties(head: Head, bases: tuple[BasisClaim, ...]) -> Iterator[Wrong]:
    roles = {one.agency: one.data_role for one in head.parties}
    if len(roles) != len(head.parties):
        yield "parties", "the same agency twice", None, "one agency, one table: BOTH if it discloses and receives"
    for n, party in enumerate(head.parties):
        if party.status == PartyStatus.SIGNED and (party.signed_on is None or not party.signatory):
            yield f"parties[{n}]", "SIGNED needs signed_on and signatory", None, "or NOT_SIGNED until it has signed"
    claimed: set[tuple[str, Purpose]] = set()
    for n, claim in enumerate(bases):
        if strangers := sorted(claim.agencies - roles.keys()):
            yield f"basis[{n}].agencies", "not a party", strangers, "add it under [[parties]], or take it out here"
        if processors := sorted(one for one in claim.agencies if roles.get(one) == DataRole.PROCESSOR):
            yield f"basis[{n}].agencies", "a processor claims no basis of its own", processors, "its controller does"
        pairs = {(agency, purpose) for agency in claim.agencies for purpose in claim.purposes}
        if claimed & pairs:
            yield f"basis[{n}]", "a second basis for the same agency and purpose", None, "leave one of the two"
        claimed |= pairs


def _wrong_clauses(head: Head) -> Iterator[Wrong]:
    for n, clause in enumerate(head.clauses):
        for key in ("purposes", "recipient_roles", "categories", "data_subjects", "field_kinds"):
            if not getattr(clause, key):
                yield f"clauses[{n}].{key}", "an empty list covers nothing", None, "name what it covers, or drop it"
        if barred := sorted(clause.categories & BARRED_CATEGORIES):
            yield f"clauses[{n}].categories", "barred by statute, no agreement can open it", barred, "take it out"


def _wrong_terms(head: Head) -> Iterator[Wrong]:
    """The consent model follows from the rules: an agreement states it for people to read, and cannot bend it."""
    said: set[Purpose] = set()
    for n, terms in enumerate(head.terms):
        if again := sorted(said & terms.purposes):
            yield f"terms[{n}].purposes", "a second table for", again, "leave one of the two"
        said |= terms.purposes
        for purpose in sorted(terms.purposes):
            if (ruled := consent_model(purpose)) != terms.consent_model:
                remedy = f"the rules say {ruled} for {purpose}"
                yield f"terms[{n}].consent_model", "not what the rules ask of", [str(terms.consent_model)], remedy
        if terms.confidentiality_limb not in LIMBS_OF[terms.consent_model]:
            remedy = "one of " + ", ".join(sorted(LIMBS_OF[terms.consent_model]))
            limb = [str(terms.confidentiality_limb)]
            yield f"terms[{n}].confidentiality_limb", f"does not go with {terms.consent_model}", limb, remedy


#: Which limb of confidentiality can carry a flow under which consent model. GMC Confidentiality (2017), 9 to 12.
LIMBS_OF: Mapping[ConsentModel, frozenset[ConfidentialityLimb]] = {
    ConsentModel.ASKED_FIRST: frozenset({ConfidentialityLimb.CONSENT}),
    ConsentModel.DECIDED_BEFORE_GATHERING: frozenset(
        {ConfidentialityLimb.CONSENT, ConfidentialityLimb.PUBLIC_INTEREST, ConfidentialityLimb.LEGAL_DUTY}
    ),
    ConsentModel.ADULT_DECIDES: frozenset(
        {ConfidentialityLimb.CONSENT, ConfidentialityLimb.PUBLIC_INTEREST, ConfidentialityLimb.LEGAL_DUTY}
    ),
    ConsentModel.NO_OBJECTION: frozenset({ConfidentialityLimb.CONSENT, ConfidentialityLimb.IMPLIED_CONSENT}),
    ConsentModel.NOT_ASKED: frozenset(
        {ConfidentialityLimb.PUBLIC_INTEREST, ConfidentialityLimb.LEGAL_DUTY, ConfidentialityLimb.NOT_PASSED_ON}
    ),
}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file. Raises AgreementInvalid."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AgreementInvalid(path.name, ".", f"cannot be read: {error}") from error
    return toml_of(text, path.name)


def toml_of(text: str, name: str) -> dict[str, Any]:
    """Read TOML text. Raises AgreementInvalid, also for what nests too deeply or a number of endless digits."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        reason = f"cannot be read: {error}"
        raise AgreementInvalid(name, ".", reason, int(found[1]) if found else None) from error
    except (ValueError, RecursionError) as error:
        why = "a list or table nests too deeply" if isinstance(error, RecursionError) else "a number is too long"
        raise AgreementInvalid(name, ".", f"cannot be read: {why}") from None


def read_file(kind: type[T], path: Path) -> T:
    """Read a TOML file into a dataclass. Raises AgreementInvalid."""
    plain = read_toml(path)
    try:
        return read(kind, plain, complete=False)
    except FormError as error:
        raise refused(path, error) from None


def refused(path: Path, error: FormError) -> AgreementInvalid:
    """Return the error of a file with the line where it stands."""
    words = error.written if isinstance(error.written, list) else [error.written] if error.written else []
    line = line_of(path.read_text(encoding="utf-8"), error.path, words)
    return AgreementInvalid(path.name, error.path, with_word(error), line)


def with_word(error: FormError) -> str:
    """Agreements hold no personal data, so the error may repeat the wrong word, and say what to do."""
    words = error.written if isinstance(error.written, list) else [] if error.written is None else [error.written]
    said = f"{error.reason}: {', '.join(map(str, words))}" if words else error.reason
    return f"{said} ({error.remedy})" if error.remedy else said
