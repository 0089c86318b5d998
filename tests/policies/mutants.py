"""scripts/mutants: would the tests of the rules notice a fault in the rules?

For: a figure for how well policies/rules and policies/decide.py are tested. Each fault is put into the module in
a process of its own and in memory only; the given cases, the worked cases of the agreements and the tables of the
rules then run until the first of them fails, and in the end the tests with generated requests. A fault that none of
them notices is printed with its line. It must never count a fault as noticed because the tests could not be run, nor
because the machine was busy: the limit is in processor time.
"""

import argparse
import ast
import contextlib
import gc
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.policies.mutate import Site, mutant, sites

ROOT = Path(__file__).resolve().parents[2]
MODULES = (*sorted((ROOT / "policies" / "rules").glob("*.py")), ROOT / "policies" / "decide.py")
ORACLE = (
    "test_worked_cases.py",
    "test_rules_preconditions.py",
    "test_rules_consent.py",
    "test_rules_sensitivity.py",
    "test_rules_conflicts_and_situations.py",
    "test_rules_lists.py",
    "test_rules_named.py",
    "test_rules_edges.py",
)
#: Tests that take long: only for what all others leave standing.
LONG_ORACLE = ("test_decide_each.py",)
QUIETLY = ("-q", "-x", "--noconftest", "--assert=plain", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist")
#: Nothing that these import rests on a rule, so they are read once for all faults.
READ_ONCE = frozenset({"policies.vocabulary", "policies.case", "policies.form"})
#: A fault may make a loop endless. Seconds of processor time; the tests as they are take about two, the long ones ten.
LONGEST_S = 90
PASSED, FAILED, INTERRUPTED = 0, 1, 2
#: Where it is kept what came of each fault, so that a run that was stopped goes on.
KEPT = ROOT / "var" / "mutants.jsonl"


class Place(NamedTuple):
    """A fault and the module that it is for."""

    path: Path
    site: Site


class Kept:
    """What came of the faults that were tried before, one line each.

    A fault that was noticed stays noticed for as long as its module is the same; one that was not is tried again as
    soon as any of the tests is another. Whoever takes tests away starts afresh.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        tests = [Path(__file__).parent / name for name in ("test_given_cases.py", "build.py", *ORACLE, *LONG_ORACLE)]
        self.tests = hashlib.sha256(b"".join(path.read_bytes() for path in tests)).hexdigest()[:16]
        self.modules = {path: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in MODULES}
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self.found = {tuple(one["fault"]): one for one in map(json.loads, lines)}

    def recall(self, place: Place) -> bool | None:
        """Whether it was noticed; None when it has to be tried."""
        one = self.found.get(self._key(place))
        if one is None or not (one["noticed"] or one["tests"] == self.tests):
            return None
        return bool(one["noticed"])

    def keep(self, place: Place, noticed: bool) -> None:
        """Adds a line. Effects: the file."""
        line = {"fault": self._key(place), "tests": self.tests, "noticed": noticed}
        self.found[self._key(place)] = line
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def _key(self, place: Place) -> tuple[str, str, int, str]:
        return (place.path.stem, self.modules[place.path], place.site.number, place.site.fault)


class FaultyModule(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Gives out the faulty module in place of the one on disk."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        parts = path.relative_to(ROOT).with_suffix("").parts
        super().__init__(".".join(parts).removesuffix(".__init__"), str(path))
        self.tree = tree

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> object:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> object:
        return compile(self.tree, self.path, "exec")


def places(module: str | None) -> list[Place]:
    """Every fault of every module, or of the one that is named by its stem."""
    return [
        Place(path, site)
        for path in MODULES
        if module in (None, path.stem)
        for site in sites(path.read_text(encoding="utf-8"))
    ]


def noticed(place: Place | None = None) -> bool:
    """Does a test fail with this fault, or with none? In a process of its own. Raises RuntimeError: did not run."""
    child = os.fork()
    if child == 0:
        _run_and_leave(place)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) == signal.SIGPROF:
            return True
        raise RuntimeError(f"the tests were ended by signal {os.WTERMSIG(status)}")
    code = os.WEXITSTATUS(status)
    if code not in (PASSED, FAILED, INTERRUPTED):
        raise RuntimeError(f"the tests could not be run (pytest says {code})")
    return code != PASSED


def _run_and_leave(place: Place | None) -> None:
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    code = 3
    with contextlib.suppress(BaseException):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        if place is not None:
            tree = mutant(place.path.read_text(encoding="utf-8"), place.site)
            sys.meta_path.insert(0, FaultyModule(place.path, tree))
        code = FAILED if _a_given_case_fails() else _run(ORACLE)
        if code == PASSED and place is not None:
            code = _run(LONG_ORACLE)
    os._exit(code)


def _a_given_case_fails() -> bool:
    """Does one of the given cases fail, or can the rules not even be read? Without pytest, which takes longer."""
    try:
        from tests.policies import test_given_cases as given

        for case in given.CASES:
            given.test_the_decision_is_the_one_that_the_partnership_expects(case)
    except Exception:
        return True
    return False


def _run(files: tuple[str, ...]) -> int:
    return int(pytest.main([*QUIETLY, *(str(Path(__file__).parent / name) for name in files)]))


def read_what_no_fault_touches() -> None:
    """Read it now, and have every process read the rest anew."""
    for name in READ_ONCE:
        importlib.import_module(name)
    for name in [one for one in sys.modules if one.split(".")[0] == "policies" and one not in READ_ONCE]:
        del sys.modules[name]
    gc.freeze()


def main(arguments: Sequence[str]) -> int:
    """Print the faults that no test notices and how many of the tried were noticed; 0 when it could be measured."""
    parser = argparse.ArgumentParser(
        prog="scripts/mutants", description="Would the tests of the rules notice a fault in the rules?"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="try N faults drawn at random (all)")
    parser.add_argument("--seed", type=int, default=1, help="draws the same faults again (1)")
    parser.add_argument("--module", choices=sorted({path.stem for path in MODULES}), help="faults of one module only")
    parser.add_argument("--seconds", type=float, default=1800, help="stop then and report what was tried (1800)")
    parser.add_argument("--least", type=float, default=0, metavar="PERCENT", help="fail when fewer are noticed (0)")
    parser.add_argument(
        "--afresh", action="store_true", help=f"forget what was tried before ({KEPT.relative_to(ROOT)})"
    )
    asked = parser.parse_args(arguments)
    everything = places(asked.module)
    # In an order of chance: when the time is over, what was tried is a fair sample.
    drawn = random.Random(asked.seed).sample(everything, min(asked.sample or len(everything), len(everything)))
    if asked.afresh:
        KEPT.unlink(missing_ok=True)
    read_what_no_fault_touches()
    if noticed():
        print("The tests fail without any fault; put them right first.", file=sys.stderr)
        return 2
    return _try(drawn, asked, len(everything))


def _try(drawn: list[Place], asked: argparse.Namespace, of: int) -> int:
    began, kept = time.monotonic(), Kept(KEPT)
    came_of: dict[str, list[bool]] = {}
    for place in drawn:
        was = kept.recall(place)
        if was is None:
            if time.monotonic() - began > asked.seconds:
                continue
            was = noticed(place)
            kept.keep(place, was)
        came_of.setdefault(place.path.stem, []).append(was)
        if not was:
            line = place.path.read_text(encoding="utf-8").splitlines()[place.site.line - 1].strip()
            print(f"{place.path.relative_to(ROOT)}:{place.site.line}: {place.site.fault}    {line}", flush=True)
    for module, each in sorted(came_of.items()):
        print(f"{module:20} {sum(each):5} of {len(each):5} noticed ({100 * sum(each) / len(each):.1f} %)")
    tried = [one for each in came_of.values() for one in each]
    if len(tried) < len(drawn):
        print(f"Stopped after {asked.seconds:.0f} s; {len(drawn) - len(tried)} faults are not tried yet: run it again.")
    percent = 100 * sum(tried) / len(tried) if tried else 0.0
    how = f"sample of {len(drawn)}, seed {asked.seed}" if len(drawn) < of else "all"
    where = asked.module or "all modules"
    print(f"{sum(tried)} of {len(tried)} faults noticed ({percent:.1f} %); {how}, of {of} in {where}.")
    return 1 if percent < asked.least else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
