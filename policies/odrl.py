"""python -m policies.odrl POLICY.ttl REQUEST.ttl WORLD.ttl: may this be done?

For: a policy that a partner publishes as ODRL, a request, and the state of the world (time, membership, duties).
Forbid beats permit. Whatever this reader does not know - another operand, a refinement, an inherited policy, a
malformed date - never permits and never lifts a prohibition. It must never fetch anything: only the three texts
count, and membership only as the world states it. Source: W3C ODRL Information Model 2.2 and Vocabulary 2.2
(Recommendations of 15 February 2018).
"""

import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path

from rdflib import DCTERMS, RDF, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
REPORT = Namespace("https://w3id.org/force/compliance-report#")
NOW = URIRef("http://example.com/request/currentTime")
OPERATORS: dict[Node, Callable[[datetime, datetime], bool]] = {
    ODRL.eq: eq,
    ODRL.neq: ne,
    ODRL.lt: lt,
    ODRL.lteq: le,
    ODRL.gt: gt,
    ODRL.gteq: ge,
}
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

    def applies(rule: Node) -> bool | None:
        plain = _plain(policy, rule, known=KNOWN)
        parts = [_fits(policy, whole, rule, key, asked[key], world) for key in SHARED]
        parts += [_holds(policy, one, world) for at in (whole, rule) for one in policy.objects(at, ODRL.constraint)]
        return _all([*parts, True if plain else None])

    if any(applies(rule) is not False for rule in policy.objects(whole, ODRL.prohibition)):
        return False
    return any(
        applies(rule) is True and not _violated(world, policy.objects(rule, ODRL.duty))
        for rule in policy.objects(whole, ODRL.permission)
    )


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


def _holds(policy: Graph, constraint: Node, world: Graph, depth: int = 0) -> bool | None:
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
        values = [_holds(policy, part, world, depth + 1) for part in parts]
        if kind == ODRL["or"]:
            return True if True in values else None if None in values else False
        if kind == ODRL.xone:
            return None if None in values else values.count(True) == 1
        return _all(values)
    return _compares(policy, constraint, world)


def _compares(policy: Graph, constraint: Node, world: Graph) -> bool | None:
    said = [list(policy.objects(constraint, key)) for key in (ODRL.leftOperand, ODRL.operator, ODRL.rightOperand)]
    if any(len(values) != 1 for values in said) or said[0][0] != ODRL.dateTime:
        return None
    compare = OPERATORS.get(said[1][0])
    now, limit = _instant(list(world.objects(NOW, DCTERMS.issued))), _instant(said[2])
    return None if compare is None or now is None or limit is None else compare(now, limit)


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
