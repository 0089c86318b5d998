"""Signatures that come to the register: given by an office's key elsewhere, verified here, and only then kept.

For: versions that wait for their parties. Must never take a signature that does not verify against the partnership's
list of signatories, nor hold anybody's private key.
"""

import secrets
from collections.abc import Mapping
from datetime import date

from sqlalchemy import insert

from hub.assembly import Hub
from hub.context import RequestContext
from hub.errors import FormRefused, NotForYou
from hub.register.enacting import TRIES, ChangedMeanwhile, enact, written_now
from hub.register.proposals import require_keeper
from hub.register.tables import agreement_signatures
from policies import SharingAgreement, Signature, not_verified, with_signature
from policies.vocabulary import AgreementStatus, PartyStatus

#: Statuses in which a version can be signed.
SIGNABLE = frozenset({AgreementStatus.IN_SIGNING, AgreementStatus.ACTIVE, AgreementStatus.UNDER_REVIEW})


def may_sign(hub: Hub, ctx: RequestContext, one: SharingAgreement) -> bool:
    """Whether this user's agency is a party that has not signed yet, of a version that can be signed."""
    waiting = {party.agency for party in one.parties if party.status == PartyStatus.NOT_SIGNED}
    return hub.register.signatories is not None and one.status in SIGNABLE and ctx.actor.agency in waiting


def take_signature(hub: Hub, ctx: RequestContext, reference: str, version: str, typed: Mapping[str, str]) -> None:
    """Keeps the signature of the user's own agency, and the party counts as signed.

    Raises NotForYou, and FormRefused with a sentence for each field that cannot be used or a signature that does not
    verify. Effects: one `agreement:signed` event, then a row for the signature and one for the version.
    """
    one = _to_sign(hub, ctx, reference, version)
    office, day = typed.get("office", "").strip(), _day(typed.get("signed_on", ""))
    errors = {} if office else {"office": "Enter the office that signed, as the list of signatories names it."}
    if day is None:
        errors["signed_on"] = "Enter the day of signing like 2026-03-31."
    if errors or day is None:
        raise FormRefused(errors)
    agency = ctx.actor.agency
    given = Signature(
        agency=agency, office=office, signed_on=day, signature="".join(typed.get("signature", "").split())
    )
    after = with_signature(one, agency, office, day)
    why = not_verified(after, (given,), hub.register.signatories or {}).get(agency)
    if why is not None:
        raise FormRefused({"signature": f"This signature does not count: {why}."})
    row = {"reference": one.reference, "version": one.version, "agency": agency, "office": office, "signed_on": day}
    # First the signature, then the party's word: whatever fails between them, nobody counts as signed who did not.
    with hub.db.writing() as session:
        session.execute(insert(agreement_signatures).values(**row, signature=given.signature, at=ctx.now))
    cause = "SG-" + secrets.token_hex(8)
    for number in range(TRIES):
        try:
            after = with_signature(one, agency, office, day)
            return enact(hub, ctx, one, after, cause=f"{cause}-{number}", kind="agreement:signed")
        except ChangedMeanwhile:
            # Another party signed at the same moment: both count. Nobody signs what was stopped meanwhile.
            one = _to_sign(hub, ctx, reference, version)
    raise ChangedMeanwhile("signature")


def _to_sign(hub: Hub, ctx: RequestContext, reference: str, version: str) -> SharingAgreement:
    """The version that the user's agency can sign. Raises NotForYou, NotFound."""
    one = written_now(hub, reference, version)
    require_keeper(ctx, one)
    if not may_sign(hub, ctx, one):
        raise NotForYou("Your agency has nothing to sign here.")
    return one


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
