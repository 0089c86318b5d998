"""What do the worked cases try? Each clause should have a case that it lets pass and one that is refused beside it.

For: executing the worked cases and saying, in the sentences of `soundness`, which fail and what none of them tries. It
must never change a case or an agreement to make them agree.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from policies.agreement import SharingAgreement, in_force
from policies.agreement_files import AgreementInvalid
from policies.case import Decision, DecisionRequest, GatewayEntry
from policies.decide import decide
from policies.rules import RULES
from policies.rules.facts import Facts
from policies.soundness import Remark, RemarkKind
from policies.vocabulary import Outcome
from policies.worked import Agency, WorkedCase, load_cases, request_for

GRANTS = frozenset({Outcome.PERMIT, Outcome.PERMIT_REDACTED, Outcome.INDICATOR_ONLY})
#: Rules that can only refuse, and rules that can only limit or allow, so that a case on one side is all there is.
NEVER_GRANT = frozenset({"P01", "P02", "P08", "P18", "P33", "P34", "P36", "P37", "P44", "P49", "P50"})
NEVER_REFUSE = frozenset({"P12", "P21", "P29", "P42"})


@dataclass(frozen=True, slots=True)
class Tried:
    """The rules that cases name where something is shown, and where it is refused."""

    granted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def add(self, outcome: str, rules: Iterable[str]) -> None:
        """Count one decision."""
        (self.granted if outcome in GRANTS else self.refused).update(rules)


def rules_tried(files: Iterable[Path]) -> Tried:
    """Return the rules that cases expect, in TOML tables or JSON lines. Raises AgreementInvalid."""
    tried = Tried()
    for path in files:
        if path.suffix == ".toml":
            for case in load_cases(path):
                tried.add(case.outcome, [case.rule])
            continue
        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                try:
                    expected = json.loads(line)["expected"]
                    tried.add(expected["outcome"], expected["rules"])
                except (ValueError, KeyError, TypeError) as error:
                    raise AgreementInvalid(path.name, ".", f"no worked case ({type(error).__name__})", n) from None
    return tried


def untried(tried: Tried) -> Iterator[Remark]:
    """Yield the rules that no case tries, and those that are tried on one side only though they have two."""
    if never := sorted(RULES.keys() - tried.granted - tried.refused):
        why = f"No worked case here tries {', '.join(never)}."
        yield Remark(RemarkKind.RULE_UNTRIED, "", "", why)
    for side, had, needless in (
        ("lets something pass", tried.granted, NEVER_GRANT),
        ("refuses", tried.refused, NEVER_REFUSE),
    ):
        if bare := sorted((tried.granted | tried.refused) - had - needless):
            why = f"No worked case {side} under {', '.join(bare)}, though cases try the other side."
            yield Remark(RemarkKind.RULE_ONE_SIDED, "", "", why)


def case_faults(
    agreements: tuple[SharingAgreement, ...],
    cases: Mapping[str, Sequence[WorkedCase]],
    agencies: dict[str, Agency],
    gateways: tuple[GatewayEntry, ...],
    today: date,
) -> Iterator[Remark]:
    """Yield cases that do not come out as written, and clauses in force without a case on each side.

    Takes the cases by the stem of their file, which is that of their agreement.
    """
    for one in in_force(agreements, today):
        stem = one.file.removesuffix(".toml")
        if stem not in cases:
            why = f"no worked cases stand beside {one.reference} (cases/{one.file})."
            yield Remark(RemarkKind.CASES_MISSING, one.file, "", why)
            continue
        done: list[tuple[WorkedCase, DecisionRequest]] = []
        for n, case in enumerate(cases[stem]):
            if strangers := sorted({case.owner, case.recipient} - agencies.keys()):
                why = f"{case.title!r}: {', '.join(strangers)} is not described under cases/agencies."
                yield Remark(RemarkKind.CASE_FAILS, f"cases/{one.file}", f"case[{n}]", why)
                continue
            request = request_for(case, agencies, agreements, gateways)
            done.append((case, request))
            if said := _differs(case, decide(request)):
                why = f"{case.title!r} is written as {case.outcome} under {case.rule}, and is {said}."
                yield Remark(RemarkKind.CASE_FAILS, f"cases/{one.file}", f"case[{n}]", why)
        yield from _clauses_untried(one, done)


def _differs(case: WorkedCase, decision: Decision) -> str:
    shown = {kind.lower() for kind in case.shows}
    came = (decision.outcome, decision.answer, set(decision.fields))
    if came == (case.outcome, case.answer, shown) and case.rule in decision.rules:
        return ""
    answer = f", answer {decision.answer}" if decision.answer else ""
    fields = f", showing {', '.join(decision.fields)}" if decision.fields else ""
    return f"{decision.outcome}{answer}{fields} under {', '.join(decision.rules)}"


def _clauses_untried(one: SharingAgreement, done: list[tuple[WorkedCase, DecisionRequest]]) -> Iterator[Remark]:
    for n, clause in enumerate(one.clauses):
        about = [(c, r) for c, r in done if c.purpose in clause.purposes and c.category in clause.categories]
        allowed = any(
            case.outcome in GRANTS and any(clause is each for each in Facts(request).reaching)
            for case, request in about
        )
        name = f"clause {n + 1} of {one.reference} ({', '.join(sorted(clause.purposes))})"
        place = f"clauses[{n}]"
        if not allowed:
            why = f"no worked case shows what {name} lets pass."
            yield Remark(RemarkKind.NO_ALLOW_CASE, one.file, place, why)
        if all(case.outcome in GRANTS for case, _ in about):
            why = f"no worked case shows what is refused beside {name}: same purpose and category, and yet no."
            yield Remark(RemarkKind.NO_DENY_CASE, one.file, place, why)
