"""From a request and the agreements to a decision: a pure function, no clock, database or network.

For: `decide`, the blocks of its request, the sharing agreements and the explanation of a decision. It must
never import another package of ours. Ruled by the partnership's decision rules P01 to P50.
"""

from policies.agreement import SharingAgreement, basis_for, in_force
from policies.agreement_files import AgreementInvalid, gateway_register, load_agreements, read_agreement
from policies.bundle import bundle_hash
from policies.case import (
    Access,
    Actor,
    Agreement,
    Analytics,
    Approval,
    Basis,
    BreakGlass,
    Clause,
    ConnectorFacts,
    ConsentDecision,
    ConsentRecord,
    Decision,
    DecisionRequest,
    Episode,
    Field,
    GatewayEntry,
    Gillick,
    Intelligence,
    Item,
    Owner,
    PartnershipPolicy,
    Party,
    Recipient,
    Relationship,
    RequestInvalid,
    Sar,
    Scope,
    Seal,
    Subject,
    ThresholdRecord,
)
from policies.decide import decide
from policies.explain import Explanation, explain
from policies.life_cycle import Change, refusals, substantive
from policies.rules import RULES, Rule
from policies.signing import add_signature, load_signed, sign
from policies.soundness import faults, gateway_faults, notes

__all__ = [
    "RULES",
    "Access",
    "Actor",
    "Agreement",
    "AgreementInvalid",
    "Analytics",
    "Approval",
    "Basis",
    "BreakGlass",
    "Change",
    "Clause",
    "ConnectorFacts",
    "ConsentDecision",
    "ConsentRecord",
    "Decision",
    "DecisionRequest",
    "Episode",
    "Explanation",
    "Field",
    "GatewayEntry",
    "Gillick",
    "Intelligence",
    "Item",
    "Owner",
    "PartnershipPolicy",
    "Party",
    "Recipient",
    "Relationship",
    "RequestInvalid",
    "Rule",
    "Sar",
    "Scope",
    "Seal",
    "SharingAgreement",
    "Subject",
    "ThresholdRecord",
    "add_signature",
    "basis_for",
    "bundle_hash",
    "decide",
    "explain",
    "faults",
    "gateway_faults",
    "gateway_register",
    "in_force",
    "load_agreements",
    "load_signed",
    "notes",
    "read_agreement",
    "refusals",
    "sign",
    "substantive",
]
