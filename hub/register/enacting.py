"""Where a version is written, and putting it where it now stands: the text first, then the event that makes it count.

For: approvals, stops and signatures. Must never let an act replace what its checks did not see: each event names the
text that it starts from, and of two that start from the same one the trail's second is refused and said so in it.
"""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from audit import Receipt
from hub.assembly import Hub
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.errors import FormRefused, NotFound
from hub.keys import HUB
from hub.register.recorded import CHANGE, ENACTED, NOT_ENACTED
from hub.register.standing import hash_of_text, sealed_for
from hub.register.tables import agreement_versions
from policies import SharingAgreement, with_status, write_draft
from policies.vocabulary import AgreementStatus

#: How often an act that must succeed, a stop or a signature, is made again on what was put in force meanwhile.
TRIES = 5


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
    cause: str,
    kind: str = "",
) -> None:
    """Puts a version where it now stands: its text, which counts for nothing yet, then the event.

    Takes: `before`, the text that everything was checked against. From the event on it is in force, whoever dies then.
    Raises ChangedMeanwhile when another text was in force by then; a second event says that this one is not.
    """
    kind, eid = kind or _kind(before, after), secrets.token_hex(16)
    put_text(hub, ctx.now, after, cause=cause, eid=eid)
    from_text = hash_of(before)
    tell(hub, ctx, kind, after, proposal=cause, starts=from_text, eid=eid, action=ENACTED, outcome=str(after.status))
    if eid not in hub.register.recorded().counted:
        tell(hub, ctx, kind, before, proposal=cause, action=NOT_ENACTED, outcome=NOT_ENACTED, refers=[eid])
        raise ChangedMeanwhile


def put_text(hub: Hub, now: datetime, one: SharingAgreement, *, cause: str, eid: str) -> None:
    """Keeps the text that an event puts in force, sealed. Effects: one row."""
    sealed = hub.keys.seal(HUB, write_draft(one).encode(), sealed_for(one.reference, one.version, cause))
    row = {"reference": one.reference, "version": one.version, "sealed_text": sealed, "cause": cause}
    with hub.db.writing() as session:
        session.execute(insert(agreement_versions).values(**row, at=now, receipt=eid))


def tell(
    hub: Hub, ctx: RequestContext, kind: str, one: SharingAgreement, *, proposal: str, starts: str = "", **fields: Any
) -> Receipt:
    """Appends an event about a version and its act; `starts` is the hash of the text that the act starts from."""
    return hub.trail.append(
        kind,
        now=ctx.now,
        user=user_of(ctx),
        trace=ctx.request_id,
        agreement=[{"ref": one.reference, "version": str(one.version), "hash": hash_of(one)}],
        object={"type": CHANGE, "id": proposal, "hash": starts or None},
        **fields,
    )


def hash_of(one: SharingAgreement) -> str:
    """The SHA-256 of what a version says, in hexadecimal."""
    return hash_of_text(write_draft(one))


def all_written(hub: Hub) -> tuple[SharingAgreement, ...]:
    """Every version as it is written at this moment, whichever signatures count."""
    return tuple(one.agreement for one in hub.register.written())


def written_now(hub: Hub, reference: str, version: str) -> SharingAgreement:
    """A version as it is written, whichever signatures count. Raises NotFound."""
    for one in all_written(hub):
        if (one.reference, str(one.version)) == (reference, version):
            return one
    raise NotFound("There is no such agreement.", next_steps=("Go back to the list of agreements.",))


def why_not_from(hub: Hub, before: SharingAgreement, after: SharingAgreement) -> str | None:
    """Why a version is not changed so while a later one is written, in a sentence, or None when it is.

    Words are changed in the newest version only. An older one may be stopped or ended, and begin again as long as no
    later one has come into force: a version that waits for signatures must not keep the one before it from protecting
    anybody, and one that was replaced must not come back (of each reference the highest in force counts, rule P04).
    """
    later = [one for one in all_written(hub) if one.reference == before.reference and one.version > before.version]
    if not later:
        return None
    if hash_of(with_status(before, after.status)) != hash_of(after):
        return f"A later version than {before.version} exists: change the newest one."
    replaced = [one.version for one in later if _was_in_force(hub, one)]
    if after.status != AgreementStatus.ACTIVE or not replaced:
        return None
    return f"Version {replaced[0]} has been in force since, so version {before.version} does not begin again."


def _was_in_force(hub: Hub, one: SharingAgreement) -> bool:
    """Whether a version is or may have been in force. One that was given up before it began is on record as such."""
    if one.status == AgreementStatus.TERMINATED:
        recorded, key = hub.register.recorded(), (one.reference, one.version)
        return key not in recorded.standing or key in recorded.begun
    return one.status not in (AgreementStatus.DRAFT, AgreementStatus.IN_SIGNING)


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
