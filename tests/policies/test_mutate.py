"""The faults that scripts/mutants puts into the rules are the ones that it says, and a noticed one is noticed."""

import ast
import subprocess
import sys

import pytest

from tests.policies.build import pairs
from tests.policies.mutants import MODULES, ROOT
from tests.policies.mutate import mutant, sites

FAULTS = [
    ("a boundary", "x = a <= b", ["x = a < b"]),
    ("equality", "x = a == b", ["x = a != b"]),
    ("membership", "x = a not in b", ["x = a in b"]),
    ("each of a chain", "x = a < b <= c", ["x = a <= b <= c", "x = a < b < c"]),
    ("and", "x = a and b", ["x = a or b"]),
    ("not", "x = not a", ["x = not not a"]),
    ("a constant", "x = f(True)", ["x = f(False)"]),
    ("a number", "x = 18", ["x = 19"]),
    ("a member", "x = {a, b}", ["x = {b}", "x = {a}"]),
    ("the only member", "x = {a}", ["x = {*()}"]),
    ("a level", "x = Level.DENY", ["x = Level.REFER"]),
    ("an if", "if a:\n    b()", ["if a:\n    pass"]),
    ("a filter", "x = [a for a in b if c]", ["x = [a for a in b]"]),
    ("a truth", "def f() -> bool:\n    return a", ["def f() -> bool:\n    return not a"]),
    ("findings", "def f() -> Findings:\n    return X", ["def f() -> Findings:\n    return ()"]),
    ("no findings", "def f() -> Findings:\n    return NOTHING", []),
    ("a cut", "def f() -> Cut | None:\n    return X", ["def f() -> Cut | None:\n    return None"]),
    ("a decorator and an annotation", "@cache(1)\ndef f(x: T[3]) -> T[4]:\n    pass", []),
    ("a text", "x = 'P01'", []),
    ("what only saves time", "x = f(a, steady=True)", []),
]


@pytest.mark.parametrize(("source", "faulty"), pairs(FAULTS))
def test_a_source_is_given_each_fault_once(source: str, faulty: list[str]) -> None:
    assert sorted(ast.unparse(mutant(source, site)) for site in sites(source)) == sorted(faulty)


def test_every_fault_can_be_compiled_and_changes_its_module() -> None:
    for path in MODULES:
        source = path.read_text(encoding="utf-8")
        plain = ast.unparse(ast.parse(source))
        for site in sites(source)[::50]:
            tree = mutant(source, site)
            compile(tree, path.name, "exec")
            assert ast.unparse(tree) != plain, site


WITHOUT_THE_BAR = """
from tests.policies.mutants import noticed, places, read_what_no_fault_touches
read_what_no_fault_touches()
assert not noticed()
assert noticed(next(one for one in places("sensitivity") if one.site.fault == "without DataCategory.ADOPTION_SEALED"))
"""


def test_the_rules_as_they_are_pass_and_a_statutory_bar_that_is_gone_is_noticed() -> None:
    # In an interpreter of its own: here the rules have been read already.
    subprocess.run([sys.executable, "-c", WITHOUT_THE_BAR], cwd=ROOT, check=True, timeout=300)
