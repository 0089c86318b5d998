"""Changing an agreement by its text: reading what an officer typed, and writing what follows from it.

For: the register's editor. It must never take a text that the files' own reader would refuse, and never let a change
of substance stand under old signatures: `policies.life_cycle` says what is one.
"""

from dataclasses import replace
from datetime import date

from policies.agreement import SharingAgreement
from policies.agreement_files import AgreementInvalid, agreement_of, toml_of, with_word
from policies.form import FormError
from policies.life_cycle import new_version
from policies.mais import as_toml
from policies.toml_lines import line_of
from policies.vocabulary import AgreementStatus, PartyStatus


def read_draft(text: str, name: str = "text") -> SharingAgreement:
    """Read an agreement from its text. Raises AgreementInvalid with the line, as for a file."""
    try:
        return agreement_of(toml_of(text, name), name)
    except FormError as error:
        words = error.written if isinstance(error.written, list) else [error.written] if error.written else []
        raise AgreementInvalid(name, error.path, with_word(error), line_of(text, error.path, words)) from None


def write_draft(one: SharingAgreement) -> str:
    """Return an agreement as the text of its file; remarks are not kept."""
    return as_toml(one)


def as_proposed(before: SharingAgreement, typed: SharingAgreement) -> SharingAgreement:
    """Return what a typed text comes to: a change of substance is the next version, signed by nobody yet.

    Raises ValueError when the text is of another agreement.
    """
    if typed.version != before.version:
        typed = replace(typed, head=replace(typed.head, version=before.version))
    return new_version(before, typed)


def with_status(one: SharingAgreement, status: AgreementStatus) -> SharingAgreement:
    """Return the version where it stands now."""
    return replace(one, head=replace(one.head, status=status))


def with_signature(one: SharingAgreement, agency: str, office: str, signed_on: date) -> SharingAgreement:
    """Return the version with a party that has signed."""
    parties = tuple(
        replace(party, status=PartyStatus.SIGNED, signatory=office, signed_on=signed_on)
        if party.agency == agency
        else party
        for party in one.parties
    )
    return replace(one, head=replace(one.head, parties=parties))
