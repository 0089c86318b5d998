"""A decision in words: the refused read the same whatever the reason, the officer reads every reason."""

import json
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from policies import RULES, DecisionRequest, decide, explain, for_refused
from policies.explain import FOR_USER, FOR_USER_BY_ANSWER
from policies.vocabulary import (
    DataCategory,
    FieldKind,
    GpAnswer,
    Obligation,
    Outcome,
    Purpose,
    Role,
    StatutoryGateway,
    SubjectFlag,
)
from tests.policies.build import BASE

LINES = (Path(__file__).parents[1] / "data" / "policy_cases.jsonl").read_text("utf-8").splitlines()
REQUESTS = [DecisionRequest.from_json(json.loads(line)["request"]) for line in LINES]
CODES = {
    str(word)
    for kind in (DataCategory, FieldKind, Obligation, Purpose, Role, StatutoryGateway, SubjectFlag)
    for word in kind
}


def test_the_refused_read_the_same_whatever_rule_category_agency_or_person_is_behind_it() -> None:
    read: dict[tuple[Outcome, GpAnswer | None], set[str]] = defaultdict(set)
    rules: dict[Outcome, set[tuple[str, ...]]] = defaultdict(set)
    for request in REQUESTS:
        decision = decide(request)
        read[decision.outcome, decision.answer].add(explain(request, decision).for_user)
        rules[decision.outcome].add(decision.rules)
    assert all(len(words) == 1 for words in read.values())
    assert len(rules[Outcome.DENY]) > 10
    assert len(rules[Outcome.DENY_SILENT]) > 5


@pytest.mark.parametrize("words", [*FOR_USER.values(), *FOR_USER_BY_ANSWER.values(), for_refused("Police", "0123")])
def test_no_word_for_the_user_tells_a_rule_or_a_code(words: str) -> None:
    assert not re.search(r"\bP\d\d\b", words)
    assert not [code for code in CODES if "_" in code and code in words]
    assert not re.search(r"consent|shield|adopt|intelligence|conflict|agreement|threshold|refus(ed|al) by", words, re.I)


def test_a_refusal_in_a_check_has_one_answer_for_every_reason() -> None:
    said = {
        explain(request, decide(request)).for_user
        for request in REQUESTS
        if request.purpose == Purpose.GP_PACKAGE_CHECK and not decide(request).fields
        if decide(request).answer == GpAnswer.NOT_AVAILABLE
    }
    assert len(said) == 1


def test_the_refused_learn_whom_to_ring_and_that_nothing_follows() -> None:
    words = for_refused("Thornshire Police", "the duty desk on 01632 960 111, out of hours 01632 960 999")
    assert "01632 960 111" in words
    assert "01632 960 999" in words
    assert "nothing follows from them" in words
    assert "do not wait" in words


def test_the_officer_reads_every_rule_with_its_source_and_every_refusal_what_would_change_it() -> None:
    for request in REQUESTS:
        decision = decide(request)
        text = " ".join(explain(request, decision).for_officer)
        for rule in decision.rules:
            assert f"{rule} {RULES[rule].title} ({RULES[rule].source})" in text
        if not decision.fields and set(decision.rules) - {"P21", "P50"}:
            assert "What would change it" in text or decision.outcome == Outcome.INDICATOR_ONLY


def test_the_officer_reads_which_kinds_were_left_out_and_what_would_open_them() -> None:
    (agreement,) = BASE.agreements
    kept = BASE.item.fields[0].kind
    clauses = tuple(replace(clause, field_kinds=frozenset({kept})) for clause in agreement.clauses)
    narrow = replace(BASE, agreements=(replace(agreement, clauses=clauses),))
    decision = decide(narrow)
    assert decision.outcome == Outcome.PERMIT_REDACTED
    text = " ".join(explain(narrow, decision).for_officer)
    left_out = {one.kind for one in BASE.item.fields} - {kept}
    assert f"Left out: {', '.join(sorted(left_out))}." in text
    assert "what would open them" in text
    assert "Left out" not in " ".join(explain(BASE, decide(BASE)).for_officer)


def test_codes_become_the_readers_words() -> None:
    text = explain(BASE, decide(BASE), say=lambda code: f"<{code}>").for_officer[0]
    assert f"<{BASE.item.category}>" in text
    assert f"<{BASE.owner.agency}>" in text
