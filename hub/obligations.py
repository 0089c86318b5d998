"""What a decision demands along with it, and who in this hub carries it out: the closed list.

For: turning a permit into a refusal when whoever shows it cannot do what it demands. Must never let an obligation of
the dictionary be without its line here: a test walks the list. Ruled by section 6 of the decision rules and by
UK GDPR Article 5(2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.enquiries import says_enough
from policies import Decision, DecisionRequest
from policies.vocabulary import AccessMode, Obligation, Outcome

SHOWING = frozenset({Outcome.PERMIT, Outcome.PERMIT_REDACTED, Outcome.INDICATOR_ONLY})
#: Ways out of the hub in which a copy stays with whoever took it.
TAKING_AWAY = frozenset({AccessMode.EXPORT, AccessMode.BULK})

#: What only some ways of showing can do; whoever shows says so. Nobody can by saying nothing.
Means = frozenset[Obligation]
ORDINARY: Means = frozenset()
ONCE: Means = frozenset({Obligation.VIEW_ONCE})

Condition = Callable[[Decision, DecisionRequest, Means], bool]


@dataclass(frozen=True, slots=True)
class Enforcer:
    """Who does it - a function of the hub - and when it can be done."""

    by: str
    can: Condition


def _always(decision: Decision, request: DecisionRequest, means: Means) -> bool:
    return True


def _reason_given(decision: Decision, request: DecisionRequest, means: Means) -> bool:
    """The reason that is kept, sealed, with the enquiry or the desk's own act."""
    return says_enough(request.access.rationale)


def _stays_here(decision: Decision, request: DecisionRequest, means: Means) -> bool:
    return request.access.mode not in TAKING_AWAY


def _in_emergency(decision: Decision, request: DecisionRequest, means: Means) -> bool:
    """A review afterwards and an end by the clock go together, and only with a declared emergency (rule P40)."""
    return request.break_glass is not None and Obligation.RETRO_REVIEW in decision.obligations


def _once(decision: Decision, request: DecisionRequest, means: Means) -> bool:
    return Obligation.VIEW_ONCE in means and _stays_here(decision, request, means)


ENFORCERS: Mapping[Obligation, Enforcer] = {
    Obligation.LOG_RATIONALE: Enforcer("hub.enquiries.open_enquiry", _reason_given),
    Obligation.LOG_PARA18: Enforcer("hub.casefile.CaseFile.basis_for_trail", _always),
    Obligation.NOTIFY_OWNER: Enforcer("hub.consequences.record", _always),
    Obligation.INFORM_SUBJECT: Enforcer("hub.consequences.record", _always),
    Obligation.DO_NOT_INFORM: Enforcer("hub.consequences.record", _always),
    Obligation.NOTIFY_RECIPIENTS: Enforcer("hub.consequences.record", _always),
    Obligation.IG_ALERT: Enforcer("hub.consequences.alert", _always),
    Obligation.RECORD_REFUSAL: Enforcer("hub.account.Account.made", _always),
    Obligation.ROUTE_HUMAN: Enforcer("hub.compose.picture", _always),
    Obligation.BROKER_CONTACT: Enforcer("hub.compose.picture", _always),
    Obligation.OWNER_RELEASE: Enforcer("hub.approvals.asking.ask", _always),
    Obligation.SECOND_APPROVER: Enforcer("hub.approvals.asking.ask", _always),
    Obligation.RETRO_REVIEW: Enforcer("hub.break_glass.declare", _in_emergency),
    Obligation.EXPIRE_AT: Enforcer("hub.break_glass.in_force", _in_emergency),
    Obligation.VIEW_ONCE: Enforcer("hub.protected_address.reveal", _once),
    Obligation.NO_EXPORT: Enforcer("hub.compose.picture", _stays_here),
}


def may_show(decision: Decision, request: DecisionRequest, means: Means = ORDINARY) -> bool:
    """True when the decision shows something and all that it demands along with it can be done by whoever shows it."""
    return (
        decision.outcome in SHOWING
        and bool(decision.fields)
        and all(one in ENFORCERS and ENFORCERS[one].can(decision, request, means) for one in decision.obligations)
    )
