"""Small faults for a module's source, one at a time: what a slip of the hand or a wrong reading would leave behind.

For: measuring whether the tests of the rules would notice. It must never write a faulty module to disk, and
never mutate what no decision rests on: annotations, decorators and texts.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

Edit = Callable[[ast.AST], None]

FLIPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
#: A finding that weighs otherwise.
LEVELS = {"ALLOW": "REFER", "INDICATOR": "ALLOW", "REFER": "ALLOW", "DENY": "REFER", "SILENT": "DENY"}


class Site(NamedTuple):
    """One place for a fault: the node's number in walking order, and the edit."""

    number: int
    line: int
    fault: str
    edit: Edit


def sites(source: str) -> list[Site]:
    """Every fault that this source can be given, in the order of its lines."""
    tree = ast.parse(source)
    left_alone, returning = _left_alone(tree), _returning(tree)
    found = [
        Site(number, _line(node), fault, edit)
        for number, node in enumerate(ast.walk(tree))
        if id(node) not in left_alone
        for fault, edit in _faults(node, returning.get(id(node), ""))
    ]
    return sorted(found, key=lambda one: (one.line, one.number, one.fault))


def mutant(source: str, site: Site) -> ast.Module:
    """The module with this one fault."""
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        if number == site.number:
            site.edit(node)
            break
    return ast.fix_missing_locations(tree)


def _line(node: ast.AST) -> int:
    return node.iter.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)


def _left_alone(tree: ast.Module) -> set[int]:
    """Annotations and decorators, with all that is inside them; and what is steady, which only saves time."""
    roots: list[ast.AST] = [one for one in ast.walk(tree) if isinstance(one, ast.keyword) and one.arg == "steady"]
    for node in ast.walk(tree):
        roots += getattr(node, "decorator_list", [])
        roots += [part for part in (getattr(node, "annotation", None), getattr(node, "returns", None)) if part]
    return {id(inner) for root in roots for inner in ast.walk(root)}


def _returning(tree: ast.Module) -> dict[int, str]:
    """For each return statement, what its function says that it returns."""
    found: dict[int, str] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.returns is not None:
            told = ast.unparse(function.returns)
            found |= {id(inner): told for inner in ast.walk(function) if isinstance(inner, ast.Return)}
    return found


def _faults(node: ast.AST, returns: str) -> Iterator[tuple[str, Edit]]:
    match node:
        case ast.Compare():
            for at, one in enumerate(node.ops):
                other = FLIPS[type(one)]
                yield f"{type(one).__name__} -> {other.__name__}", _set_item("ops", at, other())
        case ast.BoolOp():
            other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield f"{type(node.op).__name__} -> {type(other_op).__name__}", _set("op", other_op)
        case ast.UnaryOp(op=ast.Not()):
            yield "not dropped", _set("operand", _not(node.operand))
        case ast.Constant(value=bool()):
            yield f"{node.value} -> {not node.value}", _set("value", not node.value)
        case ast.Constant(value=int()):
            yield f"{node.value} -> {node.value + 1}", _set("value", node.value + 1)
        case ast.Set():
            for at, member in enumerate(node.elts):
                yield f"without {ast.unparse(member)}", _drop("elts", at)
        case ast.Attribute(value=ast.Name(id="Level")) if node.attr in LEVELS:
            yield f"{node.attr} -> {LEVELS[node.attr]}", _set("attr", LEVELS[node.attr])
        case ast.If():
            yield "if never taken", _set("body", [ast.Pass()])
        case ast.IfExp():
            yield "other branch", _set("test", _not(node.test))
        case ast.comprehension():
            if node.ifs:
                yield "filter dropped", _set("ifs", [])
        case ast.Return(value=ast.expr() as value):
            yield from _other_return(value, returns)


def _other_return(value: ast.expr, returns: str) -> Iterator[tuple[str, Edit]]:
    other: ast.expr
    if returns == "bool":
        other = _not(value)
    elif returns == "Findings" or returns.startswith("tuple["):
        other = ast.Tuple(elts=[], ctx=ast.Load())
    elif returns == "str":
        other = ast.Constant(value="")
    else:
        other = ast.Constant(value=None)
    if ast.unparse(value) not in (ast.unparse(other), "NOTHING"):
        yield f"return {'the opposite' if returns == 'bool' else ast.unparse(other)}", _set("value", other)


def _not(value: ast.expr) -> ast.UnaryOp:
    return ast.UnaryOp(op=ast.Not(), operand=value)


def _set(name: str, value: object) -> Edit:
    # A copy, because one edit may be made on several trees.
    return lambda node: setattr(node, name, copy.deepcopy(value))


def _set_item(name: str, at: int, value: object) -> Edit:
    return lambda node: getattr(node, name).__setitem__(at, value)


def _drop(name: str, at: int) -> Edit:
    def edit(node: ast.AST) -> None:
        del getattr(node, name)[at]
        if not getattr(node, name):  # `{}` would be a dictionary.
            getattr(node, name).append(ast.Starred(value=ast.Tuple(elts=[], ctx=ast.Load()), ctx=ast.Load()))

    return edit
