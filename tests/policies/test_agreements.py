"""Agreement files are read strictly, and their dates decide which version counts."""

import textwrap
from datetime import date, timedelta
from pathlib import Path

import pytest

from policies import AgreementInvalid, SharingAgreement, basis_for, explain, gateway_register, in_force, load_agreements
from policies.check import main
from policies.decide import decide
from policies.explain import WOULD_CHANGE
from policies.rules import EVERY_RULE, RULES
from policies.rules.consent import consent_model
from policies.signing import load_signatories
from policies.soundness import faults, gateway_faults, notes
from policies.tried import rules_tried, untried
from policies.vocabulary import Article6Basis, BragRating, Conflict, DataCategory, Purpose
from policies.worked import load_agencies, load_cases, request_for
from tests.policies.build import BASE, changed

POLICIES = Path(__file__).parents[2] / "policies"
SEEDED = load_agreements(POLICIES / "agreements")
TODAY = date(2026, 6, 16)
FILE = """
reference = "TEST-1"
version = 1
title = "A test"
status = "ACTIVE"
effective_from = 2026-01-01
expires_on = 2026-12-31
review = 2026-10-01
dpia_reference = "DPIA-1"
[[parties]]
agency = "csc"
role = "BOTH"
status = "SIGNED"
signed_on = 2025-12-01
signatory = "Director"
[[parties]]
agency = "hv"
role = "BOTH"
status = "NOT_SIGNED"
[[clauses]]
purposes = ["EARLY_HELP"]
recipient_roles = ["FAMILY_KEYWORKER"]
categories = ["HOUSING"]
data_subjects = ["CHILD"]
field_kinds = ["STATUS"]
[[basis]]
agencies = ["csc", "hv"]
purposes = ["EARLY_HELP"]
art6 = "PUBLIC_TASK"
gateways = ["CA2004_S10"]
"""


def folder(tmp_path: Path, *texts: str) -> Path:
    for number, text in enumerate(texts):
        (tmp_path / f"a{number}.toml").write_text(text, encoding="utf-8")
    return tmp_path


