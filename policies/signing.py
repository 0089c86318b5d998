"""Signatures on agreements: Ed25519 by a party's named signatory, over what the parties agreed.

For: making them and verifying them when agreements are loaded. A party whose signature does not verify counts as not
signed, so that nothing flows to or from it. It must never take "SIGNED" in a file for a signature once the
partnership keeps a list of signatories. RFC 8032 (Ed25519), RFC 8785 (canonical JSON; here only texts, whole numbers
and true, for which Python's compact sorted JSON is that form).
"""

import base64
import binascii
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from policies.agreement import SharingAgreement, SignedParty
from policies.agreement_files import AgreementInvalid, load_agreements, read_file, refused, with_word
from policies.form import FormError, read, write
from policies.life_cycle import agreed
from policies.vocabulary import PartyStatus

#: Named in what is signed, so that no signature made for something else fits.
CONTEXT = "Kith sharing agreement, signature form 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """An office that signs for an agency, its public key (32 bytes in base64), and the days on which it may sign."""

    agency: str
    office: str
    public_key: str
    valid_from: date | None = None
    valid_until: date | None = None

    def may_sign_on(self, day: date) -> bool:
        """Was this the agency's signatory on that day?"""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One party's signature: by which office, on which day, 64 bytes in base64."""

    agency: str
    office: str
    signed_on: date
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signatories:
    signatory: tuple[Signatory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signatures:
    signatures: tuple[Signature, ...] = field(default=())


Signatories = Mapping[str, tuple[Signatory, ...]]


def load_signatories(path: Path) -> Signatories:
    """Read the partnership's signatories by agency. Raises AgreementInvalid (file, key, reason)."""
    found: dict[str, tuple[Signatory, ...]] = defaultdict(tuple)
    for n, one in enumerate(read_file(_Signatories, path).signatory):
        if len(_bytes(one.public_key)) != 32:
            raise refused(path, FormError(f"signatory[{n}].public_key", "32 bytes in base64 are needed"))
        found[one.agency] += (one,)
    return dict(found)


