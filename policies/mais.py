"""Agreements as MAIS `SharingPolicy` objects: JSON that other systems of the programme can read, and back.

For: publishing what a partnership agreed, and reading what another one published. `SharingPolicy` knows neither
recipients' roles nor kinds of field nor look-back, so an agreement travels whole beside it under a key of its own. It
must never make an agreement of a policy that does not carry one: what it does not say would have to be guessed.
MAIS information governance, "Sharing Policy" version 0.1 (draft, effective 2025-10-01).
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from policies.agreement import SharingAgreement
from policies.agreement_files import AgreementInvalid, agreement_of, read_agreement, with_word, written
from policies.form import FormError, reader_for, write
from policies.vocabulary import AgreementStatus, PartyStatus

#: The key under which the agreement itself travels, in the form of its file.
CARRIED = "KithAgreement"
#: ODRL actions (W3C ODRL Vocabulary, 2018): what a recipient may do, and may not unless a clause lists whom with.
READ, DISTRIBUTE = "odrl:read", "odrl:distribute"


def _called(name: str) -> dict[str, str]:
    """The name that the standard gives a field."""
    return {"name": name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A policy's own identifier and the system that it belongs to (a URI)."""

    value: str = field(metadata=_called("value"))
    system: str = field(metadata=_called("System"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MaisParty:
    """A party's name and its identifiers in the API catalogue."""

    name: str = field(metadata=_called("Name"))
    catalogue_ids: tuple[str, ...] = field(metadata=_called("CatalogueID"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingPolicy:
    """A MAIS SharingPolicy with all its fields; `others` keeps what the standard does not know."""

    uri: str = field(metadata=_called("URI"))
    identifier: Identifier = field(metadata=_called("Identifier"))
    name: str = field(metadata=_called("Name"))
    contact: str = field(metadata=_called("Contact"))
    parties: tuple[MaisParty, ...] = field(metadata=_called("Party"))
    data: tuple[str, ...] = field(metadata=_called("Data"))
    purposes: tuple[str, ...] = field(metadata=_called("Purpose"))
    start: date = field(metadata=_called("StartDate"))
    end: date = field(metadata=_called("EndDate"))
    permitted_use: tuple[str, ...] = field(metadata=_called("PermittedUse"), default=())
    restrictions: tuple[str, ...] = field(metadata=_called("Restrictions"), default=())
    responsibilities: tuple[str, ...] = field(metadata=_called("DataRecipientResponsibilities"), default=())
    security: tuple[str, ...] = field(metadata=_called("SecurityMeasure"), default=())
    compliance: tuple[str, ...] = field(metadata=_called("LegalCompliance"), default=())
    others: Mapping[str, Any] = field(default_factory=dict)


#: What an agreement says that the standard has no field for, in sentences for whoever exports one.
NOT_SAID = (
    "SharingPolicy has no fields for recipients' roles, kinds of field, look-back, lawful bases, consent models, "
    f"response targets, reviews and signatures: the agreement itself travels under {CARRIED} and says them.",
    "A system that reads the standard's own fields alone takes each purpose for each kind of data between all parties, "
    "which is more than any clause allows: it must not decide by them.",
)
#: Keys of an agreement's file that hold a date.
DAYS = ("effective_from", "expires_on", "review", "signed_on")
#: Fields that the standard allows once or many times, at least once.
AT_LEAST_ONE = ("parties", "data", "purposes", "catalogue_ids")


def policy_of(
    one: SharingAgreement, *, uri: str, system: str, contact: str, names: Mapping[str, str] | None = None
) -> SharingPolicy:
    """Return an agreement as a SharingPolicy that carries it.

    Takes where it is published, the identifiers' system (both absolute URIs), whom to ask, and parties' names by code.
    Raises ValueError for an agreement that the standard cannot say: one without an end.
    """
    if one.expires_on is None:
        raise ValueError(f"{one.reference} has no end; a SharingPolicy needs an EndDate.")
    categories = {str(word) for clause in one.clauses for word in clause.categories}
    purposes = {str(word) for clause in one.clauses for word in clause.purposes}
    purposes |= {str(word) for claim in one.bases for word in claim.purposes}
    onward = any(clause.onward_to for clause in one.clauses)
    laws = {str(code) for claim in one.bases for code in claim.basis.gateways}
    return SharingPolicy(
        uri=absolute_uri(uri, "URI"),
        identifier=Identifier(value=f"{one.reference}/{one.version}", system=absolute_uri(system, "Identifier.System")),
        name=one.title,
        contact=contact,
        parties=tuple(
            MaisParty(name=(names or {}).get(party.agency, party.agency), catalogue_ids=(party.agency,))
            for party in one.parties
        ),
        data=tuple(sorted(categories)) or ("each party's own records",),
        purposes=tuple(sorted(purposes)),
        start=one.effective_from,
        end=one.expires_on,
        permitted_use=(READ,),
        restrictions=() if onward else (DISTRIBUTE,),
        compliance=tuple(sorted(laws)),
        others={CARRIED: written(one)},
    )


def to_mais(policy: SharingPolicy) -> dict[str, Any]:
    """Return the policy as plain data for JSON, in the standard's names and order; empty lists are left out."""
    return {**_write(policy), **policy.others}


def from_mais(plain: object) -> SharingPolicy:
    """Read a SharingPolicy from plain data; one value may stand for a list of one. Raises FormError with the path."""
    policy: SharingPolicy = _read(SharingPolicy, plain, "SharingPolicy")
    absolute_uri(policy.uri, "SharingPolicy.URI")
    absolute_uri(policy.identifier.system, "SharingPolicy.Identifier.System")
    if policy.end < policy.start:
        raise FormError("SharingPolicy.EndDate", "before StartDate")
    return policy


def carried(policy: SharingPolicy) -> SharingAgreement:
    """Return the agreement that a policy carries. Raises FormError when there is none, or another one than it says."""
    if CARRIED not in policy.others:
        raise FormError(
            CARRIED, "the policy carries no agreement: who may see which kinds of field how far back is not in it"
        )
    one = agreement_of(policy.others[CARRIED])
    names = {party.catalogue_ids[0]: party.name for party in policy.parties}
    try:
        again = policy_of(one, uri=policy.uri, system=policy.identifier.system, contact=policy.contact, names=names)
    except ValueError as error:
        raise FormError(CARRIED, str(error)) from None
    own = replace(again, others={})
    for each in fields(own):
        if each.name != "others" and getattr(own, each.name) != getattr(policy, each.name):
            raise FormError(f"SharingPolicy.{each.metadata['name']}", "not what the agreement that it carries says")
    return one


def as_draft(one: SharingAgreement) -> SharingAgreement:
    """Return what an agreement says as a draft that nobody has signed: what came from outside binds nobody yet."""
    unsigned = tuple(
        replace(party, status=PartyStatus.NOT_SIGNED, signed_on=None, signatory=None) for party in one.parties
    )
    return replace(one, head=replace(one.head, status=AgreementStatus.DRAFT, parties=unsigned))


def as_toml(one: SharingAgreement) -> str:
    """Return an agreement as the text of its file."""
    whole = written(one)
    tables = {key: value for key, value in whole.items() if isinstance(value, list)}
    lines = [f"{key} = {_value(key, value)}" for key, value in whole.items() if key not in tables]
    for key, entries in tables.items():
        for entry in entries:
            lines += ["", f"[[{key}]]", *(f"{name} = {_value(name, value)}" for name, value in entry.items())]
    return "\n".join(lines) + "\n"


def _value(key: str, value: Any) -> str:
    """A JSON text, number, list or truth is a TOML one, if the delete character is escaped; dates stand bare."""
    if key in DAYS:
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write(block: Any) -> dict[str, Any]:
    said = {each.metadata["name"]: getattr(block, each.name) for each in fields(block) if "name" in each.metadata}
    return {name: _write_one(value) for name, value in said.items() if value != ()}


def _write_one(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_write_one(one) for one in value]
    return _write(value) if isinstance(value, Identifier | MaisParty) else write(value)


def _read(kind: Any, plain: object, path: str) -> Any:
    if not isinstance(plain, dict):
        raise FormError(path, "an object is needed")
    known = {each.metadata["name"]: each for each in fields(kind) if "name" in each.metadata}
    others = {name: value for name, value in plain.items() if name not in known}
    if others and kind is not SharingPolicy:
        raise FormError(path, "unknown keys", sorted(others))
    values: dict[str, Any] = {"others": others} if kind is SharingPolicy else {}
    for name, each in known.items():
        where = f"{path}.{name}"
        many = str(each.type).startswith("tuple") or each.name in AT_LEAST_ONE
        if name not in plain:
            if many and each.name not in AT_LEAST_ONE:
                continue
            raise FormError(where, "missing")
        values[each.name] = _read_many(each, plain[name], where) if many else _read_one(each.type, plain[name], where)
    return kind(**values)


def _read_many(each: Any, plain: object, where: str) -> tuple[Any, ...]:
    entries = plain if isinstance(plain, list) else [plain]
    if not entries and each.name in AT_LEAST_ONE:
        raise FormError(where, "at least one is needed")
    kind: Any = MaisParty if each.name == "parties" else str
    return tuple(_read_one(kind, one, f"{where}[{n}]") for n, one in enumerate(entries))


def _read_one(kind: Any, plain: object, where: str) -> Any:
    if kind in (Identifier, MaisParty):
        return _read(kind, plain, where)
    return reader_for(kind, True)(plain, where)


def absolute_uri(text: str, where: str) -> str:
    """Return an absolute URI. Raises FormError for anything else."""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme or not (parts.netloc or parts.path):
        raise FormError(where, "an absolute URI is needed", text)
    return text


def main(arguments: list[str]) -> int:
    """Print an agreement as a SharingPolicy, or a SharingPolicy's agreement as a draft. Exit status 1: not possible."""
    parser = argparse.ArgumentParser(prog="python -m policies.mais", description=main.__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    export = verbs.add_parser("export", help="AGREEMENT.toml to a SharingPolicy")
    export.add_argument("file", type=Path)
    export.add_argument("--uri", required=True, help="where the policy is published")
    export.add_argument("--system", required=True, help="URI of the identifiers' system")
    export.add_argument("--contact", required=True, help="whom to ask")
    export.add_argument("--name", action="append", default=[], metavar="CODE=NAME", help="a party's name")
    verbs.add_parser("import", help="POLICY.json to a draft agreement").add_argument("file", type=Path)
    asked = parser.parse_args(arguments)
    try:
        if asked.verb == "export":
            names = dict(one.split("=", 1) for one in asked.name if "=" in one)
            one = read_agreement(asked.file)
            policy = policy_of(one, uri=asked.uri, system=asked.system, contact=asked.contact, names=names)
            sys.stdout.write(json.dumps(to_mais(policy), indent=2, ensure_ascii=False) + "\n")
        else:
            plain = json.loads(asked.file.read_text(encoding="utf-8"))
            sys.stdout.write(as_toml(as_draft(carried(from_mais(plain)))))
    except FormError as error:
        sys.stderr.write(f"{asked.file.name}: {error.path}: {with_word(error)}.\n")
        return 1
    except AgreementInvalid as error:
        sys.stderr.write(f"{error}.\n")
        return 1
    except (OSError, ValueError, RecursionError) as error:
        sys.stderr.write(f"{asked.file.name}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
