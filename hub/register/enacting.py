"""Where a version is written, and putting it where it now stands: the event first, then the row that counts.

For: approvals, stops and signatures. Must never let an act replace what its checks did not see: each row names the row
that it follows, and of two that follow the same one the second is refused and said so in the trail.
"""

import hashlib
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from audit import Receipt
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.errors import FormRefused, NotFound
from hub.keys import HUB
from hub.register.standing import sealed_for
from hub.register.tables import agreement_versions
from policies import SharingAgreement, write_draft
from policies.vocabulary import AgreementStatus

#: How often an act that must succeed, a stop or a signature, is made again on what was put in force meanwhile.
TRIES = 5
NOT_ENACTED = "NOT_ENACTED"


class ChangedMeanwhile(FormRefused):
    """Somebody else has put something in force since the checks were made: look again."""

    code = "changed-meanwhile"

    def __init__(self, field: str = "decision") -> None:
        super().__init__({field: "The agreement has changed meanwhile. Look at it as it is now, then go on."})


def enact(
    hub: Hub,
    ctx: RequestContext,
    before: SharingAgreement,
    after: SharingAgreement,
    *,
    follows: int,
    cause: str,
    kind: str = "",
) -> None:
    """Puts a version where it now stands: the event, then the row that every process reads at its next request.

    Takes: `follows`, the version's row (`Register.row_of`) as it was read before anything was checked.
    Raises ChangedMeanwhile; then a second event says that the first was not put in force.
    """
    kind = kind or _kind(before, after)
    receipt = tell(hub, ctx, kind, after, proposal=cause, action="ENACTED", outcome=str(after.status))
    sealed = hub.keys.seal(HUB, write_draft(after).encode(), sealed_for(after.reference, after.version, cause))
    row = {"reference": after.reference, "version": after.version, "sealed_text": sealed, "cause": cause}
    try:
        with hub.db.writing() as session:
            session.execute(insert(agreement_versions).values(**row, follows=follows, at=ctx.now, receipt=receipt.eid))
    except IntegrityError:
        tell(hub, ctx, kind, before, proposal=cause, action=NOT_ENACTED, outcome=NOT_ENACTED, refers=[receipt.eid])
        raise ChangedMeanwhile from None


def enacted(hub: Hub, cause: str) -> bool:
    """Whether this act has put a version in force."""
    with hub.db.session() as session:
        query = select(agreement_versions.c.id).where(agreement_versions.c.cause == cause)
        return session.execute(query).first() is not None


def tell(hub: Hub, ctx: RequestContext, kind: str, one: SharingAgreement, *, proposal: str, **fields: Any) -> Receipt:
    """Appends an event about a version and the act that it belongs to."""
    return hub.trail.append(
        kind,
        now=ctx.now,
        user=user_of(ctx),
        trace=ctx.request_id,
        agreement=[{"ref": one.reference, "version": str(one.version), "hash": hash_of(one)}],
        object={"type": "agreement-change", "id": proposal},
        **fields,
    )


def hash_of(one: SharingAgreement) -> str:
    """The SHA-256 of what a version says, in hexadecimal."""
    return hashlib.sha256(write_draft(one).encode()).hexdigest()


def all_written(hub: Hub) -> tuple[SharingAgreement, ...]:
    """Every version as it is written at this moment, whichever signatures count."""
    return tuple(one.agreement for one in hub.register.written())


def written_now(hub: Hub, reference: str, version: str) -> SharingAgreement:
    """A version as it is written, whichever signatures count. Raises NotFound."""
    for one in all_written(hub):
        if (one.reference, str(one.version)) == (reference, version):
            return one
    raise NotFound("There is no such agreement.", next_steps=("Go back to the list of agreements.",))


def is_newest(hub: Hub, one: SharingAgreement) -> bool:
    """Whether no later version of the reference is written: only the newest is changed."""
    return all(other.version <= one.version for other in all_written(hub) if other.reference == one.reference)


def _kind(before: SharingAgreement, after: SharingAgreement) -> str:
    moved = {
        AgreementStatus.SUSPENDED: "agreement:suspended",
        AgreementStatus.EXPIRED: "agreement:ended",
        AgreementStatus.TERMINATED: "agreement:ended",
        AgreementStatus.ACTIVE: "agreement:activated"
        if before.status == AgreementStatus.IN_SIGNING
        else "agreement:resumed",
    }
    return moved.get(after.status, "agreement:amended") if before.status != after.status else "agreement:amended"