def signed_form(one: SharingAgreement, agency: str, office: str, signed_on: date) -> bytes:
    """Return the bytes that a party's signatory signs: what was agreed, for whom, by which office, on which day."""
    said = {
        "context": CONTEXT,
        "agreed": agreed(one),
        "agency": agency,
        "office": office,
        "signed_on": signed_on.isoformat(),
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(one: SharingAgreement, agency: str, office: str, signed_on: date, key: Ed25519PrivateKey) -> Signature:
    """Sign a version for an agency. Raises ValueError when the agency is no party to it."""
    if agency not in {party.agency for party in one.parties}:
        raise ValueError(f"{agency} is no party to {one.reference} version {one.version}.")
    signature = key.sign(signed_form(one, agency, office, signed_on))
    return Signature(
        agency=agency, office=office, signed_on=signed_on, signature=base64.b64encode(signature).decode("ascii")
    )


def signatures_file(agreement: Path) -> Path:
    """Return where an agreement's signatures are kept: beside it."""
    return agreement.with_suffix(".signatures.json")


def load_signatures(agreement: Path) -> tuple[Signature, ...]:
    """Read the signatures beside an agreement; none when there is no such file. Raises AgreementInvalid."""
    path = signatures_file(agreement)
    if not path.exists():
        return ()
    try:
        return read(_Signatures, json.loads(path.read_text(encoding="utf-8"))).signatures
    except FormError as error:
        raise AgreementInvalid(path.name, error.path, with_word(error)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise AgreementInvalid(path.name, ".", f"cannot be read: {error}") from error


def add_signature(agreement: Path, fresh: Signature) -> None:
    """Write a signature beside its agreement, in place of the agency's earlier one. Raises AgreementInvalid."""
    others = [one for one in load_signatures(agreement) if one.agency != fresh.agency]
    kept = sorted([*others, fresh], key=lambda one: one.agency)
    path = signatures_file(agreement)
    whole = path.with_suffix(".new")
    whole.write_text(json.dumps({"signatures": write(tuple(kept))}, indent=2, ensure_ascii=False) + "\n", "utf-8")
    whole.replace(path)


def not_verified(one: SharingAgreement, signatures: tuple[Signature, ...], signatories: Signatories) -> dict[str, str]:
    """Return, of each party that the file calls SIGNED and whose signature does not verify, why not."""
    by_agency = {signature.agency: signature for signature in signatures}
    found: dict[str, str] = {}
    for party in one.parties:
        if party.status == PartyStatus.SIGNED:
            why = _fault(one, party, by_agency.get(party.agency), signatories.get(party.agency, ()))
            if why is not None:
                found[party.agency] = why
    return found


def load_signed(folder: Path, signatories_file: Path | None) -> tuple[tuple[SharingAgreement, ...], tuple[str, ...]]:
    """Read every agreement; a party whose signature does not verify counts as NOT_SIGNED.

    Takes the partnership's list of signatories; without one no signature is checked.
    Returns the agreements as they count, and a sentence for each such party. A file of signatures that cannot be read
    holds none. Raises AgreementInvalid for an agreement or a list of signatories that cannot be read.
    """
    filed, sentences = load_filed(folder, checked=signatories_file is not None)
    counted, wrong = count_signed(filed, load_signatories(signatories_file) if signatories_file else None)
    return counted, (*sentences, *wrong)


@dataclass(frozen=True, slots=True)
class Filed:
    """An agreement as it is written, and the signatures that were given for it; which of them count is not said."""

    agreement: SharingAgreement
    signatures: tuple[Signature, ...] = ()


def load_filed(folder: Path, *, checked: bool) -> tuple[tuple[Filed, ...], tuple[str, ...]]:
    """Read every agreement with the signatures beside it, when these are to be checked.

    Returns a sentence for each file of signatures that cannot be read: it holds none. Raises AgreementInvalid.
    """
    filed: list[Filed] = []
    sentences: list[str] = []
    for one in load_agreements(folder):
        signatures: tuple[Signature, ...] = ()
        try:
            signatures = load_signatures(folder / one.file) if checked else ()
        except AgreementInvalid as error:
            sentences.append(f"{error}.")
        filed.append(Filed(one, signatures))
    return tuple(filed), tuple(sentences)


def count_signed(
    filed: Iterable[Filed], signatories: Signatories | None
) -> tuple[tuple[SharingAgreement, ...], tuple[str, ...]]:
    """Return the agreements as they count, and a sentence for each party whose signature does not verify.

    Takes the partnership's signatories; without them no signature is checked.
    """
    counted: list[SharingAgreement] = []
    sentences: list[str] = []
    for one in filed:
        agreement = one.agreement
        wrong = not_verified(agreement, one.signatures, signatories) if signatories is not None else {}
        name = f"{agreement.file}: {agreement.reference} version {agreement.version}"
        sentences.extend(f"{name}: {agency} counts as not signed: {why}." for agency, why in sorted(wrong.items()))
        counted.append(_without(agreement, wrong) if wrong else agreement)
    return tuple(counted), tuple(sentences)


def _fault(
    one: SharingAgreement, party: SignedParty, given: Signature | None, signatories: tuple[Signatory, ...]
) -> str | None:
    if given is None:
        return "there is no signature of it"
    if (given.office, given.signed_on) != (party.signatory, party.signed_on):
        return f"its signature is of the {given.office} on {given.signed_on}, which is not what the file says"
    offices = [who for who in signatories if who.office == given.office]
    if not offices:
        return f"its list of signatories does not name the {given.office}"
    inside = [who for who in offices if who.may_sign_on(given.signed_on)]
    if not inside:
        return f"the {given.office} could not sign for it on {given.signed_on}"
    said = signed_form(one, given.agency, given.office, given.signed_on)
    if any(_verifies(who.public_key, given.signature, said) for who in inside):
        return None
    return "its signature does not fit what the file says now, or was made with another key"


def _verifies(public_key: str, signature: str, said: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(public_key)).verify(_bytes(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True


def _without(one: SharingAgreement, agencies: Collection[str]) -> SharingAgreement:
    parties = tuple(
        replace(party, status=PartyStatus.NOT_SIGNED) if party.agency in agencies else party for party in one.parties
    )
    return replace(one, head=replace(one.head, parties=parties))


def _bytes(text: str) -> bytes:
    """Base64 as bytes; none when it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
