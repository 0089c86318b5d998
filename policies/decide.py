"""One decision request, one decision.

For: combining what the rules found, in the order of section 2 of the partnership's decision rules: forbid
beats permit, silence beats refusal, no rule means no. It must never read anything but the request, and never
turn an error into a grant.
"""

from collections.abc import Iterable, Iterator
from operator import attrgetter, is_
from typing import NamedTuple

from policies.case import Decision, DecisionRequest
from policies.rules import RuleFunction, rules_for
from policies.rules.consent import TELLING, tell_people
from policies.rules.facts import Facts, Finding, Level
from policies.rules.fields import Filtered, filter_fields
from policies.rules.situations import break_glass_misused, break_glass_used
from policies.vocabulary import (
    ConnectorState,
    FieldKind,
    GpAnswer,
    Involvement,
    MatchState,
    Obligation,
    Outcome,
    Purpose,
    SubjectFlag,
)

REFUSALS = {Level.SILENT: Outcome.DENY_SILENT, Level.DENY: Outcome.DENY, Level.REFER: Outcome.REFER}
MOST_RULES = 12
#: Rules that nearly every grant rests on; named after those that are particular to this decision.
GENERAL_RULES = ("P03", "P04", "P09", "P05", "P02")
WHOM_TO_CALL = frozenset({FieldKind.INDICATOR, FieldKind.CONTACT})
YES_OR_NO = frozenset({FieldKind.INDICATOR})
MARKER = frozenset({FieldKind.HELD_MARKER})
UNANSWERED = frozenset({GpAnswer.NOT_REACHED, GpAnswer.MATCH_UNCONFIRMED})
TELLING_DUTIES = frozenset({Obligation.INFORM_SUBJECT, Obligation.DO_NOT_INFORM})


def decide(request: DecisionRequest) -> Decision:
    """Decide one request; an unexpected error is a refusal with a human route under P50, never a grant."""
    try:
        facts = Facts(request)
        return _conclude(facts, _weigh(facts, _found(facts, _ask(rules_for(facts).steady, facts))))
    except Exception:
        return cannot_decide(gp_check=getattr(request, "purpose", None) == Purpose.GP_PACKAGE_CHECK)


def decide_each(requests: Iterable[DecisionRequest]) -> Iterator[Decision]:
    """Decide requests one after another, each exactly as `decide` does.

    A page asks for many items of the same person and agency. Where a request has the very same parts as the one before
    it, all but its item, what does not depend on the item is not worked out again; and what the very same findings come
    to is worked out once. docs/adr/0006 has the measurements.
    """
    weighed = _WeighedBefore()
    sitting: _Sitting | None = None
    for request in requests:
        try:
            if sitting is None or not sitting.goes_on_with(request):
                sitting = _Sitting(request)
            yield _conclude(sitting.facts, weighed.weigh(sitting.facts, sitting.found()))
        except Exception:
            sitting = None
            yield cannot_decide(gp_check=getattr(request, "purpose", None) == Purpose.GP_PACKAGE_CHECK)


class _Sitting:
    """One person, one agency, one actor and moment; item after item."""

    def __init__(self, request: DecisionRequest) -> None:
        self.facts = Facts(request)
        self._parts = _parts(request)
        self._steady = _ask(rules_for(self.facts).steady, self.facts)

    def goes_on_with(self, request: DecisionRequest) -> bool:
        """Are these the very same parts? Equal is not enough: two writings of one instant may lie on two dates."""
        if request.approvals or not all(map(is_, self._parts, _parts(request))):
            return False
        self.facts.turn_to(request)
        return True

    def found(self) -> list[Finding]:
        """Return what the rules find now."""
        return _found(self.facts, self._steady)


