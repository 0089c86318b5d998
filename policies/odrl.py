"""python -m policies.odrl POLICY.ttl REQUEST.ttl WORLD.ttl: may this be done?

For: a policy that a partner publishes as ODRL, a request, and the state of the world (time, membership, duties).
Forbid beats permit. Whatever this reader does not know - another operand, a refinement, an inherited policy, a
malformed date - never permits and never lifts a prohibition. It must never fetch anything: only the three texts
count, membership only as the world states it, and purpose and the like only as the request states them. Source: W3C
ODRL Information Model 2.2 and Vocabulary 2.2 (Recommendations of 15 February 2018).
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any

from rdflib import DCTERMS, RDF, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
REPORT = Namespace("https://w3id.org/force/compliance-report#")
NOW = URIRef("http://example.com/request/currentTime")
OPERATORS: dict[Node, Callable[[Any, Any], bool]] = {
    ODRL.eq: eq,
    ODRL.neq: ne,
    ODRL.lt: lt,
    ODRL.lteq: le,
    ODRL.gt: gt,
    ODRL.gteq: ge,
}
#: Is the value to be among those that are listed, or not?
AMONG: dict[Node, bool] = {ODRL.isAnyOf: True, ODRL.isNoneOf: False}
_USES = """aggregate anonymize annotate archive concurrentUse derive digitize distribute execute grantUse index install
modify move play present print read reproduce stream synchronize textToSpeech transform translate write"""
#: Each action of the vocabulary and the action that includes it ("included in", ODRL Vocabulary 2.2).
INCLUDED_IN: dict[Node, Node] = {
    **{ODRL[name]: ODRL.use for name in _USES.split()},
    ODRL.display: ODRL.play,
    ODRL.extract: ODRL.reproduce,
    ODRL.excerpt: ODRL.extract,
    ODRL.give: ODRL.transfer,
    ODRL.sell: ODRL.transfer,
}
ACTIONS = frozenset({*INCLUDED_IN, *INCLUDED_IN.values()})
#: What a rule may say; anything else makes a permission too uncertain to use.
KNOWN = frozenset(
    {
        RDF.type,
        ODRL.uid,
        ODRL.assigner,
        ODRL.assignee,
        ODRL.action,
        ODRL.target,
        ODRL.constraint,
        ODRL.duty,
        ODRL.remedy,
        DCTERMS.description,
        DCTERMS.source,
        DCTERMS.title,
    }
)
SHARED = (ODRL.assignee, ODRL.action, ODRL.target)
RULES = (ODRL.permission, ODRL.prohibition)
LOGICAL = (ODRL["and"], ODRL["or"], ODRL.xone, ODRL.andSequence)
OF_POLICY = KNOWN | {*RULES, ODRL.profile, ODRL.conflict}
DEEPEST = 20


class OdrlInvalid(ValueError):
    """A text that is no ODRL policy, request or state of the world."""


class OdrlAnswer(StrEnum):
    """Whether the policy permits."""

    PERMIT = "PERMIT"
    DENY = "DENY"


def read_turtle(text: str) -> Graph:
    """Read Turtle. Raises OdrlInvalid, without what was written."""
    try:
        return Graph().parse(data=text, format="turtle")
    except Exception as error:
        raise OdrlInvalid("not Turtle") from error


def evaluate_odrl(policy: Graph, request: Graph, world: Graph) -> OdrlAnswer:
    """Answer PERMIT when everything asked for is permitted and nothing of it forbidden; in doubt, DENY."""
    asked = [
        wanted for one in request.subjects(RDF.type, ODRL.Request) for wanted in request.objects(one, ODRL.permission)
    ]
    policies = {one for kind in RULES for one in policy.subjects(kind)}
    if not asked or len(policies) != 1 or not _plain(policy, *policies, known=OF_POLICY):
        return OdrlAnswer.DENY
    (whole,) = policies
    permitted = all(_permits(policy, whole, request, wanted, world) for wanted in asked)
    return OdrlAnswer.PERMIT if permitted else OdrlAnswer.DENY


def _permits(policy: Graph, whole: Node, request: Graph, wanted: Node, world: Graph) -> bool:
    said = [list(request.objects(wanted, key)) for key in SHARED]
    if any(len(values) != 1 for values in said):
        return False
    asked = dict(zip(SHARED, (values[0] for values in said), strict=True))

    stated = _stated(request, wanted)

    def applies(rule: Node) -> bool | None:
        plain = _plain(policy, rule, known=KNOWN)
        parts = [_fits(policy, whole, rule, key, asked[key], world) for key in SHARED]
        constraints = [one for at in (whole, rule) for one in policy.objects(at, ODRL.constraint)]
        parts += [_holds(policy, one, world, stated) for one in constraints]
        return _all([*parts, True if plain else None])

    if any(applies(rule) is not False for rule in policy.objects(whole, ODRL.prohibition)):
        return False
    return any(
        applies(rule) is True and not _violated(world, policy.objects(rule, ODRL.duty))
        for rule in policy.objects(whole, ODRL.permission)
    )


def _stated(request: Graph, wanted: Node) -> Mapping[Node, Node]:
    """What the request says of itself, such as its purpose: operands that it states equal to one value, once."""
    found: dict[Node, list[Node]] = {}
    for one in request.objects(wanted, ODRL.constraint):
        said = [list(request.objects(one, key)) for key in (ODRL.leftOperand, ODRL.operator, ODRL.rightOperand)]
        if all(len(values) == 1 for values in said) and said[1][0] == ODRL.eq:
            found.setdefault(said[0][0], []).append(said[2][0])
    return {operand: values[0] for operand, values in found.items() if len(values) == 1}


def _plain(graph: Graph, node: Node, *, known: frozenset[Node]) -> bool:
    return set(graph.predicates(node)) <= known


def _fits(policy: Graph, whole: Node, rule: Node, key: URIRef, asked: Node, world: Graph) -> bool | None:
    """Does the rule speak of this person, action or thing? Unsaid is anybody and anything, but never any action."""
    named = list(policy.objects(rule, key)) or list(policy.objects(whole, key))
    if not named:
        return None if key == ODRL.action else True
    if any((one, ODRL.refinement, None) in policy or not isinstance(one, URIRef) for one in named):
        return None
    if key == ODRL.action:
        included = [_includes(one, asked) for one in named]
        return True if True in included else None if None in included else False
    return any(one == asked or one in world.transitive_objects(asked, ODRL.partOf) for one in named)


def _includes(action: Node, asked: Node) -> bool | None:
    """Is what is asked the action itself, or included in it? Of an action that we do not know it cannot be told."""
    if action == asked:
        return True
    if not {action, asked} <= ACTIONS:
        return None
    wider: Node | None = asked
    while wider is not None and wider != action:
        wider = INCLUDED_IN.get(wider)
    return wider == action


def _holds(policy: Graph, constraint: Node, world: Graph, stated: Mapping[Node, Node], depth: int = 0) -> bool | None:
    """True, False, or None when it cannot be told."""
    if depth > DEEPEST:
        return None
    logical = [(kind, list(policy.objects(constraint, kind))) for kind in LOGICAL]
    used = [(kind, parts) for kind, parts in logical if parts]
    if len(used) > 1:
        return None
    if used:
        kind, parts = used[0]
        if any((part, None, None) not in policy for part in parts):
            return None
        values = [_holds(policy, part, world, stated, depth + 1) for part in parts]
        if kind == ODRL["or"]:
            return True if True in values else None if None in values else False
        if kind == ODRL.xone:
            return None if None in values else values.count(True) == 1
        return _all(values)
    return _compares(policy, constraint, world, stated)


def _compares(policy: Graph, constraint: Node, world: Graph, stated: Mapping[Node, Node]) -> bool | None:
    """A time against the world's clock; any other operand against what the request states of itself."""
    said = [list(policy.objects(constraint, key)) for key in (ODRL.leftOperand, ODRL.operator, ODRL.rightOperand)]
    if len(said[0]) != 1 or len(said[1]) != 1 or not said[2]:
        return None
    (operand,), (operator,), limits = said
    if operand == ODRL.dateTime:
        compare = OPERATORS.get(operator)
        now, limit = _instant(list(world.objects(NOW, DCTERMS.issued))), _instant(limits)
        return None if compare is None or now is None or limit is None else compare(now, limit)
    value = stated.get(operand)
    if value is None:
        return None
    if operator in AMONG:
        return (value in limits) == AMONG[operator]
    return _compares_values(operator, value, limits)


