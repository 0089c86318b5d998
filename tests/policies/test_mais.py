"""MAIS SharingPolicy: what is wrong is refused with its field; our agreements go out and come back the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from policies import load_agreements, read_agreement
from policies.form import FormError
from policies.life_cycle import agreed
from policies.mais import CARRIED, carried, from_mais, main, policy_of, to_mais
from policies.vocabulary import AgreementStatus, PartyStatus

FOLDER = Path(__file__).parents[2] / "policies" / "agreements"
SEEDED = load_agreements(FOLDER)
ABOUT = {"uri": "https://example.org/mash", "system": "https://example.org/agreements", "contact": "ig@example.org"}
MASH = next(one for one in SEEDED if one.reference == "THORN-MASH")


def foreign(**changes: Any) -> dict[str, Any]:
    """A policy of another system, with single values where the standard allows many."""
    plain = {
        "URI": "https://example.org/dsa",
        "Identifier": {"value": "DSA-1", "System": "https://example.org/dsas"},
        "Name": "A policy",
        "Contact": "somebody@example.org",
        "Party": {"Name": "A council", "CatalogueID": "C1"},
        "Data": ["https://example.org/data"],
        "Purpose": ["https://www.legislation.gov.uk/ukpga/1989/41/section/47"],
        "StartDate": "2026-01-01",
        "EndDate": "2026-12-31",
        "SecurityMeasure": ["encrypt"],
        "Extra": {"kept": True},
    }
    return {name: value for name, value in {**plain, **changes}.items() if value is not None}


WRONG: list[tuple[str, Any, str]] = [
    *[
        (name, None, f"SharingPolicy.{name}: missing")
        for name in ("URI", "Identifier", "Name", "Contact", "Party", "Data", "Purpose", "StartDate", "EndDate")
    ],
    ("URI", "no uri", "SharingPolicy.URI: an absolute URI"),
    ("URI", "http://[", "SharingPolicy.URI: an absolute URI"),
    ("Identifier", "DSA-1", "SharingPolicy.Identifier: an object"),
    ("Identifier", {"value": "DSA-1"}, "SharingPolicy.Identifier.System: missing"),
    ("Identifier", {"value": "DSA-1", "System": "x"}, "SharingPolicy.Identifier.System: an absolute URI"),
    ("Party", [], "SharingPolicy.Party: at least one"),
    ("Party", [{"Name": "A", "CatalogueID": []}], "SharingPolicy.Party[0].CatalogueID: at least one"),
    ("Party", [{"Name": "A", "CatalogueID": ["1"], "Nam": "B"}], "SharingPolicy.Party[0]: unknown keys"),
    ("Data", [1], "SharingPolicy.Data[0]: a text"),
    ("StartDate", "01/01/2026", "SharingPolicy.StartDate: a date"),
    ("EndDate", "2025-12-31", "SharingPolicy.EndDate: before StartDate"),
]


@pytest.mark.parametrize(("name", "value", "why"), WRONG)
def test_a_policy_that_the_standard_does_not_allow_is_refused(name: str, value: Any, why: str) -> None:
    with pytest.raises(FormError) as refused:
        from_mais(foreign(**{name: value}))
    assert str(refused.value).startswith(why)


@pytest.mark.parametrize("plain", [None, [], "text", 1])
def test_what_is_no_object_is_no_policy(plain: object) -> None:
    with pytest.raises(FormError):
        from_mais(plain)


def test_no_agreement_is_made_of_a_policy_that_carries_none() -> None:
    with pytest.raises(FormError, match="carries no agreement"):
        carried(from_mais(foreign()))


CHANGED: list[tuple[str, Any]] = [
    ("Name", "Another"),
    ("Data", ["HOUSING"]),
    ("Purpose", ["S47_ENQUIRY"]),
    ("EndDate", "2099-01-01"),
    ("StartDate", "2020-01-01"),
    ("Restrictions", ["odrl:sell"]),
    ("PermittedUse", ["odrl:read", "odrl:distribute"]),
    ("Identifier", {"value": "THORN-MASH/9", "System": ABOUT["system"]}),
    ("Party", [{"Name": "A council", "CatalogueID": ["csc"]}]),
]


@pytest.mark.parametrize(("name", "value"), CHANGED)
def test_a_policy_that_says_other_than_it_carries_is_refused(name: str, value: Any) -> None:
    plain = {**to_mais(policy_of(MASH, **ABOUT)), name: value}
    with pytest.raises(FormError, match=f"SharingPolicy.{name}: not what the agreement that it carries says"):
        carried(from_mais(plain))


@pytest.mark.parametrize("key", ["categories", "purposes", "nonsense"])
def test_an_agreement_that_is_carried_is_read_as_strictly_as_a_file(key: str) -> None:
    plain = json.loads(json.dumps(to_mais(policy_of(MASH, **ABOUT))))
    plain[CARRIED]["clauses"][0][key] = ["ADOPTION"]
    with pytest.raises(FormError):
        carried(from_mais(plain))


def test_an_agreement_without_an_end_cannot_be_said(tmp_path: Path) -> None:
    text = (FOLDER / "early-help.toml").read_text().replace("expires_on = 2028-03-31\n", "")
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(ValueError, match="needs an EndDate"):
        policy_of(read_agreement(tmp_path / "a.toml"), **ABOUT)


def test_a_foreign_policy_comes_back_with_all_it_said() -> None:
    policy = from_mais(foreign())
    again = to_mais(policy)
    assert from_mais(again) == policy
    assert again["Extra"] == {"kept": True}
    assert again["Party"] == [{"Name": "A council", "CatalogueID": ["C1"]}]
    assert "Restrictions" not in again


@pytest.mark.parametrize("one", SEEDED, ids=lambda one: one.reference)
def test_our_agreements_go_out_and_come_back_the_same(one: Any) -> None:
    text = json.dumps(to_mais(policy_of(one, names={"csc": "Thornshire Council"}, **ABOUT)))
    assert carried(from_mais(json.loads(text))) == one


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_the_command_writes_a_policy_and_reads_it_as_a_draft(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    about = [part for name, value in ABOUT.items() for part in (f"--{name}", value)]
    assert main(["export", str(path), *about, "--name", "csc=Thornshire Council"]) == 0
    (tmp_path / "policy.json").write_text(capsys.readouterr().out)
    assert main(["import", str(tmp_path / "policy.json")]) == 0
    (tmp_path / "back.toml").write_text(capsys.readouterr().out)
    before, after = read_agreement(path), read_agreement(tmp_path / "back.toml")
    assert agreed(after) == agreed(before)
    assert after.title == before.title
    assert after.status == AgreementStatus.DRAFT
    assert {party.status for party in after.parties} == {PartyStatus.NOT_SIGNED}


@pytest.mark.parametrize("text", ["{", "[" * 100_000, json.dumps(foreign()), "{}"])
def test_the_command_ends_with_a_sentence(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policy.json").write_text(text)
    assert main(["import", str(tmp_path / "policy.json")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("policy.json: ")