class _WeighedBefore:
    """What findings came to; they are kept with it, so that an identity stands for one finding only."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], tuple[list[Finding], _Weighed]] = {}

    def weigh(self, facts: Facts, found: list[Finding]) -> "_Weighed":
        """Weigh them, if that was not done before with the same emergency and for the same kind of question."""
        same = (facts.gp_check, facts.break_glass_valid, break_glass_misused(facts), *map(id, found))
        known = self._known.get(same)
        if known is None:
            known = self._known[same] = found, _weigh(facts, found)
        return known[1]


#: What a decision reads beside its item, its hash (with approvals only) and its connector (never by a rule).
_parts = attrgetter(
    "now",
    "actor",
    "recipient",
    "owner",
    "purpose",
    "access",
    "relationship",
    "subject",
    "episode",
    "gateways",
    "agreements",
    "consents",
    "circumstances",
    "approvals",
    "break_glass",
    "off_list_checks_today",
    "sar",
    "analytics",
    "policy",
)


def cannot_decide(*, gp_check: bool) -> Decision:
    """Return the refusal for a request that is invalid or that no rule could judge (P50)."""
    answer = GpAnswer.NOT_AVAILABLE if gp_check else None
    return Decision(Outcome.DENY, answer, (), (Obligation.ROUTE_HUMAN,), ("P50",))


class _Weighed(NamedTuple):
    """What all findings come to, before a field is looked at: a refusal, or what a grant names and demands."""

    refusal: Decision | None
    emergency: bool = False
    indicators: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    obligations: frozenset[Obligation] = frozenset()
    named: tuple[str, ...] = ()
    duties: tuple[Obligation, ...] = ()


def _ask(rules: Iterable[RuleFunction], facts: Facts) -> list[Finding]:
    found: list[Finding] = []
    for rule in rules:
        found += rule(facts)
    return found


def _found(facts: Facts, steady: list[Finding]) -> list[Finding]:
    # 1. Every rule is asked; what the steady ones found is handed in. P21 has its say at the end.
    return [*steady, *_ask(rules_for(facts).of_item, facts), *tell_people(facts)]


def _weigh(facts: Facts, found: list[Finding]) -> _Weighed:
    """Steps 2 and 3. Beside the findings it reads only the emergency and whether this is a GP check."""
    # 2. A valid break-glass lifts what may be lifted, and is used only if something was; P40 then stands for P21.
    emergency = facts.break_glass_valid and any(one.liftable for one in found)
    if emergency:
        found = [one for one in found if not one.liftable and one not in TELLING] + list(break_glass_used(facts))
    # 3. The gravest finding that is left decides.
    level = max([one.level for one in found])
    if level in REFUSALS:
        return _Weighed(_refused(facts, found, level))
    rules = frozenset([rule for one in found for rule in one.rules])
    obligations = frozenset().union(*[one.obligations for one in found if one.obligations])
    indicators = frozenset([one.rules[0] for one in found if one.level == Level.INDICATOR])
    return _Weighed(None, emergency, indicators, rules, obligations, _at_most_twelve(rules), _duties(obligations))


def _conclude(facts: Facts, weighed: _Weighed) -> Decision:
    if weighed.refusal is not None:
        return weighed.refusal
    # 4. The field filter leaves the least that is needed.
    left = filter_fields(facts, weighed.emergency)
    if not left.kept:
        silent = Level.SILENT if "P27" in left.rules else Level.DENY
        return _refused(facts, [Finding(silent, left.rules or ("P50",))], silent)
    return _shown(facts, weighed, left)


def _shown(facts: Facts, weighed: _Weighed, left: Filtered) -> Decision:
    """Steps 5 to 7: availability, the GP check, indicators, and everything or less."""
    request = facts.request
    unconfirmed = request.connector.match == MatchState.UNCONFIRMED or (
        SubjectFlag.MATCH_UNCONFIRMED in request.subject.flags
    )
    # 5. An owner who was not reached, or a person who is not identified, is not a "no" (P48).
    if request.connector.state == ConnectorState.NOT_REACHED:
        return _granted(facts, weighed, left, Outcome.INDICATOR_ONLY, frozenset(), GpAnswer.NOT_REACHED)
    if unconfirmed:
        return _granted(facts, weighed, left, Outcome.INDICATOR_ONLY, frozenset(), GpAnswer.MATCH_UNCONFIRMED)
    # 6. The GP check (P09 d), whom to call (P42), the held marker (P24), or the fields that are left.
    if facts.gp_check:
        if request.item.involvement is None:
            return _refused(facts, [Finding(Level.DENY, ("P48",))], Level.DENY)
        current = request.item.involvement == Involvement.CURRENT
        answer, kinds = (GpAnswer.YES, WHOM_TO_CALL) if current else (GpAnswer.NO, YES_OR_NO)
        return _granted(facts, weighed, left, Outcome.INDICATOR_ONLY, kinds, answer)
    if "P42" in weighed.indicators:
        return _granted(facts, weighed, left, Outcome.INDICATOR_ONLY, WHOM_TO_CALL)
    if "P24" in weighed.indicators:
        return _granted(facts, weighed, left, Outcome.INDICATOR_ONLY, MARKER)
    whole = len(left.kept) == len(request.item.fields)
    return _granted(facts, weighed, left, Outcome.PERMIT if whole else Outcome.PERMIT_REDACTED, facts.kinds)


def _granted(
    facts: Facts,
    weighed: _Weighed,
    left: Filtered,
    outcome: Outcome,
    kinds: frozenset[FieldKind],
    answer: GpAnswer | None = None,
) -> Decision:
    """7. The rules and obligations of everything that allowed, limited, cut or conditioned this decision."""
    names = facts.request.item.names
    if outcome != Outcome.PERMIT:
        names = tuple(sorted({one.name for one in left.kept if one.kind in kinds}))
    rules: set[str] = set(left.rules)
    obligations = set(left.obligations)
    if answer in UNANSWERED:
        rules.add("P48")
        obligations.add(Obligation.ROUTE_HUMAN)
    elif answer is not None:
        rules |= {"P09", "P48"}
    if break_glass_misused(facts):
        rules.add("P40")
        obligations.add(Obligation.IG_ALERT)
    if not rules and not obligations:
        return Decision(outcome, answer, names, weighed.duties, weighed.named)
    # Where nothing was shown there is nothing to tell or to keep from the person (P21).
    owed = weighed.obligations - (TELLING_DUTIES if answer in UNANSWERED else frozenset())
    return Decision(outcome, answer, names, _duties(owed | obligations), _at_most_twelve(weighed.rules | rules))


def _refused(facts: Facts, found: list[Finding], level: Level) -> Decision:
    """3. The rules and obligations at the deciding level, every alert, and a human route (P50)."""
    obligations: set[Obligation] = set()
    named: list[str] = []
    answer = None
    for one in found:
        if one.level == level:
            obligations |= one.obligations
            named += one.rules
            answer = answer or one.answer
        elif one.level != Level.ALLOW and Obligation.IG_ALERT in one.obligations:
            obligations.add(Obligation.IG_ALERT)
    if level != Level.REFER:
        obligations.add(Obligation.ROUTE_HUMAN)
    if break_glass_misused(facts):
        obligations.add(Obligation.IG_ALERT)
        named.append("P40")
    if facts.gp_check:
        answer = GpAnswer.NOT_AVAILABLE
        named.append("P48")
    return Decision(REFUSALS[level], answer, (), tuple(sorted(obligations)), _at_most_twelve(named))


def _duties(obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
    """Sort them; who is kept in the dark is not told as well (P21)."""
    owed = set(obligations)
    if Obligation.DO_NOT_INFORM in owed:
        owed.discard(Obligation.INFORM_SUBJECT)
    return tuple(sorted(owed))


def _at_most_twelve(rules: Iterable[str]) -> tuple[str, ...]:
    """Keep the rules that are particular to this decision, then the general ones, at most twelve, sorted."""
    named = set(rules)
    if len(named) <= MOST_RULES:
        return tuple(sorted(named))
    particular = sorted(rule for rule in named if rule not in GENERAL_RULES)
    general = [rule for rule in GENERAL_RULES if rule in named]
    return tuple(sorted((particular + general)[:MOST_RULES]))