def _compares_values(operator: Node, value: Node, limits: list[Node]) -> bool | None:
    """One name equals another, or one whole number is more or less than another; nothing else is compared."""
    compare = OPERATORS.get(operator)
    if compare is None or len(limits) != 1:
        return None
    if isinstance(value, URIRef) and isinstance(limits[0], URIRef):
        return bool(compare(value, limits[0])) if operator in (ODRL.eq, ODRL.neq) else None
    numbers = [one.toPython() if isinstance(one, Literal) else None for one in (value, limits[0])]
    if all(type(one) is int for one in numbers):
        return bool(compare(*numbers))
    return None


def _instant(values: list[Node]) -> datetime | None:
    """The one instant with a zone that is stated, or None."""
    value = values[0].toPython() if len(values) == 1 and isinstance(values[0], Literal) else None
    return value if isinstance(value, datetime) and value.tzinfo is not None else None


def _all(values: Iterable[bool | None]) -> bool | None:
    known = list(values)
    return False if False in known else None if None in known else True


def _violated(world: Graph, duties: Iterable[Node]) -> bool:
    """Does the world report a duty as violated? A duty that is still open does not close the permission."""
    return any(
        (report, REPORT.deonticState, REPORT.Violated) in world
        for duty in duties
        for report in world.subjects(REPORT.rule, duty)
    )


def main(arguments: list[str]) -> int:
    """Print PERMIT or DENY; exit status 2 when a file cannot be read."""
    if len(arguments) != 3:
        sys.stderr.write("usage: python -m policies.odrl POLICY.ttl REQUEST.ttl WORLD.ttl\n")
        return 2
    graphs = []
    for name in arguments:
        try:
            graphs.append(read_turtle(Path(name).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, OdrlInvalid) as error:
            sys.stderr.write(f"{name}: cannot be read ({type(error).__name__}).\n")
            return 2
    sys.stdout.write(f"{evaluate_odrl(*graphs)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
