"""The proof of an entry of the trail, for those whom it concerns.

For: the page of a receipt. Must never tell a receipt that is not there from one that is somebody else's.
"""

from audit import EntryUnknown, EventInvalid, ReceiptProof
from hub.acting import named
from hub.assembly import Hub
from hub.context import RequestContext
from hub.errors import NotFound
from hub.oversight import OVERSEERS
from hub.pacing import RECEIPT_STEP_S, begin, even_out
from hub.tasks import has_task_from


def receipt_of(hub: Hub, ctx: RequestContext, eid: str) -> ReceiptProof:
    """The proof of an entry, for those whom it concerns.

    They are: whoever acted; information governance of the agencies that received, gave or hold what it is about; and
    who has a task from it. Raises NotFound, the same for no such entry and for somebody else's: a receipt number must
    not tell what happened to others. Raises TrailCorrupt.
    """
    begun = begin()
    try:
        return _receipt_of(hub, ctx, eid)
    except NotFound:
        even_out(begun, RECEIPT_STEP_S)  # To prove an entry takes longer than to find that there is none.
        raise


def _receipt_of(hub: Hub, ctx: RequestContext, eid: str) -> ReceiptProof:
    nothing = NotFound("There is no such receipt.")
    try:
        proof = hub.trail.receipt(eid)
        fields = named(hub, hub.trail.entry(eid)).fields
    except (EntryUnknown, EventInvalid) as error:
        raise nothing from error
    user, actor = fields.get("user", {}), ctx.actor
    if user.get("subject") == actor.id:
        return proof
    parties = {user.get("agency"), fields.get("recipient"), fields.get("custodian"), *fields.get("source", ())}
    if actor.role in OVERSEERS and actor.agency in parties:
        return proof
    if not has_task_from(hub, ctx, eid):
        raise nothing
    return proof
