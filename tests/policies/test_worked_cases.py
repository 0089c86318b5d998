"""What each agreement allows and refuses, as its officers wrote it down beside it."""

from pathlib import Path

import pytest

from policies import decide, gateway_register, load_agreements
from policies.worked import WorkedCase, load_agencies, load_cases, request_for

POLICIES = Path(__file__).parents[2] / "policies"
AGREEMENTS = load_agreements(POLICIES / "agreements")
GATEWAYS = gateway_register(POLICIES / "gateways.toml")
AGENCIES = load_agencies(POLICIES / "cases" / "agencies" / "demo.toml")
CASES = [(path.stem, case) for path in sorted((POLICIES / "cases").glob("*.toml")) for case in load_cases(path)]
GRANTS = {"PERMIT", "PERMIT_REDACTED", "INDICATOR_ONLY"}


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[f"{file}: {case.title}" for file, case in CASES])
def test_the_agreement_does_what_its_officers_say(case: WorkedCase) -> None:
    decision = decide(request_for(case, AGENCIES, AGREEMENTS, GATEWAYS))
    assert (decision.outcome, decision.answer) == (case.outcome, case.answer)
    assert set(decision.fields) == {kind.lower() for kind in case.shows}
    assert case.rule in decision.rules


@pytest.mark.parametrize("agreement", AGREEMENTS, ids=[one.reference for one in AGREEMENTS])
def test_every_agreement_has_a_refusal_and_a_grant_beside_it(agreement: object) -> None:
    file = getattr(agreement, "file", "").removesuffix(".toml")
    outcomes = {str(case.outcome) for name, case in CASES if name == file}
    assert outcomes & GRANTS
    assert outcomes - GRANTS