TERMS = """[[terms]]
purposes = ["EARLY_HELP"]
consent_model = "ASKED_FIRST"
confidentiality_limb = "CONSENT"
"""
FAULTS = [
    ("not TOML", "reference = ", ".", "cannot be read"),
    ("an unknown key", "colour = 'red'\n" + FILE, ".", "colour"),
    ("an unknown word", FILE.replace('"HOUSING"', '"HOUSES"'), "clauses[0].categories[0]", "HOUSES"),
    ("a missing title", FILE.replace('title = "A test"\n', ""), ".", "missing title"),
    ("a date as text", FILE.replace("review = 2026-10-01", 'review = "soon"'), "review", "a date is needed"),
    ("an end before the start", FILE.replace("2026-12-31", "2025-12-31"), "expires_on", "before effective_from"),
    ("signed by nobody", FILE.replace('signatory = "Director"\n', ""), "parties[0]", "SIGNED needs"),
    ("a party twice", FILE.replace('agency = "hv"', 'agency = "csc"'), "parties", "the same agency twice"),
    ("a clause about nothing", FILE.replace('["STATUS"]', "[]"), "clauses[0].field_kinds", "covers nothing"),
    ("what a statute bars", FILE.replace('"HOUSING"', '"ADOPTION_SEALED"'), "clauses[0].categories", "ADOPTION_SEALED"),
    ("a stranger's basis", FILE.replace('["csc", "hv"]', '["csc", "dwp"]'), "basis[0].agencies", "dwp"),
    ("a processor's basis", FILE.replace('role = "BOTH"', 'role = "BOTH"\ndata_role = "PROCESSOR"', 1),
     "basis[0].agencies", "a processor claims no basis of its own: csc (its controller does)"),
    ("terms that the rules do not know", FILE + TERMS.replace("ASKED_FIRST", "NOT_ASKED"), "terms[0].consent_model",
     "not what the rules ask of: NOT_ASKED (the rules say ASKED_FIRST for EARLY_HELP)"),
    ("a limb that cannot carry it", FILE + TERMS.replace('"CONSENT"', '"LEGAL_DUTY"'), "terms[0].confidentiality_limb",
     "does not go with ASKED_FIRST: LEGAL_DUTY (one of CONSENT)"),
    ("terms twice", FILE + TERMS + TERMS.replace('"CONSENT"', '"CONSENT" # again'), "terms", "the same entry twice"),
    ("an unknown key in a basis", FILE + 'article6 = "PUBLIC_TASK"\n', "basis[0]", "article6"),
    ("two bases for one purpose",
     FILE + '[[basis]]\nagencies = ["csc"]\npurposes = ["EARLY_HELP"]\n', "basis[1]", "second"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key", "reason"), [pytest.param(*row[1:], id=row[0]) for row in FAULTS])
def test_a_faulty_file_is_refused_with_file_key_and_reason(tmp_path: Path, text: str, key: str, reason: str) -> None:
    with pytest.raises(AgreementInvalid) as caught:
        load_agreements(folder(tmp_path, text))
    assert (caught.value.file, caught.value.key) == ("a0.toml", key)
    assert reason in caught.value.reason


def test_one_reference_and_version_is_written_once(tmp_path: Path) -> None:
    with pytest.raises(AgreementInvalid, match=r"a1.toml line 3: version: a0.toml"):
        load_agreements(folder(tmp_path, FILE, FILE))


def test_only_signed_agencies_claim_a_basis_while_the_agreement_is_in_force(tmp_path: Path) -> None:
    read = load_agreements(folder(tmp_path, FILE))
    early = Purpose.EARLY_HELP
    assert basis_for(read, "hv", early, TODAY) is None
    assert basis_for(read, "csc", Purpose.MACSE, TODAY) is None
    assert basis_for(read, "csc", early, date(2025, 12, 31)) is None
    assert basis_for(read, "csc", early, date(2027, 1, 1)) is None
    claimed = basis_for(read, "csc", early, date(2026, 12, 31))
    assert claimed is not None
    assert claimed.art6 == Article6Basis.PUBLIC_TASK


def test_a_newer_version_that_expired_closes_the_older_one(tmp_path: Path) -> None:
    newer = FILE.replace("version = 1", "version = 2").replace("2026-12-31", "2026-06-15")
    read = load_agreements(folder(tmp_path, FILE, newer))
    assert [one.version for one in read] == [1, 2]
    assert [one.version for one in in_force(read, date(2026, 6, 15))] == [2]
    assert in_force(read, TODAY) == ()


def test_the_seeded_agreements_are_in_force_and_sound() -> None:
    assert len(in_force(SEEDED, TODAY)) == len(SEEDED) == 6
    assert not list(faults(SEEDED, TODAY))
    assert not list(gateway_faults(SEEDED, gateway_register(POLICIES / "gateways.toml"), TODAY))
    mash = next(one for one in SEEDED if one.reference == "THORN-MASH")
    assert mash.for_decision() is mash.for_decision()
    assert mash.response_targets[BragRating.RED] == 4


def test_the_recovery_service_takes_no_part_in_matching() -> None:
    assert basis_for(SEEDED, "sms", Purpose.DATA_MATCHING, TODAY) is None
    matching = [one.for_decision() for one in SEEDED if one.reference == "THORN-MATCHING"]
    assert all("sms" not in one.disclosers | one.recipients for one in matching)


def test_the_register_knows_every_gateway_once_and_dates_no_doubtful_one() -> None:
    register = {entry.code: entry for entry in gateway_register(POLICIES / "gateways.toml")}
    assert len(register) == 24
    assert register["CA2004_S16LA"].effective_from is None
    assert register["CA2004_S10"].effective_from == date(2005, 4, 1)


def test_the_check_says_what_is_overdue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = load_agreements(folder(tmp_path, FILE))
    assert any("hv has not signed" in str(one) for one in faults(read, TODAY))
    assert any("due for review" in str(one) for one in faults(read, date(2026, 10, 2)))
    assert any("ended on" in str(one) for one in faults(read, date(2027, 1, 1)))
    assert any("is due for review by" in str(one) for one in notes(read, date(2026, 9, 1)))
    assert any("MENTAL_HEALTH" in str(one) for one in notes(read, TODAY))
    assert main([str(tmp_path)], TODAY) == 1
    assert "has not signed" in capsys.readouterr().out
    assert main([], TODAY) == 0


def test_every_rule_has_a_worked_case_that_passes_and_one_that_is_refused() -> None:
    files = [*(POLICIES / "cases").glob("*.toml"), Path(__file__).parents[1] / "data" / "policy_cases.jsonl"]
    assert list(untried(rules_tried(files))) == []


def test_every_rule_function_names_its_rule_and_source() -> None:
    for asked in EVERY_RULE:
        text = asked.rule.__doc__ or ""
        assert text[:3] in RULES
        assert "Source:" in text
    assert len(RULES) == 50


def test_the_user_never_learns_the_reason_of_a_refusal() -> None:
    said = set()
    for conflict in Conflict:
        tied = changed(BASE, actor__conflicts=frozenset({conflict}), relationship__kind="REGISTERED_LIST")
        decision = decide(tied)
        words = explain(tied, decision)
        said.add((decision.outcome, words.for_user))
        assert any("What would change it" in one for one in words.for_officer)
        assert not any(rule in words.for_user for rule in RULES)
    assert len(said) == 2


def test_the_officer_reads_rule_source_clause_and_obligations() -> None:
    words = explain(BASE, decide(BASE))
    text = " ".join(words.for_officer)
    assert "P12 Significant harm" in text
    assert "Agreement A version 1, clause 1." in text
    assert "LOG_PARA18" in text
    nothing = changed(BASE, agreements=(), item__category=DataCategory.HOUSING)
    assert "No clause of an agreement in force" in " ".join(explain(nothing, decide(nothing)).for_officer)
    assert WOULD_CHANGE["P04"] in " ".join(explain(nothing, decide(nothing)).for_officer)


def test_the_example_of_the_guide_is_an_agreement_and_its_case_agrees(tmp_path: Path) -> None:
    guide = (POLICIES.parent / "docs" / "writing-agreements.md").read_text(encoding="utf-8")
    example, signatories, case = (textwrap.dedent(block.split("```")[0]) for block in guide.split("```toml\n")[1:])
    (tmp_path / "signatories").write_text(signatories, encoding="utf-8")
    (signatory,) = load_signatories(tmp_path / "signatories")["csc"]
    assert f'signatory = "{signatory.office}"' in example
    read = load_agreements(folder(tmp_path, example))
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "a.toml").write_text(case, encoding="utf-8")
    (worked,) = load_cases(tmp_path / "cases" / "a.toml")
    agencies = load_agencies(POLICIES / "cases" / "agencies" / "demo.toml")
    gateways = gateway_register(POLICIES / "gateways.toml")
    decision = decide(request_for(worked, agencies, read, gateways))
    assert (decision.outcome, worked.rule in decision.rules) == (worked.outcome, True)


@pytest.mark.parametrize("status", ["UNDER_REVIEW", "SUSPENDED", "EXPIRED", "TERMINATED"])
def test_stopping_a_version_while_an_older_one_is_still_active_is_a_fault(tmp_path: Path, status: str) -> None:
    newer = FILE.replace("version = 1", "version = 2").replace("ACTIVE", status)
    again = f"a1.toml: version 2 of TEST-1 is {status}, so version 1 is in force again; stop that one as well."
    assert again in [str(one) for one in faults(load_agreements(folder(tmp_path, FILE, newer)), TODAY)]
    old = FILE.replace("ACTIVE", "TERMINATED")
    assert again not in [str(one) for one in faults(load_agreements(folder(tmp_path, old, newer)), TODAY)]


LINES = [
    ("TOML itself", FILE.replace("version = 1", "version = "), 3, "cannot be read"),
    ("an unknown word in a list of several lines",
     FILE.replace('["HOUSING"]', '[\n  "DEMOGRAPHIC",\n  "HOUSES",\n]'), 25, "did you mean HOUSING?"),
    ("an unknown key of a table", FILE.replace('signatory = "Director"', 'signatry = "Director"'), 15,
     "did you mean signatory?"),
    ("an unknown key at the top", FILE.replace('title = "A test"', 'titel = "A test"'), 4, "did you mean title?"),
    ("a missing key", FILE.replace('field_kinds = ["STATUS"]\n', ""), 20, "write a line `field_kinds = ...` here"),
    ("a word that is far from all", FILE.replace('"HOUSING"', '"ZZZ"'), 23, "known are ADDRESS_SHIELDED"),
    ("a stranger's basis", FILE.replace('["csc", "hv"]', '["csc", "dwp"]'), 27, "add it under [[parties]]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "remedy"), [pytest.param(*row[1:], id=row[0]) for row in LINES])
def test_a_refused_file_says_on_which_line_and_what_to_do(tmp_path: Path, text: str, line: int, remedy: str) -> None:
    with pytest.raises(AgreementInvalid) as caught:
        load_agreements(folder(tmp_path, text))
    assert str(caught.value).startswith(f"a0.toml line {line}: ")
    assert remedy in caught.value.reason


@pytest.mark.parametrize("one", SEEDED, ids=lambda one: one.reference)
def test_the_seeded_agreements_say_everything_that_an_agreement_can_say(one: SharingAgreement) -> None:
    assert one.terms.keys() == one.purposes
    assert all(terms.consent_model == consent_model(purpose) for purpose, terms in one.terms.items())
    assert all(party.data_role and party.signed_on and party.signatory for party in one.parties)
    assert one.dpia_reference
    assert one.effective_from < one.review < (one.expires_on or one.review + timedelta(days=1))
