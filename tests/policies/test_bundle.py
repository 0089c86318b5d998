"""The hash that every recorded decision carries: equal policy, equal hash; any change of policy, another hash."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from policies import bundle as bundle_module
from policies import bundle_hash, gateway_register, load_agreements
from policies.vocabulary import AgreementStatus, FieldKind

POLICIES = Path(__file__).parents[2] / "policies"
AGREEMENTS = load_agreements(POLICIES / "agreements")
GATEWAYS = gateway_register(POLICIES / "gateways.toml")
NOW = bundle_hash(AGREEMENTS, GATEWAYS)
FIRST = AGREEMENTS[0]


def with_head(**changes: object) -> str:
    return bundle_hash([replace(FIRST, head=replace(FIRST.head, **changes)), *AGREEMENTS[1:]], GATEWAYS)


def test_the_hash_is_a_code_for_the_trail_and_does_not_depend_on_order_or_file_name() -> None:
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", NOW)
    renamed = [replace(one, file="other.toml") for one in reversed(AGREEMENTS)]
    assert bundle_hash(renamed, reversed(GATEWAYS)) == NOW


def test_any_change_of_an_agreement_or_the_register_changes_it() -> None:
    clause = FIRST.clauses[0]
    narrower = (replace(clause, field_kinds=clause.field_kinds - {FieldKind.IDENTITY}), *FIRST.clauses[1:])
    assert narrower != FIRST.clauses
    changed = [
        with_head(clauses=narrower),
        with_head(status=AgreementStatus.SUSPENDED),
        with_head(expires_on=date(2027, 1, 1)),
        with_head(version=FIRST.version + 1),
        bundle_hash([replace(FIRST, bases=()), *AGREEMENTS[1:]], GATEWAYS),
        bundle_hash(AGREEMENTS[1:], GATEWAYS),
        bundle_hash(AGREEMENTS, GATEWAYS[1:]),
    ]
    assert len({NOW, *changed}) == len(changed) + 1


def test_any_change_of_a_rule_changes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    for name in bundle_module.DECIDING:
        (tmp_path / name).write_text("x = 1\n")
    rule = tmp_path / "rules" / "consent.py"
    monkeypatch.setattr(bundle_module, "HERE", tmp_path)
    seen = set()
    for source in (b"limit = 4\n", b"limit = 5\n", b"limit = 5\r\n"):
        rule.write_bytes(source)
        seen.add(bundle_module.rules_hash.__wrapped__())
    assert len(seen) == 2
