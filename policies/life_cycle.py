"""The life of an agreement's version: who may move it where, and which change needs a new version and new signatures.

For: officers before they publish a change, and the signatures, which are made over `agreed` alone. It must never
let a version change under the signatures that its parties gave, nor bring an ended one back. ICO Data Sharing Code of
Practice (2021), section on data sharing agreements and their review; rule P04.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from policies.agreement import SharingAgreement, SignedParty
from policies.form import write
from policies.vocabulary import AgreementStatus, PartyRole, PartyStatus, Role

#: Who may let sharing begin or begin again, and who may stop it.
STARTS = frozenset({Role.DPO, Role.CALDICOTT_GUARDIAN, Role.SIRO})
STOPS = STARTS | {Role.PROTOCOL_SPOC, Role.IG_OFFICER}

_S = AgreementStatus
#: Every move there is, and who may make it; what is not here is refused.
MOVES: Mapping[tuple[AgreementStatus, AgreementStatus], frozenset[Role]] = {
    (_S.DRAFT, _S.IN_SIGNING): STOPS,
    (_S.DRAFT, _S.TERMINATED): STOPS,
    (_S.IN_SIGNING, _S.DRAFT): STOPS,
    (_S.IN_SIGNING, _S.ACTIVE): STARTS,
    (_S.IN_SIGNING, _S.TERMINATED): STOPS,
    (_S.ACTIVE, _S.UNDER_REVIEW): STOPS,
    (_S.ACTIVE, _S.SUSPENDED): STOPS,
    (_S.ACTIVE, _S.EXPIRED): STOPS,
    (_S.ACTIVE, _S.TERMINATED): STOPS,
    (_S.UNDER_REVIEW, _S.ACTIVE): STARTS,
    (_S.UNDER_REVIEW, _S.SUSPENDED): STOPS,
    (_S.UNDER_REVIEW, _S.EXPIRED): STOPS,
    (_S.UNDER_REVIEW, _S.TERMINATED): STOPS,
    (_S.SUSPENDED, _S.ACTIVE): STARTS,
    (_S.SUSPENDED, _S.EXPIRED): STOPS,
    (_S.SUSPENDED, _S.TERMINATED): STOPS,
}
#: What may become of a party within one version. Who withdrew comes back with a new version only.
PARTY_MOVES = frozenset(
    {
        (PartyStatus.NOT_SIGNED, PartyStatus.SIGNED),
        (PartyStatus.NOT_SIGNED, PartyStatus.WITHDRAWN),
        (PartyStatus.SIGNED, PartyStatus.SUSPENDED),
        (PartyStatus.SIGNED, PartyStatus.WITHDRAWN),
        (PartyStatus.SUSPENDED, PartyStatus.SIGNED),
        (PartyStatus.SUSPENDED, PartyStatus.WITHDRAWN),
    }
)
#: Why a change of this key alters what the parties agreed.
WHY = {
    "effective_from": "it changes from when information flows",
    "expires_on": "it changes until when information flows",
    "review": "the parties promised each other to review it by that day",
    "dpia_reference": "another impact assessment is another judgement of the risk",
    "parties": "it changes who discloses or receives",
    "clauses": "it changes what flows to whom",
    "terms": "it changes what the family is asked and what lifts the duty of confidence",
    "response_targets": "it changes what the parties promise each other",
    "bases": "it changes the lawful basis that a party claims",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions: where, what was and is, and whether it needs new signatures, and why."""

    where: str
    before: str
    after: str
    new_version: bool
    why: str

    def __str__(self) -> str:
        """Return it as one sentence."""
        needs = "needs a new version and new signatures" if self.new_version else "needs no new version"
        return f"{self.where}: {self.before} -> {self.after}; {needs}, because {self.why}."


def agreed(one: SharingAgreement) -> dict[str, Any]:
    """Return what the parties put their names to, as plain data, whatever the order in the file.

    Not part of it: the title, the status, and who has signed; these change while the version stays the same. What an
    agreement leaves out stays out, so that a key which a later release adds leaves old signatures standing.
    """
    head = one.head
    return {
        "reference": head.reference,
        "version": head.version,
        "effective_from": write(head.effective_from),
        "expires_on": write(head.expires_on),
        "review": write(head.review),
        "dpia_reference": head.dpia_reference,
        "parties": sorted(
            [party.agency, str(party.role), *([str(party.data_role)] if party.data_role else [])]
            for party in head.parties
        ),
        "clauses": _said(write(head.clauses)),
        "response_targets": _said(write(head.response_targets)),
        "bases": _said(write(one.bases)),
        **({"terms": _said(write(head.terms))} if head.terms else {}),
    }


def substantive(before: SharingAgreement, after: SharingAgreement) -> tuple[Change, ...]:
    """Return each change from one to the other and whether it needs a new version and new signatures, and why.

    A draft that nobody has signed may still change.
    Raises ValueError when they are not of the same reference.
    """
    if before.reference != after.reference:
        raise ValueError(f"{before.reference} and {after.reference} are two agreements, not two versions of one.")
    changes = tuple(_of_substance(agreed(before), agreed(after)))
    if before.status == AgreementStatus.DRAFT and all(one.status != PartyStatus.SIGNED for one in after.parties):
        changes = tuple(replace(one, new_version=False, why="nobody has signed this draft") for one in changes)
    return (*changes, *_of_standing(before, after))


