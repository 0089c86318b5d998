"""One decision request, one decision.

For: combining what the rules found, in the order of section 2 of the partnership's decision rules: forbid
beats permit, silence beats refusal, no rule means no. It must never read anything but the request, and never
turn an error into a grant.
"""

from collections.abc import Iterable

from policies.case import Decision, DecisionRequest
from policies.rules import rules_for
from policies.rules.consent import tell_people
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


def decide(request: DecisionRequest) -> Decision:
    """Decide one request; an unexpected error is a refusal with a human route under P50, never a grant."""
    try:
        return _weigh(Facts(request))
    except Exception:
        return cannot_decide(gp_check=getattr(request, "purpose", None) == Purpose.GP_PACKAGE_CHECK)


def cannot_decide(*, gp_check: bool) -> Decision:
    """Return the refusal for a request that is invalid or that no rule could judge (P50)."""
    answer = GpAnswer.NOT_AVAILABLE if gp_check else None
    return Decision(Outcome.DENY, answer, (), (Obligation.ROUTE_HUMAN,), ("P50",))


def _weigh(facts: Facts) -> Decision:
    # 1. Every rule is asked.
    found: list[Finding] = []
    for rule in rules_for(facts):
        found += rule(facts)
    # 2. A valid break-glass lifts what may be lifted, and is used only if something was.
    emergency = facts.break_glass_valid and any(one.liftable for one in found)
    if emergency:
        found = [one for one in found if not one.liftable]
    found.extend(break_glass_used(facts) if emergency else tell_people(facts))
    # 3. The gravest finding that is left decides.
    level = max([one.level for one in found])
    if level in REFUSALS:
        return _refused(facts, found, level)
    # 4. The field filter leaves the least that is needed.
    left = filter_fields(facts, emergency)
    if not left.kept:
        silent = Level.SILENT if "P27" in left.rules else Level.DENY
        return _refused(facts, [Finding(silent, left.rules or ("P50",))], silent)
    return _shown(facts, found, left)


def _shown(facts: Facts, found: list[Finding], left: Filtered) -> Decision:
    """Steps 5 to 7: availability, the GP check, indicators, and everything or less."""
    request, levels = facts.request, {one.rules[0] for one in found if one.level == Level.INDICATOR}
    unconfirmed = request.connector.match == MatchState.UNCONFIRMED or (
        SubjectFlag.MATCH_UNCONFIRMED in request.subject.flags
    )
    # 5. An owner who was not reached, or a person who is not identified, is not a "no" (P48).
    if request.connector.state == ConnectorState.NOT_REACHED:
        return _granted(facts, found, left, Outcome.INDICATOR_ONLY, frozenset(), GpAnswer.NOT_REACHED)
    if unconfirmed:
        return _granted(facts, found, left, Outcome.INDICATOR_ONLY, frozenset(), GpAnswer.MATCH_UNCONFIRMED)
    # 6. The GP check (P09 d), whom to call (P42), the held marker (P24), or the fields that are left.
    if facts.gp_check:
        if request.item.involvement is None:
            return _refused(facts, [Finding(Level.DENY, ("P48",))], Level.DENY)
        current = request.item.involvement == Involvement.CURRENT
        answer, kinds = (GpAnswer.YES, WHOM_TO_CALL) if current else (GpAnswer.NO, YES_OR_NO)
        return _granted(facts, found, left, Outcome.INDICATOR_ONLY, kinds, answer)
    if "P42" in levels:
        return _granted(facts, found, left, Outcome.INDICATOR_ONLY, WHOM_TO_CALL)
    if "P24" in levels:
        return _granted(facts, found, left, Outcome.INDICATOR_ONLY, MARKER)
    whole = len(left.kept) == len(request.item.fields)
    return _granted(facts, found, left, Outcome.PERMIT if whole else Outcome.PERMIT_REDACTED, facts.kinds)


def _granted(
    facts: Facts,
    found: list[Finding],
    left: Filtered,
    outcome: Outcome,
    kinds: frozenset[FieldKind],
    answer: GpAnswer | None = None,
) -> Decision:
    """7. The rules and obligations of everything that allowed, limited, cut or conditioned this decision."""
    obligations = set(left.obligations)
    named = list(left.rules)
    for one in found:
        obligations |= one.obligations
        named += one.rules
    rules = dict.fromkeys(named)
    if answer in (GpAnswer.NOT_REACHED, GpAnswer.MATCH_UNCONFIRMED):
        # Nothing was shown, so there is nothing to tell or to keep from the person (P21).
        obligations -= {Obligation.INFORM_SUBJECT, Obligation.DO_NOT_INFORM}
        obligations.add(Obligation.ROUTE_HUMAN)
        rules = {"P48": None, **rules}
    elif answer is not None:
        rules = {"P09": None, "P48": None, **rules}
    if break_glass_misused(facts):
        obligations.add(Obligation.IG_ALERT)
        rules = {"P40": None, **rules}
    if Obligation.DO_NOT_INFORM in obligations:
        obligations.discard(Obligation.INFORM_SUBJECT)
    fields = {one.name for one in left.kept if one.kind in kinds}
    return Decision(outcome, answer, tuple(sorted(fields)), tuple(sorted(obligations)), _at_most_twelve(rules))


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
    rules = dict.fromkeys(named)
    if break_glass_misused(facts):
        obligations.add(Obligation.IG_ALERT)
        rules["P40"] = None
    if facts.gp_check:
        answer = GpAnswer.NOT_AVAILABLE
        rules["P48"] = None
    return Decision(REFUSALS[level], answer, (), tuple(sorted(obligations)), _at_most_twelve(rules))


def _at_most_twelve(rules: Iterable[str]) -> tuple[str, ...]:
    """Keep the rules that are particular to this decision, then the general ones, at most twelve, sorted."""
    named = dict.fromkeys(rules)
    if len(named) <= MOST_RULES:
        return tuple(sorted(named))
    particular = [rule for rule in named if rule not in GENERAL_RULES]
    general = [rule for rule in GENERAL_RULES if rule in named]
    return tuple(sorted((particular + general)[:MOST_RULES]))
