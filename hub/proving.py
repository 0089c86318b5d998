"""The trail proven untouched, on request: recomputed, held against an earlier checkpoint, and said in words.

For: information governance, and whoever it must convince. The check is itself an event, and it is that very event
whose place in the trail is shown. Must never show what an entry says.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from audit import Checked, Receipt, ReceiptProof, TrailCorrupt
from hub.assembly import Hub
from hub.casefile import LONDON
from hub.context import RequestContext
from hub.enquiries import user_of
from hub.oversight import require_audit_access
from policies.vocabulary import AccessMode, Purpose

#: The earlier checkpoint is the last one signed before so long ago.
BACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Proven:
    """What was found. `checked` and `proof` are None when the trail is not what was signed."""

    ok: bool
    sentences: tuple[str, ...]
    receipt: Receipt
    checked: Checked | None
    proof: ReceiptProof | None


def prove(hub: Hub, ctx: RequestContext) -> Proven:
    """Checks the trail now. Effects: one `audit:read` event, before anything is looked at."""
    require_audit_access(hub, ctx, mode=AccessMode.VIEW, rationale="Check that the trail is what was signed")
    receipt = hub.trail.append(
        "audit:read",
        now=ctx.now,
        user=user_of(ctx),
        purpose=Purpose.IG_AUDIT,
        trace=ctx.request_id,
        action="check",
        outcome="ASKED",
    )
    try:
        checked = hub.trail.check(before=ctx.now - BACK)
        proof = hub.trail.receipt(receipt.eid)
    except TrailCorrupt:
        sentence = (
            "The trail is not what was signed. Nothing on this page can be relied on. Tell your data protection "
            "officer and the hub's operator now, and keep every receipt that you have."
        )
        return Proven(False, (sentence,), receipt, None, None)
    return Proven(True, _sentences(checked), receipt, checked, proof)


def _sentences(checked: Checked) -> tuple[str, ...]:
    earlier, later = checked.consistency.earlier.size, checked.consistency.later.size
    since = datetime.fromtimestamp(checked.earlier_t / 1000, UTC)
    said = []
    if checked.recomputed:
        said.append(f"Every byte of all {checked.recomputed:,} entries was hashed again just now; nothing was changed.")
    else:
        said.append(
            f"The trail has {later:,} entries: too many to hash again while you wait. The operator can: "
            "python -m audit export, then verify."
        )
    at = since.astimezone(LONDON).strftime("%-d %B %Y at %H:%M")
    said.append(
        f"The trail signed on {at} had {earlier:,} entries. All of them stand in today's unchanged and in the same "
        f"order; {later - earlier:,} were added since."
    )
    if checked.witnessed:
        said.append(f"Witnesses outside the hub have cosigned {checked.witnessed:,} entries of it.")
    return tuple(said)