def new_version(before: SharingAgreement, after: SharingAgreement) -> SharingAgreement:
    """Return `after` as the next version, IN_SIGNING, signed by nobody yet; as it is if no substance changed."""
    if not any(change.new_version for change in substantive(before, after)):
        return after
    unsigned = tuple(
        replace(party, status=PartyStatus.NOT_SIGNED, signed_on=None, signatory=None) for party in after.parties
    )
    head = replace(after.head, version=before.version + 1, status=AgreementStatus.IN_SIGNING, parties=unsigned)
    return replace(after, head=head)


def move_refused(one: SharingAgreement, to: AgreementStatus, by: Role) -> str | None:
    """Return why this role may not move the version there, in a sentence, or None when it may."""
    name, movers = f"{one.reference} version {one.version}", MOVES.get((one.status, to))
    if movers is None:
        ways = sorted(str(after) for before, after in MOVES if before == one.status)
        if not ways:
            return f"{name} is {one.status} and stays so: sharing again needs a new version."
        return f"{name} is {one.status} and cannot become {to}; it can become {', '.join(ways)}."
    if by not in movers:
        return f"{by} may not move {name} from {one.status} to {to}; that is for {', '.join(sorted(movers))}."
    return _not_ready(one) if to == AgreementStatus.ACTIVE else None


def refusals(before: SharingAgreement, after: SharingAgreement, by: Role) -> Iterator[str]:
    """Yield why this change may not be published by this role: one sentence each, none when it may."""
    changes = [change.where for change in substantive(before, after) if change.new_version]
    if before.version != after.version:
        yield from _bad_successor(before, after)
        return
    if changes:
        yield (
            f"{', '.join(changes)}: version {before.version} may not change under its signatures; write it as version "
            f"{before.version + 1}, IN_SIGNING, with every party NOT_SIGNED."
        )
    if before.status != after.status:
        standing = replace(before, head=replace(before.head, parties=after.parties))
        if why := move_refused(standing, after.status, by):
            yield why
    stood = {party.agency: party.status for party in before.parties}
    for party in after.parties:
        was = stood.get(party.agency, party.status)
        if was != party.status and (was, party.status) not in PARTY_MOVES:
            yield f"{party.agency} is {was} and cannot become {party.status} in this version; that needs a new one."


def _bad_successor(before: SharingAgreement, after: SharingAgreement) -> Iterator[str]:
    if after.version != before.version + 1:
        yield f"After version {before.version} comes version {before.version + 1}, not {after.version}."
    if after.status not in (AgreementStatus.DRAFT, AgreementStatus.IN_SIGNING):
        yield f"A new version begins as DRAFT or IN_SIGNING, not {after.status}: its parties sign it first."
    given = {party.agency: party.signed_on for party in before.parties}
    for party in after.parties:
        earlier = given.get(party.agency)
        if party.status == PartyStatus.SIGNED and earlier and party.signed_on and party.signed_on <= earlier:
            yield f"{party.agency} signed version {before.version} on that day, not this one; it signs again."


def _not_ready(one: SharingAgreement) -> str | None:
    signed = [party.role for party in one.parties if party.status == PartyStatus.SIGNED]
    if any(role != PartyRole.RECIPIENT for role in signed) and any(role != PartyRole.DISCLOSER for role in signed):
        return None
    return f"{one.reference} version {one.version} is not signed by a discloser and a recipient yet."


def _said(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each entry says, without what it leaves out, in an order of its own."""
    flat = [{key: value for key, value in _flat(one).items() if value not in (None, False, [])} for one in entries]
    return sorted(flat, key=lambda one: json.dumps(one, sort_keys=True))


def _of_substance(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for key, why in WHY.items():
        old, new = before.get(key, []), after.get(key, [])
        if old == new:
            continue
        if not isinstance(old, list):
            yield Change(key, _text(old), _text(new), True, why)
            continue
        gone, come = [one for one in old if one not in new], [one for one in new if one not in old]
        for was, now in zip_longest(gone, come):
            yield from _of_entry(key, was, now, why)


def _of_entry(where: str, was: Any, now: Any, why: str) -> Iterator[Change]:
    """What differs within a clause or basis that stands on both sides; else that one came or went."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                yield Change(f"{where}.{key}", *_words(was.get(key), now.get(key)), True, why)
    else:
        yield Change(where, _text(was), _text(now), True, why)


def _of_standing(before: SharingAgreement, after: SharingAgreement) -> Iterator[Change]:
    if before.title != after.title:
        yield Change("title", before.title, after.title, False, "it is only what people call it")
    if before.status != after.status:
        yield Change("status", before.status, after.status, False, "it is a move in the version's life")
    stood = {party.agency: party for party in before.parties}
    for party in after.parties:
        was = stood.get(party.agency)
        if was is not None and was != replace(party, role=was.role, data_role=was.data_role):
            yield Change(
                f"parties.{party.agency}", _standing(was), _standing(party), False, "it says who has signed, not what"
            )


def _standing(party: SignedParty) -> str:
    said = [party.status, party.signed_on and f"on {party.signed_on}", party.signatory and f"by {party.signatory}"]
    return " ".join(str(one) for one in said if one)


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, **entry["basis"], "basis": None} if "basis" in entry else entry


def _words(old: Any, new: Any) -> tuple[str, str]:
    """Of two lists of words only those that differ."""
    if isinstance(old, list) and isinstance(new, list):
        return _text([one for one in old if one not in new]), _text([one for one in new if one not in old])
    return _text(old), _text(new)


def _text(value: Any) -> str:
    if value is None or value == []:
        return "nothing"
    if isinstance(value, dict):
        return "; ".join(f"{key} {_text(one)}" for key, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
