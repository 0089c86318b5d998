"""What was agreed, as a decision reads it: by the exact request, and for an owner's release by the real item.

For: the case file and redaction, which put it to `policies.decide`. Must never decide, and never hold content.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from policies import Approval, DecisionRequest
from policies.vocabulary import ApprovalKind

#: From a partner's own item id to the blind mark under which a release names it.
MarkOf = Callable[[str, str], str]
#: Kinds by which an owner lets single items go.
RELEASES = frozenset({ApprovalKind.OWNER_RELEASE, ApprovalKind.CODE_C_RELEASE, ApprovalKind.ONE_OFF})


@dataclass(frozen=True, slots=True)
class Agreed:
    """Approvals by request hash.

    `items`: per request hash, each released item by its blind mark, with the fields that were named; None is the whole
    item, which names no passage about third parties.
    """

    approvals: Mapping[str, tuple[Approval, ...]] = field(default_factory=dict)
    items: Mapping[str, Mapping[str, frozenset[str] | None]] = field(default_factory=dict)
    mark: MarkOf | None = None
    asks: tuple[str, ...] = ()
    receipts: tuple[str, ...] = ()
    authoriser: Mapping[str, str] | None = None

    def for_request(self, request_hash: str) -> tuple[Approval, ...]:
        """The approvals of this very request and of no other."""
        return self.approvals.get(request_hash, ())

    def for_item(self, request: DecisionRequest, item: str) -> tuple[Approval, ...]:
        """The approvals that hold for one real item: an owner's only if it released this one, for these fields."""
        released = self.items.get(request.request_hash)
        if released is None or self.mark is None:
            return request.approvals
        mark = self.mark(request.owner.agency, item)
        return tuple(
            replace(one, fields=released[mark]) if one.kind in RELEASES else one
            for one in request.approvals
            if one.kind not in RELEASES or mark in released
        )


NOTHING_AGREED = Agreed()
