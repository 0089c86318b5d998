"""Each kind of fault has a file that brings about exactly that one; what is sound brings about none."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from policies.check import Checked, main
from policies.soundness import RemarkKind

HERE = Path(__file__).parents[2] / "policies"
TODAY = date(2026, 6, 16)
AGREEMENT = """reference = "TEST-1"
version = 1
title = "A test"
status = "ACTIVE"
effective_from = 2026-01-01
expires_on = 2027-12-31
review = 2027-06-30
dpia_reference = "DPIA-1"
[[parties]]
agency = "csc"
role = "BOTH"
data_role = "CONTROLLER"
status = "SIGNED"
signed_on = 2025-12-01
signatory = "Director"
[[parties]]
agency = "housing"
role = "DISCLOSER"
data_role = "CONTROLLER"
status = "SIGNED"
signed_on = 2025-12-01
signatory = "Director"
[[clauses]]
purposes = ["EARLY_HELP"]
recipient_roles = ["FAMILY_KEYWORKER"]
categories = ["HOUSING"]
data_subjects = ["CHILD"]
field_kinds = ["STATUS", "DATES"]
[[terms]]
purposes = ["EARLY_HELP"]
consent_model = "ASKED_FIRST"
confidentiality_limb = "CONSENT"
[[basis]]
agencies = ["csc", "housing"]
purposes = ["EARLY_HELP"]
art6 = "PUBLIC_TASK"
gateways = ["CA2004_S10"]
"""
CLAUSE = AGREEMENT[AGREEMENT.index("[[clauses]]") : AGREEMENT.index("[[terms]]")]
CASES = """[[case]]
title = "The family has not agreed"
owner = "housing"
recipient = "csc"
role = "FAMILY_KEYWORKER"
purpose = "EARLY_HELP"
category = "HOUSING"
offers = ["STATUS"]
outcome = "DENY"
rule = "P10"
[[case]]
title = "The family agreed"
owner = "housing"
recipient = "csc"
role = "FAMILY_KEYWORKER"
purpose = "EARLY_HELP"
category = "HOUSING"
offers = ["STATUS"]
family_agreed = true
outcome = "PERMIT"
shows = ["STATUS"]
rule = "P10"
"""
Edit = Callable[[dict[str, str]], None]


def put(name: str, old: str, new: str, count: int = -1) -> Edit:
    def edit(files: dict[str, str]) -> None:
        assert old in files[name]
        files[name] = files[name].replace(old, new, count)

    return edit


def add(name: str, text: str) -> Edit:
    return lambda files: files.update({name: files.get(name, "") + text})


def without(name: str) -> Edit:
    return lambda files: files.update({name: ""})


A, C = "agreements/a.toml", "cases/a.toml"
SECOND = AGREEMENT.replace("TEST-1", "TEST-2")
#: What is put wrong, the kind of the only remark, its file and line, and words of its sentence.
SEEDED: list[tuple[RemarkKind, list[Edit], str, str]] = [
    (RemarkKind.UNREADABLE, [put(A, '"HOUSING"', '"HOUSES"')], "a.toml: categories", "did you mean HOUSING?"),
    (RemarkKind.UNREADABLE, [put(A, "version = 1", "version = ")], "a.toml", "cannot be read"),
    (RemarkKind.UNREADABLE, [put(C, 'offers = ["STATUS"]', "offers = 1", 1)], "cases/a.toml: offers",
     "a list is needed"),
    (RemarkKind.ENDED, [put(A, "2027-12-31", "2026-06-15"), put(A, "review = 2027-06-30", "review = 2026-05-01")],
     "a.toml: expires_on", "ended on 2026-06-15"),
    (RemarkKind.REVIEW_OVERDUE, [put(A, "2027-06-30", "2026-06-15")], "a.toml: review", "due for review on 2026-06-15"),
    (RemarkKind.DATES_WRONG, [put(A, "2027-06-30", "2028-01-01")], "a.toml: review", "not between its first and its"),
    (RemarkKind.DATES_WRONG, [put(A, "2025-12-01", "2026-06-17", 1)], "a.toml: signed_on", "still to come"),
    (RemarkKind.NOT_SIGNED, [add(A, ""), put(A, "[[clauses]]", '[[parties]]\nagency = "hv"\nrole = "DISCLOSER"\n'
     'data_role = "CONTROLLER"\nstatus = "NOT_SIGNED"\n[[clauses]]')], "a.toml: status", "hv has not signed"),
    (RemarkKind.DATA_ROLE_MISSING, [put(A, 'data_role = "CONTROLLER"\n', "", 1)], "a.toml: [[parties]]",
     "csc is a controller"),
    (RemarkKind.JOINT_CONTROLLER_ALONE, [put(A, '"CONTROLLER"', '"JOINT_CONTROLLER"', 1)], "a.toml: data_role",
     "csc is a joint controller with nobody"),
    (RemarkKind.TERMS_MISSING, [put(A, '[[terms]]\npurposes = ["EARLY_HELP"]\nconsent_model = "ASKED_FIRST"\n'
     'confidentiality_limb = "CONSENT"\n', "")], "a.toml", "does not say what is asked"),
    (RemarkKind.BASIS_MISSING, [put(A, "[[clauses]]", '[[parties]]\nagency = "hv"\nrole = "DISCLOSER"\n'
     'data_role = "CONTROLLER"\nstatus = "SIGNED"\nsigned_on = 2025-12-01\nsignatory = "Guardian"\n[[clauses]]')],
     "a.toml: [[basis]]", "hv claims no basis for EARLY_HELP"),
    (RemarkKind.BASIS_TWICE, [add("agreements/b.toml", SECOND.replace(CLAUSE, "")), add("cases/b.toml", CASES)],
     "b.toml: [[basis]]", "csc claims a basis for EARLY_HELP in TEST-1 already"),
    (RemarkKind.GATEWAY_NOT_IN_FORCE, [put(A, '"CA2004_S10"', '"CA2004_S10", "CA2004_S16LA"')], "a.toml: gateways",
     "CA2004_S16LA is claimed but not in force"),
    (RemarkKind.OLDER_IN_FORCE_AGAIN, [add("agreements/b.toml", AGREEMENT.replace("version = 1", "version = 2").replace(
     '"ACTIVE"', '"SUSPENDED"'))], "b.toml: status", "so version 1 is in force again"),
    (RemarkKind.CLAUSE_COVERED, [put(A, CLAUSE, CLAUSE + CLAUSE.replace(', "DATES"', "") + "lookback_months = 12\n")],
     "a.toml: [[clauses]]", "Clause 2 of TEST-1 allows nothing that clause 1 does not"),
    (RemarkKind.KIND_NEVER_OPENS, [put(A, '"DATES"', '"DATES", "INTELLIGENCE"')], "a.toml: field_kinds",
     "INTELLIGENCE, which P25 always cuts"),
    (RemarkKind.REVEALS_TO_NOBODY, [put(A, CLAUSE, CLAUSE + 'shield_reveal_roles = ["SOCIAL_WORKER"]\n')],
     "a.toml: shield_reveal_roles", "reveals to SOCIAL_WORKER"),
    (RemarkKind.CASES_MISSING, [without(C)], "a.toml", "no worked cases stand beside TEST-1"),
    (RemarkKind.CASE_FAILS, [put(C, 'shows = ["STATUS"]', 'shows = ["DATES"]')], "cases/a.toml: [[case]]",
     "'The family agreed' is written as PERMIT under P10, and is PERMIT, showing status under"),
    (RemarkKind.CASE_FAILS, [add(C, CASES.replace('"housing"', '"fire"'))], "cases/a.toml: [[case]]",
     "fire is not described"),
    (RemarkKind.NO_ALLOW_CASE, [put(C, CASES[CASES.index('[[case]]\ntitle = "The family agreed"') :], "")],
     "a.toml: [[clauses]]", "no worked case shows what clause 1 of TEST-1 (EARLY_HELP) lets pass"),
    (RemarkKind.NO_DENY_CASE, [put(C, CASES[: CASES.index('[[case]]\ntitle = "The family agreed"')], "")],
     "a.toml: [[clauses]]", "no worked case shows what is refused beside clause 1"),
    (RemarkKind.GATEWAY_SERVES_NOT, [add("agreements/b.toml", SECOND.replace("EARLY_HELP", "OP_ENCOMPASS").replace(
     "ASKED_FIRST", "NOT_ASKED").replace('"CONSENT"', '"LEGAL_DUTY"').replace('"ACTIVE"', '"DRAFT"'))],
     "b.toml: [[basis]]", "claims CA2004_S10 for OP_ENCOMPASS, and none of them serves"),
]  # fmt: skip
NOTES: list[tuple[RemarkKind, list[Edit], str]] = [
    (RemarkKind.ENDS_SOON, [put(A, "2027-12-31", "2026-08-01"), put(A, "2027-06-30", "2026-06-15")], "TEST-1 ends on"),
    (RemarkKind.REVIEW_SOON, [put(A, "2027-06-30", "2026-06-16")], "TEST-1 is due for review by 2026-06-16"),
    (RemarkKind.AGREEMENTS_OVERLAP, [add("agreements/b.toml", SECOND)],
     "clause 1 of TEST-2 and clause 1 of TEST-1 both allow HOUSING for EARLY_HELP to FAMILY_KEYWORKER"),
    (RemarkKind.CATEGORY_UNCOVERED, [], "No clause in force covers INDICATOR, DEMOGRAPHIC"),
    (RemarkKind.RULE_UNTRIED, [], "No worked case here tries P01, P02"),
    (RemarkKind.RULE_ONE_SIDED, [put(C, 'family_agreed = true\noutcome = "PERMIT"', 'outcome = "DENY"')],
     "No worked case lets something pass under P10"),
]  # fmt: skip


def laid_out(tmp_path: Path, edits: list[Edit]) -> Path:
    agencies = (HERE / "cases" / "agencies" / "demo.toml").read_text(encoding="utf-8")
    files = {A: AGREEMENT, C: CASES, "cases/agencies/x.toml": agencies}
    for edit in edits:
        edit(files)
    for name, text in files.items():
        if text:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "agreements"


def checked(tmp_path: Path, edits: list[Edit]) -> Checked:
    return Checked(laid_out(tmp_path, edits), HERE / "gateways.toml", [])


def test_what_is_sound_has_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(checked(tmp_path, []).faults(TODAY)) == []
    assert main([str(tmp_path / "agreements")], TODAY) == 0
    assert "1 agreements read, 0 faults." in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "edits", "where", "words"), SEEDED, ids=[str(row[0]) for row in SEEDED])
def test_each_fault_is_found_alone_with_its_place(
    kind: RemarkKind, edits: list[Edit], where: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = list(checked(tmp_path, edits).faults(TODAY))
    assert {remark.kind for remark in found} == {kind}
    assert any(words in remark.sentence for remark in found)
    assert all(remark.sentence.endswith(".") for remark in found)
    assert main([str(tmp_path / "agreements")], TODAY) == 1
    said = re.search(rf"^Fault: ([\w/.]+)(?: line (\d+))?[,:].*\[{kind}\]$", capsys.readouterr().out, re.M)
    assert said is not None
    file, _, line = where.partition(": ")
    assert said[1] == file
    folder = tmp_path if "/" in file else tmp_path / "agreements"
    assert not line or (folder / file).read_text(encoding="utf-8").splitlines()[int(said[2]) - 1].startswith(line)


@pytest.mark.parametrize(("kind", "edits", "words"), NOTES, ids=[str(row[0]) for row in NOTES])
def test_each_note_is_made_and_is_no_fault(kind: RemarkKind, edits: list[Edit], words: str, tmp_path: Path) -> None:
    without_it = {remark.kind for remark in checked(tmp_path / "sound", []).notes(TODAY)}
    found = {remark.kind: remark.sentence for remark in checked(tmp_path / "seeded", edits).notes(TODAY)}
    assert words in found[kind]
    assert not edits or kind not in without_it


def test_every_kind_of_remark_has_a_file_that_brings_it_about() -> None:
    assert {row[0] for row in SEEDED} | {row[0] for row in NOTES} == set(RemarkKind)


def test_a_file_that_cannot_be_read_does_not_hide_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overdue = SECOND.replace("2027-06-30", "2026-06-15")
    folder = laid_out(tmp_path, [put(A, '"HOUSING"', '"HOUSES"'), add("agreements/b.toml", overdue)])
    assert main([str(folder)], TODAY) == 1
    said = capsys.readouterr().out
    assert "UNREADABLE" in said
    assert "REVIEW_OVERDUE" in said


def test_the_agreements_that_come_with_the_product_are_sound_on_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", str(HERE.parent / "tests" / "data" / "policy_cases.jsonl")], TODAY) == 0
    assert "RULE" not in capsys.readouterr().out


def test_a_line_that_is_no_case_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = laid_out(tmp_path, [])
    (tmp_path / "more.jsonl").write_text('{"expected": 1}\n', encoding="utf-8")
    assert main([str(folder), "--cases", str(tmp_path / "more.jsonl")], TODAY) == 1
    assert "more.jsonl" in capsys.readouterr().out
